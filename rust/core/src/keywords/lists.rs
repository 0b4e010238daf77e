//! What is a word to the reader of keywords: a function word, a negation, a number, or one that may be a keyword?

use std::collections::HashMap;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::text::bare;

/// What the lists say of a word, one bit each.
pub mod bits {
    /// A function word in French.
    pub const FRENCH: u16 = 1;
    /// A function word in English.
    pub const ENGLISH: u16 = 2;
    /// Means something in an English text, whatever the French list says.
    pub const MEANS_IN_ENGLISH: u16 = 4;
    /// Means something in a French text, whatever the English list says.
    pub const MEANS_IN_FRENCH: u16 = 8;
    /// A negation, kept inside a run.
    pub const NEGATION: u16 = 16;
    /// A negation that may also begin a run.
    pub const WITHOUT: u16 = 32;
    /// A function word that may stand between the words of a run.
    pub const CONNECTOR: u16 = 64;
    /// Words with a hyphen that are one.
    pub const WHOLE: u16 = 128;
}

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    French,
    English,
    Unknown,
}

/// What a word does in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word like any other.
    Word,
    /// Never alone.
    Number,
    /// Never alone nor last.
    Without,
    /// Only between others.
    Negation,
    /// Passed over; no run goes on beyond it unless it is a connector.
    Stop {
        /// Whether a run may go on.
        connects: bool,
    },
}

/// What «n't» is called.
pub(super) const NT: &str = "n't";

/// The lists of words.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    exact: HashMap<String, u16>,
    /// By the word without accents, for words that are written without.
    bare: HashMap<String, u16>,
}

impl Lists {
    /// From words, folded, with their accents, and their [`bits`]. A connector is one as it is written alone: «à» connects, «a» is a verb.
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = (S, u16)>) -> Self {
        let mut lists = Self::default();
        for (word, bits) in words {
            let word = word.into();
            *lists.bare.entry(bare(&word)).or_default() |= bits & !bits::CONNECTOR;
            *lists.exact.entry(word).or_default() |= bits;
        }
        lists
    }

    /// What is known of a folded word. «a» is «à» as well; «maïs» is not «mais».
    pub(super) fn bits(&self, form: &str) -> u16 {
        let exact = self.exact.get(form).copied().unwrap_or_default();
        match self.bare.get(form) {
            Some(bits) if form.is_ascii() || bare(form) == form => exact | bits,
            _ => exact,
        }
    }
}

/// What is known of one word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    bits: u16,
    number: bool,
    letter: bool,
}

impl Known {
    pub(super) fn of(form: &str, lists: &Lists) -> Self {
        let bits = match form {
            NT => bits::NEGATION,
            _ => lists.bits(form),
        };
        Self {
            bits,
            number: number(form),
            letter: letter(form),
        }
    }

    /// Whether a list has it as a function word, in whatever language.
    pub(super) fn stops(self) -> bool {
        self.bits & (bits::FRENCH | bits::ENGLISH) != 0
    }

    pub(super) fn whole(self) -> bool {
        self.bits & bits::WHOLE != 0
    }

    /// A single letter of the Latin alphabet.
    pub(super) fn letter(self) -> bool {
        self.letter
    }

    /// Whether it can be a keyword wherever it stands.
    pub(super) fn content(self) -> bool {
        let negation = bits::NEGATION | bits::WITHOUT;
        !self.stops() && self.bits & negation == 0 && !self.number && !self.letter
    }

    /// The language that it shows, if it does.
    pub(super) fn shows(self) -> Language {
        if self.bits & (bits::MEANS_IN_ENGLISH | bits::MEANS_IN_FRENCH) != 0 {
            return Language::Unknown;
        }
        match self.bits & (bits::FRENCH | bits::ENGLISH) {
            bits::FRENCH => Language::French,
            bits::ENGLISH => Language::English,
            _ => Language::Unknown,
        }
    }

    /// What it does in a text of this language.
    pub(super) fn kind(self, language: Language) -> Kind {
        let has = |bit: u16| self.bits & bit != 0;
        if has(bits::NEGATION) {
            return Kind::Negation;
        }
        if has(bits::WITHOUT) {
            return Kind::Without;
        }
        if self.number {
            return Kind::Number;
        }
        let french =
            has(bits::FRENCH) && !(language == Language::English && has(bits::MEANS_IN_ENGLISH));
        let english =
            has(bits::ENGLISH) && !(language == Language::French && has(bits::MEANS_IN_FRENCH));
        if self.letter || french || english {
            return Kind::Stop {
                connects: has(bits::CONNECTOR),
            };
        }
        Kind::Word
    }
}

fn number(form: &str) -> bool {
    use GeneralCategory as G;
    form.chars().all(|c| {
        matches!(
            c.general_category(),
            G::DecimalNumber | G::OtherNumber | G::LetterNumber
        )
    })
}

fn letter(form: &str) -> bool {
    let bare = bare(form);
    bare.len() == 1 && bare.is_ascii()
}

/// What a word is counted under: without accents, and its plural as its singular where that is certain enough («locaux», «lieux», «cities»).
pub(super) fn key(form: &str) -> String {
    let mut word = bare(form);
    let long = |word: &str, least: usize| word.chars().nth(least - 1).is_some();
    let ends = |word: &str, ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
    if long(&word, 6) && word.ends_with("aux") && !word.ends_with("eaux") {
        word.truncate(word.len() - 2);
        word.push('l');
    } else if long(&word, 4)
        && (ends(&word, &["aux", "eux", "oux"]) || (word.ends_with('s') && !word.ends_with("ss")))
    {
        word.pop();
    }
    if long(&word, 4) && ends(&word, &["xe", "che", "she", "sse"]) {
        word.pop();
    }
    if long(&word, 4) && word.ends_with('y') {
        word.pop();
        word.push_str("ie");
    }
    word
}
