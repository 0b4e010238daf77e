//! Whole balls from weights.
//!
//! Each panel gets the whole part of its share of M balls. The balls that remain (fewer than panels) go one by one to the panel that lowers
//! the types' squared deficit most; the last of them to new panels made for what is still owed. While somebody is owed more than a few balls, a
//! ball goes from the panel that serves those who have too much to one made for those who have too little. The probabilities that are published
//! are those of the balls, exactly.

use super::search::{Depth, Search};
use super::store::Panels;

/// Balls that go to panels made for the remaining deficit, at least: each can serve as many types as it has seats.
const MADE_TO_MEASURE: u64 = 200;

/// Types tried as newcomers for each of those panels.
const BREADTH: usize = 100;

/// Balls that one person may still be owed in the end …
const CONTENT: f64 = 4.0;

/// … if so many exchanges of a ball reach it.
const MOST_EXCHANGES: usize = 400;

/// Balls for each panel of the store (which may grow), with sum `balls`; weights must be non-negative with a sum near 1. `target` is the expected seats by
/// type, `people` the number of people of each type.
#[must_use]
pub fn round_to_balls(
    search: &mut Search,
    panels: &mut Panels,
    weights: &[f64],
    target: &[f64],
    people: &[u32],
    balls: u64,
    depth: Depth,
) -> Vec<u64> {
    let (counts, given) = whole_parts(weights, balls);
    let mut rounding = Rounding {
        owed: target.iter().map(|x| x * balls as f64).collect(),
        urgency: vec![0.0; target.len()],
        counts: Vec::new(),
        search,
        panels,
        people,
        depth,
    };
    for (i, &c) in counts.iter().enumerate() {
        rounding
            .panels
            .accumulate(i, -(c as f64), &mut rounding.owed);
    }
    rounding.counts = counts;
    rounding.share_out(balls - given);
    rounding.exchange();
    rounding.counts
}

fn whole_parts(weights: &[f64], balls: u64) -> (Vec<u64>, u64) {
    let mut counts: Vec<u64> = weights
        .iter()
        .map(|w| (w * balls as f64).floor().max(0.0) as u64)
        .collect();
    let mut given: u64 = counts.iter().sum();
    // Rounding of the weights' sum could give a ball too many: take it from the largest.
    while given > balls {
        if let Some(largest) = (0..counts.len()).max_by_key(|&i| counts[i]) {
            counts[largest] -= 1;
            given -= 1;
        }
    }
    (counts, given)
}

struct Rounding<'a> {
    search: &'a mut Search,
    panels: &'a mut Panels,
    people: &'a [u32],
    depth: Depth,
    counts: Vec<u64>,
    /// Balls that each type is still owed, over all its people.
    owed: Vec<f64>,
    urgency: Vec<f64>,
}

impl Rounding<'_> {
    fn share_out(&mut self, balls: u64) {
        let squares: Vec<f64> = (0..self.panels.len())
            .map(|i| {
                self.panels
                    .panel(i)
                    .iter()
                    .map(|&(_, s)| f64::from(s).powi(2))
                    .sum()
            })
            .collect();
        let made_to_measure = MADE_TO_MEASURE.max(self.owed.len() as u64 / 2);
        for left in (1..=balls).rev() {
            let mut best = (f64::NEG_INFINITY, 0);
            for (i, square) in squares.iter().enumerate() {
                // How much the squared deficit falls when panel i gets the ball.
                let fall = 2.0 * self.panels.score(i, &self.owed) - square;
                if fall > best.0 {
                    best = (fall, i);
                }
            }
            if left <= made_to_measure {
                self.give_like(best.1);
            } else {
                self.give(best.1);
            }
        }
    }

    fn exchange(&mut self) {
        for _ in 0..MOST_EXCHANGES {
            let most = self
                .owed
                .iter()
                .zip(self.people)
                .map(|(o, &n)| o / f64::from(n));
            if most.fold(0.0, f64::max) <= CONTENT {
                break;
            }
            let mut least = (f64::INFINITY, 0);
            for (i, &count) in self.counts.iter().enumerate() {
                let score = self.panels.score(i, &self.owed);
                if count > 0 && score < least.0 {
                    least = (score, i);
                }
            }
            self.counts[least.1] -= 1;
            self.panels.accumulate(least.1, 1.0, &mut self.owed);
            self.give_like(least.1);
        }
    }

    /// Gives a ball to the panel that moves from `start` make of it, for those who are owed most.
    fn give_like(&mut self, start: usize) {
        // What counts is the largest deficit of one person, so large ones weigh more than in proportion.
        for ((u, o), &n) in self.urgency.iter_mut().zip(&self.owed).zip(self.people) {
            let each = o / f64::from(n);
            *u = each * each.abs().max(1.0);
        }
        self.search.follow(&self.panels.dense(start));
        self.search.improve(&self.urgency, BREADTH, self.depth, 1);
        let (place, is_new) = self.panels.add(self.search.panel());
        if is_new {
            self.counts.push(0);
        }
        self.give(place);
    }

    fn give(&mut self, panel: usize) {
        self.counts[panel] += 1;
        self.panels.accumulate(panel, -1.0, &mut self.owed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sortition::Rules;

    #[test]
    fn balls_sum_to_the_denominator_and_follow_the_weights() -> Result<(), super::super::RulesError>
    {
        let types = [vec![0], vec![1], vec![2]];
        let rules = Rules::new(
            2,
            &types,
            (vec![0; 3], vec![2; 3]),
            (vec![0; 3], vec![2; 3]),
        )?;
        let mut search = Search::new(rules, &[2, 0, 0])?;
        let mut panels = Panels::new(3);
        for seats in [[2, 0, 0], [0, 2, 0], [0, 0, 2]] {
            panels.add(&seats);
        }
        let third = 1.0 / 3.0;
        let counts = round_to_balls(
            &mut search,
            &mut panels,
            &[third; 3],
            &[2.0 * third; 3],
            &[2; 3],
            1000,
            Depth::Pair,
        );
        assert_eq!(counts.iter().sum::<u64>(), 1000);
        let mut seats = [0.0; 3];
        for (i, &c) in counts.iter().enumerate() {
            panels.accumulate(i, c as f64, &mut seats);
        }
        assert!(
            seats.iter().all(|s| (s - 2000.0 * third).abs() <= 2.0),
            "{seats:?}"
        );
        Ok(())
    }
}
