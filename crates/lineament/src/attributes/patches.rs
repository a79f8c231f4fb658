//! Several overlapping patches of the face region, as one batch for ANet (paper, section 2).

use crate::crop::{crop, warp};
use crate::geometry::{Affine, Rect};
use crate::input::Preprocess;
use crate::photo::Photo;
use lineament_net::Tensor;
use serde::{Deserialize, Serialize};

/// Why patches cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchesError {
    /// A side of 0, or one too large to be meant.
    #[error("the {what} is {pixels} px; it must be between 1 and {}", Patches::LARGEST)]
    Side {
        /// `patch size` or `region`.
        what: &'static str,
        /// The side given.
        pixels: u32,
    },
    /// No patch at all, or too many.
    #[error("{0} patches are listed; there must be between 1 and {max}", max = Patches::MOST)]
    Count(usize),
    /// A patch that reaches out of the region.
    #[error("patch {index} at {offset:?} with {size} px reaches out of the region of {region} px")]
    Outside {
        /// Its index in the list.
        index: usize,
        /// Its offset, x and y.
        offset: [u32; 2],
        /// Side of a patch.
        size: u32,
        /// Side of the region.
        region: u32,
    },
    /// The same patch twice: it would count double.
    #[error("patch {index} at {offset:?} is listed twice")]
    Repeated {
        /// The index of its second occurrence.
        index: usize,
        /// Its offset, x and y.
        offset: [u32; 2],
    },
    /// A drawn region of another size than the patches are cut from.
    #[error("the face region is drawn at {width} x {height} px where {expected} x {expected} px are needed")]
    Region {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The side that it should have.
        expected: u32,
    },
}

/// Which patches are seen as their mirror images. Written as `false`, `true` or `"turns"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenFlip", into = "WrittenFlip")]
pub enum FlipMode {
    /// None.
    Never,
    /// Each patch is seen both as it is and as its mirror image.
    Both,
    /// Every second patch of the list is seen as its mirror image: half the work of [`Self::Both`].
    Alternate,
}

/// A [`FlipMode`] in a recipe or card.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenFlip {
    Flag(bool),
    Name(FlipName),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FlipName {
    Turns,
}

impl From<WrittenFlip> for FlipMode {
    fn from(written: WrittenFlip) -> Self {
        match written {
            WrittenFlip::Flag(false) => Self::Never,
            WrittenFlip::Flag(true) => Self::Both,
            WrittenFlip::Name(FlipName::Turns) => Self::Alternate,
        }
    }
}

impl From<FlipMode> for WrittenFlip {
    fn from(mode: FlipMode) -> Self {
        match mode {
            FlipMode::Never => Self::Flag(false),
            FlipMode::Both => Self::Flag(true),
            FlipMode::Alternate => Self::Name(FlipName::Turns),
        }
    }
}

/// Which patches of the square face region ANet sees. The region is drawn once, at `region` px, and the patches are cut
/// from it. The paper states neither their number nor their positions: those are the recipe's choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patches {
    /// Side of a patch, which is ANet's input, in pixels.
    pub size: u32,
    /// Side of the drawn face region, in pixels.
    pub region: u32,
    /// Upper left corners of the patches in the drawn region, x and y.
    pub offsets: Vec<[u32; 2]>,
    /// Which of them are seen as their mirror images.
    pub mirror: FlipMode,
}

impl Patches {
    /// Most patches of a region, mirror images not counted.
    pub const MOST: usize = 128;
    /// Largest side of a region, in pixels.
    pub const LARGEST: u32 = 1024;

    /// A grid of `steps` x `steps` patches spread evenly from corner to corner of the region; one step is the centre.
    pub fn grid(size: u32, region: u32, steps: u32, mirror: FlipMode) -> Self {
        let room = region.saturating_sub(size);
        let start =
            |step: u32| if steps < 2 { room / 2 } else { (room * step + (steps - 1) / 2) / (steps - 1) };
        let mut offsets: Vec<[u32; 2]> = Vec::new();
        for offset in (0..steps).flat_map(|row| (0..steps).map(move |column| [start(column), start(row)])) {
            // More steps than pixels to spare would list a patch twice.
            if !offsets.contains(&offset) {
                offsets.push(offset);
            }
        }
        Self { size, region, offsets, mirror }
    }

    /// Refuses patches that do not lie in the region.
    ///
    /// # Errors
    /// What is wrong, with the number of the patch.
    pub fn check(&self) -> Result<(), PatchesError> {
        for (what, pixels) in [("patch size", self.size), ("region", self.region)] {
            if !(1..=Self::LARGEST).contains(&pixels) {
                return Err(PatchesError::Side { what, pixels });
            }
        }
        if self.offsets.is_empty() || self.offsets.len() > Self::MOST {
            return Err(PatchesError::Count(self.offsets.len()));
        }
        for (index, &offset) in self.offsets.iter().enumerate() {
            if offset.iter().any(|&start| u64::from(start) + u64::from(self.size) > u64::from(self.region)) {
                return Err(PatchesError::Outside { index, offset, size: self.size, region: self.region });
            }
            if self.offsets.iter().take(index).any(|&other| other == offset) {
                return Err(PatchesError::Repeated { index, offset });
            }
        }
        Ok(())
    }

    /// What ANet sees of a region: upper left corners, and whether the patch is seen as its mirror image.
    pub fn views(&self) -> impl Iterator<Item = ([u32; 2], bool)> + '_ {
        let turns = self.mirror == FlipMode::Alternate;
        let first = self.offsets.iter().enumerate().map(move |(index, at)| (*at, turns && index % 2 == 1));
        let beside = self.offsets.iter().filter(|_| self.mirror == FlipMode::Both);
        first.chain(beside.map(|at| (*at, true)))
    }

    /// How many patches one region gives, mirror images counted.
    pub fn count(&self) -> usize {
        self.offsets.len() * if self.mirror == FlipMode::Both { 2 } else { 1 }
    }

    /// Draws a square face region of a photo at `region` px; what lies outside the photo repeats its edge.
    pub fn draw(&self, photo: &Photo, region: Rect) -> Photo {
        crop(photo, region, self.region, self.region)
    }

    /// Draws a square face region that is turned clockwise by `roll` degrees about its centre, so that the head in it is
    /// upright.
    pub fn draw_turned(&self, photo: &Photo, region: Rect, roll: f32) -> Photo {
        let side = self.region;
        warp(photo, &Affine::of_turned(region, roll.to_radians(), false, side, side), side, side)
    }

    /// Whether the patches of the region, and of the mirrored region where there are mirror images, are all that is seen, in any order: an interweaved pass over
    /// each then serves. Mirror images of a symmetric grid stand where its patches do.
    pub fn are_of_whole_regions(&self) -> bool {
        let room = self.region.saturating_sub(self.size);
        match self.mirror {
            FlipMode::Never => true,
            FlipMode::Both => {
                self.offsets.iter().all(|[x, y]| self.offsets.contains(&[room.saturating_sub(*x), *y]))
            }
            FlipMode::Alternate => false,
        }
    }

    /// The patches of a drawn region: `count x 3 x size x size`, in the order of [`Patches::views`].
    ///
    /// # Errors
    /// What [`Patches::check`] finds, or a drawn region of another size.
    pub fn batch(&self, drawn: &Photo, preprocess: &Preprocess) -> Result<Tensor, PatchesError> {
        self.check()?;
        let (width, height, expected) = (drawn.width(), drawn.height(), self.region);
        let refused = PatchesError::Region { width, height, expected };
        if (width, height) != (expected, expected) {
            return Err(refused);
        }
        let (size, side) = (self.size as usize, self.region as usize);
        let whole = preprocess.tensor_of(std::slice::from_ref(drawn));
        let mut data = Vec::with_capacity(self.count() * 3 * size * size);
        for ([x, y], mirrored) in self.views() {
            for plane in whole.data().chunks_exact(side * side) {
                for row in plane.chunks_exact(side).skip(y as usize).take(size) {
                    let cut = row.iter().skip(x as usize).take(size);
                    if mirrored { data.extend(cut.rev()) } else { data.extend(cut) }
                }
            }
        }
        Tensor::from_vec([self.count(), 3, size, size], data).map_err(|_| refused)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn patches(size: u32, region: u32, offsets: &[[u32; 2]], mirror: FlipMode) -> Patches {
        Patches { size, region, offsets: offsets.to_vec(), mirror }
    }

    #[test]
    fn a_grid_reaches_from_corner_to_corner() {
        assert_eq!(Patches::grid(88, 96, 1, FlipMode::Never).offsets, [[4, 4]]);
        assert_eq!(Patches::grid(88, 96, 2, FlipMode::Never).offsets, [[0, 0], [8, 0], [0, 8], [8, 8]]);
        assert_eq!(Patches::grid(88, 96, 3, FlipMode::Both).count(), 18);
        assert_eq!(Patches::grid(88, 96, 3, FlipMode::Both).check(), Ok(()));
        assert_eq!(Patches::grid(96, 96, 3, FlipMode::Never).offsets, [[0, 0]]);
    }

    #[test]
    fn patches_out_of_place_are_refused() {
        let refused = |p: Patches| p.check().unwrap_err();
        assert!(matches!(
            refused(patches(0, 8, &[[0, 0]], FlipMode::Never)),
            PatchesError::Side { what: "patch size", .. }
        ));
        assert!(matches!(
            refused(patches(8, u32::MAX, &[[0, 0]], FlipMode::Never)),
            PatchesError::Side { what: "region", .. }
        ));
        assert_eq!(refused(patches(8, 8, &[], FlipMode::Never)), PatchesError::Count(0));
        assert!(matches!(
            refused(patches(8, 12, &[[0, 0], [5, 0]], FlipMode::Never)),
            PatchesError::Outside { index: 1, .. }
        ));
        assert!(matches!(
            refused(patches(8, 12, &[[u32::MAX, 0]], FlipMode::Never)),
            PatchesError::Outside { .. }
        ));
        assert!(matches!(
            refused(patches(8, 12, &[[1, 2], [1, 2]], FlipMode::Both)),
            PatchesError::Repeated { index: 1, .. }
        ));
    }

    #[test]
    fn patches_are_the_cut_crops_and_their_mirror_images() {
        let pixels: Vec<u8> = (0..6 * 6 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let drawn = Photo::new(6, 6, pixels).unwrap();
        let preprocess = Preprocess { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
        let cut = patches(4, 6, &[[0, 1], [2, 2]], FlipMode::Both);
        let batch = cut.batch(&drawn, &preprocess).unwrap();
        assert_eq!(batch.shape(), [4, 3, 4, 4]);

        let photos: Vec<Photo> = cut
            .offsets
            .iter()
            .map(|&[x, y]| {
                let rows =
                    (y..y + 4).flat_map(|row| (x..x + 4).map(move |column| (row * 6 + column) as usize * 3));
                let pixels = rows.flat_map(|at| drawn.pixels()[at..at + 3].to_vec()).collect();
                Photo::new(4, 4, pixels).unwrap()
            })
            .collect();
        let all: Vec<Photo> = photos.iter().cloned().chain(photos.iter().map(Photo::mirrored)).collect();
        assert_eq!(batch.data(), preprocess.tensor_of(&all).data());
    }

    #[test]
    fn patches_in_turns_are_every_second_one_mirrored() {
        let pixels: Vec<u8> = (0..6 * 6 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let drawn = Photo::new(6, 6, pixels).unwrap();
        let offsets = [[0, 1], [2, 2], [1, 0]];
        let batch = |mirror| patches(4, 6, &offsets, mirror).batch(&drawn, &Preprocess::default()).unwrap();
        let (turns, beside) = (batch(FlipMode::Alternate), batch(FlipMode::Both));
        let of = |tensor: &Tensor, index: usize| tensor.data()[index * 48..][..48].to_vec();
        assert_eq!(turns.items(), 3);
        assert_eq!(of(&turns, 0), of(&beside, 0));
        assert_eq!(of(&turns, 1), of(&beside, 4));
        assert_eq!(of(&turns, 2), of(&beside, 2));
    }

    #[test]
    fn mirrors_are_written_as_flags_or_by_name() {
        for (mirror, text) in
            [(FlipMode::Never, "false"), (FlipMode::Both, "true"), (FlipMode::Alternate, "\"turns\"")]
        {
            assert_eq!(serde_json::to_string(&mirror).unwrap(), text);
            assert_eq!(serde_json::from_str::<FlipMode>(text).unwrap(), mirror);
        }
        assert!(serde_json::from_str::<FlipMode>("\"never\"").is_err());
    }

    #[test]
    fn a_region_of_another_size_is_refused() {
        let drawn = Photo::new(5, 6, vec![0; 90]).unwrap();
        let preprocess = Preprocess { mean: [0.0; 3], std: [1.0; 3] };
        let refused = patches(4, 6, &[[0, 0]], FlipMode::Never).batch(&drawn, &preprocess);
        assert_eq!(refused.unwrap_err(), PatchesError::Region { width: 5, height: 6, expected: 6 });
    }
}
