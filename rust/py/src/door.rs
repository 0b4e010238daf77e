//! The one door through the GIL: detaches, listens for Ctrl-C, and turns a panic into `InternalError`.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Between two looks at the keyboard.
const PULSE: Duration = Duration::from_millis(100);

/// Runs a kernel without the GIL. The kernel may ask `alive()` as often as it likes; once it answers no, a signal is pending, the
/// kernel should return what it has, and the signal's exception is raised instead.
///
/// # Errors
/// The pending signal's exception, or `klero.errors.InternalError` if the kernel panics.
pub fn detached<T, F>(py: Python<'_>, kernel: F) -> PyResult<T>
where
    T: Send,
    F: FnOnce(&dyn Fn() -> bool) -> T + Send,
{
    let outcome = py.detach(|| {
        let (last, pending) = (Cell::new(Instant::now()), RefCell::new(None));
        let alive = || {
            if pending.borrow().is_none() && last.get().elapsed() >= PULSE {
                last.set(Instant::now());
                *pending.borrow_mut() = Python::attach(|py| py.check_signals()).err();
            }
            pending.borrow().is_none()
        };
        let result = catch_unwind(AssertUnwindSafe(|| kernel(&alive)));
        match pending.into_inner() {
            Some(signal) => Err(Stopped::Signal(signal)),
            None => result.map_err(|panic| Stopped::Panic(text_of(panic.as_ref()))),
        }
    });
    outcome.map_err(|stopped| match stopped {
        Stopped::Signal(error) => error,
        Stopped::Panic(text) => internal_error(py, &text),
    })
}

enum Stopped {
    Signal(PyErr),
    Panic(String),
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

fn internal_error(py: Python<'_>, text: &str) -> PyErr {
    let message = format!("A kernel stopped with a fault of klero's own ({text}). Please report it with the command and the tables");
    broken(py, &message)
}

/// `klero.errors.InternalError` with this message.
pub fn broken(py: Python<'_>, message: &str) -> PyErr {
    let class = py
        .import("klero.errors")
        .and_then(|module| module.getattr("InternalError"));
    match class.and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
