//! Which of the new groups is the old theme 7?
//!
//! The one with the largest part of its contributions: pairs of an old and a new group are gone through by what they share, the most first (then the lower id, then the group that stands first), and
//! are matched if neither is taken. Themes that a facilitator has named come before all others, by what they share of the contributions that were there when the
//! consolidation began; as no new group holds such contributions of two of them (see [`super::gather`]), each keeps its id and so its name. Ids that find no group have been *merged* into where most of
//! them went; groups that find no id were *split* from where most of them came from, and get ids that nobody had.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What happened to ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Several became one.
    Merge,
    /// One became several.
    Split,
}

/// Ids before and after, each with its contributions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: Kind,
    /// Before.
    pub from: Vec<(u32, u32)>,
    /// After.
    pub to: Vec<(u32, u32)>,
}

/// Ids of the new groups, and what happened to the old.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identified {
    /// The id of each new group.
    pub ids: Vec<u32>,
    /// Merges and splits.
    pub changes: Vec<Change>,
    /// Contributions whose group has another id than before.
    pub moved: u32,
}

/// Finds the ids of `groups` new groups. For each contribution: its old id and its new group; `settled` of them were there when the consolidation began.
#[must_use]
pub fn identify(
    pairs: &[(u32, u32)],
    settled: usize,
    groups: usize,
    named: &BTreeSet<u32>,
    next: &mut u32,
) -> Identified {
    let mut ids = vec![0u32; groups];
    let mut used = BTreeSet::new();
    let mut take = |shares: &[(u32, u32, u32)], ids: &mut Vec<u32>| {
        for (id, group, _) in shares {
            if let Some(place) = ids.get_mut(*group as usize).filter(|place| **place == 0) {
                if used.insert(*id) {
                    *place = *id;
                }
            }
        }
    };
    let early = shares(
        pairs
            .iter()
            .take(settled)
            .filter(|(id, _)| named.contains(id)),
    );
    take(&early, &mut ids);
    let all = shares(pairs.iter());
    take(&all, &mut ids);
    let fresh: Vec<bool> = ids.iter().map(|id| *id == 0).collect();
    for id in ids.iter_mut().filter(|id| **id == 0) {
        *id = *next;
        *next += 1;
    }
    let changes = changes(&all, &ids, &fresh, &used);
    let moved = pairs
        .iter()
        .filter(|(id, group)| ids.get(*group as usize) != Some(id));
    Identified {
        moved: moved.count() as u32,
        ids,
        changes,
    }
}

/// (old id, new group, contributions), the most first.
fn shares<'a>(pairs: impl Iterator<Item = &'a (u32, u32)>) -> Vec<(u32, u32, u32)> {
    let mut counts: HashMap<(u32, u32), u32> = HashMap::new();
    pairs.for_each(|pair| *counts.entry(*pair).or_default() += 1);
    let mut all: Vec<_> = counts
        .into_iter()
        .map(|((id, group), n)| (id, group, n))
        .collect();
    all.sort_unstable_by_key(|(id, group, n)| (Reverse(*n), *id, *group));
    all
}

fn changes(
    shares: &[(u32, u32, u32)],
    ids: &[u32],
    fresh: &[bool],
    used: &BTreeSet<u32>,
) -> Vec<Change> {
    let (mut before, mut after): (BTreeMap<u32, u32>, BTreeMap<u32, u32>) = Default::default();
    // Shares are the largest first: the first of an old id is where most of it went, the first of a group where most of it came from.
    let (mut went, mut came): (BTreeMap<u32, u32>, BTreeMap<u32, u32>) = Default::default();
    for (id, group, n) in shares {
        let now = ids.get(*group as usize).copied().unwrap_or_default();
        *before.entry(*id).or_default() += n;
        *after.entry(now).or_default() += n;
        went.entry(*id).or_insert(now);
        if fresh.get(*group as usize) == Some(&true) {
            came.entry(now).or_insert(*id);
        }
    }
    let size =
        |sizes: &BTreeMap<u32, u32>, id: u32| (id, sizes.get(&id).copied().unwrap_or_default());
    let (mut merges, mut splits): (BTreeMap<u32, Vec<u32>>, BTreeMap<u32, Vec<u32>>) =
        Default::default();
    for (id, now) in went.iter().filter(|(id, _)| !used.contains(id)) {
        merges.entry(*now).or_insert_with(|| vec![*now]).push(*id);
    }
    for (now, id) in &came {
        splits.entry(*id).or_insert_with(|| vec![*id]).push(*now);
    }
    let merges = merges.into_iter().map(|(now, from)| Change {
        kind: Kind::Merge,
        from: from.into_iter().map(|id| size(&before, id)).collect(),
        to: vec![size(&after, now)],
    });
    let splits = splits.into_iter().map(|(id, to)| Change {
        kind: Kind::Split,
        from: vec![size(&before, id)],
        to: to.into_iter().map(|id| size(&after, id)).collect(),
    });
    merges.chain(splits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(
        pairs: &[(u32, u32)],
        settled: usize,
        groups: usize,
        named: &[u32],
    ) -> (Identified, u32) {
        let mut next = 50;
        let named = named.iter().copied().collect();
        let found = identify(pairs, settled, groups, &named, &mut next);
        (found, next)
    }

    #[test]
    fn the_largest_share_keeps_the_id() {
        let pairs = [(7, 0), (7, 0), (7, 1), (9, 1), (9, 1), (9, 1)];
        let (found, next) = run(&pairs, 6, 2, &[]);
        assert_eq!((found.ids, found.moved, next), (vec![7, 9], 1, 50));
        assert_eq!(found.changes, []);
    }

    #[test]
    fn a_merge_names_all_that_went_in_and_a_split_all_that_came_out() {
        let pairs = [(3, 0), (3, 0), (4, 0), (5, 0), (6, 1), (6, 2), (6, 2)];
        let (found, next) = run(&pairs, 7, 3, &[]);
        assert_eq!((found.ids, next), (vec![3, 50, 6], 51));
        let merge = Change {
            kind: Kind::Merge,
            from: vec![(3, 2), (4, 1), (5, 1)],
            to: vec![(3, 4)],
        };
        let split = Change {
            kind: Kind::Split,
            from: vec![(6, 3)],
            to: vec![(6, 2), (50, 1)],
        };
        assert_eq!(found.changes, [merge, split]);
        assert_eq!(found.moved, 3);
    }

    #[test]
    fn equal_shares_go_to_the_older_id_and_the_first_group() {
        let (found, _) = run(&[(2, 0), (1, 0), (1, 1)], 3, 2, &[]);
        assert_eq!(found.ids, [1, 50]);
    }

    #[test]
    fn a_named_theme_keeps_its_id_against_a_larger_one() {
        let pairs = [(1, 0), (1, 0), (1, 0), (2, 0), (1, 1)];
        let (found, _) = run(&pairs, 5, 2, &[2]);
        assert_eq!(found.ids, [2, 1]);
    }

    #[test]
    fn who_came_meanwhile_can_t_take_a_name_away() {
        // Theme 8 has two members in group 0, theme 9 one in group 1; then five that were told «9» turn out to be of group 0.
        let pairs = [
            (8, 0),
            (8, 0),
            (9, 1),
            (9, 0),
            (9, 0),
            (9, 0),
            (9, 0),
            (9, 0),
        ];
        let (found, _) = run(&pairs, 3, 2, &[8, 9]);
        assert_eq!(found.ids, [8, 9]);
    }
}
