//! The control listener and its client, `imds ctl`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use serde_json::{Value, json};

use super::openapi::Document;
use super::*;

/// A process of `imds serve --control`.
struct Controlled {
    served: Served,
    place: String,
}

/// An answer of its listener.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

const JSON: &str = "Host: localhost\r\nContent-Type: application/json\r\n";
const HOST: &str = "Host: localhost\r\n";

impl Controlled {
    fn start(flags: &[&str]) -> Self {
        Self::at("127.0.0.1:0", flags)
    }

    fn at(place: &str, flags: &[&str]) -> Self {
        let served = Served::start(&[&["--control", place], flags].concat());
        let line = served.line_with("imds: control on ");
        Self { place: line.strip_prefix("imds: control on ").unwrap().to_owned(), served }
    }

    fn ctl(&self, arguments: &[&str]) -> Output {
        ctl(&self.place, arguments)
    }

    /// What a verb prints that does what was asked.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What the instance is.
    fn shown(&self) -> Value {
        serde_json::from_str(&self.told(&["show", "--json"])).unwrap()
    }

    fn ask(&self, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        let length = body.len();
        let text = format!("{method} {path} HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n{body}");
        let answer = self.send(&text);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text}: {answer}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.unwrap(), head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn send(&self, text: &str) -> String {
        match self.place.strip_prefix("http://") {
            Some(address) => request(address, text),
            None => {
                let mut stream = UnixStream::connect(&self.place).unwrap();
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                stream.write_all(text.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            }
        }
    }

    /// An answer of the instance itself.
    fn get(&self, path: &str) -> String {
        self.served.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }
}

fn ctl(place: &str, arguments: &[&str]) -> Output {
    let mut imds = Command::new(IMDS);
    imds.arg("ctl").args(arguments).env("IMDS_CONTROL", place).stdin(Stdio::null());
    imds.output().unwrap()
}

/// A path for a socket: short, as they must be.
fn socket(name: &str) -> File {
    File { path: std::env::temp_dir().join(format!("imds-{}-{name}", std::process::id())) }
}

const SPOT_ACTION: &str = "/latest/meta-data/spot/instance-action";

#[test]
fn every_verb_works_at_a_port_and_at_a_socket() {
    let file = File::new("control-verbs.toml", "instance-type = 'm7g.large'\n");
    let path = socket("verbs");
    for place in ["127.0.0.1:0", path.path.to_str().unwrap()] {
        let flags =
            ["--instance", file.path.to_str().unwrap(), "--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"];
        let controlled = Controlled::at(place, &flags);
        let told = |arguments: &[&str]| controlled.told(arguments);

        let shown = told(&["show"]);
        for part in [
            "instance  i-0123456789abcdef0, m7g.large in us-east-1a, on-demand, running\n",
            "revision  1\n",
            "clock     2026-10-01T00:00:00.000Z, paused\n",
            "          http-tokens optional\n",
            "faults    none\n",
            "  new credentials\n",
        ] {
            assert!(shown.contains(part), "{shown}");
        }

        assert_eq!(told(&["edit", "metadata-options.http-tokens = 'required'"]), "revision 2\n");
        assert!(controlled.get("/").starts_with("HTTP/1.1 401 "));
        assert_eq!(
            told(&["edit", r#"{"metadata-options": {"http-tokens": null}}"#, "--revision", "2"]),
            "revision 3\n"
        );
        assert!(controlled.get("/").starts_with("HTTP/1.1 200 "));

        let interrupted = told(&["interrupt", "--action", "stop"]);
        assert_eq!(
            interrupted,
            "spot interruption: notice now; stopped in 2m, at 2026-10-01T00:02:00Z\n\
             instance-lifecycle was on-demand and is spot now: others are not interrupted\nrevision 4\n"
        );
        let notice = r#"{"action":"stop","time":"2026-10-01T00:02:00Z"}"#;
        assert!(controlled.get(SPOT_ACTION).ends_with(notice));
        assert!(told(&["show"]).contains("timeline  now           2026-10-01T00:00:00.000Z  spot notice: stop at "));

        assert_eq!(told(&["rebalance"]), "rebalance recommendation: now\nrevision 5\n");
        let recommendation = controlled.get("/latest/meta-data/events/recommendations/rebalance");
        assert!(recommendation.ends_with(r#""2026-10-01T00:00:00Z"}"#), "{recommendation}");

        assert_eq!(told(&["clock"]), "2026-10-01T00:00:00.000Z, paused\n");
        assert_eq!(told(&["clock", "+90s"]), "2026-10-01T00:01:30.000Z, paused\n");
        assert!(told(&["show"]).contains(" in 30s        2026-10-01T00:02:00.000Z  spot interruption: stop\n"));

        assert_eq!(told(&["stop"]), "the instance is stopped\nrevision 6\n");
        assert_eq!(controlled.shown()["state"], "stopped");
        assert_eq!(told(&["start"]), "the instance is running\nrevision 7\n");
        assert!(controlled.get(SPOT_ACTION).starts_with("HTTP/1.1 404 "), "a start ends the interruption");

        assert_eq!(told(&["fault", "refuse", "--path", "/latest/user-data"]), "refuse, /latest/user-data\n");
        assert!(controlled.get("/latest/user-data").starts_with("HTTP/1.1 503 "));
        assert_eq!(told(&["fault"]), "refuse, /latest/user-data\n");
        assert_eq!(told(&["fault", "off"]), "no faults\n");
        assert!(controlled.get("/latest/user-data").starts_with("HTTP/1.1 404 "));

        let explained = told(&["explain"]);
        assert!(
            explained.contains(": no token, and http-tokens is \"required\"\n  The metadata option "),
            "{explained}"
        );
        assert!(
            explained.contains(" GET /latest/user-data from 127.0.0.1: a fault of the description, "),
            "{explained}"
        );
        let usage = told(&["usage"]);
        assert!(usage.contains("MetadataNoTokenRejected  1\nno user agent from 127.0.0.1: "), "{usage}");

        let reloaded = told(&["reload"]);
        assert!(reloaded.ends_with("; edits are undone\nrevision 10\n"), "{reloaded}");
        assert_eq!(controlled.shown()["instance-lifecycle"], "on-demand");
        let terminated = told(&["terminate"]);
        assert_eq!(terminated, "the instance is terminated; to have it back: imds ctl reload\nrevision 11\n");
        let refused = controlled.ctl(&["start"]);
        assert_eq!(refused.status.code(), Some(2));
        let errors = text(&refused.stderr);
        assert!(
            errors.starts_with("error: the instance is terminated, ")
                && errors.contains("--> imds ctl start\n")
                && errors.contains("imds ctl reload\n"),
            "{errors}"
        );
    }
}

#[test]
fn nothing_was_refused_and_nobody_asked() {
    let controlled = Controlled::start(&[]);
    assert_eq!(controlled.told(&["explain"]), "none of the last requests was refused, and no fault struck\n");
    let usage = controlled.told(&["usage"]);
    assert!(usage.ends_with("nobody asked without a token; 0 requests used version 2\n"), "{usage}");
}

#[test]
fn the_clock_is_moved_by_words() {
    let controlled = Controlled::start(&["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]);
    for (arguments, wanted) in [
        (&["clock", "2027-01-01T00:00:00Z"][..], "2027-01-01T00:00:00.000Z, paused\n"),
        (&["clock", "+6h"], "2027-01-01T06:00:00.000Z, paused\n"),
        (&["clock", "--speed", "60"], "2027-01-01T06:00:00.000Z, 60 times as fast, paused\n"),
        (&["clock", "+1s", "--speed", "1"], "2027-01-01T06:00:01.000Z, paused\n"),
        (&["clock", "-5m"], "2027-01-01T05:55:01.000Z, paused\n"),
    ] {
        assert_eq!(controlled.told(arguments), wanted);
    }
    assert!(!controlled.told(&["clock", "resume"]).contains("paused"));
    assert!(controlled.told(&["clock", "pause"]).ends_with(", paused\n"));
    assert!(controlled.told(&["clock", "system"]).ends_with(", the system's\n"));
    for wrong in
        [&["clock", "5m"][..], &["clock", "+5"], &["clock", "--speed", "0"], &["clock", "system", "--speed", "2"]]
    {
        assert_eq!(controlled.ctl(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn faults_are_added_to_those_that_are_there() {
    let controlled = Controlled::start(&["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]);
    controlled.told(&["fault", "withhold", "--path", "/latest/api/token", "--method", "PUT", "--for", "30s"]);
    controlled.told(&["fault", "throttle", "--burst", "5", "--per-second", "1"]);
    let lines = controlled.told(&["fault", "delay", "--share", "0.25", "--delay", "2s", "--seed", "7"]);
    assert_eq!(
        lines,
        "withhold, PUT, /latest/api/token, ends in 30s\ndelay by 2s 25% of requests\n\
         throttle above 5 at once and 1 a second\n"
    );
    // What is over makes room.
    controlled.told(&["clock", "+31s"]);
    assert!(controlled.told(&["fault"]).contains("/latest/api/token, over\n"));
    let lines = controlled.told(&["fault", "cut"]);
    assert_eq!(lines, "delay by 2s 25% of requests\ncut\nthrottle above 5 at once and 1 a second\n");
    assert_eq!(controlled.told(&["fault", "off"]), "no faults\n");

    let revision = controlled.shown()["revision"].clone();
    for wrong in [
        &["fault", "refuse", "--delay", "2s"][..],
        &["fault", "refuse", "--burst", "2"],
        &["fault", "throttle", "--share", "0.5"],
        &["fault", "off", "--for", "5s"],
        &["fault", "--share", "0.5"],
        &["fault", "refuse", "--share", "2"],
        &["fault", "explode"],
    ] {
        let output = controlled.ctl(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert_ne!(text(&output.stderr), "");
    }
    assert_eq!(controlled.shown()["revision"], revision);
}

#[test]
fn wrong_use_is_told_in_words_and_a_refusal_as_json() {
    let controlled = Controlled::start(&[]);
    for (arguments, wanted) in [
        (&["edit", "{}"][..], "the change has no fields"),
        (&["edit", ""], "the change has no fields"),
        (&["edit", "tags.a = 'b'", "--revision", "abc"], "expected a whole number"),
        (&["clock", "-x"], "expected a time such as 2026-10-01T00:00:00Z, a way from now such as +5m or -5m"),
        (&["clock", "5m"], "5m has no sign; write +5m to move the clock on, -5m to move it back"),
        (
            &["clock", "--speed", "-1"],
            "a clock cannot have the speed -1: expected 0.001 to 1000000; to stop it, pause it",
        ),
        (&["clock", "--speed", "0"], "to stop it, pause it"),
        (&["clock", "9999-12-31T00:00:00Z"], "up to the end of the year 9998"),
        (&["interrupt", "--in", "-5m"], "expected a time with its unit"),
        (&["fault", "refuse", "--for", "-1s"], "expected a time with its unit"),
        (&["fault", "refuse", "--share", "30%"], "expected a share from 0 to 1"),
        (&["fault", "refuse", "--seed", "abc"], "expected a whole number"),
        (&["fault", "throttle", "--burst", "65536"], "expected a smaller number"),
    ] {
        let output = controlled.ctl(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = text(&output.stderr);
        assert!(errors.contains(wanted) && !errors.contains("tip:"), "{arguments:?}: {errors}");
    }
    let refused = controlled.ctl(&["edit", "state = 'gone'", "--json"]);
    let answer: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((refused.status.code(), &answer["problems"][0]["field"]), (Some(2), &json!("/state")));
    let refused = controlled.ctl(&["edit", "tags.a = 'b'", "--revision", "7", "--json"]);
    let answer: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((refused.status.code(), &answer["revision"]), (Some(1), &json!(1)));
    let toml = controlled.ask("PATCH", "/v1/instance", JSON, "state = 'stopped'");
    assert!(toml.status == 422 && !toml.body.contains(".toml"), "{}", toml.body);
    assert_eq!(controlled.told(&["fault", "delay"]), "delay by 1s\n");
}

#[test]
fn of_two_operators_who_saw_the_same_revision_the_second_is_told() {
    let controlled = Controlled::start(&[]);
    assert_eq!(controlled.told(&["edit", "tags = { a = 'first' }", "--revision", "1"]), "revision 2\n");
    let second = controlled.ctl(&["edit", "tags = { a = 'second' }", "--revision", "1"]);
    assert_eq!(second.status.code(), Some(1));
    let errors = text(&second.stderr);
    assert!(errors.contains("it has revision 2 now") && errors.contains("\nhelp: imds ctl show"), "{errors}");

    let etag = controlled.ask("GET", "/v1/instance", HOST, "").head;
    assert!(etag.contains("\r\netag: \"2\"\r\n"), "{etag}");
    for method in ["PATCH", "PUT"] {
        let refused = controlled.ask(method, "/v1/instance", &format!("{JSON}If-Match: \"1\"\r\n"), "{}");
        assert_eq!((refused.status, &refused.json()["revision"]), (412, &json!(2)));
    }
    assert_eq!(controlled.shown()["description"]["tags"]["a"], "first");
    for (change, revision) in [("{}", 2), (r#"{"tags": {"a": "first"}}"#, 2), (r#"{"tags": {"a": "third"}}"#, 3)] {
        let taken = controlled.ask("PATCH", "/v1/instance", &format!("{JSON}If-Match: \"2\"\r\n"), change);
        assert_eq!((taken.status, taken.json()), (200, json!({ "revision": revision })), "{change}");
    }
}

#[test]
fn the_state_that_an_instance_has_is_no_change() {
    let controlled = Controlled::start(&[]);
    let mut revision = 1;
    for (verb, state) in [("start", "running"), ("stop", "stopped"), ("terminate", "terminated")] {
        if state != "running" {
            revision += 1;
            assert!(controlled.told(&[verb]).ends_with(&format!("revision {revision}\n")), "{verb}");
        }
        let again = controlled.told(&[verb]);
        assert!(again.starts_with(&format!("the instance is {state} already; nothing was changed")), "{again}");
        assert!(again.ends_with(&format!("\nrevision {revision}\n")), "{again}");
        let restated = controlled.ask("PATCH", "/v1/instance", JSON, &json!({ "state": state }).to_string());
        assert_eq!((restated.status, restated.json()), (200, json!({ "revision": revision })));
        if state == "running" {
            continue;
        }
        for verb in ["interrupt", "rebalance"] {
            let refused = controlled.ctl(&[verb]);
            let errors = text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{errors}");
            let help = if state == "stopped" { "imds ctl start" } else { "imds ctl reload" };
            assert!(
                errors.starts_with(&format!("error: the instance is {state}, ")) && errors.contains(help),
                "{errors}"
            );
        }
        assert_eq!(controlled.shown()["revision"], revision);
        assert_eq!(controlled.shown()["instance-lifecycle"], "on-demand");
    }
}

/// Each verb that looks before it changes makes one change of what it saw.
#[test]
fn verbs_of_many_operators_lose_nothing() {
    let controlled = Controlled::start(&["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]);
    let place = &controlled.place;
    let done: usize = thread::scope(|scope| {
        let verbs = (0..8).map(|number| {
            let path = format!("/latest/{number}");
            scope.spawn(move || match number % 2 {
                0 => ctl(place, &["fault", "refuse", "--path", &path]),
                _ => ctl(place, &["interrupt", "--in", &format!("{number}m")]),
            })
        });
        let verbs: Vec<_> = verbs.collect();
        let done = verbs.into_iter().map(|verb| verb.join().unwrap());
        done.filter(|output| {
            // Who came too late too often is told so and has changed nothing.
            assert!(output.status.success() || text(&output.stderr).contains("it has revision"), "{output:?}");
            output.status.success()
        })
        .count()
    });
    assert!(done > 0);
    let shown = controlled.shown();
    assert_eq!(shown["revision"], 1 + done);
    // However many interruptions there were, the instance ends once.
    let description = &shown["description"];
    if let Some(time) = description["spot-interruption"]["time"].as_str() {
        let ends: Vec<_> = description["timeline"].as_array().unwrap().iter().map(|entry| &entry["at"]).collect();
        assert_eq!(ends, [time]);
    }
}

#[test]
fn a_crowd_of_operators_takes_turns() {
    let controlled = Controlled::start(&[]);
    let threads = || {
        let status = fs::read_to_string(format!("/proc/{}/status", controlled.served.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Threads:").map(str::trim).map(str::to_owned));
        line?.parse::<usize>().ok()
    };
    controlled.shown();
    let before = threads();
    thread::scope(|scope| {
        for number in 0..48 {
            let address = controlled.place.strip_prefix("http://").unwrap();
            scope.spawn(move || {
                let change = json!({ "tags": { "a": number.to_string() } }).to_string();
                let asked = match number % 2 {
                    0 => format!("GET /v1/instance HTTP/1.1\r\n{HOST}\r\n"),
                    _ => {
                        format!("PATCH /v1/instance HTTP/1.1\r\n{JSON}Content-Length: {}\r\n\r\n{change}", change.len())
                    }
                };
                let answer = request(address, &asked);
                let is_busy = answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n");
                assert!(answer.starts_with("HTTP/1.1 200 ") || is_busy, "{answer}");
            });
        }
        // The instance itself answers in between.
        assert!(controlled.get("/").starts_with("HTTP/1.1 200 "));
    });
    match before.zip(threads()) {
        // Threads that were taken for calls stay for some seconds: a few for those that
        // have their turn, and not one for each caller.
        Some((before, after)) => assert!(after <= before + 12, "{before} threads before, {after} after"),
        None => eprintln!("SKIPPED: the system does not tell how many threads a process has"),
    }
}

#[test]
fn a_wrong_change_changes_nothing_and_is_shown_where_it_was_typed() {
    let controlled = Controlled::start(&[]);
    let file =
        File::new("control-wrong.toml", "[tags]\nName = \"web\"\n\n[metadata-options]\nhttp-tokens = \"maybe\"\n");
    let at_file = format!("@{}", file.path.display());
    for (change, place, shown) in [
        (at_file.as_str(), "control-wrong.toml:5:15 (metadata-options.http-tokens)", "http-tokens = \"maybe\""),
        (
            "tags.Name = 'web'\nmetadta-options = {}",
            "the change:2:1 (metadta-options)",
            "did you mean `metadata-options`?",
        ),
        (r#"{"tags": {"a": "b"}, "state": "gone"}"#, "the change:1:31 (state)", "\"state\": \"gone\""),
        ("user-data = 'hunter2'", "the change:1:13 (user-data)", "help: change `state` to \"stopped\" first"),
        ("instance-id = 'i-0123456789abcdef1'", "the change:1:15 (instance-id)", "for life"),
        ("oops", "the change:1:", "oops"),
    ] {
        let output = controlled.ctl(&["edit", change]);
        assert_eq!(output.status.code(), Some(2), "{change}");
        let errors = text(&output.stderr);
        assert!(errors.contains(place) && errors.contains(shown) && !errors.contains("hunter2"), "{errors}");
    }
    let missing = controlled.ctl(&["edit", "@no/such/file"]);
    assert_eq!(missing.status.code(), Some(2));
    let now = controlled.shown();
    assert_eq!((&now["revision"], now["description"].get("tags")), (&json!(1), None));

    let described = controlled.ask("PUT", "/v1/instance", JSON, r#"{"tags": {"Name": "web"}, "state": 3}"#);
    assert_eq!(described.status, 422);
    let problem = described.json()["problems"][0].clone();
    assert_eq!((&problem["field"], &problem["line"], &problem["column"]), (&json!("/state"), &json!(1), &json!(36)));
    assert_eq!(controlled.shown()["revision"], 1);
}

#[test]
fn all_callers_see_the_same_notice_with_the_same_deadline() {
    let controlled = Controlled::start(&["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]);
    assert!(controlled.get(SPOT_ACTION).starts_with("HTTP/1.1 404 "));
    controlled.told(&["interrupt"]);
    let address: SocketAddr = controlled.served.addresses[0].parse().unwrap();
    for callers in [3, 300] {
        let answers: BTreeSet<String> = thread::scope(|scope| {
            let asking: Vec<_> = (0..callers).map(|caller| scope.spawn(move || ask_from(caller, address))).collect();
            asking.into_iter().map(|asking| asking.join().unwrap()).collect()
        });
        let notice = r#"{"action":"terminate","time":"2026-10-01T00:02:00Z"}"#;
        assert_eq!(answers, BTreeSet::from([notice.to_owned()]), "{callers} callers");
        controlled.told(&["clock", "+50s"]);
    }
}

#[test]
fn a_later_interruption_has_its_notice_two_minutes_before() {
    let controlled = Controlled::start(&["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]);
    let told = controlled.told(&["interrupt", "--in", "10m"]);
    assert!(
        told.starts_with("spot interruption: notice in 8m; terminated in 10m, at 2026-10-01T00:10:00Z\n"),
        "{told}"
    );
    for (step, status) in [("+479s", "404"), ("+1s", "200")] {
        controlled.told(&["clock", step]);
        assert!(controlled.get(SPOT_ACTION).starts_with(&format!("HTTP/1.1 {status} ")), "{step}");
    }
    // Of one that is spot already there is nothing more to say.
    let told = controlled.told(&["interrupt", "--action", "hibernate"]);
    assert_eq!(
        told,
        "spot interruption: notice now; hibernate now, at 2026-10-01T00:08:00Z; stopped in 10s\n\
         it replaces the interruption at 2026-10-01T00:10:00Z\nrevision 3\n"
    );
    controlled.told(&["clock", "+10s"]);
    assert_eq!(controlled.shown()["state"], "stopped");
    controlled.told(&["start"]);
    let told = controlled.told(&["interrupt", "--notice-only"]);
    assert!(told.contains("terminate in 2m, at 2026-10-01T00:10:10Z, which is told only\n"), "{told}");
    controlled.told(&["clock", "+3m"]);
    assert_eq!(controlled.shown()["state"], "running");
    controlled.told(&["interrupt"]);
    controlled.told(&["clock", "+2m"]);
    assert_eq!(controlled.shown()["state"], "terminated");
}

/// The notice as a caller of its own sees it: one with an address of its own where
/// the system gives it any of the loopback network.
fn ask_from(caller: u16, address: SocketAddr) -> String {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let [high, low] = caller.to_be_bytes();
    // Elsewhere than on Linux only 127.0.0.1 is there.
    let _ = socket.bind(&SocketAddr::from(([127, 1, high, low + u8::from(low == 0)], 0)).into());
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(format!("GET {SPOT_ACTION} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}

#[test]
fn no_secret_is_told() {
    let canaries = ["CANARYKEYID", "CANARYKEY", "CANARYTOKEN", "CANARYDATA", "CANARYENTRY", "CANARYTAG", "CANARYLATER"];
    let description = File::new(
        "control-canary.toml",
        "user-data = 'CANARYDATA'\ntags = { db-password = 'CANARYTAG', DB_PWD = 'CANARYTAG', jwt = 'CANARYTAG', sshKey = 'CANARYTAG' }\n\
         timeline = [{ at = '+1h', extra-entries = { 'meta-data/y' = 'CANARYLATER' } }]\n\
         [extra-entries]\n'meta-data/x' = 'CANARYENTRY'\n\
         [iam-instance-profile]\nrole-name = 'test-role'\n\
         [iam-instance-profile.credentials]\naccess-key-id = 'CANARYKEYID'\nsecret-access-key = 'CANARYKEY'\n\
         session-token = 'CANARYTOKEN'\n",
    );
    let controlled = Controlled::start(&["--log", "all", "--instance", description.path.to_str().unwrap()]);
    let token = controlled.served.token();
    for path in ["/latest/user-data", "/latest/meta-data/x", "/latest/meta-data/iam/security-credentials/test-role"] {
        assert!(controlled.served.get_with_token(path, &token).contains("CANARY"), "{path}");
    }
    controlled.get(&format!("/latest/{token}?CANARYDATA"));
    let mut told = String::new();
    for verb in [
        &["show"][..],
        &["show", "--json"],
        &["explain"],
        &["usage", "--json"],
        &["fault"],
        &["edit", "user-data = 'CANARYDATA'"],
        &["edit", "user-data = 'CANARYDATA"],
        &["edit", "state = 'stopped'\nuser-data = 'CANARYDATA'"],
        &["show", "--json"],
    ] {
        let output = controlled.ctl(verb);
        told += &(text(&output.stdout) + &text(&output.stderr));
    }
    for path in ["/v1/instance", "/v1/requests", "/v1/usage", "/metrics"] {
        told += &controlled.ask("GET", path, HOST, "").body;
    }
    told += &controlled.ask("PATCH", "/v1/instance", JSON, r#"{"extra-entries": {"meta-data/x": 1, "CANARYDATA"#).body;
    told += &controlled
        .ask(
            "PATCH",
            "/v1/instance",
            JSON,
            r#"{"state": "running", "extra-entries": {"meta-data/x": ["CANARYENTRY"]}}"#,
        )
        .body;
    assert!(told.contains("(hidden)") && told.contains("meta-data/x"), "{told}");
    told += &controlled.served.end_of_log();
    for canary in canaries.iter().copied().chain([token.as_str()]) {
        assert!(!told.contains(canary), "{canary}: {told}");
    }
}

/// Who puts back what was shown would serve the words that stand for secrets.
#[test]
fn what_is_shown_in_place_of_secrets_is_not_taken_for_them() {
    let controlled = Controlled::start(&[]);
    let shown = r#"{"user-data": "(hidden)"}"#;
    for method in ["PATCH", "PUT"] {
        let answer = controlled.ask(method, "/v1/instance", JSON, shown);
        assert_eq!(answer.status, 400, "{method}");
        assert!(answer.json()["error"].as_str().is_some_and(|words| words.contains("stands for a secret")));
    }
    assert_eq!(controlled.ask("GET", "/v1/instance", HOST, "").json()["revision"], 1);
}

#[test]
fn web_pages_get_nothing() {
    let controlled = Controlled::start(&[]);
    let change = r#"{"tags": {"a": "b"}}"#;
    for (method, fields, status) in [
        ("PATCH", format!("{JSON}Origin: http://attacker.example\r\n"), 403),
        ("PATCH", format!("{JSON}Origin: null\r\n"), 403),
        ("GET", format!("{HOST}Sec-Fetch-Site: cross-site\r\n"), 403),
        ("GET", "Host: attacker.example\r\n".to_owned(), 403),
        ("GET", "Host: localhost.attacker.example:1340\r\n".to_owned(), 403),
        ("GET", format!("{HOST}Host: attacker.example\r\n"), 403),
        ("PATCH", format!("{HOST}Content-Type: text/plain\r\n"), 415),
        ("PATCH", HOST.to_owned(), 415),
        ("OPTIONS", HOST.to_owned(), 405),
    ] {
        let answer = controlled.ask(method, "/v1/instance", &fields, change);
        assert_eq!(answer.status, status, "{method} {fields}");
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
        assert!(answer.json()["error"].is_string());
    }
    let absolute = controlled.ask("GET", "http://attacker.example/v1/instance", HOST, "");
    assert_eq!(absolute.status, 403);
    let shown = controlled.ask("GET", "/v1/instance", HOST, "");
    assert!(!shown.head.contains("access-control") && shown.head.contains("nosniff"), "{}", shown.head);
    assert_eq!(shown.json()["revision"], 1);
    // And the instance itself gives no orders.
    assert!(controlled.get("/v1/instance").starts_with("HTTP/1.1 404 "));
}

#[test]
fn every_answer_is_as_documented() {
    let file = File::new("control-documented.toml", "instance-lifecycle = 'spot'\n");
    let controlled = Controlled::start(&["--instance", file.path.to_str().unwrap(), "--http-tokens", "required"]);
    let document = Document(controlled.ask("GET", "/openapi.json", HOST, "").json());
    assert_eq!(document.0["openapi"], "3.1.0");
    controlled.get("/");
    controlled.served.get_with_token("/", &controlled.served.token());
    controlled.served.request("GET /< HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let faults = r#"{"faults": [{"kind": "cut", "share": 0.5}], "spot-interruption": {"time": "+1h"}}"#;
    let large = "x".repeat((1 << 20) + 1);

    let mut seen = BTreeSet::new();
    let mut ask = |method: &str, path: &str, fields: &str, body: &str| {
        let answer = controlled.ask(method, path, fields, body);
        let path = path.split('?').next().unwrap();
        document.check(method, path, answer.status, &answer.body);
        seen.insert((method.to_owned(), path.to_owned(), answer.status));
    };
    for (method, path, _) in document.all() {
        let fields = if method == "GET" { HOST } else { JSON };
        if method != "PUT" {
            // A description in the place of all would take away what others look at.
            ask(&method, &path, fields, if path == "/v1/instance" { faults } else { r#"{"paused": true}"# });
        }
        ask(&method, &path, "Host: attacker.example\r\n", "{}");
        if method != "GET" {
            ask(&method, &path, HOST, "{}");
            ask(&method, &path, JSON, &large);
        }
    }
    for method in ["PATCH", "PUT"] {
        ask(method, "/v1/instance", &format!("{JSON}If-Match: \"99\"\r\n"), "{}");
        ask(method, "/v1/instance", &format!("{JSON}If-Match: 99\r\n"), "{}");
        ask(method, "/v1/instance", JSON, r#"{"state": "gone", "staet": 1}"#);
        ask(method, "/v1/instance", JSON, "oops");
    }
    ask("GET", "/v1/requests?wait=31", HOST, "");
    ask("GET", "/v1/requests?after=0&limit=1&refusals=true", HOST, "");
    ask("PATCH", "/v1/clock", JSON, r#"{"advance": "5"}"#);
    fs::write(&file.path, "instance-lifecycle = 'sport'\n").unwrap();
    ask("POST", "/v1/reload", JSON, "");
    fs::remove_file(&file.path).unwrap();
    ask("POST", "/v1/reload", JSON, "");
    ask("PUT", "/v1/instance", JSON, r#"{"instance-type": "m7g.large"}"#);

    // Of each path, what another method gets; it has no place of its own in the document.
    for path in document.0["paths"].as_object().unwrap().keys() {
        let answer = controlled.ask("DELETE", path, HOST, "");
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.head.split("\r\nallow: ").nth(1).unwrap().lines().next().unwrap().to_owned();
        let known: BTreeSet<_> = document.0["paths"][path].as_object().unwrap().keys().cloned().collect();
        let allowed: BTreeSet<_> = allowed.split(", ").filter(|method| *method != "head").map(str::to_owned).collect();
        assert_eq!(allowed, known, "{path}");
        let head = controlled.ask("HEAD", path, HOST, "").status;
        assert_eq!(head, if known.contains("get") { 200 } else { 405 }, "{path}");
    }
    let nowhere = controlled.ask("GET", "/v2/instance", HOST, "");
    assert!(nowhere.status == 404 && nowhere.body.contains("/v1/instance"), "{}", nowhere.body);
    // What takes a client that is too slow, a service that fails, and a crowd.
    let untested = [405, 408, 500, 503];
    let documented: BTreeSet<_> =
        document.all().into_iter().filter(|(_, _, status)| !untested.contains(status)).collect();
    assert_eq!(seen, documented);
}

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
         The metadata option http-tokens is \"required\", so every request needs a session token: version 2.",
        "until you have. A fault of the description struck, of the kind \"delay\": the answer was sent late.",
        " no answer to GET /latest/closed from 127.0.0.1, version 1: nothing there in this version now; \
         fault: close, nothing was sent\n  A fault of the description struck, of the kind \"close\"",
        " 404 GET /latest/delayed from 127.0.0.1, version 1: nothing there in this version now; fault: delay\n",
        "imds ctl fault off",
        " no answer to GET /latest/stopped from 127.0.0.1: the instance does not run: its state is \"stopped\" or \
         \"terminated\"; nothing was sent\n",
    ] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
}

#[test]
fn a_file_is_read_again_and_a_wrong_one_changes_nothing() {
    let file = File::new("control-reload.toml", "instance-type = 't3.micro'\n");
    let controlled = Controlled::start(&["--instance", file.path.to_str().unwrap(), "--http-tokens", "required"]);
    fs::write(&file.path, "instance-type = 'm7g.large'\n").unwrap();
    let reloaded = controlled.told(&["reload"]);
    assert!(
        reloaded.contains("control-reload.toml again") && reloaded.ends_with("; edits are undone\nrevision 2\n"),
        "{reloaded}"
    );
    controlled.served.line_with("control-reload.toml again: revision 2");
    assert_eq!(controlled.shown()["identity"]["instanceType"], "m7g.large");
    assert_eq!(controlled.shown()["metadata-options"]["http-tokens"], "required", "flags hold on");

    fs::write(&file.path, "\ninstnace-type = 'm7g.large'\n").unwrap();
    let output = controlled.ctl(&["reload"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("control-reload.toml:2:1 (instnace-type)\nhelp: did you mean `instance-type`?"),
        "{errors}"
    );
    controlled.served.line_with("imds: nothing was changed");
    assert_eq!(controlled.shown()["revision"], 2);
}

#[test]
fn standard_input_is_not_read_again() {
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--instance", "-"]).stdin(Stdio::null());
    let served = Served::spawn(imds, 1);
    let line = served.line_with("imds: control on ");
    let output = ctl(line.strip_prefix("imds: control on ").unwrap(), &["reload"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("give --instance a file"), "{}", text(&output.stderr));
}

#[test]
fn the_command_of_run_finds_where_to_give_orders() {
    let path = socket("run");
    for place in [&["--control"][..], &["--control", path.path.to_str().unwrap()]] {
        let mut imds = Command::new(IMDS);
        imds.args(["run", "--log", "off", "--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]).args(place);
        imds.args(["--", "sh", "-c", "\"$0\" ctl interrupt && \"$0\" ctl reload && cd / && \"$0\" ctl show", IMDS]);
        let output = imds.env("IMDS_CONTROL", "127.0.0.1:1").output().unwrap();
        let (printed, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{printed}{errors}");
        assert!(
            printed.contains("spot interruption: notice now; terminated in 2m") && printed.contains("\nrevision 3\n"),
            "{printed}"
        );
        assert!(errors.contains("imds: control on "), "{errors}");
    }
    assert!(!path.path.exists());
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--", "sh", "-c", "test -z \"$IMDS_CONTROL\""]).env("IMDS_CONTROL", "127.0.0.1:1");
    assert!(imds.output().unwrap().status.success(), "another instance's listener is not the command's");
}

#[test]
fn sockets_belong_to_their_owner_and_go_with_the_program() {
    let path = socket("owner");
    let name = path.path.to_str().unwrap();
    let mut controlled = Controlled::at(name, &[]);
    assert_eq!(fs::metadata(name).unwrap().permissions().mode() & 0o777, 0o600);

    // A live one is left alone.
    let second = imds(&["serve", "--listen", "127.0.0.1:0", "--control", name]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("help: another process listens there"), "{}", text(&second.stderr));
    assert_eq!(controlled.told(&["clock", "system"]).lines().count(), 1);
    assert!(controlled.served.terminate().success());
    assert!(!path.path.exists());

    // One that a killed server left is replaced.
    drop(UnixListener::bind(name).unwrap());
    assert!(path.path.exists());
    let controlled = Controlled::at(name, &[]);
    assert_eq!(controlled.shown()["revision"], 1);
    drop(controlled);
}

#[test]
fn what_is_no_socket_is_never_replaced() {
    let file = File::new("control-no-socket", "precious");
    let output = imds(&["serve", "--listen", "127.0.0.1:0", "--control", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is there and no socket"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&file.path).unwrap(), "precious");
}

#[test]
fn the_listener_is_for_this_machine_and_for_one_instance() {
    for (flags, advice) in [
        (&["--control", "0.0.0.0:1340"][..], "a loopback address with a port, such as 127.0.0.1:1340"),
        (&["--control", "169.254.169.254:80"], "instances and other machines must not"),
        (&["--control", "1340"], "or the path of a Unix socket"),
    ] {
        let output = imds(&[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(text(&output.stderr).contains(advice), "{}", text(&output.stderr));
    }
    let many = File::new("control-many.jsonl", "{\"caller\": \"127.0.0.1\", \"instance\": {}}\n");
    let many = many.path.to_str().unwrap();
    let output =
        imds(&["serve", "--listen", "127.0.0.1:0", "--instances", many, "--caller", "client-address", "--control"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--control is for one instance"), "{}", text(&output.stderr));
}

#[test]
fn who_is_not_there_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    for place in [address.as_str(), "/no/such/socket"] {
        let output = ctl("nonsense", &["--control", place, "show"]);
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        assert!(
            errors.contains(place) && errors.contains("help: start it with --control: imds serve --control"),
            "{errors}"
        );
    }
    assert_eq!(ctl("nonsense", &["show"]).status.code(), Some(2));
    // Somebody else's server.
    let served = Served::start(&[]);
    let output = ctl(&served.addresses[0], &["show"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("is no control listener of imds"), "{}", text(&output.stderr));
}

#[test]
fn silent_clients_keep_no_operator_out() {
    let controlled = Controlled::start(&[]);
    let address = controlled.place.strip_prefix("http://").unwrap();
    let silent: Vec<_> = (0..200).map(|_| connect(address)).collect();
    assert_eq!(controlled.shown()["revision"], 1);
    drop(silent);
}

#[test]
fn every_verb_has_help_with_an_example() {
    let verbs = "show edit interrupt rebalance stop start terminate clock fault follow explain usage reload";
    for verb in verbs.split(' ') {
        let output = imds(&["ctl", verb, "--help"]);
        let help = text(&output.stdout);
        assert!(output.status.success() && help.contains(&format!("  imds ctl {verb}")), "{help}");
    }
    let help = text(&imds(&["ctl", "--help"]).stdout);
    assert!(verbs.split(' ').all(|verb| help.contains(&format!("\n  {verb} "))), "{help}");
}

#[test]
fn what_cannot_be_real_is_said_of_the_change_that_brings_it() {
    let controlled = Controlled::start(&[]);
    let warned = |arguments: &[&str]| {
        let output = controlled.ctl(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stderr)
    };
    let tags = "warning: the tags are not shown: `instance-metadata-tags` is disabled [tags-not-shown]\n --> the instance \
                (tags)\nhelp: ";
    assert!(warned(&["edit", "tags.Name = 'web'"]).starts_with(tags));
    assert_eq!(warned(&["edit", "monitoring = 'enabled'"]), "", "it was so before");
    assert_eq!(warned(&["fault", "refuse", "--path", "/*/meta-data", "--share", "1"]), "");
    let shadowed = warned(&["fault", "delay", "--path", "/latest/meta-data/iam"]);
    assert!(shadowed.starts_with("warning: the fault 0 before it strikes all that this one would [fault-shadowed]\n"));
    assert!(warned(&["fault", "close", "--path", "/meta-data"]).contains("[fault-matches-nothing]"));
    assert!(warned(&["fault", "close", "--method", "GTE"]).contains("[fault-unknown-method]"));

    let answer = controlled.ask("PATCH", "/v1/instance", JSON, r#"{"placement": {"group-name": "a"}, "faults": null}"#);
    assert_eq!(answer.json().get("warnings"), None, "{}", answer.body);
    let answer = controlled.ask("PUT", "/v1/instance", JSON, r#"{"instance-type": "t9.micro"}"#);
    let warnings = &answer.json()["warnings"];
    assert_eq!(
        (&warnings[0]["name"], &warnings[0]["field"]),
        (&json!("unknown-instance-type"), &json!("/instance-type"))
    );
}
