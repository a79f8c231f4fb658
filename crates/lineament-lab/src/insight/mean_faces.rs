//! Mean faces of high, middling and low response of a neuron (paper, Figs. 8 and 9).

use std::collections::BTreeSet;

use lineament::crop::crop;
use lineament::{Limits, Photo};
use rayon::prelude::*;

use super::look::Seen;
use super::neurons::Speaks;

/// The fewest people that a mean is taken over: of fewer, somebody might be made out.
pub const LEAST: usize = 30;
/// The most.
const MOST: usize = 100;
/// Side of a mean face, in pixels.
pub const SIDE: u32 = 64;

/// The mean of some images, each of another person.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanFace {
    /// How many.
    pub images: usize,
    /// Their mean activation.
    pub activation: f64,
    /// What they look like together, [`SIDE`] pixels square.
    pub photo: Photo,
}

/// A neuron with the faces it responds to.
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronFaces {
    /// What it speaks for.
    pub neuron: Speaks,
    /// High, middling and low response.
    pub faces: [MeanFace; 3],
}

/// Why there are no mean faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are {people} people in this part; mean faces need {LEAST}, so that nobody can be made out in them"
)]
pub struct TooFew {
    /// People there are.
    pub people: usize,
}

/// Mean faces of the strongest neurons: those that separate their attribute best, no attribute twice.
///
/// # Errors
/// [`TooFew`] people for a mean.
pub(super) fn of_strongest(seen: &Seen, named: &[Speaks], most: usize) -> Result<Vec<NeuronFaces>, TooFew> {
    let mut reported = BTreeSet::new();
    let strongest: Vec<&Speaks> =
        named.iter().filter(|neuron| reported.insert(neuron.attribute)).take(most).collect();
    let persons: Vec<u64> = seen.faces.iter().map(|face| face.person).collect();
    let mut found = Vec::new();
    for neuron in strongest {
        let values = seen.fc.column(neuron.feature);
        let faces = groups(&values, &persons)?.map(|group| mean_face(seen, &values, &group));
        found.push(NeuronFaces { neuron: *neuron, faces });
    }
    Ok(found)
}

/// Rows of high, middling and low values: a tenth of the people each, at least [`LEAST`] and at most [`MOST`], each with one image.
fn groups(values: &[f32], persons: &[u64]) -> Result<[Vec<usize>; 3], TooFew> {
    let people = persons.iter().collect::<BTreeSet<_>>().len();
    if people < LEAST {
        return Err(TooFew { people });
    }
    let size = (people / 10).clamp(LEAST, MOST);
    let mut order: Vec<usize> = (0..values.len().min(persons.len())).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
    let one_each = |rows: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
        let mut met = BTreeSet::new();
        rows.filter(|row| met.insert(persons[*row])).take(size).collect()
    };
    // From the middle outwards, both ways in turn.
    let (above, below) = order.split_at(order.len() / 2);
    let mut outwards = Vec::with_capacity(order.len());
    for step in 0..below.len() {
        outwards.extend(below.get(step));
        outwards.extend(above.len().checked_sub(step + 1).and_then(|place| above.get(place)));
    }
    Ok([
        one_each(&mut order.iter().copied()),
        one_each(&mut outwards.into_iter()),
        one_each(&mut order.iter().rev().copied()),
    ])
}

fn mean_face(seen: &Seen, values: &[f32], rows: &[usize]) -> MeanFace {
    let drawn = |row: &usize| {
        let face = seen.faces.get(*row)?;
        // What was read a moment ago is readable still; if not, it is left out and counted so.
        let photo = Photo::open(&face.path, &Limits::default()).ok()?;
        Some((crop(&photo, face.region, SIDE, SIDE), *values.get(*row)?))
    };
    let images: Vec<(Photo, f32)> = rows.par_iter().filter_map(drawn).collect();
    let count = images.len().max(1) as f64;
    let mut photo = Photo::filled(SIDE, SIDE, [0; 3]);
    let mut sums = vec![0_u32; photo.pixels().len()];
    for (image, _) in &images {
        sums.iter_mut().zip(image.pixels()).for_each(|(sum, value)| *sum += u32::from(*value));
    }
    for (pixel, sum) in photo.pixels_mut().iter_mut().zip(sums) {
        *pixel = (f64::from(sum) / count).round() as u8;
    }
    let activation = images.iter().map(|(_, value)| f64::from(*value)).sum::<f64>() / count;
    MeanFace { images: images.len(), activation, photo }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_in_a_group_twice_and_few_people_are_refused() {
        // Three images of each of 40 people.
        let values: Vec<f32> = (0..120).map(|row| ((row * 37) % 120) as f32).collect();
        let persons: Vec<u64> = (0..120).map(|row| row / 3).collect();
        let found = groups(&values, &persons).unwrap();
        for group in &found {
            let people: BTreeSet<u64> = group.iter().map(|row| persons[*row]).collect();
            assert_eq!((group.len(), people.len()), (LEAST, LEAST));
        }
        let mean = |group: &[usize]| group.iter().map(|row| values[*row]).sum::<f32>() / group.len() as f32;
        let [high, middle, low] = found.each_ref().map(|group| mean(group));
        assert!(high > middle + 20.0 && middle > low + 20.0, "{high} {middle} {low}");
        assert_eq!(groups(&values[..87], &persons[..87]), Err(TooFew { people: 29 }));
    }
}
