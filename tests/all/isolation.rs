//! A component that misbehaves costs the request that it fails, and nothing else.
//!
//! The component is the crate `imds-misbehaving`, behind the same interface as
//! that of the service; what it does is told by the request.

use std::fs;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use imds_host::{
    Answer, Answered, Description, Error, Instance, Moment, Outcome, Request, Runtime, RuntimeLimits, Service, serve,
};
use imds_misbehaving::{MODE, modes};
use tokio::net::TcpListener;

use crate::shell::{shell, workspace};
use crate::ways::receive;

/// Built as the component of the service is.
static COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    shell(
        "cargo rustc --locked --package imds-misbehaving --lib --profile component --crate-type cdylib \
         --target wasm32-unknown-unknown --target-dir target/imds-component \
         --config 'target.wasm32-unknown-unknown.linker=\"wasm-component-ld\"'",
    );
    let built = workspace().join("target/imds-component/wasm32-unknown-unknown/component/imds_misbehaving.wasm");
    fs::read(built).expect("the component was built")
});

/// Far above what anything takes but what never ends, also on a busy machine.
const SOON: Duration = Duration::from_secs(60);
const MEMORY: usize = 16 << 20;

/// With the default time for a call, which tests of what never ends wait for.
fn limits() -> RuntimeLimits {
    RuntimeLimits::default().memory_bytes(MEMORY)
}

/// A runtime of the component, once for all tests.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::with_component(&COMPONENT, limits()).expect("the component loads"));

/// One in which large answers have time enough.
static PATIENT: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::with_component(&COMPONENT, limits().call(SOON)).expect("the component loads"));

/// The component with another word for what its functions do.
fn in_mode(mode: &[u8; 24]) -> Vec<u8> {
    let mut component = COMPONENT.clone();
    let places: Vec<usize> =
        component.windows(MODE.len()).enumerate().filter(|(_, part)| *part == MODE).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 1, "the word is once in the component");
    component[places[0]..][..MODE.len()].copy_from_slice(mode);
    component
}

fn described(text: &str) -> Description {
    let mut description = Description::default();
    description.set_text("/x", text, "a test");
    description
}

fn open() -> Instance {
    open_in(&RUNTIME)
}

fn open_in(runtime: &Runtime) -> Instance {
    runtime.open(&Description::default()).expect("it opens")
}

fn ask(instance: &Instance, target: &str) -> Result<Answer, Error> {
    instance.try_answer(&Request::get(target), Moment::at(0, 0))
}

#[track_caller]
fn failure<T>(result: Result<T, Error>) -> String {
    let Err(error @ Error::Component(_)) = result else { panic!("it did not fail") };
    in_full(&error)
}

/// What the error says, with all that it says of its reason.
fn in_full(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(reason) = source {
        text = format!("{text}: {reason}");
        source = reason.source();
    }
    text
}

fn is_well(instance: &Instance) -> bool {
    ask(instance, "/plain").is_ok_and(|answer| answer.status == 200 && answer.body.starts_with(b"/plain of "))
}

/// What it does, and a word of the error.
const FAILING: [(&str, &str); 4] =
    [("/trap", "unreachable"), ("/loop", "interrupt"), ("/grow", "unreachable"), ("/deep", "call stack exhausted")];

#[test]
fn a_call_that_never_ends_as_it_should_fails_and_says_why() {
    let instance = open();
    for (target, reason) in FAILING {
        let began = Instant::now();
        let failed = failure(ask(&instance, target));
        assert!(failed.starts_with("the component failed: ") && failed.contains(reason), "{target}: {failed}");
        assert!(began.elapsed() < SOON, "{target}");
        assert!(is_well(&instance), "after {target}");
        let answer = instance.answer(&Request::get(target), Moment::at(0, 0));
        assert_eq!((answer.status, answer.verdict.outcome), (500, Outcome::Failed), "{target}");
    }
}

#[test]
fn a_component_has_no_more_memory_than_the_limit() {
    let measured = ask(&open_in(&PATIENT), "/measure").expect("it is answered").body;
    let measured: usize = String::from_utf8(measured).expect("a number").parse().expect("a number");
    assert!((MEMORY / 2..=MEMORY).contains(&measured), "{measured} of {MEMORY}");
    let large = ask(&open_in(&PATIENT), "/large").expect("what fits is sent");
    assert_eq!(large.body.len(), 8 << 20);
}

#[test]
fn what_breaks_the_contract_is_no_answer() {
    let instance = open_in(&PATIENT);
    for target in [
        "/status-0",
        "/status-99",
        "/status-100",
        "/status-101",
        "/status-1000",
        "/another-status",
        "/hop-limit-0",
        "/hop-limit-255",
        "/delay-without-end",
        "/shorter",
        "/longer",
        "/two-lengths",
        "/no-number",
        "/coded",
        "/no-head",
        "/no-head-but-a-body",
        "/no-end",
        "/two-ends",
        "/no-field",
        "/line-feed",
        "/no-ascii",
        "/no-utf-8",
        "/no-name",
        "/fields-without-end",
        "/cut-and-kept",
        "/body-unknown-and-kept",
    ] {
        let failed = failure(ask(&instance, target));
        assert!(failed.contains("the component broke its contract: "), "{target}: {failed}");
        assert!(is_well(&instance), "after {target}");
    }
    // Signing what is no document harms nobody.
    let wanted = |answer: Answer| answer.verdict.outcome == Outcome::SignaturesWanted;
    assert!(ask(&instance, "/signatures-wanted").is_ok_and(wanted));
    let again = ask(&instance, "/signatures-always-wanted");
    assert!(matches!(again, Err(Error::Identity(_))), "{again:?}");
    assert!(is_well(&instance));
    assert_eq!(ask(&instance, "/throttle-state").expect("it is answered").status, 200);
}

#[test]
fn what_fails_when_it_is_opened_is_an_error_and_the_next_one_opens() {
    for (does, reason) in [("open traps", "unreachable"), ("open loops", "interrupt"), ("open grows", "unreachable")] {
        let failed = failure(RUNTIME.open(&described(does)));
        assert!(failed.contains(reason), "{does}: {failed}");
        assert!(is_well(&open()));
    }
    let refused = RUNTIME.open(&described("open refuses without a word"));
    assert!(matches!(refused, Err(Error::Invalid(problems)) if problems.list.is_empty()));
    // It is closed when another needs its room, which costs the worker and nobody else.
    let runtime = Runtime::with_component(&COMPONENT, limits().instances_per_worker(1)).expect("the component loads");
    let closes = runtime.open(&described("closing traps")).expect("it opens");
    assert!(is_well(&closes) && is_well(&open_in(&runtime)) && is_well(&closes));
}

#[test]
fn what_fails_before_anything_is_opened_is_an_error() {
    let runtime = |mode| Runtime::with_component(&in_mode(mode), limits());
    for (mode, reason) in [
        (modes::FIELDS_READ_TRAPS, "unreachable"),
        (modes::FIELDS_READ_LOOPS, "interrupt"),
        (modes::FIELDS_READ_GROWS, "unreachable"),
    ] {
        let failed = failure(runtime(mode));
        assert!(failed.contains(reason), "{failed}");
    }
    for (mode, reason) in [(modes::SCHEMA_TRAPS, "unreachable"), (modes::SCHEMA_LOOPS, "interrupt")] {
        let runtime = runtime(mode).expect("the schema is not asked for yet");
        let failed = failure(runtime.schema());
        assert!(failed.contains(reason), "{failed}");
        let instance = runtime.open(&Description::default()).expect("it opens");
        assert!(is_well(&instance));
    }
    let runtime = runtime(modes::EXPLAIN_TRAPS).expect("nothing is to be explained yet");
    assert!(runtime.explain(Outcome::Found).reason.contains("failed"));
    assert!(is_well(&open_in(&runtime)));
    for wasm in [&b""[..], b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"] {
        failure(Runtime::with_component(wasm, limits()));
    }
}

/// A server of the component in tokio of its own, of two threads.
struct Server {
    address: SocketAddr,
    told: Receiver<(String, u16, Option<String>)>,
    _tokio: tokio::runtime::Runtime,
}

impl Server {
    fn start(runtime: &Runtime) -> Server {
        let (tell, told) = mpsc::channel();
        let tell = Arc::new(std::sync::Mutex::new(tell));
        let observer = move |answered: &Answered<'_>| {
            let reason = answered.error.map(in_full);
            let _ =
                tell.lock().expect("nobody panics").send((answered.head.target().to_owned(), answered.status, reason));
        };
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let tokio = tokio.expect("tokio starts");
        let listener = tokio.block_on(TcpListener::bind("127.0.0.1:0")).expect("a loopback port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let service = Service::new(open_in(runtime)).observer(observer);
        tokio.spawn(serve(listener, service, std::future::pending()));
        Server { address, told, _tokio: tokio }
    }

    fn status(&self, target: &str) -> u16 {
        status(self.address, target)
    }
}

fn status(address: SocketAddr, target: &str) -> u16 {
    receive(address, format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).status
}

#[test]
fn others_are_answered_before_after_and_at_the_same_time() {
    let server = Server::start(&RUNTIME);
    let address = server.address;
    assert_eq!(server.status("/plain"), 200);
    std::thread::scope(|scope| {
        let good = [(); 4].map(|()| scope.spawn(move || (0..50).all(|_| status(address, "/plain") == 200)));
        // More loops at once than the server has threads.
        let bad = FAILING.into_iter().chain(FAILING).chain([FAILING[1]; 4]);
        let bad: Vec<_> = bad.map(|(target, _)| scope.spawn(move || status(address, target))).collect();
        assert!(good.into_iter().all(|client| client.join().expect("all are answered")));
        assert!(bad.into_iter().all(|client| client.join().expect("all are answered") == 500));
    });
    assert_eq!(server.status("/plain"), 200);
    let told: Vec<_> = server.told.try_iter().collect();
    for (target, reason) in FAILING {
        let mut of_target = told.iter().filter(|(told, ..)| told == target).peekable();
        assert!(of_target.peek().is_some(), "{target}");
        for (_, status, why) in of_target {
            assert_eq!(*status, 500);
            assert!(why.as_ref().is_some_and(|why| why.contains(reason)), "{target}: {why:?}");
        }
    }
    assert!(told.iter().all(|(target, status, why)| target != "/plain" || (*status, why) == (200, &None)));
}

/// On the wire an answer is whole and one, whatever the component says.
#[test]
fn what_breaks_the_contract_splits_no_answer() {
    let server = Server::start(&PATIENT);
    let ask = |target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = receive(server.address, request.as_bytes());
        assert!(answer.fields.iter().all(|(name, _)| name != "X-Split"), "{target}: {answer:?}");
        answer
    };
    for target in [
        "/status-101",
        "/hop-limit-255",
        "/longer",
        "/two-lengths",
        "/no-head",
        "/no-head-but-a-body",
        "/two-ends",
        "/line-feed",
        "/no-ascii",
        "/no-utf-8",
    ] {
        assert_eq!(ask(target).status, 500, "{target}");
    }
    let answer = ask("/no-length");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"/no-length of 2"[..]));
    assert_eq!(ask("/large").body.len(), 8 << 20);
}

/// What the component says of a request's body and of the connection is bounded by
/// what a server takes.
#[test]
fn lies_about_a_connection_harm_nobody() {
    let server = Server::start(&PATIENT);
    let began = Instant::now();
    for target in ["/kept", "/body-without-end", "/body-in-chunks"] {
        // Until the server closes.
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = receive(server.address, request.as_bytes());
        assert_eq!((answer.status, answer.body), (200, format!("{target} of 2").into_bytes()), "{target}");
        assert_eq!(server.status("/plain"), 200, "after {target}");
    }
    assert!(began.elapsed() < SOON);
}
