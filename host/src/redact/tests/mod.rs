use super::*;

mod canaries;
mod ordinary;

#[test]
fn queries_and_credentials_in_targets_are_not_shown() {
    assert_eq!(target("/latest/?token=AQAE"), "/latest/?…");
    assert_eq!(target("http://me:pw@host/latest/"), "http://host/latest/");
    assert_eq!(target("me:pw@host:80"), "host:80");
    assert_eq!(target("/latest/a@b"), "/latest/a@b");
    assert_eq!(host("me:pw@host:80"), "host:80");
}

/// As the service issues them, and as it gives credentials.
const TOKEN: &str = "AQAEAGgjYjLbgtpvYW5kgXLTrR-Tk9Xt_0qVvYg7wRzjUkEVsvk1SA==";
const SECRET_KEY: &str = "wJalrXUtnFEMI0K7MDENG1bPxRfiCYEXAMPLEKEY";

#[test]
fn what_looks_like_a_secret_is_not_shown_in_targets() {
    for secret in [TOKEN, SECRET_KEY, &TOKEN.replace('=', "%3D"), &SECRET_KEY.replace('0', "%2f")] {
        for (before, after, wanted) in [
            ("/", "", "/…"),
            ("/latest/meta-data/", "/", "/latest/meta-data/…"),
            ("/latest/", &format!("/{}", &TOKEN[..30]), "/latest/…"),
            ("/latest/", "?x", "/latest/…?…"),
            ("http://me:pw@host/", "", "http://host/…"),
            ("http://", "/latest/", "http://…"),
            ("", ":80", "…"),
            // At the end of what would be shown.
            (&"/.".repeat(75), "", &format!("{}…", "/.".repeat(75))),
        ] {
            assert_eq!(target(&format!("{before}{secret}{after}")), wanted, "{secret}");
        }
        assert_eq!(target(&format!("/latest/?{secret}")), "/latest/?…");
        assert_eq!(target(&format!("http://{secret}@host/")), "http://host/");
    }
}

#[test]
fn what_looks_like_a_secret_is_not_shown_in_user_agents() {
    for secret in [TOKEN, SECRET_KEY, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"] {
        assert_eq!(user_agent(secret), "…");
        let shown = user_agent(&format!("a b;{secret} (c; {secret})"));
        assert!(shown.starts_with("a b;…") && shown.ends_with("…)") && shown.len() < 20, "{shown}");
        let shown = user_agent(&format!("{}{secret}", "a ".repeat(95)));
        assert_eq!(shown, "a ".repeat(95) + "…");
    }
}

#[test]
fn what_is_shown_is_bounded() {
    assert_eq!(target(&"/x".repeat(50_000)), "/x".repeat(80) + "…");
    assert_eq!(user_agent(&"x ".repeat(50_000)), "x ".repeat(100) + "…");
    assert!(user_agent(&format!("{} ", "x".repeat(50)).repeat(1000)).len() < 1000);
}

#[test]
fn what_a_terminal_would_obey_is_escaped() {
    assert_eq!(text("a\u{1b}[2J\u{202e}", 20), "a\\u{1b}[2J\\u{202e}");
    assert_eq!(text("abcdef", 3), "abc…");
}
