//! Calendar text of `$context.requestTime`: `dd/MMM/yyyy:HH:mm:ss +0000`, the time of the Common Log Format.

use crate::base::WallTime;
use crate::base::calendar::Date;

/// Length of the text for any year up to 9999.
pub const CLF_BYTES: usize = 26;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Renders times, and remembers the last one: requests of the same second share their text.
#[derive(Clone, Debug)]
pub struct ClfClock {
    second: u64,
    text: [u8; CLF_BYTES],
}

impl Default for ClfClock {
    fn default() -> Self {
        Self::new()
    }
}

impl ClfClock {
    /// A clock that remembers the epoch.
    pub fn new() -> Self {
        Self { second: 0, text: render(0) }
    }

    /// The text of `time`, in UTC.
    pub fn text(&mut self, time: WallTime) -> &[u8; CLF_BYTES] {
        if time.as_secs() != self.second {
            self.second = time.as_secs();
            self.text = render(self.second);
        }
        &self.text
    }
}

fn render(seconds: u64) -> [u8; CLF_BYTES] {
    let Date { year, month, day } = Date::after_1970(seconds / 86_400);
    let mut text = *b"00/Jan/0000:00:00:00 +0000";
    put(&mut text[0..2], day);
    text[3..6].copy_from_slice(MONTHS[(month - 1) as usize]);
    put(&mut text[7..11], year);
    put(&mut text[12..14], seconds / 3_600 % 24);
    put(&mut text[15..17], seconds / 60 % 60);
    put(&mut text[18..20], seconds % 60);
    text
}

/// Writes the lowest decimal digits of `number`, as many as fit.
fn put(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: u64) -> String {
        String::from_utf8(ClfClock::new().text(WallTime::from_millis(seconds * 1000)).to_vec()).expect("ASCII")
    }

    #[test]
    fn known_instants() {
        let rows = [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (951_782_399, "28/Feb/2000:23:59:59 +0000"),
            (951_782_400, "29/Feb/2000:00:00:00 +0000"),
            (1_000_000_000, "09/Sep/2001:01:46:40 +0000"),
            (1_709_251_200, "01/Mar/2024:00:00:00 +0000"),
            (1_735_689_599, "31/Dec/2024:23:59:59 +0000"),
            (4_107_542_400, "01/Mar/2100:00:00:00 +0000"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(text(seconds), expected);
        }
    }

    #[test]
    fn no_time_panics() {
        text(u64::MAX / 1000);
    }

    #[test]
    fn the_clock_notices_a_new_second() {
        let mut clock = ClfClock::new();
        let first = *clock.text(WallTime::from_millis(999));
        assert_eq!(&first, clock.text(WallTime::from_millis(0)));
        assert_ne!(&first, clock.text(WallTime::from_millis(1_000)));
    }
}
