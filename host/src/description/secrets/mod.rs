//! Names of what no error may repeat: of the fields that the schema declares to be
//! secrets, and of what sounds like one, for whatever else a text has.

mod declared;
mod tags;
mod within;

use std::sync::LazyLock;

pub(crate) use self::declared::{Declared, declared};
pub(crate) use self::tags::tag_names_secret;
pub(crate) use self::within::{HIDDEN, Within};

/// What the names of secrets contain, whoever gave them, as [`fold`] leaves it.
const WORDS: [&str; 11] = [
    "accesskey",
    "apikey",
    "authorization",
    "bearer",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "token",
];

/// Names of fields, as [`fold`] leaves them.
struct Names {
    /// Of secrets and of what holds them.
    secret: Vec<String>,
    /// Those that contain a word of a secret and are none, in the singular:
    /// `http-tokens`.
    harmless: Vec<String>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let secret: Vec<String> = declared::secret().map(fold).collect();
    let singular = |name: &str| fold(name).trim_end_matches('s').to_owned();
    let has_word = |name: &str| WORDS.iter().any(|word| name.contains(word));
    // None hides a secret's name or a word as such.
    let is_part = |name: &str| secret.iter().map(String::as_str).chain(WORDS).any(|other| other.contains(name));
    let harmless = declared::plain().map(singular).filter(|name| has_word(name) && !is_part(name)).collect();
    Names { secret, harmless }
});

/// Whether a text contains the name of a secret, in whatever case and with
/// whatever separators.
pub(crate) fn names_secret(text: &str) -> bool {
    let mut folded = fold(text);
    for name in &NAMES.harmless {
        if folded.contains(name) {
            folded = folded.replace(name, "\0");
        }
    }
    NAMES.secret.iter().map(String::as_str).chain(WORDS).any(|part| folded.contains(part))
}

/// Whether a name is that of a secret but for a letter or two.
pub(crate) fn resembles_secret(name: &str) -> bool {
    let folded = fold(name);
    NAMES.secret.iter().map(String::as_str).chain(["password"]).any(|secret| {
        let letters = secret.len() / 4;
        // Long texts are told apart by their lengths alone.
        folded.len().abs_diff(secret.len()) <= letters && strsim::levenshtein(&folded, secret) <= letters
    })
}

/// Without what people put between the words of a name, in small letters.
fn fold(text: &str) -> String {
    let separators = |c: &char| !matches!(c, '-' | '_' | '.' | ' ');
    text.chars().filter(separators).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn fields_that_only_sound_like_secrets_are_none() {
        for name in ["http-tokens", "HttpToken", "credentials-rotation", "[iam-instance-profile.credentials-rotation]"]
        {
            assert!(!names_secret(name), "{name}");
        }
        let sound: Vec<&str> = declared::plain().filter(|name| names_secret(name) || resembles_secret(name)).collect();
        assert!(sound.is_empty(), "{sound:?}");
    }
}
