//! Names of tags, which their owners make up. In them whole words count: `auth`
//! names a secret, and `author` names somebody.

use super::names_secret;

/// Words that name a secret wherever they stand.
const WORDS: [&str; 21] = [
    "auth",
    "cookie",
    "cred",
    "creds",
    "dsn",
    "hmac",
    "jwt",
    "jwts",
    "oauth",
    "otp",
    "pass",
    "passcode",
    "passwords",
    "psk",
    "pw",
    "pwd",
    "pwds",
    "pws",
    "totp",
    "webhook",
    "webhooks",
];

/// Parts that no harmless word has, so that `dbpwd` is found too.
const PARTS: [&str; 8] =
    ["connectionstring", "connectionurl", "connstr", "connurl", "jwt", "passcode", "privkey", "pwd"];

/// What `pass`, `pw`, `key`, `auth` and others follow without a separator. A list,
/// for `compass` and `monkey` end so too.
const OWNERS: [&str; 42] = [
    "account",
    "admin",
    "api",
    "app",
    "basic",
    "client",
    "crypt",
    "database",
    "db",
    "deploy",
    "docker",
    "encryption",
    "ftp",
    "git",
    "gpg",
    "host",
    "http",
    "ldap",
    "license",
    "login",
    "mail",
    "master",
    "mongo",
    "my",
    "mysql",
    "pg",
    "pgp",
    "postgres",
    "proxy",
    "redis",
    "root",
    "rsa",
    "sa",
    "service",
    "sftp",
    "signing",
    "smtp",
    "sql",
    "ssh",
    "tls",
    "user",
    "wifi",
];

/// What an owner's name ends with where that is secret.
const ENDINGS: [&str; 7] = ["auth", "creds", "dsn", "key", "keys", "pass", "pw"];

/// Words before `key` that make it no secret: `public-key`, `partition-key`.
const HARMLESS_KEYS: [&str; 12] =
    ["cache", "foreign", "group", "hash", "kms", "object", "partition", "primary", "public", "range", "sort", "tag"];

/// Words behind `key` that tell of one and are none: `ssh-key-name`.
const ABOUT_KEYS: [&str; 10] =
    ["alias", "arn", "fingerprint", "id", "length", "name", "pair", "rotation", "size", "type"];

/// What is reached by a text that mostly has a password in it: `database-url`.
const REACHED: [&str; 15] = [
    "amqp",
    "broker",
    "conn",
    "connection",
    "database",
    "db",
    "jdbc",
    "ldap",
    "mongo",
    "mongodb",
    "mysql",
    "postgres",
    "rabbitmq",
    "redis",
    "smtp",
];

/// How such a text is called.
const LOCATORS: [&str; 5] = ["str", "string", "strings", "uri", "url"];

/// Whether the name of a tag says that its text is a secret, in whatever case and
/// with whatever separators.
///
/// What names say has no end: this finds what people mostly write, and rather hides
/// a tag too many.
pub(crate) fn tag_names_secret(name: &str) -> bool {
    let words = words(name);
    let (folded, pieces) = (words.concat(), pieces(name));
    let is_key = |at: usize| {
        let key = &words[at];
        let before = at.checked_sub(1).map(|before| words[before].as_str());
        let behind = words.get(at + 1).map(String::as_str).unwrap_or_default();
        (key == "key" || key == "keys")
            && before.is_some_and(|before| !HARMLESS_KEYS.contains(&before))
            && !ABOUT_KEYS.contains(&behind)
    };
    let reaches = |pair: &[String]| REACHED.contains(&pair[0].as_str()) && LOCATORS.contains(&pair[1].as_str());
    names_secret(&folded)
        || PARTS.iter().any(|part| folded.contains(part))
        || words.iter().chain(&pieces).any(|word| WORDS.contains(&word.as_str()) || is_of_an_owner(word))
        || (0..words.len()).any(is_key)
        || words.windows(2).any(reaches)
}

fn is_of_an_owner(word: &str) -> bool {
    let owners = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
    owners.into_iter().any(|owner| OWNERS.contains(&owner))
}

/// What stands between signs and digits, in small letters.
fn pieces(name: &str) -> Vec<String> {
    let pieces = name.split(|c: char| !c.is_alphabetic()).filter(|piece| !piece.is_empty());
    pieces.map(str::to_lowercase).collect()
}

/// The words of a name, in small letters: a sign, a digit or a capital begins one.
/// Of capitals in a row the last one does, where small letters follow: `DBPass`.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in name.split(|c: char| !c.is_alphabetic()) {
        let letters: Vec<char> = piece.chars().collect();
        let mut begin = 0;
        for at in 1..letters.len() {
            let ends = letters[at].is_uppercase()
                && (letters[at - 1].is_lowercase() || letters.get(at + 1).is_some_and(|next| next.is_lowercase()));
            if ends {
                words.push(letters[begin..at].iter().collect::<String>().to_lowercase());
                begin = at;
            }
        }
        if begin < letters.len() {
            words.push(letters[begin..].iter().collect::<String>().to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_secret_are_found() {
        for name in [
            "pwd",
            "DB_PWD",
            "dbpwd",
            "dbPwd",
            "db.pwd",
            "db:pwd",
            "DBPass",
            "db pass",
            "dbpass",
            "PASS",
            "MYSQL_PASS",
            "rootpw",
            "pw",
            "dsn",
            "SENTRY_DSN",
            "dbdsn",
            "jwt",
            "JWT-signing",
            "myJwt2",
            "auth",
            "Auth",
            "basic-auth",
            "basicauth",
            "AUTH_HEADER",
            "oauth2",
            "ssh-key",
            "ssh_key",
            "sshKey",
            "SSHKey",
            "sshkey",
            "ssh/key",
            "ssh--keys",
            "api_key",
            "API KEY",
            "apiKey2",
            "encryption-key",
            "masterKey",
            "signingkey",
            "credential",
            "Credentials",
            "db-creds",
            "connection-string",
            "ConnectionString",
            "connstr",
            "conn_str",
            "DATABASE_URL",
            "redis-uri",
            "password",
            "pass-word",
            "db_passwd",
            "passphrase",
            "session:token",
            "client-secret",
            "private.key",
            "privkey",
            "cookie",
            "otp",
            "slack-webhook",
        ] {
            assert!(tag_names_secret(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_sound_like_it_are_not() {
        for name in [
            "Name",
            "Author",
            "authors",
            "AUTHORITY",
            "compass",
            "passenger",
            "Passengers",
            "bypass",
            "passport",
            "pipeline",
            "monkey",
            "keyboard",
            "key",
            "Key",
            "public-key",
            "partition-key",
            "kms-key",
            "ssh-key-name",
            "key-pair",
            "hockey",
            "url",
            "website-url",
            "connection",
            "database",
            "db",
            "string",
            "environment",
            "Owner",
            "cost-center",
            "aws:autoscaling:groupName",
            "team",
            "Wednesday",
            "spawn",
            "",
            "-",
            "2026",
        ] {
            assert!(!tag_names_secret(name), "{name}");
        }
    }

    #[test]
    fn words_begin_with_signs_digits_and_capitals() {
        for (name, wanted) in [
            ("db-pass_word", &["db", "pass", "word"][..]),
            ("dbPassWord", &["db", "pass", "word"]),
            ("DBPass", &["db", "pass"]),
            ("oauth2Key", &["oauth", "key"]),
            ("--", &[]),
        ] {
            assert_eq!(words(name), wanted, "{name}");
        }
    }
}
