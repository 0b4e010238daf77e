//! Which micro-clusters are one theme? Average linkage, exactly, with what a facilitator has linked.
//!
//! Two clusters A and B are joined if the average similarity of their contributions, D(A, B) / (n_A n_B), is no less than the cut, the most alike first. D is a sum over pairs, so
//! D(A ∪ B, C) = D(A, C) + D(B, C) exactly, in whole numbers (Lance and Williams 1967). The order of joining is that of nearest-neighbour chains (Murtagh 1983): a chain of nearest neighbours
//! ends in two that are each other's nearest, and those may be joined at once, for nothing that comes later can be nearer to either. That holds with forbidden pairs, too, as a cluster that
//! must not be joined with a part must not be joined with the whole.
//!
//! Guarantees: no joined cluster holds a forbidden pair; without ties the result is that of always joining the most alike pair; ties go to the lower number.
//! Cost: m² d / 2 multiplications for m micro-clusters, about 3 m² comparisons, 4 m² bytes.

use super::scan::Scan;

/// A pair that must not be together.
const NEVER: i64 = i64::MIN;
/// Low bits of a similarity that are dropped, so that sums over all pairs of 2²⁰ contributions fit 64 bits: 6 · 10⁻⁸ of a cosine.
const DROPPED: u32 = 6;

/// Micro-clusters to be gathered.
#[derive(Clone, Copy, Debug)]
pub struct Nodes<'a> {
    /// Mean rows, one after the other.
    pub means: &'a [i16],
    /// Numbers in a row.
    pub width: usize,
    /// Contributions in each.
    pub counts: &'a [u32],
    /// A facilitator's name for each, 0 for none: two different ones are not joined.
    pub owners: &'a [u32],
    /// Pairs that must not be together.
    pub apart: &'a [(u32, u32)],
}

/// The cluster of each node, numbered by first node; None if stopped.
#[must_use]
pub fn gather(nodes: &Nodes<'_>, cut: i32, alive: &dyn Fn() -> bool) -> Option<Vec<u32>> {
    let mut pairs = Pairs::of(nodes, alive)?;
    let mut heads: Vec<u32> = (0..nodes.counts.len() as u32).collect();
    let cut = i64::from(cut >> DROPPED);
    let mut chain: Vec<usize> = Vec::new();
    let mut next = 0;
    loop {
        let Some(top) = chain.last().copied() else {
            while next < pairs.open.len() && !pairs.open[next] {
                next += 1;
            }
            if next >= pairs.open.len() {
                break;
            }
            chain.push(next);
            continue;
        };
        if !alive() {
            return None;
        }
        let before = chain
            .len()
            .checked_sub(2)
            .and_then(|at| chain.get(at))
            .copied();
        match pairs.nearest(top, before, cut) {
            None => {
                // Nothing is near enough, now or later.
                pairs.open[top] = false;
                chain.pop();
            }
            Some(near) if before == Some(near) => {
                chain.truncate(chain.len() - 2);
                let (low, high) = (top.min(near), top.max(near));
                pairs.join(low, high);
                heads[high] = low as u32;
            }
            Some(near) => chain.push(near),
        }
    }
    Some(numbered(&heads))
}

/// Clusters numbered by their first node, from a tree of lower nodes.
fn numbered(heads: &[u32]) -> Vec<u32> {
    let (mut labels, mut next) = (Vec::with_capacity(heads.len()), 0);
    for (node, head) in heads.iter().enumerate() {
        let known = labels
            .get(*head as usize)
            .copied()
            .filter(|_| *head as usize != node);
        labels.push(known.unwrap_or(next));
        next += u32::from(known.is_none());
    }
    labels
}

/// D of all pairs, by (higher, lower).
struct Pairs {
    sums: Vec<i64>,
    counts: Vec<i64>,
    /// Clusters that may still be joined.
    open: Vec<bool>,
}

fn place(a: usize, b: usize) -> usize {
    let (low, high) = (a.min(b), a.max(b));
    high * high.saturating_sub(1) / 2 + low
}

impl Pairs {
    fn of(nodes: &Nodes<'_>, alive: &dyn Fn() -> bool) -> Option<Self> {
        let (n, width) = (nodes.counts.len(), nodes.width.max(1));
        let counts: Vec<i64> = nodes.counts.iter().map(|count| i64::from(*count)).collect();
        let mut sums = Vec::with_capacity(place(n, 0));
        let (scan, mut products) = (Scan::new(), Vec::new());
        for (node, row) in nodes.means.chunks_exact(width).enumerate() {
            if !alive() {
                return None;
            }
            scan.all(row, nodes.means.get(..node * width)?, &mut products);
            let owner = nodes.owners.get(node)?;
            for (product, (count, other)) in products.iter().zip(counts.iter().zip(nodes.owners)) {
                let apart = *owner != 0 && *other != 0 && owner != other;
                let weight = counts.get(node)? * count;
                sums.push(if apart {
                    NEVER
                } else {
                    i64::from(product >> DROPPED) * weight
                });
            }
        }
        let mut pairs = Self {
            sums,
            counts,
            open: vec![true; n],
        };
        for (a, b) in nodes.apart.iter().filter(|(a, b)| a != b) {
            if let Some(sum) = pairs.sums.get_mut(place(*a as usize, *b as usize)) {
                *sum = NEVER;
            }
        }
        Some(pairs)
    }

    /// The nearest open cluster, if its average similarity reaches the cut; among equals the one before on the chain, then the lowest.
    fn nearest(&self, to: usize, before: Option<usize>, cut: i64) -> Option<usize> {
        let own = i128::from(self.counts[to]);
        let mut best: Option<(usize, i64, i64)> = None;
        for (other, count) in self.counts.iter().enumerate() {
            if !self.open[other] || other == to {
                continue;
            }
            let sum = self.sums[place(to, other)];
            if sum == NEVER {
                continue;
            }
            let nearer = best.is_none_or(|(_, most, weight)| {
                let (one, two) = (
                    i128::from(sum) * i128::from(weight),
                    i128::from(most) * i128::from(*count),
                );
                one > two || (one == two && before == Some(other))
            });
            if nearer {
                best = Some((other, sum, *count));
            }
        }
        let (other, sum, count) = best?;
        (i128::from(sum) >= i128::from(cut) * own * i128::from(count)).then_some(other)
    }

    fn join(&mut self, low: usize, high: usize) {
        for other in 0..self.counts.len() {
            if other == low || other == high || !self.open[other] {
                continue;
            }
            let (mine, its) = (place(low, other), place(high, other));
            let (one, two) = (self.sums[mine], self.sums[its]);
            let never = one == NEVER || two == NEVER;
            self.sums[mine] = if never { NEVER } else { one + two };
        }
        self.counts[low] += self.counts[high];
        self.open[high] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::vectors::live::spread::ONE;
    use crate::vectors::sphere::whole;

    const YES: &dyn Fn() -> bool = &|| true;

    fn rows(n: usize, width: usize, seed: u64) -> Vec<i16> {
        let mut random = Random::new(seed);
        let mut out = Vec::new();
        for _ in 0..n {
            let row: Vec<f64> = (0..width)
                .map(|_| random.below(2001) as f64 - 900.0)
                .collect();
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            out.extend(row.iter().map(|x| whole(x * 32767.0 / length) as i16));
        }
        out
    }

    /// Always joins the most alike pair, from the rows themselves.
    fn slow(nodes: &Nodes<'_>, cut: i32) -> Vec<u32> {
        let row = |i: usize| &nodes.means[i * nodes.width..][..nodes.width];
        let mut clusters: Vec<Vec<usize>> = (0..nodes.counts.len()).map(|i| vec![i]).collect();
        let allowed = |a: usize, b: usize| {
            let (one, two) = (nodes.owners[a], nodes.owners[b]);
            let pair = [(a as u32, b as u32), (b as u32, a as u32)];
            (one == 0 || two == 0 || one == two) && !nodes.apart.iter().any(|p| pair.contains(p))
        };
        loop {
            let mut best = (f64::from(cut >> DROPPED) - 1e-9, usize::MAX, usize::MAX);
            for i in 0..clusters.len() {
                for j in i + 1..clusters.len() {
                    let (mut sum, mut weight, mut good) = (0.0, 0.0, true);
                    for a in &clusters[i] {
                        for b in &clusters[j] {
                            let w = f64::from(nodes.counts[*a]) * f64::from(nodes.counts[*b]);
                            sum += f64::from(Scan::new().one(row(*a), row(*b)) >> DROPPED) * w;
                            weight += w;
                            good &= allowed(*a, *b);
                        }
                    }
                    if good && sum / weight > best.0 {
                        best = (sum / weight, i, j);
                    }
                }
            }
            if best.1 == usize::MAX {
                break;
            }
            let more = clusters.remove(best.2);
            clusters[best.1].extend(more);
        }
        let mut labels = vec![0; nodes.counts.len()];
        clusters.iter_mut().for_each(|c| c.sort_unstable());
        clusters.sort();
        for (label, cluster) in (0u32..).zip(&clusters) {
            cluster.iter().for_each(|i| labels[*i] = label);
        }
        labels
    }

    #[test]
    fn the_result_is_that_of_joining_the_most_alike_pair_each_time() {
        for seed in 0..30 {
            let (n, width) = (5 + seed as usize, 6);
            let mut random = Random::new(seed + 100);
            let means = rows(n, width, seed);
            let counts: Vec<u32> = (0..n).map(|_| 1 + random.below(9) as u32).collect();
            let owners: Vec<u32> = (0..n)
                .map(|_| random.below(6).saturating_sub(3) as u32)
                .collect();
            let apart: Vec<(u32, u32)> = (0..seed as usize % 5)
                .map(|_| (random.below(n) as u32, random.below(n) as u32))
                .filter(|(a, b)| a != b)
                .collect();
            let nodes = Nodes {
                means: &means,
                width,
                counts: &counts,
                owners: &owners,
                apart: &apart,
            };
            for cut in [0.9, 0.5, 0.2, -0.2] {
                let cut = (cut * ONE) as i32;
                assert_eq!(
                    gather(&nodes, cut, YES),
                    Some(slow(&nodes, cut)),
                    "{seed} {cut}"
                );
            }
        }
    }

    #[test]
    fn equal_rows_end_and_are_joined() {
        let means = rows(1, 8, 3).repeat(40);
        let nodes = Nodes {
            means: &means,
            width: 8,
            counts: &[1; 40],
            owners: &[0; 40],
            apart: &[(0, 39)],
        };
        let labels = gather(&nodes, (0.5 * ONE) as i32, YES).unwrap_or_default();
        assert_ne!(labels[0], labels[39]);
        assert_eq!(labels.iter().max(), Some(&1));
    }

    #[test]
    fn it_can_be_stopped_and_nothing_is_nothing() {
        let means = rows(9, 8, 3);
        let nodes = Nodes {
            means: &means,
            width: 8,
            counts: &[1; 9],
            owners: &[0; 9],
            apart: &[],
        };
        assert_eq!(gather(&nodes, 0, &|| false), None);
        let none = Nodes {
            means: &[],
            counts: &[],
            owners: &[],
            ..nodes
        };
        assert_eq!(gather(&none, 0, YES), Some(Vec::new()));
    }
}
