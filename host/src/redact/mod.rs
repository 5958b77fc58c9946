//! What a client sent, as a log may show it: of bounded length, without what a
//! terminal would obey, and without what looks like a key or a token. Whatever a
//! log, the journal, a control answer or a debug print shows of a request goes
//! through here.

mod credentials_id;
mod letters;
mod printable;
mod shapes;
#[cfg(test)]
mod tests;

pub use self::printable::lines;
use self::printable::push_ascii;
pub(crate) use self::printable::{Printable, name, printable};
pub(crate) use self::shapes::secrets;

/// Room for every path of the service.
const TARGET_CHARACTERS: usize = 160;
/// Room for every method that is registered.
const METHOD_CHARACTERS: usize = 20;
/// Room for every name with a port.
const HOST_CHARACTERS: usize = 260;

/// Room for the agents of SDKs, which list all that they are made of.
const USER_AGENT_CHARACTERS: usize = 200;

/// Bytes of a text that are looked at: many times what is shown, so that a secret
/// that begins there is seen whole.
const BYTES_MAX: usize = 4096;

/// A method, cut at 20 characters.
///
/// ```
/// assert_eq!(imds_host::shown::method("GET"), "GET");
/// ```
pub fn method(method: &str) -> String {
    let mut shown = Shown::new(METHOD_CHARACTERS);
    shown.push_without_secrets(method);
    shown.text
}

/// A target, cut at 160 characters, without its query and without credentials
/// before a host: a client may have put anything there.
///
/// A path in which something looks like a key or a token is cut there, and so is one
/// with the id of a task's credentials.
///
/// ```
/// assert_eq!(imds_host::shown::target("/latest/?token=AQAE"), "/latest/?…");
/// let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// assert_eq!(imds_host::shown::target(&format!("/latest/{key}/")), "/latest/…");
/// assert_eq!(imds_host::shown::target("/v2/credentials/web"), "/v2/credentials/…");
/// ```
pub fn target(target: &str) -> String {
    let (path, has_query) = match target.split_once('?') {
        Some((path, _)) => (path, true),
        None => (target, false),
    };
    let mut shown = Shown::new(TARGET_CHARACTERS);
    let path = match path.split_once("://") {
        Some((scheme, rest)) => {
            shown.push_without_secrets(scheme);
            shown.push("://");
            without_credentials_in_front(rest)
        }
        // `CONNECT` asks for an authority alone.
        None if !path.starts_with('/') => without_credentials(path),
        None => path,
    };
    let (path, has_more) = beginning(path);
    let first = secrets(path).first().map(|secret| secret.start);
    match first.into_iter().chain(credentials_id::place(path)).min() {
        // A secret may go on behind a slash, in parts that are too short to be seen.
        Some(secret) => {
            shown.push(&path[..secret]);
            shown.leave_out();
        }
        None => shown.push(path),
    }
    if has_more {
        shown.leave_out();
    }
    if has_query {
        shown.text.push_str("?…");
    }
    shown.text
}

/// A user agent, cut at 200 characters, without what looks like a key or a token.
///
/// ```
/// let agent = imds_host::shown::user_agent("Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0");
/// assert_eq!(agent, "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0");
/// let token = "AQAEAGgj".repeat(7);
/// assert_eq!(imds_host::shown::user_agent(&format!("agent {token} 1.0")), "agent … 1.0");
/// ```
pub fn user_agent(agent: &str) -> String {
    let mut shown = Shown::new(USER_AGENT_CHARACTERS);
    shown.push_without_secrets(agent);
    shown.text
}

/// A host, cut at 260 characters, without credentials before it and without what
/// looks like a key or a token.
///
/// ```
/// assert_eq!(imds_host::shown::host("me:pw@host:80"), "host:80");
/// let key = "wJalrXUtnFEMI0K7MDENG1bPxRfiCYEXAMPLEKEY";
/// assert_eq!(imds_host::shown::host(&format!("{key}.example.com")), "….example.com");
/// ```
pub fn host(host: &str) -> String {
    let mut shown = Shown::new(HOST_CHARACTERS);
    shown.push_without_secrets(without_credentials(host));
    shown.text
}

/// A text of an operator's with `…` in place of what looks like a key or a token.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut shown = Shown { text: String::new(), characters_left: usize::MAX };
    let mut shown_to = 0;
    for secret in secrets(text) {
        shown.text.push_str(&text[shown_to..secret.start]);
        shown.leave_out();
        shown_to = secret.end;
    }
    shown.text.push_str(&text[shown_to..]);
    shown.text
}

/// Whether something in a text looks like a key or a token.
pub(crate) fn has_secret(text: &str) -> bool {
    !secrets(text).is_empty()
}

/// The part of a text that is looked at, and whether there is more.
fn beginning(text: &str) -> (&str, bool) {
    let end = text.floor_char_boundary(BYTES_MAX);
    (&text[..end], end < text.len())
}

fn without_credentials(authority: &str) -> &str {
    authority.rsplit('@').next().unwrap_or_default()
}

/// An authority and the path behind it, likewise.
fn without_credentials_in_front(rest: &str) -> &str {
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    &rest[authority.len() - without_credentials(authority).len()..]
}

/// Any text, cut at so many characters, of which those that are not printable
/// ASCII stand as escapes. It keeps what looks like a key: use it for what this
/// program says itself.
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
            push_ascii(&mut self.text, c);
        }
    }

    /// Pushes a text, with `…` in place of each secret.
    fn push_without_secrets(&mut self, text: &str) {
        let (text, has_more) = beginning(text);
        let mut shown_to = 0;
        for secret in secrets(text) {
            self.push(&text[shown_to..secret.start]);
            self.leave_out();
            shown_to = secret.end;
        }
        self.push(&text[shown_to..]);
        if has_more {
            self.leave_out();
        }
    }

    /// Says once in one place that something is left out.
    fn leave_out(&mut self) {
        if !self.text.ends_with('…') {
            self.text.push('…');
        }
    }
}
