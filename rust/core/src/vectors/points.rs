//! Which rows are the same, and in which order do they stand when nobody's order counts?
//!
//! A row's name is the first sixteen bytes of the SHA-256 of its rounded numbers (little-endian, without the zeros at its end that fill it up). The *canonical
//! order* is that of names; rows of one name are one *point* with a multiplicity, so that a hundred copies of a text can't fill anybody's list of neighbours.
//!
//! Guarantees: a function of the set of rows; the names of two different rows are the same with probability 2^−128, and no number of rows that fits a memory makes that
//! likely. Cost: one hash a row, one sort; 20 bytes a row while sorting, then 20 a point and 4 a row.

use sha2::{Digest, Sha256};

use super::{Rows, Source, Sphere};
use crate::neardup::crew::Crew;

/// Rows of a block of work.
const BLOCK: usize = 1024;

/// Distinct points, in canonical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points {
    /// The name of each point, ascending.
    pub names: Vec<u128>,
    /// The first row of each point.
    pub first: Vec<u32>,
    /// How many rows are this point.
    pub copies: Vec<u32>,
    /// The point of each row.
    pub of_row: Vec<u32>,
}

impl Points {
    /// The points of all rows; None if stopped.
    #[must_use]
    pub fn of(crew: &Crew<'_>, source: &Source<'_>, sphere: &Sphere) -> Option<Self> {
        let rows = source.rows();
        let parts = crew.share("names", rows.div_ceil(BLOCK), Vec::new, |named, block| {
            let mut numbers = vec![0i16; sphere.width()];
            let mut bytes = vec![0u8; sphere.dimension() * 2];
            for row in block * BLOCK..(block * BLOCK + BLOCK).min(rows) {
                sphere.round(source.row(row), &mut numbers);
                for (two, number) in bytes.chunks_exact_mut(2).zip(&numbers) {
                    two.copy_from_slice(&number.to_le_bytes());
                }
                named.push((name(&bytes), row as u32));
            }
        })?;
        let mut named = parts.concat();
        crate::neardup::crew::ascending(&mut named, crew.threads);
        Some(Self::sorted(&named))
    }

    /// The points of names and rows in ascending order.
    pub(super) fn sorted(named: &[(u128, u32)]) -> Self {
        let mut points = Self {
            of_row: vec![0; named.len()],
            ..Self::default()
        };
        for same in named.chunk_by(|a, b| a.0 == b.0) {
            let point = points.names.len() as u32;
            if let Some((name, first)) = same.first() {
                points.names.push(*name);
                points.first.push(*first);
                points.copies.push(same.len() as u32);
            }
            for (_, row) in same {
                if let Some(place) = points.of_row.get_mut(*row as usize) {
                    *place = point;
                }
            }
        }
        points
    }

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// The first sixteen bytes of the SHA-256, as a number that sorts like them.
fn name(bytes: &[u8]) -> u128 {
    let digest = Sha256::digest(bytes);
    let first = digest.iter().take(16);
    first.fold(0, |name, byte| name << 8 | u128::from(*byte))
}

/// The points, rounded from the floats whenever one is asked for.
#[derive(Clone, Copy, Debug)]
pub struct On<'a> {
    /// The floats.
    pub source: &'a Source<'a>,
    /// Where they are taken to.
    pub sphere: &'a Sphere,
    /// Which rows.
    pub points: &'a Points,
}

impl Rows for On<'_> {
    fn len(&self) -> usize {
        self.points.len()
    }

    fn width(&self) -> usize {
        self.sphere.width()
    }

    fn read(&self, at: usize, out: &mut [i16]) {
        let row = self
            .points
            .first
            .get(at)
            .map_or(&[][..], |row| self.source.row(*row as usize));
        self.sphere.round(row, out);
    }
}
