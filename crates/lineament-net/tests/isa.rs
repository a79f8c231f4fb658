//! Nets on chosen instruction sets.
#![allow(clippy::unwrap_used)]

mod drawn;

use std::process::Command;

use drawn::{bits, draw_input, draw_spec, draw_weights, item_bits, pool};
use lineament_net::{Arithmetic, Interweave, Isa, Layer, Net, NetSpec, Shape, Tensor, Weights, reference};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[test]
fn a_net_agrees_with_the_plain_loops_on_every_instruction_set() {
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let weights = draw_weights(&spec, &mut rng);
        let input = draw_input(3, spec.input, &mut rng);
        let plain = reference::forward(&spec, &weights, &input).unwrap();
        let size = plain.data().iter().fold(1.0f32, |most, v| most.max(v.abs()));
        for isa in Isa::available() {
            let net = Net::for_isa(&spec, &weights, Arithmetic::Single, isa).unwrap();
            assert_eq!(net.isa(), isa);
            let found = net.forward(&input).unwrap();
            for (found, plain) in found.data().iter().zip(plain.data()) {
                assert!((found - plain).abs() <= 1e-3 * size, "{isa}, seed {seed}: {found} {plain}");
            }
        }
    }
}

#[test]
fn a_matrix_gives_each_item_the_same_bits_however_many_there_are() {
    let layers = vec![Layer::Linear { name: "fc".into(), outputs: 171, bias: true }, Layer::Relu];
    let spec = NetSpec { name: "matrix".into(), input: Shape::new(30, 5, 7), layers };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let weights = draw_weights(&spec, &mut rng);
    let input = draw_input(13, spec.input, &mut rng);
    let plain = reference::forward(&spec, &weights, &input).unwrap();
    for isa in Isa::available() {
        let net = Net::for_isa(&spec, &weights, Arithmetic::Single, isa).unwrap();
        let first = |items: usize| {
            let data = input.data()[..items * spec.input.elements()].to_vec();
            net.forward(&Tensor::from_vec([items, 30, 5, 7], data).unwrap()).unwrap()
        };
        for items in 1..=13 {
            let [one, two] = [1, 2].map(|threads| pool(threads).install(|| first(items)));
            assert_eq!(bits(&one), bits(&two), "{isa}, {items}");
            let all = one.data().iter().zip(plain.data());
            assert!(all.clone().all(|(found, plain)| (found - plain).abs() < 1e-4), "{isa}, {items}");
            for item in 0..items {
                let data = input.item(item).unwrap().to_vec();
                let alone = net.forward(&Tensor::from_vec([1, 30, 5, 7], data).unwrap()).unwrap();
                assert_eq!(bits(&alone), item_bits(&one, item), "{isa}, {item} of {items}");
            }
        }
    }
}

#[test]
fn eight_bit_integers_give_nearly_the_same_on_every_instruction_set() {
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let weights = draw_weights(&spec, &mut rng);
        let input = draw_input(2, spec.input, &mut rng);
        let forward = |isa| {
            let net = Net::for_isa(&spec, &weights, Arithmetic::EightBit, isa).unwrap();
            net.forward(&input).unwrap()
        };
        let portable = forward(Isa::PORTABLE);
        let size: f32 = portable.data().iter().map(|v| v.abs()).sum::<f32>() + 1e-3;
        for isa in Isa::available() {
            // Sums of bytes are exact; what follows differs by rounding, which can move a value to the next byte.
            let apart =
                forward(isa).data().iter().zip(portable.data()).map(|(a, b)| (a - b).abs()).sum::<f32>();
            assert!(apart <= 0.02 * size, "{isa}, seed {seed}: {}", apart / size);
        }
    }
}

#[test]
fn patches_in_one_pass_are_those_one_by_one_on_every_instruction_set() {
    let local = |name: &str, kernel, grid| Layer::LocalConv {
        name: name.to_owned(),
        filters: 21,
        kernel,
        stride: 1,
        padding: 0,
        grid,
        bias: true,
    };
    let spec = NetSpec {
        name: "small".to_owned(),
        input: Shape::new(3, 12, 12),
        layers: vec![
            local("local1", 3, [2, 2]),
            Layer::Relu,
            Layer::MaxPool { kernel: 2, stride: 2, padding: 0 },
            Layer::Linear { name: "fc".to_owned(), outputs: 37, bias: true },
        ],
    };
    let weights = Weights::random(&spec, 5).unwrap();
    let (side, offsets) = (14, [[0, 0], [2, 0], [0, 2], [2, 2]]);
    let pixel = |at: usize| (at * 7919 % 255) as f32 / 255.0 - 0.5;
    let region = Tensor::from_vec([1, 3, side, side], (0..3 * side * side).map(pixel).collect()).unwrap();
    let patches = offsets.iter().flat_map(|&[x, y]| {
        (0..3 * 144).map(move |at| {
            let (plane, row, column) = (at / 144, at / 12 % 12, at % 12);
            pixel((plane * side + y + row) * side + x + column)
        })
    });
    let patches = Tensor::from_vec([4, 3, 12, 12], patches.collect()).unwrap();
    for isa in Isa::available() {
        let together =
            Interweave::for_isa(&spec, &weights, Shape::new(3, side, side), &offsets, isa).unwrap();
        assert!(together.redundancy() > 1.0);
        let apart = Net::for_isa(&spec, &weights, Arithmetic::Single, isa).unwrap();
        let [together, apart] = [together.forward(&region).unwrap(), apart.forward(&patches).unwrap()];
        for (a, b) in together.data().iter().zip(apart.data()) {
            assert!((a - b).abs() < 1e-4, "{isa}: {a} {b}");
        }
    }
}

fn small() -> (NetSpec, Weights, Tensor) {
    let layers = vec![Layer::Linear { name: "fc".to_owned(), outputs: 5, bias: true }];
    let spec = NetSpec { name: "small".to_owned(), input: Shape::new(3, 4, 4), layers };
    let weights = Weights::random(&spec, 1).unwrap();
    let input = Tensor::from_vec([1, 3, 4, 4], (0..48).map(|i| i as f32 / 7.0).collect()).unwrap();
    (spec, weights, input)
}

#[test]
#[ignore = "a process of its own, which the tests of LINEAMENT_ISA start"]
fn with_the_variable() {
    let (spec, weights, input) = small();
    match Net::new(&spec, &weights) {
        Ok(net) => {
            assert_eq!(Isa::selected(), Ok(net.isa()));
            println!("net on {}: {:?}", net.isa(), bits(&net.forward(&input).unwrap()));
        }
        Err(error) => println!("refused: {error}"),
    }
}

/// What [`with_the_variable`] prints where `LINEAMENT_ISA` is `name`.
fn said_with(name: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["with_the_variable", "--exact", "--ignored", "--nocapture"])
        .env("LINEAMENT_ISA", name)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_variable_chooses_for_a_whole_process() {
    let (spec, weights, input) = small();
    for isa in Isa::available() {
        let net = Net::for_isa(&spec, &weights, Arithmetic::Single, isa).unwrap();
        let expected = format!("net on {isa}: {:?}", bits(&net.forward(&input).unwrap()));
        let said = said_with(&isa.to_string());
        assert!(said.contains(&expected), "{said}");
    }
    assert!(said_with("").contains(&format!("net on {}: ", Isa::best())));
}

#[test]
fn a_variable_that_names_nothing_is_refused_with_a_list() {
    let said = said_with("avx3");
    let listed = Isa::available().iter().map(Isa::to_string).collect::<Vec<_>>().join(", ");
    assert!(
        said.contains("refused: there is no instruction set \"avx3\"") && said.contains(&listed),
        "{said}"
    );
}
