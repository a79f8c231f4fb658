//! The forty attributes of CelebA, and finding one by its name.

/// The forty attributes of CelebA in the official order of `list_attr_celeba.txt` (paper, Table 1).
pub const CELEBA: [&str; 40] = [
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
];

/// Ten of them that people see most easily: those that are left out of a training to measure what nets know of attributes that they were not taught.
pub const EASY_TO_SEE: [&str; 10] = [
    "Eyeglasses",
    "Wearing_Hat",
    "Smiling",
    "Male",
    "Bangs",
    "Blond_Hair",
    "Mouth_Slightly_Open",
    "Wearing_Lipstick",
    "Goatee",
    "Gray_Hair",
];

/// An attribute that the model does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no attribute is called \"{name}\"{}", match .suggestion {
    Some(known) => format!("; did you mean \"{known}\"?"),
    None => "; `lineament model show` lists those that the model knows".to_owned(),
})]
pub struct UnknownAttribute {
    /// The name that was asked for.
    pub name: String,
    /// The known name nearest to it, where one is near.
    pub suggestion: Option<String>,
}

/// The index of `name` among `known`: the one of exactly this name, or the only one that differs in case and separators alone
/// (`wearing hat` is `Wearing_Hat`).
///
/// # Errors
/// [`UnknownAttribute`] with the nearest known name, a misspelling forgiven.
pub fn find<S: AsRef<str>>(known: &[S], name: &str) -> Result<usize, UnknownAttribute> {
    let exact = known.iter().position(|candidate| candidate.as_ref() == name);
    exact.or_else(|| only_alike(known, name)).ok_or_else(|| UnknownAttribute {
        name: name.to_owned(),
        suggestion: nearest(known, name).map(str::to_owned),
    })
}

fn only_alike<S: AsRef<str>>(known: &[S], name: &str) -> Option<usize> {
    // Names are short; a long argument is none.
    let wanted = if name.len() <= LONGEST { folded(name) } else { return None };
    let mut alike = known.iter().enumerate().filter(|(_, candidate)| folded(candidate.as_ref()) == wanted);
    let (index, _) = alike.next().filter(|_| !wanted.is_empty())?;
    alike.next().is_none().then_some(index)
}

/// Letters of a name at most.
const LONGEST: usize = 256;

fn nearest<'a, S: AsRef<str>>(known: &'a [S], name: &str) -> Option<&'a str> {
    let wanted = folded(name);
    // One slip in three letters still reads as the same word; more does not.
    let reach = (wanted.len() / 3).max(1);
    // Names are short: a long argument is no misspelling, and its distance is costly.
    if wanted.len() > 64 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (distance(&folded(candidate.as_ref()), &wanted), candidate.as_ref()))
        .filter(|(slips, _)| *slips <= reach)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

fn folded(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Levenshtein distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, &left) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, &right) in row.iter_mut().skip(1).zip(b) {
            let cost = (diagonal + usize::from(left != right)).min(before + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, cost);
            before = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_at_its_place() {
        for (index, name) in CELEBA.iter().enumerate() {
            assert_eq!(find(&CELEBA, name), Ok(index));
        }
        assert_eq!(find(&CELEBA, "Male"), Ok(20));
        assert_eq!(find(&CELEBA, "Smiling"), Ok(31));
    }

    #[test]
    fn case_and_separators_are_forgiven() {
        for (typed, meant) in [
            ("smiling", "Smiling"),
            (" Smiling ", "Smiling"),
            ("eye-glasses", "Eyeglasses"),
            ("Wearing Hat", "Wearing_Hat"),
            ("5oclockshadow", "5_o_Clock_Shadow"),
        ] {
            assert_eq!(CELEBA.get(find(&CELEBA, typed).unwrap()), Some(&meant), "{typed}");
        }
        // Where two are alike, each has its own name alone.
        assert_eq!(find(&["Round", "round"], "round"), Ok(1));
        assert!(find(&["Round", "round"], "ROUND").is_err());
    }

    #[test]
    fn misspelt_names_are_suggested() {
        for (typed, meant) in [("Smilling", "Smiling"), ("Moustache", "Mustache"), ("Grey_Hair", "Gray_Hair")]
        {
            let error = find(&CELEBA, typed).unwrap_err();
            assert_eq!(error.suggestion.as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn a_stranger_gets_no_suggestion() {
        for typed in ["", "xylophone", "日本語", &"a".repeat(1 << 20)] {
            assert_eq!(find(&CELEBA, typed).unwrap_err().suggestion, None);
        }
        let said = find(&CELEBA, "xylophone").unwrap_err().to_string();
        assert!(said.contains("xylophone") && said.contains("model show"), "{said}");
    }

    #[test]
    fn distance_agrees_with_known_values() {
        let of = |a: &str, b: &str| distance(&folded(a), &folded(b));
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("abc", ""), 3);
        assert_eq!(of("flaw", "lawn"), 2);
    }
}
