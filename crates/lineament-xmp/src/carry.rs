//! A new sidecar begins with what is embedded in the photo: the XMP as it is, and what IPTC and EXIF say beside it.
//!
//! Where several say the same, XMP goes before IPTC and IPTC before EXIF, as the Metadata Working Group has it; keywords of all are kept.
//! What programs read from EXIF with or without a sidecar (times, places, exposure, orientation) is not repeated.

use exif::{Context, Exif, In, Tag, Value};
use quick_xml::escape::escape;

use crate::embedded::{Embedded, Iptc, plain};
use crate::error::SidecarError;
use crate::merge::{Edits, List, SUBJECT, descriptions, empty, property};
use crate::tree::{self, Element, RDF};

const DC: &str = "http://purl.org/dc/elements/1.1/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const CORE: &str = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const NOTE: &str = "http://ns.adobe.com/xmp/note/";

/// How RDF keeps the values of a property.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Simple,
    /// In the language that is meant where none is asked for.
    Language,
    Ordered,
    Unordered,
}

/// A property, and where IPTC and EXIF have it.
struct Source {
    space: &'static str,
    prefix: &'static str,
    local: &'static str,
    form: Form,
    iptc: Option<u8>,
    /// Tags of the image in the order in which they count.
    exif: &'static [u16],
}

const fn source(
    (space, prefix, local): (&'static str, &'static str, &'static str),
    form: Form,
    iptc: Option<u8>,
    exif: &'static [u16],
) -> Source {
    Source { space, prefix, local, form, iptc, exif }
}

const fn photoshop(local: &'static str, iptc: u8) -> Source {
    source((PHOTOSHOP, "photoshop", local), Form::Simple, Some(iptc), &[])
}

/// Texts of Windows, in UTF-16.
const XP_TITLE: u16 = 0x9c9b;
const XP_COMMENT: u16 = 0x9c9c;
const XP_AUTHOR: u16 = 0x9c9d;
const XP_KEYWORDS: u16 = 0x9c9e;
const XP_SUBJECT: u16 = 0x9c9f;
const USER_COMMENT: Tag = Tag(Context::Exif, 0x9286);

const SOURCES: [Source; 20] = [
    source((DC, "dc", "title"), Form::Language, Some(5), &[XP_TITLE]),
    source((DC, "dc", "description"), Form::Language, Some(120), &[0x010e, XP_COMMENT, XP_SUBJECT]),
    source((DC, "dc", "creator"), Form::Ordered, Some(80), &[0x013b, XP_AUTHOR]),
    source((DC, "dc", "rights"), Form::Language, Some(116), &[0x8298]),
    source((XMP, "xmp", "Rating"), Form::Simple, None, &[0x4746]),
    photoshop("Urgency", 10),
    photoshop("Category", 15),
    source((PHOTOSHOP, "photoshop", "SupplementalCategories"), Form::Unordered, Some(20), &[]),
    photoshop("Instructions", 40),
    photoshop("AuthorsPosition", 85),
    photoshop("City", 90),
    photoshop("State", 95),
    photoshop("Country", 101),
    photoshop("TransmissionReference", 103),
    photoshop("Headline", 105),
    photoshop("Credit", 110),
    photoshop("Source", 115),
    photoshop("CaptionWriter", 122),
    source((CORE, "Iptc4xmpCore", "Location"), Form::Simple, Some(92), &[]),
    source((CORE, "Iptc4xmpCore", "CountryCode"), Form::Simple, Some(100), &[]),
];

/// The text that a new sidecar of this photo begins with.
///
/// # Errors
/// Embedded XMP that cannot be understood: a sidecar would hide it.
pub fn carried(embedded: &Embedded) -> Result<String, SidecarError> {
    let mut packets = embedded.xmp.iter();
    let mut text = match packets.next() {
        Some(packet) => packet_text(packet)?,
        None => empty(),
    };
    for more in packets {
        text = joined(&text, &decoded(more)?)?;
    }
    supplemented(&text, embedded)
}

/// A packet as a sidecar: its element between the marks of a packet, without the room that is left to write in.
fn packet_text(packet: &[u8]) -> Result<String, SidecarError> {
    let text = decoded(packet)?;
    let root = tree::read(&text)?;
    let (rdf, described) = descriptions(&root)?;
    let mut edits = Edits { text: &text, edits: Vec::new(), added: String::new() };
    // What it points to is joined to it.
    for description in &described {
        if let Some(pointer) = description.attribute(NOTE, "HasExtendedXMP") {
            edits.edits.push((pointer.whole.clone(), String::new()));
        }
        if let Some(pointer) = description.child(NOTE, "HasExtendedXMP") {
            edits.remove(pointer);
        }
    }
    let text = edits.finish(rdf, "")?;
    let root = tree::read(&text)?;
    let element = text.get(root.whole).unwrap_or_default();
    let own = empty();
    let (begin, end) = (own.find('\n').unwrap_or(0), own.rfind("<?xpacket").unwrap_or(own.len()));
    let (begin, end) = (own.get(..=begin).unwrap_or_default(), own.get(end..).unwrap_or_default());
    Ok(format!("{begin}{element}\n{end}"))
}

/// Text of any of Unicode's forms that XMP may have.
fn decoded(packet: &[u8]) -> Result<String, SidecarError> {
    let units = |of: fn([u8; 2]) -> u16| -> String {
        let units = packet.as_chunks().0.iter().map(|pair| of(*pair));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let text = match packet {
        [0xfe, 0xff, ..] | [0, b'<', ..] => units(u16::from_be_bytes),
        [0xff, 0xfe, ..] | [b'<', 0, ..] => units(u16::from_le_bytes),
        _ => String::from_utf8(packet.to_vec()).map_err(|_| SidecarError::Encoding)?,
    };
    // Room to write in, and zeros where a container fills up.
    Ok(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
}

/// The descriptions of another packet behind those of the first.
fn joined(text: &str, more: &str) -> Result<String, SidecarError> {
    let root = tree::read(more)?;
    let (_, described) = descriptions(&root)?;
    let whole = |element: &&Element| more.get(element.whole.clone()).unwrap_or_default();
    let added: String = described.iter().map(|element| format!("\n  {}", whole(element))).collect();
    let base = tree::read(text)?;
    let (rdf, mine) = descriptions(&base)?;
    let Some(last) = mine.last() else { return Ok(text.to_owned()) };
    let edit = (last.whole.end..last.whole.end, added);
    let joined = Edits { text, edits: vec![edit], added: String::new() }.finish(rdf, "")?;
    // Prefixes that were declared around it may be missing here; then it is left out, as most programs leave it.
    Ok(if tree::read(&joined).is_ok() { joined } else { text.to_owned() })
}

/// With what IPTC and EXIF say beside it.
fn supplemented(text: &str, embedded: &Embedded) -> Result<String, SidecarError> {
    let root = tree::read(text)?;
    let (rdf, described) = descriptions(&root)?;
    let mut edits = Edits { text, edits: Vec::new(), added: String::new() };
    let mut keywords: Vec<String> = Vec::new();
    for keyword in keywords_of(&embedded.iptc, embedded.exif.as_ref()) {
        if !keywords.contains(&keyword) {
            keywords.push(keyword);
        }
    }
    edits.list(&SUBJECT, property(&described, SUBJECT.space, SUBJECT.local), |_| false, &keywords)?;
    for source in &SOURCES {
        if property(&described, source.space, source.local).is_none() {
            source.add(&source.values(embedded), &mut edits);
        }
    }
    let about = described.iter().find_map(|element| element.value(RDF, "about")).unwrap_or_default();
    let text = edits.finish(rdf, about)?;
    tree::read(&text).map_err(|error| SidecarError::Unsound(Box::new(error)))?;
    Ok(text)
}

impl Source {
    /// What IPTC says, or else EXIF.
    fn values(&self, embedded: &Embedded) -> Vec<String> {
        let iptc: Vec<String> =
            self.iptc.iter().flat_map(|number| embedded.iptc.all(*number)).map(str::to_owned).collect();
        if !iptc.is_empty() {
            return iptc;
        }
        let Some(exif) = &embedded.exif else { return Vec::new() };
        let found = self.exif.iter().find_map(|number| said(exif, Tag(Context::Tiff, *number)));
        let comment = || said(exif, USER_COMMENT).filter(|_| self.local == "description");
        let rating = |text: &String| self.local != "Rating" || text != "0";
        found.or_else(comment).filter(rating).into_iter().collect()
    }

    fn add(&self, values: &[String], edits: &mut Edits<'_>) {
        let Self { space, prefix, local, .. } = self;
        let list = |kind| List { space, prefix, local, kind };
        match (self.form, values) {
            (_, []) => {}
            (Form::Ordered, values) => edits.add(&list("Seq"), values),
            (Form::Unordered, values) => edits.add(&list("Bag"), values),
            (Form::Simple, [value, ..]) => {
                let value = escape(value.as_str());
                edits.added.push_str(&format!(
                    "\n   <{prefix}:{local} xmlns:{prefix}=\"{space}\">{value}</{prefix}:{local}>"
                ));
            }
            (Form::Language, [value, ..]) => {
                let value = escape(value.as_str());
                edits.added.push_str(&format!(
                    "\n   <{prefix}:{local} xmlns:{prefix}=\"{space}\"><rdf:Alt><rdf:li xml:lang=\"x-default\">{value}</rdf:li></rdf:Alt></{prefix}:{local}>"
                ));
            }
        }
    }
}

/// Keywords of IPTC, and those of Windows, which stand in one text.
fn keywords_of(iptc: &Iptc, exif: Option<&Exif>) -> Vec<String> {
    let windows = exif.and_then(|exif| said(exif, Tag(Context::Tiff, XP_KEYWORDS))).unwrap_or_default();
    let windows = windows.split(';').map(|keyword| keyword.trim().to_owned());
    iptc.all(25).map(str::to_owned).chain(windows).filter(|keyword| !keyword.is_empty()).collect()
}

/// What a tag says, if it says something.
fn said(exif: &Exif, tag: Tag) -> Option<String> {
    let field = exif.get_field(tag, In::PRIMARY)?;
    let text = match &field.value {
        Value::Ascii(parts) => String::from_utf8_lossy(&parts.concat()).into_owned(),
        Value::Byte(bytes) if tag.number() >= XP_TITLE => utf_16(bytes, u16::from_le_bytes),
        Value::Undefined(bytes, _) if tag == USER_COMMENT => comment(bytes, exif)?,
        Value::Short(numbers) => numbers.first()?.to_string(),
        Value::Long(numbers) => numbers.first()?.to_string(),
        _ => return None,
    };
    Some(plain(&text)).filter(|text| !text.is_empty())
}

/// A comment behind the name of its encoding.
fn comment(bytes: &[u8], exif: &Exif) -> Option<String> {
    let (encoding, text) = bytes.split_at_checked(8)?;
    Some(match encoding {
        b"UNICODE\0" if exif.little_endian() => utf_16(text, u16::from_le_bytes),
        b"UNICODE\0" => utf_16(text, u16::from_be_bytes),
        b"ASCII\0\0\0" | [0, ..] => String::from_utf8_lossy(text).into_owned(),
        _ => return None,
    })
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair)).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
