//! Where do letters meet?

use std::collections::HashSet;

use super::order::Keys;
use super::postings::Postings;
use super::{Index, Measure};

/// Shelves of letters by shingle, as in [`Keys`].
#[derive(Default)]
pub struct Shelves {
    pub short: Postings,
    pub long: Postings,
}

impl Index {
    /// Puts a letter where later ones will meet it.
    pub(super) fn shelve(&self, letter: u32, shelves: &mut Shelves) {
        let keys = self.keys(letter);
        for shingle in keys.short {
            shelves.short.insert(shingle, letter);
        }
        for shingle in keys.long {
            shelves.long.insert(shingle, letter);
        }
    }

    pub(super) fn keys(&self, letter: u32) -> Keys {
        let shingles = &self.letters.rows[letter as usize].words.shingles;
        self.order.keys(&self.rule, shingles)
    }

    /// Moves shingles to the end of the order, and the letters that they are keys of to their new places.
    pub(super) fn move_back(&mut self, hot: &[u64], shelves: &mut Shelves) {
        if hot.is_empty() {
            return;
        }
        let mut letters = Vec::new();
        for shingle in hot {
            shelves.short.each(*shingle, |letter| letters.push(letter));
            if self.rule.measure == Measure::Jaccard {
                shelves.long.each(*shingle, |letter| letters.push(letter));
            }
        }
        letters.sort_unstable();
        letters.dedup();
        let before: Vec<Keys> = letters.iter().map(|letter| self.keys(*letter)).collect();
        self.order.move_back(hot);
        let (mut from_short, mut from_long) = (HashSet::new(), HashSet::new());
        for (letter, old) in letters.into_iter().zip(before) {
            let new = self.keys(letter);
            shift(
                letter,
                &old.short,
                &new.short,
                &mut shelves.short,
                &mut from_short,
            );
            shift(
                letter,
                &old.long,
                &new.long,
                &mut shelves.long,
                &mut from_long,
            );
        }
        for shingle in hot {
            let one = std::slice::from_ref(shingle);
            let gone = |letter| from_short.contains(&(*shingle, letter));
            shelves.short.withdraw(one, gone);
            let gone = |letter| from_long.contains(&(*shingle, letter));
            shelves.long.withdraw(one, gone);
        }
    }
}

/// Puts a letter under its new keys, and notes the old ones that are none any more.
fn shift(
    letter: u32,
    old: &[u64],
    new: &[u64],
    shelf: &mut Postings,
    gone: &mut HashSet<(u64, u32)>,
) {
    let (before, after): (HashSet<u64>, HashSet<u64>) =
        (old.iter().copied().collect(), new.iter().copied().collect());
    for shingle in after.difference(&before) {
        shelf.insert(*shingle, letter);
    }
    gone.extend(before.difference(&after).map(|shingle| (*shingle, letter)));
}
