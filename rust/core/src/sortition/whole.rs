//! Counts in integers that are as long as the pool needs, and no longer.

use num_bigint::BigUint;

use super::amount::Words;
use super::counting::{Counts, Members};
use super::drawing::{tally, DrawError, Order, Tally};
use super::states::States;

/// Words of 64 bits that counts may have.
const LENGTHS: [u32; 10] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];

/// Counts of one of the lengths.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // W4 holds four words, and so on.
pub enum WholeCounts {
    W1(Counts<Words<1>>),
    W2(Counts<Words<2>>),
    W3(Counts<Words<3>>),
    W4(Counts<Words<4>>),
    W6(Counts<Words<6>>),
    W8(Counts<Words<8>>),
    W12(Counts<Words<12>>),
    W16(Counts<Words<16>>),
    W24(Counts<Words<24>>),
    W32(Counts<Words<32>>),
}

/// Does the same with counts of any length.
macro_rules! with {
    ($counts:expr, $name:ident => $body:expr) => {
        match $counts {
            WholeCounts::W1($name) => $body,
            WholeCounts::W2($name) => $body,
            WholeCounts::W3($name) => $body,
            WholeCounts::W4($name) => $body,
            WholeCounts::W6($name) => $body,
            WholeCounts::W8($name) => $body,
            WholeCounts::W12($name) => $body,
            WholeCounts::W16($name) => $body,
            WholeCounts::W24($name) => $body,
            WholeCounts::W32($name) => $body,
        }
    };
}

/// Words that no count of panels of `size` from `people`, weighed with up to `most`, can exceed; None beyond the longest.
#[must_use]
pub fn words_needed(people: u32, size: u32, most: u32) -> Option<u32> {
    // Each panel's weight is below 2^(size·bits), and Σ_t C(people, t), t ≤ size, bounds every count of partial panels.
    let bits_of_weight = 32 - most.max(1).leading_zeros();
    let weight = if most <= 1 {
        0
    } else {
        u64::from(bits_of_weight) * u64::from(size)
    };
    let (mut sum, mut choose) = (BigUint::from(1u32), BigUint::from(1u32));
    for t in 1..=size.min(people) {
        choose = choose * (people - t + 1) / t;
        sum += &choose;
    }
    let words = (sum.bits() + weight).div_ceil(64);
    LENGTHS.into_iter().find(|&l| u64::from(l) >= words)
}

impl WholeCounts {
    /// Fills the tables with the fewest words that are enough. `Ok(None)` if `alive` says no, the words needed if there are too many.
    ///
    /// # Errors
    /// None fits: counts would be longer than 2,048 bits.
    pub fn build(
        states: States,
        weights: Vec<u32>,
        alive: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, TooLong> {
        let most = weights.iter().copied().max().unwrap_or(1);
        let words = words_needed(states.people(), states.size(), most).ok_or(TooLong)?;
        macro_rules! build {
            ($kind:ident) => {
                Counts::build(states, weights, alive).map(WholeCounts::$kind)
            };
        }
        Ok(match words {
            1 => build!(W1),
            2 => build!(W2),
            3 => build!(W3),
            4 => build!(W4),
            6 => build!(W6),
            8 => build!(W8),
            12 => build!(W12),
            16 => build!(W16),
            24 => build!(W24),
            _ => build!(W32),
        })
    }

    /// The (weighted) number of panels.
    #[must_use]
    pub fn number(&self) -> BigUint {
        with!(self, counts => counts.number())
    }

    /// See [`Counts::occupancy`].
    #[must_use]
    pub fn occupancy(&self, alive: &dyn Fn() -> bool) -> Option<Vec<Vec<BigUint>>> {
        with!(self, counts => counts.big_occupancy(alive))
    }

    /// Draws panels; there must be one.
    ///
    /// # Errors
    /// As [`tally`].
    pub fn tally(
        &self,
        members: &Members,
        order: Order<'_>,
        alive: &dyn Fn() -> bool,
    ) -> Result<Tally, DrawError> {
        let people = members.cells.len();
        with!(self, counts => tally(&|| counts.sampler(members), people, order, alive))
    }
}

/// Counts would be too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number of panels is too long to count")]
pub struct TooLong;

#[cfg(test)]
mod tests {
    use super::super::states::Class;
    use super::*;

    /// Every set of people, one by one.
    fn listed(
        size: u32,
        features: &[Vec<u32>],
        lo: &[u32],
        hi: &[u32],
        people: &[Vec<u32>],
    ) -> u64 {
        (0u32..1 << people.len())
            .filter(|set| set.count_ones() == size)
            .filter(|set| {
                features.iter().flatten().all(|&c| {
                    let seats = (0..people.len())
                        .filter(|&i| set >> i & 1 == 1 && people[i].contains(&c))
                        .count() as u32;
                    (lo[c as usize]..=hi[c as usize]).contains(&seats)
                })
            })
            .count() as u64
    }

    #[test]
    fn counts_are_those_of_a_list() -> Result<(), TooLong> {
        let features = vec![vec![0, 1], vec![2, 3, 4], vec![5, 6]];
        let mut classes = Vec::new();
        let mut people = Vec::new();
        for (cells, n) in [
            ([0, 2, 5], 3),
            ([0, 4, 6], 2),
            ([1, 2, 6], 1),
            ([1, 3, 5], 4),
            ([1, 4, 5], 2),
        ] {
            classes.push(Class {
                cells: cells.to_vec(),
                people: n,
            });
            people.extend((0..n).map(|_| cells.to_vec()));
        }
        let mut seen = 0;
        for size in 0..8 {
            for moved in 0..4 {
                let lo = vec![1, 1, moved, 1, 0, 1, 0];
                let hi = vec![3, 4, 3, 2, 2, 4, 1 + moved];
                let states = States::new(
                    size,
                    features.clone(),
                    (lo.clone(), hi.clone()),
                    classes.clone(),
                );
                let Some(states) = states else {
                    unreachable!("the shapes fit")
                };
                let counts = WholeCounts::build(states, vec![1; 5], &|| true)?;
                let number = counts.map(|c| c.number());
                let expected = listed(size, &features, &lo, &hi, &people);
                seen += expected;
                assert_eq!(number, Some(BigUint::from(expected)), "{size} {moved}");
            }
        }
        assert!(seen > 100);
        Ok(())
    }

    #[test]
    fn words_are_enough_and_no_more() {
        assert_eq!(words_needed(60, 30, 1), Some(1));
        assert_eq!(words_needed(342, 170, 1), Some(6));
        assert_eq!(words_needed(100, 50, u32::MAX), Some(32));
        assert_eq!(words_needed(20_000, 2_000, 1), None);
    }
}
