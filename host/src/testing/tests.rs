use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Instant, UNIX_EPOCH};

use super::*;
use crate::CallerKey;

/// Sends one request and reads until the service closes: the status and the body.
fn ask(endpoint: &str, request: &str) -> (u16, String) {
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "{} HTTP/1.1\r\nHost: {address}\r\n{}\r\n", request.lines().next().unwrap(), fields(request))
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn fields(request: &str) -> String {
    request.lines().skip(1).map(|field| format!("{field}\r\n")).collect()
}

fn token(endpoint: &str) -> String {
    let (status, token) = ask(endpoint, "PUT /latest/api/token\nX-aws-ec2-metadata-token-ttl-seconds: 60");
    assert_eq!(status, 200);
    token
}

/// What the panic of an assertion says.
fn refused(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

#[test]
fn a_test_starts_it_changes_it_and_asserts_what_it_was_asked() {
    let imds = Imds::builder().toml("instance-type = 'm7g.large'").paused_at(UNIX_EPOCH).start().unwrap();
    let endpoint = imds.endpoint();
    assert_eq!(ask(&endpoint, "GET /latest/meta-data/instance-type"), (200, "m7g.large".into()));
    imds.edit("instance-type = 'm7g.xlarge'\nstate = 'running'").unwrap_err();
    imds.edit("metadata-options.http-tokens = 'required'").unwrap();
    assert_eq!(ask(&endpoint, "GET /latest/meta-data/instance-type").0, 401);
    let authorized =
        format!("GET /latest/meta-data/spot/instance-action\nX-aws-ec2-metadata-token: {}", token(&endpoint));
    assert_eq!(ask(&endpoint, &authorized).0, 404);
    imds.interrupt().unwrap();
    assert_eq!(ask(&endpoint, &authorized).1, r#"{"action":"terminate","time":"1970-01-01T00:02:00Z"}"#);
    imds.advance(Duration::from_secs(61));
    assert_eq!(ask(&endpoint, &authorized).0, 401, "the token is over");

    let requests = imds.requests();
    assert_eq!((requests.entries().len(), requests.count("/latest/meta-data/instance-type")), (6, 2));
    assert!(requests.asked("/latest/meta-data/spot/") && !requests.asked("/latest/meta-data/spot"));
    requests.assert_asked("/latest/api/token");
    requests.assert_not_asked("/latest/meta-data/iam/");
    let wrong = refused(|| requests.assert_asked("/latest/meta-data/iam/"));
    assert!(wrong.starts_with("nobody asked for /latest/meta-data/iam/\nhttp://127.0.0.1:"), "{wrong}");
    assert!(
        wrong.contains("\n    2  GET /latest/meta-data/instance-type: 401, version 1\n       token-missing: "),
        "{wrong}"
    );
    let wrong = refused(|| requests.assert_not_asked("/latest/api/"));
    assert!(wrong.starts_with("somebody asked for /latest/api/\n"), "{wrong}");
    let wrong = refused(|| requests.assert_none_refused());
    assert!(wrong.starts_with("2 of 6 requests refused\n"), "{wrong}");
}

#[test]
fn version_2_alone_is_asserted_as_imds_run_demands_it() {
    let imds = Imds::start().unwrap();
    let wrong = refused(|| imds.requests().assert_version2_only());
    assert!(wrong.starts_with("no request was answered as one of version 2\n"), "{wrong}");
    // One that was refused shows nothing.
    ask(&imds.endpoint(), "PUT /latest/api/token");
    refused(|| imds.requests().assert_version2_only());
    token(&imds.endpoint());
    imds.requests().assert_version2_only();
    ask(&imds.endpoint(), "GET /latest/");
    let wrong = refused(|| imds.requests().assert_version2_only());
    assert!(wrong.starts_with("1 of 3 requests came without a token\n"), "{wrong}");
}

#[test]
fn tokens_are_required_whatever_description_and_scenario_say() {
    let optional = "metadata-options.http-tokens = 'optional'";
    let imds = Imds::builder().tokens_required().toml(optional).scenario("spot-stop").start().unwrap();
    assert_eq!(ask(&imds.endpoint(), "GET /").0, 401);
    assert!(imds.control().timeline().unwrap().iter().any(|happening| happening.what.contains("stop")));
}

#[test]
fn a_description_is_a_text_a_file_or_typed() {
    let file = std::env::temp_dir().join(format!("imds-testing-{}.toml", std::process::id()));
    std::fs::write(&file, "instance-type = 'm7g.large'").unwrap();
    let typed = Description::from_json("typed", r#"{"instance-type":"m7g.large"}"#).unwrap();
    for builder in [Imds::builder().toml("").file(&file), Imds::builder().file("none").description(typed)] {
        let imds = builder.start().unwrap();
        assert_eq!(ask(&imds.endpoint(), "GET /latest/meta-data/instance-type").1, "m7g.large");
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    for (builder, place) in [
        (Imds::builder().toml("a = [\n"), "--> the description of the test:1:6"),
        (Imds::builder().toml("\ninstance-typo = 'a'"), "--> the description of the test:2:1 (instance-typo)"),
        (Imds::builder().toml("state = 3").scenario("spot-stop"), "--> the description of the test:1:9 (state)"),
        (Imds::builder().scenario("spot-stopp"), "no scenario `spot-stopp` ships"),
    ] {
        let error = builder.start().unwrap_err();
        assert!(matches!(error, Error::Invalid(_)) && error.to_string().contains(place), "{error}");
    }
}

#[test]
fn each_caller_of_a_fleet_has_its_own() {
    let member = |text| Description::from_toml("the member", text).unwrap();
    let members = [("vm-1", member("")), ("vm-2", member("instance-type = 'm7g.large'"))];
    let callers: CallerKey = "header:x-guest".parse().unwrap();
    let builder = Imds::builder().toml("instance-type = 't4g.nano'");
    let imds = builder.clone().start_fleet(callers.clone(), members).unwrap();
    let of = |guest| ask(&imds.endpoint(), &format!("GET /latest/meta-data/instance-type\nX-Guest: {guest}"));
    assert_eq!((of("vm-1").1, of("vm-2").1, of("vm-3").0), ("t4g.nano".into(), "m7g.large".into(), 403));
    assert_eq!(imds.requests().count("/latest/meta-data/instance-type"), 3);
    let error = builder.start_fleet(callers, [("vm-1", member("state = 3"))]).unwrap_err();
    assert!(error.to_string().contains("--> the member:1:9 (state)"), "{error}");
}

#[test]
fn a_command_finds_it_and_not_the_configuration_of_the_user() {
    let imds = Imds::start().unwrap();
    let variables = imds.env();
    let value = |name: &str| variables.iter().find(|(set, _)| set == name).map(|(_, value)| value.to_str().unwrap());
    assert_eq!(value("AWS_EC2_METADATA_SERVICE_ENDPOINT"), Some(&*imds.endpoint()));
    assert_eq!(value("AWS_EC2_METADATA_DISABLED"), Some("false"));
    assert!(value("NO_PROXY").unwrap().contains("127.0.0.1"));
    for file in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        assert_eq!(std::fs::read(value(file).unwrap()).unwrap(), b"", "{file}");
    }
    // In a process of its own, which has such variables.
    let inner = "testing::tests::inner_what_a_command_inherits";
    let own = [("AWS_PROFILE", "mine"), ("AWS_REGION", "mine"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6")];
    let output =
        this_test(inner).envs(own).env("AWS_CONFIG_FILE", "mine").env("IMDS_CONTROL", "mine").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One test of this program, in a process of its own, which knows that it is.
fn this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]).env("IMDS_TEST_INNER", "1");
    command
}

fn is_inner() -> bool {
    std::env::var_os("IMDS_TEST_INNER").is_some()
}

#[test]
fn inner_what_a_command_inherits() {
    if !is_inner() {
        return;
    }
    let imds = Imds::start().unwrap();
    let output =
        imds.command(if cfg!(windows) { "cmd" } else { "env" }).args(windows(&["/c", "set"])).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("IMDS_TEST_INNER=1") && printed.contains(&imds.endpoint()), "{printed}");
    assert!(!printed.contains("=mine") && !printed.contains("ENDPOINT_MODE"), "{printed}");
}

fn windows<'a>(arguments: &'a [&'a str]) -> &'a [&'a str] {
    if cfg!(windows) { arguments } else { &[] }
}

#[test]
fn a_panic_prints_what_was_asked_without_secrets() {
    let output = this_test("testing::tests::inner_a_test_that_fails").output().unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains(" was asked 2 requests:\n    1  PUT /latest/api/token: 200, version 2\n"), "{printed}");
    let token = String::from_utf8(output.stdout).unwrap();
    let token = token.lines().find_map(|line| line.split("the token is ").nth(1)).unwrap();
    assert!(token.len() > 40 && !printed.contains(token), "{printed}");
}

#[test]
fn inner_a_test_that_fails() {
    if !is_inner() {
        return;
    }
    let imds = Imds::start().unwrap();
    let token = token(&imds.endpoint());
    println!("the token is {token}");
    ask(&imds.endpoint(), &format!("GET /latest/meta-data/?{token}"));
    panic!("as it should");
}

#[test]
fn it_is_gone_when_it_is_dropped() {
    // A client that keeps its connection, and one that waits for an answer that never comes.
    let imds = Imds::builder().toml("faults = [{ kind = 'withhold' }]").start().unwrap();
    let address = imds.endpoint().strip_prefix("http://").unwrap().to_owned();
    let mut idle = TcpStream::connect(&address).unwrap();
    let mut waiting = TcpStream::connect(&address).unwrap();
    write!(waiting, "GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    while imds.requests().entries().is_empty() {
        thread::yield_now();
    }
    let started = Instant::now();
    drop(imds);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(TcpStream::connect(&address).is_err());
    TcpListener::bind(&address).unwrap();
    for stream in [&mut idle, &mut waiting] {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // Its end, or a reset: nothing in any case.
        assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn it_serves_a_test_that_holds_its_executor() {
    let imds = Imds::start().unwrap();
    assert_eq!(ask(&imds.endpoint(), "GET /").0, 200);
    drop(imds);
}

/// Alone in its process, whose memory is that of the fixtures.
#[test]
fn two_hundred_at_once_are_distinct_and_gone_at_the_end() {
    let output = this_test("testing::tests::inner_two_hundred_at_once").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    println!("{printed}");
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn inner_two_hundred_at_once() {
    if !is_inner() {
        return;
    }
    let (before_kib, started) = (resident_kib(), Instant::now());
    let start = |number: usize| {
        let imds = Imds::builder().toml(format!("instance-id = 'i-{number:017x}'")).start().unwrap();
        let id = ask(&imds.endpoint(), "GET /latest/meta-data/instance-id").1;
        assert_eq!((id, imds.requests().entries().len()), (format!("i-{number:017x}"), 1));
        imds
    };
    let start_fifty = |part: usize| (0..50).map(|number| start(part * 50 + number)).collect();
    let all: Vec<Imds> = thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|part| scope.spawn(move || -> Vec<Imds> { start_fifty(part) })).collect();
        starting.into_iter().flat_map(|started| started.join().unwrap()).collect()
    });
    let memory_kib = resident_kib().zip(before_kib).map(|(with, before)| with - before);
    let endpoints: HashSet<_> = all.iter().map(Imds::endpoint).collect();
    assert_eq!(endpoints.len(), 200);
    let token = token(&all[0].endpoint());
    for (imds, status) in [(&all[0], 200), (&all[1], 401)] {
        assert_eq!(ask(&imds.endpoint(), &format!("GET /\nX-aws-ec2-metadata-token: {token}")).0, status);
    }
    drop(all);
    let took = started.elapsed();
    let open = endpoints.iter().filter(|endpoint| TcpStream::connect(&endpoint["http://".len()..]).is_ok());
    assert_eq!(open.count(), 0);
    println!("200 fixtures: {took:?}, {memory_kib:?} KiB");
    assert!(memory_kib.is_none_or(|kib| kib <= 40 << 10), "{memory_kib:?} KiB");
    // Without optimisation and beside other tests it takes what it takes.
    assert!(cfg!(debug_assertions) || took < Duration::from_secs(1), "{took:?}");
}

/// The memory that this process has, where the system tells.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
}
