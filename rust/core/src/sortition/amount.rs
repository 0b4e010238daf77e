//! The numbers that a count is made of: integers of a fixed number of words, exact; or floats, for expectations alone.

use num_bigint::BigUint;

/// What a table of counts holds.
pub trait Amount: Clone + Send + Sync + 'static {
    /// What one person's seat is weighed with.
    type Weight: Copy + Send + Sync;
    /// A sum of products.
    type Sum: Default + Clone;
    /// The weight 1.
    const UNIT: Self::Weight;
    /// 0.
    fn zero() -> Self;
    /// 1.
    fn one() -> Self;
    /// Whether it is 0.
    fn is_zero(&self) -> bool;
    /// Adds `weight` times another.
    fn add_times(&mut self, other: &Self, weight: Self::Weight);
    /// Adds a product to a sum.
    fn add_product(sum: &mut Self::Sum, a: &Self, b: &Self);
}

impl Amount for f64 {
    type Weight = f64;
    type Sum = f64;
    const UNIT: f64 = 1.0;

    fn zero() -> Self {
        0.0
    }

    fn one() -> Self {
        1.0
    }

    fn is_zero(&self) -> bool {
        *self == 0.0
    }

    fn add_times(&mut self, other: &Self, weight: f64) {
        *self += weight * other;
    }

    fn add_product(sum: &mut f64, a: &Self, b: &Self) {
        *sum += a * b;
    }
}

/// A whole number below 2^(64·L), the lowest word first. Whoever makes a table chooses L so that nothing in it can overflow; if it did
/// all the same, the sum panics, and no wrong count is ever given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words<const L: usize>(pub [u64; L]);

impl<const L: usize> Words<L> {
    /// As a number of any length.
    #[must_use]
    pub fn to_big(&self) -> BigUint {
        big(&self.0)
    }
}

/// Words, the lowest first, as a number.
#[must_use]
pub fn big(words: &[u64]) -> BigUint {
    BigUint::new(
        words
            .iter()
            .flat_map(|&w| [w as u32, (w >> 32) as u32])
            .collect(),
    )
}

impl<const L: usize> Amount for Words<L> {
    type Weight = u32;
    type Sum = Vec<u64>;
    const UNIT: u32 = 1;

    fn zero() -> Self {
        Self([0; L])
    }

    fn one() -> Self {
        let mut words = [0; L];
        words[0] = 1;
        Self(words)
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(|&w| w == 0)
    }

    fn add_times(&mut self, other: &Self, weight: u32) {
        let mut carry = 0u128;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            carry += u128::from(*mine) + u128::from(*theirs) * u128::from(weight);
            *mine = carry as u64;
            carry >>= 64;
        }
        assert!(carry == 0, "a count is longer than was foreseen");
    }

    fn add_product(sum: &mut Vec<u64>, a: &Self, b: &Self) {
        // One word more than a product needs: sums of up to 2^64 products fit.
        sum.resize(2 * L + 1, 0);
        for (i, &x) in a.0.iter().enumerate().filter(|(_, &x)| x != 0) {
            let mut carry = 0u128;
            for (place, y) in sum[i..].iter_mut().zip(b.0.iter().chain([&0, &0])) {
                carry += u128::from(*place) + u128::from(x) * u128::from(*y);
                *place = carry as u64;
                carry >>= 64;
            }
            let mut place = i + L + 2;
            while carry != 0 {
                carry += u128::from(sum[place]);
                sum[place] = carry as u64;
                carry >>= 64;
                place += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arithmetic_is_that_of_big_numbers(a in prop::array::uniform3(any::<u64>()), b in prop::array::uniform3(any::<u64>()), w in any::<u32>()) {
            let (mut x, y) = (Words::<3>::zero(), Words::<3>([b[0], b[1], b[2] >> 40]));
            x.add_times(&Words([a[0], a[1], a[2] >> 40]), 1);
            let before = x.to_big();
            let mut sum = Vec::new();
            for _ in 0..5 {
                Words::add_product(&mut sum, &x, &y);
            }
            prop_assert_eq!(big(&sum), before.clone() * y.to_big() * 5u32);
            let mut full = Vec::new();
            for _ in 0..3 {
                Words::add_product(&mut full, &Words([u64::MAX; 3]), &Words([u64::MAX; 3]));
            }
            prop_assert_eq!(big(&full), big(&[u64::MAX; 3]) * big(&[u64::MAX; 3]) * 3u32);
            x.add_times(&y, w);
            prop_assert_eq!(x.to_big(), before + y.to_big() * w);
        }
    }
}
