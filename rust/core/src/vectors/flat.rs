//! Rows of 16-bit numbers in memory, one after the other, for whoever asks for them one by one and in no order.

use super::tile::STEP;
use super::{Rows, UNIT};

/// A matrix of 16-bit numbers, row after row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flat {
    numbers: Vec<i16>,
    width: usize,
}

impl Flat {
    /// Room for so many rows of so many numbers (filled up to a multiple of [`STEP`]), all zeros.
    #[must_use]
    pub fn new(rows: usize, dimension: usize) -> Self {
        let width = dimension.next_multiple_of(STEP).max(STEP);
        Self {
            numbers: vec![0; rows * width],
            width,
        }
    }

    /// The numbers of one row.
    #[must_use]
    pub fn row(&self, at: usize) -> &[i16] {
        &self.numbers[at * self.width..][..self.width]
    }

    /// Parts of so many rows each, for several threads.
    pub fn parts(&mut self, rows: usize) -> std::slice::ChunksMut<'_, i16> {
        self.numbers.chunks_mut((rows * self.width).max(1))
    }
}

impl Rows for Flat {
    fn len(&self) -> usize {
        self.numbers.len() / self.width.max(1)
    }

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, at: usize, out: &mut [i16]) {
        out.copy_from_slice(self.row(at));
    }
}

/// The product of two rows.
#[inline]
#[must_use]
pub fn dot(a: &[i16], b: &[i16]) -> i32 {
    let products = a
        .iter()
        .zip(b)
        .map(|(x, y)| i32::from(*x).wrapping_mul(i32::from(*y)));
    products.fold(0, i32::wrapping_add)
}

/// Rounds whole numbers to a row of length [`UNIT`]; zeros stay zeros. Numbers are below 2^52.
pub fn round(numbers: &[i64], out: &mut [i16]) {
    // One after the other: this order is part of the result.
    let squares = numbers.iter().map(|x| (*x as f64) * (*x as f64));
    let length = squares.fold(0.0f64, |sum, square| sum + square).sqrt();
    if length == 0.0 {
        out.fill(0);
        return;
    }
    let factor = f64::from(UNIT) / length;
    for (out, x) in out.iter_mut().zip(numbers) {
        *out = super::sphere::whole(*x as f64 * factor) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::{dot, round, Flat};
    use crate::vectors::Rows;

    #[test]
    fn rows_are_filled_up_with_zeros() {
        let mut flat = Flat::new(3, 33);
        assert_eq!((flat.len(), flat.width()), (3, 64));
        if let Some(part) = flat.parts(1).nth(1) {
            part[0] = 7;
        }
        assert_eq!((flat.row(0)[0], flat.row(1)[0]), (0, 7));
    }

    #[test]
    fn a_row_is_rounded_to_the_unit_in_its_direction() {
        let mut out = [0; 3];
        round(&[3, -4, 0], &mut out);
        assert_eq!(out, [19660, -26214, 0]);
        assert!((f64::from(dot(&out, &out)).sqrt() - 32767.0).abs() < 1.0);
        round(&[1 << 51, 0, 0], &mut out);
        assert_eq!(out, [32767, 0, 0]);
        round(&[0, 0, 0], &mut out);
        assert_eq!(out, [0, 0, 0]);
    }
}
