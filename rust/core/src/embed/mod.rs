//! Which contributions speak of the same, when there is no model of the language at hand? «klero-tfidf-svd/1».
//!
//! A text is the words and the runs of letters in it ([`features`]), weighed by how few other texts have them ([`vocabulary`]): its row of a sparse matrix A. What features stand together is
//! then learnt from the texts themselves: of all ways to draw A in d dimensions, the one that loses least, by a randomised singular value decomposition ([`reduce`]; Halko, Martinsson and Tropp,
//! SIAM Review 2011; as «latent semantic analysis», Deerwester et al. 1990). The vector of a text is its row times one matrix P, brought to unit length: later texts have theirs by the same product.
//!
//! Guarantees. The model is a function of the *set* of texts, as folded words: the same bytes for any order of rows, number of copies, threads, processor and platform. Only + − × ÷ √ in one
//! order, its own logarithm ([`log`]), no fused operations, no randomness beyond a fixed seed. Not guaranteed: that a vector knows a synonym which the texts never show in like company.
//! Cost: linear in the texts. Each is read five times; the decomposition takes about 4 · 384 multiplications and additions for each feature of at most [`FIT_TEXTS`] texts, and then some
//! 3 · 384² for each feature of the vocabulary. Memory: 24 bytes a text, 8 for each feature of those at most; 3.2 kB for each feature of the vocabulary (of at most
//! [`vocabulary::MOST_FEATURES`]) during the fit, and 1.4 kB after it.

pub mod blocks;
pub mod eigen;
pub mod features;
pub mod log;
pub mod model;
pub mod reduce;
pub mod sparse;
pub mod square;
pub mod state;
pub mod tall;
pub mod vocabulary;

pub use model::{Model, DIMENSION};

/// The version of what is computed; any change of a number is a new one.
pub const ALGORITHM: &str = "klero-tfidf-svd/1";

/// The decomposition is learnt from at most so many different texts; of more, from those whose identities, which are hashes, come first. Words are counted in all.
pub const FIT_TEXTS: usize = 1 << 16;

/// Rows that one thread takes at a time.
pub(crate) const BLOCK: usize = 256;

#[cfg(test)]
mod tests;
