//! Photos with the boxes of all their faces, for measuring where faces are found: `images/` and `boxes.csv` with a row a face.
//!
//! | column | meaning |
//! |---|---|
//! | `file` | the image, relative to `images/` |
//! | `x`, `y`, `w`, `h` (or `width`, `height`) | the box, in pixels of the file: left and top edge, extent |
//! | `invalid` | 1 where the face is too unclear to be asked for: neither found nor a false alarm; may be left out |
//!
//! Other columns are passed over. A box that is left out would count as a false alarm where it is found, so a row that does not fit is an error here.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use lineament::Rect;

use crate::error::DataError;
use crate::images;
use crate::report::{FindingKind, ReadReport};

/// The list of boxes.
const TABLE: &str = "boxes.csv";
/// The folder of the images.
const IMAGES: &str = "images";

/// A box that somebody drew around a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenBox {
    /// In pixels of the file.
    pub rect: Rect,
    /// Whether the face is too unclear to be asked for.
    pub invalid: bool,
}

/// An image, and all faces in it.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxedImage {
    /// Where it is.
    pub path: PathBuf,
    /// The boxes of its faces.
    pub boxes: Vec<GivenBox>,
}

/// Images with the boxes of all their faces.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxedSet {
    /// The folder's name.
    pub name: String,
    /// The images that have a row, in the order of their first one.
    pub images: Vec<BoxedImage>,
    /// What did not fit.
    pub report: ReadReport,
}

/// Whether a folder is laid out so.
pub fn detect(folder: &Path) -> bool {
    folder.join(TABLE).is_file() && folder.join(IMAGES).is_dir()
}

/// Reads the list of boxes. Images that it does not name are counted and left out; one that is not there shows when it is opened.
///
/// # Errors
/// Where `boxes.csv` or `images/` is missing, or a row does not fit: its line is named.
pub fn read(folder: &Path) -> Result<BoxedSet, DataError> {
    let (table, root) = (folder.join(TABLE), folder.join(IMAGES));
    if !table.is_file() {
        return Err(DataError::missing(&table, "a row a face is expected there, with columns file,x,y,w,h"));
    }
    let mut report = ReadReport::default();
    let mut unnamed: BTreeMap<PathBuf, ()> =
        images::below(&root, &mut report)?.into_iter().map(|path| (path, ())).collect();
    let unread = |error: csv::Error| malformed(&table, error.position(), error.to_string());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&table).map_err(unread)?;
    let columns = Columns::of(&table, reader.headers().map_err(unread)?)?;
    let mut found: Vec<BoxedImage> = Vec::new();
    let mut index: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(unread)?;
        let wrong = |problem| malformed(&table, row.position(), problem);
        let path = root.join(columns.file(&row).map_err(wrong)?);
        let given = columns.given(&row).map_err(wrong)?;
        unnamed.remove(&path);
        let place = *index.entry(path).or_insert_with_key(|path| {
            found.push(BoxedImage { path: path.clone(), boxes: Vec::new() });
            found.len() - 1
        });
        if let Some(image) = found.get_mut(place) {
            image.boxes.push(given);
        }
    }
    if found.is_empty() {
        return Err(DataError::no_images(&table, "a row a face is expected there"));
    }
    for path in unnamed.into_keys() {
        report.add(FindingKind::ImageWithoutRow, path.display().to_string());
    }
    Ok(BoxedSet { name: images::set_name(folder, "boxes"), images: found, report })
}

fn malformed(table: &Path, position: Option<&csv::Position>, problem: String) -> DataError {
    let line = position.map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
    DataError::Malformed { path: table.to_path_buf(), line, problem }
}

/// Where the columns stand.
struct Columns {
    file: usize,
    /// Of `x`, `y`, `w`, `h`.
    sides: [usize; 4],
    invalid: Option<usize>,
}

impl Columns {
    fn of(table: &Path, header: &csv::StringRecord) -> Result<Self, DataError> {
        let place = |names: &[&str]| {
            let is = |cell: &str| names.iter().any(|name| cell.trim().eq_ignore_ascii_case(name));
            header.iter().position(is)
        };
        let needed = |names: &[&str]| {
            place(names).ok_or_else(|| {
                let names = names.join(" or ");
                malformed(
                    table,
                    header.position(),
                    format!("there is no column {names}: file,x,y,w,h are needed"),
                )
            })
        };
        let sides = [needed(&["x"])?, needed(&["y"])?, needed(&["w", "width"])?, needed(&["h", "height"])?];
        Ok(Self { file: needed(&["file", "path"])?, sides, invalid: place(&["invalid"]) })
    }

    /// The image of a row. A table is often somebody else's: it may name images below `images/`, not files elsewhere.
    fn file<'a>(&self, row: &'a csv::StringRecord) -> Result<&'a Path, String> {
        let name = row.get(self.file).unwrap_or_default().trim();
        let path = Path::new(name);
        if name.is_empty() {
            return Err("the name of the image is empty".to_owned());
        }
        match path.components().all(|part| matches!(part, Component::Normal(_))) {
            true => Ok(path),
            false => Err(format!("{name} leads out of {IMAGES}/")),
        }
    }

    fn given(&self, row: &csv::StringRecord) -> Result<GivenBox, String> {
        let number = |column: usize| {
            let cell = row.get(column).unwrap_or_default().trim();
            let value = cell.parse::<f32>().ok().filter(|value| value.is_finite());
            value.ok_or_else(|| format!("{cell:?} is no number; x, y, w, h are pixels"))
        };
        let [x, y, width, height] = self.sides;
        let rect = Rect::new(number(x)?, number(y)?, number(width)?, number(height)?);
        let invalid = match self.invalid.and_then(|column| row.get(column)).map_or("", str::trim) {
            "" | "0" => false,
            "1" => true,
            other => return Err(format!("invalid is {other:?}; 0 or 1 is expected")),
        };
        // WIDER FACE has a few boxes without an area, which are marked.
        let empty = rect.width <= 0.0 || rect.height <= 0.0;
        match empty && !invalid {
            true => Err(format!("the box of {} x {} pixels has no area", rect.width, rect.height)),
            false => Ok(GivenBox { rect, invalid }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(table: &str, images: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(IMAGES)).unwrap();
        for image in images {
            fs::write(folder.path().join(IMAGES).join(image), b"").unwrap();
        }
        fs::write(folder.path().join(TABLE), table).unwrap();
        folder
    }

    #[test]
    fn the_boxes_of_an_image_are_together_wherever_their_rows_stand() {
        let table = "blur,H,w,file,x,y,invalid\n2,4,3,a.jpg,1,2.5,0\n0,8,7,b.jpg,5,6,1\n0,0,0,a.jpg,9,9,1\n";
        let folder = folder(table, &["a.jpg", "b.jpg", "c.jpg"]);
        assert!(detect(folder.path()) && !detect(&folder.path().join(IMAGES)));
        let set = read(folder.path()).unwrap();
        let given = |x, y, width, height, invalid| GivenBox { rect: Rect::new(x, y, width, height), invalid };
        let boxes: Vec<&[GivenBox]> = set.images.iter().map(|image| image.boxes.as_slice()).collect();
        let [first, second] = [
            [given(1.0, 2.5, 3.0, 4.0, false), given(9.0, 9.0, 0.0, 0.0, true)].to_vec(),
            vec![given(5.0, 6.0, 7.0, 8.0, true)],
        ];
        assert_eq!(boxes, [first.as_slice(), &second]);
        assert_eq!(set.images[1].path, folder.path().join("images/b.jpg"));
        assert_eq!(set.report.count(FindingKind::ImageWithoutRow), 1);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_line() {
        let good = "file,x,y,w,h,invalid\na.jpg,1,2,3,4,0\n";
        for (row, said) in [
            ("a.jpg,1,2,3,four,0", "\"four\""),
            ("a.jpg,1,2,3,nan,0", "\"nan\""),
            ("a.jpg,1,2,3", "\"\""),
            ("a.jpg,1,2,0,4,0", "no area"),
            ("a.jpg,1,2,-3,4,0", "no area"),
            ("a.jpg,1,2,3,4,maybe", "\"maybe\""),
            (",1,2,3,4,0", "empty"),
            ("../a.jpg,1,2,3,4,0", "leads out"),
            ("/etc/a.jpg,1,2,3,4,0", "leads out"),
        ] {
            let folder = folder(&format!("{good}{row}\n"), &["a.jpg"]);
            let error = read(folder.path()).unwrap_err();
            assert!(matches!(&error, DataError::Malformed { line: 3, .. }), "{row}: {error}");
            assert!(error.to_string().contains(said), "{row}: {error}");
        }
    }

    #[test]
    fn a_list_without_its_columns_rows_or_folder_is_refused() {
        let error = read(folder("file,x,y,w\na.jpg,1,2,3\n", &["a.jpg"]).path()).unwrap_err().to_string();
        assert!(error.contains("line 1: there is no column h or height"), "{error}");
        let error = read(folder("file,x,y,w,h\n", &["a.jpg"]).path()).unwrap_err();
        assert!(matches!(error, DataError::NoImages { .. }), "{error}");
        let error = read(tempfile::tempdir().unwrap().path()).unwrap_err();
        assert!(matches!(error, DataError::Missing { .. }), "{error}");
    }
}
