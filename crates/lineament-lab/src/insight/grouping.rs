//! Attributes that the SVMs read from the same neurons: k-means on their weight vectors, and the tree of how near they are.

use lineament::Bundle;
use serde::Serialize;

use super::features::Features;
use super::kmeans::{kmeans, silhouette};
use super::linkage::{Join, average_linkage};

/// Groups of attributes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttributeGroups {
    /// The group of every attribute of the model, from 0.
    pub groups: Vec<usize>,
    /// The mean silhouette, -1 to 1: near 0 groups hardly stand apart.
    pub silhouette: f64,
    /// Average linkage on the same distances.
    #[serde(skip)]
    pub joins: Vec<Join>,
}

/// Parts the model's attributes into `count` groups. A weight is taken times its neuron's standard deviation over `fc`, which is what the neuron moves the
/// score by; vectors are brought to unit length, so that direction counts and not how surely an attribute is told. Distances are Euclidean.
pub(super) fn groups(bundle: &Bundle, fc: &Features, count: usize, seed: u64) -> AttributeGroups {
    let svms = &bundle.parts().svms;
    let deviations = fc.deviations();
    let vectors: Vec<Vec<f64>> = svms
        .weight()
        .chunks_exact(svms.features())
        .map(|weight| {
            let moved: Vec<f64> = weight.iter().zip(&deviations).map(|(w, d)| f64::from(*w) * d).collect();
            let length = moved.iter().map(|x| x * x).sum::<f64>().sqrt();
            moved.into_iter().map(|x| if length > 0.0 { x / length } else { 0.0 }).collect()
        })
        .collect();
    let found = kmeans(&vectors, count, seed);
    let distance = |one: usize, other: usize| {
        let apart = vectors[one].iter().zip(&vectors[other]).map(|(a, b)| (a - b).powi(2));
        apart.sum::<f64>().sqrt()
    };
    AttributeGroups {
        silhouette: silhouette(&vectors, &found.labels),
        joins: average_linkage(vectors.len(), distance),
        groups: found.labels,
    }
}
