use std::fmt;

use super::rule::Rule;
use super::{Area, Evidence, Subject};
use crate::probe::NoReply;

/// One rule of the real service, and how to test an endpoint for it.
///
/// ```
/// use imds_host::conform::{Area, Evidence, Suite};
///
/// let suite = Suite::new();
/// let check = suite.checks().iter().find(|check| check.id() == "token-path-get-is-405-not-allowed").unwrap();
/// assert_eq!((check.area(), check.evidence()), (Area::Tokens, Evidence::Recorded));
/// assert!(check.rule().starts_with("GET on the token path gets 405"));
/// assert!(check.source().contains("google-auth-library-ruby#421"));
/// ```
#[derive(Clone, Copy)]
pub struct Check {
    pub(super) id: &'static str,
    pub(super) area: Area,
    /// The rule, if no case in `tests/cases` has the name of the check.
    pub(super) own: Option<Rule>,
    /// Whether it applies to disabled endpoints; no other check does.
    pub(super) is_of_disabled: bool,
    pub(super) judge: Judge,
}

/// Tests an endpoint for a rule.
pub(super) type Judge = fn(&Subject<'_>) -> Result<(), Stop>;

impl Check {
    /// A check of the rule that the case of the same name states.
    pub(super) const fn of_case(id: &'static str, area: Area, judge: Judge) -> Self {
        Self { id, area, own: None, is_of_disabled: false, judge }
    }

    /// A check of a rule that no case states.
    pub(super) const fn with_rule(id: &'static str, area: Area, rule: Rule, judge: Judge) -> Self {
        Self { id, area, own: Some(rule), is_of_disabled: false, judge }
    }

    /// The same check, but only for disabled endpoints.
    pub(super) const fn where_disabled(self) -> Self {
        Self { is_of_disabled: true, ..self }
    }

    /// Whether this is its name or the name of its area.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.id == name || self.area.name() == name
    }

    /// Its name, which does not change between releases:
    /// `token-ttl-zero-gives-an-expired-token`.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Its area.
    pub fn area(&self) -> Area {
        self.area
    }

    /// The rule in one sentence.
    pub fn rule(&self) -> &'static str {
        self.known().says
    }

    /// The source of the rule.
    pub fn source(&self) -> &'static str {
        self.known().source
    }

    /// How the rule is known.
    pub fn evidence(&self) -> Evidence {
        self.known().evidence
    }

    fn known(&self) -> Rule {
        // A test checks that every check has one.
        const NONE: Rule = Rule { says: "", source: "", evidence: Evidence::Unrecorded };
        self.own.or_else(|| Rule::of_case(self.id)).unwrap_or(NONE)
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("id", &self.id).field("area", &self.area).finish_non_exhaustive()
    }
}

/// How an endpoint breaks a rule. None of the texts contains a secret: of tokens,
/// credentials and user data, they show only the length.
///
/// ```
/// use imds_host::conform::{Outcome, Report};
///
/// fn what_came(report: &Report) -> impl Iterator<Item = &str> {
///     report.judged().iter().filter_map(|judged| match judged.outcome() {
///         Outcome::Broken(failure) => Some(&*failure.got),
///         _ => None,
///     })
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The request, in one line or more.
    pub request: String,
    /// What the real service answers.
    pub expected: String,
    /// What the endpoint answered.
    pub got: String,
}

/// Why a check ends early.
#[derive(Clone, Debug)]
pub enum Stop {
    /// The endpoint breaks the rule.
    Broken(Failure),
    /// The rule does not apply to this endpoint, for this reason.
    NotApplicable(String),
    /// The endpoint did not answer.
    NoReply(NoReply),
    /// The run has reached one of its limits.
    OutOfBounds(&'static str),
}

impl From<NoReply> for Stop {
    fn from(none: NoReply) -> Self {
        Self::NoReply(none)
    }
}

/// Ends a check that cannot judge its rule, since the endpoint breaks that of another check.
pub fn depends_on<T>(id: &str) -> Result<T, Stop> {
    not_applicable(format!("depends on {id}, which is broken"))
}

/// Ends a check that does not apply to this endpoint.
pub fn not_applicable<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::NotApplicable(why.into()))
}
