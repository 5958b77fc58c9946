//! The families of instance types.
//!
//! Source: EC2 instance types guide, "Instance type specifications", with the
//! previous generations, as of 2026; which are based on Xen: EC2 user guide,
//! "Amazon EC2 instance types" and "Amazon EC2 previous generation instances". AWS
//! adds some every year: what is not here may be newer, so that a description may
//! have it.

use crate::description::Architecture;

/// What the types of a family have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// `m7g`.
    pub name: &'static str,
    /// The processors' architectures, of which an AMI has one; empty for Macs,
    /// whose architectures have other names in descriptions than here.
    pub architectures: &'static [Architecture],
    /// Whether they are based on Xen, but for bare metal: `i3.metal`.
    pub is_xen: bool,
}

/// Families of one kind.
struct Kind {
    architectures: &'static [Architecture],
    is_xen: bool,
    /// Their names, with a space between two.
    names: &'static str,
}

/// Those that run 32-bit AMIs too.
const OLD: &[Architecture] = &[Architecture::X86_64, Architecture::I386];
const INTEL_AND_AMD: &[Architecture] = &[Architecture::X86_64];
const ARM: &[Architecture] = &[Architecture::Arm64];
const MAC: &[Architecture] = &[];

const FAMILIES: [Kind; 5] = [
    Kind { architectures: OLD, is_xen: true, names: "t1 t2 m1 m3 c1 c3" },
    Kind {
        architectures: INTEL_AND_AMD,
        is_xen: true,
        names: "m2 m4 c4 cc1 cc2 cg1 cr1 r3 r4 x1 x1e d2 h1 hi1 hs1 i2 i3 g2 g3 g3s p2 p3 f1",
    },
    Kind {
        architectures: INTEL_AND_AMD,
        is_xen: false,
        names: "t3 t3a m5 m5a m5ad m5d m5dn m5n m5zn m6a m6i m6id m6idn m6in m7a m7i m7i-flex m8a m8azn m8i m8i-flex m8id \
         c5 c5a c5ad c5d c5n c6a c6i c6id c6in c7a c7i c7i-flex c8a c8i c8i-flex c8id \
         r5 r5a r5ad r5b r5d r5dn r5n r6a r6i r6id r6idn r6in r7a r7i r7iz r8a r8i r8i-flex r8id \
         x2idn x2iedn x2iezn x8i x8aedz z1d \
         u-3tb1 u-6tb1 u-9tb1 u-12tb1 u-18tb1 u-24tb1 \
         u7i-6tb u7i-8tb u7i-12tb u7in-16tb u7in-24tb u7in-32tb u7inh-32tb \
         d3 d3en i3en i4i i7i i7ie hpc6a hpc6id hpc7a hpc8a f2 vt1 dl1 dl2q inf1 inf2 trn1 trn1n trn2 trn2u trn3 \
         g4ad g4dn g5 g6 g6e g6f gr6 gr6f g7 g7e p3dn p4d p4de p5 p5e p5en p6-b200 p6-b300",
    },
    Kind {
        architectures: ARM,
        is_xen: false,
        names: "a1 t4g m6g m6gd m7g m7gd m8g m8gb m8gd m8gn m9g m9gd c6g c6gd c6gn c7g c7gd c7gn c8g c8gb c8gd c8gn c9g \
         r6g r6gd r7g r7gd r8g r8gb r8gd r8gn r9g x2gd x8g im4gn is4gen i4g i8g i8ge g5g hpc7g p6e-gb200 p6e-gb300",
    },
    Kind {
        architectures: MAC,
        is_xen: false,
        names: "mac1 mac2 mac2-m2 mac2-m2pro mac2-m1ultra mac-m4 mac-m4pro mac-m4max",
    },
];

/// All families in the order of their names, since each description that is opened asks
/// for one. Put in order when this is compiled: a component that lives for one request
/// has no time for it.
static BY_NAME: [Family; COUNT] = by_name();

const COUNT: usize = {
    let (mut count, mut kind) = (0, 0);
    while kind < FAMILIES.len() {
        let mut names = Some(FAMILIES[kind].names);
        while let Some(some) = names {
            names = first(some).1;
            count += 1;
        }
        kind += 1;
    }
    count
};

const fn by_name() -> [Family; COUNT] {
    let mut families = [Family { name: "", architectures: MAC, is_xen: false }; COUNT];
    let (mut count, mut kind) = (0, 0);
    while kind < FAMILIES.len() {
        let Kind { architectures, is_xen, names } = FAMILIES[kind];
        let mut names = Some(names);
        while let Some(some) = names {
            let (name, others) = first(some);
            let mut place = count;
            while place > 0 && is_before(name, families[place - 1].name) {
                families[place] = families[place - 1];
                place -= 1;
            }
            families[place] = Family { name, architectures, is_xen };
            names = others;
            count += 1;
        }
        kind += 1;
    }
    families
}

/// The first of names with a space between two, and the others.
const fn first(names: &str) -> (&str, Option<&str>) {
    let mut end = 0;
    while end < names.len() {
        if names.as_bytes()[end] == b' ' {
            return (names.split_at(end).0, Some(names.split_at(end + 1).1));
        }
        end += 1;
    }
    (names, None)
}

const fn is_before(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() {
        if one[index] != other[index] {
            return one[index] < other[index];
        }
        index += 1;
    }
    one.len() < other.len()
}

/// The family of this name, if it is known here.
pub fn named(name: &str) -> Option<Family> {
    let index = BY_NAME.binary_search_by_key(&name, |family| family.name).ok()?;
    Some(BY_NAME[index])
}

/// All families that are known here.
pub fn all() -> impl Iterator<Item = Family> {
    FAMILIES.iter().flat_map(|&Kind { architectures, is_xen, names }| {
        names.split(' ').map(move |name| Family { name, architectures, is_xen })
    })
}

/// The architecture of an instance of this type where nothing says another. Of a
/// family that is not known here it is arm64 where there is a `g` behind the
/// generation, as for every Graviton processor: `m7g`, `c7gn`, `r8gd`.
pub fn architecture_of(instance_type: &str) -> Architecture {
    let (family, _) = parts(instance_type);
    if let Some(architecture) = named(family).and_then(|family| family.architectures.first()) {
        return *architecture;
    }
    let behind = family.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let behind = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    if behind.starts_with('g') { Architecture::Arm64 } else { Architecture::X86_64 }
}

/// Whether an instance of this type is based on Xen.
pub fn is_xen(instance_type: &str) -> bool {
    let (family, size) = parts(instance_type);
    named(family).is_some_and(|family| family.is_xen) && !size.starts_with("metal")
}

/// The family and the size of a type; a type without a size has an empty one.
pub fn parts(instance_type: &str) -> (&str, &str) {
    instance_type.split_once('.').unwrap_or((instance_type, ""))
}

/// Whether a size has the form of one: `nano` to `large`, `xlarge`, `24xlarge`,
/// `metal`, `metal-24xl`.
pub fn is_size(size: &str) -> bool {
    let is_number = |digits: &str| {
        (1..=3).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_metal = |rest: &str| rest.strip_suffix("xl").is_some_and(is_number);
    matches!(size, "nano" | "micro" | "small" | "medium" | "large" | "xlarge" | "metal")
        || size.strip_suffix("xlarge").is_some_and(is_number)
        || size.strip_prefix("metal-").is_some_and(is_metal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_there_once_and_has_the_form_of_one() {
        let mut names: Vec<_> = all().map(|family| family.name).collect();
        let number = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), number);
        assert!(names.iter().copied().eq(BY_NAME.iter().map(|family| family.name)));
        for name in names {
            assert!(name.starts_with(|first: char| first.is_ascii_lowercase()), "{name:?}");
        }
    }

    #[test]
    fn the_architecture_follows_from_the_family() {
        for arm in ["m7g.large", "a1.metal", "g5g.xlarge", "im4gn.large", "p6e-gb200.36xlarge", "m42gd.large"] {
            assert_eq!(architecture_of(arm), Architecture::Arm64, "{arm}");
        }
        for intel in
            ["t3.micro", "t2.micro", "g4dn.xlarge", "gr6.4xlarge", "p6-b200.48xlarge", "mac2.metal", "m42i.x", ""]
        {
            assert_eq!(architecture_of(intel), Architecture::X86_64, "{intel}");
        }
    }

    #[test]
    fn sizes_have_a_form() {
        for size in ["nano", "xlarge", "2xlarge", "48xlarge", "224xlarge", "metal", "metal-48xl"] {
            assert!(is_size(size), "{size}");
        }
        for size in ["", "huge", "0xlarge", "1000xlarge", "xxlarge", "metal-", "metal-48", "metal48xl", "Large"] {
            assert!(!is_size(size), "{size}");
        }
    }
}
