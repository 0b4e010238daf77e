//! Which few numbers of a text are the same for texts that are alike?
//!
//! MinHash (Broder 1997): for a random order of all shingles, two sets have the same first element with probability |A ∩ B| / |A ∪ B|. With k
//! orders, grouped into bands ([`super::plan`]), a text becomes b *band keys*; texts that share one are candidates, and are then
//! compared by their words. So a sketch decides only who is looked at, never who is alike.
//!
//! «klero-minhash/1». Shingles are hashes of 64 bits already, as good as random, so an order need not hide any structure in them: order i ranks a
//! shingle with halves (x, y) by the 32-bit number a_i · x + y mod 2^32, with a_i odd, from SplitMix64 of the seed. Any two orders are
//! pairwise independent over random shingles, and more of them together depend on each other so little that the tests, which measure
//! the share of pairs found against the theory at 18 to 200 shingles, can't tell it. Two shingles of a text get one rank with probability 2^-32.
//!
//! A band's key is a 64-bit hash of its number and its r minima. An equal key for unequal minima costs a comparison, nothing else.
//!
//! Cost: a multiplication, an addition and a minimum for each shingle and order, 32 orders at a time. The loop is written over arrays and compiled
//! for several instruction sets; the processor's best is chosen when a sketcher is made. All are integers, so all give the same bytes.

use super::plan::Plan;
use crate::random::{split_mix, Random};
use crate::text::hash::mum;
use pulp::{Arch, Simd, WithSimd};

/// The name of this algorithm; a change of any key is a new version.
pub const ALGORITHM: &str = "klero-minhash/1";

/// The seed of those who ask for none.
pub const SEED: u64 = 0x6b6c_6572_6f2f_6d68; // «klero/mh»

/// Orders that are computed together. 32 numbers of 32 bits are four registers of 256 bits; more would not leave room for the multipliers.
const TOGETHER: usize = 32;

type Block = [u32; TOGETHER];

/// Makes band keys. It has scratch space of its own: one for each thread.
#[derive(Clone, Debug)]
pub struct Sketcher {
    plan: Plan,
    arch: Arch,
    multipliers: Vec<Block>,
    minima: Vec<Block>,
    first: u64,
}

impl Sketcher {
    /// A sketcher for this plan; sketches of different seeds can't be compared.
    pub fn new(plan: Plan, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let first = random.bits();
        let blocks = plan.slots().div_ceil(TOGETHER);
        let multipliers =
            (0..blocks).map(|_| std::array::from_fn(|_| (random.bits() >> 32) as u32 | 1));
        Self {
            plan,
            arch: Arch::new(),
            multipliers: multipliers.collect(),
            minima: vec![[0; TOGETHER]; blocks],
            first,
        }
    }

    /// The plan it was made for.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Calls `act` with the key of each band, in the order of bands, for a set of shingles (distinct, in any order); never for an empty set.
    pub fn keys<F: FnMut(u64)>(&mut self, shingles: &[u64], mut act: F) {
        if shingles.is_empty() {
            return;
        }
        let (multipliers, minima) = (&self.multipliers, &mut self.minima);
        self.arch.dispatch(Lowest {
            multipliers,
            shingles,
            minima,
        });
        let minima = self.minima.as_flattened();
        let bands = minima.chunks_exact(self.plan.rows).take(self.plan.bands);
        let mut seed = self.first;
        for band in bands {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut key = seed;
            for two in band.chunks(2) {
                let high = two.get(1).map_or(0, |second| u64::from(*second) << 32);
                let low = two.first().map_or(0, |first| u64::from(*first));
                key = mum(key ^ (low | high), 0xa076_1d64_78bd_642f);
            }
            act(split_mix(key));
        }
    }
}

/// The least rank of every order.
struct Lowest<'a> {
    multipliers: &'a [Block],
    shingles: &'a [u64],
    minima: &'a mut [Block],
}

impl WithSimd for Lowest<'_> {
    type Output = ();

    // Always inlined: what is not compiled as part of the caller is not compiled for the caller's instruction set.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (multiplier, minimum) in self.multipliers.iter().zip(self.minima) {
            // Copies, so that both stay in registers while the shingles pass.
            let (by, mut least) = (*multiplier, [u32::MAX; TOGETHER]);
            for shingle in self.shingles {
                let (x, y) = (*shingle as u32, (*shingle >> 32) as u32);
                for i in 0..TOGETHER {
                    least[i] = least[i].min(by[i].wrapping_mul(x).wrapping_add(y));
                }
            }
            *minimum = least;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::super::plan::{plan, Plan};
    use super::*;

    fn keys(sketcher: &mut Sketcher, set: &[u64]) -> Vec<u64> {
        let mut keys = Vec::new();
        sketcher.keys(set, |key| keys.push(key));
        keys
    }

    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        split_mix(*state ^ 0x5555)
    }

    /// The kernel as its paper says it: one order, one shingle at a time.
    fn slow(plan: &Plan, seed: u64, set: &[u64]) -> Vec<u64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            split_mix(state)
        };
        let mut band_seed = next();
        let orders: Vec<u64> = (0..plan.slots()).map(|_| (next() >> 32) | 1).collect();
        let rank =
            |a: u64, shingle: &u64| (a * (shingle % (1 << 32)) + (shingle >> 32)) % (1 << 32);
        let minima: Vec<u64> = orders
            .iter()
            .map(|a| set.iter().map(|shingle| rank(*a, shingle)).min().unwrap())
            .collect();
        let mut out = Vec::new();
        for band in minima.chunks(plan.rows) {
            band_seed = band_seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut key = band_seed;
            for two in band.chunks(2) {
                let chunk = two[0] | two.get(1).unwrap_or(&0) << 32;
                let product = u128::from(key ^ chunk) * 0xa076_1d64_78bd_642f_u128;
                key = (product % (1 << 64)) as u64 ^ (product >> 64) as u64;
            }
            out.push(split_mix(key));
        }
        out
    }

    #[test]
    fn every_instruction_set_gives_the_bytes_of_the_slow_way() {
        let mut state = 7;
        for (t, recall) in [
            (0.8, 0.99),
            (0.5, 0.95),
            (0.3, 0.9),
            (0.9, 0.999),
            (1.0, 0.99),
            (0.6, 0.99),
        ] {
            let plan = plan(t, recall).unwrap();
            let mut best = Sketcher::new(plan, SEED);
            let mut plain = Sketcher {
                arch: Arch::Scalar,
                ..best.clone()
            };
            for size in [1, 2, 3, 18, 110, 200, 1000] {
                let set: Vec<u64> = (0..size).map(|_| random(&mut state)).collect();
                let expected = slow(&plan, SEED, &set);
                assert_eq!(keys(&mut best, &set), expected);
                assert_eq!(keys(&mut plain, &set), expected);
                assert_eq!(expected.len(), plan.bands);
            }
        }
    }

    #[test]
    fn the_keys_of_version_1_are_these() {
        let mut sketcher = Sketcher::new(plan(0.8, 0.99).unwrap(), SEED);
        let set: Vec<u64> = (1..=50_u64)
            .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect();
        let made = keys(&mut sketcher, &set);
        let together = made.iter().fold(0_u64, |all, key| split_mix(all ^ key));
        assert_eq!(
            (made.len(), made[0], together),
            (16, 14_205_663_831_189_630_950, 14_162_453_314_777_624_842)
        );
    }

    #[test]
    fn order_does_not_matter_and_seeds_do() {
        let mut state = 3;
        let mut set: Vec<u64> = (0..60).map(|_| random(&mut state)).collect();
        let plan = plan(0.8, 0.99).unwrap();
        let before = keys(&mut Sketcher::new(plan, 1), &set);
        set.reverse();
        assert_eq!(keys(&mut Sketcher::new(plan, 1), &set), before);
        let other = keys(&mut Sketcher::new(plan, 2), &set);
        assert!(other.iter().all(|key| !before.contains(key)));
    }

    #[test]
    fn an_empty_set_has_no_key() {
        let mut sketcher = Sketcher::new(plan(0.8, 0.99).unwrap(), SEED);
        assert!(keys(&mut sketcher, &[]).is_empty());
    }

    /// The share of `pairs` random pairs with `shared` of `whole` shingles in common that share a band.
    fn found(
        sketcher: &mut Sketcher,
        shared: usize,
        whole: usize,
        pairs: usize,
        state: &mut u64,
    ) -> f64 {
        let mut hits = 0;
        for _ in 0..pairs {
            let both: Vec<u64> = (0..shared).map(|_| random(state)).collect();
            let mut a = both.clone();
            let mut b = both;
            for i in shared..whole {
                if i % 2 == 0 { &mut a } else { &mut b }.push(random(state));
            }
            let (one, other) = (keys(sketcher, &a), keys(sketcher, &b));
            hits += usize::from(one.iter().zip(&other).any(|(x, y)| x == y));
        }
        hits as f64 / pairs as f64
    }

    #[test]
    fn the_share_of_pairs_found_is_that_of_the_theory() {
        let mut state = 11;
        let cases: [(usize, usize, f64); 8] = [
            (8, 10, 0.8),
            (16, 20, 0.8),
            (88, 110, 0.8),
            (160, 200, 0.8),
            (9, 18, 0.5),
            (50, 100, 0.5),
            (30, 100, 0.3),
            (55, 110, 0.8),
        ];
        for (shared, whole, t) in cases {
            let mut sketcher = Sketcher::new(plan(t, 0.99).unwrap(), SEED);
            let pairs = 6000;
            let share = found(&mut sketcher, shared, whole, pairs, &mut state);
            let theory = sketcher.plan().chance(shared as f64 / whole as f64);
            let error = (theory * (1.0 - theory) / pairs as f64).sqrt();
            assert!(
                (share - theory).abs() < 3.5 * error,
                "{shared}/{whole}: {share}, theory {theory}"
            );
        }
    }
}
