//! Which texts were compared? A fingerprint that depends on the set of (id, text) alone, not on rows, batches or files.
//!
//! Each text gives an entry, SHA-256(id ‖ hash of its sequence of words, 16 bytes little-endian); the fingerprint is SHA-256 over a line
//! that says how texts are read, the number of entries (64 bits, little-endian) and the entries in ascending order. The id has no length
//! before it: what follows it always has 16 bytes, so no two (id, sequence) have the same entry.
//!
//! Cost: one hash a text, 32 bytes a text, and a sort. Entries are uniform, so they may as well be sorted part by part, on disk.

use sha2::{Digest, Sha256};

use super::crew::ascending;
use super::Texts;

/// What one text adds to the fingerprint.
pub type Entry = [u8; 32];

/// The entry of a text. `id` is UTF-8, whole numbers in decimal.
#[must_use]
pub fn entry(id: &[u8], sequence: u128) -> Entry {
    let mut hash = Sha256::new();
    hash.update(id);
    hash.update(sequence.to_le_bytes());
    hash.finalize().into()
}

/// The entries of texts, given their ids and hashes in the same order.
#[must_use]
pub fn entries<T: Texts + ?Sized>(ids: &T, sequences: &[u128], threads: usize) -> Vec<Entry> {
    let mut entries = vec![Entry::default(); sequences.len()];
    let size = sequences.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let parts = entries.chunks_mut(size).zip(sequences.chunks(size));
        for (first, (part, sequences)) in (0u32..).step_by(size).zip(parts) {
            scope.spawn(move || {
                let mut scratch = Vec::new();
                for ((row, place), sequence) in (first..).zip(part).zip(sequences) {
                    *place = ids.with(row, &mut scratch, |id| entry(id, *sequence));
                }
            });
        }
    });
    entries
}

/// A fingerprint of `count` entries, to be given in ascending order.
#[must_use]
pub fn begin(head: &[u8], count: usize) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(head);
    hash.update((count as u64).to_le_bytes());
    hash
}

/// The fingerprint of all entries, which are sorted.
#[must_use]
pub fn digest(head: &[u8], entries: &mut [Entry], threads: usize) -> [u8; 32] {
    ascending(entries, threads);
    let mut hash = begin(head, entries.len());
    hash.update(entries.as_flattened());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_texts_does_not_matter() {
        let mut one = [entry(b"1", 7), entry(b"2", 8), entry(b"10", 7)];
        let mut two = [one[2], one[0], one[1]];
        assert_eq!(digest(b"h", &mut one, 1), digest(b"h", &mut two, 2));
    }

    #[test]
    fn ids_texts_their_number_and_the_head_all_count() {
        let of = |head: &[u8], entries: &[Entry]| digest(head, &mut entries.to_vec(), 1);
        let all = [
            of(b"h", &[entry(b"1", 7)]),
            of(b"h", &[entry(b"2", 7)]),
            of(b"h", &[entry(b"1", 8)]),
            of(b"h", &[entry(b"1", 7), entry(b"1", 7)]),
            of(b"H", &[entry(b"1", 7)]),
            of(b"h", &[]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(one));
        }
    }
}
