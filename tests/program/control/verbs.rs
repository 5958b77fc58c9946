//! What each verb of `imds ctl` does, and what callers see of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::*;

const SPOT_ACTION: &str = "/latest/meta-data/spot/instance-action";

#[test]
fn a_scenario_happens_from_now() {
    let flags = ["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"];
    let controlled = Controlled::at("127.0.0.1:0", &flags);
    controlled.told(&["clock", "+1h"]);
    let told = controlled.told(&["scenario", "spot-interruption", "--speed", "10"]);
    assert!(told.starts_with("the instance is running\ninstance-lifecycle was on-demand and is spot now\n"), "{told}");
    assert!(told.contains("  spot interruption: terminate\n") && told.ends_with("\nrevision 2\n"), "{told}");
    // All of it is to come: the shipped one at ten times its speed.
    let end = controlled.shown()["timeline"]["to-come"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["what"] == "state = terminated")
        .unwrap()["at"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!("2026-10-01T01:00:00" < &*end && &*end < "2026-10-01T01:01:00", "{end}");
    controlled.told(&["clock", "+1m"]);
    assert_eq!(controlled.shown()["state"], "terminated");
    let reset = controlled.told(&["reset"]);
    assert!(reset.ends_with("; edits are undone\nrevision 3\n"), "{reset}");
    assert_eq!(controlled.shown()["state"], "running");
    for (scenario, expected) in [("spot-interuption", "spot-interruption"), ("./nothing.toml", "nothing.toml")] {
        let output = controlled.ctl(&["scenario", scenario]);
        assert!(output.status.code() == Some(2) && text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}

#[test]
fn a_fault_is_removed_by_its_number() {
    let controlled = Controlled::at("127.0.0.1:0", &[]);
    controlled.told(&["fault", "refuse", "--path", "/latest/user-data"]);
    controlled.told(&["fault", "cut", "--method", "PUT"]);
    let all = controlled.told(&["fault", "throttle", "--burst", "5"]);
    assert_eq!(all, "1  refuse, /latest/user-data\n2  cut, PUT\n3  throttle above 5 at once\n");
    assert_eq!(controlled.told(&["fault", "remove", "1"]), "1  cut, PUT\n2  throttle above 5 at once\n");
    assert_eq!(controlled.told(&["fault", "remove", "2"]), "1  cut, PUT\n");
    for (arguments, expected) in [
        (&["fault", "remove", "2"][..], "there are 1 faults; imds ctl fault lists them"),
        (&["fault", "remove", "0"], "which one? imds ctl fault lists them"),
        (&["fault", "remove"], "which one? imds ctl fault lists them"),
        (&["fault", "cut", "1"], "a number is for remove"),
        (&["fault", "remove", "1", "--path", "/"], "remove takes no --path"),
    ] {
        let output = controlled.ctl(arguments);
        assert!(output.status.code() == Some(2) && text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    assert_eq!(controlled.told(&["fault", "remove", "1"]), "no faults\n");
}

#[test]
fn edit_takes_keys_and_values_as_they_are_typed() {
    let controlled = Controlled::at("127.0.0.1:0", &["--set", "metadata-options.instance-metadata-tags=enabled"]);
    let told = controlled.told(&["edit", "tags.Name=1", "metadata-options.http-put-response-hop-limit=2"]);
    assert_eq!(told, "revision 2\n");
    assert!(controlled.get("/latest/meta-data/tags/instance/Name").ends_with("\r\n\r\n1"));
    let output = controlled.ctl(&["edit", "tags.Name=web-1", "instnce-type=x"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "error: unknown field `instnce-type`\n --> instnce-type\nhelp: did you mean `instance-type`?\n"
    );
}

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
            "the instance is running\n\
             instance-lifecycle was on-demand and is spot now\n\
             now           2026-10-01T00:00:00.000Z  spot notice: stop at 2026-10-01T00:02:00Z\n\
             in 2m         2026-10-01T00:02:00.000Z  spot interruption: stop\n\
             in 2m         2026-10-01T00:02:00.000Z  state = stopped\nrevision 4\n"
        );
        let notice = r#"{"action":"stop","time":"2026-10-01T00:02:00Z"}"#;
        assert!(controlled.get(SPOT_ACTION).ends_with(notice));
        assert!(told(&["show"]).contains("timeline  now           2026-10-01T00:00:00.000Z  spot notice: stop at "));

        let rebalanced = told(&["rebalance"]);
        assert!(rebalanced.contains("  rebalance recommendation\n") && rebalanced.ends_with("revision 5\n"));
        let recommendation = controlled.get("/latest/meta-data/events/recommendations/rebalance");
        assert!(recommendation.ends_with(r#""2026-10-01T00:00:00Z"}"#), "{recommendation}");

        assert_eq!(told(&["clock"]), "2026-10-01T00:00:00.000Z, paused\n");
        assert_eq!(told(&["clock", "+90s"]), "2026-10-01T00:01:30.000Z, paused\n");
        assert!(told(&["show"]).contains(" in 30s        2026-10-01T00:02:00.000Z  spot interruption: stop\n"));

        assert_eq!(told(&["stop"]), "the instance is stopped\nrevision 6\n");
        assert_eq!(controlled.shown()["state"], "stopped");
        let started = told(&["start"]);
        assert!(started.starts_with("the instance is running\n") && started.ends_with("\nrevision 7\n"), "{started}");
        assert!(controlled.get(SPOT_ACTION).starts_with("HTTP/1.1 404 "), "a start ends the interruption");

        assert_eq!(told(&["fault", "refuse", "--path", "/latest/user-data"]), "1  refuse, /latest/user-data\n");
        assert!(controlled.get("/latest/user-data").starts_with("HTTP/1.1 503 "));
        assert_eq!(told(&["fault"]), "1  refuse, /latest/user-data\n");
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

        let reboot = "events = [{ code = 'system-reboot', not-before = '+1h' }]";
        assert_eq!(told(&["edit", reboot]), "revision 10\n");
        let rebooted = told(&["reboot"]);
        assert!(rebooted.starts_with("the instance is running\n") && rebooted.ends_with("\nrevision 11\n"));
        assert!(!told(&["show"]).contains("system-reboot"), "no reboot is to come any more");

        let reloaded = told(&["reset"]);
        assert!(reloaded.ends_with("; edits are undone\nrevision 12\n"), "{reloaded}");
        assert_eq!(controlled.shown()["instance-lifecycle"], "on-demand");
        let terminated = told(&["terminate"]);
        assert_eq!(terminated, "the instance is terminated; to have it back: imds ctl reset\nrevision 13\n");
        let refused = controlled.ctl(&["start"]);
        assert_eq!(refused.status.code(), Some(2));
        let errors = text(&refused.stderr);
        assert!(
            errors.starts_with("error: the instance is terminated, ")
                && errors.contains("--> imds ctl start (operation)\n")
                && errors.contains("imds ctl reset\n"),
            "{errors}"
        );
    }
}

#[test]
fn nothing_was_refused_and_nobody_asked() {
    let controlled = Controlled::start(&[]);
    assert_eq!(controlled.told(&["explain"]), "none of the last requests was refused, and no fault affected one\n");
    let usage = controlled.told(&["usage"]);
    assert!(usage.ends_with("no request came without a token; 0 used version 2\n"), "{usage}");
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
        "1  withhold, PUT, /latest/api/token, ends in 30s\n2  delay by 2s 25% of requests\n\
         3  throttle above 5 at once and 1 a second\n"
    );
    // What is over makes room.
    controlled.told(&["clock", "+31s"]);
    assert!(controlled.told(&["fault"]).contains("/latest/api/token, over\n"));
    let lines = controlled.told(&["fault", "cut"]);
    assert_eq!(lines, "1  delay by 2s 25% of requests\n2  cut\n3  throttle above 5 at once and 1 a second\n");
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
    for line in [
        "in 8m         2026-10-01T00:08:00.000Z  spot notice: terminate at 2026-10-01T00:10:00Z\n",
        "in 10m        2026-10-01T00:10:00.000Z  state = terminated\n",
    ] {
        assert!(told.contains(line), "{told}");
    }
    for (step, status) in [("+479s", "404"), ("+1s", "200")] {
        controlled.told(&["clock", step]);
        assert!(controlled.get(SPOT_ACTION).starts_with(&format!("HTTP/1.1 {status} ")), "{step}");
    }
    // It takes the place of the one that was to come.
    let told = controlled.told(&["interrupt", "--action", "hibernate"]);
    assert!(
        told.contains("in 10s        2026-10-01T00:08:10.000Z  state = stopped\n") && told.ends_with("\nrevision 3\n"),
        "{told}"
    );
    assert!(!controlled.told(&["show"]).contains("terminate"));
    controlled.told(&["clock", "+10s"]);
    assert_eq!(controlled.shown()["state"], "stopped");
    controlled.told(&["start"]);
    let told = controlled.told(&["interrupt", "--notice-only"]);
    assert!(told.contains("spot notice: terminate at 2026-10-01T00:10:10Z\n") && !told.contains("state ="), "{told}");
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
fn every_verb_has_help_with_an_example() {
    let verbs =
        "show edit interrupt rebalance stop start reboot terminate clock fault follow explain usage scenario reset";
    for verb in verbs.split(' ') {
        let output = imds(&["ctl", verb, "--help"]);
        let help = text(&output.stdout);
        assert!(output.status.success() && help.contains(&format!("  imds ctl {verb}")), "{help}");
    }
    let help = text(&imds(&["ctl", "--help"]).stdout);
    assert!(verbs.split(' ').all(|verb| help.contains(&format!("\n  {verb} "))), "{help}");
}
