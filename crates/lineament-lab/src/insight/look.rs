//! A second pass over the images in which a face was read: what ANet's layers and HOG say of each.

use lineament::attributes::FaceRegion;
use lineament::crop::crop;
use lineament::{Bundle, Limits, Photo, Rect, Tagger};
use rayon::prelude::*;
use std::path::PathBuf;

use super::features::Features;
use super::hog::Hog;
use super::stages::Stage;
use super::{InsightError, InsightError::Image};
use crate::observe::Observations;

/// Side of the drawn region that HOG describes, in pixels.
const HOG_SIDE: u32 = 64;

/// A face that was read.
#[derive(Debug, Clone)]
pub struct Face {
    /// The file.
    pub path: PathBuf,
    /// The square that was read, in pixels of the file.
    pub region: Rect,
    /// The person, or a number of its own where the data does not say.
    pub person: u64,
    /// Labels, in the model's order.
    pub tags: Vec<Option<bool>>,
}

/// The faces of one part of a data set, and what is said of each, row by row.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The faces.
    pub faces: Vec<Face>,
    /// ANet's FC vectors.
    pub fc: Features,
    /// Names and averaged maps of ANet's last stages, the earlier first.
    pub stages: Vec<(String, Features)>,
    /// HOG of the same squares.
    pub hog: Features,
}

impl Seen {
    /// Looks again at every face of a pass, calling `done` after each.
    ///
    /// # Errors
    /// An image that could be read in the pass and no longer can, a bundle whose ANet cannot be cut, or no face at all.
    pub fn of(
        bundle: &Bundle,
        tagger: &Tagger,
        pass: &Observations<'_>,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self, InsightError> {
        let stages = Stage::last_two(bundle)?;
        let faces = faces(pass);
        if faces.is_empty() {
            return Err(InsightError::NoFaces { split: pass.split });
        }
        let look = |face: &Face| -> Result<_, InsightError> {
            let wrong = |reason: String| Image { path: face.path.clone(), reason };
            let photo =
                Photo::open(&face.path, &Limits::default()).map_err(|error| wrong(error.to_string()))?;
            let fc = tagger
                .embed(&photo, FaceRegion::from(face.region))
                .map_err(|error| wrong(error.to_string()))?;
            let maps = stages.iter().map(|stage| stage.pooled(&photo, face.region));
            let maps: Result<Vec<_>, _> = maps.collect();
            let mut hog = Vec::new();
            Hog::default().describe(&crop(&photo, face.region, HOG_SIDE, HOG_SIDE), &mut hog);
            done();
            Ok((fc, maps.map_err(|error| wrong(error.to_string()))?, hog))
        };
        let rows: Result<Vec<_>, _> = faces.par_iter().map(look).collect();
        let rows = rows?;
        let map = |place: usize| rows.iter().filter_map(move |(_, maps, _)| maps.get(place));
        let named = stages.iter().enumerate();
        Ok(Self {
            fc: Features::of_rows(rows.iter().map(|(fc, _, _)| fc)),
            stages: named.map(|(at, stage)| (stage.name.clone(), Features::of_rows(map(at)))).collect(),
            hog: Features::of_rows(rows.iter().map(|(_, _, hog)| hog)),
            faces,
        })
    }

    /// How many people there are.
    pub fn people(&self) -> usize {
        let people: std::collections::BTreeSet<u64> = self.faces.iter().map(|face| face.person).collect();
        people.len()
    }
}

fn faces(pass: &Observations<'_>) -> Vec<Face> {
    let pairs = pass.samples.iter().zip(&pass.seen).enumerate();
    pairs
        .filter_map(|(index, (sample, seen))| {
            Some(Face {
                path: sample.path.clone(),
                region: seen.place?.region()?,
                person: crate::audit::person(sample, index),
                tags: sample.tags.clone(),
            })
        })
        .collect()
}
