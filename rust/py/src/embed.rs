//! Bindings of the offline embedder: Arrow's buffers in, vectors out as bytes.

use klero_core::embed::state::Fault;
use klero_core::embed::{Model, ALGORITHM, DIMENSION};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::door;
use crate::neardup::{bytes, watched, Chunk, Columns};

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TfidfSvd>()?;
    module.add("EMBED_ALGORITHM", ALGORITHM)?;
    module.add("EMBED_DIMENSION", DIMENSION)
}

/// A fitted model of the offline embedder.
#[pyclass(frozen, module = "klero._native")]
struct TfidfSvd(Model);

#[pymethods]
impl TfidfSvd {
    /// Fits a model to texts, each of which counts once.
    #[staticmethod]
    #[pyo3(signature = (chunks, *, dimension, threads, progress=None))]
    fn fit(
        py: Python<'_>,
        chunks: Vec<Chunk<'_>>,
        dimension: usize,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let texts = Columns::new(&chunks)?;
        let fit = watched(py, progress, threads, |crew| {
            Model::fit(crew, &texts, dimension)
        });
        fit.map(Self)
    }

    /// The vectors of texts: float32 in native order, row by row; zeros for a text without words.
    #[pyo3(signature = (chunks, *, threads, progress=None))]
    fn transform<'py>(
        &self,
        py: Python<'py>,
        chunks: Vec<Chunk<'py>>,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let texts = Columns::new(&chunks)?;
        let vectors = watched(py, progress, threads, |crew| self.0.transform(crew, &texts))?;
        bytes(py, &vectors, |x| x.to_ne_bytes())
    }

    /// The model as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let whole = door::detached(py, |_| self.0.to_bytes())?;
        Ok(PyBytes::new(py, &whole))
    }

    /// SHA-256 of the model, in hexadecimal.
    fn digest(&self, py: Python<'_>) -> PyResult<String> {
        let digest = door::detached(py, |_| self.0.digest())?;
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The model of these bytes; `ValueError` says «version» or «damaged».
    #[staticmethod]
    fn from_bytes(py: Python<'_>, state: &Bound<'_, PyAny>) -> PyResult<Self> {
        let state = Bytes::of(state)?;
        let read = door::detached(py, |_| Model::from_bytes(state.as_slice()))?;
        read.map(Self).map_err(|fault| {
            PyValueError::new_err(match fault {
                Fault::Version => "version",
                Fault::Damaged => "damaged",
            })
        })
    }

    /// Numbers in a vector.
    #[getter]
    fn dimension(&self) -> usize {
        self.0.dimension
    }

    /// Different texts that it was fitted to.
    #[getter]
    fn texts(&self) -> u32 {
        self.0.vocabulary.texts
    }

    /// Features that it knows.
    #[getter]
    fn features(&self) -> usize {
        self.0.vocabulary.len()
    }

    /// The singular values, descending, one for each direction that was learnt.
    #[getter]
    fn singular_values(&self) -> Vec<f64> {
        self.0.singular.clone()
    }
}
