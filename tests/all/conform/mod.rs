//! `imds conform` judges right: this service scores whole, and a service that breaks one
//! rule is caught by the checks of that rule and by no other ones.
//!
//! A [`Mutation`] is a service that breaks a rule; `mutations` and
//! `mutations_of_…` have them. To add one, write a line with its name, what it does
//! to requests or answers, and the checks that it breaks.

mod flawed;
mod mutations;
mod mutations_of_agreement;
mod mutations_of_forms;
mod mutations_of_heads;
mod mutations_of_items;
mod other_services;
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use imds_host::Request;
use imds_host::conform::{Area, Containers, Evidence, Outcome, Report, Suite};
use imds_host::probe::{Client, Endpoint};
use imds_host::testing::Imds;

use crate::case::tests_directory;
use flawed::{Answered, Asked, Flawed, Own};

/// A service that breaks a rule.
#[derive(Clone, Copy)]
pub struct Mutation {
    /// What it does wrong, in words.
    pub name: &'static str,
    /// The instance behind it, in TOML, in which tokens are optional unless it says so.
    pub toml: &'static str,
    pub flaw: Flaw,
    /// What the caller of the suite believes of the instance, in JSON.
    pub described: Option<&'static str>,
    /// Where it believes credentials of containers to be, and by which token.
    pub containers: Option<(&'static str, Option<&'static str>)>,
    /// Whether it believes that signatures are others'.
    pub has_others_certificates: bool,
    /// The checks that are to find it, and no other ones.
    pub breaks: &'static [&'static str],
}

/// What a flawed service does.
#[derive(Clone, Copy)]
pub enum Flaw {
    /// Something to a request before it is answered, and to the answer before it is sent,
    /// for which the request is as it came.
    Http(fn(&mut Asked), fn(&Asked, &mut Answered)),
    /// Something of its own with the bytes that came, in place of an answer.
    Bytes(fn(&[u8]) -> Own),
    /// It serves one connection after the other.
    OneAtATime,
}

impl Mutation {
    const fn new(name: &'static str, flaw: Flaw, breaks: &'static [&'static str]) -> Self {
        Self { name, toml: "", flaw, described: None, containers: None, has_others_certificates: false, breaks }
    }

    pub const fn of_requests(name: &'static str, flaw: fn(&mut Asked), breaks: &'static [&'static str]) -> Self {
        Self::new(name, Flaw::Http(flaw, |_, _| ()), breaks)
    }

    pub const fn of_answers(
        name: &'static str,
        flaw: fn(&Asked, &mut Answered),
        breaks: &'static [&'static str],
    ) -> Self {
        Self::new(name, Flaw::Http(|_| (), flaw), breaks)
    }

    pub const fn of_both(
        name: &'static str,
        of_requests: fn(&mut Asked),
        of_answers: fn(&Asked, &mut Answered),
        breaks: &'static [&'static str],
    ) -> Self {
        Self::new(name, Flaw::Http(of_requests, of_answers), breaks)
    }

    /// One that only hostile checks find.
    pub const fn of_bytes(name: &'static str, flaw: fn(&[u8]) -> Own, breaks: &'static [&'static str]) -> Self {
        Self::new(name, Flaw::Bytes(flaw), breaks)
    }

    /// One that only hostile checks find, too.
    pub const fn one_at_a_time(name: &'static str, breaks: &'static [&'static str]) -> Self {
        Self::new(name, Flaw::OneAtATime, breaks)
    }

    /// The same of an instance that requires tokens.
    pub const fn where_tokens_are_required(self) -> Self {
        self.of(REQUIRED)
    }

    /// The same of another instance.
    pub const fn of(self, toml: &'static str) -> Self {
        Self { toml, ..self }
    }

    /// The same where the caller believes this of the instance.
    pub const fn described(self, json: &'static str) -> Self {
        Self { described: Some(json), ..self }
    }

    /// The same where the caller believes credentials of containers to be at this path.
    pub const fn containers(self, path: &'static str, token: Option<&'static str>) -> Self {
        Self { containers: Some((path, token)), ..self }
    }

    /// The same where the caller has certificates of other keys.
    pub const fn with_certificates_of_others(self) -> Self {
        Self { has_others_certificates: true, ..self }
    }

    /// Whether the rules that it breaks are of items alone. Such a flaw knows one spelling of
    /// each path, so those of the wire, which try others, are not looked at.
    fn is_of_items(&self) -> bool {
        let is_of_items = |id: &&str| {
            let suite = Suite::new().only(&[id]);
            suite.is_ok_and(|suite| suite.checks().iter().all(|check| check.area() >= Area::Listings))
        };
        self.breaks.iter().all(is_of_items)
    }

    fn suite(&self, flawed: &Flawed) -> Suite {
        let suite = match self.flaw {
            Flaw::Http(..) if self.is_of_items() => Suite::new().skip(&OF_THE_WIRE).expect("they are areas"),
            Flaw::Http(..) => Suite::new(),
            Flaw::Bytes(_) | Flaw::OneAtATime => Suite::new().hostile().only(&["hostile"]).expect("an area"),
        };
        let suite = match self.containers {
            Some((path, None)) => suite.containers(Containers::new(flawed.client(), path)),
            Some((path, Some(token))) => suite.containers(Containers::new(flawed.client(), path).token(token)),
            None => suite,
        };
        let suite = if self.has_others_certificates { suite.certificates(signed::certificates()) } else { suite };
        match self.described {
            Some(json) => suite.description(serde_json::from_str(json).expect("JSON")),
            None => suite,
        }
    }
}

/// Areas whose rules are about anything that is served.
const OF_THE_WIRE: [&str; 5] = ["tokens", "order", "heads", "errors", "paths"];

pub const REQUIRED: &str = "metadata-options.http-tokens = 'required'";
pub const DISABLED: &str = "metadata-options.http-endpoint = 'disabled'";

/// All mutations, by the areas of their rules.
fn all() -> impl Iterator<Item = &'static Mutation> {
    [
        mutations::ALL,
        mutations_of_heads::ALL,
        mutations_of_items::ALL,
        mutations_of_forms::ALL,
        mutations_of_agreement::ALL,
    ]
    .into_iter()
    .flatten()
}

fn client(endpoint: &str) -> Client {
    let endpoint = Endpoint::parse(endpoint).unwrap_or_else(|wrong| panic!("{endpoint}: {wrong}"));
    Client::new(endpoint).timeout(Duration::from_secs(20))
}

fn start(toml: &str) -> Imds {
    Imds::builder().toml(toml).start().unwrap_or_else(|error| panic!("{error}"))
}

/// Judges a service in whose time a wait passes at once.
fn judge(suite: Suite, imds: &Imds, endpoint: &str) -> Report {
    let clock = imds.clock().clone();
    let suite = suite.wait_by(move |time| clock.advance(time));
    suite.run(&client(endpoint)).unwrap_or_else(|none| panic!("{none}"))
}

/// What broke, with what was expected and what came.
fn broken(report: &Report) -> BTreeMap<String, String> {
    let broken = report.judged().iter().filter(|judged| judged.is_broken());
    broken.map(|judged| (judged.check().id().to_owned(), format!("{:?}", judged.outcome()))).collect()
}

fn assert_whole(report: &Report, name: &str) {
    assert_eq!(broken(report), BTreeMap::new(), "{name}");
    assert_eq!(report.score(None).percent(), Some(100), "{name}");
    assert!(report.requests_sent() <= 700, "{name}: {} requests", report.requests_sent());
}

#[test]
fn every_check_has_a_rule_with_a_source_and_a_name_of_its_own() {
    let suite = Suite::new().hostile();
    let mut names = BTreeSet::new();
    for check in suite.checks() {
        assert!(names.insert(check.id()), "{} is there twice", check.id());
        assert!(!check.rule().is_empty() && !check.source().is_empty(), "{} has no rule", check.id());
        assert!(check.rule().ends_with('.'), "{}: {}", check.id(), check.rule());
    }
    let mut areas: Vec<Area> = suite.checks().iter().map(|check| check.area()).collect();
    areas.dedup();
    let sorted: BTreeSet<Area> = areas.iter().copied().collect();
    assert_eq!(areas, Vec::from_iter(sorted), "checks of an area stand together, in the order of areas");
}

#[test]
fn this_service_scores_whole() {
    for (name, breaks) in [
        ("", &[][..]),
        ("instances/everything.toml", &[]),
        // What no instance of EC2 is: its address is outside its subnet, its credentials are the
        // same with a token and without, and an old version shows more than it may.
        (
            "instances/clients.toml",
            &[
                "role-credentials-differ-with-and-without-a-token",
                "subnet-has-the-addresses-of-its-interfaces",
                "version-2011-01-01-adds-mac-and-network",
            ],
        ),
    ] {
        let toml = match name {
            "" => String::new(),
            file => std::fs::read_to_string(tests_directory().join(file)).expect("it can be read"),
        };
        for http_tokens in ["optional", "required"] {
            let imds = start(&toml);
            imds.edit(&format!("metadata-options.http-tokens = '{http_tokens}'"))
                .unwrap_or_else(|error| panic!("{error}"));
            let report = judge(Suite::new().hostile(), &imds, &imds.endpoint());
            let name = format!("{name}, tokens {http_tokens}");
            if breaks.is_empty() {
                assert_whole(&report, &name);
            } else {
                // Where tokens are required nothing is served without one.
                let due = breaks.iter().filter(|id| http_tokens == "optional" || !id.contains("with-and-without"));
                assert_eq!(Vec::from_iter(broken(&report).into_keys()), Vec::from_iter(due.copied()), "{name}");
            }
        }
    }
}

/// Instances at odd times of their lives.
#[test]
fn this_service_scores_whole_whatever_happens_to_the_instance() {
    let ipv6_only = "network-interfaces = [{ private-ip-addresses = [], ipv6-addresses = ['2001:db8:1234:1a00::1'] }]";
    let bare = "iam-instance-profile = false\nkey-pair = false\npublic-ip-address = false";
    let no_role = "iam-instance-profile.role-name = false";
    let failed = "iam-instance-profile.failure-code = 'AssumeRoleUnauthorizedAccess'";
    let xen = "instance-type = 't2.micro'\nplacement.availability-zone = 'us-west-2-lax-1a'";
    let mut cases: Vec<(&str, &str, u64)> = vec![
        ("", ipv6_only, 0),
        ("", bare, 0),
        ("", no_role, 0),
        ("", failed, 0),
        ("", xen, 0),
        ("", "placement.availability-zone = 'cn-north-1a'", 0),
        ("", "vpc.enable-dns-hostnames = false\npublic-ip-address = '203.0.113.9'", 0),
        ("", "metadata-options.instance-metadata-tags = 'enabled'", 0),
        ("", "private-dns-name-options.hostname-type = 'resource-name'", 0),
        ("", "instance-type = 'm7g.large'\nsystem = 'nitro'", 0),
    ];
    for scenario in ["spot-interruption", "spot-stop", "spot-hibernate", "maintenance-reboot", "stop-start"] {
        cases.extend([0, 20, 50, 100, 200].map(|seconds| (scenario, "", seconds)));
    }
    for (scenario, toml, seconds) in cases {
        let builder = Imds::builder().toml(toml);
        let builder = if scenario.is_empty() { builder } else { builder.scenario(scenario) };
        let imds = builder.start().unwrap_or_else(|error| panic!("{scenario}, {toml}: {error}"));
        imds.advance(Duration::from_secs(seconds));
        // An instance that is stopped or terminated asks nobody.
        let asked = imds.control().answer(&Request::get("/latest/meta-data/"));
        if asked.verdict.delivery.is_some_and(|delivery| !delivery.is_sent()) {
            assert!(scenario.starts_with("s"), "{scenario} stops at {seconds}");
            continue;
        }
        // Those that let time pass would come to what comes next.
        let areas = ["listings", "versions", "formats", "agreement", "user-data", "identity", "events"];
        let report = Suite::new().only(&areas).expect("they are areas").run(&client(&imds.endpoint()));
        let report = report.unwrap_or_else(|none| panic!("{scenario} at {seconds}, {toml}: {none}"));
        assert_eq!(broken(&report), BTreeMap::new(), "{scenario} at {seconds}, {toml}");
    }
}

#[test]
fn of_a_disabled_endpoint_nothing_else_is_judged() {
    let imds = start(DISABLED);
    let report = judge(Suite::new(), &imds, &imds.endpoint());
    assert_whole(&report, "disabled");
    let held = report.judged().iter().filter(|judged| *judged.outcome() == Outcome::Held);
    let held: Vec<&str> = held.map(|judged| judged.check().id()).collect();
    assert_eq!(
        held,
        ["order-disabled-before-everything", "endpoint-disabled-is-403", "endpoint-disabled-refuses-every-request"]
    );
}

#[test]
fn a_service_that_breaks_a_rule_is_caught_by_the_checks_of_that_rule() {
    // The keys that sign the identity document take a second to make, once for all.
    drop(start("").control().answer(&Request::get("/latest/dynamic/instance-identity/signature")));
    let left = Mutex::new(all().collect::<Vec<_>>());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(mutation) = left.lock().expect("no test panics with it").pop() else { return };
                    let differences = differences(mutation);
                    wrong.lock().expect("no test panics with it").extend(differences);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no test panics with it");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that broke and were not to, and the other way round.
fn differences(mutation: &Mutation) -> Vec<String> {
    let imds = start(mutation.toml);
    let flawed = Flawed::start(mutation.flaw, &imds);
    let clock = imds.clock().clone();
    let suite = mutation.suite(&flawed).wait_by(move |time| clock.advance(time));
    let report = suite.run(&flawed.client()).unwrap_or_else(|none| panic!("{}: {none}", mutation.name));
    let found = broken(&report);
    let mut differences = Vec::new();
    for (id, outcome) in &found {
        if !mutation.breaks.contains(&id.as_str()) {
            differences.push(format!("{}: breaks {id} too: {outcome}", mutation.name));
        }
    }
    for id in mutation.breaks.iter().filter(|id| !found.contains_key(**id)) {
        differences.push(format!("{}: does not break {id}", mutation.name));
    }
    differences
}

#[test]
fn every_check_can_fail() {
    let broken: BTreeSet<&str> = all().flat_map(|mutation| mutation.breaks).copied().collect();
    let suite = Suite::new().hostile();
    let checks: BTreeSet<&str> = suite.checks().iter().map(|check| check.id()).collect();
    let without: Vec<_> = checks.difference(&broken).collect();
    assert!(without.is_empty(), "no mutation breaks {without:#?}");
    let unknown: Vec<_> = broken.difference(&checks).collect();
    assert!(unknown.is_empty(), "no check is called {unknown:#?}");
    let mut names = BTreeSet::new();
    assert!(all().all(|mutation| names.insert(mutation.name)), "each mutation has a name of its own");
}

#[test]
fn evidence_weighs_and_unrecorded_rules_count_for_nothing() {
    let weights = [Evidence::Unrecorded, Evidence::Inferred, Evidence::Documented, Evidence::Recorded];
    assert_eq!(weights.map(Evidence::weight), [0, 1, 2, 3]);
    assert!(weights.is_sorted());
}
