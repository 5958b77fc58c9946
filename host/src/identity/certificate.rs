use std::fmt;

use super::asn1::*;

/// A certificate with which clients check signatures of identity documents.
///
/// EC2 has three in each region, one for each signature, and so do
/// [`IdentityKeys`](crate::IdentityKeys).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its name in EC2's documentation: `dsa` for `pkcs7`, `rsa` for `signature`,
    /// `rsa2048` for `rsa2048`.
    pub name: &'static str,
    pub(super) der: Vec<u8>,
}

impl Certificate {
    /// A certificate that signs itself.
    ///
    /// It is a function of the key alone, so that the key is all that has to
    /// be kept.
    pub(super) fn new(
        name: &'static str,
        algorithm: &[u8],
        public_key_info: &[u8],
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Self {
        // Two centuries: a stand-in is not to fail because a year has passed.
        let validity = value(SEQUENCE, &[&time(1_262_304_000_000), &time(7_258_118_400_000)]);
        let version = value(CONTEXT_0, &[&integer(&[2])]);
        let issuer = issuer();
        let serial = serial(public_key_info);
        let to_sign = value(SEQUENCE, &[&version, &serial, algorithm, &issuer, &validity, &issuer, public_key_info]);
        let signature = value(BIT_STRING, &[&[0], &sign(&to_sign)]);
        Self { name, der: value(SEQUENCE, &[&to_sign, algorithm, &signature]) }
    }

    /// The certificate in PEM, as `openssl` reads it.
    ///
    /// ```
    /// # let keys = imds_host::IdentityKeys::generate()?;
    /// let [dsa, rsa, rsa2048] = keys.certificates();
    /// assert!(dsa.to_pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn to_pem(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use base64::Engine as _;
        writeln!(f, "-----BEGIN CERTIFICATE-----")?;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.der);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            writeln!(f, "{line}")?;
            rest = after;
        }
        writeln!(f, "-----END CERTIFICATE-----")
    }
}

/// The issuer that EC2's certificates name.
fn issuer() -> Vec<u8> {
    let parts = [
        name_part(COUNTRY, "US"),
        name_part(STATE, "Washington State"),
        name_part(LOCALITY, "Seattle"),
        name_part(ORGANIZATION, "Amazon Web Services LLC"),
    ];
    value(SEQUENCE, &[&parts.concat()])
}

/// Nine bytes with the sign, as EC2's have, made from the key.
fn serial(public_key_info: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    let mut digits = [0; 8];
    digits.copy_from_slice(&sha2::Sha256::digest(public_key_info)[..8]);
    digits[0] |= 0x80;
    integer(&digits)
}

/// Issuer and serial number, by which a signature names its certificate.
pub(super) fn signer(public_key_info: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[&issuer(), &serial(public_key_info)])
}
