//! Plots as inline SVG. Colours come from the page's style sheet, by class; series differ by dashes and marks, too.

use std::fmt::Write;

use crate::audit::calibration::Bin;
use crate::html::{escape, spoken};
use crate::insight::linkage::{Join, leaves};

/// A line of points, `x` and `y` between 0 and 1.
pub struct Series<'a> {
    /// What it is.
    pub name: &'a str,
    /// Its points, `x` rising.
    pub points: Vec<[f64; 2]>,
}

/// The places of the axes of a plot.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 388.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 230.0;

fn open(width: f64, height: f64, label: &str) -> String {
    format!("<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">", escape(label))
}

/// Lines against a share, which is drawn by its square root so that small shares have room. `y` runs from `low` to `high`.
pub fn lines(
    label: &str,
    x_name: &str,
    y_name: &str,
    [low, high]: [f64; 2],
    series: &[Series<'_>],
) -> String {
    let x = |share: f64| LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0).sqrt();
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * ((value - low) / (high - low)).clamp(0.0, 1.0);
    let mut out = open(400.0, 296.0, label);
    // Writing to a string cannot fail.
    let _ = axes(&mut out, &x, &y, [low, high], [x_name, y_name]);
    for (place, line) in series.iter().enumerate() {
        let points: Vec<String> =
            line.points.iter().map(|[a, b]| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let _ = write!(out, "<polyline class=\"line s{place}\" points=\"{}\"/>", points.join(" "));
        for [a, b] in &line.points {
            let _ = mark(&mut out, place, x(*a), y(*b));
        }
        let at = 264.0 + 16.0 * (place / 2) as f64;
        let left = if place % 2 == 0 { LEFT } else { 220.0 };
        let _ =
            write!(out, "<polyline class=\"line s{place}\" points=\"{left},{at} {},{at}\"/>", left + 26.0);
        let _ = mark(&mut out, place, left + 13.0, at);
        let _ = write!(out, "<text x=\"{}\" y=\"{}\">{}</text>", left + 32.0, at + 4.0, escape(line.name));
    }
    out.push_str("</svg>\n");
    out
}

fn axes(
    out: &mut String,
    x: &dyn Fn(f64) -> f64,
    y: &dyn Fn(f64) -> f64,
    [low, high]: [f64; 2],
    [x_name, y_name]: [&str; 2],
) -> std::fmt::Result {
    for share in [0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0] {
        let at = x(share);
        write!(out, "<path class=\"grid\" d=\"M{at:.1} {TOP}V{BOTTOM}\"/>")?;
        let percent = share * 100.0;
        write!(out, "<text class=\"mid\" x=\"{at:.1}\" y=\"{}\">{percent:.0}</text>", BOTTOM + 14.0)?;
    }
    for step in 0..=4 {
        let value = low + (high - low) * f64::from(step) / 4.0;
        let at = y(value);
        write!(out, "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/>")?;
        let percent = value * 100.0;
        write!(out, "<text class=\"end\" x=\"{}\" y=\"{:.1}\">{percent:.0}</text>", LEFT - 5.0, at + 4.0)?;
    }
    write!(out, "<text class=\"end\" x=\"{RIGHT}\" y=\"{}\">{}</text>", BOTTOM + 28.0, escape(x_name))?;
    write!(
        out,
        "<text class=\"mid\" transform=\"translate(12 {}) rotate(-90)\">{}</text>",
        f64::midpoint(TOP, BOTTOM),
        escape(y_name)
    )
}

/// A round, square or pointed mark, by series.
fn mark(out: &mut String, series: usize, x: f64, y: f64) -> std::fmt::Result {
    match series {
        0 => write!(out, "<circle class=\"mark s0\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"),
        1 => write!(out, "<path class=\"mark s1\" d=\"M{:.1} {:.1}h6v6h-6z\"/>", x - 3.0, y - 3.0),
        _ => write!(out, "<path class=\"mark s{series}\" d=\"M{x:.1} {:.1}l4 7h-8z\"/>", y - 4.0),
    }
}

/// One value with an interval, in a row of its own.
pub struct Dot {
    /// What it is.
    pub name: String,
    /// Which mark it has.
    pub series: usize,
    /// The value and its interval, between 0 and 1.
    pub value: [f64; 3],
}

/// Values with intervals, under headings, between `low` and `high`.
pub fn dots(label: &str, [low, high]: [f64; 2], sections: &[(String, Vec<Dot>)]) -> String {
    let left = 150.0;
    let x = |value: f64| left + (RIGHT - left) * ((value - low) / (high - low)).clamp(0.0, 1.0);
    let rows: usize = sections.iter().map(|(_, dots)| dots.len() + 1).sum();
    let bottom = TOP + 18.0 * rows as f64;
    let mut out = open(400.0, bottom + 20.0, label);
    for step in 0..=4 {
        let value = low + (high - low) * f64::from(step) / 4.0;
        let at = x(value);
        let percent = value * 100.0;
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/><text class=\"mid\" x=\"{at:.1}\" y=\"{}\">{percent:.0}</text>",
            bottom + 14.0
        );
    }
    let mut at = TOP;
    for (heading, dots) in sections {
        let _ = write!(out, "<text class=\"head\" x=\"4\" y=\"{}\">{}</text>", at + 13.0, escape(heading));
        at += 18.0;
        for dot in dots {
            let middle = at + 9.0;
            let [value, from, to] = dot.value.map(x);
            let _ = write!(
                out,
                "<text class=\"end\" x=\"{}\" y=\"{}\">{}</text>",
                left - 8.0,
                middle + 4.0,
                escape(&dot.name)
            );
            let _ = write!(out, "<path class=\"line s{}\" d=\"M{from:.1} {middle}H{to:.1}\"/>", dot.series);
            let _ = mark(&mut out, dot.series, value, middle);
            at += 18.0;
        }
    }
    out.push_str("</svg>\n");
    out
}

/// The tree of things with names, each with the number of its group.
pub fn dendrogram(label: &str, names: &[String], groups: &[usize], joins: &[Join]) -> String {
    let (row, left, right) = (16.0, 152.0, 392.0);
    let order = leaves(names.len(), joins);
    let height = row * names.len() as f64 + 8.0;
    let largest = joins.iter().map(|join| join.distance).fold(f64::MIN_POSITIVE, f64::max);
    let x = |distance: f64| left + (right - left) * distance / largest;
    let mut out = open(400.0, height, label);
    // Where each thing or join has its end: distance and height on the page.
    let mut ends = vec![(0.0, 0.0); names.len() + joins.len()];
    for (place, thing) in order.iter().enumerate() {
        let y = 4.0 + row * (place as f64 + 0.5);
        if let Some(end) = ends.get_mut(*thing) {
            *end = (0.0, y);
        }
        let group = groups.get(*thing).copied().unwrap_or_default();
        let name = names.get(*thing).map(String::as_str).unwrap_or_default();
        let _ = write!(out, "<circle class=\"mark g{}\" cx=\"10\" cy=\"{y}\" r=\"7.5\"/>", group % 8);
        let _ = write!(out, "<text class=\"on\" x=\"10\" y=\"{}\">{}</text>", y + 3.5, group + 1);
        let _ = write!(out, "<text x=\"22\" y=\"{}\">{}</text>", y + 4.0, spoken(name));
    }
    for (place, join) in joins.iter().enumerate() {
        let [(a, top), (b, low)] =
            [join.one, join.other].map(|node| ends.get(node).copied().unwrap_or_default());
        let [a, b, here] = [a, b, join.distance].map(x);
        let _ = write!(out, "<path class=\"branch\" d=\"M{a:.1} {top:.1}H{here:.1}V{low:.1}H{b:.1}\"/>");
        if let Some(end) = ends.get_mut(names.len() + place) {
            *end = (join.distance, f64::midpoint(top, low));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// A small reliability curve: the share present against the probability told, beside the diagonal.
pub fn reliability(label: &str, bins: &[Bin]) -> String {
    let (from, to) = (8.0, 112.0);
    let place = |value: f64| from + (to - from) * value;
    let mut out = open(120.0, 120.0, label);
    let _ = write!(out, "<path class=\"grid\" d=\"M{from} {to}H{to}V{from}H{from}zL{to} {from}\"/>");
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1) as f64;
    let known = || bins.iter().filter(|bin| bin.count > 0);
    let point = |bin: &Bin| (place(bin.probability), 120.0 - place(bin.present));
    let points: Vec<String> = known().map(point).map(|(x, y)| format!("{x:.0},{y:.0}")).collect();
    let _ = write!(out, "<polyline class=\"line s0\" points=\"{}\"/>", points.join(" "));
    for bin in known() {
        // The area of a mark is its share of answers.
        let radius = 1.5 + 4.5 * (bin.count as f64 / most).sqrt();
        let (x, y) = point(bin);
        let _ = write!(out, "<circle class=\"mark s0\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{radius:.1}\"/>");
    }
    out.push_str("</svg>");
    out
}

/// What some neurons added to a score, as bars from the middle: right for, left against. A bar is as long as its amount's share of `largest`.
pub fn bars(label: &str, amounts: &[(String, f64)], largest: f64) -> String {
    let middle = 300.0;
    let mut out = open(400.0, 18.0 * amounts.len() as f64 + 4.0, label);
    for (place, (name, amount)) in amounts.iter().enumerate() {
        let y = 18.0 * place as f64;
        let length = 90.0 * (amount.abs() / largest.max(f64::MIN_POSITIVE)).min(1.0);
        let from = if *amount < 0.0 { middle - length } else { middle };
        let class = if *amount < 0.0 { "against" } else { "for" };
        let _ = write!(out, "<text x=\"2\" y=\"{}\">{}</text>", y + 14.0, escape(name));
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{}\" width=\"{length:.1}\" height=\"12\"/>",
            y + 4.0
        );
    }
    let _ = writeln!(out, "<path class=\"branch\" d=\"M{middle} 0V{}\"/></svg>", 18 * amounts.len() + 4);
    out
}
