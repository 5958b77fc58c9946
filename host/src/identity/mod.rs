//! Signatures of the identity document: keys, certificates, CMS.
//!
//! What must be signed, and when it was signed, the component says; where the
//! signatures stand, too. This module makes them.

mod asn1;
mod certificate;
mod cms;
mod dsa_parameters;
mod key_maker;
mod keys;

use std::fmt;
use std::sync::Arc;

pub use self::certificate::Certificate;
pub use self::key_maker::KeyMaker;
pub use self::keys::IdentityKeys;

/// Who signs the identity document.
///
/// ```
/// use imds_host::{IdentitySigning, Settings};
///
/// let settings = Settings::default().identity_signing(IdentitySigning::Never);
/// # let _ = settings;
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum IdentitySigning {
    /// Keys that the runtime makes at the first request for a signature, which takes
    /// about a second, and forgets when it ends. To make them earlier, call
    /// [`Instance::sign_ahead`](crate::Instance::sign_ahead).
    #[default]
    AtFirstNeed,
    /// Keys that this makes at the first request for a signature, or earlier as above.
    MadeBy(KeyMaker),
    /// These keys.
    With(Arc<IdentityKeys>),
    /// Never sign: only the signatures in the description are served.
    Never,
}

impl fmt::Debug for IdentitySigning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtFirstNeed => "AtFirstNeed",
            Self::MadeBy(_) => "MadeBy(..)",
            Self::With(_) => "With(..)",
            Self::Never => "Never",
        })
    }
}

/// The three signatures of one document, each in base64.
pub(crate) struct Signatures {
    /// RSA-1024 over SHA-256, bare.
    pub(crate) signature: String,
    /// CMS with DSA-1024 over SHA-1.
    pub(crate) pkcs7: String,
    /// CMS with RSA-2048 over SHA-256.
    pub(crate) rsa2048: String,
}
