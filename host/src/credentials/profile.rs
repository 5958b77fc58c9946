use std::time::Duration;

use super::{CredentialSource, Fetch, ProcessSource};

/// A profile of the user's AWS configuration, as the command `aws` reads it: single
/// sign-on, roles with and without a second factor, and processes work as they are
/// configured.
///
/// ```
/// use imds_host::{CredentialSource, ProfileSource};
///
/// let source = ProfileSource::new("dev");
/// assert_eq!(source.name(), "the profile dev");
/// let source = source.with_role("arn:aws:iam::123456789012:role/build");
/// assert_eq!(source.name(), "the profile dev, as arn:aws:iam::123456789012:role/build");
/// ```
#[derive(Clone, Debug)]
pub struct ProfileSource {
    profile: String,
    role_arn: Option<String>,
    session_policy: Option<String>,
    duration: Duration,
    time_limit: Option<Duration>,
}

/// The session's, in the account's log of calls.
const SESSION_NAME: &str = "imds";

impl ProfileSource {
    /// The profile of this name.
    ///
    /// ```
    /// let _source = imds_host::ProfileSource::new("default");
    /// ```
    pub fn new(profile: impl Into<String>) -> Self {
        Self {
            profile: profile.into(),
            role_arn: None,
            session_policy: None,
            duration: Duration::from_secs(3600),
            time_limit: None,
        }
    }

    /// The credentials of this role, which the profile assumes, for an hour.
    ///
    /// ```
    /// let _source = imds_host::ProfileSource::new("dev").with_role("arn:aws:iam::123456789012:role/build");
    /// ```
    #[must_use]
    pub fn with_role(self, role_arn: impl Into<String>) -> Self {
        Self { role_arn: Some(role_arn.into()), ..self }
    }

    /// What the session with the role may do at most: a policy, JSON text.
    ///
    /// ```
    /// let policy = r#"{"Version": "2012-10-17", "Statement": []}"#;
    /// let role = "arn:aws:iam::123456789012:role/build";
    /// let _source = imds_host::ProfileSource::new("dev").with_role(role).with_session_policy(policy);
    /// ```
    #[must_use]
    pub fn with_session_policy(self, policy: impl Into<String>) -> Self {
        Self { session_policy: Some(policy.into()), ..self }
    }

    /// How long the session with the role lives: 15 minutes to 12 hours.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let role = "arn:aws:iam::123456789012:role/build";
    /// let _source = imds_host::ProfileSource::new("dev").with_role(role).with_duration(Duration::from_secs(900));
    /// ```
    #[must_use]
    pub fn with_duration(self, duration: Duration) -> Self {
        Self { duration, ..self }
    }

    /// How long the command may take; 30 seconds by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let _source = imds_host::ProfileSource::new("dev").with_time_limit(Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit: Some(time_limit), ..self }
    }

    fn process(&self) -> ProcessSource {
        let profile = ["--profile", &self.profile];
        let process = match &self.role_arn {
            None => {
                let words = ["configure", "export-credentials", "--format", "process"];
                ProcessSource::new("aws", words.into_iter().chain(profile))
            }
            Some(role) => {
                let duration = self.duration.as_secs().to_string();
                let words = ["sts", "assume-role", "--role-session-name", SESSION_NAME, "--output", "json"];
                let role = ["--role-arn", role, "--duration-seconds", &duration];
                let policy = self.session_policy.iter().flat_map(|policy| ["--policy", policy]);
                ProcessSource::new("aws", words.into_iter().chain(role).chain(policy).chain(profile)).of_sts()
            }
        };
        match self.time_limit {
            Some(limit) => process.with_time_limit(limit),
            None => process,
        }
    }
}

impl CredentialSource for ProfileSource {
    fn name(&self) -> String {
        match &self.role_arn {
            None => format!("the profile {}", self.profile),
            Some(role) => format!("the profile {}, as {role}", self.profile),
        }
    }

    fn fetch(&self) -> Fetch<'_> {
        let process = self.process();
        Box::pin(async move { process.fetch().await })
    }

    fn time_limit(&self) -> Duration {
        self.process().time_limit()
    }
}
