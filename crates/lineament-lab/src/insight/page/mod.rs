//! The page: everything that was found out, and the audit, as one HTML file that asks nobody for anything.

mod audited;
mod nets;
mod plot;

use lineament::Card;

use super::Insight;
use super::explained::Explained;
use crate::audit::Audit;
use crate::html::escape;
use crate::provenance::Provenance;

/// What the page says of its own making.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The card of the model.
    pub card: &'a Card,
    /// SHA-256 of its file.
    pub hash: &'a str,
    /// The data set, as the user named it.
    pub data: &'a str,
    /// The part that was fitted to and chosen on.
    pub fit: String,
    /// The part that is reported.
    pub split: String,
    /// Where face regions came from.
    pub region: &'a str,
    /// Of folds and groups.
    pub seed: u64,
    /// Whether the faces are drawn: then no person is on the page.
    pub drawn: bool,
    /// Command, commit, machine.
    pub provenance: &'a Provenance,
}

/// The whole page.
pub fn page(insight: &Insight, audit: &Audit, explained: &[Explained], about: &About<'_>) -> String {
    let body = [nets::sections(insight, explained, about), audited::section(audit, insight)].concat();
    let title = format!("Insight: {} {}", about.card.name, about.card.version);
    let fields = [
        ("{title}", escape(&title)),
        ("{style}", include_str!("page.css").to_owned()),
        ("{about}", making(insight, about)),
        ("{warning}", warning(about.drawn)),
        ("{body}", body),
    ];
    fill(include_str!("page.html"), &fields)
}

/// Puts texts in the place of their names, in one pass: what is put in is never read again.
fn fill(template: &str, fields: &[(&str, String)]) -> String {
    let mut out =
        String::with_capacity(template.len() + fields.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut rest = template;
    loop {
        let next = fields.iter().filter_map(|(name, text)| Some((rest.find(name)?, name, text)));
        let Some((at, name, text)) = next.min_by_key(|(at, _, _)| *at) else { break };
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push_str(text);
        rest = rest.get(at + name.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn making(insight: &Insight, about: &About<'_>) -> String {
    let part = |name: &str, [images, people]: [usize; 2]| {
        format!("{} part, {images} faces of {people} people", escape(name))
    };
    let hash = about.hash.get(..12).unwrap_or(about.hash);
    let rows = [
        (
            "Model",
            format!(
                "{} {}, SHA-256 {}…",
                escape(&about.card.name),
                escape(&about.card.version),
                escape(hash)
            ),
        ),
        ("Data", format!("{}; faces {}", escape(about.data), escape(about.region))),
        ("Chosen on", part(&about.fit, insight.fitted)),
        ("Reported on", part(&about.split, insight.asked)),
        ("Seed", about.seed.to_string()),
        ("Command", format!("<code>{}</code>", escape(&about.provenance.command))),
        ("Commit", escape(&about.provenance.commit)),
        ("Machine", escape(&about.provenance.machine)),
    ];
    let rows: String = rows.iter().map(|(what, text)| format!("<dt>{what}</dt><dd>{text}</dd>")).collect();
    format!("<details><summary>How this page was made</summary><dl>{rows}</dl></details>")
}

fn warning(drawn: bool) -> String {
    let text = if drawn {
        "<p>The faces on this page are drawn by a program. No person is on it.</p>"
    } else {
        "<p><strong>This page holds averages of people's pictures, and file names of theirs.</strong> Research data are \
         lent for research: keep the page out of repositories and web sites. <code>lineament insight --drawn</code> \
         makes one of drawn faces that may go anywhere.</p>"
    };
    let class = if drawn { "note" } else { "note warn" };
    format!("<div class=\"{class}\" role=\"note\">{text}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_not_read_again() {
        let fields = [("{a}", "{b}".to_owned()), ("{b}", "x{a}".to_owned())];
        assert_eq!(fill("<{a}|{b}>", &fields), "<{b}|x{a}>");
    }
}
