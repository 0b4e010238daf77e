//! When are two sets of shingles alike enough?
//!
//! Jaccard's index |A ∩ B| / |A ∪ B| (Jaccard 1901; for texts, Broder 1997), and containment |A ∩ B| / min(|A|, |B|), which finds a letter inside a letter with
//! personal paragraphs. Both are fractions of whole numbers below 2⁵³, so that their quotient in double precision is correctly rounded and the
//! same on every platform: a pair matches if that quotient is at least the threshold. Everything else here is a bound that follows from it.

/// Which fraction is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Shared over united.
    Jaccard,
    /// Shared over the smaller set.
    Containment,
}

/// Which pairs match.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The fraction.
    pub measure: Measure,
    /// Smallest fraction that matches, in (0, 1].
    pub threshold: f64,
    /// Smallest number of shared shingles that matches, at least 1.
    pub min_shared: u32,
}

impl Rule {
    /// The similarity of two sets with `a` and `b` members, `shared` of them in both. At least one set has a member.
    #[must_use]
    pub fn similarity(&self, shared: u32, a: u32, b: u32) -> f64 {
        let (shared, a, b) = (u64::from(shared), u64::from(a), u64::from(b));
        let whole = match self.measure {
            Measure::Jaccard => (a + b).saturating_sub(shared),
            Measure::Containment => a.min(b),
        };
        // Both are below 2^53.
        #[allow(clippy::cast_precision_loss)]
        let quotient = shared as f64 / whole as f64;
        quotient
    }

    /// Whether they match.
    #[must_use]
    pub fn matches(&self, shared: u32, a: u32, b: u32) -> bool {
        shared >= self.min_shared && self.similarity(shared, a, b) >= self.threshold
    }

    /// The smallest number of shared members with which a set of `n` members can match any other: shared/n is the most that either fraction can
    /// reach. More than `n` if none suffices.
    #[must_use]
    pub fn least_shared(&self, n: u32) -> u32 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut least = ((self.threshold * f64::from(n)).floor() as u32).min(n);
        let enough = |shared: u32| f64::from(shared) / f64::from(n) >= self.threshold;
        while least > 0 && enough(least - 1) {
            least -= 1;
        }
        while least <= n && !enough(least) {
            least += 1;
        }
        least.max(self.min_shared)
    }

    /// How many members of a set of `n`, the first in any order that all sets share, hold one that it shares with each set that it matches (under
    /// containment: with each such set that is not smaller): at most n − least are not shared (AllPairs, Bayardo et al. 2007).
    #[must_use]
    pub fn prefix(&self, n: u32) -> u32 {
        (n + 1).saturating_sub(self.least_shared(n))
    }

    /// How many of the first members of a set of `n`, at most [`Self::prefix`], hold one that it shares with the prefix of each set that it matches and that is
    /// not smaller: such a pair shares at least what two sets of `n` must share (PPJoin's index prefix, Xiao et al. 2008).
    #[must_use]
    pub fn asking(&self, n: u32) -> u32 {
        if self.measure == Measure::Containment || n == 0 {
            return self.prefix(n);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mut least =
            ((2.0 * self.threshold * f64::from(n) / (1.0 + self.threshold)) as u32).min(n);
        let enough = |shared: u32| self.similarity(shared, n, n) >= self.threshold;
        while least > 0 && enough(least - 1) {
            least -= 1;
        }
        while least <= n && !enough(least) {
            least += 1;
        }
        (n + 1).saturating_sub(least.max(self.min_shared))
    }

    /// Whether two sets with `a` and `b` members that share at most `most` can match. May say yes wrongly, never no.
    #[must_use]
    pub fn may_match(&self, most: u32, a: u32, b: u32) -> bool {
        // Without a division, and a hair's breadth on the safe side.
        let most = f64::from(most) + 1e-6;
        match self.measure {
            Measure::Jaccard => most * (1.0 + self.threshold) >= self.threshold * f64::from(a + b),
            Measure::Containment => most >= self.threshold * f64::from(a.min(b)),
        }
    }

    /// The bitmap of a set: under Jaccard's index the parity of the number of members that fall on a bit (Sandes, Teodoro and Melo 2020), under
    /// containment whether there is one (a Bloom filter with one hash).
    #[must_use]
    pub fn bitmap<const W: usize>(&self, set: &[u64]) -> Bitmap<W> {
        let mut bits = [0u64; W];
        for shingle in set {
            // The lowest nine bits of a hash; the highest ones decide which shingles are keys.
            let (word, bit) = (*shingle as usize % W, 1 << (shingle >> 3 & 63));
            match self.measure {
                Measure::Jaccard => bits[word] ^= bit,
                Measure::Containment => bits[word] |= bit,
            }
        }
        bits
    }

    /// The most members that sets of `m` and `n` members with these bitmaps can share.
    #[must_use]
    pub fn most_shared<const W: usize>(&self, a: &Bitmap<W>, b: &Bitmap<W>, m: u32, n: u32) -> u32 {
        let count = |of: fn(u64, u64) -> u64| {
            a.iter()
                .zip(b)
                .map(|(x, y)| of(*x, *y).count_ones())
                .sum::<u32>()
        };
        match self.measure {
            // A bit that differs needs a member that only one of them has.
            Measure::Jaccard => ((m + n).saturating_sub(count(|x, y| x ^ y)) / 2)
                .min(m)
                .min(n),
            // A bit of the one that the other lacks needs a member of the one that the other lacks.
            Measure::Containment => {
                let (left, right) = (count(|x, y| x & !y), count(|x, y| y & !x));
                m.saturating_sub(left).min(n.saturating_sub(right))
            }
        }
    }
}

/// Words of a bitmap, unless memory is short.
pub const WORDS: usize = 8;

/// A set in 64 · `W` bits; `W` is 1, 2, 4 or 8.
pub type Bitmap<const W: usize = WORDS> = [u64; W];

/// How many members two sets share. Each is sorted, without repeats.
#[must_use]
pub fn shared(a: &[u64], b: &[u64]) -> u32 {
    let (mut i, mut j, mut count) = (0, 0, 0u32);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        // Without branches: which of the two steps is a coin toss, which a processor can't foresee.
        i += usize::from(x <= y);
        j += usize::from(y <= x);
        count += u32::from(x == y);
    }
    count
}
