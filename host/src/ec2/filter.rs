//! Filters of the Describe calls.

use serde::Deserialize;

use super::failure::{Failure, shown};

/// `Filter.1.Name` and `Filter.1.Value.1`, `.2`, …: one of the values is to be that
/// of what is described. `*` stands for any text in a value, `?` for any character.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Filter {
    name: String,
    #[serde(default)]
    value: Vec<String>,
}

/// As many as EC2 takes.
const FILTERS_MAX: usize = 50;
const VALUES_MAX: usize = 200;

/// Whether all filters let something pass. `values` gives the values of what a filter
/// names, and none where there is no such filter.
pub(super) fn passes(filters: &[Filter], values: impl Fn(&str) -> Option<Vec<String>>) -> Result<bool, Failure> {
    for filter in filters {
        let name = &*filter.name;
        let Some(values) = values(name) else { return Err(unknown(name)) };
        if !filter.value.iter().any(|pattern| values.iter().any(|value| matches(pattern, value))) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Judges filters before anything is looked at: also where there is nothing.
pub(super) fn judge(filters: &[Filter], is_known: impl Fn(&str) -> bool) -> Result<(), Failure> {
    if filters.len() > FILTERS_MAX || filters.iter().map(|filter| filter.value.len()).sum::<usize>() > VALUES_MAX {
        let message = format!("A request has at most {FILTERS_MAX} filters, with at most {VALUES_MAX} values in all");
        return Err(Failure::new("FilterLimitExceeded", message));
    }
    for filter in filters {
        if !is_known(&filter.name) {
            return Err(unknown(&filter.name));
        }
        if filter.value.is_empty() {
            return Err(Failure::new("InvalidParameterValue", "The filter 'null' is invalid"));
        }
    }
    Ok(())
}

fn unknown(name: &str) -> Failure {
    Failure::new("InvalidParameterValue", format!("The filter '{}' is invalid", shown(name)))
}

/// The tag that a filter such as `tag:Name` is about.
pub(super) fn tag(name: &str) -> Option<&str> {
    name.strip_prefix("tag:")
}

/// Whether a value fits a pattern, in time that grows with the product of both.
fn matches(pattern: &str, value: &str) -> bool {
    let pattern = signs(pattern);
    let value: Vec<char> = value.chars().collect();
    let (mut at, mut of_value) = (0, 0);
    // Where the last `*` was, and up to where it reaches.
    let mut star: Option<(usize, usize)> = None;
    while of_value < value.len() {
        match pattern.get(at) {
            Some(Sign::Any) => {
                star = Some((at, of_value));
                at += 1;
            }
            Some(sign) if sign.is(value[of_value]) => {
                at += 1;
                of_value += 1;
            }
            _ => match &mut star {
                Some((of_star, reach)) => {
                    *reach += 1;
                    (at, of_value) = (*of_star + 1, *reach);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|sign| *sign == Sign::Any)
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Any,
    One,
    This(char),
}

impl Sign {
    fn is(self, c: char) -> bool {
        self == Self::One || self == Self::This(c)
    }
}

/// A backslash takes the meaning of the character behind it away.
fn signs(pattern: &str) -> Vec<Sign> {
    let mut chars = pattern.chars();
    let mut signs = Vec::new();
    while let Some(c) = chars.next() {
        signs.push(match c {
            '*' => Sign::Any,
            '?' => Sign::One,
            '\\' => Sign::This(chars.next().unwrap_or('\\')),
            c => Sign::This(c),
        });
    }
    signs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_others() {
        for (pattern, value, fits) in [
            ("web", "web", true),
            ("web", "Web", false),
            ("web-*", "web-1", true),
            ("*-1", "web-1", true),
            ("*e*1", "web-1", true),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXcX", false),
            (r"\*", "*", true),
            (r"\*", "x", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, value), fits, "{pattern} {value}");
        }
        assert!(!matches(&"*a".repeat(100), &"a".repeat(99)));
    }

    #[test]
    fn all_filters_are_to_pass_and_each_by_one_value() {
        let filter = |name: &str, values: &[&str]| Filter {
            name: name.to_owned(),
            value: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let values = |name: &str| (name == "a").then(|| vec!["1".to_owned(), "2".to_owned()]);
        assert_eq!(passes(&[], values), Ok(true));
        assert_eq!(passes(&[filter("a", &["3", "2"])], values), Ok(true));
        assert_eq!(passes(&[filter("a", &["2"]), filter("a", &["3"])], values), Ok(false));
        assert_eq!(passes(&[filter("b", &["2"])], values).unwrap_err().message, "The filter 'b' is invalid");
        assert!(judge(&[filter("a", &[])], |_| true).is_err());
        assert!(judge(&(0..51).map(|_| filter("a", &["1"])).collect::<Vec<_>>(), |_| true).is_err());
    }
}
