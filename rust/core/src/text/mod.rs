//! What are the words of a text, and which runs of words does it share with another?
//!
//! A text is folded so that writing habits do not count (case, accents as one code point or two, full-width forms, ligatures, invisible
//! code points, letters that only look Latin), cut into words, and reduced to the sorted set of hashes of its runs of `shingle` words.
//! `fold` is the specification «klero-text/1» line by line; [`hash`] is «klero-shingle/1». Texts of the Latin alphabet take the fast
//! path (`latin`), all others the general one (`pieces`); `tests/text_oracle.py` is the same again in another language.
//!
//! Guarantees: the result is a function of the text alone, the same on every platform; every fast path equals the slow one. A text
//! shorter than a shingle has one shingle of all its words; a text without words has none.
//! Cost: linear in the text. A [`Reader`] holds buffers, one for each thread: three lists of 8 bytes a word, which grow by doubling, so 4 to 8 times
//! the bytes of a long text of ordinary words, and up to 24 times those of one of single letters; the general path holds the folded text and 16 to 32
//! bytes a word more. After a text of more than 4 MB they are given back.

mod alike;
mod class;
mod distinct;
mod fold;
pub mod hash;
mod latin;
mod pieces;
mod spans;

pub use hash::SHINGLES;
pub use spans::WordSpan;

use unicode_normalization::UnicodeNormalization;

use distinct::Sorter;
use fold::Folder;
use latin::Latin;
use pieces::Pieces;

/// Name of the folding and of the words; changes whenever a word does.
pub const NORMALISER: &str = "klero-text/1";

/// How texts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Words in a shingle, from 1 to 9 (0 is read as 1, more than 9 as 9).
    pub shingle: u8,
    /// Whether accents are dropped (off: `é` and `e` are different letters).
    pub fold_accents: bool,
}

/// Reads texts one after the other, in buffers of its own.
#[derive(Debug)]
pub struct Reader {
    reading: Reading,
    pieces: Pieces,
    latin: Latin,
    hashes: Vec<u64>,
    shingles: Vec<u64>,
    sorter: Sorter,
    swollen: bool,
}

/// A folded word without its accents: NFD, nonspacing marks dropped, NFC.
#[must_use]
pub fn bare(word: &str) -> String {
    word.nfd()
        .filter(|c| !class::nonspacing(*c))
        .nfc()
        .collect()
}

/// Buffers of a reader that has read a longer text than this, in bytes, are given back when it reads the next.
const LARGE: usize = 4 << 20;

/// What was read in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read<'a> {
    /// Hashes of its runs of words: ascending, distinct.
    pub shingles: &'a [u64],
    /// Hash of all words in their order.
    pub sequence: u128,
    /// Number of words; 0 is an empty text, which never matches anything.
    pub words: usize,
    /// Whether it has invisible code points.
    pub invisible: bool,
    /// Whether a word mixes Latin letters with Cyrillic or Greek ones that look the same.
    pub lookalike: bool,
}

impl Reader {
    /// A reader with empty buffers.
    #[must_use]
    pub fn new(reading: Reading) -> Self {
        let shingle = reading.shingle.clamp(1, 9);
        Self {
            reading: Reading { shingle, ..reading },
            pieces: Pieces::new(reading.fold_accents),
            latin: Latin::default(),
            hashes: Vec::new(),
            shingles: Vec::new(),
            sorter: Sorter::default(),
            swollen: false,
        }
    }

    /// Reads one text. Bytes that are no UTF-8 are read as U+FFFD, which is no word.
    pub fn read(&mut self, text: &[u8]) -> Read<'_> {
        if self.swollen {
            *self = Self::new(self.reading);
        }
        self.swollen = text.len() > LARGE;
        let quick = if self.reading.fold_accents {
            self.latin.read_bare(text)
        } else {
            self.latin.read(text)
        };
        let Some(sequence) = quick else {
            return self.read_any(text);
        };
        let (words, invisible) = (self.latin.hashes.len(), self.latin.invisible);
        self.shingles.clear();
        hash::shingles(
            &self.latin.hashes,
            usize::from(self.reading.shingle),
            &mut self.shingles,
        );
        let shingles = self.sorter.distinct(&self.shingles);
        Read {
            shingles,
            sequence,
            words,
            invisible,
            lookalike: false,
        }
    }

    /// Reads a text that has to go the general way.
    fn read_any(&mut self, text: &[u8]) -> Read<'_> {
        self.pieces.read(&String::from_utf8_lossy(text), false);
        let folded = self.pieces.folded.as_bytes();
        let words = self.pieces.words().iter();
        self.hashes.clear();
        self.hashes.extend(
            words.map(|(start, end)| hash::word(folded.get(*start..*end).unwrap_or_default())),
        );
        self.shingles.clear();
        hash::shingles(
            &self.hashes,
            usize::from(self.reading.shingle),
            &mut self.shingles,
        );
        Read {
            shingles: self.sorter.distinct(&self.shingles),
            sequence: hash::sequence(&self.hashes),
            words: self.hashes.len(),
            invisible: self.pieces.invisible,
            lookalike: self.pieces.lookalike(),
        }
    }

    /// [`Self::read`] as it is specified, without any shortcut: what tests and fuzzing compare with.
    #[doc(hidden)]
    pub fn read_as_specified(&mut self, text: &[u8]) -> Read<'_> {
        let (text, mut folder) = (String::from_utf8_lossy(text), Folder::default());
        folder.fold(&text, self.reading.fold_accents);
        self.hashes.clear();
        fold::words(&folder.text, |start, end| {
            let word = folder.text.as_bytes().get(start..end);
            self.hashes.push(hash::word(word.unwrap_or_default()));
        });
        self.shingles.clear();
        hash::shingles(
            &self.hashes,
            usize::from(self.reading.shingle),
            &mut self.shingles,
        );
        self.shingles.sort_unstable();
        self.shingles.dedup();
        Read {
            shingles: &self.shingles,
            sequence: hash::sequence(&self.hashes),
            words: self.hashes.len(),
            invisible: text.chars().any(class::invisible),
            lookalike: folder.lookalike(),
        }
    }

    /// Calls `each` with every folded word of a text, in order. O(text), on the general path.
    pub fn words(&mut self, text: &str, mut each: impl FnMut(&str)) {
        self.pieces.read(text, false);
        for &(start, end) in self.pieces.words() {
            each(self.pieces.folded.get(start..end).unwrap_or_default());
        }
    }

    /// Fills `out` with every word of a text and the bytes where it stands, in order. O(text), on the general path.
    pub fn spans(&mut self, text: &str, out: &mut Vec<WordSpan>) {
        out.clear();
        spans::find(&mut self.pieces, text, out);
    }

    /// Fills `out` as [`Self::spans`] does and then calls `each` with every folded word, in the same order: one reading for both.
    pub fn spanned(&mut self, text: &str, out: &mut Vec<WordSpan>, mut each: impl FnMut(&str)) {
        self.spans(text, out);
        for &(start, end) in self.pieces.words() {
            each(self.pieces.folded.get(start..end).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests;
