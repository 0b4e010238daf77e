//! Numeric kernels of klero. No Python, no input or output, no global state.
#![deny(missing_docs)]

pub mod random;
pub mod register;
pub mod seating;
pub mod sortition;
