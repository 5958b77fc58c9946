//! No answer depends on what was asked before: what an instance remembers between
//! requests, it remembers right.
//!
//! Each case is played while other requests come in between, for other times too,
//! and every answer is that of an instance which is opened for this one request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::case::{self, Case, Exchange, Expected, Step};
use crate::play::{play, sent};
use crate::ways::{Component, Native, Received, Sent, Way, read_toml};

#[test]
fn no_answer_of_the_core_depends_on_those_before_it() {
    play_disturbed(Native::open);
}

#[test]
fn no_answer_of_the_component_depends_on_those_before_it() {
    play_disturbed(Component::open);
}

/// A request that comes between those of a case.
#[derive(Clone, Debug)]
struct Other {
    /// Which of [`REQUESTS`].
    request: Index,
    /// Which of the tokens issued so far, where the request has one.
    token: Index,
    /// How much later than the case's next request, in milliseconds; before it where negative.
    later_ms: i64,
}

/// The requests of all cases that need nothing of an answer before them but a token.
static REQUESTS: LazyLock<Vec<Exchange>> = LazyLock::new(|| {
    let mut seen = BTreeSet::new();
    let exchanges = case::all().into_iter().flat_map(|case| case.steps).filter_map(|step| match step {
        Step::Exchange(exchange) => Some(*exchange),
        _ => None,
    });
    exchanges
        .filter(|exchange| {
            let sent = with_token(exchange, b"token");
            let mut texts = sent.fields.iter().map(|(_, value)| value).chain([&sent.target]);
            texts.all(|text| !text.contains(&b'{')) && seen.insert(format!("{sent:?}"))
        })
        .collect()
});

fn with_token(exchange: &Exchange, token: &[u8]) -> Sent {
    sent(exchange, &BTreeMap::from([("token".to_owned(), token.to_vec())]))
}

fn play_disturbed<W: Way>(open: impl Fn(&str) -> W) {
    let later_ms = prop_oneof![Just(0), -3_600_000..90_000_000_i64];
    let other = (any::<Index>(), any::<Index>(), later_ms);
    let other = other.prop_map(|(request, token, later_ms)| Other { request, token, later_ms });
    let others = prop::collection::vec(prop::collection::vec(other, 0..=1), 1..12);
    let cases = case::all();
    let cases: Vec<&Case> = cases.iter().filter(|case| counts_nothing(case)).collect();
    assert!(cases.len() > 250, "only {} cases", cases.len());
    for case in cases {
        let config = Config { cases: 1, max_shrink_iters: 1000, failure_persistence: None, ..Config::default() };
        let played = TestRunner::new(config).run(&others, |others| {
            let mut way = Disturbed::open(&case.description, &open, others);
            let played = play(case, &mut way);
            prop_assert!(way.differences.is_empty(), "{}", way.differences.join("\n"));
            prop_assert!(played.is_ok(), "{}", played.unwrap_err());
            Ok(())
        });
        played.unwrap_or_else(|error| panic!("tests/cases/{}.http: {error}", case.name));
    }
}

/// Whether a case is of instances that do not count requests, as throttles and
/// faults do.
fn counts_nothing(case: &Case) -> bool {
    let edited = case.steps.iter().filter_map(|step| match step {
        Step::Describe(toml) => Some(toml),
        _ => None,
    });
    edited.chain([&case.description]).all(|toml| {
        let json = read_toml(toml).to_json();
        ["\"request-throttle\"", "\"faults\""].iter().all(|field| !json.contains(field))
    })
}

/// An instance that answers other requests too, and beside it one that is opened
/// anew for each.
struct Disturbed<W> {
    lasting: W,
    fresh: W,
    toml: String,
    /// What comes before each request of the case, over and over.
    others: Vec<Vec<Other>>,
    answered: usize,
    /// All that were issued, and first one that was not.
    tokens: Vec<Vec<u8>>,
    differences: Vec<String>,
}

impl<W: Way> Disturbed<W> {
    fn open(toml: &str, open: impl Fn(&str) -> W, others: Vec<Vec<Other>>) -> Disturbed<W> {
        Disturbed {
            lasting: open(toml),
            fresh: open(toml),
            toml: toml.to_owned(),
            others,
            answered: 0,
            tokens: vec![b"none".to_vec()],
            differences: Vec::new(),
        }
    }

    /// The lasting instance's answer; it is to be that of the fresh one.
    fn ask(&mut self, sent: &Sent, now_ms: u64) -> Received {
        // An edit to what it is opens it anew, and does not begin the tokens anew.
        self.fresh.describe(&self.toml);
        let fresh = self.fresh.answer(sent, now_ms);
        let lasting = self.lasting.answer(sent, now_ms);
        if lasting != fresh {
            let request = format!("{} {}", sent.method, String::from_utf8_lossy(&sent.target));
            let [lasting, fresh] = [&lasting, &fresh].map(shown);
            self.differences.push(format!("{request}, at {now_ms}\n  expected {fresh}\n  received {lasting}"));
        }
        if sent.method == "PUT" && lasting.status == 200 {
            self.tokens.push(lasting.body.clone());
        }
        lasting
    }
}

fn shown(received: &Received) -> String {
    let Received { status, reason, fields, body } = received;
    format!("{status} {reason} {fields:?} \"{}\"", String::from_utf8_lossy(body).escape_debug())
}

impl<W: Way> Way for Disturbed<W> {
    fn answer(&mut self, sent: &Sent, now_ms: u64) -> Received {
        let others = self.others[self.answered % self.others.len()].clone();
        self.answered += 1;
        for other in others {
            let token: &Vec<u8> = other.token.get(&self.tokens);
            let sent = with_token(other.request.get(&REQUESTS), token);
            self.ask(&sent, now_ms.saturating_add_signed(other.later_ms));
        }
        self.ask(sent, now_ms)
    }

    fn describe(&mut self, toml: &str) {
        self.lasting.describe(toml);
        toml.clone_into(&mut self.toml);
    }

    fn carries(&self, sent: &Sent) -> Result<(), &'static str> {
        self.lasting.carries(sent)
    }

    fn closes(&self) -> bool {
        self.lasting.closes()
    }

    fn delivered(&self, expected: &Expected) -> Expected {
        self.lasting.delivered(expected)
    }
}
