//! Session tokens: sealed, not stored.
//!
//! A token carries its expiry and a MAC over it, so that every replica that has
//! the secret accepts it and none has to remember it. Its shape is the recorded
//! one: 40 bytes, the first four 01 00 04 00, as 56 characters of URL-safe
//! base64 that begin `AQAEA` and end `==`.
//!
//! ```text
//! 01 00 04 00 | expiry, 8 bytes | entropy, 8 bytes | MAC, 20 bytes
//! ```
//!
//! The MAC is keyed BLAKE2s (RFC 7693) of 20 bytes: one block of ten rounds to
//! work through for each token, where HMAC with SHA-256 takes two of 64, which
//! was a fifth of an answer's cost.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use blake2::digest::consts::U20;
use blake2::digest::{FixedOutput as _, Key, KeyInit as _, Mac};
use blake2::{Blake2s256, Blake2sMac, Blake2sMac256, Digest as _};

use crate::time::Time;

/// The longest lifetime of a token, in seconds: six hours.
pub const TTL_SECONDS_MAX: u32 = 21_600;

const PREFIX: [u8; 4] = [1, 0, 4, 0];
const TOKEN_BYTES: usize = 40;
const TOKEN_CHARACTERS: usize = 56;
const SEALED_BYTES: usize = 20;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not issued by this instance under this secret.
    Invalid,
    /// Its lifetime is over.
    Expired,
}

/// The key of one instance's tokens.
pub struct TokenKey {
    /// Has worked through the key and taken [`PREFIX`].
    mac: Blake2sMac<U20>,
    /// Tokens that were found to be issued under the key, so that a client which asks
    /// again and again has its token worked through once. Which are in here changes no
    /// answer: what is asked of a token besides is asked each time.
    seen: Mutex<Vec<Seen>>,
}

/// A token that was issued under the key.
#[derive(Clone)]
struct Seen {
    token: [u8; TOKEN_CHARACTERS],
    expiry_ms: u64,
}

/// How many tokens are kept, each in the place that its last characters pick.
const SEEN: usize = 16;

impl TokenKey {
    /// The key for the tokens of the instance `instance_id` under `secret`. A
    /// token of one instance is worth nothing at another, and neither is one of
    /// another scope: two instances that are described alike are still two.
    pub fn new(secret: &[u8], scope: Option<&str>, instance_id: &str) -> TokenKey {
        let mut secrets = Blake2s256::new().chain_update(secret);
        if let Some(scope) = scope {
            secrets.update(b"\0instances/");
            secrets.update(scope);
        }
        let secret: Key<Blake2sMac256> = secrets.finalize();
        let mut derivation = Blake2sMac256::new(&secret);
        Mac::update(&mut derivation, b"imds session token\0");
        Mac::update(&mut derivation, instance_id.as_bytes());
        let mut mac = Blake2sMac::new(&derivation.finalize_fixed());
        Mac::update(&mut mac, &PREFIX);
        TokenKey { mac, seen: Mutex::default() }
    }

    /// Issues a token that lives `ttl_seconds` from `now`; with 0 it is expired
    /// from the start, as recorded.
    ///
    /// The expiry may lie behind the last [`Time`]: a token whose life were cut
    /// short there would end before the lifetime that its answer states. Where
    /// time stands, at that last second, tokens keep what they have left.
    pub fn issue(&self, now: Time, ttl_seconds: u32, entropy: u64) -> String {
        let mut token = [0; TOKEN_BYTES];
        token[..4].copy_from_slice(&PREFIX);
        let expiry_ms = now.as_ms() + u64::from(ttl_seconds) * 1000;
        token[4..12].copy_from_slice(&expiry_ms.to_be_bytes());
        token[12..20].copy_from_slice(&entropy.to_be_bytes());
        let mac = self.mac.clone().chain_update(&token[4..SEALED_BYTES]).finalize_fixed();
        token[SEALED_BYTES..].copy_from_slice(&mac);
        URL_SAFE.encode(token)
    }

    /// Checks a token, in time that does not depend on how much of it is right.
    ///
    /// Gives the seconds it has left, at least 1. A part of a second counts as
    /// a whole one, so that a token shows its full lifetime at first.
    pub fn check(&self, token: &[u8], now: Time) -> Result<u32, Refused> {
        let expiry_ms = match self.seen(token) {
            Some(expiry_ms) => expiry_ms,
            None => self.verify(token)?,
        };
        match expiry_ms.saturating_sub(now.as_ms()) {
            0 => Err(Refused::Expired),
            // Issued at a time to come: by a clock that was put back since.
            left_ms if left_ms > LIFE_MS_MAX + CLOCKS_DIFFER_MS => Err(Refused::Invalid),
            left_ms => Ok(left_ms.min(LIFE_MS_MAX).div_ceil(1000) as u32),
        }
    }

    /// When a token ends that was seen before.
    fn seen(&self, token: &[u8]) -> Option<u64> {
        let token: &[u8; TOKEN_CHARACTERS] = token.try_into().ok()?;
        let seen = self.seen.try_lock().ok()?;
        let seen = seen.get(place(token))?;
        // All of it, however early it differs: the time must not tell how much is right.
        let differs = words(token).zip(words(&seen.token)).fold(0, |differs, (one, other)| differs | (one ^ other));
        (core::hint::black_box(differs) == 0).then_some(seen.expiry_ms)
    }

    /// Works through a token: when it ends, if it was issued under the key.
    fn verify(&self, token: &[u8]) -> Result<u64, Refused> {
        let mut bytes = [0; TOKEN_BYTES + 2];
        let length = URL_SAFE.decode_slice(token, &mut bytes).map_err(|_| Refused::Invalid)?;
        if length != TOKEN_BYTES || bytes[..4] != PREFIX {
            return Err(Refused::Invalid);
        }
        let (sealed, mac) = bytes[..TOKEN_BYTES].split_at(SEALED_BYTES);
        self.mac.clone().chain_update(&sealed[4..]).verify_slice(mac).map_err(|_| Refused::Invalid)?;
        let expiry_ms = sealed[4..12].iter().fold(0, |ms, byte| ms << 8 | u64::from(*byte));
        if let (Ok(token), Ok(mut seen)) = (<[u8; TOKEN_CHARACTERS]>::try_from(token), self.seen.try_lock()) {
            if seen.is_empty() {
                // No token has only such characters.
                seen.resize(SEEN, Seen { token: [0; TOKEN_CHARACTERS], expiry_ms: 0 });
            }
            let place = place(&token);
            seen[place] = Seen { token, expiry_ms };
        }
        Ok(expiry_ms)
    }
}

fn words(token: &[u8; TOKEN_CHARACTERS]) -> impl Iterator<Item = u64> {
    token.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word))
}

/// Where a token is kept: its last characters but the padding are of its MAC.
fn place(token: &[u8; TOKEN_CHARACTERS]) -> usize {
    usize::from(token[TOKEN_CHARACTERS - 4]) % SEEN
}

const LIFE_MS_MAX: u64 = TTL_SECONDS_MAX as u64 * 1000;

/// No two clocks of one service differ by more.
const CLOCKS_DIFFER_MS: u64 = 10_000;

impl core::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TokenKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::EPOCH;

    fn key() -> TokenKey {
        TokenKey::new(&[1; 32], None, "i-0123456789abcdef0")
    }

    #[test]
    fn a_token_has_the_recorded_shape() {
        let token = key().issue(NOW, 21_600, u64::MAX);
        assert_eq!(token.len(), 56);
        assert!(token.starts_with("AQAEA") && token.ends_with("=="), "{token}");
    }

    /// Computed apart from this code, by the description above: tokens of one
    /// release are good in the next.
    #[test]
    fn a_token_is_the_known_one() {
        let known = "AQAEAAAAAAAABJPgAAAAAAAAACq5SR2KQi1jeGLyikWqWHdY_dBhgg==";
        assert_eq!(key().issue(NOW, 300, 42), known);
        assert_eq!(key().check(known.as_bytes(), NOW), Ok(300));
    }

    #[test]
    fn a_token_lives_for_its_ttl_and_no_longer() {
        let token = key().issue(NOW, 300, 0);
        let check = |ms| key().check(token.as_bytes(), Time::from_ms(ms));
        assert_eq!(check(0), Ok(300));
        assert_eq!(check(1), Ok(300));
        assert_eq!(check(1_000), Ok(299));
        assert_eq!(check(299_999), Ok(1));
        assert_eq!(check(300_000), Err(Refused::Expired));
        assert_eq!(key().check(key().issue(NOW, 0, 0).as_bytes(), NOW), Err(Refused::Expired));
    }

    #[test]
    fn a_token_of_the_last_second_of_time_has_the_lifetime_that_was_granted() {
        let last = Time::from_ms(u64::MAX);
        let token = key().issue(last, 300, 0);
        assert_eq!(key().check(token.as_bytes(), last), Ok(300));
        assert_eq!(key().check(key().issue(last, 0, 0).as_bytes(), last), Err(Refused::Expired));

        let before = last.minus_seconds(60);
        let token = key().issue(before, TTL_SECONDS_MAX, 0);
        assert_eq!(key().check(token.as_bytes(), before), Ok(TTL_SECONDS_MAX));
        assert_eq!(key().check(token.as_bytes(), last), Ok(TTL_SECONDS_MAX - 60));
        let short = key().issue(before, 60, 0);
        assert_eq!(key().check(short.as_bytes(), last), Err(Refused::Expired));
    }

    #[test]
    fn a_token_of_a_time_to_come_is_worth_nothing() {
        let now = NOW.plus_seconds(86_400);
        let token = key().issue(now, TTL_SECONDS_MAX, 0);
        let check = |before: u64| key().check(token.as_bytes(), now.minus_seconds(before));
        assert_eq!([check(0), check(5)], [Ok(TTL_SECONDS_MAX); 2]);
        assert_eq!(check(3600), Err(Refused::Invalid));
    }

    #[test]
    fn a_token_of_another_instance_or_secret_is_invalid() {
        let token = key().issue(NOW, 300, 0);
        for other in [
            TokenKey::new(&[1; 32], None, "i-0fedcba9876543210"),
            TokenKey::new(&[2; 32], None, "i-0123456789abcdef0"),
            TokenKey::new(&[1; 32], Some("vm-7"), "i-0123456789abcdef0"),
        ] {
            assert_eq!(other.check(token.as_bytes(), NOW), Err(Refused::Invalid));
        }
    }

    #[test]
    fn every_changed_character_makes_a_token_invalid() {
        let token = key().issue(NOW, 300, 42);
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(key().check(&changed, NOW), Err(Refused::Invalid), "character {index}");
        }
        for wrong in ["", "A", "AQAEA", &token[1..], &token[..55], &format!("{token}A"), &"A".repeat(10_000)] {
            assert_eq!(key().check(wrong.as_bytes(), NOW), Err(Refused::Invalid));
        }
    }
}
