//! Which function does which action.

use serde::de::DeserializeOwned;

use super::failure::{Failure, shown};
use super::query::Call;
use super::xml::Element;
use super::{Context, change, describe, run};

type Perform = fn(&Context<'_>, &Call) -> Result<Element, Failure>;

/// An action whose parameters are those of a type.
macro_rules! action {
    ($function:path) => {
        |context, call| typed(context, call, $function)
    };
}

/// All that are offered, in the order of their names.
pub(super) const ALL: [(&str, Perform); 33] = [
    ("AllocateAddress", action!(change::address::allocate)),
    ("AssignIpv6Addresses", action!(change::interface::assign_ipv6)),
    ("AssignPrivateIpAddresses", action!(change::interface::assign_private)),
    ("AssociateAddress", action!(change::address::associate)),
    ("AssociateIamInstanceProfile", action!(change::profile::associate)),
    ("AttachVolume", action!(change::volume::attach)),
    ("CreateTags", action!(change::tags::create)),
    ("DeleteTags", action!(change::tags::delete)),
    ("DescribeAddresses", action!(change::address::describe)),
    ("DescribeIamInstanceProfileAssociations", action!(describe::profiles::describe)),
    ("DescribeInstanceAttribute", action!(describe::attribute::describe)),
    ("DescribeInstanceStatus", action!(describe::status::describe)),
    ("DescribeInstances", action!(describe::instances::describe)),
    ("DescribeSpotInstanceRequests", action!(describe::spot::describe)),
    ("DescribeTags", action!(describe::tags::describe)),
    ("DetachVolume", action!(change::volume::detach)),
    ("DisassociateAddress", action!(change::address::disassociate)),
    ("DisassociateIamInstanceProfile", action!(change::profile::disassociate)),
    ("GetInstanceMetadataDefaults", action!(describe::metadata_defaults::get)),
    ("ModifyInstanceAttribute", action!(change::attribute::modify)),
    ("ModifyInstanceEventStartTime", action!(change::event::modify)),
    ("ModifyInstanceMetadataOptions", action!(change::metadata_options::modify)),
    ("MonitorInstances", action!(change::monitoring::monitor)),
    ("RebootInstances", action!(change::power::reboot)),
    ("ReleaseAddress", action!(change::address::release)),
    ("ReplaceIamInstanceProfileAssociation", action!(change::profile::replace)),
    ("RunInstances", run::run),
    ("StartInstances", action!(change::power::start)),
    ("StopInstances", action!(change::power::stop)),
    ("TerminateInstances", action!(change::power::terminate)),
    ("UnassignIpv6Addresses", action!(change::interface::unassign_ipv6)),
    ("UnassignPrivateIpAddresses", action!(change::interface::unassign_private)),
    ("UnmonitorInstances", action!(change::monitoring::unmonitor)),
];

/// Does what a call asks for.
pub(super) fn perform(context: &Context<'_>, call: &Call) -> Result<Element, Failure> {
    let Some((_, perform)) = ALL.iter().find(|(name, _)| *name == call.action) else {
        let action = shown(&call.action);
        let offered: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        let message = format!("The action {action} is not offered here. Offered are: {}", offered.join(", "));
        return Err(Failure::unsupported(message));
    };
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
        assert!(ALL.is_sorted_by(|(one, _), (other, _)| one < other));
    }
}
