//! One request in, one answer out.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use spin_sdk::experimental::wasi::config::store as config;

use crate::bindings::metadata::{self, Answer, Moment, Outcome};
use crate::callers::client_address;
use crate::faults;
use crate::head::{Head, Reply};
use crate::instances::{Failure, Instances, Open};
use crate::store::Store;

thread_local! {
    static INSTANCES: RefCell<Instances> = RefCell::default();
    static READ: Vec<String> = metadata::fields_read();
    static ENTROPY: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Answers a request. What is the operator's to mend is told in the log and in
/// the body of a 500.
pub fn answer(head: &Head) -> Reply {
    INSTANCES.with_borrow_mut(|instances| try_answer(head, instances)).unwrap_or_else(|failure| {
        let reason = failure.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        eprintln!("imds: {failure}{reason}");
        Reply::text(500, &format!("imds: {failure}"))
    })
}

fn try_answer(head: &Head, instances: &mut Instances) -> Result<Reply, Failure> {
    let variables = instances.variables(|name| config::get(name).map_err(|error| format!("{error:?}")))?;
    let Some(key) = variables.callers.instance_of(head) else {
        return Ok(nobody(head, &format!("the request names no instance by `callers` = {:?}", variables.callers)));
    };
    let Some(open) = instances.open(&key, &variables)? else {
        return Ok(nobody(head, &format!("the key-value store has no key `{key}`")));
    };
    let answer = ask(open, &key, head)?;
    if answer.outcome == Outcome::HostRefused {
        eprintln!(
            "imds: 403: the name in Host is not allowed; if it is yours, put it into the variable `allowed_hosts`"
        );
    }
    Ok(faults::deliver(answer))
}

/// The component's answer, which is sent at once.
pub(crate) fn reply(answer: Answer) -> Reply {
    let head = String::from_utf8(answer.head).unwrap_or_default();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Reply {
        status: answer.status,
        // What becomes of connections is the engine's.
        fields: fields
            .filter(|(name, _)| *name != "Connection")
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: answer.body,
        delay: Duration::ZERO,
    }
}

/// The answer to one whose instance there is none of.
fn nobody(head: &Head, why: &str) -> Reply {
    let reply = reply(metadata::refuse_caller(&written(head), moment(head, 0, 0)));
    eprintln!("imds: {}: {why}", reply.status);
    reply
}

/// The head as the component reads it.
fn written(head: &Head) -> Vec<u8> {
    READ.with(|read| head.write(read))
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
fn ask(open: &Open, key: &str, head: &Head) -> Result<Answer, Failure> {
    let bytes = written(head);
    let ask = |throttle_state, entropy| open.instance.answer(&bytes, moment(head, throttle_state, entropy), None);
    // Others have counted more since, never less: what is refused with the state
    // last seen here is refused, and need not trouble the store.
    let seen = open.throttle_state.get();
    let answer = ask(seen, entropy()?);
    if answer.throttle_state == seen {
        return Ok(answer);
    }
    let tag = entropy()?;
    let store = Store::open().map_err(Failure::Store)?;
    let exchanged = store.exchange(&format!("throttle/{key}"), tag, |state| {
        let answer = ask(state, tag);
        let next = answer.throttle_state;
        (answer, next)
    });
    // Where so many ask at once that none gets through, there are too many.
    let answer = exchanged.map_err(Failure::Store)?.unwrap_or_else(|| ask(u64::MAX, tag));
    open.throttle_state.set(answer.throttle_state);
    Ok(answer)
}

fn now_ms() -> u64 {
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
