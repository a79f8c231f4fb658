//! The pictures that an attribute is taught from: two sides of files, or columns of a table.

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

/// A picture and what is said of it.
struct Picture {
    path: PathBuf,
    person: Option<u32>,
    /// One entry an attribute.
    answers: Vec<Option<bool>>,
}

/// All pictures of a call.
pub struct Pictures {
    pictures: Vec<Picture>,
    /// What is left out together.
    pub by: Group,
    /// Places that could not be looked into.
    unread: Vec<(PathBuf, String)>,
}

/// The pictures after they were looked at.
pub struct Looked<'a> {
    seen: Vec<(&'a Picture, ImageEmbedding)>,
    /// Pictures in which no face was found.
    pub without_face: Vec<&'a Path>,
    /// Pictures that could not be read, and why.
    pub unread: Vec<(PathBuf, String)>,
    /// Pictures with several faces.
    pub crowded: usize,
    all: &'a [Picture],
}

impl Pictures {
    /// Lists them; nothing is opened yet.
    pub fn find(arguments: &TeachArguments) -> Result<Self> {
        let mut found = match &arguments.data {
            Some(path) => Self::of_table(path, arguments)?,
            None => Self::of_folders(arguments)?,
        };
        if let Some(most) = arguments.pictures {
            found.draw(most as usize, arguments.names.len(), arguments.seed);
        }
        Ok(found)
    }

    fn of_folders(arguments: &TeachArguments) -> Result<Self> {
        let mut found = Self { pictures: Vec::new(), by: Group::Picture, unread: Vec::new() };
        for (paths, answer) in [(&arguments.positive, true), (&arguments.negative, false)] {
            let before = found.pictures.len();
            for input in Inputs::of(paths)? {
                match input {
                    Ok(input) => found.pictures.push(Picture {
                        path: input.path,
                        person: None,
                        answers: vec![Some(answer)],
                    }),
                    Err(unread) => found.unread.push((PathBuf::new(), unread.0)),
                }
            }
            if found.pictures.len() == before {
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
            // Where nobody set pictures apart to measure on, all of them are to learn from.
            None if drawn => None,
            None => Some(Split::Train),
        };
        let set = set.once_each(Framing::Photo);
        let samples = set.samples.into_iter().filter(|sample| part.is_none_or(|part| sample.split == part));
        let pictures: Vec<Picture> = samples
            .map(|sample| Picture {
                answers: columns.iter().map(|place| sample.tags.get(*place).copied().flatten()).collect(),
                path: sample.path,
                person: sample.identity,
            })
            .filter(|picture| picture.answers.iter().any(Option::is_some))
            .collect();
        if pictures.is_empty() {
            bail!("no picture of {} says anything of {}", path.display(), arguments.names.join(", "));
        }
        let known = pictures.iter().any(|picture| picture.person.is_some());
        Ok(Self { pictures, by: if known { Group::Person } else { Group::Picture }, unread: Vec::new() })
    }

    /// Keeps at most `most` answers of each kind of every attribute, drawn at random.
    fn draw(&mut self, most: usize, attributes: usize, seed: u64) {
        for attribute in 0..attributes {
            let mut left = [most; 2];
            for place in shuffled(self.pictures.len(), seed, attribute as u64) {
                let picture = self.pictures.get_mut(place);
                let Some(answer) = picture.and_then(|picture| picture.answers.get_mut(attribute)) else {
                    continue;
                };
                let Some(kind) = *answer else { continue };
                match left.get_mut(usize::from(kind)) {
                    Some(left) if *left > 0 => *left -= 1,
                    _ => *answer = None,
                }
            }
        }
        self.pictures.retain(|picture| picture.answers.iter().any(Option::is_some));
    }

    /// Finds the face of every picture, side by side.
    pub fn look(&self, tagger: &Tagger) -> Looked<'_> {
        let bar = progress::bar(Some(self.pictures.len() as u64), false);
        let of = |picture: &Picture| {
            let seen = embed(tagger, &picture.path);
            bar.inc(1);
            seen
        };
        let embeddings: Vec<Result<Option<ImageEmbedding>, EmbedError>> =
            tagger.threads().install(|| self.pictures.par_iter().map(of).collect());
        bar.finish_and_clear();
        let mut looked = Looked {
            seen: Vec::new(),
            without_face: Vec::new(),
            unread: self.unread.clone(),
            crowded: 0,
            all: &self.pictures,
        };
        for (picture, embedding) in self.pictures.iter().zip(embeddings) {
            match embedding {
                Ok(Some(embedding)) => {
                    looked.crowded += usize::from(embedding.faces > 1);
                    looked.seen.push((picture, embedding));
                }
                Ok(None) => looked.without_face.push(&picture.path),
                Err(error) => looked.unread.push((picture.path.clone(), error.to_string())),
            }
        }
        looked
    }
}

impl Looked<'_> {
    /// The faces of which the attribute at `place` is known.
    pub fn asked(&self, place: usize) -> Vec<LabelledImage> {
        let asked = |(picture, embedding): &(&Picture, ImageEmbedding)| {
            let answer = picture.answers.get(place).copied().flatten()?;
            let name = picture.path.display().to_string();
            Some(LabelledImage { name, embedding: embedding.clone(), answer, person: picture.person })
        };
        self.seen.iter().filter_map(asked).collect()
    }

    /// How many pictures were given with the attribute at `place`, and how many without it.
    pub fn given(&self, place: usize) -> [usize; 2] {
        let of = |kind| {
            self.all
                .iter()
                .filter(|picture| picture.answers.get(place).copied().flatten() == Some(kind))
                .count()
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
