//! Bindings of themes: a matrix in, a fit that can be cut again and again.

use klero_core::neardup::crew::Crew;
use klero_core::vectors::engine::{self, Engine, Options, Refusal};
use klero_core::vectors::flat::Flat;
use klero_core::vectors::linkage::TOGETHER;
use klero_core::vectors::parts::{kind, parts};
use klero_core::vectors::points::On;
use klero_core::vectors::Rows;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::borrowed::Bytes;
use crate::neardup::{bytes, watched};
use crate::vectors::source;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ThemeTree>()?;
    module.add_function(wrap_pyfunction!(themes_fit, module)?)?;
    module.add("THEMES_ALGORITHM", engine::ALGORITHM)?;
    module.add("THEMES_TOGETHER", TOGETHER)
}

/// A fit. See `_native.pyi`.
#[pyclass(module = "klero._native", frozen)]
pub struct ThemeTree {
    matrix: Bytes,
    rows: usize,
    dimension: usize,
    engine: Engine,
}

#[pymethods]
impl ThemeTree {
    #[getter]
    fn mean<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, self.engine.sphere.mean(), |x| x.to_ne_bytes())
    }

    #[getter]
    fn kept(&self) -> (usize, f64) {
        self.engine.kept
    }

    #[getter]
    fn point<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, &self.engine.points.of_row, |x| x.to_ne_bytes())
    }

    #[getter]
    fn merges<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
    )> {
        let tree = &self.engine.tree;
        let pairs: Vec<[u32; 2]> = tree.merges().iter().map(|m| [m.a, m.b]).collect();
        Ok((
            bytes(py, pairs.as_flattened(), |x| x.to_ne_bytes())?,
            bytes(py, tree.merges(), |m| m.link.to_ne_bytes())?,
            bytes(py, tree.sizes(), |x| x.to_ne_bytes())?,
        ))
    }

    #[getter]
    fn levels(&self) -> Vec<(i32, i64)> {
        let levels = self.engine.tree.levels().into_iter();
        levels.map(|l| (l.link, l.persistence)).collect()
    }

    #[pyo3(signature = (link, *, minority, threads, progress=None))]
    fn kinds(
        &self,
        py: Python<'_>,
        link: i32,
        minority: bool,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<[usize; 3]> {
        watched(py, progress, threads, |crew| {
            let groups = self.engine.cut(crew, link, minority)?;
            Some(self.engine.kinds(&groups))
        })
    }

    #[pyo3(signature = (themes, *, minority, threads, progress=None))]
    fn cut_for(
        &self,
        py: Python<'_>,
        themes: usize,
        minority: bool,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(i32, usize)> {
        watched(py, progress, threads, |crew| {
            self.engine.cut_for(crew, themes, minority)
        })
    }

    #[pyo3(signature = (link, *, minority, threads, progress=None))]
    fn cut<'py>(
        &self,
        py: Python<'py>,
        link: i32,
        minority: bool,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let source = source(&self.matrix, self.rows, self.dimension)?;
        let on = On {
            source: &source,
            sphere: &self.engine.sphere,
            points: &self.engine.points,
        };
        let found = watched(py, progress, threads, |crew| {
            let groups = self.engine.cut(crew, link, minority)?;
            parts(crew, &on, &groups)
        })?;
        let result = PyDict::new(py);
        result.set_item("labels", bytes(py, &found.labels, |x| x.to_ne_bytes())?)?;
        result.set_item("sizes", bytes(py, &found.sizes, |x| x.to_ne_bytes())?)?;
        result.set_item("kinds", bytes(py, &found.sizes, |size| [kind(*size)])?)?;
        result.set_item("fit", bytes(py, &found.fit, |x| x.to_ne_bytes())?)?;
        result.set_item("middles", middles(py, &found.middles, self.dimension)?)?;
        Ok(result)
    }
}

/// Rows without what fills them up.
fn middles<'py>(py: Python<'py>, rows: &Flat, dimension: usize) -> PyResult<Bound<'py, PyBytes>> {
    let all: Vec<i16> = (0..rows.len())
        .flat_map(|at| rows.row(at)[..dimension].iter().copied())
        .collect();
    bytes(py, &all, |x| x.to_ne_bytes())
}

/// Fits themes to a matrix.
#[pyfunction]
#[pyo3(signature = (matrix, rows, dimension, *, neighbours, exact, must, cannot, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn themes_fit(
    py: Python<'_>,
    matrix: Bound<'_, PyAny>,
    rows: usize,
    dimension: usize,
    neighbours: usize,
    exact: Option<bool>,
    must: Vec<(u32, u32)>,
    cannot: Vec<(u32, u32)>,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<ThemeTree> {
    let matrix = Bytes::of(&matrix)?;
    let floats = source(&matrix, rows, dimension)?;
    let known = |pair: &(u32, u32)| (pair.0 as usize) < rows && (pair.1 as usize) < rows;
    if !must.iter().chain(&cannot).all(known) {
        return Err(PyValueError::new_err("no such row"));
    }
    let options = Options {
        neighbours,
        must,
        cannot,
    };
    let engine = watched(py, progress, threads, |crew: &Crew<'_>| {
        match Engine::fit(crew, &floats, &options, exact) {
            Err(Refusal::Stopped) => None,
            found => Some(found),
        }
    })?;
    let engine = engine.map_err(|refusal| match refusal {
        Refusal::Same(pairs) => PyKeyError::new_err((pairs, false)),
        Refusal::Together(pairs) => PyKeyError::new_err((pairs, true)),
        _ => PyValueError::new_err("an entry is not finite"),
    })?;
    Ok(ThemeTree {
        matrix,
        rows,
        dimension,
        engine,
    })
}
