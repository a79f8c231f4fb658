//! Faces in sidecars, as others and as we write them.
//!
//! Others' are those of the Metadata Working Group, of Microsoft's People (`MP:RegionInfo`), of IPTC (`Iptc4xmpExt:ImageRegion`) and of
//! ACDSee. Whose a region is follows from its name: one that nobody named but us is ours.

use quick_xml::escape::escape;

use crate::Region;
use crate::area::Area;
use crate::tree::{Element, RDF};

pub const REGIONS: &str = "http://www.metadataworkinggroup.com/schemas/regions/";
pub const DIMENSIONS: &str = "http://ns.adobe.com/xap/1.0/sType/Dimensions#";
const AREA: &str = "http://ns.adobe.com/xmp/sType/Area#";
const MICROSOFT: &str = "http://ns.microsoft.com/photo/1.2/t/Region#";
const IPTC: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const ACDSEE: &str = "http://ns.acdsee.com/regions/";
/// Our own; a name, not a place to look at.
pub const OURS: &str = "https://github.com/lineament/lineament/xmp/1.0/";

/// The root of our keywords in trees, and the name of our regions: digiKam shows none without a name.
pub const ROOT: &str = "Lineament";

/// Shares of the smaller box within the larger, and of the smaller one's area at most, from which on two boxes are of one face: others draw
/// the head, or more.
const INSIDE: f64 = 0.5;
const LARGER: f64 = 6.0;

/// Whether a region of the Metadata Working Group's is ours: it says so and nobody gave it another name, or it has the name that ours have,
/// where a program left out what it does not know.
pub fn is_ours(item: &Element) -> bool {
    let named = value(item, REGIONS, "Name").map(str::trim).filter(|name| !name.is_empty());
    match named {
        Some(name) => name == ROOT,
        None => item.has_any_of(OURS),
    }
}

/// The faces of a sidecar that are not ours.
pub fn of_others(root: &Element) -> Vec<Area> {
    let all = not_ours(root);
    let items = |space: &str, local: &str| -> Vec<&Element> {
        let lists = all.iter().filter(|element| element.name.is(space, local));
        lists.filter_map(|list| list.list()).flat_map(Element::items).collect()
    };
    let mwg = items(REGIONS, "RegionList")
        .into_iter()
        .filter(|item| !is_ours(item) && is_face(item))
        .filter_map(mwg);
    let is_rectangle = |element: &&&Element| value(element, MICROSOFT, "Rectangle").is_some();
    let microsoft = all
        .iter()
        .filter(|item| item.name.is(RDF, "li"))
        .filter(is_rectangle)
        .filter_map(|item| microsoft(item));
    let iptc = items(IPTC, "ImageRegion").into_iter().filter_map(iptc);
    let acdsee = items(ACDSEE, "RegionList").into_iter().filter_map(acdsee);
    mwg.chain(microsoft).chain(iptc).chain(acdsee).collect()
}

/// All elements but our regions and what is in them.
fn not_ours(element: &Element) -> Vec<&Element> {
    let is_ours = |child: &&Element| child.name.is(RDF, "li") && is_ours(child);
    let mut found = vec![element];
    found.extend(element.children.iter().filter(|child| !is_ours(child)).flat_map(not_ours));
    found
}

/// The regions that nobody has drawn: each of theirs is about one of ours at most, the one that it shares most with.
pub fn new<'a>(ours: &'a [Region], others: &[Area]) -> Vec<&'a Region> {
    let mut left: Vec<&Region> = ours.iter().collect();
    for other in others {
        let shared = |region: &&Region| {
            let shared = region.area.overlap(other);
            is_same_face(&region.area, other).then_some(shared)
        };
        let candidates = left.iter().enumerate().filter_map(|(index, region)| Some((index, shared(region)?)));
        if let Some((index, _)) = candidates.max_by(|a, b| a.1.total_cmp(&b.1)) {
            left.remove(index);
        }
    }
    left
}

fn is_same_face(one: &Area, other: &Area) -> bool {
    let areas = [one.w * one.h, other.w * other.h];
    let (smaller, larger) = (areas[0].min(areas[1]), areas[0].max(areas[1]));
    smaller > 0.0 && one.shared(other) >= INSIDE * smaller && larger <= LARGER * smaller
}

/// Pets, focus points and codes are no faces; what has no type may be one.
fn is_face(item: &Element) -> bool {
    value(item, REGIONS, "Type").is_none_or(|kind| kind.trim().eq_ignore_ascii_case("face"))
}

/// A member of a structure, in whichever way RDF writes it: straight, as attribute, or in a description of its own.
fn value<'a>(item: &'a Element, space: &str, local: &str) -> Option<&'a str> {
    item.value(space, local).or_else(|| item.child(RDF, "Description")?.value(space, local))
}

/// A structure that is a member of another.
fn member<'a>(item: &'a Element, space: &str, local: &str) -> Option<&'a Element> {
    item.child(space, local).or_else(|| item.child(RDF, "Description")?.child(space, local))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Centre and size.
pub fn mwg(item: &Element) -> Option<Area> {
    let area = member(item, REGIONS, "Area")?;
    let of = |local: &str| value(area, AREA, local).and_then(number);
    let (x, y) = (of("x")?, of("y")?);
    match (of("w"), of("h"), of("d")) {
        (Some(w), Some(h), _) => Some(Area { x, y, w, h }),
        // A circle.
        (_, _, Some(d)) => Some(Area { x, y, w: d, h: d }),
        _ => None,
    }
}

/// Left, top, width and height in one text.
fn microsoft(item: &Element) -> Option<Area> {
    let numbers: Option<Vec<f64>> = value(item, MICROSOFT, "Rectangle")?.split(',').map(number).collect();
    let [left, top, w, h] = *numbers?.as_slice() else { return None };
    Some(Area { x: left + w / 2.0, y: top + h / 2.0, w, h })
}

/// A rectangle or circle, in shares of the image.
fn iptc(item: &Element) -> Option<Area> {
    let boundary = member(item, IPTC, "RegionBoundary")?;
    if value(boundary, IPTC, "rbUnit").is_some_and(|unit| unit.trim() != "relative") {
        return None;
    }
    let of = |local: &str| value(boundary, IPTC, local).and_then(number);
    let (x, y) = (of("rbX")?, of("rbY")?);
    match (of("rbW"), of("rbH"), of("rbRx")) {
        (Some(w), Some(h), _) => Some(Area { x: x + w / 2.0, y: y + h / 2.0, w, h }),
        (_, _, Some(radius)) => Some(Area { x, y, w: 2.0 * radius, h: 2.0 * radius }),
        _ => None,
    }
}

/// As the Metadata Working Group has it, under names of its own; drawn by hand, or else found.
fn acdsee(item: &Element) -> Option<Area> {
    let area = member(item, ACDSEE, "DLYArea").or_else(|| member(item, ACDSEE, "ALGArea"))?;
    let holder = area.child(RDF, "Description").unwrap_or(area);
    let of = |local: &str| {
        let attribute = holder.attributes.iter().find(|one| one.name.local == local).map(|one| &one.value);
        let child = holder.children.iter().find(|one| one.name.local == local).map(|one| &one.text);
        attribute.or(child).and_then(|text| number(text))
    };
    Some(Area { x: of("x")?, y: of("y")?, w: of("w")?, h: of("h")? })
}

/// A region of ours that needs no declaration from around it.
pub fn written(region: &Region, model_label: &str) -> String {
    let Area { x, y, w, h } = region.area;
    let description = match region.attributes.as_slice() {
        [] => String::new(),
        names => format!("<mwg-rs:Description>{}</mwg-rs:Description>", escape(names.join(", "))),
    };
    format!(
        "<rdf:li xmlns:rdf=\"{RDF}\" xmlns:mwg-rs=\"{REGIONS}\" xmlns:stArea=\"{AREA}\" xmlns:lineament=\"{OURS}\" rdf:parseType=\"Resource\">\
         <mwg-rs:Name>{ROOT}</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>{description}\
         <mwg-rs:Area rdf:parseType=\"Resource\"><stArea:x>{x:.6}</stArea:x><stArea:y>{y:.6}</stArea:y><stArea:w>{w:.6}</stArea:w>\
         <stArea:h>{h:.6}</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area>\
         <mwg-rs:Extensions rdf:parseType=\"Resource\"><lineament:Model>{}</lineament:Model></mwg-rs:Extensions></rdf:li>",
        escape(model_label)
    )
}
