//! Which few directions tell most of what texts differ in?
//!
//! Vectors of texts have hundreds of numbers, most of them noise to whoever asks for themes: the leading directions of their covariance keep the subjects and lose much of the wording.
//! The subspace of the r leading directions is found by orthogonal iteration (Golub and Van Loan, *Matrix Computations*, 8.2.4) on the covariance Σ q qᵀ, a matrix of whole numbers (of q
//! rounded to eleven bits, so that the kernel's sums can't overflow), and rows are projected onto it, exactly up to the rounding of the basis, and brought to unit length again. Which basis of the subspace was found does not matter to any similarity beyond rounding.
//!
//! r is the least of 64, 128, 256, … that keeps three fifths of the squared lengths; for very many rows at most 128, so that they fit the memory.
//! Guarantees: the covariance is exact in any order; the iteration is additions, multiplications, divisions and roots in a fixed order; so the same on any processor.
//! Cost: n d² whole multiplications for the covariance, some 12 d² r for the basis, n d r for the projection; 2 n r bytes.

use std::sync::{Mutex, PoisonError};

use super::flat::{round, Flat};
use super::tile::{pack_rows, Kernel, Lanes, Left, Look, Panels, Tile, HIGH, WIDE};
use super::{Rows, UNIT};
use crate::neardup::crew::Crew;
use crate::random::Random;

/// Rows of a block of work: with eleven bits and a sign, the product of two columns of so many stays below 2^31.
const BLOCK: usize = 256;

/// Bits that are dropped before columns are multiplied.
const DROPPED: u32 = 4;

/// Fewest directions that are kept: rows of no more numbers are not reduced.
pub const FEWEST: usize = 64;

/// Rows beyond which at most [`MOST`] directions are kept.
const MANY: usize = 200_000;
const MOST: usize = 128;

/// Rounds of the iteration.
const ROUNDS: usize = 12;

/// Directions, each a row of length [`UNIT`].
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    /// The directions.
    pub directions: Flat,
    /// How many there are.
    pub kept: usize,
    /// The share of squared lengths that they keep.
    pub share: f64,
}

/// The leading directions of these rows; None if stopped. No rows have none.
#[must_use]
pub fn leading(crew: &Crew<'_>, rows: &dyn Rows, dimension: usize) -> Option<Basis> {
    let covariance = covariance(crew, rows, dimension)?;
    let trace: f64 = (0..dimension).fold(0.0, |sum, i| sum + covariance[i * dimension + i]);
    let most = if rows.len() > MANY { MOST } else { dimension };
    let mut kept = FEWEST.min(dimension);
    loop {
        let basis = subspace(crew, &covariance, dimension, kept)?;
        let share = basis
            .iter()
            .fold(0.0, |sum, direction| sum + rayleigh(&covariance, direction))
            / trace;
        if kept >= most.min(dimension) || share >= 0.6 || trace == 0.0 {
            let share = if trace == 0.0 { 1.0 } else { share };
            return Some(rounded(&basis, dimension, share));
        }
        kept = (kept * 2).min(most).min(dimension);
    }
}

/// Σ q qᵀ over all rows, in some unit.
fn covariance(crew: &Crew<'_>, rows: &dyn Rows, dimension: usize) -> Option<Vec<f64>> {
    let kernel = Kernel::best();
    let twelves = dimension.div_ceil(HIGH);
    let new = || Columns {
        panels: Panels::new(dimension, BLOCK),
        ids: (0..dimension as u32).collect(),
        left: Vec::new(),
        row: vec![0; rows.width()],
        sums: Sums {
            side: dimension.div_ceil(WIDE) * WIDE,
            sums: vec![0; twelves * HIGH * dimension.div_ceil(WIDE) * WIDE],
        },
    };
    let blocks = rows.len().div_ceil(BLOCK);
    let parts = crew.share("directions", blocks, new, |columns, block| {
        columns.fill(rows, block * BLOCK, dimension);
        pack_rows(&columns.panels, &columns.ids, &mut columns.left);
        let steps = columns.panels.steps(0, columns.panels.len());
        kernel.multiply(BLOCK / 2, &columns.left, steps, &mut columns.sums);
    })?;
    let mut whole = vec![0i64; dimension * dimension];
    for part in parts {
        for (to, from) in whole
            .chunks_exact_mut(dimension.max(1))
            .zip(part.sums.sums.chunks_exact(part.sums.side.max(1)))
        {
            to.iter_mut()
                .zip(from)
                .for_each(|(a, b)| *a = a.wrapping_add(*b));
        }
    }
    Some(whole.into_iter().map(|x| x as f64).collect())
}

/// A block of rows, turned: each column is a row of the panels.
struct Columns {
    panels: Panels,
    ids: Vec<u32>,
    left: Vec<Left>,
    row: Vec<i16>,
    sums: Sums,
}

impl Columns {
    fn fill(&mut self, rows: &dyn Rows, from: usize, dimension: usize) {
        self.panels.steps_mut().fill([[0; 2]; WIDE]);
        let pairs = self.panels.pairs();
        for place in 0..BLOCK.min(rows.len() - from) {
            rows.read(from + place, &mut self.row);
            for (i, x) in self.row.iter().take(dimension).enumerate() {
                let step = &mut self.panels.steps_mut()[i / WIDE * pairs + place / 2];
                let rounded = (i32::from(*x) + (1 << (DROPPED - 1))) >> DROPPED;
                step[i % WIDE][place % 2] = rounded as i16;
            }
        }
    }
}

struct Sums {
    side: usize,
    sums: Vec<i64>,
}

impl Look for Sums {
    #[inline(always)]
    fn look<L: Lanes>(&mut self, _: L, twelve: usize, thirty_two: usize, tile: &Tile) {
        for (row, products) in tile.iter().enumerate() {
            let at = (twelve * HIGH + row) * self.side + thirty_two * WIDE;
            let places = self.sums[at..at + WIDE].iter_mut();
            places
                .zip(products)
                .for_each(|(sum, x)| *sum = sum.wrapping_add(i64::from(*x)));
        }
    }
}

/// An orthonormal basis of (nearly) the leading subspace, direction after direction.
fn subspace(
    crew: &Crew<'_>,
    covariance: &[f64],
    dimension: usize,
    kept: usize,
) -> Option<Vec<Vec<f64>>> {
    let mut random = Random::new(0x6b6c_6572_6f2f_7362); // «klero/sb»
    let mut entry = |_| random.below(1 << 20) as f64 - (1 << 19) as f64;
    let mut basis: Vec<Vec<f64>> = (0..kept)
        .map(|_| (0..dimension).map(&mut entry).collect())
        .collect();
    orthonormal(crew, &mut basis)?;
    for _ in 0..ROUNDS {
        let parts = crew.share("directions", kept, Vec::new, |done, at| {
            done.push((at, times(covariance, &basis[at])));
        })?;
        for (at, direction) in parts.into_iter().flatten() {
            basis[at] = direction;
        }
        orthonormal(crew, &mut basis)?;
    }
    Some(basis)
}

/// The symmetric matrix times a vector, as a sum of its rows.
fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; vector.len()];
    for (row, x) in matrix.chunks_exact(vector.len().max(1)).zip(vector) {
        out.iter_mut().zip(row).for_each(|(out, y)| *out += x * y);
    }
    out
}

/// Gram and Schmidt's way, each direction against those before it, twice; what nothing is left of becomes zeros. None if stopped.
fn orthonormal(crew: &Crew<'_>, basis: &mut [Vec<f64>]) -> Option<()> {
    for at in 0..basis.len() {
        // Very wide rows take seconds.
        if at % 64 == 63 && !(crew.watch)("directions", at) {
            return None;
        }
        let (before, rest) = basis.split_at_mut(at);
        let own = rest.first_mut()?;
        let start = length(own);
        for _ in 0..2 {
            for other in before.iter() {
                let along = product(own, other);
                own.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
            }
        }
        let left = length(own);
        let scale = if left > start * 1e-12 {
            1.0 / left
        } else {
            0.0
        };
        own.iter_mut().for_each(|x| *x *= scale);
    }
    Some(())
}

/// In eight lanes that are added one after the other: a fixed order that a processor can still take eight at a time.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        let places = lanes.iter_mut().zip(a.iter().zip(b));
        places.for_each(|(lane, (x, y))| *lane += x * y);
    }
    lanes.iter().fold(0.0, |sum, lane| sum + lane)
}

fn length(a: &[f64]) -> f64 {
    product(a, a).sqrt()
}

/// How much of the variance lies along a direction.
fn rayleigh(covariance: &[f64], direction: &[f64]) -> f64 {
    product(&times(covariance, direction), direction)
}

fn rounded(basis: &[Vec<f64>], dimension: usize, share: f64) -> Basis {
    let mut directions = Flat::new(basis.len(), dimension);
    for (out, direction) in directions.parts(1).zip(basis) {
        let entries = direction
            .iter()
            .map(|x| (x * f64::from(UNIT)).round() as i16);
        out.iter_mut().zip(entries).for_each(|(out, x)| *out = x);
    }
    Basis {
        directions,
        kept: basis.len(),
        share,
    }
}

/// Rows along the basis, of unit length again; None if stopped.
#[must_use]
pub fn projected(crew: &Crew<'_>, rows: &dyn Rows, basis: &Basis) -> Option<Flat> {
    let mut flat = Flat::new(rows.len(), basis.kept);
    let width = flat.width();
    let directions = Panels::of(&basis.directions, 0..basis.kept);
    let kernel = Kernel::best();
    let parts: Vec<_> = flat.parts(BLOCK).map(Mutex::new).collect();
    let new = || (Vec::new(), Along::default());
    crew.share("projecting", parts.len(), new, |(left, along), block| {
        let Some(part) = parts.get(block) else { return };
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, count) = (block * BLOCK, part.len() / width);
        let ids: Vec<u32> = (from as u32..).take(count).collect();
        pack_rows(rows, &ids, left);
        along.reset(count.div_ceil(HIGH) * HIGH, width);
        kernel.multiply(
            directions.pairs(),
            left,
            directions.steps(0, directions.len()),
            along,
        );
        for (out, numbers) in part
            .chunks_exact_mut(width)
            .zip(along.numbers.chunks_exact(width))
        {
            round(numbers, out);
        }
    })?;
    drop(parts);
    Some(flat)
}

/// The products of rows with directions.
#[derive(Default)]
struct Along {
    width: usize,
    numbers: Vec<i64>,
}

impl Along {
    fn reset(&mut self, rows: usize, width: usize) {
        self.width = width;
        self.numbers.clear();
        self.numbers.resize(rows * width, 0);
    }
}

impl Look for Along {
    #[inline(always)]
    fn look<L: Lanes>(&mut self, _: L, twelve: usize, thirty_two: usize, tile: &Tile) {
        for (row, products) in tile.iter().enumerate() {
            let at = (twelve * HIGH + row) * self.width + thirty_two * WIDE;
            let places = self.numbers.iter_mut().skip(at).take(WIDE);
            places
                .zip(products)
                .for_each(|(out, x)| *out = i64::from(*x));
        }
    }
}
