//! Time against the size of an image, and against the faces in it.

use anyhow::Result;
use lineament::{Bundle, Engine, Limits, Photo, Tagger};

use crate::images;
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::{Rival, in_turns, power, slope};

const THREADS: usize = 2;
/// Side of an image of many faces.
const CROWD: u32 = 800;

/// 100 to 8,000 pixels per side.
pub fn sizes(settings: &Settings, report: &mut Report) -> Result<()> {
    let sides: &[u32] =
        settings.pick(&[100, 400, 1600], &[100, 200, 300, 500, 1_000, 2_000, 3_000, 4_000, 6_000, 8_000]);
    let tagger = Tagger::new(Bundle::embedded()?)?;
    let astronaut = images::astronaut(settings)?;
    let mut table =
        Table::new("Cost by image size", "", &["pixels per side", "decode", "locate", "all", "faces"]);
    let (mut decoding, mut locating, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for &side in sides {
        let jpeg = images::square(&astronaut, side)?;
        let (medians, mut row, faces) = measured(settings, &tagger, &jpeg)?;
        row.insert(0, side.to_string());
        row.push(faces.to_string());
        table.row(row);
        let pixels = f64::from(side) * f64::from(side);
        let points = [&mut decoding, &mut locating, &mut all];
        points.into_iter().zip(medians).for_each(|(points, median)| points.push((pixels, median)));
    }
    let large = |points: &[(f64, f64)]| points.get(points.len() / 2..).unwrap_or_default().to_vec();
    table.note = format!(
        "Compact model, two threads, square JPEGs. Over the larger half of the sizes decoding takes {:.2} ms per megapixel and grows with the power \
         {:.2} of the number of pixels, localization with {:.2} (it sees the image at a fixed size at most), everything with {:.2}, {:.2} ms per megapixel.",
        1e9 * slope(&large(&decoding)),
        power(&large(&decoding)),
        power(&large(&locating)),
        power(&large(&all)),
        1e9 * slope(&large(&all)),
    );
    report.table(table);
    Ok(())
}

/// 1 to 50 faces in images of one size.
pub fn faces(settings: &Settings, report: &mut Report) -> Result<()> {
    let counts: &[u32] = settings.pick(&[1, 5, 50], &[1, 2, 3, 5, 10, 20, 30, 40, 50]);
    let tagger = Tagger::new(Bundle::embedded()?)?;
    let astronaut = images::astronaut(settings)?;
    let mut table = Table::new(
        "Cost by number of faces",
        "",
        &["faces in the image", "decode", "locate", "all", "faces found"],
    );
    let mut points = Vec::new();
    for &count in counts {
        let jpeg = images::crowd(&astronaut, CROWD, count)?;
        let ([_, _, all], mut row, found) = measured(settings, &tagger, &jpeg)?;
        row.insert(0, count.to_string());
        row.push(found.to_string());
        table.row(row);
        points.push((found as f64, all));
    }
    table.note = format!(
        "Compact model, two threads, heads in a grid of {CROWD} x {CROWD} pixels: the more heads, the smaller they are. Faces are looked for from a fortieth of the longer side on, whatever their number, and LNet_s looks at each candidate once or twice. A face that is found costs {:.2} ms.",
        1e3 * slope(&points)
    );
    report.table(table);
    Ok(())
}

/// Medians of decoding, locating and all of it, their texts, and the faces found.
fn measured(settings: &Settings, tagger: &Tagger, jpeg: &[u8]) -> Result<([f64; 3], Vec<String>, usize)> {
    let pool = settings.pool(THREADS, &Engine::Native);
    let limits = Limits::default();
    let photo = Photo::decode(jpeg, &limits)?;
    let mut rivals = vec![
        Rival::on(pool, || Ok(Photo::decode(jpeg, &limits).map(drop)?)),
        Rival::on(pool, || Ok(tagger.locate(&photo).map(drop)?)),
        Rival::on(pool, || {
            tagger.predict(jpeg)?;
            Ok(())
        }),
    ];
    let times = in_turns(settings, &mut rivals)?;
    let median = |index: usize| times.get(index).map_or(f64::NAN, |times| times.median());
    let texts = times.iter().map(|times| times.text()).collect();
    Ok(([median(0), median(1), median(2)], texts, tagger.locate(&photo)?.len()))
}
