//! What a browser sends because a web page has it send: it gets nothing, as from the
//! native listener. `Host` may be any name here, since the name is a public one, and
//! no page has the secret.

use imds_spin::Head;

/// Why a request may come from a web page; `None` if it cannot.
pub fn web_page(head: &Head) -> Option<&'static str> {
    let is_foreign = head.values("sec-fetch-site").any(|site| site != b"none");
    (is_foreign || head.values("origin").next().is_some())
        .then_some("web pages get nothing here; ask with imds ctl, curl or a program of yours")
}

/// Why a change may be one that a web page can send without being asked about it;
/// `None` if the type of its body says otherwise.
pub fn not_json(head: &Head) -> Option<&'static str> {
    let kind = head.values("content-type").next().and_then(|kind| std::str::from_utf8(kind).ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!["application/json", "application/merge-patch+json"].contains(&kind.as_str()))
        .then_some("a change must be JSON; send Content-Type: application/json or application/merge-patch+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&str, &str)]) -> Head {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Head { fields, ..Head::default() }
    }

    #[test]
    fn web_pages_are_refused() {
        assert_eq!(web_page(&head(&[("host", "imds.example.com")])), None);
        assert_eq!(web_page(&head(&[("sec-fetch-site", "none")])), None);
        for field in [("origin", "null"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")] {
            assert!(web_page(&head(&[field])).is_some(), "{field:?}");
        }
    }

    #[test]
    fn a_change_says_that_it_is_json() {
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert_eq!(not_json(&head(&[("content-type", kind)])), None, "{kind}");
        }
        for kind in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            assert!(not_json(&head(&[("content-type", kind)])).is_some(), "{kind}");
        }
        assert!(not_json(&head(&[])).is_some());
    }
}
