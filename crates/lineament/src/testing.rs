//! A tiny model with random weights: what it says means nothing, but it reads, runs and writes like any other. For the tests
//! of programs that use the library (feature `testing`).

use crate::attributes::{
    AnetPatches, AttributeCard, CELEBA, Extractor, FlipMode, LinearSvms, Patches, Platt, Quality, Region,
    Thresholds,
};
use crate::bundle::{Bundle, BundleError, Card, Parts};
use crate::input::Preprocess;
use crate::locate::{LandmarkSpec, LnetMethod, Lnets, LocalizerSpec, PaperParameters};
use crate::photo::Photo;
use lineament_net::{Layer, NetSpec, Precision, Shape, SpecError, Weights};
use std::collections::BTreeMap;

/// The card of the tiny model: CelebA's forty attributes, LNets of one convolution at 64 px, an ANet of one convolution at
/// 16 px on four patches and their mirror images, and a linear layer on 8 px for landmarks.
pub fn tiny_card() -> Card {
    let conv = |filters| Layer::Conv {
        name: "conv1".to_owned(),
        filters,
        kernel: 5,
        stride: 4,
        padding: [2; 2],
        groups: 1,
        bias: true,
    };
    let lnet = |name: &str| NetSpec {
        name: name.to_owned(),
        input: Shape::new(3, 64, 64),
        layers: vec![conv(4), Layer::Relu],
    };
    let anet = NetSpec {
        name: "anet".to_owned(),
        input: Shape::new(3, 16, 16),
        layers: vec![conv(4), Layer::Relu, Layer::Linear { name: "fc".to_owned(), outputs: 6, bias: true }],
    };
    let landmarks = NetSpec {
        name: "landmarks".to_owned(),
        input: Shape::new(3, 8, 8),
        layers: vec![Layer::Linear { name: "landmarks".to_owned(), outputs: 10, bias: true }],
    };
    let attribute = |name: &str| AttributeCard {
        name: name.to_owned(),
        platt: Platt { a: -2.0, b: 0.25 },
        thresholds: Thresholds { accuracy: 0.125, balanced: -0.125 },
        prevalence: 0.3,
        provenance: None,
    };
    Card {
        format: Card::FORMAT,
        name: "tiny".to_owned(),
        version: "0.0.1".to_owned(),
        created: None,
        localizer: LocalizerSpec::Lnets(Lnets {
            lnet_o: lnet("lnet_o"),
            lnet_s: lnet("lnet_s"),
            method: LnetMethod::Paper(PaperParameters::default()),
        }),
        extractor: Extractor::Anet(AnetPatches {
            anet,
            region: Region::default(),
            patches: Patches::grid(16, 20, 2, FlipMode::Both),
        }),
        landmarks: Some(LandmarkSpec { net: landmarks, enlarge: 1.5 }),
        // Of the first attribute alone, so that tests can do without others.
        quality: Some(Quality { certainty: [(CELEBA[0].to_owned(), 0.7)].into(), size: 0.01, bias: -0.1 }),
        preprocess: Preprocess::default(),
        attributes: CELEBA.map(attribute).to_vec(),
        trained_on: vec!["nothing".to_owned()],
        scores: [("mean_accuracy".to_owned(), 0.5)].into(),
        licence: "CC0-1.0".to_owned(),
        note: "Random weights, for tests.".to_owned(),
    }
}

/// Random parts for a card; a detector gets an empty file.
///
/// # Errors
/// Nets on the card that are wrong.
pub fn random_parts(card: &Card, seed: u64) -> Result<Parts, BundleError> {
    let refused = |net: &str| {
        let net = net.to_owned();
        move |reason: SpecError| BundleError::Weights { net, reason: reason.into() }
    };
    let features = card.features().map_err(refused("describer"))?;
    let attributes = card.attributes.len();
    // A linear layer's random weights are as good as any for SVMs.
    let layer = NetSpec {
        name: "svm".to_owned(),
        input: Shape::new(features, 1, 1),
        layers: vec![Layer::Linear { name: "svm".to_owned(), outputs: attributes, bias: false }],
    };
    let mut weights = Weights::random(&layer, seed ^ 3).map_err(refused("svm"))?;
    let weight = weights.remove("svm.weight").unwrap_or_default().data;
    let mut nets = BTreeMap::new();
    for ((name, net, _), place) in card.nets().into_iter().zip(0..) {
        let weights = Weights::random(net, seed ^ place).map_err(refused(&name))?;
        nets.insert(name, weights);
    }
    let detector = matches!(card.localizer, LocalizerSpec::Detector(_)).then(Vec::new);
    Ok(Parts { nets, detector, svms: LinearSvms::new(features, weight, vec![0.0; attributes])? })
}

/// The tiny model with the weights of `seed`, nets in half precision.
///
/// # Errors
/// None: the card and its parts fit together.
pub fn tiny_bundle(seed: u64) -> Result<Bundle, BundleError> {
    let card = tiny_card();
    Bundle::new(&card, &random_parts(&card, seed)?, Precision::F16)
}

/// A photo of coloured blocks on a graded ground, different for every seed.
pub fn blocks(width: u32, height: u32, seed: u64) -> Photo {
    let mut photo = Photo::filled(width, height, [0; 3]);
    let row = photo.width() as usize * 3;
    for (y, line) in photo.pixels_mut().chunks_exact_mut(row).enumerate() {
        for (x, pixel) in line.chunks_exact_mut(3).enumerate() {
            let mixed = mixed(seed ^ ((x / 24) as u64) << 16 ^ ((y / 24) as u64) << 32);
            let ground = ((x + y) % 256) as u8;
            let colour = if mixed.is_multiple_of(5) { mixed.to_le_bytes() } else { [ground; 8] };
            for (value, from) in pixel.iter_mut().zip(colour.iter().rev()) {
                *value = *from;
            }
        }
    }
    photo
}

/// The finaliser of SplitMix64.
fn mixed(seed: u64) -> u64 {
    let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
