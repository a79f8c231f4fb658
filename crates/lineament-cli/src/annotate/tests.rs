//! What is drawn, where, and that nothing asked for panics.

use proptest::prelude::*;

use super::{COLOURS, Mark, annotate};
use lineament::{Photo, Rect};

fn mark(rect: Rect, lines: &[&str]) -> Mark {
    Mark { rect, roll: None, lines: lines.iter().map(|&line| line.to_owned()).collect() }
}

/// The smallest rectangle that covers both.
fn covering(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Rect::new(x, y, a.right().max(b.right()) - x, a.bottom().max(b.bottom()) - y)
}

/// The rows and columns of the pixels that differ, as a rectangle.
fn changed(before: &Photo, after: &Photo) -> Option<Rect> {
    let mut seen: Option<Rect> = None;
    for y in 0..before.height() {
        for x in 0..before.width() {
            if before.pixel(x, y) != after.pixel(x, y) {
                let pixel = Rect::new(x as f32, y as f32, 1.0, 1.0);
                seen = Some(seen.map_or(pixel, |seen| covering(seen, pixel)));
            }
        }
    }
    seen
}

#[test]
fn a_box_is_drawn_on_its_edges_and_its_inside_left_alone() {
    let photo = Photo::filled(100, 80, [128; 3]);
    let rect = Rect::new(20.0, 10.0, 40.0, 30.0);
    let drawn = annotate(&photo, &[mark(rect, &[])]);
    assert_eq!(changed(&photo, &drawn), Some(rect));
    assert_eq!(drawn.pixel(20, 10), Some(COLOURS[0]));
    assert_eq!(drawn.pixel(59, 39), Some(COLOURS[0]));
    assert_eq!(drawn.pixel(21, 11), Some([128; 3]));
}

#[test]
fn a_turned_box_is_drawn_turned_and_its_text_stands_clear_of_it() {
    let photo = Photo::filled(200, 200, [128; 3]);
    let rect = Rect::new(70.0, 60.0, 60.0, 80.0);
    let turned = |lines| annotate(&photo, &[Mark { roll: Some(45.0), ..mark(rect, lines) }]);
    let (bare, reported) = (turned(&[]), turned(&["one"]));
    let seen = changed(&photo, &bare).unwrap();
    // Its diagonals: (60 + 80) / sqrt(2) pixels.
    for (from, to) in [(seen.x, seen.right()), (seen.y, seen.bottom())] {
        assert!((from - 50.5).abs() < 2.0 && (to - 149.5).abs() < 2.0, "{seen:?}");
    }
    assert_eq!(bare.pixel(70, 60), Some([128; 3]), "no corner of the upright box");
    assert!(changed(&bare, &reported).unwrap().y >= seen.bottom());
}

#[test]
fn lines_grow_with_the_image() {
    let photo = Photo::filled(1000, 800, [128; 3]);
    let drawn = annotate(&photo, &[mark(Rect::new(200.0, 100.0, 400.0, 300.0), &[])]);
    assert_eq!(drawn.pixel(203, 103), Some(COLOURS[0]));
    assert_eq!(drawn.pixel(204, 104), Some([128; 3]));
}

#[test]
fn text_stands_below_its_box_or_above_where_there_is_no_room() {
    let photo = Photo::filled(200, 200, [128; 3]);
    for (y, below) in [(10.0, true), (150.0, false)] {
        let rect = Rect::new(30.0, y, 60.0, 45.0);
        let bare = annotate(&photo, &[mark(rect, &[])]);
        let reported = annotate(&photo, &[mark(rect, &["Smiling 0.97", "Male 0.99"])]);
        let text = changed(&bare, &reported).unwrap();
        assert_eq!(text.y >= rect.bottom(), below, "{text:?}");
        assert_eq!(text.bottom() <= rect.y, !below, "{text:?}");
        assert!(reported.pixels().chunks_exact(3).filter(|pixel| *pixel == COLOURS[0]).count() > 300);
    }
}

#[test]
fn the_text_of_neighbours_does_not_cover_them() {
    let photo = Photo::filled(300, 300, [128; 3]);
    let boxes = [Rect::new(100.0, 60.0, 80.0, 80.0), Rect::new(100.0, 142.0, 80.0, 80.0)];
    let bare = annotate(&photo, &boxes.map(|rect| mark(rect, &[])));
    let reported = annotate(&photo, &[mark(boxes[0], &["one", "two"]), mark(boxes[1], &["three"])]);
    for rect in boxes {
        for (x, y) in [(0.0, 0.0), (40.0, 40.0), (10.0, 78.0), (79.0, 79.0)] {
            let (x, y) = ((rect.x + x) as u32, (rect.y + y) as u32);
            assert_eq!(reported.pixel(x, y), bare.pixel(x, y));
        }
    }
}

#[test]
fn letters_that_the_font_lacks_are_question_marks() {
    let photo = Photo::filled(64, 64, [0; 3]);
    let rect = Rect::new(1.0, 1.0, 10.0, 10.0);
    let with = |text: &str| annotate(&photo, &[mark(rect, &[text])]);
    assert_eq!(with("\u{4eba}"), with("?"));
    assert_ne!(with("\u{e9}"), with("?"));
}

proptest! {
    #[test]
    fn nothing_asked_for_panics(
        width in 1u32..300, height in 1u32..300,
        boxes in prop::collection::vec((any::<[f32; 4]>(), any::<Option<f32>>(), -50.0f32..300.0, prop::collection::vec(".{0,30}", 0..5)), 0..5),
    ) {
        let marks: Vec<Mark> = boxes.into_iter().flat_map(|([x, y, w, h], roll, at, lines)| {
            [Rect::new(x, y, w, h), Rect::new(at, at, 30.0, 40.0)].map(|rect| Mark { rect, roll, lines: lines.clone() })
        }).collect();
        let photo = Photo::filled(width, height, [90; 3]);
        let drawn = annotate(&photo, &marks);
        prop_assert_eq!((drawn.width(), drawn.height()), (width, height));
    }
}
