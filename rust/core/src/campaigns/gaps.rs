//! Does a group write at too even a pace?
//!
//! Greenwood's statistic (1946) of the gaps g₁ … g_{m−1} between m moments in order: G = Σ g² / (Σ g)². It is 1 / (m − 1) for a clockwork, about twice that for
//! people who write independently of each other, and near 1 where all wrote at once but for one. Only gaps between members count, so that a drip may begin late and end
//! early. Equal moments make gaps of nothing, which tell against evenness and break nothing; where all moments are equal G is 1.

//!
//! A group that is close in time at all has gaps of about one size beside those of null groups that are spread over several rushes. So its pace counts as even only if
//! it is also more even than that of people who write independently within its own span: gaps of a Poisson process ([`independent`]).

use crate::random::Random;

/// G of these gaps; 1 where they are all nothing.
pub(super) fn greenwood(gaps: impl Iterator<Item = f64>) -> f64 {
    let (squares, span) = gaps.fold((0.0, 0.0), |(squares, span), gap| {
        (squares + gap * gap, span + gap)
    });
    if span > 0.0 {
        squares / (span * span)
    } else {
        1.0
    }
}

/// The gaps between moments in ascending order.
pub(super) fn between(moments: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = f64> {
    moments
        .clone()
        .zip(moments.skip(1))
        .map(|(before, after)| after - before)
}

/// G of so many gaps of people who write independently of each other.
pub(super) fn independent(random: &mut Random, gaps: usize) -> f64 {
    greenwood((0..gaps).map(|_| {
        // Uniform above 0 and at most 1, to 53 bits.
        let share = ((random.bits() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        -share.ln()
    }))
}

#[cfg(test)]
mod tests {
    use super::{between, greenwood, independent};
    use crate::random::Random;

    fn of(moments: &[f64]) -> f64 {
        greenwood(between(moments.iter().copied()))
    }

    #[test]
    fn a_clockwork_has_the_least_and_one_who_is_late_nearly_the_most() {
        assert!((of(&[3.0, 5.0, 7.0, 9.0, 11.0]) - 0.25).abs() < 1e-15);
        assert!(of(&[0.0, 0.0, 0.0, 0.0, 9.0]) > 0.999);
        assert!((of(&[0.0, 1.0, 4.0]) - 10.0 / 16.0).abs() < 1e-15);
    }

    #[test]
    fn independent_gaps_have_the_mean_that_moran_gives() {
        // E G = 2 / (k + 1) for k gaps (Moran 1947).
        let mut random = Random::new(1);
        let sum: f64 = (0..4000).map(|_| independent(&mut random, 9)).sum();
        assert!((sum / 4000.0 - 0.2).abs() < 0.004);
    }

    #[test]
    fn equal_moments_are_not_even() {
        assert!((of(&[7.0; 6]) - 1.0).abs() < 1e-15);
        assert!((of(&[7.0]) - 1.0).abs() < 1e-15);
        assert!((of(&[]) - 1.0).abs() < 1e-15);
    }
}
