//! Java's spelling of patterns turned into that of the engines below.
//!
//! Follows the page of `java.util.regex.Pattern`. Most of the two dialects is the same text; what differs is rewritten
//! here, and what the engines lack is refused by them.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use super::PatternError;

/// A pattern in the engines' spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The pattern.
    pub text: String,
    /// Whether it has look-around, back-references, atomic groups or possessive repetition.
    pub needs_backtracking: bool,
}

/// Line ends, which a dot does not match and `\v` does.
const NO_LINE_END: &str = r"[^\n\r\x{85}\x{2028}\x{2029}]";
const VERTICAL: &str = r"\n\x0B\f\r\x{85}\x{2028}\x{2029}";
const HORIZONTAL: &str = r" \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
const BLANK: &str = r" \t\n\x0B\f\r";

/// POSIX classes of Java, which are ASCII.
const POSIX: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "a-zA-Z"),
    ("Digit", "0-9"),
    ("Alnum", "0-9a-zA-Z"),
    ("Punct", r"!-/:-@\[-`{-\~"),
    ("Graph", r"!-\~"),
    ("Print", r" -\~"),
    ("Blank", r" \t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9a-fA-F"),
    ("Space", BLANK),
];

/// Translates a pattern.
pub fn translate(pattern: &str) -> Result<Translation, PatternError> {
    let mut translator = Translator {
        input: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        class_depth: 0,
        needs_backtracking: false,
        dot_is_all: false,
    };
    translator.run()?;
    Ok(Translation { text: translator.out, needs_backtracking: translator.needs_backtracking })
}

struct Translator<'p> {
    input: Peekable<Chars<'p>>,
    out: String,
    class_depth: usize,
    needs_backtracking: bool,
    /// A flag `s` was given, at the beginning or for a group: from there on the engine's own dot is right.
    dot_is_all: bool,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(character) = self.input.next() {
            match character {
                '\\' => self.escape()?,
                _ if self.class_depth > 0 => self.in_class(character),
                '[' => self.open_class(),
                '(' if self.input.peek() == Some(&'?') => self.group(),
                '.' if !self.dot_is_all => self.out.push_str(NO_LINE_END),
                '*' | '+' | '?' | '}' => self.repetition(character),
                other => self.out.push(other),
            }
        }
        Ok(())
    }

    /// A repetition may be made possessive by a `+` behind it.
    fn repetition(&mut self, character: char) {
        self.out.push(character);
        if self.input.next_if_eq(&'+').is_some() {
            self.out.push('+');
            self.needs_backtracking = true;
        } else if character != '?' && self.input.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
    }

    fn open_class(&mut self) {
        self.class_depth += 1;
        self.out.push('[');
        if self.input.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
    }

    fn in_class(&mut self, character: char) {
        match character {
            '[' => self.open_class(),
            ']' => {
                self.class_depth -= 1;
                self.out.push(']');
            }
            // Doubled, these two are set operations to the engine and nothing special to Java.
            '~' => self.out.push_str(r"\~"),
            '-' if self.input.next_if_eq(&'-').is_some() => self.out.push_str(r"\-\-"),
            other => self.out.push(other),
        }
    }

    /// At the `?` of a group that is more than a group.
    fn group(&mut self) {
        let rest: String = self.input.clone().skip(1).take(2).collect();
        self.needs_backtracking |= matches!(rest.as_bytes(), [b'=' | b'!' | b'>', ..] | [b'<', b'=' | b'!']);
        let is_flags = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-');
        if !is_flags {
            return self.out.push('(');
        }
        self.input.next();
        let mut flags = String::new();
        // Line ends as in Unix, and Unicode rules: the engine has no such switches.
        while let Some(flag) = self.input.next_if(|c| c.is_ascii_alphabetic() || *c == '-') {
            if !matches!(flag, 'd' | 'u' | 'U') {
                flags.push(flag);
            }
        }
        self.dot_is_all |= flags.split('-').next().is_some_and(|set| set.contains('s'));
        let flags = flags.trim_end_matches('-');
        match self.input.peek() {
            Some(')') if flags.is_empty() => {
                self.input.next();
            }
            _ => _ = write!(self.out, "(?{flags}"),
        }
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        let Some(character) = self.input.next() else {
            return Err(PatternError("the pattern ends with a backslash".to_owned()));
        };
        match character {
            'd' => self.class("0-9", false),
            'D' => self.class("0-9", true),
            'w' => self.class("a-zA-Z_0-9", false),
            'W' => self.class("a-zA-Z_0-9", true),
            's' => self.class(BLANK, false),
            'S' => self.class(BLANK, true),
            'h' => self.class(HORIZONTAL, false),
            'H' => self.class(HORIZONTAL, true),
            'v' => self.class(VERTICAL, false),
            'V' => self.class(VERTICAL, true),
            'R' => _ = write!(self.out, r"(?:\r\n|[{VERTICAL}])"),
            'Z' => self.out.push_str(r"\n?\z"),
            'e' => self.literal('\x1B'),
            'Q' => self.quoted(),
            'u' => self.code_point(4, 16)?,
            '0' => self.octal()?,
            'c' => self.control()?,
            'p' => self.property(false)?,
            'P' => self.property(true)?,
            '1'..='9' | 'k' if self.class_depth == 0 => {
                self.needs_backtracking = true;
                self.out.extend(['\\', character]);
            }
            'A' | 'b' | 'B' | 'a' | 'f' | 'n' | 'r' | 't' | 'x' | 'z' => self.out.extend(['\\', character]),
            letter if letter.is_ascii_alphanumeric() => {
                return Err(PatternError(format!("unknown escape \\{letter}")));
            }
            other => self.literal(other),
        }
        Ok(())
    }

    fn class(&mut self, members: &str, negated: bool) {
        _ = match (negated, self.class_depth) {
            (false, 0) => write!(self.out, "[{members}]"),
            (false, _) => write!(self.out, "{members}"),
            (true, _) => write!(self.out, "[^{members}]"),
        };
    }

    fn literal(&mut self, character: char) {
        match character {
            // To the engine `\<` and `\>` are the ends of words.
            '<' | '>' => self.out.push(character),
            c if c.is_ascii_punctuation() => self.out.extend(['\\', c]),
            c if c.is_ascii() => _ = write!(self.out, r"\x{{{:X}}}", u32::from(c)),
            c => self.out.push(c),
        }
    }

    fn quoted(&mut self) {
        while let Some(character) = self.input.next() {
            if character == '\\' && self.input.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(character);
        }
    }

    fn code_point(&mut self, digits: usize, radix: u32) -> Result<(), PatternError> {
        let mut value = 0;
        for _ in 0..digits {
            let digit = self.input.next().and_then(|c| c.to_digit(radix));
            value = value * radix + digit.ok_or_else(|| PatternError("a digit is missing in an escape".to_owned()))?;
        }
        _ = write!(self.out, r"\x{{{value:X}}}");
        Ok(())
    }

    /// `\0n`, `\0nn` or `\0mnn` with `m` up to 3.
    fn octal(&mut self) -> Result<(), PatternError> {
        let ahead: String = self.input.clone().take(3).take_while(|c| c.is_digit(8)).collect();
        let digits = if ahead.len() == 3 && ahead.as_str() > "377" { 2 } else { ahead.len().max(1) };
        self.code_point(digits, 8)
    }

    fn control(&mut self) -> Result<(), PatternError> {
        let Some(letter) = self.input.next().filter(char::is_ascii) else {
            return Err(PatternError(r"a letter is missing after \c".to_owned()));
        };
        _ = write!(self.out, r"\x{{{:X}}}", u32::from(letter) ^ 64);
        Ok(())
    }

    /// A property by name; Java writes `Is` before scripts, categories and binary properties alike.
    fn property(&mut self, negated: bool) -> Result<(), PatternError> {
        let name: String = match self.input.next() {
            Some('{') => self.input.by_ref().take_while(|c| *c != '}').collect(),
            Some(letter) => letter.to_string(),
            None => return Err(PatternError("the name of a property is missing".to_owned())),
        };
        if let Some((_, members)) = POSIX.iter().find(|(posix, _)| *posix == name) {
            self.class(members, negated);
            return Ok(());
        }
        let name = match name.as_str() {
            "javaLowerCase" => "Lowercase",
            "javaUpperCase" => "Uppercase",
            "javaWhitespace" => "White_Space",
            other => other.strip_prefix("Is").unwrap_or(other),
        };
        _ = write!(self.out, r"\{}{{{name}}}", if negated { 'P' } else { 'p' });
        Ok(())
    }
}
