//! Points in time, as the service writes them.

use jiff::Timestamp;

/// A point in time: milliseconds since the Unix epoch, never after the year 9998.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(u64);

/// 9998-12-31T23:59:59Z: header fields and documents have four digits for a
/// year, and what is a little later than the last second can still be written.
const LAST_MS: u64 = 253_370_764_799_000;

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Time = Time(0);

    /// The last second of the year 9998.
    pub const LAST: Time = Time(LAST_MS);

    /// The time `ms` milliseconds after the epoch; what lies after the year
    /// 9998 counts as its last second.
    pub const fn from_ms(ms: u64) -> Time {
        if ms < LAST_MS { Time(ms) } else { Time(LAST_MS) }
    }

    /// Reads an RFC 3339 time, `2026-09-26T11:16:22Z`, since 1970.
    pub fn parse(text: &str) -> Option<Time> {
        let timestamp: Timestamp = text.parse().ok()?;
        Some(Time::from_ms(u64::try_from(timestamp.as_millisecond()).ok()?))
    }

    /// Milliseconds since the epoch.
    pub fn as_ms(self) -> u64 {
        self.0
    }

    /// This time and `seconds` more.
    pub fn plus_seconds(self, seconds: u64) -> Time {
        Time::from_ms(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// This time less `seconds`, not before the epoch.
    pub fn minus_seconds(self, seconds: u64) -> Time {
        Time(self.0.saturating_sub(seconds.saturating_mul(1000)))
    }

    /// This time and `ms` milliseconds more.
    pub fn plus_ms(self, ms: u64) -> Time {
        Time::from_ms(self.0.saturating_add(ms))
    }

    /// This time less `ms` milliseconds, not before the epoch.
    pub fn minus_ms(self, ms: u64) -> Time {
        Time(self.0.saturating_sub(ms))
    }

    /// The second in which this time lies, from its begin.
    pub fn whole_seconds(self) -> Time {
        Time(self.0 - self.0 % 1000)
    }

    /// `2026-09-26T11:16:22.25Z`: descriptions, which keep what the service does
    /// not show.
    pub fn rfc3339_exact(self) -> String {
        Timestamp::from_millisecond(self.0 as i64).unwrap_or_default().to_string()
    }

    /// `2026-09-26T11:16:22Z`: JSON documents.
    pub fn rfc3339(self) -> String {
        self.timestamp().to_string()
    }

    /// `26 Sep 2026 11:16:22 GMT`, `1 Jan 2021 02:00:00 GMT`: maintenance events,
    /// whose days have no leading zero (recorded).
    pub fn event_date(self) -> String {
        let mut date = String::new();
        self.write_imf_fixdate(&mut date);
        let day = date.split_once(", ").map_or("", |(_, rest)| rest);
        day.strip_prefix('0').unwrap_or(day).to_owned()
    }

    /// `Sat, 26 Sep 2026 11:16:22 GMT`: header fields.
    fn write_imf_fixdate(self, text: &mut String) {
        // Fails for negative years only, which `from_ms` and `parse` keep out.
        let _ = jiff::fmt::rfc2822::DateTimePrinter::new().print_timestamp_rfc9110(&self.timestamp(), text);
    }

    /// The whole second in which this time lies.
    fn timestamp(self) -> Timestamp {
        Timestamp::from_second((self.0 / 1000) as i64).unwrap_or_default()
    }
}

/// Dates of header fields. Most are those of the answer before: the launch, and
/// the second that it is.
#[derive(Default)]
pub struct Dates {
    written: [Date; 2],
    /// The one that was used last.
    last: usize,
}

struct Date {
    second: u64,
    text: ImfFixdate,
}

/// `Sat, 26 Sep 2026 11:16:22 GMT`.
pub type ImfFixdate = [u8; 29];

impl Default for Date {
    fn default() -> Date {
        Date { second: 0, text: *b"Thu, 01 Jan 1970 00:00:00 GMT" }
    }
}

impl Dates {
    /// `Sat, 26 Sep 2026 11:16:22 GMT`.
    pub fn imf_fixdate(&mut self, time: Time) -> &ImfFixdate {
        let second = time.0 / 1000;
        self.last = match self.written.iter().position(|date| date.second == second) {
            Some(index) => index,
            None => {
                let other = 1 - self.last;
                let mut text = String::new();
                time.write_imf_fixdate(&mut text);
                // Years have four digits, so the text has this length.
                if let Ok(text) = text.as_bytes().try_into() {
                    self.written[other] = Date { second, text };
                }
                other
            }
        };
        &self.written[self.last].text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imf_fixdate(time: Time) -> String {
        String::from_utf8_lossy(Dates::default().imf_fixdate(time)).into_owned()
    }

    #[test]
    fn dates_do_not_depend_on_those_before() {
        let mut dates = Dates::default();
        for second in [0, 5, 0, 5, 7, 5, 0, 0, u64::MAX / 1000, 7] {
            let time = Time::from_ms(second.saturating_mul(1000));
            assert_eq!(dates.imf_fixdate(time), imf_fixdate(time).as_bytes(), "{second}");
        }
    }

    #[test]
    fn a_time_is_written_in_whole_seconds() {
        let time = Time::parse("2026-09-26T11:16:22.987Z").unwrap();
        assert_eq!(time.rfc3339(), "2026-09-26T11:16:22Z");
        assert_eq!(imf_fixdate(time), "Sat, 26 Sep 2026 11:16:22 GMT");
        assert_eq!(time.event_date(), "26 Sep 2026 11:16:22 GMT");
        assert_eq!(Time::parse("2021-01-01T02:00:00Z").unwrap().event_date(), "1 Jan 2021 02:00:00 GMT");
        assert_eq!(Time::parse("2021-01-10T02:00:00Z").unwrap().event_date(), "10 Jan 2021 02:00:00 GMT");
    }

    #[test]
    fn the_ends_of_time_can_be_written() {
        assert_eq!(imf_fixdate(Time::from_ms(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(imf_fixdate(Time::from_ms(u64::MAX)), "Thu, 31 Dec 9998 23:59:59 GMT");
        assert_eq!(Time::from_ms(u64::MAX).rfc3339(), "9998-12-31T23:59:59Z");
        assert_eq!(Time::parse("1969-12-31T23:59:59Z"), None);
    }
}
