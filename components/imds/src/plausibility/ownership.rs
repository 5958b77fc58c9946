//! What belongs to whom.

use super::Judge;
use super::rules::{PROFILE_OF_ANOTHER_ACCOUNT, REAL_CREDENTIALS_WITHOUT_TOKEN};
use crate::description::HttpTokens;
use crate::description::problem::{Problem, shown};

impl Judge<'_> {
    pub(super) fn ownership(&mut self) {
        self.profile();
        self.credentials_source();
    }

    fn credentials_source(&mut self) {
        let facts = self.facts;
        let role = facts.profile.as_ref().and_then(|profile| profile.role.as_ref());
        if facts.http_tokens == HttpTokens::Optional && role.is_some_and(|role| role.source_failure.is_some()) {
            let message = "the role's credentials are real, and requests get them without a token";
            let problem = Problem::at("/metadata-options/http-tokens", message);
            self.warn(
                &REAL_CREDENTIALS_WITHOUT_TOKEN,
                problem.help("leave `http-tokens` out, or set it to \"required\""),
            );
        }
    }

    fn profile(&mut self) {
        let pointer = "/iam-instance-profile/arn";
        let arn: Vec<&str> = self.text(pointer).unwrap_or_default().split(':').collect();
        let ["arn", partition, _, _, account, _] = arn[..] else { return };
        let (owner, of_region) = (&self.facts.owner_id, self.facts.region.partition);
        let message = if account != owner {
            format!("the profile belongs to the account {}, the instance to {owner}", shown(account))
        } else if partition != of_region {
            format!("the profile is of the partition {}, the instance of {of_region}", shown(partition))
        } else {
            return;
        };
        let help = format!(
            "such as arn:{of_region}:iam::{owner}:instance-profile/NAME, which follows from `name` and `owner-id`"
        );
        self.warn(&PROFILE_OF_ANOTHER_ACCOUNT, Problem::at(pointer, message).help(help));
    }
}
