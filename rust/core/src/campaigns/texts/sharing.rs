//! How many bits does one text share with another?
//!
//! Words of a text that stand in the same order in another need not be thought of anew: whoever has the other saves the bits that they tell
//! ([`surprise`](super::surprise)), less what it takes to say where to look. That is the score of repeated local alignments (Waterman and Eggert 1987; the
//! recursion of Durbin, Eddy, Krogh and Mitchison 1998, §2.3): passages in any order, each of words that match with a few that don't between them. By
//! Milosavljević (1993), savings of d bits have a chance of 2⁻ᵈ at most if the model of words is true; it is not quite, so the chance is read off the
//! consultation's own texts.
//!
//! Symbols: a is the text that is told, b the other. A word of a that matches earns its bits; a word of a or b that is passed over costs [`GAP`]; a passage
//! costs [`PASSAGE`] and log₂|a| + log₂|b| bits for its two places. Cost: |a| · |b| steps; of texts longer than [`LONGEST`] words the beginning is looked
//! at.

use super::surprise::BIT;

/// Of a passage, beside its places.
pub const PASSAGE: i32 = 3 * BIT;
/// Of a word that is passed over.
pub const GAP: i32 = 5 * BIT;
/// Words of a text that are looked at.
pub const LONGEST: usize = 4096;

/// Buffers.
#[derive(Debug, Default)]
pub struct Aligned {
    before: Vec<i32>,
    now: Vec<i32>,
}

/// Where no passage is.
const NONE: i32 = i32::MIN / 2;

/// What a passage costs in texts of so many words.
#[must_use]
pub fn price(a: usize, b: usize) -> i32 {
    let log = |n: usize| {
        (crate::embed::log::ln(n.max(1) as f64) / std::f64::consts::LN_2 * f64::from(BIT)).round()
    };
    PASSAGE + log(a) as i32 + log(b) as i32
}

impl Aligned {
    /// Bits (in parts) that `a`, whose words tell `bits`, shares with `b`.
    pub fn shared(&mut self, a: &[u32], bits: &[i32], b: &[u32]) -> i32 {
        let (a, b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
        let price = price(a.len(), b.len());
        self.before.clear();
        self.before.resize(b.len() + 1, NONE);
        self.now.clear();
        self.now.resize(b.len() + 1, NONE);
        let mut saved = 0;
        for (word, bits) in a.iter().zip(bits) {
            let fresh = saved - price;
            let (mut left, mut corner) = (NONE, NONE);
            for ((other, up), now) in b.iter().zip(&self.before[1..]).zip(&mut self.now[1..]) {
                let passed = corner.max(*up).max(left) - GAP;
                let best = if word == other {
                    passed.max(corner.max(fresh) + bits)
                } else {
                    passed
                };
                (left, corner, *now) = (best, *up, best);
                saved = saved.max(best);
            }
            std::mem::swap(&mut self.before, &mut self.now);
        }
        saved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same by its definition: the best set of passages, tried one by one, each by the best path of matches.
    fn slow(a: &[u32], bits: &[i32], b: &[u32]) -> i32 {
        let price = price(a.len(), b.len());
        // best[i]: of the first i words of a.
        let mut best = vec![0; a.len() + 1];
        for end in 0..a.len() {
            best[end + 1] = best[end];
            for start in 0..=end {
                if let Some(score) = passage(&a[start..=end], &bits[start..=end], b) {
                    best[end + 1] = best[end + 1].max(best[start] + score - price);
                }
            }
        }
        best[a.len()]
    }

    /// The best score of a passage that begins and ends with a match, over all of `a`.
    fn passage(a: &[u32], bits: &[i32], b: &[u32]) -> Option<i32> {
        let mut most: Option<i32> = None;
        for j in 0..b.len() {
            most = most.max(path(a, bits, b, j));
        }
        most
    }

    /// With its first word matched by word `j` of b.
    fn path(a: &[u32], bits: &[i32], b: &[u32], j: usize) -> Option<i32> {
        if a[0] != b[j] {
            return None;
        }
        if a.len() == 1 {
            return Some(bits[0]);
        }
        let mut most: Option<i32> = None;
        for i2 in 1..a.len() {
            for j2 in j + 1..b.len() {
                // Words passed over side by side cost once.
                let gaps = (i2 - 1).max(j2 - j - 1) as i32;
                most = most.max(
                    path(&a[i2..], &bits[i2..], b, j2).map(|rest| bits[0] + rest - gaps * GAP),
                );
            }
        }
        most
    }

    proptest! {
        #[test]
        fn it_is_the_best_set_of_passages(
            a in prop::collection::vec((0u32..5, 0i32..12_000), 0..7),
            b in prop::collection::vec(0u32..5, 0..7),
        ) {
            let (a, bits): (Vec<u32>, Vec<i32>) = a.into_iter().unzip();
            prop_assert_eq!(Aligned::default().shared(&a, &bits, &b), slow(&a, &bits, &b));
        }

        #[test]
        fn no_more_is_shared_than_is_told(a in prop::collection::vec((0u32..9, 0i32..20_000), 0..30), b in prop::collection::vec(0u32..9, 0..30)) {
            let (a, bits): (Vec<u32>, Vec<i32>) = a.into_iter().unzip();
            let shared = Aligned::default().shared(&a, &bits, &b);
            prop_assert!(shared >= 0 && shared <= bits.iter().sum());
        }
    }

    #[test]
    fn a_copy_shares_all_but_the_price_of_one_passage() {
        let words: Vec<u32> = (0..16).collect();
        let bits = vec![9 * BIT; 16];
        assert_eq!(
            Aligned::default().shared(&words, &bits, &words),
            16 * 9 * BIT - price(16, 16)
        );
        assert_eq!(price(16, 16), PASSAGE + 8 * BIT);
    }

    #[test]
    fn passages_may_stand_in_another_order() {
        let a: Vec<u32> = (0..16).collect();
        let b: Vec<u32> = (8..16).chain(0..8).collect();
        let bits = vec![9 * BIT; 16];
        assert_eq!(
            Aligned::default().shared(&a, &bits, &b),
            16 * 9 * BIT - 2 * price(16, 16)
        );
    }
}
