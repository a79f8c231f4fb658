//! ANet cut short: what its last two stages of maps say, in the place of the paper's C3 and C4.

use lineament::Bundle;
use lineament::Photo;
use lineament::Rect;
use lineament::attributes::{Anet, DescribeError};
use lineament_net::NetSpec;

use super::InsightError;

/// Places to a side that a map is averaged to.
const GRID: usize = 2;

/// ANet up to one of its layers.
pub struct Stage {
    /// The layer, as the recipe names it.
    pub name: String,
    net: Anet,
    channels: usize,
    height: usize,
    width: usize,
}

/// One convolution, or residual block of them, with the normalisation and activation behind it.
struct Unit {
    name: String,
    /// Layers up to here belong to it.
    layers: usize,
    channels: usize,
    height: usize,
    width: usize,
}

impl Stage {
    /// The last two stages of ANet: of all units whose maps are of one size the last one. For the paper's ANet these are C3 and C4; for the
    /// compact one, whose stages are residual blocks, the last blocks of the third and the fourth.
    ///
    /// # Errors
    /// A bundle whose ANet cannot be cut, which none that can be opened is.
    pub fn last_two(bundle: &Bundle) -> Result<Vec<Self>, InsightError> {
        let card = bundle.card();
        let (Some(look), Some(weights)) = (card.anet(), bundle.parts().net("anet")) else {
            return Err(InsightError::NoAnet);
        };
        let mut units = units(&look.anet)?;
        let last = units.split_off(units.len().saturating_sub(2));
        let stage = |unit: Unit| {
            let mut spec = look.anet.clone();
            spec.layers.truncate(unit.layers);
            let own = spec.parameters().map_err(|error| InsightError::Cut(error.to_string()))?;
            let known = |name: &str| own.iter().any(|parameter| parameter.name == name);
            let weights = weights.iter().filter(|(name, _)| known(name));
            let weights = weights.map(|(name, array)| (name.to_owned(), array.clone())).collect();
            let net = Anet::new(&spec, &weights, card.preprocess, look.patches.clone())
                .map_err(|error| InsightError::Cut(error.to_string()))?;
            let Unit { name, channels, height, width, .. } = unit;
            Ok(Self { name, net, channels, height, width })
        };
        last.into_iter().map(stage).collect()
    }

    /// Shape of its maps: channels, height, width.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// The maps of a face region, the mean over its patches, each averaged over the four quarters of its area (or fewer, where it has fewer cells):
    /// coarse enough for a linear SVM to learn from some hundred people, and still with a place.
    ///
    /// # Errors
    /// A region without an inside.
    pub fn pooled(&self, photo: &Photo, region: Rect) -> Result<Vec<f32>, DescribeError> {
        let vector = self.net.vector(photo, &region.into())?;
        let (rows, columns) = (GRID.min(self.height), GRID.min(self.width));
        let mut pooled = Vec::with_capacity(self.channels * rows * columns);
        for map in vector.chunks_exact(self.height * self.width) {
            let mut sums = vec![(0.0_f32, 0.0_f32); rows * columns];
            for (y, line) in map.chunks_exact(self.width).enumerate() {
                for (x, value) in line.iter().enumerate() {
                    let place = (y * rows / self.height) * columns + x * columns / self.width;
                    if let Some((sum, count)) = sums.get_mut(place) {
                        *sum += value;
                        *count += 1.0;
                    }
                }
            }
            pooled.extend(sums.iter().map(|(sum, count)| sum / count.max(1.0)));
        }
        Ok(pooled)
    }
}

/// The last unit of every size of map.
fn units(spec: &NetSpec) -> Result<Vec<Unit>, InsightError> {
    let checked = spec.check().map_err(|error| InsightError::Cut(error.to_string()))?;
    let mut units: Vec<Unit> = Vec::new();
    let mut open = false;
    for (place, (layer, at)) in spec.layers.iter().zip(checked.layers()).enumerate() {
        let out = at.output;
        match layer.kind() {
            "conv" | "local_conv" | "residual" => {
                if units.last().is_some_and(|last| (last.height, last.width) == (out.height, out.width)) {
                    units.pop();
                }
                let name = layer.name().unwrap_or(&at.path).to_owned();
                let (channels, height, width) = (out.channels, out.height, out.width);
                units.push(Unit { name, layers: place + 1, channels, height, width });
                open = true;
            }
            "batch_norm" | "relu" | "prelu" => {
                if let Some(unit) = units.last_mut().filter(|_| open) {
                    unit.layers = place + 1;
                }
            }
            _ => open = false,
        }
    }
    Ok(units)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::testing::{blocks, tiny_bundle};
    use lineament_net::{Tensor, reference};

    #[test]
    fn the_compact_anet_is_cut_behind_its_last_blocks() {
        let stages = Stage::last_two(&Bundle::embedded().unwrap()).unwrap();
        let reported: Vec<_> = stages.iter().map(|stage| (stage.name.as_str(), stage.shape())).collect();
        assert_eq!(reported, [("block4c", [128, 6, 6]), ("conv6", [64, 3, 3])]);
    }

    #[test]
    fn maps_are_those_of_the_plain_loops() {
        let bundle = tiny_bundle(3).unwrap();
        let stages = Stage::last_two(&bundle).unwrap();
        assert_eq!(stages.len(), 1, "the tiny ANet has one convolution");
        let (photo, region) = (blocks(64, 64, 5), Rect::new(4.0, 6.0, 40.0, 40.0));
        let card = bundle.card();
        let look = card.anet().unwrap();
        let mut spec = look.anet.clone();
        spec.layers.truncate(2);
        let own = |name: &str| name.starts_with("conv1");
        let arrays = bundle.parts().net("anet").unwrap().iter().filter(|(name, _)| own(name));
        let weights = arrays.map(|(name, array)| (name.to_owned(), array.clone())).collect();
        let drawn = look.patches.draw(&photo, region);
        let batch: Tensor = look.patches.batch(&drawn, &card.preprocess).unwrap();
        let maps = reference::forward(&spec, &weights, &batch).unwrap();
        let [items, channels, height, width] = maps.shape();
        assert_eq!([channels, height, width], stages[0].shape());
        let found = stages[0].pooled(&photo, region).unwrap();
        assert_eq!(found.len(), channels * 4);
        // The upper left quarter of the first map, over all patches.
        let mut sum = 0.0;
        for item in 0..items {
            for y in 0..height / 2 {
                sum += maps.item(item).unwrap()[y * width..y * width + width / 2].iter().sum::<f32>();
            }
        }
        let expected = sum / (items * (height / 2) * (width / 2)) as f32;
        assert!((found[0] - expected).abs() < 1e-4, "{} {expected}", found[0]);
    }
}
