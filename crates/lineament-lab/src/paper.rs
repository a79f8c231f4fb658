//! Table 1 of "Deep Learning Face Attributes in the Wild" (Liu, Luo, Wang, Tang; ICCV 2015, arXiv 1411.7766v3): accuracy
//! on the full CelebA test part, attribute by attribute.

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// HOG and colour histograms in parts that given landmarks place.
    FaceTracer,
    /// PANDA with parts that are found.
    PandaW,
    /// PANDA with parts that given landmarks place.
    PandaL,
    /// A SURF cascade in the place of the LNets: `[17]+ANet`.
    DetectorAnet,
    /// LNets+ANet without pre-training on identities.
    WithoutPretraining,
    /// The whole system.
    LnetsAnet,
}

/// Attribute and accuracy by system (the whole per cents that the paper prints, columns in the order of [`System`]), in CelebA's
/// official order.
const TABLE_1: [(&str, [u8; 6]); 40] = [
    ("5_o_Clock_Shadow", [85, 82, 88, 86, 88, 91]),
    ("Arched_Eyebrows", [76, 73, 78, 75, 74, 79]),
    ("Attractive", [78, 77, 81, 79, 77, 81]),
    ("Bags_Under_Eyes", [76, 71, 79, 77, 73, 79]),
    ("Bald", [89, 92, 96, 92, 95, 98]),
    ("Bangs", [88, 89, 92, 94, 92, 95]),
    ("Big_Lips", [64, 61, 67, 63, 66, 68]),
    ("Big_Nose", [74, 70, 75, 74, 75, 78]),
    ("Black_Hair", [70, 74, 85, 77, 84, 88]),
    ("Blond_Hair", [80, 81, 93, 86, 91, 95]),
    ("Blurry", [81, 77, 86, 83, 80, 84]),
    ("Brown_Hair", [60, 69, 77, 74, 78, 80]),
    ("Bushy_Eyebrows", [80, 76, 86, 80, 85, 90]),
    ("Chubby", [86, 82, 86, 86, 86, 91]),
    ("Double_Chin", [88, 85, 88, 90, 88, 92]),
    ("Eyeglasses", [98, 94, 98, 96, 96, 99]),
    ("Goatee", [93, 86, 93, 92, 92, 95]),
    ("Gray_Hair", [90, 88, 94, 93, 93, 97]),
    ("Heavy_Makeup", [85, 84, 90, 87, 85, 90]),
    ("High_Cheekbones", [84, 80, 86, 85, 84, 87]),
    ("Male", [91, 93, 97, 95, 94, 98]),
    ("Mouth_Slightly_Open", [87, 82, 93, 85, 86, 92]),
    ("Mustache", [91, 83, 93, 87, 91, 95]),
    ("Narrow_Eyes", [82, 79, 84, 83, 77, 81]),
    ("No_Beard", [90, 87, 93, 91, 92, 95]),
    ("Oval_Face", [64, 62, 65, 65, 63, 66]),
    ("Pale_Skin", [83, 84, 91, 89, 87, 91]),
    ("Pointy_Nose", [68, 65, 71, 67, 70, 72]),
    ("Receding_Hairline", [76, 82, 85, 84, 85, 89]),
    ("Rosy_Cheeks", [84, 81, 87, 85, 87, 90]),
    ("Sideburns", [94, 90, 93, 94, 91, 96]),
    ("Smiling", [89, 89, 92, 92, 88, 92]),
    ("Straight_Hair", [63, 67, 69, 70, 69, 73]),
    ("Wavy_Hair", [73, 76, 77, 79, 75, 80]),
    ("Wearing_Earrings", [73, 72, 78, 77, 78, 82]),
    ("Wearing_Hat", [89, 91, 96, 93, 96, 99]),
    ("Wearing_Lipstick", [89, 88, 93, 91, 90, 93]),
    ("Wearing_Necklace", [68, 67, 67, 70, 68, 71]),
    ("Wearing_Necktie", [86, 88, 91, 90, 86, 93]),
    ("Young", [80, 77, 84, 81, 83, 87]),
];

/// The mean of a system's column; 0.8730 for LNets+ANet, which later papers quote as the paper's accuracy.
pub fn mean_accuracy(system: System) -> f64 {
    crate::metrics::mean(TABLE_1.iter().map(|(_, row)| share(row, system)))
}

/// A system's accuracy on one attribute, when it is one of the forty.
pub fn accuracy(system: System, attribute: &str) -> Option<f64> {
    TABLE_1.iter().find(|(name, _)| *name == attribute).map(|(_, row)| share(row, system))
}

fn share(row: &[u8; 6], system: System) -> f64 {
    row.get(system as usize).map_or(f64::NAN, |&percent| f64::from(percent) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_average_to_what_the_paper_prints() {
        for (system, mean) in [
            (System::FaceTracer, 0.8112),
            (System::PandaW, 0.7985),
            (System::PandaL, 0.8542),
            (System::DetectorAnet, 0.8342),
            (System::WithoutPretraining, 0.8345),
            (System::LnetsAnet, 0.8730),
        ] {
            assert!((mean_accuracy(system) - mean).abs() < 1e-4, "{system:?} {}", mean_accuracy(system));
        }
        assert_eq!(accuracy(System::LnetsAnet, "Smiling"), Some(0.92));
        assert_eq!(accuracy(System::PandaL, "Smirking"), None);
    }
}
