//! `klero._native`: the bindings. Conversions and the one door through the GIL; no algorithm lives here.

use pyo3::prelude::*;

mod baselines;
mod door;
mod ledger;
mod record;
mod register;
mod seating;
mod sortition;

/// The extension module `klero._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    ledger::register(module)?;
    record::register(module)?;
    register::register(module)?;
    seating::register(module)?;
    sortition::register(module)?;
    baselines::register(module)?;
    Ok(())
}
