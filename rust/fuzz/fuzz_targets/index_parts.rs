//! The reader of an index's columns: whatever they hold, they are refused or are an index, whose groups are those of brute force.
#![no_main]

use std::collections::BTreeSet;

use klero_core::neardup::index::parts::Parts;
use klero_core::neardup::index::Index;
use klero_core::neardup::measure::{Measure, Rule};
use libfuzzer_sys::fuzz_target;

/// Bytes one after the other, zeros at the end.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// Small, or as large or negative as its type allows.
    fn number(&mut self) -> i64 {
        match self.byte() {
            255 => i64::MAX,
            254 => i64::MIN,
            253 => i64::from(self.byte()) << 32,
            252 => -i64::from(self.byte()),
            small => i64::from(small),
        }
    }
}

/// Columns of any lengths and values.
fn wild(source: &mut Source<'_>) -> Parts {
    let counts: Vec<usize> = (0..6).map(|_| usize::from(source.byte() % 12)).collect();
    Parts {
        id_bounds: (0..counts[0]).map(|_| source.number()).collect(),
        id_bytes: source.bytes(counts[1]),
        sequences: source.bytes(counts[2] * 16),
        firsts: (0..counts[3]).map(|_| source.number() as u32).collect(),
        bounds: (0..counts[4]).map(|_| source.number()).collect(),
        shingles: (0..counts[5]).map(|_| source.number() as u64).collect(),
    }
}

/// Columns that fit together; what they hold may be wrong.
fn fitting(source: &mut Source<'_>) -> Parts {
    let rows = source.byte() % 40;
    let mut parts = Parts {
        id_bounds: vec![0],
        bounds: vec![0],
        ..Parts::default()
    };
    let mut id = 0u16;
    for row in 0..rows {
        let choice = source.byte();
        if choice & 1 == 0 {
            id = id.saturating_add(u16::from(source.byte()));
            parts.id_bytes.extend(format!("{id:04}").bytes());
        } else {
            let length = usize::from(source.byte() % 5);
            parts.id_bytes.extend(source.bytes(length));
        }
        parts.id_bounds.push(parts.id_bytes.len() as i64);
        let mut sequence = [0; 16];
        sequence[0] = source.byte();
        parts.sequences.extend(sequence);
        let first = if choice & 2 == 0 { row } else { source.byte() };
        parts.firsts.push(u32::from(first));
        let count = if choice & 4 == 0 {
            source.byte() % 24
        } else {
            0
        };
        let mut shingle = 0u64;
        for _ in 0..count {
            // Mostly ascending, in a small range, so that letters overlap.
            shingle = shingle
                .wrapping_add(u64::from(source.byte() % 8))
                .wrapping_add(u64::from(choice & 8 == 0));
            parts.shingles.push(shingle);
        }
        parts.bounds.push(parts.shingles.len() as i64);
    }
    parts
}

fn set(parts: &Parts, row: usize) -> &[u64] {
    let first = parts.firsts[row] as usize;
    &parts.shingles[parts.bounds[first] as usize..parts.bounds[first + 1] as usize]
}

fn id(parts: &Parts, row: usize) -> String {
    let bytes = &parts.id_bytes[parts.id_bounds[row] as usize..parts.id_bounds[row + 1] as usize];
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn brute(rule: &Rule, parts: &Parts) -> BTreeSet<BTreeSet<String>> {
    let rows = parts.firsts.len();
    let mut label: Vec<usize> = (0..rows).collect();
    for a in 0..rows {
        for b in 0..a {
            let (x, y) = (set(parts, a), set(parts, b));
            let shared = x.iter().filter(|s| y.contains(s)).count() as u32;
            let full = !x.is_empty() && !y.is_empty();
            let alike = full && rule.matches(shared, x.len() as u32, y.len() as u32);
            if alike || (full && parts.firsts[a] == parts.firsts[b]) {
                let (from, to) = (label[a], label[b]);
                label
                    .iter_mut()
                    .filter(|l| **l == from)
                    .for_each(|l| *l = to);
            }
        }
    }
    let group = |l: usize| {
        (0..rows)
            .filter(|r| label[*r] == l)
            .map(|r| id(parts, r))
            .collect::<BTreeSet<_>>()
    };
    (0..rows).map(group).filter(|g| g.len() > 1).collect()
}

fn check(rule: &Rule, index: &Index) {
    let parts = index.parts();
    let groups = index
        .groups()
        .into_iter()
        .map(|g| g.members.into_iter().collect())
        .collect();
    assert_eq!(brute(rule, &parts), groups);
}

fuzz_target!(|data: &[u8]| {
    let mut source = Source(data);
    let choice = source.byte();
    let rule = Rule {
        measure: if choice & 1 == 0 {
            Measure::Jaccard
        } else {
            Measure::Containment
        },
        threshold: f64::from(choice >> 4 | 1) / 16.0,
        min_shared: 1 + u32::from(choice >> 1 & 3),
    };
    let parts = if choice & 8 == 0 {
        fitting(&mut source)
    } else {
        wild(&mut source)
    };
    let Ok(mut index) = Index::from_parts(rule, &parts, &|| true) else {
        return;
    };
    assert_eq!(index.parts(), parts);
    check(&rule, &index);
    let gone: Vec<String> = (0..parts.firsts.len())
        .filter(|_| source.byte() & 1 == 1)
        .map(|r| id(&parts, r))
        .collect();
    index
        .remove(&gone.iter().map(String::as_str).collect::<Vec<_>>(), &|| true)
        .unwrap();
    check(&rule, &index);
    let read = Index::from_parts(rule, &index.parts(), &|| true).map(|index| index.parts());
    assert_eq!(read, Ok(index.parts()));
});
