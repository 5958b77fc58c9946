//! The page at `/` for browsers: what it is, and whose requests are taken for its own.

use super::*;

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

/// The token in the page, as the listener gives it to a browser.
pub fn token(controlled: &Controlled) -> String {
    let page = controlled.ask("GET", "/", &format!("{HOST}{BROWSER}Sec-Fetch-Site: none\r\n"), "");
    assert_eq!(page.status, 200, "{}", page.body);
    let token = page.body.split("name=\"imds-page-token\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    token.to_owned()
}

/// What a browser says of a request that the page makes, besides `Host: localhost`.
pub fn of_page(controlled: &Controlled) -> String {
    let token = token(controlled);
    format!("Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost\r\nX-Imds-Page-Token: {token}\r\n")
}

#[test]
fn browsers_get_a_page_and_programs_json() {
    let controlled = Controlled::start(&[]);
    let page = controlled.ask("GET", "/", &format!("{HOST}{BROWSER}"), "");
    assert!(page.status == 200 && page.head.contains("content-type: text/html; charset=utf-8"), "{}", page.head);
    assert!(page.body.starts_with("<!doctype html>"));
    for fields in [HOST.to_owned(), format!("{HOST}Accept: */*\r\n"), format!("{HOST}Accept: application/json\r\n")] {
        let answer = controlled.ask("GET", "/", &fields, "");
        assert!(answer.status == 200 && answer.json()["paths"].is_array(), "{fields}");
        assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    }
    // Of all other paths a browser gets what others get.
    let instance = controlled.ask("GET", "/v1/instance", &format!("{HOST}{BROWSER}"), "");
    assert_eq!(instance.json()["revision"], 1);
}

#[test]
fn it_is_small_and_asks_nobody_else() {
    let controlled = Controlled::start(&[]);
    let page = controlled.ask("GET", "/", &format!("{HOST}{BROWSER}"), "");
    assert!(page.body.len() < 60_000, "{} bytes", page.body.len());
    // The namespace of SVG is a name, and nobody asks for it.
    let text = page.body.replace("http://www.w3.org/2000/svg", "");
    for elsewhere in ["http://", "https://", "//cdn", "@import", "url(", " src=", "integrity="] {
        assert!(!text.contains(elsewhere), "{elsewhere}");
    }
    for unsafe_word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
        assert!(!text.contains(unsafe_word), "{unsafe_word}");
    }
    // No handler and no style in an attribute: the policy would keep them out.
    for attribute in [" onclick=\"", " onload=\"", " style=\"", "javascript:"] {
        assert!(!text.contains(attribute), "{attribute}");
    }
    let line = |name: &str| {
        let begin = format!("{name}: ");
        let found = page.head.lines().find_map(|line| line.strip_prefix(&begin));
        found.unwrap_or_else(|| panic!("no {name}: {}", page.head)).to_owned()
    };
    let policy = line("content-security-policy");
    for directive in ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(policy.contains("script-src 'sha256-") && policy.contains("style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    assert_eq!(line("x-frame-options"), "deny");
    assert_eq!(line("cache-control"), "no-store");
    assert_eq!(line("referrer-policy"), "no-referrer");
    assert!(!page.head.contains("access-control"), "{}", page.head);
}

#[test]
fn requests_of_the_page_need_its_token_and_its_origin() {
    let controlled = Controlled::start(&["--log", "all"]);
    let token = token(&controlled);
    let address = controlled.place.strip_prefix("http://").unwrap().to_owned();
    let json = format!("Host: {address}\r\nContent-Type: application/json\r\n");
    let own = format!("X-Imds-Page-Token: {token}\r\n");
    let same = "Sec-Fetch-Site: same-origin\r\n";
    let origin = format!("Origin: http://{address}\r\n");
    let change = r#"{"tags": {"a": "b"}}"#;
    let other = Controlled::start(&[]);
    let of_another_process = format!("X-Imds-Page-Token: {}\r\n", self::token(&other));
    let patch = |fields: &[&str]| {
        let answer = controlled.ask("PATCH", "/v1/instance", &format!("{json}{}", fields.concat()), change);
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
        answer.status
    };
    for fields in [
        &[same, &origin][..],
        &[same, &origin, "X-Imds-Page-Token: \r\n"],
        &[same, &origin, &of_another_process],
        &[same, "Origin: http://attacker.example\r\n", &own],
        &[same, "Origin: null\r\n", &own],
        &[same, &format!("Origin: {}\r\n", other.place), &own],
        &[same, &origin, "Origin: http://attacker.example\r\n", &own],
        &["Origin: http://attacker.example\r\n", &own],
        &["Sec-Fetch-Site: cross-site\r\n", &origin, &own],
        &["Sec-Fetch-Site: same-site\r\n", &origin, &own],
        &["Sec-Fetch-Site: same-site\r\n", &own],
    ] {
        assert_eq!(patch(fields), 403, "{fields:?}");
    }
    // A name that a page can have, though the origin is the same.
    let rebound = "Host: attacker.example\r\nOrigin: http://attacker.example\r\nContent-Type: application/json\r\n";
    let answer = controlled.ask("PATCH", "/v1/instance", &format!("{rebound}{same}{own}"), change);
    assert_eq!(answer.status, 403);
    let host = format!("Host: {address}\r\n");
    assert_eq!(controlled.ask("GET", "/v1/instance", &format!("{host}{same}"), "").status, 403);
    // Nor can another page have the page itself, which has the token.
    for site in ["cross-site", "same-site", "same-origin"] {
        let answer = controlled.ask("GET", "/", &format!("{host}{BROWSER}Sec-Fetch-Site: {site}\r\n"), "");
        assert!(answer.status == 403 && !answer.body.contains(&token), "{site}");
    }
    assert_eq!(controlled.shown()["revision"], 1);

    assert_eq!(controlled.ask("GET", "/v1/instance", &format!("{host}{same}{own}"), "").json()["revision"], 1);
    assert_eq!(patch(&[same, &origin, &own]), 200);
    assert_eq!(controlled.shown()["revision"], 2);
    // The type of a body is looked at as ever.
    let text = format!("{host}Content-Type: text/plain\r\n{same}{origin}{own}");
    assert_eq!(controlled.ask("PATCH", "/v1/instance", &text, change).status, 415);

    // A client may send it to the instance too, by mistake.
    controlled.served.request(&format!("GET /latest/?{token} HTTP/1.1\r\nHost: localhost\r\n{own}\r\n"));
    let mut said: String = ["/", "/openapi.json", "/v1/instance", "/v1/requests", "/v1/usage", "/metrics"]
        .map(|path| controlled.ask("GET", path, HOST, "").body)
        .concat();
    said += &controlled.served.end_of_log();
    assert!(said.contains("/latest/") && !said.contains(&token), "{said}");
}

#[test]
fn a_secret_is_for_the_page_alone() {
    let file = File::new("control-secret.toml", "user-data = 'CANARYDATA'\n");
    let controlled = Controlled::start(&["--log", "all", "--instance", file.path.to_str().unwrap()]);
    let id = controlled.shown()["identity"]["instanceId"].as_str().unwrap().to_owned();
    let path = format!("/v1/instances/{id}/secret");
    let body = r#"{"path": "/latest/user-data"}"#;
    let page = of_page(&controlled);
    let other = Controlled::start(&[]);
    let token = |of: &Controlled| format!("X-Imds-Page-Token: {}\r\n", self::token(of));
    let (same, origin) = ("Sec-Fetch-Site: same-origin\r\n", "Origin: http://localhost\r\n");
    // Without a token, with that of another process, or without what a browser says of its own page.
    for fields in [
        String::new(),
        token(&controlled),
        format!("{same}{origin}"),
        format!("{same}{origin}{}", token(&other)),
        format!("{same}{}", token(&controlled)),
        format!("{origin}{}", token(&controlled)),
        format!("{same}Origin: http://attacker.example\r\n{}", token(&controlled)),
        format!("Sec-Fetch-Site: cross-site\r\n{origin}{}", token(&controlled)),
    ] {
        let answer = controlled.ask("POST", &path, &format!("{JSON}{fields}"), body);
        assert!(answer.status == 403 && !answer.body.contains("CANARY"), "{fields}: {}", answer.body);
    }
    // By no other method.
    for method in ["GET", "HEAD", "PUT", "PATCH"] {
        assert_eq!(controlled.ask(method, &path, &format!("{JSON}{page}"), body).status, 405, "{method}");
    }
    assert_eq!(controlled.ask("POST", &path, &format!("{HOST}{page}"), body).status, 415);
    let shown = controlled.ask("POST", &path, &format!("{JSON}{page}"), body);
    assert_eq!((shown.status, &shown.json()["body"]), (200, &json!("CANARYDATA")));
    assert!(shown.head.contains("cache-control: no-store") && !shown.head.contains("access-control"), "{}", shown.head);
    let role = controlled.told(&["get", "meta-data/iam/security-credentials/"]);
    let role = format!(r#"{{"path": "/latest/meta-data/iam/security-credentials/{}"}}"#, role.trim());
    let made_up = controlled.ask("POST", &path, &format!("{JSON}{page}"), &role);
    assert!(made_up.body.contains("SecretAccessKey"), "{}", made_up.body);
    let log = controlled.served.end_of_log();
    assert!(!log.contains("CANARY") && !log.contains("SecretAccessKey"), "{log}");
}

#[test]
fn no_secret_is_shown_of_an_instance_with_real_credentials() {
    let file = File::new("control-secret-real.toml", "user-data = 'CANARYDATA'\n");
    let credentials = File::new(
        "control-secret-real.json",
        r#"{"Version": 1, "AccessKeyId": "CANARYKEYID", "SecretAccessKey": "CANARYKEY", "SessionToken": "CANARYTOKEN",
            "Expiration": "2099-01-01T00:00:00Z"}"#,
    );
    let source = format!("file:{}", credentials.path.display());
    let controlled =
        Controlled::start(&["--instance", file.path.to_str().unwrap(), "--credentials", &source, "--log", "all"]);
    let id = controlled.shown()["identity"]["instanceId"].as_str().unwrap().to_owned();
    let role = controlled.told(&["get", "meta-data/iam/security-credentials/"]);
    let role = format!("/latest/meta-data/iam/security-credentials/{}", role.trim());
    // They are there.
    let session = controlled.served.token();
    assert!(controlled.served.get_with_token(&role, &session).contains("CANARYKEY"));
    let page = of_page(&controlled);
    for asked in [role.as_str(), "/latest/user-data", "/latest/meta-data/mac"] {
        let body = json!({"path": asked}).to_string();
        let answer = controlled.ask("POST", &format!("/v1/instances/{id}/secret"), &format!("{JSON}{page}"), &body);
        assert!(answer.status == 403 && answer.body.contains("are real"), "{asked}: {}", answer.body);
        assert!(!answer.body.contains("CANARY"), "{}", answer.body);
    }
    assert!(!controlled.served.end_of_log().contains("CANARY"));
}
