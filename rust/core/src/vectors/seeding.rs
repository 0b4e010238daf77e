//! Where do centres begin?
//!
//! k-means++ (Arthur and Vassilvitskii 2007), greedy: each next centre is drawn with a chance in proportion to the squared distance to those before; of several that are drawn, the one that
//! leaves the least is taken. It is drawn from a sample of the distinct rows: so many in canonical order, from a place that the seed chooses on. That order is one of hashes, so the
//! sample is as good as random, and a function of the set of rows. Distances are whole numbers, of rows rounded to 16 bits at one scale, so nothing is rounded between the
//! seed and the choice.
//!
//! Cost: at most 12 products of a row of the sample and a centre for each of both; the sample's rows in 16 bits.

use std::sync::{Mutex, PoisonError};

use super::centres::{apart, rounded, Data};
use super::points::Points;
use super::tile::{pack_rows, Kernel, Lanes, Left, Look, Panels, Tile, HIGH, WIDE};
use crate::neardup::crew::{ascending, Crew};
use crate::random::Random;
use sha2::{Digest, Sha256};

/// Distinct rows in the sample, for each centre, and in all at least.
const EACH: usize = 16;
const LEAST: usize = 4096;

/// Panels of a part of the sample.
const PART: usize = 32;

/// Rows that are hashed by one thread at a time.
const BLOCK: usize = 1024;

/// Distinct rows, by all of their bits (0 and −0 are the same), in an order of hashes. None if stopped.
#[must_use]
pub fn distinct(crew: &Crew<'_>, data: &Data<'_>) -> Option<Points> {
    let (rows, dimension) = (data.source.rows(), data.source.dimension());
    let parts = crew.share("names", rows.div_ceil(BLOCK), Vec::new, |named, block| {
        let (mut row, mut bytes) = (vec![0.0f32; dimension], vec![0u8; dimension * 4]);
        for at in block * BLOCK..(block * BLOCK + BLOCK).min(rows) {
            data.read(at, &mut row);
            for (four, x) in bytes.chunks_exact_mut(4).zip(&row) {
                four.copy_from_slice(&(x + 0.0).to_le_bytes());
            }
            let digest = Sha256::digest(&bytes);
            let first = digest.iter().take(16);
            let name = first.fold(0u128, |name, byte| name << 8 | u128::from(*byte));
            named.push((name, at as u32));
        }
    })?;
    let mut named = parts.concat();
    ascending(&mut named, crew.threads);
    Some(Points::sorted(&named))
}

/// A part of the sample.
struct Part {
    /// Squared distances to the nearest centre so far.
    least: Vec<i64>,
    /// Squared distances to the candidates.
    far: Vec<[i64; HIGH]>,
    /// What would be left with each candidate.
    left: [u128; HIGH],
}

/// The sample.
struct Sample {
    /// Which rows.
    rows: Vec<u32>,
    copies: Vec<u32>,
    panels: Panels,
    lengths: Vec<i64>,
    parts: Vec<Mutex<Part>>,
}

/// The numbers of `k` first centres, distinct rows. None if stopped, or if there are fewer distinct rows.
#[must_use]
pub fn seeds(
    crew: &Crew<'_>,
    kernel: Kernel,
    data: &Data<'_>,
    points: &Points,
    k: usize,
    seed: u64,
) -> Option<Vec<f32>> {
    if points.len() < k {
        return None;
    }
    let mut random = Random::new(seed);
    let sample = sample(data, points, k, random.below(points.len()));
    let chosen = choose(crew, kernel, &sample, k, &mut random)?;
    let dimension = data.source.dimension();
    let mut floats = vec![0.0f32; k * dimension];
    for (place, at) in floats.chunks_exact_mut(dimension).zip(chosen) {
        data.read(sample.rows[at] as usize, place);
    }
    Some(floats)
}

/// So many distinct rows in canonical order, from `start` on.
fn sample(data: &Data<'_>, points: &Points, k: usize, start: usize) -> Sample {
    let dimension = data.source.dimension();
    let size = (k.saturating_mul(EACH).max(LEAST)).min(points.len());
    let ids = (0..size).map(|i| (start + i) % points.len());
    let (rows, copies): (Vec<u32>, Vec<u32>) =
        ids.map(|at| (points.first[at], points.copies[at])).unzip();
    let mut floats = vec![0.0f32; dimension];
    let mut sums = vec![0.0f64; dimension];
    for row in &rows {
        data.read(*row as usize, &mut floats);
        for (sum, x) in sums.iter_mut().zip(&floats) {
            *sum += f64::from(*x);
        }
    }
    let origin: Vec<f32> = sums.iter().map(|x| (x / size as f64) as f32).collect();
    let mut longest = 0.0f64;
    for row in &rows {
        data.read(*row as usize, &mut floats);
        longest = longest.max(apart(&floats, &origin).sqrt());
    }
    let mut panels = Panels::new(size, dimension.next_multiple_of(2));
    let mut numbers = vec![0i16; dimension.next_multiple_of(2)];
    let mut lengths = Vec::with_capacity(size);
    for (at, row) in rows.iter().enumerate() {
        data.read(*row as usize, &mut floats);
        rounded(&floats, &origin, longest, &mut numbers);
        panels.put(at, &numbers);
        lengths.push(numbers.iter().map(|x| i64::from(*x).pow(2)).sum());
    }
    let parts = (0..size).step_by(PART * WIDE).map(|first| {
        let count = (size - first).min(PART * WIDE);
        Mutex::new(Part {
            least: vec![i64::MAX; count],
            far: vec![[0; HIGH]; count],
            left: [0; HIGH],
        })
    });
    Sample {
        rows,
        copies,
        parts: parts.collect(),
        panels,
        lengths,
    }
}

/// The places in the sample of `k` centres.
fn choose(
    crew: &Crew<'_>,
    kernel: Kernel,
    sample: &Sample,
    k: usize,
    random: &mut Random,
) -> Option<Vec<usize>> {
    let tries = (2 + (k as f64).ln() as usize).min(HIGH);
    let mut chosen: Vec<usize> = Vec::with_capacity(k);
    let mut weights: Vec<u128> = sample.copies.iter().map(|x| u128::from(*x)).collect();
    for step in 0..k {
        let total: u128 = weights.iter().sum();
        if total == 0 {
            // Rows that differ by less than the rounding: the first that are not taken yet.
            let mut taken = vec![false; weights.len()];
            chosen.iter().for_each(|at| taken[*at] = true);
            let free = (0..taken.len()).filter(|at| !taken[*at]);
            chosen.extend(free.take(k - step));
            break;
        }
        let count = if step == 0 { 1 } else { tries };
        let mut draws: Vec<u128> = (0..count).map(|_| below(random, total)).collect();
        draws.sort_unstable();
        let candidates = drawn(&weights, &draws);
        let best = sample.measure(crew, kernel, &candidates)?;
        chosen.push(candidates.get(best).map_or(0, |at| *at as usize));
        sample.take(best, &mut weights);
    }
    Some(chosen)
}

/// A number below `total`. Of 2^128 numbers, the last few that are no whole round of `total` make it unequal by 2^−60 at most.
fn below(random: &mut Random, total: u128) -> u128 {
    let high = u128::from(random.bits()) << 64;
    (high | u128::from(random.bits())) % total
}

/// The places in whose weights these ascending numbers fall, each once.
fn drawn(weights: &[u128], draws: &[u128]) -> Vec<u32> {
    let (mut found, mut before, mut draws) = (Vec::new(), 0u128, draws.iter().peekable());
    for (at, weight) in weights.iter().enumerate() {
        before += weight;
        let mut hit = false;
        while draws.next_if(|draw| **draw < before).is_some() {
            hit = true;
        }
        if hit {
            found.push(at as u32);
        }
    }
    found
}

impl Sample {
    /// Measures how far all are from the candidates; which of these leaves the least, the first of several.
    fn measure(&self, crew: &Crew<'_>, kernel: Kernel, candidates: &[u32]) -> Option<usize> {
        let mut left: Vec<Left> = Vec::new();
        pack_rows(&self.panels, candidates, &mut left);
        let own: Vec<i64> = candidates
            .iter()
            .map(|at| self.lengths[*at as usize])
            .collect();
        crew.share(
            "first centres",
            self.parts.len(),
            || (),
            |(), part| {
                let mut guard = lock(&self.parts[part]);
                guard.left = [0; HIGH];
                let first = part * PART;
                let mut look = Far {
                    part: &mut guard,
                    own: &own,
                    lengths: &self.lengths[first * WIDE..],
                    copies: &self.copies[first * WIDE..],
                };
                let steps = self.panels.steps(first, first + PART);
                kernel.multiply(self.panels.pairs(), &left, steps, &mut look);
            },
        )?;
        let mut sums = vec![0u128; candidates.len()];
        for part in &self.parts {
            for (sum, left) in sums.iter_mut().zip(lock(part).left) {
                *sum += left;
            }
        }
        let best = sums
            .iter()
            .enumerate()
            .min_by_key(|(at, left)| (**left, *at));
        Some(best.map_or(0, |(at, _)| at))
    }

    /// Takes a candidate: what is left becomes the weights.
    fn take(&self, candidate: usize, weights: &mut [u128]) {
        for (place, part) in self.parts.iter().enumerate() {
            let mut guard = lock(part);
            let Part { least, far, .. } = &mut *guard;
            let first = place * PART * WIDE;
            let weights = weights[first..].iter_mut().zip(&self.copies[first..]);
            for ((weight, copies), (least, far)) in weights.zip(least.iter_mut().zip(far)) {
                *least = far[candidate].min(*least);
                *weight = u128::from(*least as u64) * u128::from(*copies);
            }
        }
    }
}

fn lock(part: &Mutex<Part>) -> std::sync::MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes squared distances.
struct Far<'a> {
    part: &'a mut Part,
    own: &'a [i64],
    lengths: &'a [i64],
    copies: &'a [u32],
}

impl Look for Far<'_> {
    #[inline(always)]
    fn look<L: Lanes>(&mut self, _: L, _: usize, panel: usize, tile: &Tile) {
        let first = panel * WIDE;
        let count = self.part.least.len().saturating_sub(first).min(WIDE);
        for (at, (own, products)) in self.own.iter().zip(tile).enumerate() {
            let mut left = 0u128;
            for (place, product) in (first..first + count).zip(products) {
                let far = own + self.lengths[place] - 2 * i64::from(*product);
                self.part.far[place][at] = far;
                let least = far.min(self.part.least[place]);
                left += u128::from(least as u64) * u128::from(self.copies[place]);
            }
            self.part.left[at] += left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_fall_where_the_weights_are() {
        assert_eq!(drawn(&[0, 2, 0, 3], &[0, 1, 2, 4]), [1, 3]);
        assert_eq!(drawn(&[1, 1, 1], &[2]), [2]);
        assert!(drawn(&[5], &[]).is_empty());
    }
}
