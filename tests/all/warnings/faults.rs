//! Faults that can never apply.

use super::{assert_none, assert_warning, of};

#[test]
fn fault_shadowed() {
    let shadowed = |faults: &str| of(&format!(r#"{{"faults": [{faults}]}}"#));
    assert_warning(
        r#"{"faults": [
            {"kind": "delay", "paths": ["/*/meta-data"]},
            {"kind": "refuse", "paths": ["/latest/meta-data/iam"], "methods": ["GET"]}]}"#,
        "fault-shadowed",
        "/faults/1",
        "the fault 0 before it affects all that this one would",
    );
    assert_eq!(shadowed(r#"{"kind": "refuse"}, {"kind": "delay"}"#).len(), 1);
    for faults in [
        r#"{"kind": "refuse", "share": 0.5}, {"kind": "delay"}"#,
        r#"{"kind": "refuse", "paths": ["/latest"]}, {"kind": "delay", "paths": ["/*/meta-data"]}"#,
        r#"{"kind": "refuse", "methods": ["PUT"]}, {"kind": "delay"}"#,
        r#"{"kind": "refuse", "until": "2026-10-02T00:00:00Z"}, {"kind": "delay"}"#,
        r#"{"kind": "refuse", "paths": ["/*/meta-data/iam"]}, {"kind": "delay", "paths": ["/*/meta-data"]}"#,
    ] {
        assert_eq!(shadowed(faults), [], "{faults}");
    }
}

#[test]
fn fault_matches_nothing() {
    for (path, message, help) in [
        (
            "/meta-data/iam",
            "no version of the service is called `meta-data`",
            "a path begins with a version, and `*` stands for all: /*/meta-data/iam",
        ),
        (
            "/2021-03-24/meta-data",
            "no version of the service is called `2021-03-24`",
            "a path begins with a version: latest, one such as 2021-07-15, or * for all",
        ),
        ("/latest/meta-dta", "nothing below a version is called `meta-dta`", "did you mean `meta-data`?"),
        ("/*/meta-data/iamm", "nothing in `meta-data` is called `iamm`", "did you mean `iam`?"),
        ("/latest/api/tokens", "nothing in `api` is called `tokens`", "did you mean `token`?"),
    ] {
        let description = format!(r#"{{"faults": [{{"kind": "refuse", "paths": ["{path}"]}}]}}"#);
        assert_warning(&description, "fault-matches-nothing", "/faults/0/paths/0", message);
        assert_eq!(of(&description)[0].problem.help.as_deref(), Some(help));
    }
    for path in ["/*", "/latest", "/1.0/*/x", "/*/meta-data/spot/termination-time", "/latest/api/token", "/*/user-data"]
    {
        assert_none(&format!(r#"{{"faults": [{{"kind": "refuse", "paths": ["{path}"]}}]}}"#));
    }
    assert_none(
        r#"{"extra-entries": {"meta-data/fabric/rack": "r17"},
            "faults": [{"kind": "refuse", "paths": ["/*/meta-data/fabric"]}]}"#,
    );
}

#[test]
fn fault_unknown_method() {
    assert_warning(
        r#"{"faults": [{"kind": "refuse", "methods": ["GET", "GTE"]}]}"#,
        "fault-unknown-method",
        "/faults/0/methods/1",
        "HTTP has no method `GTE`",
    );
}

#[test]
fn fault_never_strikes() {
    let name = "fault-never-strikes";
    assert_warning(
        r#"{"faults": [{"kind": "refuse", "share": 0}]}"#,
        name,
        "/faults/0/share",
        "a share of 0 affects no request",
    );
    assert_warning(
        r#"{"faults": [{"kind": "refuse", "until": "2026-09-30T00:00:00Z"}]}"#,
        name,
        "/faults/0/until",
        "this fault was over at 2026-09-30T00:00:00Z",
    );
    assert_warning(
        r#"{"faults": [{"kind": "refuse", "from": "+5d", "until": "+5d"}]}"#,
        name,
        "/faults/0/until",
        "this fault ends when it begins",
    );
}
