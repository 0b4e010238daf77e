//! Are these texts more alike than as many others that were drawn from the same place?
//!
//! Texts are vectors of whole numbers. The **energy** of a group S is |Σ v|² − Σ |v|² over its vectors: twice the sum of the scalar products of all its pairs, found
//! from one sum of vectors instead of |S|² products. A null group has the same number of members in each *class* of the group's pool (texts of one length and
//! stance), drawn without replacement: a stratified permutation test (Good 2005, chapter 3) of «which of the pool's texts are these» given everything else.
//!
//! Guarantees: energies are whole numbers and exact, so that ties are ties; each group has a stream of its own ([`Random`]), so that results depend neither on
//! threads nor on which other groups are asked about.
//! Cost: for each null group, a sum of |S| vectors; pools are prepared once a group. Memory: a sum and the pool's order, a thread.

use crate::neardup::crew::{Crew, Stop};
use crate::random::Random;

/// The largest absolute number in a vector: sums over 2^17 rows fit 32 bits.
pub const LARGEST: i16 = 16_383;
/// The most members of a group.
pub const MOST: usize = 1 << 17;

/// Vectors, row by row.
#[derive(Clone, Copy)]
pub struct Vectors<'a> {
    /// Rows side by side.
    pub numbers: &'a [i16],
    /// Numbers of a row, at least 1.
    pub dimension: usize,
}

impl Vectors<'_> {
    fn row(&self, row: u32) -> &[i16] {
        let first = row as usize * self.dimension;
        self.numbers
            .get(first..first + self.dimension)
            .unwrap_or_default()
    }
}

/// Where a group's null comes from.
#[derive(Clone, Copy)]
pub struct Pool<'a> {
    /// Rows of the vectors.
    pub rows: &'a [u32],
    /// The class of each.
    pub classes: &'a [u32],
}

/// A group of a pool.
#[derive(Clone, Copy)]
pub struct Group<'a> {
    /// The number of its pool.
    pub pool: usize,
    /// Places of its members in the pool, all different.
    pub members: &'a [u32],
    /// Of its own draws.
    pub seed: u64,
}

/// What was asked of the kernel and cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Rows, classes, members or pools that are not there, or too many members.
    Outside,
    /// Numbers beyond [`LARGEST`].
    Large,
}

/// A group's energy, and those of its null groups in the order of their draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Energies {
    /// Of the group.
    pub observed: i64,
    /// Of the null groups.
    pub drawn: Vec<i64>,
}

struct Work {
    sum: Vec<i32>,
    order: Vec<u32>,
}

impl Work {
    fn energy(&mut self, vectors: &Vectors<'_>, rows: impl Iterator<Item = u32>) -> i64 {
        self.sum.clear();
        self.sum.resize(vectors.dimension, 0);
        let mut own = 0i64;
        for row in rows {
            let mut square = 0i64;
            for (sum, &number) in self.sum.iter_mut().zip(vectors.row(row)) {
                let number = i32::from(number);
                *sum = sum.wrapping_add(number);
                square = square.wrapping_add(i64::from(number.wrapping_mul(number)));
            }
            own += square;
        }
        let whole = self.sum.iter().fold(0i64, |all, &sum| {
            all.wrapping_add(i64::from(sum).wrapping_mul(i64::from(sum)))
        });
        whole - own
    }
}

/// The energies of all groups, each with `draws` null groups. None if the crew was stopped.
///
/// # Errors
/// See [`Unfit`].
pub fn energies(
    vectors: &Vectors<'_>,
    pools: &[Pool<'_>],
    groups: &[Group<'_>],
    draws: usize,
    crew: &Crew<'_>,
) -> Result<Option<Vec<Energies>>, Unfit> {
    check(vectors, pools, groups)?;
    let stop = crew.stop;
    let states = crew.share(
        "drawing null groups",
        groups.len(),
        || {
            let work = Work {
                sum: Vec::new(),
                order: Vec::new(),
            };
            (work, Vec::new())
        },
        |(work, done), at| {
            if let Some(group) = groups.get(at) {
                if let Some(pool) = pools.get(group.pool) {
                    let found = one(vectors, pool, group, draws, work, stop);
                    done.push((at, found));
                }
            }
        },
    );
    Ok(states.map(|states| {
        let mut all: Vec<_> = states.into_iter().flat_map(|(_, done)| done).collect();
        all.sort_unstable_by_key(|&(at, _)| at);
        all.into_iter().map(|(_, found)| found).collect()
    }))
}

fn check(vectors: &Vectors<'_>, pools: &[Pool<'_>], groups: &[Group<'_>]) -> Result<(), Unfit> {
    let rows = vectors.numbers.len() / vectors.dimension.max(1);
    let fits = |pool: &Pool<'_>| {
        pool.rows.len() == pool.classes.len() && pool.rows.iter().all(|&row| (row as usize) < rows)
    };
    let inside = |group: &Group<'_>| {
        let size = pools.get(group.pool).map_or(0, |pool| pool.rows.len());
        let mut seen = vec![false; size];
        group.members.len() <= MOST
            && group.members.iter().all(|&member| {
                seen.get_mut(member as usize)
                    .is_some_and(|seen| !std::mem::replace(seen, true))
            })
    };
    if vectors.dimension == 0 || !pools.iter().all(fits) || !groups.iter().all(inside) {
        return Err(Unfit::Outside);
    }
    let large = |&number: &i16| number.unsigned_abs() > LARGEST.unsigned_abs();
    if vectors.numbers.iter().any(large) {
        return Err(Unfit::Large);
    }
    Ok(())
}

fn one(
    vectors: &Vectors<'_>,
    pool: &Pool<'_>,
    group: &Group<'_>,
    draws: usize,
    work: &mut Work,
    stop: &Stop,
) -> Energies {
    let row_of = |place: u32| pool.rows.get(place as usize).copied().unwrap_or(u32::MAX);
    let class_of = |place: u32| pool.classes.get(place as usize).copied().unwrap_or(0);
    let observed = work.energy(vectors, group.members.iter().map(|&place| row_of(place)));
    let mut order: Vec<u32> = (0..pool.rows.len() as u32).collect();
    order.sort_unstable_by_key(|&place| (class_of(place), place));
    let taken = classes(&order, group.members, class_of);
    let mut random = Random::new(group.seed);
    let mut drawn = Vec::with_capacity(draws);
    work.order = order;
    for _ in 0..draws {
        if stop.is_set() {
            break;
        }
        // The first places of each class are drawn anew (Fisher and Yates); that they lie in the order of the draw before changes no probability.
        let mut order = std::mem::take(&mut work.order);
        for &(first, size, wanted) in &taken {
            for place in 0..wanted {
                order.swap(first + place, first + place + random.below(size - place));
            }
        }
        let rows = taken.iter().flat_map(|&(first, _, wanted)| {
            order
                .get(first..first + wanted)
                .unwrap_or_default()
                .iter()
                .map(|&place| row_of(place))
        });
        drawn.push(work.energy(vectors, rows));
        work.order = order;
    }
    Energies { observed, drawn }
}

/// Where each class begins in the order, how large it is, and how many of the group are in it; of those that have any.
fn classes(
    order: &[u32],
    members: &[u32],
    class_of: impl Fn(u32) -> u32,
) -> Vec<(usize, usize, usize)> {
    let mut wanted: Vec<u32> = members.iter().map(|&place| class_of(place)).collect();
    wanted.sort_unstable();
    let runs = wanted.chunk_by(|a, b| a == b);
    runs.filter_map(|run| {
        let class = *run.first()?;
        let first = order.partition_point(|&place| class_of(place) < class);
        let after = order.partition_point(|&place| class_of(place) <= class);
        Some((first, after - first, run.len()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(
        vectors: &Vectors<'_>,
        pools: &[Pool<'_>],
        groups: &[Group<'_>],
        draws: usize,
        threads: usize,
    ) -> Vec<Energies> {
        let stop = Stop::new();
        let crew = Crew {
            threads,
            watch: &|_, _| true,
            stop: &stop,
        };
        energies(vectors, pools, groups, draws, &crew)
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    fn pairs(vectors: &Vectors<'_>, rows: &[u32]) -> i64 {
        let dot = |a: u32, b: u32| -> i64 {
            let both = vectors.row(a).iter().zip(vectors.row(b));
            both.map(|(&x, &y)| i64::from(x) * i64::from(y)).sum()
        };
        let mut all = 0;
        for (i, &a) in rows.iter().enumerate() {
            for &b in rows.iter().skip(i + 1) {
                all += 2 * dot(a, b);
            }
        }
        all
    }

    #[test]
    fn the_energy_is_twice_the_sum_over_pairs_and_null_groups_keep_the_numbers_of_the_classes() {
        let mut random = Random::new(7);
        let numbers: Vec<i16> = (0..60 * 5)
            .map(|_| random.below(2001) as i16 - 1000)
            .collect();
        let vectors = Vectors {
            numbers: &numbers,
            dimension: 5,
        };
        let rows: Vec<u32> = (0..40).map(|i| i + 3).collect();
        let classes: Vec<u32> = (0..40).map(|i| i % 3).collect();
        let pools = [Pool {
            rows: &rows,
            classes: &classes,
        }];
        let members = [0, 1, 3, 4, 9, 38];
        let groups = [
            Group {
                pool: 0,
                members: &members,
                seed: 1,
            },
            Group {
                pool: 0,
                members: &members,
                seed: 2,
            },
        ];
        let found = run(&vectors, &pools, &groups, 500, 1);
        let chosen: Vec<u32> = members.iter().map(|&m| m + 3).collect();
        assert_eq!(found[0].observed, pairs(&vectors, &chosen));
        assert_eq!(found[0].drawn.len(), 500);
        assert_ne!(found[0].drawn, found[1].drawn);
        assert_eq!(found, run(&vectors, &pools, &groups, 500, 3));
        assert_eq!(found[1], run(&vectors, &pools, &groups[1..], 500, 1)[0]);
    }

    #[test]
    fn every_group_of_the_right_classes_is_drawn_equally_often() {
        // Powers of two on a line: the energy tells which rows were drawn.
        let numbers: Vec<i16> = (0..6).map(|i| 1 << i).collect();
        let vectors = Vectors {
            numbers: &numbers,
            dimension: 1,
        };
        let rows: Vec<u32> = (0..6).collect();
        let classes = [0, 0, 0, 1, 1, 1];
        let pools = [Pool {
            rows: &rows,
            classes: &classes,
        }];
        let groups = [Group {
            pool: 0,
            members: &[0, 4],
            seed: 3,
        }];
        let found = run(&vectors, &pools, &groups, 9000, 1);
        for a in 0..3 {
            for b in 3..6 {
                let energy = 2 * (1i64 << a) * (1i64 << b);
                let seen = found[0].drawn.iter().filter(|&&e| e == energy).count();
                let alike = (0..3)
                    .flat_map(|x| (3..6).map(move |y| x + y))
                    .filter(|&s| s == a + b);
                let expected = 1000 * alike.count();
                assert!(
                    seen.abs_diff(expected) < 200,
                    "{a} {b}: {seen} of {expected}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let numbers = [1i16, 2, 3];
        let vectors = Vectors {
            numbers: &numbers,
            dimension: 1,
        };
        let stop = Stop::new();
        let crew = Crew {
            threads: 1,
            watch: &|_, _| true,
            stop: &stop,
        };
        let pool = Pool {
            rows: &[0, 5],
            classes: &[0, 0],
        };
        assert_eq!(
            energies(&vectors, &[pool], &[], 1, &crew),
            Err(Unfit::Outside)
        );
        let pool = Pool {
            rows: &[0, 1],
            classes: &[0, 0],
        };
        let twice = Group {
            pool: 0,
            members: &[1, 1],
            seed: 0,
        };
        assert_eq!(
            energies(&vectors, &[pool], &[twice], 1, &crew),
            Err(Unfit::Outside)
        );
        let large = Vectors {
            numbers: &[i16::MAX],
            dimension: 1,
        };
        assert_eq!(energies(&large, &[], &[], 1, &crew), Err(Unfit::Large));
    }
}
