//! Our entries in a sidecar: put in, changed or taken out by byte offsets, so that everything else stays as another program wrote it.
//!
//! What is ours is known by this: keywords in `dc:subject` are those that `lineament:Keywords` lists from last time (a keyword that was there before us stays, and
//! stays when we take ours back); in trees of keywords, what is below `Lineament`; regions, those that nobody else named ([`regions::is_ours`]).

use std::collections::BTreeSet;
use std::ops::Range;

use quick_xml::escape::escape;

use crate::Message;
use crate::error::SidecarError;
use crate::regions::{self, DIMENSIONS, OURS, REGIONS, ROOT};
use crate::tree::{self, Attribute, Element, RDF};

const DC: &str = "http://purl.org/dc/elements/1.1/";
const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";
const DIGIKAM: &str = "http://www.digikam.org/ns/1.0/";
/// One list of texts among a sidecar's properties.
pub struct List {
    pub space: &'static str,
    pub prefix: &'static str,
    pub local: &'static str,
    pub kind: &'static str,
}

pub const SUBJECT: List = List { space: DC, prefix: "dc", local: "subject", kind: "Bag" };
const TREE: List = List { space: LIGHTROOM, prefix: "lr", local: "hierarchicalSubject", kind: "Bag" };
const TAGS: List = List { space: DIGIKAM, prefix: "digiKam", local: "TagsList", kind: "Seq" };
const RECORD: List = List { space: OURS, prefix: "lineament", local: "Keywords", kind: "Bag" };

/// A sidecar without a property.
pub fn empty() -> String {
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"Lineament {}\">\n \
         <rdf:RDF xmlns:rdf=\"{RDF}\">\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// A new sidecar of a photo that holds nothing that it could hide.
pub fn fresh(message: &Message) -> Result<String, SidecarError> {
    merge(&empty(), message)
}

/// The sidecar with our entries as the message has them, and none of an earlier one.
pub fn merge(text: &str, message: &Message) -> Result<String, SidecarError> {
    let root = tree::read(text)?;
    let (rdf, described) = descriptions(&root)?;
    let mut edits = Edits { text, edits: Vec::new(), added: String::new() };

    let property = |list: &List| property(&described, list.space, list.local);
    let earlier: BTreeSet<&str> = property(&RECORD).map_or_else(BTreeSet::new, |record| record.values());
    let others: BTreeSet<&str> = property(&SUBJECT).map_or_else(BTreeSet::new, |subject| {
        subject.values().into_iter().filter(|keyword| !earlier.contains(keyword)).collect()
    });
    let own: Vec<String> =
        message.keywords.iter().filter(|keyword| !others.contains(keyword.as_str())).cloned().collect();
    edits.lists(&SUBJECT, &described, |keyword| earlier.contains(keyword), &message.keywords)?;
    let below = |separator: char| -> Vec<String> {
        let plain = |keyword: &String| keyword.replace(separator, "-");
        message.keywords.iter().map(|keyword| format!("{ROOT}{separator}{}", plain(keyword))).collect()
    };
    edits.lists(&TREE, &described, |keyword| is_below(keyword, '|'), &below('|'))?;
    if message.digikam || property(&TAGS).is_some() {
        edits.lists(&TAGS, &described, |keyword| is_below(keyword, '/'), &below('/'))?;
    }
    edits.lists(&RECORD, &described, |_| true, &own)?;
    let drawn = regions::of_others(&root);
    let new: Vec<String> = regions::new(&message.regions, &drawn)
        .into_iter()
        .map(|region| regions::written(region, &message.model_label))
        .collect();
    let mut there = elements(&described, REGIONS, "Regions").into_iter();
    edits.regions(there.next(), &new, message)?;
    // A property stands once; where it is repeated all the same, nothing of ours is left in the others.
    there.try_for_each(|more| edits.regions(Some(more), &[], message))?;
    let about = described.iter().find_map(|element| element.value(RDF, "about")).unwrap_or_default();
    let merged = edits.finish(rdf, about)?;
    // Whatever went wrong above must not reach the file.
    tree::read(&merged).map_err(|error| SidecarError::Unsound(Box::new(error)))?;
    Ok(merged)
}

/// A property in whichever way RDF writes it.
#[derive(Clone, Copy)]
pub enum Property<'a> {
    Element(&'a Element),
    /// Of a description: a single value.
    Attribute(&'a Attribute),
}

impl<'a> Property<'a> {
    /// The values of its list, or its single one.
    pub fn values(self) -> BTreeSet<&'a str> {
        let single = match self {
            Self::Attribute(attribute) => attribute.value.as_str(),
            Self::Element(element) => match element.list() {
                Some(list) => return list.items().map(|item| item.text.as_str()).collect(),
                None => element.text.trim(),
            },
        };
        [single].into_iter().filter(|value| !value.is_empty()).collect()
    }
}

/// The elements of that name in the descriptions.
fn elements<'a>(described: &[&'a Element], space: &str, local: &str) -> Vec<&'a Element> {
    let children = described.iter().flat_map(|element| element.children.iter());
    children.filter(|child| child.name.is(space, local)).collect()
}

/// The property of that name in one of the descriptions.
pub fn property<'a>(described: &[&'a Element], space: &str, local: &str) -> Option<Property<'a>> {
    let element = described.iter().find_map(|element| element.child(space, local)).map(Property::Element);
    let attribute = || described.iter().find_map(|element| element.attribute(space, local));
    element.or_else(|| attribute().map(Property::Attribute))
}

/// The descriptions of a sidecar.
pub fn descriptions(root: &Element) -> Result<(&Element, Vec<&Element>), SidecarError> {
    let rdf = root.all().into_iter().find(|element| element.name.is(RDF, "RDF"));
    let rdf = rdf.ok_or(SidecarError::NoRdf)?;
    Ok((rdf, rdf.children.iter().filter(|child| child.name.is(RDF, "Description")).collect()))
}

fn is_below(keyword: &str, separator: char) -> bool {
    keyword.strip_prefix(ROOT).is_some_and(|rest| rest.starts_with(separator))
}

/// Whether a sidecar holds nothing but our entries: an earlier build began sidecars without what is embedded in the photo.
///
/// # Errors
/// Those of [`merge`].
pub fn is_only_ours(text: &str) -> Result<bool, SidecarError> {
    let nothing = Message {
        keywords: Vec::new(),
        regions: Vec::new(),
        stored: [1, 1],
        model_label: String::new(),
        digikam: true,
    };
    let rest = merge(text, &nothing)?;
    let root = tree::read(&rest)?;
    let (_, described) = descriptions(&root)?;
    // An attribute of RDF's own names the photo.
    let says = |element: &Element| {
        !element.children.is_empty() || element.attributes.iter().any(|attribute| attribute.name.space != RDF)
    };
    Ok(!described.into_iter().any(says))
}

/// What is to change in a text.
pub struct Edits<'a> {
    pub text: &'a str,
    pub edits: Vec<(Range<usize>, String)>,
    /// Properties that are not there yet.
    pub added: String,
}

impl Edits<'_> {
    /// [`Self::list`] on the property, and none of ours in one that is there again.
    fn lists(
        &mut self,
        list: &List,
        described: &[&Element],
        ours: impl Fn(&str) -> bool,
        wanted: &[String],
    ) -> Result<(), SidecarError> {
        self.list(list, property(described, list.space, list.local), &ours, wanted)?;
        let again = elements(described, list.space, list.local).into_iter().skip(1);
        again.map(Property::Element).try_for_each(|more| self.list(list, Some(more), &ours, &[]))
    }

    /// Takes the items of a list out that are ours and not wanted any more, and puts wanted ones in that are not there.
    pub fn list(
        &mut self,
        list: &List,
        there: Option<Property<'_>>,
        ours: impl Fn(&str) -> bool,
        wanted: &[String],
    ) -> Result<(), SidecarError> {
        let property = match there {
            None => {
                self.add(list, wanted);
                return Ok(());
            }
            Some(Property::Element(element)) => element,
            Some(Property::Attribute(attribute)) => {
                let values = single(&attribute.value, ours, wanted);
                if values != [attribute.value.as_str()] {
                    self.edits.push((attribute.whole.clone(), String::new()));
                    self.add(list, &values);
                }
                return Ok(());
            }
        };
        let Some(bag) = property.list() else {
            if !property.children.is_empty() {
                return Err(SidecarError::NoList { property: format!("{}:{}", list.prefix, list.local) });
            }
            let values = single(property.text.trim(), ours, wanted);
            if values.is_empty() {
                self.remove(property);
            } else if values != [property.text.trim()] {
                self.edits.push((property.whole.clone(), written(list, &values)));
            }
            return Ok(());
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

    /// Adds a list with its items.
    pub fn add(&mut self, list: &List, items: &[String]) {
        if !items.is_empty() {
            self.added.push_str("\n   ");
            self.added.push_str(&written(list, items));
        }
    }

    /// Takes our regions out and puts those in that are new.
    fn regions(
        &mut self,
        there: Option<&Element>,
        new: &[String],
        message: &Message,
    ) -> Result<(), SidecarError> {
        let Some(property) = there else {
            let items: String = new.iter().map(|item| format!("\n      {item}")).collect();
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
        let (ours, others): (Vec<&Element>, Vec<&Element>) =
            bag.items().partition(|item| regions::is_ours(item));
        if new.is_empty() && others.is_empty() && bag.children.len() == ours.len() {
            self.remove(property);
            return Ok(());
        }
        let same = ours.len() == new.len()
            && ours.iter().zip(new).all(|(old, new)| self.text.get(old.whole.clone()) == Some(new.as_str()));
        if !same {
            ours.iter().for_each(|item| self.remove(item));
            self.append(bag, new);
        }
        Ok(())
    }

    /// Takes an element out, with the blank line or indent before it.
    pub fn remove(&mut self, element: &Element) {
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

    pub fn finish(mut self, rdf: &Element, about: &str) -> Result<String, SidecarError> {
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

/// A list with its items that needs no declaration from around it.
fn written(list: &List, items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("\n     {}", item_of("rdf:", item))).collect();
    let List { space, prefix, local, kind } = list;
    format!(
        "<{prefix}:{local} xmlns:{prefix}=\"{space}\" xmlns:rdf=\"{RDF}\">\n    <rdf:{kind}>{items}\n    </rdf:{kind}>\n   </{prefix}:{local}>"
    )
}

/// A single value, if it is not one of ours that has gone, and those that are wanted beside it.
fn single(value: &str, ours: impl Fn(&str) -> bool, wanted: &[String]) -> Vec<String> {
    let is_gone = value.is_empty() || ours(value) && !wanted.iter().any(|name| name == value);
    let kept = (!is_gone).then(|| value.to_owned());
    let new = wanted.iter().filter(|name| *name != value).cloned();
    kept.into_iter().chain(new).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
