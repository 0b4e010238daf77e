//! Bindings of near-duplicates on disk: batches in, rows out, and what lies between in files that [`crate::spill`] keeps.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use klero_core::neardup::join::{Group, Settings, ALONE, EMPTY};
use klero_core::neardup::plan::{plan, Plan};
use klero_core::neardup::stream::{fingerprint, largest, need, Found, Mode, Stream};
use klero_core::neardup::Texts;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::neardup::{settings, watched, Chunk, Columns};
use crate::spill::{os_error, PartFile, TextFile, PART_BUFFERS, PIECE};

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(neardup_plan, module)?)?;
    module.add_function(wrap_pyfunction!(neardup_need, module)?)?;
    module.add("MINHASH_ALGORITHM", klero_core::neardup::sketch::ALGORITHM)?;
    module.add_class::<NeardupStream>()?;
    module.add_class::<NeardupFound>()
}

/// The bands of a sketch.
///
/// # Errors
/// `ValueError` if none have this recall.
pub fn planned(threshold: f64, recall: f64) -> PyResult<Plan> {
    let none = || PyValueError::new_err("no bands give this recall at this threshold");
    plan(threshold, recall).ok_or_else(none)
}

type Planned = (usize, usize, f64, Vec<(f64, f64)>);

/// Bands, rows, expected recall at the threshold, and the curve.
#[pyfunction]
fn neardup_plan(threshold: f64, recall: f64) -> PyResult<Planned> {
    let plan = planned(threshold, recall)?;
    Ok((plan.bands, plan.rows, plan.recall, plan.curve()))
}

/// Bytes of memory for so many texts with so many entries each.
#[pyfunction]
fn neardup_need(rows: u64, entries: u64, threads: u64) -> u64 {
    need(rows, entries, threads) + PART_BUFFERS
}

struct Inner {
    stream: Stream<Arc<PartFile>>,
    parts: Arc<PartFile>,
    texts: TextFile,
    ids: TextFile,
    folder: PathBuf,
}

impl Inner {
    fn checked(&self) -> io::Result<()> {
        self.parts.checked()?;
        self.texts.checked()?;
        self.ids.checked()
    }
}

/// Takes what no other thread uses at this moment; waiting for it could wait for ever, since its user may need the GIL that we hold.
fn free<T>(mutex: &Mutex<T>) -> PyResult<MutexGuard<'_, T>> {
    let busy = |_| PyValueError::new_err("another thread uses this stream");
    mutex.try_lock().map_err(busy)
}

/// Texts that are added batch by batch and lie on disk.
#[pyclass(frozen)]
struct NeardupStream {
    settings: Settings,
    inner: Mutex<Option<Inner>>,
}

fn used() -> PyErr {
    PyValueError::new_err("this stream is finished")
}

#[pymethods]
impl NeardupStream {
    #[new]
    #[pyo3(signature = (folder, *, threshold, measure, min_shared, shingle, fold_accents, recall=None, piece=32_768))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        folder: PathBuf,
        threshold: f64,
        measure: &str,
        min_shared: u32,
        shingle: u8,
        fold_accents: bool,
        recall: Option<f64>,
        piece: usize,
    ) -> PyResult<Self> {
        let settings = Settings {
            kept: 0,
            ..settings(threshold, measure, min_shared, shingle, fold_accents)?
        };
        let early = recall
            .map(|recall| planned(threshold, recall))
            .transpose()?;
        let parts = Arc::new(PartFile::new(&folder, piece).map_err(os_error)?);
        let inner = Inner {
            stream: Stream::new(settings, early, Arc::clone(&parts)),
            parts,
            texts: TextFile::new(&folder).map_err(os_error)?,
            ids: TextFile::new(&folder).map_err(os_error)?,
            folder,
        };
        Ok(Self {
            settings,
            inner: Mutex::new(Some(inner)),
        })
    }

    /// Texts added so far.
    #[getter]
    fn rows(&self) -> PyResult<usize> {
        let inner = free(&self.inner)?;
        Ok(inner.as_ref().ok_or_else(used)?.stream.rows())
    }

    /// Adds a batch. After an error the stream is finished, unless the batch itself was refused.
    fn add(
        &self,
        py: Python<'_>,
        texts: Chunk<'_>,
        ids: Chunk<'_>,
        threads: usize,
    ) -> PyResult<()> {
        let (texts, ids) = (Columns::new(&[texts])?, Columns::new(&[ids])?);
        if texts.len() != ids.len() {
            return Err(PyValueError::new_err("one id for each text"));
        }
        let mut held = free(&self.inner)?;
        let rows = held.as_ref().ok_or_else(used)?.stream.rows();
        if rows + texts.len() >= EMPTY as usize {
            return Err(PyValueError::new_err("too many rows"));
        }
        // A batch that was stopped half-way, or did not fit on the disk, leaves a stream that would group wrongly: it does not come back.
        let mut inner = held.take().ok_or_else(used)?;
        let kept = watched(py, None, threads, |crew| {
            let kept = inner.texts.add(&texts, false);
            let kept = kept.and_then(|()| inner.ids.add(&ids, true));
            inner.stream.add(crew, &texts)?;
            Some(kept.and_then(|()| inner.checked()))
        })?;
        kept.map_err(os_error)?;
        *held = Some(inner);
        Ok(())
    }

    /// Groups what was added. With a recall by sketches, else exactly.
    #[pyo3(signature = (*, recall=None, threads, progress=None))]
    fn finish(
        &self,
        py: Python<'_>,
        recall: Option<f64>,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<NeardupFound> {
        let threshold = self.settings.rule.threshold;
        let mode = match recall {
            Some(recall) => Mode::Sketch(planned(threshold, recall)?),
            None => Mode::Exact,
        };
        let inner = free(&self.inner)?.take().ok_or_else(used)?;
        let Inner {
            stream,
            parts,
            texts,
            ids,
            folder,
        } = inner;
        let done = watched(py, progress, threads, |crew| {
            let found = stream.finish(crew, &texts, &ids, mode);
            let faults = [parts.checked(), texts.checked(), ids.checked()];
            match faults.into_iter().collect::<io::Result<()>>() {
                Err(error) => Some(Err(error)),
                Ok(()) => found.map(Ok),
            }
        })?;
        let found = done.map_err(os_error)?;
        Ok(NeardupFound { found, ids, folder })
    }
}

/// What was found.
#[pyclass(frozen)]
struct NeardupFound {
    found: Found,
    ids: TextFile,
    folder: PathBuf,
}

type Strings<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Offsets and bytes of ids, as of an Arrow array of large strings.
#[derive(Default)]
struct Gathered {
    offsets: Vec<u8>,
    bytes: Vec<u8>,
    scratch: Vec<u8>,
}

impl Gathered {
    fn new() -> Self {
        let mut new = Self::default();
        new.end();
        new
    }

    fn end(&mut self) {
        let end = self.bytes.len() as i64;
        self.offsets.extend_from_slice(&end.to_ne_bytes());
    }

    /// The id of a row; nothing for no row.
    fn push(&mut self, ids: &TextFile, row: Option<u32>) {
        if let Some(row) = row {
            let bytes = &mut self.bytes;
            Texts::with(ids, row, &mut self.scratch, |id| {
                bytes.extend_from_slice(id)
            });
        }
        self.end();
    }

    fn out<'py>(&self, py: Python<'py>) -> Strings<'py> {
        (
            PyBytes::new(py, &self.offsets),
            PyBytes::new(py, &self.bytes),
        )
    }
}

fn le_groups<'py>(
    py: Python<'py>,
    groups: &[Group],
    ids: &TextFile,
) -> PyResult<Bound<'py, PyDict>> {
    let (mut names, mut representatives) = (Gathered::new(), Gathered::new());
    for group in groups {
        names.push(ids, Some(group.name));
        representatives.push(ids, Some(group.representative));
    }
    let result = PyDict::new(py);
    result.set_item("names", names.out(py))?;
    result.set_item("representatives", representatives.out(py))?;
    let sizes: Vec<u32> = groups.iter().map(|group| group.size).collect();
    let distinct: Vec<u32> = groups.iter().map(|group| group.distinct).collect();
    let weakest: Vec<f64> = groups.iter().map(|group| group.weakest).collect();
    result.set_item("sizes", sizes)?;
    result.set_item("distinct", distinct)?;
    result.set_item("weakest", weakest)?;
    Ok(result)
}

#[pymethods]
impl NeardupFound {
    /// Numbers of texts.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let result = PyDict::new(py);
        let of = |what: u32| {
            self.found
                .group
                .iter()
                .filter(|group| **group == what)
                .count()
        };
        let (texts, alone, empty) = (self.found.group.len(), of(ALONE), of(EMPTY));
        result.set_item("texts", texts)?;
        result.set_item("grouped", texts - alone - empty)?;
        result.set_item("alone", alone)?;
        result.set_item("empty", empty)?;
        result.set_item("groups", self.found.groups.len())?;
        result.set_item("distinct", self.found.distinct)?;
        result.set_item("lookalikes", self.found.lookalike)?;
        result.set_item("invisibles", self.found.invisible)?;
        let work = &self.found.work;
        let work = (work.entries, work.candidates, work.verified, work.joined);
        result.set_item("work", work)?;
        Ok(result)
    }

    /// Some rows: marks, sizes, similarities, and the ids of texts, groups and representatives.
    fn rows<'py>(
        &self,
        py: Python<'py>,
        first: usize,
        count: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (mut ids, mut names, mut chosen) = (Gathered::new(), Gathered::new(), Gathered::new());
        let (mut there, mut sizes) = (Vec::new(), Vec::new());
        let end = first.saturating_add(count).min(self.found.group.len());
        let rows = self.found.group.get(first..end).unwrap_or_default();
        for (row, at) in (first..).zip(rows) {
            let group = self.found.groups.get(*at as usize);
            ids.push(&self.ids, Some(row as u32));
            names.push(&self.ids, group.map(|group| group.name));
            chosen.push(&self.ids, group.map(|group| group.representative));
            let lone = u32::from(*at == ALONE);
            there.push(u8::from(group.is_some()));
            sizes.extend_from_slice(&group.map_or(lone, |group| group.size).to_ne_bytes());
        }
        self.ids.checked().map_err(os_error)?;
        let result = PyDict::new(py);
        result.set_item("ids", ids.out(py))?;
        result.set_item("groups", names.out(py))?;
        result.set_item("representatives", chosen.out(py))?;
        result.set_item("grouped", PyBytes::new(py, &there))?;
        result.set_item("sizes", PyBytes::new(py, &sizes))?;
        let similarity = self.found.similarity.get(first..end).unwrap_or_default();
        let similarity: Vec<u8> = similarity.iter().flat_map(|s| s.to_ne_bytes()).collect();
        result.set_item("similarities", PyBytes::new(py, &similarity))?;
        Ok(result)
    }

    /// The largest groups, the largest first, then by id.
    fn largest<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyDict>> {
        let groups = watched(py, None, 1, |_| {
            Some(largest(&self.found.groups, &self.ids, count))
        })?;
        let result = le_groups(py, &groups, &self.ids)?;
        self.ids.checked().map_err(os_error)?;
        Ok(result)
    }

    /// The fingerprint of ids and texts.
    fn digest<'py>(
        &self,
        py: Python<'py>,
        head: Vec<u8>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let parts = PartFile::new(&self.folder, PIECE).map_err(os_error)?;
        let made = watched(py, None, threads, |crew| {
            let made = fingerprint(crew, &head, &self.ids, &self.found.sequences, &parts);
            Some(parts.checked().map(|()| made))
        })?;
        let made = made.map_err(os_error)?;
        self.ids.checked().map_err(os_error)?;
        let made =
            made.ok_or_else(|| os_error(io::Error::other("a temporary file could not be used")))?;
        Ok(PyBytes::new(py, &made))
    }
}
