//! Bindings of live themes: vectors in, where they belong out; consolidations on a snapshot.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use klero_core::embed::features::Features;
use klero_core::neardup::index::shared::{Shared, Unusable};
use klero_core::vectors::live::consolidate::{Done, Plan};
use klero_core::vectors::live::identity::{Change, Kind};
use klero_core::vectors::live::links::{Refused, Tie};
use klero_core::vectors::live::words::{Words, EMBEDDER};
use klero_core::vectors::live::{parts, spread, Answer, Live, Unfit, ALGORITHM};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::borrowed::Bytes;
use crate::door;
use crate::neardup::bytes;

/// Adds this family's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LIVE_ALGORITHM", ALGORITHM)?;
    module.add_class::<LiveGroups>()?;
    module.add("LIVE_EMBEDDER", EMBEDDER)?;
    module.add_class::<LiveWords>()?;
    module.add_class::<LivePlan>()
}

/// The first vector that can't be added, and why.
type FirstUnfit = (usize, &'static str);

/// A theme, the similarity to the others there (None: alone), and the most alike other theme with its similarity.
type Standing = (u32, Option<f64>, Option<(u32, f64)>);

/// Theme, its size, whether it is new, whether a copy was there, similarity, limit, novelty, sureness, the next best and its similarity.
type Told = (
    u32,
    u32,
    bool,
    bool,
    f64,
    f64,
    Option<f64>,
    f64,
    Option<(u32, f64)>,
);
/// The kind, ids and sizes before, ids and sizes after.
type Event = (&'static str, Vec<(u32, u32)>, Vec<(u32, u32)>);
/// Why a link was refused, and of what.
type Refusal = (&'static str, Vec<usize>);
/// Id, size, newest, usual similarity and its deviation, limit, stamp.
type Shown = (u32, u32, Vec<u32>, f64, f64, f64, u32);
/// Which link: its kind, its lists, its themes.
type Said = (&'static str, Vec<u32>, Vec<u32>, Option<(u32, u32)>);

fn share(similarity: i32) -> f64 {
    f64::from(similarity) / spread::ONE
}

fn told(answer: &Answer) -> Told {
    let placed = &answer.placed;
    (
        answer.id,
        placed.size,
        placed.new,
        placed.copy,
        share(placed.similarity),
        share(placed.limit),
        answer.novelty(),
        answer.sureness(),
        answer
            .second
            .map(|(id, similarity)| (id, share(similarity))),
    )
}

fn events(changes: Vec<Change>) -> Vec<Event> {
    let name = |kind| match kind {
        Kind::Merge => "merge",
        Kind::Split => "split",
    };
    changes
        .into_iter()
        .map(|c| (name(c.kind), c.from, c.to))
        .collect()
}

fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::Unknown => ("unknown", Vec::new()),
        Refused::Same => ("same", Vec::new()),
        Refused::Apart(link) => ("apart", vec![link]),
        Refused::Together(link) => ("together", vec![link]),
        Refused::Names(one, two) => ("names", vec![one as usize, two as usize]),
    }
}

fn unfit(why: Unfit) -> &'static str {
    match why {
        Unfit::NotFinite => "finite",
        Unfit::Zero => "zero",
        Unfit::Full => "full",
    }
}

/// Themes that grow, for any thread.
#[pyclass(frozen)]
struct LiveGroups(Shared<Live>);

impl LiveGroups {
    /// Runs a kernel with no other thread using the themes.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        kernel: impl FnOnce(&mut Live) -> T + Send,
    ) -> PyResult<T> {
        let held = door::detached(py, |alive| self.0.with(alive, kernel))?;
        held.map_err(|why| match why {
            Unusable::Stopped => PyRuntimeError::new_err("stopped"),
            Unusable::Broken => door::broken(
                py,
                "An earlier call on these live themes stopped half-way with a fault of klero's own, so they can't be trusted. Load them from their file, and please report the fault",
            ),
        })
    }
}

#[pymethods]
impl LiveGroups {
    #[new]
    fn new(dimension: usize, granularity: f64) -> PyResult<Self> {
        if dimension == 0 || !granularity.is_finite() {
            return Err(PyValueError::new_err("a setting is out of its range"));
        }
        Ok(Self(Shared::new(Live::new(dimension, granularity))))
    }

    /// Where each vector belongs; or the first that can't be added, and why, and then none was.
    fn add(
        &self,
        py: Python<'_>,
        vectors: &Bound<'_, PyAny>,
    ) -> PyResult<(Vec<Told>, Option<FirstUnfit>)> {
        let vectors = Bytes::of(vectors)?;
        let vectors = vectors.as_slice();
        self.with(py, |live| {
            if let Some((row, why)) = live.unfit(vectors) {
                return (Vec::new(), Some((row, unfit(why))));
            }
            let rows = vectors.chunks_exact(live.dimension() * 4);
            let added = rows.map(|row| live.add(row));
            (added.flatten().map(|answer| told(&answer)).collect(), None)
        })
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |live| live.len())
    }

    /// Numbers in a vector.
    #[getter]
    fn dimension(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |live| live.dimension())
    }

    /// Says whether a theme has a name; false if there is no such theme.
    fn set_named(&self, py: Python<'_>, theme: u32, named: bool) -> PyResult<bool> {
        self.with(py, |live| live.set_named(theme, named))
    }

    /// Links contributions (must: together, else apart): what changed, or why it is refused.
    fn link(
        &self,
        py: Python<'_>,
        must: bool,
        left: Vec<u32>,
        right: Vec<u32>,
        themes: Option<(u32, u32)>,
    ) -> PyResult<(Vec<Event>, Option<Refusal>)> {
        let linked = self.with(py, |live| {
            if must {
                live.must(&left, &right, themes)
            } else {
                live.cannot(&left, &right)
            }
        })?;
        Ok(match linked {
            Ok(changes) => (events(changes), None),
            Err(why) => (Vec::new(), Some(refusal(why))),
        })
    }

    /// Takes the last link back: what changed; None if there is none.
    fn unlink(&self, py: Python<'_>) -> PyResult<Option<Vec<Event>>> {
        let undone = self.with(py, |live| live.unlink())?;
        Ok(undone.map(|(_, changes)| events(changes)))
    }

    /// The links in force.
    fn links(&self, py: Python<'_>) -> PyResult<Vec<Said>> {
        self.with(py, |live| {
            let said = live.links().iter().map(|link| {
                let kind = if link.tie == Tie::Must {
                    "must_link"
                } else {
                    "cannot_link"
                };
                (kind, link.left.clone(), link.right.clone(), link.themes)
            });
            said.collect()
        })
    }

    /// All themes, the largest first, each with its newest contributions.
    fn views(&self, py: Python<'_>, newest: usize) -> PyResult<Vec<Shown>> {
        let views = self.with(py, |live| live.views(newest))?;
        let shown = views.into_iter().map(|view| {
            let (mean, deviation) = view.usual;
            (
                view.id,
                view.count,
                view.newest,
                mean / spread::ONE,
                deviation / spread::ONE,
                share(view.limit),
                view.stamp,
            )
        });
        Ok(shown.collect())
    }

    /// For each theme the contribution that is most like all others.
    fn medoids(&self, py: Python<'_>, themes: Vec<u32>) -> PyResult<Vec<u32>> {
        self.with(py, |live| live.medoids(&themes))
    }

    /// The contributions of a theme, ascending, as numbers of four bytes.
    fn members<'py>(&self, py: Python<'py>, theme: u32) -> PyResult<Bound<'py, PyBytes>> {
        let members = self.with(py, |live| live.members_of(theme))?;
        bytes(py, &members, |n| n.to_le_bytes())
    }

    /// The theme of each contribution, as numbers of four bytes.
    fn labels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let labels = self.with(py, |live| live.labels())?;
        bytes(py, &labels, |n| n.to_le_bytes())
    }

    /// A contribution's theme, its similarity to the others there, the most alike other theme and the similarity to that.
    fn standing(&self, py: Python<'_>, contribution: u32) -> PyResult<Option<Standing>> {
        let standing = self.with(py, |live| live.standing(contribution))?;
        Ok(standing.map(|s| {
            (
                s.id,
                s.similarity.map(share),
                s.second.map(|(id, x)| (id, share(x))),
            )
        }))
    }

    /// Everything, as bytes.
    fn write<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let written = self.with(py, |live| parts::write(live))?;
        Ok(PyBytes::new(py, &written))
    }

    /// What `write` wrote; None if these bytes are not that.
    #[staticmethod]
    fn read(py: Python<'_>, written: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let written = Bytes::of(written)?;
        let read = door::detached(py, |_| parts::read(written.as_slice()))?;
        Ok(read.map(|live| Self(Shared::new(live))))
    }

    /// A consolidation of what is there now, of at most so many micro-clusters.
    fn plan(&self, py: Python<'_>, most: usize) -> PyResult<LivePlan> {
        let plan = self.with(py, |live| Plan::of(live, most))?;
        Ok(LivePlan(Mutex::new(Some(plan))))
    }
}

/// A consolidation under way.
#[pyclass(frozen)]
struct LivePlan(Mutex<Option<Plan>>);

impl LivePlan {
    /// Runs a step; what was finished has no more steps.
    fn step<T: Send>(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&mut Plan, &dyn Fn() -> bool) -> T + Send,
    ) -> PyResult<T> {
        let done = door::detached(py, |alive| {
            let mut plan = self.0.lock().ok()?;
            plan.as_mut().map(|plan| step(plan, alive))
        })?;
        done.ok_or_else(|| PyRuntimeError::new_err("this consolidation is over"))
    }
}

/// Rows of vectors, rounded as these themes do; None if one can't be.
fn rounded(live: &Live, vectors: &[u8]) -> Option<Vec<Vec<i16>>> {
    let rows = vectors.chunks_exact(live.dimension() * 4);
    rows.map(|row| live.rounded(row)).collect()
}

#[pymethods]
impl LivePlan {
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.step(py, |plan, _| plan.len())
    }

    /// Takes other vectors for the same contributions; false if they don't fit.
    fn replace(
        &self,
        py: Python<'_>,
        live: &LiveGroups,
        vectors: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let vectors = Bytes::of(vectors)?;
        let vectors = vectors.as_slice();
        let Some(rows) = live.with(py, |live| rounded(live, vectors))? else {
            return Ok(false);
        };
        self.step(py, |plan, _| plan.replace(rows.iter().map(Vec::as_slice)))
    }

    /// Does the work; false if the time ran out.
    fn work(&self, py: Python<'_>, budget_s: Option<f64>) -> PyResult<bool> {
        let budget = budget_s.map(|s| Duration::from_secs_f64(s.clamp(0.0, 1e6)));
        let start = Instant::now();
        self.step(py, |plan, alive| {
            let alive = || alive() && budget.is_none_or(|budget| start.elapsed() <= budget);
            plan.work(&alive).is_some()
        })
    }

    /// Places up to `most` contributions that came meanwhile; how many are left.
    fn catch_up(&self, py: Python<'_>, live: &LiveGroups, most: usize) -> PyResult<usize> {
        live.with(py, |live| match self.0.lock() {
            Ok(mut plan) => plan.as_mut().map_or(0, |plan| plan.catch_up(live, most)),
            Err(_) => 0,
        })
    }

    /// Places contributions that came meanwhile by their other vectors; false if one can't be.
    fn follow(
        &self,
        py: Python<'_>,
        live: &LiveGroups,
        vectors: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let vectors = Bytes::of(vectors)?;
        let vectors = vectors.as_slice();
        let Some(rows) = live.with(py, |live| rounded(live, vectors))? else {
            return Ok(false);
        };
        self.step(py, |plan, _| rows.iter().for_each(|row| plan.follow(row)))?;
        Ok(true)
    }

    /// Puts the result in place: what was done; None if it is stale, and then nothing has changed.
    fn finish<'py>(
        &self,
        py: Python<'py>,
        live: &LiveGroups,
    ) -> PyResult<Option<Bound<'py, pyo3::types::PyDict>>> {
        let done = live.with(py, |live| {
            let plan = self.0.lock().ok()?.take()?;
            plan.finish(live).ok()
        })?;
        done.map(|done| report(py, done)).transpose()
    }
}

fn report(py: Python<'_>, done: Done) -> PyResult<Bound<'_, pyo3::types::PyDict>> {
    let told = pyo3::types::PyDict::new(py);
    told.set_item("contributions", done.contributions)?;
    told.set_item("caught_up", done.caught_up)?;
    told.set_item("micro_clusters", done.micros)?;
    told.set_item("condensed", done.condensed)?;
    told.set_item("waiting", done.waiting)?;
    told.set_item("set_apart", done.set_apart)?;
    told.set_item("similarity", share(done.cut))?;
    told.set_item("moved", done.moved)?;
    told.set_item("changes", events(done.changes))?;
    Ok(told)
}

/// Vectors for texts without a corpus.
#[pyclass(frozen)]
struct LiveWords(Shared<Words>);

impl LiveWords {
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        kernel: impl FnOnce(&mut Words) -> T + Send,
    ) -> PyResult<T> {
        let held = door::detached(py, |alive| self.0.with(alive, kernel))?;
        held.map_err(|_| PyRuntimeError::new_err("stopped"))
    }
}

#[pymethods]
impl LiveWords {
    #[new]
    fn new() -> Self {
        Self(Shared::new(Words::default()))
    }

    /// Counts the words of texts.
    fn learn(&self, py: Python<'_>, texts: Vec<String>) -> PyResult<()> {
        self.with(py, |words| {
            let mut features = Features::default();
            texts
                .iter()
                .for_each(|text| words.learn(&mut features, text.as_bytes()));
        })
    }

    /// How many different texts were counted.
    fn texts(&self, py: Python<'_>) -> PyResult<u32> {
        self.with(py, |words| words.texts())
    }

    /// Another with the same counts, so that one may go on learning.
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        self.with(py, |words| Self(Shared::new(words.clone())))
    }

    /// The vectors of texts, 512 floats each, one after the other.
    fn embed<'py>(&self, py: Python<'py>, texts: Vec<String>) -> PyResult<Bound<'py, PyBytes>> {
        let vectors = self.with(py, |words| {
            let mut features = Features::default();
            let rows = texts
                .iter()
                .map(|text| words.embed(&mut features, text.as_bytes()));
            rows.collect::<Vec<_>>().concat()
        })?;
        bytes(py, &vectors, |x| x.to_ne_bytes())
    }
}
