//! What `imds serve` writes of the requests that it answers.

use super::*;

#[test]
fn a_crowd_of_throttled_requests_leaves_room_in_the_log() {
    let file = File::new("throttle.toml", "[request-throttle]\nburst = 1\nper-second = 1\n");
    let served = Served::start(&["--keep-alive", "--instance", file.path.to_str().unwrap()]);
    let last = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = served.request(&("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(99) + last));
    let throttled = answers.matches("HTTP/1.1 503 ").count();
    assert!(throttled > 50, "{answers}");
    let log = served.end_of_log();
    assert!(log.matches(": more requests than request-throttle allows\n").count() < 20, "{log}");
    assert!(log.contains(" more requests throttled; the log takes 1 a second\n"), "{log}");
}

#[test]
fn refusals_are_logged_by_their_rule_and_without_secrets() {
    let served = Served::start(&["--http-tokens", "required", "--log", "all"]);
    let token = served.token();
    served.get_with_token("/latest/meta-data/", &token);
    served.get_with_token("/latest/meta-data/?hunter2", "not-a-token-hunter2");
    served.request("GET /latest/meta-data/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served.request("GET /\u{202e} HTTP/1.1\r\nHost: imds.example.com.:80\r\n\r\n");
    served.request("GET / HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n");
    served.request("GET http://hunter2@attacker.example/ HTTP/1.1\r\n\r\n");
    served.request("GET /hunter2 b HTTP/1.1\r\nHost: localhost\r\n\r\n");

    let log = served.end_of_log();
    assert!(log.contains("imds: 200 PUT /latest/api/token from 127.0.0.1:"), "{log}");
    assert!(log.contains(": no token, and http-tokens is \"required\"\n"), "{log}");
    assert!(log.contains("imds: 401 GET /latest/meta-data/?… from "), "{log}");
    assert!(log.contains(": --allow-host imds.example.com\n"), "{log}");
    assert!(log.contains(": --allow-host NAME\n"), "which of the two was refused is not known: {log}");
    assert!(log.contains("imds: 400 unreadable request from 127.0.0.1:"), "{log}");
    assert!(!log.contains(&token) && !log.contains("hunter2"), "{log}");
    assert!(!log.contains('\u{202e}'), "{log}");
}

#[test]
fn what_was_found_is_not_logged_by_default() {
    let served = Served::start(&[]);
    served.request("GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    served.request("DELETE /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let log = served.end_of_log();
    let answers: Vec<_> = log.lines().filter(|line| line.contains(" /latest/ from ")).collect();
    assert_eq!(answers.len(), 1, "{log}");
    assert!(answers[0].starts_with("imds: 403 DELETE /latest/ from "), "{log}");
}

#[test]
fn a_flood_of_refusals_does_not_flood_the_log() {
    let served = Served::start(&["--http-tokens", "required", "--keep-alive"]);
    let refused = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(999);
    let last = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = served.request(&(refused + last));
    assert_eq!(answers.matches("HTTP/1.1 401 ").count(), 1000);
    let log = served.end_of_log();
    assert!(log.lines().count() < 500, "{log}");
    assert!(log.contains(" more lines left out of the log"), "{log}");
}
