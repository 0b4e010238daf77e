//! How much does a run of words tell of a group? As a whole number, so that two weights compare alike everywhere.

/// Bits behind the point.
const BITS: u32 = 24;
/// Bits of the mantissa.
const MANTISSA: u32 = 32;

/// log₂(a / b) · 2²⁴ for a ≥ b > 0 and a < 2⁹⁵, cut off: by one squaring a bit of a mantissa of 32 bits behind the point. A processor's logarithm differs from
/// another's in the last place; this one is never above the true value, and less than 10⁻⁶ below it.
pub(super) fn log2_ratio(a: u128, b: u128) -> u64 {
    let mut whole = 0u32;
    while whole < 94 && a >> (whole + 1) >= b {
        whole += 1;
    }
    let Some(mut mantissa) = (a << MANTISSA).checked_div(b << whole) else {
        return 0;
    };
    let mut result = u64::from(whole);
    for _ in 0..BITS {
        mantissa = (mantissa * mantissa) >> MANTISSA;
        result <<= 1;
        if mantissa >> (MANTISSA + 1) != 0 {
            mantissa >>= 1;
            result |= 1;
        }
    }
    result
}

/// The weight of a run that `voices` of a group use and `everywhere` in all, where A = `average.0` / `average.1`.
pub(super) fn weight(voices: u32, everywhere: u32, average: (u64, u64)) -> u64 {
    let below = u128::from(everywhere) * u128::from(average.1);
    let rarity = log2_ratio(below + u128::from(average.0), below);
    u64::from(voices).saturating_mul(rarity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_just_below_the_true_one() {
        for (a, b) in [
            (1, 1),
            (3, 2),
            (2, 1),
            (1025, 1024),
            (1 << 80, 3),
            (u64::MAX as u128, 7),
        ] {
            let true_one = (a as f64 / b as f64).log2();
            let found = log2_ratio(a, b) as f64 / f64::from(1 << BITS);
            assert!(
                found <= true_one + 1e-9 && true_one - found < 1e-6,
                "{a} / {b}"
            );
        }
        assert_eq!(log2_ratio(8, 1), 3 << BITS);
        assert_eq!(log2_ratio(8, 0), 0);
    }

    #[test]
    fn what_fewer_say_elsewhere_weighs_more() {
        assert!(weight(3, 3, (100, 1)) > weight(3, 4, (100, 1)));
        assert!(weight(4, 10, (100, 1)) > weight(3, 10, (100, 1)));
        assert_eq!(weight(1, 0, (5, 1)), 0);
    }
}
