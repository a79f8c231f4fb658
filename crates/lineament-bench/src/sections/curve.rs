//! Time against the size of an image, and against the faces in it, beside YuNet.

use anyhow::Result;
use lineament::{Bundle, Engine, Limits, Photo, SmallestFace, Tagger};

use crate::images;
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::{Rival, Times, in_turns, power, slope};
use crate::yunet::Yunet;

const THREADS: usize = 2;
/// Side of an image of many faces.
const CROWD: u32 = 1600;
/// What a face is high that YuNet is shown at least, in pixels: its smallest anchors have 16, and it finds hardly any below 10.
const YUNET_FACE: f32 = 12.0;
/// The smallest face of the comparison with YuNet on images of one size, in pixels.
const FACE: f32 = 24.0;

/// One row: what was measured of an image.
struct Row {
    decode: Times,
    locate: Times,
    all: Times,
    yunet: Times,
    /// What YuNet sees.
    sees: String,
    found: usize,
}

impl Row {
    fn texts(&self, first: String) -> Vec<String> {
        let ratio = self.locate.over(&self.yunet);
        vec![
            first,
            self.decode.text(),
            self.locate.text(),
            self.all.text(),
            self.found.to_string(),
            self.sees.clone(),
            self.yunet.text(),
            format!("{ratio:.2}"),
        ]
    }
}

const COLUMNS: [&str; 7] =
    ["decode", "locate", "all", "faces found", "YuNet sees", "YuNet", "locate over YuNet"];

/// 100 to 8,000 pixels per side; then sizes at which both look for faces of one size, on one thread.
pub fn sizes(settings: &Settings, report: &mut Report) -> Result<()> {
    let sides: &[u32] =
        settings.pick(&[100, 400, 1600], &[100, 200, 300, 500, 1_000, 2_000, 3_000, 4_000, 6_000, 8_000]);
    let tagger = Tagger::new(Bundle::embedded()?)?;
    let astronaut = images::astronaut(settings)?;
    let columns = [&["pixels per side"][..], &COLUMNS].concat();
    let mut table = Table::new("Cost by image size", "", &columns);
    let (mut decoding, mut locating, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for &side in sides {
        let jpeg = images::square(&astronaut, side)?;
        let row = measured(settings, &tagger, &jpeg, THREADS)?;
        table.row(row.texts(side.to_string()));
        let pixels = f64::from(side) * f64::from(side);
        let points = [&mut decoding, &mut locating, &mut all];
        let medians = [&row.decode, &row.locate, &row.all].map(Times::median);
        points.into_iter().zip(medians).for_each(|(points, median)| points.push((pixels, median)));
    }
    let large = |points: &[(f64, f64)]| points.get(points.len() / 2..).unwrap_or_default().to_vec();
    table.note = format!(
        "Compact model, two threads, square JPEGs, the smallest face as it is by default: a fortieth of the longer side, 16 pixels at least. YuNet, in ONNX \
         Runtime, sees the image at the size at which that face has {YUNET_FACE} pixels, and never enlarged; its time is that of the net alone. Over the larger \
         half of the sizes decoding takes {:.2} ms per megapixel and grows with the power {:.2} of the number of pixels, localization with {:.2}, everything \
         with {:.2}, {:.2} ms per megapixel.",
        1e9 * slope(&large(&decoding)),
        power(&large(&decoding)),
        power(&large(&locating)),
        power(&large(&all)),
        1e9 * slope(&large(&all)),
    );
    report.table(table);
    same_face(settings, report)
}

/// Images of one size, faces from so many pixels on, one thread.
fn same_face(settings: &Settings, report: &mut Report) -> Result<()> {
    let tagger = Tagger::builder().smallest_face(SmallestFace::pixels(FACE)?).build()?;
    let astronaut = images::astronaut(settings)?;
    let mut table = Table::new(
        "Localization beside YuNet",
        "Compact model, one thread, faces from 24 pixels on; YuNet sees the image as it is.",
        &["pixels per side", "locate", "YuNet", "locate over YuNet"],
    );
    for side in [320, 640, 1024] {
        let jpeg = images::square(&astronaut, side)?;
        let photo = Photo::decode(&jpeg, &Limits::default())?;
        let pool = settings.pool(1, &Engine::Native);
        let mut yunet = Yunet::start(settings, &jpeg, side, 1)?;
        let mut rivals = vec![Rival::on(pool, || Ok(tagger.locate(&photo).map(drop)?))];
        rivals.extend(yunet.as_mut().map(|yunet| Rival::alone(|| yunet.run())));
        let mut times = in_turns(settings, &mut rivals)?.into_iter();
        drop(rivals);
        let [ours, theirs] = [times.next().unwrap_or_default(), times.next().unwrap_or_default()];
        let ratio = ours.over(&theirs);
        if side > 320 && ratio.is_finite() {
            report.at_most(
                format!("{side} px, faces of 24 px, one thread: locate over YuNet"),
                1.0,
                ratio,
                "",
            );
        }
        table.row(vec![side.to_string(), ours.text(), theirs.text(), format!("{ratio:.2}")]);
    }
    report.table(table);
    Ok(())
}

/// 1 to 500 faces in images of one size.
pub fn faces(settings: &Settings, report: &mut Report) -> Result<()> {
    let counts: &[u32] = settings.pick(&[1, 5, 50], &[1, 2, 5, 10, 20, 50, 100, 200, 500]);
    let tagger = Tagger::new(Bundle::embedded()?)?;
    let astronaut = images::astronaut(settings)?;
    let columns = [&["faces in the image"][..], &COLUMNS].concat();
    let mut table = Table::new("Cost by number of faces", "", &columns);
    let mut points = Vec::new();
    for &count in counts {
        let jpeg = images::crowd(&astronaut, CROWD, count)?;
        let row = measured(settings, &tagger, &jpeg, THREADS)?;
        table.row(row.texts(count.to_string()));
        points.push((row.found as f64, row.all.median()));
    }
    table.note = format!(
        "Compact model, two threads, heads in a grid of {CROWD} x {CROWD} pixels: the more heads, the smaller they are. Faces are looked for from a fortieth of \
         the longer side on, whatever their number, and LNet_s looks at each candidate once or twice. YuNet as above. A face that is found costs {:.2} ms.",
        1e3 * slope(&points)
    );
    report.table(table);
    let photo = images::crowd(&astronaut, 3464, 50)?;
    let Row { locate, all, found, .. } = measured(settings, &tagger, &photo, THREADS)?;
    let mut table = Table::new(
        "Twelve megapixels, fifty faces",
        "A square JPEG, all forty attributes, two threads.",
        &["faces found", "locate", "all"],
    );
    report.at_most("12 megapixels with 50 faces, two threads".to_owned(), 400.0, 1e3 * all.median(), " ms");
    table.row(vec![found.to_string(), locate.text(), all.text()]);
    report.table(table);
    Ok(())
}

/// Times of decoding, locating and all of it, and of YuNet.
fn measured(settings: &Settings, tagger: &Tagger, jpeg: &[u8], threads: usize) -> Result<Row> {
    let pool = settings.pool(threads, &Engine::Native);
    let limits = Limits::default();
    let photo = Photo::decode(jpeg, &limits)?;
    let longest = photo.width().max(photo.height()) as f32;
    let shrunk = longest * YUNET_FACE / SmallestFace::usual_height_in(&photo);
    let mut yunet = Yunet::start(settings, jpeg, shrunk.min(longest) as u32, threads)?;
    let sees =
        yunet.as_ref().map_or_else(String::new, |yunet| format!("{} x {}", yunet.sees[0], yunet.sees[1]));
    let mut rivals = vec![
        Rival::on(pool, || Ok(Photo::decode(jpeg, &limits).map(drop)?)),
        Rival::on(pool, || Ok(tagger.locate(&photo).map(drop)?)),
        Rival::on(pool, || {
            tagger.predict(jpeg)?;
            Ok(())
        }),
    ];
    rivals.extend(yunet.as_mut().map(|yunet| Rival::alone(|| yunet.run())));
    let mut times = in_turns(settings, &mut rivals)?.into_iter();
    drop(rivals);
    let mut next = || times.next().unwrap_or_default();
    let [decode, locate, all, yunet] = [next(), next(), next(), next()];
    Ok(Row { decode, locate, all, yunet, sees, found: tagger.locate(&photo)?.len() })
}
