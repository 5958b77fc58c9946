//! The Spin adapter's own `.wasm`, composed with the component as Spin does it.
//!
//! `way` plays the cases; the tests here are about what only the adapter does.

mod callers;
mod engine;
mod store;
pub mod up;
mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imds_host::{CallerKey, Description, Fleet, Moment, Request, Secret, Settings};

use self::engine::{Options, Replica, WASI_0_2, WASI_0_3};
use self::store::Values;
pub use self::way::Spin;
use crate::ways::RUNTIME;

const INSTANCE_ID: &str = "/latest/meta-data/instance-id";
const NOW_MS: u64 = 1_790_800_000_000;

/// An application: replicas that share variables, a store and a clock.
struct Application(Options);

impl Application {
    fn new(variables: &[(&str, &str)]) -> Application {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let clock = Arc::new(AtomicU64::new(NOW_MS));
        Application(Options { variables, values: Some(Arc::default()), clock, reuse: 128, ..Options::default() })
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

    fn wait(&self, ms: u64) {
        self.0.clock.fetch_add(ms, Ordering::SeqCst);
    }
}

/// Status and body of the answer to a request with these header fields.
fn ask(replica: &Replica, method: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
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
    assert!(application.log().starts_with("imds: there is no variable `token_secret`: made a secret and keep it"));
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

#[test]
fn a_secret_is_made_once_however_many_ask_for_the_first() {
    let application = Application::new(&[]);
    let replicas: Vec<Replica> = (0..8).map(|_| application.replica()).collect();
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = replicas.iter().map(|replica| scope.spawn(|| token(replica, &[]))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    for replica in &replicas {
        for token in &tokens {
            assert_eq!(get(replica, INSTANCE_ID, &[("x-aws-ec2-metadata-token", token)]).0, 200);
        }
    }
    assert_eq!(application.store().get("token-secret").map(|secret| secret.len()), Some(32));
}

#[test]
fn a_secret_is_made_though_the_one_elected_to_make_it_vanished() {
    let mut application = Application::new(&[]);
    application.store().set("token-secret/makers/0", "1");
    // Whoever waits for the secret looks at the clock.
    application.0.tick_ms = 50;
    token(&application.replica(), &[]);
    assert!(application.store().get("token-secret").is_some());
}

#[test]
fn each_caller_sees_its_own_instance_and_nobody_elses() {
    let by_address = [
        ("spin-client-addr", "10.0.0.7:4000"),
        ("spin-client-addr", "10.0.0.8:4000"),
        ("spin-client-addr", "10.0.0.9:1"),
    ];
    let by_header = [("x-guest", "10.0.0.7"), ("x-guest", "10.0.0.8"), ("x-guest", "10.0.0.9")];
    let by_host = [("host", "10.0.0.7"), ("host", "10.0.0.8:80"), ("host", "10.0.0.9")];
    for (callers, [seven, eight, unknown]) in
        [("client-address", by_address), ("header:X-Guest", by_header), ("host", by_host)]
    {
        let application = Application::new(&[("callers", callers)]);
        application.store().set("instances/10.0.0.7", r#"{"instance-id": "i-77777777777777777"}"#);
        application.store().set("instances/10.0.0.8", r#"{"instance-id": "i-88888888888888888"}"#);
        // What nobody may see by this mapping.
        application.store().set("instance", r#"{"instance-id": "i-00000000000000000"}"#);
        let replica = application.replica();
        for _ in 0..2 {
            assert_eq!(get(&replica, INSTANCE_ID, &[seven]), (200, "i-77777777777777777".to_owned()), "{callers}");
            assert_eq!(get(&replica, INSTANCE_ID, &[eight]), (200, "i-88888888888888888".to_owned()), "{callers}");
            assert_eq!(get(&replica, INSTANCE_ID, &[unknown]), (403, String::new()), "{callers}");
        }
        let token = token(&replica, &[seven]);
        let field = ("x-aws-ec2-metadata-token", token.as_str());
        assert_eq!(get(&replica, INSTANCE_ID, &[seven, field]).0, 200, "{callers}");
        assert_eq!(get(&replica, INSTANCE_ID, &[eight, field]).0, 401, "{callers}: a token of another instance");
    }
}

#[test]
fn a_client_cannot_claim_to_be_another() {
    let application = Application::new(&[("callers", "client-address")]);
    application.store().set("instances/10.0.0.7", "{}");
    let replica = application.replica();
    let own = ("spin-client-addr", "10.0.0.9:4000");
    assert_eq!(get(&replica, INSTANCE_ID, &[("spin-client-addr", "10.0.0.7:4000"), own]).0, 403);
    assert_eq!(get(&replica, INSTANCE_ID, &[]).0, 403, "no address at all");

    let application = Application::new(&[("callers", "header:x-guest")]);
    application.store().set("instances/a", "{}");
    let replica = application.replica();
    assert_eq!(get(&replica, INSTANCE_ID, &[("x-guest", "a"), ("x-guest", "a")]).0, 403, "one of them is a client's");
    assert_eq!(get(&replica, "/latest/user-data", &[("x-guest", "../token-secret")]).0, 403);
    assert!(application.log().contains("imds: 403: the key-value store has no key `instances/../token-secret`"));
}

#[test]
fn a_token_of_one_caller_is_worth_nothing_at_another_that_describes_itself_alike() {
    let application = Application::new(&[("callers", "header:x-guest"), ("token_secret", "0123456789abcdef")]);
    for key in ["instances/a", "instances/b"] {
        application.store().set(key, "{}");
    }
    let replica = application.replica();
    let token = token(&replica, &[("x-guest", "a")]);
    let status = |guest| get(&replica, INSTANCE_ID, &[("x-guest", guest), ("x-aws-ec2-metadata-token", &token)]).0;
    assert_eq!((status("a"), status("b")), (200, 401));
}

/// So that a platform can serve the same instances from both.
#[test]
fn the_runner_accepts_the_tokens_of_the_same_caller_under_the_same_secret() {
    let application = Application::new(&[("callers", "header:x-guest"), ("token_secret", "0123456789abcdef")]);
    application.store().set("instances/a", "{}");
    let token = token(&application.replica(), &[("x-guest", "a")]);

    let settings = Settings::default().token_secret(Secret::new(b"0123456789abcdef"));
    let callers: CallerKey = "header:x-guest".parse().expect("the same words");
    let fleet = Fleet::with_settings(&RUNTIME, &settings, callers).unwrap_or_else(|error| panic!("{error}"));
    let status = |key| {
        fleet.insert(key, &Description::default()).unwrap_or_else(|error| panic!("{error}"));
        let request = Request::get(INSTANCE_ID).with("X-aws-ec2-metadata-token", token.as_bytes());
        fleet.get(key).map(|instance| instance.answer(&request, Moment::at(NOW_MS, 1)).status)
    };
    assert_eq!((status("a"), status("b")), (Some(200), Some(401)));
}

#[test]
fn an_instance_that_was_removed_is_gone_within_a_second() {
    let application = Application::new(&[("callers", "header:x-guest")]);
    application.store().set("instances/a", "{}");
    let replica = application.replica();
    assert_eq!(get(&replica, INSTANCE_ID, &[("x-guest", "a")]).0, 200);
    application.store().remove("instances/a");
    application.wait(1000);
    assert_eq!(get(&replica, INSTANCE_ID, &[("x-guest", "a")]).0, 403);
}

/// Each with the words of the answer that say what to mend.
#[test]
fn what_the_operator_got_wrong_is_named_in_a_500() {
    for (variables, words) in [
        (
            &[("token_secret", "too short")][..],
            "the variable `token_secret` cannot be used: the token secret has fewer than 16 bytes",
        ),
        (&[("callers", "all")], "the variable `callers` is none of `one`, `client-address`, `host` and `header:NAME`"),
        (&[("callers", "host"), ("instance", "{}")], "the variable `instance` is for `callers` = `one`"),
        (&[("http_tokens", "yes")], "the variable `http_tokens`: "),
        (&[("instance", "{\n oops")], "the variable `instance` is no valid description:\n  line 2, column 2: "),
        (
            &[("instance", r#"{"instance-typ": "t3.micro"}"#)],
            "/instance-typ: unknown field `instance-typ` (did you mean `instance-type`?)",
        ),
    ] {
        let application = Application::new(variables);
        let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
        assert_eq!(status, 500, "{body}");
        assert!(application.log().ends_with(&body), "the log says the same");
        assert!(body.starts_with("imds: ") && body.contains(words), "expected {words:?} in {body:?}");
        assert!(!body.contains("too short"), "a secret is not shown");
    }

    let application = Application::new(&[]);
    application.store().set("instance", b"\xff".as_slice());
    let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
    assert_eq!((status, body.contains("the key `instance` of the key-value store")), (500, true), "{body}");

    let (status, body) = get(&Application::new(&[]).without_store().replica(), INSTANCE_ID, &[]);
    assert_eq!(
        (status, body.contains("there is no variable `token_secret`, and the application has no")),
        (500, true),
        "{body}"
    );
}

/// What the provider says may be the operator's secret, and what it would have
/// said is not guessed.
#[test]
fn variables_that_cannot_be_read_are_not_taken_for_absent() {
    let mut application = Application::new(&[]);
    application.0.variables_fail = true;
    let answer = get(&application.replica(), INSTANCE_ID, &[]);
    assert_eq!(answer, (500, "imds: the variable `callers` cannot be read\n".to_owned()));
    assert!(application.log().contains("the vault at 10.9.8.7 is sealed"));
    assert!(application.store().get("token-secret").is_none());
}

#[test]
fn a_secret_that_was_removed_is_made_again_for_all() {
    let application = Application::new(&[]);
    let replicas = [application.replica(), application.replica()];
    let old = token(&replicas[0], &[]);
    application.store().remove("token-secret");
    application.wait(1000);
    let new = token(&replicas[1], &[]);
    for replica in &replicas {
        assert_eq!(get(replica, INSTANCE_ID, &[("x-aws-ec2-metadata-token", &new)]).0, 200);
        assert_eq!(get(replica, INSTANCE_ID, &[("x-aws-ec2-metadata-token", &old)]).0, 401);
    }
}

#[test]
fn a_secret_in_a_variable_needs_no_store() {
    let application = Application::new(&[("token_secret", "0123456789abcdef")]).without_store();
    let [one, other] = [application.replica(), application.replica()];
    assert_eq!(get(&other, INSTANCE_ID, &[("x-aws-ec2-metadata-token", &token(&one, &[]))]).0, 200);
}

#[test]
fn names_in_host_that_are_not_local_need_a_variable() {
    let foreign = [("host", "imds.example.com")];
    assert_eq!(get(&Application::new(&[]).replica(), INSTANCE_ID, &foreign).0, 403);
    let replica = Application::new(&[("allowed_hosts", "a.example.com, imds.example.com")]).replica();
    assert_eq!(get(&replica, INSTANCE_ID, &foreign).0, 200);
}

/// The component says which names those are, and the log which of them is one.
#[test]
fn a_name_that_no_host_can_match_is_told_with_its_variable() {
    for hosts in ["imds.example.com:80", "https://imds.example.com", "a.example.com;b.example.com"] {
        let application = Application::new(&[("allowed_hosts", hosts), ("instance", "{}")]);
        let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
        assert_eq!(status, 500, "{body}");
        assert!(body.starts_with("imds: the variable `allowed_hosts` has a name that no `Host` can match"), "{body}");
        assert!(!body.contains("example"), "what the operator wrote is not for clients: {body}");
        assert!(application.log().contains(&format!("no `Host` can match the allowed host `{hosts}`")));
    }
    // A description that is wrong as a whole is not taken for that.
    let application = Application::new(&[("allowed_hosts", "imds.example.com"), ("instance", "[]")]);
    let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
    assert_eq!((status, body.starts_with("imds: the variable `instance` is no valid")), (500, true), "{body}");
}

/// Who has no instance gets the component's refusal, whose head is that of others.
#[test]
fn nobodys_refusal_has_the_head_of_a_refusal() {
    let application = Application::new(&[("callers", "header:x-guest")]);
    let request = http::Request::get(format!("http://localhost{INSTANCE_ID}")).body(()).expect("a request");
    let response = application.replica().send(request);
    let names: Vec<&str> = response.headers().keys().map(http::HeaderName::as_str).collect();
    assert_eq!(response.status(), 403);
    assert_eq!(names, ["content-length", "date", "server", "content-type"]);
    assert_eq!(response.headers()["date"], "Wed, 30 Sep 2026 20:26:40 GMT");
}

#[test]
fn replicas_share_a_throttle() {
    for values in [Values::default(), Values::denying_swaps()] {
        let throttled = r#"{"request-throttle": {"burst": 5, "per-second": 1}}"#;
        let mut application = Application::new(&[("instance", throttled)]);
        application.0.values = Some(Arc::new(values));
        let replicas: Vec<Replica> = (0..4).map(|_| application.replica()).collect();
        // The first makes the key, on which the others then count.
        assert_eq!(get(&replicas[0], INSTANCE_ID, &[]).0, 200);
        let answered: usize = std::thread::scope(|scope| {
            let ask = |replica| (0..5).filter(|_| get(replica, INSTANCE_ID, &[]).0 == 200).count();
            let threads: Vec<_> = replicas.iter().map(|replica| scope.spawn(move || ask(replica))).collect();
            threads.into_iter().map(|thread| thread.join().expect("answers")).sum()
        });
        assert_eq!(answered, 4);
        application.wait(1000);
        assert_eq!(get(&replicas[0], INSTANCE_ID, &[]).0, 200);
        assert_eq!(get(&replicas[1], INSTANCE_ID, &[]).0, 503);
    }
}

/// Time goes on while many ask: then nobody may be let in for a time that another
/// has counted already. A look at the clock takes 1 ms here.
#[test]
fn a_throttle_that_many_press_against_lets_in_what_time_regains() {
    let mut application = Application::new(&[("instance", r#"{"request-throttle": {"burst": 5, "per-second": 1}}"#)]);
    application.0.tick_ms = 1;
    let replicas: Vec<Replica> = (0..4).map(|_| application.replica()).collect();
    assert_eq!(get(&replicas[0], INSTANCE_ID, &[]).0, 200);
    let answered: u64 = std::thread::scope(|scope| {
        let ask = |replica| (0..200).filter(|_| get(replica, INSTANCE_ID, &[]).0 == 200).count() as u64;
        let threads: Vec<_> = replicas.iter().map(|replica| scope.spawn(move || ask(replica))).collect();
        threads.into_iter().map(|thread| thread.join().expect("answers")).sum()
    });
    let passed_ms = application.0.clock.load(Ordering::SeqCst) - NOW_MS;
    let most = 4 + passed_ms / 1000;
    assert!((most.saturating_sub(1)..=most).contains(&answered), "{answered} in {passed_ms} ms");
}

/// An adapter has no connection to close: what a description asks for beyond a
/// delay becomes a refusal.
#[test]
fn faults_delay_or_refuse_and_the_log_says_so() {
    let fault = |kind, path| format!(r#"{{"kind": "{kind}", "paths": ["/*/{path}"]}}"#);
    let refusing = ["refuse", "close", "cut", "withhold"];
    let faults = refusing.map(|kind| fault(kind, format!("meta-data/{kind}"))).join(",");
    let delay = r#"{"kind": "delay", "delay": "50ms", "paths": ["/*/meta-data/instance-id"]}"#;
    let entries = refusing.map(|kind| format!(r#""meta-data/{kind}": "found""#)).join(",");
    let instance = format!(r#"{{"faults": [{faults}, {delay}], "extra-entries": {{{entries}}}}}"#);
    for adapter in [&WASI_0_3, &WASI_0_2] {
        let application = Application::new(&[("instance", &instance)]);
        let replica = Replica::start(adapter, application.0.clone());
        let began = Instant::now();
        assert_eq!(get(&replica, INSTANCE_ID, &[]), (200, "i-0123456789abcdef0".to_owned()));
        assert!(began.elapsed() >= Duration::from_millis(50));
        let heads = refusing.map(|kind| {
            let request = http::Request::get(format!("http://localhost/latest/meta-data/{kind}")).body(());
            let response = replica.send(request.expect("a request"));
            assert_eq!((response.status().as_u16(), response.body().as_slice()), (503, &b""[..]), "{kind}");
            response.into_parts().0.headers
        });
        assert!(heads.iter().all(|head| *head == heads[0] && head.contains_key("server")), "{heads:?}");
        let log = application.log();
        for line in [
            "imds: 200: fault: answered after 50ms\n",
            "imds: 503: fault: refused\n",
            "imds: 503: fault: in place of a closed connection\n",
            "imds: 503: fault: in place of a body cut short\n",
            "imds: 503: fault: in place of no answer\n",
        ] {
            assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
        }
        let application = Application::new(&[("instance", r#"{"state": "terminated"}"#)]);
        let replica = Replica::start(adapter, application.0.clone());
        assert_eq!(get(&replica, INSTANCE_ID, &[]), (503, String::new()));
        assert!(application.log().contains("imds: 503: the instance does not run"), "{}", application.log());
    }
}

/// Whatever an engine has to offer, this is all that it must.
#[test]
fn the_adapter_imports_nothing_but_wasi() {
    let imports = WASI_0_3.imports();
    let foreign: Vec<_> = imports.iter().filter(|name| !name.starts_with("wasi:")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    for outside in ["wasi:sockets", "wasi:filesystem", "wasi:http/client", "wasi:http/outgoing-handler"] {
        assert!(!imports.iter().any(|name| name.starts_with(outside)), "{outside}");
    }
}

/// Every variable that the adapter reads can be set, and no other.
#[test]
fn spin_toml_declares_the_variables() {
    let manifest = engine::spin_toml();
    let names = |table: &toml::Value| -> Vec<String> { table.as_table().expect("a table").keys().cloned().collect() };
    let declared = names(&manifest["variables"]);
    assert_eq!(declared, names(&manifest["component"]["imds"]["variables"]));
    let mut read = vec!["allowed_hosts", "callers", "instance", "token_secret"];
    read.extend(imds_spin::variables::OPTIONS.map(|(variable, _)| variable));
    read.sort_unstable();
    assert_eq!(declared, read);
}
