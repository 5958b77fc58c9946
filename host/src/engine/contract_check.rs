// What HTTP relies on of what the interface promises of an answer. The embedded
// component keeps it, which the cases hold; that of an embedder must not make a
// server send what a client takes for something else, or panic.

use crate::engine::delivery::Delivery;
use crate::engine::message::{RequestBody, Verdict};
use crate::error::Error;

/// Far more than the service has; the map of header fields of a mounted service has an
/// end.
const FIELDS_MAX: usize = 256;

/// Fails where the answer to the request with this head breaks a promise.
pub(crate) fn check(request: &[u8], verdict: &Verdict, answer: &[u8]) -> Result<(), Error> {
    match broken(request, verdict, answer) {
        None => Ok(()),
        Some(what) => Err(Error::Component(format!("the component broke its contract: {what}").into())),
    }
}

/// What is wrong, if anything is.
fn broken(request: &[u8], verdict: &Verdict, answer: &[u8]) -> Option<String> {
    // Those below are no final answers.
    if !(200..600).contains(&verdict.status) {
        return Some(format!("status {}", verdict.status));
    }
    if let Some(hop_limit) = verdict.hop_limit.filter(|hop_limit| !(1..=64).contains(hop_limit)) {
        return Some(format!("hop limit {hop_limit}"));
    }
    if let Some(Delivery::Delayed(delay)) = verdict.delivery
        && delay > Delivery::DELAY_MAX
    {
        return Some(format!("a delay of {delay:?}"));
    }
    if verdict.keep_alive && !matches!(verdict.delivery, None | Some(Delivery::Delayed(_))) {
        return Some("a connection that stays open behind an answer that ends it".to_owned());
    }
    if verdict.keep_alive && verdict.request_body == RequestBody::Unknown {
        return Some("a connection that stays open behind a request without a known end".to_owned());
    }
    let (head, body) = answer.split_at(verdict.head_length);
    let head = str::from_utf8(head).ok().and_then(|head| head.strip_prefix(&format!("HTTP/1.1 {} ", verdict.status)));
    let Some(head) = head.and_then(|head| head.strip_suffix("\r\n\r\n")) else {
        return Some("a head without its status line or its end".to_owned());
    };
    let is_head = request.trim_ascii_start().starts_with(b"HEAD ");
    let mut lengths = 0;
    for (count, line) in head.split("\r\n").enumerate() {
        if count > FIELDS_MAX {
            return Some(format!("more than {FIELDS_MAX} header fields"));
        }
        if !line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Some("a head that is not printable ASCII".to_owned());
        }
        // The rest of the status line.
        if count == 0 {
            continue;
        }
        let Some((name, value)) = line.split_once(": ").filter(|(name, _)| is_token(name)) else {
            return Some("a line that is no header field".to_owned());
        };
        if name.eq_ignore_ascii_case("content-length") {
            lengths += 1;
            // A sign too is read as part of a number.
            let digits = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|digits| digits.parse().ok());
            let is_good =
                length.is_some_and(|length: usize| is_head || length == body.len() || is_cut(length, verdict, body));
            if !is_good || lengths > 1 {
                return Some("Content-Length is not the length of the body".to_owned());
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Some("Transfer-Encoding".to_owned());
        }
    }
    if verdict.keep_alive && lengths == 0 {
        return Some("a connection that stays open behind an answer without a length".to_owned());
    }
    (is_head && !body.is_empty()).then(|| "a body in the answer to HEAD".to_owned())
}

/// Whether a fault has taken a part of the body.
fn is_cut(length: usize, verdict: &Verdict, body: &[u8]) -> bool {
    verdict.delivery == Some(Delivery::Cut) && body.len() < length
}

/// Whether a name is one of a header field (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn is_kept(method: &str, body: &str, fields: &str) -> bool {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let verdict = Verdict {
            status: 200,
            outcome: Outcome::Found,
            version: None,
            hop_limit: None,
            delivery: None,
            request_body: RequestBody::None,
            keep_alive: false,
            head_length: head.len(),
        };
        let request = format!("{method} / HTTP/1.1\r\n\r\n");
        check(request.as_bytes(), &verdict, (head + body).as_bytes()).is_ok()
    }

    #[test]
    fn lengths_are_of_the_body_or_of_what_get_would_get() {
        for (method, body, length, kept) in [
            ("GET", "abc", "3", true),
            ("GET", "abc", "4", false),
            ("GET", "abc", "", false),
            ("GET", "abc", "-3", false),
            ("GET", "abc", "+3", false),
            ("HEAD", "", "3", true),
            ("HEAD", "abc", "3", false),
        ] {
            assert_eq!(
                is_kept(method, body, &format!("content-LENGTH: {length}\r\n")),
                kept,
                "{method} {body} {length}"
            );
        }
    }

    #[test]
    fn a_head_is_lines_of_fields() {
        for (fields, kept) in [
            ("", true),
            ("X: 1\r\nY: a b\r\n", true),
            ("X: 1\nY: 2\r\n", false),
            ("X: 1\rY: 2\r\n", false),
            ("X: \u{e4}\r\n", false),
            ("X Y: 1\r\n", false),
            (": 1\r\n", false),
            ("X\r\n", false),
            ("\r\nX: 1\r\n", false),
        ] {
            assert_eq!(is_kept("GET", "", fields), kept, "{fields:?}");
        }
    }
}
