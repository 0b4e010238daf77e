//! Which texts are nearest to each text, by what they share that is rare?
//!
//! A text is compared with those that share a feature with it, by an inverted index (Salton 1968; as in the joins of Bayardo, Ma and Srikant, WWW 2007). Of a
//! feature that many texts have only the first [`LEADERS`] are looked at: the members of a large family all meet the same few, which stand for it,
//! so that 20,000 letters cost 20,000 times [`LEADERS`] and not the square. The best by what they share are then weighed exactly.
//!
//! Guarantees: likenesses are exact, ties go to the text with the lower number; no pair is missed that shares something only among texts whose features at
//! most [`LEADERS`] texts have. Not guaranteed: that every neighbour of a member of a large family is listed. Cost: for each text, its features times
//! [`LEADERS`].

use std::cmp::Reverse;
use std::collections::HashMap;

use super::rarity::Rarity;
use super::words::Corpus;
use crate::neardup::crew::Crew;

/// Texts that are looked at for each feature.
pub const LEADERS: usize = 96;
/// Neighbours that are weighed exactly, for each that is asked for.
const WEIGHED: usize = 3;
/// Texts by one author alone in a list of neighbours, at most: a hundred variants by one must not hide the letters of others.
const BY_ONE: usize = 2;

/// A neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Its number.
    pub text: u32,
    /// Weight of what both share.
    pub shared: u64,
    /// See [`Rarity::likeness`].
    pub likeness: u32,
}

/// What makes a neighbour the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The share of both texts that they have in common.
    Likeness,
    /// How much they have in common.
    Shared,
}

/// What is looked for.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Texts that are looked at for each feature.
    pub leaders: usize,
    /// Neighbours that are listed.
    pub keep: usize,
    /// Which are the nearest.
    pub by: By,
    /// Texts that are no neighbours, if any are left out.
    pub left_out: Option<&'a [bool]>,
}

/// Buffers of one thread.
struct Hand {
    sums: Vec<u32>,
    met: Vec<u32>,
    found: Vec<(usize, Vec<Near>)>,
}

impl Hand {
    fn new(texts: usize) -> Self {
        Self {
            sums: vec![0; texts],
            met: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Sums what each text that is met shares with `text`.
    fn meet(&mut self, rarity: &Rarity, text: u32, search: &Search<'_>) {
        let allowed =
            |other: u32| other != text && search.left_out.is_none_or(|out| !out[other as usize]);
        for feature in rarity.features(text) {
            let weight = rarity.weight[*feature as usize];
            let others = rarity
                .texts(*feature)
                .iter()
                .filter(|other| allowed(**other));
            for other in others.take(search.leaders) {
                let sum = &mut self.sums[*other as usize];
                if *sum == 0 {
                    self.met.push(*other);
                }
                *sum = sum.saturating_add(weight);
            }
        }
    }

    /// The nearest of those that were met.
    fn nearest(
        &mut self,
        corpus: &Corpus,
        rarity: &Rarity,
        text: u32,
        search: &Search<'_>,
    ) -> Vec<Near> {
        let score = |other: u32, shared: u64| match search.by {
            By::Likeness => u64::from(rarity.likeness(text, other, shared)),
            By::Shared => shared,
        };
        let sums = &mut self.sums;
        let mut best: Vec<(Reverse<u64>, u32)> = self
            .met
            .drain(..)
            .map(|other| {
                let sum = std::mem::take(&mut sums[other as usize]);
                (Reverse(score(other, u64::from(sum))), other)
            })
            .collect();
        let most = search.keep * WEIGHED;
        if best.len() > most {
            best.select_nth_unstable(most);
            if search.by == By::Likeness && by_many(corpus, &best[..most]) < search.keep {
                best.sort_unstable();
                best = of_many(corpus, &best);
            }
            best.truncate(most);
        }
        let mut near: Vec<Near> = best
            .iter()
            .map(|(_, other)| {
                let shared = rarity.shared(text, *other);
                Near {
                    text: *other,
                    shared,
                    likeness: rarity.likeness(text, *other, shared),
                }
            })
            .collect();
        near.sort_unstable_by_key(|near| (Reverse(score(near.text, near.shared)), near.text));
        if search.by == By::Likeness {
            let mut written = HashMap::new();
            near.retain(|near| fresh(corpus, near.text, &mut written));
        }
        near.truncate(search.keep);
        near
    }
}

/// Whether an author of a text has less than [`BY_ONE`] texts so far; counts it, if so, for its first author that has.
fn fresh(corpus: &Corpus, text: u32, written: &mut HashMap<u32, usize>) -> bool {
    corpus.authors(text).iter().any(|author| {
        let count = written.entry(*author).or_default();
        *count += 1;
        *count <= BY_ONE
    })
}

/// How many of some texts are left where no author has more than [`BY_ONE`].
fn by_many(corpus: &Corpus, some: &[(Reverse<u64>, u32)]) -> usize {
    let mut written = HashMap::new();
    some.iter()
        .filter(|(_, text)| fresh(corpus, *text, &mut written))
        .count()
}

/// Those that are left, the best first.
fn of_many(corpus: &Corpus, sorted: &[(Reverse<u64>, u32)]) -> Vec<(Reverse<u64>, u32)> {
    let mut written = HashMap::new();
    let left = sorted
        .iter()
        .filter(|(_, text)| fresh(corpus, *text, &mut written));
    left.copied().collect()
}

/// The nearest texts of each of `asked`, nearest first, by likeness at most [`BY_ONE`] of an author who wrote
/// them alone (what a text shares is measured against all). None if it was stopped.
#[must_use]
pub fn nearest(
    crew: &Crew<'_>,
    corpus: &Corpus,
    rarity: &Rarity,
    asked: &[u32],
    search: &Search<'_>,
) -> Option<Vec<Vec<Near>>> {
    const BLOCK: usize = 256;
    let hand = || Hand::new(rarity.len());
    let hands = crew.share(
        "joining",
        asked.len().div_ceil(BLOCK),
        hand,
        |hand, block| {
            let end = asked.len().min((block + 1) * BLOCK);
            for (at, text) in asked.iter().enumerate().take(end).skip(block * BLOCK) {
                hand.meet(rarity, *text, search);
                let near = hand.nearest(corpus, rarity, *text, search);
                hand.found.push((at, near));
            }
        },
    )?;
    let mut all = vec![Vec::new(); asked.len()];
    for (at, near) in hands.into_iter().flat_map(|hand| hand.found) {
        all[at] = near;
    }
    Some(all)
}

/// Number of different authors of some texts.
#[must_use]
pub fn voices(corpus: &Corpus, texts: impl Iterator<Item = u32>) -> usize {
    let mut authors: Vec<u32> = texts
        .flat_map(|text| corpus.authors(text))
        .copied()
        .collect();
    authors.sort_unstable();
    authors.dedup();
    authors.len()
}
