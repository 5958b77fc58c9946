//! No key and no token that a client puts where it does not belong gets into
//! anything that the program writes.

use super::*;

/// Of the forms that keys and tokens really have. None is anybody's.
const CANARIES: [&str; 8] = [
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY",
    "q8Zt/4RkPw0uVbN1Ys+3XhGdLe7MfCa9TjQi2oBx",
    "AQAEAGgjYjLbgtpvYW5kgXLTrR-Tk9Xt_0qVvYg7wRzjUkEVsvk1SA==",
    "IQoJb3JpZ2luX2VjEJT//////////wEaCXVzLWVhc3QtMSJHMEUCIQDk7vR2mXwq0pT5bZsYhQ9nKf1LcA3eGdJ8uVWoBxMtHgIgZr4",
    "FwoGZXIvYXdzEPH//////////wEaDKq7tRv2XmWp0bZs9YhQnKf1LcA3eGdJ8uVWoBxMtHg5jZr4yTqPl6",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJxOFp0NFJrUHcwdVZiTjFZczMifQ.q8Zt4RkPw0uVbN1Ys3XhGdLe7MfCa9TjQi2oBxHcKzE",
    "ASIAX7QZ4KPW2RVN6YJM",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
];

/// Of a canary that is found, so many characters would be enough to be one.
const PART: usize = 13;

/// The requests of a client that puts a text wherever there is room for one.
fn requests(text: &str) -> Vec<String> {
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let in_pieces: Vec<_> = text.as_bytes().chunks(9).map(|piece| str::from_utf8(piece).unwrap()).collect();
    let in_path = in_pieces.join("/");
    let in_words = in_pieces.join(" ");
    let name = text.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let lines = [
        (format!("GET /{text}"), String::new()),
        (format!("GET /latest/meta-data/{text}/"), String::new()),
        (format!("GET /latest/{escaped}"), String::new()),
        (format!("GET /latest/{}", text.replace('/', "%2F")), String::new()),
        (format!("GET /latest/{in_path}"), String::new()),
        (format!("GET /latest/?{text}"), String::new()),
        (format!("GET http://localhost/{text}"), String::new()),
        (format!("GET http://{text}@localhost/"), String::new()),
        (format!("{name} /latest/"), String::new()),
        (format!("{name} /latest/{text}"), String::new()),
        ("GET /latest/".to_owned(), format!("User-Agent: {text}\r\n")),
        ("GET /latest/".to_owned(), format!("User-Agent: agent/1.0 ({in_words})\r\n")),
        ("GET /latest/".to_owned(), format!("User-Agent: a={escaped}, b\r\n")),
        ("GET /latest/".to_owned(), format!("X-Forwarded-For: {text}\r\nForwarded: for={text}\r\n")),
        ("GET /latest/".to_owned(), format!("X-aws-ec2-metadata-token: {text}\r\n")),
        ("GET /latest/".to_owned(), format!("X-Guest: {text}\r\n")),
        ("PUT /latest/api/token".to_owned(), format!("X-aws-ec2-metadata-token-ttl-seconds: {text}\r\n")),
    ];
    let lines = lines.into_iter().map(|(line, fields)| format!("{line} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
    let hosts = [name.clone(), format!("{name}.example.com"), format!("{name}:80"), text.to_owned(), in_words];
    let hosts = hosts.map(|host| format!("GET /latest/ HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    lines.chain(hosts).collect()
}

/// Letters and digits in small letters: a canary in whatever form.
fn folded(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[track_caller]
fn assert_none_in(told: &str) {
    for line in told.lines() {
        let line = folded(line);
        for canary in CANARIES.map(folded) {
            let part = canary.as_bytes().windows(PART).find(|part| line.contains(str::from_utf8(part).unwrap()));
            assert!(part.is_none(), "{canary}: {line}");
        }
    }
}

#[test]
fn no_key_in_a_request_is_told() {
    for format in ["text", "json"] {
        let flags = ["--log", "all", "--log-format", format, "--metrics", "127.0.0.1:0", "--control", "127.0.0.1:0"];
        let served = Served::start(&flags);
        let metrics = served.line_with("imds: metrics on ");
        let control = served.line_with("imds: control on ");
        let control = control.strip_prefix("imds: control on http://").unwrap();
        let metrics = metrics.strip_prefix("imds: metrics on http://").unwrap().split('/').next().unwrap();
        let ask =
            |address: &str, path: &str| request(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let mut told = String::new();
        for canary in CANARIES {
            for text in requests(canary) {
                served.request(&text);
            }
            told += &ask(control, "/v1/requests?limit=1000");
        }
        told += &(ask(control, "/v1/usage") + &ask(control, "/v1/instance") + &ask(metrics, "/metrics"));
        for verb in ["explain", "usage"] {
            let output = Command::new(IMDS)
                .args(["ctl", verb])
                .env("IMDS_CONTROL", format!("http://{control}"))
                .output()
                .unwrap();
            told += &(text(&output.stdout) + &text(&output.stderr));
        }
        assert!(told.contains("/latest/…") && told.contains("agent/1.0 (…)"), "{told}");
        assert_none_in(&told);
        assert_none_in(&served.end_of_log());
    }
}

#[test]
fn no_key_of_a_caller_is_told() {
    let guest = File::new("secrets-guests/a.json", "{}");
    let directory = guest.path.parent().unwrap().to_str().unwrap();
    for callers in ["header:X-Guest", "host"] {
        let served = Served::start(&["--instances", directory, "--caller", callers, "--log", "all"]);
        for text in CANARIES.into_iter().flat_map(requests) {
            served.request(&text);
        }
        assert_none_in(&served.end_of_log());
    }
}
