//! Could anybody have been treated more fairly by another lottery?
//!
//! Weak duality of linear programming, for maximin (Flanigan et al. 2021, «Fair algorithms for selecting citizens'
//! assemblies») and for each level of leximin. Symbols as in `docs/audit/bundle.md`: y weighs types, λ cells, ν seats; a type has n
//! people of weight w, and a = n·w; S are the types settled before; q is the objective that a level bounds, U its bound, v the level's value.
//!
//! Guarantees: exact integers; a level that passes is true of every lottery over panels that meet the quotas. Where the
//! linear bound is too weak, a proof tree splits the panels («L1»), and each of its leaves is a linear bound of its own.
//! Complexity: levels (and leaves) × types × features. No recursion.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero};

use crate::bundle::{Certificate, Declaration, Level, Node, Objective, Panel, Pool, Weights};
use crate::number::Ratio;
use crate::{refuse, Fault};

/// The common denominator of all values has at most this many bits: what keeps the work bounded.
pub const COMMON_BITS: u64 = 65_536;

/// (Leaves of all proofs + levels) · types is at most this: what bounds the time of a check.
pub const WORK_LIMIT: usize = 1_000_000_000;

/// Refuses a certificate that asks for too much work, before any is done.
pub fn check_work(pool: &Pool, certificate: &Certificate) -> Result<(), Fault> {
    let proofs = certificate.levels.iter().map(|level| &level.proof);
    let proofs = proofs.chain(certificate.claim.iter().map(|claim| &claim.proof));
    let leaves = proofs
        .flatten()
        .filter(|node| matches!(node, Node::Leaf { .. }));
    let bounds = leaves.count() + certificate.levels.len();
    if bounds.saturating_mul(pool.types.len()) > WORK_LIMIT {
        refuse!(
            "{bounds} leaves and levels times {} types are more than {WORK_LIMIT}",
            pool.types.len()
        );
    }
    Ok(())
}

/// Checks every level, and that types are settled as the objective asks. Says which types the levels settle.
pub fn check_levels(
    declaration: &Declaration,
    pool: &Pool,
    certificate: &Certificate,
) -> Result<Vec<bool>, Fault> {
    let leximin = declaration.objective == Objective::Leximin;
    let with_claim = declaration.objective.with_claim();
    let mut state = Settled {
        at: vec![None; pool.types.len()],
        numerators: Vec::new(),
        common: BigInt::from(1),
    };
    let last = certificate.levels.len().wrapping_sub(1);
    let mut before: Option<&Ratio> = None;
    for (i, level) in certificate.levels.iter().enumerate() {
        if before.is_some_and(|before| before.compare(&level.value) == Ordering::Greater) {
            refuse!("level {i}: its value is below that of the level before");
        }
        before = Some(&level.value);
        if !leximin && (with_claim || i != last) && !level.value.num.is_zero() {
            refuse!("level {i}: only maximin's last level and those of leximin may be above zero");
        }
        if level.types.iter().any(|(t, _)| state.at[*t].is_some()) {
            refuse!("level {i}: a type is settled twice");
        }
        if !holds(declaration, pool, level, &state)? {
            refuse!("level {i}: the bound is not the stated value");
        }
        state.settle(level, i)?;
    }
    if (certificate.levels.is_empty() && !with_claim) || (leximin && state.at.contains(&None)) {
        refuse!("the levels don't settle all types");
    }
    Ok(state.at.iter().map(Option::is_some).collect())
}

/// Which level settled each type, and the levels' values over one denominator.
struct Settled {
    at: Vec<Option<usize>>,
    numerators: Vec<BigInt>,
    common: BigInt,
}

impl Settled {
    fn settle(&mut self, level: &Level, number: usize) -> Result<(), Fault> {
        let common = self.common.lcm(&level.value.den);
        if common.bits() > COMMON_BITS {
            refuse!(
                "level {number}: the values' common denominator has more than {COMMON_BITS} bits"
            );
        }
        if common != self.common {
            let factor = &common / &self.common;
            self.numerators.iter_mut().for_each(|a| *a *= &factor);
        }
        self.numerators
            .push(&level.value.num * (&common / &level.value.den));
        self.common = common;
        level
            .types
            .iter()
            .for_each(|(t, _)| self.at[*t] = Some(number));
        Ok(())
    }

    /// Σ_{T in S} q_T·a_T·v_T, over the common denominator.
    fn fixed(&self, pool: &Pool, q: &[BigInt]) -> BigInt {
        let mut by_level = vec![BigInt::zero(); self.numerators.len()];
        for (t, (at, q)) in self.at.iter().zip(q).enumerate() {
            if let Some(level) = at {
                by_level[*level] += q * pool.share(t);
            }
        }
        by_level
            .iter()
            .zip(&self.numerators)
            .map(|(sum, a)| sum * a)
            .sum()
    }
}

/// value = (U − Σ_S q·a·v) / Σ a·y, without a division.
fn holds(
    declaration: &Declaration,
    pool: &Pool,
    level: &Level,
    state: &Settled,
) -> Result<bool, Fault> {
    let mut q = vec![BigInt::zero(); pool.types.len()];
    for (t, y) in &level.types {
        q[*t].clone_from(y);
    }
    let best = if level.proof.is_empty() {
        let prices = prices(pool, &level.cells, &level.seats, declaration.bounds.len());
        let of_settled = q
            .iter_mut()
            .zip(&prices)
            .zip(&state.at)
            .filter(|(_, at)| at.is_some());
        of_settled.for_each(|((q, price), _)| q.clone_from(price));
        // On S the difference is 0 by the choice of q.
        let rest = q
            .iter()
            .zip(&prices)
            .zip(&pool.counts)
            .filter(|((q, price), _)| q > price);
        constant(declaration, &level.cells, &level.seats)
            + rest.map(|((q, price), n)| (q - price) * n).sum::<BigInt>()
    } else {
        for (t, z) in &level.held {
            if state.at[*t].is_none() {
                refuse!("type {t} is held and not settled before");
            }
            q[*t].clone_from(z);
        }
        let root = (vec![0; q.len()], pool.counts.clone());
        Tree::new(declaration, pool, &level.proof, &q, root)?.bound()?
    };
    let group: BigInt = level.types.iter().map(|(t, y)| y * pool.share(*t)).sum();
    let left = &level.value.num * group * &state.common;
    Ok(left == (best * &state.common - state.fixed(pool, &q)) * &level.value.den)
}

/// λ(T) + ν of every type.
fn prices(pool: &Pool, cells: &Weights, seats: &BigInt, cell_count: usize) -> Vec<BigInt> {
    let mut dense: Vec<Option<&BigInt>> = vec![None; cell_count];
    for (cell, weight) in cells {
        dense[*cell] = Some(weight);
    }
    pool.cells
        .iter()
        .map(|of_type| {
            of_type
                .iter()
                .filter_map(|cell| dense[*cell])
                .fold(seats.clone(), |sum, w| sum + w)
        })
        .collect()
}

/// Σ_c max(λ_c·min_c, λ_c·max_c) + ν·k.
fn constant(declaration: &Declaration, cells: &Weights, seats: &BigInt) -> BigInt {
    let of_cell = |(cell, weight): &(usize, BigInt)| {
        let (min, max) = declaration.bounds[*cell];
        weight * if weight.is_positive() { max } else { min }
    };
    cells.iter().map(of_cell).sum::<BigInt>() + seats * declaration.size
}

/// A proof tree that is being walked, with the bounds l ≤ x ≤ u of the node that it stands at.
pub struct Tree<'a> {
    declaration: &'a Declaration,
    pool: &'a Pool,
    nodes: &'a [Node],
    q: &'a [BigInt],
    low: Vec<i64>,
    high: Vec<i64>,
}

/// What is left to do: look at a node under a changed bound of one type, or put the bounds back.
enum Task {
    Visit {
        node: usize,
        kind: usize,
        low: i64,
        high: i64,
    },
    Restore {
        kind: usize,
        low: i64,
        high: i64,
    },
}

impl<'a> Tree<'a> {
    /// Refuses nodes that don't form one tree with parents before children. `root` are l and u of node 0.
    pub fn new(
        declaration: &'a Declaration,
        pool: &'a Pool,
        nodes: &'a [Node],
        q: &'a [BigInt],
        root: (Vec<i64>, Vec<i64>),
    ) -> Result<Self, Fault> {
        let mut parents = vec![0_u8; nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            let Node::Split { below, above, .. } = node else {
                continue;
            };
            for child in [*below, *above] {
                if child <= i || child >= nodes.len() || parents[child] > 0 {
                    refuse!("proof node {i}: {child} is not a later node without another parent");
                }
                parents[child] = 1;
            }
        }
        if parents.iter().skip(1).any(|p| *p == 0) {
            refuse!("a proof node that is nobody's child");
        }
        Ok(Self {
            declaration,
            pool,
            nodes,
            q,
            low: root.0,
            high: root.1,
        })
    }

    /// U: the largest bound of a leaf.
    pub fn bound(&mut self) -> Result<BigInt, Fault> {
        let mut best: Option<BigInt> = None;
        let mut tasks = vec![Task::Visit {
            node: 0,
            kind: 0,
            low: self.low[0],
            high: self.high[0],
        }];
        while let Some(task) = tasks.pop() {
            let (node, kind, low, high) = match task {
                Task::Visit {
                    node,
                    kind,
                    low,
                    high,
                } => (node, kind, low, high),
                Task::Restore { kind, low, high } => {
                    (self.low[kind], self.high[kind]) = (low, high);
                    continue;
                }
            };
            tasks.push(Task::Restore {
                kind,
                low: self.low[kind],
                high: self.high[kind],
            });
            (self.low[kind], self.high[kind]) = (low, high);
            match &self.nodes[node] {
                Node::Leaf {
                    scale,
                    cells,
                    seats,
                } => {
                    let bound = self.leaf(scale, cells, seats);
                    best = Some(best.map_or(bound.clone(), |best| best.max(bound)));
                }
                Node::Split {
                    kind,
                    at_most,
                    below,
                    above,
                } => {
                    let (kind, at_most, low, high) =
                        (*kind, *at_most, self.low[*kind], self.high[*kind]);
                    if at_most < low || at_most >= high {
                        refuse!("proof node {node}: it splits type {kind} at {at_most}, outside {low} to {high}");
                    }
                    tasks.push(Task::Visit {
                        node: *above,
                        kind,
                        low: at_most + 1,
                        high,
                    });
                    tasks.push(Task::Visit {
                        node: *below,
                        kind,
                        low,
                        high: at_most,
                    });
                }
            }
        }
        best.ok_or_else(|| Fault("a proof without a leaf".to_owned()))
    }

    fn leaf(&self, scale: &BigInt, cells: &Weights, seats: &BigInt) -> BigInt {
        let mut sum = constant(self.declaration, cells, seats);
        let prices = prices(self.pool, cells, seats, self.declaration.bounds.len());
        for (t, (q, price)) in self.q.iter().zip(&prices).enumerate() {
            let rest = q * scale - price;
            sum += &rest
                * if rest.is_positive() {
                    self.high[t]
                } else {
                    self.low[t]
                };
        }
        sum.div_floor(scale)
    }
}

/// (U − Σ q_T·n_T·π_T) / min n_T·y_T over the group of level `i`. As the level's value is exact, the numerator is
/// value·Σ a·y + Σ_S q·a·v − Σ q·n·π, with a = n·w.
fn slack(
    declaration: &Declaration,
    pool: &Pool,
    certificate: &Certificate,
    i: usize,
    settled: &[Option<usize>],
    won: &[i128],
) -> Ratio {
    let level = &certificate.levels[i];
    let mut by_level = vec![BigInt::zero(); i + 1];
    let mut seated = BigInt::zero();
    let mut add = |t: usize, q: &BigInt, number: usize| {
        by_level[number] += q * pool.share(t);
        seated += q * won[t];
    };
    for (t, y) in &level.types {
        add(*t, y, i);
    }
    if level.proof.is_empty() {
        let prices = prices(pool, &level.cells, &level.seats, declaration.bounds.len());
        for (t, (price, number)) in prices.iter().zip(settled).enumerate() {
            if let Some(number) = number {
                add(t, price, *number);
            }
        }
    } else {
        for (t, z) in &level.held {
            if let Some(number) = settled[*t] {
                add(*t, z, number);
            }
        }
    }
    let denominator = BigInt::from(declaration.denominator);
    let (mut num, mut den) = (-seated, denominator.clone());
    for (sum, level) in by_level.iter().zip(&certificate.levels) {
        num = num * &level.value.den + sum * &level.value.num * &den;
        den *= &level.value.den;
    }
    let least = level.types.iter().map(|(t, y)| y * pool.counts[*t]).min();
    Ratio {
        num,
        den: den * least.unwrap_or_else(|| BigInt::from(1)),
    }
}

/// The largest of 0, of w_T·value − π_T, and of what the panels' own slack leaves open. The panels must meet the quotas, which
/// bounds the sums.
pub fn gap(
    declaration: &Declaration,
    pool: &Pool,
    panels: &[Panel],
    certificate: &Certificate,
) -> Ratio {
    let mut won = vec![0_i128; pool.types.len()];
    for (count, panel) in panels {
        for (t, seats) in panel {
            won[*t] += i128::from(*count) * i128::from(*seats);
        }
    }
    let mut listed = vec![false; pool.types.len()];
    let mut settled: Vec<Option<usize>> = vec![None; pool.types.len()];
    let mut worst = Ratio::zero();
    for (i, level) in certificate.levels.iter().enumerate() {
        let group: Vec<usize> =
            if declaration.objective == Objective::Maximin && i + 1 == certificate.levels.len() {
                (0..listed.len()).filter(|t| !listed[*t]).collect()
            } else {
                level.types.iter().map(|(t, _)| *t).collect()
            };
        group.iter().for_each(|t| listed[*t] = true);
        for t in group {
            let den = BigInt::from(declaration.denominator) * pool.counts[t];
            let short = Ratio {
                num: &level.value.num * pool.weights[t] * &den
                    - BigInt::from(won[t]) * &level.value.den,
                den: den * &level.value.den,
            };
            if short.compare(&worst) == Ordering::Greater {
                worst = short;
            }
        }
        let open = slack(declaration, pool, certificate, i, &settled, &won);
        if open.compare(&worst) == Ordering::Greater {
            worst = open;
        }
        level.types.iter().for_each(|(t, _)| settled[*t] = Some(i));
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_and_levels_times_types_are_limited_to_the_unit() {
        let types = 100_000;
        let pool = Pool {
            people: Vec::new(),
            types: vec![Vec::new(); types],
            cells: Vec::new(),
            counts: Vec::new(),
            weights: Vec::new(),
            households: Vec::new(),
            home: Vec::new(),
        };
        let leaf = || Node::Leaf {
            scale: BigInt::from(1),
            cells: Vec::new(),
            seats: BigInt::zero(),
        };
        let level = |leaves: usize| Level {
            value: Ratio::zero(),
            types: Vec::new(),
            cells: Vec::new(),
            seats: BigInt::zero(),
            held: Vec::new(),
            proof: (0..leaves).map(|_| leaf()).collect(),
        };
        let certificate = |leaves: usize| Certificate {
            gap: Ratio::zero(),
            with_proof: true,
            levels: vec![level(0), level(5_000)],
            claim: Some(crate::bundle::Claim {
                weights: Vec::new(),
                tangent: Ratio::zero(),
                proof: (0..leaves).map(|_| leaf()).collect(),
            }),
        };
        assert!(check_work(&pool, &certificate(WORK_LIMIT / types - 5_002)).is_ok());
        assert!(check_work(&pool, &certificate(WORK_LIMIT / types - 5_001)).is_err());
    }
}
