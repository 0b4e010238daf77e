//! Panels with falling numbers of balls, for pools with thousands of types.
//!
//! The question: how can a few thousand panels give each of many thousand types its number of balls? To match N types exactly takes some N
//! panels. To come within a few balls takes far fewer, if each panel gets a share of the balls that are left: the first thousand settle
//! most of what everybody is owed, and the later and lighter ones put right what the earlier and heavier ones left over. Each panel is
//! made for the running deficit (Welling's herding, ICML 2009, with weights that fall geometrically).
//!
//! A type that is seated too early by w balls catches up while the rest is dealt, if it is owed that much in all: so the share that a panel
//! takes should stay below the expected seats of the rarest type. Whole numbers throughout but for the deficit; one thread, no randomness;
//! ln(M·share)/share panels and 1/share more.

use super::compose::Composer;
use super::rules::Rules;
use super::search::{Depth, Search};
use super::store::Panels;

const TRIES: usize = 8;

/// Balls dealt so far, and what each type is still owed.
#[derive(Debug, Clone)]
pub struct Falling {
    left: u64,
    owed: Vec<f64>,
    urgency: Vec<f64>,
    balls: Vec<u64>,
    composer: Composer,
    /// DEBUG
    pub failed: u64,
}

impl Falling {
    /// Nothing dealt yet of so many balls, to so many types.
    #[must_use]
    pub fn new(balls: u64, rules: &Rules) -> Self {
        Self {
            left: balls,
            owed: vec![0.0; rules.types()],
            urgency: vec![0.0; rules.types()],
            balls: Vec::new(),
            composer: Composer::new(rules),
            failed: 0,
        }
    }

    /// Deals balls to so many more panels (or as many as it takes): each takes one in `divisor` of those left, at least one.
    pub fn deal(
        &mut self,
        search: &mut Search,
        panels: &mut Panels,
        target: &[f64],
        (divisor, breadth, count): (u64, usize, usize),
    ) {
        for _ in 0..count {
            if self.left == 0 {
                break;
            }
            let mut balls = (self.left / divisor.max(1)).max(1);
            // What types will be owed, in seats of this weight; large deficits count for more than in proportion.
            for ((u, o), x) in self.urgency.iter_mut().zip(&self.owed).zip(target) {
                let seats = o / balls as f64 + x;
                *u = seats * seats.abs().max(1.0);
            }
            let made =
                (0..TRIES).find_map(|_| self.composer.compose(search.rules(), &self.urgency, 1.0));
            if let Some(seats) = made {
                search.follow(&seats);
                search.improve(&self.urgency, breadth, Depth::Pair, 1);
            } else {
                self.failed += 1;
                // Moves from the last panel keep most of it: fewer balls, since its people have just been served.
                search.improve(&self.urgency, 200, Depth::Pair, 1);
                balls = (balls / 16).max(1);
            }
            let weight = balls as f64;
            for (o, x) in self.owed.iter_mut().zip(target) {
                *o += weight * x;
            }
            let (panel, _) = panels.add(search.panel());
            self.balls.resize(panels.len(), 0);
            self.balls[panel] += balls;
            for &(t, s) in panels.panel(panel) {
                self.owed[t as usize] -= weight * f64::from(s);
            }
            self.left -= balls;
        }
    }

    /// Balls that are still to be dealt.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Balls of each panel of the store.
    #[must_use]
    pub fn balls(&self) -> &[u64] {
        &self.balls
    }

    /// What each type is owed, in balls.
    #[must_use]
    pub fn owed(&self) -> &[f64] {
        &self.owed
    }
}
