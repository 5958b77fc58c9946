use std::sync::Arc;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::description::Description;
use crate::engine::terms::Terms;
use crate::error::Error;
use crate::identity::{IdentitySigning, Signatures};

/// What a worker needs to open the instance. Of many instances each has one, so
/// it is small.
#[derive(Clone)]
pub(crate) struct Opening {
    /// It may hold secrets.
    pub(crate) document: Zeroizing<Box<str>>,
    pub(super) terms: Arc<Terms>,
    /// Whose instance it is, where there are instances of others.
    key: Option<Arc<str>>,
}

impl Opening {
    pub(crate) fn new(description: &Description, terms: Arc<Terms>, key: Option<Arc<str>>) -> Self {
        Self::of_json(description.to_json().into(), terms, key)
    }

    /// The opening of a description that is JSON text.
    pub(crate) fn of_json(document: Box<str>, terms: Arc<Terms>, key: Option<Arc<str>>) -> Self {
        Self { document: document.into(), terms, key }
    }

    /// The secret from which the component derives the key of the tokens.
    pub(crate) fn token_secret(&self) -> &[u8] {
        self.terms.token_secret.bytes()
    }

    /// Whose instance it is, where there are instances of others.
    pub(crate) fn scope(&self) -> Option<&str> {
        self.key.as_deref()
    }

    pub(crate) fn allowed_hosts(&self) -> &[String] {
        &self.terms.allowed_hosts
    }

    pub(crate) fn signs_identity(&self) -> bool {
        !matches!(self.terms.identity_signing, IdentitySigning::Never)
    }

    /// Whether somebody can ask for a signature for which a key must be made.
    pub(crate) fn needs_keys(&self) -> bool {
        self.terms.makes_keys() && !self.signatures_missing().is_empty()
    }

    /// The fields of the signatures that the description lacks.
    fn signatures_missing(&self) -> Vec<&'static str> {
        let given: Value = serde_json::from_str(&self.document).unwrap_or_default();
        SIGNATURES.into_iter().filter(|field| given.pointer(field).is_none()).collect()
    }

    /// The description with `signatures` in it, but for those that it had.
    pub(super) fn signed(&self, signatures: &Signatures) -> Result<String, Error> {
        let missing = self.signatures_missing();
        let mut description = Description::from_json("the description", &self.document)?;
        for (field, text) in SIGNATURES.into_iter().zip(in_their_order(signatures)) {
            if missing.contains(&field) {
                description.set_text(field, text, "the signer");
            }
        }
        Ok(description.to_json())
    }
}

fn in_their_order(Signatures { signature, pkcs7, rsa2048 }: &Signatures) -> [&String; 3] {
    [signature, pkcs7, rsa2048]
}

/// Where signatures stand in a description.
const SIGNATURES: [&str; 3] =
    ["/identity-signatures/signature", "/identity-signatures/pkcs7", "/identity-signatures/rsa2048"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::Settings;
    use crate::identity::{IdentityKeys, KeyMaker};

    #[test]
    fn keys_are_needed_where_a_signature_is_to_be_made_and_none_are_given() {
        let two = "[identity-signatures]\nsignature = 'AAAA'\npkcs7 = 'BBBB'\n";
        let three = format!("{two}rsa2048 = 'CCCC'\n");
        for (toml, identity_signing, needed) in [
            ("", IdentitySigning::AtFirstNeed, true),
            (two, IdentitySigning::AtFirstNeed, true),
            (&three, IdentitySigning::AtFirstNeed, false),
            (two, IdentitySigning::MadeBy(KeyMaker::new(IdentityKeys::generate)), true),
            (&three, IdentitySigning::MadeBy(KeyMaker::new(IdentityKeys::generate)), false),
            ("", IdentitySigning::Never, false),
        ] {
            let description = Description::from_toml("test", toml).unwrap();
            let settings = Settings::default().identity_signing(identity_signing);
            let terms = Arc::new(Terms::new(&settings).unwrap());
            assert_eq!(Opening::new(&description, terms, None).needs_keys(), needed, "{toml}");
        }
    }
}
