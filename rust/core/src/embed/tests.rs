//! The model as a whole: the same bytes whatever the order, the copies and the threads; what is new stands apart; damage is told.

#![allow(clippy::unwrap_used)]

use super::features::Features;
use super::state::Fault;
use super::vocabulary::Vocabulary;
use super::*;
use crate::neardup::crew::{Crew, Stop};
use crate::random::Random;

const WORDS: [&str; 24] = [
    "vélo", "piste", "cyclable", "école", "cantine", "enfants", "logement", "loyer", "tram", "bus",
    "forêt", "arbres", "bike", "lane", "school", "lunch", "rent", "housing", "forest", "trees",
    "de", "la", "the", "of",
];

fn corpus(count: usize, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut text = || -> String {
        let words = (0..1 + random.below(9)).map(|_| WORDS[random.below(WORDS.len())]);
        words.collect::<Vec<_>>().join(" ")
    };
    (0..count).map(|_| text()).collect()
}

fn with<T>(threads: usize, work: impl FnOnce(&Crew<'_>) -> Option<T>) -> T {
    let stop = Stop::new();
    let crew = Crew {
        threads,
        watch: &|_, _| true,
        stop: &stop,
    };
    work(&crew).unwrap()
}

fn fit(texts: &[String], threads: usize) -> Model {
    with(threads, |crew| Model::fit(crew, texts, 96))
}

fn vectors(model: &Model, texts: &[String], threads: usize) -> Vec<Vec<f32>> {
    let flat = with(threads, |crew| model.transform(crew, texts));
    flat.chunks(96).map(<[f32]>::to_vec).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| f64::from(*x) * f64::from(*y))
        .sum()
}

#[test]
fn order_copies_and_threads_change_no_byte() {
    let texts = corpus(700, 1);
    let model = fit(&texts, 1);
    let mut shuffled = texts.clone();
    Random::new(2).shuffle(&mut shuffled);
    shuffled.extend_from_slice(&texts[..90]);
    shuffled.extend([String::new(), "…".to_owned(), texts[3].to_uppercase()]);
    assert_eq!(fit(&shuffled, 3).to_bytes(), model.to_bytes());
    assert_eq!(vectors(&model, &texts, 1), vectors(&model, &texts, 4));
}

#[test]
fn the_bytes_are_those_that_were_published() {
    let digest: String = fit(&corpus(300, 7), 2)
        .digest()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(digest, PUBLISHED);
}

const PUBLISHED: &str = "0d221acc2cf604ca54000379d98ee2c3c0bceba4c031b22afa72b4e943f87a29";

#[test]
fn the_vocabulary_is_that_of_a_plain_count() {
    let texts = corpus(400, 3);
    let rows: Vec<u32> = (0..400).collect();
    let found = with(3, |crew| Vocabulary::count(crew, texts.as_slice(), &rows));
    let mut plain = std::collections::BTreeMap::<u64, u32>::new();
    for text in &texts {
        for (feature, _) in Features::default().read(text.as_bytes()) {
            *plain.entry(*feature).or_default() += 1;
        }
    }
    plain.retain(|_, count| *count >= 2);
    assert_eq!(found.features, plain.keys().copied().collect::<Vec<_>>());
    assert_eq!(
        found.frequencies,
        plain.values().copied().collect::<Vec<_>>()
    );
    for (place, feature) in (0..).zip(&found.features) {
        assert_eq!(found.place(*feature), Some(place));
        assert_eq!(
            found.place(feature ^ 2),
            plain.contains_key(&(feature ^ 2)).then_some(0)
        );
    }
}

#[test]
fn vectors_have_length_one_or_there_is_no_word() {
    let model = fit(&corpus(200, 4), 2);
    let texts = ["vélo", "", "🙂", "entirely unheard-of matters", "的", "Оля"].map(str::to_owned);
    let found = vectors(&model, &texts, 2);
    for (text, vector) in texts.iter().zip(&found) {
        let words = text.chars().any(char::is_alphabetic);
        assert!((dot(vector, vector) - f64::from(u8::from(words))).abs() < 1e-6);
    }
}

#[test]
fn what_nobody_else_says_stands_apart_and_meets_its_like() {
    let mut texts = corpus(300, 5);
    texts.push("de la xylographie quantique".to_owned());
    let model = fit(&texts, 2);
    let asked = [
        "de la xylographie quantique",
        "xylographie quantique de la",
        "de la",
        "vélo",
    ];
    let found = vectors(&model, &asked.map(str::to_owned), 1);
    assert!(dot(&found[0], &found[1]) > 0.999);
    assert!(dot(&found[0], &found[2]) < 0.8);
    assert!(dot(&found[0], &found[3]).abs() < 0.6);
}

#[test]
fn few_texts_or_none_make_a_model_too() {
    for texts in [
        vec![],
        vec![String::new()],
        vec!["oui".to_owned()],
        corpus(2, 6),
        vec!["oui".to_owned(); 5],
    ] {
        let model = fit(&texts, 2);
        let found = vectors(&model, &["oui".to_owned(), "non merci".to_owned()], 1);
        assert!(found.iter().all(|v| (dot(v, v) - 1.0).abs() < 1e-6));
        assert_eq!(Model::from_bytes(&model.to_bytes()), Ok(model));
    }
}

#[test]
fn a_stop_ends_every_step() {
    let texts = corpus(600, 8);
    for after in [0, 1, 3, 5] {
        let (stop, asked) = (Stop::new(), std::sync::atomic::AtomicUsize::new(0));
        let crew = Crew {
            threads: 1,
            watch: &|_, _| asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < after,
            stop: &stop,
        };
        assert!(Model::fit(&crew, texts.as_slice(), 96).is_none());
    }
}

#[test]
fn a_state_is_read_back_and_damage_is_told() {
    let model = fit(&corpus(150, 9), 1);
    let bytes = model.to_bytes();
    assert_eq!(model.digest(), bytes[bytes.len() - 32..]);
    assert_eq!(Model::from_bytes(&bytes), Ok(model));
    for at in (0..bytes.len())
        .step_by(997)
        .chain([0, 17, 18, bytes.len() - 1])
    {
        let mut wrong = bytes.clone();
        wrong[at] ^= 0x10;
        assert!(Model::from_bytes(&wrong).is_err(), "{at}");
        assert!(Model::from_bytes(&bytes[..at]).is_err(), "{at}");
    }
    let other = [b"klero-tfidf-svd/2\n", &bytes[18..]].concat();
    assert_eq!(Model::from_bytes(&other), Err(Fault::Version));
    assert_eq!(Model::from_bytes(b""), Err(Fault::Damaged));
}

#[test]
fn a_sealed_state_that_makes_no_sense_is_refused() {
    use sha2::{Digest, Sha256};
    let bytes = fit(&corpus(150, 10), 1).to_bytes();
    let sealed = |at: usize, with: &[u8]| {
        let mut wrong = bytes[..bytes.len() - 32].to_vec();
        wrong[at..at + with.len()].copy_from_slice(with);
        let digest = Sha256::digest(&wrong);
        Model::from_bytes(&[wrong.as_slice(), &digest].concat())
    };
    assert!(sealed(18, &96u32.to_le_bytes()).is_ok());
    for (at, number) in [
        (18, 7),
        (18, 1 << 30),
        (22, 0),
        (26, u32::MAX),
        (30, u32::MAX),
        (30, 95),
    ] {
        assert_eq!(
            sealed(at, &u32::to_le_bytes(number)),
            Err(Fault::Damaged),
            "{at} {number}"
        );
    }
    assert_eq!(sealed(34, &u64::MAX.to_le_bytes()), Err(Fault::Damaged));
    let last = bytes.len() - 36;
    assert_eq!(sealed(last, &f32::NAN.to_le_bytes()), Err(Fault::Damaged));
}
