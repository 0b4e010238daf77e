//! `klero._native`: the bindings. Conversions and the one door through the GIL; no algorithm lives here.

use pyo3::prelude::*;

mod baselines;
mod borrowed;
mod door;
mod evidence;
mod index;
mod ledger;
mod neardup;
mod neardup_sets;
mod neardup_stream;
mod record;
mod register;
mod seating;
mod sortition;
mod spill;
mod text;

/// The extension module `klero._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    index::register(module)?;
    ledger::register(module)?;
    neardup::register(module)?;
    neardup_sets::register(module)?;
    neardup_stream::register(module)?;
    record::register(module)?;
    register::register(module)?;
    seating::register(module)?;
    sortition::register(module)?;
    text::register(module)?;
    baselines::register(module)?;
    evidence::register(module)?;
    Ok(())
}
