//! Can these vectors be used, and how many repeat an earlier one?
//!
//! One pass over the numbers, where they lie: a row with a NaN or an infinite number is *broken*, a row of zeros alone points nowhere, and rows with equal numbers
//! (0 and −0 are equal) are copies. A row's 64-bit hash brings copies together; what decides is the comparison of the numbers themselves.
//!
//! Guarantees: exact; a function of the rows, whatever the threads. Cost: linear, at the speed of memory, and 12 bytes a row. Rows made so that their hashes collide
//! cost as many comparisons as there are different ones. No randomness.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use pulp::Arch;

use crate::neardup::crew::Crew;

/// How many rows of a kind are named; the others are counted.
pub const NAMED: usize = 20;

/// Rows of a block of work.
const BLOCK: usize = 2048;

/// Bytes that are hashed at once.
const STEP: usize = 64;

/// The bits of an infinite number; a NaN's are above, a finite one's below.
const INFINITE: u32 = 0x7f80_0000;

/// Odd constants with as many ones as zeros: the fractional parts of √2, √3, √5 and √7.
const KEYS: [u64; 4] = [
    0x6a09_e667_f3bc_c909,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
];

/// Rows that have something in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub count: usize,
    /// The first of them, at most [`NAMED`], ascending.
    pub first: Vec<usize>,
}

impl Found {
    fn add(&mut self, row: usize) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(row);
        }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.sort_unstable();
        self.first.truncate(NAMED);
    }
}

/// What is to be known of a matrix before it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Rows with a NaN or an infinite number.
    pub broken: Found,
    /// Rows of zeros alone.
    pub zero: Found,
    /// Rows that repeat an earlier one; broken rows are not compared.
    pub copies: usize,
}

#[derive(Default)]
struct Part {
    broken: Found,
    zero: Found,
    hashes: Vec<(u64, u32)>,
}

/// Checks a matrix of 32-bit floats in the processor's order, `dimension` to a row. None if the watcher stopped it, or the bytes are not whole rows, or there are
/// 2³² or more.
#[must_use]
pub fn check(crew: &Crew<'_>, bytes: &[u8], dimension: usize) -> Option<Check> {
    let width = dimension.checked_mul(4).filter(|&width| width > 0)?;
    let rows = bytes.len() / width;
    if !bytes.len().is_multiple_of(width) || u32::try_from(rows).is_err() {
        return None;
    }
    let row = |at: usize| &bytes[at * width..(at + 1) * width];
    let arch = Arch::new();
    let parts = crew.share(
        "checking",
        rows.div_ceil(BLOCK),
        Part::default,
        |part, block| {
            let block = block * BLOCK..((block + 1) * BLOCK).min(rows);
            arch.dispatch(|| {
                for at in block {
                    let (largest, hash) = look(row(at));
                    match largest {
                        INFINITE.. => part.broken.add(at),
                        0 => part.zero.add(at),
                        _ => {}
                    }
                    if largest < INFINITE {
                        #[allow(clippy::cast_possible_truncation)] // checked above
                        part.hashes.push((hash, at as u32));
                    }
                }
            });
        },
    )?;
    let mut outcome = Check::default();
    let mut hashes = Vec::with_capacity(rows);
    for part in parts {
        outcome.broken.merge(part.broken);
        outcome.zero.merge(part.zero);
        hashes.extend(part.hashes);
    }
    outcome.copies = copies(crew, &mut hashes, &row)?;
    Some(outcome)
}

/// The largest magnitude of a row, as bits, and its hash.
#[inline(always)]
fn look(row: &[u8]) -> (u32, u64) {
    let (mut largest, mut state) = (0u32, KEYS);
    let mut steps = row.chunks_exact(STEP);
    for step in &mut steps {
        (largest, state) = stir(step, largest, state);
    }
    let rest = steps.remainder();
    if !rest.is_empty() {
        let mut last = [0; STEP];
        last[..rest.len()].copy_from_slice(rest);
        (largest, state) = stir(&last, largest, state);
    }
    let hash = fold(
        state[0] ^ state[2].rotate_left(32),
        state[1] ^ state[3].rotate_left(32),
    );
    (largest, fold(hash, KEYS[1]))
}

#[inline(always)]
fn stir(step: &[u8], mut largest: u32, mut state: [u64; 4]) -> (u32, [u64; 4]) {
    let mut words = [0u32; STEP / 4];
    for (word, four) in words.iter_mut().zip(step.chunks_exact(4)) {
        // Adding zero makes −0 the same as 0, and leaves every other number as it is.
        *word = (float(four) + 0.0).to_bits();
        largest = largest.max(*word & 0x7fff_ffff);
    }
    for (lane, four) in state.iter_mut().zip(words.chunks_exact(4)) {
        let (a, b) = (join(four[0], four[1]), join(four[2], four[3]));
        *lane = fold(*lane ^ a, b ^ KEYS[3]);
    }
    (largest, state)
}

#[inline(always)]
fn float(four: &[u8]) -> f32 {
    f32::from_ne_bytes([four[0], four[1], four[2], four[3]])
}

#[inline(always)]
fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Both halves of the product of two words, mixed.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // the two halves
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

/// How many rows repeat an earlier one. None if stopped.
fn copies<'a>(
    crew: &Crew<'_>,
    hashes: &mut [(u64, u32)],
    row: &(impl Fn(usize) -> &'a [u8] + Sync),
) -> Option<usize> {
    hashes.sort_unstable();
    let runs: Vec<&[(u64, u32)]> = hashes
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|run| run.len() > 1)
        .collect();
    let found = AtomicUsize::new(0);
    crew.share(
        "copies",
        runs.len(),
        || (),
        |(), at| {
            let mut left: Vec<usize> = runs[at].iter().map(|entry| entry.1 as usize).collect();
            // Nearly always one turn: all have the numbers of the first.
            while left.len() > 1 && !crew.stop.is_set() {
                let first = row(left[0]);
                let before = left.len();
                left.retain(|&other| !same(first, row(other)));
                found.fetch_add(before - left.len() - 1, Relaxed);
            }
        },
    )?;
    Some(found.into_inner())
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.chunks_exact(4)
        .zip(b.chunks_exact(4))
        .all(|(a, b)| float(a) == float(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{check, Check, Found, NAMED};
    use crate::neardup::crew::{Crew, Stop};

    fn run(values: &[f32], dimension: usize, threads: usize) -> Option<Check> {
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_ne_bytes()).collect();
        let crew = Crew {
            threads,
            watch: &|_, _| true,
            stop: &Stop::new(),
        };
        check(&crew, &bytes, dimension)
    }

    /// Row by row, each compared with all before.
    fn slow(values: &[f32], dimension: usize) -> Check {
        let rows: Vec<&[f32]> = values.chunks(dimension).collect();
        let named = |kind: &dyn Fn(&[f32]) -> bool| {
            let all: Vec<usize> = (0..rows.len()).filter(|&i| kind(rows[i])).collect();
            Found {
                count: all.len(),
                first: all.into_iter().take(NAMED).collect(),
            }
        };
        Check {
            broken: named(&|row| row.iter().any(|x| !x.is_finite())),
            zero: named(&|row| row.iter().all(|&x| x == 0.0)),
            // Of rows with an infinite number, none counts.
            copies: (0..rows.len())
                .filter(|&i| rows[i].iter().all(|x| x.is_finite()) && rows[..i].contains(&rows[i]))
                .count(),
        }
    }

    proptest! {
        #[test]
        fn all_is_as_by_looking_at_each_row(
            dimension in 1usize..40,
            picks in proptest::collection::vec((0usize..6, 0usize..7), 0..60),
            threads in 1usize..4,
        ) {
            let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, 1e-45, f32::MAX];
            let values: Vec<f32> = picks.iter().flat_map(|&(kind, place)| (0..dimension).map(move |j| match kind {
                0 => 0.0,
                1 if j == place % dimension => odd[place],
                1 => 0.0,
                2 => 1.0 + j as f32,
                3 if j == 0 => place as f32,
                _ => -0.5,
            })).collect();
            prop_assert_eq!(run(&values, dimension, threads), Some(slow(&values, dimension)));
        }

        #[test]
        fn one_number_that_differs_is_no_copy(dimension in 1usize..80, place in 0usize..80) {
            let mut values = vec![0.25f32; dimension * 2];
            prop_assert_eq!(run(&values, dimension, 1).map(|c| c.copies), Some(1));
            values[place % dimension] += f32::EPSILON;
            prop_assert_eq!(run(&values, dimension, 1).map(|c| c.copies), Some(0));
        }
    }

    #[test]
    fn many_blocks_give_the_first_rows_and_all_counts() {
        let mut values = vec![1.0f32; 9000 * 2];
        for row in (0..9000).rev().step_by(7) {
            values[row * 2] = f32::NAN;
        }
        let one = run(&values, 2, 1);
        assert_eq!(one, run(&values, 2, 3));
        let broken: Vec<usize> = (0..9000).filter(|row| (8999 - row) % 7 == 0).collect();
        let found = one.unwrap_or_default();
        assert_eq!(found.broken.count, broken.len());
        assert_eq!(found.broken.first, broken[..NAMED]);
        assert_eq!(found.copies, 9000 - broken.len() - 1);
    }

    #[test]
    fn bytes_that_are_no_whole_rows_are_refused() {
        assert_eq!(run(&[1.0, 2.0, 3.0], 2, 1), None);
        assert_eq!(run(&[1.0], 0, 1), None);
        assert_eq!(run(&[], 3, 1), Some(Check::default()));
    }
}
