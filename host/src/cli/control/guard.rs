// Who may ask. The listener is on this machine, and so are browsers, which send
// what any web page has them send.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, ORIGIN};
use hyper::http::request::Parts;

use super::super::operator::host;
use super::reply::{Refusal, error};

/// The answer to a request that may come from a web page; none for any other.
pub fn refusal(parts: &Parts) -> Option<Refusal> {
    let forbidden = |message| Some(error(StatusCode::FORBIDDEN, message));
    if !host::is_wanted(parts) {
        return forbidden(host::WANTED);
    }
    let site = parts.headers.get("sec-fetch-site");
    if parts.headers.contains_key(ORIGIN) || site.is_some_and(|site| site != "none") {
        return forbidden("web pages get nothing here; ask with imds ctl, curl or a program of yours");
    }
    None
}

/// The answer to a change that a web page could send without being asked about it;
/// none where the type of the body says otherwise.
pub fn refusal_of_change(parts: &Parts) -> Option<Refusal> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if ["application/json", "application/merge-patch+json"].contains(&kind.as_str()) {
        return None;
    }
    let message = "a change must be JSON; send Content-Type: application/json or application/merge-patch+json";
    Some(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fields: &[(&str, &str)]) -> bool {
        let request =
            fields.iter().fold(hyper::Request::get("/"), |request, (name, value)| request.header(*name, *value));
        refusal(&request.body(()).unwrap().into_parts().0).is_some()
    }

    #[test]
    fn web_pages_are_refused() {
        let host = ("host", "127.0.0.1:1340");
        assert!(!refused(&[host]) && !refused(&[host, ("sec-fetch-site", "none")]));
        for fields in [
            &[][..],
            &[("host", "attacker.example")],
            &[host, ("host", "attacker.example")],
            &[host, ("origin", "null")],
            &[host, ("origin", "http://127.0.0.1:1340")],
            &[host, ("sec-fetch-site", "cross-site")],
            &[host, ("sec-fetch-site", "same-site")],
        ] {
            assert!(refused(fields), "{fields:?}");
        }
    }
}
