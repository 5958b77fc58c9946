//! `imds check`: what is wrong, where, and what was meant.

use super::*;

#[test]
fn check_shows_every_problem_of_a_toml_file_with_its_place() {
    let file = File::new(
        "wrong.toml",
        "instnace-type = \"t3.micro\"\n\n[metadata-options]\nhttp-put-response-hop-limit = 65\nhttp-tokens = 7\n",
    );
    let output = imds(&["check", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    let errors = text(&output.stderr);
    let name = file.path.display();
    let unknown = format!(
        "error: unknown field `instnace-type`\n --> {name}:1:1 (instnace-type)\n  |\n1 | instnace-type = \"t3.micro\"\n  | ^^^^^^^^^^^^^\nhelp: did you mean `instance-type`?\n"
    );
    assert!(errors.contains(&unknown), "{errors}");
    assert!(errors.contains(&format!("{name}:4:31 (metadata-options.http-put-response-hop-limit)\n")), "{errors}");
    assert!(errors.contains(&format!("{name}:5:15 (metadata-options.http-tokens)\n")), "{errors}");
}

#[test]
fn check_shows_every_problem_of_a_json_file_with_its_place() {
    let file = File::new("wrong.json", "{\"tags\": {\"ä\": \"x\", \"a\": [1]},\n  \"instnace-type\": \"t3.micro\"}\n");
    let output = imds(&["check", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("wrong.json:1:26 (tags.a)\n"), "{errors}");
    assert!(errors.contains("wrong.json:2:3 (instnace-type)\n"), "{errors}");
}

#[test]
fn check_shows_where_the_syntax_breaks() {
    for (name, content, place) in [
        ("syntax.toml", "a = 1\nb = \n", "syntax.toml:2:"),
        ("syntax.json", "{\"a\": 1,\n \"b\": }", "syntax.json:2:7"),
        ("by-content", "\n {\"a\": 1,}", "by-content:2:"),
    ] {
        let file = File::new(name, content);
        let output = imds(&["check", file.path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        let errors = text(&output.stderr);
        assert!(errors.starts_with("error: ") && errors.contains(place), "{errors}");
    }
}

#[test]
fn check_never_shows_what_may_be_secret() {
    let file = File::new("secret.toml", "user-data = [\"hunter2\"]\nuser-dta = \"hunter2\"\n");
    let output = imds(&["check", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("secret.toml:1:13 (user-data)"), "{errors}");
    assert!(!errors.contains("hunter2"), "{errors}");
}

#[test]
fn check_goes_through_all_files() {
    let (good, bad) = (File::new("good.toml", ""), File::new("bad.toml", "x = 1"));
    let (good, bad) = (good.path.to_str().unwrap().to_owned(), bad.path.to_str().unwrap().to_owned());
    let output = imds(&["check", &bad, &good, "no/such/file.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), format!("{good}: valid\n"));
    assert!(text(&output.stderr).contains("imds: cannot read no/such/file.toml: "));
}

#[test]
fn check_says_what_the_readme_says() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let block = |begin: &str| {
        let found = readme.split(begin).nth(1).and_then(|rest| rest.split("```").next());
        found.unwrap_or_else(|| panic!("README.md has no block that begins {begin:?}"))
    };
    let right = block("```toml\n");
    let printed = block("```text\nerror: ");
    let check = |content: &str| {
        let file = File::new("readme/instance.toml", content);
        let mut imds = Command::new(IMDS);
        imds.args(["check", "instance.toml"]).current_dir(file.path.parent().unwrap()).output().unwrap()
    };
    assert_eq!(text(&check(right).stdout), "instance.toml: valid\n");
    let wrong = check(&right.replace("instance-type", "instnace-type"));
    assert_eq!(text(&wrong.stderr), format!("error: {printed}"));
}

#[test]
fn check_speaks_of_tables_in_toml_and_of_objects_in_json() {
    for (name, content, message) in [
        ("kind.toml", "tags = 3\n", "error: expected a table, found a whole number\n"),
        ("kind.json", "{\"tags\": 3}\n", "error: expected an object, found a whole number\n"),
    ] {
        let file = File::new(name, content);
        let errors = text(&imds(&["check", file.path.to_str().unwrap()]).stderr);
        assert!(errors.starts_with(message), "{errors}");
    }
}

#[test]
fn check_calls_standard_input_by_its_name() {
    let check = |content: &[u8]| {
        let mut check = Command::new(IMDS);
        check.args(["check", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut check = check.spawn().unwrap();
        check.stdin.take().unwrap().write_all(content).unwrap();
        let output = check.wait_with_output().unwrap();
        (text(&output.stdout), text(&output.stderr))
    };
    assert_eq!(check(b"").0, "standard input: valid\n");
    let (_, errors) = check(b"x = 1");
    assert!(errors.contains("\n --> standard input:1:1 (x)\n"), "{errors}");
    let (_, errors) = check(b"x = 1\ny = \"\xc3\xa4\xff\"");
    assert_eq!(errors, "imds: cannot read standard input: it is not UTF-8 text (line 2, column 7)\n");
}

#[test]
fn check_names_what_is_no_description() {
    for (name, content, said) in [
        ("utf-16.toml", &b"\xff\xfea\0"[..], "it is UTF-16 text; UTF-8 is expected"),
        ("utf-16-without-mark.json", b"\0{\0}", "it is UTF-16 text; UTF-8 is expected"),
        ("large.toml", &[b'#'; (1 << 20) + 1], "it is larger than 1 MiB, the most that a description may have"),
        ("latin-1.toml", b"[tags]\nName = \"M\xfcller\"\n", "it is not UTF-8 text (line 2, column 10)"),
    ] {
        let file = File::new(name, content);
        let path = file.path.to_str().unwrap();
        let output = imds(&["check", path]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stderr), format!("imds: cannot read {path}: {said}\n"));
    }
    let output = imds(&["serve", "--instance", env!("CARGO_TARGET_TMPDIR")]);
    assert!(text(&output.stderr).ends_with(": it is a directory\n"));
}

#[test]
fn check_names_a_nul_in_a_text() {
    const NUL: &str = "error: this is a NUL character, which no text has\n";
    for (name, content, place) in [
        ("nul.toml", "instance-type = \"t3\0.micro\"\n", "1:20"),
        ("nul-line.toml", "instance-type = \"t3.micro\"\n\0\n", "2:1"),
        ("nul.json", "{\"instance-type\": \"t3\0.micro\"}\n", "1:22"),
        ("nul-value.json", "{\"instance-type\":\n \0\"t3.micro\"}\n", "2:2"),
        ("nul-first.toml", "\0", "1:1"),
    ] {
        let file = File::new(name, content);
        let errors = text(&imds(&["check", file.path.to_str().unwrap()]).stderr);
        assert!(errors.starts_with(NUL), "{errors}");
        assert!(errors.contains(&format!("{name}:{place}\n")), "{errors}");
        assert!(errors.contains("\nhelp: take it out; "), "{errors}");
    }
}

#[test]
fn check_hides_what_looks_like_a_key_wherever_it_is() {
    const KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for (name, content) in [
        ("key-as-value.toml", format!("monitoring = \"{KEY}\"\n")),
        ("key-as-name.toml", format!("\"{KEY}\" = 1\n")),
        ("key-as-name.json", format!("{{\"{KEY}\": 1}}\n")),
        ("key-as-tag.toml", format!("[tags]\n\"{KEY}\" = 1\n")),
        ("key-in-no-quotes.toml", format!("region = {KEY}\n")),
        ("key-in-no-quotes.json", format!("{{\"region\": {KEY}}}\n")),
        ("key-beside.json", format!("{{\"a\": \"{KEY}\", \"monitoring\": 7}}\n")),
    ] {
        let file = File::new(name, content);
        let errors = text(&imds(&["check", file.path.to_str().unwrap()]).stderr);
        assert!(errors.starts_with("error: "), "{errors}");
        for part in KEY.split('/') {
            assert!(!errors.contains(part), "{errors}");
        }
    }
}

#[test]
fn check_says_which_language_was_expected() {
    for (name, content, message) in [
        ("toml-in.json", "# x\ninstance-type = \"t3.micro\"\n", "this is TOML\n"),
        ("table-in.json", "[placement]\n", "this is TOML\n"),
        ("json-in.toml", "{\"instance-type\": \"t3.micro\"}\n", "this is JSON\n"),
        ("yaml", "instance-type: t3.micro\n", "`=` stands between a name and its value, not `:`\n"),
    ] {
        let file = File::new(name, content);
        let errors = text(&imds(&["check", file.path.to_str().unwrap()]).stderr);
        assert!(errors.starts_with(&format!("error: {message}")), "{errors}");
    }
}

#[test]
fn check_advises_in_the_language_of_the_file() {
    for (name, content, help) in [
        (
            "array.toml",
            "[[tags]]\na = '1'\n",
            "help: write each name with its text: { \"Name\": \"…\" }, in TOML { Name = \"…\" }",
        ),
        ("table.toml", "[[key-pair]]\n", "help: in TOML, `[name]` begins a table, `[[name]]` an entry of an array"),
        ("array.json", "{\"tags\": [{\"Key\": \"1\"}]}\n", "help: write each name with its text: { \"1\": \"…\" }"),
        (
            "first-level.json",
            "{\"tags\": {}, \"placement\": {\"instance-type\": \"a\"}}\n",
            "help: `instance-type` is a field of the instance itself",
        ),
        (
            "top.json",
            "[{\"instance-type\": \"a\"}]",
            "help: a description is an object of fields; `{}` is the default instance",
        ),
        ("twice.json", "{\"tags\": {},\n \"tags\": {}}", "help: it was first given in line 1"),
    ] {
        let file = File::new(name, content);
        let errors = text(&imds(&["check", file.path.to_str().unwrap()]).stderr);
        assert_eq!(errors.lines().last(), Some(help), "{errors}");
    }
}

#[test]
fn check_shows_nothing_that_a_terminal_would_obey() {
    for (name, content) in [
        ("marks.toml", "[tags]\n\"a\\u001b\u{202e}b\" = 3 # \u{1b}[31m".replace('\u{1b}', "\u{9b}")),
        ("marks.json", "{\"tags\": {\"a\u{202e}\u{2066}b\": 3, \"monitoring\": \"\u{202e}\"}}".to_owned()),
        ("marks\u{1b}[31m\u{202e}.toml", "x = 1".to_owned()),
        ("marks\u{1b}[31m\u{202e}2.toml", "\0".to_owned()),
    ] {
        let file = File::new(name, content);
        let errors = text(&imds(&["check", file.path.to_str().unwrap()]).stderr);
        assert!(!errors.is_empty());
        assert!(!errors.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}']), "{}", errors.escape_debug());
    }
}
