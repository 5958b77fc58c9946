//! Attributes of an instance that EC2 stores and its metadata does not show.

use serde::Deserialize;

use super::failure::Failure;

/// The attributes that calls set. Each is `false` by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    stop_is_disabled: bool,
    termination_is_disabled: bool,
    is_ebs_optimized: bool,
    forwards: bool,
    shutdown_terminates: bool,
}

/// Their names in EC2's calls.
pub(super) const NAMES: [&str; 5] =
    ["disableApiStop", "disableApiTermination", "ebsOptimized", "instanceInitiatedShutdownBehavior", "sourceDestCheck"];

impl Attributes {
    /// The value of an attribute by its name; `None` for another name.
    pub fn get(&self, name: &str) -> Option<&'static str> {
        let truth = |is_true: bool| if is_true { "true" } else { "false" };
        Some(match name {
            "disableApiStop" => truth(self.stop_is_disabled),
            "disableApiTermination" => truth(self.termination_is_disabled),
            "ebsOptimized" => truth(self.is_ebs_optimized),
            "instanceInitiatedShutdownBehavior" => {
                if self.shutdown_terminates {
                    "terminate"
                } else {
                    "stop"
                }
            }
            "sourceDestCheck" => truth(!self.forwards),
            _ => return None,
        })
    }

    /// Sets one of [`NAMES`].
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let truth = || match value {
            _ if value.eq_ignore_ascii_case("true") => Ok(true),
            _ if value.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(Failure::value(name, value, "Expected true or false.")),
        };
        match name {
            "disableApiStop" => self.stop_is_disabled = truth()?,
            "disableApiTermination" => self.termination_is_disabled = truth()?,
            "ebsOptimized" => self.is_ebs_optimized = truth()?,
            "sourceDestCheck" => self.forwards = !truth()?,
            _ => {
                self.shutdown_terminates = match value {
                    "stop" => false,
                    "terminate" => true,
                    _ => return Err(Failure::value(name, value, "Expected stop or terminate.")),
                }
            }
        }
        Ok(())
    }

    /// Whether all attributes have their defaults.
    pub fn are_default(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses protection for a spot instance, as EC2 does.
    pub fn judge_spot(&self) -> Result<(), Failure> {
        match self.stop_is_disabled || self.termination_is_disabled {
            true => Err(Failure::unsupported("A Spot Instance cannot be protected from being stopped or terminated")),
            false => Ok(()),
        }
    }

    /// Refuses to stop an instance with stop protection.
    pub fn judge_stop(&self, id: &str) -> Result<(), Failure> {
        protected(self.stop_is_disabled, id, "stopped", "disableApiStop")
    }

    /// Refuses to terminate an instance with either protection.
    pub fn judge_termination(&self, id: &str) -> Result<(), Failure> {
        protected(self.termination_is_disabled, id, "terminated", "disableApiTermination")?;
        protected(self.stop_is_disabled, id, "terminated", "disableApiStop")
    }
}

fn protected(is_disabled: bool, id: &str, becomes: &str, attribute: &str) -> Result<(), Failure> {
    if !is_disabled {
        return Ok(());
    }
    let message =
        format!("The instance '{id}' may not be {becomes}. Modify its '{attribute}' instance attribute and try again.");
    Err(Failure::new("OperationNotPermitted", message))
}

/// The options of a request for a spot instance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(super) struct SpotOptions {
    spot_instance_type: Option<String>,
    instance_interruption_behavior: Option<String>,
    /// On EC2, these end the request; here an operator does.
    #[serde(rename = "BlockDurationMinutes")]
    _block_duration_minutes: Option<u32>,
    #[serde(rename = "MaxPrice")]
    _max_price: Option<String>,
    #[serde(rename = "ValidUntil")]
    _valid_until: Option<String>,
}

impl SpotOptions {
    pub fn is_persistent(&self) -> bool {
        self.spot_instance_type.as_deref() == Some("persistent")
    }

    /// The action of an interruption: `terminate`, `stop` or `hibernate`.
    pub fn behavior(&self) -> &str {
        self.instance_interruption_behavior.as_deref().unwrap_or("terminate")
    }

    pub fn judge(&self) -> Result<(), Failure> {
        let kind = self.spot_instance_type.as_deref().unwrap_or("one-time");
        if !["one-time", "persistent"].contains(&kind) {
            return Err(Failure::value("spotInstanceType", kind, "Expected one-time or persistent."));
        }
        let behavior = self.behavior();
        if !["terminate", "stop", "hibernate"].contains(&behavior) {
            let why = "Expected terminate, stop or hibernate.";
            return Err(Failure::value("instanceInterruptionBehavior", behavior, why));
        }
        // RunInstances accepts no other combination.
        if self.is_persistent() == (behavior == "terminate") {
            let message = format!(
                "The request with type '{kind}' is not supported when instanceInterruptionBehavior is set to \
                 '{behavior}'."
            );
            return Err(Failure::combination(message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_what_they_were_set_to() {
        let mut attributes = Attributes::default();
        let values = |of: &Attributes| NAMES.map(|name| of.get(name).unwrap());
        assert_eq!(values(&attributes), ["false", "false", "false", "stop", "true"]);
        for (name, value) in NAMES.into_iter().zip(["true", "True", "true", "terminate", "false"]) {
            assert!(attributes.set(name, "perhaps").is_err(), "{name}");
            attributes.set(name, value).unwrap();
        }
        assert_eq!(values(&attributes), ["true", "true", "true", "terminate", "false"]);
        assert!(!attributes.are_default() && attributes.get("colour").is_none());
    }
}
