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
    let mut row = bottom(leaves);
    if row.is_empty() {
        return sha256(b"");
    }
    while row.len() > 1 {
        row = above(&row);
    }
    row[0]
}

/// The inclusion path of RFC 9162 section 2.1.3.1: what leaf number `index` is joined with on its way to the root; none if there is no such leaf.
pub fn merkle_path<T: AsRef<[u8]>>(leaves: &[T], mut index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut row, mut path) = (bottom(leaves), Vec::new());
    while row.len() > 1 {
        // An odd last one goes up as it is, with nothing beside it.
        path.extend(row.get(index ^ 1));
        row = above(&row);
        index /= 2;
    }
    Some(path)
}

fn bottom<T: AsRef<[u8]>>(leaves: &[T]) -> Vec<Digest> {
    let hashed = leaves.iter().map(|leaf| {
        let mut hasher = Sha256::new();
        hasher.update([0]);
        hasher.update(leaf);
        hasher.finalize().into()
    });
    hashed.collect()
}

/// Joining neighbours row by row, an odd one going up as it is, gives the RFC's split at powers of two.
fn above(row: &[Digest]) -> Vec<Digest> {
    row.chunks(2).map(join).collect()
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
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that lower-case hexadecimal digits spell; none for any other text.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |d: u8| match d {
        b'0'..=b'9' => Some(d - b'0'),
        b'a'..=b'f' => Some(d - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
            _ => None,
        })
        .collect()
}

/// The digest that 64 lower-case hexadecimal digits spell; none for any other text.
pub fn digest(text: &str) -> Option<Digest> {
    unhex(text)?.try_into().ok()
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
    fn a_digest_has_one_spelling() {
        let text = hex(&sha256(b""));
        assert_eq!(digest(&text), Some(sha256(b"")));
        assert_eq!(unhex(""), Some(Vec::new()));
        assert_eq!(unhex("0aff"), Some(vec![10, 255]));
        for bad in [
            "0", "0A", "0g", "+1", " 0", "0x", "é", "abc", "``", "//", "::",
        ] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
        assert_eq!(digest(&text[2..]), None);
        assert_eq!(digest(&format!("{text}00")), None);
    }

    /// RFC 9162, section 2.1.3.2, word for word but for the size of the numbers.
    fn reaches(leaf: &[u8], index: usize, size: usize, path: &[Digest], root: &Digest) -> bool {
        let (mut fnode, mut snode) = (index, size - 1);
        let mut r = sha256(&[&[0], leaf].concat());
        for p in path {
            if snode == 0 {
                return false;
            }
            if fnode % 2 == 1 || fnode == snode {
                r = sha256(&[&[1], p.as_slice(), r.as_slice()].concat());
                while fnode % 2 == 0 && fnode != 0 {
                    fnode >>= 1;
                    snode >>= 1;
                }
            } else {
                r = sha256(&[&[1], r.as_slice(), p.as_slice()].concat());
            }
            fnode >>= 1;
            snode >>= 1;
        }
        snode == 0 && r == *root
    }

    #[test]
    fn every_path_leads_to_the_root_by_the_rfcs_own_check() {
        for n in 1..70_u8 {
            let leaves: Vec<Vec<u8>> = (0..n).map(|i| vec![i; 32]).collect();
            let root = merkle_root(&leaves);
            for (i, leaf) in leaves.iter().enumerate() {
                let path = merkle_path(&leaves, i).unwrap_or_default();
                assert!(reaches(leaf, i, leaves.len(), &path, &root), "{i} of {n}");
                assert!(!reaches(&[99], i, leaves.len(), &path, &root));
            }
            assert_eq!(merkle_path(&leaves, leaves.len()), None);
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
