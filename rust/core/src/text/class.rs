//! What is a code point to the tokeniser? The definitions of «klero-text/1», pinned here where Unicode leaves room.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What a folded code point does to words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Ends a word: spaces, punctuation, symbols, emoji.
    Between,
    /// Begins or continues a word: general category L or N, or `_`.
    Letter,
    /// Continues a word and never begins one: general category M. (NFKC turns `´` into a space and a mark: that is no word.)
    Mark,
    /// A word of its own, with the marks that follow: a letter of a script that is written without spaces.
    Alone,
}

/// Unicode's Default_Ignorable_Code_Point: code points that nobody sees. Removed before anything else.
const INVISIBLE: [(u32, u32); 17] = [
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1_BCA0, 0x1_BCA3),
    (0x1_D173, 0x1_D17A),
    (0xE_0000, 0xE_0FFF),
];

/// Blocks whose letters (general category L, or the number letters Nl) stand alone: Thai and Lao, Myanmar with its extensions, Khmer,
/// kana, Han. Digits and punctuation in these blocks are like any other.
const SPACELESS: [(u32, u32); 17] = [
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x3035),
    (0x3038, 0x303C),
    (0x3041, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),
    (0x1_16D0, 0x1_16FF),
    (0x1_AFF0, 0x1_B16F),
    (0x2_0000, 0x3_FFFF),
];

/// Folded letters that count as Latin where a word mixes scripts: `a–z`, Latin-1 to the IPA extensions but `÷`, and Latin Extended
/// Additional.
const LATIN: [(u32, u32); 4] = [(0x61, 0x7A), (0xDF, 0xF6), (0xF8, 0x2AF), (0x1E00, 0x1EFF)];

fn within(ranges: &[(u32, u32)], c: char) -> bool {
    let c = u32::from(c);
    let next = ranges.partition_point(|(_, last)| *last < c);
    ranges.get(next).is_some_and(|(first, _)| *first <= c)
}

/// Whether nobody sees it.
pub(super) fn invisible(c: char) -> bool {
    c >= '\u{AD}' && within(&INVISIBLE, c)
}

/// Whether a folded letter is a Latin one.
pub(super) fn latin(c: char) -> bool {
    within(&LATIN, c)
}

/// Whether it is a nonspacing mark (general category Mn), which folding of accents drops.
pub(super) fn nonspacing(c: char) -> bool {
    c >= '\u{300}' && c.general_category() == GeneralCategory::NonspacingMark
}

/// What it does to words.
pub(super) fn class(c: char) -> Class {
    use GeneralCategory as G;
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() || c == '_' {
            Class::Letter
        } else {
            Class::Between
        };
    }
    match c.general_category() {
        G::UppercaseLetter | G::LowercaseLetter | G::TitlecaseLetter => letter(c),
        G::ModifierLetter | G::OtherLetter | G::LetterNumber => letter(c),
        G::DecimalNumber | G::OtherNumber => Class::Letter,
        G::NonspacingMark | G::SpacingMark | G::EnclosingMark => Class::Mark,
        _ => Class::Between,
    }
}

fn letter(c: char) -> Class {
    if c >= '\u{E00}' && within(&SPACELESS, c) {
        Class::Alone
    } else {
        Class::Letter
    }
}
