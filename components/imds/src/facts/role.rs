//! The instance profile and its role.

use super::place::Region;
use super::{Check, made};
use crate::credentials::{Failure, Life, Rotation};
use crate::description as written;
use crate::description::part::Part;
use crate::description::problem::{Problem, shown};
use crate::description::value::IamName;
use crate::refreshes::Refreshes;
use crate::time::Time;

/// An instance profile.
pub struct Profile {
    pub arn: String,
    pub id: String,
    pub role: Option<Role>,
}

/// The role of an instance profile.
pub struct Role {
    pub name: String,
    pub credentials: written::Credentials,
    pub credentials_without_token: written::Credentials,
    pub rotation: Rotation,
    /// When the profile was associated with the instance; the epoch for one that it always had.
    pub from: Time,
    /// What is told where the role cannot be assumed.
    pub failure: Option<Failure>,
    /// Where the shell delivers real credentials: what is told while there are none in force. Nothing is made up then.
    pub source_failure: Option<Failure>,
}

impl Check {
    pub(super) fn profile(
        &mut self,
        part: Part<written::IamInstanceProfile>,
        instance_id: &str,
        owner_id: &str,
        region: &Region,
        launch_time: Time,
    ) -> Option<Profile> {
        let written = part.or_default(|| Some(written::IamInstanceProfile::default()))?;
        let at = |field: &str| format!("/iam-instance-profile/{field}");
        let role_given = written.role_name.given().map(|name| name.as_str().to_owned());
        let arn = written.arn.map(String::from);
        // The last part of an ARN is the profile's name, behind its path.
        let name_in_arn = arn.as_ref().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned);
        if let Some(in_arn) = &name_in_arn
            && let Err(expected) = in_arn.parse::<IamName>()
        {
            self.wrong(at("arn"), format!("the name at its end, `{}`, is wrong: {expected}", shown(in_arn)));
        }
        let name = written.name.map(String::from);
        if let (Some(name), Some(in_arn)) = (&name, &name_in_arn)
            && name != in_arn
        {
            self.wrong(at("name"), format!("this is not {}, the name in `arn`", shown(in_arn)));
        }
        let name = name.or(name_in_arn).or_else(|| role_given.clone()).unwrap_or_else(|| "imds".into());
        let role_name = match written.role_name {
            Part::Default => Some(name.clone()),
            Part::Absent => None,
            Part::Given(name) => Some(name.into()),
        };
        if written.failure_code == Part::Default && written.failure_message.is_some() {
            self.wrong(at("failure-message"), "expected together with `failure-code`");
        }
        let credentials = self.credentials(&at("credentials"), written.credentials);
        let without_token = self.credentials(&at("credentials-without-token"), written.credentials_without_token);
        // The first credentials come with the role.
        let first = written.association_time.unwrap_or(launch_time).max(launch_time);
        let recorded = Rotation { first, ..Rotation::of_role(Refreshes::of(instance_id, launch_time), launch_time) };
        let made_up = self.rotation(&at("credentials-rotation"), &written.credentials_rotation, recorded);
        let is_sourced = written.credentials_source.is_some();
        if let Some(source) = &written.credentials_source {
            self.credentials_source(&at("credentials-source"), source);
            self.delivered(&at(""), credentials.as_ref(), without_token.is_some());
        }
        let rotation = match &credentials {
            Some(delivered) if is_sourced => Rotation::of_delivery(delivered, made_up),
            _ => made_up,
        };
        let partition = region.partition;
        let failure_message = written.failure_message.map(String::from);
        Some(Profile {
            id: written
                .id
                .map_or_else(|| made::unique_id("AIPA", 17, instance_id, &format!("profile {name}")), String::from),
            arn: arn.unwrap_or_else(|| format!("arn:{partition}:iam::{owner_id}:instance-profile/{name}")),
            role: role_name.map(|name| Role {
                rotation,
                from: written.association_time.unwrap_or(Time::EPOCH),
                source_failure: is_sourced.then(|| none_in_force(&name)),
                failure: written.failure_code.or_default(|| None).map(|code| Failure {
                    code: code.into(),
                    message: failure_message.unwrap_or_else(|| cannot_assume(&name)),
                }),
                // Credentials that are given count with and without a session
                // token, unless the description tells them apart.
                credentials_without_token: without_token.or_else(|| credentials.clone()).unwrap_or_default(),
                credentials: credentials.unwrap_or_default(),
                name,
            }),
        })
    }

    fn rotation(&mut self, pointer: &str, written: &written::CredentialsRotation, recorded: Rotation) -> Rotation {
        for (field, span) in [("interval", written.interval), ("lifetime", written.lifetime)] {
            if span.is_some_and(|span| span.0 < 1000) {
                self.wrong(format!("{pointer}/{field}"), "expected at least a second");
            }
        }
        let first = written.since.unwrap_or(recorded.first);
        if written.until.is_some_and(|until| until < first) {
            self.wrong(format!("{pointer}/until"), "expected a time not before the first delivery");
        }
        let interval_ms = written.interval.map_or(recorded.interval_ms, |span| span.0.max(1));
        let life = match written.lifetime {
            Some(span) => Life::of_ms(span.0),
            None => recorded.life.for_deliveries_every(interval_ms),
        };
        Rotation { first, interval_ms, life, until: written.until, ..recorded }
    }

    pub(super) fn credentials(
        &mut self,
        pointer: &str,
        given: Option<written::Credentials>,
    ) -> Option<written::Credentials> {
        let given = given?;
        let parts = [
            ("access-key-id", given.access_key_id.is_some()),
            ("secret-access-key", given.secret_access_key.is_some()),
            ("session-token", given.session_token.is_some()),
        ];
        // A part that was made up beside parts of real credentials would only
        // show as a refusal at AWS.
        if parts.iter().any(|(_, is_given)| *is_given) {
            for (field, _) in parts.iter().filter(|(_, is_given)| !is_given) {
                let help = "give access-key-id, secret-access-key and session-token, or none of them";
                self.problems.push(Problem::at(pointer, format!("field `{field}` is missing here")).help(help));
            }
        }
        if given.last_updated.zip(given.expiration).is_some_and(|(updated, expiration)| expiration <= updated) {
            self.wrong(format!("{pointer}/expiration"), "expected a time after `last-updated`");
        }
        Some(given)
    }
}

/// UNRECORDED: that EC2 has no credentials for a while. Clients know this code, and
/// keep the credentials that they have; the message is for people, and says whom to ask.
fn none_in_force(role: &str) -> Failure {
    Failure {
        code: "AssumeRoleUnauthorizedAccess".to_owned(),
        message: format!(
            "EC2 cannot assume the role {role}: the source of its credentials has given none that are in force. \
             Ask whoever operates this metadata service."
        ),
    }
}

fn cannot_assume(role: &str) -> String {
    format!(
        "EC2 cannot assume the role {role}. Please see documentation at \
         https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc."
    )
}
