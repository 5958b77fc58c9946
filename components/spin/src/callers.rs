//! Which instance a request belongs to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::head::Head;
use crate::keys::{INSTANCE, INSTANCES, KEY_BYTES_MAX};

/// The header field in which Spin tells the client's address. A client can send
/// one too; Spin appends its own, so the last one counts.
pub const CLIENT_ADDRESS: &str = "spin-client-addr";

/// How a request is mapped to an instance: the variable `callers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Callers {
    /// `one`: every request belongs to the same instance.
    #[default]
    One,
    /// `client-address`: by the address that Spin saw, not one that a client
    /// claims. Right where Spin is reached without a proxy between and source
    /// addresses cannot be forged. Other engines do not append the field: there
    /// a client can claim any address.
    ClientAddress,
    /// `header:NAME`: by a header field that a trusted proxy sets, and removes
    /// from what clients send. Given here in lower case.
    Header(String),
    /// `host`: by the name in `Host`, without its port. A client says whose
    /// instance it wants, so this separates nobody.
    Host,
}

impl Callers {
    /// Reads the variable's value.
    ///
    /// ```
    /// use imds_spin::Callers;
    ///
    /// assert_eq!(Callers::parse("header:X-Guest"), Some(Callers::Header("x-guest".to_owned())));
    /// assert_eq!(Callers::parse("by guess"), None);
    /// ```
    pub fn parse(value: &str) -> Option<Callers> {
        match value {
            "one" => Some(Callers::One),
            "client-address" => Some(Callers::ClientAddress),
            "host" => Some(Callers::Host),
            _ => {
                let name = value.strip_prefix("header:")?.trim();
                let is_name =
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
                is_name.then(|| Callers::Header(name.to_ascii_lowercase()))
            }
        }
    }

    /// The key of the store that holds the description of the caller's
    /// instance; `None` if the caller is nobody.
    ///
    /// A field that came twice is nobody's: one of them is not the proxy's.
    ///
    /// ```
    /// use imds_spin::{Callers, Head};
    ///
    /// let field = |value: &str| ("spin-client-addr".to_owned(), value.as_bytes().to_vec());
    /// let head = Head { fields: vec![field("10.0.0.1:1"), field("10.0.0.7:5123")], ..Head::default() };
    /// assert_eq!(Callers::ClientAddress.instance_of(&head).as_deref(), Some("instances/10.0.0.7"));
    /// assert_eq!(Callers::One.instance_of(&head).as_deref(), Some("instance"));
    /// ```
    pub fn instance_of(&self, head: &Head) -> Option<String> {
        let identity = match self {
            Callers::One => return Some(INSTANCE.to_owned()),
            Callers::ClientAddress => client_address(head)?.ip().to_canonical().to_string(),
            Callers::Header(name) => single(head, name)?.to_owned(),
            Callers::Host => name_of_host(single(head, "host")?),
        };
        is_key(&identity).then(|| format!("{INSTANCES}{identity}"))
    }

    /// Whether a caller can have the key `identity` behind [`INSTANCES`].
    ///
    /// ```
    /// use imds_spin::Callers;
    ///
    /// assert!(Callers::Host.may_name("vm-7") && !Callers::Host.may_name("VM-7"));
    /// ```
    pub fn may_name(&self, identity: &str) -> bool {
        let may = match self {
            Callers::One => false,
            Callers::ClientAddress => {
                identity.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().to_string() == identity)
            }
            Callers::Header(_) => true,
            Callers::Host => name_of_host(identity) == identity,
        };
        may && is_key(identity)
    }
}

impl fmt::Display for Callers {
    /// As the variable is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Callers::One => f.write_str("one"),
            Callers::ClientAddress => f.write_str("client-address"),
            Callers::Header(name) => write!(f, "header:{name}"),
            Callers::Host => f.write_str("host"),
        }
    }
}

/// As much as a key of the store has room for.
const IDENTITY_BYTES_MAX: usize = KEY_BYTES_MAX - INSTANCES.len();

fn is_key(identity: &str) -> bool {
    (1..=IDENTITY_BYTES_MAX).contains(&identity.len()) && identity.bytes().all(|b| b.is_ascii_graphic())
}

fn name_of_host(host: &str) -> String {
    without_port(host).trim_end_matches('.').to_ascii_lowercase()
}

/// The client's address as Spin saw it.
///
/// ```
/// use imds_spin::{Head, callers::client_address};
///
/// let fields = vec![("spin-client-addr".to_owned(), b"[::1]:4000".to_vec())];
/// assert!(client_address(&Head { fields, ..Head::default() }).is_some_and(|address| address.is_ipv6()));
/// ```
pub fn client_address(head: &Head) -> Option<SocketAddr> {
    std::str::from_utf8(head.values(CLIENT_ADDRESS).next_back()?).ok()?.parse().ok()
}

/// Whether an address is one that anybody on the Internet may have.
///
/// ```
/// use imds_spin::callers::is_public;
///
/// assert!(is_public("203.0.113.7".parse()?) && is_public("2001:db8::7".parse()?));
/// assert!(!is_public("10.0.0.7".parse()?) && !is_public("100.64.0.7".parse()?) && !is_public("fd00::7".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            // What carriers share among their customers, RFC 6598.
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            let is_local = address.is_loopback() || address.is_private() || address.is_link_local();
            !is_shared && !is_local && !address.is_unspecified()
        }
        IpAddr::V6(address) => {
            let is_local = address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local();
            !is_local && !address.is_unspecified()
        }
    }
}

fn single<'h>(head: &'h Head, name: &str) -> Option<&'h str> {
    let mut values = head.values(name);
    let value = values.next().filter(|_| values.next().is_none())?;
    std::str::from_utf8(value).ok().map(str::trim)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&str, &str)]) -> Head {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Head { fields, ..Head::default() }
    }

    #[test]
    fn a_client_that_claims_an_address_gets_its_own() {
        let key = |fields: &[(&str, &str)]| Callers::ClientAddress.instance_of(&head(fields));
        let own = ("spin-client-addr", "[::ffff:10.0.0.7]:5123");
        assert_eq!(key(&[("spin-client-addr", "10.0.0.1:80"), own]).as_deref(), Some("instances/10.0.0.7"));
        assert_eq!(key(&[("spin-client-addr", "10.0.0.1")]), None);
        assert_eq!(key(&[]), None);
    }

    #[test]
    fn a_field_of_a_proxy_comes_once() {
        let key = |fields: &[(&str, &str)]| Callers::Header("x-guest".to_owned()).instance_of(&head(fields));
        assert_eq!(key(&[("x-guest", "vm-7")]).as_deref(), Some("instances/vm-7"));
        assert_eq!(key(&[("x-guest", "vm-7"), ("x-guest", "vm-8")]), None);
        assert_eq!(key(&[("x-guest", "")]), None);
        assert_eq!(key(&[("x-guest", "a b")]), None);
        assert_eq!(key(&[("x-guest", &"a".repeat(246))]).map(|key| key.len()), Some(KEY_BYTES_MAX));
        assert_eq!(key(&[("x-guest", &"a".repeat(247))]), None);
    }

    #[test]
    fn a_key_that_no_caller_can_have_is_known() {
        let header = Callers::Header("x-guest".to_owned());
        assert!(header.may_name("VM-7") && !header.may_name("a b") && !Callers::One.may_name("a"));
        for (address, may) in
            [("10.0.0.7", true), ("2001:db8::7", true), ("2001:DB8::7", false), ("::ffff:10.0.0.7", false)]
        {
            assert_eq!(Callers::ClientAddress.may_name(address), may, "{address}");
        }
        for (host, may) in
            [("a.example.com", true), ("[2001:db8::1]", true), ("A", false), ("a.", false), ("a:80", false)]
        {
            assert_eq!(Callers::Host.may_name(host), may, "{host}");
        }
    }

    #[test]
    fn a_name_in_host_counts_without_port_case_and_final_dot() {
        let key = |host: &str| Callers::Host.instance_of(&head(&[("host", host)]));
        assert_eq!(key("A.Example.COM.:8080").as_deref(), Some("instances/a.example.com"));
        assert_eq!(key("[2001:db8::1]:80").as_deref(), Some("instances/[2001:db8::1]"));
    }
}
