//! What is counted in a text: its words, and the runs of three and four letters inside them.
//!
//! Words are those of [`crate::text`], without accents: «congés», «conges» and «CONGÉS» are one. Runs are taken from each word with a space before and after it, so
//! that «congé» and «congés» share most of theirs; they do for stems, endings, misspellings and compounds what a dictionary would do for one language.
//!
//! A feature is a number of 64 bits, a hash whose last bit says which of the two it is. That two features of a corpus of a million have one number happens to one corpus in some 10⁷,
//! and then they count as one.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::text::{hash, Reader, Reading};

/// Letters in the shortest and the longest run.
pub const RUNS: (usize, usize) = (3, 4);
/// Of a longer text, only so many words are read: a book's theme does not hang on its last chapter, and its memory would.
pub const MOST_WORDS: usize = 50_000;
/// Of a longer word, only so many letters give runs.
const MOST_LETTERS: usize = 64;

/// Which text it is, as far as its folded words go.
pub type Identity = [u8; 16];

/// A feature and how often it is there.
pub type Count = (u64, u32);

/// Whether a feature is a word, else a run of letters.
#[must_use]
pub const fn is_word(feature: u64) -> bool {
    feature & 1 == 0
}

/// Reads texts one after the other, in buffers of its own.
#[derive(Debug)]
pub struct Features {
    reader: Reader,
    all: Vec<u64>,
    counts: Vec<Count>,
    word: Padded,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            reader: Reader::new(Reading {
                shingle: 1,
                fold_accents: true,
            }),
            all: Vec::new(),
            counts: Vec::new(),
            word: Padded::default(),
        }
    }
}

impl Features {
    /// The features of a text, ascending, each once; none if it has no words. O(text).
    pub fn read(&mut self, text: &[u8]) -> &[Count] {
        self.all.clear();
        self.counts.clear();
        let (all, padded, mut words) = (&mut self.all, &mut self.word, 0);
        self.reader.words(&utf8(text), |word| {
            words += 1;
            if words <= MOST_WORDS {
                all.push(hash::word(word.as_bytes()) & !1);
                padded.fill(word);
                padded.runs(|run| all.push(hash::word(run) | 1));
            }
        });
        self.all.sort_unstable();
        for feature in &self.all {
            match self.counts.last_mut() {
                Some((last, count)) if last == feature => *count += 1,
                _ => self.counts.push((*feature, 1)),
            }
        }
        &self.counts
    }

    /// Which text it is: SHA-256 of its folded words, each with a line break after it, the first 16 bytes. None if it has no words.
    pub fn identity(&mut self, text: &[u8]) -> Option<Identity> {
        let (mut sha, mut words) = (Sha256::new(), 0);
        self.reader.words(&utf8(text), |word| {
            words += 1;
            sha.update(word.as_bytes());
            sha.update(b"\n");
        });
        let whole: [u8; 32] = sha.finalize().into();
        whole.first_chunk().copied().filter(|_| words > 0)
    }
}

fn utf8(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// A word between two spaces, and where its letters begin.
#[derive(Debug, Default)]
struct Padded {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Padded {
    fn fill(&mut self, word: &str) {
        self.bytes.clear();
        self.starts.clear();
        self.bytes.push(b' ');
        self.starts.push(0);
        for (at, letter) in word.char_indices().take(MOST_LETTERS) {
            self.starts.push(at + 1);
            let mut own = [0; 4];
            self.bytes
                .extend_from_slice(letter.encode_utf8(&mut own).as_bytes());
        }
        self.starts.push(self.bytes.len());
        self.bytes.push(b' ');
        self.starts.push(self.bytes.len());
    }

    fn runs<'a>(&'a self, mut each: impl FnMut(&'a [u8])) {
        for length in RUNS.0..=RUNS.1 {
            for ends in self.starts.windows(length + 1) {
                if let (Some(first), Some(last)) = (ends.first(), ends.last()) {
                    each(self.bytes.get(*first..*last).unwrap_or_default());
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn runs(word: &str) -> Vec<String> {
        let mut padded = Padded::default();
        padded.fill(word);
        let mut all = Vec::new();
        padded.runs(|run| all.push(String::from_utf8_lossy(run).into_owned()));
        all
    }

    #[test]
    fn runs_of_letters_have_the_word_s_edges() {
        assert_eq!(runs("a"), [" a "]);
        assert_eq!(runs("été"), [" ét", "été", "té ", " été", "été "]);
        assert_eq!(runs(&"x".repeat(100)).len(), 64 + 63);
    }

    #[test]
    fn writing_habits_make_no_other_text() {
        let mut features = Features::default();
        let own = features.read("Les congés d’été".as_bytes()).to_vec();
        let identity = features.identity("Les congés d’été".as_bytes());
        for other in [
            "LES CONGES D'ETE !",
            "les conge\u{301}s, d'e\u{301}te\u{301}",
        ] {
            assert_eq!(features.read(other.as_bytes()), own);
            assert_eq!(features.identity(other.as_bytes()), identity);
        }
        assert!(own.windows(2).all(|two| two[0].0 < two[1].0));
        assert_eq!(own.iter().filter(|(key, _)| is_word(*key)).count(), 4);
    }

    #[test]
    fn a_text_without_words_has_nothing() {
        let mut features = Features::default();
        for text in ["", " … ", "🙂🙂", "\u{200b}"] {
            assert!(features.read(text.as_bytes()).is_empty());
            assert_eq!(features.identity(text.as_bytes()), None);
        }
    }

    #[test]
    fn a_book_is_read_up_to_a_limit() {
        let mut features = Features::default();
        let book = "a ".repeat(MOST_WORDS + 7);
        let counts = features.read(book.as_bytes());
        assert!(counts.iter().all(|(_, count)| *count == MOST_WORDS as u32));
    }
}
