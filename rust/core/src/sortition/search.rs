//! Panels by local moves that keep every quota.
//!
//! The question: which feasible panel gives most to the types that are owed most? Method: from a feasible panel, exchange
//! one seated person for one of another type where the quotas have room for it; where some features have no room, a second
//! exchange takes those features' change back (seated s, b and newcomers t, d, where d is b with s's values on exactly those
//! features). Panels come one after the other, each for the running deficit m·x − counts (Welling's herding, ICML
//! 2009), whose mean tends to the target x as 1/m.
//!
//! It guarantees that every panel keeps the rules; it does not guarantee the best panel: that is left to an exact solver. One
//! thread, no randomness; an exchange costs O(k·features) on k seats.

use super::rules::{Rules, RulesError};
use super::store::Panels;

/// A panel in motion.
#[derive(Debug, Clone)]
pub struct Search {
    rules: Rules,
    /// Type in each seat.
    seats: Vec<u32>,
    count: Vec<u32>,
    cell_count: Vec<u32>,
    /// For each cell, a bit for each seat that has it.
    holders: Vec<u64>,
    words: usize,
    /// For each feature, a bit for each seat whose cell has no one to spare.
    at_min: Vec<u64>,
    /// For each feature, a bit for each seat that the newcomer in question may not replace.
    blocked: Vec<u64>,
    order: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Move {
    gain: f64,
    seat: usize,
    newcomer: u32,
    /// Exchanges (seat, newcomer) that take back what the first one breaks.
    repairs: [Option<(usize, u32)>; 2],
}

/// How far a move may go: one exchange, a pair, or three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// An exchange, and where it breaks quotas a second one that takes the breach back.
    Pair,
    /// Also two that take back a part each: slower, for quotas so exact that pairs get stuck.
    Triple,
}

/// A gain below this is rounding, not a reason to move.
const LEAST_GAIN: f64 = 1e-9;

/// Three exchanges are tried for up to so many broken features: the ways to share them out double with each …
const MOST_SHARED: u32 = 8;
/// … and are looked at for each seat, so larger panels try fewer.
const MOST_LOOKS: usize = 32_768;

impl Search {
    /// Starts from a feasible panel (seats by type).
    ///
    /// # Errors
    /// [`RulesError::Panel`] if it breaks a rule; [`RulesError::Shape`] beyond 64 features.
    pub fn new(rules: Rules, start: &[u32]) -> Result<Self, RulesError> {
        if rules.features > 64 {
            return Err(RulesError::Shape);
        }
        let words = (rules.size as usize).div_ceil(64);
        let cells = rules.cell_min.len();
        let mut search = Self {
            count: vec![0; rules.types()],
            cell_count: vec![0; cells],
            holders: vec![0; cells * words],
            words,
            at_min: vec![0; rules.features * words],
            blocked: vec![0; rules.features * words],
            seats: Vec::new(),
            order: (0..rules.types() as u32).collect(),
            rules,
        };
        search.restart(start)?;
        Ok(search)
    }

    /// Goes on from another feasible panel.
    ///
    /// # Errors
    /// [`RulesError::Panel`] if it breaks a rule.
    pub fn restart(&mut self, start: &[u32]) -> Result<(), RulesError> {
        if !self.rules.allows(start) {
            return Err(RulesError::Panel);
        }
        self.follow(start);
        Ok(())
    }

    /// Goes on from a panel that is known to keep the rules.
    pub(crate) fn follow(&mut self, start: &[u32]) {
        self.count.copy_from_slice(start);
        self.cell_count.fill(0);
        self.holders.fill(0);
        self.seats.clear();
        for (t, &s) in start.iter().enumerate() {
            for _ in 0..s {
                self.seats.push(t as u32);
            }
        }
        for seat in 0..self.seats.len() {
            for f in 0..self.rules.features {
                let cell = self.rules.cells_of(self.seats[seat])[f] as usize;
                self.cell_count[cell] += 1;
                self.holders[cell * self.words + seat / 64] |= 1 << (seat % 64);
            }
        }
        self.at_min.fill(0);
        for cell in 0..self.cell_count.len() {
            self.refresh_minimum(cell);
        }
    }

    /// The rules that its panels keep.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The current panel, as seats by type.
    #[must_use]
    pub fn panel(&self) -> &[u32] {
        &self.count
    }

    /// Appends `panels` panels whose running mean follows `target` (expected seats by type). `owed` is the running deficit,
    /// kept between calls; `breadth` as in [`Self::improve`].
    pub fn herd(
        &mut self,
        target: &[f64],
        owed: &mut [f64],
        panels: usize,
        breadth: usize,
        depth: Depth,
        store: &mut Panels,
    ) {
        for _ in 0..panels {
            for (o, x) in owed.iter_mut().zip(target) {
                *o += x;
            }
            self.improve(owed, breadth, depth, 1);
            store.add(&self.count);
            for (o, &s) in owed.iter_mut().zip(&self.count) {
                *o -= f64::from(s);
            }
        }
    }

    /// Raises Σ direction·seats by moves that seat one of the `breadth` types with the highest direction, until none helps or so
    /// many passes over them are done.
    pub fn improve(&mut self, direction: &[f64], breadth: usize, depth: Depth, passes: usize) {
        for _ in 0..passes {
            // Highest first; ties by type, so the order is a function of the values alone.
            self.order.sort_unstable_by(|&a, &b| {
                direction[b as usize]
                    .total_cmp(&direction[a as usize])
                    .then(a.cmp(&b))
            });
            let mut moved = false;
            for place in 0..breadth.min(self.order.len()) {
                let newcomer = self.order[place];
                let lowest = self
                    .seats
                    .iter()
                    .map(|&s| direction[s as usize])
                    .fold(f64::INFINITY, f64::min);
                if direction[newcomer as usize] <= lowest {
                    break;
                }
                while let Some(step) = self.best_move(newcomer, direction, depth) {
                    self.apply(step);
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
    }

    fn has_room(&self, t: u32) -> bool {
        self.count[t as usize] < self.rules.type_max[t as usize]
    }

    fn can_leave(&self, t: u32) -> bool {
        self.count[t as usize] > self.rules.type_min[t as usize]
    }

    /// The best exchange that seats one more of type `t`; where none alone gains, the best pair of exchanges, then the best three.
    fn best_move(&mut self, t: u32, direction: &[f64], depth: Depth) -> Option<Move> {
        if !self.has_room(t) {
            return None;
        }
        self.mark_blocked(t);
        self.best_single(t, direction)
            .or_else(|| self.good_pair(t, direction))
            .or_else(|| (depth == Depth::Triple).then(|| self.best_triple(t, direction))?)
    }

    /// For each feature, marks the seats whose holder `t` could not replace without breaking a quota of that feature.
    fn mark_blocked(&mut self, t: u32) {
        for f in 0..self.rules.features {
            let cell = self.rules.cells_of(t)[f] as usize;
            let full = self.cell_count[cell] == self.rules.cell_max[cell];
            for word in 0..self.words {
                let others = !self.holders[cell * self.words + word];
                let closed = if full {
                    u64::MAX
                } else {
                    self.at_min[f * self.words + word]
                };
                self.blocked[f * self.words + word] = others & closed;
            }
        }
    }

    fn best_single(&self, t: u32, direction: &[f64]) -> Option<Move> {
        let mut best: Option<Move> = None;
        for word in 0..self.words {
            let mut bits = self.seats_in(word);
            for f in 0..self.rules.features {
                bits &= !self.blocked[f * self.words + word];
            }
            while bits != 0 {
                let seat = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let s = self.seats[seat];
                let gain = direction[t as usize] - direction[s as usize];
                if gain > best.map_or(LEAST_GAIN, |m| m.gain) && s != t && self.can_leave(s) {
                    best = Some(Move {
                        gain,
                        seat,
                        newcomer: t,
                        repairs: [None, None],
                    });
                }
            }
        }
        best
    }

    /// The best pair of exchanges for the seat owed least for which one gains: nearly the best pair of all, at a fraction of the looks.
    fn good_pair(&self, t: u32, direction: &[f64]) -> Option<Move> {
        self.by_direction(direction).into_iter().find_map(|seat| {
            let s = self.seats[seat];
            if s == t || !self.can_leave(s) {
                return None;
            }
            let mask = self.broken_by(seat);
            if mask == 0 {
                return None; // alone it has been tried
            }
            let gain = direction[t as usize] - direction[s as usize];
            let (second, repair) = self.best_second(seat, t, mask, direction, LEAST_GAIN - gain)?;
            Some(Move {
                gain: gain + second,
                seat,
                newcomer: t,
                repairs: [Some(repair), None],
            })
        })
    }

    /// Seats in rising order of their holders' direction, one for each type seated.
    fn by_direction(&self, direction: &[f64]) -> Vec<usize> {
        let mut seats: Vec<usize> = (0..self.seats.len()).collect();
        let key = |seat: usize| (direction[self.seats[seat] as usize], self.seats[seat]);
        seats.sort_unstable_by(|&a, &b| {
            let ((x, s), (y, t)) = (key(a), key(b));
            x.total_cmp(&y).then(s.cmp(&t)).then(a.cmp(&b))
        });
        seats.dedup_by_key(|seat| self.seats[*seat]);
        seats
    }

    /// The best three exchanges: the features that the first one breaks are shared out between two repairs.
    fn best_triple(&self, t: u32, direction: &[f64]) -> Option<Move> {
        let most_shared = MOST_SHARED.min(1 + (MOST_LOOKS / self.seats.len()).max(2).ilog2());
        let mut best: Option<Move> = None;
        let mut last = u32::MAX;
        for seat in 0..self.seats.len() {
            let s = self.seats[seat];
            if s == t || s == last || !self.can_leave(s) {
                continue;
            }
            last = s;
            let mask = self.broken_by(seat);
            if !(2..=most_shared).contains(&mask.count_ones()) {
                continue;
            }
            let gain = direction[t as usize] - direction[s as usize];
            // Each way to share the mask out once: the part that holds its lowest feature, and the rest.
            let lowest = mask & mask.wrapping_neg();
            let others = mask & !lowest;
            let mut rest = others;
            while rest != 0 {
                let (one, two) = (mask & !rest, rest);
                rest = (rest - 1) & others;
                let Some((first, repair)) =
                    self.best_second(seat, t, one, direction, f64::NEG_INFINITY)
                else {
                    continue;
                };
                let floor = best.map_or(LEAST_GAIN, |m| m.gain) - gain - first;
                let Some((second, other)) = self.best_second(seat, t, two, direction, floor) else {
                    continue;
                };
                let step = Move {
                    gain: gain + first + second,
                    seat,
                    newcomer: t,
                    repairs: [Some(repair), Some(other)],
                };
                if repair.0 != other.0 && self.keeps_type_bounds(&step) {
                    best = Some(step);
                }
            }
        }
        best
    }

    /// Features (as bits) in which the newcomer of `mark_blocked` may not replace the holder of `seat`.
    fn broken_by(&self, seat: usize) -> u64 {
        let (word, bit) = (seat / 64, seat % 64);
        (0..self.rules.features).fold(0, |mask, f| {
            mask | (self.blocked[f * self.words + word] >> bit & 1) << f
        })
    }

    fn keeps_type_bounds(&self, step: &Move) -> bool {
        let pairs = || {
            [
                Some((step.seat, step.newcomer)),
                step.repairs[0],
                step.repairs[1],
            ]
            .into_iter()
            .flatten()
        };
        let seated = |t: u32| {
            let joins = pairs().filter(|&(_, newcomer)| newcomer == t).count() as u32;
            let leaves = pairs().filter(|&(seat, _)| self.seats[seat] == t).count() as u32;
            (self.count[t as usize] + joins).checked_sub(leaves)
        };
        pairs()
            .flat_map(|(seat, newcomer)| [self.seats[seat], newcomer])
            .all(|t| {
                seated(t).is_some_and(|n| {
                    (self.rules.type_min[t as usize]..=self.rules.type_max[t as usize]).contains(&n)
                })
            })
    }

    fn seats_in(&self, word: usize) -> u64 {
        let left = self.seats.len() - word * 64;
        if left >= 64 {
            u64::MAX
        } else {
            (1 << left) - 1
        }
    }

    /// The best second exchange that takes back the change of `seat` → `t` on the features in `mask`, if it gains above `floor`.
    fn best_second(
        &self,
        seat: usize,
        t: u32,
        mask: u64,
        direction: &[f64],
        floor: f64,
    ) -> Option<(f64, (usize, u32))> {
        let s = self.seats[seat];
        let to = self.rules.cells_of(t);
        let mut best: Option<(f64, (usize, u32))> = None;
        for word in 0..self.words {
            let mut bits = u64::MAX;
            let mut rest = mask;
            while rest != 0 && bits != 0 {
                let f = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                bits &= self.holders[to[f] as usize * self.words + word];
            }
            while bits != 0 {
                let other = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let b = self.seats[other];
                if other == seat || !self.can_leave_too(b, s) {
                    continue;
                }
                for d in self.rules.variants(b, s, mask) {
                    let gain = direction[d as usize] - direction[b as usize];
                    if gain > best.map_or(floor, |m| m.0) && self.has_room_too(d, t, s, b) {
                        best = Some((gain, (other, d)));
                    }
                }
            }
        }
        best
    }

    fn can_leave_too(&self, b: u32, s: u32) -> bool {
        let left = self.count[b as usize] - u32::from(b == s);
        left > self.rules.type_min[b as usize]
    }

    fn has_room_too(&self, d: u32, t: u32, s: u32, b: u32) -> bool {
        let seated =
            self.count[d as usize] + u32::from(d == t) - u32::from(d == s) - u32::from(d == b);
        seated < self.rules.type_max[d as usize]
    }

    fn apply(&mut self, step: Move) {
        self.replace(step.seat, step.newcomer);
        for (seat, newcomer) in step.repairs.into_iter().flatten() {
            self.replace(seat, newcomer);
        }
    }

    fn replace(&mut self, seat: usize, newcomer: u32) {
        let leaver = self.seats[seat];
        self.seats[seat] = newcomer;
        self.count[leaver as usize] -= 1;
        self.count[newcomer as usize] += 1;
        let (word, bit) = (seat / 64, 1u64 << (seat % 64));
        for f in 0..self.rules.features {
            let (a, b) = (
                self.rules.cells_of(leaver)[f] as usize,
                self.rules.cells_of(newcomer)[f] as usize,
            );
            if a != b {
                self.cell_count[a] -= 1;
                self.cell_count[b] += 1;
                self.holders[a * self.words + word] ^= bit;
                self.holders[b * self.words + word] ^= bit;
                self.refresh_minimum(a);
                self.refresh_minimum(b);
            }
        }
    }

    /// Marks or clears the seats of a cell in `at_min`, after its count has changed.
    fn refresh_minimum(&mut self, cell: usize) {
        let f = self.rules.feature_of[cell];
        let closed = self.cell_count[cell] == self.rules.cell_min[cell];
        for word in 0..self.words {
            let holders = self.holders[cell * self.words + word];
            let marks = &mut self.at_min[f * self.words + word];
            *marks = if closed {
                *marks | holders
            } else {
                *marks & !holders
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A pool of types over three features, with quotas around a given panel: it is feasible by construction.
    fn pools() -> impl Strategy<Value = (Vec<Vec<u32>>, Vec<u32>, Vec<u32>, u32)> {
        let types = prop::collection::btree_set((0u32..3, 3u32..7, 7u32..9), 2..20);
        types.prop_flat_map(|types| {
            let types: Vec<Vec<u32>> = types.into_iter().map(|(a, b, c)| vec![a, b, c]).collect();
            let n = types.len();
            (
                Just(types),
                prop::collection::vec(1u32..4, n),
                prop::collection::vec(0u32..4, n),
                0u32..3,
            )
        })
    }

    proptest! {
        #[test]
        fn moves_keep_every_rule_and_never_lower_the_score((types, people, seats, slack) in pools(), shift in 0u32..7) {
            let start: Vec<u32> = seats.iter().zip(&people).map(|(&s, &n)| s.min(n)).collect();
            let size: u32 = start.iter().sum();
            prop_assume!(size > 0);
            let mut totals = [0u32; 9];
            for (t, &s) in start.iter().enumerate() {
                for &c in &types[t] {
                    totals[c as usize] += s;
                }
            }
            let low = totals.iter().map(|&s| s.saturating_sub(slack)).collect();
            let high = totals.iter().map(|&s| s + slack).collect();
            let rules = Rules::new(size, &types, (low, high), (vec![0; types.len()], people)).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let mut search = Search::new(rules.clone(), &start).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let direction: Vec<f64> = (0..types.len() as u32).map(|t| f64::from((t * 5 + shift) % 7)).collect();
            let score = |seats: &[u32]| -> f64 { seats.iter().zip(&direction).map(|(&s, d)| f64::from(s) * d).sum() };
            search.improve(&direction, types.len(), Depth::Triple, 5);
            prop_assert!(rules.allows(search.panel()));
            prop_assert!(score(search.panel()) >= score(&start));
            let mut again = Search::new(rules.clone(), search.panel()).map_err(|e| TestCaseError::fail(e.to_string()))?;
            again.improve(&direction, types.len(), Depth::Triple, 5);
            prop_assert!(rules.allows(again.panel()));
        }
    }

    #[test]
    fn a_pair_of_exchanges_crosses_where_every_quota_is_exact() -> Result<(), RulesError> {
        // One young woman and one old man sit; only the old woman and the young man together can replace them.
        let types = [vec![0, 2], vec![0, 3], vec![1, 2], vec![1, 3]];
        let rules = Rules::new(
            2,
            &types,
            (vec![1; 4], vec![1; 4]),
            (vec![0; 4], vec![1; 4]),
        )?;
        let mut search = Search::new(rules, &[1, 0, 0, 1])?;
        search.improve(&[0.0, 1.0, 1.0, 0.0], 4, Depth::Pair, 2);
        assert_eq!(search.panel(), [0, 1, 1, 0]);
        Ok(())
    }

    #[test]
    fn a_panel_that_breaks_a_rule_is_refused() -> Result<(), RulesError> {
        let rules = Rules::new(
            1,
            &[vec![0], vec![1]],
            (vec![0, 0], vec![0, 1]),
            (vec![0; 2], vec![1; 2]),
        )?;
        assert_eq!(Search::new(rules, &[1, 0]).err(), Some(RulesError::Panel));
        Ok(())
    }
}
