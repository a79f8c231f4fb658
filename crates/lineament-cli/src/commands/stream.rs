//! The way of `predict` and `locate`: images in, predictions out, in the order of the images.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Result, bail};
use lineament::{Card, FaceRecord, Limits, Photo, Prediction, Threads};
use lineament_data::endings::Endings;

use super::Outcome;
use crate::annotate::{Mark, annotate};
use crate::arguments::{CompressionName, FormatName, ImageArguments, RunArguments};
use crate::endings;
use crate::files;
use crate::format::{self, Header};
use crate::inputs::{Input, Inputs, Names, Unread};
use crate::marked;
use crate::notes;
use crate::ordered;
use crate::outputs::{self, ForceArguments, Identity, Output};
use crate::progress;
use crate::summary::{self, Summary};
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
    skip_unreadable: bool,
}

impl Images {
    /// `others` are files that are read beside the images.
    pub fn check(arguments: ImageArguments, others: &RunArguments) -> Result<Self> {
        let format = format::choose(arguments.format, arguments.output.as_deref())?;
        if let Some(path) = &arguments.output {
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
}

/// Makes the heat map of a photo.
pub type HeatMap<'a> = dyn Fn(&Photo) -> Result<Photo> + Sync + 'a;

/// One image on its way, with the files that are made of it.
struct Job {
    input: Input,
    annotate: Option<PathBuf>,
    map: Option<PathBuf>,
    /// Its sidecar, where one is written.
    sidecar: Option<PathBuf>,
    /// Whether another image has the same sidecar, and was there first.
    shared: bool,
}

/// The prediction for an image, and what went wrong beside it.
struct Seen {
    prediction: Prediction,
    /// Why its sidecar or a copy of it was not written.
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
    let force = images.force;
    let output = images.output.as_deref().and_then(Identity::of);
    let crowded = images.output.is_none();
    let bar = progress::bar(if crowded { None } else { images.inputs.count() }, crowded);
    let mut writer =
        format::writer(images.format, images.output.as_deref(), header.clone(), images.compression)?;
    let mut names = Taken::default();
    let (walked, passed_over) = (images.inputs.walk_folders(), images.inputs.passed_over());
    let jobs = images.inputs.into_iter().map(move |input| input.map(|input| job(input, extras, &mut names)));
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
            Ok(Seen { prediction, troubles, remarks }) => {
                remarks.into_iter().for_each(|remark| bar.suspend(|| notes::note(remark)));
                for trouble in &troubles {
                    bar.suspend(|| notes::unwritten(trouble));
                }
                summary.unwritten += u64::from(!troubles.is_empty());
                summary.add(&prediction);
                writer.write(&prediction)?;
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
    writer.finish(&summary)?;
    // Tables of faces have no place for photos without one, and nobody reads a million lines.
    if images.format != FormatName::Text {
        if walked {
            notes::note(summary.sentence());
        } else if summary.faces_left_out > 0 {
            notes::note(summary::left_out(summary.faces_left_out));
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
    sidecars: HashSet<PathBuf>,
}

fn job(input: Input, extras: &Extras<'_>, taken: &mut Taken) -> Job {
    let annotate =
        extras.annotate.as_ref().map(|folder| folder.join(taken.annotated.of(&input.place, "faces")));
    let map = extras.maps.as_ref().map(|(folder, _)| folder.join(taken.maps.of(&input.place, "map")));
    let sidecar = extras.xmp.map(|library| library.sidecar(&input.path));
    let shared = sidecar.as_ref().is_some_and(|sidecar| !taken.sidecars.insert(sidecar.clone()));
    Job { input, annotate, map, sidecar, shared }
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
            Ok(map) => troubles.extend(marked::save(&map, file, force)?),
            Err(error) => return failed(error),
        }
    }
    if let Some(file) = &job.annotate {
        let marks: Vec<Mark> = prediction.faces.iter().map(|face| mark(face, extras.card)).collect();
        troubles.extend(marked::save(&annotate(&photo, &marks), file, force)?);
    }
    troubles.extend(extras.xmp.and_then(|library| sidecar(job, &photo, &prediction.faces, header, library)));
    let remarks = photo.notes().iter().map(|note| format!("{}: {note}", path.display())).collect();
    Ok(Ok(Seen { prediction, troubles, remarks }))
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
