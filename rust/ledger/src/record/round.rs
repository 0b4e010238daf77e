//! Who took part in a round, under which quotas, and do the leaves say the same?
//!
//! The readers of instance-R.json and pool-R.json. In round 0 every leaf is computed again from what an auditor is shown. Linear.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::{
    constant, fields, index, list, lottery_rules, pair, text, typed_pool, Declaration,
    LotteryFields, Pool,
};
use crate::canonical::Value;
use crate::hash::{hmac, unhex, Digest};
use crate::record::declaration::Declared;
use crate::record::leaves::{declared_features, leaf, Openings};
use crate::record::log::{bytes32, Commitment};
use crate::rules::{MUST_SIT, YES};
use crate::{refuse, Fault};

/// Reads an instance, and holds it against nothing.
pub fn instance(value: &Value) -> Result<Declaration, Fault> {
    let [algorithm, blind, denominator, features, format, household, objective, people, size] =
        fields(
            value,
            [
                "algorithm",
                "blind",
                "denominator",
                "features",
                "format",
                "household",
                "objective",
                "people",
                "size",
            ],
        )?;
    constant(format, "klero-instance/1")?;
    bytes32(blind)?;
    lottery_rules(LotteryFields {
        algorithm,
        denominator,
        features,
        household,
        objective,
        people,
        size,
    })
}

/// Refuses an instance that is not what the declaration and the round's loosened quotas make it.
pub fn instance_follows(
    instance: &Declaration,
    declared: &Declared,
    commitment: &Commitment,
) -> Result<(), Fault> {
    let rules = &declared.lottery;
    let same = instance.denominator == rules.denominator
        && instance.household == rules.household
        && instance.objective == rules.objective
        && instance.size == rules.size;
    if !same {
        refuse!("denominator, household, objective or size are not the declared ones");
    }
    let mut bounds = rules.bounds.clone();
    for (cell, loose) in &commitment.loosened {
        bounds[*cell] = *loose;
    }
    let own = declared_features(instance);
    let named = own.iter().map(|feature| &instance.features[*feature]);
    if !named.eq(&rules.features) {
        refuse!("features or values are not the declared ones");
    }
    let quotas = own.iter().flat_map(|feature| {
        let first = instance.first_cell[*feature];
        let cells = first..first + instance.features[*feature].1.len();
        &instance.bounds[cells]
    });
    if let Some(cell) = quotas.zip(&bounds).position(|(found, due)| found != due) {
        refuse!("the quota of declared cell {cell} is neither the declared nor the loosened one");
    }
    if instance.people > rules.people {
        refuse!("more than the {} people declared", rules.people);
    }
    if commitment.round == 0 {
        if instance.people != rules.people {
            refuse!("{} people instead of {}", instance.people, rules.people);
        }
        let due = (declared.must_sit > 0).then_some((declared.must_sit, declared.must_sit));
        if must_sit(instance).map(|(_, _, bounds)| bounds) != due {
            refuse!("the quota of those who must sit is not the declared number");
        }
    }
    Ok(())
}

/// Where «yes» stands among those who must sit: feature, value and bounds. The value is out of range if there is no «yes».
pub fn must_sit(instance: &Declaration) -> Option<(usize, usize, (i64, i64))> {
    let feature = instance
        .features
        .iter()
        .position(|(name, _)| name == MUST_SIT)?;
    let values = &instance.features[feature].1;
    let yes = values.iter().position(|value| value == YES);
    let yes = yes.unwrap_or(values.len());
    let bounds = instance.bounds.get(instance.first_cell[feature] + yes);
    // A feature without a «yes» is refused with the pool; no number of people is below zero.
    let bounds = bounds.filter(|_| yes < values.len()).copied();
    Some((feature, yes, bounds.unwrap_or((-1, -1))))
}

/// The people of a round.
#[derive(Debug)]
pub struct People {
    /// The leaf number of each, rising.
    pub leaves: Vec<usize>,
    /// Types, weights and households.
    pub pool: Pool,
    /// What an auditor is shown of each person, in round 0.
    pub openings: Vec<Opening>,
}

/// What an auditor is shown of a person.
#[derive(Debug)]
pub struct Opening {
    /// The commitment to the identity.
    pub c_id: Digest,
    /// The key of the commitment to the type.
    pub k_type: Digest,
    /// The tag that all of a household share; empty without a household rule.
    pub tag: String,
}

/// Reads a pool; the leaves are numbered below `leaf_count`.
pub fn people(value: &Value, instance: &Declaration, leaf_count: usize) -> Result<People, Fault> {
    let [households, openings, people, types, weights] = fields(
        value,
        ["households", "openings", "people", "types", "weights"],
    )?;
    let (mut leaves, mut kinds) = (Vec::<usize>::new(), Vec::new());
    for item in list(people)? {
        let (leaf, kind) = pair(item)?;
        let leaf = index(leaf, leaf_count)?;
        if leaves.last().is_some_and(|last| *last >= leaf) {
            refuse!("leaf numbers are twice there or not sorted");
        }
        leaves.push(leaf);
        kinds.push(kind);
    }
    let openings = list(openings)?.iter().map(opening);
    Ok(People {
        leaves,
        openings: openings.collect::<Result<_, _>>()?,
        pool: typed_pool(instance, kinds, households, types, weights)?,
    })
}

fn opening(value: &Value) -> Result<Opening, Fault> {
    let [c_id, k_type, tag] = list(value)? else {
        refuse!("an array of c_id, K_type and tag is expected");
    };
    Ok(Opening {
        c_id: bytes32(c_id)?,
        k_type: bytes32(k_type)?,
        tag: text(tag)?.to_owned(),
    })
}

/// Everybody has a tag, the same within a listed household and another one elsewhere; nobody has one without a household rule.
fn tags(people: &People, household: i64) -> Result<(), Fault> {
    let mut owners: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    let mut tagged = BTreeSet::new();
    for (i, opening) in people.openings.iter().enumerate() {
        let tag = opening.tag.as_str();
        if household == 0 {
            if !tag.is_empty() {
                refuse!("leaf {i} has a household's tag, and there is no household rule");
            }
            continue;
        }
        if tag.len() != 32 || unhex(tag).is_none() {
            refuse!("the household's tag of leaf {i} is not 32 hexadecimal digits in lower case");
        }
        let home = people.pool.home[i];
        let known = owners.insert(tag, home);
        // The first of a household brings its tag; all others must have it, and nobody else may.
        let first = home.is_none_or(|home| tagged.insert(home));
        let fits = match known {
            None => first,
            Some(owner) => owner == home && home.is_some(),
        };
        if !fits {
            refuse!("leaf {i} does not share a tag with exactly those of the own household");
        }
    }
    Ok(())
}

/// Refuses a pool of round 0 from which a leaf does not follow, and one of a later round that opens anything.
pub fn opens(
    people: &People,
    instance: &Declaration,
    draw: &str,
    round: usize,
    leaves: &[Digest],
) -> Result<(), Fault> {
    if round > 0 {
        if !people.openings.is_empty() {
            refuse!("openings in a later round than the first");
        }
        return Ok(());
    }
    if people.leaves.len() != leaves.len() || people.openings.len() != leaves.len() {
        refuse!(
            "round 0 must have all {} leaves and their openings",
            leaves.len()
        );
    }
    tags(people, instance.household)?;
    let openings = Openings::new(instance, &people.pool);
    for (i, shown) in people.openings.iter().enumerate() {
        let parts = openings.parts(people.pool.people[i], &shown.tag);
        let c_type = hmac(&shown.k_type, &parts);
        if leaf(draw, &shown.c_id, &c_type) != leaves[i] {
            refuse!("leaf {i} does not follow from its opening");
        }
    }
    Ok(())
}
