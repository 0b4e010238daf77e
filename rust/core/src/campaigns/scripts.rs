//! Is there a script that a group of accounts follows? Groups are grown from each voter and the nearest others.
//!
//! A *script* says a vote for some items. An account follows it if its votes have a higher likelihood under «as the script says, but for a share δ of votes, which are as the
//! account would vote anyway» than without script: each vote that is as the script says adds ln((1 − δ) / p + δ), each other one adds ln δ. What everybody votes anyway
//! (p near 1), or a person who says yes to everything, adds nothing. The script is what most members vote, where it leads by two votes at least, so that no member's own vote decides it;
//! members are those for whom the evidence exceeds the price of being picked out of all; both are found in turn until they stay (k-modes for one group;
//! Huang 1998). Much that is found is opinion: [`super::surprise`] judges it.
//!
//! Cost: O(votes on the script's items) a round. Memory: one number a voter and a thread.

use super::ballots::{Ballots, CHOICES};
use super::covotes::Neighbours;
use super::rates::Three;
use crate::embed::log::ln;
use crate::neardup::crew::Crew;

/// Share of votes that follow no script, while groups are sought.
pub const DEVIATING: f64 = 0.2;
/// How many of the nearest begin a group.
pub const SCALES: [usize; 3] = [4, 9, 19];
/// The fewest accounts that are kept on the way.
const LEAST: usize = 4;
const ROUNDS: usize = 8;

/// A smaller group pays as if it had so many members.
const FEW: usize = 10;

/// Groups of voters, ascending within each, all different.
pub type Groups = Vec<Vec<u32>>;

/// Room for one group's search.
struct Work {
    counts: Vec<[u32; CHOICES]>,
    touched: Vec<u32>,
    evidence: Vec<f64>,
}

/// All groups that grow from these voters (seeds), each with its nearest at several scales. None if the crew was stopped.
pub fn grown(
    crew: &Crew<'_>,
    ballots: &Ballots,
    rates: &[Three],
    near: &Neighbours,
    seeds: &[u32],
) -> Option<Groups> {
    let gain: Vec<f64> = (0..ballots.votes())
        .map(|vote| ln((1.0 - DEVIATING) / rates[vote][ballots.choice(vote)].max(1e-9) + DEVIATING))
        .collect();
    let stop = crew.stop;
    let states = crew.share(
        "looking for scripts",
        seeds.len(),
        || {
            let work = Work {
                counts: vec![[0; CHOICES]; ballots.items()],
                touched: Vec::new(),
                evidence: vec![0.0; ballots.voters()],
            };
            (work, Groups::new())
        },
        |(work, found), at| {
            let seed = seeds[at];
            for scale in SCALES {
                if stop.is_set() || near.of[seed as usize].len() < scale {
                    break;
                }
                let begin = near.of[seed as usize][..scale]
                    .iter()
                    .map(|(_, voter)| *voter);
                let mut group: Vec<u32> = begin.chain([seed]).collect();
                group.sort_unstable();
                found.extend(settled(work, ballots, &gain, group));
            }
        },
    )?;
    let mut groups: Groups = states.into_iter().flat_map(|(_, found)| found).collect();
    groups.sort_unstable();
    groups.dedup();
    Some(groups)
}

/// Members and script in turn, until the members stay or the rounds are over; None if fewer than [`LEAST`] are left, or more than half of all.
fn settled(work: &mut Work, ballots: &Ballots, gain: &[f64], group: Vec<u32>) -> Option<Vec<u32>> {
    let voters = ballots.voters();
    let mut group = group;
    for _ in 0..ROUNDS {
        let price = ln((voters as f64 / group.len().max(FEW) as f64).max(std::f64::consts::E));
        work.script(ballots, &group);
        work.weigh(ballots, gain);
        let next: Vec<u32> = (0..voters as u32)
            .filter(|voter| work.evidence[*voter as usize] >= price)
            .collect();
        if next.len() < LEAST || 2 * next.len() > voters {
            return None;
        }
        if next == group {
            break;
        }
        group = next;
    }
    Some(group)
}

impl Work {
    fn script(&mut self, ballots: &Ballots, group: &[u32]) {
        for item in self.touched.drain(..) {
            self.counts[item as usize] = [0; CHOICES];
        }
        for voter in group {
            for vote in ballots.of(*voter as usize) {
                let item = ballots.item(vote);
                let counts = &mut self.counts[item];
                if counts.iter().all(|count| *count == 0) {
                    self.touched.push(item as u32);
                }
                counts[ballots.choice(vote)] += 1;
            }
        }
        // Sums over items have one order.
        self.touched.sort_unstable();
    }

    fn weigh(&mut self, ballots: &Ballots, gain: &[f64]) {
        let loss = ln(DEVIATING);
        self.evidence.fill(0.0);
        for item in &self.touched {
            let Some(told) = told(&self.counts[*item as usize]) else {
                continue;
            };
            for vote in ballots.on(*item as usize) {
                let vote = *vote as usize;
                let follows = ballots.choice(vote) == told;
                self.evidence[ballots.voter(vote)] += if follows { gain[vote] } else { loss };
            }
        }
    }
}

/// What a script says: the choice that leads by two votes at least.
fn told(counts: &[u32; CHOICES]) -> Option<usize> {
    let best = (0..CHOICES).max_by_key(|choice| (counts[*choice], CHOICES - choice))?;
    let second = (0..CHOICES)
        .filter(|choice| *choice != best)
        .map(|choice| counts[choice])
        .max()?;
    (counts[best] >= second + 2).then_some(best)
}
