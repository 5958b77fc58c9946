//! One request in, one answer out.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::bindings::metadata::{self, Answer, Moment};
use crate::callers::client_address;
use crate::engine::{self, Mark};
use crate::failure::Failure;
use crate::faults::{self, reply};
use crate::head::{Head, Reply};
use crate::instances::{self, Due, Open};
use crate::variables::Variables;
use crate::{keys, log, refusals};

thread_local! {
    static READ: Vec<String> = metadata::fields_read();
    static ENTROPY: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The field that a proxy adds.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// An answer, and what is left to do behind it.
pub struct Answered {
    /// The answer.
    pub reply: Reply,
    /// What nobody has to wait for.
    pub rest: Rest,
}

/// What is done once an answer is on its way: it would hold the answer up.
#[must_use = "nothing is read again and nothing logged without it"]
pub struct Rest(Vec<Due>);

impl Rest {
    /// Whether there is anything to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty() && log::is_empty()
    }

    /// Reads again what is due, and writes the log.
    pub async fn finish(self) {
        if self.is_empty() {
            return;
        }
        // Other answers are on their way too.
        engine::give_way().await;
        for due in self.0 {
            due.read().await;
        }
        log::write();
    }
}

/// Answers a request. What is the operator's to mend is told in the log and in
/// the body of a 500, what is out in that of a 503.
pub async fn answer(head: &Head) -> Answered {
    let now = Instant::now();
    let mark = Mark::set();
    let mut key = None;
    let reply = try_answer(head, now, &mut key).await.unwrap_or_else(|failure| {
        log::refusal(now, || format!("{}: {}", failure.status(), failure.for_log()));
        Reply::text(failure.status(), &format!("imds: {failure}"))
    });
    let rest = Rest(instances::due(key.as_deref(), now));
    mark.settle().await;
    Answered { reply, rest }
}

async fn try_answer(head: &Head, now: Instant, key: &mut Option<String>) -> Result<Reply, Failure> {
    if let Some((status, why)) = head.too_long() {
        log::refusal(now, || format!("{status}: {why}"));
        return Ok(Reply::text(status, &format!("imds: {why}")));
    }
    let variables = instances::variables(now).await?;
    refusals::warn_of_public_callers(head, &variables);
    let Some(key) = variables.callers.instance_of(head).map(|found| &*key.insert(found)) else {
        return Ok(refuse_caller(
            head,
            now,
            &format!("the request names no instance by `callers` = `{}`", variables.callers),
        ));
    };
    let Some(open) = instances::open(key, &variables, now).await? else {
        return Ok(refuse_caller(head, now, &format!("the key-value store has no key `{key}`")));
    };
    let answer = ask(&open, key, head, &variables).await?;
    refusals::log_refusal(&answer, head, now);
    Ok(faults::deliver(answer))
}

/// The answer to one whose instance there is none of.
fn refuse_caller(head: &Head, now: Instant, why: &str) -> Reply {
    let reply = reply(metadata::refuse_caller(&READ.with(|read| head.write(read)), moment(head, 0, 0)));
    log::refusal(now, || format!("{}: {why}", reply.status));
    reply
}

/// The head as the component reads it: what a trusted proxy adds is not the
/// client's.
fn written(head: &Head, variables: &Variables) -> Vec<u8> {
    let is_of_a_proxy = client_address(head).is_some_and(|address| variables.trusted_proxies.contains(address.ip()));
    READ.with(|read| match is_of_a_proxy {
        false => head.write(read),
        true => {
            let others: Vec<&String> = read.iter().filter(|name| *name != FORWARDED_FOR).collect();
            head.write(&others)
        }
    })
}

fn moment(head: &Head, throttle_state: u64, entropy: u64) -> Moment {
    Moment {
        now_ms: now_ms(),
        entropy,
        throttle_state,
        // Nobody counts the requests of all replicas: shares of faults hold with any number.
        request_number: entropy,
        over_ipv6: client_address(head).is_some_and(|address| address.ip().to_canonical().is_ipv6()),
        keep_alive: false,
    }
}

/// Asks the component; where the instance has a throttle, with the state that
/// all replicas share.
async fn ask(open: &Rc<Open>, key: &str, head: &Head, variables: &Variables) -> Result<Answer, Failure> {
    let bytes = written(head, variables);
    let ask = |throttle_state, entropy| open.instance.answer(&bytes, moment(head, throttle_state, entropy), None);
    // Others have counted more since, never less: what is refused with the state
    // last seen here is refused, and need not trouble the store.
    let seen = open.throttle_state.get();
    let answer = ask(seen, entropy()?);
    if answer.throttle_state == seen {
        return Ok(answer);
    }
    let tag = entropy()?;
    let exchanged = instances::with_store(async |store| {
        // An exchange cannot be given up, and while it waits nobody else is answered here:
        // so a store that is silent is found out before.
        let count = keys::throttle(key);
        store.number(&count).await?;
        store
            .exchange(&count, tag, |state| {
                let answer = ask(state, tag);
                let next = answer.throttle_state;
                (answer, next)
            })
            .await
    });
    // Where so many ask at once that none gets through, there are too many.
    let answer = exchanged.await.map_err(Failure::Store)?.unwrap_or_else(|| ask(u64::MAX, tag));
    open.throttle_state.set(answer.throttle_state);
    Ok(answer)
}

/// The time, in milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Differs from request to request, and from one adapter to another.
fn entropy() -> Result<u64, Failure> {
    let last = match ENTROPY.get() {
        Some(last) => last,
        None => getrandom::u64().map_err(|_| Failure::Entropy)?,
    };
    ENTROPY.set(Some(last.wrapping_add(1)));
    Ok(last)
}
