use std::env;

use super::{CredentialSource, Fetch, RoleCredentials, SourceError, version_1};

/// The variables of this process: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// `AWS_SESSION_TOKEN` and, for when they end, `AWS_CREDENTIAL_EXPIRATION`. They never
/// change, so that the role has none once these have ended.
///
/// ```
/// use imds_host::{CredentialSource, EnvironmentSource};
///
/// assert_eq!(EnvironmentSource::new().name(), "the environment");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvironmentSource {}

impl EnvironmentSource {
    /// The variables with credentials that SDKs read.
    ///
    /// ```
    /// assert!(imds_host::EnvironmentSource::VARIABLES.contains(&"AWS_SESSION_TOKEN"));
    /// ```
    pub const VARIABLES: [&'static str; 5] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        // Its name of before.
        "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
    ];

    /// The environment.
    ///
    /// ```
    /// let _source = imds_host::EnvironmentSource::new();
    /// ```
    pub fn new() -> Self {
        Self {}
    }
}

impl CredentialSource for EnvironmentSource {
    fn name(&self) -> String {
        "the environment".to_owned()
    }

    fn fetch(&self) -> Fetch<'_> {
        Box::pin(async { read(|name| env::var(name).ok()) })
    }
}

fn read(variable: impl Fn(&'static str) -> Option<String>) -> Result<RoleCredentials, SourceError> {
    let given = |name| variable(name).filter(|text| version_1::is_one_word(text)).ok_or(SourceError::Missing(name));
    let (access_key_id, secret) = (given("AWS_ACCESS_KEY_ID")?, given("AWS_SECRET_ACCESS_KEY")?);
    let credentials = match given("AWS_SESSION_TOKEN") {
        Ok(token) => RoleCredentials::new(access_key_id, secret, token),
        Err(_) => return Err(SourceError::LongTerm),
    };
    let name = "AWS_CREDENTIAL_EXPIRATION";
    match variable(name).filter(|text| !text.is_empty()) {
        None => Ok(credentials),
        Some(end) => Ok(credentials.ending_at(version_1::time(&end).ok_or(SourceError::Missing(name))?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_credentials_only_where_they_are_temporary() {
        let with = |given: &[(&str, &str)]| {
            read(|name| given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        let keys = [("AWS_ACCESS_KEY_ID", "ASIA"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let token = ("AWS_SESSION_TOKEN", "t");
        assert_eq!(with(&[]), Err(SourceError::Missing("AWS_ACCESS_KEY_ID")));
        assert_eq!(with(&keys), Err(SourceError::LongTerm));
        assert_eq!(with(&[keys[0], keys[1], token]), Ok(RoleCredentials::new("ASIA", "s", "t")));
        let end = ("AWS_CREDENTIAL_EXPIRATION", "2026-10-01T00:00:00+00:00");
        assert!(with(&[keys[0], keys[1], token, end]).unwrap().end().is_some());
        let end = ("AWS_CREDENTIAL_EXPIRATION", "soon");
        assert_eq!(with(&[keys[0], keys[1], token, end]), Err(SourceError::Missing(end.0)));
    }
}
