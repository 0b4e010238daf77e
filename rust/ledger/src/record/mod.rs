//! Was this public draw held as it was declared?
//!
//! A record is what the public, an auditor and a guarantor keep of a draw: rules, salted commitments to people, a signed log, and what chance
//! showed, after `docs/audit/protocol.md`. [`verify`](verify::verify) does all its checks; [`draw_body`](verify::draw_body) says who is drawn.
//!
//! Guarantees: as for the whole crate. Each file is parsed once, and large documents are dropped once they are read. Linear in the size of the
//! record, but for sorting, and for the certificates, whose work is bounded.

pub mod declaration;
pub mod draw;
pub mod files;
pub mod leaves;
pub mod log;
pub mod people;
pub mod public;
pub mod round;
pub mod summary;
pub mod verify;
