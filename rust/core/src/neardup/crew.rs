//! How do several threads share the rows, and who listens for an interruption?
//!
//! Work is cut into numbered blocks; whoever is free takes the next, in ascending order. Nothing that a block yields may depend on who took it. The calling thread
//! does not work: it asks the watcher, who alone may speak to Python, and tells the others when to stop. Whoever works long on one block looks at that, too.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::time::Duration;

/// Asked now and then with a phase and how many blocks of it were taken; once it answers no, everybody stops and results are worthless.
pub type Watch<'a> = &'a dyn Fn(&'static str, usize) -> bool;

/// Between two questions to the watcher.
const PULSE: Duration = Duration::from_millis(20);

/// Whether everybody is to stop.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Not set.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Whether everybody is to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Threads and the watcher.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    /// How many threads work, at least 1.
    pub threads: usize,
    /// Who is told of progress and may stop everything.
    pub watch: Watch<'a>,
    /// What is set when the watcher said no.
    pub stop: &'a Stop,
}

impl Crew<'_> {
    /// Does `blocks` blocks of work; each thread makes a state of its own, and all states come back in no particular order. None if the watcher stopped it.
    pub fn share<S, N, W>(
        &self,
        phase: &'static str,
        blocks: usize,
        new: N,
        work: W,
    ) -> Option<Vec<S>>
    where
        S: Send,
        N: Fn() -> S + Sync,
        W: Fn(&mut S, usize) + Sync,
    {
        let next = AtomicUsize::new(0);
        let stop = self.stop;
        let take = || {
            let block = next.fetch_add(1, Relaxed);
            (block < blocks && !stop.is_set()).then_some(block)
        };
        let (done, finished) = channel::<()>();
        let alone = |done: std::sync::mpsc::Sender<()>| {
            let mut state = new();
            while let Some(block) = take() {
                work(&mut state, block);
            }
            // Dropped here, or by a panic: once all are, the caller wakes up.
            drop(done);
            state
        };
        let states = std::thread::scope(|scope| {
            let hands = self.threads.min(blocks).max(1);
            let alone = &alone;
            let hired: Vec<_> = (0..hands)
                .map(|_| {
                    let done = done.clone();
                    scope.spawn(move || alone(done))
                })
                .collect();
            drop(done);
            while finished.recv_timeout(PULSE) == Err(RecvTimeoutError::Timeout) {
                if !stop.is_set() && !(self.watch)(phase, next.load(Relaxed).min(blocks)) {
                    stop.0.store(true, Relaxed);
                }
            }
            let states = hired.into_iter().map(|thread| match thread.join() {
                Ok(state) => state,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            states.collect()
        });
        // Also asked once for work that was done within a pulse.
        if !stop.is_set() && !(self.watch)(phase, blocks) {
            stop.0.store(true, Relaxed);
        }
        (!stop.is_set()).then_some(states)
    }
}

/// Sorts by several threads: parts of their own first, which one thread then merges.
pub(crate) fn ascending<T: Ord + Copy + Send>(values: &mut [T], threads: usize) {
    if threads <= 1 {
        values.sort_unstable();
        return;
    }
    let size = values.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for part in values.chunks_mut(size) {
            scope.spawn(|| part.sort_unstable());
        }
    });
    // The stable sort of the standard library finds runs that are sorted, and merges them.
    values.sort();
}

#[cfg(test)]
mod tests {
    use super::{ascending, Crew, Stop};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[test]
    fn whoever_works_long_on_one_block_can_hear_that_everybody_is_to_stop() {
        let stop = Stop::default();
        let asked = AtomicUsize::new(0);
        let crew = Crew {
            threads: 2,
            watch: &|_, _| asked.fetch_add(1, Relaxed) < 3,
            stop: &stop,
        };
        let done = crew.share(
            "waiting",
            2,
            || (),
            |(), block| {
                while block == 1 && !stop.is_set() {
                    std::thread::yield_now();
                }
            },
        );
        assert!(done.is_none());
        assert_eq!(asked.load(Relaxed), 4);
    }

    #[test]
    fn all_blocks_are_done_once() {
        let stop = Stop::default();
        let crew = Crew {
            threads: 3,
            watch: &|_, _| true,
            stop: &stop,
        };
        let states = crew.share("counting", 100, Vec::new, |seen, block| seen.push(block));
        let mut seen = states.unwrap_or_default().concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn any_number_of_threads_sorts_alike() {
        let values: Vec<u64> = (0..1000u64)
            .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50)
            .collect();
        let mut right = values.clone();
        right.sort_unstable();
        for threads in [0, 1, 2, 7, 2000] {
            let mut sorted = values.clone();
            ascending(&mut sorted, threads);
            assert_eq!(sorted, right);
        }
        ascending::<u64>(&mut [], 3);
    }
}
