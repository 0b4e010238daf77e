//! Who sits, if the panel is filled one by one with whoever is most urgently needed?
//!
//! The greedy draw that was the field's usual one before fair lotteries (LEGACY in the supplementary information of Flanigan, Gölz, Gupta,
//! Hennig and Procaccia, Nature 2021). Of all values of all features, take the one whose need, (minimum − seats it has) / (people of it still there),
//! is highest, the first of them if several are; a value that has more than its minimum needs less than nothing, or, as later versions of the
//! field's programmes have it, nothing ([`Surplus`]). Seat one of its people, each with equal chance; take everybody out whose value has reached its
//! maximum; go on. If a minimum can no longer be reached, or people run out, start again.
//!
//! Guarantees: every panel keeps the quotas; draw j depends on key and j alone, through integers by rejection. It promises nothing about fairness,
//! and on tight quotas it may start again without end: hence a limit. O(k·(cells + people/64) + features·cells·people/64) an attempt.

use super::drawing::Drawer;
use super::rules::RulesError;
use super::stream::Stream;

/// How a value counts that has more seats than its minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surplus {
    /// Its need is negative: those with a surplus come last.
    Negative,
    /// Its need is 0, as that of all values that have their minimum.
    Zero,
}

/// People, quotas and size, by person.
#[derive(Debug, Clone)]
pub struct Greedy {
    surplus: Surplus,
    /// Cells that are never looked for, only watched: a household's seats have a maximum and no need.
    passive: Vec<bool>,
    size: u32,
    people: usize,
    words: usize,
    cell_min: Vec<i64>,
    cell_max: Vec<i64>,
    /// The cells of person i, at i·features.
    cells: Vec<u32>,
    features: usize,
    /// For each cell a bit for each person who has it.
    members: Vec<u64>,
}

/// What one attempt works on.
#[derive(Debug)]
pub struct Board<'a> {
    greedy: &'a Greedy,
    /// A bit for each person who may still be seated.
    there: Vec<u64>,
    left: Vec<i64>,
    seated: Vec<i64>,
    panel: Vec<u32>,
}

impl Greedy {
    /// From each person's cells (one a feature), the cells' bounds, the rule for surpluses and which cells are only watched.
    ///
    /// # Errors
    /// [`RulesError::Shape`] when lengths differ or a cell is out of range.
    pub fn new(
        size: u32,
        people: &[Vec<u32>],
        cell_bounds: (&[u32], &[u32]),
        surplus: Surplus,
        passive: Vec<bool>,
    ) -> Result<Self, RulesError> {
        let (lo, hi) = cell_bounds;
        let features = people.first().map_or(0, Vec::len);
        let fits = lo.len() == hi.len()
            && passive.len() == lo.len()
            && features > 0
            && people
                .iter()
                .all(|p| p.len() == features && p.iter().all(|&c| (c as usize) < lo.len()));
        if !fits {
            return Err(RulesError::Shape);
        }
        let words = people.len().div_ceil(64);
        let mut members = vec![0; lo.len() * words];
        for (i, cells) in people.iter().enumerate() {
            for &c in cells {
                members[c as usize * words + i / 64] |= 1 << (i % 64);
            }
        }
        Ok(Self {
            surplus,
            passive,
            size,
            people: people.len(),
            words,
            cell_min: lo.iter().map(|&x| i64::from(x)).collect(),
            cell_max: hi.iter().map(|&x| i64::from(x)).collect(),
            cells: people.concat(),
            features,
            members,
        })
    }

    /// Number of people.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people
    }

    /// A thread's means to draw.
    #[must_use]
    pub fn board(&self) -> Board<'_> {
        Board {
            greedy: self,
            there: vec![0; self.words],
            left: vec![0; self.cell_min.len()],
            seated: vec![0; self.cell_min.len()],
            panel: Vec::with_capacity(self.size as usize),
        }
    }
}

impl Drawer for Board<'_> {
    fn attempt(&mut self, stream: &mut Stream) -> bool {
        let greedy = self.greedy;
        self.start();
        while self.panel.len() < greedy.size as usize {
            let Some(cell) = self.most_urgent() else {
                return false;
            };
            let place = stream.below(self.left[cell] as u64);
            let person = self.person_at(cell, place as u32);
            self.seat(person);
        }
        (0..greedy.cell_min.len()).all(|c| self.seated[c] >= greedy.cell_min[c])
    }

    fn panel(&self) -> &[u32] {
        &self.panel
    }
}

impl Board<'_> {
    fn start(&mut self) {
        let greedy = self.greedy;
        self.there.fill(u64::MAX);
        if !greedy.people.is_multiple_of(64) {
            self.there[greedy.words - 1] = (1 << (greedy.people % 64)) - 1;
        }
        self.seated.fill(0);
        self.panel.clear();
        for c in 0..greedy.cell_min.len() {
            if greedy.cell_max[c] == 0 {
                self.take_out(c);
            }
        }
        self.recount();
    }

    /// The cell with the highest ratio of need to people; None if nobody is left or a minimum is out of reach.
    fn most_urgent(&self) -> Option<usize> {
        let mut best: Option<(usize, i64, i64)> = None;
        for c in 0..self.left.len() {
            let (mut need, left) = (self.greedy.cell_min[c] - self.seated[c], self.left[c]);
            if need > left {
                return None;
            }
            if self.greedy.surplus == Surplus::Zero {
                need = need.max(0);
            }
            if left > 0
                && !self.greedy.passive[c]
                && best.is_none_or(|(_, n, l)| need * l > n * left)
            {
                best = Some((c, need, left));
            }
        }
        best.map(|(c, _, _)| c)
    }

    /// The person at a place, from 0, among those of the cell who are still there, in the people's order.
    fn person_at(&self, cell: usize, place: u32) -> usize {
        let greedy = self.greedy;
        let mut skip = place;
        let mine = &greedy.members[cell * greedy.words..(cell + 1) * greedy.words];
        for (w, (m, t)) in mine.iter().zip(&self.there).enumerate() {
            let mut bits = m & t;
            let here = bits.count_ones();
            if skip < here {
                for _ in 0..skip {
                    bits &= bits - 1;
                }
                return w * 64 + bits.trailing_zeros() as usize;
            }
            skip -= here;
        }
        unreachable!("fewer people than were counted")
    }

    fn seat(&mut self, person: usize) {
        let greedy = self.greedy;
        self.panel.push(person as u32);
        self.there[person / 64] &= !(1 << (person % 64));
        let mut full = false;
        for f in 0..greedy.features {
            let c = greedy.cells[person * greedy.features + f] as usize;
            self.left[c] -= 1;
            self.seated[c] += 1;
            if self.seated[c] == greedy.cell_max[c] {
                self.take_out(c);
                full = true;
            }
        }
        if full {
            self.recount();
        }
    }

    fn take_out(&mut self, cell: usize) {
        let greedy = self.greedy;
        let mine = &greedy.members[cell * greedy.words..(cell + 1) * greedy.words];
        for (there, m) in self.there.iter_mut().zip(mine) {
            *there &= !m;
        }
    }

    fn recount(&mut self) {
        let greedy = self.greedy;
        for (c, left) in self.left.iter_mut().enumerate() {
            let mine = &greedy.members[c * greedy.words..(c + 1) * greedy.words];
            *left = mine
                .iter()
                .zip(&self.there)
                .map(|(m, t)| i64::from((m & t).count_ones()))
                .sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::drawing::{tally, DrawError, Order};
    use super::*;

    const ORDER: Order<'static> = Order {
        key: &[1; 32],
        first: 0,
        draws: 100,
        most_attempts: 1000,
        threads: 1,
        keep: true,
    };

    #[test]
    fn panels_keep_the_quotas_and_do_not_depend_on_threads() -> Result<(), RulesError> {
        let people: Vec<Vec<u32>> = (0..70).map(|i| vec![i % 2, 2 + i % 3]).collect();
        let greedy = Greedy::new(
            9,
            &people,
            (&[4, 4, 2, 3, 2], &[5, 5, 3, 4, 3]),
            Surplus::Negative,
            vec![false; 5],
        )?;
        let draw = |threads| tally(&|| greedy.board(), 70, Order { threads, ..ORDER }, &|| true);
        let one = draw(1);
        assert_eq!(one, draw(3));
        let Ok(one) = one else {
            return Err(RulesError::Panel);
        };
        assert_eq!(one.hits.iter().sum::<u64>(), 900);
        for panel in &one.panels {
            let seats = |c: u32| {
                panel
                    .iter()
                    .filter(|&&i| i % 2 == c || 2 + i % 3 == c)
                    .count()
            };
            assert!((4..=5).contains(&seats(0)) && (3..=4).contains(&seats(3)));
        }
        Ok(())
    }

    #[test]
    fn a_draw_that_fails_too_often_is_named_and_an_interruption_ends_it() -> Result<(), RulesError>
    {
        let people: Vec<Vec<u32>> = vec![vec![0, 3], vec![1, 2], vec![1, 3]];
        let greedy = Greedy::new(
            2,
            &people,
            (&[2, 0, 0, 0], &[2, 1, 2, 2]),
            Surplus::Negative,
            vec![false; 4],
        )?;
        let order = Order {
            first: 3,
            threads: 2,
            ..ORDER
        };
        let stuck = tally(&|| greedy.board(), 3, order, &|| true);
        assert_eq!(
            stuck,
            Err(DrawError::Stuck {
                draw: 3,
                attempts: 1000
            })
        );
        let endless = Order {
            most_attempts: u64::MAX,
            ..order
        };
        let stopped = tally(&|| greedy.board(), 3, endless, &|| false);
        assert_eq!(stopped, Err(DrawError::Interrupted));
        Ok(())
    }
}
