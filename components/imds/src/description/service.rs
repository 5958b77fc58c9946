//! The metadata service of an instance: its options, its limits, its faults, its signatures.

use super::value::{Base64, HopLimit, Method, PathPattern, Share, Span};
use super::{Enabled, FaultKind, HttpTokens, Switch};
use crate::time::Time;

tables! {
    /// The options of the metadata service; see `modify-instance-metadata-options`.
    MetadataOptions {
        /// Whether requests without a session token are refused. Default optional; required where the role has a
        /// `credentials-source`.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "optional")))]
        http_tokens: Option<HttpTokens>,
        /// Disabled, every request gets 403. Default enabled.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "enabled")))]
        http_endpoint: Enabled,
        /// The IP time-to-live of answers to the request for a token: 1 to 64. Default 1.
        #[cfg_attr(feature = "schema", schemars(extend("default" = 1)))]
        http_put_response_hop_limit: HopLimit,
        /// Whether the service answers over IPv6. Default disabled.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "disabled")))]
        http_protocol_ipv6: Switch,
        /// Whether tags are shown. Default disabled.
        #[cfg_attr(feature = "schema", schemars(extend("default" = "disabled")))]
        instance_metadata_tags: Switch,
    }

    /// A limit on the requests of an instance.
    RequestThrottle {
        /// Requests that may come at once, 1 to 65535. Default 100.
        burst: Option<u16>,
        /// Requests regained a second, 1 to 65535. Default 100, which stands for EC2's 1024 packets.
        per_second: Option<u16>,
    }

    /// Signatures of the identity document, each in base64.
    IdentitySignatures {
        /// RSA over SHA-256, bare.
        signature: Option<Base64>,
        /// CMS with DSA over SHA-1.
        pkcs7: Option<Base64>,
        /// CMS with RSA over SHA-256.
        rsa2048: Option<Base64>,
    }
}

entries! {
    /// A fault of the service.
    Fault {
        /// What happens to an affected request.
        kind: FaultKind,
        /// The share of requests to affect, of those for these paths with these methods: 0 to 1. Default 1, all.
        #[serde(default)]
        share: Option<Share>,
        /// Requests for these paths and all below them, `/latest/api/token`; `*` stands for any one name:
        /// `/*/meta-data/iam`. Default all.
        #[serde(default)]
        paths: Vec<PathPattern>,
        /// Requests with these methods. Default all.
        #[serde(default)]
        methods: Vec<Method>,
        /// From when on. Default: always.
        #[serde(default)]
        from: Option<Time>,
        /// Until when. Default: for ever.
        #[serde(default)]
        until: Option<Time>,
        /// How late an answer comes, for the kind delay: up to 60s. Default 1s.
        #[serde(default)]
        delay: Option<Span>,
        /// Which requests are affected follows from it and their number: another seed affects others. Default 0.
        #[serde(default)]
        seed: u32,
    }
}
