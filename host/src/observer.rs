use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::error::Error;
use crate::message::Outcome;

/// Is told of every answer, for logs and metrics. Any closure over
/// [`Answered`] is one.
///
/// It is called on the thread that answers, before the answer is sent: it must
/// not wait.
///
/// ```
/// use imds_host::{Answered, Observer};
///
/// let count_me = |answered: &Answered<'_>| println!("{}", answered.status);
/// fn takes(_: impl Observer) {}
/// takes(count_me);
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A request was answered.
    fn answered(&self, answered: &Answered<'_>);

    /// A server met trouble that is no request's and went on.
    fn trouble(&self, trouble: &Trouble) {
        let _ = trouble;
    }
}

impl<F: Fn(&Answered<'_>) + Send + Sync + 'static> Observer for F {
    fn answered(&self, answered: &Answered<'_>) {
        self(answered);
    }
}

/// What happened to one request. Of its header fields it holds `Host` only, and
/// no body: hence no token and no credentials.
///
/// ```
/// use imds_host::{Answered, Outcome};
///
/// fn line(answered: &Answered<'_>) -> Option<String> {
///     (answered.outcome == Outcome::TokenMissing).then(|| format!("{:?}", answered.peer))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// The caller's address; none where the server that mounts the service
    /// does not tell.
    pub peer: Option<SocketAddr>,
    /// The method as sent; empty where the head of the request could not be
    /// read. Then the target is empty too, and there is no host.
    pub method: &'a str,
    /// The request target as sent: under the client's control, of any length
    /// that the server takes.
    pub target: &'a str,
    /// The host that the request is for, as sent in its fields `Host` and the
    /// authority of an absolute target; none where these differ. Under the
    /// client's control too.
    pub host: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// Why the answer is what it is.
    pub outcome: Outcome,
    /// How long it took to find the answer, without receiving and sending.
    pub duration: Duration,
    /// Why the component failed, where the outcome is [`Outcome::Failed`].
    pub error: Option<&'a Error>,
}

/// What a server met and went on after.
///
/// ```
/// use imds_host::Trouble;
///
/// let trouble = Trouble::Accept(std::io::Error::other("too many open files"));
/// assert_eq!(trouble.to_string(), "cannot accept a connection: too many open files");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// No connection could be accepted; the server tries again after a while.
    Accept(io::Error),
    /// The hop limit of an answer could not be set. The answer was not sent, and
    /// its connection was closed.
    HopLimit(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept(error) => write!(f, "cannot accept a connection: {error}"),
            Self::HopLimit(error) => write!(f, "cannot set the hop limit of an answer, which was not sent: {error}"),
        }
    }
}
