//! The join of near-duplicates against the definition, on thousands of small random corpora, and its sameness.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use klero_core::neardup::crew::{Crew, Stop};
use klero_core::neardup::join::{join, Group, Outcome, Settings, ALONE, EMPTY};
use klero_core::neardup::measure::{Measure, Rule};
use klero_core::text::{Reader, Reading};

/// A small generator of random numbers (Steele, Lea, Flood 2014: splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Families of texts over a small vocabulary: copies, edits, reordered words, short and empty texts.
fn corpus(random: &mut Random, rows: usize) -> Vec<String> {
    let vocabulary = 2 + random.below(60);
    let mut texts: Vec<Vec<usize>> = Vec::new();
    while texts.len() < rows {
        let known = texts.len();
        let mut words: Vec<usize> = if known > 0 && random.below(3) > 0 {
            texts[random.below(known)].clone()
        } else {
            (0..random.below(40))
                .map(|_| random.below(vocabulary))
                .collect()
        };
        for _ in 0..random.below(4) {
            let at = random.below(words.len() + 1);
            match random.below(4) {
                0 => words.insert(at, random.below(vocabulary)),
                1 if at < words.len() => drop(words.remove(at)),
                2 if at < words.len() => words[at] = random.below(vocabulary),
                3 if at < words.len() => words.rotate_left(at),
                _ => {}
            }
        }
        texts.push(words);
    }
    let spelt = |words: &Vec<usize>| {
        let words: Vec<String> = words.iter().map(|w| format!("mot{w}")).collect();
        words.join(" ")
    };
    texts.iter().map(spelt).collect()
}

fn run(texts: &[String], settings: &Settings, threads: usize, ranks: Option<&[u32]>) -> Outcome {
    let crew = Crew {
        threads,
        watch: &|_, _| true,
        stop: &Stop::default(),
    };
    join(&crew, texts, settings, ranks).unwrap()
}

fn parts(outcome: &Outcome) -> BTreeSet<Vec<usize>> {
    let mut parts = vec![Vec::new(); outcome.groups.len()];
    for (row, group) in outcome.group.iter().enumerate() {
        if *group < EMPTY {
            parts[*group as usize].push(row);
        }
    }
    parts.into_iter().collect()
}

fn by_definition(texts: &[String], settings: &Settings) -> BTreeSet<Vec<usize>> {
    let mut reader = Reader::new(settings.reading);
    let sets: Vec<(BTreeSet<u64>, u128)> = texts
        .iter()
        .map(|text| {
            let read = reader.read(text.as_bytes());
            (read.shingles.iter().copied().collect(), read.sequence)
        })
        .collect();
    let rule = settings.rule;
    let matches = |i: usize, j: usize| {
        let ((a, first), (b, second)) = (&sets[i], &sets[j]);
        let shared = a.intersection(b).count();
        let whole = match rule.measure {
            Measure::Jaccard => a.len() + b.len() - shared,
            Measure::Containment => a.len().min(b.len()),
        };
        let alike =
            shared >= rule.min_shared as usize && shared as f64 / whole as f64 >= rule.threshold;
        !a.is_empty() && !b.is_empty() && (first == second || alike)
    };
    let mut label: Vec<usize> = (0..texts.len()).collect();
    for i in 0..texts.len() {
        for j in 0..i {
            if matches(i, j) && label[i] != label[j] {
                let (from, to) = (label[i].max(label[j]), label[i].min(label[j]));
                let moved = label.iter_mut().filter(|l| **l == from);
                moved.for_each(|l| *l = to);
            }
        }
    }
    let group = |root: usize| {
        let members = (0..texts.len()).filter(|row| label[*row] == root);
        members.collect::<Vec<_>>()
    };
    let groups = (0..texts.len()).map(group);
    groups.filter(|members| members.len() > 1).collect()
}

fn settings(random: &mut Random) -> Settings {
    let measure = [Measure::Jaccard, Measure::Containment][random.below(2)];
    let threshold = [0.3, 0.5, 0.6, 2.0 / 3.0, 0.75, 0.8, 0.9, 1.0][random.below(8)];
    let min_shared = match measure {
        Measure::Jaccard => 1,
        Measure::Containment => 1 + random.below(5) as u32,
    };
    Settings {
        reading: Reading {
            shingle: 1 + random.below(4) as u8,
            fold_accents: false,
        },
        rule: Rule {
            measure,
            threshold,
            min_shared,
        },
        kept: random.below(3) * 20,
    }
}

#[test]
fn groups_are_those_of_the_definition_on_four_thousand_corpora() {
    let mut random = Random(1);
    for _ in 0..4000 {
        let rows = 2 + random.below(40);
        let (texts, settings) = (corpus(&mut random, rows), settings(&mut random));
        let outcome = run(&texts, &settings, 1, None);
        let (found, right) = (parts(&outcome), by_definition(&texts, &settings));
        assert_eq!(found, right, "{settings:?} {texts:#?}");
        let count = |kind: u32| outcome.group.iter().filter(|group| **group == kind).count();
        let grouped: u32 = outcome.groups.iter().map(|group| group.size).sum();
        assert_eq!(count(ALONE) + count(EMPTY) + grouped as usize, texts.len());
        for group in &outcome.groups {
            assert!(group.weakest >= settings.rule.threshold && group.distinct <= group.size);
        }
    }
}

#[test]
fn any_order_of_rows_and_any_number_of_threads_give_the_same() {
    let mut random = Random(2);
    for _ in 0..60 {
        let (texts, settings) = (corpus(&mut random, 700), settings(&mut random));
        let first = run(&texts, &settings, 1, None);
        let mut order: Vec<usize> = (0..texts.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i + 1));
        }
        let moved: Vec<String> = order.iter().map(|i| texts[*i].clone()).collect();
        let ranks: Vec<u32> = order.iter().map(|i| *i as u32).collect();
        for threads in [1, 3] {
            let second = run(&moved, &settings, threads, Some(&ranks));
            let back = |row: u32| order[row as usize] as u32;
            let named = |group: &Group| Group {
                name: back(group.name),
                representative: back(group.representative),
                ..*group
            };
            let groups: Vec<Group> = second.groups.iter().map(named).collect();
            assert_eq!(first.groups, groups, "{settings:?}");
            for (new, old) in order.iter().enumerate() {
                assert_eq!(first.group[*old], second.group[new]);
                let (a, b) = (first.similarity[*old], second.similarity[new]);
                assert_eq!(a.to_bits(), b.to_bits());
            }
        }
    }
}

#[test]
fn whoever_watches_can_stop_it() {
    let texts = corpus(&mut Random(3), 2000);
    let settings = settings(&mut Random(3));
    let crew = Crew {
        threads: 2,
        watch: &|_, _| false,
        stop: &Stop::default(),
    };
    assert!(join(&crew, &texts[..], &settings, None).is_none());
}
