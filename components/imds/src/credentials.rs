//! Credentials that are replaced as time goes on, and the documents that tell
//! when they were.

use crate::description::Credentials;
use crate::facts::made;
use crate::pretty::{Value, object};
use crate::time::Time;

/// How credentials follow one another: new ones every six hours, well before
/// the old ones end.
///
/// Recorded: role credentials end 6 hours and 35 minutes after `LastUpdated`,
/// identity credentials 6 hours and 1 to 19 minutes; new ones appear at least
/// five minutes before the old ones end. UNRECORDED: how often; six hours fit.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// When the first ones were delivered: the launch.
    pub first: Time,
    /// The time between two deliveries, at least 1.
    pub interval_ms: u64,
    /// How long each lives.
    pub life_ms: u64,
    /// After this time there are no new ones.
    pub until: Option<Time>,
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

/// The time between two deliveries.
const INTERVAL_MS: u64 = 6 * 3600 * 1000;
/// The life of a role's credentials.
const ROLE_LIFE_MS: u64 = (6 * 3600 + 35 * 60) * 1000;
/// The life of an instance's identity credentials.
const IDENTITY_LIFE_MS: u64 = (6 * 3600 + 10 * 60) * 1000;

impl Rotation {
    /// For a role's credentials.
    pub fn of_role(launch: Time) -> Rotation {
        Rotation { first: launch, interval_ms: INTERVAL_MS, life_ms: ROLE_LIFE_MS, until: None }
    }

    /// For an instance's identity credentials.
    pub fn of_identity(launch: Time) -> Rotation {
        Rotation { first: launch, interval_ms: INTERVAL_MS, life_ms: IDENTITY_LIFE_MS, until: None }
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
            expiration: last_updated.plus_ms(self.life_ms),
            next: self.until.is_none_or(|until| next <= until).then_some(next),
        }
    }

    /// When the credentials in force at `now` end. Where only one end of those
    /// given is stated, the other keeps its distance.
    pub fn ends(&self, given: &Credentials, now: Time) -> Time {
        match (given.expiration, given.last_updated) {
            (Some(expiration), _) => expiration,
            (None, Some(updated)) => updated.plus_ms(self.life_ms),
            (None, None) => self.at(now).expiration,
        }
    }
}

/// A document of which only `LastUpdated` changes.
pub struct InfoDocument {
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
}

/// The credentials of a role or of the instance itself.
pub struct RoleCredentials {
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
    /// Code and message, where the role cannot be assumed.
    pub failure: Option<(String, String)>,
}

impl RoleCredentials {
    /// When the credentials in force were made.
    pub fn last_updated(&self, now: Time, with_token: bool) -> Time {
        // What is stated of credentials says nothing of the failure to have any.
        let stated = self.given(with_token).last_updated.filter(|_| self.failure.is_none());
        stated.unwrap_or(self.rotation.at(now).last_updated)
    }

    fn given(&self, with_token: bool) -> &Credentials {
        if with_token { &self.with_token } else { &self.without_token }
    }

    /// The document as of `now`. A role that cannot be assumed has one too.
    pub fn document(&self, now: Time, with_token: bool) -> String {
        let last_updated = self.last_updated(now, with_token).rfc3339();
        if let Some((code, message)) = &self.failure {
            return object(&[
                ("Code", Value::Text(code.clone())),
                ("Message", Value::Text(message.clone())),
                ("LastUpdated", Value::Text(last_updated)),
            ]);
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
        let token = match &given.session_token {
            Some(token) => token.0.clone(),
            // Real ones begin with these letters and have many hundred more.
            None => format!("IQoJb3JpZ2luX2Vj{}", made::base64(480, &self.instance_id, &made("token"))),
        };
        object(&[
            ("Code", Value::Text("Success".to_owned())),
            ("LastUpdated", Value::Text(last_updated)),
            ("Type", Value::Text("AWS-HMAC".to_owned())),
            ("AccessKeyId", Value::Text(access_key_id)),
            ("SecretAccessKey", Value::Text(secret_access_key)),
            ("Token", Value::Text(token)),
            ("Expiration", Value::Text(self.rotation.ends(given, now).rfc3339())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_credentials_appear_well_before_the_old_ones_end() {
        let launch = Time::from_ms(1_000_000);
        let rotation = Rotation::of_role(launch);
        let first = rotation.at(launch);
        let second = rotation.at(launch.plus_seconds(6 * 3600));
        assert_eq!((first.last_updated, first.next), (launch, Some(second.last_updated)));
        assert!(second.last_updated.plus_seconds(300) <= first.expiration);
    }

    #[test]
    fn credentials_are_in_force_at_any_time() {
        let launch = Time::from_ms(1_790_421_382_000);
        for rotation in [Rotation::of_role(launch), Rotation::of_identity(launch), Rotation::of_role(Time::EPOCH)] {
            for ms in [0, 1, 1_790_421_381_999, 1_790_421_382_000, u64::MAX / 2] {
                let now = Time::from_ms(ms);
                let delivery = rotation.at(now);
                assert!(delivery.last_updated <= now && now <= delivery.expiration, "{now:?}: {delivery:?}");
            }
        }
    }
}
