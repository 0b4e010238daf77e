//! From vectors to themes, all steps in their order.
//!
//! Rows → sphere and distinct points → leading directions → neighbours → rows smoothed by them → linkage → tree. What a cut needs is kept, so that another granularity is no new fit.

use std::collections::HashMap;

use super::flat::Flat;
use super::fringe::{second_look, Company, Cut};
use super::linkage::{link, Ties};
use super::lists;
use super::points::{On, Points};
use super::reduce::{leading, projected, FEWEST};
use super::smooth::smoothed;
use super::sphere::{Flaw, Source, Sphere};
use super::tile::Kernel;
use super::tree::{self, Tree};
use super::Rows;
use crate::neardup::crew::Crew;

/// The version of the whole; any change of a group is a new one.
pub const ALGORITHM: &str = "klero-themes/1";

/// A number of themes is looked for among so many cuts.
const TRIES: usize = 16;

/// What is settled before a fit.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Neighbours of a point in the graph.
    pub neighbours: usize,
    /// Rows that must be together.
    pub must: Vec<(u32, u32)>,
    /// Rows that must be apart.
    pub cannot: Vec<(u32, u32)>,
}

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An entry is infinite or not a number.
    NotFinite,
    /// Pairs of rows that must be apart and are one point.
    Same(Vec<(u32, u32)>),
    /// Pairs of rows that must be apart and are together by others that must be, some of which are one point.
    Together(Vec<(u32, u32)>),
    /// The watcher stopped it.
    Stopped,
}

/// A fit.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Where rows were taken to.
    pub sphere: Sphere,
    /// Distinct points.
    pub points: Points,
    /// How many directions were kept, and what share of squared lengths.
    pub kept: (usize, f64),
    /// The tree.
    pub tree: Tree,
    rows: Flat,
    near: Company,
    tied: Vec<bool>,
}

/// Rows along their leading directions, how many these are, and what share of squared lengths they keep. Rows of few numbers stay as they are.
fn reduced(crew: &Crew<'_>, rows: &dyn Rows, dimension: usize) -> Option<(Flat, (usize, f64))> {
    if dimension > FEWEST {
        let basis = leading(crew, rows, dimension)?;
        let flat = projected(crew, rows, &basis)?;
        return Some((flat, (basis.kept, basis.share)));
    }
    let mut flat = Flat::new(rows.len(), rows.width());
    for (at, out) in flat.parts(1).enumerate() {
        rows.read(at, out);
    }
    Some((flat, (dimension, 1.0)))
}

/// Pairs of rows that must be apart, and are together by chains of those that must be and of rows that are one point.
fn together(points: &Points, options: &Options) -> Vec<(u32, u32)> {
    let mut root: HashMap<u32, u32> = HashMap::new();
    let find = |root: &HashMap<u32, u32>, row: u32| {
        let mut at = points.of_row[row as usize];
        while let Some(up) = root.get(&at) {
            at = *up;
        }
        at
    };
    for (a, b) in &options.must {
        let (a, b) = (find(&root, *a), find(&root, *b));
        if a != b {
            root.insert(a.max(b), a.min(b));
        }
    }
    let pairs = options.cannot.iter().copied();
    pairs
        .filter(|(a, b)| find(&root, *a) == find(&root, *b))
        .collect()
}

impl Engine {
    /// Fits.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn fit(
        crew: &Crew<'_>,
        source: &Source<'_>,
        options: &Options,
        exactly: Option<bool>,
    ) -> Result<Self, Refusal> {
        let sphere = Sphere::around(crew, source, true).map_err(|flaw| match flaw {
            Flaw::NotFinite => Refusal::NotFinite,
            Flaw::Stopped => Refusal::Stopped,
        })?;
        let points = Points::of(crew, source, &sphere).ok_or(Refusal::Stopped)?;
        let point = |row: u32| points.of_row[row as usize];
        let same = options
            .cannot
            .iter()
            .filter(|(a, b)| point(*a) == point(*b));
        let same: Vec<_> = same.copied().collect();
        if !same.is_empty() {
            return Err(Refusal::Same(same));
        }
        let together = together(&points, options);
        if !together.is_empty() {
            return Err(Refusal::Together(together));
        }
        Self::on(crew, source, sphere, points, options, exactly).ok_or(Refusal::Stopped)
    }

    fn on(
        crew: &Crew<'_>,
        source: &Source<'_>,
        sphere: Sphere,
        points: Points,
        options: &Options,
        exactly: Option<bool>,
    ) -> Option<Self> {
        let on = On {
            source,
            sphere: &sphere,
            points: &points,
        };
        let (rows, kept) = reduced(crew, &on, sphere.dimension())?;
        let mut near = lists::neighbours(crew, Kernel::best(), &rows, options.neighbours, exactly)?;
        let moved = smoothed(crew, &rows, &near)?;
        let of = |pairs: &[(u32, u32)]| -> Vec<(u32, u32)> {
            let point = |row: u32| points.of_row[row as usize];
            pairs.iter().map(|(a, b)| (point(*a), point(*b))).collect()
        };
        let (must, cannot) = (of(&options.must), of(&options.cannot));
        let ties = Ties {
            must: &must,
            cannot: &cannot,
        };
        // The second look asks how alike neighbours are, not who they are.
        let similarities = std::mem::take(&mut near.similarities);
        let (k, merges) = (near.k, link(crew, &moved, &points.copies, near, ties)?);
        let tree = Tree::new(&points.copies, &merges);
        let mut tied = vec![false; points.len()];
        for (a, b) in must.iter().chain(&cannot) {
            tied[*a as usize] = true;
            tied[*b as usize] = true;
        }
        Some(Self {
            kept,
            sphere,
            points,
            tree,
            rows,
            near: Company { k, similarities },
            tied,
        })
    }

    /// The group of each point at this similarity, after a second look if one is wanted; None if stopped.
    #[must_use]
    pub fn cut(&self, crew: &Crew<'_>, link: i32, minority: bool) -> Option<Vec<u32>> {
        let groups = self.tree.cut(link);
        if !minority {
            return Some(groups);
        }
        let cut = Cut {
            rows: &self.rows,
            weights: &self.points.copies,
            near: &self.near,
            tied: &self.tied,
            link,
        };
        second_look(crew, &cut, &groups)
    }

    /// The similarity of a cut with this many themes or, if there is none, with nearly as many; and the number. None if stopped.
    #[must_use]
    pub fn cut_for(&self, crew: &Crew<'_>, themes: usize, minority: bool) -> Option<(i32, usize)> {
        let mut best: Option<(usize, i32, usize)> = None;
        for (link, _) in self.tree.near_cuts(themes, TRIES) {
            let [count, ..] = self.kinds(&self.cut(crew, link, minority)?);
            let found = (count.abs_diff(themes), link, count);
            if best.is_none_or(|best| {
                (found.0, std::cmp::Reverse(found.1)) < (best.0, std::cmp::Reverse(best.1))
            }) {
                best = Some(found);
            }
            if found.0 == 0 {
                break;
            }
        }
        Some(best.map_or((i32::MAX, 0), |(_, link, count)| (link, count)))
    }

    /// How many themes, weak signals and lone voices there are among these groups of points.
    #[must_use]
    pub fn kinds(&self, groups: &[u32]) -> [usize; 3] {
        let mut kinds = [0; 3];
        for size in tree::sizes(groups, &self.points.copies) {
            kinds[usize::from(super::parts::kind(size))] += 1;
        }
        kinds
    }
}
