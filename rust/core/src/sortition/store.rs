//! The panels found so far, each once, as sparse columns.

use std::collections::HashMap;

/// Distinct panels in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    types: usize,
    start: Vec<usize>,
    entries: Vec<(u32, u32)>,
    index: HashMap<Vec<(u32, u32)>, usize>,
    /// How often the search came to each panel: the starting weights.
    pub(crate) visits: Vec<u32>,
}

impl Panels {
    /// No panels yet, over so many types.
    #[must_use]
    pub fn new(types: usize) -> Self {
        Self {
            types,
            start: vec![0],
            ..Self::default()
        }
    }

    /// Adds a panel (seats by type) or counts a visit; says where it is and whether it is new.
    pub fn add(&mut self, seats: &[u32]) -> (usize, bool) {
        let column: Vec<(u32, u32)> = seats
            .iter()
            .enumerate()
            .filter(|(_, &s)| s > 0)
            .map(|(t, &s)| (t as u32, s))
            .collect();
        if let Some(&i) = self.index.get(&column) {
            self.visits[i] += 1;
            return (i, false);
        }
        self.entries.extend_from_slice(&column);
        self.start.push(self.entries.len());
        self.index.insert(column, self.visits.len());
        self.visits.push(1);
        (self.visits.len() - 1, true)
    }

    /// Counts one visit for each panel.
    pub fn forget_visits(&mut self) {
        self.visits.fill(1);
    }

    /// Number of distinct panels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.visits.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// Number of types.
    #[must_use]
    pub fn types(&self) -> usize {
        self.types
    }

    /// Panel `i` as (type, seats), types rising.
    #[must_use]
    pub fn panel(&self, i: usize) -> &[(u32, u32)] {
        &self.entries[self.start[i]..self.start[i + 1]]
    }

    /// Panel `i` as seats by type.
    #[must_use]
    pub fn dense(&self, i: usize) -> Vec<u32> {
        let mut seats = vec![0; self.types];
        for &(t, s) in self.panel(i) {
            seats[t as usize] = s;
        }
        seats
    }

    /// Σ_T direction_T · seats_T of panel `i`.
    #[must_use]
    pub fn score(&self, i: usize, direction: &[f64]) -> f64 {
        self.panel(i)
            .iter()
            .map(|&(t, s)| direction[t as usize] * f64::from(s))
            .sum()
    }

    /// Adds `weight` times panel `i` to `totals`.
    pub fn accumulate(&self, i: usize, weight: f64, totals: &mut [f64]) {
        for &(t, s) in self.panel(i) {
            totals[t as usize] += weight * f64::from(s);
        }
    }
}
