//! A sidecar as a tree of elements that know their bytes.

use std::ops::Range;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use crate::error::SidecarError;

/// Elements within elements at most: XMP has a dozen, and recursion over more would need stack.
const DEEPEST: usize = 64;

/// RDF, the frame of XMP.
pub const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// A namespace and a name in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub space: String,
    pub local: String,
}

impl Name {
    pub fn is(&self, space: &str, local: &str) -> bool {
        self.space == space && self.local == local
    }
}

/// An attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    pub name: Name,
    pub value: String,
    /// From the white space before it to the closing quote.
    pub whole: Range<usize>,
}

/// An element.
#[derive(Debug, Clone)]
pub struct Element {
    pub name: Name,
    /// The prefix with its colon, as it is written.
    pub prefix: String,
    /// From `<` to the last `>`.
    pub whole: Range<usize>,
    /// Between the tags; `None` of `<empty/>`.
    pub inner: Option<Range<usize>>,
    /// The characters straight in it.
    pub text: String,
    pub attributes: Vec<Attribute>,
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub fn child(&self, space: &str, local: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.is(space, local))
    }

    /// The element itself, and all below it.
    pub fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        found.extend(self.children.iter().flat_map(Self::all));
        found
    }

    /// An attribute's value, or the text of a child of that name: RDF lets simple values be written either way.
    pub fn value(&self, space: &str, local: &str) -> Option<&str> {
        let attribute = self.attribute(space, local);
        attribute
            .map(|attribute| attribute.value.as_str())
            .or_else(|| self.child(space, local).map(|child| child.text.as_str()))
    }

    /// The attribute of that name.
    pub fn attribute(&self, space: &str, local: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.is(space, local))
    }

    /// Whether the element or anything in it is of a namespace: RDF lets simple members be elements or attributes.
    pub fn has_any_of(&self, space: &str) -> bool {
        self.name.space == space
            || self.attributes.iter().any(|attribute| attribute.name.space == space)
            || self.children.iter().any(|child| child.has_any_of(space))
    }

    /// The list straight in a property: rdf:Bag, rdf:Seq or rdf:Alt.
    pub fn list(&self) -> Option<&Self> {
        self.children
            .iter()
            .find(|c| c.name.space == RDF && ["Bag", "Seq", "Alt"].contains(&c.name.local.as_str()))
    }

    /// The items of a list.
    pub fn items(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(|child| child.name.is(RDF, "li"))
    }
}

/// Reads a whole file; the root element.
///
/// Refused: XML that is not well-formed, and document types, which XMP has none of and which are how entities are made to explode.
pub fn read(text: &str) -> Result<Element, SidecarError> {
    let mark = '\u{feff}';
    // Offsets count from the start of the file.
    let skipped = if text.starts_with(mark) { mark.len_utf8() } else { 0 };
    let mut reader = NsReader::from_str(text.get(skipped..).unwrap_or_default());
    reader.config_mut().enable_all_checks(true);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let from = skipped + offset(&reader);
        let event =
            reader.read_event().map_err(|cause| SidecarError::Broken { at: from, cause: Box::new(cause) })?;
        let to = skipped + offset(&reader);
        let mut closed = None;
        match event {
            Event::Start(tag) => {
                if open.len() >= DEEPEST {
                    return Err(SidecarError::Nested { most: DEEPEST });
                }
                let inner = Some(to..to);
                open.push(Element { inner, ..element(&tag, from..to, reader.resolver())? });
            }
            Event::Empty(tag) => closed = Some(element(&tag, from..to, reader.resolver())?),
            Event::End(_) => {
                let mut element = open.pop().ok_or(SidecarError::NotBegun)?;
                element.whole.end = to;
                element.inner = element.inner.map(|inner| inner.start..from);
                closed = Some(element);
            }
            Event::Text(text) => add(&mut open, &text.xml10_content()),
            Event::CData(text) => add(&mut open, &text.xml10_content()),
            Event::GeneralRef(entity) => {
                let found = match entity.resolve_char_ref()? {
                    Some(character) => character.to_string(),
                    None => {
                        let name = entity.xml10_content();
                        let known = quick_xml::escape::resolve_predefined_entity(&name);
                        known.ok_or_else(|| SidecarError::Entity { name: name.to_string() })?.to_owned()
                    }
                };
                add(&mut open, &found);
            }
            Event::DocType(_) => return Err(SidecarError::DocumentType),
            Event::Eof => break,
            _ => {}
        }
        if let Some(element) = closed {
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None if root.is_none() => root = Some(element),
                None => return Err(SidecarError::Roots),
            }
        }
    }
    if let Some(element) = open.last() {
        return Err(SidecarError::CutOff { name: element.name.local.clone() });
    }
    root.ok_or(SidecarError::Empty)
}

/// Where the reader is in the text, which lies in memory.
fn offset(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(
    tag: &BytesStart<'_>,
    whole: Range<usize>,
    resolver: &NamespaceResolver,
) -> Result<Element, SidecarError> {
    let name = tag.name();
    let (space, local) = resolver.resolve_element(name);
    let name_of = |space: ResolveResult<'_>, local: &str| -> Result<Name, SidecarError> {
        let space = match space {
            ResolveResult::Bound(space) => space.0.to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(prefix) => {
                return Err(SidecarError::Prefix { prefix: prefix.to_string() });
            }
        };
        Ok(Name { space, local: local.to_owned() })
    };
    let mut attributes = Vec::new();
    // The tag's text begins behind its `<`.
    let mut places =
        places(tag).into_iter().map(|place| whole.start + 1 + place.start..whole.start + 1 + place.end);
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(quick_xml::Error::from)?;
        let place = places.next().unwrap_or_default();
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (space, local) = resolver.resolve_attribute(attribute.key);
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned();
        attributes.push(Attribute { name: name_of(space, local.as_ref())?, value, whole: place });
    }
    let prefix = name.prefix().map_or(String::new(), |prefix| format!("{}:", prefix.as_ref()));
    Ok(Element {
        name: name_of(space, local.as_ref())?,
        prefix,
        whole,
        inner: None,
        text: String::new(),
        attributes,
        children: Vec::new(),
    })
}

/// Where the attributes of a tag stand in its text, one after the other: a value lies between two quotes of its kind.
fn places(tag: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // Behind the name, or the quote before.
    let mut from = tag.find(|c: char| c.is_ascii_whitespace()).unwrap_or(tag.len());
    while let Some(rest) = tag.get(from..) {
        let Some(open) = rest.find(['"', '\'']) else { break };
        let Some(quote) = rest.get(open..).and_then(|rest| rest.chars().next()) else { break };
        let Some(length) = rest.get(open + 1..).and_then(|rest| rest.find(quote)) else { break };
        let end = from + open + 1 + length + 1;
        found.push(from..end);
        from = end;
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn attributes_know_their_places() {
        let text = "\u{feff}<a xmlns:b='urn:b'\n  b:one = \"it's\"  two='&quot;' ><c  b:three='x'/></a>";
        let root = read(text).unwrap();
        let of = |element: &Element| -> Vec<(String, &str)> {
            let found = element.attributes.iter();
            found.map(|one| (one.value.clone(), text.get(one.whole.clone()).unwrap())).collect()
        };
        let expected = [("it's".to_owned(), "\n  b:one = \"it's\""), ("\"".to_owned(), "  two='&quot;'")];
        assert_eq!(of(&root), expected);
        let child = root.children.first().unwrap();
        assert_eq!(of(child), [("x".to_owned(), "  b:three='x'")]);
        assert!(child.has_any_of("urn:b") && !child.has_any_of("urn:c"));
    }
}
