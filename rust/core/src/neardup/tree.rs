//! How firmly does a group hold together where not everybody matches its representative?
//!
//! Members that match the representative are tied to it. The others are tied, layer by layer, to the most similar member of the layer before that they
//! match ([`super::groups`]). What is asked for is the weakest of these links. So a text whose link is known to be at least as good as the weakest link so far
//! needs no better one: in a group that drifted (each text a copy of another with a word changed) most texts stop at their first match.
//! What is left is quadratic in the worst case, one comparison of bitmaps each.

use super::crew::Stop;
use super::groups::Distinct;
use super::measure::{shared, Bitmap, Rule};

/// What is known of a group.
pub(super) struct Group<'a, const W: usize> {
    pub rule: Rule,
    pub sizes: &'a [u32],
    pub bitmaps: &'a [Bitmap<W>],
    pub texts: &'a [Distinct],
    pub stop: &'a Stop,
}

impl<const W: usize> Group<'_, W> {
    /// Ties the rest to layer after layer; the weakest link, or `weakest` if none is weaker. `load` puts the set of a text into a buffer. A group is
    /// connected, so nobody is left; if a caller breaks that promise, the rest is not tied.
    pub fn weakest(
        &self,
        mut weakest: f64,
        mut layer: Vec<usize>,
        mut rest: Vec<usize>,
        mut load: impl FnMut(usize, &mut Vec<u64>),
    ) -> f64 {
        let mut own = Vec::new();
        while !rest.is_empty() && !layer.is_empty() {
            let (mut next, mut left) = (Vec::new(), Vec::new());
            for i in rest {
                if self.stop.is_set() {
                    return weakest;
                }
                own.clear();
                load(i, &mut own);
                match self.link(i, &own, &mut layer, weakest, &mut load) {
                    Some(link) => {
                        weakest = weakest.min(link);
                        next.push(i);
                    }
                    None => left.push(i),
                }
            }
            (layer, rest) = (next, left);
        }
        weakest
    }

    /// The similarity of a text to the one of the layer that is most similar, of those that it matches; or to any that is as similar as `enough`.
    fn link(
        &self,
        i: usize,
        own: &[u64],
        layer: &mut [usize],
        enough: f64,
        load: &mut impl FnMut(usize, &mut Vec<u64>),
    ) -> Option<f64> {
        let (row, m) = (self.texts[i].carrier as usize, own.len() as u32);
        let (mut best, mut other) = (None, Vec::new());
        for at in 0..layer.len() {
            let row_there = self.texts[layer[at]].carrier as usize;
            let n = self.sizes[row_there];
            let bitmaps = (&self.bitmaps[row], &self.bitmaps[row_there]);
            let better = |shared: u32| {
                let link = self.rule.similarity(shared, m, n);
                let wanted = self.rule.matches(shared, m, n) && best.is_none_or(|b| link > b);
                wanted.then_some(link)
            };
            let most = self.rule.most_shared(bitmaps.0, bitmaps.1, m, n);
            if !self.rule.may_match(most, m, n) || better(most).is_none() {
                continue;
            }
            other.clear();
            load(layer[at], &mut other);
            if let Some(link) = better(shared(own, &other)) {
                best = Some(link);
                if link >= enough {
                    // The next text may be like this one. The order of a layer changes no result.
                    layer.swap(0, at);
                    break;
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neardup::measure::Measure;

    fn random(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Sets that drift away from each other.
    fn drifting(texts: usize, seed: u64) -> Vec<Vec<u64>> {
        let mut state = seed;
        let mut sets: Vec<Vec<u64>> = vec![(0..30).map(|_| random(&mut state)).collect()];
        while sets.len() < texts {
            let from = random(&mut state) as usize % sets.len();
            let mut set = sets[from].clone();
            for _ in 0..1 + random(&mut state) % 3 {
                let at = random(&mut state) as usize % set.len();
                set[at] = random(&mut state);
            }
            if random(&mut state).is_multiple_of(4) {
                set.push(random(&mut state));
            }
            sets.push(set);
        }
        for set in &mut sets {
            set.sort_unstable();
            set.dedup();
        }
        sets
    }

    /// Layers and best links by the definition.
    fn by_definition(rule: &Rule, sets: &[Vec<u64>], first: usize) -> f64 {
        let like = |i: usize, j: usize| {
            let (a, b) = (&sets[i], &sets[j]);
            let common = a.iter().filter(|shingle| b.contains(shingle)).count() as u32;
            let (m, n) = (a.len() as u32, b.len() as u32);
            let matches = rule.matches(common, m, n);
            matches.then(|| rule.similarity(common, m, n))
        };
        let mut layer: Vec<usize> = (0..first).collect();
        let mut rest: Vec<usize> = (first..sets.len()).collect();
        let mut weakest = 1.0f64;
        while !layer.is_empty() {
            let best = |i: &usize| layer.iter().filter_map(|j| like(*i, *j)).reduce(f64::max);
            let tied: Vec<(usize, Option<f64>)> = rest.iter().map(|i| (*i, best(i))).collect();
            let links = tied.iter().filter_map(|(_, link)| *link);
            weakest = links.fold(weakest, f64::min);
            layer = tied.iter().filter(|t| t.1.is_some()).map(|t| t.0).collect();
            rest = tied.iter().filter(|t| t.1.is_none()).map(|t| t.0).collect();
        }
        weakest
    }

    #[test]
    fn stopping_early_finds_the_weakest_link_of_the_definition() {
        for (measure, threshold) in [
            (Measure::Jaccard, 0.8),
            (Measure::Jaccard, 0.5),
            (Measure::Containment, 0.8),
        ] {
            let rule = Rule {
                measure,
                threshold,
                min_shared: 5,
            };
            for seed in 0..8 {
                let sets = drifting(250, seed);
                let sizes: Vec<u32> = sets.iter().map(|set| set.len() as u32).collect();
                let bitmaps: Vec<Bitmap> = sets.iter().map(|set| rule.bitmap(set)).collect();
                let text = |row: u32| Distinct {
                    carrier: row,
                    copies: 1,
                    smallest: row,
                    rank: row,
                };
                let texts: Vec<Distinct> = (0..250).map(text).collect();
                let group = Group {
                    rule,
                    sizes: &sizes,
                    bitmaps: &bitmaps,
                    texts: &texts,
                    stop: &Stop::new(),
                };
                for first in [1, 20] {
                    let load = |i: usize, out: &mut Vec<u64>| out.extend_from_slice(&sets[i]);
                    let (layer, rest) = ((0..first).collect(), (first..250).collect());
                    let found = group.weakest(1.0, layer, rest, load);
                    assert!((found - by_definition(&rule, &sets, first)).abs() < f64::EPSILON);
                    assert!((threshold..1.0).contains(&found));
                }
            }
        }
    }
}
