//! What does a group look like: who stands for it, and how firmly does it hold together?
//!
//! The *representative* is the medoid under the symmetric difference: the member whose set differs least from all others' together. With m members and
//! df(s) of them holding shingle s, member x differs from all in m|x| + const − 2 Σ_{s∈x} df(s) places, so the medoid has the largest
//! Σ_{s∈x} (2 df(s) − m): one count of shingles, exact whole numbers, linear in the group. Of a letter with personal paragraphs it is the purest copy.
//!
//! The *weakest edge*: members that match the representative are tied to it; the others, layer by layer, to the most similar member of the layer
//! before that they match. Every member is tied to the representative by a chain of links at least as similar as the weakest one.
//! Both are functions of the set of texts and ids, not of the order in which matches were found.

use super::counts::Counts;
use super::crew::Stop;
use super::measure::{shared, Bitmap, Rule, WORDS};
use super::{tree, Sets};

/// A distinct text of a group.
#[derive(Clone, Copy, Debug)]
pub struct Distinct {
    /// The row that stands for all copies.
    pub carrier: u32,
    /// How many copies there are.
    pub copies: u32,
    /// Of the copies, the one with the smallest id, and that id's rank.
    pub smallest: u32,
    /// Its rank.
    pub rank: u32,
}

/// One group, its distinct texts in the order of `Distinct` given.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Position of the representative among the distinct texts.
    pub medoid: usize,
    /// The similarity of each distinct text to the representative.
    pub similarities: Vec<f64>,
    /// Similarity of the weakest link of the tree.
    pub weakest: f64,
}

/// Sets of a group are kept while they have at most so many members together (16 MB), and read anew where they have more.
const KEPT: usize = 2 << 20;

/// Different shingles that are counted at a time (32 MB). Where a group has more, they are counted in parts, by some bits of their hashes, with one reading of all
/// texts for each part.
const COUNTED: usize = 1_000_000;
const MOST_PARTS: u64 = 1 << 12;

/// Looks at groups; holds room that is used again.
pub struct Shaper<'a, const W: usize = WORDS> {
    rule: Rule,
    sizes: &'a [u32],
    bitmaps: &'a [Bitmap<W>],
    stop: &'a Stop,
    counts: Counts,
    counted: usize,
    kept: Vec<u64>,
    ends: Vec<usize>,
}

impl<'a, const W: usize> Shaper<'a, W> {
    /// A shaper for rows of these sizes and bitmaps, whose results are worthless once `stop` is set.
    #[must_use]
    pub fn new(rule: Rule, sizes: &'a [u32], bitmaps: &'a [Bitmap<W>], stop: &'a Stop) -> Self {
        let (counts, kept, ends) = (Counts::default(), Vec::new(), Vec::new());
        Self {
            rule,
            sizes,
            bitmaps,
            stop,
            counts,
            counted: COUNTED,
            kept,
            ends,
        }
    }

    /// The shape of a group with these distinct texts, at least one.
    pub fn shape<S: Sets>(&mut self, texts: &[Distinct], sets: &mut S) -> Shape {
        if texts.len() == 1 {
            return Shape {
                medoid: 0,
                similarities: vec![1.0],
                weakest: 1.0,
            };
        }
        let room = texts
            .iter()
            .map(|text| self.sizes[text.carrier as usize] as usize)
            .sum::<usize>();
        self.keep(texts, sets, room);
        let medoid = match texts {
            // Two texts differ from each other alike.
            [a, b] if a.copies == b.copies => usize::from(b.rank < a.rank),
            _ => self.medoid(texts, sets),
        };
        let shared = self.shared_with(texts, medoid, sets);
        let size = |i: usize| self.sizes[texts[i].carrier as usize];
        let tie = |i: usize| {
            let same = i == medoid;
            if same {
                1.0
            } else {
                self.rule.similarity(shared[i], size(i), size(medoid))
            }
        };
        let similarities: Vec<f64> = (0..texts.len()).map(tie).collect();
        let linked =
            |i: &usize| *i == medoid || self.rule.matches(shared[*i], size(*i), size(medoid));
        let (first, rest): (Vec<usize>, Vec<usize>) = (0..texts.len()).partition(linked);
        let nearest = first.iter().map(|i| similarities[*i]).fold(1.0, f64::min);
        let weakest = if rest.is_empty() {
            nearest
        } else {
            let layer = first.into_iter().filter(|i| *i != medoid).collect();
            let group = tree::Group {
                rule: self.rule,
                sizes: self.sizes,
                bitmaps: self.bitmaps,
                texts,
                stop: self.stop,
            };
            let load = |i: usize, out: &mut Vec<u64>| {
                self.each(texts, i, sets, |set| out.extend_from_slice(set));
            };
            group.weakest(nearest, layer, rest, load)
        };
        Shape {
            medoid,
            similarities,
            weakest,
        }
    }

    fn keep<S: Sets>(&mut self, texts: &[Distinct], sets: &mut S, room: usize) {
        self.kept.clear();
        self.ends.clear();
        let at_hand = texts.iter().all(|text| sets.at_hand(text.carrier));
        if room <= KEPT && !at_hand {
            self.kept.reserve_exact(room);
            for text in texts {
                sets.one(text.carrier, |set| self.kept.extend_from_slice(set));
                self.ends.push(self.kept.len());
            }
        }
    }

    /// Calls `look` with the set of the text at `i`.
    fn each<S: Sets, R>(
        &self,
        texts: &[Distinct],
        i: usize,
        sets: &mut S,
        look: impl FnOnce(&[u64]) -> R,
    ) -> R {
        match self.ends.get(i) {
            Some(end) => look(&self.kept[if i == 0 { 0 } else { self.ends[i - 1] }..*end]),
            None => sets.one(texts[i].carrier, look),
        }
    }

    fn medoid<S: Sets>(&mut self, texts: &[Distinct], sets: &mut S) -> usize {
        let mut counts = std::mem::take(&mut self.counts);
        let members: i64 = texts.iter().map(|text| i64::from(text.copies)).sum();
        let mut scores = vec![0_i64; texts.len()];
        let (mut parts, mut part) = (1_u64, 0_u64);
        while part < parts {
            // Not the bits that choose a slot, nor the highest, which are alike in a prefix.
            let inside = |shingle: &&u64| (**shingle >> 32) & (parts - 1) == part;
            counts.clear();
            let most = if parts < MOST_PARTS {
                self.counted
            } else {
                usize::MAX
            };
            for (i, text) in texts.iter().enumerate() {
                if counts.different() > most || self.stop.is_set() {
                    break;
                }
                self.each(texts, i, sets, |set| {
                    let some = set.iter().filter(inside);
                    some.for_each(|shingle| counts.add(*shingle, text.copies));
                });
            }
            if counts.different() > most {
                (parts, part) = (parts * 2, 0);
                scores.fill(0);
                continue;
            }
            for (i, score) in scores.iter_mut().enumerate() {
                if self.stop.is_set() {
                    break;
                }
                self.each(texts, i, sets, |set| {
                    let some = set.iter().filter(inside);
                    let of = |shingle| 2 * i64::from(counts.of(shingle)) - members;
                    *score += some.map(|shingle| of(*shingle)).sum::<i64>();
                });
            }
            part += 1;
        }
        self.counts = counts;
        let best = scores.iter().zip(texts).enumerate();
        let first = best.max_by_key(|(_, (score, text))| (**score, std::cmp::Reverse(text.rank)));
        first.map_or(0, |(i, _)| i)
    }

    fn shared_with<S: Sets>(
        &mut self,
        texts: &[Distinct],
        medoid: usize,
        sets: &mut S,
    ) -> Vec<u32> {
        let mut pivot = Vec::new();
        self.each(texts, medoid, sets, |set| pivot.extend_from_slice(set));
        (0..texts.len())
            .map(|i| match self.stop.is_set() {
                true => 0,
                false => self.each(texts, i, sets, |set| shared(set, &pivot)),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neardup::measure::Measure;

    struct Given(Vec<Vec<u64>>);

    impl Sets for Given {
        fn at_hand(&self, _row: u32) -> bool {
            true
        }

        fn one<R>(&mut self, row: u32, look: impl FnOnce(&[u64]) -> R) -> R {
            look(&self.0[row as usize])
        }

        fn pair<R>(&mut self, a: u32, b: u32, look: impl FnOnce(&[u64], &[u64]) -> R) -> R {
            look(&self.0[a as usize], &self.0[b as usize])
        }
    }

    #[test]
    fn the_medoid_does_not_depend_on_how_many_shingles_are_counted_at_a_time() {
        let mut state = 9_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        for _ in 0..50 {
            let letter: Vec<u64> = (0..30).map(|_| random()).collect();
            let mut sets = Vec::new();
            for _ in 0..12 {
                let mut set: Vec<u64> = letter
                    .iter()
                    .copied()
                    .filter(|_| random() >> 60 > 3)
                    .collect();
                set.extend((0..random() >> 61).map(|_| random()));
                set.sort_unstable();
                sets.push(set);
            }
            let sizes: Vec<u32> = sets.iter().map(|set| set.len() as u32).collect();
            let rule = Rule {
                measure: Measure::Jaccard,
                threshold: 0.3,
                min_shared: 1,
            };
            let bitmaps: Vec<Bitmap> = sets.iter().map(|set| rule.bitmap(set)).collect();
            let texts: Vec<Distinct> = (0..12)
                .map(|i| Distinct {
                    carrier: i,
                    copies: 1 + i % 3,
                    smallest: i,
                    rank: 11 - i,
                })
                .collect();
            let mut sets = Given(sets);
            let stop = Stop::default();
            let whole = Shaper::new(rule, &sizes, &bitmaps, &stop).shape(&texts, &mut sets);
            for counted in [1, 5, 40] {
                let mut shaper = Shaper::new(rule, &sizes, &bitmaps, &stop);
                shaper.counted = counted;
                assert_eq!(shaper.shape(&texts, &mut sets), whole);
            }
        }
    }
}
