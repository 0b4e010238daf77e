//! Do the quotas of the rules' own features say what the rules say?
//!
//! Who must sit, and how many of a household may: features that the reader of a bundle would otherwise take at their word. Linear in the
//! number of people, but for the sorting of a household's members.

use crate::bundle::{Declaration, Pool};
use crate::{refuse, Fault};

/// The feature that stands for households, and its value for those who live with nobody of the pool's.
pub(crate) const HOUSEHOLD: &str = "(household)";
const ALONE: &str = "alone";
/// The feature of those who must sit, and its value for them and for the others.
pub(crate) const MUST_SIT: &str = "(must sit)";
pub(crate) const YES: &str = "yes";
const NO: &str = "no";

/// Whoever must sit has a seat on every panel: the value «yes» has as many seats as people, no fewer and no more. «no» is there exactly if
/// somebody has it.
pub fn must_sit(declaration: &Declaration, pool: &Pool) -> Result<(), Fault> {
    let features = &declaration.features;
    let Some(feature) = features.iter().position(|(name, _)| name == MUST_SIT) else {
        return Ok(());
    };
    let values = &features[feature].1;
    if *values != [NO, YES] && *values != [YES] {
        refuse!("the feature of those who must sit has other values than no and yes");
    }
    let yes = values.len() - 1;
    let people_of = |value: usize| -> i64 {
        let of_type = pool.types.iter().zip(&pool.counts);
        let having = of_type.filter(|(kind, _)| kind[feature] == value);
        having.map(|(_, n)| n).sum()
    };
    if yes > 0 && people_of(0) == 0 {
        refuse!("the feature of those who must sit has the value no, which nobody has");
    }
    let people = people_of(yes);
    if declaration.bounds[declaration.first_cell[feature] + yes] != (people, people) {
        refuse!("{people} people must sit, and their quota says something else");
    }
    Ok(())
}

/// At most `household` people of an address: those who share a value of the household feature live in households of the same
/// composition, and its maximum is so many for each of them. The seats can then be dealt out within the rule (`draw::people`).
pub fn household(declaration: &Declaration, pool: &Pool) -> Result<(), Fault> {
    let features = &declaration.features;
    let feature = features.iter().position(|(name, _)| name == HOUSEHOLD);
    let (most, Some(feature)) = (declaration.household, feature) else {
        if declaration.household == 0 && pool.households.is_empty() {
            return Ok(());
        }
        refuse!("there is a household rule and no feature for it");
    };
    if most == 0 {
        refuse!("there is a feature for households and no rule");
    }
    let values = &features[feature].1;
    let value_of = |person: usize| pool.types[pool.people[person]][feature];
    let mut compositions: Vec<Option<Vec<usize>>> = vec![None; values.len()];
    let mut homes = vec![0_i64; values.len()];
    for (number, members) in pool.households.iter().enumerate() {
        if i64::try_from(members.len()).is_ok_and(|size| size <= most) {
            refuse!("household {number} has no more people than may sit");
        }
        let value = value_of(members[0]);
        let mut composition: Vec<usize> = members.iter().map(|i| pool.people[*i]).collect();
        composition.sort_unstable();
        let alike = compositions[value].get_or_insert_with(|| composition.clone());
        if *alike != composition
            || values[value] == ALONE
            || members.iter().any(|i| value_of(*i) != value)
        {
            refuse!("household {number} is not like the others of its value");
        }
        homes[value] += 1;
    }
    for (person, home) in pool.home.iter().enumerate() {
        if home.is_some() == (values[value_of(person)] == ALONE) {
            refuse!("person {person} is in a household by one list and alone by another");
        }
    }
    for (value, homes) in homes.iter().enumerate() {
        let max = if values[value] == ALONE {
            Some(declaration.size)
        } else {
            homes.checked_mul(most)
        };
        let (low, high) = declaration.bounds[declaration.first_cell[feature] + value];
        if low != 0 || Some(high) != max {
            refuse!("the quota of household value {value} is not that of the rule");
        }
    }
    Ok(())
}
