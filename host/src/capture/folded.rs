//! Differences for people: what many answers have in common is told once.

use std::collections::BTreeMap;

use super::compare::Difference;

/// A line for each group of differences that are equal except for the version.
pub fn grouped(differences: &[Difference]) -> Vec<String> {
    let mut groups = BTreeMap::<[String; 4], Vec<String>>::new();
    for Difference { request, what, expected, got, .. } in differences {
        let (method, target) = request.split_once(" /").unwrap_or((request, ""));
        let (version, path) = target.split_once('/').unwrap_or((target, ""));
        let request = if path.is_empty() { request.clone() } else { format!("{method} /*/{path}") };
        let of_versions = groups.entry([request, what.clone(), expected.clone(), got.clone()]).or_default();
        if !of_versions.iter().any(|known| known == version) {
            of_versions.push(version.to_owned());
        }
    }
    let line = |([request, what, expected, got], versions): ([String; 4], Vec<String>)| {
        let versions = match &versions[..] {
            _ if !request.contains(" /*/") => String::new(),
            [one, two, more @ ..] if more.len() > 1 => format!(" ({one}, {two} and {} more)", more.len()),
            all => format!(" ({})", all.join(", ")),
        };
        format!("{request}{versions}: {what}: captured {expected}, got {got}")
    };
    groups.into_iter().map(line).collect()
}

/// Differences of heads that so many answers have are told once.
const OFTEN: usize = 20;

/// Like [`grouped`], with a line for each difference of heads that most answers have.
/// Items that answer otherwise come first.
pub fn folded(differences: &[Difference]) -> Vec<String> {
    let is_of_body = |difference: &Difference| ["status", "body"].contains(&difference.what.as_str());
    let (bodies, heads): (Vec<_>, Vec<_>) = differences.iter().cloned().partition(is_of_body);
    let mut by_what = BTreeMap::<String, Vec<Difference>>::new();
    for difference in heads {
        by_what.entry(difference.what.clone()).or_default().push(difference);
    }
    let (often, seldom): (Vec<_>, Vec<_>) = by_what.into_iter().partition(|(_, all)| all.len() >= OFTEN);
    let seldom: Vec<Difference> = seldom.into_iter().flat_map(|(_, all)| all).collect();
    let line = |(what, all): (String, Vec<Difference>)| {
        let (expected, got) = (&all[0].expected, &all[0].got);
        let is_same = all.iter().all(|it| (&it.expected, &it.got) == (expected, got));
        let example = if is_same { "" } else { "such as " };
        format!("in {} answers: {what}: {example}captured {expected}, got {got}", all.len())
    };
    grouped(&bodies).into_iter().chain(grouped(&seldom)).chain(often.into_iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_all_heads_are_told_once_and_last() {
        let difference = |number: usize, what: &str, got: &str| Difference {
            place: number,
            request: format!("GET /latest/{number}"),
            what: what.to_owned(),
            expected: "a".to_owned(),
            got: got.to_owned(),
        };
        let mut all: Vec<_> = (0..OFTEN).map(|number| difference(number, "field Server", "b")).collect();
        all.extend((0..OFTEN).map(|number| difference(number, "field ETag", &number.to_string())));
        all.extend([difference(7, "field Vary", "b"), difference(7, "body", "b"), difference(7, "body", "b")]);
        assert_eq!(
            folded(&all),
            [
                "GET /*/7 (latest): body: captured a, got b",
                "GET /*/7 (latest): field Vary: captured a, got b",
                "in 20 answers: field ETag: such as captured a, got 0",
                "in 20 answers: field Server: captured a, got b",
            ]
        );
    }
}
