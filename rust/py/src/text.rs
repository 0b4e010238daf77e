//! Bindings of the text reader: one text in, its words, shingles and flags out. Whole columns go through the join.

use klero_core::text::{self, Reader, Reading};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(text_fold, module)?)?;
    module.add_function(wrap_pyfunction!(text_words, module)?)?;
    module.add_function(wrap_pyfunction!(text_shingles, module)?)?;
    module.add_function(wrap_pyfunction!(text_sequence, module)?)?;
    module.add_function(wrap_pyfunction!(text_flags, module)?)?;
    module.add("TEXT_NORMALISER", text::NORMALISER)?;
    module.add("TEXT_SHINGLES", text::SHINGLES)
}

fn reader(shingle: u8, fold_accents: bool) -> PyResult<Reader> {
    if !(1..=9).contains(&shingle) {
        return Err(PyValueError::new_err("a shingle has 1 to 9 words"));
    }
    Ok(Reader::new(Reading {
        shingle,
        fold_accents,
    }))
}

#[pyfunction]
#[pyo3(signature = (text, fold_accents=false))]
fn text_fold(text: &str, fold_accents: bool) -> PyResult<Vec<String>> {
    let mut words = Vec::new();
    reader(1, fold_accents)?.words(text, |word| words.push(word.to_owned()));
    Ok(words)
}

#[pyfunction]
#[pyo3(signature = (text, fold_accents=false))]
fn text_words(text: &str, fold_accents: bool) -> PyResult<Vec<(u64, usize, usize)>> {
    let mut spans = Vec::new();
    reader(1, fold_accents)?.spans(text, &mut spans);
    Ok(spans
        .iter()
        .map(|span| (span.hash, span.start, span.end))
        .collect())
}

#[pyfunction]
#[pyo3(signature = (text, shingle=3, fold_accents=false))]
fn text_shingles(text: &str, shingle: u8, fold_accents: bool) -> PyResult<Vec<u64>> {
    Ok(reader(shingle, fold_accents)?
        .read(text.as_bytes())
        .shingles
        .to_vec())
}

#[pyfunction]
#[pyo3(signature = (text, fold_accents=false))]
fn text_sequence(text: &str, fold_accents: bool) -> PyResult<(u128, usize)> {
    let mut reader = reader(1, fold_accents)?;
    let read = reader.read(text.as_bytes());
    Ok((read.sequence, read.words))
}

#[pyfunction]
fn text_flags(text: &str) -> PyResult<(bool, bool)> {
    let mut reader = reader(1, false)?;
    let read = reader.read(text.as_bytes());
    Ok((read.invisible, read.lookalike))
}
