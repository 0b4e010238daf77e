//! The runs of words of a text that may be keywords.
//!
//! A run has one to three words, of which one at least is neither a number nor a negation; it neither ends with a negation nor begins with one, unless with «sans» or its like.
//! Between its words up to two connectors («pouvoir d'achat», «right to work») are passed over; it does not begin or end within words that a hyphen joins.

use super::lists::Kind;
use super::reading::Corpus;

/// No word.
const NONE: u32 = u32::MAX;
/// Function words that may stand between two words of a run.
const BETWEEN: u32 = 2;

/// The keys of one to three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Run([u32; 3]);

impl Run {
    fn of(parts: &[Kept]) -> Self {
        let mut keys = [NONE; 3];
        for (to, part) in keys.iter_mut().zip(parts) {
            *to = part.key;
        }
        Self(keys)
    }

    /// Of these keys.
    #[cfg(test)]
    pub(super) fn of_keys(keys: [u32; 3]) -> Self {
        Self(keys)
    }

    /// Its keys.
    pub(super) fn keys(&self) -> &[u32] {
        let words = self.0.iter().take_while(|key| **key != NONE).count();
        self.0.get(..words).unwrap_or_default()
    }

    /// How many words it has.
    pub(super) fn words(&self) -> u8 {
        self.keys().len() as u8
    }

    /// The runs of one word less in it: its beginning and its end.
    pub(super) fn parts(&self) -> [Self; 2] {
        match self.0 {
            [a, b, NONE] => [Self([a, NONE, NONE]), Self([b, NONE, NONE])],
            [a, b, c] => [Self([a, b, NONE]), Self([b, c, NONE])],
        }
    }
}

/// A word that is not passed over.
#[derive(Clone, Copy, Debug)]
struct Kept {
    kind: Kind,
    key: u32,
    /// Whether no run goes on to it.
    new: bool,
    /// Whether a hyphen joins it to the word before.
    compound: bool,
    token: u32,
}

/// A run in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) run: Run,
    /// The first and the last of the text's words.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Whether it may be a keyword; if not, it is told because longer ones hold it.
    pub(super) whole: bool,
}

/// Finds the runs of one text after the other.
#[derive(Debug, Default)]
pub(super) struct Runs {
    kept: Vec<Kept>,
}

impl Runs {
    /// Reads a row.
    pub(super) fn read(&mut self, corpus: &Corpus, row: usize) {
        self.kept.clear();
        let language = corpus.language(row);
        let (mut passed, mut new) = (0, true);
        for (at, token) in corpus.tokens(row).iter().enumerate() {
            if token.broken() {
                new = true;
                passed = 0;
            }
            let (kind, key) = corpus.kind(*token, language);
            if let Kind::Stop { connects } = kind {
                passed += 1;
                new |= !connects;
                continue;
            }
            new |= passed > BETWEEN;
            let before = self
                .kept
                .last()
                .is_some_and(|kept| kept.kind != Kind::Number);
            self.kept.push(Kept {
                kind,
                key,
                new,
                compound: before && !new && token.hyphen() && kind == Kind::Word,
                token: at as u32,
            });
            new = false;
            passed = 0;
        }
    }

    /// Calls `each` with every run of `words` words of the row that was read last.
    pub(super) fn each(&self, words: usize, mut each: impl FnMut(Place)) {
        for (at, parts) in self.kept.windows(words).enumerate() {
            let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
                continue;
            };
            if parts.iter().skip(1).any(|part| part.new) {
                continue;
            }
            let next = self.kept.get(at + words);
            let cut = first.compound || next.is_some_and(|next| next.compound);
            let means = parts.iter().any(|part| part.kind == Kind::Word);
            let negation =
                first.kind == Kind::Negation || matches!(last.kind, Kind::Negation | Kind::Without);
            each(Place {
                run: Run::of(parts),
                first: first.token as usize,
                last: last.token as usize,
                whole: !cut && means && !negation,
            });
        }
    }
}
