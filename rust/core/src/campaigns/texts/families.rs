//! Which texts come from one family of letters?
//!
//! A chain of texts, each like the next, is no family: its ends share nothing. So a family grows from a *tight core*, a text and its nearest, by what most
//! of it has in common. The *frame* is what a tenth of the family's voices share (two at least); a text belongs to it if the frame covers enough of what it
//! says, and it says enough of the frame. The frame is found anew from its members until nothing changes, so a letter whose nearest is a third one comes in
//! by the frame, and one that merely resembles one member does not. That is a star by its centre (as in Hartigan's leader, 1975), with reciprocity: text
//! and frame must both be much of each other.
//!
//! Voices are authors: whoever wrote a hundred variants weighs as much in the frame as who wrote one. Texts that say the opposite of the centre
//! ([`guard`](super::guard)), and short ones that were given the opposite stance, are set apart, and are a group of their own if enough people wrote them.
//!
//! Guarantees: whole numbers, ties by the number of the text, so the result depends on the texts alone. Cost: for a core, the texts that share its rarest
//! features; linear in a family's size, times [`ROUNDS`] at most.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::guard::Guard;
use super::join::{voices, Near};
use super::rarity::Rarity;
use super::words::Corpus;
use crate::neardup::crew::{Crew, Stop};

/// Likeness of neighbours that may be a core, in parts of 1000.
const CORE: u32 = 180;
/// Part of a text's weight that the frame covers, in parts of 1000.
const COVERED: u64 = 400;
/// What a member shares with the frame, at least, in parts of 1000 of what the median member shares.
const TYPICAL: u64 = 300;
/// A letter pasted into a longer text: so much of the typical share, and so much covered.
const PASTED: (u64, u64) = (600, 150);
/// The frame is what one voice in so many has.
const TENTH: u64 = 10;
/// The frame is found anew so often at most.
const ROUNDS: usize = 8;
/// Texts of at most so many words are parted by the stance that they were given. What is longer says itself what it wants: its words tell (and a wrong
/// stance must not part a letter from its copies).
const STANCE: usize = 10;
/// One voice, in the whole numbers that voices are parted by.
const VOICE: u64 = 5040;

/// A group of contributions found by their texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its contributions, ascending.
    pub rows: Vec<u32>,
    /// The contribution that stands for it.
    pub centre: u32,
    /// Number of authors.
    pub voices: usize,
    /// Whether all have the same words as they were written.
    pub copies: bool,
}

/// What grows.
struct Growth<'a> {
    corpus: &'a Corpus,
    rarity: &'a Rarity,
    least: usize,
    taken: Vec<bool>,
    /// By feature: voices that have it, while a frame is found; then whether it is in the frame.
    share: Vec<u64>,
    framed: Vec<bool>,
    /// By text.
    sums: Vec<u64>,
}

/// A frame: its features and their voices, and all voices.
struct Frame {
    features: Vec<(u32, u64)>,
    all: u64,
}

impl Growth<'_> {
    /// What each text counts: an author's voice is parted among that author's texts.
    fn weights(&self, texts: &[u32]) -> Vec<u64> {
        let mut written: HashMap<u32, u64> = HashMap::new();
        for author in texts.iter().flat_map(|text| self.corpus.authors(*text)) {
            *written.entry(*author).or_default() += 1;
        }
        let weight = |text: &u32| {
            let parts = self.corpus.authors(*text).iter();
            parts
                .map(|author| VOICE / written.get(author).copied().unwrap_or(1))
                .sum()
        };
        texts.iter().map(weight).collect()
    }

    /// What a tenth of the voices share, two at least.
    fn frame(&mut self, texts: &[u32]) -> Frame {
        let weights = self.weights(texts);
        let all: u64 = weights.iter().sum();
        let mut met = Vec::new();
        for (text, weight) in texts.iter().zip(&weights) {
            for feature in self.rarity.features(*text) {
                let share = &mut self.share[*feature as usize];
                if *share == 0 {
                    met.push(*feature);
                }
                *share += weight;
            }
        }
        let least = (2 * VOICE).max(all / TENTH);
        let mut features = Vec::new();
        for feature in met {
            let share = std::mem::take(&mut self.share[feature as usize]);
            if share >= least {
                features.push((feature, share));
            }
        }
        features.sort_unstable();
        Frame { features, all }
    }

    /// What a text shares with the frame that is marked.
    fn said(&self, text: u32) -> u64 {
        let features = self.rarity.features(text).iter();
        let framed = features.filter(|feature| self.framed[**feature as usize]);
        framed
            .map(|feature| u64::from(self.rarity.weight[*feature as usize]))
            .sum()
    }

    /// Whether the frame covers enough of a text that says `said` of it, where the typical member says `typical`.
    fn belongs(&self, text: u32, said: u64, typical: u64) -> bool {
        let whole = self.rarity.total[text as usize];
        (1000 * said >= COVERED * whole && 1000 * said >= TYPICAL * typical)
            || (1000 * said >= PASTED.0 * typical && 1000 * said >= PASTED.1 * whole)
    }

    /// What the median of some texts says of the frame.
    fn typical(&self, texts: &[u32]) -> u64 {
        let mut said: Vec<u64> = texts.iter().map(|text| self.said(*text)).collect();
        let middle = said.len() / 2;
        if said.is_empty() {
            0
        } else {
            *said.select_nth_unstable(middle).1
        }
    }

    /// Texts that share the frame's rarest features, those that share most of them first; not all, but more in each round.
    fn met(&mut self, frame: &Frame, members: usize) -> Vec<u32> {
        let mut rarest: Vec<(usize, u32)> = frame
            .features
            .iter()
            .map(|(feature, _)| (self.rarity.texts(*feature).len(), *feature))
            .collect();
        rarest.sort_unstable();
        let mut room = 4096 + 64 * members;
        let mut met = Vec::new();
        for (texts, feature) in rarest {
            if texts > room {
                break;
            }
            room -= texts;
            let weight = u64::from(self.rarity.weight[feature as usize]);
            for text in self.rarity.texts(feature) {
                if !self.taken[*text as usize] {
                    let sum = &mut self.sums[*text as usize];
                    if *sum == 0 {
                        met.push(*text);
                    }
                    *sum += weight;
                }
            }
        }
        let sums = &mut self.sums;
        let mut best: Vec<(Reverse<u64>, u32)> = met
            .into_iter()
            .map(|text| (Reverse(std::mem::take(&mut sums[text as usize])), text))
            .collect();
        let most = 64 + 8 * members;
        if best.len() > most {
            best.select_nth_unstable(most);
            best.truncate(most);
        }
        best.into_iter().map(|(_, text)| text).collect()
    }

    fn mark(&mut self, frame: &Frame, marked: bool) {
        for (feature, _) in &frame.features {
            self.framed[*feature as usize] = marked;
        }
    }

    /// The members of `texts`, and of what else the frame of `texts` meets if `wide`, that belong to that frame.
    fn round(&mut self, texts: &[u32], wide: bool) -> Vec<u32> {
        let frame = self.frame(texts);
        let mut pool = texts.to_vec();
        if wide {
            pool.extend(self.met(&frame, texts.len()));
            pool.sort_unstable();
            pool.dedup();
        }
        self.mark(&frame, true);
        let typical = self.typical(texts);
        pool.retain(|text| self.belongs(*text, self.said(*text), typical));
        self.mark(&frame, false);
        pool
    }

    /// The family around a core, if enough people wrote it.
    fn grow(&mut self, core: Vec<u32>) -> Option<Vec<u32>> {
        let enough = |growth: &Self, texts: &[u32]| {
            voices(growth.corpus, texts.iter().copied()) >= growth.least
        };
        let mut texts = self.round(&core, false);
        for _ in 0..ROUNDS {
            if !enough(self, &texts) {
                return None;
            }
            let next = self.round(&texts, true);
            if next == texts {
                break;
            }
            texts = next;
        }
        enough(self, &texts).then_some(texts)
    }

    /// The text that has most in common with the frame, by the share of both.
    fn centre(&mut self, texts: &[u32]) -> u32 {
        let frame = self.frame(texts);
        let weight = |feature: u32| u64::from(self.rarity.weight[feature as usize]);
        let whole: u64 = frame
            .features
            .iter()
            .map(|(f, share)| weight(*f) * share)
            .sum();
        for (feature, share) in &frame.features {
            self.share[*feature as usize] = *share;
        }
        let mut best: Option<(f64, u32)> = None;
        for text in texts {
            let features = self.rarity.features(*text).iter();
            let said: u64 = features.map(|f| weight(*f) * self.share[*f as usize]).sum();
            let both = whole + self.rarity.total[*text as usize] * frame.all;
            let score = said as f64 / both.saturating_sub(said).max(1) as f64;
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, *text));
            }
        }
        for (feature, _) in &frame.features {
            self.share[*feature as usize] = 0;
        }
        best.map_or(0, |(_, text)| text)
    }
}

/// A text and its neighbours that may be a core, and the likeness at which enough people are together.
fn core(corpus: &Corpus, text: u32, near: &[Near], least: usize) -> Option<(u32, Vec<u32>)> {
    let mut people: Vec<u32> = corpus.authors(text).to_vec();
    let (mut core, mut tight) = (vec![text], (people.len() >= least).then_some(1000));
    for near in near.iter().filter(|near| near.likeness >= CORE) {
        core.push(near.text);
        people.extend_from_slice(corpus.authors(near.text));
        people.sort_unstable();
        people.dedup();
        if people.len() >= least && tight.is_none() {
            tight = Some(near.likeness);
        }
    }
    tight.map(|tight| (tight, core))
}

/// The families among all texts, each with at least `least` authors. `near`: the nearest of each text. None if it was stopped.
#[must_use]
pub fn families(
    crew: &Crew<'_>,
    corpus: &Corpus,
    rarity: &Rarity,
    near: &[Vec<Near>],
    least: usize,
) -> Option<Vec<Group>> {
    // One family after the other: each takes its texts. A thread of its own, so that the watcher is asked meanwhile.
    let stop = crew.stop;
    let hands = crew.share("families", 1, Vec::new, |found, _| {
        *found = all(stop, corpus, rarity, near, least)
    })?;
    Some(hands.concat())
}

fn all(
    stop: &Stop,
    corpus: &Corpus,
    rarity: &Rarity,
    near: &[Vec<Near>],
    least: usize,
) -> Vec<Group> {
    let least = least.max(2);
    let features = rarity.weight.len();
    let mut growth = Growth {
        corpus,
        rarity,
        least,
        taken: vec![false; corpus.len()],
        share: vec![0; features],
        framed: vec![false; features],
        sums: vec![0; corpus.len()],
    };
    let mut guard = Guard::new(corpus);
    let mut seeds: Vec<(Reverse<u32>, u32)> = (0..corpus.len() as u32)
        .filter_map(|text| {
            let (tight, _) = core(corpus, text, &near[text as usize], least)?;
            Some((Reverse(tight), text))
        })
        .collect();
    seeds.sort_unstable();
    let mut groups = Vec::new();
    for (_, seed) in seeds {
        if stop.is_set() {
            break;
        }
        if growth.taken[seed as usize] {
            continue;
        }
        let Some((_, mut core)) = core(corpus, seed, &near[seed as usize], least) else {
            continue;
        };
        core.retain(|text| !growth.taken[*text as usize]);
        let Some(texts) = growth.grow(core) else {
            continue;
        };
        let centre = growth.centre(&texts);
        let agree = |text: &u32| !guard.opposed(corpus.words(*text), corpus.words(centre));
        let texts: Vec<u32> = texts.into_iter().filter(agree).collect();
        let found = by_stance(corpus, &texts, centre, least);
        if !found.is_empty() {
            texts
                .iter()
                .for_each(|text| growth.taken[*text as usize] = true);
            groups.extend(found);
        }
    }
    groups.sort_unstable_by(|a, b| a.rows.cmp(&b.rows));
    groups
}

/// The rows of a family, those of opposite stances apart; rows without a stance go with the more numerous.
fn by_stance(corpus: &Corpus, texts: &[u32], centre: u32, least: usize) -> Vec<Group> {
    let mut rows: Vec<u32> = texts
        .iter()
        .flat_map(|text| corpus.rows(*text))
        .copied()
        .collect();
    rows.sort_unstable();
    let people = |rows: &[u32]| {
        let mut authors: Vec<u32> = rows
            .iter()
            .map(|row| corpus.facts.author[*row as usize])
            .collect();
        authors.sort_unstable();
        authors.dedup();
        authors.len()
    };
    let of = |stance: i8| -> Vec<u32> {
        let with = |row: &&u32| corpus.facts.stance[**row as usize] == stance;
        rows.iter().filter(with).copied().collect()
    };
    let (against, pro) = (of(-1), of(1));
    let more: i8 = if people(&against) > people(&pro) {
        -1
    } else {
        1
    };
    let mut less = if more == 1 { against } else { pro };
    if corpus.words(centre).len() > STANCE {
        less.clear();
    }
    rows.retain(|row| less.binary_search(row).is_err());
    let made = |rows: Vec<u32>| {
        let voices = people(&rows);
        let first = *rows.first()?;
        let stands = rows
            .iter()
            .find(|row| corpus.text[**row as usize] == centre)
            .copied();
        let written = |row: &u32| corpus.written[*row as usize];
        let copies = rows.iter().all(|row| written(row) == written(&first));
        (voices >= least).then(|| Group {
            centre: stands.unwrap_or(first),
            rows,
            voices,
            copies,
        })
    };
    [made(rows), made(less)].into_iter().flatten().collect()
}
