//! What a `credential_process` prints. Source: AWS SDKs and Tools Reference Guide,
//! "Process credential provider".

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::{RoleCredentials, SourceError};

// Its texts are borrowed from what was read, which is wiped; of one with escapes, the
// reader makes a copy that nobody wipes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version1<'a> {
    version: Option<u32>,
    #[serde(borrow)]
    access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    secret_access_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session_token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    expiration: Option<Cow<'a, str>>,
}

/// What `aws sts` prints around the same.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfSts<'a> {
    #[serde(borrow)]
    credentials: Version1<'a>,
}

/// Reads what a command printed or a file holds.
pub(super) fn read(bytes: &[u8]) -> Result<RoleCredentials, SourceError> {
    // A parser's error may show what it found.
    let read: Version1<'_> = serde_json::from_slice(bytes).map_err(|_| SourceError::Malformed)?;
    match read.version {
        Some(1) => read.credentials(),
        _ => Err(SourceError::Missing("Version, which is 1")),
    }
}

/// Reads what a command of `aws sts` printed.
pub(super) fn read_of_sts(bytes: &[u8]) -> Result<RoleCredentials, SourceError> {
    let OfSts { credentials } = serde_json::from_slice(bytes).map_err(|_| SourceError::Malformed)?;
    credentials.credentials()
}

impl Version1<'_> {
    fn credentials(self) -> Result<RoleCredentials, SourceError> {
        let text = |text: Option<Cow<'_, str>>, name| match text {
            Some(text) if is_one_word(&text) => Ok(text.into_owned()),
            _ => Err(SourceError::Missing(name)),
        };
        let access_key_id = text(self.access_key_id, "AccessKeyId")?;
        let secret_access_key = text(self.secret_access_key, "SecretAccessKey")?;
        if self.session_token.as_ref().is_none_or(|token| token.is_empty()) {
            return Err(SourceError::LongTerm);
        }
        let session_token = text(self.session_token, "SessionToken")?;
        let credentials = RoleCredentials::new(access_key_id, secret_access_key, session_token);
        match self.expiration {
            None => Ok(credentials),
            Some(end) => Ok(credentials.ending_at(time(&end).ok_or(SourceError::Missing("Expiration"))?)),
        }
    }
}

/// Whether all of a text can stand in a header field, as keys and tokens do.
pub(crate) fn is_one_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A time of ISO 8601, with `Z` or an offset.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    if let Some(utc) = text.strip_suffix(['Z', 'z']) {
        return humantime::parse_rfc3339(&format!("{utc}Z")).ok();
    }
    let (time, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let utc = humantime::parse_rfc3339(&format!("{time}Z")).ok()?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let part = |text: &str, below: u64| {
        let number = text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.filter(|number| *number < below)
    };
    let seconds = (part(hours, 24)? * 60 + part(minutes, 60)?) * 60;
    match offset.as_bytes()[0] {
        b'+' => utc.checked_sub(Duration::from_secs(seconds)),
        b'-' => utc.checked_add(Duration::from_secs(seconds)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn times_are_read_as_commands_print_them() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        for text in [
            "2026-10-01T00:00:00Z",
            "2026-10-01T00:00:00+00:00",
            "2026-10-01T02:00:00+02:00",
            "2026-09-30T19:30:00-04:30",
            "2026-10-01T00:00:00.000Z",
        ] {
            assert_eq!(time(text), at(1_790_812_800), "{text}");
        }
        for text in [
            "",
            "Z",
            "+00:00",
            "tomorrow",
            "2026-10-01",
            "2026-10-01T00:00:00",
            "2026-10-01T00:00:00é0:00",
            "2026-10-01T00:00:00+24:00",
            "2026-10-01T00:00:00+00:60",
            "2026-10-01T00:00:00-99:99",
            "2026-10-01T00:00:00-+1:00",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn wrong_output_is_told_without_what_it_says() {
        let whole = r#"{"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"hunter2","SessionToken":"hunter2"}"#;
        assert!(read(whole.as_bytes()).is_ok());
        for (wrong, error) in [
            ("hunter2", SourceError::Malformed),
            ("", SourceError::Malformed),
            (r#"{"Version":"hunter2"}"#, SourceError::Malformed),
            (&whole.replace(":1", ":2"), SourceError::Missing("Version, which is 1")),
            (&whole.replace("\"ASIA\"", "\"\""), SourceError::Missing("AccessKeyId")),
            (&whole.replace("\"ASIA\"", "\"a\\nhunter2\""), SourceError::Missing("AccessKeyId")),
            (&whole.replace("\"SessionToken\"", "\"x\""), SourceError::LongTerm),
            (&whole.replace('}', r#","Expiration":"hunter2"}"#), SourceError::Missing("Expiration")),
        ] {
            assert_eq!(read(wrong.as_bytes()), Err(error.clone()), "{wrong}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let of_sts = r#"{"Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t",
            "Expiration": "2026-10-01T00:00:00+00:00"}, "AssumedRoleUser": {"Arn": "arn"}}"#;
        assert!(read_of_sts(of_sts.as_bytes()).unwrap().end().is_some());
    }
}
