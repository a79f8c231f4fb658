//! What joins a finished model, whose nets and answers stay as they are: a net for landmarks, and one for the quality of faces.

use std::path::PathBuf;

use lineament::bundle::{Card, Parts};
use lineament::{Bundle, BundleError};
use lineament_net::Precision;

use crate::error::TrainError;
use crate::folder::Folder;
use crate::landmarks::{self, LandmarkRecipe};
use crate::quality::{self, QualityRecipe};

/// How something is learned that joins a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Addition {
    /// Landmarks.
    Landmarks(Box<LandmarkRecipe>),
    /// The quality of faces.
    Quality(Box<QualityRecipe>),
}

/// What it is asked for.
pub struct AdditionOptions<'a> {
    /// The model that it joins.
    pub base: Bundle,
    /// Folders and tables with images.
    pub data: Vec<PathBuf>,
    /// Where things go and how they are done.
    pub folder: Folder<'a>,
    /// Go on with a run that is there already.
    pub resume: bool,
}

impl Addition {
    /// Reads a recipe from TOML text; none where it is one of another kind.
    ///
    /// # Errors
    /// When it has an unknown field, or a value with which nothing could be learned.
    pub fn parse(text: &str) -> Result<Option<Self>, TrainError> {
        let Ok(table) = toml::from_str::<toml::Table>(text) else { return Ok(None) };
        if table.contains_key("landmarks") {
            return Ok(Some(Self::Landmarks(Box::new(LandmarkRecipe::parse(text)?))));
        }
        if table.contains_key("quality") {
            return Ok(Some(Self::Quality(Box::new(QualityRecipe::parse(text)?))));
        }
        Ok(None)
    }

    /// The recipe's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Landmarks(recipe) => &recipe.name,
            Self::Quality(recipe) => &recipe.name,
        }
    }

    /// Learns it and returns the path of the model with it.
    ///
    /// # Errors
    /// What stopped it; [`TrainError::Interrupted`] after a checkpoint was written.
    pub fn train(&self, options: &AdditionOptions<'_>) -> Result<PathBuf, TrainError> {
        match self {
            Self::Landmarks(recipe) => landmarks::train(recipe, options),
            Self::Quality(recipe) => quality::train(recipe, options),
        }
    }
}

impl AdditionOptions<'_> {
    /// Makes the folder and keeps the recipe in it, as [`Folder::prepare`] does.
    pub(crate) fn prepare<R>(
        &self,
        recipe: &R,
        parse: impl Fn(&str) -> Result<R, TrainError>,
    ) -> Result<(), TrainError>
    where
        R: PartialEq + serde::Serialize,
    {
        let text = toml::to_string(recipe).map_err(|e| TrainError::Recipe(e.to_string()))?;
        self.folder.prepare(&text, |kept| Ok(parse(kept)? == *recipe), self.resume, false)
    }

    /// Writes the model with what `add` puts into its card and parts, and with this line on what it learned from: `what`, and then how.
    pub(crate) fn joined(
        &self,
        what: &str,
        how: &str,
        add: impl FnOnce(&mut Card, &mut Parts),
    ) -> Result<PathBuf, TrainError> {
        let (mut card, mut parts) = self.base.clone().into_parts();
        add(&mut card, &mut parts);
        let begins = format!("{what}: ");
        card.trained_on.retain(|line| !line.starts_with(&begins));
        card.trained_on.push(begins + how);
        let refused = |e: BundleError| TrainError::Bundle(e.to_string());
        let path = self.folder.result("svms");
        Bundle::new(&card, &parts, Precision::F16).map_err(refused)?.write(&path).map_err(refused)?;
        Ok(path)
    }
}
