//! What may everybody know of the chances, without singling anybody out?
//!
//! The number of people, how far from the best the lottery may be, and a histogram of chances none of whose cells has fewer than ten people.
//! Integers alone; linear in the size of the lottery.

use num_integer::Integer;
use num_traits::ToPrimitive;

use crate::bundle::{fields, int, list, text, Declaration, Panel, Pool};
use crate::canonical::{Value, INT_LIMIT};
use crate::fairness::Certified;
use crate::record::round::must_sit;
use crate::{refuse, Fault};

/// A cell of the histogram has at least this many people.
const LEAST_PEOPLE: i64 = 10;
/// The gap is counted in one over this, rounded up.
const GAP_UNIT: i64 = 1_000_000;

/// Refuses what has not the form of a summary, or a gap above what is tolerated.
pub fn form(value: &Value, tolerance: i64) -> Result<(), Fault> {
    let [gap, histogram, level, people] = fields(value, ["gap", "histogram", "level", "people"])?;
    if int(gap, 0, INT_LIMIT)? > tolerance {
        refuse!("the gap is above the declared tolerance, {tolerance} millionths");
    }
    if !["L0", "L1"].contains(&text(level)?) {
        refuse!("a summary's level is neither L0 nor L1");
    }
    int(people, 0, INT_LIMIT)?;
    let mut end = 0;
    let cells = list(histogram)?;
    for cell in cells {
        let [from, to, people] = list(cell)? else {
            refuse!("a cell of a histogram is not an array of three");
        };
        int(from, end, end)?;
        end = int(to, end + 1, 100)?;
        int(people, LEAST_PEOPLE, INT_LIMIT)?;
    }
    if !cells.is_empty() && end != 100 {
        refuse!("a histogram ends at {end} percent");
    }
    Ok(())
}

/// How many people a summary, whose form is right, says there are.
pub fn people(value: &Value) -> Result<i64, Fault> {
    let [_, _, _, people] = fields(value, ["gap", "histogram", "level", "people"])?;
    int(people, 0, INT_LIMIT)
}

/// The summary of a round. The panels must meet the quotas, which bounds the sums. A gap that no tolerance covers is refused.
pub fn summary(
    instance: &Declaration,
    pool: &Pool,
    panels: &[Panel],
    certified: &Certified,
) -> Result<Value, Fault> {
    let gap = certified.gap();
    let gap = (&gap.num * GAP_UNIT).div_ceil(&gap.den);
    let Some(gap) = gap.to_i64().filter(|gap| *gap < INT_LIMIT) else {
        refuse!("the gap is too large for a summary");
    };
    let cells = histogram(instance, pool, panels).into_iter();
    let cells = cells.map(|cell| Value::List(cell.map(Value::Int).to_vec()));
    Ok(Value::map([
        ("gap", Value::Int(gap)),
        ("histogram", Value::List(cells.collect())),
        ("level", Value::text(certified.level())),
        ("people", Value::Int(pool.counts.iter().sum())),
    ]))
}

/// From, to (in percent) and people of each cell. Whoever must sit is left out: their chances are 1.
fn histogram(instance: &Declaration, pool: &Pool, panels: &[Panel]) -> Vec<[i64; 3]> {
    let mut won = vec![0_i128; pool.counts.len()];
    for (count, panel) in panels {
        for (t, seats) in panel {
            won[*t] += i128::from(*count) * i128::from(*seats);
        }
    }
    let must = must_sit(instance);
    let seated = |t: usize| must.is_some_and(|(feature, yes, _)| pool.types[t][feature] == yes);
    let mut slots = [0_i64; 100];
    for (t, (won, n)) in won.iter().zip(&pool.counts).enumerate() {
        if seated(t) {
            continue;
        }
        let percent = 100 * won / (i128::from(instance.denominator) * i128::from(*n));
        slots[usize::try_from(percent).unwrap_or(99).min(99)] += n;
    }
    closed(&slots)
}

/// A cell is closed at each slot with which it holds enough people; whoever is left joins the last one.
fn closed(slots: &[i64; 100]) -> Vec<[i64; 3]> {
    let mut cells: Vec<[i64; 3]> = Vec::new();
    let (mut from, mut held) = (0, 0);
    for (to, people) in (1..).zip(slots) {
        held += people;
        if held >= LEAST_PEOPLE {
            cells.push([from, to, held]);
            (from, held) = (to, 0);
        }
    }
    if let Some(last) = cells.last_mut() {
        last[1] = 100;
        last[2] += held;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(people: &[(usize, i64)]) -> [i64; 100] {
        let mut slots = [0; 100];
        people.iter().for_each(|(slot, n)| slots[*slot] = *n);
        slots
    }

    #[test]
    fn cells_close_at_ten_people_and_the_last_takes_who_is_left() {
        assert_eq!(
            closed(&slots(&[(3, 4), (7, 6), (8, 25), (50, 9)])),
            [[0, 8, 10], [8, 100, 34]]
        );
        assert_eq!(closed(&slots(&[(99, 10)])), [[0, 100, 10]]);
        assert_eq!(closed(&slots(&[(0, 10)])), [[0, 100, 10]]);
    }

    #[test]
    fn a_summary_has_cells_that_meet_and_a_gap_within_the_tolerance() {
        let summary = |gap: i64, cells: &[[i64; 3]]| {
            let cells = cells
                .iter()
                .map(|cell| Value::List(cell.map(Value::Int).to_vec()));
            Value::map([
                ("gap", Value::Int(gap)),
                ("histogram", Value::List(cells.collect())),
                ("level", Value::text("L0")),
                ("people", Value::Int(30)),
            ])
        };
        for cells in [&[][..], &[[0, 100, 10]], &[[0, 7, 10], [7, 100, 11]]] {
            assert_eq!(form(&summary(5, cells), 5), Ok(()));
            assert!(form(&summary(6, cells), 5).is_err());
            assert!(form(&summary(-1, cells), 5).is_err());
        }
        for cells in [
            &[[0, 99, 10]][..],
            &[[1, 100, 10]],
            &[[0, 100, 9]],
            &[[0, 7, 10], [8, 100, 10]],
            &[[0, 7, 10], [6, 100, 10]],
            &[[0, 0, 10], [0, 100, 10]],
            &[[0, 100, 10], [100, 100, 10]],
            &[[0, 101, 10]],
        ] {
            assert!(form(&summary(5, cells), 5).is_err(), "{cells:?}");
        }
    }

    #[test]
    fn fewer_than_ten_people_have_no_histogram() {
        assert!(closed(&slots(&[(3, 4), (99, 5)])).is_empty());
        assert!(closed(&slots(&[])).is_empty());
    }
}
