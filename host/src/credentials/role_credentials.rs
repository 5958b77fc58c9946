use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

/// Credentials of a role. Their memory is wiped when they are dropped, and they print
/// redacted.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use imds_host::RoleCredentials;
///
/// let end = UNIX_EPOCH + Duration::from_secs(1_790_812_800);
/// let credentials = RoleCredentials::new("ASIAEXAMPLE", "secret", "token").ending_at(end);
/// assert_eq!(credentials.end(), Some(end));
/// assert_eq!(format!("{credentials:?}"), "RoleCredentials(redacted)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RoleCredentials {
    access_key_id: Zeroizing<String>,
    secret_access_key: Zeroizing<String>,
    session_token: Zeroizing<String>,
    end: Option<SystemTime>,
}

impl RoleCredentials {
    /// Temporary credentials, which are those of a role: an instance is given no others.
    ///
    /// ```
    /// let credentials = imds_host::RoleCredentials::new("ASIAEXAMPLE", "secret", "token");
    /// assert!(credentials.end().is_none());
    /// ```
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: impl Into<String>,
    ) -> Self {
        Self {
            access_key_id: Zeroizing::new(access_key_id.into()),
            secret_access_key: Zeroizing::new(secret_access_key.into()),
            session_token: Zeroizing::new(session_token.into()),
            end: None,
        }
    }

    /// The same with the time at which they end. Without one, they are told to end an
    /// hour after they were fetched, and fetched again before.
    ///
    /// ```
    /// # use imds_host::RoleCredentials;
    /// use std::time::UNIX_EPOCH;
    ///
    /// assert!(RoleCredentials::new("ASIAEXAMPLE", "secret", "token").ending_at(UNIX_EPOCH).end().is_some());
    /// ```
    #[must_use]
    pub fn ending_at(self, end: SystemTime) -> Self {
        Self { end: Some(end), ..self }
    }

    /// When they end, if that is known.
    ///
    /// ```
    /// # use imds_host::RoleCredentials;
    /// assert_eq!(RoleCredentials::new("ASIAEXAMPLE", "secret", "token").end(), None);
    /// ```
    pub fn end(&self) -> Option<SystemTime> {
        self.end
    }

    /// The three texts: id, secret, token.
    pub(crate) fn texts(&self) -> [&str; 3] {
        [&self.access_key_id, &self.secret_access_key, &self.session_token].map(|text| text.as_str())
    }
}

impl fmt::Debug for RoleCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoleCredentials(redacted)")
    }
}
