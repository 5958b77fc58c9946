//! Who may ask: whoever has the secret.
//!
//! Wrong secrets are counted in the store, by the minute and by the address that they
//! come from, so that the count holds for all replicas: after [`WRONG_MAX`] of them
//! nobody from there is let in until the minute is over, with the right secret
//! neither. So from one address, and from the network of one that is IPv6, as many
//! secrets can be tried in a minute, and those that were under way when the last one
//! was counted. Addresses share [`COUNTERS`] counters, so that the store does not grow:
//! whoever has many addresses can keep operators out for as long as it goes on, which
//! the instances do not notice.

use std::net::IpAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use imds_spin::callers::client_address;
use imds_spin::store::Store;
use imds_spin::{Failure, Head, Reply, log};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::reply::{error, failed, with_field};

/// Enough for a person who mistypes.
const WRONG_MAX: u64 = 10;

/// Pairs of the store for all counts.
const COUNTERS: u8 = 16;

/// The bits of a count beside its minute.
const COUNT_BITS: u32 = 24;

/// Lets a request through or refuses it.
pub async fn check(head: &Head, secret: &str, store: &Store) -> Result<(), Reply> {
    let given = given(head).map_err(|NoSecret { what, advice }| {
        log::refusal(Instant::now(), || format!("control: 401: {what}, from {}", from(head)));
        unauthorized(advice)
    })?;
    // Digests have one length, so that the time does not tell that of the secret.
    let is_right: bool = Sha256::digest(given).ct_eq(&Sha256::digest(secret)).into();
    let (minute, left) = minute();
    // The next minute has begun where the clock of a replica is ahead: its count goes on.
    let counts = |state: u64| (minute..=minute + 1).contains(&(state >> COUNT_BITS));
    let wrong_of = |state: u64| if counts(state) { state & ((1 << COUNT_BITS) - 1) } else { 0 };
    let counter = counter(head);
    let mut wrong = wrong_of(store.number(&counter).await.map_err(|trouble| failed(&trouble))?);
    if !is_right && wrong <= WRONG_MAX {
        let tag = getrandom::u64().map_err(|_| error(500, Failure::Entropy.to_string()))?;
        let counted = store.exchange(&counter, tag, |state| {
            let wrong = wrong_of(state);
            (wrong, if counts(state) { state + 1 } else { minute << COUNT_BITS | 1 })
        });
        // Where so many try at once that none gets through, there are too many.
        wrong = counted.await.map_err(|trouble| failed(&trouble))?.unwrap_or(WRONG_MAX);
        if wrong == WRONG_MAX {
            log::line(format!("control: 429: {WRONG_MAX} wrong secrets within a minute, from {}", from(head)));
        }
    }
    if wrong >= WRONG_MAX {
        let reply = error(429, format!("too many wrong secrets came from your address; ask again in {left} seconds"));
        return Err(with_field(reply, "Retry-After", &left.to_string()));
    }
    if is_right {
        return Ok(());
    }
    log::line(format!("control: 401: a wrong secret, from {}", from(head)));
    Err(unauthorized("the secret is wrong"))
}

/// Why a request brings no secret, for the log, and what to send.
struct NoSecret {
    what: &'static str,
    advice: &'static str,
}

/// The secret that a request brings.
fn given(head: &Head) -> Result<&[u8], NoSecret> {
    let mut fields = head.values("authorization");
    let (field, another) = (fields.next(), fields.next());
    if another.is_some() {
        let advice = "the field Authorization came more than once; send it once, with the secret that is meant";
        return Err(NoSecret { what: "more than one Authorization", advice });
    }
    let secret = field.and_then(|field| {
        let (scheme, secret) = field.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| secret.trim_ascii())
    });
    let advice = "send Authorization: Bearer SECRET, with the application's control_secret";
    secret.ok_or(NoSecret { what: "no secret", advice })
}

fn unauthorized(message: &str) -> Reply {
    with_field(error(401, message), "WWW-Authenticate", "Bearer")
}

/// The minute, and the seconds that are left of it.
fn minute() -> (u64, u64) {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    (seconds / 60, 60 - seconds % 60)
}

/// The key of the counter for where a request comes from.
fn counter(head: &Head) -> String {
    let digest = match client_address(head).map(|address| address.ip().to_canonical()) {
        None => Sha256::digest([]),
        Some(IpAddr::V4(address)) => Sha256::digest(address.octets()),
        // A network that one customer has.
        Some(IpAddr::V6(address)) => Sha256::digest(&address.octets()[..8]),
    };
    format!("control/wrong-secrets/{}", digest[0] % COUNTERS)
}

/// Where a request comes from, for the log.
fn from(head: &Head) -> String {
    client_address(head).map_or_else(|| "an unknown address".to_owned(), |address| address.ip().to_string())
}
