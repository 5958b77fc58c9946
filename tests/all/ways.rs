//! The ways into the service: the core as a Rust library, the component in
//! wasmtime, and a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use imds_core::{Moment, Outcome, Signatures};
use imds_host::{Description, Runtime, Secret, Service, Settings, serve};
use tokio::net::TcpListener;

use crate::case::Expected;

/// The secret of all tokens here.
pub const SECRET: [u8; 32] = [7; 32];

/// A request as it goes out.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub target: Vec<u8>,
    pub fields: Vec<(String, Vec<u8>)>,
}

impl Sent {
    pub fn new(method: &str, target: &str, fields: &[(&str, &[u8])]) -> Sent {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        Sent { method: method.to_owned(), target: target.into(), fields }
    }

    pub fn get(target: &str) -> Sent {
        Sent::new("GET", target, &[])
    }

    /// Its head, byte for byte as it says: whatever is in it goes out.
    pub fn head(&self) -> Vec<u8> {
        let mut head = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        for (name, value) in &self.fields {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        head
    }
}

/// An answer as it comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub status: u16,
    pub reason: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    /// The connection was closed without an answer.
    pub fn nothing() -> Received {
        Received { status: 0, reason: String::new(), fields: Vec::new(), body: Vec::new() }
    }

    pub fn is_nothing(&self) -> bool {
        self.status == 0
    }
}

/// A way into the service of one instance.
pub trait Way {
    fn answer(&mut self, sent: &Sent, now_ms: u64) -> Received;

    /// Edits the instance: from here on it is the one described by `toml`.
    fn describe(&mut self, toml: &str);

    /// Whether a request gets through to the service on this way; if not, why.
    fn carries(&self, _sent: &Sent) -> Result<(), &'static str> {
        Ok(())
    }

    /// Whether nothing comes where a connection is to be closed without an answer;
    /// on other ways 503 may come.
    fn closes(&self) -> bool {
        false
    }

    /// The cases that do not hold on this way, for a reason that its user is told.
    fn exceptions(&self) -> &'static [&'static str] {
        &[]
    }

    /// What is left on this way of an answer that is expected.
    fn delivered(&self, expected: &Expected) -> Expected {
        expected.clone()
    }
}

/// The runtime of the component, which all tests share.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("the component loads"));

/// Where servers run.
pub static TOKIO: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().expect("tokio starts"));

pub fn read_toml(toml: &str) -> Description {
    Description::from_toml("case", toml).unwrap_or_else(|error| panic!("{error}"))
}

pub fn settings() -> Settings {
    Settings::default().token_secret(Secret::new(SECRET))
}

pub fn open_in_component(description: &Description) -> imds_host::Instance {
    RUNTIME.open_with(description, &settings()).unwrap_or_else(|error| panic!("{error}"))
}

/// The core, called as a function.
pub struct Native {
    instance: imds_core::Instance,
    entropy: u64,
    throttle_state: u64,
    requests: u64,
}

impl Native {
    pub fn open(toml: &str) -> Native {
        Native::of(open_in_core(&read_toml(toml)))
    }

    /// The instance as that of one caller among many, by whose key it has the identity
    /// that a description leaves out.
    pub fn open_for(key: &str, toml: &str) -> Native {
        let settings = imds_core::Settings { scope: Some(key.to_owned()), ..core_settings() };
        let instance = imds_core::Instance::open(&read_toml(toml).to_json(), settings);
        Native::of(instance.unwrap_or_else(|problems| panic!("{problems:?}")))
    }

    /// Opens a description in JSON, if it is one of an instance.
    pub fn open_json(json: &str) -> Result<Native, Vec<imds_core::Problem>> {
        imds_core::Instance::open(json, core_settings()).map(Native::of)
    }

    fn of(instance: imds_core::Instance) -> Native {
        Native { instance, entropy: 0, throttle_state: 0, requests: 0 }
    }

    fn ask(&self, head: &[u8], now_ms: u64, signatures: Option<&Signatures>) -> imds_core::Answer<'_> {
        let Native { entropy, throttle_state, requests, .. } = *self;
        let moment = Moment { now_ms, entropy, throttle_state, request_number: requests, ..Moment::default() };
        self.instance.answer(head, moment, signatures)
    }
}

/// The shell's part: signatures, here not of any key.
pub fn signatures(signing_time_ms: u64) -> Signatures {
    let signed = format!("{signing_time_ms:?}").repeat(16);
    Signatures { signature: signed.clone(), pkcs7: signed.clone(), rsa2048: signed }
}

pub fn open_in_core(description: &Description) -> imds_core::Instance {
    open_json_in_core(&description.to_json())
}

pub fn open_json_in_core(json: &str) -> imds_core::Instance {
    imds_core::Instance::open(json, core_settings()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

pub fn core_settings() -> imds_core::Settings {
    imds_core::Settings { token_secret: SECRET.to_vec(), signs_identity: true, ..Default::default() }
}

impl Way for Native {
    fn answer(&mut self, sent: &Sent, now_ms: u64) -> Received {
        let head = sent.head();
        self.entropy += 1;
        let mut answer = self.ask(&head, now_ms, None);
        if let Some(document) = &answer.to_sign {
            assert_eq!(answer.outcome, Outcome::SignaturesWanted);
            answer = self.ask(&head, now_ms, Some(&signatures(document.signing_time_ms)));
        }
        let received = match answer.delivery {
            Some(imds_core::Delivery::Closed) => Received::nothing(),
            _ => take_apart(&answer.head, answer.body.to_vec()),
        };
        self.throttle_state = answer.throttle_state;
        self.requests += 1;
        received
    }

    fn closes(&self) -> bool {
        true
    }

    fn describe(&mut self, toml: &str) {
        *self = Native { entropy: self.entropy, ..Native::open(toml) };
    }
}

/// The component in wasmtime, without HTTP.
pub struct Component {
    instance: imds_host::Instance,
    entropy: u64,
}

impl Component {
    pub fn open(toml: &str) -> Component {
        Component { instance: open_in_component(&read_toml(toml)), entropy: 0 }
    }
}

impl Way for Component {
    fn answer(&mut self, sent: &Sent, now_ms: u64) -> Received {
        self.entropy += 1;
        let mut answer = Vec::new();
        let moment = imds_host::Moment::at(now_ms, self.entropy);
        let verdict = self.instance.answer_head(&sent.head(), moment, &mut answer);
        if verdict.delivery == Some(imds_host::Delivery::Closed) {
            return Received::nothing();
        }
        let body = answer.split_off(verdict.head_length);
        let received = take_apart(&answer, body);
        assert_eq!(received.status, verdict.status);
        received
    }

    fn closes(&self) -> bool {
        true
    }

    fn describe(&mut self, toml: &str) {
        *self = Component { entropy: self.entropy, ..Component::open(toml) };
    }
}

/// The runner on a loopback port, spoken to in bytes.
pub struct Socket {
    address: SocketAddr,
    now_ms: Arc<AtomicU64>,
}

impl Socket {
    pub fn open(toml: &str) -> Socket {
        Socket::open_service(Service::new(open_in_component(&read_toml(toml))))
    }

    /// Serves `service` under a clock that the test moves.
    pub fn open_service(service: Service) -> Socket {
        let now_ms = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&now_ms);
        let service = service.clock(move || UNIX_EPOCH + Duration::from_millis(clock.load(Ordering::SeqCst)));
        let listener = TOKIO.block_on(TcpListener::bind("127.0.0.1:0")).expect("a loopback port is free");
        let address = listener.local_addr().expect("a listener has an address");
        // Ends with the test process.
        TOKIO.spawn(serve(listener, service, std::future::pending()));
        Socket { address, now_ms }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Way for Socket {
    fn answer(&mut self, sent: &Sent, now_ms: u64) -> Received {
        self.now_ms.store(now_ms, Ordering::SeqCst);
        receive(self.address, &sent.head())
    }

    fn closes(&self) -> bool {
        true
    }

    fn describe(&mut self, toml: &str) {
        *self = Socket::open(toml);
    }
}

/// Sends bytes, reads until the server closes, and takes the answer apart
/// without an HTTP library, so that nothing is hidden.
pub fn receive(address: SocketAddr, bytes: &[u8]) -> Received {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
    stream.write_all(bytes).expect("the server reads");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("the server answers and closes");
    if received.is_empty() {
        return Received::nothing();
    }
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").expect("a head ends with an empty line") + 4;
    let body = received.split_off(end);
    take_apart(&received, body)
}

/// A head as it stands on the wire and the body behind it.
pub fn take_apart(head: &[u8], body: Vec<u8>) -> Received {
    let head = std::str::from_utf8(head).expect("a head is ASCII");
    let lines = head.strip_suffix("\r\n\r\n").expect("a head ends with an empty line");
    let mut lines = lines.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.1 ").unwrap_or_else(|| panic!("status line {status_line:?}"));
    let (code, reason) = status.split_once(' ').expect("a status line has a reason");
    Received {
        status: code.parse().expect("a status is a number"),
        reason: reason.to_owned(),
        fields: lines
            .map(|line| line.split_once(": ").expect("a field has a name"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body,
    }
}
