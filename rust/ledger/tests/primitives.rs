//! The primitives of records against vectors that another program made from the protocol's text alone, and that Python's tests read too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use klero_ledger::{beacon, canonical, draw, ed25519, envelope, hash, source, time, timestamp};
use num_bigint::BigUint;
use serde_json::Value;

fn vectors(part: &str) -> Value {
    let file = "../../tests/vectors/record-primitives.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let mut all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    all[part].take()
}

fn cases(value: &Value) -> &Vec<Value> {
    let cases = value.as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hash::unhex(text(value)).unwrap()
}

fn document(value: &Value) -> canonical::Value {
    // serde_json sorts keys, and these documents are ASCII: what it writes is canonical.
    canonical::parse(&serde_json::to_vec(value).unwrap()).unwrap()
}

#[test]
fn keys_and_signatures_are_judged_alike() {
    let all = vectors("ed25519");
    for case in cases(&all["keys"]) {
        // A key of another length can't be asked for here.
        let valid = bytes(&case["key"])
            .try_into()
            .is_ok_and(|key| ed25519::is_key(&key));
        assert_eq!(valid, case["valid"], "{}", case["name"]);
    }
    for case in cases(&all["signatures"]) {
        let (key, signature) = (bytes(&case["key"]), bytes(&case["signature"]));
        let valid = match (key.try_into(), signature.try_into()) {
            (Ok(key), Ok(signature)) => ed25519::verify(&key, &bytes(&case["message"]), &signature),
            _ => false,
        };
        assert_eq!(valid, case["valid"], "{}", case["name"]);
    }
}

#[test]
fn times_are_read_alike() {
    for case in cases(&vectors("time")) {
        let found = time::parse(text(&case["text"]));
        assert_eq!(found.is_ok(), case["valid"], "{case}");
        if let Ok(seconds) = found {
            assert_eq!(seconds, case["seconds"]);
            assert_eq!(time::write(seconds), text(&case["text"]));
        }
    }
}

#[test]
fn base64_and_what_is_signed_are_alike() {
    for case in cases(&vectors("base64")) {
        let expected = case["bytes"].as_str().map(|hex| hash::unhex(hex).unwrap());
        assert_eq!(
            envelope::from_base64(text(&case["text"])).ok(),
            expected,
            "{case}"
        );
    }
    let all = vectors("dsse");
    for case in cases(&all).iter().filter(|case| case["pae"].is_string()) {
        let payload = bytes(&case["payload"]);
        assert_eq!(envelope::pae(&payload), bytes(&case["pae"]));
        let entry = hash::seq("klero/entry/v1", &[payload]);
        assert_eq!(hash::hex(&entry), text(&case["entry_hash"]));
    }
    for case in cases(&all).iter().filter(|case| case["key"].is_string()) {
        let key = bytes(&case["key"]).try_into().unwrap();
        assert_eq!(hash::hex(&envelope::keyid(&key)), text(&case["keyid"]));
        assert_eq!(envelope::PAYLOAD_TYPE, text(&case["type"]));
    }
}

#[test]
fn chains_and_rounds_are_judged_alike() {
    let all = vectors("beacon");
    for (id, case) in all["chains"].as_object().unwrap() {
        let chain = beacon::chain(text(&case["hash"])).unwrap();
        assert_eq!(chain.id, id);
        assert_eq!(hash::hex(&chain.hash()), text(&case["hash"]));
        assert_eq!(chain.time(1).unwrap(), case["genesis"]);
        assert_eq!(chain.period, case["period"]);
    }
    for case in cases(&all["rounds"]) {
        let chain = beacon::chain(text(&case["chain"])).unwrap();
        let round = case["round"].as_i64().unwrap();
        let (previous, signature) = (
            bytes(&case["previous_signature"]),
            bytes(&case["signature"]),
        );
        let valid = chain.verify(round, &previous, &signature);
        assert_eq!(valid, case["valid"], "{case}");
        assert_eq!(chain.time(round).unwrap(), case["time"]);
    }
}

#[test]
fn sources_are_read_alike() {
    for case in cases(&vectors("sources")) {
        let digits = u32::try_from(case["digits_of_m"].as_u64().unwrap()).unwrap();
        let text = serde_json::to_vec(&case["sources"]).unwrap();
        let found = canonical::parse(&text).and_then(|value| source::sources(&value, digits));
        assert_eq!(found.is_ok(), case["valid"], "{case} {found:?}");
        if let Ok(found) = found {
            let times: Vec<i64> = found.iter().map(source::Source::time).collect();
            assert_eq!(Value::from(times), case["times"]);
        }
    }
}

#[test]
fn reveals_give_the_same_values_seeds_and_positions() {
    for case in cases(&vectors("randomness")) {
        let m = case["m"].as_u64().unwrap();
        let digits = m.ilog10();
        let sources = source::sources(&document(&case["sources"]), digits).unwrap();
        let reveals = source::reveals(&document(&case["reveals"]), &sources).unwrap();
        let values: Vec<String> = reveals.iter().map(|r| hash::hex(&r.value())).collect();
        assert_eq!(Value::from(values), case["values"]);
        let commitment = hash::digest(text(&case["commitment"])).unwrap();
        let seeds = source::seeds(&commitment, &reveals, digits);
        assert_eq!(hash::hex(&seeds.index), text(&case["index_seed"]));
        assert_eq!(hash::hex(&seeds.tickets), text(&case["seed"]));
        assert_eq!(seeds.balls, case["balls"]);
        let m = BigUint::from(m);
        let (x, rejected) = draw::position(&seeds.index, &m).unwrap();
        let position = (x + BigUint::from(seeds.balls.unsigned_abs())) % m;
        assert_eq!(position.to_string(), case["position"].to_string());
        assert_eq!(rejected, case["rejected"]);
    }
}

#[test]
fn a_token_of_another_authority_says_the_same() {
    let case = vectors("timestamp");
    let stamp = timestamp::read(&bytes(&case["token"])).unwrap();
    assert_eq!(hash::hex(&stamp.imprint), text(&case["imprint"]));
    assert_eq!(stamp.time, case["time"]);
}
