//! Is this the number that the public beacon gave in that round, and could nobody know it before?
//!
//! drand's chains `quicknet` and `default`: a group of organisations signs each round with a shared BLS12-381 key (Boneh, Lynn, Shacham;
//! draft-irtf-cfrg-bls-signature, hashing to the curve after RFC 9380). The signature is the only one there can be, so nobody
//! chooses it, and it is checked against the group's key alone. That no quorum of them met in secret is beyond any check.
//! Two pairings a check; the arithmetic is blst's.

use blst::{min_pk, min_sig, BLST_ERROR};

use crate::hash::{sha256, unhex, Digest};

/// A chain of rounds and its constants.
#[derive(Debug, PartialEq, Eq)]
pub struct Chain {
    /// The beacon's id.
    pub id: &'static str,
    /// The chain hash, as declared.
    pub name: &'static str,
    /// Seconds between two rounds.
    pub period: u32,
    /// The Unix time of round 1.
    pub genesis: u64,
    /// Where public key and signatures are.
    pub groups: Groups,
    group_hash: &'static str,
    key: &'static str,
}

/// Which of the curve's two groups has the signatures; the key is in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    /// Signatures on G1, of 48 bytes; a round is signed by itself.
    SignatureOnG1,
    /// Signatures on G2, of 96 bytes; a round is signed together with the signature before.
    SignatureOnG2,
}

/// The chains that a declaration may name.
pub static CHAINS: [Chain; 2] = [QUICKNET, DEFAULT];

const QUICKNET: Chain = Chain {
    id: "quicknet",
    name: "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    period: 3,
    genesis: 1_692_803_367,
    groups: Groups::SignatureOnG1,
    group_hash: "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
    key: concat!(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451",
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
};

const DEFAULT: Chain = Chain {
    id: "default",
    name: "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",
    period: 30,
    genesis: 1_595_431_050,
    groups: Groups::SignatureOnG2,
    group_hash: "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
    key: "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
};

/// The chain of this hash, in hexadecimal digits.
pub fn chain(hash_hex: &str) -> Option<&'static Chain> {
    CHAINS.iter().find(|chain| chain.name == hash_hex)
}

impl Chain {
    /// The Unix time of a round, from 1.
    pub fn time(&self, round: i64) -> Option<i64> {
        if round < 1 {
            return None;
        }
        let since = (round - 1).checked_mul(i64::from(self.period))?;
        since.checked_add_unsigned(self.genesis)
    }

    /// The chain hash, computed from the other constants.
    pub fn hash(&self) -> Digest {
        let mut text = [
            &self.period.to_be_bytes()[..],
            &self.genesis.to_be_bytes()[..],
            &unhex(self.key).unwrap_or_default(),
            &unhex(self.group_hash).unwrap_or_default(),
        ]
        .concat();
        if self.id != "default" {
            text.extend_from_slice(self.id.as_bytes());
        }
        sha256(&text)
    }

    /// How many bytes a signature has.
    pub fn signature_bytes(&self) -> usize {
        match self.groups {
            Groups::SignatureOnG1 => 48,
            Groups::SignatureOnG2 => 96,
        }
    }

    /// How many bytes of the signature before are signed along.
    pub fn previous_bytes(&self) -> usize {
        match self.groups {
            Groups::SignatureOnG1 => 0,
            Groups::SignatureOnG2 => 96,
        }
    }

    /// Whether this is the signature of a round. `previous` is the signature before where the chain signs it along, else empty.
    pub fn verify(&self, round: i64, previous: &[u8], signature: &[u8]) -> bool {
        let Ok(number) = u64::try_from(round) else {
            return false;
        };
        let message = sha256(&[previous, &number.to_be_bytes()].concat());
        let key = unhex(self.key).unwrap_or_default();
        match self.groups {
            Groups::SignatureOnG1 => on_g1(&key, &message, signature),
            Groups::SignatureOnG2 => on_g2(&key, &message, signature),
        }
    }
}

fn on_g1(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let tag = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
    let key = min_sig::PublicKey::uncompress(key);
    let signature = min_sig::Signature::uncompress(signature);
    let (Ok(key), Ok(signature)) = (key, signature) else {
        return false;
    };
    signature.verify(true, message, tag, &[], &key, true) == BLST_ERROR::BLST_SUCCESS
}

fn on_g2(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let tag = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";
    let key = min_pk::PublicKey::uncompress(key);
    let signature = min_pk::Signature::uncompress(signature);
    let (Ok(key), Ok(signature)) = (key, signature) else {
        return false;
    };
    signature.verify(true, message, tag, &[], &key, true) == BLST_ERROR::BLST_SUCCESS
}

// A test that can't go on may panic.
#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use crate::hash::hex;
    use proptest::prelude::*;

    const SIGNATURE_123: &str = "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92";
    const PREVIOUS_72785: &str = "a609e19a03c2fcc559e8dae14900aaefe517cb55c840f6e69bc8e4f66c8d18e8a609685d9917efbfb0c37f058c2de88f13d297c7e19e0ab24813079efe57a182554ff054c7638153f9b26a60e7111f71a0ff63d9571704905d3ca6df0b031747";
    const SIGNATURE_72785: &str = "82f5d3d2de4db19d40a6980e8aa37842a0e55d1df06bd68bddc8d60002e8e959eb9cfa368b3c1b77d18f02a54fe047b80f0989315f83b12a74fd8679c4f12aae86eaf6ab5690b34f1fddd50ee3cc6f6cdf59e95526d5a5d82aaa84fa6f181e42";

    /// Rounds as the beacons published them.
    const ROUNDS: [(&Chain, i64, &str, &str); 5] = [
        (&QUICKNET, 123, "", SIGNATURE_123),
        (
            &QUICKNET,
            657_413,
            "",
            "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
        ),
        (&DEFAULT, 72_785, PREVIOUS_72785, SIGNATURE_72785),
        (
            &DEFAULT,
            2_634_945,
            "8bd96294383b4d1e04e736360bd7a487f9f409f1e7bd800b720656a310d577b3bdb1e1631af6c5782a1d8979c502f395036181eff4058960fc40bb7034cdae1991d3eda518ab204a077d2f7e724974cf87b407e549bd815cf0b8e5a3832f675d",
            "814778ed1e480406beb43b74af71ce2f0373e0ea1bfdfea8f9ed62c876c20fcbc7f0163860e3da42ed2148756015f4551451898ffe06d384b4d002245025571b6b7a752f7158b40ad92b13b6d703ad31922a617f2c7f6d960b84d56cf1d79eef",
        ),
        (
            &DEFAULT,
            3_311_596,
            "8ed588f2a7716fb1349e2d9803da5db0005e98a83783c353d4a08f183236a9ad91d70ddb01266f4b7c576983db464b430e65680b9e0098552758afd6c1e6afcb77e3f62fe1b93d42d1cb63abbb2205512fe12fbf74ea9c5ac3b8f5c1e283a1d8",
            "a696b9409ababce45749c3a4ec369074453dd4a79967734e1390d969c8ad8d98897d217b9121e92c8ddebbddda8d92f900e3bd6bf9deb166863b1a19390d743f82774001487594c5c09e581db7365f02b70a2c8cc41ce32446ef08e4890c4754",
        ),
    ];

    fn bytes(text: &str) -> Vec<u8> {
        unhex(text).expect("hexadecimal digits")
    }

    #[test]
    fn a_chains_hash_follows_from_its_constants() {
        for known in &CHAINS {
            assert_eq!(hex(&known.hash()), known.name);
            assert_eq!(chain(known.name), Some(known));
            assert_eq!(known.previous_bytes() > 0, known.id == "default");
        }
        assert_eq!(chain("quicknet"), None);
        assert_eq!(chain(&QUICKNET.name.to_uppercase()), None);
    }

    #[test]
    fn published_rounds_verify_and_those_beside_them_do_not() {
        for (chain, round, previous, signature) in ROUNDS {
            let (previous, signature) = (bytes(previous), bytes(signature));
            assert!(chain.verify(round, &previous, &signature), "{round}");
            for wrong in [round - 1, round + 1, -round, 0, 1, i64::MIN, i64::MAX] {
                assert!(!chain.verify(wrong, &previous, &signature), "{wrong}");
            }
            for other in CHAINS.iter().filter(|other| *other != chain) {
                assert!(!other.verify(round, &previous, &signature));
            }
        }
    }

    #[test]
    fn a_changed_or_missing_byte_is_refused() {
        for (chain, round, previous, signature) in [ROUNDS[0], ROUNDS[2]] {
            let (previous, signature) = (bytes(previous), bytes(signature));
            for place in 0..signature.len() {
                let mut other = signature.clone();
                other[place] ^= 1 << (place % 8);
                assert!(!chain.verify(round, &previous, &other), "byte {place}");
                assert!(!chain.verify(round, &previous, &signature[..place]));
            }
            // The other sign of y.
            let mut other = signature.clone();
            other[0] ^= 0x20;
            assert!(!chain.verify(round, &previous, &other));
            let long = [&signature[..], &[0]].concat();
            assert!(!chain.verify(round, &previous, &long));
            let mut other = [&previous[..], &[0]].concat();
            assert!(!chain.verify(round, &other, &signature));
            other.pop();
            if let Some(last) = other.last_mut() {
                *last ^= 1;
                assert!(!chain.verify(round, &other, &signature));
                assert!(!chain.verify(round, &previous[1..], &signature));
                assert!(!chain.verify(round, &[], &signature));
            }
        }
    }

    /// The pairing does not see a summand whose order is prime to that of the group: without a look at the group, a round would have
    /// many signatures, and whoever publishes it could choose the seed.
    #[test]
    fn a_signature_outside_the_group_is_refused() {
        let on_g1 = "809dde3f545ed5f3fd7839a1d80941f747a9117c844e2778a88f7a69d63bc69e29ce9dd0e5f3fb1be0802af85b01b1d7";
        assert!(min_sig::Signature::uncompress(&bytes(on_g1)).is_ok());
        assert!(!QUICKNET.verify(123, &[], &bytes(on_g1)));
        let on_g2 = "989a99fca116631d5bef0cafe593f2907ec8f53f222707a282a32a8a987a4359e1f90708a84d9cc4292cf832225c14f40f2e89430a2ad4b4094ddf63ddb50e54498f1bae534ff940d1553b6db417bc34fb40a23bac52412f569fabe6f34b6538";
        assert!(min_pk::Signature::uncompress(&bytes(on_g2)).is_ok());
        assert!(!DEFAULT.verify(72_785, &bytes(PREVIOUS_72785), &bytes(on_g2)));
    }

    #[test]
    fn the_neutral_element_and_coordinates_that_are_too_large_are_refused() {
        for (chain, round, previous, signature) in [ROUNDS[0], ROUNDS[2]] {
            let mut neutral = vec![0; bytes(signature).len()];
            neutral[0] = 0xc0;
            assert!(!chain.verify(round, &bytes(previous), &neutral));
            let large = vec![0xff; neutral.len()];
            assert!(!chain.verify(round, &bytes(previous), &large));
            let zeros = vec![0; neutral.len()];
            assert!(!chain.verify(round, &bytes(previous), &zeros));
        }
    }

    #[test]
    fn rounds_are_a_period_apart() {
        assert_eq!(QUICKNET.time(1), Some(1_692_803_367));
        assert_eq!(QUICKNET.time(2), Some(1_692_803_370));
        assert_eq!(DEFAULT.time(72_785), Some(1_595_431_050 + 72_784 * 30));
        assert_eq!(
            DEFAULT.time((1 << 53) - 1),
            Some(1_595_431_050 + ((1 << 53) - 2) * 30)
        );
        for none in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(DEFAULT.time(none), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_input_panics_and_no_random_point_verifies(
            mut signature in proptest::collection::vec(any::<u8>(), 0..100), round in any::<i64>(),
            previous in proptest::collection::vec(any::<u8>(), 0..100), flags in any::<u8>()
        ) {
            for known in &CHAINS {
                prop_assert!(!known.verify(round, &previous, &signature));
                // As a compressed point with a coordinate that may be on the curve.
                signature.resize(known.signature_bytes(), 1);
                signature[0] = 0x80 | (flags & 0x2f);
                prop_assert!(!known.verify(round, &previous, &signature));
            }
        }
    }
}
