// Whom an operator can mean: the one instance, or one of many.

use hyper::StatusCode;
use imds_host::{Control, ControlledFleet, Instances, Runtime, VirtualClock};

use super::reply::{Refusal, error, failed};
use super::turns::Turns;

/// What is operated.
#[derive(Clone)]
pub enum Operands {
    /// One for all callers.
    One(Control),
    /// One for each caller.
    Many(ControlledFleet),
}

impl Operands {
    /// The only one. Where there are several, nobody knows which is meant.
    pub fn only(&self) -> Result<Control, Refusal> {
        let fleet = match self {
            Self::One(control) => return Ok(control.clone()),
            Self::Many(fleet) => fleet,
        };
        let mut first = fleet.page(None, 2);
        let message = match (first.pop(), first.is_empty()) {
            (Some(only), true) => return Ok(only),
            (Some(_), false) => {
                let number = fleet.len();
                format!(
                    "there are {number} instances; ask for /v1/instances/{{key}}, by a key or an instance id of those \
                     that /v1/instances lists"
                )
            }
            (None, _) => "there is no instance; PUT /v1/instances/{key} adds one".to_owned(),
        };
        Err(error(StatusCode::NOT_FOUND, message))
    }

    /// The one with this key or else with this instance id, and its key. May ask the
    /// component for the ids of all.
    pub fn find(&self, name: &str) -> Result<Option<(String, Control)>, imds_host::Error> {
        match self {
            Self::One(control) => {
                let id = control.instance_id()?;
                Ok((*id == *name).then(|| (id.to_string(), control.clone())))
            }
            Self::Many(fleet) => Ok(fleet.find(name)),
        }
    }

    /// The control of the one with this key or else with this instance id.
    pub async fn named(&self, turns: &Turns, name: String) -> Result<Control, Refusal> {
        if let Self::Many(fleet) = self
            && let Some(control) = fleet.get(&name)
        {
            return Ok(control);
        }
        let operands = self.clone();
        let (_, found) = turns
            .take()
            .await?
            .call(move || match operands.find(&name) {
                Ok(Some((_, control))) => Ok(control),
                Ok(None) => Err(missing(&name)),
                Err(wrong) => Err(failed(wrong)),
            })
            .await?;
        found
    }

    /// The clock by which all are answered.
    pub fn clock(&self) -> &VirtualClock {
        match self {
            Self::One(control) => control.clock(),
            Self::Many(fleet) => fleet.clock(),
        }
    }

    /// What opens their descriptions.
    pub fn runtime(&self) -> &Runtime {
        match self {
            Self::One(control) => control.runtime(),
            Self::Many(fleet) => fleet.runtime(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(fleet) => fleet.len(),
        }
    }
}

/// There is no such instance.
pub fn missing(name: &str) -> Refusal {
    error(
        StatusCode::NOT_FOUND,
        format!("no instance has the key or the id {name:.300}; GET /v1/instances lists those that there are"),
    )
}
