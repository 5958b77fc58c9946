//! When the service last refreshed what it tells of an instance.

use crate::facts::made;
use crate::split_mix::mixed;
use crate::time::Time;

/// The refreshes of an instance: one an hour, each some seconds before the hour
/// from its launch is full. Some of them bring new credentials.
///
/// Recorded: `Last-Modified` of the identity document lies 11 to 57 minutes
/// before `Date`, also 17 days after the launch, and is that of the list of
/// roles. `Last-Modified` of a role's credentials lies 2 to 32 seconds before
/// their `LastUpdated`: they are fetched in the course of a refresh. UNRECORDED:
/// that it is every hour, which all recorded times fit.
#[derive(Clone, Copy, Debug)]
pub struct Refreshes {
    launch: Time,
    seed: u64,
}

const INTERVAL_MS: u64 = 3600 * 1000;

/// How long before `LastUpdated` a refresh lies.
const LEAD_SECONDS_MIN: u64 = 2;
const LEAD_SECONDS_MAX: u64 = 32;

impl Refreshes {
    /// Those of an instance.
    pub fn of(instance_id: &str, launch: Time) -> Refreshes {
        let [a, b, c, d, e, g, h, i, ..] = made::bytes(instance_id, "refreshes");
        Refreshes { launch, seed: u64::from_le_bytes([a, b, c, d, e, g, h, i]) }
    }

    /// The last one at `now`, or the launch.
    pub fn last(&self, now: Time) -> Time {
        let hours = now.plus_seconds(LEAD_SECONDS_MAX).as_ms().saturating_sub(self.launch.as_ms()) / INTERVAL_MS;
        let refresh = |hours: u64| self.before(self.launch.plus_ms(hours.saturating_mul(INTERVAL_MS)));
        let newest = refresh(hours);
        let last = if newest <= now { newest } else { refresh(hours.saturating_sub(1)) };
        last.max(self.launch)
    }

    /// The one that brought what was updated at `updated`.
    ///
    /// UNRECORDED: that of the first credentials, which are updated at the launch
    /// here. It lies before the launch, so that they too are told the recorded way.
    pub fn before(&self, updated: Time) -> Time {
        let spread = LEAD_SECONDS_MAX - LEAD_SECONDS_MIN + 1;
        updated.minus_seconds(LEAD_SECONDS_MIN + mixed(self.seed, updated.as_ms()) % spread)
    }

    /// A number that follows from the instance and `number`, for what varies
    /// from delivery to delivery.
    pub fn varied(&self, number: u64) -> u64 {
        mixed(!self.seed, number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_refresh_lies_less_than_an_hour_and_some_seconds_ago() {
        let launch = Time::from_ms(1_790_421_382_000);
        let mut seen = std::collections::BTreeSet::new();
        for instance in ["i-0123456789abcdef0", "i-0fedcba9876543210"] {
            let refreshes = Refreshes::of(instance, launch);
            let mut before = Time::EPOCH;
            for second in 0..200_000 {
                let now = launch.plus_seconds(second);
                let last = refreshes.last(now);
                assert!(before <= last && launch <= last && last <= now, "{now:?}: {last:?}");
                assert!(now < last.plus_seconds(3600 + 30), "{now:?}: {last:?}");
                before = last;
                seen.insert(last);
            }
        }
        assert!(seen.len() > 100, "those of two instances differ: {}", seen.len());
    }

    #[test]
    fn the_identity_document_and_the_list_of_roles_are_published_together() {
        use crate::{Instance, Moment, Settings};

        let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
        let instance = Instance::open("{}", settings).unwrap();
        for minute in 0..6000 {
            let now_ms = 1_790_421_382_000 - 600_000 + minute * 60_000;
            let moment = Moment { now_ms, ..Moment::default() };
            let [document, list] = ["dynamic/instance-identity/document", "meta-data/iam/security-credentials/"]
                .map(|path| format!("/latest/{path}"))
                .map(|target| format!("GET {target} HTTP/1.1\r\n\r\n"))
                .map(|head| instance.answer(head.as_bytes(), moment, None))
                .map(|answer| answer.fields().find(|(name, _)| *name == "Last-Modified").unwrap().1.to_owned());
            assert_eq!(document, list, "{now_ms}");
        }
    }

    #[test]
    fn a_refresh_lies_seconds_before_what_it_updates() {
        let refreshes = Refreshes::of("i-0123456789abcdef0", Time::EPOCH);
        let lead = |hour: u64| {
            let updated = Time::from_ms(1_790_421_382_000).plus_seconds(hour * 3600);
            updated.as_ms() - refreshes.before(updated).as_ms()
        };
        let leads: std::collections::BTreeSet<u64> = (0..1000).map(lead).collect();
        assert_eq!((leads.first(), leads.last(), leads.len()), (Some(&2000), Some(&32_000), 31));
    }

    #[test]
    fn there_is_one_at_any_time() {
        for launch in [0, 1_790_421_382_000, u64::MAX] {
            let refreshes = Refreshes::of("i-0", Time::from_ms(launch));
            for now in [0, 1, 1_790_421_382_000, u64::MAX] {
                refreshes.last(Time::from_ms(now));
                refreshes.before(Time::from_ms(now));
            }
        }
    }
}
