#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::parts::PartFault;
use super::*;

const ALIVE: &dyn Fn() -> bool = &|| true;

fn rule(measure: Measure, threshold: f64, min_shared: u32) -> Rule {
    Rule {
        measure,
        threshold,
        min_shared,
    }
}

fn words(shingles: &[u64]) -> Words {
    let set: BTreeSet<u64> = shingles.iter().copied().collect();
    let sequence = shingles.iter().fold(7u128, |h, s| {
        h.wrapping_mul(1009).wrapping_add(u128::from(*s))
    });
    Words {
        shingles: set.into_iter().collect(),
        sequence: if shingles.is_empty() { 0 } else { sequence },
    }
}

fn matches(rule: &Rule, a: &Words, b: &Words) -> Option<f64> {
    let (x, y) = (&a.shingles, &b.shingles);
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let both = x.iter().filter(|s| y.contains(s)).count();
    let (a_len, b_len, both) = (x.len() as u32, y.len() as u32, both as u32);
    let enough = rule.matches(both, a_len, b_len);
    (enough || a == b).then(|| rule.similarity(both, a_len, b_len))
}

/// The groups by comparing all pairs: sets of ids.
fn brute(rule: &Rule, texts: &BTreeMap<String, Words>) -> BTreeSet<BTreeSet<String>> {
    let mut label: BTreeMap<&String, &String> = texts.keys().map(|id| (id, id)).collect();
    for (a, x) in texts {
        for (b, y) in texts {
            if matches(rule, x, y).is_some() {
                let (from, to) = (label[b], label[a]);
                label
                    .values_mut()
                    .filter(|l| **l == from)
                    .for_each(|l| *l = to);
            }
        }
    }
    let mut groups: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
    for (id, l) in label {
        groups.entry(l).or_default().insert(id.clone());
    }
    groups.into_values().filter(|g| g.len() > 1).collect()
}

fn name_of(members: &BTreeSet<String>, texts: &BTreeMap<String, Words>) -> String {
    let by_value = texts.keys().all(|id| ids::whole(id));
    let value = |id: &String| {
        if by_value {
            id.parse::<i64>().unwrap()
        } else {
            0
        }
    };
    let mut sorted: Vec<&String> = members.iter().collect();
    sorted.sort_by_key(|id| (value(id), (*id).clone()));
    sorted[0].clone()
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<(usize, Vec<u64>)>),
    Remove(Vec<usize>),
    Query(Vec<u64>),
}

fn set() -> impl Strategy<Value = Vec<u64>> {
    // Runs of a small cycle overlap much; a few are empty.
    (
        0u64..24,
        0u64..12,
        proptest::collection::vec(0u64..24, 0..2),
    )
        .prop_map(|(from, len, more)| {
            (from..from + len)
                .map(|s| s % 24 * 77)
                .chain(more)
                .collect()
        })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => proptest::collection::vec((0usize..40, set()), 0..8).prop_map(Step::Add),
        2 => proptest::collection::vec(0usize..40, 0..6).prop_map(Step::Remove),
        1 => set().prop_map(Step::Query),
    ];
    proptest::collection::vec(step, 1..14)
}

fn id(number: usize) -> String {
    // Mostly numbers, so that the order of ids changes when others come and go.
    if number == 39 {
        "zoé".to_owned()
    } else {
        (number * 3).to_string()
    }
}

/// The index, what should be in it, and the groups as somebody would know them who only reads the changes.
struct Pair {
    rule: Rule,
    index: Index,
    texts: BTreeMap<String, Words>,
    told: BTreeMap<String, Option<String>>,
}

impl Pair {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Add(rows) => self.add(rows),
            Step::Remove(numbers) => self.remove(numbers),
            Step::Query(shingles) => self.query(&words(shingles)),
        }
        self.check();
    }

    fn add(&mut self, rows: &[(usize, Vec<u64>)]) {
        let fresh: BTreeMap<String, Words> = rows.iter().map(|(n, s)| (id(*n), words(s))).collect();
        let ids: Vec<&str> = fresh.keys().map(String::as_str).collect();
        let result = self
            .index
            .add(&ids, fresh.values().cloned().collect(), ALIVE);
        if ids.iter().any(|id| self.texts.contains_key(*id)) {
            assert!(matches!(result, Err(Refused::Ids(_))));
            return;
        }
        self.texts.extend(fresh.clone());
        self.hear(&result.unwrap(), fresh.keys());
    }

    fn remove(&mut self, numbers: &[usize]) {
        let ids: BTreeSet<String> = numbers.iter().map(|n| id(*n)).collect();
        let result = self
            .index
            .remove(&ids.iter().map(String::as_str).collect::<Vec<_>>(), ALIVE);
        if ids.iter().any(|id| !self.texts.contains_key(id)) {
            assert!(matches!(result, Err(Refused::Ids(_))));
            return;
        }
        for id in &ids {
            self.texts.remove(id);
            self.told.remove(id);
        }
        self.hear(&result.unwrap(), [].iter());
    }

    fn hear<'a>(&mut self, changes: &[Change], fresh: impl Iterator<Item = &'a String>) {
        let mut news: BTreeSet<String> = fresh.cloned().collect();
        for change in changes {
            news.extend(change.alone_before.iter().cloned());
            let in_them = |(_, group): &(&String, &Option<String>)| {
                group
                    .as_ref()
                    .is_some_and(|g| change.groups_before.contains(g))
            };
            let ids: Vec<String> = self
                .told
                .iter()
                .filter(in_them)
                .map(|(id, _)| id.clone())
                .collect();
            news.extend(ids);
        }
        for id in news {
            let group = match self.index.standing(&id).unwrap() {
                Standing::Grouped(name, _) => Some(name),
                Standing::Alone | Standing::Empty => None,
            };
            self.told.insert(id, group);
        }
    }

    fn query(&mut self, x: &Words) {
        let by_value = self.texts.keys().all(|id| ids::whole(id));
        let mut expected: Vec<(&str, f64)> = self
            .texts
            .iter()
            .filter_map(|(id, y)| matches(&self.rule, x, y).map(|s| (id.as_str(), s)))
            .collect();
        let value = |id: &str| {
            if by_value {
                id.parse::<i64>().unwrap()
            } else {
                0
            }
        };
        expected.sort_by(|a, b| {
            b.1.total_cmp(&a.1)
                .then((value(a.0), a.0).cmp(&(value(b.0), b.0)))
        });
        for most in [usize::MAX, 3] {
            expected.truncate(most);
            assert_eq!(self.index.query(x, most), expected);
        }
    }

    fn check(&self) {
        assert_eq!(self.index.len(), self.texts.len());
        let groups = brute(&self.rule, &self.texts);
        let mut names = BTreeMap::new();
        for group in &groups {
            let name = name_of(group, &self.texts);
            names.extend(group.iter().map(|id| (id.clone(), name.clone())));
        }
        let told = self
            .told
            .iter()
            .filter_map(|(id, g)| g.clone().map(|g| (id.clone(), g)));
        assert_eq!(told.collect::<BTreeMap<_, _>>(), names);
        let listed = self.index.groups();
        assert!(listed
            .windows(2)
            .all(|g| g[0].members.len() >= g[1].members.len()));
        for group in &listed {
            assert_eq!(group.members[0], names[&group.members[0]]);
            let distinct: BTreeSet<u128> = group
                .members
                .iter()
                .map(|id| self.texts[id].sequence)
                .collect();
            assert_eq!(group.distinct, distinct.len());
        }
        let listed: BTreeSet<BTreeSet<String>> = listed
            .into_iter()
            .map(|g| g.members.into_iter().collect())
            .collect();
        assert_eq!(listed, groups);
    }
}

fn pair(rule: Rule) -> Pair {
    Pair {
        rule,
        index: Index::new(rule),
        texts: BTreeMap::new(),
        told: BTreeMap::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn after_any_steps_the_groups_are_those_of_brute_force(
        steps in steps(), contained in any::<bool>(), t in prop_oneof![Just(0.3), Just(0.5), Just(0.8), Just(1.0), 0.05f64..1.0], m in 1u32..6,
        crowd in prop_oneof![Just(1usize), Just(3), Just(64)]
    ) {
        let measure = if contained { Measure::Containment } else { Measure::Jaccard };
        let mut pair = pair(rule(measure, t, m));
        pair.index.order.crowd = crowd;
        for step in &steps {
            pair.step(step);
        }
        let parts = pair.index.parts();
        let mut fresh = Index::new(pair.rule);
        for (id, words) in pair.texts.iter().rev() {
            fresh.add(&[id], vec![words.clone()], ALIVE).unwrap();
        }
        prop_assert_eq!(&fresh.parts(), &parts);
        let again = Index::from_parts(pair.rule, &parts, ALIVE).unwrap();
        prop_assert_eq!(&again.parts(), &parts);
        prop_assert_eq!(again.groups(), pair.index.groups());
        pair.index = again;
        pair.step(&Step::Add(vec![(17, vec![77, 154, 231, 308, 385])]));
    }

    #[test]
    fn a_stopped_addition_leaves_no_trace(steps in steps(), stop in 1usize..3) {
        let mut pair = pair(rule(Measure::Jaccard, 0.5, 1));
        for step in &steps {
            pair.step(step);
        }
        let before = (pair.index.parts(), pair.index.groups());
        let ids: Vec<String> = (0..200).map(|i| format!("new-{i}")).collect();
        let many = (0..200u64).map(|i| words(&(i % 24..i % 24 + 9).map(|s| s % 24 * 77).collect::<Vec<_>>()));
        let asked = std::cell::Cell::new(0);
        let alive = || { asked.set(asked.get() + 1); asked.get() < stop };
        let refused = pair.index.add(&ids.iter().map(String::as_str).collect::<Vec<_>>(), many.collect(), &alive);
        prop_assert_eq!(refused, Err(Refused::Stopped));
        prop_assert_eq!((pair.index.parts(), pair.index.groups()), before);
        pair.step(&Step::Add(vec![(38, vec![77, 154, 231, 308, 385])]));
    }

    #[test]
    fn columns_that_were_changed_are_refused_or_are_an_index(
        rows in proptest::collection::vec((0usize..40, set()), 1..10), column in 0usize..6, at in any::<prop::sample::Index>(), to in any::<u64>()
    ) {
        let mut index = Index::new(rule(Measure::Jaccard, 0.5, 1));
        let rows: BTreeMap<String, Words> = rows.iter().map(|(n, s)| (id(*n), words(s))).collect();
        let ids: Vec<&str> = rows.keys().map(String::as_str).collect();
        index.add(&ids, rows.values().cloned().collect(), ALIVE).unwrap();
        let mut parts = index.parts();
        fn change<T>(values: &mut [T], at: prop::sample::Index, to: T) {
            if !values.is_empty() { values[at.index(values.len())] = to; }
        }
        match column {
            0 => change(&mut parts.id_bounds, at, to as i64),
            1 => change(&mut parts.id_bytes, at, to as u8),
            2 => change(&mut parts.sequences, at, to as u8),
            3 => change(&mut parts.firsts, at, (to % 12) as u32),
            4 => change(&mut parts.bounds, at, (to % 99) as i64),
            _ => change(&mut parts.shingles, at, to),
        }
        if let Ok(read) = Index::from_parts(rule(Measure::Jaccard, 0.5, 1), &parts, ALIVE) {
            prop_assert_eq!(read.parts(), parts);
        }
    }
}

#[test]
fn letters_that_share_the_hash_of_their_sequence_stay_apart() {
    let mut index = Index::new(rule(Measure::Jaccard, 1.0, 1));
    let same = |shingles: &[u64]| Words {
        shingles: shingles.into(),
        sequence: 5,
    };
    let texts = vec![same(&[1]), same(&[2]), same(&[3]), same(&[2])];
    index.add(&["a", "b", "c", "d"], texts, ALIVE).unwrap();
    assert_eq!(index.standing("d"), Some(Standing::Grouped("b".into(), 2)));
    index.remove(&["b", "d", "c"], ALIVE).unwrap();
    index
        .add(&["e", "f"], vec![same(&[1]), same(&[3])], ALIVE)
        .unwrap();
    assert_eq!(index.standing("e"), Some(Standing::Grouped("a".into(), 2)));
    assert_eq!(index.standing("f"), Some(Standing::Alone));
}

#[test]
fn a_letter_of_a_campaign_is_compared_with_few_others() {
    let mut index = Index::new(rule(Measure::Jaccard, 0.8, 1));
    let letter = |i: u64| words(&(0..90).chain([1000 + i, 2000 + i]).collect::<Vec<_>>());
    for i in 0..3000 {
        index
            .add(&[&i.to_string()], vec![letter(i)], ALIVE)
            .unwrap();
    }
    let before = index.met.iter().filter(|m| **m == index.round).count();
    assert!(before <= 1, "{before} letters were met");
    assert_eq!(
        index.standing("2999"),
        Some(Standing::Grouped("0".into(), 3000))
    );
    let ids: Vec<String> = (0..2998).map(|i| i.to_string()).collect();
    index
        .remove(&ids.iter().map(String::as_str).collect::<Vec<_>>(), ALIVE)
        .unwrap();
    assert_eq!(
        index.standing("2999"),
        Some(Standing::Grouped("2998".into(), 2))
    );
}

#[test]
fn a_million_copies_are_one_letter() {
    let mut index = Index::new(rule(Measure::Containment, 0.8, 5));
    let ids: Vec<String> = (0..1_000_000).map(|i| i.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    index
        .add(&ids, vec![words(&[1, 2]); ids.len()], ALIVE)
        .unwrap();
    assert_eq!(
        (index.letters.rows.len(), index.groups()[0].distinct),
        (1, 1)
    );
    assert_eq!(index.query(&words(&[1, 2]), 2), [("0", 1.0), ("1", 1.0)]);
    let parts = index.parts();
    assert_eq!(parts.shingles.len(), 2);
    index.remove(&ids[..999_999], ALIVE).unwrap();
    assert_eq!(index.standing("999999"), Some(Standing::Alone));
}

#[test]
fn every_fault_of_the_ids_is_told_at_once() {
    let mut index = Index::new(rule(Measure::Jaccard, 0.8, 1));
    index.add(&["a"], vec![words(&[1])], ALIVE).unwrap();
    let refused = index.add(&["b", "", "a", "b"], vec![words(&[1]); 4], ALIVE);
    let faults = vec![
        (1, IdFault::Empty),
        (2, IdFault::Known),
        (3, IdFault::Twice),
    ];
    assert_eq!(refused, Err(Refused::Ids(faults)));
    let refused = index.remove(&["a", "z", "a"], ALIVE);
    assert_eq!(
        refused,
        Err(Refused::Ids(vec![
            (1, IdFault::Unknown),
            (2, IdFault::Twice)
        ]))
    );
    assert_eq!(index.standing("a"), Some(Standing::Alone));
}

#[test]
fn each_fault_of_the_columns_has_its_name() {
    let mut index = Index::new(rule(Measure::Jaccard, 0.5, 1));
    let texts = vec![words(&[1, 2]), words(&[1, 2]), words(&[]), words(&[4])];
    index.add(&["a", "b", "c", "d"], texts, ALIVE).unwrap();
    let good = index.parts();
    let fault = |change: &dyn Fn(&mut super::parts::Parts)| {
        let mut parts = good.clone();
        change(&mut parts);
        Index::from_parts(index.rule, &parts, ALIVE).err()
    };
    assert_eq!(fault(&|_| ()), None);
    assert_eq!(fault(&|p| p.bounds[1] = 9), Some(PartFault::Shape));
    assert_eq!(fault(&|p| p.id_bounds[0] = -1), Some(PartFault::Shape));
    assert_eq!(fault(&|p| p.firsts.push(0)), Some(PartFault::Shape));
    assert_eq!(
        fault(&|p| {
            p.sequences.pop();
        }),
        Some(PartFault::Shape)
    );
    assert_eq!(fault(&|p| p.id_bytes[1] = b'a'), Some(PartFault::Id(1)));
    assert_eq!(fault(&|p| p.id_bytes[1] = 0xff), Some(PartFault::Id(1)));
    assert_eq!(fault(&|p| p.id_bounds[1] = 0), Some(PartFault::Id(0)));
    assert_eq!(fault(&|p| p.shingles[1] = 1), Some(PartFault::Shingles(0)));
    assert_eq!(fault(&|p| p.bounds[1] = 1), Some(PartFault::Shingles(1)));
    assert_eq!(fault(&|p| p.firsts[1] = 2), Some(PartFault::First(1)));
    assert_eq!(fault(&|p| p.firsts[1] = 9), Some(PartFault::First(1)));
    assert_eq!(fault(&|p| p.firsts[1] = 1), Some(PartFault::Sequence(1)));
    assert_eq!(
        fault(&|p| p.sequences[40] = 1),
        Some(PartFault::Sequence(2))
    );
    assert_eq!(fault(&|p| p.sequences[16] ^= 1), Some(PartFault::First(1)));
    let stopped = Index::from_parts(index.rule, &good, &|| false);
    assert!(stopped.is_ok(), "four rows are read between two questions");
}

#[test]
fn letters_of_a_template_that_do_not_match_are_compared_with_few_others() {
    for measure in [Measure::Jaccard, Measure::Containment] {
        let mut index = Index::new(rule(measure, 0.8, 1));
        // Two of them share 80 of 104 or 92: just too few.
        let hash = |s: u64| s.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let own = if measure == Measure::Jaccard { 12 } else { 21 };
        let letter = |i: u64| {
            words(
                &(0..80)
                    .chain(1000 * (i + 1)..1000 * (i + 1) + own)
                    .map(hash)
                    .collect::<Vec<_>>(),
            )
        };
        for i in 0..600 {
            index
                .add(&[&i.to_string()], vec![letter(i)], ALIVE)
                .unwrap();
        }
        let met = index.met.iter().filter(|m| **m == index.round).count();
        assert!(met < 20, "{met} letters were met");
        assert!(index.groups().is_empty());
    }
}

#[test]
fn a_removal_that_is_stopped_changes_nothing() {
    let mut index = Index::new(rule(Measure::Jaccard, 0.5, 1));
    // A chain: each letter matches its neighbours, so that it breaks where one goes.
    let mut ids: Vec<String> = (0..400).map(|i| i.to_string()).collect();
    let mut texts: Vec<Words> = (0..400u64)
        .map(|i| words(&(i * 3..i * 3 + 12).collect::<Vec<_>>()))
        .collect();
    ids.extend(["copy".to_owned(), "empty".to_owned()]);
    texts.extend([texts[200].clone(), words(&[])]);
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    index.add(&names, texts, ALIVE).unwrap();
    let before = (index.parts(), index.groups());
    assert_eq!(before.1.len(), 1);
    let going = ["0", "7", "8", "200", "300", "399", "copy", "empty"];
    for stop in 0..5 {
        let asked = std::cell::Cell::new(0);
        let alive = || {
            asked.set(asked.get() + 1);
            asked.get() <= stop
        };
        assert_eq!(index.remove(&going, &alive), Err(Refused::Stopped));
        assert_eq!((index.parts(), index.groups()), before);
    }
    index.remove(&going, ALIVE).unwrap();
    let sizes: Vec<usize> = index
        .groups()
        .iter()
        .map(|group| group.members.len())
        .collect();
    assert_eq!(sizes, [191, 99, 98, 6]);
}

#[test]
fn names_in_a_change_stand_in_the_order_of_ids() {
    let mut index = Index::new(rule(Measure::Jaccard, 0.6, 1));
    let run = |from: u64| words(&(from..from + 12).collect::<Vec<_>>());
    let texts = vec![run(0), run(6), run(100), run(106)];
    index.add(&["10", "9", "100", "20"], texts, ALIVE).unwrap();
    let changes = index
        .add(&["3", "4"], vec![run(3), run(103)], ALIVE)
        .unwrap();
    let alone: Vec<Vec<String>> = changes
        .into_iter()
        .map(|change| change.alone_before)
        .collect();
    assert_eq!(alone, [["9", "10"], ["20", "100"]]);
}
