//! Bindings of the texts of campaigns: contributions in, groups and what they share out.

use klero_core::campaigns::texts::families::families;
use klero_core::campaigns::texts::join::{nearest, By, Search, LEADERS};
use klero_core::campaigns::texts::measure::{measure, texts_of, voices_of, Asked, Measured, RANKS};
use klero_core::campaigns::texts::rarity::Rarity;
use klero_core::campaigns::texts::saturation::{Beside, Urn, LOOKED_AT};
use klero_core::campaigns::texts::strings::strings;
use klero_core::campaigns::texts::words::{places, Corpus, Facts};
use klero_core::campaigns::texts::{surprise, ALGORITHM};
use klero_core::text::{Reader, Reading};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::borrowed::Bytes;
use crate::neardup::{bytes, watched, Chunk, Columns};

/// Adds this family's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CAMPAIGNS_TEXT_ALGORITHM", ALGORITHM)?;
    module.add("CAMPAIGNS_TEXT_RANKS", RANKS)?;
    module.add_class::<CampaignTexts>()?;
    module.add_function(wrap_pyfunction!(campaigns_places, module)?)
}

/// Contributions, read. See `_native.pyi`.
#[pyclass(module = "klero._native", frozen)]
pub struct CampaignTexts {
    corpus: Corpus,
    rarity: Rarity,
}

/// Rows, the row of the centre, voices, whether all are copies.
type Family = (Vec<u32>, u32, usize, bool);
/// A row, the first word there, number of words, voices inside and outside.
type Told = (u32, u32, u32, u32, u32);

fn numbers<const N: usize, T>(
    given: &Bound<'_, PyAny>,
    rows: usize,
    read: impl Fn([u8; N]) -> T,
) -> PyResult<Vec<T>> {
    let given = Bytes::of(given)?;
    let values = given.as_slice().chunks_exact(N);
    let values: Vec<T> = values
        .filter_map(|bytes| Some(read(bytes.try_into().ok()?)))
        .collect();
    if values.len() == rows {
        Ok(values)
    } else {
        Err(PyValueError::new_err("one number for each text"))
    }
}

/// What was measured, column by column.
fn measured<'py>(py: Python<'py>, all: &[Measured]) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let bit = f64::from(surprise::BIT);
    columns.set_item("text", bytes(py, all, |one| one.text.to_ne_bytes())?)?;
    columns.set_item("voices", bytes(py, all, |one| one.voices.to_ne_bytes())?)?;
    columns.set_item("words", bytes(py, all, |one| one.words.to_ne_bytes())?)?;
    columns.set_item("telling", bytes(py, all, |one| one.telling.to_ne_bytes())?)?;
    columns.set_item(
        "told",
        bytes(py, all, |one| (one.told as f64 / bit).to_ne_bytes())?,
    )?;
    let shared: Vec<f64> = all
        .iter()
        .flat_map(|one| one.shared)
        .map(|parts| f64::from(parts) / bit)
        .collect();
    let with: Vec<u32> = all.iter().flat_map(|one| one.with).collect();
    let missing: Vec<f64> = all.iter().flat_map(|one| one.missing).collect();
    columns.set_item("shared", bytes(py, &shared, |x| x.to_ne_bytes())?)?;
    columns.set_item("with", bytes(py, &with, |x| x.to_ne_bytes())?)?;
    columns.set_item("missing", bytes(py, &missing, |x| x.to_ne_bytes())?)?;
    Ok(columns)
}

#[pymethods]
impl CampaignTexts {
    #[new]
    #[pyo3(signature = (chunks, author, question, stance, questions, *, threads, progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        chunks: Vec<Chunk<'_>>,
        author: &Bound<'_, PyAny>,
        question: &Bound<'_, PyAny>,
        stance: &Bound<'_, PyAny>,
        questions: Vec<String>,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let texts = Columns::new(&chunks)?;
        let rows = chunks.iter().map(|chunk| chunk.4).sum();
        let facts = Facts {
            author: numbers(author, rows, u32::from_ne_bytes)?,
            question: numbers(question, rows, u32::from_ne_bytes)?,
            stance: numbers(stance, rows, i8::from_ne_bytes)?,
        };
        let (corpus, rarity) = watched(py, progress, threads, |crew| {
            let corpus = Corpus::read(crew, &texts, facts, &questions)?;
            let rarity = Rarity::of(crew, &corpus)?;
            Some((corpus, rarity))
        })?;
        Ok(Self { corpus, rarity })
    }

    fn __len__(&self) -> usize {
        self.corpus.text.len()
    }

    #[getter]
    fn texts(&self) -> usize {
        self.corpus.len()
    }

    #[pyo3(signature = (least, *, threads, progress=None))]
    fn families(
        &self,
        py: Python<'_>,
        least: usize,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<Family>> {
        let search = Search {
            leaders: LEADERS,
            keep: 12,
            by: By::Likeness,
            left_out: None,
        };
        let found = watched(py, progress, threads, |crew| {
            let all: Vec<u32> = (0..self.corpus.len() as u32).collect();
            let near = nearest(crew, &self.corpus, &self.rarity, &all, &search)?;
            families(crew, &self.corpus, &self.rarity, &near, least)
        })?;
        let plain = found
            .into_iter()
            .map(|one| (one.rows, one.centre, one.voices, one.copies));
        Ok(plain.collect())
    }

    #[pyo3(signature = (groups, kept_out, *, threads, progress=None))]
    fn measure<'py>(
        &self,
        py: Python<'py>,
        groups: Vec<Vec<u32>>,
        kept_out: Vec<bool>,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(usize, Bound<'py, PyDict>, Vec<Bound<'py, PyDict>>)> {
        self.check(&groups)?;
        let asked: Vec<Asked> = groups
            .into_iter()
            .zip(kept_out)
            .map(|(rows, kept_out)| Asked { rows, kept_out })
            .collect();
        let found = watched(py, progress, threads, |crew| {
            measure(crew, &self.corpus, &self.rarity, &asked)
        })?;
        let groups = found
            .groups
            .iter()
            .map(|one| measured(py, one))
            .collect::<PyResult<_>>()?;
        Ok((found.null_texts, measured(py, &found.null)?, groups))
    }

    #[pyo3(signature = (groups, kept_out, draws, seed, *, threads, progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn vocabulary(
        &self,
        py: Python<'_>,
        groups: Vec<Vec<u32>>,
        kept_out: Vec<bool>,
        draws: usize,
        seed: u64,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<(u64, f64, Vec<f64>)>> {
        self.check(&groups)?;
        let found = watched(py, progress, threads, |crew| {
            let out = groups.iter().zip(&kept_out).filter(|(_, out)| **out);
            let mut left_out = vec![false; self.corpus.len()];
            out.flat_map(|(rows, _)| texts_of(&self.corpus, rows))
                .for_each(|text| left_out[text as usize] = true);
            let urn = Urn::new(&self.corpus, &left_out);
            let hands = crew.share("vocabulary", groups.len(), Vec::new, |done, at| {
                let voices = voices_of(&self.corpus, &groups[at], LOOKED_AT);
                let texts: Vec<u32> = voices
                    .iter()
                    .filter_map(|(_, texts)| texts.first())
                    .copied()
                    .collect();
                done.push((at, urn.beside(&texts, draws, seed)));
            })?;
            let mut all: Vec<(usize, Beside)> = hands.concat();
            all.sort_unstable_by_key(|one| one.0);
            Some(all)
        })?;
        let plain = found
            .into_iter()
            .map(|(_, one)| (one.words, one.observed, one.drawn));
        Ok(plain.collect())
    }

    #[pyo3(signature = (groups, *, threads, progress=None))]
    fn strings(
        &self,
        py: Python<'_>,
        groups: Vec<Vec<u32>>,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<Vec<Told>>> {
        self.check(&groups)?;
        let found = watched(py, progress, threads, |crew| {
            strings(crew, &self.corpus, &groups)
        })?;
        let plain = |one: &klero_core::campaigns::texts::strings::Shared| {
            (one.row, one.first, one.words, one.members, one.others)
        };
        Ok(found
            .iter()
            .map(|list| list.iter().map(plain).collect())
            .collect())
    }
}

impl CampaignTexts {
    fn check(&self, groups: &[Vec<u32>]) -> PyResult<()> {
        let rows = self.corpus.text.len();
        if groups.iter().flatten().all(|row| (*row as usize) < rows) {
            Ok(())
        } else {
            Err(PyValueError::new_err("a row that is not there"))
        }
    }
}

/// Where each word stands in a text, in bytes; an address is one word.
#[pyfunction]
fn campaigns_places(text: &str) -> Vec<(usize, usize)> {
    let mut reader = Reader::new(Reading {
        shingle: 1,
        fold_accents: true,
    });
    places(&mut reader, text)
}
