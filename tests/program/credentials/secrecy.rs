//! No secret of a source is in anything that the program writes.

use super::*;

#[test]
fn no_secret_of_a_source_is_told() {
    let end = in_seconds(3600);
    let stand_in = StandIn::new("secrecy", &version_1_ending("SECRETID", &end));
    let with_argument = format!("{} --password={SECRET}", stand_in.flag());
    for (format, output) in [
        ("text", version_1_ending("SECRETID", &end)),
        ("json", version_1_ending("SECRETID", &end)),
        ("text", format!("{SECRET} {TOKEN}")),
        ("json", version_1_ending("SECRETID", &end).replace("Expiration\": \"", &format!("Expiration\": \"{SECRET}"))),
    ] {
        stand_in.prints(&output);
        let flags = ["--log", "all", "--metrics", "127.0.0.1:0", "--control", "127.0.0.1:0", "--log-format", format];
        let served = Served::spawn(serve(&[&["--credentials", &*with_argument], &flags[..]].concat()), 1);
        let mut told = served.notes.join("\n");
        let control = served.line_with("control on ");
        let control = control.split("http://").nth(1).unwrap().trim_matches(|c: char| !c.is_ascii_digit()).to_owned();
        let ask = |method: &str, path: &str, body: &str| {
            let fields = format!("Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
            request(&control, &format!("{method} {path} HTTP/1.1\r\n{fields}\r\n\r\n{body}"))
        };
        for _ in 0..3 {
            // The one answer that is to have them.
            document(&served);
        }
        for path in ["/v1/instance", "/v1/requests?limit=1000", "/v1/usage", "/metrics", "/v1/clock"] {
            told += &ask("GET", path, "");
        }
        told += &ask("PATCH", "/v1/instance", r#"{"tags": {"a": "b"}}"#);
        told += &ask("PATCH", "/v1/instance", r#"{"iam-instance-profile": {"credentials": {"expiration": "soon"}}}"#);
        told += &ask(
            "PATCH",
            "/v1/instance",
            r#"{"iam-instance-profile": {"credentials": {"expiration": "2020-01-01T00:00:00Z"}}}"#,
        );
        told += &ask("POST", "/v1/reload", "");
        for verb in ["show", "explain", "usage"] {
            let output =
                Command::new(IMDS).args(["ctl", verb]).env("IMDS_CONTROL", format!("http://{control}")).output();
            let output = output.unwrap();
            told += &(text(&output.stdout) + &text(&output.stderr));
        }
        told += &served.end_of_log();
        assert!(told.contains("the command sh"), "{told}");
        for secret in [SECRET, TOKEN, "SECRETID"] {
            let part = secret.as_bytes().windows(8).find(|part| told.contains(str::from_utf8(part).unwrap()));
            assert!(part.is_none(), "{secret}: {told}");
        }
    }
}
