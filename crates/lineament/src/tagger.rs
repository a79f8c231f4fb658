//! The face of the library: a photo in, faces with attributes out.

use crate::attributes::{
    Attribute, AttributeModel, DescribeError, DescriberError, OperatingPoint, Place, RegionError,
    UnknownAttribute,
};
use crate::bundle::{Bundle, Card};
use crate::engine::Engine;
use crate::geometry::{Point, Rect};
use crate::locate::{Face, Localizer, LocateError, ResponseMap};
use crate::photo::Photo;
use rayon::prelude::*;
use serde::Serialize;

/// One face of a photo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaggedFace {
    /// Where it is, in pixels of the photo.
    pub rect: Rect,
    /// How sure the localiser is of it.
    pub score: f32,
    /// Its attributes, in the order of the card.
    pub attributes: Vec<Attribute>,
}

/// Why a photo cannot be tagged, or a tagger not be made.
#[derive(Debug, thiserror::Error)]
pub enum TaggerError {
    /// Locating.
    #[error("the faces cannot be located: {0}")]
    Locate(#[from] LocateError),
    /// Building the describer.
    #[error("the bundle does not fit together: {0}")]
    Describer(#[from] DescriberError),
    /// A face box or landmarks that give no region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// Describing.
    #[error("the face cannot be described: {0}")]
    Describe(#[from] DescribeError),
}

/// Locates faces and tells their attributes, with the nets of one bundle. It can be shared between threads, and gives
/// the same answers on any number of them.
///
/// Work is spread over the rayon pool it is called from: `pool.install(|| tagger.tag_many(&photos))` sets the number of
/// threads.
///
/// ```no_run
/// use lineament::{Bundle, Limits, Photo, Tagger};
/// use std::path::Path;
///
/// let tagger = Tagger::new(Bundle::open(Path::new("faces.lineament"))?)?;
/// let photo = Photo::open(Path::new("party.jpg"), &Limits::default())?;
/// for face in tagger.tag(&photo)? {
///     for attribute in face.attributes.iter().filter(|attribute| attribute.value) {
///         println!("{}: {:.2}", tagger.card().attributes[attribute.index].name, attribute.probability);
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tagger {
    card: Card,
    hash: String,
    localizer: Box<dyn Localizer>,
    model: AttributeModel,
    engine: Engine,
    point: OperatingPoint,
    /// Indices of the attributes that are told, ascending.
    told: Vec<usize>,
}

impl Tagger {
    /// A tagger of all the bundle's attributes, at the operating point for accuracy.
    ///
    /// # Errors
    /// Nets that do not fit together.
    pub fn new(bundle: Bundle) -> Result<Self, TaggerError> {
        Self::with_engine(bundle, Engine::Native)
    }

    /// The same with nets that run on the given engine.
    ///
    /// # Errors
    /// Nets that do not fit together, or that the engine refuses.
    pub fn with_engine(bundle: Bundle, engine: Engine) -> Result<Self, TaggerError> {
        let hash = bundle.hash();
        let (card, parts) = bundle.into_parts();
        let net = |name: &str| parts.net(name);
        let localizer = card.localizer.localizer(&engine, net, parts.detector.as_deref(), card.preprocess)?;
        let model = AttributeModel::new(card.describer.ready(&engine, net, card.preprocess)?, parts.svms)?;
        let told = (0..card.attributes.len()).collect();
        Ok(Self { card, hash, localizer, model, engine, point: OperatingPoint::default(), told })
    }

    /// The same at another operating point.
    pub fn with_operating_point(self, point: OperatingPoint) -> Self {
        Self { point, ..self }
    }

    /// The same with only these attributes told, in the order of the card.
    ///
    /// # Errors
    /// The first name that the model does not know.
    pub fn with_attributes<S: AsRef<str>>(self, names: &[S]) -> Result<Self, UnknownAttribute> {
        let mut told =
            names.iter().map(|name| self.card.find(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        told.sort_unstable();
        told.dedup();
        Ok(Self { told, ..self })
    }

    /// The card of the model.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// What its nets run on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// SHA-256 of the bundle's file.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The operating point.
    pub fn operating_point(&self) -> OperatingPoint {
        self.point
    }

    /// Places, in the card, of the attributes that are told.
    pub fn told(&self) -> &[usize] {
        &self.told
    }

    /// The faces of a photo, best first, and their attributes.
    ///
    /// # Errors
    /// A net that refuses its input, which no readable photo brings about.
    pub fn tag(&self, photo: &Photo) -> Result<Vec<TaggedFace>, TaggerError> {
        self.locate(photo)?
            .into_iter()
            .map(|face| {
                let attributes = self.attributes_in(photo, self.place_of(&face)?)?;
                Ok(TaggedFace { rect: face.rect, score: face.score, attributes })
            })
            .collect()
    }

    /// [`Tagger::tag`] for each of several photos, side by side, in their order.
    pub fn tag_many(&self, photos: &[Photo]) -> Vec<Result<Vec<TaggedFace>, TaggerError>> {
        photos.par_iter().map(|photo| self.tag(photo)).collect()
    }

    /// The faces of a photo, best first.
    ///
    /// # Errors
    /// A net that refuses its input, which no readable photo brings about.
    pub fn locate(&self, photo: &Photo) -> Result<Vec<Face>, TaggerError> {
        Ok(self.localizer.locate(photo)?)
    }

    /// How LNet_o responds to a photo, in its pixels.
    ///
    /// # Errors
    /// A net that refuses its input, which no readable photo brings about.
    pub fn response_map(&self, photo: &Photo) -> Result<ResponseMap, TaggerError> {
        let maps = self.localizer.response_maps().ok_or(crate::locate::LocateError::NoResponses)?;
        Ok(maps.response_map(photo)?)
    }

    /// The attributes of a face at a place, as [`Tagger::place_of`] and [`Tagger::place_of_landmarks`] tell it; a square region for models
    /// with ANet.
    ///
    /// # Errors
    /// A region without an inside, or a place of another kind than the model needs.
    pub fn attributes_in(
        &self,
        photo: &Photo,
        place: impl Into<Place>,
    ) -> Result<Vec<Attribute>, TaggerError> {
        let scores = self.scores_in(photo, place)?;
        let all = self.card.attributes.iter().zip(scores).enumerate();
        let told = all.filter(|(index, _)| self.told.binary_search(index).is_ok());
        Ok(told.map(|(index, (card, score))| card.read(index, score, self.point)).collect())
    }

    /// The raw score of every attribute of the card, told or not, at the same place: what thresholds and probabilities are
    /// made from.
    ///
    /// # Errors
    /// As [`Tagger::attributes_in`].
    pub fn scores_in(&self, photo: &Photo, place: impl Into<Place>) -> Result<Vec<f32>, TaggerError> {
        Ok(self.model.scores(photo, &place.into())?)
    }

    /// The describer's vector at the same place, ANet's FC vector as the mean over its patches: what the scores are made from, and what an
    /// attribute of one's own is taught on (`teach`).
    ///
    /// # Errors
    /// As [`Tagger::attributes_in`].
    pub fn vector_in(&self, photo: &Photo, place: impl Into<Place>) -> Result<Vec<f32>, TaggerError> {
        Ok(self.model.vector(photo, &place.into())?)
    }

    /// Where the model looks for a located face.
    ///
    /// # Errors
    /// A box without an inside, or no landmarks where the model needs them.
    pub fn place_of(&self, face: &Face) -> Result<Place, TaggerError> {
        Ok(self.card.place_of(face)?)
    }

    /// The square region of a face box, for models that look at one.
    ///
    /// # Errors
    /// A box without an inside, or a model that needs landmarks.
    pub fn region_of_box(&self, face: Rect) -> Result<Rect, TaggerError> {
        Ok(self.card.region_of_box(face)?)
    }

    /// Where the model looks for five landmarks: eyes, nose, corners of the mouth, left before right.
    ///
    /// # Errors
    /// Landmarks that fall together.
    pub fn place_of_landmarks(&self, landmarks: &[Point; 5]) -> Result<Place, TaggerError> {
        Ok(self.card.place_of_landmarks(landmarks)?)
    }
}

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Tagger({} {}, {:?}, {} attributes)",
            self.card.name,
            self.card.version,
            self.point,
            self.told.len()
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{blocks, tiny_bundle, tiny_card};

    fn tagger() -> Tagger {
        Tagger::new(tiny_bundle(1).unwrap()).unwrap()
    }

    #[test]
    fn a_tagger_goes_between_threads() {
        fn goes<T: Send + Sync>() {}
        goes::<Tagger>();
        goes::<TaggerError>();
    }

    #[test]
    fn every_number_of_threads_gives_the_same_answers() {
        let photos: Vec<Photo> = (0..9).map(|seed| blocks(200 + 17 * seed as u32, 160, seed)).collect();
        let answers = |threads: usize| -> Vec<Vec<TaggedFace>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let tagger = tagger();
            pool.install(|| tagger.tag_many(&photos)).into_iter().map(Result::unwrap).collect()
        };
        let alone = answers(1);
        assert!(alone.iter().any(|faces| !faces.is_empty()), "the tiny model finds something to describe");
        assert!(alone.iter().flatten().all(|face| face.attributes.len() == 40));
        assert_eq!(alone, answers(2));
        assert_eq!(alone, answers(7));
    }

    #[test]
    fn a_face_is_described_in_the_region_of_its_box() {
        let (tagger, photo) = (tagger(), blocks(240, 200, 3));
        for face in tagger.tag(&photo).unwrap() {
            let region = tagger.region_of_box(face.rect).unwrap();
            assert_eq!(tagger.attributes_in(&photo, region).unwrap(), face.attributes);
        }
    }

    #[test]
    fn only_the_attributes_asked_for_are_told() {
        let (photo, region) = (blocks(80, 80, 2), Rect::new(10.0, 10.0, 60.0, 60.0));
        let all = tagger().attributes_in(&photo, region).unwrap();
        let two = tagger().with_attributes(&["Smiling", "Male", "Smiling"]).unwrap();
        assert_eq!(two.told(), [20, 31]);
        assert_eq!(two.attributes_in(&photo, region).unwrap(), [all[20], all[31]]);
        assert_eq!(two.scores_in(&photo, region).unwrap().len(), 40);
        let unknown = tagger().with_attributes(&["Smilng"]).unwrap_err();
        assert_eq!(unknown.suggestion.as_deref(), Some("Smiling"));
    }

    #[test]
    fn the_operating_point_sets_the_values() {
        let (photo, region) = (blocks(80, 80, 2), Rect::new(10.0, 10.0, 60.0, 60.0));
        let card = tiny_card();
        for point in [OperatingPoint::Accuracy, OperatingPoint::Balanced] {
            let tagger = tagger().with_operating_point(point);
            let scores = tagger.scores_in(&photo, region).unwrap();
            for attribute in tagger.attributes_in(&photo, region).unwrap() {
                let (score, card) = (scores[attribute.index], &card.attributes[attribute.index]);
                assert_eq!(attribute.value, score > card.thresholds.at(point));
                assert_eq!(attribute.probability, card.platt.probability(score));
            }
        }
    }

    #[test]
    fn a_model_of_whole_pictures_finds_and_sees_all_of_them() {
        let mut card = tiny_card();
        card.lnets_mut().unwrap().method = crate::locate::LnetMethod::Whole;
        let parts = crate::testing::random_parts(&card, 1).unwrap();
        let bundle = Bundle::new(&card, &parts, lineament_net::Precision::F32).unwrap();
        let tagger = Tagger::new(Bundle::read(bundle.bytes()).unwrap()).unwrap();
        for photo in [blocks(90, 60, 2), blocks(50, 200, 2), Photo::filled(64, 64, [9; 3])] {
            let faces = tagger.tag(&photo).unwrap();
            assert_eq!(faces.len(), 1);
            assert_eq!((faces[0].rect, faces[0].attributes.len()), (photo.rect(), 40));
            let (region, side) =
                (tagger.region_of_box(photo.rect()).unwrap(), photo.width().max(photo.height()));
            assert_eq!((region.width, region.height), (side as f32, side as f32));
            assert_eq!(region.centre(), photo.rect().centre());
            let map = tagger.response_map(&photo).unwrap();
            assert!(map.range().1.is_finite());
        }
    }

    #[test]
    fn regions_without_an_inside_are_refused() {
        let (tagger, photo) = (tagger(), blocks(40, 40, 1));
        for region in [
            Rect::new(0.0, 0.0, 0.0, 5.0),
            Rect::new(0.0, 0.0, 5.0, -5.0),
            Rect::new(f32::NAN, 0.0, 5.0, 5.0),
            Rect::new(0.0, 0.0, f32::INFINITY, 5.0),
        ] {
            assert!(
                matches!(tagger.attributes_in(&photo, region), Err(TaggerError::Describe(_))),
                "{region:?}"
            );
        }
        // Far outside the photo its edge is all there is to see.
        assert!(tagger.attributes_in(&photo, Rect::new(-900.0, 5000.0, 50.0, 50.0)).is_ok());
        assert!(tagger.region_of_box(Rect::new(3.0, 3.0, 0.0, 0.0)).is_err());
    }
}
