//! Who is drawn: what stays the same in all images of a person, and what a single image adds.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Colour, mix};

/// The colour of hair, of those that have an attribute, and one that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HairColour {
    Black,
    Brown,
    Blond,
    Gray,
    Red,
}

impl HairColour {
    pub(super) fn colour(self) -> Colour {
        match self {
            Self::Black => [28.0, 24.0, 24.0],
            Self::Brown => [96.0, 60.0, 36.0],
            Self::Blond => [222.0, 186.0, 112.0],
            Self::Gray => [172.0, 172.0, 176.0],
            Self::Red => [168.0, 70.0, 30.0],
        }
    }
}

/// What grows on a chin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beard {
    None,
    Stubble,
    Goatee,
    Mustache,
    Full,
}

/// How long hair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Bald,
    Short,
    Long,
}

/// What all images of a person share. Lengths are shares of half the head's height.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) male: bool,
    pub(super) young: bool,
    pub(super) pale: bool,
    pub(super) skin: Colour,
    pub(super) hair: HairColour,
    pub(super) length: Length,
    pub(super) wavy: bool,
    pub(super) bangs: bool,
    pub(super) receding: bool,
    pub(super) oval: bool,
    pub(super) chubby: bool,
    pub(super) double_chin: bool,
    /// Half the head's width.
    pub(super) width: f32,
    /// Width at the jaw, as a share of the head's.
    pub(super) jaw: f32,
    pub(super) eyes: Colour,
    /// Half the distance between the eyes.
    pub(super) eye_gap: f32,
    pub(super) narrow_eyes: bool,
    pub(super) bags: bool,
    pub(super) bushy: bool,
    pub(super) arched: bool,
    pub(super) big_nose: bool,
    pub(super) pointy_nose: bool,
    pub(super) big_lips: bool,
    pub(super) high_cheekbones: bool,
    pub(super) beard: Beard,
    pub(super) sideburns: bool,
    /// Probabilities of what comes and goes.
    habits: Habits,
}

#[derive(Clone, Debug)]
struct Habits {
    smile: f64,
    glasses: f64,
    hat: f64,
    lipstick: f64,
    makeup: f64,
    rosy: f64,
    earrings: f64,
    necklace: f64,
    necktie: f64,
}

/// What one image adds.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) smiling: bool,
    pub(super) open: bool,
    pub(super) glasses: bool,
    /// Dark glasses; they are eyeglasses too, as in CelebA.
    pub(super) dark_glasses: bool,
    pub(super) hat: Option<Colour>,
    pub(super) lipstick: bool,
    pub(super) makeup: bool,
    pub(super) rosy: bool,
    pub(super) earrings: bool,
    pub(super) necklace: bool,
    pub(super) necktie: Option<Colour>,
    pub(super) blurry: bool,
    pub(super) clothes: Colour,
    /// Sideways turn of the head: the share of half its width that features move.
    pub(super) yaw: f32,
    /// Tilt in radians.
    pub(super) roll: f32,
    /// Light from a side.
    pub(super) light: f32,
}

/// Any saturated colour.
pub(super) fn any_colour(rng: &mut ChaCha8Rng) -> Colour {
    std::array::from_fn(|_| rng.random_range(20.0..240.0))
}

impl Person {
    /// Draws a person. Traits go together about as they do in CelebA: beards, ties and lost hair with men, make-up and jewellery with women.
    pub(super) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let mut often = |share: f64| rng.random_bool(share);
        let male = often(0.45);
        let young = often(0.7);
        let pale = often(0.12);
        let of = |is_male: f64, is_female: f64| if male { is_male } else { is_female };
        let aged = |is_old: f64, is_young: f64| if young { is_young } else { is_old };
        let length = if often(of(aged(0.3, 0.06), 0.0)) {
            Length::Bald
        } else if often(of(0.08, 0.8)) {
            Length::Long
        } else {
            Length::Short
        };
        let haired = length != Length::Bald;
        let chubby = often(aged(0.25, 0.1));
        let oval = !chubby && often(0.35);
        let wavy = haired && often(of(0.2, 0.5));
        let bangs = haired && often(of(0.1, 0.25));
        let receding = haired && !bangs && often(of(aged(0.4, 0.08), 0.04));
        let double_chin = chubby && often(0.5);
        let (narrow_eyes, bags) = (often(0.18), often(aged(0.5, 0.15)));
        let (bushy, arched) = (often(of(0.35, 0.08)), often(of(0.08, 0.45)));
        let (big_nose, pointy_nose) = (often(of(0.4, 0.15)), often(0.3));
        let (big_lips, high_cheekbones) = (often(0.25), often(0.35));
        let bearded = often(of(0.4, 0.0));
        let sideburns = often(of(0.2, 0.0));
        let goes = |rng: &mut ChaCha8Rng, share: f64| {
            // Somebody who does it at all does it nearly always: a person's images are alike.
            if rng.random_bool(share) { rng.random_range(0.75..0.97) } else { rng.random_range(0.0..0.05) }
        };
        let habits = Habits {
            smile: rng.random_range(0.2..0.8),
            glasses: goes(rng, of(0.2, 0.1)),
            hat: goes(rng, 0.1),
            lipstick: goes(rng, of(0.0, 0.7)),
            makeup: goes(rng, of(0.0, 0.5)),
            rosy: goes(rng, of(0.02, 0.25)),
            earrings: goes(rng, of(0.03, 0.4)),
            necklace: goes(rng, of(0.02, 0.3)),
            necktie: goes(rng, of(0.3, 0.0)),
        };
        let beard = match rng.random_range(0..5) {
            _ if !bearded => Beard::None,
            0 | 1 => Beard::Stubble,
            2 => Beard::Goatee,
            3 => Beard::Mustache,
            _ => Beard::Full,
        };
        let skin = skin(rng, pale);
        let dark = skin[0] < 150.0;
        let hair = match rng.random_range(0..100) {
            0..60 if !young => HairColour::Gray,
            _ if dark => HairColour::Black,
            0..30 => HairColour::Black,
            30..66 => HairColour::Brown,
            66..92 => HairColour::Blond,
            _ => HairColour::Red,
        };
        let eyes: [Colour; 4] =
            [[70.0, 42.0, 24.0], [58.0, 104.0, 150.0], [74.0, 110.0, 66.0], [40.0, 28.0, 22.0]];
        let eye = rng.random_range(0..eyes.len());
        let shape: f32 = rng.random_range(-1.0..1.0);
        let width = if chubby {
            0.86
        } else if oval {
            0.71
        } else {
            0.77
        } + 0.025 * shape;
        let jaw = if oval {
            0.62
        } else if male {
            0.86
        } else {
            0.74
        } + if chubby { 0.08 } else { 0.0 };
        Self {
            male,
            young,
            pale,
            skin,
            hair,
            length,
            wavy,
            bangs,
            receding,
            oval,
            chubby,
            double_chin,
            width,
            jaw: jaw + rng.random_range(-0.03..0.03),
            eyes: eyes.get(eye).copied().unwrap_or_default(),
            eye_gap: rng.random_range(0.31..0.36),
            narrow_eyes,
            bags,
            bushy,
            arched: arched && !bushy,
            big_nose,
            pointy_nose: pointy_nose && !big_nose,
            big_lips,
            high_cheekbones,
            beard,
            sideburns: (sideburns || beard == Beard::Full) && haired,
            habits,
        }
    }

    /// Draws what one image adds.
    pub(super) fn look(&self, rng: &mut ChaCha8Rng) -> Look {
        let habits = &self.habits;
        let smiling = rng.random_bool(habits.smile);
        let glasses = rng.random_bool(habits.glasses);
        let lipstick = rng.random_bool(habits.lipstick);
        Look {
            smiling,
            open: rng.random_bool(if smiling { 0.65 } else { 0.2 }),
            glasses,
            dark_glasses: glasses && rng.random_bool(0.2),
            hat: rng.random_bool(habits.hat).then(|| any_colour(rng)),
            lipstick,
            makeup: rng.random_bool(habits.makeup),
            rosy: rng.random_bool(habits.rosy),
            earrings: rng.random_bool(habits.earrings),
            necklace: rng.random_bool(habits.necklace),
            necktie: rng.random_bool(habits.necktie).then(|| any_colour(rng)),
            blurry: rng.random_bool(0.05),
            clothes: any_colour(rng),
            yaw: rng.random_range(-0.12..0.12),
            roll: rng.random_range(-0.2..0.2),
            light: rng.random_range(-0.22..0.22),
        }
    }
}

fn skin(rng: &mut ChaCha8Rng, pale: bool) -> Colour {
    if pale {
        return [250.0, 230.0, 218.0];
    }
    // From light to dark, most of them light to medium as in CelebA.
    let [light, medium, dark] = [[238.0, 198.0, 168.0], [206.0, 156.0, 118.0], [104.0, 68.0, 48.0]];
    let place: f32 = rng.random_range(0.0..1.0);
    if place < 0.8 { mix(light, medium, place / 0.8) } else { mix(medium, dark, (place - 0.6) / 0.4) }
}
