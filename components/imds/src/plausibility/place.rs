//! Regions and zones.

use super::Judge;
use super::rules::{UNKNOWN_REGION, UNKNOWN_ZONE, ZONE_ID_OF_ANOTHER_REGION};
use crate::description::problem::{Problem, shown};
use crate::description::spelling;
use crate::facts::place;

/// The regions, with the last letter of their zones. Source: AWS regions and
/// availability zones, "AWS Regions", as of 2026. Each account has letters of its
/// own for the zones; which letters there are is the same for all.
const REGIONS: [(&str, u8); 47] = [
    ("af-south-1", b'c'),
    ("ap-east-1", b'c'),
    ("ap-east-2", b'c'),
    ("ap-northeast-1", b'd'),
    ("ap-northeast-2", b'd'),
    ("ap-northeast-3", b'c'),
    ("ap-south-1", b'c'),
    ("ap-south-2", b'c'),
    ("ap-southeast-1", b'c'),
    ("ap-southeast-2", b'c'),
    ("ap-southeast-3", b'c'),
    ("ap-southeast-4", b'c'),
    ("ap-southeast-5", b'c'),
    ("ap-southeast-6", b'c'),
    ("ap-southeast-7", b'c'),
    ("ca-central-1", b'd'),
    ("ca-west-1", b'c'),
    ("cn-north-1", b'd'),
    ("cn-northwest-1", b'c'),
    ("eu-central-1", b'c'),
    ("eu-central-2", b'c'),
    ("eu-isoe-west-1", b'c'),
    ("eu-north-1", b'c'),
    ("eu-south-1", b'c'),
    ("eu-south-2", b'c'),
    ("eu-west-1", b'c'),
    ("eu-west-2", b'c'),
    ("eu-west-3", b'c'),
    ("eusc-de-east-1", b'c'),
    ("il-central-1", b'c'),
    ("me-central-1", b'c'),
    ("me-south-1", b'c'),
    ("mx-central-1", b'c'),
    ("sa-east-1", b'c'),
    ("sa-west-1", b'c'),
    ("us-east-1", b'f'),
    ("us-east-2", b'c'),
    ("us-gov-east-1", b'c'),
    ("us-gov-west-1", b'c'),
    ("us-iso-east-1", b'c'),
    ("us-iso-west-1", b'c'),
    ("us-isob-east-1", b'c'),
    ("us-isob-west-1", b'c'),
    ("us-isof-east-1", b'c'),
    ("us-isof-south-1", b'c'),
    ("us-west-1", b'c'),
    ("us-west-2", b'd'),
];

/// Partitions whose zone ids are not published.
const ISOLATED: [&str; 3] = ["us-iso", "eu-iso", "eusc-"];

impl Judge<'_> {
    pub(super) fn place(&mut self) {
        let (region, zone) = (&self.facts.region.name, &self.facts.zone);
        let (at_zone, at_region) = ("/placement/availability-zone", "/placement/region");
        let names: Vec<&str> = REGIONS.iter().map(|(name, _)| *name).collect();
        match REGIONS.iter().find(|(name, _)| name == region) {
            None => {
                let message = format!("no region called `{}` is known here", shown(region));
                let problem = Problem::at(self.stated([at_region, at_zone].map(str::to_owned)), message);
                let if_newer = "If it is newer than this program: allow-warnings = [\"unknown-region\"]";
                self.warn(
                    &UNKNOWN_REGION,
                    problem.help(match spelling::nearest(region, &names) {
                        Some(near) => format!("did you mean `{near}`? {if_newer}"),
                        None => format!("a region is one such as eu-west-1. {if_newer}"),
                    }),
                );
            }
            Some((name, last)) => {
                // A local or wavelength zone has more than a letter there.
                if let [letter] = zone.strip_prefix(*name).unwrap_or_default().as_bytes()
                    && letter > last
                {
                    let message = format!("the region {name} has no zone `{}`", shown(zone));
                    let help = format!("its zones are {name}a to {name}{}", char::from(*last));
                    self.warn(&UNKNOWN_ZONE, Problem::at(at_zone, message).help(help));
                }
                self.zone_id(name);
            }
        }
    }

    fn zone_id(&mut self, region: &str) {
        let short = format!("{}-", place::abbreviate(region));
        let id = &self.facts.zone_id;
        if !id.starts_with(&short) && !ISOLATED.iter().any(|partition| region.starts_with(partition)) {
            let message = format!("the zone id `{}` is of another region than {region}", shown(id));
            let help = format!("ids of its zones begin with `{short}`; left out, the id follows from the zone");
            let problem = Problem::at("/placement/availability-zone-id", message).help(help);
            self.warn(&ZONE_ID_OF_ANOTHER_REGION, problem);
        }
    }
}
