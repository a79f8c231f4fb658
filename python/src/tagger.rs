//! A model and its threads.

use std::path::PathBuf;
use std::sync::Arc;

use lineament::attributes::Group;
use lineament::crop::{FaceCrop, Framing};
use lineament::locate::{DetectorFile, SmallestFaceError};
use lineament::{
    Bundle, Encoding, Engine, Error, Face, FaceRecord, Limits, OperatingPoint, Photo, Prediction, Selection,
    Threads,
};
use lineament_data::walk::MADE_BY;
use lineament_data::{Split, folder, layout};
use lineament_fit::{
    FitError, ImageEmbedding, LabelledImage, TrainOptions, add_attributes, embed_photo, examples, train_head,
};
use lineament_lab::{EvaluateOptions, FaceFrom, evaluate};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyString};
use rayon::prelude::*;

use crate::errors::{DataError, ModelError, TeachError};
use crate::image::Image;
use crate::process::Owned;
use crate::work;

/// What is said of an image that was not looked at because of an interrupt; nobody reads it.
const STOPPED: &str = "interrupted";

/// Where a bundle comes from.
#[derive(FromPyObject)]
pub enum Model {
    /// The bytes of its file.
    #[pyo3(transparent)]
    Bytes(PyBackedBytes),
    /// Its file.
    #[pyo3(transparent)]
    File(PathBuf),
}

/// x and y of five landmarks, and yaw, pitch and roll where they span a face.
type Landmarks = ([(f32, f32); 5], Option<(f32, f32, f32)>);

/// x, y, width, height, score and roll of a face, its attributes by name (whether it is present, where that is known, and its probability), its
/// landmarks, its quality, its embedding as native floats of four bytes, and its crop as the bytes of an image file.
type FaceAnswer<'py> = (
    (f32, f32, f32, f32),
    f32,
    Option<f32>,
    Bound<'py, PyDict>,
    Option<Landmarks>,
    Option<f32>,
    Option<Bound<'py, PyBytes>>,
    Option<Bound<'py, PyBytes>>,
);

/// How faces are cut out: framing, side, margin and format.
type CropOptions = (String, u32, f32, String);

/// Width, height and faces of an image, and how many faces were left out by their number and by their quality, or why it cannot be read.
#[derive(IntoPyObject)]
pub enum Answer<'py> {
    /// It was read.
    #[pyo3(transparent)]
    Read((u32, u32, Vec<FaceAnswer<'py>>, usize, Option<usize>)),
    /// It was not.
    #[pyo3(transparent)]
    Unread(String),
}

/// Which faces are asked for, and what of each; what is `None` is left as it is. `options.PredictOptions` has the same fields.
#[derive(FromPyObject)]
struct PredictOptions {
    /// The smallest face as text.
    smallest_face: Option<String>,
    max_faces: Option<usize>,
    any_orientation: Option<bool>,
    landmarks: Option<bool>,
    quality: Option<bool>,
    least_quality: Option<f32>,
    abstain: Option<f32>,
}

/// The bundle with the new attribute, its figures as JSON, places of images without a face, and of those that cannot be read, and why.
type Taught<'py> = (Bound<'py, PyBytes>, String, Vec<usize>, Vec<(usize, String)>);

/// Locates faces and tells their attributes, with the nets of one bundle, on threads of its own.
#[pyclass(frozen, module = "lineament._native")]
pub struct Tagger {
    bundle: Bundle,
    inner: Owned<lineament::Tagger>,
}

#[pymethods]
impl Tagger {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "called by `Tagger.__init__` alone, which names them")]
    #[pyo3(signature = (model, threads, operating_point, attributes, engine, options, detector, max_pixels))]
    fn new(
        py: Python<'_>,
        model: Option<Model>,
        threads: Option<usize>,
        operating_point: &str,
        attributes: Option<Vec<String>>,
        engine: &str,
        options: PredictOptions,
        detector: Option<PathBuf>,
        max_pixels: Option<u64>,
    ) -> PyResult<Self> {
        let (point, engine, selection) = (point(operating_point)?, named(engine)?, selection(options)?);
        py.detach(|| {
            // Borrowed: bytes of Python are given back with the interpreter lock, under which no process is forked.
            let bundle = match &model {
                None => Bundle::embedded(),
                Some(Model::File(path)) => Bundle::open(path),
                Some(Model::Bytes(bytes)) => Bundle::read(bytes),
            };
            let bundle = bundle.map_err(refused_model)?;
            let mut builder = lineament::Tagger::builder()
                .bundle(bundle.clone())
                .engine(engine)
                .threads(threads.unwrap_or(0))
                .operating_point(point);
            if let Some(max_pixels) = max_pixels {
                builder = builder.limits(Limits { max_pixels, ..Limits::default() });
            }
            if let Some(names) = attributes {
                builder = builder.attributes(names);
            }
            if let Some(name) = detector {
                let file = DetectorFile::named(&name).map_err(|error| refused_model(Error::from(error)))?;
                builder = builder.detector(file);
            }
            let inner = builder.build().map_err(|error| match error {
                Error::Attribute(unknown) => PyValueError::new_err(unknown.to_string()),
                Error::Threads(_) => PyRuntimeError::new_err(error.to_string()),
                other => refused_model(other),
            })?;
            let inner = inner.with(&selection).map_err(refused_model)?;
            Ok(Self { bundle, inner: Owned::new(inner) })
        })
    }

    /// Whether it was made by another process, of which this one is a fork: then it only gives its bundle.
    fn inherited(&self) -> bool {
        self.inner.inherited()
    }

    /// Names of the selected attributes, in the order of the answers.
    fn attributes(&self) -> PyResult<Vec<String>> {
        let names = self.inner.get()?.selected_attributes().map(|attribute| attribute.name.clone());
        Ok(names.collect())
    }

    /// SHA-256 of the bundle's file.
    fn hash(&self) -> PyResult<&str> {
        Ok(self.inner.get()?.hash())
    }

    /// The card, as JSON.
    fn card(&self) -> PyResult<String> {
        json(self.inner.get()?.card())
    }

    /// The bundle's file.
    fn bundle<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.bundle.bytes())
    }

    /// How many threads there are.
    fn threads(&self) -> PyResult<usize> {
        Ok(self.inner.get()?.threads().count())
    }

    /// Length of the feature vector.
    fn embedding_length(&self) -> usize {
        self.bundle.parts().svms.features()
    }

    /// Faces and attributes of each image; `options` says what is asked for otherwise than of this tagger, `embeddings` and `crops` what else each
    /// face has.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        images: Vec<Image>,
        options: PredictOptions,
        embeddings: bool,
        crops: Option<CropOptions>,
    ) -> PyResult<Vec<Answer<'py>>> {
        let selection = Selection { embeddings: Some(embeddings), ..selection(options)? };
        let tagger = self.inner.get()?.with(&selection).map_err(refused_model)?;
        let crops = crops.map(crop_for).transpose()?;
        let answers = each(py, tagger.threads(), &images.into(), {
            let tagger = tagger.clone();
            move |image| {
                let photo = image.source()?.read(tagger.limits()).map_err(|error| error.to_string())?;
                let prediction = tagger.predict(&*photo).map_err(|error| error.to_string())?;
                let crops = crops.map(|how| cut(&tagger, &photo, &prediction, how)).transpose()?;
                Ok((prediction, crops.unwrap_or_default()))
            }
        })?;
        let answer = |answer| match answer {
            Ok((prediction, crops)) => read(py, &prediction, crops),
            Err(reason) => Ok(Answer::Unread(reason)),
        };
        answers.into_iter().map(answer).collect()
    }

    /// The feature vector of the dominant face of each image as native floats of four bytes, `None` where there is none, text where it
    /// cannot be read.
    fn embed(&self, py: Python<'_>, images: Vec<Image>) -> PyResult<Vec<Py<PyAny>>> {
        let looks = self.look(py, &images.into())?;
        looks
            .into_iter()
            .map(|look| match look {
                Ok(Some(look)) => Ok(floats(py, &look.vector).into_any().unbind()),
                Ok(None) => Ok(py.None()),
                Err(reason) => Ok(reason.into_pyobject(py)?.into_any().unbind()),
            })
            .collect()
    }

    /// The figures of `lineament evaluate --format json`.
    fn evaluate(
        &self,
        py: Python<'_>,
        data: PathBuf,
        layout: Option<&str>,
        split: &str,
        region: &str,
        background: Option<PathBuf>,
    ) -> PyResult<String> {
        let split = match split {
            "train" => Split::Train,
            "validation" | "val" => Split::Validation,
            "test" => Split::Test,
            other => return Err(unknown("split", other, "train, validation or test")),
        };
        let region = match region {
            "located" => FaceFrom::Located,
            "landmarks" => FaceFrom::Landmarks,
            other => return Err(unknown("region", other, "located or landmarks")),
        };
        let bad = |error: lineament_data::DataError| DataError::new_err(error.to_string());
        let layout = match layout {
            Some(name) => name.parse().map_err(bad)?,
            None => layout::detect(&data).map_err(bad)?,
        };
        let data = py.detach(|| layout::read(layout, &data)).map_err(bad)?;
        // The other parts may have been learned from, or been used to choose the threshold.
        let background = background.map(|path| folder::read(&path)).transpose().map_err(bad)?;
        let background = background.map(|set| set.split(split));
        let tagger = self.inner.get()?.clone();
        let figures = work::run(py, self.inner.get()?.threads(), move |_| {
            let operating_points = &[tagger.operating_point()];
            let what = EvaluateOptions { split, region, operating_points, background: background.as_ref() };
            evaluate(&tagger, &data, &what, &|| ())
        })?;
        let figures = figures.map_err(|error| DataError::new_err(error.to_string()))?;
        json(&figures.first())
    }

    /// A bundle with one attribute more.
    #[allow(clippy::too_many_arguments, reason = "called by `Tagger.teach` alone, which names them")]
    fn teach<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        images: Vec<Image>,
        answers: Vec<bool>,
        people: Option<Vec<u32>>,
        share: Option<f32>,
        seed: u64,
        replace: bool,
    ) -> PyResult<Taught<'py>> {
        let images: Arc<[Image]> = images.into();
        let looks = self.look(py, &images)?;
        let (mut asked, mut faceless, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for (place, ((look, image), answer)) in looks.into_iter().zip(images.iter()).zip(answers).enumerate()
        {
            let person = people.as_ref().and_then(|people| people.get(place).copied());
            match look {
                Ok(Some(embedding)) => {
                    asked.push(LabelledImage { name: image.name(place), embedding, answer, person })
                }
                Ok(None) => faceless.push(place),
                Err(reason) => unread.push((place, reason)),
            }
        }
        let by = if people.is_some() { Group::Person } else { Group::Image };
        let options = TrainOptions { by, share, seed, ..TrainOptions::default() };
        let named = name.to_owned();
        let head = work::run(py, self.inner.get()?.threads(), move |_| {
            let (examples, _) = examples(&named, &asked)?;
            train_head(&named, &examples, &options)
        })?;
        let refused = |error: FitError| {
            let figures = error.figures().and_then(|figures| serde_json::to_string(figures).ok());
            TeachError::new_err((error.to_string(), figures))
        };
        let head = head.map_err(refused)?;
        let figures = json(&head.figures)?;
        let bundle = add_attributes(&self.bundle, &[head], replace).map_err(refused)?;
        Ok((PyBytes::new(py, bundle.bytes()), figures, faceless, unread))
    }
}

impl Tagger {
    fn look(
        &self,
        py: Python<'_>,
        images: &Arc<[Image]>,
    ) -> PyResult<Vec<Result<Option<ImageEmbedding>, String>>> {
        let tagger = self.inner.get()?.clone();
        each(py, self.inner.get()?.threads(), images, move |image| {
            let photo = image.source()?.read(tagger.limits()).map_err(|error| error.to_string())?;
            embed_photo(&tagger, &photo).map_err(|error| error.to_string())
        })
    }
}

/// The work on each image, side by side, in their order.
fn each<T: Send + 'static>(
    py: Python<'_>,
    threads: &Threads,
    images: &Arc<[Image]>,
    work: impl Fn(&Image) -> Result<T, String> + Send + Sync + 'static,
) -> PyResult<Vec<Result<T, String>>> {
    // The last one is dropped by the caller, who has the interpreter lock.
    let images = Arc::clone(images);
    work::run(py, threads, move |stop| {
        let work = |image| if stop.asked() { Err(STOPPED.to_owned()) } else { work(image) };
        images.par_iter().with_max_len(1).map(work).collect()
    })
}

/// The crop of each face, as the bytes of an image file.
fn cut(
    tagger: &lineament::Tagger,
    photo: &Photo,
    prediction: &Prediction,
    (crop, encoding): (FaceCrop, Encoding),
) -> Result<Vec<Vec<u8>>, String> {
    let cut = |record: &FaceRecord| {
        let drawn = tagger.crop(photo, &Face::from(record), &crop).map_err(|error| error.to_string())?;
        drawn.encode(encoding, MADE_BY).map_err(|error| error.to_string())
    };
    prediction.faces.iter().map(cut).collect()
}

fn read<'py>(py: Python<'py>, prediction: &Prediction, crops: Vec<Vec<u8>>) -> PyResult<Answer<'py>> {
    let crops = crops.into_iter().map(Some).chain(std::iter::repeat(None));
    let faces = prediction.faces.iter().zip(crops).map(|(record, crop)| face(py, record, crop));
    let faces = faces.collect::<PyResult<_>>()?;
    let Prediction { width, height, faces_left_out, faces_of_low_quality, .. } = prediction;
    Ok(Answer::Read((*width, *height, faces, *faces_left_out, *faces_of_low_quality)))
}

fn face<'py>(py: Python<'py>, record: &FaceRecord, crop: Option<Vec<u8>>) -> PyResult<FaceAnswer<'py>> {
    let rect = record.rect;
    let attributes = PyDict::new(py);
    for attribute in &record.attributes {
        let name = PyString::intern(py, &attribute.name);
        attributes.set_item(name, (attribute.value(), attribute.probability))?;
    }
    let landmarks = record.landmarks.map(|landmarks| {
        let pose = record.pose.map(|pose| (pose.yaw, pose.pitch, pose.roll));
        (landmarks.0.map(|point| (point.x, point.y)), pose)
    });
    let embedding = record.embedding.as_deref().map(|vector| floats(py, vector));
    let crop = crop.map(|bytes| PyBytes::new(py, &bytes));
    let place = (rect.x, rect.y, rect.width, rect.height);
    Ok((place, record.score, record.roll, attributes, landmarks, record.quality, embedding, crop))
}

/// Native floats of four bytes.
fn floats<'py>(py: Python<'py>, values: &[f32]) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    PyBytes::new(py, &bytes)
}

fn crop_for((framing, side, margin, format): CropOptions) -> PyResult<(FaceCrop, Encoding)> {
    let framing = match framing.as_str() {
        "aligned" => Framing::Aligned,
        "region" => Framing::Region,
        other => return Err(unknown("framing", other, "aligned or region")),
    };
    let encoding = match format.as_str() {
        "jpeg" => Encoding::Jpeg,
        "png" => Encoding::Png,
        other => return Err(unknown("format", other, "jpeg or png")),
    };
    Ok((FaceCrop { framing, side, margin }, encoding))
}

fn selection(options: PredictOptions) -> PyResult<Selection> {
    let read = |text: String| {
        text.parse().map_err(|error: SmallestFaceError| PyValueError::new_err(error.to_string()))
    };
    let smallest_face = options.smallest_face.map(read).transpose()?;
    let PredictOptions { max_faces, any_orientation, landmarks, quality, least_quality, abstain, .. } =
        options;
    Ok(Selection {
        smallest_face,
        max_faces,
        any_orientation,
        landmarks,
        quality,
        least_quality,
        abstain,
        ..Selection::default()
    })
}

fn named(engine: &str) -> PyResult<Engine> {
    match engine {
        "native" => Ok(Engine::Native),
        "int8" => Ok(Engine::Int8),
        other => Err(unknown("engine", other, "native or int8")),
    }
}

fn point(name: &str) -> PyResult<OperatingPoint> {
    match name {
        "accuracy" => Ok(OperatingPoint::Accuracy),
        "balanced" => Ok(OperatingPoint::Balanced),
        other => Err(unknown("operating_point", other, "accuracy or balanced")),
    }
}

fn unknown(what: &str, given: &str, known: &str) -> PyErr {
    PyValueError::new_err(format!("{what} is {given:?}; it can be {known}"))
}

fn refused_model(error: impl std::fmt::Display) -> PyErr {
    ModelError::new_err(error.to_string())
}

fn json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}
