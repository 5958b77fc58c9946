//! The service for the tests of other programs: started, asked and gone within one
//! test, from any test, `#[test]` or `#[tokio::test]`.
//!
//! ```
//! use imds_host::testing::Imds;
//!
//! let imds = Imds::builder().toml("instance-type = 'm7g.large'").tokens_required().start()?;
//!
//! // A program, or a client in this process that is told `imds.endpoint()`.
//! let mut agent = imds.command("my-agent");
//! # /*
//! assert!(agent.status()?.success());
//! imds.requests().assert_version2_only();
//! imds.requests().assert_asked("/latest/meta-data/iam/");
//!
//! imds.interrupt()?;
//! imds.advance(Duration::from_secs(120));
//! # */ drop(agent);
//! # Ok::<_, imds_host::Error>(())
//! ```
//!
//! If the test panics, the fixture prints the requests that it got. When you drop it,
//! it closes its connections and its port is free.
//!
//! All fixtures of a process share one thread, which the first one starts, so two
//! hundred at once are no burden. Each has its own instance, port, tokens and journal.

mod builder;
mod environment;
mod executor;
mod requests;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use self::executor::Serving;
use crate::control::{Control, Fleet, Interruption, VirtualClock};
use crate::description::Description;
use crate::engine::Runtime;
use crate::error::Error;
use crate::observe::Journal;

pub use self::builder::Builder;
pub use self::environment::Environment;
pub use self::requests::Requests;

/// A metadata service for a test, on its own port, until you drop it.
///
/// It has one instance with a [`Control`]; if [`Builder::start_fleet`] started it, it
/// has a [`Fleet`]. None of its methods is `async`.
///
/// ```
/// use imds_host::Request;
/// use imds_host::testing::Imds;
///
/// let imds = Imds::start()?;
/// let notice = Request::get("/latest/meta-data/spot/instance-action");
/// assert_eq!(imds.control().answer(&notice).status, 404);
/// imds.interrupt()?;
/// assert_eq!(imds.control().answer(&notice).status, 200);
/// assert_eq!(imds.requests().count("/latest/meta-data/spot/"), 2);
/// # Ok::<_, imds_host::Error>(())
/// ```
#[must_use = "it stops when it is dropped"]
pub struct Imds<S = Control> {
    served: S,
    parts: Parts,
}

struct Parts {
    serving: Serving,
    clock: VirtualClock,
    journal: Journal,
    runtime: Runtime,
}

impl Imds {
    /// Starts the default instance, under the system's clock, with tokens optional.
    ///
    /// Fails as [`Builder::start`] does.
    ///
    /// ```
    /// let imds = imds_host::testing::Imds::start()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// Configures another one.
    ///
    /// ```
    /// use imds_host::testing::Imds;
    ///
    /// let imds = Imds::builder().toml("tags = { Name = 'web' }").start()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Changes the instance for all later requests, by a piece of a description in TOML
    /// or JSON, as [`Control::edit`] does. Returns the new revision.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// imds.edit("metadata-options.http-tokens = 'required'")?;
    /// let error = imds.edit("instance-typo = 'm7g.large'").unwrap_err();
    /// assert!(error.to_string().contains("--> the edit:1:1"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn edit(&self, change: &str) -> Result<u64, Error> {
        self.served.edit(&Description::parse("the edit", change)?)
    }

    /// Interrupts the instance as EC2 interrupts a spot instance, two minutes from now
    /// by its clock. For other interruptions, see [`Control::interrupt`].
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// imds.interrupt()?;
    /// imds.advance(std::time::Duration::from_secs(120));
    /// assert_eq!(imds.control().snapshot()?.state, "terminated");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn interrupt(&self) -> Result<u64, Error> {
        self.served.interrupt(Interruption::default())
    }

    /// For everything else that an operator does, and for answers without a socket.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// imds.control().rebalance()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn control(&self) -> &Control {
        &self.served
    }
}

impl Imds<Fleet> {
    /// Its instances, which a test can insert, replace and remove.
    ///
    /// ```
    /// # use imds_host::{CallerKey, Description, testing::Imds};
    /// let members = [("127.0.0.1", Description::default())];
    /// let imds = Imds::builder().start_fleet(CallerKey::ClientAddress, members)?;
    /// assert!(imds.fleet().remove("127.0.0.1").is_some());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn fleet(&self) -> &Fleet {
        &self.served
    }
}

impl<S> Imds<S> {
    /// Its URL: `http://127.0.0.1:` and its port, without a final slash.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// let url = format!("{}/latest/meta-data/", imds.endpoint());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.parts.serving.address)
    }

    /// The variables by which SDKs and tools find it and nothing else, for programs
    /// that another program starts. It names no file of the user's and does not remove
    /// variables; [`command`](Self::command) does.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// let endpoint = imds.env().into_iter().find(|(name, _)| name == "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    /// assert_eq!(endpoint.unwrap().1, *imds.endpoint());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn env(&self) -> Vec<(String, OsString)> {
        self.environment().variables().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A command that finds it. The AWS configuration of the present user does not
    /// apply: the command has none of its variables and reads none of its files.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// let mut command = imds.command("aws");
    /// command.args(["configure", "list"]);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        self.environment().apply(&mut command);
        command
    }

    /// Advances its clock, whether it runs or is paused.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// imds.advance(std::time::Duration::from_secs(6 * 3600));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn advance(&self, time: Duration) {
        self.parts.clock.advance(time);
    }

    /// Its clock, to pause, set and speed up.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// imds.clock().pause();
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn clock(&self) -> &VirtualClock {
        &self.parts.clock
    }

    /// The requests so far.
    ///
    /// ```
    /// # let imds = imds_host::testing::Imds::start()?;
    /// imds.requests().assert_not_asked("/latest/user-data");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn requests(&self) -> Requests {
        Requests::new(self.endpoint(), &self.parts.journal, &self.parts.runtime)
    }

    fn environment(&self) -> Environment {
        Environment::told(&self.endpoint()).without_own_configuration()
    }
}

impl<S> Drop for Imds<S> {
    /// Stops it. Where the test panics, says first what was asked.
    fn drop(&mut self) {
        if thread::panicking() {
            // To where the harness keeps what a test prints, as it does the panic.
            eprintln!("{}", self.requests());
        }
    }
}

impl<S> fmt::Debug for Imds<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imds").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
