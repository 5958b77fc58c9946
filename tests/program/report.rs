//! `imds run --report`: what CI reads.

use serde_json::{Value, json};

use super::*;

/// A folder for the reports of one test.
fn place(name: &str) -> File {
    File::new(&format!("reports/{name}"), "of an earlier run")
}

fn run(flags: &[&str], script: &str) -> Option<i32> {
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--log", "off"]).args(flags).args(["--", "sh", "-c", script]).stdin(Stdio::null());
    imds.output().unwrap().status.code()
}

fn read(file: &File) -> String {
    fs::read_to_string(&file.path).unwrap()
}

/// Asks once with a token (two requests) and twice without.
fn ask_by_both() -> String {
    format!("'{IMDS}' get meta-data/ami-id; '{IMDS}' get --version1 user-data; '{IMDS}' get --version1 meta-data/mac")
}

#[test]
fn a_report_in_json_has_what_was_asked_the_verdict_and_the_status() {
    let file = place("both.json");
    let script = ask_by_both() + "; exit 7";
    assert_eq!(run(&["--require-v2", "--report", file.path.to_str().unwrap()], &script), Some(7));
    let report: Value = serde_json::from_str(&read(&file)).unwrap();
    assert_eq!(report["command"], "sh");
    assert_eq!(report["exit-status"], json!({ "command": 7, "imds": 7 }));
    assert_eq!(report["totals"], json!({ "version-1": 2, "version-1-rejected": 0, "version-2": 2, "unknown": 0 }));
    assert_eq!(report["require-v2"]["passed"], false);
    let reason = report["require-v2"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("imds: 2 requests used version 1, 2 used version 2:\n"), "{reason}");
    let requests = report["requests"].as_array().unwrap();
    let asked = |target: &str| requests.iter().find(|request| request["target"] == target).unwrap();
    let without = asked("/latest/user-data");
    assert_eq!(
        (&without["method"], &without["version"], &without["number"], &without["statuses"], &without["refused"]),
        (&json!("GET"), &json!(1), &json!(1), &json!({ "404": 1 }), &json!(0))
    );
    if cfg!(target_os = "linux") {
        assert_eq!(without["processes"][0]["command"], "imds");
    }
    assert_eq!(
        (&asked("/latest/api/token")["method"], &asked("/latest/meta-data/ami-id")["version"]),
        (&json!("PUT"), &json!(2))
    );
    assert!(!read(&file).contains("user-data; "), "the command's arguments are not told");
}

#[test]
fn refusals_are_counted_by_their_status() {
    let file = place("refused.json");
    let flags = ["--http-tokens", "required", "--report", file.path.to_str().unwrap()];
    assert_eq!(run(&flags, &format!("'{IMDS}' get --version1 user-data; true")), Some(0));
    let report: Value = serde_json::from_str(&read(&file)).unwrap();
    let request = &report["requests"][0];
    assert_eq!((&request["statuses"], &request["refused"]), (&json!({ "401": 1 }), &json!(1)));
    assert_eq!(report["totals"]["version-1-rejected"], 1);
    // Nobody asked for a verdict.
    assert_eq!((&report["require-v2"], &report["exit-status"]["imds"]), (&Value::Null, &json!(0)));
}

#[test]
fn a_report_in_junit_has_a_test_for_the_command_and_one_for_version_2() {
    let file = place("both.xml");
    assert_eq!(run(&["--require-v2", "--report", file.path.to_str().unwrap()], &ask_by_both()), Some(1));
    let report = read(&file);
    assert!(report.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"imds run\" tests=\"2\" failures=\"1\" errors=\"0\" "), "{report}");
    assert!(report.contains("<testcase name=\"the command succeeds\" classname=\"imds run\" time=\""), "{report}");
    let failure = "<failure message=\"imds: 2 requests used version 1, 2 used version 2\">";
    let (_, why) = report.split_once(failure).unwrap_or_else(|| panic!("{report}"));
    assert!(why.contains("imds:   GET /latest/user-data (1 answered), no user agent"), "{report}");
    assert!(report.contains("<property name=\"version-1\" value=\"2\"/>"), "{report}");
    assert!(report.contains("1 GET /latest/user-data, version 1, 1 with 404"), "{report}");
    assert!(report.ends_with("</testsuites>\n"), "{report}");
}

/// What a client sends cannot break out of the document.
#[test]
fn what_a_client_sends_is_escaped() {
    let file = place("escaped.report");
    let flags = ["--report", file.path.to_str().unwrap(), "--report-format", "junit"];
    let script = format!("'{IMDS}' get --version1 '/latest/</system-out>&\"x'; true");
    assert_eq!(run(&flags, &script), Some(0));
    let report = read(&file);
    assert!(
        report.contains("/latest/&lt;/system-out&gt;&amp;") && report.matches("</system-out>").count() == 1,
        "{report}"
    );
    assert!(report.contains("tests=\"1\" failures=\"0\""), "{report}");
}

#[test]
fn a_command_that_fails_or_is_not_there_is_reported_too() {
    for (name, script, command, failure) in [
        ("failed.xml", Some("exit 3"), "sh", "sh ended with 3"),
        ("absent.xml", None, "no-such-command", "no-such-command could not be run: 127"),
    ] {
        let file = place(name);
        let mut imds = Command::new(IMDS);
        imds.args(["run", "--report", file.path.to_str().unwrap(), "--", command]);
        imds.args(script.iter().flat_map(|script| ["-c", script]));
        assert!(!imds.output().unwrap().status.success());
        let report = read(&file);
        assert!(report.contains(&format!("<failure message=\"{failure}\">")), "{report}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_before_the_command_starts() {
    let mark = place("started");
    fs::remove_file(&mark.path).unwrap();
    let script = format!("touch '{}'", mark.path.display());
    for (flags, status, wrong) in [
        (
            &["--report", "no/such/folder/report.xml"][..],
            1,
            "imds: cannot write the report no/such/folder/report.xml: ",
        ),
        (&["--report", "report"], 2, "imds: --report report: its name says no format; name it .xml or .json"),
        (&["--report-format", "json"], 2, "error: the following required arguments were not provided:"),
    ] {
        let mut imds = Command::new(IMDS);
        let output = imds.arg("run").args(flags).args(["--", "sh", "-c", &script]).output().unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{errors}");
        assert!(errors.starts_with(wrong), "{errors}");
        assert!(!mark.path.exists(), "{flags:?}");
    }
}
