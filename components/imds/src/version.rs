//! The dated versions of the service.
//!
//! A version shows what had been released up to its date and nothing newer.
//! Source: the listing of `/`, recorded 2026-09.

/// The dated versions, oldest first; `latest` follows them in the listing of `/`.
pub const DATED: [&str; 30] = [
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2011-05-01",
    "2012-01-12",
    "2014-02-25",
    "2014-11-05",
    "2015-10-20",
    "2016-04-19",
    "2016-06-30",
    "2016-09-02",
    "2018-03-28",
    "2018-08-17",
    "2018-09-24",
    "2019-10-01",
    "2020-10-27",
    "2021-01-03",
    "2021-03-23",
    "2021-07-15",
    "2022-09-24",
    "2024-04-11",
    "2025-10-04",
    "2026-04-15",
];

/// A version of the service: a place in [`DATED`], or `latest` behind them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u8);

impl Version {
    /// The version `latest`, which shows everything.
    pub const LATEST: Version = Version(DATED.len() as u8);

    /// The version that a path segment names, if there is one.
    ///
    /// ```
    /// use imds_core::version::Version;
    ///
    /// assert_eq!(Version::named("latest"), Some(Version::LATEST));
    /// assert_eq!(Version::named("2021-03-24"), None);
    /// ```
    pub fn named(segment: &str) -> Option<Version> {
        if segment == "latest" {
            return Some(Version::LATEST);
        }
        let index = DATED.binary_search(&segment).ok()?;
        Some(Version(index as u8))
    }

    /// The first version that shows an item released on `date`, or under the
    /// version `date`.
    ///
    /// Documented dates need not be in the list (`2020-08-24`); such an item
    /// answers from the greatest listed version not after its date, as recorded
    /// for `identity-credentials/` and `placement/region`.
    ///
    /// ```
    /// use imds_core::version::Version;
    ///
    /// assert_eq!(Some(Version::since("2020-08-24")), Version::named("2019-10-01"));
    /// ```
    pub fn since(date: &str) -> Version {
        let later = DATED.partition_point(|listed| *listed <= date);
        Version(later.saturating_sub(1) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(DATED.is_sorted());
    }

    #[test]
    fn a_documented_date_that_is_not_listed_belongs_to_the_version_before() {
        assert_eq!(Some(Version::since("2020-08-24")), Version::named("2019-10-01"));
        assert_eq!(Some(Version::since("2018-05-23")), Version::named("2018-03-28"));
        assert_eq!(Some(Version::since("2016-06-30")), Version::named("2016-06-30"));
        assert_eq!(Some(Version::since("1.0")), Version::named("1.0"));
    }
}
