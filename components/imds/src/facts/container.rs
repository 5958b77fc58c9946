//! The credentials of containers on the instance.

use super::Check;
use super::place::Region;
use super::role::{Profile, Role};
use crate::container::{Container, Service};
use crate::credentials::{RoleCredentials, Rotation};
use crate::description as written;
use crate::refreshes::Refreshes;
use crate::time::Time;

/// More containers on one instance are not told apart by a description.
const CONTAINERS_MAX: usize = 64;

/// What is known of the instance whose containers they are.
pub(super) struct Host<'f> {
    pub instance_id: &'f str,
    pub owner_id: &'f str,
    pub region: &'f Region,
    pub launch_time: Time,
    pub profile: Option<&'f Profile>,
}

impl Check {
    pub(super) fn containers(
        &mut self,
        containers: Vec<written::ContainerCredentials>,
        host: &Host<'_>,
    ) -> Vec<Container> {
        let field = "/container-credentials";
        if containers.len() > CONTAINERS_MAX {
            self.wrong(
                field,
                format!("expected credentials of at most {CONTAINERS_MAX} containers, found {}", containers.len()),
            );
            return Vec::new();
        }
        let mut seen: Vec<(Option<String>, Option<String>)> = Vec::new();
        let mut known = Vec::new();
        for (index, container) in containers.into_iter().enumerate() {
            let pointer = format!("{field}/{index}");
            let id = container.credentials_id.map(String::from);
            let authorization = container.authorization_token.map(|token| token.0);
            if authorization.as_ref().is_some_and(|token| !is_field_value(token)) {
                let message = "expected printable ASCII without a space at its ends, at most 4096 characters";
                self.wrong(format!("{pointer}/authorization-token"), message);
            }
            // Of two that answer to the same, nobody would see the second one.
            let key = (id.clone(), authorization.clone().filter(|_| id.is_none()));
            if seen.contains(&key) {
                let name = if id.is_some() { "credentials-id" } else { "authorization-token" };
                self.wrong(format!("{pointer}/{name}"), "another entry has the same, and would hide this one");
            }
            seen.push(key);
            let service = match id {
                Some(id) => Service::Ecs { id },
                None => {
                    if authorization.is_none() {
                        self.wrong(
                            &pointer,
                            "expected `credentials-id`, for a task of ECS, or `authorization-token`, for a pod of EKS",
                        );
                    }
                    Service::Eks
                }
            };
            let credentials = self.credentials(&format!("{pointer}/credentials"), container.credentials);
            let role = container.role_arn.map(String::from);
            if role.is_none() && credentials.is_some() {
                self.wrong(format!("{pointer}/credentials"), "expected together with `role-arn`");
            }
            known.push(host.container(service, authorization, role, credentials));
        }
        known
    }
}

impl Host<'_> {
    fn container(
        &self,
        service: Service,
        authorization: Option<String>,
        role_arn: Option<String>,
        given: Option<written::Credentials>,
    ) -> Container {
        let Some(role_arn) = role_arn else {
            let role = self.profile.and_then(|profile| profile.role.as_ref());
            let name = role.map_or("none", |role| &role.name);
            return Container {
                service,
                authorization,
                role_arn: format!("arn:{}:iam::{}:role/{name}", self.region.partition, self.owner_id),
                account_id: self.owner_id.to_owned(),
                credentials: role.map(|role| role.credentials_on(self.instance_id)),
            };
        };
        let rotation = Rotation::of_role(Refreshes::of(self.instance_id, self.launch_time), self.launch_time);
        let given = given.unwrap_or_default();
        Container {
            service,
            authorization,
            // The form of the ARN was checked.
            account_id: role_arn.split(':').nth(4).unwrap_or_default().to_owned(),
            credentials: Some(RoleCredentials {
                rotation,
                instance_id: self.instance_id.to_owned(),
                from: Time::EPOCH,
                source_failure: None,
                purpose: format!("container role {role_arn}"),
                with_token: given.clone(),
                without_token: given,
                failure: None,
            }),
            role_arn,
        }
    }
}

impl Role {
    /// Its credentials on an instance.
    pub fn credentials_on(&self, instance_id: &str) -> RoleCredentials {
        RoleCredentials {
            rotation: self.rotation,
            instance_id: instance_id.to_owned(),
            from: self.from,
            source_failure: self.source_failure.clone(),
            purpose: format!("role {}", self.name),
            with_token: self.credentials.clone(),
            without_token: self.credentials_without_token.clone(),
            failure: self.failure.clone(),
        }
    }
}

/// Whether a client can send a text as the value of a header field.
fn is_field_value(text: &str) -> bool {
    (1..=4096).contains(&text.len())
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && text.trim() == text
}
