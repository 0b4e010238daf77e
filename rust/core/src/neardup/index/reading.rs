//! Which shingles do the texts of a batch have?

use std::collections::HashMap;

use super::Words;
use crate::neardup::Texts;
use crate::text::{Reader, Reading};

/// What is known of each text; None if `alive` said no. Copies share their shingles in memory.
pub fn read<T: Texts>(texts: &T, reading: Reading, alive: &dyn Fn() -> bool) -> Option<Vec<Words>> {
    let mut reader = Reader::new(reading);
    let mut first: HashMap<u128, usize> = HashMap::new();
    let (mut all, mut scratch): (Vec<Words>, _) = (Vec::with_capacity(texts.len()), Vec::new());
    for row in 0..texts.len() {
        if row % 64 == 63 && !alive() {
            return None;
        }
        let words = texts.with(row as u32, &mut scratch, |text| {
            let read = reader.read(text);
            if read.shingles.is_empty() {
                return Words::default();
            }
            let copy = first.get(&read.sequence).map(|at| &all[*at]);
            match copy.filter(|copy| *copy.shingles == *read.shingles) {
                Some(copy) => copy.clone(),
                None => Words {
                    shingles: read.shingles.into(),
                    sequence: read.sequence,
                },
            }
        });
        first.entry(words.sequence).or_insert(row);
        all.push(words);
    }
    Some(all)
}
