//! Given the commitment and a text read in public, who is drawn?
//!
//! seed → position → entry of the lottery → tickets → people, after `docs/audit/bundle.md`. HMAC-SHA256 is the only source of
//! numbers; a position comes by rejection, so that no remainder favours anyone. Guarantees: if the seed is uniform, so is the
//! position, and people of one type have equal chances. A trial's text is chosen by someone: it proves nothing about chance.
//! One hash a person.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use num_traits::{One, ToPrimitive, Zero};

use crate::bundle::{Declaration, Panel, Pool};
use crate::canonical::{write, Value};
use crate::hash::{hex, hmac, seq, Digest};
use crate::{refuse, Fault};

/// The leaf of every person of a trial, in the pool's order.
pub fn leaves(declaration: &Declaration, ids: &[String], pool: &Pool) -> Vec<Digest> {
    let bodies: Vec<Vec<u8>> = pool
        .types
        .iter()
        .map(|kind| {
            let attributes = declaration
                .features
                .iter()
                .zip(kind)
                .map(|((feature, values), v)| {
                    Value::List(vec![Value::text(feature), Value::text(&values[*v])])
                });
            write(&Value::List(attributes.collect()))
        })
        .collect();
    let weights: Vec<String> = pool.weights.iter().map(ToString::to_string).collect();
    let people = ids.iter().zip(&pool.people).zip(&pool.home);
    people
        .map(|((id, t), home)| {
            let first = home.map_or("", |home| ids[pool.households[home][0]].as_str());
            leaf(id, &bodies[*t], &weights[*t], first)
        })
        .collect()
}

/// The leaf of one person: id, canonical attributes, weight, and the first id of their household (empty without one).
pub fn leaf(id: &str, attributes: &[u8], weight: &str, household: &str) -> Digest {
    let items = [
        id.as_bytes(),
        attributes,
        weight.as_bytes(),
        household.as_bytes(),
    ];
    seq("klero/leaf/trial/v2", &items)
}

/// The seed of a trial.
pub fn trial_seed(commitment: &Digest, text: &str) -> Digest {
    seq(
        "klero/seed/trial/v1",
        &[commitment.as_slice(), text.as_bytes()],
    )
}

/// A number below `m`, each equally likely, and how many tries were rejected before it. `m` is from 1 to 2^256.
pub fn position(seed: &Digest, m: &BigUint) -> Result<(BigUint, u64), Fault> {
    let all = BigUint::one() << 256_u32;
    if m.is_zero() || *m > all {
        refuse!("a position needs a denominator from 1 to 2^256");
    }
    let accepted = (&all / m) * m;
    let mut rejected = 0_u64;
    loop {
        let x = hmac(seed, &[b"klero/index/v1\0", &rejected.to_be_bytes()]);
        let x = BigUint::from_bytes_be(&x);
        if x < accepted {
            return Ok((x % m, rejected));
        }
        rejected += 1;
    }
}

/// The first panel whose cumulative count is above the position.
pub fn entry(panels: &[Panel], position: i64) -> Result<usize, Fault> {
    let mut sum = 0_i64;
    for (i, (count, _)) in panels.iter().enumerate() {
        sum = sum.saturating_add(*count);
        if sum > position {
            return Ok(i);
        }
    }
    refuse!("the position {position} is above the counts' sum")
}

/// The ticket of each person, by what it is drawn over: a leaf, in a record with what only insiders know beside it.
pub fn tickets<T: AsRef<[u8]>>(seed: &Digest, over: &[T]) -> Vec<Digest> {
    let key = hmac(seed, &[b"klero/tickets/v1"]);
    let over = over.iter();
    over.map(|item| hmac(&key, &[item.as_ref()])).collect()
}

/// The numbers of the people drawn, rising: a type's seats go to its lowest tickets, and where a household rule holds they
/// are dealt to households first.
pub fn people(pool: &Pool, panel: &Panel, tickets: &[Digest]) -> Vec<usize> {
    let mut seats = vec![0; pool.types.len()];
    for (t, s) in &panel.1 {
        seats[*t] = *s;
    }
    let mut order: Vec<usize> = (0..pool.people.len())
        .filter(|i| seats[pool.people[*i]] > 0)
        .collect();
    order.sort_by_key(|i| tickets[*i]);
    let mut left = households(pool, &seats, tickets);
    let mut drawn: Vec<usize> = order
        .into_iter()
        .filter(|i| {
            let t = pool.people[*i];
            let left = match pool.home[*i] {
                None => &mut seats[t],
                Some(home) => left.entry((home, t)).or_insert(0),
            };
            *left -= 1;
            *left >= 0
        })
        .collect();
    drawn.sort_unstable();
    drawn
}

/// The seats of each household by type. Households of one composition stand in the order of their lowest tickets; the seats of its
/// types, one type after the other, go to them one each, round and round. So none gets more than its share, rounded up, of the seats in
/// all and of those of each type, which is what the rule and the number of such people allow.
fn households(pool: &Pool, seats: &[i64], tickets: &[Digest]) -> BTreeMap<(usize, usize), i64> {
    let mut alike: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (home, members) in pool.households.iter().enumerate() {
        let mut composition: Vec<usize> = members.iter().map(|i| pool.people[*i]).collect();
        composition.sort_unstable();
        alike.entry(composition).or_default().push(home);
    }
    let mut dealt = BTreeMap::new();
    for (mut types, mut homes) in alike {
        types.dedup();
        homes.sort_by_key(|home| pool.households[*home].iter().map(|i| tickets[*i]).min());
        let mut turn = homes.iter().cycle();
        for t in types {
            for home in turn.by_ref().take(usize::try_from(seats[t]).unwrap_or(0)) {
                *dealt.entry((*home, t)).or_insert(0) += 1;
            }
        }
    }
    dealt
}

/// A position of this lottery and its entry: position, rejections, entry.
pub fn winner(
    declaration: &Declaration,
    panels: &[Panel],
    seed: &Digest,
) -> Result<(i64, i64, i64), Fault> {
    let (u, rejected) = position(seed, &BigUint::from(declaration.denominator.unsigned_abs()))?;
    let (Some(u), Ok(rejected)) = (u.to_i64(), i64::try_from(rejected)) else {
        refuse!("a position that can't be")
    };
    let number = entry(panels, u)?;
    i64::try_from(number)
        .map(|number| (u, rejected, number))
        .map_err(|e| Fault(e.to_string()))
}

/// The numbers of the people drawn, rising. They are as many as the size says, and of no household more than the rule allows.
pub fn drawn<T: AsRef<[u8]>>(
    declaration: &Declaration,
    pool: &Pool,
    over: &[T],
    panel: &Panel,
    seed: &Digest,
) -> Result<Vec<usize>, Fault> {
    let drawn = people(pool, panel, &tickets(seed, over));
    keeps_rules(declaration, pool, &drawn)?;
    Ok(drawn)
}

/// Pool and quotas leave no room for another outcome; a draw is checked all the same.
fn keeps_rules(declaration: &Declaration, pool: &Pool, drawn: &[usize]) -> Result<(), Fault> {
    if i64::try_from(drawn.len()) != Ok(declaration.size) {
        refuse!(
            "{} people are drawn instead of {}",
            drawn.len(),
            declaration.size
        );
    }
    let mut seated = vec![0_i64; pool.households.len()];
    for home in drawn.iter().filter_map(|i| pool.home[*i]) {
        seated[home] += 1;
        if seated[home] > declaration.household {
            refuse!(
                "household {home} has more than {} seats",
                declaration.household
            );
        }
    }
    Ok(())
}

/// The document draw.json of a trial.
pub fn document(
    declaration: &Declaration,
    (ids, pool): (&[String], &Pool),
    panels: &[Panel],
    commitment: &Digest,
    seed_text: &str,
) -> Result<Value, Fault> {
    let seed = trial_seed(commitment, seed_text);
    let (u, rejected, number) = winner(declaration, panels, &seed)?;
    let Some(panel) = usize::try_from(number)
        .ok()
        .and_then(|number| panels.get(number))
    else {
        refuse!("an entry that can't be")
    };
    let leaves = leaves(declaration, ids, pool);
    let drawn = drawn(declaration, pool, &leaves, panel, &seed)?;
    Ok(Value::map([
        ("commitment", Value::text(&hex(commitment))),
        ("entry", Value::Int(number)),
        ("format", Value::text("klero-draw/1")),
        ("mark", Value::text("TRIAL")),
        (
            "panel",
            Value::List(drawn.into_iter().map(|i| Value::text(&ids[i])).collect()),
        ),
        ("position", Value::Int(u)),
        ("rejected", Value::Int(rejected)),
        ("seed", Value::text(&hex(&seed))),
        ("seed_kind", Value::text("trial")),
        ("seed_text", Value::text(seed_text)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Objective;

    #[test]
    fn a_draw_of_another_size_or_with_too_many_of_a_household_is_refused() {
        let declaration = Declaration {
            features: Vec::new(),
            bounds: Vec::new(),
            first_cell: Vec::new(),
            size: 2,
            people: 4,
            denominator: 1000,
            objective: Objective::Leximin,
            household: 1,
        };
        let pool = Pool {
            people: vec![0; 4],
            types: vec![Vec::new()],
            cells: vec![Vec::new()],
            counts: vec![4],
            weights: vec![1],
            households: vec![vec![0, 2]],
            home: vec![Some(0), None, Some(0), None],
        };
        let allowed = |drawn: &[usize]| keeps_rules(&declaration, &pool, drawn).is_ok();
        assert!(allowed(&[0, 1]) && allowed(&[1, 3]));
        assert!(!allowed(&[0, 2]) && !allowed(&[1]) && !allowed(&[0, 1, 3]));
    }
}
