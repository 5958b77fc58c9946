//! Who is let in.

use std::sync::atomic::Ordering;

use super::super::store::Health;
use super::super::{Application, INSTANCE_ID, get};
use super::{AUTHORIZED, Control, JSON, SECRET, controlled};

#[test]
fn without_a_secret_there_is_nothing() {
    for variables in [&[][..], &[("control_secret", "")], &[("control_secret", " \n")]] {
        let control = Control::of(&Application::new(variables));
        for path in ["/", "/v1/instance", "/v1/instances", "/openapi.json"] {
            let answer = control.get(path);
            assert_eq!((answer.status, answer.body.as_str()), (404, ""), "{path}");
        }
    }
}

#[test]
fn a_secret_that_can_be_guessed_is_none() {
    let application = Application::new(&[("control_secret", "fifteen bytes!!")]);
    let answer = Control::of(&application).send("GET", "/", &[("authorization", "Bearer fifteen bytes!!")], "");
    assert_eq!(answer.status, 500);
    assert!(
        answer.body.contains("`control_secret` has fewer than 16 bytes and can be guessed; make one with"),
        "{answer:?}"
    );
    assert!(!answer.body.contains("fifteen") && !application.log_with("control_secret").contains("fifteen"));
}

#[test]
fn every_request_needs_the_secret() {
    let application = controlled(&[]);
    let control = Control::of(&application);
    let wrong = [
        &[][..],
        &[("authorization", "Basic YTpi")],
        &[("authorization", SECRET)],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer a secret of operator")],
        &[("authorization", "Bearer a secret of operators2")],
        &[AUTHORIZED, AUTHORIZED],
    ];
    for fields in wrong {
        let answer = control.send("GET", "/v1/instance", fields, "");
        assert_eq!((answer.status, answer.field("www-authenticate")), (401, "Bearer"), "{fields:?}");
        assert!(!answer.body.contains("instanceId"));
    }
    let twice = control.send("GET", "/v1/instance", &[AUTHORIZED, AUTHORIZED], "");
    assert!(twice.body.contains("Authorization came more than once"), "{twice:?}");
    for secret in ["Bearer a secret of operators", "bearer  a secret of operators "] {
        assert_eq!(control.send("GET", "/v1/instance", &[("authorization", secret)], "").status, 200, "{secret}");
    }
    for path in ["/", "/v1/instances", "/openapi.json", "/nowhere"] {
        assert_eq!(control.send("GET", path, &[], "").status, 401, "{path}");
    }
    let log = application.log_with("control: 401: a wrong secret");
    assert!(!log.contains("a secret of operator"), "{log}");
}

#[test]
fn wrong_secrets_from_one_address_are_bounded_for_all_replicas() {
    for values in super::stores() {
        let mut application = controlled(&[]);
        application.0.values = Some(values);
        let replicas = [Control::of(&application), Control::of(&application)];
        let ask = |replica: &Control, secret: &str, address: &str| {
            let fields =
                [("authorization", secret), ("spin-client-addr", "192.0.2.1:1"), ("spin-client-addr", address)];
            replica.send("GET", "/v1/instance", &fields, "")
        };
        // Of eight at once, none loses each of its tries to count.
        let mut statuses = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let (replica, ask) = (&replicas[number % 2], &ask);
                    scope.spawn(move || ask(replica, &format!("Bearer wrong {number}"), "198.51.100.7:50000").status)
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("an answer")).collect::<Vec<_>>()
        });
        statuses.extend((8..10).map(|_| ask(&replicas[0], "Bearer wrong", "198.51.100.7:50000").status));
        assert_eq!(statuses, [401; 10]);
        for replica in &replicas {
            for secret in ["Bearer wrong again", AUTHORIZED.1] {
                let answer = ask(replica, secret, "198.51.100.7:50001");
                assert_eq!(answer.status, 429, "{secret}");
                assert!((1..=60).contains(&answer.field("retry-after").parse().unwrap_or(0)), "{answer:?}");
            }
            assert_eq!(ask(replica, AUTHORIZED.1, "203.0.113.9:50000").status, 200, "others are let in");
        }
        application.log_with("control: 429: 10 wrong secrets within a minute, from 198.51.100.7");
        application.wait(60_000);
        assert_eq!(ask(&replicas[0], AUTHORIZED.1, "198.51.100.7:50002").status, 200);
        for number in 0..100 {
            ask(&replicas[0], "Bearer wrong", &format!("192.0.2.{number}:50000"));
        }
        let counters = application.store().keys().iter().filter(|key| key.starts_with("control/")).count();
        assert!((2..=16).contains(&counters), "the store does not grow: {counters}");
    }
}

/// Else whoever reaches both could have as many tries as they like.
#[test]
fn a_replica_whose_clock_is_in_the_minute_before_counts_on() {
    let application = controlled(&[]);
    let control = Control::of(&application);
    let ask = |secret| control.send("GET", "/v1/instance", &[("authorization", secret)], "").status;
    application.wait(60_000);
    assert_eq!([(); 10].map(|()| ask("Bearer wrong")), [401; 10]);
    application.0.clock.fetch_sub(60_000, Ordering::SeqCst);
    assert_eq!([ask("Bearer wrong"), ask(AUTHORIZED.1)], [429; 2]);
}

#[test]
fn web_pages_get_nothing() {
    let control = Control::of(&controlled(&[]));
    for field in [("origin", "https://imds.example.com"), ("sec-fetch-site", "same-origin"), ("origin", "null")] {
        for method in ["GET", "PATCH", "OPTIONS"] {
            let answer = control.send(method, "/v1/instance", &[AUTHORIZED, JSON, field], "{}");
            assert_eq!(answer.status, 403, "{method} {field:?}");
            assert!(!answer.fields.keys().any(|name| name.as_str().starts_with("access-control")));
        }
    }
    for kind in [&[][..], &[("content-type", "text/plain")]] {
        let answer = control.send("PATCH", "/v1/instance", &[&[AUTHORIZED], kind].concat(), "{}");
        assert_eq!(answer.status, 415, "{kind:?}");
    }
}

#[test]
fn a_store_that_is_out_lets_nobody_in_and_says_so() {
    let application = controlled(&[]);
    let control = Control::of(&application);
    application.store().turn(Health::Fails);
    let answer = control.get("/v1/instance");
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains("10.9.8.7"), "{answer:?}");
    application.log_with("control: the key-value store failed: 10.9.8.7");
    // Calls that never return.
    application.store().turn(Health::Hangs);
    assert_eq!(control.get("/v1/instance").status, 503);
    application.store().turn(Health::Works);
    assert_eq!(control.get("/v1/instance").status, 200);
    let without = controlled(&[]).without_store();
    assert_eq!(Control::of(&without).get("/v1/instance").status, 500);
    application.0.variables_fail.set(true);
    assert_eq!(control.get("/v1/instance").status, 503);
}

#[test]
fn the_component_has_its_paths_below_the_route_that_spin_tells() {
    let application = controlled(&[]);
    let control = Control::of(&application);
    let below = |path: &str, routes: &[&str]| {
        let routes: Vec<_> = routes.iter().map(|route| ("spin-component-route", *route)).collect();
        control.send("GET", path, &[&[AUTHORIZED], &routes[..]].concat(), "").status
    };
    assert_eq!(below("/imds-control/v1/instance", &["/imds-control"]), 200);
    assert_eq!(below("/imds-control", &["/imds-control"]), 200);
    assert_eq!(below("/ops/imds/v1/instances?limit=1", &["/v1", "/ops/imds"]), 200);
    assert_eq!(below("/imds-control/v1/instance", &[]), 404);
    // The adapter is no way to the control, nor the control to the adapter.
    assert_eq!(get(&application.replica(), "/v1/instance", &[AUTHORIZED]).0, 404);
    assert_eq!(below(INSTANCE_ID, &[]), 404);
}
