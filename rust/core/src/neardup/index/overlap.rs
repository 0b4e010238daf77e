//! How many shingles must two sets share, and do they?
//!
//! IEEE division is correctly rounded, so a similarity never falls when more is shared: the fewest shared shingles that match are found
//! by asking the rule itself, and no bound here can lose a pair to rounding.

use super::super::measure::{Measure, Rule};

/// The fewest shared shingles with which sets of `a` and `b` match; more than the smaller has if they can't.
pub fn required(rule: &Rule, a: u32, b: u32) -> u32 {
    let (small, t) = (a.min(b), rule.threshold);
    let near = match rule.measure {
        Measure::Jaccard => t * (f64::from(a) + f64::from(b)) / (1.0 + t),
        Measure::Containment => t * f64::from(small),
    };
    // `near` is off by rounding alone; the rule decides.
    let enough = |shared: u32| rule.similarity(shared, a, b) >= t;
    let mut shared = (near as u32).min(small);
    while shared > 0 && enough(shared - 1) {
        shared -= 1;
    }
    while shared <= small && !enough(shared) {
        shared += 1;
    }
    shared.max(rule.min_shared)
}

/// How many numbers two ascending lists share, or None as soon as it is clear that they are fewer than `need`.
pub fn shared_at_least(a: &[u64], b: &[u64], need: u32) -> Option<u32> {
    let (small, large) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    // A long list is searched, not walked through.
    let far = large.len() / 16 > small.len();
    let (mut rest, mut found) = (large, 0u32);
    for (i, s) in small.iter().enumerate() {
        if (found as usize) + (small.len() - i).min(rest.len()) < need as usize {
            return None;
        }
        let skip = if far {
            rest.partition_point(|r| r < s)
        } else {
            rest.iter().take_while(|r| *r < s).count()
        };
        rest = &rest[skip..];
        if rest.first() == Some(s) {
            found += 1;
            rest = &rest[1..];
        }
    }
    (found >= need).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_fewest_shared_shingles_are_those_of_the_rule() {
        let thresholds = [
            0.3,
            1.0 / 3.0,
            0.5,
            0.6,
            2.0 / 3.0,
            0.7,
            0.8,
            0.9,
            0.95,
            1.0,
        ];
        for measure in [Measure::Jaccard, Measure::Containment] {
            for threshold in thresholds {
                let rule = Rule {
                    measure,
                    threshold,
                    min_shared: 2,
                };
                for a in 1..60 {
                    for b in 1..60 {
                        let first = (0..=a.min(b)).find(|s| rule.matches(*s, a, b));
                        let required = required(&rule, a, b);
                        assert_eq!(first, (required <= a.min(b)).then_some(required));
                    }
                }
            }
        }
    }

    fn set(most: u64) -> impl Strategy<Value = Vec<u64>> {
        proptest::collection::btree_set(0..most, 1..30).prop_map(|s| s.into_iter().collect())
    }

    proptest! {
        #[test]
        fn counting_stops_only_where_too_few_are_shared(
            a in set(40), b in prop_oneof![set(40), (0u64..20).prop_map(|s| (s..900).collect())], need in 0u32..20
        ) {
            let both = a.iter().filter(|s| b.contains(s)).count() as u32;
            prop_assert_eq!(shared_at_least(&a, &b, need), (both >= need).then_some(both));
        }
    }
}
