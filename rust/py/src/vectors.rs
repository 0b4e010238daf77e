//! Bindings of the vectors' kernels: a matrix of floats in, read where it lies; columns out as bytes.

use klero_core::vectors::points::{On, Points};
use klero_core::vectors::sphere::Flaw;
use klero_core::vectors::tile::Kernel;
use klero_core::vectors::{knn, lists, Source, Sphere};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::neardup::{bytes, watched};

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<VectorPoints>()?;
    module.add_function(wrap_pyfunction!(vectors_points, module)?)?;
    module.add("VECTORS_LISTS", lists::ALGORITHM)?;
    module.add("VECTORS_EXACT_UP_TO", lists::MANY)?;
    module.add("VECTORS_SPHERE", klero_core::vectors::sphere::ALGORITHM)
}

/// The matrix in a buffer.
///
/// # Errors
/// `ValueError` if the buffer is not `rows` × `dimension` floats of 32 bits.
pub fn source(matrix: &Bytes, rows: usize, dimension: usize) -> PyResult<Source<'_>> {
    let source = Source::new(matrix.as_slice(), rows, dimension);
    source.ok_or_else(|| PyValueError::new_err("a buffer that is not rows × dimension floats"))
}

/// Distinct points of a matrix on a sphere, in canonical order. See `_native.pyi`.
#[pyclass(module = "klero._native", frozen)]
pub struct VectorPoints {
    matrix: Bytes,
    rows: usize,
    dimension: usize,
    sphere: Sphere,
    points: Points,
}

impl VectorPoints {
    /// What the kernels read: the points, rounded from the floats when they are asked for.
    ///
    /// # Errors
    /// None in practice: the buffer was checked when this was made.
    pub fn with<T>(&self, look: impl FnOnce(&On<'_>) -> T) -> PyResult<T> {
        let source = source(&self.matrix, self.rows, self.dimension)?;
        Ok(look(&On {
            source: &source,
            sphere: &self.sphere,
            points: &self.points,
        }))
    }
}

#[pymethods]
impl VectorPoints {
    fn __len__(&self) -> usize {
        self.points.len()
    }

    #[getter]
    fn mean<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, self.sphere.mean(), |x| x.to_ne_bytes())
    }

    #[getter]
    fn floor(&self) -> f64 {
        self.sphere.floor()
    }

    #[getter]
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, &self.points.names, |name| name.to_be_bytes())
    }

    #[getter]
    fn first<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, &self.points.first, |row| row.to_ne_bytes())
    }

    #[getter]
    fn copies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, &self.points.copies, |count| count.to_ne_bytes())
    }

    #[getter]
    fn point<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes(py, &self.points.of_row, |point| point.to_ne_bytes())
    }

    fn q15<'py>(&self, py: Python<'py>, rows: Vec<u32>) -> PyResult<Bound<'py, PyBytes>> {
        let source = source(&self.matrix, self.rows, self.dimension)?;
        if rows.iter().any(|row| *row as usize >= self.rows) {
            return Err(PyValueError::new_err("no such row"));
        }
        let size = self.dimension * 2;
        PyBytes::new_with(py, rows.len() * size, |room| {
            let mut numbers = vec![0i16; self.sphere.width()];
            for (place, row) in room.chunks_exact_mut(size).zip(&rows) {
                self.sphere.round(source.row(*row as usize), &mut numbers);
                let pairs = place.chunks_exact_mut(2).zip(&numbers);
                pairs.for_each(|(two, number)| two.copy_from_slice(&number.to_ne_bytes()));
            }
            Ok(())
        })
    }

    #[pyo3(signature = (k, *, exact=None, threads, progress=None))]
    fn neighbours<'py>(
        &self,
        py: Python<'py>,
        k: usize,
        exact: Option<bool>,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(usize, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let found = self.with(|on| {
            watched(py, progress, threads, |crew| {
                lists::neighbours(crew, Kernel::best(), on, k, exact)
            })
        })??;
        Ok((
            found.k,
            bytes(py, &found.ids, |id| id.to_ne_bytes())?,
            bytes(py, &found.similarities, |x| x.to_ne_bytes())?,
        ))
    }

    #[pyo3(signature = (points, k, *, threads, progress=None))]
    fn neighbours_of<'py>(
        &self,
        py: Python<'py>,
        points: Vec<u32>,
        k: usize,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(usize, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        if points
            .iter()
            .any(|point| *point as usize >= self.points.len())
        {
            return Err(PyValueError::new_err("no such point"));
        }
        let found = self.with(|on| {
            watched(py, progress, threads, |crew| {
                knn::nearest_of(crew, Kernel::best(), on, &points, k)
            })
        })??;
        Ok((
            found.k,
            bytes(py, &found.ids, |id| id.to_ne_bytes())?,
            bytes(py, &found.similarities, |x| x.to_ne_bytes())?,
        ))
    }
}

/// Puts a matrix on a sphere, and its rows in canonical order.
#[pyfunction]
#[pyo3(signature = (matrix, rows, dimension, *, centre, threads, progress=None))]
fn vectors_points(
    py: Python<'_>,
    matrix: Bound<'_, PyAny>,
    rows: usize,
    dimension: usize,
    centre: bool,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<VectorPoints> {
    let matrix = Bytes::of(&matrix)?;
    let floats = source(&matrix, rows, dimension)?;
    let (sphere, points) = watched(py, progress, threads, |crew| {
        match Sphere::around(crew, &floats, centre) {
            Ok(sphere) => Points::of(crew, &floats, &sphere).map(|points| Ok((sphere, points))),
            Err(Flaw::NotFinite) => Some(Err("an entry is not finite")),
            Err(Flaw::Stopped) => None,
        }
    })?
    .map_err(PyValueError::new_err)?;
    Ok(VectorPoints {
        matrix,
        rows,
        dimension,
        sphere,
        points,
    })
}
