//! What the control listener tells nobody.

use super::*;

#[test]
fn no_secret_is_told() {
    let canaries = ["CANARYKEYID", "CANARYKEY", "CANARYTOKEN", "CANARYDATA", "CANARYENTRY", "CANARYTAG", "CANARYLATER"];
    let description = File::new(
        "control-canary.toml",
        "user-data = 'CANARYDATA'\ntags = { db-password = 'CANARYTAG', DB_PWD = 'CANARYTAG', jwt = 'CANARYTAG', sshKey = 'CANARYTAG' }\n\
         timeline = [{ at = '+1h', extra-entries = { 'meta-data/y' = 'CANARYLATER' } }]\n\
         [extra-entries]\n'meta-data/x' = 'CANARYENTRY'\n\
         [iam-instance-profile]\nrole-name = 'test-role'\n\
         [iam-instance-profile.credentials]\naccess-key-id = 'CANARYKEYID'\nsecret-access-key = 'CANARYKEY'\n\
         session-token = 'CANARYTOKEN'\n",
    );
    let controlled = Controlled::start(&["--log", "all", "--instance", description.path.to_str().unwrap()]);
    let token = controlled.served.token();
    for path in ["/latest/user-data", "/latest/meta-data/x", "/latest/meta-data/iam/security-credentials/test-role"] {
        assert!(controlled.served.get_with_token(path, &token).contains("CANARY"), "{path}");
    }
    controlled.get(&format!("/latest/{token}?CANARYDATA"));
    let mut told = String::new();
    for verb in [
        &["show"][..],
        &["show", "--json"],
        &["explain"],
        &["usage", "--json"],
        &["fault"],
        &["get", "user-data"],
        &["get", "--json", "meta-data/x"],
        &["edit", "user-data = 'CANARYDATA'"],
        &["edit", "user-data = 'CANARYDATA"],
        &["edit", "state = 'stopped'\nuser-data = 'CANARYDATA'"],
        &["show", "--json"],
    ] {
        let output = controlled.ctl(verb);
        told += &(text(&output.stdout) + &text(&output.stderr));
    }
    for path in ["/v1/instance", "/v1/requests", "/v1/usage", "/metrics"] {
        told += &controlled.ask("GET", path, HOST, "").body;
    }
    told += &controlled.ask("PATCH", "/v1/instance", JSON, r#"{"extra-entries": {"meta-data/x": 1, "CANARYDATA"#).body;
    told += &controlled
        .ask(
            "PATCH",
            "/v1/instance",
            JSON,
            r#"{"state": "running", "extra-entries": {"meta-data/x": ["CANARYENTRY"]}}"#,
        )
        .body;
    assert!(told.contains("(hidden)") && told.contains("meta-data/x"), "{told}");
    told += &controlled.served.end_of_log();
    for canary in canaries.iter().copied().chain([token.as_str()]) {
        assert!(!told.contains(canary), "{canary}: {told}");
    }
}

/// Who puts back what was shown would serve the words that stand for secrets.
#[test]
fn what_is_shown_in_place_of_secrets_is_not_taken_for_them() {
    let controlled = Controlled::start(&[]);
    let shown = r#"{"user-data": "(hidden)"}"#;
    for method in ["PATCH", "PUT"] {
        let answer = controlled.ask(method, "/v1/instance", JSON, shown);
        assert_eq!(answer.status, 400, "{method}");
        assert!(answer.json()["error"].as_str().is_some_and(|words| words.contains("stands for a secret")));
    }
    assert_eq!(controlled.ask("GET", "/v1/instance", HOST, "").json()["revision"], 1);
}

#[test]
fn web_pages_get_nothing() {
    let controlled = Controlled::start(&[]);
    let change = r#"{"tags": {"a": "b"}}"#;
    for (method, fields, status) in [
        ("PATCH", format!("{JSON}Origin: http://attacker.example\r\n"), 403),
        ("PATCH", format!("{JSON}Origin: null\r\n"), 403),
        ("GET", format!("{HOST}Sec-Fetch-Site: cross-site\r\n"), 403),
        ("GET", "Host: attacker.example\r\n".to_owned(), 403),
        ("GET", "Host: localhost.attacker.example:1340\r\n".to_owned(), 403),
        ("GET", format!("{HOST}Host: attacker.example\r\n"), 403),
        ("PATCH", format!("{HOST}Content-Type: text/plain\r\n"), 415),
        ("PATCH", HOST.to_owned(), 415),
        ("OPTIONS", HOST.to_owned(), 405),
    ] {
        let answer = controlled.ask(method, "/v1/instance", &fields, change);
        assert_eq!(answer.status, status, "{method} {fields}");
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
        assert!(answer.json()["error"].is_string());
    }
    // Nor does one add an instance, or remove it.
    for (method, fields, status) in [
        ("GET", format!("{HOST}Origin: null\r\n"), 403),
        ("PUT", format!("{JSON}Sec-Fetch-Site: same-site\r\n"), 403),
        ("PUT", HOST.to_owned(), 415),
        ("DELETE", HOST.to_owned(), 415),
        ("DELETE", format!("{JSON}Origin: http://127.0.0.1:1340\r\n"), 403),
    ] {
        let answer = controlled.ask(method, "/v1/instances/a", &fields, "{}");
        assert_eq!(answer.status, status, "{method} {fields}");
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
    }
    let absolute = controlled.ask("GET", "http://attacker.example/v1/instance", HOST, "");
    assert_eq!(absolute.status, 403);
    let shown = controlled.ask("GET", "/v1/instance", HOST, "");
    assert!(!shown.head.contains("access-control") && shown.head.contains("nosniff"), "{}", shown.head);
    assert_eq!(shown.json()["revision"], 1);
    // And the instance itself gives no orders.
    assert!(controlled.get("/v1/instance").starts_with("HTTP/1.1 404 "));
}
