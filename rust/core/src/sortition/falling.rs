//! Panels with falling numbers of balls, for pools with thousands of types.
//!
//! The question: how can a few thousand panels give each of many thousand types its number of balls? To match N types exactly takes some N
//! panels. To come within a few balls takes far fewer, if each panel gets a share of the balls that are left: the first thousand settle
//! most of what everybody is owed, and the later and lighter ones put right what the earlier and heavier ones left over. Each panel is
//! made for the running deficit (Welling's herding, ICML 2009, with weights that fall geometrically).
//!
//! A type that is seated too early by w balls catches up while the rest is dealt, if it is owed that much in all: so the share that a panel
//! takes should stay below the expected seats of the rarest type. Cells are dealt with the same way: which of them has the odd seat of its
//! feature follows from their own deficits. Floats only in deficits; one thread, no randomness; ln(M·share)/share panels and
//! 1/share more.

use super::compose::Composer;
use super::rules::Rules;
use super::search::{Depth, Search};
use super::store::Panels;

/// How far off, in seats, the turn may be of somebody who fills in for others, and whether cells have the seats that are due: who is
/// served too early too often can't be made up for, so the first tries are strict.
const PATIENCE: [(f64, bool); 6] = [
    (0.4, true),
    (0.6, true),
    (0.8, true),
    (0.8, false),
    (1.2, false),
    (2.0, false),
];
/// A target this near to a whole number is one.
const NEAR: f64 = 1e-9;
/// The urgency of those who must wait.
const WAIT: f64 = -9.0;
/// Steps by the golden ratio's fraction are spread evenly, however many there are.
const GOLDEN: f64 = 0.618_033_988_749_894_9;
/// Types tried as newcomers where no panel could be made from nothing.
const BREADTH: usize = 200;

/// Balls dealt so far, and what each type is still owed.
#[derive(Debug, Clone)]
pub struct Falling {
    left: u64,
    owed: Vec<f64>,
    /// Where each type stands in its turn when dealing begins, in seats.
    phase: Vec<f64>,
    urgency: Vec<f64>,
    balls: Vec<u64>,
    cells: Cells,
    composer: Composer,
    divisor: u64,
    rehearsals: u64,
    stuck: u64,
}

impl Falling {
    /// Nothing dealt yet of so many balls; `target` is the expected seats by type, and each panel will take one in `divisor` of the balls
    /// that are left.
    #[must_use]
    pub fn new(balls: u64, divisor: u64, rules: &Rules, target: &[f64]) -> Self {
        let types = rules.types();
        Self {
            left: balls,
            owed: vec![0.0; types],
            phase: (0..types)
                .map(|t| (t as f64 * GOLDEN).fract() - 0.5)
                .collect(),
            urgency: vec![0.0; types],
            balls: Vec::new(),
            cells: Cells::new(rules, target),
            composer: Composer::new(rules),
            divisor: divisor.max(1),
            rehearsals: divisor.max(1),
            stuck: 0,
        }
    }

    /// A panel that is not kept, before the first that is: by and by prices fit the pool, and people stand spread over their turns.
    fn rehearse(&mut self, rules: &Rules, target: &[f64]) {
        self.urge(1.0, target);
        self.cells.share_out(1.0);
        if let Some(seats) = self.compose(rules) {
            self.cells.take(rules, &seats, 1.0);
            let turns = self.phase.iter_mut().zip(target).zip(&seats);
            for ((p, x), &s) in turns {
                *p += x - f64::from(s);
            }
        }
        self.rehearsals -= 1;
        if self.rehearsals == 0 {
            for p in &mut self.phase {
                *p = p.clamp(-1.0, 1.0);
            }
            self.cells.owed.fill(0.0);
        }
    }

    /// What types will be owed with the next panel's share, in seats of this weight; large deficits count for more than in proportion.
    /// Whoever is owed less than half a seat until the end should wait for lighter panels.
    fn urge(&mut self, weight: f64, target: &[f64]) {
        let left = self.left as f64;
        let types = self.owed.iter().zip(target).zip(&self.phase);
        for (u, ((o, x), p)) in self.urgency.iter_mut().zip(types) {
            let seats = o / weight + x + p;
            *u = seats * seats.abs().max(1.0);
            if o + left * x < 0.5 * weight {
                *u = u.min(WAIT);
            }
        }
    }

    /// A panel for those whose turn it is: with the seats that are due in each cell, else anywhere within a seat of them.
    fn compose(&mut self, rules: &Rules) -> Option<Vec<u32>> {
        let Self {
            composer,
            cells,
            urgency,
            ..
        } = self;
        let exact = (cells.least.as_slice(), cells.most.as_slice());
        let near = (cells.floor.as_slice(), cells.ceiling.as_slice());
        PATIENCE.iter().find_map(|&(patience, is_exact)| {
            let bounds = if is_exact { exact } else { near };
            composer.compose(rules, urgency, bounds, patience)
        })
    }

    /// Makes so many more panels (or as many as it takes, or until `alive` says no) and deals balls to them, at least one each. The first
    /// are a rehearsal.
    pub fn deal(
        &mut self,
        search: &mut Search,
        panels: &mut Panels,
        target: &[f64],
        count: usize,
        alive: &dyn Fn() -> bool,
    ) {
        for _ in 0..count {
            if !alive() {
                break;
            }
            if self.rehearsals > 0 {
                self.rehearse(search.rules(), target);
                continue;
            }
            if self.left == 0 {
                break;
            }
            let mut balls = (self.left / self.divisor).max(1);
            self.urge(balls as f64, target);
            self.cells.share_out(balls as f64);
            if let Some(seats) = self.compose(search.rules()) {
                search.follow(&seats);
            } else {
                // Moves from the last panel keep most of it: fewer balls, since its people have just been served.
                self.stuck += 1;
                search.improve(&self.urgency, BREADTH, Depth::Pair, 1);
                balls = (balls / 16).max(1);
            }
            let weight = balls as f64;
            self.cells.take(search.rules(), search.panel(), weight);
            let (panel, _) = panels.add(search.panel());
            self.balls.resize(panels.len(), 0);
            self.balls[panel] += balls;
            for (o, x) in self.owed.iter_mut().zip(target) {
                *o += weight * x;
            }
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

    /// How often no panel could be made from nothing.
    #[must_use]
    pub fn stuck(&self) -> u64 {
        self.stuck
    }

    /// What each type is owed, in balls.
    #[must_use]
    pub fn owed(&self) -> &[f64] {
        &self.owed
    }
}

/// How many seats of each cell are due: those of the target, as whole numbers that sum to the panel's size in each feature and stay within
/// a seat of the target over any number of panels.
#[derive(Debug, Clone)]
struct Cells {
    target: Vec<f64>,
    owed: Vec<f64>,
    floor: Vec<u32>,
    ceiling: Vec<u32>,
    /// Fewest and most seats of each cell in the next panel: the same number, but for features with far more cells than there are
    /// seats (households), which stay free within a seat of their target.
    least: Vec<u32>,
    most: Vec<u32>,
    /// The cells of each feature.
    features: Vec<Vec<usize>>,
    size: u32,
}

impl Cells {
    fn new(rules: &Rules, target: &[f64]) -> Self {
        let count = rules.cell_min.len();
        let mut seats = vec![0.0; count];
        for (t, x) in target.iter().enumerate() {
            for &c in rules.cells_of(t as u32) {
                seats[c as usize] += x;
            }
        }
        let whole = |c: usize, x: f64| (x as u32).clamp(rules.cell_min[c], rules.cell_max[c]);
        let bounds = seats.iter().enumerate();
        let floor: Vec<u32> = bounds
            .clone()
            .map(|(c, x)| whole(c, (x + NEAR).floor()))
            .collect();
        let ceiling = bounds.map(|(c, x)| whole(c, (x - NEAR).ceil())).collect();
        let mut features = vec![Vec::new(); rules.features];
        for (c, &f) in rules.feature_of.iter().enumerate() {
            features[f].push(c);
        }
        Self {
            target: seats,
            owed: vec![0.0; count],
            least: floor.clone(),
            most: floor.clone(),
            floor,
            ceiling,
            features,
            size: rules.size,
        }
    }

    /// Decides the seats of each cell in the next panel, of this weight: one more than the floor goes to those owed most.
    fn share_out(&mut self, weight: f64) {
        self.least.copy_from_slice(&self.floor);
        self.most.copy_from_slice(&self.ceiling);
        let size = self.size as usize;
        for cells in self.features.iter().filter(|cells| cells.len() <= 2 * size) {
            let given: u32 = cells.iter().map(|&c| self.floor[c]).sum();
            let claim =
                |c: usize| self.owed[c] / weight + self.target[c] - f64::from(self.floor[c]);
            let mut open: Vec<usize> = cells
                .iter()
                .copied()
                .filter(|&c| self.floor[c] < self.ceiling[c])
                .collect();
            open.sort_by(|&a, &b| claim(b).total_cmp(&claim(a)).then(a.cmp(&b)));
            for &c in open.iter().take(self.size.saturating_sub(given) as usize) {
                self.least[c] += 1;
            }
            for &c in cells {
                self.most[c] = self.least[c];
            }
        }
    }

    fn take(&mut self, rules: &Rules, seats: &[u32], weight: f64) {
        for (o, x) in self.owed.iter_mut().zip(&self.target) {
            *o += weight * x;
        }
        for (t, &s) in seats.iter().enumerate().filter(|(_, &s)| s > 0) {
            for &c in rules.cells_of(t as u32) {
                self.owed[c as usize] -= weight * f64::from(s);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 120 types of one person each, over features of 2, 3 and 20 values, half of whose cells are exact.
    fn rules() -> Result<Rules, super::super::RulesError> {
        let types: Vec<Vec<u32>> = (0..120)
            .map(|t: u32| vec![t % 2, 2 + t / 2 % 3, 5 + t / 6])
            .collect();
        let mut low = vec![6, 6, 4, 4, 4];
        let mut high = vec![6, 6, 4, 4, 4];
        low.extend([0; 20]);
        high.extend([2; 20]);
        Rules::new(12, &types, (low, high), (vec![0; 120], vec![1; 120]))
    }

    #[test]
    fn everybody_gets_their_balls_to_within_a_few() -> Result<(), super::super::RulesError> {
        let rules = rules()?;
        let start: Vec<u32> = (0..120)
            .map(|t| u32::from(t % 6 == t / 6 % 6 && t < 72))
            .collect();
        let mut search = Search::new(rules.clone(), &start)?;
        let mut panels = Panels::new(120);
        let target = vec![0.1; 120];
        let mut falling = Falling::new(10_000, 40, &rules, &target);
        falling.deal(&mut search, &mut panels, &target, 100_000, &|| true);
        assert_eq!(falling.left(), 0);
        assert_eq!(falling.balls().iter().sum::<u64>(), 10_000);
        assert!(falling.owed().iter().all(|o| o.abs() < 3.0));
        for i in 0..panels.len() {
            assert!(rules.allows(&panels.dense(i)));
        }
        Ok(())
    }
}
