//! Why an answer is what it is, and what a person makes of it.

/// Why an answer is what it is: one value for each way through the order of
/// checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 503, and closed without an answer: the instance does not run.
    NotRunning,
    /// 400: the head is not HTTP, or leaves in doubt where the request ends.
    HeadUnreadable,
    /// 431: the head does not end within the shell's bounds.
    HeadTooLarge,
    /// 403: no instance belongs to the caller.
    NoInstance,
    /// 503: a fault of the description affects the request.
    FaultRefused,
    /// 503: more requests than the description allows.
    Throttled,
    /// 200: an item or a listing.
    Found,
    /// 200: a session token was issued.
    TokenIssued,
    /// 200: the answer to `OPTIONS`.
    MethodsListed,
    /// 403: `Host` names a domain that is neither local nor allowed.
    HostRefused,
    /// 403: the endpoint is disabled.
    EndpointDisabled,
    /// 403: the request came over IPv6 and IPv6 is disabled.
    Ipv6Disabled,
    /// 405: the token path takes `PUT` and `OPTIONS` only.
    TokenMethodRefused,
    /// 403: `X-Forwarded-For` on a request for a token or with one.
    Forwarded,
    /// 400: the lifetime asked for is missing, no number, or too long.
    TtlRefused,
    /// 401: tokens are required and there is none.
    TokenMissing,
    /// 401: the token was not issued by this instance under this secret.
    TokenInvalid,
    /// 401: the token's lifetime is over.
    TokenExpired,
    /// 403: a method other than `GET`, `HEAD` and `OPTIONS`.
    MethodRefused,
    /// 404: nothing at that path in that version now.
    NotFound,
    /// 503: a signature was asked for that the shell has not made yet.
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
}

/// What a person makes of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The rule that decided, in half a sentence.
    pub reason: &'static str,
    /// That rule, of EC2 or of this product, and what a client or an operator does
    /// about it: a few sentences, whose words may change.
    pub remedy: &'static str,
}

impl Outcome {
    /// What it means and what to do about it.
    ///
    /// ```
    /// use imds_core::Outcome;
    ///
    /// let explanation = Outcome::TokenMissing.explain();
    /// assert_eq!(explanation.reason, "no token, and http-tokens is \"required\"");
    /// assert!(explanation.remedy.contains("PUT /latest/api/token"));
    /// ```
    pub fn explain(self) -> Explanation {
        Explanation { reason: self.reason(), remedy: self.remedy() }
    }

    /// The status code and the status line.
    pub(crate) fn status(self) -> (u16, &'static str) {
        match self {
            Self::Found | Self::TokenIssued | Self::MethodsListed => (200, "HTTP/1.1 200 OK\r\n"),
            Self::TtlRefused
            | Self::HeadUnreadable
            | Self::CredentialsIdMissing
            | Self::CredentialsIdUnknown
            | Self::AuthorizationMissing
            | Self::AuthorizationInvalid => (400, "HTTP/1.1 400 Bad Request\r\n"),
            Self::TokenMissing | Self::TokenInvalid | Self::TokenExpired => (401, "HTTP/1.1 401 Unauthorized\r\n"),
            Self::HostRefused
            | Self::EndpointDisabled
            | Self::Ipv6Disabled
            | Self::Forwarded
            | Self::MethodRefused
            | Self::NoInstance => (403, "HTTP/1.1 403 Forbidden\r\n"),
            Self::NotFound => (404, "HTTP/1.1 404 Not Found\r\n"),
            Self::TokenMethodRefused => (405, "HTTP/1.1 405 Not Allowed\r\n"),
            // UNRECORDED: the largest head that EC2 takes, and what it says to others.
            Self::HeadTooLarge => (431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"),
            // UNRECORDED: its head and body; those of the other refusals are taken.
            Self::Throttled
            | Self::SignaturesWanted
            | Self::NotRunning
            | Self::FaultRefused
            | Self::CredentialsNotDelivered => (503, "HTTP/1.1 503 Service Unavailable\r\n"),
        }
    }

    fn reason(self) -> &'static str {
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
            Self::TokenMethodRefused => "the token path accepts PUT and OPTIONS only",
            Self::Forwarded => "X-Forwarded-For on a request for a token or with one",
            Self::TtlRefused => "X-aws-ec2-metadata-token-ttl-seconds is missing or not a number from 0 to 21600",
            Self::TokenMissing => "no token, and http-tokens is \"required\"",
            Self::TokenInvalid => "the token was not issued by this instance under this secret",
            Self::TokenExpired => "the token's lifetime is over",
            Self::MethodRefused => "the method is none of GET, HEAD and OPTIONS",
            Self::NotFound => "nothing there in this version now",
            Self::SignaturesWanted => "the identity document is not signed yet",
            Self::NoInstance => "no instance belongs to this caller",
            Self::HeadUnreadable => "its head is not valid HTTP/1.1, or does not say where the request ends",
            Self::HeadTooLarge => "its head is larger than the limits allow",
            Self::CredentialsIdMissing => "no id of a task's credentials in the path",
            Self::CredentialsIdUnknown => "no task has credentials under this id",
            Self::CredentialsNotDelivered => "the container's role has no credentials now",
            Self::AuthorizationMissing => "no Authorization, which the credentials of a pod need",
            Self::AuthorizationInvalid => "Authorization is not that of a pod",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::NotRunning => {
                "A stopped or terminated instance runs no program that could ask, so the connection closes without an \
                 answer. Start a stopped instance: imds ctl start. A terminated one comes back when its description is \
                 served anew: imds ctl reset; if its timeline terminated it, move the clock back before that: imds ctl clock -5m."
            }
            Self::FaultRefused => {
                "The description asks for faults, and one of the kind \"refuse\" affects the request: a rule of this \
                 product, to test what clients do about it. Try again with growing pauses, as with any 503, or end the \
                 faults: imds ctl fault off, or remove them from the description."
            }
            Self::Throttled => {
                "More requests came than the instance's request-throttle allows; EC2 throttles likewise. Keep what was \
                 read instead of asking again, try again with growing pauses, or raise request-throttle in the \
                 description."
            }
            Self::Found => "The instance has this item in the requested version, and the request may read it.",
            Self::TokenIssued => {
                "PUT /latest/api/token issues a session token. Send it as X-aws-ec2-metadata-token with every request \
                 until it expires."
            }
            Self::MethodsListed => "OPTIONS lists the methods that the path accepts.",
            Self::HostRefused => {
                "Host must be an IP address, a single label, a name under .localhost, .local, .internal, .test or .svc, \
                 or an allowed name: a rule of this product, not of EC2, so that no web page reads credentials by DNS \
                 rebinding. Ask by the address, or allow a name of your own: --allow-host NAME."
            }
            Self::EndpointDisabled => {
                "The metadata option http-endpoint is \"disabled\", so every request is refused. Set it to \"enabled\": \
                 --http-endpoint enabled, or in the description."
            }
            Self::Ipv6Disabled => {
                "The metadata option http-protocol-ipv6 is \"disabled\", and the request came over IPv6, where EC2 does \
                 not listen then. Ask over IPv4, or set it to \"enabled\": --http-protocol-ipv6 enabled, or in the \
                 description."
            }
            Self::TokenMethodRefused => {
                "The path /latest/api/token accepts PUT, which issues a token, and OPTIONS. Ask with PUT and with \
                 X-aws-ec2-metadata-token-ttl-seconds."
            }
            Self::Forwarded => {
                "A request for a token or with one must not have X-Forwarded-For, so that an open proxy is no way to \
                 the credentials. Ask without the proxy, or let the proxy remove the field if it serves this instance \
                 alone."
            }
            Self::TtlRefused => {
                "A request for a token says in X-aws-ec2-metadata-token-ttl-seconds for how long: a whole number of \
                 seconds from 0 to 21600, which is six hours. Send that field with such a number."
            }
            Self::TokenMissing => {
                "The metadata option http-tokens is \"required\", so every request needs a session token (version 2). \
                 Get one by PUT /latest/api/token with X-aws-ec2-metadata-token-ttl-seconds: 21600, and send it as \
                 X-aws-ec2-metadata-token. The usual cause is an SDK too old for version 2: update it, or set \
                 http-tokens to \"optional\" until then."
            }
            Self::TokenInvalid => {
                "This instance did not issue the token under its present secret: the token was changed or cut, or \
                 another instance or an earlier run issued it. Get a new one by PUT /latest/api/token; with \
                 --token-secret-file, tokens outlive a restart."
            }
            Self::TokenExpired => {
                "A token is valid for as long as its client asked, six hours at most, and this one has expired. Get a \
                 new one by PUT /latest/api/token, as SDKs do; moving the clock forward expires tokens too."
            }
            Self::MethodRefused => {
                "Metadata is read-only: paths accept GET, HEAD and OPTIONS, and only /latest/api/token accepts PUT. To \
                 change the instance, use imds ctl."
            }
            Self::NotFound => {
                "The instance has nothing at that path in that version at that time. An item appears from the version \
                 that introduced it, and only while it applies, such as a role, tags that are shown, or a spot \
                 interruption: list the folder above it, under /latest/. To clients, 404 means that there is none."
            }
            Self::SignaturesWanted => {
                "The signature of the identity document is not made yet. Ask again in a second; with keys of your own, \
                 --identity-keys FILE, there is no wait."
            }
            Self::NoInstance => {
                "No instance belongs to this caller, as --caller determines it. Add a description under the caller's \
                 key. Behind a proxy, all callers have the proxy's address."
            }
            Self::HeadUnreadable => {
                "The head has a byte or a line that HTTP/1.1 does not allow, or its Content-Length or Transfer-Encoding \
                 leaves the end of the request in doubt. Percent-encode everything in the target but printable ASCII, \
                 send one Content-Length, and use http://, not https://."
            }
            Self::HeadTooLarge => {
                "The head of the request is larger than the limits allow. Send fewer or shorter header fields, or raise \
                 the limits: --head-bytes, --head-fields."
            }
            Self::CredentialsIdMissing => {
                "A task of ECS gets its credentials at /v2/credentials/ID. Set AWS_CONTAINER_CREDENTIALS_RELATIVE_URI \
                 to that path, with an id from container-credentials in the description."
            }
            Self::CredentialsIdUnknown => {
                "No entry of container-credentials has this id, or its entry has an authorization-token and the request \
                 has another or none. Set AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or its FULL_URI, and \
                 AWS_CONTAINER_AUTHORIZATION_TOKEN if the entry has a token, as the description has them."
            }
            Self::CredentialsNotDelivered => {
                "The instance has no role, its role cannot be assumed, or its credentials have not arrived yet. Try \
                 again with growing pauses, give the instance a role, or name one in the container's entry: role-arn."
            }
            Self::AuthorizationMissing => {
                "A pod of EKS gets its credentials by a token. Set AWS_CONTAINER_AUTHORIZATION_TOKEN, or \
                 AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to the path of a file that contains it."
            }
            Self::AuthorizationInvalid => {
                "No entry of container-credentials has this authorization-token. Set \
                 AWS_CONTAINER_AUTHORIZATION_TOKEN to one from the description."
            }
        }
    }
}
