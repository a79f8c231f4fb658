//! A bundle with more attributes.

use std::collections::BTreeSet;

use crate::error::FitError;
use crate::head::TrainedHead;
use lineament::Bundle;
use lineament::attributes::{AttributeCard, LinearSvms, Provenance, SvmError};

/// The same nets, bit for bit, with what was learned beside the attributes that are there; its card says how each was taught.
///
/// # Errors
/// A name that the bundle has already, unless it is to be replaced, or heads on vectors of other nets.
pub fn add_attributes(bundle: &Bundle, heads: &[TrainedHead], replace: bool) -> Result<Bundle, FitError> {
    let mut card = bundle.card().clone();
    let svms = &bundle.parts().svms;
    let features = svms.features();
    let mut weight: Vec<Vec<f32>> = svms.weight().chunks(features).map(<[f32]>::to_vec).collect();
    let mut bias = svms.bias().to_vec();
    let base = bundle.hash();
    let mut names = BTreeSet::new();
    for head in heads {
        let name = &head.card.name;
        if !names.insert(name) {
            return Err(FitError::Twice(name.clone()));
        }
        let plane: Vec<f32> = head.plane.weight.iter().map(|w| *w as f32).collect();
        if plane.len() != features {
            return Err(SvmError::Features { found: plane.len(), expected: features }.into());
        }
        let own = described(head, &base);
        let offset = head.plane.bias as f32;
        let index = card.attributes.iter().position(|known| &known.name == name);
        let slots =
            index.map(|index| (card.attributes.get_mut(index), weight.get_mut(index), bias.get_mut(index)));
        match slots {
            Some(_) if !replace => return Err(FitError::Known(name.clone())),
            Some((Some(known), Some(row), Some(constant))) => {
                (*known, *row, *constant) = (own, plane, offset)
            }
            _ => {
                card.attributes.push(own);
                weight.push(plane);
                bias.push(offset);
            }
        }
        let begins = format!("{name}, taught");
        card.trained_on.retain(|line| !line.starts_with(&begins));
        card.trained_on.push(origin(head));
    }
    let svms = LinearSvms::new(features, weight.concat(), bias)?;
    Ok(bundle.with_svms(&card, &svms)?)
}

fn described(head: &TrainedHead, base: &str) -> AttributeCard {
    let figures = &head.figures;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let provenance = Provenance {
        with: count(figures.with),
        without: count(figures.without),
        by: figures.by,
        balanced_accuracy: figures.balanced_accuracy,
        low: figures.interval.low,
        high: figures.interval.high,
        average_precision: figures.average_precision,
        base: base.to_owned(),
    };
    AttributeCard { provenance: Some(provenance), ..head.card.clone() }
}

fn origin(head: &TrainedHead) -> String {
    let figures = &head.figures;
    format!(
        "{}, taught on the finished nets: {} pictures with it, {} without",
        head.card.name, figures.with, figures.without
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bootstrap::Interval;
    use crate::{Advice, Figures, Plane};
    use lineament::attributes::FaceRegion;
    use lineament::attributes::{Group, OperatingPoint};
    use lineament::testing::{blocks, tiny_bundle};
    use lineament::{Rect, Tagger};
    use lineament_net::Precision;

    fn head(name: &str, weight: f64) -> TrainedHead {
        let interval = Interval { low: 0.7, high: 0.9 };
        let figures = Figures {
            with: 20,
            without: 21,
            by: Group::Image,
            groups: 41,
            folds: 5,
            cost: 1.0,
            accuracy: 0.8,
            majority_accuracy: 0.5,
            balanced_accuracy: 0.8,
            interval,
            average_precision: 0.85,
            roc_auc: 0.9,
            curve: vec![],
            gain: 0.0,
            gain_interval: interval,
            advice: Advice::Unclear,
        };
        let card =
            AttributeCard { name: name.to_owned(), ..lineament::testing::tiny_card().attributes[0].clone() };
        TrainedHead { plane: Plane { weight: vec![weight; 6], bias: 0.25 }, card, figures }
    }

    #[test]
    fn the_nets_and_other_attributes_stay_bit_for_bit() {
        for precision in [Precision::F16, Precision::F32] {
            let card = lineament::testing::tiny_card();
            let parts = lineament::testing::random_parts(&card, 3).unwrap();
            let old = Bundle::new(&card, &parts, precision).unwrap();
            let new = add_attributes(&old, &[head("Freckles", 1.0), head("Scar", -2.0)], false).unwrap();
            let read = Bundle::read(new.bytes()).unwrap();
            assert_eq!(read.parts().nets, old.parts().nets);
            assert_eq!(read.card().names()[40..], ["Freckles", "Scar"]);
            let taught = read.card().attributes[40].provenance.clone().unwrap();
            assert_eq!((taught.with, taught.without, taught.base), (20, 21, old.hash()));
            assert!(
                read.card().trained_on[1].starts_with("Freckles, taught on the finished nets: 20 pictures")
            );

            let (photo, region) = (blocks(90, 80, 3), FaceRegion::from(Rect::new(5.0, 5.0, 60.0, 60.0)));
            let (before, after) = (Tagger::new(old).unwrap(), Tagger::new(new).unwrap());
            let scores = after.scores(&photo, region).unwrap();
            assert_eq!(scores[..40], before.scores(&photo, region).unwrap());
            let sum: f64 = after.embed(&photo, region).unwrap().iter().map(|v| f64::from(*v)).sum();
            assert!((f64::from(scores[40]) - (sum + 0.25)).abs() < 1e-5);
            assert!((f64::from(scores[41]) - (0.25 - 2.0 * sum)).abs() < 1e-5);
            assert_eq!(after.operating_point(), OperatingPoint::Accuracy);
        }
    }

    #[test]
    fn a_known_name_is_replaced_only_when_asked() {
        let old = tiny_bundle(1).unwrap();
        let refused = add_attributes(&old, &[head("Smiling", 1.0)], false).unwrap_err().to_string();
        assert!(refused.contains("knows Smiling already") && refused.contains("--replace"), "{refused}");
        let new = add_attributes(&old, &[head("Smiling", 1.0)], true).unwrap();
        assert_eq!(new.card().names(), old.card().names());
        assert_eq!(new.parts().svms.weight()[31 * 6..32 * 6], [1.0; 6]);
        assert_eq!(new.parts().svms.weight()[..31 * 6], old.parts().svms.weight()[..31 * 6]);
        let again = add_attributes(&new, &[head("Smiling", 2.0)], true).unwrap();
        assert_eq!(again.card().trained_on.len(), 2);
        let twice = add_attributes(&old, &[head("A", 1.0), head("A", 1.0)], true).unwrap_err();
        assert!(matches!(twice, FitError::Twice(_)));
        let mut other = head("B", 1.0);
        other.plane.weight.pop();
        assert!(add_attributes(&old, &[other], false).unwrap_err().to_string().contains("of 5"));
    }
}
