//! The sections on layers, neurons, groups and images.

use std::fmt::Write;

use super::About;
use super::plot::{self, Dot, Series};
use crate::html::{escape, folded, image, percent, spoken, table, with_interval};
use crate::insight::explained::Explained;
use crate::insight::kinds::Kind;
use crate::insight::layers::MeanFigure;
use crate::insight::mean_faces::NeuronFaces;
use crate::insight::neurons::Speaks;
use crate::insight::share::KEPT;
use crate::insight::{Insight, MEASURABLE};

/// All of them, in order.
pub fn sections(insight: &Insight, explained: &[Explained], about: &About<'_>) -> String {
    [
        layers(insight),
        neurons(insight),
        faces(insight, about),
        share(insight),
        groups(insight),
        images(insight, explained),
    ]
    .concat()
}

fn name(insight: &Insight, attribute: usize) -> &str {
    insight.names.get(attribute).map(String::as_str).unwrap_or_default()
}

fn figure(plot: &str, caption: &str) -> String {
    format!("<figure>{plot}<figcaption>{caption}</figcaption></figure>\n")
}

fn layers(insight: &Insight) -> String {
    let report = &insight.layers;
    let columns: Vec<&str> = report.layers.iter().map(|layer| layer.layer.as_str()).collect();
    let mut out = String::from(
        "<section aria-labelledby=\"layers\"><h2 id=\"layers\">Which layer knows which attribute</h2>\n",
    );
    let reported: Vec<String> = report
        .layers
        .iter()
        .map(|layer| format!("{} ({} numbers, cost {})", escape(&layer.layer), layer.width, layer.cost))
        .collect();
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<p>Linear SVMs read each attribute from the FC vector and from the maps of ANet's last two stages, which are averaged over the four quarters of the face and brought to as many principal components as FC has neurons: \
         {}. The paper's question is whether FC is ahead where an attribute has to do with who somebody is, and behind where it changes from picture to picture.</p>",
        reported.join(", ")
    );
    let value = |figure: &MeanFigure| {
        let (low, high) = figure.interval.map_or((figure.mean, figure.mean), |i| (i.low, i.high));
        [figure.mean, low, high]
    };
    let sections: Vec<(String, Vec<Dot>)> = report
        .kinds
        .iter()
        .map(|kind| {
            let dots = kind.layers.iter().zip(&report.layers).enumerate().map(|(at, (figure, layer))| Dot {
                name: layer.layer.clone(),
                series: report.layers.len() - 1 - at,
                value: value(figure),
            });
            (format!("{} ({})", kind.kind.words(), kind.attributes), dots.collect())
        })
        .collect();
    let ends = sections.iter().flat_map(|(_, dots)| dots.iter().flat_map(|dot| dot.value));
    let (low, high) = ends.fold((1.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let range = [(low * 20.0 - 0.2).floor() / 20.0, ((high * 20.0 + 0.2).ceil() / 20.0).min(1.0)];
    out += &figure(
        &plot::dots(
            "Mean balanced accuracy of each layer by kind of attribute; the table below holds the same figures",
            range,
            &sections,
        ),
        "Mean balanced accuracy, %, with 95 % intervals over people. In brackets the number of attributes.",
    );
    let mut rows = Vec::new();
    for kind in &report.kinds {
        let mut row = vec![kind.kind.words().to_owned()];
        row.extend(kind.layers.iter().map(|figure| with_interval(Some(figure.mean), figure.interval)));
        row.extend(kind.ahead.iter().map(|figure| with_interval(Some(figure.mean), figure.interval)));
        rows.push(row);
    }
    let ahead: Vec<String> =
        columns.iter().take(columns.len() - 1).map(|layer| format!("FC ahead of {layer}")).collect();
    let heads: Vec<String> =
        columns.iter().map(|c| escape(c)).chain(ahead.iter().map(|c| escape(c))).collect();
    let heads: Vec<&str> = std::iter::once("attributes").chain(heads.iter().map(String::as_str)).collect();
    out += &table("Mean balanced accuracy by layer, %", &heads, &rows);
    let mut rows = Vec::new();
    for (place, attribute) in insight.measured.iter().enumerate() {
        let name = name(insight, *attribute);
        let mut row = vec![spoken(name), Kind::of(name).words().to_owned()];
        let values = report.layers.iter().filter_map(|layer| layer.balanced_accuracy.get(place));
        row.extend(values.map(|value| percent(*value)));
        rows.push(row);
    }
    let heads: Vec<String> = columns.iter().map(|c| escape(c)).collect();
    let heads: Vec<&str> =
        ["attribute", "kind"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    out += &folded(
        "Attribute by attribute",
        &table("Balanced accuracy of each attribute by layer, %", &heads, &rows),
    );
    let left: Vec<String> = (0..insight.names.len())
        .filter(|at| !insight.measured.contains(at))
        .map(|at| spoken(name(insight, at)))
        .collect();
    if !left.is_empty() {
        let _ = write!(
            out,
            "<p class=\"fine\">Not measured, for want of {MEASURABLE} pictures with and without it in both parts: {}.</p>",
            left.join(", ")
        );
    }
    out + "</section>\n"
}

fn direction(neuron: &Speaks) -> &'static str {
    if neuron.above { "for" } else { "against" }
}

fn neurons(insight: &Insight) -> String {
    let report = &insight.neurons;
    let mut out = String::from(
        "<section aria-labelledby=\"neurons\"><h2 id=\"neurons\">Neurons named by what they speak for</h2>\n",
    );
    let [neuron, component, ahead] = report.means;
    let _ = write!(
        out,
        "<p>Each FC neuron is named by the attribute that its activation alone separates best (area under the ROC curve on the people it was chosen on); \
         {} of {} do, {} are the same for everybody. As classifiers of their own, with a cut chosen on the same people, the best neurons reach a mean \
         balanced accuracy of {} %, the best principal components of HOG {} %: {} points apart{}.</p>",
        report.named.len(),
        report.named.len() + report.silent,
        report.silent,
        percent(neuron),
        percent(component),
        percent(ahead),
        report.ahead.map_or_else(String::new, |i| format!(
            " (95 % interval {} to {})",
            percent(i.low),
            percent(i.high)
        ))
    );
    let rows: Vec<Vec<String>> = report
        .best
        .iter()
        .map(|best| {
            vec![
                spoken(name(insight, best.attribute)),
                format!("{} {}", best.neuron.feature, direction(&best.neuron)),
                percent(best.neuron.auc),
                percent(best.neuron.balanced_accuracy),
                percent(best.component.auc),
                percent(best.component.balanced_accuracy),
                percent(best.neuron.balanced_accuracy - best.component.balanced_accuracy),
            ]
        })
        .collect();
    let heads = [
        "attribute",
        "best neuron",
        "AUC",
        "balanced accuracy",
        "AUC, best component",
        "balanced accuracy, best component",
        "neuron ahead",
    ];
    out += &table(
        "The best single neuron of each attribute beside HOG's best principal component, %",
        &heads,
        &rows,
    );
    let rows: Vec<Vec<String>> = report
        .named
        .iter()
        .map(|neuron| {
            let reported = format!("{} {}", direction(neuron), spoken(name(insight, neuron.attribute)));
            vec![
                neuron.feature.to_string(),
                reported,
                percent(neuron.auc_fitted),
                percent(neuron.auc),
                percent(neuron.balanced_accuracy),
            ]
        })
        .collect();
    let heads = ["neuron", "speaks", "AUC where chosen", "AUC", "balanced accuracy"];
    out += &folded(
        "All neurons, the clearest first",
        &table("Every neuron with its attribute, %", &heads, &rows),
    );
    out + "</section>\n"
}

fn faces(insight: &Insight, about: &About<'_>) -> String {
    let mut out = String::from(
        "<section aria-labelledby=\"faces\"><h2 id=\"faces\">Mean faces of high, middling and low response</h2>\n",
    );
    match &insight.faces {
        Ok(faces) if faces.is_empty() => out.push_str("<p>None were asked for.</p>"),
        Ok(faces) => {
            let drawn = if about.drawn { "drawn pictures" } else { "pictures" };
            let _ = write!(
                out,
                "<p>The neurons that separate their attribute best, no attribute twice. Each face is the mean of at least 30 {drawn}, each of another person: \
                 those with the highest, the middle and the lowest activation.</p><ul class=\"faces\">"
            );
            faces.iter().for_each(|one| out += &neuron_faces(insight, one));
            out.push_str("</ul>");
        }
        Err(few) => {
            let _ = write!(out, "<p>Left out: {few}.</p>");
        }
    }
    out + "</section>\n"
}

fn neuron_faces(insight: &Insight, one: &NeuronFaces) -> String {
    let reported = format!(
        "Neuron {}: {} {}",
        one.neuron.feature,
        direction(&one.neuron),
        spoken(name(insight, one.neuron.attribute))
    );
    let mut out = format!("<li><h3>{reported}</h3><div class=\"three\">");
    for (face, word) in one.faces.iter().zip(["high", "middling", "low"]) {
        let what = format!("Mean face of {word} response of neuron {}", one.neuron.feature);
        let _ = write!(
            out,
            "<div>{}{word}, {:.2}<br>{} pictures</div>",
            image(&face.photo, &what),
            face.activation,
            face.images
        );
    }
    out + "</div></li>\n"
}

fn share(insight: &Insight) -> String {
    let mut out =
        String::from("<section aria-labelledby=\"share\"><h2 id=\"share\">How few neurons do</h2>\n");
    let _ = write!(
        out,
        "<p>For each attribute the features are ranked by their single area under the ROC curve, the best are kept, and an SVM is fitted to them anew. What is kept of \
         the performance above chance is (balanced accuracy − 50) against that of all features; the share stated is the smallest one tried that keeps {} % of \
         it. HOG is brought to as many principal components as there are neurons, fitted on the same pictures.</p>",
        percent(KEPT)
    );
    let series: Vec<Series<'_>> = insight
        .shares
        .iter()
        .map(|curve| {
            let points =
                curve.counts.iter().zip(&curve.mean).map(|(n, v)| [*n as f64 / curve.width as f64, *v]);
            Series { name: &curve.name, points: points.collect() }
        })
        .collect();
    let most = insight.shares.iter().flat_map(|curve| curve.mean.iter().copied()).fold(0.6, f64::max);
    let plot = plot::lines(
        "Mean balanced accuracy against the share of features kept; the table below holds the same figures",
        "share kept, %",
        "balanced accuracy, %",
        [0.5, (most * 10.0).ceil() / 10.0],
        &series,
    );
    out += &figure(&plot, "Mean over attributes. The axis of shares is drawn by square roots.");
    let mut rows = Vec::new();
    for curve in &insight.shares {
        for (count, mean) in curve.counts.iter().zip(&curve.mean) {
            let share = percent(*count as f64 / curve.width as f64);
            rows.push(vec![escape(&curve.name), count.to_string(), share, percent(*mean)]);
        }
    }
    for curve in &insight.shares {
        let _ = write!(
            out,
            "<p>{}: {} % of {} keep {} % of the mean's performance above chance; attribute by attribute the mean of that share is {} %.</p>",
            escape(&curve.name),
            percent(curve.keeps),
            curve.width,
            percent(KEPT),
            percent(curve.keeps_each)
        );
    }
    let heads = ["features", "kept", "share, %", "mean balanced accuracy, %"];
    out += &folded("The curve as a table", &table("Mean balanced accuracy by features kept", &heads, &rows));
    out + "</section>\n"
}

fn groups(insight: &Insight) -> String {
    let groups = &insight.groups;
    let count = groups.groups.iter().max().map_or(0, |most| most + 1);
    let mut out = String::from(
        "<section aria-labelledby=\"groups\"><h2 id=\"groups\">Attributes that go together</h2>\n",
    );
    let _ = write!(
        out,
        "<p>k-means with {count} groups on the attributes' SVM weight vectors, each weight times its neuron's standard deviation, each vector brought to unit length. The \
         mean silhouette is {:.2} (1: far apart, 0: side by side). The tree is average linkage on the same distances; a circle holds the number of the group.</p><ul>",
        groups.silhouette
    );
    for group in 0..count {
        let members: Vec<String> = (0..insight.names.len())
            .filter(|at| groups.groups.get(*at) == Some(&group))
            .map(|at| spoken(name(insight, at)))
            .collect();
        let _ = write!(out, "<li>Group {}: {}</li>", group + 1, members.join(", "));
    }
    out.push_str("</ul>");
    let plot = plot::dendrogram(
        "Tree of attributes by their weight vectors; the list above holds the groups",
        &insight.names,
        &groups.groups,
        &groups.joins,
    );
    out += &figure(&plot, "Distance grows to the right.");
    out + "</section>\n"
}

fn images(insight: &Insight, explained: &[Explained]) -> String {
    let mut out = String::from(
        "<section aria-labelledby=\"pictures\"><h2 id=\"pictures\">Pictures explained by few neurons</h2>\n",
    );
    out.push_str(
        "<p>A score is a bias plus the sum of weight times activation over the FC neurons. Over all reported faces and attributes, this many of the strongest \
         neurons, with the bias, already give the answer:</p>",
    );
    let row = |one: &crate::insight::sparse::SparseFigures| {
        vec![one.neurons.to_string(), percent(one.same_answer), percent(one.same_yes), percent(one.said)]
    };
    let rows: Vec<Vec<String>> = insight.sparse.iter().map(row).collect();
    let heads = ["neurons", "same answer", "same answer where it is yes", "part of all that is said"];
    out += &table("Answers made of few neurons, %", &heads, &rows);
    for one in explained {
        out += &reported(insight, one);
    }
    out + "</section>\n"
}

fn reported(insight: &Insight, one: &Explained) -> String {
    let what = format!("{}, with the regions of its attributes", one.title);
    let mut boxes = String::new();
    let mut list = String::new();
    let largest = one
        .reported
        .iter()
        .flat_map(|reported| &reported.neurons.strongest)
        .map(|c| f64::from(c.amount.abs()));
    let largest = largest.fold(0.0, f64::max);
    for (place, reported) in one.reported.iter().enumerate() {
        let at = reported.region;
        for class in ["under", "over"] {
            let _ = write!(
                boxes,
                "<rect class=\"{class}\" x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\"/>",
                at.x, at.y, at.width, at.height
            );
        }
        let _ = write!(boxes, "<text x=\"{:.0}\" y=\"{:.0}\">{}</text>", at.x + 4.0, at.y + 14.0, place + 1);
        let neurons = &reported.neurons;
        let amounts: Vec<(String, f64)> =
            neurons.strongest.iter().map(|c| (named(insight, c.neuron), f64::from(c.amount))).collect();
        let reported_name = &reported.name;
        let label = format!("What five neurons added to the score of {}", reported_name.replace('_', " "));
        let _ = write!(
            list,
            "<li><strong>{} {}: {} %</strong>. Bias {:+.2} and these neurons give {:+.2} of {:+.2}, {} % of all that is said; {}.{}</li>",
            spoken(reported_name),
            if reported.present { "yes" } else { "no" },
            percent(reported.probability.into()),
            neurons.bias,
            neurons.partial_score,
            reported.score,
            percent(neurons.share.into()),
            if neurons.same_answer { "the same answer" } else { "another answer" },
            plot::bars(&label, &amounts, largest)
        );
    }
    let (width, height) = (one.photo.width(), one.photo.height());
    format!(
        "<article class=\"told\"><div class=\"shown\">{}<svg viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\">{boxes}</svg></div>\
         <div><h3>{}</h3><ol>{list}</ol></div></article>\n",
        image(&one.photo, &what),
        escape(&one.title)
    )
}

/// A neuron with what it speaks for.
fn named(insight: &Insight, neuron: usize) -> String {
    let known = insight.neurons.named.iter().find(|named| named.feature == neuron);
    known.map_or_else(
        || format!("neuron {neuron}"),
        |known| {
            format!(
                "neuron {neuron}, {} {}",
                direction(known),
                name(insight, known.attribute).replace('_', " ")
            )
        },
    )
}
