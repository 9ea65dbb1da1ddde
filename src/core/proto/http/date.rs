//! Dates as HTTP writes them (RFC 9110 §5.6.7, IMF-fixdate), and the `Date:` line that every answer carries.

use crate::base::calendar::{Date, from_rfc3339};
use crate::base::time::WallTime;

/// Length of `Sun, 06 Nov 1994 08:49:37 GMT`.
pub const IMF_FIXDATE_BYTES: usize = 29;

const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Renders `at` as an IMF-fixdate. Years past 9999 keep their last four digits: the format has no more.
pub fn imf_fixdate(at: WallTime) -> [u8; IMF_FIXDATE_BYTES] {
    let secs = at.as_secs();
    let (days, second_of_day) = (secs / 86_400, secs % 86_400);
    let Date { year, month, day } = Date::after_1970(days);
    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    text[..3].copy_from_slice(WEEKDAYS[(days % 7) as usize]);
    two_digits(&mut text, 5, day);
    text[8..11].copy_from_slice(MONTHS[(month - 1) as usize]);
    two_digits(&mut text, 12, year / 100 % 100);
    two_digits(&mut text, 14, year % 100);
    two_digits(&mut text, 17, second_of_day / 3600);
    two_digits(&mut text, 20, second_of_day / 60 % 60);
    two_digits(&mut text, 23, second_of_day % 60);
    text
}

/// Reads an IMF-fixdate, and none of the older formats.
pub fn parse_imf_fixdate(text: &str) -> Option<WallTime> {
    let (day, name, year, clock) = (text.get(5..7)?, text.get(8..11)?, text.get(12..16)?, text.get(17..25)?);
    let month = MONTHS.iter().position(|month| name.as_bytes() == &month[..])? + 1;
    let at = from_rfc3339(&format!("{year}-{month:02}-{day}T{clock}Z"))?;
    // Weekday, separators and zone: whatever was not looked at must be as we would write it.
    (imf_fixdate(at) == text.as_bytes()).then_some(at)
}

fn two_digits(text: &mut [u8; IMF_FIXDATE_BYTES], at: usize, value: u64) {
    text[at] = b'0' + (value / 10 % 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

const PREFIX: &[u8; 6] = b"Date: ";
const LINE_BYTES: usize = PREFIX.len() + IMF_FIXDATE_BYTES + 2;

/// The line `Date: …\r\n`, rendered once a second.
#[derive(Clone, Debug)]
pub struct DateLine {
    second: u64,
    line: [u8; LINE_BYTES],
}

impl DateLine {
    /// A line for the time `now`.
    pub fn new(now: WallTime) -> Self {
        let mut line = [0; LINE_BYTES];
        line[..PREFIX.len()].copy_from_slice(PREFIX);
        line[PREFIX.len()..LINE_BYTES - 2].copy_from_slice(&imf_fixdate(now));
        line[LINE_BYTES - 2..].copy_from_slice(b"\r\n");
        Self { second: now.as_secs(), line }
    }

    /// The whole line for the time `now`, name and line end included.
    #[inline]
    pub fn line(&mut self, now: WallTime) -> &[u8] {
        if now.as_secs() != self.second {
            *self = Self::new(now);
        }
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(secs: u64) -> String {
        String::from_utf8_lossy(&imf_fixdate(WallTime::from_millis(secs * 1000))).into_owned()
    }

    #[test]
    fn known_dates() {
        assert_eq!(rendered(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(rendered(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(rendered(951_782_399), "Mon, 28 Feb 2000 23:59:59 GMT");
        assert_eq!(rendered(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(rendered(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
        assert_eq!(rendered(u64::MAX / 1000).len(), IMF_FIXDATE_BYTES);
    }

    #[test]
    fn a_date_is_read_back_and_nothing_else_is_one() {
        for secs in [0, 784_111_777, 951_782_399, 4_107_542_400] {
            assert_eq!(parse_imf_fixdate(&rendered(secs)), Some(WallTime::from_millis(secs * 1000)));
        }
        for wrong in [
            "",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:60 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sunday, 06-Nov-94 08:49:37 GMT",
        ] {
            assert_eq!(parse_imf_fixdate(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_line_changes_with_the_second() {
        let mut date = DateLine::new(WallTime::from_millis(0));
        assert_eq!(date.line(WallTime::from_millis(999)), b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
        assert_eq!(date.line(WallTime::from_millis(1000)), b"Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n");
    }
}
