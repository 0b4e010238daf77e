//! How many voices of each group use a run of words?
//!
//! Runs of two and three words are counted only where their parts are frequent enough (the a-priori principle, Agrawal and Srikant, VLDB 1994): whoever uses a
//! run uses its parts. A run may be a keyword of a group of N voices that at least max(2, ⌈N/50⌉) use if it is one word, max(2, ⌈N/20⌉) if it has more; in groups of fewer than five, one
//! voice is enough for a word, and in a group of one for any run.
//! Memory: for the group that is being counted, its words and the runs of frequent ones, about 40 bytes each; of all groups, the candidates, about 60 bytes each.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::reading::Corpus;
use super::runs::{Run, Runs};
use crate::neardup::crew::Crew;
use crate::text::hash::mum;

/// Voices from which on a group is a theme.
pub(super) const THEME: u32 = 5;

/// Runs for which a tally keeps its room from one group to the next.
const ROOM: usize = 1 << 10;

/// The rows of each group, one voice after the other.
pub(super) struct Groups {
    rows: Vec<u32>,
    starts: Vec<usize>,
    voice: Vec<u32>,
    /// How many voices each has.
    pub(super) voices: Vec<u32>,
}

impl Groups {
    pub(super) fn of(group: &[u32], voice: &[u32], groups: usize) -> Self {
        let mut order: Vec<(u32, u32, u32)> = group
            .iter()
            .zip(voice)
            .zip(0..)
            .filter(|((group, _), _)| (**group as usize) < groups)
            .map(|((group, voice), row)| (*group, *voice, row))
            .collect();
        order.sort_unstable();
        let (mut starts, mut voices) = (vec![0; groups + 1], vec![0; groups]);
        let mut before = None;
        for &(group, voice, _) in &order {
            if let Some(end) = starts.get_mut(group as usize + 1) {
                *end += 1;
            }
            if let (true, Some(count)) = (
                before != Some((group, voice)),
                voices.get_mut(group as usize),
            ) {
                *count += 1;
            }
            before = Some((group, voice));
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        Self {
            rows: order.iter().map(|(.., row)| *row).collect(),
            voice: order.iter().map(|(_, voice, _)| *voice).collect(),
            starts,
            voices,
        }
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.voices.len()
    }

    /// The rows of a group, with their voices.
    pub(super) fn members(&self, group: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        let range = match self.starts.get(group..group + 2) {
            Some([start, end]) => *start..*end,
            _ => 0..0,
        };
        let rows = self.rows.get(range.clone()).unwrap_or_default();
        let voice = self.voice.get(range).unwrap_or_default();
        rows.iter()
            .zip(voice)
            .map(|(row, voice)| (*row as usize, *voice))
    }

    /// The group's row, if it has but one.
    pub(super) fn only(&self, group: usize) -> Option<usize> {
        let mut members = self.members(group);
        members
            .next()
            .filter(|_| members.next().is_none())
            .map(|(row, _)| row)
    }
}

/// A run that may be a keyword of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) run: Run,
    /// n(t, c).
    pub(super) voices: u32,
    /// f(t).
    pub(super) everywhere: u32,
}

/// What was counted.
pub(super) struct Counts {
    /// Each group's candidates, in no particular order.
    pub(super) candidates: Vec<Vec<Candidate>>,
    /// A, as a fraction.
    pub(super) average: (u64, u64),
}

/// A hash of three numbers, with what the reader of texts uses.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut chunk = [0; 8];
            for (to, from) in chunk.iter_mut().zip(part) {
                *to = *from;
            }
            self.write_u64(u64::from_le_bytes(chunk));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mum(
            self.0 ^ number ^ 0x9e37_79b9_7f4a_7c15,
            0xd6e8_feb8_6659_fd93,
        );
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Something of each run.
pub(super) type ByRun<T> = HashMap<Run, T, BuildHasherDefault<Mix>>;

/// How many voices of one group use each run: where it may be a keyword, and anywhere.
#[derive(Default)]
struct Tally(ByRun<Count>);

#[derive(Clone, Copy, Default)]
struct Count {
    whole: u32,
    anywhere: u32,
    /// The voices that were counted last, and one.
    last_whole: u64,
    last: u64,
}

impl Tally {
    /// Forgets all. The room of a large group is given back: to pass over it would take as long for each of the many small ones that follow.
    fn clear(&mut self) {
        if self.0.capacity() > ROOM {
            self.0 = ByRun::default();
        }
        self.0.clear();
    }

    fn add(&mut self, run: Run, whole: bool, voice: u32) {
        let count = self.0.entry(run).or_default();
        let mark = u64::from(voice) + 1;
        if count.last != mark {
            count.last = mark;
            count.anywhere += 1;
        }
        if whole && count.last_whole != mark {
            count.last_whole = mark;
            count.whole += 1;
        }
    }

    fn frequent(&self, run: Run, least: u32) -> bool {
        self.0
            .get(&run)
            .is_some_and(|count| count.anywhere >= least)
    }

    fn candidates(&self, least: u32) -> impl Iterator<Item = Candidate> + '_ {
        let enough = self.0.iter().filter(move |(_, count)| count.whole >= least);
        enough.map(|(run, count)| Candidate {
            run: *run,
            voices: count.whole,
            everywhere: 0,
        })
    }
}

/// What a thread counts.
struct Part {
    /// f(w) of single words, by key.
    everywhere: Vec<u32>,
    /// Groups, their candidates, and the sum of n(w, c) over their words.
    groups: Vec<(usize, Vec<Candidate>, u64)>,
    runs: Runs,
    tallies: [Tally; 3],
}

/// Counts all groups; None if the watcher stopped it.
pub(super) fn count(crew: &Crew<'_>, corpus: &Corpus, groups: &Groups) -> Option<Counts> {
    let keys = corpus.names.len();
    let parts = crew.share(
        "counting",
        groups.len(),
        || Part {
            everywhere: vec![0; keys],
            groups: Vec::new(),
            runs: Runs::default(),
            tallies: Default::default(),
        },
        |part, group| part.count(corpus, groups, group),
    )?;
    let mut everywhere = vec![0; keys];
    let mut candidates = vec![Vec::new(); groups.len()];
    let mut sums = vec![0; groups.len()];
    for part in parts {
        for (total, count) in everywhere.iter_mut().zip(part.everywhere) {
            *total += count;
        }
        for (group, found, sum) in part.groups {
            if let (Some(place), Some(total)) = (candidates.get_mut(group), sums.get_mut(group)) {
                *place = found;
                *total = sum;
            }
        }
    }
    let longer = longer(crew, corpus, groups, &candidates)?;
    for candidate in candidates.iter_mut().flatten() {
        candidate.everywhere = match candidate.run.keys() {
            [key] => everywhere.get(*key as usize).copied().unwrap_or_default(),
            _ => longer.get(&candidate.run).copied().unwrap_or_default(),
        };
    }
    Some(Counts {
        candidates,
        average: average(&groups.voices, &sums),
    })
}

impl Part {
    fn count(&mut self, corpus: &Corpus, groups: &Groups, group: usize) {
        let voices = groups.voices.get(group).copied().unwrap_or_default();
        let (least, least_longer) = least(voices);
        for words in 1..=3 {
            let (shorter, rest) = self.tallies.split_at_mut(words - 1);
            let (shorter, Some(tally)) = (shorter.last(), rest.first_mut()) else {
                continue;
            };
            tally.clear();
            for (row, voice) in groups.members(group) {
                self.runs.read(corpus, row);
                self.runs.each(words, |place| {
                    let frequent = |part| shorter.is_some_and(|t| t.frequent(part, least_longer));
                    if words == 1 || place.run.parts().into_iter().all(frequent) {
                        tally.add(place.run, place.whole, voice);
                    }
                });
            }
        }
        let [words, pairs, triples] = &self.tallies;
        let mut sum = 0;
        for (run, count) in &words.0 {
            if let Some(total) = run
                .keys()
                .first()
                .and_then(|key| self.everywhere.get_mut(*key as usize))
            {
                *total += count.whole;
                sum += u64::from(count.whole);
            }
        }
        let longer = pairs
            .candidates(least_longer)
            .chain(triples.candidates(least_longer));
        let found = words.candidates(least).chain(longer).collect();
        self.groups.push((group, found, sum));
    }
}

/// How many voices of a group must use a word, and a longer run.
fn least(voices: u32) -> (u32, u32) {
    let word = if voices < THEME {
        1
    } else {
        voices.div_ceil(50).max(2)
    };
    let longer = if voices < 2 {
        1
    } else {
        voices.div_ceil(20).max(2)
    };
    (word, longer)
}

fn average(voices: &[u32], sums: &[u64]) -> (u64, u64) {
    let of = |least: u32| {
        let large = voices
            .iter()
            .zip(sums)
            .filter(move |(voices, _)| **voices >= least);
        large.fold((0, 0), |(sum, count), (_, more)| (sum + more, count + 1))
    };
    let (sum, count) = match of(THEME) {
        (_, 0) => of(1),
        themes => themes,
    };
    (sum.max(1), count.max(1))
}

/// f(t) of the candidates of two and three words, from another pass over all texts.
fn longer(
    crew: &Crew<'_>,
    corpus: &Corpus,
    groups: &Groups,
    candidates: &[Vec<Candidate>],
) -> Option<ByRun<u32>> {
    let mut numbers: ByRun<u32> = ByRun::default();
    for candidate in candidates.iter().flatten() {
        let next = numbers.len() as u32;
        if candidate.run.keys().len() > 1 {
            numbers.entry(candidate.run).or_insert(next);
        }
    }
    let new = || (vec![(0u64, 0u32); numbers.len()], Runs::default());
    let parts = crew.share("comparing", groups.len(), new, |(counts, runs), group| {
        for (row, voice) in groups.members(group) {
            let mark = ((group as u64) << 32 | u64::from(voice)).wrapping_add(1);
            runs.read(corpus, row);
            for words in [2, 3] {
                runs.each(words, |place| {
                    let number = numbers.get(&place.run).filter(|_| place.whole);
                    let count = number.and_then(|number| counts.get_mut(*number as usize));
                    if let Some((last, count)) = count.filter(|(last, _)| *last != mark) {
                        *last = mark;
                        *count += 1;
                    }
                });
            }
        }
    })?;
    for number in numbers.values_mut() {
        let at = *number as usize;
        let counts = parts.iter().filter_map(|(counts, _)| counts.get(at));
        *number = counts.map(|(_, count)| *count).sum();
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::{Run, Tally, ROOM};

    #[test]
    fn a_large_group_leaves_no_room_that_the_small_ones_would_have_to_pass_over() {
        let mut tally = Tally::default();
        for number in 0..10 * ROOM as u32 {
            tally.add(Run::of_keys([number, 1, 2]), true, 0);
        }
        tally.clear();
        assert!(tally.0.capacity() <= ROOM);
        assert_eq!(tally.candidates(1).count(), 0);
    }
}
