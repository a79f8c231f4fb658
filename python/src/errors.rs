//! The exceptions of `lineament/errors.py`, with the library's own messages.

use pyo3::import_exception;

import_exception!(lineament.errors, ModelError);
import_exception!(lineament.errors, DataError);
import_exception!(lineament.errors, TeachError);
