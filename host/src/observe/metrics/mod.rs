// Own code and not the crate prometheus-client: its histogram takes a lock and
// its families look labels up under another, while here a request is a table's
// place and three additions; and the format is a page of code.

mod exposition;
mod histogram;
mod requests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use self::exposition::Exposition;
use self::histogram::Histogram;
use self::requests::Requests;
use crate::engine::{Outcome, SessionVersion};
use crate::observe::observer::{Answered, Observer, Trouble};

/// Counts what a service does, for Prometheus: an [`Observer`] that displays as
/// a page of its text format, version 0.0.4.
///
/// Clones count together. Counting takes some nanoseconds, no lock and no memory. No
/// label has a value that a client chose, so the page has a bounded size and contains
/// no secret.
///
/// | metric | what |
/// | --- | --- |
/// | `imds_requests_total` | answers by `kind` ([`Outcome::name`]), `version` ([`SessionVersion`], or `unknown`) and `status`; those that came at least once |
/// | `imds_request_duration_seconds` | a histogram of the time to find an answer |
/// | `imds_metadata_no_token_total` | answers to requests of version 1, found or not; EC2's `MetadataNoToken` |
/// | `imds_metadata_no_token_rejected_total` | requests of version 1 refused because tokens are required; EC2's `MetadataNoTokenRejected` |
/// | `imds_throttled_total` | requests above the description's rate |
/// | `imds_faults_total` | requests that a fault of the description affected, of all kinds |
/// | `imds_component_failures_total` | requests answered by 500 |
/// | `imds_unreadable_heads_total` | requests whose head could not be read or was too large |
/// | `imds_open_connections`, `imds_connections_total` | connections now and ever |
/// | `imds_connections_sent_away_total` | connections that waited and were closed to make room |
/// | `imds_accept_failures_total`, `imds_hop_limit_failures_total` | the other kinds of [`Trouble`] |
/// | `imds_instances` | as [set](Self::set_instances) |
/// | `imds_build_info` | 1, with the `version` of this crate and the beginning of the SHA-256 of its `component` |
///
/// ```
/// use imds_host::{Answered, Metrics, Runtime, Service};
///
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let metrics = Metrics::new();
/// let log = |answered: &Answered<'_>| println!("{} {}", answered.status, answered.outcome);
/// let service = Service::new(instance).observer((log, metrics.clone()));
/// service.respond(hyper::Request::get("/latest/meta-data/").body(())?);
///
/// // Serve this to Prometheus, as `Metrics::CONTENT_TYPE`.
/// let page = metrics.to_string();
/// assert!(page.contains(r#"imds_requests_total{kind="found",version="1",status="200"} 1"#));
/// assert!(page.contains("imds_metadata_no_token_total 1"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Metrics {
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: Requests,
    durations: Histogram,
    faults: AtomicU64,
    connected: AtomicU64,
    disconnected: AtomicU64,
    sent_away: AtomicU64,
    accept_failures: AtomicU64,
    hop_limit_failures: AtomicU64,
    instances: AtomicU64,
}

impl Metrics {
    /// The `Content-Type` of a page.
    ///
    /// ```
    /// assert!(imds_host::Metrics::CONTENT_TYPE.starts_with("text/plain; version=0.0.4"));
    /// ```
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Counts from zero.
    ///
    /// ```
    /// assert!(imds_host::Metrics::new().to_string().contains("\nimds_throttled_total 0\n"));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of served instances.
    ///
    /// ```
    /// let metrics = imds_host::Metrics::new();
    /// metrics.set_instances(3);
    /// assert!(metrics.to_string().contains("\nimds_instances 3\n"));
    /// ```
    pub fn set_instances(&self, instances: u64) {
        self.counts.instances.store(instances, Ordering::Relaxed);
    }
}

impl Observer for Metrics {
    fn answered(&self, answered: &Answered<'_>) {
        self.counts.requests.count(answered.outcome, answered.version, answered.status);
        self.counts.durations.record(answered.duration);
        if answered.fault().is_some() {
            self.counts.faults.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn trouble(&self, trouble: &Trouble) {
        let counter = match trouble {
            Trouble::Accept(_) => &self.counts.accept_failures,
            Trouble::HopLimit(_) => &self.counts.hop_limit_failures,
            Trouble::SentAway => &self.counts.sent_away,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn connected(&self) {
        self.counts.connected.fetch_add(1, Ordering::Relaxed);
    }

    fn disconnected(&self) {
        // Who sees this sees the connection counted too.
        self.counts.disconnected.fetch_add(1, Ordering::Release);
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &*self.counts;
        let mut page = Exposition::new(f);
        counts.requests.write(&mut page)?;
        counts.durations.write(&mut page)?;

        let outcomes = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| counts.requests.of(*outcome, None)).sum();
        let without_token = |outcome| counts.requests.of(outcome, Some(SessionVersion::One));
        // In this order, so that no connection is closed that was not opened.
        let disconnected = counts.disconnected.load(Ordering::Acquire);
        let connected = counts.connected.load(Ordering::Relaxed);
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (name, help, value) in [
            (
                "imds_metadata_no_token_total",
                "Answers to requests without a token, which is version 1.",
                without_token(Outcome::Found) + without_token(Outcome::NotFound),
            ),
            (
                "imds_metadata_no_token_rejected_total",
                "Requests without a token refused because tokens are required.",
                without_token(Outcome::TokenMissing),
            ),
            ("imds_throttled_total", "Requests above the rate of request-throttle.", outcomes(&[Outcome::Throttled])),
            ("imds_faults_total", "Requests that a fault of the description affected.", of(&counts.faults)),
            (
                "imds_component_failures_total",
                "Requests that the component failed to answer.",
                outcomes(&[Outcome::Failed]),
            ),
            (
                "imds_unreadable_heads_total",
                "Requests whose head could not be read or was too large.",
                outcomes(&[Outcome::HeadUnreadable, Outcome::HeadTooLarge]),
            ),
            ("imds_connections_total", "Connections taken.", connected),
            (
                "imds_connections_sent_away_total",
                "Connections that waited and were closed to make room.",
                of(&counts.sent_away),
            ),
            ("imds_accept_failures_total", "Failures to accept a connection.", of(&counts.accept_failures)),
            (
                "imds_hop_limit_failures_total",
                "Answers not sent because their hop limit could not be set.",
                of(&counts.hop_limit_failures),
            ),
        ] {
            page.family(name, "counter", help)?;
            page.sample(name, &[], value)?;
        }
        // Not imds_connections: in OpenMetrics that is the family of imds_connections_total.
        page.family("imds_open_connections", "gauge", "Connections open now.")?;
        page.sample("imds_open_connections", &[], connected.saturating_sub(disconnected))?;
        page.family("imds_instances", "gauge", "Instances served.")?;
        page.sample("imds_instances", &[], of(&counts.instances))?;
        page.family("imds_build_info", "gauge", "What is running.")?;
        let build = [("version", env!("CARGO_PKG_VERSION")), ("component", component())];
        page.sample("imds_build_info", &build, 1)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The beginning of the SHA-256 of the component, in hexadecimal digits.
fn component() -> &'static str {
    static COMPONENT: OnceLock<String> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let hash = Sha256::digest(crate::engine::COMPONENT);
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;
    use crate::engine::{Delivery, RequestHead};

    fn answered(
        outcome: Outcome,
        version: Option<SessionVersion>,
        status: u16,
        duration: Duration,
    ) -> Answered<'static> {
        Answered {
            now_ms: 0,
            peer: None,
            local: None,
            head: RequestHead::new(b"GET /canary HTTP/1.1\r\nHost: canary\r\nUser-Agent: canary\r\n\r\n"),
            status,
            outcome,
            delivery: None,
            version,
            duration,
            error: None,
        }
    }

    fn value(page: &str, sample: &str) -> u64 {
        let lines: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')).collect();
        assert_eq!(lines.len(), 1, "{sample}:\n{page}");
        lines[0].parse().unwrap()
    }

    #[test]
    fn what_happened_is_counted() {
        let metrics = Metrics::new();
        let (one, two) = (Some(SessionVersion::One), Some(SessionVersion::Two));
        for (outcome, version, status, times) in [
            (Outcome::Found, one, 200, 2),
            (Outcome::Found, two, 200, 3),
            (Outcome::NotFound, one, 404, 4),
            (Outcome::TokenMissing, one, 401, 5),
            (Outcome::Throttled, None, 503, 6),
            (Outcome::Failed, None, 500, 7),
            (Outcome::HeadUnreadable, None, 400, 8),
            (Outcome::HeadTooLarge, None, 431, 9),
        ] {
            for _ in 0..times {
                metrics.clone().answered(&answered(outcome, version, status, Duration::ZERO));
            }
        }
        for delivery in [Delivery::Delayed(Duration::ZERO), Delivery::Closed, Delivery::Cut, Delivery::Withheld] {
            let found = answered(Outcome::Found, two, 200, Duration::ZERO);
            metrics.answered(&Answered { delivery: Some(delivery), ..found });
        }
        metrics.answered(&answered(Outcome::FaultRefused, None, 503, Duration::ZERO));
        // No fault: there is nothing that could answer.
        let stopped = answered(Outcome::NotRunning, None, 503, Duration::ZERO);
        metrics.answered(&Answered { delivery: Some(Delivery::Closed), ..stopped });
        let failure = || io::Error::other("canary");
        for trouble in [Trouble::Accept(failure()), Trouble::HopLimit(failure()), Trouble::SentAway] {
            metrics.trouble(&trouble);
        }
        (0..3).for_each(|_| metrics.connected());
        metrics.disconnected();
        metrics.set_instances(12);
        let page = metrics.to_string();
        for (sample, wanted) in [
            (r#"imds_requests_total{kind="found",version="1",status="200"}"#, 2),
            (r#"imds_requests_total{kind="found",version="2",status="200"}"#, 7),
            (r#"imds_requests_total{kind="throttled",version="unknown",status="503"}"#, 6),
            (r#"imds_requests_total{kind="head-too-large",version="unknown",status="431"}"#, 9),
            ("imds_request_duration_seconds_count", 50),
            ("imds_metadata_no_token_total", 6),
            ("imds_metadata_no_token_rejected_total", 5),
            ("imds_throttled_total", 6),
            ("imds_faults_total", 5),
            ("imds_component_failures_total", 7),
            ("imds_unreadable_heads_total", 17),
            ("imds_connections_total", 3),
            ("imds_open_connections", 2),
            ("imds_connections_sent_away_total", 1),
            ("imds_accept_failures_total", 1),
            ("imds_hop_limit_failures_total", 1),
            ("imds_instances", 12),
        ] {
            assert_eq!(value(&page, sample), wanted, "{sample}");
        }
        assert!(!page.contains("canary"), "{page}");
    }

    #[test]
    fn every_sample_follows_its_type_and_comes_once() {
        let metrics = Metrics::new();
        for outcome in Outcome::ALL {
            metrics.answered(&answered(outcome, None, 299, Duration::from_millis(3)));
        }
        let page = metrics.to_string();
        assert!(page.ends_with('\n'));
        let mut family = None;
        let mut seen = std::collections::HashSet::new();
        let mut lines = page.lines();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, text) = help.split_once(' ').unwrap();
                assert!(!text.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
                let kind = lines.next().unwrap().strip_prefix("# TYPE ").and_then(|rest| rest.strip_prefix(name));
                let kind = kind.unwrap().trim_start();
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                assert!(seen.insert(line), "{name} comes twice");
                family = Some((name, kind));
                continue;
            }
            let (name, kind) = family.unwrap();
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let rest = sample.strip_prefix(name).unwrap_or_else(|| panic!("{line} is in the family {name}"));
            let suffix = rest.split('{').next().unwrap();
            match kind {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                _ => assert_eq!(suffix, "", "{line}"),
            }
            assert!(seen.insert(sample), "{sample} comes twice");
        }
        assert_eq!(page.matches(r#",status="other"} 1"#).count(), Outcome::ALL.len());
    }
}
