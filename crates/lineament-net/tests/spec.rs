//! Specs: read, worked out, refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lineament_net::{Layer, MAX_DEPTH, MAX_LAYERS, NetSpec, ParameterKind, Shape, SpecError};

const ANET: &str = r#"
name = "anet"
input = { channels = 3, height = 40, width = 40 }

[[layers]]
kind = "conv"
name = "conv1"
filters = 20
kernel = 5

[[layers]]
kind = "relu"

[[layers]]
kind = "max_pool"
kernel = 2
stride = 2

[[layers]]
kind = "residual"
name = "block1"
body = [
    { kind = "conv", name = "conv1", filters = 24, kernel = 3, stride = 2, padding = 1, bias = false },
    { kind = "batch_norm", name = "norm1" },
    { kind = "prelu", name = "act1" },
]
shortcut = [{ kind = "conv", name = "short", filters = 24, kernel = 1, stride = 2 }]

[[layers]]
kind = "local_conv"
name = "conv3"
filters = 60
kernel = 2
grid = [2, 4]

[[layers]]
kind = "avg_pool"
kernel = 3
stride = 2
padding = 1

[[layers]]
kind = "linear"
name = "fc"
outputs = 160
"#;

fn conv(name: &str) -> Layer {
    Layer::Conv {
        name: name.into(),
        filters: 4,
        kernel: 3,
        stride: 1,
        padding: [1; 2],
        groups: 1,
        bias: true,
    }
}

fn net(layers: Vec<Layer>) -> NetSpec {
    NetSpec { name: "net".into(), input: Shape::new(3, 12, 10), layers }
}

fn refused(layers: Vec<Layer>) -> SpecError {
    net(layers).check().unwrap_err()
}

#[test]
fn a_recipe_is_read_with_its_defaults_and_written_back_unchanged() {
    // 18 x 18 after the pooling, 9 x 9 after the block, 8 x 8 after the cells, 4 x 4 at the end.
    let spec: NetSpec = toml::from_str(ANET).unwrap();
    assert_eq!(
        spec.layers[0],
        Layer::Conv {
            name: "conv1".into(),
            filters: 20,
            kernel: 5,
            stride: 1,
            padding: [0; 2],
            groups: 1,
            bias: true
        }
    );
    let checked = spec.check().unwrap();
    let outputs: Vec<String> = checked.layers().iter().map(|layer| layer.output.to_string()).collect();
    assert_eq!(outputs, ["20x36x36", "20x36x36", "20x18x18", "24x9x9", "60x8x8", "60x4x4", "160x1x1"]);
    assert_eq!(checked.layers()[2].path, "max_pool#2");
    assert_eq!(checked.layers()[3].body[1].path, "block1.norm1");
    assert_eq!(checked.fixed_by(), Some("conv3"));
    assert_eq!(toml::from_str::<NetSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
    assert_eq!(serde_json::from_str::<NetSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
}

#[test]
fn parameters_carry_path_shape_and_kind() {
    let spec: NetSpec = toml::from_str(ANET).unwrap();
    let parameters = spec.parameters().unwrap();
    let listed: Vec<String> = parameters.iter().map(|p| format!("{} {:?}", p.name, p.shape)).collect();
    assert_eq!(
        listed,
        [
            "conv1.weight [20, 3, 5, 5]",
            "conv1.bias [20]",
            "block1.conv1.weight [24, 20, 3, 3]",
            "block1.norm1.scale [24]",
            "block1.norm1.shift [24]",
            "block1.norm1.mean [24]",
            "block1.norm1.variance [24]",
            "block1.act1.slope [24]",
            "block1.short.weight [24, 20, 1, 1]",
            "block1.short.bias [24]",
            "conv3.weight [8, 60, 24, 2, 2]",
            "conv3.bias [8, 60]",
            "fc.weight [160, 960]",
            "fc.bias [160]",
        ]
    );
    assert_eq!(parameters[2].kind, ParameterKind::Weight { fan_in: 180 });
    assert_eq!(parameters[6].kind, ParameterKind::Variance);
}

const MOBILE: &str = r#"
name = "mobile"
input = { channels = 8, height = 12, width = 12 }
layers = [
    { kind = "conv", name = "depthwise", filters = 8, kernel = 3, stride = 2, padding = [0, 1], groups = 8, bias = false },
    { kind = "relu6" },
    { kind = "conv", name = "grouped", filters = 12, kernel = 1, groups = 4 },
    { kind = "hard_swish" },
]
"#;

#[test]
fn groups_and_two_paddings_are_read_and_written_back_unchanged() {
    let spec: NetSpec = toml::from_str(MOBILE).unwrap();
    assert_eq!(spec.output().unwrap(), Shape::new(12, 6, 6));
    let listed: Vec<String> =
        spec.parameters().unwrap().iter().map(|p| format!("{} {:?} {:?}", p.name, p.shape, p.kind)).collect();
    assert_eq!(
        listed,
        [
            "depthwise.weight [8, 1, 3, 3] Weight { fan_in: 9 }",
            "grouped.weight [12, 2, 1, 1] Weight { fan_in: 2 }",
            "grouped.bias [12] Bias",
        ]
    );
    assert_eq!(spec.multiply_adds(12, 12).unwrap(), 36 * 8 * 9 + 36 * 12 * 2);
    assert_eq!(toml::from_str::<NetSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
    assert_eq!(serde_json::from_str::<NetSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
}

#[test]
fn what_older_versions_read_is_written_as_they_wrote_it() {
    let written = serde_json::to_string(&conv("a")).unwrap();
    let older = r#"{"kind":"conv","name":"a","filters":4,"kernel":3,"stride":1,"padding":1,"bias":true}"#;
    assert_eq!(written, older);
    assert_eq!(serde_json::from_str::<Layer>(older).unwrap(), conv("a"));
}

#[test]
fn paddings_that_are_no_numbers_are_refused_in_plain_words() {
    for (wrong, says) in
        [("\"same\"", "two: [above and left"), ("-1", "cannot be negative"), ("[1]", "2"), ("[0, 1, 1]", "2")]
    {
        let text = MOBILE.replace("padding = [0, 1]", &format!("padding = {wrong}"));
        let error = toml::from_str::<NetSpec>(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{wrong}: {error}");
    }
}

#[test]
fn groups_that_do_not_divide_are_refused() {
    let grouped = |filters, groups| {
        let conv = Layer::Conv {
            name: "c".into(),
            filters,
            kernel: 1,
            stride: 1,
            padding: [0; 2],
            groups,
            bias: true,
        };
        refused(vec![conv])
    };
    assert!(matches!(grouped(6, 0), SpecError::Zero { field: "groups", .. }));
    assert!(matches!(grouped(6, 2), SpecError::Groups { groups: 2, inputs: 3, filters: 6, .. }));
    let error = grouped(5, 3);
    assert!(matches!(&error, SpecError::Groups { layer, .. } if layer == "c"));
    assert!(
        error.to_string().contains("3 groups must divide its 3 input channels and its 5 filters"),
        "{error}"
    );
}

#[test]
fn multiply_adds_are_counted_by_hand() {
    let spec: NetSpec = toml::from_str(ANET).unwrap();
    let conv1 = 36 * 36 * 20 * 75;
    let block = 81 * 24 * (180 + 20);
    let local = 64 * 60 * 24 * 4;
    assert_eq!(spec.multiply_adds(40, 40).unwrap(), conv1 + block + local + 160 * 960);
    assert_eq!(net(vec![conv("a")]).multiply_adds(6, 5).unwrap(), 30 * 4 * 27);
}

#[test]
fn other_sizes_pass_only_where_nothing_is_fixed() {
    let spec = net(vec![conv("a"), Layer::MaxPool { kernel: 2, stride: 2, padding: 0 }]);
    assert_eq!(spec.output().unwrap(), Shape::new(4, 6, 5));
    assert_eq!(spec.output_for(101, 7).unwrap(), Shape::new(4, 50, 3));
    assert!(matches!(spec.output_for(1, 9), Err(SpecError::TooSmall { layer, .. }) if layer == "max_pool#1"));
    assert!(
        matches!(spec.output_for(0, 9), Err(SpecError::Zero { layer, field: "height" }) if layer == "input")
    );
    let spec: NetSpec = toml::from_str(ANET).unwrap();
    assert_eq!(spec.output_for(40, 40).unwrap(), Shape::new(160, 1, 1));
    assert!(matches!(spec.output_for(41, 40), Err(SpecError::FixedSize { layer, .. }) if layer == "conv3"));
}

#[test]
fn unknown_and_missing_fields_are_refused() {
    let wrong = [
        r#"{"kind": "conv", "name": "a", "filters": 1, "kernel": 1, "strid": 2}"#,
        r#"{"kind": "conv", "name": "a", "kernel": 1}"#,
        r#"{"kind": "conv", "name": "a", "filters": -1, "kernel": 1}"#,
        r#"{"kind": "relu", "slope": 0.1}"#,
        r#"{"kind": "softmax"}"#,
        r#"{"name": "a"}"#,
    ];
    for text in wrong {
        assert!(serde_json::from_str::<Layer>(text).is_err(), "{text}");
    }
    assert_eq!(serde_json::from_str::<Layer>(r#"{"kind": "relu"}"#).unwrap(), Layer::Relu);
}

#[test]
fn names_are_unique_and_plain() {
    assert!(matches!(refused(vec![conv("a"), conv("a")]), SpecError::Duplicate { layer } if layer == "a"));
    for name in ["", "a.b", "a b", "é", "a/b", &"x".repeat(65)] {
        assert!(
            matches!(refused(vec![conv("ok"), conv(name)]), SpecError::Name { layer, .. } if layer == "conv#1")
        );
        let unnamed = NetSpec { name: name.into(), ..net(vec![conv("a")]) };
        assert!(matches!(unnamed.check(), Err(SpecError::Name { layer, .. }) if layer == "net"));
    }
    let block = |name: &str, body: &str, shortcut: &str| Layer::Residual {
        name: name.into(),
        body: vec![conv(body)],
        shortcut: vec![conv(shortcut)],
    };
    // Siblings in both branches share a namespace; cousins do not.
    assert!(matches!(refused(vec![block("b", "x", "x")]), SpecError::Duplicate { layer } if layer == "b.x"));
    assert!(net(vec![conv("x"), block("b", "x", "y"), block("c", "x", "y")]).check().is_ok());
}

#[test]
fn zeros_are_refused_by_field() {
    let with = |filters, kernel, stride| Layer::Conv {
        name: "c".into(),
        filters,
        kernel,
        stride,
        padding: [0; 2],
        groups: 1,
        bias: false,
    };
    for (layer, named, field) in [
        (with(0, 1, 1), "c", "filters"),
        (with(1, 0, 1), "c", "kernel"),
        (with(1, 1, 0), "c", "stride"),
        (Layer::MaxPool { kernel: 0, stride: 1, padding: 0 }, "max_pool#0", "kernel"),
        (Layer::AvgPool { kernel: 1, stride: 0, padding: 0 }, "avg_pool#0", "stride"),
        (Layer::Linear { name: "l".into(), outputs: 0, bias: true }, "l", "outputs"),
        (local([0, 1]), "local", "grid"),
    ] {
        assert_eq!(refused(vec![layer]), SpecError::Zero { layer: named.into(), field });
    }
    let input = NetSpec { input: Shape::new(0, 1, 1), ..net(vec![conv("a")]) };
    assert_eq!(input.check().unwrap_err(), SpecError::Zero { layer: "input".into(), field: "channels" });
    assert_eq!(refused(vec![]), SpecError::NoLayers { net: "net".into() });
}

fn local(grid: [usize; 2]) -> Layer {
    Layer::LocalConv { name: "local".into(), filters: 2, kernel: 3, stride: 1, padding: 1, grid, bias: true }
}

#[test]
fn a_grid_divides_the_output_map() {
    assert!(net(vec![local([3, 5])]).check().is_ok());
    for grid in [[5, 5], [3, 3], [24, 1], [usize::MAX, 1]] {
        assert!(matches!(refused(vec![local(grid)]), SpecError::Grid { layer, .. } if layer == "local"));
    }
}

#[test]
fn windows_fit_their_input_and_hold_some_of_it() {
    let pool = |kernel, padding| Layer::MaxPool { kernel, stride: 1, padding };
    assert!(matches!(refused(vec![pool(11, 0)]), SpecError::TooSmall { .. }));
    assert!(matches!(refused(vec![pool(3, 2)]), SpecError::Padding { most: 1, .. }));
    let conv = Layer::Conv {
        name: "c".into(),
        filters: 1,
        kernel: 2,
        stride: 1,
        padding: [2; 2],
        groups: 1,
        bias: true,
    };
    assert!(matches!(refused(vec![conv]), SpecError::Padding { layer, most: 1, .. } if layer == "c"));
}

#[test]
fn branches_end_in_one_shape() {
    let block = Layer::Residual { name: "b".into(), body: vec![conv("a")], shortcut: vec![] };
    assert!(matches!(refused(vec![block]), SpecError::Branches { layer, .. } if layer == "b"));
    let empty = Layer::Residual { name: "b".into(), body: vec![], shortcut: vec![] };
    assert_eq!(refused(vec![empty]), SpecError::EmptyBody { layer: "b".into() });
}

#[test]
fn absurd_sizes_overflow_nothing() {
    let huge = [1 << 24, 1 << 31, usize::MAX / 2, usize::MAX];
    for size in huge {
        let convs = [(size, 3, 1), (4, size, 1), (4, size, size), (size, size, size)];
        for (filters, kernel, padding) in convs {
            let conv = Layer::Conv {
                name: "c".into(),
                filters,
                kernel,
                stride: 1,
                padding: [padding; 2],
                groups: 1,
                bias: true,
            };
            assert!(net(vec![conv]).check().is_err());
        }
        let stride = Layer::MaxPool { kernel: 2, stride: size, padding: 0 };
        assert_eq!(net(vec![stride]).output().unwrap(), Shape::new(3, 1, 1));
        let linear = Layer::Linear { name: "l".into(), outputs: size, bias: true };
        let wide = NetSpec { input: Shape::new(1024, 2, 2), ..net(vec![linear]) };
        assert!(matches!(wide.check(), Err(SpecError::TooLarge { layer, .. }) if layer == "l"));
        let input = NetSpec { input: Shape::new(size, size, 3), ..net(vec![conv("a")]) };
        assert!(matches!(input.check(), Err(SpecError::TooLarge { layer, .. }) if layer == "input"));
        assert!(net(vec![conv("a")]).output_for(size, size).is_err());
    }
    // Each array is allowed, all together are not.
    let layers = (0..20).map(|i| Layer::Conv {
        name: format!("c{i}"),
        filters: 8192,
        kernel: 1,
        stride: 1,
        padding: [0; 2],
        groups: 1,
        bias: false,
    });
    let many = NetSpec { input: Shape::new(8192, 1, 1), ..net(layers.collect()) };
    assert!(matches!(many.check(), Err(SpecError::TooLarge { layer, .. }) if layer == "c16"));
}

#[test]
fn depth_and_number_of_layers_are_limited() {
    let nested = |depth: usize| {
        (0..depth).fold(Layer::Relu, |inner, _| Layer::Residual {
            name: "r".into(),
            body: vec![inner],
            shortcut: vec![],
        })
    };
    assert!(net(vec![nested(MAX_DEPTH)]).check().is_ok());
    assert!(matches!(refused(vec![nested(MAX_DEPTH + 1)]), SpecError::TooDeep { .. }));
    assert!(net(vec![Layer::Relu; MAX_LAYERS]).check().is_ok());
    assert!(matches!(refused(vec![Layer::Relu; MAX_LAYERS + 1]), SpecError::TooManyLayers { .. }));
}

#[test]
fn epsilon_is_a_positive_number() {
    for epsilon in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let norm = Layer::BatchNorm { name: "n".into(), epsilon };
        assert!(matches!(refused(vec![norm]), SpecError::Epsilon { layer, .. } if layer == "n"));
    }
}

#[test]
fn messages_name_the_layer_and_say_what_to_do() {
    let block =
        Layer::Residual { name: "block1".into(), body: vec![conv("a"), conv("a b")], shortcut: vec![] };
    assert_eq!(
        refused(vec![block]).to_string(),
        "layer block1.conv#1 is named \"a b\": names are 1 to 64 of the characters A-Z a-z 0-9 _ -"
    );
    assert_eq!(
        refused(vec![local([5, 5])]).to_string(),
        "layer local: a grid of 5x5 cells does not divide its 2x12x10 output map"
    );
}
