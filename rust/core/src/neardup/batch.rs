//! What are the sets of a few texts? One after the other, for whoever works on a group or on a part of a table.

use super::Texts;
use crate::text::{Reader, Reading};

/// The sets of some texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The sets one after the other, each ascending and without repeats.
    pub shingles: Vec<u64>,
    /// How many shingles each has; 0 where there are no words.
    pub sizes: Vec<u64>,
    /// The hash of each text's sequence of words.
    pub sequences: Vec<u128>,
}

/// Reads texts until there are no more, or `alive` says to stop.
pub fn read<T: Texts + ?Sized>(texts: &T, reading: Reading, alive: &dyn Fn() -> bool) -> Batch {
    let (mut reader, mut scratch, mut batch) = (Reader::new(reading), Vec::new(), Batch::default());
    for row in 0..texts.len() as u32 {
        texts.with(row, &mut scratch, |text| {
            let read = reader.read(text);
            batch.shingles.extend_from_slice(read.shingles);
            batch.sizes.push(read.shingles.len() as u64);
            batch.sequences.push(read.sequence);
        });
        if !alive() {
            break;
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_lie_one_after_the_other() {
        let reading = Reading {
            shingle: 1,
            fold_accents: false,
        };
        let texts: [&[u8]; 3] = [b"one two one", b"", b"two one"];
        let batch = read(texts.as_slice(), reading, &|| true);
        assert_eq!(batch.sizes, [2, 0, 2]);
        assert_eq!(batch.shingles[..2], batch.shingles[2..]);
        assert_ne!(batch.sequences[0], batch.sequences[2]);
    }
}
