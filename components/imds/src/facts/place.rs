//! Where an instance runs: zone, region, partition, and the host names that
//! follow from them.

use core::net::Ipv4Addr;

/// A region with its partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// `us-east-1`.
    pub name: String,
    /// `aws`.
    pub partition: &'static str,
    /// `amazonaws.com`.
    pub domain: &'static str,
}

/// Partitions by the beginning of their regions' names. Source: the partitions
/// that AWS's SDKs know.
const PARTITIONS: [(&str, &str, &str); 8] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("", "aws", "amazonaws.com"),
];

impl Region {
    /// The region called `name`.
    pub fn named(name: &str) -> Region {
        let (partition, domain) = PARTITIONS
            .iter()
            .find(|(prefix, _, _)| name.starts_with(prefix))
            .map_or(("aws", "amazonaws.com"), |(_, partition, domain)| (*partition, *domain));
        Region { name: name.to_owned(), partition, domain }
    }

    /// The region of a zone: `us-west-2` for the zone `us-west-2b`, the local
    /// zone `us-west-2-lax-1a` and the wavelength zone `us-west-2-wl1-las-wlz-1`.
    pub fn of_zone(zone: &str) -> Region {
        let mut end = 0;
        for part in zone.split('-') {
            if part.starts_with(|first: char| first.is_ascii_digit()) {
                end += part.bytes().take_while(u8::is_ascii_digit).count();
                return Region::named(&zone[..end]);
            }
            end += part.len() + 1;
        }
        Region::named(zone)
    }

    /// The private host name with the given first label.
    pub fn private_dns_name(&self, label: &str) -> String {
        match self.name.as_str() {
            "us-east-1" => format!("{label}.ec2.internal"),
            region => format!("{label}.{region}.compute.internal"),
        }
    }

    /// The public host name of an address.
    pub fn public_dns_name(&self, address: Ipv4Addr) -> String {
        let label = dashed("ec2", address);
        match self.name.as_str() {
            "us-east-1" => format!("{label}.compute-1.amazonaws.com"),
            region => format!("{label}.{region}.compute.{}", self.domain),
        }
    }
}

/// `ip-10-0-0-10`.
pub fn dashed(prefix: &str, address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{prefix}-{a}-{b}-{c}-{d}")
}

/// A zone id for a zone: `use1-az1` for `us-east-1a`.
///
/// EC2 numbers zones differently in each account; this takes them in order.
pub fn zone_id(zone: &str, region: &str) -> String {
    let abbreviated = abbreviate(region);
    let rest = zone.strip_prefix(region).unwrap_or_default();
    let number = |letter: &str| letter.bytes().next().map_or(1, |byte| u32::from(byte.wrapping_sub(b'a')) + 1);
    match rest.strip_prefix('-') {
        // A local or wavelength zone: -lax-1a, -wl1-las-wlz-1.
        Some(local) => {
            let (place, letter) = match local.strip_suffix(|last: char| last.is_ascii_alphabetic()) {
                Some(place) if place.ends_with(|last: char| last.is_ascii_digit()) => (place, &local[place.len()..]),
                _ => (local, ""),
            };
            let place = match place.rsplit_once('-') {
                Some((name, number)) => format!("{name}{number}"),
                None => place.to_owned(),
            };
            match letter {
                "" => format!("{abbreviated}-{place}"),
                letter => format!("{abbreviated}-{place}-az{}", number(letter)),
            }
        }
        None => format!("{abbreviated}-az{}", number(rest)),
    }
}

/// `usw2` for `us-west-2`, `apne1` for `ap-northeast-1`, `usgw1` for `us-gov-west-1`.
pub fn abbreviate(region: &str) -> String {
    let mut parts = region.split('-');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        short.push_str(match part {
            "north" => "n",
            "south" => "s",
            "east" => "e",
            "west" => "w",
            "central" => "c",
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            "gov" => "g",
            other => other,
        });
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_tells_its_region_and_id() {
        for (zone, region, id) in [
            ("us-east-1a", "us-east-1", "use1-az1"),
            ("us-west-2b", "us-west-2", "usw2-az2"),
            ("ap-northeast-1c", "ap-northeast-1", "apne1-az3"),
            ("us-gov-west-1a", "us-gov-west-1", "usgw1-az1"),
            ("cn-northwest-1b", "cn-northwest-1", "cnnw1-az2"),
            ("us-west-2-lax-1a", "us-west-2", "usw2-lax1-az1"),
            ("us-east-1-wl1-bos-wlz-1", "us-east-1", "use1-wl1-bos-wlz1"),
        ] {
            assert_eq!(Region::of_zone(zone).name, region);
            assert_eq!(zone_id(zone, region), id);
        }
    }

    #[test]
    fn odd_zones_do_no_harm() {
        for zone in ["", "a", "-", "nova", "1", "é-1é", "us-east-1-é", "us-east-1-1é"] {
            let region = Region::of_zone(zone).name;
            zone_id(zone, &region);
        }
    }

    #[test]
    fn partitions_have_their_own_domains() {
        assert_eq!(Region::named("cn-north-1").domain, "amazonaws.com.cn");
        assert_eq!(Region::named("us-gov-east-1").partition, "aws-us-gov");
        assert_eq!(Region::named("eu-isoe-west-1").partition, "aws-iso-e");
        assert_eq!(Region::named("eu-west-1").partition, "aws");
    }

    #[test]
    fn host_names_follow_the_region() {
        let address = Ipv4Addr::new(10, 0, 0, 10);
        assert_eq!(Region::named("us-east-1").private_dns_name("ip-10-0-0-10"), "ip-10-0-0-10.ec2.internal");
        assert_eq!(Region::named("us-east-1").public_dns_name(address), "ec2-10-0-0-10.compute-1.amazonaws.com");
        assert_eq!(
            Region::named("cn-north-1").public_dns_name(address),
            "ec2-10-0-0-10.cn-north-1.compute.amazonaws.com.cn"
        );
    }
}
