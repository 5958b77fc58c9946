//! Made-up values: of the same form as the originals, and the same value for the same
//! original.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// The key of all made-up values of a capture. Without it, nobody can find an original by
/// trying, not even an account of twelve digits.
#[derive(Clone)]
pub struct Disguise([u8; 32]);

impl Disguise {
    pub fn random() -> Result<Self, Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| Error::System(std::io::Error::other(error)))?;
        Ok(Self(key))
    }

    #[cfg(test)]
    pub fn of(seed: u8) -> Self {
        Self([seed; 32])
    }

    /// Another key, in case a made-up value happens to be an original.
    pub fn next(&self) -> Self {
        Self(Sha256::digest(self.0).into())
    }

    /// An endless sequence of bytes, derived from a text and a purpose.
    pub fn bytes(&self, purpose: &str, text: &[u8]) -> impl Iterator<Item = u8> + use<> {
        let mut seed = Sha256::new();
        seed.update(self.0);
        seed.update(purpose.as_bytes());
        seed.update([0]);
        seed.update(text);
        let seed = seed.finalize();
        (0_u32..).flat_map(move |block| {
            let mut hash = Sha256::new();
            hash.update(seed);
            hash.update(block.to_le_bytes());
            <[u8; 32]>::from(hash.finalize())
        })
    }

    /// A secret of the same length and alphabet. Its first `kept` characters and its
    /// padding stay.
    pub fn secret(&self, text: &str, kept: usize) -> String {
        let is_upper = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        // Access keys are base32.
        let alphabet: &[u8] = match is_upper {
            true => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            false => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ab",
        };
        let made = self.bytes("secret", text.as_bytes());
        let fits = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c) || !c.is_ascii();
        let each = text.chars().zip(made).enumerate().map(|(place, (c, byte))| match place >= kept && fits(c) {
            true => char::from(alphabet[usize::from(byte) % alphabet.len()]),
            false => c,
        });
        each.collect()
    }

    /// A name of the same form: letters for letters in the same case, digits for digits.
    /// Never the name itself.
    pub fn name(&self, text: &str) -> String {
        let mut made = text.to_owned();
        for attempt in 0..100_u8 {
            let purpose = format!("name {attempt}");
            let bytes = self.bytes(&purpose, text.as_bytes());
            let each = text.chars().zip(bytes).map(|(c, byte)| match c {
                'a'..='z' => char::from(b'a' + byte % 26),
                'A'..='Z' => char::from(b'A' + byte % 26),
                '0'..='9' => char::from(b'0' + byte % 10),
                c if c.is_ascii() => c,
                _ => 'x',
            });
            made = each.collect();
            if made != text {
                break;
            }
        }
        made
    }

    /// Digits for digits and hexadecimal digits for hexadecimal digits.
    pub fn hexadecimal(&self, text: &str) -> String {
        let made = self.bytes("hexadecimal", text.as_bytes());
        text.chars().zip(made).map(|(_, byte)| char::from(b"0123456789abcdef"[usize::from(byte % 16)])).collect()
    }

    /// The same number of digits, the first of which is not 0.
    pub fn digits(&self, text: &str) -> String {
        let made = self.bytes("digits", text.as_bytes());
        let digit = |(place, (_, byte)): (usize, (char, u8))| match place {
            0 => char::from(b'1' + byte % 9),
            _ => char::from(b'0' + byte % 10),
        };
        text.chars().zip(made).enumerate().map(digit).collect()
    }

    /// User data of the same length and kind. Of the original, only the mark of its type
    /// remains.
    pub fn user_data(&self, bytes: &[u8]) -> Vec<u8> {
        const MARKS: [&[u8]; 8] = [
            b"#!/bin/sh\n",
            b"#!/bin/bash\n",
            b"#!/bin/bash -xe\n",
            b"#cloud-config\n",
            b"## template: jinja\n",
            b"MIME-Version: 1.0\n",
            b"<powershell>\n",
            b"\x1f\x8b",
        ];
        let mark = MARKS.into_iter().find(|mark| bytes.starts_with(mark)).unwrap_or_default();
        let is_text = !mark.starts_with(b"\x1f") && str::from_utf8(bytes).is_ok();
        let length = bytes.len() - mark.len();
        let filler = b"# made up by imds capture\n";
        let made: Vec<u8> = match is_text {
            true => filler.iter().copied().cycle().take(length).collect(),
            false => self.bytes("user data", bytes).take(length).collect(),
        };
        [mark, &made].concat()
    }
}

impl fmt::Debug for Disguise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disguise(<32 bytes>)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_up_has_the_form_of_what_it_replaces() {
        let disguise = Disguise::of(1);
        let key = disguise.secret("ASIAIOSFODNN7EXAMPLE", 4);
        assert!(key.starts_with("ASIA") && key.len() == 20, "{key}");
        assert!(key.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)), "{key}");
        let token = disguise.secret(&format!("AQAEA{}==", "b-_c".repeat(12) + "d"), 5);
        assert!(token.starts_with("AQAEA") && token.ends_with("==") && token.len() == 56, "{token}");
        assert_eq!(disguise.name("Web-1").len(), 5);
        assert_ne!(disguise.name("a"), "a");
        assert_eq!(disguise.digits("123456789012").len(), 12);
        assert_eq!(disguise.name("x9"), Disguise::of(1).name("x9"));
        let data = disguise.user_data(b"#!/bin/sh\nPASSWORD=hunter2");
        assert!(data.starts_with(b"#!/bin/sh\n# made") && data.len() == 26, "{}", data.escape_ascii());
    }
}
