use std::borrow::Cow;
use std::time::SystemTime;

use memchr::memmem;

use super::{Description, start_text};
use crate::error::Error;

/// From when relative times of many descriptions count.
#[derive(Clone)]
pub(crate) struct Start {
    time: SystemTime,
    /// The field that says so.
    field: Box<str>,
}

impl Start {
    pub(crate) fn new(time: SystemTime) -> Self {
        Self { time, field: format!(r#""{NAME}":"{}""#, start_text(time)).into() }
    }

    /// A description that is a JSON object with the field, unless it says itself from
    /// when its times count: what [`Description::start_at`] does, but of a text, which
    /// is read only where it may say that.
    ///
    /// Fails where such a text is no description.
    pub(crate) fn in_json<'j>(&self, json: &'j str) -> Result<Cow<'j, str>, Error> {
        if may_name_start(json) {
            let mut description = Description::from_json("the description", json)?;
            description.start_at(self.time);
            return Ok(description.to_json().into());
        }
        let Some(fields) = json.trim_end().strip_suffix('}').map(str::trim_end) else {
            return Ok(json.into());
        };
        let comma = if fields.ends_with('{') { "" } else { "," };
        Ok([fields, comma, &self.field, "}"].concat().into())
    }
}

const NAME: &str = "timeline-start";

/// Whether the name stands in a text, with escapes or without.
fn may_name_start(json: &str) -> bool {
    let json = json.as_bytes();
    let is_of_name = |at| matches!(json.get(at + ESCAPE.len()), Some(b'2' | b'6' | b'7'));
    memmem::find(json, NAME.as_bytes()).is_some() || memmem::find_iter(json, ESCAPE).any(is_of_name)
}

/// How escapes of ASCII begin; those of letters and of the hyphen have a 6, a 7 or a
/// 2 behind that.
const ESCAPE: &[u8] = br"\u00";

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_start_is_added_where_there_is_none() {
        let time = UNIX_EPOCH + Duration::from_millis(1_790_812_800_500);
        let start = Start::new(time);
        for json in [
            "{}",
            "{ }",
            r#"{"tags":{}}"#,
            "{\"tags\": {\"a\": \"}\"} }\n",
            r#"{"timeline-start":"2026-01-01T00:00:00Z"}"#,
            r#"{"timeline\u002dstart":"2026-01-01T00:00:00Z"}"#,
            r#"{"timeline\u002Dst\u0061rt":"2026-01-01T00:00:00Z","tags":{}}"#,
            r#"{"tags":{"timeline-start":"\u00e9"}}"#,
        ] {
            let mut description = Description::from_json("test", json).unwrap();
            description.start_at(time);
            let added = Description::from_json("test", &start.in_json(json).unwrap()).unwrap();
            assert_eq!(added.to_json(), description.to_json(), "{json}");
        }
    }

    #[test]
    fn what_is_no_object_stays_so() {
        let start = Start::new(UNIX_EPOCH);
        assert_eq!(start.in_json("[]").unwrap(), "[]");
        assert!(start.in_json("{\"timeline-start\"").is_err());
    }
}
