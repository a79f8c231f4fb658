//! An image and what is known about it, and a list of such.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lineament::{Point, Rect};
use serde::{Deserialize, Serialize};

use crate::report::ReadReport;
use crate::split::Split;

/// How a face sits in its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// A photo as it was taken: faces anywhere, of any size, or none.
    Photo,
    /// Cut around one face, at about the same place and size in every image of the set.
    Aligned,
}

/// One image file and what is known about it. Nothing of the image itself is read yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where the image is.
    pub path: PathBuf,
    /// Its name in the data set; the same image in two framings has the same name twice.
    pub name: String,
    /// Un-cropped or cut around the face.
    pub framing: Framing,
    /// The part of the data set.
    pub split: Split,
    /// One entry for each of [`Dataset::attributes`]; `None` is unknown. Empty where the set has no attributes.
    pub tags: Vec<Option<bool>>,
    /// Another model's probabilities for the attributes, in the same order: a teacher, never the truth.
    pub teacher: Option<Vec<f32>>,
    /// Who is on it: a number that means a person within this data set only.
    pub identity: Option<u32>,
    /// The object's class: an index into [`Dataset::classes`].
    pub class: Option<u32>,
    /// Whether there is a face; `None` where nobody looked.
    pub face: Option<bool>,
    /// The box of the dominant face, in pixels of this file.
    pub rect: Option<Rect>,
    /// Left eye, right eye, nose, left and right corner of the mouth (left and right as seen in the image), in pixels
    /// of this file.
    pub landmarks: Option<[Point; 5]>,
}

impl Sample {
    /// An image of which nothing is known yet; it is in [`Split::Train`] until a reader says otherwise.
    pub fn new(path: PathBuf, name: String, framing: Framing) -> Self {
        Self {
            path,
            name,
            framing,
            split: Split::Train,
            tags: Vec::new(),
            teacher: None,
            identity: None,
            class: None,
            face: None,
            rect: None,
            landmarks: None,
        }
    }
}

/// A list of images with their labels, as a reader found them.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What it is called in logs and cards.
    pub name: String,
    /// The names of the attributes, in the order of [`Sample::tags`].
    pub attributes: Vec<String>,
    /// The names of the object classes, in the order of [`Sample::class`].
    pub classes: Vec<String>,
    /// The images, in an order that depends on the files alone.
    pub samples: Vec<Sample>,
    /// What did not fit.
    pub report: ReadReport,
}

impl Dataset {
    /// An empty set.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            classes: Vec::new(),
            samples: Vec::new(),
            report: ReadReport::default(),
        }
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The same set with only the samples that `keep` takes.
    pub fn filter(&self, keep: impl Fn(&Sample) -> bool) -> Self {
        Self {
            name: self.name.clone(),
            attributes: self.attributes.clone(),
            classes: self.classes.clone(),
            samples: self.samples.iter().filter(|s| keep(s)).cloned().collect(),
            report: self.report.clone(),
        }
    }

    /// The images of one split, or of all.
    pub fn split(&self, split: Split) -> Self {
        self.filter(|s| split.holds(s.split))
    }

    /// The images of one framing.
    pub fn framing(&self, framing: Framing) -> Self {
        self.filter(|s| s.framing == framing)
    }

    /// Every image once: where a name is there in both framings, the `preferred` one is kept. The order stays.
    pub fn once_each(&self, preferred: Framing) -> Self {
        let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, sample) in self.samples.iter().enumerate() {
            let best = kept.entry(&sample.name).or_insert(place);
            let held = self.samples.get(*best).map(|s| s.framing);
            if held != Some(preferred) && sample.framing == preferred {
                *best = place;
            }
        }
        let mut places: Vec<usize> = kept.into_values().collect();
        places.sort_unstable();
        Self {
            name: self.name.clone(),
            attributes: self.attributes.clone(),
            classes: self.classes.clone(),
            samples: places.iter().filter_map(|p| self.samples.get(*p)).cloned().collect(),
            report: self.report.clone(),
        }
    }

    /// The place of an attribute.
    pub fn attribute(&self, name: &str) -> Option<usize> {
        self.attributes.iter().position(|a| a == name)
    }

    /// The same set with its tags and teacher's probabilities in the order of `names`. Tags that this set has not are unknown; soft tags are dropped
    /// where this set lacks any of the names.
    pub fn with_attributes(&self, names: &[String]) -> Self {
        let places: Vec<Option<usize>> = names.iter().map(|n| self.attribute(n)).collect();
        let mut set = self.clone();
        set.attributes = names.to_vec();
        for sample in &mut set.samples {
            let tags = places.iter().map(|p| p.and_then(|p| sample.tags.get(p).copied().flatten())).collect();
            sample.tags = tags;
            sample.teacher = sample
                .teacher
                .take()
                .and_then(|known| places.iter().map(|p| known.get((*p)?).copied()).collect());
        }
        set
    }

    /// How many different people are named.
    pub fn people(&self) -> usize {
        let ids: std::collections::BTreeSet<u32> = self.samples.iter().filter_map(|s| s.identity).collect();
        ids.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str, framing: Framing) -> Sample {
        Sample::new(format!("{framing:?}/{name}").into(), name.to_owned(), framing)
    }

    fn set() -> Dataset {
        let mut set = Dataset::new("test");
        set.attributes = vec!["Male".into(), "Young".into()];
        set.samples = vec![
            sample("a", Framing::Aligned),
            sample("b", Framing::Aligned),
            sample("b", Framing::Photo),
            sample("c", Framing::Photo),
        ];
        set
    }

    #[test]
    fn an_image_in_two_framings_counts_once() {
        let framings = |set: Dataset| -> Vec<(String, Framing)> {
            set.samples.into_iter().map(|s| (s.name, s.framing)).collect()
        };
        let photo = framings(set().once_each(Framing::Photo));
        let expected = [("a", Framing::Aligned), ("b", Framing::Photo), ("c", Framing::Photo)];
        assert_eq!(photo, expected.map(|(n, f)| (n.to_owned(), f)));
        let aligned = framings(set().once_each(Framing::Aligned));
        let expected = [("a", Framing::Aligned), ("b", Framing::Aligned), ("c", Framing::Photo)];
        assert_eq!(aligned, expected.map(|(n, f)| (n.to_owned(), f)));
    }

    #[test]
    fn attributes_are_put_in_another_order() {
        let mut data = set();
        for sample in &mut data.samples {
            sample.tags = vec![Some(true), Some(false)];
            sample.teacher = Some(vec![0.9, 0.1]);
        }
        let turned = data.with_attributes(&["Young".to_owned(), "Male".to_owned()]);
        assert_eq!(turned.samples.first().map(|s| s.tags.clone()), Some(vec![Some(false), Some(true)]));
        assert_eq!(turned.samples.first().and_then(|s| s.teacher.clone()), Some(vec![0.1, 0.9]));
        let wider = data.with_attributes(&["Hat".to_owned(), "Male".to_owned()]);
        assert_eq!(wider.samples.first().map(|s| s.tags.clone()), Some(vec![None, Some(true)]));
        assert_eq!(wider.samples.first().and_then(|s| s.teacher.clone()), None);
    }
}
