//! Too many micro-clusters for the time there is: which are put together first?
//!
//! Those of the largest groups, where the most alike contributions of hundreds lose nothing that is heard of them: leaders (Hartigan 1975), at a similarity of 0.9, and lower, step by
//! step, as long as there are too many. Groups of fewer than five (weak signals and lone voices) and links of a facilitator are never touched. Where these alone are too many, those that were
//! compared with others longest ago are compared now, and the rest wait as they are.

use super::scan::Scan;
use super::spread::ONE;
use super::state::Micro;

/// Groups of fewer are the few.
pub const THEME: u32 = 5;
/// Similarities at which micro-clusters of one group are put together, one after the other.
const STEPS: [f64; 6] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];

/// Puts micro-clusters of one group together until at most `most` are left, if that can be; returns for each where it went. `leaders` are their centred rows.
#[must_use]
pub fn condense(
    micros: &[Micro],
    leaders: &[i16],
    width: usize,
    cut: i32,
    most: usize,
) -> Vec<u32> {
    let mut heads: Vec<u32> = (0..micros.len() as u32).collect();
    let mut left = micros.len();
    let groups = by_group(micros);
    for step in STEPS {
        let near = (step * ONE) as i32;
        if left <= most || near < cut {
            break;
        }
        for group in &groups {
            left -= lead(micros, leaders, width, near, group, &mut heads);
            if left <= most {
                break;
            }
        }
    }
    heads
}

/// The micro-clusters of each theme that may be put together, the largest theme first, then by number; in each the largest first.
fn by_group(micros: &[Micro]) -> Vec<Vec<u32>> {
    let groups = micros
        .iter()
        .map(|m| m.group as usize + 1)
        .max()
        .unwrap_or(0);
    let (mut lists, mut counts) = (vec![Vec::new(); groups], vec![0u32; groups]);
    for (at, micro) in (0u32..).zip(micros) {
        let group = micro.group as usize;
        counts[group] += micro.count;
        if !micro.pinned {
            lists[group].push(at);
        }
    }
    let mut order: Vec<usize> = (0..groups).filter(|g| counts[*g] >= THEME).collect();
    order.sort_by_key(|group| (std::cmp::Reverse(counts[*group]), *group));
    let count = |at: &u32| micros.get(*at as usize).map_or(0, |m| m.count);
    let sorted = order.into_iter().map(|group| {
        let mut list = std::mem::take(&mut lists[group]);
        list.sort_by_key(|at| (std::cmp::Reverse(count(at)), *at));
        list
    });
    sorted.collect()
}

/// Each that has no leader yet joins the nearest that is near enough, or leads; how many joined.
fn lead(
    micros: &[Micro],
    leaders: &[i16],
    width: usize,
    near: i32,
    group: &[u32],
    heads: &mut [u32],
) -> usize {
    let row = |at: u32| {
        let start = at as usize * width;
        leaders.get(start..start + width).unwrap_or_default()
    };
    let (scan, mut similar) = (Scan::new(), Vec::new());
    let (mut led, mut rows): (Vec<u32>, Vec<i16>) = (Vec::new(), Vec::new());
    let mut joined = 0;
    for at in group
        .iter()
        .filter(|at| micros.get(**at as usize).is_some_and(|m| m.count > 0))
    {
        if heads.get(*at as usize) != Some(at) {
            continue;
        }
        scan.all(row(*at), &rows, &mut similar);
        let best = similar.iter().zip(&led).filter(|(s, _)| **s >= near);
        let best = best.max_by_key(|(s, leader)| (**s, std::cmp::Reverse(**leader)));
        match best {
            Some((_, leader)) => {
                heads[*at as usize] = *leader;
                joined += 1;
            }
            None => {
                led.push(*at);
                rows.extend_from_slice(row(*at));
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micro(count: u32, group: u32, pinned: bool) -> Micro {
        Micro {
            leader: 0,
            count,
            pinned,
            group,
        }
    }

    fn row(angle: f64) -> [i16; 2] {
        [
            (angle.cos() * 32767.0) as i16,
            (angle.sin() * 32767.0) as i16,
        ]
    }

    #[test]
    fn the_largest_theme_is_condensed_first_and_the_few_never() {
        let micros = [
            micro(1, 0, false),
            micro(1, 0, false),
            micro(4, 1, false),
            micro(9, 1, false),
            micro(3, 2, false),
            micro(3, 2, false),
            micro(5, 1, true),
        ];
        let leaders = row(0.0).repeat(7);
        assert_eq!(condense(&micros, &leaders, 2, 0, 7), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(condense(&micros, &leaders, 2, 0, 6), [0, 1, 3, 3, 4, 5, 6]);
        assert_eq!(condense(&micros, &leaders, 2, 0, 1), [0, 1, 3, 3, 4, 4, 6]);
    }

    #[test]
    fn only_what_is_alike_is_put_together_and_never_below_the_cut() {
        let micros = [micro(5, 0, false); 3];
        let leaders = [row(0.0), row(0.5), row(1.6)].concat();
        assert_eq!(condense(&micros, &leaders, 2, 0, 1), [0, 0, 2]);
        assert_eq!(
            condense(&micros, &leaders, 2, (0.95 * ONE) as i32, 1),
            [0, 1, 2]
        );
    }
}
