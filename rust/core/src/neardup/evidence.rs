//! What do these two texts have in common, word for word, and where?
//!
//! Shingles (runs of k words; Broder 1997) that both texts hold are found by their hashes and confirmed by their words. From them follow
//! the counts (shared, whole, Jaccard, containment), the spans of each text that shared shingles cover, and the pairs of passages that
//! answer to each other: in the same order by [`align`](super::align), and moved passages by shingles that stand once in each text.
//!
//! Guarantees: the counts are of words, not of hashes; should two different shingles have one hash, that is counted as a collision and
//! they are kept apart. Spans begin and end with words of the original text, so no code point is cut. No word is in two matches.
//! Not promised: that each repeated passage has a partner. One that stands twice in a text has none, unless the alignment gives it one.
//! Cost: O(n log n) time, linear memory (about 80 bytes a word of both), one thread. Nothing random.

use std::ops::Range;

use thiserror::Error;

use super::align::{Aligner, Run};
use super::wording::{run_end, Dictionary, Words};
use crate::text::{Reader, Reading};

/// Why two texts or a group can't be compared.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EvidenceError {
    /// Words a shingle out of range.
    #[error("a shingle has 1 to 9 words, not {0}")]
    Shingle(u8),
    /// A text of more than [`LONGEST`] bytes.
    #[error("text {0} is longer than 256 MiB, which is more than can be compared word for word")]
    TooLong(usize),
    /// No such member.
    #[error("there is no text {0}")]
    NoSuchText(usize),
}

/// Longest text, in bytes: 256 MiB. Folding makes up to eleven bytes of one (ﷺ takes 3, its four words 33), and they are counted in 32 bits.
pub const LONGEST: usize = 1 << 28;

/// Checks what every reading needs.
pub(super) fn check<'a>(
    shingle: u8,
    texts: impl Iterator<Item = &'a str>,
) -> Result<(), EvidenceError> {
    if !(1..=9).contains(&shingle) {
        return Err(EvidenceError::Shingle(shingle));
    }
    for (n, text) in texts.enumerate() {
        if text.len() > LONGEST {
            return Err(EvidenceError::TooLong(n));
        }
    }
    Ok(())
}

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The same words in the same order in the other text, or of a group's letter.
    Shared,
    /// The same words elsewhere in the other text.
    Moved,
    /// Words of this text alone.
    Own,
    /// No word: what stands between words of different kinds.
    Gap,
}

/// A place in a text, in bytes and in code points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// First byte.
    pub byte_start: usize,
    /// Byte after the last.
    pub byte_end: usize,
    /// First code point.
    pub start: usize,
    /// Code point after the last.
    pub end: usize,
}

/// A place and its number of words.
pub type Span = (Place, usize);

/// A passage of a and the passage of b that answers to it; whether it stands elsewhere in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// In a.
    pub a: Span,
    /// In b.
    pub b: Span,
    /// Whether it is out of order.
    pub moved: bool,
}

/// A row of the alignment: passages that are equal (`equal`), or that stand in one another's place (one may be absent).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whether the words are the same.
    pub equal: bool,
    /// In a.
    pub a: Option<Span>,
    /// In b.
    pub b: Option<Span>,
}

/// One text's part of the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Number of words.
    pub words: usize,
    /// Number of distinct shingles.
    pub shingles: usize,
    /// Passages covered by shared shingles.
    pub spans: Vec<Span>,
    /// Pieces that cover the text.
    pub segments: Vec<(Kind, Place)>,
}

/// What two texts have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The first text.
    pub a: Side,
    /// The second text.
    pub b: Side,
    /// Number of distinct shingles in both.
    pub shared: usize,
    /// Number of pairs of different shingles with one hash.
    pub collisions: usize,
    /// Passages that answer to each other, in the order of a.
    pub matches: Vec<Match>,
    /// Both texts side by side.
    pub rows: Vec<Row>,
}

/// The evidence of two texts: shingles of so many words, accents folded away or not. None if `alive` said no.
///
/// # Errors
/// The shingle is out of range, or a text is too long.
pub fn evidence(
    a: &str,
    b: &str,
    shingle: u8,
    fold_accents: bool,
    alive: &dyn Fn() -> bool,
) -> Result<Option<Evidence>, EvidenceError> {
    check(shingle, [a, b].into_iter())?;
    let mut reader = Reader::new(Reading {
        shingle,
        fold_accents,
    });
    let mut dictionary = Dictionary::default();
    let (mut in_a, mut in_b) = (Words::default(), Words::default());
    in_a.read(&mut reader, shingle, a, |word, hash| {
        dictionary.intern(word, hash)
    });
    in_b.read(&mut reader, shingle, b, |word, hash| {
        dictionary.intern(word, hash)
    });
    drop((dictionary, reader));
    if !alive() {
        return Ok(None);
    }

    let common = Common::of(&in_a, &in_b);
    if !alive() {
        return Ok(None);
    }
    let width = in_a.shingle();
    let mut aligner = Aligner::default();
    let runs = aligner.align(&in_a.ids, &in_b.ids, &common.anchors, width);
    let (blocks, kinds_a, kinds_b) = blocks(&in_a, &in_b, runs, &common.anchors);

    let (in_a, in_b) = ((a, &in_a), (b, &in_b));
    let (place_a, place_b) = (
        Placing::new(a, &in_a.1.places),
        Placing::new(b, &in_b.1.places),
    );
    let row = |(equal, of_a, of_b): WordRow| Row {
        equal,
        a: of_a.map(|run| place_a.span(run)),
        b: of_b.map(|run| place_b.span(run)),
    };
    Ok(Some(Evidence {
        a: side(in_a, common.of_a, &common.in_a, &kinds_a, &place_a),
        b: side(in_b, common.of_b, &common.in_b, &kinds_b, &place_b),
        shared: common.shared,
        collisions: common.collisions,
        matches: placed_matches(blocks, &place_a, &place_b),
        rows: rows(runs, in_a.1.len(), in_b.1.len())
            .into_iter()
            .map(row)
            .collect(),
    }))
}

/// One text's part: its distinct shingles, where shared ones begin, the kind of each word.
fn side(
    (text, words): (&str, &Words),
    shingles: usize,
    shared: &[bool],
    kinds: &[Kind],
    placing: &Placing<'_>,
) -> Side {
    let covered = words.covered(starts(shared));
    Side {
        words: words.len(),
        shingles,
        spans: covered.into_iter().map(|run| placing.span(run)).collect(),
        segments: segments(text, &words.places, kinds),
    }
}

fn starts(shared: &[bool]) -> impl Iterator<Item = usize> + '_ {
    let marked = shared.iter().enumerate().filter(|(_, &shared)| shared);
    marked.map(|(start, _)| start)
}

/// Shingles of two texts, compared word for word.
#[derive(Default)]
struct Common {
    of_a: usize,
    of_b: usize,
    shared: usize,
    collisions: usize,
    /// For each word of a, whether a shared shingle begins there.
    in_a: Vec<bool>,
    in_b: Vec<bool>,
    /// First words of the shingles that stand once in each text.
    anchors: Vec<(u32, u32)>,
}

impl Common {
    fn of(a: &Words, b: &Words) -> Self {
        let mut common = Self {
            in_a: vec![false; a.len()],
            in_b: vec![false; b.len()],
            ..Self::default()
        };
        let (in_a, in_b) = (a.shingles(), b.shingles());
        let (mut i, mut j) = (0, 0);
        let mut places = Vec::new();
        while i < in_a.len() || j < in_b.len() {
            let lowest = match (in_a.get(i), in_b.get(j)) {
                (Some(x), Some(y)) => x.0.min(y.0),
                (Some(x), None) => x.0,
                (None, Some(y)) => y.0,
                (None, None) => break,
            };
            let here = |list: &[(u64, u32)], from: usize| match list.get(from) {
                Some(entry) if entry.0 == lowest => run_end(list, from),
                _ => from,
            };
            let (i_end, j_end) = (here(in_a, i), here(in_b, j));
            places.clear();
            places.extend(in_a[i..i_end].iter().map(|entry| (true, entry.1)));
            places.extend(in_b[j..j_end].iter().map(|entry| (false, entry.1)));
            common.same_hash(a, b, &mut places);
            (i, j) = (i_end, j_end);
        }
        common.anchors.sort_unstable();
        common
    }

    /// Takes in the shingles of one hash: (whether in a, first word).
    fn same_hash(&mut self, a: &Words, b: &Words, places: &mut [(bool, u32)]) {
        let window = |&(is_a, first): &(bool, u32)| {
            if is_a {
                a.window(first)
            } else {
                b.window(first)
            }
        };
        let differs = |pair: &[(bool, u32)]| window(&pair[0]) != window(&pair[1]);
        if places.windows(2).any(differs) {
            places.sort_by(|x, y| window(x).cmp(window(y)));
        }
        let mut kinds = 0;
        for same in places.chunk_by(|x, y| window(x) == window(y)) {
            kinds += 1;
            let ours = same.iter().filter(|place| place.0).count();
            let (here, there) = (ours > 0, ours < same.len());
            self.of_a += usize::from(here);
            self.of_b += usize::from(there);
            if !(here && there) {
                continue;
            }
            self.shared += 1;
            for &(is_a, first) in same {
                let marks = if is_a { &mut self.in_a } else { &mut self.in_b };
                marks[first as usize] = true;
            }
            if let [(true, i), (false, j)] = same {
                self.anchors.push((*i, *j));
            }
        }
        self.collisions += kinds - 1;
    }
}

/// Matched runs of words with whether they moved, and the kind of each word of a and of b.
type Blocks = (Vec<(Run, bool)>, Vec<Kind>, Vec<Kind>);

/// The runs of the alignment that hold a whole shingle, then moved passages: from each anchor outside them, as far as words are equal on
/// the same diagonal and not taken.
fn blocks(a: &Words, b: &Words, runs: &[Run], anchors: &[(u32, u32)]) -> Blocks {
    let mut kinds_a = vec![Kind::Own; a.len()];
    let mut kinds_b = vec![Kind::Own; b.len()];
    let mut found = Vec::new();
    let width = a.shingle();
    for run in runs {
        kinds_a[run.a..run.a + run.len].fill(Kind::Shared);
        kinds_b[run.b..run.b + run.len].fill(Kind::Shared);
        // Texts of one and of five words may have a word in common, but no shingle.
        if run.len >= width && a.shingle() == b.shingle() {
            found.push((*run, false));
        }
    }
    for &(i, j) in anchors {
        let (i, j) = (i as usize, j as usize);
        let free =
            |kinds: &[Kind], range: Range<usize>| kinds[range].iter().all(|k| *k == Kind::Own);
        if !free(&kinds_a, i..i + width) || !free(&kinds_b, j..j + width) {
            continue;
        }
        let equal = |x: usize, y: usize| {
            a.ids[x] == b.ids[y] && kinds_a[x] == Kind::Own && kinds_b[y] == Kind::Own
        };
        let room = (a.len() - i).min(b.len() - j);
        let after = (width..room).take_while(|n| equal(i + n, j + n)).count();
        let before = (1..=i.min(j)).take_while(|n| equal(i - n, j - n)).count();
        let run = Run {
            a: i - before,
            b: j - before,
            len: before + width + after,
        };
        kinds_a[run.a..run.a + run.len].fill(Kind::Moved);
        kinds_b[run.b..run.b + run.len].fill(Kind::Moved);
        found.push((run, true));
    }
    found.sort_unstable_by_key(|(run, _)| run.a);
    (found, kinds_a, kinds_b)
}

/// Rows of words: whether equal, those of a, those of b.
type WordRow = (bool, Option<Range<usize>>, Option<Range<usize>>);

fn rows(runs: &[Run], a_len: usize, b_len: usize) -> Vec<WordRow> {
    let mut rows = Vec::with_capacity(2 * runs.len() + 1);
    let (mut a0, mut b0) = (0, 0);
    let some = |range: Range<usize>| (!range.is_empty()).then_some(range);
    let last = Run {
        a: a_len,
        b: b_len,
        len: 0,
    };
    for run in runs.iter().chain([&last]) {
        let (left, right) = (some(a0..run.a), some(b0..run.b));
        if left.is_some() || right.is_some() {
            rows.push((false, left, right));
        }
        (a0, b0) = (run.a + run.len, run.b + run.len);
        if run.len > 0 {
            rows.push((true, Some(run.a..a0), Some(run.b..b0)));
        }
    }
    rows
}

fn placed_matches(
    blocks: Vec<(Run, bool)>,
    place_a: &Placing<'_>,
    place_b: &Placing<'_>,
) -> Vec<Match> {
    let mut matches = Vec::with_capacity(blocks.len());
    for (run, moved) in blocks {
        matches.push(Match {
            a: place_a.span(run.a..run.a + run.len),
            b: place_b.span(run.b..run.b + run.len),
            moved,
        });
    }
    matches
}

/// Code points before each of some bytes of a text: every [`STRIDE`] bytes, so that a look-up reads no more than that.
pub(super) struct Placing<'a> {
    text: &'a str,
    words: &'a [(u32, u32)],
    before: Vec<u32>,
}

const STRIDE: usize = 256;

fn code_points(bytes: &[u8]) -> usize {
    let begins = |byte: &&u8| **byte & 0xC0 != 0x80;
    bytes.iter().filter(begins).count()
}

impl<'a> Placing<'a> {
    /// For a text and where its words stand.
    pub(super) fn new(text: &'a str, words: &'a [(u32, u32)]) -> Self {
        let mut before = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut count = 0;
        for chunk in text.as_bytes().chunks(STRIDE) {
            before.push(count);
            count += code_points(chunk) as u32;
        }
        before.push(count);
        Self {
            text,
            words,
            before,
        }
    }

    /// A place from its bytes.
    pub(super) fn place(&self, byte_start: usize, byte_end: usize) -> Place {
        let at = |byte: usize| {
            let block = byte / STRIDE;
            self.before[block] as usize + code_points(&self.text.as_bytes()[block * STRIDE..byte])
        };
        Place {
            byte_start,
            byte_end,
            start: at(byte_start),
            end: at(byte_end),
        }
    }

    /// The place of a range of words; an empty one is after the word before.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let before = range.start.checked_sub(1).and_then(|n| self.words.get(n));
        let start = match self.words.get(range.start) {
            Some(word) if !range.is_empty() => word.0,
            _ => before.map_or(0, |word| word.1),
        };
        let end = match range.end.checked_sub(1).and_then(|n| self.words.get(n)) {
            Some(word) if !range.is_empty() => word.1.max(start),
            _ => start,
        };
        (self.place(start as usize, end as usize), range.len())
    }
}

/// Pieces that cover a text: the kind of each word; what stands between words of one kind is of that kind, else a gap.
///
/// One code point can hold several words (the ligature ﷺ holds four): it is of the kind of the first.
pub(super) fn segments(text: &str, words: &[(u32, u32)], kinds: &[Kind]) -> Vec<(Kind, Place)> {
    let mut pieces: Vec<(Kind, usize, usize)> = Vec::new();
    let mut done = 0;
    for (&(start, end), &kind) in words.iter().zip(kinds) {
        let (start, end) = ((start as usize).max(done), end as usize);
        if end <= start {
            continue;
        }
        match pieces.last_mut() {
            Some(last) if last.0 == kind => last.2 = end,
            _ => {
                if start > done {
                    pieces.push((Kind::Gap, done, start));
                }
                pieces.push((kind, start, end));
            }
        }
        done = end;
    }
    if text.len() > done {
        pieces.push((Kind::Gap, done, text.len()));
    }
    let mut count = 0;
    let mut placed = Vec::with_capacity(pieces.len());
    for (kind, byte_start, byte_end) in pieces {
        let start = count;
        count += code_points(&text.as_bytes()[byte_start..byte_end]);
        placed.push((
            kind,
            Place {
                byte_start,
                byte_end,
                start,
                end: count,
            },
        ));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, dictionary: &mut Dictionary) -> Words {
        let mut words = Words::default();
        let mut reader = Reader::new(Reading {
            shingle: 2,
            fold_accents: false,
        });
        words.read(&mut reader, 2, text, |word, hash| {
            dictionary.intern(word, hash)
        });
        words
    }

    proptest! {
        #[test]
        fn counts_are_the_same_if_all_shingles_have_one_hash(a in "([abc] ){0,9}", b in "([abc] ){0,9}") {
            let mut dictionary = Dictionary::default();
            let (mut in_a, mut in_b) = (read(&a, &mut dictionary), read(&b, &mut dictionary));
            let honest = Common::of(&in_a, &in_b);
            in_a.collide();
            in_b.collide();
            let collided = Common::of(&in_a, &in_b);
            let whole = honest.of_a + honest.of_b - honest.shared;
            prop_assert_eq!((honest.of_a, honest.of_b, honest.shared), (collided.of_a, collided.of_b, collided.shared));
            prop_assert_eq!((&honest.in_a, &honest.in_b, &honest.anchors), (&collided.in_a, &collided.in_b, &collided.anchors));
            prop_assert_eq!((honest.collisions, collided.collisions), (0, whole.saturating_sub(1)));
        }
    }

    #[test]
    fn two_texts_that_share_nothing_have_no_match() {
        let found = evidence("un deux trois quatre", "cinq six sept", 3, false, &|| true);
        let found = found.ok().flatten().unwrap_or_default();
        assert_eq!(
            (found.shared, found.a.shingles, found.b.shingles),
            (0, 2, 1)
        );
        assert!(found.matches.is_empty() && found.a.spans.is_empty());
    }

    #[test]
    fn a_comparison_that_is_interrupted_gives_nothing() {
        assert_eq!(evidence("a", "a", 3, false, &|| false), Ok(None));
    }

    #[test]
    fn a_shingle_out_of_range_is_refused() {
        assert_eq!(
            evidence("a", "b", 0, false, &|| true),
            Err(EvidenceError::Shingle(0))
        );
        assert_eq!(
            evidence("a", "b", 10, false, &|| true),
            Err(EvidenceError::Shingle(10))
        );
    }

    #[test]
    fn a_code_point_of_several_words_is_in_one_piece() {
        // ﷺ folds to four words, and so does what it is spelt out as.
        let found = evidence(
            "\u{fdfa} oui",
            "\u{635}\u{644}\u{649} non",
            1,
            false,
            &|| true,
        );
        let found = found.ok().flatten().unwrap_or_default();
        let pieces: Vec<(usize, usize)> = found
            .a
            .segments
            .iter()
            .map(|(_, p)| (p.byte_start, p.byte_end))
            .collect();
        assert_eq!(found.a.words, 5);
        assert_eq!(pieces, [(0, 3), (3, 4), (4, 7)]);
    }
}
