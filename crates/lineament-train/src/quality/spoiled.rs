//! Faces as they are and as they are spoiled, what a model tells of each, and how much of that is right.

use std::path::Path;
use std::sync::atomic::Ordering;

use lineament::attributes::{FaceRegion, OperatingPoint, Quality, certainty};
use lineament::{Affine, Limits, Photo, Point, Rect, Tagger};
use rand::Rng;
use rayon::prelude::*;

use super::QualityRecipe;
use crate::batches::stream;
use crate::error::TrainError;
use crate::folder::Folder;

/// A labelled image of a face.
#[derive(Debug, Clone)]
pub struct LabelledFace<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Who is on it.
    pub person: u64,
    /// A tag for each of the model's attributes.
    pub tags: Vec<Option<bool>>,
}

/// What is known of one look at a face.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// How certain each of the labelled attributes is, and the size of the face.
    pub inputs: Vec<f32>,
    /// The share of its tags that the model tells.
    pub right: f64,
    /// Who it is.
    pub person: u64,
    /// Whether it was spoiled.
    pub spoiled: bool,
}

/// Looks at faces, as they are and spoiled.
pub struct Spoiler<'a> {
    /// The model.
    pub tagger: &'a Tagger,
    /// What is made of each face.
    pub recipe: &'a QualityRecipe,
    /// The places of the attributes whose certainty is read.
    pub certainty_of: &'a [usize],
}

impl Spoiler<'_> {
    /// All looks at these faces, in their order; images without a face have none.
    ///
    /// # Errors
    /// An image that cannot be read, or [`TrainError::Interrupted`].
    pub fn looks(
        &self,
        faces: &[LabelledFace<'_>],
        folder: &Folder<'_>,
    ) -> Result<Vec<Observation>, TrainError> {
        let of = |(index, face): (usize, &LabelledFace<'_>)| {
            if folder.stop.load(Ordering::Relaxed) {
                return Err(TrainError::Interrupted { stage: QualityRecipe::NAME.to_owned() });
            }
            self.looks_at(index as u64, face)
        };
        let looks = faces.par_iter().enumerate().map(of).collect::<Result<Vec<_>, _>>()?;
        Ok(looks.into_iter().flatten().collect())
    }

    fn looks_at(&self, index: u64, labelled: &LabelledFace<'_>) -> Result<Vec<Observation>, TrainError> {
        let named = |e: lineament::Error| TrainError::Net(format!("{}: {e}", labelled.path.display()));
        let photo = Photo::open(labelled.path, &Limits::default())
            .map_err(|source| TrainError::Photo { path: labelled.path.to_path_buf(), source })?;
        let Some(face) = self.tagger.locate(&photo).map_err(named)?.into_iter().next() else {
            return Ok(Vec::new());
        };
        let card = self.tagger.card();
        let upright = card.upright_box(face.rect, face.roll);
        let region = self.tagger.region_of(&face).map_err(named)?;
        let mut looks = Vec::new();
        let scores = self.tagger.scores(&photo, region).map_err(named)?;
        looks.push(self.look(labelled, &scores, upright.height, false));
        let (square, roll) = match region {
            FaceRegion::Region(square) => (square, 0.0),
            FaceRegion::Turned { region, roll } => (region, roll),
            FaceRegion::Landmarks(_) => return Ok(looks),
        };
        let frame = Affine::of_frame(square.centre(), square.width, roll.to_radians());
        let heights = square.width / upright.height;
        let [least, most] = self.recipe.quality.face_height;
        for copy in 0..self.recipe.quality.copies as u64 {
            let mut random = stream(self.recipe.seed, index, copy);
            let height = least * (most / least).powf(random.random_range(0.0..1.0));
            let change = self.recipe.augment.draw(&mut random);
            let pixels = ((height * heights).round() as u32).max(1);
            let square = Rect::about(Point::default(), 1.0, 1.0);
            let drawn = change.apply_in(&photo, &frame, square, pixels, None);
            let scores = self.tagger.scores(&drawn, FaceRegion::Region(drawn.rect())).map_err(named)?;
            looks.push(self.look(labelled, &scores, height / change.scale, true));
        }
        Ok(looks)
    }

    fn look(&self, labelled: &LabelledFace<'_>, scores: &[f32], height: f32, spoiled: bool) -> Observation {
        let attributes = &self.tagger.card().attributes;
        let certain = |place: &usize| {
            let (attribute, score) = attributes.get(*place).zip(scores.get(*place))?;
            Some(certainty(attribute.platt.probability(*score)))
        };
        let certainties = self.certainty_of.iter().filter_map(certain);
        let answers = attributes.iter().zip(scores).zip(&labelled.tags).filter_map(|((card, score), tag)| {
            Some(card.read(*score, OperatingPoint::Accuracy).present == (*tag)?)
        });
        let (right, known) =
            answers.fold((0, 0), |(right, known), one| (right + usize::from(one), known + 1));
        Observation {
            inputs: certainties.chain([Quality::size(height)]).collect(),
            right: right as f64 / known.max(1) as f64,
            person: labelled.person,
            spoiled,
        }
    }
}
