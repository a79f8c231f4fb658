//! The images that an attribute is taught from: two sides of files, or columns of a table.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use lineament::Tagger;
use lineament::attributes::{Group, find};
use lineament_data::{Dataset, FindingKind, Framing, Layout, Split, layout, shuffled, table};
use lineament_fit::{EmbedError, ImageEmbedding, LabelledImage, embed};
use rayon::prelude::*;

use super::{PartName, TeachArguments};
use crate::inputs::Inputs;
use crate::{notes, progress};

/// An image and what is said of it.
struct Image {
    path: PathBuf,
    person: Option<u32>,
    /// One entry an attribute.
    answers: Vec<Option<bool>>,
}

/// All images of a call.
pub struct Images {
    images: Vec<Image>,
    /// What is left out together.
    pub by: Group,
    /// Places that could not be looked into.
    unread: Vec<(PathBuf, String)>,
}

/// The images after they were looked at.
pub struct Looked<'a> {
    seen: Vec<(&'a Image, ImageEmbedding)>,
    /// Images in which no face was found.
    pub without_face: Vec<&'a Path>,
    /// Images that could not be read, and why.
    pub unread: Vec<(PathBuf, String)>,
    /// Images with several faces.
    pub crowded: usize,
    all: &'a [Image],
}

impl Images {
    /// Lists them; nothing is opened yet.
    pub fn find(arguments: &TeachArguments) -> Result<Self> {
        let mut found = match &arguments.data {
            Some(path) => Self::of_table(path, arguments)?,
            None => Self::of_folders(arguments)?,
        };
        if let Some(most) = arguments.images {
            found.draw(most as usize, arguments.names.len(), arguments.seed);
        }
        Ok(found)
    }

    fn of_folders(arguments: &TeachArguments) -> Result<Self> {
        let mut found = Self { images: Vec::new(), by: Group::Image, unread: Vec::new() };
        for (paths, answer) in [(&arguments.positive, true), (&arguments.negative, false)] {
            let before = found.images.len();
            for input in Inputs::of(paths)? {
                match input {
                    Ok(input) => found.images.push(Image {
                        path: input.path,
                        person: None,
                        answers: vec![Some(answer)],
                    }),
                    Err(unread) => found.unread.push((PathBuf::new(), unread.0)),
                }
            }
            if found.images.len() == before {
                let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
                bail!("there is no picture in {}", names.join(", "));
            }
        }
        Ok(found)
    }

    fn of_table(path: &Path, arguments: &TeachArguments) -> Result<Self> {
        let set = read(path, arguments)?;
        for finding in set.report.findings().iter().filter(|finding| finding.kind != FindingKind::SplitsDrawn)
        {
            notes::note(format!(
                "{} {}: {}",
                finding.count,
                finding.kind.words(),
                finding.examples.join("; ")
            ));
        }
        let columns = arguments.names.iter().map(|name| find(&set.attributes, name));
        let columns: Vec<usize> = match columns.collect() {
            Ok(columns) => columns,
            Err(unknown) => {
                let unknown: lineament::attributes::UnknownAttribute = unknown;
                let meant =
                    unknown.suggestion.map_or(String::new(), |name| format!("; did you mean {name:?}?"));
                let there = set.attributes.join(", ");
                bail!(
                    "{} has no column {:?} of yes and no{meant} (it has {there})",
                    path.display(),
                    unknown.name
                );
            }
        };
        let drawn = set.report.count(FindingKind::SplitsDrawn) > 0;
        let part = match arguments.split {
            Some(PartName::Train) => Some(Split::Train),
            Some(PartName::Validation) => Some(Split::Validation),
            Some(PartName::Test) => Some(Split::Test),
            Some(PartName::All) => None,
            // Where nobody set images apart to measure on, all of them are to learn from.
            None if drawn => None,
            None => Some(Split::Train),
        };
        let set = set.once_each(Framing::Photo);
        let samples = set.samples.into_iter().filter(|sample| part.is_none_or(|part| sample.split == part));
        let images: Vec<Image> = samples
            .map(|sample| Image {
                answers: columns.iter().map(|place| sample.tags.get(*place).copied().flatten()).collect(),
                path: sample.path,
                person: sample.identity,
            })
            .filter(|image| image.answers.iter().any(Option::is_some))
            .collect();
        if images.is_empty() {
            bail!("no picture of {} says anything of {}", path.display(), arguments.names.join(", "));
        }
        let known = images.iter().any(|image| image.person.is_some());
        Ok(Self { images, by: if known { Group::Person } else { Group::Image }, unread: Vec::new() })
    }

    /// Keeps at most `most` answers of each kind of every attribute, drawn at random.
    fn draw(&mut self, most: usize, attributes: usize, seed: u64) {
        for attribute in 0..attributes {
            let mut left = [most; 2];
            for place in shuffled(self.images.len(), seed, attribute as u64) {
                let image = self.images.get_mut(place);
                let Some(answer) = image.and_then(|image| image.answers.get_mut(attribute)) else {
                    continue;
                };
                let Some(kind) = *answer else { continue };
                match left.get_mut(usize::from(kind)) {
                    Some(left) if *left > 0 => *left -= 1,
                    _ => *answer = None,
                }
            }
        }
        self.images.retain(|image| image.answers.iter().any(Option::is_some));
    }

    /// Finds the face of every image, side by side.
    pub fn look(&self, tagger: &Tagger) -> Looked<'_> {
        let bar = progress::bar(Some(self.images.len() as u64), false);
        let of = |image: &Image| {
            let seen = embed(tagger, &image.path);
            bar.inc(1);
            seen
        };
        let embeddings: Vec<Result<Option<ImageEmbedding>, EmbedError>> =
            tagger.threads().install(|| self.images.par_iter().map(of).collect());
        bar.finish_and_clear();
        let mut looked = Looked {
            seen: Vec::new(),
            without_face: Vec::new(),
            unread: self.unread.clone(),
            crowded: 0,
            all: &self.images,
        };
        for (image, embedding) in self.images.iter().zip(embeddings) {
            match embedding {
                Ok(Some(embedding)) => {
                    looked.crowded += usize::from(embedding.faces > 1);
                    looked.seen.push((image, embedding));
                }
                Ok(None) => looked.without_face.push(&image.path),
                Err(error) => looked.unread.push((image.path.clone(), error.to_string())),
            }
        }
        looked
    }
}

impl Looked<'_> {
    /// The faces of which the attribute at `place` is known.
    pub fn asked(&self, place: usize) -> Vec<LabelledImage> {
        let asked = |(image, embedding): &(&Image, ImageEmbedding)| {
            let answer = image.answers.get(place).copied().flatten()?;
            let name = image.path.display().to_string();
            Some(LabelledImage { name, embedding: embedding.clone(), answer, person: image.person })
        };
        self.seen.iter().filter_map(asked).collect()
    }

    /// How many images were given with the attribute at `place`, and how many without it.
    pub fn given(&self, place: usize) -> [usize; 2] {
        let of = |kind| {
            self.all.iter().filter(|image| image.answers.get(place).copied().flatten() == Some(kind)).count()
        };
        [of(true), of(false)]
    }
}

fn read(path: &Path, arguments: &TeachArguments) -> Result<Dataset> {
    let layout = match arguments.layout {
        Some(name) => Layout::from(name),
        None => layout::detect(path)?,
    };
    Ok(match (layout, &arguments.person) {
        (Layout::Table, person) => table::read_by(path, person.as_deref())?,
        (_, Some(_)) => bail!("--person names a column of a table; {} is a folder", path.display()),
        (layout, None) => layout::read(layout, path)?,
    })
}
