//! The weights of texts as a sparse matrix, and its products with tall ones.
//!
//! Every sum goes over the features of a row, or over rows in canonical order, one after the other: threads divide what is summed for, never what is summed. No multiplication is
//! fused with an addition (Rust does not, unless asked), so registers of any width give the same numbers.

use pulp::Arch;

use super::tall::{Part, Tall, WIDTH};
use super::BLOCK;
use crate::neardup::crew::Crew;

/// Some rows.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Where each row ends.
    pub ends: Vec<u32>,
    /// Columns, ascending in each row.
    pub columns: Vec<u32>,
    /// Their weights.
    pub weights: Vec<f32>,
}

impl Block {
    fn rows(&self) -> impl Iterator<Item = (&[u32], &[f32])> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let range = start..*end as usize;
            start = range.end;
            let columns = self.columns.get(range.clone()).unwrap_or_default();
            (columns, self.weights.get(range).unwrap_or_default())
        })
    }
}

/// Rows in blocks of [`BLOCK`], the last one shorter.
#[derive(Clone, Debug, Default)]
pub struct Sparse {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
}

impl Sparse {
    /// A · B. None if the watcher stopped it.
    pub fn times(&self, crew: &Crew<'_>, right: &Tall) -> Option<Tall> {
        let mut product = Tall::zeros(self.rows, right.slices.len());
        let arch = Arch::new();
        product.fill(crew, "reducing", BLOCK, |part| {
            let (block, slice) = (
                self.blocks.get(part.start / BLOCK),
                right.slices.get(part.slice),
            );
            if let (Some(block), Some(slice)) = (block, slice) {
                arch.dispatch(
                    #[inline(always)]
                    || forth(block, slice, part),
                );
            }
        })?;
        Some(product)
    }

    /// Aᵀ · B. None if the watcher stopped it.
    pub fn transposed_times(&self, crew: &Crew<'_>, right: &Tall) -> Option<Tall> {
        let mut product = Tall::zeros(self.columns, right.slices.len());
        let (arch, whole) = (Arch::new(), self.columns.max(1));
        product.fill(crew, "reducing", whole, |part| {
            let slice = right.slices.get(part.slice).map(Vec::as_slice);
            let mut rows = slice.unwrap_or_default();
            for block in self.blocks.iter().take_while(|_| !crew.stop.is_set()) {
                arch.dispatch(
                    #[inline(always)]
                    || back(block, rows, part),
                );
                rows = rows.get(block.ends.len()..).unwrap_or_default();
            }
        })?;
        Some(product)
    }
}

#[inline(always)]
fn forth(block: &Block, right: &[[f32; WIDTH]], part: &mut Part<'_>) {
    for (out, (columns, weights)) in part.rows.iter_mut().zip(block.rows()) {
        let mut sum = [0.0f32; WIDTH];
        for (column, weight) in columns.iter().zip(weights) {
            if let Some(row) = right.get(*column as usize) {
                for (sum, x) in sum.iter_mut().zip(row) {
                    *sum += weight * x;
                }
            }
        }
        *out = sum;
    }
}

#[inline(always)]
fn back(block: &Block, right: &[[f32; WIDTH]], part: &mut Part<'_>) {
    for (row, (columns, weights)) in right.iter().zip(block.rows()) {
        let row = *row; // a copy, which no sum can lie in
        for (column, weight) in columns.iter().zip(weights) {
            if let Some(out) = part.rows.get_mut(*column as usize) {
                for (sum, x) in out.iter_mut().zip(&row) {
                    *sum += weight * x;
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use crate::neardup::crew::Stop;
    use crate::random::Random;

    /// Some rows of a few numbers each, one of them empty.
    pub(in super::super) fn random(rows: usize, columns: usize, seed: u64) -> Sparse {
        let mut random = Random::new(seed);
        let mut blocks = vec![Block::default()];
        for row in 0..rows {
            if row > 0 && row % BLOCK == 0 {
                blocks.push(Block::default());
            }
            let mut own: Vec<u32> = (0..row % 9).map(|_| random.below(columns) as u32).collect();
            own.sort_unstable();
            own.dedup();
            let block = blocks.last_mut().unwrap();
            block
                .weights
                .extend(own.iter().map(|_| random.below(2000) as f32 / 999.0 - 1.0));
            block.columns.extend(own);
            block.ends.push(block.columns.len() as u32);
        }
        Sparse {
            blocks,
            rows,
            columns,
        }
    }

    /// All of it, zeros too.
    pub(in super::super) fn dense(matrix: &Sparse) -> Vec<Vec<f64>> {
        let mut all = Vec::new();
        for (columns, weights) in matrix.blocks.iter().flat_map(Block::rows) {
            let mut row = vec![0.0; matrix.columns];
            for (column, weight) in columns.iter().zip(weights) {
                row[*column as usize] = f64::from(*weight);
            }
            all.push(row);
        }
        all
    }

    pub(in super::super) fn tall(rows: usize, slices: usize, seed: u64) -> Tall {
        let mut random = Random::new(seed);
        let mut tall = Tall::zeros(rows, slices);
        let numbers = tall.slices.iter_mut().flatten().flatten();
        numbers.for_each(|x| *x = random.below(2000) as f32 / 999.0 - 1.0);
        tall
    }

    #[test]
    fn products_are_those_of_the_definition_with_any_threads() {
        let (matrix, right, left) = (random(600, 70, 1), tall(70, 2, 2), tall(600, 2, 3));
        let all = dense(&matrix);
        for threads in [1, 3] {
            let stop = Stop::new();
            let crew = Crew {
                threads,
                watch: &|_, _| true,
                stop: &stop,
            };
            let forth = matrix.times(&crew, &right).unwrap();
            let back = matrix.transposed_times(&crew, &left).unwrap();
            for slice in 0..2 {
                for at in 0..WIDTH {
                    for (row, out) in all.iter().zip(&forth.slices[slice]) {
                        let pairs = row.iter().zip(&right.slices[slice]);
                        let sum: f64 = pairs.map(|(x, y)| x * f64::from(y[at])).sum();
                        assert!((sum - f64::from(out[at])).abs() < 1e-5);
                    }
                    for (column, out) in back.slices[slice].iter().enumerate() {
                        let pairs = all.iter().zip(&left.slices[slice]);
                        let sum: f64 = pairs.map(|(x, y)| x[column] * f64::from(y[at])).sum();
                        assert!((sum - f64::from(out[at])).abs() < 1e-4);
                    }
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let (matrix, right, left) = (random(200, 50, 4), tall(50, 1, 5), tall(200, 1, 6));
        let run = |arch: Arch| {
            let mut outs = (Tall::zeros(200, 1), Tall::zeros(50, 1));
            let part = |rows, back_too: bool| {
                let mut part = Part {
                    slice: 0,
                    start: 0,
                    rows,
                };
                arch.dispatch(
                    #[inline(always)]
                    || {
                        if back_too {
                            back(&matrix.blocks[0], &left.slices[0], &mut part);
                        } else {
                            forth(&matrix.blocks[0], &right.slices[0], &mut part);
                        }
                    },
                );
            };
            part(&mut outs.0.slices[0], false);
            part(&mut outs.1.slices[0], true);
            outs
        };
        assert_eq!(run(Arch::Scalar), run(Arch::new()));
    }
}
