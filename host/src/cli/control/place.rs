// Where the control listener is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::super::values::address;

/// Where it is unless it is told.
pub const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1340);

/// The variable that tells `imds ctl`.
pub const VARIABLE: &str = "IMDS_CONTROL";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Tcp(SocketAddr),
    /// A Unix socket.
    Path(PathBuf),
}

impl Place {
    /// An address with a port, or a path, which has a `/`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let authority = text.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        if authority.is_none() && text.contains('/') {
            return if cfg!(unix) { Ok(Self::Path(text.into())) } else { Err(WITHOUT_SOCKETS.to_owned()) };
        }
        address(authority.unwrap_or(text)).map(Self::Tcp).map_err(|_| EXPECTED.to_owned())
    }

    /// The same, where only this machine's own programs come.
    pub fn to_listen_on(text: &str) -> Result<Self, String> {
        match Self::parse(text)? {
            Self::Tcp(address) if !address.ip().to_canonical().is_loopback() => Err(format!(
                "who reaches the control listener can change the instance and read what it is, so instances and other \
                 machines must not; {EXPECTED}"
            )),
            place => Ok(place),
        }
    }
}

const EXPECTED: &str = "expected a loopback address with a port, such as 127.0.0.1:1340, or the path of a Unix socket, \
                        such as ./imds.sock";

const WITHOUT_SOCKETS: &str = "there are no Unix sockets on this system; expected an address such as 127.0.0.1:1340";

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_given_back() {
        for text in ["http://127.0.0.1:1340", "http://[::1]:7", "/run/imds.sock"] {
            assert_eq!(Place::to_listen_on(text).unwrap().to_string(), text);
        }
        assert_eq!(Place::parse("localhost:1340"), Ok(Place::Tcp(DEFAULT)));
        assert_eq!(Place::parse("http://127.0.0.1:1340/"), Ok(Place::Tcp(DEFAULT)));
    }

    #[test]
    fn nobody_else_reaches_it() {
        for text in ["0.0.0.0:1340", "[::]:1340", "169.254.169.254:80", "[fd00:ec2::254]:80", "10.0.0.1:1340"] {
            assert!(Place::to_listen_on(text).unwrap_err().contains("other machines must not"), "{text}");
        }
        for text in ["", "1340", "imds.sock", "127.0.0.1", "example.com:80"] {
            assert!(Place::to_listen_on(text).is_err(), "{text}");
        }
        assert!(Place::to_listen_on("127.0.0.2:0").is_ok() && Place::to_listen_on("[::ffff:127.0.0.1]:0").is_ok());
    }
}
