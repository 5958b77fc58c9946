//! Whether a service answers as EC2's does: the checks of `imds conform`.
//!
//! A [`Suite`] sends requests to any endpoint that claims to be the metadata service, a
//! mock, an emulator or the real one, and judges its answers by what is known of the real
//! service. It only reads. Each [`Check`] has a rule in one sentence, its source and the
//! [`Evidence`] for it: a recorded rule weighs more than an inferred one.
//!
//! ```no_run
//! use imds_host::conform::{Evidence, Suite};
//! use imds_host::probe::{Client, Endpoint};
//!
//! let client = Client::new(Endpoint::parse("http://127.0.0.1:1338")?);
//! let report = Suite::new().run(&client)?;
//! for judged in report.broken_by(Evidence::Documented) {
//!     println!("{}: {}", judged.check().id(), judged.check().rule());
//! }
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it works
//!
//! ```text
//!  Suite ──► Check::judge(&Subject) ──► Subject ──► probe::Client ──► the endpoint
//!    │         one rule each              token, facts and listings of
//!    ▼                                    the endpoint, asked for once
//!  Report ──► ReportDocument: JSON; table, JUnit, TAP and Markdown by the program
//! ```
//!
//! The component implements the rules of the real service. This module states what a client
//! sees of them, so that it can judge services that do not contain the component. Rule,
//! source and evidence of most checks come from the case in `tests/cases` that the check is
//! named after ([`Check::id`]).

mod area;
mod asked;
mod ber;
mod check;
mod checks;
mod crawl;
mod forms;
mod given;
mod items;
mod json;
mod judge;
mod report;
mod rule;
mod seen;
mod signed;
mod subject;
mod suite;

pub use area::Area;
pub use check::{Check, Failure};
pub use given::Containers;
pub use report::{Judged, Outcome, Report, ReportDocument, Score};
pub use rule::Evidence;
pub use suite::{Suite, UnknownCheck};

use asked::Asked;
use check::{Stop, depends_on, not_applicable};
use rule::Rule;
use subject::Subject;
