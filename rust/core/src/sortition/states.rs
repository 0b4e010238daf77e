//! Which partial panels matter? For each number of people looked at, the window of seats that each value may have so far.
//!
//! People are looked at one by one, in classes of people who have the same value of every feature that is counted. A state holds the seats so far: of
//! each value of the features after the first (all but the last value, which follows from the rest), of the present value of the first feature,
//! and in all. The first feature needs one number alone, because its values come one after the other: when one is done, its seats are
//! checked and forgotten. Windows leave out what could no longer meet a minimum or already breaks a maximum.

/// A box of states: each coordinate from `lo`, `len` values. The last coordinate is contiguous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub(crate) lo: Vec<u32>,
    pub(crate) len: Vec<u32>,
    stride: Vec<usize>,
}

impl Window {
    fn new(bounds: &[(u32, u32)]) -> Option<Self> {
        let mut stride = vec![1usize; bounds.len()];
        let mut len = Vec::with_capacity(bounds.len());
        for &(lo, hi) in bounds {
            len.push(hi.checked_sub(lo)? + 1);
        }
        for d in (1..bounds.len()).rev() {
            stride[d - 1] = stride[d].saturating_mul(len[d] as usize);
        }
        Some(Self {
            lo: bounds.iter().map(|b| b.0).collect(),
            len,
            stride,
        })
    }

    /// Number of states; the largest number there is if there are more, which no table could hold.
    #[must_use]
    pub fn size(&self) -> usize {
        self.stride[0].saturating_mul(self.len[0] as usize)
    }

    /// Where a state is, `times` steps of `step` away from `at`; None outside the box.
    #[must_use]
    pub fn place(&self, at: &[u32], step: &[u32], times: u32) -> Option<usize> {
        let mut place = 0;
        for d in 0..at.len() {
            let offset = (at[d] + step[d] * times).checked_sub(self.lo[d])?;
            if offset >= self.len[d] {
                return None;
            }
            place += offset as usize * self.stride[d];
        }
        Some(place)
    }

    /// Where the row (all coordinates but the last) of a state begins, `step` away from `at`, forwards or backwards; None outside.
    pub(crate) fn row(&self, at: &[u32], step: &[u32], back: bool) -> Option<usize> {
        let mut place = 0;
        for d in 0..at.len() - 1 {
            let moved = if back {
                at[d].checked_sub(step[d])?
            } else {
                at[d] + step[d]
            };
            let offset = moved.checked_sub(self.lo[d])?;
            if offset >= self.len[d] {
                return None;
            }
            place += offset as usize * self.stride[d];
        }
        Some(place)
    }

    /// Lowest and highest value of the last coordinate.
    pub(crate) fn last(&self) -> (u32, u32) {
        let d = self.lo.len() - 1;
        (self.lo[d], self.lo[d] + self.len[d] - 1)
    }

    /// Calls back with the first state of each row and where it is, in order.
    pub(crate) fn rows(&self, mut visit: impl FnMut(&[u32], usize)) {
        let last = self.lo.len() - 1;
        let mut at = self.lo.clone();
        let width = self.len[last] as usize;
        for row in 0..self.size() / width {
            visit(&at, row * width);
            for d in (0..last).rev() {
                at[d] += 1;
                if at[d] < self.lo[d] + self.len[d] {
                    break;
                }
                at[d] = self.lo[d];
            }
        }
    }

    /// A coordinate's bounds replaced.
    pub(crate) fn with(&self, d: usize, lo: u32, hi: u32) -> Option<Self> {
        let mut bounds: Vec<(u32, u32)> = self
            .lo
            .iter()
            .zip(&self.len)
            .map(|(&lo, &len)| (lo, lo + len - 1))
            .collect();
        bounds[d] = (lo, hi);
        Self::new(&bounds)
    }
}

/// A class of people alike in every counted feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its cell of each counted feature, in the features' order.
    pub cells: Vec<u32>,
    /// How many people it has, 1 or more.
    pub people: u32,
}

/// What is counted: a size, features with their cells' bounds, classes; and the windows that follow.
#[derive(Debug, Clone)]
pub struct States {
    pub(crate) size: u32,
    /// The cells of each counted feature.
    pub(crate) features: Vec<Vec<u32>>,
    pub(crate) lo: Vec<u32>,
    pub(crate) hi: Vec<u32>,
    pub(crate) classes: Vec<Class>,
    /// Where each class starts among the people; the number of people at the end.
    pub(crate) starts: Vec<u32>,
    /// The window before each person, and after the last; None if some state space is empty: then there is no panel.
    windows: Option<Vec<Window>>,
}

impl States {
    /// `bounds` are the lowest and highest seats of every cell; `features` lists the cells of each counted feature, the first one's classes
    /// coming value by value. None if the shapes don't fit or the classes of a value of the first feature aren't together.
    #[must_use]
    pub fn new(
        size: u32,
        features: Vec<Vec<u32>>,
        bounds: (Vec<u32>, Vec<u32>),
        classes: Vec<Class>,
    ) -> Option<Self> {
        let (lo, hi) = bounds;
        let fits = lo.len() == hi.len()
            && !features.is_empty()
            && features.iter().all(|f| !f.is_empty())
            && features.iter().flatten().all(|&c| (c as usize) < lo.len())
            && classes.iter().all(|k| {
                k.people > 0
                    && k.cells.len() == features.len()
                    && k.cells.iter().zip(&features).all(|(c, f)| f.contains(c))
            });
        let mut seen: Vec<u32> = classes
            .iter()
            .map(|k| k.cells.first().copied().unwrap_or(0))
            .collect();
        seen.dedup();
        let together = (1..seen.len()).all(|i| !seen[..i].contains(&seen[i]));
        if !fits || !together {
            return None;
        }
        let mut starts = vec![0u32];
        for class in &classes {
            starts.push(starts[starts.len() - 1].checked_add(class.people)?);
        }
        let mut states = Self {
            size,
            features,
            lo,
            hi,
            classes,
            starts,
            windows: None,
        };
        states.windows = states.all_windows();
        Some(states)
    }

    /// The number of seats.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The number of people.
    #[must_use]
    pub fn people(&self) -> u32 {
        self.starts[self.classes.len()]
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// How many states are kept, and how many are gone through for one pass over the people; None if there is no panel.
    #[must_use]
    pub fn cost(&self) -> Option<(u128, u128)> {
        let windows = self.windows.as_ref()?;
        let size = |p: u32| windows[p as usize].size() as u128;
        let kept = self.starts.iter().map(|&p| size(p)).sum();
        let passed = (0..=self.people()).map(size).sum();
        Some((kept, passed))
    }

    /// Coordinates: the cells of the features after the first, the present value of the first, all seats.
    pub(crate) fn dimensions(&self) -> usize {
        self.features[1..]
            .iter()
            .map(|f| f.len() - 1)
            .sum::<usize>()
            + 2
    }

    /// What one more seat of a class adds to each coordinate.
    pub(crate) fn step(&self, class: usize) -> Vec<u32> {
        let mut step = Vec::with_capacity(self.dimensions());
        for (f, cells) in self.features.iter().enumerate().skip(1) {
            let mine = self.classes[class].cells[f];
            step.extend(
                cells[..cells.len() - 1]
                    .iter()
                    .map(|&c| u32::from(c == mine)),
            );
        }
        step.extend([1, 1]);
        step
    }

    /// Whether the first feature's value ends with this class, and its bounds.
    pub(crate) fn ends(&self, class: usize) -> Option<(u32, u32)> {
        let cell = self.classes[class].cells[0];
        let more = self
            .classes
            .get(class + 1)
            .is_some_and(|k| k.cells[0] == cell);
        (!more).then(|| (self.lo[cell as usize], self.hi[cell as usize]))
    }

    /// The window before person `p`, or after the last.
    pub(crate) fn window(&self, p: u32) -> Option<&Window> {
        self.windows.as_ref().map(|w| &w[p as usize])
    }

    /// The window after the last person of a class that ends a value, before that value's seats are forgotten.
    pub(crate) fn before_reset(&self, class: usize) -> Option<Window> {
        let (lo, hi) = self.ends(class)?;
        let cell = self.classes[class].cells[0];
        let people: u32 = self
            .classes
            .iter()
            .filter(|k| k.cells[0] == cell)
            .map(|k| k.people)
            .sum();
        let window = self.window(self.starts[class + 1])?;
        window.with(window.lo.len() - 2, lo, hi.min(people))
    }

    fn all_windows(&self) -> Option<Vec<Window>> {
        let people = self.people();
        let mut whole = vec![0u32; self.lo.len()];
        for class in &self.classes {
            for &c in &class.cells {
                whole[c as usize] += class.people;
            }
        }
        let mut so_far = vec![0u32; self.lo.len()];
        let mut windows = Vec::with_capacity(people as usize + 1);
        for (number, class) in self.classes.iter().enumerate() {
            for i in 0..class.people {
                let begins = i == 0 && (number == 0 || self.ends(number - 1).is_some());
                windows.push(self.window_at(&so_far, &whole, class.cells[0], begins)?);
                for &c in &class.cells {
                    so_far[c as usize] += 1;
                }
            }
        }
        windows.push(self.window_at(&so_far, &whole, 0, true)?);
        Some(windows)
    }

    fn window_at(
        &self,
        so_far: &[u32],
        whole: &[u32],
        present: u32,
        begins: bool,
    ) -> Option<Window> {
        let cell = |c: u32| {
            let c = c as usize;
            let low = self.lo[c].saturating_sub(whole[c] - so_far[c]);
            (low, self.hi[c].min(so_far[c]).min(self.size))
        };
        if self
            .features
            .iter()
            .flatten()
            .any(|&c| cell(c).0 > cell(c).1)
        {
            return None;
        }
        let passed: u32 = self.features[0].iter().map(|&c| so_far[c as usize]).sum();
        let mut low = self.size.saturating_sub(self.people() - passed);
        let mut high = self.size.min(passed);
        for cells in &self.features {
            low = low.max(cells.iter().map(|&c| cell(c).0).sum());
            high = high.min(cells.iter().map(|&c| cell(c).1).sum());
        }
        let mut bounds: Vec<(u32, u32)> = self.features[1..]
            .iter()
            .flat_map(|cells| cells[..cells.len() - 1].iter().map(|&c| cell(c)))
            .collect();
        bounds.push(if begins { (0, 0) } else { cell(present) });
        bounds.push((low, high));
        Window::new(&bounds)
    }

    /// Whether the seats at the end keep every quota of the features after the first.
    pub(crate) fn allowed(&self, at: &[u32]) -> bool {
        let mut d = 0;
        self.features[1..].iter().all(|cells| {
            let mut rest = self.size;
            for &c in &cells[..cells.len() - 1] {
                let seats = at[d];
                d += 1;
                if seats > rest || !(self.lo[c as usize]..=self.hi[c as usize]).contains(&seats) {
                    return false;
                }
                rest -= seats;
            }
            let last = cells[cells.len() - 1] as usize;
            (self.lo[last]..=self.hi[last]).contains(&rest)
        })
    }
}
