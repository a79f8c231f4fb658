//! Long work without the interpreter lock, that Ctrl-C ends all the same.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use lineament::Threads;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::process::forked;

/// How often signals are looked for.
const TICK: Duration = Duration::from_millis(100);

/// Whether the work is to end early.
pub struct Stop(AtomicBool);

impl Stop {
    /// Asked between two images.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does the work on the threads, other Python threads going on meanwhile. The work owns what it reads: a process that a signal handler forks meanwhile
/// goes on without waiting for it.
///
/// # Errors
/// `KeyboardInterrupt`, or what else a signal handler of Python raises; the work is told to stop and waited for. `RuntimeError` in a process that
/// a signal handler forked.
pub fn run<R: Send + 'static>(
    py: Python<'_>,
    threads: &Threads,
    work: impl FnOnce(&Stop) -> R + Send + 'static,
) -> PyResult<R> {
    let parent = process::id();
    let stop = Arc::new(Stop(AtomicBool::new(false)));
    let (done, result) = sync_channel(1);
    let asked = Arc::clone(&stop);
    threads.spawn(move || {
        // Nobody waits for it after an interrupt.
        let _ = done.send(catch_unwind(AssertUnwindSafe(|| work(&asked))));
    });
    py.detach(|| {
        loop {
            match result.recv_timeout(TICK) {
                Ok(Ok(result)) => return Ok(result),
                Ok(Err(panic)) => resume_unwind(panic),
                Err(RecvTimeoutError::Timeout) => {
                    let handled = Python::attach(|py| py.check_signals());
                    if process::id() != parent {
                        // A thread that is not here may hold the channel's lock.
                        mem::forget(result);
                        return Err(handled.err().unwrap_or_else(forked));
                    }
                    if let Err(interrupt) = handled {
                        stop.0.store(true, Ordering::Relaxed);
                        let _ = result.recv();
                        return Err(interrupt);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("the work ended without a result"));
                }
            }
        }
    })
}
