//! The forty tags of a drawn face, in CelebA's order.
//!
//! All but one are drawn and can be seen. `Attractive` cannot be drawn; it is set by a rule: young, not chubby, no bags under the eyes.
//! Tags of hair are false under a bald head, and those of straight or wavy hair and bangs also under a hat, where nobody could see them.

use super::person::{Beard, HairColour, Length, Look, Person};

/// One truth for each of [`lineament::attributes::CELEBA`].
pub(super) fn tags(person: &Person, look: &Look) -> [bool; 40] {
    let haired = person.length != Length::Bald;
    let is = |colour| haired && person.hair == colour;
    let open_hair = haired && look.hat.is_none();
    let beard = |kind| person.beard == kind;
    let full = beard(Beard::Full);
    [
        beard(Beard::Stubble),
        person.arched,
        person.young && !person.chubby && !person.bags,
        person.bags,
        !haired,
        person.bangs && open_hair,
        person.big_lips,
        person.big_nose,
        is(HairColour::Black),
        is(HairColour::Blond),
        look.blurry,
        is(HairColour::Brown),
        person.bushy,
        person.chubby,
        person.double_chin,
        look.glasses,
        beard(Beard::Goatee) || full,
        is(HairColour::Gray),
        look.makeup,
        person.high_cheekbones,
        person.male,
        look.open,
        beard(Beard::Mustache) || full,
        person.narrow_eyes,
        beard(Beard::None) && !person.sideburns,
        person.oval,
        person.pale,
        person.pointy_nose,
        person.receding && open_hair,
        look.rosy,
        person.sideburns,
        look.smiling,
        !person.wavy && open_hair,
        person.wavy && open_hair,
        look.earrings,
        look.hat.is_some(),
        look.lipstick || look.makeup,
        look.necklace,
        look.necktie.is_some(),
        person.young,
    ]
}
