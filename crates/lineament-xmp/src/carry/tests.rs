use super::*;
use crate::{Area, Message, Region, is_only_ours, merge};

fn message() -> Message {
    let region =
        |x: f64| Region { area: Area { x, y: 0.5, w: 0.1, h: 0.2 }, attributes: vec!["Smiling".to_owned()] };
    Message {
        keywords: vec!["Smiling".to_owned()],
        regions: vec![region(0.3)],
        stored: [640, 480],
        model_label: "tiny 0.0.1".to_owned(),
        digikam: true,
    }
}

/// A packet as ImageMagick, Adobe and others embed it, with room behind.
fn packet(properties: &str) -> String {
    format!(
        "<?xpacket begin='\u{feff}' id='W5M0MpCehiHzreSzNTczkc9d'?>\n<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'>\
         <rdf:Description rdf:about='' xmlns:dc='{DC}' xmlns:xmp='{XMP}' xmlns:xmpNote='{NOTE}'{properties}</rdf:Description>\
         </rdf:RDF></x:xmpmeta>\n{}\n<?xpacket end='w'?>",
        " ".repeat(2000)
    )
}

fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len() + 2).unwrap();
    [&[0xff, marker], &length.to_be_bytes()[..], &content].concat()
}

fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    [&[0xff, 0xd8][..], &segments.concat(), &[0xff, 0xda, 0, 2, 0x12, 0xff, 0xd9]].concat()
}

fn xmp_segment(properties: &str) -> Vec<u8> {
    segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", packet(properties).as_bytes()])
}

fn iptc_segment(records: &[(u8, &str)]) -> Vec<u8> {
    let mut iptc = Vec::new();
    for (number, text) in records {
        iptc.extend([0x1c, 2, *number, 0, u8::try_from(text.len()).unwrap()]);
        iptc.extend(text.as_bytes());
    }
    let length = u32::try_from(iptc.len()).unwrap().to_be_bytes();
    segment(0xed, &[b"Photoshop 3.0\0", b"8BIM\x04\x04\0\0", &length, &iptc])
}

/// EXIF with texts and a rating.
fn exif(texts: &[(u16, &str)]) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut values = Vec::new();
    let count = u16::try_from(texts.len() + 1).unwrap();
    let start = 8 + 2 + 12 * u32::from(count) + 4;
    for (tag, text) in texts {
        let (kind, bytes): (u16, Vec<u8>) = match tag {
            0x9c9b..=0x9c9f => (1, text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()),
            _ => (2, [text.as_bytes(), &[0]].concat()),
        };
        let length = u32::try_from(bytes.len()).unwrap();
        let at = start + u32::try_from(values.len()).unwrap();
        let inline = |mut bytes: Vec<u8>| {
            bytes.resize(4, 0);
            bytes
        };
        let value = if length > 4 { at.to_le_bytes().to_vec() } else { inline(bytes.clone()) };
        entries.extend([&tag.to_le_bytes()[..], &kind.to_le_bytes(), &length.to_le_bytes(), &value].concat());
        if length > 4 {
            values.extend(bytes);
        }
    }
    entries.extend([0x46, 0x47, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0]);
    [b"II*\0\x08\0\0\0".as_slice(), &count.to_le_bytes(), &entries, &[0; 4], &values].concat()
}

fn fresh_of(file: &[u8]) -> String {
    let text = merge(&carried(&Embedded::read(file)).unwrap(), &message()).unwrap();
    assert_eq!(merge(&text, &message()).unwrap(), text, "a second run changes nothing");
    assert!(!is_only_ours(&text).unwrap());
    text
}

#[test]
fn xmp_is_carried_over_as_it_is() {
    let properties = " xmp:Rating='5' dc:subject='Holiday'><dc:description><rdf:Alt><rdf:li xml:lang='x-default'>At the lake</rdf:li></rdf:Alt></dc:description>";
    let xmp = packet(properties);
    let png = {
        let chunk = |kind: &[u8], content: &[u8]| {
            [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], kind, content, &[0; 4]].concat()
        };
        let text = [b"XML:com.adobe.xmp\0\0\0\0\0", xmp.as_bytes()].concat();
        // Behind the pixels, as some write it.
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IDAT", b"pixels"), chunk(b"iTXt", &text), chunk(b"IEND", b"")]
            .concat()
    };
    let webp = {
        let length = u32::try_from(xmp.len()).unwrap().to_le_bytes();
        [b"RIFF\0\0\0\0WEBPVP8X\x03\0\0\0abc\0XMP ".as_slice(), &length, xmp.as_bytes()].concat()
    };
    let other =
        [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".as_slice(), b"more", xmp.as_bytes(), b"pixels"].concat();
    for file in [jpeg(&[xmp_segment(properties)]), png, webp, other] {
        let text = fresh_of(&file);
        for said in ["xmp:Rating='5'", "At the lake", "<rdf:li>Holiday</rdf:li>"] {
            assert_eq!(text.matches(said).count(), 1, "{said} in {text}");
        }
        assert!(!text.contains(&" ".repeat(100)) && text.ends_with("<?xpacket end=\"w\"?>\n"), "{text}");
    }
}

#[test]
fn iptc_and_exif_are_said_in_xmp() {
    let iptc =
        [(25, "Holiday"), (25, "Zoë & Ann"), (120, "At the lake"), (80, "Ann"), (90, "Bern"), (5, "Title")];
    let text = fresh_of(&jpeg(&[iptc_segment(&iptc)]));
    let base = carried(&Embedded::read(&jpeg(&[iptc_segment(&iptc)]))).unwrap();
    assert!(base.contains("<rdf:li>Holiday</rdf:li>\n     <rdf:li>Zoë &amp; Ann</rdf:li>"), "{base}");
    for said in [
        "At the lake</rdf:li>",
        "<rdf:li>Ann</rdf:li>",
        "photoshop:City",
        ">Bern<",
        "dc:title",
        ">Title<",
        ">Smiling<",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    let block = exif(&[(0x010e, "A boat"), (0x013b, "Bob"), (0x8298, "CC0"), (0x9c9e, "Lake;Holiday")]);
    let file = jpeg(&[segment(0xe1, &[b"Exif\0\0", &block])]);
    for file in [file, block] {
        let text = fresh_of(&file);
        for said in [">A boat<", ">Bob<", ">CC0<", ">Lake<", ">Holiday<", ">4</xmp:Rating>"] {
            assert!(text.contains(said), "{said} in {text}");
        }
    }
}

#[test]
fn xmp_goes_before_iptc_and_keywords_of_all_are_kept() {
    let xmp = xmp_segment(
        " xmp:Rating='5'><dc:subject><rdf:Bag><rdf:li>Lake</rdf:li></rdf:Bag></dc:subject><dc:description><rdf:Alt><rdf:li xml:lang='x-default'>From XMP</rdf:li></rdf:Alt></dc:description>",
    );
    let iptc = iptc_segment(&[(25, "Lake"), (25, "Holiday"), (120, "From IPTC")]);
    let exif = segment(0xe1, &[b"Exif\0\0", &exif(&[(0x010e, "From EXIF"), (0x013b, "Bob")])]);
    let text = fresh_of(&jpeg(&[exif, xmp, iptc]));
    assert!(
        text.contains("From XMP") && !text.contains("From IPTC") && !text.contains("From EXIF"),
        "{text}"
    );
    assert_eq!(text.matches("<rdf:li>Lake</rdf:li>").count(), 1, "{text}");
    assert!(text.contains("<rdf:li>Holiday</rdf:li>") && text.contains(">Bob<"), "{text}");
    assert!(text.contains("xmp:Rating='5'") && !text.contains("</xmp:Rating>"), "{text}");
}

#[test]
fn what_one_segment_has_no_room_for_is_joined() {
    let guid = "0123456789ABCDEF0123456789ABCDEF";
    let more = format!(
        "<rdf:RDF xmlns:rdf='{RDF}'><rdf:Description rdf:about='' xmlns:xmp='{XMP}'><xmp:Label>Red</xmp:Label></rdf:Description></rdf:RDF>"
    );
    let part = |from: usize, to: usize| {
        let length = u32::try_from(more.len()).unwrap().to_be_bytes();
        let offset = u32::try_from(from).unwrap().to_be_bytes();
        segment(
            0xe1,
            &[
                b"http://ns.adobe.com/xmp/extension/\0",
                guid.as_bytes(),
                &length,
                &offset,
                &more.as_bytes()[from..to],
            ],
        )
    };
    let main = xmp_segment(&format!(" xmpNote:HasExtendedXMP='{guid}' xmp:Rating='5'>"));
    let text = fresh_of(&jpeg(&[main.clone(), part(60, more.len()), part(0, 60)]));
    assert!(text.contains("<xmp:Label>Red</xmp:Label>") && !text.contains("HasExtended"), "{text}");
    // A part is missing: the main packet stands for itself.
    assert!(!fresh_of(&jpeg(&[main, part(0, 60)])).contains("Red"));
}

#[test]
fn nothing_embedded_is_an_empty_sidecar_and_broken_xmp_is_refused() {
    assert_eq!(carried(&Embedded::read(&jpeg(&[]))).unwrap(), empty());
    assert_eq!(carried(&Embedded::read(b"")).unwrap(), empty());
    let broken =
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf"]);
    assert!(carried(&Embedded::read(&jpeg(&[broken]))).is_err());
    let ours = merge(&empty(), &message()).unwrap();
    assert!(is_only_ours(&ours).unwrap());
    // Every cut of a file is read or left out, without a panic.
    let file = jpeg(&[
        xmp_segment(" xmp:Rating='5'>"),
        iptc_segment(&[(25, "Lake")]),
        segment(0xe1, &[b"Exif\0\0", &exif(&[])]),
    ]);
    for cut in 0..file.len() {
        let _ = carried(&Embedded::read(&file[..cut]));
    }
}

#[test]
fn packets_in_utf_16_are_read() {
    let text = packet(" xmp:Rating='5'>");
    for bytes in [
        text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ] {
        let embedded = Embedded { xmp: vec![bytes], ..Embedded::default() };
        assert!(carried(&embedded).unwrap().contains("xmp:Rating='5'"));
    }
}
