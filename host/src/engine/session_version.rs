use std::fmt;

use crate::engine::message::Answer;
use crate::engine::outcome::Outcome;

/// The version of the service that a client uses: 2 is the one with session
/// tokens. It displays as its number.
///
/// ```
/// use imds_host::SessionVersion;
///
/// assert_eq!(SessionVersion::Two.to_string(), "2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionVersion {
    /// Requests without a token.
    One,
    /// Requests for a token and requests with one.
    Two,
}

/// The field that the service adds to every answer to a request with a valid
/// token, refusals too.
const TOKEN_TTL_SECONDS: &str = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds";

impl SessionVersion {
    /// The version that a request used, as far as its answer tells.
    ///
    /// Which request carries a token is a rule of the service. So that no second
    /// place knows it, this looks at no request, only at what the component says:
    /// at the outcome, and where that leaves it open at the field.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let has_token = || answer.field(TOKEN_TTL_SECONDS).is_some();
        match answer.outcome {
            Outcome::TokenIssued
            | Outcome::TokenMethodRefused
            | Outcome::Forwarded
            | Outcome::TtlRefused
            | Outcome::TokenInvalid
            | Outcome::TokenExpired => Some(Self::Two),
            Outcome::TokenMissing => Some(Self::One),
            Outcome::Found | Outcome::NotFound | Outcome::MethodRefused | Outcome::SignaturesWanted => {
                Some(if has_token() { Self::Two } else { Self::One })
            }
            // To list the methods of the token path takes no token in version 2 either.
            Outcome::MethodsListed => has_token().then_some(Self::Two),
            Outcome::NotRunning
            | Outcome::FaultRefused
            | Outcome::Throttled
            | Outcome::HostRefused
            | Outcome::EndpointDisabled
            | Outcome::Ipv6Disabled
            | Outcome::Failed
            | Outcome::NoInstance
            | Outcome::HeadUnreadable
            | Outcome::HeadTooLarge => None,
        }
    }
}

impl fmt::Display for SessionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "1",
            Self::Two => "2",
        })
    }
}
