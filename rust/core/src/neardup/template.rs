//! What is the letter that all these people sent, and what did each of them add?
//!
//! **The letter** of a group of m texts is made of the shingles that more than m/2 of them hold. A word of a member belongs to the letter if
//! such a shingle covers it, or if it is aligned ([`align`](super::align)) with a word of the *frame*: the words of the representative that
//! such shingles cover, or that more than m/2 of the members have at that place (a greeting before a name is in no shared shingle, and yet
//! part of the letter). All other words are a member's own. **Slots** are the places between two words of the frame where members put
//! words of their own. The design is that of star alignment to a medoid.
//!
//! Shingles that more than half hold are found in memory that does not grow with the group ([`frequent`](super::frequent)); a second pass
//! counts exactly, word for word.
//!
//! Guarantees: counts are exact, also where two shingles have one hash (they are kept apart); the result is a function of the texts in
//! their order, which decides only between fillers that are equally frequent (the first comes first).
//! Cost: three readings of each different text and two alignments to the representative: linear in the size of the group. Memory: the longest
//! text, the letter, and about 50 bytes for each distinct filler of a slot. Nothing random, one thread.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::align::{Aligner, Run};
use super::evidence::{check, segments, EvidenceError, Kind, Place, Placing, Span};
use super::frequent::{frequent, Copied, Copies};
use super::wording::{run_end, Dictionary, Words};
use crate::text::{hash, Reader, Reading};

/// Slots that are told; the least used of a longer list are only counted.
pub const MOST_SLOTS: usize = 500;
/// Fillers that are told of each slot.
pub const MOST_FILLERS: usize = 5;
/// Words of the letter that are told on each side of a slot.
const CONTEXT: usize = 3;

/// A group's letter: enough to say of any text which of its words are the letter's.
pub struct Letter {
    model: Model,
    shingles: Variants,
    /// Whether each word of the representative is in the frame.
    frame: Vec<bool>,
    /// Words of the frame before each word of the representative.
    rank: Vec<u32>,
}

/// What was counted in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of shingles of the letter.
    pub shingles: usize,
    /// Number of words of the representative that belong to the letter.
    pub frame: usize,
    /// Words of each member.
    pub words: Vec<u32>,
    /// Of them, its own.
    pub own: Vec<u32>,
    /// Places of the representative where members put words of their own, in the order of the text.
    pub slots: Vec<Slot>,
    /// Number of slots that are not told.
    pub slots_left_out: usize,
    /// Pairs of different frequent shingles with one hash.
    pub collisions: usize,
}

/// A place in the letter where members put words of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// In the representative: its own words there, perhaps none.
    pub place: Span,
    /// Words of the letter before it.
    pub before: Place,
    /// Words of the letter after it.
    pub after: Place,
    /// Members that put something there.
    pub members: usize,
    /// Number of different things.
    pub distinct: usize,
    /// The most frequent ones.
    pub fillers: Vec<Filler>,
}

/// What members put into a slot, as the first who did wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filler {
    /// How often it was put there.
    pub count: usize,
    /// The words, with what stands between them.
    pub text: String,
}

/// Counted shingles by hash: the words of each.
type Variants = HashMap<u64, Vec<Variant>>;

struct Variant {
    folded: Box<[u8]>,
    members: usize,
}

/// The representative, ready to be aligned with.
struct Model {
    shingle: u8,
    fold_accents: bool,
    words: Words,
    dictionary: Dictionary,
    /// Its shingles that stand once in it, sorted.
    once: Vec<(u64, u32)>,
}

/// Buffers for one member after the other.
struct Scratch {
    reader: Reader,
    words: Words,
    aligner: Aligner,
    anchors: Vec<(u32, u32)>,
}

impl Scratch {
    fn new(shingle: u8, fold_accents: bool) -> Self {
        Self {
            reader: Reader::new(Reading {
                shingle,
                fold_accents,
            }),
            words: Words::default(),
            aligner: Aligner::default(),
            anchors: Vec::new(),
        }
    }
}

impl Model {
    fn new(text: &str, shingle: u8, fold_accents: bool) -> Self {
        let (mut words, mut dictionary) = (Words::default(), Dictionary::default());
        let mut reader = Reader::new(Reading {
            shingle,
            fold_accents,
        });
        words.read(&mut reader, shingle, text, |word, hash| {
            dictionary.intern(word, hash)
        });
        let same = words.shingles().chunk_by(|x, y| x.0 == y.0);
        let once = same
            .filter(|run| run.len() == 1)
            .flatten()
            .copied()
            .collect();
        Self {
            shingle,
            fold_accents,
            words,
            dictionary,
            once,
        }
    }

    /// Reads a member, without aligning it.
    fn read(&self, scratch: &mut Scratch, text: &str) {
        let number = |word: &[u8], hash| self.dictionary.find(word, hash);
        scratch
            .words
            .read(&mut scratch.reader, self.shingle, text, number);
    }

    /// Aligns the member that was read with the representative: runs (a: member, b: representative).
    fn align<'s>(&self, scratch: &'s mut Scratch) -> (&'s Words, &'s [Run]) {
        let words = &scratch.words;
        let anchors = &mut scratch.anchors;
        anchors.clear();
        let mut at = 0;
        for run in words.shingles().chunk_by(|x, y| x.0 == y.0) {
            let [(hash, i)] = *run else { continue };
            at = seek(&self.once, at, hash);
            match self.once.get(at) {
                Some(&(same, j)) if same == hash && words.window(i) == self.words.window(j) => {
                    anchors.push((i, j));
                }
                _ => {}
            }
        }
        anchors.sort_unstable();
        let runs = scratch
            .aligner
            .align(&words.ids, &self.words.ids, anchors, words.shingle());
        (words, runs)
    }
}

/// The first entry from `from` whose hash is not lower, in a sorted list: in steps that double, so that a short text is looked up in a long
/// one in O(short · log long).
fn seek(list: &[(u64, u32)], from: usize, hash: u64) -> usize {
    let (mut low, mut step) = (from, 1);
    while list.get(low + step).is_some_and(|entry| entry.0 < hash) {
        low += step;
        step *= 2;
    }
    let high = (low + step + 1).min(list.len());
    low + list[low.min(high)..high].partition_point(|entry| entry.0 < hash)
}

impl Letter {
    /// The letter of a group, and what was counted; none if `alive` said no.
    ///
    /// # Errors
    /// The shingle is out of range, a text is too long, or there is no such representative.
    pub fn of<T: AsRef<str>>(
        texts: &[T],
        representative: usize,
        shingle: u8,
        fold_accents: bool,
        alive: &dyn Fn() -> bool,
    ) -> Result<Option<(Self, Tally)>, EvidenceError> {
        check(shingle, texts.iter().map(AsRef::as_ref))?;
        let Some(model_text) = texts.get(representative) else {
            return Err(EvidenceError::NoSuchText(representative));
        };
        let model = Model::new(model_text.as_ref(), shingle, fold_accents);
        let copies = Copies::of(texts);
        let mut scratch = Scratch::new(shingle, fold_accents);
        let Some(candidates) = frequent(&copies, &mut scratch.reader, alive) else {
            return Ok(None);
        };
        let candidates = candidates
            .into_iter()
            .map(|hash| (hash, Vec::new()))
            .collect();
        let Some((letter, collisions)) =
            Self::frame(&copies, model, candidates, &mut scratch, alive)
        else {
            return Ok(None);
        };
        let mut tally = Tally {
            shingles: letter.shingles.values().map(Vec::len).sum(),
            frame: letter.frame.iter().filter(|in_frame| **in_frame).count(),
            collisions,
            ..Tally::default()
        };
        let mut slots = BTreeMap::new();
        let (mut words, mut own) = (Vec::new(), Vec::new());
        for one in &copies.texts {
            if !alive() {
                return Ok(None);
            }
            let counted = letter.count(one, &mut scratch, &mut slots);
            words.push(counted.0);
            own.push(counted.1);
        }
        tally.words = copies.of_each(&words);
        tally.own = copies.of_each(&own);
        letter.place_slots(texts, model_text.as_ref(), slots, &mut tally);
        Ok(Some((letter, tally)))
    }

    /// Second pass: counts the candidates exactly and aligns each member, which gives the letter and its frame.
    fn frame(
        copies: &Copies<'_>,
        model: Model,
        mut shingles: Variants,
        scratch: &mut Scratch,
        alive: &dyn Fn() -> bool,
    ) -> Option<(Self, usize)> {
        // How many members have the representative's word: more where a run begins, fewer where it ends, summed up below.
        let mut steps = vec![0i64; model.words.len() + 1];
        for one in &copies.texts {
            if !alive() {
                return None;
            }
            model.read(scratch, one.text);
            count_shingles(&scratch.words, one.members, &mut shingles);
            for run in model.align(scratch).1 {
                steps[run.b] += one.members as i64;
                steps[run.b + run.len] -= one.members as i64;
            }
        }
        let majority = |members: usize| 2 * members > copies.members.len();
        let collisions = shingles.values().map(|v| v.len().saturating_sub(1)).sum();
        shingles.retain(|_, variants| {
            variants.retain(|variant| majority(variant.members));
            !variants.is_empty()
        });
        let mut sum = 0;
        let have = steps.iter().map(|step| {
            sum += step;
            majority(usize::try_from(sum).unwrap_or(0))
        });
        let mut frame: Vec<bool> = have.take(model.words.len()).collect();
        for run in covered(&model.words, &shingles) {
            frame[run].fill(true);
        }
        let mut before = 0;
        let mut rank = Vec::with_capacity(frame.len());
        for in_frame in &frame {
            rank.push(before);
            before += u32::from(*in_frame);
        }
        let letter = Self {
            model,
            shingles,
            frame,
            rank,
        };
        Some((letter, collisions))
    }

    /// Pieces that cover a text: [`Kind::Shared`] for the letter, [`Kind::Own`] for the rest.
    ///
    /// # Errors
    /// The text is too long.
    pub fn segments(&self, text: &str) -> Result<Vec<(Kind, Place)>, EvidenceError> {
        check(self.model.shingle, [text].into_iter())?;
        let mut scratch = Scratch::new(self.model.shingle, self.model.fold_accents);
        self.model.read(&mut scratch, text);
        let (words, runs) = self.model.align(&mut scratch);
        Ok(segments(text, &words.places, &self.kinds(words, runs)))
    }

    /// The kind of each word of a text.
    fn kinds(&self, words: &Words, runs: &[Run]) -> Vec<Kind> {
        let mut kinds = vec![Kind::Own; words.len()];
        for run in covered(words, &self.shingles) {
            kinds[run].fill(Kind::Shared);
        }
        for run in runs {
            for n in 0..run.len {
                if self.frame[run.b + n] {
                    kinds[run.a + n] = Kind::Shared;
                }
            }
        }
        kinds
    }

    /// Third pass: a member's own words and the slots that they stand in; returns how many words it has, and how many of them are its own.
    fn count(
        &self,
        one: &Copied<'_>,
        scratch: &mut Scratch,
        slots: &mut BTreeMap<u32, Filling>,
    ) -> (u32, u32) {
        self.model.read(scratch, one.text);
        let (words, runs) = self.model.align(scratch);
        let kinds = self.kinds(words, runs);
        let mut frames = runs
            .iter()
            .flat_map(|run| (0..run.len).map(|n| (run.a + n, run.b + n)));
        let mut next = frames.next();
        let (mut slot, mut first, mut told) = (0, 0, None);
        for same in kinds.chunk_by(|x, y| x == y) {
            let range = first..first + same.len();
            first = range.end;
            if same.first() == Some(&Kind::Own) {
                let filling = slots.entry(slot).or_default();
                filling.members += if told == Some(slot) { 0 } else { one.members };
                told = Some(slot);
                filling.add(one, words, range);
                continue;
            }
            // The slot is the one after the last word of the frame that the member has.
            while let Some((a, b)) = next.filter(|(a, _)| *a < range.end) {
                if self.frame[b] && a >= range.start {
                    slot = self.rank[b] + 1;
                }
                next = frames.next();
            }
        }
        let own = kinds.iter().filter(|kind| **kind == Kind::Own).count();
        (words.len() as u32, own as u32)
    }

    /// Where slots are in the representative, the most used ones.
    fn place_slots<T: AsRef<str>>(
        &self,
        texts: &[T],
        text: &str,
        slots: BTreeMap<u32, Filling>,
        tally: &mut Tally,
    ) {
        let placing = Placing::new(text, &self.model.words.places);
        let in_frame = self
            .frame
            .iter()
            .enumerate()
            .filter(|(_, in_frame)| **in_frame);
        let frame: Vec<usize> = in_frame.map(|(word, _)| word).collect();
        let mut kept: Vec<(u32, Filling)> = slots.into_iter().collect();
        tally.slots_left_out = kept.len().saturating_sub(MOST_SLOTS);
        kept.sort_by_key(|(slot, filling)| (std::cmp::Reverse(filling.members), *slot));
        kept.truncate(MOST_SLOTS);
        kept.sort_by_key(|(slot, _)| *slot);
        for (slot, filling) in kept {
            let slot = slot as usize;
            let start = slot
                .checked_sub(1)
                .and_then(|n| frame.get(n))
                .map_or(0, |word| word + 1);
            let end = frame.get(slot).copied().unwrap_or(self.frame.len());
            let back = self.frame[..start].iter().rev().take(CONTEXT);
            let before = back.take_while(|in_frame| **in_frame).count();
            let ahead = self.frame[end..].iter().take(CONTEXT);
            let after = ahead.take_while(|in_frame| **in_frame).count();
            tally.slots.push(Slot {
                place: placing.span(start..end),
                before: placing.span(start - before..start).0,
                after: placing.span(end..end + after).0,
                members: filling.members,
                distinct: filling.fillers.len(),
                fillers: filling.most_frequent(texts),
            });
        }
    }
}

/// What was put into one slot.
#[derive(Default)]
struct Filling {
    members: usize,
    /// By the 128-bit hash of the words: how often, the first member, where in its text.
    fillers: HashMap<u128, (u32, u32, u32, u32)>,
}

impl Filling {
    fn add(&mut self, one: &Copied<'_>, words: &Words, range: Range<usize>) {
        let places = &words.places[range.clone()];
        let start = places.first().map_or(0, |place| place.0);
        let end = places.last().map_or(start, |place| place.1);
        let whole = hash::sequence(&words.hashes[range]);
        let first = (0, one.first as u32, start, end);
        self.fillers.entry(whole).or_insert(first).0 += one.members as u32;
    }

    fn most_frequent<T: AsRef<str>>(self, texts: &[T]) -> Vec<Filler> {
        let mut fillers: Vec<_> = self.fillers.into_values().collect();
        fillers.sort_unstable_by_key(|&(count, member, start, _)| {
            (std::cmp::Reverse(count), member, start)
        });
        fillers.truncate(MOST_FILLERS);
        let told = fillers.into_iter().map(|(count, member, start, end)| {
            let text = texts.get(member as usize).map_or("", AsRef::as_ref);
            let words = text.get(start as usize..end as usize).unwrap_or_default();
            Filler {
                count: count as usize,
                text: words.to_owned(),
            }
        });
        told.collect()
    }
}

/// The words of a text that shingles of the letter cover, as runs.
fn covered(words: &Words, letter: &Variants) -> Vec<Range<usize>> {
    let mut starts = Vec::new();
    for &(hash, first) in words.shingles() {
        let variants = letter.get(&hash).map_or(&[][..], Vec::as_slice);
        let window = words.window(first);
        if variants.iter().any(|variant| &*variant.folded == window) {
            starts.push(first as usize);
        }
    }
    starts.sort_unstable();
    words.covered(starts.into_iter())
}

/// Counts so many members for each candidate that their text holds.
fn count_shingles(words: &Words, members: usize, candidates: &mut Variants) {
    let shingles = words.shingles();
    let mut at = 0;
    while at < shingles.len() {
        let end = run_end(shingles, at);
        if let Some(variants) = candidates.get_mut(&shingles[at].0) {
            let mut windows: Vec<&[u8]> = shingles[at..end]
                .iter()
                .map(|s| words.window(s.1))
                .collect();
            windows.sort_unstable();
            windows.dedup();
            for window in windows {
                match variants
                    .iter_mut()
                    .find(|variant| &*variant.folded == window)
                {
                    Some(variant) => variant.members += members,
                    None => variants.push(Variant {
                        folded: window.into(),
                        members,
                    }),
                }
            }
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shingles_of_one_hash_are_counted_apart() {
        let model = Model::new("", 2, false);
        let mut scratch = Scratch::new(2, false);
        let mut candidates = Variants::from([(7, Vec::new())]);
        for text in ["un deux trois un deux", "un deux", "trois un"] {
            model.read(&mut scratch, text);
            scratch.words.collide();
            count_shingles(&scratch.words, 1, &mut candidates);
        }
        let mut counts: Vec<(&[u8], usize)> = candidates[&7]
            .iter()
            .map(|v| (&*v.folded, v.members))
            .collect();
        counts.sort_unstable();
        let expected: [(&[u8], usize); 3] = [(b"deux trois", 1), (b"trois un", 2), (b"un deux", 2)];
        assert_eq!(counts, expected);

        model.read(&mut scratch, "deux trois quatre");
        scratch.words.collide();
        let runs = covered(&scratch.words, &candidates);
        assert_eq!((runs.len(), runs.first()), (1, Some(&(0..2))));
    }

    #[test]
    fn a_hash_is_sought_in_steps_that_double() {
        let list: Vec<(u64, u32)> = (0..100).map(|n| (2 * n, 0)).collect();
        for from in [0, 7, 99, 100] {
            for hash in 0..205 {
                let slow = (from..100).find(|n| list[*n].0 >= hash).unwrap_or(100);
                assert_eq!(seek(&list, from, hash), slow, "{hash} from {from}");
            }
        }
    }

    #[test]
    fn a_count_that_is_interrupted_gives_nothing() {
        let texts = ["un deux trois", "un deux quatre"];
        assert!(matches!(
            Letter::of(&texts, 0, 2, false, &|| false),
            Ok(None)
        ));
        let missing = Letter::of(&texts, 2, 2, false, &|| true).map(|_| ());
        assert_eq!(missing, Err(EvidenceError::NoSuchText(2)));
    }
}
