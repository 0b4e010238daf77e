//! Small square matrices in double precision: Cholesky's root, products, and what the eigenvectors need.

use super::tall::WIDTH;

/// A column whose part that no earlier one has is below this share of its square is taken for one that depends on them: what rounding leaves has some 10⁻¹².
const DEPENDENT: f64 = 1e-10;

/// Rows one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Square {
    /// Number of rows and columns.
    pub size: usize,
    /// The numbers, row by row.
    pub values: Vec<f64>,
}

impl Square {
    /// All zeros.
    #[must_use]
    pub fn zeros(size: usize) -> Self {
        Self {
            size,
            values: vec![0.0; size * size],
        }
    }

    /// The number in a row and a column; 0 outside.
    #[must_use]
    pub fn get(&self, row: usize, column: usize) -> f64 {
        let at = row * self.size + column;
        self.values.get(at).copied().unwrap_or_default()
    }

    /// Changes the number in a row and a column.
    pub fn set(&mut self, row: usize, column: usize, value: f64) {
        if let Some(place) = self.values.get_mut(row * self.size + column) {
            *place = value;
        }
    }

    /// A row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        let start = row * self.size;
        self.values
            .get(start..start + self.size)
            .unwrap_or_default()
    }

    /// The columns of a slice, row by row, in single precision.
    #[must_use]
    pub fn slice(&self, slice: usize) -> Vec<[f32; WIDTH]> {
        let rows = 0..self.size;
        rows.map(|row| std::array::from_fn(|column| self.get(row, slice * WIDTH + column) as f32))
            .collect()
    }

    /// Aᵀ.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut turned = Self::zeros(self.size);
        for row in 0..self.size {
            for (column, value) in self.row(row).iter().enumerate() {
                turned.set(column, row, *value);
            }
        }
        turned
    }

    /// A · B.
    #[must_use]
    pub fn times(&self, right: &Self) -> Self {
        let mut product = Self::zeros(self.size);
        let rows = product.values.chunks_exact_mut(self.size.max(1));
        for (row, out) in rows.enumerate() {
            for (at, x) in self.row(row).iter().enumerate().filter(|(_, x)| **x != 0.0) {
                for (sum, y) in out.iter_mut().zip(right.row(at)) {
                    *sum += x * y;
                }
            }
        }
        product
    }

    /// R⁻¹ for A = Rᵀ · R with R upper triangular (Cholesky). A column of A that depends on the ones before it gives a column of zeros, so that of
    /// vectors with the products A, the columns of V · R⁻¹ are at right angles and of length 1, or nothing.
    #[must_use]
    pub fn inverse_root(&self) -> Self {
        let n = self.size;
        let mut root = Self::zeros(n); // Rᵀ, whose rows are long
        for j in 0..n {
            for i in 0..j {
                let sum = dot(root.row(i), root.row(j), i);
                let pivot = root.get(i, i);
                let value = (self.get(i, j) - sum) / pivot;
                root.set(j, i, if pivot > 0.0 { value } else { 0.0 });
            }
            let rest = self.get(j, j) - dot(root.row(j), root.row(j), j);
            let independent = rest > DEPENDENT * self.get(j, j);
            root.set(j, j, if independent { rest.sqrt() } else { 0.0 });
        }
        root.inverse_lower().transposed()
    }

    /// Of a lower triangular matrix; a row with nothing on the diagonal is passed over.
    fn inverse_lower(&self) -> Self {
        let mut inverse = Self::zeros(self.size);
        for i in 0..self.size {
            let pivot = self.get(i, i);
            if pivot <= 0.0 {
                continue;
            }
            let mut sums = vec![0.0; i];
            for k in 0..i {
                let factor = self.get(i, k);
                for (sum, value) in sums.iter_mut().zip(inverse.row(k).iter().take(k + 1)) {
                    *sum += factor * value;
                }
            }
            for (column, sum) in sums.iter().enumerate() {
                inverse.set(i, column, -sum / pivot);
            }
            inverse.set(i, i, 1.0 / pivot);
        }
        inverse
    }
}

/// The sum of the first `count` products.
fn dot(left: &[f64], right: &[f64], count: usize) -> f64 {
    let pairs = left.iter().zip(right).take(count);
    pairs.fold(0.0, |sum, (x, y)| sum + x * y)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::random::Random;

    /// Numbers from −1 to 1.
    pub(in super::super) fn random(size: usize, seed: u64) -> Square {
        let mut random = Random::new(seed);
        let values = (0..size * size).map(|_| random.below(2001) as f64 / 1000.0 - 1.0);
        Square {
            size,
            values: values.collect(),
        }
    }

    fn far(left: &Square, right: &Square) -> f64 {
        let pairs = left.values.iter().zip(&right.values);
        pairs.fold(0.0, |most, (x, y)| f64::max(most, (x - y).abs()))
    }

    fn identity(size: usize) -> Square {
        let mut whole = Square::zeros(size);
        (0..size).for_each(|i| whole.set(i, i, 1.0));
        whole
    }

    #[test]
    fn the_root_makes_columns_stand_at_right_angles() {
        let columns = random(40, 3);
        let inverse = columns.transposed().times(&columns).inverse_root();
        let made = columns.times(&inverse);
        assert!(far(&made.transposed().times(&made), &identity(40)) < 1e-9);
    }

    #[test]
    fn a_column_that_says_nothing_new_becomes_nothing() {
        let mut columns = random(12, 4);
        for row in 0..12 {
            columns.set(row, 5, columns.get(row, 1) - 2.0 * columns.get(row, 3));
            columns.set(row, 9, 0.0);
        }
        let inverse = columns.transposed().times(&columns).inverse_root();
        let made = columns.times(&inverse);
        let mut right = identity(12);
        right.set(5, 5, 0.0);
        right.set(9, 9, 0.0);
        assert!(far(&made.transposed().times(&made), &right) < 1e-9);
    }
}
