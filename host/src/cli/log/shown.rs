// What a client sent, as a log may show it: of bounded length, without what a
// terminal would obey, and without what may be a secret.

use std::error::Error;

use imds_host::{Answered, Outcome, Trouble};

use super::super::values::host_name;

/// Room for every path of the service.
const TARGET_CHARACTERS: usize = 160;
/// Room for every method that is registered.
const METHOD_CHARACTERS: usize = 20;
/// Room for every name with a port.
const HOST_CHARACTERS: usize = 260;
/// Room for the first functions of a component's backtrace.
const ERROR_CHARACTERS: usize = 600;

/// The method.
pub fn method(method: &str) -> String {
    printable(method, METHOD_CHARACTERS)
}

/// The target without its query and without credentials before a host: a
/// client may have put anything there.
pub fn target(target: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, _)) => (path, "?…"),
        None => (target, ""),
    };
    let path = match path.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", without_credentials(authority))
        }
        // `CONNECT` asks for an authority alone.
        None if !path.starts_with('/') => without_credentials(path).to_owned(),
        None => path.to_owned(),
    };
    printable(&path, TARGET_CHARACTERS) + query
}

/// The host without credentials before it.
pub fn host(host: &str) -> String {
    printable(without_credentials(host), HOST_CHARACTERS)
}

fn without_credentials(authority: &str) -> &str {
    authority.rsplit('@').next().unwrap_or_default()
}

/// Why the answer is what it is, and how to change that where a flag does.
pub fn reason(answered: &Answered<'_>) -> String {
    let outcome = answered.outcome;
    match outcome {
        Outcome::HostRefused => format!("{outcome}{}", how_to_allow(answered.host)),
        Outcome::Ipv6Disabled => format!("{outcome}; to allow it: --http-protocol-ipv6 enabled"),
        _ => outcome.to_string(),
    }
}

/// What a server met.
pub fn trouble(trouble: &Trouble) -> String {
    printable(&trouble.to_string(), ERROR_CHARACTERS)
}

/// An error and what caused it.
pub fn error(error: &dyn Error) -> String {
    let mut text = printable(&error.to_string(), ERROR_CHARACTERS);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&printable(&error.to_string(), ERROR_CHARACTERS));
        cause = error.source();
    }
    text
}

/// Says how to allow the host, if that can be; its name only where it is known
/// and can be pasted into a shell without harm.
fn how_to_allow(host: Option<&str>) -> String {
    let name = host.map(|host| match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host_name(name),
        _ => host_name(host),
    });
    let name = match name {
        Some(Ok(name)) if name != "*" => Some(name),
        // The service refuses what has another form whatever is allowed.
        Some(_) => return "; it is no name that could be allowed".to_owned(),
        None => None,
    };
    let name = name.filter(|name| !name.starts_with('-') && name.len() <= 253);
    format!("; if the name is yours, allow it: --allow-host {}", name.as_deref().unwrap_or("NAME"))
}

/// A text of the client's, without what a terminal would obey, and not too long.
fn printable(text: &str, characters: usize) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == characters {
            shown.push('…');
            break;
        }
        match c {
            ' '..='~' => shown.push(c),
            _ => shown.extend(c.escape_default()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_credentials_in_targets_are_not_shown() {
        assert_eq!(target("/latest/?token=AQAE"), "/latest/?…");
        assert_eq!(target("http://me:pw@host/latest/"), "http://host/latest/");
        assert_eq!(target("me:pw@host:80"), "host:80");
        assert_eq!(target("/latest/a@b"), "/latest/a@b");
        assert_eq!(host("me:pw@host:80"), "host:80");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\u{1b}[2J\u{202e}", 20), "a\\u{1b}[2J\\u{202e}");
        assert_eq!(printable("abcdef", 3), "abc…");
    }

    #[test]
    fn names_that_can_be_allowed_are_suggested() {
        for (host, name) in [
            (Some("imds.example.com"), "imds.example.com"),
            (Some("imds.example.com.:80"), "imds.example.com"),
            (Some("--keep-alive.example.com"), "NAME"),
            (None, "NAME"),
        ] {
            let advice = how_to_allow(host);
            assert!(advice.ends_with(&format!(": --allow-host {name}")), "{host:?}: {advice}");
        }
        for host in [
            "$(reboot).example.com",
            "user:word@example.com",
            "[::1]example.com",
            "[::1%25lo]:80",
            "example.com:x",
            "a..b",
            "*",
            "",
        ] {
            assert_eq!(how_to_allow(Some(host)), "; it is no name that could be allowed", "{host}");
        }
    }
}
