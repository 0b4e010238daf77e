//! Which k points are most alike to each point, exactly?
//!
//! All pairs are compared, each once: blocks of rows against blocks of rows, by the kernel of [`super::tile`]. A similarity counts for both of its points, if it
//! reaches the least of the best k found so far, which is looked at while the tile is in the nearest cache. First every block is compared with itself, so that
//! all points have a bound before the rest begins.
//!
//! Guarantees: the k most similar other points, by (similarity, descending; canonical index, ascending). That is a total order, so the best k don't depend on who
//! found them when. Threads share blocks; what they find is put together under a lock for each block.
//! Cost: m² d / 2 multiplications and additions; m · k · 8 bytes, and the packed rows.

use std::sync::{Mutex, PoisonError};

pub use super::best::Neighbours;
use super::best::{meet, Best, Other, Shared, Side};
use super::tile::{Kernel, Panels, WIDE};
use super::Rows;
use crate::neardup::crew::Crew;

/// Rows of a block: a multiple of both sides of a tile, and small enough for the second cache.
const BLOCK: usize = 384;

/// Panels that are packed at a time.
const PACKED: usize = 16;

/// The `k` nearest other points of every point (all others, if there are fewer). None if stopped.
#[must_use]
pub fn nearest(crew: &Crew<'_>, kernel: Kernel, panels: &Panels, k: usize) -> Option<Neighbours> {
    let points = panels.rows();
    let k = k.min(points.saturating_sub(1));
    if k == 0 {
        return Some(Neighbours::default());
    }
    let ids = |block: usize| (block * BLOCK) as u32..((block + 1) * BLOCK).min(points) as u32;
    let blocks = points.div_ceil(BLOCK);
    let shared = Shared::new((0..blocks).map(|block| ids(block).len()), k);
    let right = |block: usize| {
        let first = block * (BLOCK / WIDE);
        panels.steps(first, first + ids(block).len().div_ceil(WIDE))
    };
    let pairs = panels.pairs();
    let hand = || (Side::new(), Other::new());
    crew.share("own neighbours", blocks, hand, |(side, other), block| {
        side.begin(panels, ids(block), &shared.lock(block));
        other.begin(ids(block), None);
        meet(kernel, pairs, side, other, right(block));
        side.end(&mut shared.lock(block));
    })?;
    crew.share("neighbours", blocks, hand, |(side, other), block| {
        side.begin(panels, ids(block), &shared.lock(block));
        for later in block + 1..blocks {
            if crew.stop.is_set() {
                return;
            }
            other.begin(ids(later), Some(&shared.lock(later)));
            meet(kernel, pairs, side, other, right(later));
            if !other.is_idle() {
                other.end(&mut shared.lock(later));
            }
        }
        side.end(&mut shared.lock(block));
    })?;
    Some(shared.finish(points, k, |block, row| block * BLOCK + row))
}

/// All rows, packed by several threads. None if stopped.
#[must_use]
pub fn packed(crew: &Crew<'_>, rows: &dyn Rows) -> Option<Panels> {
    let mut panels = Panels::new(rows.len(), rows.width());
    let pairs = panels.pairs().max(1);
    let parts = panels.steps_mut().chunks_mut(PACKED * pairs);
    // Nobody else asks for a part, so nobody waits.
    let parts: Vec<_> = parts.map(Mutex::new).collect();
    crew.share("packing", parts.len(), Vec::new, |row, block| {
        let mut part = parts[block].lock().unwrap_or_else(PoisonError::into_inner);
        row.resize(rows.width(), 0);
        let first = block * PACKED * WIDE;
        for at in first..(first + PACKED * WIDE).min(rows.len()) {
            rows.read(at, row);
            let steps = part.iter_mut().skip((at - first) / WIDE * pairs);
            for (step, pair) in steps.zip(row.chunks_exact(2)) {
                step[at % WIDE] = [pair[0], pair[1]];
            }
        }
    })?;
    drop(parts);
    Some(panels)
}

/// The `k` nearest other points of some points, in their order, found without packing all: for whoever wants to know how good an approximation is. None if stopped.
#[must_use]
pub fn nearest_of(
    crew: &Crew<'_>,
    kernel: Kernel,
    rows: &dyn Rows,
    some: &[u32],
    k: usize,
) -> Option<Neighbours> {
    let points = rows.len();
    let k = k.min(points.saturating_sub(1));
    if k == 0 || some.is_empty() {
        return Some(Neighbours::default());
    }
    let nobody = Best::new(some.len(), k);
    let hand = || {
        let mut side = Side::new();
        side.begin(rows, some.iter().copied(), &nobody);
        (side, Other::new())
    };
    let work = |(side, other): &mut (Side, Other), block: usize| {
        let ids = block * BLOCK..((block + 1) * BLOCK).min(points);
        other.begin(ids.clone().map(|id| id as u32), None);
        let panels = Panels::of(rows, ids);
        let right = panels.steps(0, panels.len());
        meet(kernel, panels.pairs(), side, other, right);
    };
    let sides = crew.share("neighbours of some", points.div_ceil(BLOCK), hand, work)?;
    let shared = Shared::new([some.len()].into_iter(), k);
    for (side, _) in sides {
        side.end(&mut shared.lock(0));
    }
    Some(shared.finish(some.len(), k, |_, row| row))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::neardup::crew::Stop;
    use crate::random::Random;

    fn slow(panels: &Panels, k: usize) -> Neighbours {
        let points = panels.rows();
        let row = |at| {
            let mut row = vec![0i16; panels.pairs() * 2];
            panels.get(at, &mut row);
            row
        };
        let rows: Vec<_> = (0..points).map(row).collect();
        let k = k.min(points - 1);
        let mut found = Neighbours {
            k,
            ..Neighbours::default()
        };
        for (i, a) in rows.iter().enumerate() {
            let others = rows.iter().enumerate().filter(|(j, _)| *j != i);
            let similarity = |b: &[i16]| {
                a.iter()
                    .zip(b)
                    .map(|(x, y)| i32::from(*x) * i32::from(*y))
                    .sum::<i32>()
            };
            let mut all: Vec<_> = others.map(|(j, b)| (-similarity(b), j as u32)).collect();
            all.sort_unstable();
            found.ids.extend(all.iter().take(k).map(|(_, j)| j));
            found
                .similarities
                .extend(all.iter().take(k).map(|(s, _)| -s));
        }
        found
    }

    fn crew<'a>(threads: usize, stop: &'a Stop) -> Crew<'a> {
        Crew {
            threads,
            watch: &|_, _| true,
            stop,
        }
    }

    #[test]
    fn neighbours_are_those_of_two_loops_with_any_kernel_and_threads() {
        let mut random = Random::new(2);
        // Few different numbers make many ties.
        for (points, k, most) in [
            (2, 1, 9),
            (31, 5, 1),
            (385, 16, 2),
            (800, 3, 1),
            (40, 100, 3),
        ] {
            let mut panels = Panels::new(points, 32);
            for at in 0..points {
                let number = |_| random.below(2 * most + 1) as i16 - most as i16;
                let row: Vec<i16> = (0..32).map(number).collect();
                panels.put(at, &row);
            }
            let right = slow(&panels, k);
            for kernel in Kernel::all() {
                for threads in [1, 2, 3] {
                    let stop = Stop::new();
                    let found = nearest(&crew(threads, &stop), kernel, &panels, k).unwrap();
                    assert_eq!(found, right, "{points} {k} {kernel:?} {threads}");
                    let (last, k) = (points as u32 - 1, found.k);
                    let some = nearest_of(&crew(threads, &stop), kernel, &panels, &[last, 0], k);
                    let ids = [&right.ids[right.ids.len() - k..], &right.ids[..k]].concat();
                    assert_eq!(some.unwrap().ids, ids);
                }
            }
        }
    }

    #[test]
    fn one_point_has_no_neighbours() {
        let stop = Stop::new();
        for points in 0..2 {
            let found = nearest(&crew(2, &stop), Kernel::best(), &Panels::new(points, 32), 4);
            assert_eq!(found, Some(Neighbours::default()));
        }
    }
}
