//! Where they come from.

use super::*;

#[test]
fn a_command_gives_them_with_tokens_required_from_the_ready_line_on() {
    let stand_in = StandIn::new("command", &version_1("COMMAND", 3600));
    let served = Served::spawn(serve(&["--credentials", &stand_in.flag(), "--control", "127.0.0.1:0"]), 1);
    assert!(served.notes.iter().any(|note| note.contains("the credentials of the command sh, until ")));
    let control = served.line_with("imds: control on ").replace("imds: control on ", "");
    let refused = served.request(&format!("GET {ROLE} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let delivered = document(&served);
    assert_eq!((&delivered["Code"], &delivered["AccessKeyId"]), (&"Success".into(), &"ASIACOMMAND".into()));
    assert_eq!((&delivered["SecretAccessKey"], &delivered["Token"]), (&SECRET.into(), &TOKEN.into()));

    let address = &served.addresses[0];
    // Ten clients, and ten more: nobody asks the command for them.
    thread::scope(|scope| (0..20).for_each(|_| drop(scope.spawn(|| document_at(address)))));
    assert_eq!(stand_in.asked(), 1);

    let ctl = |arguments: &[&str]| {
        let output = Command::new(IMDS).arg("ctl").args(arguments).env("IMDS_CONTROL", &control).output().unwrap();
        text(&output.stdout) + &text(&output.stderr)
    };
    let shown = ctl(&["show"]);
    assert!(shown.contains("credentials from the command sh, until 20"), "{shown}");
    assert!(shown.contains("asked again at 20") && shown.contains("revision    1\n"), "{shown}");
    let state: Value = serde_json::from_str(&ctl(&["show", "--json"])).unwrap();
    assert_eq!(
        (&state["credentials"]["source"], &state["credentials"]["failures"]),
        (&"the command sh".into(), &0.into())
    );
    assert_eq!(state["metadata-options"]["http-tokens"], "required");
    let address = control.strip_prefix("http://").unwrap();
    let answer = request(address, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let openapi: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    crate::openapi::Document(openapi).check("GET", "/v1/instance", 200, &state.to_string());
    assert_eq!(state["description"]["iam-instance-profile"]["credentials-source"]["process"][0], "(hidden)");

    // What was delivered outlives edits, and goes with its role.
    assert!(ctl(&["edit", "tags.a=b"]).contains("revision 2"));
    assert_eq!(document(&served)["AccessKeyId"], "ASIACOMMAND");
    assert!(ctl(&["edit", "iam-instance-profile = false"]).contains("revision 3"));
    assert!(served.get_with_token(ROLE, &served.token()).starts_with("HTTP/1.1 404 "));
}

#[test]
fn new_ones_are_fetched_ahead_by_the_clock_of_the_service_once_for_all() {
    let start = "2026-10-01T00:00:00Z";
    let stand_in = StandIn::new("clock", &version_1_ending("FIRST", "2026-10-01T01:00:00Z"));
    let flags =
        ["--credentials", &stand_in.flag(), "--control", "127.0.0.1:0", "--clock-start", start, "--clock-paused"];
    let served = Served::spawn(serve(&flags), 1);
    let control = served.line_with("imds: control on ").replace("imds: control on ", "");
    let address = &served.addresses[0];
    let moves_to = |time: &str| {
        let output = Command::new(IMDS).args(["ctl", "clock", time]).env("IMDS_CONTROL", &control).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    assert_eq!(document(&served)["LastUpdated"], start);
    for (number, hour) in [("SECOND", 1), ("THIRD", 2), ("FOURTH", 3)] {
        let before = document(&served);
        stand_in.prints(&version_1_ending(number, &format!("2026-10-01T{:02}:00:00Z", hour + 1)));
        moves_to(&format!("2026-10-01T{:02}:44:59Z", hour - 1));
        assert_eq!(document(&served), before);
        moves_to(&format!("2026-10-01T{:02}:45:00Z", hour - 1));
        let after = thread::scope(|scope| {
            let clients: Vec<_> = (0..10)
                .map(|_| {
                    scope.spawn(|| wait_for(address, |document| document["AccessKeyId"] == format!("ASIA{number}")))
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).last().unwrap()
        });
        assert_eq!(after["LastUpdated"], format!("2026-10-01T{:02}:45:00Z", hour - 1));
        assert_eq!(after["Expiration"], format!("2026-10-01T{:02}:00:00Z", hour + 1));
        assert_eq!(stand_in.asked(), 1 + hour);
    }
}

#[test]
fn a_file_gives_them_and_is_read_again() {
    let stand_in = StandIn::new("file", &version_1("OLD", 3600));
    let flag = format!("file:{}", stand_in.output.path.display());
    let served = Served::spawn(serve(&["--credentials", &flag]), 1);
    assert_eq!(document(&served)["AccessKeyId"], "ASIAOLD");
    stand_in.prints(&version_1("NEW", 7200));
    wait_for(&served.addresses[0], |document| document["AccessKeyId"] == "ASIANEW");
}

#[test]
fn the_environment_gives_them_to_the_service_and_not_to_the_command() {
    let script = "env | grep -E '^(AWS_|IMDS_)' | sort; \
        token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/api/token); \
        curl -s -H \"X-aws-ec2-metadata-token: $token\" $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/iam/security-credentials/imds";
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--credentials", "env", "--", "sh", "-c", script]);
    without_aws(&mut imds);
    imds.env("AWS_ACCESS_KEY_ID", "ASIAENV").env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_SESSION_TOKEN", TOKEN);
    imds.env("AWS_PROFILE", "x").env("AWS_CREDENTIAL_EXPIRATION", in_seconds(1800)).env("AWS_REGION", "eu-west-1");
    for name in [
        "AWS_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ] {
        imds.env(name, "x");
    }
    imds.env("IMDS_SET", "tags.a=b").env("IMDS_CREDENTIALS", "env");
    let output = imds.output().unwrap();
    let printed = text(&output.stdout);
    let (environment, document) = printed.split_at(printed.find('{').unwrap_or_else(|| panic!("{printed}")));
    let names: Vec<_> = environment.lines().filter_map(|line| line.split('=').next()).collect();
    assert_eq!(names, ["AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_REGION"], "{environment}");
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!((&document["AccessKeyId"], &document["Token"]), (&"ASIAENV".into(), &TOKEN.into()));
}

/// A stand-in for the command `aws` in a folder of its own.
fn aws(name: &str, script: &str) -> File {
    let aws = File::new(&format!("credentials/{name}/aws"), format!("#!/bin/sh\n{script}\n"));
    aws.set_mode(0o700);
    aws
}

fn path_with(aws: &File) -> String {
    format!("{}:{}", aws.path.parent().unwrap().display(), std::env::var("PATH").unwrap())
}

#[test]
fn a_profile_is_read_by_the_command_aws() {
    let given = File::for_owner("credentials/profile.json", &version_1("PROFILE", 3600));
    let is_asked = "test \"$*\" = 'configure export-credentials --format process --profile my dev' || exit 3";
    let aws = aws("profile", &format!("{is_asked}\ncat '{}'", given.path.display()));
    let mut imds = serve(&["--credentials", "profile:my dev"]);
    imds.env("PATH", path_with(&aws));
    let served = Served::spawn(imds, 1);
    assert_eq!(document(&served)["AccessKeyId"], "ASIAPROFILE");
}

#[test]
fn a_profile_assumes_a_role_with_a_policy_and_a_life() {
    let of_sts = version_1("ROLE", 900).replace("\"Version\": 1, ", "");
    let given = File::for_owner("credentials/role.json", &format!("{{\"Credentials\": {of_sts}}}"));
    let is_asked = "test \"$*\" = 'sts assume-role --role-session-name imds --output json --role-arn \
        arn:aws:iam::123456789012:role/build --duration-seconds 900 --policy {\"Statement\":[]} --profile dev' || exit 3";
    let aws = aws("role", &format!("{is_asked}\ncat '{}'", given.path.display()));
    let description = "[iam-instance-profile.credentials-source]\nprofile = 'dev'\nduration = '15m'\n\
        role-arn = 'arn:aws:iam::123456789012:role/build'\nsession-policy = '{\"Statement\":[]}'\n";
    let description = File::new("credentials/role.toml", description);
    let mut imds = serve(&["--instance", description.path.to_str().unwrap()]);
    imds.env("PATH", path_with(&aws));
    let served = Served::spawn(imds, 1);
    assert_eq!(document(&served)["AccessKeyId"], "ASIAROLE");
}

#[test]
fn without_the_command_aws_a_profile_says_what_to_install() {
    let mut imds = serve(&["--credentials", "profile:dev"]);
    imds.env("PATH", env!("CARGO_TARGET_TMPDIR"));
    let served = Served::spawn(imds, 1);
    assert!(served.notes.iter().any(|note| note.contains("install the AWS CLI, version 2")), "{:?}", served.notes);
    assert!(is_failure(&document(&served)));
}

#[test]
fn a_description_that_is_read_again_can_have_another_source() {
    if !is_delivered("HUP") {
        return;
    }
    let (first, second) =
        (StandIn::new("again-1", &version_1("FIRST", 3600)), StandIn::new("again-2", &version_1("SECOND", 3600)));
    let toml = |source: &StandIn, more: &str| {
        let path = source.script.path.display();
        format!("{more}\n[iam-instance-profile.credentials-source]\nprocess = ['sh', '{path}']\n")
    };
    let description = File::new("credentials/again.toml", toml(&first, ""));
    let served = Served::spawn(serve(&["--instance", description.path.to_str().unwrap()]), 1);
    for (text, key) in [
        (toml(&first, "instance-type = 'm7g.large'"), "ASIAFIRST"),
        (toml(&second, ""), "ASIASECOND"),
        (toml(&second, "instance-type = 'c7g.large'"), "ASIASECOND"),
    ] {
        fs::write(&description.path, text).unwrap();
        kill(&served.child, "HUP");
        served.line_with("again: revision");
        assert_eq!(document(&served)["AccessKeyId"], key);
    }
    assert_eq!((first.asked(), second.asked()), (1, 1), "what runs goes on");
    fs::write(&description.path, "").unwrap();
    kill(&served.child, "HUP");
    served.line_with("again: revision");
    let made_up = served.request(&format!("GET {ROLE} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(made_up.contains("Success") && !made_up.contains("ASIASECOND"), "{made_up}");
}
