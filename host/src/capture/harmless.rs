//! Whether an exchange of somebody's transcript is one that a capture has: its request is
//! sent again, and must only read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::session::{TOKEN, TTL};
use super::transcript::{Answered, Asked, Exchange};

/// More header fields than any request or answer has.
const FIELDS: usize = 64;

impl Exchange {
    /// Why this is not an exchange of a client with the service.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        let Asked { method, target, fields } = &self.request;
        let version = target.strip_prefix('/').and_then(|rest| rest.strip_suffix("/api/token")).unwrap_or_default();
        let is_token = version.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        if !(["GET", "HEAD", "OPTIONS"].contains(&method.as_str()) || (method == "PUT" && is_token)) {
            return Some("its method is none that only reads");
        }
        if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Some("its target is no path");
        }
        if fields.len().max(self.response.fields.len()) > FIELDS {
            return Some("it has too many header fields");
        }
        for (name, value) in fields {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            if !(is(TOKEN) || is(TTL) || is("X-Forwarded-For")) {
                return Some("it has a header field that no capture sends");
            }
            if value.chars().any(char::is_control) || (value.contains("{token}") && !is(TOKEN)) {
                return Some("it has a value of a header field that no capture sends");
            }
        }
        let Answered { body, body_base64, .. } = &self.response;
        match body_base64 {
            Some(_) if body.is_some() => Some("it has two bodies"),
            Some(base64) if STANDARD.decode(base64).is_err() => Some("its `body-base64` is none"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Reply;

    #[test]
    fn a_transcript_of_others_only_reads() {
        let wrong = |method: &str, target: &str, fields: &[(&str, &str)]| {
            let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let request = Asked { method: method.to_owned(), target: target.to_owned(), fields };
            let reply = Reply::read(b"HTTP/1.1 200 OK\r\n\r\n", false).unwrap();
            Exchange::new(request, &reply).wrong().is_some()
        };
        for (method, target, fields) in [
            ("GET", "/latest//meta-data/%69nstance-id?x=1", &[(TOKEN, "{token}")][..]),
            ("PUT", "/latest/api/token", &[(TTL, "21600"), ("X-Forwarded-For", "192.0.2.1")]),
            ("PUT", "/2021-07-15/api/token", &[]),
        ] {
            assert!(!wrong(method, target, fields), "{method} {target}");
        }
        for (method, target, fields) in [
            ("PUT", "/latest/api/token/", &[][..]),
            ("PUT", "/latest/api/token?x", &[]),
            ("PUT", "/a/b/api/token", &[]),
            ("PUT", "/../api/token", &[]),
            ("PUT", "/api/token", &[]),
            ("PUT", "/%2e%2e/api/token", &[]),
            ("PUT", "/x?/api/token", &[]),
            ("POST", "/latest/api/token", &[]),
            ("DELETE", "/latest/", &[]),
            ("GET", "http://a/", &[]),
            ("GET", "/latest/", &[("Authorization", "x")]),
            ("GET", "/latest/", &[("Host", "x")]),
            ("GET", "/latest/", &[("X-Forwarded-For", "{token}")]),
            ("GET", "/latest/", &[(TOKEN, "a\r\nX: b")]),
            ("GET", "/latest/", &[(TOKEN, "a\u{85}")]),
        ] {
            assert!(wrong(method, target, fields), "{method} {target} {fields:?}");
        }
    }
}
