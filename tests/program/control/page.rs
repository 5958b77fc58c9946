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
