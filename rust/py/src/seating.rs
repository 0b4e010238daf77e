//! Bindings of the seating kernels.

use klero_core::seating::{Rules, RulesError, Search, ABSENT};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::door;

/// A search for a seating plan. See `_native.pyi`.
#[pyclass(module = "klero._native")]
struct SeatSearch {
    search: Search,
}

fn value_error(error: RulesError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

#[pymethods]
impl SeatSearch {
    #[new]
    #[pyo3(signature = (tables, present, mixed, clustered, apart, together, most_meetings, seed, moves, least_repeats))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        tables: usize,
        present: Vec<Vec<bool>>,
        mixed: Vec<Vec<usize>>,
        clustered: Vec<Vec<Option<usize>>>,
        apart: Vec<(usize, usize)>,
        together: Vec<Vec<usize>>,
        most_meetings: i64,
        seed: u64,
        moves: u64,
        least_repeats: i64,
    ) -> PyResult<Self> {
        let search = door::detached(py, |_| {
            let mut rules = Rules::new(tables, present, mixed, clustered, &apart, together)?;
            rules.most_meetings = most_meetings;
            Search::new(rules, seed, moves, least_repeats)
        })?;
        Ok(Self {
            search: search.map_err(value_error)?,
        })
    }

    fn run(&mut self, py: Python<'_>, moves: u64) -> PyResult<bool> {
        let search = &mut self.search;
        door::detached(py, |alive| search.run(moves, alive))
    }

    fn progress(&self) -> (u64, u64) {
        self.search.progress()
    }

    fn seats(&self) -> Vec<Vec<Option<usize>>> {
        let seat = |t: &usize| (*t != ABSENT).then_some(*t);
        let plan = self.search.best().iter();
        plan.map(|seats| seats.iter().map(seat).collect()).collect()
    }

    fn cost(&self) -> (i64, i64, i64, i64, i64, i64) {
        let c = self.search.cost();
        (c.apart, c.cluster, c.mix, c.over, c.repeats, c.again)
    }
}

/// Adds this family's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SeatSearch>()
}
