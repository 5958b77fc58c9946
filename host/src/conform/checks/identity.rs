//! The identity document and its signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::crawl::Entry;
use super::super::judge::{CAPTURE, rule, shown};
use super::super::signed::{Certificate, Kind, Signed};
use super::super::{Area, Asked, Check, Evidence, Stop, Subject, forms, json, not_applicable};

const FOLDER: &str = "dynamic/instance-identity";
const GUIDE: &str = "EC2 user guide, \"Verify the instance identity document\"";

pub const CHECKS: &[Check] = &[
    Check::of_case("identity-folder-lists-document-and-signatures", Area::Identity, folder),
    Check::of_case("identity-dsa2048-is-gone", Area::Identity, |subject| {
        document(subject)?;
        subject.is_not_found(subject.get(&format!("/latest/{FOLDER}/dsa2048"))?).map(|_| ())
    }),
    Check::of_case("identity-document-has-fifteen-fields", Area::Identity, fifteen_fields),
    Check::of_case("identity-document-tells-codes-as-arrays", Area::Identity, codes),
    Check::of_case("identity-document-tells-the-architecture", Area::Identity, architecture),
    Check::of_case("identity-document-is-the-same-at-all-times", Area::Identity, |subject| {
        is_the_same(document(subject)?, subject.get(&format!("/latest/{FOLDER}/document"))?)
    }),
    Check::of_case("identity-document-is-the-same-in-every-version", Area::Identity, |subject| {
        let document = document(subject)?;
        let versions = subject.versions()?;
        for version in [versions.from("2009-04-04"), versions.before("3")].into_iter().flatten() {
            is_the_same(document, subject.get(&format!("/{version}/{FOLDER}/document/"))?)?;
        }
        Ok(())
    }),
    Check::of_case("identity-signatures-from-2009-04-04", Area::Identity, |subject| {
        let document = signature(subject, "signature")?;
        let versions = subject.versions()?;
        if let Some(first) = versions.from("2009-04-04") {
            is_the_same(document, subject.get(&format!("/{first}/{FOLDER}/signature"))?)?;
        }
        if let Some(before) = versions.before("2009-04-04") {
            subject.is_not_found(subject.get(&format!("/{before}/{FOLDER}/signature"))?)?;
        }
        Ok(())
    }),
    Check::of_case("identity-signatures-stand-in-lines-of-76", Area::Identity, lines_of_76),
    own(
        "identity-signatures-are-the-same-at-each-read",
        Evidence::Recorded,
        "Repeated requests for a signature return the same bytes.",
        CAPTURE,
        |subject| {
            for name in ["signature", "pkcs7", "rsa2048"] {
                is_the_same(signature(subject, name)?, subject.get(&format!("/latest/{FOLDER}/{name}"))?)?;
            }
            Ok(())
        },
    ),
    own(
        "identity-signature-is-of-1024-bits",
        Evidence::Recorded,
        "`signature` is 128 bytes in base64.",
        CAPTURE,
        |subject| {
            let (entry, bytes) = decoded(subject, "signature")?;
            if bytes.len() == 128 {
                return Ok(());
            }
            Err(entry.asked.broken("128 bytes in base64", format!("{} bytes", bytes.len())))
        },
    ),
    own(
        "identity-pkcs7-holds-the-document",
        Evidence::Documented,
        "`pkcs7` is a CMS message that contains the document and signs its digest.",
        GUIDE,
        |subject| holds_the_document(subject, "pkcs7"),
    ),
    own(
        "identity-rsa2048-holds-the-document",
        Evidence::Documented,
        "`rsa2048` is a CMS message that contains the document and signs its digest.",
        GUIDE,
        |subject| holds_the_document(subject, "rsa2048"),
    ),
    own(
        "identity-messages-have-the-layout-of-ec2",
        Evidence::Inferred,
        "The CMS messages have indefinite lengths, no certificates and signed attributes, with SHA-1 in `pkcs7` and \
         SHA-256 in `rsa2048`.",
        "a body of 2020 (indefinite lengths, no certificates); sizes recorded in 2026-09",
        layout,
    ),
    own(
        "identity-signature-verifies",
        Evidence::Documented,
        "`signature` is an RSA signature over SHA-256 of the document.",
        GUIDE,
        verify_bare,
    ),
    own(
        "identity-pkcs7-verifies",
        Evidence::Documented,
        "`pkcs7` is signed by the DSA certificate that it names.",
        GUIDE,
        |subject| verify(subject, "pkcs7", Kind::Dsa),
    ),
    own(
        "identity-rsa2048-verifies",
        Evidence::Documented,
        "`rsa2048` is signed by the RSA certificate that it names.",
        GUIDE,
        |subject| verify(subject, "rsa2048", Kind::Rsa),
    ),
];

type Judge = fn(&Subject<'_>) -> Result<(), Stop>;

const fn own(id: &'static str, evidence: Evidence, says: &'static str, source: &'static str, judge: Judge) -> Check {
    Check::with_rule(id, Area::Identity, rule(says, source, evidence), judge)
}

fn document<'s>(subject: &'s Subject<'_>) -> Result<&'s Entry, Stop> {
    if subject.answers_all_paths_alike()? {
        return not_applicable("the endpoint answers all paths alike");
    }
    match subject.latest()?.find(&format!("{FOLDER}/document")) {
        Some(entry) => Ok(entry),
        None => not_applicable("the endpoint has no identity document"),
    }
}

fn signature<'s>(subject: &'s Subject<'_>, name: &str) -> Result<&'s Entry, Stop> {
    match subject.latest()?.find(&format!("{FOLDER}/{name}")) {
        Some(entry) => Ok(entry),
        None => not_applicable(format!("the endpoint has no {name} of the identity document")),
    }
}

fn folder(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.get(&format!("/latest/{FOLDER}/"))?.has_status(200)?;
    let text = asked.reply.text();
    if text == "document\npkcs7\nrsa2048\nsignature" {
        return Ok(());
    }
    Err(asked.broken("document, pkcs7, rsa2048 and signature, one on each line", shown(&text)))
}

fn is_the_same(first: &Entry, again: Asked) -> Result<(), Stop> {
    let again = again.has_status(200)?;
    if again.reply.body == first.asked.reply.body {
        return Ok(());
    }
    let (expected, got) = (first.asked.reply.body.len(), again.reply.body.len());
    Err(again.broken(format!("the {expected} bytes of the first read"), format!("other bytes, {got} of them")))
}

const FIELDS: [&str; 15] = [
    "accountId",
    "architecture",
    "availabilityZone",
    "billingProducts",
    "devpayProductCodes",
    "marketplaceProductCodes",
    "imageId",
    "instanceId",
    "instanceType",
    "kernelId",
    "pendingTime",
    "privateIp",
    "ramdiskId",
    "region",
    "version",
];

fn fifteen_fields(subject: &Subject<'_>) -> Result<(), Stop> {
    let entry = document(subject)?;
    let text = entry.text();
    let Some(fields) = json::Fields::of(&text) else {
        return Err(entry.asked.broken("a JSON object", format!("{} other bytes", text.len())));
    };
    if fields.names() != FIELDS {
        return Err(entry.asked.broken(FIELDS.join(", "), shown(&fields.names().join(", "))));
    }
    if !json::is_laid_out(&text) {
        let expected = "one field on each line, two spaces before it, spaces around the colon, no final line end";
        let is_good = |line: &str| matches!(line, "{" | "}") || (line.starts_with("  \"") && line.contains("\" : "));
        let got = match text.lines().find(|line| !is_good(line)) {
            _ if text.ends_with('\n') => "a line end at its end".to_owned(),
            Some(line) => shown(line),
            None => "another layout".to_owned(),
        };
        return Err(entry.asked.broken(expected, got));
    }
    let is = |name, is_good: fn(&str) -> bool| fields.text(name).is_some_and(is_good);
    let is_null = |name: &str| fields.0.iter().any(|(other, value)| other == name && value.is_null());
    let forms = [
        ("accountId", is("accountId", forms::is_account)),
        ("availabilityZone", is("availabilityZone", forms::is_zone)),
        ("imageId", is("imageId", |text| forms::is_id("ami", text))),
        ("instanceId", is("instanceId", |text| forms::is_id("i", text))),
        ("instanceType", is("instanceType", forms::is_instance_type)),
        ("kernelId", is_null("kernelId") || is("kernelId", |text| forms::is_id("aki", text))),
        ("pendingTime", is("pendingTime", |text| forms::time(text).is_some())),
        ("privateIp", is_null("privateIp") || is("privateIp", |text| forms::ipv4(text).is_some())),
        ("ramdiskId", is_null("ramdiskId") || is("ramdiskId", |text| forms::is_id("ari", text))),
        ("region", is("region", forms::is_region)),
        ("version", is("version", |text| text == "2017-09-30")),
    ];
    match forms.iter().find(|(_, is_good)| !is_good) {
        Some((name, _)) => {
            let got = shown(fields.text(name).unwrap_or("null"));
            Err(entry.asked.broken(format!("{name} in EC2's form"), got))
        }
        None => Ok(()),
    }
}

fn codes(subject: &Subject<'_>) -> Result<(), Stop> {
    let entry = document(subject)?;
    let text = entry.text();
    let fields = ["billingProducts", "devpayProductCodes", "marketplaceProductCodes"];
    let mut found = false;
    for field in fields {
        let value = json::Fields::of(&text).and_then(|fields| fields.0.into_iter().find(|(name, _)| name == field));
        let Some((_, Value::Array(codes))) = value else { continue };
        found = true;
        let quoted: Vec<String> = codes.iter().map(|code| format!("{code}")).collect();
        let line = format!("\"{field}\" : [ {} ]", quoted.join(", "));
        if codes.is_empty() || !codes.iter().all(Value::is_string) || !text.contains(&line) {
            return Err(entry.asked.broken(format!("{field} as [ \"code\" ], or null"), "another form"));
        }
    }
    if found { Ok(()) } else { not_applicable("the document has no codes") }
}

fn architecture(subject: &Subject<'_>) -> Result<(), Stop> {
    let entry = document(subject)?;
    let fields = json::Fields::of(&entry.text());
    let told = fields.as_ref().and_then(|fields| fields.text("architecture")).unwrap_or_default();
    if matches!(told, "i386" | "x86_64" | "arm64" | "x86_64_mac" | "arm64_mac") {
        return Ok(());
    }
    Err(entry.asked.broken("i386, arm64 or x86_64", shown(told)))
}

/// The signatures that the endpoint has; at least one.
fn signatures<'s>(subject: &'s Subject<'_>) -> Result<Vec<&'s Entry>, Stop> {
    let found: Vec<&Entry> =
        ["signature", "pkcs7", "rsa2048"].iter().filter_map(|name| signature(subject, name).ok()).collect();
    if found.is_empty() { not_applicable("the identity document has no signatures") } else { Ok(found) }
}

fn lines_of_76(subject: &Subject<'_>) -> Result<(), Stop> {
    for entry in signatures(subject)? {
        let text = entry.text();
        let lines: Vec<&str> = text.split('\n').collect();
        let (last, full) = lines.split_last().unwrap_or((&"", &[]));
        let is_base64 = STANDARD.decode(lines.concat()).is_ok();
        if !is_base64 || !(1..=76).contains(&last.len()) || full.iter().any(|line| line.len() != 76) {
            let got = format!("{} bytes in {} lines", text.len(), lines.len());
            return Err(entry.asked.broken("base64 in lines of 76, without a last line end", got));
        }
    }
    Ok(())
}

/// A signature with its bytes, whatever its line breaks.
fn decoded<'s>(subject: &'s Subject<'_>, name: &str) -> Result<(&'s Entry, Vec<u8>), Stop> {
    let entry = signature(subject, name)?;
    let base64: String = entry.text().split_whitespace().collect();
    match STANDARD.decode(base64) {
        Ok(bytes) => Ok((entry, bytes)),
        Err(_) => Err(entry.asked.broken("base64", format!("{} other bytes", entry.asked.reply.body.len()))),
    }
}

fn not_a_message(entry: &Entry, bytes: &[u8]) -> Stop {
    entry.asked.broken("a CMS message of signed data with one signer", format!("{} other bytes", bytes.len()))
}

fn holds_the_document(subject: &Subject<'_>, name: &str) -> Result<(), Stop> {
    let (entry, bytes) = decoded(subject, name)?;
    let Some(signed) = Signed::read(&bytes) else { return Err(not_a_message(entry, &bytes)) };
    if signed.content != document(subject)?.asked.reply.body {
        let got = format!("{} bytes that are another", signed.content.len());
        return Err(entry.asked.broken("the document inside", got));
    }
    if signed.holds_what_is_signed() {
        return Ok(());
    }
    Err(entry.asked.broken("the digest of the document among the signed attributes", "another or none"))
}

fn layout(subject: &Subject<'_>) -> Result<(), Stop> {
    for (name, kind) in [("pkcs7", Kind::Dsa), ("rsa2048", Kind::Rsa)] {
        let (entry, bytes) = decoded(subject, name)?;
        let Some(signed) = Signed::read(&bytes) else { return Err(not_a_message(entry, &bytes)) };
        for (expected, is_so) in [
            ("indefinite lengths", signed.is_indefinite),
            ("no certificates inside", !signed.has_certificates),
            ("three signed attributes or more", signed.attributes() >= 3),
            ("a digest by SHA-1 in pkcs7 and by SHA-256 in rsa2048", signed.is_digested_by(kind)),
        ] {
            if !is_so {
                return Err(entry.asked.broken(expected, "another layout"));
            }
        }
    }
    Ok(())
}

/// The given certificates of one kind.
fn certificates(subject: &Subject<'_>, kind: Kind) -> Result<Vec<Certificate>, Stop> {
    let Some(pem) = &subject.certificates else { return not_applicable("no certificates were given") };
    let mut certificates = Certificate::all(pem);
    certificates.retain(|certificate| certificate.kind() == kind);
    if certificates.is_empty() {
        return not_applicable(format!("no certificate of a key of {kind:?} was given"));
    }
    Ok(certificates)
}

fn verify_bare(subject: &Subject<'_>) -> Result<(), Stop> {
    let certificates = certificates(subject, Kind::Rsa)?;
    let (entry, bytes) = decoded(subject, "signature")?;
    let document = &document(subject)?.asked.reply.body;
    if certificates.iter().any(|certificate| certificate.verifies_bare(document, &bytes)) {
        return Ok(());
    }
    Err(entry.asked.broken("a signature of the document by one of the certificates", "one that does not verify"))
}

fn verify(subject: &Subject<'_>, name: &str, kind: Kind) -> Result<(), Stop> {
    let certificates = certificates(subject, kind)?;
    let (entry, bytes) = decoded(subject, name)?;
    let Some(signed) = Signed::read(&bytes) else { return Err(not_a_message(entry, &bytes)) };
    let Some(signer) = certificates.iter().find(|certificate| signed.names(certificate)) else {
        return Err(entry.asked.broken("issuer and serial number of a given certificate", "others"));
    };
    if signed.is_signed_by(signer) && signed.holds_what_is_signed() {
        return Ok(());
    }
    Err(entry.asked.broken("a signature by the certificate that it names", "one that does not verify"))
}
