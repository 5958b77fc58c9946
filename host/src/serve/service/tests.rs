use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::service::Service as _;

use super::*;
use crate::Runtime;

const SIGNATURE: &str = "/latest/dynamic/instance-identity/signature";

fn service() -> Service {
    Service::new(Runtime::new().unwrap().open(&Default::default()).unwrap())
}

fn get(target: &str) -> Request<()> {
    Request::get(target).body(()).unwrap()
}

/// An executor that knows nothing of tokio.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_call_waits_for_a_signature_without_blocking_its_executor() {
    let service = service();
    let mut cx = Context::from_waker(Waker::noop());
    // Keys have to be made, which takes far longer than to ask.
    let mut signature = service.call(get(SIGNATURE));
    assert!(signature.as_mut().poll(&mut cx).is_pending());
    let other = pin!(service.call(get("/latest/meta-data/mac"))).poll(&mut cx);
    assert!(matches!(other, Poll::Ready(Ok(response)) if response.status() == 200));

    let Ok(response) = block_on(signature);
    assert_eq!(response.status(), 200);
    let Ok(again) = block_on(service.call(get(SIGNATURE)));
    assert_eq!(again.into_body().into_bytes(), response.into_body().into_bytes());
}

/// Under a clock that runs far ahead between any two looks.
#[test]
fn an_answer_and_what_the_observer_is_told_are_of_one_time() {
    const DAY: u64 = 24 * 60 * 60;
    let looks = AtomicU64::new(1_000);
    let clock = move || UNIX_EPOCH + Duration::from_secs(DAY) * looks.fetch_add(1, Ordering::Relaxed) as u32;
    let (tell, told) = mpsc::channel();
    let service = service().clock(clock).observer(move |answered: &Answered<'_>| tell.send(answered.now_ms).unwrap());
    let answers = [get(SIGNATURE), get("/"), get("/none")].map(|request| block_on(service.call(request)));
    for Ok(response) in answers.into_iter().chain([Ok(service.respond(get("/")))]) {
        assert!(response.status() == 200 || response.status() == 404);
        let date = httpdate::parse_http_date(response.headers()["date"].to_str().unwrap()).unwrap();
        let told: SystemTime = UNIX_EPOCH + Duration::from_millis(told.recv().unwrap());
        assert_eq!(date, told);
    }
}
