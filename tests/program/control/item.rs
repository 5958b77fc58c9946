//! `imds ctl get`: what the service answers, without counting and without secrets.

use super::*;

#[test]
fn an_item_is_shown_and_counts_as_no_request() {
    let controlled = Controlled::start(&["--http-tokens", "required", "--set", "instance-type=m7g.large"]);
    assert_eq!(controlled.told(&["get", "meta-data/instance-type"]), "m7g.large\n");
    assert!(controlled.told(&["get"]).contains("meta-data"));
    assert!(controlled.told(&["get", "--head", "/latest/meta-data/"]).starts_with("HTTP/1.1 200 OK\n"));
    let answer: Value = serde_json::from_str(&controlled.told(&["get", "--json", "meta-data/instance-type"])).unwrap();
    assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!("m7g.large")));
    assert_eq!(controlled.ask("GET", "/v1/usage", HOST, "").json()["clients"], json!([]));
    assert_eq!(controlled.ask("GET", "/v1/requests", HOST, "").json()["last"], 0);
    // The clock and edits count, as they do for clients.
    controlled.told(&["edit", "state=stopped"]);
    let stopped = controlled.ctl(&["get", "meta-data/instance-type"]);
    assert_eq!(stopped.status.code(), Some(1), "{}", text(&stopped.stdout));
    let wrong = "imds: /latest/meta-data/instance-type: no client gets an answer (not-running)\n";
    assert_eq!(text(&stopped.stderr), wrong);
}

#[test]
fn what_a_client_would_be_refused_is_refused() {
    let controlled = Controlled::start(&["--http-tokens", "required"]);
    for (arguments, wrong) in [
        (&["get", "--version1", "meta-data/"][..], "imds: /latest/meta-data/: 401 Unauthorized\n"),
        (&["get", "meta-data/no-such-item"], "imds: /latest/meta-data/no-such-item: 404 Not Found\n"),
    ] {
        let output = controlled.ctl(arguments);
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), wrong));
        assert_eq!(text(&output.stdout), "");
    }
    let wrong = controlled.ctl(&["get", "latest/meta-data"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}

#[test]
fn a_secret_is_not_shown_and_the_way_to_it_is() {
    let file = File::new("control-item.toml", "user-data = 'hunter2'\n");
    let controlled = Controlled::start(&["--instance", file.path.to_str().unwrap()]);
    let role = controlled.told(&["get", "meta-data/iam/security-credentials/"]);
    for path in ["user-data", &format!("meta-data/iam/security-credentials/{}", role.trim())] {
        for arguments in [&["get", path][..], &["get", "--json", path]] {
            let output = controlled.ctl(arguments);
            let (printed, errors) = (text(&output.stdout), text(&output.stderr));
            assert_eq!(output.status.code(), Some(1), "{errors}");
            assert!(errors.contains("holds a secret") && errors.contains("imds get"), "{errors}");
            assert!(!printed.contains("hunter2") && !printed.contains("SecretAccessKey"), "{printed}");
        }
    }
}
