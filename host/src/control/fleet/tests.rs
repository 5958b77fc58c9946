use std::thread;

use super::*;
use crate::engine::{Answer, Moment, Request, RuntimeLimits, Secret};

const NOW: Moment = Moment::at(1_790_800_000_000, 1);

fn fleet(runtime: &Runtime) -> Fleet {
    let settings = Settings::default().token_secret(Secret::new([7; 32]));
    Fleet::with_settings(runtime, &settings, CallerKey::own(|_, _| None)).unwrap()
}

fn described(toml: &str) -> Description {
    Description::from_toml("test", toml).unwrap()
}

fn token(instance: &Instance) -> Vec<u8> {
    let request = Request { method: "PUT".into(), ..Request::get("/latest/api/token") };
    instance.answer(&request.with("X-aws-ec2-metadata-token-ttl-seconds", "60"), NOW).body
}

fn get(instance: &Instance, token: &[u8]) -> Answer {
    let request = Request::get("/latest/meta-data/instance-id").with("X-aws-ec2-metadata-token", token);
    instance.answer(&request, NOW)
}

#[test]
fn a_token_is_good_for_its_key_in_every_fleet_with_the_secret_and_nowhere_else() {
    let runtime = Runtime::new().unwrap();
    let fleets = [fleet(&runtime), fleet(&runtime)];
    for fleet in &fleets {
        fleet.insert("a", &Description::default()).unwrap();
        fleet.insert("b", &Description::default()).unwrap();
    }
    let token = token(&fleets[0].get("a").unwrap());
    let status = |fleet: &Fleet, key| get(&fleet.get(key).unwrap(), &token).status;
    assert_eq!((status(&fleets[0], "a"), status(&fleets[1], "a")), (200, 200));
    assert_eq!((status(&fleets[0], "b"), status(&fleets[1], "b")), (401, 401));
    fleets[0].insert("a", &described("instance-type = 'm7g.large'")).unwrap();
    assert_eq!(status(&fleets[0], "a"), 200, "an edit keeps tokens");
}

#[test]
fn what_is_wrong_leaves_what_was_there() {
    let fleet = fleet(&Runtime::new().unwrap());
    let good = described("instance-id = 'i-0123456789abcdef7'");
    assert!(fleet.insert("a", &good).unwrap().is_none());
    let Err(Error::Invalid(problems)) = fleet.insert("a", &described("\ninstnace-type = 'a'")) else {
        panic!("that was no valid description");
    };
    assert_eq!(problems.list[0].place.as_ref().map(|place| place.line), Some(2));
    let body = |key| get(&fleet.get(key).unwrap(), &token(&fleet.get(key).unwrap())).body;
    assert_eq!(body("a"), b"i-0123456789abcdef7");
    assert!(fleet.insert("a", &Description::default()).unwrap().is_some());
    assert_ne!(body("a"), b"i-0123456789abcdef7");
    assert_eq!(fleet.len(), 1);
}

#[test]
fn guests_that_say_nothing_of_themselves_differ() {
    let fleet = fleet(&Runtime::new().unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for key in ["10.0.0.7", "10.0.0.8", "vm-7"] {
        fleet.insert(key, &Description::default()).unwrap();
        let instance = fleet.get(key).unwrap();
        let token = token(&instance);
        let body = |path: &str| {
            let request = Request::get(format!("/latest/{path}")).with("X-aws-ec2-metadata-token", token.clone());
            let answer = instance.answer(&request, NOW);
            assert_eq!(answer.status, 200, "{path}");
            answer.body
        };
        for path in [
            "meta-data/instance-id",
            "meta-data/mac",
            "meta-data/local-ipv4",
            "meta-data/public-ipv4",
            "meta-data/reservation-id",
            "meta-data/iam/security-credentials/imds",
            "dynamic/instance-identity/document",
        ] {
            assert!(seen.insert((path, body(path))), "{path} of {key} is that of another");
        }
        if key.starts_with("10.") {
            assert_eq!(body("meta-data/local-ipv4"), key.as_bytes());
        }
    }
}

#[test]
fn each_has_a_throttle_of_its_own() {
    let fleet = fleet(&Runtime::new().unwrap());
    for key in ["a", "b"] {
        fleet.insert(key, &described("request-throttle = { burst = 2, per-second = 1 }")).unwrap();
    }
    let statuses = |key| {
        let instance = fleet.get(key).unwrap();
        [(); 3].map(|()| instance.answer(&Request::get("/"), NOW).status)
    };
    assert_eq!(statuses("a"), [200, 200, 503]);
    assert_eq!(statuses("b"), [200, 200, 503]);
}

#[test]
fn thousands_put_in_by_several_threads_answer_as_described() {
    const NUMBER: u64 = 2_000;
    let limits = RuntimeLimits::default().instances_per_worker(16);
    let fleet = fleet(&Runtime::with_limits(limits).unwrap());
    thread::scope(|scope| {
        for part in 0..4 {
            let fleet = &fleet;
            scope.spawn(move || {
                for number in (part..NUMBER).step_by(4) {
                    let description = described(&format!("instance-id = 'i-{number:017x}'"));
                    fleet.insert(&number.to_string(), &description).unwrap();
                }
            });
        }
    });
    assert_eq!(fleet.len() as u64, NUMBER);
    // Each twice: once after many others, and once more while it is open.
    for number in (0..NUMBER).rev().step_by(7).flat_map(|number| [number, number]) {
        let instance = fleet.get(&number.to_string()).unwrap();
        let answer = instance.answer(&Request::get("/latest/meta-data/instance-id"), NOW);
        assert_eq!(answer.body, format!("i-{number:017x}").into_bytes());
    }
}

#[test]
fn keys_are_made_for_all_of_them_at_once() {
    let runtime = Runtime::new().unwrap();
    let fleet = fleet(&runtime);
    fleet.insert("a", &Description::default()).unwrap();
    fleet.insert("b", &Description::default()).unwrap();
    fleet.make_keys_ahead().unwrap();
    let keys = runtime.identity_keys().unwrap();
    let request = Request::get("/latest/dynamic/instance-identity/rsa2048");
    for key in ["a", "b"] {
        assert_eq!(fleet.get(key).unwrap().answer(&request, NOW).status, 200);
    }
    assert!(Arc::ptr_eq(&keys, &runtime.identity_keys().unwrap()));
}

#[test]
fn a_maker_of_keys_is_called_ahead_and_once() {
    use crate::identity::{IdentityKeys, IdentitySigning, KeyMaker};

    let (called, calls) = std::sync::mpsc::channel();
    let maker = KeyMaker::new(move || {
        called.send(()).unwrap();
        IdentityKeys::generate()
    });
    let settings = Settings::default().identity_signing(IdentitySigning::MadeBy(maker));
    let fleet = Fleet::with_settings(&Runtime::new().unwrap(), &settings, CallerKey::Host).unwrap();
    fleet.insert("a", &Description::default()).unwrap();
    fleet.insert("b", &Description::default()).unwrap();
    fleet.make_keys_ahead().unwrap();
    calls.recv().unwrap();
    let request = Request::get("/latest/dynamic/instance-identity/rsa2048");
    for key in ["a", "b"] {
        assert_eq!(fleet.get(key).unwrap().answer(&request, NOW).status, 200);
    }
    assert!(calls.try_recv().is_err());
}

#[test]
fn an_edit_can_name_the_event_that_the_instance_of_the_key_has() {
    let fleet = fleet(&Runtime::new().unwrap());
    let event = "code = 'instance-stop'\nnot-before = '2026-10-12T09:00:43Z'\n";
    let description = described(&format!("[[events]]\n{event}"));
    fleet.insert("a", &description).unwrap();
    let instance = fleet.get("a").unwrap();
    let scheduled = Request::get("/latest/meta-data/events/maintenance/scheduled");
    let told: serde_json::Value = serde_json::from_slice(&instance.answer(&scheduled, NOW).body).unwrap();
    let id = told[0]["EventId"].as_str().unwrap();

    let change = described(&format!("[[events]]\ninstance-event-id = '{id}'\nstate = 'canceled'\n"));
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_millis(NOW.now_ms);
    let edited = fleet.edit("a", &description, &change, now).unwrap();
    let edited: serde_json::Value = serde_json::from_str(&edited.to_json()).unwrap();
    assert_eq!(edited["events"].as_array().map(Vec::len), Some(1), "{edited}");
    assert_eq!(edited["events"][0]["state"], "canceled");
    // At another key, no event has this id.
    assert!(fleet.edit("b", &description, &change, now).is_err());
}
