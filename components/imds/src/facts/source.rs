//! Where a shell gets the real credentials of a role.

use super::Check;
use crate::description as written;
use crate::description::problem::Problem;

/// The shortest and the longest life that STS gives a session. Source: API reference
/// of STS, `AssumeRole`.
const SESSION_MS: core::ops::RangeInclusive<u64> = 15 * 60 * 1000..=12 * 3600 * 1000;

/// How long a shell may wait for a source.
const TIME_LIMIT_MS: core::ops::RangeInclusive<u64> = 1000..=5 * 60 * 1000;

/// More no command takes.
const ARGUMENTS_MAX: usize = 256;

impl Check {
    /// Judges the words of a source. What they name, only a shell can find.
    pub(super) fn credentials_source(&mut self, pointer: &str, source: &written::CredentialsSource) {
        let kinds = [
            ("process", source.process.is_some()),
            ("profile", source.profile.is_some()),
            ("environment", source.environment.is_some()),
            ("file", source.file.is_some()),
            ("embedder", source.embedder.is_some()),
        ];
        let given: Vec<&str> = kinds.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
        match given[..] {
            [_] => {}
            [] => self.wrong(pointer, "expected one of `process`, `profile`, `environment`, `file` and `embedder`"),
            [first, second, ..] => {
                self.wrong(format!("{pointer}/{second}"), format!("expected one source, and there is `{first}` too"));
            }
        }
        if let Some(command) = &source.process {
            let is_argument = |text: &str| !text.contains('\0');
            let is_command = command.first().is_some_and(|program| !program.0.is_empty());
            if !is_command || command.len() > ARGUMENTS_MAX || !command.iter().all(|text| is_argument(&text.0)) {
                let help =
                    "a command is a list, of which no shell reads anything: [\"aws-vault\", \"export\", \"dev\"]";
                let message =
                    format!("expected a program and its arguments, at most {ARGUMENTS_MAX} texts without NUL");
                self.problems.push(Problem::at(format!("{pointer}/process"), message).help(help));
            }
        }
        for (field, given) in [("environment", source.environment), ("embedder", source.embedder)] {
            if given == Some(false) {
                self.wrong(format!("{pointer}/{field}"), "expected `true`, or no such field");
            }
        }
        for (field, is_given, needs, is_there) in [
            ("role-arn", source.role_arn.is_some(), "profile", source.profile.is_some()),
            ("session-policy", source.session_policy.is_some(), "role-arn", source.role_arn.is_some()),
            ("duration", source.duration.is_some(), "role-arn", source.role_arn.is_some()),
        ] {
            if is_given && !is_there {
                self.wrong(format!("{pointer}/{field}"), format!("expected together with `{needs}`"));
            }
        }
        if source.duration.is_some_and(|span| !SESSION_MS.contains(&span.0)) {
            self.wrong(format!("{pointer}/duration"), "expected 15m to 12h");
        }
        if source.time_limit.is_some_and(|span| !TIME_LIMIT_MS.contains(&span.0)) {
            self.wrong(format!("{pointer}/time-limit"), "expected 1s to 5m");
        }
    }

    /// Judges what a source delivered. `pointer` is that of the profile.
    pub(super) fn delivered(
        &mut self,
        pointer: &str,
        delivered: Option<&written::Credentials>,
        without_token_is_given: bool,
    ) {
        if without_token_is_given {
            let message = "expected none beside `credentials-source`, which gives those of all requests";
            self.wrong(format!("{pointer}credentials-without-token"), message);
        }
        let Some(delivered) = delivered else { return };
        let parts = [
            ("access-key-id", delivered.access_key_id.is_some()),
            ("last-updated", delivered.last_updated.is_some()),
            ("expiration", delivered.expiration.is_some()),
        ];
        for (field, _) in parts.iter().filter(|(_, is_given)| !is_given) {
            let message = format!("field `{field}` is missing here, as `credentials-source` would deliver it");
            self.wrong(format!("{pointer}credentials"), message);
        }
    }
}

/// Whether requests need a session token. With real credentials they do by default: one
/// request that a client was tricked into must not get them.
///
/// DIFFERENCE: on EC2 the default does not depend on the role.
pub(super) fn http_tokens(options: &written::MetadataOptions, profile: Option<&super::Profile>) -> written::HttpTokens {
    let is_real = profile.and_then(|profile| profile.role.as_ref()).is_some_and(|role| role.source_failure.is_some());
    options.http_tokens.unwrap_or(match is_real {
        true => written::HttpTokens::Required,
        false => written::HttpTokens::Optional,
    })
}

#[cfg(test)]
mod tests {
    use crate::{Instance, Moment, Settings, edit, status};

    const NOW_MS: u64 = 1_790_812_800_000;

    const SOURCE: &str = r#"{"iam-instance-profile": {"name": "web", "credentials-source": {"environment": true}}}"#;

    fn settings() -> Settings {
        Settings { token_secret: vec![7; 32], ..Settings::default() }
    }

    /// The bodies, or the statuses, of items of the role as of a time, and when each was published.
    fn role(description: &str, now_ms: u64) -> [(String, String); 3] {
        let instance = Instance::open(description, settings()).unwrap_or_else(|problems| panic!("{}", problems[0]));
        let moment = Moment { now_ms, ..Moment::default() };
        let token = instance.answer(
            b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
            moment,
            None,
        );
        let token = String::from_utf8(token.body.to_vec()).unwrap();
        ["security-credentials/web", "security-credentials/", "info"].map(|item| {
            let head =
                format!("GET /latest/meta-data/iam/{item} HTTP/1.1\r\nX-aws-ec2-metadata-token: {token}\r\n\r\n");
            let answer = instance.answer(head.as_bytes(), moment, None);
            let modified =
                answer.fields().find(|(name, _)| *name == "Last-Modified").map(|(_, value)| value.to_owned());
            match answer.status {
                200 => (String::from_utf8(answer.body.to_vec()).unwrap(), modified.unwrap()),
                status => (status.to_string(), String::new()),
            }
        })
    }

    /// The description with credentials delivered from NOW for an hour.
    fn delivered() -> String {
        let change = r#"{"iam-instance-profile": {"credentials": {"access-key-id": "ASIADELIVERED", "secret-access-key":
            "s", "session-token": "t", "last-updated": "2026-10-01T00:00:00Z", "expiration": "2026-10-01T01:00:00Z"}}}"#;
        edit(SOURCE, change, None, None).unwrap()
    }

    #[test]
    fn nothing_is_made_up_for_a_role_with_a_source() {
        let [(before, _), (list, _), _] = role(SOURCE, NOW_MS);
        assert!(before.contains(r#""Code" : "AssumeRoleUnauthorizedAccess""#), "{before}");
        assert!(before.contains("assume the role web: ") && !before.contains("AccessKeyId"), "{before}");
        assert_eq!(list, "web");
        let [(after, _), ..] = role(&delivered(), NOW_MS + 3_600_000);
        assert!(after.contains(r#""Code" : "AssumeRoleUnauthorizedAccess""#), "{after}");
        for happening in status(SOURCE, NOW_MS, None).unwrap().happenings {
            assert!(!happening.what.contains("credentials"), "{happening:?}");
        }
    }

    #[test]
    fn what_is_delivered_is_told_with_its_times_everywhere() {
        for now_ms in [NOW_MS, NOW_MS + 3_599_999] {
            let [(document, published), (_, listed), (info, info_published)] = role(&delivered(), now_ms);
            for word in ["ASIADELIVERED", "Success", "2026-10-01T00:00:00Z", "2026-10-01T01:00:00Z"] {
                assert!(document.contains(word), "{document}");
            }
            assert!(info.contains(r#""LastUpdated" : "2026-10-01T00:00:00Z""#), "{info}");
            assert_eq!(published, info_published);
            assert!(published.starts_with("Wed, 30 Sep 2026 23:59:"), "{published}");
            assert!(!listed.is_empty());
        }
        let happenings = status(&delivered(), NOW_MS, None).unwrap().happenings;
        assert!(
            happenings.iter().any(|it| it.at_ms == NOW_MS + 3_600_000 && it.what.contains("end")),
            "{happenings:?}"
        );
    }

    #[test]
    fn tokens_are_required_unless_the_description_says_otherwise() {
        let tokens = |description: &str| status(description, NOW_MS, None).unwrap().metadata_options.http_tokens;
        assert_eq!([tokens("{}"), tokens(SOURCE)], ["optional", "required"]);
        let optional = SOURCE.replacen('{', r#"{"metadata-options": {"http-tokens": "optional"}, "#, 1);
        assert_eq!(tokens(&optional), "optional");
        let warnings = |description: &str| crate::warnings(description, NOW_MS).unwrap();
        assert_eq!(warnings(SOURCE), []);
        assert_eq!(warnings(&optional)[0].name, "real-credentials-without-token");
    }

    #[test]
    fn a_source_is_kept_for_life_and_goes_with_its_role() {
        let change = |change: &str| edit(SOURCE, change, Some(NOW_MS), None);
        let other = r#"{"iam-instance-profile": {"credentials-source": {"environment": null, "process": ["id"]}}}"#;
        assert!(change(other).unwrap_err()[0].message.contains("for life"));
        let none = change(r#"{"iam-instance-profile": false}"#).unwrap();
        assert!(!none.contains("credentials-source"), "{none}");
        assert_eq!(role(&none, NOW_MS).map(|(answer, _)| answer), ["404", "404", "404"].map(str::to_owned));
        assert!(
            edit(&none, r#"{"iam-instance-profile": {"credentials-source": {"process": ["id"]}}}"#, Some(NOW_MS), None)
                .is_err()
        );
    }

    #[test]
    fn wrong_sources_are_refused() {
        for (source, field) in [
            ("{}", ""),
            (r#"{"environment": true, "profile": "a"}"#, "/environment"),
            (r#"{"environment": false}"#, "/environment"),
            (r#"{"process": []}"#, "/process"),
            (r#"{"process": [""]}"#, "/process"),
            (r#"{"process": ["a", "\u0000"]}"#, "/process"),
            (r#"{"process": "aws-vault export"}"#, "/process"),
            (r#"{"file": "a", "role-arn": "arn:aws:iam::123456789012:role/a"}"#, "/role-arn"),
            (r#"{"profile": "a", "role-arn": "arn:aws:iam::123456789012:user/a"}"#, "/role-arn"),
            (r#"{"profile": "a", "duration": "1h"}"#, "/duration"),
            (r#"{"profile": "a", "role-arn": "arn:aws:iam::123456789012:role/a", "duration": "1m"}"#, "/duration"),
            (r#"{"file": "a", "time-limit": "10m"}"#, "/time-limit"),
        ] {
            let description = format!(r#"{{"iam-instance-profile": {{"credentials-source": {source}}}}}"#);
            let problems = Instance::open(&description, settings()).unwrap_err();
            assert_eq!(problems[0].field, format!("/iam-instance-profile/credentials-source{field}"), "{source}");
        }
        let without_end = r#"{"iam-instance-profile": {"credentials-source": {"environment": true}, "credentials":
            {"access-key-id": "ASIA", "secret-access-key": "s", "session-token": "t"}}}"#;
        let problems = Instance::open(without_end, settings()).unwrap_err();
        assert_eq!((problems.len(), problems[0].field.as_str()), (2, "/iam-instance-profile/credentials"));
    }

    #[test]
    fn a_role_is_there_from_its_association_on() {
        let description = r#"{"iam-instance-profile": {"name": "web", "association-time": "2026-10-01T00:00:08Z"}}"#;
        let answers = |now_ms| role(description, now_ms).map(|(answer, _)| answer);
        assert_eq!(answers(NOW_MS + 7_999), ["404", "404", "404"].map(str::to_owned));
        let [document, list, info] = answers(NOW_MS + 8_000);
        assert!(document.contains(r#""LastUpdated" : "2026-10-01T00:00:08Z""#), "{document}");
        assert!(list == "web" && info.contains("Success"), "{list} {info}");
    }
}
