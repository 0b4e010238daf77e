//! What a panel must satisfy: seats in all, seats by cell (one value of one feature), seats by type.

use std::ops::Range;

use crate::random::Random;

/// The quotas and the people, by type. Cells are numbered over all features; a type has one cell of each feature. Types with the same
/// cells (people of different weights) are twins, and stand one after the other.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(crate) size: u32,
    pub(crate) features: usize,
    /// Cell of type `t` for feature `f`, at `t * features + f`.
    cells: Vec<u32>,
    /// The feature that each cell belongs to.
    pub(crate) feature_of: Vec<usize>,
    pub(crate) cell_min: Vec<u32>,
    pub(crate) cell_max: Vec<u32>,
    pub(crate) type_min: Vec<u32>,
    pub(crate) type_max: Vec<u32>,
    /// Zobrist key of each cell; a type's key is the exclusive or of its cells' keys.
    cell_key: Vec<u64>,
    /// Open addressing over the keys' low bits: first twin + 1, or 0 where free. A quarter full at most.
    table: Vec<u32>,
    /// For a first twin, the type after its last one.
    twins_end: Vec<u32>,
}

/// Why rules can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The arrays' lengths don't fit each other, or an index is out of range.
    #[error("the shapes of the types, their bounds and the cells don't fit each other")]
    Shape,
    /// A panel breaks a rule.
    #[error("the panel breaks a quota, a type's bounds or the size")]
    Panel,
}

impl Rules {
    /// Builds rules from each type's cells (one a feature, features in one order), bounds by cell and by type.
    ///
    /// # Errors
    /// [`RulesError::Shape`] when lengths differ, a cell is out of range or twins don't stand together.
    pub fn new(
        size: u32,
        types: &[Vec<u32>],
        cell_bounds: (Vec<u32>, Vec<u32>),
        type_bounds: (Vec<u32>, Vec<u32>),
    ) -> Result<Self, RulesError> {
        let (cell_min, cell_max) = cell_bounds;
        let (type_min, type_max) = type_bounds;
        let features = types.first().map_or(0, Vec::len);
        let fits = cell_min.len() == cell_max.len()
            && type_min.len() == types.len()
            && type_max.len() == types.len()
            && types.iter().all(|t| t.len() == features)
            && types
                .iter()
                .flatten()
                .all(|&c| (c as usize) < cell_min.len());
        if !fits || features == 0 {
            return Err(RulesError::Shape);
        }
        let mut feature_of = vec![0; cell_min.len()];
        for cells in types {
            for (f, &c) in cells.iter().enumerate() {
                feature_of[c as usize] = f;
            }
        }
        let mut mixed = Random::new(0);
        let cell_key: Vec<u64> = cell_min.iter().map(|_| mixed.bits()).collect();
        let mut rules = Self {
            size,
            features,
            cells: types.concat(),
            feature_of,
            cell_min,
            cell_max,
            type_min,
            type_max,
            cell_key,
            table: vec![0; (4 * types.len()).next_power_of_two()],
            twins_end: (1..=types.len() as u32).collect(),
        };
        for (t, cells) in types.iter().enumerate() {
            let key = rules.key_of(cells);
            if let Some(first) = rules.find(key, |f| cells[f]) {
                if rules.twins_end[first as usize] == t as u32 {
                    rules.twins_end[first as usize] += 1;
                    continue;
                }
                return Err(RulesError::Shape);
            }
            let mut slot = key as usize & (rules.table.len() - 1);
            while rules.table[slot] != 0 {
                slot = (slot + 1) & (rules.table.len() - 1);
            }
            rules.table[slot] = t as u32 + 1;
        }
        Ok(rules)
    }

    fn key_of(&self, cells: &[u32]) -> u64 {
        cells.iter().fold(0, |k, &c| k ^ self.cell_key[c as usize])
    }

    /// The first type with this key and these cells.
    fn find(&self, key: u64, cell: impl Fn(usize) -> u32) -> Option<u32> {
        let mut slot = key as usize & (self.table.len() - 1);
        loop {
            let found = self.table[slot].checked_sub(1)?;
            let cells = self.cells_of(found);
            if (0..self.features).all(|f| cells[f] == cell(f)) {
                return Some(found);
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
    }

    /// Number of types.
    #[must_use]
    pub fn types(&self) -> usize {
        self.type_min.len()
    }

    /// The cells of a type, one a feature.
    #[must_use]
    pub fn cells_of(&self, t: u32) -> &[u32] {
        let start = t as usize * self.features;
        &self.cells[start..start + self.features]
    }

    /// The types like `base`, but with the cells of `source` on the features in `mask` (bit f for feature f): none if nobody is so.
    #[must_use]
    pub(crate) fn variants(&self, base: u32, source: u32, mask: u64) -> Range<u32> {
        let (from, to) = (self.cells_of(base), self.cells_of(source));
        let cell = |f: usize| if mask >> f & 1 == 1 { to[f] } else { from[f] };
        let key = (0..self.features).fold(0, |k, f| k ^ self.cell_key[cell(f) as usize]);
        self.find(key, cell)
            .map_or(0..0, |first| first..self.twins_end[first as usize])
    }

    /// The types like `base`, but with this cell for one feature.
    pub(crate) fn with_cell(&self, base: u32, feature: usize, cell: u32) -> Range<u32> {
        let cells = self.cells_of(base);
        let key = self.key_of(cells)
            ^ self.cell_key[cells[feature] as usize]
            ^ self.cell_key[cell as usize];
        self.find(key, |f| if f == feature { cell } else { cells[f] })
            .map_or(0..0, |first| first..self.twins_end[first as usize])
    }

    /// Whether seats by type are a panel that keeps every rule.
    #[must_use]
    pub fn allows(&self, seats: &[u32]) -> bool {
        if seats.len() != self.types()
            || seats.iter().map(|&s| u64::from(s)).sum::<u64>() != u64::from(self.size)
        {
            return false;
        }
        let mut totals = vec![0u32; self.cell_min.len()];
        for (t, &s) in seats.iter().enumerate() {
            if s < self.type_min[t] || s > self.type_max[t] {
                return false;
            }
            for &c in self.cells_of(t as u32) {
                totals[c as usize] += s;
            }
        }
        (0..totals.len()).all(|c| (self.cell_min[c]..=self.cell_max[c]).contains(&totals[c]))
    }
}
