//! Every answer of the control listener against the document that describes it.

use std::collections::BTreeSet;

use super::many::Guests;
use super::*;
use crate::openapi::Document;

const LIST: &str = "/v1/instances";
const ONE: &str = "/v1/instances/{key}";

/// What was answered, by the paths of the document.
struct Seen<'d> {
    document: &'d Document,
    all: BTreeSet<(String, String, u16)>,
}

impl Seen<'_> {
    /// Asks for a path of the document with `key` in its place.
    fn ask(&mut self, controlled: &Controlled, method: &str, path: &str, key: &str, fields: &str, body: &str) -> u16 {
        let answer = controlled.ask(method, &path.replace("{key}", key), fields, body);
        let path = path.split('?').next().unwrap();
        self.document.check(method, path, answer.status, &answer.body);
        self.all.insert((method.to_owned(), path.to_owned(), answer.status));
        answer.status
    }
}

#[test]
fn every_answer_is_as_documented() {
    let file = File::new("control-documented.toml", "instance-lifecycle = 'spot'\n");
    let controlled = Controlled::start(&["--instance", file.path.to_str().unwrap(), "--http-tokens", "required"]);
    let document = Document(controlled.ask("GET", "/openapi.json", HOST, "").json());
    assert_eq!(document.0["openapi"], "3.1.0");
    let mut seen = Seen { document: &document, all: BTreeSet::new() };
    ask_for_one(&mut seen, &controlled, &file);
    ask_for_many(&mut seen);
    // What takes a client that is too slow, a service that fails, and a crowd.
    let untested = [405, 408, 500, 503];
    let documented: BTreeSet<_> =
        document.all().into_iter().filter(|(_, _, status)| !untested.contains(status)).collect();
    assert_eq!(seen.all, documented);
}

fn ask_for_one(seen: &mut Seen<'_>, controlled: &Controlled, file: &File) {
    controlled.get("/");
    controlled.served.get_with_token("/", &controlled.served.token());
    controlled.served.request("GET /< HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let id = controlled.shown()["identity"]["instanceId"].as_str().unwrap().to_owned();
    let faults = r#"{"faults": [{"kind": "cut", "share": 0.5}], "spot-interruption": {"time": "+1h"}}"#;
    let large = "x".repeat((1 << 20) + 1);
    let document = seen.document;
    for (method, path, _) in document.all() {
        let is_instance = path == "/v1/instance" || path == ONE;
        // Only the page asks for secrets.
        let page = if path.ends_with("/secret") { super::page::of_page(controlled) } else { String::new() };
        let (plain, json) = (&format!("{HOST}{page}"), &format!("{JSON}{page}"));
        let fields = if method == "GET" { plain } else { json };
        if method != "PUT" {
            // A description in the place of all would take away what others look at.
            seen.ask(controlled, &method, &path, &id, fields, if is_instance { faults } else { r#"{"paused": true}"# });
        }
        seen.ask(controlled, &method, &path, &id, "Host: attacker.example\r\n", "{}");
        if method != "GET" {
            seen.ask(controlled, &method, &path, &id, plain, "{}");
            seen.ask(controlled, &method, &path, &id, json, &large);
        }
        if path.contains("{key}") {
            // No text is encoded so; and there is no such instance.
            assert_eq!(seen.ask(controlled, &method, &path, "%ff", fields, "{}"), 400);
            let missing = seen.ask(controlled, &method, &path, "i-1", fields, "{}");
            assert_eq!(missing, if method == "PUT" { 409 } else { 404 }, "{method} {path}");
        }
    }
    for (method, path) in [("PATCH", "/v1/instance"), ("PUT", "/v1/instance"), ("PATCH", ONE), ("PUT", ONE)] {
        seen.ask(controlled, method, path, &id, &format!("{JSON}If-Match: \"99\"\r\n"), "{}");
        seen.ask(controlled, method, path, &id, &format!("{JSON}If-Match: 99\r\n"), "{}");
        seen.ask(controlled, method, path, &id, JSON, r#"{"state": "gone", "staet": 1}"#);
        seen.ask(controlled, method, path, &id, JSON, "oops");
    }
    for path in ["/v1/requests", "/v1/instances/{key}/requests"] {
        seen.ask(controlled, "GET", &format!("{path}?wait=31"), &id, HOST, "");
        seen.ask(controlled, "GET", &format!("{path}?after=0&limit=1&refusals=true"), &id, HOST, "");
    }
    for path in ["/v1/get", "/v1/instances/{key}/get"] {
        for query in ["path=/latest/user-data", "path=nowhere", "path=/latest/meta-data/hostname&head=true"] {
            seen.ask(controlled, "GET", &format!("{path}?{query}"), &id, HOST, "");
        }
    }
    let (page, secret) = (super::page::of_page(controlled), r#"{"path": "/latest/user-data"}"#);
    seen.ask(controlled, "POST", "/v1/instances/{key}/secret", &id, &format!("{JSON}{page}"), secret);
    for path in ["/v1/clock", "/v1/instances/{key}/clock"] {
        seen.ask(controlled, "PATCH", path, &id, JSON, r#"{"advance": "5"}"#);
    }
    for content in [Some("instance-lifecycle = 'sport'\n"), None] {
        match content {
            Some(content) => fs::write(&file.path, content).unwrap(),
            None => fs::remove_file(&file.path).unwrap(),
        }
        seen.ask(controlled, "POST", "/v1/reload", &id, JSON, "");
        seen.ask(controlled, "POST", "/v1/instances/{key}/reload", &id, JSON, "");
    }
    seen.ask(controlled, "PUT", "/v1/instance", &id, JSON, r#"{"instance-type": "m7g.large"}"#);
    let id = controlled.shown()["identity"]["instanceId"].as_str().unwrap().to_owned();
    seen.ask(controlled, "PUT", ONE, &id, JSON, r#"{"instance-type": "m7g.large"}"#);

    // Of each path, what another method gets; it has no place of its own in the document.
    for path in document.0["paths"].as_object().unwrap().keys() {
        let asked = path.replace("{key}", &id);
        let answer = controlled.ask("OPTIONS", &asked, HOST, "");
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.head.split("\r\nallow: ").nth(1).unwrap().lines().next().unwrap().to_owned();
        assert!(answer.json()["error"].as_str().unwrap().to_ascii_lowercase().ends_with(&allowed), "{}", answer.body);
        let known: BTreeSet<_> = document.0["paths"][path].as_object().unwrap().keys().cloned().collect();
        let allowed: BTreeSet<_> = allowed.split(", ").filter(|method| *method != "head").map(str::to_owned).collect();
        assert_eq!(allowed, known, "{path}");
        let head = controlled.ask("HEAD", &asked, HOST, "").status;
        assert_eq!(head, if known.contains("get") { 200 } else { 405 }, "{path}");
    }
    let nowhere = controlled.ask("GET", "/v2/instance", HOST, "");
    assert!(nowhere.status == 404 && nowhere.body.contains("/v1/instance"), "{}", nowhere.body);
}

/// What only a server of many answers.
fn ask_for_many(seen: &mut Seen<'_>) {
    let guests = Guests::new("control-documented", &[("a", "instance-id = 'i-0123456789abcdef7'\n"), ("b", "")]);
    let many = guests.serve();
    for (method, path) in [
        ("GET", "/v1/instance"),
        ("PATCH", "/v1/instance"),
        ("PUT", "/v1/instance"),
        ("GET", "/v1/get"),
        ("GET", "/v1/requests"),
        ("GET", "/v1/usage"),
    ] {
        let fields = if method == "GET" { HOST } else { JSON };
        assert_eq!(seen.ask(&many, method, path, "", fields, "{}"), 404, "{method} {path}");
    }
    assert_eq!(seen.ask(&many, "GET", &format!("{LIST}?limit=1"), "", HOST, ""), 200);
    assert_eq!(seen.ask(&many, "GET", &format!("{LIST}?limit=0"), "", HOST, ""), 400);
    assert_eq!(seen.ask(&many, "PUT", ONE, "c", JSON, "{}"), 201);
    assert_eq!(seen.ask(&many, "POST", "/v1/instances/{key}/reload", "c", JSON, ""), 409);
    assert_eq!(seen.ask(&many, "PUT", ONE, "d", JSON, r#"{"instance-id": "i-0123456789abcdef7"}"#), 409);
    assert_eq!(seen.ask(&many, "DELETE", ONE, "c", &format!("{JSON}If-Match: \"7\"\r\n"), ""), 412);
    assert_eq!(seen.ask(&many, "DELETE", ONE, "c", JSON, ""), 200);
    assert_eq!(seen.ask(&many, "DELETE", ONE, "c", JSON, ""), 404);
}
