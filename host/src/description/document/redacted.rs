//! A document as it may be shown: without what may be a secret.

use super::{Member, Node, Value};
use crate::description::secrets::{Declared, declared, names_secret, tag_names_secret};

/// What stands in place of a secret.
const HIDDEN: &str = r#""(hidden)""#;

/// What keys that should have stayed at home look like, wherever they stand.
const PRIVATE_KEY: &str = "PRIVATE KEY";

impl Node {
    /// The same, with a text in place of whatever may be a secret. Names stay, and
    /// so do `false`, `true` and `null`, which say that there is none.
    pub(crate) fn without_secrets(&self) -> Self {
        self.redacted(Within::Plain)
    }

    fn redacted(&self, within: Within) -> Self {
        let value = match &self.value {
            Value::Literal(text) if within.hides(text) => Value::Literal(HIDDEN.to_owned()),
            Value::Literal(text) => Value::Literal(text.clone()),
            Value::Array(items) => Value::Array(items.iter().map(|item| item.redacted(within)).collect()),
            Value::Object(members) => Value::Object(members.iter().map(|member| member.redacted(within)).collect()),
        };
        Self { origin: self.origin.clone(), value }
    }
}

impl Member {
    fn redacted(&self, within: Within) -> Self {
        let node = self.node.redacted(within.member(&self.name));
        Self { name: self.name.clone(), name_origin: self.name_origin.clone(), node }
    }
}

/// Of what a value is a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Of nothing that is secret.
    Plain,
    /// Of tags, whose names say what they hold.
    Tags,
    /// Of a table that holds secrets: of its fields these are none.
    Holder(&'static [&'static str]),
    /// Of a secret.
    Secret,
}

impl Within {
    fn member(self, name: &str) -> Self {
        match self {
            Self::Plain if name == "tags" => Self::Tags,
            Self::Plain => match declared(name) {
                Some(Declared::Secret) => Self::Secret,
                Some(Declared::Holder(plain)) => Self::Holder(plain),
                Some(Declared::Plain) => Self::Plain,
                None if names_secret(name) => Self::Secret,
                None => Self::Plain,
            },
            Self::Tags if tag_names_secret(name) => Self::Secret,
            Self::Holder(plain) if plain.contains(&name) => Self::Plain,
            Self::Holder(_) => Self::Secret,
            within => within,
        }
    }

    fn hides(self, literal: &str) -> bool {
        let is_word = ["null", "true", "false"].contains(&literal);
        let is_secret = matches!(self, Self::Holder(_) | Self::Secret);
        !is_word && (is_secret || literal.contains(PRIVATE_KEY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown_wherever_they_stand() {
        let text = r#"{
            "user-data": "hunter2", "user-data-base64": "hunter2",
            "tags": {"db_password": "hunter2", "DB_PWD": "hunter2", "ssh-key": ["hunter2", {"x": "hunter2"}]},
            "iam-instance-profile": {
                "credentials": {"access-key-id": "hunter2", "secret-access-key": "hunter2", "session-token": "hunter2"},
                "credentials-without-token": {"session-token": "hunter2"}
            },
            "extra-entries": {"meta-data/x": "hunter2", "expiration": "hunter2"},
            "managed-ssh-keys": {"signer-cert": "-----BEGIN EC PRIVATE KEY-----hunter2", "active-keys": {"x": "public"}},
            "timeline": [{"at": "+5m", "user-data": "hunter2", "tags": {"authHeader": "hunter2"}, "extra-entries": {"meta-data/y": ["hunter2", 7]}}],
            "usr-token": {"last-updated": "hunter2", "x": 7}
        }"#;
        let shown = Node::from_json(text).unwrap_or_else(|_| panic!("JSON")).without_secrets().to_string();
        assert!(!shown.contains("hunter2") && !shown.contains('7'), "{shown}");
        for kept in ["meta-data/x", "db_password", r#""x":"public""#, r#""at":"+5m""#] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        let text = r#"{"user-data":false,"extra-entries":null,"tags":{"Name":"web","Author":"me","compass":"north"},"metadata-options":{"http-tokens":"required"},"iam-instance-profile":{"credentials-rotation":{"interval":"6h"},"credentials":{"expiration":"2026-10-01T00:00:00Z"}}}"#;
        assert_eq!(Node::from_json(text).unwrap_or_else(|_| panic!("JSON")).without_secrets().to_string(), text);
    }
}
