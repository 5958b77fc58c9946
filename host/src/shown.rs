//! What a client sent, as a log may show it: of bounded length, without what a
//! terminal would obey, and without what may be a secret.

/// Room for every path of the service.
const TARGET_CHARACTERS: usize = 160;
/// Room for every method that is registered.
const METHOD_CHARACTERS: usize = 20;
/// Room for every name with a port.
const HOST_CHARACTERS: usize = 260;

/// A method, cut at 20 characters.
///
/// ```
/// assert_eq!(imds_host::shown::method("GET"), "GET");
/// ```
pub fn method(method: &str) -> String {
    text(method, METHOD_CHARACTERS)
}

/// A target, cut at 160 characters, without its query and without credentials
/// before a host: a client may have put anything there.
///
/// ```
/// assert_eq!(imds_host::shown::target("/latest/?token=AQAE"), "/latest/?…");
/// ```
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
    text(&path, TARGET_CHARACTERS) + query
}

/// A host, cut at 260 characters, without credentials before it.
///
/// ```
/// assert_eq!(imds_host::shown::host("me:pw@host:80"), "host:80");
/// ```
pub fn host(host: &str) -> String {
    text(without_credentials(host), HOST_CHARACTERS)
}

fn without_credentials(authority: &str) -> &str {
    authority.rsplit('@').next().unwrap_or_default()
}

/// Any text, cut at so many characters, of which those that are not printable
/// ASCII stand as escapes.
///
/// ```
/// assert_eq!(imds_host::shown::text("a\u{1b}[2J and more", 5), "a\\u{1b}[2J…");
/// ```
pub fn text(text: &str, characters: usize) -> String {
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
        assert_eq!(text("a\u{1b}[2J\u{202e}", 20), "a\\u{1b}[2J\\u{202e}");
        assert_eq!(text("abcdef", 3), "abc…");
    }
}
