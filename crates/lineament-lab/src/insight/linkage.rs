//! Agglomerative grouping with average linkage: which things, then which groups of them, are nearest.

/// Two that were joined. Below the number of things a number means one of them, from there on the join of that place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Join {
    /// The one, with the smaller number.
    pub one: usize,
    /// The other.
    pub other: usize,
    /// The mean distance between their members.
    pub distance: f64,
}

/// All joins, nearest first; one fewer than there are things. `distance` is symmetric.
pub fn average_linkage(count: usize, distance: impl Fn(usize, usize) -> f64) -> Vec<Join> {
    // What is still apart: number, members.
    let mut apart: Vec<(usize, Vec<usize>)> = (0..count).map(|thing| (thing, vec![thing])).collect();
    let mean = |one: &[usize], other: &[usize]| {
        let sum: f64 = one.iter().flat_map(|a| other.iter().map(|b| distance(*a, *b))).sum();
        sum / (one.len() * other.len()) as f64
    };
    let mut joins = Vec::new();
    while apart.len() > 1 {
        let mut nearest = (0, 1, f64::INFINITY);
        for (place, (_, one)) in apart.iter().enumerate() {
            for (other_place, (_, other)) in apart.iter().enumerate().skip(place + 1) {
                let far = mean(one, other);
                if far < nearest.2 {
                    nearest = (place, other_place, far);
                }
            }
        }
        let (place, other_place, distance) = nearest;
        let (other, more) = apart.remove(other_place);
        let (one, mut members) = apart.remove(place);
        members.extend(more);
        apart.push((count + joins.len(), members));
        joins.push(Join { one: one.min(other), other: one.max(other), distance });
    }
    joins
}

/// The things in an order in which every join has its members side by side.
pub fn leaves(count: usize, joins: &[Join]) -> Vec<usize> {
    fn walk(node: usize, count: usize, joins: &[Join], found: &mut Vec<usize>) {
        match node.checked_sub(count).and_then(|place| joins.get(place)) {
            Some(join) => {
                walk(join.one, count, joins, found);
                walk(join.other, count, joins, found);
            }
            None => found.push(node),
        }
    }
    let mut found = Vec::with_capacity(count);
    match count {
        0 => {}
        1 => found.push(0),
        _ => walk(2 * count - 2, count, joins, &mut found),
    }
    found
}
