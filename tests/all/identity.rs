//! The signed identity document: `openssl` verifies what is served, as the EC2
//! user guide tells users to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use imds_host::{IdentityKeys, IdentitySigning, Instance, Moment, Request};

use crate::ways::{RUNTIME, read_toml, settings};

const FOLDER: &str = "/latest/dynamic/instance-identity/";

/// An instance of which all sizes are those of the recorded one.
fn instance(signing: IdentitySigning) -> Instance {
    let description = read_toml("instance-type = 't3.nano'\nprivate-ip-address = '10.237.0.13'");
    let settings = settings().identity_signing(signing);
    RUNTIME.open_with(&description, &settings).unwrap_or_else(|error| panic!("{error}"))
}

fn get(instance: &Instance, name: &str) -> Vec<u8> {
    let answer = instance.answer(&Request::get(format!("{FOLDER}{name}")), Moment::at(1_790_800_000_000, 0));
    assert_eq!(answer.status, 200, "{name}");
    answer.body
}

/// A directory for one test's files, below cargo's.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("cargo's directory for tests can be written");
    directory
}

/// Runs openssl in a directory; gives what it prints.
fn openssl(directory: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("the program openssl is needed for this test: {error}"));
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {printed}");
    output.stdout
}

#[test]
fn openssl_verifies_all_three_signatures() {
    let keys = Arc::new(IdentityKeys::generate().expect("keys can be made"));
    let instance = instance(IdentitySigning::With(Arc::clone(&keys)));
    let directory = directory("identity");
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.join(name), bytes).expect("a file can be written");

    for certificate in keys.certificates() {
        write(&format!("{}.pem", certificate.name), certificate.to_pem().as_bytes());
    }
    let document = get(&instance, "document");
    write("document", &document);
    for (name, certificate) in [("pkcs7", "dsa"), ("rsa2048", "rsa2048")] {
        let armour = |line| format!("-----{line} PKCS7-----").into_bytes();
        write(name, &[armour("BEGIN"), get(&instance, name), armour("END")].join(&b'\n'));
        let verify = format!("smime -verify -in {name} -inform PEM -certfile {certificate}.pem -noverify");
        assert_eq!(openssl(&directory, &verify), document, "{name} holds the document");
    }
    write("signature", &[&get(&instance, "signature")[..], b"\n"].concat());
    openssl(&directory, "base64 -d -in signature -out signature.bytes");
    write("key.pem", &openssl(&directory, "x509 -pubkey -noout -in rsa.pem"));
    openssl(&directory, "dgst -sha256 -verify key.pem -signature signature.bytes document");

    // And a document that differs in one byte is not verified.
    write("document", &[&document[..], b" "].concat());
    let forged = Command::new("openssl")
        .args(["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature.bytes", "document"])
        .current_dir(&directory)
        .output()
        .expect("openssl runs");
    assert!(!forged.status.success());
}

/// Sizes of the capture of 2026-09: the document of 474 bytes, `signature` 174,
/// `pkcs7` 1167, `rsa2048` 1487, all in lines of 76. A DSA signature is two
/// numbers of 20 bytes; where both need one more for the sign (one in four), or
/// are shorter (one in thousands), `pkcs7` is a group of base64 longer or shorter.
#[test]
fn signatures_have_the_recorded_sizes_and_lines() {
    let instance = instance(IdentitySigning::AtFirstNeed);
    assert_eq!(get(&instance, "document").len(), 474);
    for (name, sizes) in [("signature", [174].as_slice()), ("pkcs7", &[1163, 1167, 1171]), ("rsa2048", &[1487])] {
        let body = String::from_utf8(get(&instance, name)).expect("base64 is text");
        assert!(sizes.contains(&body.len()), "{name}: {} bytes", body.len());
        let lines: Vec<&str> = body.split('\n').collect();
        let (last, full) = lines.split_last().expect("there is a line");
        assert!(full.iter().all(|line| line.len() == 76) && (1..=76).contains(&last.len()), "{name}");
        assert_eq!(get(&instance, name), body.as_bytes(), "{name} is the same at each read");
    }
}

/// Source: bodies of 2022 and 2026.
#[test]
fn rsa2048_is_signed_by_sha256_with_rsa_encryption() {
    let instance = instance(IdentitySigning::AtFirstNeed);
    let directory = directory("algorithms");
    let body = [b"-----BEGIN PKCS7-----\n", &get(&instance, "rsa2048")[..], b"\n-----END PKCS7-----\n"].concat();
    std::fs::write(directory.join("rsa2048"), body).expect("a file can be written");
    let parsed = openssl(&directory, "asn1parse -inform PEM -in rsa2048");
    let parsed = String::from_utf8(parsed).expect("openssl prints text");
    // Each line has the type behind `prim:` or `cons:`, and what it holds behind that.
    let values: Vec<String> = parsed
        .lines()
        .filter_map(|line| line.split_once("prim:").or_else(|| line.split_once("cons:")))
        .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let behind = |name: &str| -> Vec<&str> {
        let pairs = values.iter().zip(values.iter().skip(1));
        pairs.filter(|(value, _)| *value == &format!("OBJECT :{name}")).map(|(_, next)| next.as_str()).collect()
    };
    // In CMSAlgorithmProtection and of the signer; the digest's has no parameter.
    assert_eq!(behind("sha256WithRSAEncryption"), ["NULL", "NULL"], "{parsed}");
    assert_eq!(behind("rsaEncryption"), [""; 0], "{parsed}");
    let digests = behind("sha256");
    assert_eq!(digests.len(), 3, "{parsed}");
    assert!(!digests.contains(&"NULL"), "{parsed}");
}

#[test]
fn where_nobody_signs_only_the_signatures_given_are_there() {
    let instance = instance(IdentitySigning::Never);
    assert_eq!(get(&instance, ""), b"document");
    let answer = instance.answer(&Request::get(format!("{FOLDER}pkcs7")), Moment::at(0, 0));
    assert_eq!(answer.status, 404);
}

#[test]
fn signatures_given_are_served_and_the_others_made() {
    let description = read_toml("identity-signatures.signature = 'AAAA'");
    let instance = RUNTIME.open_with(&description, &settings()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(get(&instance, "signature"), b"AAAA");
    assert!(
        get(&instance, "pkcs7").starts_with(b"MIAGCSqGSIb3DQEHAqCAMIACAQExCzAJBgUrDgMCGgUAMIAGCSqGSIb3DQEHAaCAJIAEgg")
    );
}

#[test]
fn what_was_signed_ahead_is_what_is_served() {
    let instance = instance(IdentitySigning::AtFirstNeed);
    for _ in 0..2 {
        instance.sign_ahead().expect("there is a thread");
    }
    let signature = get(&instance, "signature");
    instance.sign_ahead().expect("nothing is left to do");
    assert_eq!(get(&instance, "signature"), signature);
}
