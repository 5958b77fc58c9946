use std::fmt;

use crate::error::Error;
use crate::identity::IdentitySigning;

/// What the operator of a shell decides, as opposed to what the instance is.
///
/// ```
/// let settings = imds_host::Settings {
///     allowed_hosts: vec!["imds.example.com".into()],
///     ..Default::default()
/// };
/// assert!(settings.token_secret.is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The secret behind the session tokens; without one, each opened instance
    /// gets its own from the operating system, and its tokens end with it.
    pub token_secret: Option<Secret>,
    /// Names that may stand in `Host` besides addresses and local names;
    /// without a port. `*` allows every name.
    pub allowed_hosts: Vec<String>,
    /// Who signs the identity document.
    pub identity_signing: IdentitySigning,
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
    /// A secret that is shared between replicas; at least 16 bytes, else
    /// opening an instance fails.
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
    /// Fails where there is none to be had, with [`Error::System`].
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
