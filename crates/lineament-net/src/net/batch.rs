//! How a batch is cut into groups of items that go through the steps together.

use std::iter;
use std::sync::Arc;

use super::Net;
use super::planes::Planes;
use super::program::Program;
use crate::Shape;
use crate::scheduler::{Schedule, Steps};

/// The most items of a group, and the most values that their maps may fill (8 MB): together they read every filter once.
const GROUP: usize = 16;
const GROUP_VALUES: usize = 2 << 20;

/// A batch of inputs of one shape.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) groups: Vec<Group>,
    /// Where the groups' outputs lie, when each thread takes groups of its own; none when all share the units of one group after the other.
    pub(crate) independent: Option<Schedule>,
    /// All of it, where nothing has to be brought to its place and back.
    pub(crate) planes: Option<Planes>,
}

/// Neighbouring items.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) first: usize,
    pub(crate) program: Arc<Program>,
}

impl Batch {
    /// A batch of `items`, one at least, for so many threads. `None` when it would need more memory than there can be.
    pub(crate) fn new(net: &Net, input: Shape, items: usize, threads: usize) -> Option<Self> {
        let one = net.program(input, 1)?;
        let (values, output) = (one.layout.len, one.layout.output.shape.elements());
        // IndependentGroups, each thread reads all filters; together, they hand maps to each other.
        let independent = threads > 1 && items >= 2 * threads && items * values >= net.plan.weights();
        let most = (GROUP_VALUES / values.max(1)).clamp(1, GROUP);
        let mut groups = Vec::new();
        let mut first = 0;
        for size in sizes(items, if independent { threads } else { 1 }, most) {
            groups.push(Group { first, program: net.program(input, size)? });
            first += size;
        }
        let schedule = || {
            let starts = groups.iter().map(|group| group.first * output).collect();
            Schedule::new(iter::once(([0..0, 0..items * output], starts)))
        };
        let independent = independent.then(schedule);
        Some(Self { groups, independent, planes: Planes::new(&net.plan, input, items) })
    }
}

/// Sizes of groups in the order of their items. The first of several threads takes them from the front and the others from the back; what they take last is
/// small, so that a thread that comes late or is slow is not waited for long.
fn sizes(items: usize, threads: usize, most: usize) -> Vec<usize> {
    let rounds = items.saturating_sub(1) / (threads * most);
    let tail = items - rounds * threads * most;
    // Three quarters of the tail, then the rest.
    let big = if threads > 1 { (3 * tail).div_ceil(4 * threads) } else { tail };
    let small = tail.saturating_sub(threads * big).div_ceil(threads);
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let mut left = items;
    for size in iter::repeat_n(most, rounds).chain([big, small]) {
        for thread in 0..threads {
            let size = size.min(left);
            left -= size;
            if size > 0 {
                if thread == 0 { &mut front } else { &mut back }.push(size);
            }
        }
    }
    front.extend(back.into_iter().rev());
    front
}

/// A batch on its way, group by group.
pub(crate) struct IndependentGroups<'a> {
    pub(crate) net: &'a Net,
    pub(crate) batch: &'a Batch,
    pub(crate) input: &'a [f32],
}

impl Steps for IndependentGroups<'_> {
    fn begin(&self, _: &mut [f32]) {}

    fn prepare(&self, _: usize, _: &mut [f32]) {}

    fn unit(&self, _: usize, unit: usize, _: &[f32], output: &mut [f32]) {
        let group = &self.batch.groups[unit];
        self.net.group(&group.program, group.of(self.input), output, 1);
    }
}

impl Group {
    /// Its items of the whole input.
    pub(crate) fn of<'a>(&self, input: &'a [f32]) -> &'a [f32] {
        let each = self.program.layout.input.shape.elements();
        &input[self.first * each..][..self.program.items * each]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_taken_last_is_small() {
        assert_eq!(sizes(16, 2, 16), [6, 2, 2, 6]);
        assert_eq!(sizes(64, 2, 16), [16, 12, 4, 4, 12, 16]);
        assert_eq!(sizes(5, 2, 16), [2, 1, 2]);
        assert_eq!(sizes(16, 3, 16), [4, 2, 2, 4, 4]);
        assert_eq!(sizes(40, 1, 16), [16, 16, 8]);
    }

    proptest! {
        #[test]
        fn every_item_is_in_one_group(items in 1usize..300, threads in 1usize..9, most in 1usize..17) {
            let sizes = sizes(items, threads, most);
            prop_assert_eq!(sizes.iter().sum::<usize>(), items);
            prop_assert!(sizes.iter().all(|size| (1..=most).contains(size)));
        }
    }
}
