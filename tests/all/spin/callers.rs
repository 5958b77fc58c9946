//! Which caller has which instance, and how their keys are spelled: one way, which
//! the runner tells.

use imds_host::{CallerKey, Description, Fleet, Moment, Request, Secret, Settings};

use super::{Application, INSTANCE_ID, NOW_MS, get, token};
use crate::ways::RUNTIME;

/// So that who fills a store for the adapter can ask the runner for the key.
#[test]
fn a_caller_is_found_under_the_key_as_the_runner_spells_it() {
    for (callers, written, field) in [
        ("client-address", "::ffff:10.0.0.7", ("spin-client-addr", "[::ffff:10.0.0.7]:5123")),
        ("client-address", "FD00:0::7", ("spin-client-addr", "[fd00::0:7]:1")),
        ("header:X-Guest", "vm-7", ("x-guest", "vm-7")),
        ("host", "VM-7.internal.", ("host", "vm-7.Internal.:80")),
    ] {
        let application = Application::new(&[("callers", callers)]);
        let by: CallerKey = callers.parse().unwrap_or_else(|wrong| panic!("{callers}: {wrong}"));
        let key = by.canonical(written).unwrap_or_else(|error| panic!("{error}"));
        let over_ipv6 = r#"{"metadata-options": {"http-protocol-ipv6": "enabled"}}"#;
        application.store().set(&format!("instances/{key}"), over_ipv6);
        assert_eq!(get(&application.replica(), INSTANCE_ID, &[field]).0, 200, "{callers}: {key}");
    }
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
    application.log_with("imds: 403: the key-value store has no key `instances/../token-secret`");
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
