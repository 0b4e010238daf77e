//! How does a group write where nobody acts together? Groups drawn from everybody who answered the same questions.
//!
//! A group has m voices, of which m_s in pool s; a pool is a set of contributions, those of a question for instance, the group's own among them. A null group
//! has m_s contributions of each pool, drawn one after the other, and a voice once: whoever was drawn is passed over from then on. If the group was found without a
//! look at the clock, and times don't depend on what it was found by given the pool, then it is itself such a draw, and its statistics lie among those of the
//! others as one of them would.
//!
//! Operational time runs as fast as everybody writes: W(t) = Σ_s m_s / N_s · |{contributions of pool s before t}| is the number of members that are expected
//! before t. Rushes are stretched and nights vanish. It is kept in units of 2⁻³², so that sums are exact.

use std::collections::HashSet;

use crate::random::{split_mix, Random};

/// What the random numbers of a block of draws of a group begin with.
pub(super) fn stream(seed: u64, key: u64, block: u64) -> u64 {
    split_mix(seed ^ split_mix(key ^ split_mix(block)))
}

/// One expected member, in operational time.
pub(super) const ONE: u64 = 1 << 32;

/// Contributions as the draws see them.
#[derive(Clone, Copy)]
pub struct Board<'a> {
    /// For each row, the number of its moment among all moments in order: equal times have equal numbers.
    pub moment: &'a [u32],
    /// For each row, who wrote it.
    pub voice: &'a [u32],
    /// Seconds of each moment, ascending.
    pub seconds: &'a [f64],
}

impl Board<'_> {
    fn moment(&self, row: u32) -> u32 {
        self.moment.get(row as usize).copied().unwrap_or(0)
    }

    fn voice(&self, row: u32) -> usize {
        self.voice.get(row as usize).copied().unwrap_or(0) as usize
    }
}

/// Members of a group in one pool.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The pool's rows, each once; the members are among them.
    pub pool: &'a [u32],
    /// The members' rows.
    pub members: &'a [u32],
}

/// The members' moments, ascending.
pub(super) fn moments(board: &Board<'_>, parts: &[Part<'_>]) -> Vec<u32> {
    let members = parts.iter().flat_map(|part| part.members);
    let mut moments: Vec<u32> = members.map(|row| board.moment(*row)).collect();
    moments.sort_unstable();
    moments
}

/// W before each moment, and after the last.
pub(super) fn operational(board: &Board<'_>, parts: &[Part<'_>]) -> Vec<u64> {
    let mut expected = vec![0u64; board.seconds.len() + 1];
    for part in parts {
        let each = ONE * part.members.len() as u64 / part.pool.len().max(1) as u64;
        for row in part.pool {
            if let Some(place) = expected.get_mut(board.moment(*row) as usize + 1) {
                *place += each;
            }
        }
    }
    let mut sum = 0u64;
    for place in &mut expected {
        sum += *place;
        *place = sum;
    }
    expected
}

/// The share of its pools that a group is, over its members: Σ_s m_s² / N_s divided by m.
pub(super) fn fraction(parts: &[Part<'_>]) -> f64 {
    let shares = parts.iter().map(|part| {
        let members = part.members.len() as f64;
        members * members / part.pool.len().max(1) as f64
    });
    let members: usize = parts.iter().map(|part| part.members.len()).sum();
    shares.sum::<f64>() / members.max(1) as f64
}

/// Whether no voice is in the pools twice, so that nobody is ever passed over.
pub(super) fn once(board: &Board<'_>, parts: &[Part<'_>]) -> bool {
    let rows = parts.iter().flat_map(|part| part.pool);
    let mut voices: Vec<usize> = rows.map(|row| board.voice(*row)).collect();
    voices.sort_unstable();
    voices.windows(2).all(|pair| pair.first() != pair.last())
}

/// By how much a voice's chance of being drawn is raised by those that are passed over, at most: N / (N − R), where R rows of a pool can be passed over. In a pool
/// without a voice twice, draws without replacement raise nothing, and these are the rows of voices in the pools before, at most as many as were drawn there; else
/// those of the m − 1 voices that have most. Infinite where nothing may be left.
pub(super) fn raised(board: &Board<'_>, parts: &[Part<'_>]) -> f64 {
    let m: usize = parts.iter().map(|part| part.members.len()).sum();
    let (mut before, mut drawn, mut most) = (HashSet::new(), 0, 1.0f64);
    for part in parts {
        let mut voices: Vec<usize> = part.pool.iter().map(|row| board.voice(*row)).collect();
        let shared = voices
            .iter()
            .filter(|voice| before.contains(*voice))
            .count();
        before.extend(voices.iter().copied());
        voices.sort_unstable();
        let mut rows: Vec<usize> = voices.chunk_by(|a, b| a == b).map(<[usize]>::len).collect();
        rows.sort_unstable_by(|a, b| b.cmp(a));
        let passed = if rows.first().is_some_and(|rows| *rows > 1) {
            rows.iter().take(m.saturating_sub(1)).sum()
        } else {
            shared.min(drawn)
        };
        drawn += part.members.len();
        let left = part.pool.len() - passed;
        most = most.max(if left < part.members.len().max(1) {
            f64::INFINITY
        } else {
            part.pool.len() as f64 / left as f64
        });
    }
    most
}

/// What draws null groups of one group.
pub(super) struct Drawer<'a> {
    board: Board<'a>,
    parts: &'a [Part<'a>],
    /// Each part's pool, in the order that the draws of this block left.
    order: Vec<Vec<u32>>,
    /// For each voice, the number of the last draw that took it.
    taken: Vec<u64>,
    draw: u64,
}

impl<'a> Drawer<'a> {
    pub(super) fn new(board: Board<'a>, parts: &'a [Part<'a>]) -> Self {
        let voices = board
            .voice
            .iter()
            .max()
            .map_or(0, |most| *most as usize + 1);
        Self {
            board,
            parts,
            order: parts.iter().map(|part| part.pool.to_vec()).collect(),
            taken: vec![0; voices],
            draw: 0,
        }
    }

    /// Begins a block: the draws that follow depend on the seed, the group's key and the block, and on nothing before.
    pub(super) fn block(&mut self, seed: u64, key: u64, block: u64) -> Random {
        for (order, part) in self.order.iter_mut().zip(self.parts) {
            order.copy_from_slice(part.pool);
        }
        Random::new(stream(seed, key, block))
    }

    /// Draws a null group: its moments, ascending, into `moments`.
    pub(super) fn draw(&mut self, random: &mut Random, moments: &mut Vec<u32>) {
        moments.clear();
        self.draw += 1;
        for (order, part) in self.order.iter_mut().zip(self.parts) {
            let wanted = moments.len() + part.members.len();
            // Fisher and Yates, as far as it is needed: rows before `at` are drawn or passed over.
            let mut at = 0;
            while moments.len() < wanted && at < order.len() {
                let left = order.len() - at;
                order.swap(at, at + random.below(left));
                let row = order.get(at).copied().unwrap_or(0);
                at += 1;
                if let Some(taken) = self.taken.get_mut(self.board.voice(row)) {
                    if *taken != self.draw {
                        *taken = self.draw;
                        moments.push(self.board.moment(row));
                    }
                }
            }
            // Voices who answer several questions can use a small pool up. Then some count twice: the least evil, since every draw has m moments.
            let missing = wanted.saturating_sub(moments.len());
            let again = order.iter().take(missing);
            moments.extend(again.map(|row| self.board.moment(*row)));
        }
        moments.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: [u32; 6] = [0, 1, 1, 2, 3, 3];
    const VOICE: [u32; 6] = [0, 1, 1, 2, 3, 0];
    const SECONDS: [f64; 4] = [10.0, 20.0, 30.0, 40.0];

    fn board() -> Board<'static> {
        Board {
            moment: &MOMENT,
            voice: &VOICE,
            seconds: &SECONDS,
        }
    }

    #[test]
    fn operational_time_is_the_number_of_members_expected_so_far() {
        let parts = [
            Part {
                pool: &[0, 1, 2, 3],
                members: &[1, 3],
            },
            Part {
                pool: &[4, 5],
                members: &[4],
            },
        ];
        let half = ONE / 2;
        let right = [0, half, half * 3, half * 4, half * 6];
        assert_eq!(operational(&board(), &parts), right);
        assert!((fraction(&parts) - 0.5).abs() < 1e-15);
        assert_eq!(moments(&board(), &parts), [1, 2, 3]);
    }

    #[test]
    fn a_draw_has_as_many_of_each_pool_and_a_voice_once() {
        let parts = [
            Part {
                pool: &[0, 1, 2, 3],
                members: &[1, 3],
            },
            Part {
                pool: &[4, 5],
                members: &[4],
            },
        ];
        let mut drawer = Drawer::new(board(), &parts);
        let (mut drawn, mut seen) = (Vec::new(), [0; 4]);
        for block in 0..200 {
            let mut random = drawer.block(1, 2, block);
            drawer.draw(&mut random, &mut drawn);
            assert_eq!(drawn.len(), 3);
            // Both rows of voice 1 are at moment 1 and never drawn together.
            assert!(drawn.iter().filter(|at| **at == 1).count() <= 1);
            drawn.iter().for_each(|at| seen[*at as usize] += 1);
        }
        assert_eq!(seen[3], 200);
        assert!(seen[..3].iter().all(|n| *n > 80), "{seen:?}");
    }

    #[test]
    fn a_pool_that_others_used_up_still_gives_as_many() {
        // Voices 0 and 3 alone, and both may be taken by the first part.
        let parts = [
            Part {
                pool: &[0, 4],
                members: &[0],
            },
            Part {
                pool: &[5],
                members: &[5],
            },
        ];
        let mut drawer = Drawer::new(board(), &parts);
        let (mut drawn, mut random) = (Vec::new(), drawer.block(1, 1, 0));
        for _ in 0..50 {
            drawer.draw(&mut random, &mut drawn);
            assert_eq!(drawn.len(), 2);
        }
    }

    #[test]
    fn those_passed_over_raise_the_chances_of_the_others() {
        let parts = [Part {
            pool: &[0, 1, 2, 3],
            members: &[1, 3],
        }];
        // Voice 1 has two of four rows: once it is drawn, any other row is twice as likely.
        assert!((raised(&board(), &parts) - 2.0).abs() < 1e-15);
        let parts = [Part {
            pool: &[1, 2],
            members: &[1, 2],
        }];
        assert!(raised(&board(), &parts).is_infinite());
        assert!(!once(&board(), &parts));
        // Voice 0 is in both pools: of the second's two rows one may be passed over.
        let parts = [
            Part {
                pool: &[0, 1, 3],
                members: &[1],
            },
            Part {
                pool: &[4, 5],
                members: &[4],
            },
        ];
        assert!((raised(&board(), &parts) - 2.0).abs() < 1e-15);
        let parts = [Part {
            pool: &[0, 1, 3, 4],
            members: &[1, 3],
        }];
        assert!(once(&board(), &parts));
    }
}
