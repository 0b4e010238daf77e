//! How many panels meet the quotas, how many of them seat each person, and which one is drawn if all are equally likely?
//!
//! Counting by dynamic programming over people, the state being the seats of each counted value so far (see [`states`](super::states)); the idea of
//! counting panels along the vector of feature counts, with rejection for features that are left out, is that of de Azevedo and Gölz, «Maximally
//! Random Sortition», arXiv 2604.02712, 2026. A panel is a set of people. Each may be weighed: then a panel counts as often as the
//! product of its members' weights, and drawing is in proportion to that (an exponential family).
//!
//! Guarantees: counts and draws are exact, in integers; a panel is drawn with its share of the total, and of those drawn one that breaks a quota
//! of a feature left out is rejected, so that what remains is exactly uniform (or weighed) over the panels that keep all. Cost: one
//! addition of integers a state and person; tables are kept once a class.

use num_bigint::BigUint;
use num_traits::{One, Zero};

use super::amount::{big, Amount, Words};
use super::drawing::Drawer;
use super::states::{States, Window};
use super::stream::Stream;

#[derive(Debug, Clone)]
struct Table<A> {
    window: Window,
    data: Vec<A>,
}

/// For each class and each state before it: the (weighted) ways to go on to a panel.
#[derive(Debug, Clone)]
pub struct Counts<A: Amount> {
    states: States,
    weights: Vec<A::Weight>,
    /// Before each class, and after the last. Empty if there is no panel.
    tables: Vec<Table<A>>,
}

/// The way in which a table is filled from its neighbour.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Back,
    Forth,
}

impl<A: Amount> Counts<A> {
    /// Fills the tables; `weights` has one entry a class. None if `alive` says no.
    #[must_use]
    pub fn build(
        states: States,
        weights: Vec<A::Weight>,
        alive: &dyn Fn() -> bool,
    ) -> Option<Self> {
        let mut counts = Self {
            states,
            weights,
            tables: Vec::new(),
        };
        let people = counts.states.people();
        let Some(end) = counts.states.window(people).cloned() else {
            return Some(counts);
        };
        let mut data = vec![A::zero(); end.size()];
        let states = &counts.states;
        end.rows(|at, place| {
            // The last coordinate has one value at the end: all seats.
            if states.allowed(at) {
                data[place] = A::one();
            }
        });
        let mut tables = vec![Table { window: end, data }];
        for class in (0..states.classes.len()).rev() {
            let step = states.step(class);
            let mut present = states
                .before_reset(class)
                .map(|window| expanded(&tables[tables.len() - 1], window));
            for p in (states.starts[class]..states.starts[class + 1]).rev() {
                let from = present.as_ref().unwrap_or(&tables[tables.len() - 1]);
                let window = states.window(p)?;
                present = Some(stepped(
                    from,
                    window,
                    &step,
                    counts.weights[class],
                    Way::Back,
                ));
                if !alive() {
                    return None;
                }
            }
            tables.extend(present);
        }
        tables.reverse();
        counts.tables = tables;
        Some(counts)
    }

    /// What is counted.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.states
    }

    /// The (weighted) number of panels; None if there is none.
    #[must_use]
    pub fn total(&self) -> Option<&A> {
        self.tables.first().map(|t| &t.data[0])
    }

    /// For each class and s = 0, 1, …: the (weighted) ways to fill the panel's other seats from the other classes, if this class has s. Empty if
    /// there is no panel; None if `alive` says no.
    #[must_use]
    pub fn occupancy(&self, alive: &dyn Fn() -> bool) -> Option<Vec<Vec<A::Sum>>> {
        let Some(first) = self.tables.first() else {
            return Some(Vec::new());
        };
        let mut before = Table {
            window: first.window.clone(),
            data: vec![A::one(); first.data.len()],
        };
        let mut all = Vec::with_capacity(self.states.classes.len());
        for class in 0..self.states.classes.len() {
            let step = self.states.step(class);
            all.push(self.ways_around(class, &before, &step));
            let reset = self.states.before_reset(class);
            for p in self.states.starts[class] + 1..=self.states.starts[class + 1] {
                let ends = p == self.states.starts[class + 1];
                let window = match &reset {
                    Some(window) if ends => window,
                    _ => self.states.window(p)?,
                };
                before = stepped(&before, window, &step, self.weights[class], Way::Forth);
                if !alive() {
                    return None;
                }
            }
            if reset.is_some() {
                before = collapsed(&before, self.states.window(self.states.starts[class + 1])?);
            }
        }
        Some(all)
    }

    fn ways_around(&self, class: usize, before: &Table<A>, step: &[u32]) -> Vec<A::Sum> {
        let people = self.states.classes[class].people.min(self.states.size);
        let mut ways = vec![A::Sum::default(); people as usize + 1];
        let width = before.window.len[step.len() - 1];
        before.window.rows(|row, place| {
            let mut at = row.to_vec();
            for i in 0..width {
                let amount = &before.data[place + i as usize];
                if !amount.is_zero() {
                    for (s, sum) in (0..).zip(&mut ways) {
                        if let Some(after) = self.after(class, &at, step, s) {
                            A::add_product(sum, amount, after);
                        }
                    }
                }
                at[step.len() - 1] += 1;
            }
        });
        ways
    }

    /// The ways to go on after `seats` seats for a class, from the state before it; None where there are none.
    fn after(&self, class: usize, at: &[u32], step: &[u32], seats: u32) -> Option<&A> {
        let table = &self.tables[class + 1];
        let place = match self.states.ends(class) {
            None => table.window.place(at, step, seats)?,
            Some((lo, hi)) => {
                let present = at.len() - 2;
                let now = at[present] + seats;
                if now < lo || now > hi {
                    return None;
                }
                // The value is done, and its seats are forgotten.
                let (mut at, mut step) = (at.to_vec(), step.to_vec());
                (at[present], step[present]) = (0, 0);
                table.window.place(&at, &step, seats)?
            }
        };
        let amount = &table.data[place];
        (!amount.is_zero()).then_some(amount)
    }
}

/// The table as seen before a value's seats are forgotten.
fn expanded<A: Amount>(table: &Table<A>, window: Window) -> Table<A> {
    let present = window.lo.len() - 2;
    let (first, last) = window.last();
    let none = vec![0; window.lo.len()];
    let mut data = vec![A::zero(); window.size()];
    window.rows(|row, place| {
        let mut at = row.to_vec();
        at[present] = 0;
        if let Some(from) = table.window.row(&at, &none, false) {
            let width = (last - first + 1) as usize;
            data[place..place + width].clone_from_slice(&table.data[from..from + width]);
        }
    });
    Table { window, data }
}

/// The table after a value's seats are forgotten.
fn collapsed<A: Amount>(table: &Table<A>, window: &Window) -> Table<A> {
    let present = window.lo.len() - 2;
    let none = vec![0; window.lo.len()];
    let mut data = vec![A::zero(); window.size()];
    let width = window.len[present + 1] as usize;
    table.window.rows(|row, from| {
        let mut at = row.to_vec();
        at[present] = 0;
        if let Some(place) = window.row(&at, &none, false) {
            for i in 0..width {
                data[place + i].add_times(&table.data[from + i], A::UNIT);
            }
        }
    });
    Table {
        window: window.clone(),
        data,
    }
}

/// The table one person further on: with them and without.
fn stepped<A: Amount>(
    from: &Table<A>,
    window: &Window,
    step: &[u32],
    weight: A::Weight,
    way: Way,
) -> Table<A> {
    let mut data = vec![A::zero(); window.size()];
    let none = vec![0; step.len()];
    let (first, last) = window.last();
    let (lowest, highest) = from.window.last();
    window.rows(|at, place| {
        if let Some(row) = from.window.row(at, &none, false) {
            for t in first.max(lowest)..=last.min(highest) {
                data[place + (t - first) as usize] = from.data[row + (t - lowest) as usize].clone();
            }
        }
        if let Some(row) = from.window.row(at, step, way == Way::Forth) {
            // With the person the other table is looked at one seat higher, or lower.
            for t in first..=last {
                let other = if way == Way::Back {
                    Some(t + 1)
                } else {
                    t.checked_sub(1)
                };
                if let Some(other) = other.filter(|o| (lowest..=highest).contains(o)) {
                    data[place + (t - first) as usize]
                        .add_times(&from.data[row + (other - lowest) as usize], weight);
                }
            }
        }
    });
    Table {
        window: window.clone(),
        data,
    }
}

/// Who the people of the classes are, and the features that are not counted.
#[derive(Debug, Clone)]
pub struct Members {
    /// The people of each class.
    pub people: Vec<Vec<u32>>,
    /// Each person's cells of the features left out.
    pub cells: Vec<Vec<u32>>,
    /// The cells of the features left out.
    pub rest: Vec<u32>,
    /// Lowest seats of every cell.
    pub lo: Vec<u32>,
    /// Highest seats of every cell.
    pub hi: Vec<u32>,
}

/// Draws panels in proportion to their counts.
pub struct Sampler<'a, const L: usize> {
    counts: &'a Counts<Words<L>>,
    members: &'a Members,
    total: BigUint,
    steps: Vec<Vec<u32>>,
    /// For each class and number of seats: the ways to choose its members, weighed.
    ways: Vec<Vec<BigUint>>,
    /// For each class the numbers of seats it may have, from its proportional share outwards: the sooner a rank is found, the fewer long products.
    likely: Vec<Vec<u32>>,
    at: Vec<u32>,
    seats: Vec<u32>,
    panel: Vec<u32>,
    order: Vec<u32>,
}

impl<const L: usize> Counts<Words<L>> {
    /// The number of panels.
    #[must_use]
    pub fn number(&self) -> BigUint {
        self.total().map_or_else(BigUint::zero, Words::to_big)
    }

    /// As [`Counts::occupancy`], as numbers of any length.
    #[must_use]
    pub fn big_occupancy(&self, alive: &dyn Fn() -> bool) -> Option<Vec<Vec<BigUint>>> {
        let all = self.occupancy(alive)?;
        Some(
            all.iter()
                .map(|ways| ways.iter().map(|w| big(w)).collect())
                .collect(),
        )
    }

    /// A thread's means to draw; there must be a panel.
    #[must_use]
    pub fn sampler<'a>(&'a self, members: &'a Members) -> Sampler<'a, L> {
        let ways = self
            .states
            .classes
            .iter()
            .zip(&self.weights)
            .map(|(class, &w)| {
                let mut row = vec![BigUint::one()];
                for s in 1..=class.people.min(self.states.size) {
                    let next = &row[s as usize - 1] * (class.people - s + 1) * w / s;
                    row.push(next);
                }
                row
            });
        Sampler {
            counts: self,
            members,
            total: self.number(),
            steps: (0..self.states.classes.len())
                .map(|k| self.states.step(k))
                .collect(),
            ways: ways.collect(),
            likely: self
                .states
                .classes
                .iter()
                .map(|k| self.outwards(k.people))
                .collect(),
            at: vec![0; self.states.dimensions()],
            seats: vec![0; members.lo.len()],
            panel: Vec::with_capacity(self.states.size as usize),
            order: Vec::new(),
        }
    }
}

impl<const L: usize> Counts<Words<L>> {
    fn outwards(&self, people: u32) -> Vec<u32> {
        let size = self.states.size;
        let share = u64::from(people) * u64::from(size) / u64::from(self.states.people().max(1));
        let mut seats: Vec<u32> = (0..=people.min(size)).collect();
        seats.sort_by_key(|&s| (share.abs_diff(u64::from(s)), s));
        seats
    }
}

impl<const L: usize> Drawer for Sampler<'_, L> {
    fn attempt(&mut self, stream: &mut Stream) -> bool {
        self.at.fill(0);
        self.seats.fill(0);
        self.panel.clear();
        let mut rank = stream.below_big(&self.total);
        for class in 0..self.steps.len() {
            let Some((seats, rest)) = self.seats_of(class, &rank) else {
                unreachable!("a rank above the number of panels");
            };
            rank = rest;
            for (x, step) in self.at.iter_mut().zip(&self.steps[class]) {
                *x += seats * step;
            }
            if self.counts.states.ends(class).is_some() {
                let present = self.at.len() - 2;
                self.at[present] = 0;
            }
            if !self.seat(class, seats, stream) {
                return false;
            }
        }
        let Members { rest, lo, .. } = self.members;
        rest.iter()
            .all(|&c| self.seats[c as usize] >= lo[c as usize])
    }

    fn panel(&self) -> &[u32] {
        &self.panel
    }
}

impl<const L: usize> Sampler<'_, L> {
    /// The seats of a class in the panel of this rank, and the rank among the ways to go on.
    fn seats_of(&self, class: usize, rank: &BigUint) -> Option<(u32, BigUint)> {
        let mut rank = rank.clone();
        for &s in &self.likely[class] {
            let ways = &self.ways[class][s as usize];
            let Some(after) = self.counts.after(class, &self.at, &self.steps[class], s) else {
                continue;
            };
            let after = after.to_big();
            let here = ways * &after;
            if rank < here {
                return Some((s, rank % after));
            }
            rank -= here;
        }
        None
    }

    /// Chooses that many members, each set equally likely; false if a maximum of a feature left out is broken.
    fn seat(&mut self, class: usize, seats: u32, stream: &mut Stream) -> bool {
        self.order.clear();
        self.order.extend_from_slice(&self.members.people[class]);
        for i in 0..seats as usize {
            let left = (self.order.len() - i) as u64;
            // One person of one needs no chance.
            let other = i + if left > 1 {
                stream.below(left) as usize
            } else {
                0
            };
            self.order.swap(i, other);
            let person = self.order[i];
            self.panel.push(person);
            for &c in &self.members.cells[person as usize] {
                self.seats[c as usize] += 1;
                if self.seats[c as usize] > self.members.hi[c as usize] {
                    return false;
                }
            }
        }
        true
    }
}
