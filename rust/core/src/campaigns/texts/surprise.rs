//! How many bits does each word of a text tell, to somebody who has read the rest of the consultation?
//!
//! A word after two others is expected as often as others wrote it there, else as after the one before, else as in answers to this question, else as
//! anywhere, else as any word: interpolation after Witten and Bell (1991), P(w | h) = (c(h w) + t(h) · P(w | h′)) / (c(h) + t(h)), where c counts, t(h) is
//! the number of different words after h, and h′ is h without its first word; below runs of two, the question's own counts with [`PRIOR`] words' worth of
//! everybody's. Each contribution counts as having read its question once, so the words of the question tell little. So do runs that people write in many
//! places («il faut que»), and the second half of what always goes together. An address tells nothing.
//!
//! What is asked about must not have been learnt from: rows of the groups that are tested are *kept out* of the counts, and whatever other texts are
//! compared are taken out of them while they are ([`Without`]).
//!
//! Guarantees: bits are whole numbers of 1/1024, the same on every machine. Cost: a sort of all runs of two and three words; a look-up for each word asked.
//! Memory 40 bytes a word.

use super::words::Corpus;
use crate::embed::log::ln;
use crate::neardup::crew::{ascending, Crew};

/// Parts of a bit.
pub const BIT: i32 = 1024;
/// Words' worth of what all questions say, in a question.
const PRIOR: f64 = 200.0;

/// Numbers with counts, ascending.
#[derive(Debug, Default)]
struct Counted {
    keys: Vec<u64>,
    counts: Vec<u32>,
}

impl Counted {
    fn of(mut all: Vec<u64>, threads: usize) -> Self {
        ascending(&mut all, threads);
        let mut counted = Self::default();
        for same in all.chunk_by(|a, b| a == b) {
            counted.keys.push(same[0]);
            counted.counts.push(same.len() as u32);
        }
        counted
    }

    fn at(&self, key: u64) -> Option<usize> {
        self.keys.binary_search(&key).ok()
    }

    fn count(&self, key: u64) -> u32 {
        self.at(key).map_or(0, |at| self.counts[at])
    }
}

/// What was read.
#[derive(Debug)]
pub struct Surprise {
    words: Vec<u32>,
    all: u64,
    kinds: u64,
    by_question: Counted,
    in_question: Vec<u64>,
    pairs: Counted,
    /// By word: how many words were read after it, and how many different ones.
    after_word: Vec<(u32, u32)>,
    triples: Counted,
    /// The same by pair.
    after_pair: Vec<(u32, u32)>,
}

fn key(a: u32, b: u32) -> u64 {
    u64::from(a) << 32 | u64::from(b)
}

impl Surprise {
    /// Reads all texts that are not kept out, each as often as different authors wrote it. None if it was stopped.
    #[must_use]
    pub fn of(crew: &Crew<'_>, corpus: &Corpus, kept_out: &[bool]) -> Option<Self> {
        let read = |text: u32| (!kept_out[text as usize]).then(|| corpus.words(text));
        let asked = |question: usize| {
            let rows = corpus.facts.question.iter();
            rows.filter(|q| **q as usize == question).count()
        };
        // Everything that is read, with its question, and how often.
        let mut sources: Vec<(&[u32], u32, usize)> = (0..corpus.len() as u32)
            .filter_map(|text| {
                Some((
                    read(text)?,
                    corpus.question(text),
                    corpus.authors(text).len(),
                ))
            })
            .collect();
        for (question, words) in corpus.questions.iter().enumerate() {
            if !words.is_empty() {
                sources.push((words, question as u32, asked(question)));
            }
        }
        let mut words = vec![0u32; corpus.names.len()];
        let mut in_question = vec![0u64; corpus.questions.len()];
        let (mut by_question, mut pairs) = (Vec::new(), Vec::new());
        for (source, question, times) in &sources {
            for _ in 0..*times {
                source.iter().for_each(|word| words[*word as usize] += 1);
                by_question.extend(source.iter().map(|word| key(*question, *word)));
                pairs.extend(source.windows(2).map(|pair| key(pair[0], pair[1])));
            }
            in_question[*question as usize] += (source.len() * times) as u64;
        }
        let by_question = Counted::of(by_question, crew.threads);
        let pairs = Counted::of(pairs, crew.threads);
        if crew.stop.is_set() {
            return None;
        }
        let mut triples = Vec::new();
        for (source, _, times) in &sources {
            for three in source.windows(3) {
                if let Some(pair) = pairs.at(key(three[0], three[1])) {
                    triples.extend(std::iter::repeat_n(key(pair as u32, three[2]), *times));
                }
            }
        }
        let triples = Counted::of(triples, crew.threads);
        let mut surprise = Self {
            all: words.iter().map(|count| u64::from(*count)).sum(),
            kinds: words.iter().filter(|count| **count > 0).count() as u64,
            after_word: followed(&pairs, words.len()),
            after_pair: followed(&triples, pairs.keys.len()),
            words,
            by_question,
            in_question,
            pairs,
            triples,
        };
        surprise.kinds = surprise.kinds.max(1);
        (!crew.stop.is_set()).then_some(surprise)
    }

    /// Fills `out` with the bits of each word of a text, in parts ([`BIT`]), as if what was taken out had not been read.
    pub fn bits(&self, corpus: &Corpus, text: u32, out_of: &Without, out: &mut Vec<i32>) {
        let (words, question) = (corpus.words(text), corpus.question(text));
        let less = |count: u32, out: u32| f64::from(count.saturating_sub(out));
        let all = self.all.saturating_sub(out_of.words) as f64;
        let here = self.in_question[question as usize].saturating_sub(out_of.in_question) as f64;
        let kinds = self.kinds as f64;
        let bits = words.iter().enumerate().map(|(at, &word)| {
            if corpus.address[word as usize] {
                return 0;
            }
            let seen = out_of.at(at);
            // Any word that nobody wrote: one more kind.
            let anywhere = (less(self.words[word as usize], seen.word) + kinds / (kinds + 1.0))
                / (all + kinds);
            let in_question = self.by_question.count(key(question, word));
            let mut chance =
                (less(in_question, seen.in_question) + PRIOR * anywhere) / (here + PRIOR);
            let mut mix = |count: u32, taken: u32, (read, kinds): (u32, u32), read_taken: u32| {
                let read = less(read, read_taken);
                if read > 0.0 {
                    let kinds = f64::from(kinds);
                    chance = (less(count, taken) + kinds * chance) / (read + kinds);
                }
            };
            let before = |back: usize| at.checked_sub(back).and_then(|at| words.get(at)).copied();
            if let Some(one) = before(1) {
                let count = self.pairs.count(key(one, word));
                mix(
                    count,
                    seen.pair,
                    self.after_word[one as usize],
                    seen.after_word,
                );
                if let Some(pair) = before(2).and_then(|two| self.pairs.at(key(two, one))) {
                    let count = self.triples.count(key(pair as u32, word));
                    mix(count, seen.triple, self.after_pair[pair], seen.after_pair);
                }
            }
            (-ln(chance.min(1.0)) / std::f64::consts::LN_2 * f64::from(BIT)).round() as i32
        });
        out.clear();
        out.extend(bits);
    }
}

/// By what comes first in a key: how many came after it, and how many different ones.
fn followed(counted: &Counted, first: usize) -> Vec<(u32, u32)> {
    let mut after = vec![(0, 0); first];
    for (key, count) in counted.keys.iter().zip(&counted.counts) {
        if let Some((read, kinds)) = after.get_mut((key >> 32) as usize) {
            *read += count;
            *kinds += 1;
        }
    }
    after
}

/// What is taken out of the counts at one word of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    word: u32,
    in_question: u32,
    /// The word before it, before any other.
    after_word: u32,
    pair: u32,
    after_pair: u32,
    triple: u32,
}

/// What some texts added to the counts that a text is measured with.
#[derive(Debug, Default)]
pub struct Without {
    words: u64,
    in_question: u64,
    taken: Vec<Taken>,
}

impl Without {
    /// Of texts that were read, with the text that is measured.
    #[must_use]
    pub fn texts(corpus: &Corpus, measured: u32, read: &[u32]) -> Self {
        let words = corpus.words(measured);
        let (ones, twos, threes) = (places::<1>(words), places::<2>(words), places::<3>(words));
        let mut taken = vec![Taken::default(); words.len()];
        let (mut all, mut in_question) = (0u64, 0u64);
        for &text in read {
            let times = corpus.authors(text).len() as u32;
            let here = corpus.question(text) == corpus.question(measured);
            let read = corpus.words(text);
            all += read.len() as u64 * u64::from(times);
            in_question += if here {
                read.len() as u64 * u64::from(times)
            } else {
                0
            };
            for at in 0..read.len() {
                let goes_on = at + 1 < read.len();
                each(&ones, read, at, |place| {
                    taken[place].word += times;
                    taken[place].in_question += if here { times } else { 0 };
                    if let (true, Some(next)) = (goes_on, taken.get_mut(place + 1)) {
                        next.after_word += times;
                    }
                });
                each(&twos, read, at, |place| {
                    taken[place + 1].pair += times;
                    if let (true, Some(next)) = (at + 2 < read.len(), taken.get_mut(place + 2)) {
                        next.after_pair += times;
                    }
                });
                each(&threes, read, at, |place| taken[place + 2].triple += times);
            }
        }
        Self {
            words: all,
            in_question,
            taken,
        }
    }

    fn at(&self, place: usize) -> Taken {
        self.taken.get(place).copied().unwrap_or_default()
    }
}

/// The runs of `N` words of a text, ascending, and where each begins.
fn places<const N: usize>(words: &[u32]) -> Vec<([u32; N], usize)> {
    let runs = words.windows(N).enumerate();
    let mut places: Vec<([u32; N], usize)> = runs
        .filter_map(|(at, run)| Some((run.try_into().ok()?, at)))
        .collect();
    places.sort_unstable();
    places
}

/// Calls `hit` with each place of the run that begins at a word.
fn each<const N: usize>(
    places: &[([u32; N], usize)],
    words: &[u32],
    at: usize,
    mut hit: impl FnMut(usize),
) {
    let Some(run) = words
        .get(at..at + N)
        .and_then(|run| <[u32; N]>::try_from(run).ok())
    else {
        return;
    };
    let first = places.partition_point(|place| place.0 < run);
    for (same, place) in &places[first..] {
        if *same != run {
            break;
        }
        hit(*place);
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::corpus_on;
    use super::*;
    use crate::neardup::crew::Stop;
    use proptest::prelude::*;

    fn surprise(corpus: &Corpus, kept_out: &[bool]) -> Surprise {
        let stop = Stop::new();
        let crew = Crew {
            threads: 2,
            watch: &|_, _| true,
            stop: &stop,
        };
        Surprise::of(&crew, corpus, kept_out).unwrap_or_else(|| unreachable!())
    }

    proptest! {
        #[test]
        fn what_is_taken_out_was_never_read(texts in prop::collection::vec("[a-d]( [a-d]){0,5}", 2..9), out in prop::collection::vec(any::<bool>(), 9)) {
            let texts: Vec<(&str, u32)> = texts.iter().map(String::as_str).zip(0..).collect();
            let corpus = corpus_on(&texts, &["a b"], &[]);
            let n = corpus.len() as u32;
            let out: Vec<u32> = (0..n).filter(|text| out[*text as usize]).collect();
            let kept: Vec<bool> = (0..n).map(|text| out.contains(&text)).collect();
            let (all, some) = (surprise(&corpus, &vec![false; n as usize]), surprise(&corpus, &kept));
            // Kinds of words are not taken out again, nor pairs whose count is nought; so look at counts, not at bits.
            for text in 0..n {
                let without = Without::texts(&corpus, text, &out);
                let words = corpus.words(text);
                for (at, word) in words.iter().enumerate() {
                    let taken = without.at(at);
                    prop_assert_eq!(all.words[*word as usize] - taken.word, some.words[*word as usize]);
                    if at > 0 {
                        let pair = key(words[at - 1], *word);
                        prop_assert_eq!(all.pairs.count(pair) - taken.pair, some.pairs.count(pair));
                        let before = words[at - 1] as usize;
                        prop_assert_eq!(all.after_word[before].0 - taken.after_word, some.after_word[before].0);
                    }
                    if at > 1 {
                        let count = |s: &Surprise| s.pairs.at(key(words[at - 2], words[at - 1])).map_or((0, 0), |pair| {
                            (s.triples.count(key(pair as u32, *word)), s.after_pair[pair].0)
                        });
                        let (more, less) = (count(&all), count(&some));
                        prop_assert_eq!((more.0 - taken.triple, more.1 - taken.after_pair), less);
                    }
                }
            }
        }

        #[test]
        fn chances_of_all_next_words_sum_to_one_or_less(texts in prop::collection::vec("[a-d]( [a-d]){0,5}", 2..9)) {
            let texts: Vec<(&str, u32)> = texts.iter().map(String::as_str).zip(0..).collect();
            let mut asked: Vec<String> = Vec::new();
            for next in ["a", "b", "c", "d"] {
                asked.push(format!("a b {next}"));
            }
            let mut with = texts.clone();
            with.extend(asked.iter().map(|text| (text.as_str(), 99)));
            let corpus = corpus_on(&with, &["a b c d"], &[]);
            let kept: Vec<bool> = (0..corpus.len() as u32).map(|text| corpus.text[texts.len()..].contains(&text)).collect();
            let surprise = surprise(&corpus, &kept);
            let mut sum = 0.0;
            for at in texts.len()..with.len() {
                let mut bits = Vec::new();
                surprise.bits(&corpus, corpus.text[at], &Without::default(), &mut bits);
                sum += (-f64::from(bits[2]) / f64::from(BIT)).exp2();
            }
            prop_assert!(sum <= 1.01, "{}", sum);
        }
    }

    #[test]
    fn words_of_the_question_and_of_everybody_tell_little() {
        let texts = [
            ("il faut que le tram passe", 0),
            ("il faut que le bus passe", 1),
            ("il faut que la gare ouvre", 2),
            ("je crois que la ligne quatre gagnerait", 3),
            ("il faut que la ligne quatre serpente", 4),
        ];
        let corpus = corpus_on(&texts, &["que faire de la ligne quatre"], &[]);
        let surprise = surprise(&corpus, &[false, false, false, false, true]);
        let mut bits = Vec::new();
        surprise.bits(&corpus, corpus.text[4], &Without::default(), &mut bits);
        let (sum, last) = (bits[..6].iter().sum::<i32>(), bits[6]);
        assert!(sum < 17 * BIT && last > 4 * BIT, "{bits:?}");
    }

    #[test]
    fn an_address_tells_nothing() {
        let corpus = corpus_on(
            &[("voir https://exemple.fr/tres/rare", 0), ("autre", 1)],
            &[],
            &[],
        );
        let surprise = surprise(&corpus, &[true, false]);
        let mut bits = Vec::new();
        surprise.bits(&corpus, 0, &Without::default(), &mut bits);
        assert!(bits[0] > 0 && bits[1] == 0);
    }
}
