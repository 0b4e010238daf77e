//! The whole against `tests/keywords_oracle.py` is tested in Python; here, what it promises of threads and of rows.

use super::*;
use crate::neardup::crew::Stop;

fn lists() -> Lists {
    use bits::{CONNECTOR, ENGLISH, FRENCH, NEGATION, WITHOUT};
    let stops = ["le", "la", "les", "un", "est", "il", "faut"].map(|word| (word, FRENCH));
    let between = ["de", "à", "d", "l"].map(|word| (word, FRENCH | CONNECTOR));
    let english = ["the", "is", "of"].map(|word| (word, ENGLISH));
    let negations = [("pas", NEGATION), ("sans", WITHOUT)];
    Lists::new(
        stops
            .into_iter()
            .chain(between)
            .chain(english)
            .chain(negations),
    )
}

fn run(texts: &[&str], group: &[u32], voice: &[u32], threads: usize) -> Outcome {
    let (stop, groups) = (
        Stop::new(),
        group.iter().max().map_or(0, |g| *g as usize + 1),
    );
    let crew = Crew {
        threads,
        watch: &|_, _| true,
        stop: &stop,
    };
    let found = keywords(&crew, texts, group, voice, groups, &lists(), 8);
    assert!(found.is_some());
    found.unwrap_or_else(|| Outcome {
        keywords: Vec::new(),
        voices: Vec::new(),
        average: (0, 0),
        languages: [0; 3],
    })
}

const TEXTS: [&str; 8] = [
    "Le pouvoir d'achat",
    "le pouvoir d’achat est bas",
    "Pouvoir d'achat : pas de hausse",
    "un vélo sans casque",
    "le VÉLO, la piste",
    "les vélos de la ville",
    "the library of the town",
    "",
];

#[test]
fn a_run_is_shown_as_it_is_written_and_counted_once_a_voice() {
    let found = run(
        &TEXTS,
        &[0, 0, 0, 1, 1, 1, 2, 2],
        &[0, 1, 2, 3, 4, 5, 6, 7],
        1,
    );
    let texts =
        |g: usize| -> Vec<&str> { found.keywords[g].iter().map(|k| k.text.as_str()).collect() };
    assert_eq!(texts(0).first(), Some(&"pouvoir d’achat"));
    assert_eq!(texts(1).first(), Some(&"vélo"));
    assert_eq!(found.keywords[1][0].voices, 3);
    assert_eq!(found.voices, [3, 3, 2]);
    assert_eq!(found.languages, [6, 1, 1]);
    let one = run(
        &TEXTS,
        &[0, 0, 0, 1, 1, 1, 2, 2],
        &[0, 0, 0, 3, 3, 5, 6, 7],
        1,
    );
    assert_eq!(one.voices, [1, 2, 2]);
    assert_eq!(one.keywords[1][0].voices, 2);
}

#[test]
fn threads_and_the_order_of_rows_change_nothing() {
    let many: Vec<&str> = TEXTS.iter().copied().cycle().take(900).collect();
    let group: Vec<u32> = (0..900).map(|row| row % 7 / 2).collect();
    let voice: Vec<u32> = (0..900).map(|row| row % 450).collect();
    let found = run(&many, &group, &voice, 1);
    assert_eq!(run(&many, &group, &voice, 3), found);
    let back = |values: &[u32]| values.iter().rev().copied().collect::<Vec<_>>();
    let reversed: Vec<&str> = many.iter().rev().copied().collect();
    assert_eq!(run(&reversed, &back(&group), &back(&voice), 2), found);
}

#[test]
fn nothing_has_no_keywords() {
    let found = run(
        &["", "?!", "le la les", "12 300"],
        &[0, 0, 1, 1],
        &[0, 1, 2, 3],
        2,
    );
    assert!(found.keywords.iter().all(Vec::is_empty));
    assert!(run(&[], &[], &[], 2).keywords.is_empty());
}

#[test]
fn the_words_of_a_text_are_told_once_and_as_written() {
    let stop = Stop::new();
    let crew = Crew {
        threads: 1,
        watch: &|_, _| true,
        stop: &stop,
    };
    let found = terms(&crew, &["Le Vélo de la ville, les vélos", ""][..], &lists());
    let word = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    assert_eq!(
        found,
        Some(vec![
            vec![word("velo", "Vélo"), word("ville", "ville")],
            Vec::new()
        ])
    );
}
