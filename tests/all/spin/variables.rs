//! What the operator says in variables, and what is said where that is wrong.

use std::collections::BTreeSet;

use super::{Application, INSTANCE_ID, engine, get};

/// Each with the words of the answer that say what to mend.
#[test]
fn what_the_operator_got_wrong_is_named_in_a_500() {
    for (variables, words) in [
        (
            &[("token_secret", "too short")][..],
            "the variable `token_secret` cannot be used: the token secret has fewer than 16 bytes",
        ),
        (&[("callers", "all")], "the variable `callers` is none of `one`, `client-address`, `host` and `header:NAME`"),
        (&[("callers", "host"), ("instance", "{}")], "the variable `instance` is for `callers` = `one`"),
    ] {
        let application = Application::new(variables);
        let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
        assert_eq!(status, 500, "{body}");
        application.log_with(body.strip_prefix("imds: ").expect("it says who says it"));
        assert!(body.starts_with("imds: ") && body.contains(words), "expected {words:?} in {body:?}");
        assert!(!body.contains("too short"), "a secret is not shown");
    }

    let application = Application::new(&[]);
    application.store().set("instance", b"\xff".as_slice());
    let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
    assert_eq!((status, body.contains("the key `instance` of the key-value store")), (500, true), "{body}");

    let (status, body) = get(&Application::new(&[]).without_store().replica(), INSTANCE_ID, &[]);
    assert_eq!(
        (status, body.contains("there is no variable `token_secret`, and the application has no")),
        (500, true),
        "{body}"
    );
}

/// Any client may see the answer.
#[test]
fn what_is_wrong_with_a_description_is_for_the_log_alone() {
    for (variables, source, words) in [
        (
            &[("http_tokens", "hunter2")][..],
            "with the variables over it, the default instance",
            "  the variable `http_tokens`: ",
        ),
        (&[("instance", "{\n hunter2")], "the variable `instance`", "  line 2, column 2: "),
        (
            &[("instance", r#"{"instance-typ": "hunter2"}"#)],
            "the variable `instance`",
            "  /instance-typ: unknown field `instance-typ` (did you mean `instance-type`?)\n",
        ),
        (&[("instance", r#"{"state": "hunter2"}"#)], "the variable `instance`", "  /state: "),
    ] {
        let application = Application::new(variables);
        let answer = get(&application.replica(), INSTANCE_ID, &[]);
        let expected = format!("imds: {source} is not a valid description; the log says what is wrong\n");
        assert_eq!(answer, (500, expected));
        application.log_with(&format!("{source} is not a valid description:\n{words}"));
    }
}

/// What the provider says may be the operator's secret, and what it would have
/// said is not guessed.
#[test]
fn variables_that_cannot_be_read_are_not_taken_for_absent() {
    let application = Application::new(&[]);
    application.0.variables_fail.set(true);
    let answer = get(&application.replica(), INSTANCE_ID, &[]);
    assert_eq!(answer, (503, "imds: the variable `instance` cannot be read\n".to_owned()));
    application.log_with("the vault at 10.9.8.7 is sealed");
    assert!(application.store().get("token-secret").is_none());
}

#[test]
fn names_in_host_that_are_not_local_need_a_variable() {
    let foreign = [("host", "imds.example.com")];
    assert_eq!(get(&Application::new(&[]).replica(), INSTANCE_ID, &foreign).0, 403);
    let replica = Application::new(&[("allowed_hosts", "a.example.com, imds.example.com")]).replica();
    assert_eq!(get(&replica, INSTANCE_ID, &foreign).0, 200);
}

/// The component says which names those are, and the log which of them is one.
#[test]
fn a_name_that_no_host_can_match_is_told_with_its_variable() {
    for hosts in ["imds.example.com:80", "https://imds.example.com", "a.example.com;b.example.com"] {
        let application = Application::new(&[("allowed_hosts", hosts), ("instance", "{}")]);
        let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
        assert_eq!(status, 500, "{body}");
        assert!(body.starts_with("imds: the variable `allowed_hosts` has a name that no `Host` can match"), "{body}");
        assert!(!body.contains("example"), "what the operator wrote is not for clients: {body}");
        application.log_with(&format!("no `Host` can match the allowed host `{hosts}`"));
    }
    // A description that is wrong as a whole is not taken for that.
    let application = Application::new(&[("allowed_hosts", "imds.example.com"), ("instance", "[]")]);
    let (status, body) = get(&application.replica(), INSTANCE_ID, &[]);
    assert_eq!((status, body.starts_with("imds: the variable `instance` is not a valid")), (500, true), "{body}");
}

/// Every variable that a component reads can be set, and no other. The control needs no
/// secret of the tokens.
#[test]
fn spin_toml_declares_the_variables() {
    let manifest = engine::spin_toml();
    let names =
        |table: &toml::Value| -> BTreeSet<String> { table.as_table().expect("a table").keys().cloned().collect() };
    let of = |component: &str| names(&manifest["component"][component]["variables"]);
    let read: BTreeSet<String> = imds_spin::variables::names().map(str::to_owned).collect();
    assert_eq!(of("imds"), read);
    let own = ["control_pairs_max", "control_secret"].map(str::to_owned);
    let mut control: BTreeSet<String> = read.iter().cloned().chain(own.clone()).collect();
    for name in ["allowed_hosts", "token_secret", "trusted_proxies"] {
        control.remove(name);
    }
    assert_eq!(of("imds-control"), control);
    assert_eq!(names(&manifest["variables"]), read.into_iter().chain(own).collect());
}
