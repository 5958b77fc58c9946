//! The instance profile of an instance, and its role.

use super::part::Part;
use super::value::{IamName, InstanceProfileArn, Line, RoleArn, Secret, Span};
use crate::time::Time;

tables! {
    /// The instance profile.
    IamInstanceProfile {
        /// Default: made from the account and `name`.
        arn: Option<InstanceProfileArn>,
        /// Default: made from the name.
        id: Option<Line>,
        /// The name of the profile. Default: that of the role, or imds.
        name: Option<IamName>,
        /// The name of the role. Default: that of the profile; `false` for a profile without a role.
        role_name: Part<IamName>,
        /// When the profile was associated with the instance: the service shows no role before. Default: from the begin.
        association_time: Option<Time>,
        /// Where the host of the service gets real credentials of the role. Then none are made up: the role cannot be
        /// assumed until some are delivered and once the last have ended. It is kept for life. Default none.
        @[never]
        credentials_source: Option<CredentialsSource>,
        /// The role's credentials. Default: made up, new ones every six hours; with `credentials-source`, what it gave.
        credentials: Option<Credentials>,
        /// Credentials for requests without a session token, where they differ from `credentials`.
        credentials_without_token: Option<Credentials>,
        /// Where the role cannot be assumed: the code told instead of credentials, such as AssumeRoleUnauthorizedAccess.
        /// Default none; `false` in a change takes it away.
        failure_code: Part<Line>,
        /// The message that goes with `failure-code`.
        failure_message: Option<Line>,
        /// When the role's credentials are replaced.
        credentials_rotation: CredentialsRotation,
    }

    /// Where the host of the service gets credentials: exactly one of `process`, `profile`, `environment`, `file`
    /// and `embedder`.
    #[cfg_attr(feature = "schema", schemars(extend("allOf" = [{ "oneOf": [
        { "required": ["process"] },
        { "required": ["profile"] },
        { "required": ["environment"] },
        { "required": ["file"] },
        { "required": ["embedder"] },
    ] }])))]
    CredentialsSource {
        /// A command and its arguments that prints them, as `credential_process` of the AWS configuration does. No shell
        /// reads it.
        @[secret]
        process: Option<Vec<Secret>>,
        /// A profile of the host's AWS configuration, which the command `aws` reads.
        profile: Option<Line>,
        /// `true`: the host's variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and
        /// AWS_CREDENTIAL_EXPIRATION.
        #[cfg_attr(feature = "schema", schemars(extend("const" = true)))]
        environment: Option<bool>,
        /// A file with what a `credential_process` prints, which somebody else rewrites.
        file: Option<Line>,
        /// `true`: the program in which the service is embedded delivers them; `imds` delivers none.
        #[cfg_attr(feature = "schema", schemars(extend("const" = true)))]
        embedder: Option<bool>,
        /// A role that the profile is to assume for the credentials. Only with `profile`.
        role_arn: Option<RoleArn>,
        /// A policy, JSON text, that narrows what the credentials may do. Only with `role-arn`.
        session_policy: Option<Line>,
        /// How long the credentials are to live: 15m to 12h. Only with `role-arn`. Default: 1h.
        duration: Option<Span>,
        /// How long the command of `process` or `profile` may take: 1s to 5m. Default 30s.
        time_limit: Option<Span>,
    }

    /// How a role's credentials follow one another.
    CredentialsRotation {
        /// From one delivery to the next, at least a second. Default 6h.
        interval: Option<Span>,
        /// From the delivery of credentials to their end, at least a second. Default: 6h18m53s to 6h35m, another for each
        /// delivery, and at least five minutes more than `interval`.
        lifetime: Option<Span>,
        /// When the first were delivered; `+0s` in a change delivers new ones at once. Default: the launch time.
        since: Option<Time>,
        /// After this time there are no new ones: the last stay, beyond their end. Default: never.
        until: Option<Time>,
    }

    /// Credentials of a role: all three parts, or none to have them made up.
    #[cfg_attr(feature = "schema", schemars(extend("dependentRequired" = {
        "access-key-id": ["secret-access-key", "session-token"],
        "secret-access-key": ["access-key-id", "session-token"],
        "session-token": ["access-key-id", "secret-access-key"],
    })))]
    Credentials {
        /// Begins with ASIA.
        @[secret]
        access_key_id: Option<Line>,
        /// Kept out of logs.
        secret_access_key: Option<Secret>,
        /// Kept out of logs.
        session_token: Option<Secret>,
        /// Default: the last delivery that `credentials-rotation` tells of.
        last_updated: Option<Time>,
        /// Default: as long after the last update as `credentials-rotation` says.
        expiration: Option<Time>,
    }
}
