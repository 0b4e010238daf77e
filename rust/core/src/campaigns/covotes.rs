//! Which voters vote more alike than the margins of both explain?
//!
//! What is left of a vote when its probabilities are taken away, X − p, is a vector of three numbers; two voters' residuals multiplied and summed over the items on which both voted
//! have mean zero where they vote independently, whatever their leanings, and products of different pairs are uncorrelated. T = Σ (X_u − p_u)·(X_v − p_v) has the variance
//! V = Σ tr(C_u C_v), C = diag(p) − p pᵀ. Opinions are finer than any groups, so real pairs spread more: by τ times W = Σ √(tr C_u tr C_v), where τ² = Σ (T² − V) / Σ W² over
//! the consultation's own pairs. The score is T / √(V + τ² W² + 1): for many common items it no longer grows.
//!
//! Guarantees: for each voter the nearest others, by score, then by number; the same for any number of threads. Cost: Σ over items of the square of its votes, twice; memory O(voters) a thread
//! and O(voters · neighbours): never a matrix of pairs.

use super::ballots::Ballots;
use super::rates::Three;
use crate::neardup::crew::Crew;

/// Voters from whom τ is taken.
const SAMPLED: usize = 512;
/// Pairs that share less are not compared.
const LEAST_SHARED: f64 = 3.0;
const BLOCK: usize = 16;

/// A vote as the scores read it: two coordinates of the residual in the plane where three numbers sum to zero, and the spread √tr C.
struct Residual {
    x: f64,
    y: f64,
    /// C in the same coordinates.
    c: [f64; 3],
    spread: f64,
}

fn residual(p: &Three, choice: usize) -> Residual {
    // Rows of an orthonormal basis of the plane: (1, −1, 0) / √2 and (1, 1, −2) / √6.
    let (half, sixth) = (0.5f64.sqrt(), (1.0f64 / 6.0).sqrt());
    let of = |at: usize| f64::from(u8::from(at == choice)) - p[at];
    let (a, b) = (p[0] - p[1], p[0] + p[1] - 2.0 * p[2]);
    let c = [
        (p[0] + p[1] - a * a) * 0.5,
        (a - a * b) * half * sixth,
        (p[0] + p[1] + 4.0 * p[2] - b * b) / 6.0,
    ];
    Residual {
        x: (of(0) - of(1)) * half,
        y: (of(0) + of(1) - 2.0 * of(2)) * sixth,
        spread: (c[0] + c[2]).max(0.0).sqrt(),
        c,
    }
}

/// T, V and W of one voter with all others.
struct Sums {
    t: Vec<f64>,
    v: Vec<f64>,
    w: Vec<f64>,
    seen: Vec<u32>,
}

impl Sums {
    fn new(voters: usize) -> Self {
        let zeros = || vec![0.0; voters];
        Self {
            t: zeros(),
            v: zeros(),
            w: zeros(),
            seen: Vec::new(),
        }
    }

    /// With voters that share an item, ascending.
    fn fill(&mut self, ballots: &Ballots, residuals: &[Residual], voter: usize) {
        for other in self.seen.drain(..) {
            let other = other as usize;
            (self.t[other], self.v[other], self.w[other]) = (0.0, 0.0, 0.0);
        }
        for vote in ballots.of(voter) {
            let own = &residuals[vote];
            for other in ballots.on(ballots.item(vote)) {
                let theirs = &residuals[*other as usize];
                let at = ballots.voter(*other as usize);
                if self.w[at] == 0.0 {
                    self.seen.push(at as u32);
                }
                self.t[at] += own.x * theirs.x + own.y * theirs.y;
                self.v[at] +=
                    own.c[0] * theirs.c[0] + 2.0 * own.c[1] * theirs.c[1] + own.c[2] * theirs.c[2];
                // Never zero, so that whoever was seen once is not noted twice.
                self.w[at] += (own.spread * theirs.spread).max(1e-12);
            }
        }
        self.seen.sort_unstable();
    }
}

/// The nearest voters of each, nearest first, and τ².
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbours {
    /// Score and number, at most as many as asked for.
    pub of: Vec<Vec<(f64, u32)>>,
    /// How much real pairs spread beyond chance.
    pub spread: f64,
}

/// For each voter the `count` others with the best score. None if the crew was stopped.
pub fn nearest(
    crew: &Crew<'_>,
    ballots: &Ballots,
    rates: &[Three],
    count: usize,
) -> Option<Neighbours> {
    let voters = ballots.voters();
    let residuals: Vec<Residual> = (0..ballots.votes())
        .map(|vote| residual(&rates[vote], ballots.choice(vote)))
        .collect();
    let spread = spread(crew, ballots, &residuals)?;
    let states = crew.share(
        "comparing voters",
        voters.div_ceil(BLOCK),
        || (Sums::new(voters), Vec::new()),
        |(sums, found), block| {
            for voter in block * BLOCK..((block + 1) * BLOCK).min(voters) {
                sums.fill(ballots, &residuals, voter);
                let mut best: Vec<(f64, u32)> = sums
                    .seen
                    .iter()
                    .filter(|other| **other as usize != voter)
                    .map(|other| {
                        let at = *other as usize;
                        let variance = sums.v[at] + spread * sums.w[at] * sums.w[at] + 1.0;
                        (sums.t[at] / variance.sqrt(), *other)
                    })
                    .collect();
                let order =
                    |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
                if best.len() > count && count > 0 {
                    best.select_nth_unstable_by(count - 1, order);
                }
                best.truncate(count);
                best.sort_by(order);
                found.push((voter, best));
            }
        },
    )?;
    let mut of = vec![Vec::new(); voters];
    for (voter, best) in states.into_iter().flat_map(|(_, found)| found) {
        of[voter] = best;
    }
    Some(Neighbours { of, spread })
}

/// τ², from voters evenly taken.
fn spread(crew: &Crew<'_>, ballots: &Ballots, residuals: &[Residual]) -> Option<f64> {
    let voters = ballots.voters();
    let step = voters.div_ceil(SAMPLED).max(1);
    let states = crew.share(
        "comparing voters",
        voters.div_ceil(step),
        || (Sums::new(voters), Vec::new()),
        |(sums, found), at| {
            let voter = at * step;
            sums.fill(ballots, residuals, voter);
            let (mut above, mut below) = (0.0, 0.0);
            for other in &sums.seen {
                let other = *other as usize;
                if other != voter && sums.w[other] > LEAST_SHARED {
                    above += sums.t[other] * sums.t[other] - sums.v[other];
                    below += sums.w[other] * sums.w[other];
                }
            }
            found.push((at, above, below));
        },
    )?;
    let mut parts: Vec<(usize, f64, f64)> = states.into_iter().flat_map(|(_, part)| part).collect();
    parts.sort_by_key(|part| part.0);
    let (above, below) = parts
        .iter()
        .fold((0.0, 0.0), |sum, part| (sum.0 + part.1, sum.1 + part.2));
    Some(if below > 0.0 {
        (above / below).max(1e-4)
    } else {
        1e-4
    })
}
