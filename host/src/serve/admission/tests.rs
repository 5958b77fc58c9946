use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::*;

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// So many places, of which one caller may have all.
fn places(places: usize, grace: Duration) -> Arc<Admission> {
    shared(Bounds { places, share: places }, grace)
}

fn shared(bounds: Bounds, grace: Duration) -> Arc<Admission> {
    Arc::new(Admission::new(bounds, grace))
}

fn take(admission: &Arc<Admission>) -> Option<Place> {
    poll(pin!(admission.take(CALLER)))
}

fn is_sent_away(place: &Place) -> bool {
    poll(pin!(place.seat().sent_away())).is_some()
}

#[test]
fn the_one_that_waited_longest_leaves() {
    let admission = places(3, Duration::ZERO);
    let [first, second, third] = [(); 3].map(|()| take(&admission).unwrap());
    // It was answered and waits since then.
    assert!(first.work());
    first.wait();
    let mut fourth = pin!(admission.take(CALLER));
    assert!(poll(fourth.as_mut()).is_none(), "the second has not left yet");
    assert_eq!([&first, &second, &third].map(is_sent_away), [false, true, false]);
    drop(second);
    assert!(poll(fourth).is_some());
}

#[test]
fn one_that_works_stays_until_it_waits() {
    let admission = places(1, Duration::ZERO);
    let first = take(&admission).unwrap();
    assert!(first.work());
    let mut second = pin!(admission.take(CALLER));
    assert!(poll(second.as_mut()).is_none());
    assert!(!is_sent_away(&first));
    first.wait();
    assert!(poll(second.as_mut()).is_none());
    assert!(is_sent_away(&first));
    assert!(!first.work(), "a request that comes too late is not answered");
    first.wait();
    drop(first);
    assert!(poll(second).is_some());
}

#[test]
fn one_that_ended_leaves_before_those_that_wait() {
    let admission = places(2, Duration::from_secs(3600));
    let [first, second] = [(); 2].map(|()| take(&admission).unwrap());
    assert!(second.work());
    second.end();
    let mut third = pin!(admission.take(CALLER));
    assert!(poll(third.as_mut()).is_none());
    assert_eq!([&first, &second].map(is_sent_away), [false, true]);
    drop(second);
    assert!(poll(third).is_some());
}

#[test]
fn a_place_that_nobody_has_is_free() {
    let admission = places(2, Duration::ZERO);
    let [first, second] = [(); 2].map(|()| take(&admission).unwrap());
    assert!(first.work() && second.work());
    let mut third = pin!(admission.take(CALLER));
    assert!(poll(third.as_mut()).is_none());
    drop(first);
    let third = poll(third).unwrap();
    drop((second, third));
    assert_eq!(admission.table().seats.len(), 0);
}

#[test]
fn a_place_is_free_again_if_who_wanted_it_went_meanwhile() {
    let admission = places(1, Duration::ZERO);
    let first = take(&admission).unwrap();
    {
        let mut second = pin!(admission.take(CALLER));
        assert!(poll(second.as_mut()).is_none());
    }
    assert!(is_sent_away(&first));
    drop(first);
    assert_eq!(admission.table().seats.len(), 0);
}

#[test]
fn what_a_caller_has_above_its_share_leaves_first_and_at_once() {
    let admission = shared(Bounds { places: 4, share: 1 }, Duration::from_secs(3600));
    let take = |caller| poll(pin!(admission.take(caller)));
    let kept = take(OTHER).unwrap();
    let crowd = [(); 3].map(|()| take(CALLER).unwrap());
    let mut newcomers = [3, 4].map(|last| Box::pin(admission.take([127, 0, 0, last].into())));
    for (newcomer, leaver) in newcomers.iter_mut().zip([1, 2]) {
        assert!(poll(newcomer.as_mut()).is_none());
        assert!(is_sent_away(&crowd[leaver]));
    }
    assert!(!is_sent_away(&kept) && !is_sent_away(&crowd[0]));
}

/// Whoever it would be for: the caller itself, or another above its share.
#[tokio::test]
async fn who_has_its_share_gets_no_place_of_one_that_only_began_to_wait() {
    let take = |admission: &Arc<Admission>, caller| poll(pin!(admission.take(caller)));
    for newcomer in [CALLER, OTHER] {
        for (grace, expected) in [(Duration::from_secs(3600), [false; 3]), (Duration::ZERO, [true, false, false])] {
            let admission = shared(Bounds { places: 4, share: 1 }, grace);
            let crowd = [(); 3].map(|()| take(&admission, CALLER).unwrap());
            let _kept = take(&admission, OTHER).unwrap();
            // The longest wait is that of one above the share.
            assert!(crowd[0].work());
            crowd[0].wait();
            let mut waits = pin!(admission.take(newcomer));
            assert!(poll(waits.as_mut()).is_none());
            assert_eq!([1, 2, 0].map(|which| is_sent_away(&crowd[which])), expected, "{newcomer}, {grace:?}");
        }
    }
}

#[test]
fn those_of_one_caller_that_wait_apart_stand_in_line() {
    let admission = shared(Bounds { places: 2, share: 1 }, Duration::ZERO);
    let [own, other] = [CALLER, OTHER].map(|caller| poll(pin!(admission.take(caller))).unwrap());
    assert!(own.work() && other.work());
    let [mut first, mut second, mut another] =
        [CALLER, CALLER, OTHER].map(|caller| Box::pin(admission.take_in_line(caller)));
    assert!([&mut first, &mut second, &mut another].into_iter().all(|waits| poll(waits.as_mut()).is_none()));
    other.wait();
    own.wait();
    assert!(poll(second.as_mut()).is_none() && !is_sent_away(&own), "it is not the first");
    assert!(poll(another.as_mut()).is_none() && is_sent_away(&other), "it is in a line of its own");
    assert!(poll(first.as_mut()).is_none() && is_sent_away(&own));
    drop((own, other));
    let first = poll(first.as_mut()).unwrap();
    assert!(first.work() && poll(another.as_mut()).is_some());
    assert!(poll(second.as_mut()).is_some(), "a place became free");
    drop(poll(pin!(admission.take_in_line(CALLER))));
    assert_eq!(admission.table().lines.len(), 1);
}

#[test]
fn what_is_in_its_callers_share_again_is_no_surplus() {
    let admission = shared(Bounds { places: 3, share: 1 }, Duration::ZERO);
    let take = |caller| poll(pin!(Admission::take(&admission, caller)));
    let [oldest, gone, stays] = [OTHER, CALLER, CALLER].map(|caller| take(caller).unwrap());
    drop(gone);
    let [third, fourth] = [3, 4].map(|last| IpAddr::from([127, 0, 0, last]));
    let third = take(third).unwrap();
    let mut fourth = pin!(admission.take(fourth));
    assert!(poll(fourth.as_mut()).is_none());
    assert_eq!([&oldest, &stays, &third].map(is_sent_away), [true, false, false]);
    assert!(stays.is_open() && stays.work());
    stays.wait();
    drop((oldest, stays));
    assert!(poll(fourth).is_some());
}

#[test]
fn a_surplus_connection_may_still_get_a_request() {
    let admission = shared(Bounds { places: 2, share: 1 }, Duration::ZERO);
    let [first, second] = [(); 2].map(|()| poll(pin!(Admission::take(&admission, CALLER))).unwrap());
    assert!(first.is_open() && second.is_open());
    assert!(second.work());
    second.end();
    assert!(!second.is_open());
}

#[test]
fn who_has_its_share_waits_for_one_of_its_own() {
    let admission = shared(Bounds { places: 2, share: 1 }, Duration::ZERO);
    let take = |caller| poll(pin!(Admission::take(&admission, caller)));
    let [own, _other] = [CALLER, OTHER].map(|caller| take(caller).unwrap());
    assert!(own.work());
    let mut waits = pin!(admission.take(CALLER));
    assert!(poll(waits.as_mut()).is_none());
    own.wait();
    assert!(poll(waits.as_mut()).is_none());
    assert!(is_sent_away(&own));
    drop(own);
    assert!(poll(waits).is_some());
}

#[test]
fn who_has_its_share_keeps_nobody_waiting_behind_it() {
    let admission = shared(Bounds { places: 2, share: 1 }, Duration::from_secs(3600));
    let take = |caller| poll(pin!(Admission::take(&admission, caller)));
    let taken = [CALLER, OTHER].map(|caller| take(caller).unwrap());
    assert!(taken.iter().all(Place::work));
    assert!(poll(pin!(admission.take_in_turn(CALLER))).is_some_and(|place| place.is_none()));
    let third = IpAddr::from([127, 0, 0, 3]);
    assert!(poll(pin!(admission.take_in_turn(third))).is_none(), "it waits for one to end");
    let room: Vec<_> = std::iter::from_fn(|| admission.waiting_room()).take(1000).collect();
    assert_eq!(room.len(), WAITING_ROOM);
}

#[test]
fn who_has_its_share_pushes_nobody_else_out() {
    let admission = shared(Bounds { places: 3, share: 2 }, Duration::ZERO);
    let take = |caller| poll(pin!(Admission::take(&admission, caller)));
    let other = take(OTHER).unwrap();
    let [first, second] = [(); 2].map(|()| take(CALLER).unwrap());
    let mut third = pin!(admission.take(CALLER));
    assert!(poll(third.as_mut()).is_none());
    assert_eq!([&other, &first, &second].map(is_sent_away), [false, true, false]);
    drop(first);
    let third = poll(third).unwrap();
    assert!(second.work() && third.work());
    let mut fourth = pin!(admission.take(CALLER));
    assert!(poll(fourth.as_mut()).is_none(), "its own are all at work");
    assert!(!is_sent_away(&other));
    let mut others = pin!(admission.take(OTHER));
    assert!(poll(others.as_mut()).is_none());
    assert!(is_sent_away(&other), "below its share the one that waited longest leaves, here its own");
    drop((second, third, other));
    assert!(poll(fourth).is_some() && poll(others).is_some());
    assert!(admission.table().callers.is_empty());
}

#[test]
fn a_place_is_wanted_while_a_newcomer_waits_that_could_have_it() {
    let admission = shared(Bounds { places: 2, share: 1 }, Duration::from_secs(3600));
    let take = |caller| poll(pin!(Admission::take(&admission, caller)));
    let wanted = |taken: [&Place; 2]| taken.map(Place::is_wanted);
    let [own, other] = [CALLER, OTHER].map(|caller| take(caller).unwrap());
    assert!(own.work() && other.work());
    assert_eq!(wanted([&own, &other]), [false, false]);
    for (newcomer, expected) in [(IpAddr::from([127, 0, 0, 3]), [true, true]), (CALLER, [true, false])] {
        let mut waits = pin!(admission.take(newcomer));
        assert!(poll(waits.as_mut()).is_none());
        assert_eq!(wanted([&own, &other]), expected, "{newcomer}");
    }
    assert_eq!(wanted([&own, &other]), [false, false], "nobody waits any more");

    drop(other);
    let surplus = take(CALLER).unwrap();
    assert!(surplus.work());
    let mut waits = pin!(admission.take_in_turn(OTHER));
    assert!(poll(waits.as_mut()).is_none());
    assert_eq!(wanted([&own, &surplus]), [true, true]);
    drop(own);
    let taken = poll(waits).flatten().unwrap();
    assert_eq!(wanted([&surplus, &taken]), [false, false], "it has one");
    assert!(admission.table().newcomers.is_empty());
}
