//! «klero-text/1», as it is specified: the slow path, which every faster one must equal.
//!
//! 1. Invisible code points are removed.
//! 2. NFKC, full case folding, NFKC again (Unicode 15.1 §3.13).
//! 3. Look-alikes become Latin letters, on the decomposed text so that accents follow them: NFD, the table of [`super::alike`], NFC.
//! 4. On request accents go: NFD, nonspacing marks dropped, NFC.
//! 5. Words: see [`Class`].

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

use super::alike::alike;
use super::class::{class, invisible, latin, nonspacing, Class};

/// A piece of text has letters that look Latin, and Latin letters: two bits.
pub(super) const BOTH: u8 = 3;

/// Buffers of the slow path.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// The text after step 2.
    cased: String,
    /// The folded text.
    pub(super) text: String,
}

impl Folder {
    /// Folds `text`.
    pub(super) fn fold(&mut self, text: &str, fold_accents: bool) {
        self.cased.clear();
        self.text.clear();
        let seen = text.chars().filter(|c| !invisible(*c));
        self.cased.extend(seen.nfkc().default_case_fold().nfkc());
        let latin = self.cased.nfd().map(|c| alike(c).unwrap_or(c));
        if fold_accents {
            self.text.extend(latin.filter(|c| !nonspacing(*c)).nfc());
        } else {
            self.text.extend(latin.nfc());
        }
    }

    /// Which bits of [`BOTH`] the text that was folded last has, words or not.
    pub(super) fn scripts(&self) -> u8 {
        scripts(&self.cased)
    }

    /// Whether a word of that text mixes Latin letters with letters that only look so.
    pub(super) fn lookalike(&self) -> bool {
        let mut found = false;
        words(&self.cased, |start, end| {
            found |= scripts(self.cased.get(start..end).unwrap_or_default()) == BOTH;
        });
        found
    }
}

fn scripts(cased: &str) -> u8 {
    let bits = cased
        .nfd()
        .map(|c| u8::from(alike(c).is_some()) | u8::from(latin(c)) << 1);
    bits.fold(0, |all, bits| all | bits)
}

/// Calls `each` with the bytes where every word of a folded text begins and ends.
pub(super) fn words(folded: &str, mut each: impl FnMut(usize, usize)) {
    let mut open = None;
    for (at, c) in folded.char_indices() {
        match (class(c), open) {
            (Class::Letter, None) => open = Some((at, false)),
            (Class::Letter, Some((start, true))) => {
                each(start, at);
                open = Some((at, false));
            }
            (Class::Alone, before) => {
                if let Some((start, _)) = before {
                    each(start, at);
                }
                open = Some((at, true));
            }
            (Class::Between, Some((start, _))) => {
                each(start, at);
                open = None;
            }
            (Class::Letter, Some((_, false))) | (Class::Mark, _) | (Class::Between, None) => {}
        }
    }
    if let Some((start, _)) = open {
        each(start, folded.len());
    }
}
