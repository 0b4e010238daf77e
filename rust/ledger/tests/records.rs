//! Golden records, made by a plain program, and what happens to them when a byte changes.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use klero_ledger::canonical::{parse, write, Map, Value};
use klero_ledger::checks::{Check, Status};
use klero_ledger::record::files::Files;
use klero_ledger::record::leaves;
use klero_ledger::record::verify::{draw_body, summary_of, verify};
use klero_ledger::{envelope, hash};
use proptest::prelude::*;

const NAMES: [&str; 11] = [
    "aborted",
    "all-sources",
    "balls",
    "drand",
    "fallback",
    "families",
    "household",
    "public",
    "replaced",
    "timestamped",
    "undrawn",
];

const CHECKS: [&str; 25] = [
    "files",
    "encoding",
    "declaration",
    "leaves",
    "log",
    "signatures",
    "commitment",
    "times",
    "randomness",
    "beacon",
    "draw.seed",
    "draw.index",
    "draw.people",
    "timestamps",
    "timestamps.signature",
    "instance",
    "pool",
    "lottery",
    "quotas",
    "certificate",
    "gap",
    "summary",
    "draw.panel",
    "succession",
    "sealed",
];

type Owned = BTreeMap<String, Vec<u8>>;

fn golden(name: &str) -> Owned {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let text = std::fs::read_to_string(path.join(format!("record-{name}.json"))).unwrap();
    let files: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    let files = files.into_iter();
    files
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}

fn borrowed(files: &Owned) -> Files<'_> {
    let files = files.iter();
    files
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect()
}

fn done(files: &Owned) -> Vec<Check> {
    verify(&borrowed(files), &|| true)
}

fn failed(files: &Owned) -> Vec<&'static str> {
    let checks = done(files).into_iter();
    checks
        .filter(|check| check.status == Status::Fail)
        .map(|check| check.name)
        .collect()
}

/// The bodies in the log, as (name of the entry, body).
fn bodies(files: &Owned) -> Vec<(String, Map, String)> {
    let entries = files.iter().filter(|(name, _)| name.contains("entry-"));
    entries
        .map(|(name, bytes)| {
            let payload = parse(&envelope::read(bytes).unwrap().payload).unwrap();
            let Value::Map(fields) = payload else {
                panic!("a payload is an object")
            };
            let (Some(Value::Map(body)), Some(Value::Text(kind))) =
                (fields.get("body"), fields.get("kind"))
            else {
                panic!("an entry has a body and a kind")
            };
            (name.clone(), body.clone(), kind.clone())
        })
        .collect()
}

#[test]
fn golden_records_pass_every_check() {
    for name in NAMES {
        let checks = done(&golden(name));
        let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
        assert_eq!(names, CHECKS, "{name}");
        let bad = checks.iter().find(|check| check.status == Status::Fail);
        assert_eq!(bad, None, "{name}");
    }
}

#[test]
fn what_a_tier_does_not_show_is_not_checked() {
    let mut files = golden("replaced");
    let statuses = |files: &Owned| -> Vec<Status> {
        done(files).into_iter().map(|check| check.status).collect()
    };
    let all = statuses(&files);
    files.remove("sealed/people.json");
    let without_sealed = statuses(&files);
    assert_eq!(without_sealed[..24], all[..24]);
    assert_eq!(without_sealed[24], Status::Unchecked);
    files.retain(|name, _| name.starts_with("public/"));
    let public = statuses(&files);
    assert_eq!(public[..15], all[..15]);
    assert!(public[15..]
        .iter()
        .all(|status| *status == Status::Unchecked));
}

#[test]
fn the_body_of_a_draw_is_the_golden_one() {
    let mut drawn = 0;
    for name in NAMES.into_iter().filter(|name| *name != "public") {
        let files = golden(name);
        for (entry, body, kind) in bodies(&files) {
            if kind != "draw" {
                continue;
            }
            // As the record stood just before this draw: nothing after it, and no files of a later round.
            let Value::Int(round) = *body.get("round").unwrap() else {
                panic!("a round is an integer")
            };
            let mut before = files.clone();
            before.retain(|name, _| {
                let number = name
                    .rsplit(['-', '.'])
                    .nth(1)
                    .and_then(|n| n.parse::<i64>().ok());
                match number {
                    Some(number) if name.starts_with("auditor/") => number <= round,
                    Some(_) => *name < entry,
                    None => true,
                }
            });
            let fallback = *body.get("fallback").unwrap() == Value::text("yes");
            let reveals = write(body.get("reveals").unwrap());
            let round = usize::try_from(round).unwrap();
            let made = draw_body(&borrowed(&before), round, &reveals, fallback, &|| true).unwrap();
            assert_eq!(parse(&made), Ok(Value::Map(body)), "{name}");
            assert!(
                draw_body(&borrowed(&before), round + 1, &reveals, fallback, &|| true).is_err()
            );
            assert!(draw_body(&borrowed(&before), round, b"[]", fallback, &|| true).is_err());
            // Drawn once, it is not drawn again.
            before.insert(entry.clone(), files[&entry].clone());
            assert!(draw_body(&borrowed(&before), round, &reveals, fallback, &|| true).is_err());
            before.retain(|name, _| name.starts_with("public/") && *name < entry);
            assert!(draw_body(&borrowed(&before), round, &reveals, fallback, &|| true).is_err());
            drawn += 1;
        }
    }
    assert!(drawn >= 8);
}

#[test]
fn nothing_is_drawn_after_an_abort() {
    let files = golden("aborted");
    let shown = br#"[{"digits":"0","kind":"balls"}]"#;
    let refused = draw_body(&borrowed(&files), 0, shown, false, &|| true).unwrap_err();
    assert!(refused.0.contains("aborted"), "{refused}");
}

#[test]
fn a_beacon_that_does_not_verify_draws_nobody() {
    let mut files = golden("drand");
    let (entry, body, _) = bodies(&files).remove(1);
    files.remove(&entry);
    let shown = write(body.get("reveals").unwrap());
    let mut forged = shown.clone();
    let place = shown.len() - 5;
    forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
    assert!(draw_body(&borrowed(&files), 0, &shown, false, &|| true).is_ok());
    let refused = draw_body(&borrowed(&files), 0, &forged, false, &|| true).unwrap_err();
    assert!(refused.0.contains("does not verify"), "{refused}");
}

#[test]
fn what_was_read_out_before_the_beacon_is_what_is_drawn_with() {
    let files = golden("all-sources");
    let kinds: Vec<String> = bodies(&files)
        .into_iter()
        .map(|(_, _, kind)| kind)
        .collect();
    assert_eq!(kinds, ["commitment", "reading", "draw"]);
    let (entry, body, _) = bodies(&files).remove(2);
    let shown = write(body.get("reveals").unwrap());
    let mut before = files.clone();
    before.remove(&entry);
    assert!(draw_body(&borrowed(&before), 0, &shown, false, &|| true).is_ok());
    // One digit of the balls, which stand first, is another.
    let mut other = shown.clone();
    let digit = other.iter().position(u8::is_ascii_digit).unwrap();
    other[digit] = b'0' + (other[digit] - b'0' + 1) % 10;
    let refused = draw_body(&borrowed(&before), 0, &other, false, &|| true).unwrap_err();
    assert!(refused.0.contains("read out"), "{refused}");
    before.remove("public/entry-0002.json");
    let refused = draw_body(&borrowed(&before), 0, &shown, false, &|| true).unwrap_err();
    assert!(refused.0.contains("read out"), "{refused}");
}

#[test]
fn summaries_are_the_golden_ones() {
    for name in NAMES.into_iter().filter(|name| *name != "public") {
        let files = golden(name);
        for (_, body, kind) in bodies(&files) {
            if let ("commitment", Some(Value::Int(round))) = (kind.as_str(), body.get("round")) {
                let of = |kind: &str| &files[&format!("auditor/{kind}-{round}.json")];
                let made = summary_of(
                    of("instance"),
                    of("pool"),
                    of("lottery"),
                    of("certificate"),
                    &|| true,
                );
                assert_eq!(
                    made,
                    Ok(write(body.get("summary").unwrap())),
                    "{name}, round {round}"
                );
            }
        }
    }
}

#[test]
fn leaves_come_from_the_sealed_file() {
    ["all-sources", "household"]
        .into_iter()
        .for_each(every_leaf);
}

fn every_leaf(record: &str) {
    let files = golden(record);
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let sealed: serde_json::Value = serde_json::from_str(&text("sealed/people.json")).unwrap();
    let pool: serde_json::Value = serde_json::from_str(&text("auditor/pool-0.json")).unwrap();
    let declaration: serde_json::Value =
        serde_json::from_str(&text("auditor/instance-0.json")).unwrap();
    let lines: Vec<String> = text("public/leaves.txt")
        .lines()
        .map(str::to_owned)
        .collect();
    let draw = sealed["draw"].as_str().unwrap();
    for (i, person) in sealed["people"].as_array().unwrap().iter().enumerate() {
        let salt = hash::digest(person[1].as_str().unwrap()).unwrap();
        let identity = write(&parse(person[0].to_string().as_bytes()).unwrap());
        let t = usize::try_from(pool["people"][i][1].as_u64().unwrap()).unwrap();
        // The opening, spelled out once more in the plainest way.
        let attributes: Vec<String> = declaration["features"]
            .as_array()
            .unwrap()
            .iter()
            .zip(pool["types"][t].as_array().unwrap())
            .filter(|(feature, _)| !feature["name"].as_str().unwrap().starts_with('('))
            .map(|(feature, v)| {
                let v = usize::try_from(v.as_u64().unwrap()).unwrap();
                format!("[{},{}]", feature["name"], feature["values"][v]["value"])
            })
            .collect();
        let tag = pool["openings"][i][2].as_str().unwrap();
        let opening = format!(
            "{{\"attributes\":[{}],\"household\":\"{tag}\",\"weight\":{}}}",
            attributes.join(","),
            pool["weights"][t]
        );
        let found = leaves::person(draw, &salt, &identity, &[opening.as_bytes()]);
        assert_eq!(hash::hex(&found.leaf), lines[i]);
        assert_eq!(
            hash::hex(&found.c_id),
            pool["openings"][i][0].as_str().unwrap()
        );
        assert_eq!(
            hash::hex(&found.k_type),
            pool["openings"][i][1].as_str().unwrap()
        );
    }
}

#[test]
fn the_auditor_has_the_rounds_that_were_committed_and_no_others() {
    let files = golden("replaced");
    let mut fewer = files.clone();
    fewer.retain(|name, _| !name.ends_with("-1.json") || name.starts_with("public/"));
    assert_eq!(failed(&fewer)[0], "commitment");
    let mut more = files;
    for kind in ["instance", "pool", "lottery", "certificate"] {
        let copy = more[&format!("auditor/{kind}-1.json")].clone();
        more.insert(format!("auditor/{kind}-2.json"), copy);
    }
    assert_eq!(failed(&more)[0], "commitment");
}

#[test]
fn files_that_are_missing_or_too_many_fail_the_first_check() {
    let files = golden("timestamped");
    for name in files.keys().filter(|name| *name != "sealed/people.json") {
        let mut fewer = files.clone();
        fewer.remove(name);
        // A log without its last entry is one that ends earlier; without any other it has a gap.
        let last = name == "public/entry-0003.json";
        assert_eq!(failed(&fewer).is_empty(), last, "{name}");
        assert_eq!(failed(&fewer).contains(&"files"), !last, "{name}");
    }
    for stray in [
        "",
        "public/entry-0000.json",
        "public/entry-10000.json",
        "public/entry-1.json",
        "public/entry-+003.json",
        "public/entry-0005.json",
        "auditor/pool-00.json",
        "auditor/pool-100.json",
        "auditor/pool-1.json",
        "auditor/pool-+0.json",
        "auditor/pool-.json",
        "public/leaves.txt/",
        "sealed/people.json.bak",
        "receipts/0.json",
        "../public/leaves.txt",
    ] {
        let mut more = files.clone();
        more.insert(stray.to_owned(), b"{}".to_vec());
        assert_eq!(failed(&more), CHECKS, "{stray}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_mutated_byte_never_passes_nor_panics(which in any::<usize>(), file in any::<usize>(), place in any::<usize>(), flip in 1_u8..) {
        let mut files = golden(NAMES[which % NAMES.len()]);
        let count = files.len();
        let bytes = files.values_mut().nth(file % count).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= flip;
        prop_assert_ne!(failed(&files), Vec::<&str>::new());
    }

    #[test]
    fn a_cut_or_a_splice_never_passes_nor_panics(which in any::<usize>(), file in any::<usize>(), from in any::<usize>(), to in any::<usize>(), twice in any::<bool>()) {
        let mut files = golden(NAMES[which % NAMES.len()]);
        let count = files.len();
        let bytes = files.values_mut().nth(file % count).unwrap();
        let (from, to) = (from % bytes.len(), to % bytes.len());
        let piece = bytes[from.min(to)..=from.max(to)].to_vec();
        if twice {
            bytes.splice(from.min(to)..from.min(to), piece);
        } else {
            bytes.drain(from.min(to)..=from.max(to));
        }
        prop_assert_ne!(failed(&files), Vec::<&str>::new());
    }
}

#[test]
fn nothing_more_is_checked_once_the_caller_has_gone() {
    let files = golden("drand");
    let whole = verify(&borrowed(&files), &|| true);
    let left = std::cell::Cell::new(5);
    let alive = || {
        left.set(left.get() - 1);
        left.get() >= 0
    };
    let checks = verify(&borrowed(&files), &alive);
    assert_eq!(checks.len(), whole.len());
    assert_eq!(checks[..5], whole[..5]);
    assert!(checks[5..]
        .iter()
        .all(|check| check.status == Status::Unchecked));
    let refused = draw_body(&borrowed(&files), 0, b"[]", false, &|| false).unwrap_err();
    assert_eq!(refused.0, "stopped");
}
