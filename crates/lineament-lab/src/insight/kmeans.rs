//! k-means (Lloyd's steps from k-means++ starts), and how well groups stand apart.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Starts; the best end is kept.
const STARTS: u64 = 500;
/// Steps of one start at most; a few dozen do for small sets.
const STEPS: usize = 300;

/// Points in groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// The group of every point, numbered in the order of their first points.
    pub labels: Vec<usize>,
    /// The sum of squared distances to the centres.
    pub inertia: f64,
}

/// Parts points into `count` groups (no more than there are points). The same seed gives the same groups.
pub fn kmeans(points: &[Vec<f64>], count: usize, seed: u64) -> Groups {
    let count = count.clamp(1, points.len().max(1));
    let ends = (0..STARTS).map(|start| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(start);
        let mut centres = starts(points, count, &mut random);
        let mut groups = assign(points, &centres);
        for _ in 0..STEPS {
            centres = middles(points, &groups, count);
            let next = assign(points, &centres);
            let settled = next.labels == groups.labels;
            // Taken even then: its inertia is that of the last centres.
            groups = next;
            if settled {
                break;
            }
        }
        groups
    });
    let best = ends.min_by(|a, b| a.inertia.total_cmp(&b.inertia));
    let mut best = best.unwrap_or(Groups { labels: Vec::new(), inertia: 0.0 });
    let mut order: Vec<usize> = Vec::new();
    for label in &mut best.labels {
        let known = order.iter().position(|seen| seen == label);
        *label = known.unwrap_or_else(|| {
            order.push(*label);
            order.len() - 1
        });
    }
    best
}

/// k-means++ (Arthur and Vassilvitskii, 2007): each next centre is a point drawn by its squared distance to those that are there.
fn starts(points: &[Vec<f64>], count: usize, random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let mut centres: Vec<Vec<f64>> = Vec::new();
    let mut far = vec![1.0; points.len()];
    while centres.len() < count {
        let total: f64 = far.iter().sum();
        let mut draw = random.random_range(0.0..1.0) * total;
        let chosen = far.iter().position(|weight| {
            draw -= weight;
            draw < 0.0
        });
        // Rounding may leave nothing to draw from: then any point does.
        let Some(centre) = points.get(chosen.unwrap_or(centres.len() % points.len().max(1))) else { break };
        for (far, point) in far.iter_mut().zip(points) {
            let near = squared(point, centre);
            *far = if centres.is_empty() { near } else { far.min(near) };
        }
        centres.push(centre.clone());
    }
    centres
}

fn assign(points: &[Vec<f64>], centres: &[Vec<f64>]) -> Groups {
    let mut groups = Groups { labels: Vec::with_capacity(points.len()), inertia: 0.0 };
    for point in points {
        let near = centres.iter().map(|centre| squared(point, centre)).enumerate();
        let (label, distance) = near.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
        groups.labels.push(label);
        groups.inertia += distance;
    }
    groups
}

/// The mean of each group; an empty one goes to the point that is farthest from its own mean.
fn middles(points: &[Vec<f64>], groups: &Groups, count: usize) -> Vec<Vec<f64>> {
    let width = points.first().map_or(0, Vec::len);
    let mut sums = vec![(vec![0.0; width], 0.0); count];
    for (point, label) in points.iter().zip(&groups.labels) {
        if let Some((sum, members)) = sums.get_mut(*label) {
            sum.iter_mut().zip(point).for_each(|(sum, x)| *sum += x);
            *members += 1.0;
        }
    }
    let mut means: Vec<Vec<f64>> =
        sums.iter().map(|(sum, members)| sum.iter().map(|x| x / f64::max(*members, 1.0)).collect()).collect();
    for place in 0..count {
        if sums.get(place).is_some_and(|(_, members)| *members == 0.0) {
            let away = |(point, label): (&Vec<f64>, &usize)| {
                means.get(*label).map_or(0.0, |mean| squared(point, mean))
            };
            let far: Vec<f64> = points.iter().zip(&groups.labels).map(away).collect();
            let farthest = (0..far.len()).max_by(|a, b| far[*a].total_cmp(&far[*b]));
            if let (Some(point), Some(mean)) = (farthest.and_then(|at| points.get(at)), means.get_mut(place))
            {
                mean.clone_from(point);
            }
        }
    }
    means
}

/// The mean silhouette (Rousseeuw, 1987), -1 to 1: how much nearer points are to their own group than to the next one. Points alone in their
/// group count 0, as in scikit-learn; 0 with fewer than two groups.
pub fn silhouette(points: &[Vec<f64>], labels: &[usize]) -> f64 {
    let count = labels.iter().max().map_or(0, |most| most + 1);
    let mut sizes = vec![0.0; count];
    labels.iter().for_each(|label| sizes[*label] += 1.0);
    let value = |(point, own): (&Vec<f64>, &usize)| {
        let mut sums = vec![0.0; count];
        for (other, label) in points.iter().zip(labels) {
            sums[*label] += squared(point, other).sqrt();
        }
        if sizes[*own] < 2.0 {
            return 0.0;
        }
        let inside = sums[*own] / (sizes[*own] - 1.0);
        let others = (0..count).filter(|label| label != own && sizes[*label] > 0.0);
        let outside = others.map(|label| sums[label] / sizes[label]).fold(f64::INFINITY, f64::min);
        if outside.is_finite() && inside.max(outside) > 0.0 {
            (outside - inside) / inside.max(outside)
        } else {
            0.0
        }
    };
    crate::metrics::mean(points.iter().zip(labels).map(value))
}

fn squared(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum()
}
