//! Keys and tokens of all real forms, in every field and split in every way.

use std::collections::HashSet;

use super::*;

/// Numbers that look random and are the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        // As in Knuth's MMIX; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap()
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        (0..length).map(|_| char::from(alphabet.as_bytes()[self.next() % alphabet.len()])).collect()
    }
}

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &str = "0123456789abcdef";

/// One canary of each form.
fn canaries(random: &mut Random) -> Vec<String> {
    let mut with_slashes = random.text(BASE64, 40);
    with_slashes.replace_range(13..14, "/");
    with_slashes.replace_range(21..22, "/");
    vec![
        random.text(BASE64, 40),
        with_slashes,
        format!("AQAE{}==", random.text(BASE64_URL, 50)),
        format!("IQoJb3JpZ2luX2VjE{}", random.text(BASE64, 400)),
        format!("FwoGZXIvYXdzE{}=", random.text(BASE64, 300)),
        format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", random.text(BASE64_URL, 80), random.text(BASE64_URL, 43)),
        random.text(BASE64_URL, 64),
    ]
}

/// All of a text that can be a part of a secret, in small letters.
fn folded(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
}

/// The parts of a secret of so many characters, however they are written.
fn parts(secret: &str, length: usize) -> HashSet<Vec<u8>> {
    folded(secret).windows(length).map(<[u8]>::to_vec).collect()
}

/// Whether a text has one of these parts.
fn has_part(text: &str, length: usize, parts: &HashSet<Vec<u8>>) -> bool {
    folded(text).windows(length).any(|part| parts.contains(part))
}

/// What is shown of a text in each of the places for text.
fn shown_everywhere(text: &str) -> [String; 9] {
    [
        target(&format!("/{text}")),
        target(&format!("/latest/meta-data/{text}/x")),
        target(&format!("http://example.com/latest/{text}")),
        target(&format!("http://{text}/latest/")),
        target(text),
        host(text),
        method(text),
        user_agent(text),
        user_agent(&format!("aws-cli/2.15.30 Python/3.11.8 ({text}) exe/x86_64")),
    ]
}

/// So much may be left of the end of a secret in pieces: of 40 characters, nobody
/// guesses the other 28.
const LEFT_MAX: usize = 12;

#[track_caller]
fn assert_hidden(text: &str, secret: &str) {
    let parts = parts(secret, LEFT_MAX + 1);
    for shown in shown_everywhere(text) {
        assert!(!has_part(&shown, LEFT_MAX + 1, &parts), "of {secret}, too much is left of {text}:\n{shown}");
    }
}

fn split(text: &str, length: usize, separator: &str) -> String {
    let parts: Vec<_> = text.as_bytes().chunks(length).map(|part| str::from_utf8(part).unwrap()).collect();
    parts.join(separator)
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn no_canary_is_shown_whole_or_encoded() {
    let mut random = Random(1);
    for _ in 0..40 {
        for secret in canaries(&mut random) {
            for text in [
                secret.clone(),
                percent_encoded(&secret),
                percent_encoded(&secret).replace('%', "%25"),
                percent_encoded(&secret).to_ascii_lowercase(),
                secret.replace('/', "%2F").replace('+', "%2b").replace('=', "%3D"),
                secret.replace('/', "%252F"),
                format!("token={secret}"),
                format!("{secret}{secret}"),
            ] {
                assert_hidden(&text, &secret);
            }
        }
    }
}

#[test]
fn no_canary_is_shown_in_pieces() {
    let mut random = Random(2);
    for length in [3, 4, 5, 6, 7, 8, 10, 13, 16, 20, 28, 39] {
        for separator in
            [" ", "/", "+", "=", ",", "%2F", "%20", "\t", "  ", ", ", "; ", ".", "//", "/./", "\u{200b}", "|"]
        {
            // Short parts between these are those of versions and addresses.
            if length <= 4 && separator.contains('.') {
                continue;
            }
            for secret in canaries(&mut random) {
                let text = split(&secret, length, separator);
                assert_hidden(&text, &secret);
            }
        }
    }
}

/// Whoever changes the case has nearly destroyed the secret, and its other case has
/// to be guessed. So here most is enough.
#[test]
fn hardly_a_canary_is_shown_in_another_case() {
    let mut random = Random(3);
    let (mut shown, mut all) = (0, 0);
    for _ in 0..20 {
        for secret in canaries(&mut random) {
            let parts = parts(&secret, 20);
            for other in [secret.to_ascii_lowercase(), secret.to_ascii_uppercase()] {
                for text in [other.clone(), split(&other, 16, " "), split(&other, 20, "/")] {
                    all += 9;
                    shown += shown_everywhere(&text).iter().filter(|shown| has_part(shown, 20, &parts)).count();
                }
            }
        }
    }
    assert!(shown * 100 < all, "{shown} of {all}");
}

#[test]
fn no_access_key_id_is_shown() {
    let mut random = Random(4);
    for _ in 0..200 {
        for prefix in ["AKIA", "ASIA"] {
            let id = format!("{prefix}{}", random.text(BASE32, 16));
            for text in [
                id.clone(),
                id.to_ascii_lowercase(),
                format!("id:{id};"),
                percent_encoded(&id),
                format!("Credential={id}/20261001/us-east-1"),
            ] {
                assert_hidden(&text, &id);
            }
        }
    }
    assert_hidden("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE");
}

#[test]
fn no_long_hexadecimal_number_is_shown() {
    let mut random = Random(5);
    for length in [32, 40, 64, 128] {
        let number = random.text(HEX, length);
        assert_hidden(&number, &number);
        assert_hidden(&number.to_ascii_uppercase(), &number);
        if length > 32 {
            assert_hidden(&split(&number, 9, " "), &number);
            assert_hidden(&split(&number, 8, "/"), &number);
        }
    }
}

#[test]
fn no_armoured_key_is_shown() {
    let mut random = Random(6);
    for begin in ["-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----"] {
        let key = random.text(BASE64, 200);
        for text in [
            format!("{begin}{key}"),
            format!("{begin} {}", split(&key, 64, " ")),
            format!("{begin}\\n{}", split(&key, 64, "\\n")),
            format!("{begin}%0A{}", split(&key, 64, "%0A")).replace(' ', "%20"),
            format!("{begin}+{key}").replace(' ', "+"),
        ] {
            assert_hidden(&text, &key);
            for shown in shown_everywhere(&text) {
                assert!(!shown.contains("BEGIN"), "{shown}");
            }
        }
    }
}

#[test]
fn keys_of_documentation_are_not_shown() {
    for key in [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
    ] {
        for text in [key.to_owned(), key.replace('/', "%2F"), key.replace('/', " "), format!("key={key};")] {
            assert_hidden(&text, key);
        }
    }
}

/// The time grows with the length alone: else these would take hours.
#[test]
fn hostile_texts_take_no_time() {
    let key = Random(7).text(BASE64_URL, 64);
    let start = std::time::Instant::now();
    let units = ["%25", "%", "/", "A", "aB", "a/", "A1b2 ", "0", "-----BEGIN", "eyJ", "AKIA", "\u{e9}", &key];
    for unit in units.into_iter().chain([&*format!("{key} word word word "), &format!("{key}{}", "0 ".repeat(200))]) {
        let text = unit.repeat(500_000 / unit.len());
        for shown in shown_everywhere(&text) {
            assert!(shown.len() <= 3000, "{shown}");
        }
        // What is shown looks at the beginning alone.
        secrets(&text);
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
