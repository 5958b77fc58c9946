// Values of flags, with what is expected instead of a wrong one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use imds_host::{CallerKey, VirtualClock};

use super::link_local;

/// An address to listen on; `localhost` is 127.0.0.1.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let local = || {
        let port = text.strip_prefix("localhost:")?.parse().ok()?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    text.parse().ok().or_else(local).ok_or_else(|| {
        "expected an IP address and a port, such as 127.0.0.1:1338 or [::1]:1338, or localhost:1338".to_owned()
    })
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

/// A name as it can stand in `Host`, or `*`.
pub fn host_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // With the dot that ends a full name or without.
    let name = text.strip_suffix('.').unwrap_or(text);
    if text == "*" || name.split('.').all(label) {
        return Ok(name.to_owned());
    }
    Err("expected a name without scheme and port, such as imds.example.com, or * for all".to_owned())
}

/// By what callers are told apart.
pub fn caller_key(text: &str) -> Result<CallerKey, String> {
    CallerKey::parse(text)
        .ok_or_else(|| "expected client-address, listener, host, or header:NAME with the name of a field".to_owned())
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
    fn names_that_can_never_match_are_refused() {
        for text in ["*", "imds.example.com", "my_host", "xn--bcher-kva.example"] {
            assert_eq!(host_name(text).as_deref(), Ok(text));
        }
        assert_eq!(host_name("imds.example.com.").as_deref(), Ok("imds.example.com"));
        for text in ["", " ", ".", "*.x", "a b.c", "http://a.b", "a.b:80", "a.b/", "a..b", "[::1]", "bücher.example"] {
            assert!(host_name(text).is_err(), "{text}");
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
