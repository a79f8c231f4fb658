//! `lineament locate`: where the faces are, and what LNet_o saw.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use lineament::{Photo, Selection};

use super::Outcome;
use super::stream::{self, Extras, HeatMap, Images};
use crate::arguments::{ImageArguments, RunArguments, SearchArguments};
use crate::format::Header;
use crate::model;

/// How much of the image gives way to the map.
const OPACITY: f32 = 0.65;

#[derive(Debug, Args)]
pub struct LocateArguments {
    #[command(flatten)]
    pub images: ImageArguments,
    /// Write a copy of each image with its faces marked to this folder, as NAME.faces.png
    #[arg(long, value_name = "DIR")]
    pub annotate: Option<PathBuf>,
    /// Write the response map of LNet_o over each image to this folder, as NAME.map.png
    #[arg(long, value_name = "DIR")]
    pub maps: Option<PathBuf>,
    #[command(flatten)]
    pub search: SearchArguments,
    #[command(flatten)]
    pub run: RunArguments,
}

pub fn run(arguments: LocateArguments) -> Result<Outcome> {
    let images = Images::check(arguments.images, &arguments.run)?;
    let tagger = model::ready_to_find(&arguments.run)?;
    // Without attributes a prediction is the boxes alone.
    let tagger = tagger.with(&Selection { attributes: Some(Vec::new()), ..arguments.search.selection() })?;
    let header = Header::of(&tagger, false);
    let heat_map = |photo: &Photo| -> Result<Photo> { Ok(tagger.response_map(photo)?.over(photo, OPACITY)) };
    let heat_map: &HeatMap<'_> = &heat_map;
    let extras = Extras {
        annotate: arguments.annotate,
        maps: arguments.maps.map(|folder| (folder, heat_map)),
        ..Extras::none(tagger.card())
    };
    stream::write(images, &header, tagger.threads(), |photo| tagger.predict(photo), &extras)
}
