//! The words of all texts, as numbers, and where a run of words ends.
//!
//! Words are those of «klero-text/1», accents kept. Between two words, a run goes on over spaces, apostrophes, and one hyphen, slash or ampersand; anything else ends it, and so
//! does an address of the web or of e-mail, whose words are not read. The ending of «citoyen·ne·s» or «élu(e)s» is part of its word; «don't» is one word that says «n't»;
//! «d'accord» or «rendez-vous» are one where a list says so, and «sous-traitance» is, since «sous» alone says nothing.

use std::collections::HashMap;
use std::ops::Range;

use super::lists::{key, Kind, Known, Language, Lists, NT};
use crate::neardup::crew::Crew;
use crate::neardup::Texts;
use crate::text::{Reader, Reading, WordSpan};

/// Rows that are read at once.
pub(super) const BLOCK: usize = 256;

const ENDINGS: [&str; 11] = [
    "e", "es", "s", "ne", "nes", "trice", "trices", "rice", "rices", "euse", "euses",
];

/// A word in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(u32);

const BROKEN: u32 = 1 << 31;
const HYPHEN: u32 = 1 << 30;

impl Token {
    /// The number of the word.
    pub(super) fn word(self) -> usize {
        (self.0 & !(BROKEN | HYPHEN)) as usize
    }

    /// Whether a run can't go on to it.
    pub(super) fn broken(self) -> bool {
        self.0 & BROKEN != 0
    }

    /// Whether only a hyphen stands before it.
    pub(super) fn hyphen(self) -> bool {
        self.0 & HYPHEN != 0
    }
}

/// A word as it is found in a text.
pub(super) struct Found {
    pub(super) form: String,
    /// Bytes of the text.
    pub(super) place: Range<usize>,
    broken: bool,
    hyphen: bool,
}

/// Reads one text after the other.
pub(super) struct Cutter<'a> {
    lists: &'a Lists,
    reader: Reader,
    spans: Vec<WordSpan>,
    forms: Vec<String>,
    /// What was found in the text that was read last.
    pub(super) found: Vec<Found>,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(lists: &'a Lists) -> Self {
        let reading = Reading {
            shingle: 1,
            fold_accents: false,
        };
        Self {
            lists,
            reader: Reader::new(reading),
            spans: Vec::new(),
            forms: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Reads one text.
    pub(super) fn cut(&mut self, text: &str) {
        let mut forms = std::mem::take(&mut self.forms);
        forms.clear();
        self.reader
            .spanned(text, &mut self.spans, |word| forms.push(word.to_owned()));
        self.found.clear();
        let addresses = addresses(text);
        let mut passed = addresses.iter().peekable();
        let (mut broken, mut before) = (true, 0);
        for (form, span) in forms.drain(..).zip(&self.spans) {
            while passed
                .next_if(|address| address.end <= span.start)
                .is_some()
            {}
            let gap = text.get(before..span.start).unwrap_or_default();
            before = span.end;
            if passed
                .peek()
                .is_some_and(|address| address.start <= span.start)
            {
                broken = true;
                continue;
            }
            let place = span.start..span.end;
            if broken || !joins(self.lists, &mut self.found, text, &form, &place, gap) {
                self.found.push(Found {
                    form,
                    place,
                    broken: broken || !links(gap),
                    hyphen: !broken && one(gap).is_some_and(is_hyphen),
                });
            }
            broken = false;
        }
        self.forms = forms;
    }
}

/// Adds a word to the one before it, if both are one.
fn joins(
    lists: &Lists,
    found: &mut [Found],
    text: &str,
    form: &str,
    place: &Range<usize>,
    gap: &str,
) -> bool {
    let (Some(last), Some(between)) = (found.last_mut(), one(gap)) else {
        return false;
    };
    let ending = is_dot(between)
        || ((is_hyphen(between) || matches!(between, '.' | '(' | ')')) && ENDINGS.contains(&form));
    if ending {
        let closed = text.as_bytes().get(place.end) == Some(&b')');
        last.place.end = place.end + usize::from(closed);
        return true;
    }
    if is_apostrophe(between) && form == "t" {
        NT.clone_into(&mut last.form);
        last.place.end = place.end;
        return true;
    }
    if is_hyphen(between) || is_apostrophe(between) {
        let first = Known::of(&last.form, lists);
        let sign = if is_hyphen(between) { '-' } else { '\'' };
        let both = format!("{}{sign}{form}", last.form);
        let known = Known::of(&both, lists);
        let prefix =
            sign == '-' && first.stops() && !first.letter() && Known::of(form, lists).content();
        if prefix || known.whole() || known.stops() {
            last.form = both;
            last.place.end = place.end;
            return true;
        }
    }
    false
}

fn one(gap: &str) -> Option<char> {
    let mut chars = gap.chars();
    chars.next().filter(|_| chars.next().is_none())
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | '′')
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

fn is_dot(c: char) -> bool {
    matches!(c, '·' | '•' | '‧' | '⋅')
}

fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{A0}' | '\u{202F}' | '\u{2000}'..='\u{200A}' | '\u{205F}' | '\u{3000}'
    )
}

fn links(gap: &str) -> bool {
    gap.chars().all(|c| is_space(c) || is_apostrophe(c))
        || one(gap).is_some_and(|c| is_hyphen(c) || matches!(c, '/' | '&'))
}

/// Runs of a text without white space that are addresses.
pub(crate) fn addresses(text: &str) -> Vec<Range<usize>> {
    if !text.contains("://") && !text.contains('@') && !text.contains(['w', 'W']) {
        return Vec::new();
    }
    let parts = text.split(char::is_whitespace).map(|part| {
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        (part, start..start + part.len())
    });
    let web = |part: &str| {
        part.get(..4)
            .is_some_and(|begin| begin.eq_ignore_ascii_case("www."))
    };
    parts
        .filter(|(part, _)| part.contains("://") || part.contains('@') || web(part))
        .map(|(_, place)| place)
        .collect()
}

/// All texts, read.
pub(super) struct Corpus {
    blocks: Vec<Block>,
    known: Vec<Known>,
    /// The key of each word.
    keys: Vec<u32>,
    /// The keys themselves.
    pub(super) names: Vec<String>,
    main: Language,
    pub(super) languages: [u32; 3],
}

/// The words of some rows, one row after the other.
#[derive(Default)]
struct Block {
    tokens: Vec<Token>,
    ends: Vec<u32>,
}

#[derive(Default)]
struct Part {
    numbers: HashMap<String, u32>,
    blocks: Vec<(usize, Block)>,
}

impl Part {
    fn token(&mut self, found: &Found) -> Token {
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(&found.form) {
            Some(number) => *number,
            None => {
                self.numbers.insert(found.form.clone(), next);
                next
            }
        };
        let broken = if found.broken { BROKEN } else { 0 };
        Token(number | broken | if found.hyphen { HYPHEN } else { 0 })
    }
}

impl Corpus {
    /// Reads all texts.
    pub(super) fn read<T: Texts + ?Sized>(
        crew: &Crew<'_>,
        texts: &T,
        lists: &Lists,
    ) -> Option<Self> {
        let rows = texts.len();
        let parts = crew.share(
            "reading",
            rows.div_ceil(BLOCK),
            || (Part::default(), Cutter::new(lists), Vec::new()),
            |(part, cutter, scratch), number| {
                let mut block = Block::default();
                for row in number * BLOCK..rows.min((number + 1) * BLOCK) {
                    texts.with(row as u32, scratch, |text| {
                        cutter.cut(&String::from_utf8_lossy(text));
                    });
                    let tokens = cutter.found.iter().map(|found| part.token(found));
                    block.tokens.extend(tokens);
                    block.ends.push(block.tokens.len() as u32);
                }
                part.blocks.push((number, block));
            },
        )?;
        let mut corpus = Self::joined(parts.into_iter().map(|(part, ..)| part), lists);
        for row in 0..rows {
            let shown = match corpus.shown(row) {
                Language::French => 0,
                Language::English => 1,
                Language::Unknown => 2,
            };
            corpus.languages[shown] += 1;
        }
        let [french, english, _] = corpus.languages;
        corpus.main = match french.cmp(&english) {
            std::cmp::Ordering::Greater => Language::French,
            std::cmp::Ordering::Less => Language::English,
            std::cmp::Ordering::Equal => Language::Unknown,
        };
        Some(corpus)
    }

    /// One numbering for all threads' words. Whose comes first changes numbers, and nothing that is told.
    fn joined(parts: impl Iterator<Item = Part>, lists: &Lists) -> Self {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut blocks = Vec::new();
        for part in parts {
            let mut new = vec![0; part.numbers.len()];
            for (form, old) in part.numbers {
                let next = numbers.len() as u32;
                if let Some(new) = new.get_mut(old as usize) {
                    *new = *numbers.entry(form).or_insert(next);
                }
            }
            for (at, mut block) in part.blocks {
                for token in &mut block.tokens {
                    let number = new.get(token.word()).copied().unwrap_or_default();
                    token.0 = (token.0 & (BROKEN | HYPHEN)) | number;
                }
                blocks.push((at, block));
            }
        }
        blocks.sort_unstable_by_key(|(at, _)| *at);
        let mut forms = vec![String::new(); numbers.len()];
        for (form, number) in numbers {
            if let Some(place) = forms.get_mut(number as usize) {
                *place = form;
            }
        }
        let known = forms.iter().map(|form| Known::of(form, lists)).collect();
        let mut named: HashMap<String, u32> = HashMap::new();
        let mut names = Vec::new();
        let keys = forms.iter().map(|form| {
            let key = if form == NT { NT.to_owned() } else { key(form) };
            *named.entry(key).or_insert_with_key(|key| {
                names.push(key.clone());
                names.len() as u32 - 1
            })
        });
        Self {
            blocks: blocks.into_iter().map(|(_, block)| block).collect(),
            known,
            keys: keys.collect(),
            names,
            main: Language::Unknown,
            languages: [0; 3],
        }
    }

    /// The words of a row.
    pub(super) fn tokens(&self, row: usize) -> &[Token] {
        let (block, at) = (self.blocks.get(row / BLOCK), row % BLOCK);
        let tokens = block.and_then(|block| {
            let start = match at.checked_sub(1) {
                Some(before) => *block.ends.get(before)?,
                None => 0,
            };
            block
                .tokens
                .get(start as usize..*block.ends.get(at)? as usize)
        });
        tokens.unwrap_or_default()
    }

    /// The language that a row's function words show.
    fn shown(&self, row: usize) -> Language {
        let (mut french, mut english) = (0, 0);
        for token in self.tokens(row) {
            match self.known.get(token.word()).map(|known| known.shows()) {
                Some(Language::French) => french += 1,
                Some(Language::English) => english += 1,
                _ => {}
            }
        }
        match french.cmp(&english) {
            std::cmp::Ordering::Greater => Language::French,
            std::cmp::Ordering::Less => Language::English,
            std::cmp::Ordering::Equal => Language::Unknown,
        }
    }

    /// The language in which a row is read: what it shows, else that of most rows.
    pub(super) fn language(&self, row: usize) -> Language {
        match self.shown(row) {
            Language::Unknown => self.main,
            shown => shown,
        }
    }

    /// What a word does in a text of a language, and its key.
    pub(super) fn kind(&self, token: Token, language: Language) -> (Kind, u32) {
        let known = self.known.get(token.word());
        let key = self.keys.get(token.word()).copied().unwrap_or_default();
        let nothing = Kind::Stop { connects: false };
        (known.map_or(nothing, |known| known.kind(language)), key)
    }
}
