//! Given what balls, dice or a beacon showed, who is drawn?
//!
//! Position and panel of a round from its commitment and reveals, and the body of the entry that says so. The balls' number is added to
//! a position from everything else, so that it is uniform if the balls are, and as good as uniform if any other source is. One hash a person.

use num_bigint::BigUint;
use num_traits::ToPrimitive;

use crate::bundle::{Declaration, Panel};
use crate::canonical::Value;
use crate::draw;
use crate::hash::{hex, Digest};
use crate::record::round::People;
use crate::source::Seeds;
use crate::{refuse, Fault};

/// The position among `denominator` balls, and how many numbers were rejected before it.
pub fn position(seeds: &Seeds, denominator: i64) -> Result<(i64, i64), Fault> {
    let m = denominator.unsigned_abs();
    let (x, rejected) = draw::position(&seeds.index, &BigUint::from(m))?;
    let position = (x + seeds.balls.unsigned_abs()) % m;
    match (position.to_i64(), i64::try_from(rejected)) {
        (Some(position), Ok(rejected)) => Ok((position, rejected)),
        _ => refuse!("a position that can't be"),
    }
}

/// A round's lottery, ready to be drawn.
pub struct Lottery<'a> {
    /// The round's rules.
    pub instance: &'a Declaration,
    /// Its people.
    pub people: &'a People,
    /// Its panels, which meet the quotas.
    pub panels: &'a [Panel],
    /// The people of round 0, who are all leaves.
    pub first: &'a People,
    /// All leaves, in their order.
    pub leaves: &'a [Digest],
}

impl Lottery<'_> {
    /// The leaves drawn, rising. The tickets take in c_id: an outsider, who does not have it, can't compute anybody's.
    pub fn panel(&self, position: i64, seed: &Digest) -> Result<Vec<Digest>, Fault> {
        // In round 0 the place of a person is the leaf number.
        let over = |leaf: &usize| [self.leaves[*leaf], self.first.openings[*leaf].c_id].concat();
        let over: Vec<Vec<u8>> = self.people.leaves.iter().map(over).collect();
        let panel = &self.panels[draw::entry(self.panels, position)?];
        let drawn = draw::drawn(self.instance, &self.people.pool, &over, panel, seed)?;
        let leaves = drawn
            .into_iter()
            .map(|i| self.leaves[self.people.leaves[i]]);
        Ok(leaves.collect())
    }
}

/// What the body of a draw's entry says.
pub struct Body<'a> {
    /// R.
    pub round: usize,
    /// Whether the fallback stands in.
    pub fallback: bool,
    /// The leaves drawn, rising.
    pub panel: &'a [Digest],
    /// Position and rejections.
    pub position: (i64, i64),
    /// What the sources showed, as it was given.
    pub reveals: Value,
    /// S.
    pub seed: &'a Digest,
}

impl Body<'_> {
    /// The document.
    pub fn write(self) -> Result<Value, Fault> {
        let round = i64::try_from(self.round).map_err(|e| Fault(e.to_string()))?;
        let panel = self.panel.iter().map(|leaf| Value::Text(hex(leaf)));
        Ok(Value::map([
            (
                "fallback",
                Value::text(if self.fallback { "yes" } else { "no" }),
            ),
            ("panel", Value::List(panel.collect())),
            ("position", Value::Int(self.position.0)),
            ("rejected", Value::Int(self.position.1)),
            ("reveals", self.reveals),
            ("round", Value::Int(round)),
            ("seed", Value::Text(hex(self.seed))),
        ]))
    }
}
