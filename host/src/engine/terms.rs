use crate::engine::settings::{Secret, Settings};
use crate::error::Error;
use crate::identity::IdentitySigning;

/// Settings in force: with a secret, and shared by all instances to which they
/// apply.
pub(crate) struct Terms {
    pub(crate) token_secret: Secret,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) identity_signing: IdentitySigning,
}

impl Terms {
    /// Fails where a secret is to be made and the system has no entropy.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            token_secret: match &settings.token_secret {
                Some(secret) => secret.clone(),
                None => Secret::random()?,
            },
            allowed_hosts: settings.allowed_hosts.clone(),
            identity_signing: settings.identity_signing.clone(),
        })
    }

    /// Whether keys that sign identity documents are made at need.
    pub(crate) fn makes_keys(&self) -> bool {
        !matches!(self.identity_signing, IdentitySigning::With(_) | IdentitySigning::Never)
    }
}
