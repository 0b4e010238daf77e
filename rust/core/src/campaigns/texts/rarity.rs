//! What do texts have in common that few have?
//!
//! A text has *features*: each of its words, and each run of two words. A run weighs its rarity, log₂(n / max(d, √n)) for d of n texts that have it: «il
//! faut» weighs next to nothing, and what a family of up to √n texts share weighs as much as what one text alone has, so that a family is not made common
//! by its own size. A word weighs half as much. Words that more than a quarter have are no features.
//!
//! Weights are whole numbers (256 to a bit), so sums are the same in any order. Cost: a sort of all features; memory 8 bytes for each that two texts or
//! more have.

use super::words::Corpus;
use crate::embed::log::ln;
use crate::neardup::crew::{ascending, Crew};

/// Parts of a bit in a weight.
const BIT: f64 = 256.0;
/// A word that more than this part of the texts has is no feature.
const COMMON_WORD: usize = 4;
/// Of fewer texts than this, every word is a feature.
const FEW: usize = 40;

/// Texts by their features, and features by their texts. Only features of two texts, or of two authors, have a number.
#[derive(Debug)]
pub struct Rarity {
    /// Weight of each feature.
    pub weight: Vec<u32>,
    /// Weight of all features of each text, shared or not.
    pub total: Vec<u64>,
    features: Vec<u32>,
    ends: Vec<usize>,
    texts: Vec<u32>,
    text_ends: Vec<usize>,
}

/// The weight of a feature that `texts` of `all` texts have.
fn weight(texts: usize, all: usize, run: bool) -> u32 {
    let all = all.max(1) as f64;
    let bits = ln(all / (texts as f64).max(all.sqrt())) / std::f64::consts::LN_2;
    let weight = bits * if run { BIT } else { BIT / 2.0 };
    (weight.round() as u32).max(1)
}

/// The features of a text: words first, then runs of two, each once, ascending.
fn features_of(words: &[u32], out: &mut Vec<u64>) {
    out.clear();
    out.extend(words.iter().map(|word| u64::from(*word)));
    out.extend(
        words
            .windows(2)
            .map(|pair| (u64::from(pair[0]) + 1) << 32 | u64::from(pair[1])),
    );
    out.sort_unstable();
    out.dedup();
}

impl Rarity {
    /// The features of all texts. None if it was stopped.
    #[must_use]
    pub fn of(crew: &Crew<'_>, corpus: &Corpus) -> Option<Self> {
        const BLOCK: usize = 1024;
        let n = corpus.len();
        let parts = crew.share("features", n.div_ceil(BLOCK), Vec::new, |all, block| {
            let mut features = Vec::new();
            for text in block * BLOCK..n.min((block + 1) * BLOCK) {
                features_of(corpus.words(text as u32), &mut features);
                all.extend(features.iter().map(|feature| (*feature, text as u32)));
            }
        })?;
        let mut all: Vec<(u64, u32)> = parts.concat();
        ascending(&mut all, crew.threads);
        let mut rarity = Self {
            weight: Vec::new(),
            total: vec![0; n],
            features: Vec::new(),
            ends: Vec::new(),
            texts: Vec::new(),
            text_ends: Vec::new(),
        };
        let common = if n < FEW { n } else { n / COMMON_WORD };
        for same in all.chunk_by(|a, b| a.0 == b.0) {
            let run = same[0].0 >> 32 != 0;
            if !run && same.len() > common {
                continue;
            }
            let weight = weight(same.len(), n, run);
            for (_, text) in same {
                rarity.total[*text as usize] += u64::from(weight);
            }
            if same.len() > 1 || corpus.authors(same[0].1).len() > 1 {
                rarity.weight.push(weight);
                rarity.texts.extend(same.iter().map(|(_, text)| *text));
                rarity.text_ends.push(rarity.texts.len());
            }
        }
        drop(all);
        rarity.turn(n);
        (!crew.stop.is_set()).then_some(rarity)
    }

    /// Lists the features of each text.
    fn turn(&mut self, n: usize) {
        let mut place = vec![0usize; n + 1];
        self.texts
            .iter()
            .for_each(|text| place[*text as usize + 1] += 1);
        for text in 0..n {
            place[text + 1] += place[text];
        }
        self.ends = place[1..].to_vec();
        self.features = vec![0; self.texts.len()];
        for feature in 0..self.weight.len() {
            for at in self.span(feature as u32) {
                let slot = &mut place[self.texts[at] as usize];
                self.features[*slot] = feature as u32;
                *slot += 1;
            }
        }
    }

    fn span(&self, feature: u32) -> std::ops::Range<usize> {
        let at = feature as usize;
        let start = if at == 0 { 0 } else { self.text_ends[at - 1] };
        start..self.text_ends[at]
    }

    /// Number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.total.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total.is_empty()
    }

    /// The features of a text that another, or a copy of it, has too, ascending.
    #[must_use]
    pub fn features(&self, text: u32) -> &[u32] {
        let at = text as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.features[start..self.ends[at]]
    }

    /// The texts that have a feature, ascending.
    #[must_use]
    pub fn texts(&self, feature: u32) -> &[u32] {
        &self.texts[self.span(feature)]
    }

    /// Weight of what two texts share.
    #[must_use]
    pub fn shared(&self, a: u32, b: u32) -> u64 {
        if a == b {
            return self.total[a as usize];
        }
        let (a, b) = (self.features(a), self.features(b));
        let (mut i, mut j, mut sum) = (0, 0, 0);
        while i < a.len() && j < b.len() {
            if a[i] == b[j] {
                sum += u64::from(self.weight[a[i] as usize]);
            }
            let (x, y) = (a[i], b[j]);
            i += usize::from(x <= y);
            j += usize::from(y <= x);
        }
        sum
    }

    /// Cosine-like likeness of two texts, in parts of 1000: what they share by the geometric mean of what each has.
    #[must_use]
    pub fn likeness(&self, a: u32, b: u32, shared: u64) -> u32 {
        let both = (self.total[a as usize] as f64 * self.total[b as usize] as f64).sqrt();
        if both > 0.0 {
            (shared as f64 * 1000.0 / both).round() as u32
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::corpus;
    use super::*;
    use crate::neardup::crew::Stop;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    pub(in super::super) fn rarity_of(corpus: &Corpus) -> Rarity {
        let stop = Stop::new();
        let crew = Crew {
            threads: 2,
            watch: &|_, _| true,
            stop: &stop,
        };
        Rarity::of(&crew, corpus).unwrap_or_else(|| unreachable!())
    }

    proptest! {
        #[test]
        fn texts_share_what_both_have(texts in prop::collection::vec("[a-d]( [a-d]){0,6}", 1..12)) {
            let texts: Vec<(&str, u32)> = texts.iter().map(String::as_str).zip(0..).collect();
            let corpus = corpus(&texts);
            let rarity = rarity_of(&corpus);
            let n = corpus.len();
            let set = |text: usize| {
                let mut features = Vec::new();
                features_of(corpus.words(text as u32), &mut features);
                features.into_iter().collect::<BTreeSet<u64>>()
            };
            let sets: Vec<BTreeSet<u64>> = (0..n).map(set).collect();
            let value = |feature: &u64| {
                let with = sets.iter().filter(|set| set.contains(feature)).count();
                u64::from(weight(with, n, feature >> 32 != 0))
            };
            for a in 0..n {
                prop_assert_eq!(rarity.total[a], sets[a].iter().map(value).sum::<u64>());
                for b in 0..n {
                    let slow: u64 = sets[a].intersection(&sets[b]).map(value).sum();
                    prop_assert_eq!(rarity.shared(a as u32, b as u32), slow);
                }
                for feature in rarity.features(a as u32) {
                    prop_assert!(rarity.texts(*feature).contains(&(a as u32)));
                }
            }
        }
    }

    #[test]
    fn a_family_of_up_to_the_root_of_all_is_not_made_common_by_its_size() {
        assert_eq!(weight(1, 10_000, true), weight(100, 10_000, true));
        assert!(weight(101, 10_000, true) < weight(100, 10_000, true));
        assert_eq!(weight(10_000, 10_000, true), 1);
        assert_eq!(weight(1000, 10_000, true), 2 * weight(1000, 10_000, false));
    }
}
