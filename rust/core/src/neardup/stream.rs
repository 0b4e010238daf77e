//! How are texts grouped that do not fit into memory?
//!
//! As in [`super::join`], with texts, ids and entries kept by the caller (on a disk, say: the core reads and writes no files), and with a narrow
//! bitmap. Batches are added one by one; what stays in memory of a text is its line in the [`Catalogue`]. In sketch mode entries are band keys, made when
//! a text is added. In exact mode the order of shingles needs a sample of all texts, so entries are made at the end, from the texts as they were
//! kept, and only for the first of each set of copies. Then one part of the entries after the other is compared.
//!
//! Guarantees: the same groups, representatives, similarities and weakest edges as [`super::join`] gives for the same texts, since where entries lie
//! changes nothing that is found; in sketch mode, the same whatever the batches, threads and order of rows are.
//! Memory: see [`need`]. A store that fails keeps its fault to itself and hands out nothing; whoever owns it asks it in the end, and then no
//! result counts.

use std::sync::{Arc, Mutex};

use sha2::Digest;

use super::bucket::Work;
use super::crew::Crew;
use super::entries::{row_of, Entry, InMemory, Scatter, Store, PARTS};
use super::groups::{Distinct, Shape, Shaper};
use super::join::{self, compare, components, Exact, Group, Outcome, Settings, ALONE, EMPTY};
use super::plan::Plan;
use super::sets::ReadAgain;
use super::sketch::{Sketcher, SEED};
use super::survey::{Catalogue, Keys};
use super::union::Forest;
use super::{digest, Sets, Texts};
use crate::text::Reader;
use ids::Order;

mod ids;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use ids::{compare_ids, is_number, largest, Ids};

/// Words of a bitmap here: 128 bits rule out most pairs that do not match, at a quarter of the memory of those in [`super::join`].
pub const WIDTH: usize = 2;

/// Which entries texts get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Every matching pair is found.
    Exact,
    /// Every matching pair is found with the chance of this plan.
    Sketch(Plan),
}

/// Band keys as entries.
pub struct Bands(Sketcher);

impl Bands {
    /// The keys of a plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self(Sketcher::new(plan, SEED))
    }
}

impl Keys for Bands {
    type Spare = Option<Sketcher>;

    fn keys(&self, set: &[u64], spare: &mut Self::Spare, mut give: impl FnMut(u64, bool)) -> bool {
        let own = spare.get_or_insert_with(|| self.0.clone());
        own.keys(set, |key| give(key, true));
        false
    }
}

/// [`super::join::join`] by band keys: the groups of texts in memory, each matching pair found with the chance of the plan. None if it was stopped.
pub fn join_by_sketch<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    settings: &Settings,
    plan: Plan,
    ranks: Option<&[u32]>,
) -> Option<Outcome> {
    let mut catalogue = Catalogue::default();
    let scattered = catalogue.extend(crew, texts, settings, &Bands::new(plan))?;
    let store = InMemory::new(scattered);
    join::finish(crew, texts, settings, catalogue, &store, ranks)
}

/// No entries.
struct NoKeys;

impl Keys for NoKeys {
    type Spare = ();

    fn keys(&self, _: &[u64], (): &mut (), _: impl FnMut(u64, bool)) -> bool {
        false
    }
}

/// Keeps bytes by part (there are [`PARTS`]) until they are asked for.
pub trait Spill: Sync {
    /// Keeps more bytes of a part.
    fn put(&self, part: usize, bytes: &[u8]);
    /// Hands out all bytes of a part, in any order, but what was put together comes together. Asked once for each part, which is empty then.
    fn each(&self, part: usize, give: &mut dyn FnMut(&[u8]));
    /// Bytes kept of a part.
    fn size(&self, part: usize) -> u64;
    /// Whether anything went wrong.
    fn failed(&self) -> bool;
}

impl<S: Spill + Send> Spill for Arc<S> {
    fn put(&self, part: usize, bytes: &[u8]) {
        S::put(self, part, bytes);
    }

    fn each(&self, part: usize, give: &mut dyn FnMut(&[u8])) {
        S::each(self, part, give);
    }

    fn size(&self, part: usize) -> u64 {
        S::size(self, part)
    }

    fn failed(&self) -> bool {
        S::failed(self)
    }
}

const BYTES: usize = size_of::<Entry>();

/// Bytes that `rows` texts need at most while they are grouped, beyond what the caller keeps of them: a line of the catalogue and carriers; while they are
/// compared a tree, and of `entries` entries a text either a part with a key that all texts have, or for each thread a part of twice the mean size; while
/// groups are described their members, what is found, and all that is held of one group that has all texts, with ids of up to 12 bytes; and the fixed
/// buffers of threads. Beyond that a thread holds what it reads of its longest text (see [`crate::text`]).
#[must_use]
pub fn need(rows: u64, entries: u64, threads: u64) -> u64 {
    let line = 4 + 8 * WIDTH as u64 + 16 + 4;
    // An entry, its member of the crowd, in the queue, and a root that joined.
    let entry = 8 + 12 + 8 + 4;
    let comparing = 4 + entry.max(2 * entries * entry * threads / PARTS as u64);
    // The distinct text; its id, where that ends and its place, or what it shares, its similarity and its number.
    let one = 16 + 24;
    let describing = 4 + 4 + 8 + one;
    rows * (line + comparing.max(describing)) + threads * (80 << 20)
}

/// What was found.
pub struct Found {
    /// The groups, in the order of their first rows.
    pub groups: Vec<Group>,
    /// The group of each row, or [`ALONE`], or [`EMPTY`].
    pub group: Vec<u32>,
    /// The similarity of each row to its group's representative; NaN where there is no group.
    pub similarity: Vec<f64>,
    /// 128 bits of each row's sequence of words.
    pub sequences: Vec<u128>,
    /// How much was compared.
    pub work: Work,
    /// Number of different sequences of words among all texts that have words.
    pub distinct: u64,
    /// How many texts had invisible characters.
    pub invisible: u64,
    /// How many texts had letters of another script inside Latin words.
    pub lookalike: u64,
}

/// Texts that are added batch by batch, and then grouped.
pub struct Stream<S: Spill> {
    settings: Settings,
    early: Option<(Plan, Bands)>,
    catalogue: Catalogue<WIDTH>,
    spill: S,
}

impl<S: Spill> Stream<S> {
    /// No texts yet. With a plan, texts are entered under its band keys when they are added; without one, in the end, which reads them once more.
    pub fn new(settings: Settings, early: Option<Plan>, spill: S) -> Self {
        Self {
            settings,
            early: early.map(|plan| (plan, Bands::new(plan))),
            catalogue: Catalogue::default(),
            spill,
        }
    }

    /// Texts added so far.
    pub fn rows(&self) -> usize {
        self.catalogue.sizes.len()
    }

    /// Adds texts, which become the next rows. None if it was stopped.
    pub fn add<T: Texts + ?Sized>(&mut self, crew: &Crew<'_>, texts: &T) -> Option<()> {
        let how = &self.settings;
        let scattered = match &self.early {
            Some((_, bands)) => self.catalogue.extend(crew, texts, how, bands),
            None => self.catalogue.extend(crew, texts, how, &NoKeys),
        };
        self.put(scattered?);
        Some(())
    }

    fn put(&self, scattered: Vec<Scatter>) {
        let mut bytes = Vec::new();
        for scatter in scattered {
            scatter.drain(|part, entries| {
                bytes.clear();
                bytes.extend(entries.iter().flat_map(|entry| entry.to_le_bytes()));
                self.spill.put(part, &bytes);
            });
        }
    }

    /// Groups what was added; `texts` and `ids` hold it by row. None if it was stopped, the spill failed, or band keys were entered for another mode.
    pub fn finish<T: Texts + ?Sized, I: Ids>(
        self,
        crew: &Crew<'_>,
        texts: &T,
        ids: &I,
        mode: Mode,
    ) -> Option<Found> {
        let carriers = self.catalogue.carriers(crew)?;
        match (&self.early, mode) {
            (Some((early, _)), Mode::Sketch(plan)) if *early == plan => {}
            (Some(_), _) => return None,
            (None, Mode::Sketch(plan)) => self.enter(crew, texts, &carriers, &Bands::new(plan))?,
            (None, Mode::Exact) => {
                let keys = Exact::for_texts(crew, texts, &self.settings)?;
                self.enter(crew, texts, &carriers, &keys)?;
            }
        }
        let catalogue = &self.catalogue;
        let forest = Forest::of_copies(&carriers);
        let rows = catalogue.rows(crew, &carriers, &forest, self.settings.rule);
        let sizes: Vec<u64> = (0..PARTS).map(|part| self.spill.size(part)).collect();
        let limit = 2 * sizes.iter().sum::<u64>() / PARTS as u64;
        let store = |hot| Carried {
            spill: &self.spill,
            carriers: &carriers,
            taken: sizes.iter().map(|size| (*size > limit) == hot).collect(),
        };
        let reading = self.settings.reading;
        // A part with a key of very many texts takes as much memory as all others: one at a time.
        let alone = Crew {
            threads: 1,
            ..*crew
        };
        let mut work = compare(&alone, texts, reading, &rows, &store(true))?;
        work.add(&compare(crew, texts, reading, &rows, &store(false))?);
        if self.spill.failed() {
            return None;
        }
        let distinct = catalogue.distinct(&carriers);
        let (groups, group, similarity) = self.describe(crew, texts, ids, &carriers, forest)?;
        Some(Found {
            groups,
            group,
            similarity,
            work,
            distinct,
            invisible: self.catalogue.invisible,
            lookalike: self.catalogue.lookalike,
            sequences: self.catalogue.sequences,
        })
    }

    /// Enters all texts but copies.
    fn enter<T: Texts + ?Sized, K: Keys>(
        &self,
        crew: &Crew<'_>,
        texts: &T,
        carriers: &[u32],
        keys: &K,
    ) -> Option<()> {
        const BLOCK: usize = 256;
        /// Blocks after which entries are put away: about 64,000 texts.
        const ROUND: usize = 256;
        let blocks = carriers.len().div_ceil(BLOCK);
        for first in (0..blocks).step_by(ROUND) {
            let hand = || {
                let reader = Reader::new(self.settings.reading);
                let (room, spare) = (Vec::new(), K::Spare::default());
                (reader, room, spare, Scatter::default())
            };
            let more = ROUND.min(blocks - first);
            let work =
                |(reader, room, spare, scatter): &mut (Reader, Vec<u8>, K::Spare, Scatter),
                 block: usize| {
                    let start = (first + block) * BLOCK;
                    let some = (start as u32..).zip(carriers.iter().skip(start).take(BLOCK));
                    // Not copies, nor what is empty.
                    let alone = some.filter(|(row, carrier)| row == *carrier);
                    let wordy = alone.filter(|(row, _)| self.catalogue.sizes[*row as usize] > 0);
                    for (row, _) in wordy {
                        texts.with(row, room, |text| {
                            let set = reader.read(text).shingles;
                            keys.keys(set, spare, |key, asks| scatter.push(key, row, asks));
                        });
                    }
                };
            let hands = crew.share("keys", more, hand, work)?;
            if self.spill.failed() {
                return None;
            }
            self.put(hands.into_iter().map(|hand| hand.3).collect());
        }
        Some(())
    }

    /// What every component looks like.
    fn describe<T: Texts + ?Sized, I: Ids>(
        &self,
        crew: &Crew<'_>,
        texts: &T,
        ids: &I,
        carriers: &[u32],
        forest: Forest,
    ) -> Option<(Vec<Group>, Vec<u32>, Vec<f64>)> {
        const BLOCK: usize = 64;
        let catalogue = &self.catalogue;
        let (members, ends) = components(&catalogue.sizes, &forest);
        drop(forest);
        let lone = |size: &u32| if *size == 0 { EMPTY } else { ALONE };
        let group: Vec<u32> = catalogue.sizes.iter().map(lone).collect();
        let similarity = vec![f64::NAN; group.len()];
        let nothing = Group {
            name: 0,
            representative: 0,
            size: 0,
            distinct: 0,
            weakest: 0.0,
        };
        let results = Mutex::new((vec![nothing; ends.len()], group, similarity));
        let hand = || {
            let shaper = Shaper::new(
                self.settings.rule,
                &catalogue.sizes,
                &catalogue.bitmaps,
                crew.stop,
            );
            let sets = ReadAgain::new(texts, self.settings.reading, &catalogue.kept);
            (sets, shaper, Order::new(ids))
        };
        let blocks = ends.len().div_ceil(BLOCK);
        crew.share(
            "describing",
            blocks,
            hand,
            |(sets, shaper, order), block| {
                for i in block * BLOCK..ends.len().min((block + 1) * BLOCK) {
                    let start = if i == 0 { 0 } else { ends[i - 1] };
                    let members = &members[start..ends[i]];
                    let (found, texts, shape) = one(members, carriers, order, shaper, sets);
                    // Each group writes what is its own, so who comes first does not matter.
                    let Ok(mut results) = results.lock() else {
                        return;
                    };
                    let (groups, group, similarity) = &mut *results;
                    for row in members {
                        let carrier = carriers[*row as usize];
                        let at = texts.binary_search_by_key(&carrier, |text| text.carrier);
                        group[*row as usize] = i as u32;
                        similarity[*row as usize] =
                            at.map_or(f64::NAN, |at| shape.similarities[at]);
                    }
                    groups[i] = found;
                }
            },
        )?;
        results.into_inner().ok()
    }
}

/// The fingerprint of [`super::digest`], its entries sorted part by part in `spill`. None if it was stopped or the spill failed.
pub fn fingerprint<I: Ids, S: Spill>(
    crew: &Crew<'_>,
    head: &[u8],
    ids: &I,
    sequences: &[u128],
    spill: &S,
) -> Option<digest::Entry> {
    const BLOCK: usize = 4096;
    let blocks = sequences.len().div_ceil(BLOCK);
    crew.share("fingerprint", blocks, Vec::new, |scratch, block| {
        let first = block * BLOCK;
        for (row, sequence) in (first..).zip(sequences.iter().skip(first).take(BLOCK)) {
            let entry = ids.with(row as u32, scratch, |id| digest::entry(id, *sequence));
            spill.put(usize::from(entry[0]), &entry);
        }
    })?;
    let mut hash = digest::begin(head, sequences.len());
    for part in 0..PARTS {
        let mut entries: Vec<digest::Entry> = Vec::new();
        spill.each(part, &mut |piece| {
            let read = |bytes: &[u8]| -> digest::Entry { bytes.try_into().unwrap_or_default() };
            entries.extend(piece.chunks_exact(size_of::<digest::Entry>()).map(read));
        });
        entries.sort_unstable();
        hash.update(entries.as_flattened());
    }
    (!spill.failed()).then(|| hash.finalize().into())
}

/// Entries of rows that carry their copies, as a store.
struct Carried<'a, S> {
    spill: &'a S,
    carriers: &'a [u32],
    /// Which parts are handed out.
    taken: Vec<bool>,
}

impl<S: Spill> Store for Carried<'_, S> {
    fn take(&self, part: usize) -> Vec<Entry> {
        let mut entries = Vec::new();
        if self.taken.get(part) != Some(&true) {
            return entries;
        }
        let carries = |entry: &Entry| {
            let row = row_of(*entry);
            self.carriers.get(row as usize) == Some(&row)
        };
        self.spill.each(part, &mut |piece| {
            let read = |bytes: &[u8]| bytes.try_into().map_or(0, Entry::from_le_bytes);
            entries.extend(piece.chunks_exact(BYTES).map(read).filter(carries));
        });
        entries
    }
}

/// Describes one group: also its distinct texts by carrier, and their shape.
fn one<S: Sets, I: Ids>(
    members: &[u32],
    carriers: &[u32],
    order: &mut Order<'_, I>,
    shaper: &mut Shaper<'_, WIDTH>,
    sets: &mut S,
) -> (Group, Vec<Distinct>, Shape) {
    let carried = |row: &u32| (carriers[*row as usize], *row);
    let mut sorted: Vec<(u32, u32)> = members.iter().map(carried).collect();
    sorted.sort_unstable();
    let mut texts: Vec<Distinct> = sorted
        .chunk_by(|a, b| a.0 == b.0)
        .map(|copies| Distinct {
            carrier: copies[0].0,
            copies: copies.len() as u32,
            smallest: order.smallest(copies.iter().map(|(_, row)| *row)),
            rank: 0,
        })
        .collect();
    drop(sorted);
    let name = order.rank(&mut texts);
    let shape = shaper.shape(&texts, sets);
    let group = Group {
        name,
        representative: texts[shape.medoid].smallest,
        size: members.len() as u32,
        distinct: texts.len() as u32,
        weakest: shape.weakest,
    };
    (group, texts, shape)
}
