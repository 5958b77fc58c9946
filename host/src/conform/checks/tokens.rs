//! How session tokens are given and used.

use super::super::{Area, Check, Stop, Subject, not_applicable};

pub const CHECKS: &[Check] = &[
    Check::of_case("token-has-the-nitro-shape", Area::Tokens, token_has_the_nitro_shape),
    Check::of_case("token-required-on-every-path", Area::Tokens, token_required_on_every_path),
];

fn token_has_the_nitro_shape(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Subject::token_request("60"))?.has_status(200)?;
    let is_token = asked.reply.body.len() == 56
        && asked.reply.body.ends_with(b"==")
        && asked.reply.body[..54].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_token {
        Ok(())
    } else {
        Err(asked.broken("56 characters of URL-safe base64 that end with ==", "another token"))
    }
}

fn token_required_on_every_path(subject: &Subject<'_>) -> Result<(), Stop> {
    if !subject.needs_token()? {
        return not_applicable("the endpoint serves requests without a token");
    }
    for path in ["/", "/latest/", "/latest/meta-data/ami-id", "/no-version/"] {
        subject.ask(crate::engine::Request::get(path))?.has_status(401)?.has_no_body()?;
    }
    Ok(())
}
