//! «klero-shingle/1»: what number stands for a word, for a run of words, for a whole text?
//!
//! Each is built from one step, the folded product of wyhash and its kin: `mum(a, b) = low64(a·b) xor high64(a·b)`. The constants are the
//! first 64 bits of the fractional parts of the square roots of the primes 2 to 47 (the initial values of SHA-512 and SHA-384, FIPS
//! 180-4 §5.3.4 and §5.3.5), made odd where they multiply. The hash is public and has no key: it makes equal words equal and different
//! words different with probability 1 − 2⁻⁶⁴ a pair, against chance and not against somebody who computes collisions.
//!
//! Cost: one product for each 8 bytes of a word, one more a word, k + 1 a shingle.

/// Name of the hashes; changes whenever a value does.
pub const SHINGLES: &str = "klero-shingle/1";

/// √2: where a word begins.
const SEED: u64 = 0x6a09_e667_f3bc_c908;
const K0: u64 = 0xbb67_ae85_84ca_a73b;
const K1: u64 = 0x3c6e_f372_fe94_f82b;
const K2: u64 = 0xa54f_f53a_5f1d_36f1;
const K3: u64 = 0x510e_527f_ade6_82d1;
const K4: u64 = 0x9b05_688c_2b3e_6c1f;
const K5: u64 = 0x1f83_d9ab_fb41_bd6b;
const K6: u64 = 0x5be0_cd19_137e_2179;
const K7: u64 = 0xcbbb_9d5d_c105_9ed8 | 1;
const LANES: [u64; 2] = [0x629a_292a_367c_d507, 0x152f_ecd8_f70e_5939];
const LANE_STEPS: [u64; 2] = [0x9159_015a_3070_dd17, 0x6733_2667_ffc0_0b31];
const LANE_ENDS: [u64; 2] = [0x8eb4_4a87_6858_1511, 0xdb0c_2e0d_64f9_8fa7];

/// Low half of the 128-bit product, xor its high half.
#[inline(always)]
pub(crate) fn mum(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Where the hash of a word of `len` bytes begins.
#[inline(always)]
pub(super) fn word_start(len: usize) -> u64 {
    SEED ^ (len as u64).wrapping_mul(K0)
}

/// The next 8 bytes of a word, little-endian.
#[inline(always)]
pub(super) fn word_step(h: u64, chunk: u64) -> u64 {
    mum(h ^ chunk, K1)
}

/// The end of a word.
#[inline(always)]
pub(super) fn word_end(h: u64) -> u64 {
    mum(h ^ K2, K3)
}

/// Hash of one folded word: its bytes in chunks of 8, little-endian, the last one padded with zeros.
#[must_use]
pub fn word(bytes: &[u8]) -> u64 {
    let mut h = word_start(bytes.len());
    for part in bytes.chunks(8) {
        let mut chunk = [0; 8];
        for (to, from) in chunk.iter_mut().zip(part) {
            *to = *from;
        }
        h = word_step(h, u64::from_le_bytes(chunk));
    }
    word_end(h)
}

/// Hash of a run of words, given their hashes.
#[inline]
#[must_use]
pub fn shingle(words: &[u64]) -> u64 {
    let start = K4 ^ words.len() as u64;
    let h = words.iter().fold(start, |h, word| mum(h ^ word, K5));
    mum(h ^ K6, K7)
}

/// Appends a shingle of `k` words for each place in `words`; fewer than `k` words make one shingle of all of them, none make none.
/// The caller gives `k` from 1 to 9; 0 is read as 1.
pub fn shingles(words: &[u64], k: usize, out: &mut Vec<u64>) {
    let k = k.max(1);
    if words.is_empty() {
        return;
    }
    if words.len() < k {
        out.push(shingle(words));
        return;
    }
    match k {
        1 => out.extend(words.windows(1).map(shingle)),
        2 => out.extend(words.windows(2).map(fixed::<2>)),
        3 => out.extend(words.windows(3).map(fixed::<3>)),
        4 => out.extend(words.windows(4).map(fixed::<4>)),
        5 => out.extend(words.windows(5).map(fixed::<5>)),
        _ => out.extend(words.windows(k).map(shingle)),
    }
}

/// [`shingle`] of a number of words that the compiler knows.
#[inline(always)]
fn fixed<const K: usize>(words: &[u64]) -> u64 {
    match <&[u64; K]>::try_from(words) {
        Ok(words) => shingle(words),
        Err(_) => shingle(words),
    }
}

/// The 128-bit hash of a sequence of words, one word after the other.
#[derive(Clone, Copy, Debug)]
pub struct Sequence([u64; 2]);

impl Sequence {
    /// No words yet.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        Self(LANES)
    }

    /// The next word's hash.
    #[inline(always)]
    pub fn push(&mut self, word: u64) {
        let [a, b] = self.0;
        self.0 = [mum(a ^ word, LANE_STEPS[0]), mum(b ^ word, LANE_STEPS[1])];
    }

    /// The hash of the `words` words that were pushed.
    #[inline]
    #[must_use]
    pub fn end(self, words: usize) -> u128 {
        let [a, b] = self.0;
        let n = words as u64;
        let (a, b) = (mum(a ^ n, LANE_ENDS[0]), mum(b ^ n, LANE_ENDS[1]));
        (u128::from(a) << 64) | u128::from(b)
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new()
    }
}

/// 128-bit hash of all words in their order: equal texts, after folding, have equal hashes.
#[must_use]
pub fn sequence(words: &[u64]) -> u128 {
    let mut sequence = Sequence::new();
    for word in words {
        sequence.push(*word);
    }
    sequence.end(words.len())
}
