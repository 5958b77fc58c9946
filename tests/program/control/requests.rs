//! Requests to the instance as an operator follows and reads them.

use super::*;

#[test]
fn requests_are_followed_as_they_come() {
    let controlled = Controlled::start(&[]);
    controlled.get("/latest/before");
    for (flags, wanted) in [
        (&["follow"][..], " 404 GET /latest/after from 127.0.0.1, version 1: "),
        (&["follow", "--refusals"], " 403 DELETE / "),
    ] {
        let mut imds = Command::new(IMDS);
        imds.args(["ctl", "--control", &controlled.place]).args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = imds.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "imds: following the requests; Ctrl-C ends it\n");
        controlled.get("/latest/after");
        controlled.served.request("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains(wanted), "{line}");

        // Who has read enough closes the pipe: the next request ends it.
        drop(stdout);
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            controlled.served.request("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it goes on");
        };
        assert_eq!(status.code(), Some(0));
    }
    let waited = controlled.ask("GET", "/v1/requests?after=0&limit=1&wait=30", HOST, "").json();
    assert_eq!(waited["requests"][0]["target"], "/latest/before");
}

/// A request that goes out and ends without an answer.
fn ask_without_answer(controlled: &Controlled, path: &str) {
    let mut stream = connect(&controlled.served.addresses[0]);
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "");
}

#[test]
fn faults_and_stopped_instances_are_told_with_what_was_sent() {
    let controlled = Controlled::start(&[]);
    for (kind, path) in [("close", "/latest/closed"), ("delay", "/latest/delayed"), ("cut", "/latest/meta-data")] {
        controlled.told(&["fault", kind, "--path", path, "--delay", "1ms"][..if kind == "delay" { 6 } else { 4 }]);
    }
    ask_without_answer(&controlled, "/latest/closed");
    controlled.get("/latest/delayed");
    controlled.get("/latest/meta-data/mac");
    controlled.get("/latest/other");
    controlled.told(&["stop"]);
    ask_without_answer(&controlled, "/latest/stopped");

    let all = controlled.ask("GET", "/v1/requests", HOST, "").json();
    let told: Vec<_> =
        all["requests"].as_array().unwrap().iter().map(|one| (one["fault"].as_str(), one["status"].as_u64())).collect();
    let wanted =
        [(Some("close"), None), (Some("delay"), Some(404)), (Some("cut"), Some(200)), (None, Some(404)), (None, None)];
    assert_eq!(told, wanted, "{all}");
    for query in ["refusals=true", "refusals=true&after=0"] {
        let refusals = controlled.ask("GET", &format!("/v1/requests?{query}"), HOST, "").json();
        let targets: Vec<_> = refusals["requests"].as_array().unwrap().iter().map(|one| &one["target"]).collect();
        assert_eq!(targets, ["/latest/closed", "/latest/delayed", "/latest/meta-data/mac", "/latest/stopped"]);
    }

    controlled.told(&["start"]);
    controlled.told(&["edit", "metadata-options.http-tokens = 'required'"]);
    controlled.get("/latest/delayed");

    let explained = controlled.told(&["explain"]);
    for part in [
        " 401 GET /latest/delayed from 127.0.0.1, version 1: no token, and http-tokens is \"required\"; fault: delay\n  \
         The metadata option http-tokens is \"required\", so every request needs a session token (version 2).",
        "until then. A fault of the description affected it, of the kind \"delay\": the answer was sent late.",
        " no answer to GET /latest/closed from 127.0.0.1, version 1: nothing there in this version now; \
         fault: close, nothing was sent\n  A fault of the description affected it, of the kind \"close\"",
        " 404 GET /latest/delayed from 127.0.0.1, version 1: nothing there in this version now; fault: delay\n",
        "imds ctl fault off",
        " no answer to GET /latest/stopped from 127.0.0.1: the instance does not run: its state is \"stopped\" or \
         \"terminated\"; nothing was sent\n",
    ] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
}
