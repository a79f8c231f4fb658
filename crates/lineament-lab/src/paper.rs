//! Table 1 of "Deep Learning Face Attributes in the Wild" (Liu, Luo, Wang, Tang; ICCV 2015, arXiv 1411.7766v3): the
//! accuracy of LNets+ANet on the full CelebA test part, attribute by attribute.

/// Attribute and accuracy (a fraction; the paper prints whole per cents), in CelebA's official order.
pub const LNETS_ANET: [(&str, f64); 40] = [
    ("5_o_Clock_Shadow", 0.91),
    ("Arched_Eyebrows", 0.79),
    ("Attractive", 0.81),
    ("Bags_Under_Eyes", 0.79),
    ("Bald", 0.98),
    ("Bangs", 0.95),
    ("Big_Lips", 0.68),
    ("Big_Nose", 0.78),
    ("Black_Hair", 0.88),
    ("Blond_Hair", 0.95),
    ("Blurry", 0.84),
    ("Brown_Hair", 0.80),
    ("Bushy_Eyebrows", 0.90),
    ("Chubby", 0.91),
    ("Double_Chin", 0.92),
    ("Eyeglasses", 0.99),
    ("Goatee", 0.95),
    ("Gray_Hair", 0.97),
    ("Heavy_Makeup", 0.90),
    ("High_Cheekbones", 0.87),
    ("Male", 0.98),
    ("Mouth_Slightly_Open", 0.92),
    ("Mustache", 0.95),
    ("Narrow_Eyes", 0.81),
    ("No_Beard", 0.95),
    ("Oval_Face", 0.66),
    ("Pale_Skin", 0.91),
    ("Pointy_Nose", 0.72),
    ("Receding_Hairline", 0.89),
    ("Rosy_Cheeks", 0.90),
    ("Sideburns", 0.96),
    ("Smiling", 0.92),
    ("Straight_Hair", 0.73),
    ("Wavy_Hair", 0.80),
    ("Wearing_Earrings", 0.82),
    ("Wearing_Hat", 0.99),
    ("Wearing_Lipstick", 0.93),
    ("Wearing_Necklace", 0.71),
    ("Wearing_Necktie", 0.93),
    ("Young", 0.87),
];

/// The mean of the column: 0.8730, which later papers quote as the paper's accuracy.
pub fn mean_accuracy() -> f64 {
    crate::metrics::mean(LNETS_ANET.iter().map(|(_, accuracy)| *accuracy))
}

/// The paper's accuracy on one attribute, when it is one of the forty.
pub fn accuracy(attribute: &str) -> Option<f64> {
    LNETS_ANET.iter().find(|(name, _)| *name == attribute).map(|(_, accuracy)| *accuracy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_averages_to_what_the_paper_prints() {
        assert!((mean_accuracy() - 0.8730).abs() < 1e-9);
        assert_eq!(accuracy("Smiling"), Some(0.92));
        assert_eq!(accuracy("Smirking"), None);
    }
}
