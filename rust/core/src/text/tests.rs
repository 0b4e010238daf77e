//! What readers must hold, whatever the text.

use proptest::collection;
use proptest::prelude::*;

use super::{Reader, Reading, LARGE};

const PLAIN: Reading = Reading {
    shingle: 3,
    fold_accents: false,
};

fn sequence(reading: Reading, text: &str) -> u128 {
    Reader::new(reading).read(text.as_bytes()).sequence
}

#[test]
fn a_text_without_words_has_no_shingle() {
    let mut reader = Reader::new(PLAIN);
    for text in ["", " ", "…", "😀👍🏽", "´ ¨", "\u{300}", "\u{200b}"] {
        let read = reader.read(text.as_bytes());
        assert_eq!((read.words, read.shingles), (0, &[][..]), "{text:?}");
    }
}

#[test]
fn a_text_shorter_than_a_shingle_is_one_shingle_that_only_itself_has() {
    let mut reader = Reader::new(PLAIN);
    let two = reader.read(b"oui non").shingles.to_vec();
    assert_eq!(two.len(), 1);
    assert_ne!(two, reader.read(b"oui").shingles);
    assert_ne!(two, reader.read(b"oui non oui").shingles);
}

#[test]
fn case_composition_width_and_looks_do_not_count() {
    let same = [
        "L’été à Échirolles",
        "l’e\u{301}te\u{301} a\u{300} e\u{301}chirolles",
        "L'ÉTÉ À ÉCHIROLLES",
    ];
    assert!(same
        .iter()
        .all(|text| sequence(PLAIN, text) == sequence(PLAIN, same[0])));
    assert_eq!(sequence(PLAIN, "ＬＯＩ ﬁn"), sequence(PLAIN, "loi fin"));
    assert_eq!(sequence(PLAIN, "раураl"), sequence(PLAIN, "paypal"));
    assert_ne!(sequence(PLAIN, "été"), sequence(PLAIN, "ete"));
}

#[test]
fn accents_go_on_request() {
    let bare = Reading {
        fold_accents: true,
        ..PLAIN
    };
    assert_eq!(sequence(bare, "Été à Çà"), sequence(bare, "ete a ca"));
}

#[test]
fn shingles_are_ascending_and_distinct() {
    let mut reader = Reader::new(PLAIN);
    let read = reader.read(b"a b c a b c a b c");
    assert_eq!(read.words, 9);
    assert_eq!(read.shingles.len(), 3);
    assert!(read.shingles.windows(2).all(|two| two[0] < two[1]));
}

#[test]
fn what_a_reader_has_read_before_does_not_matter() {
    let mut reader = Reader::new(PLAIN);
    reader.read("un texte long avec des mots в дом".as_bytes());
    let again = reader.read(b"oui");
    assert_eq!(again, Reader::new(PLAIN).read(b"oui"));
}

#[test]
fn invisible_code_points_and_mixed_words_are_reported() {
    let mut reader = Reader::new(PLAIN);
    let mut flags = |text: &str| {
        let read = reader.read(text.as_bytes());
        (read.invisible, read.lookalike)
    };
    assert_eq!(flags("pay\u{ad}pal"), (true, false));
    assert_eq!(flags("pаypal"), (false, true));
    assert_eq!(flags("привет paypal"), (false, false));
}

fn all() -> impl Iterator<Item = char> {
    (0..=0x10_FFFF).filter_map(char::from_u32)
}

/// Whether both paths read a text alike.
fn agree(reader: &mut Reader, text: &[u8]) -> bool {
    let fast = reader.read(text);
    let (shingles, rest) = (
        fast.shingles.to_vec(),
        (fast.sequence, fast.words, fast.invisible, fast.lookalike),
    );
    let slow = reader.read_as_specified(text);
    shingles == slow.shingles && rest == (slow.sequence, slow.words, slow.invisible, slow.lookalike)
}

#[test]
fn every_code_point_of_the_fast_path_is_read_as_by_the_slow_one() {
    let mut reader = Reader::new(PLAIN);
    let mut bare = Reader::new(Reading {
        fold_accents: true,
        ..PLAIN
    });
    let mut latin = super::latin::Latin::default();
    let mut fast = 0;
    for c in all() {
        for text in [format!("É {c} b"), format!("{c}{c}"), format!("a{c}b")] {
            if latin.read(text.as_bytes()).is_some() {
                fast += 1;
                assert!(agree(&mut reader, text.as_bytes()), "{text:?}");
                assert!(agree(&mut bare, text.as_bytes()), "{text:?}");
            }
        }
    }
    assert!(fast > 3 * 2000, "{fast}");
}

#[test]
fn french_stays_on_the_fast_path() {
    let text = "L’été dernier – « déjà » ! – nous avons élu un·e maire à Nîmes ; son cœur naïf coûte 12 €… Çà et là, DES ÉCOLES\u{a0}: 😀 •";
    assert!(super::latin::Latin::default()
        .read(text.as_bytes())
        .is_some());
    assert!(super::latin::Latin::default()
        .read("e\u{301}".as_bytes())
        .is_none());
}

#[test]
fn what_straddles_a_block_of_64_bytes_is_read_as_by_the_slow_path() {
    let mut reader = Reader::new(PLAIN);
    for tail in [
        "é’à",
        "œ😀ß a",
        "€x’",
        "mot",
        "é",
        "",
        "\u{ad} z",
        "a\u{ad}z",
        "anticonstitutionnellement",
        "ﬁ",
    ] {
        for before in 40..140 {
            for filler in ["a", " ", "é", "b "] {
                let mut text = filler.repeat(before / filler.len());
                text.push_str(tail);
                assert!(agree(&mut reader, text.as_bytes()), "{text:?}");
            }
        }
    }
}

#[test]
fn broken_utf_8_is_read_as_by_the_slow_path() {
    let mut reader = Reader::new(PLAIN);
    let broken: [&[u8]; 10] = [
        b"\xff",
        b"a\x80b",
        b"\xc3",
        b"a\xc3(b",
        b"\xe2\x80",
        b"\xe2\x80x y",
        b"\xf0\x9f\x98",
        b"\xc0\x80 a",
        b"\xed\xa0\x80a",
        b"\xe2\x28\xa1\x80",
    ];
    for bytes in broken {
        for before in [0, 61, 62, 63, 64] {
            let text = [&vec![b'a'; before], bytes].concat();
            assert!(agree(&mut reader, &text), "{text:x?}");
        }
    }
}

#[test]
fn sets_of_any_size_are_sorted_and_distinct() {
    let mut reader = Reader::new(Reading {
        shingle: 1,
        ..PLAIN
    });
    for n in [1, 2, 100, 254, 255, 256, 257, 1000] {
        let text: Vec<String> = (0..n)
            .map(|i| format!("mot{}", i * 7 % (n / 2 + 1)))
            .collect();
        assert!(agree(&mut reader, text.join(" ").as_bytes()), "{n}");
    }
}

#[test]
fn what_is_remembered_of_one_piece_is_never_taken_for_another() {
    let bare = Reading {
        fold_accents: true,
        ..PLAIN
    };
    for reading in [PLAIN, bare] {
        let mut reader = Reader::new(reading);
        // U+0000 first: its 21 bits are zeros, like no code point at all.
        for text in [
            "\u{1161}\u{1161}",
            "\0\u{1161}\u{1161}",
            "\0\u{301}",
            "\u{301}",
            "\u{301}\u{301}",
            "e\u{301}",
            "é",
            "\0",
        ] {
            assert!(agree(&mut reader, text.as_bytes()), "{text:?}");
        }
    }
}

/// Alphabets that random texts are mixed from.
const ALPHABETS: [&str; 12] = [
    "[a-zA-Z0-9_ ,.']{0,80}",
    "[a-zà-ÿÀ-ßœŒ’«» \u{a0}…–]{0,200}",
    "[\u{80}-\u{24f}]{0,8}",
    "[\u{2000}-\u{206f}€]{0,4}",
    "[aeéE\u{300}-\u{36f}]{0,6}",
    "[α-ωа-яa-z ]{0,12}",
    "[\u{1100}-\u{11ff}가-힣]{0,6}",
    "[一-龥ぁ-んァ-ヶｦ-ﾟ]{0,8}",
    "[ก-๛\u{e80}-\u{eff}က-႟ក-៿]{0,8}",
    "[😀-🙏\u{200d}\u{fe0f}\u{1f1e6}-\u{1f1ff}]{0,5}",
    "[\u{590}-\u{6ff}\u{900}-\u{97f}]{0,8}",
    "[\u{fb00}-\u{fb4f}\u{ff00}-\u{ffef}½²ªſ]{0,8}",
];

fn texts() -> impl Strategy<Value = String> {
    let alphabet = (0..ALPHABETS.len()).prop_flat_map(|at| ALPHABETS[at]);
    let mixed = collection::vec(alphabet, 1..4).prop_map(|parts| parts.concat());
    prop_oneof![4 => mixed, 1 => any::<String>()]
}

proptest! {
    #[test]
    fn random_texts_are_read_alike_fast_and_slowly(text in texts(), shingle in 0..=9u8, fold_accents: bool) {
        let mut reader = Reader::new(Reading { shingle, fold_accents });
        prop_assert!(agree(&mut reader, text.as_bytes()));
    }

    #[test]
    fn random_bytes_are_read_alike_fast_and_slowly(text in collection::vec(any::<u8>(), 0..200), latin: bool) {
        let text = if latin { text.iter().map(|b| b"aB9 _\xc3\xa9\xe2\x80\x99,"[usize::from(b % 11)]).collect() } else { text };
        prop_assert!(agree(&mut Reader::new(PLAIN), &text));
    }

    #[test]
    fn spans_are_the_words_in_order_on_code_points(text in texts(), fold_accents: bool) {
        let mut reader = Reader::new(Reading { shingle: 1, fold_accents });
        let mut spans = Vec::new();
        reader.spans(&text, &mut spans);
        let hashes: Vec<u64> = spans.iter().map(|span| span.hash).collect();
        prop_assert_eq!(super::hash::sequence(&hashes), reader.read(text.as_bytes()).sequence);
        for span in &spans {
            prop_assert!(span.start < span.end && text.get(span.start..span.end).is_some());
        }
        prop_assert!(spans.windows(2).all(|two| two[0].start <= two[1].start && two[0].end <= two[1].end));
    }

    #[test]
    fn folding_a_folded_word_changes_nothing(text in texts(), fold_accents: bool) {
        let mut reader = Reader::new(Reading { shingle: 1, fold_accents });
        let mut words = Vec::new();
        reader.words(&text, |word| words.push(word.to_owned()));
        for word in words {
            let mut again = Vec::new();
            reader.words(&word, |word| again.push(word.to_owned()));
            prop_assert_eq!(again, vec![word]);
        }
    }
}

#[test]
fn what_a_very_long_text_took_is_given_back() {
    let mut reader = Reader::new(Reading {
        shingle: 3,
        fold_accents: false,
    });
    let short = reader.read(b"one two three four").shingles.to_vec();
    reader.read("a b ".repeat(LARGE / 4 + 1).as_bytes());
    assert!(reader.shingles.capacity() > LARGE / 4);
    assert_eq!(reader.read(b"one two three four").shingles, short);
    assert!(reader.shingles.capacity() < 100);
}

#[test]
fn a_piece_of_several_words_lends_its_letters_to_no_other_word() {
    // «(v)» and a vowel of Hangul are one piece; the Greek letter after them is in a word with that vowel alone.
    for text in [
        "\u{24b1}\u{ffdc}\u{1fa7}",
        "\u{33c2}\u{ffdc}\u{3b1}",
        "\u{24b1}\u{3b1}",
        "v\u{3b1}\u{24b1}",
    ] {
        for fold_accents in [false, true] {
            let reading = Reading {
                shingle: 3,
                fold_accents,
            };
            let exact = Reader::new(reading)
                .read_as_specified(text.as_bytes())
                .lookalike;
            assert_eq!(
                Reader::new(reading).read(text.as_bytes()).lookalike,
                exact,
                "{text:?}"
            );
        }
    }
}
