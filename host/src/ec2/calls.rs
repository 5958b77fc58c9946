//! Which function does which action.

use std::sync::PoisonError;

use serde::de::DeserializeOwned;

use super::failure::{Failure, shown};
use super::query::Call;
use super::xml::Element;
use super::{Context, change, describe, run};

/// Whether an action changes something. One at a time does.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Reads,
    Changes,
}

use Kind::{Changes, Reads};

type Perform = fn(&Context<'_>, &Call) -> Result<Element, Failure>;

/// An action whose parameters are those of a type.
macro_rules! action {
    ($function:path) => {
        |context, call| typed(context, call, $function)
    };
}

/// All that are offered, in the order of their names.
pub(super) const ALL: [(&str, Kind, Perform); 33] = [
    ("AllocateAddress", Changes, action!(change::address::allocate)),
    ("AssignIpv6Addresses", Changes, action!(change::interface::assign_ipv6)),
    ("AssignPrivateIpAddresses", Changes, action!(change::interface::assign_private)),
    ("AssociateAddress", Changes, action!(change::address::associate)),
    ("AssociateIamInstanceProfile", Changes, action!(change::profile::associate)),
    ("AttachVolume", Changes, action!(change::volume::attach)),
    ("CreateTags", Changes, action!(change::tags::create)),
    ("DeleteTags", Changes, action!(change::tags::delete)),
    ("DescribeAddresses", Reads, action!(change::address::describe)),
    ("DescribeIamInstanceProfileAssociations", Reads, action!(describe::profiles::describe)),
    ("DescribeInstanceAttribute", Reads, action!(describe::attribute::describe)),
    ("DescribeInstanceStatus", Reads, action!(describe::status::describe)),
    ("DescribeInstances", Reads, action!(describe::instances::describe)),
    ("DescribeSpotInstanceRequests", Reads, action!(describe::spot::describe)),
    ("DescribeTags", Reads, action!(describe::tags::describe)),
    ("DetachVolume", Changes, action!(change::volume::detach)),
    ("DisassociateAddress", Changes, action!(change::address::disassociate)),
    ("DisassociateIamInstanceProfile", Changes, action!(change::profile::disassociate)),
    ("GetInstanceMetadataDefaults", Reads, action!(describe::metadata_defaults::get)),
    ("ModifyInstanceAttribute", Changes, action!(change::attribute::modify)),
    ("ModifyInstanceEventStartTime", Changes, action!(change::event::modify)),
    ("ModifyInstanceMetadataOptions", Changes, action!(change::metadata_options::modify)),
    ("MonitorInstances", Changes, action!(change::monitoring::monitor)),
    ("RebootInstances", Changes, action!(change::power::reboot)),
    ("ReleaseAddress", Changes, action!(change::address::release)),
    ("ReplaceIamInstanceProfileAssociation", Changes, action!(change::profile::replace)),
    ("RunInstances", Changes, run::run),
    ("StartInstances", Changes, action!(change::power::start)),
    ("StopInstances", Changes, action!(change::power::stop)),
    ("TerminateInstances", Changes, action!(change::power::terminate)),
    ("UnassignIpv6Addresses", Changes, action!(change::interface::unassign_ipv6)),
    ("UnassignPrivateIpAddresses", Changes, action!(change::interface::unassign_private)),
    ("UnmonitorInstances", Changes, action!(change::monitoring::unmonitor)),
];

/// Does what a call asks for.
pub(super) fn perform(context: &Context<'_>, call: &Call) -> Result<Element, Failure> {
    let Some((_, kind, perform)) = ALL.iter().find(|(name, ..)| *name == call.action) else {
        let action = shown(&call.action);
        let offered: Vec<_> = ALL.iter().map(|(name, ..)| *name).collect();
        let message = format!("The action {action} is not offered here. Offered are: {}", offered.join(", "));
        return Err(Failure::unsupported(message));
    };
    let alone = context.shared.changing.lock().unwrap_or_else(PoisonError::into_inner);
    // No call changes anything meanwhile, so the facts are not older than the stored state.
    context.follow()?;
    let _alone = (*kind == Changes).then_some(alone);
    let answer = perform(context, call)?;
    // What changes nothing is done before it is known that it can be.
    context.proceed()?;
    Ok(answer)
}

fn typed<T: DeserializeOwned>(
    context: &Context<'_>,
    call: &Call,
    perform: fn(&Context<'_>, T) -> Result<Element, Failure>,
) -> Result<Element, Failure> {
    perform(context, call.read()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_in_the_order_of_their_names() {
        assert!(ALL.is_sorted_by(|(one, ..), (other, ..)| one < other));
    }
}
