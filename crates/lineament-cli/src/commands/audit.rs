//! `lineament audit`: for whom a model errs, how far it can be believed, and which labels to look at again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament::Tagger;
use lineament_data::Layout;
use lineament_lab::audit::contradictions::Rule;
use lineament_lab::audit::groups::Grouping;
use lineament_lab::audit::{Audit, audit, contradictions};
use lineament_lab::bootstrap::Interval;

use super::{Outcome, evaluate as evaluating};
use crate::arguments::{LayoutName, MeasureArguments, RunArguments, SearchArguments};
use crate::outputs::{self, ForceArguments};
use crate::{files, model, notes};

#[derive(Debug, Args)]
pub struct AuditArguments {
    /// Labelled images: a folder in CelebA's or LFW's layout, a CSV or Parquet table, or JSON from Label Studio or in COCO's form
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The layout of the data [default: detected from what is there]
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    #[command(flatten)]
    measure: MeasureArguments,
    #[command(flatten)]
    compare: CompareArguments,
    /// Labels listed for a second look
    #[arg(long, value_name = "N", default_value_t = 200)]
    doubts: usize,
    /// The folder for the tables: audit-groups.csv, audit-calibration.csv, audit-contradictions.csv, audit-second-look.csv
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    force: ForceArguments,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    run: RunArguments,
}

/// What errors are compared between, and what is counted as a contradiction.
#[derive(Debug, Args)]
pub struct CompareArguments {
    #[command(flatten)]
    groups: GroupArguments,
    /// More pairs of attributes that contradict each other: a CSV file with the columns one,other
    #[arg(long, value_name = "FILE")]
    contradictions: Option<PathBuf>,
}

/// What figures are compared between.
#[derive(Debug, Args)]
pub struct GroupArguments {
    /// Group images by the label of this attribute; give it once for each [default: Male and Young, where the model knows them]
    #[arg(long, value_name = "ATTRIBUTE")]
    by: Vec<String>,
    /// Group images by the columns of this CSV file, whose first column holds file names as the data set has them
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
}

pub fn run(arguments: AuditArguments) -> Result<Outcome> {
    may_write(&arguments.output, arguments.force)?;
    let tagger = arguments.search.of(&model::ready(&arguments.run)?)?;
    let groupings = arguments.compare.groupings(&tagger)?;
    let rules = arguments.compare.rules(&tagger)?;
    let (layout, data) = evaluating::read(&arguments.data, arguments.layout)?;
    files::make_folder(&arguments.output)?;
    let (split, region) = (arguments.measure.part(layout, &data), arguments.measure.region.into());
    if layout == Layout::Table {
        evaluating::say_rows(&data, split);
    }
    let seen = evaluating::observe(&tagger, &data, split, region)?;
    let point = arguments.measure.operating_point.into();
    let found = tagger.threads().install(|| audit(&seen, point, &groupings, &rules, arguments.doubts));
    write(&found, &arguments.output)?;
    notes::note(format!(
        "{} pictures, {} without a face found, {} unreadable; the tables are in {}",
        found.images,
        found.without_face,
        found.skipped,
        arguments.output.display()
    ));
    Ok(Outcome::with_unread(found.skipped as u64))
}

impl GroupArguments {
    /// All images, and the groups that were asked for.
    pub fn groupings(&self, tagger: &Tagger) -> Result<Vec<Grouping>> {
        let mut groupings = vec![Grouping::All];
        let known = |name: &&str| tagger.card().names().contains(name);
        if self.by.is_empty() {
            for name in ["Male", "Young"].iter().filter(|name| known(name)) {
                groupings.push(Grouping::Attribute(tagger.card().find(name)?));
            }
        }
        for name in &self.by {
            groupings
                .push(Grouping::Attribute(tagger.card().find(name).context("--by cannot be understood")?));
        }
        if let Some(file) = &self.groups {
            groupings.extend(columns(file)?);
        }
        Ok(groupings)
    }
}

impl CompareArguments {
    /// All images, and the groups that were asked for.
    pub fn groupings(&self, tagger: &Tagger) -> Result<Vec<Grouping>> {
        self.groups.groupings(tagger)
    }

    /// The rules for CelebA's attributes, and the user's.
    pub fn rules(&self, tagger: &Tagger) -> Result<Vec<Rule>> {
        let mut rules = contradictions::celeba().context("the table of contradictions cannot be read")?;
        if let Some(file) = &self.contradictions {
            let own = contradictions::read(&text(file)?)
                .with_context(|| format!("{} is no table with the columns one,other", file.display()))?;
            for name in own.iter().flat_map(|rule| [&rule.one, &rule.other]) {
                tagger.card().find(name).with_context(|| file.display().to_string())?;
            }
            rules.extend(own);
        }
        Ok(rules)
    }
}

/// A grouping for each column after the first.
fn columns(file: &Path) -> Result<Vec<Grouping>> {
    let table = text(file)?;
    let wrong = || format!("{} is no table that can be read", file.display());
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names: Vec<String> =
        reader.headers().with_context(wrong)?.iter().skip(1).map(str::to_owned).collect();
    if names.is_empty() {
        bail!("{} has no column beside the file names; add one to group by", file.display());
    }
    let mut maps: Vec<BTreeMap<String, String>> = vec![BTreeMap::new(); names.len()];
    for row in reader.records() {
        let row = row.with_context(wrong)?;
        let mut fields = row.iter();
        let image = fields.next().unwrap_or_default();
        for (map, group) in maps.iter_mut().zip(fields).filter(|(_, group)| !group.is_empty()) {
            map.insert(image.to_owned(), group.to_owned());
        }
    }
    Ok(names.into_iter().zip(maps).map(|(name, groups)| Grouping::Column { name, groups }).collect())
}

fn text(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// Writes the four tables.
pub fn write(audit: &Audit, folder: &Path) -> Result<()> {
    let figure = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
    let with = |value: Option<f64>, interval: Option<Interval>| {
        [figure(value), figure(interval.map(|i| i.low)), figure(interval.map(|i| i.high))]
    };
    let mut groups = vec![header(&["by", "group", "attribute", "pictures", "people", "positives"])];
    for name in ["accuracy", "false_positive_rate", "false_negative_rate", "balanced_accuracy"] {
        groups[0].extend([name.to_owned(), format!("{name}_low"), format!("{name}_high")]);
    }
    for row in &audit.groups {
        let mut line = header(&[&row.by, &row.group, &row.attribute]);
        line.extend([row.images.to_string(), row.people.to_string(), format!("{:.4}", row.positives)]);
        line.extend(with(row.accuracy, row.accuracy_interval));
        line.extend(with(row.false_positive_rate, row.false_positive_interval));
        line.extend(with(row.false_negative_rate, row.false_negative_interval));
        line.extend(with(row.balanced_accuracy, row.balanced_interval));
        groups.push(line);
    }
    save(&folder.join("audit-groups.csv"), &groups)?;

    let columns = ["by", "group", "attribute", "pictures", "expected_error", "bin", "count"];
    let mut curves = vec![header(&columns)];
    curves[0].extend(header(&["probability", "present"]));
    for row in &audit.calibration {
        for (place, bin) in row.bins.iter().enumerate() {
            let mut line = header(&[&row.by, &row.group, &row.attribute]);
            line.extend([row.images.to_string(), format!("{:.4}", row.expected_error), place.to_string()]);
            let known = |value| figure((bin.count > 0).then_some(value));
            line.extend([bin.count.to_string(), known(bin.probability), known(bin.present)]);
            curves.push(line);
        }
    }
    save(&folder.join("audit-calibration.csv"), &curves)?;

    let columns = ["one", "other", "labelled", "in_labels", "answered", "in_answers"];
    let mut broken = vec![header(&columns)];
    for row in &audit.contradictions {
        let counts = [row.labelled, row.in_labels, row.answered, row.in_answers].map(|n| n.to_string());
        broken.push([header(&[&row.one, &row.other]), counts.to_vec()].concat());
    }
    save(&folder.join("audit-contradictions.csv"), &broken)?;

    let mut doubts = vec![header(&["picture", "attribute", "label", "probability_of_label"])];
    for doubt in &audit.second_look {
        let label = if doubt.label { "1" } else { "0" };
        let likely = format!("{:.4}", doubt.probability_of_label);
        doubts.push(header(&[&doubt.image, &doubt.attribute, label, &likely]));
    }
    save(&folder.join("audit-second-look.csv"), &doubts)
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The tables of an audit.
const TABLES: [&str; 4] =
    ["audit-groups.csv", "audit-calibration.csv", "audit-contradictions.csv", "audit-second-look.csv"];

/// Refuses a folder that holds the tables of an audit, unless they may be replaced.
pub fn may_write(folder: &Path, force: ForceArguments) -> Result<()> {
    TABLES.into_iter().try_for_each(|name| outputs::may_replace(&folder.join(name), force))
}

/// Writes a table as CSV.
pub fn save(path: &Path, rows: &[Vec<String>]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let bytes = writer.into_inner().with_context(|| format!("{} cannot be written", path.display()))?;
    files::write_whole(path, &bytes)
}
