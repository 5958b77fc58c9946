//! Real clients, unmodified: the AWS SDK for Rust and botocore believe that they
//! run on an EC2 instance. A case that we pass and they fail is a wrong case.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::imds::Client;
use aws_config::imds::client::EndpointMode;
use aws_config::imds::client::error::ImdsError;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use imds_host::{Answered, Clock, Control, Description, Outcome, Service, VirtualClock, serve};
use tokio::net::TcpListener;

use crate::ways::{RUNTIME, TOKIO, open_in_component, read_toml};

/// The SDK's configuration and its IMDS client, pointed at a server of
/// `tests/instances/clients.toml` with tokens optional or required.
async fn client(http_tokens: &str) -> (ProviderConfig, Client) {
    let path = crate::case::tests_directory().join("instances/clients.toml");
    let mut description = Description::read(path).unwrap_or_else(|error| panic!("{error}"));
    description.set_text("/metadata-options/http-tokens", http_tokens, "the test");
    client_of(Service::new(open_in_component(&description))).await
}

/// The same, pointed at a server of `service`.
async fn client_of(service: Service) -> (ProviderConfig, Client) {
    client_under(service, SharedTimeSource::default()).await
}

/// The same, which believes in another clock.
async fn client_under(service: Service, time: SharedTimeSource) -> (ProviderConfig, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
    let address = listener.local_addr().expect("a listener has an address");
    tokio::spawn(serve(listener, service, std::future::pending()));
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = ProviderConfig::without_region().with_http_client(http).with_time_source(time);
    let builder = Client::builder().configure(&config).endpoint_mode(EndpointMode::IpV4);
    let builder = builder.endpoint(format!("http://{address}")).expect("the address is a URI");
    (config, builder.build())
}

fn with_tokens_optional_and_required(test: impl AsyncFn(ProviderConfig, Client)) {
    TOKIO.block_on(async {
        for option in ["optional", "required"] {
            let (config, client) = client(option).await;
            test(config, client).await;
        }
    });
}

#[test]
fn the_aws_sdk_reads_items() {
    with_tokens_optional_and_required(async |_, client| {
        for (path, expected) in [
            ("/latest/meta-data/instance-id", "i-1234567890abcdef0"),
            ("/latest/meta-data/placement/region", "us-west-2"),
            ("/latest/meta-data/mac", "0e:49:61:0f:c3:11"),
            ("/latest/meta-data/tags/instance/Name", "test-instance"),
        ] {
            let body = client.get(path).await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
            assert_eq!(body.as_ref(), expected, "{path}");
        }
    });
}

#[test]
fn the_aws_sdk_sees_404_where_there_is_nothing() {
    with_tokens_optional_and_required(async |_, client| match client.get("/latest/meta-data/no-such-thing").await {
        Err(ImdsError::ErrorResponse(error)) => assert_eq!(error.response().status().as_u16(), 404),
        other => panic!("{other:?}"),
    });
}

#[test]
fn the_aws_sdk_finds_the_credentials_of_the_role() {
    with_tokens_optional_and_required(async |config, client| {
        let provider = ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build();
        let credentials = provider.provide_credentials().await.expect("credentials are found");
        assert_eq!(credentials.access_key_id(), "ASIAIOSFODNN7EXAMPLE");
        assert_eq!(credentials.secret_access_key(), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        assert!(credentials.session_token().is_some_and(|token| token.starts_with("IQoJb3JpZ2luX2Vj")));
        assert!(credentials.expiry().is_some_and(|expiry| expiry > SystemTime::now()));
    });
}

#[test]
fn the_aws_sdk_finds_the_region() {
    with_tokens_optional_and_required(async |config, client| {
        let provider = ImdsRegionProvider::builder().configure(&config).imds_client(client).build();
        assert_eq!(provider.region().await.map(|region| region.to_string()), Some("us-west-2".to_owned()));
    });
}

/// A client that backs off gets what it asked for. The service's clock moves by
/// 400 ms with each request, so nobody waits for it.
#[test]
fn the_aws_sdk_succeeds_against_a_throttle() {
    TOKIO.block_on(async {
        let start = SystemTime::now();
        let requests = std::sync::atomic::AtomicU32::new(0);
        let clock = move || {
            let request = requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            start + Duration::from_millis(400) * request
        };
        let description = read_toml("request-throttle = { burst = 1, per-second = 1 }");
        let throttled = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = std::sync::Arc::clone(&throttled);
        let service =
            Service::new(open_in_component(&description)).clock(clock).observer(move |answered: &Answered<'_>| {
                if answered.outcome == Outcome::Throttled {
                    counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        let (_, client) = client_of(service).await;
        let body = client.get("/latest/meta-data/instance-id").await.expect("the client tries again");
        assert_eq!(body.as_ref(), "i-0123456789abcdef0");
        assert!(throttled.load(std::sync::atomic::Ordering::Relaxed) > 0);
    });
}

/// The service's clock, as the SDK asks for the time.
#[derive(Debug)]
struct ClockOfTheService(VirtualClock);

impl TimeSource for ClockOfTheService {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

/// An instance under a clock that stands until it is moved, and the SDK's
/// credentials provider on it.
async fn credentials_under(description: &str) -> (Control, ImdsCredentialsProvider) {
    let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_secs(1_790_812_800));
    let control = Control::open_with(&RUNTIME, &read_toml(description), &Default::default(), clock.clone());
    let control = control.unwrap_or_else(|error| panic!("{error}"));
    let (config, client) = client_under(control.service(), SharedTimeSource::new(ClockOfTheService(clock))).await;
    (control, ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build())
}

async fn credentials(provider: &ImdsCredentialsProvider) -> Credentials {
    provider.provide_credentials().await.expect("credentials are found")
}

const HOUR: Duration = Duration::from_secs(3600);

/// Over two days: the session token of the client ends as well, and it gets
/// another.
#[test]
fn the_aws_sdk_gets_new_credentials_before_the_old_ones_end() {
    TOKIO.block_on(async {
        let description = "launch-time = '+0s'\nmetadata-options.http-tokens = 'required'";
        let (control, provider) = credentials_under(description).await;
        let mut before = credentials(&provider).await;
        let mut replaced = 0;
        for _ in 0..48 {
            control.clock().advance(HOUR);
            let now = control.clock().now();
            assert!(before.expiry().expect("they end") > now, "they were good until they were asked for again");
            let after = credentials(&provider).await;
            assert!(after.expiry().expect("they end") > now + HOUR / 2);
            replaced += usize::from(after.access_key_id() != before.access_key_id());
            before = after;
        }
        assert_eq!(replaced, 8, "each six hours");
    });
}

#[test]
fn the_aws_sdk_gets_over_an_outage_of_credentials() {
    TOKIO.block_on(async {
        let (control, provider) = credentials_under("launch-time = '+0s'").await;
        let edit = |toml: &str| control.edit(&read_toml(toml)).unwrap_or_else(|error| panic!("{error}"));
        let first = credentials(&provider).await;
        edit("iam-instance-profile.credentials-rotation.until = '+0s'");
        control.clock().advance(HOUR * 8);
        // They have ended, and EC2 has no others: the SDK goes on with them.
        let stale = credentials(&provider).await;
        assert_eq!(stale.access_key_id(), first.access_key_id());
        assert!(stale.expiry().expect("they end") > control.clock().now(), "as the SDK stretches them");

        edit("iam-instance-profile.failure-code = 'AssumeRoleUnauthorizedAccess'");
        let kept = credentials(&provider).await;
        assert_eq!(kept.access_key_id(), first.access_key_id(), "a failure takes nothing away");

        control.clock().advance(HOUR);
        let healed = r#"{"iam-instance-profile": {
            "failure-code": null, "credentials-rotation": {"since": "+0s", "until": null}
        }}"#;
        let healed = Description::from_json("healed", healed);
        control.edit(&healed.expect("it is JSON")).unwrap_or_else(|error| panic!("{error}"));
        let new = credentials(&provider).await;
        assert_ne!(new.access_key_id(), first.access_key_id());
        assert!(new.expiry().expect("they end") > control.clock().now() + HOUR * 6);
    });
}

/// botocore, which asks for credentials whenever it is told to.
pub struct Botocore {
    client: std::process::Child,
    asks: std::process::ChildStdin,
    answers: Lines<BufReader<std::process::ChildStdout>>,
}

impl Botocore {
    /// Points it at a server of `service`; says so where there is no Python that has it.
    pub fn start(service: Service) -> Option<Self> {
        let script = crate::case::tests_directory().join("clients/botocore_refresh.py");
        let has_botocore = std::process::Command::new("python3").args(["-c", "import botocore"]).output();
        if !has_botocore.is_ok_and(|output| output.status.success()) {
            // Not by a macro: of tests that pass, what macros print is not shown.
            let line = b"SKIPPED: there is no python3 with botocore on the path\n";
            std::io::stderr().write_all(line).expect("standard error takes it");
            return None;
        }
        let listener = TOKIO.block_on(TcpListener::bind("127.0.0.1:0")).expect("a loopback port is free");
        let endpoint = format!("http://{}/", listener.local_addr().expect("a listener has an address"));
        TOKIO.spawn(serve(listener, service, std::future::pending()));
        let mut client = std::process::Command::new("python3")
            .arg(script)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("AWS_")))
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
            .env("AWS_CONFIG_FILE", "/nowhere")
            .env("NO_PROXY", "*")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let asks = client.stdin.take().expect("it is piped");
        let answers = BufReader::new(client.stdout.take().expect("it is piped")).lines();
        Some(Self { client, asks, answers })
    }

    /// The access key id that it would use now, and the seconds that it lives.
    pub fn get(&mut self) -> (String, i64) {
        self.asks.write_all(b"\n").expect("it reads");
        let line = self.answers.next().expect("it answers").expect("it writes text");
        let (key, lives) = line.split_once(' ').expect("a key and seconds");
        (key.to_owned(), lives.parse().expect("a number of seconds"))
    }

    pub fn end(mut self) {
        drop(self.asks);
        assert!(self.client.wait().expect("it ends").success());
    }
}

#[test]
fn botocore_refreshes_credentials_across_their_end() {
    let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_secs(1_790_812_800));
    let description = read_toml("launch-time = '+0s'\nmetadata-options.http-tokens = 'required'");
    let control = Control::open_with(&RUNTIME, &description, &Default::default(), clock);
    let control = control.unwrap_or_else(|error| panic!("{error}"));
    let Some(mut client) = Botocore::start(control.service()) else { return };
    let (mut key, _) = client.get();
    let mut replaced = 0;
    for _ in 0..48 {
        control.clock().advance(HOUR);
        let (next, lives) = client.get();
        assert!(lives > 600, "{lives}");
        replaced += usize::from(next != key);
        key = next;
    }
    // It asks for new ones when a quarter of an hour is left, not when there are some.
    assert!((7..=8).contains(&replaced), "{replaced}");

    // No others come: it goes on with those that ended, until some do.
    let edit = |json: &str| {
        let change = Description::from_json("change", json).expect("it is JSON");
        control.edit(&change).unwrap_or_else(|error| panic!("{error}"));
    };
    edit(r#"{"iam-instance-profile": {"credentials-rotation": {"until": "+0s"}}}"#);
    control.clock().advance(HOUR * 9);
    let (last, lives) = client.get();
    assert!(lives > 0, "stretched by botocore: {lives}");
    edit(r#"{"iam-instance-profile": {"credentials-rotation": {"until": null, "since": "+0s"}}}"#);
    control.clock().advance(HOUR);
    let (new, lives) = client.get();
    assert_ne!(new, last);
    assert!(lives > 5 * 3600, "{lives}");
    client.end();
}
