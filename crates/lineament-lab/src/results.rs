//! `docs/results.md`: every figure of one or more evaluations, written by a command and never by hand.

use std::fmt::Write;

use lineament::attributes::OperatingPoint;

use crate::bootstrap::{self, Interval};
use crate::evaluation::{AttributeFigures, Evaluation};
use crate::observe::FaceFrom;
use crate::paper;
use crate::provenance::Provenance;

/// The report as Markdown: a summary, localization, and one table of attributes a region, beside the majority answer and
/// the paper's figures.
pub fn results(evaluations: &[Evaluation], data: &str, provenance: &Provenance) -> String {
    let mut page = String::from("# Results\n\n");
    // Writing to a string cannot fail.
    let _ = heading(&mut page, evaluations, data, provenance);
    let _ = summary(&mut page, evaluations);
    for evaluation in located(evaluations) {
        let _ = localization(&mut page, evaluation);
    }
    for region in [FaceFrom::Landmarks, FaceFrom::Located] {
        let _ = attributes(&mut page, evaluations, region);
    }
    let _ = notes(&mut page, evaluations);
    crate::markdown::wrap(&page)
}

/// One evaluation a set of found faces: boxes do not depend on the operating point.
fn located(evaluations: &[Evaluation]) -> impl Iterator<Item = &Evaluation> {
    evaluations.iter().find(|evaluation| evaluation.region == FaceFrom::Located).into_iter()
}

fn heading(
    page: &mut String,
    evaluations: &[Evaluation],
    data: &str,
    provenance: &Provenance,
) -> std::fmt::Result {
    writeln!(page, "Written by `lineament evaluate --report`; edit the code, not this page.\n")?;
    writeln!(page, "| | |\n|---|---|")?;
    writeln!(page, "| command | `{}` |", provenance.command)?;
    if let Some(first) = evaluations.first() {
        let model = &first.model;
        writeln!(page, "| model | {} {}, SHA-256 `{}` |", model.name, model.version, model.hash)?;
        writeln!(page, "| data | {data}, {} part |", first.split)?;
    }
    writeln!(page, "| commit | {} |", provenance.commit)?;
    writeln!(page, "| machine | {} |", provenance.machine)?;
    writeln!(
        page,
        "| intervals | 95 %, {} bootstrap samples over people, seed {} |\n",
        bootstrap::RESAMPLES,
        bootstrap::SEED
    )
}

fn summary(page: &mut String, evaluations: &[Evaluation]) -> std::fmt::Result {
    writeln!(page, "## Attributes\n")?;
    writeln!(
        page,
        "| face region | operating point | photos | faces missed | mean accuracy | mean balanced accuracy | mean average precision | majority answer | paper |"
    )?;
    writeln!(page, "|---|---|---:|---:|---:|---:|---:|---:|---:|")?;
    for evaluation in evaluations {
        let interval = |pick: fn(&bootstrap::Intervals) -> Interval| {
            evaluation.intervals.as_ref().map(pick).map_or_else(String::new, |Interval { low, high }| {
                format!(" ({} – {})", percent(low), percent(high))
            })
        };
        writeln!(
            page,
            "| {} | {} | {} | {} | **{}**{} | **{}**{} | {} | {} | {} |",
            region_words(evaluation.region),
            point_words(evaluation.operating_point),
            evaluation.images,
            evaluation.faces_missed,
            percent(evaluation.mean_accuracy),
            interval(|intervals| intervals.accuracy),
            percent(evaluation.mean_balanced_accuracy),
            interval(|intervals| intervals.balanced_accuracy),
            percent(evaluation.mean_average_precision),
            percent(evaluation.majority_accuracy),
            percent(paper::mean_accuracy(paper::System::LnetsAnet)),
        )?;
    }
    writeln!(page)
}

fn localization(page: &mut String, evaluation: &Evaluation) -> std::fmt::Result {
    if evaluation.localisation.is_none() && evaluation.background.is_none() {
        return Ok(());
    }
    writeln!(page, "## Localization\n")?;
    writeln!(page, "| what | % |\n|---|---:|")?;
    if let Some(figures) = &evaluation.localisation {
        for (what, value) in [
            ("the best box overlaps the given one by half (IoU ≥ 0.5)", figures.iou_0_5),
            ("mean overlap (IoU) of the best box", figures.mean_iou),
            ("true positive rate at 0.01 false positives per photo", figures.tpr_at_fppi_0_01),
            ("true positive rate at 0.1 false positives per photo", figures.tpr_at_fppi_0_1),
        ] {
            writeln!(page, "| {what} | {} |", percent(value))?;
        }
    }
    if let Some(figures) = &evaluation.background {
        writeln!(
            page,
            "| face photos above the score that 1 in 100 photos without a face exceeds | {} |",
            percent(figures.tpr_at_1_in_100)
        )?;
        writeln!(
            page,
            "| face photos with a face found, at the model's own threshold | {} |",
            percent(figures.true_positive_rate)
        )?;
        let alarms = figures.alarms as f64 / figures.images.max(1) as f64;
        writeln!(
            page,
            "| photos without a face that raise a false alarm, at the same threshold | {} |",
            percent(alarms)
        )?;
    }
    writeln!(page)?;
    if let Some(figures) = &evaluation.localisation {
        writeln!(page, "{} photos with a given box.", figures.images)?;
    }
    if let Some(figures) = &evaluation.background {
        writeln!(page, "{} face photos, {} photos without a face.", figures.face_images, figures.images)?;
    }
    writeln!(page)?;
    if let Some(figures) = &evaluation.localisation {
        writeln!(page, "Recall at 0.1 false positives per photo, by the overlap required:\n")?;
        let cells = |cell: fn(&crate::localization::RecallAt) -> String| -> String {
            figures.recall_against_overlap.iter().map(|point| format!(" {} |", cell(point))).collect()
        };
        writeln!(page, "| overlap |{}", cells(|point| format!("{:.1}", point.overlap)))?;
        writeln!(page, "|---|{}", cells(|_| "---:".to_owned()))?;
        writeln!(page, "| recall, % |{}\n", cells(|point| percent(point.recall)))?;
    }
    Ok(())
}

fn attributes(page: &mut String, evaluations: &[Evaluation], region: FaceFrom) -> std::fmt::Result {
    let of = |point| {
        evaluations
            .iter()
            .find(|evaluation| evaluation.region == region && evaluation.operating_point == point)
    };
    let (accurate, balanced) = (of(OperatingPoint::Accuracy), of(OperatingPoint::Balanced));
    let Some(main) = accurate.or(balanced) else { return Ok(()) };
    let figure = |from: Option<&Evaluation>, name: &str, pick: fn(&AttributeFigures) -> f64| {
        from.and_then(|evaluation| evaluation.attributes.iter().find(|figures| figures.name == name))
            .map_or_else(|| "–".to_owned(), |figures| percent(pick(figures)))
    };
    writeln!(page, "## Attribute by attribute, {}\n", region_words(region))?;
    writeln!(
        page,
        "| attribute | positive | majority | paper | accuracy | F1 | average precision | balanced accuracy | balanced accuracy, balanced point |"
    )?;
    writeln!(page, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for figures in &main.attributes {
        let name = &figures.name;
        writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
            percent(figures.positives),
            percent(figures.majority_accuracy),
            paper::accuracy(paper::System::LnetsAnet, name).map_or_else(|| "–".to_owned(), percent),
            figure(accurate, name, |figures| figures.accuracy),
            figure(accurate, name, |figures| figures.f1),
            percent(figures.average_precision),
            figure(accurate, name, |figures| figures.balanced_accuracy),
            figure(balanced, name, |figures| figures.balanced_accuracy),
        )?;
    }
    let mean = |from: Option<&Evaluation>, pick: fn(&Evaluation) -> f64| {
        from.map_or_else(|| "–".to_owned(), |evaluation| percent(pick(evaluation)))
    };
    let positives = crate::metrics::mean(main.attributes.iter().map(|figures| figures.positives));
    let f1 = crate::metrics::mean(
        accurate.iter().flat_map(|evaluation| &evaluation.attributes).map(|figures| figures.f1),
    );
    writeln!(
        page,
        "| **mean** | {} | {} | {} | **{}** | {} | {} | {} | **{}** |\n",
        percent(positives),
        percent(main.majority_accuracy),
        percent(paper::mean_accuracy(paper::System::LnetsAnet)),
        mean(accurate, |evaluation| evaluation.mean_accuracy),
        if accurate.is_some() { percent(f1) } else { "–".to_owned() },
        percent(main.mean_average_precision),
        mean(accurate, |evaluation| evaluation.mean_balanced_accuracy),
        mean(balanced, |evaluation| evaluation.mean_balanced_accuracy),
    )
}

fn notes(page: &mut String, evaluations: &[Evaluation]) -> std::fmt::Result {
    writeln!(page, "## How to read this\n")?;
    writeln!(
        page,
        "- All figures are in per cent. \"paper\" is LNets+ANet in Table 1 of Liu et al., ICCV 2015, on the full CelebA test part after \
         training on 160,000 images: a landmark, not the same test."
    )?;
    writeln!(
        page,
        "- A missed face gets the majority answer of the split, so it is wrong wherever the majority answer is. In the ranking for \
         the average precision it stands at the share of positives."
    )?;
    writeln!(
        page,
        "- Average precision is defined as in scikit-learn. With labels of one class only, balanced accuracy is the rate of that class."
    )?;
    writeln!(
        page,
        "- Localization is measured against the boxes of the data. A found box that overlaps no given box by half is a false positive, even \
         if it shows a face that the data does not list. For photos without a face it only counts whether a face was found anywhere."
    )?;
    for evaluation in
        evaluations.iter().filter(|evaluation| evaluation.operating_point == first_point(evaluations))
    {
        let region = region_words(evaluation.region);
        if evaluation.without_landmarks > 0 {
            writeln!(
                page,
                "- {region}: {} images have no landmarks and were read in the median region of the others.",
                evaluation.without_landmarks
            )?;
        }
        if !evaluation.skipped.is_empty() {
            writeln!(
                page,
                "- {region}: {} images could not be read and are left out.",
                evaluation.skipped.len()
            )?;
        }
        if !evaluation.unlabelled.is_empty() {
            writeln!(page, "- {region}: the data does not label {}.", evaluation.unlabelled.join(", "))?;
        }
    }
    Ok(())
}

fn first_point(evaluations: &[Evaluation]) -> OperatingPoint {
    evaluations.first().map_or_else(OperatingPoint::default, |evaluation| evaluation.operating_point)
}

fn region_words(region: FaceFrom) -> &'static str {
    match region {
        FaceFrom::Located => "found in un-cropped photos",
        FaceFrom::Landmarks => "given by landmarks",
    }
}

fn point_words(point: OperatingPoint) -> &'static str {
    match point {
        OperatingPoint::Accuracy => "accuracy",
        OperatingPoint::Balanced => "balanced",
    }
}

fn percent(value: f64) -> String {
    format!("{:.2}", 100.0 * value)
}
