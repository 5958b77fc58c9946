//! `dynamic/`: the identity document with its signatures, and monitoring.

use super::Shelf;
use crate::description::{ProductCodeType, Switch};
use crate::facts::Facts;
use crate::instance::Signatures;
use crate::pretty::{Value, object};
use crate::refreshes::Refreshes;
use crate::tree::Content;

pub fn put(shelf: &mut Shelf, facts: &Facts, shell_signs: bool) {
    if facts.monitoring == Switch::Enabled {
        shelf.text("dynamic/fws/instance-monitoring", "2009-04-04", "enabled");
    }
    let refreshes = Refreshes::of(&facts.instance_id, facts.launch_time);
    let document = Content::Refreshed(refreshes, identity_document(facts));
    shelf.put("dynamic/instance-identity/document", "2009-04-04", document);
    let signatures = [
        ("pkcs7", &facts.signatures.pkcs7, Signature::Pkcs7),
        ("rsa2048", &facts.signatures.rsa2048, Signature::Rsa2048),
        ("signature", &facts.signatures.signature, Signature::Bare),
    ];
    for (name, signature, kind) in signatures {
        let path = format!("dynamic/instance-identity/{name}");
        match signature {
            // UNRECORDED: when a signature was published; with the document that it signs.
            Some(base64) => {
                shelf.put(&path, "2009-04-04", Content::Refreshed(refreshes, in_columns(base64.as_str())));
            }
            // DIFFERENCE: where nobody signs, EC2's three signatures are missing.
            None if shell_signs => shelf.put(&path, "2009-04-04", Content::Unsigned(kind, refreshes)),
            None => {}
        }
    }
}

/// A signature of the identity document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// RSA with SHA-256 over the document.
    Bare,
    /// A CMS message with a DSA signature.
    Pkcs7,
    /// A CMS message with an RSA-2048 signature.
    Rsa2048,
}

impl Signature {
    /// The one of these signatures, as the service shows it.
    pub fn of(self, signatures: &Signatures) -> String {
        in_columns(match self {
            Signature::Bare => &signatures.signature,
            Signature::Pkcs7 => &signatures.pkcs7,
            Signature::Rsa2048 => &signatures.rsa2048,
        })
    }
}

/// What the signatures of an identity document are made from. Equal texts have
/// equal signing times, so that a shell can keep signatures by the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityDocument {
    /// The document.
    pub text: String,
    /// The signing time that the signatures tell, in milliseconds since the Unix
    /// epoch.
    pub signing_time_ms: u64,
}

/// Recorded: the signing time falls seconds after the launch.
const SIGNED_SECONDS_AFTER_LAUNCH: u64 = 2;

impl IdentityDocument {
    /// That of an instance.
    pub(crate) fn of(facts: &Facts) -> IdentityDocument {
        // The text tells the launch time to the second, so the signing time has no more.
        let launched = facts.launch_time.whole_seconds();
        IdentityDocument {
            text: identity_document(facts),
            signing_time_ms: launched.plus_seconds(SIGNED_SECONDS_AFTER_LAUNCH).as_ms(),
        }
    }
}

/// The identity document: field order, layout and version as recorded.
fn identity_document(facts: &Facts) -> String {
    let text = |text: &str| Value::Text(text.to_owned());
    let optional = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    let texts = |texts: Vec<String>| if texts.is_empty() { Value::Null } else { Value::Texts(texts) };
    let codes = |kind: ProductCodeType| {
        let of_kind = facts.product_codes.iter().filter(|(_, code_kind)| *code_kind == kind);
        texts(of_kind.map(|(code, _)| code.clone()).collect())
    };
    object(&[
        ("accountId", text(&facts.owner_id)),
        ("architecture", text(facts.architecture.as_str())),
        ("availabilityZone", text(&facts.zone)),
        ("billingProducts", texts(facts.billing_products.clone())),
        ("devpayProductCodes", codes(ProductCodeType::Devpay)),
        ("marketplaceProductCodes", codes(ProductCodeType::Marketplace)),
        ("imageId", text(&facts.image_id)),
        ("instanceId", text(&facts.instance_id)),
        ("instanceType", text(&facts.instance_type)),
        ("kernelId", optional(facts.kernel_id.clone())),
        ("pendingTime", text(&facts.launch_time.rfc3339())),
        ("privateIp", optional(facts.private_ip_address().map(|address| address.to_string()))),
        ("ramdiskId", optional(facts.ramdisk_id.clone())),
        ("region", text(&facts.region.name)),
        ("version", text("2017-09-30")),
    ])
}

/// Base64 in lines of 76 characters, without a last line end.
fn in_columns(base64: &str) -> String {
    let mut lines = String::new();
    for (index, character) in base64.chars().filter(|character| !character.is_whitespace()).enumerate() {
        if index > 0 && index % 76 == 0 {
            lines.push('\n');
        }
        lines.push(character);
    }
    lines
}
