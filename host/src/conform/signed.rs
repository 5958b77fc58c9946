//! Signatures of the identity document, as a client reads and verifies them: CMS
//! (RFC 5652), and the certificates of the signers (RFC 5280).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::ber::{CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, Value};

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SHA_1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];

/// A CMS message with one signer.
pub struct Signed<'b> {
    /// The content.
    pub content: Vec<u8>,
    /// Whether its outermost values have indefinite lengths, as in EC2's messages.
    pub is_indefinite: bool,
    /// Whether it contains certificates, which EC2's messages do not.
    pub has_certificates: bool,
    digest: &'b [u8],
    /// Issuer and serial number of the signer's certificate, as encoded.
    signer: &'b [u8],
    /// As encoded, under the context tag.
    attributes: Option<Value<'b>>,
    signature: &'b [u8],
}

impl<'b> Signed<'b> {
    /// Reads `bytes` as exactly one message.
    pub fn read(bytes: &'b [u8]) -> Option<Self> {
        let outer = Value::of(bytes)?.tagged(SEQUENCE)?;
        let [kind, content] = outer.parts()?[..] else { return None };
        is_oid(kind, SIGNED_DATA).then_some(())?;
        let signed_data = only(content.tagged(CONTEXT_0)?)?.tagged(SEQUENCE)?;
        let parts = signed_data.parts()?;
        let [_version, _digests, encapsulated, ..] = parts[..] else { return None };
        let [kind, content] = encapsulated.tagged(SEQUENCE)?.parts()?[..] else { return None };
        is_oid(kind, DATA).then_some(())?;
        let signer = only(parts.last()?.tagged(SET)?)?.tagged(SEQUENCE)?.parts()?;
        let [_version, id, digest, ref rest @ ..] = signer[..] else { return None };
        let (attributes, rest) = match rest {
            [attributes, rest @ ..] if attributes.tag == CONTEXT_0 => (Some(*attributes), rest),
            rest => (None, rest),
        };
        let [_algorithm, signature, ..] = rest else { return None };
        Some(Self {
            content: only(content.tagged(CONTEXT_0)?)?.octets()?,
            is_indefinite: outer.is_indefinite && signed_data.is_indefinite,
            has_certificates: parts[3..].iter().any(|part| part.tag == CONTEXT_0),
            digest: digest.tagged(SEQUENCE)?.parts()?.first()?.tagged(OBJECT_IDENTIFIER)?.content,
            signer: id.tagged(SEQUENCE)?.content,
            attributes,
            signature: signature.tagged(OCTET_STRING)?.content,
        })
    }

    /// Whether the digest is SHA-1, as in `pkcs7`, or SHA-256, as in `rsa2048`.
    pub fn is_digested_by(&self, kind: Kind) -> bool {
        self.digest == if kind == Kind::Dsa { SHA_1 } else { SHA_256 }
    }

    /// How many attributes are signed.
    pub fn attributes(&self) -> usize {
        self.attributes.and_then(|attributes| attributes.parts()).map_or(0, |parts| parts.len())
    }

    /// Whether the signature covers the content: the signed attributes include its digest.
    pub fn holds_what_is_signed(&self) -> bool {
        let Some(attributes) = self.attributes else { return true };
        let digest = |value: &Value<'_>| {
            let [name, values] = value.parts()?[..] else { return None };
            is_oid(name, MESSAGE_DIGEST).then_some(())?;
            only(values)?.octets()
        };
        let told = attributes.parts().unwrap_or_default().iter().find_map(digest);
        told.zip(hash(self.digest, &self.content)).is_some_and(|(told, hashed)| told == hashed)
    }

    /// Whether the signature verifies by a certificate.
    pub fn is_signed_by(&self, certificate: &Certificate) -> bool {
        // The signed bytes have the tag of a SET and a definite length.
        let to_verify = match self.attributes {
            Some(attributes) => set_of(attributes.content),
            None => self.content.clone(),
        };
        certificate.verifies(self.digest, &to_verify, self.signature)
    }

    /// Whether it names this certificate as its signer's.
    pub fn names(&self, certificate: &Certificate) -> bool {
        self.signer == certificate.name
    }
}

/// The digest of bytes; `None` if its algorithm is none of EC2's.
fn hash(digest: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    match digest {
        SHA_1 => Some(Sha1::digest(bytes).to_vec()),
        SHA_256 => Some(Sha256::digest(bytes).to_vec()),
        _ => None,
    }
}

/// A SET in DER, whose length has as few bytes as possible.
fn set_of(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte > 0).unwrap_or(length.len() - 1)..];
    let head = match *length {
        [short] if short < 0x80 => vec![SET, short],
        _ => [&[SET, 0x80 | length.len() as u8], length].concat(),
    };
    [&head, content].concat()
}

fn is_oid(value: Value<'_>, oid: &[u8]) -> bool {
    value.tag == OBJECT_IDENTIFIER && value.content == oid
}

/// The only value inside another.
fn only(value: Value<'_>) -> Option<Value<'_>> {
    match value.parts()?[..] {
        [part] => Some(part),
        _ => None,
    }
}

/// The kinds of keys that sign documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Dsa,
    Rsa,
}

/// A certificate that clients verify signatures with.
pub struct Certificate {
    /// Issuer and serial number.
    name: Vec<u8>,
    key: Key,
}

enum Key {
    Dsa(Box<dsa::VerifyingKey>),
    Rsa(RsaPublicKey),
}

impl Certificate {
    /// The certificates in a PEM text whose kind of key is known here.
    pub fn all(pem: &[u8]) -> Vec<Self> {
        let text = String::from_utf8_lossy(pem);
        let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
        blocks
            .filter_map(|block| {
                let body: String = block.split("-----END").next()?.split_whitespace().collect();
                Self::read(&STANDARD.decode(body).ok()?)
            })
            .collect()
    }

    fn read(der: &[u8]) -> Option<Self> {
        let certificate = Value::of(der)?.tagged(SEQUENCE)?.parts()?;
        let parts = certificate.first()?.tagged(SEQUENCE)?.parts()?;
        // Certificates of version 1 do not state the version.
        let parts = if parts.first()?.tag == CONTEXT_0 { &parts[1..] } else { &parts[..] };
        let [serial, _algorithm, issuer, _validity, _subject, key, ..] = parts else { return None };
        let key = match RsaPublicKey::from_public_key_der(key.whole) {
            Ok(key) => Key::Rsa(key),
            Err(_) => Key::Dsa(Box::new(dsa::VerifyingKey::from_public_key_der(key.whole).ok()?)),
        };
        Some(Self { name: [issuer.whole, serial.tagged(INTEGER)?.whole].concat(), key })
    }

    /// The kind of its key.
    pub fn kind(&self) -> Kind {
        match self.key {
            Key::Dsa(_) => Kind::Dsa,
            Key::Rsa(_) => Kind::Rsa,
        }
    }

    /// Whether a bare signature over SHA-256 verifies by the key.
    pub fn verifies_bare(&self, message: &[u8], signature: &[u8]) -> bool {
        self.kind() == Kind::Rsa && self.verifies(SHA_256, message, signature)
    }

    fn verifies(&self, digest: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Some(hashed) = hash(digest, message) else { return false };
        match &self.key {
            Key::Dsa(key) => dsa::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify_prehash(&hashed, &signature).is_ok()),
            Key::Rsa(key) if digest == SHA_1 => key.verify(Pkcs1v15Sign::new::<Sha1>(), &hashed, signature).is_ok(),
            Key::Rsa(key) => key.verify(Pkcs1v15Sign::new::<Sha256>(), &hashed, signature).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_none() {
        for bytes in [&[][..], &[0x30, 0], &[0x30, 0x80, 0, 0], b"MIAGCSqGSIb3DQEHAqCA", &[0x30, 0x80].repeat(2000)] {
            assert!(Signed::read(bytes).is_none());
        }
        assert!(Certificate::all(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").is_empty());
        assert!(Certificate::all(b"\xff").is_empty());
    }

    #[test]
    fn a_set_has_as_few_digits_as_it_needs() {
        assert!(set_of(&[0; 3]).starts_with(&[0x31, 3]));
        assert!(set_of(&[0; 200]).starts_with(&[0x31, 0x81, 200]));
        assert!(set_of(&[0; 300]).starts_with(&[0x31, 0x82, 1, 44]));
    }
}
