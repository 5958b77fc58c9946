//! What is shown of an instance: as much as natively, and no secret.

use std::time::{Duration, UNIX_EPOCH};

use imds_host::{Control as Native, Description, Runtime, Settings, VirtualClock};
use serde_json::{Value, json};

use super::super::{INSTANCE_ID, NOW_MS, get};
use super::{Control, controlled, controlled_many};

const SECRETS: &str = r#"{
    "user-data": "hunter2",
    "tags": {"db_password": "hunter2", "DB_PWD": "hunter2", "ssh-key": "hunter2", "Author": "me", "Name": "web"},
    "iam-instance-profile": {"credentials": {
        "access-key-id": "AKIAhunter2hunter2", "secret-access-key": "hunter2", "session-token": "hunter2",
        "expiration": "2030-10-01T00:00:00Z"
    }},
    "extra-entries": {"meta-data/x": "hunter2"},
    "managed-ssh-keys": {"signer-cert": "-----BEGIN EC PRIVATE KEY-----hunter2"},
    "timeline": [{"at": "2030-01-01T00:00:00Z", "tags": {"authHeader": "hunter2"}}],
    "faults": [{"kind": "refuse", "share": 0.5}]
}"#;

#[test]
fn no_secret_is_in_any_answer_and_the_rest_is_as_natively() {
    let application = controlled(&[]);
    let control = Control::of(&application);
    let put = control.ask("PUT", "/v1/instance", SECRETS);
    assert_eq!(put.status, 200, "{put:?}");
    let shown = control.get("/v1/instance");
    let answers = [
        put,
        control.ask("PATCH", "/v1/instance", r#"{"state": "stopped", "tags": {"sessionToken": "hunter2"}}"#),
        control.ask("PATCH", "/v1/instance", r#"{"iam-instance-profile": {"credentials": {"session-token": 7}}}"#),
        control.ask("PATCH", "/v1/instance", r#"{"usr-data": "hunter2"}"#),
        control.ask("PUT", "/v1/instance", r#"{"user-data": "hunter2" oops}"#),
        control.ask("PUT", "/v1/instance", &SECRETS.replace("2030-10-01T00:00:00Z", "hunter2")),
        control.get("/v1/instance"),
        control.get("/v1/instances"),
    ];
    for answer in answers.iter().chain([&shown]) {
        assert!(!answer.body.contains("hunter2"), "{}", answer.body);
    }
    assert!(!application.log().contains("hunter2"));

    let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_millis(NOW_MS));
    let description = Description::from_json("test", SECRETS).expect("it is valid");
    let native = Native::open_with(&Runtime::new().expect("it starts"), &description, &Settings::default(), clock);
    let native = native.expect("it opens").snapshot().expect("it is shown");
    let shown = shown.json();
    let mut expected: Value = serde_json::from_str(&native.description.to_json_without_secrets()).expect("JSON");
    // Natively relative times count from the start of the program.
    expected.as_object_mut().expect("an object").remove("timeline-start");
    assert_eq!(shown["description"], expected);
    assert_eq!(shown["description"]["tags"]["DB_PWD"], "(hidden)");
    assert_eq!(shown["identity"], serde_json::from_str::<Value>(&native.identity_document).expect("JSON"));
    assert_eq!((&shown["state"], &shown["instance-lifecycle"]), (&json!(native.state), &json!(native.lifecycle)));
    assert_eq!(shown["metadata-options"]["http-tokens"], native.metadata_options.http_tokens);
    let told = ["past", "to-come"].map(|part| shown["timeline"][part].as_array().map_or(0, Vec::len));
    assert_eq!(told.iter().sum::<usize>(), native.timeline.len());
    assert_eq!(shown["faults"], json!([{ "kind": "refuse", "share": 0.5 }]));
    assert_eq!(shown["clock"]["now"], "2026-09-30T20:26:40.000Z");
}

#[test]
fn options_are_shown_as_they_are_served() {
    let control = Control::of(&controlled(&[("http_tokens", "required")]));
    let options = |control: &Control| control.get("/v1/instance").json()["metadata-options"].clone();
    assert_eq!(options(&control)["http-tokens"], "required");
    let answer = control.ask("PATCH", "/v1/instance", r#"{"metadata-options": {"http-tokens": "optional"}}"#);
    let warning = &answer.json()["warnings"][0];
    assert_eq!((&warning["name"], answer.status), (&json!("set-by-variable"), 200), "{answer:?}");
    let again = control.ask("PATCH", "/v1/instance", r#"{"tags": {"a": "b"}}"#);
    assert!(!again.body.contains("set-by-variable"), "only the change that brings it tells of it: {again:?}");
    assert_eq!(options(&control)["http-tokens"], "required");
}

#[test]
fn options_that_cannot_be_served_are_not_shown_and_the_variable_is_named() {
    let application = controlled(&[("http_tokens", "foo")]);
    assert_eq!(get(&application.replica(), INSTANCE_ID, &[]).0, 500);
    let control = Control::of(&application);
    for (method, body) in [("GET", ""), ("PATCH", r#"{"tags": {"a": "b"}}"#), ("PUT", "{}")] {
        let answer = control.ask(method, "/v1/instance", body);
        assert!(answer.status == 500 && answer.body.contains("the variable `http_tokens`: "), "{answer:?}");
    }
    assert_eq!(application.store().get("instance"), None);
    let application = controlled(&[("control_pairs_max", "many")]);
    let answer = Control::of(&application).get("/v1/instance");
    assert!(answer.status == 500 && answer.body.contains("is not a whole number; give one such as"), "{answer:?}");
}

#[test]
fn a_change_warns_of_what_it_brings() {
    let control = Control::of(&controlled_many());
    control.ask("PUT", "/v1/instances/a", "{}").revision();
    let change = r#"{"instance-type": "t3.gigantic", "state": "stopped"}"#;
    control.ask("PATCH", "/v1/instances/a", r#"{"state": "stopped"}"#).revision();
    let answer = control.ask("PATCH", "/v1/instances/a", change);
    assert_eq!(answer.json()["warnings"][0]["name"], "unknown-instance-type", "{answer:?}");
    let again = control.ask("PATCH", "/v1/instances/a", r#"{"tags": {"a": "b"}}"#);
    assert!(
        again.json()["warnings"]
            .as_array()
            .is_none_or(|all| all.iter().all(|one| one["name"] != "unknown-instance-type"))
    );
    let one = Control::of(&controlled(&[]));
    let answer = one.ask("PUT", "/v1/instances/a", "{}");
    assert_eq!((answer.status, &answer.json()["warnings"][0]["name"]), (201, &json!("not-served")));
    assert_eq!(Control::of(&controlled_many()).get("/v1/instance").status, 404);
    let by_host = Control::of(&controlled(&[("callers", "host")]));
    assert!(by_host.ask("PUT", "/v1/instances/VM-7", "{}").body.contains("not-served"));
    assert!(!by_host.ask("PUT", "/v1/instances/vm-7", "{}").body.contains("not-served"));
}

#[test]
fn what_is_stored_and_is_no_description_can_be_put_right() {
    let application = controlled_many();
    let control = Control::of(&application);
    for text in [&b"\xff"[..], b"oops", br#"{"state": "gone"}"#] {
        application.store().set("instances/a", text);
        for method in ["GET", "PATCH"] {
            let answer = control.ask(method, "/v1/instances/a", "{}");
            assert_eq!(answer.status, 409, "{answer:?}");
        }
        assert_eq!(control.ask("PUT", "/v1/instances/a", "{}").status, 200);
    }
}

#[test]
fn what_the_native_listener_has_and_spin_has_not_is_said() {
    let control = Control::of(&controlled(&[]));
    for (path, word) in
        [("/v1/clock", "clock"), ("/v1/requests", "requests"), ("/v1/usage", "count"), ("/v1/reload", "store")]
    {
        let answer = control.get(path);
        assert!(
            answer.status == 404 && answer.json()["error"].as_str().is_some_and(|why| why.contains(word)),
            "{answer:?}"
        );
    }
}
