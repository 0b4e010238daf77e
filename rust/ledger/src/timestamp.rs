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
mod tests;
