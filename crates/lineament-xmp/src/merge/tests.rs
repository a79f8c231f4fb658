use super::*;
use crate::Region;
use crate::area::Area;

fn message(keywords: &[&str], areas: &[f64]) -> Message {
    let region = |x: &f64| Region {
        area: Area { x: *x, y: 0.5, w: 0.1, h: 0.2 },
        attributes: keywords.iter().map(|k| (*k).to_owned()).collect(),
    };
    Message {
        keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
        regions: areas.iter().map(region).collect(),
        stored: [640, 480],
        model_label: "tiny 0.0.1 (0123abcd)".to_owned(),
        digikam: true,
    }
}

fn list(text: &str, list: &List) -> Vec<String> {
    let root = tree::read(text).unwrap();
    let all = root.all();
    let property = all.iter().find(|element| element.name.is(list.space, list.local));
    property
        .and_then(|p| p.list())
        .map_or_else(Vec::new, |l| l.items().map(|item| item.text.clone()).collect())
}

fn drawn(text: &str) -> Vec<f64> {
    let root = tree::read(text).unwrap();
    let all = root.all();
    let list = all.iter().find(|element| element.name.is(REGIONS, "RegionList")).and_then(|list| list.list());
    list.map_or_else(Vec::new, |list| list.items().map(|item| regions::mwg(item).unwrap().x).collect())
}

/// As digiKam writes them: attributes for values, its own prefix order, a region with a name, and things that are nobody's business.
const DIGIKAM_SIDECAR: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\r
<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='XMP Core 4.4.0-Exiv2'>
 <r:RDF xmlns:r=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">
  <r:Description r:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:digiKam=\"http://www.digikam.org/ns/1.0/\"
    xmlns:mwg-rs=\"http://www.metadataworkinggroup.com/schemas/regions/\" xmlns:stArea=\"http://ns.adobe.com/xmp/sType/Area#\"
    xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmp:Rating=\"5\"   >
   <!-- mine &amp; untouched -->
   <dc:subject>
\t<r:Bag><r:li>Holidays</r:li>
\t  <r:li>R&amp;D</r:li>
\t  <r:li>Smiling</r:li></r:Bag>
   </dc:subject>
   <digiKam:TagsList><r:Seq><r:li>Places/Home</r:li></r:Seq></digiKam:TagsList>
   <mwg-rs:Regions r:parseType=\"Resource\"><mwg-rs:RegionList><r:Bag>
    <r:li><r:Description mwg-rs:Name=\"Ann\" mwg-rs:Type=\"Face\"><mwg-rs:Area stArea:x=\"0.2\" stArea:y=\"0.5\" stArea:w=\"0.11\" stArea:h=\"0.2\" stArea:unit=\"normalized\"/></r:Description></r:li>
   </r:Bag></mwg-rs:RegionList></mwg-rs:Regions>
   <xmp:Label><![CDATA[<red>]]></xmp:Label>
  </r:Description>
 </r:RDF>
</x:xmpmeta>
<?xpacket end='w'?>
";

#[test]
fn a_new_sidecar_says_keywords_and_regions() {
    let text = fresh(&message(&["Smiling", "Wearing_Hat"], &[0.3, 0.7])).unwrap();
    assert_eq!(list(&text, &SUBJECT), ["Smiling", "Wearing_Hat"]);
    assert_eq!(list(&text, &TREE), ["Lineament|Smiling", "Lineament|Wearing_Hat"]);
    assert_eq!(list(&text, &TAGS), ["Lineament/Smiling", "Lineament/Wearing_Hat"]);
    assert_eq!(drawn(&text), [0.3, 0.7]);
    // Again, nothing changes; with nobody there, all of it goes.
    assert_eq!(merge(&text, &message(&["Smiling", "Wearing_Hat"], &[0.3, 0.7])).unwrap(), text);
    let empty = merge(&text, &message(&[], &[])).unwrap();
    assert!(!empty.contains("Smiling") && !empty.contains("Regions>"), "{empty}");
}

#[test]
fn what_others_wrote_stays_to_the_byte() {
    let first = merge(DIGIKAM_SIDECAR, &message(&["Smiling", "A<B"], &[0.2, 0.8])).unwrap();
    assert_eq!(list(&first, &SUBJECT), ["Holidays", "R&D", "Smiling", "A<B"]);
    assert_eq!(list(&first, &TAGS), ["Places/Home", "Lineament/Smiling", "Lineament/A<B"]);
    assert_eq!(list(&first, &RECORD), ["A<B"], "Smiling was there before us");
    assert_eq!(drawn(&first), [0.2, 0.8], "Ann's face is not drawn twice");
    // Every byte of the original is still there, in its order.
    let mut rest = first.as_str();
    for line in DIGIKAM_SIDECAR.lines() {
        // Our items come behind the last one of a list, within a line.
        for part in line.split("</r:Seq>").flat_map(|part| part.split("</r:Bag>")) {
            let place = rest.find(part).unwrap_or_else(|| panic!("{part:?} is lost in\n{rest}"));
            rest = &rest[place + part.len()..];
        }
    }
    let second = merge(&first, &message(&["Young"], &[0.5])).unwrap();
    assert_eq!(list(&second, &SUBJECT), ["Holidays", "R&D", "Smiling", "Young"]);
    assert_eq!(drawn(&second), [0.2, 0.5]);
    // Taken back, all is as it was but for an empty description at the end.
    let third = merge(&second, &message(&[], &[])).unwrap();
    let end = DIGIKAM_SIDECAR.find(" </r:RDF>").unwrap();
    assert_eq!(third[..end - 1], DIGIKAM_SIDECAR[..end - 1]);
    assert!(third.ends_with(&DIGIKAM_SIDECAR[end..]));
}

#[test]
fn short_forms_are_opened() {
    for rdf in [
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>",
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'></rdf:RDF>",
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='uuid:1' xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:subject><rdf:Bag /></dc:subject></rdf:Description></rdf:RDF>",
    ] {
        let merged = merge(rdf, &message(&["Smiling"], &[0.4])).unwrap();
        assert_eq!(list(&merged, &SUBJECT), ["Smiling"], "{merged}");
        assert_eq!(drawn(&merged), [0.4]);
        let both = merged.matches("about=\"uuid:1\"").count() + merged.matches("about='uuid:1'").count();
        assert_eq!(both, if rdf.contains("uuid") { 2 } else { 0 }, "{merged}");
    }
}

#[test]
fn hostile_sidecars_are_refused_with_a_reason() {
    let refused = |text: &str| {
        let error = merge(text, &message(&["Smiling"], &[0.4])).unwrap_err();
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    };
    let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>";
    assert!(refused("").contains("no XML element"));
    assert!(refused("no xml at all").contains("no XML element"));
    assert!(refused("<a>").contains("does not end"));
    assert!(refused("<a></b>").contains("broken XML"));
    assert!(refused("<a/><b/>").contains("two root"));
    assert!(refused("<a/>").contains("no rdf:RDF"));
    assert!(
        refused(&format!("{rdf}<rdf:Description><dc:subject/></rdf:Description></rdf:RDF>"))
            .contains("not declared")
    );
    let bomb = format!("<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>{rdf}</rdf:RDF>");
    assert!(refused(&bomb).contains("document type"));
    assert!(refused(&format!("{rdf}&bomb;</rdf:RDF>")).contains("&bomb;"));
    assert!(refused(&"<a>".repeat(100_000)).contains("nested deeper"));
    let text = format!(
        "{rdf}<rdf:Description xmlns:dc='{DC}'><dc:subject><dc:odd/></dc:subject></rdf:Description></rdf:RDF>"
    );
    assert!(refused(&text).contains("dc:subject is no list"), "{}", refused(&text));
    for cut in (0..DIGIKAM_SIDECAR.len()).filter(|cut| DIGIKAM_SIDECAR.is_char_boundary(*cut)) {
        // Cut anywhere, it is refused or, behind the root element, still whole.
        let whole = cut >= DIGIKAM_SIDECAR.find("</x:xmpmeta>").unwrap() + "</x:xmpmeta>".len();
        let result = merge(&DIGIKAM_SIDECAR[..cut], &message(&["Smiling"], &[0.4]));
        assert!(whole || result.is_err(), "{cut}");
    }
}

/// Descriptions of one property, in the ways that programs write a single value.
fn described(property: &str) -> [String; 3] {
    let rdf = format!("<rdf:RDF xmlns:rdf='{RDF}'>");
    let around = |attribute: &str, element: &str| {
        format!(
            "{rdf}<rdf:Description rdf:about='' xmlns:dc='{DC}' xmlns:lr='{LIGHTROOM}'{attribute}>{element}</rdf:Description></rdf:RDF>"
        )
    };
    [
        around(&format!(" {property}=\"Holiday\""), ""),
        around("", &format!("<{property}>Holiday</{property}>")),
        around("", &format!("<{property}><rdf:Bag><rdf:li>Holiday</rdf:li></rdf:Bag></{property}>")),
    ]
}

#[test]
fn a_keyword_in_any_form_is_merged_and_stays() {
    for text in described("dc:subject") {
        let merged = merge(&text, &message(&["Smiling"], &[])).unwrap();
        assert_eq!(list(&merged, &SUBJECT), ["Holiday", "Smiling"], "{merged}");
        assert_eq!(merged.matches("Holiday").count(), 1, "{merged}");
        assert_eq!(list(&merged, &RECORD), ["Smiling"]);
        let back = merge(&merged, &message(&[], &[])).unwrap();
        assert_eq!(list(&back, &SUBJECT), ["Holiday"], "{back}");
        assert!(!back.contains("Smiling"));
        // The same word as ours was there before us.
        let merged = merge(&text, &message(&["Holiday"], &[])).unwrap();
        let root = tree::read(&merged).unwrap();
        let (_, described) = descriptions(&root).unwrap();
        let subject = property(&described, DC, "subject").unwrap();
        assert_eq!(subject.values().into_iter().collect::<Vec<_>>(), ["Holiday"]);
        assert!(list(&merged, &RECORD).is_empty());
    }
    for text in described("lr:hierarchicalSubject") {
        let merged = merge(&text, &message(&["Smiling"], &[])).unwrap();
        assert_eq!(list(&merged, &TREE), ["Holiday", "Lineament|Smiling"], "{merged}");
    }
    // A record of ours that another program made a single value.
    let text = described("dc:subject")[0].replace(
        "dc:subject=",
        &format!("xmlns:lineament='{OURS}' lineament:Keywords='Holiday' dc:subject="),
    );
    let back = merge(&text, &message(&[], &[])).unwrap();
    assert!(!back.contains("Holiday"), "{back}");
}

/// What exiv2 0.27 makes of our sidecar (digiKam, darktable and pyexiv2 write by it): members of structures become attributes.
fn saved_by_exiv2(name: &str, extensions: &str) -> String {
    format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"XMP Core 4.4.0-Exiv2\">
 <rdf:RDF xmlns:rdf=\"{RDF}\">
  <rdf:Description rdf:about=\"\" xmlns:lineament=\"{OURS}\" xmlns:mwg-rs=\"{REGIONS}\"
    xmlns:stArea=\"http://ns.adobe.com/xmp/sType/Area#\" xmlns:dc=\"{DC}\">
   <mwg-rs:Regions rdf:parseType=\"Resource\"><mwg-rs:RegionList><rdf:Bag><rdf:li>
       <rdf:Description{name} mwg-rs:Type=\"Face\" mwg-rs:Description=\"Smiling\">
       <mwg-rs:Area stArea:x=\"0.2\" stArea:y=\"0.5\" stArea:w=\"0.1\" stArea:h=\"0.2\" stArea:unit=\"normalized\"/>{extensions}
       </rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>"
    )
}

#[test]
fn our_regions_are_known_again_in_any_form() {
    let extensions = "<mwg-rs:Extensions lineament:Model=\"tiny\"/>";
    let ours = [
        saved_by_exiv2(" mwg-rs:Name=\"Lineament\"", extensions),
        saved_by_exiv2("", extensions),
        saved_by_exiv2(" mwg-rs:Name=\"Lineament\"", ""),
    ];
    for text in ours {
        // The face has moved, and the ghost of it is gone.
        assert_eq!(drawn(&merge(&text, &message(&["Young"], &[0.21])).unwrap()), [0.21]);
        assert_eq!(drawn(&merge(&text, &message(&["Young"], &[0.7])).unwrap()), [0.7]);
        let back = merge(&text, &message(&[], &[])).unwrap();
        assert!(!back.contains("mwg-rs:RegionList"), "{back}");
    }
    // One that somebody named is theirs from then on, and not drawn again.
    let named = saved_by_exiv2(" mwg-rs:Name=\"Ann\"", extensions);
    assert_eq!(drawn(&merge(&named, &message(&["Young"], &[0.21, 0.7])).unwrap()), [0.2, 0.7]);
    assert_eq!(drawn(&merge(&named, &message(&[], &[])).unwrap()), [0.2]);
}

#[test]
fn a_face_that_others_drew_is_not_doubled() {
    let around = |inside: &str| {
        format!("<rdf:RDF xmlns:rdf='{RDF}'><rdf:Description>{inside}</rdf:Description></rdf:RDF>")
    };
    let mwg = |kind: &str, x: f64, y: f64, w: f64, h: f64| {
        around(&format!(
            "<m:Regions xmlns:m='{REGIONS}' xmlns:a='http://ns.adobe.com/xmp/sType/Area#' rdf:parseType='Resource'><m:RegionList><rdf:Bag>\
             <rdf:li rdf:parseType='Resource'>{kind}<m:Area a:x='{x}' a:y='{y}' a:w='{w}' a:h='{h}'/></rdf:li></rdf:Bag></m:RegionList></m:Regions>"
        ))
    };
    let face = "<m:Type>Face</m:Type>";
    // Ours lies at 0.2, 0.5 and is 0.1 x 0.2 large.
    let same = [
        mwg(face, 0.2, 0.5, 0.1, 0.2),
        mwg("", 0.2, 0.5, 0.1, 0.2),
        // The head, with hair and neck; a part of the face.
        mwg(face, 0.21, 0.47, 0.18, 0.36),
        mwg(face, 0.2, 0.48, 0.06, 0.1),
        around(
            "<MP:RegionInfo xmlns:MP='http://ns.microsoft.com/photo/1.2/' xmlns:I='http://ns.microsoft.com/photo/1.2/t/RegionInfo#' \
             xmlns:R='http://ns.microsoft.com/photo/1.2/t/Region#' rdf:parseType='Resource'><I:Regions><rdf:Bag><rdf:li \
             R:Rectangle='0.14, 0.36, 0.12, 0.28' R:PersonDisplayName='Ann'/></rdf:Bag></I:Regions></MP:RegionInfo>",
        ),
        around(
            "<e:ImageRegion xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'><rdf:Bag><rdf:li rdf:parseType='Resource'>\
             <e:RegionBoundary rdf:parseType='Resource'><e:rbShape>rectangle</e:rbShape><e:rbUnit>relative</e:rbUnit><e:rbX>0.15</e:rbX>\
             <e:rbY>0.4</e:rbY><e:rbW>0.1</e:rbW><e:rbH>0.2</e:rbH></e:RegionBoundary></rdf:li></rdf:Bag></e:ImageRegion>",
        ),
    ];
    for text in same {
        let merged = merge(&text, &message(&["Smiling"], &[0.2, 0.8])).unwrap();
        assert_eq!(merged.matches("<mwg-rs:Name>Lineament").count(), 1, "{merged}");
        assert!(merged.contains("<stArea:x>0.800000"), "{merged}");
    }
    let other = [
        mwg("<m:Type>Pet</m:Type>", 0.2, 0.5, 0.1, 0.2),
        mwg("<m:Type>Focus</m:Type>", 0.2, 0.5, 0.1, 0.2),
        // The whole person; a neighbor.
        mwg(face, 0.2, 0.6, 0.3, 0.8),
        mwg(face, 0.28, 0.5, 0.1, 0.2),
    ];
    for text in other {
        let merged = merge(&text, &message(&["Smiling"], &[0.2])).unwrap();
        assert!(merged.contains("<stArea:x>0.200000"), "{merged}");
    }
    // One region is about one face.
    let merged = merge(&mwg(face, 0.2, 0.5, 0.14, 0.24), &message(&["Smiling"], &[0.19, 0.21])).unwrap();
    assert_eq!(merged.matches("<mwg-rs:Name>Lineament").count(), 1, "{merged}");
}

/// SplitMix64.
fn random(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as usize % below.max(1)
}

#[test]
fn whatever_is_merged_is_merged_for_good() {
    let mut texts = vec![DIGIKAM_SIDECAR.to_owned(), fresh(&message(&["Smiling"], &[0.4])).unwrap()];
    texts.extend(described("dc:subject"));
    texts.extend(described("lr:hierarchicalSubject"));
    texts.push(saved_by_exiv2(" mwg-rs:Name=\"Ann\"", ""));
    texts.push(saved_by_exiv2("", "<mwg-rs:Extensions lineament:Model=\"tiny\"/>"));
    let full = message(&["Smiling", "Wearing_Hat"], &[0.2, 0.7]);
    let (mut seed, mut merged_once) = (1, 0);
    for _ in 0..1000 {
        let mut text = texts[random(&mut seed, texts.len())].clone();
        // Elements of one take the place of those of another, or follow them, or are gone.
        for _ in 0..1 + random(&mut seed, 3) {
            let other = &texts[random(&mut seed, texts.len())];
            let one_of = |text: &str, seed: &mut u64| {
                let root = tree::read(text).unwrap();
                let all = root.all();
                all[random(seed, all.len())].whole.clone()
            };
            let (at, from) = (one_of(&text, &mut seed), one_of(other, &mut seed));
            let mut changed = text.clone();
            match random(&mut seed, 3) {
                0 => changed.replace_range(at, &other[from]),
                1 => changed.insert_str(at.end, &other[from]),
                _ => changed.replace_range(at, ""),
            }
            // Prefixes may be missing in another place.
            if tree::read(&changed).is_ok() {
                text = changed;
            }
        }
        let Ok(merged) = merge(&text, &full) else { continue };
        merged_once += 1;
        assert_eq!(merge(&merged, &full).unwrap(), merged, "of {text}");
        let back = merge(&merged, &message(&[], &[])).unwrap();
        assert!(
            !list(&back, &SUBJECT).contains(&"Wearing_Hat".to_owned()) || text.contains("Wearing_Hat"),
            "{back}"
        );
        assert_eq!(merge(&back, &message(&[], &[])).unwrap(), back);
    }
    assert!(merged_once > 300, "{merged_once}");
}
