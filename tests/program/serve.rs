//! What `imds serve` answers, on the wire and as its flags say.

use super::*;

#[test]
fn limits_are_set_by_flags() {
    let served = Served::start(&["--head-bytes", "100", "--head-time", "100ms"]);
    let long = "x".repeat(200);
    let answer = served.request(&format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(served.request("GET / HTTP/1.1\r\n"), "");
}

#[test]
fn an_answer_has_its_head_in_recorded_order_and_spelling() {
    let served = Served::start(&["--http-tokens", "required"]);
    // Dossier of recorded answers: 405 of the token path, and 401.
    assert_eq!(
        names_of_head(&served.request("GET /latest/api/token HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ["HTTP/1.1 405 Not Allowed", "Allow", "Content-Length", "Date", "Server", "Connection", "Content-Type"]
    );
    assert_eq!(
        names_of_head(&served.request("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ["HTTP/1.1 401 Unauthorized", "Content-Length", "Date", "Server", "Connection", "Content-Type"]
    );
}

#[test]
fn the_target_reaches_the_component_as_sent() {
    let served = Served::start(&[]);
    for target in ["//latest/meta-data/instance-type", "http://169.254.169.254/latest/meta-data/instance-type?x=1"] {
        let answer = served.request(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(answer.ends_with("\r\n\r\nt3.micro"), "{target}: {answer}");
    }
    // The authority of an absolute target counts, whatever `Host` says.
    let answer = served.request("GET http://attacker.example/latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn a_client_that_closed_its_side_gets_its_answer() {
    let served = Served::start(&[]);
    let mut stream = served.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\nlatest"), "{answer}");
}

#[test]
fn a_body_larger_than_what_is_read_does_not_cost_the_answer() {
    let served = Served::start(&[]);
    let length = 100 << 10;
    let mut stream = served.connect();
    let head = format!(
        "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![b'x'; length]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn connections_stay_open_only_when_asked() {
    let two = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let closing = Served::start(&[]).request(two);
    assert_eq!(closing.matches("HTTP/1.1 200 OK").count(), 1, "{closing}");
    assert!(closing.contains("\r\nConnection: close\r\n"));
    let keeping = Served::start(&["--keep-alive"]).request(two);
    assert_eq!(keeping.matches("HTTP/1.1 200 OK").count(), 2, "{keeping}");
    let first = keeping.split("\r\n\r\n").next().unwrap();
    assert!(!first.contains("Connection"), "{keeping}");
}

#[test]
fn metadata_options_on_the_command_line_win_over_the_file() {
    let file = File::new("options.toml", "[metadata-options]\nhttp-tokens = 'optional'\n");
    let path = file.path.to_str().unwrap();
    let served = Served::start(&["--instance", path, "--http-tokens", "required"]);
    let answer = served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn user_data_is_the_bytes_of_the_file() {
    let description = File::new("user-data.toml", "user-data = 'other'\n");
    let user_data = File::new("user-data", "#!/bin/sh\necho \"ä\"\n");
    let served = Served::start(&[
        "--instance",
        description.path.to_str().unwrap(),
        "--user-data",
        user_data.path.to_str().unwrap(),
    ]);
    let answer = served.request("GET /latest/user-data HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\n#!/bin/sh\necho \"ä\"\n"), "{answer}");
}

#[test]
fn a_token_outlives_the_process_with_a_secret_file() {
    let secret = File::for_owner("secret", "0123456789abcdef0123456789abcdef");
    let flags = ["--token-secret-file", secret.path.to_str().unwrap()];
    let token = Served::start(&flags).token();
    let answer = Served::start(&flags).get_with_token("/latest/", &token);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let answer = Served::start(&[]).get_with_token("/latest/", &token);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}
