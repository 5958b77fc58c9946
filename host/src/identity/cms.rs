//! The CMS messages `pkcs7` and `rsa2048`: the layout of EC2's, byte for byte
//! in length.
//!
//! Source: a body published in 2020 shows indefinite lengths, the content as a
//! constructed octet string and no certificates; sizes recorded in 2026-09 are
//! those of this layout with four signed attributes. Bodies of `rsa2048` from
//! 2022 and 2026 name the signature algorithm sha256WithRSAEncryption with a NULL
//! parameter, in both places, and the one of 2026 has SHA-256 without a parameter.

use super::asn1::*;

/// What one kind of message is made with.
pub(super) struct Scheme<'k> {
    /// The digest's name and parameter.
    pub(super) digest: Vec<u8>,
    /// The signature algorithm's name and parameter.
    pub(super) signature: Vec<u8>,
    /// The digest of some bytes.
    pub(super) hash: fn(&[u8]) -> Vec<u8>,
    /// The issuer and the serial number of the signer's certificate.
    pub(super) signer: Vec<u8>,
    /// Signs bytes.
    pub(super) sign: &'k dyn Fn(&[u8]) -> Vec<u8>,
}

/// Signs `document` as of `signing_time_ms`; the document is inside.
pub(super) fn signed_data(document: &[u8], signing_time_ms: u64, scheme: &Scheme<'_>) -> Vec<u8> {
    // The tag of the context stands in place of the sequence's.
    let algorithm = [&[CONTEXT_1], &scheme.signature[1..]].concat();
    let protection = value(SEQUENCE, &[&scheme.digest, &algorithm]);
    let mut attributes = [
        attribute(CONTENT_TYPE, &oid(DATA)),
        attribute(SIGNING_TIME, &time(signing_time_ms)),
        attribute(ALGORITHM_PROTECTION, &protection),
        attribute(MESSAGE_DIGEST, &value(OCTET_STRING, &[&(scheme.hash)(document)])),
    ];
    // The members of a SET stand in the order of their bytes.
    attributes.sort();
    let attributes = attributes.concat();
    // What is signed has the tag of a SET, what is sent the context tag.
    let signature = (scheme.sign)(&value(SET, &[&attributes]));
    let signer_info = value(
        SEQUENCE,
        &[
            &integer(&[1]),
            &scheme.signer,
            &scheme.digest,
            &value(CONTEXT_0, &[&attributes]),
            &scheme.signature,
            &value(OCTET_STRING, &[&signature]),
        ],
    );
    let content = indefinite(0x24, &[&value(OCTET_STRING, &[document])]);
    let encapsulated = indefinite(SEQUENCE, &[&oid(DATA), &indefinite(CONTEXT_0, &[&content])]);
    let signed = indefinite(
        SEQUENCE,
        &[&integer(&[1]), &value(SET, &[&scheme.digest]), &encapsulated, &value(SET, &[&signer_info])],
    );
    indefinite(SEQUENCE, &[&oid(SIGNED_DATA), &indefinite(CONTEXT_0, &[&signed])])
}

fn attribute(name: Oid, content: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[&oid(name), &value(SET, &[content])])
}
