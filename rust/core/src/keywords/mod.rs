//! Which words say what a group of texts is about, and not what all texts are about?
//!
//! «klero-keywords/1», class-based TF-IDF (Grootendorst, BERTopic, arXiv 2203.05794, 2022), counted in voices rather than words: one person who writes a word fifty
//! times, in one text or in ten, uses it once. Symbols:
//!
//! - a *voice* is an author, or a text that names none; N_c voices speak in group c;
//! - a *run* is one to three words as [`reading`] cuts them; n(t, c) voices of group c use run t, and f(t) = Σ_c n(t, c);
//! - A is the mean over groups of 5 voices or more (of all groups, if there is none) of the sum of n(w, c) over single words w;
//! - the weight of t in c is n(t, c) · ⌊2²⁴ · log₂(1 + A / f(t))⌋, a whole number ([`weight`]).
//!
//! In a group, runs are taken by weight, and those left out that say again what is there ([`choosing`]). Each is shown as most wrote it ([`surfaces`]).
//!
//! Guarantees: counts are exact and weights whole numbers, so the result is a function of the set of (text, group, voice): no order of rows, thread or block
//! changes it. Runs are compared word for word, never by a hash. Not guaranteed: that a word means the same to all who use it; that the few words
//! say all.
//! Cost: each text is read twice and its words are passed over five times. Memory: 4 bytes a word, 8 bytes a different word and thread, and what [`counting`]
//! says of candidates. Nothing random.

mod choosing;
mod counting;
mod lists;
mod reading;
mod runs;
mod surfaces;
mod weight;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

pub use lists::{bits, Lists};
pub(crate) use reading::addresses;

use crate::neardup::crew::Crew;
use crate::neardup::Texts;
use counting::Groups;
use reading::Corpus;

/// The version of what is computed; any change of a result is a new one.
pub const ALGORITHM: &str = "klero-keywords/1";

/// A keyword of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// As most of the group wrote it.
    pub text: String,
    /// Its words, function words between them not counted.
    pub words: u8,
    /// n(t, c): voices of the group that use it.
    pub voices: u32,
    /// f(t): the sum of that over all groups.
    pub everywhere: u32,
}

/// The keywords of all groups, and what they were computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Each group's, weightiest first; none where no word is shared.
    pub keywords: Vec<Vec<Keyword>>,
    /// N_c.
    pub voices: Vec<u32>,
    /// A, as a fraction.
    pub average: (u64, u64),
    /// Texts read as French, as English, and those that show neither.
    pub languages: [u32; 3],
}

/// The words of each text that may be keywords: what each is counted under, and how it is first written, in the order of the text.
pub fn terms<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    lists: &Lists,
) -> Option<Vec<Vec<(String, String)>>> {
    let corpus = Corpus::read(crew, texts, lists)?;
    let (mut cutter, mut runs, mut scratch) = (
        reading::Cutter::new(lists),
        runs::Runs::default(),
        Vec::new(),
    );
    let mut all = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let mut words: Vec<(String, String)> = Vec::new();
        let mut seen = HashSet::new();
        texts.with(row as u32, &mut scratch, |text| {
            let text = String::from_utf8_lossy(text);
            cutter.cut(&text);
            runs.read(&corpus, row);
            runs.each(1, |place| {
                let key = place
                    .run
                    .keys()
                    .first()
                    .and_then(|key| corpus.names.get(*key as usize));
                let found = cutter.found.get(place.first);
                let written = found.and_then(|found| text.get(found.place.clone()));
                if let (true, Some(key), Some(written)) = (place.whole, key, written) {
                    if seen.insert(place.run) {
                        words.push((key.clone(), written.to_owned()));
                    }
                }
            });
        });
        all.push(words);
    }
    Some(all)
}

/// The keywords of `groups` groups, `top` at most in each.
///
/// `group` and `voice` hold a number for each text; voices are numbered below the number of texts. Rows beyond them, or of groups beyond `groups`, are passed over.
/// None if the watcher stopped it.
pub fn keywords<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    group: &[u32],
    voice: &[u32],
    groups: usize,
    lists: &Lists,
    top: usize,
) -> Option<Outcome> {
    let corpus = Corpus::read(crew, texts, lists)?;
    let groups = Groups::of(group, voice, groups);
    let counts = counting::count(crew, &corpus, &groups)?;
    let chosen = choosing::choose(crew, &corpus, &groups, &counts, top)?;
    let shown = surfaces::shown(crew, texts, lists, &corpus, group, &chosen)?;
    let keywords = chosen.iter().zip(shown).map(|(runs, texts)| {
        let keywords = runs.iter().zip(texts).map(|(run, text)| Keyword {
            text,
            words: run.run.words(),
            voices: run.voices,
            everywhere: run.everywhere,
        });
        keywords.collect()
    });
    Some(Outcome {
        keywords: keywords.collect(),
        voices: groups.voices,
        average: counts.average,
        languages: corpus.languages,
    })
}
