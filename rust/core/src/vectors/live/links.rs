//! What has the facilitator said of contributions: these belong together, those do not?
//!
//! A link ties two lists of contributions (one each, or whole themes as they were). *Together*: all of both are one micro-cluster, a block, which no consolidation takes apart. *Apart*:
//! nobody of one list is ever in a group with somebody of the other. What contradicts what was said before is refused and changes nothing. Links can be taken back, the last first; a theme that
//! was merged into another by a link then has its id again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::frame::Scratch;
use super::identity::{Change, Kind};
use super::state::{Group, Micro};
use super::Live;

/// What a link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// They belong together.
    Must,
    /// They do not.
    Cannot,
}

/// One thing that the facilitator said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What.
    pub tie: Tie,
    /// Contributions, ascending.
    pub left: Vec<u32>,
    /// Contributions, ascending.
    pub right: Vec<u32>,
    /// For themes that were merged by it: their ids.
    pub themes: Option<(u32, u32)>,
}

/// Why a link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A list is empty, or names a contribution that is not there.
    Unknown,
    /// The lists share a contribution.
    Same,
    /// The link of this number says that they do not belong together.
    Apart(usize),
    /// The link of this number says that they belong together.
    Together(usize),
    /// The themes have names of their own.
    Names(u32, u32),
}

impl Link {
    fn holds(list: &[u32], contribution: u32) -> bool {
        list.binary_search(&contribution).is_ok()
    }

    fn touches(list: &[u32], members: &BTreeSet<u32>) -> bool {
        if list.len() < members.len() {
            list.iter().any(|one| members.contains(one))
        } else {
            members.iter().any(|one| Self::holds(list, *one))
        }
    }
}

impl Live {
    /// Says that all of both lists belong together. `themes`: two themes that are merged thereby.
    ///
    /// # Errors
    /// It contradicts what was said before; nothing has changed.
    pub fn must(
        &mut self,
        left: &[u32],
        right: &[u32],
        themes: Option<(u32, u32)>,
    ) -> Result<Vec<Change>, Refused> {
        let link = self.link(Tie::Must, left, right)?;
        let block = self.block(&link);
        for (at, other) in self.links.iter().enumerate() {
            let apart = other.tie == Tie::Cannot;
            if apart && Link::touches(&other.left, &block) && Link::touches(&other.right, &block) {
                return Err(Refused::Apart(at));
            }
        }
        let places: BTreeSet<u32> = block
            .iter()
            .filter_map(|one| self.state.group_of(*one))
            .collect();
        let ids: Vec<u32> = places.iter().map(|place| self.id(*place)).collect();
        let named: Vec<u32> = ids
            .iter()
            .copied()
            .filter(|id| self.named.contains(id))
            .collect();
        if let [one, two, ..] = named[..] {
            return Err(Refused::Names(one, two));
        }
        let before = self.sizes();
        let target = self.home(&block, &places, named.first().copied());
        let micro = self.isolate(&block, true);
        let target = target.unwrap_or_else(|| self.open_group());
        if let Some(micro) = self.state.micros.get_mut(micro as usize) {
            micro.group = target;
        }
        self.links.push(Link { themes, ..link });
        let touched = places.into_iter().chain([target]);
        Ok(self.settled(touched.collect(), &before))
    }

    /// Says that nobody of one list belongs with anybody of the other.
    ///
    /// # Errors
    /// It contradicts what was said before; nothing has changed.
    pub fn cannot(&mut self, left: &[u32], right: &[u32]) -> Result<Vec<Change>, Refused> {
        let link = self.link(Tie::Cannot, left, right)?;
        for (at, other) in self.links.iter().enumerate() {
            if other.tie == Tie::Must {
                let block = self.block(other);
                if Link::touches(&link.left, &block) && Link::touches(&link.right, &block) {
                    return Err(Refused::Together(at));
                }
            }
        }
        let before = self.sizes();
        for side in [&link.left, &link.right] {
            if let [one] = side[..] {
                if !self.pinned(one) {
                    self.isolate(&BTreeSet::from([one]), true);
                }
            }
        }
        let shared = self.shared(&link);
        let mut touched = BTreeSet::new();
        for (group, leaving) in shared {
            let new = self.open_group();
            for micro in leaving {
                if let Some(micro) = self.state.micros.get_mut(micro as usize) {
                    micro.group = new;
                }
            }
            touched.extend([group, new]);
        }
        self.links.push(link);
        Ok(self.settled(touched, &before))
    }

    /// Takes the last link back; what changed, or None if there is none.
    pub fn unlink(&mut self) -> Option<(Link, Vec<Change>)> {
        let link = self.links.pop()?;
        let before = self.sizes();
        let mut touched = BTreeSet::new();
        match link.tie {
            Tie::Must => {
                let block = self.block(&link);
                self.repin(&block);
                touched = self.revive(&link);
            }
            Tie::Cannot => {
                for side in [&link.left, &link.right] {
                    if let [one] = side[..] {
                        let members = self.mates(one);
                        self.repin(&members);
                    }
                }
            }
        }
        let changes = self.settled(touched, &before);
        Some((link, changes))
    }

    fn link(&self, tie: Tie, left: &[u32], right: &[u32]) -> Result<Link, Refused> {
        let list = |side: &[u32]| side.iter().copied().collect::<BTreeSet<u32>>();
        let (left, right) = (list(left), list(right));
        let known = self.state.micro_of.len() as u32;
        let there = |side: &BTreeSet<u32>| side.last().is_some_and(|last| *last < known);
        if !there(&left) || !there(&right) {
            return Err(Refused::Unknown);
        }
        if !left.is_disjoint(&right) {
            return Err(Refused::Same);
        }
        Ok(Link {
            tie,
            left: left.into_iter().collect(),
            right: right.into_iter().collect(),
            themes: None,
        })
    }

    fn id(&self, group: u32) -> u32 {
        self.state.groups.get(group as usize).map_or(0, |g| g.id)
    }

    fn pinned(&self, contribution: u32) -> bool {
        let micro = self.state.micro_of.get(contribution as usize);
        let micro = micro.and_then(|micro| self.state.micros.get(*micro as usize));
        micro.is_some_and(|micro| micro.pinned)
    }

    /// All contributions of a micro-cluster that a link made; the one alone, if none did.
    fn mates(&self, contribution: u32) -> BTreeSet<u32> {
        if !self.pinned(contribution) {
            return BTreeSet::from([contribution]);
        }
        let micro = self.state.micro_of.get(contribution as usize);
        let all = (0u32..).zip(&self.state.micro_of);
        all.filter(|(_, other)| Some(*other) == micro)
            .map(|(at, _)| at)
            .collect()
    }

    /// All of a link's contributions and the blocks that they are in.
    fn block(&self, link: &Link) -> BTreeSet<u32> {
        let mut block: BTreeSet<u32> = link.left.iter().chain(&link.right).copied().collect();
        let blocks: BTreeSet<u32> = block
            .iter()
            .filter(|one| self.pinned(**one))
            .filter_map(|one| self.state.micro_of.get(*one as usize).copied())
            .collect();
        let all = (0u32..).zip(&self.state.micro_of);
        block.extend(
            all.filter(|(_, micro)| blocks.contains(micro))
                .map(|(at, _)| at),
        );
        block
    }

    /// Where a block goes: to the named theme, else the largest, the oldest, of those it comes from; never where somebody is who must be apart from it.
    fn home(
        &self,
        block: &BTreeSet<u32>,
        places: &BTreeSet<u32>,
        named: Option<u32>,
    ) -> Option<u32> {
        let mut order: Vec<u32> = places.iter().copied().collect();
        order.sort_by_key(|place| {
            let group = self.state.groups.get(*place as usize);
            group.map(|g| (Some(g.id) != named, std::cmp::Reverse(g.count), g.id))
        });
        order.into_iter().find(|place| {
            self.links
                .iter()
                .filter(|link| link.tie == Tie::Cannot)
                .all(|link| {
                    let there = |side: &[u32]| {
                        let mut others = side.iter().filter(|one| !block.contains(one));
                        others.any(|one| self.state.group_of(*one) == Some(*place))
                    };
                    let (left, right) = (&link.left, &link.right);
                    let one = Link::touches(left, block) && there(right);
                    let two = Link::touches(right, block) && there(left);
                    !one && !two
                })
        })
    }

    /// A micro-cluster of these contributions alone, in the group of the first.
    fn isolate(&mut self, members: &BTreeSet<u32>, pinned: bool) -> u32 {
        let state = &mut self.state;
        let new = state.micros.len() as u32;
        let leader = members.first().copied().unwrap_or_default();
        let group = state.group_of(leader).unwrap_or_default();
        let mut left: BTreeSet<u32> = BTreeSet::new();
        for member in members {
            if let Some(micro) = state.micro_of.get_mut(*member as usize) {
                if let Some(old) = state.micros.get_mut(*micro as usize) {
                    old.count = old.count.saturating_sub(1);
                    left.insert(*micro);
                }
                *micro = new;
            }
        }
        state.micros.push(Micro {
            leader,
            count: members.len() as u32,
            pinned,
            group,
        });
        // A micro-cluster may have lost the one that stands for it.
        for (at, micro) in (0u32..).zip(&state.micro_of) {
            if left.remove(micro) {
                if let Some(old) = state.micros.get_mut(*micro as usize) {
                    old.leader = at;
                }
            }
        }
        new
    }

    fn open_group(&mut self) -> u32 {
        let id = self.next;
        self.next += 1;
        self.reopen(id)
    }

    fn reopen(&mut self, id: u32) -> u32 {
        let width = self.store.rows().width();
        self.state.groups.push(Group {
            id,
            ..Group::default()
        });
        self.state.means.resize(self.state.groups.len() * width, 0);
        self.state.limits.resize(self.state.groups.len(), 0);
        self.state.groups.len() as u32 - 1
    }

    /// Groups with members of both lists, and the micro-clusters of the list that has fewer there.
    fn shared(&self, link: &Link) -> BTreeMap<u32, BTreeSet<u32>> {
        let by_group = |side: &[u32]| {
            let mut groups: BTreeMap<u32, (usize, BTreeSet<u32>)> = BTreeMap::new();
            for one in side {
                let (group, micro) = (
                    self.state.group_of(*one),
                    self.state.micro_of.get(*one as usize),
                );
                if let (Some(group), Some(micro)) = (group, micro) {
                    let entry = groups.entry(group).or_default();
                    entry.0 += 1;
                    entry.1.insert(*micro);
                }
            }
            groups
        };
        let (left, mut right) = (by_group(&link.left), by_group(&link.right));
        let both = left.into_iter().filter_map(|(group, one)| {
            let two = right.remove(&group)?;
            let leaving = if one.0 < two.0 { one.1 } else { two.1 };
            Some((group, leaving))
        });
        both.collect()
    }

    /// Micro-clusters of these contributions anew, by the links that are left.
    fn repin(&mut self, members: &BTreeSet<u32>) {
        let mut head: BTreeMap<u32, u32> = members.iter().map(|one| (*one, *one)).collect();
        for link in self.links.iter().filter(|link| link.tie == Tie::Must) {
            let own: Vec<u32> = link.left.iter().chain(&link.right).copied().collect();
            let own: BTreeSet<u32> = own
                .into_iter()
                .filter(|one| members.contains(one))
                .collect();
            let heads: BTreeSet<u32> = own
                .iter()
                .filter_map(|one| head.get(one).copied())
                .collect();
            let Some(first) = heads.first().copied() else {
                continue;
            };
            let joined = head.values_mut().filter(|other| heads.contains(other));
            joined.for_each(|other| *other = first);
        }
        let mut blocks: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (member, head) in head {
            blocks.entry(head).or_default().insert(member);
        }
        for block in blocks.values() {
            let alone = block.first().copied().filter(|_| block.len() == 1);
            let single = |link: &Link| {
                let sides = [&link.left, &link.right];
                link.tie == Tie::Cannot
                    && sides
                        .iter()
                        .any(|side| side.len() == 1 && side.first() == alone.as_ref())
            };
            let pinned = block.len() > 1 || self.links.iter().any(single);
            self.isolate(block, pinned);
        }
    }

    /// The contributions of a theme that a link had merged away get a group of its id again; the groups that changed.
    fn revive(&mut self, link: &Link) -> BTreeSet<u32> {
        let place = |id: u32| self.state.groups.iter().position(|group| group.id == id);
        let places = link.themes.map(|(one, two)| (place(one), place(two)));
        let (home, other, stay, gone) = match (places, link.themes) {
            (Some((Some(home), None)), Some((_, other))) => {
                (home as u32, other, &link.left, &link.right)
            }
            (Some((None, Some(home))), Some((other, _))) => {
                (home as u32, other, &link.right, &link.left)
            }
            _ => return BTreeSet::new(),
        };
        let of = |list: &[u32]| -> BTreeSet<u32> {
            list.iter()
                .filter(|one| self.state.group_of(**one) == Some(home))
                .filter_map(|one| self.state.micro_of.get(*one as usize).copied())
                .collect()
        };
        let leaving: Vec<u32> = of(gone).difference(&of(stay)).copied().collect();
        if leaving.is_empty() {
            return BTreeSet::new();
        }
        let new = self.reopen(other);
        for micro in leaving {
            if let Some(micro) = self.state.micros.get_mut(micro as usize) {
                micro.group = new;
            }
        }
        BTreeSet::from([home, new])
    }

    fn sizes(&self) -> BTreeMap<u32, u32> {
        self.state
            .groups
            .iter()
            .map(|group| (group.id, group.count))
            .collect()
    }

    /// Computes the groups that were touched, takes out those that are empty, and says what became of ids.
    fn settled(&mut self, touched: BTreeSet<u32>, before: &BTreeMap<u32, u32>) -> Vec<Change> {
        self.turn += 1;
        let members = self.state.members();
        let frame = self.state.frame.clone();
        let (rows, mut scratch) = (self.store.rows().clone(), Scratch::default());
        for place in &touched {
            let members = members.get(*place as usize).map_or(&[][..], Vec::as_slice);
            self.state.refresh(*place, members, |at, out| {
                frame.centre(rows.get(at as usize), &mut scratch, out);
            });
        }
        let ids: Vec<u32> = touched.iter().map(|place| self.id(*place)).collect();
        let ended = self.state.sweep();
        let after = self.sizes();
        let size =
            |sizes: &BTreeMap<u32, u32>, id: u32| (id, sizes.get(&id).copied().unwrap_or_default());
        let (mut ended, mut fresh, mut stayed): (Vec<u32>, Vec<u32>, Vec<u32>) =
            (ended, Vec::new(), Vec::new());
        ended.sort_unstable();
        for id in ids {
            match (before.contains_key(&id), after.contains_key(&id)) {
                (false, true) => fresh.push(id),
                (true, true) => stayed.push(id),
                _ => {}
            }
        }
        let mut changes = Vec::new();
        let grown = stayed
            .iter()
            .copied()
            .find(|id| after.get(id) > before.get(id));
        if let (false, Some(target)) = (ended.is_empty(), grown.or(fresh.first().copied())) {
            let from = grown.into_iter().chain(ended);
            changes.push(Change {
                kind: Kind::Merge,
                from: from.map(|id| size(before, id)).collect(),
                to: vec![size(&after, target)],
            });
        } else if !fresh.is_empty() {
            let shrunk = stayed
                .into_iter()
                .filter(|id| after.get(id) < before.get(id));
            let shrunk: Vec<u32> = shrunk.collect();
            changes.push(Change {
                kind: Kind::Split,
                from: shrunk.iter().map(|id| size(before, *id)).collect(),
                to: shrunk
                    .iter()
                    .chain(&fresh)
                    .map(|id| size(&after, *id))
                    .collect(),
            });
        }
        changes
    }
}

/// The lists that are apart, for a consolidation.
#[derive(Clone, Debug, Default)]
pub struct Sides(Vec<[Vec<u32>; 2]>);

/// Which lists the contributions of each micro-cluster are on.
pub struct MicroSides(HashMap<u32, BTreeSet<(u32, bool)>>);

impl Sides {
    /// Of these links, for so many contributions.
    #[must_use]
    pub fn of(links: &[Link], contributions: usize) -> Self {
        let apart = links.iter().filter(|link| link.tie == Tie::Cannot);
        let known = |side: &[u32]| {
            side.iter()
                .copied()
                .filter(|one| (*one as usize) < contributions)
                .collect()
        };
        Self(
            apart
                .map(|link| [known(&link.left), known(&link.right)])
                .collect(),
        )
    }

    /// By micro-cluster.
    #[must_use]
    pub fn by_micro(&self, micro_of: &[u32]) -> MicroSides {
        let mut all: HashMap<u32, BTreeSet<(u32, bool)>> = HashMap::new();
        for (link, sides) in (0u32..).zip(&self.0) {
            for (right, side) in [false, true].into_iter().zip(sides) {
                for micro in side.iter().filter_map(|one| micro_of.get(*one as usize)) {
                    all.entry(*micro).or_default().insert((link, right));
                }
            }
        }
        MicroSides(all)
    }

    /// Pairs of `some` micro-clusters, by their place there, that must not be together.
    #[must_use]
    pub fn pairs(&self, micro_of: &[u32], some: &[u32]) -> Vec<(u32, u32)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let place: HashMap<u32, u32> = some.iter().copied().zip(0u32..).collect();
        let mut pairs = BTreeSet::new();
        for sides in &self.0 {
            let [left, right] = sides.each_ref().map(|side| -> BTreeSet<u32> {
                let micros = side.iter().filter_map(|one| micro_of.get(*one as usize));
                micros
                    .filter_map(|micro| place.get(micro).copied())
                    .collect()
            });
            for one in &left {
                pairs.extend(right.iter().map(|two| (*one.min(two), *one.max(two))));
            }
        }
        pairs.into_iter().collect()
    }
}

impl MicroSides {
    /// Notes that one micro-cluster joins another; false, and nothing, if they must be apart.
    pub fn join(&mut self, head: u32, at: u32) -> bool {
        let Some(own) = self.0.get(&at) else {
            return true;
        };
        let own = own.clone();
        let there = self.0.entry(head).or_default();
        if own
            .iter()
            .any(|(link, right)| there.contains(&(*link, !right)))
        {
            return false;
        }
        there.extend(own);
        true
    }
}
