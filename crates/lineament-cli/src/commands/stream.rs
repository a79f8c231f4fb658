//! The way of `predict` and `locate`: images in, predictions out, in the order of the images.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Result, bail};
use lineament::{Card, Encoding, FaceRecord, Limits, Photo, Prediction, Threads};
use lineament_data::endings::Endings;

use super::Outcome;
use crate::annotate::{Mark, annotate};
use crate::arguments::{CompressionName, FormatName, ImageArguments, RunArguments};
use crate::crops::Crops;
use crate::crops::slashed;
use crate::embeddings::Embeddings;
use crate::endings;
use crate::files;
use crate::format::{self, Answer, Header, Style};
use crate::inputs::{Input, Inputs, Names, Unread};
use crate::marked;
use crate::notes;
use crate::ordered;
use crate::outputs::{self, ForceArguments, Identity, Output};
use crate::progress;
use crate::summary::Summary;
use crate::xmp::{self, Library};

/// Attributes that are written beside a face on an annotated image.
const LINES: usize = 8;

/// What was typed about images, checked.
pub struct Images {
    inputs: Inputs,
    format: FormatName,
    output: Option<PathBuf>,
    force: ForceArguments,
    compression: CompressionName,
    image_prefix: Option<String>,
    skip_unreadable: bool,
}

impl Images {
    /// Whether results are a Parquet table.
    pub fn is_table(&self) -> bool {
        self.format == FormatName::Parquet
    }

    /// `others` are files that are read beside the images.
    pub fn check(arguments: ImageArguments, others: &RunArguments) -> Result<Self> {
        let format = format::choose(arguments.format, arguments.output.as_deref())?;
        if let (FormatName::Yolo, Some(folder)) = (format, &arguments.output) {
            format::check_folder(folder, arguments.force, &arguments.paths)?;
        } else if let Some(path) = &arguments.output {
            let (kind, fixed) = (format.kind(), arguments.format.is_some());
            // What lies in the folders is compared when its turn comes: they may well hold the results, too.
            let files = arguments.paths.iter().filter(|path| !path.is_dir());
            Output { path, kind, fixed, force: arguments.force }
                .check(outputs::named(files, others.files()))?;
        }
        Ok(Self {
            inputs: Inputs::of(&arguments.paths)?,
            format,
            output: arguments.output,
            force: arguments.force,
            compression: arguments.compression,
            image_prefix: arguments.image_prefix,
            skip_unreadable: arguments.skip_unreadable,
        })
    }
}

/// Images that are made of images, and where they go.
pub struct Extras<'a> {
    /// The model's card, which knows how a box lies about a turned face.
    pub card: &'a Card,
    /// Copies with the faces marked.
    pub annotate: Option<PathBuf>,
    /// Heat maps, and what makes them.
    pub maps: Option<(PathBuf, &'a HeatMap<'a>)>,
    /// Sidecars beside the images themselves.
    pub xmp: Option<Library>,
    /// Each face as an image.
    pub crops: Option<Crops>,
    /// The vectors of faces.
    pub embeddings: Option<Embeddings>,
}

impl<'a> Extras<'a> {
    /// Nothing beside the answers.
    pub fn none(card: &'a Card) -> Self {
        Self { card, annotate: None, maps: None, xmp: None, crops: None, embeddings: None }
    }

    /// What these add to each face in every format.
    fn columns(&self) -> format::Extras {
        let embedding = self.embeddings.as_ref().map(Embeddings::column);
        format::Extras { crop: self.crops.is_some(), embedding }
    }
}

/// Makes the heat map of a photo.
pub type HeatMap<'a> = dyn Fn(&Photo) -> Result<Photo> + Sync + 'a;

/// One image on its way, with the files that are made of it.
struct Job {
    input: Input,
    /// What the image is called in data sets.
    name: String,
    annotate: Option<PathBuf>,
    map: Option<PathBuf>,
    /// What its crops' names begin with, below their folder.
    crops: Option<PathBuf>,
    /// Its sidecar, where one is written.
    sidecar: Option<PathBuf>,
    /// Whether another image has the same sidecar, and was there first.
    shared: bool,
}

/// The prediction for an image, and what went wrong beside it.
struct Seen {
    answer: Answer,
    /// Why its sidecar, a crop or a copy of it was not written.
    troubles: Vec<String>,
    /// How its file was read, where that is not the ordinary way.
    remarks: Vec<String>,
}

/// Opens every image, finds its faces and writes its prediction; one that cannot be read is reported on standard error and the
/// rest goes on.
pub fn write(
    images: Images,
    header: &Header,
    threads: &Threads,
    predict: impl Fn(&Photo) -> lineament::Result<Prediction> + Sync,
    extras: &Extras<'_>,
) -> Result<Outcome> {
    for folder in extras.annotate.iter().chain(extras.maps.iter().map(|(folder, _)| folder)) {
        files::make_folder(folder)?;
    }
    extras.crops.as_ref().map_or(Ok(()), Crops::make_folder)?;
    let header = &header.clone().with(extras.columns());
    let mut embeddings =
        extras.embeddings.as_ref().map(|embeddings| embeddings.open(header)).transpose()?.flatten();
    let force = images.force;
    let output = images.output.as_deref().and_then(Identity::of);
    let crowded = images.output.is_none();
    let bar = progress::bar(if crowded { None } else { images.inputs.count() }, crowded);
    let style =
        Style { compression: images.compression, image_prefix: images.image_prefix.as_deref(), force };
    let mut writer = format::writer(images.format, images.output.as_deref(), header.clone(), style)?;
    let mut names = Taken::default();
    let alone = images.inputs.is_one_folder();
    let (walked, passed_over) = (images.inputs.walk_folders(), images.inputs.passed_over());
    let jobs =
        images.inputs.into_iter().map(move |input| input.map(|input| job(input, alone, extras, &mut names)));
    let work = |job: Result<Job, Unread>| match job {
        Ok(job) if output.as_ref().is_some_and(|output| output.is(&job.input.path)) => {
            let path = job.input.path.display();
            bail!("{path} is a picture that is read, and --output would replace it; give another name")
        }
        Ok(job) => look(&job, header, &predict, extras, force),
        Err(Unread(reason)) => Ok(Err((None, reason))),
    };
    let mut summary = Summary::default();
    let mut unread = Endings::default();
    ordered::for_each(threads, jobs, work, |answer| {
        match answer? {
            Ok(Seen { mut answer, troubles, remarks }) => {
                remarks.into_iter().for_each(|remark| bar.suspend(|| notes::note(remark)));
                for trouble in &troubles {
                    bar.suspend(|| notes::unwritten(trouble));
                }
                summary.unwritten += u64::from(!troubles.is_empty());
                summary.add(&answer.prediction);
                if let Some(file) = &mut embeddings {
                    answer.first_embedding = Some(file.add(&answer.prediction.faces)?);
                }
                writer.write(&answer)?;
            }
            Err((path, reason)) => {
                summary.unread += 1;
                unread.add(path.as_deref());
                bar.suspend(|| notes::unread(&reason));
                if let Some(path) = path {
                    writer.write_unread(&path, &reason)?;
                }
            }
        }
        bar.inc(1);
        anyhow::Ok(())
    })?;
    bar.finish_and_clear();
    if summary == Summary::default() {
        notes::note(format!(
            "no picture was found; in folders, files ending in {} are looked at",
            extensions()
        ));
    }
    // The array before the rows that lead to it.
    embeddings.map_or(Ok(()), |file| file.finish())?;
    writer.finish(&summary)?;
    // Tables of faces have no place for photos without one, and nobody reads a million lines.
    if images.format != FormatName::Text {
        if walked {
            notes::note(summary.sentence());
        } else {
            summary.cuts().for_each(notes::note);
        }
    }
    if passed_over.total() > 0 {
        notes::note(passed_over);
    }
    if let Some(sum) = endings::unreadable(&unread, images.skip_unreadable) {
        notes::note(sum);
    }
    let unread = if images.skip_unreadable { 0 } else { summary.unread };
    Ok(Outcome::with_unread(unread + summary.unwritten))
}

fn extensions() -> String {
    lineament_data::walk::EXTENSIONS.map(|extension| format!(".{extension}")).join(" ")
}

/// Names of files that are made of images.
#[derive(Default)]
struct Taken {
    annotated: Names,
    maps: Names,
    crops: Names,
    sidecars: HashSet<PathBuf>,
}

fn job(input: Input, alone: bool, extras: &Extras<'_>, taken: &mut Taken) -> Job {
    let name = slashed(if alone { &input.place } else { &input.path });
    let annotate =
        extras.annotate.as_ref().map(|folder| folder.join(taken.annotated.of(&input.place, "faces")));
    let map = extras.maps.as_ref().map(|(folder, _)| folder.join(taken.maps.of(&input.place, "map")));
    let crops = extras.crops.as_ref().map(|_| taken.crops.stem(&input.place));
    let sidecar = extras.xmp.map(|library| library.sidecar(&input.path));
    let shared = sidecar.as_ref().is_some_and(|sidecar| !taken.sidecars.insert(sidecar.clone()));
    Job { input, name, annotate, map, crops, sidecar, shared }
}

/// Writes the image's sidecar; why it could not be written.
fn sidecar(
    job: &Job,
    photo: &Photo,
    faces: &[FaceRecord],
    header: &Header,
    library: Library,
) -> Option<String> {
    let path = &job.input.path;
    let name = job.sidecar.as_deref()?;
    if job.shared {
        return Some(format!(
            "{}: another picture has the sidecar {} too, which is left to that one; --xmp=digikam gives each its own",
            path.display(),
            name.display()
        ));
    }
    let written = xmp::write(library, name, path, photo, faces, &header.model_label);
    written.err().map(|error| format!("{}: {error:#}", path.display()))
}

/// The prediction for one image, or why it cannot be read; the outer failure is one of output, and ends the run.
fn look(
    job: &Job,
    header: &Header,
    predict: impl Fn(&Photo) -> lineament::Result<Prediction>,
    extras: &Extras<'_>,
    force: ForceArguments,
) -> Result<Result<Seen, (Option<PathBuf>, String)>> {
    let path = &job.input.path;
    let photo = match Photo::open(path, &Limits::default()) {
        Ok(photo) => photo,
        Err(error) => return Ok(Err((Some(path.clone()), error.to_string()))),
    };
    let failed =
        |error: anyhow::Error| Ok(Err((Some(path.clone()), format!("{}: {error:#}", path.display()))));
    let prediction = match predict(&photo) {
        Ok(prediction) => Prediction { path: Some(path.clone()), ..prediction },
        Err(error) => return failed(error.into()),
    };
    let mut troubles = Vec::new();
    if let Some((file, (_, heat_map))) = job.map.as_ref().zip(extras.maps.as_ref()) {
        match heat_map(&photo) {
            Ok(map) => troubles.extend(marked::save(&map, file, Encoding::Png, force)?),
            Err(error) => return failed(error),
        }
    }
    if let Some(file) = &job.annotate {
        let marks: Vec<Mark> = prediction.faces.iter().map(|face| mark(face, extras.card)).collect();
        troubles.extend(marked::save(&annotate(&photo, &marks), file, Encoding::Png, force)?);
    }
    let mut crops = Vec::new();
    if let Some((name, wanted)) = job.crops.as_ref().zip(extras.crops.as_ref()) {
        let unwritten;
        (crops, unwritten) = wanted.save(&photo, &prediction, extras.card, name, force)?;
        troubles.extend(unwritten.into_iter().map(|reason| format!("{}: {reason}", path.display())));
    }
    troubles.extend(extras.xmp.and_then(|library| sidecar(job, &photo, &prediction.faces, header, library)));
    let remarks = photo.notes().iter().map(|note| format!("{}: {note}", path.display())).collect();
    let answer = Answer { crops, ..Answer::new(prediction, job.name.clone()) };
    Ok(Ok(Seen { answer, troubles, remarks }))
}

fn mark(face: &FaceRecord, card: &Card) -> Mark {
    let mut present: Vec<_> = face.present().collect();
    present.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let lines = present
        .iter()
        .take(LINES)
        .map(|attribute| format!("{} {}%", attribute.name, format::percent(attribute.probability)))
        .collect();
    Mark { rect: card.upright_box(face.rect, face.roll), roll: face.roll, lines }
}
