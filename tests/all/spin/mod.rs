//! The Spin adapter's own `.wasm`, composed with the component as Spin does it.
//!
//! `way` plays the cases; the tests here are about what only the adapter does.

mod callers;
mod control;
mod cost;
pub mod engine;
mod faults;
mod heads;
mod interfaces;
mod log;
mod outage;
pub mod program;
mod secret;
mod segments;
mod store;
mod templates;
mod throttle;
pub mod up;
mod variables;
mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::engine::{Options, Replica, WASI_0_2, WASI_0_3};
use self::store::Values;
pub use self::way::{Spin, signed_json};

const INSTANCE_ID: &str = "/latest/meta-data/instance-id";
const NOW_MS: u64 = 1_790_800_000_000;

/// An application: replicas that share variables, a store and a clock.
pub struct Application(pub Options);

impl Application {
    pub fn new(variables: &[(&str, &str)]) -> Application {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let environment = variables.clone();
        let clock = Arc::new(AtomicU64::new(NOW_MS));
        let values = Some(Arc::default());
        Application(Options { variables, environment, values, clock, reuse: 128, ..Options::default() })
    }

    fn without_store(mut self) -> Application {
        self.0.values = None;
        self
    }

    fn replica(&self) -> Replica {
        Replica::start(&WASI_0_3, self.0.clone())
    }

    fn store(&self) -> &Values {
        self.0.values.as_ref().expect("the application has a store")
    }

    fn log(&self) -> String {
        self.0.log.text()
    }

    /// The log, once it has these words: it is written behind an answer.
    pub fn log_with(&self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let log = self.log();
            if log.contains(words) {
                return log;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "expected {words:?} in {log:?}");
            std::thread::yield_now();
        }
    }

    fn wait(&self, ms: u64) {
        self.0.clock.fetch_add(ms, Ordering::SeqCst);
    }
}

/// Status and body of the answer to a request with these header fields.
pub fn ask(replica: &Replica, method: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    // Engines make a URI of the target and of `Host`.
    let host = fields.iter().find(|(name, _)| *name == "host").map_or("localhost", |(_, host)| *host);
    let mut request = http::Request::builder().method(method).uri(format!("http://{host}{path}"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let response = replica.send(request.body(()).expect("a request"));
    (response.status().as_u16(), String::from_utf8(response.into_body()).expect("text"))
}

fn get(replica: &Replica, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    ask(replica, "GET", path, fields)
}

fn token(replica: &Replica, fields: &[(&str, &str)]) -> String {
    let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
    let (status, token) = ask(replica, "PUT", "/latest/api/token", &[fields, &[ttl]].concat());
    assert_eq!((status, token.len()), (200, 56), "{token}");
    token
}

#[test]
fn the_default_instance_needs_neither_variables_nor_values() {
    let application = Application::new(&[]);
    assert_eq!(get(&application.replica(), INSTANCE_ID, &[]), (200, "i-0123456789abcdef0".to_owned()));
    application.log_with("imds: there is no variable `token_secret`: made a secret and keep it");
}

#[test]
fn replicas_accept_each_others_tokens_and_see_edits_within_a_second() {
    let application = Application::new(&[("http_tokens", "required")]);
    let [one, other] = [application.replica(), application.replica()];
    let token = token(&one, &[]);
    let field = [("x-aws-ec2-metadata-token", token.as_str())];
    let id = |replica: &Replica| get(replica, "/latest/meta-data/instance-type", &field);
    for replica in [&one, &other] {
        assert_eq!(get(replica, INSTANCE_ID, &[]).0, 401);
        assert_eq!(id(replica), (200, "t3.micro".to_owned()));
    }
    application.store().set("instance", r#"{"instance-type": "m7g.large"}"#);
    application.wait(1000);
    for replica in [&one, &other] {
        assert_eq!(id(replica), (200, "m7g.large".to_owned()), "an edit keeps tokens");
    }
}

/// What an engine must offer: for the face of WASI 0.3 that is Spin, for the other one
/// whoever has WASI's drafts in Spin's versions. The SDK does not document its
/// bindings of the drafts, so that what they are is held here.
#[test]
fn the_adapter_imports_what_spin_has_or_what_wasi_drafted() {
    let beyond_wasi = |adapter: &engine::Adapter| -> Vec<String> {
        let stable = ["wasi:cli/", "wasi:clocks/", "wasi:http/types@", "wasi:io/", "wasi:random/"];
        let mut names = adapter.imports();
        names.retain(|name| !stable.iter().any(|stable| name.starts_with(stable)));
        names.sort();
        names
    };
    let atomics = ["wasi:keyvalue/atomics@0.2.0-draft2", "wasi:keyvalue/store@0.2.0-draft2"];
    let own = ["spin:key-value/key-value@3.0.0", "spin:variables/variables@3.0.0"];
    assert_eq!(beyond_wasi(&WASI_0_3), [&own[..], &atomics].concat());
    assert_eq!(beyond_wasi(&WASI_0_2), [&["wasi:config/store@0.2.0-draft-2024-09-27"][..], &atomics].concat());
}
