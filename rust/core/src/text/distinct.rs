//! Sorting of hashes.
//!
//! Hashes are uniform, so their first byte says almost where each one stands: count the first bytes, turn the counts into places, put each
//! hash into its place, and let insertion mend the few that are out of order (with n hashes in 256 boxes n²/1024 pairs are expected to be).

/// Hashes that the short way takes: their places fit into a byte.
const SHORT: usize = 255;

/// Buffers for sorting.
#[derive(Debug)]
pub(super) struct Sorter {
    placed: Box<[u64; 256]>,
    long: Vec<u64>,
}

impl Default for Sorter {
    fn default() -> Self {
        Self {
            placed: Box::new([0; 256]),
            long: Vec::new(),
        }
    }
}

impl Sorter {
    /// The distinct hashes, ascending. O(n) expected up to 255 hashes, O(n log n) beyond.
    pub(super) fn distinct(&mut self, hashes: &[u64]) -> &[u64] {
        if hashes.len() > SHORT {
            self.long.clear();
            self.long.extend_from_slice(hashes);
            self.long.sort_unstable();
            self.long.dedup();
            return &self.long;
        }
        let mut ends = places(hashes);
        for hash in hashes {
            let end = &mut ends[(hash >> 56) as usize];
            *end = end.wrapping_sub(1);
            self.placed[usize::from(*end)] = *hash;
        }
        let kept = mend(&mut self.placed, hashes.len());
        self.placed.get(..kept).unwrap_or_default()
    }
}

/// For each first byte, how many hashes have it or a lower one.
fn places(hashes: &[u64]) -> [u8; 256] {
    let mut counts = [0u8; 256];
    for hash in hashes {
        let count = &mut counts[(hash >> 56) as usize];
        *count = count.wrapping_add(1);
    }
    // Eight at a time: a product with 0x01…01 is the running sum of a number's bytes.
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut before = 0u64;
    for eight in counts.chunks_exact_mut(8) {
        let sums = u64::from_le_bytes((&*eight).try_into().unwrap_or_default()).wrapping_mul(ONES);
        eight.copy_from_slice(&sums.wrapping_add(before.wrapping_mul(ONES)).to_le_bytes());
        before += sums >> 56;
    }
    counts
}

/// Sorts the first `len` numbers, which are nearly sorted, drops repeated ones and says how many are left.
fn mend(numbers: &mut [u64; 256], len: usize) -> usize {
    let Some(&first) = numbers.first() else {
        return 0;
    };
    let (mut kept, mut last) = (len.min(1), first);
    for at in 1..len.min(256) {
        let number = numbers[at];
        if number > last {
            numbers[kept & 255] = number;
            last = number;
            kept += 1;
        } else if number < last {
            kept += insert(numbers, kept, number);
            last = numbers[(kept - 1) & 255];
        }
    }
    kept
}

/// Inserts a number among the first `kept`, which are ascending, unless it is there; 1 if it was inserted.
#[inline(never)]
fn insert(numbers: &mut [u64; 256], kept: usize, number: u64) -> usize {
    let sorted = numbers.get(..kept).unwrap_or_default();
    let above = sorted
        .iter()
        .rev()
        .take_while(|other| **other > number)
        .count();
    let place = kept - above;
    if place > 0 && numbers[(place - 1) & 255] == number {
        return 0;
    }
    numbers.copy_within(place..kept, place + 1);
    numbers[place & 255] = number;
    1
}
