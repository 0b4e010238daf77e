//! Sums of rows, exact: what a group of contributions says together, and how alike two groups are on average.
//!
//! The average similarity of two groups is S_A · S_B / (|A| |B|), with S the sums of their rows: no pair is looked at. Numbers are whole, so it is the same
//! whoever joined first. A sum of up to 65,535 rows fits 32 bits; |S_A · S_B| ≤ |A| |B| 2^30 tells when 64 bits are enough for the product.

use super::flat::{dot, Flat};

/// Rows that a sum of 32-bit numbers can hold.
const FEW: u64 = 65_535;

/// Products of groups below this many pairs fit 64 bits.
const PAIRS: u64 = 1 << 32;

/// The sum of the rows of a group.
#[derive(Clone, Debug)]
pub enum Sum {
    /// One row, so many times.
    Row(u32),
    /// Of few rows.
    Few(Box<[i32]>),
    /// Of many rows.
    Many(Box<[i64]>),
}

impl Sum {
    /// The sum with these numbers, of so many rows.
    #[must_use]
    pub fn new(numbers: &[i64], rows: u64) -> Self {
        if rows <= FEW {
            Self::Few(numbers.iter().map(|x| *x as i32).collect())
        } else {
            Self::Many(numbers.into())
        }
    }

    /// Adds this sum, of so many rows, to `into`.
    pub fn add_to(&self, flat: &Flat, rows: u64, into: &mut [i64]) {
        match self {
            Self::Row(at) => add(into, flat.row(*at as usize), rows as i64),
            Self::Few(numbers) => add(into, numbers, 1),
            Self::Many(numbers) => add(into, numbers, 1),
        }
    }

    /// The average similarity of a group with this sum and one with the sum `other`: rounded down, 32767² is a cosine of 1.
    #[must_use]
    pub fn average(&self, flat: &Flat, rows: u64, other: &[i64], others: u64) -> i32 {
        let pairs = rows.saturating_mul(others);
        if pairs >= PAIRS {
            let product = match self {
                Self::Row(at) => exact(flat.row(*at as usize), other) * i128::from(rows),
                Self::Few(numbers) => exact(numbers, other),
                Self::Many(numbers) => exact(numbers, other),
            };
            return product.div_euclid(i128::from(rows) * i128::from(others)) as i32;
        }
        match self {
            // The copies of a row count as often in the sum as in the number of pairs.
            Self::Row(at) => {
                product(flat.row(*at as usize), other).div_euclid(others as i64) as i32
            }
            Self::Few(numbers) => product(numbers, other).div_euclid(pairs as i64) as i32,
            Self::Many(numbers) => product(numbers, other).div_euclid(pairs as i64) as i32,
        }
    }
}

/// The similarity of two groups that are one row each.
#[must_use]
pub fn of_rows(flat: &Flat, a: u32, b: u32) -> i32 {
    dot(flat.row(a as usize), flat.row(b as usize))
}

fn add<T: Copy + Into<i64>>(into: &mut [i64], numbers: &[T], times: i64) {
    for (into, x) in into.iter_mut().zip(numbers) {
        *into = into.wrapping_add((*x).into().wrapping_mul(times));
    }
}

fn product<T: Copy + Into<i64>>(a: &[T], b: &[i64]) -> i64 {
    let products = a.iter().zip(b).map(|(x, y)| (*x).into().wrapping_mul(*y));
    products.fold(0, i64::wrapping_add)
}

fn exact<T: Copy + Into<i64>>(a: &[T], b: &[i64]) -> i128 {
    let products = a
        .iter()
        .zip(b)
        .map(|(x, y)| i128::from((*x).into()) * i128::from(*y));
    products.sum()
}

#[cfg(test)]
mod tests {
    use super::{of_rows, Sum};
    use crate::vectors::flat::Flat;

    #[test]
    fn averages_are_those_of_all_pairs_for_any_sizes() {
        let mut flat = Flat::new(2, 2);
        let rows = [[32767i16, 0], [19660, -26214]];
        for (part, row) in flat.parts(1).zip(rows) {
            part[..2].copy_from_slice(&row);
        }
        let mut sum = vec![0i64; 32];
        Sum::Row(1).add_to(&flat, 3, &mut sum);
        assert_eq!(sum[..2], [58_980, -78_642]);
        let apart = of_rows(&flat, 0, 1);
        assert_eq!(apart, 32767 * 19660);
        assert_eq!(Sum::Row(0).average(&flat, 5, &sum, 3), apart);
        for rows in [3u64, 65_535, 65_536, 3_000_000_000] {
            let numbers: Vec<i64> = flat
                .row(1)
                .iter()
                .map(|x| i64::from(*x) * rows as i64)
                .collect();
            let many = Sum::new(&numbers, rows);
            for others in [1u64, 7, 4_000_000_000] {
                let other: Vec<i64> = flat
                    .row(0)
                    .iter()
                    .map(|x| i64::from(*x) * others as i64)
                    .collect();
                assert_eq!(
                    many.average(&flat, rows, &other, others),
                    apart,
                    "{rows} {others}"
                );
            }
        }
    }
}
