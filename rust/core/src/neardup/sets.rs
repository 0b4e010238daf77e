//! Where do the sets of shingles come from when two texts are compared?
//!
//! Sets take more room than their texts, so most are not kept: a text is read again when it is compared. Most comparisons of a family come one after the other, so
//! the sets read last are at hand. Texts that consist mostly of what is frequent are letters of a campaign, each of which is compared, and those sets
//! are kept within bounds. Which are kept changes no result.

use super::Texts;
use crate::text::{Reader, Reading};

/// Gives the set of a row: sorted, without repeats.
pub trait Sets {
    /// Looks at one set.
    fn one<R>(&mut self, row: u32, look: impl FnOnce(&[u64]) -> R) -> R;
    /// Whether the set is at hand, so that looking at it again costs nothing.
    fn at_hand(&self, row: u32) -> bool;
    /// Looks at two sets.
    fn pair<R>(&mut self, a: u32, b: u32, look: impl FnOnce(&[u64], &[u64]) -> R) -> R;
}

/// Sets kept from the first reading.
#[derive(Default)]
pub struct Kept {
    /// What each thread kept.
    shelves: Vec<Shelf>,
    /// Row, shelf, and place on it; by row.
    places: Vec<(u32, u32, u32)>,
}

/// Sets that one thread keeps, in chunks of half a mebibyte: a growing vector would be copied while it grows.
#[derive(Default)]
pub struct Shelf {
    chunks: Vec<Vec<u64>>,
    /// Row, chunk, and where in it its set begins and ends.
    sets: Vec<(u32, u32, u32, u32)>,
    held: usize,
}

const CHUNK: usize = 1 << 16;

impl Shelf {
    /// Keeps a set, if no more than `room` shingles are kept then.
    pub fn keep(&mut self, row: u32, set: &[u64], room: usize) {
        if self.held + set.len() > room {
            return;
        }
        let fits = |chunk: &Vec<u64>| chunk.len() + set.len() <= chunk.capacity();
        if !self.chunks.last().is_some_and(fits) {
            self.chunks.push(Vec::with_capacity(set.len().max(CHUNK)));
        }
        let number = self.chunks.len() as u32 - 1;
        if let Some(chunk) = self.chunks.last_mut() {
            let start = chunk.len();
            chunk.extend_from_slice(set);
            self.sets
                .push((row, number, start as u32, chunk.len() as u32));
            self.held += set.len();
        }
    }
}

impl Kept {
    /// Adds what one thread kept.
    pub fn add(&mut self, shelf: Shelf) {
        let number = self.shelves.len() as u32;
        let sets = (0..).zip(&shelf.sets);
        self.places
            .extend(sets.map(|(at, set)| (set.0, number, at)));
        self.shelves.push(shelf);
    }

    /// To be called after the last `add`.
    pub fn seal(&mut self) {
        self.places.sort_unstable();
    }

    /// The set of a row, if it was kept.
    #[must_use]
    pub fn get(&self, row: u32) -> Option<&[u64]> {
        let at = self
            .places
            .binary_search_by_key(&row, |place| place.0)
            .ok()?;
        let (_, shelf, at) = self.places[at];
        let shelf = self.shelves.get(shelf as usize)?;
        let (_, chunk, start, end) = *shelf.sets.get(at as usize)?;
        shelf
            .chunks
            .get(chunk as usize)?
            .get(start as usize..end as usize)
    }
}

const SLOTS: usize = 128;

/// Sets kept, or read from texts.
pub struct ReadAgain<'a, T: Texts + ?Sized> {
    texts: &'a T,
    kept: &'a Kept,
    reader: Reader,
    slots: Vec<(Option<u32>, Vec<u64>)>,
    scratch: Vec<u8>,
}

impl<'a, T: Texts + ?Sized> ReadAgain<'a, T> {
    /// For these texts, read in this way, of which some sets are kept.
    #[must_use]
    pub fn new(texts: &'a T, reading: Reading, kept: &'a Kept) -> Self {
        Self {
            texts,
            kept,
            reader: Reader::new(reading),
            slots: (0..SLOTS).map(|_| (None, Vec::new())).collect(),
            scratch: Vec::new(),
        }
    }

    /// The slot in which the row's set now is, not `avoid`.
    fn load(&mut self, row: u32, avoid: usize) -> usize {
        let wanted = row as usize % SLOTS;
        let at = (wanted + usize::from(wanted == avoid)) % SLOTS;
        let (held, set) = &mut self.slots[at];
        if *held != Some(row) {
            *held = Some(row);
            set.clear();
            let reader = &mut self.reader;
            let read = |text: &[u8]| set.extend_from_slice(reader.read(text).shingles);
            self.texts.with(row, &mut self.scratch, read);
        }
        at
    }
}

impl<T: Texts + ?Sized> Sets for ReadAgain<'_, T> {
    fn one<R>(&mut self, row: u32, look: impl FnOnce(&[u64]) -> R) -> R {
        if let Some(set) = self.kept.get(row) {
            return look(set);
        }
        let at = self.load(row, SLOTS);
        look(&self.slots[at].1)
    }

    fn at_hand(&self, row: u32) -> bool {
        self.kept.get(row).is_some()
    }

    fn pair<R>(&mut self, a: u32, b: u32, look: impl FnOnce(&[u64], &[u64]) -> R) -> R {
        let kept = self.kept;
        match (kept.get(a), kept.get(b)) {
            (Some(a), Some(b)) => look(a, b),
            (Some(a), None) => self.one(b, |b| look(a, b)),
            (None, Some(b)) => self.one(a, |a| look(a, b)),
            (None, None) => {
                let first = self.load(a, SLOTS);
                let second = self.load(b, first);
                look(&self.slots[first].1, &self.slots[second].1)
            }
        }
    }
}
