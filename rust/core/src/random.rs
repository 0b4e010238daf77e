//! Numbers that look random and are the same everywhere: SplitMix64 (Steele, Lea and Flood 2014).
//!
//! For searches and hash tables, where numbers must be well mixed and quick and nobody's chance depends on them. Where chances do, numbers come from
//! HMAC-SHA256 under a key that nobody can steer: [`crate::sortition::stream`] for draws of panels, one after the other, and `register::hash` for the
//! tickets of a register, where each person has a number of their own and two compressions a person are all there is time for.

/// The finaliser of SplitMix64: mixes the bits of a number, no two numbers into one.
pub(crate) fn split_mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of numbers from a seed.
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        split_mix(self.0)
    }

    /// A number below `n`, each equally likely: a draw from the incomplete last round of multiples of `n` is drawn again.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n.max(1) as u64;
        let whole = u64::MAX - u64::MAX % n;
        loop {
            let x = self.bits();
            if x < whole {
                return (x % n) as usize;
            }
        }
    }

    /// Puts items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        let first: Vec<u64> = (0..5).map(|_| random.bits()).collect();
        // The values in Rosetta Code and in the reference implementation by Vigna.
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn numbers_below_n_are_all_reached_about_as_often() {
        let mut random = Random::new(1);
        let mut counts = [0; 7];
        for _ in 0..7000 {
            counts[random.below(7)] += 1;
        }
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
    }
}
