//! The draw itself: lowest tickets where all chances in a stratum are equal, duels where they follow weights.
//!
//! **Lowest tickets.** ticket = HMAC(key, id hash); the n lowest of a stratum of N are drawn: a simple random sample without
//! replacement, probability n/N.
//!
//! **Duels**: the pivotal method of Deville and Tillé (1998, «Unequal probability sampling without replacement through a splitting
//! method»), in the order of the units' tickets ([`super::deal`]). Unit i holds a_i = n·w_i, and a chance is a_i / W with W = Σ w. The unit that stands (a) and the next
//! (b) duel: if a + b < W one of them takes all (the first with probability a / (a + b)), the other is out; otherwise one is drawn
//! and the other goes on with a + b − W (the first is drawn with probability (W − b) / (2W − a − b)). Each duel keeps both
//! expectations, so everybody is drawn with probability exactly n·w_i / W, and since Σ a_i = n·W, exactly n are drawn. All in whole
//! numbers. Each part plays its own duels, with the numbers that the second halves of the challengers' tickets give; those left standing
//! then meet in the order of parts, with numbers from a second key.
//!
//! Since every order of units is as likely as any other, any two units of a stratum with two letters or more may be drawn together
//! (the first may win until a letter is full and be drawn, the last may win the last letter), and units of equal weights are a simple random sample.
//!
//! Nobody may hold W or more: such units are drawn with certainty and taken out before ([`heavy`]).

use super::deal;
use super::hash::{Digest, Keyed};
use super::part::Listed;
use super::record::Records;
use super::unit::{Unit, View};

/// What a stratum gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Letters, without those of units drawn with certainty.
    pub letters: u64,
    /// Σ w, without those units.
    pub total: u128,
}

/// The units whose ticket begins with a number below their stratum's `cutoff`, with their tickets. A cutoff of `u64::MAX` lets all pass.
pub fn tickets(view: &View<'_>, key: &Digest, cutoffs: &[u64]) -> Vec<(Digest, Unit)> {
    let keyed = Keyed::new(key);
    let mut found = Vec::new();
    let listed = Listed::new(view.excluded);
    // Tickets need no order: the caller sorts the few that pass.
    for i in 0..view.records.len() {
        let record = view.records.get(i);
        let stratum = super::part::rank_of(view.ranks, record.place);
        let cutoff = cutoffs.get(stratum).copied().unwrap_or(0);
        if cutoff == 0 {
            continue;
        }
        let ticket = keyed.of(&record.id);
        let lead = ticket[..8]
            .iter()
            .fold(0_u64, |x, b| (x << 8) | u64::from(*b));
        let passes = lead < cutoff || cutoff == u64::MAX;
        if passes && (view.excluded.is_empty() || listed.find(&record.id).is_none()) {
            let unit = Unit {
                record,
                stratum,
                weight: u128::from(record.weight),
                held: 0,
            };
            found.push((ticket, unit));
        }
    }
    found
}

/// The units that hold at least W and are not yet in `certain` (sorted hashes).
pub fn heavy(view: &View<'_>, lots: &[Lot], certain: &[u8]) -> Vec<Unit> {
    let listed = Listed::new(certain);
    let mut found = Vec::new();
    view.each(|unit| {
        let Some(lot) = lots.get(unit.stratum) else {
            return;
        };
        let holds = u128::from(lot.letters) * unit.weight;
        if lot.letters > 0 && holds >= lot.total && listed.find(&unit.record.id).is_none() {
            found.push(unit);
        }
    });
    found
}

/// Plays the duels of one part of dealt units: who is drawn, and who is left standing in each stratum. `keyed` gave the tickets.
pub fn duels(
    part: Records<'_>,
    ranks: &[u32],
    keyed: &Keyed,
    lots: &[Lot],
) -> (Vec<Unit>, Vec<Unit>) {
    let mut ring = Ring::new(lots);
    deal::each(part, ranks, |mut unit| {
        unit.held = u128::from(lots[unit.stratum].letters) * unit.weight;
        ring.enter(unit, |ticket, limit| keyed.below_ticket(ticket, limit));
    });
    ring.close()
}

/// Plays those left standing against each other, in this order: who is drawn, and who is left (nobody, if all parts were given).
pub fn finals(standing: &[Unit], keyed: &Keyed, lots: &[Lot]) -> (Vec<Unit>, Vec<Unit>) {
    let mut ring = Ring::new(lots);
    for unit in standing {
        ring.enter(*unit, |ticket, limit| keyed.below(ticket, limit));
    }
    ring.close()
}

struct Ring<'a> {
    lots: &'a [Lot],
    standing: Vec<Option<Unit>>,
    drawn: Vec<Unit>,
}

impl<'a> Ring<'a> {
    fn new(lots: &'a [Lot]) -> Self {
        Self {
            lots,
            standing: vec![None; lots.len()],
            drawn: Vec::new(),
        }
    }

    /// `below` gives the duel's number, from the challenger's ticket and a limit.
    fn enter<F: Fn(&Digest, u128) -> u128>(&mut self, challenger: Unit, below: F) {
        let total = self.lots[challenger.stratum].total;
        let stratum = challenger.stratum;
        let Some(champion) = self.standing[stratum] else {
            self.standing[stratum] = Some(challenger);
            return;
        };
        let both = champion.held + challenger.held;
        let (mut stays, drawn);
        if both < total {
            let first = below(&challenger.record.id, both) < champion.held;
            stays = if first { champion } else { challenger };
            stays.held = both;
            drawn = None;
        } else {
            let limit = total + total - both;
            let first = below(&challenger.record.id, limit) < total - challenger.held;
            (drawn, stays) = if first {
                (Some(champion), challenger)
            } else {
                (Some(challenger), champion)
            };
            stays.held = both - total;
        }
        self.drawn.extend(drawn);
        self.standing[stratum] = (stays.held > 0).then_some(stays);
    }

    fn close(self) -> (Vec<Unit>, Vec<Unit>) {
        (self.drawn, self.standing.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{scatter, Batch, Ids};
    use super::*;

    /// Drawn row numbers and their order, of a register of `rows` rows with weights 1, 2, 3, 1, …
    fn drawn(rows: i64, letters: u64) -> Vec<u64> {
        let numbers: Vec<i64> = (0..rows).collect();
        let weights: Vec<i64> = numbers.iter().map(|i| 1 + i % 3).collect();
        let batch = Batch {
            ids: Ids::Whole(&numbers),
            strata: &[],
            weights: &weights,
            address: &[],
            first: 0,
        };
        let mut records = vec![0; batch.rows() * batch.width()];
        scatter(&batch, &mut records);
        let lots = [Lot {
            letters,
            total: weights.iter().map(|w| u128::from(w.unsigned_abs())).sum(),
        }];
        let view = View {
            records: Records::new(&records, false),
            ranks: &[0],
            excluded: &[],
            nominate: None,
        };
        let keyed = Keyed::new(&[1; 32]);
        let (units, starts) = deal::dealt(&view, &keyed, &lots, &[]);
        let (mut all, mut standing) = (Vec::new(), Vec::new());
        for part in starts.windows(2) {
            let (from, to) = (
                usize::try_from(part[0]).unwrap_or(0),
                usize::try_from(part[1]).unwrap_or(0),
            );
            let part = Records::new(&units[from..to], false);
            let (won, left) = duels(part, &[0], &keyed, &lots);
            all.extend(won);
            standing.extend(left);
        }
        let (won, left) = finals(&standing, &Keyed::new(&[2; 32]), &lots);
        assert!(left.is_empty());
        all.extend(won);
        all.iter().map(|unit| unit.record.row()).collect()
    }

    #[test]
    fn exactly_the_letters_are_drawn_and_nobody_twice() {
        for (rows, letters) in [(30, 1), (30, 7), (1000, 40), (1000, 300)] {
            let mut people = drawn(rows, letters);
            people.sort_unstable();
            people.dedup();
            assert_eq!(people.len() as u64, letters, "{letters} of {rows}");
        }
    }
}
