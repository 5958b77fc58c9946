// The page at `/` for browsers: one document, of the files that stand beside this
// one, and the token by which its requests are known from those of other pages.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use sha2::{Digest, Sha256};

const DOCUMENT: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// One text: a browser runs them as one script.
const SCRIPT: &str = concat!(
    include_str!("ask.js"),
    include_str!("secret.js"),
    include_str!("list.js"),
    include_str!("facts.js"),
    include_str!("sure.js"),
    include_str!("timeline.js"),
    include_str!("requests.js"),
    include_str!("tree.js"),
    include_str!("edit.js"),
    include_str!("place.js"),
    include_str!("complete.js"),
    include_str!("main.js"),
);

/// What the browser's requests carry besides what every page's do. Each process makes
/// its own; only who could read the page knows it, and no page of elsewhere can.
pub struct Token(String);

/// The field in which the page sends it.
pub const TOKEN: HeaderName = HeaderName::from_static("x-imds-page-token");

impl Token {
    /// Another one.
    pub fn random() -> anyhow::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(anyhow::Error::from)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    #[cfg(test)]
    pub fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether a request has it, once. How long that takes tells how alike they are to
    /// nobody: each byte is looked at.
    pub fn is_in(&self, fields: &HeaderMap) -> bool {
        let mut sent = fields.get_all(TOKEN).iter();
        let (Some(sent), None) = (sent.next(), sent.next()) else { return false };
        let (sent, own) = (sent.as_bytes(), self.0.as_bytes());
        sent.len() == own.len() && sent.iter().zip(own).fold(0, |different, (a, b)| different | (a ^ b)) == 0
    }
}

/// Whether a client wants to see a page: a browser says so, a program does not.
pub fn is_wanted(fields: &HeaderMap) -> bool {
    let accepted = fields.get_all(ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
    accepted.flat_map(|accepted| accepted.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("text/html")
    })
}

/// The document, with its token in it.
pub struct WebPage {
    text: String,
    policy: String,
}

impl WebPage {
    pub fn new(token: &Token) -> Self {
        let parts = [("{{style}}", STYLE), ("{{token}}", token.0.as_str()), ("{{script}}", SCRIPT)];
        let text = parts.iter().fold(DOCUMENT.to_owned(), |text, (name, part)| text.replacen(name, part, 1));
        // Nothing else is run or loaded, whatever a served name or value may say.
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            hash(SCRIPT),
            hash(STYLE)
        );
        Self { text, policy }
    }

    pub fn answer(&self) -> Response {
        let fields = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, self.policy.as_str()),
            (X_FRAME_OPTIONS, "DENY"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            // The token is that of this process.
            (CACHE_CONTROL, "no-store"),
            (VARY, "Accept"),
        ];
        (fields, self.text.clone()).into_response()
    }
}

/// A source of a Content-Security-Policy: exactly this text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_known_and_no_other() {
        let (token, other) = (Token::random().unwrap(), Token::random().unwrap());
        let fields = |values: &[&str]| {
            let mut fields = HeaderMap::new();
            values.iter().for_each(|value| {
                fields.append(TOKEN, value.parse().unwrap());
            });
            fields
        };
        assert!(token.0.len() == 64 && token.0 != other.0);
        assert!(token.is_in(&fields(&[&token.0])));
        for wrong in [&[][..], &[""], &[&other.0], &[&token.0[1..]], &[&token.0, &token.0], &[&token.0, &other.0]] {
            assert!(!token.is_in(&fields(wrong)), "{wrong:?}");
        }
    }

    #[test]
    fn browsers_want_it_and_programs_do_not() {
        let wanted = |accept: &str| is_wanted(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]));
        assert!(wanted("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wanted("application/json, Text/HTML;q=0.5"));
        for accept in ["*/*", "application/json", "text/*", "text/html-not", ""] {
            assert!(!wanted(accept), "{accept}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }

    /// What stands between the tags is what the policy has the hash of.
    #[test]
    fn nothing_is_left_out_of_the_document() {
        let page = WebPage::new(&Token::of("0123"));
        for part in [format!("<style>{STYLE}</style>"), format!("<script>{SCRIPT}</script>"), "\"0123\"".to_owned()] {
            assert_eq!(page.text.matches(&part).count(), 1);
        }
        assert!(!page.text.contains("{{"), "a name of a part is left");
    }
}
