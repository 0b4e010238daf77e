//! How many different words do some texts use, where others of the same length on the same question use how many?
//!
//! Letters made of one stock of phrases run out of words: in 200 of those sent to the FCC in 2017 stood 139 different words, in 200 others of that length
//! 903. Vocabularies are compared at the same number of words (rarefaction: Sanders 1968, Hurlbert 1971). Two yardsticks: what so many words drawn from the
//! answers to the question would hold, Σ 1 − (1 − f/N)ⁿ over its words with f of N places, which is quick and is used on each text with its neighbours; and
//! groups of whole texts drawn from the same question, each about as long as the member that it stands for, which shows a group beside its like.
//!
//! Guarantees: the same numbers on every machine; draws by a seed. Cost: for a count, the number of different frequencies; for drawn groups, their words.

use super::words::Corpus;
use crate::random::{split_mix, Random};

/// A question's own words are the yardstick if there are so many times as many as are asked for.
const ENOUGH: u64 = 20;
/// Of a text that stands for a member: so many texts to draw from, or the whole consultation is drawn from.
const CHOICE: usize = 8;
/// Voices of a group that are looked at.
pub const LOOKED_AT: usize = 50;

/// How many words stand how often.
#[derive(Debug, Default)]
struct Spectrum {
    all: u64,
    /// Frequency, and number of words that have it.
    kinds: Vec<(u32, u32)>,
}

/// Vocabularies of the consultation.
#[derive(Debug)]
pub struct Vocabulary {
    whole: Spectrum,
    questions: Vec<Spectrum>,
}

/// x to the power n, by squaring: no processor's own power.
fn power(mut x: f64, mut n: u64) -> f64 {
    let mut result = 1.0;
    while n > 0 {
        if n & 1 == 1 {
            result *= x;
        }
        x *= x;
        n >>= 1;
    }
    result
}

impl Spectrum {
    fn of(mut words: Vec<u32>) -> Self {
        words.sort_unstable();
        let all = words.len() as u64;
        let mut counts: Vec<u32> = words
            .chunk_by(|a, b| a == b)
            .map(|same| same.len() as u32)
            .collect();
        counts.sort_unstable();
        let kinds = counts
            .chunk_by(|a, b| a == b)
            .map(|same| (same[0], same.len() as u32));
        Self {
            all,
            kinds: kinds.collect(),
        }
    }

    /// Different words expected among `n` drawn from these.
    fn expected(&self, n: u64) -> f64 {
        let all = self.all.max(1) as f64;
        let kinds = self.kinds.iter();
        kinds
            .map(|(times, words)| {
                f64::from(*words) * (1.0 - power(1.0 - f64::from(*times) / all, n))
            })
            .sum()
    }
}

impl Vocabulary {
    /// Of all texts that are not kept out, each as often as different authors wrote it.
    #[must_use]
    pub fn of(corpus: &Corpus, kept_out: &[bool]) -> Self {
        let mut whole = Vec::new();
        let mut questions = vec![Vec::new(); corpus.questions.len()];
        for text in (0..corpus.len() as u32).filter(|text| !kept_out[*text as usize]) {
            let words = plain(corpus, text);
            for _ in corpus.authors(text) {
                whole.extend(words.iter().copied());
                questions[corpus.question(text) as usize].extend(words.iter().copied());
            }
        }
        Self {
            whole: Spectrum::of(whole),
            questions: questions.into_iter().map(Spectrum::of).collect(),
        }
    }

    /// Different words expected among `words` words of answers to a question; of all answers, where that question has too few.
    #[must_use]
    pub fn expected(&self, question: u32, words: u64) -> f64 {
        match self.questions.get(question as usize) {
            Some(own) if own.all >= ENOUGH * words => own.expected(words),
            _ => self.whole.expected(words),
        }
    }
}

/// The words of a text but for addresses.
fn plain(corpus: &Corpus, text: u32) -> Vec<u32> {
    let words = corpus.words(text).iter();
    words
        .filter(|word| !corpus.address[**word as usize])
        .copied()
        .collect()
}

/// Number of words, and of different ones, of some texts.
#[must_use]
pub fn different(corpus: &Corpus, texts: &[u32]) -> (u64, u64) {
    let mut words: Vec<u32> = texts.iter().flat_map(|text| plain(corpus, *text)).collect();
    let all = words.len() as u64;
    words.sort_unstable();
    words.dedup();
    (all, words.len() as u64)
}

/// A group's vocabulary beside those of drawn groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    /// Words that are compared.
    pub words: u64,
    /// Different ones in the group.
    pub observed: f64,
    /// And in each drawn group.
    pub drawn: Vec<f64>,
}

/// Texts to draw from: by question and number of words, and by number of words alone.
pub struct Urn<'a> {
    corpus: &'a Corpus,
    /// (question, words, text), ascending.
    by_question: Vec<(u32, usize, u32)>,
    all: Vec<(usize, u32)>,
}

impl<'a> Urn<'a> {
    /// Of all texts that are not kept out.
    #[must_use]
    pub fn new(corpus: &'a Corpus, kept_out: &[bool]) -> Self {
        let texts = (0..corpus.len() as u32).filter(|text| !kept_out[*text as usize]);
        let mut all: Vec<(usize, u32)> =
            texts.map(|text| (corpus.words(text).len(), text)).collect();
        let mut by_question: Vec<(u32, usize, u32)> = all
            .iter()
            .map(|(words, text)| (corpus.question(*text), *words, *text))
            .collect();
        all.sort_unstable();
        by_question.sort_unstable();
        Self {
            corpus,
            by_question,
            all,
        }
    }

    /// The texts that may stand for one: on its question within a quarter of its length, or the nearest in length of all.
    fn like(&self, text: u32) -> Vec<u32> {
        let (question, words) = (self.corpus.question(text), self.corpus.words(text).len());
        let (low, high) = (words - words / 4, words + words / 4 + 1);
        let from = self
            .by_question
            .partition_point(|one| (one.0, one.1) < (question, low));
        let to = self
            .by_question
            .partition_point(|one| (one.0, one.1) <= (question, high));
        if to >= from + CHOICE {
            return self.by_question[from..to].iter().map(|one| one.2).collect();
        }
        let from = self.all.partition_point(|one| one.0 < low);
        let to = self.all.partition_point(|one| one.0 <= high);
        let middle = (from + to) / 2;
        let from = from.min(middle.saturating_sub(CHOICE));
        let to = to.max(middle + CHOICE).min(self.all.len());
        self.all[from..to].iter().map(|one| one.1).collect()
    }

    /// Compares a group, one text for each of its voices, with `count` drawn groups. Nothing where there is nothing to draw from.
    #[must_use]
    pub fn beside(&self, texts: &[u32], count: usize, seed: u64) -> Beside {
        let like: Vec<Vec<u32>> = texts.iter().map(|text| self.like(*text)).collect();
        if like.iter().any(Vec::is_empty) || texts.is_empty() {
            return Beside::default();
        }
        let spectrum = |texts: &[u32]| {
            Spectrum::of(
                texts
                    .iter()
                    .flat_map(|text| plain(self.corpus, *text))
                    .collect(),
            )
        };
        let own = spectrum(texts);
        let groups: Vec<Spectrum> = (0..count as u64)
            .map(|number| {
                let mut random = Random::new(split_mix(seed ^ split_mix(number)));
                let drawn: Vec<u32> = like
                    .iter()
                    .map(|like| like[random.below(like.len())])
                    .collect();
                spectrum(&drawn)
            })
            .collect();
        let words = groups
            .iter()
            .map(|group| group.all)
            .min()
            .unwrap_or(0)
            .min(own.all);
        Beside {
            words,
            observed: own.expected(words),
            drawn: groups.iter().map(|group| group.expected(words)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::corpus;
    use super::*;

    #[test]
    fn the_power_is_the_power() {
        for (x, n) in [(0.5, 0), (0.5, 1), (0.9, 13), (1.0, 99)] {
            assert!((power(x, n) - f64::powi(x, n as i32)).abs() < 1e-15);
        }
    }

    #[test]
    fn as_many_words_as_there_are_kinds_are_never_all_met() {
        let spectrum = Spectrum::of(vec![1, 1, 2, 3]);
        assert!((spectrum.expected(1) - 1.0).abs() < 1e-12);
        // By hand: 1 − (1/2)² + 2 (1 − (3/4)²).
        assert!((spectrum.expected(2) - 1.625).abs() < 1e-12);
    }

    #[test]
    fn letters_of_one_stock_use_fewer_words_than_drawn_ones() {
        let stock: Vec<String> = (0..8)
            .map(|i| format!("nous voulons un parc {} ici {}", i % 2, i % 3))
            .collect();
        let others: Vec<String> = (0..40)
            .map(|i| format!("mot{i} autre{i} encore{} et un{i} de{i} fin", i / 2))
            .collect();
        let all: Vec<(&str, u32)> = stock
            .iter()
            .chain(&others)
            .map(String::as_str)
            .zip(0..)
            .collect();
        let corpus = corpus(&all);
        let texts: Vec<u32> = corpus.text[..8].to_vec();
        let kept: Vec<bool> = (0..corpus.len() as u32)
            .map(|text| texts.contains(&text))
            .collect();
        let beside = Urn::new(&corpus, &kept).beside(&texts, 20, 7);
        assert_eq!(beside.drawn.len(), 20);
        assert!(
            beside
                .drawn
                .iter()
                .all(|drawn| *drawn > 2.0 * beside.observed),
            "{beside:?}"
        );
        assert_eq!(beside, Urn::new(&corpus, &kept).beside(&texts, 20, 7));
        assert!(Urn::new(&corpus, &vec![true; corpus.len()])
            .beside(&texts, 5, 7)
            .drawn
            .is_empty());
    }
}
