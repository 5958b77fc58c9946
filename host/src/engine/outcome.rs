use std::fmt;

/// Why an answer is what it is: one value for each way through the service's order of
/// checks, and one for a failure. For logs and metrics; clients never see it. It
/// displays as its name, and [`Runtime::explain`](crate::Runtime::explain) explains it.
///
/// ```
/// let outcome = imds_host::Outcome::TokenMissing;
/// assert!(outcome.is_refusal());
/// assert_eq!(outcome.to_string(), "token-missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// 503: the instance is stopped or terminated; a server closes without an
    /// answer.
    NotRunning,
    /// 400: the head is not HTTP, or leaves in doubt where the request ends.
    HeadUnreadable,
    /// 431: the head is larger than the limits of the server allow.
    HeadTooLarge,
    /// 403: no instance belongs to this caller.
    NoInstance,
    /// 503: a fault of the description affects the request.
    FaultRefused,
    /// 503: more requests than the description's `request-throttle` allows.
    Throttled,
    /// 200: an item or a listing.
    Found,
    /// 200: a session token was issued.
    TokenIssued,
    /// 200: the answer to `OPTIONS`.
    MethodsListed,
    /// 403: `Host` names a domain that is neither local nor allowed.
    HostRefused,
    /// 403: the metadata option `http-endpoint` is `disabled`.
    EndpointDisabled,
    /// 403: the request came over IPv6, and the metadata option
    /// `http-protocol-ipv6` is `disabled`.
    Ipv6Disabled,
    /// 405: the token path takes `PUT` and `OPTIONS` only.
    TokenMethodRefused,
    /// 403: `X-Forwarded-For` on a request for a token or with one.
    Forwarded,
    /// 400: the lifetime asked for is missing or out of range.
    TtlRefused,
    /// 401: tokens are required and the request carries none.
    TokenMissing,
    /// 401: the token is not one of this instance.
    TokenInvalid,
    /// 401: the token's lifetime is over.
    TokenExpired,
    /// 403: a method other than `GET`, `HEAD` and `OPTIONS`.
    MethodRefused,
    /// 404: nothing there in that version now.
    NotFound,
    /// 503: a signature of the identity document is missing, and the component cannot
    /// make it. An [`Instance`](crate::Instance) makes it and answers anew.
    SignaturesWanted,
    /// 400: a task of ECS asks for credentials without an id.
    CredentialsIdMissing,
    /// 400: no task of ECS has credentials under this id.
    CredentialsIdUnknown,
    /// 503: the credentials of a container cannot be had now.
    CredentialsNotDelivered,
    /// 400: a pod of EKS asks for credentials without `Authorization`.
    AuthorizationMissing,
    /// 400: `Authorization` is not that of a pod of EKS.
    AuthorizationInvalid,
    /// 500: the component failed; the observer gets the error.
    Failed,
}

/// What an [`Outcome`] means and what to do about it.
///
/// ```
/// use imds_host::{Outcome, Runtime};
///
/// let runtime = Runtime::new()?;
/// let explanation = runtime.explain(Outcome::TokenMissing);
/// assert_eq!(explanation.reason, "no token, and http-tokens is \"required\"");
/// assert!(explanation.remedy.contains("PUT /latest/api/token"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The rule that decided, in half a sentence.
    pub reason: String,
    /// That rule, of EC2 or of this product, and what a client or an operator can do
    /// about it, in a few sentences. Their words may change.
    pub remedy: String,
}

impl Explanation {
    /// That of the one outcome that the component cannot explain.
    pub(crate) fn of_a_failure() -> Self {
        Self {
            reason: "the component failed".to_owned(),
            remedy: "The component trapped, took too long or too much memory, or the identity document could not be \
                     signed: a fault of the service, not of the request. The log says which; the next request is not \
                     affected."
                .to_owned(),
        }
    }
}

impl Outcome {
    /// All, in the order in which they are declared.
    pub(crate) const ALL: [Self; 27] = [
        Self::NotRunning,
        Self::HeadUnreadable,
        Self::HeadTooLarge,
        Self::NoInstance,
        Self::FaultRefused,
        Self::Throttled,
        Self::Found,
        Self::TokenIssued,
        Self::MethodsListed,
        Self::HostRefused,
        Self::EndpointDisabled,
        Self::Ipv6Disabled,
        Self::TokenMethodRefused,
        Self::Forwarded,
        Self::TtlRefused,
        Self::TokenMissing,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::MethodRefused,
        Self::NotFound,
        Self::SignaturesWanted,
        Self::CredentialsIdMissing,
        Self::CredentialsIdUnknown,
        Self::CredentialsNotDelivered,
        Self::AuthorizationMissing,
        Self::AuthorizationInvalid,
        Self::Failed,
    ];

    /// Its name for machines, which does not change: as in the contract.
    ///
    /// ```
    /// assert_eq!(imds_host::Outcome::TokenMissing.name(), "token-missing");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::NotRunning => "not-running",
            Self::HeadUnreadable => "head-unreadable",
            Self::HeadTooLarge => "head-too-large",
            Self::NoInstance => "no-instance",
            Self::FaultRefused => "fault-refused",
            Self::Throttled => "throttled",
            Self::Found => "found",
            Self::TokenIssued => "token-issued",
            Self::MethodsListed => "methods-listed",
            Self::HostRefused => "host-refused",
            Self::EndpointDisabled => "endpoint-disabled",
            Self::Ipv6Disabled => "ipv6-disabled",
            Self::TokenMethodRefused => "token-method-refused",
            Self::Forwarded => "forwarded",
            Self::TtlRefused => "ttl-refused",
            Self::TokenMissing => "token-missing",
            Self::TokenInvalid => "token-invalid",
            Self::TokenExpired => "token-expired",
            Self::MethodRefused => "method-refused",
            Self::NotFound => "not-found",
            Self::SignaturesWanted => "signatures-wanted",
            Self::CredentialsIdMissing => "credentials-id-missing",
            Self::CredentialsIdUnknown => "credentials-id-unknown",
            Self::CredentialsNotDelivered => "credentials-not-delivered",
            Self::AuthorizationMissing => "authorization-missing",
            Self::AuthorizationInvalid => "authorization-invalid",
            Self::Failed => "failed",
        }
    }

    /// Whether the answer may surprise the client.
    ///
    /// A 404 does not: clients ask for optional items all the time.
    ///
    /// ```
    /// assert!(!imds_host::Outcome::NotFound.is_refusal());
    /// ```
    pub fn is_refusal(self) -> bool {
        !matches!(self, Self::Found | Self::TokenIssued | Self::MethodsListed | Self::NotFound)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_outcomes_are_listed_in_order() {
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index, "{outcome:?}");
        }
    }

    #[test]
    fn outcomes_are_named_as_in_the_contract() {
        let places = ["../wit/imds.wit", "assets/wit/imds.wit"];
        let contract = places.iter().find_map(|place| std::fs::read_to_string(place).ok()).unwrap();
        let cases = contract.split_once("enum outcome {").unwrap().1.split_once('}').unwrap().0;
        let cases: Vec<_> = cases.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
        let cases: Vec<_> = cases.into_iter().filter(|line| !line.starts_with("///")).collect();
        let names = Outcome::ALL.map(Outcome::name);
        assert_eq!(cases, names[..cases.len()]);
        assert_eq!(names[cases.len()..], ["failed"]);
    }
}
