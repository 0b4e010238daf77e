//! Whom did a theme take in although nobody says anything like them?
//!
//! A cut leaves nobody out: whoever is least unlike a theme ends up in it, and a voice of its own is smoothed away. This second look asks each member of a theme how alike the
//! nearest others are, on average, in their own words: the [`AROUND`] nearest, or all others of a smaller theme. Whoever is far below what is usual leaves the theme, at most one
//! contribution in [`LEAVE`], the loneliest first. Those who leave are then grouped among themselves, where they are as alike as what is usual, or as the cut if that is finer: some have company, and were hidden
//! together.
//!
//! «Usual» is the median over all members of themes; «far below» is [`FAR`] times as far below it as the upper 84th percentile is above it. For a normal distribution that percentile is one standard
//! deviation away; the upper side is used because those who are sought are on the lower one (Rousseeuw and Croux 1993, on scales that outliers can't move).
//!
//! Guarantees: whole numbers only; a function of points, neighbours and cut. Who is tied to others by a person's decision, or said by five or more in the same words, never leaves.
//! Cost: k numbers for each point; a search among those who leave.

use super::flat::Flat;
use super::linkage::{link, Ties, TOGETHER};
use super::lists::neighbours;
use super::tile::Kernel;
use super::tree::{self, Tree, THEME};
use super::Rows;
use crate::neardup::crew::Crew;

/// Neighbours that are asked about.
pub const AROUND: usize = 15;

/// At most one contribution in so many leaves.
pub const LEAVE: usize = 20;

/// How far below the usual is too far, in tenths of the spread.
const FAR: i64 = 13;

/// How alike the k neighbours of each point are to it, the nearest first.
#[derive(Clone, Debug)]
pub struct Company {
    /// How many each point has.
    pub k: usize,
    /// k for each point.
    pub similarities: Vec<i32>,
}

/// What a cut was made from.
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    /// Rows, in their own words.
    pub rows: &'a Flat,
    /// Contributions of each point.
    pub weights: &'a [u32],
    /// How alike the neighbours of each point are to it, in their own words.
    pub near: &'a Company,
    /// Who never leaves.
    pub tied: &'a [bool],
    /// The similarity of the cut.
    pub link: i32,
}

/// The groups after the second look: those of before without who left, and new ones for these, numbered by their lowest points. None if stopped.
#[must_use]
pub fn second_look(crew: &Crew<'_>, cut: &Cut<'_>, groups: &[u32]) -> Option<Vec<u32>> {
    let (leaving, usual) = leaving(cut, groups);
    if leaving.is_empty() {
        return Some(groups.to_vec());
    }
    let mut rows = Flat::new(leaving.len(), cut.rows.width());
    for (out, at) in rows.parts(1).zip(&leaving) {
        out.copy_from_slice(cut.rows.row(*at as usize));
    }
    let weights: Vec<u32> = leaving.iter().map(|at| cut.weights[*at as usize]).collect();
    let found = neighbours(crew, Kernel::best(), &rows, AROUND, None)?;
    let merges = link(crew, &rows, &weights, found, Ties::default())?;
    let own = Tree::new(&weights, &merges).cut(cut.link.max(usual));
    let first = groups.iter().max().map_or(0, |most| most + 1);
    let mut moved = groups.to_vec();
    for (at, group) in leaving.iter().zip(own) {
        moved[*at as usize] = first + group;
    }
    Some(tree::number(&moved))
}

/// The points that leave their themes, ascending, and how much company is usual.
fn leaving(cut: &Cut<'_>, groups: &[u32]) -> (Vec<u32>, i32) {
    let sizes = tree::sizes(groups, cut.weights);
    let members = (0..groups.len()).filter(|at| sizes[groups[*at] as usize] >= THEME);
    let company: Vec<(i64, u32)> = members
        .map(|at| (company(cut, at, sizes[groups[at] as usize]), at as u32))
        .collect();
    let mut sorted: Vec<i64> = company.iter().map(|(company, _)| *company).collect();
    sorted.sort_unstable();
    let quantile = |permille: usize| sorted.get((sorted.len() * permille) / 1000).copied();
    let (Some(median), Some(upper)) = (quantile(500), quantile(841)) else {
        return (Vec::new(), 0);
    };
    let least = median - (upper - median) * FAR / 10;
    let stays = |at: u32| cut.tied[at as usize] || u64::from(cut.weights[at as usize]) >= THEME;
    let mut far: Vec<(i64, u32)> = company
        .into_iter()
        .filter(|(company, at)| *company < least && !stays(*at))
        .collect();
    far.sort_unstable();
    let mut room: u64 = cut.weights.iter().map(|w| u64::from(*w)).sum::<u64>() / LEAVE as u64;
    let mut leaving = Vec::new();
    for (_, at) in far {
        let weight = u64::from(cut.weights[at as usize]);
        if weight > room {
            break;
        }
        room -= weight;
        leaving.push(at);
    }
    leaving.sort_unstable();
    let usual = median.clamp(0, i64::from(TOGETHER));
    (leaving, usual as i32)
}

/// How alike the nearest others are on average, of a member of a theme of this size.
fn company(cut: &Cut<'_>, at: usize, size: u64) -> i64 {
    let k = cut.near.k;
    let all = &cut.near.similarities[at * k..(at + 1) * k];
    let asked = (AROUND as u64).min(size - 1).min((k as u64).max(1));
    // Copies of oneself are company, too.
    let copies = u64::from(cut.weights[at] - 1).min(asked);
    let others = all.iter().take((asked - copies) as usize);
    let sum = others.fold(copies as i64 * i64::from(TOGETHER), |sum, s| {
        sum + i64::from(*s)
    });
    sum / (asked.max(1) as i64)
}
