//! Bindings of the record's kernels and primitives: bytes in, bytes out. What a kernel refuses becomes `klero.errors.BundleError`.

use std::collections::BTreeMap;

use klero_ledger::checks::Status;
use klero_ledger::record::{files, leaves, log, verify};
use klero_ledger::{beacon, ed25519, envelope, hash, timestamp, Fault};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::door;
use crate::ledger::refused;

type Files = BTreeMap<String, PyBackedBytes>;
type Bytes<'py> = Bound<'py, PyBytes>;

/// Adds this family's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(record_verify, module)?)?;
    module.add_function(wrap_pyfunction!(record_leaves, module)?)?;
    module.add_function(wrap_pyfunction!(record_draw, module)?)?;
    module.add_function(wrap_pyfunction!(record_summary, module)?)?;
    module.add_function(wrap_pyfunction!(record_entry_hash, module)?)?;
    module.add_function(wrap_pyfunction!(merkle_path, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_public, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_sign, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_verify, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_is_key, module)?)?;
    module.add_function(wrap_pyfunction!(dsse_pae, module)?)?;
    module.add_function(wrap_pyfunction!(beacon_verify, module)?)?;
    module.add_function(wrap_pyfunction!(beacon_time, module)?)?;
    module.add_function(wrap_pyfunction!(timestamp_read, module)?)
}

fn borrowed(files: &Files) -> files::Files<'_> {
    let all = files.iter();
    all.map(|(name, content)| (name.as_str(), content.as_ref()))
        .collect()
}

/// Exactly `N` bytes.
fn sized<const N: usize>(py: Python<'_>, bytes: &[u8], what: &str) -> PyResult<[u8; N]> {
    let found = bytes.len();
    let result = bytes
        .try_into()
        .map_err(|_| Fault(format!("{what} has {found} bytes instead of {N}")));
    refused(py, result)
}

fn chain(py: Python<'_>, name: &str) -> PyResult<&'static beacon::Chain> {
    let found = beacon::chain(name);
    refused(
        py,
        found.ok_or_else(|| Fault(format!("there is no drand chain {name:?}"))),
    )
}

/// Name, status and detail of every check.
#[pyfunction]
fn record_verify(
    py: Python<'_>,
    files: Files,
) -> PyResult<Vec<(&'static str, &'static str, String)>> {
    let checks = door::detached(py, |alive| verify::verify(&borrowed(&files), alive))?;
    let told = checks.into_iter().map(|check| {
        let status = match check.status {
            Status::Ok => "ok",
            Status::Fail => "FAIL",
            Status::Unchecked => "--",
        };
        (check.name, status, check.detail)
    });
    Ok(told.collect())
}

/// (c_id, K_type, leaf) of each person, one after the other.
#[pyfunction]
fn record_leaves<'py>(
    py: Python<'py>,
    draw: &str,
    identities: Vec<PyBackedBytes>,
    openings: Vec<PyBackedBytes>,
    salts: PyBackedBytes,
) -> PyResult<(Bytes<'py>, Bytes<'py>, Bytes<'py>)> {
    let people = door::detached(py, |alive| {
        leaves::people(draw, &identities, &openings, &salts, alive)
    })?;
    let people = refused(py, people)?;
    let column = |of: fn(&leaves::Person) -> &hash::Digest| {
        PyBytes::new(
            py,
            &people.iter().map(of).copied().collect::<Vec<_>>().concat(),
        )
    };
    Ok((
        column(|person| &person.c_id),
        column(|person| &person.k_type),
        column(|person| &person.leaf),
    ))
}

/// The body of the entry of a draw.
#[pyfunction]
fn record_draw<'py>(
    py: Python<'py>,
    files: Files,
    round_number: usize,
    reveals: PyBackedBytes,
    fallback: bool,
) -> PyResult<Bytes<'py>> {
    let body = door::detached(py, |alive| {
        verify::draw_body(&borrowed(&files), round_number, &reveals, fallback, alive)
    })?;
    Ok(PyBytes::new(py, &refused(py, body)?))
}

/// The summary of a round from its four files.
#[pyfunction]
fn record_summary<'py>(
    py: Python<'py>,
    instance: PyBackedBytes,
    pool: PyBackedBytes,
    lottery: PyBackedBytes,
    certificate: PyBackedBytes,
) -> PyResult<Bytes<'py>> {
    let summary = door::detached(py, |alive| {
        verify::summary_of(&instance, &pool, &lottery, &certificate, alive)
    })?;
    Ok(PyBytes::new(py, &refused(py, summary)?))
}

/// The entry hash of a payload.
#[pyfunction]
fn record_entry_hash<'py>(py: Python<'py>, payload: &[u8]) -> Bytes<'py> {
    PyBytes::new(py, &log::entry_hash(payload))
}

/// Leaves one by one, or 32 bytes each one after the other.
#[derive(FromPyObject)]
enum Leaves {
    Joined(PyBackedBytes),
    Listed(Vec<PyBackedBytes>),
}

/// The RFC 9162 inclusion path of one of these leaves.
#[pyfunction]
fn merkle_path(py: Python<'_>, leaves: Leaves, index: usize) -> PyResult<Vec<Bytes<'_>>> {
    let path = door::detached(py, |_| match &leaves {
        Leaves::Listed(leaves) => hash::merkle_path(leaves, index),
        Leaves::Joined(bytes) if bytes.len() % 32 != 0 => None,
        Leaves::Joined(bytes) => hash::merkle_path(&bytes.chunks(32).collect::<Vec<_>>(), index),
    })?;
    let path = path.ok_or_else(|| Fault(format!("there is no leaf {index} of 32 bytes")));
    let path = refused(py, path)?;
    Ok(path.iter().map(|node| PyBytes::new(py, node)).collect())
}

/// The public key of a secret one.
#[pyfunction]
fn ed25519_public<'py>(py: Python<'py>, secret: &[u8]) -> PyResult<Bytes<'py>> {
    let secret = sized(py, secret, "a secret key")?;
    Ok(PyBytes::new(py, &ed25519::public_key(&secret)))
}

/// The signature of a message.
#[pyfunction]
fn ed25519_sign<'py>(py: Python<'py>, secret: &[u8], message: &[u8]) -> PyResult<Bytes<'py>> {
    let secret = sized(py, secret, "a secret key")?;
    Ok(PyBytes::new(py, &ed25519::sign(&secret, message)))
}

/// Whether a signature verifies, by the strict rule of the record.
#[pyfunction]
fn ed25519_verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match (public.try_into(), signature.try_into()) {
        (Ok(public), Ok(signature)) => ed25519::verify(public, message, signature),
        _ => false,
    }
}

/// Whether these bytes are a public key.
#[pyfunction]
fn ed25519_is_key(public: &[u8]) -> bool {
    public.try_into().is_ok_and(ed25519::is_key)
}

/// What is signed for a payload.
#[pyfunction]
fn dsse_pae<'py>(py: Python<'py>, payload: &[u8]) -> Bytes<'py> {
    PyBytes::new(py, &envelope::pae(payload))
}

/// Whether a round's signature verifies.
#[pyfunction]
fn beacon_verify(
    py: Python<'_>,
    chain: &str,
    round_number: i64,
    previous: &[u8],
    signature: &[u8],
) -> PyResult<bool> {
    let chain = self::chain(py, chain)?;
    door::detached(py, |_| chain.verify(round_number, previous, signature))
}

/// The Unix time of a round.
#[pyfunction]
fn beacon_time(py: Python<'_>, chain: &str, round_number: i64) -> PyResult<i64> {
    let time = self::chain(py, chain)?.time(round_number);
    refused(
        py,
        time.ok_or_else(|| Fault(format!("there is no round {round_number}"))),
    )
}

/// Imprint and Unix time of an RFC 3161 token.
#[pyfunction]
fn timestamp_read<'py>(py: Python<'py>, token: &[u8]) -> PyResult<(Bytes<'py>, i64)> {
    let stamp = refused(py, timestamp::read(token))?;
    Ok((PyBytes::new(py, &stamp.imprint), stamp.time))
}
