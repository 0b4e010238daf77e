//! Who stands for an address?
//!
//! Where at most one person of an address may be drawn, the address is the unit: its weight is the sum of its people's weights, and one
//! of them stands for it, each with probability weight / sum, by a number from the address's own key. The unit is in that person's
//! stratum. Without addresses every row is a unit. Units come in the order of their key (id hash, or address key), so that what follows
//! depends on nothing else.

use super::hash::{Digest, Keyed};
use super::part::{by_id, order, rank_of, Listed, Totals};
use super::record::{Record, Records};

/// What can be drawn: a row, or the person who stands for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The person.
    pub record: Record,
    /// Rank of the stratum.
    pub stratum: usize,
    /// Weight of the unit: the person's own, or that of all at the address.
    pub weight: u128,
    /// The state of the unit's chance in a draw by duels; 0 elsewhere.
    pub held: u128,
}

/// Bytes of a unit: id hash, place, own weight, unit weight, held.
pub const UNIT: usize = 80;

impl Unit {
    /// Appends the unit's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.record.id);
        out.extend_from_slice(&self.record.place.to_le_bytes());
        out.extend_from_slice(&self.record.weight.to_le_bytes());
        out.extend_from_slice(&self.weight.to_le_bytes());
        out.extend_from_slice(&self.held.to_le_bytes());
    }

    /// Reads a unit; None if there are not enough bytes.
    pub fn read(bytes: &[u8], ranks: &[u32]) -> Option<Self> {
        let record = Records::new(bytes.get(..48)?, false).get(0);
        let wide = |at: usize| -> Option<u128> {
            Some(u128::from_le_bytes(
                bytes.get(at..at + 16)?.try_into().ok()?,
            ))
        };
        Some(Self {
            record,
            stratum: rank_of(ranks, record.place),
            weight: wide(48)?,
            held: wide(64)?,
        })
    }
}

/// What a part's units depend on.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The records: grouped by address where `nominate` is given.
    pub records: Records<'a>,
    /// The rank of each stratum's number.
    pub ranks: &'a [u32],
    /// Sorted hashes of ids that are left out.
    pub excluded: &'a [u8],
    /// The key under which addresses choose who stands for them; None where every row is a unit.
    pub nominate: Option<&'a Digest>,
}

impl View<'_> {
    /// Calls `act` for each unit of the part, in the order of their keys.
    pub fn each<F: FnMut(Unit)>(&self, mut act: F) {
        match self.nominate {
            None => self.rows(&mut act),
            Some(key) => self.houses(&Keyed::new(key), &mut act),
        }
    }

    /// Calls `act` for each unit of the part, in whatever order costs least.
    pub fn each_in_any_order<F: FnMut(Unit)>(&self, mut act: F) {
        match self.nominate {
            None => {
                let listed = Listed::new(self.excluded);
                for i in 0..self.records.len() {
                    let record = self.records.get(i);
                    if self.excluded.is_empty() || listed.find(&record.id).is_none() {
                        act(self.unit(record, u128::from(record.weight)));
                    }
                }
            }
            Some(_) => self.each(act),
        }
    }

    fn unit(&self, record: Record, weight: u128) -> Unit {
        Unit {
            record,
            stratum: rank_of(self.ranks, record.place),
            weight,
            held: 0,
        }
    }

    fn rows<F: FnMut(Unit)>(&self, act: &mut F) {
        let listed = Listed::new(self.excluded);
        for i in by_id(self.records) {
            let record = self.records.get(i as usize);
            if self.excluded.is_empty() || listed.find(&record.id).is_none() {
                act(self.unit(record, u128::from(record.weight)));
            }
        }
    }

    fn houses<F: FnMut(Unit)>(&self, keyed: &Keyed, act: &mut F) {
        let records = self.records;
        let sorted = order(records.len(), |i| records.address(i));
        let same = |a: &u32, b: &u32| records.address(*a as usize) == records.address(*b as usize);
        for house in sorted.chunk_by(same) {
            let mut people: Vec<Record> = house.iter().map(|i| records.get(*i as usize)).collect();
            people.sort_unstable_by_key(|person| person.id);
            let total = people.iter().map(|person| u128::from(person.weight)).sum();
            let mut message = [0; 32];
            message[..16].copy_from_slice(records.address(house[0] as usize));
            let mut left = if people.len() > 1 && total > 0 {
                keyed.below(&message, total)
            } else {
                0
            };
            for person in people {
                let weight = u128::from(person.weight);
                if left < weight {
                    act(self.unit(person, total));
                    break;
                }
                left -= weight;
            }
        }
    }

    /// Units by stratum: how many, the sum of their weights, the largest. A weight above 2^64 counts as 2^64 − 1 in «largest» alone.
    pub fn totals(&self) -> (Totals, Vec<u64>) {
        let mut totals = Totals::new(self.ranks.len());
        // The third word of the sums: an address's weight may pass 2^64.
        let mut top = vec![0; self.ranks.len()];
        self.each(|unit| {
            let low = u64::try_from(unit.weight & u128::from(u64::MAX)).unwrap_or(0);
            totals.add(unit.stratum, low);
            if let Ok(high @ 1..) = u64::try_from(unit.weight >> 64) {
                top[unit.stratum] += high;
                totals.largest[unit.stratum] = u64::MAX;
            }
        });
        (totals, top)
    }

    /// How many addresses have people of several strata.
    pub fn mixed_houses(&self) -> u64 {
        let records = self.records;
        let sorted = order(records.len(), |i| records.address(i));
        let rank = |i: &u32| rank_of(self.ranks, records.get(*i as usize).place);
        let same = |a: &u32, b: &u32| records.address(*a as usize) == records.address(*b as usize);
        let mixed = sorted
            .chunk_by(same)
            .filter(|house| house.iter().any(|i| rank(i) != rank(&house[0])));
        mixed.count() as u64
    }
}
