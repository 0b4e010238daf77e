//! How is a run of words written? As most of the group wrote it.
//!
//! A sentence's first word has a capital whatever it means, so other places count first. If there are none in the group, and others elsewhere mostly write a
//! small letter, so does this. Among equally frequent ways: more often anywhere, fewer capitals, more letters with accents, the smaller text.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::counting::{ByRun, Candidate};
use super::lists::Lists;
use super::reading::{Corpus, Cutter, BLOCK};
use super::runs::Runs;
use crate::neardup::crew::Crew;
use crate::neardup::Texts;

/// How often something was written, and how often not at a sentence's beginning.
type Ways = HashMap<String, (u32, u32)>;

/// What a thread saw.
struct Part<'a> {
    cutter: Cutter<'a>,
    runs: Runs,
    scratch: Vec<u8>,
    /// By chosen run and group.
    ways: HashMap<(u32, u32), Ways>,
    /// By chosen run: with a small and a capital letter, not at a sentence's beginning.
    letters: Vec<(u32, u32)>,
}

/// The text of each chosen run.
pub(super) fn shown<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    lists: &Lists,
    corpus: &Corpus,
    group: &[u32],
    chosen: &[Vec<Candidate>],
) -> Option<Vec<Vec<String>>> {
    let mut numbers: ByRun<u32> = ByRun::default();
    let mut wanted: HashMap<(u32, u32), ()> = HashMap::new();
    for (group, runs) in (0..).zip(chosen) {
        for run in runs {
            let next = numbers.len() as u32;
            let number = *numbers.entry(run.run).or_insert(next);
            wanted.insert((number, group), ());
        }
    }
    let rows = texts.len();
    let new = || Part {
        cutter: Cutter::new(lists),
        runs: Runs::default(),
        scratch: Vec::new(),
        ways: HashMap::new(),
        letters: vec![(0, 0); numbers.len()],
    };
    let parts = crew.share("writing", rows.div_ceil(BLOCK), new, |part, block| {
        for row in block * BLOCK..rows.min((block + 1) * BLOCK) {
            let group = group.get(row).copied().unwrap_or(u32::MAX);
            let mut scratch = std::mem::take(&mut part.scratch);
            texts.with(row as u32, &mut scratch, |text| {
                let text = String::from_utf8_lossy(text);
                part.see(corpus, row, &text, &numbers, |number| {
                    wanted.contains_key(&(number, group)).then_some(group)
                });
            });
            part.scratch = scratch;
        }
    })?;
    let (mut ways, mut letters) = (
        HashMap::<(u32, u32), Ways>::new(),
        vec![(0, 0); numbers.len()],
    );
    for part in parts {
        for (place, seen) in part.ways {
            let all = ways.entry(place).or_default();
            for (text, (count, inside)) in seen {
                let total = all.entry(text).or_default();
                *total = (total.0 + count, total.1 + inside);
            }
        }
        for (total, (small, capital)) in letters.iter_mut().zip(part.letters) {
            *total = (total.0 + small, total.1 + capital);
        }
    }
    let of = |(group, runs): (u32, &Vec<Candidate>)| {
        let texts = runs.iter().map(|run| {
            let number = numbers.get(&run.run).copied().unwrap_or_default();
            let letters = letters.get(number as usize).copied().unwrap_or_default();
            best(ways.remove(&(number, group)).unwrap_or_default(), letters)
        });
        texts.collect()
    };
    Some((0..).zip(chosen).map(of).collect())
}

impl Part<'_> {
    fn see(
        &mut self,
        corpus: &Corpus,
        row: usize,
        text: &str,
        numbers: &ByRun<u32>,
        wanted: impl Fn(u32) -> Option<u32>,
    ) {
        self.runs.read(corpus, row);
        let (mut read, tokens) = (false, corpus.tokens(row));
        let (cutter, letters, ways) = (&mut self.cutter, &mut self.letters, &mut self.ways);
        for words in 1..=3 {
            self.runs.each(words, |place| {
                let Some(number) = numbers.get(&place.run).filter(|_| place.whole) else {
                    return;
                };
                // Most rows hold a chosen run of some group; the others need not be read again.
                if !read {
                    cutter.cut(text);
                    read = true;
                }
                let ends = (cutter.found.get(place.first), cutter.found.get(place.last));
                let (Some(first), Some(last)) = ends else {
                    return;
                };
                let written = text
                    .get(first.place.start..last.place.end)
                    .unwrap_or_default();
                let begins = tokens.get(place.first).is_some_and(|token| token.broken());
                if let (false, Some(letter), Some((small, capital))) = (
                    begins,
                    written.chars().next(),
                    letters.get_mut(*number as usize),
                ) {
                    *small += u32::from(letter.is_lowercase());
                    *capital += u32::from(letter.is_uppercase());
                }
                if let Some(group) = wanted(*number) {
                    let parts: Vec<&str> = written.split_whitespace().collect();
                    let seen = ways.entry((*number, group)).or_default();
                    let (count, inside) = seen.entry(parts.join(" ")).or_default();
                    *count += 1;
                    *inside += u32::from(!begins);
                }
            });
        }
    }
}

fn best(ways: Ways, (small, capital): (u32, u32)) -> String {
    let capitals = |text: &str| text.chars().filter(|c| c.is_uppercase()).count();
    let accents = |text: &str| text.chars().filter(|c| !c.is_ascii()).count();
    let found = ways.into_iter().min_by(|(a, one), (b, other)| {
        let rank = |text: &str, (count, inside): &(u32, u32)| {
            let often = Reverse((*inside, *count));
            (often, capitals(text), Reverse(accents(text)))
        };
        rank(a, one).cmp(&rank(b, other)).then_with(|| a.cmp(b))
    });
    let Some((text, (_, inside))) = found else {
        return String::new();
    };
    let mut letters = text.chars();
    let (first, second) = (letters.next(), letters.next());
    match first.filter(|c| c.is_uppercase() && inside == 0 && small > capital) {
        Some(first) if !second.is_some_and(char::is_uppercase) => {
            let rest = text.get(first.len_utf8()..).unwrap_or_default();
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => text,
    }
}
