//! Is a token read as the protocol says, and nothing else?

// A test that can't go on may panic.
#![allow(clippy::expect_used)]

use super::*;
use crate::hash::{hex, sha256, unhex};
use proptest::prelude::*;

/// A token over the five bytes `klero`, made by `openssl ts` with a key of its own: accuracy, ordering, nonce and name are there.
const TOKEN: &str = concat!(
    "3082021b06092a864886f70d010702a082020c30820208020103310f300d060960864801650304020105003081a2060b2a86",
    "4886f70d0109100104a0819204818f30818c02010106042a0304013031300d060960864801650304020105000420b10d01ae",
    "e187fd69892b7766fb9c1fa133effe63df33ebffba9c655439e89e6c020102181332303236313132353232313631332e3139",
    "335a30030201010101ff020900cf377e53a7573871a023a421301f311d301b06035504030c146b6c65726f20746573742061",
    "7574686f726974793182014b308201470201013037301f311d301b06035504030c146b6c65726f207465737420617574686f",
    "7269747902142167179fa6034b399d41e1cf03774846f5e46efe300d06096086480165030402010500a081a4301a06092a86",
    "4886f70d010903310d060b2a864886f70d0109100104301c06092a864886f70d010905310f170d3236313132353232313631",
    "335a302f06092a864886f70d01090431220420a734169da83db635184103abbd6f1924fb590cf9ead4d9eb0995c781ffa854",
    "a33037060b2a864886f70d010910022f31283026302430220420e296b91c200dd5cd3b0f584a274ba208fd51fbced6ad51f3",
    "2176661f1f794ff4300a06082a8648ce3d0403020447304502200bfe650c699a29f6b73294aa7a270e12f9e0462c13ad65e6",
    "56bd97f6777bae76022100b60cdd6753831730b9a47d91f2242f01afa342005014e5c564cce831c5410de6"
);

fn token() -> Vec<u8> {
    unhex(TOKEN).expect("hexadecimal digits")
}

#[test]
fn a_token_of_openssl_is_read() {
    let stamp = read(&token()).expect("a token");
    assert_eq!(stamp.imprint, sha256(b"klero"), "{}", hex(&stamp.imprint));
    // Its genTime is 20261125221613.193Z.
    assert_eq!(
        stamp.time,
        time::parse("2026-11-25T22:16:13Z").expect("a time")
    );
}

#[test]
fn a_token_cut_short_or_made_longer_is_refused() {
    let token = token();
    for end in 0..token.len() {
        assert!(read(&token[..end]).is_err(), "{end} bytes");
    }
    for more in [0, 5, 0x30] {
        assert!(read(&[&token[..], &[more]].concat()).is_err());
        assert!(read(&[&token[..], &[more, 0]].concat()).is_err());
    }
}

/// One value in DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(u8::try_from(length).expect("a byte"));
    } else {
        let digits = length.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|b| **b == 0).count()..];
        out.push(0x80 | u8::try_from(digits.len()).expect("a byte"));
        out.extend_from_slice(digits);
    }
    [out, content].concat()
}

/// The parts of a token that tests change.
struct Parts {
    algorithm: Vec<u8>,
    imprint: Vec<u8>,
    time: Vec<u8>,
    version: Vec<u8>,
    after_time: Vec<u8>,
    before_signers: Vec<u8>,
    octets: u8,
}

fn parts() -> Parts {
    Parts {
        algorithm: der(SEQUENCE, &[&der(OID, &[SHA_256])]),
        imprint: der(OCTETS, &[&[7; 32]]),
        time: b"20260102030405Z".to_vec(),
        version: der(INTEGER, &[&[1]]),
        after_time: Vec::new(),
        before_signers: Vec::new(),
        octets: OCTETS,
    }
}

fn made(parts: &Parts) -> Vec<u8> {
    wrapped(&tst(parts), &parts.before_signers, parts.octets)
}

fn tst(parts: &Parts) -> Vec<u8> {
    der(
        SEQUENCE,
        &[
            &parts.version,
            &der(OID, &[&[0x2a]]),
            &der(SEQUENCE, &[&parts.algorithm, &parts.imprint]),
            &der(INTEGER, &[&[5]]),
            &der(GENERALIZED_TIME, &[&parts.time]),
            &parts.after_time,
        ],
    )
}

fn wrapped(info: &[u8], before_signers: &[u8], octets: u8) -> Vec<u8> {
    nested(info, before_signers, octets, [&[]; 4])
}

/// `after` stands at the end of the ContentInfo, of its content, of the encapsulated content and of its content.
fn nested(info: &[u8], before_signers: &[u8], octets: u8, after: [&[u8]; 4]) -> Vec<u8> {
    let content = der(CONTEXT_0, &[&der(octets, &[info]), after[3]]);
    let signed = der(
        SEQUENCE,
        &[
            &der(INTEGER, &[&[3]]),
            &der(SET, &[]),
            &der(SEQUENCE, &[&der(OID, &[TST_INFO]), &content, after[2]]),
            before_signers,
            &der(SET, &[]),
        ],
    );
    let content = der(CONTEXT_0, &[&signed, after[1]]);
    let kind = der(OID, &[SIGNED_DATA]);
    der(SEQUENCE, &[&kind, &content, after[0]])
}

#[test]
fn nothing_follows_at_any_level() {
    let info = tst(&parts());
    for more in [&[NULL, 0][..], &[OCTETS, 0], &[0x30, 0], &[0xa0, 0]] {
        for place in 0..4 {
            let mut after: [&[u8]; 4] = [&[]; 4];
            assert!(read(&nested(&info, &[], OCTETS, after)).is_ok());
            after[place] = more;
            assert!(read(&nested(&info, &[], OCTETS, after)).is_err(), "{place}");
        }
    }
}

#[test]
fn the_smallest_token_is_read() {
    let stamp = read(&made(&parts())).expect("a token");
    assert_eq!(stamp.imprint, [7; 32]);
    assert_eq!(time::write(stamp.time), "2026-01-02T03:04:05Z");
}

#[test]
fn parameters_of_the_hash_are_absent_or_null() {
    let with = |parameters: &[u8]| {
        let mut parts = parts();
        parts.algorithm = der(SEQUENCE, &[&der(OID, &[SHA_256]), parameters]);
        read(&made(&parts)).is_ok()
    };
    assert!(with(&[]));
    assert!(with(&[NULL, 0]));
    for bad in [&[NULL, 1, 0][..], &[NULL, 0, NULL, 0], &[0x30, 0], &[4, 0]] {
        assert!(!with(bad), "{bad:?}");
    }
}

#[test]
fn other_hashes_lengths_versions_and_kinds_are_refused() {
    let refused = |change: fn(&mut Parts)| {
        let mut parts = parts();
        change(&mut parts);
        assert!(read(&made(&parts)).is_err());
    };
    // SHA-384, then SHA-1.
    refused(|p| {
        p.algorithm = der(
            SEQUENCE,
            &[&der(OID, &[b"\x60\x86\x48\x01\x65\x03\x04\x02\x02"])],
        )
    });
    refused(|p| p.algorithm = der(SEQUENCE, &[&der(OID, &[b"\x2b\x0e\x03\x02\x1a"])]));
    refused(|p| p.algorithm = der(SEQUENCE, &[]));
    refused(|p| p.imprint = der(OCTETS, &[&[7; 31]]));
    refused(|p| p.imprint = der(OCTETS, &[&[7; 33]]));
    refused(|p| p.imprint = der(0x24, &[&der(OCTETS, &[&[7; 32]])]));
    refused(|p| p.imprint = [der(OCTETS, &[&[7; 32]]), vec![NULL, 0]].concat());
    refused(|p| p.version = der(INTEGER, &[&[2]]));
    refused(|p| p.version = der(INTEGER, &[&[0, 1]]));
    refused(|p| p.version = Vec::new());
    refused(|p| p.octets = 0x24);
    refused(|p| p.octets = SEQUENCE);
}

#[test]
fn optional_parts_come_once_and_in_their_order() {
    let all: [&[u8]; 5] = [
        &[0x30, 0],
        &[1, 1, 0xff],
        &[2, 1, 9],
        &[0xa0, 0],
        &[0xa1, 0],
    ];
    let with = |after: &[&[u8]]| {
        let mut parts = parts();
        parts.after_time = after.concat();
        read(&made(&parts)).is_ok()
    };
    for chosen in 0..32_u32 {
        let some: Vec<&[u8]> = (0..5)
            .filter(|i| chosen >> i & 1 == 1)
            .map(|i| all[i])
            .collect();
        assert!(with(&some), "{chosen}");
    }
    for i in 0..5 {
        for j in 0..=i {
            assert!(!with(&[all[i], all[j]]), "{i} {j}");
        }
    }
    assert!(!with(&[&[0xa2, 0]]));
    let with = |before: &[u8]| {
        let mut parts = parts();
        parts.before_signers = before.to_vec();
        read(&made(&parts)).is_ok()
    };
    assert!(with(&[0xa0, 0, 0xa1, 0]));
    assert!(with(&[0xa1, 0]));
    for bad in [
        &[0xa1, 0, 0xa0, 0][..],
        &[0xa0, 0, 0xa0, 0],
        &[0x31, 0],
        &[0xa2, 0],
    ] {
        assert!(!with(bad), "{bad:?}");
    }
}

#[test]
fn a_gen_time_is_an_instant_rounded_down() {
    let at = |text: &str| {
        let mut parts = parts();
        parts.time = text.as_bytes().to_vec();
        read(&made(&parts)).map(|stamp| time::write(stamp.time))
    };
    for (text, expected) in [
        ("20260102030405Z", "2026-01-02T03:04:05Z"),
        ("20260102030405.9Z", "2026-01-02T03:04:05Z"),
        ("20260102030405.000001Z", "2026-01-02T03:04:05Z"),
        ("20000229235959Z", "2000-02-29T23:59:59Z"),
        ("21991231235959Z", "2199-12-31T23:59:59Z"),
    ] {
        assert_eq!(at(text), Ok(expected.to_owned()));
    }
    for text in [
        "",
        "Z",
        "20260102030405",
        "20260102030405z",
        "20260102030405.Z",
        "20260102030405.0Z",
        "20260102030405.10Z",
        "20260102030405,1Z",
        "20260102030405.1aZ",
        "20260102030405+0000",
        "202601020304Z",
        "2026010203040Z",
        "20260102030460Z",
        "20260102036005Z",
        "20260102240405Z",
        "20260229030405Z",
        "20261302030405Z",
        "19991231235959Z",
        "22000101000000Z",
        "260102030405Z",
        "2026010203040５Z",
    ] {
        assert!(at(text).is_err(), "{text}");
    }
    assert_eq!(at("20260102030405.123456789Z"), at("20260102030405Z"));
    assert!(at("20260102030405.1234567891Z").is_err());
}

#[test]
fn lengths_are_definite_and_in_their_shortest_form() {
    assert!(item(&[4, 1, 9]).is_ok());
    assert!(item(&[&[4, 0x81, 0x80][..], &[0; 0x80]].concat()).is_ok());
    for bad in [
        &[][..],
        &[4],
        &[4, 1],
        &[4, 0x81],
        &[4, 0x81, 1, 9],
        &[4, 0x82, 0, 1, 9],
        &[0x30, 0x80, 0, 0],
        &[4, 0x85, 0, 0, 0, 0, 1, 9],
        &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[4, 0xff],
        &[0x1f, 1, 9],
        &[0xbf, 0x21, 0],
    ] {
        assert!(item(bad).is_err(), "{bad:?}");
    }
    let long = [&[4, 0x82, 0, 0x80][..], &[0; 0x80]].concat();
    assert!(item(&long).is_err());
}

#[test]
fn nothing_anywhere_in_a_token_is_outside_der() {
    // In what is passed over too: an indefinite length in a certificate.
    let mut parts = parts();
    parts.before_signers = der(CONTEXT_0, &[&[0x30, 0x80, 0, 0]]);
    assert!(read(&made(&parts)).is_err());
    parts.before_signers = der(CONTEXT_0, &[&[0x30, 1]]);
    assert!(read(&made(&parts)).is_err());
    parts.before_signers = der(CONTEXT_0, &[&[0x1f, 0]]);
    assert!(read(&made(&parts)).is_err());
}

#[test]
fn nesting_is_bounded() {
    let deep = |depth: usize| (0..depth).fold(vec![4, 0], |inner, _| der(0x30, &[&inner]));
    // 32 values around the innermost, and one more.
    assert!(whole(&deep(DEPTH_LIMIT), "it").is_ok());
    assert!(whole(&deep(DEPTH_LIMIT + 1), "it").is_err());
    assert!(whole(&deep(2_000), "it").is_err());
}

proptest! {
    #[test]
    fn no_input_panics(bytes in any::<Vec<u8>>()) {
        prop_assert!(read(&bytes).is_err());
        let _either = tst_info(&bytes);
        let _either = read(&wrapped(&bytes, &bytes, OCTETS));
    }

    #[test]
    fn a_changed_byte_panics_nowhere(place in any::<usize>(), flip in 1_u8.., cut in any::<usize>()) {
        let mut bytes = token();
        let place = place % bytes.len();
        bytes[place] ^= flip;
        let _either = read(&bytes);
        bytes.truncate(cut % bytes.len());
        prop_assert!(read(&bytes).is_err());
    }
}

/// The bytes of the TSTInfo that this page reads are those that change what is read; the others leave it as it is, or break the form.
#[test]
fn a_changed_byte_never_gives_another_statement_unseen() {
    let good = read(&token()).expect("a token");
    let mut stated = 0;
    for place in 0..token().len() {
        let mut bytes = token();
        bytes[place] ^= 1;
        match read(&bytes) {
            Ok(stamp) if stamp != good => stated += 1,
            _ => {}
        }
    }
    // 32 bytes of the digest, and those digits of the time to the second that give another instant.
    assert!((32 + 10..=32 + 14).contains(&stated), "{stated}");
}
