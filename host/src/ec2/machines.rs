//! The instances that calls are about.

use std::collections::HashMap;
use std::time::SystemTime;

use super::facts::Facts;
use super::failure::Failure;
use super::ids;
use crate::control::{Control, ControlledFleet};
use crate::engine::Clock as _;

/// One instance, or those of a fleet.
pub(super) enum Machines {
    One(Control),
    Many(ControlledFleet),
}

impl Machines {
    /// All with their ids, in the order of these.
    pub fn all(&self) -> Result<Vec<(String, Control)>, Failure> {
        let controls = match self {
            Self::One(control) => vec![control.clone()],
            Self::Many(fleet) => fleet.page(None, usize::MAX),
        };
        let mut all = Vec::with_capacity(controls.len());
        for control in controls {
            all.push((control.instance_id()?.to_string(), control));
        }
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(all)
    }

    /// Those with these ids, in the order of the ids.
    pub fn with_ids(&self, wanted: &[String]) -> Result<Vec<Control>, Failure> {
        if wanted.is_empty() {
            return Err(Failure::missing("InstanceId"));
        }
        for id in wanted {
            ids::instance_id(id)?;
        }
        let mut missing = Vec::new();
        let mut found = Vec::new();
        for (id, control) in wanted.iter().zip(self.those(wanted)?) {
            match control {
                Some(control) => found.push(control),
                None => missing.push(&**id),
            }
        }
        if let Some(id) = missing.iter().find(|id| !ids::is_of_form(id, "i-")) {
            return Err(ids::malformed("InvalidInstanceID.Malformed", id));
        }
        match &missing[..] {
            [] => Ok(found),
            [id] => Err(not_found(&format!("The instance ID '{id}' does not exist"))),
            ids => Err(not_found(&format!("The instance IDs '{}' do not exist", ids.join(", ")))),
        }
    }

    /// The instance for each id, if there is one.
    pub fn those(&self, ids: &[String]) -> Result<Vec<Option<Control>>, Failure> {
        // Going over all instances once is faster than a search for each id.
        let all: Option<HashMap<_, _>> = if ids.len() > 8 { Some(self.all()?.into_iter().collect()) } else { None };
        let one = |id: &String| match &all {
            Some(all) => Ok(all.get(id).cloned()),
            None => self.find(id),
        };
        ids.iter().map(one).collect()
    }

    /// The one with an id.
    pub fn with_id(&self, id: &str) -> Result<Control, Failure> {
        let found = self.find(ids::instance_id(id)?)?;
        found.ok_or_else(|| match ids::is_of_form(id, "i-") {
            true => not_found(&format!("The instance ID '{id}' does not exist")),
            false => ids::malformed("InvalidInstanceID.Malformed", id),
        })
    }

    fn find(&self, id: &str) -> Result<Option<Control>, Failure> {
        Ok(match self {
            Self::One(control) => (*control.instance_id()? == *id).then(|| control.clone()),
            Self::Many(fleet) => match fleet.find(id) {
                // A key may look like the id of another.
                Some((_, found)) if *found.instance_id()? != *id => {
                    self.all()?.into_iter().find(|(known, _)| known == id).map(|(_, control)| control)
                }
                found => found.map(|(_, control)| control),
            },
        })
    }

    /// The first that something is true of.
    pub fn first(&self, mut is_it: impl FnMut(&Facts) -> bool) -> Result<Option<(Control, Facts)>, Failure> {
        for (_, control) in self.all()? {
            let facts = Facts::of(&control)?;
            if is_it(&facts) {
                return Ok(Some((control, facts)));
            }
        }
        Ok(None)
    }

    pub fn now(&self) -> SystemTime {
        match self {
            Self::One(control) => control.clock().now(),
            Self::Many(fleet) => fleet.clock().now(),
        }
    }
}

fn not_found(message: &str) -> Failure {
    Failure::new("InvalidInstanceID.NotFound", message)
}
