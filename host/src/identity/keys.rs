use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use dsa::signature::SignatureEncoding;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::Signatures;
use super::asn1::{DSA_WITH_SHA_1, NULL, RSA, RSA_WITH_SHA_256, SHA_1, SHA_256, algorithm};
use super::certificate::{self, Certificate};
use super::cms::{Scheme, signed_data};
use crate::error::Error;

/// The keys that sign identity documents: DSA-1024, RSA-1024 and RSA-2048, the
/// kinds that EC2 uses in each region. They print redacted.
///
/// They prove nothing to anybody but who was given their
/// [`certificates`](Self::certificates).
///
/// ```
/// use std::sync::Arc;
/// use imds_host::{IdentityKeys, IdentitySigning, Settings};
///
/// let keys = IdentityKeys::generate()?;
/// let kept = keys.to_pem()?;
/// let keys = IdentityKeys::from_pem(&kept)?;
/// let settings = Settings { identity_signing: IdentitySigning::With(Arc::new(keys)), ..Settings::default() };
/// # let _ = settings;
/// # Ok::<_, imds_host::Error>(())
/// ```
pub struct IdentityKeys {
    dsa: dsa::SigningKey,
    rsa: RsaPrivateKey,
    rsa2048: RsaPrivateKey,
}

impl IdentityKeys {
    /// Makes keys from the operating system's entropy, in about a second.
    ///
    /// Fails with [`Error::Identity`] where a key cannot be made.
    pub fn generate() -> Result<Self, Error> {
        let mut entropy = rsa::rand_core::OsRng;
        // Deprecated for real secrets; EC2 signs with it, and so do we.
        #[allow(deprecated)]
        let components = dsa::Components::generate(&mut entropy, dsa::KeySize::DSA_1024_160);
        Ok(Self {
            dsa: dsa::SigningKey::generate(&mut entropy, components),
            rsa: RsaPrivateKey::new(&mut entropy, 1024).map_err(Error::identity)?,
            rsa2048: RsaPrivateKey::new(&mut entropy, 2048).map_err(Error::identity)?,
        })
    }

    /// Reads keys that [`to_pem`](Self::to_pem) wrote: one of each kind, in any
    /// order, PKCS#8.
    ///
    /// Fails with [`Error::Identity`], which says which key is missing or
    /// cannot be read.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
        let wrong = |what: &str| Error::identity(io::Error::new(io::ErrorKind::InvalidData, what));
        let (mut dsa, mut rsa, mut rsa2048) = (None, None, None);
        for block in text.split(BEGIN).skip(1) {
            let pem = format!("{BEGIN}{block}");
            match RsaPrivateKey::from_pkcs8_pem(pem.trim()) {
                Ok(key) if key.size() == 128 => rsa = Some(key),
                Ok(key) if key.size() == 256 => rsa2048 = Some(key),
                Ok(_) => return Err(wrong("there is an RSA key of neither 1024 nor 2048 bits")),
                Err(_) => match dsa::SigningKey::from_pkcs8_pem(pem.trim()) {
                    Ok(key) => dsa = Some(key),
                    Err(_) => return Err(wrong("there is a private key that is neither RSA nor DSA in PKCS#8")),
                },
            }
        }
        Ok(Self {
            dsa: dsa.ok_or_else(|| wrong("there is no DSA key of 1024 bits"))?,
            rsa: rsa.ok_or_else(|| wrong("there is no RSA key of 1024 bits"))?,
            rsa2048: rsa2048.ok_or_else(|| wrong("there is no RSA key of 2048 bits"))?,
        })
    }

    /// The keys as PEM, to be kept where nobody else reads them.
    pub fn to_pem(&self) -> Result<String, Error> {
        let keys = [
            self.dsa.to_pkcs8_pem(LineEnding::LF).map_err(Error::identity)?,
            self.rsa.to_pkcs8_pem(LineEnding::LF).map_err(Error::identity)?,
            self.rsa2048.to_pkcs8_pem(LineEnding::LF).map_err(Error::identity)?,
        ];
        Ok(keys.iter().map(|key| key.as_str()).collect())
    }

    /// The certificates with which clients check the signatures: for `pkcs7`,
    /// for `signature` and for `rsa2048`. Always the same for the same keys.
    pub fn certificates(&self) -> [Certificate; 3] {
        let rsa_algorithm = algorithm(RSA_WITH_SHA_256, NULL);
        let dsa_algorithm = algorithm(DSA_WITH_SHA_1, &[]);
        [
            Certificate::new("dsa", &dsa_algorithm, &dsa_info(&self.dsa), |bytes| sign_dsa(&self.dsa, bytes)),
            Certificate::new("rsa", &rsa_algorithm, &rsa_info(&self.rsa), |bytes| sign_rsa(&self.rsa, bytes)),
            Certificate::new("rsa2048", &rsa_algorithm, &rsa_info(&self.rsa2048), |bytes| {
                sign_rsa(&self.rsa2048, bytes)
            }),
        ]
    }

    /// Signs a document. Equal arguments give equal signatures.
    pub(crate) fn sign(&self, document: &[u8], signing_time_ms: u64) -> Signatures {
        let pkcs7 = Scheme {
            digest: algorithm(SHA_1, NULL),
            signature: algorithm(DSA_WITH_SHA_1, &[]),
            hash: |bytes| Sha1::digest(bytes).to_vec(),
            signer: certificate::signer(&dsa_info(&self.dsa)),
            sign: &|bytes| sign_dsa(&self.dsa, bytes),
        };
        let rsa2048 = Scheme {
            digest: algorithm(SHA_256, &[]),
            signature: algorithm(RSA, NULL),
            hash: |bytes| Sha256::digest(bytes).to_vec(),
            signer: certificate::signer(&rsa_info(&self.rsa2048)),
            sign: &|bytes| sign_rsa(&self.rsa2048, bytes),
        };
        Signatures {
            signature: STANDARD.encode(sign_rsa(&self.rsa, document)),
            pkcs7: STANDARD.encode(signed_data(document, signing_time_ms, &pkcs7)),
            rsa2048: STANDARD.encode(signed_data(document, signing_time_ms, &rsa2048)),
        }
    }
}

/// RSA over SHA-256 (PKCS#1 version 1.5).
fn sign_rsa(key: &RsaPrivateKey, bytes: &[u8]) -> Vec<u8> {
    // Fails only for keys too short to hold the digest, which these are not.
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(bytes)).unwrap_or_default()
}

/// DSA over SHA-1, with the nonce of RFC 6979, so that it is the same each time.
fn sign_dsa(key: &dsa::SigningKey, bytes: &[u8]) -> Vec<u8> {
    // Fails only where the nonce gives zero, once in 2^160.
    let signature = key.sign_prehashed_rfc6979::<Sha1>(&Sha1::digest(bytes));
    signature.map(|signature| signature.to_vec()).unwrap_or_default()
}

fn rsa_info(key: &RsaPrivateKey) -> Vec<u8> {
    // Encoding a key that exists has no case that fails.
    key.to_public_key().to_public_key_der().map(|der| der.into_vec()).unwrap_or_default()
}

fn dsa_info(key: &dsa::SigningKey) -> Vec<u8> {
    key.verifying_key().to_public_key_der().map(|der| der.into_vec()).unwrap_or_default()
}

impl fmt::Debug for IdentityKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKeys(..)")
    }
}
