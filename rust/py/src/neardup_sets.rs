//! Bindings for what lies beside the join: the sets of a batch of texts, and the fingerprint of what was compared.

use klero_core::neardup::{batch, digest, Texts};
use klero_core::text::Reading;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::door;
use crate::neardup::{bytes, Chunk, Columns};

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(text_sets, module)?)?;
    module.add_class::<TextsDigest>()
}

type Sets<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// The sets of a chunk's texts.
#[pyfunction]
fn text_sets<'py>(
    py: Python<'py>,
    chunk: Chunk<'py>,
    shingle: u8,
    fold_accents: bool,
) -> PyResult<Sets<'py>> {
    let reading = Reading {
        shingle,
        fold_accents,
    };
    let texts = Columns::new(&[chunk])?;
    let read = door::detached(py, |alive| batch::read(&texts, reading, alive))?;
    Ok((
        bytes(py, &read.shingles, |n| n.to_le_bytes())?,
        bytes(py, &read.sizes, |n| n.to_le_bytes())?,
        bytes(py, &read.sequences, |n| n.to_le_bytes())?,
    ))
}

/// The fingerprint of texts, fed a batch at a time.
#[pyclass(module = "klero._native")]
struct TextsDigest {
    entries: Vec<digest::Entry>,
}

#[pymethods]
impl TextsDigest {
    #[new]
    fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Adds the texts with these ids.
    #[pyo3(signature = (ids, sequences, threads=1))]
    fn add(
        &mut self,
        py: Python<'_>,
        ids: Chunk<'_>,
        sequences: &Bound<'_, PyAny>,
        threads: usize,
    ) -> PyResult<()> {
        let (ids, sequences) = (Columns::new(&[ids])?, Bytes::of(sequences)?);
        let hashes = sequences.as_slice().chunks_exact(16);
        let hashes: Vec<u128> = hashes
            .map(|bytes| u128::from_le_bytes(bytes.try_into().unwrap_or_default()))
            .collect();
        if hashes.len() != ids.len() {
            return Err(PyValueError::new_err("each id needs one hash"));
        }
        let added = door::detached(py, |_| digest::entries(&ids, &hashes, threads))?;
        self.entries.extend(added);
        Ok(())
    }

    /// The fingerprint of all that was added.
    #[pyo3(signature = (head, threads=1))]
    fn digest<'py>(
        &mut self,
        py: Python<'py>,
        head: &[u8],
        threads: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let entries = &mut self.entries;
        let digest = door::detached(py, |_| digest::digest(head, entries, threads))?;
        Ok(PyBytes::new(py, &digest))
    }
}
