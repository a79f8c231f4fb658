//! Attributes that a face can hardly have both, counted in labels and in answers.

use serde::{Deserialize, Serialize};

use super::Answered;

/// Two attributes that contradict each other where both are present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The one.
    pub one: String,
    /// The other.
    pub other: String,
}

/// Rules from a CSV file with the columns `one` and `other`.
///
/// # Errors
/// A table without these columns.
pub fn read(table: &str) -> Result<Vec<Rule>, csv::Error> {
    csv::Reader::from_reader(table.as_bytes()).deserialize().collect()
}

/// The rules for CelebA's attributes.
///
/// # Errors
/// None: the table is part of the program.
pub fn celeba() -> Result<Vec<Rule>, csv::Error> {
    read(include_str!("contradictions.csv"))
}

/// How often one rule is broken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContradictionRow {
    /// The one attribute.
    pub one: String,
    /// The other.
    pub other: String,
    /// Images in which both are labelled.
    pub labelled: u64,
    /// Of these, labelled to have both.
    pub in_labels: u64,
    /// Images that were answered.
    pub answered: u64,
    /// Of these, said to have both.
    pub in_answers: u64,
}

/// A row for each rule whose attributes the model knows.
pub(super) fn rows(images: &[Answered], names: &[&str], rules: &[Rule]) -> Vec<ContradictionRow> {
    let place = |name: &str| names.iter().position(|known| *known == name);
    let known = rules.iter().filter_map(|rule| Some((rule, place(&rule.one)?, place(&rule.other)?)));
    known
        .map(|(rule, one, other)| {
            let mut row = ContradictionRow {
                one: rule.one.clone(),
                other: rule.other.clone(),
                labelled: 0,
                in_labels: 0,
                answered: 0,
                in_answers: 0,
            };
            for image in images {
                let tag = |at: usize| image.tags.get(at).copied().flatten();
                if let (Some(one), Some(other)) = (tag(one), tag(other)) {
                    row.labelled += 1;
                    row.in_labels += u64::from(one && other);
                }
                let said = |at: usize| image.answers.get(at).is_some_and(|answer| answer.present);
                row.answered += 1;
                row.in_answers += u64::from(said(one) && said(other));
            }
            row
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::audit::second_look::doubts;
    use lineament::attributes::{CELEBA, Reading};

    fn image(name: &str, tags: [Option<bool>; 2], answers: [f32; 2]) -> Answered {
        let mut index = 0;
        let answers = answers.map(|probability| {
            index += 1;
            Reading { probability, present: probability > 0.5 }
        });
        Answered { name: name.to_owned(), person: 1, tags: tags.to_vec(), answers: answers.to_vec() }
    }

    fn images() -> Vec<Answered> {
        vec![
            image("a.jpg", [Some(true), Some(true)], [0.9, 0.1]),
            image("b.jpg", [Some(true), Some(false)], [0.8, 0.7]),
            image("c.jpg", [None, Some(true)], [0.2, 0.3]),
        ]
    }

    #[test]
    fn the_table_names_attributes_of_celeba() {
        let rules = celeba().unwrap();
        assert!(rules.len() > 10);
        for rule in rules {
            assert!(CELEBA.contains(&rule.one.as_str()) && CELEBA.contains(&rule.other.as_str()), "{rule:?}");
        }
        assert!(read("this,that\na,b\n").is_err());
    }

    #[test]
    fn contradictions_are_counted_in_labels_and_in_answers() {
        let rules = read("one,other\nGoatee,No_Beard\nGoatee,Wings\n").unwrap();
        let rows = rows(&images(), &["Goatee", "No_Beard"], &rules);
        let counts: Vec<_> =
            rows.iter().map(|row| (row.labelled, row.in_labels, row.answered, row.in_answers)).collect();
        // What the model does not know is not counted.
        assert_eq!(counts, [(2, 1, 3, 1)]);
    }

    #[test]
    fn the_least_likely_labels_come_first_and_agreement_is_no_doubt() {
        let found = doubts(&images(), &["Goatee", "No_Beard"], 9);
        let named: Vec<_> = found.iter().map(|doubt| (doubt.image.as_str(), doubt.label)).collect();
        assert_eq!(named, [("a.jpg", true), ("b.jpg", false), ("c.jpg", true)]);
        assert_eq!(doubts(&images(), &["Goatee", "No_Beard"], 1).len(), 1);
    }
}
