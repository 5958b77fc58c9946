//! The Spin adapter as a way into the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::engine::{Adapter, Options, Replica, WASI_0_2, WASI_0_3};
use super::store::Values;
use crate::case::Expected;
use crate::http::{ENVIRONMENT, NOT_COUNTED};
use crate::ways::{Received, Sent, Way, read_toml, signatures};

/// One replica with one instance.
pub struct Spin {
    replica: Replica,
    adapter: &'static Adapter,
    /// Holds the secret of the tokens.
    values: Arc<Values>,
    clock: Arc<AtomicU64>,
    exceptions: &'static [&'static str],
}

impl Spin {
    pub fn wasi_0_3(toml: &str) -> Spin {
        Spin::over(&WASI_0_3, Arc::default(), toml)
    }

    pub fn wasi_0_2(toml: &str) -> Spin {
        Spin::over(&WASI_0_2, Arc::default(), toml)
    }

    /// The face for engines that have nothing of Spin's; it reads the environment.
    pub fn http(toml: &str) -> Spin {
        Spin { exceptions: &NOT_COUNTED, ..Spin::over(&ENVIRONMENT, Arc::default(), toml) }
    }

    fn over(adapter: &'static Adapter, values: Arc<Values>, toml: &str) -> Spin {
        let variables = vec![("instance".to_owned(), signed_json(toml))];
        let options = Options {
            environment: variables.clone(),
            variables,
            values: Some(values),
            reuse: 128,
            ..Options::default()
        };
        Spin::of(adapter, options)
    }

    /// A way through a replica that is started so.
    pub fn of(adapter: &'static Adapter, options: Options) -> Spin {
        let values = options.values.clone().unwrap_or_default();
        let clock = Arc::clone(&options.clock);
        Spin { replica: Replica::start(adapter, options), adapter, values, clock, exceptions: &[] }
    }
}

/// A description as Spin takes it, with signatures made ahead, here of no key.
pub fn signed_json(toml: &str) -> String {
    let mut description = read_toml(toml);
    let given: serde_json::Value = serde_json::from_str(&description.to_json()).expect("a description is JSON");
    let status = imds_core::status(&description.to_json(), 0, None).expect("it is valid");
    let made = signatures(status.identity_document.signing_time_ms);
    for (name, text) in [("signature", made.signature), ("pkcs7", made.pkcs7), ("rsa2048", made.rsa2048)] {
        let field = format!("/identity-signatures/{name}");
        if given.pointer(&field).is_none() {
            description.set_text(&field, &text, "a test");
        }
    }
    description.to_json()
}

impl Way for Spin {
    fn answer(&mut self, sent: &Sent, now_ms: u64) -> Received {
        self.clock.store(now_ms, Ordering::SeqCst);
        let response = self.replica.send(request(sent).unwrap_or_else(|why| panic!("{why}")));
        let (parts, body) = response.into_parts();
        let text = |value: &http::HeaderValue| value.to_str().expect("answers have ASCII header fields").to_owned();
        Received {
            status: parts.status.as_u16(),
            reason: String::new(),
            fields: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body,
        }
    }

    fn describe(&mut self, toml: &str) {
        let exceptions = self.exceptions;
        *self = Spin { exceptions, ..Spin::over(self.adapter, Arc::clone(&self.values), toml) };
    }

    fn exceptions(&self) -> &'static [&'static str] {
        self.exceptions
    }

    fn carries(&self, sent: &Sent) -> Result<(), &'static str> {
        request(sent).map(drop)
    }

    fn delivered(&self, expected: &Expected) -> Expected {
        delivered(expected)
    }
}

/// WASI has no reason phrases, names in lower case, and no say in what becomes
/// of the connection.
pub fn delivered(expected: &Expected) -> Expected {
    let mut expected = Expected { reason: None, ..expected.clone() };
    expected.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("connection"));
    expected.fields.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
    expected
}

/// A request as Spin hands it on; none where Spin itself answers or closes.
pub fn request(sent: &Sent) -> Result<http::Request<()>, &'static str> {
    let target = std::str::from_utf8(&sent.target).map_err(|_| "a target of other bytes than text")?;
    if !target.starts_with('/') {
        return Err("a target that is no path");
    }
    let path: http::uri::PathAndQuery = target.parse().map_err(|_| "a target that HTTP does not allow")?;
    let host = sent.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).ok_or("no Host")?;
    let host = std::str::from_utf8(&host.1).ok().filter(|host| host.parse::<http::uri::Authority>().is_ok());
    let host = host.ok_or("a Host that is none")?;
    let uri = http::Uri::builder().scheme("http").authority(host).path_and_query(path).build();
    let mut request = http::Request::builder()
        .method(sent.method.as_bytes())
        .uri(uri.map_err(|_| "a target that HTTP does not allow")?)
        .header("spin-client-addr", "127.0.0.1:50000");
    for (name, value) in &sent.fields {
        if std::str::from_utf8(value).is_err() {
            return Err("a header value of other bytes than text");
        }
        request = request.header(name, value.as_slice());
    }
    request.body(()).map_err(|_| "a method or a field that HTTP does not allow")
}
