//! Long work without the interpreter lock, that Ctrl-C ends all the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use lineament::Threads;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

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

/// Does the work on the threads, other Python threads going on meanwhile.
///
/// # Errors
/// `KeyboardInterrupt`, or what else a signal handler of Python raises; the work is told to stop and waited for.
pub fn run<R: Send>(py: Python<'_>, threads: &Threads, work: impl FnOnce(&Stop) -> R + Send) -> PyResult<R> {
    let stop = Stop(AtomicBool::new(false));
    let stop = &stop;
    py.detach(|| {
        threads.in_place_scope(|tasks| {
            let (done, result) = sync_channel(1);
            tasks.spawn(move |_| {
                // Nobody waits for it after an interrupt.
                let _ = done.send(work(stop));
            });
            loop {
                match result.recv_timeout(TICK) {
                    Ok(result) => return Ok(result),
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(interrupt) = Python::attach(|py| py.check_signals()) {
                            stop.0.store(true, Ordering::Relaxed);
                            return Err(interrupt);
                        }
                    }
                    // The scope hands the panic on.
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(PyRuntimeError::new_err("the work ended without a result"));
                    }
                }
            }
        })
    })
}
