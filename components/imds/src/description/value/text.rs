//! Texts with a form of their own.

texts! {
    /// A text of one line, not empty.
    Line {
        "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+$",
        "expected a text of one line, not empty",
        |text| !text.is_empty() && !text.chars().any(ends_a_line)
    }
    /// A method of HTTP.
    Method {
        "^[A-Z-]+$",
        "expected a method such as PUT, in upper case",
        |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    }
    /// A public key in OpenSSH format.
    PublicKey {
        "^\\s*[^\\s]+ +[^\\s]+",
        "expected a public key in OpenSSH format on one line, such as `ssh-ed25519 AAAA… name`",
        |text| text.split_ascii_whitespace().count() >= 2 && !text.trim_end().chars().any(char::is_control)
    }
    /// Base64 without PEM armour; white space does not count.
    Base64 {
        "^[0-9A-Za-z+/=\\s]+$",
        "expected base64 without PEM armour",
        |text| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n ".contains(&byte);
            !text.trim().is_empty() && text.bytes().all(fits)
        }
    }
    /// The name of a mapping that is no EBS volume.
    VirtualName {
        "^(swap|ephemeral[0-9]+)$",
        "expected `swap`, or `ephemeral` and a number from 0",
        |text| {
            let number = text.strip_prefix("ephemeral").unwrap_or_default();
            text == "swap" || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        }
    }
}

/// Whether a client may end a line at this character, or not show it.
pub(super) fn ends_a_line(c: char) -> bool {
    c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c)
}
