//! What is kept although a secret could be there, and what is not although none was found.

use std::collections::BTreeSet;

use super::paths::secret;
use super::replacements::Replacements;
use super::transcript::{Exchange, Missing, Transcript};

/// The words of the markup of error pages, as EC2's.
const MARKUP: [&str; 31] = [
    "xml",
    "version",
    "1",
    "0",
    "encoding",
    "iso",
    "8859",
    "utf",
    "8",
    "doctype",
    "html",
    "public",
    "w3c",
    "dtd",
    "xhtml",
    "transitional",
    "en",
    "http",
    "www",
    "w3",
    "org",
    "tr",
    "xhtml1",
    "1999",
    "xmlns",
    "lang",
    "head",
    "title",
    "body",
    "h1",
    "p",
];

/// The status and the body of each answer that is an error page: it says nothing but its
/// status, or paths without a secret have it too.
pub fn error_pages(exchanges: &[Exchange]) -> BTreeSet<(u16, Vec<u8>)> {
    let is_page = |exchange: &&Exchange| {
        exchange.response.status >= 400
            && ((exchange.request.method != "PUT" && secret(&exchange.request.target).is_none())
                || says_nothing(exchange))
    };
    let pages = exchanges.iter().filter(is_page).map(|exchange| (exchange.response.status, exchange.response.body()));
    pages.filter(|(_, body)| !body.is_empty()).collect()
}

fn says_nothing(exchange: &Exchange) -> bool {
    let Some(text) = exchange.response.text() else { return false };
    let status = exchange.response.status;
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let known = format!("{status} {}", reason.unwrap_or_default()).to_ascii_lowercase();
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| MARKUP.contains(&word) || known.split(' ').any(|known| known == word))
}

/// Drops the bodies that still contain one of the originals, and records their requests as
/// missing.
pub fn drop_bodies(transcript: &mut Transcript, originals: &Replacements) {
    for exchange in &mut transcript.exchanges {
        let body = exchange.response.body();
        if originals.is_in(&body) {
            exchange.response.set_body(Vec::new());
            let why = "its body is left out: it has a secret that cannot be replaced".to_owned();
            transcript.header.missing.push(Missing { request: exchange.request.line(), why });
        }
    }
}
