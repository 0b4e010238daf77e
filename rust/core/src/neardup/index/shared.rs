//! How do several threads use one index, or another thing that grows?
//!
//! One at a time. Whoever waits keeps asking whether to go on, so that Ctrl-C is heard; and an index that a fault of klero's own left
//! half-changed answers nothing any more, rather than something wrong.

use std::sync::{Mutex, TryLockError};
use std::thread::sleep;
use std::time::Duration;

use super::Index;

/// Between two looks at whether the index is free.
const PAUSE: Duration = Duration::from_micros(200);

/// An index, or another thing, for several threads.
pub struct Shared<T = Index>(Mutex<T>);

/// Why an index could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// An earlier use panicked.
    Broken,
    /// The caller said stop while another used it.
    Stopped,
}

impl<T> Shared<T> {
    /// Shares it.
    pub fn new(index: T) -> Self {
        Self(Mutex::new(index))
    }

    /// Runs `act` while nobody else uses the index.
    ///
    /// # Errors
    /// An earlier use panicked, or `alive` said no while another used it: `act` was not run.
    pub fn with<R>(
        &self,
        alive: &dyn Fn() -> bool,
        act: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Unusable> {
        loop {
            match self.0.try_lock() {
                Ok(mut index) => return Ok(act(&mut index)),
                Err(TryLockError::Poisoned(_)) => return Err(Unusable::Broken),
                Err(TryLockError::WouldBlock) if alive() => sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(Unusable::Stopped),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::neardup::measure::{Measure, Rule};

    fn shared() -> Shared {
        let rule = Rule {
            measure: Measure::Jaccard,
            threshold: 0.8,
            min_shared: 1,
        };
        Shared::new(Index::new(rule))
    }

    #[test]
    fn an_index_that_panicked_answers_nothing_more() {
        let shared = shared();
        let fault = std::panic::AssertUnwindSafe(|| shared.with(&|| true, |_| panic!("a fault")));
        assert!(std::panic::catch_unwind(fault).is_err());
        assert_eq!(
            shared.with(&|| true, |index| index.len()),
            Err(Unusable::Broken)
        );
    }

    #[test]
    fn whoever_waits_can_be_stopped() {
        let shared = shared();
        let waited = shared.with(&|| true, |_| shared.with(&|| false, |index| index.len()));
        assert_eq!(waited, Ok(Err(Unusable::Stopped)));
    }

    #[test]
    fn threads_take_turns() {
        let shared = shared();
        std::thread::scope(|scope| {
            for i in 0..4u64 {
                let shared = &shared;
                scope.spawn(move || {
                    for j in 0..50u64 {
                        let words = crate::neardup::index::Words {
                            shingles: (j..j + 20).collect(),
                            sequence: u128::from(i * 50 + j),
                        };
                        let id = format!("{i}-{j}");
                        let added =
                            shared.with(&|| true, |index| index.add(&[&id], vec![words], &|| true));
                        assert!(matches!(added, Ok(Ok(_))));
                    }
                });
            }
        });
        let found = shared.with(&|| true, |index| (index.len(), index.groups().len()));
        assert_eq!(found, Ok((200, 1)));
    }
}
