//! Whole balls from weights.
//!
//! Each panel gets the whole part of its share of M balls. The balls that remain (fewer than panels) go one by one to the panel that lowers
//! the types' squared deficit most; the last of them to new panels made for what is still owed. The probabilities that are
//! published are those of the balls, exactly.

use super::search::Search;
use super::store::Panels;

/// Balls that go to panels made for the remaining deficit: each can serve as many types as it has seats.
const MADE_TO_MEASURE: u64 = 200;

/// Types tried as newcomers for each of those panels.
const BREADTH: usize = 100;

/// Balls for each panel of the store (which may grow), with sum `balls`; weights must be non-negative with a sum near 1.
#[must_use]
pub fn round_to_balls(search: &mut Search, panels: &mut Panels, weights: &[f64], target: &[f64], people: &[u32], balls: u64) -> Vec<u64> {
    let mut urgency = vec![0.0; target.len()];
    let total = balls as f64;
    let mut counts: Vec<u64> = weights.iter().map(|w| (w * total).floor().max(0.0) as u64).collect();
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
    let squares: Vec<f64> =
        (0..panels.len()).map(|i| panels.panel(i).iter().map(|&(_, s)| f64::from(s).powi(2)).sum()).collect();
    for _ in given..balls {
        let left = balls - given;
        given += 1;
        let mut best = (f64::NEG_INFINITY, 0);
        for (i, square) in squares.iter().enumerate() {
            // How much the squared deficit falls when panel i gets the ball.
            let fall = 2.0 * panels.score(i, &owed) - square;
            if fall > best.0 {
                best = (fall, i);
            }
        }
        let mut chosen = best.1;
        if left <= MADE_TO_MEASURE {
            // What counts is the largest deficit of one person, so large ones weigh more than in proportion.
            for ((u, o), n) in urgency.iter_mut().zip(&owed).zip(people) {
                let each = o / f64::from(*n);
                *u = each * each.abs().max(1.0);
            }
            search.follow(&panels.dense(chosen));
            search.improve(&urgency, BREADTH, 1);
            let made = panels.add(search.panel());
            chosen = made.0;
            if made.1 { counts.push(0); }
        }
        counts[chosen] += 1;
        panels.accumulate(chosen, -1.0, &mut owed);
    }
    counts
}
