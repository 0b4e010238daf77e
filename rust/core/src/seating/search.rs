//! Better plans by exchanging seats: simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983) in whole numbers.
//!
//! Phases, each of a fixed number of moves: where [`super::design`] gives a plan without repeats, people are moved about in
//! it, which changes mixing and no count of meetings; then seats are exchanged from a random plan, twice; then the best plan found is
//! improved by moves that raise no cost of higher priority. A worse plan is accepted with probability 2^(-β·loss/16), from a table
//! of sixteen constants and shifts; β rises by equal steps. The best plan is kept by priority, not by the weighted sum.

use super::design::without_repeats;
use super::rules::{Rules, RulesError};
use super::seats::{Cost, Seats, ABSENT};
use crate::random::Random;

/// 2^32 · 2^(-j/16), rounded down.
const POWERS: [u64; 16] = [
    4_294_967_296,
    4_112_874_773,
    3_938_502_375,
    3_771_522_796,
    3_611_622_602,
    3_458_501_653,
    3_311_872_529,
    3_171_459_999,
    3_037_000_499,
    2_908_241_642,
    2_784_941_737,
    2_666_869_344,
    2_553_802_833,
    2_445_529_971,
    2_341_847_523,
    2_242_560_871,
];
/// β at the first and at the last move of an annealing phase.
const COOLING: (u64, u64) = (1, 96);
/// One in so many moves of the second and third phase changes two people's seats in all sessions.
const WHOLE_PEOPLE: usize = 8;
/// One in so many moves lets two people of one table change seats with two of another.
const TWO: usize = 8;
const PULSE: u64 = 1024;
/// Steps of the search for places for groups.
const PLACING: usize = 200_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    People,
    Seats,
    Descent,
}

/// What annealing weighs, at tables of so many seats; `scattered`: some clustered value's people sit at more tables than needed.
///
/// A gathering costs meetings with everybody at the table, so its weight grows with the table. The order of priority is kept where
/// plans are compared.
fn weighed(cost: Cost, seats: usize, scattered: bool) -> i64 {
    let seats = seats as i64 + 1;
    24 * seats * cost.apart
        + 12 * seats * cost.cluster
        + 3 * cost.scatter * i64::from(scattered)
        + 8 * cost.mix
        + 6 * cost.over
        + 2 * cost.repeats
        + cost.again
}

/// A search for a plan, to be run in portions; their size changes nothing.
pub struct Search {
    rules: Rules,
    random: Random,
    seats: Seats,
    best: Vec<Vec<usize>>,
    best_cost: Cost,
    /// People by session: those there, whether they may change seats alone, the groups.
    there: Vec<Vec<usize>>,
    alone: Vec<Vec<bool>>,
    phases: Vec<(Phase, u64)>,
    phase: usize,
    done: u64,
    least_repeats: i64,
    taken: Vec<(usize, usize, usize)>,
}

impl Search {
    /// A search of about `moves` moves. It ends early at a plan with no fault and at most `least_repeats` repeats, a number that
    /// the caller has shown to be needed.
    ///
    /// # Errors
    /// [`RulesError::Blocks`] if the groups that sit together find no places.
    pub fn new(
        rules: Rules,
        seed: u64,
        moves: u64,
        least_repeats: i64,
    ) -> Result<Self, RulesError> {
        let mut random = Random::new(seed);
        let there: Vec<Vec<usize>> = rules
            .present
            .iter()
            .map(|p| (0..rules.people).filter(|&i| p[i]).collect())
            .collect();
        let alone = (0..rules.sessions).map(|s| {
            let here = |p: &usize| rules.present[s][*p];
            let groups = |p: usize| {
                rules.block_of[p].map(|b| rules.blocks[b].iter().filter(|x| here(x)).count())
            };
            (0..rules.people)
                .map(|p| groups(p).is_none_or(|n| n < 2))
                .collect()
        });
        let alone: Vec<Vec<bool>> = alone.collect();
        let start = designed(&rules, &mut random);
        let mut phases = vec![
            (Phase::Seats, moves / 2),
            (Phase::Seats, moves / 4),
            (Phase::Descent, moves / 8),
        ];
        if start.is_some() && rules.has_wishes() {
            phases.insert(0, (Phase::People, moves / 8));
        }
        let table = match start {
            Some(table) => table,
            None => scattered(&rules, &there, &alone, &mut random)?,
        };
        let seats = Seats::new(&rules, table);
        Ok(Self {
            best: seats.table.clone(),
            best_cost: seats.cost,
            rules,
            random,
            seats,
            there,
            alone,
            phases,
            phase: 0,
            done: 0,
            least_repeats,
            taken: Vec::new(),
        })
    }

    /// Goes on for so many moves, or until the end, or until `alive` answers no. Whether the search is at its end.
    pub fn run(&mut self, moves: u64, alive: &dyn Fn() -> bool) -> bool {
        for i in 0..moves {
            if self.finished() || (i % PULSE == PULSE - 1 && !alive()) {
                break;
            }
            let (phase, length) = self.phases[self.phase];
            if self.done >= length {
                self.next_phase();
                continue;
            }
            let whole = phase == Phase::People
                || (self.rules.has_wishes() && self.random.below(WHOLE_PEOPLE) == 0);
            if whole {
                self.change_people(phase);
            } else if self.rules.has_wishes() && self.random.below(TWO) == 0 {
                self.change_two(phase);
            } else {
                self.change_seats(phase);
            }
            self.done += 1;
        }
        self.finished()
    }

    /// The best plan found: the table of each person by session.
    pub fn best(&self) -> &[Vec<usize>] {
        &self.best
    }

    /// What the best plan costs.
    pub fn cost(&self) -> Cost {
        self.best_cost
    }

    /// Moves made and moves in all.
    pub fn progress(&self) -> (u64, u64) {
        let all: u64 = self.phases.iter().map(|(_, length)| length).sum();
        let before: u64 = self.phases.iter().take(self.phase).map(|(_, n)| n).sum();
        (
            if self.finished() {
                all
            } else {
                before + self.done
            },
            all,
        )
    }

    fn finished(&self) -> bool {
        let c = self.best_cost;
        let perfect = (c.apart, c.cluster, c.mix, c.over) == (0, 0, 0, 0)
            && c.repeats <= self.least_repeats
            && c.again <= c.repeats;
        perfect || self.rules.tables == 1 || self.phase >= self.phases.len()
    }

    fn next_phase(&mut self) {
        self.phase += 1;
        self.done = 0;
        match self.phases.get(self.phase) {
            // With a design as its start, annealing at once would only forget it: the best plan keeps it. Begin elsewhere.
            Some((Phase::Seats, _)) => {
                if let Ok(table) =
                    scattered(&self.rules, &self.there, &self.alone, &mut self.random)
                {
                    self.seats = Seats::new(&self.rules, table);
                }
            }
            Some((Phase::Descent, _)) => self.seats = Seats::new(&self.rules, self.best.clone()),
            _ => {}
        }
    }

    fn accepts(&mut self, phase: Phase, change: Cost) -> bool {
        if phase == Phase::Descent {
            return change <= Cost::default();
        }
        let loss = weighed(change, self.rules.size[0], self.seats.cost.cluster > 0);
        if loss <= 0 {
            return true;
        }
        let length = self.phases[self.phase].1.max(1);
        let beta = COOLING.0 + (COOLING.1 - COOLING.0) * self.done / length;
        let power = loss.unsigned_abs() * beta;
        power / 16 < 32
            && (self.random.bits() >> 32) < POWERS[(power % 16) as usize] >> (power / 16)
    }

    /// Makes the exchanges in `taken`, or takes them back.
    fn settle(&mut self, phase: Phase, change: Cost) {
        if !self.accepts(phase, change) {
            while let Some((s, a, b)) = self.taken.pop() {
                let back = self.seats.change(&self.rules, s, a, b);
                self.seats.exchange(&self.rules, s, a, b, back);
            }
        }
        self.taken.clear();
        self.remember();
    }

    fn remember(&mut self) {
        if self.seats.cost < self.best_cost {
            self.best_cost = self.seats.cost;
            self.best.clone_from(&self.seats.table);
        }
    }

    fn exchange(&mut self, s: usize, a: usize, b: usize) -> Cost {
        let change = self.seats.change(&self.rules, s, a, b);
        self.seats.exchange(&self.rules, s, a, b, change);
        self.taken.push((s, a, b));
        change
    }

    /// Tries to let two people, or a group and as many others, change seats in one session.
    fn change_seats(&mut self, phase: Phase) {
        let s = self.random.below(self.rules.sessions);
        let a = self.there[s][self.random.below(self.there[s].len())];
        if !self.alone[s][a] {
            self.change_group(phase, s, a);
            return;
        }
        let b = self.there[s][self.random.below(self.there[s].len())];
        if self.alone[s][b] && self.seats.table[s][a] != self.seats.table[s][b] {
            let change = self.seats.change(&self.rules, s, a, b);
            if self.accepts(phase, change) {
                self.seats.exchange(&self.rules, s, a, b, change);
                self.remember();
            }
        }
    }

    /// Tries to let two people of one table change seats with two of another, which no step between may allow.
    fn change_two(&mut self, phase: Phase) {
        let s = self.random.below(self.rules.sessions);
        let (t, u) = (
            self.random.below(self.rules.tables),
            self.random.below(self.rules.tables),
        );
        let picked = [t, t, u, u].map(|table| {
            let at = self.random.below(self.seats.at[s][table].len());
            self.seats.at[s][table][at]
        });
        let [a, c, b, d] = picked;
        if t == u || a == c || b == d || picked.iter().any(|&p| !self.alone[s][p]) {
            return;
        }
        let change = self.exchange(s, a, b) + self.exchange(s, c, d);
        self.settle(phase, change);
    }

    fn change_group(&mut self, phase: Phase, s: usize, a: usize) {
        let t = self.seats.table[s][a];
        let u = self.random.below(self.rules.tables);
        if t == u {
            return;
        }
        let group = self.group(s, a);
        let mut others: Vec<usize> = self.seats.at[s][u].clone();
        others.sort_unstable(); // seats at a table have no order that may decide
        self.random.shuffle(&mut others);
        let first = others.first().copied();
        let chosen: Vec<usize> = match first.map(|b| self.group(s, b)) {
            Some(same) if same.len() == group.len() => same,
            _ => {
                others.retain(|&b| self.alone[s][b]);
                others.truncate(group.len());
                others
            }
        };
        if chosen.len() == group.len() {
            let mut change = Cost::default();
            for (&x, &y) in group.iter().zip(&chosen) {
                change += self.exchange(s, x, y);
            }
            self.settle(phase, change);
        }
    }

    /// Who sits together with somebody in a session, that person included.
    fn group(&self, s: usize, a: usize) -> Vec<usize> {
        match self.rules.block_of[a] {
            Some(b) if !self.alone[s][a] => {
                let block = self.rules.blocks[b].iter().copied();
                block.filter(|&p| self.rules.present[s][p]).collect()
            }
            _ => vec![a],
        }
    }

    /// Tries to let two people, there in the same sessions and in no group, change seats in all of them.
    fn change_people(&mut self, phase: Phase) {
        let (a, b) = (
            self.random.below(self.rules.people),
            self.random.below(self.rules.people),
        );
        let grouped = self.rules.block_of[a].is_some() || self.rules.block_of[b].is_some();
        if a == b || grouped || self.rules.present.iter().any(|p| p[a] != p[b]) {
            return;
        }
        let mut change = Cost::default();
        for s in 0..self.rules.sessions {
            if self.seats.table[s][a] != self.seats.table[s][b] {
                change += self.exchange(s, a, b);
            }
        }
        self.settle(phase, change);
    }
}

/// The plan of a design with people put into it at random.
fn designed(rules: &Rules, random: &mut Random) -> Option<Vec<Vec<usize>>> {
    if !rules.all_present() || !rules.blocks.is_empty() {
        return None;
    }
    let plan = without_repeats(rules.people, rules.tables, rules.sessions)?;
    let mut order: Vec<usize> = (0..rules.people).collect();
    random.shuffle(&mut order);
    let seated = plan
        .into_iter()
        .map(|seats| order.iter().map(|&p| seats[p]).collect());
    Some(seated.collect())
}

/// A random plan that keeps sizes and groups.
fn scattered(
    rules: &Rules,
    there: &[Vec<usize>],
    alone: &[Vec<bool>],
    random: &mut Random,
) -> Result<Vec<Vec<usize>>, RulesError> {
    let mut plan = vec![vec![ABSENT; rules.people]; rules.sessions];
    for (s, seats) in plan.iter_mut().enumerate() {
        let mut free: Vec<usize> = (0..rules.tables).map(|t| rules.seats(s, t)).collect();
        let mut groups: Vec<Vec<usize>> = rules
            .blocks
            .iter()
            .map(|b| b.iter().copied().filter(|&p| rules.present[s][p]).collect())
            .collect();
        groups.retain(|g: &Vec<usize>| g.len() > 1);
        random.shuffle(&mut groups);
        groups.sort_by_key(|g| usize::MAX - g.len());
        let mut order: Vec<usize> = (0..rules.tables).collect();
        random.shuffle(&mut order);
        let mut placed = vec![0; groups.len()];
        let mut steps = PLACING;
        if !place(&groups, &order, &mut free, &mut placed, 0, &mut steps) {
            return Err(RulesError::Blocks(s));
        }
        for (group, &t) in groups.iter().zip(&placed) {
            for &p in group {
                seats[p] = t;
            }
        }
        let mut people: Vec<usize> = there[s].iter().copied().filter(|&p| alone[s][p]).collect();
        random.shuffle(&mut people);
        let chairs = (0..rules.tables).flat_map(|t| std::iter::repeat_n(t, free[t]));
        for (p, t) in people.into_iter().zip(chairs) {
            seats[p] = t;
        }
    }
    Ok(plan)
}

/// Places groups from number `next` on at tables with room, the emptiest first, going back where it fails.
fn place(
    groups: &[Vec<usize>],
    order: &[usize],
    free: &mut [usize],
    placed: &mut [usize],
    next: usize,
    steps: &mut usize,
) -> bool {
    let Some(group) = groups.get(next) else {
        return true;
    };
    let mut tables: Vec<usize> = order.to_vec();
    tables.sort_by_key(|&t| usize::MAX - free[t]);
    // Tables with the same room left are the same to this question.
    tables.dedup_by_key(|t| free[*t]);
    for t in tables {
        if free[t] < group.len() || *steps == 0 {
            break;
        }
        *steps -= 1;
        free[t] -= group.len();
        placed[next] = t;
        if place(groups, order, free, placed, next + 1, steps) {
            return true;
        }
        free[t] += group.len();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(people: usize, mixed: Vec<Vec<usize>>) -> Result<Search, RulesError> {
        let present = vec![vec![true; people]; 5];
        let rules = Rules::new(6, present, mixed, vec![], &[], vec![])?;
        Search::new(rules, 7, 20_000, 0)
    }

    #[test]
    fn the_running_cost_is_that_of_the_plan() -> Result<(), RulesError> {
        let mixed = vec![
            (0..14).map(|p| p % 3).collect(),
            (0..14).map(|p| p / 5).collect(),
        ];
        let clustered = vec![(0..14).map(|p| (p < 5).then_some(p % 2)).collect()];
        let mut present = vec![vec![true; 14]; 3];
        present[1][3] = false;
        let blocks = vec![vec![8, 9, 10], vec![0, 13]];
        let mut rules = Rules::new(3, present, mixed, clustered, &[(1, 2), (4, 9)], blocks)?;
        rules.most_meetings = 1;
        let mut search = Search::new(rules, 3, 4000, 0)?;
        while !search.run(50, &|| true) {
            let again = Seats::new(&search.rules, search.seats.table.clone());
            assert_eq!(again.cost, search.seats.cost);
            let best = Seats::new(&search.rules, search.best.clone());
            assert_eq!(best.cost, search.best_cost);
        }
        Ok(())
    }

    #[test]
    fn the_size_of_portions_changes_nothing() -> Result<(), RulesError> {
        let mixed = vec![(0..20).map(|p| p % 3).collect()];
        let (mut one, mut many) = (search(20, mixed.clone())?, search(20, mixed)?);
        assert!(one.run(u64::MAX, &|| true));
        while !many.run(7, &|| true) {}
        assert_eq!(one.best, many.best);
        Ok(())
    }

    #[test]
    fn a_search_stops_when_it_is_told_to() -> Result<(), RulesError> {
        assert!(!search(40, vec![])?.run(u64::MAX, &|| false));
        Ok(())
    }
}
