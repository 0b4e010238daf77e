//! The fast path: texts of the Latin alphabet, folded 64 bytes at a time.
//!
//! A text stays on it if each of its code points is known to fold by itself, to as many bytes as it has: ASCII, letters of Western and
//! Central Europe with their accents composed, the punctuation of typesetters, most emoji. No such code point composes with another or
//! is a look-alike, so words can be found and hashed in place. Anything else, and bytes that are no UTF-8, is left to [`super::fold`].
//!
//! Four passes over buffers that stay in the first cache: (1) lower case and one bit a byte, «part of a word», in plain loops that
//! compilers vectorise; (2) the few bytes beyond ASCII, one code point at a time; (3) the edges of words from the bits; (4) hashes.

use super::hash;

/// Bytes that are folded at once.
const BLOCK: usize = 64;
/// Bytes after the last block, so that a word's first 16 bytes can be loaded at once wherever it begins.
const SLACK: usize = 16;
/// Gathers the lowest bit of each byte into the highest byte.
const GATHER: u64 = 0x0102_0408_1020_4080;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// A word's chunk keeps as many low bytes as it has.
const KEEP: [u64; 9] = [
    0,
    0xFF,
    0xFFFF,
    0xFF_FFFF,
    0xFFFF_FFFF,
    0xFF_FFFF_FFFF,
    0xFFFF_FFFF_FFFF,
    0xFF_FFFF_FFFF_FFFF,
    u64::MAX,
];

/// U+00C0 to U+017F without accents: the letter of ASCII that is left, or a dot if none is.
const BARE: &[u8; 192] = b"\
    aaaaaa.ceeeeiiii.nooooo..uuuuy..aaaaaa.ceeeeiiii.nooooo..uuuuy.y\
    aaaaaaccccccccdd..eeeeeeeeeegggggggghh..iiiiiiiii...jjkk.llllll.\
    ...nnnnnn...oooooo..rrrrrrsssssssstttt..uuuuuuuuuuuuwwyyyzzzzzzs";

/// What a code point beyond ASCII does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Folds to these two bytes, which are part of a word.
    Word(u8, u8),
    /// Ends a word.
    Between,
    /// Nobody sees it: ends nothing, so it can stay only where no word would go on.
    Unseen,
    /// The slow path must read this text.
    Slow,
}

/// Buffers of the fast path.
#[derive(Debug, Default)]
pub(super) struct Latin {
    folded: Vec<u8>,
    /// One bit a byte of `folded`: part of a word.
    inside: Vec<u64>,
    /// One bit a byte: not ASCII.
    beyond: Vec<u64>,
    edges: Vec<u32>,
    /// The text without accents, if they don't count.
    bare: Vec<u8>,
    /// Hashes of the words of the text that was read last.
    pub(super) hashes: Vec<u64>,
    /// Whether that text had an invisible code point.
    pub(super) invisible: bool,
}

impl Latin {
    /// Reads the words of a text and says their sequence hash, or None if it must go the slow way.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<u128> {
        if u32::try_from(text.len()).is_err() {
            return None;
        }
        self.invisible = false;
        self.lower(text);
        self.settle(text)?;
        self.find_edges(text.len());
        Some(self.hash())
    }

    /// [`Self::read`] where accents don't count.
    pub(super) fn read_bare(&mut self, text: &[u8]) -> Option<u128> {
        let mut bare = std::mem::take(&mut self.bare);
        let sequence = strip(text, &mut bare).and_then(|()| self.read(&bare));
        self.bare = bare;
        sequence
    }

    /// Pass 1: lower case of ASCII, and the bits of every byte; all bytes beyond ASCII count as part of a word for now.
    fn lower(&mut self, text: &[u8]) {
        let blocks = text.len().div_ceil(BLOCK);
        if self.folded.len() < blocks * BLOCK + SLACK {
            self.folded.resize(blocks * BLOCK + SLACK, 0);
        }
        self.inside.clear();
        self.beyond.clear();
        let mut whole = text.chunks_exact(BLOCK);
        let mut to = self.folded.chunks_exact_mut(BLOCK);
        for (from, to) in whole.by_ref().zip(to.by_ref()) {
            if let (Ok(from), Ok(to)) = (from.try_into(), to.try_into()) {
                let (inside, beyond) = lower_block(from, to);
                self.inside.push(inside);
                self.beyond.push(beyond);
            }
        }
        let rest = whole.remainder();
        if let (false, Some(to)) = (rest.is_empty(), to.next()) {
            let mut from = [0; BLOCK];
            for (byte, other) in from.iter_mut().zip(rest) {
                *byte = *other;
            }
            if let Ok(to) = to.try_into() {
                let (inside, beyond) = lower_block(&from, to);
                self.inside.push(inside);
                self.beyond.push(beyond);
            }
        }
    }

    /// Pass 2: every code point beyond ASCII is folded in place or marked as no part of a word.
    fn settle(&mut self, text: &[u8]) -> Option<()> {
        let mut over = 0;
        for block in 0..self.beyond.len() {
            let mut left = *self.beyond.get(block)? & (u64::MAX << over);
            over = 0;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                let at = block * BLOCK + bit;
                let (fate, size) = fate(text.get(at..)?);
                match fate {
                    Fate::Word(a, b) => {
                        let to = self.folded.get_mut(at..at + 2)?;
                        to.copy_from_slice(&[a, b]);
                    }
                    Fate::Between => self.part(at, size),
                    Fate::Unseen => {
                        let before = at
                            .checked_sub(1)
                            .map(|at| (self.inside[at / BLOCK] >> (at % BLOCK)) & 1);
                        if before == Some(1) {
                            return None;
                        }
                        self.invisible = true;
                        self.part(at, size);
                    }
                    Fate::Slow => return None,
                }
                let done = bit + size;
                if done >= BLOCK {
                    over = done - BLOCK;
                    break;
                }
                left &= u64::MAX << done;
            }
        }
        Some(())
    }

    /// Marks `size` bytes as no part of a word.
    fn part(&mut self, at: usize, size: usize) {
        let ones = (1u64 << size) - 1;
        let bit = at % BLOCK;
        if let Some(bits) = self.inside.get_mut(at / BLOCK) {
            *bits &= !(ones << bit);
        }
        if bit + size > BLOCK {
            if let Some(bits) = self.inside.get_mut(at / BLOCK + 1) {
                *bits &= !(ones >> (BLOCK - bit));
            }
        }
    }

    /// Pass 3: where each word begins and ends, in turn.
    fn find_edges(&mut self, len: usize) {
        self.edges.clear();
        let mut before = 0;
        let mut base = 0;
        for inside in &self.inside {
            let mut turns = inside ^ ((inside << 1) | before);
            before = inside >> 63;
            while turns != 0 {
                self.edges.push(base + turns.trailing_zeros());
                turns &= turns - 1;
            }
            base = base.wrapping_add(BLOCK as u32);
        }
        if before != 0 {
            self.edges.push(len as u32);
        }
    }

    /// Pass 4: hashes of words and of their sequence.
    fn hash(&mut self) -> u128 {
        self.hashes.clear();
        let mut sequence = hash::Sequence::new();
        let (folded, edges) = (self.folded.as_slice(), self.edges.chunks_exact(2));
        self.hashes.extend(edges.map(|edge| {
            let word = word(folded, edge[0] as usize, edge[1] as usize);
            sequence.push(word);
            word
        }));
        sequence.end(self.hashes.len())
    }
}

/// Writes `text` without the accents of the letters up to U+017F; None if it has later letters of two bytes.
fn strip(text: &[u8], bare: &mut Vec<u8>) -> Option<()> {
    bare.clear();
    let mut rest = text;
    while let Some(at) = rest.iter().position(|b| *b >= 0xC3) {
        bare.extend_from_slice(rest.get(..at)?);
        rest = rest.get(at..)?;
        let size = match *rest {
            [a @ 0xC3..=0xC5, b @ 0x80..=0xBF, ..] => {
                match BARE[usize::from(a - 0xC3) << 6 | usize::from(b & 0x3F)] {
                    b'.' => bare.extend_from_slice(&[a, b]),
                    letter => bare.push(letter),
                }
                2
            }
            [0xC6..=0xDF, ..] => return None,
            [byte, ..] => {
                bare.push(byte);
                1
            }
            [] => 0,
        };
        rest = rest.get(size..)?;
    }
    bare.extend_from_slice(rest);
    Some(())
}

/// [`hash::word`] of the bytes `start..end`, without a branch on lengths up to 16.
#[inline(always)]
fn word(folded: &[u8], start: usize, end: usize) -> u64 {
    let len = end.wrapping_sub(start);
    let head = folded.get(start..start.wrapping_add(SLACK));
    let Some(head) = head.and_then(|head| <&[u8; SLACK]>::try_from(head).ok()) else {
        return hash::word(folded.get(start..end).unwrap_or_default());
    };
    if len > SLACK {
        return hash::word(folded.get(start..end).unwrap_or_default());
    }
    let both = u128::from_le_bytes(*head);
    let short = len.min(8);
    let first = both as u64 & KEEP[short % 9];
    let second = (both >> 64) as u64 & KEEP[(len - short) % 9];
    let one = hash::word_step(hash::word_start(len), first);
    let two = hash::word_step(one, second);
    hash::word_end(if len > 8 { two } else { one })
}

/// Folds 64 bytes; one bit a byte for «part of a word or beyond ASCII», and for «beyond ASCII».
#[inline(always)]
fn lower_block(from: &[u8; BLOCK], to: &mut [u8; BLOCK]) -> (u64, u64) {
    let mut inside = [0u8; BLOCK];
    for ((&b, to), inside) in from.iter().zip(to).zip(&mut inside) {
        let upper = b.wrapping_sub(b'A') < 26;
        *to = b | (u8::from(upper) << 5);
        let letter = (b | 0x20).wrapping_sub(b'a') < 26;
        let digit = b.wrapping_sub(b'0') < 10;
        *inside = u8::from(letter | digit | (b == b'_') | (b >= 0x80));
    }
    (gathered(&inside, 0, u64::MAX), gathered(from, 7, HIGH_BITS))
}

/// One bit of each byte: the lowest after shifting to the right.
#[inline(always)]
fn gathered(bytes: &[u8; BLOCK], shift: u32, mask: u64) -> u64 {
    let mut bits = [0u8; 8];
    for (bits, eight) in bits.iter_mut().zip(bytes.chunks_exact(8)) {
        let eight = u64::from_le_bytes(eight.try_into().unwrap_or_default());
        *bits = (((eight & mask) >> shift).wrapping_mul(GATHER) >> 56) as u8;
    }
    u64::from_le_bytes(bits)
}

/// What the code point at the beginning of `text` does, and its size in bytes.
#[inline(always)]
fn fate(text: &[u8]) -> (Fate, usize) {
    match *text {
        [a @ 0xC2..=0xC8, b @ 0x80..=0xBF, ..] => {
            let entry = TWO[usize::from(a - 0xC2) << 6 | usize::from(b & 0x3F)];
            (entry, 2)
        }
        [0xE2, 0x80, b @ 0x80..=0xBF, ..] => match b {
            0x8B..=0x8F | 0xAA..=0xAE => (Fate::Unseen, 3),
            _ => (Fate::Between, 3),
        },
        [0xE2, 0x82, 0xAC, ..] => (Fate::Between, 3),
        [0xEF, 0xB8, 0x8F, ..] | [0xEF, 0xBB, 0xBF, ..] => (Fate::Unseen, 3),
        [0xF0, 0x9F, 0x8C..=0xAB, 0x80..=0xBF, ..] => (Fate::Between, 4),
        _ => (Fate::Slow, 1),
    }
}

/// The code points U+0080 to U+023F.
const TWO: [Fate; 7 * 64] = {
    let mut table = [Fate::Slow; 7 * 64];
    let mut at = 0;
    while at < table.len() {
        table[at] = two(0x80 + at as u32);
        at += 1;
    }
    table
};

const fn two(c: u32) -> Fate {
    let folded = match c {
        0xAD => return Fate::Unseen,
        // ª ² ³ ¹ º ¼ ½ ¾ fold to other lengths.
        0xAA | 0xB2 | 0xB3 | 0xB9 | 0xBA | 0xBC..=0xBE => return Fate::Slow,
        0xB5 => 0x3BC,
        0x80..=0xBF | 0xD7 | 0xF7 => return Fate::Between,
        0xC0..=0xDE => c + 0x20,
        0xDF => return Fate::Word(b's', b's'),
        0xE0..=0xFF => c,
        // İ, ŀ, ŉ and ſ fold to other lengths.
        0x130 | 0x13F | 0x140 | 0x149 | 0x17F => return Fate::Slow,
        0x132 | 0x133 => return Fate::Word(b'i', b'j'),
        0x178 => 0xFF,
        0x131 | 0x138 => c,
        0x100..=0x137 | 0x14A..=0x177 | 0x200..=0x21F => c | 1,
        0x139..=0x148 | 0x179..=0x17E => c + (c & 1),
        _ => return Fate::Slow,
    };
    Fate::Word(0xC0 | (folded >> 6) as u8, 0x80 | (folded & 0x3F) as u8)
}
