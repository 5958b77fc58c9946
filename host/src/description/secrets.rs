//! Names of what no error may repeat.

mod tags;

pub(crate) use self::tags::tag_names_secret;

/// What the names of secrets contain, as [`fold`] leaves it. User data and
/// extra entries may hold anything.
const PARTS: [&str; 13] = [
    "accesskey",
    "apikey",
    "authorization",
    "bearer",
    "credential",
    "extraentries",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "token",
    "userdata",
];

/// The one name that contains such a part and is no secret's.
const HARMLESS: &str = "httptoken";

/// Whether a text contains the name of a secret, in whatever case and with
/// whatever separators.
pub(crate) fn names_secret(text: &str) -> bool {
    let folded = fold(text);
    let contains = |part: &&str| match folded.contains(HARMLESS) {
        true => folded.split(HARMLESS).any(|rest| rest.contains(*part)),
        false => folded.contains(*part),
    };
    PARTS.iter().any(contains)
}

/// Whether a name is that of a secret but for a letter or two.
pub(crate) fn resembles_secret(name: &str) -> bool {
    const WHOLE: [&str; 8] = [
        "accesskeyid",
        "credentials",
        "extraentries",
        "password",
        "secretaccesskey",
        "sessiontoken",
        "userdata",
        "userdatabase64",
    ];
    let folded = fold(name);
    WHOLE.iter().any(|secret| {
        let letters = secret.len() / 4;
        folded.len().abs_diff(secret.len()) <= letters && distance(folded.as_bytes(), secret.as_bytes()) <= letters
    })
}

/// Without what people put between the words of a name, in small letters.
fn fold(text: &str) -> String {
    let separators = |c: &char| !matches!(c, '-' | '_' | '.' | ' ');
    text.chars().filter(separators).flat_map(char::to_lowercase).collect()
}

/// The number of letters to insert, delete or replace.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for j in 0..b.len() {
            let replaced = diagonal + usize::from(letter != &b[j]);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_of_secrets_have_no_case_and_no_separators() {
        for name in [
            "SecretAccessKey",
            "secret_access_key",
            "secretkey",
            "SESSION-TOKEN",
            "token",
            "password",
            "DB_PASSWD",
            "private-key",
            "-----BEGIN RSA PRIVATE KEY-----",
            "aws-credentials",
            "Authorization",
            "user.data",
            "userData",
            "user-data-base64",
            "extra_entries",
            "http-tokens-secret",
        ] {
            assert!(names_secret(name), "{name}");
        }
    }

    #[test]
    fn misspelt_names_of_secrets_resemble_them() {
        for name in ["usr-data", "user_dta", "uesr-data", "sesion-token", "acess-key-id", "pasword", "extra-entires"] {
            assert!(resembles_secret(name), "{name}");
        }
        for name in ["Name", "a", "", "metadata-options", "region"] {
            assert!(!resembles_secret(name), "{name}");
        }
    }

    /// Every name of a description: a new one has to be put on one side.
    #[test]
    fn the_secrets_of_a_description_are_these() {
        let schema = crate::Runtime::new().unwrap().schema().unwrap();
        let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
        let mut names = BTreeSet::new();
        collect(&schema, &mut names);
        assert!(names.contains("instance-type"));
        let secret: Vec<&str> = names.iter().copied().filter(|n| names_secret(n) || resembles_secret(n)).collect();
        assert_eq!(
            secret,
            [
                "access-key-id",
                "credentials",
                "credentials-rotation",
                "credentials-without-token",
                "extra-entries",
                "secret-access-key",
                "session-token",
                "user-data",
                "user-data-base64",
            ]
        );
    }

    fn collect<'s>(schema: &'s serde_json::Value, names: &mut BTreeSet<&'s str>) {
        if let Some(properties) = schema["properties"].as_object() {
            names.extend(properties.keys().map(String::as_str));
        }
        let values: Vec<_> = match schema {
            serde_json::Value::Object(object) => object.values().collect(),
            serde_json::Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        values.into_iter().for_each(|value| collect(value, names));
    }
}
