//! Has a byte of what was promised changed since?
//!
//! SHA-256 over labelled tuples, HMAC-SHA256, and the Merkle tree hash of RFC 9162 section 2.1.1. A label and lengths
//! stand in every hashed tuple, so that two different tuples never give the same input.
//! Linear; no randomness.

use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};

/// A SHA-256 value.
pub type Digest = [u8; 32];

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// The labelled hash: SHA-256(len8(label) ‖ label ‖ count8 ‖ len8(i1) ‖ i1 ‖ …).
pub fn seq<T: AsRef<[u8]>>(label: &str, items: &[T]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(len8(label.len()));
    hasher.update(label);
    hasher.update(len8(items.len()));
    for item in items {
        hasher.update(len8(item.as_ref().len()));
        hasher.update(item);
    }
    hasher.finalize().into()
}

fn len8(length: usize) -> [u8; 8] {
    (length as u64).to_be_bytes()
}

/// HMAC-SHA256 under a 32-byte key, over the parts one after the other.
pub fn hmac(key: &Digest, parts: &[&[u8]]) -> Digest {
    // A key shorter than a block counts as filled up with zeros: the constructor for whole blocks can't fail.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as Mac>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The root of the tree whose leaves are these bytes, in this order.
pub fn merkle_root<T: AsRef<[u8]>>(leaves: &[T]) -> Digest {
    let mut row: Vec<Digest> = leaves
        .iter()
        .map(|leaf| {
            let mut hasher = Sha256::new();
            hasher.update([0]);
            hasher.update(leaf);
            hasher.finalize().into()
        })
        .collect();
    if row.is_empty() {
        return sha256(b"");
    }
    // Joining neighbours row by row, an odd one going up as it is, gives the RFC's split at powers of two.
    while row.len() > 1 {
        row = row.chunks(2).map(join).collect();
    }
    row[0]
}

fn join(nodes: &[Digest]) -> Digest {
    match nodes {
        [one] => *one,
        _ => {
            let mut hasher = Sha256::new();
            hasher.update([1]);
            for node in nodes {
                hasher.update(node);
            }
            hasher.finalize().into()
        }
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162, section 2.1.1, word for word.
    fn by_the_rfc(leaves: &[Vec<u8>]) -> Digest {
        match leaves.len() {
            0 => sha256(b""),
            1 => sha256(&[&[0], leaves[0].as_slice()].concat()),
            n => {
                let k = n.next_power_of_two() / 2;
                let (left, right) = leaves.split_at(k);
                sha256(
                    &[
                        &[1],
                        by_the_rfc(left).as_slice(),
                        by_the_rfc(right).as_slice(),
                    ]
                    .concat(),
                )
            }
        }
    }

    #[test]
    fn the_tree_is_the_rfcs_for_every_small_size() {
        for n in 0..70u8 {
            let leaves: Vec<Vec<u8>> = (0..n).map(|i| vec![i; usize::from(i % 5)]).collect();
            assert_eq!(merkle_root(&leaves), by_the_rfc(&leaves), "{n} leaves");
        }
    }

    #[test]
    fn hmac_is_that_of_rfc_4231_case_2() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = hmac(&key, &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            hex(&mac),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
