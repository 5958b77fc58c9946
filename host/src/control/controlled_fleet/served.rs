//! Which instance answers, by which clock, and whose journal keeps it.

use std::sync::Arc;
use std::time::SystemTime;

use super::ControlledFleet;
use crate::control::{Control, Shared};
use crate::engine::{Clock, Instance, RequestHead, Runtime};
use crate::observe::{Answered, Observer};
use crate::serve::{Caller, Guest, Instances};

impl ControlledFleet {
    fn control_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Control> {
        self.shared.callers.find(caller, head, |key| self.read().get(key).cloned())
    }
}

impl Instances for ControlledFleet {
    fn instance_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Instance> {
        Some(self.control_for(caller, head)?.instance())
    }

    fn guest_for(&self, caller: &Caller, head: &RequestHead<'_>) -> Option<Guest> {
        let control = self.control_for(caller, head)?;
        let guest = Guest::new(control.instance()).clock(Arc::clone(&control.shared) as _);
        Some(guest.observer(control.shared))
    }

    fn runtime(&self) -> &Runtime {
        self.runtime()
    }
}

// What one of many has of its own, in one piece, so that a request takes no copy of it.

impl Clock for Shared {
    fn now(&self) -> SystemTime {
        self.clock.now()
    }
}

impl Observer for Shared {
    fn answered(&self, answered: &Answered<'_>) {
        self.journal.answered(answered);
    }
}
