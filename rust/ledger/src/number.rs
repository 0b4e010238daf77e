//! How are numbers of any size written, read and compared without a rounding error?
//!
//! Integers and rationals of the certificate, each with one spelling. Comparisons cross-multiply: no division, no recursion.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Zero};

use crate::{refuse, Fault};

/// No number is written with more characters than this.
pub const NUMBER_LIMIT: usize = 4096;

/// A rational: a numerator over a denominator above zero. Equal values may be written over different denominators.
#[derive(Debug, Clone)]
pub struct Ratio {
    /// The numerator.
    pub num: BigInt,
    /// The denominator, above zero.
    pub den: BigInt,
}

impl Ratio {
    /// 0/1.
    pub fn zero() -> Self {
        Self {
            num: BigInt::zero(),
            den: BigInt::one(),
        }
    }

    /// A decimal that is not below it, of nine places at most; for values of 0 or more.
    pub fn rounded_up(&self) -> String {
        let (whole, nanos) = (&self.num * 1_000_000_000_u32)
            .div_ceil(&self.den)
            .div_rem(&BigInt::from(1_000_000_000_u32));
        let text = format!("{whole}.{:0>9}", nanos.to_string());
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            num: &self.num * &other.den + &other.num * &self.den,
            den: &self.den * &other.den,
        }
    }

    /// The quotient; both are above zero, or this one is zero.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        Self {
            num: &self.num * &other.den,
            den: &self.den * &other.num,
        }
    }

    /// Which is larger?
    pub fn compare(&self, other: &Self) -> Ordering {
        (&self.num * &other.den).cmp(&(&other.num * &self.den))
    }
}

/// Reads `0` or `-?[1-9][0-9]*`.
pub fn integer(text: &str) -> Result<BigInt, Fault> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = text == "0"
        || (digits.bytes().all(|b| b.is_ascii_digit())
            && digits.bytes().next().is_some_and(|b| b != b'0'));
    if !canonical || text.len() > NUMBER_LIMIT {
        refuse!("a number that is not «0» or «-?[1-9][0-9]*» of at most {NUMBER_LIMIT} characters");
    }
    text.parse()
        .map_err(|_| Fault("a number that can't be read".to_owned()))
}

/// Reads an integer, or `a/b` in lowest terms with b ≥ 2.
pub fn rational(text: &str) -> Result<Ratio, Fault> {
    let Some((num, den)) = text.split_once('/') else {
        return Ok(Ratio {
            num: integer(text)?,
            den: BigInt::one(),
        });
    };
    let ratio = Ratio {
        num: integer(num)?,
        den: integer(den)?,
    };
    if text.len() > NUMBER_LIMIT
        || ratio.den <= BigInt::one()
        || !ratio.num.gcd(&ratio.den).is_one()
    {
        refuse!("a rational that is not in lowest terms over 2 or more, in at most {NUMBER_LIMIT} characters");
    }
    Ok(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for text in ["0", "7", "-7", "1/2", "-13/199"] {
            assert!(rational(text).is_ok(), "{text}");
        }
        for text in [
            "", "-", "-0", "+1", "01", "1/1", "2/4", "0/5", "1/-2", "1/0", "1/02", "1/2/3", " 1",
            "1.5", "١", "/2", "1/",
        ] {
            assert!(rational(text).is_err(), "{text}");
        }
        assert!(integer(&"9".repeat(NUMBER_LIMIT)).is_ok());
        assert!(integer(&"9".repeat(NUMBER_LIMIT + 1)).is_err());
    }
}
