//! How is an index written down, and is what was read one?
//!
//! As columns with a row for each text, by the code points of the ids, so that the same texts give the same bytes whatever happened
//! before. The first row of a sequence of words carries its shingles; later ones name that row. Groups are not written: they are found
//! again, so no file can claim a group that the shingles don't bear out.
//!
//! `Index::from_parts` checks everything that it builds on and allocates nothing that its input has not the size of. The digest finds
//! damage; it is no signature, and whoever can write the file can write its digest.

use sha2::{Digest, Sha256};

use super::super::measure::Rule;
use super::{postings, Index, Shelves, Touched, Words, NONE};

/// Columns of an index of n texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// n + 1 bounds of the ids in `id_bytes`.
    pub id_bounds: Vec<i64>,
    /// Ids in UTF-8, ascending.
    pub id_bytes: Vec<u8>,
    /// 16 bytes for each text, little-endian: hash of its sequence of words; zero for a text without words.
    pub sequences: Vec<u8>,
    /// The row that carries each text's shingles: its own or an earlier one.
    pub firsts: Vec<u32>,
    /// n + 1 bounds of the texts' shingles in `shingles`.
    pub bounds: Vec<i64>,
    /// Ascending within each text.
    pub shingles: Vec<u64>,
}

/// Why columns are no index. Rows count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartFault {
    /// Columns have different lengths, or bounds don't ascend from the first to the last value.
    Shape,
    /// More rows than can be numbered.
    Full,
    /// An id is empty, no UTF-8, or not above the one before.
    Id(usize),
    /// Shingles don't ascend, or a row that names another has some of its own.
    Shingles(usize),
    /// A row names a row that does not carry the shingles of its sequence, or repeats one that it should name.
    First(usize),
    /// A text without words has a hash.
    Sequence(usize),
    /// The caller said stop.
    Stopped,
}

impl Parts {
    /// SHA-256, in hexadecimal, of the settings and the columns, each with its length before it.
    pub fn digest(&self, settings: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(b"klero-index/1\0");
        hashed(&mut hash, settings, |b| [*b]);
        hashed(&mut hash, &self.id_bounds, |v| v.to_le_bytes());
        hashed(&mut hash, &self.id_bytes, |b| [*b]);
        hashed(&mut hash, &self.sequences, |b| [*b]);
        hashed(&mut hash, &self.firsts, |v| v.to_le_bytes());
        hashed(&mut hash, &self.bounds, |v| v.to_le_bytes());
        hashed(&mut hash, &self.shingles, |v| v.to_le_bytes());
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The number of rows, if all columns have it.
    fn rows(&self) -> Option<usize> {
        let n = self.firsts.len();
        let lengths = self.id_bounds.len() == n + 1 && self.bounds.len() == n + 1;
        let ids = ascends(&self.id_bounds, self.id_bytes.len());
        let shingles = ascends(&self.bounds, self.shingles.len());
        (lengths && ids && shingles && self.sequences.len() == 16 * n).then_some(n)
    }

    fn id(&self, row: usize) -> Option<&str> {
        std::str::from_utf8(&self.id_bytes[part(&self.id_bounds, row)]).ok()
    }

    fn shingles(&self, row: usize) -> &[u64] {
        &self.shingles[part(&self.bounds, row)]
    }

    fn sequence(&self, row: usize) -> u128 {
        let bytes = self.sequences[16 * row..].first_chunk();
        bytes.map_or(0, |bytes| u128::from_le_bytes(*bytes))
    }

    /// What is wrong with a row, given that those before it are sound.
    fn fault(&self, row: usize) -> Option<PartFault> {
        let sound = self.id(row).filter(|id| !id.is_empty());
        let after = row == 0 || self.id(row - 1) < sound;
        if sound.is_none() || !after {
            return Some(PartFault::Id(row));
        }
        let (shingles, first) = (self.shingles(row), self.firsts[row] as usize);
        if shingles.windows(2).any(|pair| pair[0] >= pair[1])
            || (first != row && !shingles.is_empty())
        {
            return Some(PartFault::Shingles(row));
        }
        if first == row {
            let hashed = shingles.is_empty() && self.sequence(row) != 0;
            return hashed.then_some(PartFault::Sequence(row));
        }
        let carries =
            first < row && self.firsts[first] as usize == first && !self.shingles(first).is_empty();
        let same = carries && self.sequence(first) == self.sequence(row);
        (!same).then_some(PartFault::First(row))
    }
}

/// Whether bounds ascend from 0 to `end`: then every part lies inside.
fn ascends(bounds: &[i64], end: usize) -> bool {
    let ends = bounds.first() == Some(&0) && bounds.last().map(|b| *b as u64) == Some(end as u64);
    ends && bounds.windows(2).all(|pair| pair[0] <= pair[1])
}

fn part(bounds: &[i64], row: usize) -> std::ops::Range<usize> {
    bounds[row] as usize..bounds[row + 1] as usize
}

/// Adds the number of values and the values to a hash.
fn hashed<T, const N: usize>(hash: &mut Sha256, values: &[T], bytes: impl Fn(&T) -> [u8; N]) {
    hash.update((values.len() as u64).to_le_bytes());
    for some in values.chunks(4096) {
        let block: Vec<u8> = some.iter().flat_map(&bytes).collect();
        hash.update(&block);
    }
}

impl Index {
    /// The columns of this index.
    pub fn parts(&self) -> Parts {
        let order = self.ids.by_code_points();
        let mut parts = Parts {
            id_bounds: vec![0],
            bounds: vec![0],
            ..Parts::default()
        };
        let mut carriers = vec![NONE; self.letters.rows.len()];
        for (row, number) in order.iter().enumerate() {
            let letter = self.places[*number as usize].letter;
            let (mut first, mut sequence) = (row as u32, 0);
            if letter != NONE {
                let words = &self.letters.rows[letter as usize].words;
                let carrier = &mut carriers[letter as usize];
                if *carrier == NONE {
                    *carrier = first;
                    parts.shingles.extend_from_slice(&words.shingles);
                }
                (first, sequence) = (*carrier, words.sequence);
            }
            parts
                .id_bytes
                .extend_from_slice(self.ids.text(*number).as_bytes());
            parts.id_bounds.push(parts.id_bytes.len() as i64);
            parts.sequences.extend_from_slice(&sequence.to_le_bytes());
            parts.firsts.push(first);
            parts.bounds.push(parts.shingles.len() as i64);
        }
        parts
    }

    /// The index of these columns.
    ///
    /// # Errors
    /// The first thing that is wrong with them; or `alive` said no.
    pub fn from_parts(
        rule: Rule,
        parts: &Parts,
        alive: &dyn Fn() -> bool,
    ) -> Result<Self, PartFault> {
        let rows = parts.rows().ok_or(PartFault::Shape)?;
        if rows >= postings::MOST {
            return Err(PartFault::Full);
        }
        let mut index = Self::new(rule);
        let mut shelves = Shelves::default();
        let mut letters = Vec::with_capacity(rows);
        for row in 0..rows {
            if row % 64 == 63 && !alive() {
                return Err(PartFault::Stopped);
            }
            if let Some(fault) = parts.fault(row) {
                return Err(fault);
            }
            let first = parts.firsts[row] as usize;
            let number = index.ids.enter(parts.id(row).unwrap_or_default());
            if first != row {
                // Not through its shingles: a million copies of a long text would take for ever.
                letters.push(letters[first]);
                index.enter_copy(number, letters[first], &mut Touched::new());
                continue;
            }
            let words = Words {
                shingles: parts.shingles(row).into(),
                sequence: parts.sequence(row),
            };
            if index.find(&words).is_some() {
                return Err(PartFault::First(row));
            }
            index.enter(number, words, &mut shelves, &mut Touched::new());
            letters.push(index.places[number as usize].letter);
        }
        index.shelves = shelves;
        index.name_all();
        Ok(index)
    }
}
