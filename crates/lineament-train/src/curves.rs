//! How the stages of a run have learned: losses and validation figures by epoch, as a page that stands alone and as a line of text.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use lineament_lab::html::{escape, spoken, table};

use crate::checkpoint::write_whole;
use crate::error::TrainError;
use crate::log::{self, Epoch};
use crate::stage::Stage;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;flex:1 1 20rem;max-width:32rem}figcaption{font-weight:600}svg{width:100%;height:auto}\
svg text{font:12px system-ui,sans-serif;fill:#555}.grid{stroke:#ddd;fill:none}.line{stroke:#0060a8;stroke-width:2;fill:none}.mark{fill:#0060a8}\
table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:600}th,td{padding:.1rem .6rem;text-align:right;\
border-bottom:1px solid #ddd}.scroll{overflow-x:auto}summary{cursor:pointer}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}svg text{fill:#bbb}.grid{stroke:#444}.line{stroke:#6db7ff}.mark{fill:#6db7ff}\
th,td{border-color:#444}}";

/// The bars of a line of text, from low to high.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars that fit beside words.
const BROADEST: usize = 40;

/// Writes `curves.html` in a run's folder, from the logs that are there; nothing where there is no log.
///
/// # Errors
/// When a log can't be read or the page not be written.
pub fn write_page(folder: &Path) -> Result<(), TrainError> {
    let stages = stages(folder)?;
    if stages.is_empty() {
        return Ok(());
    }
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Curves of a training</title>\n<style>{STYLE}</style></head><body><main>\n<h1>Curves of a training</h1>\n\
         <p>By epoch: the mean loss of its steps, and what the validation part says where a stage asks it. Written anew after each epoch.</p>\n"
    );
    stages.iter().for_each(|(name, epochs)| page.push_str(&section(name, epochs)));
    page.push_str("</main></body></html>\n");
    Ok(write_whole(&folder.join("curves.html"), page.as_bytes())?)
}

/// The stages with logs, in their order; those of other systems after the cascade's, by name.
fn stages(folder: &Path) -> Result<Vec<(String, Vec<Epoch>)>, TrainError> {
    let entries = std::fs::read_dir(folder).map_err(|e| TrainError::io(folder, e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    let order = |path: &PathBuf| {
        let place =
            Stage::ALL.iter().position(|stage| path.file_stem().is_some_and(|name| name == stage.name()));
        (place.unwrap_or(Stage::ALL.len()), path.clone())
    };
    paths.sort_by_key(order);
    let mut stages = Vec::new();
    for path in paths {
        let epochs = log::read(&path)?;
        if !epochs.is_empty() {
            stages.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), epochs));
        }
    }
    Ok(stages)
}

/// The quantities of a stage by name, each with its value in every epoch that has one.
fn quantities(epochs: &[Epoch]) -> Vec<(&str, Vec<[f64; 2]>)> {
    let names =
        epochs.first().into_iter().flat_map(|epoch| epoch.figures.iter().map(|(name, _)| name.as_str()));
    let of = |value: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<[f64; 2]> {
        let points = epochs.iter().filter_map(|epoch| Some([epoch.number as f64, value(epoch)?]));
        points.filter(|[_, value]| value.is_finite()).collect()
    };
    let own = names.map(|name| (name, of(&|epoch| epoch.figure(name))));
    std::iter::once(("loss", of(&|epoch| Some(epoch.loss)))).chain(own).collect()
}

fn section(name: &str, epochs: &[Epoch]) -> String {
    let quantities = quantities(epochs);
    let mut out = format!("<section><h2>{}</h2>\n<div class=\"plots\">\n", spoken(name));
    // Writing to a string cannot fail.
    for (quantity, points) in &quantities {
        let label = format!("{name}: {quantity} by epoch");
        let _ = writeln!(
            out,
            "<figure><figcaption>{}</figcaption>{}</figure>",
            spoken(quantity),
            plot(&label, points)
        );
    }
    out.push_str("</div>\n<details><summary>As numbers</summary>\n");
    let columns: Vec<String> = ["epoch", "seconds"]
        .into_iter()
        .chain(quantities.iter().map(|(name, _)| *name))
        .map(spoken)
        .collect();
    let row = |epoch: &Epoch| {
        let own = quantities.iter().map(|(_, points)| {
            let found = points.iter().find(|[number, _]| *number == epoch.number as f64);
            found.map_or_else(|| "–".to_owned(), |[_, value]| format!("{value:.4}"))
        });
        [epoch.number.to_string(), format!("{:.0}", epoch.seconds)].into_iter().chain(own).collect()
    };
    let rows: Vec<Vec<String>> = epochs.iter().map(row).collect();
    out +=
        &table(&format!("{name} by epoch"), &columns.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
    out.push_str("</details></section>\n");
    out
}

/// A line through `points` (epoch and value), with its first and last epoch below and its range beside.
fn plot(label: &str, points: &[[f64; 2]]) -> String {
    let (left, right, top, bottom) = (60.0, 390.0, 10.0, 150.0);
    let [low, high] = range(points.iter().map(|[_, value]| *value));
    let [first, last] = range(points.iter().map(|[number, _]| *number));
    let share = |value: f64, [from, to]: [f64; 2]| if to > from { (value - from) / (to - from) } else { 0.5 };
    let x = |number: f64| left + (right - left) * share(number, [first, last]);
    let y = |value: f64| bottom - (bottom - top) * share(value, [low, high]);
    let mut out = format!("<svg viewBox=\"0 0 400 180\" role=\"img\" aria-label=\"{}\">", escape(label));
    for value in [low, f64::midpoint(low, high), high] {
        let at = y(value);
        let _ = write!(out, "<path class=\"grid\" d=\"M{left} {at:.1}H{right}\"/>");
        let _ = write!(
            out,
            "<text text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{value:.4}</text>",
            left - 6.0,
            at + 4.0
        );
    }
    for (number, anchor) in [(first, "start"), (last, "end")] {
        let _ = write!(
            out,
            "<text text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{}\">{number}</text>",
            x(number),
            bottom + 18.0
        );
    }
    let line: Vec<String> = points.iter().map(|[a, b]| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
    let _ = write!(out, "<polyline class=\"line\" points=\"{}\"/>", line.join(" "));
    if let Some([a, b]) = points.last() {
        let _ = write!(out, "<circle class=\"mark\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>", x(*a), y(*b));
    }
    out.push_str("</svg>");
    out
}

fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let found = values
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)]);
    if found[0] <= found[1] { found } else { [0.0, 0.0] }
}

/// The quantities of a stage in words and bars: `loss ▇▅▃▂▁ 0.71 to 0.21`.
pub fn in_words(epochs: &[Epoch]) -> String {
    let one = |(name, points): &(&str, Vec<[f64; 2]>)| {
        let values: Vec<f64> = points.iter().map(|[_, value]| *value).collect();
        let (first, last) = (values.first()?, values.last()?);
        Some(format!("{name} {} {first:.4} to {last:.4}", bars(&values)))
    };
    quantities(epochs).iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

/// A bar for each value; where there are too many, for the mean of as many as make it fit.
fn bars(values: &[f64]) -> String {
    let together = values.len().div_ceil(BROADEST).max(1);
    let means: Vec<f64> =
        values.chunks(together).map(|some| some.iter().sum::<f64>() / some.len() as f64).collect();
    let [low, high] = range(means.iter().copied());
    let bar = |value: &f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        BARS[((share * BARS.len() as f64) as usize).min(BARS.len() - 1)]
    };
    means.iter().map(bar).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::log::Log;

    fn epoch(number: u64, loss: f64, figures: &[(&str, f64)]) -> Epoch {
        let figures = figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Epoch { number, step: number, rate: 0.1, loss, seconds: 2.0, waited: 0.0, figures }
    }

    #[test]
    fn bars_rise_with_values_and_fit() {
        assert_eq!(bars(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), "▁▂▃▄▅▆▇█");
        assert_eq!(bars(&[3.0]), "▅");
        assert!(bars(&vec![1.0; 999]).chars().count() <= BROADEST);
    }

    #[test]
    fn the_page_has_every_stage_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        write_page(folder.path()).unwrap();
        assert!(!folder.path().join("curves.html").exists(), "there is nothing to show");
        for (stage, figures) in [("anet", &[("mean_accuracy", 0.9)][..]), ("lnet_o", &[]), ("part_<b>", &[])]
        {
            let mut log = Log::open(folder.path(), stage, 0).unwrap();
            log.add(epoch(1, 2.0, figures)).unwrap();
            log.add(epoch(2, f64::NAN, figures)).unwrap();
            log.add(epoch(3, 1.0, figures)).unwrap();
        }
        std::fs::write(folder.path().join("other.csv"), "a,b\n1,2\n").unwrap();
        write_page(folder.path()).unwrap();
        let page = std::fs::read_to_string(folder.path().join("curves.html")).unwrap();
        let at = |text: &str| page.find(text).unwrap();
        assert!(at("<h2>lnet o") < at("<h2>anet") && at("<h2>anet") < at("<h2>part &lt;b&gt;"));
        assert!(
            page.contains("anet: mean_accuracy by epoch") && !page.contains("other") && !page.contains("NaN")
        );
        assert!(
            page.contains("60.0,10.0 390.0,150.0"),
            "the loss falls from the upper left to the lower right"
        );
    }

    #[test]
    fn words_name_where_it_began_and_ended() {
        let words = in_words(&[epoch(1, 2.0, &[("error", 0.5)]), epoch(2, 1.0, &[("error", 0.25)])]);
        assert_eq!(words, "loss █▁ 2.0000 to 1.0000, error █▁ 0.5000 to 0.2500");
    }
}
