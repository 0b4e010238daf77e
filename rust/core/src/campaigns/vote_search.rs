//! Which groups of accounts vote as if by one script? The whole search, from votes to judged groups.
//!
//! Rates are fitted with no, two and four opinion groups ([`super::rates`], [`super::opinions`]): a campaign hides in the opinion group that it makes, and an opinion looks like a script where there are none.
//! Under each, every voter's nearest are found ([`super::covotes`]) and scripts grown from them ([`super::scripts`]); the most promising, each different from better ones by half of its members,
//! are judged with the group left out ([`super::surprise`]).
//!
//! Guarantees: a function of the votes and of the order of accounts and items; nothing is drawn; the same for any number of threads. Memory: 150 bytes a vote, 0.5 kB a voter, and for each thread
//! a few numbers for each voter and 24 bytes for each item of each cell (at most 63). Cost: see the parts.

use super::ballots::Ballots;
use super::covotes::{nearest, Neighbours};
use super::opinions::{cells, leaves, places, Place, PLACED};
use super::rates::{fitted, smoothed, Three};
use super::scripts::{grown, Groups, SCALES};
use super::surprise::{all, as_it_is, factorials, promise, Judged, Setting};
use crate::neardup::crew::Crew;

/// Numbers of opinion groups under which scripts are sought.
const LEVELS: [usize; 3] = [1, 2, 4];
/// From at most so many voters scripts are grown, under each.
const SEEDS: usize = 1024;
/// At most so many groups are judged, of each.
const JUDGED: usize = 96;

/// At most so many pairs, of each.
const PAIRS: usize = 256;

/// How a search went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Groups, by their members.
    pub groups: Vec<Judged>,
    /// How many were grown, and how many were judged.
    pub work: (usize, usize),
}

/// What a search knows before it begins.
struct Known {
    placed: Vec<Option<Place>>,
    levels: Vec<Vec<Three>>,
    base: Vec<Three>,
}

impl Known {
    fn of(ballots: &Ballots) -> Self {
        let voters = ballots.voters();
        let placed = places(ballots);
        let nobody = vec![false; voters];
        let level = |most: usize| {
            let (leaf, count) = leaves(&cells(&placed, &nobody, most), voters);
            fitted(ballots, &leaf, count)
        };
        let levels = LEVELS.map(level).into();
        Self {
            placed,
            levels,
            base: base(ballots),
        }
    }

    fn setting<'a>(&'a self, ballots: &'a Ballots, most_cells: usize) -> Setting<'a> {
        Setting {
            ballots,
            places: &self.placed,
            plain: &self.levels[0],
            base: &self.base,
            factorials: factorials(ballots.voters()),
            cells: most_cells,
        }
    }
}

/// Searches. `most_cells`: opinion groups of the judgement, at most. None if the crew was stopped.
pub fn search(crew: &Crew<'_>, ballots: &Ballots, most_cells: usize) -> Option<Found> {
    let known = Known::of(ballots);
    let setting = known.setting(ballots, most_cells);
    let count = SCALES.into_iter().max().unwrap_or(0);
    let (mut chosen, mut work) = (Groups::new(), (0, 0));
    for rates in &known.levels {
        let near = nearest(crew, ballots, rates, count)?;
        let groups = grown(crew, ballots, rates, &near, &seeds(ballots, &near))?;
        work.0 += groups.len();
        let promises = promises(crew, &setting, rates, &groups)?;
        chosen.extend(different(groups, &promises));
        chosen.extend(pairs(&near));
    }
    chosen.sort_unstable();
    chosen.dedup();
    work.1 = chosen.len();
    Some(Found {
        groups: all(crew, &setting, &chosen)?,
        work,
    })
}

/// The evidence of groups that are given, each with its members as they are. None if the crew was stopped.
pub fn weigh(
    crew: &Crew<'_>,
    ballots: &Ballots,
    most_cells: usize,
    groups: &[Vec<u32>],
) -> Option<Vec<Judged>> {
    let known = Known::of(ballots);
    let setting = known.setting(ballots, most_cells);
    let states = crew.share("weighing scripts", groups.len(), Vec::new, |found, at| {
        found.push((at, as_it_is(&setting, &groups[at])));
    })?;
    let mut found: Vec<(usize, Judged)> = states.into_iter().flatten().collect();
    found.sort_by_key(|(at, _)| *at);
    Some(found.into_iter().map(|(_, judged)| judged).collect())
}

fn base(ballots: &Ballots) -> Vec<Three> {
    let mut counts = vec![[0.0; 3]; ballots.items()];
    for vote in 0..ballots.votes() {
        counts[ballots.item(vote)][ballots.choice(vote)] += 1.0;
    }
    smoothed(&counts)
}

/// Pairs who are each other's nearest: the best.
fn pairs(near: &Neighbours) -> Groups {
    let first = |voter: u32| near.of[voter as usize].first().copied();
    let mut all: Vec<(f64, u32, u32)> = (0..near.of.len() as u32)
        .filter_map(|voter| {
            let (score, other) = first(voter)?;
            let mutual = first(other).is_some_and(|(_, back)| back == voter);
            (mutual && voter < other).then_some((score, voter, other))
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.truncate(PAIRS);
    all.into_iter()
        .map(|(_, one, other)| vec![one, other])
        .collect()
}

/// Voters with enough votes; if there are too many, those with the nearest neighbours.
fn seeds(ballots: &Ballots, near: &Neighbours) -> Vec<u32> {
    let mut all: Vec<(f64, u32)> = (0..ballots.voters())
        .filter(|voter| ballots.degree(*voter) >= PLACED.min(ballots.items()))
        .map(|voter| {
            let scores = near.of[voter]
                .iter()
                .take(SCALES[1])
                .map(|(score, _)| score);
            (scores.sum::<f64>(), voter as u32)
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.truncate(SEEDS);
    let mut seeds: Vec<u32> = all.into_iter().map(|(_, voter)| voter).collect();
    seeds.sort_unstable();
    seeds
}

fn promises(
    crew: &Crew<'_>,
    setting: &Setting<'_>,
    rates: &[Three],
    groups: &[Vec<u32>],
) -> Option<Vec<f64>> {
    let states = crew.share(
        "looking for scripts",
        groups.len(),
        Vec::new,
        |found, at| {
            found.push((at, promise(setting, rates, &groups[at])));
        },
    )?;
    let mut found: Vec<(usize, f64)> = states.concat();
    found.sort_by_key(|(at, _)| *at);
    Some(found.into_iter().map(|(_, promise)| promise).collect())
}

/// The best groups, without those that share half of both with a better one.
fn different(groups: Groups, promises: &[f64]) -> Groups {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by(|a, b| promises[*b].total_cmp(&promises[*a]).then(a.cmp(b)));
    let mut kept: Groups = Vec::new();
    for at in order {
        if kept.len() == JUDGED {
            break;
        }
        let alike = |other: &Vec<u32>| {
            let both = groups[at]
                .iter()
                .filter(|voter| other.binary_search(voter).is_ok());
            3 * both.count() > groups[at].len() + other.len()
        };
        if !kept.iter().any(alike) {
            kept.push(groups[at].clone());
        }
    }
    kept
}
