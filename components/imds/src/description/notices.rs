//! What becomes of an instance, as it is told before.

use super::part::Part;
use super::value::{InstanceEventId, Line};
use super::{EventCode, EventState, SpotAction};
use crate::time::Time;

entries! {
    /// The interruption of a spot instance.
    SpotInterruption {
        /// Default terminate.
        #[serde(default)]
        action: SpotAction,
        /// When it happens. Default: two minutes after the change that tells of it, at once for hibernate.
        #[serde(default)]
        time: Option<Time>,
        /// When the service begins to tell. Default: two minutes before, for hibernate when it happens; with the change
        /// where that leaves out `time` too.
        #[serde(default)]
        notice_time: Option<Time>,
    }

    /// The rebalance recommendation to a spot instance.
    RebalanceRecommendation {
        /// When it was given; shown from then on. Default: with the change that tells of it.
        #[serde(default)]
        notice_time: Option<Time>,
    }

    /// A maintenance event.
    Event {
        /// Default: made from the instance id. In a change, that of an event that is there changes it.
        #[serde(default)]
        instance_event_id: Option<InstanceEventId>,
        /// What happens. Default system-reboot.
        #[serde(default)]
        code: EventCode,
        /// Default: one that fits the code.
        #[serde(default)]
        description: Option<Line>,
        /// The earliest time at which it begins. Needed, but for a change of an event that has it.
        #[serde(default)]
        not_before: Option<Time>,
        /// The latest time at which it ends; `false` for an event without an end. Default: two hours after `not-before`,
        /// none for instance-stop and instance-retirement.
        #[serde(default)]
        not_after: Part<Time>,
        /// Default active.
        #[serde(default)]
        state: EventState,
    }
}
