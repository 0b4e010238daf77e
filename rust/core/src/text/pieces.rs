//! The general path: any script, one *piece* at a time, with what each piece folds to remembered.
//!
//! A text is cut into pieces that fold independently of each other: a piece begins at a visible code point whose compatibility
//! decomposition begins with a starter that composes with nothing before it (Unicode Standard Annex #15, §9.1: combining class 0 and
//! NFKC_QC = Yes) and with no mark, as marks may be dropped and let their neighbours meet. So each piece can be folded by the slow path
//! once and looked up ever after: code points in pages of 256, pieces of two or three in a cache of fixed size. And each folded letter
//! knows the bytes of the original text that it came from.
//!
//! Memory: 12 bytes a code point in the pages that were met, 13 MB if a text has all of Unicode.

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::{is_nfkc_quick, IsNormalized};

use super::class::{class, invisible, Class};
use super::fold::{Folder, BOTH};

const PAGE: usize = 256;
/// Pieces of two or three code points that are remembered.
const SLOTS: usize = 2048;

/// What is known of one code point.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Where it is folded in the arena; one more, as 0 is «not looked up yet».
    start: u32,
    len: u8,
    unseen: bool,
    clings: bool,
    /// Bits of [`BOTH`].
    scripts: u8,
    /// If it folds to one code point: that one's class.
    class: Option<Class>,
}

/// A piece of two or three code points.
#[derive(Clone, Debug, Default)]
struct Cached {
    key: u64,
    folded: String,
    scripts: u8,
}

/// Bytes `start..end` of the original text, which fold to what begins at `folded`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) folded: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The piece that is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    count: usize,
    first: Known,
    /// A one, then its code points in 21 bits each: unique up to three (a text may hold U+0000).
    key: u64,
    start: usize,
    end: usize,
}

/// Cuts a folded text into words while it grows.
#[derive(Debug, Default)]
struct Cutter {
    /// Where a word began, whether it is a letter that stands alone, and what scripts it has.
    open: Option<(usize, bool, u8)>,
    words: Vec<(usize, usize)>,
    lookalike: bool,
    /// Whether a piece folded to more than one word («⒱»), so that its scripts are not those of each.
    broken: bool,
}

/// Buffers and memory of the general path.
#[derive(Debug)]
pub(super) struct Pieces {
    fold_accents: bool,
    pages: Vec<Option<Box<[Known; PAGE]>>>,
    arena: String,
    cache: Vec<Cached>,
    folder: Folder,
    piece: String,
    cutter: Cutter,
    /// The folded text.
    pub(super) folded: String,
    /// Where each piece came from, if asked for.
    pub(super) places: Vec<Place>,
    /// Whether an invisible code point was removed.
    pub(super) invisible: bool,
}

impl Pieces {
    pub(super) fn new(fold_accents: bool) -> Self {
        Self {
            fold_accents,
            pages: Vec::new(),
            arena: String::new(),
            cache: Vec::new(),
            folder: Folder::default(),
            piece: String::new(),
            cutter: Cutter::default(),
            folded: String::new(),
            places: Vec::new(),
            invisible: false,
        }
    }

    /// Folds `text` and cuts it into words; with `trace`, [`Self::places`] says where each piece stood.
    pub(super) fn read(&mut self, text: &str, trace: bool) {
        self.folded.clear();
        self.places.clear();
        self.invisible = false;
        self.cutter.open = None;
        self.cutter.words.clear();
        self.cutter.lookalike = false;
        self.cutter.broken = false;
        let mut open = Open::default();
        for (at, c) in text.char_indices() {
            let known = self.known(c);
            if known.unseen {
                self.invisible = true;
                continue;
            }
            if open.count == 0 || !known.clings {
                self.close(&open, trace);
                open = Open {
                    first: known,
                    key: 1,
                    start: at,
                    ..Open::default()
                };
                self.piece.clear();
            }
            open.count += 1;
            open.key = (open.key << 21) | u64::from(c);
            open.end = at + c.len_utf8();
            self.piece.push(c);
        }
        self.close(&open, trace);
        self.cutter.close(self.folded.len());
        if self.cutter.broken {
            self.folder.fold(text, self.fold_accents);
            self.cutter.lookalike = self.folder.lookalike();
        }
    }

    /// Where each word begins and ends in the folded text.
    pub(super) fn words(&self) -> &[(usize, usize)] {
        &self.cutter.words
    }

    /// Whether a word mixes Latin letters with look-alikes.
    pub(super) fn lookalike(&self) -> bool {
        self.cutter.lookalike
    }

    /// Folds the open piece and hands its code points to the cutter.
    fn close(&mut self, open: &Open, trace: bool) {
        if trace && open.count > 0 {
            self.places.push(Place {
                folded: self.folded.len(),
                start: open.start,
                end: open.end,
            });
        }
        match open.count {
            0 => {}
            1 => {
                let start = open.first.start.saturating_sub(1) as usize;
                let text = self.arena.get(start..start + usize::from(open.first.len));
                let text = text.unwrap_or_default();
                match open.first.class {
                    Some(class) => self
                        .cutter
                        .take(self.folded.len(), class, open.first.scripts),
                    None => self
                        .cutter
                        .take_all(self.folded.len(), text, open.first.scripts),
                }
                self.folded.push_str(text);
            }
            2 | 3 => self.close_cached(open.key),
            _ => {
                self.folder.fold(&self.piece, self.fold_accents);
                let (text, scripts) = (self.folder.text.as_str(), self.folder.scripts());
                self.cutter.take_all(self.folded.len(), text, scripts);
                self.folded.push_str(text);
            }
        }
    }

    fn close_cached(&mut self, key: u64) {
        if self.cache.is_empty() {
            self.cache.resize(SLOTS, Cached::default());
        }
        let slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53) as usize % SLOTS;
        let Some(cached) = self.cache.get_mut(slot) else {
            return;
        };
        if cached.key != key {
            self.folder.fold(&self.piece, self.fold_accents);
            cached.key = key;
            cached.folded.clone_from(&self.folder.text);
            cached.scripts = self.folder.scripts();
        }
        self.cutter
            .take_all(self.folded.len(), &cached.folded, cached.scripts);
        self.folded.push_str(&cached.folded);
    }

    #[inline]
    fn known(&mut self, c: char) -> Known {
        let (page, at) = (u32::from(c) as usize / PAGE, u32::from(c) as usize % PAGE);
        match self.pages.get(page) {
            Some(Some(page)) if page[at].start != 0 => page[at],
            _ => self.learn(c, page, at),
        }
    }

    #[cold]
    fn learn(&mut self, c: char, page: usize, at: usize) -> Known {
        let mut own = [0; 4];
        self.folder.fold(c.encode_utf8(&mut own), self.fold_accents);
        let mut points = self.folder.text.chars();
        let known = Known {
            start: self.arena.len() as u32 + 1,
            len: self.folder.text.len() as u8,
            unseen: invisible(c),
            clings: clings(c),
            scripts: self.folder.scripts(),
            class: points.next().filter(|_| points.next().is_none()).map(class),
        };
        self.arena.push_str(&self.folder.text);
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        if let Some(page) = self.pages.get_mut(page) {
            page.get_or_insert_with(|| Box::new([Known::default(); PAGE]))[at] = known;
        }
        known
    }
}

impl Cutter {
    fn take_all(&mut self, mut at: usize, text: &str, scripts: u8) {
        for c in text.chars() {
            let class = class(c);
            self.broken |= scripts != 0 && class == Class::Between;
            self.take(at, class, scripts);
            at += c.len_utf8();
        }
    }

    /// The next code point: it begins at `at` and is of a piece with these scripts.
    #[inline]
    fn take(&mut self, at: usize, class: Class, scripts: u8) {
        let goes_on = match class {
            Class::Letter => matches!(self.open, Some((_, false, _))),
            Class::Mark => true,
            Class::Alone | Class::Between => false,
        };
        if goes_on {
            if let Some((_, _, before)) = &mut self.open {
                *before |= scripts;
            }
            return;
        }
        self.close(at);
        if class != Class::Between {
            self.open = Some((at, class == Class::Alone, scripts));
        }
    }

    fn close(&mut self, at: usize) {
        if let Some((start, _, scripts)) = self.open.take() {
            self.words.push((start, at));
            self.lookalike |= scripts == BOTH;
        }
    }
}

/// Whether a code point may change together with the one before it.
fn clings(c: char) -> bool {
    if c < '\u{300}' {
        return false;
    }
    let mut first = None;
    decompose_compatible(c, |part| {
        first.get_or_insert(part);
    });
    let first = first.unwrap_or(c);
    class(first) == Class::Mark
        || canonical_combining_class(first) != 0
        || is_nfkc_quick(std::iter::once(first)) != IsNormalized::Yes
}
