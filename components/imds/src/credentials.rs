//! Credentials that are replaced as time goes on, and the documents that tell
//! when they were.

use crate::description::Credentials;
use crate::facts::made;
use crate::pretty::{Value, object};
use crate::refreshes::Refreshes;
use crate::time::Time;

/// How credentials follow one another: new ones every six hours, well before
/// the old ones end.
///
/// Recorded: new ones appear at least five minutes before the old ones end.
/// UNRECORDED: how often; six hours fit.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// When the first ones were delivered: the launch.
    pub first: Time,
    /// The time between two deliveries, at least 1.
    pub interval_ms: u64,
    /// How long each lives.
    pub life: Life,
    /// After this time there are no new ones.
    pub until: Option<Time>,
    /// The refreshes that bring them.
    pub refreshes: Refreshes,
}

/// How long credentials live: another whole number of seconds for each delivery,
/// from the shortest life to the longest.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    shortest_ms: u64,
    longest_ms: u64,
}

/// The credentials of one period.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// When it was made.
    pub last_updated: Time,
    /// When it ends.
    pub expiration: Time,
    /// When the next is made, if one is.
    pub next: Option<Time>,
}

/// What is told where a role cannot be assumed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why, in a word for programs.
    pub code: String,
    /// Why, for people.
    pub message: String,
}

/// The time between two deliveries.
const INTERVAL_MS: u64 = 6 * 3600 * 1000;

/// What is left of the old credentials when new ones appear. Source: EC2 user
/// guide, "IAM roles for Amazon EC2".
const OVERLAP_MS: u64 = 5 * 60 * 1000;

impl Life {
    /// That of a role's credentials. Recorded: 6 h 18 min 53 s after their own
    /// `LastUpdated`, and 6 h 35 min after that of `iam/info`, which is the same
    /// here.
    pub const OF_ROLE: Life = Life::seconds(6 * 3600 + 18 * 60 + 53, 6 * 3600 + 35 * 60);

    /// That of an instance's identity credentials. Recorded: 6 h 1 min to 6 h
    /// 19 min; of these, those that end well after the next delivery.
    const OF_IDENTITY: Life = Life::seconds(6 * 3600 + 6 * 60, 6 * 3600 + 19 * 60);

    const fn seconds(shortest: u64, longest: u64) -> Life {
        Life { shortest_ms: shortest * 1000, longest_ms: longest * 1000 }
    }

    /// The same for each delivery.
    pub fn of_ms(ms: u64) -> Life {
        Life { shortest_ms: ms, longest_ms: ms }
    }

    /// The same, but long enough for deliveries every `interval_ms`.
    pub fn for_deliveries_every(self, interval_ms: u64) -> Life {
        // `Expiration` is cut to the second.
        let least = interval_ms.saturating_add(OVERLAP_MS + 1000);
        Life { shortest_ms: self.shortest_ms.max(least), longest_ms: self.longest_ms.max(least) }
    }

    /// One of them: the one that `number` picks.
    fn picked(self, number: u64) -> u64 {
        let seconds = (self.longest_ms - self.shortest_ms) / 1000;
        self.shortest_ms + number % (seconds + 1) * 1000
    }
}

impl Rotation {
    /// For a role's credentials.
    pub fn of_role(refreshes: Refreshes, launch: Time) -> Rotation {
        Rotation { first: launch, interval_ms: INTERVAL_MS, life: Life::OF_ROLE, until: None, refreshes }
    }

    /// For an instance's identity credentials.
    pub fn of_identity(refreshes: Refreshes, launch: Time) -> Rotation {
        Rotation { life: Life::OF_IDENTITY, ..Rotation::of_role(refreshes, launch) }
    }

    /// One delivery, which a shell made; the next one is another description.
    pub fn of_delivery(delivered: &Credentials, otherwise: Rotation) -> Rotation {
        let Some((first, end)) = delivered.last_updated.zip(delivered.expiration) else { return otherwise };
        let life = Life::of_ms(end.as_ms().saturating_sub(first.as_ms()));
        Rotation { first, interval_ms: i64::MAX as u64, life, until: Some(first), ..otherwise }
    }

    /// The delivery in force at `now`: the period in which it lies.
    ///
    /// By a clock that is behind the launch there were deliveries before it:
    /// clients distrust credentials of a time to come.
    pub fn at(&self, now: Time) -> Delivery {
        let last = self.until.map_or(now, |until| until.min(now));
        // No time and no interval is beyond i64.
        let interval_ms = i64::try_from(self.interval_ms.max(1)).unwrap_or(i64::MAX);
        let [last, first] = [last, self.first].map(|time| time.as_ms() as i64);
        let number = (last - first).div_euclid(interval_ms);
        let last_updated = Time::from_ms(first.saturating_add(number.saturating_mul(interval_ms)).max(0) as u64);
        let next = last_updated.plus_ms(self.interval_ms);
        Delivery {
            last_updated,
            expiration: self.end_of(last_updated),
            next: self.until.is_none_or(|until| next <= until).then_some(next),
        }
    }

    /// When the credentials in force at `now` end. Where only one end of those
    /// given is stated, the other keeps its distance.
    pub fn ends(&self, given: &Credentials, now: Time) -> Time {
        match (given.expiration, given.last_updated) {
            (Some(expiration), _) => expiration,
            (None, Some(updated)) => self.end_of(updated),
            (None, None) => self.at(now).expiration,
        }
    }

    /// When credentials end that were updated at `updated`.
    fn end_of(&self, updated: Time) -> Time {
        updated.plus_ms(self.life.picked(self.refreshes.varied(updated.as_ms())))
    }

    /// When the service published what was updated at `updated`: with the refresh
    /// that brought it, and not before what was updated before.
    fn published(&self, updated: Time) -> Time {
        self.refreshes.before(updated).max(updated.minus_ms(self.interval_ms / 2))
    }

    /// When the list of roles was last published.
    pub fn list_published(&self, now: Time) -> Time {
        self.refreshes.last(now).max(self.published(self.at(now).last_updated))
    }
}

/// A document of which only `LastUpdated` changes.
pub struct InfoDocument {
    /// From when on it is there.
    pub from: Time,
    /// When the credentials change that it speaks of. UNRECORDED: what it says while
    /// they cannot be had; it goes on.
    pub rotation: Rotation,
    /// What stands behind `LastUpdated`.
    pub fields: Vec<(&'static str, String)>,
}

impl InfoDocument {
    /// The document as of `now`.
    pub fn document(&self, now: Time) -> String {
        let mut fields = vec![
            ("Code", Value::Text("Success".to_owned())),
            ("LastUpdated", Value::Text(self.rotation.at(now).last_updated.rfc3339())),
        ];
        fields.extend(self.fields.iter().map(|(name, text)| (*name, Value::Text(text.clone()))));
        object(&fields)
    }

    /// When the document in force at `now` was published.
    pub fn published(&self, now: Time) -> Time {
        self.rotation.published(self.rotation.at(now).last_updated)
    }
}

/// Credentials as they are delivered at a time.
pub struct Issued {
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The session token.
    pub session_token: String,
    /// When they end.
    pub expiration: Time,
}

/// The credentials of a role or of the instance itself.
pub struct RoleCredentials {
    /// From when on they are there.
    pub from: Time,
    /// When they change.
    pub rotation: Rotation,
    /// What made-up parts are made from: the instance.
    pub instance_id: String,
    /// What made-up parts are made for: the role.
    pub purpose: String,
    /// What a request with a session token gets.
    pub with_token: Credentials,
    /// What a request without one gets. EC2 delivers different credentials to
    /// the two (`ec2:RoleDelivery`).
    pub without_token: Credentials,
    /// What is told where the role cannot be assumed.
    pub failure: Option<Failure>,
    /// What is told while no real credentials are in force, where a shell delivers them.
    pub source_failure: Option<Failure>,
}

impl RoleCredentials {
    /// What is told in place of credentials, if something is.
    fn failure(&self, now: Time, with_token: bool) -> Option<&Failure> {
        let given = self.given(with_token);
        let in_force = given.access_key_id.is_some() && now < self.rotation.ends(given, now);
        self.failure.as_ref().or(self.source_failure.as_ref().filter(|_| !in_force))
    }

    /// When the credentials in force were made.
    pub fn last_updated(&self, now: Time, with_token: bool) -> Time {
        // What is stated of credentials says nothing of the failure to have any.
        let stated = self.given(with_token).last_updated.filter(|_| self.failure.is_none());
        stated.unwrap_or(self.rotation.at(now).last_updated)
    }

    /// When the credentials in force were published, some seconds before they were
    /// updated.
    pub fn published(&self, now: Time, with_token: bool) -> Time {
        self.rotation.published(self.last_updated(now, with_token))
    }

    fn given(&self, with_token: bool) -> &Credentials {
        if with_token { &self.with_token } else { &self.without_token }
    }

    /// The document as of `now`. A role that cannot be assumed has one too.
    pub fn document(&self, now: Time, with_token: bool) -> String {
        let last_updated = self.last_updated(now, with_token).rfc3339();
        match self.issued(now, with_token) {
            Err(Failure { code, message }) => object(&[
                ("Code", Value::Text(code.clone())),
                ("Message", Value::Text(message.clone())),
                ("LastUpdated", Value::Text(last_updated)),
            ]),
            Ok(issued) => object(&[
                ("Code", Value::Text("Success".to_owned())),
                ("LastUpdated", Value::Text(last_updated)),
                ("Type", Value::Text("AWS-HMAC".to_owned())),
                ("AccessKeyId", Value::Text(issued.access_key_id)),
                ("SecretAccessKey", Value::Text(issued.secret_access_key)),
                ("Token", Value::Text(issued.session_token)),
                ("Expiration", Value::Text(issued.expiration.rfc3339())),
            ]),
        }
    }

    /// The credentials in force at `now`, or what is said in their place.
    pub fn issued(&self, now: Time, with_token: bool) -> Result<Issued, &Failure> {
        if let Some(failure) = self.failure(now, with_token) {
            return Err(failure);
        }
        let given = self.given(with_token);
        let purpose = format!("{} {with_token} {}", self.purpose, self.rotation.at(now).last_updated.as_ms());
        let made = |what: &str| format!("{what} {purpose}");
        let access_key_id = given
            .access_key_id
            .clone()
            .map_or_else(|| made::unique_id("ASIA", 16, &self.instance_id, &made("access key")), String::from);
        let secret_access_key = match &given.secret_access_key {
            Some(secret) => secret.0.clone(),
            None => made::base64(30, &self.instance_id, &made("secret")),
        };
        let session_token = match &given.session_token {
            Some(token) => token.0.clone(),
            // Real ones begin with these letters and have many hundred more.
            None => format!("IQoJb3JpZ2luX2Vj{}", made::base64(480, &self.instance_id, &made("token"))),
        };
        let expiration = self.rotation.ends(given, now);
        Ok(Issued { access_key_id, secret_access_key, session_token, expiration })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAUNCH: Time = Time::from_ms(1_790_421_382_000);

    fn rotations(launch: Time) -> [(Rotation, [u64; 2]); 2] {
        let refreshes = Refreshes::of("i-0123456789abcdef0", launch);
        let minutes = |hours: u64, minutes: u64| (hours * 60 + minutes) * 60_000;
        [
            (Rotation::of_role(refreshes, launch), [minutes(6, 18) + 53_000, minutes(6, 35)]),
            (Rotation::of_identity(refreshes, launch), [minutes(6, 1), minutes(6, 19)]),
        ]
    }

    #[test]
    fn new_credentials_appear_well_before_the_old_ones_end() {
        for (rotation, _) in rotations(LAUNCH) {
            let mut delivery = rotation.at(LAUNCH);
            assert_eq!(delivery.last_updated, LAUNCH);
            for _ in 0..1000 {
                let next = delivery.next.expect("there is always another");
                assert!(next.plus_seconds(300) <= delivery.expiration, "{delivery:?}");
                assert_eq!(rotation.at(next.minus_ms(1)).last_updated, delivery.last_updated);
                delivery = rotation.at(next);
                assert_eq!(delivery.last_updated, next);
            }
        }
    }

    #[test]
    fn lives_vary_within_what_was_recorded() {
        for (rotation, [shortest, longest]) in rotations(LAUNCH) {
            let life = |number: u64| {
                let delivery = rotation.at(LAUNCH.plus_seconds(number * 6 * 3600));
                delivery.expiration.as_ms() - delivery.last_updated.as_ms()
            };
            let lives: std::collections::BTreeSet<u64> = (0..1000).map(life).collect();
            assert!(lives.iter().all(|life| (shortest..=longest).contains(life)), "{lives:?}");
            assert!(lives.len() > 300, "{lives:?}");
        }
    }

    #[test]
    fn a_long_interval_has_lives_to_match() {
        let life = Life::OF_ROLE.for_deliveries_every(24 * 3600 * 1000);
        assert_eq!((life.shortest_ms, life.longest_ms), ((24 * 60 + 5) * 60_000 + 1000, (24 * 60 + 5) * 60_000 + 1000));
        assert!(Life::OF_ROLE.for_deliveries_every(u64::MAX).picked(7) > 0);
    }

    #[test]
    fn what_is_published_is_never_older_than_what_it_replaces() {
        for (rotation, _) in rotations(LAUNCH) {
            for interval_ms in [1, 1000, 30_000, 6 * 3600 * 1000] {
                let rotation = Rotation { interval_ms, ..rotation };
                let published =
                    |number: u64| rotation.published(rotation.at(LAUNCH.plus_ms(number * interval_ms)).last_updated);
                for number in 0..1000 {
                    let updated = rotation.at(LAUNCH.plus_ms(number * interval_ms)).last_updated;
                    assert!(published(number) <= updated && published(number) <= published(number + 1));
                }
            }
        }
    }

    #[test]
    fn credentials_are_in_force_at_any_time() {
        for launch in [LAUNCH, Time::EPOCH] {
            for (rotation, _) in rotations(launch) {
                for ms in [0, 1, 1_790_421_381_999, 1_790_421_382_000, u64::MAX / 2] {
                    let now = Time::from_ms(ms);
                    let delivery = rotation.at(now);
                    assert!(delivery.last_updated <= now && now <= delivery.expiration, "{now:?}: {delivery:?}");
                }
            }
        }
    }
}
