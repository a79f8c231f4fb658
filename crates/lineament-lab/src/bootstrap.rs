//! How sure a mean is: a 95 % interval by drawing people again.
//!
//! Images of one person are alike, so people are drawn, not images: a bootstrap over images would promise more
//! than the data can hold.

use std::collections::BTreeMap;

pub use lineament_fit::bootstrap::{Interval, RESAMPLES, SEED};
use serde::{Deserialize, Serialize};

use crate::metrics::{Tally, mean};

/// The tallies of every person: `tallies[person][attribute]`.
#[derive(Debug, Clone, Default)]
pub struct People {
    tallies: BTreeMap<u64, Vec<Tally>>,
    attributes: usize,
}

impl People {
    /// Nobody yet, for so many attributes.
    pub fn new(attributes: usize) -> Self {
        Self { tallies: BTreeMap::new(), attributes }
    }

    /// The tallies of one person, made when new. An image without an identity should come with a key of its own: it
    /// then counts as a person.
    pub fn person(&mut self, key: u64) -> &mut [Tally] {
        self.tallies.entry(key).or_insert_with(|| vec![Tally::default(); self.attributes])
    }

    /// How many people there are.
    pub fn len(&self) -> usize {
        self.tallies.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }

    /// The intervals of the mean accuracy and of the mean balanced accuracy over attributes; attributes without a
    /// known label in a resample are left out of its means. `None` with fewer than two people.
    pub fn intervals(&self, resamples: u64, seed: u64) -> Option<Intervals> {
        let found = self.intervals_of(resamples, seed, |sums| means(sums).to_vec())?;
        let [accuracy, balanced_accuracy] = *found.as_slice() else { return None };
        Some(Intervals { accuracy: accuracy?, balanced_accuracy: balanced_accuracy? })
    }

    /// How much higher both means are here than there, and the intervals of that. The same people are drawn on both sides, so that what is hard about a
    /// person counts for neither; those whom one side lacks are left out. Attributes must be the same in the same order. `None` with fewer than two people.
    pub fn ahead_of(&self, other: &Self, resamples: u64, seed: u64) -> Option<Ahead> {
        let both = |(key, own): (&u64, _)| other.tallies.get(key).map(|others| (own, others));
        let pairs: Vec<(&Vec<Tally>, &Vec<Tally>)> = self.tallies.iter().filter_map(both).collect();
        let difference = |places: &[usize]| {
            let drawn = || places.iter().filter_map(|place| pairs.get(*place));
            let own = means(&self.sums(drawn().map(|(own, _)| *own)));
            let others = means(&self.sums(drawn().map(|(_, others)| *others)));
            [own[0] - others[0], own[1] - others[1]]
        };
        let [accuracy, balanced_accuracy] = difference(&(0..pairs.len()).collect::<Vec<_>>());
        let [of_accuracy, of_balanced] =
            lineament_fit::bootstrap::intervals(pairs.len(), resamples, seed, difference)?;
        let intervals = Intervals { accuracy: of_accuracy, balanced_accuracy: of_balanced };
        Some(Ahead { accuracy, balanced_accuracy, intervals })
    }

    /// The interval of every figure of every attribute, `[attribute][figure]`: resamples in which a figure is not defined
    /// are left out of its interval. `None` with fewer than two people, or where no resample defines the figure.
    pub fn figure_intervals(
        &self,
        figures: &[fn(&Tally) -> Option<f64>],
        resamples: u64,
        seed: u64,
    ) -> Vec<Vec<Option<Interval>>> {
        let all = self.intervals_of(resamples, seed, |sums| {
            let row = |sum: &Tally| -> Vec<f64> {
                figures.iter().map(|figure| figure(sum).unwrap_or(f64::NAN)).collect()
            };
            sums.iter().flat_map(row).collect()
        });
        let all = all.unwrap_or_else(|| vec![None; self.attributes * figures.len()]);
        all.chunks(figures.len().max(1)).map(<[_]>::to_vec).collect()
    }

    /// The intervals of figures made of the tallies of drawn people, one an attribute; one draw serves all figures. NaN is a figure that a draw does
    /// not define. `None` with fewer than two people.
    pub fn intervals_of(
        &self,
        resamples: u64,
        seed: u64,
        figures: impl Fn(&[Tally]) -> Vec<f64> + Sync,
    ) -> Option<Vec<Option<Interval>>> {
        let people: Vec<&Vec<Tally>> = self.tallies.values().collect();
        lineament_fit::bootstrap::many_intervals(people.len(), resamples, seed, |places| {
            figures(&self.sums(places.iter().filter_map(|place| people.get(*place).copied())))
        })
    }

    /// The tallies of some people together, one an attribute.
    fn sums<'a>(&self, people: impl Iterator<Item = &'a Vec<Tally>>) -> Vec<Tally> {
        let mut sums = vec![Tally::default(); self.attributes];
        for person in people {
            sums.iter_mut().zip(person).for_each(|(sum, tally)| sum.merge(tally));
        }
        sums
    }
}

/// Mean accuracy and mean balanced accuracy over the attributes that have a known label.
fn means(sums: &[Tally]) -> [f64; 2] {
    let known = || sums.iter().filter(|tally| tally.known() > 0);
    [mean(known().map(Tally::accuracy)), mean(known().map(Tally::balanced_accuracy))]
}

/// How much higher the two means of one system are than another's, asked about the same people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ahead {
    /// Of the mean accuracy, a fraction.
    pub accuracy: f64,
    /// Of the mean balanced accuracy, a fraction.
    pub balanced_accuracy: f64,
    /// The intervals of both.
    pub intervals: Intervals,
}

/// The intervals of the two means of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the mean accuracy.
    pub accuracy: Interval,
    /// Of the mean balanced accuracy.
    pub balanced_accuracy: Interval,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn people(count: u64, images: u64) -> People {
        let mut people = People::new(1);
        for key in 0..count {
            let tally = &mut people.person(key)[0];
            for image in 0..images {
                // 80 % of the people are always right, the others never.
                tally.add(image % 2 == 0, (image % 2 == 0) == (key % 5 != 0));
            }
        }
        people
    }

    #[test]
    fn the_interval_holds_the_mean_and_has_the_binomial_width() {
        let intervals = people(400, 2).intervals(RESAMPLES, SEED).unwrap();
        let Interval { low, high } = intervals.accuracy;
        assert!(low < 0.8 && 0.8 < high, "{low} {high}");
        // 2 x 1.96 x sqrt(0.8 x 0.2 / 400) = 0.0784.
        assert!((high - low - 0.0784).abs() < 0.01, "{}", high - low);
    }

    #[test]
    fn more_images_of_the_same_people_say_no_more() {
        let width = |images| {
            let Interval { low, high } = people(100, images).intervals(RESAMPLES, SEED).unwrap().accuracy;
            high - low
        };
        assert!((width(2) - width(20)).abs() < 1e-12);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let people = people(50, 2);
        assert_eq!(people.intervals(200, 7), people.intervals(200, 7));
        assert_ne!(people.intervals(200, 7), people.intervals(200, 8));
    }

    #[test]
    fn one_draw_serves_all_figures_as_one_each_would() {
        let mut all = People::new(2);
        for key in 0..40 {
            let tallies = all.person(key);
            tallies[0].add(key % 3 == 0, key % 2 == 0);
            // The second attribute is labelled for some only, and never absent.
            if key % 4 == 0 {
                tallies[1].add(true, key % 8 == 0);
            }
        }
        let accuracy = |tally: &Tally| (tally.known() > 0).then(|| tally.accuracy());
        let absent = |tally: &Tally| (tally.true_negatives + tally.false_positives > 0).then_some(1.0);
        let found = all.figure_intervals(&[accuracy, absent], 100, 3);
        let people: Vec<Vec<Tally>> = all.tallies.values().cloned().collect();
        for (attribute, row) in found.iter().enumerate() {
            let alone = lineament_fit::bootstrap::intervals(people.len(), 100, 3, |places| {
                let mut sum = Tally::default();
                places.iter().for_each(|place| sum.merge(&people[*place][attribute]));
                [accuracy(&sum).unwrap_or(f64::NAN)]
            });
            assert_eq!(row[0], alone.map(|[interval]| interval));
        }
        assert_eq!((found.len(), found[1][1]), (2, None));
        assert_eq!(People::new(2).figure_intervals(&[accuracy], 10, 1), vec![vec![None]; 2]);
    }

    #[test]
    fn pairs_are_surer_than_each_side() {
        // Both fail on the same fifth of the people, and the other on every tenth of the rest besides.
        let (own, mut other) = (people(400, 2), People::new(1));
        for key in 0..500 {
            let tally = &mut other.person(key)[0];
            for present in [true, false] {
                tally.add(present, present == (key % 5 != 0 && key % 10 != 1));
            }
        }
        let ahead = own.ahead_of(&other, RESAMPLES, SEED).unwrap();
        assert!(
            (ahead.accuracy - 0.1).abs() < 1e-12 && (ahead.balanced_accuracy - 0.1).abs() < 1e-12,
            "{ahead:?}"
        );
        // 2 x 1.96 x sqrt(0.1 x 0.9 / 400) = 0.0588; each side alone has 0.0784 and more.
        let Interval { low, high } = ahead.intervals.accuracy;
        assert!(low > 0.0 && (high - low - 0.0588).abs() < 0.01, "{low} {high}");
        assert_eq!(own.ahead_of(&people(1, 2), 10, 1), None);
    }

    #[test]
    fn one_person_has_no_interval() {
        assert_eq!(people(1, 4).intervals(10, 1), None);
        assert_eq!(People::new(3).intervals(10, 1), None);
    }
}
