use std::fmt;

use crate::error::Error;
use crate::identity::IdentitySigning;

/// What the operator decides, as opposed to what the instance is.
///
/// ```
/// use imds_host::{Secret, Settings};
///
/// let settings = Settings::default().token_secret(Secret::random()?).allowed_hosts(["imds.example.com"]);
/// assert_eq!(settings.allowed_hosts, ["imds.example.com"]);
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The secret behind the session tokens. Without one, each opened instance gets its
    /// own from the operating system, and its tokens end with it.
    pub token_secret: Option<Secret>,
    /// Names that clients may use in `Host`, without a port, besides addresses and
    /// local names. `*` allows every name.
    pub allowed_hosts: Vec<String>,
    /// Who signs the identity document.
    pub identity_signing: IdentitySigning,
}

/// Each method returns the settings with one field changed.
impl Settings {
    /// Sets the secret behind the session tokens.
    #[must_use]
    pub fn token_secret(self, secret: Secret) -> Self {
        Self { token_secret: Some(secret), ..self }
    }

    /// Sets the names that clients may use in `Host`.
    #[must_use]
    pub fn allowed_hosts<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self { allowed_hosts: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets who signs the identity document.
    #[must_use]
    pub fn identity_signing(self, signing: IdentitySigning) -> Self {
        Self { identity_signing: signing, ..self }
    }
}

/// The secret behind the session tokens. It prints redacted.
///
/// ```
/// let secret = imds_host::Secret::new(b"0123456789abcdef");
/// assert_eq!(format!("{secret:?}"), "Secret(<16 bytes>)");
/// ```
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret that replicas share: at least 16 bytes, otherwise opening an instance
    /// fails.
    ///
    /// ```
    /// let secret = imds_host::Secret::new([7; 32]);
    /// # let _ = secret;
    /// ```
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// 32 bytes of the operating system's entropy.
    ///
    /// Fails with [`Error::System`] if there is none.
    ///
    /// ```
    /// imds_host::Secret::random()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn random() -> Result<Self, Error> {
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Error::System(std::io::Error::other(error)))?;
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(<{} bytes>)", self.0.len())
    }
}
