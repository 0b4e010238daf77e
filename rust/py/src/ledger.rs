//! Bindings of the ledger kernels: bytes in, bytes out. What a kernel refuses becomes `klero.errors.BundleError`.

use std::collections::BTreeMap;

use klero_ledger::{canonical, hash, verify as checks, Fault};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::door;

type Files = BTreeMap<String, Vec<u8>>;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(canonical_check, module)?)?;
    module.add_function(wrap_pyfunction!(seq_hash, module)?)?;
    module.add_function(wrap_pyfunction!(merkle_root, module)?)?;
    module.add_function(wrap_pyfunction!(pool_leaves, module)?)?;
    module.add_function(wrap_pyfunction!(commitment_file, module)?)?;
    module.add_function(wrap_pyfunction!(draw_file, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)
}

pub fn refused<T>(py: Python<'_>, result: Result<T, Fault>) -> PyResult<T> {
    result.map_err(|Fault(reason)| {
        let class = py
            .import("klero.errors")
            .and_then(|errors| errors.getattr("BundleError"));
        match class.and_then(|class| class.call1((reason,))) {
            Ok(error) => PyErr::from_value(error),
            Err(missing) => missing,
        }
    })
}

/// Raises `BundleError` unless the bytes are canonical JSON.
#[pyfunction]
fn canonical_check(py: Python<'_>, data: Vec<u8>) -> PyResult<()> {
    refused(
        py,
        door::detached(py, |_| canonical::parse(&data).map(|_| ()))?,
    )
}

/// The labelled hash of a list of byte strings.
#[pyfunction]
fn seq_hash<'py>(
    py: Python<'py>,
    label: String,
    items: Vec<Vec<u8>>,
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(
        py,
        &door::detached(py, |_| hash::seq(&label, &items))?,
    ))
}

/// The RFC 9162 root over these leaves, in this order.
#[pyfunction]
fn merkle_root(py: Python<'_>, leaves: Vec<Vec<u8>>) -> PyResult<Bound<'_, PyBytes>> {
    Ok(PyBytes::new(
        py,
        &door::detached(py, |_| hash::merkle_root(&leaves))?,
    ))
}

/// The leaf of each person, in the pool's order.
#[pyfunction]
fn pool_leaves(
    py: Python<'_>,
    declaration: Vec<u8>,
    pool: Vec<u8>,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let leaves = refused(
        py,
        door::detached(py, |_| checks::pool_leaves(&declaration, &pool))?,
    )?;
    Ok(leaves.iter().map(|leaf| PyBytes::new(py, leaf)).collect())
}

/// The bytes of commitment.json for the four files that it seals.
#[pyfunction]
fn commitment_file(py: Python<'_>, files: Files) -> PyResult<Bound<'_, PyBytes>> {
    let bytes = refused(py, door::detached(py, |_| checks::commitment_file(&files))?)?;
    Ok(PyBytes::new(py, &bytes))
}

/// The bytes of draw.json for a trial's text.
#[pyfunction]
fn draw_file(py: Python<'_>, files: Files, seed_text: String) -> PyResult<Bound<'_, PyBytes>> {
    let bytes = refused(
        py,
        door::detached(py, |_| checks::draw_file(&files, &seed_text))?,
    )?;
    Ok(PyBytes::new(py, &bytes))
}

/// Name, outcome and detail of every check.
#[pyfunction]
fn verify(py: Python<'_>, files: Files) -> PyResult<Vec<(&'static str, bool, String)>> {
    let checks = door::detached(py, |_| checks::verify(&files))?;
    Ok(checks
        .into_iter()
        .map(|check| (check.name, check.ok, check.detail))
        .collect())
}
