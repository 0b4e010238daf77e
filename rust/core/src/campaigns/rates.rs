//! How would this person vote on this item, if all that is known is how often the person says yes, and how the person's opinion group votes on it?
//!
//! The least presumptuous answer (maximum entropy) that keeps both margins: each voter's number of votes for, against and passed, and each item's in each opinion
//! group. This is the configuration model of Saracco, Straka, Di Clemente, Gabrielli, Caldarelli and Squartini (New J. Phys. 2017) for a table with three kinds of edges and holes:
//! P(u votes x on i) = a_u(x) b_gi(x) / Σ_y a_u(y) b_gi(y), given *that* u voted on i. Who says yes to everything has a(yes) → ∞, and then agrees with others without surprise.
//!
//! The margins are met in turn (iterative proportional fitting, Deming and Stephan 1940), [`ROUNDS`] times; each voter gets [`VOTER_PRIOR`] votes and each item of a group [`ITEM_PRIOR`]
//! votes as others have them, so that one vote proves nothing. Sums have one order: the same bits everywhere. Cost: O(votes · rounds).

use super::ballots::{Ballots, CHOICES};

/// How often both margins are met.
pub const ROUNDS: usize = 20;
/// Votes as all others cast them, added to an item's in an opinion group.
pub const ITEM_PRIOR: f64 = 4.0;
/// The same, to a voter's.
pub const VOTER_PRIOR: f64 = 1.0;
/// And to an item's in all.
const BASE_PRIOR: f64 = 3.0;
/// No leaning of a voter is stronger.
const MOST: f64 = 1e4;

/// One number for each choice.
pub type Three = [f64; CHOICES];

/// The sum of three numbers.
#[must_use]
pub fn total(three: &Three) -> f64 {
    three[0] + three[1] + three[2]
}

/// Divided by their sum.
#[must_use]
pub fn shares(three: Three) -> Three {
    let all = total(&three);
    three.map(|x| x / all)
}

/// What a leaning makes of the rates of an item.
#[must_use]
pub fn tilted(leaning: &Three, rates: &Three) -> Three {
    shares([
        leaning[0] * rates[0],
        leaning[1] * rates[1],
        leaning[2] * rates[2],
    ])
}

/// The rates of all items from counts: shares of all votes first, then the item's own.
#[must_use]
pub fn smoothed(counts: &[Three]) -> Vec<Three> {
    let mut all = [1.0; CHOICES];
    for count in counts {
        for (sum, x) in all.iter_mut().zip(count) {
            *sum += x;
        }
    }
    let base = shares(all);
    counts
        .iter()
        .map(|count| mixed(count, &base, BASE_PRIOR))
        .collect()
}

/// Counts and so many votes as `prior` has them, as shares.
#[must_use]
pub fn mixed(counts: &Three, prior: &Three, weight: f64) -> Three {
    let mut sum = *counts;
    for (sum, x) in sum.iter_mut().zip(prior) {
        *sum += weight * x;
    }
    shares(sum)
}

/// A voter's leaning, moved once towards the voter's own counts: `expected` is what it gives now, `usual` what it would be without any.
pub fn lean(leaning: &mut Three, counts: &Three, expected: &Three, usual: &Three) {
    let prior = tilted(leaning, usual);
    for choice in 0..CHOICES {
        let wanted = counts[choice] + VOTER_PRIOR * usual[choice];
        let given = expected[choice] + VOTER_PRIOR * prior[choice];
        leaning[choice] *= wanted / given.max(1e-300);
    }
    let largest = leaning[0].max(leaning[1]).max(leaning[2]);
    for x in leaning.iter_mut() {
        *x = (*x / largest).max(1.0 / MOST);
    }
}

/// The probabilities of all three choices for each vote, in the order of [`Ballots::of`].
///
/// `cell` is the opinion group of each voter, below `cells`.
#[must_use]
pub fn fitted(ballots: &Ballots, cell: &[u32], cells: usize) -> Vec<Three> {
    let items = ballots.items();
    let place = |vote: usize| cell[ballots.voter(vote)] as usize * items + ballots.item(vote);
    let mut counts = vec![[0.0; CHOICES]; cells * items];
    let mut whole = vec![[0.0; CHOICES]; items];
    let mut own = vec![[0.0; CHOICES]; ballots.voters()];
    for vote in 0..ballots.votes() {
        let choice = ballots.choice(vote);
        counts[place(vote)][choice] += 1.0;
        whole[ballots.item(vote)][choice] += 1.0;
        own[ballots.voter(vote)][choice] += 1.0;
    }
    let usual = smoothed(&whole);
    let mut rates: Vec<Three> = (0..cells * items)
        .map(|at| mixed(&counts[at], &usual[at % items], ITEM_PRIOR))
        .collect();
    let targets: Vec<Three> = (0..cells * items)
        .map(|at| {
            let prior = usual[at % items].map(|x| x * ITEM_PRIOR);
            [0, 1, 2].map(|choice| counts[at][choice] + prior[choice])
        })
        .collect();
    let mut leanings = vec![[1.0; CHOICES]; ballots.voters()];
    for _ in 0..ROUNDS {
        let mut expected: Vec<Three> = rates
            .iter()
            .map(|rate| rate.map(|x| x * ITEM_PRIOR))
            .collect();
        for (voter, leaning) in leanings.iter_mut().enumerate() {
            let (mut given, mut plain) = ([0.0; CHOICES], [0.0; CHOICES]);
            for vote in ballots.of(voter) {
                let rate = &rates[place(vote)];
                add(&mut given, &tilted(leaning, rate));
                add(&mut plain, rate);
            }
            if ballots.degree(voter) > 0 {
                lean(leaning, &own[voter], &given, &shares(plain));
            }
            for vote in ballots.of(voter) {
                let at = place(vote);
                add(&mut expected[at], &tilted(leaning, &rates[at]));
            }
        }
        for (rate, (target, given)) in rates.iter_mut().zip(targets.iter().zip(&expected)) {
            let moved = [0, 1, 2].map(|at: usize| rate[at] * target[at] / given[at].max(1e-300));
            *rate = shares(moved);
        }
    }
    (0..ballots.votes())
        .map(|vote| tilted(&leanings[ballots.voter(vote)], &rates[place(vote)]))
        .collect()
}

/// Adds three numbers to three.
pub fn add(sum: &mut Three, more: &Three) {
    for (sum, x) in sum.iter_mut().zip(more) {
        *sum += x;
    }
}
