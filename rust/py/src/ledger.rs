//! Bindings of the ledger kernels.

use pyo3::prelude::*;

/// Adds this family's functions to the module.
pub fn register(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
