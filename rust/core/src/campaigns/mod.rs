//! Which groups of contributions depend on one source or act together, and how sure is that? The kernels that count and draw.
//!
//! Each family says in its own words what it tests: [`texts`] which texts share more rare content than people share who write on their own; [`tightness`] whether
//! texts are more alike than others of their question and length; [`time`] whether a group wrote at the same moments, or at too even a pace; [`vote_search`] which
//! accounts vote alike beyond their opinion group.

pub mod ballots;
pub mod covotes;
mod gaps;
mod null;
pub mod opinions;
pub mod rates;
mod scan;
pub mod scripts;
pub mod surprise;
pub mod texts;
pub mod tightness;
pub mod time;
pub mod vote_search;
