//! What would a contribution say if it were worded like its neighbours?
//!
//! A short text is a noisy witness of what it means: two people who want the same share few words. Each row is moved towards its nearest neighbours,
//! q_i + ½ Σ_j w_ij q_j, w_ij = (s_ij / s_i1)⁴, and brought back to unit length, with j over the [`NEAREST`] nearest and s the similarities. The weights compare a neighbour with the nearest one, so
//! that three people with a subject of their own, whose fourth neighbour is far away, are hardly moved by that fourth: this is what keeps the few in sight.
//!
//! Guarantees: weights are whole numbers (of 1/1024), sums exact, one rounding a row. Cost: [`NEAREST`] rows read for each; a second matrix.

use std::sync::{Mutex, PoisonError};

use super::flat::{round, Flat};
use super::Neighbours;
use super::Rows;
use crate::neardup::crew::Crew;

/// How many neighbours move a row.
pub const NEAREST: usize = 10;

/// Rows of a block of work.
const BLOCK: usize = 512;

/// Rows moved towards their neighbours; None if stopped.
#[must_use]
pub fn smoothed(crew: &Crew<'_>, rows: &Flat, neighbours: &Neighbours) -> Option<Flat> {
    let mut moved = Flat::new(rows.len(), rows.width());
    let parts: Vec<_> = moved.parts(BLOCK).map(Mutex::new).collect();
    let width = rows.width();
    crew.share(
        "smoothing",
        parts.len(),
        || vec![0i64; width],
        |sum, block| {
            let Some(part) = parts.get(block) else { return };
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            for (at, out) in part.chunks_exact_mut(width).enumerate() {
                let at = block * BLOCK + at;
                let own = rows.row(at).iter().map(|x| i64::from(*x) << 11);
                sum.iter_mut().zip(own).for_each(|(sum, x)| *sum = x);
                for (id, weight) in weights(neighbours, at) {
                    let row = rows.row(id as usize);
                    let more = row.iter().map(|x| i64::from(*x).wrapping_mul(weight));
                    let places = sum.iter_mut().zip(more);
                    places.for_each(|(sum, x)| *sum = sum.wrapping_add(x));
                }
                round(sum, out);
            }
        },
    )?;
    drop(parts);
    Some(moved)
}

/// The neighbours that move a row, and by how many times 1/1024.
fn weights(neighbours: &Neighbours, at: usize) -> impl Iterator<Item = (u32, i64)> + '_ {
    let from = at * neighbours.k;
    let to = from + neighbours.k.min(NEAREST);
    let ids = neighbours.ids.get(from..to).unwrap_or_default();
    let similarities = neighbours.similarities.get(from..to).unwrap_or_default();
    let first = similarities.first().map_or(0, |s| i64::from(*s));
    let near = ids.iter().zip(similarities);
    near.filter(move |(_, s)| **s > 0).map(move |(id, s)| {
        let ratio = (i64::from(*s) << 10) / first.max(1);
        (*id, (ratio * ratio * ratio * ratio) >> 30)
    })
}

#[cfg(test)]
mod tests {
    use super::weights;
    use crate::vectors::Neighbours;

    #[test]
    fn a_neighbour_half_as_near_as_the_nearest_weighs_a_sixteenth_of_it() {
        let neighbours = Neighbours {
            k: 4,
            ids: vec![9, 3, 5, 6],
            similarities: vec![1000, 500, 0, -7],
        };
        let all: Vec<_> = weights(&neighbours, 0).collect();
        assert_eq!(all, [(9, 1024), (3, 64)]);
    }
}
