//! Text for people: each image with its size, its faces, and the attributes that are there.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use lineament::FaceRecord;

use super::{Answer, AnsweredFace, Header, PredictionWriter};
use crate::files::Sink;
use crate::summary::{self, Summary};
use crate::terminal::{Colours, Style};

/// Cells of a probability bar.
const BAR: usize = 10;

/// `--format text`.
pub struct Text {
    sink: Sink,
    header: Header,
    colours: Colours,
    /// Width of the longest name.
    column: usize,
}

impl Text {
    pub fn new(sink: Sink, header: Header, colours: Colours) -> Self {
        let column = header.attributes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        Self { sink, header, colours, column }
    }

    fn face(&self, answered: AnsweredFace<'_>) -> String {
        let AnsweredFace { number, face, crop, .. } = answered;
        let rect = face.rect;
        let roll = super::roll(face).map_or_else(String::new, |roll| format!("  roll {roll}°"));
        let mut text = format!(
            "  face {number}  at {:.0}, {:.0}  size {:.0} × {:.0}{roll}  {}\n",
            rect.x,
            rect.y,
            rect.width,
            rect.height,
            self.colours.paint(Style::Dim, &format!("score {}", score(face.score)))
        );
        if let Some(pose) = face.pose {
            let pose = format!("looks {}", looks(pose.yaw, pose.pitch));
            let _ = writeln!(text, "    {}", self.colours.paint(Style::Dim, &pose));
        }
        if let Some(quality) = face.quality {
            let quality = format!("quality {quality:.3}");
            let _ = writeln!(text, "    {}", self.colours.paint(Style::Dim, &quality));
        }
        if let Some(crop) = crop {
            let _ = writeln!(text, "    crop {}", crop.replace(char::is_control, "?"));
        }
        if self.header.attributes.is_empty() {
            return text;
        }
        let mut shown: Vec<_> = face.attributes.iter().collect();
        if !self.header.chosen {
            shown.retain(|attribute| attribute.present);
        }
        // A stable sort: equals stay in the order of the model.
        shown.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        if let (false, unknown @ 1..) = (self.header.chosen, unknown(face)) {
            let unknown = format!("{unknown} of the {} attributes unknown", self.header.attributes.len());
            let _ = writeln!(text, "    {}", self.colours.paint(Style::Dim, &unknown));
        }
        if shown.is_empty() {
            let none = format!("none of the {} attributes", self.header.attributes.len());
            let _ = writeln!(text, "    {}", self.colours.paint(Style::Dim, &none));
        }
        for attribute in shown {
            let style = if attribute.present { Style::Present } else { Style::Dim };
            let mark = match (self.header.chosen, attribute.value()) {
                (false, _) => "",
                (true, Some(true)) => "yes  ",
                (true, Some(false)) => "no   ",
                (true, None) => "?    ",
            };
            let name = format!("{:<width$}", attribute.name, width = self.column);
            let _ = writeln!(
                text,
                "    {mark}{}  {:>3} %  {}",
                self.colours.paint(style, &name),
                percent(attribute.probability),
                self.bar(attribute.probability, style)
            );
        }
        text
    }

    fn bar(&self, probability: f32, style: Style) -> String {
        let full = (probability.clamp(0.0, 1.0) * BAR as f32).round() as usize;
        let paint = |style, cell: &str, count| self.colours.paint(style, &cell.repeat(count));
        format!("{}{}", paint(style, "━", full), paint(Style::Dim, "╌", BAR - full))
    }
}

/// How many answers are not given.
fn unknown(face: &FaceRecord) -> usize {
    face.attributes.iter().filter(|attribute| attribute.unknown).count()
}

/// Which way a face looks, for people: "12° to the left, 5° up".
fn looks(yaw: f32, pitch: f32) -> String {
    let part = |angle: f32, less: &str, more: &str| {
        let degrees = angle.abs().round();
        (degrees > 0.0).then(|| format!("{degrees}° {}", if angle < 0.0 { less } else { more }))
    };
    let parts = [part(yaw, "to the left", "to the right"), part(pitch, "down", "up")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "straight ahead".to_owned() } else { parts.join(", ") }
}

impl PredictionWriter for Text {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        let prediction = &answer.prediction;
        // A file's name may hold anything, commands to a terminal too.
        let path = super::path(prediction).replace(char::is_control, "?");
        let mut text = format!(
            "{}  {}\n",
            self.colours.paint(Style::Title, &path),
            self.colours.paint(Style::Dim, &format!("{} × {}", prediction.width, prediction.height))
        );
        if prediction.faces.is_empty() {
            let _ = writeln!(text, "  {}", self.colours.paint(Style::Dim, "no face"));
        }
        for face in answer.faces() {
            text.push_str(&self.face(face));
        }
        if let Some(faces @ 1..) = prediction.faces_of_low_quality {
            let low = summary::low_quality(faces as u64);
            let _ = writeln!(text, "  {}", self.colours.paint(Style::Dim, &low));
        }
        if prediction.faces_left_out > 0 {
            let left_out = summary::left_out(prediction.faces_left_out as u64);
            let _ = writeln!(text, "  {}", self.colours.paint(Style::Dim, &left_out));
        }
        text.push('\n');
        self.sink.write_all(text.as_bytes())?;
        // Whoever looks wants to see it now.
        Ok(self.sink.flush()?)
    }

    /// Whoever reads the text sees the note on standard error.
    fn write_unread(&mut self, _: &Path, _: &str) -> Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>, summary: &Summary) -> Result<()> {
        let line = format!("{} · {}", summary.sentence(), self.header.model_label);
        self.sink.write_all(self.colours.paint(Style::Dim, line.trim_end()).as_bytes())?;
        self.sink.write_all(b"\n")?;
        self.sink.finish()
    }
}

/// Whole per cents, but never 0 or 100 of something that is not certain.
pub fn percent(probability: f32) -> String {
    let percent = 100.0 * probability;
    if percent > 99.0 && percent < 100.0 {
        "99".to_owned()
    } else if percent > 0.0 && percent < 1.0 {
        "<1".to_owned()
    } else {
        format!("{percent:.0}")
    }
}

/// Two decimals, more where the score is small.
fn score(score: f32) -> String {
    if score.abs() < 0.1 && score != 0.0 { format!("{score:.4}") } else { format!("{score:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_uncertain_is_called_certain() {
        let said: Vec<String> = [0.0, 0.004, 0.5, 0.994, 0.999, 1.0].map(percent).into();
        assert_eq!(said, ["0", "<1", "50", "99", "99", "100"]);
    }

    #[test]
    fn small_scores_keep_their_digits() {
        assert_eq!(score(0.981), "0.98");
        assert_eq!(score(0.0123), "0.0123");
        assert_eq!(score(-3.2), "-3.20");
    }
}
