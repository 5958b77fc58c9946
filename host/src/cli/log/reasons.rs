// Why an answer is what it is and what went wrong, as a log may show it.

use std::error::Error;

use imds_host::{Answered, Outcome, Runtime, Trouble, shown};

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

/// Says how to allow the host; its name, without a port, only where it is known, can
/// be pasted into a shell without harm and does not look like a key. Whether a name
/// can be allowed, the service says.
fn how_to_allow(host: Option<&str>) -> String {
    let name = host.map(|host| host.split_once(':').map_or(host, |(name, _)| name).trim_end_matches('.'));
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let may_be_shown = |name: &&str| {
        !name.is_empty() && !name.starts_with('-') && name.bytes().all(is_harmless) && shown::host(name) == *name
    };
    format!("; if the name is yours, allow it: --allow-host {}", name.filter(may_be_shown).unwrap_or("NAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_suggested_that_can_be_pasted_and_are_no_keys() {
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
        for host in ["$(reboot).example.com", "user@example.com", "[::1]example.com", "[::1%25lo]:80", "*", ""] {
            assert!(how_to_allow(Some(host)).ends_with(": --allow-host NAME"), "{host}");
        }
    }
}
