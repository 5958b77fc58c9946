//! A document as it may be shown: without what may be a secret.

use super::{Member, Node, Value};
use crate::description::secrets::{HIDDEN, Within};

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
