//! A logarithm that every processor computes alike.
//!
//! The `ln` of system libraries differs in its last digit between platforms, and one digit is enough to turn a tie. Here only the four operations are used, each
//! rounded as IEEE 754 says: x = m · 2^e with m in (√½, √2], and ln m = 2 · artanh s = 2 (s + s³/3 + s⁵/5 + …) with s = (m − 1) / (m + 1), |s| ≤ 0.172.

/// The last term that counts: s²¹/21 is below 10⁻¹⁷.
const TERMS: u32 = 10;
const MANTISSA: u64 = (1 << 52) - 1;

/// The natural logarithm of a positive, normal number, to a few units in the last place. O(1).
#[must_use]
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as f64 - 1023.0;
    let mut m = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1.0;
    }
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = (0..=TERMS).rev().fold(0.0, |sum, term| {
        sum * square + 1.0 / f64::from(2 * term + 1)
    });
    exponent * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::ln;

    #[test]
    fn it_is_the_logarithm() {
        for x in [
            1.0,
            2.0,
            3.0,
            0.5,
            1.41,
            1.42,
            1e6,
            23_701.0 / 3.0,
            1e300,
            1e-300,
        ] {
            let (own, library) = (ln(x), f64::ln(x));
            assert!(
                (own - library).abs() <= 4e-16 * library.abs().max(1.0),
                "{x}"
            );
        }
    }

    #[test]
    fn it_has_these_very_bits_everywhere() {
        assert_eq!(ln(1.0).to_bits(), 0);
        assert_eq!(ln(2.0), std::f64::consts::LN_2);
        assert_eq!(ln(10.0).to_bits(), TEN);
    }
    const TEN: u64 = 0x4002_6bb1_bbb5_5515;
}
