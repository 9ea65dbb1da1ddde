//! The time of a signature.

use std::fmt;

use crate::base::WallTime;
use crate::base::calendar::{Date, from_rfc3339};

/// Length of `20150830T123600Z`.
const BYTES: usize = 16;

/// A second, and its text in ISO 8601's basic format: `20150830T123600Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    text: [u8; BYTES],
    at: WallTime,
}

impl Timestamp {
    /// The second in which `at` lies. Years past 9999 keep their last four digits: the format has no more.
    pub fn of(at: WallTime) -> Self {
        let seconds = at.as_secs();
        let Date { year, month, day } = Date::after_1970(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let mut text = *b"00000000T000000Z";
        let fields = [(year / 100, 0), (year, 2), (month, 4), (day, 6), (hour, 9), (minute, 11), (second, 13)];
        for (value, place) in fields {
            text[place] = b'0' + (value / 10 % 10) as u8;
            text[place + 1] = b'0' + (value % 10) as u8;
        }
        Self { text, at: WallTime::from_millis(at.as_secs() * 1_000) }
    }

    /// Reads the basic format and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T')?;
        let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
        let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
        let read = Self::of(from_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}"))?);
        // RFC 3339 has fractions, zones and leap seconds besides.
        (read.as_str() == text).then_some(read)
    }

    /// `20150830T123600Z`
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// `20150830`
    pub fn date(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// When the second begins.
    pub const fn at(&self) -> WallTime {
        self.at
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read_back() {
        let written = Timestamp::of(WallTime::from_millis(1_440_938_160_999));
        assert_eq!((written.as_str(), written.date()), ("20150830T123600Z", "20150830"));
        assert_eq!(Timestamp::parse("20150830T123600Z"), Some(written));
        assert_eq!(Timestamp::of(WallTime::from_millis(u64::MAX)).as_str().len(), BYTES);
    }

    #[test]
    fn other_spellings_are_no_times() {
        for wrong in [
            "",
            "20150830T123600",
            "20150830 123600Z",
            "20150830T123600z",
            "2015-08-30T12:36:00Z",
            "20150230T123600Z",
            "20150830T240000Z",
            "20150830T123660Z",
            "20150830T123600.0Z",
            "20150830T123600+00:00",
            "2015083éT12360Z",
            "+0150830T123600Z",
            "00000000T000000Z",
        ] {
            assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
        }
    }
}
