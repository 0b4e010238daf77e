//! Over which bytes, and when, does this time-stamp say it was made?
//!
//! A reader of RFC 3161 tokens (a TSTInfo in the signed data of RFC 5652), as `docs/audit/protocol.md` narrows them: DER alone, one byte a tag,
//! definite lengths in their shortest form, nothing left over at any level. It says what the token states. That the authority made it
//! is another check, for which the authority's certificate is needed.
//!
//! Linear in the token; nesting is bounded, so recursion is too.

use crate::hash::Digest;
use crate::time;
use crate::{refuse, Fault};

/// How many values may stand around a value.
pub const DEPTH_LIMIT: usize = 32;

/// The most bytes of a token.
pub const SIZE_LIMIT: usize = 65_536;

/// What a token states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// SHA-256 of the bytes that were stamped.
    pub imprint: Digest,
    /// The Unix time, rounded down to the second.
    pub time: i64,
}

/// The most digits of a fraction of a second.
const MOST_FRACTION: usize = 9;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04";
/// 2.16.840.1.101.3.4.2.1
const SHA_256: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";

/// What a TimeStampToken states.
pub fn read(token: &[u8]) -> Result<Stamp, Fault> {
    if token.len() > SIZE_LIMIT {
        refuse!(
            "time-stamp: a token of {} bytes, where at most {SIZE_LIMIT} are allowed",
            token.len()
        );
    }
    let content_info = whole(token, "the token")?;
    let mut content_info = content_info.inside(SEQUENCE, "a ContentInfo")?;
    content_info.exactly(OID, SIGNED_DATA, "the type of signed data")?;
    let mut explicit = content_info.next(CONTEXT_0, "the content")?.items();
    content_info.end("the ContentInfo")?;
    let mut signed = explicit.next(SEQUENCE, "a SignedData")?.items();
    explicit.end("the content")?;
    signed.next(INTEGER, "a version of SignedData")?;
    signed.next(SET, "the digest algorithms")?;
    let mut encapsulated = signed.next(SEQUENCE, "the encapsulated content")?.items();
    signed.skip(CONTEXT_0);
    signed.skip(CONTEXT_1);
    signed.next(SET, "the signers")?;
    signed.end("the SignedData")?;
    encapsulated.exactly(OID, TST_INFO, "the type of a TSTInfo")?;
    let mut explicit = encapsulated
        .next(CONTEXT_0, "the TSTInfo's content")?
        .items();
    encapsulated.end("the encapsulated content")?;
    let octets = explicit.next(OCTETS, "the TSTInfo's bytes")?;
    explicit.end("the TSTInfo's content")?;
    tst_info(octets.content)
}

fn tst_info(bytes: &[u8]) -> Result<Stamp, Fault> {
    let mut info = whole(bytes, "the TSTInfo")?.inside(SEQUENCE, "a TSTInfo")?;
    info.exactly(INTEGER, &[1], "version 1")?;
    info.next(OID, "a policy")?;
    let mut imprint = info.next(SEQUENCE, "a message imprint")?.items();
    info.next(INTEGER, "a serial number")?;
    let time = info.next(GENERALIZED_TIME, "a genTime")?;
    for optional in [SEQUENCE, BOOLEAN, INTEGER, CONTEXT_0, CONTEXT_1] {
        info.skip(optional);
    }
    info.end("the TSTInfo")?;
    let mut algorithm = imprint.next(SEQUENCE, "a hash algorithm")?.items();
    algorithm.exactly(OID, SHA_256, "SHA-256")?;
    if !algorithm.rest.is_empty() {
        algorithm.exactly(NULL, &[], "no parameters, or NULL,")?;
    }
    algorithm.end("the hash algorithm")?;
    let Ok(digest) = imprint.next(OCTETS, "a digest")?.content.try_into() else {
        refuse!("time-stamp: a digest that has not 32 bytes")
    };
    imprint.end("the message imprint")?;
    Ok(Stamp {
        imprint: digest,
        time: gen_time(time.content)?,
    })
}

/// `YYYYMMDDHHMMSS[.fraction]Z`, the fraction of nine digits at most; RFC 3161 (2.4.2) allows none that ends with 0.
fn gen_time(bytes: &[u8]) -> Result<i64, Fault> {
    let found = bytes.split_first_chunk::<14>().and_then(|(digits, rest)| {
        let good = match rest {
            [b'Z'] => true,
            [b'.', fraction @ .., b'Z'] => {
                fraction.len() <= MOST_FRACTION
                    && fraction.iter().all(u8::is_ascii_digit)
                    && fraction.last().is_some_and(|last| *last != b'0')
            }
            _ => false,
        };
        time::instant(digits).filter(|_| good)
    });
    match found {
        Some(time) => Ok(time),
        None => refuse!("time-stamp: a genTime that is not «YYYYMMDDHHMMSS[.fraction]Z» of the years 2000 to 2199"),
    }
}

/// A tag and the bytes of its value.
#[derive(Clone, Copy)]
struct Item<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Item<'a> {
    /// The values inside, whatever the tag.
    fn items(self) -> Items<'a> {
        Items { rest: self.content }
    }

    /// The values inside, if the tag is this one.
    fn inside(self, tag: u8, what: &str) -> Result<Items<'a>, Fault> {
        if self.tag != tag {
            refuse!("time-stamp: {what} is expected");
        }
        Ok(self.items())
    }
}

/// Values that stand one after the other. [`whole`] has read them all before: reading them again can't fail.
struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Items<'a> {
    fn next(&mut self, tag: u8, what: &str) -> Result<Item<'a>, Fault> {
        if self.rest.first() != Some(&tag) {
            refuse!("time-stamp: {what} is expected");
        }
        let (item, rest) = item(self.rest)?;
        self.rest = rest;
        Ok(item)
    }

    fn exactly(&mut self, tag: u8, content: &[u8], what: &str) -> Result<(), Fault> {
        if self.next(tag, what)?.content != content {
            refuse!("time-stamp: {what} is expected");
        }
        Ok(())
    }

    /// Passes over an optional value.
    fn skip(&mut self, tag: u8) {
        let _passed = self.next(tag, "an optional value");
    }

    fn end(&self, what: &str) -> Result<(), Fault> {
        if !self.rest.is_empty() {
            refuse!("time-stamp: something follows in {what}");
        }
        Ok(())
    }
}

/// The one value that `bytes` are, with all values inside it in DER.
fn whole<'a>(bytes: &'a [u8], what: &str) -> Result<Item<'a>, Fault> {
    let (outer, rest) = item(bytes)?;
    if !rest.is_empty() {
        refuse!("time-stamp: something follows {what}");
    }
    tree(outer, 0)?;
    Ok(outer)
}

fn tree(outer: Item, depth: usize) -> Result<(), Fault> {
    let constructed = outer.tag & 0x20 != 0;
    if !constructed {
        return Ok(());
    }
    let mut rest = outer.content;
    while !rest.is_empty() {
        if depth == DEPTH_LIMIT {
            refuse!("time-stamp: nested more than {DEPTH_LIMIT} deep");
        }
        let (inner, after) = item(rest)?;
        tree(inner, depth + 1)?;
        rest = after;
    }
    Ok(())
}

/// The first value and what follows it.
fn item(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), Fault> {
    let [tag, first, rest @ ..] = bytes else {
        refuse!("time-stamp: bytes are missing")
    };
    if tag & 0x1f == 0x1f {
        refuse!("time-stamp: a tag of more than one byte");
    }
    let (length, rest) = match *first {
        short @ ..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let Some((spelled, rest)) = rest.split_at_checked(usize::from(long & 0x7f)) else {
                refuse!("time-stamp: bytes are missing")
            };
            let length = spelled
                .iter()
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            if length < 0x80 || spelled.first() == Some(&0) {
                refuse!("time-stamp: a length that is not in its shortest form");
            }
            (usize::try_from(length).unwrap_or(usize::MAX), rest)
        }
        _ => refuse!("time-stamp: a length that is not definite, or too large"),
    };
    match rest.split_at_checked(length) {
        Some((content, rest)) => Ok((Item { tag: *tag, content }, rest)),
        None => refuse!("time-stamp: bytes are missing"),
    }
}

// A test that can't go on may panic.
#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
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
}
