//! In which order do units duel?
//!
//! In the order of their tickets, HMAC(key, id hash), under a key that follows from the seed. So the order is another one for each seed, every two
//! units may meet or not, and none is kept apart from another by the register (an order that the register gives would do that: of two
//! neighbours whose chances sum to a letter or less, one is always out).
//!
//! Records lie by the hash of their id, and tickets are known only when the whole register was read. So each unit is written anew, as a
//! *dealt* unit: ticket (32 bytes), place (8), the person's weight (8), and where addresses are units the address's weight (16). It is no longer
//! than a record, so the caller can put the units of a piece where its records were. Dealt units are scattered over parts by the
//! first byte of the ticket.
//!
//! The ticket takes the place of the id's hash in all that follows; the place leads back to the person.

use super::draw::Lot;
use super::hash::Keyed;
use super::part::{by_id, rank_of, Listed};
use super::record::{grouped, Records};
use super::unit::{Unit, View};

/// Units in the order of their tickets' first byte: their bytes, and where each part begins. Left out are those of `certain` (sorted hashes of
/// ids), who need no duel, and those of strata without letters.
pub fn dealt(view: &View<'_>, keyed: &Keyed, lots: &[Lot], certain: &[u8]) -> (Vec<u8>, Vec<u64>) {
    let listed = Listed::new(certain);
    let housed = view.nominate.is_some();
    let mut bytes = Vec::with_capacity(view.records.len() * Records::width(housed));
    view.each_in_any_order(|unit| {
        let open = lots.get(unit.stratum).is_some_and(|lot| lot.letters > 0);
        if !open || (!certain.is_empty() && listed.find(&unit.record.id).is_some()) {
            return;
        }
        bytes.extend_from_slice(&keyed.of(&unit.record.id));
        bytes.extend_from_slice(&unit.record.place.to_le_bytes());
        bytes.extend_from_slice(&unit.record.weight.to_le_bytes());
        if housed {
            bytes.extend_from_slice(&unit.weight.to_le_bytes());
        }
    });
    grouped(&[&bytes], Records::width(housed), 0)
}

/// Calls `act` for each unit of a part of dealt units, in the order of tickets.
pub fn each<F: FnMut(Unit)>(part: Records<'_>, ranks: &[u32], mut act: F) {
    for i in by_id(part) {
        let record = part.get(i as usize);
        let whole = part.address(i as usize).try_into().map(u128::from_le_bytes);
        act(Unit {
            record,
            stratum: rank_of(ranks, record.place),
            weight: whole.unwrap_or(u128::from(record.weight)),
            held: 0,
        });
    }
}
