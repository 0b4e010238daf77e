//! Which keys does a text get so that no match is missed?
//!
//! The first `prefix(n)` shingles of a set of n, in one order that all sets share: two sets that match have one in common (AllPairs, Bayardo, Ma and
//! Srikant 2007). Any order is right; rare shingles first is quick, because a rare key has few rows. Counting all shingles would cost a pass
//! over the texts and a counter for each, and only the *frequent* ones harm: so the order is that of the hashes, with the shingles that are frequent in
//! a sample of the texts moved to the end, the most frequent last. A template that every contribution begins with costs nothing then.
//!
//! Under containment the smaller of two sets asks with its prefix and the larger answers with every shingle, of which only those that somebody
//! asks for are kept (a bitmap of the keys asked for, filled in a first pass).

use super::counts::Counts;
use super::crew::ascending;
use super::measure::{Measure, Rule};

/// Filters most shingles that are not frequent before the table is asked.
const FILTER_BITS: usize = 1 << 17;

/// Largest share of the sample that a shingle may come in without being frequent, as one in so many, and the least number of texts.
const ONE_IN: usize = 1000;
const AT_LEAST: usize = 4;

/// The order of shingles.
pub struct Order {
    /// How often each frequent shingle came in the sample.
    frequent: Counts,
    filter: Vec<u64>,
}

fn place(shingle: u64) -> (usize, u32) {
    let bit = (shingle >> 20) as usize % FILTER_BITS;
    (bit / 64, (bit % 64) as u32)
}

impl Order {
    /// The order that the shingles of a sample of `texts` texts give, those of all texts in one list.
    #[must_use]
    pub fn of_sample(mut shingles: Vec<u64>, texts: usize, threads: usize) -> Self {
        ascending(&mut shingles, threads);
        let least = (texts / ONE_IN).max(AT_LEAST);
        let mut order = Self {
            frequent: Counts::default(),
            filter: vec![0; FILTER_BITS / 64],
        };
        for run in shingles
            .chunk_by(|a, b| a == b)
            .filter(|run| run.len() >= least)
        {
            order.frequent.add(run[0], run.len() as u32);
            let (word, bit) = place(run[0]);
            order.filter[word] |= 1 << bit;
        }
        order
    }

    fn frequency(&self, shingle: u64) -> Option<u32> {
        let (word, bit) = place(shingle);
        if self.filter[word] >> bit & 1 == 0 {
            return None;
        }
        Some(self.frequent.of(shingle)).filter(|count| *count > 0)
    }

    /// Calls `give` with the first `length` shingles of a set, in any order; `spare` is room for what is frequent. Whether rare shingles did not
    /// suffice, so that most of the set is frequent.
    pub fn prefix(
        &self,
        set: &[u64],
        length: usize,
        spare: &mut Vec<(u32, u64)>,
        mut give: impl FnMut(u64),
    ) -> bool {
        let mut left = length;
        spare.clear();
        for shingle in set {
            if left == 0 {
                return false;
            }
            if let Some(count) = self.frequency(*shingle) {
                spare.push((count, *shingle));
            } else {
                give(*shingle);
                left -= 1;
            }
        }
        if (1..spare.len()).contains(&left) {
            spare.select_nth_unstable(left);
        }
        // In their order, as the first ask.
        let first = left.min(spare.len());
        spare[..first].sort_unstable();
        spare
            .iter()
            .take(left)
            .for_each(|(_, shingle)| give(*shingle));
        left > 0
    }
}

/// The keys that somebody asks for, as a bitmap: may say yes wrongly, never no.
pub struct Asked {
    bits: Vec<std::sync::atomic::AtomicU64>,
}

impl Asked {
    /// Room for about `keys` keys at eight bits each.
    #[must_use]
    pub fn new(keys: usize) -> Self {
        let words = (keys / 8).next_power_of_two().clamp(1 << 10, 1 << 27);
        Self {
            bits: (0..words)
                .map(|_| std::sync::atomic::AtomicU64::new(0))
                .collect(),
        }
    }

    fn place(&self, key: u64) -> (usize, u32) {
        (
            (key >> 6) as usize & (self.bits.len() - 1),
            (key & 63) as u32,
        )
    }

    /// Notes a key.
    pub fn note(&self, key: u64) {
        let (word, bit) = self.place(key);
        self.bits[word].fetch_or(1 << bit, std::sync::atomic::Ordering::Relaxed);
    }

    /// Whether the key may have been noted.
    #[must_use]
    pub fn has(&self, key: u64) -> bool {
        let (word, bit) = self.place(key);
        self.bits[word].load(std::sync::atomic::Ordering::Relaxed) >> bit & 1 == 1
    }
}

/// Room for the entries of one set.
#[derive(Default)]
pub struct Room {
    frequent: Vec<(u32, u64)>,
    given: Vec<u64>,
}

/// Gives the entries of one set: key, and whether it asks. Whether most of the set is frequent.
pub fn entries(
    rule: &Rule,
    order: &Order,
    asked: Option<&Asked>,
    set: &[u64],
    room: &mut Room,
    mut give: impl FnMut(u64, bool),
) -> bool {
    let length = rule.prefix(set.len() as u32) as usize;
    let asking = rule.asking(set.len() as u32);
    let Room { frequent, given } = room;
    given.clear();
    let mut place = 0;
    let mostly = order.prefix(set, length, frequent, |shingle| {
        give(shingle, place < asking);
        place += 1;
        if asked.is_some() {
            given.push(shingle);
        }
    });
    if let (Measure::Containment, Some(asked)) = (rule.measure, asked) {
        given.sort_unstable();
        let answers =
            |shingle: &&u64| asked.has(**shingle) && given.binary_search(*shingle).is_err();
        set.iter()
            .filter(answers)
            .for_each(|shingle| give(*shingle, false));
    }
    mostly
}
