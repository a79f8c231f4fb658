//! Components, groups, trees and cuts are those of scikit-learn and scipy (`fixtures/insight.py` writes what they say).

#![allow(clippy::unwrap_used, missing_docs)]

use lineament_lab::insight::features::Features;
use lineament_lab::insight::kmeans::{kmeans, silhouette};
use lineament_lab::insight::linkage::{average_linkage, leaves};
use lineament_lab::insight::pca::Pca;
use lineament_lab::insight::single::Cut;
use serde::Deserialize;

#[derive(Deserialize)]
struct Said {
    pca: Vec<Components>,
    points: Vec<Vec<f64>>,
    groups: Vec<Grouped>,
    linkage: Vec<(usize, usize, f64)>,
    cuts: Vec<SaidCut>,
}

#[derive(Deserialize)]
struct Components {
    rows: Vec<Vec<f32>>,
    variance: Vec<f64>,
    places: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Grouped {
    count: usize,
    inertia: f64,
    labels: Vec<usize>,
    silhouette: f64,
}

#[derive(Deserialize)]
struct SaidCut {
    values: Vec<f32>,
    truths: Vec<u8>,
    auc: f64,
    above: bool,
    balanced_accuracy: f64,
}

fn said() -> Said {
    serde_json::from_str(include_str!("fixtures/insight.json")).unwrap()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} is not {expected}");
}

#[test]
fn components_are_those_of_scikit_learn() {
    for said in said().pca {
        let rows = Features::of_rows(&said.rows);
        let pca = Pca::fit(&rows, said.variance.len());
        assert_eq!(pca.variance.len(), said.variance.len());
        pca.variance.iter().zip(&said.variance).for_each(|(found, expected)| close(*found, *expected));
        let places = pca.apply(&rows);
        for (found, expected) in places.rows().zip(&said.places) {
            found.iter().zip(expected).for_each(|(found, expected)| close(f64::from(*found), *expected));
        }
    }
}

#[test]
fn rows_that_are_alike_have_no_component() {
    let rows = Features::of_rows([[1.0_f32, 2.0], [1.0, 2.0], [1.0, 2.0]]);
    assert!(Pca::fit(&rows, 2).variance.is_empty());
    assert!(Pca::fit(&Features::new(3), 2).variance.is_empty());
}

/// The same parting, whatever its groups are called.
fn alike(one: &[usize], other: &[usize]) -> bool {
    let pairs = || one.iter().zip(other);
    pairs().all(|(a, b)| pairs().all(|(c, d)| (a == c) == (b == d)))
}

#[test]
fn groups_are_those_of_scikit_learn() {
    let said = said();
    for group in said.groups {
        let found = kmeans(&said.points, group.count, 1);
        close(found.inertia, group.inertia);
        assert!(alike(&found.labels, &group.labels), "{:?} {:?}", found.labels, group.labels);
        close(silhouette(&said.points, &found.labels), group.silhouette);
        assert_eq!(found, kmeans(&said.points, group.count, 1), "the same seed, the same groups");
        // Numbered as they come.
        assert_eq!(found.labels[0], 0);
    }
}

#[test]
fn few_points_make_few_groups() {
    let points = vec![vec![1.0], vec![1.0], vec![5.0]];
    let found = kmeans(&points, 9, 3);
    assert_eq!((found.labels.len(), found.inertia), (3, 0.0));
    assert!(kmeans(&[], 4, 1).labels.is_empty());
}

#[test]
fn the_tree_is_that_of_scipy() {
    let said = said();
    let apart = |one: usize, other: usize| {
        let squares = said.points[one].iter().zip(&said.points[other]).map(|(a, b)| (a - b).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let joins = average_linkage(said.points.len(), apart);
    assert_eq!(joins.len(), said.linkage.len());
    for (found, (one, other, distance)) in joins.iter().zip(said.linkage) {
        assert_eq!((found.one, found.other), (one, other));
        close(found.distance, distance);
    }
    let mut order = leaves(said.points.len(), &joins);
    order.sort_unstable();
    assert!(order.into_iter().eq(0..said.points.len()));
}

#[test]
fn cuts_are_those_of_the_roc_curve() {
    for said in said().cuts {
        let mut pairs: Vec<(f32, bool)> =
            said.values.iter().zip(&said.truths).map(|(value, truth)| (*value, *truth == 1)).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let cut = Cut::best(pairs.into_iter()).unwrap();
        close(cut.auc, said.auc);
        close(cut.balanced_accuracy, said.balanced_accuracy);
        assert_eq!(cut.above, said.above);
    }
}
