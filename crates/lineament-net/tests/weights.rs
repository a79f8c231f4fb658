//! Weights: drawn, checked against their spec, written and read back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drawn;

use std::sync::LazyLock;

use drawn::{draw_spec, draw_weights};
use lineament_net::{Array, Layer, Net, NetError, NetSpec, Precision, Shape, Weights, WeightsError};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn spec() -> NetSpec {
    let layers = vec![
        Layer::Conv {
            name: "conv1".into(),
            filters: 4,
            kernel: 3,
            stride: 1,
            padding: [1; 2],
            groups: 1,
            bias: true,
        },
        Layer::BatchNorm { name: "norm1".into(), epsilon: 1e-5 },
        Layer::Prelu { name: "act1".into() },
        Layer::Linear { name: "fc".into(), outputs: 5, bias: true },
    ];
    NetSpec { name: "net".into(), input: Shape::new(3, 6, 6), layers }
}

fn weights() -> Weights {
    draw_weights(&spec(), &mut ChaCha8Rng::seed_from_u64(1))
}

#[test]
fn random_weights_follow_he_and_the_seed() {
    let spec = NetSpec {
        name: "net".into(),
        input: Shape::new(64, 3, 3),
        layers: vec![
            Layer::Conv {
                name: "c".into(),
                filters: 128,
                kernel: 3,
                stride: 1,
                padding: [0; 2],
                groups: 1,
                bias: true,
            },
            Layer::BatchNorm { name: "n".into(), epsilon: 1e-5 },
            Layer::Prelu { name: "p".into() },
        ],
    };
    let random = Weights::random(&spec, 7).unwrap();
    random.check(&spec).unwrap();
    let data = &random.get("c.weight").unwrap().data;
    let mean = data.iter().sum::<f32>() / data.len() as f32;
    let variance = data.iter().map(|v| v * v).sum::<f32>() / data.len() as f32;
    assert!(mean.abs() < 1e-3 && (variance * 576.0 / 2.0 - 1.0).abs() < 0.02, "{mean} {variance}");
    let all = |name: &str, value: f32| random.get(name).unwrap().data.iter().all(|v| *v == value);
    assert!(all("c.bias", 0.0) && all("n.scale", 1.0) && all("n.shift", 0.0) && all("p.slope", 0.25));
    assert!(all("n.mean", 0.0) && all("n.variance", 1.0));
    assert_eq!(random, Weights::random(&spec, 7).unwrap());
    assert_ne!(random, Weights::random(&spec, 8).unwrap());
}

#[test]
fn weights_of_another_net_are_refused_by_name() {
    let spec = spec();
    let mut missing = weights();
    missing.remove("conv1.bias");
    assert_eq!(
        missing.check(&spec).unwrap_err().to_string(),
        "conv1.bias is missing from the weights of net net: they belong to another net"
    );
    let mut extra = weights();
    extra.insert("fc2.weight", Array::default());
    assert!(matches!(extra.check(&spec), Err(WeightsError::Extra { name, .. }) if name == "fc2.weight"));
    let mut misshaped = weights();
    misshaped.get_mut("fc.weight").unwrap().shape = vec![144, 5];
    assert!(
        matches!(misshaped.check(&spec), Err(WeightsError::Misshaped { name, .. }) if name == "fc.weight")
    );
    let mut unfilled = weights();
    unfilled.get_mut("fc.weight").unwrap().data.pop();
    assert!(matches!(unfilled.check(&spec), Err(WeightsError::Unfilled { name, .. }) if name == "fc.weight"));
    assert!(matches!(Net::new(&spec, &misshaped), Err(NetError::Weights(WeightsError::Misshaped { .. }))));
}

#[test]
fn values_that_are_no_weights_are_refused_by_name_and_place() {
    let spec = spec();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut strange = weights();
        strange.get_mut("act1.slope").unwrap().data[2] = value;
        let error = strange.check(&spec).unwrap_err();
        assert!(matches!(error, WeightsError::NotFinite { name, place: 2, .. } if name == "act1.slope"));
    }
    let mut negative = weights();
    negative.get_mut("norm1.variance").unwrap().data[1] = -1e-3;
    let error = negative.check(&spec).unwrap_err();
    assert!(matches!(error, WeightsError::NegativeVariance { place: 1, .. }));
    // Finite on their own, infinite when folded.
    let mut folded = weights();
    folded.get_mut("norm1.scale").unwrap().data.fill(1e30);
    folded.get_mut("conv1.weight").unwrap().data.fill(1e30);
    folded.check(&spec).unwrap();
    assert_eq!(Net::new(&spec, &folded).unwrap_err(), NetError::NotFinite { layer: "conv1".into() });
}

#[test]
fn a_file_may_hold_several_nets_side_by_side() {
    let first = weights();
    let mut second = weights();
    second.get_mut("fc.bias").unwrap().data.fill(3.0);
    let mut tensors = first.to_tensors("lnet_o", Precision::F32).unwrap();
    tensors.extend(second.to_tensors("lnet_s.", Precision::F32).unwrap());
    assert!(tensors.iter().any(|(name, _)| name == "lnet_s.conv1.weight"));
    let bytes = safetensors::serialize(tensors, None).unwrap();
    assert_eq!(Weights::from_safetensors(&bytes, "lnet_o").unwrap(), first);
    assert_eq!(Weights::from_safetensors(&bytes, "lnet_s.").unwrap(), second);
    assert!(Weights::from_safetensors(&bytes, "lnet").unwrap().is_empty());
    assert_eq!(Weights::from_safetensors(&bytes, "").unwrap().len(), first.len() + second.len());
}

#[test]
fn half_precision_keeps_vectors_exact_and_refuses_what_it_cannot_hold() {
    let mut weights = weights();
    weights.get_mut("norm1.variance").unwrap().data.fill(1e9);
    let bytes = weights.to_safetensors(Precision::F16).unwrap();
    assert!(bytes.len() < weights.to_safetensors(Precision::F32).unwrap().len());
    let read = Weights::from_safetensors(&bytes, "").unwrap();
    read.check(&spec()).unwrap();
    for (name, array) in weights.iter() {
        let back = read.get(name).unwrap();
        assert_eq!(back.shape, array.shape);
        let exact = array.shape.len() == 1;
        for (a, b) in array.data.iter().zip(&back.data) {
            assert!(a == b || !exact && (a - b).abs() <= a.abs() * 5e-4 + 1e-7, "{name} {a} {b}");
        }
    }
    weights.get_mut("fc.weight").unwrap().data[0] = -7e4;
    assert_eq!(
        weights.to_safetensors(Precision::F16).unwrap_err(),
        WeightsError::BeyondHalf { name: "fc.weight".into(), value: -7e4 }
    );
}

#[test]
fn foreign_formats_are_refused_by_name() {
    let bytes = [0u8; 16];
    let tensor = safetensors::tensor::TensorView::new(safetensors::Dtype::I64, vec![2], &bytes).unwrap();
    let file = safetensors::serialize([("net.a", tensor)], None).unwrap();
    let error = Weights::from_safetensors(&file, "net").unwrap_err();
    assert!(matches!(error, WeightsError::Format { name, .. } if name == "net.a"));
    assert!(Weights::from_safetensors(&file, "other").unwrap().is_empty());
}

#[test]
fn headers_that_lie_are_refused() {
    let forged = |header: &str, data: usize| {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.resize(file.len() + data, 0);
        Weights::from_safetensors(&file, "")
    };
    assert!(forged(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 8).is_ok());
    for (header, data) in [
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4),
        (r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8),
        (r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, 8),
        (r#"{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,8]}}"#, 8),
        (r#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,2],"data_offsets":[0,8]}}"#, 8),
        (r#"{"a":{"dtype":"F9","shape":[2],"data_offsets":[0,8]}}"#, 8),
        ("[]", 0),
        ("", 0),
    ] {
        assert!(matches!(forged(header, data), Err(WeightsError::File { .. })), "{header}");
    }
    let mut endless = u64::MAX.to_le_bytes().to_vec();
    endless.extend([b'{'; 100]);
    assert!(Weights::from_safetensors(&endless, "").is_err());
    assert!(Weights::from_safetensors(&[], "").is_err());
}

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| weights().to_safetensors(Precision::F16).unwrap());

/// Whatever a damaged file still gives must pass or fail the check without a panic, and run if it passes.
fn survives(bytes: &[u8]) {
    if let Ok(weights) = Weights::from_safetensors(bytes, "")
        && let Ok(net) = Net::new(&spec(), &weights)
    {
        net.forward(&lineament_net::Tensor::zeros([1, 3, 6, 6])).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn flipped_bits_never_panic(flips in proptest::collection::vec((0usize..1 << 20, 0u8..8), 1..6)) {
        let mut bytes = FILE.clone();
        for (place, bit) in flips {
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
        }
        survives(&bytes);
    }

    #[test]
    fn headers_written_over_never_panic(place in 0usize..900, with in proptest::collection::vec(any::<u8>(), 1..20)) {
        let mut bytes = FILE.clone();
        let place = place % (bytes.len() - with.len());
        bytes[place..place + with.len()].copy_from_slice(&with);
        survives(&bytes);
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives(&bytes);
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for length in 0..FILE.len() {
        assert!(Weights::from_safetensors(&FILE[..length], "").is_err(), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn weights_of_any_net_survive_a_file(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let weights = draw_weights(&spec, &mut rng);
        let bytes = weights.to_safetensors(Precision::F32).unwrap();
        let read = Weights::from_safetensors(&bytes, "").unwrap();
        prop_assert_eq!(&read, &weights);
        prop_assert!(read.check(&spec).is_ok());
    }
}
