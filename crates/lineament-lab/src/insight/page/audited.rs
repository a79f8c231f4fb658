//! The section of the audit.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::plot;
use crate::audit::Audit;
use crate::audit::groups::GroupRow;
use crate::bootstrap::Interval;
use crate::html::{escape, folded, percent, spoken, table, with_interval};
use crate::insight::Insight;

/// Labels for a second look that the page lists; the CSV file of `lineament audit` holds more.
const DOUBTS: usize = 50;
/// Differences between groups that are listed.
const DIFFERENCES: usize = 20;

/// For whom the model errs, how far it can be believed, what contradicts itself, which labels to look at again.
pub fn section(audit: &Audit, insight: &Insight) -> String {
    let mut out =
        String::from("<section aria-labelledby=\"audit\"><h2 id=\"audit\">Audit: for whom it errs</h2>\n");
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<p>{} pictures; {} in which no face was found and {} that could not be read are left out. Intervals are 95 %, from drawing people again. Groups are labels \
         that people gave to pictures, too.</p>",
        audit.images, audit.without_face, audit.skipped
    );
    out += &differences(audit);
    out += &groups(audit);
    out += &calibration(audit);
    out += &contradictions(audit);
    out += &second_look(audit, insight);
    out + "</section>\n"
}

/// The groupings in their order, each with its rows.
fn groupings(audit: &Audit) -> Vec<(&str, Vec<&GroupRow>)> {
    let mut found: Vec<(&str, Vec<&GroupRow>)> = Vec::new();
    for row in &audit.groups {
        match found.iter_mut().find(|(by, _)| *by == row.by) {
            Some((_, rows)) => rows.push(row),
            None => found.push((&row.by, vec![row])),
        }
    }
    found
}

fn label(by: &str, group: &str) -> String {
    format!("{}: {}", spoken(by), escape(group))
}

/// The largest differences of an error rate between two groups whose intervals do not touch.
fn differences(audit: &Audit) -> String {
    type Rate = (&'static str, fn(&GroupRow) -> Option<(f64, Interval)>);
    let rates: [Rate; 2] = [
        ("said, but not labelled", |row| row.false_positive_rate.zip(row.false_positive_interval)),
        ("labelled, but not said", |row| row.false_negative_rate.zip(row.false_negative_interval)),
    ];
    let mut found: Vec<(f64, Vec<String>)> = Vec::new();
    for (by, rows) in groupings(audit).into_iter().filter(|(by, _)| *by != "all") {
        let mut of_attribute: BTreeMap<&str, Vec<&GroupRow>> = BTreeMap::new();
        rows.iter().for_each(|row| of_attribute.entry(&row.attribute).or_default().push(row));
        for (attribute, rows) in of_attribute.into_iter().filter(|(attribute, _)| *attribute != by) {
            for (what, rate) in rates {
                let known = rows.iter().filter_map(|row| Some((*row, rate(row)?)));
                let known: Vec<(&GroupRow, (f64, Interval))> = known.collect();
                let most = known.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0));
                let least = known.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0));
                if let (Some((more, (high, above))), Some((less, (low, below)))) = (most, least)
                    && above.low > below.high
                {
                    let cells = vec![
                        spoken(attribute),
                        what.to_owned(),
                        label(by, &more.group),
                        with_interval(Some(*high), Some(*above)),
                        label(by, &less.group),
                        with_interval(Some(*low), Some(*below)),
                    ];
                    found.push((high - low, cells));
                }
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut out = String::from("<h3>Where groups differ most</h3>");
    if found.is_empty() {
        out.push_str("<p>No error rate of one group has an interval clear of that of another.</p>");
        return out;
    }
    let _ = write!(
        out,
        "<p>{} rates of two groups have intervals that do not touch; the {} largest differences. With as many comparisons as here some come out by chance.</p>",
        found.len(),
        found.len().min(DIFFERENCES)
    );
    let rows: Vec<Vec<String>> = found.into_iter().take(DIFFERENCES).map(|(_, cells)| cells).collect();
    out + &table(
        "The largest differences of error rates between groups, %",
        &["attribute", "error", "more often in", "rate", "than in", "rate"],
        &rows,
    )
}

fn groups(audit: &Audit) -> String {
    let mut out = String::from("<h3>Errors by group</h3>");
    for (by, mut rows) in groupings(audit) {
        // The groups of an attribute stand below each other.
        let mut order: Vec<&str> = Vec::new();
        for row in &rows {
            if !order.contains(&row.attribute.as_str()) {
                order.push(&row.attribute);
            }
        }
        rows.sort_by_key(|row| order.iter().position(|name| *name == row.attribute));
        let cells = |row: &&GroupRow| {
            vec![
                spoken(&row.attribute),
                escape(&row.group),
                row.images.to_string(),
                row.people.to_string(),
                percent(row.positives),
                with_interval(row.accuracy, row.accuracy_interval),
                with_interval(row.false_positive_rate, row.false_positive_interval),
                with_interval(row.false_negative_rate, row.false_negative_interval),
            ]
        };
        let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
        let heads = [
            "attribute",
            "group",
            "pictures",
            "people",
            "labelled, %",
            "accuracy, %",
            "false positive rate, %",
            "false negative rate, %",
        ];
        let title =
            if by == "all" { "All pictures".to_owned() } else { format!("By {}", by.replace('_', " ")) };
        out += &folded(&title, &table(&format!("{title}: errors of each attribute"), &heads, &rows));
    }
    out
}

fn calibration(audit: &Audit) -> String {
    let of = |by: &str| audit.calibration.iter().filter(|row| row.by == by).collect::<Vec<_>>();
    let all = of("all");
    let mean = crate::metrics::mean(all.iter().map(|row| row.expected_error));
    let mut out = String::from("<h3>How far probabilities can be believed</h3>");
    let _ = write!(
        out,
        "<p>The expected calibration error (the distance between the probability told and the share that has the attribute, over ten bins) is {} points on average.</p>",
        percent(mean)
    );
    let mut groups: Vec<(String, f64)> = Vec::new();
    let mut names: Vec<(&str, &str)> = Vec::new();
    for row in &audit.calibration {
        if !names.contains(&(&row.by, &row.group)) {
            names.push((&row.by, &row.group));
        }
    }
    for (by, group) in names {
        let rows = audit.calibration.iter().filter(|row| row.by == by && row.group == group);
        groups.push((label(by, group), crate::metrics::mean(rows.map(|row| row.expected_error))));
    }
    let rows: Vec<Vec<String>> = groups.into_iter().map(|(name, error)| vec![name, percent(error)]).collect();
    out += &table(
        "Expected calibration error by group, mean over attributes, points",
        &["group", "expected error"],
        &rows,
    );
    let mut curves = String::from("<ul class=\"grid-of\">");
    for row in all {
        let label = format!(
            "Reliability curve of {}, expected error {} points",
            row.attribute,
            percent(row.expected_error)
        );
        let _ = write!(
            curves,
            "<li>{}{}: {}</li>",
            plot::reliability(&label, &row.bins),
            spoken(&row.attribute),
            percent(row.expected_error)
        );
    }
    curves.push_str("</ul><p class=\"fine\">Right: the probability told. Up: the share that has the attribute. On the diagonal both agree; large marks stand for many answers.</p>");
    out + &folded("The curve of each attribute", &curves)
}

fn contradictions(audit: &Audit) -> String {
    let share = |part: u64, whole: u64| percent(part as f64 / whole.max(1) as f64);
    let rows: Vec<Vec<String>> = audit
        .contradictions
        .iter()
        .map(|row| {
            vec![
                format!("{} and {}", spoken(&row.one), spoken(&row.other)),
                row.in_labels.to_string(),
                share(row.in_labels, row.labelled),
                row.in_answers.to_string(),
                share(row.in_answers, row.answered),
            ]
        })
        .collect();
    let mut out = String::from("<h3>Contradictions</h3>");
    if rows.is_empty() {
        out.push_str("<p>The model knows no two attributes that a face can hardly have both.</p>");
        return out;
    }
    out.push_str("<p>Attributes that a face can hardly have both, counted in what people labelled and in what the model answers.</p>");
    out + &table(
        "Contradictions in labels and answers",
        &["both", "in labels", "of all, %", "in answers", "of all, %"],
        &rows,
    )
}

fn second_look(audit: &Audit, insight: &Insight) -> String {
    let mut out = String::from("<h3>Labels most worth a second look</h3>");
    let listed = audit.second_look.len().min(DOUBTS);
    let _ = write!(
        out,
        "<p>The {listed} labels of {} attributes that the model denies most surely, by file name. Either may be wrong.</p>",
        insight.names.len()
    );
    let rows: Vec<Vec<String>> = audit
        .second_look
        .iter()
        .take(DOUBTS)
        .map(|doubt| {
            vec![
                escape(&doubt.image),
                spoken(&doubt.attribute),
                if doubt.label { "yes" } else { "no" }.to_owned(),
                format!("{:.2}", 100.0 * doubt.probability_of_label),
            ]
        })
        .collect();
    let heads = ["picture", "attribute", "label", "probability of the label, %"];
    out + &folded("The list", &table("Labels for a second look", &heads, &rows))
}
