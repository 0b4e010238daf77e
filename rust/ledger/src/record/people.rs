//! Is everybody on a panel somebody who could be, and does a later round go on from the ones before?
//!
//! The checks `draw.people`, which the public can do, and `succession` and `sealed`, which need types and salts. Linear, but for sorting.

use std::collections::BTreeSet;

use crate::bundle::{constant, fields, list, pair, text, Declaration};
use crate::canonical::{write, Value};
use crate::hash::Digest;
use crate::record::declaration::Declared;
use crate::record::leaves::{declared_features, person, Openings};
use crate::record::log::{bytes32, Body, Log};
use crate::record::round::{must_sit, People};
use crate::{refuse, Fault};

/// At which place of the log each leaf was withdrawn.
pub type Withdrawn = Vec<Option<usize>>;

/// The check `draw.people`, as far as withdrawals go.
pub fn withdrawn(log: &Log, leaves: &[Digest]) -> Result<Withdrawn, Fault> {
    let mut withdrawn = vec![None; leaves.len()];
    for (place, entry) in log.entries.iter().enumerate() {
        let Body::Withdrawals(gone) = &entry.body else {
            continue;
        };
        for leaf in gone {
            let Ok(i) = leaves.binary_search(leaf) else {
                refuse!("entry {}: a leaf is withdrawn that is none", place + 1);
            };
            if withdrawn[i].replace(place).is_some() {
                refuse!("entry {}: leaf {i} was withdrawn before", place + 1);
            }
        }
    }
    Ok(withdrawn)
}

/// The check `draw.people`, as far as panels go: the leaf numbers of each panel drawn, by round.
pub fn panels(
    log: &Log,
    leaves: &[Digest],
    size: i64,
    withdrawn: &Withdrawn,
) -> Result<Vec<Vec<usize>>, Fault> {
    let mut panels: Vec<Vec<usize>> = Vec::new();
    for ((_, drawn), stands) in log.draws().zip(&log.rounds) {
        let round = drawn.round;
        if i64::try_from(drawn.panel.len()) != Ok(size)
            || drawn.panel.windows(2).any(|two| two[0] >= two[1])
        {
            refuse!("the panel of round {round} is not {size} different leaves, rising");
        }
        let mut panel = Vec::with_capacity(drawn.panel.len());
        for leaf in &drawn.panel {
            let Ok(i) = leaves.binary_search(leaf) else {
                refuse!("the panel of round {round} has a leaf that is none");
            };
            if gone(withdrawn, i, stands.commitment) {
                refuse!("the panel of round {round} has leaf {i}, withdrawn before its commitment");
            }
            panel.push(i);
        }
        if let Some(last) = panels.last() {
            later(&panel, last, withdrawn, stands.commitment)
                .map_err(|Fault(reason)| Fault(format!("round {round}: {reason}")))?;
        }
        panels.push(panel);
    }
    Ok(panels)
}

/// A later panel has everybody of the one before who did not withdraw before the place `before`; somebody did.
fn later(
    panel: &[usize],
    last: &[usize],
    withdrawn: &Withdrawn,
    before: usize,
) -> Result<(), Fault> {
    let stay = last.iter().filter(|leaf| !gone(withdrawn, **leaf, before));
    if let Some(missing) = stay.clone().find(|leaf| panel.binary_search(leaf).is_err()) {
        refuse!("leaf {missing} of the panel before has not withdrawn and is not on this one");
    }
    if stay.count() == last.len() {
        refuse!("nobody of the panel before has withdrawn");
    }
    Ok(())
}

fn gone(withdrawn: &Withdrawn, leaf: usize, before: usize) -> bool {
    withdrawn[leaf].is_some_and(|place| place < before)
}

/// A round's rules and people.
pub type Staffed<'a> = (&'a Declaration, &'a People);

/// The check `succession` of one round: whether it follows from round 0, the panel of the round before, and who withdrew before the
/// place `before` in the log, that of its commitment.
pub fn succession(
    first: Staffed<'_>,
    next: Staffed<'_>,
    panel: &[usize],
    withdrawn: &Withdrawn,
    before: usize,
) -> Result<(), Fault> {
    let here = (0..withdrawn.len()).filter(|leaf| !gone(withdrawn, *leaf, before));
    if !here.eq(next.1.leaves.iter().copied()) {
        refuse!("its people are not all who have not withdrawn");
    }
    stayers(next, panel, withdrawn, before)?;
    same_types(first, next)?;
    same_households(first, next)
}

/// Who was on the panel before and stays must sit, and nobody else.
fn stayers(
    (instance, people): Staffed<'_>,
    panel: &[usize],
    withdrawn: &Withdrawn,
    before: usize,
) -> Result<(), Fault> {
    let staying: Vec<usize> = panel
        .iter()
        .copied()
        .filter(|leaf| !gone(withdrawn, *leaf, before))
        .collect();
    if staying.len() == panel.len() {
        refuse!("nobody of the panel before has withdrawn");
    }
    let rule = must_sit(instance);
    if rule.is_some() == staying.is_empty() {
        refuse!("the feature of those who must sit is not there exactly where somebody stays");
    }
    let Some((feature, yes, _)) = rule else {
        return Ok(());
    };
    let seated = people.leaves.iter().zip(&people.pool.people);
    let seated = seated.filter(|(_, kind)| people.pool.types[**kind][feature] == yes);
    if !seated.map(|(leaf, _)| leaf).eq(&staying) {
        refuse!("those who must sit are not those of the panel before who stay");
    }
    Ok(())
}

/// Everybody's declared values and weight are those of round 0.
fn same_types(first: Staffed<'_>, next: Staffed<'_>) -> Result<(), Fault> {
    let declared = [first, next].map(|(instance, _)| declared_features(instance));
    // A pair of types is compared once: there are as many people as pairs at most.
    let mut same = BTreeSet::new();
    for (leaf, kind) in next.1.leaves.iter().zip(&next.1.pool.people) {
        let before = first.1.pool.people[*leaf];
        if !same.insert((before, *kind)) {
            continue;
        }
        let (old, new) = (&first.1.pool, &next.1.pool);
        let values = |types: &[Vec<usize>], t: usize, features: &[usize]| {
            features.iter().map(|f| types[t][*f]).collect::<Vec<_>>()
        };
        if old.weights[before] != new.weights[*kind]
            || values(&old.types, before, &declared[0]) != values(&new.types, *kind, &declared[1])
        {
            refuse!("leaf {leaf} has other values or another weight than in round 0");
        }
    }
    Ok(())
}

/// Households are those of round 0 without who is not there any more, as far as more than m are left.
fn same_households(first: Staffed<'_>, next: Staffed<'_>) -> Result<(), Fault> {
    let (most, here) = (next.0.household, &next.1.leaves);
    // In round 0 the place of a person is the leaf number; here it is found by the rising leaf numbers.
    let place = |leaf: &usize| here.binary_search(leaf).ok();
    let homes = first.1.pool.households.iter();
    let mut left: Vec<Vec<usize>> = homes
        .map(|members| members.iter().filter_map(place).collect())
        .filter(|members: &Vec<usize>| i64::try_from(members.len()).is_ok_and(|n| n > most))
        .collect();
    left.sort_unstable();
    if left != next.1.pool.households {
        refuse!("its households are not those of round 0 without who is not there");
    }
    Ok(())
}

/// The check `sealed`: says how many salts are destroyed.
pub fn sealed(
    value: &Value,
    declared: &Declared,
    (instance, people): Staffed<'_>,
    leaves: &[Digest],
) -> Result<usize, Fault> {
    let [draw, format, listed] = fields(value, ["draw", "format", "people"])?;
    constant(draw, &declared.draw)?;
    constant(format, "klero-sealed/1")?;
    let listed = list(listed)?;
    if listed.len() != leaves.len() {
        refuse!("{} people for {} leaves", listed.len(), leaves.len());
    }
    let openings = Openings::new(instance, &people.pool);
    let (mut ids, mut destroyed) = (BTreeSet::new(), 0);
    for (i, item) in listed.iter().enumerate() {
        if list(item)?.is_empty() {
            destroyed += 1;
            continue;
        }
        let (identity, salt) = pair(item)?;
        if !ids.insert(id(identity)?) {
            refuse!("person {i}: the id is that of somebody else too");
        }
        let opening = openings.parts(people.pool.people[i], &people.openings[i].tag);
        let found = person(&declared.draw, &bytes32(salt)?, &write(identity), &opening);
        if found.leaf != leaves[i] {
            refuse!("person {i}: the leaf does not follow from identity and salt");
        }
    }
    Ok(destroyed)
}

/// The id of an identity, which is an object of strings.
fn id(identity: &Value) -> Result<&str, Fault> {
    let Value::Map(map) = identity else {
        refuse!("an identity is not an object");
    };
    for (_, value) in map.iter() {
        text(value)?;
    }
    match map.get("id").map(text).transpose()? {
        Some(id) if !id.is_empty() => Ok(id),
        _ => refuse!("an identity without an id"),
    }
}
