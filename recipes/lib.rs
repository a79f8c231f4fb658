//! The recipes that come along, as texts of TOML: a crate of their own, since other crates' packages hold no file of the checkout's root.

/// Names of the recipes that train LNets, ANet and SVMs, the default model's first.
pub const CASCADES: [&str; 5] = ["compact", "paper", "paper_objects", "lab", "drawn"];

/// Names of the recipes that train a system which the paper compares itself with.
pub const BASELINES: [&str; 2] = ["facetracer", "panda"];

/// Names of the recipes of what is added to a finished model.
pub const ADDITIONS: [&str; 2] = ["landmarks", "quality"];

/// The stages `anet` and `svms` by which a finished model is fine-tuned where nothing else is said.
pub const TUNE: &str = include_str!("tune.toml");

/// A recipe's text, by its name: one of [`CASCADES`], [`BASELINES`] or [`ADDITIONS`].
pub fn text(name: &str) -> Option<&'static str> {
    Some(match name {
        "compact" => include_str!("compact.toml"),
        "paper" => include_str!("paper.toml"),
        "paper_objects" => include_str!("paper_objects.toml"),
        "lab" => include_str!("lab.toml"),
        "drawn" => include_str!("drawn.toml"),
        "facetracer" => include_str!("facetracer.toml"),
        "panda" => include_str!("panda.toml"),
        "landmarks" => include_str!("landmarks.toml"),
        "quality" => include_str!("quality.toml"),
        _ => return None,
    })
}

/// All recipes' names for a message: "a, b and c".
pub fn names() -> String {
    let names: Vec<&str> = CASCADES.into_iter().chain(BASELINES).chain(ADDITIONS).collect();
    match names.split_last() {
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_text() {
        assert!(CASCADES.into_iter().chain(BASELINES).chain(ADDITIONS).all(|name| text(name).is_some()));
        assert_eq!((text("tune"), text("../paper")), (None, None));
    }

    #[test]
    fn a_message_lists_all_names() {
        assert_eq!(
            names(),
            "compact, paper, paper_objects, lab, drawn, facetracer, panda, landmarks and quality"
        );
    }
}
