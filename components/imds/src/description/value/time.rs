//! Times, spans of time, and what happens when.

use core::str::FromStr;

use serde::de::{Deserialize, Deserializer};

use crate::description::field::{Shape, Shaped};
use crate::time::Time;

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Time, &'static str> {
        Time::parse(text).ok_or("expected a time such as 2026-09-26T11:16:22Z, not before 1970")
    }
}

// With the relative ones, which are made absolute before they are read.
read_from_string!(
    Time,
    Time,
    "Time",
    "^[+-]([0-9]+(d|h|m|s|ms))+$|^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
);

/// The changes of a description, which `timeline` reads before the rest: here
/// only so that the field is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes;

impl Shaped for Changes {
    const SHAPE: Shape = Shape::Plain;
}

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Changes, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Changes)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Changes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Changes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let change = schemars::json_schema!({ "$ref": "#/$defs/Change" });
        // An operation is of now, and an entry is not.
        let at = schemars::json_schema!({
            "properties": { "at": { "$ref": "#/$defs/Time" }, "operation": false }, "required": ["at"]
        });
        schemars::json_schema!({ "type": "array", "items": { "allOf": [change, at] }, "maxItems": 128 })
    }
}

/// A span of time, in milliseconds, written `90s`, `6h35m` or `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Span, &'static str> {
        // Not by jiff, which knows no days here and takes words, signs and ISO 8601.
        let wrong = "expected a span of time such as 90s, 5m, 6h35m, 1d or 250ms";
        let mut rest = text;
        let mut span_ms = 0_u64;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest[..digits].parse().map_err(|_| wrong)?;
            rest = &rest[digits..];
            let (unit, unit_ms) = UNITS.into_iter().find(|(unit, _)| rest.starts_with(unit)).ok_or(wrong)?;
            rest = &rest[unit.len()..];
            span_ms = span_ms.saturating_add(number.saturating_mul(unit_ms));
        }
        if text.is_empty() { Err(wrong) } else { Ok(Span(span_ms)) }
    }
}

impl core::fmt::Display for Span {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 % 1000 {
            0 => write!(f, "{}s", self.0 / 1000),
            _ => write!(f, "{}ms", self.0),
        }
    }
}

/// Units of time in milliseconds; `ms` before `m`, with which it begins.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

read_from_string!(Span, Plain, "Span", "^([0-9]+(d|h|m|s|ms))+$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_numbers_with_units() {
        for (text, ms) in [("0s", 0), ("90s", 90_000), ("6h35m", 23_700_000), ("1d", 86_400_000), ("1m250ms", 60_250)] {
            assert_eq!(text.parse(), Ok(Span(ms)), "{text}");
        }
        for text in ["", "5", "s", "1.5s", "-5s", "+5s", "5 s", "5m ago", "PT5M", "1w", "99999999999999999999s", "5é"]
        {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert_eq!("18446744073709551615d".parse(), Ok(Span(u64::MAX)));
    }
}
