// Who may ask. The listener is on this machine, and so are browsers, which send
// what any web page has them send.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HOST, ORIGIN};
use hyper::http::request::Parts;

use super::reply::{Reply, error};

/// The answer to a request that may come from a web page; none for any other.
pub fn refusal(parts: &Parts) -> Option<Reply> {
    let forbidden = |message| Some(error(StatusCode::FORBIDDEN, message));
    let fields = parts.headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let mut hosts = parts.uri.authority().map(|authority| authority.as_str()).into_iter().chain(fields).peekable();
    // By its own name for this machine's address a page could read what it gets.
    if hosts.peek().is_none() || !hosts.all(is_of_this_machine) {
        return forbidden("Host must be an IP address or localhost; ask by such a one");
    }
    let site = parts.headers.get("sec-fetch-site");
    if parts.headers.contains_key(ORIGIN) || site.is_some_and(|site| site != "none") {
        return forbidden("web pages get nothing here; ask with imds ctl, curl or a program of yours");
    }
    None
}

/// The answer to a change that a web page could send without being asked about it;
/// none where the type of the body says otherwise.
pub fn refusal_of_change(parts: &Parts) -> Option<Reply> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if ["application/json", "application/merge-patch+json"].contains(&kind.as_str()) {
        return None;
    }
    let message = "a change is JSON and says so; send Content-Type: application/json or application/merge-patch+json";
    Some(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

fn is_of_this_machine(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, rest)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok() && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    is_port(port) && (name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_others_own_are_not_of_this_machine() {
        for host in ["localhost", "LOCALHOST:1340", "127.0.0.1", "127.0.0.1:1340", "[::1]", "[::1]:1340", "10.0.0.1"] {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "[::1", "[::1]x", "[x]", "a:b"]
        {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }

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
