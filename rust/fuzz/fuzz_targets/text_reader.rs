//! The reader of texts: every path equals the specification, whatever the bytes.
#![no_main]

use std::cell::RefCell;

use klero_core::text::{hash, Reader, Reading};
use libfuzzer_sys::fuzz_target;

thread_local! {
    /// One reader for all inputs, so that what it remembers is tested too; by shingle and accents.
    static READERS: RefCell<Vec<Option<Reader>>> = RefCell::new((0..20).map(|_| None).collect());
}

fn reading(choice: u8) -> Reading {
    Reading { shingle: choice % 10, fold_accents: choice % 20 >= 10 }
}

/// Bytes as they are, or as code points: two bytes for one of the first plane, or for one near U+10000 and the emoji.
fn text_of(choice: u8, data: &[u8]) -> Vec<u8> {
    if choice < 128 {
        return data.to_vec();
    }
    let points = data.chunks_exact(2).filter_map(|two| match u32::from(u16::from_le_bytes([two[0], two[1]])) {
        point @ 0xD800..=0xDFFF => char::from_u32(point + 0x1_2800),
        point => char::from_u32(point),
    });
    points.collect::<String>().into_bytes()
}

fn check(reader: &mut Reader, reading: Reading, bytes: &[u8]) {
    let read = reader.read(bytes);
    let (shingles, sequence, words) = (read.shingles.to_vec(), read.sequence, read.words);
    let flags = (read.invisible, read.lookalike);
    let mut fresh = Reader::new(reading);
    let exact = fresh.read_as_specified(bytes);
    assert_eq!(shingles, exact.shingles);
    assert_eq!((sequence, words, flags), (exact.sequence, exact.words, (exact.invisible, exact.lookalike)));
    assert!(shingles.windows(2).all(|two| two[0] < two[1]));
    assert_eq!(words == 0, shingles.is_empty());

    let text = String::from_utf8_lossy(bytes);
    let mut spans = Vec::new();
    reader.spans(&text, &mut spans);
    let hashes: Vec<u64> = spans.iter().map(|span| span.hash).collect();
    assert_eq!(hash::sequence(&hashes), sequence);
    assert!(spans.iter().all(|span| span.start < span.end && text.get(span.start..span.end).is_some()));
    assert!(spans.windows(2).all(|two| two[0].start <= two[1].start && two[0].end <= two[1].end));

    let mut folded = Vec::new();
    reader.words(&text, |word| folded.push(word.to_owned()));
    assert_eq!(folded.len(), words);
    let mut again = Vec::new();
    reader.words(&folded.join(" "), |word| again.push(word.to_owned()));
    assert_eq!(folded, again);
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let reading = reading(*choice);
    READERS.with_borrow_mut(|readers| {
        let reader = readers[usize::from(*choice % 20)].get_or_insert_with(|| Reader::new(reading));
        check(reader, reading, &text_of(*choice, data));
    });
});
