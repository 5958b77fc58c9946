// Where `imds ctl` goes: to a listener on this machine, or to the control of an
// application elsewhere.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::Uri;

use super::super::control::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A listener of `imds serve` or `imds run`, and whether it was given as a URL.
    Listener(Place, bool),
    /// The control of an application that Spin serves.
    Application(Url),
}

/// The URL of an application's control: all paths are below its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub is_https: bool,
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
    /// Without a final slash.
    pub path: String,
}

impl Target {
    /// A URL with https or with a path is an application's; all else is a place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scheme = text.split(':').next().unwrap_or_default();
        let rest = text.strip_prefix("http://");
        // Whoever means a URL and mistypes it does not mean a socket of that name.
        let is_url = match rest {
            Some(rest) => rest.trim_end_matches('/').contains('/') || Place::parse(text).is_err(),
            None => scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"),
        };
        match is_url {
            true => Url::parse(text).map(Self::Application),
            false => Place::parse(text)
                .map(|place| Self::Listener(place, rest.is_some()))
                .map_err(|wrong| format!("{wrong}, or {EXPECTED}")),
        }
    }
}

const EXPECTED: &str = "the URL of a Spin application's control, such as https://imds.example.com/imds-control";

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("expected {EXPECTED}");
        let url: Uri = text.parse().map_err(|_| expected())?;
        let (Some(authority), None, false) = (url.authority(), url.query(), text.contains('#')) else {
            return Err(expected());
        };
        if authority.as_str().contains('@') {
            return Err(format!("expected {EXPECTED}; the secret goes into a file, for --token-file"));
        }
        let is_https = url.scheme_str() == Some("https");
        let host = match authority.host().strip_prefix('[') {
            None => authority.host(),
            // Brackets are for addresses of IPv6 alone.
            Some(rest) => {
                rest.strip_suffix(']').filter(|host| host.parse::<Ipv6Addr>().is_ok()).ok_or_else(expected)?
            }
        };
        let host = host.to_owned();
        if !is_https && !is_of_this_machine(&host) {
            return Err(format!(
                "over http everybody on the way would read the secret, so http is for this machine alone; expected {EXPECTED}"
            ));
        }
        let port = match (authority.port_u16(), authority.as_str().len() == authority.host().len()) {
            (Some(port), _) => port,
            (None, true) if is_https => 443,
            (None, true) => 80,
            // The secret must not go to another port than the one that was meant.
            (None, false) => return Err(format!("expected a port from 1 to 65535 in {EXPECTED}")),
        };
        Ok(Self { is_https, host, port, path: url.path().trim_end_matches('/').to_owned() })
    }

    /// Those of the host's addresses to which the secret may go: over http only those of
    /// this machine, whatever a resolver says of `localhost`.
    pub fn allowed(&self, resolved: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
        let allowed: Vec<SocketAddr> =
            resolved.filter(|address| self.is_https || address.ip().to_canonical().is_loopback()).collect();
        match allowed.is_empty() {
            false => Ok(allowed),
            true => {
                let message =
                    format!("`{}` stands for no address of this machine; over http only those are asked", self.host);
                Err(io::Error::new(io::ErrorKind::AddrNotAvailable, message))
            }
        }
    }

    /// As `Host` names it.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.is_https, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

fn is_of_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listener(place, _) => place.fmt(f),
            Self::Application(url) => {
                let scheme = if url.is_https { "https" } else { "http" };
                write!(f, "{scheme}://{}{}", url.authority(), url.path)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_applications_are_told_from_places() {
        for text in [
            "https://imds.example.com/imds-control",
            "https://imds.example.com",
            "https://[2001:db8::1]:8443/a/b",
            "http://127.0.0.1:3000/imds-control",
            "http://localhost:3000/imds-control",
            "http://[::1]:3000/imds-control",
            "http://localhost/imds-control",
        ] {
            let target = Target::parse(text).unwrap();
            assert!(matches!(target, Target::Application(_)), "{text}");
            assert_eq!(target.to_string(), text);
        }
        for text in ["127.0.0.1:1340", "localhost:1340", "http://127.0.0.1:1340", "http://127.0.0.1:1340/", "./a.sock"]
        {
            assert!(matches!(Target::parse(text), Ok(Target::Listener(..))), "{text}");
        }
    }

    #[test]
    fn a_resolver_sends_nobody_to_another_machine_over_http() {
        let resolved: [SocketAddr; 3] =
            ["10.0.0.7:3000", "127.0.0.1:3000", "[::1]:3000"].map(|address| address.parse().unwrap());
        let url = |text: &str| Url::parse(text).unwrap();
        let local = url("http://localhost:3000/a");
        assert_eq!(local.allowed(resolved.into_iter()).unwrap(), resolved[1..]);
        let wrong = local.allowed(resolved.into_iter().take(1)).unwrap_err();
        assert!(wrong.to_string().starts_with("`localhost` stands for no address of this machine"), "{wrong}");
        assert_eq!(url("https://localhost:3000/a").allowed(resolved.into_iter()).unwrap(), resolved);
    }

    #[test]
    fn the_secret_travels_in_the_clear_on_this_machine_alone() {
        for text in [
            "http://imds.example.com/imds-control",
            "http://10.0.0.7:3000/imds-control",
            "http://localhost.example.com/a",
        ] {
            assert!(Target::parse(text).unwrap_err().starts_with("over http everybody"), "{text}");
        }
        for text in [
            "https://",
            "https://me:pw@example.com/a",
            "https://example.com/a?b",
            "https://example.com/a#b",
            "https://127.0.0.1#@example.com/a",
            "https://example.com:99999/a",
            "https://example.com:/a",
            "http://127.0.0.1:84433/a",
            "http:/example.com/a",
            "HTTP://",
            "http://[localhost]:3000/a",
            "https://[imds.example.com]/a",
            "https://[10.0.0.7]/a",
        ] {
            assert!(Target::parse(text).is_err_and(|wrong| wrong.contains("expected")), "{text}");
        }
        assert!(Target::parse("HTTP://example.com/a").unwrap_err().starts_with("over http everybody"));
    }
}
