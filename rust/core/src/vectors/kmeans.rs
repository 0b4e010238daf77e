//! Which k groups leave the least distance within, when each row belongs to the nearest of k means?
//!
//! Lloyd's algorithm (1982), «klero-kmeans/1», over all rows. Each row's nearest centre is exact ([`super::centres`]). Sums of groups are whole numbers: every entry is rounded
//! to a multiple of 2^(e − b), with 2^e the least power of two above all magnitudes and b = min(50, 62 − ⌈log2 n⌉), so a sum is exact in any order, and a row that changes its group is taken from one sum and added to another without
//! a trace: in later rounds only the rows that move are added. A mean is its sum divided in 64 bits and rounded to 32. A group that has lost all its rows begins again at the row that is
//! farthest from its centre.
//!
//! Guarantees: a function of the set of rows, k, and the seed or the first centres, for any order of rows, threads and processor. Not guaranteed: the best of all groupings, which is
//! NP-hard; from other first centres another may be found.
//! Cost: n k d multiplications in 16 bits a round. Memory: 16 bytes a row, 100 while rows are put in order, 8 k d for the sums; rows are read where they lie.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pulp::{Arch, Simd, WithSimd};

use super::centres::{apart, to_unit, Centres, Data};
use super::points::Points;
use super::seeding::{distinct, seeds};
use super::sphere::{exponent_above, power, whole};
use super::tile::Kernel;
use crate::neardup::crew::Crew;

/// The version of all this; any change of a result is a new one.
pub const ALGORITHM: &str = "klero-kmeans/1";

/// Rows of a block of work.
const BLOCK: usize = 1024;

/// The group of a row that has none yet.
const NONE: u32 = u32::MAX;

/// How often groups are numbered again, when a row is equally near to two centres.
const RENUMBER: usize = 8;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of groups.
    pub k: usize,
    /// Rounds, at most.
    pub rounds: usize,
    /// The rounds end once the centres' squared moves sum to this share of the mean variance of a column, or less.
    pub tolerance: f64,
    /// Of the first centres.
    pub seed: u64,
    /// The first centres, if they are given.
    pub first: Option<Vec<f32>>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fit {
    /// k rows: the largest group's first.
    pub centres: Vec<f32>,
    /// Each row's group.
    pub labels: Vec<u32>,
    /// The sum of squared distances to the centres.
    pub inertia: f64,
    /// Rounds.
    pub rounds: usize,
    /// Pairs of a row and a centre that were compared in 64 bits, in all rounds.
    pub again: usize,
}

/// Why there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An entry is infinite or not a number.
    NotFinite,
    /// So few rows are distinct.
    Few(usize),
    /// The watcher stopped it.
    Stopped,
}

/// A group: how many rows, and their sum.
struct Group {
    count: i64,
    sum: Box<[i64]>,
}

/// Adds a row to a sum, or takes it away.
struct Add<'a> {
    row: &'a [f32],
    scale: f64,
    sum: &'a mut [i64],
    sign: i64,
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if self.sign > 0 {
            for (sum, x) in self.sum.iter_mut().zip(self.row) {
                *sum = sum.wrapping_add(whole(f64::from(*x) * self.scale));
            }
        } else {
            for (sum, x) in self.sum.iter_mut().zip(self.row) {
                *sum = sum.wrapping_sub(whole(f64::from(*x) * self.scale));
            }
        }
    }
}

/// The state of the rounds.
struct Rounds<'a> {
    data: Data<'a>,
    kernel: Kernel,
    arch: Arch,
    points: Points,
    labels: Vec<AtomicU32>,
    groups: Vec<Mutex<Group>>,
    /// One of these is the unit of sums.
    step: f64,
    /// The exponent of what no squared distance reaches.
    far: i32,
}

/// Fits k means.
///
/// # Errors
/// See [`Refusal`].
pub fn fit(
    crew: &Crew<'_>,
    kernel: Kernel,
    data: &Data<'_>,
    options: &Options,
) -> Result<Fit, Refusal> {
    let largest = data.source.largest(crew).ok_or(Refusal::Stopped)?;
    if !largest.is_finite() {
        return Err(Refusal::NotFinite);
    }
    let points = distinct(crew, data).ok_or(Refusal::Stopped)?;
    if points.len() < options.k {
        return Err(Refusal::Few(points.len()));
    }
    fitted(crew, kernel, data, options, largest, points).ok_or(Refusal::Stopped)
}

fn fitted(
    crew: &Crew<'_>,
    kernel: Kernel,
    data: &Data<'_>,
    options: &Options,
    largest: f32,
    mut points: Points,
) -> Option<Fit> {
    let (rows, dimension) = (data.source.rows(), data.source.dimension());
    let first = match &options.first {
        Some(first) => first.clone(),
        None => seeds(crew, kernel, data, &points, options.k, options.seed)?,
    };
    // From here on nobody asks for names, which are more than half of what there is beyond the rows.
    points.names = Vec::new();
    let largest = if data.unit { 1.0 } else { largest };
    let exponent = exponent_above(largest.max(f32::from_bits(1)));
    let places = 62 - (rows.next_power_of_two().trailing_zeros() as i32);
    let group = || Group {
        count: 0,
        sum: vec![0; dimension].into(),
    };
    let rounds = Rounds {
        data: *data,
        kernel,
        arch: Arch::new(),
        points,
        labels: (0..rows).map(|_| AtomicU32::new(NONE)).collect(),
        groups: (0..options.k).map(|_| Mutex::new(group())).collect(),
        step: power(exponent - places.min(50)),
        far: 2 * (exponent + 1) + (dimension.next_power_of_two().trailing_zeros() as i32),
    };
    rounds.run(crew, first, options)
}

impl Rounds<'_> {
    fn centres(&self, floats: Vec<f32>) -> Centres {
        Centres::new(floats, self.data.source.dimension(), self.kernel)
    }

    fn run(&self, crew: &Crew<'_>, first: Vec<f32>, options: &Options) -> Option<Fit> {
        let dimension = self.data.source.dimension();
        let mut first = first;
        if self.data.unit {
            first.chunks_exact_mut(dimension).for_each(to_unit);
        }
        let mut centres = self.centres(first);
        let (mut done, mut again, mut settled) = (0, 0, false);
        let mut tolerance = 0.0;
        while done < options.rounds && !settled {
            let (moved, _, looked) = self.assign(crew, &centres)?;
            again += looked;
            done += 1;
            if done == 1 && options.tolerance > 0.0 {
                tolerance = options.tolerance * self.variance(crew)?;
            }
            let moved = moved + self.refill(crew, &centres)?;
            if moved == 0 {
                settled = true;
                continue;
            }
            let next = self.means(&centres);
            let near = moves(centres.floats(), &next, dimension) <= tolerance;
            centres = self.centres(next);
            if near {
                break;
            }
        }
        self.finish(crew, centres, settled, done, again)
    }

    /// Numbers the groups: the largest first, then by the centres' numbers.
    fn finish(
        &self,
        crew: &Crew<'_>,
        centres: Centres,
        settled: bool,
        done: usize,
        again: usize,
    ) -> Option<Fit> {
        let (mut centres, mut again) = (centres, again);
        let mut ties = usize::MAX;
        if !settled {
            let (_, tied, looked) = self.assign(crew, &centres)?;
            (ties, again) = (tied, again + looked);
        }
        for _ in 0..RENUMBER {
            let order = self.order(&centres);
            if order.is_sorted() {
                break;
            }
            let dimension = self.data.source.dimension();
            let mut floats = Vec::with_capacity(centres.floats().len());
            order
                .iter()
                .for_each(|at| floats.extend_from_slice(centres.centre(*at)));
            debug_assert_eq!(floats.len(), order.len() * dimension);
            centres = self.centres(floats);
            self.rename(&order);
            if ties == 0 {
                break;
            }
            // A row that is equally near to two centres belongs to the lower one, which may be the other now.
            let (_, tied, looked) = self.assign(crew, &centres)?;
            (ties, again) = (tied, again + looked);
        }
        let inertia = self.total(crew, |at, row, arch| {
            let label = self.labels[at].load(Relaxed) as usize;
            arch.dispatch(|| apart(row, centres.centre(label)))
        })?;
        Some(Fit {
            labels: self
                .labels
                .iter()
                .map(|label| label.load(Relaxed))
                .collect(),
            centres: centres.floats().to_vec(),
            inertia,
            rounds: done,
            again,
        })
    }

    fn group(&self, at: usize) -> MutexGuard<'_, Group> {
        let lock = self.groups[at].lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a row into another group.
    fn put(&self, at: usize, row: &[f32], label: usize) {
        let before = self.labels[at].swap(label as u32, Relaxed);
        let scale = 1.0 / self.step;
        for (group, sign) in [(before, -1), (label as u32, 1)] {
            if group != NONE {
                let mut group = self.group(group as usize);
                group.count += sign;
                self.arch.dispatch(Add {
                    row,
                    scale,
                    sum: &mut group.sum,
                    sign,
                });
            }
        }
    }

    /// Each row to its nearest centre: how many moved, how many have two nearest, and how many pairs were looked at twice.
    fn assign(&self, crew: &Crew<'_>, centres: &Centres) -> Option<(usize, usize, usize)> {
        let moved = AtomicUsize::new(0);
        let take = |at: usize, row: &[f32], label: usize| {
            if self.labels[at].load(Relaxed) != label as u32 {
                moved.fetch_add(1, Relaxed);
                self.put(at, row, label);
            }
        };
        let (ties, again) = centres.nearest(crew, &self.data, take)?;
        Some((moved.into_inner(), ties, again))
    }

    /// The means of the groups; a group without rows keeps its centre.
    fn means(&self, centres: &Centres) -> Vec<f32> {
        let dimension = self.data.source.dimension();
        let mut floats = centres.floats().to_vec();
        for (at, place) in floats.chunks_exact_mut(dimension).enumerate() {
            let group = self.group(at);
            if group.count == 0 || (self.data.unit && group.sum.iter().all(|x| *x == 0)) {
                continue;
            }
            let count = group.count as f64;
            for (place, sum) in place.iter_mut().zip(group.sum.iter()) {
                *place = (*sum as f64 / count * self.step) as f32;
            }
            if self.data.unit {
                to_unit(place);
            }
        }
        floats
    }

    /// The mean variance of a column: of all rows, around their mean.
    fn variance(&self, crew: &Crew<'_>) -> Option<f64> {
        let (rows, dimension) = (self.labels.len() as f64, self.data.source.dimension());
        let mut sums = vec![0i64; dimension];
        for at in 0..self.groups.len() {
            let group = self.group(at);
            for (sum, x) in sums.iter_mut().zip(group.sum.iter()) {
                *sum = sum.wrapping_add(*x);
            }
        }
        let mean = sums.iter().map(|x| (*x as f64 / rows * self.step) as f32);
        let mean: Vec<f32> = mean.collect();
        let total = self.total(crew, |_, row, arch| arch.dispatch(|| apart(row, &mean)))?;
        Some(total / rows / dimension as f64)
    }

    /// The sum of a number for each row, none above 2^`far`, as whole numbers of 2^(`far` − 62): exact in any order.
    fn total(
        &self,
        crew: &Crew<'_>,
        of: impl Fn(usize, &[f32], Arch) -> f64 + Sync,
    ) -> Option<f64> {
        let scale = power(62 - self.far);
        let parts = self.each(crew, 0u128, |sum, at, row| {
            *sum += u128::from((of(at, row, self.arch) * scale) as u64);
        })?;
        Some(parts.into_iter().sum::<u128>() as f64 / scale)
    }

    /// Shows every row to a state of each thread.
    fn each<S: Clone + Send + Sync>(
        &self,
        crew: &Crew<'_>,
        new: S,
        look: impl Fn(&mut S, usize, &[f32]) + Sync,
    ) -> Option<Vec<S>> {
        let rows = self.labels.len();
        let hand = || (vec![0.0f32; self.data.source.dimension()], new.clone());
        let work = |(row, state): &mut (Vec<f32>, S), block: usize| {
            for at in block * BLOCK..(block * BLOCK + BLOCK).min(rows) {
                self.arch.dispatch(|| self.data.read(at, row));
                look(state, at, row);
            }
        };
        let states = crew.share("distances", rows.div_ceil(BLOCK), hand, work)?;
        Some(states.into_iter().map(|(_, state)| state).collect())
    }

    /// Groups without rows begin again at the rows farthest from their centre, with all their copies; how many rows moved.
    fn refill(&self, crew: &Crew<'_>, centres: &Centres) -> Option<usize> {
        let empty = (0..self.groups.len()).filter(|at| self.group(*at).count == 0);
        let mut empty: Vec<usize> = empty.collect();
        if empty.is_empty() {
            return Some(0);
        }
        let label = |at: usize| self.labels[at].load(Relaxed) as usize;
        let parts = self.each(crew, Vec::new(), |all: &mut Vec<(u64, u32)>, at, row| {
            let far = self.arch.dispatch(|| apart(row, centres.centre(label(at))));
            // As bits, numbers that are not negative are ordered as they are: the farthest first.
            all.push((u64::MAX - far.to_bits(), self.points.of_row[at]));
        })?;
        let mut all = parts.concat();
        all.sort_unstable();
        all.dedup();
        empty.reverse();
        let mut chosen = std::collections::BTreeMap::new();
        for (_, point) in all {
            let Some(to) = empty.last().copied() else {
                break;
            };
            let copies = i64::from(self.points.copies[point as usize]);
            let from = label(self.points.first[point as usize] as usize);
            let mut group = self.group(from);
            // The last of a group stays.
            if group.count > copies {
                group.count -= copies;
                chosen.insert(point, (from, copies, to));
                empty.pop();
            }
        }
        for (from, copies, _) in chosen.values() {
            self.group(*from).count += copies;
        }
        let mut row = vec![0.0; self.data.source.dimension()];
        let mut moved = 0;
        for (at, point) in self.points.of_row.iter().enumerate() {
            if let Some((_, _, to)) = chosen.get(point) {
                self.data.read(at, &mut row);
                self.put(at, &row, *to);
                moved += 1;
            }
        }
        Some(moved)
    }

    /// The groups, largest first; of equals, the one with the lesser centre.
    fn order(&self, centres: &Centres) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        let lesser = |a: usize, b: usize| {
            let pairs = centres.centre(a).iter().zip(centres.centre(b));
            let mut different = pairs.map(|(x, y)| x.total_cmp(y));
            different
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        };
        order.sort_by(|a, b| {
            let sizes = self.group(*b).count.cmp(&self.group(*a).count);
            sizes.then_with(|| lesser(*a, *b))
        });
        order
    }

    /// The group `order[i]` becomes group i.
    fn rename(&self, order: &[usize]) {
        let mut place = vec![0u32; order.len()];
        let mut groups: Vec<Option<Group>> = Vec::with_capacity(order.len());
        for (new, old) in order.iter().enumerate() {
            place[*old] = new as u32;
            let empty = Group {
                count: 0,
                sum: Box::default(),
            };
            groups.push(Some(std::mem::replace(&mut *self.group(*old), empty)));
        }
        for (at, group) in groups.into_iter().flatten().enumerate() {
            *self.group(at) = group;
        }
        for label in &self.labels {
            label.store(place[label.load(Relaxed) as usize], Relaxed);
        }
    }
}

/// The sum of squared moves.
fn moves(before: &[f32], after: &[f32], dimension: usize) -> f64 {
    let pairs = before
        .chunks_exact(dimension)
        .zip(after.chunks_exact(dimension));
    pairs.map(|(before, after)| apart(before, after)).sum()
}
