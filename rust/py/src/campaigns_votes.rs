//! Bindings of the search for groups of accounts that vote by one script: votes in, groups out.

use klero_core::campaigns::ballots::{Ballots, Unfit};
use klero_core::campaigns::surprise::{Judged, DEVIATING};
use klero_core::campaigns::vote_search;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::borrowed::Bytes;
use crate::neardup::watched;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(campaigns_scripts, module)?)?;
    module.add_function(wrap_pyfunction!(campaigns_script_of, module)?)
}

/// Whole numbers of a buffer.
pub fn numbers(buffer: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    let buffer = Bytes::of(buffer)?;
    let (four, rest) = buffer.as_slice().as_chunks::<4>();
    if rest.is_empty() {
        Ok(four
            .iter()
            .map(|bytes| u32::from_ne_bytes(*bytes))
            .collect())
    } else {
        Err(PyValueError::new_err(
            "a buffer that holds no 32-bit numbers",
        ))
    }
}

/// The votes of three buffers.
pub fn ballots(
    size: (usize, usize),
    voter: &Bound<'_, PyAny>,
    item: &Bound<'_, PyAny>,
    choice: &Bound<'_, PyAny>,
) -> PyResult<Ballots> {
    let (voter, item, choice) = (numbers(voter)?, numbers(item)?, Bytes::of(choice)?);
    Ballots::new(size.0, size.1, &voter, &item, choice.as_slice()).map_err(|unfit| {
        PyValueError::new_err(match unfit {
            Unfit::Outside => "voters, items or choices that are not there",
            Unfit::Twice => "two votes of one voter on one item",
            Unfit::Many => "too many votes",
        })
    })
}

type Script = (Vec<u32>, f64, Vec<f64>, f64);

/// Groups of accounts, and how surprising they are. See `_native.pyi`.
#[pyfunction]
#[pyo3(signature = (size, voter, item, choice, *, cells, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn campaigns_scripts(
    py: Python<'_>,
    size: (usize, usize),
    voter: &Bound<'_, PyAny>,
    item: &Bound<'_, PyAny>,
    choice: &Bound<'_, PyAny>,
    cells: usize,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Vec<Script>, (usize, usize))> {
    let ballots = ballots(size, voter, item, choice)?;
    let found = watched(py, progress, threads, |crew| {
        vote_search::search(crew, &ballots, cells)
    })?;
    Ok((found.groups.into_iter().map(script).collect(), found.work))
}

fn script(group: Judged) -> Script {
    let deviating = DEVIATING[group.deviating];
    (group.members, group.evidence, group.own, deviating)
}

/// How surprising groups are that are given. See `_native.pyi`.
#[pyfunction]
#[pyo3(signature = (size, voter, item, choice, groups, *, cells, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn campaigns_script_of(
    py: Python<'_>,
    size: (usize, usize),
    voter: &Bound<'_, PyAny>,
    item: &Bound<'_, PyAny>,
    choice: &Bound<'_, PyAny>,
    mut groups: Vec<Vec<u32>>,
    cells: usize,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<Script>> {
    let ballots = ballots(size, voter, item, choice)?;
    for group in &mut groups {
        group.sort_unstable();
        group.dedup();
        if group.last().is_some_and(|last| *last as usize >= size.0) {
            return Err(PyValueError::new_err("a voter that is not there"));
        }
    }
    let found = watched(py, progress, threads, |crew| {
        vote_search::weigh(crew, &ballots, cells, &groups)
    })?;
    Ok(found.into_iter().map(script).collect())
}
