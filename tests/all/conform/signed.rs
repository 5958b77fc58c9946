//! Signatures of the identity document, by certificates that the caller has.

use std::sync::{Arc, LazyLock};

use imds_host::conform::{Outcome, Report, Suite};
use imds_host::{IdentityKeys, IdentitySigning, Service, serve};
use tokio::net::TcpListener;

use super::{broken, client};
use crate::ways::{RUNTIME, TOKIO, read_toml, settings};

static KEYS: LazyLock<Arc<IdentityKeys>> =
    LazyLock::new(|| Arc::new(IdentityKeys::generate().unwrap_or_else(|error| panic!("{error}"))));

/// Certificates in PEM.
pub fn certificates() -> String {
    KEYS.certificates().iter().map(|certificate| certificate.to_pem()).collect()
}

/// Judges the signatures of a service that signs by these keys.
fn report(pem: String) -> Report {
    let settings = settings().identity_signing(IdentitySigning::With(KEYS.clone()));
    let instance = RUNTIME.open_with(&read_toml(""), &settings).unwrap_or_else(|error| panic!("{error}"));
    let endpoint = TOKIO.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(serve(listener, Service::new(instance), std::future::pending()));
        format!("http://{address}")
    });
    let suite = Suite::new().only(&["identity"]).expect("it is an area").certificates(pem);
    suite.run(&client(&endpoint)).unwrap_or_else(|none| panic!("{none}"))
}

/// The checks of signatures that held.
fn verified(report: &Report) -> Vec<&'static str> {
    let held = report.judged().iter().filter(|judged| *judged.outcome() == Outcome::Held);
    held.map(|judged| judged.check().id()).filter(|id| id.ends_with("verifies")).collect()
}

#[test]
fn signatures_verify_by_the_certificates_of_their_keys() {
    let all = report(certificates());
    assert!(broken(&all).is_empty(), "{:?}", broken(&all));
    assert_eq!(verified(&all), ["identity-signature-verifies", "identity-pkcs7-verifies", "identity-rsa2048-verifies"]);
    // Without a certificate for its kind of key a signature is not judged.
    let [dsa, ..] = KEYS.certificates();
    let some = report(dsa.to_pem());
    assert!(broken(&some).is_empty(), "{:?}", broken(&some));
    assert_eq!(verified(&some), ["identity-pkcs7-verifies"]);
    let none = report("no certificate".to_owned());
    assert!(broken(&none).is_empty() && verified(&none).is_empty());
}
