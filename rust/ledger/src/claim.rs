//! Could another lottery do better by nash, goldilocks or minimax?
//!
//! One bound U on Σ q_T x_T over all panels, by a tree of integer duals (`certificate`), says it of all lotteries at once: for nash by the
//! inequality of arithmetic and geometric means, for goldilocks by the tangent of 1/m, for minimax by an average. Symbols as in
//! `docs/audit/bundle.md`: c are the claim's weights, E the open types, N their weighted number of people, a_T = n_T·w_T.
//!
//! Guarantees: exact integers, no logarithm and no root. Complexity: leaves × types × features. No recursion.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

use crate::bundle::{Claim, Declaration, Node, Objective, Panel, Pool};
use crate::certificate::Tree;
use crate::number::Ratio;
use crate::{refuse, Fault};

/// Terms of nash's second mean are rounded up to a multiple of one over ten to this power.
const NASH_DIGITS: u32 = 30;

/// What the claim says, once its form is right and its tree walked.
#[derive(Debug)]
pub struct Proved {
    open: Vec<usize>,
    /// U.
    best: BigInt,
    /// N.
    people: BigInt,
    /// Seats of the open types, at least 1 if there are any: share = seats / N.
    seats: i64,
    /// Z.
    above: BigInt,
}

/// The types whose people sit on every panel, as single quotas show of those who can sit.
fn forced(declaration: &Declaration, pool: &Pool, shut: &[bool]) -> Vec<bool> {
    let able = || (0..shut.len()).filter(|t| !shut[*t]);
    if able().map(|t| pool.counts[t]).sum::<i64>() == declaration.size {
        return shut.iter().map(|shut| !shut).collect();
    }
    let mut there = vec![0_i64; declaration.bounds.len()];
    for t in able() {
        for cell in &pool.cells[t] {
            there[*cell] += pool.counts[t];
        }
    }
    let mut full = vec![false; there.len()];
    for ((_, values), first) in declaration.features.iter().zip(&declaration.first_cell) {
        let own = *first..first + values.len();
        let most = |cell: usize| declaration.bounds[cell].1.min(there[cell]);
        let all: i64 = own.clone().map(most).sum();
        for cell in own {
            let least = declaration.bounds[cell]
                .0
                .max(declaration.size - all + most(cell));
            full[cell] = there[cell] <= least;
        }
    }
    let in_full = |t: usize| !shut[t] && pool.cells[t].iter().any(|cell| full[*cell]);
    (0..shut.len()).map(in_full).collect()
}

/// Checks the form of the claim and walks its tree. `shut` marks the types that the levels shut out.
pub fn check_claim(
    declaration: &Declaration,
    pool: &Pool,
    claim: &Claim,
    shut: &[bool],
) -> Result<Proved, Fault> {
    let (mut low, mut high) = (vec![0_i64; shut.len()], pool.counts.clone());
    for (t, forced) in forced(declaration, pool, shut).into_iter().enumerate() {
        if shut[t] {
            high[t] = 0;
        } else if forced {
            low[t] = high[t];
        }
    }
    let open: Vec<usize> = (0..shut.len()).filter(|t| low[*t] < high[*t]).collect();
    if claim.weights.iter().any(|(t, _)| low[*t] == high[*t]) {
        refuse!("the claim weighs a type that is shut out or forced");
    }
    let (mut above, mut below) = (BigInt::zero(), BigInt::zero());
    for (t, c) in &claim.weights {
        let part = c.abs() * pool.share(*t);
        if c.is_positive() {
            above += part;
        } else {
            below += part;
        }
    }
    let seats = declaration.size - low.iter().sum::<i64>();
    if !open.is_empty() && seats < 1 {
        refuse!("no seat is left for the people who are neither shut out nor forced");
    }
    if !fits(declaration.objective, claim, open.len(), &above, &below) {
        refuse!("the claim's weights or tangent are not those of the objective");
    }
    let sign = if declaration.objective == Objective::Nash {
        1
    } else {
        -1
    };
    let mut q = vec![BigInt::zero(); shut.len()];
    for (t, c) in &claim.weights {
        q[*t] = c * sign;
    }
    let best = if claim.weights.is_empty() {
        BigInt::zero()
    } else {
        Tree::new(declaration, pool, &claim.proof, &q, (low, high))?.bound()?
    };
    Ok(Proved {
        people: open.iter().map(|t| pool.share(*t)).sum(),
        open,
        best,
        seats,
        above,
    })
}

/// Whether the claim's bound needs that seats are whole: a tree, or a leaf rounded down over its scale.
pub fn integral(claim: &Claim) -> bool {
    let one = BigInt::one();
    claim.proof.iter().any(|node| match node {
        Node::Split { .. } => true,
        Node::Leaf { scale, .. } => *scale > one,
    })
}

/// Whether weights and tangent have the objective's form; Z and Y are `above` and `below`.
fn fits(objective: Objective, claim: &Claim, open: usize, above: &BigInt, below: &BigInt) -> bool {
    let (alpha, plain) = (&claim.tangent, claim.tangent.num.is_zero());
    let empty = claim.weights.is_empty() && claim.proof.is_empty() && plain;
    if open == 0 {
        return empty;
    }
    let one_side = plain && below.is_zero() && !claim.proof.is_empty();
    match objective {
        Objective::Nash => one_side && claim.weights.len() == open,
        Objective::Minimax => one_side && above.is_positive(),
        _ => {
            empty
                || (!claim.proof.is_empty()
                    && above.is_positive()
                    && below.is_positive()
                    && alpha.num.is_positive()
                    && below * &alpha.num * &alpha.num >= above * &alpha.den * &alpha.den)
        }
    }
}

/// How far the lottery of these panels may be from the best. The panels must meet the quotas, which bounds the sums.
pub fn gap(
    declaration: &Declaration,
    pool: &Pool,
    panels: &[Panel],
    claim: &Claim,
    proved: &Proved,
) -> Result<Ratio, Fault> {
    if proved.open.is_empty() {
        return Ok(Ratio::zero());
    }
    let mut won = vec![BigInt::zero(); pool.counts.len()];
    for (count, panel) in panels {
        for (t, seats) in panel {
            won[*t] += i128::from(*count) * i128::from(*seats);
        }
    }
    if declaration.objective != Objective::Minimax {
        if let Some(t) = proved.open.iter().find(|t| won[**t].is_zero()) {
            refuse!("type {t} can sit and has no ball");
        }
    }
    if declaration.objective == Objective::Nash {
        return Ok(nash_gap(declaration, pool, claim, proved, &won));
    }
    // π_T/w_T of the open types.
    let ratios = proved.open.iter().map(|t| Ratio {
        num: won[*t].clone(),
        den: pool.share(*t) * declaration.denominator,
    });
    let (mut most, mut least) = (Ratio::zero(), None::<Ratio>);
    for ratio in ratios {
        if ratio.compare(&most).is_gt() {
            most = ratio.clone();
        }
        if least
            .as_ref()
            .is_none_or(|least| ratio.compare(least).is_lt())
        {
            least = Some(ratio);
        }
    }
    let least = least.unwrap_or_else(Ratio::zero);
    let share = Ratio {
        num: proved.seats.into(),
        den: proved.people.clone(),
    };
    if declaration.objective == Objective::Minimax {
        // (max − (−U/Z)) / share
        let above = most.plus(&Ratio {
            num: proved.best.clone(),
            den: proved.above.clone(),
        });
        return Ok(above.over(&share));
    }
    let reached = most.over(&share).plus(&share.over(&least));
    let mut bound = Ratio {
        num: 2.into(),
        den: BigInt::one(),
    };
    if !claim.weights.is_empty() {
        let proved = Ratio {
            num: -&proved.best * &proved.people,
            den: &proved.above * proved.seats,
        };
        let found = bound.over(&claim.tangent).plus(&proved);
        if found.compare(&bound).is_gt() {
            bound = found;
        }
    }
    bound.num = -bound.num;
    Ok(reached.plus(&bound))
}

/// U·S / (10^30·N²) − 1.
fn nash_gap(
    declaration: &Declaration,
    pool: &Pool,
    claim: &Claim,
    proved: &Proved,
    won: &[BigInt],
) -> Ratio {
    let unit = BigInt::from(10).pow(NASH_DIGITS);
    let scale = &unit * declaration.denominator;
    let terms = claim.weights.iter().map(|(t, c)| {
        let share = pool.share(*t);
        (&scale * &share * &share).div_ceil(&(c * &won[*t]))
    });
    let sum: BigInt = terms.sum();
    let den = unit * &proved.people * &proved.people;
    Ratio {
        num: &proved.best * sum - &den,
        den,
    }
}
