//! Who are the best few so far, and whom would another one replace?
//!
//! A neighbour and its similarity are one number ([`key`]): greater is nearer, and of two that are as near, the one with the lower index is. The best k of a point are
//! the k greatest, so they don't depend on the order in which they were found. Two blocks *meet*: every row of one is compared with every row of the
//! other, and what reaches a bound is noted for both.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::tile::{pack_rows, Kernel, Lanes, Left, Look, Right, Tile, HIGH, WIDE};
use super::Rows;

/// A neighbour and its similarity, as a number that is greater the nearer it is; 0 is nobody.
#[inline(always)]
#[must_use]
pub fn key(similarity: i32, index: u32) -> u64 {
    let above = similarity.wrapping_sub(i32::MIN) as u32;
    u64::from(above) << 32 | u64::from(u32::MAX - index)
}

/// The neighbour and its similarity.
#[inline(always)]
#[must_use]
pub fn unkey(key: u64) -> (i32, u32) {
    let above = (key >> 32) as u32;
    (
        (above as i32).wrapping_add(i32::MIN),
        u32::MAX - (key as u32),
    )
}

/// The nearest neighbours of points, nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// How many each point has.
    pub k: usize,
    /// k for each point.
    pub ids: Vec<u32>,
    /// Dot products of rounded rows: 32767² is a cosine of 1.
    pub similarities: Vec<i32>,
}

/// The best few of several points.
#[derive(Clone, Debug)]
pub(super) struct Best {
    k: usize,
    keys: Vec<u64>,
    // One beside the other, because a block's bounds are asked for each time it meets another block.
    bounds: Vec<i32>,
}

impl Best {
    pub(super) fn new(points: usize, k: usize) -> Self {
        Self {
            k,
            keys: vec![0; points * k],
            bounds: vec![i32::MIN; points],
        }
    }

    /// The best of one point, nearest first.
    pub(super) fn of(&self, point: usize) -> &[u64] {
        &self.keys[point * self.k..][..self.k]
    }

    /// Counts a neighbour in, if it is among the best and was not counted yet.
    #[inline]
    pub(super) fn add(&mut self, point: usize, key: u64) {
        let best = &mut self.keys[point * self.k..][..self.k];
        if best.last().is_none_or(|last| key <= *last) {
            return;
        }
        let mut at = best.len() - 1;
        while at > 0 && best[at - 1] < key {
            at -= 1;
        }
        if at > 0 && best[at - 1] == key {
            return;
        }
        best.copy_within(at..self.k - 1, at + 1);
        best[at] = key;
        let last = best.last().map_or(0, |last| unkey(*last).0);
        self.bounds[point] = last.saturating_sub(1);
    }

    /// For each point what a similarity must exceed to be among its best: one less than the least of these, because a tie may win by its index.
    #[inline]
    pub(super) fn bounds(&self) -> &[i32] {
        &self.bounds
    }
}

/// The best so far, in blocks, each under its lock.
pub(super) struct Shared(Vec<Mutex<Best>>);

impl Shared {
    /// Nobody yet, for blocks of these sizes.
    pub(super) fn new(sizes: impl Iterator<Item = usize>, k: usize) -> Self {
        Self(sizes.map(|size| Mutex::new(Best::new(size, k))).collect())
    }

    pub(super) fn lock(&self, block: usize) -> MutexGuard<'_, Best> {
        // A panic elsewhere ends everything anyway.
        let lock = self.0[block].lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// The neighbours of all points; `place` is where those of a block's row go. Memory is given back block by block.
    pub(super) fn finish(
        self,
        points: usize,
        k: usize,
        place: impl Fn(usize, usize) -> usize,
    ) -> Neighbours {
        let mut neighbours = Neighbours {
            k,
            ids: vec![0; points * k],
            similarities: vec![0; points * k],
        };
        for (block, best) in self.0.into_iter().enumerate() {
            let best = best.into_inner().unwrap_or_else(PoisonError::into_inner);
            for (row, keys) in best.keys.chunks_exact(k).enumerate() {
                let at = place(block, row) * k;
                for (at, key) in (at..).zip(keys) {
                    (neighbours.similarities[at], neighbours.ids[at]) = unkey(*key);
                }
            }
        }
        neighbours
    }
}

/// A block of rows on the left, and the best found for them.
pub(super) struct Side {
    ids: Vec<u32>,
    left: Vec<Left>,
    bounds: Vec<[i32; WIDE]>,
    best: Best,
}

impl Side {
    pub(super) fn new() -> Self {
        Self {
            ids: Vec::new(),
            left: Vec::new(),
            bounds: Vec::new(),
            best: Best::new(0, 0),
        }
    }

    /// Takes up the rows of these points, with the bounds that are known for them.
    pub(super) fn begin(&mut self, rows: &dyn Rows, ids: impl Iterator<Item = u32>, known: &Best) {
        self.ids.clear();
        self.ids.extend(ids);
        pack_rows(rows, &self.ids, &mut self.left);
        let lanes = self.ids.len().next_multiple_of(HIGH);
        self.bounds.clear();
        self.bounds.resize(lanes, [i32::MAX; WIDE]);
        for (place, bound) in self.bounds.iter_mut().zip(known.bounds()) {
            *place = [*bound; WIDE];
        }
        self.best = Best::new(self.ids.len(), known.k);
    }

    /// The points of its rows.
    pub(super) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The best found for its rows.
    pub(super) fn best(&self) -> &Best {
        &self.best
    }

    /// Counts what was found into what is known.
    pub(super) fn end(&self, known: &mut Best) {
        for row in 0..self.ids.len() {
            for key in self.best.of(row) {
                known.add(row, *key);
            }
        }
    }
}

/// A block of rows on the right, and what was found for them.
pub(super) struct Other {
    ids: Vec<u32>,
    bounds: Vec<[i32; WIDE]>,
    found: Vec<(u32, u64)>,
}

impl Other {
    pub(super) fn new() -> Self {
        Self {
            ids: Vec::new(),
            bounds: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Takes up these points; without known bounds, nothing is noted for them.
    pub(super) fn begin(&mut self, ids: impl Iterator<Item = u32>, known: Option<&Best>) {
        self.ids.clear();
        self.ids.extend(ids);
        self.bounds.clear();
        let panels = self.ids.len().div_ceil(WIDE);
        self.bounds.resize(panels, [i32::MAX; WIDE]);
        if let Some(known) = known {
            self.renew(known);
        }
    }

    /// Takes up bounds that are known by now.
    pub(super) fn renew(&mut self, known: &Best) {
        let places = self.bounds.as_flattened_mut().iter_mut();
        let bounds = places.zip(known.bounds());
        bounds.for_each(|(place, bound)| *place = *bound);
    }

    /// Counts what was found into what is known.
    pub(super) fn end(&mut self, known: &mut Best) {
        for (row, key) in self.found.drain(..) {
            known.add(row as usize, key);
        }
    }

    /// Whether nothing was found.
    pub(super) fn is_idle(&self) -> bool {
        self.found.is_empty()
    }
}

/// Compares all rows of two blocks; `right` are the other's, packed.
pub(super) fn meet(
    kernel: Kernel,
    pairs: usize,
    side: &mut Side,
    other: &mut Other,
    right: &[Right],
) {
    let left = std::mem::take(&mut side.left);
    kernel.multiply(pairs, &left, right, &mut Meeting { side, other });
    side.left = left;
}

struct Meeting<'a> {
    side: &'a mut Side,
    other: &'a mut Other,
}

impl Look for Meeting<'_> {
    #[inline(always)]
    fn look<L: Lanes>(&mut self, lanes: L, twelve: usize, panel: usize, tile: &Tile) {
        let bounds = &self.side.bounds[twelve * HIGH..][..HIGH];
        let across = self.other.bounds[panel];
        let (mut rows, mut columns) = ([0u32; HIGH], [0u32; HIGH]);
        let mut any = 0;
        for (at, numbers) in tile.iter().enumerate() {
            rows[at] = lanes.above(numbers, &bounds[at]);
            columns[at] = lanes.above(numbers, &across);
            any |= rows[at] | columns[at];
        }
        if any != 0 {
            self.note(twelve * HIGH, panel * WIDE, tile, &rows, &columns);
        }
    }
}

impl Meeting<'_> {
    #[inline(never)]
    fn note(
        &mut self,
        first: usize,
        from: usize,
        tile: &Tile,
        rows: &[u32; HIGH],
        columns: &[u32; HIGH],
    ) {
        let (side, other) = (&mut *self.side, &mut *self.other);
        for (at, numbers) in tile.iter().enumerate() {
            let row = first + at;
            // Twelve and thirty-two are filled up with zeros, which are nobody.
            let Some(id) = side.ids.get(row).copied() else {
                return;
            };
            for lane in Bits(rows[at]) {
                let Some(them) = other.ids.get(from + lane) else {
                    break;
                };
                if *them != id {
                    side.best.add(row, key(numbers[lane], *them));
                    let bound = side.best.bounds()[row];
                    if bound > side.bounds[row][0] {
                        side.bounds[row] = [bound; WIDE];
                    }
                }
            }
            for lane in Bits(columns[at]) {
                let found = ((from + lane) as u32, key(numbers[lane], id));
                other.found.push(found);
            }
        }
    }
}

/// The places of the bits that are set.
struct Bits(u32);

impl Iterator for Bits {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let place = self.0.trailing_zeros() as usize;
        self.0 &= self.0.wrapping_sub(1);
        (place < 32).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_by_similarity_and_then_by_index() {
        assert!(key(5, 9) > key(4, 0) && key(5, 1) > key(5, 2) && key(-3, 0) > key(-4, 0));
        for (similarity, index) in [(i32::MAX, 0), (-7, 12), (0, u32::MAX - 1)] {
            assert_eq!(unkey(key(similarity, index)), (similarity, index));
        }
    }
}
