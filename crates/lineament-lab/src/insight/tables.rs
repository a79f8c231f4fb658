//! The figures of the page as small tables: rows of text, the first of them the header.

use super::Insight;
use super::kinds::Kind;
use crate::bootstrap::Interval;

/// A table's name and rows.
pub type Table = (&'static str, Vec<Vec<String>>);

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn number(value: f64) -> String {
    format!("{value:.4}")
}

fn ends(interval: Option<Interval>) -> [String; 2] {
    interval.map_or_else(Default::default, |i| [number(i.low), number(i.high)])
}

/// All of them.
pub fn tables(insight: &Insight) -> Vec<Table> {
    vec![
        ("insight-layers", layers(insight)),
        ("insight-layers-by-kind", kinds(insight)),
        ("insight-neurons", neurons(insight)),
        ("insight-best-single", best(insight)),
        ("insight-share", share(insight)),
        ("insight-groups", groups(insight)),
        ("insight-sparse", sparse(insight)),
    ]
}

fn name(insight: &Insight, attribute: usize) -> String {
    insight.names.get(attribute).cloned().unwrap_or_default()
}

fn layers(insight: &Insight) -> Vec<Vec<String>> {
    let mut rows = vec![header(&["layer", "features", "cost", "attribute", "kind", "balanced_accuracy"])];
    for layer in &insight.layers.layers {
        for (attribute, value) in insight.measured.iter().zip(&layer.balanced_accuracy) {
            let name = name(insight, *attribute);
            let kind = Kind::of(&name).words().to_owned();
            rows.push(vec![
                layer.layer.clone(),
                layer.width.to_string(),
                layer.cost.to_string(),
                name,
                kind,
                number(*value),
            ]);
        }
    }
    rows
}

fn kinds(insight: &Insight) -> Vec<Vec<String>> {
    let mut rows = vec![header(&[
        "kind",
        "attributes",
        "layer",
        "balanced_accuracy",
        "low",
        "high",
        "fc_ahead",
        "fc_ahead_low",
        "fc_ahead_high",
    ])];
    for kind in &insight.layers.kinds {
        for (place, (layer, figure)) in insight.layers.layers.iter().zip(&kind.layers).enumerate() {
            let mut row = vec![
                kind.kind.words().to_owned(),
                kind.attributes.to_string(),
                layer.layer.clone(),
                number(figure.mean),
            ];
            row.extend(ends(figure.interval));
            let ahead = kind.ahead.get(place);
            row.push(ahead.map_or_else(String::new, |ahead| number(ahead.mean)));
            row.extend(ends(ahead.and_then(|ahead| ahead.interval)));
            rows.push(row);
        }
    }
    rows
}

fn neurons(insight: &Insight) -> Vec<Vec<String>> {
    let mut rows = vec![header(&["neuron", "attribute", "speaks", "auc_fitted", "auc", "balanced_accuracy"])];
    for neuron in &insight.neurons.named {
        let speaks = if neuron.above { "for" } else { "against" };
        let figures = [neuron.auc_fitted, neuron.auc, neuron.balanced_accuracy].map(number);
        let mut row = vec![neuron.feature.to_string(), name(insight, neuron.attribute), speaks.to_owned()];
        row.extend(figures);
        rows.push(row);
    }
    rows
}

fn best(insight: &Insight) -> Vec<Vec<String>> {
    let columns = [
        "attribute",
        "neuron",
        "neuron_auc",
        "neuron_balanced_accuracy",
        "component",
        "component_auc",
        "component_balanced_accuracy",
    ];
    let mut rows = vec![header(&columns)];
    for best in &insight.neurons.best {
        let mut row = vec![name(insight, best.attribute)];
        for single in [best.neuron, best.component] {
            row.extend([single.feature.to_string(), number(single.auc), number(single.balanced_accuracy)]);
        }
        rows.push(row);
    }
    let [neuron, component, _] = insight.neurons.means;
    rows.push(vec![
        "mean".to_owned(),
        String::new(),
        String::new(),
        number(neuron),
        String::new(),
        String::new(),
        number(component),
    ]);
    rows
}

fn share(insight: &Insight) -> Vec<Vec<String>> {
    let mut rows = vec![header(&["features", "of", "kept", "attribute", "balanced_accuracy"])];
    for curve in &insight.shares {
        let means = std::iter::once(("mean".to_owned(), &curve.mean));
        let each = insight.measured.iter().map(|at| name(insight, *at)).zip(&curve.balanced_accuracy);
        for (attribute, values) in means.chain(each) {
            for (count, value) in curve.counts.iter().zip(values) {
                let (of, kept) = (curve.width.to_string(), count.to_string());
                rows.push(vec![curve.name.clone(), of, kept, attribute.clone(), number(*value)]);
            }
        }
    }
    rows
}

fn groups(insight: &Insight) -> Vec<Vec<String>> {
    let mut rows = vec![header(&["attribute", "group"])];
    let each = insight.names.iter().zip(&insight.groups.groups);
    rows.extend(each.map(|(name, group)| vec![name.clone(), (group + 1).to_string()]));
    rows
}

fn sparse(insight: &Insight) -> Vec<Vec<String>> {
    let mut rows = vec![header(&["neurons", "same_answer", "same_answer_where_yes", "part_said"])];
    for one in &insight.sparse {
        let mut row = vec![one.neurons.to_string()];
        row.extend([one.same_answer, one.same_yes, one.said].map(number));
        rows.push(row);
    }
    rows
}
