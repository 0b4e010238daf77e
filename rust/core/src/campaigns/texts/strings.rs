//! Which words and runs do the members of a group share, and nobody else, or hardly anybody?
//!
//! A rare error, a rare name, or a sentence that several people wrote alike, and that stands nowhere else, is what a person believes sooner than a number.
//! Runs of one, three and six words that several voices of the group have are looked up in all texts; those that fewest others have come first, then those
//! that most members have, then the longer; a run that shares a word place with one that was told before it is left out.
//!
//! Cost: one pass over all texts, with a look-up a run. Guarantees: voices are counted exactly among the members that are looked at and among all others,
//! up to collisions of 64-bit hashes.

use std::cmp::Reverse;

use super::measure::{texts_of, voices_of, MEMBERS};
use super::words::Corpus;
use crate::neardup::crew::Crew;
use crate::text::hash::mum;

/// Lengths of runs, in words.
const LENGTHS: [usize; 3] = [1, 3, 6];
/// Voices of the group that have it, at least; and one in so many.
const LEAST: (u32, u32) = (3, 10);
/// A lone word that more others have than so many for each member is no rare one.
const SPREAD: u32 = 2;
/// Runs of a group that are looked up.
const LOOKED_UP: usize = 2048;
/// Runs that are told.
pub const TOLD: usize = 12;

/// A shared string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared {
    /// A contribution that has it.
    pub row: u32,
    /// Its first word there.
    pub first: u32,
    /// Its words.
    pub words: u32,
    /// Voices of the group, among those looked at, that have it.
    pub members: u32,
    /// Voices outside that have it.
    pub others: u32,
}

/// A run that is looked up.
#[derive(Clone, Copy)]
struct Run {
    hash: u64,
    group: u32,
    text: u32,
    first: u32,
    words: u32,
    members: u32,
    others: u32,
}

/// A run's hash.
fn hash(words: &[u32]) -> u64 {
    let start = 0x9e37_79b9_7f4a_7c15 ^ words.len() as u64;
    words.iter().fold(start, |hash, word| {
        mum(hash ^ u64::from(*word), 0xa54f_f53a_5f1d_36f1)
    })
}

/// The runs of a text: hash, first word, number of words.
fn runs<'a>(corpus: &'a Corpus, text: u32) -> impl Iterator<Item = (u64, u32, u32)> + 'a {
    let words = corpus.words(text);
    LENGTHS.iter().flat_map(move |length| {
        let windows = words.windows(*length).enumerate();
        windows
            .filter(|(_, run)| run.len() > 1 || !corpus.address[run[0] as usize])
            .map(|(at, run)| (hash(run), at as u32, *length as u32))
    })
}

/// What several voices of a group have.
fn shared_in(corpus: &Corpus, number: u32, rows: &[u32], spread: &[u32]) -> Vec<Run> {
    let voices = voices_of(corpus, rows, MEMBERS);
    let mut all: Vec<(u64, u32, u32, u32, u32)> = Vec::new();
    for (author, texts) in &voices {
        for text in texts {
            all.extend(
                runs(corpus, *text)
                    .map(|(hash, first, words)| (hash, *author, *text, first, words)),
            );
        }
    }
    all.sort_unstable();
    let least = LEAST.0.max(voices.len() as u32 / LEAST.1);
    let mut kept: Vec<Run> = all
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|same| {
            let members = same.chunk_by(|a, b| a.1 == b.1).count() as u32;
            let (hash, _, text, first, words) = *same.first()?;
            let word = *corpus.words(text).get(first as usize)?;
            let rare = words > 1 || spread[word as usize] <= members.saturating_mul(1 + SPREAD);
            (members >= least && rare).then_some(Run {
                hash,
                group: number,
                text,
                first,
                words,
                members,
                others: 0,
            })
        })
        .collect();
    kept.sort_unstable_by_key(|run| {
        (
            Reverse(run.members),
            Reverse(run.words),
            run.text,
            run.first,
        )
    });
    kept.truncate(LOOKED_UP);
    kept
}

/// Counts the voices outside the groups that have each run. None if it was stopped.
fn count_others(
    crew: &Crew<'_>,
    corpus: &Corpus,
    members: &[Vec<u32>],
    found: &mut [Run],
) -> Option<()> {
    const BLOCK: usize = 512;
    found.sort_unstable_by_key(|run| (run.hash, run.group));
    // One bit for each low part of a hash: most runs of most texts are turned away by it.
    const BITS: usize = 1 << 20;
    let mut there = vec![0u64; BITS / 64];
    let bit = |hash: u64| (hash as usize % BITS / 64, 1u64 << (hash % 64));
    for run in found.iter() {
        let (at, bit) = bit(run.hash);
        there[at] |= bit;
    }
    let looked_up = &*found;
    let hands = crew.share(
        "strings",
        corpus.len().div_ceil(BLOCK),
        Vec::new,
        |hits, block| {
            for text in block * BLOCK..corpus.len().min((block + 1) * BLOCK) {
                let text = text as u32;
                for (hash, ..) in runs(corpus, text) {
                    let (at, bit) = bit(hash);
                    if there[at] & bit == 0 {
                        continue;
                    }
                    let first = looked_up.partition_point(|run| run.hash < hash);
                    for (place, run) in looked_up.iter().enumerate().skip(first) {
                        if run.hash != hash {
                            break;
                        }
                        if members[run.group as usize].binary_search(&text).is_err() {
                            hits.extend(
                                corpus
                                    .authors(text)
                                    .iter()
                                    .map(|author| (place as u32, *author)),
                            );
                        }
                    }
                }
            }
        },
    )?;
    let mut hits: Vec<(u32, u32)> = hands.concat();
    hits.sort_unstable();
    hits.dedup();
    for same in hits.chunk_by(|a, b| a.0 == b.0) {
        if let Some(run) = found.get_mut(same[0].0 as usize) {
            run.others = same.len() as u32;
        }
    }
    Some(())
}

/// The rarest strings of each group. None if it was stopped.
#[must_use]
pub fn strings(crew: &Crew<'_>, corpus: &Corpus, groups: &[Vec<u32>]) -> Option<Vec<Vec<Shared>>> {
    let mut spread = vec![0u32; corpus.names.len()];
    for text in 0..corpus.len() as u32 {
        let mut words = corpus.words(text).to_vec();
        words.sort_unstable();
        words.dedup();
        let times = corpus.authors(text).len() as u32;
        words
            .iter()
            .for_each(|word| spread[*word as usize] += times);
    }
    let members: Vec<Vec<u32>> = groups.iter().map(|rows| texts_of(corpus, rows)).collect();
    let hands = crew.share("strings", groups.len(), Vec::new, |found, at| {
        found.extend(shared_in(corpus, at as u32, &groups[at], &spread));
    })?;
    let mut found: Vec<Run> = hands.concat();
    count_others(crew, corpus, &members, &mut found)?;
    found.sort_unstable_by_key(|run| {
        (
            run.group,
            run.others,
            Reverse(run.members),
            Reverse(run.words),
            run.text,
            run.first,
        )
    });
    let mut told: Vec<Vec<Shared>> = vec![Vec::new(); groups.len()];
    for same in found.chunk_by(|a, b| a.group == b.group) {
        let list = &mut told[same[0].group as usize];
        let mut said: Vec<&[u32]> = Vec::new();
        for run in same {
            let words =
                &corpus.words(run.text)[run.first as usize..(run.first + run.words) as usize];
            let again = |other: &&[u32]| words.iter().any(|word| other.contains(word));
            if list.len() < TOLD && !said.iter().any(again) {
                said.push(words);
                list.push(Shared {
                    row: corpus.rows(run.text).first().copied().unwrap_or_default(),
                    first: run.first,
                    words: run.words,
                    members: run.members,
                    others: run.others,
                });
            }
        }
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::corpus;
    use super::*;
    use crate::neardup::crew::Stop;

    #[test]
    fn what_members_share_and_nobody_else_comes_first() {
        let texts = [
            ("nous exigeons un parque fleuri", 0),
            ("voila un parque pour tous", 1),
            ("je voudrais un parque ombrage", 2),
            ("le chat dort", 3),
            ("un chien dort", 4),
        ];
        let corpus = corpus(&texts);
        let stop = Stop::new();
        let crew = Crew {
            threads: 2,
            watch: &|_, _| true,
            stop: &stop,
        };
        let told = strings(&crew, &corpus, &[vec![0, 1, 2], vec![3, 4]]).unwrap_or_default();
        let parque = Shared {
            row: 0,
            first: 3,
            words: 1,
            members: 3,
            others: 0,
        };
        assert_eq!(told[0].first(), Some(&parque));
        // «un» is in the group three times, and once outside.
        assert_eq!(told[0][1].others, 1);
        assert!(told[1].is_empty());
    }
}
