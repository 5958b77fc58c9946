//! The files for engines of `wasi:http` that have nothing of Spin's, in wasmtime's own
//! HTTP host.

use std::collections::BTreeSet;

use crate::spin::engine::{Adapter, HTTP, Log, Options, Replica};

const INSTANCE_ID: &str = "/latest/meta-data/instance-id";

fn ask(replica: &Replica, method: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    crate::spin::ask(replica, method, path, fields)
}

/// A replica of `imds-http.wasm` under this environment, and its log.
fn under(environment: &[(&str, &str)]) -> (Replica, Log) {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { environment, ..Options::default() };
    let log = options.log.clone();
    (Replica::start(&HTTP[1], options), log)
}

/// The interfaces without their versions.
fn imports(adapter: &Adapter) -> BTreeSet<String> {
    adapter.imports().iter().map(|name| name.split('@').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_files_import_the_proxy_world_and_one_of_them_the_environment() {
    let proxy = [
        "wasi:cli/stderr",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:http/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:random/random",
    ];
    let mut expected: BTreeSet<String> = proxy.map(str::to_owned).into();
    assert_eq!(imports(&HTTP[0]), expected);
    expected.insert("wasi:cli/environment".to_owned());
    assert_eq!(imports(&HTTP[1]), expected);
}

#[test]
fn tokens_outlive_the_instance_that_made_them() {
    for face in &*HTTP {
        let replica = Replica::start(face, Options::default());
        let ttl = [("x-aws-ec2-metadata-token-ttl-seconds", "60")];
        let (status, token) = ask(&replica, "PUT", "/latest/api/token", &ttl);
        assert_eq!(status, 200, "{token}");
        let answer = ask(&replica, "GET", INSTANCE_ID, &[("x-aws-ec2-metadata-token", &token)]);
        assert_eq!(answer, (200, "i-0123456789abcdef0".to_owned()));
    }
}

#[test]
fn the_environment_says_what_the_instance_is() {
    let environment = [
        ("instance", r#"{"instance-type": "m7g.large"}"#),
        ("token_secret", "sixteen bytes or more"),
        ("http_tokens", "required"),
    ];
    let (replica, _) = under(&environment);
    assert_eq!(ask(&replica, "GET", INSTANCE_ID, &[]).0, 401);
    let ttl = [("x-aws-ec2-metadata-token-ttl-seconds", "60")];
    let token = ask(&replica, "PUT", "/latest/api/token", &ttl).1;
    let field = [("x-aws-ec2-metadata-token", token.as_str())];
    let asked = |replica: &Replica| ask(replica, "GET", "/latest/meta-data/instance-type", &field);
    assert_eq!(asked(&replica), (200, "m7g.large".to_owned()));
    let (other, _) = under(&[("token_secret", "another secret of this length"), ("http_tokens", "required")]);
    assert_eq!(asked(&other).0, 401);
}

#[test]
fn what_is_wrong_is_named_in_a_500_for_the_log() {
    for (environment, client, logged) in [
        (("http_tokens", "hunter2"), "is not a valid description; the log says what is wrong", "`http_tokens`"),
        (("instance", r#"{"state": "hunter2"}"#), "the variable `instance` is not a valid", "/state: "),
        (("callers", "host"), "the variable `callers` is for Spin's own adapter", "the variable `callers`"),
        (("token_secret", "hunter2"), "the variable `token_secret` cannot be used", "the variable `token_secret`"),
    ] {
        let (replica, log) = under(&[environment]);
        let (status, body) = ask(&replica, "GET", INSTANCE_ID, &[]);
        assert_eq!((status, body.contains(client), body.contains("hunter2")), (500, true, false), "{body}");
        // Asked after the instance ended, since it writes the log behind its answer.
        drop(replica);
        let began = std::time::Instant::now();
        while !log.text().contains(logged) {
            assert!(began.elapsed().as_secs() < 10, "expected {logged:?} in {:?}", log.text());
            std::thread::yield_now();
        }
    }
}
