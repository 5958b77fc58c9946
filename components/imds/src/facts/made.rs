//! Identifiers and secrets that a description leaves out: made from the
//! instance id, so that two instances differ and one is always the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2s256, Digest as _};

/// Thirty-two bytes that depend on the instance and on what they are for.
pub fn bytes(instance_id: &str, purpose: &str) -> [u8; 32] {
    let mut hash = Blake2s256::new();
    hash.update(instance_id.as_bytes());
    hash.update([0]);
    hash.update(purpose.as_bytes());
    hash.finalize().into()
}

/// `<prefix>` and 17 hexadecimal digits, the form of EC2's resource ids.
pub fn resource_id(prefix: &str, instance_id: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let seed = bytes(instance_id, prefix);
    let digits =
        seed.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)]));
    prefix.chars().chain(digits.take(17)).collect()
}

/// `<prefix>` and 16 or 17 capitals and digits, the form of IAM's unique ids
/// and access keys.
pub fn unique_id(prefix: &str, length: usize, instance_id: &str, purpose: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let seed = bytes(instance_id, purpose);
    let letters = seed.iter().take(length).map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(letters).collect()
}

/// `bytes_count` bytes in base64.
pub fn base64(bytes_count: usize, instance_id: &str, purpose: &str) -> String {
    let blocks = (0..bytes_count.div_ceil(32)).flat_map(|block| bytes(instance_id, &format!("{purpose} {block}")));
    STANDARD.encode(blocks.take(bytes_count).collect::<Vec<u8>>())
}

/// The id of an instance's maintenance event that states none.
pub fn event_id(instance_id: &str, index: usize) -> String {
    resource_id("instance-event-", &format!("{instance_id} {index}"))
}
