//! Products of blocks of 48 columns, in registers of any width.
//!
//! Sums stay in registers, as many rows of them as there is room for. Each sum takes its products one after the other, multiplied and added in two roundings, so that every instruction set gives the same
//! numbers.

use pulp::{Simd, WithSimd};

use super::tall::WIDTH;

/// Rows of 48 numbers.
pub type Rows<'a> = &'a [[f32; WIDTH]];

/// Adds to `out` the products of the rows of `left` and the 48 columns of `right`, which has 48 rows.
pub struct Times<'a> {
    /// Some rows.
    pub left: Rows<'a>,
    /// A square.
    pub right: Rows<'a>,
    /// As many rows as `left` has.
    pub out: &'a mut [[f32; WIDTH]],
}

impl WithSimd for Times<'_> {
    type Output = ();

    // Always inlined, as all below: what is not compiled as part of the caller is not compiled for its instruction set.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => times::<S, 6, 3>(simd, self),
            8 => times::<S, 2, 6>(simd, self),
            4 => times::<S, 1, 12>(simd, self),
            _ => times::<S, 1, WIDTH>(simd, self),
        }
    }
}

/// `HIGH` rows at a time, each of `WIDE` registers.
#[inline(always)]
fn times<S: Simd, const HIGH: usize, const WIDE: usize>(simd: S, task: Times<'_>) {
    for (left, out) in task.left.chunks(HIGH).zip(task.out.chunks_mut(HIGH)) {
        let (mut own, mut sums) = ([[0.0; WIDTH]; HIGH], [[simd.splat_f32s(0.0); WIDE]; HIGH]);
        for ((own, sums), (left, out)) in own.iter_mut().zip(&mut sums).zip(left.iter().zip(&*out))
        {
            *own = *left;
            let (numbers, _) = S::as_simd_f32s(out);
            sums.iter_mut().zip(numbers).for_each(|(sum, x)| *sum = *x);
        }
        for (k, right) in task.right.iter().enumerate().take(WIDTH) {
            let (right, _) = S::as_simd_f32s(right);
            let Some(right) = right.first_chunk::<WIDE>() else {
                return;
            };
            for row in 0..HIGH {
                let x = simd.splat_f32s(own[row][k]);
                for at in 0..WIDE {
                    sums[row][at] = simd.add_f32s(sums[row][at], simd.mul_f32s(x, right[at]));
                }
            }
        }
        for (out, sums) in out.iter_mut().zip(&sums) {
            let (numbers, _) = S::as_mut_simd_f32s(out);
            numbers.iter_mut().zip(sums).for_each(|(x, sum)| *x = *sum);
        }
    }
}

/// Adds to `sums` the products of the columns of `left` and those of `right`, each exact: those of two floats fit into a double.
pub struct Gram<'a> {
    /// Some rows.
    pub left: &'a [[f64; WIDTH]],
    /// As many.
    pub right: &'a [[f64; WIDTH]],
    /// 48 rows.
    pub sums: &'a mut [[f64; WIDTH]],
}

impl WithSimd for Gram<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F64_LANES {
            8 => gram::<S, 4, 6>(simd, self),
            4 => gram::<S, 1, 12>(simd, self),
            2 => gram::<S, 1, 24>(simd, self),
            _ => gram::<S, 1, WIDTH>(simd, self),
        }
    }
}

#[inline(always)]
fn gram<S: Simd, const HIGH: usize, const WIDE: usize>(simd: S, task: Gram<'_>) {
    for (group, out) in task
        .sums
        .chunks_exact_mut(HIGH)
        .enumerate()
        .take(WIDTH / HIGH)
    {
        let mut sums = [[simd.splat_f64s(0.0); WIDE]; HIGH];
        for (sums, out) in sums.iter_mut().zip(&*out) {
            let (numbers, _) = S::as_simd_f64s(out);
            sums.iter_mut().zip(numbers).for_each(|(sum, x)| *sum = *x);
        }
        for (left, right) in task.left.iter().zip(task.right) {
            let (right, _) = S::as_simd_f64s(right);
            let (left, _) = left.as_chunks::<HIGH>();
            let (Some(left), Some(right)) = (left.get(group), right.first_chunk::<WIDE>()) else {
                return;
            };
            for row in 0..HIGH {
                let x = simd.splat_f64s(left[row]);
                for at in 0..WIDE {
                    sums[row][at] = simd.add_f64s(sums[row][at], simd.mul_f64s(x, right[at]));
                }
            }
        }
        for (out, sums) in out.iter_mut().zip(&sums) {
            let (numbers, _) = S::as_mut_simd_f64s(out);
            numbers.iter_mut().zip(sums).for_each(|(x, sum)| *x = *sum);
        }
    }
}
