//! From photos to the numbers that a net takes.

use lineament_net::Tensor;
use serde::{Deserialize, Serialize};

use crate::crop::crop;
use crate::photo::Photo;

/// How a colour becomes a number: `(colour / 255 - mean) / std`, a mean and a deviation for red, green and
/// blue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// What is taken off, of colours between 0 and 1.
    pub mean: [f32; 3],
    /// What the difference is divided by.
    pub std: [f32; 3],
}

/// Numbers that no image can be prepared with.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("mean {mean:?} and std {std:?}: give finite numbers, and a std above zero for red, green and blue")]
pub struct PreprocessError {
    /// The mean as given.
    pub mean: [f32; 3],
    /// The deviation as given.
    pub std: [f32; 3],
}

impl Default for Preprocess {
    /// Colours between -1 and 1.
    fn default() -> Self {
        Self { mean: [0.5; 3], std: [0.5; 3] }
    }
}

impl Preprocess {
    /// Whether every colour becomes a finite number.
    ///
    /// # Errors
    /// A mean or a deviation that is not finite, or a deviation so small that dividing by it is not.
    pub fn check(&self) -> Result<(), PreprocessError> {
        let (Self { mean, std }, finite) = (*self, |value: f32| value.is_finite());
        let good = mean
            .iter()
            .zip(&std)
            .all(|(&mean, &std)| std > 0.0 && finite(std) && finite((1.0 + mean.abs()) / std));
        if good { Ok(()) } else { Err(PreprocessError { mean, std }) }
    }

    /// Photos of one size as a batch `N x 3 x H x W`, red first; no photo gives a batch of none.
    ///
    /// A photo of another size than the first is drawn at the size of the first.
    pub fn tensor_of(&self, photos: &[Photo]) -> Tensor {
        let (width, height) = photos.first().map_or((0, 0), |photo| (photo.width(), photo.height()));
        let plane = width as usize * height as usize;
        let mut tensor = Tensor::zeros([photos.len(), 3, height as usize, width as usize]);
        if plane == 0 {
            return tensor;
        }
        let [of_red, of_green, of_blue] = self.tables();
        for (photo, planes) in photos.iter().zip(tensor.data_mut().chunks_exact_mut(3 * plane)) {
            let resized;
            let photo = if (photo.width(), photo.height()) == (width, height) {
                photo
            } else {
                resized = crop(photo, photo.rect(), width, height);
                &resized
            };
            let (red, rest) = planes.split_at_mut(plane);
            let (green, blue) = rest.split_at_mut(plane);
            let pixels = photo.pixels().as_chunks::<3>().0.iter().zip(red).zip(green).zip(blue);
            for ((([r, g, b], red), green), blue) in pixels {
                *red = of_red[usize::from(*r)];
                *green = of_green[usize::from(*g)];
                *blue = of_blue[usize::from(*b)];
            }
        }
        tensor
    }

    /// The number of each of the 256 colours, for each channel.
    fn tables(&self) -> [[f32; 256]; 3] {
        std::array::from_fn(|channel| {
            std::array::from_fn(|colour| (colour as f32 / 255.0 - self.mean[channel]) / self.std[channel])
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_planes() {
        let preprocess = Preprocess { mean: [0.0, 0.5, 1.0], std: [1.0, 0.5, 0.25] };
        let photo = Photo::new(2, 1, vec![0, 255, 51, 255, 0, 255]).unwrap();
        let tensor = preprocess.tensor_of(&[photo.clone(), photo.mirrored()]);
        assert_eq!(tensor.shape(), [2, 3, 1, 2]);
        let expected = [0.0, 1.0, 1.0, -1.0, -3.2, 0.0, 1.0, 0.0, -1.0, 1.0, 0.0, -3.2];
        assert!(tensor.data().iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-6));
    }

    #[test]
    fn sizes_follow_the_first_and_none_is_none() {
        let preprocess = Preprocess::default();
        let photos = [Photo::filled(4, 3, [255; 3]), Photo::filled(9, 9, [0; 3])];
        let tensor = preprocess.tensor_of(&photos);
        assert_eq!(tensor.shape(), [2, 3, 3, 4]);
        assert!(tensor.data()[..36].iter().all(|&value| value == 1.0));
        assert!(tensor.data()[36..].iter().all(|&value| value == -1.0));
        assert_eq!(preprocess.tensor_of(&[]).shape(), [0, 3, 0, 0]);
    }

    #[test]
    fn deviations_of_nothing_are_refused() {
        let with = |std| Preprocess { mean: [0.5; 3], std: [0.5, std, 0.5] }.check();
        assert!(with(0.2).is_ok());
        for wrong in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-45] {
            assert!(with(wrong).is_err());
        }
        assert!(Preprocess { mean: [f32::NAN; 3], std: [1.0; 3] }.check().is_err());
    }
}
