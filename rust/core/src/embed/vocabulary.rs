//! Which features are kept, and how much does each weigh?
//!
//! A feature that stands in one text only can't tie it to another and is not kept. What is kept weighs ln((1 + n) / (1 + df)) + 1 (n texts, df of them with the feature: the smoothed inverse document frequency of Robertson and Spärck Jones, as scikit-learn has it).
//!
//! Texts are counted once however often they were sent: a petition of ten thousand copies is one text here, so its words don't come to look common, nor take up the dimensions.
//! Cost: every text is read twice. In the first pass two bits a slot tell what was seen once and what more often, so that the table of the second need not hold the many features
//! that stand in one text alone; a slot that two features share only lets one through that the second pass then drops.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::features::Features;
use super::log::ln;
use super::BLOCK;
use crate::neardup::crew::Crew;
use crate::neardup::Texts;

/// A feature stands in at least so many texts.
pub const LEAST: u32 = 2;
/// Features that are kept at most: those in most texts.
pub const MOST_FEATURES: usize = 1 << 17;
const FREE: u32 = u32::MAX;

/// Features by their place, ascending by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    /// Texts that were counted.
    pub texts: u32,
    /// The features.
    pub features: Vec<u64>,
    /// How many texts have each.
    pub frequencies: Vec<u32>,
    rarities: Vec<f64>,
    slots: Vec<u32>,
}

impl Vocabulary {
    /// From features, ascending, and their frequencies.
    #[must_use]
    pub fn new(texts: u32, features: Vec<u64>, frequencies: Vec<u32>) -> Self {
        let size = (features.len() * 2).next_power_of_two();
        let mut slots = vec![FREE; size];
        for (place, feature) in (0u32..).zip(&features) {
            let mut at = *feature as usize >> 1 & (size - 1);
            while slots.get(at).is_some_and(|slot| *slot != FREE) {
                at = (at + 1) & (size - 1);
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = place;
            }
        }
        let mut whole = Self {
            texts,
            features,
            frequencies,
            slots,
            rarities: Vec::new(),
        };
        let counts = whole.frequencies.iter();
        whole.rarities = counts
            .map(|count| whole.inverse_frequency(*count))
            .collect();
        whole
    }

    /// The features of these texts, each of which is counted once; None if the watcher stopped it.
    pub fn count<T: Texts + ?Sized>(crew: &Crew<'_>, texts: &T, rows: &[u32]) -> Option<Self> {
        let seen = Seen::of(crew, texts, rows)?;
        let tables = crew.share(
            "counting",
            rows.len().div_ceil(BLOCK),
            || (Features::default(), Vec::new(), Table::default()),
            |(features, scratch, table), block| {
                for row in rows_of(rows, block) {
                    let counts = texts.with(*row, scratch, |text| features.read(text));
                    for (feature, _) in counts {
                        if seen.often(*feature) {
                            *table.entry(*feature).or_default() += 1;
                        }
                    }
                }
            },
        )?;
        let mut whole = Table::default();
        for (_, _, table) in tables {
            if whole.is_empty() {
                whole = table;
                continue;
            }
            for (feature, count) in table {
                *whole.entry(feature).or_default() += count;
            }
        }
        let texts = rows.len() as u32;
        let mut kept: Vec<(u64, u32)> = whole.into_iter().collect();
        kept.retain(|(_, count)| *count >= LEAST);
        limit(&mut kept, MOST_FEATURES);
        kept.sort_unstable();
        let (features, frequencies) = kept.into_iter().unzip();
        Some(Self::new(texts, features, frequencies))
    }

    /// Number of features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The place of a feature, if it is kept.
    #[must_use]
    pub fn place(&self, feature: u64) -> Option<u32> {
        let last = self.slots.len().wrapping_sub(1);
        let mut at = feature as usize >> 1 & last;
        loop {
            let place = *self.slots.get(at)?;
            if self.features.get(place as usize)? == &feature {
                return Some(place);
            }
            at = (at + 1) & last;
        }
    }

    /// What the feature at this place weighs.
    #[must_use]
    pub fn rarity(&self, place: u32) -> f64 {
        self.rarities
            .get(place as usize)
            .copied()
            .unwrap_or_default()
    }

    /// What a feature weighs that stands in so many texts.
    #[must_use]
    pub fn inverse_frequency(&self, texts: u32) -> f64 {
        ln((1.0 + f64::from(self.texts)) / (1.0 + f64::from(texts))) + 1.0
    }
}

pub(super) fn rows_of(rows: &[u32], block: usize) -> &[u32] {
    let start = block * BLOCK;
    rows.get(start..rows.len().min(start + BLOCK))
        .unwrap_or_default()
}

/// Keeps at most so many: the least frequency is raised until they fit, so that no order decides among features of one frequency.
fn limit(kept: &mut Vec<(u64, u32)>, most: usize) {
    if kept.len() <= most {
        return;
    }
    let mut counts: Vec<u32> = kept.iter().map(|(_, count)| *count).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let least = counts.get(most).map_or(0, |count| count + 1);
    kept.retain(|(_, count)| *count >= least);
}

type Table = HashMap<u64, u32, BuildHasherDefault<AsItIs>>;

/// Features are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.rotate_left(32);
    }
}

/// Two bits a slot: seen in a text, and seen in another.
struct Seen {
    once: Vec<AtomicU64>,
    more: Vec<AtomicU64>,
}

impl Seen {
    /// Slots for texts of some bytes: about twice what different runs such texts have.
    fn new(bytes: usize) -> Self {
        let words = (bytes / 32).next_power_of_two().clamp(1 << 10, 1 << 22);
        let empty = || (0..words).map(|_| AtomicU64::new(0)).collect();
        Self {
            once: empty(),
            more: empty(),
        }
    }

    fn of<T: Texts + ?Sized>(crew: &Crew<'_>, texts: &T, rows: &[u32]) -> Option<Self> {
        let mut scratch = Vec::new();
        let bytes = rows
            .iter()
            .map(|row| texts.with(*row, &mut scratch, <[u8]>::len));
        let seen = Self::new(bytes.sum());
        crew.share(
            "reading",
            rows.len().div_ceil(BLOCK),
            || (Features::default(), Vec::new()),
            |(features, scratch), block| {
                for row in rows_of(rows, block) {
                    let counts = texts.with(*row, scratch, |text| features.read(text));
                    counts.iter().for_each(|(feature, _)| seen.note(*feature));
                }
            },
        )?;
        Some(seen)
    }

    fn slot(&self, feature: u64) -> (usize, u64) {
        let at = (feature >> 1) as usize;
        (at >> 6 & (self.once.len() - 1), 1 << (at & 63))
    }

    /// Whoever comes first sets the one bit, all others the other: who that is does not matter.
    fn note(&self, feature: u64) {
        let (word, bit) = self.slot(feature);
        if let (Some(once), Some(more)) = (self.once.get(word), self.more.get(word)) {
            if once.fetch_or(bit, Relaxed) & bit != 0 {
                more.fetch_or(bit, Relaxed);
            }
        }
    }

    fn often(&self, feature: u64) -> bool {
        let (word, bit) = self.slot(feature);
        self.more
            .get(word)
            .is_some_and(|more| more.load(Relaxed) & bit != 0)
    }
}
