//! Real credentials, of sources that give others each time: what clients see of them,
//! and what operators do meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::imds::Client;
use aws_config::imds::client::EndpointMode;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use imds_host::{
    CallerKey, Clock, Control, CredentialRefresher, CredentialSource, Description, Error, Fetch, Fleet, FunctionSource,
    Moment, Request, RoleCredentials, SourceError, VirtualClock, serve,
};
use tokio::net::TcpListener;

use crate::ways::{RUNTIME, TOKIO, read_toml};

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_812_800)
}

const HOUR: Duration = Duration::from_secs(3600);

/// Far above what any step takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// A source whose credentials live for an hour of a clock, and that counts how often it
/// was asked.
fn hourly(clock: &VirtualClock) -> (impl CredentialSource, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let (counted, clock) = (Arc::clone(&asked), clock.clone());
    let give = move || {
        let number = counted.fetch_add(1, SeqCst);
        let key = format!("ASIA{number:016}");
        Ok(RoleCredentials::new(key, "secret", "token").ending_at(clock.now() + HOUR))
    };
    (FunctionSource::new("the test", give), asked)
}

/// An instance whose role has credentials of a source, under a clock that stands.
fn sourced(
    toml: &str,
    source: impl FnOnce(&VirtualClock) -> Box<dyn CredentialSource>,
) -> (Control, CredentialRefresher) {
    let clock = VirtualClock::paused_at(start());
    let control = Control::open_with(&RUNTIME, &read_toml(toml), &Default::default(), clock.clone()).unwrap();
    let refresher = CredentialRefresher::start(Boxed(source(&clock)), &clock).unwrap();
    refresher.wait(DEADLINE);
    control.take_credentials_from(&refresher).unwrap();
    (control, refresher)
}

struct Boxed(Box<dyn CredentialSource>);

impl CredentialSource for Boxed {
    fn name(&self) -> String {
        self.0.name()
    }

    fn fetch(&self) -> Fetch<'_> {
        self.0.fetch()
    }

    fn time_limit(&self) -> Duration {
        self.0.time_limit()
    }
}

/// The document of the role, as a client of version 2 gets it.
fn document(control: &Control) -> String {
    let put = Request { method: "PUT".into(), ..Request::get("/latest/api/token") };
    let token = control.answer(&put.with("X-aws-ec2-metadata-token-ttl-seconds", "60")).body;
    let get = Request::get("/latest/meta-data/iam/security-credentials/imds");
    String::from_utf8(control.answer(&get.with("X-aws-ec2-metadata-token", token)).body).unwrap()
}

#[track_caller]
fn wait_until(is_so: impl Fn() -> bool) {
    let until = std::time::Instant::now() + DEADLINE;
    while !is_so() {
        assert!(std::time::Instant::now() < until);
        thread::sleep(Duration::from_millis(5));
    }
}

#[derive(Debug)]
struct ClockOfTheService(VirtualClock);

impl TimeSource for ClockOfTheService {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

#[test]
fn the_aws_sdk_refreshes_them_across_three_rotations() {
    let clock = VirtualClock::paused_at(start());
    let (source, asked) = hourly(&clock);
    let control = Control::open_with(&RUNTIME, &Description::default(), &Default::default(), clock.clone()).unwrap();
    let refresher = CredentialRefresher::start(source, &clock).unwrap();
    refresher.wait(DEADLINE);
    control.take_credentials_from(&refresher).unwrap();
    TOKIO.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, control.service(), std::future::pending()));
        let http = aws_smithy_http_client::Builder::new().build_http();
        let time = SharedTimeSource::new(ClockOfTheService(clock.clone()));
        let config = ProviderConfig::without_region().with_http_client(http).with_time_source(time);
        let client = Client::builder().configure(&config).endpoint_mode(EndpointMode::IpV4);
        let client = client.endpoint(format!("http://{address}")).unwrap().build();
        let provider = ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build();
        for rotation in 0..4 {
            let got = provider.provide_credentials().await.expect("credentials are found");
            assert_eq!(got.access_key_id(), format!("ASIA{rotation:016}"));
            assert_eq!(got.expiry(), Some(clock.now() + HOUR));
            // Ten clients at a refresh, and no fetch for any of them.
            clock.advance(HOUR * 3 / 4);
            tokio::task::block_in_place(|| wait_until(|| refresher.state().updated == Some(clock.now())));
            for _ in 0..10 {
                let next = provider.provide_credentials().await.expect("credentials are found");
                assert_eq!(next.access_key_id(), format!("ASIA{:016}", rotation + 1));
            }
            assert_eq!(asked.load(SeqCst), rotation + 2);
        }
    });
}

/// botocore, where there is a Python that has it.
#[test]
fn botocore_refreshes_them_across_three_rotations() {
    let clock = VirtualClock::paused_at(start());
    let (source, asked) = hourly(&clock);
    let control = Control::open_with(&RUNTIME, &Description::default(), &Default::default(), clock.clone()).unwrap();
    let refresher = CredentialRefresher::start(source, &clock).unwrap();
    refresher.wait(DEADLINE);
    control.take_credentials_from(&refresher).unwrap();
    let Some(mut client) = crate::clients::Botocore::start(control.service()) else { return };
    let mut seen = vec![client.get().0];
    for minute in 0..4 * 60 {
        clock.advance(Duration::from_secs(60));
        if (minute + 1) % 45 == 0 {
            wait_until(|| refresher.state().updated == Some(clock.now()));
        }
        if minute % 5 == 4 {
            let (key, lives) = client.get();
            assert!(lives > 0, "{lives}");
            if seen.last() != Some(&key) {
                seen.push(key);
            }
        }
    }
    client.end();
    // At four hours: those of 0:00, 0:45, 1:30, 2:15, 3:00 and 3:45.
    assert_eq!(asked.load(SeqCst), 6);
    let wanted: Vec<String> = (0..6).map(|number| format!("ASIA{number:016}")).collect();
    assert!(seen.len() >= 4 && seen.iter().all(|key| wanted.contains(key)), "{seen:?}");
}

#[test]
fn what_was_delivered_stays_over_edits_replacements_and_a_failing_source_until_it_ends() {
    let fails = Arc::new(AtomicU32::new(0));
    let failing = Arc::clone(&fails);
    let (control, refresher) = sourced("", |clock| {
        let clock = clock.clone();
        let give = move || match failing.load(SeqCst) {
            0 => Ok(RoleCredentials::new("ASIAONE", "secret", "token").ending_at(clock.now() + HOUR)),
            _ => Err(SourceError::Other("it is ill")),
        };
        Box::new(FunctionSource::new("the test", give))
    });
    assert_eq!(control.revision(), 1, "a delivery is no edit");
    assert!(document(&control).contains("ASIAONE"));
    assert_eq!(control.snapshot().unwrap().metadata_options.http_tokens, "required");

    assert_eq!(control.edit_revision(1, &read_toml("tags = { a = 'b' }")).unwrap(), 2);
    assert_eq!(control.replace_revision(2, &read_toml("instance-type = 'm7g.large'")).unwrap(), 3);
    assert!(document(&control).contains("ASIAONE"), "of the embedder, whatever the description says");

    fails.store(1, SeqCst);
    control.clock().advance(HOUR - Duration::from_secs(1));
    wait_until(|| refresher.state().failures > 0);
    assert!(document(&control).contains("ASIAONE"));
    let state = control.credentials().unwrap();
    assert_eq!(state.last_failure.unwrap().error.to_string(), "it is ill");
    control.clock().advance(Duration::from_secs(1));
    assert!(document(&control).contains(r#""Code" : "AssumeRoleUnauthorizedAccess""#), "{}", document(&control));

    fails.store(0, SeqCst);
    assert_eq!(refresher.fetch_now(DEADLINE).failures, 0);
    assert!(document(&control).contains("ASIAONE") && document(&control).contains(r#""Code" : "Success""#));

    control.edit(&read_toml("iam-instance-profile = false")).unwrap();
    refresher.fetch_now(DEADLINE);
    let get = Request::get("/latest/meta-data/iam/info");
    assert_ne!(control.answer(&get).status, 200, "a role that was taken away does not come back");
}

#[test]
fn the_story_of_an_instance_goes_on_through_a_delivery() {
    let toml = "timeline-start = '2026-10-01T00:00:00Z'\nspot-interruption = {time = '+2h'}\ninstance-lifecycle = 'spot'\n\
        [[timeline]]\nat = '+30m'\ntags = { a = 'b' }\n[[timeline]]\nat = '+2h'\nstate = 'terminated'\n";
    let (control, refresher) = sourced(toml, |clock| Box::new(hourly(clock).0));
    let timeline = || -> Vec<_> {
        let timeline = control.timeline().unwrap();
        timeline.into_iter().filter(|it| !it.what.contains("credentials")).map(|it| (it.at_ms, it.what)).collect()
    };
    let before = timeline();
    control.clock().advance(HOUR);
    refresher.fetch_now(DEADLINE);
    assert_eq!(timeline(), before, "what was is not forgotten");
    control.clock().advance(HOUR);
    assert_eq!(control.snapshot().unwrap().state, "terminated");
    refresher.fetch_now(DEADLINE);
    assert_eq!(timeline(), before);
}

#[test]
fn a_refresher_ends_with_the_last_that_has_it() {
    let dropped = Arc::new(());
    let watched = Arc::downgrade(&dropped);
    let (control, refresher) = sourced("", |_| {
        Box::new(FunctionSource::new("the test", move || {
            let _kept = &dropped;
            Ok(RoleCredentials::new("ASIAONE", "secret", "token"))
        }))
    });
    drop(refresher);
    assert!(control.credentials().is_some());
    drop(control);
    wait_until(|| watched.strong_count() == 0);
}

#[test]
fn an_asynchronous_source_is_waited_for_no_longer_than_it_may_take() {
    struct Slow(AtomicU64);
    impl CredentialSource for Slow {
        fn name(&self) -> String {
            "the slow one".to_owned()
        }

        fn fetch(&self) -> Fetch<'_> {
            Box::pin(async {
                let wait = self.0.swap(10, SeqCst);
                tokio::time::sleep(Duration::from_millis(wait)).await;
                Ok(RoleCredentials::new("ASIASLOW", "secret", "token"))
            })
        }

        fn time_limit(&self) -> Duration {
            Duration::from_millis(500)
        }
    }
    TOKIO.block_on(async {
        let refresher = CredentialRefresher::start(Slow(AtomicU64::new(3_600_000)), &VirtualClock::system()).unwrap();
        tokio::task::block_in_place(|| {
            let state = refresher.wait(DEADLINE);
            assert_eq!(state.last_failure.unwrap().error, SourceError::TimedOut(Duration::from_millis(500)));
            wait_until(|| refresher.state().end.is_some());
        });
    });
}

#[test]
fn a_source_that_panics_costs_an_attempt() {
    let panics = FunctionSource::new("the test", || panic!("as a source of an embedder may"));
    let refresher = CredentialRefresher::start(panics, &VirtualClock::system()).unwrap();
    assert_eq!(refresher.wait(DEADLINE).last_failure.unwrap().error, SourceError::Panicked);
    assert_eq!(refresher.fetch_now(DEADLINE).failures, 2);
}

#[test]
fn what_is_described_anew_before_the_first_delivery_gets_it() {
    let is_ready = Arc::new(AtomicU32::new(0));
    let ready = Arc::clone(&is_ready);
    let (control, refresher) = sourced("", |_| {
        Box::new(FunctionSource::new("the test", move || match ready.load(SeqCst) {
            0 => Err(SourceError::Other("it is not ready")),
            _ => Ok(RoleCredentials::new("ASIAFIRST", "secret", "token")),
        }))
    });
    control.replace(&read_toml("instance-type = 'm7g.large'")).unwrap();
    assert!(document(&control).contains("AssumeRoleUnauthorizedAccess"));
    assert_eq!(control.credentials().map(|state| state.failures), Some(1));
    is_ready.store(1, SeqCst);
    refresher.fetch_now(DEADLINE);
    assert!(document(&control).contains("ASIAFIRST"));
}

#[test]
fn an_end_that_cannot_be_told_is_the_last_that_can() {
    let no_end = UNIX_EPOCH + Duration::from_secs(253_402_304_400);
    let source = move || Ok(RoleCredentials::new("ASIAONE", "secret", "token").ending_at(no_end));
    let clock = VirtualClock::paused_at(start());
    let refresher = CredentialRefresher::start(FunctionSource::new("the test", source), &clock).unwrap();
    let end = refresher.wait(DEADLINE).end.unwrap();
    assert_eq!(humantime::format_rfc3339_seconds(end).to_string(), "9998-12-31T23:59:59Z");
}

#[test]
fn credentials_that_no_header_field_can_carry_are_a_failure() {
    let clock = VirtualClock::paused_at(start());
    let source = || Ok(RoleCredentials::new("ASIA\r\nONE", "secret", "token"));
    let refresher = CredentialRefresher::start(FunctionSource::new("the test", source), &clock).unwrap();
    let state = refresher.wait(DEADLINE);
    assert_eq!((state.end, state.failures), (None, 1));
    let told = state.last_failure.unwrap().error.to_string();
    assert_eq!(told, "it gave no usable access key, secret access key or session token");
}

#[test]
fn an_observer_that_panics_costs_no_fetch() {
    let (source, asked) = hourly(&VirtualClock::system());
    let observe = |_: &_| panic!("as one of an embedder may");
    let refresher = CredentialRefresher::start_observed(source, &VirtualClock::system(), observe).unwrap();
    refresher.wait(DEADLINE);
    refresher.fetch_now(DEADLINE);
    assert_eq!(asked.load(SeqCst), 2);
}

#[test]
fn a_guest_gets_no_credentials_of_the_source_that_it_had() {
    let clock = VirtualClock::paused_at(start());
    let (source, asked) = hourly(&clock);
    let refresher = CredentialRefresher::start(source, &clock).unwrap();
    refresher.wait(DEADLINE);
    let fleet = Fleet::new(&RUNTIME, CallerKey::ClientAddress).unwrap();
    let of = |source: &str| {
        let source = format!("iam-instance-profile.credentials-source.file = '{source}'");
        read_toml(&format!("metadata-options.http-tokens = 'optional'\n{source}"))
    };
    let get = Request::get("/latest/meta-data/iam/security-credentials/imds");
    let document = || {
        let body = fleet.get("10.0.0.1").unwrap().answer(&get, Moment::at(clock.now_ms(), 0)).body;
        String::from_utf8(body).unwrap()
    };
    fleet.insert("10.0.0.1", &of("/one")).unwrap();
    let _subscription = fleet.take_credentials_from("10.0.0.1", &refresher).unwrap();
    assert!(document().contains("ASIA0000000000000000"));
    fleet.insert("10.0.0.1", &of("/two")).unwrap();
    clock.advance(HOUR);
    wait_until(|| asked.load(SeqCst) == 2 && refresher.state().next_fetch.is_some());
    assert!(!document().contains("ASIA000"), "{}", document());
    fleet.insert("10.0.0.1", &of("/one")).unwrap();
    clock.advance(HOUR);
    wait_until(|| document().contains("ASIA0000000000000002"));
}

#[test]
fn what_is_not_served_is_not_told() {
    let file = "iam-instance-profile.credentials-source.file = '/one'";
    let (control, refresher) = sourced(file, |clock| Box::new(hourly(clock).0));
    assert_eq!(control.credentials().unwrap().end, refresher.state().end);
    control.replace(&Description::default()).unwrap();
    assert!(control.credentials().is_none() && control.snapshot().unwrap().credentials.is_none());
    control.replace(&read_toml(file)).unwrap();
    assert!(control.credentials().is_some());
}

#[test]
fn guests_of_a_fleet_share_a_source() {
    let clock = VirtualClock::paused_at(start());
    let (source, asked) = hourly(&clock);
    let refresher = CredentialRefresher::start(source, &clock).unwrap();
    let fleet = Fleet::new(&RUNTIME, CallerKey::ClientAddress).unwrap();
    let description =
        read_toml("metadata-options.http-tokens = 'optional'\niam-instance-profile.credentials-source.embedder = true");
    let mut subscriptions = Vec::new();
    for guest in ["10.0.0.1", "10.0.0.2"] {
        fleet.insert(guest, &description).unwrap();
        subscriptions.push(fleet.take_credentials_from(guest, &refresher).unwrap());
    }
    fleet.insert("10.0.0.3", &Description::default()).unwrap();
    let get = Request::get("/latest/meta-data/iam/security-credentials/imds");
    let key_of = |guest: &str| {
        let body = fleet.get(guest).unwrap().answer(&get, Moment::at(clock.now_ms(), 0)).body;
        let body = String::from_utf8(body).unwrap();
        body.split("\"AccessKeyId\" : \"").nth(1).unwrap_or_default().split('"').next().unwrap().to_owned()
    };
    refresher.wait(DEADLINE);
    for guest in ["10.0.0.1", "10.0.0.2"] {
        assert_eq!(key_of(guest), "ASIA0000000000000000");
    }
    // One that was asked before and one that rests get the next ones alike.
    fleet.insert("10.0.0.2", &description).unwrap();
    clock.advance(HOUR);
    wait_until(|| asked.load(SeqCst) == 2 && refresher.state().next_fetch.is_some());
    wait_until(|| ["10.0.0.1", "10.0.0.2"].iter().all(|guest| key_of(guest) == "ASIA0000000000000001"));
    assert!(!key_of("10.0.0.3").starts_with("ASIA000"));
    drop(subscriptions);
    clock.advance(HOUR);
    wait_until(|| asked.load(SeqCst) == 3 && refresher.state().next_fetch.is_some());
    assert_eq!(key_of("10.0.0.1"), "", "those that it had have ended, and it took no others");
    assert!(matches!(fleet.take_credentials_from("no address", &refresher), Err(Error::Key { .. })));
}

#[test]
fn nothing_that_is_printed_of_them_is_a_secret() {
    let (control, refresher) = sourced("", |_| {
        Box::new(FunctionSource::new("the test", || Ok(RoleCredentials::new("HUNTER2", "HUNTER2", "HUNTER2"))))
    });
    let snapshot = control.snapshot().unwrap();
    let credentials = RoleCredentials::new("HUNTER2", "HUNTER2", "HUNTER2");
    for shown in [
        format!("{control:?} {refresher:?} {credentials:?} {:?}", control.instance()),
        format!("{:?} {snapshot:?} {:?}", control.credentials(), control.timeline()),
        snapshot.description.to_json_without_secrets(),
        format!("{:?}", control.warnings()),
    ] {
        assert!(!shown.contains("HUNTER2"), "{shown}");
    }
    assert!(document(&control).contains("HUNTER2"));
}
