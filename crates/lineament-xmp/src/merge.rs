//! Our entries in a sidecar: put in, changed or taken out by byte offsets, so that everything else stays as another program wrote it.
//!
//! What is ours is known by this: keywords in `dc:subject` are those that `lineament:Keywords` lists from last time (a keyword that was there before us stays, and
//! stays when we take ours back); in trees of keywords, what is below `Lineament`; regions, those that carry `lineament:Model`.

use std::collections::BTreeSet;
use std::ops::Range;

use quick_xml::escape::escape;

use crate::area::Area;
use crate::error::SidecarError;
use crate::tree::{self, Element, RDF};
use crate::{Message, Region};

const DC: &str = "http://purl.org/dc/elements/1.1/";
const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";
const DIGIKAM: &str = "http://www.digikam.org/ns/1.0/";
const REGIONS: &str = "http://www.metadataworkinggroup.com/schemas/regions/";
const AREA: &str = "http://ns.adobe.com/xmp/sType/Area#";
const DIMENSIONS: &str = "http://ns.adobe.com/xap/1.0/sType/Dimensions#";
/// Our own; a name, not a place to look at.
const OURS: &str = "https://github.com/lineament/lineament/xmp/1.0/";

/// The root of our keywords in trees.
const ROOT: &str = "Lineament";

/// A region that overlaps one that somebody else drew by more is about the same face, and not added.
const SAME_FACE: f64 = 0.5;

/// One list of texts among a sidecar's properties.
struct List {
    space: &'static str,
    prefix: &'static str,
    local: &'static str,
    kind: &'static str,
}

const SUBJECT: List = List { space: DC, prefix: "dc", local: "subject", kind: "Bag" };
const TREE: List = List { space: LIGHTROOM, prefix: "lr", local: "hierarchicalSubject", kind: "Bag" };
const TAGS: List = List { space: DIGIKAM, prefix: "digiKam", local: "TagsList", kind: "Seq" };
const RECORD: List = List { space: OURS, prefix: "lineament", local: "Keywords", kind: "Bag" };

/// A new sidecar.
pub fn fresh(message: &Message) -> Result<String, SidecarError> {
    let empty = format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"Lineament {}\">\n \
         <rdf:RDF xmlns:rdf=\"{RDF}\">\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n",
        env!("CARGO_PKG_VERSION")
    );
    merge(&empty, message)
}

/// The sidecar with our entries as the message has them, and none of an earlier one.
pub fn merge(text: &str, message: &Message) -> Result<String, SidecarError> {
    let root = tree::read(text)?;
    let rdf = root.all().into_iter().find(|element| element.name.is(RDF, "RDF"));
    let rdf = rdf.ok_or(SidecarError::NoRdf)?;
    let described: Vec<&Element> =
        rdf.children.iter().filter(|child| child.name.is(RDF, "Description")).collect();
    let mut edits = Edits { text, edits: Vec::new(), added: String::new() };

    let property = |list: &List| property(&described, list.space, list.local);
    let earlier: BTreeSet<&str> = property(&RECORD)
        .and_then(Element::list)
        .map_or_else(BTreeSet::new, |list| list.items().map(|item| item.text.as_str()).collect());
    let others: BTreeSet<&str> =
        property(&SUBJECT).and_then(Element::list).map_or_else(BTreeSet::new, |list| {
            list.items().map(|item| item.text.as_str()).filter(|keyword| !earlier.contains(keyword)).collect()
        });
    let own: Vec<String> =
        message.keywords.iter().filter(|keyword| !others.contains(keyword.as_str())).cloned().collect();
    edits.list(&SUBJECT, property(&SUBJECT), |keyword| earlier.contains(keyword), &message.keywords)?;
    let below = |separator: char| -> Vec<String> {
        let plain = |keyword: &String| keyword.replace(separator, "-");
        message.keywords.iter().map(|keyword| format!("{ROOT}{separator}{}", plain(keyword))).collect()
    };
    edits.list(&TREE, property(&TREE), |keyword| is_below(keyword, '|'), &below('|'))?;
    if message.digikam || property(&TAGS).is_some() {
        edits.list(&TAGS, property(&TAGS), |keyword| is_below(keyword, '/'), &below('/'))?;
    }
    edits.list(&RECORD, property(&RECORD), |_| true, &own)?;
    edits.regions(self::property(&described, REGIONS, "Regions"), message)?;
    let about = described.iter().find_map(|element| element.value(RDF, "about")).unwrap_or_default();
    let merged = edits.finish(rdf, about)?;
    // Whatever went wrong above must not reach the file.
    tree::read(&merged).map_err(|error| SidecarError::Unsound(Box::new(error)))?;
    Ok(merged)
}

fn property<'a>(described: &[&'a Element], space: &str, local: &str) -> Option<&'a Element> {
    described.iter().find_map(|element| element.child(space, local))
}

fn is_below(keyword: &str, separator: char) -> bool {
    keyword.strip_prefix(ROOT).is_some_and(|rest| rest.starts_with(separator))
}

/// What is to change in a text.
struct Edits<'a> {
    text: &'a str,
    edits: Vec<(Range<usize>, String)>,
    /// Properties that are not there yet.
    added: String,
}

impl Edits<'_> {
    /// Takes the items of a list out that are ours and not wanted any more, and puts wanted ones in that are not there.
    fn list(
        &mut self,
        list: &List,
        there: Option<&Element>,
        ours: impl Fn(&str) -> bool,
        wanted: &[String],
    ) -> Result<(), SidecarError> {
        let Some(property) = there else {
            if !wanted.is_empty() {
                let items: String =
                    wanted.iter().map(|item| format!("\n     {}", item_of("rdf:", item))).collect();
                let (List { space, prefix, local, kind }, rdf) = (list, "rdf:");
                self.added.push_str(&format!(
                    "\n   <{prefix}:{local} xmlns:{prefix}=\"{space}\">\n    <{rdf}{kind}>{items}\n    </{rdf}{kind}>\n   </{prefix}:{local}>"
                ));
            }
            return Ok(());
        };
        let Some(bag) = property.list() else {
            return Err(SidecarError::NoList { property: format!("{}:{}", list.prefix, list.local) });
        };
        let (gone, kept): (Vec<&Element>, Vec<&Element>) =
            bag.items().partition(|item| ours(&item.text) && !wanted.contains(&item.text));
        let new: Vec<&String> =
            wanted.iter().filter(|name| !kept.iter().any(|item| &item.text == *name)).collect();
        if kept.is_empty() && new.is_empty() && bag.children.len() == gone.len() {
            self.remove(property);
            return Ok(());
        }
        gone.iter().for_each(|item| self.remove(item));
        let items: Vec<String> = new.into_iter().map(|name| item_of(&bag.prefix, name)).collect();
        self.append(bag, &items);
        Ok(())
    }

    /// Takes our regions out and puts those of the message in, but for faces that somebody else has drawn.
    fn regions(&mut self, there: Option<&Element>, message: &Message) -> Result<(), SidecarError> {
        let new = |others: &[Area]| -> Vec<String> {
            let free = |region: &&Region| !others.iter().any(|other| other.overlap(&region.area) > SAME_FACE);
            message
                .regions
                .iter()
                .filter(free)
                .map(|region| region_of(region, &message.model_label))
                .collect()
        };
        let Some(property) = there else {
            let items: String = new(&[]).iter().map(|item| format!("\n      {item}")).collect();
            if !items.is_empty() {
                let [w, h] = message.stored;
                self.added.push_str(&format!(
                    "\n   <mwg-rs:Regions xmlns:mwg-rs=\"{REGIONS}\" rdf:parseType=\"Resource\">\
                     \n    <mwg-rs:AppliedToDimensions xmlns:stDim=\"{DIMENSIONS}\" rdf:parseType=\"Resource\">\
                     \n     <stDim:w>{w}</stDim:w>\n     <stDim:h>{h}</stDim:h>\n     <stDim:unit>pixel</stDim:unit>\
                     \n    </mwg-rs:AppliedToDimensions>\
                     \n    <mwg-rs:RegionList>\n     <rdf:Bag>{items}\n     </rdf:Bag>\n    </mwg-rs:RegionList>\
                     \n   </mwg-rs:Regions>"
                ));
            }
            return Ok(());
        };
        let lists = property.all().into_iter().find(|element| element.name.is(REGIONS, "RegionList"));
        let Some(bag) = lists.and_then(Element::list) else {
            return Err(SidecarError::NoRegionList);
        };
        let is_ours = |item: &&Element| item.all().iter().any(|element| element.name.space == OURS);
        let (ours, others): (Vec<&Element>, Vec<&Element>) = bag.items().partition(is_ours);
        let drawn: Vec<Area> = others.iter().filter_map(|item| area_of(item)).collect();
        let new = new(&drawn);
        if new.is_empty() && others.is_empty() && bag.children.len() == ours.len() {
            self.remove(property);
            return Ok(());
        }
        let same = ours.len() == new.len()
            && ours.iter().zip(&new).all(|(old, new)| self.text.get(old.whole.clone()) == Some(new.as_str()));
        if !same {
            ours.iter().for_each(|item| self.remove(item));
            self.append(bag, &new);
        }
        Ok(())
    }

    /// Takes an element out, with the blank line or indent before it.
    fn remove(&mut self, element: &Element) {
        let indent = self.indent_before(element.whole.start).len();
        self.edits.push((element.whole.start - indent..element.whole.end, String::new()));
    }

    /// Puts items at the end of a list, indented as the last one there.
    fn append(&mut self, bag: &Element, items: &[String]) {
        if items.is_empty() {
            return;
        }
        let before = |element: &Element| self.indent_before(element.whole.start);
        let indent =
            bag.children.last().map_or_else(|| format!("{} ", before(bag)), |last| before(last).to_owned());
        let items: String = items.iter().map(|item| format!("{indent}{item}")).collect();
        match &bag.inner {
            Some(inner) => {
                let end = bag.children.last().map_or(inner.start, |last| last.whole.end);
                self.edits.push((end..end, items));
            }
            None => {
                let name = format!("{}{}", bag.prefix, bag.name.local);
                let tag =
                    self.text.get(bag.whole.clone()).unwrap_or_default().trim_end_matches("/>").trim_end();
                let whole = format!("{tag}>{items}{}</{name}>", before(bag));
                self.edits.push((bag.whole.clone(), whole));
            }
        }
    }

    /// The white space that ends at `place`.
    fn indent_before(&self, place: usize) -> &str {
        let before = self.text.get(..place).unwrap_or_default();
        before.get(before.trim_end_matches([' ', '\t', '\r', '\n']).len()..).unwrap_or_default()
    }

    fn finish(mut self, rdf: &Element, about: &str) -> Result<String, SidecarError> {
        if !self.added.is_empty() {
            let about = escape(about);
            let block = format!(
                "\n  <rdf:Description xmlns:rdf=\"{RDF}\" rdf:about=\"{about}\">{}\n  </rdf:Description>",
                self.added
            );
            match (&rdf.inner, rdf.children.last()) {
                (_, Some(last)) => self.edits.push((last.whole.end..last.whole.end, block)),
                (Some(inner), None) => self.edits.push((inner.start..inner.start, block)),
                (None, None) => {
                    let tag = self
                        .text
                        .get(rdf.whole.clone())
                        .unwrap_or_default()
                        .trim_end_matches("/>")
                        .trim_end();
                    let whole = format!("{tag}>{block}\n </{}RDF>", rdf.prefix);
                    self.edits.push((rdf.whole.clone(), whole));
                }
            }
        }
        // Where one ends another may begin: what is put in comes behind what is taken out.
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut merged = String::with_capacity(self.text.len() + 4096);
        let mut done = 0;
        for (range, new) in &self.edits {
            if range.start < done {
                return Err(SidecarError::Overlapping);
            }
            merged.push_str(self.text.get(done..range.start).unwrap_or_default());
            merged.push_str(new);
            done = range.end;
        }
        merged.push_str(self.text.get(done..).unwrap_or_default());
        Ok(merged)
    }
}

fn item_of(prefix: &str, text: &str) -> String {
    format!("<{prefix}li>{}</{prefix}li>", escape(text))
}

/// A region that needs no declaration from around it.
fn region_of(region: &Region, model_label: &str) -> String {
    let Area { x, y, w, h } = region.area;
    let description = match region.attributes.as_slice() {
        [] => String::new(),
        names => format!("<mwg-rs:Description>{}</mwg-rs:Description>", escape(names.join(", "))),
    };
    format!(
        "<rdf:li xmlns:rdf=\"{RDF}\" xmlns:mwg-rs=\"{REGIONS}\" xmlns:stArea=\"{AREA}\" xmlns:lineament=\"{OURS}\" rdf:parseType=\"Resource\">\
         <mwg-rs:Type>Face</mwg-rs:Type>{description}\
         <mwg-rs:Area rdf:parseType=\"Resource\"><stArea:x>{x:.6}</stArea:x><stArea:y>{y:.6}</stArea:y><stArea:w>{w:.6}</stArea:w>\
         <stArea:h>{h:.6}</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area>\
         <mwg-rs:Extensions rdf:parseType=\"Resource\"><lineament:Model>{}</lineament:Model></mwg-rs:Extensions></rdf:li>",
        escape(model_label)
    )
}

/// The area of a region, in whichever way it is written.
fn area_of(item: &Element) -> Option<Area> {
    let area = item.all().into_iter().find(|element| element.name.is(REGIONS, "Area"))?;
    // `<mwg-rs:Area><rdf:Description stArea:x=.../></mwg-rs:Area>` is another way.
    let holder = area.child(RDF, "Description").unwrap_or(area);
    let number =
        |local: &str| holder.value(AREA, local)?.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    Some(Area { x: number("x")?, y: number("y")?, w: number("w")?, h: number("h")? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
