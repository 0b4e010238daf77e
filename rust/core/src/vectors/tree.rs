//! Into which groups does the tree fall at a given similarity, and at which similarities does it fall into groups that last?
//!
//! A *cut* at similarity t keeps together what joined at t or above. Groups of at least [`THEME`] contributions are themes, smaller ones weak signals, single ones lone voices. A *theme* of the
//! tree is born, looking down from the root, where a group splits into two that are both themes, and lives until it does so itself or falls below [`THEME`] contributions; splinters that leave it do not
//! end it (the condensed tree of Campello, Moulavi and Sander 2013). The *persistence* of a cut is the mean, over all contributions, of the life, in similarity, of the theme that each
//! is in; 0 for those who are in none. *Levels* are the cut of the greatest persistence and, twice in each direction, that of the greatest persistence among those with two to
//! four times fewer or more themes: at most five, from coarse to fine.
//!
//! Guarantees: whole numbers and fixed orders only. Cost: one pass over the merges for a cut; one sort and one pass for all levels.

use super::linkage::{Merge, ALWAYS, APART, TOGETHER};

/// Contributions that make a theme.
pub const THEME: u64 = 5;

/// Most levels.
pub const LEVELS: usize = 5;

/// A tree over points, merges by descending similarity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    points: usize,
    weights: Vec<u32>,
    merges: Vec<Merge>,
    sizes: Vec<u64>,
}

/// A cut that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// What joined at this similarity or above is together.
    pub link: i32,
    /// Number of themes.
    pub themes: usize,
    /// The mean over contributions of the life of the theme that each is in, in similarity (32767² is 1).
    pub persistence: i64,
}

impl Tree {
    /// The tree of merges in the order in which they were made: put into the order of similarity, a group never being more alike than the groups within it.
    #[must_use]
    pub fn new(weights: &[u32], merges: &[Merge]) -> Self {
        let points = weights.len();
        let link_of = |capped: &[i32], node: u32| {
            let merge = (node as usize).checked_sub(points);
            merge.map_or(i32::MAX, |merge| capped[merge])
        };
        let mut capped: Vec<i32> = Vec::with_capacity(merges.len());
        for merge in merges {
            let within = link_of(&capped, merge.a).min(link_of(&capped, merge.b));
            capped.push(merge.link.min(within));
        }
        let mut order: Vec<usize> = (0..merges.len()).collect();
        // Stable, so a group within comes first.
        order.sort_by_key(|at| std::cmp::Reverse(capped[*at]));
        let mut place = vec![0u32; merges.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = (points + new) as u32;
        }
        let node = |node: u32| {
            (node as usize)
                .checked_sub(points)
                .map_or(node, |old| place[old])
        };
        let merges = order.iter().map(|old| Merge {
            a: node(merges[*old].a),
            b: node(merges[*old].b),
            link: capped[*old],
        });
        let mut tree = Self {
            points,
            weights: weights.to_vec(),
            merges: merges.collect(),
            sizes: Vec::new(),
        };
        for at in 0..tree.merges.len() {
            let Merge { a, b, .. } = tree.merges[at];
            let size = tree.size(a) + tree.size(b);
            tree.sizes.push(size);
        }
        tree
    }

    /// The merges, by descending similarity; groups are numbered: points first, then merges in this order.
    #[must_use]
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// Contributions in each merge's group.
    #[must_use]
    pub fn sizes(&self) -> &[u64] {
        &self.sizes
    }

    /// Contributions in a group.
    fn size(&self, node: u32) -> u64 {
        match (node as usize).checked_sub(self.points) {
            Some(merge) => self.sizes[merge],
            None => u64::from(self.weights[node as usize]),
        }
    }

    /// The group of each point in the cut at this similarity, numbered by their lowest points. What must be apart is so in every cut.
    #[must_use]
    pub fn cut(&self, link: i32) -> Vec<u32> {
        let link = link.max(APART + 1);
        let joined = self.merges.partition_point(|merge| merge.link >= link);
        let mut top: Vec<u32> = (0..(self.points + joined) as u32).collect();
        for (at, merge) in self.merges[..joined].iter().enumerate().rev() {
            let own = top[self.points + at];
            top[merge.a as usize] = own;
            top[merge.b as usize] = own;
        }
        number(&top[..self.points])
    }

    /// All similarities at which the number of themes changes, and that number, from the top of the tree downwards (ascending similarity); not where what must be
    /// apart meets.
    fn counts(&self) -> Vec<(i32, usize)> {
        // Upwards: a merge makes a theme of none, keeps one, or makes one of two.
        let mut themes = self
            .weights
            .iter()
            .filter(|w| u64::from(**w) >= THEME)
            .count();
        let mut counts = vec![(ALWAYS, themes)];
        let free = self.merges.iter().take_while(|merge| merge.link > APART);
        for (at, merge) in free.enumerate() {
            let parts =
                usize::from(self.size(merge.a) >= THEME) + usize::from(self.size(merge.b) >= THEME);
            themes = themes + usize::from(self.sizes[at] >= THEME) - parts;
            match counts.last_mut() {
                Some(last) if last.0 == merge.link => last.1 = themes,
                _ => counts.push((merge.link, themes)),
            }
        }
        counts.reverse();
        counts
    }

    /// At most so many cuts, those first whose number of themes is nearest to this one: of each run of cuts with the same number the finest and the coarsest. Only
    /// cuts that are not finer than the first with the most themes.
    #[must_use]
    pub fn near_cuts(&self, themes: usize, most: usize) -> Vec<(i32, usize)> {
        let mut counts = self.counts();
        let peak = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let end = counts.iter().position(|(_, count)| *count == peak);
        counts.truncate(end.map_or(0, |end| end + 1));
        let runs = counts.chunk_by(|a, b| a.1 == b.1);
        let ends = runs.flat_map(|run| run.iter().take(1).chain(run.iter().skip(1).last()));
        let mut cuts: Vec<_> = ends.copied().collect();
        cuts.sort_by_key(|(link, count)| (count.abs_diff(themes), std::cmp::Reverse(*link)));
        cuts.truncate(most);
        cuts
    }

    /// For each merge the theme that its group is a state of, if it is one; and for each theme its life: to which similarity it goes on below a split (or its
    /// beginning), minus that at which it joins another. What must be apart is told to meet where nothing is alike: at 0, or at the least similarity at which others
    /// join, if that is below.
    fn lives(&self) -> (Vec<usize>, Vec<i64>) {
        const NONE: usize = usize::MAX;
        let mut theme: Vec<usize> = Vec::with_capacity(self.merges.len());
        let mut lives: Vec<i64> = Vec::new();
        let mut upwards = self.merges.iter().rev().map(|merge| merge.link);
        let least = upwards.find(|link| *link > APART).unwrap_or(0).min(0);
        let told = |link: i32| {
            i64::from(match link {
                APART => least,
                // Those who must be together are as alike as can be.
                ALWAYS => TOGETHER,
                link => link,
            })
        };
        for (at, merge) in self.merges.iter().enumerate() {
            let own = |theme: &[usize], node: u32| {
                let before = (node as usize).checked_sub(self.points);
                before.map_or(NONE, |before| theme[before])
            };
            let (a, b) = (own(&theme, merge.a), own(&theme, merge.b));
            let (big_a, big_b) = (self.size(merge.a) >= THEME, self.size(merge.b) >= THEME);
            if big_a != big_b && (a, b) != (NONE, NONE) {
                theme.push(if big_a { a } else { b });
                continue;
            }
            if big_a && big_b {
                for ended in [a, b].into_iter().filter(|theme| *theme != NONE) {
                    lives[ended] -= told(merge.link);
                }
            }
            if self.sizes[at] < THEME {
                theme.push(NONE);
            } else {
                theme.push(lives.len());
                lives.push(told(merge.link));
            }
        }
        // What nothing joins is the root's, which is not cut off from anything.
        if let Some(root) = theme.last().filter(|root| **root != NONE) {
            lives[*root] = 0;
        }
        (theme, lives)
    }

    /// The levels, from coarse to fine; none if there is no cut with two themes.
    #[must_use]
    pub fn levels(&self) -> Vec<Level> {
        let (theme, lives) = self.lives();
        let all: i128 = self.weights.iter().map(|w| i128::from(*w)).sum();
        // The sum, over contributions, of the life of the theme that each is in.
        let share = |node: u32| -> (i128, i64) {
            let size = self.size(node);
            let merge = (node as usize).checked_sub(self.points);
            let life = match merge {
                // Five who say the same in the same words are a theme from the start; its life is not known, and not long ago.
                None => 0,
                Some(merge) => lives.get(theme[merge]).copied().unwrap_or(0),
            };
            (
                i128::from(size) * i128::from(life),
                i64::from(size >= THEME),
            )
        };
        let (mut total, mut themes) = (0i128, 0i64);
        for point in 0..self.points {
            themes += share(point as u32).1;
        }
        let mut cuts: Vec<Level> = Vec::new();
        for (at, merge) in self.merges.iter().enumerate() {
            let node = (self.points + at) as u32;
            let [before, also, after] = [merge.a, merge.b, node].map(share);
            total += after.0 - before.0 - also.0;
            themes += after.1 - before.1 - also.1;
            let more = self
                .merges
                .get(at + 1)
                .is_some_and(|next| next.link == merge.link);
            if !more && themes > 1 && merge.link < ALWAYS {
                cuts.push(Level {
                    link: merge.link,
                    themes: themes as usize,
                    persistence: (total / all.max(1)) as i64,
                });
            }
        }
        cuts.reverse();
        // Beyond the cut with the most themes, finer cuts lose them: themes fall into splinters.
        let most = cuts.iter().map(|level| level.themes).max().unwrap_or(0);
        let peak = cuts.iter().position(|level| level.themes == most);
        cuts.truncate(peak.map_or(0, |peak| peak + 1));
        chosen(&cuts)
    }
}

/// The most persistent cut; twice, of those with at most half as many themes but a quarter, the most persistent, and twice, of those with at least double but
/// fourfold: from coarse to fine. All are within each other, because similarities rise.
fn chosen(cuts: &[Level]) -> Vec<Level> {
    let best = |from: usize, to: usize| {
        let among = cuts.iter().filter(|cut| (from..=to).contains(&cut.themes));
        among
            .copied()
            .max_by_key(|cut| (cut.persistence, std::cmp::Reverse(cut.link)))
    };
    let Some(middle) = best(2, usize::MAX) else {
        return Vec::new();
    };
    let mut levels = vec![middle];
    for _ in 0..LEVELS / 2 {
        let Some(first) = levels.first().copied() else {
            break;
        };
        let coarser = best((first.themes / 4).max(2), first.themes / 2);
        levels.splice(0..0, coarser.filter(|level| level.link < first.link));
        let Some(last) = levels.last().copied() else {
            break;
        };
        let finer = best(last.themes.saturating_mul(2), last.themes.saturating_mul(4));
        levels.extend(finer.filter(|level| level.link > last.link));
    }
    levels
}

/// Contributions of each group.
pub(super) fn sizes(groups: &[u32], weights: &[u32]) -> Vec<u64> {
    let mut sizes = vec![0u64; groups.iter().max().map_or(0, |most| *most as usize + 1)];
    for (group, weight) in groups.iter().zip(weights) {
        sizes[*group as usize] += u64::from(*weight);
    }
    sizes
}

/// Groups by their tops, numbered by their lowest points.
pub(super) fn number(top: &[u32]) -> Vec<u32> {
    let most = top.iter().max().map_or(0, |most| *most as usize + 1);
    let mut names = vec![u32::MAX; most];
    let mut next = 0;
    top.iter()
        .map(|top| {
            let name = &mut names[*top as usize];
            if *name == u32::MAX {
                *name = next;
                next += 1;
            }
            *name
        })
        .collect()
}
