use crate::neardup::crew::Stop;
use std::collections::HashMap;

use super::super::measure::{shared, Measure, Rule};
use super::super::plan::plan;
use super::*;
use crate::text::Reading;

/// Entries in memory, as a spill.
#[derive(Default)]
struct Kept(Mutex<HashMap<usize, Vec<Vec<u8>>>>);

impl Spill for Kept {
    fn put(&self, part: usize, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap()
            .entry(part)
            .or_default()
            .push(bytes.to_vec());
    }

    fn each(&self, part: usize, give: &mut dyn FnMut(&[u8])) {
        for piece in self.0.lock().unwrap().remove(&part).unwrap_or_default() {
            give(&piece);
        }
    }

    fn size(&self, part: usize) -> u64 {
        let pieces = self.0.lock().unwrap();
        let pieces = pieces.get(&part);
        pieces.map_or(0, |pieces| {
            pieces.iter().map(|piece| piece.len() as u64).sum()
        })
    }

    fn failed(&self) -> bool {
        false
    }
}

struct Named<'a>(&'a [String], bool);

impl Ids for Named<'_> {
    fn with<R>(&self, row: u32, _: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> R) -> R {
        look(self.0[row as usize].as_bytes())
    }

    fn numbers(&self) -> bool {
        self.1
    }
}

fn watch(_: &'static str, _: usize) -> bool {
    true
}

fn crew(threads: usize) -> Crew<'static> {
    static NEVER: Stop = Stop::new();
    Crew {
        threads,
        watch: &watch,
        stop: &NEVER,
    }
}

fn settings(measure: Measure, threshold: f64) -> Settings {
    let min_shared = if measure == Measure::Containment {
        5
    } else {
        1
    };
    Settings {
        reading: Reading {
            shingle: 3,
            fold_accents: false,
        },
        rule: Rule {
            measure,
            threshold,
            min_shared,
        },
        kept: 0,
    }
}

fn random(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Families of letters, their copies, and texts that stand alone.
fn corpus(families: usize, state: &mut u64) -> Vec<String> {
    let mut texts = vec![
        String::new(),
        "!".to_owned(),
        "oui".to_owned(),
        "Oui.".to_owned(),
        "ok".to_owned(),
    ];
    for _ in 0..families {
        let length = 5 + random(state) as usize % 60;
        let letter: Vec<u64> = (0..length).map(|_| random(state) % 5000).collect();
        for _ in 0..1 + random(state) % 6 {
            let mut words = letter.clone();
            for _ in 0..random(state) % 3 {
                let at = random(state) as usize % words.len();
                words[at] = random(state) % 5000;
            }
            texts.push(words.iter().map(|word| format!("w{word} ")).collect());
        }
    }
    let n = texts.len();
    for i in (1..n).rev() {
        texts.swap(i, random(state) as usize % (i + 1));
    }
    texts
}

fn streamed(
    texts: &[String],
    ids: &Named<'_>,
    how: Settings,
    mode: Mode,
    batch: usize,
    threads: usize,
) -> Found {
    let early = match mode {
        Mode::Sketch(plan) if batch.is_multiple_of(2) => Some(plan),
        _ => None,
    };
    let mut stream = Stream::new(how, early, Kept::default());
    for some in texts.chunks(batch) {
        stream.add(&crew(threads), some).unwrap();
    }
    assert_eq!(stream.rows(), texts.len());
    stream.finish(&crew(threads), texts, ids, mode).unwrap()
}

type Line = (String, String, u32, u32, u64, u64);

/// What a result says of each row, in the names of ids.
fn lines(groups: &[Group], group: &[u32], similarity: &[f64], ids: &[String]) -> Vec<Line> {
    let line = |(row, at): (usize, &u32)| match groups.get(*at as usize) {
        None => (String::new(), String::new(), *at, 0, 0, 0),
        Some(g) => {
            let (name, representative) = (&ids[g.name as usize], &ids[g.representative as usize]);
            (
                name.clone(),
                representative.clone(),
                g.size,
                g.distinct,
                g.weakest.to_bits(),
                similarity[row].to_bits(),
            )
        }
    };
    group.iter().enumerate().map(line).collect()
}

#[test]
fn streamed_is_what_it_is_in_memory_whatever_batches_and_threads() {
    let mut state = 5;
    for (measure, threshold) in [
        (Measure::Jaccard, 0.8),
        (Measure::Jaccard, 0.5),
        (Measure::Containment, 0.8),
    ] {
        let texts = corpus(200, &mut state);
        let how = settings(measure, threshold);
        let count = texts.len();
        // Ids whose order is not that of rows, nor that of their code points.
        let ids: Vec<String> = (0..count)
            .map(|row| (row * 7919 % count).to_string())
            .collect();
        let ranks: Vec<u32> = (0..count).map(|row| (row * 7919 % count) as u32).collect();
        let whole = join::join(&crew(1), texts.as_slice(), &how, Some(&ranks)).unwrap();
        let expected = lines(&whole.groups, &whole.group, &whole.similarity, &ids);
        assert!(whole.groups.len() > 50);
        for (batch, threads) in [(1000, 1), (17, 2), (1, 3)] {
            let found = streamed(&texts, &Named(&ids, true), how, Mode::Exact, batch, threads);
            assert_eq!(
                lines(&found.groups, &found.group, &found.similarity, &ids),
                expected
            );
            assert_eq!(
                (found.distinct, &found.sequences),
                (whole.distinct, &whole.catalogue.sequences)
            );
        }
        if measure == Measure::Jaccard {
            let bands = plan(threshold, 0.9).unwrap();
            let whole =
                join_by_sketch(&crew(1), texts.as_slice(), &how, bands, Some(&ranks)).unwrap();
            let expected = lines(&whole.groups, &whole.group, &whole.similarity, &ids);
            for (batch, threads) in [(1000, 1), (17, 2)] {
                let found = streamed(
                    &texts,
                    &Named(&ids, true),
                    how,
                    Mode::Sketch(bands),
                    batch,
                    threads,
                );
                assert_eq!(
                    lines(&found.groups, &found.group, &found.similarity, &ids),
                    expected
                );
            }
        }
    }
}

#[test]
fn a_sketch_finds_as_many_pairs_as_its_plan_says_and_no_false_one() {
    let mut state = 21;
    let how = settings(Measure::Jaccard, 0.5);
    let bands = plan(0.5, 0.9).unwrap();
    let (mut reader, mut expected, mut found, mut all) = (Reader::new(how.reading), 0.0, 0, 0);
    let mut texts = Vec::new();
    // Pairs of texts of which no two pairs have anything in common.
    for pair in 0..3000_u64 {
        let mut words: Vec<String> = (0..40).map(|i| format!("p{pair}w{i}")).collect();
        texts.push(words.join(" "));
        for _ in 0..3 + random(&mut state) % 3 {
            let at = random(&mut state) as usize % words.len();
            words[at] = "x".to_owned();
        }
        texts.push(words.join(" "));
    }
    let outcome = join_by_sketch(&crew(1), texts.as_slice(), &how, bands, None).unwrap();
    for (pair, two) in texts.chunks(2).enumerate() {
        let a = reader.read(two[0].as_bytes()).shingles.to_vec();
        let b = reader.read(two[1].as_bytes()).shingles.to_vec();
        let (m, n) = (a.len() as u32, b.len() as u32);
        let common = shared(&a, &b);
        let together = outcome.group[2 * pair] != ALONE;
        if how.rule.matches(common, m, n) {
            all += 1;
            expected += bands.chance(how.rule.similarity(common, m, n));
            found += u32::from(together);
        } else {
            assert!(!together);
        }
    }
    let share = f64::from(found) / f64::from(all);
    let theory = expected / f64::from(all);
    assert!(all > 1500 && theory < 0.99, "{all} {theory}");
    assert!((share - theory).abs() < 0.015, "{share}, theory {theory}");
}

#[test]
fn nothing_added_is_nothing_found() {
    let how = settings(Measure::Jaccard, 0.8);
    for mode in [Mode::Exact, Mode::Sketch(plan(0.8, 0.99).unwrap())] {
        let found = streamed(&[], &Named(&[], true), how, mode, 1, 2);
        assert!(found.groups.is_empty() && found.group.is_empty());
    }
}

#[test]
fn a_stopped_stream_has_no_result() {
    let texts = corpus(20, &mut 3);
    let stop = |_: &'static str, _: usize| false;
    let stopped = Crew {
        threads: 2,
        watch: &stop,
        stop: &Stop::new(),
    };
    let ids: Vec<String> = (0..texts.len()).map(|row| row.to_string()).collect();
    let how = settings(Measure::Jaccard, 0.8);
    let mut stream = Stream::new(how, None, Kept::default());
    assert!(stream.add(&stopped, texts.as_slice()).is_none());
    let mut stream = Stream::new(how, None, Kept::default());
    stream.add(&crew(1), texts.as_slice()).unwrap();
    assert!(stream
        .finish(&stopped, texts.as_slice(), &Named(&ids, true), Mode::Exact)
        .is_none());
}

#[test]
fn numbers_compare_by_value_and_other_ids_by_code_points() {
    let mut numbers = ["10", "-2", "9", "0", "-10", "100000000000000000000000"];
    numbers.sort_by(|a, b| compare_ids(a.as_bytes(), b.as_bytes(), true));
    assert_eq!(
        numbers,
        ["-10", "-2", "0", "9", "10", "100000000000000000000000"]
    );
    assert!(compare_ids(b"10", b"9", false).is_lt());
    for good in ["0", "7", "-7", "120"] {
        assert!(is_number(good.as_bytes()), "{good}");
    }
    for bad in ["", "-", "-0", "007", "+7", "7.0", "7a", " 7", "--7", "٣"] {
        assert!(!is_number(bad.as_bytes()), "{bad}");
    }
}

#[test]
fn more_texts_need_more_memory_and_ten_million_less_than_a_hundred_bytes_each() {
    assert!(need(10_000_000, 24, 2) - need(0, 24, 2) < 1_000_000_000);
    assert!(need(2, 16, 1) > need(1, 16, 1));
}

#[test]
fn the_largest_groups_come_by_size_then_by_id() {
    let group = |name: u32, size: u32| Group {
        name,
        representative: name,
        size,
        distinct: 1,
        weakest: 1.0,
    };
    let ids: Vec<String> = ["10", "9", "2", "33", "4"].map(str::to_owned).to_vec();
    let groups = [
        group(0, 2),
        group(1, 2),
        group(2, 5),
        group(3, 2),
        group(4, 2),
    ];
    for (count, expected) in [
        (0, &[][..]),
        (1, &[2]),
        (3, &[2, 4, 1]),
        (9, &[2, 4, 1, 0, 3]),
    ] {
        let found = largest(&groups, &Named(&ids, true), count);
        assert_eq!(
            found.iter().map(|group| group.name).collect::<Vec<_>>(),
            expected
        );
    }
}
