//! How pages are written; one format a file.

mod csv;
mod json;
mod parquet;
mod text;

pub use parquet::Table as Parquet;
pub use text::percent;

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Result, bail};

use crate::arguments::FormatName;
use crate::files::Sink;
use crate::page::{Page, Summary, Told};
use crate::terminal::Colours;

/// Writes pages as they come.
pub trait PageWriter {
    /// Writes one.
    fn page(&mut self, page: &Page) -> Result<()>;
    /// Writes what comes last, and closes the output.
    fn finish(self: Box<Self>, summary: &Summary) -> Result<()>;
}

/// The format that was asked for, or that the output's name ends in, or text.
pub fn choose(asked: Option<FormatName>, output: Option<&Path>) -> Result<FormatName> {
    let by_name = || match output.and_then(Path::extension).and_then(OsStr::to_str)? {
        "json" => Some(FormatName::Json),
        "jsonl" | "ndjson" => Some(FormatName::Jsonl),
        "csv" => Some(FormatName::Csv),
        "parquet" => Some(FormatName::Parquet),
        _ => None,
    };
    let format = asked.or_else(by_name).unwrap_or(FormatName::Text);
    if format == FormatName::Parquet && output.is_none() && io::stdout().is_terminal() {
        bail!("Parquet is not for terminals; write it to a file with --output FILE");
    }
    Ok(format)
}

/// A writer to standard output or a file.
pub fn writer(format: FormatName, output: Option<&Path>, told: Told) -> Result<Box<dyn PageWriter>> {
    let sink = Sink::open(output)?;
    let colours = match output {
        None => Colours::of(&io::stdout()),
        Some(_) => Colours::NONE,
    };
    Ok(match format {
        FormatName::Text => Box::new(text::Text::new(sink, told, colours)),
        FormatName::Json => Box::new(json::Array::new(sink, told)),
        FormatName::Jsonl => Box::new(json::Lines::new(sink, told)),
        FormatName::Csv => Box::new(csv::Table::new(sink, told)?),
        FormatName::Parquet => Box::new(parquet::Table::new(sink, told)?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::page::PageFace;
    use lineament::{Attribute, Rect};

    fn told(chosen: bool) -> Told {
        let attributes = ["Bald", "Smiling", "Wearing_Hat", "Young"].map(str::to_owned).to_vec();
        Told { attributes, chosen, model: "compact 1.0.0 (0123abcd)".to_owned() }
    }

    fn pages() -> [Page; 3] {
        let attribute = |index, probability, value| Attribute { index, probability, value };
        let face = |x, score| PageFace {
            rect: Rect::new(x, 58.26, 108.92, 131.0),
            score,
            attributes: vec![
                attribute(0, 0.000_012, false),
                attribute(1, 0.974_361, true),
                attribute(2, 0.52, false),
                attribute(3, 0.61, true),
            ],
        };
        let mut nobody = face(7.0, 0.04);
        nobody.attributes.iter_mut().for_each(|attribute| attribute.value = false);
        let page = |path: &str, faces| Page { path: path.into(), width: 512, height: 480, faces };
        [
            page("a.jpg", vec![face(171.0, 0.981_23), nobody]),
            page("b, \"c\".png", vec![]),
            page("d.png", vec![face(-3.5, 1.0)]),
        ]
    }

    fn written(format: FormatName, told: Told, pages: &[Page]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut writer = writer(format, Some(&path), told).unwrap();
        pages.iter().for_each(|page| writer.page(page).unwrap());
        assert!(!path.exists(), "not there before it is whole");
        let faces = pages.iter().map(|page| page.faces.len() as u64).sum();
        writer.finish(&Summary { pictures: pages.len() as u64, faces, unread: 1 }).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn text() {
        insta::assert_snapshot!("text", written(FormatName::Text, told(false), &pages()));
        insta::assert_snapshot!("text_of_chosen_attributes", written(FormatName::Text, told(true), &pages()));
    }

    #[test]
    fn json() {
        insta::assert_snapshot!("json", written(FormatName::Json, told(false), &pages()));
        assert_eq!(written(FormatName::Json, told(false), &[]), "[]\n");
        let bare = Told { attributes: Vec::new(), ..told(false) };
        insta::assert_snapshot!("jsonl_of_boxes", written(FormatName::Jsonl, bare, &pages()));
    }

    #[test]
    fn csv() {
        insta::assert_snapshot!("csv", written(FormatName::Csv, told(false), &pages()));
    }

    #[test]
    fn the_name_of_the_output_tells_the_format() {
        let by_name = |name: &str| choose(None, Some(Path::new(name))).unwrap();
        assert_eq!(by_name("a.jsonl"), FormatName::Jsonl);
        assert_eq!(by_name("a.parquet"), FormatName::Parquet);
        assert_eq!(by_name("a"), FormatName::Text);
        assert_eq!(choose(Some(FormatName::Csv), Some(Path::new("a.json"))).unwrap(), FormatName::Csv);
    }
}
