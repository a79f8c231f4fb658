#!/usr/bin/env bash
# pyo3 0.29.3's `PyBuffer<T>` looks for byte order the wrong way round: on a little-endian machine it takes big-endian buffers (format ">H")
# for native ones and gives their numbers with bytes swapped, without an error (`is_matching_endian` in its src/buffer.rs). Arrays read from
# FITS files, and from 16-bit PNM and TIFF, are big-endian. Seen on 2026-11-30. Here it decides that python/src/pixels.rs only takes
# formats without a byte order, and that arrays of numpy are swapped before.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
[ "$(python3 -c 'import sys; print(sys.byteorder)')" = little ]
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6
mkdir -p src
cat >Cargo.toml <<'TOML'
[package]
name = "buffers"
version = "0.0.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[dependencies]
pyo3 = { version = "=0.29.3", features = ["abi3-py311", "extension-module"] }
TOML
cat >src/lib.rs <<'RS'
use pyo3::{buffer::PyBuffer, prelude::*};
#[pyfunction]
fn numbers(py: Python<'_>, given: &Bound<'_, PyAny>) -> PyResult<Vec<u16>> {
    PyBuffer::<u16>::get(given)?.to_vec(py)
}
#[pymodule]
fn buffers(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(numbers, module)?)
}
RS
CARGO_TARGET_DIR=$work/target cargo build --quiet
cp target/debug/libbuffers.so buffers.so
venv/bin/python - <<'PY'
import numpy as np
from buffers import numbers

given = np.array([1, 2, 256], "=u2")
print("native", numbers(given))
assert numbers(given) == [1, 2, 256]
swapped = numbers(given.astype(">u2"))
print("big-endian, the same numbers", swapped)
assert swapped == [256, 512, 1], "pyo3 minds the byte order now: python/src/pixels.rs can leave it to it"
print("as seen: pyo3 takes big-endian buffers for native ones")
PY
