//! Nets made by hand look at flags: squares whose upper half is red and whose lower half is green.

use super::*;
use crate::geometry::Rect;
use lineament_net::{Array, Layer, Net, NetSpec, Shape, Weights};
use proptest::prelude::*;
use std::sync::atomic::Ordering;

const GROUND: u8 = 20;
const BRIGHT: u8 = 240;
/// A flag is half as wide and high as its window.
const TO_BOX: WindowToBox = WindowToBox { right: 0.0, down: 0.0, width: 0.5, height: 0.5 };

/// A window classifier of `side` pixels, stride 4, that knows flags and answers where their window lies: colours are averaged
/// over two pixels, and every answer is a sum of them. `wrong` and `outside` are what it holds against the other colour and
/// against colour around the flag: a net that is asked at every fourth pixel must be more lenient than one that sees the
/// flag's own window.
fn flags(side: usize, wrong: f32, outside: f32) -> Net {
    let conv = |name: &str, filters, kernel| Layer::Conv {
        name: name.to_owned(),
        filters,
        kernel,
        stride: 2,
        padding: [0; 2],
        groups: 1,
        bias: true,
    };
    let layers = vec![conv("mean", 3, 2), conv("responses", Response::CHANNELS, side / 2)];
    let spec = NetSpec { name: format!("flags{side}"), input: Shape::new(3, side, side), layers };
    let mut weights = Weights::random(&spec, 1).unwrap();
    let mut set = |name: &str, shape: &[usize], of: &dyn Fn(usize) -> f32| {
        let data = (0..shape.iter().product()).map(of).collect();
        weights.insert(name, Array { shape: shape.to_vec(), data });
    };
    set("mean.weight", &[3, 3, 2, 2], &|i| if i / 12 == i / 4 % 3 { 0.25 } else { 0.0 });
    set("mean.bias", &[3], &|_| 0.0);
    let n = side / 2;
    let area = (n * n) as f32 / 4.0;
    set("responses.weight", &[Response::CHANNELS, 3, n, n], &|i| {
        let (answer, colour, y, x) = (i / (3 * n * n), i / (n * n) % 3, i / n % n, i % n);
        // From the middle, in sides of the window.
        let from_middle = |at: usize| (at as f32 + 0.5) / n as f32 - 0.5;
        let (x, y) = (from_middle(x), from_middle(y));
        let (sign, bright) = match colour {
            0 => (1.0, 1.0),
            1 => (-1.0, 1.0),
            _ => (0.0, 0.0),
        };
        let inside = x.abs() < 0.25 && y.abs() < 0.25;
        // A flag fills its half of the colour: all sums over it are those of `area` values of 1.
        match answer {
            0 if inside => 10.0 * bright * if (y < 0.0) == (sign > 0.0) { 1.0 } else { -wrong } / area,
            0 => -outside * bright / area,
            1 => x * bright / area,
            2 => y * bright / area,
            3 => 0.5 * bright / area,
            4 => sign * x / area,
            _ => -sign * y / area,
        }
    });
    set("responses.bias", &[Response::CHANNELS], &|answer| [-4.0, 0.0, 0.0, -0.5, 0.0, 0.0][answer]);
    Net::new(&spec, &weights).unwrap()
}

fn localizer() -> PyramidLocalizer {
    let parameters = PyramidParameters {
        threshold: 3.0,
        candidate_threshold: -3.0,
        second_look: -2.0,
        face: TO_BOX,
        ..PyramidParameters::default()
    };
    let (ground, bright) = (f32::from(GROUND) / 255.0, f32::from(BRIGHT) / 255.0);
    let preprocess = Preprocess { mean: [ground; 3], std: [bright - ground; 3] };
    PyramidLocalizer::new(lenient(), strict(), preprocess, parameters).unwrap()
}

fn lenient() -> Net {
    flags(16, 0.3, 3.0)
}

fn strict() -> Net {
    flags(24, 1.0, 5.0)
}

/// A flag: its centre, its side, and how far it is turned clockwise.
#[derive(Debug, Clone, Copy)]
struct Flag {
    x: f32,
    y: f32,
    side: f32,
    roll: f32,
}

impl Flag {
    fn rect(&self) -> Rect {
        Rect::about(Point::new(self.x, self.y), self.side, self.side)
    }
}

fn flag(x: f32, y: f32, side: f32, roll: f32) -> Flag {
    Flag { x, y, side, roll }
}

fn scene(width: u32, height: u32, flags: &[Flag]) -> Photo {
    let mut photo = Photo::filled(width, height, [GROUND; 3]);
    for (at, pixel) in photo.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (x, y) = ((at as u32 % width) as f32 + 0.5, (at as u32 / width) as f32 + 0.5);
        for flag in flags {
            let (sine, cosine) = flag.roll.to_radians().sin_cos();
            let (x, y) = (x - flag.x, y - flag.y);
            let (across, down) = (x * cosine + y * sine, y * cosine - x * sine);
            if across.abs() < flag.side / 2.0 && down.abs() < flag.side / 2.0 {
                *pixel = if down < 0.0 { [BRIGHT, GROUND, GROUND] } else { [GROUND, BRIGHT, GROUND] };
            }
        }
    }
    photo
}

/// From this many pixels on.
fn from(pixels: f32) -> Search {
    Search { smallest_face: Some(SmallestFace::pixels(pixels).unwrap()), ..Search::default() }
}

fn any_orientation() -> Search {
    Search { any_orientation: true, ..Search::default() }
}

/// Every flag is found at its place and size and as it is turned, and nothing else is.
fn assert_found(faces: &Faces, flags: &[Flag]) {
    assert_eq!(faces.len(), flags.len(), "{faces:?}");
    for flag in flags {
        let face = faces.iter().max_by(|a, b| a.rect.iou(flag.rect()).total_cmp(&b.rect.iou(flag.rect())));
        let face = face.unwrap();
        assert!(face.rect.iou(flag.rect()) > 0.7, "{flag:?} is met by {face:?} of {faces:?}");
        let off = face.roll.unwrap() - flag.roll;
        assert!((off - 360.0 * (off / 360.0).round()).abs() < 12.0, "{flag:?} is met by {face:?}");
    }
}

const UPRIGHT: [Flag; 3] = [
    Flag { x: 32.0, y: 42.0, side: 24.0, roll: 0.0 },
    Flag { x: 144.0, y: 84.0, side: 52.0, roll: 0.0 },
    Flag { x: 60.0, y: 120.0, side: 18.0, roll: 0.0 },
];

#[test]
fn flags_are_found_at_their_place_and_size() {
    let faces = localizer().locate(&scene(200, 150, &UPRIGHT), &from(16.0)).unwrap();
    assert_found(&faces, &UPRIGHT);
    assert!(faces.is_sorted_by(|a, b| a.score >= b.score));
}

#[test]
fn tilted_flags_are_found_and_how_they_are_tilted() {
    let flags =
        [flag(50.0, 60.0, 40.0, 30.0), flag(150.0, 60.0, 30.0, -25.0), flag(110.0, 120.0, 24.0, 10.0)];
    let faces = localizer().locate(&scene(200, 150, &flags), &Search::default()).unwrap();
    assert_found(&faces, &flags);
}

#[test]
fn flags_that_lie_on_their_side_are_found_where_they_are_looked_for() {
    let flags = [
        flag(40.0, 40.0, 30.0, 0.0),
        flag(120.0, 40.0, 36.0, 90.0),
        flag(50.0, 110.0, 28.0, 180.0),
        flag(150.0, 110.0, 40.0, -90.0),
    ];
    let photo = scene(200, 150, &flags);
    assert_found(&localizer().locate(&photo, &Search::default()).unwrap(), &flags[..1]);
    assert_found(&localizer().locate(&photo, &any_orientation()).unwrap(), &flags);
}

#[test]
fn a_turned_photo_has_turned_boxes() {
    let photo = scene(203, 150, &[flag(42.0, 40.0, 30.0, 10.0), flag(141.0, 95.0, 47.0, -70.0)]);
    // Turned counterclockwise.
    let turned = Turn::Clockwise.upright(&photo).into_owned();
    let faces = localizer().locate(&photo, &any_orientation()).unwrap();
    let of_turned = localizer().locate(&turned, &any_orientation()).unwrap();
    assert_eq!((faces.len(), of_turned.len()), (2, 2));
    for (face, of_turned) in faces.iter().zip(&of_turned) {
        let centre = face.rect.centre();
        let expected = Point::new(centre.y, 203.0 - centre.x);
        assert!(of_turned.rect.centre().distance(expected) < 0.5, "{face:?} {of_turned:?}");
        assert!((face.rect.width / of_turned.rect.height - 1.0).abs() < 0.02, "{face:?} {of_turned:?}");
        let off = face.roll.unwrap() - 90.0 - of_turned.roll.unwrap();
        assert!((off - 360.0 * (off / 360.0).round()).abs() < 1.0, "{face:?} {of_turned:?}");
    }
}

#[test]
fn a_crowd_is_found_to_the_last_flag() {
    let row = |y: f32| (0..9).map(move |i| flag(40.0 + 55.0 * i as f32, y, 20.0 + i as f32, 0.0));
    let mut flags: Vec<Flag> = row(30.0).chain(row(85.0)).chain(row(140.0)).collect();
    flags.push(flag(260.0, 262.0, 60.0, 0.0));
    let faces = localizer().locate(&scene(520, 300, &flags), &Search::default()).unwrap();
    assert_eq!(faces.len(), 28);
    for flag in &flags {
        assert!(faces.iter().any(|face| face.rect.iou(flag.rect()) > 0.6), "{flag:?}: {faces:?}");
    }
}

#[test]
fn a_limit_cuts_the_weakest_and_counts_them() {
    let photo = scene(200, 150, &UPRIGHT);
    let all = localizer().locate(&photo, &from(16.0)).unwrap();
    for limit in 0..5 {
        let cut = localizer().locate(&photo, &Search { max_faces: Some(limit), ..from(16.0) }).unwrap();
        let kept = limit.min(3);
        assert_eq!((&cut[..], cut.left_out), (&all[..kept], 3 - kept));
    }
}

#[test]
fn a_flag_that_fills_the_photo_is_found_where_nothing_else_is() {
    let mut localizer = localizer();
    let (filling, small) = (flag(100.0, 96.0, 150.0, 0.0), flag(40.0, 40.0, 30.0, 0.0));
    // LNet_o proposes nothing.
    localizer.parameters.candidate_threshold = 1e6;
    assert_found(&localizer.locate(&scene(200, 200, &[filling]), &Search::default()).unwrap(), &[filling]);
    assert!(localizer.locate(&scene(200, 200, &[small]), &Search::default()).unwrap().is_empty());
    // Nor does LNet_s look at it where LNet_o proposes another.
    localizer.parameters.candidate_threshold = -3.0;
    let photo = scene(200, 200, &[small]);
    localizer.lnet_s.answered.store(0, Ordering::Relaxed);
    localizer.windows(&photo, &Search::default()).unwrap();
    let with_one = localizer.lnet_s.answered.swap(0, Ordering::Relaxed);
    localizer.parameters.threshold = 1e6;
    localizer.windows(&photo, &Search::default()).unwrap();
    assert!(localizer.lnet_s.answered.load(Ordering::Relaxed) > with_one);
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for (width, height) in [(200, 150), (1, 1), (1, 300), (1, 9000), (9000, 2), (17, 5), (3, 40)] {
        let photo = Photo::filled(width, height, [90; 3]);
        for search in [Search::default(), from(8.0), any_orientation()] {
            let faces = localizer().locate(&photo, &search).unwrap();
            assert!(faces.is_empty(), "{width} x {height}: {faces:?}");
        }
        assert!(localizer().response_map(&photo).is_ok(), "{width} x {height}");
    }
}

#[test]
fn the_answer_is_the_same_on_any_number_of_threads() {
    let (localizer, photo) = (localizer(), scene(400, 300, &UPRIGHT));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| localizer.locate(&photo, &any_orientation()).unwrap())
    };
    assert_eq!(on(1), on(2));
    assert_eq!(on(1), on(7));
}

#[test]
fn the_answer_does_not_depend_on_tiles() {
    let photo = scene(400, 300, &UPRIGHT);
    let of = |tile| {
        let localizer = PyramidLocalizer { tile, ..localizer() };
        let faces = localizer.locate(&photo, &from(12.0)).unwrap();
        (faces, localizer.response_map(&photo).unwrap())
    };
    let (whole, map) = of(1000);
    assert_eq!(whole.len(), 3);
    for tile in [1, 5, 17, 96] {
        let (faces, of_tiles) = of(tile);
        assert_eq!(faces.len(), 3);
        for (face, expected) in faces.iter().zip(&whole) {
            // Places are rounded in another way, and colours by it.
            assert!(face.rect.iou(expected.rect) > 0.99 && (face.score - expected.score).abs() < 0.05);
        }
        assert_eq!((of_tiles.width(), of_tiles.cells()), (map.width(), map.cells()));
        let apart =
            map.values().iter().zip(of_tiles.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 0.2, "tiles of {tile}: {apart}");
    }
}

#[test]
fn no_windows_cost_is_paid_twice() {
    let photo = scene(400, 300, &UPRIGHT);
    for (search, turns) in [(from(14.0), 1), (any_orientation(), 4)] {
        for tile in [7, 96] {
            let localizer = PyramidLocalizer { tile, ..localizer() };
            let levels = localizer.sweep(&photo, &search).levels;
            let windows: usize = levels.iter().map(|level| level.columns * level.rows).sum();
            let candidates = localizer.candidates(&photo, &search).unwrap();
            assert_eq!(localizer.lnet_o.answered.load(Ordering::Relaxed), turns * windows);
            let mut first = localizer.look(&photo, &candidates).unwrap();
            assert_eq!(localizer.lnet_s.answered.swap(0, Ordering::Relaxed), candidates.len());
            first.retain(|window| window.score > localizer.parameters.second_look);
            let again = thinned(first, &TO_BOX, SAME).len();
            localizer.windows(&photo, &search).unwrap();
            assert_eq!(localizer.lnet_s.answered.load(Ordering::Relaxed), candidates.len() + again);
            assert!(again < 3 * UPRIGHT.len(), "{again} second looks");
        }
    }
}

#[test]
fn levels_begin_with_the_smallest_face_and_end_with_the_photo() {
    let localizer = localizer();
    let levels = |search: &Search| localizer.sweep(&Photo::filled(640, 480, [0; 3]), search).levels;
    let usual = levels(&Search::default());
    // 16 px; at 17 px, the nearest level, a face of 17 px fills half of the window of 16.
    assert!((usual[0].side() * 0.5 - 24.0 / 2f32.sqrt()).abs() < 1e-3, "{:?}", usual[0]);
    let last = usual.last().unwrap().side();
    let most = 640.0 * 1.46 * 2f32.powf(0.25);
    assert!(last <= most && last * 2f32.sqrt() > most);
    for pair in usual.windows(2) {
        assert!((pair[0].scale / pair[1].scale - f64::from(2f32.sqrt())).abs() < 1e-6);
    }
    // A search for smaller faces sees all that another one sees.
    for (smaller, larger) in [(8.0, 16.0), (10.0, 11.0), (24.0, 100.0), (100.0, 500.0)] {
        let (more, less) = (levels(&from(smaller)), levels(&from(larger)));
        assert!(more.len() >= less.len() && more[more.len() - less.len()..] == less[..]);
    }
    assert!(levels(&from(5000.0)).is_empty());
}

#[test]
fn the_map_is_strongest_on_the_flag() {
    let map = localizer().response_map(&scene(200, 150, &UPRIGHT[1..2])).unwrap();
    let (peak, _) = map.peak();
    assert!((peak.x - 144.0).abs() < 12.0 && (peak.y - 84.0).abs() < 12.0, "{peak:?}");
}

#[test]
fn nets_that_are_no_window_classifiers_are_refused() {
    let conv = |filters, padding| Layer::Conv {
        name: "c".to_owned(),
        filters,
        kernel: 3,
        stride: 8,
        padding: [padding; 2],
        groups: 1,
        bias: true,
    };
    let refused = |side: usize, layer: Layer| {
        let spec = NetSpec { name: "map".to_owned(), input: Shape::new(3, side, side), layers: vec![layer] };
        let net = || Net::new(&spec, &Weights::random(&spec, 1).unwrap()).unwrap();
        let made = PyramidLocalizer::new(net(), net(), Preprocess::default(), PyramidParameters::default());
        made.err().unwrap().to_string()
    };
    assert!(refused(16, conv(6, 0)).contains("net map must give exactly one cell"));
    assert!(refused(4, conv(6, 1)).contains("leave out padding"));
    assert!(refused(4, conv(5, 0)).contains("net map answers with 5 channels"));
    let wrong = PyramidParameters { step: 1.0, ..PyramidParameters::default() };
    let made = PyramidLocalizer::new(lenient(), strict(), Preprocess::default(), wrong);
    assert!(made.err().unwrap().to_string().contains("localisation.step is 1"));
}

#[test]
fn answers_that_are_no_numbers_are_refused() {
    let preprocess = Preprocess { mean: [0.0; 3], std: [1e-38; 3] };
    let localizer =
        PyramidLocalizer::new(lenient(), strict(), preprocess, PyramidParameters::default()).unwrap();
    let refused = localizer.locate(&scene(200, 150, &UPRIGHT), &Search::default()).unwrap_err();
    assert!(refused.to_string().contains("not a finite number"), "{refused}");
}

/// Up to five flags that do not touch each other, in a photo of 300 by 200 pixels.
fn flags_apart() -> impl Strategy<Value = Vec<Flag>> {
    let one = (20.0f32..280.0, 20.0f32..180.0, 8.0f32..70.0, -30.0f32..30.0)
        .prop_map(|(x, y, side, roll)| flag(x, y, side, roll));
    prop::collection::vec(one, 0..6).prop_map(|flags| {
        let mut apart: Vec<Flag> = Vec::new();
        for flag in flags {
            let clear = |other: &Flag| {
                let distance = (flag.x - other.x).abs().max((flag.y - other.y).abs());
                distance > flag.side + other.side
            };
            if apart.iter().all(clear) {
                apart.push(flag);
            }
        }
        apart
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_smaller_size_never_loses_a_face(flags in flags_apart(), smaller in 8.0f32..60.0, more in 1.0f32..4.0) {
        let (mut localizer, photo) = (localizer(), scene(300, 200, &flags));
        let few = localizer.locate(&photo, &from(smaller * more)).unwrap();
        // Windows of finer levels have a vote, and LNet_s sees windows of finer copies of the photo: what it says changes with
        // that.
        localizer.parameters.threshold -= 2.5;
        let many = localizer.locate(&photo, &from(smaller)).unwrap();
        for face in &few {
            prop_assert!(
                many.iter().any(|other| other.rect.iou(face.rect) > 0.5),
                "{:?} of {:?} is not among {:?}", face, few, many
            );
        }
    }

    #[test]
    fn tiles_are_a_partition(width in 1u32..900, height in 1u32..900, smallest in 8.0f32..200.0, tile in 1usize..120) {
        let (localizer, photo) = (localizer(), Photo::filled(width, height, [0; 3]));
        for level in Level::of(&photo, smallest, &localizer.lnet_o, &localizer.parameters) {
            let mut met = vec![0; level.columns * level.rows];
            for tile in level.tiles(tile) {
                for row in tile.rows.clone() {
                    met[row * level.columns..][tile.columns.clone()].iter_mut().for_each(|count| *count += 1);
                }
            }
            prop_assert!(met.iter().all(|count| *count == 1));
            // The lattice lies in the middle of the photo.
            let side = |windows| f64::from(localizer.lnet_o.pixels(windows));
            let (first, last) = (level.in_photo(0.0, 0.0), level.in_photo(side(level.columns), side(level.rows)));
            prop_assert!((first.x + last.x - width as f32).abs() < 0.01);
            prop_assert!((first.y + last.y - height as f32).abs() < 0.01);
        }
    }
}
