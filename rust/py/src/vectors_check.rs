//! Bindings of the check of a matrix: a buffer in, counts and rows out.

use klero_core::vectors::check::{self, Found};
use pyo3::prelude::*;

use crate::borrowed::Bytes;
use crate::neardup::watched;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(vectors_check, module)?)
}

type Counted = (usize, Vec<usize>);

fn counted(found: Found) -> Counted {
    (found.count, found.first)
}

/// What is to be known of a matrix of 32-bit floats before it is used.
#[pyfunction]
#[pyo3(signature = (data, dimension, *, threads))]
fn vectors_check(
    py: Python<'_>,
    data: &Bound<'_, PyAny>,
    dimension: usize,
    threads: usize,
) -> PyResult<(Counted, Counted, usize)> {
    let bytes = Bytes::of(data)?;
    let found = watched(py, None, threads, |crew| {
        check::check(crew, bytes.as_slice(), dimension)
    })?;
    Ok((counted(found.broken), counted(found.zero), found.copies))
}
