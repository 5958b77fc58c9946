//! Single fields of a description from the command line, and flags from the
//! environment.

use super::*;

fn get(served: &Served, path: &str) -> String {
    let endpoint = format!("http://{}", served.addresses[0]);
    text(&imds(&["get", "--endpoint", &endpoint, path]).stdout)
}

#[test]
fn set_gives_fields_over_the_file() {
    let file = File::new("set.toml", "instance-type = 'm5.large'\ntags.Name = 'file'\ntags.Kept = 'yes'\n");
    let instance = file.path.to_str().unwrap();
    let options = "metadata-options.instance-metadata-tags=enabled";
    let served = Served::start(&["--instance", instance, "--set", "tags.Name=web-1", "--set", options]);
    assert_eq!(get(&served, "meta-data/instance-type"), "m5.large");
    assert_eq!(get(&served, "meta-data/tags/instance/Name"), "web-1");
    assert_eq!(get(&served, "meta-data/tags/instance/Kept"), "yes");
    let exported = imds(&["export", "--set", "placement.availability-zone=eu-west-1b", instance]);
    assert!(text(&exported.stdout).contains(r#""availability-zone":"eu-west-1b""#), "{}", text(&exported.stdout));
}

#[test]
fn what_is_wrong_with_set_is_told_of_its_key() {
    for (setting, expected) in [
        (
            "instnce-type=x",
            "error: unknown field `instnce-type`\n --> --set instnce-type\nhelp: did you mean `instance-type`?\n",
        ),
        (
            "metadata-options.http-tokens=always",
            "error: unknown value \"always\"\n --> --set metadata-options.http-tokens\nhelp: known: optional, required\n",
        ),
    ] {
        let output = imds(&["serve", "--listen", "127.0.0.1:0", "--set", setting]);
        assert_eq!((output.status.code(), &*text(&output.stderr)), (Some(2), expected));
    }
    let secret = imds(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--set",
        "iam-instance-profile.credentials.secret-access-key=hunter2",
    ]);
    assert_eq!(secret.status.code(), Some(2));
    assert!(!text(&secret.stderr).contains("hunter2"), "{}", text(&secret.stderr));
    let output = imds(&["serve", "--set", "instance-type"]);
    assert_eq!(
        text(&output.stderr),
        "imds: --set instance-type: expected KEY=VALUE, such as instance-type=m7g.large or tags.Name=web-1\n"
    );
}

/// A process of `imds` alone, with these variables.
fn with_variables(variables: &[(&str, &str)], arguments: &[&str], listeners: usize) -> Served {
    let mut imds = Command::new(IMDS);
    imds.args(arguments);
    for (name, value) in variables {
        imds.env(name, value);
    }
    Served::spawn(imds, listeners)
}

#[test]
fn each_flag_of_serve_is_a_variable_too() {
    let served = with_variables(
        &[
            ("IMDS_LISTEN", "127.0.0.1:0, 127.0.0.1:0"),
            ("IMDS_HTTP_TOKENS", "required"),
            ("IMDS_SET", "instance-type=m7g.large\ntags.Name=a,b\nmetadata-options.instance-metadata-tags=enabled"),
            ("IMDS_USER_DATA", ""),
            ("IMDS_KEEP_ALIVE", "false"),
        ],
        &[],
        2,
    );
    assert_eq!(get(&served, "meta-data/instance-type"), "m7g.large");
    assert_eq!(get(&served, "meta-data/tags/instance/Name"), "a,b");
    let answer = served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn no_error_shows_what_may_be_a_secret() {
    let key = "iam-instance-profile.credentials.secret-access-key";
    for between in ["=", " = ", ": ", " ", "=\n", " = \""] {
        let setting = format!("{key}{between}hunter2");
        for command in ["serve", "run", "export"] {
            let mut imds = Command::new(IMDS);
            let last: &[&str] = if command == "run" { &["--", "true"] } else { &[] };
            let output = imds.args([command, "--set", &setting]).args(last).stdin(Stdio::null()).output().unwrap();
            assert!(!text(&output.stderr).contains("hunter2"), "{setting:?}: {}", text(&output.stderr));
            assert_eq!(output.status.code(), Some(2), "{setting:?} {}", text(&output.stderr));
        }
    }
}

/// What is set later, and by its own flag, counts, whatever was set there before.
#[test]
fn an_object_that_is_set_takes_what_is_set_below_it() {
    for object in ["metadata-options={}", r#"metadata-options={"http-tokens":"optional"}"#, "metadata-options=false"] {
        let served = Served::start(&["--set", object, "--http-tokens", "required"]);
        let answer = served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 401 "), "{object}: {answer}");
    }
    let file = File::new("false.toml", "tags = { a = '1' }\nkey-pair = false\n");
    let path = file.path.to_str().unwrap();
    let exported =
        imds(&["export", "--set", r#"tags={"b":"2"}"#, "--set", "tags.c=3", "--set", "key-pair.key-name=k", path]);
    assert_eq!(text(&exported.stdout), "{\"key-pair\":{\"key-name\":\"k\"},\"tags\":{\"b\":\"2\",\"c\":\"3\"}}\n");
    let wrong = imds(&["export", "--set", "state=stopped", "--set", "state.a=b", path]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stdout));
}

#[test]
fn run_takes_the_variables_too() {
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--", IMDS, "get", "meta-data/instance-type"]).env("IMDS_SET", "instance-type=m7g.large");
    let output = imds.env("IMDS_LISTEN", "nonsense").stdin(Stdio::null()).output().unwrap();
    assert_eq!(text(&output.stdout), "m7g.large", "{}", text(&output.stderr));
}

#[test]
fn a_misspelt_variable_is_noted() {
    let served = with_variables(
        &[("IMDS_HTTP_TOKEN", "required"), ("IMDS_PORT", "tcp://10.0.0.1:80")],
        &["serve", "--listen", "127.0.0.1:0"],
        1,
    );
    assert_eq!(
        served.notes,
        ["imds: note: the variable IMDS_HTTP_TOKEN counts for nothing; did you mean IMDS_HTTP_TOKENS?"]
    );
}

#[test]
fn what_is_typed_counts_more_than_a_variable() {
    let variables = [("IMDS_LISTEN", "nonsense"), ("IMDS_HTTP_TOKENS", "required")];
    let served = with_variables(&variables, &["serve", "--listen", "127.0.0.1:0", "--http-tokens=optional"], 1);
    assert!(served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

#[test]
fn what_is_wrong_in_a_variable_is_told_of_it() {
    for (name, value) in [("IMDS_LISTEN", "nonsense"), ("IMDS_WATCH", "maybe"), ("IMDS_HTTP_TOKENS", "always")] {
        let mut imds = Command::new(IMDS);
        let output = imds.arg("serve").env(name, value).stdin(Stdio::null()).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(&format!("the value comes from the variable {name}")), "{stderr}");
    }
    let mut imds = Command::new(IMDS);
    let output = imds.args(["serve", "--listen", "127.0.0.1:0"]).env("IMDS_SET", "bogus=1").output().unwrap();
    let note = "note: flags come from the environment too: IMDS_SET\n";
    assert!(text(&output.stderr).ends_with(note), "{}", text(&output.stderr));
    // They are for what serves alone.
    let mut imds = Command::new(IMDS);
    assert!(imds.arg("schema").env("IMDS_LISTEN", "nonsense").output().unwrap().status.success());
}

#[test]
fn each_value_of_a_list_is_told_by_its_place() {
    let output = imds(&["run", "--set", "billing-products=[1,'bp-1',2]", "--", "true"]);
    assert_eq!(output.status.code(), Some(2));
    let problem = |place: &str| {
        format!(
            "error: expected a string, found a whole number\n --> --set billing-products[{place}]\nhelp: write it in quotes\n"
        )
    };
    assert_eq!(text(&output.stderr), format!("{}\n{}", problem("0"), problem("2")));
    let output = imds(&["run", "--set", "network-interfaces=[{mac-address='x'}]", "--", "true"]);
    let errors = text(&output.stderr);
    assert!(errors.contains("\n --> --set network-interfaces[0].mac-address\n"), "{errors}");
}
