//! What is subtracted from every row, and how alike is «alike»: what a consolidation learns from all rows at hand.
//!
//! Embeddings share a direction that says nothing (the length of their mean is 0.92 for multilingual E5, 0.27 for MiniLM on CLINC150), so the mean is taken off before rows are compared.
//! With few rows the mean is made of the very rows that are compared; [`SHRINK`] rows of zeros are counted in with them, which was no worse than any other number for 8 to 256 rows of
//! three models.
//!
//! The *cut*, at which average linkage stops, comes from three similarities of a sample of different rows: *chance*, the median of all its pairs; *near*, the median of each row and its nearest of a larger
//! sample, in which also a theme of one in a thousand has some; and *next*, the median of each row and the nearest of its nearest. Where there are themes, the neighbour of a neighbour is a neighbour, and next is close to near; where nothing says the same, it is close to chance. The
//! cut is a share of the way from chance to next (`granularity`), but no less than near − (next − chance): so noise, whose nearest are near by chance, is left to the few. All three are of the model and of the
//! topic at hand, so one share serves models as different as E5, MiniLM, USE and hashed words, three themes and a hundred; and the cut moves smoothly as contributions come, where levels
//! chosen by persistence jump.

use crate::vectors::sphere::Sphere;

use super::rows::Rows;
use super::scan::Scan;
use super::spread::{Pool, ONE};

/// Rows of zeros in the mean.
pub const SHRINK: f64 = 4.0;
/// Rows of which all pairs are looked at for the cut.
const SAMPLE: usize = 256;
/// Rows among which their nearest are sought.
pub const POOL: usize = 2048;
/// Before so many different rows are there, nothing is known of what is alike by chance.
pub const FIRST: usize = 8;
/// Until then, what is put together is the same in nearly all.
pub const NEAR: f64 = 0.9;

/// What a consolidation has learnt.
#[derive(Clone, Debug)]
pub struct Frame {
    sphere: Sphere,
    /// Where average linkage stops.
    pub cut: i32,
    /// What is usual in themes.
    pub pool: Pool,
    /// From how many rows the mean was learnt.
    pub learned: u32,
}

/// Room for the arithmetic of one row.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    bytes: Vec<u8>,
}

impl Frame {
    /// Nothing learnt yet.
    #[must_use]
    pub fn new(width: usize) -> Self {
        let cut = (NEAR * ONE) as i32;
        let pool = Pool {
            mean: f64::from(cut),
            variance: 0.0,
        };
        Self::from_parts(vec![0.0; width], cut, pool, 0)
    }

    /// From what was learnt before.
    #[must_use]
    pub fn from_parts(mean: Vec<f32>, cut: i32, pool: Pool, learned: u32) -> Self {
        Self {
            sphere: Sphere::at(mean, 0.0),
            cut,
            pool,
            learned,
        }
    }

    /// Around the mean of so many rows.
    #[must_use]
    pub fn around(sums: &[i64], rows: usize, cut: i32, pool: Pool) -> Self {
        let whole = rows as f64 + SHRINK;
        let mean = sums.iter().map(|sum| (*sum as f64 / whole) as f32);
        Self::from_parts(mean.collect(), cut, pool, rows as u32)
    }

    /// The mean that is taken off.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        self.sphere.mean()
    }

    /// A row in the centred space, at unit length.
    pub fn centre(&self, raw: &[i16], scratch: &mut Scratch, out: &mut [i16]) {
        scratch.bytes.clear();
        let bytes = raw.iter().flat_map(|x| f32::from(*x).to_ne_bytes());
        scratch.bytes.extend(bytes);
        self.sphere.round(&scratch.bytes, out);
    }

    /// Centres rows `at`, one after the other.
    #[must_use]
    pub fn all(&self, rows: &Rows, at: impl ExactSizeIterator<Item = usize>) -> Vec<i16> {
        let width = rows.width();
        let (mut out, mut scratch) = (vec![0; at.len() * width], Scratch::default());
        for (place, row) in out.chunks_exact_mut(width).zip(at) {
            self.centre(rows.get(row), &mut scratch, place);
        }
        out
    }
}

/// The cut for at most [`POOL`] different rows, one after the other; None if they are too few.
#[must_use]
pub fn cut_of(pool: &[i16], width: usize, granularity: f64) -> Option<i32> {
    if pool.len() / width.max(1) < FIRST {
        return None;
    }
    let (chance, near, next) = typical(pool, width);
    let cut = (chance + granularity * (next - chance)).max(near - (next - chance));
    Some(cut.clamp(0.05 * ONE, 0.95 * ONE) as i32)
}

/// Medians of: all pairs of a sample, each and its nearest, each and the nearest of its nearest.
fn typical(pool: &[i16], width: usize) -> (f64, f64, f64) {
    let (scan, rows) = (Scan::new(), pool.len() / width);
    let sampled = rows.min(SAMPLE);
    let row = |at: usize| pool.get(at * width..(at + 1) * width).unwrap_or_default();
    let sample: Vec<usize> = (0..sampled).map(|i| i * rows / sampled).collect();
    let (mut similar, mut others) = (Vec::new(), Vec::new());
    let (mut pairs, mut near, mut next) = (Vec::new(), Vec::new(), Vec::new());
    for (at, place) in sample.iter().enumerate() {
        scan.all(row(*place), pool, &mut similar);
        pairs.extend(
            sample
                .iter()
                .skip(at + 1)
                .filter_map(|other| similar.get(*other)),
        );
        if let Some((neighbour, similarity)) = nearest(&similar, *place, *place) {
            near.push(similarity);
            scan.all(row(neighbour), pool, &mut others);
            let second = nearest(&others, neighbour, *place);
            next.extend(second.and_then(|(second, _)| similar.get(second)));
        }
    }
    (median(pairs), median(near), median(next))
}

/// The nearest, except two; ties to the first.
fn nearest(similar: &[i32], one: usize, two: usize) -> Option<(usize, i32)> {
    let others = similar.iter().copied().enumerate();
    let others = others.filter(|(at, _)| *at != one && *at != two);
    others.max_by_key(|(at, similarity)| (*similarity, std::cmp::Reverse(*at)))
}

fn median(mut all: Vec<i32>) -> f64 {
    all.sort_unstable();
    all.get(all.len() / 2).copied().map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::sphere::UNIT;

    #[test]
    fn rows_around_nothing_stay_as_they_are() {
        let frame = Frame::new(3);
        let (mut out, mut scratch) = ([0; 3], Scratch::default());
        frame.centre(&[UNIT, 0, 0], &mut scratch, &mut out);
        assert_eq!(out, [UNIT, 0, 0]);
        frame.centre(&[0, 0, 0], &mut scratch, &mut out);
        assert_eq!(out, [0, 0, 0]);
    }

    #[test]
    fn the_mean_counts_four_rows_of_zeros() {
        let pool = Pool {
            mean: 0.0,
            variance: 0.0,
        };
        let frame = Frame::around(&[80, -8], 4, 0, pool);
        assert_eq!(frame.mean(), [10.0, -1.0]);
    }

    fn fan(angles: impl Iterator<Item = f64>) -> Vec<i16> {
        angles
            .flat_map(|a| [(a.cos() * 32767.0) as i16, (a.sin() * 32767.0) as i16])
            .collect()
    }

    #[test]
    fn the_cut_is_a_share_of_the_way_from_chance_to_neighbours_of_neighbours() {
        assert_eq!(cut_of(&[0; 14], 2, 0.5), None);
        // Four bundles at right angles: chance is 0 (half of the pairs), the nearest and their nearest are nearly 1.
        let angles =
            (0..256).map(|i| f64::from(i % 4) * std::f64::consts::FRAC_PI_2 + f64::from(i) * 1e-5);
        let bundles = fan(angles);
        for share in [0.3, 0.45, 0.6] {
            let cut = cut_of(&bundles, 2, share).map(|cut| f64::from(cut) / ONE);
            assert!(cut.is_some_and(|cut| (cut - share).abs() < 0.02), "{cut:?}");
        }
    }

    #[test]
    fn where_nothing_is_alike_the_cut_is_above_chance() {
        let mut random = crate::random::Random::new(5);
        let noise: Vec<f64> = (0..256 * 64)
            .map(|_| random.below(2001) as f64 - 1000.0)
            .collect();
        let rows: Vec<i16> = noise
            .chunks(64)
            .flat_map(|row| {
                let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                row.iter().map(move |x| (x * 32767.0 / length) as i16)
            })
            .collect();
        // Products of random unit rows in 64 dimensions have a deviation of 1/8.
        let cut = cut_of(&rows, 64, 0.3).map(|cut| f64::from(cut) / ONE);
        assert!(cut.is_some_and(|cut| (0.2..0.35).contains(&cut)), "{cut:?}");
    }
}
