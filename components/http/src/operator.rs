//! What the operator says: in the environment, or when the file is built.

use imds_spin::keys::DEFAULT_DESCRIPTION;
use imds_spin::metadata::Instance;
use imds_spin::variables::{VariableError, given};
use imds_spin::{Failure, Variables, log};

/// Seals the tokens where neither the environment nor the build gives a secret.
///
/// Engines often make an instance for each request, so a secret that each makes for
/// itself would refuse every token. This one is published: anybody can make tokens
/// that are accepted. docs/http.md warns of that.
const PUBLISHED_SECRET: &[u8] = b"imds-http: a published secret, no protection";

/// What the environment of the build gave; empty is not given, as with variables.
const BUILT_IN_SECRET: Option<&str> = option_env!("IMDS_HTTP_TOKEN_SECRET");
const BUILT_IN_INSTANCE: Option<&str> = option_env!("IMDS_HTTP_INSTANCE");

/// The variables that need what only Spin's adapter has: a store, and the address of
/// the client.
const NOT_HERE: [&str; 2] = ["callers", "trusted_proxies"];

/// Opens the instance of the variables that `get` gives.
fn open_by(get: impl Fn(&str) -> Option<String>) -> Result<Instance, Failure> {
    for name in NOT_HERE {
        if get(name).is_some_and(|value| !value.trim().is_empty()) {
            return Err(Failure::Variable(VariableError::not_here(name)));
        }
    }
    let variables = Variables::read(|name| Ok(get(name))).map_err(Failure::Variable)?;
    let built_in = |text: Option<&str>| text.map(str::to_owned).and_then(given);
    let (text, source) = match (&variables.instance, built_in(BUILT_IN_INSTANCE)) {
        (Some(text), _) => (text.clone(), "the variable `instance`"),
        (None, Some(text)) => (text, "the description of the build"),
        (None, None) => (DEFAULT_DESCRIPTION.to_owned(), "the default instance"),
    };
    let secret = variables.token_secret.clone().or_else(|| built_in(BUILT_IN_SECRET).map(String::into_bytes));
    if secret.is_none() && get("http_tokens").is_some_and(|tokens| tokens.trim() == "required") {
        log::line("warning: `http_tokens` is \"required\", and without `token_secret` anybody can make a token");
    }
    imds_spin::open(&text, source, secret.as_deref().unwrap_or(PUBLISHED_SECRET), None, &variables)
}

/// Opens the instance of the environment.
#[cfg(feature = "environment")]
pub fn open() -> Result<Instance, Failure> {
    let environment = wasip2::cli::environment::get_environment();
    open_by(|name| environment.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone()))
}

/// Opens the instance of the build: the proxy world has no environment.
#[cfg(not(feature = "environment"))]
pub fn open() -> Result<Instance, Failure> {
    open_by(|_| None)
}
