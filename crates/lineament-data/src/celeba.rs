//! CelebA's official layout, complete or partial.
//!
//! | where | what | needed |
//! |---|---|---|
//! | `Anno/list_attr_celeba.txt` | count, attribute names, then a name and -1 or 1 for each attribute | yes |
//! | `Img/img_align_celeba/`, `Img/img_celeba/` | images cut around the face, photos as they were taken | one of them |
//! | `Anno/identity_CelebA.txt` | a name and a person's number | no |
//! | `Eval/list_eval_partition.txt` | a name and 0 (train), 1 (validation) or 2 (test) | no: then drawn by person |
//! | `Anno/list_bbox_celeba.txt`, `Anno/list_landmarks_celeba.txt` | box and five points in un-cropped photos | no |
//! | `Anno/list_landmarks_align_celeba.txt` | five points in aligned images | no |
//!
//! Files are also found straight in the folder or in its folder `celeba` (torchvision's layout), lists also as CSV with a line of
//! names, and images one folder deeper (Kaggle's copy). An image in PNG form is found by the name that its row gives as JPEG.

use std::path::{Path, PathBuf};

use lineament::{Point, Rect};

use crate::error::DataError;
use crate::images;
use crate::report::{FindingKind, ReadReport};
use crate::rows::{Header, Rows};
use crate::sample::{Dataset, Framing, Sample};
use crate::split::Split;

/// The folders of images, with the framing of what is in them. The PNG form is the same images again and comes
/// second, so that it only fills in.
const FOLDERS: [(&str, Framing); 3] = [
    ("img_align_celeba", Framing::Aligned),
    ("img_align_celeba_png", Framing::Aligned),
    ("img_celeba", Framing::Photo),
];

/// The lists beside the attributes.
struct Lists {
    identity: Option<Rows>,
    partition: Option<Rows>,
    boxes: Option<Rows>,
    landmarks: Option<Rows>,
    landmarks_aligned: Option<Rows>,
}

/// Reads a folder in CelebA's layout: one sample for each image file that has a row of tags, aligned ones first, by name. See
/// [`Dataset::once_each`] for one sample an image.
///
/// # Errors
/// Where the attribute list is missing or has no attribute, where there is no image with tags at all, or where a file cannot be
/// read. Anything else that does not fit is counted in [`Dataset::report`].
pub fn read(dir: &Path) -> Result<Dataset, DataError> {
    let inner = dir.join("celeba");
    let dir = if !is_here(dir) && is_within(dir) { inner.as_path() } else { dir };
    let mut report = ReadReport::default();
    let (attributes_path, wanted) = find(dir, "Anno", "list_attr_celeba.txt");
    let attributes_path = attributes_path.ok_or_else(|| {
        let expected = "CelebA's attribute list is expected there: a line with the number of rows, a line of attribute \
                        names, then one line a picture";
        DataError::missing(&wanted, expected)
    })?;
    let tags = Rows::read(&attributes_path, Header::Names, None, &mut report)?;
    if tags.columns.is_empty() {
        let problem = "the second line holds no attribute names".to_owned();
        return Err(DataError::Malformed { path: attributes_path, line: 2, problem });
    }
    let lists = Lists::read(dir, &mut report)?;

    let mut set = Dataset::new(images::set_name(dir, "celeba"));
    set.attributes = tags.columns.clone();
    set.report = report;
    let mut any_folder = false;
    for (folder, framing) in FOLDERS {
        let Some(path) = find(dir, "Img", folder).0 else { continue };
        any_folder = true;
        add_images(&mut set, &path, framing, &tags, &lists)?;
    }
    if set.samples.is_empty() {
        let expected = if any_folder {
            "none of the pictures in Img/img_align_celeba and Img/img_celeba has a row in Anno/list_attr_celeba.txt"
        } else {
            "pictures are expected in Img/img_align_celeba (cut around the face) or Img/img_celeba (un-cropped)"
        };
        return Err(DataError::no_images(dir, expected));
    }
    count_rows_without_image(&mut set, &tags);
    match &lists.partition {
        Some(partition) => {
            set.assign_splits(|sample| match partition.first(&sample.name)? {
                0 => Some(Split::Train),
                1 => Some(Split::Validation),
                2 => Some(Split::Test),
                _ => None,
            });
        }
        None => set.draw_splits(),
    }
    Ok(set)
}

/// Whether a folder holds torchvision's: `celeba`, with the lists straight in it.
pub(crate) fn is_within(dir: &Path) -> bool {
    dir.join("celeba/list_attr_celeba.txt").is_file()
}

/// Whether the attribute list is in a folder.
pub(crate) fn is_here(dir: &Path) -> bool {
    find(dir, "Anno", "list_attr_celeba.txt").0.is_some()
}

/// A file or folder in its official place or straight in the folder, and its official place for messages; a list may be CSV, and a folder
/// may lie in another of its name.
fn find(dir: &Path, room: &str, name: &str) -> (Option<PathBuf>, PathBuf) {
    let official = dir.join(room).join(name);
    let straight = dir.join(name);
    let as_csv = [&official, &straight].map(|path| path.with_extension("csv"));
    let places =
        [official.clone(), straight].into_iter().chain(as_csv.into_iter().filter(|path| path.is_file()));
    let found = places.into_iter().find(|path| path.exists()).map(|path| {
        let inner = path.join(name);
        if inner.is_dir() { inner } else { path }
    });
    (found, official)
}

impl Lists {
    fn read(dir: &Path, report: &mut ReadReport) -> Result<Self, DataError> {
        let mut list = |room: &str, name: &str, header, width| {
            let (found, official) = find(dir, room, name);
            Rows::read_optional(found, &official, header, width, report)
        };
        Ok(Self {
            identity: list("Anno", "identity_CelebA.txt", Header::None, 1)?,
            partition: list("Eval", "list_eval_partition.txt", Header::None, 1)?,
            boxes: list("Anno", "list_bbox_celeba.txt", Header::Names, 4)?,
            landmarks: list("Anno", "list_landmarks_celeba.txt", Header::Names, 10)?,
            landmarks_aligned: list("Anno", "list_landmarks_align_celeba.txt", Header::Names, 10)?,
        })
    }
}

fn add_images(
    set: &mut Dataset,
    folder: &Path,
    framing: Framing,
    tags: &Rows,
    lists: &Lists,
) -> Result<(), DataError> {
    // Some copies have 0 for no; beside -1 it says nothing.
    let zero_is_no = !tags.iter().any(|(_, _, row)| row.contains(&-1));
    let known: std::collections::BTreeSet<String> =
        set.samples.iter().filter(|s| s.framing == framing).map(|s| s.name.clone()).collect();
    for path in images::in_folder(folder, &mut set.report)? {
        let Some((name, row)) = row_of(&path, tags) else {
            set.report.add(FindingKind::ImageWithoutRow, path.display().to_string());
            continue;
        };
        if known.contains(&name) {
            continue;
        }
        let mut sample = Sample::new(path, name, framing);
        sample.tags = row.iter().map(|value| tag(*value, zero_is_no)).collect();
        let unreadable = sample.tags.iter().filter(|t| t.is_none()).count();
        for _ in 0..unreadable {
            set.report.add(FindingKind::UnreadableTag, sample.name.clone());
        }
        sample.face = Some(true);
        sample.identity = lists
            .identity
            .as_ref()
            .and_then(|list| list.first(&sample.name))
            .and_then(|identity| u32::try_from(identity).ok());
        if sample.identity.is_none() && lists.identity.is_some() {
            set.report.add(FindingKind::ImageWithoutIdentity, sample.name.clone());
        }
        let points = match framing {
            Framing::Photo => &lists.landmarks,
            Framing::Aligned => &lists.landmarks_aligned,
        };
        sample.landmarks = points.as_ref().and_then(|list| list.get(&sample.name)).and_then(landmarks);
        if framing == Framing::Photo
            && let Some(row) = lists.boxes.as_ref().and_then(|list| list.get(&sample.name))
        {
            sample.rect = rect(row);
            if sample.rect.is_none() {
                set.report.add(FindingKind::EmptyBox, sample.name.clone());
            }
        }
        set.samples.push(sample);
    }
    Ok(())
}

/// An image's row: by its own name, else by that name with the ending `.jpg`.
fn row_of<'a>(path: &Path, tags: &'a Rows) -> Option<(String, &'a [i64])> {
    let name = images::file_name(path);
    if let Some(row) = tags.get(&name) {
        return Some((name, row));
    }
    let name = format!("{}.jpg", path.file_stem()?.to_string_lossy());
    tags.get(&name).map(|row| (name, row))
}

fn tag(value: i64, zero_is_no: bool) -> Option<bool> {
    match value {
        1 => Some(true),
        -1 => Some(false),
        0 if zero_is_no => Some(false),
        _ => None,
    }
}

fn rect(row: &[i64]) -> Option<Rect> {
    let [x, y, width, height] = *row else { return None };
    (width > 0 && height > 0).then_some(Rect {
        x: x as f32,
        y: y as f32,
        width: width as f32,
        height: height as f32,
    })
}

fn landmarks(row: &[i64]) -> Option<[Point; 5]> {
    let [a, b, c, d, e, f, g, h, i, j] = *row else { return None };
    Some([(a, b), (c, d), (e, f), (g, h), (i, j)].map(|(x, y)| Point { x: x as f32, y: y as f32 }))
}

fn count_rows_without_image(set: &mut Dataset, tags: &Rows) {
    let there: std::collections::BTreeSet<&str> = set.samples.iter().map(|s| s.name.as_str()).collect();
    let mut report = ReadReport::default();
    for (name, line, _) in tags.iter() {
        if !there.contains(name) {
            report.add(FindingKind::RowWithoutImage, format!("{}: {name}", tags.place(line)));
        }
    }
    set.report.merge(report);
}
