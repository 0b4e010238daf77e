//! Which texts repeat each other, word for word or nearly?
//!
//! A text is the set of its shingles (see [`crate::text`]); two texts match if enough of these are shared ([`measure`]); groups are the connected components of
//! all matching pairs. The way: read every text once and note its size, a bitmap and entries under a few keys ([`survey`], [`exact`], [`entries`]); join copies;
//! compare what shares a key ([`bucket`]), with a bound from the bitmaps before the texts are read again ([`sets`]); describe each component ([`groups`]).
//!
//! Guarantees. Exact mode: all matching pairs and no others, up to collisions of 64-bit hashes of shingles and 128-bit hashes of texts (two texts of 100 words that
//! nobody made for the purpose are miscounted with a chance of some 5·10⁻¹⁶). The result is a function of the texts and of the order of ids: it depends on no order of rows, batch or thread.
//! Cost: linear in the texts where keys are rare; a group of m copies or letters that match costs about m comparisons. Memory: about 84 bytes a text, 8 an entry, and the sets that are kept ([`join::KEPT`])
//! (at a threshold of 0.8, one entry for five words). No randomness, no I/O.

pub mod align;
pub mod batch;
pub mod bucket;
pub mod counts;
pub mod crew;
pub mod digest;
pub mod entries;
pub mod evidence;
pub mod exact;
mod frequent;
pub mod groups;
pub mod index;
pub mod join;
pub mod measure;
pub mod plan;
pub mod sets;
pub mod sketch;
pub mod stream;
pub mod survey;
pub mod template;
mod tree;
pub mod union;
mod wording;

pub use sets::Sets;

/// The version of what is computed; any change of a result is a new one.
pub const ALGORITHM: &str = "klero-neardup/1";

/// Texts by row, in memory or elsewhere.
pub trait Texts: Sync {
    /// Number of rows.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Looks at a text, which is UTF-8; `scratch` is room for one that is not in memory.
    fn with<R>(&self, row: u32, scratch: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> R) -> R;
}

impl<S: AsRef<[u8]> + Sync> Texts for [S] {
    fn len(&self) -> usize {
        <[S]>::len(self)
    }

    fn with<R>(&self, row: u32, _scratch: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> R) -> R {
        look(self[row as usize].as_ref())
    }
}
