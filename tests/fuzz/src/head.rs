//! A model of how a head is read, by the letter of RFC 9112 and of no library.

use imds_core::{Answer, RequestBody};

use super::Field;

/// A head in its parts.
pub struct Head<'h> {
    pub method: &'h str,
    pub target: &'h str,
    /// Whether it is of HTTP/1.0.
    pub is_old: bool,
    pub fields: Vec<Field<'h>>,
}

impl<'h> Head<'h> {
    /// The parts of a head that is all of `bytes`; none where its lines are no
    /// lines of a head.
    pub fn read(bytes: &'h [u8]) -> Option<Head<'h>> {
        let mut lines = without_empty_lines(bytes).split(|byte| *byte == b'\n');
        let mut line = || lines.next().map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut parts = str::from_utf8(line()?).ok()?.split(' ');
        let (method, target, version) = (parts.next()?, parts.next()?, parts.next()?);
        let is_target = !target.is_empty() && target.bytes().all(|byte| byte > b' ' && byte != 0x7f);
        if parts.next().is_some() || !is_token(method.as_bytes()) || !is_target {
            return None;
        }
        let is_old = match version {
            "HTTP/1.0" => true,
            "HTTP/1.1" => false,
            _ => return None,
        };
        let mut fields = Vec::new();
        loop {
            let line = line()?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            if !is_token(name) || !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
                return None;
            }
            fields.push((str::from_utf8(name).ok()?, value.trim_ascii()));
        }
        // The end of the last line, and nothing behind it.
        (lines.next() == Some(b"") && lines.next().is_none()).then_some(Head { method, target, is_old, fields })
    }

    /// The values of the fields of one name.
    fn values(&self, name: &str) -> Vec<&'h [u8]> {
        self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value).collect()
    }

    /// Whether one of the fields of that name lists the option.
    fn lists(&self, name: &str, option: &str) -> bool {
        let mut options = self.values(name).into_iter().flat_map(|value| value.split(|byte| *byte == b','));
        options.any(|other| other.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
    }

    /// The lengths that it tells; none for one that is no length.
    fn lengths(&self) -> Vec<Option<u64>> {
        let digits = |value| str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        self.values("content-length").into_iter().map(|value| digits(value)?.parse().ok()).collect()
    }

    /// Whether readers may differ on where the request ends.
    pub fn is_in_doubt(&self) -> bool {
        let (lengths, fields) = (self.lengths(), self.values("transfer-encoding"));
        // A comma in quotes parts two codings for some readers, and none for others.
        let has_quotes = fields.iter().any(|value| value.contains(&b'"'));
        let codings = fields.into_iter().flat_map(|value| value.split(|byte| *byte == b','));
        let is_chunked = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
        let are_chunked: Vec<bool> = codings.map(is_chunked).collect();
        // `chunked` comes last, and only there.
        let ends_well = match are_chunked.split_last() {
            Some((last, before)) => *last && !before.contains(&true) && !self.is_old,
            None => true,
        };
        has_quotes || !ends_well || lengths.iter().any(|length| length.is_none() || *length != lengths[0])
    }

    /// Holds an answer to what is promised of what follows, and of the connection.
    pub fn frames(&self, answer: &Answer<'_>) {
        let (lengths, codings) = (self.lengths(), self.values("transfer-encoding"));
        let body = match lengths.first() {
            _ if !codings.is_empty() => RequestBody::Chunked,
            None | Some(None | Some(0)) => RequestBody::None,
            Some(Some(length)) => RequestBody::Length(*length),
        };
        let waits = self.values("expect").iter().any(|value| value.eq_ignore_ascii_case(b"100-continue"));
        let waits = waits && body != RequestBody::None;
        assert_eq!(answer.request_body, if waits { RequestBody::Unknown } else { body });
        let must_close = waits
            || self.lists("connection", "close")
            || (self.is_old && !self.lists("connection", "keep-alive"))
            || !(lengths.is_empty() || codings.is_empty());
        assert_eq!(answer.keep_alive, !must_close, "whether the connection stays");
        let told = answer.fields().find(|(name, _)| *name == "Connection").map(|(_, value)| value);
        assert_eq!(told, if must_close { Some("close") } else { self.is_old.then_some("keep-alive") });
    }
}

/// What is behind the empty lines that may be before a request.
pub fn without_empty_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\r\n").or_else(|| bytes.strip_prefix(b"\n")) {
        bytes = rest;
    }
    bytes
}

/// Whether bytes are a token (RFC 9110, section 5.6.2).
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
