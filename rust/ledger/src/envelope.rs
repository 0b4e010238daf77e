//! What was signed, and which keys say so?
//!
//! DSSE envelopes in canonical JSON, as `docs/audit/protocol.md` sets them out: payload, its type, and signatures sorted by the
//! SHA-256 of their key. Reading says nothing about who signed: that takes the declared keys and [`ed25519::verify`] over [`pae`].
//! Linear; whatever has two spellings is refused.
//!
//! [`ed25519::verify`]: crate::ed25519::verify

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;

use crate::bundle::{constant, fields, list, rising, text};
use crate::canonical::{self, Value};
use crate::hash::{digest, hex, sha256, Digest};
use crate::{refuse, Fault};

/// The type of the log's entries.
pub const PAYLOAD_TYPE: &str = "application/vnd.klero.entry+json";

/// A payload and its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What was signed.
    pub payload: Vec<u8>,
    /// The SHA-256 of a key, and a signature under it; rising.
    pub signatures: Vec<(Digest, [u8; 64])>,
}

/// The envelope that `bytes` spell.
pub fn read(bytes: &[u8]) -> Result<Envelope, Fault> {
    let value = canonical::parse(bytes)?;
    let [payload, payload_type, signatures] =
        fields(&value, ["payload", "payloadType", "signatures"])?;
    constant(payload_type, PAYLOAD_TYPE)?;
    let signatures = list(signatures)?
        .iter()
        .map(signature)
        .collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<&Digest> = signatures.iter().map(|(key, _)| key).collect();
    rising(&keys, "an envelope's signatures")?;
    Ok(Envelope {
        payload: from_base64(text(payload)?)?,
        signatures,
    })
}

fn signature(value: &Value) -> Result<(Digest, [u8; 64]), Fault> {
    let [key, signature] = fields(value, ["keyid", "sig"])?;
    let Some(key) = digest(text(key)?) else {
        refuse!("a keyid that is not 64 hexadecimal digits in lower case")
    };
    match from_base64(text(signature)?)?.try_into() {
        Ok(signature) => Ok((key, signature)),
        Err(_) => refuse!("a signature that has not 64 bytes"),
    }
}

/// The bytes of an envelope, its signatures in the order of their keys.
pub fn write(envelope: &Envelope) -> Vec<u8> {
    let mut signatures: Vec<_> = envelope.signatures.iter().collect();
    signatures.sort_unstable();
    let signatures = signatures.into_iter().map(|(key, signature)| {
        Value::map([
            ("keyid", Value::Text(hex(key))),
            ("sig", Value::Text(to_base64(signature))),
        ])
    });
    canonical::write(&Value::map([
        ("payload", Value::Text(to_base64(&envelope.payload))),
        ("payloadType", Value::text(PAYLOAD_TYPE)),
        ("signatures", Value::List(signatures.collect())),
    ]))
}

/// What is signed for a payload: DSSE's «pre-authentication encoding».
pub fn pae(payload: &[u8]) -> Vec<u8> {
    encoding(PAYLOAD_TYPE, payload)
}

fn encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// The name of a key in an envelope.
pub fn keyid(key: &[u8; 32]) -> Digest {
    sha256(key)
}

/// Base64 in the standard alphabet, padded.
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes that padded base64 spells, if this is their only spelling.
pub fn from_base64(text: &str) -> Result<Vec<u8>, Fault> {
    match STANDARD.decode(text) {
        Ok(bytes) => Ok(bytes),
        Err(why) => refuse!("not base64 in its one spelling: {why}"),
    }
}

// A test that can't go on may panic.
#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope() -> impl Strategy<Value = Envelope> {
        let half = any::<[u8; 32]>();
        let signature = (half, half).prop_map(|(a, b)| [a, b].concat().try_into().expect("64"));
        let signatures = proptest::collection::btree_map(any::<Digest>(), signature, 0..4);
        (any::<Vec<u8>>(), signatures).prop_map(|(payload, signatures)| Envelope {
            payload,
            signatures: signatures.into_iter().collect(),
        })
    }

    #[test]
    fn the_encoding_is_that_of_the_dsse_specification() {
        assert_eq!(
            encoding("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(
            pae(b"{}"),
            b"DSSEv1 32 application/vnd.klero.entry+json 2 {}"
        );
        assert_eq!(pae(b""), b"DSSEv1 32 application/vnd.klero.entry+json 0 ");
    }

    #[test]
    fn base64_has_one_spelling() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(to_base64(bytes.as_bytes()), text);
            assert_eq!(from_base64(text), Ok(bytes.as_bytes().to_vec()));
        }
        for text in [
            "Zg",
            "Zg=",
            "Zg===",
            "Zh==",
            "Zm9=",
            "Zm8",
            "Zm9v=",
            "Zm9v====",
            "=",
            "====",
            "Zg==Zg==",
            " Zg==",
            "Zg==\n",
            "Zm9v\nYg==",
            "Zm-v",
            "Zm_v",
            "Z",
            "é===",
            "Zg=A",
        ] {
            assert!(from_base64(text).is_err(), "{text}");
        }
    }

    #[test]
    fn signatures_stand_in_the_order_of_their_keys_and_once() {
        let (low, high) = (([1; 32], [9; 64]), ([2; 32], [0; 64]));
        let sorted = Envelope {
            payload: b"{}".to_vec(),
            signatures: vec![low, high],
        };
        let turned = Envelope {
            signatures: vec![high, low],
            ..sorted.clone()
        };
        assert_eq!(write(&turned), write(&sorted));
        assert_eq!(read(&write(&sorted)), Ok(sorted.clone()));
        let twice = Envelope {
            signatures: vec![low, ([1; 32], [3; 64])],
            ..sorted.clone()
        };
        assert!(read(&write(&twice)).is_err());
        let text = String::from_utf8(write(&sorted)).expect("text");
        let (one, two) = ("01".repeat(32), "02".repeat(32));
        let swapped = text
            .replace(&one, "x")
            .replace(&two, &one)
            .replace('x', &two);
        assert!(read(swapped.as_bytes()).is_err());
    }

    #[test]
    fn other_forms_are_refused() {
        let good = format!(
            r#"{{"payload":"e30=","payloadType":"{PAYLOAD_TYPE}","signatures":[{{"keyid":"{}","sig":"{}"}}]}}"#,
            "0a".repeat(32),
            to_base64(&[7; 64])
        );
        let found = read(good.as_bytes()).expect("an envelope");
        assert_eq!(found.payload, b"{}");
        assert_eq!(found.signatures, [([10; 32], [7; 64])]);
        for (from, to) in [
            ("e30=", "e30"),
            ("e30=", "e31="),
            (r#""e30=""#, "3"),
            ("vnd.klero", "vnd.klera"),
            (r#""keyid":"0a"#, r#""keyid":"0A"#),
            (r#""keyid":"0a"#, r#""keyid":""#),
            (r#""keyid":"0a"#, r#""keyid":"0a0a"#),
            (r#""sig":""#, r#""sig":"AAAA"#),
            (r#""keyid":"#, r#""key":"#),
            (r#""payload":"e30=","#, ""),
            (r#""payload":"#, r#""note":"","payload":"#),
            (r#"[{"#, r#"[{"cert":"","#),
            (r#"{"payload""#, r#" {"payload""#),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in ["", "[]", "{}", "3"] {
            assert!(read(bad.as_bytes()).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(envelope in envelope()) {
            prop_assert_eq!(read(&write(&envelope)), Ok(envelope));
        }

        #[test]
        fn a_changed_byte_is_another_envelope(envelope in envelope(), place in any::<usize>(), flip in 1_u8..) {
            let mut bytes = write(&envelope);
            let place = place % bytes.len();
            bytes[place] ^= flip;
            if let Ok(other) = read(&bytes) {
                prop_assert_eq!(write(&other), bytes);
                prop_assert_ne!(other, envelope);
            }
        }

        #[test]
        fn base64_is_read_back_and_no_input_panics(bytes in any::<Vec<u8>>(), text in "[A-Za-z0-9+/=]{0,12}") {
            prop_assert_eq!(from_base64(&to_base64(&bytes)), Ok(bytes.clone()));
            if let Ok(found) = from_base64(&text) {
                prop_assert_eq!(to_base64(&found), text);
            }
            let _either = read(&bytes);
        }
    }
}
