//! Which numbers does a seed give to draw number j?
//!
//! Block b of draw j is HMAC-SHA256(key, j ‖ b), both as 8 bytes, the highest first; the blocks, one after the other, are the draw's bytes. Each
//! draw has bytes of its own, so the order in which draws are made, and by how many threads, changes nothing. An integer below m is taken from
//! whole 8-byte words by rejection: no remainder favours anyone.

use hmac::{Hmac, Mac};
use num_bigint::BigUint;
use num_traits::One;
use sha2::Sha256;

/// The bytes of one draw.
#[derive(Clone)]
pub struct Stream {
    keyed: Hmac<Sha256>,
    draw: u64,
    next_block: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    /// The stream of draw `draw` under a key of 32 bytes.
    #[must_use]
    pub fn new(key: &[u8; 32], draw: u64) -> Self {
        // A key shorter than a block counts as filled up with zeros: the constructor for whole blocks can't fail.
        let mut padded = [0; 64];
        padded[..32].copy_from_slice(key);
        Self {
            keyed: <Hmac<Sha256> as Mac>::new(&padded.into()),
            draw,
            next_block: 0,
            block: [0; 32],
            used: 32,
        }
    }

    /// The stream of another draw under the same key.
    pub fn restart(&mut self, draw: u64) {
        self.draw = draw;
        self.next_block = 0;
        self.used = 32;
    }

    fn word(&mut self) -> u64 {
        if self.used == 32 {
            let mut mac = self.keyed.clone();
            mac.update(&self.draw.to_be_bytes());
            mac.update(&self.next_block.to_be_bytes());
            self.block = mac.finalize().into_bytes().into();
            self.next_block += 1;
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_be_bytes(bytes)
    }

    /// A number below `m`, each equally likely; `m` is at least 1.
    pub fn below(&mut self, m: u64) -> u64 {
        // 2^64 mod m values at the top would favour small remainders.
        let surplus = (u64::MAX % m + 1) % m;
        loop {
            let x = self.word();
            if x <= u64::MAX - surplus {
                return x % m;
            }
        }
    }

    /// A number below `m`, each equally likely, from one word more than `m` has; `m` is at least 1.
    pub fn below_big(&mut self, m: &BigUint) -> BigUint {
        let words = m.bits().div_ceil(64) + 1;
        let accepted = ((BigUint::one() << (64 * words)) / m) * m;
        loop {
            let mut bytes = Vec::with_capacity(8 * words as usize);
            for _ in 0..words {
                bytes.extend_from_slice(&self.word().to_be_bytes());
            }
            let x = BigUint::from_bytes_be(&bytes);
            if x < accepted {
                return x % m;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_that_of_the_hmac() {
        // HMAC-SHA256 under 32 zero bytes over 16 zero bytes, computed with Python's hmac.
        let mut stream = Stream::new(&[0; 32], 0);
        assert_eq!(stream.word(), 0x853c_7403_937d_8b62);
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_every_value() {
        let mut stream = Stream::new(&[7; 32], 3);
        for m in 1..40u64 {
            let mut seen = vec![false; m as usize];
            for _ in 0..m * 40 {
                seen[stream.below(m) as usize] = true;
                assert!(stream.below_big(&BigUint::from(m)) < BigUint::from(m));
            }
            assert!(seen.iter().all(|s| *s), "{m}");
        }
    }

    #[test]
    fn draws_do_not_depend_on_those_before() {
        let mut one = Stream::new(&[1; 32], 0);
        one.below(10);
        one.restart(5);
        let mut other = Stream::new(&[1; 32], 5);
        assert_eq!(one.below(1 << 40), other.below(1 << 40));
    }
}
