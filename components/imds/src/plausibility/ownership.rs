//! What belongs to whom.

use super::Judge;
use super::rules::{GUESSABLE_CONTAINER_SECRET, PROFILE_OF_ANOTHER_ACCOUNT, REAL_CREDENTIALS_WITHOUT_TOKEN};
use crate::container::Service;
use crate::description::HttpTokens;
use crate::description::problem::{Problem, shown};

/// So many random characters hold 128 bits, in base64.
const HARD_TO_GUESS: usize = 22;

impl Judge<'_> {
    pub(super) fn ownership(&mut self) {
        self.profile();
        self.credentials_source();
        self.containers();
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

    /// What a client shows to get a container's credentials takes the place of a session
    /// token.
    fn containers(&mut self) {
        for (index, container) in self.facts.containers.iter().enumerate() {
            let is_real = container.credentials.as_ref().is_some_and(|role| role.source_failure.is_some());
            let secrets = [
                ("authorization-token", container.authorization.as_ref()),
                match &container.service {
                    Service::Ecs { id } => ("credentials-id", Some(id)),
                    Service::Eks => ("credentials-id", None),
                },
            ];
            let stated = || secrets.iter().filter_map(|(field, secret)| Some((*field, (*secret)?.len())));
            let guessable = stated().max_by_key(|(_, length)| *length).filter(|(_, length)| *length < HARD_TO_GUESS);
            if let Some((field, _)) = guessable.filter(|_| is_real) {
                let at = format!("/container-credentials/{index}/{field}");
                let problem = Problem::at(at, "the role's credentials are real, and this can be guessed");
                self.warn(
                    &GUESSABLE_CONTAINER_SECRET,
                    problem.help("make it 22 random characters or more, such as a UUID"),
                );
            }
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
