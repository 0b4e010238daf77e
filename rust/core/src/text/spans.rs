//! Where in the original text does each word stand?
//!
//! A word covers the pieces (see [`super::pieces`]) that it has letters of, whole: both words of `½` (`1`, `2`) cover `½`, and a mark
//! belongs to the letter that it stands on. Invisible code points inside a word are covered, those after it are not.

use super::hash;
use super::pieces::Pieces;

/// One word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordSpan {
    /// Hash of the folded word.
    pub hash: u64,
    /// First byte in the original text; always the first of a code point.
    pub start: usize,
    /// The byte after its last in the original text.
    pub end: usize,
}

/// Appends every word of `text` to `out`, in order.
pub(super) fn find(pieces: &mut Pieces, text: &str, out: &mut Vec<WordSpan>) {
    pieces.read(text, true);
    let places = pieces.places.as_slice();
    let ends_by =
        |at: usize, byte: usize| places.get(at + 1).is_some_and(|next| next.folded <= byte);
    let mut at = 0;
    for &(start, end) in pieces.words() {
        while ends_by(at, start) {
            at += 1;
        }
        let first = places.get(at).copied().unwrap_or_default();
        while ends_by(at, end - 1) {
            at += 1;
        }
        let last = places.get(at).copied().unwrap_or_default();
        out.push(WordSpan {
            hash: hash::word(pieces.folded.as_bytes().get(start..end).unwrap_or_default()),
            start: first.start,
            end: last.end,
        });
    }
}
