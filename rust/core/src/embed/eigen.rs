//! Eigenvalues and eigenvectors of a symmetric matrix.
//!
//! The way of Wilkinson and Reinsch (Handbook for Automatic Computation II, 1971): Householder's reflections make it tridiagonal, QL steps with implicit shifts
//! make it diagonal. Only + − × ÷ √ in one order, so the result has the same bits everywhere. O(n³): 0.1 s for n = 288.

use super::square::Square;

/// QL steps for one eigenvalue; two or three are usual.
const MOST_STEPS: usize = 60;

/// Eigenvalues, descending, and the eigenvectors as rows in the same order.
#[must_use]
pub fn eigen(matrix: &Square) -> (Vec<f64>, Square) {
    let (mut diagonal, mut beside, mut vectors) = tridiagonal(matrix);
    diagonalise(&mut diagonal, &mut beside, &mut vectors);
    let mut order: Vec<usize> = (0..diagonal.len()).collect();
    order.sort_by(|a, b| diagonal[*b].total_cmp(&diagonal[*a]));
    let values = order.iter().map(|at| diagonal[*at]).collect();
    let rows = order.iter().flat_map(|at| vectors.row(*at)).copied();
    let vectors = Square {
        size: matrix.size,
        values: rows.collect(),
    };
    (values, vectors)
}

/// D, the numbers beside it, and Q as rows such that A = Σ T_ij q_i q_jᵀ. For each column a reflection H = I − v·vᵀ·2/(v·v) makes nothing of all below the diagonal but one.
fn tridiagonal(matrix: &Square) -> (Vec<f64>, Vec<f64>, Square) {
    let n = matrix.size;
    let mut a = matrix.clone();
    let mut mirrors: Vec<(Vec<f64>, f64)> = Vec::with_capacity(n);
    let mut beside = vec![0.0; n];
    for k in 0..n.saturating_sub(1) {
        let mut v = a.row(k).to_vec(); // symmetric: the row is the column
        v.iter_mut().take(k + 1).for_each(|x| *x = 0.0);
        let length = v.iter().fold(0.0, |sum, x| sum + x * x).sqrt();
        let first = v[k + 1];
        let target = if first > 0.0 { -length } else { length };
        beside[k] = target;
        v[k + 1] = first - target;
        let square = v.iter().fold(0.0, |sum, x| sum + x * x);
        let beta = if square > 0.0 { 2.0 / square } else { 0.0 };
        reflect(&mut a, &v, beta, k);
        mirrors.push((v, beta));
    }
    let diagonal = (0..n).map(|i| a.get(i, i)).collect();
    let mut q = Square::zeros(n);
    (0..n).for_each(|i| q.set(i, i, 1.0));
    apply(&mut q, &mirrors);
    (diagonal, beside, q)
}

/// Qᵀ := Hₘ · … · H₀ by multiplying from the left, H₀ first: a reflection takes from each row what it has of v.
fn apply(q: &mut Square, mirrors: &[(Vec<f64>, f64)]) {
    let n = q.size;
    for (v, beta) in mirrors {
        let mut sums = vec![0.0; n];
        for (x, row) in v.iter().zip(q.values.chunks_exact(n)) {
            if *x != 0.0 {
                sums.iter_mut().zip(row).for_each(|(sum, y)| *sum += x * y);
            }
        }
        for (x, row) in v.iter().zip(q.values.chunks_exact_mut(n)) {
            if *x != 0.0 {
                let factor = beta * x;
                row.iter_mut()
                    .zip(&sums)
                    .for_each(|(y, sum)| *y -= factor * sum);
            }
        }
    }
}

/// A := H · A · H on the rows and columns from `k` on: A − v·wᵀ − w·vᵀ with p = β A v and w = p − ½ β (p·v) v.
fn reflect(a: &mut Square, v: &[f64], beta: f64, k: usize) {
    let n = a.size;
    let mut p = vec![0.0; n];
    for (x, row) in v.iter().zip(a.values.chunks_exact(n)).skip(k) {
        if *x != 0.0 {
            p.iter_mut()
                .zip(row)
                .skip(k)
                .for_each(|(sum, y)| *sum += x * y);
        }
    }
    p.iter_mut().for_each(|x| *x *= beta);
    let along = p.iter().zip(v).fold(0.0, |sum, (x, y)| sum + x * y);
    let half = 0.5 * beta * along;
    let w: Vec<f64> = p.iter().zip(v).map(|(p, v)| p - half * v).collect();
    for (i, row) in a.values.chunks_exact_mut(n).enumerate().skip(k) {
        let (vi, wi) = (v[i], w[i]);
        let both = v.iter().zip(&w);
        for (x, (v, w)) in row.iter_mut().zip(both).skip(k) {
            *x -= vi * w + wi * v;
        }
    }
}

/// QL with implicit shifts; `vectors` are turned along, as rows.
fn diagonalise(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut Square) {
    let n = diagonal.len();
    for l in 0..n {
        for _ in 0..MOST_STEPS {
            let m = (l..n.saturating_sub(1))
                .find(|m| {
                    let near = diagonal[*m].abs() + diagonal[m + 1].abs();
                    beside[*m].abs() <= f64::EPSILON * near
                })
                .unwrap_or(n - 1);
            if m == l {
                break;
            }
            step(diagonal, beside, vectors, l, m);
        }
    }
}

/// One QL step on the part from `l` to `m`, with Wilkinson's shift.
fn step(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut Square, l: usize, m: usize) {
    let ratio = (diagonal[l + 1] - diagonal[l]) / (2.0 * beside[l]);
    let length = (ratio * ratio + 1.0).sqrt();
    let signed = if ratio >= 0.0 { length } else { -length };
    let mut g = diagonal[m] - diagonal[l] + beside[l] / (ratio + signed);
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for i in (l..m).rev() {
        let (f, b) = (sine * beside[i], cosine * beside[i]);
        let length = (f * f + g * g).sqrt();
        if i + 1 < m || length > 0.0 {
            beside[i + 1] = length;
        }
        if length <= 0.0 {
            diagonal[i + 1] -= shift;
            beside[m] = 0.0;
            return;
        }
        (sine, cosine) = (f / length, g / length);
        g = diagonal[i + 1] - shift;
        let r = (diagonal[i] - g) * sine + 2.0 * cosine * b;
        shift = sine * r;
        diagonal[i + 1] = g + shift;
        g = cosine * r - b;
        turn(vectors, i, sine, cosine);
    }
    diagonal[l] -= shift;
    beside[l] = g;
    beside[m] = 0.0;
}

/// Turns rows `i` and `i + 1` in their plane.
fn turn(vectors: &mut Square, i: usize, sine: f64, cosine: f64) {
    let n = vectors.size;
    let (upper, lower) = vectors.values.split_at_mut((i + 1) * n);
    let upper = upper.get_mut(i * n..).unwrap_or_default();
    for (x, y) in upper.iter_mut().zip(lower) {
        let (a, b) = (*x, *y);
        *y = sine * a + cosine * b;
        *x = cosine * a - sine * b;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::square::tests::random;
    use super::*;

    fn check(matrix: &Square) {
        let n = matrix.size;
        let (values, vectors) = eigen(matrix);
        assert!(values.windows(2).all(|two| two[0] >= two[1]));
        let scale = matrix
            .values
            .iter()
            .fold(1.0, |most: f64, x| most.max(x.abs()));
        for (i, value) in values.iter().enumerate() {
            let image: Vec<f64> = (0..n)
                .map(|row| {
                    matrix
                        .row(row)
                        .iter()
                        .zip(vectors.row(i))
                        .map(|(a, b)| a * b)
                        .sum()
                })
                .collect();
            for (x, y) in image.iter().zip(vectors.row(i)) {
                assert!((x - value * y).abs() < 1e-11 * scale * n as f64);
            }
            for j in 0..n {
                let dot: f64 = vectors
                    .row(i)
                    .iter()
                    .zip(vectors.row(j))
                    .map(|(a, b)| a * b)
                    .sum();
                assert!((dot - f64::from(i == j)).abs() < 1e-12 * n as f64);
            }
        }
    }

    #[test]
    fn vectors_keep_their_direction_and_stand_at_right_angles() {
        for size in 1..40 {
            let half = random(size, size as u64);
            check(&half.transposed().times(&half));
            let mut sum = half.clone();
            let turned = half.transposed();
            sum.values
                .iter_mut()
                .zip(&turned.values)
                .for_each(|(x, y)| *x += y);
            check(&sum);
        }
    }

    #[test]
    fn zeros_and_repeated_values_are_no_harder() {
        check(&Square::zeros(7));
        let mut same = Square::zeros(9);
        (0..9).for_each(|i| same.set(i, i, 3.0));
        check(&same);
        same.set(2, 7, 1.0);
        same.set(7, 2, 1.0);
        check(&same);
        let ones = Square {
            size: 20,
            values: vec![1.0; 400],
        };
        check(&ones);
    }
}
