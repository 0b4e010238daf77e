//! From a batch of rows to records, grouped by part.
//!
//! A record is hash of the id (32 bytes), place (8: row number below, stratum above bit 40), weight (8), and, where addresses
//! matter, the key of the address (16); numbers are little-endian. Grouping is a counting sort: two passes, linear.

use super::hash::{Digest, IdHasher};
use super::key::{address, canonical, digits, IdFault};
use super::PARTS;

/// Bytes of a record without an address.
pub const PLAIN: usize = 48;
/// Bytes of a record with the key of its address.
pub const HOUSED: usize = 64;
/// Rows are numbered below this.
pub const ROW_LIMIT: u64 = 1 << 40;
/// Strata are numbered below this.
pub const STRATUM_LIMIT: u32 = 1 << 24;
/// Faults that are told in full; the rest is counted.
pub const FAULTS_TOLD: usize = 20;

/// A column of text: row i is `bytes[offsets[i]..offsets[i + 1]]`.
pub struct Texts<'a> {
    /// One more than there are rows.
    pub offsets: &'a [i64],
    /// All texts, one after the other.
    pub bytes: &'a [u8],
}

impl Texts<'_> {
    /// The bytes of one row; empty if the offsets are not those of the bytes.
    pub fn row(&self, i: usize) -> &[u8] {
        let end = |k: usize| {
            self.offsets
                .get(k)
                .and_then(|offset| usize::try_from(*offset).ok())
        };
        match (end(i), end(i + 1)) {
            (Some(from), Some(to)) => self.bytes.get(from..to).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The ids of a batch.
pub enum Ids<'a> {
    /// Whole numbers.
    Whole(&'a [i64]),
    /// Text.
    Text(Texts<'a>),
}

/// Rows to be made records of.
pub struct Batch<'a> {
    /// The ids.
    pub ids: Ids<'a>,
    /// The stratum of each row, or nothing: then all are in stratum 0.
    pub strata: &'a [u32],
    /// The weight of each row, above zero, or nothing: then all are 1.
    pub weights: &'a [i64],
    /// The columns of the address, or none.
    pub address: &'a [Texts<'a>],
    /// Number of the first row.
    pub first: u64,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// Its id.
    Id(IdFault),
}

impl Batch<'_> {
    /// How many rows.
    pub fn rows(&self) -> usize {
        match &self.ids {
            Ids::Whole(numbers) => numbers.len(),
            Ids::Text(texts) => texts.offsets.len().saturating_sub(1),
        }
    }

    /// Bytes of each row's record.
    pub fn width(&self) -> usize {
        Records::width(!self.address.is_empty())
    }
}

/// What is known of a batch's records.
pub struct Scattered {
    /// Where each part begins in the records, in bytes, and the end.
    pub starts: Vec<u64>,
    /// The first faults, by row within the batch.
    pub faults: Vec<(u64, RowFault)>,
    /// How many rows are at fault.
    pub faulty: u64,
    /// How many rows have no address, where addresses matter.
    pub alone: u64,
}

/// One record, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Hash of the id.
    pub id: Digest,
    /// Row number and stratum, packed.
    pub place: u64,
    /// The weight.
    pub weight: u64,
}

impl Record {
    /// The stratum.
    pub fn stratum(&self) -> u32 {
        u32::try_from(self.place >> 40).unwrap_or(0)
    }

    /// The row number.
    pub fn row(&self) -> u64 {
        self.place % ROW_LIMIT
    }
}

/// The records of one part, as they lie in memory.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    bytes: &'a [u8],
    width: usize,
}

impl<'a> Records<'a> {
    /// Records with or without addresses. Bytes that don't fill a record at the end are left out.
    pub fn new(bytes: &'a [u8], housed: bool) -> Self {
        Self {
            bytes,
            width: Self::width(housed),
        }
    }

    /// Bytes of one record.
    pub fn width(housed: bool) -> usize {
        if housed {
            HOUSED
        } else {
            PLAIN
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.width
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of one record.
    pub fn raw(&self, i: usize) -> &'a [u8] {
        &self.bytes[i * self.width..(i + 1) * self.width]
    }

    /// One record.
    pub fn get(&self, i: usize) -> Record {
        let raw = self.raw(i);
        let mut id = [0; 32];
        id.copy_from_slice(&raw[..32]);
        Record {
            id,
            place: word(&raw[32..40]),
            weight: word(&raw[40..48]),
        }
    }

    /// The key of the address; empty in plain records.
    pub fn address(&self, i: usize) -> &'a [u8] {
        &self.raw(i)[PLAIN..]
    }
}

/// A little-endian number of up to eight bytes.
pub fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |x, b| (x << 8) | u64::from(*b))
}

/// One part from its pieces, in any order of records. A long part is grouped by the second byte of its key (the id's hash, or the
/// address), so that a walk in the order of keys stays within the processor's cache: at 10^8 rows a part has 20 MB.
pub fn gathered(pieces: &[&[u8]], housed: bool, by_address: bool) -> Vec<u8> {
    let width = Records::width(housed);
    let at = if by_address { PLAIN + 1 } else { 1 };
    let rows = pieces
        .iter()
        .map(|piece| piece.len() / width)
        .sum::<usize>();
    if rows < 1 << 14 || at >= width {
        return pieces.concat();
    }
    grouped(pieces, width, at).0
}

/// Records of so many bytes grouped by the byte `at` of each, and where each of the 256 groups begins, in bytes, and the end. `at` < `width`.
pub fn grouped(pieces: &[&[u8]], width: usize, at: usize) -> (Vec<u8>, Vec<u64>) {
    let records = || pieces.iter().flat_map(|piece| piece.chunks_exact(width));
    let mut next = [0_usize; 257];
    for raw in records() {
        next[usize::from(raw[at]) + 1] += width;
    }
    for i in 0..256 {
        next[i + 1] += next[i];
    }
    let starts = next.iter().map(|start| *start as u64).collect();
    let mut grouped = vec![0; next[256]];
    for raw in records() {
        let target = &mut next[usize::from(raw[at])];
        grouped[*target..*target + width].copy_from_slice(raw);
        *target += width;
    }
    (grouped, starts)
}

/// Writes the records of a batch, by part. `records` has room for all of them.
pub fn scatter(batch: &Batch<'_>, records: &mut [u8]) -> Scattered {
    let (rows, width) = (batch.rows(), batch.width());
    let mut faults = Faults::default();
    let hashes = id_hashes(&batch.ids, rows, &mut faults);
    let (houses, alone) = addresses(batch.address, &hashes);
    let mut starts = vec![0_u64; PARTS + 1];
    for hash in &hashes {
        starts[usize::from(hash[0]) + 1] += width as u64;
    }
    for part in 0..PARTS {
        starts[part + 1] += starts[part];
    }
    let mut next: Vec<usize> = starts
        .iter()
        .map(|start| usize::try_from(*start).unwrap_or(0))
        .collect();
    for (i, hash) in hashes.iter().enumerate() {
        let at = &mut next[usize::from(hash[0])];
        let target = &mut records[*at..*at + width];
        *at += width;
        let stratum = batch.strata.get(i).copied().unwrap_or(0);
        let place = (u64::from(stratum) << 40) | (batch.first + i as u64);
        let weight = batch
            .weights
            .get(i)
            .map_or(1, |w| u64::try_from(*w).unwrap_or(0));
        target[..32].copy_from_slice(hash);
        target[32..40].copy_from_slice(&place.to_le_bytes());
        target[40..48].copy_from_slice(&weight.to_le_bytes());
        if let Some(house) = houses.get(i) {
            target[48..].copy_from_slice(house);
        }
    }
    Scattered {
        starts,
        faults: faults.told,
        faulty: faults.count,
        alone,
    }
}

#[derive(Default)]
struct Faults {
    told: Vec<(u64, RowFault)>,
    count: u64,
}

impl Faults {
    fn add(&mut self, row: usize, fault: RowFault) {
        self.count += 1;
        if self.told.len() < FAULTS_TOLD {
            self.told.push((row as u64, fault));
        }
    }
}

fn id_hashes(ids: &Ids<'_>, rows: usize, faults: &mut Faults) -> Vec<Digest> {
    let hasher = IdHasher::default();
    let mut buffer = [0; 20];
    match ids {
        Ids::Whole(numbers) => numbers
            .iter()
            .map(|number| hasher.hash(digits(*number, &mut buffer)))
            .collect(),
        Ids::Text(texts) => (0..rows)
            .map(|i| match canonical(texts.row(i)) {
                Ok(id) => hasher.hash(&id),
                Err(fault) => {
                    faults.add(i, RowFault::Id(fault));
                    [0; 32]
                }
            })
            .collect(),
    }
}

/// The key of each row's address, and how many rows have none. Who has none lives alone, under the second half of the id's hash.
fn addresses(columns: &[Texts<'_>], hashes: &[Digest]) -> (Vec<[u8; 16]>, u64) {
    let mut alone = 0;
    if columns.is_empty() {
        return (Vec::new(), alone);
    }
    let keys = hashes.iter().enumerate().map(|(i, hash)| {
        let lines: Vec<&[u8]> = columns.iter().map(|column| column.row(i)).collect();
        address(&lines).unwrap_or_else(|| {
            alone += 1;
            let mut own = [0; 16];
            own.copy_from_slice(&hash[16..]);
            own
        })
    });
    (keys.collect(), alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathering_only_moves_records() {
        let numbers: Vec<i64> = (0..40_000).collect();
        let batch = Batch {
            ids: Ids::Whole(&numbers),
            strata: &[],
            weights: &[],
            address: &[],
            first: 0,
        };
        let mut records = vec![0; batch.rows() * batch.width()];
        scatter(&batch, &mut records);
        let (one, other) = records.split_at(12_345 * PLAIN);
        let grouped = gathered(&[one, &[], other], false, false);
        let (before, after) = (Records::new(&records, false), Records::new(&grouped, false));
        let seconds: Vec<u8> = (0..after.len()).map(|i| after.raw(i)[1]).collect();
        assert!(seconds.is_sorted());
        let rows = |records: Records<'_>| {
            let mut all: Vec<Vec<u8>> = (0..records.len())
                .map(|i| records.raw(i).to_vec())
                .collect();
            all.sort();
            all
        };
        assert_eq!(rows(before), rows(after));
    }
}
