//! Where are the vectors that came, so that a snapshot of a hundred thousand costs nothing?
//!
//! Rows are kept as they came: at unit length, rounded to 16-bit numbers (the sphere around zero, [`super::super::sphere`]), in chunks that a snapshot shares and
//! that are never written again once they are full. What is subtracted from them (the mean) is learnt later and may change; the rows don't.

use std::collections::HashMap;
use std::sync::Arc;

use crate::text::hash::mum;

/// Rows of a chunk.
const CHUNK: usize = 1024;

/// Rows of 16-bit numbers.
#[derive(Clone, Debug)]
pub struct Rows {
    chunks: Vec<Arc<Vec<i16>>>,
    width: usize,
    len: usize,
}

impl Rows {
    /// No rows of this width.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            chunks: Vec::new(),
            width: width.max(1),
            len: 0,
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Numbers in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// One row; none if there is no such row.
    #[must_use]
    pub fn get(&self, at: usize) -> &[i16] {
        let chunk = self
            .chunks
            .get(at / CHUNK)
            .map_or(&[][..], |c| c.as_slice());
        let start = at % CHUNK * self.width;
        chunk.get(start..start + self.width).unwrap_or_default()
    }

    /// Another row. A chunk that a snapshot shares is copied first, which happens to the last one alone.
    pub fn push(&mut self, row: &[i16]) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks
                .push(Arc::new(Vec::with_capacity(CHUNK * self.width)));
        }
        if let Some(last) = self.chunks.last_mut() {
            Arc::make_mut(last).extend_from_slice(row);
            self.len += 1;
        }
    }
}

/// All rows, what they add up to, and which of them are copies.
#[derive(Clone, Debug)]
pub struct Store {
    rows: Rows,
    sums: Vec<i64>,
    /// For each row the first that is the same, often itself.
    first: Vec<u32>,
    known: HashMap<u64, u32>,
}

impl Store {
    /// Nothing yet.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            rows: Rows::new(width),
            sums: vec![0; width],
            first: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// The rows; a clone of them is a snapshot.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The sums of all columns.
    #[must_use]
    pub fn sums(&self) -> &[i64] {
        &self.sums
    }

    /// For each row the first that is the same.
    #[must_use]
    pub fn first(&self) -> &[u32] {
        &self.first
    }

    /// Another row.
    pub fn push(&mut self, row: &[i16]) {
        let at = self.rows.len() as u32;
        let known = *self.known.entry(hash(row)).or_insert(at);
        // Two different rows with one hash: the later one is nobody's copy, which costs a micro-cluster and nothing else.
        let same = known == at || self.rows.get(known as usize) == row;
        self.first.push(if same { known } else { at });
        self.rows.push(row);
        let places = self.sums.iter_mut().zip(row);
        places.for_each(|(sum, x)| *sum = sum.wrapping_add(i64::from(*x)));
    }
}

/// A number that equal rows share.
fn hash(row: &[i16]) -> u64 {
    let fours = row.chunks(4).map(|four| {
        let bits = four.iter().map(|x| u64::from(*x as u16));
        bits.fold(0, |all, x| all << 16 | x)
    });
    fours.fold(0x6a09_e667_f3bc_c908, |h, four| {
        mum(h ^ four, 0x3c6e_f372_fe94_f82b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_does_not_change() {
        let mut rows = Rows::new(2);
        for i in 0..1500 {
            rows.push(&[i, -i]);
        }
        let snapshot = rows.clone();
        rows.push(&[7, 7]);
        assert_eq!((snapshot.len(), rows.len()), (1500, 1501));
        assert_eq!(snapshot.get(1499), [1499, -1499]);
        assert_eq!(snapshot.get(1500), [0i16; 0]);
        assert_eq!(rows.get(1500), [7, 7]);
    }

    #[test]
    fn copies_point_to_the_first_of_them() {
        let mut store = Store::new(2);
        for row in [[1, 2], [3, 4], [1, 2], [4, 3], [3, 4]] {
            store.push(&row);
        }
        assert_eq!(store.first(), [0, 1, 0, 3, 1]);
        assert_eq!(store.sums(), [12, 15]);
    }
}
