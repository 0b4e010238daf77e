//! Can anyone redo this lottery and its draw, years later, and get the same names?
//!
//! Canonical bytes, labelled hashes, a Merkle root, the way from a seed to a panel, and the checks of a bundle and of a record, as
//! `docs/audit/bundle.md` and `docs/audit/protocol.md` specify them byte for byte (canonical JSON after RFC 8785, tree hashes after RFC 9162).
//!
//! Guarantees: integers and bytes alone, no floats, threads, clocks, input or output; the same bytes on every
//! platform; no panic and no unbounded work on any input. It does not say that the register behind a pool is honest.
//!
//! Checking is linear in the size of the lottery, and levels × types × features for the certificate.
//!
//! ```
//! use klero_ledger::canonical;
//! assert!(canonical::parse(br#"{"a":[1,"x"]}"#).is_ok());
//! assert!(canonical::parse(br#"{"a": [1,"x"]}"#).is_err());
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod beacon;
pub mod bundle;
pub mod canonical;
pub mod certificate;
pub mod checks;
pub mod claim;
pub mod draw;
pub mod ed25519;
pub mod envelope;
pub mod fairness;
pub mod hash;
pub mod number;
pub mod record;
pub mod rules;
pub mod source;
pub mod time;
pub mod timestamp;
pub mod verify;

/// Why bytes, a file or a claim is refused, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// Refuses with a formatted reason.
macro_rules! refuse {
    ($($part:tt)*) => {
        return Err($crate::Fault(format!($($part)*)))
    };
}
pub(crate) use refuse;
