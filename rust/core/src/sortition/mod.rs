//! Panels that meet every quota, and the weights that make a lottery of them.
//!
//! The question: given how many seats each type of person should get on average, which panels, and how many balls
//! each, give them? [`search`] finds panels by local moves that never break a quota, [`weights`] balances them
//! until their mean is the target, [`balls`] makes whole numbers of it.

pub mod amount;
pub mod balls;
pub mod compose;
pub mod counting;
pub mod drawing;
pub mod falling;
pub mod legacy;
pub mod rules;
pub mod search;
pub mod shuffle;
pub mod states;
pub mod store;
pub mod stream;
pub mod weights;
pub mod whole;

pub use balls::round_to_balls;
pub use falling::Falling;
pub use rules::{Rules, RulesError};
pub use search::{Depth, Search};
pub use store::Panels;
pub use weights::{balance, Balance};
