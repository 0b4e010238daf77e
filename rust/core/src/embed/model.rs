//! The model that fits a set of texts, and the vectors it gives.
//!
//! The last [`OWN`] numbers of a vector are not learnt. A decomposition knows nothing of a word that no other text has: whoever speaks of something new would be placed by their small words, among
//! people of whom they are not. So what is beyond the vocabulary goes, at half its weight, into directions that its features' hashes give (Johnson and Lindenstrauss 1984): it moves a text away from all
//! others, by as much as it is new, and later texts with the same new words towards each other.

use std::sync::Mutex;

use super::features::{is_word, Count, Features, Identity};
use super::log::ln;
use super::reduce::reduce;
use super::sparse::{Block, Sparse};
use super::tall::{Tall, WIDTH};
use super::vocabulary::{rows_of, Vocabulary};
use super::{BLOCK, FIT_TEXTS};
use crate::neardup::crew::Crew;
use crate::neardup::Texts;
use crate::random::split_mix;

/// Numbers in a vector, if nobody asks for another number.
pub const DIMENSION: usize = 384;
/// Of these, numbers for what no other text has.
pub const OWN: usize = 32;
/// The dimensions that can be asked for.
pub const DIMENSIONS: std::ops::RangeInclusive<usize> = 64..=1024;
/// Length of the part that words have in a row where that of the runs of letters is 1.
const WORDS: f64 = 0.7;
/// How much of the weight of what is beyond the vocabulary counts.
const BEYOND: f64 = 0.5;
/// A row of which the learnt directions keep less than this share of the square stands on its own features.
const LOST: f64 = 1e-6;

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Numbers in a vector.
    pub dimension: usize,
    /// Its features.
    pub vocabulary: Vocabulary,
    /// The singular values, descending, one for each learnt direction: at most `dimension` − [`OWN`].
    pub singular: Vec<f64>,
    /// For each feature its row of P.
    pub projection: Vec<f32>,
}

/// The weights of one text.
#[derive(Debug, Default)]
struct Row {
    /// Places in the vocabulary.
    known: Vec<(u32, f64)>,
    /// Features beyond it.
    beyond: Vec<(u64, f64)>,
    places: Vec<(Option<u32>, f64)>,
}

impl Model {
    /// Fits a model to texts; `dimension` is taken into [`DIMENSIONS`]. None if the watcher stopped it.
    pub fn fit<T: Texts + ?Sized>(crew: &Crew<'_>, texts: &T, dimension: usize) -> Option<Self> {
        let dimension = dimension.clamp(*DIMENSIONS.start(), *DIMENSIONS.end());
        let rows = distinct(crew, texts)?;
        let vocabulary = Vocabulary::count(crew, texts, &rows)?;
        let sample = rows.get(..rows.len().min(FIT_TEXTS)).unwrap_or_default();
        let weights = weigh(crew, texts, sample, &vocabulary)?;
        let (projection, singular) = reduce(crew, &weights, &vocabulary.features, dimension - OWN)?;
        let projection = by_rows(&projection, singular.len());
        Some(Self {
            dimension,
            vocabulary,
            singular,
            projection,
        })
    }

    /// The vectors of texts, row by row; a text without words has zeros alone. None if the watcher stopped it.
    pub fn transform<T: Texts + ?Sized>(&self, crew: &Crew<'_>, texts: &T) -> Option<Vec<f32>> {
        let mut vectors = vec![0.0; texts.len() * self.dimension];
        let parts = vectors.chunks_mut(self.dimension * BLOCK);
        let parts: Vec<_> = parts.map(Mutex::new).collect();
        crew.share(
            "embedding",
            parts.len(),
            || (Features::default(), Row::default(), Vec::new()),
            |(features, row, scratch), block| {
                let Some(Ok(mut part)) = parts.get(block).map(Mutex::lock) else {
                    return;
                };
                for (at, out) in part.chunks_exact_mut(self.dimension).enumerate() {
                    let text = (block * BLOCK + at) as u32;
                    let counts = texts.with(text, scratch, |text| features.read(text));
                    row.fill(counts, &self.vocabulary);
                    self.project(row, out);
                }
            },
        )?;
        drop(parts);
        Some(vectors)
    }

    /// The row times P, and what is beyond the vocabulary in directions of its own; at unit length.
    fn project(&self, row: &Row, out: &mut [f32]) {
        let learnt = self.singular.len();
        for (place, weight) in &row.known {
            let start = *place as usize * learnt;
            let from = self.projection.get(start..start + learnt);
            let pairs = out.iter_mut().zip(from.unwrap_or_default());
            let weight = *weight as f32;
            pairs.for_each(|(sum, x)| *sum += weight * x);
        }
        let kept = square(out);
        let own = out.get_mut(self.dimension - OWN..).unwrap_or_default();
        for (feature, weight) in &row.beyond {
            stand_apart(own, *feature, *weight);
        }
        if kept < LOST {
            for (place, weight) in &row.known {
                let feature = self.vocabulary.features.get(*place as usize);
                stand_apart(own, feature.copied().unwrap_or_default(), *weight);
            }
        }
        let length = square(out).sqrt();
        if length > 0.0 {
            let places = out.iter_mut();
            places.for_each(|x| *x = (f64::from(*x) / length) as f32);
        }
    }
}

fn square(numbers: &[f32]) -> f64 {
    numbers
        .iter()
        .fold(0.0, |sum, x| sum + f64::from(*x) * f64::from(*x))
}

/// Adds the direction of a feature: signs that its number gives.
fn stand_apart(own: &mut [f32], feature: u64, weight: f64) {
    let size = (BEYOND / (OWN as f64).sqrt() * weight) as f32;
    let bits = split_mix(feature);
    for (at, sum) in own.iter_mut().enumerate() {
        *sum += if bits >> at & 1 == 0 { size } else { -size };
    }
}

impl Row {
    /// Weighs (1 + ln count) · inverse frequency, with words and runs each brought to their length and the whole to 1. What is beyond the vocabulary counts as if one text had it.
    fn fill(&mut self, counts: &[Count], vocabulary: &Vocabulary) {
        let unseen = vocabulary.inverse_frequency(1);
        let mut squares = [0.0f64; 2];
        self.places.clear();
        for (feature, count) in counts {
            let place = vocabulary.place(*feature);
            let rarity = place.map_or(unseen, |place| vocabulary.rarity(place));
            let weight = tempered(*count) * rarity;
            squares[usize::from(is_word(*feature))] += weight * weight;
            self.places.push((place, weight));
        }
        let scales = scales(squares);
        self.known.clear();
        self.beyond.clear();
        for ((feature, _), (place, weight)) in counts.iter().zip(&self.places) {
            let weight = weight * scales[usize::from(is_word(*feature))];
            match place {
                Some(place) => self.known.push((*place, weight)),
                None => self.beyond.push((*feature, weight)),
            }
        }
    }
}

/// A word that comes back weighs more, but not as often as it comes.
fn tempered(count: u32) -> f64 {
    if count == 1 {
        1.0
    } else {
        1.0 + ln(f64::from(count))
    }
}

/// What brings runs and words to their lengths, given the squares of these.
fn scales(squares: [f64; 2]) -> [f64; 2] {
    let wanted = [1.0, WORDS];
    let both = squares
        .iter()
        .zip(wanted)
        .filter(|(square, _)| **square > 0.0);
    let whole = both
        .fold(0.0, |sum, (_, wanted)| sum + wanted * wanted)
        .sqrt();
    std::array::from_fn(|kind| match squares[kind] {
        square if square > 0.0 => wanted[kind] / (square.sqrt() * whole),
        _ => 0.0,
    })
}

/// The rows of different texts that have words, ascending by identity; of copies, the first.
fn distinct<T: Texts + ?Sized>(crew: &Crew<'_>, texts: &T) -> Option<Vec<u32>> {
    let states = crew.share(
        "reading",
        texts.len().div_ceil(BLOCK),
        || (Features::default(), Vec::new(), Vec::new()),
        |(features, scratch, found): &mut (_, Vec<u8>, Vec<(Identity, u32)>), block| {
            let features: &mut Features = features;
            for row in block * BLOCK..texts.len().min((block + 1) * BLOCK) {
                let row = row as u32;
                let identity = texts.with(row, scratch, |text| features.identity(text));
                found.extend(identity.map(|identity| (identity, row)));
            }
        },
    )?;
    let mut all: Vec<_> = states.into_iter().flat_map(|(_, _, found)| found).collect();
    all.sort_unstable();
    all.dedup_by_key(|(identity, _)| *identity);
    Some(all.into_iter().map(|(_, row)| row).collect())
}

/// The weights of these texts, in this order.
fn weigh<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    rows: &[u32],
    vocabulary: &Vocabulary,
) -> Option<Sparse> {
    let states = crew.share(
        "weighing",
        rows.len().div_ceil(BLOCK),
        || (Features::default(), Row::default(), Vec::new(), Vec::new()),
        |(features, row, scratch, blocks), at| {
            let mut block = Block::default();
            for text in rows_of(rows, at) {
                let counts = texts.with(*text, scratch, |text| features.read(text));
                row.fill(counts, vocabulary);
                let known = &row.known;
                block.columns.extend(known.iter().map(|(place, _)| place));
                block
                    .weights
                    .extend(known.iter().map(|(_, weight)| *weight as f32));
                block.ends.push(block.columns.len() as u32);
            }
            blocks.push((at, block));
        },
    )?;
    let mut blocks: Vec<_> = states.into_iter().flat_map(|state| state.3).collect();
    blocks.sort_unstable_by_key(|(at, _)| *at);
    Some(Sparse {
        blocks: blocks.into_iter().map(|(_, block)| block).collect(),
        rows: rows.len(),
        columns: vocabulary.len(),
    })
}

/// The first `columns` columns, row by row.
fn by_rows(matrix: &Tall, columns: usize) -> Vec<f32> {
    let mut flat = vec![0.0; matrix.rows * columns];
    for (at, row) in flat.chunks_exact_mut(columns.max(1)).enumerate() {
        for (out, slice) in row.chunks_mut(WIDTH).zip(&matrix.slices) {
            let from = slice.get(at).map(<[f32; WIDTH]>::as_slice);
            let pairs = out.iter_mut().zip(from.unwrap_or_default());
            pairs.for_each(|(to, from)| *to = *from);
        }
    }
    flat
}
