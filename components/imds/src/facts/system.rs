//! The virtualisation system that an instance runs on, which follows from its
//! type.

use super::families;

/// What `meta-data/system` tells of an instance of this type.
///
/// Recorded: `nitro`, and for a `t2.micro` that was launched recently
/// `xen-on-nitro`; older ones have `xen`. UNRECORDED: the other families of Xen,
/// and since when. `xen-on-nitro` is taken for all of them: the answers of this
/// service are those of Nitro's hosts, and its newest version is of 2026.
pub fn of_type(instance_type: &str) -> &'static str {
    if families::is_xen(instance_type) { "xen-on-nitro" } else { "nitro" }
}

/// Whether an instance on `system` is based on Xen. Source: EC2 user guide,
/// "Extend the file system", which counts both words as Xen.
pub fn is_xen(system: &str) -> bool {
    matches!(system, "xen" | "xen-on-nitro")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_follows_from_the_family() {
        for xen in ["t2.micro", "t1.micro", "m4.xlarge", "i3.16xlarge", "x1e.32xlarge", "p3.2xlarge", "g3s.xlarge"] {
            assert_eq!(of_type(xen), "xen-on-nitro", "{xen}");
        }
        for nitro in ["t3.micro", "p3dn.24xlarge", "i3en.large", "i3.metal", "c5.metal", "m7g.large", "t20.x", ""] {
            assert_eq!(of_type(nitro), "nitro", "{nitro}");
        }
    }
}
