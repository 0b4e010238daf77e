//! Which of k centres is nearest to each row, exactly?
//!
//! The nearest centre of x is the one with the least Σ (x − c)². With both taken from an origin o, that is the greatest of x · c − |c|² / 2. First all rows and centres are brought to one
//! length and rounded to 16-bit numbers, and multiplied by the kernel of [`super::tile`]. What the rounding can do to a product is bounded, by the errors' measured lengths (Cauchy and
//! Schwarz). Only centres that are within that bound of the best are looked at again: with the floats as they are, in 64 bits and a fixed order of additions. So what is
//! decided is what comparing all of them by [`apart`] would decide, ties to the lower centre.
//!
//! Guarantees: a function of the row and the centres, for any threads and processor. Cost: k d multiplications and additions a row in 16 bits, and d for each centre looked at again.
//! Memory: the centres, and a block of rows for each thread; rows are rounded when they are read.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use pulp::{Arch, Simd, WithSimd};

use super::sphere::{added, power, whole};
use super::tile::{Kernel, Lanes, Left, Look, Panels, Tile, HIGH, WIDE};
use super::{Source, UNIT};
use crate::neardup::crew::Crew;

/// Rows of a block: their products with all centres stay in the second cache.
const BLOCK: usize = 8 * HIGH;

/// Numbers looked at together.
const LANES: usize = 16;

/// The length of rounded rows.
pub(super) const LONG: f64 = UNIT as f64;

/// Rows of floats, as they are or brought to unit length.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// Where they lie.
    pub source: &'a Source<'a>,
    /// Whether only their direction counts.
    pub unit: bool,
}

impl Data<'_> {
    /// Reads a row.
    #[inline(always)]
    pub fn read(&self, at: usize, out: &mut [f32]) {
        for (out, four) in out.iter_mut().zip(self.source.row(at).chunks_exact(4)) {
            if let [a, b, c, d] = four {
                *out = f32::from_ne_bytes([*a, *b, *c, *d]);
            }
        }
        if self.unit {
            to_unit(out);
        }
    }
}

/// Brings a row to unit length; zeros stay zeros.
#[inline(always)]
pub fn to_unit(row: &mut [f32]) {
    let length = apart(row, &[]).sqrt();
    if length > 0.0 {
        row.iter_mut()
            .for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}

/// Σ (a − b)² in eight lanes, which are then added pairwise; what `b` lacks is zeros.
#[inline(always)]
#[must_use]
pub fn apart(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    if b.is_empty() {
        for eight in a.chunks(8) {
            for (lane, x) in lanes.iter_mut().zip(eight) {
                *lane += f64::from(*x) * f64::from(*x);
            }
        }
        return added(lanes);
    }
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rests = (left.remainder(), right.remainder());
    for (left, right) in left.zip(right) {
        for (lane, (x, y)) in lanes.iter_mut().zip(left.iter().zip(right)) {
            let far = f64::from(*x) - f64::from(*y);
            *lane += far * far;
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(rests.0.iter().zip(rests.1)) {
        let far = f64::from(*x) - f64::from(*y);
        *lane += far * far;
    }
    added(lanes)
}

/// Takes `origin` from a row, brings what is left to the length `LONG` (or less, where it is shorter than `least`) and rounds it. Its length before, and that of the rounding's
/// error.
#[inline(always)]
pub(super) fn rounded(row: &[f32], origin: &[f32], least: f64, out: &mut [i16]) -> (f64, f64) {
    let length = apart(row, origin).sqrt();
    let factor = if length.max(least) > 0.0 {
        LONG / length.max(least)
    } else {
        0.0
    };
    let mut lanes = [0.0f64; 8];
    let eights = row.chunks(8).zip(origin.chunks(8));
    for (out, (row, origin)) in out.chunks_mut(8).zip(eights) {
        for (lane, (out, (x, o))) in lanes
            .iter_mut()
            .zip(out.iter_mut().zip(row.iter().zip(origin)))
        {
            let scaled = (f64::from(*x) - f64::from(*o)) * factor;
            let number = whole(scaled) as i16;
            let error = scaled - f64::from(number);
            *lane += error * error;
            *out = number;
        }
    }
    (length, added(lanes).sqrt())
}

/// Centres, ready to be compared with rows.
#[derive(Clone, Debug)]
pub struct Centres {
    floats: Vec<f32>,
    dimension: usize,
    origin: Vec<f32>,
    panels: Panels,
    /// For each centre its length beside that of the longest.
    sizes: Vec<f32>,
    /// For each centre half its squared length, where the longest's is LONG² / 2.
    halves: Vec<f32>,
    longest: f64,
    error: f64,
    arch: Arch,
    kernel: Kernel,
}

impl Centres {
    /// The centres with these numbers, `dimension` to each.
    #[must_use]
    pub fn new(floats: Vec<f32>, dimension: usize, kernel: Kernel) -> Self {
        let count = floats.len() / dimension.max(1);
        let mut sums = vec![0.0f64; dimension];
        for centre in floats.chunks_exact(dimension.max(1)) {
            for (sum, x) in sums.iter_mut().zip(centre) {
                *sum += f64::from(*x);
            }
        }
        let origin: Vec<f32> = sums.iter().map(|x| (x / count as f64) as f32).collect();
        let width = dimension.next_multiple_of(2);
        let mut panels = Panels::new(count, width);
        let (mut lengths, mut error) = (Vec::with_capacity(count), 0.0f64);
        let mut row = vec![0i16; width];
        for (at, centre) in floats.chunks_exact(dimension.max(1)).enumerate() {
            let (length, wrong) = rounded(centre, &origin, 0.0, &mut row);
            panels.put(at, &row);
            lengths.push(length);
            error = error.max(wrong);
        }
        let longest = lengths.iter().fold(0.0f64, |most, x| most.max(*x));
        let filled = panels.len() * WIDE;
        let mut sizes = vec![0.0f32; filled];
        let mut halves = vec![0.0f32; filled];
        for ((length, size), half) in lengths.iter().zip(&mut sizes).zip(&mut halves) {
            let share = if longest > 0.0 { length / longest } else { 0.0 };
            *size = share as f32;
            *half = (share * share * LONG * LONG / 2.0) as f32;
        }
        Self {
            floats,
            dimension,
            origin,
            panels,
            sizes,
            halves,
            longest,
            error,
            arch: Arch::new(),
            kernel,
        }
    }

    /// Number of centres.
    #[must_use]
    pub fn len(&self) -> usize {
        self.panels.rows()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a centre.
    #[must_use]
    pub fn centre(&self, at: usize) -> &[f32] {
        &self.floats[at * self.dimension..][..self.dimension]
    }

    /// All numbers.
    #[must_use]
    pub fn floats(&self) -> &[f32] {
        &self.floats
    }

    /// Gives `take` each row's number, its floats and its nearest centre; rows in any order, by several threads. How many rows have two nearest centres, and how many pairs were
    /// looked at twice; None if stopped.
    pub fn nearest(
        &self,
        crew: &Crew<'_>,
        data: &Data<'_>,
        take: impl Fn(usize, &[f32], usize) + Sync,
    ) -> Option<(usize, usize)> {
        let (rows, width) = (data.source.rows(), self.dimension);
        let (ties, again) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |hand: &mut Hand, block: usize| {
            let first = block * BLOCK;
            let count = BLOCK.min(rows - first);
            self.arch.dispatch(Load {
                centres: self,
                data,
                first,
                count,
                hand,
            });
            let mut look = Scores {
                centres: self,
                shares: &hand.shares,
                scores: &mut hand.scores,
            };
            let steps = self.panels.steps(0, self.panels.len());
            self.kernel
                .multiply(self.panels.pairs(), &hand.left, steps, &mut look);
            let (tied, looked) = self.arch.dispatch(Decide {
                centres: self,
                count,
                hand,
            });
            ties.fetch_add(tied, Relaxed);
            again.fetch_add(looked, Relaxed);
            for (at, row) in hand.rows.chunks_exact(width).take(count).enumerate() {
                take(first + at, row, hand.labels[at]);
            }
        };
        crew.share(
            "nearest centres",
            rows.div_ceil(BLOCK),
            || self.hand(),
            work,
        )?;
        Some((ties.into_inner(), again.into_inner()))
    }

    fn hand(&self) -> Hand {
        Hand {
            rows: vec![0.0; BLOCK * self.dimension],
            numbers: vec![0; self.panels.pairs() * 2],
            left: vec![[[0; 2]; HIGH]; BLOCK / HIGH * self.panels.pairs()],
            shares: vec![0.0; BLOCK],
            errors: vec![(0.0, 0.0); BLOCK],
            scores: vec![0.0; BLOCK * self.sizes.len()],
            labels: vec![0; BLOCK],
        }
    }
}

/// What a thread needs for a block of rows.
struct Hand {
    rows: Vec<f32>,
    numbers: Vec<i16>,
    left: Vec<Left>,
    /// For each row the longest centre's length beside its own.
    shares: Vec<f32>,
    /// What a score may be wrong by: so much for a centre of the longest's length, and so much for any.
    errors: Vec<(f32, f32)>,
    scores: Vec<f32>,
    labels: Vec<usize>,
}

/// Reads and rounds a block of rows.
struct Load<'a> {
    centres: &'a Centres,
    data: &'a Data<'a>,
    first: usize,
    count: usize,
    hand: &'a mut Hand,
}

impl WithSimd for Load<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { centres, hand, .. } = self;
        let pairs = centres.panels.pairs();
        let least = centres.longest * power(-20);
        let rows = hand.rows.chunks_exact_mut(centres.dimension);
        for (at, row) in rows.take(self.count).enumerate() {
            self.data.read(self.first + at, row);
            let (length, wrong) = rounded(row, &centres.origin, least, &mut hand.numbers);
            let length = length.max(least);
            let (twelve, place) = (at / HIGH, at % HIGH);
            let steps = hand.left[twelve * pairs..][..pairs].iter_mut();
            for (step, pair) in steps.zip(hand.numbers.chunks_exact(2)) {
                step[place] = [pair[0], pair[1]];
            }
            (hand.shares[at], hand.errors[at]) = centres.bounds(length, wrong);
        }
    }
}

impl Centres {
    /// For a row of this length, rounded with an error of this length: how long the longest centre is beside it, and what its scores may be wrong by.
    ///
    /// A score is LONG² / (ℓ ℓ_max) times x · c − |c|² / 2. With rounding errors e of the row and f of the centre, both of length LONG, q_x · q_c is off by |e · c + x · f + e · f|
    /// at most. A product as a 32-bit float, and half the squared length times a share, are off by 2^7 and 2^8 shares at most. All of that is beside a centre of the longest's
    /// length, and less for shorter ones in proportion. [`apart`] in 64 bits is off by some 2^−53 of (ℓ + ℓ_max)² for each number of a row.
    #[inline(always)]
    fn bounds(&self, length: f64, wrong: f64) -> (f32, (f32, f32)) {
        let product = length * self.longest;
        if product <= 0.0 {
            return (0.0, (0.0, f32::INFINITY));
        }
        let share = self.longest / length;
        let rounding = wrong * LONG + LONG * self.error + wrong * self.error;
        let whole = (length + self.longest) * (length + self.longest);
        let always = LONG * LONG * (whole / product) * (self.dimension as f64 + 16.0);
        let errors = (
            (rounding * 1.0001 + 2048.0 * (1.0 + share)) as f32,
            (always * power(-51) + 0.001) as f32,
        );
        (share as f32, errors)
    }
}

/// Writes down the scores of a block.
struct Scores<'a> {
    centres: &'a Centres,
    shares: &'a [f32],
    scores: &'a mut [f32],
}

impl Look for Scores<'_> {
    #[inline(always)]
    fn look<L: Lanes>(&mut self, _: L, twelve: usize, panel: usize, tile: &Tile) {
        let columns = self.centres.sizes.len();
        let sizes = &self.centres.sizes[panel * WIDE..][..WIDE];
        let halves = &self.centres.halves[panel * WIDE..][..WIDE];
        let shares = &self.shares[twelve * HIGH..][..HIGH];
        for (row, (products, share)) in tile.iter().zip(shares).enumerate() {
            let place = (twelve * HIGH + row) * columns + panel * WIDE;
            let scores = &mut self.scores[place..][..WIDE];
            for (at, score) in scores.iter_mut().enumerate() {
                *score = products[at] as f32 * sizes[at] - halves[at] * share;
            }
        }
    }
}

/// Finds each row's nearest centre from its scores.
struct Decide<'a> {
    centres: &'a Centres,
    count: usize,
    hand: &'a mut Hand,
}

impl WithSimd for Decide<'_> {
    type Output = (usize, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (usize, usize) {
        let Self {
            centres,
            count,
            hand,
        } = self;
        let columns = centres.sizes.len();
        let sizes = &centres.sizes[..centres.len()];
        let (mut ties, mut again, mut near) = (0, 0, Vec::new());
        for at in 0..count {
            let scores = &hand.scores[at * columns..][..centres.len()];
            let (error, always) = hand.errors[at];
            let floor = surely(scores, sizes, error) - 2.0 * always;
            near.clear();
            possible(scores, sizes, error, floor, &mut near);
            let row = &hand.rows[at * centres.dimension..][..centres.dimension];
            hand.labels[at] = match near.as_slice() {
                [only] => *only,
                several => {
                    again += several.len();
                    let (nearest, tied) = exactly(centres, row, several);
                    ties += usize::from(tied);
                    nearest
                }
            };
        }
        (ties, again)
    }
}

/// What the best centre's score is at least.
#[inline(always)]
fn surely(scores: &[f32], sizes: &[f32], error: f32) -> f32 {
    let mut best = [f32::NEG_INFINITY; LANES];
    let (full, of_full) = (scores.chunks_exact(LANES), sizes.chunks_exact(LANES));
    let rests = full.remainder().iter().zip(of_full.remainder());
    for (scores, sizes) in full.zip(of_full) {
        for (best, (score, size)) in best.iter_mut().zip(scores.iter().zip(sizes)) {
            let least = score - size * error;
            *best = if least > *best { least } else { *best };
        }
    }
    for (best, (score, size)) in best.iter_mut().zip(rests) {
        let least = score - size * error;
        *best = if least > *best { least } else { *best };
    }
    best.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

/// The centres whose score may be as good as `floor`, ascending.
#[inline(always)]
fn possible(scores: &[f32], sizes: &[f32], error: f32, floor: f32, near: &mut Vec<usize>) {
    let parts = scores.chunks(LANES).zip(sizes.chunks(LANES));
    for (part, (scores, sizes)) in parts.enumerate() {
        let mut any = false;
        for (score, size) in scores.iter().zip(sizes) {
            any |= score + size * error >= floor;
        }
        if any {
            for (at, (score, size)) in scores.iter().zip(sizes).enumerate() {
                if score + size * error >= floor {
                    near.push(part * LANES + at);
                }
            }
        }
    }
}

/// The nearest of some centres, and whether another is as near.
#[inline(always)]
fn exactly(centres: &Centres, row: &[f32], several: &[usize]) -> (usize, bool) {
    let (mut nearest, mut least, mut tied) = (0, f64::INFINITY, false);
    for at in several {
        let far = apart(row, centres.centre(*at));
        if far < least {
            (nearest, least, tied) = (*at, far, false);
        } else if far == least {
            tied = true;
        }
    }
    (nearest, tied)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::neardup::crew::Stop;
    use crate::random::Random;

    fn numbers(random: &mut Random, count: usize, kind: usize) -> Vec<f32> {
        let number = |at: usize| {
            let x = random.below(2001) as f32 / 1000.0 - 1.0;
            match kind {
                0 => x,
                // Many ties.
                1 => (x * 2.0).round(),
                // Far from zero, and near each other.
                2 => 1000.0 + x / 64.0,
                // A few that are very long.
                _ if at < 3 => x * 1e9,
                _ => x,
            }
        };
        (0..count).map(number).collect()
    }

    #[test]
    fn the_nearest_centre_is_that_of_a_loop_over_all_with_any_kernel_and_threads() {
        let mut random = Random::new(5);
        for (rows, dimension, count) in [(1, 1, 1), (97, 1, 40), (200, 3, 33), (130, 70, 65)] {
            for kind in 0..4 {
                let floats = numbers(&mut random, rows * dimension, kind);
                let centres = numbers(&mut random, count * dimension, kind);
                let bytes: Vec<u8> = floats.iter().flat_map(|x| x.to_ne_bytes()).collect();
                let source = Source::new(&bytes, rows, dimension);
                assert!(source.is_some());
                let Some(source) = source else { return };
                let slow = |row: &[f32]| {
                    let far = centres
                        .chunks_exact(dimension)
                        .map(|centre| apart(row, centre));
                    let all: Vec<f64> = far.collect();
                    (0..count).fold(0, |best, at| if all[at] < all[best] { at } else { best })
                };
                let right: Vec<usize> = floats.chunks_exact(dimension).map(slow).collect();
                for (threads, kernel) in [1, 2, 3].into_iter().zip(Kernel::all()) {
                    let stop = Stop::new();
                    let crew = Crew {
                        threads,
                        watch: &|_, _| true,
                        stop: &stop,
                    };
                    let data = Data {
                        source: &source,
                        unit: false,
                    };
                    let found = Mutex::new(vec![usize::MAX; rows]);
                    let take = |at: usize, _: &[f32], label: usize| {
                        if let Ok(mut found) = found.lock() {
                            found[at] = label;
                        }
                    };
                    let ready = Centres::new(centres.clone(), dimension, kernel);
                    assert!(ready.nearest(&crew, &data, take).is_some());
                    let found = found.into_inner().unwrap_or_default();
                    assert_eq!(found, right, "{rows} {dimension} {count} {kind} {kernel:?}");
                }
            }
        }
    }
}
