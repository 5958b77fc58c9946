//! The pages of a list: `MaxResults` and `NextToken`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::failure::Failure;

/// Which part of a list is asked for.
#[derive(Clone, Copy)]
pub(super) struct Page<'c> {
    pub max_results: Option<u32>,
    pub next_token: Option<&'c str>,
}

/// How large a page may be, as EC2 has it.
const RESULTS_MIN: u32 = 5;
const RESULTS_MAX: u32 = 1000;

impl Page<'_> {
    /// The part of a list that is in the order of its names, and what to ask for the
    /// next part with. `keep` makes an entry, or leaves it out. A token names the last
    /// entry of a page: one that comes or goes between two pages moves none.
    pub fn of<S, T>(
        self,
        entries: impl IntoIterator<Item = (String, S)>,
        mut keep: impl FnMut(S) -> Result<Option<T>, Failure>,
    ) -> Result<(Vec<T>, Option<String>), Failure> {
        let max = match self.max_results {
            None => usize::MAX,
            Some(max) if (RESULTS_MIN..=RESULTS_MAX).contains(&max) => max as usize,
            Some(max) => {
                let why = format!("Expecting a value between {RESULTS_MIN} and {RESULTS_MAX}.");
                return Err(Failure::value("maxResults", &max.to_string(), &why));
            }
        };
        let last = self.next_token.map(|token| {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            text.ok_or_else(|| Failure::new("InvalidNextToken", "The token is not one that a page came with"))
        });
        let last = last.transpose()?;
        let (mut page, mut end) = (Vec::new(), String::new());
        for (name, entry) in entries {
            if last.as_ref().is_some_and(|last| name <= *last) {
                continue;
            }
            let Some(entry) = keep(entry)? else { continue };
            if page.len() == max {
                return Ok((page, Some(URL_SAFE_NO_PAD.encode(end))));
            }
            page.push(entry);
            end = name;
        }
        Ok((page, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_make_the_whole() {
        let all: Vec<(String, u32)> = (10..30).map(|n| (format!("i-{n}"), n)).collect();
        let odd = |n: u32| Ok((n % 2 == 1).then_some(n));
        let (mut token, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = Page { max_results: Some(5), next_token: token.as_deref() };
            let (part, next) = page.of(all.clone(), odd).unwrap();
            seen.extend(part);
            pages += 1;
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!((seen, pages), ((10..30).filter(|n| n % 2 == 1).collect(), 2));
        for (max_results, next_token) in [(Some(4), None), (Some(1001), None), (None, Some("ä"))] {
            assert!(Page { max_results, next_token }.of(all.clone(), odd).is_err());
        }
    }
}
