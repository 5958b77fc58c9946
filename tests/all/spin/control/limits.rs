//! What Spin's store takes, and pages.

use serde_json::json;

use super::{Control, controlled, controlled_many};

#[test]
fn the_answer_says_which_limit_of_the_store_is_exceeded() {
    let application = controlled_many();
    let control = Control::of(&application);
    let long = "a".repeat(247);
    let answer = control.ask("PUT", &format!("/v1/instances/{long}"), "{}");
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("257 bytes") && answer.body.contains("256 at most"), "{answer:?}");
    assert_eq!(control.ask("PUT", &format!("/v1/instances/{}", &long[1..]), "{}").status, 201);

    let entry = |bytes: usize| json!({ "extra-entries": { "meta-data/x": "x".repeat(bytes) } }).to_string();
    let answer = control.ask("PUT", "/v1/instances/a", &entry(1_000_000));
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("1000000 at most"), "{answer:?}");
    control.ask("PUT", "/v1/instances/a", &entry(900_000)).revision();
    let more = json!({ "extra-entries": { "meta-data/y": "y".repeat(200_000) } }).to_string();
    let answer = control.ask("PATCH", "/v1/instances/a", &more);
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("1000000 at most"), "{answer:?}");
    let answer = control.ask("PUT", "/v1/instances/a", &" ".repeat((1 << 20) + 1));
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("1 MiB"), "{answer:?}");
}

#[test]
fn a_store_has_no_more_pairs_than_it_may() {
    let application = controlled(&[("callers", "host"), ("control_pairs_max", "4")]);
    let control = Control::of(&application);
    for key in ["a", "b", "c", "d"] {
        control.ask("PUT", &format!("/v1/instances/{key}"), "{}").revision();
    }
    // A lease has one pair or, near the end of ten seconds, two: neither counts.
    for wait in [0, 8000] {
        application.wait(wait);
        let answer = control.ask("PUT", "/v1/instances/e", "{}");
        assert_eq!(answer.status, 507, "{:?}", application.store().keys());
        assert!(answer.body.contains("4 pairs") && answer.body.contains("`control_pairs_max`"), "{answer:?}");
        assert_eq!(control.ask("PUT", "/v1/instances/d", r#"{"tags": {}}"#).status, 200);
        control.ask("DELETE", "/v1/instances/d", "").revision();
        assert_eq!(control.ask("PUT", "/v1/instances/d", "{}").status, 201);
    }
}

#[test]
fn instances_are_listed_page_by_page_in_the_order_of_their_keys() {
    let application = controlled_many();
    let control = Control::of(&application);
    for key in ["c", "a/b", "b", "d%"] {
        application.store().set(&format!("instances/{key}"), "{}");
    }
    application.store().set("token-secret", "x");
    let keys = |answer: &super::Answer| {
        let page = answer.json();
        let list = page["instances"].as_array().expect("a list").clone();
        list.iter().map(|one| one["key"].as_str().expect("a key").to_owned()).collect::<Vec<_>>()
    };
    let all = control.get("/v1/instances");
    assert_eq!(keys(&all), ["a/b", "b", "c", "d%"]);
    assert_eq!((&all.json()["all"], &all.json()["next"]), (&json!(4), &json!(null)));
    let revision = control.get("/v1/instances/b").json()["revision"].clone();
    assert_eq!(all.json()["instances"][1], json!({ "key": "b", "revision": revision, "bytes": 2 }));
    let first = control.get("/v1/instances?limit=3");
    assert_eq!((keys(&first).len(), &first.json()["next"]), (3, &json!("c")));
    assert_eq!(keys(&control.get("/v1/instances?after=c&limit=3")), ["d%"]);
    assert_eq!(keys(&control.get("/v1/instances?after=a%2Fb&limit=1")), ["b"]);
    for wrong in ["limit=0", "limit=1001", "limit=x", "after=%zz", "before=a"] {
        assert_eq!(control.get(&format!("/v1/instances?{wrong}")).status, 400, "{wrong}");
    }
}
