//! In which window did most of a group write, beside what everybody else's timing explains?
//!
//! The scan statistic of Kulldorff (1997) in the Bernoulli model. Symbols: N contributions, of which M are the group's; a window holds n of them, of which c are the
//! group's and E = n M / N are expected. With ℓ(a, b) = a ln(a / b),
//!
//! λ(c, E) = ℓ(c, n) + ℓ(n − c, n) + ℓ(M − c, N − n) + ℓ(N − n − M + c, N − n) − ℓ(M, N) − ℓ(N − M, N), for c > E.
//!
//! Windows are stretches of moments taken as a whole, so that ties of any number are one. E is told in operational time ([`super::null`]), which holds for a group of
//! several pools: N is then M / f, f being the share of its pools that the group is ([`super::null::fraction`]). A window holds at most half of the others.
//!
//! For a given c, λ falls as E grows, so the window with the least E is the one to look at: one pass for each c of [`sizes`]. And whether a null group reaches the λ of
//! the group is a comparison of whole numbers: its least E against the largest that gives so much ([`Scan::reaching`]).
//!
//! The bound. A null group has c or more in a given window with probability at most exp(−H), H = ℓ(c, E) + ℓ(M − c, M − E) (Hoeffding 1963, theorem 1; draws that pass
//! over voices are dominated by independent ones with E raised, [`super::null::raised`]). Windows that start at one moment and have E below the same limit are nested, so
//! the chance that a null group reaches λ is at most Σ_c (starts) · exp(−H(c, the limit of c)). For a group of one pool without a voice twice, the hypergeometric
//! probability itself stands in the place of exp(−H).

use super::null::ONE;

/// Where the scan found most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// Its first moment.
    pub first: u32,
    /// Its last moment.
    pub last: u32,
    /// How many members it holds.
    pub members: usize,
    /// How many were expected.
    pub expected: f64,
}

/// Numbers of members whose windows are looked at: from an eighth of them, at least 3, each number up to 16 and then by steps of an eighth.
fn sizes(m: usize) -> Vec<usize> {
    let next = |c: &usize| Some((c + 1).max(c + c / 8));
    let first = m.div_ceil(8).max(3);
    let mut sizes: Vec<usize> = std::iter::successors(Some(first), next)
        .take_while(|c| *c < m)
        .collect();
    sizes.push(m);
    sizes
}

/// a ln(a / b), 0 where a is.
fn part(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 {
        a * (a / b).ln()
    } else {
        0.0
    }
}

/// Scans of groups with as many members on one axis.
pub(super) struct Scan {
    m: f64,
    all: f64,
    sizes: Vec<usize>,
    /// The largest E of a window, for each size.
    most: Vec<u64>,
}

impl Scan {
    /// The scan of m members that are a share of their pools.
    pub(super) fn new(m: usize, fraction: f64) -> Self {
        let fraction = fraction.clamp(1e-12, 1.0);
        let sizes = sizes(m);
        let most = sizes.iter().map(|c| {
            let half = (m as f64) * (1.0 - fraction) / 2.0;
            ((fraction * *c as f64 + half) * ONE as f64) as u64
        });
        Self {
            m: m as f64,
            all: m as f64 / fraction,
            most: most.collect(),
            sizes,
        }
    }

    /// λ of a window; 0 if it holds no more than are expected.
    fn ratio(&self, c: usize, expected: u64) -> f64 {
        let (c, expected) = (c as f64, expected as f64 / ONE as f64);
        if c <= expected {
            return 0.0;
        }
        let (m, all) = (self.m, self.all);
        let inside = expected / m * all;
        let (others, outside) = ((inside - c).max(0.0), all - inside);
        let rest = (outside - m + c).max(0.0);
        let windows =
            part(c, inside) + part(others, inside) + part(m - c, outside) + part(rest, outside);
        windows - part(m, all) - part(all - m, all)
    }

    /// The least E of a window with so many members, from W before and after each of them.
    fn least(c: usize, before: &[u64], after: &[u64]) -> Option<u64> {
        let spans = before.iter().zip(after.get(c - 1..)?);
        spans.map(|(a, b)| b.saturating_sub(*a)).min()
    }

    /// The largest λ and its window; of equal ones that with the fewest members, and of these the earliest.
    pub(super) fn best(&self, moments: &[u32], before: &[u64], after: &[u64]) -> (f64, Window) {
        let mut best = (0.0, Window::default());
        for (&c, &most) in self.sizes.iter().zip(&self.most) {
            let Some(least) = Self::least(c, before, after).filter(|least| *least <= most) else {
                continue;
            };
            let ratio = self.ratio(c, least);
            if ratio > best.0 {
                let mut spans = before.iter().zip(after.get(c - 1..).unwrap_or_default());
                let at = spans.position(|(a, b)| b - a == least).unwrap_or(0);
                let moment = |at: usize| moments.get(at).copied().unwrap_or(0);
                let expected = least as f64 / ONE as f64;
                let window = Window {
                    first: moment(at),
                    last: moment(at + c - 1),
                    members: c,
                    expected,
                };
                best = (ratio, window);
            }
        }
        best
    }

    /// For each size the largest E at which λ is at least this; None if even the smallest window of that size has less. Values that differ by rounding
    /// alone are the same.
    pub(super) fn reaching(&self, ratio: f64) -> Vec<Option<u64>> {
        let wanted = ratio * (1.0 - 1e-9);
        let limits = self.sizes.iter().zip(&self.most).map(|(&c, &most)| {
            if wanted <= 0.0 {
                return Some(u64::MAX);
            }
            if self.ratio(c, 1) < wanted {
                return None;
            }
            let (mut low, mut high) = (1, most.max(1) + 1);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if self.ratio(c, middle) >= wanted {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            Some(low)
        });
        limits.collect()
    }

    /// Whether any window has an E that is small enough.
    pub(super) fn reaches(&self, limits: &[Option<u64>], before: &[u64], after: &[u64]) -> bool {
        self.sizes.iter().zip(limits).any(|(&c, limit)| {
            let least = limit.and_then(|_| Self::least(c, before, after));
            limit
                .zip(least)
                .is_some_and(|(limit, least)| least <= limit)
        })
    }

    /// A bound of the probability that a null group has a window with an E within these limits: at most 1.
    pub(super) fn bound(&self, limits: &[Option<u64>], starts: usize, raised: f64) -> f64 {
        let chances = self.sizes.iter().zip(limits).map(|(&c, limit)| {
            let Some(limit) = *limit else { return 0.0 };
            let (c, expected) = (c as f64, limit as f64 / ONE as f64 * raised);
            if c > expected {
                (-part(c, expected) - part(self.m - c, self.m - expected)).exp()
            } else {
                1.0
            }
        });
        (starts as f64 * chances.sum::<f64>()).min(1.0)
    }

    /// The same for a group of one pool of `all` voices, of which every draw takes m equally likely ones: exact for each window.
    pub(super) fn bound_of_one_pool(
        &self,
        limits: &[Option<u64>],
        starts: usize,
        all: usize,
    ) -> f64 {
        let m = self.m as usize;
        let each = (ONE * m as u64 / all.max(1) as u64).max(1);
        let factorials = factorials(all);
        let chances = self.sizes.iter().zip(limits).map(|(&c, limit)| {
            let most = limit.map_or(0, |limit| usize::try_from(limit / each).unwrap_or(all));
            hypergeometric(&factorials, all, m, most.min(all), c)
        });
        // The sums of logarithms are right to far more digits than this leaves room for.
        (starts as f64 * chances.sum::<f64>() * (1.0 + 1e-6)).min(1.0)
    }
}

/// ln of 0!, 1!, …, n!.
fn factorials(n: usize) -> Vec<f64> {
    let logs = (1..=n).scan(0.0, |sum, k| {
        *sum += (k as f64).ln();
        Some(*sum)
    });
    std::iter::once(0.0).chain(logs).collect()
}

/// The probability that c or more of the m that are drawn without replacement from `all` are among n marked ones.
fn hypergeometric(factorials: &[f64], all: usize, m: usize, n: usize, c: usize) -> f64 {
    let f = |k: usize| factorials.get(k).copied().unwrap_or(f64::INFINITY);
    let choose = |n: usize, k: usize| f(n) - f(k) - f(n - k);
    let least = c.max((m + n).saturating_sub(all));
    let terms =
        (least..=m.min(n)).map(|k| (choose(n, k) + choose(all - n, m - k) - choose(all, m)).exp());
    terms.sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_begin_with_an_eighth_and_end_with_all() {
        assert_eq!(sizes(5), [3, 4, 5]);
        assert_eq!(sizes(3), [3]);
        assert_eq!(
            sizes(40),
            [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 27, 30, 33, 37, 40]
        );
        assert_eq!(sizes(2), [2]);
    }

    #[test]
    fn the_ratio_is_that_of_two_binomials() {
        // 30 of 100 are the group's; a window of 20 holds 12 of them: E = 6.
        let scan = Scan::new(30, 0.3);
        let binomial = |k: f64, n: f64, p: f64| k * p.ln() + (n - k) * (1.0 - p).ln();
        let apart = binomial(12.0, 20.0, 12.0 / 20.0) + binomial(18.0, 80.0, 18.0 / 80.0);
        let right = apart - binomial(30.0, 100.0, 0.3);
        assert!((scan.ratio(12, 6 * ONE) - right).abs() < 1e-9);
        assert!(scan.ratio(6, 6 * ONE).abs() < 1e-12);
    }

    #[test]
    fn drawing_without_replacement_is_counted() {
        let f = factorials(10);
        // Of 10, 4 are marked, 3 drawn: all three marked in C(4, 3) of C(10, 3) = 120; two or more in 4 + 6 · 6.
        assert!((hypergeometric(&f, 10, 3, 4, 3) - 4.0 / 120.0).abs() < 1e-12);
        assert!((hypergeometric(&f, 10, 3, 4, 2) - 40.0 / 120.0).abs() < 1e-12);
        assert!((hypergeometric(&f, 10, 8, 4, 0) - 1.0).abs() < 1e-12);
        assert!(hypergeometric(&f, 10, 3, 2, 3).abs() < 1e-12);
    }

    #[test]
    fn limits_are_where_the_ratio_is_reached() {
        let scan = Scan::new(20, 0.01);
        let limits = scan.reaching(15.0);
        for (c, limit) in scan.sizes.iter().zip(limits) {
            match limit {
                Some(limit) => assert!(scan.ratio(*c, limit) >= 15.0 * (1.0 - 1e-9)),
                None => assert!(scan.ratio(*c, 1) < 15.0),
            }
        }
    }
}
