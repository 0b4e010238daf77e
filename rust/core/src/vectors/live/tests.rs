#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use super::consolidate::{Done, Plan, Stale};
use super::identity::Kind;
use super::links::{Refused, Tie};
use super::*;
use crate::random::Random;

const YES: &dyn Fn() -> bool = &|| true;

/// Vectors around some centres, as bytes.
fn vectors(n: usize, centres: usize, dimension: usize, noise: f64, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed);
    let mut float = move || random.below(20_001) as f64 / 10_000.0 - 1.0;
    let middles: Vec<Vec<f64>> = (0..centres)
        .map(|_| (0..dimension).map(|_| float()).collect())
        .collect();
    let common: Vec<f64> = (0..dimension).map(|_| float()).collect();
    let mut pick = Random::new(seed + 1);
    (0..n)
        .map(|_| {
            let middle = &middles[pick.below(centres)];
            let row = middle
                .iter()
                .zip(&common)
                .map(|(x, c)| x + 0.7 * c + noise * float());
            row.flat_map(|x| (x as f32).to_ne_bytes()).collect()
        })
        .collect()
}

fn consolidate(live: &mut Live, most: usize) -> Done {
    let mut plan = Plan::of(live, most);
    plan.work(YES).unwrap();
    plan.finish(live).unwrap()
}

fn filled(rows: &[Vec<u8>], every: usize) -> Live {
    let mut live = Live::new(rows[0].len() / 4, 0.4);
    for (at, row) in rows.iter().enumerate() {
        live.add(row).unwrap();
        if (at + 1) % every == 0 {
            consolidate(&mut live, 1000);
        }
    }
    live
}

/// What must hold whatever was done.
fn check(live: &Live) {
    let state = &live.state;
    let members = state.members();
    assert_eq!(members.iter().map(Vec::len).sum::<usize>(), live.len());
    let ids: BTreeSet<u32> = state.groups.iter().map(|group| group.id).collect();
    assert_eq!(ids.len(), state.groups.len());
    assert!(ids.iter().all(|id| *id > 0 && *id < live.next));
    assert!(live.named.is_subset(&ids));
    for (place, (group, members)) in state.groups.iter().zip(&members).enumerate() {
        assert_eq!(group.count as usize, members.len());
        let rows = state
            .frame
            .all(live.store.rows(), members.iter().map(|m| *m as usize));
        let width = state.width();
        let mut sum = vec![0i64; width];
        for row in rows.chunks(width) {
            sum.iter_mut()
                .zip(row)
                .for_each(|(s, x)| *s += i64::from(*x));
        }
        if members.len() > 1 {
            assert_eq!(group.sum, sum);
        }
        let mut mean = vec![0; width];
        super::state::rounded(&sum, group.count, &mut mean);
        assert_eq!(state.mean(place as u32), mean);
    }
    for link in &live.links {
        let groups = |side: &[u32]| -> BTreeSet<u32> {
            side.iter().filter_map(|c| state.group_of(*c)).collect()
        };
        let (left, right) = (groups(&link.left), groups(&link.right));
        match link.tie {
            Tie::Must => assert_eq!(left.union(&right).count(), 1),
            Tie::Cannot => assert!(left.is_disjoint(&right)),
        }
    }
    let mut counts = vec![0; state.micros.len()];
    state
        .micro_of
        .iter()
        .for_each(|micro| counts[*micro as usize] += 1);
    assert_eq!(
        counts,
        state.micros.iter().map(|m| m.count).collect::<Vec<_>>()
    );
}

#[test]
fn themes_that_are_far_apart_are_found_and_what_is_new_is_told() {
    let rows = vectors(200, 5, 32, 0.3, 4);
    let live = filled(&rows, 50);
    check(&live);
    let large: Vec<u32> = live.views(1).iter().map(|view| view.count).collect();
    assert_eq!(large.len(), 5, "{large:?}");
    let mut live = live;
    let other: Vec<u8> = vectors(1, 1, 32, 0.0, 99).remove(0);
    let answer = live.add(&other).unwrap();
    assert!(answer.placed.new && answer.placed.size == 1);
    assert!(answer.placed.similarity < answer.placed.limit);
    let again = live.add(&rows[0]).unwrap();
    assert!(!again.placed.new && again.placed.copy);
    assert_eq!(again.id, live.labels()[0]);
}

#[test]
fn a_consolidation_keeps_everything_and_is_a_function_of_its_input() {
    for seed in 0..4 {
        let rows = vectors(150, 12, 24, 0.8, seed);
        let (mut one, two) = (filled(&rows, 37), filled(&rows, 37));
        assert_eq!(parts::write(&one), parts::write(&two));
        consolidate(&mut one, 1000);
        check(&one);
        let labels = one.labels();
        let done = consolidate(&mut one, 1000);
        assert_eq!((done.moved, done.changes), (0, vec![]));
        assert_eq!(one.labels(), labels);
    }
}

#[test]
fn what_comes_meanwhile_is_kept_and_keeps_its_id() {
    let rows = vectors(120, 6, 24, 0.4, 8);
    let mut live = filled(&rows[..80], 40);
    let mut plan = Plan::of(&live, 1000);
    let mut told = Vec::new();
    for row in &rows[80..] {
        told.push(live.add(row).unwrap().id);
    }
    plan.work(YES).unwrap();
    assert_eq!(plan.catch_up(&live, 30), 10);
    let done = plan.finish(&mut live).unwrap();
    assert_eq!((done.contributions, done.caught_up), (80, 40));
    check(&live);
    let same = live.labels()[80..]
        .iter()
        .zip(&told)
        .filter(|(a, b)| a == b)
        .count();
    assert!(same > 35, "{same}");
}

#[test]
fn a_stale_or_stopped_consolidation_changes_nothing() {
    let rows = vectors(60, 6, 24, 0.4, 8);
    let mut live = filled(&rows, 30);
    let before = parts::write(&live);
    let mut plan = Plan::of(&live, 1000);
    assert!(plan.work(&|| false).is_none());
    assert_eq!(parts::write(&live), before);
    let mut plan = Plan::of(&live, 1000);
    plan.work(YES).unwrap();
    let id = live.labels()[0];
    assert!(live.set_named(id, true));
    assert_eq!(plan.finish(&mut live), Err(Stale));
    assert!(live.set_named(id, false));
    assert_eq!(parts::write(&live), before);
}

#[test]
fn too_many_micro_clusters_are_condensed_and_the_few_wait_their_turn() {
    let rows = vectors(300, 3, 24, 0.5, 5);
    let mut live = filled(&rows, 100);
    let themes = live.labels();
    let done = consolidate(&mut live, 60);
    check(&live);
    assert!(done.condensed >= 240, "{done:?}");
    assert_eq!(done.waiting, 0);
    assert_eq!(live.labels(), themes);
    // Nothing is like anything: all are lone voices, and each is compared in its turn.
    let rows = vectors(40, 4000, 64, 0.0, 6);
    let mut live = Live::new(64, 0.4);
    rows.iter().for_each(|row| assert!(live.add(row).is_ok()));
    consolidate(&mut live, 1000);
    assert!(
        live.views(1).iter().all(|view| view.count < 5),
        "{:?}",
        live.views(0).iter().map(|v| v.count).collect::<Vec<_>>()
    );
    for _ in 0..3 {
        let done = consolidate(&mut live, 20);
        assert!(done.waiting > 0 && done.condensed == 0);
        check(&live);
    }
    assert!(live.state.groups.iter().all(|group| group.looked > 1));
}

#[test]
fn a_name_survives_whatever_is_gathered() {
    let rows = vectors(100, 3, 24, 0.4, 3);
    let mut live = filled(&rows, 50);
    consolidate(&mut live, 1000);
    let one = live.views(1)[0].id;
    let members = contributions(&live, one);
    let (left, right) = members.split_at(members.len() / 2);
    let changes = live.cannot(left, right).unwrap();
    let two = changes[0].to[1].0;
    live.unlink();
    live.set_named(one, true);
    live.set_named(two, true);
    assert!(!live.set_named(77_777, true));
    consolidate(&mut live, 1000);
    check(&live);
    let holds = |live: &Live, id, part: &[u32]| {
        let all = contributions(live, id);
        part.iter().any(|one| all.contains(one))
    };
    assert!(!contributions(&live, one).is_empty() && !contributions(&live, two).is_empty());
    assert!(!holds(&live, one, right) || !holds(&live, two, right));
    assert!(!holds(&live, one, left) || !holds(&live, two, left));
    live.set_named(one, false);
    consolidate(&mut live, 1000);
    check(&live);
    assert!(!contributions(&live, two).is_empty());
}

fn contributions(live: &Live, id: u32) -> Vec<u32> {
    live.members_of(id)
}

#[test]
fn merged_by_hand_and_taken_back_a_theme_has_its_id_again() {
    let rows = vectors(100, 4, 24, 0.4, 3);
    let mut live = filled(&rows, 100);
    let before = live.labels();
    let ids: Vec<u32> = live.views(1).iter().map(|view| view.id).collect();
    let (small, large) = (ids[1], ids[0]);
    let (left, right) = (contributions(&live, small), contributions(&live, large));
    let changes = live.must(&left, &right, Some((small, large))).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].kind, Kind::Merge);
    assert_eq!(changes[0].to, [(large, (left.len() + right.len()) as u32)]);
    check(&live);
    for _ in 0..2 {
        consolidate(&mut live, 1000);
        check(&live);
        assert_eq!(contributions(&live, large).len(), left.len() + right.len());
    }
    let (_, changes) = live.unlink().unwrap();
    assert_eq!(changes[0].kind, Kind::Split);
    assert_eq!(live.labels(), before);
    check(&live);
    assert!(live.unlink().is_none());
    consolidate(&mut live, 1000);
    assert_eq!(live.labels(), before);
}

#[test]
fn those_who_must_be_apart_stay_apart_also_with_their_copies() {
    let mut rows = vectors(60, 3, 24, 0.4, 3);
    let copies = rows[..20].to_vec();
    rows.extend(copies);
    let mut live = filled(&rows, 80);
    let id = live.views(1)[0].id;
    let members = contributions(&live, id);
    let (one, two) = (members[0], members[1]);
    let changes = live.cannot(&[one], &[two]).unwrap();
    assert_eq!(changes[0].kind, Kind::Split);
    check(&live);
    for _ in 0..2 {
        consolidate(&mut live, 30);
        check(&live);
    }
    let (_, changes) = live.unlink().unwrap();
    assert_eq!(changes, []);
    consolidate(&mut live, 1000);
    check(&live);
    assert_eq!(live.labels()[one as usize], live.labels()[two as usize]);
}

#[test]
fn what_contradicts_is_refused_and_changes_nothing() {
    let rows = vectors(60, 3, 24, 0.4, 3);
    let mut live = filled(&rows, 60);
    let ids: Vec<u32> = live.views(1).iter().map(|view| view.id).collect();
    let (a, b) = (contributions(&live, ids[0]), contributions(&live, ids[1]));
    live.must(&[a[0]], &[a[1]], None).unwrap();
    live.must(&[a[1]], &[a[2]], None).unwrap();
    live.cannot(&a, &b).unwrap();
    let before = parts::write(&live);
    assert_eq!(live.cannot(&[a[0]], &[a[2]]), Err(Refused::Together(0)));
    assert_eq!(live.must(&[a[5]], &[b[0]], None), Err(Refused::Apart(2)));
    assert_eq!(live.must(&[a[0]], &[a[0]], None), Err(Refused::Same));
    assert_eq!(live.must(&[a[0]], &[9999], None), Err(Refused::Unknown));
    assert_eq!(live.must(&[], &[a[0]], None), Err(Refused::Unknown));
    assert_eq!(parts::write(&live), before);
    live.unlink();
    live.set_named(ids[0], true);
    live.set_named(ids[1], true);
    assert_eq!(
        live.must(&[a[0]], &[b[0]], None),
        Err(Refused::Names(ids[0], ids[1]))
    );
}

#[test]
fn a_block_does_not_go_where_somebody_is_who_must_be_apart_from_it() {
    let rows = vectors(60, 2, 24, 0.3, 3);
    let mut live = filled(&rows, 60);
    let ids: Vec<u32> = live.views(1).iter().map(|view| view.id).collect();
    let (a, b) = (contributions(&live, ids[0]), contributions(&live, ids[1]));
    live.cannot(&[a[0]], &[b[0]]).unwrap();
    live.must(&[a[1]], &[b[0]], None).unwrap();
    check(&live);
    consolidate(&mut live, 1000);
    check(&live);
}

#[test]
fn whatever_is_done_in_any_order_all_promises_hold() {
    for seed in 0..5 {
        let rows = vectors(120, 8, 16, 0.7, seed);
        let mut random = Random::new(seed + 7);
        let mut live = Live::new(16, 0.4);
        let mut seen: BTreeMap<u32, ()> = BTreeMap::new();
        for row in &rows {
            live.add(row).unwrap();
            seen.extend(live.labels().into_iter().map(|id| (id, ())));
            let n = live.len();
            let mut one = || random.below(n) as u32;
            let (x, y) = (one(), one());
            let (p, q) = (live.labels()[x as usize], live.labels()[y as usize]);
            match one() % 12 {
                0 => drop(live.must(&[x], &[y], None)),
                1 => drop(live.cannot(&[x], &[y])),
                2 if p != q => {
                    let (left, right) = (contributions(&live, p), contributions(&live, q));
                    drop(live.cannot(&left, &right));
                }
                3 if p != q && live.links.len() < 6 => {
                    let (left, right) = (contributions(&live, p), contributions(&live, q));
                    drop(live.must(&left, &right, Some((p, q))));
                }
                4 | 5 => drop(live.unlink()),
                6 => drop(live.set_named(p, x % 2 == 0)),
                7 | 8 => {
                    let named = live.named.clone();
                    consolidate(&mut live, 8 + x as usize);
                    assert_eq!(live.named, named);
                }
                _ => {}
            }
            check(&live);
        }
        let bytes = parts::write(&live);
        assert_eq!(parts::write(&parts::read(&bytes).unwrap()), bytes);
    }
}

#[test]
fn saved_and_read_it_goes_on_as_if_nothing_had_been() {
    let rows = vectors(140, 9, 20, 0.7, 1);
    let mut live = filled(&rows[..100], 30);
    live.set_named(live.labels()[3], true);
    live.must(&[1], &[2], None).unwrap();
    let mut again = parts::read(&parts::write(&live)).unwrap();
    for row in &rows[100..] {
        assert_eq!(live.add(row), again.add(row));
    }
    assert_eq!(consolidate(&mut live, 50), consolidate(&mut again, 50));
    assert_eq!(parts::write(&live), parts::write(&again));
}

#[test]
fn damaged_bytes_are_refused_or_read_as_something_sound() {
    let rows = vectors(30, 3, 8, 0.4, 1);
    let mut live = filled(&rows, 30);
    live.must(&[1], &[2], None).unwrap();
    let bytes = parts::write(&live);
    for cut in 0..bytes.len() {
        assert!(parts::read(&bytes[..cut]).is_none());
    }
    let mut random = Random::new(3);
    for _ in 0..400 {
        let mut other = bytes.clone();
        let at = random.below(other.len());
        other[at] ^= 1 << random.below(8);
        if let Some(mut read) = parts::read(&other) {
            consolidate(&mut read, 10);
        }
    }
}

#[test]
fn a_zero_vector_is_refused() {
    let mut live = Live::new(4, 0.4);
    assert_eq!(live.add(&[0; 16]), Err(Unfit::Zero));
    assert!(live.is_empty());
}

#[test]
fn rows_can_be_replaced_by_a_consolidation() {
    let (one, two) = (vectors(60, 3, 24, 0.3, 1), vectors(60, 3, 24, 0.3, 2));
    let mut live = filled(&one[..40], 20);
    let mut plan = Plan::of(&live, 1000);
    let rows: Vec<Vec<i16>> = two.iter().map(|row| live.rounded(row).unwrap()).collect();
    assert!(!plan.replace(rows[..39].iter().map(Vec::as_slice)));
    assert!(plan.replace(rows[..40].iter().map(Vec::as_slice)));
    plan.work(YES).unwrap();
    for row in &one[40..] {
        live.add(row).unwrap();
    }
    let mut plan_without = Plan::of(&live, 1000);
    plan_without.replace(rows.iter().map(Vec::as_slice));
    for row in &rows[40..] {
        plan.follow(row);
    }
    let done = plan.finish(&mut live).unwrap();
    assert_eq!((done.contributions, done.caught_up), (40, 20));
    check(&live);
    assert_eq!(live.store.rows().get(7), rows[7]);
    let large = live.views(1).iter().filter(|view| view.count > 5).count();
    assert_eq!(large, 3);
}

#[test]
fn medoids_and_newest_are_members() {
    let rows = vectors(60, 3, 24, 0.4, 3);
    let live = filled(&rows, 30);
    let views = live.views(2);
    let ids: Vec<u32> = views.iter().map(|view| view.id).collect();
    for (view, medoid) in views.iter().zip(live.medoids(&ids)) {
        let members = live.members_of(view.id);
        assert_eq!(
            view.newest,
            members.iter().rev().take(2).copied().collect::<Vec<_>>()
        );
        let alike = |one: u32| live.standing(one).and_then(|s| s.similarity);
        assert_eq!(
            members
                .iter()
                .copied()
                .find(|one| alike(*one) == members.iter().map(|m| alike(*m)).max().unwrap()),
            Some(medoid)
        );
    }
    assert_eq!(live.medoids(&[123_456]), [u32::MAX]);
}

#[test]
fn numbers_that_nothing_can_be_counted_on_from_are_refused() {
    let bytes = parts::write(&filled(&vectors(9, 3, 8, 0.4, 1), 9));
    // Before them: the name, the dimension, the granularity, the mean of 32 numbers, the cut, the pool, and from how many rows.
    let next = super::ALGORITHM.len() + 4 + 8 + 4 * 32 + 4 + 16 + 4;
    for at in [next, next + 4] {
        let mut other = bytes.clone();
        other[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(parts::read(&other).is_none());
    }
}
