//! The whole way from texts to groups.

use super::bucket::{Matcher, Rows, Work};
use super::crew::Crew;
use super::entries::{sorted, InMemory, Store, PARTS};
use super::exact::{self, Asked, Order};
use super::groups::{Distinct, Shape, Shaper};
use super::measure::{Measure, Rule};
use super::sets::ReadAgain;
use super::survey::{Catalogue, Keys};
use super::union::Forest;
use super::{Sets, Texts};
use crate::text::{Reader, Reading};

/// Shingles a text that are kept in memory by default.
pub const KEPT: usize = 32;

/// How texts are read and which of them match.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How a text becomes a set.
    pub reading: Reading,
    /// Which sets match.
    pub rule: Rule,
    /// How many shingles a text, on average, may be kept in memory for texts that will surely be compared.
    pub kept: usize,
}

/// In [`Outcome::group`]: a text that nothing matches.
pub const ALONE: u32 = u32::MAX;
/// In [`Outcome::group`]: a text without words.
pub const EMPTY: u32 = u32::MAX - 1;

/// One group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Row of the smallest id.
    pub name: u32,
    /// Row of the representative.
    pub representative: u32,
    /// Number of members.
    pub size: u32,
    /// Number of different sequences of words.
    pub distinct: u32,
    /// Similarity of the weakest link of its tree.
    pub weakest: f64,
}

/// Groups, largest first, then by name; and what became of every row.
pub struct Outcome {
    /// The groups.
    pub groups: Vec<Group>,
    /// The group of each row, or [`ALONE`], or [`EMPTY`].
    pub group: Vec<u32>,
    /// The similarity of each row to its group's representative; NaN where there is no group.
    pub similarity: Vec<f64>,
    /// How much was compared.
    pub work: Work,
    /// What was noted of every row.
    pub catalogue: Catalogue,
    /// Number of different sequences of words among all texts that have words.
    pub distinct: u64,
}

/// Keys of exact mode.
pub struct Exact {
    /// Which pairs match.
    pub rule: Rule,
    /// The order of shingles.
    pub order: Order,
    /// Under containment: what somebody asks for.
    pub asked: Option<Asked>,
}

impl Keys for Exact {
    type Spare = exact::Room;

    fn keys(&self, set: &[u64], spare: &mut Self::Spare, give: impl FnMut(u64, bool)) -> bool {
        exact::entries(
            &self.rule,
            &self.order,
            self.asked.as_ref(),
            set,
            spare,
            give,
        )
    }
}

/// The shingles of the texts that the order comes from, and how many texts these are. None if it was stopped.
fn sampled<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    reading: Reading,
) -> Option<(Vec<u64>, usize)> {
    const BLOCK: usize = 64;
    /// Of a very long text, as much as a long one has: what is frequent shows in many texts, not in one.
    const LONGEST: usize = 4096;
    let size = (texts.len() / 32).clamp(1024, 16_384).min(texts.len());
    let hand = || (Reader::new(reading), Vec::new(), Vec::new());
    let hands = crew.share("sampling", size.div_ceil(BLOCK), hand, |hand, block| {
        let (reader, scratch, shingles) = hand;
        for i in block * BLOCK..size.min((block + 1) * BLOCK) {
            let row = (i as u64 * texts.len() as u64) / size as u64;
            texts.with(row as u32, scratch, |text| {
                shingles.extend(reader.read(text).shingles.iter().take(LONGEST));
            });
        }
    })?;
    let shingles: Vec<Vec<u64>> = hands.into_iter().map(|(_, _, shingles)| shingles).collect();
    Some((shingles.concat(), size))
}

impl Exact {
    /// The keys for these texts. None if it was stopped.
    pub fn for_texts<T: Texts + ?Sized>(
        crew: &Crew<'_>,
        texts: &T,
        settings: &Settings,
    ) -> Option<Self> {
        let (shingles, size) = sampled(crew, texts, settings.reading)?;
        let order = Order::of_sample(shingles, size, crew.threads);
        let rule = settings.rule;
        let asked = match rule.measure {
            Measure::Jaccard => None,
            Measure::Containment => Some(asked(crew, texts, settings, &order)?),
        };
        Some(Self { rule, order, asked })
    }
}

/// What texts ask for under containment.
fn asked<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    settings: &Settings,
    order: &Order,
) -> Option<Asked> {
    const BLOCK: usize = 1024;
    let asked = Asked::new(texts.len().saturating_mul(32));
    let hand = || {
        (
            Reader::new(settings.reading),
            Vec::new(),
            exact::Room::default(),
        )
    };
    crew.share(
        "asking",
        texts.len().div_ceil(BLOCK),
        hand,
        |(reader, scratch, spare), block| {
            for row in block * BLOCK..texts.len().min((block + 1) * BLOCK) {
                texts.with(row as u32, scratch, |text| {
                    let set = reader.read(text).shingles;
                    exact::entries(&settings.rule, order, None, set, spare, |key, _| {
                        asked.note(key)
                    });
                });
            }
        },
    )?;
    Some(asked)
}

/// The groups of texts in memory, exactly. `ranks` are the positions of ids in their order, if rows are not in it. None if it was stopped.
pub fn join<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    settings: &Settings,
    ranks: Option<&[u32]>,
) -> Option<Outcome> {
    let keys = Exact::for_texts(crew, texts, settings)?;
    let mut catalogue = Catalogue::default();
    let scattered = catalogue.extend(crew, texts, settings, &keys)?;
    drop(keys);
    finish(
        crew,
        texts,
        settings,
        catalogue,
        &InMemory::new(scattered),
        ranks,
    )
}

/// Compares what shares a key, and describes the groups. None if it was stopped.
pub fn finish<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    settings: &Settings,
    catalogue: Catalogue,
    store: &dyn Store,
    ranks: Option<&[u32]>,
) -> Option<Outcome> {
    let carriers = catalogue.carriers(crew)?;
    let forest = Forest::of_copies(&carriers);
    let rows = catalogue.rows(crew, &carriers, &forest, settings.rule);
    let work = compare(crew, texts, settings.reading, &rows, store)?;
    let distinct = catalogue.distinct(&carriers);
    let (groups, group, similarity) =
        describe(crew, texts, settings, &catalogue, &carriers, &forest, ranks)?;
    Some(Outcome {
        groups,
        group,
        similarity,
        work,
        catalogue,
        distinct,
    })
}

/// Joins what shares a key and matches. None if it was stopped.
pub(super) fn compare<T: Texts + ?Sized, const W: usize>(
    crew: &Crew<'_>,
    texts: &T,
    reading: Reading,
    rows: &Rows<'_, W>,
    store: &dyn Store,
) -> Option<Work> {
    let hand = || {
        (
            ReadAgain::new(texts, reading, rows.kept),
            Vec::new(),
            Work::default(),
        )
    };
    let hands = crew.share("comparing", PARTS, hand, |(sets, seen, work), part| {
        let entries = sorted(store.take(part), seen);
        let mut matcher = Matcher::new(rows, sets);
        matcher.part(&entries);
        work.add(&matcher.work);
    })?;
    let mut work = Work::default();
    hands.iter().for_each(|(_, _, more)| work.add(more));
    Some(work)
}

/// Components with two members or more: their members one component after the other, and where each ends.
pub(super) fn components(sizes: &[u32], forest: &Forest) -> (Vec<u32>, Vec<usize>) {
    let rows = sizes.len() as u32;
    // First the size of each component at its root, then the place of its next member.
    let mut place = vec![0u32; sizes.len()];
    let wordy = || (0..rows).filter(|row| sizes[*row as usize] > 0);
    wordy().for_each(|row| place[forest.find(row) as usize] += 1);
    let (mut total, mut ends) = (0u32, Vec::new());
    for slot in &mut place {
        let size = *slot;
        *slot = if size > 1 { total } else { u32::MAX };
        if size > 1 {
            total += size;
            ends.push(total as usize);
        }
    }
    let mut members = vec![0u32; total as usize];
    for row in wordy() {
        let slot = &mut place[forest.find(row) as usize];
        if *slot != u32::MAX {
            members[*slot as usize] = row;
            *slot += 1;
        }
    }
    (members, ends)
}

type Described = (Vec<Group>, Vec<u32>, Vec<f64>);

fn describe<T: Texts + ?Sized>(
    crew: &Crew<'_>,
    texts: &T,
    settings: &Settings,
    catalogue: &Catalogue,
    carriers: &[u32],
    forest: &Forest,
    ranks: Option<&[u32]>,
) -> Option<Described> {
    const BLOCK: usize = 64;
    let (members, ends) = components(&catalogue.sizes, forest);
    let start = |i: usize| if i == 0 { 0 } else { ends[i - 1] };
    let rank = |row: u32| ranks.map_or(row, |ranks| ranks[row as usize]);
    let hand = || {
        let shaper = Shaper::new(
            settings.rule,
            &catalogue.sizes,
            &catalogue.bitmaps,
            crew.stop,
        );
        (
            ReadAgain::new(texts, settings.reading, &catalogue.kept),
            shaper,
            Vec::new(),
        )
    };
    let hands = crew.share(
        "describing",
        ends.len().div_ceil(BLOCK),
        hand,
        |(sets, shaper, made), block| {
            for i in block * BLOCK..ends.len().min((block + 1) * BLOCK) {
                made.push((
                    i,
                    one(&members[start(i)..ends[i]], carriers, &rank, shaper, sets),
                ));
            }
        },
    )?;
    let mut made: Vec<(usize, (Group, Vec<f64>))> =
        hands.into_iter().flat_map(|(_, _, made)| made).collect();
    made.sort_unstable_by_key(|(_, (group, _))| (std::cmp::Reverse(group.size), rank(group.name)));
    let lone = |size: &u32| if *size == 0 { EMPTY } else { ALONE };
    let mut group: Vec<u32> = catalogue.sizes.iter().map(lone).collect();
    let mut similarity = vec![f64::NAN; group.len()];
    let mut groups = Vec::with_capacity(made.len());
    for (number, (i, (found, similarities))) in made.into_iter().enumerate() {
        for (row, value) in members[start(i)..ends[i]].iter().zip(similarities) {
            group[*row as usize] = number as u32;
            similarity[*row as usize] = value;
        }
        groups.push(found);
    }
    Some((groups, group, similarity))
}

/// Describes one group; the similarities are those of its members as they are given.
fn one<S: Sets>(
    members: &[u32],
    carriers: &[u32],
    rank: &impl Fn(u32) -> u32,
    shaper: &mut Shaper<'_>,
    sets: &mut S,
) -> (Group, Vec<f64>) {
    let mut sorted: Vec<(u32, u32, u32)> = members
        .iter()
        .map(|row| (carriers[*row as usize], rank(*row), *row))
        .collect();
    sorted.sort_unstable();
    let texts: Vec<Distinct> = sorted
        .chunk_by(|a, b| a.0 == b.0)
        .map(|copies| Distinct {
            carrier: copies[0].0,
            copies: copies.len() as u32,
            smallest: copies[0].2,
            rank: copies[0].1,
        })
        .collect();
    let Shape {
        medoid,
        similarities,
        weakest,
    } = shaper.shape(&texts, sets);
    let name = sorted
        .iter()
        .min_by_key(|(_, rank, _)| *rank)
        .map_or(0, |(_, _, row)| *row);
    let of = |row: &u32| {
        texts
            .binary_search_by_key(&carriers[*row as usize], |text| text.carrier)
            .map_or(f64::NAN, |i| similarities[i])
    };
    let group = Group {
        name,
        representative: texts[medoid].smallest,
        size: members.len() as u32,
        distinct: texts.len() as u32,
        weakest,
    };
    (group, members.iter().map(of).collect())
}
