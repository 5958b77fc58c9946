use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::engine::{Delivery, Outcome, RequestHead, SessionVersion, Verdict};
use crate::error::Error;

/// Receives every answer, for logs and metrics. A closure over [`Answered`] is an
/// observer. So is a tuple of two, which calls both in order, and an `Option`, which
/// does nothing if it is [`None`].
///
/// It runs on the thread that answers, before the answer is sent: it must not block.
///
/// ```
/// use imds_host::{Answered, Observer};
///
/// let count_me = |answered: &Answered<'_>| println!("{}", answered.status);
/// fn takes(_: impl Observer) {}
/// takes(count_me);
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A request was answered.
    fn answered(&self, answered: &Answered<'_>);

    /// A server had a failure that belongs to no request, and went on.
    fn trouble(&self, trouble: &Trouble) {
        let _ = trouble;
    }

    /// A server accepted a connection.
    fn connected(&self) {}

    /// A connection is closed. Comes once for each [`connected`](Self::connected).
    fn disconnected(&self) {}
}

impl<F: Fn(&Answered<'_>) + Send + Sync + 'static> Observer for F {
    fn answered(&self, answered: &Answered<'_>) {
        self(answered);
    }
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn answered(&self, answered: &Answered<'_>) {
        self.0.answered(answered);
        self.1.answered(answered);
    }

    fn trouble(&self, trouble: &Trouble) {
        self.0.trouble(trouble);
        self.1.trouble(trouble);
    }

    fn connected(&self) {
        self.0.connected();
        self.1.connected();
    }

    fn disconnected(&self) {
        self.0.disconnected();
        self.1.disconnected();
    }
}

impl<O: Observer> Observer for Option<O> {
    fn answered(&self, answered: &Answered<'_>) {
        self.iter().for_each(|observer| observer.answered(answered));
    }

    fn trouble(&self, trouble: &Trouble) {
        self.iter().for_each(|observer| observer.trouble(trouble));
    }

    fn connected(&self) {
        self.iter().for_each(Observer::connected);
    }

    fn disconnected(&self) {
        self.iter().for_each(Observer::disconnected);
    }
}

/// One answered request. Pass to a log what [`shown`](crate::shown) makes of its texts,
/// as the `Debug` form does.
///
/// ```
/// use imds_host::{Answered, Outcome};
///
/// fn line(answered: &Answered<'_>) -> Option<String> {
///     (answered.outcome == Outcome::TokenMissing).then(|| format!("{:?}", answered.peer))
/// }
/// ```
#[non_exhaustive]
pub struct Answered<'a> {
    /// The time of the answer by the service's [`Clock`](crate::Clock), in milliseconds
    /// since 1970-01-01T00:00:00Z.
    pub now_ms: u64,
    /// The caller's address; `None` if the server that mounts the service does not set
    /// it.
    pub peer: Option<SocketAddr>,
    /// The address that the caller connected to; `None` if the server that mounts the
    /// service does not set it.
    pub local: Option<SocketAddr>,
    /// The head of the request as sent: the client controls it. It is parsed when you
    /// look, and has an empty method if it is unreadable.
    pub head: RequestHead<'a>,
    /// The status of the answer, even if [`delivery`](Self::delivery) does not send it.
    pub status: u16,
    /// Why the answer is what it is.
    pub outcome: Outcome,
    /// What the server does instead of sending the answer whole and at once, if
    /// anything.
    pub delivery: Option<Delivery>,
    /// The version of the service that the client used; `None` if the request was
    /// refused before the version was known.
    pub version: Option<SessionVersion>,
    /// The time to find the answer, without receiving and sending.
    pub duration: Duration,
    /// Why the component failed, if the outcome is [`Outcome::Failed`].
    pub error: Option<&'a Error>,
}

impl<'a> Answered<'a> {
    pub(crate) fn new(
        head: RequestHead<'a>,
        now_ms: u64,
        (peer, local): (Option<SocketAddr>, Option<SocketAddr>),
        verdict: &Verdict,
        duration: Duration,
        error: Option<&'a Error>,
    ) -> Self {
        let Verdict { status, outcome, delivery, version, .. } = *verdict;
        Self { now_ms, peer, local, head, status, outcome, delivery, version, duration, error }
    }
}

impl Answered<'_> {
    /// The kind of the fault that affected the answer, by its name in descriptions;
    /// `None` without one. An instance that is not running is not a fault.
    ///
    /// ```
    /// use imds_host::{Answered, Description, Runtime, Service};
    ///
    /// let description = Description::from_toml("slow.toml", "faults = [{ kind = 'delay' }]")?;
    /// let instance = Runtime::new()?.open(&description)?;
    /// let service = Service::new(instance)
    ///     .observer(|answered: &Answered<'_>| assert_eq!(answered.fault(), Some("delay")));
    /// service.respond(hyper::Request::get("/").body(())?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn fault(&self) -> Option<&'static str> {
        match (self.outcome, self.delivery) {
            (Outcome::NotRunning, _) => None,
            (Outcome::FaultRefused, _) => Some("refuse"),
            (_, delivery) => Some(match delivery? {
                Delivery::Delayed(_) => "delay",
                Delivery::Closed => "close",
                Delivery::Cut => "cut",
                Delivery::Withheld => "withhold",
            }),
        }
    }
}

impl fmt::Debug for Answered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered")
            .field("now_ms", &self.now_ms)
            .field("peer", &self.peer)
            .field("local", &self.local)
            .field("head", &self.head)
            .field("status", &self.status)
            .field("outcome", &self.outcome)
            .field("delivery", &self.delivery)
            .field("version", &self.version)
            .field("duration", &self.duration)
            .field("error", &self.error)
            .finish()
    }
}

/// A failure that a server handled.
///
/// ```
/// use imds_host::Trouble;
///
/// let trouble = Trouble::Accept(std::io::Error::other("too many open files"));
/// assert_eq!(trouble.to_string(), "cannot accept a connection: too many open files");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// Accepting a connection failed; the server tries again after a while.
    Accept(io::Error),
    /// Setting the hop limit of an answer failed. The server did not send the answer
    /// and closed the connection.
    HopLimit(io::Error),
    /// The server closed a waiting connection, or one whose answer a fault holds back,
    /// to make room for a new one.
    SentAway,
}

impl Trouble {
    /// Its name for machines, which never changes.
    ///
    /// ```
    /// assert_eq!(imds_host::Trouble::SentAway.name(), "sent-away");
    /// ```
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accept(_) => "accept",
            Self::HopLimit(_) => "hop-limit",
            Self::SentAway => "sent-away",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept(error) => write!(f, "cannot accept a connection: {error}"),
            Self::HopLimit(error) => write!(f, "cannot set the hop limit of an answer, which was not sent: {error}"),
            Self::SentAway => {
                f.write_str("closed a connection that waited, to make room for a new one: no more can be open")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};

    use super::*;
    use crate::{Runtime, Service};

    #[derive(Clone, Default)]
    struct Calls(Arc<AtomicUsize>);

    impl Observer for Calls {
        fn answered(&self, _: &Answered<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn trouble(&self, _: &Trouble) {
            self.0.fetch_add(10, Ordering::Relaxed);
        }
        fn connected(&self) {
            self.0.fetch_add(100, Ordering::Relaxed);
        }
        fn disconnected(&self) {
            self.0.fetch_add(1000, Ordering::Relaxed);
        }
    }

    #[test]
    fn no_key_in_what_is_told_is_printed() {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let (tell, told) = mpsc::channel();
        let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
        let service =
            Service::new(instance).observer(move |answered: &Answered<'_>| tell.send(format!("{answered:?}")).unwrap());
        let request = hyper::Request::get(format!("/latest/{key}?{key}"));
        service.respond(request.header("host", key.replace('/', "_")).header("user-agent", key).body(()).unwrap());
        let printed = told.recv().unwrap();
        assert!(key.split('/').all(|part| !printed.contains(part)), "{printed}");
        assert!(printed.contains("/latest/…?…"), "{printed}");
    }

    #[test]
    fn two_observers_are_told_all() {
        let [first, second] = [Calls::default(), Calls::default()];
        let observer = ((first.clone(), None::<Calls>), Some(second.clone()));
        observer.trouble(&Trouble::SentAway);
        observer.connected();
        observer.disconnected();
        let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
        Service::new(instance).observer(observer).respond(hyper::Request::get("/").body(()).unwrap());
        for calls in [first, second] {
            assert_eq!(calls.0.load(Ordering::Relaxed), 1111);
        }
    }

    #[test]
    fn the_version_is_told_of_answers_and_refusals() {
        let (tell, told) = mpsc::channel();
        let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
        let service = Service::new(instance)
            .observer(move |answered: &Answered<'_>| tell.send((answered.outcome, answered.version)).unwrap());
        let token = "x-aws-ec2-metadata-token";
        let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
        let ask = |method: &str, target: &str, fields: &[(&str, &str)]| {
            let mut request = hyper::Request::builder().method(method).uri(target);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let body = service.respond(request.body(()).unwrap()).into_body().into_bytes();
            let (outcome, version) = told.recv().unwrap();
            (outcome, version, String::from_utf8(body.to_vec()).unwrap())
        };
        let (outcome, version, issued) = ask("PUT", "/latest/api/token", &[(ttl, "60")]);
        assert_eq!((outcome, version), (Outcome::TokenIssued, Some(SessionVersion::Two)));
        let valid: &[(&str, &str)] = &[(token, &issued)];
        let (one, two) = (Some(SessionVersion::One), Some(SessionVersion::Two));
        for (method, target, fields, outcome, version) in [
            ("GET", "/", &[][..], Outcome::Found, one),
            ("HEAD", "/", &[], Outcome::Found, one),
            ("GET", "/", valid, Outcome::Found, two),
            ("HEAD", "/", valid, Outcome::Found, two),
            ("GET", "/none", &[], Outcome::NotFound, one),
            ("GET", "/none", valid, Outcome::NotFound, two),
            ("DELETE", "/", &[], Outcome::MethodRefused, one),
            ("DELETE", "/", valid, Outcome::MethodRefused, two),
            ("OPTIONS", "/", valid, Outcome::MethodsListed, two),
            ("GET", "/", &[(token, "x")], Outcome::TokenInvalid, two),
            ("GET", "/", &[("host", "attacker.example")], Outcome::HostRefused, None),
        ] {
            let (found, told, _) = ask(method, target, fields);
            assert_eq!((found, told), (outcome, version), "{method} {target}");
        }
    }
}
