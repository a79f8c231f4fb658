use super::*;
use proptest::prelude::*;

fn square(x: f32, side: f32) -> Rect {
    Rect::new(x, 0.0, side, side)
}

fn face(x: f32, side: f32) -> GivenBox {
    GivenBox { rect: square(x, side), invalid: false }
}

fn of(name: &str, images: &[Searched]) -> HeightFigures {
    detection(images, None).heights.into_iter().find(|figures| figures.height == name).unwrap()
}

#[test]
fn figures_by_hand() {
    let images = [
        // Both faces, an alarm between them in strength, and a second box on the first.
        Searched {
            found: vec![
                (square(0.0, 50.0), 0.9),
                (square(500.0, 50.0), 0.8),
                (square(100.0, 90.0), 0.7),
                (square(1.0, 50.0), 0.6),
            ],
            given: vec![face(0.0, 50.0), face(100.0, 90.0)],
        },
        // One that is missed.
        Searched { found: vec![], given: vec![face(0.0, 30.0)] },
    ];
    let all = of("all", &images);
    assert_eq!(all.faces, 3);
    // Recall 1/3 at precision 1, 2/3 at 2/3.
    assert!((all.average_precision - (1.0 / 3.0 + 1.0 / 3.0 * 2.0 / 3.0)).abs() < 1e-12, "{all:?}");
    assert_eq!([all.recall_at_0_01, all.recall_at_0_1, all.recall_at_1], [1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0]);
    assert_eq!(
        (detection(&images, None).best_box_meets_a_face, detection(&images, None).images_with_faces),
        (0.5, 2)
    );
    // Of the larger face alone the two boxes on the smaller one say nothing.
    let large = of("80 px and more", &images);
    assert_eq!((large.faces, large.average_precision, large.recall_at_0_1), (1, 0.5, 0.0));
    let small = of("16 to 24 px", &images);
    assert_eq!((small.faces, small.average_precision, small.recall), (0, 0.0, 0.0));
}

#[test]
fn heights_part_where_they_are_said_to() {
    let heights = [15.9, 16.0, 24.0, 40.0, 80.0];
    let image = Searched { found: vec![], given: heights.map(|side| face(side * 10.0, side)).to_vec() };
    let faces: Vec<usize> = detection(&[image], None).heights.iter().map(|figures| figures.faces).collect();
    assert_eq!(faces, [5, 3, 2, 1, 1, 1, 1]);
}

#[test]
fn a_box_on_an_invalid_face_is_neither_find_nor_alarm() {
    let invalid = GivenBox { invalid: true, ..face(0.0, 50.0) };
    let image = Searched {
        found: vec![(square(0.0, 50.0), 0.9), (square(2.0, 50.0), 0.8), (square(200.0, 50.0), 0.7)],
        given: vec![invalid, face(200.0, 50.0)],
    };
    let all = of("all", std::slice::from_ref(&image));
    assert_eq!((all.faces, all.average_precision, all.recall_at_0_01), (1, 1.0, 1.0));
    assert_eq!(best_box_meets(&image), Some(true));
    let alone = Searched { given: vec![invalid], ..image };
    assert_eq!(best_box_meets(&alone), None);
    assert_eq!(of("all", &[alone]).faces, 0);
}

#[test]
fn a_box_belongs_to_the_face_that_it_overlaps_most_even_if_that_is_taken() {
    // Two given boxes that overlap; both found ones fit the first better.
    let image = Searched {
        found: vec![(square(0.0, 50.0), 0.9), (square(1.0, 50.0), 0.8)],
        given: vec![face(0.0, 50.0), face(10.0, 50.0)],
    };
    let all = of("all", &[image]);
    assert_eq!((all.recall, all.average_precision), (0.5, 0.5));
}

#[test]
fn equal_scores_are_one_step_and_nothing_gives_nothing() {
    let hit = Searched { found: vec![(square(0.0, 50.0), 0.5)], given: vec![face(0.0, 50.0)] };
    let alarm = Searched { found: vec![(square(90.0, 50.0), 0.5)], given: vec![] };
    let all = of("all", &[hit, alarm]);
    assert_eq!((all.recall_at_0_1, all.recall_at_1, all.average_precision), (0.0, 1.0, 0.5));
    let none = detection(&[], None);
    assert_eq!((none.best_box_meets_a_face, none.heights[0].average_precision), (0.0, 0.0));
}

/// The definitions once more, by threshold and in plain loops: (found, alarms) with all boxes from `least` on.
fn counted(images: &[Searched], heights: &Heights, least: f32) -> (f64, f64) {
    let (mut found, mut alarms) = (0.0, 0.0);
    for image in images {
        let mut order: Vec<usize> = (0..image.found.len()).filter(|&i| image.found[i].1 >= least).collect();
        // Stable, as ties stay in the order of the list.
        order.sort_by(|&a, &b| image.found[b].1.partial_cmp(&image.found[a].1).unwrap());
        let mut hit = vec![false; image.given.len()];
        for i in order {
            let mut most = None;
            for (j, given) in image.given.iter().enumerate() {
                let (a, b) = (image.found[i].0, given.rect);
                let w = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
                let h = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
                let shared = f64::from(w.max(0.0)) * f64::from(h.max(0.0));
                let iou = shared
                    / (f64::from(a.width) * f64::from(a.height) + f64::from(b.width) * f64::from(b.height)
                        - shared);
                if iou >= 0.5 && most.is_none_or(|(_, other)| iou > other) {
                    most = Some((j, iou));
                }
            }
            match most {
                Some((j, _)) => {
                    let given = image.given[j];
                    let wanted = !given.invalid
                        && heights.least <= given.rect.height
                        && given.rect.height < heights.below;
                    match (wanted, hit[j]) {
                        (true, false) => found += 1.0,
                        (true, true) => alarms += 1.0,
                        (false, _) => {}
                    }
                    hit[j] = true;
                }
                None => alarms += 1.0,
            }
        }
    }
    (found, alarms)
}

fn boxes() -> impl Strategy<Value = Rect> {
    // On a grid, so that overlaps, ties and equal heights happen.
    (0..12u8, 0..4u8, 1..8u8, 1..8u8).prop_map(|(x, y, w, h)| {
        Rect::new(f32::from(x) * 8.0, f32::from(y) * 8.0, f32::from(w) * 12.0, f32::from(h) * 12.0)
    })
}

fn image() -> impl Strategy<Value = Searched> {
    let found = prop::collection::vec((boxes(), (0..9u8).prop_map(|score| f32::from(score) / 8.0)), 0..9);
    let given = prop::collection::vec((boxes(), prop::bool::weighted(0.2)), 0..6);
    (found, given).prop_map(|(found, given)| {
        // Some boxes stand exactly where a face is.
        let mut found = found;
        for (place, (rect, _)) in given.iter().enumerate().skip(1) {
            found.push((*rect, place as f32 / 5.0));
        }
        Searched {
            found,
            given: given.into_iter().map(|(rect, invalid)| GivenBox { rect, invalid }).collect(),
        }
    })
}

proptest! {
    #[test]
    fn figures_are_those_of_plain_loops_over_thresholds(images in prop::collection::vec(image(), 1..8)) {
        let threshold = 0.5;
        let figures = detection(&images, Some(threshold));
        let alarms_at_threshold = figures.alarms_at_threshold;
        let mut scores: Vec<f32> = images.iter().flat_map(|image| &image.found).map(|one| one.1).collect();
        scores.sort_by(f32::total_cmp);
        scores.dedup();
        for (heights, figures) in HEIGHTS.iter().zip(&figures.heights) {
            let faces = images.iter().flat_map(|image| &image.given)
                .filter(|given| !given.invalid && given.rect.height >= heights.least && given.rect.height < heights.below)
                .count();
            prop_assert_eq!(figures.faces, faces);
            let points: Vec<(f64, f64)> = scores.iter().map(|least| counted(&images, heights, *least)).collect();
            let recall_at = |rate: f64| points.iter()
                .filter(|(_, alarms)| alarms / images.len() as f64 <= rate)
                .map(|(found, _)| found / faces.max(1) as f64)
                .fold(0.0, f64::max);
            for (rate, recall) in [(0.01, figures.recall_at_0_01), (0.1, figures.recall_at_0_1), (1.0, figures.recall_at_1)] {
                prop_assert!((recall - recall_at(rate)).abs() < 1e-9);
            }
            let (found, alarms) = counted(&images, heights, threshold);
            prop_assert_eq!(figures.recall_at_threshold, Some(found / faces.max(1) as f64));
            if heights.name == "all" {
                prop_assert_eq!(alarms_at_threshold, Some(alarms / images.len() as f64));
            }
            // The area under the best precision at this recall or a higher one, face by face.
            let area: f64 = (1..=faces).map(|face| points.iter()
                .filter(|(found, _)| *found >= face as f64)
                .map(|(found, alarms)| found / (found + alarms))
                .fold(0.0, f64::max)).sum();
            prop_assert!((figures.average_precision - area / faces.max(1) as f64).abs() < 1e-9, "{:?} {}", figures, area);
        }
    }
}
