//! The interweaved pass against patch by patch, on nets, regions and offsets drawn at random.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drawn;

use drawn::{cut, draw_input, draw_local_spec, draw_offsets, draw_spec, draw_weights};
use lineament_net::{Interweave, InterweaveError, Layer, Net, NetSpec, Shape, Tensor, Weights, reference};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape(), b.shape());
    // Sums of terms of the order of 1 may cancel out to next to nothing, but their rounding does not.
    let scale = b.data().iter().fold(0.1f32, |most, v| most.max(v.abs()));
    a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / scale
}

/// Interweaved, by the fast net and by the plain loops; they must agree.
fn compare(
    spec: &NetSpec,
    weights: &Weights,
    regions: &Tensor,
    offsets: &[[usize; 2]],
) -> Result<Interweave, TestCaseError> {
    let unrolled = Interweave::new(spec, weights, regions.map(), offsets).unwrap();
    let outputs = unrolled.forward(regions).unwrap();
    let patches = cut(regions, spec.input, offsets);
    let fast = Net::new(spec, weights).unwrap().forward(&patches).unwrap();
    let plain = reference::forward(spec, weights, &patches).unwrap();
    for (name, one_by_one) in [("fast", fast), ("plain", plain)] {
        let difference = largest_difference(&outputs, &one_by_one);
        prop_assert!(difference < 1e-4, "{difference} from {name} at {offsets:?} in {spec:?}");
    }
    prop_assert!(unrolled.redundancy() >= 1.0);
    for share in unrolled.shares() {
        prop_assert!(share.unrolled <= share.patchwise, "{share:?}");
    }
    Ok(unrolled)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nets_with_local_layers_agree_with_patch_by_patch(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_local_spec(&mut rng);
        let weights = draw_weights(&spec, &mut rng);
        let (region, offsets) = draw_offsets(spec.input, &mut rng);
        let regions = draw_input(rng.random_range(1..4), region, &mut rng);
        compare(&spec, &weights, &regions, &offsets)?;
    }

    #[test]
    fn any_net_agrees_with_patch_by_patch(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // With padding, residual blocks and layers behind a matrix.
        let spec = draw_spec(&mut rng);
        let weights = draw_weights(&spec, &mut rng);
        let (region, offsets) = draw_offsets(spec.input, &mut rng);
        let regions = draw_input(1, region, &mut rng);
        compare(&spec, &weights, &regions, &offsets)?;
    }
}

#[test]
fn the_drawn_nets_have_local_layers_in_a_row_and_share_work() {
    let (mut rows, mut shared) = ([0; 4], 0);
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_local_spec(&mut rng);
        let locals = spec.layers.iter().filter(|layer| matches!(layer, Layer::LocalConv { .. })).count();
        rows[locals] += 1;
        let weights = draw_weights(&spec, &mut rng);
        let (region, offsets) = draw_offsets(spec.input, &mut rng);
        let unrolled = Interweave::new(&spec, &weights, region, &offsets).unwrap();
        shared += usize::from(unrolled.redundancy() > 1.2);
    }
    assert!(rows[1..].iter().all(|&count| count > 20), "{rows:?}");
    assert!(shared > 50, "{shared}");
}

#[test]
fn the_papers_net_agrees_and_shares_as_worked_out_by_hand() {
    let (spec, weights) = anet();
    let offsets = grid(&[0, 4, 8]);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let regions = draw_input(1, Shape::new(3, 96, 96), &mut rng);
    let unrolled = compare(&spec, &weights, &regions, &offsets).unwrap();
    let values = |share: usize, each: u64| unrolled.shares()[share].unrolled / each;
    // conv1 at every pixel: a patch has 85 x 85, two steps of 4 pixels add 8. conv2 at every second: 40, and 4 more.
    assert_eq!(values(0, 20 * 48), 93 * 93);
    assert_eq!(values(1, 40 * 180), 44 * 44);
    // conv3 at every fourth: nine cells of 6, and 2 more.
    assert_eq!(values(2, 60 * 360), 9 * 8 * 8);
    // conv4 at every eighth: 4 does not fit 0 and 8, and those share what lies in equal cells of both layers.
    assert_eq!(values(3, 80 * 240), conv4_values());
    // Every patch has an FC vector of its own.
    assert_eq!(unrolled.shares()[4].unrolled, unrolled.shares()[4].patchwise);
}

/// Different questions of conv4, counted along one axis and squared: cell, place, and the cells under its two taps.
fn conv4_values() -> u64 {
    let mut seen = std::collections::BTreeSet::new();
    for offset in [0, 4, 8] {
        for window in 0..8usize {
            let under = [window / 3, (window + 1) / 3];
            seen.insert((window / 4, under, offset + 8 * window));
        }
    }
    (seen.len() * seen.len()) as u64
}

#[test]
fn incongruent_offsets_share_nothing_beyond_their_strides() {
    let conv = Layer::Conv {
        name: "c".into(),
        filters: 2,
        kernel: 2,
        stride: 2,
        padding: [0; 2],
        groups: 1,
        bias: true,
    };
    let spec = NetSpec { name: "even".into(), input: Shape::new(1, 8, 8), layers: vec![conv] };
    let weights = Weights::random(&spec, 1).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let regions = draw_input(1, Shape::new(1, 9, 10), &mut rng);
    let odd = compare(&spec, &weights, &regions, &[[0, 0], [1, 0], [0, 1]]).unwrap();
    assert_eq!((odd.redundancy(), odd.shares().len()), (1.0, 0));
    let even = compare(&spec, &weights, &regions, &[[0, 0], [2, 0], [1, 1]]).unwrap();
    assert_eq!(even.redundancy(), 48.0 / 36.0);
}

#[test]
fn one_patch_a_region_that_is_the_patch_and_duplicates() {
    let (spec, weights) = anet();
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let small = draw_input(2, spec.input, &mut rng);
    assert_eq!(compare(&spec, &weights, &small, &[[0, 0]]).unwrap().redundancy(), 1.0);
    let large = draw_input(1, Shape::new(3, 90, 97), &mut rng);
    assert_eq!(compare(&spec, &weights, &large, &[[9, 1]]).unwrap().redundancy(), 1.0);
    let twice = compare(&spec, &weights, &large, &[[9, 1], [9, 1]]).unwrap();
    assert_eq!(twice.redundancy(), 2.0);
    let none = Interweave::new(&spec, &weights, large.map(), &[]).unwrap();
    assert_eq!(none.forward(&large).unwrap().shape(), [0, 160, 1, 1]);
    let nothing = Interweave::new(&spec, &weights, Shape::new(3, 0, 0), &[]).unwrap();
    assert_eq!(nothing.forward(&Tensor::zeros([1, 3, 0, 0])).unwrap().shape(), [0, 160, 1, 1]);
}

#[test]
fn threads_and_other_regions_do_not_change_a_bit() {
    let (spec, weights) = anet();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let regions = draw_input(3, Shape::new(3, 96, 96), &mut rng);
    let unrolled = Interweave::new(&spec, &weights, regions.map(), &grid(&[0, 4, 8])).unwrap();
    let run = |threads, regions: &Tensor| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| unrolled.forward(regions).unwrap().into_vec())
    };
    let one = run(1, &regions);
    assert_eq!(one, run(2, &regions));
    assert_eq!(one, run(5, &regions));
    let last = Tensor::from_vec([1, 3, 96, 96], regions.item(2).unwrap().to_vec()).unwrap();
    assert_eq!(one[18 * 160..], run(2, &last));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (spec, weights) = anet();
    let region = Shape::new(3, 96, 96);
    let refused =
        |region, offsets: &[[usize; 2]]| Interweave::new(&spec, &weights, region, offsets).unwrap_err();
    for outside in [[9, 0], [0, 9], [usize::MAX, 0], [0, usize::MAX]] {
        let error = refused(region, &[[0, 0], outside]);
        assert!(matches!(error, InterweaveError::Outside { index: 1, .. }), "{error}");
    }
    assert!(matches!(refused(Shape::new(3, 80, 96), &[[0, 0]]), InterweaveError::Outside { index: 0, .. }));
    assert!(matches!(refused(Shape::new(1, 96, 96), &[]), InterweaveError::Channels { .. }));
    assert_eq!(
        refused(region, &[[9, 4]]).to_string(),
        "patch 0 of 3x88x88 at x 9, y 4 reaches out of the 3x96x96 region: move it or draw a larger region"
    );
    assert!(matches!(
        Interweave::new(&spec, &Weights::new(), region, &[]).unwrap_err(),
        InterweaveError::Net(_)
    ));
    let unrolled = Interweave::new(&spec, &weights, region, &[[0, 0], [4, 4]]).unwrap();
    let error = unrolled.forward(&Tensor::zeros([1, 3, 96, 88])).unwrap_err();
    assert!(matches!(error, InterweaveError::Region { .. }), "{error}");
}

#[test]
fn a_plan_that_would_be_too_large_goes_patch_by_patch() {
    let (spec, weights) = anet();
    let many = vec![[0, 0]; 1 << 14];
    let unrolled = Interweave::new(&spec, &weights, spec.input, &many).unwrap();
    assert_eq!((unrolled.redundancy(), unrolled.shares().len()), (1.0, 0));
}

/// The `x` and `y` of every pair of steps.
fn grid(steps: &[usize]) -> Vec<[usize; 2]> {
    steps.iter().flat_map(|&y| steps.iter().map(move |&x| [x, y])).collect()
}

/// ANet of the paper's recipe.
fn anet() -> (NetSpec, Weights) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes/paper.toml");
    let recipe: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let spec: NetSpec = recipe["nets"]["anet"].clone().try_into().unwrap();
    let weights = draw_weights(&spec, &mut ChaCha8Rng::seed_from_u64(3));
    (spec, weights)
}
