//! Which points are most alike to each point, when there are too many to compare all pairs?
//!
//! Inverted lists (Jégou, Douze and Schmid 2011) of *all* points, since a sample has few of the few. Spherical k-means (Dhillon and Modha 2001) of a few rounds puts each point into
//! the list of its nearest centre. Each point also *names* the next nearest centres; two lists are compared, point by point, if their points name each other's centres often for what
//! the comparison costs ([`super::visits`]). And the points that fit their list worst, where a rare theme without a centre of its own is, are compared with each other, exactly.
//!
//! Guarantees: a function of the set of points. Centres begin with every so-many-th point of the canonical order, sums are exact, ties go to the lower number, and what is found does
//! not depend on who found it when. Not guaranteed: that all true neighbours are found; [`super::knn::nearest_of`] tells how many are.
//! Seen with k = 16 on a million points around 2,000 centres of Zipf's sizes with so much noise that a point is as near to its centre as at 51°: 95 of 100, of members of the rarest
//! centres 99.9; where points have true neighbours (a million noisy copies of 23,700 texts): 99.9.
//! Cost: m · lists · (rounds + 1) · d for the lists, m · compared · d / 2 for their pairs, worst² · d / 2 for the worst. Memory: 8 k bytes a point, 4 a pair of lists, the worst's rows
//! packed; all other rows are read again whenever they are looked at.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::best::{meet, unkey, Best, Neighbours, Other, Side};
use super::flat::round;
use super::tile::{Kernel, Panels};
use super::{knn, visits, Rows};
use crate::neardup::crew::{ascending, Crew};

/// The version of what is found; any change of it is a new one.
pub const ALGORITHM: &str = "klero-lists/1";

/// Points up to which all pairs are compared, unless something else is asked for.
pub const MANY: usize = 200_000;

/// Points of a block of work, when all are compared with all centres.
const BLOCK: usize = 384;

/// How often the centres of regions are moved.
const ROUNDS: usize = 4;

/// How lists are made, and how many of them are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Number of lists.
    pub lists: usize,
    /// How often centres are moved to where their points are.
    pub rounds: usize,
    /// How many centres a point names, its own among them.
    pub named: usize,
    /// With how many others each list is compared at least.
    pub least: usize,
    /// With how many points a point is compared through lists, on average.
    pub compared: usize,
    /// How many points, of those that fit their list worst, are compared with each other.
    pub worst: usize,
}

impl Plan {
    /// What serves for so many points. More rounds hardly find more; more named centres find less where lists are many, more where few.
    #[must_use]
    pub fn of(points: usize) -> Self {
        let lists = (4.0 * (points as f64).sqrt()) as usize;
        Self {
            lists: lists.clamp(1, points.max(1)),
            rounds: 2,
            named: 8,
            least: 4,
            compared: 30_000,
            worst: (points / 16).min(1 << 16),
        }
    }
}

/// Points in lists, one after the other.
#[derive(Clone, Debug)]
pub struct Lists {
    order: Vec<u32>,
    starts: Vec<usize>,
    votes: Vec<u32>,
    worst: Vec<u32>,
    centres: Panels,
}

impl Lists {
    /// Number of lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points of a list, ascending.
    #[must_use]
    pub fn list(&self, at: usize) -> &[u32] {
        &self.order[self.starts[at]..self.starts[at + 1]]
    }

    /// How often points of list `a` named the centre of list `b`, nearer centres counting more.
    #[must_use]
    pub fn votes(&self, a: usize, b: usize) -> u64 {
        u64::from(self.votes[a * self.len() + b])
    }

    /// The points that are least like their centre, ascending.
    #[must_use]
    pub fn worst(&self) -> &[u32] {
        &self.worst
    }

    /// Lists whose centres are near each other, together, some `size` of them: each list once.
    #[must_use]
    pub fn regions(&self, crew: &Crew<'_>, kernel: Kernel, size: usize) -> Option<Vec<Vec<u32>>> {
        let rows = &self.centres;
        let near = Near { crew, kernel, rows };
        let centres = train(&near, self.len().div_ceil(size), ROUNDS)?;
        let parts = near.centres(&centres, 1, Vec::new, |of, id, found| {
            of.push((found.next().map_or(0, |(_, region)| region), id));
        })?;
        let mut of = parts.concat();
        of.sort_unstable();
        let regions = of.chunk_by(|a, b| a.0 == b.0);
        // A region of very many lists would be the work of one thread.
        let regions = regions.flat_map(|region| region.chunks(2 * size));
        let lists = regions.map(|region| region.iter().map(|(_, list)| *list).collect());
        Some(lists.collect())
    }
}

/// All points, compared with centres.
struct Near<'a> {
    crew: &'a Crew<'a>,
    kernel: Kernel,
    rows: &'a dyn Rows,
}

impl Near<'_> {
    /// For each point its `k` nearest centres: similarities and numbers, nearest first.
    fn centres<S: Send>(
        &self,
        centres: &Panels,
        k: usize,
        new: impl Fn() -> S + Sync,
        take: impl Fn(&mut S, u32, &mut dyn Iterator<Item = (i32, usize)>) + Sync,
    ) -> Option<Vec<S>> {
        let (kernel, rows) = (self.kernel, self.rows);
        let points = rows.len();
        let nobody = Best::new(BLOCK, k);
        // Centres are numbered beyond all points, so that none is taken for a point itself.
        let hand = || {
            let mut other = Other::new();
            other.begin((points as u32..).take(centres.rows()), None);
            (Side::new(), other, new())
        };
        let work = |(side, other, state): &mut (Side, Other, S), block: usize| {
            let ids = block * BLOCK..((block + 1) * BLOCK).min(points);
            side.begin(rows, ids.map(|id| id as u32), &nobody);
            let right = centres.steps(0, centres.len());
            meet(kernel, centres.pairs(), side, other, right);
            for (at, id) in side.ids().iter().enumerate() {
                let mut lists = side.best().of(at).iter().map(|key| {
                    let (similarity, number) = unkey(*key);
                    (similarity, number as usize - points)
                });
                take(state, *id, &mut lists);
            }
        };
        let blocks = points.div_ceil(BLOCK);
        let states = self.crew.share("lists", blocks, hand, work)?;
        Some(states.into_iter().map(|(_, _, state)| state).collect())
    }
}

/// Centres, moved to where their points are; a centre without points stays.
fn train(near: &Near<'_>, lists: usize, rounds: usize) -> Option<Panels> {
    let rows = near.rows;
    let (points, width) = (rows.len(), rows.width());
    // The canonical order is that of hashes, so every so-many-th point is a sample as good as random.
    let first = (0..lists).map(|list| list * points / lists);
    let mut centres = Panels::of(rows, first);
    for _ in 0..rounds {
        let zeros = || (vec![0i64; lists * width], vec![0i16; width]);
        let parts = near.centres(&centres, 1, zeros, |(sums, row), id, found| {
            let list = found.next().map_or(0, |(_, list)| list);
            rows.read(id as usize, row);
            let sum = sums[list * width..][..width].iter_mut().zip(row.iter());
            sum.for_each(|(sum, x)| *sum = sum.wrapping_add(i64::from(*x)));
        })?;
        let mut parts = parts.into_iter().map(|(sums, _)| sums);
        let mut sums = parts.next().unwrap_or_default();
        for part in parts {
            let places = sums.iter_mut().zip(part);
            places.for_each(|(sum, more)| *sum = sum.wrapping_add(more));
        }
        let mut row = vec![0i16; width];
        for (list, sum) in sums.chunks_exact(width.max(1)).enumerate() {
            if sum.iter().any(|x| *x != 0) {
                round(sum, &mut row);
                centres.put(list, &row);
            }
        }
    }
    Some(centres)
}

/// Puts all points into lists. None if stopped.
#[must_use]
pub fn build(crew: &Crew<'_>, kernel: Kernel, rows: &dyn Rows, plan: &Plan) -> Option<Lists> {
    let near = Near { crew, kernel, rows };
    let lists = plan.lists.clamp(1, rows.len().max(1));
    let centres = train(&near, lists, plan.rounds)?;
    let named = plan.named.clamp(1, lists);
    let votes = (0..lists * lists).map(|_| AtomicU32::new(0));
    let votes: Vec<AtomicU32> = votes.collect();
    let parts = near.centres(&centres, named, Vec::new, |points, id, found| {
        let Some((fit, own)) = found.next() else {
            return;
        };
        points.push((own as u32, id, fit));
        for (rank, (_, list)) in found.enumerate() {
            // Below 50 for each point, so below 2^32 for 80 million in one list.
            let weight = (named - 1 - rank).pow(2) as u32;
            votes[own * lists + list].fetch_add(weight, Relaxed);
        }
    })?;
    let mut points = parts.concat();
    ascending(&mut points, crew.threads);
    let mut starts = vec![0; lists + 1];
    for (list, _, _) in &points {
        starts[*list as usize + 1] += 1;
    }
    for list in 0..lists {
        starts[list + 1] += starts[list];
    }
    Some(Lists {
        order: points.iter().map(|(_, point, _)| *point).collect(),
        starts,
        votes: votes.into_iter().map(AtomicU32::into_inner).collect(),
        worst: worst(points, plan.worst),
        centres,
    })
}

/// The points that are least like their centre, ascending.
fn worst(points: Vec<(u32, u32, i32)>, count: usize) -> Vec<u32> {
    let fits = points.into_iter().map(|(_, id, fit)| (fit, id));
    let mut fits: Vec<(i32, u32)> = fits.collect();
    if 0 < count && count < fits.len() {
        fits.select_nth_unstable(count - 1);
    }
    let mut worst: Vec<u32> = fits.into_iter().take(count).map(|(_, id)| id).collect();
    worst.sort_unstable();
    worst
}

/// The `k` nearest other points of every point: exactly, by lists, or, if nothing is asked for, exactly up to [`MANY`] points. None if stopped.
#[must_use]
pub fn neighbours(
    crew: &Crew<'_>,
    kernel: Kernel,
    rows: &dyn Rows,
    k: usize,
    exactly: Option<bool>,
) -> Option<Neighbours> {
    if exactly.unwrap_or(rows.len() <= MANY) {
        knn::nearest(crew, kernel, &knn::packed(crew, rows)?, k)
    } else {
        nearest(crew, kernel, rows, k, &Plan::of(rows.len()))
    }
}

/// The `k` nearest other points of every point, as far as lists tell. None if stopped.
#[must_use]
pub fn nearest(
    crew: &Crew<'_>,
    kernel: Kernel,
    rows: &dyn Rows,
    k: usize,
    plan: &Plan,
) -> Option<Neighbours> {
    if rows.len() < 2 || k == 0 {
        return Some(Neighbours::default());
    }
    let lists = build(crew, kernel, rows, plan)?;
    let pairs = visits::chosen(&lists, plan);
    let mut found = visits::search(crew, kernel, rows, &lists, &pairs, k)?;
    // Whose lists have fewer than k others is compared with all.
    let nobody = found.ids.chunks_exact(found.k).enumerate();
    let lonely = nobody.filter(|(_, ids)| ids.contains(&u32::MAX));
    let lonely: Vec<u32> = lonely.map(|(at, _)| at as u32).collect();
    let right = knn::nearest_of(crew, kernel, rows, &lonely, k)?;
    for (from, at) in lonely.iter().enumerate() {
        for rank in 0..found.k {
            let (to, from) = (*at as usize * found.k + rank, from * found.k + rank);
            found.ids[to] = right.ids[from];
            found.similarities[to] = right.similarities[from];
        }
    }
    Some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::neardup::crew::Stop;
    use crate::random::Random;
    use crate::vectors::flat::Flat;

    /// Points around some centres, the later ones with fewer; about one in eight is around none.
    fn around(points: usize, width: usize) -> Flat {
        let mut random = Random::new(3);
        let mut gauss = move || {
            (0..4)
                .map(|_| random.below(2001) as i64 - 1000)
                .sum::<i64>()
        };
        let middles: Vec<Vec<i64>> = (0..30)
            .map(|_| (0..width).map(|_| gauss()).collect())
            .collect();
        let mut rows = Flat::new(points, width);
        for (at, out) in rows.parts(1).enumerate() {
            let middle = &middles[(at % 64) * (at % 64) / 137 % 30];
            let near = if at % 8 == 0 { 0 } else { 2 };
            let numbers: Vec<i64> = middle.iter().map(|x| near * x + gauss()).collect();
            round(&numbers, out);
        }
        rows
    }

    fn crew<'a>(threads: usize, stop: &'a Stop) -> Crew<'a> {
        Crew {
            threads,
            watch: &|_, _| true,
            stop,
        }
    }

    fn plan(points: usize) -> Plan {
        Plan {
            compared: points / 8,
            ..Plan::of(points)
        }
    }

    #[test]
    fn each_point_is_in_one_list_that_of_its_nearest_centre() {
        let (rows, stop) = (around(900, 32), Stop::new());
        let lists = build(&crew(2, &stop), Kernel::best(), &rows, &plan(900)).unwrap();
        let mut all: Vec<u32> = (0..lists.len())
            .flat_map(|at| lists.list(at))
            .copied()
            .collect();
        all.sort_unstable();
        assert_eq!(all, (0..900).collect::<Vec<_>>());
        let mut centre = vec![0; 32];
        for at in 0..lists.len() {
            for point in lists.list(at) {
                let mut nearest = (0..lists.len())
                    .map(|list| {
                        lists.centres.get(list, &mut centre);
                        (
                            crate::vectors::flat::dot(rows.row(*point as usize), &centre),
                            std::cmp::Reverse(list),
                        )
                    })
                    .collect::<Vec<_>>();
                nearest.sort_unstable();
                assert_eq!(nearest.last().unwrap().1 .0, at);
            }
        }
        assert_eq!(lists.worst().len(), 900 / 16);
    }

    #[test]
    fn lists_find_nearly_all_and_never_anything_wrong() {
        let (rows, stop) = (around(4000, 32), Stop::new());
        let crew = crew(2, &stop);
        let panels = Panels::of(&rows, 0..4000);
        let right = knn::nearest(&crew, Kernel::best(), &panels, 8).unwrap();
        let found = nearest(&crew, Kernel::best(), &rows, 8, &plan(4000)).unwrap();
        let (mut hits, mut a, mut b) = (0, vec![0; 32], vec![0; 32]);
        for (at, ids) in found.ids.chunks_exact(8).enumerate() {
            let true_ids = &right.ids[at * 8..][..8];
            hits += ids.iter().filter(|id| true_ids.contains(id)).count();
            rows.read(at, &mut a);
            let similarities = &found.similarities[at * 8..][..8];
            for (id, similarity) in ids.iter().zip(similarities) {
                rows.read(*id as usize, &mut b);
                assert_eq!(crate::vectors::flat::dot(&a, &b), *similarity);
                assert!(*id as usize != at);
            }
            let keys: Vec<_> = ids
                .iter()
                .zip(similarities)
                .map(|(id, s)| (-s, *id))
                .collect();
            assert!(keys.windows(2).all(|two| two[0] < two[1]));
        }
        assert!(hits * 100 >= 97 * 4000 * 8, "{hits}");
    }

    #[test]
    fn with_all_lists_compared_nothing_is_missed_for_any_threads_and_kernel() {
        let (rows, stop) = (around(700, 32), Stop::new());
        let right = neighbours(&crew(2, &stop), Kernel::best(), &rows, 5, Some(true)).unwrap();
        let all = Plan {
            named: 200,
            least: 200,
            ..Plan::of(700)
        };
        for threads in [1, 2, 3] {
            for kernel in Kernel::all() {
                let found = nearest(&crew(threads, &stop), kernel, &rows, 5, &all);
                assert_eq!(found.as_ref(), Some(&right));
            }
        }
    }

    #[test]
    fn threads_and_kernels_change_nothing() {
        let (rows, stop) = (around(2500, 32), Stop::new());
        let first = nearest(&crew(1, &stop), Kernel::Plain, &rows, 6, &plan(2500)).unwrap();
        for kernel in Kernel::all() {
            let other = nearest(&crew(3, &stop), kernel, &rows, 6, &plan(2500)).unwrap();
            assert_eq!(first, other);
        }
    }

    #[test]
    fn whoever_is_alone_in_its_list_is_compared_with_all() {
        let (rows, stop) = (around(600, 32), Stop::new());
        let alone = Plan {
            lists: 600,
            named: 1,
            compared: 0,
            worst: 0,
            ..Plan::of(600)
        };
        let found = nearest(&crew(2, &stop), Kernel::best(), &rows, 4, &alone);
        let right = neighbours(&crew(2, &stop), Kernel::best(), &rows, 4, Some(true));
        assert_eq!(found, right);
    }

    #[test]
    fn few_points_are_no_special_case() {
        let stop = Stop::new();
        for points in 0..5 {
            let rows = around(points, 32);
            let exact = neighbours(&crew(2, &stop), Kernel::best(), &rows, 3, Some(true));
            let lists = neighbours(&crew(2, &stop), Kernel::best(), &rows, 3, Some(false));
            assert_eq!(exact.unwrap().k, points.saturating_sub(1).min(3));
            if points > 1 {
                assert_eq!(
                    lists.unwrap().ids.len(),
                    points * points.saturating_sub(1).min(3)
                );
            }
        }
    }
}
