//! What an instance is for and what becomes of it: its role, its volumes, its
//! events.

use super::place::Region;
use super::{Check, made};
use crate::description as written;
use crate::description::part::Part;
use crate::description::problem::Problem;
use crate::description::value::Secret;
use crate::time::Time;

/// An instance profile.
#[derive(Clone)]
pub struct Profile {
    pub arn: String,
    pub id: String,
    pub role: Option<Role>,
}

/// The role of an instance profile.
#[derive(Clone)]
pub struct Role {
    pub name: String,
    pub credentials: written::Credentials,
    pub credentials_without_token: written::Credentials,
    /// Code and message, where the role cannot be assumed.
    pub failure: Option<(String, String)>,
}

/// The notice that a spot instance will be interrupted.
#[derive(Clone, Copy, Debug)]
pub struct SpotNotice {
    pub action: written::SpotAction,
    pub time: Time,
    pub notice_time: Time,
}

/// A maintenance event.
#[derive(Clone)]
pub struct Event {
    pub id: String,
    pub code: &'static str,
    pub description: String,
    pub not_before: Time,
    pub not_after: Time,
    pub state: written::EventState,
}

impl Check {
    pub(super) fn profile(
        &mut self,
        part: Part<written::IamInstanceProfile>,
        instance_id: &str,
        owner_id: &str,
        region: &Region,
    ) -> Option<Profile> {
        let written = part.or_default(|| Some(written::IamInstanceProfile::default()))?;
        let at = |field: &str| format!("/iam-instance-profile/{field}");
        let name = self.line(&at("name"), written.name);
        let name = name.or_else(|| written.role_name.given().cloned()).unwrap_or_else(|| "imds".into());
        let role_name = written.role_name.or_default(|| Some(name.clone()));
        if let Some(role_name) = &role_name {
            self.segment(&at("role-name"), role_name);
        }
        let arn = self.line(&at("arn"), written.arn);
        let partition = region.partition;
        let failure_message = self.line(&at("failure-message"), written.failure_message);
        let failure_code = self.line(&at("failure-code"), written.failure_code);
        if failure_code.is_none() && failure_message.is_some() {
            self.wrong(at("failure-message"), "expected together with `failure-code`");
        }
        let credentials = self.credentials(&at("credentials"), written.credentials);
        let without_token = self.credentials(&at("credentials-without-token"), written.credentials_without_token);
        Some(Profile {
            id: self
                .line(&at("id"), written.id)
                .unwrap_or_else(|| made::unique_id("AIPA", 17, instance_id, &format!("profile {name}"))),
            arn: arn.unwrap_or_else(|| format!("arn:{partition}:iam::{owner_id}:instance-profile/{name}")),
            role: role_name.map(|name| Role {
                failure: failure_code.map(|code| {
                    let message = failure_message.unwrap_or_else(|| {
                        format!(
                            "EC2 cannot assume the role {name}. Please see documentation at \
                             https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc."
                        )
                    });
                    (code, message)
                }),
                // Credentials that are given count with and without a session
                // token, unless the description tells them apart.
                credentials_without_token: without_token.or_else(|| credentials.clone()).unwrap_or_default(),
                credentials: credentials.unwrap_or_default(),
                name,
            }),
        })
    }

    fn credentials(&mut self, pointer: &str, given: Option<written::Credentials>) -> Option<written::Credentials> {
        let given = given?;
        let texts = [
            ("access-key-id", given.access_key_id.clone()),
            ("secret-access-key", given.secret_access_key.clone().map(|Secret(text)| text)),
            ("session-token", given.session_token.clone().map(|Secret(text)| text)),
        ];
        for (field, text) in texts {
            self.line(&format!("{pointer}/{field}"), text);
        }
        if given.last_updated.zip(given.expiration).is_some_and(|(updated, expiration)| expiration <= updated) {
            self.wrong(format!("{pointer}/expiration"), "expected a time after `last-updated`");
        }
        Some(given)
    }

    /// Names of block device mappings: `ebs1`, `ebs2` … for volumes in their
    /// order, `ephemeral0` … and `swap` as given.
    pub(super) fn block_devices(
        &mut self,
        mappings: Vec<written::BlockDeviceMapping>,
        root: Option<&str>,
    ) -> Vec<(String, String)> {
        let root = root.unwrap_or("/dev/xvda");
        let mut devices: Vec<(String, String)> = Vec::new();
        let mut volumes = 0;
        for (index, mapping) in mappings.into_iter().enumerate() {
            let at = |field: &str| format!("/block-device-mappings/{index}/{field}");
            let Some(device) = self.line(&at("device-name"), mapping.device_name) else {
                self.wrong(format!("/block-device-mappings/{index}"), "field `device-name` is missing here");
                continue;
            };
            let device = device.trim_start_matches("/dev/").to_owned();
            let name = match mapping.virtual_name {
                Some(name) => {
                    let number = name.strip_prefix("ephemeral").unwrap_or_default();
                    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                    if !numbered && name != "swap" {
                        self.wrong(at("virtual-name"), "expected `swap`, or `ephemeral` and a number from 0");
                    }
                    name
                }
                // EC2's API lists the root volume among the mappings; the
                // service shows it as `ami` and `root`.
                None if device == root.trim_start_matches("/dev/") => continue,
                None => {
                    volumes += 1;
                    format!("ebs{volumes}")
                }
            };
            if devices.iter().any(|(other, _)| *other == name) {
                self.wrong(at("virtual-name"), "this name is given twice");
            }
            devices.push((name, device));
        }
        devices
    }

    pub(super) fn product_codes(
        &mut self,
        codes: Vec<written::ProductCode>,
    ) -> Vec<(String, written::ProductCodeType)> {
        let mut complete = Vec::new();
        for (index, code) in codes.into_iter().enumerate() {
            let pointer = format!("/product-codes/{index}");
            match self.line(&format!("{pointer}/product-code-id"), code.product_code_id) {
                Some(id) => complete.push((id, code.product_code_type)),
                None => self.wrong(pointer, "field `product-code-id` is missing here"),
            }
        }
        complete
    }

    pub(super) fn spot_notice(
        &mut self,
        interruption: Option<written::SpotInterruption>,
        lifecycle: written::InstanceLifecycle,
    ) -> Option<SpotNotice> {
        let interruption = interruption?;
        self.spot_only("/spot-interruption", lifecycle);
        let Some(time) = interruption.time else {
            self.wrong("/spot-interruption", "field `time` is missing here");
            return None;
        };
        // A hibernation begins at once, without two minutes of warning.
        let notice_time = interruption.notice_time.unwrap_or(match interruption.action {
            written::SpotAction::Hibernate => time,
            written::SpotAction::Terminate | written::SpotAction::Stop => time.minus_seconds(120),
        });
        if notice_time > time {
            self.wrong("/spot-interruption/notice-time", "expected a time not after `time`");
        }
        Some(SpotNotice { action: interruption.action, time, notice_time })
    }

    pub(super) fn rebalance_notice(
        &mut self,
        recommendation: Option<written::RebalanceRecommendation>,
        lifecycle: written::InstanceLifecycle,
    ) -> Option<Time> {
        let recommendation = recommendation?;
        self.spot_only("/rebalance-recommendation", lifecycle);
        if recommendation.notice_time.is_none() {
            self.wrong("/rebalance-recommendation", "field `notice-time` is missing here");
        }
        recommendation.notice_time
    }

    fn spot_only(&mut self, pointer: &str, lifecycle: written::InstanceLifecycle) {
        if lifecycle != written::InstanceLifecycle::Spot {
            let problem = Problem::at(pointer, "only a spot instance has this");
            self.problems.push(problem.help("set `instance-lifecycle` to \"spot\""));
        }
    }

    pub(super) fn events(&mut self, events: Vec<written::Event>, instance_id: &str) -> Vec<Event> {
        let mut complete = Vec::new();
        for (index, event) in events.into_iter().enumerate() {
            let at = |field: &str| format!("/events/{index}/{field}");
            let Some(not_before) = event.not_before else {
                self.wrong(format!("/events/{index}"), "field `not-before` is missing here");
                continue;
            };
            let not_after = event.not_after.unwrap_or(not_before.plus_seconds(7200));
            if not_after < not_before {
                self.wrong(at("not-after"), "expected a time not before `not-before`");
            }
            let id = event.instance_event_id;
            complete.push(Event {
                id: self.id(&at("instance-event-id"), "instance-event-", id, || {
                    made::resource_id("instance-event-", &format!("{instance_id} {index}"))
                }),
                description: self
                    .line(&at("description"), event.description)
                    .unwrap_or_else(|| event_description(event.code).into()),
                code: event.code.as_str(),
                not_before,
                not_after,
                state: event.state,
            });
        }
        complete
    }

    pub(super) fn managed_ssh_keys(
        &mut self,
        keys: Option<written::ManagedSshKeys>,
    ) -> Option<written::ManagedSshKeys> {
        let keys = keys?;
        for (field, texts) in [("active-keys", &keys.active_keys), ("signer-ocsp", &keys.signer_ocsp)] {
            for (name, _) in &texts.0 {
                let step = crate::description::problem::pointer_step(name);
                self.segment(&format!("/managed-ssh-keys/{field}{step}"), name);
            }
        }
        Some(keys)
    }

    /// Id and type of each accelerator.
    pub(super) fn associations(
        &mut self,
        pointer: &str,
        id_field: &str,
        default_type: &str,
        associations: impl Iterator<Item = (Option<String>, Option<String>)>,
    ) -> Vec<(String, String)> {
        let mut complete = Vec::new();
        for (index, (id, kind)) in associations.enumerate() {
            let Some(id) = id else {
                self.wrong(format!("{pointer}/{index}"), format!("field `{id_field}` is missing here"));
                continue;
            };
            self.segment(&format!("{pointer}/{index}/{id_field}"), &id);
            complete.push((id, kind.unwrap_or_else(|| default_type.to_owned())));
        }
        complete
    }

    pub(super) fn signatures(&mut self, signatures: written::IdentitySignatures) -> written::IdentitySignatures {
        let texts =
            [("signature", &signatures.signature), ("pkcs7", &signatures.pkcs7), ("rsa2048", &signatures.rsa2048)];
        for (field, text) in texts {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n ".contains(&byte);
            if text.as_ref().is_some_and(|text| text.trim().is_empty() || !text.bytes().all(fits)) {
                self.wrong(format!("/identity-signatures/{field}"), "expected base64 without PEM armour");
            }
        }
        signatures
    }
}

fn event_description(code: written::EventCode) -> &'static str {
    match code {
        written::EventCode::SystemReboot => "scheduled reboot",
        written::EventCode::InstanceReboot => "The instance is scheduled for a reboot",
        written::EventCode::InstanceStop => "The instance is running on degraded hardware",
        written::EventCode::InstanceRetirement => "The instance is running on degraded hardware",
        written::EventCode::SystemMaintenance => "The instance is scheduled for network maintenance",
    }
}
