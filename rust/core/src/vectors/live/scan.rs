//! How alike is one row to each of many?
//!
//! Dot products of whole numbers: a sum in any order is the same sum, so the compiler may use whatever instructions the processor has. No sum overflows, as no row is longer than
//! 32767 + √d / 2 (see [`super::super::sphere`]).

use pulp::{Arch, Simd, WithSimd};

/// Numbers that are multiplied together.
const LANES: usize = 32;

/// Multiplies rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan(Arch);

impl Scan {
    /// By the best instructions of this processor.
    #[must_use]
    pub fn new() -> Self {
        Self(Arch::new())
    }

    /// The products of a row with each of `others`, rows of the same width one after the other, into `out`.
    pub fn all(self, row: &[i16], others: &[i16], out: &mut Vec<i32>) {
        out.clear();
        out.resize(others.len() / row.len().max(1), 0);
        self.0.dispatch(All { row, others, out });
    }

    /// The product of two rows.
    #[must_use]
    pub fn one(self, row: &[i16], other: &[i16]) -> i32 {
        let mut out = [0];
        self.0.dispatch(All {
            row,
            others: other,
            out: &mut out,
        });
        let [product] = out;
        product
    }

    /// The product of a row and a sum of rows.
    #[must_use]
    pub fn sum(self, row: &[i16], sum: &[i64]) -> i64 {
        let pairs = row.iter().zip(sum);
        pairs.fold(0, |all, (x, s)| {
            all.wrapping_add(i64::from(*x).wrapping_mul(*s))
        })
    }
}

struct All<'a> {
    row: &'a [i16],
    others: &'a [i16],
    out: &'a mut [i32],
}

impl WithSimd for All<'_> {
    type Output = ();

    // Always inlined: what is not compiled as part of the caller is not compiled for the caller's instruction set.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let others = self.others.chunks_exact(self.row.len().max(1));
        for (out, other) in self.out.iter_mut().zip(others) {
            *out = product(self.row, other);
        }
    }
}

#[inline(always)]
fn product(a: &[i16], b: &[i16]) -> i32 {
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = whole_a.remainder().iter().zip(whole_b.remainder());
    let rest = rest.fold(0i32, |sum, (x, y)| {
        sum.wrapping_add(i32::from(*x).wrapping_mul(i32::from(*y)))
    });
    let mut sums = [0i32; LANES / 2];
    for (a, b) in whole_a.zip(whole_b) {
        for (sum, (x, y)) in sums
            .iter_mut()
            .zip(a.chunks_exact(2).zip(b.chunks_exact(2)))
        {
            let first = i32::from(x[0]).wrapping_mul(i32::from(y[0]));
            let second = i32::from(x[1]).wrapping_mul(i32::from(y[1]));
            *sum = sum.wrapping_add(first.wrapping_add(second));
        }
    }
    sums.iter().fold(rest, |all, sum| all.wrapping_add(*sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn products_are_those_of_a_plain_loop() {
        let mut random = Random::new(1);
        for width in [1, 2, 31, 32, 33, 384] {
            let mut row = |n: usize| -> Vec<i16> {
                let most = 32767.0 / (width as f64).sqrt();
                (0..n)
                    .map(|_| (random.below(2 * most as usize) as f64 - most) as i16)
                    .collect()
            };
            let (one, many) = (row(width), row(width * 7));
            let mut out = Vec::new();
            Scan::new().all(&one, &many, &mut out);
            let right: Vec<i32> = many
                .chunks(width)
                .map(|other| {
                    let pairs = one.iter().zip(other);
                    pairs.map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
                })
                .collect();
            assert_eq!(out, right);
            let sum: Vec<i64> = many[..width].iter().map(|x| i64::from(*x)).collect();
            assert_eq!(Scan::new().sum(&one, &sum), i64::from(right[0]));
            assert_eq!(Scan::new().one(&one, &many[..width]), right[0]);
        }
    }
}
