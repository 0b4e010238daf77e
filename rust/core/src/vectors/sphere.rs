//! How does a row of floats become whole numbers that anybody can compare, exactly?
//!
//! «klero-sphere/1». Let x be rows of 32-bit floats, M the largest magnitude among them, 2^e the least power of two above M.
//! Mean: every entry is rounded to a multiple of 2^(e − b), b = min(40, 62 − ⌈log2 n⌉), as a 64-bit whole number; these are summed, which is exact in any order; the sum is
//! divided by n in 64-bit floats and rounded to 32 bits. A row: c = x − mean in 64-bit floats; its length ℓ = √Σ c² with the sum in eight lanes, which are then
//! added pairwise; q = c · (32767 / ℓ), rounded to the nearest whole number, ties to even. A row no longer than √d · M · 2^−22, which is what the rounding of the mean can
//! leave of a row that equals it, has no direction: it becomes zeros. Without centring, only zeros do.
//!
//! Guarantees: all of this is IEEE addition, multiplication, division and square root in a fixed order, so any processor gives the same bytes; |q| ≤ 32767; a rounded row's
//! length is 32767 ± √d / 2, so a dot product of two fits an i32 for d ≤ 10^8; an entry of the unit vector is off by at most 2^−16.
//! Cost: two passes over the floats for the mean, and one row's arithmetic whenever a row is rounded; no second copy.

use crate::neardup::crew::Crew;
use pulp::{Arch, Simd, WithSimd};

use super::tile::STEP;

/// The version of the rounding; any change of a byte is a new one.
pub const ALGORITHM: &str = "klero-sphere/1";

/// The length of a rounded row, and the largest magnitude of its entries.
pub const UNIT: i16 = i16::MAX;

/// Added to and taken from a float below 2^51, this rounds it to a whole number, ties to even, on any processor: the float has no bits below the point.
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 · 2^52

/// Rows of a block of work.
const BLOCK: usize = 4096;

/// The lanes of a sum of squares.
const LANES: usize = 8;

/// A matrix of 32-bit floats, row after row, where it lies: in memory or in a file mapped into it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    bytes: &'a [u8],
    rows: usize,
    dimension: usize,
}

impl<'a> Source<'a> {
    /// The matrix in these bytes, floats in the processor's order; None if their number is not that of `rows` × `dimension`, or dimension is 0.
    #[must_use]
    pub fn new(bytes: &'a [u8], rows: usize, dimension: usize) -> Option<Self> {
        let fits = rows.checked_mul(dimension)?.checked_mul(4)? == bytes.len();
        (fits && dimension > 0 && rows < u32::MAX as usize).then_some(Self {
            bytes,
            rows,
            dimension,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers in a row.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The bytes of one row; none if there is no such row.
    #[must_use]
    pub fn row(&self, at: usize) -> &'a [u8] {
        let width = self.dimension * 4;
        self.bytes.get(at * width..).map_or(&[], |rest| {
            let (row, _) = rest.split_at(width.min(rest.len()));
            row
        })
    }

    /// The bytes of rows `block` × BLOCK and after.
    fn block(&self, block: usize) -> &'a [u8] {
        let size = BLOCK * self.dimension * 4;
        let start = (block * size).min(self.bytes.len());
        &self.bytes[start..(start + size).min(self.bytes.len())]
    }

    fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    /// The largest magnitude, NaN and infinities above all numbers. None if stopped.
    #[must_use]
    pub fn largest(&self, crew: &Crew<'_>) -> Option<f32> {
        let arch = Arch::new();
        let parts = crew.share(
            "checking",
            self.blocks(),
            || 0u32,
            |most, block| *most = arch.dispatch(Largest(self.block(block))).max(*most),
        )?;
        Some(f32::from_bits(parts.into_iter().max().unwrap_or(0)))
    }

    /// The sums of all columns as multiples of 1 / scale, exact in any order.
    fn sums(&self, crew: &Crew<'_>, scale: f64) -> Option<Vec<i64>> {
        let arch = Arch::new();
        let zeros = || vec![0i64; self.dimension];
        let parts = crew.share("mean", self.blocks(), zeros, |sums, block| {
            arch.dispatch(Sum {
                rows: self.block(block),
                scale,
                sums,
            });
        })?;
        let mut sums = zeros();
        for part in parts {
            let places = sums.iter_mut().zip(part);
            places.for_each(|(sum, more)| *sum = sum.wrapping_add(more));
        }
        Some(sums)
    }
}

/// The float in four bytes.
#[inline(always)]
fn float(four: &[u8]) -> f32 {
    match four {
        [a, b, c, d] => f32::from_ne_bytes([*a, *b, *c, *d]),
        _ => 0.0,
    }
}

struct Largest<'a>(&'a [u8]);

impl WithSimd for Largest<'_> {
    type Output = u32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> u32 {
        // As bits, magnitudes are ordered like numbers, with infinity and NaN on top.
        let most = self.0.chunks_exact(64).fold([0u32; 16], |mut most, chunk| {
            for (most, four) in most.iter_mut().zip(chunk.chunks_exact(4)) {
                *most = (*most).max(float(four).to_bits() & 0x7fff_ffff);
            }
            most
        });
        let rest = self.0.chunks_exact(64).remainder().chunks_exact(4);
        let rest = rest.map(|four| float(four).to_bits() & 0x7fff_ffff);
        most.into_iter().chain(rest).max().unwrap_or(0)
    }
}

struct Sum<'a> {
    rows: &'a [u8],
    scale: f64,
    sums: &'a mut [i64],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.rows.chunks_exact(self.sums.len() * 4) {
            for (sum, four) in self.sums.iter_mut().zip(row.chunks_exact(4)) {
                *sum = sum.wrapping_add(whole(f64::from(float(four)) * self.scale));
            }
        }
    }
}

/// The nearest whole number of a float below 2^51, ties to even.
#[inline(always)]
pub(super) fn whole(x: f64) -> i64 {
    let bits = (x + ROUND).to_bits().wrapping_sub(ROUND.to_bits());
    bits as i64
}

/// 2^exponent, for exponents of normal numbers.
pub(super) fn power(exponent: i32) -> f64 {
    f64::from_bits(((1023 + i64::from(exponent)) as u64) << 52)
}

/// The least e with largest < 2^e, for a number that is not 0.
pub(super) fn exponent_above(largest: f32) -> i32 {
    let bits = f64::from(largest).to_bits();
    ((bits >> 52) & 0x7ff) as i32 - 1022
}

/// Where rows are taken to: from this middle, onto a sphere.
#[derive(Clone, Debug)]
pub struct Sphere {
    mean: Vec<f32>,
    floor: f64,
    width: usize,
    arch: Arch,
}

/// Why rows can't be put on a sphere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// An entry is infinite or not a number.
    NotFinite,
    /// The watcher stopped it.
    Stopped,
}

impl Sphere {
    /// The sphere around the mean of all rows, or around zero.
    ///
    /// # Errors
    /// An entry is not finite, or the watcher stopped it.
    pub fn around(crew: &Crew<'_>, source: &Source<'_>, centre: bool) -> Result<Self, Flaw> {
        let largest = source.largest(crew).ok_or(Flaw::Stopped)?;
        if !largest.is_finite() {
            return Err(Flaw::NotFinite);
        }
        let dimension = source.dimension();
        if !centre || largest == 0.0 {
            return Ok(Self::at(vec![0.0; dimension], 0.0));
        }
        let places = 62 - (source.rows().next_power_of_two().trailing_zeros() as i32);
        let step = exponent_above(largest) - places.min(40);
        let sums = source.sums(crew, power(-step)).ok_or(Flaw::Stopped)?;
        let rows = source.rows() as f64;
        let mean = sums.into_iter();
        let mean = mean.map(|sum| (sum as f64 * power(step) / rows) as f32);
        let floor = (dimension as f64).sqrt() * f64::from(largest) * power(-22);
        Ok(Self::at(mean.collect(), floor))
    }

    /// The sphere around a given middle; rows no longer than `floor` have no direction.
    #[must_use]
    pub fn at(mean: Vec<f32>, floor: f64) -> Self {
        let width = mean.len().next_multiple_of(STEP);
        Self {
            mean,
            floor,
            width,
            arch: Arch::new(),
        }
    }

    /// What is taken from each row.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The length up to which a row has no direction.
    #[must_use]
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// Numbers in a row as it was.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.mean.len()
    }

    /// Numbers in a rounded row: zeros fill it up to a multiple of [`STEP`].
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rounds a row of floats, given as bytes, into `out` ([`Sphere::width`] places).
    pub fn round(&self, row: &[u8], out: &mut [i16]) {
        self.arch.dispatch(Round {
            row,
            mean: &self.mean,
            floor: self.floor,
            out,
        });
    }
}

struct Round<'a> {
    row: &'a [u8],
    mean: &'a [f32],
    floor: f64,
    out: &'a mut [i16],
}

impl WithSimd for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let length = length(self.row, self.mean);
        if length <= self.floor || length == 0.0 {
            self.out.fill(0);
            return;
        }
        let factor = f64::from(UNIT) / length;
        let entries = self.row.chunks_exact(4).zip(self.mean);
        for (out, (four, mean)) in self.out.iter_mut().zip(entries) {
            let centred = f64::from(float(four)) - f64::from(*mean);
            *out = whole(centred * factor) as i16;
        }
        self.out
            .iter_mut()
            .skip(self.mean.len())
            .for_each(|rest| *rest = 0);
    }
}

/// Lanes, added pairwise.
#[inline(always)]
pub(super) fn added([a, b, c, d, e, f, g, h]: [f64; LANES]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// The length of a row minus the mean: squares in eight lanes, the lanes added pairwise.
#[inline(always)]
fn length(row: &[u8], mean: &[f32]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (eights, means) = (row.chunks_exact(LANES * 4), mean.chunks_exact(LANES));
    let rests = (eights.remainder(), means.remainder());
    let mut add = |row: &[u8], mean: &[f32]| {
        for (lane, (four, mean)) in lanes.iter_mut().zip(row.chunks_exact(4).zip(mean)) {
            let centred = f64::from(float(four)) - f64::from(*mean);
            *lane += centred * centred;
        }
    };
    eights.zip(means).for_each(|(row, mean)| add(row, mean));
    add(rests.0, rests.1);
    added(lanes).sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::neardup::crew::Stop;

    fn bytes(rows: &[f32]) -> Vec<u8> {
        rows.iter().flat_map(|x| x.to_ne_bytes()).collect()
    }

    fn around(rows: &[f32], dimension: usize, centre: bool) -> Result<Sphere, Flaw> {
        let (bytes, stop) = (bytes(rows), Stop::new());
        let crew = Crew {
            threads: 2,
            watch: &|_, _| true,
            stop: &stop,
        };
        let source = Source::new(&bytes, rows.len() / dimension, dimension).unwrap();
        Sphere::around(&crew, &source, centre)
    }

    #[test]
    fn whole_numbers_are_the_nearest_and_ties_are_even() {
        let pairs = [
            (0.5, 0),
            (1.5, 2),
            (2.5, 2),
            (-0.5, 0),
            (-1.5, -2),
            (-2.49, -2),
            (1e15, 1_000_000_000_000_000),
        ];
        for (x, nearest) in pairs {
            assert_eq!(whole(x), nearest, "{x}");
        }
    }

    #[test]
    fn powers_and_exponents_are_those_of_numbers() {
        for x in [1.0f32, 1.5, 2.0, 0.75, f32::MAX, f32::MIN_POSITIVE, 1e-45] {
            let e = exponent_above(x);
            assert!(
                f64::from(x) < power(e) && f64::from(x) >= power(e - 1),
                "{x}"
            );
        }
        assert!(power(3) == 8.0 && power(-2) == 0.25);
    }

    #[test]
    fn the_mean_is_that_of_the_columns() {
        let sphere = around(&[1.0, -2.0, 4.0, 0.5, 0.25, 0.0], 2, true).unwrap();
        assert_eq!(sphere.mean(), [1.75, -0.5]);
        assert_eq!(around(&[1.0, 2.0], 2, false).unwrap().mean(), [0.0, 0.0]);
    }

    #[test]
    fn very_large_and_very_small_floats_have_a_mean_and_a_direction() {
        for scale in [1e-38f32, 1e-45, 1.0, 3e38] {
            let sphere = around(&[scale, 0.0, 0.0, scale], 2, true).unwrap();
            let mut out = vec![0; sphere.width()];
            sphere.round(&bytes(&[scale, 0.0]), &mut out);
            let expected = if scale < 1e-44 { 32767 } else { 23170 };
            assert_eq!(i32::from(out[0]), expected, "{scale}");
        }
    }

    #[test]
    fn a_row_that_equals_the_mean_has_no_direction() {
        let row = [0.1f32, 1e-9, 0.7];
        let sphere = around(&[row, row, row].concat(), 3, true).unwrap();
        let mut out = vec![1; sphere.width()];
        sphere.round(&bytes(&row), &mut out);
        assert!(out.iter().all(|x| *x == 0));
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut rows = vec![1.0; 100];
            rows[97] = bad;
            assert_eq!(around(&rows, 2, true).unwrap_err(), Flaw::NotFinite);
        }
    }
}
