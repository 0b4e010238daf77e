//! Who holds about the same opinions? Voters are placed by their votes, and cut into cells of near ones.
//!
//! Places are the first [`AXES`] principal components of the votes, missing ones filled with the item's mean and voters with few votes stretched, as Polis does it (Small, Bjorkegren,
//! Erkkilä, Shaw and Megill 2021). Cells come from cutting the set in two again and again, each time where the squared distances along one axis fall most (2-means on a line, solved
//! exactly by sorting), as in a k-d tree (Bentley 1975). No cell has fewer than [`LEAST`] voters, so that a handful of accounts is never an opinion of its own.
//!
//! Guarantees: a function of the votes and of who is left out; sums in one order. Cost: O(votes · axes · rounds) for the places, O(n log n · depth) for a tree.

use super::ballots::Ballots;
use crate::random::Random;

/// Dimensions in which opinions are placed.
pub const AXES: usize = 3;
/// The fewest voters of a cell.
pub const LEAST: usize = 20;
/// The most cells.
pub const MOST: usize = 32;
/// Voters with fewer votes are not placed.
pub const PLACED: usize = 7;
const ROUNDS: usize = 30;

/// A place on all axes.
pub type Place = [f64; AXES];

/// Places of all voters; None for those with fewer than [`PLACED`] votes.
#[must_use]
pub fn places(ballots: &Ballots) -> Vec<Option<Place>> {
    let items = ballots.items();
    let mean: Vec<f64> = (0..items)
        .map(|item| {
            let votes = ballots.on(item);
            let sum: f64 = votes
                .iter()
                .map(|vote| score(ballots, *vote as usize))
                .sum();
            sum / (votes.len() as f64 + 2.0)
        })
        .collect();
    let centred = |vote: usize| score(ballots, vote) - mean[ballots.item(vote)];
    let mut random = Random::new(0x006b_6c65_726f);
    let mut axes: Vec<Vec<f64>> = (0..AXES)
        .map(|_| {
            let start = (0..items).map(|_| random.below(2001) as f64 - 1000.0);
            start.collect()
        })
        .collect();
    orthonormal(&mut axes);
    let projected = |axes: &[Vec<f64>]| -> Vec<Place> {
        let place = |voter: usize| {
            let mut place = [0.0; AXES];
            for vote in ballots.of(voter) {
                let (x, item) = (centred(vote), ballots.item(vote));
                for (sum, axis) in place.iter_mut().zip(axes) {
                    *sum += x * axis[item];
                }
            }
            place
        };
        (0..ballots.voters()).map(place).collect()
    };
    for _ in 0..ROUNDS {
        let at = projected(&axes);
        for (which, axis) in axes.iter_mut().enumerate() {
            axis.fill(0.0);
            for vote in 0..ballots.votes() {
                axis[ballots.item(vote)] += centred(vote) * at[ballots.voter(vote)][which];
            }
        }
        orthonormal(&mut axes);
    }
    let at = projected(&axes);
    let stretched = at.into_iter().enumerate().map(|(voter, place)| {
        let degree = ballots.degree(voter);
        let stretch = (items as f64 / degree.max(1) as f64).sqrt();
        (degree >= PLACED).then(|| place.map(|x| x * stretch))
    });
    stretched.collect()
}

fn score(ballots: &Ballots, vote: usize) -> f64 {
    ballots.choice(vote) as f64 - 1.0
}

/// Gram and Schmidt, one after the other; a vector of which nothing is left becomes zero.
fn orthonormal(vectors: &mut [Vec<f64>]) {
    for at in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(at);
        let Some(vector) = rest.first_mut() else {
            continue;
        };
        let was = length(vector);
        for other in before.iter() {
            let product: f64 = vector.iter().zip(other).map(|(x, y)| x * y).sum();
            vector
                .iter_mut()
                .zip(other)
                .for_each(|(x, y)| *x -= product * y);
        }
        let now = length(vector);
        let scale = if now > 1e-9 * was { 1.0 / now } else { 0.0 };
        vector.iter_mut().for_each(|x| *x *= scale);
    }
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// A set of voters of near opinions.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The cell that it is a part of; the first has none and is its own.
    pub parent: usize,
    /// Its two parts, if it was cut.
    pub parts: Option<(usize, usize)>,
    /// Its voters.
    pub voters: Vec<u32>,
}

struct Cut {
    gain: f64,
    left: Vec<u32>,
    right: Vec<u32>,
}

/// Cells, parents before parts; the first has all placed voters but those `left_out`.
#[must_use]
pub fn cells(places: &[Option<Place>], left_out: &[bool], most: usize) -> Vec<Cell> {
    let inside = |voter: &u32| places[*voter as usize].is_some() && !left_out[*voter as usize];
    let voters: Vec<u32> = (0..places.len() as u32).filter(inside).collect();
    let mut cuts = vec![best_cut(places, &voters)];
    let mut tree = vec![Cell {
        parent: 0,
        parts: None,
        voters,
    }];
    for _ in 1..most {
        let mut best: Option<(usize, f64)> = None;
        for (at, cut) in cuts.iter().enumerate() {
            let gain = cut.as_ref().map_or(0.0, |cut| cut.gain);
            if gain > best.map_or(0.0, |(_, gain)| gain) {
                best = Some((at, gain));
            }
        }
        let Some((at, _)) = best else { break };
        let Some(cut) = cuts[at].take() else { break };
        tree[at].parts = Some((tree.len(), tree.len() + 1));
        for voters in [cut.left, cut.right] {
            cuts.push(best_cut(places, &voters));
            tree.push(Cell {
                parent: at,
                parts: None,
                voters,
            });
        }
    }
    tree
}

/// A gain, a place, and what was split, in order.
type Split = (f64, usize, Vec<(f64, u32)>);

/// Where the squared distances within both sides are least. None if a side would have fewer than [`LEAST`].
fn best_cut(places: &[Option<Place>], voters: &[u32]) -> Option<Cut> {
    let n = voters.len();
    if n < 2 * LEAST {
        return None;
    }
    let along = |axis: usize| {
        let mut line: Vec<(f64, u32)> = voters
            .iter()
            .map(|voter| {
                (
                    places[*voter as usize].map_or(0.0, |place| place[axis]),
                    *voter,
                )
            })
            .collect();
        line.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        line
    };
    let mut best: Option<Split> = None;
    for axis in 0..AXES {
        let line = along(axis);
        let sum: f64 = line.iter().map(|(x, _)| x).sum();
        let (mut left, mut here) = (0.0, (0.0, 0));
        for (at, pair) in line.windows(2).enumerate() {
            left += pair[0].0;
            let (a, b) = ((at + 1) as f64, (n - at - 1) as f64);
            let apart = left / a - (sum - left) / b;
            let gain = a * b / n as f64 * apart * apart;
            let room = at + 1 >= LEAST && n - at > LEAST;
            if room && pair[0].0 < pair[1].0 && gain > here.0 {
                here = (gain, at + 1);
            }
        }
        if here.0 > best.as_ref().map_or(0.0, |(gain, _, _)| *gain) {
            best = Some((here.0, here.1, line));
        }
    }
    let (gain, at, line) = best?;
    let mut sides: Vec<Vec<u32>> = [&line[..at], &line[at..]]
        .iter()
        .map(|side| side.iter().map(|(_, voter)| *voter).collect())
        .collect();
    sides.iter_mut().for_each(|side| side.sort_unstable());
    let right = sides.pop()?;
    let left = sides.pop()?;
    Some(Cut { gain, left, right })
}

/// The number of the leaf of each voter, and how many there are; those who were not placed share one more.
#[must_use]
pub fn leaves(tree: &[Cell], voters: usize) -> (Vec<u32>, usize) {
    let parts = tree.iter().filter(|cell| cell.parts.is_none());
    let count = parts.clone().count() as u32;
    let mut leaf = vec![count; voters];
    for (number, cell) in (0..).zip(parts) {
        for voter in &cell.voters {
            leaf[*voter as usize] = number;
        }
    }
    (leaf, count as usize + 1)
}
