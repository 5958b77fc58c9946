//! What the log tells of requests, and what it does not.

use super::engine::{Replica, WASI_0_2};
use super::{Application, INSTANCE_ID, ask, get, token};

const SEVEN: (&str, &str) = ("spin-client-addr", "10.0.0.7:5123");

#[test]
fn refusals_are_told_with_their_reason_and_nothing_of_the_request() {
    let application = Application::new(&[("http_tokens", "required")]);
    let replica = application.replica();
    let path = "/latest/user-data?password=hunter2";
    assert_eq!(get(&replica, path, &[SEVEN]).0, 401);
    assert_eq!(get(&replica, path, &[SEVEN, ("x-aws-ec2-metadata-token", "hunter2")]).0, 401);
    assert_eq!(get(&replica, path, &[SEVEN, ("host", "hunter2.example.com")]).0, 403);
    let log = application.log_with("allowed_hosts");
    for line in [
        "imds: 401 from 10.0.0.7: no token, and http-tokens is \"required\"\n",
        "imds: 401 from 10.0.0.7: the token was not issued by this instance under this secret\n",
        "; if the name in Host is yours, put it into the variable `allowed_hosts`\n",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn a_crowd_of_refusals_is_counted() {
    let application = Application::new(&[("http_tokens", "required")]);
    let replica = application.replica();
    for _ in 0..25 {
        assert_eq!(get(&replica, INSTANCE_ID, &[]).0, 401);
    }
    application.wait(1000);
    assert_eq!(get(&replica, INSTANCE_ID, &[]).0, 401);
    let log = application.log_with("imds: 5 more lines left out of the log, which takes 20 a second\n");
    assert_eq!(log.matches("imds: 401: no token").count(), 21, "{log}");
}

/// A misspelt variable is seen by its absence.
#[test]
fn the_variables_in_force_are_told_once_and_without_secrets() {
    let variables = [("token_secret", "0123456789abcdef"), ("instance", "{}"), ("allowed_hosts", "a.example.com")];
    let application = Application::new(&variables);
    let replica = application.replica();
    for _ in 0..3 {
        token(&replica, &[]);
        application.wait(1000);
    }
    let told = "imds: variables in force: callers = one, instance is given, token_secret is given, \
                allowed_hosts = a.example.com\n";
    assert_eq!(application.log_with(told), told);
}

#[test]
fn the_use_of_version_1_is_told_once() {
    let application = Application::new(&[]);
    let replica = application.replica();
    token(&replica, &[]);
    assert!(!application.log().contains("version 1"));
    for _ in 0..3 {
        assert_eq!(get(&replica, INSTANCE_ID, &[SEVEN]).0, 200);
    }
    let log = application.log_with("imds: version 1 is in use: a request without a token from 10.0.0.7; ");
    assert_eq!(log.matches("version 1").count(), 1, "{log}");
}

/// Where each request has an instance of its own, once would be for each request.
#[test]
fn the_face_for_wasi_0_2_does_not_tell_of_version_1() {
    let application = Application::new(&[("http_tokens", "optional")]);
    let replica = Replica::start(&WASI_0_2, application.0.clone());
    assert_eq!(get(&replica, INSTANCE_ID, &[SEVEN]).0, 200);
    let other = [SEVEN, ("host", "hunter2.example.com")];
    assert_eq!(get(&replica, INSTANCE_ID, &other).0, 403);
    let log = application.log_with("imds: 403 from 10.0.0.7");
    assert!(!log.contains("version 1") && !log.contains("in force"), "{log}");
}

#[test]
fn one_instance_for_callers_from_the_internet_is_warned_of() {
    let application = Application::new(&[]);
    let replica = application.replica();
    assert_eq!(get(&replica, INSTANCE_ID, &[SEVEN]).0, 200);
    assert!(!application.log().contains("warning"));
    for _ in 0..2 {
        assert_eq!(get(&replica, INSTANCE_ID, &[("spin-client-addr", "203.0.113.7:5123")]).0, 200);
    }
    let log = application.log_with("imds: warning: a request from 203.0.113.7, and by `callers` = `one`");
    assert_eq!(log.matches("warning").count(), 1, "{log}");
}

/// As on EC2, unless the operator says whose the field is.
#[test]
fn a_proxy_that_adds_x_forwarded_for_is_trusted_by_its_address() {
    let forwarded = ("x-forwarded-for", "203.0.113.7");
    let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
    let application = Application::new(&[]);
    assert_eq!(ask(&application.replica(), "PUT", "/latest/api/token", &[SEVEN, forwarded, ttl]).0, 403);
    application.log_with(
        "imds: 403 from 10.0.0.7: X-Forwarded-For on a request for a token or with one; if a proxy of yours adds it, \
         put the proxy's address into `trusted_proxies`\n",
    );

    let application = Application::new(&[("trusted_proxies", "192.0.2.1, 10.0.0.0/29")]);
    let replica = application.replica();
    let token = token(&replica, &[SEVEN, forwarded]);
    let field = ("x-aws-ec2-metadata-token", token.as_str());
    assert_eq!(get(&replica, INSTANCE_ID, &[SEVEN, forwarded, field]).0, 200);
    // Whoever claims to be the proxy is not.
    let claimed = [SEVEN, ("spin-client-addr", "10.0.0.8:1"), forwarded, field];
    assert_eq!(get(&replica, INSTANCE_ID, &claimed).0, 403);
}
