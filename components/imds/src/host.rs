//! Which names may stand in `Host`.
//!
//! DIFFERENCE: EC2 does not look at `Host`. There, no web page can reach the
//! service; on a laptop one can, by giving its own name the address 127.0.0.1
//! (DNS rebinding). So `Host` must be something that an outsider's DNS cannot
//! own, or something that the operator allowed.

use core::net::{Ipv4Addr, Ipv6Addr};

/// Domains that no outsider can own.
const LOCAL_DOMAINS: [&str; 5] = ["localhost", "local", "internal", "test", "svc"];

/// Whether `host`, the value of a `Host` field or an authority, is an IP
/// address, a single label, a name in a local domain, or one of `allowed`.
pub fn is_allowed(host: &str, allowed: &[String]) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let last_label = name.rsplit_once('.').map(|(_, last)| last);
    match last_label {
        None => true,
        Some(_) if name.parse::<Ipv4Addr>().is_ok() => true,
        Some(domain) if LOCAL_DOMAINS.iter().any(|local| domain.eq_ignore_ascii_case(local)) => true,
        Some(_) => allowed.iter().any(|allowed| allowed == "*" || name.eq_ignore_ascii_case(allowed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_are_allowed_and_others_are_not() {
        for host in [
            "",
            "169.254.169.254",
            "127.0.0.1:1338",
            "[fd00:ec2::254]",
            "[::1]:1338",
            "localhost:1338",
            "instance-data",
            "imds.localhost",
            "host.docker.internal",
            "imds.default.svc",
            "imds.default.svc.cluster.local.",
            "LOCALHOST",
            "x.TEST:80",
        ] {
            assert!(is_allowed(host, &[]), "{host}");
        }
        for host in ["example.com", "evil.localhost.example.com:1338", "127.0.0.1.example.com", "[x]", "1.2.3", "a.b"] {
            assert!(!is_allowed(host, &[]), "{host}");
        }
        assert!(is_allowed("Imds.Example.com:80", &["imds.example.com".into()]));
        assert!(is_allowed("example.com", &["*".into()]));
    }
}
