//! Bindings of the tests of timing: columns of numbers in, read where they lie; one tuple a group out.

use klero_core::campaigns::time::{self, Board, Group, Part, Verdict};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::neardup::{bytes, watched};

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(campaigns_time, module)?)?;
    module.add("CAMPAIGNS_TIME_ALGORITHM", time::ALGORITHM)
}

/// Whole numbers of 32 bits in a buffer.
fn whole(object: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    let buffer = Bytes::of(object)?;
    let (numbers, rest) = buffer.as_slice().as_chunks::<4>();
    if rest.is_empty() {
        Ok(numbers
            .iter()
            .map(|four| u32::from_ne_bytes(*four))
            .collect())
    } else {
        Err(PyValueError::new_err(
            "a buffer that is no numbers of 32 bits",
        ))
    }
}

/// Floats of 64 bits in a buffer.
fn floats(object: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let buffer = Bytes::of(object)?;
    let (numbers, rest) = buffer.as_slice().as_chunks::<8>();
    if rest.is_empty() {
        Ok(numbers
            .iter()
            .map(|eight| f64::from_ne_bytes(*eight))
            .collect())
    } else {
        Err(PyValueError::new_err(
            "a buffer that is no numbers of 64 bits",
        ))
    }
}

/// A group: what its random numbers depend on, and its parts, each a pool's number and the members' rows.
type Given<'py> = (u64, Vec<(usize, Bound<'py, PyAny>)>);

/// A test: observed, p, number of null groups, how many as extreme, whether p is a bound, the first draws as float64.
type Told<'py> = (f64, f64, usize, usize, bool, Bound<'py, PyBytes>);

/// A group's three tests; the window: first and last moment, members, how many were expected; seconds of half of the members, and what null groups have; the bound.
type Report<'py> = (
    (Told<'py>, Told<'py>, Told<'py>),
    (u32, u32, usize, f64),
    (f64, f64),
    f64,
);

fn told<'py>(py: Python<'py>, verdict: &Verdict) -> PyResult<Told<'py>> {
    let draws = bytes(py, &verdict.draws, |x| x.to_ne_bytes())?;
    let Verdict {
        observed,
        p,
        count,
        exceed,
        exact,
        ..
    } = *verdict;
    Ok((observed, p, count, exceed, exact, draws))
}

/// Tests the timing of groups. See `_native.pyi`.
#[pyfunction]
#[pyo3(signature = (moment, voice, seconds, pools, groups, *, most, seed, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn campaigns_time<'py>(
    py: Python<'py>,
    moment: &Bound<'py, PyAny>,
    voice: &Bound<'py, PyAny>,
    seconds: &Bound<'py, PyAny>,
    pools: Vec<Bound<'py, PyAny>>,
    groups: Vec<Given<'py>>,
    most: usize,
    seed: u64,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<Report<'py>>> {
    let (moment, voice, seconds) = (whole(moment)?, whole(voice)?, floats(seconds)?);
    let pools = pools.iter().map(whole).collect::<PyResult<Vec<_>>>()?;
    let rows = groups.iter().map(|(key, parts)| {
        let parts = parts.iter().map(|(pool, rows)| Ok((*pool, whole(rows)?)));
        Ok((*key, parts.collect::<PyResult<Vec<_>>>()?))
    });
    let rows = rows.collect::<PyResult<Vec<_>>>()?;
    let board = Board {
        moment: &moment,
        voice: &voice,
        seconds: &seconds,
    };
    let groups = rows.iter().map(|(key, parts)| {
        let parts = parts
            .iter()
            .map(|(pool, members)| pools.get(*pool).map(|pool| Part { pool, members }));
        parts
            .collect::<Option<Vec<_>>>()
            .map(|parts| Group { parts, key: *key })
    });
    let groups = groups
        .collect::<Option<Vec<_>>>()
        .filter(|groups| time::sound(&board, groups));
    let groups =
        groups.ok_or_else(|| PyValueError::new_err("rows, moments or pools that are not there"))?;
    let reports = watched(py, progress, threads, |crew| {
        time::test(crew, &board, &groups, most, seed)
    })?;
    let reports = reports.iter().map(|report| {
        let tests = (
            told(py, &report.scan)?,
            told(py, &report.pace)?,
            told(py, &report.clock)?,
        );
        let window = report.window;
        let window = (window.first, window.last, window.members, window.expected);
        Ok((
            tests,
            window,
            (report.half, report.half_expected),
            report.bound,
        ))
    });
    reports.collect()
}
