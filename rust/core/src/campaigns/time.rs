//! Did a group of contributions come at the same moments, or at too even a pace, compared with everybody else who answered the same questions?
//!
//! «klero-campaign-time/1». Three statistics of the moments of m voices, each tested by the same null groups ([`super::null`]):
//!
//! - **scan**: the largest log-likelihood ratio of a window ([`super::scan`]), for people who write in one stretch;
//! - **pace**: how even the gaps are in operational time ([`super::gaps`]), for a drip that keeps the hours of others;
//! - **clock**: how even they are in seconds, for a drip that keeps none.
//!
//! For pace and clock there are two nulls, and the larger p-value counts: the null groups, and people who write independently within the group's own span.
//!
//! Probabilities are those of Besag and Clifford (1991): a test stops once [`ENOUGH`] null groups were as extreme, but not before [`FIRST`] were drawn, and at the
//! latest after as many as are allowed: p = r / B where it stopped between, (r + 1) / (B + 1) at the first stop and the last. Valid at any level, not on average alone.
//! Where the scan's bound, which needs no draw, is below [`SURE`], it is the p-value and the scan stops at [`FIRST`].
//!
//! Guarantees: exact if members are exchangeable with the rest of their pools; ties of any number break nothing. The same bytes for any number of threads and any
//! other groups: each block of draws of each group has a stream of its own. Not guaranteed: anything about why they wrote then.
//! Cost: O(N) a group and a block, O(m log m + m · sizes) a draw. Memory: the pools of the groups at hand.

use super::gaps::{between, greenwood, independent};
use super::null::{fraction, moments, once, operational, raised, stream, Drawer, ONE};
pub use super::null::{Board, Part};
use super::scan::Scan;
pub use super::scan::Window;
use crate::neardup::crew::{Crew, Stop};
use crate::random::Random;

/// The version of what is computed; any change of a result is a new one.
pub const ALGORITHM: &str = "klero-campaign-time/1";

/// No test stops before so many draws: they are shown.
pub const FIRST: usize = 999;

/// So many null groups as extreme as the group are enough.
pub const ENOUGH: usize = 20;

/// A bound below this needs no draws to confirm it.
pub const SURE: f64 = 1e-7;

/// Draws of one stream.
const BLOCK: usize = 1000;

/// A group to test.
pub struct Group<'a> {
    /// Its members by pool, a voice once.
    pub parts: Vec<Part<'a>>,
    /// What its random numbers depend on beside the seed.
    pub key: u64,
}

/// What one test says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The statistic of the group.
    pub observed: f64,
    /// The probability of such a value, or a more extreme one.
    pub p: f64,
    /// How many null groups were drawn until it stopped.
    pub count: usize,
    /// How many of them were at least as extreme.
    pub exceed: usize,
    /// Whether `p` is the bound and not a share of draws.
    pub exact: bool,
    /// The statistic of the first null groups, ascending.
    pub draws: Vec<f64>,
}

/// What all tests say of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Members at the same moments.
    pub scan: Verdict,
    /// Members at an even pace, as everybody else's clock runs.
    pub pace: Verdict,
    /// Members at an even pace on the clock.
    pub clock: Verdict,
    /// Where the scan found most.
    pub window: Window,
    /// The bound of the scan's probability.
    pub bound: f64,
    /// Seconds of the shortest span that holds half of the members.
    pub half: f64,
    /// The same of the first null groups: its median.
    pub half_expected: f64,
}

/// One set of moments on the axis of its group: W before and after each.
#[derive(Default)]
struct Sight {
    moments: Vec<u32>,
    before: Vec<u64>,
    after: Vec<u64>,
}

impl Sight {
    /// Looks W up for the moments that are there.
    fn look(&mut self, expected: &[u64]) {
        let at = |place: usize| expected.get(place).copied().unwrap_or(0);
        self.before.clear();
        self.after.clear();
        self.before
            .extend(self.moments.iter().map(|m| at(*m as usize)));
        self.after
            .extend(self.moments.iter().map(|m| at(*m as usize + 1)));
    }

    /// How uneven the gaps are as the others' clock runs: in operational time from middle to middle of the moments' shares of it, less what a member itself adds.
    fn pace(&self, fraction: f64) -> f64 {
        let own = 2.0 * fraction * ONE as f64;
        // Twice the middles, which makes no difference.
        let middles = self
            .before
            .iter()
            .zip(&self.after)
            .map(|(a, b)| (a + b) as f64);
        greenwood(between(middles).map(|gap| (gap - own).max(0.0)))
    }

    /// How uneven the gaps are in seconds.
    fn clock(&self, board: &Board<'_>) -> f64 {
        greenwood(between(self.seconds(board)))
    }

    fn seconds<'a>(&'a self, board: &'a Board<'_>) -> impl Iterator<Item = f64> + Clone + 'a {
        let second = |at: &u32| board.seconds.get(*at as usize).copied().unwrap_or(0.0);
        self.moments.iter().map(second)
    }

    /// Seconds of the shortest span that holds half of the members.
    fn half(&self, board: &Board<'_>) -> f64 {
        let half = self.moments.len().div_ceil(2).max(1);
        let ends = self.seconds(board).skip(half - 1);
        let spans = self.seconds(board).zip(ends).map(|(a, b)| b - a);
        spans.fold(f64::INFINITY, f64::min)
    }
}

/// One test on its way.
struct Test {
    verdict: Verdict,
    most: usize,
    running: bool,
}

impl Test {
    fn new(observed: f64, most: usize) -> Self {
        let verdict = Verdict {
            observed,
            ..Verdict::default()
        };
        Self {
            verdict,
            most,
            running: most > 0,
        }
    }

    /// Whether the next value will be shown.
    fn shown(&self) -> bool {
        self.running && self.verdict.count < FIRST
    }

    /// Takes a null group into account, and its value if that will be shown.
    fn see(&mut self, extreme: bool, value: Option<f64>) {
        let seen = &mut self.verdict;
        seen.count += 1;
        seen.exceed += usize::from(extreme);
        seen.draws.extend(value.filter(|_| seen.count <= FIRST));
        let enough = seen.count >= FIRST && seen.exceed >= ENOUGH;
        self.running = seen.count < self.most && !enough;
    }

    /// Takes a null group's evenness into account; values that differ by rounding alone are the same.
    fn see_even(&mut self, value: f64) {
        let extreme = value <= self.verdict.observed * (1.0 + 1e-9);
        self.see(extreme, Some(value));
    }

    fn done(mut self) -> Verdict {
        let seen = &mut self.verdict;
        seen.p = if seen.count > FIRST && seen.exceed >= ENOUGH {
            seen.exceed as f64 / seen.count as f64
        } else {
            (seen.exceed + 1) as f64 / (seen.count + 1) as f64
        };
        seen.draws.sort_by(f64::total_cmp);
        self.verdict
    }
}

/// Is a pace more even than that of null groups, and than that of people who write independently?
struct Even {
    nulls: Test,
    free: Test,
}

impl Even {
    fn new(observed: f64, most: usize) -> Self {
        Self {
            nulls: Test::new(observed, most),
            free: Test::new(observed, most),
        }
    }

    /// Whichever stops first has the larger p-value.
    fn running(&self) -> bool {
        self.nulls.running && self.free.running
    }

    fn see(&mut self, null: f64, free: f64) {
        self.nulls.see_even(null);
        self.free.see_even(free);
    }

    /// What the null says that has the larger p-value.
    fn done(self) -> Verdict {
        let (nulls, free) = (self.nulls.done(), self.free.done());
        if free.p > nulls.p {
            free
        } else {
            nulls
        }
    }
}

/// The three tests of one group on their way.
struct Tests<'a> {
    board: &'a Board<'a>,
    axis: Scan,
    fraction: f64,
    limits: Vec<Option<u64>>,
    scan: Test,
    pace: Even,
    clock: Even,
    halves: Vec<f64>,
}

impl Tests<'_> {
    fn running(&self) -> bool {
        self.scan.running || self.pace.running() || self.clock.running()
    }

    /// Takes a null group into account.
    fn see(&mut self, null: &Sight, free: &mut Random) {
        if self.halves.len() < FIRST {
            self.halves.push(null.half(self.board));
        }
        if self.scan.running {
            let extreme = self.axis.reaches(&self.limits, &null.before, &null.after);
            let shown = self.scan.shown();
            let value = shown.then(|| self.axis.best(&null.moments, &null.before, &null.after).0);
            self.scan.see(extreme, value);
        }
        if self.pace.running() || self.clock.running() {
            let free = independent(free, null.moments.len().saturating_sub(1));
            if self.pace.running() {
                self.pace.see(null.pace(self.fraction), free);
            }
            if self.clock.running() {
                self.clock.see(null.clock(self.board), free);
            }
        }
    }
}

/// The bound of the scan's probability: of the bounds that hold, the one that says most.
fn bound_of(
    board: &Board<'_>,
    parts: &[Part<'_>],
    axis: &Scan,
    limits: &[Option<u64>],
    starts: usize,
) -> f64 {
    let bound = axis.bound(limits, starts, 1.0);
    match parts {
        [one] if once(board, parts) => {
            bound.min(axis.bound_of_one_pool(limits, starts, one.pool.len()))
        }
        _ if bound < SURE && !once(board, parts) => {
            axis.bound(limits, starts, raised(board, parts))
        }
        _ => bound,
    }
}

/// Draws null groups until all tests are done; false if stopped.
fn drawn(
    stop: &Stop,
    group: &Group<'_>,
    seed: u64,
    expected: &[u64],
    tests: &mut Tests<'_>,
) -> bool {
    let mut drawer = Drawer::new(*tests.board, &group.parts);
    let (mut sight, mut block) = (Sight::default(), 0);
    while tests.running() {
        if stop.is_set() {
            return false;
        }
        let mut random = drawer.block(seed, group.key, block);
        let mut free = Random::new(!stream(seed, group.key, block));
        block += 1;
        for _ in 0..BLOCK {
            if tests.running() {
                drawer.draw(&mut random, &mut sight.moments);
                sight.look(expected);
                tests.see(&sight, &mut free);
            }
        }
    }
    true
}

/// Tests one group; None if stopped.
fn examine(
    stop: &Stop,
    board: &Board<'_>,
    group: &Group<'_>,
    most: usize,
    seed: u64,
) -> Option<Report> {
    let expected = operational(board, &group.parts);
    let mut sight = Sight {
        moments: moments(board, &group.parts),
        ..Sight::default()
    };
    sight.look(&expected);
    let fraction = fraction(&group.parts);
    let axis = Scan::new(sight.moments.len(), fraction);
    let (ratio, window) = axis.best(&sight.moments, &sight.before, &sight.after);
    let limits = axis.reaching(ratio);
    let starts = expected
        .windows(2)
        .filter(|pair| pair.first() < pair.last())
        .count();
    let bound = bound_of(board, &group.parts, &axis, &limits, starts);
    let sure = bound < SURE;
    let half = sight.half(board);
    let mut tests = Tests {
        board,
        axis,
        fraction,
        limits,
        scan: Test::new(ratio, if sure { most.min(FIRST) } else { most }),
        pace: Even::new(sight.pace(fraction), most),
        clock: Even::new(sight.clock(board), most),
        halves: Vec::with_capacity(FIRST),
    };
    if !drawn(stop, group, seed, &expected, &mut tests) {
        return None;
    }
    let mut scan = tests.scan.done();
    if sure {
        (scan.p, scan.exact) = (bound, true);
    }
    tests.halves.sort_by(f64::total_cmp);
    Some(Report {
        scan,
        pace: tests.pace.done(),
        clock: tests.clock.done(),
        window,
        bound,
        half,
        half_expected: tests
            .halves
            .get(tests.halves.len() / 2)
            .copied()
            .unwrap_or(half),
    })
}

/// Tests each group with at most `most` null groups; None if stopped.
#[must_use]
pub fn test(
    crew: &Crew<'_>,
    board: &Board<'_>,
    groups: &[Group<'_>],
    most: usize,
    seed: u64,
) -> Option<Vec<Report>> {
    let stop = crew.stop;
    let done = crew.share("timing", groups.len(), Vec::new, |done, at| {
        let group = groups.get(at);
        if let Some(report) = group.and_then(|group| examine(stop, board, group, most, seed)) {
            done.push((at, report));
        }
    })?;
    let mut reports: Vec<(usize, Report)> = done.into_iter().flatten().collect();
    reports.sort_unstable_by_key(|(at, _)| *at);
    Some(reports.into_iter().map(|(_, report)| report).collect())
}

/// Whether every row, moment and pool is there, each part has members, and moments are in order.
#[must_use]
pub fn sound(board: &Board<'_>, groups: &[Group<'_>]) -> bool {
    let rows = board.moment.len();
    let moments = board
        .moment
        .iter()
        .all(|at| (*at as usize) < board.seconds.len());
    let order = board
        .seconds
        .windows(2)
        .all(|pair| pair.first() < pair.last());
    let mut parts = groups.iter().flat_map(|group| &group.parts);
    let fit = parts.all(|part| {
        let few = !part.members.is_empty() && part.members.len() <= part.pool.len();
        let mut given = part.pool.iter().chain(part.members);
        few && given.all(|row| (*row as usize) < rows)
    });
    rows == board.voice.len()
        && moments
        && order
        && fit
        && groups.iter().all(|group| !group.parts.is_empty())
}
