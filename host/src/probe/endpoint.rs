use std::env;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// The variables that SDKs read too.
const VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

/// Where a service is: a host and a port, reached over plain HTTP, as by every client.
///
/// ```
/// use imds_host::probe::Endpoint;
///
/// let endpoint = Endpoint::parse("http://169.254.169.254").unwrap();
/// assert_eq!((endpoint.host(), endpoint.port()), ("169.254.169.254", 80));
/// assert!(Endpoint::parse("https://169.254.169.254").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    authority: String,
    host: String,
    port: u16,
}

/// Why a text is not an [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongEndpoint(String);

impl fmt::Display for WrongEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for WrongEndpoint {}

impl Endpoint {
    /// Reads a URL with a host, optionally a port, and no path.
    ///
    /// # Errors
    ///
    /// The text is not such a URL; the error says what was expected.
    pub fn parse(text: &str) -> Result<Self, WrongEndpoint> {
        const EXPECTED: &str = "expected a URL such as http://127.0.0.1:1338";
        let uri: Uri = text.parse().map_err(|_| WrongEndpoint(EXPECTED.to_owned()))?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(WrongEndpoint(match uri.scheme_str() {
                Some("https") => format!("the service has no TLS; {EXPECTED}"),
                _ => EXPECTED.to_owned(),
            }));
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(WrongEndpoint(format!("{EXPECTED}, without a path")));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_without_port = authority.as_str().len() == authority.host().len();
        let port = match authority.port_u16() {
            Some(port) => port,
            None if is_without_port => 80,
            None => return Err(WrongEndpoint(EXPECTED.to_owned())),
        };
        Ok(Self { authority: authority.as_str().to_owned(), host, port })
    }

    /// The endpoint that SDKs use: `AWS_EC2_METADATA_SERVICE_ENDPOINT`, or else EC2's
    /// address for the mode in `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`.
    ///
    /// # Errors
    ///
    /// The variable does not contain the URL of an endpoint.
    pub fn of_the_environment() -> Result<Self, WrongEndpoint> {
        let text = match env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => text,
            _ if env::var(MODE).is_ok_and(|mode| mode.eq_ignore_ascii_case("ipv6")) => {
                "http://[fd00:ec2::254]".to_owned()
            }
            _ => "http://169.254.169.254".to_owned(),
        };
        Self::parse(&text).map_err(|wrong| WrongEndpoint(format!("{VARIABLE}: {wrong}")))
    }

    /// EC2's address.
    pub(crate) fn of_ec2() -> Self {
        Self { authority: "169.254.169.254".to_owned(), host: "169.254.169.254".to_owned(), port: 80 }
    }

    /// Host and port as the field `Host` names them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A name, or an IP address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is on this machine: `localhost`, or a loopback address. Many requests
    /// then disturb nobody else.
    ///
    /// ```
    /// use imds_host::probe::Endpoint;
    ///
    /// assert!(Endpoint::parse("http://127.0.0.1:1338").unwrap().is_local());
    /// assert!(!Endpoint::parse("http://169.254.169.254").unwrap().is_local());
    /// ```
    pub fn is_local(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }

    /// How many requests a second disturb nobody: 0, which is any number, if it is local,
    /// and otherwise 50. EC2 allows an instance 1024 packets a second to link-local
    /// services (EC2 user guide, "Use the Instance Metadata Service", throttling), and a
    /// request takes about ten.
    pub fn polite_rate(&self) -> u32 {
        if self.is_local() { 0 } else { 50 }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_without_a_path() {
        for (text, host, port) in [
            ("http://127.0.0.1:1338", "127.0.0.1", 1338),
            ("http://169.254.169.254/", "169.254.169.254", 80),
            ("http://[fd00:ec2::254]", "fd00:ec2::254", 80),
            ("http://[::1]:81", "::1", 81),
            ("http://imds.internal", "imds.internal", 80),
        ] {
            let endpoint = Endpoint::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{text}");
        }
        for text in
            ["", "127.0.0.1:1338", "https://a", "http://a/latest", "http://a?b", "http://a@b", "http://a:", "http://"]
        {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
    }
}
