//! A model as bytes, and back: «klero-tfidf-svd/1».
//!
//! | bytes | holds |
//! |---|---|
//! | 18 | the name of the algorithm and a line break |
//! | 4 · 4 | dimension, texts, features m, learnt directions r |
//! | 8 · m | features, ascending |
//! | 4 · m | how many texts have each |
//! | 8 · r | singular values |
//! | 4 · m · r | P, row by row |
//! | 32 | SHA-256 of all before |
//!
//! Numbers are little-endian. The digest finds damage; it is no signature.

use sha2::{Digest, Sha256};

use super::model::{Model, DIMENSIONS, OWN};
use super::vocabulary::{Vocabulary, MOST_FEATURES};
use super::ALGORITHM;

/// Why bytes are no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// They were made by another version.
    #[error("another version")]
    Version,
    /// They were cut off or changed, or are something else.
    #[error("no model, or damaged")]
    Damaged,
}

/// What every version begins with.
const FAMILY: &str = "klero-tfidf-svd/";
/// Bytes that are made before they are handed on.
const PIECE: usize = 1 << 14;

impl Model {
    /// The model as bytes: the same model, the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (m, r) = (self.vocabulary.len(), self.singular.len());
        let mut bytes = Vec::with_capacity(66 + 12 * m + 8 * r + 4 * m * r);
        self.write(|piece| bytes.extend_from_slice(piece));
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        bytes
    }

    /// SHA-256 of the model: the last 32 of its bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut sha = Sha256::new();
        self.write(|piece| sha.update(piece));
        sha.finalize().into()
    }

    fn write(&self, mut sink: impl FnMut(&[u8])) {
        sink(ALGORITHM.as_bytes());
        sink(b"\n");
        let (m, r) = (self.vocabulary.len(), self.singular.len());
        for number in [
            self.dimension as u32,
            self.vocabulary.texts,
            m as u32,
            r as u32,
        ] {
            sink(&number.to_le_bytes());
        }
        pieces(&self.vocabulary.features, |x| x.to_le_bytes(), &mut sink);
        pieces(&self.vocabulary.frequencies, |x| x.to_le_bytes(), &mut sink);
        pieces(&self.singular, |x| x.to_le_bytes(), &mut sink);
        pieces(&self.projection, |x| x.to_le_bytes(), &mut sink);
    }

    /// The model that was made into these bytes.
    ///
    /// # Errors
    /// [`Fault`]: they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let line = bytes.iter().take(40).position(|byte| *byte == b'\n');
        let name = bytes.get(..line.ok_or(Fault::Damaged)?).unwrap_or_default();
        if !name.starts_with(FAMILY.as_bytes()) {
            return Err(Fault::Damaged);
        }
        if name != ALGORITHM.as_bytes() {
            return Err(Fault::Version);
        }
        let (content, digest) = bytes.split_last_chunk::<32>().ok_or(Fault::Damaged)?;
        let own: [u8; 32] = Sha256::digest(content).into();
        if own != *digest {
            return Err(Fault::Damaged);
        }
        let rest = content.get(name.len() + 1..).unwrap_or_default();
        read(rest).ok_or(Fault::Damaged)
    }
}

fn pieces<T, const N: usize>(values: &[T], bytes: fn(&T) -> [u8; N], sink: &mut impl FnMut(&[u8])) {
    let mut piece = Vec::with_capacity(PIECE * N);
    for some in values.chunks(PIECE) {
        piece.clear();
        some.iter()
            .for_each(|value| piece.extend_from_slice(&bytes(value)));
        sink(&piece);
    }
}

/// What comes after the first line; None if it doesn't fit together.
fn read(mut rest: &[u8]) -> Option<Model> {
    let head: Vec<usize> = take(&mut rest, 4, u32::from_le_bytes)?
        .into_iter()
        .map(|number| number as usize)
        .collect();
    let [dimension, texts, m, r] = *head.first_chunk()?;
    let features = take(&mut rest, m, u64::from_le_bytes)?;
    let frequencies = take(&mut rest, m, u32::from_le_bytes)?;
    let singular = take(&mut rest, r, f64::from_le_bytes)?;
    let projection = take(&mut rest, m.checked_mul(r)?, f32::from_le_bytes)?;
    let sound = rest.is_empty()
        && DIMENSIONS.contains(&dimension)
        && r <= dimension - OWN
        && m <= MOST_FEATURES
        && features.windows(2).all(|two| two[0] < two[1])
        && frequencies
            .iter()
            .all(|count| (1..=texts).contains(&(*count as usize)))
        && singular.iter().all(|x| x.is_finite() && *x > 0.0)
        && projection.iter().all(|x| x.is_finite() && x.abs() <= 2.0);
    sound.then(|| Model {
        dimension,
        vocabulary: Vocabulary::new(texts as u32, features, frequencies),
        singular,
        projection,
    })
}

/// So many numbers; nothing is made that the bytes can't fill.
fn take<T, const N: usize>(
    rest: &mut &[u8],
    count: usize,
    read: fn([u8; N]) -> T,
) -> Option<Vec<T>> {
    let (own, after) = rest.split_at_checked(count.checked_mul(N)?)?;
    *rest = after;
    Some(
        own.as_chunks::<N>()
            .0
            .iter()
            .map(|bytes| read(*bytes))
            .collect(),
    )
}
