//! What a cell says.

/// Whether a cell says nothing.
pub(crate) fn is_empty(cell: &str) -> bool {
    cell.is_empty() || ["na", "n/a", "nan", "null", "none", "?"].iter().any(|w| cell.eq_ignore_ascii_case(w))
}

/// Yes, no, or neither.
pub(crate) fn truth(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "1" | "+1" | "1.0" | "true" | "t" | "yes" | "y" => Some(true),
        "0" | "-1" | "0.0" | "-0.0" | "-1.0" | "false" | "f" | "no" | "n" => Some(false),
        _ => None,
    }
}
