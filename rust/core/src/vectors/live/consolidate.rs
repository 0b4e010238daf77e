//! What do the themes look like when everything that came is seen together?
//!
//! A consolidation works on a snapshot, with no lock held: it takes copies together, learns the mean and the cut anew ([`super::frame`]), gathers micro-clusters by average linkage
//! ([`super::gather`]) under what a facilitator has linked and named, looks once more at what fits its group worst (*second pass*: a micro-cluster below its group's limit is set apart,
//! and such of one group are gathered among themselves), and computes all sums and spreads from the rows. What was added meanwhile is then placed as by `add`, and the result
//! takes the place of the old state under the lock, with old ids for what is still the same ([`super::identity`]).
//!
//! Guarantees: a function of the snapshot and of what came meanwhile, in its order; nothing is lost, whatever happens; stopped or stale, it has changed nothing.
//! Cost: two roundings of each row, and average linkage of at most `most` micro-clusters.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::condense::condense;
use super::frame::{cut_of, Frame, Scratch, POOL};
use super::gather::{gather, Nodes};
use super::identity::{identify, Change};
use super::links::Sides;
use super::rows::{Rows, Store};
use super::scan::Scan;
use super::spread::Pool;
use super::state::{rounded, Group, Micro, State};
use super::Live;

/// Contributions that are placed at the end, under the lock; more are placed before.
pub const LAST: usize = 256;

/// What a consolidation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Contributions of the snapshot.
    pub contributions: u32,
    /// Contributions that came meanwhile.
    pub caught_up: u32,
    /// Micro-clusters before any were put together for lack of time.
    pub micros: u32,
    /// How many of them were put together.
    pub condensed: u32,
    /// How many were not compared with others, for lack of time.
    pub waiting: u32,
    /// Contributions that the second pass set apart.
    pub set_apart: u32,
    /// The similarity at which themes were cut.
    pub cut: i32,
    /// Contributions whose theme has another id now.
    pub moved: u32,
    /// Merges and splits.
    pub changes: Vec<Change>,
}

/// The facilitator acted meanwhile, so the result is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

/// A consolidation under way.
#[derive(Debug)]
pub struct Plan {
    rows: Rows,
    first: Vec<u32>,
    sums: Vec<i64>,
    /// Rows of texts that are embedded anew.
    fresh: Option<Store>,
    old: State,
    ids: Vec<u32>,
    named: BTreeSet<u32>,
    sides: Sides,
    turn: u64,
    round: u32,
    granularity: f64,
    most: usize,
    done: Done,
}

/// Micro-clusters at work: those that are left, and which of them each old one went to.
struct Work {
    micros: Vec<Micro>,
    went: Vec<u32>,
}

impl Plan {
    /// A snapshot; at most `most` micro-clusters will be compared.
    #[must_use]
    pub fn of(live: &Live, most: usize) -> Self {
        let mut old = State::new(live.state.frame.clone(), live.store.rows().width());
        old.micros.clone_from(&live.state.micros);
        old.micro_of.clone_from(&live.state.micro_of);
        let bare = live.state.groups.iter().map(|group| Group {
            id: group.id,
            looked: group.looked,
            count: group.count,
            ..Group::default()
        });
        old.groups = bare.collect();
        let contributions = old.micro_of.len();
        Self {
            rows: live.store.rows().clone(),
            first: live.store.first().to_vec(),
            sums: live.store.sums().to_vec(),
            fresh: None,
            ids: old.groups.iter().map(|group| group.id).collect(),
            old,
            named: live.named.clone(),
            sides: Sides::of(&live.links, contributions),
            turn: live.turn,
            round: live.round + 1,
            granularity: live.granularity,
            most: most.max(1),
            done: Done {
                contributions: contributions as u32,
                ..Done::default()
            },
        }
    }

    /// Contributions that it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.old.micro_of.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes other rows for the same contributions, rounded; false if there are not as many.
    pub fn replace<'a>(&mut self, rows: impl ExactSizeIterator<Item = &'a [i16]>) -> bool {
        if rows.len() != self.len() {
            return false;
        }
        let mut store = Store::new(self.rows.width());
        rows.for_each(|row| store.push(row));
        self.rows = store.rows().clone();
        self.first = store.first().to_vec();
        self.sums = store.sums().to_vec();
        self.fresh = Some(store);
        true
    }

    /// Whether contributions that come meanwhile need other rows, too.
    #[must_use]
    pub fn replaced(&self) -> bool {
        self.fresh.is_some()
    }

    /// Does the work. None if stopped: then this is worth nothing.
    #[must_use]
    pub fn work(&mut self, alive: &dyn Fn() -> bool) -> Option<()> {
        let pool = self.old.frame.pool;
        let mut frame = Frame::around(&self.sums, self.len(), self.old.frame.cut, pool);
        let mut work = self.copies();
        self.done.micros = work.micros.len() as u32;
        let mut leaders = frame.all(&self.rows, work.micros.iter().map(|m| m.leader as usize));
        let cut = cut_of(&self.sample(&frame), self.rows.width(), self.granularity);
        frame.cut = cut.unwrap_or(frame.cut);
        let cut = frame.cut;
        self.done.cut = cut;
        if !alive() {
            return None;
        }
        if work.micros.len() > self.most {
            let heads = condense(&work.micros, &leaders, self.rows.width(), cut, self.most);
            work.join(&heads);
            self.done.condensed = self.done.micros - work.micros.len() as u32;
            leaders = frame.all(&self.rows, work.micros.iter().map(|m| m.leader as usize));
        }
        let mut state = State::new(frame.clone(), self.rows.width());
        state.micro_of = self.old.micro_of.iter().map(|m| work.went(*m)).collect();
        state.micros = work.micros;
        let means = means(&state, &self.rows, leaders);
        let compared = self.compared(&state);
        self.done.waiting = (state.micros.len() - compared.len()) as u32;
        self.gathered(&mut state, &means, &compared, alive)?;
        self.computed(&mut state, None);
        if !alive() {
            return None;
        }
        self.second_pass(&mut state, &means, &compared, alive)?;
        self.old = state;
        Some(())
    }

    /// Some of the different rows, evenly from all that came. Not the leaders of micro-clusters: those lie apart from each other.
    fn sample(&self, frame: &Frame) -> Vec<i16> {
        let firsts = (0u32..).zip(&self.first).filter(|(at, first)| at == *first);
        let different: Vec<usize> = firsts.map(|(at, _)| at as usize).collect();
        let sampled = different.len().min(POOL);
        let places = (0..sampled).map(|i| different[i * different.len() / sampled]);
        frame.all(&self.rows, places)
    }

    /// Micro-clusters of which the rows are the same are taken together, if no link forbids it.
    fn copies(&self) -> Work {
        let mut heads: Vec<u32> = (0..self.old.micros.len() as u32).collect();
        let mut sides = self.sides.by_micro(&self.old.micro_of);
        let mut known: HashMap<u32, u32> = HashMap::new();
        for (at, micro) in (0u32..).zip(&self.old.micros) {
            if micro.count == 0 || micro.pinned {
                continue;
            }
            let Some(first) = self.first.get(micro.leader as usize) else {
                continue;
            };
            let head = *known.entry(*first).or_insert(at);
            if head != at && self.same_owner(head, at) && sides.join(head, at) {
                heads[at as usize] = head;
            }
        }
        let mut work = Work {
            micros: self.old.micros.clone(),
            went: (0..self.old.micros.len() as u32).collect(),
        };
        work.join(&heads);
        work
    }

    fn owner(&self, group: u32) -> u32 {
        let id = self.ids.get(group as usize).copied().unwrap_or_default();
        if self.named.contains(&id) {
            id
        } else {
            0
        }
    }

    fn same_owner(&self, one: u32, two: u32) -> bool {
        let group = |at: u32| self.old.micros.get(at as usize).map_or(0, |m| m.group);
        let (one, two) = (self.owner(group(one)), self.owner(group(two)));
        one == 0 || two == 0 || one == two
    }

    /// The micro-clusters that are compared: all, or those of the groups that have waited longest, the larger first.
    fn compared(&self, state: &State) -> Vec<u32> {
        let all = 0..state.micros.len() as u32;
        if state.micros.len() <= self.most {
            return all.collect();
        }
        let mut groups: HashMap<u32, Vec<u32>> = HashMap::new();
        for (at, micro) in (0u32..).zip(&state.micros) {
            groups.entry(micro.group).or_default().push(at);
        }
        let mut order: Vec<u32> = groups.keys().copied().collect();
        order.sort_by_key(|at| {
            let group = self.old.groups.get(*at as usize);
            group.map(|g| (g.looked, std::cmp::Reverse(g.count), *at))
        });
        let mut compared = Vec::with_capacity(self.most);
        for group in order {
            let members = groups.remove(&group).unwrap_or_default();
            if compared.len() + members.len() <= self.most {
                compared.extend(members);
            }
        }
        compared.sort_unstable();
        compared
    }

    /// Gathers the compared; all others keep together as they were.
    fn gathered(
        &self,
        state: &mut State,
        means: &[i16],
        compared: &[u32],
        alive: &dyn Fn() -> bool,
    ) -> Option<()> {
        let labels = self.labels(state, means, compared, alive)?;
        let mut groups: Vec<Group> = Vec::new();
        let labelled: HashMap<u32, u32> = compared.iter().copied().zip(labels).collect();
        let mut places: HashMap<(bool, u32), u32> = HashMap::new();
        for (at, micro) in (0u32..).zip(&mut state.micros) {
            let label = labelled.get(&at).copied();
            let key = (label.is_some(), label.unwrap_or(micro.group));
            let looked = match label {
                Some(_) => self.round,
                None => self
                    .old
                    .groups
                    .get(micro.group as usize)
                    .map_or(0, |g| g.looked),
            };
            micro.group = *places.entry(key).or_insert_with(|| {
                groups.push(Group {
                    looked,
                    ..Group::default()
                });
                groups.len() as u32 - 1
            });
        }
        state.means = vec![0; groups.len() * self.rows.width()];
        state.limits = vec![0; groups.len()];
        state.groups = groups;
        Some(())
    }

    /// The clusters of some micro-clusters.
    fn labels(
        &self,
        state: &State,
        means: &[i16],
        some: &[u32],
        alive: &dyn Fn() -> bool,
    ) -> Option<Vec<u32>> {
        let width = self.rows.width();
        let micros: Vec<&Micro> = some
            .iter()
            .filter_map(|at| state.micros.get(*at as usize))
            .collect();
        let counts: Vec<u32> = micros.iter().map(|m| m.count).collect();
        // A leader's group before says whose micro-cluster this is: micro-clusters of two named themes were never put together.
        let leaders = micros
            .iter()
            .map(|m| self.old.group_of(m.leader).unwrap_or_default());
        let owners: Vec<u32> = leaders.map(|group| self.owner(group)).collect();
        let rows: Vec<i16> = some
            .iter()
            .flat_map(|at| {
                means
                    .get(*at as usize * width..(*at as usize + 1) * width)
                    .unwrap_or_default()
            })
            .copied()
            .collect();
        let apart = self.sides.pairs(&state.micro_of, some);
        let nodes = Nodes {
            means: &rows,
            width,
            counts: &counts,
            owners: &owners,
            apart: &apart,
        };
        gather(&nodes, state.frame.cut, alive)
    }

    /// Sums, means, spreads, limits, of all groups or of some.
    fn computed(&self, state: &mut State, only: Option<&BTreeSet<u32>>) {
        let members = state.members();
        let (frame, mut scratch) = (state.frame.clone(), Scratch::default());
        for (group, members) in (0u32..).zip(&members) {
            if only.is_none_or(|only| only.contains(&group)) {
                state.refresh(group, members, |at, out| {
                    frame.centre(self.rows.get(at as usize), &mut scratch, out);
                });
            }
        }
        let spreads = state.groups.iter().map(|group| &group.spread);
        state.frame.pool = Pool::of(spreads, state.frame.cut);
        state.relimit();
    }

    /// What fits its group worst is set apart.
    fn second_pass(
        &mut self,
        state: &mut State,
        means: &[i16],
        compared: &[u32],
        alive: &dyn Fn() -> bool,
    ) -> Option<()> {
        let mut apart: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        for at in compared {
            let Some(micro) = state.micros.get(*at as usize) else {
                continue;
            };
            *sizes.entry(micro.group).or_default() += 1;
            if below(state, micro, *at, means) {
                apart.entry(micro.group).or_default().push(*at);
            }
        }
        let mut order: Vec<u32> = apart.keys().copied().collect();
        order.sort_unstable();
        let mut touched = BTreeSet::new();
        for group in order {
            let out = apart.remove(&group).unwrap_or_default();
            if sizes.get(&group) == Some(&out.len()) {
                continue;
            }
            let labels = self.labels(state, means, &out, alive)?;
            let first = state.groups.len() as u32;
            touched.insert(group);
            for (at, label) in out.iter().zip(&labels) {
                if let Some(micro) = state.micros.get_mut(*at as usize) {
                    micro.group = first + label;
                    self.done.set_apart += micro.count;
                }
            }
            for label in 0..labels.iter().map(|label| label + 1).max().unwrap_or(0) {
                touched.insert(first + label);
                state.groups.push(Group {
                    looked: self.round,
                    ..Group::default()
                });
            }
        }
        state
            .means
            .resize(state.groups.len() * self.rows.width(), 0);
        state.limits.resize(state.groups.len(), 0);
        if !touched.is_empty() {
            self.computed(state, Some(&touched));
        }
        Some(())
    }

    /// Places up to `most` contributions that came meanwhile; how many are left to place. Only for rows that were not replaced.
    pub fn catch_up(&mut self, live: &Live, most: usize) -> usize {
        let all = live.store.rows().len();
        let until = all.min(self.len().saturating_add(most));
        for at in self.len()..until {
            let first = live.store.first().get(at).copied().unwrap_or_default();
            self.old.place(live.store.rows().get(at), first, 0);
            self.done.caught_up += 1;
        }
        all - until
    }

    /// Places the next contribution that came meanwhile, by its other row.
    pub fn follow(&mut self, row: &[i16]) {
        if let Some(store) = &mut self.fresh {
            store.push(row);
            let at = self.old.micro_of.len();
            let first = store.first().get(at).copied().unwrap_or_default();
            self.old.place(row, first, 0);
            self.done.caught_up += 1;
        }
    }

    /// Puts the result in place of the state.
    ///
    /// # Errors
    /// The facilitator acted meanwhile, or rows that were replaced are missing: nothing has changed.
    pub fn finish(mut self, live: &mut Live) -> Result<Done, Stale> {
        if self.turn != live.turn || self.round != live.round + 1 {
            return Err(Stale);
        }
        if self.fresh.is_none() {
            self.catch_up(live, usize::MAX);
        }
        if self.len() != live.store.rows().len() {
            return Err(Stale);
        }
        let old = |at: u32| {
            let group = live.state.group_of(at).unwrap_or_default();
            live.state.groups.get(group as usize).map_or(0, |g| g.id)
        };
        let contributions = 0..self.len() as u32;
        let pairs = contributions.map(|at| (old(at), self.old.group_of(at).unwrap_or_default()));
        let pairs: Vec<(u32, u32)> = pairs.collect();
        let (groups, settled) = (self.old.groups.len(), self.done.contributions as usize);
        let found = identify(&pairs, settled, groups, &self.named, &mut live.next);
        for (group, id) in self.old.groups.iter_mut().zip(found.ids) {
            group.id = id;
        }
        self.done.changes = found.changes;
        self.done.moved = found.moved;
        if let Some(store) = self.fresh {
            live.store = store;
        }
        live.round = self.round;
        live.state = self.old;
        Ok(self.done)
    }
}

impl Work {
    /// Puts micro-clusters together, each with its head (or the head's head), and numbers those that are left anew.
    fn join(&mut self, heads: &[u32]) {
        let root = |mut at: u32| {
            while let Some(head) = heads.get(at as usize).filter(|head| **head != at) {
                at = *head;
            }
            at
        };
        let mut counts = vec![0u32; self.micros.len()];
        for (at, micro) in (0u32..).zip(&self.micros) {
            counts[root(at) as usize] += micro.count;
        }
        let (mut places, mut left) = (vec![u32::MAX; self.micros.len()], Vec::new());
        for ((at, micro), count) in (0u32..).zip(&self.micros).zip(&counts) {
            if root(at) == at && *count > 0 {
                places[at as usize] = left.len() as u32;
                left.push(Micro {
                    count: *count,
                    ..*micro
                });
            }
        }
        for place in &mut self.went {
            *place = places
                .get(root(*place) as usize)
                .copied()
                .unwrap_or(u32::MAX);
        }
        self.micros = left;
    }

    fn went(&self, micro: u32) -> u32 {
        self.went.get(micro as usize).copied().unwrap_or(u32::MAX)
    }
}

/// The mean row of each micro-cluster: its leader's, if all its rows are that.
fn means(state: &State, rows: &Rows, leaders: Vec<i16>) -> Vec<i16> {
    let (width, mut means) = (rows.width(), leaders);
    let several: HashSet<u32> = (0u32..)
        .zip(&state.micros)
        .filter(|(_, micro)| micro.count > 1)
        .map(|(at, _)| at)
        .collect();
    if several.is_empty() {
        return means;
    }
    let mut sums: HashMap<u32, Vec<i64>> = HashMap::new();
    let (mut scratch, mut row) = (Scratch::default(), vec![0; width]);
    for (at, micro) in state.micro_of.iter().enumerate() {
        if several.contains(micro) {
            state.frame.centre(rows.get(at), &mut scratch, &mut row);
            let sum = sums.entry(*micro).or_insert_with(|| vec![0; width]);
            sum.iter_mut()
                .zip(&row)
                .for_each(|(s, x)| *s += i64::from(*x));
        }
    }
    for (at, sum) in sums {
        let start = at as usize * width;
        let count = state.micros.get(at as usize).map_or(1, |micro| micro.count);
        if let Some(mean) = means.get_mut(start..start + width) {
            rounded(&sum, count, mean);
        }
    }
    means
}

/// Whether a micro-cluster's average similarity to the rest of its group is below that group's limit.
fn below(state: &State, micro: &Micro, at: u32, means: &[i16]) -> bool {
    let width = state.width();
    let start = at as usize * width;
    let (Some(group), Some(mean)) = (
        state.groups.get(micro.group as usize),
        means.get(start..start + width),
    ) else {
        return false;
    };
    let others = i64::from(group.count) - i64::from(micro.count);
    if group.count < 3 || others <= 0 {
        return false;
    }
    let scan = Scan::new();
    let own = i64::from(micro.count) * i64::from(scan.one(mean, mean));
    let average = (scan.sum(mean, &group.sum) - own).div_euclid(others);
    let limit = state
        .limits
        .get(micro.group as usize)
        .copied()
        .unwrap_or(i32::MIN);
    average < i64::from(limit)
}
