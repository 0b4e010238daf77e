//! Whole balls from weights.
//!
//! Each panel gets the whole part of its share of M balls. The balls that remain (fewer than panels) go one by one to the panel that lowers
//! the types' squared deficit most; the last of them to new panels made for what is still owed. The probabilities that are
//! published are those of the balls, exactly.

use super::search::{Depth, Search};
use super::store::Panels;

/// Balls that go to panels made for the remaining deficit, at least: each can serve as many types as it has seats.
const MADE_TO_MEASURE: u64 = 200;

/// Types tried as newcomers for each of those panels.
const BREADTH: usize = 100;

/// Balls for each panel of the store (which may grow), with sum `balls`; weights must be non-negative with a sum near 1.
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
    let mut urgency = vec![0.0; target.len()];
    let total = balls as f64;
    let mut counts: Vec<u64> = weights
        .iter()
        .map(|w| (w * total).floor().max(0.0) as u64)
        .collect();
    let mut given: u64 = counts.iter().sum();
    // Rounding of the weights' sum could give a ball too many: take it from the largest.
    while given > balls {
        if let Some(largest) = (0..counts.len()).max_by_key(|&i| counts[i]) {
            counts[largest] -= 1;
            given -= 1;
        }
    }
    let mut owed: Vec<f64> = target.iter().map(|x| x * total).collect();
    for (i, &c) in counts.iter().enumerate() {
        panels.accumulate(i, -(c as f64), &mut owed);
    }
    let squares: Vec<f64> = (0..panels.len())
        .map(|i| {
            panels
                .panel(i)
                .iter()
                .map(|&(_, s)| f64::from(s).powi(2))
                .sum()
        })
        .collect();
    let made_to_measure = MADE_TO_MEASURE.max(target.len() as u64 / 2);
    for left in (1..=balls - given).rev() {
        let mut best = (f64::NEG_INFINITY, 0);
        for (i, square) in squares.iter().enumerate() {
            // How much the squared deficit falls when panel i gets the ball.
            let fall = 2.0 * panels.score(i, &owed) - square;
            if fall > best.0 {
                best = (fall, i);
            }
        }
        let mut chosen = best.1;
        if left <= made_to_measure {
            // What counts is the largest deficit of one person, so large ones weigh more than in proportion.
            for ((u, o), n) in urgency.iter_mut().zip(&owed).zip(people) {
                let each = o / f64::from(*n);
                *u = each * each.abs().max(1.0);
            }
            search.follow(&panels.dense(chosen));
            search.improve(&urgency, BREADTH, depth, 1);
            let made = panels.add(search.panel());
            chosen = made.0;
            if made.1 {
                counts.push(0);
            }
        }
        counts[chosen] += 1;
        panels.accumulate(chosen, -1.0, &mut owed);
    }
    counts
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
