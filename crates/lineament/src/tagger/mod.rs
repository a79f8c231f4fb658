//! The face of the library: an image in, faces with attributes out.

mod builder;
mod face_options;
mod nets;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::attributes::{AttributeCard, FaceRegion, OperatingPoint};
use crate::bundle::{Bundle, Card};
use crate::crop::FaceCrop;
use crate::engine::Engine;
use crate::error::Result;
use crate::explain::{ExplainOptions, Explanation};
use crate::geometry::Point;
use crate::locate::{Face, Faces, LocateError, Pose, ResponseMap, Search};
use crate::photo::{Limits, Photo};
use crate::prediction::{Attributes, FaceRecord, Landmarks, Prediction};
use crate::selection::{Reader, Selection};
use crate::source::Source;
use crate::threads::Threads;
pub use builder::TaggerBuilder;
use face_options::FaceOptions;
use nets::Nets;

/// Locates faces and reads their attributes, with the nets of one bundle. It can be shared between threads, and gives the
/// same answers on any number of them.
///
/// ```no_run
/// use lineament::Tagger;
///
/// let tagger = Tagger::embedded()?;
/// for face in tagger.predict("party.jpg")?.faces {
///     println!("smiling: {:.2}", face["Smiling"].probability);
///     for attribute in face.present() {
///         println!("{}: {:.2}", attribute.name, attribute.probability);
///     }
/// }
/// # Ok::<(), lineament::Error>(())
/// ```
///
/// A clone shares nets and threads; so does [`Tagger::with`], which asks about other attributes or at other thresholds.
/// [`Tagger::builder`] sets engine, threads and limits. Without [`TaggerBuilder::threads`], work is spread over the rayon
/// pool that each call comes from.
#[derive(Clone)]
pub struct Tagger {
    nets: Arc<Nets>,
    reader: Reader,
    search: Search,
    face_options: FaceOptions,
    limits: Limits,
    threads: Threads,
}

impl Tagger {
    /// A tagger with the default model, which is compiled in (feature `default-model`).
    ///
    /// ```no_run
    /// let faces = lineament::Tagger::embedded()?.predict("party.jpg")?.faces;
    /// # Ok::<(), lineament::Error>(())
    /// ```
    ///
    /// # Errors
    /// A build without the default model.
    pub fn embedded() -> Result<Self> {
        Self::builder().build()
    }

    /// A tagger with the bundle at `path`.
    ///
    /// ```no_run
    /// let tagger = lineament::Tagger::from_file("faces.lineament")?;
    /// # Ok::<(), lineament::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, is no bundle, or holds nets that do not fit together.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().model_file(path.as_ref()).build()
    }

    /// A tagger with a bundle that is in memory.
    ///
    /// # Errors
    /// Nets that do not fit together.
    pub fn new(bundle: Bundle) -> Result<Self> {
        Self::builder().bundle(bundle).build()
    }

    /// A tagger with other settings than the usual: all attributes, at the operating point for accuracy, on the native
    /// engine, on the threads of the caller.
    ///
    /// ```no_run
    /// use lineament::{Engine, Tagger};
    ///
    /// let tagger = Tagger::builder()
    ///     .model_file("faces.lineament")
    ///     .engine(Engine::Int8)
    ///     .threads(2)
    ///     .attributes(["Smiling", "Eyeglasses"])
    ///     .threshold(0.8)
    ///     .build()?;
    /// # Ok::<(), lineament::Error>(())
    /// ```
    pub fn builder() -> TaggerBuilder {
        TaggerBuilder::default()
    }

    /// The same tagger with another selection: it shares nets and threads, and is made at once.
    ///
    /// # Errors
    /// The first name that the model does not know, a number that is no probability, or landmarks or quality of a model that tells none.
    pub fn with(&self, selection: &Selection) -> Result<Self> {
        let reader = self.reader.with(selection, &self.nets.card)?;
        let search = selection.search(self.search);
        let face_options = self.face_options.with(selection, &self.nets)?;
        Ok(Self { reader, search, face_options, ..self.clone() })
    }

    /// The same tagger on other threads: it shares the nets.
    pub fn with_threads(&self, threads: Threads) -> Self {
        Self { threads, ..self.clone() }
    }

    /// The faces of an image, best first, with the selected attributes.
    ///
    /// ```no_run
    /// # let tagger = lineament::Tagger::embedded()?;
    /// # let bytes: Vec<u8> = Vec::new();
    /// # let rgb = image::RgbImage::new(1, 1);
    /// # let (width, height, pixels) = (1, 1, [0; 3]);
    /// let prediction = tagger.predict("party.jpg")?; // a path
    /// let prediction = tagger.predict(&bytes)?; // the bytes of a file
    /// let prediction = tagger.predict(&rgb)?; // an image of the crate `image`
    /// let prediction = tagger.predict((width, height, &pixels[..]))?; // red, green, blue
    /// # Ok::<(), lineament::Error>(())
    /// ```
    ///
    /// # Errors
    /// An image that cannot be read. Nets refuse no image that can be.
    pub fn predict<'a>(&self, image: impl Into<Source<'a>>) -> Result<Prediction> {
        let image = image.into();
        let path = image.path().map(Path::to_owned);
        self.threads.install(|| {
            let photo = image.read(&self.limits)?;
            let found = self.nets.localizer.locate(&photo, &self.search)?;
            let faces = found.iter().map(|face| self.record(photo.as_ref(), face)).collect::<Result<_>>()?;
            let (width, height) = (photo.width(), photo.height());
            let prediction =
                Prediction::new([width, height], faces, found.left_out, self.face_options.least_quality);
            Ok(Prediction { path, ..prediction })
        })
    }

    /// [`Tagger::predict`] for each of several images, side by side, in their order; one that cannot be read leaves the
    /// others.
    ///
    /// ```no_run
    /// # let tagger = lineament::Tagger::embedded()?;
    /// for prediction in tagger.predict_batch(["a.jpg", "b.jpg"]) {
    ///     match prediction {
    ///         Ok(prediction) => println!("{} faces", prediction.faces.len()),
    ///         Err(error) => eprintln!("{error}"),
    ///     }
    /// }
    /// # Ok::<(), lineament::Error>(())
    /// ```
    pub fn predict_batch<'a, I>(&self, images: I) -> Vec<Result<Prediction>>
    where
        I: IntoIterator,
        I::Item: Into<Source<'a>>,
    {
        let images: Vec<Source<'a>> = images.into_iter().map(Into::into).collect();
        self.threads
            .install(|| images.into_par_iter().with_max_len(1).map(|image| self.predict(image)).collect())
    }

    /// The faces of an image, best first, without their attributes.
    ///
    /// ```no_run
    /// # let tagger = lineament::Tagger::embedded()?;
    /// for face in tagger.locate("party.jpg")? {
    ///     println!("{:?}", face.rect);
    /// }
    /// # Ok::<(), lineament::Error>(())
    /// ```
    ///
    /// # Errors
    /// An image that cannot be read, or a model that finds no faces itself.
    pub fn locate<'a>(&self, image: impl Into<Source<'a>>) -> Result<Faces> {
        self.read(image, |photo| Ok(self.nets.localizer.locate(photo, &self.search)?))
    }

    /// How LNet_o responds to an image, in its pixels.
    ///
    /// # Errors
    /// An image that cannot be read, or a model without response maps.
    pub fn response_map<'a>(&self, image: impl Into<Source<'a>>) -> Result<ResponseMap> {
        self.read(image, |photo| {
            let maps = self.nets.localizer.response_maps().ok_or(LocateError::NoResponses)?;
            Ok(maps.response_map(photo)?)
        })
    }

    /// The selected attributes of a face whose place is known: a [`Face`] that [`Tagger::locate`] found, or a region.
    ///
    /// # Errors
    /// An image that cannot be read, a region without an inside, or one of another kind than the model needs.
    pub fn describe<'a>(
        &self,
        image: impl Into<Source<'a>>,
        face: impl Into<FaceArea>,
    ) -> Result<Attributes> {
        Ok(self.reader.read(&self.nets.card, &self.scores(image, face)?))
    }

    /// The raw score of every attribute of the card, selected or not: what thresholds and probabilities are made from.
    ///
    /// # Errors
    /// As [`Tagger::describe`].
    pub fn scores<'a>(&self, image: impl Into<Source<'a>>, face: impl Into<FaceArea>) -> Result<Vec<f32>> {
        let region = self.nets.region(face.into())?;
        self.read(image, |photo| Ok(self.nets.model.scores(photo, &region)?))
    }

    /// A face that [`Tagger::locate`] found, with what is selected of it: as [`Tagger::predict`] answers.
    ///
    /// # Errors
    /// As [`Tagger::describe`] and [`Tagger::landmarks`].
    pub fn record<'a>(&self, image: impl Into<Source<'a>>, face: &Face) -> Result<FaceRecord> {
        let mut record = FaceRecord::from(face);
        self.read(image, |photo| {
            if self.reader.indices().len() > 0 || self.face_options.embeddings || self.face_options.quality {
                // Once for all: attributes and quality are read from the embedding.
                let embedding = self.embed(photo, face)?;
                let scores = self.nets.model.scores_of(&embedding)?;
                record.attributes = self.reader.read(&self.nets.card, &scores);
                if self.face_options.quality {
                    record.quality = Some(self.nets.quality(face, &scores)?);
                }
                record.embedding = self.face_options.embeddings.then_some(embedding);
            }
            if self.face_options.landmarks {
                let landmarks = self.nets.landmarks(photo, face)?;
                record.pose = Pose::of(&landmarks);
                record.landmarks = Some(Landmarks(landmarks));
            }
            Ok(record)
        })
    }

    /// Eyes, nose and corners of the mouth of a face that [`Tagger::locate`] found, left before right as seen once the head is turned upright, in pixels of the image.
    /// [`Pose::of`](crate::locate::Pose::of) says which way the face looks.
    ///
    /// # Errors
    /// An image that cannot be read, a box without an inside, or a model that knows no landmarks.
    pub fn landmarks<'a>(&self, image: impl Into<Source<'a>>, face: &Face) -> Result<[Point; 5]> {
        self.read(image, |photo| Ok(self.nets.landmarks(photo, face)?))
    }

    /// The feature vector of a face: for models with ANet its FC vector, as the mean over patches. Attributes are read from
    /// it, and custom ones are trained on it.
    ///
    /// ```no_run
    /// # let tagger = lineament::Tagger::embedded()?;
    /// # let photo = lineament::Photo::filled(1, 1, [0; 3]);
    /// for face in tagger.locate(&photo)? {
    ///     let embedding: Vec<f32> = tagger.embed(&photo, &face)?;
    /// }
    /// # Ok::<(), lineament::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Tagger::describe`].
    pub fn embed<'a>(&self, image: impl Into<Source<'a>>, face: impl Into<FaceArea>) -> Result<Vec<f32>> {
        let region = self.nets.region(face.into())?;
        self.read(image, |photo| Ok(self.nets.model.embed(photo, &region)?))
    }

    /// A part of an image around a face, as [`FaceCrop`] says.
    ///
    /// ```no_run
    /// use lineament::crop::FaceCrop;
    ///
    /// # let tagger = lineament::Tagger::embedded()?;
    /// # let photo = lineament::Photo::filled(1, 1, [0; 3]);
    /// for face in tagger.locate(&photo)? {
    ///     let upright: lineament::Photo = tagger.crop(&photo, &face, &FaceCrop::default())?;
    /// }
    /// # Ok::<(), lineament::Error>(())
    /// ```
    ///
    /// # Errors
    /// An image that cannot be read, or a box without an inside.
    pub fn crop<'a>(&self, image: impl Into<Source<'a>>, face: &Face, crop: &FaceCrop) -> Result<Photo> {
        self.read(image, |photo| Ok(crop.draw(photo, face, &self.nets.card)?))
    }

    /// Whether each face comes with its embedding.
    pub fn gives_embeddings(&self) -> bool {
        self.face_options.embeddings
    }

    /// Length of an embedding.
    pub fn embedding_length(&self) -> usize {
        self.nets.model.svms().features()
    }

    /// What the answers about the selected attributes of a face rest on; `face` is its box, in pixels of the image. It is taken
    /// for upright.
    ///
    /// ```no_run
    /// # use lineament::explain::ExplainOptions;
    /// # let tagger = lineament::Tagger::embedded()?;
    /// # let photo = lineament::Photo::filled(1, 1, [0; 3]);
    /// for face in tagger.locate(&photo)? {
    ///     for explanation in tagger.explain(&photo, &face, &ExplainOptions::default())? {
    ///         println!("{}: {:?}", explanation.name, explanation.region);
    ///     }
    /// }
    /// # Ok::<(), lineament::Error>(())
    /// ```
    ///
    /// # Errors
    /// An image that cannot be read, a box without an inside, or a model without ANet.
    pub fn explain<'a>(
        &self,
        image: impl Into<Source<'a>>,
        face: &Face,
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>> {
        self.read(image, |photo| Ok(self.nets.explain(photo, face, &self.reader, options)?))
    }

    /// Which faces it looks for.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// The card of the model.
    pub fn card(&self) -> &Card {
        &self.nets.card
    }

    /// SHA-256 of the bundle's file.
    pub fn hash(&self) -> &str {
        &self.nets.hash
    }

    /// What its nets run on.
    pub fn engine(&self) -> &Engine {
        &self.nets.engine
    }

    /// The threads that it works on.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// What an image may have at most to be read.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether faces are answered with their landmarks and pose.
    pub fn answers_landmarks(&self) -> bool {
        self.face_options.landmarks
    }

    /// Whether faces are answered with their quality.
    pub fn answers_quality(&self) -> bool {
        self.face_options.quality
    }

    /// The quality below which faces are left out, where one was given.
    pub fn least_quality(&self) -> Option<f32> {
        self.face_options.least_quality
    }

    /// How likely answers are right at least, by the calibrated probability; 0 where all are given.
    pub fn abstain(&self) -> f32 {
        self.reader.abstain()
    }

    /// The operating point. Where there is a [`Tagger::threshold`], that decides.
    pub fn operating_point(&self) -> OperatingPoint {
        self.reader.point()
    }

    /// The probability from which on attributes are present, where one replaces the model's own thresholds.
    pub fn threshold(&self) -> Option<f32> {
        self.reader.threshold()
    }

    /// What the card knows of the selected attributes, in the order of the answers.
    pub fn selected_attributes(&self) -> impl Iterator<Item = &AttributeCard> {
        self.reader.indices().filter_map(|index| self.nets.card.attributes.get(index))
    }

    /// Where the model looks for a located face.
    ///
    /// # Errors
    /// A box without an inside, or no landmarks where the model needs them.
    pub fn region_of(&self, face: &Face) -> Result<FaceRegion> {
        Ok(self.nets.card.face_region(face)?)
    }

    /// Where the model looks for five landmarks: eyes, nose, corners of the mouth, left before right.
    ///
    /// # Errors
    /// Landmarks that fall together.
    pub fn region_of_landmarks(&self, landmarks: &[Point; 5]) -> Result<FaceRegion> {
        Ok(self.nets.card.face_region_of_landmarks(landmarks)?)
    }

    /// Reads the image and does the work, both on the tagger's threads.
    fn read<'a, R: Send>(
        &self,
        image: impl Into<Source<'a>>,
        work: impl FnOnce(&Photo) -> Result<R> + Send,
    ) -> Result<R> {
        let image = image.into();
        self.threads.install(|| work(image.read(&self.limits)?.as_ref()))
    }
}

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Card { name, version, .. } = self.card();
        let (point, attributes) = (self.operating_point(), self.reader.indices().len());
        write!(f, "Tagger({name} {version}, {point:?}, {attributes} attributes)")
    }
}

/// Where a face is: what a localizer found, or the region that the model looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaceArea {
    /// A box, with landmarks where they are known: the model makes its region of them.
    Face(Face),
    /// The region itself, as [`Tagger::region_of`] and [`Tagger::region_of_landmarks`] give it.
    Region(FaceRegion),
}

impl From<Face> for FaceArea {
    fn from(face: Face) -> Self {
        Self::Face(face)
    }
}

impl From<&Face> for FaceArea {
    fn from(face: &Face) -> Self {
        Self::Face(*face)
    }
}

impl From<&FaceRecord> for FaceArea {
    fn from(face: &FaceRecord) -> Self {
        Self::Face(face.into())
    }
}

impl From<FaceRegion> for FaceArea {
    fn from(region: FaceRegion) -> Self {
        Self::Region(region)
    }
}
