//! Bindings of the sortition kernels.

use klero_core::sortition::{balance, round_to_balls, Depth, Falling, Panels, Rules, Search};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

use crate::door;

/// Weights, residual, missing seats by type, prices by type.
type Balanced = (Vec<f64>, f64, Vec<f64>, Vec<f64>);

/// Types tried as newcomers when a single direction is followed.
const TOWARD_BREADTH: usize = 128;

/// Panels found so far and the search that finds more. See `_native.pyi`.
#[pyclass(module = "klero._native")]
struct PanelSearch {
    search: Search,
    panels: Panels,
    owed: Vec<f64>,
    depth: Depth,
    falling: Option<Falling>,
}

fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

impl PanelSearch {
    /// Whether a list has one entry for each of so many types or panels.
    fn expect(length: usize, expected: usize, what: &str) -> PyResult<()> {
        if length == expected {
            return Ok(());
        }
        Err(PyValueError::new_err(format!(
            "{what}: {expected} numbers are expected, {length} are given"
        )))
    }
}

#[pymethods]
impl PanelSearch {
    #[new]
    fn new(
        size: u32,
        types: Vec<Vec<u32>>,
        cell_bounds: (Vec<u32>, Vec<u32>),
        type_bounds: (Vec<u32>, Vec<u32>),
        start: Vec<u32>,
    ) -> PyResult<Self> {
        let rules = Rules::new(size, &types, cell_bounds, type_bounds).map_err(value_error)?;
        let search = Search::new(rules, &start).map_err(value_error)?;
        let mut panels = Panels::new(types.len());
        panels.add(&start);
        Ok(Self {
            search,
            panels,
            owed: vec![0.0; types.len()],
            depth: Depth::Pair,
            falling: None,
        })
    }

    fn __len__(&self) -> usize {
        self.panels.len()
    }

    fn herd(
        &mut self,
        py: Python<'_>,
        target: Vec<f64>,
        count: usize,
        breadth: usize,
        deep: bool,
    ) -> PyResult<()> {
        Self::expect(target.len(), self.panels.types(), "target")?;
        if deep {
            self.depth = Depth::Triple;
        }
        let Self {
            search,
            panels,
            owed,
            depth,
            ..
        } = self;
        door::detached(py, |_| {
            search.herd(&target, owed, count, breadth, *depth, panels)
        })
    }

    fn forget(&mut self) {
        self.owed.fill(0.0);
        self.panels.forget_visits();
    }

    fn toward(&mut self, py: Python<'_>, direction: Vec<f64>) -> PyResult<bool> {
        Self::expect(direction.len(), self.panels.types(), "direction")?;
        let Self { search, panels, .. } = self;
        door::detached(py, |_| {
            search.improve(&direction, TOWARD_BREADTH, Depth::Pair, 4);
            panels.add(search.panel()).1
        })
    }

    fn add(&mut self, panel: Vec<u32>) -> PyResult<bool> {
        self.search.restart(&panel).map_err(value_error)?;
        Ok(self.panels.add(&panel).1)
    }

    fn balance(
        &self,
        py: Python<'_>,
        target: Vec<f64>,
        tolerance: f64,
        steps: usize,
    ) -> PyResult<Balanced> {
        Self::expect(target.len(), self.panels.types(), "target")?;
        let b = door::detached(py, |alive| {
            balance(&self.panels, &target, tolerance, steps, alive)
        })?;
        Ok((b.weights, b.residual, b.missing, b.prices))
    }

    fn balls(
        &mut self,
        py: Python<'_>,
        weights: Vec<f64>,
        target: Vec<f64>,
        people: Vec<u32>,
        balls: u64,
    ) -> PyResult<Vec<u64>> {
        Self::expect(target.len(), self.panels.types(), "target")?;
        Self::expect(people.len(), self.panels.types(), "people")?;
        Self::expect(weights.len(), self.panels.len(), "weights")?;
        let Self {
            search,
            panels,
            depth,
            ..
        } = self;
        door::detached(py, |_| {
            round_to_balls(search, panels, &weights, &target, &people, balls, *depth)
        })
    }

    fn deal(
        &mut self,
        py: Python<'_>,
        target: Vec<f64>,
        balls: u64,
        divisor: u64,
        count: usize,
    ) -> PyResult<(u64, u64)> {
        Self::expect(target.len(), self.panels.types(), "target")?;
        let Self {
            search,
            panels,
            falling,
            ..
        } = self;
        let falling =
            falling.get_or_insert_with(|| Falling::new(balls, divisor, search.rules(), &target));
        door::detached(py, |alive| {
            falling.deal(search, panels, &target, count, alive);
            (falling.left(), falling.stuck())
        })
    }

    fn dealt(&self) -> (Vec<u64>, Vec<f64>) {
        let (mut balls, owed) = self
            .falling
            .as_ref()
            .map_or((Vec::new(), vec![0.0; self.panels.types()]), |falling| {
                (falling.balls().to_vec(), falling.owed().to_vec())
            });
        balls.resize(self.panels.len(), 0);
        (balls, owed)
    }

    fn seated(&self) -> Vec<bool> {
        let mut seated = vec![false; self.panels.types()];
        for i in 0..self.panels.len() {
            for &(t, _) in self.panels.panel(i) {
                seated[t as usize] = true;
            }
        }
        seated
    }

    fn panel(&self, index: usize) -> PyResult<Vec<(u32, u32)>> {
        if index < self.panels.len() {
            Ok(self.panels.panel(index).to_vec())
        } else {
            Err(PyIndexError::new_err("there is no such panel"))
        }
    }
}

/// Adds this family's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PanelSearch>()
}
