#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use lineament::attributes::CELEBA;
use lineament::crop::crop;

use super::*;
use crate::report::ReadReport;
use crate::split::Split;
use crate::{celeba, folder, imagenet};

fn small() -> DrawnOptions {
    DrawnOptions { people: 6, images_each: 2, sides: [64, 80], ..DrawnOptions::default() }
}

/// A sheet to look at: `LINEAMENT_SHEET=/tmp/sheet.png cargo test -p lineament-data contact_sheet`.
#[test]
fn contact_sheet() {
    let Ok(path) = std::env::var("LINEAMENT_SHEET") else { return };
    let options = DrawnOptions::default();
    let (cell, columns, rows) = (128_u32, 10_u32, 8_u32);
    let mut sheet = Photo::filled(cell * columns, cell * rows, [255; 3]);
    for place in 0..columns * rows {
        let (column, row) = (place % columns, place / columns);
        let (photo, region) = match row {
            0..=3 => {
                let drawn = image(&options, row / 2 * 10 + column, row % 2);
                let face = drawn.faces.first().unwrap().rect;
                (drawn.photo, face.squared().scaled(1.6))
            }
            4 | 5 => {
                let drawn = image(&options, 20 + place % 20, 3);
                let whole = drawn.photo.rect();
                (drawn.photo, whole)
            }
            6 => (background(&options, column), Rect::new(0.0, 0.0, 130.0, 130.0)),
            _ => (object(column as usize, 0, 64, 1), Rect::new(0.0, 0.0, 64.0, 64.0)),
        };
        // As the nets see it: small first.
        let seen = crop(&photo, region, 64, 64);
        let seen = crop(&seen, seen.rect(), cell, cell);
        for (y, line) in seen.pixels().chunks_exact(cell as usize * 3).enumerate() {
            let start = ((row as usize * cell as usize + y) * (cell * columns) as usize
                + (column * cell) as usize)
                * 3;
            sheet.pixels_mut()[start..start + line.len()].copy_from_slice(line);
        }
    }
    sheet.save_png(path.as_ref()).unwrap();
}

#[test]
fn the_same_numbers_draw_the_same_image() {
    let options = DrawnOptions { most_faces: 4, ..DrawnOptions::default() };
    let one = image(&options, 3, 1);
    assert_eq!(one, image(&options, 3, 1));
    assert_ne!(one.photo, image(&options, 3, 2).photo);
    assert_ne!(one.photo, image(&DrawnOptions { seed: 2, ..options.clone() }, 3, 1).photo);
    assert_eq!(background(&options, 5), background(&options, 5));
    assert_eq!(object(2, 5, 32, 9), object(2, 5, 32, 9));
    assert_ne!(object(2, 5, 32, 9), object(2, 6, 32, 9));
}

#[test]
fn faces_lie_in_their_images_and_landmarks_in_their_boxes() {
    let options = DrawnOptions { most_faces: 4, ..DrawnOptions::default() };
    let mut several = 0;
    for person in 0..60 {
        let drawn = image(&options, person, 0);
        let all = drawn.photo.rect();
        several += usize::from(drawn.faces.len() > 1);
        for face in &drawn.faces {
            let inside = face.rect.intersection(all).unwrap().area() / face.rect.area();
            assert!(inside > 0.95, "person {person}: {inside}");
            assert!(face.landmarks.iter().all(|p| face.rect.contains(*p)), "person {person}");
            let [left, right, _, mouth_left, mouth_right] = face.landmarks;
            assert!(left.x < right.x && mouth_left.x < mouth_right.x && left.y < mouth_left.y);
        }
        let main = drawn.faces.first().unwrap();
        for other in drawn.faces.iter().skip(1) {
            assert!(other.rect.height < main.rect.height && other.rect.iou(main.rect) == 0.0);
        }
    }
    assert!(several > 5, "{several}");
}

#[test]
fn every_attribute_comes_and_goes_and_people_stay_alike() {
    let options = DrawnOptions { sides: [48, 48], most_faces: 1, ..DrawnOptions::default() };
    let count = 400;
    let mut positives = [0; 40];
    let mut changed = 0;
    for person in 0..count {
        let [one, two] = [0, 1].map(|number| image(&options, person, number).faces.first().unwrap().tags);
        for (sum, tag) in positives.iter_mut().zip(one) {
            *sum += u32::from(tag);
        }
        changed += one.iter().zip(two).filter(|(a, b)| **a != *b).count();
    }
    for (name, sum) in CELEBA.iter().zip(positives) {
        assert!((4..count - 8).contains(&sum), "{name}: {sum} of {count}");
    }
    let each = changed as f64 / f64::from(count);
    assert!((0.5..6.0).contains(&each), "{each} tags change from picture to picture");
}

#[test]
fn tags_agree_with_one_another() {
    let options = DrawnOptions { sides: [48, 48], most_faces: 1, ..DrawnOptions::default() };
    let place = |name: &str| CELEBA.iter().position(|n| *n == name).unwrap();
    let [bald, hat, male, no_beard] = ["Bald", "Wearing_Hat", "Male", "No_Beard"].map(place);
    let hair = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"].map(place);
    let beards = ["Goatee", "Mustache", "5_o_Clock_Shadow", "Sideburns"].map(place);
    for person in 0..300 {
        let tags = image(&options, person, 0).faces.first().unwrap().tags;
        let colours = hair.iter().filter(|h| tags[**h]).count();
        assert!(colours <= 1 && (!tags[bald] || colours == 0));
        assert!(
            !(tags[bald] || tags[hat])
                || !["Bangs", "Straight_Hair", "Wavy_Hair"].iter().any(|n| tags[place(n)])
        );
        let bearded = beards.iter().any(|b| tags[*b]);
        assert_eq!(bearded, !tags[no_beard]);
        assert!(tags[male] || !bearded);
    }
}

#[test]
fn the_celeba_folder_is_read_without_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(write_celeba(dir.path(), &small()).unwrap(), 12);
    let set = celeba::read(dir.path()).unwrap();
    assert_eq!(set.report, ReadReport::default());
    assert_eq!(set.attributes, CELEBA);
    assert_eq!((set.len(), set.people()), (24, 6));
    let splits: BTreeSet<Split> = set.samples.iter().map(|s| s.split).collect();
    assert_eq!(splits.len(), 3);
    for sample in &set.samples {
        let photo = Photo::open(&sample.path, &lineament::Limits::default()).unwrap();
        let [left, right, ..] = sample.landmarks.unwrap();
        assert!(photo.rect().contains(left) && photo.rect().contains(right));
        if sample.framing == crate::Framing::Aligned {
            assert_eq!((left.x, right.x, left.y, right.y), (35.0, 54.0, 56.0, 56.0));
        } else {
            assert!(sample.rect.unwrap().contains(left));
        }
    }
    let first = &set.samples.first().unwrap().path;
    let again = tempfile::tempdir().unwrap();
    write_celeba(again.path(), &small()).unwrap();
    let bytes = |path: &std::path::Path| std::fs::read(path).unwrap();
    assert_eq!(bytes(first), bytes(&again.path().join(first.strip_prefix(dir.path()).unwrap())));
}

#[test]
fn objects_and_backgrounds_are_read_again() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(write_objects(dir.path(), 5, 16, 1).unwrap(), 12 * 6);
    let set = imagenet::read(dir.path()).unwrap();
    assert_eq!(set.classes, OBJECTS);
    assert_eq!((set.split(Split::Train).len(), set.split(Split::Validation).len()), (60, 12));
    let flat = tempfile::tempdir().unwrap();
    write_backgrounds(flat.path(), 3, &small()).unwrap();
    assert_eq!(folder::read(flat.path()).unwrap().len(), 3);
}

#[test]
fn options_out_of_range_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (wrong, name) in [
        (DrawnOptions { people: 2, ..small() }, "people is 2"),
        (DrawnOptions { images_each: 0, ..small() }, "pictures_each is 0"),
        (DrawnOptions { sides: [200, 100], ..small() }, "sides is 200 to 100"),
        (DrawnOptions { most_faces: 0, ..small() }, "most_faces is 0"),
        (DrawnOptions { people: 2_000, images_each: 1_000, ..small() }, "people times"),
    ] {
        let error = write_celeba(dir.path(), &wrong).unwrap_err().to_string();
        assert!(error.starts_with(name), "{error}");
    }
    assert!(write_objects(dir.path(), 0, 64, 1).is_err());
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(write_celeba(&file, &small()).unwrap_err().to_string().contains("could not be written"));
}

/// A crowd to look at: `LINEAMENT_CROWD=/tmp/crowd.png cargo test -p lineament-data crowd_to_look_at`.
#[test]
fn crowd_to_look_at() {
    let Ok(path) = std::env::var("LINEAMENT_CROWD") else { return };
    let options = CrowdOptions {
        width: 1200,
        height: 900,
        faces: 120,
        heights: [12.0, 200.0],
        tilt: 45.0,
        cut: 0.1,
        ..CrowdOptions::default()
    };
    crowd(&options, 0).unwrap().photo.save_png(path.as_ref()).unwrap();
}

#[test]
fn crowds_hold_faces_of_all_sizes_that_cover_one_another_little() {
    for (faces, heights, sides) in
        [(1, [60.0, 60.0], [320, 240]), (40, [16.0, 100.0], [640, 480]), (200, [12.0, 60.0], [1200, 900])]
    {
        let [width, height] = sides;
        let options = CrowdOptions { width, height, faces, heights, tilt: 45.0, ..CrowdOptions::default() };
        let drawn = crowd(&options, 1).unwrap();
        assert_eq!(drawn, crowd(&options, 1).unwrap());
        assert_eq!(drawn.faces.len(), faces as usize);
        let all: Vec<Rect> = drawn.faces.iter().map(|face| face.rect).collect();
        assert!(all.windows(2).all(|pair| pair[0].height >= pair[1].height));
        for (i, rect) in all.iter().enumerate() {
            assert!((heights[0] * 0.99..=heights[1] * 1.01).contains(&rect.height), "{rect:?}");
            assert!(rect.intersection(drawn.photo.rect()).unwrap().area() > 0.9 * rect.area(), "{rect:?}");
            assert!(all.iter().skip(i + 1).all(|other| rect.iou(*other) < 0.05), "{rect:?}");
        }
        if faces > 30 {
            let turned = drawn.faces.iter().filter(|face| {
                let [left, right, ..] = face.landmarks;
                ((right.y - left.y) / (right.x - left.x)).abs() > 0.3
            });
            assert!(turned.count() > faces as usize / 3);
        }
    }
}

#[test]
fn the_border_cuts_a_share_of_a_crowd() {
    let options = CrowdOptions { faces: 30, cut: 0.5, ..CrowdOptions::default() };
    let drawn = crowd(&options, 0).unwrap();
    let inside = |face: &&DrawnFace| {
        face.rect.intersection(drawn.photo.rect()).map_or(0.0, Rect::area) / face.rect.area()
    };
    let cut = drawn.faces.iter().filter(|face| inside(face) < 0.95).count();
    assert!((8..23).contains(&cut), "{cut}");
    assert!(drawn.faces.iter().all(|face| inside(&face) > 0.4));
    for wrong in
        [CrowdOptions { faces: 201, ..options.clone() }, CrowdOptions { heights: [9.0, 8.0], ..options }]
    {
        assert!(crowd(&wrong, 0).is_err());
    }
}
