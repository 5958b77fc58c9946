use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::engine::{Clock, Moment, Request, Secret};
use crate::{Fleet, Interruption};

fn settings() -> Settings {
    Settings::default().token_secret(Secret::new([7; 32]))
}

fn fleet() -> ControlledFleet {
    let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_secs(1_790_812_800));
    ControlledFleet::with_settings(&Runtime::new().unwrap(), &settings(), CallerKey::Host, clock).unwrap()
}

fn described(toml: &str) -> Description {
    Description::from_toml("test", toml).unwrap()
}

/// What the caller with a key gets over HTTP.
fn respond(fleet: &ControlledFleet, key: &str, path: &str) -> hyper::Response<crate::Body> {
    let request = hyper::Request::get(path).header("host", key).body(()).unwrap();
    fleet.service().respond(request)
}

fn body(fleet: &ControlledFleet, key: &str, path: &str) -> String {
    String::from_utf8(respond(fleet, key, path).into_body().into_bytes().to_vec()).unwrap()
}

const NAMES: [&str; 2] = ["localhost", "169.254.169.254"];

#[test]
fn each_has_its_own_revision_journal_and_clock() {
    let fleet = fleet();
    let [web, db] = NAMES.map(|key| fleet.insert(key, &Description::default()).unwrap());
    web.interrupt(Interruption::default()).unwrap();
    assert_eq!((web.revision(), db.revision()), (2, 1));
    web.clock().advance(Duration::from_secs(60));
    let notice = "/latest/meta-data/spot/instance-action";
    assert_eq!(respond(&fleet, NAMES[0], notice).status(), 200);
    assert_eq!(respond(&fleet, NAMES[1], notice).status(), 404);
    assert_eq!(respond(&fleet, NAMES[0], "/").headers()["date"], "Thu, 01 Oct 2026 00:01:00 GMT");
    assert_eq!(respond(&fleet, NAMES[1], "/").headers()["date"], "Thu, 01 Oct 2026 00:00:00 GMT");
    assert_eq!((web.journal().last(), db.journal().last()), (2, 2));
    assert_eq!(web.journal().entries(0, 1)[0].time_ms, 1_790_812_860_000);
    // The end of the one is not that of the other.
    fleet.clock().advance(Duration::from_secs(60));
    assert_eq!(web.snapshot().unwrap().state, "terminated");
    assert_eq!(db.snapshot().unwrap().state, "running");
}

#[test]
fn a_guest_is_what_it_is_in_a_fleet_that_nobody_operates() {
    let controlled = fleet();
    let plain = Fleet::with_settings(controlled.runtime(), &settings(), CallerKey::Host).unwrap();
    for key in NAMES {
        controlled.insert(key, &Description::default()).unwrap();
        plain.insert(key, &Description::default()).unwrap();
    }
    let now = Moment::at(1_790_812_800_000, 1);
    let put = Request { method: "PUT".into(), ..Request::get("/latest/api/token") };
    let put = put.with("X-aws-ec2-metadata-token-ttl-seconds", "60");
    for (one, other) in [(0, 1), (1, 0)] {
        let token = plain.get(NAMES[one]).unwrap().answer(&put, now).body;
        let get = Request::get("/latest/dynamic/instance-identity/document").with("X-aws-ec2-metadata-token", token);
        let answer = controlled.get(NAMES[one]).unwrap().answer(&get);
        assert_eq!((answer.status, answer.body), (200, plain.get(NAMES[one]).unwrap().answer(&get, now).body));
        assert_eq!(controlled.get(NAMES[other]).unwrap().answer(&get).status, 401);
    }
    // An edit keeps whose instance it is, and with it tokens and made-up facts.
    let id = body(&controlled, NAMES[0], "/latest/meta-data/instance-id");
    let token = plain.get(NAMES[0]).unwrap().answer(&put, now).body;
    let control = controlled.get(NAMES[0]).unwrap();
    control.edit(&described("metadata-options.http-tokens = 'required'")).unwrap();
    let get = Request::get("/latest/meta-data/instance-id").with("X-aws-ec2-metadata-token", token);
    assert_eq!(control.answer(&get).body, id.as_bytes());
    control.replace(&described("instance-type = 'm7g.large'")).unwrap();
    assert_eq!(control.answer(&get).body, id.as_bytes());
    assert_eq!(*control.instance_id().unwrap(), *id);
}

#[test]
fn guests_are_found_by_key_and_by_the_id_that_they_have_now() {
    let fleet = fleet();
    let web = fleet.insert("web", &described("instance-id = 'i-0123456789abcdef7'")).unwrap();
    fleet.insert("db", &Description::default()).unwrap();
    let key = |id: &str| fleet.find(id).map(|(key, _)| key);
    assert_eq!(key("web").as_deref(), Some("web"));
    assert_eq!(key("i-0123456789abcdef7").as_deref(), Some("web"));
    assert_eq!(key(&fleet.get("db").unwrap().instance_id().unwrap()).as_deref(), Some("db"));
    web.replace(&described("instance-id = 'i-0123456789abcdef8'")).unwrap();
    assert_eq!(key("i-0123456789abcdef7"), None);
    assert_eq!(key("i-0123456789abcdef8").as_deref(), Some("web"));
    assert!(fleet.remove("web"));
    assert_eq!((key("web"), key("i-0123456789abcdef8")), (None, None));
}

#[test]
fn what_is_wrong_leaves_what_was_there() {
    let fleet = fleet();
    let before = fleet.insert("localhost", &described("instance-type = 'm7g.large'")).unwrap();
    assert!(matches!(fleet.insert("localhost", &described("instnace-type = 'a'")), Err(Error::Invalid(_))));
    assert!(matches!(before.replace(&described("instnace-type = 'a'")), Err(Error::Invalid(_))));
    assert!(fleet.insert_new("localhost", &Description::default()).unwrap().is_none());
    assert_eq!(body(&fleet, "localhost", "/latest/meta-data/instance-type"), "m7g.large");
    assert!(fleet.insert("a b", &Description::default()).is_err());
    assert_eq!((fleet.len(), before.revision()), (1, 1));
    assert!(fleet.remove("localhost"));
    assert_eq!(respond(&fleet, "localhost", "/").status(), 403);
}

#[test]
fn there_are_as_many_as_there_may_be() {
    let fleet = fleet();
    fleet.limit(2);
    for key in ["a", "b"] {
        fleet.insert(key, &Description::default()).unwrap();
    }
    for added in [fleet.insert("c", &Description::default()).map(Some), fleet.insert_new("c", &Description::default())]
    {
        assert!(matches!(added, Err(Error::Full { instances_max: 2 })));
    }
    // In place of another, or beside none.
    fleet.insert("b", &Description::default()).unwrap();
    assert!(fleet.insert_new("b", &Description::default()).unwrap().is_none());
    assert!(fleet.remove("a") && fleet.insert_new("c", &Description::default()).unwrap().is_some());
}

#[test]
fn what_is_put_in_anew_begins_anew() {
    let fleet = fleet();
    let before = fleet.insert("localhost", &Description::default()).unwrap();
    before.edit(&described("tags = { Name = 'web' }")).unwrap();
    before.clock().advance(Duration::from_secs(60));
    let after = fleet.insert("localhost", &described("timeline = [{ at = '+30s', state = 'stopped' }]")).unwrap();
    assert_eq!((after.revision(), after.clock().now()), (1, fleet.clock().now()));
    assert_eq!(respond(&fleet, "localhost", "/").status(), 200);
    assert_eq!((before.journal().last(), after.journal().last()), (0, 1));
    // Its relative times count from when it was put in.
    fleet.clock().advance(Duration::from_secs(30));
    assert_eq!(after.snapshot().unwrap().state, "stopped");
}

#[test]
fn guests_take_credentials_by_the_clock_of_all_or_by_their_own() {
    use crate::control::CredentialRefresher;
    use crate::credentials::{FunctionSource, RoleCredentials};
    use crate::engine::Request;

    const HOUR: Duration = Duration::from_secs(3600);
    let clock = VirtualClock::paused_at(UNIX_EPOCH + 9 * HOUR);
    let settings = Settings::default();
    let runtime = Runtime::new().unwrap();
    let fleet = ControlledFleet::with_settings(&runtime, &settings, CallerKey::Host, clock.clone()).unwrap();
    let hourly = |clock: &VirtualClock| {
        let clock = clock.clone();
        let give = move || {
            let end = clock.now() + HOUR;
            let hour = end.duration_since(UNIX_EPOCH).unwrap().as_secs() / 900;
            Ok(RoleCredentials::new(format!("ASIA{hour}"), "secret", "token").ending_at(end))
        };
        FunctionSource::new("the test", give)
    };
    let toml = "metadata-options.http-tokens = 'optional'\niam-instance-profile.credentials-source.embedder = true";
    let description = Description::from_toml("test", toml).unwrap();
    let guests = ["a", "b", "own"].map(|key| fleet.insert(key, &description).unwrap());
    let [a, b, own] = &guests;
    let shared = CredentialRefresher::start(hourly(&clock), &clock).unwrap();
    let its = CredentialRefresher::start(hourly(own.clock()), own.clock()).unwrap();
    for (guest, refresher) in [(a, &shared), (b, &shared), (own, &its)] {
        refresher.wait(HOUR);
        guest.take_credentials_from(refresher).unwrap();
    }
    let get = Request::get("/latest/meta-data/iam/security-credentials/imds");
    let key_of = |guest: &Control| {
        let body = String::from_utf8(guest.answer(&get).body).unwrap();
        body.split("\"AccessKeyId\" : \"").nth(1).unwrap_or_default().split('"').next().unwrap().to_owned()
    };
    let wait_for = |keys: [&str; 3]| {
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while guests.each_ref().map(key_of) != keys {
            assert!(std::time::Instant::now() < until, "{:?}", guests.each_ref().map(key_of));
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_for(["ASIA40", "ASIA40", "ASIA40"]);
    // What is described anew and names the same source keeps them.
    assert_eq!(b.replace(&description).unwrap(), 2);
    assert_eq!(key_of(b), "ASIA40");
    own.clock().advance(HOUR);
    wait_for(["ASIA40", "ASIA40", "ASIA44"]);
    clock.advance(HOUR);
    wait_for(["ASIA44", "ASIA44", "ASIA48"]);
    // Deliveries are no changes of an operator's.
    assert_eq!(guests.each_ref().map(Control::revision), [1, 2, 1]);
    assert_eq!(a.snapshot().unwrap().credentials.unwrap().source, "the test");
    // Whoever has no role has none of these.
    a.replace(&Description::from_toml("test", "iam-instance-profile = false").unwrap()).unwrap();
    assert!(a.credentials().is_none());
    assert_eq!(key_of(a), "");
}
