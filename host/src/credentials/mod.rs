//! Where the credentials of a role come from that are not made up: the user's own,
//! which the host of the service has.
//!
//! A source is asked for credentials and says when they end. What asks, when and how
//! often is a matter of `control`.

mod described;
mod environment;
mod failure;
mod file;
mod function;
mod process;
mod profile;
mod role_credentials;
mod running;
mod version_1;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use self::described::DescribedSource;
pub(crate) use self::described::words;
pub use self::environment::EnvironmentSource;
pub use self::failure::SourceError;
pub use self::file::FileSource;
pub use self::function::FunctionSource;
pub use self::process::ProcessSource;
pub use self::profile::ProfileSource;
pub use self::role_credentials::RoleCredentials;
pub(crate) use self::version_1::is_one_word;

/// What a source gives, now or later.
pub type Fetch<'s> = Pin<Box<dyn Future<Output = Result<RoleCredentials, SourceError>> + Send + 's>>;

/// Where credentials come from: what [`Control::take_credentials_from`](crate::Control::take_credentials_from) asks.
///
/// A source that has an SDK's client at hand waits for it in `fetch`. What blocks
/// instead, blocks a thread that does nothing else: [`FunctionSource`] makes a source
/// of a function.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use imds_host::{CredentialSource, Fetch, RoleCredentials};
///
/// struct Vault;
///
/// impl CredentialSource for Vault {
///     fn name(&self) -> String {
///         "the vault".to_owned()
///     }
///
///     fn fetch(&self) -> Fetch<'_> {
///         Box::pin(async {
///             let end = SystemTime::now() + Duration::from_secs(3600);
///             Ok(RoleCredentials::new("ASIAEXAMPLE", "secret", "token").ending_at(end))
///         })
///     }
/// }
/// ```
pub trait CredentialSource: Send + Sync + 'static {
    /// What operators read of it: never a secret, and no argument of a command.
    fn name(&self) -> String;

    /// Gets credentials. It is called anew for each attempt, never twice at once.
    ///
    /// Within a runtime of tokio where the first one to ask was in one.
    fn fetch(&self) -> Fetch<'_>;

    /// For how long an attempt is waited for; then it is dropped and has failed.
    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }

    /// How often it is to be asked though what it gave is good for long: where others
    /// can replace it at any time, and asking costs nothing. By default never.
    fn asked_every(&self) -> Option<Duration> {
        None
    }
}

/// A command that asks a service in another country, twice.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// More than any command prints that prints credentials; session tokens have a few
/// kilobytes.
const BYTES_MAX: usize = 64 << 10;
