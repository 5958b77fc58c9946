// By which `Host` the operator's listeners are asked. They check it, since a web page
// can give its own name the address of one (DNS rebinding), and then may read what it
// gets as if it were its own server's.

use std::net::{Ipv4Addr, Ipv6Addr};

use hyper::header::HOST;
use hyper::http::request::Parts;

/// What is said to who asks by another one.
pub const WANTED: &str = "Host must be an IP address or localhost; ask by such a one";

/// Whether a request is for an IP address or `localhost`, which no web page has for
/// its name. One that does not say for whom it is, is for neither.
pub fn is_wanted(parts: &Parts) -> bool {
    let fields = parts.headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let mut hosts = parts.uri.authority().map(|authority| authority.as_str()).into_iter().chain(fields).peekable();
    hosts.peek().is_some() && hosts.all(is_of_no_page)
}

fn is_of_no_page(host: &str) -> bool {
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
    fn names_that_a_web_page_can_have_are_not_wanted() {
        for host in ["localhost", "LOCALHOST:1340", "127.0.0.1", "127.0.0.1:1340", "[::1]", "[::1]:1340", "10.0.0.1"] {
            assert!(is_of_no_page(host), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "[::1", "[::1]x", "[x]", "a:b"]
        {
            assert!(!is_of_no_page(host), "{host}");
        }
    }

    #[test]
    fn every_host_of_a_request_counts() {
        let wanted = |target: &str, hosts: &[&str]| {
            let request = hosts.iter().fold(hyper::Request::get(target), |request, host| request.header(HOST, *host));
            is_wanted(&request.body(()).unwrap().into_parts().0)
        };
        assert!(wanted("/", &["127.0.0.1"]) && wanted("http://localhost/", &["localhost"]));
        assert!(!wanted("/", &[]));
        assert!(!wanted("/", &["127.0.0.1", "attacker.example"]));
        assert!(!wanted("http://attacker.example/", &["127.0.0.1"]));
    }
}
