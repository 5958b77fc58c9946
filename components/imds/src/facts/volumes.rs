//! Block device mappings.

use std::collections::BTreeSet;

use super::Check;
use crate::description::{BlockDeviceMapping, VolumeAttachment};

/// EC2 attaches fewer to any instance type.
const MAPPINGS_MAX: usize = 128;

impl Check {
    /// Names and devices of the mappings besides `ami` and `root`: `ebs1`,
    /// `ebs2` … for volumes in their order, `ephemeral0` … and `swap` as given.
    ///
    /// Recorded on Xen: what the AMI maps as `ephemeral0` is listed though the
    /// instance type has no instance store. Documented of Nitro: only volumes that
    /// are not NVMe are listed. Which those are, the description says.
    pub(super) fn block_devices(&mut self, mappings: Vec<BlockDeviceMapping>, root: &str) -> Vec<(String, String)> {
        if mappings.len() > MAPPINGS_MAX {
            self.wrong("/block-device-mappings", format!("expected at most {MAPPINGS_MAX} mappings"));
        }
        let mut devices = Vec::new();
        let mut names = BTreeSet::new();
        let mut volumes = 0;
        for (index, mapping) in mappings.into_iter().enumerate() {
            // EC2 shows what is attached to a running instance from its next start on.
            if mapping.attachment == VolumeAttachment::Attaching {
                continue;
            }
            let device = bare(mapping.device_name.as_str()).to_owned();
            let name = match mapping.virtual_name {
                Some(name) => name.into(),
                // EC2's API lists the root volume among the mappings; the
                // service shows it as `ami` and `root`.
                None if device == bare(root) => continue,
                None => {
                    volumes += 1;
                    format!("ebs{volumes}")
                }
            };
            if !names.insert(name.clone()) {
                self.wrong(format!("/block-device-mappings/{index}/virtual-name"), "this name is given twice");
            }
            devices.push((name, device));
        }
        devices
    }
}

/// The device without `/dev/`, as the service shows all but the root device, and
/// on Nitro that one too under the name `ami`.
pub fn bare(device: &str) -> &str {
    device.strip_prefix("/dev/").unwrap_or(device)
}
