//! What is noted of every text when it is read for the first time?

use std::sync::Mutex;

use super::bucket::Rows;
use super::crew::Crew;
use super::entries::Scatter;
use super::join::Settings;
use super::measure::{Bitmap, Rule, WORDS};
use super::sets::{Kept, Shelf};
use super::union::Forest;
use super::Texts;
use crate::text::Reader;

/// Gives the keys of a set; see [`super::entries`].
pub trait Keys: Sync {
    /// Room for one thread's work.
    type Spare: Default + Send;
    /// Calls `give` with each key and whether the row asks under it. Whether the set is worth keeping, because it will be compared.
    fn keys(&self, set: &[u64], spare: &mut Self::Spare, give: impl FnMut(u64, bool)) -> bool;
}

/// What is kept of every row: 84 bytes, or 20 and 8 for each word of a narrower bitmap.
#[derive(Default)]
pub struct Catalogue<const W: usize = WORDS> {
    /// Sizes of the sets; 0 for a text without words.
    pub sizes: Vec<u32>,
    /// Their bitmaps.
    pub bitmaps: Vec<Bitmap<W>>,
    /// 128 bits of the sequence of words.
    pub sequences: Vec<u128>,
    /// Sets that are worth keeping.
    pub kept: Kept,
    /// How many texts had invisible characters.
    pub invisible: u64,
    /// How many texts had letters of another script inside Latin words.
    pub lookalike: u64,
}

/// Rows that a thread takes at a time.
const BLOCK: usize = 256;

type Slices<'a, const W: usize> = (&'a mut [u32], &'a mut [Bitmap<W>], &'a mut [u128]);

struct Hand<S> {
    reader: Reader,
    scratch: Vec<u8>,
    spare: S,
    scatter: Scatter,
    shelf: Shelf,
    /// Sequences that this thread read lately. It reads rows in ascending order, so a text that is here is no carrier, and only carriers are compared.
    lately: Vec<u128>,
    invisible: u64,
    lookalike: u64,
}

/// Sequences that a thread remembers: 64 kB.
const LATELY: usize = 1 << 12;

impl<const W: usize> Catalogue<W> {
    /// Reads more texts, which become the next rows, and scatters their entries. None if it was stopped.
    pub fn extend<T: Texts + ?Sized, K: Keys>(
        &mut self,
        crew: &Crew<'_>,
        texts: &T,
        settings: &Settings,
        keys: &K,
    ) -> Option<Vec<Scatter>> {
        let (base, more) = (self.sizes.len(), texts.len());
        self.sizes.resize(base + more, 0);
        self.bitmaps.resize(base + more, [0; W]);
        self.sequences.resize(base + more, 0);
        let sizes = self.sizes[base..].chunks_mut(BLOCK);
        let rest = self.bitmaps[base..]
            .chunks_mut(BLOCK)
            .zip(self.sequences[base..].chunks_mut(BLOCK));
        let blocks: Vec<Mutex<Slices<'_, W>>> = sizes
            .zip(rest)
            .map(|(a, (b, c))| Mutex::new((a, b, c)))
            .collect();
        let room = settings.kept * more / crew.threads;
        let hand = || Hand {
            reader: Reader::new(settings.reading),
            scratch: Vec::new(),
            spare: K::Spare::default(),
            scatter: Scatter::default(),
            shelf: Shelf::default(),
            lately: vec![0; LATELY],
            invisible: 0,
            lookalike: 0,
        };
        let hands = crew.share("reading", blocks.len(), hand, |hand, block| {
            let Ok(mut slices) = blocks[block].lock() else {
                return;
            };
            let (sizes, bitmaps, sequences) = &mut *slices;
            for i in 0..sizes.len() {
                let row = block * BLOCK + i;
                let Hand {
                    reader,
                    scratch,
                    spare,
                    scatter,
                    shelf,
                    lately,
                    ..
                } = hand;
                let (invisible, lookalike) = texts.with(row as u32, scratch, |text| {
                    let read = reader.read(text);
                    sizes[i] = read.shingles.len() as u32;
                    bitmaps[i] = settings.rule.bitmap(read.shingles);
                    sequences[i] = read.sequence;
                    let row = (base + row) as u32;
                    let give = |key, asks| scatter.push(key, row, asks);
                    let slot = &mut lately[read.sequence as usize % LATELY];
                    let copy = std::mem::replace(slot, read.sequence) == read.sequence;
                    if !copy && keys.keys(read.shingles, spare, give) {
                        shelf.keep(row, read.shingles, room);
                    }
                    (read.invisible, read.lookalike)
                });
                hand.invisible += u64::from(invisible);
                hand.lookalike += u64::from(lookalike);
            }
        })?;
        drop(blocks);
        self.invisible += hands.iter().map(|hand| hand.invisible).sum::<u64>();
        self.lookalike += hands.iter().map(|hand| hand.lookalike).sum::<u64>();
        let mut scattered = Vec::with_capacity(hands.len());
        for hand in hands {
            self.kept.add(hand.shelf);
            scattered.push(hand.scatter);
        }
        self.kept.seal();
        Some(scattered)
    }

    /// What the comparison of rows looks at.
    #[must_use]
    pub fn rows<'a>(
        &'a self,
        crew: &Crew<'a>,
        carriers: &'a [u32],
        forest: &'a Forest,
        rule: Rule,
    ) -> Rows<'a, W> {
        Rows {
            sizes: &self.sizes,
            bitmaps: &self.bitmaps,
            carriers,
            forest,
            rule,
            kept: &self.kept,
            stop: crew.stop,
        }
    }

    /// How many different sequences of words there are.
    #[must_use]
    pub fn distinct(&self, carriers: &[u32]) -> u64 {
        let first = (0..).zip(carriers).zip(&self.sizes);
        let worded = first.filter(|((row, carrier), size)| row == *carrier && **size > 0);
        worded.count() as u64
    }

    /// For each row, the first row with the same words (itself, if it is the first, or has none). None if it was stopped.
    #[must_use]
    pub fn carriers(&self, crew: &Crew<'_>) -> Option<Vec<u32>> {
        let mut carriers: Vec<u32> = (0..self.sizes.len() as u32).collect();
        let part = |row: u32| (self.sequences[row as usize] >> 120) as usize;
        let mut parts: Vec<Vec<u32>> = vec![Vec::new(); 256];
        for row in (0..self.sizes.len() as u32).filter(|row| self.sizes[*row as usize] > 0) {
            parts[part(row)].push(row);
        }
        let found = crew.share(
            "copies",
            parts.len(),
            Vec::new,
            |found: &mut Vec<(u32, u32)>, block| {
                let mut rows: Vec<(u64, u32)> = Vec::with_capacity(parts[block].len());
                rows.extend(
                    parts[block]
                        .iter()
                        .map(|row| ((self.sequences[*row as usize] >> 64) as u64, *row)),
                );
                rows.sort_unstable();
                for run in rows
                    .chunk_by_mut(|a, b| a.0 == b.0)
                    .filter(|run| run.len() > 1)
                {
                    run.iter_mut()
                        .for_each(|(low, row)| *low = self.sequences[*row as usize] as u64);
                    run.sort_unstable();
                    for same in run.chunk_by(|a, b| a.0 == b.0) {
                        found.extend(same[1..].iter().map(|(_, row)| (*row, same[0].1)));
                    }
                }
            },
        )?;
        for (row, carrier) in found.into_iter().flatten() {
            carriers[row as usize] = carrier;
        }
        Some(carriers)
    }
}
