//! `klero._native`: the bindings. Conversions and the one door through the GIL; no algorithm lives here.

use pyo3::prelude::*;

mod baselines;
mod borrowed;
mod campaigns_text;
mod campaigns_tightness;
mod campaigns_time;
mod campaigns_votes;
mod door;
mod embed;
mod evidence;
mod index;
mod keywords;
mod kmeans;
mod ledger;
mod live;
mod neardup;
mod neardup_sets;
mod neardup_stream;
mod record;
mod register;
mod seating;
mod sortition;
mod spill;
mod text;
mod themes;
mod vectors;
mod vectors_check;

/// The extension module `klero._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    embed::register(module)?;
    index::register(module)?;
    campaigns_text::register(module)?;
    campaigns_tightness::register(module)?;
    campaigns_time::register(module)?;
    campaigns_votes::register(module)?;
    keywords::register(module)?;
    kmeans::register(module)?;
    ledger::register(module)?;
    live::register(module)?;
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
    themes::register(module)?;
    vectors::register(module)?;
    vectors_check::register(module)?;
    Ok(())
}
