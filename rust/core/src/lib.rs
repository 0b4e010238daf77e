//! Numeric kernels of klero. No Python, no input or output, no global state.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod campaigns;
pub mod embed;
pub mod keywords;
pub mod neardup;
pub mod random;
pub mod register;
pub mod seating;
pub mod sortition;
pub mod text;
pub mod vectors;
