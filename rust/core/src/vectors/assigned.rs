//! What are given centres to given rows: which is nearest, how far are all, and how far in sum?
//!
//! By [`super::centres`] and [`apart`], so it agrees with what [`super::kmeans`] found. Guarantees: a function of each row and the centres; sums are of whole numbers, the same in any order.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use pulp::Arch;

use super::centres::{apart, Centres, Data};
use super::sphere::{exponent_above, power};
use super::tile::Kernel;
use crate::neardup::crew::Crew;

/// Rows of a block of work.
const BLOCK: usize = 256;

/// Each row's nearest of these centres. None if stopped.
#[must_use]
pub fn predict(
    crew: &Crew<'_>,
    kernel: Kernel,
    data: &Data<'_>,
    centres: Vec<f32>,
) -> Option<Vec<u32>> {
    let centres = Centres::new(centres, data.source.dimension(), kernel);
    let labels: Vec<AtomicU32> = (0..data.source.rows()).map(|_| AtomicU32::new(0)).collect();
    let take = |at: usize, _: &[f32], label: usize| labels[at].store(label as u32, Relaxed);
    centres.nearest(crew, data, take)?;
    Some(labels.into_iter().map(AtomicU32::into_inner).collect())
}

/// Each row's distances to all centres, row after row. None if stopped.
#[must_use]
pub fn distances(crew: &Crew<'_>, data: &Data<'_>, centres: &[f32]) -> Option<Vec<f32>> {
    let (rows, dimension) = (data.source.rows(), data.source.dimension());
    let count = centres.len() / dimension.max(1);
    let arch = Arch::new();
    let mut far = vec![0.0f32; rows * count];
    let parts: Vec<_> = far
        .chunks_mut(BLOCK * count.max(1))
        .map(Mutex::new)
        .collect();
    let work = |row: &mut Vec<f32>, block: usize| {
        let mut part = parts[block].lock().unwrap_or_else(PoisonError::into_inner);
        arch.dispatch(|| {
            for (at, far) in part.chunks_exact_mut(count.max(1)).enumerate() {
                data.read(block * BLOCK + at, row);
                for (far, centre) in far.iter_mut().zip(centres.chunks_exact(dimension)) {
                    *far = apart(row, centre).sqrt() as f32;
                }
            }
        });
    };
    crew.share("distances", parts.len(), || vec![0.0f32; dimension], work)?;
    drop(parts);
    Some(far)
}

/// The sum of squared distances to the nearest centres, the same in any order. None if stopped.
#[must_use]
pub fn inertia(crew: &Crew<'_>, kernel: Kernel, data: &Data<'_>, centres: Vec<f32>) -> Option<f64> {
    let largest = if data.unit {
        1.0
    } else {
        data.source.largest(crew)?
    };
    let largest = centres.iter().fold(largest, |most, x| most.max(x.abs()));
    let dimension = data.source.dimension();
    let bits = (dimension.next_power_of_two().trailing_zeros()) as i32;
    let far = 2 * (exponent_above(largest.max(f32::from_bits(1))) + 1) + bits;
    let scale = power(62 - far);
    let centres = Centres::new(centres, dimension, kernel);
    let (arch, sum) = (Arch::new(), Mutex::new(0u128));
    centres.nearest(crew, data, |_, row, label| {
        let far = arch.dispatch(|| apart(row, centres.centre(label))) * scale;
        *sum.lock().unwrap_or_else(PoisonError::into_inner) += u128::from(far as u64);
    })?;
    Some(sum.into_inner().unwrap_or_else(PoisonError::into_inner) as f64 / scale)
}
