//! How people log in to an instance.

use super::value::{Line, PublicKey, Segment, Texts};

tables! {
    /// The key pair with which the instance was launched.
    KeyPair {
        /// Default imds.
        key_name: Option<Line>,
        /// The public key in OpenSSH format. Default one whose private key nobody has.
        public_key: Option<PublicKey>,
    }

    /// Keys of EC2 Instance Connect.
    ManagedSshKeys {
        /// The signer's certificate, PEM.
        signer_cert: Option<String>,
        /// Signed key lists by user.
        active_keys: Texts<Segment>,
        /// OCSP answers in base64 by the SHA-1 of the certificate.
        signer_ocsp: Texts<Segment>,
    }
}
