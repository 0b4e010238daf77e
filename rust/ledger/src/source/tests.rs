//! Are sources, reveals and seeds those of the protocol?

// A test that can't go on may panic.
#![allow(clippy::expect_used)]

use super::*;
use crate::canonical::parse;
use crate::hash::hex;
use proptest::prelude::*;

const QUICKNET: &str = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971";
const DEFAULT: &str = "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce";
const SIGNATURE: &str = "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92";
const TIME: &str = "2020-01-01T00:00:00Z";

fn balls(digits: u32) -> String {
    format!(r#"{{"digits":{digits},"kind":"balls","time":"{TIME}"}}"#)
}

fn dice(rolls: u32) -> String {
    format!(r#"{{"kind":"dice","rolls":{rolls},"time":"{TIME}"}}"#)
}

fn drand(chain: &str, round: i64) -> String {
    format!(r#"{{"chain":"{chain}","kind":"drand","round":{round}}}"#)
}

fn lottery(draws: &[(u32, u32)]) -> String {
    let draws: Vec<String> = draws
        .iter()
        .map(|(count, most)| format!(r#"{{"count":{count},"most":{most},"name":"Drum"}}"#))
        .collect();
    format!(
        r#"{{"draws":[{}],"kind":"lottery","time":"{TIME}"}}"#,
        draws.join(",")
    )
}

fn read(sources: &[String]) -> Result<Vec<Source>, Fault> {
    let text = format!("[{}]", sources.join(","));
    super::sources(&parse(text.as_bytes())?, 6)
}

fn shown(sources: &[String], reveals: &str) -> Result<Vec<Reveal>, Fault> {
    super::reveals(&parse(reveals.as_bytes())?, &read(sources)?)
}

#[test]
fn a_list_has_2_to_the_64_outcomes_or_more() {
    for (list, enough) in [
        (vec![balls(19)], false),
        (vec![balls(20)], true),
        (vec![dice(24)], false),
        (vec![dice(25)], true),
        (vec![balls(6), dice(17)], false),
        (vec![balls(6), dice(18)], true),
        (vec![drand(QUICKNET, 2)], true),
        // C(49, 6) = 13,983,816
        (vec![lottery(&[(6, 49); 2])], false),
        (vec![lottery(&[(6, 49); 3])], true),
        // 2^64 exactly, and a little less.
        (vec![lottery(&[(1, 16); 16])], true),
        (
            vec![lottery(&[&[(1, 16); 15][..], &[(1, 15)]].concat())],
            false,
        ),
        // C(999, 20) alone is above 2^128.
        (vec![lottery(&[(20, 999); 20])], true),
        (vec![lottery(&[(20, 21); 14])], false),
        (vec![lottery(&[(20, 21); 15])], true),
    ] {
        assert_eq!(read(&list).is_ok(), enough, "{list:?}");
    }
}

#[test]
fn binomials_are_those_of_pascals_triangle() {
    let mut row = vec![BigUint::one()];
    for most in 1..60 {
        let below = |i: usize| row.get(i).cloned().unwrap_or_default();
        row = (0..=most as usize)
            .map(|i| below(i) + i.checked_sub(1).map(below).unwrap_or_default())
            .collect();
        for count in 0..=most.min(20) {
            let name = String::new();
            let drum = Drum { count, most, name };
            assert_eq!(drum.outcomes(), row[count as usize]);
        }
    }
}

#[test]
fn sources_are_read_as_declared() {
    let list = [
        balls(12),
        dice(1),
        drand(DEFAULT, 2_634_945),
        lottery(&[(5, 50), (2, 12)]),
    ];
    let found = read(&list).expect("sources");
    let kinds: Vec<&str> = found.iter().map(Source::kind).collect();
    assert_eq!(kinds, ["balls", "dice", "drand", "lottery"]);
    let times: Vec<i64> = found.iter().map(Source::time).collect();
    let t = 1_577_836_800;
    assert_eq!(times, [t, t, 1_595_431_050 + 2_634_944 * 30, t]);
    assert_eq!(found[0].outcomes(), BigUint::from(1_000_000_000_000_u64));
    assert_eq!(found[3].outcomes(), BigUint::from(2_118_760_u32 * 66));
}

#[test]
fn forms_that_are_not_those_of_the_protocol_are_refused() {
    let wide = drand(QUICKNET, 1_000);
    for bad in [
        balls(5),
        balls(61),
        dice(0),
        dice(201),
        lottery(&[]),
        lottery(&[(1, 2); 21]),
        lottery(&[(0, 9)]),
        lottery(&[(9, 9)]),
        lottery(&[(21, 99)]),
        lottery(&[(1, 1000)]),
        lottery(&[(1, 1)]),
        balls(6).replace("digits", "rolls"),
        balls(6).replace("Z", ""),
        balls(6).replace("2020", "1999"),
        balls(6).replace("balls", "coins"),
        balls(6).replace("\"balls\"", "7"),
        dice(6).replace("\"kind\"", "\"form\""),
        lottery(&[(1, 2)]).replace("Drum", ""),
        lottery(&[(1, 2)]).replace("name", "title"),
        "[]".to_owned(),
        "7".to_owned(),
    ] {
        let list = if bad.contains("lottery") {
            vec![wide.clone(), bad.clone()]
        } else {
            vec![bad.clone(), wide.clone()]
        };
        assert!(read(&list).is_err(), "{bad}");
    }
    for bad in [
        drand(QUICKNET, 1),
        drand(QUICKNET, 0),
        drand(QUICKNET, 1 << 53),
        drand(&QUICKNET.replace('5', "6"), 9),
        drand("default", 9),
        drand(QUICKNET, 9).replace("}", ",\"time\":\"2020-01-01T00:00:00Z\"}"),
    ] {
        assert!(read(std::slice::from_ref(&bad)).is_err(), "{bad}");
    }
    assert!(read(&[drand(QUICKNET, (1 << 53) - 1)]).is_ok());
    assert!(read(&[]).is_err());
    assert!(read(&[dice(30), balls(30)]).is_err());
    assert!(read(&[dice(30), dice(30)]).is_err());
    assert!(read(&[drand(QUICKNET, 5), drand(DEFAULT, 5)]).is_err());
}

#[test]
fn all_else_is_drawn_before_the_beacons_round() {
    // Round 1001 of quicknet is at 15:59:27.
    for (second, before) in [("26", true), ("27", false), ("28", false)] {
        let time = format!("2023-08-23T15:59:{second}Z");
        let round = drand(QUICKNET, 1001);
        for other in [balls(20), dice(30)] {
            let other = other.replace(TIME, &time);
            assert_eq!(read(&[other, round.clone()]).is_ok(), before);
        }
        let other = lottery(&[(6, 49)]).replace(TIME, &time);
        assert_eq!(read(&[round, other]).is_ok(), before);
    }
    let late = balls(20).replace("2020", "2150");
    assert!(read(&[late, dice(30)]).is_ok());
}

#[test]
fn reveals_are_those_asked_for() {
    let list = [
        balls(8),
        dice(4),
        drand(QUICKNET, 123),
        lottery(&[(5, 49), (1, 10)]),
    ];
    let list = list.map(|source| source.replace("2020-", "2000-"));
    let good = format!(
        r#"[{{"digits":"00734219","kind":"balls"}},{{"digits":"1635","kind":"dice"}},{{"kind":"drand","previous_signature":"","round":123,"signature":"{SIGNATURE}"}},{{"kind":"lottery","numbers":[[2,5,8,10,12],[9]]}}]"#
    );
    let found = shown(&list, &good).expect("reveals");
    let verified: Vec<_> = found.iter().map(Reveal::verify).collect();
    assert_eq!(verified, [None, None, Some(true), None]);
    for (from, to) in [
        ("00734219", "0073421"),
        ("00734219", "007342190"),
        ("00734219", "0073421a"),
        ("00734219", "００734219"),
        ("\"00734219\"", "734219"),
        ("1635", "1630"),
        ("1635", "1637"),
        ("1635", "635"),
        (":123", ":124"),
        (":123", ":\"123\""),
        ("b75c", "B75c"),
        ("b75c", ""),
        ("b75c", "b75c0"),
        ("b75c", "b75c00"),
        ("_signature\":\"", "_signature\":\"00"),
        ("[9]", "[10,9]"),
        ("[9]", "[11]"),
        ("[9]", "[0]"),
        ("[9]", "[]"),
        (",[9]", ""),
        (",[9]", ",[9],[9]"),
        ("2,5", "5,2"),
        ("2,5", "5,5"),
        ("12]", "50]"),
        ("\"dice\"", "\"balls\""),
        ("\"kind\":\"dice\"", "\"kind\":\"dice\",\"note\":\"\""),
        (r#"{"digits":"1635","kind":"dice"},"#, ""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(shown(&list, &bad).is_err(), "{bad}");
    }
    assert!(shown(&list, "[]").is_err());
    assert!(shown(&list, "{}").is_err());
    // A signature of the right length that is wrong is read, and does not verify.
    let other = shown(&list, &good.replacen("b75c", "b75d", 1)).expect("reveals");
    assert_eq!(other[2].verify(), Some(false));
}

#[test]
fn a_chain_that_signs_the_one_before_needs_it() {
    let list = [drand(DEFAULT, 72_785)];
    let reveal = |previous: usize, signature: usize| {
        format!(
            r#"[{{"kind":"drand","previous_signature":"{}","round":72785,"signature":"{}"}}]"#,
            "a1".repeat(previous),
            "a2".repeat(signature)
        )
    };
    assert!(shown(&list, &reveal(96, 96)).is_ok());
    for (previous, signature) in [(0, 96), (95, 96), (97, 96), (96, 48), (32, 96)] {
        assert!(shown(&list, &reveal(previous, signature)).is_err());
    }
}

#[test]
fn the_text_of_a_lottery_is_that_of_rfc_3797_section_6() {
    let draws = [
        vec![9319],
        vec![2, 5, 8, 10, 12],
        vec![9, 18, 26, 34, 41, 45],
    ];
    let text = lottery_text(&draws);
    assert_eq!(text, "9319./2.5.8.10.12./9.18.26.34.41.45./");
}

/// Computed with Python's hashlib, from the protocol's text alone.
#[test]
fn values_and_seeds_are_those_of_another_program() {
    let reveals = [
        Reveal::Balls("00734219".to_owned()),
        Reveal::Dice("1635".to_owned()),
        Reveal::Drand {
            chain: chain(QUICKNET).expect("a chain"),
            round: 123,
            previous: Vec::new(),
            signature: unhex(SIGNATURE).expect("digits"),
        },
        Reveal::Lottery(vec![vec![2, 5, 8, 10, 12], vec![9]]),
    ];
    let values: Vec<String> = reveals.iter().map(|r| hex(&r.value())).collect();
    assert_eq!(
        values,
        [
            "7609e76f82d5c2fb4fc73a43f7a8117a83416176f31147aa15523cc277dc6d27",
            "3f916e1ff89a1d13cbffd6a976c465951c61ff20cf84283a81ab1418fc5a37f1",
            "0b54ee03fee8103fd9507cc2750800bd46c528356a1d87d133b042c09f20bfef",
            "d7f539f961fe778515b2a8d530180c1f388dfb4dd701fa0fa5b07a5c4cf0511c",
        ]
    );
    let commitment = sha256(b"klero");
    let found = seeds(&commitment, &reveals, 6);
    assert_eq!(found.balls, 7342);
    assert_eq!(
        hex(&found.index),
        "e713da01bfd0f4bb6def6d185af2d573f972aeecf4fc741bdc79b1c15c5920ac"
    );
    assert_eq!(
        hex(&found.tickets),
        "dba30a00cbda64f277b0a3e1072348d36de1b2061f92d3e099f81b26dadbff76"
    );
    let alone = seeds(&commitment, &reveals[..1], 6);
    assert_eq!(
        hex(&alone.index),
        "7560dcac04cee1983a82d90925e3920dca4e01dd852d8188b7a613e746f45c9c"
    );
    assert_eq!(seeds(&commitment, &reveals[1..], 6).balls, 0);
}

proptest! {
    #[test]
    fn balls_move_the_position_and_the_tickets_alone(
        first in "[0-9]{12}", second in "[0-9]{12}", rolls in "[1-6]{30}", digits in 6..=12_u32
    ) {
        let of = |balls: &str| {
            let reveals = [Reveal::Balls(balls.to_owned()), Reveal::Dice(rolls.clone())];
            seeds(&[7; 32], &reveals, digits)
        };
        let (one, two) = (of(&first), of(&second));
        prop_assert_eq!(one.index, two.index);
        prop_assert_eq!(one.tickets == two.tickets, first == second);
        let shown: i64 = first[..digits as usize].parse().expect("digits");
        prop_assert_eq!(one.balls, shown);
    }

    #[test]
    fn no_document_panics(
        text in r#"(\[|\]|\{"digits":|,"kind":"|balls"|dice"|drand"|lottery"|\}|,|[0-9]|"numbers":|"draws":|"rolls":|"){0,24}"#,
        bytes in any::<Vec<u8>>(), digits in any::<u32>()
    ) {
        let known = read(&[balls(8), dice(4), drand(QUICKNET, 9_999_999)]).expect("sources");
        for bytes in [text.as_bytes(), &bytes] {
            if let Ok(value) = parse(bytes) {
                let _either = super::sources(&value, digits);
                let _either = super::reveals(&value, &known);
            }
        }
        let long = Reveal::Balls("9".repeat(60));
        prop_assert!(seeds(&[0; 32], &[long], digits).balls >= 0);
    }

    #[test]
    fn sources_that_are_read_have_one_spelling_of_each_part(
        shape in (6..=60_u32, 1..=200_u32, 2..1_i64 << 53, proptest::collection::vec((1..=20_u32, 21..=999_u32), 1..=20))
    ) {
        let (digits, rolls, round, drums) = shape;
        let list = [balls(digits), dice(rolls), drand(QUICKNET, round), lottery(&drums)];
        let found = read(&list.map(|s| s.replace("2020-", "2000-"))).expect("sources");
        let expected = Source::Dice { rolls, time: 946_684_800 };
        prop_assert_eq!(&found[1], &expected);
        prop_assert_eq!(found[2].time(), 1_692_803_367 + (round - 1) * 3);
        let Source::Lottery { draws, .. } = &found[3] else { unreachable!() };
        let read_back: Vec<(u32, u32)> = draws.iter().map(|d| (d.count, d.most)).collect();
        prop_assert_eq!(read_back, drums);
    }
}
