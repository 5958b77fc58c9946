//! Which process asked: by `imds run --require-v2`, and in `imds ctl usage`.

use serde_json::Value;

use super::openapi::Document;
use super::*;

fn run(flags: &[&str], command: &[&str]) -> (Option<i32>, String) {
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--log", "off"]).args(flags).arg("--").args(command).stdin(Stdio::null());
    let output = imds.output().unwrap();
    (output.status.code(), text(&output.stderr))
}

/// The line of the report about a target.
fn line<'p>(printed: &'p str, target: &str) -> &'p str {
    let named = |line: &&str| line.contains(&format!("GET {target} "));
    printed.lines().find(named).unwrap_or_else(|| panic!("no {target} in {printed}"))
}

/// A program that ends at once is found all the same: its answer waits for the look-up.
#[test]
fn a_program_that_asks_once_and_ends_is_named() {
    for round in 0..5 {
        let (status, printed) = run(&["--require-v2"], &[IMDS, "get", "--version1", "meta-data/instance-id"]);
        assert_eq!(status, Some(1), "{printed}");
        let line = line(&printed, "/latest/meta-data/instance-id");
        let (_, process) = line.split_once("no user agent, pid ").unwrap_or_else(|| panic!("{round}: {printed}"));
        let (pid, name) = process.split_once(' ').unwrap();
        assert!(pid.parse::<u32>().is_ok_and(|pid| pid > 1) && name == "(imds)", "{line}");
    }
}

#[test]
fn a_child_of_the_command_is_named_by_its_own_name_and_without_its_arguments() {
    let script =
        format!("'{IMDS}' get --version1 --timeout 7s meta-data/ami-id; '{IMDS}' get --version1 meta-data/ami-id");
    let (_, printed) = run(&["--require-v2"], &["sh", "-c", &script]);
    let line = line(&printed, "/latest/meta-data/ami-id");
    assert!(line.contains("(2 answered)") && line.matches(" (imds)").count() == 2, "{printed}");
    assert!(!printed.contains("7s"), "{printed}");
}

#[test]
fn an_interpreter_is_named_with_its_script_alone() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success()) {
        skipped("a script of Python: there is no python3");
        return;
    }
    let script = "import os, sys, urllib.request\n\
                  url = os.environ['AWS_EC2_METADATA_SERVICE_ENDPOINT'] + '/latest/meta-data/hostname'\n\
                  urllib.request.urlopen(url).read()\n";
    let file = File::new("agent-of-old.py", script);
    let (_, printed) = run(&["--require-v2"], &["python3", file.path.to_str().unwrap(), "--password", "hunter2"]);
    let line = line(&printed, "/latest/meta-data/hostname");
    assert!(line.ends_with(" (python3 agent-of-old.py)"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn a_command_in_a_network_of_its_own_is_named_too() {
    let (status, printed) = run(&["--require-v2", "--link-local"], &[IMDS, "get", "--version1", "meta-data/mac"]);
    if printed.contains("imds: cannot make a") {
        skipped("a command in a network namespace: this user can make none");
        return;
    }
    assert_eq!(status, Some(1), "{printed}");
    assert!(line(&printed, "/latest/meta-data/mac").ends_with(" (imds)"), "{printed}");
}

/// The clients that the control listener tells of.
fn usage(control: &str) -> Value {
    let output = imds(&["ctl", "--control", control, "--json", "usage"]);
    let usage: Value = serde_json::from_slice(&output.stdout).unwrap();
    usage["clients"].clone()
}

/// Under `imds serve` no request waits for the look-up, so only a client that stays is
/// sure to be found.
#[test]
fn usage_names_the_process_of_a_client_that_keeps_its_connection() {
    let served = Served::start(&["--control", "127.0.0.1:0", "--keep-alive"]);
    let control = served.line_with("control on ");
    let control = control.split("http://").nth(1).unwrap();
    let mut stream = served.connect();
    stream.write_all(b"GET /latest/ HTTP/1.1\r\nHost: localhost\r\nUser-Agent: old/1\r\n\r\n").unwrap();
    let end = Instant::now() + DEADLINE;
    let clients = loop {
        let clients = usage(control);
        if clients[0]["processes"].is_array() {
            break clients;
        }
        assert!(Instant::now() < end, "{clients}");
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(clients[0]["processes"][0]["pid"], std::process::id());
    let body = |path: &str| {
        let answer = request(control, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    let document = Document(serde_json::from_str(&body("/openapi.json")).unwrap());
    document.check("GET", "/v1/usage", 200, &body("/v1/usage"));
    let words = text(&imds(&["ctl", "--control", control, "usage"]).stdout);
    assert!(words.contains(&format!("last /latest/; pid {} (", std::process::id())), "{words}");
    drop(stream);
}

#[test]
fn of_requests_with_tokens_nothing_is_looked_up() {
    let served = Served::start(&["--control", "127.0.0.1:0"]);
    let control = served.line_with("control on ");
    let control = control.split("http://").nth(1).unwrap();
    let token = served.token();
    served.get_with_token("/latest/", &token);
    let clients = usage(control);
    assert_eq!((&clients[0]["version-2"], &clients[0]["processes"]), (&Value::from(2), &Value::Null), "{clients}");
}

#[test]
fn usage_of_a_command_names_its_processes() {
    let script = format!("'{IMDS}' get --version1 meta-data/ami-id >/dev/null; '{IMDS}' ctl usage");
    let mut imds = Command::new(IMDS);
    let output = imds.args(["run", "--log", "off", "--control", "--", "sh", "-c", &script]).output().unwrap();
    let printed = text(&output.stdout);
    assert!(printed.contains("last /latest/meta-data/ami-id; pid ") && printed.contains(" (imds)"), "{printed}");
}
