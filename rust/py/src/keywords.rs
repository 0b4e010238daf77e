//! Bindings of keywords: Arrow's texts and numbers of groups in, keywords out.

use klero_core::keywords::{self, bits, Lists};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::borrowed::Bytes;
use crate::neardup::{watched, Chunk, Columns};

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(keywords_by_group, module)?)?;
    module.add_function(wrap_pyfunction!(keywords_terms, module)?)?;
    module.add("KEYWORDS_ALGORITHM", keywords::ALGORITHM)?;
    let bits = [
        ("french", bits::FRENCH),
        ("english", bits::ENGLISH),
        ("means_in_english", bits::MEANS_IN_ENGLISH),
        ("means_in_french", bits::MEANS_IN_FRENCH),
        ("negation", bits::NEGATION),
        ("without", bits::WITHOUT),
        ("connector", bits::CONNECTOR),
        ("whole", bits::WHOLE),
    ];
    module.add("KEYWORDS_BITS", std::collections::HashMap::from(bits))
}

type Found = (
    Vec<Vec<(String, u8, u32, u32)>>,
    Vec<u32>,
    (u64, u64),
    [u32; 3],
);

/// The keywords of each group of texts.
#[pyfunction]
#[pyo3(signature = (chunks, group, voice, groups, words, top, *, threads, progress=None))]
#[allow(clippy::too_many_arguments)]
fn keywords_by_group(
    py: Python<'_>,
    chunks: Vec<Chunk<'_>>,
    group: &Bound<'_, PyAny>,
    voice: &Bound<'_, PyAny>,
    groups: usize,
    words: Vec<(String, u16)>,
    top: usize,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Found> {
    let texts = Columns::new(&chunks)?;
    let (group, voice) = (numbers(group)?, numbers(voice)?);
    let rows = klero_core::neardup::Texts::len(&texts);
    if group.len() != rows || voice.len() != rows {
        return Err(PyValueError::new_err("a group and a voice for each text"));
    }
    let lists = Lists::new(words);
    let found = watched(py, progress, threads, |crew| {
        keywords::keywords(crew, &texts, &group, &voice, groups, &lists, top)
    })?;
    let plain = |found: Vec<keywords::Keyword>| {
        let parts = found.into_iter();
        parts
            .map(|k| (k.text, k.words, k.voices, k.everywhere))
            .collect()
    };
    Ok((
        found.keywords.into_iter().map(plain).collect(),
        found.voices,
        found.average,
        found.languages,
    ))
}

/// The words of each of a few texts.
#[pyfunction]
fn keywords_terms(
    py: Python<'_>,
    texts: Vec<String>,
    words: Vec<(String, u16)>,
) -> PyResult<Vec<Vec<(String, String)>>> {
    let lists = Lists::new(words);
    watched(py, None, 1, |crew| {
        keywords::terms(crew, texts.as_slice(), &lists)
    })
}

fn numbers(buffer: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    let bytes = Bytes::of(buffer)?;
    let four = bytes.as_slice().chunks_exact(4);
    Ok(four
        .map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
        .collect())
}
