//! Changes of the instance: wrong ones, those of many operators, and the file read again.

use super::*;

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
        (&["interrupt", "--action", "explode"], "known: terminate, stop, hibernate"),
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
    assert_eq!(controlled.told(&["fault", "delay"]), "1  delay\n");
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
        assert!(again.starts_with(&format!("the instance is {state}; nothing was changed")), "{again}");
        assert!(again.ends_with(&format!("\nrevision {revision}\n")), "{again}");
        let restated = controlled.ask("PATCH", "/v1/instance", JSON, &json!({ "state": state }).to_string());
        assert_eq!((restated.status, restated.json()), (200, json!({ "revision": revision })));
        if state == "running" {
            continue;
        }
        for verb in ["interrupt", "rebalance", "reboot"] {
            let refused = controlled.ctl(&[verb]);
            let errors = text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{errors}");
            let help = if state == "stopped" { "start it first" } else { "imds ctl reset" };
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
        None => skipped("the system does not tell how many threads a process has"),
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
        ("user-data = 'hunter2'", "the change:1:13 (user-data)", "help: stop it first: imds ctl stop"),
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
fn a_file_is_read_again_and_a_wrong_one_changes_nothing() {
    let file = File::new("control-reload.toml", "instance-type = 't3.micro'\n");
    let controlled = Controlled::start(&["--instance", file.path.to_str().unwrap(), "--http-tokens", "required"]);
    fs::write(&file.path, "instance-type = 'm7g.large'\n").unwrap();
    let name = file.path.display();
    assert_eq!(controlled.told(&["reload"]), format!("read {name} again; edits are undone\nrevision 2\n"));
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
    assert!(shadowed.starts_with("warning: the fault 0 before it affects all that this one would [fault-shadowed]\n"));
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
