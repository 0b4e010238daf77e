//! Bindings of the tightness of groups of texts: vectors, pools and groups in, energies out.

use klero_core::campaigns::tightness::{self, Group, Pool, Unfit, Vectors};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::neardup::{bytes, watched};

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CAMPAIGNS_LARGEST", tightness::LARGEST)?;
    module.add_function(wrap_pyfunction!(campaigns_tightness, module)?)
}

type Given = (Vec<u32>, Vec<u32>);

/// The energy of each group and of its null groups.
#[pyfunction]
#[pyo3(signature = (vectors, dimension, pools, groups, draws, *, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn campaigns_tightness<'py>(
    py: Python<'py>,
    vectors: &Bound<'py, PyAny>,
    dimension: usize,
    pools: Vec<Given>,
    groups: Vec<(usize, Vec<u32>, u64)>,
    draws: usize,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let vectors = Bytes::of(vectors)?;
    let numbers: Vec<i16> = vectors
        .as_slice()
        .chunks_exact(2)
        .map(|two| i16::from_ne_bytes([two[0], two[1]]))
        .collect();
    let matrix = Vectors {
        numbers: &numbers,
        dimension,
    };
    let pools: Vec<_> = pools
        .iter()
        .map(|(rows, classes)| Pool { rows, classes })
        .collect();
    let groups: Vec<_> = groups
        .iter()
        .map(|(pool, members, seed)| Group {
            pool: *pool,
            members,
            seed: *seed,
        })
        .collect();
    let found = watched(py, progress, threads, |crew| {
        tightness::energies(&matrix, &pools, &groups, draws, crew).transpose()
    })?;
    let found = found.map_err(|unfit| {
        PyValueError::new_err(match unfit {
            Unfit::Outside => "rows, classes, members or pools that are not there",
            Unfit::Large => "numbers that are too large",
        })
    })?;
    let observed: Vec<i64> = found.iter().map(|one| one.observed).collect();
    let drawn: Vec<i64> = found.into_iter().flat_map(|one| one.drawn).collect();
    Ok((
        bytes(py, &observed, |e| e.to_ne_bytes())?,
        bytes(py, &drawn, |e| e.to_ne_bytes())?,
    ))
}
