//! Bindings of the index of near-duplicates: ids and Arrow's buffers in, names of groups out.

use klero_core::neardup::index::parts::{PartFault, Parts};
use klero_core::neardup::index::shared::{Shared, Unusable};
use klero_core::neardup::index::{reading, Change, IdFault, Index, Refused, Standing, Words};
use klero_core::neardup::measure::Rule;
use klero_core::text::Reading;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::door;
use crate::neardup::{bytes, settings, Chunk, Columns};

/// Adds this family's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<NeardupIndex>()
}

/// An index in memory, for any thread.
#[pyclass(frozen)]
struct NeardupIndex {
    index: Shared,
    reading: Reading,
}

/// Rows that can't be used, each with why.
type Faults = Vec<(usize, &'static str)>;

/// Groups and lone ids before, groups and lone ids after.
type Changes = Vec<(Vec<String>, Vec<String>, Vec<String>, Vec<String>)>;

/// Names and sizes of groups; for each text which of them.
type Standings<'py> = (Vec<(String, usize)>, Bound<'py, PyBytes>);

/// Columns as in `Parts`, and their digest.
type Written<'py> = ([Bound<'py, PyBytes>; 6], String);

/// What is wrong with columns, and in which row.
type WrongPart = (&'static str, usize);

fn told(changes: Vec<Change>) -> Changes {
    let fields = |c: Change| {
        (
            c.groups_before,
            c.alone_before,
            c.groups_after,
            c.alone_after,
        )
    };
    changes.into_iter().map(fields).collect()
}

fn refused(refused: Refused) -> PyResult<Faults> {
    let code = |fault| match fault {
        IdFault::Empty => "id-empty",
        IdFault::Twice => "id-duplicate",
        IdFault::Known => "id-known",
        IdFault::Unknown => "id-unknown",
    };
    match refused {
        Refused::Ids(faults) => Ok(faults.into_iter().map(|(row, f)| (row, code(f))).collect()),
        Refused::Full => Err(PyValueError::new_err("more texts than an index can number")),
        Refused::Stopped => Err(stopped()),
    }
}

/// Never seen: where a kernel was stopped, the door raises the signal.
fn stopped() -> PyErr {
    PyRuntimeError::new_err("stopped")
}

fn part_fault(fault: PartFault) -> PyResult<WrongPart> {
    Ok(match fault {
        PartFault::Shape => ("shape", 0),
        PartFault::Full => ("full", 0),
        PartFault::Id(row) => ("id", row),
        PartFault::Shingles(row) => ("shingles", row),
        PartFault::First(row) => ("first", row),
        PartFault::Sequence(row) => ("sequence", row),
        PartFault::Stopped => return Err(stopped()),
    })
}

fn views(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

fn numbers<T, const N: usize>(
    object: &Bound<'_, PyAny>,
    of: impl Fn([u8; N]) -> T,
) -> PyResult<Vec<T>> {
    let bytes = Bytes::of(object)?;
    let chunks = bytes.as_slice().chunks_exact(N);
    if !chunks.remainder().is_empty() {
        return Err(PyValueError::new_err("a column's bytes are cut off"));
    }
    Ok(chunks
        .filter_map(|chunk| chunk.try_into().ok())
        .map(of)
        .collect())
}

impl NeardupIndex {
    /// Runs a kernel with no other thread using the index.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        kernel: impl FnOnce(&mut Index, &dyn Fn() -> bool) -> T + Send,
    ) -> PyResult<T> {
        let held = door::detached(py, |alive| {
            self.index.with(alive, |index| kernel(index, alive))
        })?;
        held.map_err(|why| match why {
            Unusable::Stopped => stopped(),
            Unusable::Broken => door::broken(
                py,
                "An earlier call on this index stopped half-way with a fault of klero's own, so its groups can't be trusted. Load it from its file, \
                 or build it anew, and please report the fault",
            ),
        })
    }

    fn read(&self, py: Python<'_>, texts: &[Chunk<'_>]) -> PyResult<Vec<Words>> {
        let (columns, reading) = (Columns::new(texts)?, self.reading);
        let words = door::detached(py, |alive| reading::read(&columns, reading, alive))?;
        words.ok_or_else(stopped)
    }
}

#[pymethods]
impl NeardupIndex {
    #[new]
    fn new(
        threshold: f64,
        measure: &str,
        min_shared: u32,
        shingle: u8,
        fold_accents: bool,
    ) -> PyResult<Self> {
        let (rule, reading) =
            rule_and_reading(threshold, measure, min_shared, shingle, fold_accents)?;
        let index = Shared::new(Index::new(rule));
        Ok(Self { index, reading })
    }

    /// Faults of the ids, or else: where the new texts stand, and what changed for others.
    fn add<'py>(
        &self,
        py: Python<'py>,
        ids: Vec<String>,
        texts: Vec<Chunk<'py>>,
    ) -> PyResult<(Faults, Standings<'py>, Changes)> {
        let words = self.read(py, &texts)?;
        if words.len() != ids.len() {
            return Err(PyValueError::new_err("one id a text"));
        }
        let added = self.with(py, |index, alive| {
            let ids = views(&ids);
            let changes = index.add(&ids, words, alive)?;
            Ok((index.standings(&ids), changes))
        })?;
        let nothing = || (Vec::new(), PyBytes::new(py, b""));
        match added {
            Err(why) => Ok((refused(why)?, nothing(), Vec::new())),
            Ok(((names, which), changes)) => {
                let which = bytes(py, &which, |n| n.to_le_bytes())?;
                Ok((Vec::new(), (names, which), told(changes)))
            }
        }
    }

    /// Faults of the ids, or else what changed for others.
    fn remove(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<(Faults, Changes)> {
        match self.with(py, |index, alive| index.remove(&views(&ids), alive))? {
            Err(why) => Ok((refused(why)?, Vec::new())),
            Ok(changes) => Ok((Vec::new(), told(changes))),
        }
    }

    /// For each text the ids that match, and how much.
    fn query<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Chunk<'py>>,
        most: usize,
    ) -> PyResult<Vec<Vec<(String, f64)>>> {
        let words = self.read(py, &texts)?;
        let found = self.with(py, |index, alive| {
            let texts = words.iter().take_while(|_| alive());
            let owned = |(id, similarity): (&str, f64)| (id.to_owned(), similarity);
            texts
                .map(|words| index.query(words, most).into_iter().map(owned).collect())
                .collect()
        })?;
        Ok(found)
    }

    /// Ids and number of distinct texts of each group.
    fn groups(&self, py: Python<'_>) -> PyResult<Vec<(Vec<String>, usize)>> {
        let groups = self.with(py, |index, _| index.groups())?;
        Ok(groups
            .into_iter()
            .map(|g| (g.members, g.distinct))
            .collect())
    }

    /// Name and size of the group of an id: (None, 1) if it is alone, (None, 0) if it has no words, None if it is not there.
    fn standing(&self, py: Python<'_>, id: &str) -> PyResult<Option<(Option<String>, usize)>> {
        let standing = self.with(py, |index, _| index.standing(id))?;
        Ok(standing.map(|standing| match standing {
            Standing::Grouped(name, size) => (Some(name), size),
            Standing::Alone => (None, 1),
            Standing::Empty => (None, 0),
        }))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |index, _| index.len())
    }

    /// The columns of a file, little-endian, and their digest with these settings.
    fn parts<'py>(&self, py: Python<'py>, settings: Vec<u8>) -> PyResult<Written<'py>> {
        let (parts, digest) = self.with(py, |index, _| {
            let parts = index.parts();
            let digest = parts.digest(&settings);
            (parts, digest)
        })?;
        let columns = [
            bytes(py, &parts.id_bounds, |n| n.to_le_bytes())?,
            PyBytes::new(py, &parts.id_bytes),
            PyBytes::new(py, &parts.sequences),
            bytes(py, &parts.firsts, |n| n.to_le_bytes())?,
            bytes(py, &parts.bounds, |n| n.to_le_bytes())?,
            bytes(py, &parts.shingles, |n| n.to_le_bytes())?,
        ];
        Ok((columns, digest))
    }

    /// The index of such columns, or what is wrong with them, and in which row.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)]
    fn from_parts(
        py: Python<'_>,
        threshold: f64,
        measure: &str,
        min_shared: u32,
        shingle: u8,
        fold_accents: bool,
        columns: [Bound<'_, PyAny>; 6],
        settings: Vec<u8>,
        digest: String,
    ) -> PyResult<(Option<Self>, Option<WrongPart>)> {
        let (rule, reading) =
            rule_and_reading(threshold, measure, min_shared, shingle, fold_accents)?;
        let [id_bounds, id_bytes, sequences, firsts, bounds, shingles] = &columns;
        let parts = Parts {
            id_bounds: numbers(id_bounds, i64::from_le_bytes)?,
            id_bytes: Bytes::of(id_bytes)?.as_slice().to_vec(),
            sequences: Bytes::of(sequences)?.as_slice().to_vec(),
            firsts: numbers(firsts, u32::from_le_bytes)?,
            bounds: numbers(bounds, i64::from_le_bytes)?,
            shingles: numbers(shingles, u64::from_le_bytes)?,
        };
        let built = door::detached(py, |alive| {
            let whole = parts.digest(&settings) == digest;
            whole.then(|| Index::from_parts(rule, &parts, alive))
        })?;
        match built {
            None => Ok((None, Some(("digest", 0)))),
            Some(Err(fault)) => Ok((None, Some(part_fault(fault)?))),
            Some(Ok(index)) => {
                let index = Shared::new(index);
                Ok((Some(Self { index, reading }), None))
            }
        }
    }
}

fn rule_and_reading(
    threshold: f64,
    measure: &str,
    min_shared: u32,
    shingle: u8,
    fold_accents: bool,
) -> PyResult<(Rule, Reading)> {
    let all = settings(threshold, measure, min_shared, shingle, fold_accents)?;
    let sound = all.rule.threshold > 0.0 && all.rule.threshold <= 1.0 && min_shared > 0;
    if sound && (1..=9).contains(&shingle) {
        return Ok((all.rule, all.reading));
    }
    Err(PyValueError::new_err("a setting is out of its range"))
}
