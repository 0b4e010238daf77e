//! Buffers of Python, read in place.
//!
//! A consultation's texts are hundreds of megabytes, and a copy of them would double what klero needs. This is the one place of the workspace with unsafe code:
//! a slice over memory that Python owns and keeps alive.
#![allow(unsafe_code)]

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The bytes of anything with the buffer protocol (Arrow buffers, numpy arrays, bytes), held as long as this lives.
pub struct Bytes(PyUntypedBuffer);

impl Bytes {
    /// Borrows them.
    ///
    /// # Errors
    /// `ValueError` if they don't lie side by side; `BufferError` if the object has none.
    pub fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let buffer = PyUntypedBuffer::get(object)?;
        if buffer.is_c_contiguous() {
            Ok(Self(buffer))
        } else {
            Err(PyValueError::new_err("a buffer's bytes lie side by side"))
        }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        let (pointer, length) = (self.0.buf_ptr().cast::<u8>(), self.0.len_bytes());
        if length == 0 || pointer.is_null() {
            return &[];
        }
        // SAFETY: the buffer is contiguous (checked above), Python keeps it at its place as long as the view is held, and any byte is a valid u8. What remains is
        // that nobody writes meanwhile: Arrow's buffers are immutable by contract; whoever writes into a numpy array that klero is reading gets
        // what any reader without a lock gets, and the docstrings forbid it.
        unsafe { std::slice::from_raw_parts(pointer, length) }
    }
}
