//! Who of everybody on a register gets a letter?
//!
//! A register of 10^8 people does not fit into memory, its rows come in any order, and the same people must be drawn whatever that
//! order is. So each row is reduced to a *record* of 48 bytes (64 with an address): the hash of its id, its place, its stratum and its
//! weight. Records are scattered over 256 *parts* by the first byte of a hash, and each part is small enough to be sorted in memory.
//! Everything after that is a function of the sorted parts alone: duplicates ([`part`]), the register's digest ([`part`]), one person
//! from each address ([`unit`]), the order of duels ([`deal`]), lowest tickets and duels ([`draw`]).
//!
//! Guarantees: a result does not depend on the order of rows, batches or threads. Hashes are SHA-256; chance comes from HMAC-SHA256
//! under a key that the caller derives from the seed, as integers, by rejection. No float.
//! Cost: linear but for sorting inside parts; memory is one part. No I/O: the caller keeps the parts where it likes.

pub mod deal;
pub mod draw;
pub mod hash;
pub mod key;
pub mod part;
pub mod record;
pub mod unit;

/// Number of parts that records are scattered over: one for each first byte of the hash.
pub const PARTS: usize = 256;
