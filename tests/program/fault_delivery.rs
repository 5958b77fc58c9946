//! Faults that a description asks for: what a client sees of each kind, and what
//! an operator reads of it.

use super::*;

const FAULTS: &str = "
allow-warnings = ['fault-matches-nothing']
faults = [
  { kind = 'refuse', paths = ['/latest/meta-data/refuse'] },
  { kind = 'delay', delay = '50ms', paths = ['/latest/meta-data/delay'] },
  { kind = 'close', paths = ['/latest/meta-data/close'] },
  { kind = 'cut', paths = ['/latest/meta-data/cut'] },
  { kind = 'withhold', paths = ['/latest/api/token'], methods = ['PUT'] },
]
extra-entries = { 'meta-data/delay' = 'abcdef', 'meta-data/close' = 'abcdef', 'meta-data/cut' = 'abcdef' }
";

fn get(served: &Served, path: &str) -> String {
    served.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

/// Sends a request that is never answered and looks for 50 ms whether it is.
fn is_withheld(served: &Served) -> bool {
    let mut stream = served.connect();
    let put = "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
    stream.write_all(put.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let timed_out = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut];
    stream.read(&mut [0]).is_err_and(|error| timed_out.contains(&error.kind()))
}

/// Asks once for each kind.
fn strike_all(served: &Served) {
    assert!(get(served, "/latest/meta-data/refuse").starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
    let began = Instant::now();
    assert!(get(served, "/latest/meta-data/delay").ends_with("\r\n\r\nabcdef"));
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert_eq!(get(served, "/latest/meta-data/close"), "");
    let cut = get(served, "/latest/meta-data/cut");
    assert!(cut.contains("\r\nContent-Length: 6\r\n") && cut.ends_with("\r\n\r\nabc"), "{cut}");
    assert!(is_withheld(served));
    assert!(get(served, "/latest/").starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn each_kind_strikes_as_described_and_has_its_line() {
    let file = File::new("faults.toml", FAULTS);
    for keep_alive in [&[][..], &["--keep-alive"]] {
        let served = Served::start(&[&["--instance", file.path.to_str().unwrap()], keep_alive].concat());
        strike_all(&served);
        let log = served.end_of_log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(" from 127.0.0.1:")).collect();
        let wanted = [
            ("imds: 503 GET /latest/meta-data/refuse from ", ": a fault of the description, of the kind \"refuse\""),
            ("imds: 200 GET /latest/meta-data/delay from ", ": found; fault: answered after 50ms"),
            ("imds: no answer to GET /latest/meta-data/close from ", ": found; fault: closed without an answer"),
            ("imds: 200 GET /latest/meta-data/cut from ", ": found; fault: answered with half of the body"),
            ("imds: no answer to PUT /latest/api/token from ", ": token issued; fault: never answered"),
        ];
        assert_eq!(lines.len(), wanted.len(), "{log}");
        for (line, (begin, end)) in lines.iter().zip(wanted) {
            assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
        }
    }
}

#[test]
fn lines_for_programs_name_the_fault_and_no_status_that_nobody_got() {
    let file = File::new("faults-json.toml", FAULTS);
    let served = Served::start(&["--instance", file.path.to_str().unwrap(), "--log-format", "json"]);
    strike_all(&served);
    let log = served.end_of_log();
    let lines: Vec<serde_json::Value> =
        log.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = lines.iter().map(|line| (line["fault"].as_str().unwrap(), line["status"].as_u64())).collect();
    let wanted = [("refuse", Some(503)), ("delay", Some(200)), ("close", None), ("cut", Some(200)), ("withhold", None)];
    assert_eq!(seen, wanted, "{log}");
    assert!(lines.iter().all(|line| line["level"] == "warn"), "{log}");
}

#[test]
fn a_stopped_instance_says_so_in_the_log_and_to_nobody_else() {
    let file = File::new("stopped.toml", "state = 'stopped'\n");
    let served = Served::start(&["--instance", file.path.to_str().unwrap()]);
    assert_eq!(get(&served, "/latest/"), "");
    let log = served.end_of_log();
    let line = log.lines().find(|line| line.starts_with("imds: no answer to GET /latest/ from ")).unwrap();
    assert!(line.ends_with("its state is \"stopped\" or \"terminated\"; closed without an answer"), "{line}");
    assert!(!line.contains("fault"), "{line}");
}

#[test]
fn a_crowd_of_strikes_leaves_room_in_the_log() {
    let file = File::new("faults-crowd.toml", "faults = [{ kind = 'refuse', paths = ['/latest'] }]\n");
    let served = Served::start(&["--keep-alive", "--instance", file.path.to_str().unwrap()]);
    let asked = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(99);
    let last = "DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(served.request(&(asked + last)).matches("HTTP/1.1 503 ").count(), 99);
    let log = served.end_of_log();
    assert!(log.contains("imds: 403 DELETE / from "), "{log}");
    assert!(log.contains(" more requests affected by faults; the log takes 20 a second\n"), "{log}");
}

#[test]
fn a_share_strikes_the_same_requests_in_every_run() {
    let affected = |seed| {
        let name = format!("faults-share-{seed}.toml");
        let file = File::new(&name, format!("faults = [{{ kind = 'close', share = 0.5, seed = {seed} }}]\n"));
        let served = Served::start(&["--instance", file.path.to_str().unwrap()]);
        (0..64).map(|_| get(&served, "/latest/").is_empty()).collect::<Vec<_>>()
    };
    let first = affected(7);
    assert_eq!(first, affected(7));
    assert_ne!(first, affected(8));
    let count = first.iter().filter(|affected| **affected).count();
    assert!((16..=48).contains(&count), "{count} of 64");
}

/// What the start does is no request: the first that a client sends is the first
/// that a fault counts.
#[test]
fn who_is_struck_depends_on_clients_alone() {
    let description = "faults = [{ kind = 'refuse', share = 0.5, seed = 7 }]\n";
    let file = File::new("faults-seed.toml", description);
    let instance = {
        let description = imds_host::Description::from_toml("faults-seed.toml", description).unwrap();
        imds_host::Runtime::new().unwrap().open(&description).unwrap()
    };
    let request = imds_host::Request::get("/latest/").with("Host", "localhost");
    let expected: Vec<u16> =
        (0..16).map(|_| instance.answer(&request, imds_host::Moment::at(1_790_812_800_000, 0)).status).collect();
    assert!(expected.contains(&200) && expected.contains(&503), "{expected:?}");

    // More listeners than one, and a list of what is to come.
    let flags =
        ["--instance", file.path.to_str().unwrap(), "--scenario", "spot-interruption", "--control", "127.0.0.1:0"];
    let served = Served::start(&[&flags[..], &["--listen", "127.0.0.1:0"]].concat());
    served.line_with("imds: control on ");
    let answered: Vec<u16> =
        (0..16).map(|_| get(&served, "/latest/")["HTTP/1.1 ".len()..][..3].parse().unwrap()).collect();
    assert_eq!(answered, expected);
}
