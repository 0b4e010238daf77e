//! Which contributions, and then which groups of them, say the most alike?
//!
//! Average linkage, restricted to a graph: at first every point is a group of its own, and two groups are neighbours if a point of one is among the nearest of a point of the other. In each
//! round all pairs of groups that are each other's best neighbour join (Sumengen et al. 2021, «Scaling hierarchical agglomerative clustering to billion-sized datasets»), which for average linkage gives the
//! tree that joining one pair after the other would give, as long as the graph shows each group its nearest. So that a group of
//! ten thousand does not take ten thousand rounds to take in ten thousand single voices, a group also takes in, in one round, smaller ones whose best neighbour it is, up to an
//! eighth of its size, nearest first. When no neighbours are left, the groups that remain get new ones: the nearest by their sums.
//!
//! How alike two groups are is exact, from sums of whole numbers ([`super::sums`]); ties go to the group with the lowest point. Points that must be together
//! are so from the start; groups that hold two that must be apart never join, and if that leaves several groups, they are put under one root at the least similarity there is.
//!
//! Guarantees: a function of points, weights, neighbours and ties; not of threads. A group above never has a greater similarity than one within it: where joining made one more similar than
//! its parts had been, the parts' least is told. Cost: about the number of edges × the logarithm of the number of points, averages of two sums each.

use std::collections::HashMap;

use super::flat::{round, Flat};
use super::lists::neighbours;
use super::sums::{of_rows, Sum};
use super::tile::Kernel;
use super::Neighbours;
use super::{Rows, UNIT};
use crate::neardup::crew::Crew;

/// Neighbours that groups get when the graph has no more.
const BRIDGES: usize = 15;

/// Up to one part in so many of a group's weight is taken in by it in a round, beside its best neighbour.
const PART: u64 = 8;

/// Groups of a block of work.
const BLOCK: usize = 64;

/// Groups whose lists are made anew at a time.
const PASS: usize = 1 << 16;

/// The similarity of what says the same. Rounded rows may be a little longer than [`UNIT`], so a product of two can be above it.
pub const TOGETHER: i32 = UNIT as i32 * UNIT as i32;

/// The similarity of what joins because it must: it is together in every cut.
pub const ALWAYS: i32 = i32::MAX;

/// The similarity of what must be apart and meets only in the root.
pub const APART: i32 = i32::MIN;

/// Two groups that join. Groups are numbered: points first, then merges in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// One group.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// Their average similarity.
    pub link: i32,
}

/// What a person has decided about pairs of points.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ties<'a> {
    /// Together.
    pub must: &'a [(u32, u32)],
    /// Never together. No two of these are together by `must`.
    pub cannot: &'a [(u32, u32)],
}

#[derive(Clone, Copy, Debug)]
struct Near {
    id: u32,
    link: i32,
}

/// The merges, in the order in which they were made; None if stopped. Of neighbours only who they are counts; they are let go once groups have lists of their own.
#[must_use]
pub fn link(
    crew: &Crew<'_>,
    rows: &Flat,
    weights: &[u32],
    neighbours: Neighbours,
    ties: Ties<'_>,
) -> Option<Vec<Merge>> {
    let mut groups = Groups::new(rows, weights, ties.cannot);
    groups.gather(ties.must);
    groups.meet(crew, neighbours)?;
    loop {
        let before = groups.merges.len();
        groups.join(crew)?;
        if groups.alive.len() < 2 {
            return Some(groups.merges);
        }
        if groups.merges.len() == before && groups.bridged {
            groups.finish();
            return Some(groups.merges);
        }
        groups.bridge(crew)?;
    }
}

struct Groups<'a> {
    rows: &'a Flat,
    /// By slot: a group keeps the least slot of those it was made from, which is its lowest point.
    sums: Vec<Sum>,
    weights: Vec<u64>,
    nodes: Vec<u32>,
    near: Vec<Vec<Near>>,
    best: Vec<Option<Near>>,
    apart: HashMap<u32, Vec<u32>>,
    /// Slots of groups that there are, ascending.
    alive: Vec<u32>,
    /// The slot that a slot has become; itself, until it joins another.
    into: Vec<u32>,
    merges: Vec<Merge>,
    bridged: bool,
}

impl<'a> Groups<'a> {
    fn new(rows: &'a Flat, weights: &[u32], cannot: &[(u32, u32)]) -> Self {
        let points = rows.len() as u32;
        let mut apart: HashMap<u32, Vec<u32>> = HashMap::new();
        for (a, b) in cannot {
            apart.entry(*a).or_default().push(*b);
            apart.entry(*b).or_default().push(*a);
        }
        Self {
            rows,
            sums: (0..points).map(Sum::Row).collect(),
            weights: weights.iter().map(|w| u64::from(*w)).collect(),
            nodes: (0..points).collect(),
            near: vec![Vec::new(); rows.len()],
            best: vec![None; rows.len()],
            apart,
            alive: (0..points).collect(),
            into: (0..points).collect(),
            merges: Vec::new(),
            bridged: false,
        }
    }

    /// The slot that a slot is part of now.
    fn slot(&self, mut at: u32) -> u32 {
        while self.into[at as usize] != at {
            at = self.into[at as usize];
        }
        at
    }

    fn parted(&self, a: u32, b: u32) -> bool {
        let others = self.apart.get(&a);
        others.is_some_and(|others| others.iter().any(|other| self.slot(*other) == b))
    }

    /// Whether a group may join all of these.
    fn free(&self, slot: u32, union: &[u32]) -> bool {
        // Few groups have any that they must be apart from; a union may have thousands of members.
        let mut others = self.apart.get(&slot).into_iter().flatten();
        others.all(|other| !union.contains(&self.slot(*other)))
    }

    /// Joins groups, which are given by their slots, into one: the first takes in one after the other.
    fn unite(&mut self, members: &[u32], link: Option<i32>) {
        let Some((first, rest)) = members.split_first() else {
            return;
        };
        let mut total = vec![0i64; self.rows.width()];
        let at = *first as usize;
        let mut weight = self.weights[at];
        self.sums[at].add_to(self.rows, weight, &mut total);
        let mut node = self.nodes[at];
        for other in rest {
            let other = *other as usize;
            let average = self.sums[other].average(self.rows, self.weights[other], &total, weight);
            self.merges.push(Merge {
                a: node,
                b: self.nodes[other],
                link: link.unwrap_or(average),
            });
            node = (self.rows.len() + self.merges.len() - 1) as u32;
            self.sums[other].add_to(self.rows, self.weights[other], &mut total);
            weight += self.weights[other];
        }
        let root = members.iter().copied().min().unwrap_or(*first);
        let mut apart = Vec::new();
        for member in members {
            self.into[*member as usize] = root;
            self.sums[*member as usize] = Sum::Row(*member);
            apart.extend(self.apart.remove(member).unwrap_or_default());
        }
        if !apart.is_empty() {
            self.apart.insert(root, apart);
        }
        self.sums[root as usize] = Sum::new(&total, weight);
        self.weights[root as usize] = weight;
        self.nodes[root as usize] = node;
    }

    /// Joins what must be together.
    fn gather(&mut self, must: &[(u32, u32)]) {
        for (a, b) in must {
            let (a, b) = (self.slot(*a), self.slot(*b));
            if a != b {
                self.unite(&[a.min(b), a.max(b)], Some(ALWAYS));
            }
        }
        let into = &self.into;
        self.alive.retain(|slot| into[*slot as usize] == *slot);
    }

    /// Makes the neighbours of points those of groups, each way.
    fn meet(&mut self, crew: &Crew<'_>, neighbours: Neighbours) -> Option<()> {
        let k = neighbours.k.max(1);
        let mut named = vec![0u32; self.near.len()];
        for id in &neighbours.ids {
            named[*id as usize] += 1;
        }
        for (near, named) in self.near.iter_mut().zip(named) {
            near.reserve_exact(neighbours.k + named as usize);
        }
        for (at, near) in neighbours.ids.chunks_exact(k).enumerate() {
            let own = self.slot(at as u32);
            for id in near {
                let other = self.slot(*id);
                if other != own {
                    self.near[own as usize].push(Near { id: other, link: 0 });
                    self.near[other as usize].push(Near { id: own, link: 0 });
                }
            }
        }
        drop(neighbours);
        self.weigh(crew, &self.alive.clone())
    }

    /// Lists each neighbour once, under the slot that it has become, and how alike it is, for these groups.
    fn weigh(&mut self, crew: &Crew<'_>, slots: &[u32]) -> Option<()> {
        // Part by part, so that old and new lists of all are not there at once.
        for slots in slots.chunks(PASS) {
            let lists = self.shared(crew, slots, |own, near| {
                self.weighed(own, near.iter().map(|near| self.slot(near.id)).collect())
            })?;
            self.store(lists);
        }
        Some(())
    }

    /// The neighbours of a group, by these slots, each once.
    fn weighed(&self, own: u32, mut ids: Vec<u32>) -> Vec<Near> {
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| *id != own);
        let (sum, weight) = (&self.sums[own as usize], self.weights[own as usize]);
        let mut total = vec![0i64; self.rows.width()];
        sum.add_to(self.rows, weight, &mut total);
        let near = ids.into_iter().map(|id| {
            let other = &self.sums[id as usize];
            let link = match (sum, other) {
                (Sum::Row(a), Sum::Row(b)) => of_rows(self.rows, *a, *b),
                _ => other.average(self.rows, self.weights[id as usize], &total, weight),
            };
            Near { id, link }
        });
        near.collect()
    }

    /// Makes new lists of neighbours for these slots, by several threads if it is worth while.
    fn shared(
        &self,
        crew: &Crew<'_>,
        slots: &[u32],
        make: impl Fn(u32, &[Near]) -> Vec<Near> + Sync,
    ) -> Option<Vec<(u32, Vec<Near>)>> {
        let one = |slot: &u32| (*slot, make(*slot, &self.near[*slot as usize]));
        if slots.len() < BLOCK {
            return (!crew.stop.is_set()).then(|| slots.iter().map(one).collect());
        }
        let blocks = slots.len().div_ceil(BLOCK);
        let parts = crew.share("linkage", blocks, Vec::new, |lists, block| {
            let slots = slots.iter().skip(block * BLOCK).take(BLOCK);
            lists.extend(slots.map(one));
        })?;
        Some(parts.into_iter().flatten().collect())
    }

    fn store(&mut self, lists: Vec<(u32, Vec<Near>)>) {
        for (slot, near) in lists {
            self.near[slot as usize] = near;
            self.best[slot as usize] = self.choose(slot);
        }
    }

    /// The most alike of a group's neighbours that it may join.
    fn choose(&self, own: u32) -> Option<Near> {
        let key = |near: &Near| (std::cmp::Reverse(near.link), near.id);
        let mut best: Option<Near> = None;
        // Whether two are parted is asked of those alone that would be the best: a hub may have many neighbours, and many that it must be apart from.
        for near in &self.near[own as usize] {
            let better = best.as_ref().is_none_or(|best| key(near) < key(best));
            if better && !self.parted(own, near.id) {
                best = Some(*near);
            }
        }
        best
    }

    /// Joins, round after round, until no group has a neighbour that it may join.
    fn join(&mut self, crew: &Crew<'_>) -> Option<()> {
        loop {
            let unions = self.unions();
            if unions.is_empty() {
                return Some(());
            }
            if !(crew.watch)("linkage", self.merges.len()) || crew.stop.is_set() {
                return None;
            }
            self.apply(crew, &unions)?;
        }
    }

    /// The groups that join in this round: pairs that are each other's best, and smaller ones that a larger takes in.
    fn unions(&self) -> Vec<Vec<u32>> {
        let best = |slot: u32| self.best[slot as usize].map(|near| near.id);
        let paired = |slot: u32| best(slot).is_some_and(|other| best(other) == Some(slot));
        let light = |slot: u32, host: u32| {
            self.weights[slot as usize].saturating_mul(PART) <= self.weights[host as usize]
        };
        let taken = |slot: u32| !paired(slot) && best(slot).is_some_and(|host| light(slot, host));
        let mut small: Vec<(u32, std::cmp::Reverse<i32>, u32)> = Vec::new();
        let mut unions: HashMap<u32, Vec<u32>> = HashMap::new();
        for slot in &self.alive {
            let Some(near) = self.best[*slot as usize] else {
                continue;
            };
            if paired(*slot) {
                if *slot < near.id {
                    // The heavier of the two is the host of what either takes in.
                    let heavy = self.heavier(*slot, near.id);
                    let other = if heavy == *slot { near.id } else { *slot };
                    unions.insert(heavy, vec![heavy, other]);
                }
            } else if taken(*slot) && !taken(near.id) {
                let host = if paired(near.id) {
                    best(near.id).map_or(near.id, |other| self.heavier(near.id, other))
                } else {
                    near.id
                };
                small.push((host, std::cmp::Reverse(near.link), *slot));
            }
        }
        small.sort_unstable();
        for same in small.chunk_by(|a, b| a.0 == b.0) {
            let Some((host, ..)) = same.first() else {
                continue;
            };
            let union = unions.entry(*host).or_insert_with(|| vec![*host]);
            let mut room = self.weights[*host as usize] / PART;
            for (.., slot) in same {
                let weight = self.weights[*slot as usize];
                if weight <= room && self.free(*slot, union) {
                    room -= weight;
                    union.push(*slot);
                }
            }
        }
        let mut unions: Vec<_> = unions
            .into_values()
            .filter(|union| union.len() > 1)
            .collect();
        unions.sort_unstable_by_key(|union| union.iter().copied().min());
        unions
    }

    /// The heavier of two groups; the lower slot, if they weigh the same.
    fn heavier(&self, a: u32, b: u32) -> u32 {
        let weight = |slot: u32| (std::cmp::Reverse(self.weights[slot as usize]), slot);
        if weight(a) < weight(b) {
            a
        } else {
            b
        }
    }

    fn apply(&mut self, crew: &Crew<'_>, unions: &[Vec<u32>]) -> Option<()> {
        let mut roots = Vec::with_capacity(unions.len());
        for union in unions {
            self.unite(union, None);
            let root = self.slot(union[0]);
            let lists = union
                .iter()
                .map(|slot| std::mem::take(&mut self.near[*slot as usize]));
            self.near[root as usize] = lists.flatten().collect();
            roots.push(root);
        }
        self.weigh(crew, &roots)?;
        let is_root = |slot: u32| roots.binary_search(&slot).is_ok();
        let lists = roots.iter().flat_map(|root| &self.near[*root as usize]);
        let others = lists.map(|near| near.id);
        let mut others: Vec<u32> = others.filter(|slot| !is_root(*slot)).collect();
        others.sort_unstable();
        others.dedup();
        // The others are alike to a group that has joined as that group is to them.
        for others in others.chunks(PASS) {
            let lists = self.shared(crew, others, |own, near| {
                let renewed = near.iter().map(|near| {
                    let id = self.slot(near.id);
                    let known = is_root(id).then(|| self.near_link(id, own)).flatten();
                    let link = known.unwrap_or(near.link);
                    Near { id, link }
                });
                let mut list: Vec<Near> = renewed.collect();
                list.sort_unstable_by_key(|near| near.id);
                list.dedup_by_key(|near| near.id);
                list
            })?;
            self.store(lists);
        }
        let into = &self.into;
        self.alive.retain(|slot| into[*slot as usize] == *slot);
        Some(())
    }

    /// How alike `own` is, as the group `of` has it.
    fn near_link(&self, of: u32, own: u32) -> Option<i32> {
        let near = &self.near[of as usize];
        let at = near.binary_search_by_key(&own, |near| near.id).ok()?;
        near.get(at).map(|near| near.link)
    }

    /// Gives the groups that are left the nearest of each other as neighbours.
    fn bridge(&mut self, crew: &Crew<'_>) -> Option<()> {
        let mut middles = Flat::new(self.alive.len(), self.rows.width());
        let mut total = vec![0i64; self.rows.width()];
        for (slot, out) in self.alive.iter().zip(middles.parts(1)) {
            total.fill(0);
            self.sums[*slot as usize].add_to(self.rows, self.weights[*slot as usize], &mut total);
            round(&total, out);
        }
        let found = neighbours(crew, Kernel::best(), &middles, BRIDGES, None)?;
        let alive = self.alive.clone();
        for (own, near) in alive.iter().zip(found.ids.chunks_exact(found.k.max(1))) {
            for at in near {
                let other = alive[*at as usize];
                self.near[*own as usize].push(Near { id: other, link: 0 });
                self.near[other as usize].push(Near { id: *own, link: 0 });
            }
        }
        self.bridged = true;
        self.weigh(crew, &alive)
    }

    /// Puts groups that must be apart under one root.
    fn finish(&mut self) {
        let alive = self.alive.clone();
        self.unite(&alive, Some(APART));
        self.alive.truncate(1);
    }
}
