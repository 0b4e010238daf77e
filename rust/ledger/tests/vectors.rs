//! The golden vectors of `tests/vectors`, which Python's tests read too, and what mutated bundles must do: fail, never panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use klero_ledger::{canonical, draw, hash, verify};
use num_bigint::BigUint;
use proptest::prelude::*;
use serde_json::Value;

fn read(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = text(hex);
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}

fn digest(hex: &Value) -> hash::Digest {
    bytes(hex).try_into().unwrap()
}

fn bundle(name: &str) -> verify::Files {
    let files: BTreeMap<String, String> = serde_json::from_value(read(name)).unwrap();
    files
        .into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}

#[test]
fn canonical_bytes_are_accepted_and_no_others() {
    for case in list(&read("canonical.json")) {
        let mut data = Vec::new();
        for run in list(&case["runs"]) {
            let times = usize::try_from(run[1].as_u64().unwrap()).unwrap();
            data.extend(std::iter::repeat_n(bytes(&run[0])[0], times));
        }
        let parsed = canonical::parse(&data);
        assert_eq!(
            parsed.is_ok(),
            case["valid"].as_bool().unwrap(),
            "{}: {parsed:?}",
            case["name"]
        );
        if let Ok(value) = parsed {
            assert_eq!(canonical::write(&value), data, "{}", case["name"]);
        }
    }
}

#[test]
fn hashes_are_the_golden_ones() {
    let vectors = read("hashes.json");
    for case in list(&vectors["seq"]) {
        let items: Vec<Vec<u8>> = list(&case["items"]).iter().map(bytes).collect();
        assert_eq!(
            hash::hex(&hash::seq(text(&case["label"]), &items)),
            text(&case["hash"])
        );
    }
    for case in list(&vectors["leaf"]) {
        let attributes = case["attributes"].to_string();
        assert_eq!(
            hash::hex(&draw::leaf(
                text(&case["id"]),
                attributes.as_bytes(),
                &case["weight"].to_string(),
                text(&case["household"])
            )),
            text(&case["leaf"])
        );
    }
    for case in list(&vectors["merkle"]) {
        let leaves: Vec<Vec<u8>> = list(&case["leaves"]).iter().map(bytes).collect();
        assert_eq!(hash::hex(&hash::merkle_root(&leaves)), text(&case["root"]));
    }
}

#[test]
fn seeds_positions_and_tickets_are_the_golden_ones() {
    let vectors = read("hashes.json");
    for case in list(&vectors["seed"]) {
        let seed = draw::trial_seed(&digest(&case["commitment"]), text(&case["text"]));
        assert_eq!(hash::hex(&seed), text(&case["seed"]));
    }
    for case in list(&vectors["position"]) {
        let m: BigUint = text(&case["m"]).parse().unwrap();
        let (position, rejected) = draw::position(&digest(&case["seed"]), &m).unwrap();
        assert_eq!(position.to_string(), text(&case["position"]));
        assert_eq!(Some(rejected), case["rejected"].as_u64());
    }
    let case = &vectors["tickets"];
    let leaves: Vec<hash::Digest> = list(&case["leaves"]).iter().map(digest).collect();
    let tickets = draw::tickets(&digest(&case["seed"]), &leaves);
    assert_eq!(
        tickets,
        list(&case["tickets"])
            .iter()
            .map(digest)
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_position_needs_a_denominator_that_256_bits_can_serve() {
    let too_large = (BigUint::from(1_u8) << 256_u32) + 1_u8;
    assert!(draw::position(&[0; 32], &BigUint::from(0_u8)).is_err());
    assert!(draw::position(&[0; 32], &too_large).is_err());
}

#[test]
fn golden_bundles_pass_every_check_and_are_what_we_write() {
    for name in ["bundle-leximin.json", "bundle-maximin.json"] {
        let files = bundle(name);
        for check in verify::verify(&files) {
            assert!(check.ok, "{name}: {check:?}");
        }
        assert_eq!(
            verify::commitment_file(&files).as_ref(),
            Ok(&files["commitment.json"])
        );
        let drawn: Value = serde_json::from_slice(&files["draw.json"]).unwrap();
        let mut before = files.clone();
        before.remove("draw.json");
        assert_eq!(
            verify::draw_file(&before, text(&drawn["seed_text"])).as_ref(),
            Ok(&files["draw.json"])
        );
    }
}

#[test]
fn a_seed_text_is_neither_empty_nor_spelled_in_two_ways() {
    let files = bundle("bundle-maximin.json");
    assert!(verify::draw_file(&files, "").is_err());
    assert!(verify::draw_file(&files, "e\u{301}").is_err());
}

/// One document with another in the place of one of its values, sealed anew.
fn grafted(files: &verify::Files, place: usize, graft: &canonical::Value) -> verify::Files {
    let names = [
        "certificate.json",
        "declaration.json",
        "draw.json",
        "lottery.json",
        "pool.json",
    ];
    let mut files = files.clone();
    let name = names[place % names.len()];
    let mut document = canonical::parse(&files[name]).unwrap();
    let mut left = place / names.len() % 500;
    while !plant(&mut document, &mut left, graft) {}
    files.insert(name.to_owned(), canonical::write(&document));
    if let Ok(bytes) = verify::commitment_file(&files) {
        files.insert("commitment.json".to_owned(), bytes);
    }
    files
}

/// Puts the graft in the place of the value without children that is `left` further on; whether it is in this one.
fn plant(value: &mut canonical::Value, left: &mut usize, graft: &canonical::Value) -> bool {
    match value {
        canonical::Value::List(items) if !items.is_empty() => {
            items.iter_mut().any(|item| plant(item, left, graft))
        }
        canonical::Value::Map(items) if !items.is_empty() => {
            items.values_mut().any(|item| plant(item, left, graft))
        }
        place if *left == 0 => {
            *place = graft.clone();
            true
        }
        _ => {
            *left -= 1;
            false
        }
    }
}

fn graft() -> impl Strategy<Value = canonical::Value> {
    use canonical::Value::{Int, List, Text};
    prop_oneof![
        (1 - canonical::INT_LIMIT..canonical::INT_LIMIT).prop_map(Int),
        (-3_i64..9).prop_map(Int),
        "-?[0-9]{1,3}(/[0-9]{1,2})?".prop_map(Text),
        "-?[1-9][0-9]{0,4000}".prop_map(Text),
        Just(List(Vec::new())),
        Just(List(vec![List(vec![Int(0), Text("1".to_owned())])])),
    ]
}

proptest! {
    #[test]
    fn a_mutated_byte_never_passes_nor_panics(leximin: bool, file in 0..6_usize, place: usize, flip in 1_u8..) {
        let mut files = bundle(if leximin { "bundle-leximin.json" } else { "bundle-maximin.json" });
        let bytes = files.values_mut().nth(file).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= flip;
        prop_assert!(verify::verify(&files).iter().any(|check| !check.ok));
    }

    #[test]
    fn sealed_nonsense_never_panics(leximin: bool, place: usize, graft in graft()) {
        let files = bundle(if leximin { "bundle-leximin.json" } else { "bundle-maximin.json" });
        prop_assert_eq!(verify::verify(&grafted(&files, place, &graft)).len(), 12);
    }
}
