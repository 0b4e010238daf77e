//! Which words has a text, where do they stand in it, and which shingles do they make?
//!
//! The slow, careful reading behind evidence: it keeps each folded word, so that two shingles with one hash can be compared word for
//! word. Words are joined by a space (which no word holds), so that a shingle is one slice of bytes.
//!
//! Cost: one hash look-up a word; about 24 bytes a word and one byte a byte of the folded text. Nothing depends on the order of a hash map.

use std::collections::HashMap;
use std::ops::Range;

use crate::text::{hash, Reader, WordSpan};

/// Bytes that are read at once: the reader holds about 24 bytes for each code point of a part.
const PART: usize = 1 << 20;

/// What no word of a [`Dictionary`] is called.
pub const UNKNOWN: u32 = u32::MAX;

/// Numbers for words: the same number exactly when the folded bytes are the same.
#[derive(Default)]
pub struct Dictionary {
    heads: HashMap<u64, u32>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

struct Entry {
    start: usize,
    end: usize,
    /// The next word with the same hash, or [`UNKNOWN`].
    next: u32,
}

impl Dictionary {
    /// The number of a word, or [`UNKNOWN`].
    pub fn find(&self, folded: &[u8], hash: u64) -> u32 {
        let mut at = self.heads.get(&hash).copied().unwrap_or(UNKNOWN);
        while let Some(entry) = self.entries.get(at as usize) {
            if &self.bytes[entry.start..entry.end] == folded {
                return at;
            }
            at = entry.next;
        }
        UNKNOWN
    }

    /// The number of a word, a new one if need be.
    pub fn intern(&mut self, folded: &[u8], hash: u64) -> u32 {
        let known = self.find(folded, hash);
        if known != UNKNOWN {
            return known;
        }
        let number = self.entries.len() as u32; // fewer words than bytes, and a text is shorter than 4 GiB
        let start = self.bytes.len();
        self.bytes.extend_from_slice(folded);
        let next = self.heads.insert(hash, number).unwrap_or(UNKNOWN);
        self.entries.push(Entry {
            start,
            end: self.bytes.len(),
            next,
        });
        number
    }
}

/// The words of one text.
#[derive(Default)]
pub struct Words {
    /// Numbers in a dictionary.
    pub ids: Vec<u32>,
    /// Hash of each word.
    pub hashes: Vec<u64>,
    /// Where each stands in the original text: bytes from, to.
    pub places: Vec<(u32, u32)>,
    /// Folded words, joined by a space.
    folded: Vec<u8>,
    /// Where each ends in `folded`.
    ends: Vec<u32>,
    /// Words a shingle: the reading's, or all words of a shorter text.
    shingle: usize,
    /// Hash and first word of each shingle, in this order.
    shingles: Vec<(u64, u32)>,
}

impl Words {
    /// Reads a text anew; `number` gives each folded word (with its hash) its number. The folded text must be
    /// shorter than 4 GiB.
    pub fn read(
        &mut self,
        reader: &mut Reader,
        shingle: u8,
        text: &str,
        mut number: impl FnMut(&[u8], u64) -> u32,
    ) {
        self.ids.clear();
        self.hashes.clear();
        self.places.clear();
        self.folded.clear();
        self.ends.clear();
        let mut spans = Vec::new();
        let mut from = 0;
        while from < text.len() {
            let part = &text[from..part_end(text, from, PART)];
            let (ids, folded, ends) = (&mut self.ids, &mut self.folded, &mut self.ends);
            let hashes = &mut self.hashes;
            reader.spanned(part, &mut spans, |word| {
                let hash = hash::word(word.as_bytes());
                hashes.push(hash);
                ids.push(number(word.as_bytes(), hash));
                if !folded.is_empty() {
                    folded.push(b' ');
                }
                folded.extend_from_slice(word.as_bytes());
                ends.push(folded.len() as u32);
            });
            let place = |span: &WordSpan| ((from + span.start) as u32, (from + span.end) as u32);
            self.places.extend(spans.iter().map(place));
            from += part.len();
        }
        self.shingle = usize::from(shingle).min(self.ids.len()).max(1);
        self.shingles.clear();
        let windows = self.hashes.windows(self.shingle).map(hash::shingle);
        self.shingles.extend(windows.zip(0..));
        self.shingles.sort_unstable();
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Words a shingle; fewer than asked for where the text has fewer.
    pub fn shingle(&self) -> usize {
        self.shingle
    }

    /// Hash and first word of each shingle, sorted.
    pub fn shingles(&self) -> &[(u64, u32)] {
        &self.shingles
    }

    /// The folded words of a range, joined by spaces.
    pub fn folded(&self, range: Range<usize>) -> &[u8] {
        let start = match range.start {
            0 => 0,
            first => self.ends[first - 1] as usize + 1,
        };
        match range.end {
            end if end > range.start => &self.folded[start..self.ends[end - 1] as usize],
            _ => &[],
        }
    }

    /// The folded words of the shingle that begins with a word.
    pub fn window(&self, first: u32) -> &[u8] {
        self.folded(first as usize..first as usize + self.shingle)
    }

    /// As if all shingles had one hash.
    #[cfg(test)]
    pub fn collide(&mut self) {
        for entry in &mut self.shingles {
            entry.0 = 7;
        }
        self.shingles.sort_unstable();
    }

    /// The words covered by shingles, as runs: `starts` are first words, ascending. Runs that touch are one.
    pub fn covered(&self, starts: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for start in starts {
            let end = start + self.shingle;
            match runs.last_mut() {
                Some(run) if start <= run.end => run.end = end,
                _ => runs.push(start..end),
            }
        }
        runs
    }
}

/// Where a part of a text ends that begins at `from` and has about `most` bytes.
///
/// After a space or line feed, before an ASCII character: there no word goes on, and nothing that follows changes what stands before
/// (ASCII characters compose with nothing before them). Without such a place the part ends with the text.
fn part_end(text: &str, from: usize, most: usize) -> usize {
    let bytes = text.as_bytes();
    let begins = |pair: &[u8]| matches!(pair, [b' ' | b'\n', next] if next.is_ascii());
    let after = bytes
        .get((from + most).saturating_sub(1)..)
        .unwrap_or_default();
    let ahead = after.windows(2).position(begins);
    ahead.map_or(bytes.len(), |n| from + most + n)
}

/// The end of the run of entries with the hash of the first, from `from`; `shingles` is sorted.
pub fn run_end(shingles: &[(u64, u32)], from: usize) -> usize {
    let same = |entry: &&(u64, u32)| entry.0 == shingles[from].0;
    from + shingles[from..].iter().take_while(same).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Reading;
    use proptest::prelude::*;

    fn spans(text: &str) -> Vec<WordSpan> {
        let mut out = Vec::new();
        let reading = Reading {
            shingle: 3,
            fold_accents: false,
        };
        Reader::new(reading).spans(text, &mut out);
        out
    }

    proptest! {
        #[test]
        fn a_text_read_in_parts_has_the_words_of_the_whole(text in "[ab \n\u{301}é½\u{fdfa}\u{200b}水 \u{115f}_-]{0,40}", most in 1usize..9) {
            let (mut from, mut parts) = (0, Vec::new());
            while from < text.len() {
                let end = part_end(&text, from, most);
                prop_assert!(end > from);
                let moved = |span: WordSpan| WordSpan { start: span.start + from, end: span.end + from, ..span };
                parts.extend(spans(&text[from..end]).into_iter().map(moved));
                from = end;
            }
            prop_assert_eq!(parts, spans(&text));
        }
    }

    #[test]
    fn a_text_without_a_place_to_part_it_is_read_whole() {
        assert_eq!(part_end("aaa\u{301} \u{301}", 0, 2), 8);
        assert_eq!(part_end("aa bb cc", 0, 2), 3);
        assert_eq!(part_end("aa bb cc", 3, 3), 6);
        assert_eq!(part_end("aa", 0, 9), 2);
    }
}
