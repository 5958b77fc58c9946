//! All answers against the document that describes them.

use std::collections::BTreeSet;

use super::super::Application;
use super::super::store::Health;
use super::{AUTHORIZED, Control, JSON, controlled, controlled_many};
use openapi::Document;

#[path = "../../../program/openapi.rs"]
mod openapi;

#[test]
fn every_answer_is_one_that_is_documented() {
    let (one, many) = (controlled(&[]), controlled(&[("callers", "host"), ("control_pairs_max", "4")]));
    let full = controlled(&[("control_pairs_max", "0")]);
    let (one, many, full) = (Control::of(&one), Control::of(&many), Control::of(&full));
    let described = controlled(&[("instance", "{}")]);
    let described = Control::of(&described);
    let document = Document(one.get("/openapi.json").json());
    let mut seen = BTreeSet::new();
    let mut check = |control: &Control, method: &str, path: &str, fields: &[(&str, &str)], body: &str| {
        // Where this replica is asked, it is for a key that is none.
        let key = if std::ptr::eq(control, &described) { "%" } else { "a" };
        let answer = control.send(method, &path.replace("{key}", key), fields, body);
        let path = path.split('?').next().expect("a path");
        if !answer.body.is_empty() {
            document.check(method, path, answer.status, &answer.body);
        }
        seen.insert((method.to_owned(), path.to_owned(), answer.status));
        answer.status
    };
    let asked = [AUTHORIZED, JSON];
    let large = " ".repeat((1 << 20) + 1);
    let operations: BTreeSet<_> = document.all().into_iter().map(|(method, path, _)| (method, path)).collect();
    for (method, path) in &operations {
        let body = if method == "GET" { "" } else { "{}" };
        check(&many, method, path, &[], body);
        check(&many, method, path, &[AUTHORIZED, JSON, ("origin", "null")], body);
        check(&many, method, path, &asked, &large);
        if method != "GET" {
            check(&many, method, path, &[AUTHORIZED], body);
            check(&many, method, path, &[AUTHORIZED, JSON, ("if-match", "7")], body);
            check(&one, method, path, &[AUTHORIZED, JSON, ("if-match", "7")], body);
        }
        check(&many, method, path, &asked, body);
        check(&one, method, path, &asked, body);
        check(&one, method, path, &[AUTHORIZED, JSON, ("if-match", "\"1\"")], body);
        if method == "PUT" || method == "PATCH" {
            check(&one, method, path, &asked, "oops");
            check(&full, method, path, &asked, r#"{"tags": {"a": "b"}}"#);
            check(&described, method, path, &asked, "{}");
        }
    }
    let many_path = "/v1/instances/{key}";
    check(&many, "PUT", many_path, &asked, "{}");
    check(&many, "PUT", many_path, &asked, r#"{"instance-type": "t3.gigantic"}"#);
    check(&many, "GET", many_path, &asked, "");
    check(&described, "GET", many_path, &asked, "");
    check(&many, "PATCH", many_path, &asked, r#"{"operation": "stop"}"#);
    check(&many, "PATCH", many_path, &asked, "oops");
    check(&many, "DELETE", many_path, &[AUTHORIZED, JSON, ("if-match", "\"1\"")], "");
    check(&many, "GET", "/v1/instances?limit=0", &asked, "");
    check(&many, "DELETE", many_path, &asked, "");
    // What is stored and is no description.
    let broken = controlled_many();
    broken.store().set("instances/a", "oops");
    let broken = Control::of(&broken);
    check(&broken, "GET", many_path, &asked, "");
    check(&broken, "PATCH", many_path, &asked, "{}");
    let broken = controlled(&[]);
    broken.store().set("instance", "oops");
    check(&Control::of(&broken), "GET", "/v1/instance", &asked, "");
    // What every operation may be answered.
    let out = controlled(&[]);
    out.store().turn(Health::Fails);
    let guessed = Control::of(&controlled(&[]));
    for _ in 0..10 {
        guessed.send("GET", "/", &[("authorization", "Bearer wrong")], "");
    }
    let every = [
        (404, Control::of(&Application::new(&[]))),
        (429, guessed),
        (500, Control::of(&controlled(&[]).without_store())),
        (503, Control::of(&out)),
    ];
    for (status, control) in &every {
        for (method, path) in &operations {
            assert_eq!(check(control, method, path, &asked, ""), *status, "{method} {path}");
        }
    }
    let allowed = one.ask("POST", "/v1/instance", "{}");
    assert_eq!((allowed.status, allowed.field("allow")), (405, "GET, HEAD, PATCH, PUT"));
    let (head, body) = (one.ask("HEAD", "/v1/instance", ""), one.get("/v1/instance"));
    assert_eq!((head.status, head.field("etag"), head.body.as_str()), (200, body.field("etag"), ""));
    // A method that a path does not have is no operation, a slow client is tried natively,
    // and for this 409 something else must change the store in the middle.
    let elsewhere = |method: &str, path: &str, status: u16| {
        [405, 408].contains(&status) || (method, path, status) == ("PUT", many_path, 409)
    };
    let keep = |all: BTreeSet<(String, String, u16)>| -> BTreeSet<_> {
        all.into_iter().filter(|(method, path, status)| !elsewhere(method, path, *status)).collect()
    };
    assert_eq!(keep(seen), keep(document.all()));
}
