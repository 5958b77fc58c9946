//! What the operator says through variables.

use std::collections::BTreeMap;
use std::time::Instant;

use imds_spin::{Reply, Variables, log, variables};

use crate::reply::{error, nothing};

/// What has fewer bytes can be guessed.
const SECRET_BYTES_MIN: usize = 16;

/// The most pairs of a store that Spin's documentation promises room for.
const PAIRS_MAX: usize = 1024;

const SECRET: &str = "control_secret";
const PAIRS: &str = "control_pairs_max";

/// The variables of this component, read and checked.
pub struct Settings {
    /// `control_secret`: who has it may do everything here.
    pub secret: String,
    /// `control_pairs_max`: how many pairs the store may have with one that is added.
    pub pairs_max: usize,
    /// Those that the adapter has too.
    pub variables: Variables,
}

impl Settings {
    /// Reads all variables. Without `control_secret` there is nothing here.
    pub async fn read() -> Result<Settings, Reply> {
        let Some(secret) = read(SECRET).await? else {
            return Err(nothing());
        };
        if secret.len() < SECRET_BYTES_MIN {
            let message = format!(
                "the variable `{SECRET}` has fewer than {SECRET_BYTES_MIN} bytes and can be guessed; make one with \
                 `openssl rand -base64 32`"
            );
            return Err(unusable(&message));
        }
        let pairs_max = match read(PAIRS).await? {
            None => PAIRS_MAX,
            Some(text) => text.parse().map_err(|_| {
                unusable(&format!("the variable `{PAIRS}` is not a whole number; give one such as {PAIRS_MAX}"))
            })?,
        };
        let mut values = BTreeMap::new();
        for name in variables::names() {
            values.extend(read(name).await?.map(|value| (name, value)));
        }
        let variables = Variables::read(|name| Ok(values.get(name).cloned()));
        let variables = variables.map_err(|wrong| unusable(&wrong.to_string()))?;
        // The adapter serves nothing with them either.
        if let Some(wrong) = imds_spin::wrong_options(&variables) {
            return Err(unusable(&wrong));
        }
        Ok(Settings { secret, pairs_max, variables })
    }
}

/// A variable's value; `None` if it is empty or the application does not have it.
async fn read(name: &str) -> Result<Option<String>, Reply> {
    let value = imds_spin::variable(name).await.map_err(|reason| {
        log::refusal(Instant::now(), || format!("control: the variable `{name}` cannot be read: {reason}"));
        error(503, format!("the variable `{name}` cannot be read; the log says why"))
    })?;
    Ok(value.and_then(variables::given))
}

fn unusable(message: &str) -> Reply {
    // Anybody may ask, as often as they like.
    log::refusal(Instant::now(), || format!("control: {message}"));
    error(500, message)
}
