//! Bindings of the join of near-duplicates: Arrow's buffers in, columns out as bytes.

use klero_core::neardup::crew::{Crew, Stop};
use klero_core::neardup::join::{self, Outcome, Settings, EMPTY};
use klero_core::neardup::measure::{Measure, Rule};
use klero_core::neardup::stream::join_by_sketch;
use klero_core::neardup::Texts;
use klero_core::text::Reading;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::borrowed::Bytes;
use crate::door;
use crate::neardup_stream::planned;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(neardup_join, module)?)?;
    module.add("NEARDUP_ALGORITHM", klero_core::neardup::ALGORITHM)
}

/// A chunk of texts: offsets, data, whether offsets have eight bytes (else four), the first row among the offsets, and the number of rows.
pub type Chunk<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, bool, usize, usize);

struct Piece {
    offsets: Bytes,
    data: Bytes,
    wide: bool,
    first: usize,
    start: usize,
}

impl Piece {
    fn offset(&self, at: usize) -> Option<usize> {
        let bytes = self.offsets.as_slice();
        if self.wide {
            let eight = bytes.get(at * 8..at * 8 + 8)?.try_into().ok()?;
            usize::try_from(i64::from_le_bytes(eight)).ok()
        } else {
            let four = bytes.get(at * 4..at * 4 + 4)?.try_into().ok()?;
            usize::try_from(i32::from_le_bytes(four)).ok()
        }
    }

    fn text(&self, row: usize) -> Option<&[u8]> {
        let at = self.first + (row - self.start);
        self.data
            .as_slice()
            .get(self.offset(at)?..self.offset(at + 1)?)
    }
}

/// Arrow's columns of texts, read where they lie.
pub struct Columns {
    pieces: Vec<Piece>,
    rows: usize,
}

impl Columns {
    /// Checks every offset, so that no row can fail later.
    ///
    /// # Errors
    /// `ValueError` if offsets don't fit the data, or there are 2³² − 2 rows or more.
    pub fn new(chunks: &[Chunk<'_>]) -> PyResult<Self> {
        let (mut pieces, mut rows) = (Vec::with_capacity(chunks.len()), 0usize);
        for (offsets, data, wide, first, count) in chunks {
            let (offsets, data) = (Bytes::of(offsets)?, Bytes::of(data)?);
            let piece = Piece {
                offsets,
                data,
                wide: *wide,
                first: *first,
                start: rows,
            };
            rows += count;
            if !(rows - count..rows).all(|row| piece.text(row).is_some()) {
                return Err(PyValueError::new_err("offsets that don't fit the data"));
            }
            pieces.push(piece);
        }
        if rows >= EMPTY as usize {
            return Err(PyValueError::new_err("too many rows"));
        }
        Ok(Self { pieces, rows })
    }
}

impl Texts for Columns {
    fn len(&self) -> usize {
        self.rows
    }

    fn with<R>(&self, row: u32, _scratch: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> R) -> R {
        let row = row as usize;
        let after = self.pieces.partition_point(|piece| piece.start <= row);
        let piece = after.checked_sub(1).and_then(|at| self.pieces.get(at));
        look(piece.and_then(|piece| piece.text(row)).unwrap_or_default())
    }
}

/// The settings of a join, from Python's words.
///
/// # Errors
/// `ValueError` for another measure.
pub fn settings(
    threshold: f64,
    measure: &str,
    min_shared: u32,
    shingle: u8,
    fold_accents: bool,
) -> PyResult<Settings> {
    let measure = match measure {
        "jaccard" => Measure::Jaccard,
        "containment" => Measure::Containment,
        _ => return Err(PyValueError::new_err("measure is jaccard or containment")),
    };
    let rule = Rule {
        measure,
        threshold,
        min_shared,
    };
    Ok(Settings {
        reading: Reading {
            shingle,
            fold_accents,
        },
        rule,
        kept: join::KEPT,
    })
}

/// The columns of an outcome, as bytes: whole numbers and floats in native order, hashes little-endian. The marks of rows without a group stay.
pub fn columns<'py>(py: Python<'py>, outcome: &Outcome) -> PyResult<Bound<'py, PyDict>> {
    let result = PyDict::new(py);
    let groups = &outcome.groups;
    let of = |pick: fn(&join::Group) -> u32| bytes(py, groups, |g| pick(g).to_ne_bytes());
    result.set_item("group", bytes(py, &outcome.group, |g| g.to_ne_bytes())?)?;
    result.set_item(
        "similarity",
        bytes(py, &outcome.similarity, |x| x.to_ne_bytes())?,
    )?;
    result.set_item("names", of(|group| group.name)?)?;
    result.set_item("representatives", of(|group| group.representative)?)?;
    result.set_item("distinct", of(|group| group.distinct)?)?;
    result.set_item("weakest", bytes(py, groups, |g| g.weakest.to_ne_bytes())?)?;
    result.set_item("all_distinct", outcome.distinct)?;
    let catalogue = &outcome.catalogue;
    result.set_item(
        "sequences",
        bytes(py, &catalogue.sequences, |s| s.to_le_bytes())?,
    )?;
    result.set_item("lookalikes", catalogue.lookalike)?;
    result.set_item("invisibles", catalogue.invisible)?;
    let work = &outcome.work;
    result.set_item(
        "work",
        (work.entries, work.candidates, work.verified, work.joined),
    )?;
    Ok(result)
}

/// Values side by side.
pub fn bytes<'py, T, const N: usize>(
    py: Python<'py>,
    values: &[T],
    write: impl Fn(&T) -> [u8; N],
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, values.len() * N, |room| {
        let places = room.chunks_exact_mut(N).zip(values);
        places.for_each(|(place, value)| place.copy_from_slice(&write(value)));
        Ok(())
    })
}

/// Calls Python's `progress(phase, blocks)` and honours Ctrl-C.
pub fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    threads: usize,
    kernel: impl FnOnce(&Crew<'_>) -> Option<T> + Send,
) -> PyResult<T> {
    let failed = std::sync::Mutex::new(None);
    let outcome = door::detached(py, |alive| {
        let last = std::cell::Cell::new(std::time::Instant::now());
        let watch = |phase: &'static str, block: usize| {
            if let (Some(progress), true) = (&progress, last.get().elapsed().as_millis() > 100) {
                last.set(std::time::Instant::now());
                let told = Python::attach(|py| progress.call1(py, (phase, block)).map(|_| ()));
                if let (Err(error), Ok(mut failed)) = (told, failed.lock()) {
                    *failed = Some(error);
                    return false;
                }
            }
            alive()
        };
        kernel(&Crew {
            threads: threads.max(1),
            watch: &watch,
            stop: &Stop::new(),
        })
    })?;
    match failed.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => outcome.ok_or_else(|| PyValueError::new_err("stopped")),
    }
}

/// The groups of texts in memory: exactly, or with a recall by sketches.
#[pyfunction]
#[pyo3(signature = (chunks, ranks, *, threshold, measure, min_shared, shingle, fold_accents, recall=None, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn neardup_join<'py>(
    py: Python<'py>,
    chunks: Vec<Chunk<'py>>,
    ranks: Option<Bound<'py, PyAny>>,
    threshold: f64,
    measure: &str,
    min_shared: u32,
    shingle: u8,
    fold_accents: bool,
    recall: Option<f64>,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let bands = recall
        .map(|recall| planned(threshold, recall))
        .transpose()?;
    let texts = Columns::new(&chunks)?;
    let settings = settings(threshold, measure, min_shared, shingle, fold_accents)?;
    let ranks = ranks_of(ranks.as_ref(), texts.rows)?;
    let outcome = watched(py, progress, threads, |crew| match bands {
        Some(plan) => join_by_sketch(crew, &texts, &settings, plan, ranks.as_deref()),
        None => join::join(crew, &texts, &settings, ranks.as_deref()),
    })?;
    columns(py, &outcome)
}

fn ranks_of(ranks: Option<&Bound<'_, PyAny>>, rows: usize) -> PyResult<Option<Vec<u32>>> {
    let Some(ranks) = ranks else { return Ok(None) };
    let bytes = Bytes::of(ranks)?;
    let four = bytes.as_slice().chunks_exact(4);
    let ranks: Vec<u32> = four
        .map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    if ranks.len() == rows {
        Ok(Some(ranks))
    } else {
        Err(PyValueError::new_err("one rank for each text"))
    }
}
