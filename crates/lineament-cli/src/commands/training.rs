//! What commands that train have in common: stopping at a checkpoint, and the log.

/// Says how to get a program that trains.
#[cfg(not(feature = "train"))]
pub fn missing(command: &str) -> anyhow::Result<super::Outcome> {
    anyhow::bail!(
        "this build cannot train; build one that can with `cargo install --path crates/lineament-cli --features train`, or run \
         `cargo run --release --features train -- {command} ...` in the repository"
    )
}

/// Has the log go to standard error, and Ctrl-C set what is returned: training then stops at a checkpoint. A second one stops at once.
#[cfg(feature = "train")]
pub fn begin() -> &'static std::sync::atomic::AtomicBool {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tracing_subscriber::EnvFilter;

    static STOP: AtomicBool = AtomicBool::new(false);
    let set = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        crate::notes::note("stopping at the next checkpoint; once more to stop at once");
    });
    if set.is_err() {
        crate::notes::note("Ctrl-C will stop at once here; the last checkpoint is kept");
    }
    let usual = || EnvFilter::new("warn,lineament_train=info,lineament_reproduce=info");
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("LINEAMENT_LOG").unwrap_or_else(|_| usual()))
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    &STOP
}
