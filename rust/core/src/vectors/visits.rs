//! Which lists are compared with which, and what comes of it?
//!
//! Comparing two lists is worth w / (a · b): a and b are their numbers of points, w how often points of one named the centre of the other, nearer ones counting more. The worthiest
//! pairs are compared until what all comparisons cost reaches the plan's budget, after each list has had its few best, so that a small list is never left alone.
//!
//! Lists of one region of the sphere are compared by one thread with all that one of them is to be compared with, so that rows are read for several lists at once. A pair is
//! compared once and counts for both, as in [`super::knn`].

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::best::{key, meet, Neighbours, Other, Shared, Side};
use super::knn;
use super::lists::{Lists, Plan};
use super::tile::{Kernel, Panels};
use super::Rows;
use crate::neardup::crew::{Crew, Stop};

/// Lists of a region: their rows, packed, are some megabytes.
const REGION: usize = 32;

/// Rows of a list that it is compared with at a time.
const PIECE: usize = 1024;

/// The pairs of lists to compare, each once, the lower list first; in order.
#[must_use]
pub fn chosen(lists: &Lists, plan: &Plan) -> Vec<(u32, u32)> {
    let n = lists.len();
    let size = |list: u32| lists.list(list as usize).len() as u64;
    let cost = |(a, b): (u32, u32)| 2 * size(a) * size(b);
    let mut chosen = BTreeSet::new();
    for a in 0..n {
        let others = (0..n).filter(|b| *b != a && lists.votes(a, *b) > 0);
        let mut others: Vec<_> = others.map(|b| (Reverse(lists.votes(a, b)), b)).collect();
        others.sort_unstable();
        let few = others.into_iter().take(plan.least);
        chosen.extend(few.map(|(_, b)| (a.min(b) as u32, a.max(b) as u32)));
    }
    let mut rest = Vec::new();
    for a in 0..n {
        for b in a + 1..n {
            let (worth, pair) = (lists.votes(a, b) + lists.votes(b, a), (a as u32, b as u32));
            let cost = cost(pair);
            if worth > 0 && cost > 0 && !chosen.contains(&pair) {
                rest.push((Reverse((worth << 30) / cost), pair));
            }
        }
    }
    rest.sort_unstable();
    let own: u64 = (0..n as u32).map(|list| size(list) * size(list)).sum();
    let mut spent = own + chosen.iter().map(|pair| cost(*pair)).sum::<u64>();
    let points: u64 = (0..n as u32).map(size).sum();
    for (_, pair) in rest {
        spent += cost(pair);
        if spent > points * plan.compared as u64 {
            break;
        }
        chosen.insert(pair);
    }
    chosen.into_iter().collect()
}

/// The neighbours found in lists, between these pairs of lists, and among the worst. None if stopped.
#[must_use]
pub fn search(
    crew: &Crew<'_>,
    kernel: Kernel,
    rows: &dyn Rows,
    lists: &Lists,
    pairs: &[(u32, u32)],
    k: usize,
) -> Option<Neighbours> {
    let points = rows.len();
    let k = k.min(points.saturating_sub(1));
    if k == 0 {
        return Some(Neighbours::default());
    }
    let sizes = (0..lists.len()).map(|list| lists.list(list).len());
    let search = Search {
        kernel,
        rows,
        lists,
        shared: Shared::new(sizes, k),
    };
    search.worst(crew, k)?;
    crew.share("own lists", lists.len(), Hand::new, |hand, list| {
        search.own(crew.stop, hand, list as u32);
    })?;
    let regions = lists.regions(crew, kernel, REGION)?;
    let visits = visits(lists.len(), &regions, pairs);
    crew.share("other lists", regions.len(), Hand::new, |hand, region| {
        search.region(crew.stop, hand, &regions[region], &visits[region]);
    })?;
    let place = |list: usize, row: usize| lists.list(list)[row] as usize;
    Some(search.shared.finish(points, k, place))
}

/// For each region, which lists one of its own is compared with: the other first, in order. Of two regions, the earlier does it.
fn visits(lists: usize, regions: &[Vec<u32>], pairs: &[(u32, u32)]) -> Vec<Vec<(u32, u32)>> {
    let mut region_of = vec![0; lists];
    for (number, region) in regions.iter().enumerate() {
        for list in region {
            region_of[*list as usize] = number;
        }
    }
    let mut visits = vec![Vec::new(); regions.len()];
    for (a, b) in pairs {
        let (of_a, of_b) = (region_of[*a as usize], region_of[*b as usize]);
        if of_a <= of_b {
            visits[of_a].push((*b, *a));
        } else {
            visits[of_b].push((*a, *b));
        }
    }
    visits.iter_mut().for_each(|visits| visits.sort_unstable());
    visits
}

/// What one thread has at hand: lists on the left, and one on the right.
struct Hand {
    sides: Vec<Side>,
    other: Other,
    right: Panels,
}

impl Hand {
    fn new() -> Self {
        Self {
            sides: Vec::new(),
            other: Other::new(),
            right: Panels::default(),
        }
    }

    fn meet(&mut self, kernel: Kernel, side: usize) {
        let right = self.right.steps(0, self.right.len());
        let pairs = self.right.pairs();
        let side = &mut self.sides[side];
        meet(kernel, pairs, side, &mut self.other, right);
    }
}

struct Search<'a> {
    kernel: Kernel,
    rows: &'a dyn Rows,
    lists: &'a Lists,
    shared: Shared,
}

impl Search<'_> {
    fn ids(&self, list: u32) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.lists.list(list as usize).iter().copied()
    }

    fn side(&self, list: u32) -> Side {
        let mut side = Side::new();
        let known = self.shared.lock(list as usize);
        side.begin(self.rows, self.ids(list), &known);
        side
    }

    fn right(&self, list: u32) -> Panels {
        Panels::of(self.rows, self.ids(list).map(|id| id as usize))
    }

    /// Compares a list with itself; piece by piece, since where most say the same, one list may hold most.
    fn own(&self, stop: &Stop, hand: &mut Hand, list: u32) {
        hand.sides = vec![self.side(list)];
        for ids in self.lists.list(list as usize).chunks(PIECE) {
            if stop.is_set() {
                return;
            }
            hand.right = Panels::of(self.rows, ids.iter().map(|id| *id as usize));
            hand.other.begin(ids.iter().copied(), None);
            hand.meet(self.kernel, 0);
        }
        hand.sides[0].end(&mut self.shared.lock(list as usize));
    }

    /// Compares lists of a region with those that they visit.
    fn region(&self, stop: &Stop, hand: &mut Hand, region: &[u32], visits: &[(u32, u32)]) {
        hand.sides = region.iter().map(|list| self.side(*list)).collect();
        for visits in visits.chunk_by(|a, b| a.0 == b.0) {
            let Some((list, _)) = visits.first() else {
                continue;
            };
            if stop.is_set() {
                return;
            }
            hand.right = self.right(*list);
            let known = || self.shared.lock(*list as usize);
            hand.other.begin(self.ids(*list), Some(&known()));
            for (_, left) in visits {
                let Ok(at) = region.binary_search(left) else {
                    continue;
                };
                hand.meet(self.kernel, at);
                if !hand.other.is_idle() {
                    let mut known = known();
                    hand.other.end(&mut known);
                    hand.other.renew(&known);
                }
            }
        }
        for (list, side) in region.iter().zip(&hand.sides) {
            side.end(&mut self.shared.lock(*list as usize));
        }
    }

    /// Compares the worst with each other.
    fn worst(&self, crew: &Crew<'_>, k: usize) -> Option<()> {
        let worst = self.lists.worst();
        let ids = worst.iter().map(|id| *id as usize);
        let found = knn::nearest(crew, self.kernel, &Panels::of(self.rows, ids), k)?;
        if found.k == 0 {
            return Some(());
        }
        for list in 0..self.lists.len() {
            let mut known = self.shared.lock(list);
            for (row, id) in self.ids(list as u32).enumerate() {
                let Ok(at) = worst.binary_search(&id) else {
                    continue;
                };
                let near = found.ids.iter().zip(&found.similarities);
                for (other, similarity) in near.skip(at * found.k).take(found.k) {
                    known.add(row, key(*similarity, worst[*other as usize]));
                }
            }
        }
        Some(())
    }
}
