use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use dsa::signature::SignatureEncoding;
use dsa::signature::hazmat::PrehashVerifier;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::Signatures;
use super::asn1::{DSA_WITH_SHA_1, NULL, RSA_WITH_SHA_256, SHA_1, SHA_256, algorithm};
use super::certificate::{self, Certificate};
use super::cms::{Scheme, signed_data};
use super::dsa_parameters;
use crate::error::Error;
use crate::redact::Printable;

/// The keys that sign identity documents: DSA-1024, RSA-1024 and RSA-2048, the
/// kinds that EC2 uses in each region. They print redacted.
///
/// They prove something only to clients that have their
/// [`certificates`](Self::certificates).
///
/// ```
/// use std::sync::Arc;
/// use imds_host::{IdentityKeys, IdentitySigning, Settings};
///
/// let keys = IdentityKeys::generate()?;
/// let kept = keys.to_pem()?;
/// let keys = IdentityKeys::from_pem(&kept)?;
/// let settings = Settings::default().identity_signing(IdentitySigning::With(Arc::new(keys)));
/// # let _ = settings;
/// # Ok::<_, imds_host::Error>(())
/// ```
pub struct IdentityKeys {
    dsa: dsa::SigningKey,
    rsa: RsaPrivateKey,
    rsa2048: RsaPrivateKey,
}

impl IdentityKeys {
    /// Makes keys from the operating system's entropy, in about a second. The
    /// DSA key has domain parameters that all such keys share.
    ///
    /// Fails with [`Error::Identity`] if a key cannot be made.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self {
            dsa: dsa::SigningKey::generate(&mut OsRng, dsa_parameters::parameters()?),
            rsa: RsaPrivateKey::new(&mut OsRng, 1024).map_err(Error::identity)?,
            rsa2048: RsaPrivateKey::new(&mut OsRng, 2048).map_err(Error::identity)?,
        })
    }

    /// Reads keys that [`to_pem`](Self::to_pem) wrote: one of each kind, in any order,
    /// PKCS#8 without a password. It skips anything that is not a private key.
    ///
    /// Fails with [`Error::Identity`], which says which key is missing or unreadable.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let mut found = Found::default();
        for block in text.split("-----BEGIN ").skip(1) {
            found.read(block)?;
        }
        Ok(Self {
            dsa: found.dsa.ok_or_else(|| wrong("there is no DSA key of 1024 bits"))?,
            rsa: found.rsa.ok_or_else(|| wrong("there is no RSA key of 1024 bits"))?,
            rsa2048: found.rsa2048.ok_or_else(|| wrong("there is no RSA key of 2048 bits"))?,
        })
    }

    /// The keys as PEM. Keep them where only you can read them.
    pub fn to_pem(&self) -> Result<String, Error> {
        let keys = [
            self.dsa.to_pkcs8_pem(LineEnding::LF).map_err(Error::identity)?,
            self.rsa.to_pkcs8_pem(LineEnding::LF).map_err(Error::identity)?,
            self.rsa2048.to_pkcs8_pem(LineEnding::LF).map_err(Error::identity)?,
        ];
        Ok(keys.iter().map(|key| key.as_str()).collect())
    }

    /// The certificates with which clients check the signatures: for `pkcs7`, for
    /// `signature` and for `rsa2048`. Equal keys have equal certificates.
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
            signature: algorithm(RSA_WITH_SHA_256, NULL),
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

/// The keys found in a text so far.
#[derive(Default)]
struct Found {
    dsa: Option<dsa::SigningKey>,
    rsa: Option<RsaPrivateKey>,
    rsa2048: Option<RsaPrivateKey>,
}

impl Found {
    /// Reads one block of PEM, from behind its `-----BEGIN `.
    fn read(&mut self, block: &str) -> Result<(), Error> {
        const END: &str = "-----END PRIVATE KEY-----";
        let label = block.split("-----").next().unwrap_or_default();
        if label != "PRIVATE KEY" {
            return match label.ends_with("PRIVATE KEY") {
                true => Err(wrong(&format!(
                    "there is a key in the form {}; `openssl pkcs8 -topk8 -nocrypt` writes it as PRIVATE KEY",
                    Printable(label)
                ))),
                false => Ok(()),
            };
        }
        let end = block.find(END).ok_or_else(|| wrong("a private key is cut off"))? + END.len();
        let pem = format!("-----BEGIN {}", &block[..end]);
        if let Ok(key) = RsaPrivateKey::from_pkcs8_pem(&pem) {
            let (place, name) = match key.n().bits() {
                1024 => (&mut self.rsa, "RSA keys of 1024 bits"),
                2048 => (&mut self.rsa2048, "RSA keys of 2048 bits"),
                _ => return Err(wrong("there is an RSA key of neither 1024 nor 2048 bits")),
            };
            return put(place, key, name);
        }
        let unreadable = |_| wrong("there is a private key that is neither RSA nor DSA, or is damaged");
        let key = dsa::SigningKey::from_pkcs8_pem(&pem).map_err(unreadable)?;
        let components = key.verifying_key().components();
        if (components.p().bits(), components.q().bits()) != (1024, 160) {
            return Err(wrong("there is a DSA key of other sizes than 1024 and 160 bits"));
        }
        if !signs(&key) {
            return Err(wrong("the DSA key is damaged: it cannot verify what it signs"));
        }
        put(&mut self.dsa, key, "DSA keys")
    }
}

fn put<K>(place: &mut Option<K>, key: K, name: &str) -> Result<(), Error> {
    match place.replace(key) {
        None => Ok(()),
        Some(_) => Err(wrong(&format!("there are two {name}"))),
    }
}

/// Whether the parts of a key belong together; of RSA keys their reader checks it.
fn signs(key: &dsa::SigningKey) -> bool {
    let digest = Sha1::digest([]);
    let signature = key.sign_prehashed_rfc6979::<Sha1>(&digest);
    signature.is_ok_and(|signature| key.verifying_key().verify_prehash(&digest, &signature).is_ok())
}

fn wrong(what: &str) -> Error {
    Error::identity(io::Error::new(io::ErrorKind::InvalidData, what))
}

/// RSA over SHA-256 (PKCS#1 version 1.5).
///
/// With blinding: how long it takes tells nothing about the key (RUSTSEC-2023-0071).
/// The signature does not depend on what blinds it.
fn sign_rsa(key: &RsaPrivateKey, bytes: &[u8]) -> Vec<u8> {
    // Fails only for keys too short to hold the digest, which these are not.
    key.sign_with_rng(&mut OsRng, Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(bytes)).unwrap_or_default()
}

/// DSA over SHA-1, with the nonce of RFC 6979, so that it is the same each time.
fn sign_dsa(key: &dsa::SigningKey, bytes: &[u8]) -> Vec<u8> {
    // Fails only where the nonce gives zero, once in 2^160: keys that are read
    // are tried.
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

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;

    /// Made once: it takes a second.
    fn keys() -> &'static IdentityKeys {
        static KEYS: OnceLock<IdentityKeys> = OnceLock::new();
        KEYS.get_or_init(|| IdentityKeys::generate().unwrap())
    }

    const SIGNING_TIME_MS: u64 = 1_790_421_384_000;

    #[test]
    fn signatures_have_the_sizes_of_those_recorded() {
        let signatures = keys().sign(&[b'x'; 474], SIGNING_TIME_MS);
        assert_eq!(signatures.signature.len(), 172);
        assert_eq!(signatures.rsa2048.len(), 1468);
        // A DSA signature is two numbers of 20 bytes; where both need one more
        // for the sign (one in four), or are shorter (one in thousands), there
        // is a group of base64 more or less.
        assert!(matches!(signatures.pkcs7.len(), 1148 | 1152 | 1156), "{}", signatures.pkcs7.len());
    }

    /// Source: bodies of 2022 and 2026. RFC 5652 would allow rsaEncryption as well.
    #[test]
    fn rsa2048_names_its_algorithms_as_those_recorded() {
        const SHA_256_ALONE: &[u8] = &[0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
        const RSA_WITH_SHA_256_NULL: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];

        let message = STANDARD.decode(keys().sign(&[b'x'; 474], SIGNING_TIME_MS).rsa2048).unwrap();
        assert_eq!(message.len(), 1101);
        let has = |parts: &[&[u8]]| {
            let wanted = parts.concat();
            message.windows(wanted.len()).filter(|window| *window == wanted).count()
        };
        assert_eq!(has(&[SHA_256_ALONE]), 3, "of the message, of the signer and in CMSAlgorithmProtection");
        assert_eq!(has(&[SHA_256_ALONE, &[0xa1, 0x0d], RSA_WITH_SHA_256_NULL]), 1, "in CMSAlgorithmProtection");
        // Behind it, the signature of 256 bytes ends the one SignerInfo.
        assert_eq!(has(&[&[0x30, 0x0d], RSA_WITH_SHA_256_NULL, &[4, 0x82, 1, 0]]), 1, "of the signer");
        let rsa_encryption = &RSA_WITH_SHA_256_NULL[..10];
        assert_eq!(has(&[rsa_encryption, &[1]]), 0);
    }

    #[test]
    fn equal_documents_have_equal_signatures_under_kept_keys() {
        let kept = IdentityKeys::from_pem(&keys().to_pem().unwrap()).unwrap();
        let [first, again, other] = [(keys(), b"a"), (&kept, b"a"), (&kept, b"b")].map(|(keys, document)| {
            let Signatures { signature, pkcs7, rsa2048 } = keys.sign(document, SIGNING_TIME_MS);
            [signature, pkcs7, rsa2048]
        });
        assert_eq!(first, again);
        assert!(first.iter().zip(&other).all(|(first, other)| first != other));
        assert_eq!(keys().certificates(), kept.certificates());
        let names = kept.certificates().map(|certificate| certificate.name);
        assert_eq!(names, ["dsa", "rsa", "rsa2048"]);
    }

    #[test]
    fn keys_may_stand_in_any_order_and_among_other_things() {
        let pem = keys().to_pem().unwrap();
        let mut blocks: Vec<_> = pem.split_inclusive("-----END PRIVATE KEY-----\n").collect();
        blocks.reverse();
        let text = format!("my keys\r\n{}{}", keys().certificates()[0], blocks.join("# next\n"));
        assert_eq!(IdentityKeys::from_pem(&text).unwrap().to_pem().unwrap(), pem);
    }

    #[test]
    fn what_is_wrong_with_keys_is_said() {
        use std::error::Error as _;

        let pem = keys().to_pem().unwrap();
        let blocks: Vec<_> = pem.split_inclusive("-----END PRIVATE KEY-----\n").collect();
        let [dsa, rsa, rsa2048] = blocks[..] else { panic!("{}", blocks.len()) };
        let small = RsaPrivateKey::new(&mut OsRng, 512).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap();
        for (text, said) in [
            ("".to_owned(), "no DSA key of 1024 bits"),
            (format!("{dsa}{rsa2048}"), "no RSA key of 1024 bits"),
            (format!("{dsa}{rsa}"), "no RSA key of 2048 bits"),
            (format!("{dsa}{rsa}{rsa}"), "two RSA keys of 1024 bits"),
            (format!("{dsa}{}", small.as_str()), "neither 1024 nor 2048 bits"),
            (rsa.replace("PRIVATE", "RSA PRIVATE"), "in the form RSA PRIVATE KEY"),
            (rsa[..200].to_owned(), "cut off"),
            (rsa.replacen("M", "", 1), "neither RSA nor DSA, or is damaged"),
        ] {
            let error = IdentityKeys::from_pem(&text).unwrap_err();
            let source = error.source().unwrap().to_string();
            assert!(source.contains(said), "{said}: {source}");
            assert!(!source.contains("MI"), "{source}");
        }
    }

    #[test]
    fn keys_print_redacted() {
        assert_eq!(format!("{:?}", keys()), "IdentityKeys(..)");
    }
}
