//! `lineament predict`: faces and their attributes.

use anyhow::{Context, Result};
use lineament::{Attribute, Photo, Tagger};

use super::Outcome;
use super::pages::{self, Extras, Pictures};
use crate::arguments::PredictArguments;
use crate::model;
use crate::page::{PageFace, Told};
use crate::shards::{Settings, Shards};

pub fn run(arguments: PredictArguments) -> Result<Outcome> {
    let shards = Shards::check(&arguments.shards, &arguments.pictures.paths)?;
    let pictures = Pictures::check(arguments.pictures)?;
    let (tagger, pool) = model::ready_to_find(&arguments.run)?;
    let mut tagger = tagger.with_operating_point(arguments.operating_point.into());
    let chosen = arguments.attributes.is_some();
    let order = match &arguments.attributes {
        Some(names) => {
            let order = places(&tagger, names)?;
            tagger = tagger.with_attributes(names)?;
            order
        }
        None => tagger.told().to_vec(),
    };
    let told = Told {
        attributes: order
            .iter()
            .filter_map(|&place| tagger.card().attributes.get(place))
            .map(|attribute| attribute.name.clone())
            .collect(),
        chosen,
        model: model::voice(&tagger),
    };
    let extras = Extras { annotate: arguments.annotate, maps: None, xmp: arguments.xmp };
    let faces = |photo: &Photo| -> Result<Vec<PageFace>> {
        let faces = tagger.tag(photo)?;
        let face = |face: lineament::TaggedFace| PageFace {
            rect: face.rect,
            score: face.score,
            attributes: in_order(&face.attributes, &order, arguments.threshold),
        };
        Ok(faces.into_iter().map(face).collect())
    };
    if let Some(shards) = shards {
        let settings = Settings {
            model: tagger.hash().to_owned(),
            engine: tagger.engine().to_string(),
            attributes: told.attributes.clone(),
            threshold: arguments.threshold,
            operating_point: format!("{:?}", tagger.operating_point()).to_lowercase(),
        };
        return shards.write(&told, settings, &pool, faces);
    }
    pages::write(pictures, &told, &pool, faces, &extras)
}

/// Places of the attributes in the card, in the order typed, each once.
pub fn places(tagger: &Tagger, names: &[String]) -> Result<Vec<usize>> {
    let mut places = Vec::new();
    for name in names {
        let place = tagger.card().find(name).context("--attributes cannot be understood")?;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

fn in_order(attributes: &[Attribute], order: &[usize], threshold: Option<f32>) -> Vec<Attribute> {
    order
        .iter()
        .filter_map(|place| attributes.iter().find(|attribute| attribute.index == *place))
        .map(|attribute| {
            let value = threshold.map_or(attribute.value, |threshold| attribute.probability >= threshold);
            Attribute { value, ..*attribute }
        })
        .collect()
}
