use std::net::{Ipv4Addr, SocketAddr};

use super::*;
use crate::{Caller, Outcome, RequestHead, Runtime, Service, SessionVersion, VirtualClock};

fn service(journal: &Journal, clock: &VirtualClock) -> Service {
    let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
    Service::new(instance).clock(clock.clone()).observer(journal.clone())
}

fn ask(service: &Service, method: &str, target: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut request = hyper::Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let peer = SocketAddr::from(([10, 0, 0, 7], 50_000));
    let request = request.extension(Caller::new(Some(peer), None)).body(()).unwrap();
    service.respond(request).into_body().into_bytes().to_vec()
}

/// The head of a request that never was.
fn head(target: &str, agent: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nUser-Agent: {agent}\r\n\r\n").into_bytes()
}

/// What the service tells of it.
fn answered(head: &[u8], version: SessionVersion) -> Answered<'_> {
    Answered {
        now_ms: 0,
        peer: None,
        local: None,
        head: RequestHead::new(head),
        status: 200,
        outcome: Outcome::Found,
        version: Some(version),
        duration: Default::default(),
        delivery: None,
        error: None,
    }
}

#[test]
fn an_entry_tells_what_happened_by_the_services_own_time() {
    let clock = VirtualClock::paused_at(std::time::UNIX_EPOCH);
    let journal = Journal::default();
    let service = service(&journal, &clock);
    ask(&service, "GET", "/latest/meta-data/", &[("user-agent", "old-sdk/1.0")]);
    clock.advance(std::time::Duration::from_secs(60));
    ask(&service, "PUT", "/latest/api/token", &[]);
    let [found, refused] = journal.entries(0, 9).try_into().unwrap();
    let wanted = JournalEntry {
        number: 1,
        time_ms: 0,
        method: "GET".into(),
        target: "/latest/meta-data/".into(),
        version: Some(SessionVersion::One),
        status: 200,
        fault: None,
        outcome: Outcome::Found,
        user_agent: Some("old-sdk/1.0".into()),
        caller: Some(Ipv4Addr::new(10, 0, 0, 7).into()),
        duration: found.duration,
    };
    assert_eq!(found, wanted);
    assert_eq!((refused.number, refused.time_ms, refused.status), (2, 60_000, 400));
    assert_eq!((refused.outcome, refused.user_agent.as_ref()), (Outcome::TtlRefused, None));
    assert_eq!(journal.refusals(9), [refused]);
}

#[test]
fn no_token_is_kept_wherever_a_client_puts_it() {
    let journal = Journal::default();
    let service = service(&journal, &VirtualClock::system());
    let token = ask(&service, "PUT", "/latest/api/token", &[("x-aws-ec2-metadata-token-ttl-seconds", "60")]);
    let token = String::from_utf8(token).unwrap();
    assert_eq!(token.len(), 56);
    for canary in [&token, "wJalrXUtnFEMI0K7MDENG1bPxRfiCYEXAMPLEKEY"] {
        ask(&service, "GET", "/latest/", &[("x-aws-ec2-metadata-token", canary)]);
        ask(&service, "GET", "/latest/", &[("x-canary", canary), ("cookie", canary), ("authorization", canary)]);
        ask(&service, "GET", &format!("/latest/meta-data/{canary}/x"), &[]);
        ask(&service, "GET", &format!("/latest/meta-data/?token={canary}"), &[]);
        ask(&service, "GET", &format!("http://{canary}@169.254.169.254/latest/"), &[]);
        ask(&service, "GET", &format!("http://me:{canary}@169.254.169.254/latest/"), &[]);
        ask(&service, "GET", "/latest/", &[("user-agent", canary)]);
        ask(&service, "GET", "/latest/", &[("user-agent", &format!("sdk/1.0 ({canary}) x"))]);
        // None of its beginnings either.
        let kept = format!("{:?} {:?}", journal.entries(0, 100), journal.usage());
        assert!(!kept.contains(&canary[..12]), "{kept}");
    }
    assert_eq!(journal.last(), 17);
    // What stands behind a token goes with it where the token's last characters are odd.
    let agent = journal.entries(8, 1).remove(0).user_agent.unwrap();
    assert!(["sdk/1.0 (…) x", "sdk/1.0 (…"].contains(&agent.as_str()), "{agent}");
}

#[test]
fn the_last_entries_are_kept_and_numbers_never_come_again() {
    let journal = Journal::new(3);
    let numbers = |after, limit| journal.entries(after, limit).iter().map(|entry| entry.number).collect::<Vec<_>>();
    assert!(numbers(0, 9).is_empty());
    for _ in 0..5 {
        journal.answered(&answered(&head("/", "a"), SessionVersion::Two));
    }
    assert_eq!(journal.last(), 5);
    assert_eq!(numbers(0, 9), [3, 4, 5]);
    assert_eq!(numbers(0, 2), [3, 4]);
    assert_eq!(numbers(4, 9), [5]);
    assert!(numbers(5, 9).is_empty() && numbers(u64::MAX, 9).is_empty() && numbers(0, 0).is_empty());
}

#[test]
fn refusals_are_the_last_ones_in_order() {
    let journal = Journal::default();
    for outcome in [Outcome::TokenMissing, Outcome::NotFound, Outcome::Forwarded, Outcome::Found, Outcome::Throttled] {
        journal.answered(&Answered { outcome, ..answered(&head("/", "a"), SessionVersion::Two) });
    }
    let numbers = |limit| journal.refusals(limit).iter().map(|entry| entry.number).collect::<Vec<_>>();
    assert_eq!((numbers(9), numbers(2)), (vec![1, 3, 5], vec![3, 5]));
}

#[test]
fn what_clients_make_long_is_kept_short() {
    let journal = Journal::default();
    let long = "M".repeat(1 << 20);
    let head = format!("{long} /{long} HTTP/1.1\r\nUser-Agent: {long}\r\n\r\n");
    journal.answered(&answered(head.as_bytes(), SessionVersion::One));
    let [entry] = journal.entries(0, 9).try_into().unwrap();
    let bytes = entry.method.len() + entry.target.len() + entry.user_agent.unwrap().len();
    assert!(bytes < 4096, "{bytes}");
}

#[test]
fn usage_tells_who_still_asks_without_a_token() {
    let journal = Journal::new(1);
    let [one, two] = [SessionVersion::One, SessionVersion::Two];
    for target in ["/first", "/last"] {
        journal.answered(&answered(&head(target, "old"), one));
    }
    journal.answered(&Answered { outcome: Outcome::NotFound, ..answered(&head("/none", "mixed"), one) });
    let head_of_rejected = head("/rejected", "mixed");
    let rejected = Answered { outcome: Outcome::TokenMissing, ..answered(&head_of_rejected, one) };
    (0..3).for_each(|_| journal.answered(&rejected));
    journal.answered(&answered(&head("/", "mixed"), two));
    journal.answered(&answered(&head("/", "new"), two));
    journal.answered(&Answered { version: None, outcome: Outcome::Throttled, ..answered(&head("/", "new"), two) });
    let usage = |agent: &str| Usage { user_agent: Some(agent.into()), ..Usage::default() };
    let last = |target: &str| Some(target.to_owned());
    assert_eq!(
        journal.usage(),
        [
            Usage {
                version_1: 1,
                version_1_rejected: 3,
                version_2: 1,
                version_1_target: last("/rejected"),
                ..usage("mixed")
            },
            Usage { version_1: 2, version_1_target: last("/last"), ..usage("old") },
            Usage { version_2: 1, unknown: 1, ..usage("new") },
        ]
    );
}

#[test]
fn a_crowd_of_user_agents_is_counted_as_the_rest() {
    let journal = Journal::default();
    for agent in 0..1000 {
        journal.answered(&answered(&head("/", &agent.to_string()), SessionVersion::One));
    }
    journal.answered(&answered(&head("/", "0"), SessionVersion::One));
    let usage = journal.usage();
    assert_eq!((usage.len(), usage[0].user_agent.as_deref(), usage[0].version_1), (257, Some("0"), 2));
    let rest = usage.last().unwrap();
    assert!(rest.is_rest && rest.user_agent.is_none());
    assert_eq!(rest.version_1, 1000 - 256);
    assert_eq!(usage.iter().filter(|usage| usage.is_rest).count(), 1);
    assert_eq!(journal.entries(999, 9)[0].user_agent.as_deref(), Some("999"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_woken_by_every_entry() {
    let journal = Journal::default();
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let waiting = journal.clone();
    let reader = tokio::spawn(async move {
        for number in 0..100 {
            waiting.wait(number).await;
            tell.send(number).await.unwrap();
        }
    });
    for number in 0..100 {
        journal.answered(&answered(&head("/", "a"), SessionVersion::Two));
        let woken = tokio::time::timeout(std::time::Duration::from_secs(20), told.recv());
        assert_eq!(woken.await.unwrap(), Some(number));
    }
    reader.await.unwrap();
    // What is past is not waited for.
    journal.wait(3).await;
}
