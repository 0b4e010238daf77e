//! Which of a group's runs are told, so that no two say the same?
//!
//! By weight, then the longer one, then (where a group is one text) the one that comes first in it, then by its words. A run is left out that a longer one holds, unless at
//! least twice as many voices use it; a longer one takes the place of those that it holds if more than half of each one's voices use it, and is left out
//! if not; two keywords share at most one word, no word is in more than two, and two words that differ in an ending alone («vacciner», «vacciné») are one. Of what one
//! single voice in several says, at most half of the list is made.

use super::counting::{ByRun, Candidate, Counts, Groups};
use super::reading::Corpus;
use super::runs::{Run, Runs};
use super::weight::weight;
use crate::neardup::crew::Crew;

/// Voices in all that use a run of several words that tells of one text: a phrase that others use too.
const KNOWN: u32 = 3;

/// The keywords of each group, at most `top`.
pub(super) fn choose(
    crew: &Crew<'_>,
    corpus: &Corpus,
    groups: &Groups,
    counts: &Counts,
    top: usize,
) -> Option<Vec<Vec<Candidate>>> {
    let parts = crew.share(
        "choosing",
        groups.len(),
        || (Vec::new(), Runs::default()),
        |(chosen, runs), group| {
            let voices = groups.voices.get(group).copied().unwrap_or_default();
            let candidates = counts.candidates.get(group).map_or(&[][..], Vec::as_slice);
            let places = match groups.only(group) {
                Some(row) => first_places(corpus, runs, row),
                None => ByRun::default(),
            };
            let mut ordered: Vec<_> = candidates
                .iter()
                .filter(|c| c.run.words() == 1 || voices > 1 || c.everywhere >= KNOWN)
                .map(|c| {
                    let weight = weight(c.voices, c.everywhere, counts.average);
                    let place = places.get(&c.run).copied().unwrap_or_default();
                    ((std::cmp::Reverse((weight, c.run.words())), place), *c)
                })
                .collect();
            ordered.sort_unstable_by(|(a, one), (b, other)| {
                let names = |c: &Candidate| {
                    c.run
                        .keys()
                        .iter()
                        .map(|key| name(corpus, *key))
                        .collect::<Vec<_>>()
                };
                a.cmp(b).then_with(|| names(one).cmp(&names(other)))
            });
            let ordered = ordered.into_iter().map(|(_, candidate)| candidate);
            chosen.push((group, folded(corpus, ordered, top, voices)));
        },
    )?;
    let mut all = vec![Vec::new(); groups.len()];
    for (group, chosen) in parts.into_iter().flat_map(|(chosen, _)| chosen) {
        if let Some(place) = all.get_mut(group) {
            *place = chosen;
        }
    }
    Some(all)
}

fn name(corpus: &Corpus, key: u32) -> &str {
    corpus.names.get(key as usize).map_or("", String::as_str)
}

/// Where in a row each run comes first.
fn first_places(corpus: &Corpus, runs: &mut Runs, row: usize) -> ByRun<usize> {
    let mut places = ByRun::default();
    runs.read(corpus, row);
    for words in 1..=3 {
        runs.each(words, |place| {
            if place.whole {
                places.entry(place.run).or_insert(place.first);
            }
        });
    }
    places
}

fn folded(
    corpus: &Corpus,
    ordered: impl Iterator<Item = Candidate>,
    top: usize,
    voices: u32,
) -> Vec<Candidate> {
    let mut chosen: Vec<Candidate> = Vec::with_capacity(top);
    for new in ordered {
        let (inner, others): (Vec<_>, Vec<_>) = chosen
            .iter()
            .copied()
            .partition(|old| within(&old.run, &new.run));
        if let Some(first) = inner.first() {
            let most = |old: &Candidate| u64::from(new.voices) * 2 > u64::from(old.voices);
            if inner.iter().all(most) && fits(corpus, &new, &others) {
                let first = first.run;
                chosen.retain(|old| old.run == first || !within(&old.run, &new.run));
                for old in chosen.iter_mut().filter(|old| old.run == first) {
                    *old = new;
                }
            }
        } else {
            let room = if voices == 1 || new.voices > 1 {
                top
            } else {
                top.div_ceil(2)
            };
            if chosen.len() < room && fits(corpus, &new, &chosen) {
                chosen.push(new);
            }
        }
    }
    chosen
}

fn within(short: &Run, long: &Run) -> bool {
    let (short, long) = (short.keys(), long.keys());
    !short.is_empty() && long.windows(short.len()).any(|part| part == short)
}

/// Whether a run tells something beside those that are there.
fn fits(corpus: &Corpus, new: &Candidate, chosen: &[Candidate]) -> bool {
    let mut words = new.run.keys().to_vec();
    words.sort_unstable();
    words.dedup();
    let apart = chosen.iter().all(|old| {
        let said = within(&new.run, &old.run) && u64::from(new.voices) < u64::from(old.voices) * 2;
        let shared = words
            .iter()
            .filter(|word| old.run.keys().contains(word))
            .count();
        let akin = match (new.run.keys(), old.run.keys()) {
            ([one], [other]) => akin(name(corpus, *one), name(corpus, *other)),
            _ => false,
        };
        !said && shared < 2 && !akin
    });
    let uses = |word: &u32| {
        chosen
            .iter()
            .filter(|old| old.run.keys().contains(word))
            .count()
    };
    apart && words.iter().all(|word| uses(word) < 2)
}

/// Whether two words begin alike and differ in an ending.
fn akin(one: &str, other: &str) -> bool {
    let same = one
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let rest = one.chars().count().max(other.chars().count()) - same;
    same >= 4 && rest <= if same == 4 { 2 } else { 3 }
}

#[cfg(test)]
mod tests {
    use super::akin;

    #[test]
    fn an_ending_makes_no_other_word() {
        assert!(
            akin("vacciner", "vaccine") && akin("test", "teste") && akin("televote", "televote")
        );
        assert!(
            !akin("commun", "communication") && !akin("car", "carte") && !akin("mail", "mailing")
        );
    }
}
