//! Bindings of the register kernels: columns and parts in as buffers, records and units out as bytes.

use klero_core::register::deal;
use klero_core::register::draw::{self, Lot};
use klero_core::register::hash::{Digest, IdHasher, Keyed};
use klero_core::register::key::{self, IdFault};
use klero_core::register::part;
use klero_core::register::record::{self, Batch, Ids, Records, RowFault, Texts};
use klero_core::register::unit::{Unit, View, UNIT};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::door;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(register_scatter, module)?)?;
    module.add_function(wrap_pyfunction!(register_id_hash, module)?)?;
    module.add_function(wrap_pyfunction!(register_address_line, module)?)?;
    module.add_function(wrap_pyfunction!(register_sift, module)?)?;
    module.add_function(wrap_pyfunction!(register_deal, module)?)?;
    module.add_function(wrap_pyfunction!(register_duels, module)?)?;
    module.add_function(wrap_pyfunction!(register_finals, module)?)?;
    module.add_class::<RegisterPart>()
}

type Column = (PyBuffer<i64>, PyBuffer<u8>);

/// Records that lie in `0` from `1` to `2`.
type Piece = (PyBackedBytes, usize, usize);

fn gathered(pieces: &[Piece], housed: bool, by_address: bool) -> Vec<u8> {
    let views: Vec<&[u8]> = pieces
        .iter()
        .map(|(bytes, from, to)| bytes.get(*from..*to).unwrap_or_default())
        .collect();
    record::gathered(&views, housed, by_address)
}

fn owned(py: Python<'_>, column: &Column) -> PyResult<(Vec<i64>, Vec<u8>)> {
    Ok((column.0.to_vec(py)?, column.1.to_vec(py)?))
}

fn le_bytes<'py>(py: Python<'py>, numbers: &[u64]) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    PyBytes::new(py, &bytes)
}

fn key_of(bytes: &[u8]) -> PyResult<Digest> {
    bytes
        .try_into()
        .map_err(|_| PyValueError::new_err("a key has 32 bytes"))
}

fn code(fault: RowFault) -> &'static str {
    match fault {
        RowFault::Id(IdFault::Empty) => "id-empty",
        RowFault::Id(IdFault::Control) => "id-control",
        RowFault::Id(IdFault::NotText) => "encoding-unreadable",
    }
}

type Scattered<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Vec<(u64, &'static str)>,
    u64,
    u64,
);

/// The records of a batch, by part.
#[pyfunction]
#[pyo3(signature = (numbers, texts, strata, weights, address, first))]
fn register_scatter<'py>(
    py: Python<'py>,
    numbers: Option<PyBuffer<i64>>,
    texts: Option<Column>,
    strata: Option<PyBuffer<u32>>,
    weights: Option<PyBuffer<i64>>,
    address: Vec<Column>,
    first: u64,
) -> PyResult<Scattered<'py>> {
    let numbers = numbers.map(|b| b.to_vec(py)).transpose()?;
    let texts = texts.map(|column| owned(py, &column)).transpose()?;
    let strata = strata
        .map(|b| b.to_vec(py))
        .transpose()?
        .unwrap_or_default();
    let weights = weights
        .map(|b| b.to_vec(py))
        .transpose()?
        .unwrap_or_default();
    let address = address
        .iter()
        .map(|column| owned(py, column))
        .collect::<PyResult<Vec<_>>>()?;
    let view = |(offsets, bytes)| Texts { offsets, bytes };
    let lines: Vec<Texts<'_>> = address.iter().map(|(o, b)| view((o, b))).collect();
    let batch = Batch {
        ids: match (&numbers, &texts) {
            (Some(numbers), _) => Ids::Whole(numbers),
            (None, Some((offsets, bytes))) => Ids::Text(view((offsets, bytes))),
            (None, None) => Ids::Whole(&[]),
        },
        strata: &strata,
        weights: &weights,
        address: &lines,
        first,
    };
    let mut made = None;
    let records = PyBytes::new_with(py, batch.rows() * batch.width(), |room| {
        made = Some(door::detached(py, |_| record::scatter(&batch, room))?);
        Ok(())
    })?;
    let scattered = made.ok_or_else(|| PyValueError::new_err("nothing was scattered"))?;
    let faults = scattered.faults.iter().map(|(row, f)| (*row, code(*f)));
    Ok((
        records,
        le_bytes(py, &scattered.starts),
        faults.collect(),
        scattered.faulty,
        scattered.alone,
    ))
}

/// The hash of one id, and its spelling in canonical form; ValueError with a fault's code.
#[pyfunction]
fn register_id_hash<'py>(py: Python<'py>, text: String) -> PyResult<(Bound<'py, PyBytes>, String)> {
    let canonical = door::detached(py, |_| {
        key::canonical(text.as_bytes()).map(|id| (IdHasher::default().hash(&id), id.into_owned()))
    })?;
    match canonical {
        Ok((hash, id)) => Ok((
            PyBytes::new(py, &hash),
            String::from_utf8_lossy(&id).into_owned(),
        )),
        Err(fault) => Err(PyValueError::new_err(code(RowFault::Id(fault)))),
    }
}

/// An address line in normal form.
#[pyfunction]
fn register_address_line(py: Python<'_>, text: String) -> PyResult<String> {
    door::detached(py, |_| key::address_line(&text))
}

type Sifted<'py> = (
    Bound<'py, PyBytes>,
    Vec<(u64, u64)>,
    u64,
    [Bound<'py, PyBytes>; 4],
    Vec<u32>,
    Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>,
);

/// Digest, duplicates and totals of a part, and, with addresses, its records grouped by them.
#[pyfunction]
fn register_sift<'py>(
    py: Python<'py>,
    pieces: Vec<Piece>,
    housed: bool,
    ranks: PyBuffer<u32>,
    excluded: Vec<u8>,
    told: usize,
) -> PyResult<Sifted<'py>> {
    let ranks = ranks.to_vec(py)?;
    let (sifted, houses) = door::detached(py, |_| {
        let records = gathered(&pieces, housed, false);
        let part = Records::new(&records, housed);
        let sifted = part::sift(part, &ranks, &excluded, told);
        let houses = housed.then(|| part::by_address(part, &excluded));
        (sifted, houses)
    })?;
    let t = &sifted.totals;
    Ok((
        PyBytes::new(py, &sifted.digest),
        sifted.twins,
        sifted.twin_count,
        [&t.rows, &t.low, &t.high, &t.largest].map(|numbers| le_bytes(py, numbers)),
        sifted.excluded,
        houses.map(|(bytes, starts)| (PyBytes::new(py, &bytes), le_bytes(py, &starts))),
    ))
}

/// One part of the register, in memory.
#[pyclass(frozen)]
struct RegisterPart {
    records: Vec<u8>,
    housed: bool,
    ranks: Vec<u32>,
    excluded: Vec<u8>,
    nominate: Option<Digest>,
}

impl RegisterPart {
    fn view(&self) -> View<'_> {
        View {
            records: Records::new(&self.records, self.housed),
            ranks: &self.ranks,
            excluded: &self.excluded,
            nominate: self.nominate.as_ref(),
        }
    }
}

fn lots(letters: &[u64], totals: &[u128]) -> Vec<Lot> {
    let pairs = letters.iter().zip(totals);
    pairs
        .map(|(letters, total)| Lot {
            letters: *letters,
            total: *total,
        })
        .collect()
}

fn units<'py>(py: Python<'py>, units: &[Unit]) -> Bound<'py, PyBytes> {
    let mut bytes = Vec::with_capacity(units.len() * UNIT);
    units.iter().for_each(|unit| unit.write(&mut bytes));
    PyBytes::new(py, &bytes)
}

#[pymethods]
impl RegisterPart {
    #[new]
    fn new(
        py: Python<'_>,
        pieces: Vec<Piece>,
        housed: bool,
        ranks: PyBuffer<u32>,
        excluded: Vec<u8>,
        nominate: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let ranks = ranks.to_vec(py)?;
        let nominate = nominate.map(|key| key_of(&key)).transpose()?;
        let by_address = nominate.is_some();
        Ok(Self {
            records: door::detached(py, |_| gathered(&pieces, housed, by_address))?,
            housed,
            ranks,
            excluded,
            nominate,
        })
    }

    /// Units by stratum, and how many addresses have people of several strata.
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<([Bound<'py, PyBytes>; 5], u64)> {
        let ((t, top), mixed) = door::detached(py, |_| {
            let view = self.view();
            (view.totals(), view.mixed_houses())
        })?;
        let columns = [&t.rows, &t.low, &t.high, &t.largest, &top];
        Ok((columns.map(|numbers| le_bytes(py, numbers)), mixed))
    }

    /// Tickets (32 bytes) and units (80 bytes), alternating, of those below their stratum's cutoff.
    fn tickets<'py>(
        &self,
        py: Python<'py>,
        key: Vec<u8>,
        cutoffs: PyBuffer<u64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (key, cutoffs) = (key_of(&key)?, cutoffs.to_vec(py)?);
        let found = door::detached(py, |_| draw::tickets(&self.view(), &key, &cutoffs))?;
        let mut bytes = Vec::with_capacity(found.len() * (32 + UNIT));
        for (ticket, unit) in &found {
            bytes.extend_from_slice(ticket);
            unit.write(&mut bytes);
        }
        Ok(PyBytes::new(py, &bytes))
    }

    /// Units that are drawn with certainty and not yet known to be.
    fn heavy<'py>(
        &self,
        py: Python<'py>,
        letters: Vec<u64>,
        totals: Vec<u128>,
        certain: Vec<u8>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let lots = lots(&letters, &totals);
        let found = door::detached(py, |_| draw::heavy(&self.view(), &lots, &certain))?;
        Ok(units(py, &found))
    }

    /// The units of this part as dealt units, and where their parts begin.
    fn deal<'py>(
        &self,
        py: Python<'py>,
        key: Vec<u8>,
        letters: Vec<u64>,
        totals: Vec<u128>,
        certain: Vec<u8>,
    ) -> PyResult<Dealt<'py>> {
        dealt(py, &self.view(), &key, &lots(&letters, &totals), &certain)
    }
}

type Dealt<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

fn dealt<'py>(
    py: Python<'py>,
    view: &View<'_>,
    key: &[u8],
    lots: &[Lot],
    certain: &[u8],
) -> PyResult<Dealt<'py>> {
    let keyed = Keyed::new(&key_of(key)?);
    let (bytes, starts) = door::detached(py, |_| deal::dealt(view, &keyed, lots, certain))?;
    Ok((PyBytes::new(py, &bytes), le_bytes(py, &starts)))
}

/// Rows that are units, in any order, as dealt units, and where their parts begin.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn register_deal<'py>(
    py: Python<'py>,
    records: PyBackedBytes,
    ranks: PyBuffer<u32>,
    excluded: Vec<u8>,
    key: Vec<u8>,
    letters: Vec<u64>,
    totals: Vec<u128>,
    certain: Vec<u8>,
) -> PyResult<Dealt<'py>> {
    let ranks = ranks.to_vec(py)?;
    let view = View {
        records: Records::new(&records, false),
        ranks: &ranks,
        excluded: &excluded,
        nominate: None,
    };
    dealt(py, &view, &key, &lots(&letters, &totals), &certain)
}

/// The duels of one part of dealt units: drawn, left standing.
#[pyfunction]
fn register_duels<'py>(
    py: Python<'py>,
    pieces: Vec<Piece>,
    housed: bool,
    ranks: PyBuffer<u32>,
    key: Vec<u8>,
    letters: Vec<u64>,
    totals: Vec<u128>,
) -> PyResult<Dealt<'py>> {
    let (ranks, lots) = (ranks.to_vec(py)?, lots(&letters, &totals));
    let keyed = Keyed::new(&key_of(&key)?);
    let (drawn, left) = door::detached(py, |_| {
        let part = gathered(&pieces, housed, false);
        draw::duels(Records::new(&part, housed), &ranks, &keyed, &lots)
    })?;
    Ok((units(py, &drawn), units(py, &left)))
}

/// The last duels, between those left standing: drawn, left.
#[pyfunction]
fn register_finals<'py>(
    py: Python<'py>,
    standing: Vec<u8>,
    ranks: PyBuffer<u32>,
    key: Vec<u8>,
    letters: Vec<u64>,
    totals: Vec<u128>,
) -> PyResult<Dealt<'py>> {
    let (ranks, lots) = (ranks.to_vec(py)?, lots(&letters, &totals));
    let keyed = Keyed::new(&key_of(&key)?);
    let standing: Option<Vec<Unit>> = standing
        .chunks(UNIT)
        .map(|bytes| Unit::read(bytes, &ranks))
        .collect();
    let standing = standing.ok_or_else(|| PyValueError::new_err("a unit has 80 bytes"))?;
    let (drawn, left) = door::detached(py, |_| draw::finals(&standing, &keyed, &lots))?;
    Ok((units(py, &drawn), units(py, &left)))
}
