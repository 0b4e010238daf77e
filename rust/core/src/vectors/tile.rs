//! How are many rows compared with many others as fast as a processor can?
//!
//! The product of two blocks of 16-bit numbers, in 32-bit ones: C = A · Bᵀ. After Goto and van de Geijn (2008): twelve rows of A and thirty-two of B are packed
//! such that the numbers of one step lie side by side; the 384 sums of such a *tile* stay in registers while all steps pass; and whoever called looks at the tile while
//! it is in the nearest cache, so that no matrix of similarities is ever written. Steps go in pairs of numbers: a processor multiplies 32 pairs and
//! adds each two at once (`vpmaddwd`).
//!
//! Guarantees: sums of whole numbers, so all instruction sets give the same; no sum overflows if both rows' lengths are at most 32767 + √d / 2 (Cauchy and Schwarz).
//! Cost: with 512-bit registers, two `vpmaddwd` a cycle are 64 multiplications and additions; a tile of 384 numbers takes about 2,400 cycles of which 2,304 are those.

#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

use super::Rows;

/// Rows are filled up to a multiple of this.
pub const STEP: usize = 32;
/// Rows of A in a tile.
pub const HIGH: usize = 12;
/// Rows of B in a tile.
pub const WIDE: usize = 32;

/// Twelve pairs, one of each row of A.
pub type Left = [[i16; 2]; HIGH];
/// Thirty-two pairs, one of each row of B.
pub type Right = [[i16; 2]; WIDE];
/// The products of twelve rows and thirty-two.
pub type Tile = [[i32; WIDE]; HIGH];

/// Looks at tiles.
pub trait Look {
    /// Called for each tile: the number of the twelve, that of the thirty-two, and the products.
    fn look<L: Lanes>(&mut self, lanes: L, twelve: usize, thirty_two: usize, tile: &Tile);
}

/// What instruction sets do differently.
pub trait Lanes: Copy {
    /// The products of twelve rows and thirty-two.
    fn multiply(self, left: &[Left], right: &[Right], tile: &mut Tile);

    /// A bit for each number above its bound.
    #[inline(always)]
    fn above(self, numbers: &[i32; WIDE], bounds: &[i32; WIDE]) -> u32 {
        let bits = numbers.iter().zip(bounds).enumerate();
        bits.fold(0, |bits, (i, (x, bound))| {
            bits | (u32::from(x > bound) << i)
        })
    }
}

/// The instruction set in use.
#[derive(Clone, Copy, Debug, Default)]
pub enum Kernel {
    /// 512-bit registers.
    #[cfg(target_arch = "x86_64")]
    V4(V4),
    /// 256-bit registers.
    #[cfg(target_arch = "x86_64")]
    V3(V3),
    /// Whatever the compiler makes of loops.
    #[default]
    Plain,
}

impl Kernel {
    /// All that this processor has, best first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let special = [V4::try_new().map(Self::V4), V3::try_new().map(Self::V3)];
        #[cfg(not(target_arch = "x86_64"))]
        let special = [];
        let special = special.into_iter().flatten();
        special.chain([Self::Plain]).collect()
    }

    /// The best that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::all().into_iter().next().unwrap_or_default()
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::V4(_) => "512-bit registers",
            #[cfg(target_arch = "x86_64")]
            Self::V3(_) => "256-bit registers",
            Self::Plain => "plain loops",
        }
    }

    /// Multiplies blocks, tile by tile: for each thirty-two of `right`, which has `pairs` steps each, all twelves of `left`.
    pub fn multiply<W: Look>(self, pairs: usize, left: &[Left], right: &[Right], look: &mut W) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::V4(simd) => simd.vectorize(Whole(simd, pairs, left, right, look)),
            #[cfg(target_arch = "x86_64")]
            Self::V3(simd) => simd.vectorize(Whole(simd, pairs, left, right, look)),
            Self::Plain => tiles(Plain, pairs, left, right, look),
        }
    }
}

#[cfg(target_arch = "x86_64")]
struct Whole<'a, L, W>(L, usize, &'a [Left], &'a [Right], &'a mut W);

#[cfg(target_arch = "x86_64")]
impl<L: Lanes, W: Look> pulp::NullaryFnOnce for Whole<'_, L, W> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        tiles(self.0, self.1, self.2, self.3, self.4);
    }
}

#[inline(always)]
fn tiles<L: Lanes, W: Look>(lanes: L, pairs: usize, left: &[Left], right: &[Right], look: &mut W) {
    let mut tile = [[0; WIDE]; HIGH];
    let pairs = pairs.max(1);
    for (column, right) in right.chunks_exact(pairs).enumerate() {
        for (row, left) in left.chunks_exact(pairs).enumerate() {
            lanes.multiply(left, right, &mut tile);
            look.look(lanes, row, column, &tile);
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for V4 {
    #[inline(always)]
    fn multiply(self, left: &[Left], right: &[Right], tile: &mut Tile) {
        let (f, bw) = (self.avx512f, self.avx512bw);
        let mut sums = [[f._mm512_setzero_si512(); 2]; HIGH];
        for (left, right) in left.iter().zip(right) {
            let halves: [[[i16; 2]; 16]; 2] = pulp::cast(*right);
            let right = halves.map(pulp::cast);
            for (sums, left) in sums.iter_mut().zip(left) {
                let left = f._mm512_set1_epi32(pulp::cast(*left));
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = f._mm512_add_epi32(*sum, bw._mm512_madd_epi16(left, right));
                }
            }
        }
        for (row, sums) in tile.iter_mut().zip(sums) {
            *row = pulp::cast(sums);
        }
    }

    #[inline(always)]
    fn above(self, numbers: &[i32; WIDE], bounds: &[i32; WIDE]) -> u32 {
        let numbers: [[i32; 16]; 2] = pulp::cast(*numbers);
        let bounds: [[i32; 16]; 2] = pulp::cast(*bounds);
        let half = |at: usize| {
            let above = self
                .avx512f
                ._mm512_cmpgt_epi32_mask(pulp::cast(numbers[at]), pulp::cast(bounds[at]));
            u32::from(above)
        };
        half(0) | half(1) << 16
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for V3 {
    #[inline(always)]
    fn multiply(self, left: &[Left], right: &[Right], tile: &mut Tile) {
        // Sixteen registers: six rows and sixteen columns at a time.
        for high in 0..2 {
            for wide in 0..2 {
                let mut sums = [[self.avx._mm256_setzero_si256(); 2]; 6];
                for (left, right) in left.iter().zip(right) {
                    let lefts: [[[i16; 2]; 6]; 2] = pulp::cast(*left);
                    let quarters: [[[[i16; 2]; 8]; 2]; 2] = pulp::cast(*right);
                    let right = quarters[wide].map(pulp::cast);
                    for (sums, left) in sums.iter_mut().zip(lefts[high]) {
                        let left = self.avx._mm256_set1_epi32(pulp::cast(left));
                        for (sum, right) in sums.iter_mut().zip(right) {
                            let product = self.avx2._mm256_madd_epi16(left, right);
                            *sum = self.avx2._mm256_add_epi32(*sum, product);
                        }
                    }
                }
                for (row, sums) in tile.iter_mut().skip(high * 6).zip(sums) {
                    let sums: [i32; 16] = pulp::cast(sums);
                    row[wide * 16..][..16].copy_from_slice(&sums);
                }
            }
        }
    }
}

/// Loops, for the compiler.
#[derive(Clone, Copy)]
struct Plain;

impl Lanes for Plain {
    #[inline(always)]
    fn multiply(self, left: &[Left], right: &[Right], tile: &mut Tile) {
        // A sum of products of two rows is what every compiler knows to make of its widest registers, so rows are laid out again, some steps at a time.
        *tile = [[0; WIDE]; HIGH];
        let (mut rows, mut columns) = ([[[0i16; 2]; LAID]; HIGH], [[[0i16; 2]; LAID]; WIDE]);
        for (left, right) in left.chunks(LAID).zip(right.chunks(LAID)) {
            lay(left, &mut rows);
            lay(right, &mut columns);
            for (numbers, row) in tile.iter_mut().zip(&rows) {
                for (number, column) in numbers.iter_mut().zip(&columns) {
                    let pairs = row.as_flattened().iter().zip(column.as_flattened());
                    let products = pairs.map(|(x, y)| i32::from(*x).wrapping_mul(i32::from(*y)));
                    *number = number.wrapping_add(products.fold(0, i32::wrapping_add));
                }
            }
        }
    }
}

/// Steps that plain loops lay out at a time.
const LAID: usize = 64;

/// Lays steps out row by row; what is missing to the last is zeros.
fn lay<const N: usize>(steps: &[[[i16; 2]; N]], rows: &mut [[[i16; 2]; LAID]; N]) {
    for (lane, row) in rows.iter_mut().enumerate() {
        row.fill([0; 2]);
        for (place, step) in row.iter_mut().zip(steps) {
            *place = step[lane];
        }
    }
}

/// Rows packed as B is read: thirty-two together, pair by pair. What is missing to the last thirty-two is zeros.
#[derive(Clone, Debug, Default)]
pub struct Panels {
    steps: Vec<Right>,
    pairs: usize,
    rows: usize,
}

impl Panels {
    /// Room for so many rows of this width, all zeros.
    #[must_use]
    pub fn new(rows: usize, width: usize) -> Self {
        let pairs = width / 2;
        Self {
            steps: vec![[[0; 2]; WIDE]; rows.div_ceil(WIDE) * pairs],
            pairs,
            rows,
        }
    }

    /// Rows `at(0) …` packed; reads them into `scratch`.
    #[must_use]
    pub fn of(rows: &dyn Rows, at: impl ExactSizeIterator<Item = usize>) -> Self {
        let mut panels = Self::new(at.len(), rows.width());
        let mut scratch = vec![0; rows.width()];
        for (place, row) in at.enumerate() {
            rows.read(row, &mut scratch);
            panels.put(place, &scratch);
        }
        panels
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Steps of a panel.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Number of panels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.div_ceil(WIDE)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Puts a row in its place.
    pub fn put(&mut self, at: usize, row: &[i16]) {
        let (panel, lane) = (at / WIDE, at % WIDE);
        let steps = self.steps.iter_mut().skip(panel * self.pairs);
        for (step, pair) in steps.zip(row.chunks_exact(2)) {
            step[lane] = [pair[0], pair[1]];
        }
    }

    /// Reads a row.
    pub fn get(&self, at: usize, out: &mut [i16]) {
        let (panel, lane) = (at / WIDE, at % WIDE);
        let steps = self.steps.iter().skip(panel * self.pairs);
        for (pair, step) in out.chunks_exact_mut(2).zip(steps) {
            pair.copy_from_slice(&step[lane]);
        }
    }

    /// The steps of panels `from` up to `to`.
    #[must_use]
    pub fn steps(&self, from: usize, to: usize) -> &[Right] {
        let end = (to * self.pairs).min(self.steps.len());
        &self.steps[(from * self.pairs).min(end)..end]
    }

    /// All steps, for whoever fills panels by several threads: [`Panels::pairs`] steps are one panel.
    pub fn steps_mut(&mut self) -> &mut [Right] {
        &mut self.steps
    }
}

impl Rows for Panels {
    fn len(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        self.pairs * 2
    }

    fn read(&self, at: usize, out: &mut [i16]) {
        self.get(at, out);
    }
}

/// Packs these rows as A is read: twelve together; zeros fill up the last twelve.
pub fn pack_rows(rows: &dyn Rows, ids: &[u32], out: &mut Vec<Left>) {
    let (width, pairs) = (rows.width(), rows.width() / 2);
    out.clear();
    out.resize(ids.len().div_ceil(HIGH) * pairs, [[0; 2]; HIGH]);
    let mut row = vec![0i16; width];
    for (steps, ids) in out.chunks_exact_mut(pairs.max(1)).zip(ids.chunks(HIGH)) {
        for (place, id) in ids.iter().enumerate() {
            rows.read(*id as usize, &mut row);
            for (step, pair) in steps.iter_mut().zip(row.chunks_exact(2)) {
                step[place] = [pair[0], pair[1]];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    struct All(Vec<Vec<i32>>);

    impl Look for All {
        fn look<L: Lanes>(&mut self, lanes: L, twelve: usize, panel: usize, tile: &Tile) {
            for (row, numbers) in tile.iter().enumerate() {
                let place = &mut self.0[twelve * HIGH + row][panel * WIDE..][..WIDE];
                place.copy_from_slice(numbers);
                let bounds: [i32; WIDE] = std::array::from_fn(|i| numbers[(i * 7 + 3) % WIDE]);
                let above = lanes.above(numbers, &bounds);
                let slow = (0..WIDE).filter(|i| numbers[*i] > bounds[*i]);
                assert_eq!(above, slow.fold(0, |bits, i| bits | 1 << i));
            }
        }
    }

    fn panels(random: &mut Random, rows: usize, width: usize, most: i16) -> Panels {
        let mut panels = Panels::new(rows, width);
        let mut row = vec![0i16; width];
        for at in 0..rows {
            let number = |_| (random.below(2 * most as usize + 1) as i32 - i32::from(most)) as i16;
            row = row.iter().map(number).collect();
            panels.put(at, &row);
            let mut back = vec![0; width];
            panels.get(at, &mut back);
            assert_eq!(row, back);
        }
        panels
    }

    #[test]
    fn all_instruction_sets_give_the_products_that_two_loops_give() {
        let mut random = Random::new(1);
        for (rows, columns, width) in [(1, 1, 32), (12, 32, 64), (25, 70, 96), (13, 33, 1024)] {
            let left = panels(&mut random, rows, width, 500);
            let right = panels(&mut random, columns, width, 500);
            let twelves = rows.div_ceil(HIGH);
            let mut packed = Vec::new();
            let ids: Vec<u32> = (0..rows as u32).collect();
            pack_rows(&left, &ids, &mut packed);
            for kernel in Kernel::all() {
                let mut all = All(vec![vec![-1; right.len() * WIDE]; twelves * HIGH]);
                let steps = right.steps(0, right.len());
                kernel.multiply(width / 2, &packed, steps, &mut all);
                let (mut a, mut b) = (vec![0; width], vec![0; width]);
                for (i, products) in all.0.iter().enumerate() {
                    for (j, product) in products.iter().enumerate() {
                        a.fill(0);
                        b.fill(0);
                        if i < rows {
                            left.get(i, &mut a);
                        }
                        if j < columns {
                            right.get(j, &mut b);
                        }
                        let slow: i32 = a
                            .iter()
                            .zip(&b)
                            .map(|(x, y)| i32::from(*x) * i32::from(*y))
                            .sum();
                        assert_eq!(*product, slow, "{kernel:?} {i} {j}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_longest_rows_do_not_overflow() {
        // All of the length in one number, or in 1024 equal ones, rounded up.
        for row in [vec![i16::MAX; 1], vec![1024; 1024]] {
            let width = row.len().next_multiple_of(STEP);
            let mut panels = Panels::new(1, width);
            panels.put(0, &[row.as_slice(), &vec![0; width - row.len()]].concat());
            let mut packed = Vec::new();
            pack_rows(&panels, &[0], &mut packed);
            for kernel in Kernel::all() {
                let mut all = All(vec![vec![0; WIDE]; HIGH]);
                kernel.multiply(width / 2, &packed, panels.steps(0, 1), &mut all);
                let slow: i64 = row.iter().map(|x| i64::from(*x).pow(2)).sum();
                assert_eq!(i64::from(all.0[0][0]), slow);
            }
        }
    }
}
