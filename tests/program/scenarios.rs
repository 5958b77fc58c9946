//! Scenarios by name and in files: `--scenario` and `imds scenarios`.

use super::*;

const STOP: &str = "[[timeline]]\nat = \"+1h\"\nstate = \"stopped\"\n";

/// Serves at 2026-10-01T00:00:00Z, where the clock stands.
fn serve(flags: &[&str]) -> Served {
    let clock = ["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"];
    Served::start(&[flags, &clock].concat())
}

fn get(served: &Served, path: &str) -> String {
    served.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

#[test]
fn scenarios_are_listed_each_with_what_happens() {
    let output = imds(&["scenarios"]);
    assert!(output.status.success());
    let list = text(&output.stdout);
    let (head, rows) = list.split_once('\n').unwrap();
    assert_eq!(head, "NAME                      TAKES    WHAT HAPPENS");
    assert!(rows.contains("\nspot-interruption         2m 30s   A spot instance gets a "), "{list}");
    assert!(rows.contains("\ncredentials-rotate        no end   The role's credentials "), "{list}");
    for line in rows.lines() {
        let name = line.split(' ').next().unwrap();
        assert!(line.ends_with('.'), "{line}");
        assert!(imds(&["check", "--scenario", name]).status.success(), "{name}");
    }
}

#[test]
fn scenarios_are_listed_in_json_with_the_time_that_each_takes() {
    let output = imds(&["scenarios", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = list.as_array().unwrap();
    let seconds: Vec<_> = list.iter().map(|one| (one["name"].as_str().unwrap(), one["seconds"].as_u64())).collect();
    assert_eq!(
        seconds,
        [
            ("auto-scaling-termination", Some(80)),
            ("capacity-rebalance", Some(75)),
            ("credentials-expire", Some(360)),
            ("credentials-fail", Some(80)),
            ("credentials-revoked", Some(80)),
            ("credentials-rotate", None),
            ("flaky-service", Some(180)),
            ("iam-propagation", Some(8)),
            ("maintenance-reboot", Some(180)),
            ("source-flaky", Some(120)),
            ("spot-hibernate", Some(90)),
            ("spot-interruption", Some(150)),
            ("spot-stop", Some(200)),
            ("stop-start", Some(60)),
            ("tokens-required", Some(30)),
        ]
    );
    assert!(list.iter().all(|one| one["summary"].as_str().unwrap().ends_with('.')));
}

#[test]
fn a_scenario_that_was_printed_is_one_to_start_from() {
    let printed = text(&imds(&["scenarios", "spot-stop"]).stdout);
    assert!(printed.starts_with("# A spot instance is stopped"), "{printed}");
    let file = File::new("mine.toml", printed.replace("\"stop\"", "\"terminate\""));
    let path = file.path.to_str().unwrap();
    let output = imds(&["check", "--scenario", path]);
    assert_eq!(text(&output.stdout), format!("{path}: valid\n"));
}

#[test]
fn a_scenario_that_is_not_there_is_told_with_what_was_meant() {
    for arguments in [
        &["serve", "--scenario", "spot-interuption"][..],
        &["run", "--scenario", "spot-interuption", "--", "true"],
        &["scenarios", "spot-interuption"],
    ] {
        let output = imds(arguments);
        assert_eq!(output.status.code(), Some(2));
        let errors = text(&output.stderr);
        assert!(errors.contains("tip: a similar value exists: 'spot-interruption'"), "{errors}");
        assert!(errors.contains("capacity-rebalance, "), "{errors}");
    }
    let output = imds(&["serve", "--scenario", "no/such.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("imds: cannot read no/such.toml: "));
}

#[test]
fn a_scenario_stands_over_the_file_and_below_the_flags() {
    let instance =
        File::new("base.toml", "instance-type = 'm7g.large'\nmetadata-options = { http-tokens = 'optional' }\n");
    let scenario = File::new(
        "over.toml",
        "tags = { Name = 'web' }\n\
         metadata-options = { http-tokens = 'required', instance-metadata-tags = 'disabled' }\n",
    );
    let [instance, scenario] = [&instance, &scenario].map(|file| file.path.to_str().unwrap());
    let flags = ["--instance", instance, "--scenario", scenario, "--instance-metadata-tags", "enabled"];
    let served = serve(&flags);
    assert!(get(&served, "/").starts_with("HTTP/1.1 401 "));
    let token = served.token();
    assert!(served.get_with_token("/latest/meta-data/instance-type", &token).ends_with("\r\n\r\nm7g.large"));
    assert!(served.get_with_token("/latest/meta-data/tags/instance/Name", &token).ends_with("\r\n\r\nweb"));
}

#[test]
fn scenarios_are_combined_in_their_order() {
    let file = |name, tag| File::new(name, format!("tags = {{ Name = '{tag}', {tag} = '' }}\n{STOP}"));
    let [one, two] = [file("one.toml", "one"), file("two.toml", "two")];
    let [one, two] = [&one, &two].map(|file| file.path.to_str().unwrap());
    let tagged = ["--instance-metadata-tags", "enabled"];
    let served = serve(&[&["--scenario", one, "--scenario", "spot-stop", "--scenario", two], &tagged[..]].concat());
    assert!(get(&served, "/latest/meta-data/tags/instance/").ends_with("\r\n\r\nName\none\ntwo"));
    assert!(get(&served, "/latest/meta-data/tags/instance/Name").ends_with("\r\n\r\ntwo"));
    assert!(get(&served, "/latest/meta-data/instance-life-cycle").ends_with("\r\n\r\nspot"));
}

#[test]
fn the_start_tells_what_will_happen() {
    let served = serve(&["--scenario", "spot-interruption"]);
    for wanted in [
        "What happens, by the service's clock:",
        "  in 15s: rebalance recommendation",
        "  in 30s: spot notice: terminate at 2026-10-01T00:02:30Z",
        "  in 2m 30s: state = terminated",
    ] {
        served.line_with(wanted);
    }
}

#[test]
fn a_scenario_at_another_speed_tells_true_times() {
    let served = serve(&["--scenario", "spot-interruption", "--scenario-speed", "10"]);
    for wanted in ["  in 3s: spot notice: terminate at 2026-10-01T00:00:15Z", "  in 15s: state = terminated"] {
        served.line_with(wanted);
    }
    let instance = File::new("sped-up.toml", "instance-type = 'm7g.large'\n");
    let path = instance.path.to_str().unwrap();
    let export =
        ["export", path, "--scenario", "spot-stop", "--scenario-speed", "2", "--start", "2026-10-01T00:00:00Z"];
    let exported = text(&imds(&export).stdout);
    assert!(exported.contains(r#"{"at":"+10s","spot-interruption":{"action":"stop","#), "{exported}");
    assert!(exported.contains(r#""time":"+60s"}"#), "{exported}");
}

#[test]
fn a_speed_that_makes_no_sense_is_refused_with_a_sentence() {
    for (speed, wanted) in [
        ("0", "error: expected a scenario's speed from 1 to 1000, found 0\n"),
        ("-3", "error: expected a scenario's speed from 1 to 1000, found -3\n"),
        ("NaN", "error: expected a scenario's speed from 1 to 1000, found NaN\n"),
        ("1e9", "error: expected a scenario's speed from 1 to 1000, found 1000000000\n"),
        ("fast", "'--scenario-speed <N>': expected a number such as 10\n"),
    ] {
        let output = imds(&["check", "--scenario", "spot-stop", "--scenario-speed", speed]);
        assert_eq!(output.status.code(), Some(2), "{speed}");
        let errors = text(&output.stderr);
        assert!(errors.contains(wanted), "{speed}: {errors}");
    }
    let output = imds(&["serve", "--scenario-speed", "10"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--scenario <NAME|FILE>"), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_sped_up_has_its_place_in_the_scenario() {
    let absolute = File::new("absolute.toml", "[[timeline]]\nat = \"2026-10-01T00:00:00Z\"\nstate = \"stopped\"\n");
    let wrong = File::new("wrong-at-any-speed.toml", "[[timeline]]\nat = \"+1m\"\nrebalance-recommendation = {}\n");
    for (file, place) in [(&absolute, "2:6 (timeline[0].at)"), (&wrong, "3:28 (timeline[0].rebalance-recommendation)")]
    {
        let path = file.path.to_str().unwrap();
        let output = imds(&["check", "--scenario", path, "--scenario-speed", "10"]);
        assert_eq!(output.status.code(), Some(2));
        let errors = text(&output.stderr);
        assert!(errors.contains(&format!("--> {path}:{place}\n")), "{errors}");
    }
}

#[test]
fn what_is_wrong_with_a_scenario_has_its_place_in_it() {
    let scenario = File::new("wrong-scenario.toml", "[[timeline]]\nat = \"+1m\"\nrebalance-recommendation = {}\n");
    let instance = File::new("on-demand.toml", "instance-type = \"t3.micro\"\n");
    let [scenario, instance] = [&scenario, &instance].map(|file| file.path.to_str().unwrap());
    let place = format!(
        "error: only a spot instance has this\n --> {scenario}:3:28 (timeline[0].rebalance-recommendation)\n  \
         |\n3 | rebalance-recommendation = {{}}\n  |                            ^^\n"
    );
    for arguments in [
        &["serve", "--scenario", scenario][..],
        &["check", "--scenario", scenario],
        &["check", instance, "--scenario", scenario],
        &["run", "--instance", instance, "--scenario", scenario, "--", "true"],
    ] {
        let output = imds(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = text(&output.stderr);
        assert!(errors.starts_with(&place), "{arguments:?}: {errors}");
    }
}

#[test]
fn what_is_wrong_with_the_instance_has_its_place_in_its_file() {
    let instance = File::new("wrong-base.toml", "\n[tags]\n\"a/b\" = \"\"\n");
    let path = instance.path.to_str().unwrap();
    let output = imds(&["serve", "--instance", path, "--scenario", "spot-stop", "--instance-metadata-tags", "enabled"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains(&format!("\n --> {path}:3:1 (tags.a/b)\n")), "{errors}");
}

#[test]
fn a_wrong_timeline_is_told_at_its_line_and_column() {
    let file = File::new(
        "wrong-timeline.toml",
        "[[timeline]]\nat = \"+1m\"\n\n[[timeline]]\nat = \"1m\"\n\n[[timeline]]\nstate = \"stopped\"\n\n[[timeline]]\n\
         at = \"+2m\"\ntimeline-start = \"+1m\"\n",
    );
    let path = file.path.to_str().unwrap();
    let errors = text(&imds(&["check", path]).stderr);
    for place in ["5:6 (timeline[1].at)", "7:1 (timeline[2])", "12:1 (timeline[3].timeline-start)"] {
        assert!(errors.contains(&format!("--> {path}:{place}\n")), "{place}: {errors}");
    }
    let file = File::new(
        "wrong-change.toml",
        "[[timeline]]\nat = \"+1m\"\n[timeline.metadata-options]\nhttp-tokens = \"requird\"\n\n[[faults]]\nkind = \"refuze\"\n",
    );
    let path = file.path.to_str().unwrap();
    let errors = text(&imds(&["check", path]).stderr);
    assert!(errors.contains(&format!("--> {path}:7:8 (faults[0].kind)\n")), "{errors}");
    let fixed = fs::read_to_string(path).unwrap().replace("refuze", "refuse");
    fs::write(path, fixed).unwrap();
    let errors = text(&imds(&["check", path]).stderr);
    assert!(errors.contains(&format!("--> {path}:4:15 (timeline[0].metadata-options.http-tokens)\n")), "{errors}");
}

#[test]
fn a_scenario_holds_for_all_instances() {
    let line = |caller: &str, more: &str| format!("{{\"caller\": \"{caller}\", \"instance\": {{{more}}}}}\n");
    let guests = File::new("scenario-guests.jsonl", line("a", "") + &line("b", "\"instance-type\": \"m7g.large\""));
    let many = ["--instances", guests.path.to_str().unwrap(), "--caller", "header:X-Guest"];
    let served = serve(&[&many, &["--scenario", "spot-stop"][..]].concat());
    for guest in ["a", "b"] {
        let request = format!(
            "GET /latest/meta-data/instance-life-cycle HTTP/1.1\r\nHost: localhost\r\nX-Guest: {guest}\r\n\r\n"
        );
        assert!(served.request(&request).ends_with("\r\n\r\nspot"), "{guest}");
    }

    let spot = "\"instance-lifecycle\": \"spot\", \"spot-interruption\": {\"time\": \"2030-01-01T00:00:00Z\"}";
    let spot = File::new("scenario-for-some.jsonl", line("a", "") + &line("b", spot));
    let late = File::new("late.toml", "[[timeline]]\nat = \"+2m\"\ninstance-lifecycle = \"on-demand\"\n");
    let [many, late] = [&spot, &late].map(|file| file.path.to_str().unwrap());
    let output = imds(&["serve", "--instances", many, "--caller", "header:X-Guest", "--scenario", late]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains(&format!(" --> {late} (for b):1:1 (timeline[0])\n")), "{errors}");
}

#[cfg(unix)]
#[test]
fn a_scenario_that_changed_is_read_again() {
    let file = File::new("again.toml", "tags = { Name = 'before' }\n");
    let path = file.path.to_str().unwrap();
    let served = serve(&["--scenario", path, "--instance-metadata-tags", "enabled", "--watch"]);
    assert!(get(&served, "/latest/meta-data/tags/instance/Name").ends_with("before"));
    fs::write(&file.path, "tags = { Name = 'afterwards' }\n").unwrap();
    served.line_with(&format!("imds: read {path} again: revision "));
    assert!(get(&served, "/latest/meta-data/tags/instance/Name").ends_with("afterwards"));
}

#[test]
fn the_scenario_of_the_readme_is_valid() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let scenario = readme.split("```toml\n").filter_map(|block| block.split("```").next());
    let scenario = scenario.into_iter().find(|block| block.contains("[[timeline]]")).expect("the README has one");
    let file = File::new("of-the-readme.toml", scenario);
    let output = imds(&["check", "--scenario", file.path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// A store that replicas read is edited by what is put there.
#[test]
fn a_description_is_exported_with_scenarios_and_edits() {
    let file = File::new("exported.toml", "instance-type = 'm7g.large'\n");
    let export = |flags: &[&str]| {
        let output = imds(&[&["export", file.path.to_str().unwrap()], flags].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, json, _) = export(&["--scenario", "tokens-required", "--start", "2026-10-01T00:00:00Z"]);
    assert_eq!(code, Some(0));
    assert!(json.contains(r#""timeline-start":"2026-10-01T00:00:00.000Z""#) && json.contains(r#""at":"+"#), "{json}");
    let (code, json, _) = export(&["--edit", "tags.Name = 'web'"]);
    assert_eq!(code, Some(0));
    assert!(json.contains(r#""tags":{"Name":"web"}"#), "{json}");
    let (code, json, told) = export(&["--edit", "user-data = 'late'"]);
    assert_eq!((code, json.as_str()), (Some(2), ""));
    assert!(told.contains(" --> the change:1:13 (user-data)"), "{told}");
    let (code, json, _) = export(&[]);
    assert_eq!((code, json.as_str()), (Some(0), "{\"instance-type\":\"m7g.large\"}\n"));
}
