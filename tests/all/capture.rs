//! Captures: whole or honest, without secrets, and what comes of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use imds_host::capture::{Capturer, InProcess, Transcript};
use imds_host::{Description, Runtime};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::crawl::descriptions;

/// 2026-10-01T00:00:00Z and a little.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_812_830_000)
}

fn runtime() -> Runtime {
    Runtime::new().unwrap_or_else(|error| panic!("{error}"))
}

fn served(runtime: &Runtime, toml: &str) -> InProcess {
    let description = Description::from_toml("test", toml).unwrap_or_else(|error| panic!("{error}"));
    InProcess::new(runtime.open(&description).unwrap_or_else(|error| panic!("{toml}: {error}")), now())
}

fn capturer() -> Capturer {
    Capturer::new().unwrap_or_else(|error| panic!("{error}"))
}

fn captured(capturer: &Capturer, served: &mut InProcess) -> Transcript {
    capturer.capture("http://169.254.169.254", served).unwrap_or_else(|error| panic!("{error}"))
}

/// A capture of an instance of which nothing is described.
static DEFAULT: LazyLock<Transcript> = LazyLock::new(|| captured(&capturer(), &mut served(&runtime(), "")));

#[test]
fn the_service_that_was_captured_answers_the_same() {
    let runtime = runtime();
    for toml in ["", "metadata-options = { http-tokens = 'required' }", include_str!("../instances/everything.toml")] {
        let mut service = served(&runtime, toml);
        let transcript = captured(&capturer(), &mut service);
        assert!(transcript.header.missing.is_empty(), "{:?}", transcript.header.missing);
        let comparison = transcript.compare(&mut service);
        assert!(comparison.differences.is_empty(), "{:#?}", comparison.differences);
        let mut file = Vec::new();
        transcript.write(&mut file).expect("memory takes it");
        assert_eq!(Transcript::read_from(&file[..]).as_ref(), Ok(&transcript));
    }
}

/// Descriptions with and without each part that an instance may lack.
#[test]
fn what_is_served_from_the_description_of_a_capture_is_what_was_captured() {
    let runtime = runtime();
    let capturer = capturer().keep_user_data(true);
    let mut runner = TestRunner::deterministic();
    let random = (0..12).map(|_| descriptions().new_tree(&mut runner).expect("a description").current());
    let all: Vec<_> = [include_str!("../instances/everything.toml").to_owned()].into_iter().chain(random).collect();
    let round_trip = |toml: &str| {
        let mut service = served(&runtime, toml);
        let transcript = captured(&capturer, &mut service);
        assert!(transcript.header.missing.is_empty(), "{toml}: {:?}", transcript.header.missing);
        let described = transcript.describe(&runtime).unwrap_or_else(|error| panic!("{toml}: {error}"));
        assert!(described.unsaid.is_empty(), "{toml}: {:#?}", described.unsaid);
        assert!(described.differences.is_empty(), "{toml}: {:#?}\n{}", described.differences, described.toml);
    };
    // It is thousands of requests for each.
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(toml) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    round_trip(toml);
                }
            });
        }
    });
}

/// A capture that ends anywhere is described, by whatever is there.
#[test]
fn a_capture_that_ended_early_is_described_too() {
    let runtime = runtime();
    for toml in [
        "",
        "private-ip-address = false\nnetwork-interfaces = [{ ipv6-addresses = ['2001:db8::7'] }]",
        "instance-type = 't2.micro'",
    ] {
        let whole = captured(&capturer(), &mut served(&runtime, toml));
        // Half of the listings and items of `latest` come first.
        for number in (1..150).step_by(5) {
            let transcript = Transcript { exchanges: whole.exchanges[..number].to_vec(), ..whole.clone() };
            let described =
                transcript.describe(&runtime).unwrap_or_else(|error| panic!("{toml}, {number} exchanges: {error}"));
            served(&runtime, &described.toml);
        }
    }
}

/// What cannot be said by a description is in the report, and not lost.
#[test]
fn what_a_description_cannot_say_is_reported() {
    let runtime = runtime();
    let mut transcript = DEFAULT.clone();
    // A service that has an item of its own from a version on, and lacks one that ours has.
    let mut changed = 0;
    for exchange in &mut transcript.exchanges {
        let text = match exchange.request.target.as_str() {
            "/latest/meta-data/system" => "quantum\u{7f}",
            "/2022-09-24/meta-data/system" => "other",
            "/1.0/meta-data/" => "ami-id",
            _ => continue,
        };
        let line = serde_json::to_string(&exchange).expect("JSON");
        let mut value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        value["response"]["body"] = text.into();
        *exchange = serde_json::from_value(value).expect("an exchange");
        changed += 1;
    }
    assert!(changed >= 3, "{changed}");
    let described = transcript.describe(&runtime).unwrap_or_else(|error| panic!("{error}"));
    assert!(described.toml.contains("\"meta-data/system\" = \"quantum\\u007f\""), "{}", described.toml);
    assert!(described.toml.contains("\"2022-09-24/meta-data/system\" = \"other\""), "{}", described.toml);
    let report = described.report(&transcript);
    let unsaid = report.split("cannot say\n").nth(1).unwrap_or_default();
    assert!(unsaid.contains("GET /*/meta-data/ with a token (1.0): body: captured \"ami-id\""), "{report}");
}

/// Every secret that a service could show.
const SECRETS: [&str; 9] = [
    "ASIAREALKEYOFSOMEONE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjEXAMPLETOKENwhichIsLong",
    "ASIAREALKEYWITHOUTTO",
    "hunter2",
    "AAAAB3NzaC1yc2EAAAADAQABpushedkey",
    "MIIBocspanswerofsomeone",
    "MIIBcertificateofasigner",
    "Failed-message-of-nobody",
];

/// Secrets of items that EC2 does not have.
const API: &str = "0f1e-api-key-of-a-rack";
const PASS: &str = "hunter7";

fn with_secrets() -> String {
    let [id, key, token, without, data, pushed, ocsp, certificate, _] = SECRETS;
    format!(
        r##"
        user-data = "#!/bin/sh\nPASSWORD={data}\n"
        [iam-instance-profile]
        name = "web"
        credentials = {{ access-key-id = "{id}", secret-access-key = "{key}", session-token = "{token}" }}
        credentials-without-token = {{ access-key-id = "{without}", secret-access-key = "{key}1", session-token = "{token}1" }}
        [managed-ssh-keys]
        signer-cert = "-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
        active-keys = {{ ec2-user = "ssh-rsa {pushed}" }}
        signer-ocsp = {{ "0123456789abcdef0123456789abcdef01234567" = "{ocsp}" }}
        [extra-entries]
        "meta-data/fabric/copy" = "the key is {key}"
        "meta-data/fabric/settings" = '{{ "rack": "r17", "apiKey": "{API}", "db": {{ "db_pass": ["{PASS}"] }}, "pass": 7351935172 }}'
        "meta-data/fabric/environment" = "RACK=r17\npassword={PASS}\n"
        "meta-data/fabric/api-key" = "{PASS}"
        "##
    )
}

fn written(transcript: &Transcript) -> String {
    let mut file = Vec::new();
    transcript.write(&mut file).expect("memory takes it");
    String::from_utf8(file).expect("it is text")
}

#[test]
fn no_secret_is_in_a_capture_and_its_form_is() {
    let runtime = runtime();
    let mut service = served(&runtime, &with_secrets());
    let transcript = captured(&capturer(), &mut service);
    let described = transcript.describe(&runtime).unwrap_or_else(|error| panic!("{error}"));
    let all = written(&transcript) + &described.toml + &described.report(&transcript) + &format!("{transcript:?}");
    for secret in SECRETS.into_iter().chain([API, PASS, "7351935172"]) {
        assert!(!all.contains(secret), "{secret}");
    }
    assert!(all.contains(r#"\"rack\": \"r17\""#) && all.contains("RACK=r17"), "what is no secret stays");
    // No token that was issued: what looks like one is made up, and none of them is good.
    let tokens: BTreeSet<&str> = all.split('"').filter(|text| text.len() == 56 && text.ends_with("==")).collect();
    assert!(!tokens.is_empty());
    for token in tokens {
        let request = imds_host::Request::get("/latest/").with("X-aws-ec2-metadata-token", token);
        let status = imds_host::capture::Asker::ask(&mut service, &request).map(|reply| reply.status);
        assert_eq!(status.ok(), Some(401), "{token}");
    }
    assert!(all.contains("the key is ") && all.contains("#!/bin/sh\\n# made up by imds"), "no form");
    let differences = transcript.compare(&mut service).differences;
    assert!(differences.is_empty(), "form only: {differences:#?}");
    let kept = captured(&capturer().keep_user_data(true), &mut service);
    assert!(written(&kept).contains("hunter2") && !written(&kept).contains(SECRETS[1]));
}

/// As many secrets as an answer can hold, in every version.
#[test]
fn thousands_of_secrets_are_replaced_in_reasonable_time() {
    let token = |number: usize| format!("IQoJb3JpZ2luX2VjEXAMPLETOKEN{number:08}");
    let tokens: Vec<_> = (0..4000).map(|number| format!("{{\"Token\":\"{}\"}}", token(number))).collect();
    let (secrets, other) = (format!("[{}]", tokens.join(",")), "1-".repeat(30_000) + "1x");
    let mut asker = |request: &imds_host::Request| {
        let body = match request.target.as_str() {
            "/latest/" => "meta-data",
            target if target.ends_with("/meta-data/") => "list\nother",
            target if target.ends_with("/list") => &secrets,
            target if target.ends_with("/other") => &other,
            _ => "latest",
        };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let reply = imds_host::probe::Reply::read(answer.as_bytes(), request.method == "HEAD");
        Ok(reply.expect("an answer"))
    };
    let begun = std::time::Instant::now();
    let transcript =
        capturer().anonymize(true).capture("http://a", &mut asker).unwrap_or_else(|error| panic!("{error}"));
    let written = written(&transcript);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert!(written.contains(&other));
    assert!(written.matches("Token").count() >= 4000, "{}", written.matches("Token").count());
    assert!((0..4000).all(|number| !written.contains(&token(number))));
}

#[test]
fn an_anonymous_capture_has_nothing_that_names_anybody() {
    let runtime = runtime();
    let originals = [
        "i-0a1b2c3d4e5f60718",
        "0a1b2c3d4e5f60718",
        "987654321098",
        "10.77.3.21",
        "10-77-3-21",
        "10.77.3.0",
        "54.1.2.3",
        "54-1-2-3",
        "2600:1f18:1234:5600",
        "0e:12:34:56:78:9a",
        "subnet-0aa0bb0cc0dd0ee01",
        "vpc-0aa0bb0cc0dd0ee02",
        "sg-0aa0bb0cc0dd0ee03",
        "ami-0aa0bb0cc0dd0ee04",
        "r-0aa0bb0cc0dd0ee05",
        "eni-0aa0bb0cc0dd0ee06",
        "payments-role",
        "payments-profile",
        "alice-laptop",
        "AAAAIJEOavo3KfbMZvlK0qdO6zx6lhBD",
        "acme-frontend",
        "acme.example",
        "Quarterly numbers",
        "acme-placement",
        "acme-bucket",
    ];
    let toml = r#"
        instance-id = "i-0a1b2c3d4e5f60718"
        owner-id = "987654321098"
        image-id = "ami-0aa0bb0cc0dd0ee04"
        reservation-id = "r-0aa0bb0cc0dd0ee05"
        private-ip-address = "10.77.3.21"
        public-ip-address = "54.1.2.3"
        private-dns-name = "ip-10-77-3-21.acme.example"
        placement.group-name = "acme-placement"
        ami-manifest-path = "acme-bucket/images/image.manifest.xml"
        metadata-options.instance-metadata-tags = "enabled"
        tags = { Name = "Quarterly numbers", zone = "us-east-1a" }
        key-pair = { key-name = "alice-laptop" }
        iam-instance-profile = { name = "payments-profile", role-name = "payments-role" }
        [[network-interfaces]]
        network-interface-id = "eni-0aa0bb0cc0dd0ee06"
        mac-address = "0e:12:34:56:78:9a"
        subnet-id = "subnet-0aa0bb0cc0dd0ee01"
        subnet-ipv4-cidr-block = "10.77.3.0/24"
        vpc-id = "vpc-0aa0bb0cc0dd0ee02"
        vpc-ipv4-cidr-blocks = ["10.77.0.0/16"]
        ipv6-addresses = ["2600:1f18:1234:5600::17"]
        groups = [{ group-id = "sg-0aa0bb0cc0dd0ee03", group-name = "acme-frontend" }]
        [[network-interfaces]]
        mac-address = "0e:12:34:56:78:9b"
        private-ip-addresses = [{ private-ip-address = "10.77.3.22" }]
        [extra-entries]
        "meta-data/fabric/hosts" = "x987654321098x at 10.77.3.21:80, payments-role"
        "#;
    let mut service = served(&runtime, toml);
    for _ in 0..2 {
        let transcript = capturer().anonymize(true).capture("http://metadata.acme.example:81", &mut service);
        let transcript = transcript.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(transcript.header.endpoint, "http://imds.example:81");
        let described = transcript.describe(&runtime).unwrap_or_else(|error| panic!("{error}"));
        let all = written(&transcript) + &described.toml + &described.report(&transcript);
        for original in originals {
            assert!(!all.contains(original), "{original}");
        }
        // It is one instance still, whose parts agree.
        assert!(described.unsaid.is_empty(), "{:#?}\n{}", described.unsaid, described.toml);
        assert!(described.differences.is_empty(), "{:#?}\n{}", described.differences, described.toml);
        let description =
            Description::from_toml("anonymous", &described.toml).unwrap_or_else(|error| panic!("{error}"));
        let warnings = runtime.warnings(&description, now()).unwrap_or_else(|error| panic!("{error}"));
        let names: Vec<_> = warnings.list.iter().map(|warning| warning.name.as_str()).collect();
        assert!(names.is_empty(), "{names:?}\n{}", described.toml);
        assert!(all.contains("us-east-1a"), "a word of EC2 stays");
    }
}

#[test]
fn a_capture_of_a_busy_service_is_whole_and_of_one_that_fails_says_what_is_missing() {
    let runtime = runtime();
    let whole = &*DEFAULT;
    for toml in [
        "request-throttle = { burst = 10, per-second = 20 }",
        "faults = [{ kind = 'refuse', share = 0.3 }]",
        "faults = [{ kind = 'close', share = 0.2 }, { kind = 'cut', share = 0.2, paths = ['/*/dynamic'] }]",
        "faults = [{ kind = 'delay', delay = '3s', share = 0.01 }]",
        &format!(
            "timeline-start = '2026-10-01T00:00:25Z'\n{}",
            include_str!("../../host/src/scenarios/flaky-service.toml")
        ),
    ] {
        let transcript = captured(&capturer(), &mut served(&runtime, toml));
        assert_eq!(transcript.header.missing, [], "{toml}");
        assert_eq!(transcript.compare(&mut served(&runtime, "")).differences, [], "{toml}");
        assert!(transcript.exchanges.len() >= whole.exchanges.len(), "{toml}");
    }
    // One folder never answers.
    let toml = "faults = [{ kind = 'refuse', paths = ['/latest/meta-data/iam'] }]";
    let transcript = captured(&capturer(), &mut served(&runtime, toml));
    let missing = &transcript.header.missing[0];
    assert_eq!(missing.request, "GET /latest/meta-data/iam/ and all that is below it");
    assert_eq!(missing.why, "always 503 Service Unavailable");
    assert!(transcript.exchanges.len() > whole.exchanges.len() / 2, "the rest is there");
    // It stops answering at all.
    let toml = "timeline-start = '2026-10-01T00:00:30Z'\ntimeline = [{ at = '+5s', state = 'stopped' }]";
    let transcript = captured(&capturer(), &mut served(&runtime, toml));
    let missing = &transcript.header.missing;
    assert!(missing.iter().any(|it| it.why == "the service had stopped answering"), "{:?}", &missing[..5]);
    let report = transcript.describe(&runtime).unwrap_or_else(|error| panic!("{error}")).report(&transcript);
    assert!(report.contains("the service had stopped answering"), "{report}");
    // It never answers.
    let error = capturer().capture("http://a", &mut served(&runtime, "state = 'stopped'")).expect_err("it is stopped");
    assert!(matches!(error, imds_host::capture::CaptureError::NoReply(_)), "{error}");
    // The bounds.
    for (capturer, why) in [
        (capturer().requests_at_most(100), "the capture's 100 requests were used up"),
        (capturer().bytes_at_most(1000), "the capture's 1000 bytes were used up"),
        (capturer().time_at_most(Duration::from_secs(2)), "the capture's time of 2s was over"),
    ] {
        let transcript = captured(&capturer, &mut served(&runtime, ""));
        assert!(transcript.header.missing.iter().all(|missing| missing.why == why), "{:?}", transcript.header.missing);
        assert!(!transcript.header.missing.is_empty() && transcript.exchanges.len() <= 200, "{why}");
    }
}

/// A comparison ends like a capture, whatever the service does.
#[test]
fn a_comparison_ends_when_the_service_stops_answering_or_its_time_is_over() {
    let runtime = runtime();
    let whole = &*DEFAULT;
    let last = |toml: &str| {
        let comparison = whole.compare(&mut served(&runtime, toml));
        let difference = comparison.differences.last().unwrap_or_else(|| panic!("{toml}: nothing differs")).clone();
        let left = whole.exchanges.len() - comparison.compared;
        let expected = (difference.what.as_str(), difference.expected.clone());
        assert_eq!(expected, ("this and all after it", format!("{left} answers")), "{toml}");
        (comparison, difference.got)
    };
    // Never, or from a time on.
    let (comparison, got) = last("state = 'stopped'");
    assert_eq!(got, "none: the service never answered");
    assert_eq!((comparison.compared, comparison.differences.len()), (1, 2));
    let (comparison, got) =
        last("timeline-start = '2026-10-01T00:00:30Z'\ntimeline = [{ at = '+5s', state = 'stopped' }]");
    assert_eq!(got, "none: the service had stopped answering");
    assert!(comparison.compared > 100, "{}", comparison.compared);
    // So slow that all of it would take hours.
    let (comparison, got) = last("faults = [{ kind = 'delay', delay = '4s' }]");
    assert_eq!(got, "none: the comparison's time of 1h was over");
    assert!((800..1000).contains(&comparison.compared), "{}", comparison.compared);
}

/// Whatever a service says, a capture ends and is a transcript.
#[test]
fn garbage_is_captured_or_missed_and_never_followed_for_ever() {
    let bodies = ["<html>\n../\n..\n/\na/\n", "a/\na/b\n\u{7f}\n%2e%2e/\n", "x/\ny/\nz/", ""];
    for body in bodies {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let mut asker = |request: &imds_host::Request| {
            let reply = imds_host::probe::Reply::read(answer.as_bytes(), request.method == "HEAD");
            Ok(reply.expect("an answer"))
        };
        let capturer = capturer().requests_at_most(2000);
        let transcript = match capturer.capture("http://a", &mut asker) {
            Err(error) if body.starts_with('<') => {
                let page = "this is no metadata service: GET /latest/dynamic/instance-identity/document: \
                            200 OK with a page of HTML or XML";
                assert_eq!(error.to_string(), page);
                continue;
            }
            captured => captured.unwrap_or_else(|error| panic!("{body:?}: {error}")),
        };
        assert!(transcript.exchanges.len() <= 2000, "{body:?}");
        let read = Transcript::read_from(written(&transcript).as_bytes());
        assert_eq!(read.as_ref(), Ok(&transcript), "{body:?}");
        transcript.describe(&runtime()).unwrap_or_else(|error| panic!("{body:?}: {error}"));
    }
}

/// A service that answers a target with a body, and otherwise with a status.
fn answering(
    bodies: &'static [(&'static str, &'static str)],
    otherwise: &'static str,
) -> impl imds_host::capture::Asker {
    move |request: &imds_host::Request| {
        let body = bodies.iter().find(|(target, _)| *target == request.target && request.method == "GET");
        let (status, body) = body.map_or((otherwise, ""), |(_, body)| ("200 Ok", *body));
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        Ok(imds_host::probe::Reply::read(answer.as_bytes(), request.method == "HEAD").expect("an answer"))
    }
}

/// It lists next to nothing, lists a key without its name, and says `Ok` for `OK`.
#[test]
fn a_service_that_lists_little_is_captured_by_known_names() {
    let mut service = answering(
        &[
            ("/latest/meta-data/", "iam"),
            ("/latest/meta-data/ami-id", "ami-0aa0bb0cc0dd0ee04"),
            ("/latest/meta-data/instance-type", "m7g.large"),
            ("/latest/meta-data/placement/region", "eu-west-1"),
            ("/latest/meta-data/iam/security-credentials/", "web-role"),
            ("/latest/meta-data/public-keys/", "0/"),
            (
                "/latest/meta-data/public-keys/0/openssh-key",
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEOavo3KfbMZvlK0qdO6zx6lhBD+OODBQljYvjzGvrp test",
            ),
            ("/latest/api/token", "AQAEAnotATokenThatAnybodyIssued=="),
        ],
        "404 Not Found",
    );
    let transcript = capturer().capture("http://a", &mut service).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(transcript.compare(&mut service).differences, []);
    let described = transcript.describe(&runtime()).unwrap_or_else(|error| panic!("{error}"));
    for field in [
        "image-id = \"ami-0aa0bb0cc0dd0ee04\"",
        "instance-type = \"m7g.large\"",
        "role-name = \"web-role\"",
        "key-name = \"test\"",
        "public-key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEOavo3KfbMZvlK0qdO6zx6lhBD+OODBQljYvjzGvrp test\"",
        "eu-west-1",
    ] {
        assert!(described.toml.contains(field), "{field}\n{}", described.toml);
    }
    assert!(!described.unsaid.iter().any(|unsaid| unsaid.contains("api/token")), "{:?}", described.unsaid);
    let report = described.report(&transcript);
    assert!(report.contains("- the listing `/latest/`, which answers 404 Not Found: known items were"), "{report}");
    assert!(report.contains("- the listing `/latest/meta-data/` lacks ami-id, instance-type and more"), "{report}");
    assert!(
        report.contains(" answers: reason: captured 200 Ok, got 200 OK\n") || report.contains(": reason: "),
        "{report}"
    );
    assert!(!report.contains("(latest, latest)"), "{report}");
}

#[test]
fn what_is_no_metadata_service_is_not_described() {
    for (status, why) in [
        ("302 Found", "GET /latest/dynamic/instance-identity/document: 302 Found"),
        ("403 Forbidden", "GET /latest/dynamic/instance-identity/document: 403 Forbidden"),
        ("404 Not Found", "GET /latest/dynamic/instance-identity/document: 404 Not Found"),
    ] {
        let error = capturer().capture("http://a", &mut answering(&[], status)).expect_err(status);
        assert_eq!(error.to_string(), format!("this is no metadata service: {why}"));
    }
    // Its time passes without waiting.
    let mut refuses = served(&runtime(), "faults = [{ kind = 'refuse' }]");
    let error = capturer().capture("http://a", &mut refuses).expect_err("it is always busy");
    let why = "this is no metadata service: PUT /latest/api/token: always 503 Service Unavailable";
    assert_eq!(error.to_string(), why);
    let error = capturer().time_at_most(Duration::from_secs(2)).capture("http://a", &mut refuses);
    let error = error.expect_err("it is always busy").to_string();
    assert!(error.ends_with("time of 2s was over; before that: always 503 Service Unavailable"), "{error}");
}

/// Captures a service that is a function from method and path to status and body, and lists
/// what it was asked.
fn captured_from(capturer: &Capturer, answer: impl Fn(&str, &str) -> (u16, String)) -> (Transcript, Vec<String>) {
    let mut asked = Vec::new();
    let mut asker = |request: &imds_host::Request| {
        asked.push(request.target.clone());
        let (status, body) = answer(&request.method, &request.target);
        let fields = "Set-Cookie: sid=SECRET0123456789abcdef\r\nX-Api-Key: SECRETfedcba9876543210";
        let bytes = format!("HTTP/1.1 {status} X\r\n{fields}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        Ok(imds_host::probe::Reply::read(bytes.as_bytes(), request.method == "HEAD").expect("an answer"))
    };
    let transcript = capturer.capture("http://a", &mut asker).unwrap_or_else(|error| panic!("{error}"));
    (transcript, asked)
}

/// A service that shows secrets where EC2 does not. All of them contain `SECRET`.
fn careless(method: &str, target: &str) -> (u16, String) {
    let path = target.strip_prefix("/latest/").or_else(|| target.strip_prefix("/1.0/"));
    let is_old = target.starts_with("/1.0/");
    let text = match (method, path.unwrap_or(target)) {
        ("PUT", _) => return (201, "SECRETTOKENbPxRfiCYEXAMPLEKEYwJalrXUtnFEMIK7MDENG".to_owned()),
        (_, "/") => "1.0\nlatest",
        (_, "") => "api/\nmeta-data\nuser-data/\nuser-data",
        (_, "api/") => "token\ntoken/",
        (_, "api/token" | "api/token/") => "AQAESECRETGETbPxRfiCYEXAMPLEKEYwJalrXUtnFEMIK7MDENGabc==",
        (_, "user-data" | "user-data/") => "#!/bin/sh\nexport PASSWORD=SECRET-hunter2\nSECRET/\n",
        (_, "meta-data/") => "ami-id\niam/",
        (_, "meta-data/ami-id") => "ami-1",
        (_, "meta-data/iam/") => "security-credentials/",
        (_, "meta-data/iam/security-credentials/") => "ini\nodd\nfolder/",
        (_, "meta-data/iam/security-credentials/ini") => "aws_secret_access_key = SECRETwJalrXUtnFEMIK7MDENGbPxRfiCY",
        (_, "meta-data/iam/security-credentials/odd") => {
            r#"{"Code":"Success","kid":"SECRETASIAODD","list":["SECRETINALIST"],"nested":"{\"sak\":\"SECRETNESTED\"}"}"#
        }
        (_, "meta-data/iam/security-credentials/folder/") => "SECRETLINE\nSECRETFOLDER/",
        (_, "meta-data/iam/security-credentials/known") => return (404, "no such role".to_owned()),
        _ => return (404, "no such path".to_owned()),
    };
    (if is_old { 203 } else { 200 }, text.to_owned())
}

#[test]
fn no_secret_is_kept_or_asked_for_by_whatever_answer_it_came() {
    let (transcript, asked) = captured_from(&capturer(), careless);
    let asked: Vec<_> = asked.iter().filter(|target| target.contains("SECRET")).collect();
    assert!(asked.is_empty(), "{asked:?}");
    let described = transcript.describe(&runtime()).unwrap_or_else(|error| panic!("{error}"));
    let all = written(&transcript) + &described.toml + &described.report(&transcript);
    assert!(!all.contains("SECRET"), "{}", all.lines().find(|line| line.contains("SECRET")).unwrap_or_default());
    let body = |target: &str| {
        let exchange = transcript.exchanges.iter().find(|it| it.request.target == target && it.request.method == "GET");
        exchange.map(|it| String::from_utf8_lossy(&it.response.body()).into_owned()).unwrap_or_default()
    };
    let odd = body("/latest/meta-data/iam/security-credentials/odd");
    assert!(odd.starts_with(r#"{"Code":"Success","kid":""#) && odd.ends_with("\"}"), "{odd}");
    assert!(body("/latest/meta-data/iam/security-credentials/ini").contains(" = "), "no form");
    assert!(body("/1.0/user-data").starts_with("#!/bin/sh\n# made up"), "no form");
    assert_eq!(body("/latest/no-such-folder/"), "no such path", "error pages stay");
}

#[test]
fn a_comparison_shows_no_secret() {
    let (transcript, _) = captured_from(&capturer().keep_user_data(true), |method, target| match (method, target) {
        ("GET", "/latest/meta-data/ami-id") => (200, "ami-2".to_owned()),
        ("GET", target) if target.starts_with("/latest/") && !target.ends_with('/') => (200, "another".to_owned()),
        _ => careless(method, target),
    });
    let comparison = transcript.compare(&mut |request: &imds_host::Request| {
        let (status, body) = match request.target.as_str() {
            "/latest/meta-data/iam/info" => (200, "key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            target => careless(&request.method, target),
        };
        let bytes = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        Ok(imds_host::probe::Reply::read(bytes.as_bytes(), request.method == "HEAD").expect("an answer"))
    });
    let text = comparison.to_string();
    assert!(!text.contains("SECRET") && !text.contains("K7MDENG"), "{text}");
    assert!(text.contains("user-data") && text.contains(" other bytes"), "{text}");
    assert!(text.contains("captured \"ami-2\", got \"ami-1\"") && text.contains("key = …"), "{text}");
}

#[test]
fn what_is_missing_has_an_end_and_is_read_again() {
    let bad = |_: &str, target: &str| match target {
        "/" => (200, "latest".to_owned()),
        "/latest/" => (200, "\u{1}\n".repeat(100_000)),
        _ => (404, String::new()),
    };
    let (transcript, _) = captured_from(&capturer(), bad);
    let missing = &transcript.header.missing;
    assert_eq!(missing.len(), 1, "{:?}", &missing[..2]);
    assert_eq!(missing[0].to_string(), "GET /latest/: it lists names that no path can have");
    // Folders of folders, nearly none of which is requested.
    let names: String = (0..1000).map(|number| format!("{number}/\n")).collect();
    let (transcript, _) = captured_from(&capturer().requests_at_most(20), |_, _| (200, names.clone()));
    let missing = &transcript.header.missing;
    assert_eq!(missing.len(), 5001);
    assert_eq!(missing[5000].to_string(), "More requests: no more of them are listed");
    let read = Transcript::read_from(written(&transcript).as_bytes());
    assert!(read.as_ref() == Ok(&transcript), "it is another");
}

#[test]
fn heads_count_towards_the_bytes_of_a_capture() {
    let answer = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "a".repeat(10_000));
    let mut asker = |request: &imds_host::Request| {
        Ok(imds_host::probe::Reply::read(answer.as_bytes(), request.method == "HEAD").expect("an answer"))
    };
    let transcript = capturer().bytes_at_most(100_000).capture("http://a", &mut asker).expect("a capture");
    assert_eq!(transcript.exchanges.len(), 10);
}

#[test]
fn a_body_that_cannot_be_replaced_is_left_out_and_the_rest_is_kept() {
    let (transcript, _) = captured_from(&capturer(), |method, target| match (method, target) {
        ("PUT", _) => (200, "[ ".repeat(100)),
        _ => careless(method, target),
    });
    let missing = &transcript.header.missing;
    assert!(!missing.is_empty(), "nothing is missing");
    for missing in missing {
        assert_eq!(missing.request, "PUT /latest/api/token");
        assert_eq!(missing.why, "its body is left out: it has a secret that cannot be replaced");
    }
    assert!(!written(&transcript).contains("[ [ [") && transcript.exchanges.len() > 50);
}
