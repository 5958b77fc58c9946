// What is wrong among many descriptions.

use std::collections::BTreeMap;
use std::fmt;

use imds_host::{Error, Place, Problem, Problems};

/// More than anybody reads at once.
const SHOWN_MAX: usize = 20;

/// Of so many more it is said where they are, and what is wrong in a line.
const NAMED_MAX: usize = 1000;

/// What is wrong with descriptions: of the first ones in words, of others in a
/// line, of all their number. So it stays small, however many there are.
#[derive(Default)]
pub struct Wrong {
    /// By the place of the description among all.
    shown: BTreeMap<usize, String>,
    named: BTreeMap<usize, String>,
    number: usize,
}

impl Wrong {
    pub fn add(&mut self, place: usize, words: String) {
        self.number += 1;
        self.shown.insert(place, words);
        if self.shown.len() > SHOWN_MAX
            && let Some((place, words)) = self.shown.pop_last()
        {
            // What it is and where.
            self.named.insert(place, words.lines().take(2).collect());
        }
        if self.named.len() > NAMED_MAX {
            self.named.pop_last();
        }
    }

    pub fn number(&self) -> usize {
        self.number
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.shown.values().map(String::as_str).collect();
        f.write_str(&words.join("\n\n"))?;
        if !self.named.is_empty() {
            let named: Vec<&str> = self.named.values().map(String::as_str).collect();
            write!(f, "\n\n{}", named.join("\n"))?;
        }
        match self.number - self.shown.len() - self.named.len() {
            0 => Ok(()),
            more => write!(f, "\n\nand {more} more"),
        }
    }
}

/// What is wrong with one of them, in the manner of `imds check`; with line and
/// column where a file holds several.
pub fn words(source: &str, place: Option<(usize, usize)>, message: String, help: Option<String>) -> String {
    let place = place.map(|(line, column)| Place { line, column, excerpt: None });
    let problem = Problem { field: String::new(), in_name: false, message, help, place, set_by: None };
    Problems { source: source.to_owned(), list: vec![problem] }.to_string()
}

/// The same of an error of the library.
pub fn words_of(error: Error, source: &str) -> String {
    match error {
        Error::Invalid(problems) => problems.to_string(),
        error => words(source, None, format!("{:#}", anyhow::Error::from(error)), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_shown_in_their_order_and_all_are_counted() {
        let mut wrong = Wrong::default();
        for place in (0..1100).rev() {
            wrong.add(place, format!("error {place}\n --> there\n1 | excerpt"));
        }
        let text = wrong.to_string();
        assert!(text.starts_with("error 0\n --> there\n1 | excerpt\n\nerror 1\n"), "{text}");
        assert!(text.contains("| excerpt\n\nerror 20 --> there\nerror 21 --> there\n"), "{text}");
        assert!(text.ends_with("error 1019 --> there\n\nand 80 more"), "{text}");
        assert_eq!(wrong.number(), 1100);
    }
}
