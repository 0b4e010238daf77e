//! Which shingles may more than half of a group hold?
//!
//! Misra and Gries (1982): r counters keep every item that occurs more than N/(r+1) times among N, in any order. Here N is the sum of the
//! members' distinct shingles, and an item is sought that occurs more than m/2 times in m members, so r = 2N/m counters are enough: twice
//! the shingles of a mean member, however large the group is.
//!
//! Guarantees: no shingle of more than half of the members is left out; others may be told as well, so they are counted afterwards.
//! Cost: one reading of each different text, O(1) amortised for each of its shingles. No float, nothing random.

use std::collections::HashMap;

use crate::text::Reader;

/// The different texts of a group, byte for byte: copies are read once.
pub(super) struct Copies<'a> {
    /// Each once, in the order of first members.
    pub texts: Vec<Copied<'a>>,
    /// Which of them each member has.
    pub members: Vec<u32>,
}

/// One text of a group.
pub(super) struct Copied<'a> {
    pub text: &'a str,
    /// How many members have it.
    pub members: usize,
    /// The first of them.
    pub first: usize,
}

impl<'a> Copies<'a> {
    pub fn of<T: AsRef<str>>(texts: &'a [T]) -> Self {
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut copies = Self {
            texts: Vec::new(),
            members: Vec::with_capacity(texts.len()),
        };
        for (first, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            let which = *known.entry(text).or_insert(copies.texts.len() as u32);
            match copies.texts.get_mut(which as usize) {
                Some(one) => one.members += 1,
                None => copies.texts.push(Copied {
                    text,
                    members: 1,
                    first,
                }),
            }
            copies.members.push(which);
        }
        copies
    }

    /// What was found for the different texts, for each member.
    pub fn of_each(&self, found: &[u32]) -> Vec<u32> {
        self.members
            .iter()
            .map(|which| found[*which as usize])
            .collect()
    }
}

/// Shingles that more than half of the members may hold, in no order; all that do are among them. None if `alive` said no.
pub(super) fn frequent(
    copies: &Copies<'_>,
    reader: &mut Reader,
    alive: &dyn Fn() -> bool,
) -> Option<Vec<u64>> {
    let members = copies.members.len().max(1);
    let bytes: usize = copies
        .texts
        .iter()
        .map(|one| one.text.len() * one.members)
        .sum();
    // A word and what parts it from the next take about five bytes; where that is too little, it is done again.
    let mut room = bytes / members + 64;
    loop {
        let mut counters = HashMap::new();
        let mut items = 0;
        for one in &copies.texts {
            if !alive() {
                return None;
            }
            let shingles = reader.read(one.text.as_bytes()).shingles;
            items += shingles.len() * one.members;
            for hash in shingles {
                keep(&mut counters, room, *hash, one.members);
            }
        }
        let needed = 2 * items / members + 1;
        if needed <= room {
            return Some(counters.into_keys().collect());
        }
        room = needed;
    }
}

/// Counts an item `weight` times; where no counter is free, all are lowered together until one is.
fn keep(counters: &mut HashMap<u64, usize>, room: usize, hash: u64, mut weight: usize) {
    while weight > 0 {
        if let Some(count) = counters.get_mut(&hash) {
            *count += weight;
            return;
        }
        if counters.len() < room {
            counters.insert(hash, weight);
            return;
        }
        let least = counters
            .values()
            .copied()
            .min()
            .unwrap_or(weight)
            .min(weight);
        counters.retain(|_, count| {
            *count -= least;
            *count > 0
        });
        weight -= least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_item_of_more_than_its_share_is_lost(items in prop::collection::vec((0u64..12, 1usize..5), 0..80), room in 1usize..8) {
            let mut counters = HashMap::new();
            let mut exact: HashMap<u64, usize> = HashMap::new();
            for (item, weight) in &items {
                keep(&mut counters, room, *item, *weight);
                *exact.entry(*item).or_default() += weight;
            }
            let all: usize = exact.values().sum();
            prop_assert!(counters.len() <= room);
            for (item, count) in exact {
                prop_assert!(count * (room + 1) <= all || counters.contains_key(&item), "{item} occurs {count} times among {all}");
            }
        }
    }
}
