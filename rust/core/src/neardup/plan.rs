//! How many bands find what share of the pairs?
//!
//! A band is a group of r minima of MinHash; two texts of Jaccard similarity s agree in one minimum with probability s, in a band with s^r, and
//! in at least one of b independent bands with
//!
//! > P(s) = 1 − (1 − s^r)^b
//!
//! (Broder 1997; Indyk and Motwani 1998; Leskovec, Rajaraman and Ullman, «Mining of Massive Datasets», § 3.4). Tools usually choose b and r by the
//! areas of false candidates and of missed pairs, or by putting the steepest point of P, about (1/b)^(1/r), at the threshold; there half
//! of the pairs are missed. Here the *recall at the threshold* is given, b and r follow, and P is part of the result.
//!
//! Of the plans with P(threshold) ≥ recall and at most [`MOST_BANDS`] bands, one that lets few false candidates in (P(threshold / 2) ≤
//! [`FALSE_AT_HALF`]) with the fewest bands is taken, since each band is an entry of each text; where none lets so few in, the one that lets the
//! fewest in. Pairs above the threshold are found more often than those at it, so the recall over all pairs is higher.
//!
//! Arithmetic: products of doubles in a fixed order (no `pow`, which differs between platforms), and P must exceed the recall by 10^-12, far more
//! than the rounding of at most 2,000 products, so that the promise holds for the exact P. O(MOST_ROWS · MOST_BANDS).

/// The most bands of a plan.
pub const MOST_BANDS: usize = 64;

/// The most minima of a band.
pub const MOST_ROWS: usize = 16;

/// The largest chance that a pair half as similar as the threshold becomes a candidate, where that can be had.
pub const FALSE_AT_HALF: f64 = 0.1;

const ROUNDING: f64 = 1e-12;

/// Bands and rows, and what they find.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// b, the number of bands: entries of a text.
    pub bands: usize,
    /// r, the minima of a band.
    pub rows: usize,
    /// The Jaccard similarity asked for.
    pub threshold: f64,
    /// P(threshold): the expected share of the pairs at exactly the threshold that are found.
    pub recall: f64,
}

impl Plan {
    /// P(s): the chance that a pair of Jaccard similarity `s`, in [0, 1], shares a band.
    pub fn chance(&self, s: f64) -> f64 {
        chance(s, self.rows, self.bands)
    }

    /// (s, P(s)) for s = 0, 1/20, …, 1.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let points = (0..=20_u32).map(|i| f64::from(i) / 20.0);
        points.map(|s| (s, self.chance(s))).collect()
    }

    /// Minima of a text: bands × rows.
    pub fn slots(&self) -> usize {
        self.bands * self.rows
    }
}

/// The plan for a threshold in (0, 1] and a recall in (0, 1); None where those are out of range or no plan is large enough.
pub fn plan(threshold: f64, recall: f64) -> Option<Plan> {
    if !(threshold > 0.0 && threshold <= 1.0 && recall > 0.0 && recall < 1.0) {
        return None;
    }
    let mut best: Option<(Merit, Plan)> = None;
    for rows in 1..=MOST_ROWS {
        let Some(bands) = (1..=MOST_BANDS)
            .find(|&bands| chance(threshold, rows, bands) >= (recall + ROUNDING).min(1.0))
        else {
            break; // more rows need more bands
        };
        let found = Plan {
            bands,
            rows,
            threshold,
            recall: chance(threshold, rows, bands),
        };
        let merit = merit(&found);
        if best.as_ref().is_none_or(|(had, _)| merit < *had) {
            best = Some((merit, found));
        }
    }
    best.map(|(_, found)| found)
}

type Merit = (bool, usize, f64);

/// The less, the better: few false candidates; then few bands; then the fewest false candidates.
fn merit(plan: &Plan) -> Merit {
    let false_ones = plan.chance(plan.threshold / 2.0);
    let many = false_ones > FALSE_AT_HALF;
    (many, if many { 0 } else { plan.bands }, false_ones)
}

fn chance(s: f64, rows: usize, bands: usize) -> f64 {
    let agree = (0..rows).fold(1.0, |product, _| product * s);
    let miss = (0..bands).fold(1.0, |product, _| product * (1.0 - agree));
    1.0 - miss
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use num_bigint::BigUint;

    #[test]
    fn the_threshold_of_the_default_takes_16_bands_of_6() {
        let found = plan(0.8, 0.99).unwrap();
        assert_eq!((found.bands, found.rows), (16, 6));
        assert!((found.recall - 0.992_3).abs() < 1e-3, "{}", found.recall);
        assert!(found.chance(0.4) < 0.1);
    }

    #[test]
    fn the_usual_bands_miss_what_their_users_are_not_told() {
        assert!((chance(0.8, 13, 9) - 0.398).abs() < 1e-3); // the «optimal» 9 × 13 at 128 minima
        assert!((chance(0.8, 6, 20) - 0.998).abs() < 1e-3);
    }

    #[test]
    fn the_curve_of_the_book() {
        // Leskovec, Rajaraman and Ullman, figure 3.8: b = 20, r = 5
        let book = [
            (0.2, 0.006),
            (0.3, 0.047),
            (0.4, 0.186),
            (0.5, 0.470),
            (0.6, 0.802),
            (0.7, 0.975),
            (0.8, 0.9996),
        ];
        for (s, p) in book {
            assert!((chance(s, 5, 20) - p).abs() < 6e-4, "{s}");
        }
    }

    /// P(threshold) ≥ recall in whole numbers: (D^r − n^r)^b · recall's denominator ≤ (1 − recall)'s numerator · D^(rb).
    fn kept(n: u32, d: u32, thousandths: u32, found: &Plan) -> bool {
        let (rows, bands) = (found.rows as u32, found.bands as u32);
        let whole = BigUint::from(d).pow(rows);
        let miss = (&whole - BigUint::from(n).pow(rows)).pow(bands);
        miss * 1000_u32 <= BigUint::from(1000 - thousandths) * whole.pow(bands)
    }

    #[test]
    fn every_plan_keeps_its_promise_in_exact_arithmetic() {
        for hundredths in 30..=100_u32 {
            for thousandths in [500, 800, 900, 950, 980, 990, 995, 999] {
                let found = plan(
                    f64::from(hundredths) / 100.0,
                    f64::from(thousandths) / 1000.0,
                );
                let found =
                    found.unwrap_or_else(|| panic!("no plan at {hundredths} {thousandths}"));
                assert!(kept(hundredths, 100, thousandths, &found), "{found:?}");
                assert!(found.bands <= MOST_BANDS && found.rows <= MOST_ROWS);
            }
        }
    }

    #[test]
    fn one_band_fewer_breaks_the_promise() {
        for hundredths in 30..100_u32 {
            let found = plan(f64::from(hundredths) / 100.0, 0.99).unwrap();
            let fewer = Plan {
                bands: found.bands - 1,
                ..found
            };
            assert!(!kept(hundredths, 100, 990, &fewer), "{found:?}");
        }
    }

    #[test]
    fn what_is_out_of_range_has_no_plan() {
        for (t, recall) in [
            (0.0, 0.9),
            (-1.0, 0.9),
            (1.1, 0.9),
            (f64::NAN, 0.9),
            (0.8, 0.0),
            (0.8, 1.0),
            (0.8, f64::NAN),
            (0.01, 0.999),
        ] {
            assert_eq!(plan(t, recall), None, "{t} {recall}");
        }
    }

    #[test]
    fn the_curve_rises_from_nothing_to_all() {
        let curve = plan(0.8, 0.99).unwrap().curve();
        assert_eq!(curve.first(), Some(&(0.0, 0.0)));
        assert_eq!(curve.last(), Some(&(1.0, 1.0)));
        assert!(curve.windows(2).all(|two| two[0].1 <= two[1].1));
    }
}
