//! A store that hangs, fails and comes back.

use std::time::{Duration, Instant};

use super::engine::{Replica, WASI_0_2};
use super::store::{Health, REFUSED};
use super::{Application, INSTANCE_ID, get};

const TYPE: &str = "/latest/meta-data/instance-type";
const LARGE: &str = r#"{"instance-type": "m7g.large"}"#;

/// Longer than any test waits where calls are bounded, and shorter than those that
/// are not.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn what_is_known_is_served_while_the_store_is_out() {
    for (health, words) in [
        (Health::Hangs, "imds: the key-value store does not answer within a second; goes on"),
        (Health::Fails, REFUSED),
    ] {
        let application = Application::new(&[]);
        let replica = application.replica();
        assert_eq!(get(&replica, TYPE, &[]), (200, "t3.micro".to_owned()));
        application.store().turn(health);
        for _ in 0..5 {
            application.wait(1000);
            let began = Instant::now();
            assert_eq!(get(&replica, TYPE, &[]), (200, "t3.micro".to_owned()), "{health:?}");
            assert!(began.elapsed() < SOON, "{health:?}");
        }
        let log = application.log_with(words);
        assert_eq!(log.matches("goes on with what is known").count(), 1, "{log}");

        application.store().turn(Health::Works);
        application.store().set("instance", LARGE);
        let began = Instant::now();
        while get(&replica, TYPE, &[]).1 != "m7g.large" {
            assert!(began.elapsed() < SOON, "{health:?}: {}", application.log());
            application.wait(500);
        }
        application.log_with("imds: the key-value store answers again\n");
    }
}

/// Who asks seldom does not get what was true before the last outage.
#[test]
fn long_after_an_outage_the_first_answer_is_up_to_date() {
    let application = Application::new(&[]);
    let replica = application.replica();
    assert_eq!(get(&replica, TYPE, &[]).1, "t3.micro");
    application.store().turn(Health::Fails);
    application.wait(1000);
    assert_eq!(get(&replica, TYPE, &[]).1, "t3.micro");
    application.store().turn(Health::Works);
    application.store().set("instance", LARGE);
    application.wait(31_000);
    assert_eq!(get(&replica, TYPE, &[]).1, "m7g.large");
}

/// What counts requests cannot be given up once it has begun.
#[test]
fn a_guest_with_a_throttle_holds_up_nobody_while_the_store_is_out() {
    let application = Application::new(&[("callers", "header:x-guest"), ("token_secret", "0123456789abcdef")]);
    application.store().set("instances/a", "{}");
    application.store().set("instances/throttled", r#"{"request-throttle": {"burst": 100}}"#);
    let replica = application.replica();
    let ask = |guest| get(&replica, INSTANCE_ID, &[("x-guest", guest)]).0;
    assert_eq!([ask("a"), ask("throttled")], [200; 2]);
    application.store().turn(Health::Hangs);
    let began = Instant::now();
    assert_eq!([ask("throttled"), ask("a")], [503, 200]);
    assert!(began.elapsed() < SOON);
}

/// The second one that asks does not wait for what the first has waited for.
#[test]
fn where_nothing_is_known_a_store_that_is_out_costs_a_second_and_a_503() {
    let application = Application::new(&[("callers", "header:x-guest"), ("token_secret", "0123456789abcdef")]);
    application.store().turn(Health::Hangs);
    let replica = application.replica();
    let silent = (503, "imds: the key-value store does not answer within a second\n".to_owned());
    let began = Instant::now();
    assert_eq!(get(&replica, INSTANCE_ID, &[("x-guest", "a")]), silent);
    assert!(began.elapsed() < SOON);
    let asked = application.store().asked();
    for guest in ["a", "b", "c", "d"] {
        assert_eq!(get(&replica, INSTANCE_ID, &[("x-guest", guest)]), silent);
    }
    assert_eq!(application.store().asked(), asked, "a store that is silent is left alone for a second");

    application.store().turn(Health::Works);
    application.store().set("instances/a", "{}");
    application.wait(1000);
    assert_eq!(get(&replica, INSTANCE_ID, &[("x-guest", "a")]).0, 200);
}

#[test]
fn variables_that_cannot_be_read_are_an_outage_for_wasi_0_2_too() {
    let application = Application::new(&[]);
    application.0.variables_fail.set(true);
    let (status, body) = get(&Replica::start(&WASI_0_2, application.0.clone()), INSTANCE_ID, &[]);
    assert_eq!((status, body.as_str()), (503, "imds: the variable `callers` cannot be read\n"));
    application.log_with("cannot be read: the vault at 10.9.8.7 is sealed");
}

#[test]
fn why_a_store_failed_is_for_the_log_alone() {
    let application = Application::new(&[]);
    application.store().turn(Health::Fails);
    let failed = (503, "imds: the key-value store failed; the log says how\n".to_owned());
    assert_eq!(get(&application.replica(), INSTANCE_ID, &[]), failed);
    application.log_with(&format!("imds: 503: the key-value store failed: {REFUSED}\n"));
    assert_eq!(get(&Replica::start(&WASI_0_2, application.0.clone()), INSTANCE_ID, &[]), failed);
}

#[test]
fn an_edit_that_came_while_many_asked_is_read_behind_an_answer() {
    let application = Application::new(&[]);
    let replica = application.replica();
    assert_eq!(get(&replica, TYPE, &[]).1, "t3.micro");
    application.store().set("instance", LARGE);
    application.wait(600);
    assert_eq!(get(&replica, TYPE, &[]).1, "t3.micro", "no request waits for the store");
    // The clock stands still from here on.
    let began = Instant::now();
    while get(&replica, TYPE, &[]).1 != "m7g.large" {
        assert!(began.elapsed() < Duration::from_secs(10), "the new description is there though nobody waited for it");
    }
}

#[test]
fn the_store_is_opened_once_for_all_that_an_instance_reads() {
    let application = Application::new(&[("callers", "header:x-guest")]);
    let replica = application.replica();
    for guest in ["a", "b", "c", "d", "e"] {
        application.store().set(&format!("instances/{guest}"), "{}");
        assert_eq!(get(&replica, INSTANCE_ID, &[("x-guest", guest)]).0, 200);
        application.wait(1000);
    }
    // Once to read, and once by WASI's interface, which counts who makes the secret.
    assert_eq!(application.store().opened(), 2);
}

/// The vault that has them, for instance.
#[test]
fn variables_that_cannot_be_read_again_go_on() {
    let application = Application::new(&[("http_tokens", "required")]);
    let replica = application.replica();
    assert_eq!(get(&replica, INSTANCE_ID, &[]).0, 401);
    application.0.variables_fail.set(true);
    for _ in 0..3 {
        application.wait(1000);
        assert_eq!(get(&replica, INSTANCE_ID, &[]).0, 401);
    }
    let log = application.log_with("goes on with the values from before");
    assert_eq!(log.matches("goes on with the values from before").count(), 1, "{log}");
    application.0.variables_fail.set(false);
    // A read behind the last answer may end after this: the next one is due half a second later.
    let began = Instant::now();
    while !application.log().contains("imds: the variables can be read again\n") {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", application.log());
        application.wait(1000);
        get(&replica, INSTANCE_ID, &[]);
    }
}
