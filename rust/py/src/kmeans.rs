//! Bindings of k-means: a matrix in, read where it lies; centres and labels out as bytes.

use klero_core::vectors::assigned;
use klero_core::vectors::centres::Data;
use klero_core::vectors::kmeans::{self, Options, Refusal};
use klero_core::vectors::tile::Kernel;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::neardup::{bytes, watched};
use crate::vectors::source;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(kmeans_fit, module)?)?;
    module.add_function(wrap_pyfunction!(kmeans_predict, module)?)?;
    module.add_function(wrap_pyfunction!(kmeans_transform, module)?)?;
    module.add_function(wrap_pyfunction!(kmeans_inertia, module)?)?;
    module.add("KMEANS_ALGORITHM", kmeans::ALGORITHM)
}

/// The numbers of centres in a buffer, `dimension` to each.
fn floats(centres: &Bound<'_, PyAny>, dimension: usize) -> PyResult<Vec<f32>> {
    let centres = Bytes::of(centres)?;
    let (numbers, rest) = centres.as_slice().as_chunks::<4>();
    if dimension == 0
        || !rest.is_empty()
        || numbers.is_empty()
        || !numbers.len().is_multiple_of(dimension)
    {
        return Err(PyValueError::new_err("a buffer that is no centres"));
    }
    Ok(numbers
        .iter()
        .map(|four| f32::from_ne_bytes(*four))
        .collect())
}

type Fitted<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, f64, usize, usize);

/// Fits k means. See `_native.pyi`.
#[pyfunction]
#[pyo3(signature = (matrix, rows, dimension, *, k, first, rounds, tolerance, unit, seed, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn kmeans_fit<'py>(
    py: Python<'py>,
    matrix: &Bound<'py, PyAny>,
    rows: usize,
    dimension: usize,
    k: usize,
    first: Option<&Bound<'py, PyAny>>,
    rounds: usize,
    tolerance: f64,
    unit: bool,
    seed: u64,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Fitted<'py>> {
    let matrix = Bytes::of(matrix)?;
    let source = source(&matrix, rows, dimension)?;
    let first = first.map(|first| floats(first, dimension)).transpose()?;
    let wrong = first
        .as_ref()
        .is_some_and(|first| first.len() / dimension != k);
    if k == 0 || wrong {
        return Err(PyValueError::new_err("no k centres"));
    }
    let options = Options {
        k,
        rounds,
        tolerance,
        seed,
        first,
    };
    let data = Data {
        source: &source,
        unit,
    };
    let found = watched(py, progress, threads, |crew| {
        match kmeans::fit(crew, Kernel::best(), &data, &options) {
            Err(Refusal::Stopped) => None,
            found => Some(found),
        }
    })?;
    let found = found.map_err(|refusal| match refusal {
        Refusal::Few(distinct) => PyKeyError::new_err(distinct),
        _ => PyValueError::new_err("an entry is not finite"),
    })?;
    Ok((
        bytes(py, &found.centres, |x| x.to_ne_bytes())?,
        bytes(py, &found.labels, |x| i64::from(*x).to_ne_bytes())?,
        found.inertia,
        found.rounds,
        found.again,
    ))
}

/// The nearest centre of each row. See `_native.pyi`.
#[pyfunction]
#[pyo3(signature = (matrix, rows, dimension, centres, *, unit, threads))]
fn kmeans_predict<'py>(
    py: Python<'py>,
    matrix: &Bound<'py, PyAny>,
    rows: usize,
    dimension: usize,
    centres: &Bound<'py, PyAny>,
    unit: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let matrix = Bytes::of(matrix)?;
    let source = &source(&matrix, rows, dimension)?;
    let (data, centres) = (Data { source, unit }, floats(centres, dimension)?);
    let labels = watched(py, None, threads, |crew| {
        assigned::predict(crew, Kernel::best(), &data, centres)
    })?;
    bytes(py, &labels, |x| i64::from(*x).to_ne_bytes())
}

/// The distances of each row to all centres. See `_native.pyi`.
#[pyfunction]
#[pyo3(signature = (matrix, rows, dimension, centres, *, unit, threads))]
fn kmeans_transform<'py>(
    py: Python<'py>,
    matrix: &Bound<'py, PyAny>,
    rows: usize,
    dimension: usize,
    centres: &Bound<'py, PyAny>,
    unit: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let matrix = Bytes::of(matrix)?;
    let source = &source(&matrix, rows, dimension)?;
    let (data, centres) = (Data { source, unit }, floats(centres, dimension)?);
    let far = watched(py, None, threads, |crew| {
        assigned::distances(crew, &data, &centres)
    })?;
    bytes(py, &far, |x| x.to_ne_bytes())
}

/// The sum of squared distances to the nearest centres. See `_native.pyi`.
#[pyfunction]
#[pyo3(signature = (matrix, rows, dimension, centres, *, unit, threads))]
fn kmeans_inertia(
    py: Python<'_>,
    matrix: &Bound<'_, PyAny>,
    rows: usize,
    dimension: usize,
    centres: &Bound<'_, PyAny>,
    unit: bool,
    threads: usize,
) -> PyResult<f64> {
    let matrix = Bytes::of(matrix)?;
    let source = &source(&matrix, rows, dimension)?;
    let (data, centres) = (Data { source, unit }, floats(centres, dimension)?);
    watched(py, None, threads, |crew| {
        assigned::inertia(crew, Kernel::best(), &data, centres)
    })
}
