//! Under which shingles is a letter found, and which does it ask for?
//!
//! In any one order of all shingles, the smaller of two sets that match shares one of its first *asking* shingles with the first *prefix* of the larger (PPJoin,
//! Xiao et al. 2008); by containment, one of the smaller's prefix with the whole larger. Since either of two letters can be the smaller, each has short and long
//! keys: its short ones ask the shelf of the others' long ones, its long ones that of their short ones.
//!
//! The order is that of the hashes, but shingles of a template that many letters share which yet do not match come last. Such letters then meet
//! only if what is their own meets; without that, each would be compared with each. The move of a shingle changes the keys of those letters alone that have it
//! among theirs, and each moves once. Which have moved depends on the past; what is found does not.

use std::collections::HashSet;

use super::super::measure::{Measure, Rule};

/// Unlike components under one shingle from which on it comes last.
const CROWD: usize = 64;

/// An order of all shingles.
pub struct Order {
    last: HashSet<u64>,
    /// Unlike components that a shingle may have without coming last.
    pub crowd: usize,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            last: HashSet::new(),
            crowd: CROWD,
        }
    }
}

/// The keys of a set.
#[derive(Debug, PartialEq, Eq)]
pub struct Keys {
    pub short: Vec<u64>,
    pub long: Vec<u64>,
}

impl Order {
    /// The keys of a set of shingles, ascending. A set too small to match any other has none.
    pub fn keys(&self, rule: &Rule, set: &[u64]) -> Keys {
        let n = u32::try_from(set.len()).unwrap_or(u32::MAX);
        let (asking, prefix) = (rule.asking(n) as usize, rule.prefix(n) as usize);
        let prefixed = if self.last.is_empty() {
            set[..prefix].to_vec()
        } else {
            let rare = set.iter().filter(|shingle| !self.is_last(**shingle));
            let often = set.iter().filter(|shingle| self.is_last(**shingle));
            rare.chain(often).take(prefix).copied().collect()
        };
        match rule.measure {
            Measure::Jaccard => Keys {
                short: prefixed[..asking.min(prefix)].to_vec(),
                long: prefixed,
            },
            Measure::Containment => Keys {
                long: if prefix > 0 { set.to_vec() } else { Vec::new() },
                short: prefixed,
            },
        }
    }

    /// Whether a shingle comes after those that have not moved.
    pub fn is_last(&self, shingle: u64) -> bool {
        self.last.contains(&shingle)
    }

    /// Moves shingles to the end.
    pub fn move_back(&mut self, shingles: &[u64]) {
        self.last.extend(shingles);
    }
}
