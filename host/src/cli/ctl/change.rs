// A change of the instance that depends on what the instance is.

use imds_host::{Error, Problems};
use serde_json::Value;

use super::client::{Answer, Ask, Client, Conflict, INSTANCE};

/// Somebody else changes the instance all the time.
const TRIES: usize = 5;

/// Looks at the instance and makes the change that `decide` wants of it, in one
/// step: of the revision that was looked at and no other. Where somebody else
/// comes first, it looks again. Gives what the listener says of it.
pub fn change(client: &Client, verb: &str, decide: impl Fn(&Value) -> Value) -> anyhow::Result<Answer> {
    let mut tries = 0;
    loop {
        tries += 1;
        let before = client.ask(Ask::get(INSTANCE))?.body;
        let ask = Ask::patch(INSTANCE, decide(&before)).of_revision(before["revision"].as_u64());
        match client.ask(ask) {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is::<Conflict>() && tries < TRIES => {}
            Err(error) => return Err(told_of(verb, error)),
        }
    }
}

/// The same error, told of the verb: nobody typed the change that is wrong.
pub fn told_of(verb: &str, error: anyhow::Error) -> anyhow::Error {
    match error.downcast() {
        Ok(Error::Invalid(Problems { mut list, .. })) => {
            list.iter_mut().for_each(|problem| problem.place = None);
            Error::Invalid(Problems { source: format!("imds ctl {verb}"), list }).into()
        }
        Ok(error) => error.into(),
        Err(error) => error,
    }
}
