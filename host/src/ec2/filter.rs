//! Filters of the Describe calls.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// The values, read once for all that is described.
    #[serde(skip)]
    patterns: OnceLock<Vec<Vec<Sign>>>,
    /// What comparing has taken so far.
    #[serde(skip)]
    steps: AtomicU64,
}

/// As many as EC2 takes.
const FILTERS_MAX: usize = 50;
const VALUES_MAX: usize = 200;
/// As long as the longest value, that of a tag.
const VALUE_CHARACTERS_MAX: usize = 256;
/// Comparisons of characters for one filter of a call: seconds of a processor at most.
const STEPS_MAX: u64 = 20_000_000;

/// Whether all filters let something pass. `values` gives the values of what a filter
/// names, and none where there is no such filter.
pub(super) fn passes(filters: &[Filter], values: impl Fn(&str) -> Option<Vec<String>>) -> Result<bool, Failure> {
    for filter in filters {
        let name = &*filter.name;
        let Some(values) = values(name) else { return Err(unknown(name)) };
        if !filter.passes(&values)? {
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
        if filter.value.iter().any(|value| value.chars().count() > VALUE_CHARACTERS_MAX) {
            let message = format!("A value of a filter has at most {VALUE_CHARACTERS_MAX} characters");
            return Err(Failure::new("InvalidParameterValue", message));
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

impl Filter {
    fn passes(&self, values: &[String]) -> Result<bool, Failure> {
        let patterns = self.patterns.get_or_init(|| self.value.iter().map(|value| signs(value)).collect());
        for value in values {
            let value: Vec<char> = value.chars().collect();
            for pattern in patterns {
                let mut steps = 0;
                let is_match = matches(pattern, &value, &mut steps);
                if self.steps.fetch_add(steps, Ordering::Relaxed) > STEPS_MAX {
                    let message = "The filters take too long to compare; use fewer values, with fewer *";
                    return Err(Failure::new("FilterLimitExceeded", message));
                }
                if is_match {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Whether a value fits a pattern, in steps that grow with the product of both.
fn matches(pattern: &[Sign], value: &[char], steps: &mut u64) -> bool {
    let (mut at, mut of_value) = (0, 0);
    // Where the last `*` was, and up to where it reaches.
    let mut star: Option<(usize, usize)> = None;
    while of_value < value.len() {
        *steps += 1;
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

#[derive(Clone, Copy, Debug, PartialEq)]
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
            let value: Vec<char> = value.chars().collect();
            assert_eq!(matches(&signs(pattern), &value, &mut 0), fits, "{pattern}");
        }
        assert!(!matches(&signs(&"*a".repeat(100)), &['a'; 99], &mut 0));
    }

    #[test]
    fn what_would_take_minutes_to_compare_is_refused() {
        let value = "*a".repeat(120) + "b";
        let filter = [Filter {
            name: "a".to_owned(),
            value: vec![value; 200],
            patterns: OnceLock::new(),
            steps: AtomicU64::new(0),
        }];
        let values = |_: &str| Some(vec!["a".repeat(250); 50]);
        let refused = (0..1000).find_map(|_| passes(&filter, values).err()).expect("a thousand instances are too many");
        assert_eq!(refused.code, "FilterLimitExceeded");
    }

    #[test]
    fn all_filters_are_to_pass_and_each_by_one_value() {
        let filter = |name: &str, values: &[&str]| Filter {
            name: name.to_owned(),
            value: values.iter().map(|value| (*value).to_owned()).collect(),
            patterns: OnceLock::new(),
            steps: AtomicU64::new(0),
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
