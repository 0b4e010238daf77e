//! The two hashes of a row, with the least work: compressions of SHA-256 on states that are prepared once.
//!
//! The hash of an id is the labelled hash of `docs/audit/bundle.md`; its label is 48 characters long, so that label and count fill
//! the first block and one compression is left for an id of up to 47 bytes. A ticket is HMAC-SHA256 of that hash: two compressions.
//! The `sha2` crate uses the processor's SHA instructions where there are any.

use sha2::digest::generic_array::GenericArray;
use sha2::{compress256, Digest as _, Sha256};

/// A SHA-256 value.
pub type Digest = [u8; 32];

/// The label under which ids are hashed.
pub const ID_LABEL: &str = "klero/register/v1: one id, trimmed and in NFC...";
const _: () = assert!(ID_LABEL.len() == 48);

const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

fn compressed(mut state: [u32; 8], block: &[u8; 64]) -> [u32; 8] {
    compress256(&mut state, &[*GenericArray::from_slice(block)]);
    state
}

fn bytes(state: [u32; 8]) -> Digest {
    let mut digest = [0; 32];
    for (target, word) in digest.chunks_exact_mut(4).zip(state) {
        target.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// Hashes ids: seq([`ID_LABEL`], [id]).
pub struct IdHasher {
    state: [u32; 8],
}

impl Default for IdHasher {
    fn default() -> Self {
        let mut block = [0; 64];
        block[..8].copy_from_slice(&48_u64.to_be_bytes());
        block[8..56].copy_from_slice(ID_LABEL.as_bytes());
        block[56..].copy_from_slice(&1_u64.to_be_bytes());
        Self {
            state: compressed(START, &block),
        }
    }
}

impl IdHasher {
    /// The hash of one id, already in canonical form.
    pub fn hash(&self, id: &[u8]) -> Digest {
        if id.len() > 47 {
            return Self::long(id);
        }
        let mut block = [0; 64];
        block[..8].copy_from_slice(&(id.len() as u64).to_be_bytes());
        block[8..8 + id.len()].copy_from_slice(id);
        block[8 + id.len()] = 0x80;
        block[56..].copy_from_slice(&((72 + id.len() as u64) * 8).to_be_bytes());
        bytes(compressed(self.state, &block))
    }

    fn long(id: &[u8]) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(48_u64.to_be_bytes());
        hasher.update(ID_LABEL);
        hasher.update(1_u64.to_be_bytes());
        hasher.update((id.len() as u64).to_be_bytes());
        hasher.update(id);
        hasher.finalize().into()
    }
}

/// HMAC-SHA256 under one key, for messages of a hash and perhaps a counter.
pub struct Keyed {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl Keyed {
    /// Prepares a key.
    pub fn new(key: &Digest) -> Self {
        let padded = |pad: u8| {
            let mut block = [pad; 64];
            block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
            compressed(START, &block)
        };
        Self {
            inner: padded(0x36),
            outer: padded(0x5c),
        }
    }

    /// HMAC(key, message).
    pub fn of(&self, message: &Digest) -> Digest {
        let finish = |state: [u32; 8], text: &[u8; 32]| {
            let mut block = [0; 64];
            block[..32].copy_from_slice(text);
            block[32] = 0x80;
            block[56..].copy_from_slice(&768_u64.to_be_bytes());
            bytes(compressed(state, &block))
        };
        finish(self.outer, &finish(self.inner, message))
    }

    /// A whole number below `limit`, each equally likely: the two halves of HMAC(key, message), as big-endian numbers of 128 bits, then
    /// those of HMAC(key, that value), and so on; a half at or above the largest multiple of `limit` is passed over. `limit` > 0.
    pub fn below(&self, message: &Digest, limit: u128) -> u128 {
        let mut value = self.of(message);
        loop {
            for half in value.chunks_exact(16) {
                if let Some(x) = reduced(half, limit) {
                    return x;
                }
            }
            value = self.of(&value);
        }
    }

    /// A whole number below `limit` from the second half of a ticket, whose first half told its order; if that half is passed over,
    /// [`Keyed::below`] of the ticket. One HMAC so serves both, and the two halves know nothing of each other.
    pub fn below_ticket(&self, ticket: &Digest, limit: u128) -> u128 {
        reduced(&ticket[16..], limit).unwrap_or_else(|| self.below(ticket, limit))
    }
}

/// A number of 128 bits modulo `limit`, unless it lies at or above the largest multiple of `limit`.
fn reduced(half: &[u8], limit: u128) -> Option<u128> {
    let x = half.iter().fold(0_u128, |x, b| (x << 8) | u128::from(*b));
    // Divisions are slow, and hardly any x needs the second one.
    (x <= u128::MAX - limit || x <= u128::MAX - excess(limit)).then(|| x % limit)
}

/// 2^128 mod limit, without a number of 129 bits.
fn excess(limit: u128) -> u128 {
    (u128::MAX % limit + 1) % limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_ids_have_one_definition() {
        let hasher = IdHasher::default();
        for n in 0..120 {
            let id = vec![b'x'; n];
            assert_eq!(hasher.hash(&id), IdHasher::long(&id), "{n} bytes");
        }
    }

    #[test]
    fn numbers_below_a_limit_are_below_it_and_cover_it() {
        let keyed = Keyed::new(&[7; 32]);
        let mut seen = [0; 5];
        for i in 0..200 {
            seen[usize::try_from(keyed.below(&[i; 32], 5)).unwrap_or(9)] += 1;
        }
        assert!(seen.iter().all(|n| *n > 15), "{seen:?}");
        let limit = (1 << 127) + 1; // nearly half of all values are passed over
        assert!((0..50).all(|i| keyed.below(&[i; 32], limit) < limit));
        assert_eq!(keyed.below(&[0; 32], 1), 0);
    }

    #[test]
    fn a_ticket_gives_its_second_half_or_the_next_number() {
        let keyed = Keyed::new(&[7; 32]);
        let mut ticket = [0; 32];
        ticket[31] = 9;
        assert_eq!(keyed.below_ticket(&ticket, 5), 4);
        ticket[16..].fill(0xff); // 2^128 - 1, a multiple of 5, is the one number that is passed over
        assert_eq!(keyed.below_ticket(&ticket, 5), keyed.below(&ticket, 5));
        assert_eq!(keyed.below_ticket(&ticket, 1 << 127), (1 << 127) - 1);
    }
}
