//! Matrices of many rows and a few hundred columns, and what the reduction does with them.
//!
//! Columns lie in slices of [`WIDTH`], so that a row of a slice stays in registers. Sums have one order. Products of columns are summed in double precision: small directions show beside
//! large ones only by what is left when these are taken away.

use std::sync::Mutex;

use pulp::Arch;

use super::blocks::{Gram, Times};
use super::square::Square;
use super::BLOCK;
use crate::neardup::crew::Crew;

/// Columns of a slice.
pub const WIDTH: usize = 48;
/// Rows that stay in the nearest cache.
const RUN: usize = 64;
/// A matrix in slices.
#[derive(Clone, Debug, PartialEq)]
pub struct Tall {
    /// Number of rows.
    pub rows: usize,
    /// For each slice its rows.
    pub slices: Vec<Vec<[f32; WIDTH]>>,
}

/// Some rows of a slice, to be filled.
pub struct Part<'a> {
    /// Which slice.
    pub slice: usize,
    /// The first of the rows.
    pub start: usize,
    /// The rows.
    pub rows: &'a mut [[f32; WIDTH]],
}

impl Tall {
    /// All zeros.
    #[must_use]
    pub fn zeros(rows: usize, slices: usize) -> Self {
        Self {
            rows,
            slices: vec![vec![[0.0; WIDTH]; rows]; slices],
        }
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.slices.len() * WIDTH
    }

    /// Calls `work` for all parts of `height` rows. None if the watcher stopped it.
    pub fn fill(
        &mut self,
        crew: &Crew<'_>,
        phase: &'static str,
        height: usize,
        work: impl Fn(&mut Part<'_>) + Sync,
    ) -> Option<()> {
        let slices = self.slices.iter_mut().enumerate();
        let parts = slices.flat_map(|(slice, rows)| {
            let parts = rows.chunks_mut(height).enumerate();
            parts.map(move |(at, rows)| {
                let start = at * height;
                Mutex::new(Part { slice, start, rows })
            })
        });
        let parts: Vec<_> = parts.collect();
        crew.share(
            phase,
            parts.len(),
            || (),
            |(), at| {
                if let Some(Ok(mut part)) = parts.get(at).map(Mutex::lock) {
                    work(&mut part);
                }
            },
        )?;
        Some(())
    }

    /// Aᵀ · A. None if the watcher stopped it.
    pub fn gram(&self, crew: &Crew<'_>) -> Option<Square> {
        let count = self.slices.len();
        let pairs: Vec<_> = (0..count)
            .flat_map(|s| (s..count).map(move |t| (s, t)))
            .collect();
        let arch = Arch::new();
        let done = crew.share("reducing", pairs.len(), Vec::new, |done, at| {
            let Some((s, t)) = pairs.get(at) else { return };
            if let (Some(left), Some(right)) = (self.slices.get(*s), self.slices.get(*t)) {
                let mut sums = vec![[0.0; WIDTH]; WIDTH];
                let (mut one, mut two) = (Vec::new(), Vec::new());
                for (left, right) in left.chunks(RUN).zip(right.chunks(RUN)) {
                    arch.dispatch(Gram {
                        left: doubled(left, &mut one),
                        right: doubled(right, &mut two),
                        sums: &mut sums,
                    });
                }
                done.push((*s, *t, sums));
            }
        })?;
        let mut gram = Square::zeros(self.columns());
        for (s, t, sums) in done.into_iter().flatten() {
            for (i, row) in sums.iter().enumerate() {
                for (j, sum) in row.iter().enumerate() {
                    gram.set(s * WIDTH + i, t * WIDTH + j, *sum);
                    gram.set(t * WIDTH + j, s * WIDTH + i, *sum);
                }
            }
        }
        Some(gram)
    }

    /// A · M for a square matrix of as many rows as A has columns, of whose columns only the first slices are wanted. None if the watcher stopped it.
    pub fn times(&self, crew: &Crew<'_>, right: &Square, slices: usize) -> Option<Tall> {
        let mut product = Self::zeros(self.rows, slices);
        let arch = Arch::new();
        product.fill(crew, "reducing", BLOCK, |part| {
            let columns = right.slice(part.slice);
            for (slice, columns) in self.slices.iter().zip(columns.chunks(WIDTH)) {
                let left = slice.get(part.start..).unwrap_or_default();
                arch.dispatch(Times {
                    left,
                    right: columns,
                    out: part.rows,
                });
            }
        })?;
        Some(product)
    }
}

/// Rows in double precision, in a buffer.
fn doubled<'a>(rows: &[[f32; WIDTH]], buffer: &'a mut Vec<[f64; WIDTH]>) -> &'a [[f64; WIDTH]] {
    buffer.clear();
    buffer.extend(rows.iter().map(|row| row.map(f64::from)));
    buffer
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sparse::tests::tall;
    use super::super::square::tests::random;
    use super::*;
    use crate::neardup::crew::Stop;

    fn column(matrix: &Tall, at: usize) -> Vec<f64> {
        let rows = matrix.slices[at / WIDTH].iter();
        rows.map(|row| f64::from(row[at % WIDTH])).collect()
    }

    #[test]
    fn products_are_those_of_the_definition() {
        let stop = Stop::new();
        let crew = Crew {
            threads: 2,
            watch: &|_, _| true,
            stop: &stop,
        };
        let matrix = tall(301, 2, 7);
        let gram = matrix.gram(&crew).unwrap();
        let right = random(2 * WIDTH, 8);
        let product = matrix.times(&crew, &right, 2).unwrap();
        for i in 0..2 * WIDTH {
            let own = column(&matrix, i);
            for j in 0..2 * WIDTH {
                let sum: f64 = own.iter().zip(column(&matrix, j)).map(|(x, y)| x * y).sum();
                assert!((gram.get(i, j) - sum).abs() < 1e-4);
            }
            for (row, out) in column(&product, i).iter().enumerate() {
                let sum: f64 = (0..2 * WIDTH)
                    .map(|at| {
                        f64::from(matrix.slices[at / WIDTH][row][at % WIDTH]) * right.get(at, i)
                    })
                    .sum();
                assert!((out - sum).abs() < 1e-4);
            }
        }
        assert_eq!(
            matrix.times(&crew, &right, 1).unwrap().slices,
            product.slices[..1]
        );
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let (left, right) = (tall(203, 1, 9), tall(203, 1, 10));
        let run = |arch: Arch| {
            let mut sums = vec![[0.0; WIDTH]; WIDTH];
            let mut out = vec![[0.5; WIDTH]; 203];
            let (mut one, mut two) = (Vec::new(), Vec::new());
            arch.dispatch(Gram {
                left: doubled(&left.slices[0], &mut one),
                right: doubled(&right.slices[0], &mut two),
                sums: &mut sums,
            });
            arch.dispatch(Times {
                left: &left.slices[0],
                right: &right.slices[0][..WIDTH],
                out: &mut out,
            });
            (sums, out)
        };
        assert_eq!(run(Arch::Scalar), run(Arch::new()));
    }
}
