//! Warnings: `imds check --strict`, every start, and changes while it runs.

use super::*;

/// What an instance cannot have: a type that nobody knows, and tags that are not
/// shown.
const IMPLAUSIBLE: &str = "instance-type = 't9.micro'\n\n[tags]\nName = 'web'\n";

fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = imds(&[&["check"], arguments].concat());
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn directory(name: &str, files: &[(&str, &str)]) -> Vec<File> {
    files.iter().map(|(file, content)| File::new(&format!("{name}/{file}"), content)).collect()
}

fn parent(files: &[File]) -> &str {
    files[0].path.parent().unwrap().to_str().unwrap()
}

#[test]
fn check_prints_warnings_and_strict_fails_for_them() {
    let file = File::new("warnings.toml", IMPLAUSIBLE);
    let name = file.path.to_str().unwrap();
    let (code, printed, errors) = check(&[name]);
    assert_eq!((code, printed), (Some(0), format!("{name}: valid, with 2 warnings\n")));
    let first = format!(
        "warning: no family of instance types called `t9` is known here [unknown-instance-type]\n --> {name}:1:17 \
         (instance-type)\n  |\n1 | instance-type = 't9.micro'\n  |                 ^^^^^^^^^^\nhelp: "
    );
    assert!(errors.starts_with(&first), "{errors}");
    assert!(errors.contains(&format!(" [tags-not-shown]\n --> {name}:3:")), "{errors}");

    let (code, printed, errors) = check(&["--strict", name]);
    assert_eq!((code, printed.as_str()), (Some(2), ""), "{errors}");
    assert!(errors.ends_with(&format!("\n\nimds: {name} has 2 warnings, which --strict refuses\n")), "{errors}");
}

#[test]
fn a_warning_is_silenced_by_its_name() {
    let file = File::new("silenced.toml", format!("allow-warnings = ['unknown-instance-type']\n{IMPLAUSIBLE}"));
    let name = file.path.to_str().unwrap();
    let valid = format!("{name}: valid\n");
    for flag in ["--allow-warning", "--allow", "-A"] {
        assert_eq!(check(&["--strict", flag, "tags-not-shown", name]), (Some(0), valid.clone(), String::new()));
    }
}

#[test]
fn a_name_that_no_warning_has_is_refused_with_those_that_there_are() {
    for arguments in [&["check", "--scenario", "spot-stop"][..], &["serve"], &["run", "--", "true"]] {
        let (command, rest) = arguments.split_first().unwrap();
        let output = imds(&[&[*command, "--allow-warning", "tags-not-show"], rest].concat());
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        let wrong = "imds: --allow-warning: no warning has the name `tags-not-show`; did you mean `tags-not-shown`?\n\
                     help: the names are ";
        assert!(errors.starts_with(wrong) && errors.contains(", unknown-instance-type, "), "{errors}");
    }
    let output = imds(&["check", "-A", "nothing-like-one", "--scenario", "spot-stop"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!text(&output.stderr).contains("did you mean"), "{}", text(&output.stderr));
}

#[test]
fn a_wrong_description_is_an_error_and_has_no_warnings() {
    let file = File::new("wrong-and-warned.toml", format!("{IMPLAUSIBLE}x = 1\n"));
    let (code, _, errors) = check(&["--strict", file.path.to_str().unwrap()]);
    assert_eq!((code, errors.contains("warning")), (Some(2), false), "{errors}");
}

#[test]
fn a_warning_shows_no_line_with_a_secret() {
    let content = r#"{"iam-instance-profile": {"credentials": {"access-key-id": "AKIAHUNTER2", "secret-access-key": "hunter2", "session-token": "hunter2"}}}"#;
    let file = File::new("secret-warned.json", content);
    let (_, _, errors) = check(&[file.path.to_str().unwrap()]);
    assert!(errors.contains("[access-key-form]"), "{errors}");
    assert!(!errors.to_ascii_lowercase().contains("hunter2"), "{errors}");
}

#[test]
fn the_readme_shows_a_warning_as_it_is_printed() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let printed = readme.split("```text\nwarning: ").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let file = File::new("readme-warning/instance.toml", "instance-type = \"t3.mikro\"\n");
    let mut imds = Command::new(IMDS);
    imds.args(["check", "instance.toml"]).current_dir(file.path.parent().unwrap());
    assert_eq!(text(&imds.output().unwrap().stderr).trim_end(), format!("warning: {printed}").trim_end());
}

#[test]
fn check_takes_a_directory_and_leaves_out_what_is_no_description() {
    let files = directory(
        "guests",
        &[
            ("10.0.0.7.toml", ""),
            ("10.0.0.8.json", "{}"),
            ("vm-9.toml", IMPLAUSIBLE),
            ("README.md", "# Guests"),
            (".vm-9.toml.swp", "x"),
            ("old/10.0.0.1.toml", "x = 1"),
        ],
    );
    let name = parent(&files);
    let (code, printed, errors) = check(&[name]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(printed, format!("{name}: 3 descriptions, 3 valid, 0 wrong, 1 with warnings\n"));
    let left_out = format!(
        "imds: warning: what is hidden in {name} is left out: .vm-9.toml.swp\n\
         imds: warning: what is no description in {name} is left out: README.md, old; descriptions are named KEY.toml \
         or KEY.json\n"
    );
    assert!(errors.starts_with(&left_out), "{errors}");
    assert!(errors.contains(&format!(" --> {name}/vm-9.toml:1:17 (instance-type)\n")), "{errors}");

    let (code, printed, errors) = check(&["--strict", name]);
    assert_eq!((code, printed.as_str()), (Some(2), ""));
    assert!(
        errors.ends_with("3 descriptions, 3 valid, 0 wrong, 1 with warnings, which --strict refuses\n"),
        "{errors}"
    );
    let allowed = ["--strict", "-A", "unknown-instance-type", "-A", "tags-not-shown", name];
    assert_eq!(check(&allowed).1, format!("{name}: 3 descriptions, 3 valid, 0 wrong, 0 with warnings\n"));

    let (code, _, errors) = check(&["--caller", "client-address", name]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("error: no caller can have the key `vm-9`: expected an IP address"), "{errors}");
    assert!(errors.ends_with("3 descriptions, 2 valid, 1 wrong, 0 with warnings\n"), "{errors}");
}

#[test]
fn check_takes_json_lines_and_names_the_lines() {
    let lines = "{\"caller\": \"a\", \"instance\": {}}\n\
                 {\"caller\": \"b\", \"instance\": {\"instance-type\": \"t9.micro\"}}\n\
                 {\"caller\": \"c\", \"instance\": {\"instance-typ\": \"t3.micro\"}}\n\
                 {\"caller\": \"a\", \"instance\": {}}\n";
    let file = File::new("guests.jsonl", lines);
    let name = file.path.to_str().unwrap();
    let (code, printed, errors) = check(&[name]);
    assert_eq!((code, printed.as_str()), (Some(2), ""));
    for wanted in [
        format!(" [unknown-instance-type]\n --> {name}:2:47 (instance-type)\n"),
        format!("error: unknown field `instance-typ`\n --> {name}:3:30 (instance-typ)\n"),
        format!("error: the caller `a` was given before, in line 1\n --> {name}:4:1\n"),
        format!("imds: {name}: 4 descriptions, 2 valid, 2 wrong, 1 with warnings\n"),
    ] {
        assert!(errors.contains(&wanted), "{wanted}\nis not in\n{errors}");
    }
    let empty = File::new("empty.jsonl", "\n");
    let name = empty.path.to_str().unwrap();
    assert_eq!(check(&[name]).2, format!("imds: there is no description in {name}\n"));
}

#[test]
fn of_many_with_warnings_the_first_are_shown_and_all_counted() {
    let line =
        |number: usize| format!("{{\"caller\": \"{number}\", \"instance\": {{\"instance-type\": \"t9.micro\"}}}}\n");
    let file = File::new("many-warned.jsonl", (0..300).map(line).collect::<String>());
    let (code, printed, errors) = check(&[file.path.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(printed.ends_with("300 descriptions, 300 valid, 0 wrong, 300 with warnings\n"), "{printed}");
    assert_eq!(errors.matches("[unknown-instance-type]").count(), 5, "{errors}");
    assert!(
        errors.contains("imds: warning: 300 descriptions have warnings: unknown-instance-type 300 times\n"),
        "{errors}"
    );
}

#[cfg(unix)]
#[test]
fn a_start_prints_warnings_behind_the_lines_that_scripts_read() {
    let file = File::new("warned-start.toml", IMPLAUSIBLE);
    let flags = ["--instance", file.path.to_str().unwrap()];
    // It panics where another line comes first.
    let served = Served::start(&flags);
    served.line_with("[unknown-instance-type]");
    served.line_with("[tags-not-shown]");
    let served =
        Served::start(&[&flags[..], &["-A", "unknown-instance-type", "--instance-metadata-tags", "enabled"]].concat());
    let log = served.end_of_log();
    assert!(!log.contains("warning:"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_log_in_json_has_warnings_in_json() {
    let file = File::new("warned-json.toml", IMPLAUSIBLE);
    let flags = ["--instance", file.path.to_str().unwrap(), "--log-format", "json"];
    let log = Served::start(&flags).end_of_log();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    let [first, second] = &lines[..] else { panic!("{log}") };
    assert_eq!((&first["event"], &first["level"]), (&"warning".into(), &"warn".into()));
    assert_eq!((&first["warning"], &first["field"]), (&"unknown-instance-type".into(), &"/instance-type".into()));
    assert_eq!((&first["line"], &first["column"]), (&1.into(), &17.into()));
    assert_eq!(second["warning"], "tags-not-shown");
}

#[test]
fn a_command_runs_after_the_warnings() {
    let file = File::new("warned-run.toml", IMPLAUSIBLE);
    let output = imds(&["run", "--instance", file.path.to_str().unwrap(), "--", "true"]);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("[unknown-instance-type]"), "{}", text(&output.stderr));
}

#[cfg(unix)]
#[test]
fn a_stray_file_among_guests_is_named_and_the_others_are_served() {
    let guests = [("127.0.0.1.toml", "instance-type = 't9.micro'"), ("README", "Guests"), ("sub/x.toml", "x = 1")];
    let files = directory("stray", &guests);
    let name = parent(&files);
    let served = Served::start(&["--instances", name, "--caller", "client-address"]);
    let answer = served.request("GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\nt9.micro"), "{answer}");
    served.line_with(&format!("what is no description in {name} is left out: README, sub;"));
    served.line_with("[unknown-instance-type]");
}

#[cfg(unix)]
#[test]
fn a_reload_prints_what_is_new_only() {
    if !is_delivered("HUP") {
        return;
    }
    let file = File::new("warned-reload.toml", IMPLAUSIBLE);
    let served = Served::start(&["--instance", file.path.to_str().unwrap()]);
    served.line_with("[tags-not-shown]");
    fs::write(&file.path, format!("{IMPLAUSIBLE}[placement]\navailability-zone = 'eu-west-1f'\n")).unwrap();
    kill(&served.child, "HUP");
    served.line_with("[unknown-zone]");
    served.line_with(" again: revision 2");
    assert!(!served.end_of_log().contains("[tags-not-shown]"));
}
