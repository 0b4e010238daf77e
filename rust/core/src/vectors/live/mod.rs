//! Does what somebody says right now belong to a theme, or is it new? Themes that grow as contributions come.
//!
//! Each row is answered at once ([`state`]): it joins the most alike group whose own limit it reaches ([`spread`]), or founds one. Now and then all is looked at together ([`consolidate`]); groups keep their
//! ids through that ([`identity`]), and a facilitator's links and names hold ([`links`]).
//!
//! Method: exact sums of rows on a sphere, leader clustering (Hartigan 1975) with a limit of each group's own, and average linkage of what came, as in the batch engine; two tiers, as in CluStream (Aggarwal et al.
//! 2003). Guarantees: a function of the sequence of calls (rows, links, names, and at which contribution a consolidation began and ended), the same on every platform and for
//! every way of cutting it into batches; every row is in one group; ids are never reused.
//! Cost of a row: one dot product with each group's mean; memory: two bytes a number and 20 a row, and about 10 bytes a number a group with two members or more.

pub mod condense;
pub mod consolidate;
pub mod frame;
pub mod gather;
pub mod identity;
pub mod links;
pub mod parts;
pub mod rows;
pub mod scan;
pub mod spread;
pub mod state;
pub mod view;
pub mod words;

use std::collections::BTreeSet;

use super::sphere::Sphere;
use frame::Frame;
use links::Link;
use rows::Store;
use state::{Placed, State};

/// Name and version of what is computed; any other group or number is a new version.
pub const ALGORITHM: &str = "klero-live/1";
/// Contributions that fit: sums over all pairs of these are exact.
pub const MOST: usize = 1 << 20;

/// Why a row can't be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A float is infinite or no number.
    NotFinite,
    /// It is zero, so it points nowhere.
    Zero,
    /// There are [`MOST`] already.
    Full,
}

/// Themes, and all that is known of them.
#[derive(Clone, Debug)]
pub struct Live {
    store: Store,
    state: State,
    unit: Sphere,
    dimension: usize,
    granularity: f64,
    links: Vec<Link>,
    named: BTreeSet<u32>,
    /// The next id.
    next: u32,
    /// Consolidations so far.
    round: u32,
    /// Acts of the facilitator so far.
    turn: u64,
}

/// Where a contribution was put, in words that outlive the next consolidation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answer {
    /// The id of its theme.
    pub id: u32,
    /// All else.
    pub placed: Placed,
    /// The id and similarity of the next best (see [`Placed::second`]).
    pub second: Option<(u32, i32)>,
}

impl Answer {
    /// How far it is from what is usual in the theme, in that theme's deviations: above [`spread::NOVELTY`] it is new there. None where nothing is known of a theme's deviations.
    #[must_use]
    pub fn novelty(&self) -> Option<f64> {
        let (mean, deviation) = self.placed.usual;
        (deviation > 0.0).then(|| (mean - f64::from(self.placed.similarity)) / deviation)
    }

    /// How sure it is, from 0 to 1: by how many of the theme's deviations (1 and more is 1) the answer would have to change before it is another one: another theme, or none, or, of what is new, one.
    #[must_use]
    pub fn sureness(&self) -> f64 {
        let placed = &self.placed;
        if placed.copy || (placed.new && placed.second.is_none()) {
            return 1.0;
        }
        let limit = f64::from(placed.limit);
        let similarity = f64::from(placed.similarity);
        let margin = if placed.new {
            limit - similarity
        } else {
            let second = placed.second.map_or(limit, |(_, second)| f64::from(second));
            similarity - second.max(limit)
        };
        let (_, deviation) = placed.usual;
        let share = if deviation > 0.0 {
            margin / deviation
        } else {
            f64::from(u8::from(margin > 0.0))
        };
        share.clamp(0.0, 1.0)
    }
}

impl Live {
    /// No contributions; vectors of this dimension, themes cut at this share of the way from chance to the nearest (see [`frame`]).
    #[must_use]
    pub fn new(dimension: usize, granularity: f64) -> Self {
        let unit = Sphere::at(vec![0.0; dimension], 0.0);
        let width = unit.width();
        Self {
            store: Store::new(width),
            state: State::new(Frame::new(width), width),
            unit,
            dimension,
            granularity,
            links: Vec::new(),
            named: BTreeSet::new(),
            next: 1,
            round: 0,
            turn: 0,
        }
    }

    /// Numbers in a vector.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Contributions so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.rows().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Links in force, in their order.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// A vector of 32-bit floats, as bytes, at unit length and rounded; None if it is zero.
    #[must_use]
    pub fn rounded(&self, vector: &[u8]) -> Option<Vec<i16>> {
        let mut row = vec![0; self.unit.width()];
        self.unit.round(vector, &mut row);
        row.iter().any(|x| *x != 0).then_some(row)
    }

    /// The first of some vectors that can't be added, and why.
    #[must_use]
    pub fn unfit(&self, vectors: &[u8]) -> Option<(usize, Unfit)> {
        let rows = vectors.chunks_exact(self.dimension * 4);
        if self.len() + rows.len() > MOST {
            return Some((MOST - self.len(), Unfit::Full));
        }
        let fault = |row: &[u8]| {
            let mut floats = row
                .chunks_exact(4)
                .filter_map(|four| four.try_into().ok().map(f32::from_ne_bytes));
            if floats.any(|x| !x.is_finite()) {
                Some(Unfit::NotFinite)
            } else {
                self.rounded(row).is_none().then_some(Unfit::Zero)
            }
        };
        rows.enumerate()
            .find_map(|(at, row)| fault(row).map(|why| (at, why)))
    }

    /// Puts one more contribution where it belongs. The vector's floats are finite.
    ///
    /// # Errors
    /// The vector is zero, or there are too many contributions already; nothing has changed.
    pub fn add(&mut self, vector: &[u8]) -> Result<Answer, Unfit> {
        if self.len() >= MOST {
            return Err(Unfit::Full);
        }
        let row = self.rounded(vector).ok_or(Unfit::Zero)?;
        let at = self.len();
        self.store.push(&row);
        let first = self.store.first().get(at).copied().unwrap_or_default();
        let placed = self.state.place(&row, first, self.next);
        self.next += u32::from(placed.new);
        let id = |group: u32| self.state.groups.get(group as usize).map_or(0, |g| g.id);
        Ok(Answer {
            id: id(placed.group),
            placed,
            second: placed
                .second
                .map(|(group, similarity)| (id(group), similarity)),
        })
    }

    /// Says whether a theme has a name of its own; false if there is no such theme.
    pub fn set_named(&mut self, id: u32, named: bool) -> bool {
        if !self.state.groups.iter().any(|group| group.id == id) {
            return false;
        }
        self.turn += 1;
        if named {
            self.named.insert(id);
        } else {
            self.named.remove(&id);
        }
        true
    }
}

#[cfg(test)]
mod tests;
