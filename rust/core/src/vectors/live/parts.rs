//! All that is known, as bytes, and back.
//!
//! Whole numbers are little-endian; a list has its length before it, in four bytes. What can be computed from the rows (sums, means, limits) is not written. Reading trusts nothing: what does not fit together
//! is refused, and no more memory is taken than the bytes account for.

use std::collections::BTreeSet;

use super::frame::{Frame, Scratch};
use super::links::{Link, Tie};
use super::spread::{Pool, Spread};
use super::state::{Group, Micro, State};
use super::{Live, ALGORITHM, MOST};

/// Numbers of a vector that are read at most.
const WIDEST: usize = 1 << 16;

/// Writes everything.
#[must_use]
pub fn write(live: &Live) -> Vec<u8> {
    let mut out = Vec::new();
    let number = |out: &mut Vec<u8>, n: u32| out.extend(n.to_le_bytes());
    let list = |out: &mut Vec<u8>, all: &mut dyn ExactSizeIterator<Item = u32>| {
        out.extend((all.len() as u32).to_le_bytes());
        all.for_each(|n| out.extend(n.to_le_bytes()));
    };
    out.extend(ALGORITHM.as_bytes());
    number(&mut out, live.dimension as u32);
    out.extend(live.granularity.to_le_bytes());
    let frame = &live.state.frame;
    frame
        .mean()
        .iter()
        .for_each(|x| out.extend(x.to_le_bytes()));
    out.extend(frame.cut.to_le_bytes());
    out.extend(frame.pool.mean.to_le_bytes());
    out.extend(frame.pool.variance.to_le_bytes());
    for n in [frame.learned, live.next, live.round] {
        number(&mut out, n);
    }
    list(
        &mut out,
        &mut live.named.iter().copied().collect::<Vec<_>>().into_iter(),
    );
    number(&mut out, live.links.len() as u32);
    for link in &live.links {
        number(&mut out, u32::from(link.tie == Tie::Must));
        let (one, two) = link.themes.unwrap_or_default();
        number(&mut out, one);
        number(&mut out, two);
        list(&mut out, &mut link.left.iter().copied());
        list(&mut out, &mut link.right.iter().copied());
    }
    number(&mut out, live.state.groups.len() as u32);
    for group in &live.state.groups {
        number(&mut out, group.id);
        number(&mut out, group.looked);
        number(&mut out, group.spread.count);
        out.extend(group.spread.sum.to_le_bytes());
        out.extend(group.spread.squares.to_le_bytes());
    }
    number(&mut out, live.state.micros.len() as u32);
    for micro in &live.state.micros {
        for n in [micro.leader, u32::from(micro.pinned), micro.group] {
            number(&mut out, n);
        }
    }
    list(&mut out, &mut live.state.micro_of.iter().copied());
    for at in 0..live.len() {
        let row = live.store.rows().get(at).iter().take(live.dimension);
        row.for_each(|x| out.extend(x.to_le_bytes()));
    }
    out
}

/// Bytes that are read from the front.
struct Reading<'a>(&'a [u8]);

impl<'a> Reading<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let taken = self.0.get(..bytes)?;
        self.0 = self.0.get(bytes..)?;
        Some(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn float(&mut self) -> Option<f64> {
        let float = f64::from_le_bytes(self.bytes()?);
        float.is_finite().then_some(float)
    }

    /// How many things of so many bytes follow.
    fn length(&mut self, each: usize) -> Option<usize> {
        let length = self.number()? as usize;
        (length <= self.0.len() / each.max(1)).then_some(length)
    }

    fn list(&mut self) -> Option<Vec<u32>> {
        let length = self.length(4)?;
        (0..length).map(|_| self.number()).collect()
    }

    /// A list that rises and stays below `end`.
    fn rising(&mut self, end: u32) -> Option<Vec<u32>> {
        let list = self.list()?;
        let rises = list.windows(2).all(|two| two[0] < two[1]);
        (rises && list.last().is_none_or(|last| *last < end)).then_some(list)
    }
}

/// Reads what [`write`] wrote; None if it is not that.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Live> {
    let mut from = Reading(bytes);
    if from.take(ALGORITHM.len())? != ALGORITHM.as_bytes() {
        return None;
    }
    let dimension = from.number()? as usize;
    if !(1..=WIDEST).contains(&dimension) {
        return None;
    }
    let mut live = Live::new(dimension, from.float()?);
    let width = live.store.rows().width();
    let frame = frame(&mut from, width)?;
    live.next = from.number()?;
    live.round = from.number()?;
    if live.next.max(live.round) > u32::MAX / 2 {
        // Nobody gets that far, and counting on from the last number would fail.
        return None;
    }
    live.named = from.rising(live.next)?.into_iter().collect();
    let links = from.length(20)?;
    live.links = (0..links).map(|_| link(&mut from)).collect::<Option<_>>()?;
    live.state = state(&mut from, frame, width, live.next)?;
    rows(&mut from, &mut live)?;
    let known = live.len() as u32;
    let within = |side: &[u32]| side.last().is_some_and(|last| *last < known);
    let linked = |link: &Link| within(&link.left) && within(&link.right);
    let ids: BTreeSet<u32> = live.state.groups.iter().map(|group| group.id).collect();
    let named = live.named.is_subset(&ids) && from.0.is_empty();
    let sound = named && live.links.iter().all(linked);
    sound.then_some(live)
}

fn frame(from: &mut Reading<'_>, width: usize) -> Option<Frame> {
    let mean = (0..width).map(|_| from.bytes().map(f32::from_le_bytes));
    let mean: Vec<f32> = mean.collect::<Option<_>>()?;
    let cut = i32::from_le_bytes(from.bytes()?);
    let pool = Pool {
        mean: from.float()?,
        variance: from.float()?,
    };
    let learned = from.number()?;
    let sound = mean.iter().all(|x| x.is_finite()) && pool.variance >= 0.0;
    sound.then(|| Frame::from_parts(mean, cut, pool, learned))
}

fn link(from: &mut Reading<'_>) -> Option<Link> {
    let tie = match from.number()? {
        0 => Tie::Cannot,
        1 => Tie::Must,
        _ => return None,
    };
    let themes = (from.number()?, from.number()?);
    Some(Link {
        tie,
        themes: Some(themes).filter(|themes| themes != &(0, 0)),
        left: from.rising(u32::MAX)?,
        right: from.rising(u32::MAX)?,
    })
}

fn state(from: &mut Reading<'_>, frame: Frame, width: usize, next: u32) -> Option<State> {
    let mut state = State::new(frame, width);
    let mut ids = BTreeSet::new();
    for _ in 0..from.length(36)? {
        let (id, looked) = (from.number()?, from.number()?);
        let spread = Spread {
            count: from.number()?,
            sum: i64::from_le_bytes(from.bytes()?),
            squares: u128::from_le_bytes(from.bytes()?),
        };
        if id == 0 || id >= next || !ids.insert(id) {
            return None;
        }
        state.groups.push(Group {
            id,
            looked,
            spread,
            ..Group::default()
        });
    }
    let groups = state.groups.len() as u32;
    for _ in 0..from.length(12)? {
        let (leader, pinned, group) = (from.number()?, from.number()?, from.number()?);
        if pinned > 1 || group >= groups {
            return None;
        }
        state.micros.push(Micro {
            leader,
            count: 0,
            pinned: pinned == 1,
            group,
        });
    }
    state.micro_of = from.list()?;
    for micro in &state.micro_of {
        state.micros.get_mut(*micro as usize)?.count += 1;
    }
    let led = |(at, micro): (u32, &Micro)| {
        micro.count == 0 || state.micro_of.get(micro.leader as usize) == Some(&at)
    };
    let sound = (0u32..).zip(&state.micros).all(led) && state.micro_of.len() <= MOST;
    sound.then_some(state)
}

/// Reads the rows, and computes what follows from them.
fn rows(from: &mut Reading<'_>, live: &mut Live) -> Option<()> {
    let mut row = vec![0i16; live.store.rows().width()];
    for _ in 0..live.state.micro_of.len() {
        let bytes = from.take(live.dimension * 2)?;
        for (place, two) in row.iter_mut().zip(bytes.chunks_exact(2)) {
            *place = i16::from_le_bytes(two.try_into().ok()?);
        }
        let square: i64 = row.iter().map(|x| i64::from(*x).pow(2)).sum();
        // A sum of products of longer rows might not fit.
        if square == 0 || square > i64::from(i32::MAX) {
            return None;
        }
        live.store.push(&row);
    }
    let members = live.state.members();
    if members.iter().any(Vec::is_empty) {
        return None;
    }
    let spreads: Vec<Spread> = live.state.groups.iter().map(|group| group.spread).collect();
    live.state.means = vec![0; members.len() * row.len()];
    live.state.limits = vec![0; members.len()];
    let (frame, mut scratch) = (live.state.frame.clone(), Scratch::default());
    for (group, members) in (0u32..).zip(&members) {
        live.state.refresh(group, members, |at, out| {
            frame.centre(live.store.rows().get(at as usize), &mut scratch, out);
        });
    }
    for (group, spread) in live.state.groups.iter_mut().zip(spreads) {
        group.spread = spread;
    }
    live.state.relimit();
    Some(())
}
