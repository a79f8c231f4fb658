//! Labels that the model denies most surely: worth a second look by a person, whoever is right.

use serde::Serialize;

use super::Answered;

/// One label that is doubted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// The file, as the data set names it.
    #[serde(rename = "picture")]
    pub image: String,
    /// The attribute.
    pub attribute: String,
    /// The label.
    pub label: bool,
    /// How likely the model holds the label to be right, 0 to 1.
    pub probability_of_label: f32,
}

/// The least likely labels among those that the model answers differently, least likely first.
pub(super) fn doubts(images: &[Answered], names: &[&str], most: usize) -> Vec<Doubt> {
    let mut all = Vec::new();
    for image in images {
        for ((name, tag), answer) in names.iter().zip(&image.tags).zip(&image.answers) {
            let Some(label) = *tag else { continue };
            if label != answer.present {
                let likely = if label { answer.probability } else { 1.0 - answer.probability };
                all.push((likely, &image.name, *name, label));
            }
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    all.truncate(most);
    let doubt = |(probability_of_label, image, attribute, label): (f32, &String, &str, bool)| Doubt {
        image: image.clone(),
        attribute: attribute.to_owned(),
        label,
        probability_of_label,
    };
    all.into_iter().map(doubt).collect()
}
