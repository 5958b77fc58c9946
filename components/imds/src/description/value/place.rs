//! Regions and zones.

use super::ids::is_id;

texts! {
    /// A region: `eu-west-1`.
    RegionName {
        "^[a-z]+(-[a-z]+)+-[0-9]+$",
        "expected a region such as us-east-1, in lower case",
        is_region
    }
    /// A zone: `eu-west-1a`, or a local or wavelength zone.
    ZoneName {
        "^[a-z]+(-[a-z]+)+-[0-9]+([a-z]|-[a-z0-9-]+)$",
        "expected a zone such as us-east-1a; a region alone goes into the field `region`",
        |text| {
            let region = crate::facts::place::Region::of_zone(text).name;
            let rest = text.strip_prefix(region.as_str()).unwrap_or_default();
            let is_letter = rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_lowercase());
            is_region(&region) && (is_letter || rest.strip_prefix('-').is_some_and(is_id))
        }
    }
}

fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2 && words.iter().all(is_word) && number.parse::<u8>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_region_and_a_letter() {
        for zone in ["us-east-1a", "us-gov-west-1b", "eusc-de-east-1a", "us-west-2-lax-1a", "us-east-1-wl1-bos-wlz-1"] {
            assert!(zone.parse::<ZoneName>().is_ok(), "{zone}");
        }
        for wrong in ["", "eu-west-1", "EU-WEST-1A", "eu-west-1aa", "nowhere", "eu-west-a", "a", "1a", "us--1a"] {
            assert!(wrong.parse::<ZoneName>().is_err(), "{wrong}");
        }
        for wrong in ["", "eu-west-1a", "nowhere", "EU-WEST-1", "eu-west-999"] {
            assert!(wrong.parse::<RegionName>().is_err(), "{wrong}");
        }
    }
}
