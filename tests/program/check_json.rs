//! `imds check --json`: what editors and pipelines read.

use serde_json::{Value, json};

use super::*;

/// The document that it prints, and its exit status.
fn check(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = imds(&[&["check", "--json"], arguments].concat());
    assert_eq!(text(&output.stderr), "", "{arguments:?}");
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

#[test]
fn every_problem_has_its_field_place_and_help() {
    let file = File::new("json-wrong.toml", "instnace-type = 't3.micro'\n\n[metadata-options]\nhttp-tokens = 7\n");
    let name = file.path.to_str().unwrap();
    let (document, status) = check(&[name]);
    assert_eq!((status, &document["valid"]), (Some(2), &json!(false)));
    let described = &document["descriptions"][0];
    assert_eq!((&described["source"], &described["valid"]), (&json!(name), &json!(false)));
    assert_eq!(described["warnings"], json!([]));
    let problems = described["problems"].as_array().unwrap();
    assert_eq!(
        problems[0],
        json!({
            "field": "/instnace-type",
            "in-name": true,
            "message": "unknown field `instnace-type`",
            "help": "did you mean `instance-type`?",
            "line": 1,
            "column": 1,
        })
    );
    assert_eq!(
        (&problems[1]["field"], &problems[1]["line"], &problems[1]["column"]),
        (&json!("/metadata-options/http-tokens"), &json!(4), &json!(15))
    );
}

#[test]
fn every_warning_has_its_name_and_strict_changes_the_status_alone() {
    let file = File::new("json-warned.toml", "instance-type = 't9.micro'\n");
    let name = file.path.to_str().unwrap();
    let (document, status) = check(&[name]);
    assert_eq!((status, &document["valid"]), (Some(0), &json!(true)));
    let warning = &document["descriptions"][0]["warnings"][0];
    assert_eq!(
        (&warning["name"], &warning["field"], &warning["line"], &warning["column"]),
        (&json!("unknown-instance-type"), &json!("/instance-type"), &json!(1), &json!(17))
    );
    let (strict, status) = check(&["--strict", name]);
    assert_eq!((status, &strict["valid"]), (Some(2), &json!(false)));
    assert_eq!(strict["descriptions"], document["descriptions"]);
    let (_, status) = check(&["--strict", "-A", "unknown-instance-type", name]);
    assert_eq!(status, Some(0));
}

#[test]
fn all_paths_are_in_one_document() {
    let (good, bad) = (File::new("json-good.toml", ""), File::new("json-bad.toml", "x = 1"));
    let [good, bad] = [&good, &bad].map(|file| file.path.to_str().unwrap());
    let (document, status) = check(&[bad, good, "no/such/file.toml"]);
    assert_eq!(status, Some(2));
    let valid: Vec<_> = document["descriptions"].as_array().unwrap().iter().map(|one| one["valid"].as_bool()).collect();
    assert_eq!(valid, [Some(false), Some(true), Some(false)]);
    let message = document["descriptions"][2]["problems"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("cannot read no/such/file.toml: "), "{message}");
    let (over_default, status) = check(&["--scenario", "spot-stop"]);
    assert_eq!((status, &over_default["descriptions"][0]["source"]), (Some(0), &json!("spot-stop")));
}

#[test]
fn of_many_descriptions_each_problem_names_its_file() {
    let file = File::new(
        "json-many.jsonl",
        "{\"caller\": \"a\", \"instance\": {}}\n{\"caller\": \"b\", \"instance\": {\"x\": 1}}\n\
         {\"caller\": \"c\", \"instance\": {\"instance-type\": \"t9.micro\"}}\n",
    );
    let name = file.path.to_str().unwrap();
    let (document, status) = check(&[name]);
    assert_eq!(status, Some(2));
    let described = &document["descriptions"][0];
    assert_eq!(
        (&described["number"], &described["wrong"], &described["with-warnings"]),
        (&json!(3), &json!(1), &json!(1))
    );
    let problem = &described["problems"][0];
    assert_eq!((&problem["source"], &problem["line"], &problem["field"]), (&json!(name), &json!(2), &json!("/x")));
    assert_eq!(described["warnings"][0]["name"], "unknown-instance-type");
    assert_eq!(described["warnings-by-name"], json!({ "unknown-instance-type": 1 }));
}

#[test]
fn no_secret_is_in_the_document() {
    let file = File::new("json-secret.toml", "user-data = [\"hunter2\"]\nuser-dta = \"hunter2\"\n");
    let (document, status) = check(&[file.path.to_str().unwrap()]);
    assert_eq!(status, Some(2));
    assert!(!document.to_string().contains("hunter2"), "{document}");
}
