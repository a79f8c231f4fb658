//! Reading and writing the bundle's file.

use super::card::{Card, CardError};
use super::error::BundleError;
use crate::attributes::LinearSvms;
use crate::output::write_whole;
use lineament_net::{Array, Precision, Stored, Weights, WeightsError};
use safetensors::tensor::{TensorInfo, TensorView};
use safetensors::{SafeTensorError, SafeTensors, View};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Metadata key of the card.
const CARD: &str = "lineament";
/// Metadata key of the checksum over card and tensors.
const CHECKSUM: &str = "sha256";
/// The tensors' names begin with these, and a dot.
const NETS: [&str; 3] = ["lnet_o", "lnet_s", "anet"];
const SVM: &str = "svm";

/// The learnt parts of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Weights of LNet_o.
    pub lnet_o: Weights,
    /// Weights of LNet_s.
    pub lnet_s: Weights,
    /// Weights of ANet.
    pub anet: Weights,
    /// The SVMs on ANet's FC vectors.
    pub svms: LinearSvms,
}

/// A model in one file, read and checked whole.
///
/// The file is plain safetensors: tensors `lnet_o.*`, `lnet_s.*`, `anet.*` (F16 or F32), `svm.weight` `[attributes, features]`
/// and `svm.bias` `[attributes]` (F32); in its metadata the [`Card`] as JSON under `lineament` and, under `sha256`, a
/// checksum over card and tensors that tells damage from contents.
#[derive(Clone, Debug)]
pub struct Bundle {
    bytes: Cow<'static, [u8]>,
    card: Card,
    parts: Parts,
}

impl Bundle {
    /// Largest file that is read as a bundle.
    pub const MAX_BYTES: u64 = 512 << 20;

    /// A bundle of freshly learnt parts. What comes back is what a reader of its file will get: with
    /// [`Precision::F16`] the weights of the nets are rounded.
    ///
    /// # Errors
    /// A card that is wrong, or parts that do not fit it.
    pub fn new(card: &Card, parts: &Parts, precision: Precision) -> Result<Self, BundleError> {
        let json = card.to_json()?;
        let mut tensors = Vec::new();
        let nets = NETS.into_iter().zip([&parts.lnet_o, &parts.lnet_s, &parts.anet]);
        for (net, weights) in nets {
            let refused = |reason| BundleError::Weights { net, reason };
            tensors.extend(weights.to_tensors(net, precision).map_err(refused)?);
        }
        tensors.extend(stored_svms(&parts.svms)?);

        Self::of_bytes(Cow::Owned(assemble(tensors, json)?))
    }

    /// The same nets, bit for bit as they are stored, under another card and with other SVMs.
    ///
    /// # Errors
    /// A card that is wrong, or that does not fit nets and SVMs.
    pub fn with_svms(&self, card: &Card, svms: &LinearSvms) -> Result<Self, BundleError> {
        let json = card.to_json()?;
        let file = SafeTensors::deserialize(&self.bytes).map_err(damaged)?;
        let is_net = |name: &str| !name.strip_prefix(SVM).is_some_and(|rest| rest.starts_with('.'));
        let mut tensors: Vec<_> = file.tensors().into_iter().filter(|(name, _)| is_net(name)).collect();
        let stored = stored_svms(svms)?;
        for (name, tensor) in &stored {
            let data = tensor.data();
            // The bytes are borrowed from `stored`, which outlives the file.
            let Cow::Borrowed(data) = data else { continue };
            let view = TensorView::new(tensor.dtype(), tensor.shape().to_vec(), data).map_err(damaged)?;
            tensors.push((name.clone(), view));
        }
        Self::of_bytes(Cow::Owned(assemble(tensors, json)?))
    }

    /// Reads a bundle's file.
    ///
    /// # Errors
    /// [`BundleError::At`] with the path and what is wrong.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let read = || {
            let file = File::open(path).map_err(BundleError::Unreadable)?;
            let told = file.metadata().map_err(BundleError::Unreadable)?;
            if told.is_dir() {
                let reason = std::io::Error::other("it is a folder");
                return Err(BundleError::Unreadable(reason));
            }
            if told.len() > Self::MAX_BYTES {
                return Err(BundleError::TooLarge { limit: Self::MAX_BYTES });
            }
            let mut bytes = Vec::with_capacity(usize::try_from(told.len()).unwrap_or(0));
            // A pipe does not tell its size.
            file.take(Self::MAX_BYTES + 1).read_to_end(&mut bytes).map_err(BundleError::Unreadable)?;
            Self::of_bytes(Cow::Owned(bytes))
        };
        read().map_err(|cause| BundleError::At { path: path.to_owned(), cause: Box::new(cause) })
    }

    /// Reads a bundle from memory.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        Self::of_bytes(Cow::Owned(bytes.to_vec()))
    }

    /// The model that this build carries (feature `default-model`).
    ///
    /// # Errors
    /// [`BundleError::NotEmbedded`] in a build without one.
    pub fn embedded() -> Result<Self, BundleError> {
        #[cfg(feature = "default-model")]
        return Self::of_bytes(Cow::Borrowed(include_bytes!("../../model/default.lineament")));
        #[cfg(not(feature = "default-model"))]
        Err(BundleError::NotEmbedded)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`BundleError::At`] with the path and what the file system says.
    pub fn write(&self, path: &Path) -> Result<(), BundleError> {
        write_whole(path, |file| file.write_all(&self.bytes)).map_err(|error| BundleError::At {
            path: path.to_owned(),
            cause: Box::new(BundleError::Unwritable(error)),
        })
    }

    /// SHA-256 of the file, in hexadecimal: what `sha256sum` says of it.
    pub fn hash(&self) -> String {
        hexadecimal(&Sha256::digest(&self.bytes))
    }

    /// The file itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The card.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The weights and SVMs.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The card and the weights, without the file.
    pub fn into_parts(self) -> (Card, Parts) {
        (self.card, self.parts)
    }

    fn of_bytes(bytes: Cow<'static, [u8]>) -> Result<Self, BundleError> {
        if bytes.len() as u64 > Self::MAX_BYTES {
            return Err(BundleError::TooLarge { limit: Self::MAX_BYTES });
        }
        let (card, parts) = parse(&bytes)?;
        Ok(Self { bytes, card, parts })
    }
}

/// The SVMs as the file holds them, in single precision.
fn stored_svms(svms: &LinearSvms) -> Result<Vec<(String, Stored)>, BundleError> {
    let (attributes, features) = (svms.attributes(), svms.features());
    let arrays: Weights = [
        ("weight".to_owned(), vec![attributes, features], svms.weight()),
        ("bias".to_owned(), vec![attributes], svms.bias()),
    ]
    .into_iter()
    .map(|(name, shape, data)| (name, Array { shape, data: data.to_vec() }))
    .collect();
    arrays.to_tensors(SVM, Precision::F32).map_err(|reason| BundleError::Weights { net: SVM, reason })
}

/// The file of these tensors and this card. The header is written here because safetensors keeps metadata in a hash map:
/// the same model must give the same bytes, and so the same hash.
fn assemble<V: View>(tensors: Vec<(String, V)>, json: String) -> Result<Vec<u8>, BundleError> {
    #[derive(Serialize)]
    struct Header<'a> {
        #[serde(rename = "__metadata__")]
        metadata: BTreeMap<&'a str, String>,
        #[serde(flatten)]
        tensors: BTreeMap<String, &'a TensorInfo>,
    }
    let plain = safetensors::serialize(tensors, None).map_err(damaged)?;
    let checksum = checksum(&json, &SafeTensors::deserialize(&plain).map_err(damaged)?);
    let (length, found) = SafeTensors::read_metadata(&plain).map_err(damaged)?;
    let header = Header {
        metadata: BTreeMap::from([(CARD, json), (CHECKSUM, checksum)]),
        tensors: found.tensors().into_iter().collect(),
    };
    let mut header = serde_json::to_vec(&header).map_err(CardError::Json)?;
    // The format wants the data aligned to eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let data = plain.get(8 + length..).unwrap_or_default();
    Ok([&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat())
}

fn damaged(error: SafeTensorError) -> BundleError {
    BundleError::NotSafetensors { reason: error.to_string() }
}

fn parse(bytes: &[u8]) -> Result<(Card, Parts), BundleError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let metadata = header.metadata().as_ref().ok_or(BundleError::NoCard)?;
    let json = metadata.get(CARD).ok_or(BundleError::NoCard)?;
    // The format before all else: a newer bundle may differ in anything, its checksum too.
    Card::check_format(json)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    if metadata.get(CHECKSUM) != Some(&checksum(json, &file)) {
        return Err(BundleError::Checksum);
    }
    let card = Card::from_json(json)?;
    let svm_names = [format!("{SVM}.weight"), format!("{SVM}.bias")];
    let known = |name: &str| {
        let of_net = |net| name.split_once('.').is_some_and(|(first, _)| first == net);
        NETS.into_iter().any(of_net) || svm_names.iter().any(|svm| svm == name)
    };
    let mut names = file.names();
    names.sort_unstable();
    if let Some(stray) = names.into_iter().find(|name| !known(name)) {
        return Err(BundleError::Stray(stray.chars().take(200).collect()));
    }
    let weights = |net, spec| {
        let checked = Weights::from_safetensors(bytes, net).and_then(|weights| {
            weights.check(spec)?;
            Ok(weights)
        });
        checked.map_err(|reason| BundleError::Weights { net, reason })
    };
    let [lnet_o, lnet_s, anet] = NETS;
    let parts = Parts {
        lnet_o: weights(lnet_o, &card.lnet_o)?,
        lnet_s: weights(lnet_s, &card.lnet_s)?,
        anet: weights(anet, &card.anet)?,
        svms: svms(bytes, &card)?,
    };
    Ok((card, parts))
}

fn svms(bytes: &[u8], card: &Card) -> Result<LinearSvms, BundleError> {
    let refused = |reason| BundleError::Weights { net: SVM, reason };
    let mut arrays = Weights::from_safetensors(bytes, SVM).map_err(refused)?;
    let mut take = |name: &str| {
        arrays.remove(name).ok_or_else(|| {
            refused(WeightsError::Missing { name: format!("{SVM}.{name}"), net: SVM.to_owned() })
        })
    };
    let (weight, bias) = (take("weight")?, take("bias")?);
    let attributes = card.attributes.len();
    let features = card.anet.output().map_err(|reason| CardError::Net { net: "anet", reason })?.elements();
    if weight.shape != [attributes, features] || bias.shape != [attributes] {
        return Err(BundleError::SvmShape { weight: weight.shape, bias: bias.shape, attributes, features });
    }
    Ok(LinearSvms::new(features, weight.data, bias.data)?)
}

/// SHA-256 over the card and, by name, every tensor's name, format, shape and bytes, each with its length before it.
fn checksum(json: &str, file: &SafeTensors<'_>) -> String {
    let mut hasher = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(json.as_bytes());
    let mut tensors = file.tensors();
    tensors.sort_by(|(left, _), (right, _)| left.cmp(right));
    for (name, tensor) in &tensors {
        add(name.as_bytes());
        add(format!("{:?} {:?}", tensor.dtype(), tensor.shape()).as_bytes());
        add(tensor.data());
    }
    hexadecimal(&hasher.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
