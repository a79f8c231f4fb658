//! Sidecars that say which way is up, and bitmaps whose alpha says nothing.

use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use lineament::{Limits, Photo};

use crate::{decode, exif};

fn sidecar(orientation: u8, more: &str) -> String {
    format!(
        "<?xpacket begin='\u{feff}' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF \
         xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' \
         xmlns:tiff='http://ns.adobe.com/tiff/1.0/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' {more}>\
         <tiff:Orientation>{orientation}</tiff:Orientation></rdf:Description></rdf:RDF></x:xmpmeta>\
         <?xpacket end='w'?>"
    )
}

#[test]
fn a_sidecar_of_either_name_turns_its_photo() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.jpg");
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new(&mut file);
    encoder.set_exif_metadata(exif(3, false)).unwrap();
    encoder.write_image(&[9; 16 * 8 * 3], 16, 8, ExtendedColorType::Rgb8).unwrap();
    std::fs::write(&path, file).unwrap();
    let size = || {
        let photo = Photo::open(&path, &Limits::default()).unwrap();
        let orientation = Photo::orientation(&path, &Limits::default()).unwrap();
        (photo.width(), photo.height(), orientation)
    };
    let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
    assert_eq!(size(), (16, 8, 3));
    write("p.xmp", &sidecar(6, ""));
    assert_eq!(size(), (8, 16, 6));
    write("p.xmp", &sidecar(6, "photoshop:SidecarForExtension='CR2'"));
    assert_eq!(size(), (16, 8, 3), "Lightroom's sidecar belongs to the raw file");
    write("p.xmp", &sidecar(6, "photoshop:SidecarForExtension='JPG'"));
    write("p.jpg.xmp", &sidecar(1, ""));
    assert_eq!(size(), (16, 8, 1));
    for broken in ["", "<x:xmpmeta", "not XML at all", &sidecar(9, "")] {
        write("p.jpg.xmp", broken);
        assert_eq!(size(), (8, 16, 6), "{broken}: the other one is left");
    }
}

#[test]
fn a_bitmap_whose_alpha_is_zero_throughout_is_opaque() {
    let write = |pixels: &[u8]| {
        let mut file = Vec::new();
        BmpEncoder::new(&mut file).write_image(pixels, 2, 1, ExtendedColorType::Rgba8).unwrap();
        decode(&file).unwrap().pixels().to_vec()
    };
    assert_eq!(write(&[10, 20, 30, 0, 40, 50, 60, 0]), [10, 20, 30, 40, 50, 60]);
    assert_eq!(write(&[10, 20, 30, 0, 40, 50, 60, 255]), [255, 255, 255, 40, 50, 60]);
}
