// Who may ask. The listener is on this machine, and so are browsers, which send
// what any web page has them send.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::super::operator::host;
use super::reply::{Refusal, error};
use super::web_page::Token;

/// Where a browser says from what page a request comes.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The answer to a request that may come from a web page; none for any other, and
/// none for the listener's own page, which has the token.
pub fn refusal(parts: &Parts, token: &Token) -> Option<Refusal> {
    let forbidden = |message| Some(error(StatusCode::FORBIDDEN, message));
    if !host::is_wanted(parts) {
        return forbidden(host::WANTED);
    }
    let fields = &parts.headers;
    let is_of_no_page = !fields.contains_key(ORIGIN) && fields.get_all(SITE).iter().all(|site| site == "none");
    if is_of_no_page {
        return None;
    }
    if !is_of_same_origin(fields) {
        return forbidden("web pages get nothing here; ask with imds ctl, curl or a program of yours");
    }
    if is_loaded_again(parts) {
        return None;
    }
    if !token.is_in(fields) {
        return forbidden("the page is not of this process of imds: load it again");
    }
    None
}

/// Says of a request that the listener's own page made it, by all that a browser says of
/// that, and nobody who leaves any of it out.
pub struct OfThePage;

impl<S: Sync> FromRequestParts<S> for OfThePage {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let token = parts.extensions.get::<Arc<Token>>();
        if token.is_some_and(|token| is_of_page(&parts.headers, token)) {
            return Ok(Self);
        }
        let message = "only the page at / may ask for a secret; programs ask the service itself: imds get";
        Err(error(StatusCode::FORBIDDEN, message))
    }
}

fn is_of_page(fields: &HeaderMap, token: &Token) -> bool {
    fields.contains_key(ORIGIN) && is_of_same_origin(fields) && token.is_in(fields)
}

/// Whether the user loads the page again, which has the token only when it is there.
/// Since the page changed its own address meanwhile, it counts as the one who asks.
/// Nothing but a document in a tab of its own: no page reads that.
fn is_loaded_again(parts: &Parts) -> bool {
    let says = |name, value| single(&parts.headers, HeaderName::from_static(name)) == Some(value);
    let is_navigation = says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document");
    parts.method == Method::GET && parts.uri.path() == "/" && !parts.headers.contains_key(ORIGIN) && is_navigation
}

/// Whether a browser says that a page of this very listener asks. With what changes
/// something it says the origin too.
fn is_of_same_origin(fields: &HeaderMap) -> bool {
    if single(fields, SITE) != Some("same-origin") {
        return false;
    }
    let Some(host) = single(fields, HOST) else { return false };
    !fields.contains_key(ORIGIN)
        || single(fields, ORIGIN).and_then(|origin| origin.strip_prefix("http://")) == Some(host)
}

/// The value of a field that is there once.
fn single(fields: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = fields.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
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
    use super::super::web_page::TOKEN;
    use super::*;

    fn is_refused(token: &Token, method: Method, path: &str, fields: &[(&str, &str)]) -> bool {
        let request = hyper::Request::builder().method(method).uri(path);
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        refusal(&request.body(()).unwrap().into_parts().0, token).is_some()
    }

    fn refused_by(token: &Token, fields: &[(&str, &str)]) -> bool {
        is_refused(token, Method::GET, "/", fields)
    }

    fn refused(fields: &[(&str, &str)]) -> bool {
        refused_by(&Token::random().unwrap(), fields)
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
            &[host, ("sec-fetch-site", "same-origin")],
            &[host, ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(refused(fields), "{fields:?}");
        }
    }

    #[test]
    fn the_page_of_this_origin_needs_the_token_and_no_other_gains_by_it() {
        let token = Token::of("the token");
        let name = TOKEN;
        let (own, wrong) = ((name.as_str(), "the token"), (name.as_str(), "the tokem"));
        let host = ("host", "127.0.0.1:1340");
        let (site, origin) = (("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:1340"));
        assert!(!refused_by(&token, &[host, site, own]) && !refused_by(&token, &[host, site, origin, own]));
        for fields in [
            &[host, site][..],
            &[host, site, origin],
            &[host, site, origin, wrong],
            &[host, site, origin, own, wrong],
            // The token is known, and the page is another's.
            &[host, site, ("origin", "http://127.0.0.1:1341"), own],
            &[host, site, ("origin", "http://localhost:1340"), own],
            &[host, site, ("origin", "https://127.0.0.1:1340"), own],
            &[host, site, ("origin", "http://attacker.example"), own],
            &[host, site, ("origin", "null"), own],
            &[host, site, origin, ("origin", "http://attacker.example"), own],
            &[host, ("sec-fetch-site", "cross-site"), own],
            &[host, ("sec-fetch-site", "same-site"), origin, own],
            &[host, ("sec-fetch-site", "none"), origin, own],
            &[host, site, ("sec-fetch-site", "cross-site"), origin, own],
            &[host, origin, own],
            &[("host", "attacker.example"), site, ("origin", "http://attacker.example"), own],
        ] {
            assert!(refused_by(&token, fields), "{fields:?}");
        }
    }

    #[test]
    fn a_secret_is_for_the_page_alone() {
        let token = Token::of("the token");
        let name = TOKEN;
        let own = (name.as_str(), "the token");
        let host = ("host", "127.0.0.1:1340");
        let (site, origin) = (("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:1340"));
        let is_of_page = |given: &[(&str, &str)]| {
            let mut fields = HeaderMap::new();
            for (name, value) in given {
                fields.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            }
            super::is_of_page(&fields, &token)
        };
        assert!(is_of_page(&[host, site, origin, own]));
        for fields in [
            &[host][..],
            &[host, own],
            &[host, site, own],
            &[host, origin, own],
            &[host, site, origin],
            &[host, site, origin, (name.as_str(), "the tokem")],
            &[host, site, origin, own, own],
            &[host, site, ("origin", "http://127.0.0.1:1341"), own],
            &[host, ("sec-fetch-site", "none"), origin, own],
        ] {
            assert!(!is_of_page(fields), "{fields:?}");
        }
    }

    #[test]
    fn a_user_loads_the_page_again_and_no_page_does() {
        let token = Token::of("the token");
        let host = ("host", "127.0.0.1:1340");
        let site = ("sec-fetch-site", "same-origin");
        let (mode, document) = (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"));
        let again = [host, site, mode, document];
        assert!(!is_refused(&token, Method::GET, "/", &again));
        assert!(is_refused(&token, Method::GET, "/v1/instance", &again));
        assert!(is_refused(&token, Method::POST, "/", &again));
        for fields in [
            [host, site, mode, ("sec-fetch-dest", "iframe")],
            [host, site, ("sec-fetch-mode", "cors"), document],
            [host, ("sec-fetch-site", "same-site"), mode, document],
            [host, ("sec-fetch-site", "cross-site"), mode, document],
            [("host", "attacker.example"), site, mode, document],
        ] {
            assert!(is_refused(&token, Method::GET, "/", &fields), "{fields:?}");
        }
        let with_origin = [host, site, mode, document, ("origin", "http://127.0.0.1:1340")];
        assert!(is_refused(&token, Method::GET, "/", &with_origin));
    }
}
