// Why an answer is what it is and what went wrong, as a log may show it.

use std::error::Error;

use imds_host::{Answered, Outcome, Runtime, Trouble, shown};

use super::super::values::host_name;

/// Room for the first functions of a component's backtrace.
const ERROR_CHARACTERS: usize = 600;

/// Why the answer is what it is, and how to change that where a flag does.
pub fn reason(answered: &Answered<'_>, runtime: &Runtime) -> String {
    let rule = runtime.explain(answered.outcome).reason.clone();
    let rule = match answered.outcome {
        Outcome::HostRefused => format!("{rule}{}", how_to_allow(answered.head.host())),
        Outcome::Ipv6Disabled => format!("{rule}; to allow it: --http-protocol-ipv6 enabled"),
        _ => rule,
    };
    match answered.delivery {
        Some(delivery) if answered.fault().is_some() => format!("{rule}; fault: {delivery}"),
        Some(delivery) => format!("{rule}; {delivery}"),
        None => rule,
    }
}

/// What a server met.
pub fn trouble(trouble: &Trouble) -> String {
    shown::text(&trouble.to_string(), ERROR_CHARACTERS)
}

/// An error and what caused it.
pub fn error(error: &dyn Error) -> String {
    let mut text = shown::text(&error.to_string(), ERROR_CHARACTERS);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&shown::text(&error.to_string(), ERROR_CHARACTERS));
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
    // What looks like a key is not repeated.
    let may_be_shown = |name: &String| !name.starts_with('-') && name.len() <= 253 && shown::host(name) == *name;
    let name = name.filter(may_be_shown);
    format!("; if the name is yours, allow it: --allow-host {}", name.as_deref().unwrap_or("NAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_can_be_allowed_are_suggested() {
        for (host, name) in [
            (Some("imds.example.com"), "imds.example.com"),
            (Some("imds.example.com.:80"), "imds.example.com"),
            (Some("--keep-alive.example.com"), "NAME"),
            (Some("AQAEAGgjYjLbgtpvYW5kgXLTrR-Tk9Xt_0qVvYg7wRzjUkEVsvk1SA"), "NAME"),
            (Some("wJalrXUtnFEMI.K7MDENG.bPxRfiCYEXAMPLEKEY:80"), "NAME"),
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
