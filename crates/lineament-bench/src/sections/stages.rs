//! The whole way of `predict`, from JPEG bytes to attributes, stage by stage.

use anyhow::{Context, Result};
use lineament::attributes::FaceRegion;
use lineament::{Bundle, Engine, Limits, Photo, Tagger, Threads};

use crate::images;
use crate::nets::Recipe;
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::{Rival, Times, in_turns};

/// Side of the image.
const SIDE: u32 = 300;

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    let jpeg = images::square(&images::astronaut(settings)?, SIDE)?;
    let paper = Recipe::named(settings, "paper")?;
    let all = paper.candidates()?;
    let models = [
        ("compact", Bundle::embedded()?),
        ("paper, one window for LNet_s", paper.paper_model(1)?),
        ("paper, as in the recipe", paper.paper_model(all)?),
    ];
    let mut table = Table::new(
        "From JPEG bytes to attributes",
        format!(
            "A {SIDE} x {SIDE} JPEG of one face, model loaded. The paper's nets have random weights, which find several windows where trained ones find one face: with the {all} windows of the recipe this is the most that localization costs, with one window it is what one face costs. Cutting the patches is part of the attributes and is also shown separately."
        ),
        &[
            "model",
            "engine",
            "threads",
            "decode",
            "locate",
            "of attributes: patches",
            "attributes, one face",
            "all",
            "faces",
        ],
    );
    for (name, bundle) in &models {
        for threads in [1, 2] {
            let engines = [Some(Engine::Native), Some(Engine::Int8), settings.rival(threads)?];
            for engine in engines.into_iter().flatten() {
                let ours = match engine {
                    Engine::Native => Some(""),
                    Engine::Int8 => Some(", int8"),
                    _ => None,
                };
                let pool = settings.pool(threads, &engine);
                let spoken = engine.to_string();
                let tagger = Tagger::builder().bundle(bundle.clone()).engine(engine).build()?;
                let [decode, locate, draw, describe, whole] = stages(settings, &tagger, &jpeg, pool)?;
                let faces = tagger.locate(&Photo::decode(&jpeg, &Limits::default())?)?.len();
                table.row(vec![
                    (*name).to_owned(),
                    spoken,
                    threads.to_string(),
                    decode.text(),
                    locate.text(),
                    draw.text(),
                    describe.text(),
                    whole.text(),
                    faces.to_string(),
                ]);
                let Some(how) = ours else { continue };
                let ms = |times: &Times| 1e3 * times.median();
                if *name == "compact" && threads == 1 {
                    let what = format!(
                        "300 x 300 JPEG decoded, face found, forty attributes: compact model, one thread{how}"
                    );
                    report.at_most(what, 10.0, ms(&whole), " ms");
                }
                if name.starts_with("paper") && threads == 2 {
                    report.at_most(
                        format!("localization, two threads: {name}{how}"),
                        35.0,
                        ms(&locate),
                        " ms",
                    );
                    report.at_most(
                        format!("features and attributes, two threads: {name}{how}"),
                        14.0,
                        ms(&describe),
                        " ms",
                    );
                }
            }
        }
    }
    report.table(table);
    Ok(())
}

/// Decoding, localization, patches, attributes of one face, and all of it.
fn stages(settings: &Settings, tagger: &Tagger, jpeg: &[u8], pool: &Threads) -> Result<[Times; 5]> {
    let limits = Limits::default();
    let photo = Photo::decode(jpeg, &limits)?;
    let card = tagger.card();
    let patches = &card.anet().context("the model has an ANet")?.patches;
    // With random weights there may be no face: then the middle of the image is as good.
    let face = tagger.locate(&photo)?.first().map_or(photo.rect().scaled(0.3), |face| face.rect);
    let region = tagger.card().region_of_box(face)?;
    let mut rivals = vec![
        Rival::on(pool, || Ok(Photo::decode(jpeg, &limits).map(drop)?)),
        Rival::on(pool, || Ok(tagger.locate(&photo).map(drop)?)),
        Rival::on(pool, || {
            let drawn = patches.draw(&photo, region);
            Ok(patches.batch(&drawn, &card.preprocess).map(drop)?)
        }),
        Rival::on(pool, || Ok(tagger.describe(&photo, FaceRegion::from(region)).map(drop)?)),
        Rival::on(pool, || {
            tagger.predict(jpeg)?;
            Ok(())
        }),
    ];
    let times = in_turns(settings, &mut rivals)?;
    times.try_into().ok().context("five stages")
}
