use std::sync::LazyLock;

use imds_core::{Answer, Instance};

static INSTANCE: LazyLock<Instance> =
    LazyLock::new(|| super::open(r#"{"metadata-options": {"http-tokens": "required"}}"#));

/// A token is good if it is one that was issued, byte for byte, and nothing
/// else is; a lifetime is taken if it is a number from 0 to 21600, and nothing
/// else is. Where the bytes are none that a field can have, the head is refused.
///
/// The bytes are taken for a token, for changes to an issued one, and for a
/// lifetime.
///
/// ```
/// imds_fuzz::token(b"AQAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==");
/// ```
pub fn token(bytes: &[u8]) {
    let issued = put(b"60");
    assert_eq!((issued.status, issued.body.len()), (200, 56));
    assert_eq!(status_with(&issued.body), 200);
    let shown = trimmed(bytes);
    if shown != &*issued.body {
        assert_eq!(status_with(bytes), refusal(bytes), "a token that was not issued");
    }

    // Pairs of a place and a byte.
    let mut changed = issued.body.to_vec();
    for pair in bytes.chunks_exact(2) {
        let place = usize::from(pair[0]) % changed.len();
        changed[place] = pair[1];
    }
    let good = trimmed(&changed) == &*issued.body;
    assert_eq!(status_with(&changed), if good { 200 } else { refusal(&changed) });
    let cut = usize::from(bytes.first().copied().unwrap_or_default()) % issued.body.len();
    assert_eq!(status_with(&issued.body[..cut]), 401, "the first {cut} characters of a token");

    let seconds = std::str::from_utf8(shown).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = seconds.and_then(|text| text.parse::<u128>().ok());
    let taken = put(bytes).status;
    match seconds {
        Some(0..=21_600) => assert_eq!(taken, 200, "a lifetime of {seconds:?}"),
        Some(_) => assert_eq!(taken, 400, "a lifetime of {seconds:?}"),
        None => assert!(taken == 400 || is_signed(shown), "a lifetime of {shown:?}"),
    }
}

/// A number with a sign, which the service may take or not.
fn is_signed(text: &[u8]) -> bool {
    matches!(text, [b'+' | b'-', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// A value without the white space around it, of which line ends are none.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The status for a token that is none.
fn refusal(token: &[u8]) -> u16 {
    if token.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) { 401 } else { 400 }
}

fn put(ttl: &[u8]) -> Answer<'static> {
    super::ask(&INSTANCE, "PUT", b"/latest/api/token", &[("X-aws-ec2-metadata-token-ttl-seconds", ttl)])
}

fn status_with(token: &[u8]) -> u16 {
    super::ask(&INSTANCE, "GET", b"/latest/meta-data/instance-id", &[("X-aws-ec2-metadata-token", token)]).status
}
