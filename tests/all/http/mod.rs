//! The files for engines of `wasi:http` that have nothing of Spin's, in wasmtime's own
//! HTTP host.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::case::{self, Case, Step};
use crate::play::play;
use crate::shell::workspace;
use crate::spin::engine::{Adapter, Options, Replica, built_by};
use crate::spin::{Application, Spin, ask, signed_json};

const INSTANCE_ID: &str = "/latest/meta-data/instance-id";
const TTL: [(&str, &str); 1] = [("x-aws-ec2-metadata-token-ttl-seconds", "60")];

/// The cases that an instance of the component for each request cannot hold, since
/// nothing counts the requests.
pub const NOT_COUNTED: [&str; 7] = [
    "order-host-before-faults-and-throttle",
    "order-throttle-before-endpoint-and-behind-faults",
    "scenario-flaky-service",
    "state-stopped-uses-nothing-of-the-throttle",
    "throttle-answers-503-above-the-burst",
    "throttle-counts-refusals",
    "throttle-without-numbers-is-that-of-ec2",
];

/// The file of the proxy world, as docs/http.md builds it.
static PROXY: LazyLock<Adapter> =
    LazyLock::new(|| built_by("components/http/build.sh", "target/imds-http/imds-http-proxy.wasm"));

/// The file that reads the environment.
pub static ENVIRONMENT: LazyLock<Adapter> =
    LazyLock::new(|| built_by("components/http/build.sh", "target/imds-http/imds-http.wasm"));

/// The file of the proxy world with a secret, and the default instance with signatures.
static BAKED: LazyLock<Adapter> = LazyLock::new(|| {
    let build = "components/http/build.sh target/imds-http-baked";
    let command =
        format!("IMDS_HTTP_INSTANCE='{}' IMDS_HTTP_TOKEN_SECRET='a secret of the build' {build}", signed_json(""));
    built_by(&command, "target/imds-http-baked/imds-http-proxy.wasm")
});

/// The imports without their versions.
fn imports(adapter: &Adapter) -> BTreeSet<String> {
    adapter.imports().iter().map(|name| name.split('@').next().unwrap_or_default().to_owned()).collect()
}

fn start(adapter: &'static Adapter) -> Replica {
    Replica::start(adapter, Options::default())
}

/// Status and body where the token that `from` issues is shown to `to`.
fn carried(from: &Replica, to: &Replica, path: &str) -> (u16, String) {
    let (status, token) = ask(from, "PUT", "/latest/api/token", &TTL);
    assert_eq!(status, 200, "{token}");
    ask(to, "GET", path, &[("x-aws-ec2-metadata-token", &token)])
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
    assert_eq!(imports(&PROXY), expected);
    expected.insert("wasi:cli/environment".to_owned());
    assert_eq!(imports(&ENVIRONMENT), expected);
}

#[test]
fn tokens_outlive_the_instance_that_made_them() {
    for replica in [start(&PROXY), start(&ENVIRONMENT)] {
        assert_eq!(carried(&replica, &replica, INSTANCE_ID), (200, "i-0123456789abcdef0".to_owned()));
    }
}

#[test]
fn the_environment_says_what_the_instance_is() {
    let application = Application::new(&[
        ("instance", r#"{"instance-type": "m7g.large"}"#),
        ("token_secret", "sixteen bytes or more"),
        ("http_tokens", "required"),
        ("allowed_hosts", "metadata.example.com"),
    ]);
    let replica = Replica::start(&ENVIRONMENT, application.0);
    assert_eq!(ask(&replica, "GET", INSTANCE_ID, &[]).0, 401);
    assert_eq!(carried(&replica, &replica, "/latest/meta-data/instance-type"), (200, "m7g.large".to_owned()));
    let asked_for = |host| ask(&replica, "PUT", "/latest/api/token", &[TTL[0], ("host", host)]).0;
    assert_eq!(["metadata.example.com", "other.example.com"].map(asked_for), [200, 403]);
    let other = Application::new(&[("token_secret", "another secret of this length"), ("http_tokens", "required")]);
    assert_eq!(carried(&replica, &Replica::start(&ENVIRONMENT, other.0), INSTANCE_ID).0, 401);
}

#[test]
fn what_is_wrong_is_named_in_a_500_and_the_log_has_the_rest() {
    for (variable, client, logged) in [
        (("http_tokens", "hunter2"), "is not a valid description; the log says what is wrong", "`http_tokens`"),
        (("instance", r#"{"state": "hunter2"}"#), "the variable `instance` is not a valid", "/state: "),
        (("callers", "host"), "the variable `callers` is for Spin's own adapter", "the variable `callers`"),
        (("trusted_proxies", "10.0.0.1"), "`trusted_proxies` is for Spin's own", "the variable `trusted_proxies`"),
        (("token_secret", "hunter2"), "the variable `token_secret` cannot be used", "the variable `token_secret`"),
    ] {
        let application = Application::new(&[variable]);
        let replica = Replica::start(&ENVIRONMENT, application.0.clone());
        let (status, body) = ask(&replica, "GET", INSTANCE_ID, &[]);
        assert_eq!((status, body.contains(client), body.contains("hunter2")), (500, true, false), "{body}");
        application.log_with(logged);
    }
}

/// The file of the proxy world takes its description from the build. So it plays the
/// cases of the instance that was built into it, and no edit.
#[test]
fn what_is_built_in_is_served_as_every_case_says() {
    let is_default =
        |case: &Case| case.description.is_empty() && !case.steps.iter().any(|step| matches!(step, Step::Describe(_)));
    let cases: Vec<Case> = case::all().into_iter().filter(is_default).collect();
    assert!(cases.len() > 80, "{} cases", cases.len());
    let played = cases.iter().map(|case| play(case, &mut Spin::of(&BAKED, Options::default())));
    let wrong: Vec<String> = played.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {} cases went wrong:\n\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let (baked, plain) = (start(&BAKED), start(&PROXY));
    let signature = "/latest/dynamic/instance-identity/pkcs7";
    assert_eq!([carried(&baked, &baked, signature).0, carried(&plain, &plain, signature).0], [200, 404]);
    assert_eq!(carried(&plain, &baked, INSTANCE_ID).0, 401, "a secret was built in");
}

/// An engine that gives an instance of the component many requests lets it count them.
#[test]
fn an_instance_that_serves_on_counts_its_requests() {
    for name in NOT_COUNTED {
        let case = Case::named(name);
        let environment = vec![("instance".to_owned(), signed_json(&case.description))];
        let options = Options { environment, reuse: 10_000, reuses_wasi_0_2: true, ..Options::default() };
        if let Err(why) = play(&case, &mut Spin::of(&ENVIRONMENT, options)) {
            panic!("{why}");
        }
    }
}

#[test]
fn the_page_names_the_cases_that_do_not_hold() {
    let page = std::fs::read_to_string(workspace().join("docs/http.md")).expect("docs/http.md can be read");
    let is_case = |name: &&str| case::tests_directory().join(format!("cases/{name}.http")).is_file();
    let named: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(is_case).collect();
    assert_eq!(named, BTreeSet::from(NOT_COUNTED));
}
