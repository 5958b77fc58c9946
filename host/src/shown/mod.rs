//! What a client sent, as a log may show it: of bounded length, without what a
//! terminal would obey, and without what may be a secret.

use std::ops::Range;

/// Room for every path of the service.
const TARGET_CHARACTERS: usize = 160;
/// Room for every method that is registered.
const METHOD_CHARACTERS: usize = 20;
/// Room for every name with a port.
const HOST_CHARACTERS: usize = 260;

/// Room for the agents of SDKs, which list all that they are made of.
const USER_AGENT_CHARACTERS: usize = 200;

/// As long as a secret access key. The shortest session token has 56, and no
/// part of a path of the service so many unless the description gave it a name
/// of that length.
const SECRET_CHARACTERS: usize = 40;

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
/// A path that has 40 or more characters of base64 in a row, which is what
/// tokens and keys look like, is cut there.
///
/// ```
/// assert_eq!(imds_host::shown::target("/latest/?token=AQAE"), "/latest/?…");
/// let token = "AQAEAGgj".repeat(7);
/// assert_eq!(imds_host::shown::target(&format!("/latest/{token}/")), "/latest/…");
/// ```
pub fn target(target: &str) -> String {
    let (path, has_query) = match target.split_once('?') {
        Some((path, _)) => (path, true),
        None => (target, false),
    };
    let mut shown = Shown::new(TARGET_CHARACTERS);
    let path = match path.split_once("://") {
        Some((scheme, rest)) => {
            shown.push(scheme);
            shown.push("://");
            without_credentials_in_front(rest)
        }
        // `CONNECT` asks for an authority alone.
        None if !path.starts_with('/') => without_credentials(path),
        None => path,
    };
    match secret(path, false) {
        // A longer secret goes on behind a slash, in parts that may be short.
        Some(secret) => {
            shown.push(&path[..secret.start]);
            shown.leave_out();
        }
        None => shown.push(path),
    }
    if has_query {
        shown.text.push_str("?…");
    }
    shown.text
}

/// A user agent, cut at 200 characters, without any 40 or more characters of
/// base64 in a row.
///
/// ```
/// let agent = imds_host::shown::user_agent("Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0");
/// assert_eq!(agent, "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0");
/// let token = "AQAEAGgj".repeat(7);
/// assert_eq!(imds_host::shown::user_agent(&format!("agent {token} 1.0")), "agent … 1.0");
/// ```
pub fn user_agent(agent: &str) -> String {
    let mut shown = Shown::new(USER_AGENT_CHARACTERS);
    let mut rest = agent;
    while let Some(secret) = secret(rest, true) {
        shown.push(&rest[..secret.start]);
        shown.leave_out();
        rest = &rest[secret.end..];
    }
    shown.push(rest);
    shown.text
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

/// An authority and the path behind it, likewise.
fn without_credentials_in_front(rest: &str) -> &str {
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    &rest[authority.len() - without_credentials(authority).len()..]
}

/// Where the first characters of base64 stand, in either alphabet or escaped,
/// that are so many in a row that they may be a secret.
fn secret(text: &str, has_slashes: bool) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+=".contains(&byte);
    let (mut start, mut count, mut at) = (0, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        let escaped = if byte == b'%' { bytes.get(at + 1..at + 3).and_then(hexadecimal) } else { None };
        let length = match escaped {
            Some(escaped) if is_base64(escaped) || escaped == b'/' => 3,
            None if is_base64(byte) || (byte == b'/' && has_slashes) => 1,
            _ if count >= SECRET_CHARACTERS => break,
            _ => {
                (start, count) = (at + 1, 0);
                at += 1;
                continue;
            }
        };
        (count, at) = (count + 1, at + length);
    }
    (count >= SECRET_CHARACTERS).then_some(start..at)
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// Any text, cut at so many characters, of which those that are not printable
/// ASCII stand as escapes.
///
/// ```
/// assert_eq!(imds_host::shown::text("a\u{1b}[2J and more", 5), "a\\u{1b}[2J…");
/// ```
pub fn text(text: &str, characters: usize) -> String {
    let mut shown = Shown::new(characters);
    shown.push(text);
    shown.text
}

/// A text that is put together and takes so many characters, which it shows
/// printable.
struct Shown {
    text: String,
    characters_left: usize,
}

impl Shown {
    fn new(characters: usize) -> Self {
        Self { text: String::new(), characters_left: characters }
    }

    fn push(&mut self, text: &str) {
        // Enough but for escapes.
        self.text.reserve(text.len().min(self.characters_left) + '…'.len_utf8());
        for c in text.chars() {
            if self.characters_left == 0 {
                self.leave_out();
                return;
            }
            self.characters_left -= 1;
            match c {
                ' '..='~' => self.text.push(c),
                _ => self.text.extend(c.escape_default()),
            }
        }
    }

    /// Says once in one place that something is left out.
    fn leave_out(&mut self) {
        if !self.text.ends_with('…') {
            self.text.push('…');
        }
    }
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

    /// As the service issues them, and as it gives credentials.
    const TOKEN: &str = "AQAEAGgjYjLbgtpvYW5kgXLTrR-Tk9Xt_0qVvYg7wRzjUkEVsvk1SA==";
    const SECRET_KEY: &str = "wJalrXUtnFEMI0K7MDENG1bPxRfiCYEXAMPLEKEY";

    #[test]
    fn what_looks_like_a_secret_is_not_shown_in_targets() {
        for secret in [TOKEN, SECRET_KEY, &TOKEN.replace('=', "%3D"), &SECRET_KEY.replace('0', "%2f")] {
            for (before, after, wanted) in [
                ("/", "", "/…"),
                ("/latest/meta-data/", "/", "/latest/meta-data/…"),
                ("/latest/", &format!("/{}", &TOKEN[..30]), "/latest/…"),
                ("/latest/", "?x", "/latest/…?…"),
                ("http://me:pw@host/", "", "http://host/…"),
                ("http://", "/latest/", "http://…"),
                ("", ":80", "…"),
                // At the end of what would be shown.
                (&"/.".repeat(75), "", &format!("{}…", "/.".repeat(75))),
            ] {
                assert_eq!(target(&format!("{before}{secret}{after}")), wanted, "{secret}");
            }
            assert_eq!(target(&format!("/latest/?{secret}")), "/latest/?…");
            assert_eq!(target(&format!("http://{secret}@host/")), "http://host/");
        }
    }

    #[test]
    fn paths_of_the_service_are_shown_whole() {
        for path in [
            "/latest/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/ipv4-associations/203.0.113.25",
            "/2021-03-23/dynamic/instance-identity/rsa2048",
            "/latest/meta-data/iam/security-credentials/web-server",
            "//latest/./meta-data/%69am/",
            "/latest/meta-data/i-0123456789abcdef0",
            "/%/%4/%zz/%c3%a4/",
        ] {
            assert_eq!(target(path), path);
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_not_shown_in_user_agents() {
        for secret in [TOKEN, SECRET_KEY, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"] {
            assert_eq!(user_agent(secret), "…");
            assert_eq!(user_agent(&format!("a b;{secret} (c; {secret})")), "a b;… (c; …)");
            let shown = user_agent(&format!("{}{secret}", "a ".repeat(95)));
            assert_eq!(shown, "a ".repeat(95) + "…");
        }
    }

    #[test]
    fn user_agents_of_sdks_are_shown_whole() {
        for agent in [
            "Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.6 cfg/retry-mode#legacy",
            "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.22.4 md/GOOS#linux ft/ec2-imds",
            "aws-sdk-java/2.20.0 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.6",
            "aws-load-balancer-controller/v2.4.7",
        ] {
            assert_eq!(user_agent(agent), agent);
        }
    }

    #[test]
    fn what_is_shown_is_bounded() {
        assert_eq!(target(&"/x".repeat(50_000)), "/x".repeat(80) + "…");
        assert_eq!(user_agent(&"x ".repeat(50_000)), "x ".repeat(100) + "…");
        assert!(user_agent(&format!("{} ", "x".repeat(50)).repeat(1000)).len() < 1000);
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(text("a\u{1b}[2J\u{202e}", 20), "a\\u{1b}[2J\\u{202e}");
        assert_eq!(text("abcdef", 3), "abc…");
    }
}
