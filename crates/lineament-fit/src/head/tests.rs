use super::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const UNITS: usize = 30;

/// Vectors of noise, half of which have an attribute that moves the first two units by `plainly`.
fn world(count: usize, plainly: f32, seed: u64) -> Vec<Example> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut example = |index: usize| {
        let answer = index.is_multiple_of(2);
        let mut vector: Vec<f32> = (0..UNITS).map(|_| rng.random_range(-1.0..1.0_f32)).collect();
        for unit in vector.iter_mut().take(2) {
            *unit += if answer { plainly } else { -plainly };
        }
        Example { vector, answer, group: index as u64 }
    };
    (0..count).map(&mut example).collect()
}

fn right(head: &TrainedHead, strangers: &[Example]) -> f64 {
    let mut tally = Tally::default();
    for example in strangers {
        let vector: Vec<f64> = example.vector.iter().map(|v| f64::from(*v)).collect();
        tally.add(example.answer, head.plane.score(&vector) as f32 > head.card.thresholds.balanced);
    }
    tally.balanced_accuracy()
}

#[test]
fn a_plain_attribute_is_learned_and_its_figures_hold_for_strangers() {
    let head = train_head("Plain", &world(80, 0.5, 1), &TrainOptions::default()).unwrap();
    let found = right(&head, &world(2000, 0.5, 2));
    assert!(found > 0.75, "{found}");
    assert!(head.figures.interval.holds(found), "{found}: {:?}", head.figures);
    assert_eq!((head.figures.with, head.figures.without, head.figures.groups), (40, 40, 80));
    assert_eq!(head.figures.majority_accuracy, 0.5);
    assert_eq!(head.figures.curve.len(), 4);
    assert_eq!(head.figures.curve[3].balanced_accuracy, head.figures.balanced_accuracy);
    assert_eq!(head.card.prevalence, 0.5);
}

#[test]
fn noise_is_refused_as_such() {
    // One in forty worlds of noise may pass by the definition of the interval.
    let passed = (0..12)
        .filter(|seed| train_head("Noise", &world(60, 0.0, *seed), &TrainOptions::default()).is_ok())
        .count();
    assert!(passed <= 2, "{passed} of 12");
    let refused = train_head("Noise", &world(60, 0.0, 3), &TrainOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("Noise: nothing was learned"), "{refused}");
    assert_eq!(refused.figures().unwrap().with, 30);
}

#[test]
fn people_who_look_alike_do_not_flatter() {
    // Ten people with twenty images each: who is known by sight is answered well, strangers are not.
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let people: Vec<Vec<f32>> =
        (0..12).map(|_| (0..UNITS).map(|_| rng.random_range(-1.0..1.0_f32)).collect()).collect();
    let of = |by_person: bool| -> Vec<Example> {
        let mut rng = ChaCha8Rng::seed_from_u64(10);
        (0..240_usize)
            .map(|index| {
                let person = index % 12;
                let vector = people[person].iter().map(|v| v + rng.random_range(-0.1..0.1_f32)).collect();
                Example { vector, answer: person < 6, group: if by_person { person } else { index } as u64 }
            })
            .collect()
    };
    assert!(
        train_head("Alike", &of(false), &TrainOptions::default()).unwrap().figures.balanced_accuracy > 0.99
    );
    let by_person =
        train_head("Alike", &of(true), &TrainOptions { by: Group::Person, ..TrainOptions::default() });
    let figures = match &by_person {
        Ok(head) => &head.figures,
        Err(refused) => refused.figures().unwrap(),
    };
    assert!(figures.balanced_accuracy < 0.9, "{figures:?}");
    assert_eq!(figures.groups, 12);
}

#[test]
fn any_number_of_threads_gives_the_same_head() {
    let examples = world(60, 0.4, 4);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train_head("Same", &examples, &TrainOptions::default())).unwrap()
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn too_little_is_said_with_numbers() {
    let said =
        |examples: &[Example]| train_head("Few", examples, &TrainOptions::default()).unwrap_err().to_string();
    assert!(said(&world(30, 1.0, 1)).contains("15 pictures with it and 15 without are too few"));
    assert!(said(&[]).contains("0 pictures with it"));
    let mut people = world(60, 1.0, 1);
    people.iter_mut().filter(|example| example.answer).for_each(|example| example.group %= 4);
    assert!(said(&people).contains("2 people with it"), "{}", said(&people));
    let mut odd = world(60, 1.0, 1);
    odd[3].vector.pop();
    assert!(said(&odd).contains("29 features"));
    let named = train_head("A,B", &world(60, 1.0, 1), &TrainOptions::default()).unwrap_err().to_string();
    assert!(named.contains("comma"), "{named}");
    let options = TrainOptions { share: Some(1.0), ..TrainOptions::default() };
    assert!(train_head("Share", &world(60, 1.0, 1), &options).unwrap_err().to_string().contains("share"));
}

#[test]
fn a_given_share_moves_probabilities_by_bayes_rule() {
    let examples = world(80, 0.5, 1);
    let even = train_head("Rare", &examples, &TrainOptions::default()).unwrap();
    let rare =
        train_head("Rare", &examples, &TrainOptions { share: Some(0.1), ..TrainOptions::default() }).unwrap();
    for sum in [-1.5, 0.0, 2.0] {
        // Where the exponent is `sum`.
        let score = (sum - even.card.platt.b) / even.card.platt.a;
        let odds = |p: f32| f64::from(p) / (1.0 - f64::from(p));
        let (before, after) =
            (odds(even.card.platt.probability(score)), odds(rare.card.platt.probability(score)));
        assert!((after / before - 1.0 / 9.0).abs() < 1e-3, "{before} {after}");
    }
    let threshold = rare.card.thresholds.accuracy;
    assert!((rare.card.platt.probability(threshold) - 0.5).abs() < 1e-4);
    assert_eq!(rare.card.thresholds.balanced, even.card.thresholds.balanced);
    assert_eq!((rare.card.prevalence, rare.figures), (0.1, even.figures));
}
