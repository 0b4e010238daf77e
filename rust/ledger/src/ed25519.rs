//! Who signed this, and can all verifiers agree on it?
//!
//! Ed25519 after RFC 8032, with one reading of what the RFC leaves open, so that no signature is good for one verifier and bad for
//! another: a key is the only encoding of a point of the prime-order subgroup, not the neutral element; S is below L; the
//! encoding of S·B − k·A must be R byte for byte, without the cofactor. (With a key in the subgroup this accepts what RFC 8032 does
//! in either form, but for R outside the subgroup, which no signer makes.)
//!
//! Symbols as in RFC 8032: B the base point, L its order, A the key, k = SHA-512(R ‖ A ‖ M) mod L. Signing takes the same time for
//! every secret; checking handles public values alone. One pass over the message, two to sign.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{clamp_integer, Scalar};
use curve25519_dalek::traits::IsIdentity;
use sha2::{Digest as _, Sha512};

/// Whether these bytes are a key: see above.
pub fn is_key(key: &[u8; 32]) -> bool {
    point(key).is_some()
}

/// The public key of a secret of 32 random bytes.
pub fn public_key(secret: &[u8; 32]) -> [u8; 32] {
    let (scalar, _) = expanded(secret);
    EdwardsPoint::mul_base(&scalar).compress().to_bytes()
}

/// The one signature of this message under this secret.
pub fn sign(secret: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let (scalar, prefix) = expanded(secret);
    let key = EdwardsPoint::mul_base(&scalar).compress().to_bytes();
    let nonce = reduced(&[&prefix, message]);
    let r = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
    let s = nonce + reduced(&[&r, &key, message]) * scalar;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(s.as_bytes());
    signature
}

/// Whether the holder of `key` signed `message`. False for what is no key.
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&signature[..32]);
    s.copy_from_slice(&signature[32..]);
    let s: Option<Scalar> = Scalar::from_canonical_bytes(s).into();
    let (Some(a), Some(s)) = (point(key), s) else {
        return false;
    };
    let k = reduced(&[&r, key, message]);
    let found = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-a, &s);
    found.compress().to_bytes() == r
}

/// The point that a key encodes.
fn point(key: &[u8; 32]) -> Option<EdwardsPoint> {
    let point = CompressedEdwardsY(*key).decompress()?;
    // Decoding takes y of p or more and a sign without an x; only the one right encoding comes back. (As it happens, none of these
    // points is in the subgroup.)
    let one_encoding = point.compress().to_bytes() == *key;
    (one_encoding && point.is_torsion_free() && !point.is_identity()).then_some(point)
}

/// The secret scalar (modulo L, which changes no multiple of B) and the prefix of the nonce's input.
fn expanded(secret: &[u8; 32]) -> (Scalar, [u8; 32]) {
    let hash: [u8; 64] = Sha512::digest(secret).into();
    let (mut scalar, mut prefix) = ([0; 32], [0; 32]);
    scalar.copy_from_slice(&hash[..32]);
    prefix.copy_from_slice(&hash[32..]);
    (Scalar::from_bytes_mod_order(clamp_integer(scalar)), prefix)
}

/// SHA-512 of the parts one after the other, modulo L.
fn reduced(parts: &[&[u8]]) -> Scalar {
    let mut hasher = Sha512::new();
    for part in parts {
        hasher.update(part);
    }
    Scalar::from_bytes_mod_order_wide(&hasher.finalize().into())
}

// A test that can't go on may panic.
#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use num_traits::{One, Zero};
    use proptest::prelude::*;

    use crate::hash::{hex, unhex};

    /// RFC 8032, section 7.1: secret, key, message, signature.
    const RFC: [[&str; 4]; 4] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
        [
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ],
    ];

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        let bytes = unhex(text).expect("hexadecimal digits");
        bytes.try_into().expect("their number")
    }

    #[test]
    fn the_rfcs_vectors_are_signed_and_verified() {
        for [secret, key, message, signature] in RFC {
            let secret = bytes(secret);
            let message = unhex(message).expect("hexadecimal digits");
            assert_eq!(hex(&public_key(&secret)), key);
            assert_eq!(hex(&sign(&secret, &message)), signature);
            assert!(is_key(&bytes(key)));
            assert!(verify(&bytes(key), &message, &bytes(signature)));
            assert!(slow::verify(&bytes(key), &message, &bytes(signature)));
        }
    }

    /// The same, as section 5.1 of the RFC has it, in affine coordinates and big integers: slow and plain.
    mod slow {
        use super::*;

        pub type Point = (BigUint, BigUint);

        pub fn p() -> BigUint {
            (BigUint::one() << 255_u32) - 19_u32
        }

        pub fn order() -> BigUint {
            (BigUint::one() << 252_u32)
                + b"27742317777372353535851937790883648493"
                    .iter()
                    .fold(BigUint::zero(), |sum, digit| sum * 10_u32 + (digit - b'0'))
        }

        fn inverse(a: &BigUint) -> BigUint {
            a.modpow(&(p() - 2_u32), &p())
        }

        /// d = −121665/121666
        fn d() -> BigUint {
            (p() - 121_665_u32) * inverse(&BigUint::from(121_666_u32)) % p()
        }

        pub fn base() -> Point {
            let y = BigUint::from(4_u32) * inverse(&BigUint::from(5_u32)) % p();
            let mut code: [u8; 32] = y.to_bytes_le().try_into().expect("32 bytes");
            code[31] &= 0x7f;
            decode(&code).expect("a point")
        }

        /// Fractions over one denominator: an addition without an inversion. (X, Y, Z)
        type Sum = (BigUint, BigUint, BigUint);

        fn add(a: &Sum, b: &Sum) -> Sum {
            let p = p();
            // Formulas add-2007-bl of Bernstein and Lange for a = −1: complete, as d is no square.
            let z = &a.2 * &b.2 % &p;
            let (z2, c, dd) = (&z * &z % &p, &a.0 * &b.0 % &p, &a.1 * &b.1 % &p);
            let e = d() * &c % &p * &dd % &p;
            let (f, g) = ((&z2 + &p - &e) % &p, (&z2 + &e) % &p);
            let cross = (&a.0 + &a.1) * (&b.0 + &b.1) % &p + &p + &p - &c - &dd;
            let x = &z * &f % &p * cross % &p;
            let y = &z * &g % &p * (&c + &dd) % &p;
            (x, y, f * g % p)
        }

        pub fn plus(a: &Point, b: &Point) -> Point {
            let one = BigUint::one();
            affine(&add(
                &(a.0.clone(), a.1.clone(), one.clone()),
                &(b.0.clone(), b.1.clone(), one),
            ))
        }

        fn affine(a: &Sum) -> Point {
            let inverse = inverse(&a.2);
            (&a.0 * &inverse % p(), &a.1 * &inverse % p())
        }

        pub fn times(n: &BigUint, a: &Point) -> Point {
            let one = BigUint::one();
            let mut sum = (BigUint::zero(), one.clone(), one.clone());
            let a = (a.0.clone(), a.1.clone(), one);
            for bit in (0..n.bits()).rev() {
                sum = add(&sum, &sum);
                if n.bit(bit) {
                    sum = add(&sum, &a);
                }
            }
            affine(&sum)
        }

        pub fn encode(a: &Point) -> [u8; 32] {
            let mut code = [0; 32];
            let y = a.1.to_bytes_le();
            code[..y.len()].copy_from_slice(&y);
            code[31] |= if a.0.bit(0) { 0x80 } else { 0 };
            code
        }

        pub fn decode(code: &[u8; 32]) -> Option<Point> {
            let p = p();
            let mut y = *code;
            y[31] &= 0x7f;
            let y = BigUint::from_bytes_le(&y);
            if y >= p {
                return None;
            }
            let one = BigUint::one();
            let (above, below) = (&y * &y + &p - &one, d() * &y * &y + &one);
            let square = above * inverse(&(below % &p)) % &p;
            // p = 5 mod 8
            let mut x = square.modpow(&((&p + 3_u32) >> 3_u32), &p);
            if &x * &x % &p != square {
                x = x * BigUint::from(2_u32).modpow(&((&p - 1_u32) >> 2_u32), &p) % &p;
            }
            if &x * &x % &p != square || (x.is_zero() && code[31] & 0x80 != 0) {
                return None;
            }
            if x.bit(0) != (code[31] & 0x80 != 0) {
                x = p - x;
            }
            Some((x, y))
        }

        pub fn neutral() -> Point {
            (BigUint::zero(), BigUint::one())
        }

        pub fn is_key(code: &[u8; 32]) -> bool {
            decode(code).is_some_and(|a| a != neutral() && times(&order(), &a) == neutral())
        }

        pub fn challenge(r: &[u8], key: &[u8], message: &[u8]) -> BigUint {
            BigUint::from_bytes_le(&Sha512::digest([r, key, message].concat())) % order()
        }

        pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
            let (r, s) = signature.split_at(32);
            let s = BigUint::from_bytes_le(s);
            if s >= order() || !is_key(key) {
                return false;
            }
            let Some((x, y)) = decode(key) else {
                return false;
            };
            let minus = ((p() - x) % p(), y);
            let k = challenge(r, key, message);
            let found = plus(&times(&s, &base()), &times(&k, &minus));
            encode(&found) == r
        }

        /// A point of order 8: L times any point gives one of order 1, 2, 4 or 8.
        pub fn order_8() -> Point {
            (0..=255)
                .filter_map(|y| decode(&[y; 32]))
                .map(|a| times(&order(), &a))
                .find(|a| times(&BigUint::from(4_u32), a) != neutral())
                .expect("a point of order 8")
        }
    }

    fn number(n: &BigUint) -> [u8; 32] {
        let mut bytes = [0; 32];
        let digits = n.to_bytes_le();
        bytes[..digits.len()].copy_from_slice(&digits);
        bytes
    }

    #[test]
    fn points_outside_the_subgroup_are_no_keys() {
        let (t, base) = (slow::order_8(), slow::base());
        for i in 0..8_u32 {
            let small = slow::times(&BigUint::from(i), &t);
            assert!(!is_key(&slow::encode(&small)), "{i} times the point");
            let mixed = slow::encode(&slow::plus(&small, &base));
            assert_eq!(is_key(&mixed), i == 0, "base and {i} times the point");
            assert_eq!(slow::is_key(&mixed), i == 0);
        }
    }

    #[test]
    fn every_second_encoding_is_no_key() {
        // y from p to 2^255 − 1, and the sign bit where x is 0.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        neutral[31] = 0x80;
        assert!(!is_key(&neutral));
        for above in 0..19_u32 {
            for sign in [0, 0x80] {
                let mut code = number(&(slow::p() + above));
                code[31] |= sign;
                assert!(!is_key(&code), "p + {above}");
                assert!(!verify(&code, b"", &[0; 64]));
            }
        }
        let mut minus_one = number(&(slow::p() - 1_u32));
        minus_one[31] |= 0x80;
        assert!(!is_key(&minus_one));
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        // With A and R neutral and S = 0 the equation holds for every message.
        let mut signature = [0; 64];
        signature[0] = 1;
        let mut key = [0; 32];
        key[0] = 1;
        assert!(!verify(&key, b"any message", &signature));
    }

    #[test]
    fn s_and_s_plus_l_are_not_both_good() {
        let [_, key, message, signature] = RFC[2];
        let (key, message) = (bytes(key), unhex(message).expect("digits"));
        let mut signature: [u8; 64] = bytes(signature);
        assert!(verify(&key, &message, &signature));
        let s = BigUint::from_bytes_le(&signature[32..]) + slow::order();
        signature[32..].copy_from_slice(&number(&s));
        assert!(!verify(&key, &message, &signature));
    }

    /// The equation with the cofactor holds for these, the one without does not.
    #[test]
    fn an_r_outside_the_subgroup_is_refused() {
        let secret = [7; 32];
        let key = public_key(&secret);
        let (a, _) = expanded(&secret);
        let nonce = BigUint::from(123_456_789_u32);
        for i in 0..8_u32 {
            let small = slow::times(&BigUint::from(i), &slow::order_8());
            let r = slow::plus(&slow::times(&nonce, &slow::base()), &small);
            let r = slow::encode(&r);
            let k = slow::challenge(&r, &key, b"message");
            let s = (&nonce + k * BigUint::from_bytes_le(a.as_bytes())) % slow::order();
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            signature[32..].copy_from_slice(&number(&s));
            assert_eq!(verify(&key, b"message", &signature), i == 0, "{i}");
            assert_eq!(slow::verify(&key, b"message", &signature), i == 0, "{i}");
        }
    }

    /// With R neutral, S = k·a: whoever makes it gives the key away, but the equation holds, in every verifier alike.
    #[test]
    fn a_neutral_r_follows_the_equation_and_its_other_encodings_do_not() {
        let secret = [9; 32];
        let key = public_key(&secret);
        let (a, _) = expanded(&secret);
        let mut codes = [[0_u8; 32]; 3];
        codes[0][0] = 1;
        codes[1][0] = 1;
        codes[1][31] = 0x80;
        codes[2] = number(&(slow::p() + 1_u32));
        for (i, r) in codes.iter().enumerate() {
            let k = slow::challenge(r, &key, b"");
            let s = k * BigUint::from_bytes_le(a.as_bytes()) % slow::order();
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(r);
            signature[32..].copy_from_slice(&number(&s));
            assert_eq!(verify(&key, b"", &signature), i == 0, "{i}");
            assert_eq!(slow::verify(&key, b"", &signature), i == 0, "{i}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn keys_are_those_of_the_slow_way(code in any::<[u8; 32]>()) {
            prop_assert_eq!(is_key(&code), slow::is_key(&code));
        }

        #[test]
        fn signatures_are_good_in_both_ways(secret in any::<[u8; 32]>(), message in any::<Vec<u8>>()) {
            let (key, signature) = (public_key(&secret), sign(&secret, &message));
            prop_assert!(verify(&key, &message, &signature));
            prop_assert!(slow::verify(&key, &message, &signature));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn a_changed_bit_is_refused(
            secret in any::<[u8; 32]>(), message in any::<Vec<u8>>(), place in 0..96_usize, bit in 0..8_u32
        ) {
            let (mut key, mut signature) = (public_key(&secret), sign(&secret, &message));
            match place {
                0..64 => signature[place] ^= 1_u8 << bit,
                _ => key[place - 64] ^= 1_u8 << bit,
            }
            prop_assert!(!verify(&key, &message, &signature));
            let (key, signature) = (public_key(&secret), sign(&secret, &message));
            let longer = [&message[..], &[0]].concat();
            prop_assert!(!verify(&key, &longer, &signature));
        }

        #[test]
        fn no_input_panics(key in any::<[u8; 32]>(), message in any::<Vec<u8>>(), signature in any::<[u8; 64]>()) {
            prop_assert!(!verify(&key, &message, &signature));
        }
    }
}
