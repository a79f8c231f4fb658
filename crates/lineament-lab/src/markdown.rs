//! Markdown that commands write: prose is wrapped, so that a change of one sentence changes few lines.

/// Characters in a line of prose.
const WIDTH: usize = 118;

/// The page with every line of prose broken at 118 characters. Tables, headings, code, images and comments stay as they are, code spans stay on one
/// line, and no line begins with what Markdown would take for the start of a block.
pub fn wrap(page: &str) -> String {
    let mut wrapped = String::with_capacity(page.len() + page.len() / 64);
    let mut fenced = false;
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if fence || fenced || !is_prose(line) {
            wrapped += line;
        } else {
            push_wrapped(&mut wrapped, line);
        }
        wrapped.push('\n');
    }
    wrapped
}

fn is_prose(line: &str) -> bool {
    let text = line.trim_start();
    !line.starts_with("    ") && !["|", "#", "![", "<!--"].iter().any(|start| text.starts_with(start))
}

fn push_wrapped(page: &mut String, line: &str) {
    let (head, text) = line.split_at(marker(line));
    page.push_str(head);
    let mut width = head.len();
    let mut first = true;
    for word in words(text) {
        let length = word.chars().count();
        if first {
            first = false;
        } else if width + 1 + length > WIDTH && !opens_block(&word) {
            page.push('\n');
            page.extend(std::iter::repeat_n(' ', head.len()));
            width = head.len();
        } else {
            page.push(' ');
            width += 1;
        }
        page.push_str(&word);
        width += length;
    }
}

/// Bytes of the indentation and the list marker that a line begins with.
fn marker(line: &str) -> usize {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if text.starts_with("* ") || text.starts_with("- ") {
        indent + 2
    } else if digits > 0 && text.get(digits..).is_some_and(|rest| rest.starts_with(". ")) {
        indent + digits + 2
    } else {
        indent
    }
}

/// Words of a line; a code span is one word together with what it touches.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for piece in text.split(' ') {
        match words.last_mut() {
            Some(word) if open => {
                word.push(' ');
                word.push_str(piece);
            }
            _ => words.push(piece.to_owned()),
        }
        open ^= piece.matches('`').count() % 2 == 1;
    }
    words
}

/// Whether Markdown would begin a list, a heading, a quotation or a table where a line begins with this word.
fn opens_block(word: &str) -> bool {
    let number = word.trim_end_matches(['.', ')']);
    matches!(word, "-" | "*" | "+")
        || word.starts_with(['#', '>', '|', '='])
        || (number.len() < word.len()
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_and_hangs_under_its_marker() {
        let page = wrap(&format!("* {}\n\nshort\n", "word ".repeat(60).trim_end()));
        assert!(page.lines().all(|line| line.chars().count() <= WIDTH), "{page}");
        assert_eq!(page.lines().nth(1).map(|line| line.starts_with("  word")), Some(true), "{page}");
        assert!(page.ends_with("\n\nshort\n"), "{page}");
        let words: Vec<&str> = page.split_whitespace().filter(|word| *word == "word").collect();
        assert_eq!(words.len(), 60);
    }

    #[test]
    fn what_is_wrapped_is_not_wrapped_again() {
        let page = format!("{}\n\n1. {}\n", "a – b ".repeat(50).trim_end(), "x, ".repeat(99).trim_end());
        let once = wrap(&page);
        assert_ne!(once, page);
        assert_eq!(wrap(&once), once);
    }

    #[test]
    fn tables_headings_code_and_images_stay() {
        let long = "x ".repeat(100);
        let page = format!(
            "| {long}|\n\n* a list\n\n  | {long}|\n\n# {long}\n    {long}\n![{long}](a.png)\n```\n{long}\n```\n"
        );
        assert_eq!(wrap(&page), page);
    }

    #[test]
    fn code_spans_stay_whole_and_no_block_begins() {
        let span = format!("`{}`", "call ".repeat(30).trim_end());
        let page = wrap(&format!("some words before {span}, and after\n"));
        assert!(page.lines().any(|line| line.contains(&span)), "{page}");
        let start = "y".repeat(WIDTH);
        for word in ["-", "#one", "12.", "|", ">"] {
            assert_eq!(wrap(&format!("{start} {word} z\n")), format!("{start} {word}\nz\n"));
        }
    }
}
