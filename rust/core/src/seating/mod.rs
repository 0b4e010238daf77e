//! Who sits at which table in which session, so that tables are mixed and people meet as many others as they can?
//!
//! The social golfer problem with sizes that may differ by one, people who must sit apart or together, absences, and features by
//! which each table is mixed. [`design`] gives the start without a repeated meeting where a finite field does, [`search`] anneals
//! over exchanges of seats. Costs are integers in a fixed order of priority ([`Cost`]).
//!
//! Guaranteed: sizes, and groups that sit together; the same input and seed give the same plan on every machine, since there is
//! no float, no thread and no clock. Not guaranteed: that no better plan exists. Cost: a move looks at two tables.

pub mod design;
pub mod rules;
pub mod search;
pub mod seats;

pub use rules::{Rules, RulesError};
pub use search::Search;
pub use seats::{Cost, ABSENT};
