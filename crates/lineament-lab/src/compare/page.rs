//! A comparison as one page that needs nothing else.

use std::fmt::Write;

use super::{ComparedRow, Comparison, Figures};
use crate::html::{escape, folded, percent, spoken, table, with_interval};
use crate::provenance::Provenance;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:600}th,td{padding:.2rem .6rem;text-align:right;\
border-bottom:1px solid #ddd}th[scope=row]{text-align:left;font-weight:400}thead th{vertical-align:bottom}small{color:#555;font-size:.8em}\
.scroll{overflow-x:auto}.better{color:#00614a}.worse{color:#9a2f00}svg{max-width:100%;height:auto}summary{cursor:pointer}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}small{color:#bbb}th,td{border-color:#444}.better{color:#5fd3b0}\
.worse{color:#ff9d73}}";

/// The page. `data` is what the data is called.
pub fn page(found: &Comparison, data: &str, provenance: &Provenance) -> String {
    let [first, second] = &found.models;
    let name = |model: &crate::evaluation::Model| {
        format!("{} {} ({})", model.name, model.version, model.hash.get(..8).unwrap_or(&model.hash))
    };
    let (one, other) = (escape(&name(first)), escape(&name(second)));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{one} and {other}</title>\n<style>{STYLE}</style></head><body><main>\n<h1>Two models on {}</h1>\n\
         <p>A is {one}, B is {other}. {} pictures of {} people, {} part. Differences are B less A, in points of per cent, with 95 % intervals over \
         people; the same people are drawn for both. An interval without zero is marked.</p>\n",
        escape(data),
        found.images,
        found.people,
        found.split,
    );
    let mean = |label: &str, figures: &Figures| {
        vec![label.to_owned(), percent(figures.first), percent(figures.second), difference(figures)]
    };
    page += &table(
        "Means over attributes",
        &["", "A %", "B %", "B less A"],
        &[mean("accuracy", &found.mean_accuracy), mean("balanced accuracy", &found.mean_balanced_accuracy)],
    );
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "<p>No face was found in {} pictures by A and in {} by B; these count with the majority answer. Of {} answers, {} differ.</p>",
        found.faces_missed[0], found.faces_missed[1], found.answers, found.different_answers
    );
    let all: Vec<&ComparedRow> = found.rows.iter().filter(|row| row.by == "all").collect();
    page += &plot(&all);
    page += &rows("All pictures", &all);
    let mut groups: Vec<(&str, &str)> = Vec::new();
    for row in found.rows.iter().filter(|row| row.by != "all") {
        if !groups.contains(&(&row.by, &row.group)) {
            groups.push((&row.by, &row.group));
        }
    }
    for (by, group) in groups {
        let members: Vec<&ComparedRow> =
            found.rows.iter().filter(|row| row.by == by && row.group == group).collect();
        let title = format!("{}: {group}", by.replace('_', " "));
        page += &folded(&title, &rows(&title, &members));
    }
    let row = |disagreement: &super::Disagreement| {
        let said = |side: usize| {
            let right = disagreement.answers.get(side) == Some(&disagreement.label);
            let class = if right { "better" } else { "worse" };
            let probability = disagreement.probabilities.get(side).copied().unwrap_or_default();
            format!("<span class=\"{class}\">{}</span>", percent(f64::from(probability)))
        };
        let label = if disagreement.label { "yes" } else { "no" };
        let path = escape(&lineament::path_text::to_text(&disagreement.path));
        vec![path, spoken(&disagreement.attribute), label.to_owned(), said(0), said(1)]
    };
    let listed: Vec<Vec<String>> = found.disagreements.iter().map(row).collect();
    page += "<h2>Where they disagree most</h2>\n";
    page += &table(
        "Different answers, furthest apart first",
        &["picture", "attribute", "label", "A %", "B %"],
        &listed,
    );
    for (side, names) in ["A", "B"].iter().zip(&found.known_to_one).filter(|(_, names)| !names.is_empty()) {
        let names: Vec<String> = names.iter().map(|name| spoken(name)).collect();
        let _ = writeln!(page, "<p>Only {side} knows {}.</p>", names.join(", "));
    }
    let _ = write!(
        page,
        "<footer><p><small>Labels are what people said of photos. {} · {} · {}</small></p></footer>\n</main></body></html>\n",
        escape(&provenance.command),
        escape(&provenance.machine),
        escape(&provenance.commit)
    );
    page
}

fn difference(figures: &Figures) -> String {
    let class = match figures.verdict() {
        1 => "better",
        -1 => "worse",
        _ => "even",
    };
    format!("<span class=\"{class}\">{}</span>", with_interval(Some(figures.difference), figures.interval))
}

fn rows(caption: &str, rows: &[&ComparedRow]) -> String {
    let cells = |row: &&ComparedRow| {
        vec![
            spoken(&row.attribute),
            row.images.to_string(),
            percent(row.positives),
            percent(row.accuracy.first),
            percent(row.accuracy.second),
            difference(&row.accuracy),
            percent(row.balanced_accuracy.first),
            percent(row.balanced_accuracy.second),
            difference(&row.balanced_accuracy),
        ]
    };
    let columns = [
        "attribute",
        "pictures",
        "have it %",
        "A right %",
        "B right %",
        "B less A",
        "A balanced %",
        "B balanced %",
        "B less A",
    ];
    table(caption, &columns, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// A line for each attribute: the difference of balanced accuracies as a dot on its interval, best first.
fn plot(rows: &[&ComparedRow]) -> String {
    const ROW: f64 = 18.0;
    const LEFT: f64 = 190.0;
    const WIDTH: f64 = 420.0;
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| b.balanced_accuracy.difference.total_cmp(&a.balanced_accuracy.difference));
    let ends = |figures: &Figures| figures.interval.map_or([figures.difference; 2], |i| [i.low, i.high]);
    let most = rows.iter().flat_map(|row| ends(&row.balanced_accuracy)).map(f64::abs).fold(0.005, f64::max);
    let x = |value: f64| LEFT + WIDTH / 2.0 + value / most * WIDTH / 2.0;
    let height = ROW * rows.len() as f64 + 30.0;
    let mut svg = format!(
        "<figure><svg viewBox=\"0 0 {} {height}\" role=\"img\" aria-label=\"Difference of balanced accuracy for each attribute\" \
         fill=\"currentColor\" font-size=\"12\"><line x1=\"{z}\" x2=\"{z}\" y1=\"0\" y2=\"{}\" stroke=\"currentColor\" opacity=\".4\"/>\n",
        LEFT + WIDTH + 10.0,
        height - 20.0,
        z = x(0.0),
    );
    for (place, row) in rows.iter().enumerate() {
        let y = ROW * (place as f64 + 0.5);
        let [low, high] = ends(&row.balanced_accuracy);
        let bold = if row.balanced_accuracy.verdict() == 0 { "0.5" } else { "1" };
        let _ = writeln!(
            svg,
            "<g opacity=\"{bold}\"><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\" \
             stroke=\"currentColor\"/><circle cx=\"{:.1}\" cy=\"{y}\" r=\"3.5\"/></g>",
            LEFT - 8.0,
            y + 4.0,
            spoken(&row.attribute),
            x(low),
            x(high),
            x(row.balanced_accuracy.difference),
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{y}\">A better</text><text x=\"{}\" y=\"{y}\" text-anchor=\"end\">B better</text>\
         <text x=\"{}\" y=\"{y}\" text-anchor=\"middle\">± {} points</text></svg>\
         <figcaption>Balanced accuracy, B less A, with its interval. What is faint may be chance.</figcaption></figure>",
        LEFT + WIDTH,
        x(0.0),
        percent(most),
        y = height - 4.0,
    );
    svg
}
