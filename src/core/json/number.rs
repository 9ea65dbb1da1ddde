//! JSON numbers as exact decimals, compared without becoming floating-point numbers.

use std::cmp::Ordering;

/// Exponents beyond this are all alike: no document has that many digits.
const EXPONENT_MAX: i64 = 1 << 40;

/// A JSON number: `±0.DIGITS × 10^point`, exact, whatever its length. Borrows the text it was read from.
///
/// `1`, `1.0` and `10e-1` are equal.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'t> {
    is_negative: bool,
    /// From the first digit that is not 0 to the last; perhaps with a point in between. Empty: zero.
    digits: &'t [u8],
    /// Where the decimal point stands, counted from before the first digit.
    point: i64,
}

impl<'t> Decimal<'t> {
    /// The value of a JSON number, which `text` must be.
    pub fn of(text: &'t str) -> Self {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match text.bytes().position(|byte| byte | 32 == b'e') {
            Some(at) => (&text.as_bytes()[..at], exponent_of(text.get(at + 1..).unwrap_or_default())),
            None => (text.as_bytes(), 0),
        };
        let whole = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
        let is_digit = |byte: &u8| matches!(byte, b'1'..=b'9');
        let (Some(first), Some(last)) = (mantissa.iter().position(is_digit), mantissa.iter().rposition(is_digit))
        else {
            return Self { is_negative: false, digits: &[], point: 0 };
        };
        // Behind the point the first digit has a zero less before it than its index says.
        let leading = whole as i64 - first as i64 + i64::from(first > whole);
        Self { is_negative, digits: &mantissa[first..=last], point: leading.saturating_add(exponent) }
    }

    /// Whether there is nothing behind the decimal point.
    pub fn is_integer(&self) -> bool {
        self.point >= self.digit_count()
    }

    /// Whether it is a multiple of another, which is above zero and has at most 18 digits; `None` if it has more.
    pub fn is_multiple_of(&self, divisor: &Decimal<'_>) -> Option<bool> {
        let unit = divisor.digits().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(digit.into()))?;
        if unit == 0 || unit >= 10_u64.pow(18) {
            return None;
        }
        // Both as integers times a power of ten. An integer without zeros at its end is no multiple of ten, so it is no
        // multiple of the divisor if that has the larger power.
        let shift = (self.point - self.digit_count()) - (divisor.point - divisor.digit_count());
        if self.digits.is_empty() {
            return Some(true);
        }
        if shift < 0 {
            return Some(false);
        }
        let step = |rest: u64, digit: u8| ((u128::from(rest) * 10 + u128::from(digit)) % u128::from(unit)) as u64;
        let rest = self.digits().fold(0, step);
        Some(u128::from(rest) * u128::from(power_of_ten(shift, unit)) % u128::from(unit) == 0)
    }

    /// Appends the one spelling that all spellings of this value share.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        if self.is_negative {
            out.push(b'-');
        }
        out.extend(self.digits().map(|digit| b'0' + digit));
        out.push(b'e');
        out.extend_from_slice(itoa::Buffer::new().format(self.point).as_bytes());
    }

    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.digits.iter().filter(|&&byte| byte != b'.').map(|byte| byte - b'0')
    }

    fn digit_count(&self) -> i64 {
        (self.digits.len() - usize::from(self.digits.contains(&b'.'))) as i64
    }

    fn magnitude(&self, other: &Decimal<'_>) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Digits end where the zeros begin, so the longer of two with the same beginning is the larger.
            (false, false) => self.point.cmp(&other.point).then_with(|| self.digits().cmp(other.digits())),
        }
    }
}

fn exponent_of(text: &str) -> i64 {
    let is_negative = text.starts_with('-');
    let digits = text.trim_start_matches(['+', '-']).bytes();
    let value = digits.fold(0, |sum: i64, byte| (sum * 10 + i64::from(byte & 15)).min(EXPONENT_MAX));
    if is_negative { -value } else { value }
}

/// `10^exponent` modulo `unit`.
fn power_of_ten(exponent: i64, unit: u64) -> u64 {
    let (mut result, mut base, mut left) = (1 % u128::from(unit), 10 % u128::from(unit), exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = result * base % u128::from(unit);
        }
        base = base * base % u128::from(unit);
        left >>= 1;
    }
    result as u64
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_value_however_they_are_written() {
        // Each line is one value; the lines ascend.
        let lines: [&[&str]; 15] = [
            &["-1e999999999999999999999"],
            &["-1E4", "-10000", "-10000.0"],
            &["-1.5", "-15e-1", "-0.15e1"],
            &["0", "-0", "0.0", "-0.00e5", "0e99999999999999999999"],
            &["1e-999999999999999999999"],
            &["0.001", "1e-3", "0.1e-2", "10e-4"],
            &["0.01", "0.0100"],
            &["0.99"],
            &["1", "1.0", "1.00", "10e-1", "0.1e1"],
            &["1.01", "101e-2"],
            &["9"],
            &["10", "1e1", "1.0e1"],
            &["123456789012345678901234567890", "123456789012345678901234567890.0"],
            &["123456789012345678901234567891", "1.23456789012345678901234567891e29"],
            &["1e400", "10e399"],
        ];
        for (low, lows) in lines.iter().enumerate() {
            for (high, highs) in lines.iter().enumerate() {
                for (a, b) in lows.iter().flat_map(|a| highs.iter().map(move |b| (a, b))) {
                    assert_eq!(Decimal::of(a).cmp(&Decimal::of(b)), low.cmp(&high), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn integers_are_told_by_value() {
        for (text, expected) in [
            ("1", true),
            ("1.0", true),
            ("1.5", false),
            ("15e-1", false),
            ("1e30", true),
            ("0", true),
            ("0.01e2", true),
        ] {
            assert_eq!(Decimal::of(text).is_integer(), expected, "{text}");
        }
    }

    #[test]
    fn multiples_are_exact() {
        let rows = [
            ("10", "2", Some(true)),
            ("7", "2", Some(false)),
            ("0", "2", Some(true)),
            ("-4.5", "1.5", Some(true)),
            ("35", "1.5", Some(false)),
            ("0.0075", "0.0001", Some(true)),
            ("0.00751", "0.0001", Some(false)),
            ("1e308", "0.123456789", Some(false)),
            ("12391239123", "1e-8", Some(true)),
            ("19.99", "0.01", Some(true)),
            ("123456789012345678901234567890", "10", Some(true)),
            ("123456789012345678901234567890", "7", Some(true)),
            ("123456789012345678901234567890", "11", Some(false)),
            ("1e999999999999999999", "3", Some(false)),
            ("1", "1234567890123456789", None),
            ("1", "0", None),
        ];
        for (value, divisor, expected) in rows {
            assert_eq!(Decimal::of(value).is_multiple_of(&Decimal::of(divisor)), expected, "{value} {divisor}");
        }
    }
}
