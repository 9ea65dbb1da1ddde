//! Floating-point numbers as Java's `Double.toString` prints them.

use std::fmt;
use std::io::Write as _;

/// The longest is `-1.7976931348623157E308`.
const BYTES_MAX: usize = 32;

/// The text of a number: the shortest digits that are this number, a decimal point always, an exponent below 10⁻³ and
/// from 10⁷ on.
#[derive(Clone, Copy)]
pub struct JavaDouble {
    bytes: [u8; BYTES_MAX],
    length: usize,
}

impl JavaDouble {
    /// Makes the text.
    pub fn new(value: f64) -> Self {
        let mut text = Self { bytes: [0; BYTES_MAX], length: 0 };
        match value.abs() {
            _ if value.is_nan() => text.put("NaN"),
            f64::INFINITY => text.put(if value > 0.0 { "Infinity" } else { "-Infinity" }),
            0.0 | 1e-3..1e7 => text.put_plain(value),
            _ => text.put_scientific(value),
        }
        text
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The text, which is ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn put(&mut self, text: &str) {
        self.put_with(|mut room| room.write_all(text.as_bytes()).map(|()| room.len()).unwrap_or_default());
    }

    /// JSON's numbers are Java's in this range, and are made four times as fast as by `{:?}`.
    fn put_plain(&mut self, value: f64) {
        self.put_with(|mut room| serde_json::to_writer(&mut room, &value).map(|()| room.len()).unwrap_or_default());
    }

    fn put_scientific(&mut self, value: f64) {
        let text = format!("{value:E}");
        let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        self.put(digits);
        self.put(if digits.contains('.') { "E" } else { ".0E" });
        self.put(exponent);
    }

    /// `write` gets the room that is left and says how much of it is left then.
    fn put_with(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        if let Some(room) = self.bytes.get_mut(self.length..) {
            self.length = BYTES_MAX - write(room);
        }
    }
}

impl fmt::Debug for JavaDouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_in_java() {
        let rows = [
            (6.0, "6.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (2.5, "2.5"),
            (19.95, "19.95"),
            (-249.5, "-249.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (-1.5e10, "-1.5E10"),
            (1.25e10, "1.25E10"),
            (1e21, "1.0E21"),
            (f64::MIN, "-1.7976931348623157E308"),
            (5e-324, "5.0E-324"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in rows {
            assert_eq!(JavaDouble::new(value).as_str(), expected);
        }
    }

    #[test]
    fn plain_ones_are_the_shortest_digits_that_lead_back() {
        let mut value = 1e-3;
        while value < 1e7 {
            let text = JavaDouble::new(value);
            assert_eq!(text.as_str(), format!("{value:?}"));
            value *= 1.000_37;
        }
    }
}
