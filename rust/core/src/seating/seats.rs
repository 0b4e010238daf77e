//! A plan, what it costs, and what an exchange of two seats would change.

use std::ops::{Add, AddAssign};

use super::rules::Rules;

/// The table of somebody who is not there.
pub const ABSENT: usize = usize::MAX;

/// What is wrong with a plan, in the order of priority in which plans are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// Pairs that should sit apart and share a table, over all sessions.
    pub apart: i64,
    /// Tables more than needed for the people of a clustered value, over all values and sessions.
    pub cluster: i64,
    /// People by which tables are outside their share of a value, over all features, values, tables and sessions.
    pub mix: i64,
    /// Meetings of pairs beyond the number wished, over all pairs.
    pub over: i64,
    /// Meetings of pairs that met before.
    pub repeats: i64,
    /// Pairs of sessions in which a pair meets, over all pairs: breaks ties against the same two meeting again and again.
    pub again: i64,
    /// Pairs who share a clustered value and no table: says which way leads to fewer tables.
    pub scatter: i64,
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            apart: self.apart + other.apart,
            cluster: self.cluster + other.cluster,
            mix: self.mix + other.mix,
            over: self.over + other.over,
            repeats: self.repeats + other.repeats,
            again: self.again + other.again,
            scatter: self.scatter + other.scatter,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A plan with the counts from which its cost follows.
pub struct Seats {
    /// The table of each person by session; [`ABSENT`] for who is not there.
    pub table: Vec<Vec<usize>>,
    /// The people at each table by session.
    pub at: Vec<Vec<Vec<usize>>>,
    place: Vec<Vec<usize>>,
    /// In how many sessions two people meet.
    meetings: Vec<u16>,
    /// People of a value at a table: by session, feature, table × values + value.
    mixed: Vec<Vec<Vec<i64>>>,
    clustered: Vec<Vec<Vec<i64>>>,
    /// What the plan costs.
    pub cost: Cost,
}

/// How many people a count is outside its bounds.
fn outside(count: i64, (low, high): (i64, i64)) -> i64 {
    (low - count).max(count - high).max(0)
}

impl Seats {
    /// A plan from the table of each person by session, which must keep the sizes.
    pub fn new(rules: &Rules, table: Vec<Vec<usize>>) -> Self {
        let empty = |values: usize| vec![0; values * rules.tables];
        let mut seats = Self {
            at: vec![vec![Vec::new(); rules.tables]; rules.sessions],
            place: vec![vec![0; rules.people]; rules.sessions],
            meetings: vec![0; rules.people * rules.people],
            mixed: vec![rules.mixed.iter().map(|m| empty(m.values)).collect(); rules.sessions],
            clustered: vec![
                rules.clustered.iter().map(|c| empty(c.values)).collect();
                rules.sessions
            ],
            cost: Cost::default(),
            table,
        };
        for s in 0..rules.sessions {
            for p in 0..rules.people {
                let t = seats.table[s][p];
                if t != ABSENT {
                    seats.sit(rules, s, p, t);
                }
            }
            seats.cost += seats.tables_cost(rules, s);
        }
        seats
    }

    fn sit(&mut self, rules: &Rules, s: usize, p: usize, t: usize) {
        for &x in &self.at[s][t] {
            let m = i64::from(self.meetings[p * rules.people + x]);
            self.cost.repeats += i64::from(m >= 1);
            self.cost.again += m;
            self.cost.over += i64::from(m >= rules.most_meetings);
            self.meetings[p * rules.people + x] += 1;
            self.meetings[x * rules.people + p] += 1;
        }
        self.place[s][p] = self.at[s][t].len();
        self.at[s][t].push(p);
        for (f, mixed) in rules.mixed.iter().enumerate() {
            self.mixed[s][f][t * mixed.values + mixed.codes[p]] += 1;
        }
        for (f, clustered) in rules.clustered.iter().enumerate() {
            if let Some(v) = clustered.codes[p] {
                self.clustered[s][f][t * clustered.values + v] += 1;
            }
        }
        let apart = rules.apart[p]
            .iter()
            .filter(|&&x| self.at[s][t].contains(&x));
        self.cost.apart += apart.count() as i64;
    }

    /// The cost of mixing and clusters in a session, from its counts.
    fn tables_cost(&self, rules: &Rules, s: usize) -> Cost {
        let mut cost = Cost::default();
        for (mixed, counts) in rules.mixed.iter().zip(&self.mixed[s]) {
            for (i, &count) in counts.iter().enumerate() {
                let (t, v) = (i / mixed.values, i % mixed.values);
                cost.mix += outside(count, mixed.bound(s, rules.large(s, t), v));
            }
        }
        for (clustered, counts) in rules.clustered.iter().zip(&self.clustered[s]) {
            for (v, least) in clustered.least[s].iter().enumerate() {
                let here = || counts.iter().skip(v).step_by(clustered.values);
                let pairs = |c: i64| c * (c - 1) / 2;
                cost.cluster += here().filter(|c| **c > 0).count() as i64 - least;
                cost.scatter += pairs(here().sum()) - here().map(|c| pairs(*c)).sum::<i64>();
            }
        }
        cost
    }

    /// What the plan would cost more if two people, at different tables of a session, changed seats.
    pub fn change(&self, rules: &Rules, s: usize, a: usize, b: usize) -> Cost {
        let (t, u) = (self.table[s][a], self.table[s][b]);
        let mut change = Cost::default();
        for (p, q, from, to) in [(a, b, t, u), (b, a, u, t)] {
            for &x in &rules.apart[p] {
                let there = self.table[s][x];
                change.apart += i64::from(there == to && x != q) - i64::from(there == from);
            }
            // Those whom p leaves meet q instead.
            let (row_p, row_q) = (p * rules.people, q * rules.people);
            for &x in &self.at[s][from] {
                if x != p {
                    let left = i64::from(self.meetings[row_p + x]);
                    let met = i64::from(self.meetings[row_q + x]);
                    change.repeats += i64::from(met >= 1) - i64::from(left >= 2);
                    change.again += met + 1 - left;
                    change.over += i64::from(met >= rules.most_meetings)
                        - i64::from(left > rules.most_meetings);
                }
            }
        }
        let (large_t, large_u) = (rules.large(s, t), rules.large(s, u));
        for (mixed, counts) in rules.mixed.iter().zip(&self.mixed[s]) {
            let (v, w) = (mixed.codes[a], mixed.codes[b]);
            if v != w {
                for (table, large, gone, come) in [(t, large_t, v, w), (u, large_u, w, v)] {
                    let (less, more) = (mixed.bound(s, large, gone), mixed.bound(s, large, come));
                    let (c, d) = (
                        counts[table * mixed.values + gone],
                        counts[table * mixed.values + come],
                    );
                    change.mix += outside(c - 1, less) - outside(c, less);
                    change.mix += outside(d + 1, more) - outside(d, more);
                }
            }
        }
        for (clustered, counts) in rules.clustered.iter().zip(&self.clustered[s]) {
            let (v, w) = (clustered.codes[a], clustered.codes[b]);
            if v != w {
                for (value, from, to) in [(v, t, u), (w, u, t)] {
                    if let Some(value) = value {
                        let left = counts[from * clustered.values + value];
                        let met = counts[to * clustered.values + value];
                        change.cluster += i64::from(met == 0) - i64::from(left == 1);
                        change.scatter += left - 1 - met;
                    }
                }
            }
        }
        change
    }

    /// Lets two people at different tables of a session change seats; `change` is what [`Seats::change`] said.
    pub fn exchange(&mut self, rules: &Rules, s: usize, a: usize, b: usize, change: Cost) {
        let (t, u) = (self.table[s][a], self.table[s][b]);
        let n = rules.people;
        for (p, q, from) in [(a, b, t), (b, a, u)] {
            for &x in &self.at[s][from] {
                if x != p {
                    self.meetings[p * n + x] -= 1;
                    self.meetings[x * n + p] -= 1;
                    self.meetings[q * n + x] += 1;
                    self.meetings[x * n + q] += 1;
                }
            }
        }
        for (p, from, to) in [(a, t, u), (b, u, t)] {
            for (mixed, counts) in rules.mixed.iter().zip(&mut self.mixed[s]) {
                counts[from * mixed.values + mixed.codes[p]] -= 1;
                counts[to * mixed.values + mixed.codes[p]] += 1;
            }
            for (clustered, counts) in rules.clustered.iter().zip(&mut self.clustered[s]) {
                if let Some(v) = clustered.codes[p] {
                    counts[from * clustered.values + v] -= 1;
                    counts[to * clustered.values + v] += 1;
                }
            }
        }
        let (i, j) = (self.place[s][a], self.place[s][b]);
        self.at[s][t][i] = b;
        self.at[s][u][j] = a;
        self.place[s].swap(a, b);
        self.table[s].swap(a, b);
        self.cost += change;
    }
}
