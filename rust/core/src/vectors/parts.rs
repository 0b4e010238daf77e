//! Who is in which group, how well does it fit, and what is a group's middle?
//!
//! Groups are numbered themes first, then weak signals, then lone voices; within a kind the larger first, and of two that are as large the one with the lowest
//! point. A group's middle is the sum of its rows, each contribution counted, brought to unit length; a contribution fits by its cosine to it.
//!
//! Guarantees: every row has a group; sums are exact; middles and fits are the same for any number of threads. Cost: each row is rounded twice; one row a group of two or more.

use std::sync::{Mutex, PoisonError};

use super::flat::{dot, round, Flat};
use super::linkage::TOGETHER;
use super::points::On;
use super::tree::{self, THEME};
use super::Rows;
use crate::neardup::crew::Crew;

/// Groups of a block of work.
const BLOCK: usize = 64;

/// Groups of rows, all accounted for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// The group of each row.
    pub labels: Vec<u32>,
    /// Contributions of each group.
    pub sizes: Vec<u64>,
    /// The cosine of each row and its group's middle, in units of 1/32767².
    pub fit: Vec<i32>,
    /// Middles of the groups of two or more, which come first.
    pub middles: Flat,
}

/// The groups of rows from those of points; None if stopped.
#[must_use]
pub fn parts(crew: &Crew<'_>, points: &On<'_>, groups: &[u32]) -> Option<Parts> {
    let copies = &points.points.copies;
    let (order, sizes) = numbered(groups, copies);
    let mut members: Vec<(u32, u32)> = groups
        .iter()
        .zip(0u32..)
        .map(|(g, at)| (order[*g as usize], at))
        .collect();
    members.sort_unstable();
    let shared = sizes.iter().take_while(|size| **size > 1).count();
    let ends: Vec<usize> = (0..shared)
        .map(|group| members.partition_point(|(g, _)| *g as usize <= group))
        .collect();
    let mut middles = Flat::new(shared, points.width());
    let width = middles.width();
    let spans: Vec<_> = middles.parts(BLOCK).map(Mutex::new).collect();
    let new = || (vec![0i16; points.width()], vec![0i64; width], Vec::new());
    let found = crew.share("groups", spans.len(), new, |(row, sum, fits), block| {
        let Some(span) = spans.get(block) else { return };
        let mut span = span.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, middle) in span.chunks_exact_mut(width).enumerate() {
            let group = block * BLOCK + at;
            let from = group.checked_sub(1).map_or(0, |before| ends[before]);
            let own = &members[from..ends[group]];
            sum.fill(0);
            for (_, point) in own {
                points.read(*point as usize, row);
                let times = i64::from(copies[*point as usize]);
                for (sum, x) in sum.iter_mut().zip(row.iter()) {
                    *sum = sum.wrapping_add(i64::from(*x).wrapping_mul(times));
                }
            }
            round(sum, middle);
            for (_, point) in own {
                points.read(*point as usize, row);
                fits.push((*point, dot(row, middle)));
            }
        }
    })?;
    drop(spans);
    let mut fit = vec![TOGETHER; groups.len()];
    for (point, cosine) in found.into_iter().flat_map(|(.., fits)| fits) {
        fit[point as usize] = cosine;
    }
    let of_row = &points.points.of_row;
    Some(Parts {
        labels: of_row
            .iter()
            .map(|point| order[groups[*point as usize] as usize])
            .collect(),
        fit: of_row.iter().map(|point| fit[*point as usize]).collect(),
        sizes,
        middles,
    })
}

/// The new number of each group, and the sizes by new number. Groups are numbered by their lowest points before.
fn numbered(groups: &[u32], copies: &[u32]) -> (Vec<u32>, Vec<u64>) {
    let sizes = tree::sizes(groups, copies);
    let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
    order.sort_by_key(|group| std::cmp::Reverse(sizes[*group as usize]));
    let mut new = vec![0u32; sizes.len()];
    for (number, group) in order.iter().enumerate() {
        new[*group as usize] = number as u32;
    }
    let sizes = order.iter().map(|group| sizes[*group as usize]).collect();
    (new, sizes)
}

/// What a group of this size is: 0 a theme, 1 a weak signal, 2 a lone voice.
#[must_use]
pub fn kind(size: u64) -> u8 {
    match size {
        0..=1 => 2,
        THEME.. => 0,
        _ => 1,
    }
}
