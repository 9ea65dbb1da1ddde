//! The proleptic Gregorian calendar in UTC, and times as RFC 3339 writes them.

use super::WallTime;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;
const DAYS_PER_400_YEARS: u64 = 146_097;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Such as 2026.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
}

impl Date {
    /// The day that is `days` after 1970-01-01.
    // Years that begin in March put the leap day last, and the lengths of the months follow one line: five of them have
    // 153 days.
    pub const fn after_1970(days: u64) -> Self {
        let days = days.saturating_add(DAYS_BEFORE_1970);
        let (era, day_of_era) = (days / DAYS_PER_400_YEARS, days % DAYS_PER_400_YEARS);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
        Self { year, month, day }
    }

    /// Days since 1970-01-01. `None` for a day that the calendar has not, and for one before that.
    pub fn days_after_1970(self) -> Option<u64> {
        let Self { year, month, day } = self;
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - DAYS_BEFORE_1970;
        // A 31st of April comes back as a first of May.
        (Self::after_1970(days) == self).then_some(days)
    }
}

/// `2026-11-21T07:00:00.123Z`.
pub fn rfc3339(at: WallTime) -> String {
    let (millis, Date { year, month, day }) = (at.as_millis(), Date::after_1970(at.as_millis() / DAY_MS));
    let (hour, minute) = (millis / 3_600_000 % 24, millis / 60_000 % 60);
    let (second, fraction) = (millis / 1_000 % 60, millis % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// Reads a time of RFC 3339 §5.6, or a date alone, which stands for its first moment. What is finer than a millisecond
/// is cut off, a leap second is the second after it, and times before 1970 are not known.
pub fn from_rfc3339(text: &str) -> Option<WallTime> {
    let bytes = text.as_bytes();
    let days = date(bytes.get(..10)?)?;
    let Some((separator, time)) = bytes[10..].split_first() else { return Some(WallTime::from_millis(days * DAY_MS)) };
    let (clock, rest) = time.split_at_checked(8)?;
    let (fraction, zone) = fraction(rest)?;
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let local = days * DAY_MS + clock_ms(clock)? + fraction;
    match zone {
        b"Z" | b"z" => Some(WallTime::from_millis(local)),
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let [h1, h2, b':', m1, m2] = offset else { return None };
            let offset = within(&[*h1, *h2], 23)? * 3_600_000 + within(&[*m1, *m2], 59)? * 60_000;
            let utc = if *sign == b'+' { local.checked_sub(offset)? } else { local + offset };
            Some(WallTime::from_millis(utc))
        }
        _ => None,
    }
}

fn date(text: &[u8]) -> Option<u64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let (year, month) = (within(&[*y1, *y2, *y3, *y4], 9_999)?, within(&[*m1, *m2], 12)?);
    Date { year, month, day: within(&[*d1, *d2], 31)? }.days_after_1970()
}

fn clock_ms(text: &[u8]) -> Option<u64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    Some((within(&[*h1, *h2], 23)? * 3_600 + within(&[*m1, *m2], 59)? * 60 + within(&[*s1, *s2], 60)?) * 1_000)
}

/// Milliseconds of `.123456`, if that is there, and what follows.
fn fraction(text: &[u8]) -> Option<(u64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, text)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let digit = |at: usize| if at < count { u64::from(digits[at] - b'0') } else { 0 };
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), &digits[count..]))
}

fn within(digits: &[u8], max: u64) -> Option<u64> {
    let mut number = 0;
    for digit in digits {
        number = number * 10 + u64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    (number <= max).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_for_eight_centuries() {
        let mut before = Date { year: 1969, month: 12, day: 31 };
        for days in 0..800 * 366 {
            let date = Date::after_1970(days);
            let follows = match date {
                Date { day: 1, month: 1, year } => (before.year + 1, before.month, before.day) == (year, 12, 31),
                Date { day: 1, month, year } => (before.year, before.month + 1) == (year, month) && before.day >= 28,
                Date { day, .. } => before == Date { day: day - 1, ..date },
            };
            assert!(follows, "{before:?} {date:?}");
            assert_eq!(date.days_after_1970(), Some(days));
            before = date;
        }
        assert!(Date::after_1970(u64::MAX).month <= 12);
    }

    #[test]
    fn times_are_written_and_read() {
        let rows = [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2001-09-09T01:46:40.000Z", 1_000_000_000_000),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
        ];
        for (text, millis) in rows {
            assert_eq!(rfc3339(WallTime::from_millis(millis)), text);
            assert_eq!(from_rfc3339(text), Some(WallTime::from_millis(millis)));
        }
        assert_eq!(rfc3339(WallTime::from_millis(u64::MAX)).len(), "584556019-04-03T14:25:51.615Z".len());
        for same in ["2001-09-09T01:46:40Z", "2001-09-09 03:46:40.0009+02:00", "2001-09-08t20:16:40-05:30"] {
            assert_eq!(from_rfc3339(same), Some(WallTime::from_millis(1_000_000_000_000)), "{same}");
        }
        assert_eq!(from_rfc3339("1970-01-02"), Some(WallTime::from_millis(DAY_MS)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let rows = [
            "",
            "now",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-04-31",
            "2026-00-10",
            "2026-01-00",
            "1969-12-31",
            "2026-11-21T",
            "2026-11-21T07:00:00",
            "2026-11-21T24:00:00Z",
            "2026-11-21T07:60:00Z",
            "2026-11-21T07:00:61Z",
            "2026-11-21T07:00:00.Z",
            "2026-11-21T07:00:00+0200",
            "2026-11-21x07:00:00Z",
            "2026-11-21T07:00:00ZZ",
            "1970-01-01T00:00:00+01:00",
            "２０26-11-21",
            "2026-1-021",
            "+026-11-21",
            "2026-11-21T07:00:00\u{e9}",
        ];
        for text in rows {
            assert_eq!(from_rfc3339(text), None, "{text}");
        }
    }
}
