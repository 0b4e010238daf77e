//! Which checks passed, which failed, and which had nothing to look at?
//!
//! Checks are done one after the other under the names of their specification. One that needs a failed one fails too, and one that needs
//! one that was not done is not done.

use crate::Fault;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Passed.
    Ok,
    /// Failed, or needs one that failed.
    Fail,
    /// Not checked: there is nothing for it.
    Unchecked,
}

/// One check and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name in the specification.
    pub name: &'static str,
    /// How it went.
    pub status: Status,
    /// What was found.
    pub detail: String,
}

/// What a check comes to, unless it fails.
pub enum Found<T> {
    /// Something that later checks go on from, and words about it.
    This(T, String),
    /// There is nothing to check, and why.
    Nothing(&'static str),
}

/// The checks done so far.
#[derive(Default)]
pub struct Run<'a> {
    /// In the order in which they were done.
    pub checks: Vec<Check>,
    /// Whether to go on; asked before each check. Where it says no, nothing more is checked.
    pub alive: Option<&'a dyn Fn() -> bool>,
}

impl Run<'_> {
    /// Does one check that always has something to look at, unless one that it needs failed or was not done.
    pub fn step<T>(
        &mut self,
        name: &'static str,
        needs: &[&str],
        check: impl FnOnce() -> Result<(T, String), Fault>,
    ) -> Option<T> {
        self.step_where_any(name, needs, || {
            check().map(|(value, said)| Found::This(value, said))
        })
    }

    /// Does one check for which there may be nothing.
    pub fn step_where_any<T>(
        &mut self,
        name: &'static str,
        needs: &[&str],
        check: impl FnOnce() -> Result<Found<T>, Fault>,
    ) -> Option<T> {
        let needed = |status: Status| {
            let done = self.checks.iter();
            done.filter(|done| done.status == status)
                .find(|done| needs.contains(&done.name))
        };
        let (status, value, detail) = match (needed(Status::Fail), needed(Status::Unchecked)) {
            (Some(failed), _) => (
                Status::Fail,
                None,
                format!("not checked: {} failed", failed.name),
            ),
            (None, Some(missing)) => (
                Status::Unchecked,
                None,
                format!("{} was not checked", missing.name),
            ),
            (None, None) if self.alive.is_some_and(|alive| !alive()) => {
                (Status::Unchecked, None, "stopped".to_owned())
            }
            (None, None) => match check() {
                Ok(Found::This(value, said)) => (Status::Ok, Some(value), said),
                Ok(Found::Nothing(why)) => (Status::Unchecked, None, why.to_owned()),
                Err(Fault(reason)) => (Status::Fail, None, reason),
            },
        };
        self.checks.push(Check {
            name,
            status,
            detail,
        });
        value
    }

    /// The first check that failed.
    pub fn failed(&self) -> Option<&Check> {
        self.checks
            .iter()
            .find(|check| check.status == Status::Fail)
    }
}

/// What an earlier check has read.
pub fn have<T>(option: &Option<T>) -> Result<&T, Fault> {
    option.as_ref().ok_or_else(|| Fault("not read".to_owned()))
}
