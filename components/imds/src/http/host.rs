//! Which names may stand in `Host`.
//!
//! DIFFERENCE: EC2 does not look at `Host`. There, no web page can reach the
//! service; on a laptop one can, by giving its own name the address 127.0.0.1
//! (DNS rebinding). So `Host` must be something that an outsider's DNS cannot
//! own, or something that the operator allowed.

use core::net::Ipv6Addr;

use super::Head;
use super::target::Target;
use crate::description::problem::{Problem, shown};

/// The service's own address, which most clients name.
const ADDRESS: &[u8] = b"169.254.169.254";

/// Domains that no outsider can own.
const LOCAL_DOMAINS: [&str; 5] = ["localhost", "local", "internal", "test", "svc"];

/// The names that the operator allowed beside local ones.
#[derive(Default)]
pub struct HostNames {
    names: Vec<String>,
    allows_all: bool,
}

impl HostNames {
    /// Reads names without a port, or `*` for all. Fails for each that no `Host` can
    /// ever match.
    pub fn read(mut names: Vec<String>) -> Result<HostNames, Vec<Problem>> {
        let wrong = |name: &String| {
            let problem = Problem::at("", format!("no `Host` can match the allowed host `{}`", shown(name)));
            problem.help("write a name without a scheme and a port, such as imds.example.com, or `*` for every name")
        };
        let problems: Vec<Problem> = names.iter().filter(|name| *name != "*" && !is_name(name)).map(wrong).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let allows_all = names.iter().any(|name| name == "*");
        for name in &mut names {
            name.truncate(name.strip_suffix('.').unwrap_or(name).len());
        }
        Ok(HostNames { names, allows_all })
    }

    /// Whether all hosts that a request names are local or allowed.
    pub fn allow(&self, head: &Head<'_>, target: &Target<'_>) -> bool {
        // As nearly all requests have it.
        if target.authority().is_none() && head.only_host().is_some_and(|host| host == ADDRESS || is_ipv4_address(host))
        {
            return true;
        }
        target.authority().is_none_or(|host| is_allowed(host, self))
            && head.hosts().all(|host| core::str::from_utf8(host).is_ok_and(|host| is_allowed(host, self)))
    }
}

/// Whether a text is a name of one label or more. What a client puts elsewhere,
/// `user@` for one, is not to hide the name that it means.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Whether `host`, the value of a `Host` field or an authority, is an IP
/// address, a single label, a name in a local domain, or one of `allowed`; with
/// a port or without. Whatever has another form is not.
fn is_allowed(host: &str, allowed: &HostNames) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, rest)| {
            is_ipv6_address(address) && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
        });
    }
    // By bytes, as in paths: searches for characters take longer than such short texts.
    let (name, port) =
        host.bytes().position(|byte| byte == b':').map_or((host, ""), |at| (&host[..at], &host[at + 1..]));
    if is_ipv4_address(name.as_bytes()) {
        return is_port(port);
    }
    if !(name.is_empty() || is_name(name)) || !is_port(port) {
        return false;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    match name.bytes().rposition(|byte| byte == b'.').map(|at| &name[at + 1..]) {
        None => true,
        Some(_) if is_ipv4_address(name.as_bytes()) => true,
        Some(domain) if LOCAL_DOMAINS.iter().any(|local| domain.eq_ignore_ascii_case(local)) => true,
        Some(_) => allowed.allows_all || allowed.names.iter().any(|allowed| name.eq_ignore_ascii_case(allowed)),
    }
}

/// Whether a name is an IPv4 address, as nearly all are. In one pass, since it is
/// looked at with each request.
fn is_ipv4_address(name: &[u8]) -> bool {
    let (mut parts, mut digits, mut number) = (0, 0, 0_u16);
    for byte in name {
        match byte {
            b'0'..=b'9' if digits < 3 && (digits == 0 || number > 0) => {
                number = number * 10 + u16::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && number <= 255 && parts < 3 => (parts, digits, number) = (parts + 1, 0, 0),
            _ => return false,
        }
    }
    parts == 3 && digits > 0 && number <= 255
}

/// Whether `text` is an IPv6 address, with a zone id behind it (`%eth0`, RFC
/// 4007; `%25eth0` in a URI, RFC 6874) or without.
fn is_ipv6_address(text: &str) -> bool {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    // The zone is an interface of the client's, no name that DNS knows; in a
    // URI it may have escapes.
    let of_zone = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    zone.is_none_or(|zone| !zone.is_empty() && zone.bytes().all(of_zone)) && address.parse::<Ipv6Addr>().is_ok()
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed_by(host: &str, names: &[&str]) -> bool {
        let names = HostNames::read(names.iter().map(|name| (*name).to_owned()).collect()).unwrap();
        is_allowed(host, &names)
    }

    #[test]
    fn local_names_are_allowed_and_others_are_not() {
        for host in [
            "",
            "169.254.169.254",
            "127.0.0.1:1338",
            "[fd00:ec2::254]",
            "[::1]:1338",
            "[fe80::1%eth0]",
            "[fe80::1%25eth0]:1338",
            "[fe80::1%3]",
            "localhost:1338",
            "instance-data",
            "imds.localhost",
            "host.docker.internal",
            "imds.default.svc",
            "imds.default.svc.cluster.local.",
            "LOCALHOST",
            "x.TEST:80",
        ] {
            assert!(allowed_by(host, &[]), "{host}");
        }
        for host in [
            "example.com",
            "evil.localhost.example.com:1338",
            "127.0.0.1.example.com",
            "[x]",
            "[x%eth0]",
            "[fe80::1%]",
            "[fe80::1%eth0",
            "[fe80::1%eth0]example.com",
            "[fe80::1%eth0@example.com]",
            "[::1]example.com",
            "[::1]:80.example.com",
            "user@example.com",
            "user:word@example.com",
            "localhost:x",
            "1.2.3",
            "a.b",
            "localhost/",
        ] {
            assert!(!allowed_by(host, &[]), "{host}");
        }
        assert!(allowed_by("Imds.Example.com:80", &["imds.example.com"]));
        assert!(allowed_by("example.com", &["*"]));
        assert!(allowed_by("example.com.", &["example.com"]));
        assert!(allowed_by("example.com", &["example.com."]));
    }

    #[test]
    fn an_ipv4_address_is_what_the_library_takes_for_one() {
        for text in [
            "0.0.0.0",
            "255.255.255.255",
            "256.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "1.2.3.04",
            "1..2.3",
            ".1.2.3",
            "1.2.3.",
            "1.2.3.4a",
            "",
            "1.2.3.1234",
            "00.0.0.0",
            "0.0.0.00",
            "1.2.3.4",
        ] {
            assert_eq!(is_ipv4_address(text.as_bytes()), text.parse::<core::net::Ipv4Addr>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_no_host_can_match_is_told() {
        for name in ["example.com:80", "http://example.com", "a b", "", "[::1]", "*.example.com"] {
            let problems = HostNames::read(vec!["imds.example.com".into(), name.into()]).err().unwrap();
            assert_eq!((problems.len(), problems[0].field.as_str()), (1, ""), "{name}");
        }
    }
}
