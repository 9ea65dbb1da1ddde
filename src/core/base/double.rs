//! Floating-point numbers as Java's `Double.toString` prints them.

use std::fmt;
use std::io::Write as _;

/// The longest is `-1.7976931348623157E308`.
const BYTES_MAX: usize = 32;
/// Numbers of so many decimals need no search for their shortest digits.
const DECIMALS: usize = 8;
const SCALE: u32 = 100_000_000;
const _: () = assert!(10_u32.pow(DECIMALS as u32) == SCALE, "the scale is that of the decimals");

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
            0.0 | 1e-3..1e7 => match decimals(value.abs()) {
                Some(parts) => text.put_decimals(value.is_sign_negative(), parts),
                None => text.put_plain(value),
            },
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

    fn put_decimals(&mut self, is_negative: bool, (whole, fraction): (u32, u32)) {
        if is_negative {
            self.put_bytes(*b"-", 1);
        }
        let (whole, fraction) = (digits(whole), digits(fraction));
        // The first digit is the lowest byte; at least one stays on either side of the point.
        let leading = (whole.trailing_zeros() / 8).min(DECIMALS as u32 - 1);
        let trailing = (fraction.leading_zeros() / 8).min(DECIMALS as u32 - 1);
        self.put_bytes(ascii(whole >> (leading * 8)), DECIMALS - leading as usize);
        self.put_bytes(*b".", 1);
        self.put_bytes(ascii(fraction), DECIMALS - trailing as usize);
    }

    /// Puts the first `length` of some bytes. There is room for all of them.
    #[inline]
    fn put_bytes<const N: usize>(&mut self, bytes: [u8; N], length: usize) {
        if let Some(room) = self.bytes.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut) {
            *room = bytes;
            self.length += length;
        }
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

/// The whole part and eight decimals of a number below 10⁷, if they are all of it.
///
/// Dividing two integers that a `f64` holds gives the number nearest to their quotient: if that is `value`, its digits
/// lead back to it. They are 15 at most, and no two decimals of so few are the same `f64`: without their trailing zeros
/// they are the shortest.
fn decimals(value: f64) -> Option<(u32, u32)> {
    let scaled = (value * f64::from(SCALE) + 0.5) as i64 as u64;
    let scale = u64::from(SCALE);
    (scaled as f64 / f64::from(SCALE) == value).then_some(((scaled / scale) as u32, (scaled % scale) as u32))
}

/// The eight digits of a number below 10⁸, a byte each, the first in the lowest: halves it three times, all parts at
/// once. Dividing by 100 and by 10 is multiplying and shifting, exact for parts of that size.
fn digits(number: u32) -> u64 {
    let number = u64::from(number);
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let high = ((fours * 5_243) >> 19) & 0x7F_0000_007F;
    let twos = high | ((fours - high * 100) << 16);
    let high = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    high | ((twos - high * 10) << 8)
}

fn ascii(digits: u64) -> [u8; DECIMALS] {
    (digits | 0x3030_3030_3030_3030).to_le_bytes()
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

    /// Splitmix64.
    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn assert_is_shortest(value: f64) {
        assert_eq!(JavaDouble::new(value).as_str(), serde_json::to_string(&value).expect("a number"));
    }

    #[test]
    fn few_decimals_give_the_digits_that_the_search_for_the_shortest_gives() {
        let state = &mut 7;
        for places in 0..=10 {
            for _ in 0..60_000 {
                let scale = 10_f64.powi(places);
                let value = (random(state) % 10_000_000) as f64 + (random(state) % scale as u64) as f64 / scale;
                let value = f64::from_bits(value.to_bits() ^ ((random(state) >> 63) << 63));
                // And those beside it, which have many.
                for bits in [value.to_bits(), value.to_bits() + 1, value.to_bits().wrapping_sub(1)] {
                    let value = f64::from_bits(bits);
                    if (1e-3..1e7).contains(&value.abs()) {
                        assert_is_shortest(value);
                    }
                }
            }
        }
    }

    #[test]
    fn any_digits_give_the_digits_that_the_search_for_the_shortest_gives() {
        let (state, low, high) = (&mut 11, 1e-3_f64.to_bits(), 1e7_f64.to_bits());
        for _ in 0..300_000 {
            assert_is_shortest(f64::from_bits(low + random(state) % (high - low)));
        }
    }

    #[test]
    fn numbers_have_their_digits() {
        for number in (0..SCALE).step_by(9_973).chain([9, 10, 99, 100, 9_999, 10_000, 10_001, SCALE - 1]) {
            assert_eq!(ascii(digits(number)), *format!("{number:08}").as_bytes());
        }
    }
}
