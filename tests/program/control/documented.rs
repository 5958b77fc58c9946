//! Every answer of the control listener against the document that describes it.

use std::collections::BTreeSet;

use super::*;
use crate::openapi::Document;

#[test]
fn every_answer_is_as_documented() {
    let file = File::new("control-documented.toml", "instance-lifecycle = 'spot'\n");
    let controlled = Controlled::start(&["--instance", file.path.to_str().unwrap(), "--http-tokens", "required"]);
    let document = Document(controlled.ask("GET", "/openapi.json", HOST, "").json());
    assert_eq!(document.0["openapi"], "3.1.0");
    controlled.get("/");
    controlled.served.get_with_token("/", &controlled.served.token());
    controlled.served.request("GET /< HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let faults = r#"{"faults": [{"kind": "cut", "share": 0.5}], "spot-interruption": {"time": "+1h"}}"#;
    let large = "x".repeat((1 << 20) + 1);

    let mut seen = BTreeSet::new();
    let mut ask = |method: &str, path: &str, fields: &str, body: &str| {
        let answer = controlled.ask(method, path, fields, body);
        let path = path.split('?').next().unwrap();
        document.check(method, path, answer.status, &answer.body);
        seen.insert((method.to_owned(), path.to_owned(), answer.status));
    };
    for (method, path, _) in document.all() {
        let fields = if method == "GET" { HOST } else { JSON };
        if method != "PUT" {
            // A description in the place of all would take away what others look at.
            ask(&method, &path, fields, if path == "/v1/instance" { faults } else { r#"{"paused": true}"# });
        }
        ask(&method, &path, "Host: attacker.example\r\n", "{}");
        if method != "GET" {
            ask(&method, &path, HOST, "{}");
            ask(&method, &path, JSON, &large);
        }
    }
    for method in ["PATCH", "PUT"] {
        ask(method, "/v1/instance", &format!("{JSON}If-Match: \"99\"\r\n"), "{}");
        ask(method, "/v1/instance", &format!("{JSON}If-Match: 99\r\n"), "{}");
        ask(method, "/v1/instance", JSON, r#"{"state": "gone", "staet": 1}"#);
        ask(method, "/v1/instance", JSON, "oops");
    }
    ask("GET", "/v1/requests?wait=31", HOST, "");
    ask("GET", "/v1/get?path=nowhere", HOST, "");
    ask("GET", "/v1/get?path=/latest/meta-data/hostname&head=true", HOST, "");
    ask("GET", "/v1/requests?after=0&limit=1&refusals=true", HOST, "");
    ask("PATCH", "/v1/clock", JSON, r#"{"advance": "5"}"#);
    fs::write(&file.path, "instance-lifecycle = 'sport'\n").unwrap();
    ask("POST", "/v1/reload", JSON, "");
    fs::remove_file(&file.path).unwrap();
    ask("POST", "/v1/reload", JSON, "");
    ask("PUT", "/v1/instance", JSON, r#"{"instance-type": "m7g.large"}"#);

    // Of each path, what another method gets; it has no place of its own in the document.
    for path in document.0["paths"].as_object().unwrap().keys() {
        let answer = controlled.ask("DELETE", path, HOST, "");
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.head.split("\r\nallow: ").nth(1).unwrap().lines().next().unwrap().to_owned();
        let known: BTreeSet<_> = document.0["paths"][path].as_object().unwrap().keys().cloned().collect();
        let allowed: BTreeSet<_> = allowed.split(", ").filter(|method| *method != "head").map(str::to_owned).collect();
        assert_eq!(allowed, known, "{path}");
        let head = controlled.ask("HEAD", path, HOST, "").status;
        assert_eq!(head, if known.contains("get") { 200 } else { 405 }, "{path}");
    }
    let nowhere = controlled.ask("GET", "/v2/instance", HOST, "");
    assert!(nowhere.status == 404 && nowhere.body.contains("/v1/instance"), "{}", nowhere.body);
    // What takes a client that is too slow, a service that fails, and a crowd.
    let untested = [405, 408, 500, 503];
    let documented: BTreeSet<_> =
        document.all().into_iter().filter(|(_, _, status)| !untested.contains(status)).collect();
    assert_eq!(seen, documented);
}
