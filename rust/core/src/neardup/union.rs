//! Which rows belong together, while several threads find out?
//!
//! Union-find with path halving; a root always points to a smaller row, so the root of a component is its smallest row whatever the order in
//! which links arrive (Anderson and Woll 1991 for the idea of linking by compare-and-swap). No lock; no other memory is published through it.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Components of rows.
pub struct Forest {
    parents: Vec<AtomicU32>,
}

impl Forest {
    /// Every row alone.
    #[must_use]
    pub fn new(rows: u32) -> Self {
        Self {
            parents: (0..rows).map(AtomicU32::new).collect(),
        }
    }

    /// Every row with the one that carries its words.
    #[must_use]
    pub fn of_copies(carriers: &[u32]) -> Self {
        Self {
            parents: carriers.iter().copied().map(AtomicU32::new).collect(),
        }
    }

    /// The smallest row known to be in the component.
    #[must_use]
    pub fn find(&self, row: u32) -> u32 {
        let mut at = row;
        loop {
            let parent = self.parents[at as usize].load(Relaxed);
            if parent == at {
                return at;
            }
            let above = self.parents[parent as usize].load(Relaxed);
            if above == parent {
                return parent;
            }
            // It does not matter whether this succeeds: somebody else shortened the path, or the next visit does.
            let _ =
                self.parents[at as usize].compare_exchange_weak(parent, above, Relaxed, Relaxed);
            at = above;
        }
    }

    /// Joins two components; whether they were apart.
    pub fn join(&self, a: u32, b: u32) -> bool {
        let (mut a, mut b) = (a, b);
        loop {
            a = self.find(a);
            b = self.find(b);
            if a == b {
                return false;
            }
            let (small, large) = (a.min(b), a.max(b));
            if self.parents[large as usize]
                .compare_exchange(large, small, Relaxed, Relaxed)
                .is_ok()
            {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Forest;

    #[test]
    fn a_component_is_called_by_its_smallest_row_in_any_order_and_on_any_thread() {
        let links: Vec<(u32, u32)> = (1..3000u32).map(|i| (i, (i * 7919) % i)).collect();
        let forest = Forest::new(3001);
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (forest, links) = (&forest, &links);
                scope.spawn(move || {
                    for (a, b) in links.iter().rev().skip(worker).step_by(4) {
                        forest.join(*a, *b);
                    }
                });
            }
        });
        assert!((0..3000).all(|row| forest.find(row) == 0));
        assert_eq!(forest.find(3000), 3000);
        assert!(!forest.join(5, 9));
    }
}
