use std::fmt;

/// Why an answer is what it is: one value for each way through the service's
/// order of checks, and four of the shell. For logs and metrics; a client never
/// sees it. It displays as the rule that decided, and [`rule`](Self::rule) explains
/// that.
///
/// ```
/// let outcome = imds_host::Outcome::TokenMissing;
/// assert!(outcome.is_refusal());
/// assert_eq!(outcome.to_string(), "no token, and http-tokens is \"required\"");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// 503: the instance is stopped or terminated; a server closes without an
    /// answer.
    NotRunning,
    /// 503: a fault of the description struck.
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
    /// 503: a signature of the identity document that was to be made and is
    /// not. An [`Instance`](crate::Instance) makes it and answers anew.
    SignaturesWanted,
    /// 500: the component failed; the observer is told why.
    Failed,
    /// 403: no instance belongs to this caller.
    NoInstance,
    /// 400: the head of the request is not HTTP, or has a target that is no URI.
    HeadUnreadable,
    /// 431: the head of the request is larger than [`Limits`](crate::Limits) allow.
    HeadTooLarge,
}

impl Outcome {
    /// All, in the order in which they are declared.
    pub(crate) const ALL: [Self; 22] = [
        Self::NotRunning,
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
        Self::Failed,
        Self::NoInstance,
        Self::HeadUnreadable,
        Self::HeadTooLarge,
    ];

    /// Its name for machines, which does not change: as in the contract, and for
    /// those of the shell in the same manner.
    ///
    /// ```
    /// assert_eq!(imds_host::Outcome::TokenMissing.name(), "token-missing");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::NotRunning => "not-running",
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
            Self::Failed => "failed",
            Self::NoInstance => "no-instance",
            Self::HeadUnreadable => "head-unreadable",
            Self::HeadTooLarge => "head-too-large",
        }
    }

    /// Whether a client that asked for this may wonder why it did not get it.
    ///
    /// A 404 is none: clients ask for optional items all the time.
    ///
    /// ```
    /// assert!(!imds_host::Outcome::NotFound.is_refusal());
    /// ```
    pub fn is_refusal(self) -> bool {
        !matches!(self, Self::Found | Self::TokenIssued | Self::MethodsListed | Self::NotFound)
    }

    /// As it displays.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NotRunning => "the instance does not run: its state is \"stopped\" or \"terminated\"",
            Self::FaultRefused => "a fault of the description, of the kind \"refuse\"",
            Self::Throttled => "more requests than request-throttle allows",
            Self::Found => "found",
            Self::TokenIssued => "token issued",
            Self::MethodsListed => "methods listed",
            Self::HostRefused => "Host is neither a local name nor one that is allowed",
            Self::EndpointDisabled => "http-endpoint is \"disabled\"",
            Self::Ipv6Disabled => "http-protocol-ipv6 is \"disabled\"",
            Self::TokenMethodRefused => "the token path takes PUT and OPTIONS only",
            Self::Forwarded => "X-Forwarded-For on a request for a token or with one",
            Self::TtlRefused => "X-aws-ec2-metadata-token-ttl-seconds is missing or not a number from 0 to 21600",
            Self::TokenMissing => "no token, and http-tokens is \"required\"",
            Self::TokenInvalid => "the token was not issued by this instance under this secret",
            Self::TokenExpired => "the token's lifetime is over",
            Self::MethodRefused => "the method is none of GET, HEAD and OPTIONS",
            Self::NotFound => "nothing there in this version now",
            Self::SignaturesWanted => "the identity document is not signed yet",
            Self::Failed => "the component failed",
            Self::NoInstance => "no instance belongs to this caller",
            Self::HeadUnreadable => "its head is not HTTP/1.1, or has bytes that HTTP does not allow where they stand",
            Self::HeadTooLarge => "its head is larger than the limits allow",
        }
    }

    /// The rule of EC2, or of this product, by which the answer came, and what a
    /// client or an operator does about it: a few sentences. Their words may
    /// change.
    ///
    /// ```
    /// let rule = imds_host::Outcome::TokenMissing.rule();
    /// assert!(rule.contains("http-tokens") && rule.contains("PUT /latest/api/token"));
    /// ```
    pub fn rule(self) -> &'static str {
        match self {
            Self::NotRunning => {
                "The instance is stopped or terminated, so nothing runs there that could ask: the connection is closed \
                 and nothing is sent. A stopped one is started by changing its state to \"running\": imds ctl start. A \
                 terminated one comes back when its description is served anew: imds ctl reload."
            }
            Self::FaultRefused => {
                "The description asks for faults, and one of the kind \"refuse\" struck: a rule of this product, to see \
                 what clients do about it. Try again after a growing wait, as with any 503, or end the faults: imds \
                 ctl fault off, or take them out of the description."
            }
            Self::Throttled => {
                "The instance's request-throttle allows fewer requests a second than came; EC2 throttles likewise. Keep \
                 what was read instead of asking again, try again after a growing wait, or raise request-throttle in \
                 the description."
            }
            Self::Found => "The instance has this in the version that was asked for, and the request may have it.",
            Self::TokenIssued => {
                "PUT /latest/api/token issues a session token. Send it as X-aws-ec2-metadata-token with every request \
                 until its time is over."
            }
            Self::MethodsListed => "OPTIONS is answered by the methods that the path takes.",
            Self::HostRefused => {
                "Host must be an IP address, a single label, a name under .localhost, .local, .internal, .test or .svc, \
                 or one that was allowed: a rule of this product, not of EC2, so that no web page reads credentials by \
                 DNS rebinding. Ask by the address, or allow a name that is yours: --allow-host NAME."
            }
            Self::EndpointDisabled => {
                "The metadata option http-endpoint is \"disabled\", so nobody gets anything. Set it to \"enabled\": \
                 --http-endpoint enabled, or in the description."
            }
            Self::Ipv6Disabled => {
                "The metadata option http-protocol-ipv6 is \"disabled\", and the request came over IPv6, where EC2 does \
                 not listen then. Ask over IPv4, or set it to \"enabled\": --http-protocol-ipv6 enabled, or in the \
                 description."
            }
            Self::TokenMethodRefused => {
                "The path /latest/api/token takes PUT, which issues a token, and OPTIONS. Ask with PUT and with \
                 X-aws-ec2-metadata-token-ttl-seconds."
            }
            Self::Forwarded => {
                "A request for a token or with one must not have X-Forwarded-For, so that an open proxy is no way to \
                 the credentials. Ask without the proxy in between, or have it remove the field if it serves this \
                 instance alone."
            }
            Self::TtlRefused => {
                "A request for a token says in X-aws-ec2-metadata-token-ttl-seconds for how long: a whole number of \
                 seconds from 0 to 21600, which is six hours. Send that field with such a number."
            }
            Self::TokenMissing => {
                "The metadata option http-tokens is \"required\", so every request needs a session token: version 2. \
                 Get one by PUT /latest/api/token with X-aws-ec2-metadata-token-ttl-seconds: 21600 and send it as \
                 X-aws-ec2-metadata-token. Mostly an SDK is too old for version 2: update it, or set http-tokens to \
                 \"optional\" until you have."
            }
            Self::TokenInvalid => {
                "The token was not issued by this instance under its present secret: it was changed or cut, or it is \
                 another instance's, or one of an earlier run. Get a new one by PUT /latest/api/token; with \
                 --token-secret-file tokens outlive a restart."
            }
            Self::TokenExpired => {
                "A token is good for the seconds that its client asked for, six hours at most, and this one's are \
                 over. Get a new one by PUT /latest/api/token, as SDKs do by themselves; a clock that was moved on \
                 ends tokens too."
            }
            Self::MethodRefused => {
                "Metadata is only read: paths take GET, HEAD and OPTIONS, and PUT is for /latest/api/token alone. What \
                 the instance is, its operator changes."
            }
            Self::NotFound => {
                "The instance has nothing at that path in that version at that time. Items appear in the version of \
                 their release and while what they tell is so, such as a role, tags that are shown, or a spot \
                 interruption: list the folder above, under /latest/. Clients take 404 for \"there is none\"."
            }
            Self::SignaturesWanted => {
                "A signature of the identity document was asked for and is not made yet. Ask again in a second; with \
                 keys of your own, --identity-keys FILE, nobody waits."
            }
            Self::Failed => {
                "The component trapped, took too long or too much memory, or the identity document could not be \
                 signed: a fault of the service, not of the request. The log says which; the next request is not \
                 affected."
            }
            Self::NoInstance => {
                "No instance belongs to who asked, by what --caller says. Add a description under the caller's key, \
                 and mind that behind a proxy all callers have the proxy's address."
            }
            Self::HeadUnreadable => {
                "The head of the request is not HTTP/1.1: a byte or a line in it is none that may stand there. Percent-encode \
                 what the target has besides printable ASCII, and do not speak TLS here."
            }
            Self::HeadTooLarge => {
                "The head of the request is larger than the limits allow. Send fewer or shorter header fields, or raise \
                 the limit: --head-bytes."
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_outcomes_are_listed_in_order() {
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index, "{outcome:?}");
        }
    }

    #[test]
    fn every_outcome_has_a_rule_of_its_own() {
        let rules: HashSet<_> = Outcome::ALL.iter().map(|outcome| outcome.rule()).collect();
        assert_eq!(rules.len(), Outcome::ALL.len());
        for rule in rules {
            assert!(rule.ends_with('.') && !rule.contains("  ") && rule.len() < 400, "{rule}");
            assert!(rule.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{rule}");
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
        assert_eq!(names[cases.len()..], ["failed", "no-instance", "head-unreadable", "head-too-large"]);
    }
}
