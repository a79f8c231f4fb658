//! An LNet and how it is shown photos: whole ones, scaled so that the longest side is the net's input
//! (LNet_o), or regions resized to the net's input (LNet_s); the answer is the averaged response map.

use super::super::error::LocateError;
use super::super::lnet::LNet;
use super::super::response::ResponseMap;
use crate::crop::crop;
use crate::engine::Runner;
use crate::geometry::Rect;
use crate::input::Preprocess;
use crate::photo::Photo;
use lineament_net::{NetSpec, Tensor};
use rayon::prelude::*;

/// Regions per forward pass: enough to keep all threads busy, few enough for memory to stay small.
const BATCH: usize = 16;

/// Longest input side of an LNet.
const MAX_SIDE: usize = 4096;

/// What a net was shown of a photo, and how it responded.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The part of the photo.
    pub rect: Rect,
    /// That part, as large as the net saw it.
    pub seen: Photo,
    /// The averaged responses, in pixels of `seen`.
    pub map: ResponseMap,
}

impl View {
    /// A rectangle of `seen` in pixels of the photo.
    pub fn to_photo(&self, rect: Rect) -> Rect {
        let sx = self.rect.width / self.seen.width() as f32;
        let sy = self.rect.height / self.seen.height() as f32;
        Rect::new(self.rect.x + rect.x * sx, self.rect.y + rect.y * sy, rect.width * sx, rect.height * sy)
    }

    /// The responses in pixels of the photo.
    pub fn map_in_photo(&self) -> ResponseMap {
        let cells = self.map.cells().seen_in(self.rect, self.seen.width(), self.seen.height());
        self.map.clone().on(cells)
    }
}

/// A net that ends in a map of responses.
#[derive(Debug)]
pub struct Responder {
    lnet: LNet,
    /// Longest side of a whole photo as the net sees it.
    longest: u32,
    /// Shortest side that the net can take beside the longest.
    shortest: u32,
}

impl Responder {
    /// Prepares a net.
    ///
    /// # Errors
    /// A net without a map, or with an input that no colour photo fits; preprocessing that makes no numbers.
    pub fn new(net: impl Into<Runner>, preprocess: Preprocess) -> Result<Self, LocateError> {
        let lnet = LNet::new(net, preprocess)?;
        let spec = lnet.net().spec();
        let side = spec.input.height.max(spec.input.width);
        if side > MAX_SIDE {
            return Err(LocateError::Input { net: spec.name.clone(), side, most: MAX_SIDE });
        }
        let shortest = shortest_side(spec, side)? as u32;
        Ok(Self { longest: side as u32, shortest, lnet })
    }

    /// The net.
    pub fn net(&self) -> &Runner {
        self.lnet.net()
    }

    /// Shows the whole photo, proportions kept.
    ///
    /// A photo so long and thin that the net could not take it is shown in the middle of a wider one, its
    /// edge pixels repeated.
    ///
    /// # Errors
    /// Where a response is not finite.
    pub fn whole(&self, photo: &Photo) -> Result<View, LocateError> {
        Ok(self.whole_beside(photo, |_| ())?.0)
    }

    /// As [`Responder::whole`], with something else made of what the net sees while it runs: on several threads neither waits for the other.
    ///
    /// # Errors
    /// Where a response is not finite.
    pub fn whole_beside<T: Send>(
        &self,
        photo: &Photo,
        make: impl Fn(&Photo) -> T + Sync,
    ) -> Result<(View, T), LocateError> {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let scale = self.longest as f32 / width.max(height);
        let side = |length: f32| ((length * scale).round() as u32).clamp(self.shortest, self.longest);
        let (seen_width, seen_height) = (side(width), side(height));
        let widest = |length: f32| length.max(self.shortest as f32 / scale);
        let rect = Rect::about(photo.rect().centre(), widest(width), widest(height));
        let seen = crop(photo, rect, seen_width, seen_height);
        let (output, made) = rayon::join(|| self.lnet.respond(std::slice::from_ref(&seen)), || make(&seen));
        Ok((self.view(&output?, 0, rect, seen)?, made))
    }

    /// Shows each of the regions, resized to the net's declared input; they may reach beyond the photo. As with [`Responder::whole_beside`], something
    /// else is made of each while the net runs.
    ///
    /// # Errors
    /// Where a response is not finite.
    pub fn regions_beside<T: Send>(
        &self,
        photo: &Photo,
        regions: &[Rect],
        make: impl Fn(&Photo) -> T + Sync,
    ) -> Result<Vec<(View, T)>, LocateError> {
        // MAX_SIDE bounds both.
        let (width, height) = (self.net().input().width as u32, self.net().input().height as u32);
        let mut views = Vec::with_capacity(regions.len());
        for batch in regions.chunks(BATCH) {
            let seen: Vec<Photo> = batch.par_iter().map(|&rect| crop(photo, rect, width, height)).collect();
            let make_all = || seen.par_iter().map(&make).collect::<Vec<T>>();
            let (output, made) = rayon::join(|| self.lnet.respond(&seen), make_all);
            let output = output?;
            for (item, ((&rect, seen), made)) in batch.iter().zip(seen).zip(made).enumerate() {
                views.push((self.view(&output, item, rect, seen)?, made));
            }
        }
        Ok(views)
    }

    fn view(&self, output: &Tensor, item: usize, rect: Rect, seen: Photo) -> Result<View, LocateError> {
        let map = ResponseMap::averaged(output, item, self.lnet.cells())
            .map_err(|cause| LocateError::Response { net: self.lnet.name().to_owned(), cause })?;
        Ok(View { rect, seen, map })
    }
}

/// The shortest side that the net takes beside its longest one, upright and lying, from a quarter on.
fn shortest_side(spec: &NetSpec, longest: usize) -> Result<usize, LocateError> {
    let fits = |side: usize| {
        spec.output_for(side, longest).and_then(|_| spec.output_for(longest, side)).map(|_| side)
    };
    let quarter = longest.div_ceil(4);
    (quarter..longest).find(|&side| fits(side).is_ok()).map_or_else(|| Ok(fits(longest)?), Ok)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::locate::drawing::red_detector;
    use lineament_net::{Layer, Net, Shape, Weights};

    fn responder() -> Responder {
        Responder::new(red_detector(64), Preprocess::default()).unwrap()
    }

    #[test]
    fn the_whole_photo_is_scaled_to_the_nets_input() {
        let mut photo = Photo::filled(128, 96, [120; 3]);
        let red = |photo: &mut Photo, x: usize, y: usize| {
            photo.pixels_mut()[(y * 128 + x) * 3..][..3].copy_from_slice(&[255, 0, 0]);
        };
        (80..96).for_each(|x| (16..32).for_each(|y| red(&mut photo, x, y)));
        let view = responder().whole(&photo).unwrap();
        assert_eq!((view.seen.width(), view.seen.height()), (64, 48));
        assert_eq!((view.map.width(), view.map.height()), (8, 6));
        assert_eq!(view.map_in_photo().peak().0, Point::new(88.0, 24.0));
        assert_eq!(view.to_photo(view.map.extent()), photo.rect());
        assert_eq!(view.map_in_photo().extent(), photo.rect());
    }

    #[test]
    fn slivers_are_shown_within_a_wider_image() {
        for (width, height) in [(400, 2), (3, 900), (1, 1)] {
            let photo = Photo::filled(width, height, [255, 0, 0]);
            let view = responder().whole(&photo).unwrap();
            let (w, h) = (view.seen.width(), view.seen.height());
            assert!(w.min(h) >= 16 && w.max(h) == 64, "{w} x {h}");
            let (sx, sy) = (view.rect.width / w as f32, view.rect.height / h as f32);
            assert!((sx / sy - 1.0).abs() < 0.02, "{sx} against {sy}");
            assert_eq!(view.rect.centre(), photo.rect().centre());
        }
    }

    #[test]
    fn regions_are_all_shown_in_order() {
        let mut photo = Photo::filled(64, 64, [0, 0, 0]);
        photo.pixels_mut()[..3 * 64 * 32].chunks_exact_mut(3).for_each(|p| p.copy_from_slice(&[255, 0, 0]));
        let regions: Vec<Rect> =
            (0..20).map(|i| Rect::new(0.0, if i % 2 == 0 { 0.0 } else { 32.0 }, 32.0, 32.0)).collect();
        let brightest = |seen: &Photo| seen.pixels().iter().copied().max();
        let views = responder().regions_beside(&photo, &regions, brightest).unwrap();
        assert_eq!(views.len(), 20);
        for (i, (view, made)) in views.iter().enumerate() {
            assert_eq!(view.rect, regions[i]);
            assert_eq!(*made, brightest(&view.seen));
            assert_eq!(view.map.range().1 > 0.1, i % 2 == 0);
        }
        assert!(responder().regions_beside(&photo, &[], |_| ()).unwrap().is_empty());
    }

    #[test]
    fn nets_without_a_map_are_refused() {
        let spec =
            |channels, layers| NetSpec { name: "odd".into(), input: Shape::new(channels, 16, 16), layers };
        let build = |spec: &NetSpec| {
            Responder::new(Net::new(spec, &Weights::random(spec, 1).unwrap()).unwrap(), Preprocess::default())
        };
        let linear = vec![Layer::Linear { name: "fc".into(), outputs: 2, bias: true }];
        assert!(matches!(build(&spec(3, linear)), Err(LocateError::NoMap { .. })));
        let conv = Layer::Conv {
            name: "c".into(),
            filters: 1,
            kernel: 3,
            stride: 1,
            padding: [0; 2],
            groups: 1,
            bias: true,
        };
        assert!(matches!(build(&spec(1, vec![conv])), Err(LocateError::Channels { channels: 1, .. })));
    }
}
