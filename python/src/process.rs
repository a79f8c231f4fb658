//! What a forked process inherits of its parent and must leave alone.

use std::mem;
use std::process;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Threads and locks, for the process that made them.
///
/// `fork` copies their memory but none of the threads: work that is handed to them is never done, and a lock that one of them held stays locked, which
/// even ending a pool may wait for. So another process neither uses nor drops them.
pub struct Owned<T> {
    process: u32,
    value: Option<T>,
}

impl<T> Owned<T> {
    /// For this process.
    pub fn new(value: T) -> Self {
        Self { process: process::id(), value: Some(value) }
    }

    /// Whether they are another process's.
    pub fn inherited(&self) -> bool {
        self.process != process::id()
    }

    /// # Errors
    /// `RuntimeError` in another process.
    pub fn get(&self) -> PyResult<&T> {
        self.value.as_ref().filter(|_| !self.inherited()).ok_or_else(forked)
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.inherited() {
            mem::forget(self.value.take());
        }
    }
}

/// What a call ends with in a process that was forked in the midst of it.
pub fn forked() -> PyErr {
    PyRuntimeError::new_err(
        "this process was forked from one whose threads were at work on the call, and has none of them; call again",
    )
}
