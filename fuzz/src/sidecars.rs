//! What must hold of any sidecar that is merged.

use lineament_xmp::{Area, Message, Region, merge};

/// Refused, or merged so that merging once more changes nothing, and so that our entries can be taken back.
pub fn check(text: &str) {
    let full = message(&["Smiling", "Wearing_Hat"], &[0.3, 0.7]);
    let empty = message(&[], &[]);
    if let Ok(merged) = merge(text, &full) {
        let again = merge(&merged, &full).expect("what was merged can be merged");
        assert_eq!(again, merged, "the second time changes nothing");
        merge(&merged, &empty).expect("our entries can be taken back");
    }
    let _ = merge(text, &empty);
}

fn message(keywords: &[&str], centres: &[f64]) -> Message {
    let attributes: Vec<String> = keywords.iter().map(|name| (*name).to_owned()).collect();
    let region =
        |x: &f64| Region { area: Area { x: *x, y: 0.5, w: 0.1, h: 0.2 }, attributes: attributes.clone() };
    Message {
        regions: centres.iter().map(region).collect(),
        keywords: attributes.clone(),
        stored: [640, 480],
        model_label: "tiny 0.0.1 (0123abcd)".to_owned(),
        digikam: true,
    }
}
