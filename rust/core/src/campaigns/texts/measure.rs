//! What do the members of a group share, in bits, and what do texts in no group share?
//!
//! For a text, others are ranked by what it shares with them ([`sharing`](super::sharing)), each author counted once, the best first: the r-th is the
//! text's *r-th share*. A group's members are measured among themselves, other texts among all that are in no group, in the same way: neighbours first,
//! then bits. So what is compared was searched for alike. Beside it, for the same neighbours, how many different words the text and its first r are short
//! of what so many words would hold ([`saturation`](super::saturation)).
//!
//! Cost: [`PARTNERS`] alignments a text; at most [`NULL`] texts of no group and [`MEMBERS`] voices a group are looked at. Guarantees: whole numbers but for
//! the words that are missing, which are rounded to 1/1024.

use super::join::{nearest, By, Search};
use super::rarity::Rarity;
use super::saturation::{different, Vocabulary};
use super::sharing::Aligned;
use super::surprise::{Surprise, Without};
use super::words::Corpus;
use crate::neardup::crew::Crew;

/// Ranks that are told.
pub const RANKS: usize = 8;
/// Texts that each is aligned with.
const PARTNERS: usize = 12;
/// Texts in no group that are looked at: the first, and the order of rows is that of a hash.
pub const NULL: usize = 4096;
/// Voices of a group that are looked at.
pub const MEMBERS: usize = 256;
/// Texts of a group among which a member's neighbours are sought.
const AMONG: usize = 256;
/// Texts of one author in a group that are looked at.
const BY_ONE: usize = 4;
/// In a search among all texts, how many are looked at for each feature.
const LEADERS: usize = 512;

/// What was measured of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The text.
    pub text: u32,
    /// How many voices it stands for.
    pub voices: u32,
    /// Parts of bits that its words tell.
    pub told: i64,
    /// Its words, and those among them that tell at least [`TELLING`] bits.
    pub words: u32,
    /// See above.
    pub telling: u32,
    /// Its shares, best first; 0 where there are no more others.
    pub shared: [i32; RANKS],
    /// The texts that these are shared with; its own where there are no more.
    pub with: [u32; RANKS],
    /// Different words that it and its first r lack.
    pub missing: [f64; RANKS],
}

/// A word that tells so many parts of a bit says something.
pub const TELLING: i32 = 6 * super::surprise::BIT;

/// A group that is measured.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its rows.
    pub rows: Vec<u32>,
    /// Whether its texts are kept out of all that organic texts are measured by.
    pub kept_out: bool,
}

/// All that was measured.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Texts in no group.
    pub null: Vec<Measured>,
    /// How many there are, looked at or not.
    pub null_texts: usize,
    /// Of each group, a text for each voice that was looked at.
    pub groups: Vec<Vec<Measured>>,
}

/// What a text is measured with.
struct Measure<'a> {
    corpus: &'a Corpus,
    surprise: &'a Surprise,
    vocabulary: &'a Vocabulary,
    aligned: Aligned,
    bits: Vec<i32>,
}

impl Measure<'_> {
    /// Measures a text of an author (or of any of its authors, who are then left out) with others. `read`: whether these texts were learnt from.
    fn text(&mut self, text: u32, partners: &[u32], author: Option<u32>, read: bool) -> Measured {
        let corpus = self.corpus;
        let without = if read {
            let mut texts = partners.to_vec();
            texts.push(text);
            texts.sort_unstable();
            texts.dedup();
            Without::texts(corpus, text, &texts)
        } else {
            Without::default()
        };
        self.surprise.bits(corpus, text, &without, &mut self.bits);
        let words = corpus.words(text);
        let first =
            [author.unwrap_or_else(|| corpus.authors(text).first().copied().unwrap_or_default())];
        let mut shares: Vec<(std::cmp::Reverse<i32>, u32, u32)> = Vec::new();
        for &other in partners {
            let shared = self.aligned.shared(words, &self.bits, corpus.words(other));
            let authors = corpus.authors(other).iter();
            let others = authors.filter(|author| **author != first[0]).take(RANKS);
            shares.extend(others.map(|author| (std::cmp::Reverse(shared), other, *author)));
        }
        shares.sort_unstable();
        let mut measured = Measured {
            text,
            voices: 1,
            told: self.bits.iter().map(|bits| i64::from(*bits)).sum(),
            words: words.len() as u32,
            telling: self.bits.iter().filter(|bits| **bits >= TELLING).count() as u32,
            with: [text; RANKS],
            ..Measured::default()
        };
        let (mut seen, mut together) = (Vec::with_capacity(RANKS), vec![text]);
        for (share, other, author) in shares {
            if seen.len() == RANKS || seen.contains(&author) {
                continue;
            }
            let rank = seen.len();
            seen.push(author);
            measured.shared[rank] = share.0;
            measured.with[rank] = other;
            together.push(other);
            measured.missing[rank] = self.missing(&together);
        }
        measured
    }

    /// Different words that some texts lack of what so many words hold.
    fn missing(&self, texts: &[u32]) -> f64 {
        let (all, kinds) = different(self.corpus, texts);
        let question = self.corpus.question(texts[0]);
        let missing = self.vocabulary.expected(question, all) - kinds as f64;
        (missing * 1024.0).round() / 1024.0
    }
}

/// Measures groups, and texts in none. None if it was stopped.
#[must_use]
pub fn measure(
    crew: &Crew<'_>,
    corpus: &Corpus,
    rarity: &Rarity,
    groups: &[Asked],
) -> Option<Outcome> {
    let mut kept_out = vec![false; corpus.len()];
    for group in groups.iter().filter(|group| group.kept_out) {
        for text in texts_of(corpus, &group.rows) {
            kept_out[text as usize] = true;
        }
    }
    let surprise = Surprise::of(crew, corpus, &kept_out)?;
    let vocabulary = Vocabulary::of(corpus, &kept_out);
    let new = || Measure {
        corpus,
        surprise: &surprise,
        vocabulary: &vocabulary,
        aligned: Aligned::default(),
        bits: Vec::new(),
    };
    let mut null: Vec<u32> = (0..corpus.len() as u32)
        .filter(|text| !kept_out[*text as usize])
        .collect();
    let null_texts = null.len();
    null.truncate(NULL);
    let search = Search {
        leaders: LEADERS,
        keep: 2 * PARTNERS,
        by: By::Shared,
        left_out: Some(&kept_out),
    };
    let near = nearest(crew, corpus, rarity, &null, &search)?;
    const BLOCK: usize = 32;
    let hand = || (new(), Vec::new());
    let hands = crew.share(
        "measuring",
        null.len().div_ceil(BLOCK),
        hand,
        |(measure, done), block| {
            for at in block * BLOCK..null.len().min((block + 1) * BLOCK) {
                let text = null[at];
                let author = corpus.authors(text).first().copied();
                let foreign = |other: &u32| {
                    corpus
                        .authors(*other)
                        .iter()
                        .any(|one| Some(*one) != author)
                };
                let others = std::iter::once(text).chain(near[at].iter().map(|near| near.text));
                let partners: Vec<u32> = others.filter(foreign).take(PARTNERS).collect();
                let mut measured = measure.text(text, &partners, author, true);
                measured.voices = corpus.authors(text).len() as u32;
                done.push((at, measured));
            }
        },
    )?;
    let mut found: Vec<(usize, Measured)> = hands.into_iter().flat_map(|(_, done)| done).collect();
    found.sort_unstable_by_key(|one| one.0);
    let hand = || (new(), Vec::new());
    let hands = crew.share("groups", groups.len(), hand, |(measure, done), at| {
        done.push((at, members(measure, rarity, &groups[at])));
    })?;
    let mut of_groups: Vec<(usize, Vec<Measured>)> =
        hands.into_iter().flat_map(|(_, done)| done).collect();
    of_groups.sort_unstable_by_key(|one| one.0);
    Some(Outcome {
        null: found.into_iter().map(|one| one.1).collect(),
        null_texts,
        groups: of_groups.into_iter().map(|one| one.1).collect(),
    })
}

/// The texts of some rows, ascending.
#[must_use]
pub fn texts_of(corpus: &Corpus, rows: &[u32]) -> Vec<u32> {
    let texts = rows.iter().filter_map(|row| corpus.text.get(*row as usize));
    let mut texts: Vec<u32> = texts
        .copied()
        .filter(|text| *text != super::words::NO_TEXT)
        .collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// The voices of a group that are looked at, by their first rows, each with its texts there.
#[must_use]
pub fn voices_of(corpus: &Corpus, rows: &[u32], most: usize) -> Vec<(u32, Vec<u32>)> {
    let mut place = std::collections::HashMap::new();
    let mut voices: Vec<(u32, Vec<u32>)> = Vec::new();
    for row in rows {
        let (author, text) = (
            corpus.facts.author[*row as usize],
            corpus.text[*row as usize],
        );
        if text == super::words::NO_TEXT {
            continue;
        }
        let at = *place.entry(author).or_insert(voices.len());
        match voices.get_mut(at) {
            Some((_, texts)) if texts.len() < BY_ONE && !texts.contains(&text) => texts.push(text),
            Some(_) => {}
            None if at < most => voices.push((author, vec![text])),
            None => {
                place.remove(&author);
            }
        }
    }
    voices
}

/// A text for each voice that is looked at: the one that shares most.
fn members(measure: &mut Measure<'_>, rarity: &Rarity, group: &Asked) -> Vec<Measured> {
    let corpus = measure.corpus;
    let texts = texts_of(corpus, &group.rows);
    let among = &texts[..texts.len().min(AMONG)];
    let mut all = Vec::new();
    for (author, own) in voices_of(corpus, &group.rows, MEMBERS) {
        let measured = own.iter().map(|text| {
            let foreign = |other: &&u32| corpus.authors(**other).iter().any(|one| *one != author);
            let mut near: Vec<(std::cmp::Reverse<u64>, u32)> = among
                .iter()
                .filter(foreign)
                .map(|other| (std::cmp::Reverse(rarity.shared(*text, *other)), *other))
                .collect();
            if !among.contains(text) && corpus.authors(*text).len() > 1 {
                near.push((std::cmp::Reverse(u64::MAX), *text));
            }
            near.sort_unstable();
            let partners: Vec<u32> = near.iter().take(PARTNERS).map(|near| near.1).collect();
            measure.text(*text, &partners, Some(author), !group.kept_out)
        });
        all.extend(measured.max_by_key(|one| (one.shared, std::cmp::Reverse(one.text))));
    }
    all
}
