//! `String.format`, for the conversions that templates use.

use super::numbers::whole;
use super::{Answer, Arguments, throw};
use crate::vtl::host::Host;
use crate::vtl::limits;
use crate::vtl::machine::{Result, Run};
use crate::vtl::value::Value;

/// `%[flags][width][.precision]conversion`
struct Conversion {
    is_left: bool,
    is_zero_filled: bool,
    has_plus: bool,
    has_groups: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

impl<H: Host> Run<'_, H> {
    /// Velocity calls the static method through any string: the format is the first argument.
    pub(super) fn format(&mut self, _receiver: Value, arguments: &Arguments) -> Answer {
        let Some((&format, values)) = arguments.split_first() else { return Ok(None) };
        let Some(format) = self.str(format).map(str::to_owned) else { return Ok(None) };
        let values = match values {
            &[list] if self.list_kind(list).is_some() => self.elements(list)?,
            values => values.to_vec(),
        };
        let made = self.make_text(|run, out| {
            let mut values = values.iter();
            let mut rest = &format[..];
            while let Some(at) = rest.find('%') {
                out.push_str(&rest[..at]);
                let (conversion, after) = Conversion::read(&rest[at + 1..])?;
                rest = after;
                match conversion.letter {
                    '%' => out.push('%'),
                    'n' => out.push('\n'),
                    letter => {
                        let missing = || throw(format!("no value for `%{letter}`"));
                        conversion.write(run, *values.next().ok_or_else(missing)?, out)?;
                    }
                }
            }
            out.push_str(rest);
            Ok(())
        });
        made.map(Some)
    }
}

impl Conversion {
    fn read(text: &str) -> Result<(Self, &str)> {
        let flags = text.find(|c: char| !matches!(c, '-' | '0' | '+' | ',' | ' ' | '#')).unwrap_or(text.len());
        let (flags, rest) = text.split_at(flags);
        let (width, rest) = number(rest);
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (precision, rest) = number(rest);
                (Some(precision.unwrap_or(0)), rest)
            }
            None => (None, rest),
        };
        let letter = rest.chars().next().ok_or_else(|| throw("`%` ends the format"))?;
        let width = width.unwrap_or(0);
        if width > limits::VALUE_BYTES_MAX / 1_024 || precision.unwrap_or(0) > 1_000 {
            return Err(throw("the format is too wide"));
        }
        let conversion = Self {
            is_left: flags.contains('-'),
            is_zero_filled: flags.contains('0'),
            has_plus: flags.contains('+'),
            has_groups: flags.contains(','),
            width,
            precision,
            letter,
        };
        Ok((conversion, &rest[letter.len_utf8()..]))
    }

    fn write(&self, run: &Run<'_, impl Host>, value: Value, out: &mut String) -> Result<()> {
        let mut text = String::new();
        let wrong = || throw(format!("`%{}` does not take this value", self.letter));
        match self.letter.to_ascii_lowercase() {
            's' => {
                run.write(value, &mut text)?;
                let characters = self.precision.unwrap_or(usize::MAX);
                text = text.chars().take(characters).collect();
            }
            'd' => text = self.integer(run.number(value).and_then(whole).ok_or_else(wrong)?),
            'x' => match value {
                Value::Int(value) => text = format!("{value:x}"),
                Value::Long(value) => text = format!("{value:x}"),
                _ => return Err(wrong()),
            },
            'f' => match value {
                Value::Double(value) => {
                    let sign = if self.has_plus && value >= 0.0 { "+" } else { "" };
                    text = format!("{sign}{value:.*}", self.precision.unwrap_or(6));
                }
                _ => return Err(wrong()),
            },
            'b' => text = (!matches!(value, Value::Null | Value::Bool(false))).to_string(),
            'c' => run.write(value, &mut text)?,
            letter => return Err(throw(format!("unknown conversion `%{letter}`"))),
        }
        if self.letter.is_ascii_uppercase() {
            text = text.to_uppercase();
        }
        self.pad(&text, out);
        Ok(())
    }

    fn integer(&self, value: i128) -> String {
        let digits = value.unsigned_abs().to_string();
        let sign = match value {
            ..=-1 => "-",
            _ if self.has_plus => "+",
            _ => "",
        };
        if !self.has_groups {
            return format!("{sign}{digits}");
        }
        let mut grouped = String::from(sign);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    }

    fn pad(&self, text: &str, out: &mut String) {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.is_left {
            out.push_str(text);
            out.extend(std::iter::repeat_n(' ', missing));
        } else if self.is_zero_filled && matches!(self.letter, 'd' | 'f' | 'x' | 'X') {
            let sign = text.len() - text.trim_start_matches(['-', '+']).len();
            out.push_str(&text[..sign]);
            out.extend(std::iter::repeat_n('0', missing));
            out.push_str(&text[sign..]);
        } else {
            out.extend(std::iter::repeat_n(' ', missing));
            out.push_str(text);
        }
    }
}

fn number(text: &str) -> (Option<usize>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (text[..digits].parse().ok(), &text[digits..])
}
