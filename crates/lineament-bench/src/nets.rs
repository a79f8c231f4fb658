//! The nets that are measured: those of the compact model, and of the paper's recipe with random weights.

use std::fs;

use anyhow::{Context, Result};
use lineament::Bundle;
use lineament::attributes::{AnetPatches, Extractor, Patches, Region};
use lineament::input::Preprocess;
use lineament::locate::{LnetMethod, Lnets, LocalizerSpec, PaperParameters};
use lineament::testing::{random_parts, tiny_card};
use lineament_net::{NetSpec, Precision, Tensor, Weights};
use serde::de::DeserializeOwned;

use crate::settings::Settings;

/// The seed of all random weights.
const SEED: u64 = 1;

/// A recipe, as far as measuring needs it.
pub struct Recipe(toml::Table);

impl Recipe {
    /// Opens `recipes/NAME.toml`.
    pub fn named(settings: &Settings, name: &str) -> Result<Self> {
        let path = settings.root.join("recipes").join(name).with_extension("toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Self(toml::from_str(&text)?))
    }

    fn part<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T> {
        let (first, rest) = path.split_first().context("no path")?;
        let missing = || format!("the recipe has no {}", path.join("."));
        let mut value = self.0.get(*first).with_context(missing)?;
        for name in rest {
            value = value.get(name).with_context(missing)?;
        }
        value.clone().try_into().with_context(|| path.join("."))
    }

    /// One of its nets: `lnet_o`, `lnet_s` or `anet`.
    pub fn net(&self, name: &str) -> Result<NetSpec> {
        self.part(&["nets", name])
    }

    /// Where its patches stand.
    pub fn patches(&self) -> Result<Patches> {
        self.part(&["patches"])
    }

    /// A model with random weights that is run as the recipe says; for a recipe that locates in the paper's way. LNet_s is
    /// asked about `candidates` windows at most.
    pub fn paper_model(&self, candidates: usize) -> Result<Bundle> {
        let localisation: PaperParameters = self.part(&["locating", "localisation"])?;
        let mut card = tiny_card();
        card.name = "paper".to_owned();
        card.localizer = LocalizerSpec::Lnets(Lnets {
            lnet_o: self.net("lnet_o")?,
            lnet_s: self.net("lnet_s")?,
            method: LnetMethod::Paper(PaperParameters { candidates, ..localisation }),
        });
        card.extractor = Extractor::Anet(AnetPatches {
            anet: self.net("anet")?,
            region: self.part::<Region>(&["region"])?,
            patches: self.patches()?,
        });
        card.preprocess = self.part::<Preprocess>(&["preprocess"])?;
        Ok(Bundle::new(&card, &random_parts(&card, SEED)?, Precision::F32)?)
    }

    /// How many windows the recipe lets LNet_s be asked about.
    pub fn candidates(&self) -> Result<usize> {
        Ok(self.part::<PaperParameters>(&["locating", "localisation"])?.candidates)
    }
}

/// Opens `recipes/nets/NAME.toml`.
pub fn spec(settings: &Settings, name: &str) -> Result<NetSpec> {
    let path = settings.root.join("recipes/nets").join(name).with_extension("toml");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(toml::from_str(&text)?)
}

/// Random weights for a net.
pub fn weights(spec: &NetSpec) -> Result<Weights> {
    Ok(Weights::random(spec, SEED)?)
}

/// Values that are no special case.
pub fn noise(shape: [usize; 4]) -> Result<Tensor> {
    let count = shape.iter().product::<usize>();
    Ok(Tensor::from_vec(shape, (0..count).map(|i| (i * 7919 % 255) as f32 / 255.0 - 0.5).collect())?)
}

/// A batch for a net's declared input.
pub fn batch(spec: &NetSpec, items: usize) -> Result<Tensor> {
    noise([items, spec.input.channels, spec.input.height, spec.input.width])
}

/// Floating-point operations of a batch, in units of 10^9.
pub fn gflop(spec: &NetSpec, items: usize) -> Result<f64> {
    let work = spec.multiply_adds(spec.input.height, spec.input.width)?;
    Ok(2e-9 * work as f64 * items as f64)
}
