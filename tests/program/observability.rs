//! The log in both formats, the metrics, and the end: what an operator sees.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

use super::*;

/// A process of `imds serve` with its metrics.
struct Observed {
    served: Served,
    metrics: String,
}

impl Observed {
    fn start(flags: &[&str]) -> Self {
        Self::listening(&["127.0.0.1:0"], flags)
    }

    fn listening(addresses: &[&str], flags: &[&str]) -> Self {
        let mut imds = Command::new(IMDS);
        imds.args(["serve", "--metrics", "127.0.0.1:0"]).args(flags);
        imds.args(addresses.iter().flat_map(|address| ["--listen", address]));
        let served = Served::spawn(imds, addresses.len());
        let line = served.line_with("imds: metrics on ");
        let metrics = line.strip_prefix("imds: metrics on http://").and_then(|rest| rest.strip_suffix("/metrics"));
        Self { metrics: metrics.unwrap().to_owned(), served }
    }

    /// A token and one whose time is over, where the process issues any.
    fn tokens(&self) -> [String; 2] {
        [60, 0].map(|ttl_seconds| {
            let field = format!("X-aws-ec2-metadata-token-ttl-seconds: {ttl_seconds}");
            let answer =
                self.served.request(&format!("PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n"));
            let token = answer.strip_prefix("HTTP/1.1 200 ").and_then(|answer| answer.split("\r\n\r\n").nth(1));
            token.unwrap_or("no token").to_owned()
        })
    }

    fn page(&self) -> String {
        let answer = request(&self.metrics, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
        page.to_owned()
    }

    /// One request of every kind that this process can answer with; all answers.
    fn ask_everything(&self, [token, expired]: [&str; 2], secret: &str) -> String {
        let with = |token: &str| format!("Host: localhost\r\nX-aws-ec2-metadata-token: {token}");
        let ttl = |ttl: &str| format!("Host: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: {ttl}");
        let role = "GET /latest/meta-data/iam/security-credentials/test-role";
        let requests = [
            ("PUT /latest/api/token", ttl("60")),
            ("PUT /latest/api/token", ttl(secret)),
            ("GET /latest/api/token", with(token)),
            (role, "Host: localhost".to_owned()),
            (role, with(token)),
            ("GET /latest/user-data", with(token)),
            ("GET /latest/dynamic/instance-identity/rsa2048", with(token)),
            ("GET /latest/none", with(token)),
            (&format!("GET /latest/{token}/"), format!("{}\r\nUser-Agent: {token}", with(token))),
            ("OPTIONS /", with(token)),
            ("DELETE /", with(token)),
            (&format!("GET /latest/?x={secret}"), with(secret)),
            ("GET /", with(expired)),
            ("GET /", format!("{}\r\nX-Forwarded-For: {secret}", with(token))),
            ("GET /", format!("Host: {secret}@attacker.example")),
            (&format!("GET http://{secret}@attacker.example/"), with(token)),
            (&format!("GET /{secret} b"), with(token)),
            (&format!("GET /{}", secret.repeat(3000)), with(token)),
        ];
        requests
            .map(|(line, fields)| {
                let answer = self.served.request(&format!("{line} HTTP/1.1\r\n{fields}\r\n\r\n"));
                assert!(answer.starts_with("HTTP/1.1 "), "{line}: {answer}");
                answer + "\r\n\r\n"
            })
            .concat()
    }
}

/// The samples of a page with their values.
fn samples(page: &str) -> BTreeMap<&str, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name, value.parse().unwrap())).collect()
}

/// The values of a label on a page.
fn values_of<'p>(page: &'p str, label: &str) -> BTreeSet<&'p str> {
    let begin = format!("{label}=\"");
    page.lines().filter_map(|line| line.split_once(&begin)?.1.split('"').next()).collect()
}

/// The names, in backticks, in the first cells of the documentation's table
/// that begins with this heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, rows) = text.split_once(&format!("\n| {heading} |")).unwrap();
    let rows = rows.lines().skip(2).map_while(|line| line.strip_prefix("| "));
    let cells = rows.map(|row| row.split(" |").next().unwrap());
    cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`').to_owned()).collect()
}

#[test]
fn metrics_count_exactly_what_was_asked() {
    let observed = Observed::start(&["--head-bytes", "2000"]);
    let served = &observed.served;
    let token = served.token();
    for _ in 0..3 {
        served.get_with_token("/latest/meta-data/", &token);
    }
    served.get_with_token("/latest/none", &token);
    served.get_with_token("/", "x");
    for target in ["/", "/", "/latest/none", "/ b"] {
        served.request(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }
    served.request(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(3000)));
    served.request("GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n");
    // Has a connection and asks nothing.
    let silent = served.connect();

    let deadline = Instant::now() + DEADLINE;
    let page = loop {
        let page = observed.page();
        // When a connection is taken, and when one is gone, the client does not see.
        if samples(&page)["imds_connections_total"] == 13.0 && samples(&page)["imds_open_connections"] == 1.0 {
            break page;
        }
        assert!(Instant::now() < deadline, "{page}");
    };
    drop(silent);
    let samples = samples(&page);
    let requests: BTreeMap<_, _> =
        samples.iter().filter_map(|(name, value)| Some((name.strip_prefix("imds_requests_total")?, *value))).collect();
    let wanted = [
        (r#"{kind="token-issued",version="2",status="200"}"#, 1.0),
        (r#"{kind="found",version="2",status="200"}"#, 3.0),
        (r#"{kind="not-found",version="2",status="404"}"#, 1.0),
        (r#"{kind="token-invalid",version="2",status="401"}"#, 1.0),
        (r#"{kind="found",version="1",status="200"}"#, 2.0),
        (r#"{kind="not-found",version="1",status="404"}"#, 1.0),
        (r#"{kind="head-unreadable",version="unknown",status="400"}"#, 1.0),
        (r#"{kind="head-too-large",version="unknown",status="431"}"#, 1.0),
        (r#"{kind="host-refused",version="unknown",status="403"}"#, 1.0),
    ];
    assert_eq!(requests, BTreeMap::from(wanted));
    for (sample, wanted) in [
        ("imds_request_duration_seconds_count", 12.0),
        ("imds_metadata_no_token_total", 3.0),
        ("imds_metadata_no_token_rejected_total", 0.0),
        ("imds_throttled_total", 0.0),
        ("imds_component_failures_total", 0.0),
        ("imds_unreadable_heads_total", 2.0),
        ("imds_connections_sent_away_total", 0.0),
        ("imds_accept_failures_total", 0.0),
        ("imds_hop_limit_failures_total", 0.0),
        ("imds_instances", 1.0),
        ("imds_log_lines_lost_total", 0.0),
    ] {
        assert_eq!(samples[sample], wanted, "{sample}");
    }
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((now - 100.0..=now).contains(&samples["process_start_time_seconds"]), "{page}");

    let families: BTreeSet<_> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert_eq!(families, documented("metric").iter().map(String::as_str).collect());
}

#[test]
fn the_metrics_have_two_pages_and_no_other() {
    let observed = Observed::start(&[]);
    let ask = |line: &str| request(&observed.metrics, &format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(ask("GET /health").ends_with("\r\n\r\nok\n"));
    assert!(ask("HEAD /metrics").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(ask("GET /latest/meta-data/").starts_with("HTTP/1.1 404 "));
    assert!(ask("POST /metrics").starts_with("HTTP/1.1 405 "));
    let answer = observed.served.request("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "an instance has no such page: {answer}");
}

/// By its own name for the listener's address a page could read what it gets.
#[test]
fn a_web_page_reads_no_metrics() {
    let observed = Observed::start(&[]);
    let ask = |path: &str, fields: &str| request(&observed.metrics, &format!("GET {path} HTTP/1.1\r\n{fields}\r\n"));
    for refused in ["Host: attacker.example\r\n", "Host: attacker.example:1339\r\n"] {
        for path in ["/metrics", "/"] {
            let answer = ask(path, refused);
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
            assert!(
                answer.ends_with("\r\n\r\nHost must be an IP address or localhost; ask by such a one\n"),
                "{answer}"
            );
        }
        assert!(ask("/health", refused).ends_with("\r\n\r\nok\n"), "a load balancer asks by any name");
    }
    for host in [observed.metrics.as_str(), "localhost:1339", "10.0.0.1"] {
        assert!(ask("/metrics", &format!("Host: {host}\r\n")).starts_with("HTTP/1.1 200 "), "{host}");
    }
}

#[test]
fn silent_connections_keep_no_scraper_out() {
    let observed = Observed::start(&[]);
    let silent: Vec<_> = (0..100).map(|_| connect(&observed.metrics)).collect();
    observed.page();
    drop(silent);
}

#[test]
fn metrics_on_an_address_that_is_taken_are_refused_with_advice() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = imds(&["serve", "--listen", "127.0.0.1:0", "--metrics", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(errors.contains("let imds pick a port: --metrics 127.0.0.1:0"), "{errors}");
}

#[test]
fn who_is_sent_away_is_counted_and_logged() {
    // In its caller's share, and above it.
    for flags in [&["--connections", "1"][..], &["--connections", "2", "--connections-per-caller", "1"]] {
        let observed = Observed::start(flags);
        let mut silent: Vec<_> = flags.iter().skip(1).step_by(2).map(|_| observed.served.connect()).collect();
        assert!(observed.served.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200 "));
        assert_eq!(silent.last_mut().unwrap().read(&mut [0]).unwrap(), 0);
        assert_eq!(samples(&observed.page())["imds_connections_sent_away_total"], 1.0);
        observed.served.line_with("imds: closed a connection that waited, to make room for a new one");
    }
}

#[test]
fn json_lines_have_the_documented_fields() {
    let throttle = "[request-throttle]\nburst = 40\nper-second = 1\n";
    let fault = "[[faults]]\nkind = 'delay'\ndelay = '1ms'\npaths = ['/latest/dynamic/struck']\n";
    // Warnings have events of their own.
    let allowed = "allow-warnings = ['fault-matches-nothing']\n";
    let file = File::new("json-fields.toml", format!("{allowed}{throttle}{fault}"));
    let flags = ["--log", "all", "--log-format", "json", "--connections", "1"];
    let observed = Observed::start(&[&flags[..], &["--instance", file.path.to_str().unwrap()]].concat());
    let mut silent = observed.served.connect();
    // Makes room for itself.
    let [token, expired] = observed.tokens();
    observed.served.request("GET /latest/dynamic/struck HTTP/1.1\r\nHost: localhost\r\n\r\n");
    observed.ask_everything([&token, &expired], "x\u{1b}[2J\"\\");
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    for _ in 0..60 {
        observed.served.request("GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    let log = observed.served.end_of_log();
    let mut events = BTreeMap::<String, u32>::new();
    let mut fields = BTreeSet::new();
    for line in log.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let object = value.as_object().unwrap();
        let text = |field: &str| value[field].as_str().unwrap_or_else(|| panic!("{field} in {line}"));
        fields.extend(object.keys().cloned());
        *events.entry(text("event").to_owned()).or_default() += 1;
        assert!(humantime::parse_rfc3339(text("time")).is_ok() && text("time").ends_with('Z'), "{line}");
        assert!(["info", "warn", "error"].contains(&text("level")), "{line}");
        assert!(!text("reason").is_empty());
        match text("event") {
            "answered" => {
                assert!(value["status"].is_u64() && value["duration-us"].is_number(), "{line}");
                let peer: std::net::SocketAddr = text("peer").parse().unwrap();
                assert!(peer.ip().is_loopback());
                assert!(text("outcome").bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{line}");
                let is_unread = text("outcome").starts_with("head-");
                assert_eq!(is_unread, !object.contains_key("method") && !object.contains_key("target"), "{line}");
                assert!(object.get("version").is_none_or(|version| version == 1 || version == 2), "{line}");
            }
            "trouble" => assert_eq!(text("trouble"), "sent-away"),
            "lost-lines" => assert!(value["lines"].as_u64() > Some(0), "{line}"),
            _ => panic!("{line}"),
        }
    }
    assert!(events["answered"] > 18 && events["lost-lines"] > 0 && events["trouble"] > 0, "{events:?}");
    // Nothing makes the component fail.
    fields.insert("error".to_owned());
    assert_eq!(fields, documented("field"));
}

#[test]
fn no_log_and_no_metric_has_a_secret() {
    let secret = "hunter2";
    let canaries = ["CANARYKEYID", "CANARYKEY", "CANARYTOKEN", "CANARYDATA"];
    let description = File::new(
        "canary.toml",
        "user-data = 'CANARYDATA'\n[iam-instance-profile]\nrole-name = 'test-role'\n\
         [iam-instance-profile.credentials]\naccess-key-id = 'CANARYKEYID'\nsecret-access-key = 'CANARYKEY'\n\
         session-token = 'CANARYTOKEN'\n",
    );
    let throttled = File::new("canary-throttle.toml", "[request-throttle]\nburst = 1\nper-second = 1\n");
    // Made by the first process, so that the others start at once.
    let keys = File { path: description.path.with_file_name("canary-keys.pem") };
    let [description, throttled, keys] = [&description, &throttled, &keys].map(|file| file.path.to_str().unwrap());
    let mut kinds = BTreeSet::new();
    for format in ["text", "json"] {
        for (address, more) in [
            ("127.0.0.1:0", &["--instance", description][..]),
            ("127.0.0.1:0", &["--instance", description, "--http-tokens", "required"]),
            ("127.0.0.1:0", &["--instance", throttled]),
            ("127.0.0.1:0", &["--http-endpoint", "disabled"]),
            ("[::1]:0", &[]),
        ] {
            if TcpListener::bind(address).is_err() {
                skipped("the outcome ipv6-disabled: there is no IPv6 here");
                continue;
            }
            let flags = ["--log", "all", "--log-format", format, "--identity-keys", keys];
            let observed = Observed::listening(&[address], &[&flags, more].concat());
            let tokens = observed.tokens();
            let tokens = tokens.each_ref().map(String::as_str);
            let answers = observed.ask_everything(tokens, secret);
            let page = observed.page();
            kinds.extend(values_of(&page, "kind").into_iter().map(str::to_owned));
            let told = page + &observed.served.end_of_log();
            let is_whole = more.contains(&description);
            assert_eq!(tokens.map(str::len) == [56, 56], is_whole, "{tokens:?}");
            for canary in canaries {
                assert_eq!(answers.contains(canary), is_whole, "{canary}");
            }
            for canary in canaries.iter().chain(&tokens).chain([&secret]) {
                assert!(!told.contains(canary), "{canary}: {told}");
            }
        }
    }
    let wanted = "endpoint-disabled forwarded found head-too-large head-unreadable host-refused ipv6-disabled \
                  method-refused methods-listed not-found throttled token-expired token-invalid token-issued \
                  token-method-refused token-missing ttl-refused";
    let has_ipv6 = kinds.contains("ipv6-disabled");
    let wanted = wanted.split_whitespace().filter(|kind| has_ipv6 || *kind != "ipv6-disabled");
    assert_eq!(kinds, wanted.map(str::to_owned).collect());
}

#[test]
fn a_request_that_has_begun_is_answered_after_the_signal_to_stop() {
    let mut observed = Observed::start(&["--body-time", "20s", "--stop-time", "20s"]);
    let address = observed.served.addresses[0].clone();
    let mut begun = observed.served.connect();
    begun.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n").unwrap();
    // It is counted when the service has its answer, and waits for the body.
    let deadline = Instant::now() + DEADLINE;
    while !observed.page().contains("imds_requests_total{kind=\"found\"") {
        assert!(Instant::now() < deadline, "nothing was asked");
    }

    kill(&observed.served.child, "TERM");
    while TcpStream::connect(&address).is_ok() || TcpStream::connect(&observed.metrics).is_ok() {
        assert!(Instant::now() < deadline, "still takes connections");
    }
    begun.write_all(b"x").unwrap();
    let mut answer = String::new();
    begun.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\nlatest"), "{answer}");
    assert_eq!(observed.served.child.wait().unwrap().code(), Some(0));
}
