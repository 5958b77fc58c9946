use imds_core::plausibility::RULES;
use imds_core::{Answer, Instance, Outcome, Problem, Status, Warning};

use super::NOW_MS;

/// Any text is a description or is refused with its problems, and an instance
/// that opens can be asked for all that it lists. It tells what happens to it, in
/// the order of time, and what cannot be real about it; the description of it from
/// now on is of one that answers the same, and what an operator does to it is done
/// or refused. As a scenario it is sped up or refused.
///
/// The bytes: the description's text.
///
/// ```
/// imds_fuzz::description(br#"{"tags": {"Name": "web"}}"#);
/// ```
pub fn description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match imds_core::speed_up(&text, 7.0) {
        Ok(faster) => assert!(imds_core::speed_up(&faster, 1.0).is_ok(), "{faster}"),
        Err(problems) => are_told(&problems),
    }
    let opened = Instance::open(&text, super::settings());
    let warnings = imds_core::warnings(&text, NOW_MS);
    let instance = match opened {
        Ok(instance) => instance,
        Err(problems) => {
            assert!(warnings.is_err(), "{problems:?}");
            return are_told(&problems);
        }
    };
    are_few(&warnings.unwrap_or_else(|problems| panic!("{problems:?}")));
    let Status { happenings, identity_document, description, state, .. } = status(&text, NOW_MS);
    assert!(happenings.is_sorted_by_key(|happening| happening.at_ms), "{happenings:?}");
    assert!(happenings.iter().all(|happening| !happening.what.is_empty()), "{happenings:?}");
    let edited = imds_core::edit(&text, "{}", Some(NOW_MS), None).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(edited, description, "an edit that changes nothing");

    assert!(!status(&text, u64::MAX).identity_document.text.is_empty());
    let of_edited = status(&edited, NOW_MS);
    assert_eq!((of_edited.identity_document, of_edited.state), (identity_document, state));
    for operation in OPERATIONS {
        let change = format!(r#"{{"operation": {operation}}}"#);
        match imds_core::edit(&text, &change, Some(NOW_MS), None) {
            Ok(changed) => drop(status(&changed, NOW_MS)),
            Err(problems) => are_told(&problems),
        }
    }
    let edited = super::open(&edited);
    let token = super::ask(&instance, "PUT", b"/latest/api/token", &[(TTL, b"60")]);
    assert_eq!(token.outcome == Outcome::NotRunning, state != "running");
    if [Outcome::EndpointDisabled, Outcome::NotRunning, Outcome::FaultRefused].contains(&token.outcome) {
        return;
    }
    assert_eq!(token.status, 200);
    let token = token.body.into_owned();
    let client = Client { instance, edited, token };
    let Some(versions) = client.listing("/") else { return };
    assert!(versions.contains(&"latest".to_owned()));
    // The oldest, one in the middle, the newest: all would take too long.
    for version in [&versions[0], &versions[versions.len() / 2], "latest"] {
        client.crawl(&format!("/{version}/"), 0);
    }
}

/// What an operator does to any instance.
const OPERATIONS: [&str; 7] = [
    r#""stop""#,
    r#""start""#,
    r#""reboot""#,
    r#""terminate""#,
    r#""rebalance""#,
    r#"{"interrupt": {}}"#,
    r#"{"interrupt": {"action": "hibernate", "time": "+1s"}}"#,
];

const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";

fn status(description: &str, now_ms: u64) -> Status {
    imds_core::status(description, now_ms, None).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn are_told(problems: &[Problem]) {
    assert!((1..=20).contains(&problems.len()), "{} problems", problems.len());
    for problem in problems {
        assert!(problem.field.is_empty() || problem.field.starts_with('/'), "{problem:?}");
        assert!(!problem.message.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
        assert!(problem.position.is_none_or(|position| position.line > 0 && position.column > 0), "{problem:?}");
    }
}

/// At most five of each name, each a sentence about a place.
fn are_few(warnings: &[Warning]) {
    for of_a_name in warnings.chunk_by(|one, other| one.name == other.name) {
        assert!(of_a_name.len() <= 5, "{of_a_name:?}");
        assert!(RULES.iter().any(|rule| rule.name == of_a_name[0].name), "{of_a_name:?}");
    }
    let problems = warnings.iter().map(|warning| &warning.problem);
    problems.for_each(|problem| are_told(std::slice::from_ref(problem)));
}

/// Asks with a token, so that it is answered under every option.
struct Client {
    instance: Instance,
    edited: Instance,
    token: Vec<u8>,
}

impl Client {
    /// The answer, unless a fault of the description struck.
    fn get(&self, target: &str) -> Option<Answer<'_>> {
        let fields = [("X-aws-ec2-metadata-token", &self.token[..])];
        let [answer, of_edited] =
            [&self.instance, &self.edited].map(|instance| super::ask(instance, "GET", target.as_bytes(), &fields));
        assert_eq!((&answer.head, &answer.body), (&of_edited.head, &of_edited.body), "{target:?}");
        assert_eq!((answer.outcome, answer.delivery), (of_edited.outcome, of_edited.delivery), "{target:?}");
        if answer.outcome == Outcome::FaultRefused || answer.delivery.is_some() {
            return None;
        }
        assert_eq!(answer.status, 200, "{target:?}");
        Some(answer)
    }

    fn listing(&self, folder: &str) -> Option<Vec<String>> {
        let body = self.get(folder)?.body.into_owned();
        let text = String::from_utf8(body).unwrap_or_else(|_| panic!("{folder:?} lists text"));
        Some(text.lines().map(str::to_owned).collect())
    }

    /// Follows all listings below a folder, and asks for each item.
    fn crawl(&self, folder: &str, depth: u32) {
        for name in self.listing(folder).unwrap_or_default() {
            // Entries of a description may be in other folders that are named so.
            let is_of_keys = folder.ends_with("/meta-data/public-keys/") && folder.matches('/').count() == 4;
            let index = name.split_once('=').filter(|_| is_of_keys);
            let path = match index {
                // `0=my-key` names the folder 0.
                Some((index, _)) => format!("{folder}{index}/"),
                None => format!("{folder}{}", escaped(&name)),
            };
            if path.ends_with('/') || (depth == 0 && name != "user-data") {
                self.crawl(&format!("{}/", path.trim_end_matches('/')), depth + 1);
            } else {
                self.get(&path);
            }
        }
    }
}

/// A name as a client writes it in a path.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        match character {
            '%' | '?' | '#' | '\0'..=' ' | '\x7f' => text.push_str(&format!("%{:02X}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text
}
