//! Pieces of HTML: escaped text, tables, images.

use std::fmt::Write;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::Photo;

use crate::bootstrap::Interval;

/// Text that is no markup, also inside of attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// An attribute's name for reading: "Wearing Hat".
pub fn spoken(name: &str) -> String {
    escape(&name.replace('_', " "))
}

/// A share as per cent.
pub fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// A share with its interval, as per cent.
pub fn with_interval(share: Option<f64>, interval: Option<Interval>) -> String {
    match (share, interval) {
        (Some(share), Some(i)) => {
            format!("{} <small>{} to {}</small>", percent(share), percent(i.low), percent(i.high))
        }
        (Some(share), None) => percent(share),
        (None, _) => "–".to_owned(),
    }
}

/// A table whose first column names its rows. Cells are HTML; it can be moved along by keyboard where it is wider than the window.
pub fn table(caption: &str, columns: &[&str], rows: &[Vec<String>]) -> String {
    let label = escape(caption);
    let mut out = format!(
        "<div class=\"scroll\" role=\"group\" aria-label=\"{label}\" tabindex=\"0\"><table><caption>{label}</caption><thead><tr>"
    );
    // Writing to a string cannot fail.
    for column in columns {
        let _ = write!(out, "<th scope=\"col\">{column}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let _ = match place {
                0 => write!(out, "<th scope=\"row\">{cell}</th>"),
                _ => write!(out, "<td>{cell}</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// Something long, folded away.
pub fn folded(summary: &str, body: &str) -> String {
    format!("<details><summary>{}</summary>\n{body}</details>\n", escape(summary))
}

/// An image inside of the page, as JPEG.
pub fn image(photo: &Photo, what: &str) -> String {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 85);
    // A photo in memory that is smaller than 65,536 pixels a side is always written.
    let written = encoder.write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8);
    let data = if written.is_ok() { STANDARD.encode(bytes.into_inner()) } else { String::new() };
    format!(
        "<img src=\"data:image/jpeg;base64,{data}\" width=\"{}\" height=\"{}\" alt=\"{}\">",
        photo.width(),
        photo.height(),
        escape(what)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(spoken("<b>\"A\"_&'"), "&lt;b&gt;&quot;A&quot; &amp;&#39;");
        let made = table("a \"b\"", &["x"], &[vec![escape("<i>")]]);
        assert!(made.contains("aria-label=\"a &quot;b&quot;\"") && made.contains("&lt;i&gt;"));
    }
}
