// Values of flags, with what is expected instead of a wrong one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use imds_host::{VirtualClock, shown};

use super::link_local;

/// An address to listen on; `localhost` is 127.0.0.1.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let local = || {
        let port = text.strip_prefix("localhost:")?.parse().ok()?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    text.parse().ok().or_else(local).ok_or_else(|| {
        const EXPECTED: &str =
            "expected an IP address and a port, such as 127.0.0.1:1338 or [::1]:1338, or localhost:1338";
        match wrong_in_address(text) {
            Some(wrong) => format!("{wrong}; {EXPECTED}"),
            None => EXPECTED.to_owned(),
        }
    })
}

/// What is wrong with a text that is no address with a port.
fn wrong_in_address(text: &str) -> Option<String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((_, rest)) = text.split_once("://") {
        let address = rest.trim_end_matches('/');
        return Some(match address.parse::<SocketAddr>() {
            Ok(address) => format!("this is a URL; did you mean {address}?"),
            Err(_) => "this is a URL".to_owned(),
        });
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        let address = SocketAddr::new(ip, 1338);
        return Some(match text.rsplit_once(':') {
            // The last part of an IPv6 address may be meant as a port.
            Some((ip, port)) if is_number(port) && port.len() > 2 && ip.parse::<Ipv6Addr>().is_ok() => {
                format!("an IPv6 address with a port has brackets; did you mean [{ip}]:{port}?")
            }
            _ => format!("there is no port; did you mean {address}?"),
        });
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return match text.parse::<u16>() {
            Ok(port) => Some(format!("this is a port alone; did you mean 127.0.0.1:{port}?")),
            Err(_) if text == "localhost" => Some("there is no port; did you mean localhost:1338?".to_owned()),
            Err(_) => None,
        };
    };
    match (host, port.parse::<u16>()) {
        ("" | "*", Ok(port)) => Some(format!(
            "there is no IP address; did you mean 127.0.0.1:{port}, or 0.0.0.0:{port} for all who reach this machine?"
        )),
        (_, Err(_)) if port.is_empty() => Some("there is no port behind the colon".to_owned()),
        (_, Err(_)) => Some(format!("the port {} is not a number from 0 to 65535", shown::text(port, 20))),
        (host, Ok(port)) if host.contains(':') && host.parse::<Ipv6Addr>().is_ok() => {
            Some(format!("an IPv6 address with a port has brackets; did you mean [{host}]:{port}?"))
        }
        (host, Ok(_)) if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
            Some(format!("{} is no IP address", shown::text(host, 40)))
        }
        _ => Some("names are not looked up".to_owned()),
    }
}

/// An address to serve metrics on, which may be none that instances ask.
pub fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    let address = address(text)?;
    let ip = address.ip().to_canonical();
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    if is_link_local || link_local::is_one(ip) {
        return Err("instances reach this address; expected one for the operator, such as 127.0.0.1:1339".to_owned());
    }
    Ok(address)
}

/// A point in time.
pub fn time(text: &str) -> Result<SystemTime, String> {
    let time = humantime::parse_rfc3339(text).map_err(|_| "expected a time such as 2026-10-01T00:00:00Z".to_owned())?;
    // The clock stands at the last time that the service can write.
    if VirtualClock::paused_at(time).state().now < time {
        return Err("expected a time up to the end of the year 9998".to_owned());
    }
    Ok(time)
}

/// A share of requests.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to 1, such as 0.3 for 30 of 100 requests".to_owned())
}

/// A whole number of a kind.
pub fn whole<N: FromStr + TryFrom<u64>>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| match text.parse::<u64>() {
        Ok(_) => "expected a smaller number".to_owned(),
        Err(_) => "expected a whole number such as 7".to_owned(),
    })
}

/// A number of network hops; the service says which ones there are.
pub fn hops(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected a whole number from 1 to 64, such as 2".to_owned())
}

/// A length of time to go on, with a `+` or without.
pub fn span(text: &str) -> Result<Duration, String> {
    let text = text.strip_prefix('+').unwrap_or(text);
    humantime::parse_duration(text).map_err(|_| "expected a time with its unit, such as 90s, 5m or 6h".to_owned())
}

/// How fast a clock runs.
pub fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().map_err(|_| "expected a number such as 60".to_owned())?;
    VirtualClock::system().set_speed(speed).map_err(|wrong| wrong.to_string())?;
    Ok(speed)
}

/// The same as a flag.
pub fn speed_flag(text: &str) -> Result<f64, String> {
    speed(text).map_err(|wrong| match text.parse::<f64>() {
        Ok(number) if number < 0.0 => "time does not run backwards; expected a number such as 60".to_owned(),
        Ok(0.0) => "expected a number above zero; to let the clock stand: --clock-paused".to_owned(),
        _ => wrong,
    })
}

/// How fast a scenario happens; which speeds there are, the component knows.
pub fn scenario_speed(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number such as 10".to_owned())
}

/// A length of time above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(time) if !time.is_zero() => Ok(Self(time)),
            _ => Err("expected a time above zero with its unit, such as 10s or 500ms".to_owned()),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// A number above zero.
pub fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..) => Ok(count),
        _ => Err("expected a whole number above zero".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_an_address() {
        assert_eq!(address("localhost:1338"), Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 1338))));
        assert!(address("[::1]:0").is_ok());
        for text in ["localhost", "1338", "127.0.0.1", "example.com:80", "::1:80x", ""] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_address_is_told_what_is_wrong_with_it() {
        for (text, wrong) in [
            ("1338", "this is a port alone; did you mean 127.0.0.1:1338?"),
            ("127.0.0.1", "there is no port; did you mean 127.0.0.1:1338?"),
            ("localhost", "there is no port; did you mean localhost:1338?"),
            ("::1", "there is no port; did you mean [::1]:1338?"),
            ("[::1]", "there is no port; did you mean [::1]:1338?"),
            ("fd00:ec2::254", "there is no port; did you mean [fd00:ec2::254]:1338?"),
            ("::1:1338", "an IPv6 address with a port has brackets; did you mean [::1]:1338?"),
            ("http://127.0.0.1:1338/", "this is a URL; did you mean 127.0.0.1:1338?"),
            ("http://x", "this is a URL"),
            (
                ":1338",
                "there is no IP address; did you mean 127.0.0.1:1338, or 0.0.0.0:1338 for all who reach this machine?",
            ),
            ("127.0.0.1:", "there is no port behind the colon"),
            ("127.0.0.1:99999", "the port 99999 is not a number from 0 to 65535"),
            ("127.0.0.1:http", "the port http is not a number from 0 to 65535"),
            ("127.0.0.1.1:80", "127.0.0.1.1 is no IP address"),
            ("127.0.0.300:80", "127.0.0.300 is no IP address"),
            ("example.com:80", "names are not looked up"),
        ] {
            let message = address(text).unwrap_err();
            assert_eq!(message.split("; expected ").next(), Some(wrong), "{text}");
            assert!(message.ends_with("such as 127.0.0.1:1338 or [::1]:1338, or localhost:1338"), "{message}");
        }
        assert!(address("").unwrap_err().starts_with("expected an IP address and a port"));
    }

    #[test]
    fn metrics_are_not_for_instances() {
        for text in [
            "169.254.169.254:80",
            "169.254.1.1:1339",
            "[fd00:ec2::254]:80",
            "[::ffff:169.254.169.254]:80",
            "[fe80::1]:1339",
            "[fe80::1%2]:1339",
            "[febf::1]:1339",
        ] {
            assert!(metrics_address(text).is_err(), "{text}");
        }
        for text in ["localhost:1339", "0.0.0.0:1339", "[::1]:0", "[fec0::1]:1339"] {
            assert!(metrics_address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn times_have_a_unit_and_are_not_zero() {
        assert_eq!("1s 500ms".parse(), Ok(Time(Duration::from_millis(1500))));
        for text in ["10", "0s", "-1s", "", "x"] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
