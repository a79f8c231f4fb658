//! What several targets need.

#[cfg(feature = "xmp")]
pub mod sidecars;

use std::path::{Path, PathBuf};

/// Panics that the code under test catches are not findings: libFuzzer's hook would end the process before anybody can catch them.
/// A panic that nobody catches still ends it.
pub fn let_caught_panics_pass() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// A folder of this process's own for readers that take a path, in memory where the system has a place for that.
pub fn scratch_folder() -> PathBuf {
    let shared = Path::new("/dev/shm");
    let parent = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("lineament-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    folder
}
