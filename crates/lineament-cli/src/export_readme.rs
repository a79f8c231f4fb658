//! `README.md` beside the graphs of an export to ONNX.

use std::fmt::Write as _;

use lineament::attributes::{AnetPatches, FlipMode, Patches};
use lineament::locate::{Cells, LnetMethod, Lnets};
use lineament::onnx::{ExportError, NAMES};
use lineament::{Bundle, Card};
use lineament_net::onnx::{Dim, Form, OPSET, OnnxError};
use lineament_net::{NetSpec, Shape};

/// The page in Markdown.
///
/// # Errors
/// A model of another kind than LNets and ANet.
pub fn page(bundle: &Bundle) -> Result<String, ExportError> {
    let card = bundle.card();
    let (lnets, anet) = card.lnets().zip(card.anet()).ok_or(ExportError::Kind)?;
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "# {name} {version} as ONNX\n\n\
         Written by lineament {program} from the model with SHA-256 `{hash}`. ONNX opset {OPSET}, single precision. Terms of the \
         weights: {licence}.\n\n",
        name = plain(&card.name),
        version = plain(&card.version),
        program = env!("CARGO_PKG_VERSION"),
        hash = bundle.hash(),
        licence = plain(card.licence.trim_end_matches('.')),
    );
    graphs(&mut page, card, lnets, anet)?;
    preprocessing(&mut page, card);
    patches(&mut page, lnets, anet);
    responses(&mut page, lnets);
    attributes(&mut page, card);
    example(&mut page, card, &anet.patches);
    interweaved(&mut page, &anet.patches);
    Ok(page)
}

fn graphs(page: &mut String, card: &Card, lnets: &Lnets, anet: &AnetPatches) -> Result<(), OnnxError> {
    let attributes = card.attributes.len();
    let (anet, patches) = (&anet.anet, &anet.patches);
    page.push_str(
        "## Graphs\n\nAll values are float32. Sizes in words are free.\n\n\
         | file | input | output |\n|---|---|---|\n",
    );
    for (file, spec, form) in [
        ("lnet_o", &lnets.lnet_o, Form::Maps),
        ("lnet_s", &lnets.lnet_s, Form::Maps),
        ("anet", anet, Form::Vectors),
    ] {
        let (from, to) = (sizes(&form.input_dims(spec)?), sizes(&form.output_dims(spec)?));
        let (input, output) = (form.input(), form.output());
        let _ = writeln!(page, "| `{file}.onnx` | `{input}` {from} | `{output}` {to} |");
    }
    let (side, patches) = (patches.region, patches.offsets.len());
    let features = anet.output()?.elements();
    let from = sizes(&Form::Vectors.input_dims(anet)?);
    let answers = format!("`scores` [{attributes}], `probabilities` [{attributes}]");
    let _ = write!(
        page,
        "| `anet_interweaved.onnx` | `region` [1, 3, {side}, {side}] | `vectors` [{patches}, {features}] |\n\
         | `attributes.onnx` | `patches` {from} of one face | {answers} |\n\
         | `heads.onnx` | `vectors` [patches, {features}] of one face | {answers} |\n"
    );
    page.push_str(
        "\n`attributes.onnx` is the whole attribute half: ANet on every patch, the mean of its vectors, a linear SVM and a Platt \
         sigmoid for each attribute. `anet.onnx` is the net alone, `heads.onnx` all that follows it. \
         `anet_interweaved.onnx` is the net on all patches of a face region, in one pass.\n\n",
    );
    Ok(())
}

fn preprocessing(page: &mut String, card: &Card) {
    let preprocess = card.preprocess;
    let _ = write!(
        page,
        "## Preprocessing\n\n\
         Pictures are 8-bit RGB, red first, turned the way up that their EXIF orientation says. Every colour becomes\n\n    \
         (colour / 255 - MEAN) / STD\n\n\
         with MEAN = {mean:?} and STD = {std:?} for red, green and blue, in planes: channel, row, column. The same holds for all \
         graphs.\n\n",
        mean = preprocess.mean,
        std = preprocess.std,
    );
}

fn patches(page: &mut String, lnets: &Lnets, anet: &AnetPatches) {
    let (region, patches) = (anet.region, &anet.patches);
    page.push_str("## From a face to patches\n\n1. ");
    let _ = match lnets.method {
        LnetMethod::Whole => writeln!(
            page,
            "This model looks at whole pictures: the region is the square around all of it, with the picture in its middle."
        ),
        _ => writeln!(
            page,
            "The face region is a square with a side of {enlarge} times the height of the face box. Its centre lies {shift} heights \
             of the box below that of the box (above it, where negative). With landmarks instead of a box: let d be the distance from the midpoint of the eyes to \
             that of the mouth's corners, or {eyes} times the distance between the eyes if that is more; the side is {span} d and the \
             centre lies {drop} d below the midpoint of the eyes.",
            enlarge = region.enlarge,
            shift = region.shift,
            eyes = region.eyes,
            span = region.span,
            drop = region.drop,
        ),
    };
    let _ = write!(
        page,
        "2. It is cut out and resized to {side} x {side} pixels, averaging where it shrinks; outside of the picture the edge's \
         pixels repeat.\n\
         3. {count} patches of {size} x {size} pixels are cut from it{mirror}. The example has their upper left corners, x and y.\n\n\
         `attributes.onnx` takes the patches of one face in any order.\n\n",
        side = patches.region,
        size = patches.size,
        count = patches.offsets.len(),
        mirror = match patches.mirror {
            FlipMode::Never => "",
            FlipMode::Both => ", and the mirror image of each is seen too",
            FlipMode::Alternate => ", and every second one is seen as its mirror image",
        },
    );
}

fn responses(page: &mut String, lnets: &Lnets) {
    page.push_str(
        "## Responses\n\nThe LNets answer with the maps of their last layer; how lineament makes boxes of them is not part of \
         the graphs. Place (column, row) of a map looks at the picture around the pixel\n\n",
    );
    for (name, spec) in [("lnet_o", &lnets.lnet_o), ("lnet_s", &lnets.lnet_s)] {
        let Some((cells, shape)) = lattice(spec) else { continue };
        let _ = writeln!(
            page,
            "* `{name}`: ({x} + {sx} column, {y} + {sy} row). For {width} x {height} pixels, the size that it learnt on, the map \
             has {columns} x {rows} places and {channels} channels.",
            x = cells.origin.x,
            y = cells.origin.y,
            sx = cells.stride.x,
            sy = cells.stride.y,
            width = spec.input.width,
            height = spec.input.height,
            columns = shape.width,
            rows = shape.height,
            channels = shape.channels,
        );
    }
    page.push('\n');
}

fn lattice(spec: &NetSpec) -> Option<(Cells, Shape)> {
    Some((Cells::of_net(spec).ok()?, spec.output().ok()?))
}

fn attributes(page: &mut String, card: &Card) {
    let _ = write!(
        page,
        "## Attributes\n\n\
         In the order of `scores` and `probabilities`; `attributes.onnx` has the names in its metadata under `{NAMES}`. An attribute \
         is present where its **score** exceeds a threshold: that for accuracy (as many right answers as possible) or the balanced \
         one (presence and absence count the same). Probabilities are calibrated, and the thresholds need not lie at 0.5 of \
         them.\n\n\
         | | attribute | threshold, accuracy | threshold, balanced |\n|---:|---|---:|---:|\n",
    );
    for (index, attribute) in card.attributes.iter().enumerate() {
        let thresholds = attribute.thresholds;
        let name = plain(&attribute.name);
        let _ = writeln!(page, "| {index} | {name} | {} | {} |", thresholds.accuracy, thresholds.balanced);
    }
    page.push('\n');
}

fn example(page: &mut String, card: &Card, patches: &Patches) {
    let preprocess = card.preprocess;
    let thresholds: Vec<f32> =
        card.attributes.iter().map(|attribute| attribute.thresholds.accuracy).collect();
    let _ = write!(
        page,
        "## Example\n\n\
         Runs in this folder with `pip install numpy onnxruntime`.\n\n\
         ```python\n\
         import numpy as np\n\
         import onnxruntime\n\
         \n\
         REGION, SIZE = {region}, {size}\n\
         OFFSETS = {offsets:?}\n\
         MIRRORED = {mirrored}\n\
         MEAN = {mean:?}\n\
         STD = {std:?}\n\
         THRESHOLDS = {thresholds:?}\n\
         \n\
         {CODE}```\n",
        region = patches.region,
        size = patches.size,
        offsets = patches.views().map(|(at, _)| at).collect::<Vec<_>>(),
        mirrored = python_flags(patches.views().map(|(_, mirrored)| mirrored)),
        mean = preprocess.mean,
        std = preprocess.std,
    );
}

fn interweaved(page: &mut String, patches: &Patches) {
    page.push_str(
        "## Interweaved\n\n\
         Patches of one region overlap. `anet_interweaved.onnx` takes the region and computes what they share once; `vectors` are \
         what `anet.onnx` makes of the patches as they are (to rounding), in the order of OFFSETS; mirror images are left out. ",
    );
    let serves = patches.are_of_whole_regions();
    page.push_str(match (patches.mirror, serves) {
        (FlipMode::Never, _) => "Mirror images are not seen by this model.\n\n",
        (_, true) => {
            "For the mirror images run it again on the mirrored region: its patches are the mirror images in another order of the \
             same places, and the order makes no difference to `heads.onnx`.\n\n"
        }
        (_, false) => {
            "It does not serve for mirror images: the patches of a mirrored region stand elsewhere in this model. Give those to \
             `anet.onnx`.\n\n"
        }
    });
    if serves {
        let _ = write!(page, "Goes on from the example above.\n\n```python{INTERWEAVED}```\n");
    }
}

/// The part of the example that is the same for every model.
const CODE: &str = r#"
def planes_of(region):
    """The face region, REGION x REGION x 3 colours from 0 to 255, as 3 x REGION x REGION."""
    colours = np.asarray(region, dtype=np.float32) / 255
    return np.ascontiguousarray(((colours - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1))


def patches_of(region):
    """The same region as N x 3 x SIZE x SIZE."""
    planes = planes_of(region)
    patches = [planes[:, y:y + SIZE, x:x + SIZE] for x, y in OFFSETS]
    return np.stack([patch[..., ::-1] if mirrored else patch for patch, mirrored in zip(patches, MIRRORED)])


session = onnxruntime.InferenceSession("attributes.onnx", providers=["CPUExecutionProvider"])
names = session.get_modelmeta().custom_metadata_map["attributes"].split(",")

# Your face region here, such as np.asarray(Image.open("face.png").convert("RGB").resize((REGION, REGION))) with Pillow.
region = np.full((REGION, REGION, 3), 128, dtype=np.uint8)

scores, probabilities = session.run(["scores", "probabilities"], {"patches": patches_of(region)})
for name, score, probability, threshold in zip(names, scores, probabilities, THRESHOLDS):
    print(f"{name:20} {probability:6.1%} {'yes' if score > threshold else ''}")
"#;

/// What follows it on interweaved patches.
const INTERWEAVED: &str = r#"
interweaved = onnxruntime.InferenceSession("anet_interweaved.onnx", providers=["CPUExecutionProvider"])
heads = onnxruntime.InferenceSession("heads.onnx", providers=["CPUExecutionProvider"])


def vectors_of(region):
    """The same region as N x features: ANet on its patches, then on their mirror images."""
    regions = [region, region[:, ::-1]] if any(MIRRORED) else [region]
    return np.concatenate([interweaved.run(["vectors"], {"region": planes_of(each)[None]})[0] for each in regions])


scores, probabilities = heads.run(["scores", "probabilities"], {"vectors": vectors_of(region)})
"#;

fn python_flags(flags: impl Iterator<Item = bool>) -> String {
    let flags: Vec<&str> = flags.map(|flag| if flag { "True" } else { "False" }).collect();
    format!("[{}]", flags.join(", "))
}

/// Sizes as they are shown: `[batch, 3, height, width]`.
fn sizes(dims: &[Dim]) -> String {
    let shown: Vec<String> = dims
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(size) => size.to_string(),
            Dim::Free(name) => (*name).to_owned(),
        })
        .collect();
    format!("[{}]", shown.join(", "))
}

/// A text of the card with what Markdown and HTML read as more than text escaped: cards come from anybody.
pub fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !"._-,:;/'\"".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::testing::{random_parts, tiny_bundle, tiny_card};
    use lineament_net::{Layer, Precision};

    #[test]
    fn the_page_states_what_a_program_needs() {
        let page = page(&tiny_bundle(1).unwrap()).unwrap();
        for said in [
            "opset 17",
            "`pixels` [batch, 3, height, width]",
            "`patches` [batch, 3, 16, 16]",
            "`vectors` [batch, 6]",
            "`region` [1, 3, 20, 20]",
            "`vectors` [4, 6]",
            "`vectors` [patches, 6]",
            "another order of the same",
            "def vectors_of(region)",
            "`probabilities` [40]",
            "MEAN = [0.5, 0.5, 0.5]",
            "OFFSETS = [[0, 0], [4, 0], [0, 4], [4, 4], [0, 0], [4, 0], [0, 4], [4, 4]]",
            "MIRRORED = [False, False, False, False, True, True, True, True]",
            "| 31 | Smiling | 0.125 | -0.125 |",
            "CC0-1.0",
        ] {
            assert!(page.contains(said), "{said} in\n{page}");
        }
    }

    #[test]
    fn a_mirrored_region_is_not_offered_for_patches_that_it_does_not_mirror() {
        let mut card = tiny_card();
        card.anet_mut().unwrap().patches.offsets = vec![[0, 0], [3, 0]];
        let parts = random_parts(&card, 1).unwrap();
        let bundle = Bundle::new(&card, &parts, Precision::F32).unwrap();
        let page = page(&bundle).unwrap();
        assert!(page.contains("`vectors` [2, 6]") && page.contains("stand elsewhere"), "{page}");
        assert!(!page.contains("def vectors_of"), "{page}");
    }

    #[test]
    fn texts_of_the_card_cannot_break_the_page() {
        let mut card = tiny_card();
        card.attributes[0].name = "a|b`<i>*".to_owned();
        card.licence = "[CC](x) <script>".to_owned();
        card.quality = None;
        let parts = random_parts(&card, 1).unwrap();
        let bundle = Bundle::new(&card, &parts, Precision::F32).unwrap();
        let page = page(&bundle).unwrap();
        assert!(page.contains(r"| 0 | a\|b\`\<i\>\* |"), "{page}");
        assert!(page.contains(r"\[CC\]\(x\) \<script\>"), "{page}");
    }

    #[test]
    fn a_net_that_ends_in_a_map_gives_vectors_too() {
        let mut card = tiny_card();
        card.anet_mut().unwrap().anet.layers = vec![Layer::AvgPool { kernel: 8, stride: 8, padding: 0 }];
        let parts = random_parts(&card, 1).unwrap();
        let bundle = Bundle::new(&card, &parts, Precision::F32).unwrap();
        let page = page(&bundle).unwrap();
        assert!(page.contains("`vectors` [batch, 12]"), "{page}");
    }
}
