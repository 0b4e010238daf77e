//! Which texts share more rare content than people share who write on their own?
//!
//! The way: read the words ([`words`]; slips of the pen are mended, copies are one text); find each text's neighbours by what they share that is rare
//! ([`rarity`], [`join`]); let families grow from tight cores, opposites apart ([`families`], [`guard`]); measure what the members of a group share, in
//! bits of surprise ([`surprise`], [`sharing`]), and how few different words they use ([`saturation`]), beside the same of texts in no group; and find what
//! only they write ([`strings`]).
//!
//! Guarantees: whole numbers, ties by the number of the text, which follows the order of rows: the result is a function of the rows in their order,
//! whatever the threads. Nothing random, no I/O.

pub mod families;
pub mod guard;
pub mod join;
pub mod measure;
pub mod rarity;
pub mod saturation;
pub mod sharing;
mod spelling;
pub mod strings;
pub mod surprise;
pub mod words;

/// The version of what is computed; any change of a result is a new one.
pub const ALGORITHM: &str = "klero-campaigns-text/1";
