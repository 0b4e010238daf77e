//! Which rows could match, by a key that they share?
//!
//! An entry says «row r has key k». Two rows that match share a key (surely in exact mode, with a stated chance in sketch mode), so only rows under
//! one key need comparing. Entries are scattered over 256 parts by the first byte of their key, so that a part fits into the cache, or lies on a disk.

/// Number of parts.
pub const PARTS: usize = 256;

/// A packed entry: 31 bits of the key, 32 of the row, and whether the row *asks* (is to be compared with all others) or only *answers* those that ask.
/// With the part, 39 bits of a key are compared; two keys that agree in them cost a comparison and change no result.
pub type Entry = u64;

/// The part of a key.
#[must_use]
pub fn part_of(key: u64) -> usize {
    (key >> 56) as usize
}

/// Packs an entry.
#[must_use]
pub fn pack(key: u64, row: u32, asks: bool) -> Entry {
    (key << 8 & !0u64 << 33) | (u64::from(row) << 1) | u64::from(asks)
}

/// The bits of the key that an entry kept; all of one key lie side by side once entries are sorted.
#[must_use]
pub fn key_of(entry: Entry) -> u64 {
    entry >> 33
}

/// The row of an entry.
#[must_use]
pub fn row_of(entry: Entry) -> u32 {
    (entry >> 1) as u32
}

/// Whether the row asks.
#[must_use]
pub fn asks(entry: Entry) -> bool {
    entry & 1 == 1
}

/// Where entries lie until they are compared: in memory here, on a disk elsewhere.
pub trait Store: Sync {
    /// All entries of a part, in any order. Asked once for each part.
    fn take(&self, part: usize) -> Vec<Entry>;
}

const CHUNK: usize = 512;

/// Entries in memory, in chunks: a growing vector would hold twice what it needs, and a copy while it grows.
pub struct Scatter {
    full: Vec<Vec<Box<[Entry]>>>,
    open: Vec<Vec<Entry>>,
}

impl Default for Scatter {
    fn default() -> Self {
        Self {
            full: vec![Vec::new(); PARTS],
            open: (0..PARTS).map(|_| Vec::with_capacity(CHUNK)).collect(),
        }
    }
}

impl Scatter {
    /// Adds an entry.
    pub fn push(&mut self, key: u64, row: u32, asks: bool) {
        let part = part_of(key);
        let open = &mut self.open[part];
        open.push(pack(key, row, asks));
        if open.len() == CHUNK {
            let chunk = std::mem::replace(open, Vec::with_capacity(CHUNK));
            self.full[part].push(chunk.into_boxed_slice());
        }
    }

    /// Hands everything on, part by part.
    pub fn drain(self, mut give: impl FnMut(usize, &[Entry])) {
        for (part, (full, open)) in self.full.into_iter().zip(self.open).enumerate() {
            full.iter().for_each(|chunk| give(part, chunk));
            if !open.is_empty() {
                give(part, &open);
            }
        }
    }
}

/// What all threads scattered.
pub struct InMemory {
    parts: Vec<std::sync::Mutex<Pieces>>,
}

type Pieces = (Vec<Box<[Entry]>>, Vec<Vec<Entry>>);

impl InMemory {
    /// Brings the threads' entries together without copying them.
    #[must_use]
    pub fn new(scattered: Vec<Scatter>) -> Self {
        let mut parts: Vec<Pieces> = (0..PARTS).map(|_| Pieces::default()).collect();
        for Scatter { full, open } in scattered {
            for ((part, full), open) in parts.iter_mut().zip(full).zip(open) {
                part.0.extend(full);
                part.1.push(open);
            }
        }
        Self {
            parts: parts.into_iter().map(std::sync::Mutex::new).collect(),
        }
    }
}

impl Store for InMemory {
    fn take(&self, part: usize) -> Vec<Entry> {
        let taken = self.parts[part]
            .lock()
            .map(|mut pieces| std::mem::take(&mut *pieces));
        let (full, open) = taken.unwrap_or_default();
        let length = full.len() * CHUNK + open.iter().map(Vec::len).sum::<usize>();
        let mut entries = Vec::with_capacity(length);
        full.iter()
            .for_each(|chunk| entries.extend_from_slice(chunk));
        open.iter()
            .for_each(|chunk| entries.extend_from_slice(chunk));
        entries
    }
}

/// Leaves out most entries whose key nobody else has, then sorts. A bit for a key that came once and one for a key that came again: a key that
/// is thrown away came once for certain, one that is kept may still be alone.
pub fn sorted(mut entries: Vec<Entry>, seen: &mut Vec<u64>) -> Vec<Entry> {
    let bits = (entries.len() * 4)
        .next_power_of_two()
        .clamp(1 << 10, 1 << 24);
    seen.clear();
    seen.resize(bits / 32, 0);
    // Two bits for each slot. The key's bits are hashes already, and the slots are its lowest ones.
    let slot = |entry: Entry| {
        let at = (key_of(entry) as usize) & (bits - 1);
        (at / 32, at % 32 * 2)
    };
    for entry in &entries {
        let (word, shift) = slot(*entry);
        let now = seen[word] >> shift & 1;
        seen[word] |= (1 + now) << shift;
    }
    entries.retain(|entry| {
        let (word, shift) = slot(*entry);
        seen[word] >> shift & 2 == 2
    });
    entries.sort_unstable();
    entries.dedup();
    entries
}

#[cfg(test)]
mod tests {
    use super::{asks, key_of, pack, part_of, row_of, sorted, InMemory, Scatter, Store, PARTS};

    #[test]
    fn an_entry_keeps_row_and_question_and_tells_keys_apart() {
        for (key, row) in [(u64::MAX, u32::MAX), (0, 0), (0x0123_4567_89ab_cdef, 77)] {
            for question in [false, true] {
                let entry = pack(key, row, question);
                assert_eq!((row_of(entry), asks(entry)), (row, question));
                assert_eq!(key_of(entry), key << 8 >> 33);
            }
        }
    }

    #[test]
    fn what_is_scattered_comes_back_and_only_keys_that_come_once_may_go() {
        let key = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut stores = [Scatter::default(), Scatter::default()];
        for i in 0..200_000u64 {
            // Keys 0..50,000 come twice, the others once.
            stores[(i % 2) as usize].push(
                key(if i < 50_000 { i } else { i - 50_000 }),
                i as u32,
                true,
            );
        }
        let memory = InMemory::new(stores.into());
        let (mut kept, mut rows, mut seen) = (0, std::collections::HashSet::new(), Vec::new());
        for part in 0..PARTS {
            let entries = sorted(memory.take(part), &mut seen);
            assert!(entries.is_sorted());
            kept += entries.len();
            rows.extend(entries.iter().map(|entry| row_of(*entry)));
            assert!(memory.take(part).is_empty());
        }
        assert!((0..100_000).all(|row| rows.contains(&row)));
        assert!(kept < 140_000, "{kept}");
        assert!((0..50_000).all(|i| part_of(key(i)) < PARTS));
    }
}
