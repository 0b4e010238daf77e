//! What is there to show: the groups, whom to quote of each, and where a contribution stands.

use std::cmp::Reverse;

use super::frame::Scratch;
use super::Live;

/// A group as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Its id.
    pub id: u32,
    /// Its contributions.
    pub count: u32,
    /// The one that is most like all others, on average (ties: the first).
    pub medoid: u32,
    /// The latest, newest first.
    pub newest: Vec<u32>,
    /// What is usual in it, and what it asks for.
    pub usual: (f64, f64),
    /// What a contribution must reach.
    pub limit: i32,
    /// Grows with every change, so that what is known of it need not be computed again.
    pub stamp: u32,
}

/// Where a contribution stands, compared with what is there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The id of its theme.
    pub id: u32,
    /// Its average similarity to the others there; None if it is alone.
    pub similarity: Option<i32>,
    /// The most alike of all other themes, with the average similarity to its contributions.
    pub second: Option<(u32, i32)>,
}

impl Live {
    /// All groups, the largest first, then the older; each with its newest.
    #[must_use]
    pub fn views(&self, newest: usize) -> Vec<View> {
        let mut last = vec![Vec::new(); self.state.groups.len()];
        for contribution in (0..self.len() as u32).rev() {
            let group = self.state.group_of(contribution).unwrap_or_default();
            if let Some(list) = last
                .get_mut(group as usize)
                .filter(|list| list.len() < newest)
            {
                list.push(contribution);
            }
        }
        let groups = self.state.groups.iter().zip(last).zip(&self.state.limits);
        let views = groups.map(|((group, newest), limit)| View {
            id: group.id,
            count: group.count,
            medoid: u32::MAX,
            newest,
            usual: group.spread.usual(&self.state.frame.pool),
            limit: *limit,
            stamp: group.stamp ^ self.round << 20,
        });
        let mut views: Vec<View> = views.collect();
        views.sort_by_key(|view| (Reverse(view.count), view.id));
        views
    }

    /// For each of these ids the member that is most like all others, on average; the first of equals.
    #[must_use]
    pub fn medoids(&self, ids: &[u32]) -> Vec<u32> {
        let places: Vec<Option<usize>> = ids
            .iter()
            .map(|id| self.state.groups.iter().position(|group| group.id == *id))
            .collect();
        let mut best: Vec<Option<(i64, Reverse<u32>)>> = vec![None; self.state.groups.len()];
        let mut wanted = vec![false; self.state.groups.len()];
        places
            .iter()
            .flatten()
            .for_each(|place| wanted[*place] = true);
        let (mut row, mut scratch) = (vec![0; self.store.rows().width()], Scratch::default());
        for contribution in 0..self.len() as u32 {
            let place = self.state.group_of(contribution).unwrap_or_default() as usize;
            if wanted.get(place) != Some(&true) {
                continue;
            }
            let Some(group) = self.state.groups.get(place) else {
                continue;
            };
            let alike = if group.count > 1 {
                let raw = self.store.rows().get(contribution as usize);
                self.state.frame.centre(raw, &mut scratch, &mut row);
                i64::from(self.state.alone(&row, &group.sum, group.count as usize))
            } else {
                0
            };
            best[place] = best[place].max(Some((alike, Reverse(contribution))));
        }
        let medoid = |place: &Option<usize>| {
            let found = place.and_then(|place| best.get(place).copied().flatten());
            found.map_or(u32::MAX, |(_, Reverse(contribution))| contribution)
        };
        places.iter().map(medoid).collect()
    }

    /// The contributions of a theme, ascending; none if there is no such theme.
    #[must_use]
    pub fn members_of(&self, id: u32) -> Vec<u32> {
        let Some(place) = self.state.groups.iter().position(|group| group.id == id) else {
            return Vec::new();
        };
        let all = 0..self.len() as u32;
        all.filter(|at| self.state.group_of(*at) == Some(place as u32))
            .collect()
    }

    /// The theme of each contribution.
    #[must_use]
    pub fn labels(&self) -> Vec<u32> {
        let all = 0..self.len() as u32;
        let id = |at| {
            self.state
                .groups
                .get(self.state.group_of(at).unwrap_or_default() as usize)
        };
        all.map(|at| id(at).map_or(0, |group| group.id)).collect()
    }

    /// Where a contribution stands now.
    #[must_use]
    pub fn standing(&self, contribution: u32) -> Option<Standing> {
        let place = self.state.group_of(contribution)?;
        let group = self.state.groups.get(place as usize)?;
        let mut row = vec![0; self.store.rows().width()];
        let raw = self.store.rows().get(contribution as usize);
        self.state
            .frame
            .centre(raw, &mut Scratch::default(), &mut row);
        let own =
            (group.count > 1).then(|| self.state.alone(&row, &group.sum, group.count as usize));
        let mut similar = Vec::new();
        super::scan::Scan::new().all(&row, &self.state.means, &mut similar);
        let others = (0u32..).zip(similar).filter(|(at, _)| *at != place);
        let best = others.max_by_key(|(at, similarity)| (*similarity, Reverse(*at)));
        let best = best.and_then(|(at, s)| self.state.groups.get(at as usize).map(|g| (g.id, s)));
        Some(Standing {
            id: group.id,
            similarity: own,
            second: best,
        })
    }
}
