//! What belongs to whom.

use super::Judge;
use super::rules::PROFILE_OF_ANOTHER_ACCOUNT;
use crate::description::problem::{Problem, shown};

impl Judge<'_> {
    pub(super) fn ownership(&mut self) {
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
