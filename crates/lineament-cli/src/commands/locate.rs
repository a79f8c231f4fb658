//! `lineament locate`: where the faces are, and what LNet_o saw.

use anyhow::Result;
use lineament::Photo;

use super::Outcome;
use super::pages::{self, Extras, HeatMap, Pictures};
use crate::arguments::LocateArguments;
use crate::model;
use crate::page::{PageFace, Told};

/// How much of the picture gives way to the map.
const OPACITY: f32 = 0.65;

pub fn run(arguments: LocateArguments) -> Result<Outcome> {
    let pictures = Pictures::check(arguments.pictures)?;
    let (tagger, pool) = model::ready_to_find(&arguments.run)?;
    let told = Told { attributes: Vec::new(), chosen: false, model: model::voice(&tagger) };
    let heat_map = |photo: &Photo| -> Result<Photo> { Ok(tagger.response_map(photo)?.over(photo, OPACITY)) };
    let heat_map: &HeatMap<'_> = &heat_map;
    let extras = Extras {
        annotate: arguments.annotate,
        maps: arguments.maps.map(|folder| (folder, heat_map)),
        xmp: None,
    };
    let faces = |photo: &Photo| -> Result<Vec<PageFace>> {
        let faces = tagger.locate(photo)?;
        let bare = |face: lineament::locate::Face| PageFace {
            rect: face.rect,
            score: face.score,
            attributes: Vec::new(),
        };
        Ok(faces.into_iter().map(bare).collect())
    };
    pages::write(pictures, &told, &pool, faces, &extras)
}
