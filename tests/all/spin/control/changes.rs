//! Changes: what they do, and that none is lost.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::{INSTANCE_ID, NOW_MS, get};
use super::{AUTHORIZED, Control, JSON, controlled, controlled_many, stores};

#[test]
fn the_adapter_serves_what_was_put_and_what_was_edited() {
    let application = controlled_many();
    let (control, adapter) = (Control::of(&application), application.replica());
    let served = |path: &str| get(&adapter, path, &[("x-guest", "[vm]/7")]);
    assert_eq!(served(INSTANCE_ID).0, 403);
    let put = control.ask("PUT", "/v1/instances/%5Bvm%5D%2F7", r#"{"instance-type": "m7g.large"}"#);
    assert_eq!(put.status, 201, "{put:?}");
    application.wait(1000);
    assert_eq!(served("/latest/meta-data/instance-type"), (200, "m7g.large".to_owned()));
    let edited = control.ask("PATCH", "/v1/instances/%5Bvm%5D%2F7", r#"{"tags": {"Name": "web-1"}}"#);
    assert_eq!(edited.field("etag"), format!("\"{}\"", edited.revision()));
    assert_ne!(edited.revision(), put.revision());
    let shown = control.get("/v1/instances/%5Bvm%5D%2F7").json();
    assert_eq!(shown["description"]["tags"]["Name"], "web-1");
    // The id that follows from the key is the one that is served.
    application.wait(1000);
    assert_eq!(served(INSTANCE_ID), (200, shown["identity"]["instanceId"].as_str().expect("an id").to_owned()));
    let removed = control.ask("DELETE", "/v1/instances/%5Bvm%5D%2F7", "");
    assert_eq!((removed.status, &removed.json()["removed"]), (200, &json!("[vm]/7")));
    application.wait(1000);
    assert_eq!(served(INSTANCE_ID).0, 403);
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(control.ask(method, "/v1/instances/%5Bvm%5D%2F7", "{}").status, 404, "{method}");
    }
    let log = application.log_with("`instances/[vm]/7`: removed");
    for line in ["PUT `instances/[vm]/7`: added", "PATCH `instances/[vm]/7`: changed", "`instances/[vm]/7`: removed"] {
        assert!(log.contains(line), "{line}: {log}");
    }
    assert!(!log.contains("web-1") && !log.contains("m7g"), "{log}");
}

#[test]
fn an_instance_does_what_operators_do_to_it() {
    let application = controlled(&[]);
    let (control, adapter) = (Control::of(&application), application.replica());
    let operate = |operation: Value| {
        control.ask("PATCH", "/v1/instance", &json!({ "operation": operation }).to_string()).revision()
    };
    let shown = || control.get("/v1/instance").json();
    let first = shown();
    assert_eq!((&first["state"], &first["instance-lifecycle"]), (&json!("running"), &json!("on-demand")));
    let revision = operate(json!({ "interrupt": { "action": "stop" } }));
    let interrupted = shown();
    assert_eq!(interrupted["instance-lifecycle"], "spot");
    assert_eq!(interrupted["revision"], revision);
    assert_eq!(interrupted["timeline"]["to-come"][0]["at"], "2026-09-30T20:28:40.000Z", "{interrupted}");
    application.wait(1000);
    let action = get(&adapter, "/latest/meta-data/spot/instance-action", &[]);
    assert_eq!(action.0, 200, "{action:?}");
    application.wait(120_000);
    assert_eq!(shown()["state"], "stopped");
    operate(json!("start"));
    assert_eq!(shown()["state"], "running");
    operate(json!("rebalance"));
    // What is so already keeps the revision.
    let before = shown()["revision"].as_u64();
    assert_eq!(Some(operate(json!("start"))), before);
    operate(json!("terminate"));
    let refused = control.ask("PATCH", "/v1/instance", r#"{"operation": "start"}"#);
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["problems"][0]["field"], "/operation", "{refused:?}");
    assert_eq!(shown()["state"], "terminated");
}

#[test]
fn a_wrong_change_changes_nothing_and_says_where() {
    let application = controlled_many();
    let control = Control::of(&application);
    control.ask("PUT", "/v1/instances/a", "{}").revision();
    for (method, body, field) in [
        ("PATCH", r#"{"metadata-options": {"http-tokens": "optoinal"}}"#, "/metadata-options/http-tokens"),
        ("PATCH", r#"{"user-data": "echo"}"#, "/user-data"),
        ("PUT", r#"{"state": "gone"}"#, "/state"),
        ("PUT", "oops", ""),
    ] {
        let answer = control.ask(method, "/v1/instances/a", body);
        assert_eq!((answer.status, &answer.json()["problems"][0]["field"]), (422, &json!(field)), "{answer:?}");
    }
    assert_eq!(application.store().get("instances/a").as_deref(), Some(&b"{}"[..]));
    let hidden = control.ask("PATCH", "/v1/instances/a", r#"{"user-data": "(hidden)"}"#);
    assert_eq!(hidden.status, 400, "{hidden:?}");
}

#[test]
fn of_two_edits_of_one_revision_one_wins() {
    for values in stores() {
        let mut application = controlled_many();
        application.0.values = Some(values);
        let replicas = [Control::of(&application), Control::of(&application)];
        let put = replicas[0].ask("PUT", "/v1/instances/a", "{}").revision();
        let answers = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|number| {
                    let replica = &replicas[number % 2];
                    let change = json!({ "tags": { (format!("n{number}")): "x" } }).to_string();
                    scope.spawn(move || replica.ask_of(put, "PATCH", "/v1/instances/a", &change))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("an answer")).collect::<Vec<_>>()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 3), "{answers:?}");
        for answer in lost {
            assert_eq!((answer.status, answer.json()["revision"].as_u64()), (412, Some(won[0].revision())));
        }
        let stored = replicas[0].get("/v1/instances/a").json();
        assert_eq!(stored["description"]["tags"].as_object().map(|tags| tags.len()), Some(1));
        assert_eq!(replicas[0].ask_of(put, "DELETE", "/v1/instances/a", "").status, 412);
        assert_eq!(replicas[0].ask_of(put, "PUT", "/v1/instances/a", "{}").status, 412);
        assert_eq!(replicas[1].ask_of(won[0].revision(), "DELETE", "/v1/instances/a", "").status, 200);
    }
}

/// The first of them makes the key, where Spin's own store has no compare and swap.
#[test]
fn no_edit_is_lost_though_many_come_at_once_and_nothing_was_there() {
    for values in stores() {
        let mut application = controlled(&[]);
        application.0.values = Some(values);
        let replicas = [Control::of(&application), Control::of(&application), Control::of(&application)];
        std::thread::scope(|scope| {
            for number in 0..12 {
                let replica = &replicas[number % 3];
                let change = json!({ "tags": { (format!("n{number}")): "x" } }).to_string();
                scope.spawn(move || replica.ask("PATCH", "/v1/instance", &change).revision());
            }
        });
        let shown = replicas[0].get("/v1/instance").json();
        assert_eq!(shown["description"]["tags"].as_object().map(|tags| tags.len()), Some(12), "{shown}");
        assert!(!application.store().keys().iter().any(|key| key.starts_with("control/lease/")));
    }
}

#[test]
fn of_many_that_put_what_is_not_there_one_wins() {
    for values in stores() {
        let mut application = controlled_many();
        application.0.values = Some(values);
        let replicas = [Control::of(&application), Control::of(&application)];
        let statuses = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|number| {
                    let replica = &replicas[number % 2];
                    let fields = [AUTHORIZED, JSON, ("if-none-match", "*")];
                    scope.spawn(move || replica.send("PUT", "/v1/instances/a", &fields, "{}").status)
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("an answer")).collect::<Vec<_>>()
        });
        let number = |status| statuses.iter().filter(|other| **other == status).count();
        assert_eq!((number(201), number(412)), (1, 5), "{statuses:?}");
    }
}

#[test]
fn a_change_that_may_have_been_made_is_told_as_such() {
    let application = controlled_many();
    let (control, store) = (Control::of(&application), application.store());
    for (method, body) in [("PUT", "{}"), ("PATCH", r#"{"tags": {"a": "b"}}"#), ("DELETE", "")] {
        store.set("instances/a", r#"{"state": "stopped"}"#);
        store.doubt(Some("instances/"));
        let answer = control.ask(method, "/v1/instances/a", body);
        store.doubt(None);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.body.contains("may have been made; look at the instance first"), "{answer:?}");
        let line = format!("control: {method} `instances/a`: may have been changed: the key-value store failed");
        application.log_with(&line);
    }
    // Of an instance that is gone the throttle's state is no matter.
    store.set("instances/a", "{}");
    store.doubt(Some("throttle/"));
    assert_eq!(control.ask("DELETE", "/v1/instances/a", "").status, 200);
    application.log_with("control: DELETE `instances/a`: removed");
    application.log_with("the throttle's state of `instances/a` remains");
}

#[test]
fn the_default_instance_is_none_that_is_there_already() {
    let application = controlled(&[]);
    let control = Control::of(&application);
    let put = || control.send("PUT", "/v1/instance", &[AUTHORIZED, JSON, ("if-none-match", "*")], "{}").status;
    assert_eq!([put(), put()], [200, 412]);
}

#[test]
fn a_lease_that_nobody_released_ends_with_its_time() {
    let application = controlled_many();
    let control = Control::of(&application);
    control.ask("PUT", "/v1/instances/a", "{}").revision();
    // As an engine leaves it that stopped in the middle.
    let digest: String = Sha256::digest("instances/a").iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    application.store().set(&format!("control/lease/{digest}/{}", NOW_MS / 10_000), "1");
    let answer = control.ask("PATCH", "/v1/instances/a", r#"{"tags": {"a": "b"}}"#);
    assert_eq!((answer.status, answer.field("retry-after")), (503, "5"), "{answer:?}");
    application.wait(10_000);
    control.ask("PATCH", "/v1/instances/a", r#"{"tags": {"a": "b"}}"#).revision();
}

#[test]
fn what_a_variable_describes_is_changed_there() {
    let application = controlled(&[("instance", r#"{"instance-type": "m7g.large"}"#)]);
    let control = Control::of(&application);
    assert_eq!(control.get("/v1/instance").json()["identity"]["instanceType"], "m7g.large");
    for method in ["PATCH", "PUT"] {
        let answer = control.ask(method, "/v1/instance", "{}");
        assert_eq!(answer.status, 409);
        assert!(answer.body.contains("the variable `instance`"), "{answer:?}");
    }
}
