//! Bindings of the baselines: the greedy draw, and counts of panels.

use klero_core::sortition::counting::{Counts, Members};
use klero_core::sortition::drawing::{tally, DrawError, Order, Tally};
use klero_core::sortition::legacy::{Greedy, Surplus};
use klero_core::sortition::shuffle::{Limits, Packets};
use klero_core::sortition::states::{Class, States};
use klero_core::sortition::stream::Stream;
use klero_core::sortition::whole::{words_needed, WholeCounts};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::door;

/// Draws by person, failed attempts, panels if kept; or the draw that failed too often.
type Drawn = (Vec<u64>, u64, Vec<Vec<u32>>, Option<u64>);
type Bounds = (Vec<u32>, Vec<u32>);

fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn interrupted() -> PyErr {
    PyKeyboardInterrupt::new_err("interrupted")
}

fn drawn(result: Result<Tally, DrawError>) -> PyResult<Drawn> {
    match result {
        Ok(t) => Ok((t.hits, t.restarts, t.panels, None)),
        Err(DrawError::Stuck { draw, .. }) => Ok((Vec::new(), 0, Vec::new(), Some(draw))),
        Err(DrawError::Interrupted) => Err(interrupted()),
    }
}

/// The greedy draw, many times.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn greedy_draws(
    py: Python<'_>,
    size: u32,
    people: Vec<Vec<u32>>,
    cell_bounds: Bounds,
    key: [u8; 32],
    draws: (u64, u64),
    most_attempts: u64,
    threads: usize,
    keep: bool,
    surplus_is_zero: bool,
    passive: Vec<bool>,
) -> PyResult<Drawn> {
    let surplus = if surplus_is_zero {
        Surplus::Zero
    } else {
        Surplus::Negative
    };
    let (lo, hi) = &cell_bounds;
    let greedy = Greedy::new(size, &people, (lo, hi), surplus, passive).map_err(value_error)?;
    let order = Order {
        key: &key,
        first: draws.0,
        draws: draws.1,
        most_attempts,
        threads,
        keep,
    };
    drawn(door::detached(py, |alive| {
        tally(&|| greedy.board(), people.len(), order, alive)
    })?)
}

/// Random exchanges between packets of balls.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn shuffled(
    py: Python<'_>,
    size: u32,
    types: Vec<Vec<u32>>,
    cell_bounds: Bounds,
    people: Vec<u32>,
    packets: (Vec<Vec<u32>>, Vec<u64>),
    key: [u8; 32],
    steps: (u64, u64),
) -> PyResult<(Vec<Vec<u32>>, u64)> {
    let (cell_min, cell_max) = cell_bounds;
    let rules = Limits {
        size,
        types,
        cell_min,
        cell_max,
        people,
    };
    let (panels, balls) = packets;
    let mut packets = Packets::new(rules, &panels, &balls).map_err(value_error)?;
    let made = door::detached(py, |alive| {
        packets.shuffle(&mut Stream::new(&key, 0), steps.0, steps.1, alive)
    })?;
    let made = made.ok_or_else(interrupted)?;
    Ok((packets.panels().iter().map(|p| p.to_vec()).collect(), made))
}

/// Counts panels. See `_native.pyi`.
#[pyclass(module = "klero._native")]
struct PanelCounter {
    states: States,
    counts: Option<WholeCounts>,
}

#[pymethods]
impl PanelCounter {
    #[new]
    fn new(
        size: u32,
        features: Vec<Vec<u32>>,
        cell_bounds: Bounds,
        classes: Vec<(Vec<u32>, u32)>,
    ) -> PyResult<Self> {
        let classes = classes
            .into_iter()
            .map(|(cells, people)| Class { cells, people })
            .collect();
        let states = States::new(size, features, cell_bounds, classes)
            .ok_or_else(|| value_error("the classes, features and bounds don't fit each other"))?;
        Ok(Self {
            states,
            counts: None,
        })
    }

    fn cost(&self) -> Option<(u128, u128)> {
        self.states.cost()
    }

    fn words(&self, most: u32) -> Option<u32> {
        words_needed(self.states.people(), self.states.size(), most)
    }

    fn build(&mut self, py: Python<'_>, weights: Vec<u32>) -> PyResult<()> {
        self.expect(weights.len())?;
        let states = self.states.clone();
        let built = door::detached(py, |alive| WholeCounts::build(states, weights, alive))?;
        self.counts = Some(built.map_err(value_error)?.ok_or_else(interrupted)?);
        Ok(())
    }

    fn number<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.built()?.number().to_bytes_be()))
    }

    fn occupancy<'py>(&self, py: Python<'py>) -> PyResult<Vec<Vec<Bound<'py, PyBytes>>>> {
        let counts = self.built()?;
        let all = door::detached(py, |alive| counts.occupancy(alive))?.ok_or_else(interrupted)?;
        Ok(all
            .iter()
            .map(|row| {
                row.iter()
                    .map(|n| PyBytes::new(py, &n.to_bytes_be()))
                    .collect()
            })
            .collect())
    }

    fn expect_seats(
        &self,
        py: Python<'_>,
        weights: Vec<f64>,
    ) -> PyResult<Option<(f64, Vec<Vec<f64>>)>> {
        self.expect(weights.len())?;
        let states = self.states.clone();
        let found = door::detached(py, |alive| {
            let counts = Counts::<f64>::build(states, weights, alive)?;
            let around = counts.occupancy(alive)?;
            Some(counts.total().map(|&total| (total, around)))
        })?;
        found.ok_or_else(interrupted)
    }

    #[allow(clippy::too_many_arguments)]
    fn draw(
        &self,
        py: Python<'_>,
        members: Vec<Vec<u32>>,
        left_out: (Vec<u32>, Vec<Vec<u32>>, Bounds),
        key: [u8; 32],
        draws: (u64, u64),
        most_attempts: u64,
        threads: usize,
        keep: bool,
    ) -> PyResult<Drawn> {
        self.expect(members.len())?;
        let counts = self.built()?;
        let (rest, cells, (lo, hi)) = left_out;
        let members = Members {
            people: members,
            cells,
            rest,
            lo,
            hi,
        };
        let order = Order {
            key: &key,
            first: draws.0,
            draws: draws.1,
            most_attempts,
            threads,
            keep,
        };
        drawn(door::detached(py, |alive| {
            counts.tally(&members, order, alive)
        })?)
    }
}

impl PanelCounter {
    fn built(&self) -> PyResult<&WholeCounts> {
        self.counts
            .as_ref()
            .ok_or_else(|| value_error("build the counts first"))
    }

    fn expect(&self, length: usize) -> PyResult<()> {
        let classes = self.states.classes();
        if length == classes {
            return Ok(());
        }
        Err(value_error(format!(
            "{classes} entries are expected, {length} are given"
        )))
    }
}

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PanelCounter>()?;
    module.add_function(wrap_pyfunction!(shuffled, module)?)?;
    module.add_function(wrap_pyfunction!(greedy_draws, module)?)
}
