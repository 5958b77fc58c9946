//! What the log tells of answers, and of whom they reach.
//!
//! The rule, the sentence of the component, and the address that Spin saw, but
//! nothing else of the request: a client may have put a secret anywhere.

use std::time::Instant;

use crate::bindings::metadata::{Answer, Outcome, SessionVersion, explain};
use crate::callers::{Callers, client_address, is_public};
use crate::head::Head;
use crate::variables::Variables;
use crate::{engine, log};

/// Tells why a request was refused and how to change that, and once that version 1
/// is in use.
pub fn log_refusal(answer: &Answer, head: &Head, now: Instant) {
    // Where each request has an instance of its own, once for each would be too often.
    if engine::LIVES_ON && answer.session_version == Some(SessionVersion::One) && answer.outcome == Outcome::Found {
        log::once("version 1", || {
            let whose = whose(head);
            format!("version 1 is in use: a request without a token{whose}; `http_tokens` = `required` refuses these")
        });
    }
    let advice = match answer.outcome {
        // Nothing was refused, or the fault that did it is told of where it is delivered.
        Outcome::Found
        | Outcome::TokenIssued
        | Outcome::MethodsListed
        | Outcome::NotFound
        | Outcome::NotRunning
        | Outcome::FaultRefused => return,
        Outcome::HostRefused => "; if the name in Host is yours, put it into the variable `allowed_hosts`",
        Outcome::Forwarded => "; if a proxy of yours adds it, put the proxy's address into `trusted_proxies`",
        Outcome::Ipv6Disabled => "; to allow it, set the variable `http_protocol_ipv6` to `enabled`",
        _ => "",
    };
    log::refusal(now, || {
        let reason = explain(answer.outcome).reason;
        format!("{}{}: {reason}{advice}", answer.status, whose(head))
    });
}

/// One instance for all callers is no harm among machines that are its own; whoever
/// comes from elsewhere gets its credentials.
pub fn warn_of_public_callers(head: &Head, variables: &Variables) {
    if variables.callers == Callers::One && client_address(head).is_some_and(|address| is_public(address.ip())) {
        log::once("public callers", || {
            let from = whose(head);
            format!("warning: a request{from}, and by `callers` = `one` whoever can reach this gets the credentials")
        });
    }
}

fn whose(head: &Head) -> String {
    client_address(head).map(|address| format!(" from {}", address.ip().to_canonical())).unwrap_or_default()
}
