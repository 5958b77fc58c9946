use std::thread;

use super::*;
use crate::engine::message::Request;

fn with_id(runtime: &Runtime, id: &str) -> Instance {
    let mut description = Description::default();
    description.set_text("/instance-id", id, "test");
    runtime.open(&description).unwrap()
}

#[test]
fn a_worker_opens_again_what_it_closed() {
    let limits = RuntimeLimits::default().instances_per_worker(2);
    let runtime = Runtime::with_limits(limits).unwrap();
    let ids = ["i-0123456789abcdef0", "i-0123456789abcdef1", "i-0123456789abcdef2"];
    let instances = ids.map(|id| (id, with_id(&runtime, id)));
    let request = Request::get("/latest/meta-data/instance-id");
    for _ in 0..2 {
        for (id, instance) in &instances {
            assert_eq!(instance.answer(&request, Moment::at(0, 0)).body, id.as_bytes());
        }
    }
    assert_eq!(runtime.shared.idle.lock().unwrap().len(), 1);
}

#[test]
fn an_instance_is_closed_for_another_however_long_ago_the_last_call_was() {
    let limits = RuntimeLimits::default().instances_per_worker(1);
    let runtime = Runtime::with_limits(limits).unwrap();
    let [first, second] = ["i-0123456789abcdef0", "i-0123456789abcdef1"].map(|id| with_id(&runtime, id));
    let request = Request::get("/");
    first.try_answer(&request, Moment::at(0, 0)).unwrap();
    for _ in 0..=2 * deadline::QUESTIONS {
        runtime.shared.engine.increment_epoch();
    }
    second.try_answer(&request, Moment::at(0, 0)).unwrap();
}

#[test]
fn a_call_that_fails_costs_its_worker_and_nothing_else() {
    let limits = RuntimeLimits::default().memory_bytes(3 << 20);
    let runtime = Runtime::with_limits(limits).unwrap();
    let instance = with_id(&runtime, "i-0123456789abcdef0");
    let mut large = Description::default();
    large.set_text("/user-data", &"x".repeat(3 << 20), "test");
    let failed = runtime.open(&large);
    assert!(matches!(failed, Err(Error::Component(_))), "{failed:?}");
    assert_eq!(runtime.shared.idle.lock().unwrap().len(), 0);
    assert_eq!(instance.answer(&Request::get("/"), Moment::at(0, 0)).status, 200);
}

#[test]
fn instances_that_do_not_fit_in_one_worker_are_answered_all_the_same() {
    let limits = RuntimeLimits::default().memory_bytes(8 << 20);
    let runtime = Runtime::with_limits(limits).unwrap();
    let large = format!("[extra-entries]\n\"meta-data/x\" = \"{}\"\n", "x".repeat(1 << 18));
    let description = Description::from_toml("test", &large).unwrap();
    for _ in 0..64 {
        let instance = runtime.open(&description).unwrap();
        instance.try_answer(&Request::get("/"), Moment::at(0, 0)).unwrap();
    }
    assert_eq!(runtime.shared.idle.lock().unwrap().len(), 1);
}

#[test]
fn identity_keys_are_made_once() {
    let runtime = Runtime::new().unwrap();
    let request = Request::get("/latest/dynamic/instance-identity/rsa2048");
    let [first, second] = ["i-0123456789abcdef0", "i-0123456789abcdef1"].map(|id| with_id(&runtime, id));
    let (keys, answers): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let ask = || (runtime.identity_keys().unwrap(), first.answer(&request, Moment::at(0, 0)));
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).unzip()
    });
    assert!(keys.iter().all(|other| Arc::ptr_eq(&keys[0], other)));
    assert_eq!(answers[0].status, 200);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_ne!(second.answer(&request, Moment::at(0, 0)), answers[0]);
}

#[test]
fn a_request_that_has_something_signed_counts_once() {
    let runtime = Runtime::new().unwrap();
    let throttle = "[request-throttle]\nburst = 1\nper-second = 1\n";
    let description = Description::from_toml("test", throttle).unwrap();
    let instance = runtime.open(&description).unwrap();
    let request = Request::get("/latest/dynamic/instance-identity/signature");
    let status = || instance.answer(&request, Moment::at(1_764_000_000_000, 0)).status;
    assert_eq!((status(), status()), (200, 503));
}

#[test]
fn threads_answer_at_once() {
    let runtime = Runtime::new().unwrap();
    let instance = with_id(&runtime, "i-0123456789abcdef0");
    let answers = || (0..200).map(|now| instance.answer(&Request::get("/"), Moment::at(now, now)).status);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(answers().all(|status| status == 200)));
        }
    });
    assert!(runtime.shared.idle.lock().unwrap().len() <= 4);
}
