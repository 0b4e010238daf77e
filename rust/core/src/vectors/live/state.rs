//! Which theme does this contribution belong to, or is it new?
//!
//! A *group* is a theme, a weak signal or a lone voice, by its size alone. It has the exact sum of its rows, their rounded mean, and its [`Spread`]. A row is compared with all means at once;
//! among the groups whose limit it reaches it joins the most alike (ties: the older group), and where it reaches none it founds a group of its own. A copy of a row that is there goes
//! where that is.
//!
//! *Micro-clusters* are what a consolidation moves as one: copies, at first, and more where there are very many (see [`super::condense`]).

use super::frame::{Frame, Scratch};
use super::scan::Scan;
use super::spread::Spread;
use crate::vectors::sphere::whole;

/// Members that a consolidation moves together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Micro {
    /// The contribution that stands for it: its first.
    pub leader: u32,
    /// Its contributions.
    pub count: u32,
    /// Whether a facilitator's link made it: nobody else may join.
    pub pinned: bool,
    /// Its group's place.
    pub group: u32,
}

/// A theme, a weak signal or a lone voice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What people call it by; never given to another. 0: not known yet.
    pub id: u32,
    /// Its contributions.
    pub count: u32,
    /// Sum of their rows; empty for a single one, whose mean is its row.
    pub sum: Vec<i64>,
    /// How alike those were who came.
    pub spread: Spread,
    /// The consolidation that last compared it with others.
    pub looked: u32,
    /// Grows with every change.
    pub stamp: u32,
}

/// Where a contribution was put.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Placed {
    /// Its group's place.
    pub group: u32,
    /// Whether it founded that group.
    pub new: bool,
    /// Whether a contribution with the same row was there.
    pub copy: bool,
    /// Average similarity to those of the group that were there; of a new group, to those of the most alike.
    pub similarity: i32,
    /// What that group asks for.
    pub limit: i32,
    /// What is usual in it.
    pub usual: (f64, f64),
    /// Place of the most alike group that would have taken it, too (of a new group: of the most alike), with the similarity.
    pub second: Option<(u32, i32)>,
    /// Contributions in its group, itself included.
    pub size: u32,
}

/// All groups, as of some number of contributions.
#[derive(Clone, Debug)]
pub struct State {
    /// What is taken off rows.
    pub frame: Frame,
    /// Micro-clusters, some of them empty.
    pub micros: Vec<Micro>,
    /// The micro-cluster of each contribution.
    pub micro_of: Vec<u32>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Means of the groups, one after the other.
    pub means: Vec<i16>,
    /// Limits of the groups.
    pub limits: Vec<i32>,
    width: usize,
    desk: Desk,
}

/// Room that is used again for each row.
#[derive(Clone, Debug, Default)]
struct Desk {
    scan: Scan,
    scratch: Scratch,
    row: Vec<i16>,
    similar: Vec<i32>,
}

impl State {
    /// Nothing yet.
    #[must_use]
    pub fn new(frame: Frame, width: usize) -> Self {
        Self {
            frame,
            micros: Vec::new(),
            micro_of: Vec::new(),
            groups: Vec::new(),
            means: Vec::new(),
            limits: Vec::new(),
            width,
            desk: Desk {
                scan: Scan::new(),
                row: vec![0; width],
                ..Desk::default()
            },
        }
    }

    /// Numbers in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The group of a contribution.
    #[must_use]
    pub fn group_of(&self, contribution: u32) -> Option<u32> {
        let micro = self.micro_of.get(contribution as usize)?;
        self.micros.get(*micro as usize).map(|micro| micro.group)
    }

    /// The mean of a group.
    #[must_use]
    pub fn mean(&self, group: u32) -> &[i16] {
        let start = group as usize * self.width;
        self.means
            .get(start..start + self.width)
            .unwrap_or_default()
    }

    /// Puts the next contribution where it belongs; `first` is the first contribution with this very row (itself, if there is none).
    pub fn place(&mut self, raw: &[i16], first: u32, id: u32) -> Placed {
        let contribution = self.micro_of.len() as u32;
        let mut desk = std::mem::take(&mut self.desk);
        self.frame.centre(raw, &mut desk.scratch, &mut desk.row);
        desk.scan.all(&desk.row, &self.means, &mut desk.similar);
        let there = (first < contribution).then(|| self.micro_of.get(first as usize).copied());
        let there = there.flatten();
        let known = there.and_then(|micro| self.micros.get(micro as usize).copied());
        let mut placed = self.judged(&desk.similar, known.map(|micro| micro.group));
        // What a link made is of those who were linked alone: a copy goes to their group, beside them.
        let copied = there.filter(|_| known.is_some_and(|micro| !micro.pinned));
        placed.copy = known.is_some();
        if placed.new {
            placed.group = self.found(&desk.row, id);
        } else {
            self.join(placed.group, &desk.row, placed.similarity);
        }
        let micro = copied.unwrap_or(self.micros.len() as u32);
        match self.micros.get_mut(micro as usize) {
            Some(micro) => micro.count += 1,
            None => self.micros.push(Micro {
                leader: contribution,
                count: 1,
                pinned: false,
                group: placed.group,
            }),
        }
        self.micro_of.push(micro);
        self.desk = desk;
        placed.size = self
            .groups
            .get(placed.group as usize)
            .map_or(0, |g| g.count);
        placed
    }

    /// The best group, or the one that is given; `new` if none takes it.
    fn judged(&self, similar: &[i32], given: Option<u32>) -> Placed {
        let (mut taking, mut second, mut best) = (None, None, None);
        for (group, (similarity, limit)) in (0u32..).zip(similar.iter().zip(&self.limits)) {
            if best.is_none_or(|(_, most)| *similarity > most) {
                best = Some((group, *similarity));
            }
            if similarity < limit || given == Some(group) {
                continue;
            }
            if taking.is_none_or(|(_, most)| *similarity > most) {
                second = taking;
                taking = Some((group, *similarity));
            } else if second.is_none_or(|(_, most)| *similarity > most) {
                second = Some((group, *similarity));
            }
        }
        if let Some(group) = given {
            second = taking;
            taking = similar
                .get(group as usize)
                .map(|similarity| (group, *similarity));
        }
        let new = taking.is_none();
        let (group, similarity) = taking.or(best).unwrap_or_default();
        let usual = self.groups.get(group as usize);
        Placed {
            group,
            new,
            similarity,
            limit: self
                .limits
                .get(group as usize)
                .copied()
                .unwrap_or(self.frame.cut),
            usual: usual.map_or((0.0, 0.0), |g| g.spread.usual(&self.frame.pool)),
            second: if new { best } else { second },
            ..Placed::default()
        }
    }

    fn found(&mut self, row: &[i16], id: u32) -> u32 {
        let spread = Spread::default();
        self.limits
            .push(spread.limit(&self.frame.pool, self.frame.cut));
        self.means.extend_from_slice(row);
        self.groups.push(Group {
            id,
            count: 1,
            ..Group::default()
        });
        self.groups.len() as u32 - 1
    }

    fn join(&mut self, at: u32, row: &[i16], similarity: i32) {
        let start = at as usize * self.width;
        let mean = self.means.get_mut(start..start + self.width);
        let (Some(group), Some(mean)) = (self.groups.get_mut(at as usize), mean) else {
            return;
        };
        if group.sum.is_empty() {
            group.sum = mean.iter().map(|x| i64::from(*x)).collect();
        }
        let places = group.sum.iter_mut().zip(row);
        places.for_each(|(sum, x)| *sum = sum.wrapping_add(i64::from(*x)));
        group.count += 1;
        group.stamp = group.stamp.wrapping_add(1);
        group.spread.add(similarity);
        rounded(&group.sum, group.count, mean);
        let limit = group.spread.limit(&self.frame.pool, self.frame.cut);
        if let Some(place) = self.limits.get_mut(at as usize) {
            *place = limit;
        }
    }

    /// Computes groups anew from their members' centred rows: sums, means, spreads and limits. `members` by group, ascending; their rows are had from `row`.
    pub fn refresh(&mut self, group: u32, members: &[u32], mut row: impl FnMut(u32, &mut [i16])) {
        let (mut sum, mut one) = (vec![0i64; self.width], vec![0i16; self.width]);
        for member in members {
            row(*member, &mut one);
            let places = sum.iter_mut().zip(&one);
            places.for_each(|(sum, x)| *sum = sum.wrapping_add(i64::from(*x)));
        }
        let mut spread = Spread::default();
        for member in members.iter().filter(|_| members.len() > 1) {
            row(*member, &mut one);
            spread.add(self.alone(&one, &sum, members.len()));
        }
        let start = group as usize * self.width;
        if let Some(mean) = self.means.get_mut(start..start + self.width) {
            rounded(&sum, members.len() as u32, mean);
        }
        let limit = spread.limit(&self.frame.pool, self.frame.cut);
        if let Some(place) = self.limits.get_mut(group as usize) {
            *place = limit;
        }
        if let Some(group) = self.groups.get_mut(group as usize) {
            group.count = members.len() as u32;
            group.sum = if members.len() > 1 { sum } else { Vec::new() };
            group.spread = spread;
            group.stamp = group.stamp.wrapping_add(1);
        }
    }

    /// Average similarity of a member to all others, whose sum with it is `sum`.
    #[must_use]
    pub fn alone(&self, row: &[i16], sum: &[i64], count: usize) -> i32 {
        let others = self.desk.scan.sum(row, sum) - i64::from(self.desk.scan.one(row, row));
        let average = others.div_euclid((count as i64 - 1).max(1));
        i32::try_from(average).unwrap_or(if average < 0 { i32::MIN } else { i32::MAX })
    }

    /// All limits anew, when the pool or the cut is another.
    pub fn relimit(&mut self) {
        let (pool, cut) = (self.frame.pool, self.frame.cut);
        let groups = self.groups.iter();
        self.limits = groups.map(|g| g.spread.limit(&pool, cut)).collect();
    }

    /// Contributions by group, each list ascending.
    #[must_use]
    pub fn members(&self) -> Vec<Vec<u32>> {
        let mut all = vec![Vec::new(); self.groups.len()];
        for contribution in 0..self.micro_of.len() as u32 {
            let group = self.group_of(contribution).unwrap_or_default();
            if let Some(list) = all.get_mut(group as usize) {
                list.push(contribution);
            }
        }
        all
    }

    /// Takes out groups without members; what ended.
    pub fn sweep(&mut self) -> Vec<u32> {
        let mut place = vec![u32::MAX; self.groups.len()];
        let (mut ended, mut kept) = (Vec::new(), Vec::new());
        for (old, group) in self.groups.iter().enumerate() {
            if group.count == 0 {
                ended.push(group.id);
            } else {
                place[old] = kept.len() as u32;
                kept.push(old);
            }
        }
        if ended.is_empty() {
            return ended;
        }
        let pick = |old: &usize| self.mean(*old as u32).to_vec();
        self.means = kept.iter().flat_map(pick).collect();
        self.limits = kept
            .iter()
            .filter_map(|old| self.limits.get(*old).copied())
            .collect();
        self.groups.retain(|group| group.count > 0);
        for micro in &mut self.micros {
            // Those without members may be of a group that ended.
            let new = place
                .get(micro.group as usize)
                .filter(|new| **new != u32::MAX);
            micro.group = new.copied().unwrap_or_default();
        }
        ended
    }
}

/// The mean of `count` rows that add up to `sum`, rounded to whole numbers, ties to even.
pub fn rounded(sum: &[i64], count: u32, out: &mut [i16]) {
    let count = f64::from(count.max(1));
    for (place, sum) in out.iter_mut().zip(sum) {
        *place = whole(*sum as f64 / count) as i16;
    }
}
