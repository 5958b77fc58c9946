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
    shown: BTreeMap<usize, Problems>,
    named: BTreeMap<usize, Problems>,
    number: usize,
}

impl Wrong {
    pub fn add(&mut self, place: usize, problems: Problems) {
        self.number += 1;
        self.shown.insert(place, problems);
        if self.shown.len() > SHOWN_MAX
            && let Some((place, mut problems)) = self.shown.pop_last()
        {
            for place in problems.list.iter_mut().filter_map(|problem| problem.place.as_mut()) {
                place.excerpt = None;
            }
            self.named.insert(place, problems);
        }
        if self.named.len() > NAMED_MAX {
            self.named.pop_last();
        }
    }

    pub fn number(&self) -> usize {
        self.number
    }

    /// What is wrong with each of the first ones.
    pub fn first(&self) -> impl Iterator<Item = &Problems> {
        self.shown.values().chain(self.named.values())
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.shown.values().map(Problems::to_string).collect();
        f.write_str(&words.join("\n\n"))?;
        if !self.named.is_empty() {
            // What it is and where.
            let named = self.named.values().map(|problems| problems.to_string().lines().take(2).collect::<String>());
            let named: Vec<String> = named.collect();
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
pub fn problem(source: &str, place: Option<(usize, usize)>, message: String, help: Option<String>) -> Problems {
    let place = place.map(|(line, column)| Place { line, column, excerpt: None });
    let problem = Problem { field: String::new(), in_name: false, message, help, place, set_by: None };
    Problems { source: source.to_owned(), list: vec![problem] }
}

/// The same of an error of the library.
pub fn problems_of(error: Error, source: &str) -> Problems {
    match error {
        Error::Invalid(problems) => problems,
        error => problem(source, None, format!("{:#}", anyhow::Error::from(error)), None),
    }
}

#[cfg(test)]
mod tests {
    use imds_host::Excerpt;

    use super::*;

    #[test]
    fn the_first_are_shown_in_their_order_and_all_are_counted() {
        let mut wrong = Wrong::default();
        for place in (0..1100).rev() {
            let mut problems = problem("there", Some((1, 1)), format!("it is {place}"), None);
            let excerpt = Excerpt { text: "excerpt".to_owned(), before: 0, length: 7 };
            problems.list[0].place.as_mut().unwrap().excerpt = Some(excerpt);
            wrong.add(place, problems);
        }
        let text = wrong.to_string();
        let excerpt = "  |\n1 | excerpt\n  | ^^^^^^^";
        assert!(text.starts_with(&format!("error: it is 0\n --> there:1:1\n{excerpt}\n\nerror: it is 1\n")), "{text}");
        let named = format!("{excerpt}\n\nerror: it is 20 --> there:1:1\nerror: it is 21 --> there:1:1\n");
        assert!(text.contains(&named), "{text}");
        assert!(text.ends_with("error: it is 1019 --> there:1:1\n\nand 80 more"), "{text}");
        assert_eq!(wrong.first().count(), 1020);
        assert_eq!(wrong.number(), 1100);
    }
}
