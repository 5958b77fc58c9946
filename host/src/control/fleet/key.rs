use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use hyper::header::HeaderName;

use crate::engine::RequestHead;
use crate::error::Error;
use crate::serve::Caller;

/// How a [`Fleet`](super::Fleet) identifies callers: where a request has the key of its
/// instance.
///
/// ```
/// use imds_host::CallerKey;
///
/// let callers: CallerKey = "header:X-Guest".parse()?;
/// assert_eq!(callers.to_string(), "header:x-guest");
/// # Ok::<_, imds_host::WrongCallerKey>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum CallerKey {
    /// The source address of the connection: `10.0.0.7`, `fd00::7`. An IPv4-mapped IPv6
    /// address counts as the IPv4 address. Use it if callers cannot forge their
    /// addresses; behind a proxy, all callers have the proxy's. Link-local addresses do
    /// not distinguish interfaces.
    ClientAddress,
    /// The destination address of the connection: `10.0.0.1:80`, or `10.0.0.1` for all
    /// ports without a key. For platforms that have a listener for each guest.
    Listener,
    /// A header field that a trusted proxy sets, and removes from what clients send. A
    /// request that has the field twice has no key, because one of them is not the
    /// proxy's.
    Header(HeaderName),
    /// The name in `Host`, in lower case, without its port and a final dot. Clients
    /// choose it, so it does not isolate them from each other.
    Host,
    /// Something that the embedder knows of the request; see [`own`](Self::own).
    Own(OwnKey),
}

type OwnKey = Arc<dyn Fn(&Caller, &RequestHead<'_>) -> Option<String> + Send + Sync>;

/// As much as a name in `Host` may have.
const KEY_BYTES_MAX: usize = 253;

impl CallerKey {
    /// Identifies callers by a closure, which looks at the caller and at the extensions
    /// of the request.
    ///
    /// ```
    /// use imds_host::{Caller, CallerKey};
    ///
    /// #[derive(Clone)]
    /// struct Guest(u32);
    ///
    /// CallerKey::own(|_: &Caller, head| Some(head.extension::<Guest>()?.0.to_string()));
    /// ```
    pub fn own(find: impl Fn(&Caller, &RequestHead<'_>) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::Own(Arc::new(find))
    }

    /// Normalizes a key: `10.0.0.7` for `::ffff:10.0.0.7`. Fails with [`Error::Key`] if
    /// no request can ever have it.
    ///
    /// ```
    /// use imds_host::CallerKey;
    ///
    /// assert_eq!(CallerKey::ClientAddress.canonical("FD00::0:7")?, "fd00::7");
    /// let error = CallerKey::ClientAddress.canonical("vm-7").unwrap_err();
    /// assert_eq!(error.to_string(), "no caller can have the key `vm-7`: expected an IP address, such as 10.0.0.7");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn canonical(&self, key: &str) -> Result<String, Error> {
        let (canonical, expected) = match self {
            Self::ClientAddress => (key.parse().ok().map(canonical_ip), "an IP address, such as 10.0.0.7"),
            Self::Listener => {
                let address = key.parse().ok().map(|address| canonical_address(address).to_string());
                let ip = || key.parse().ok().map(canonical_ip);
                (address.or_else(ip), "the address of a listener, with its port or without, such as 10.0.0.1:80")
            }
            Self::Header(_) => (is_key(key).then(|| key.to_owned()), "1 to 253 visible ASCII characters"),
            Self::Host => {
                let name = Some(canonical_host(key)).filter(|name| is_key(name) && without_port(key) == key);
                (name, "a name without a port, such as vm-7.internal")
            }
            Self::Own(_) => (Some(key.to_owned()), "any text"),
        };
        canonical.ok_or_else(|| Error::Key { key: key.to_owned(), expected })
    }

    /// What `get` has for the key of a request.
    pub(in crate::control) fn find<T>(
        &self,
        caller: &Caller,
        head: &RequestHead<'_>,
        get: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        match self {
            Self::ClientAddress => get(&canonical_ip(caller.peer?.ip())),
            Self::Listener => {
                let local = canonical_address(caller.local?);
                get(&local.to_string()).or_else(|| get(&local.ip().to_string()))
            }
            Self::Header(name) => get(single(head, name.as_str())?),
            Self::Host => get(&canonical_host(host(head)?)),
            Self::Own(find) => get(&find(caller, head)?),
        }
    }
}

/// The words of the command line: `client-address`, `listener`, `header:NAME`,
/// `host`.
impl FromStr for CallerKey {
    type Err = WrongCallerKey;

    fn from_str(text: &str) -> Result<Self, WrongCallerKey> {
        match text {
            "client-address" => Ok(Self::ClientAddress),
            "listener" => Ok(Self::Listener),
            "host" => Ok(Self::Host),
            _ => {
                let name = text.strip_prefix("header:").ok_or(WrongCallerKey(()))?;
                HeaderName::from_bytes(name.trim().as_bytes()).map(Self::Header).map_err(|_| WrongCallerKey(()))
            }
        }
    }
}

/// A text that does not name a way to identify callers.
///
/// ```
/// use imds_host::CallerKey;
///
/// let wrong = "by guess".parse::<CallerKey>().unwrap_err();
/// let expected = "expected client-address, listener, host, or header:NAME with the name of a field";
/// assert_eq!(wrong.to_string(), expected);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongCallerKey(());

impl fmt::Display for WrongCallerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected client-address, listener, host, or header:NAME with the name of a field")
    }
}

impl std::error::Error for WrongCallerKey {}

/// As on the command line; `own` stands for an embedder's.
impl fmt::Display for CallerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientAddress => f.write_str("client-address"),
            Self::Listener => f.write_str("listener"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Host => f.write_str("host"),
            Self::Own(_) => f.write_str("own"),
        }
    }
}

impl fmt::Debug for CallerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallerKey({self})")
    }
}

fn canonical_ip(ip: IpAddr) -> String {
    ip.to_canonical().to_string()
}

/// Without the interface of a link-local address.
fn canonical_address(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn canonical_host(host: &str) -> String {
    without_port(host).trim_end_matches('.').to_ascii_lowercase()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

fn is_key(text: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// The value of a field that comes once.
fn single<'h>(head: &RequestHead<'h>, name: &str) -> Option<&'h str> {
    let value = match head.values(name)[..] {
        [value] => str::from_utf8(value).ok()?,
        _ => return None,
    };
    Some(value.trim()).filter(|value| is_key(value))
}

/// The host of an absolute target, if `Host` says no other, or that of `Host`.
fn host<'h>(head: &RequestHead<'h>) -> Option<&'h str> {
    let field = single(head, "host");
    match head.authority() {
        None => field,
        Some(authority) => Some(authority).filter(|host| field == Some(host) || head.values("host").is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;

    /// The keys under which an instance is looked for.
    fn keys(callers: &CallerKey, caller: Caller, fields: &[(&str, &str)]) -> Vec<String> {
        let mut request = Request::get("/");
        for (name, value) in fields {
            request = request.with(*name, *value);
        }
        let head = request.head();
        let keys = std::cell::RefCell::new(Vec::new());
        let look = |key: &str| -> Option<()> {
            keys.borrow_mut().push(key.to_owned());
            None
        };
        assert_eq!(callers.find(&caller, &RequestHead::new(&head), look), None);
        keys.into_inner()
    }

    fn address(text: &str) -> Option<SocketAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_one_spelling() {
        let key = |peer| keys(&CallerKey::ClientAddress, Caller::new(peer, None), &[]);
        assert_eq!(key(address("[::ffff:10.0.0.7]:5123")), ["10.0.0.7"]);
        assert_eq!(key(address("[fd00:0::7]:1")), ["fd00::7"]);
        assert_eq!(key(None), [""; 0]);
        let canonical = |text| CallerKey::ClientAddress.canonical(text);
        assert_eq!(canonical("::ffff:10.0.0.7").unwrap(), "10.0.0.7");
        assert_eq!(canonical("10.0.0.7").unwrap(), "10.0.0.7");
        for text in ["10.0.0.7:80", "vm-7", "", "10.0.0.07", "fe80::1%eth0", "10.0.0.0/8"] {
            assert!(matches!(canonical(text), Err(Error::Key { .. })), "{text}");
        }
    }

    #[test]
    fn a_listener_is_looked_for_with_its_port_first() {
        let key = |local| keys(&CallerKey::Listener, Caller::new(None, local), &[]);
        assert_eq!(key(address("10.0.0.1:80")), ["10.0.0.1:80", "10.0.0.1"]);
        assert_eq!(key(address("[::ffff:10.0.0.1]:80")), ["10.0.0.1:80", "10.0.0.1"]);
        assert_eq!(key(address("[fe80::1%3]:80")), ["[fe80::1]:80", "fe80::1"]);
        let canonical = |text| CallerKey::Listener.canonical(text);
        assert_eq!(canonical("[::ffff:10.0.0.1]:80").unwrap(), "10.0.0.1:80");
        assert_eq!(canonical("FD00::1").unwrap(), "fd00::1");
        assert!(canonical("localhost:80").is_err());
    }

    #[test]
    fn a_field_of_a_proxy_comes_once() {
        let callers = "header:X-Guest".parse::<CallerKey>().unwrap();
        let key = |fields: &[(&str, &str)]| keys(&callers, Caller::default(), fields);
        assert_eq!(key(&[("x-guest", "vm-7")]), ["vm-7"]);
        let longest = "a".repeat(253);
        assert_eq!(key(&[("x-guest", &longest)]), [longest.as_str()]);
        for fields in [
            &[][..],
            &[("x-guest", "vm-7"), ("X-Guest", "vm-7")],
            &[("x-guest", "")],
            &[("x-guest", "a b")],
            &[("x-guest", "ä")],
            &[("x-guest", &"a".repeat(254))],
        ] {
            assert_eq!(key(fields), [""; 0], "{fields:?}");
        }
        assert!(callers.canonical("a b").is_err() && callers.canonical("").is_err());
    }

    #[test]
    fn a_name_in_host_counts_without_port_case_and_final_dot() {
        let key = |host: &str| keys(&CallerKey::Host, Caller::default(), &[("host", host)]);
        assert_eq!(key("A.Example.COM.:8080"), ["a.example.com"]);
        assert_eq!(key("[2001:db8::1]:80"), ["[2001:db8::1]"]);
        assert_eq!(keys(&CallerKey::Host, Caller::default(), &[("host", "a"), ("host", "a")]), [""; 0]);
        assert_eq!(CallerKey::Host.canonical("VM-7.internal.").unwrap(), "vm-7.internal");
        for text in ["vm-7:80", ".", ""] {
            assert!(CallerKey::Host.canonical(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_absolute_target_and_host_name_one_host() {
        let key = |host: Option<&str>| {
            let mut request = Request::get("http://vm-7/latest/");
            if let Some(host) = host {
                request = request.with("host", host);
            }
            let head = request.head();
            CallerKey::Host.find(&Caller::default(), &RequestHead::new(&head), |key| Some(key.to_owned()))
        };
        assert_eq!(key(None).as_deref(), Some("vm-7"));
        assert_eq!(key(Some("vm-7")).as_deref(), Some("vm-7"));
        assert_eq!(key(Some("vm-8")), None);
    }

    #[test]
    fn words_of_the_command_line_are_read_and_written() {
        for text in ["client-address", "listener", "host", "header:x-guest"] {
            assert_eq!(text.parse::<CallerKey>().unwrap().to_string(), text);
        }
        for text in ["", "one", "header:", "header:a b", "Client-Address"] {
            assert!(text.parse::<CallerKey>().is_err(), "{text}");
        }
    }
}
