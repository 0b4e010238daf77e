//! Of all ways to draw rows in d dimensions, which one loses least?
//!
//! Symbols as in Halko, Martinsson and Tropp (2011): A (m × n) the weights, Ω (n × l) random. Start from Q = Ω of l = d + 32 columns, signs that the features' own numbers give.
//! Then twice Q ← A*·(A·Q), made orthonormal: its columns come to lie in the space of the largest singular vectors. The Ritz step finds these inside: the eigenvectors V of
//! (A·Q)*·(A·Q) give P = Q·V and the squares of the singular values.
//!
//! Singular values that nearly coincide (σ₃₅₂ and σ₃₅₃ always do) leave open which of their vectors is in and which is out; the signs of Ω, which depend on the features alone, decide.

use super::eigen::eigen;
use super::sparse::Sparse;
#[cfg(test)]
use super::square::Square;
use super::tall::{Tall, WIDTH};
use crate::neardup::crew::Crew;
use crate::random::split_mix;

/// Power iterations. One more changed no measure of quality beyond noise, one fewer did.
const ROUNDS: usize = 1;
/// Columns beyond those that are kept.
pub const OVERSAMPLING: usize = 32;
/// Directions whose singular value is below this share of the first are rounding errors.
const NOTHING: f64 = 1e-3;
/// Of the signs.
const SEED: u64 = 0x6b6c_6572_6f2f_7376; // «klero/sv»

/// P and the singular values, as many as there are, at most `dimension`. None if the watcher stopped it.
pub fn reduce(
    crew: &Crew<'_>,
    rows: &Sparse,
    features: &[u64],
    dimension: usize,
) -> Option<(Tall, Vec<f64>)> {
    let rank = dimension.min(rows.rows).min(rows.columns);
    let slices = (rank + OVERSAMPLING).div_ceil(WIDTH);
    let mut basis = signs(features, slices);
    for _ in 0..=ROUNDS {
        let images = rows.times(crew, &basis)?;
        basis = rows.transposed_times(crew, &images)?;
        let root = basis.gram(crew)?.inverse_root();
        basis = basis.times(crew, &root, slices)?;
    }
    let (values, vectors) = eigen(&rows.times(crew, &basis)?.gram(crew)?);
    let most = values.first().copied().unwrap_or_default();
    let kept = values.iter().take(dimension);
    let kept = kept.take_while(|value| **value > NOTHING * NOTHING * most);
    let values: Vec<f64> = kept.map(|value| value.sqrt()).collect();
    let mut turned = vectors.transposed();
    for row in turned.values.chunks_exact_mut(turned.size.max(1)) {
        row.iter_mut().skip(values.len()).for_each(|x| *x = 0.0);
    }
    let projection = basis.times(crew, &turned, values.len().div_ceil(WIDTH))?;
    Some((projection, values))
}

/// Ω: for each feature a row of signs that its number gives, whichever features there are beside it.
fn signs(features: &[u64], slices: usize) -> Tall {
    let mut start = Tall::zeros(features.len(), slices);
    for (slice, rows) in (1u64..).zip(&mut start.slices) {
        for (feature, row) in features.iter().zip(rows) {
            let bits = split_mix(feature.wrapping_add(SEED.wrapping_mul(slice)));
            *row = std::array::from_fn(|at| if bits >> at & 1 == 0 { 1.0 } else { -1.0 });
        }
    }
    start
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sparse::tests::{dense, random};
    use super::*;
    use crate::neardup::crew::Stop;

    #[test]
    fn the_singular_values_and_the_space_are_those_of_the_exact_decomposition() {
        let stop = Stop::new();
        let crew = Crew {
            threads: 2,
            watch: &|_, _| true,
            stop: &stop,
        };
        let matrix = random(130, 40, 11);
        let all = dense(&matrix);
        let mut products = Square::zeros(40);
        for i in 0..40 {
            for j in 0..40 {
                products.set(i, j, all.iter().map(|row| row[i] * row[j]).sum());
            }
        }
        let (exact, vectors) = eigen(&products);
        let features: Vec<u64> = (0..40).map(|i| split_mix(i * 977)).collect();
        let (p, values) = reduce(&crew, &matrix, &features, 20).unwrap();
        assert_eq!(values.len(), 20);
        for (value, exact) in values.iter().zip(&exact) {
            assert!((value - exact.sqrt()).abs() < 1e-4 * exact.sqrt());
        }
        // P and the exact vectors span one space: P·(P*·v) = v for each of them.
        for v in (0..20).map(|i| vectors.row(i)) {
            let inside: f64 = (0..20)
                .map(|at| {
                    let column = p.slices[at / WIDTH]
                        .iter()
                        .map(|row| f64::from(row[at % WIDTH]));
                    column.zip(v).map(|(x, y)| x * y).sum::<f64>().powi(2)
                })
                .sum();
            assert!((inside - 1.0).abs() < 1e-3, "{inside}");
        }
    }

    #[test]
    fn no_more_directions_than_there_are() {
        let stop = Stop::new();
        let crew = Crew {
            threads: 1,
            watch: &|_, _| true,
            stop: &stop,
        };
        for (rows, columns) in [(0, 0), (1, 3), (12, 3), (12, 40)] {
            let matrix = random(rows, columns.max(1), 12);
            let features: Vec<u64> = (0..columns.max(1) as u64).map(split_mix).collect();
            let (_, values) = reduce(&crew, &matrix, &features, 20).unwrap();
            assert!(values.len() <= rows.min(columns), "{values:?}");
            assert!(values.iter().all(|value| value.is_finite() && *value > 0.0));
        }
    }
}
