//! Which contributions say nearly the same? Vectors of texts, compared by whole numbers.
//!
//! A row is centred, brought to unit length and rounded to 16-bit numbers ([`sphere`]); rows are put into an order that depends on their contents alone
//! ([`points`]); each finds its nearest neighbours ([`knn`], and [`lists`] for very many) by a kernel that multiplies blocks of them ([`tile`]).
//!
//! Guarantees. Every similarity is a dot product of whole numbers, so it is exact, and so is every tie: the result is the same for any order of rows, number of
//! threads, instruction set and processor. Floating-point numbers appear in the rounding of one row by itself, in a fixed order of operations, and nowhere else.

pub mod assigned;
mod best;
pub mod centres;
pub mod check;
pub mod engine;
pub mod flat;
pub mod fringe;
pub mod kmeans;
pub mod knn;
pub mod linkage;
pub mod lists;
pub mod live;
pub mod parts;
pub mod points;
pub mod reduce;
pub mod seeding;
pub mod smooth;
pub mod sphere;
pub mod sums;
pub mod tile;
pub mod tree;
pub mod visits;

pub use best::Neighbours;
pub use sphere::{Source, Sphere, UNIT};

/// Rows of 16-bit numbers, in memory or made when they are asked for.
pub trait Rows: Sync {
    /// Number of rows.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Numbers in a row, a multiple of [`tile::STEP`].
    fn width(&self) -> usize;
    /// Writes a row into `out`, which has [`Rows::width`] places.
    fn read(&self, at: usize, out: &mut [i16]);
}
