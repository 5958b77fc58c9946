//! The throttle of an instance, which replicas share by the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Application, INSTANCE_ID, NOW_MS, Replica, Values, get};

#[test]
fn replicas_share_a_throttle() {
    for values in [Values::default(), Values::denying_swaps(), Values::setting_what_was_not_there()] {
        let throttled = r#"{"request-throttle": {"burst": 5, "per-second": 1}}"#;
        let mut application = Application::new(&[("instance", throttled)]);
        application.0.values = Some(Arc::new(values));
        let replicas: Vec<Replica> = (0..4).map(|_| application.replica()).collect();
        let answered: usize = std::thread::scope(|scope| {
            let ask = |replica| (0..5).filter(|_| get(replica, INSTANCE_ID, &[]).0 == 200).count();
            let threads: Vec<_> = replicas.iter().map(|replica| scope.spawn(move || ask(replica))).collect();
            threads.into_iter().map(|thread| thread.join().expect("answers")).sum()
        });
        assert_eq!(answered, 5);
        application.wait(1000);
        assert_eq!(get(&replicas[0], INSTANCE_ID, &[]).0, 200);
        assert_eq!(get(&replicas[1], INSTANCE_ID, &[]).0, 503);
    }
}

/// A caller's key may be as long as the store takes, and that of its throttle is longer.
#[test]
fn the_longest_key_of_a_caller_has_a_throttle() {
    let guest = "a".repeat(246);
    let throttled = r#"{"request-throttle": {"burst": 1, "per-second": 1}}"#;
    let application = Application::new(&[("callers", "header:x-guest")]);
    application.store().set(&format!("instances/{guest}"), throttled);
    let replicas = [application.replica(), application.replica()];
    let field = ("x-guest", guest.as_str());
    assert_eq!(get(&replicas[0], INSTANCE_ID, &[field]).0, 200);
    assert_eq!(get(&replicas[1], INSTANCE_ID, &[field]).0, 503);
    let keys = application.store().keys();
    assert!(keys.iter().any(|key| key.starts_with("throttle/sha256:")), "{keys:?}");
    assert!(keys.iter().all(|key| key.len() <= 256), "{keys:?}");
}

/// Time goes on while many ask: then nobody may be let in for a time that another
/// has counted already. A look at the clock takes 1 ms here.
#[test]
fn a_throttle_that_many_press_against_lets_in_what_time_regains() {
    let mut application = Application::new(&[("instance", r#"{"request-throttle": {"burst": 5, "per-second": 1}}"#)]);
    application.0.tick_ms = 1;
    let replicas: Vec<Replica> = (0..4).map(|_| application.replica()).collect();
    assert_eq!(get(&replicas[0], INSTANCE_ID, &[]).0, 200);
    let answered: u64 = std::thread::scope(|scope| {
        let ask = |replica| (0..200).filter(|_| get(replica, INSTANCE_ID, &[]).0 == 200).count() as u64;
        let threads: Vec<_> = replicas.iter().map(|replica| scope.spawn(move || ask(replica))).collect();
        threads.into_iter().map(|thread| thread.join().expect("answers")).sum()
    });
    let passed_ms = application.0.clock.load(Ordering::SeqCst) - NOW_MS;
    let most = 4 + passed_ms / 1000;
    assert!((most.saturating_sub(1)..=most).contains(&answered), "{answered} in {passed_ms} ms");
}

#[test]
fn a_throttle_begins_though_the_one_elected_to_begin_it_vanished() {
    let mut application = Application::new(&[("instance", r#"{"request-throttle": {"burst": 1, "per-second": 1}}"#)]);
    application.store().set("first/throttle/instance", "1");
    // Whoever waits for the other looks at the clock.
    application.0.tick_ms = 50;
    assert_eq!(get(&application.replica(), INSTANCE_ID, &[]).0, 200);
    assert_eq!(application.store().keys().iter().filter(|key| key.contains("throttle/")).count(), 1);
}
