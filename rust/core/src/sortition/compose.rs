//! A panel made from nothing for what types are owed, in time proportional to the people.
//!
//! The question: among tens of thousands of people, which panel serves those who are owed most? Method: Lagrangian relaxation (Held and
//! Karp 1970; Fisher 1981). Each cell has a price; a seat's score is what its type is owed less the prices of its cells, and the seats
//! with the highest scores are taken; prices rise where a quota is exceeded and fall where one is missed, and are kept from panel to
//! panel. What is still wrong after a few rounds (a seat here and there) is put right feature by feature: a seated type gives way to the one like it
//! but for the value that is missing.
//!
//! It guarantees that a panel that it returns keeps the rules; it may find none, and the best is not promised. One thread, no
//! randomness; rounds × people × features additions a panel.

use super::rules::Rules;

/// Rounds of price changes for one panel.
const ROUNDS: usize = 12;
/// A price moves by this part of what should put its cell right by itself (people stand evenly between just served and next to be
/// served, so a price of worth/n_c moves one seat); less whenever a round makes things worse.
const STEP: f64 = 0.3;
/// People next to be served that are looked at where nobody seated has a twin with the missing value.
const NEXT: usize = 600;
/// Where more seats than this are wrong, exchanges would not end well.
const MOST_REPAIRS: u32 = 80;

/// Prices, and room to work in.
#[derive(Debug, Clone)]
pub struct Composer {
    prices: Vec<f64>,
    /// (type, place among its people): one for each person who may sit.
    units: Vec<(u32, u32)>,
    scores: Vec<f64>,
    order: Vec<u32>,
    totals: Vec<u32>,
    /// Fewest and most seats of each cell in the panel that is being made.
    low: Vec<u32>,
    high: Vec<u32>,
    /// People of each cell.
    people: Vec<f64>,
}

impl Composer {
    /// For the people of these rules.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let units: Vec<(u32, u32)> = (0..rules.types() as u32)
            .flat_map(|t| (0..rules.type_max[t as usize]).map(move |place| (t, place)))
            .collect();
        let mut people = vec![0.0; rules.cell_min.len()];
        for &(t, _) in &units {
            for &c in rules.cells_of(t) {
                people[c as usize] += 1.0;
            }
        }
        Self {
            people,
            prices: vec![0.0; rules.cell_min.len()],
            scores: vec![0.0; units.len()],
            order: (0..units.len() as u32).collect(),
            totals: vec![0; rules.cell_min.len()],
            low: rules.cell_min.clone(),
            high: rules.cell_max.clone(),
            units,
        }
    }

    /// A panel (seats by type) for what each type is owed, in seats, with from `low` to `high` seats in each cell; None if repairs end
    /// short of one. Nobody whose turn is further off than `patience` fills in for others.
    pub fn compose(
        &mut self,
        rules: &Rules,
        owed: &[f64],
        (low, high): (&[u32], &[u32]),
        patience: f64,
    ) -> Option<Vec<u32>> {
        self.low.copy_from_slice(low);
        self.high.copy_from_slice(high);
        let mut step = STEP;
        let mut best: (u32, Vec<u32>) = (u32::MAX, Vec::new());
        for _ in 0..ROUNDS {
            let seats = self.take(rules, owed);
            let wrong = self.count_wrong();
            if wrong < best.0 {
                best = (wrong, seats);
            } else {
                step *= 0.7;
            }
            if wrong <= rules.size / 20 {
                break;
            }
            self.reprice(step);
        }
        let mut seats = best.1;
        self.count(rules, &seats);
        self.repair(rules, owed, -patience, &mut seats)
            .then_some(seats)
    }

    /// The seats with the highest scores; their totals are counted.
    fn take(&mut self, rules: &Rules, owed: &[f64]) -> Vec<u32> {
        let mut price = vec![0.0; rules.types()];
        for (t, price) in price.iter_mut().enumerate() {
            *price = rules
                .cells_of(t as u32)
                .iter()
                .map(|&c| self.prices[c as usize])
                .sum();
        }
        for (score, &(t, place)) in self.scores.iter_mut().zip(&self.units) {
            let t = t as usize;
            // Seats that every panel has come first. For the others, each further seat of a type is worth less: what lowers Σ owed² most.
            *score = if place < rules.type_min[t] {
                f64::INFINITY
            } else {
                owed[t] - price[t] - f64::from(place)
            };
        }
        let size = rules.size as usize;
        let scores = &self.scores;
        let by_score = |a: &u32, b: &u32| {
            scores[*b as usize]
                .total_cmp(&scores[*a as usize])
                .then(a.cmp(b))
        };
        if size < self.order.len() {
            self.order.select_nth_unstable_by(size, by_score);
            let rest = &mut self.order[size..];
            if NEXT < rest.len() {
                rest.select_nth_unstable_by(NEXT, by_score);
            }
        }
        let mut seats = vec![0; rules.types()];
        for &unit in &self.order[..size] {
            seats[self.units[unit as usize].0 as usize] += 1;
        }
        self.count(rules, &seats);
        seats
    }

    fn count(&mut self, rules: &Rules, seats: &[u32]) {
        self.totals.fill(0);
        for (t, &s) in seats.iter().enumerate().filter(|(_, &s)| s > 0) {
            for &c in rules.cells_of(t as u32) {
                self.totals[c as usize] += s;
            }
        }
    }

    /// Seats above a maximum or missing to a minimum, over all cells.
    fn count_wrong(&self) -> u32 {
        (0..self.totals.len())
            .map(|c| {
                self.totals[c].saturating_sub(self.high[c])
                    + self.low[c].saturating_sub(self.totals[c])
            })
            .sum()
    }

    fn reprice(&mut self, step: f64) {
        for (c, price) in self.prices.iter_mut().enumerate() {
            let over = f64::from(self.totals[c].saturating_sub(self.high[c]));
            let under = f64::from(self.low[c].saturating_sub(self.totals[c]));
            *price += step * (over - under) / self.people[c].max(1.0);
        }
    }

    /// Exchanges seated types for others alike but for one feature, until every quota is kept.
    fn repair(&mut self, rules: &Rules, owed: &[f64], earliest: f64, seats: &mut [u32]) -> bool {
        let mut seated: Vec<u32> = (0..seats.len() as u32)
            .filter(|&t| seats[t as usize] > 0)
            .collect();
        // Each exchange puts at least one seat right, so more than are wrong now are never needed.
        let wrong = self.count_wrong();
        if wrong > MOST_REPAIRS {
            return false;
        }
        for _ in 0..=wrong {
            let Some((from, to)) = self.wrong_pair(rules) else {
                return rules.allows(seats);
            };
            let feature = rules.feature_of[from];
            let mut best: Option<(f64, u32, u32)> = None;
            for &s in &seated {
                if rules.cells_of(s)[feature] as usize != from
                    || seats[s as usize] <= rules.type_min[s as usize]
                {
                    continue;
                }
                for d in rules.with_cell(s, feature, to as u32) {
                    let gain = owed[d as usize] - owed[s as usize];
                    if seats[d as usize] < rules.type_max[d as usize]
                        && owed[d as usize] > earliest
                        && best.is_none_or(|(g, ..)| gain > g)
                    {
                        best = Some((gain, s, d));
                    }
                }
            }
            let Some((_, s, d)) = best.or_else(|| self.widest(rules, owed, seats, &seated)) else {
                return false;
            };
            seats[s as usize] -= 1;
            seats[d as usize] += 1;
            if seats[s as usize] == 0 {
                seated.retain(|&t| t != s);
            }
            if seats[d as usize] == 1 {
                seated.push(d);
            }
            for (&a, &b) in rules.cells_of(s).iter().zip(rules.cells_of(d)) {
                self.totals[a as usize] -= 1;
                self.totals[b as usize] += 1;
            }
        }
        false
    }

    /// Of the exchanges with the next to be served, the one after which least is wrong, if that is less than now; of those the one with
    /// the highest gain.
    fn widest(
        &self,
        rules: &Rules,
        owed: &[f64],
        seats: &[u32],
        seated: &[u32],
    ) -> Option<(f64, u32, u32)> {
        let size = rules.size as usize;
        let next = &self.order[size..(size + NEXT).min(self.order.len())];
        // How much more is wrong with one seat less, or more, in each cell.
        let wrong = |c: usize, n: u32| {
            i64::from(n.saturating_sub(self.high[c])) + i64::from(self.low[c].saturating_sub(n))
        };
        let change = |c: usize, n: u32| wrong(c, n) - wrong(c, self.totals[c]);
        let cells = 0..self.totals.len();
        let less: Vec<i64> = cells
            .clone()
            .map(|c| change(c, self.totals[c].saturating_sub(1)))
            .collect();
        let more: Vec<i64> = cells.map(|c| change(c, self.totals[c] + 1)).collect();
        let mut best: Option<(i64, f64, u32, u32)> = None;
        for &unit in next {
            let (d, _) = self.units[unit as usize];
            if seats[d as usize] >= rules.type_max[d as usize] {
                continue;
            }
            for &s in seated {
                if seats[s as usize] <= rules.type_min[s as usize] {
                    continue;
                }
                let pairs = rules.cells_of(s).iter().zip(rules.cells_of(d));
                let effect: i64 = pairs
                    .filter(|(a, b)| a != b)
                    .map(|(&a, &b)| less[a as usize] + more[b as usize])
                    .sum();
                let gain = owed[d as usize] - owed[s as usize];
                if effect < 0
                    && best.is_none_or(|(e, g, ..)| effect < e || (effect == e && gain > g))
                {
                    best = Some((effect, gain, s, d));
                }
            }
        }
        best.map(|(_, gain, s, d)| (gain, s, d))
    }

    /// A cell with a seat to give and one of the same feature that needs it, where one of the two is wrong.
    fn wrong_pair(&self, rules: &Rules) -> Option<(usize, usize)> {
        let cells = 0..self.totals.len();
        let over = |c: &usize| self.totals[*c] > self.high[*c];
        let under = |c: &usize| self.totals[*c] < self.low[*c];
        if let Some(from) = cells.clone().find(over) {
            let same = |c: &usize| rules.feature_of[*c] == rules.feature_of[from] && *c != from;
            let room = |c: &usize| self.totals[*c] < self.high[*c];
            let to = cells.clone().filter(same).find(under);
            let to = to.or_else(|| cells.clone().filter(same).find(room))?;
            return Some((from, to));
        }
        let to = cells.clone().find(under)?;
        let same = |c: &usize| rules.feature_of[*c] == rules.feature_of[to] && *c != to;
        let spare = |c: &usize| self.totals[*c] > self.low[*c];
        Some((cells.filter(same).find(spare)?, to))
    }
}
