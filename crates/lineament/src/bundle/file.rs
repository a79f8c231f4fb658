//! Reading and writing the bundle's file.

use super::card::{Card, CardError};
use super::error::BundleError;
use crate::attributes::LinearSvms;
use crate::locate::{Detector, LocalizerSpec};
use crate::output::write_whole;
use lineament_net::{Array, NetSpec, Precision, Stored, Weights, WeightsError};
use safetensors::tensor::{TensorInfo, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors, View};
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
/// The SVMs' tensors begin with this, and a dot.
const SVM: &str = "svm";
/// The bytes of a detector's ONNX file, as a tensor.
const DETECTOR: &str = "detector.onnx";

/// The trained parts of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Weights of the card's nets, by the name of their tensors ([`Card::nets`]).
    pub nets: BTreeMap<String, Weights>,
    /// The ONNX file of the detector, where the card has one.
    pub detector: Option<Vec<u8>>,
    /// The SVMs on the extractor's embeddings.
    pub svms: LinearSvms,
}

impl Parts {
    /// The weights of LNets, an ANet and its SVMs.
    pub fn cascade(lnet_o: Weights, lnet_s: Weights, anet: Weights, svms: LinearSvms) -> Self {
        let nets = [("lnet_o", lnet_o), ("lnet_s", lnet_s), ("anet", anet)];
        Self { nets: nets.map(|(name, net)| (name.to_owned(), net)).into(), detector: None, svms }
    }

    /// The weights of a net.
    pub fn net(&self, name: &str) -> Option<&Weights> {
        self.nets.get(name)
    }
}

/// A model in one file, read and checked whole.
///
/// The file is plain safetensors: the tensors of the card's nets, such as `lnet_o.*`, `lnet_s.*` and `anet.*` (F16 or F32),
/// `svm.weight` `[attributes, features]` and `svm.bias` `[attributes]` (F32), and, where the card names a detector, the bytes
/// of its ONNX file as `detector.onnx` (U8); in its metadata the [`Card`] as JSON under `lineament` and, under `sha256`, a
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

    /// A bundle of freshly trained parts. What comes back is what a reader of its file will get: with
    /// [`Precision::F16`] the weights of the nets are rounded.
    ///
    /// # Errors
    /// A card that is wrong, or parts that do not fit it.
    pub fn new(card: &Card, parts: &Parts, precision: Precision) -> Result<Self, BundleError> {
        let json = card.to_json()?;
        let mut trained = Vec::new();
        for (net, weights) in &parts.nets {
            let refused = |reason| BundleError::Weights { net: net.clone(), reason };
            trained.extend(weights.to_tensors(net, precision).map_err(refused)?);
        }
        trained.extend(stored_svms(&parts.svms)?);
        let mut tensors = trained.iter().map(viewed).collect::<Result<Vec<_>, _>>()?;
        if let Some(onnx) = &parts.detector {
            let view = TensorView::new(Dtype::U8, vec![onnx.len()], onnx).map_err(damaged)?;
            tensors.push((DETECTOR.to_owned(), view));
        }
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
        for tensor in &stored {
            tensors.push(viewed(tensor)?);
        }
        Self::of_bytes(Cow::Owned(assemble(tensors, json)?))
    }

    /// Reads a bundle's file.
    ///
    /// # Errors
    /// [`BundleError::At`] with the path and what is wrong.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BundleError> {
        let path = path.as_ref();
        let read = || {
            let file = File::open(path).map_err(BundleError::Unreadable)?;
            let known = file.metadata().map_err(BundleError::Unreadable)?;
            if known.is_dir() {
                let reason = std::io::Error::other("it is a folder");
                return Err(BundleError::Unreadable(reason));
            }
            if known.len() > Self::MAX_BYTES {
                return Err(BundleError::TooLarge { limit: Self::MAX_BYTES });
            }
            let mut bytes = Vec::with_capacity(usize::try_from(known.len()).unwrap_or(0));
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

/// A tensor that is lent to the file.
fn viewed((name, tensor): &(String, Stored)) -> Result<(String, TensorView<'_>), BundleError> {
    // Tensors in memory lend their bytes; an owned copy would not live long enough.
    let Cow::Borrowed(data) = tensor.data() else {
        return Err(BundleError::NotSafetensors { reason: format!("{name} is not in memory") });
    };
    let view = TensorView::new(tensor.dtype(), tensor.shape().to_vec(), data).map_err(damaged)?;
    Ok((name.clone(), view))
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
    arrays
        .to_tensors(SVM, Precision::F32)
        .map_err(|reason| BundleError::Weights { net: SVM.to_owned(), reason })
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
    // No fuzzer guesses a checksum: its builds look behind it (fuzz/README.md).
    if !cfg!(fuzzing) && metadata.get(CHECKSUM) != Some(&checksum(json, &file)) {
        return Err(BundleError::Checksum);
    }
    let card = Card::from_json(json)?;
    let svm_names = [format!("{SVM}.weight"), format!("{SVM}.bias")];
    let nets = card.nets();
    let detects = matches!(card.localizer, LocalizerSpec::Detector(_));
    let known = |name: &str| {
        let of_net = |net: &str| name.split_once('.').is_some_and(|(first, _)| first == net);
        nets.iter().any(|(net, ..)| of_net(net))
            || svm_names.iter().any(|svm| svm == name)
            || (detects && name == DETECTOR)
    };
    let mut names = file.names();
    names.sort_unstable();
    if let Some(stray) = names.into_iter().find(|name| !known(name)) {
        return Err(BundleError::Stray(stray.chars().take(200).collect()));
    }
    let weights = |(net, spec, _): (String, &NetSpec, u64)| {
        let checked = Weights::from_safetensors(bytes, &net).and_then(|weights| {
            weights.check(spec)?;
            Ok(weights)
        });
        match checked {
            Ok(weights) => Ok((net, weights)),
            Err(reason) => Err(BundleError::Weights { net, reason }),
        }
    };
    let parts = Parts {
        nets: nets.into_iter().map(weights).collect::<Result<_, _>>()?,
        detector: if detects { Some(detector(&file)?) } else { None },
        svms: svms(bytes, &card)?,
    };
    Ok((card, parts))
}

fn detector(file: &SafeTensors<'_>) -> Result<Vec<u8>, BundleError> {
    let tensor = file.tensor(DETECTOR).map_err(|_| BundleError::NoDetector)?;
    let bytes = tensor.data();
    if tensor.dtype() != Dtype::U8 || tensor.shape().len() != 1 || bytes.len() > Detector::MAX_BYTES {
        return Err(BundleError::NoDetector);
    }
    Ok(bytes.to_vec())
}

fn svms(bytes: &[u8], card: &Card) -> Result<LinearSvms, BundleError> {
    let refused = |reason| BundleError::Weights { net: SVM.to_owned(), reason };
    let mut arrays = Weights::from_safetensors(bytes, SVM).map_err(refused)?;
    let mut take = |name: &str| {
        arrays.remove(name).ok_or_else(|| {
            refused(WeightsError::Missing { name: format!("{SVM}.{name}"), net: SVM.to_owned() })
        })
    };
    let (weight, bias) = (take("weight")?, take("bias")?);
    let attributes = card.attributes.len();
    let features =
        card.features().map_err(|reason| CardError::Net { net: "of the describer".to_owned(), reason })?;
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
