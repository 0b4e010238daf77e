//! Does anybody stand twice on the register, and which register is it?
//!
//! A part is sorted by the hash of the id. Equal hashes are equal ids (SHA-256 has no known collision), so duplicates are neighbours,
//! in whatever files they stood. The sorted part is hashed, and the hashes of all parts make the register's digest: it is the same for
//! every order of rows, and whoever could make two different registers with one digest could find a collision of SHA-256. (A sum of
//! row hashes, which needs no sorting, would not do: at 10^8 rows sums modulo 2^256 can be made to collide, Wagner 2002.)
//!
//! Cost: a counting sort by the leading bits, then short sorts; expected linear, since hashes are spread evenly.

use sha2::{Digest as _, Sha256};

use super::hash::Digest;
use super::record::{word, Records};

/// What is known of a stratum within a part. Weights are added in two halves of 32 bits, so that no sum overflows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows, by stratum.
    pub rows: Vec<u64>,
    /// Sum of the lower 32 bits of the weights, by stratum.
    pub low: Vec<u64>,
    /// Sum of the weights' upper bits.
    pub high: Vec<u64>,
    /// Largest weight.
    pub largest: Vec<u64>,
}

impl Totals {
    /// Nothing yet, for so many strata.
    pub fn new(strata: usize) -> Self {
        let zeros = vec![0; strata];
        Self {
            rows: zeros.clone(),
            low: zeros.clone(),
            high: zeros.clone(),
            largest: zeros,
        }
    }

    /// Counts one row (or address) in.
    pub fn add(&mut self, stratum: usize, weight: u64) {
        self.rows[stratum] += 1;
        self.low[stratum] += weight & 0xffff_ffff;
        self.high[stratum] += weight >> 32;
        self.largest[stratum] = self.largest[stratum].max(weight);
    }
}

/// Bytes that are hashed in one go, about.
const LINES: usize = 4096;

/// What one look at a sorted part shows.
pub struct Sifted {
    /// SHA-256 over the part's rows: id hash, weight, stratum (its rank), and the address's key where there is one.
    pub digest: Digest,
    /// Places of rows with one id: first, later.
    pub twins: Vec<(u64, u64)>,
    /// How many rows repeat an id.
    pub twin_count: u64,
    /// Rows that are not excluded, by stratum.
    pub totals: Totals,
    /// Which of the exclusions are on the register, by their place in the list.
    pub excluded: Vec<u32>,
}

/// The order of a part by the bytes from `from` on, ties by the whole key.
pub fn order<'a, F: Fn(usize) -> &'a [u8]>(len: usize, key: F) -> Vec<u32> {
    // The first byte is the part's own; the next eight tell nearly all rows apart.
    let lead = |i: usize| {
        key(i)[1..9]
            .iter()
            .fold(0_u64, |x, b| (x << 8) | u64::from(*b))
    };
    let bits = (usize::BITS - len.leading_zeros()).clamp(1, 20);
    let bucket = |lead: u64| usize::try_from(lead >> (64 - bits)).unwrap_or(0);
    let leads: Vec<u64> = (0..len).map(lead).collect();
    let mut starts = vec![0_u32; (1 << bits) + 1];
    for lead in &leads {
        starts[bucket(*lead) + 1] += 1;
    }
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    let mut next = starts.clone();
    let mut sorted = vec![(0_u64, 0_u32); len];
    for (i, lead) in leads.iter().enumerate() {
        let at = &mut next[bucket(*lead)];
        sorted[*at as usize] = (*lead, u32::try_from(i).unwrap_or(u32::MAX));
        *at += 1;
    }
    for pair in starts.windows(2) {
        sorted[pair[0] as usize..pair[1] as usize].sort_unstable_by(|a, b| {
            a.0.cmp(&b.0)
                .then_with(|| key(a.1 as usize).cmp(key(b.1 as usize)))
        });
    }
    sorted.into_iter().map(|(_, i)| i).collect()
}

/// The order of a part by id.
pub fn by_id(records: Records<'_>) -> Vec<u32> {
    order(records.len(), |i| &records.raw(i)[..32])
}

/// A sorted list of hashes, one after the other, and which of them were met.
pub struct Listed<'a> {
    hashes: &'a [u8],
}

impl<'a> Listed<'a> {
    /// Hashes in rising order, 32 bytes each.
    pub fn new(hashes: &'a [u8]) -> Self {
        Self { hashes }
    }

    /// The place of a hash in the list.
    pub fn find(&self, hash: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.hashes.len() / 32);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.hashes[middle * 32..middle * 32 + 32].cmp(hash) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}

/// Looks through a part. `ranks` gives the rank of each stratum's number, `excluded` the sorted hashes of ids that are left out;
/// `told` is how many duplicates are told in full.
pub fn sift(records: Records<'_>, ranks: &[u32], excluded: &[u8], told: usize) -> Sifted {
    let listed = Listed::new(excluded);
    let mut hasher = Sha256::new();
    let mut sifted = Sifted {
        digest: [0; 32],
        twins: Vec::new(),
        twin_count: 0,
        totals: Totals::new(ranks.len()),
        excluded: Vec::new(),
    };
    let mut lines = Vec::with_capacity(LINES + 60);
    let mut last: Option<(u32, u64)> = None;
    for i in by_id(records) {
        let raw = records.raw(i as usize);
        let (place, weight) = (word(&raw[32..40]), word(&raw[40..48]));
        let rank = rank_of(ranks, place);
        lines.extend_from_slice(&raw[..32]);
        lines.extend_from_slice(&weight.to_be_bytes());
        lines.extend_from_slice(&u32::try_from(rank).unwrap_or(0).to_be_bytes());
        lines.extend_from_slice(&raw[48..]);
        if lines.len() >= LINES {
            hasher.update(&lines);
            lines.clear();
        }
        match last {
            Some((j, first)) if records.raw(j as usize)[..32] == raw[..32] => {
                sifted.twin_count += 1;
                if sifted.twins.len() < told {
                    sifted.twins.push((first, place));
                }
            }
            _ => last = Some((i, place)),
        }
        match listed.find(&raw[..32]) {
            Some(at) => sifted.excluded.push(u32::try_from(at).unwrap_or(u32::MAX)),
            None => sifted.totals.add(rank, weight),
        }
    }
    hasher.update(&lines);
    sifted.digest = hasher.finalize().into();
    sifted
}

/// The rank of the stratum in a place.
pub fn rank_of(ranks: &[u32], place: u64) -> usize {
    usize::try_from(place >> 40)
        .ok()
        .and_then(|code| ranks.get(code))
        .map_or(0, |rank| *rank as usize)
}

/// Groups a part's records by the key of their address, as `scatter` groups rows by id: bytes and starts. Excluded rows are left out.
pub fn by_address(records: Records<'_>, excluded: &[u8]) -> (Vec<u8>, Vec<u64>) {
    let listed = Listed::new(excluded);
    let kept: Vec<usize> = (0..records.len())
        .filter(|i| excluded.is_empty() || listed.find(&records.raw(*i)[..32]).is_none())
        .collect();
    let mut parts: Vec<Vec<u8>> = vec![Vec::new(); super::PARTS];
    for i in kept {
        let first = records.address(i).first().copied().unwrap_or(0);
        parts[usize::from(first)].extend_from_slice(records.raw(i));
    }
    let mut starts = vec![0];
    let mut bytes = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for part in parts {
        bytes.extend_from_slice(&part);
        starts.push(bytes.len() as u64);
    }
    (bytes, starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_a_plain_sort() {
        for n in [0_u32, 1, 2, 3, 100, 5000] {
            let keys: Vec<[u8; 32]> = (0..n)
                .map(|i| {
                    let mut key = [0; 32];
                    // Few leading bits, so that ties are met too.
                    key[1] = u8::try_from(i.wrapping_mul(2_654_435_761) >> 28).unwrap_or(0);
                    key[20..24].copy_from_slice(&(i.wrapping_mul(40_503)).to_be_bytes());
                    key
                })
                .collect();
            let mut plain: Vec<u32> = (0..n).collect();
            plain.sort_by_key(|i| keys[*i as usize]);
            assert_eq!(order(keys.len(), |i| &keys[i]), plain, "{n}");
        }
    }
}
