//! Writes what the default model makes of a photo's first face, for `.ci/onnx_check.py` to compare with the exported graphs.
//!
//!     cargo run -p lineament --example onnx_face -- PHOTO DIR
//!
//! Files are called `GRAPH.CASE.VALUE.SIZES.f32`: a value's sizes in its name, its numbers (lowest byte first, row-major)
//! inside. `face.0.region.*` is the drawn face region, colours 0 to 255, rows x columns x 3.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use lineament::attributes::{Anet, FlipMode, Patches};
use lineament::{Bundle, Limits, Photo, Tagger, crop::crop};
use lineament_net::{Interweave, Net, Shape, Tensor};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(photo), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("say what to read and where to write: onnx_face PHOTO DIR".into());
    };
    fs::create_dir_all(&folder)?;
    let photo = Photo::open(&photo, &Limits::default())?;
    let bundle = Bundle::embedded()?;
    let (card, parts) = (bundle.card().clone(), bundle.parts().clone());
    let (lnets, look) = card.lnets().zip(card.anet()).ok_or("the default model has LNets and ANet")?;
    let weights = |name: &str| parts.net(name).ok_or("the default model has all its nets");
    let anet = weights("anet")?;
    let tagger = Tagger::new(bundle)?;
    let face = tagger.locate(&photo)?.into_iter().next().ok_or("the photo shows no face")?;

    for (name, spec, weights) in
        [("lnet_o", &lnets.lnet_o, weights("lnet_o")?), ("lnet_s", &lnets.lnet_s, weights("lnet_s")?)]
    {
        let net = Net::new(spec, weights)?;
        let small = crop(&photo, photo.rect(), 240, 200);
        let input = card.preprocess.tensor_of(&[small.clone(), small.mirrored()]);
        let inputs = [input, card.preprocess.tensor_of(&[crop(&photo, face.rect, 131, 160)])];
        for (case, input) in inputs.iter().enumerate() {
            let start = folder.join(format!("{name}.{case}"));
            save(&start, "pixels", &input.shape(), input.data())?;
            let output = net.forward(input)?;
            save(&start, "responses", &output.shape(), output.data())?;
        }
    }

    let extractor = Anet::new(&look.anet, anet, card.preprocess, look.patches.clone())?;
    let drawn = extractor.draw(&photo, &tagger.region_of(&face)?)?;
    let colours: Vec<f32> = drawn.pixels().iter().map(|&colour| f32::from(colour)).collect();
    let side = look.patches.region as usize;
    save(&folder.join("face.0"), "region", &[side, side, 3], &colours)?;
    let patches = look.patches.batch(&drawn, &card.preprocess)?;
    let vectors = Net::new(&look.anet, anet)?.forward(&patches)?;
    let scores = tagger.scores(&photo, face)?;
    let attributes = tagger.describe(&photo, face)?;
    let probabilities: Vec<f32> = attributes.iter().map(|attribute| attribute.probability).collect();
    for name in ["anet", "attributes"] {
        save(&folder.join(format!("{name}.0")), "patches", &patches.shape(), patches.data())?;
    }
    save_vectors(&folder.join("anet.0"), &vectors)?;
    save_vectors(&folder.join("heads.0"), &vectors)?;
    for name in ["attributes", "heads"] {
        let start = folder.join(format!("{name}.0"));
        save(&start, "scores", &[scores.len()], &scores)?;
        save(&start, "probabilities", &[probabilities.len()], &probabilities)?;
    }

    // Interweaved, on the region and on its mirror image: what patches give one by one, and what the native pass gives.
    let offsets: Vec<[usize; 2]> =
        look.patches.offsets.iter().map(|offset| offset.map(|start| start as usize)).collect();
    let interweaved = Interweave::new(&look.anet, anet, Shape::new(3, side, side), &offsets)?;
    let plain = Patches { mirror: FlipMode::Never, ..look.patches.clone() };
    let net = Net::new(&look.anet, anet)?;
    for (index, drawn) in [drawn.clone(), drawn.mirrored()].into_iter().enumerate() {
        let region = card.preprocess.tensor_of(std::slice::from_ref(&drawn));
        let one_by_one = net.forward(&plain.batch(&drawn, &card.preprocess)?)?;
        for (way, vectors) in [one_by_one, interweaved.forward(&region)?].iter().enumerate() {
            let start = folder.join(format!("anet_interweaved.{}", 2 * index + way));
            save(&start, "region", &region.shape(), region.data())?;
            save_vectors(&start, vectors)?;
        }
    }
    println!("{}", folder.display());
    Ok(())
}

fn save_vectors(start: &Path, vectors: &Tensor) -> std::io::Result<()> {
    let sizes = [vectors.items(), vectors.map().elements()];
    save(start, "vectors", &sizes, vectors.data())
}

fn save(start: &Path, value: &str, sizes: &[usize], data: &[f32]) -> std::io::Result<()> {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let bytes: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(format!("{}.{value}.{}.f32", start.display(), sizes.join("x")), bytes)
}
