//! The reader behind [`Tape`](super::Tape): strict RFC 8259, one pass, nothing converted.

use super::tape::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, Entry, EntryKind, Fault, NotJson, Tape};
use crate::base::escape::end_of_plain;

/// Reads a document onto an empty tape.
pub(super) fn read(document: &[u8], tape: &mut Tape) -> Result<(), NotJson> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(NotJson { fault: Fault::TooLong, at: DOCUMENT_BYTES_MAX });
    }
    let text = str::from_utf8(document).map_err(|e| NotJson { fault: Fault::Encoding, at: e.valid_up_to() })?;
    tape.text.push_str(text);
    Reader { text, input: document, at: 0, depth: 0, tape }.document()
}

struct Reader<'r> {
    text: &'r str,
    /// The same in bytes.
    input: &'r [u8],
    at: usize,
    depth: usize,
    tape: &'r mut Tape,
}

impl Reader<'_> {
    fn document(mut self) -> Result<(), NotJson> {
        self.skip_space();
        self.value()?;
        self.skip_space();
        if self.at == self.input.len() { Ok(()) } else { Err(self.fault(Fault::Trailing)) }
    }

    /// The byte here; 0, which stands nowhere in JSON, at the end.
    fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    #[cold]
    fn fault(&self, fault: Fault) -> NotJson {
        NotJson { fault, at: self.at }
    }

    #[cold]
    fn unexpected(&self) -> NotJson {
        self.fault(if self.at < self.input.len() { Fault::Unexpected } else { Fault::Incomplete })
    }

    fn value(&mut self) -> Result<(), NotJson> {
        match self.peek() {
            b'"' => self.string(),
            b'{' => self.nested(EntryKind::Object, Self::members),
            b'[' => self.nested(EntryKind::Array, Self::elements),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true", EntryKind::True),
            b'f' => self.word(b"false", EntryKind::False),
            b'n' => self.word(b"null", EntryKind::Null),
            _ => Err(self.unexpected()),
        }
    }

    /// An array or an object: its entry, then what `children` reads, then its size. The count comes from `children`.
    fn nested(
        &mut self,
        kind: EntryKind,
        children: impl FnOnce(&mut Self) -> Result<u32, NotJson>,
    ) -> Result<(), NotJson> {
        if self.depth == DOCUMENT_DEPTH_MAX {
            return Err(self.fault(Fault::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        let slot = self.tape.entries.len();
        self.tape.entries.push(Entry { kind, start: 0, size: 1 });
        self.skip_space();
        let start = children(self)?;
        let size = (self.tape.entries.len() - slot) as u32;
        self.tape.entries[slot] = Entry { kind, start, size };
        self.depth -= 1;
        Ok(())
    }

    fn elements(&mut self) -> Result<u32, NotJson> {
        let mut count = 0;
        if self.peek() == b']' {
            self.at += 1;
            return Ok(count);
        }
        loop {
            self.value()?;
            count += 1;
            if self.is_end(b']')? {
                return Ok(count);
            }
        }
    }

    fn members(&mut self) -> Result<u32, NotJson> {
        let first = self.tape.entries.len();
        let (mut count, mut seen) = (0, Seen::default());
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(count);
        }
        loop {
            self.key(&mut seen)?;
            self.value()?;
            count += 1;
            if self.is_end(b'}')? {
                break;
            }
        }
        let is_sure = count <= SEEN_MAX && !seen.maybe_repeated;
        Ok(if is_sure { count } else { count - self.tape.join_repeated(first) })
    }

    /// A key, its colon, and the space up to its value.
    fn key(&mut self, seen: &mut Seen) -> Result<(), NotJson> {
        if self.peek() != b'"' {
            return Err(self.unexpected());
        }
        self.string()?;
        seen.note(self.tape.entries.last().map(|&key| self.tape.bytes_of(key)).unwrap_or_default());
        self.skip_space();
        if self.peek() != b':' {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// After a child: whether the parent ends here. If not, stands at the next child.
    fn is_end(&mut self, close: u8) -> Result<bool, NotJson> {
        self.skip_space();
        match self.peek() {
            b',' => {
                self.at += 1;
                self.skip_space();
                Ok(false)
            }
            byte if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn word(&mut self, word: &[u8], kind: EntryKind) -> Result<(), NotJson> {
        for &byte in word {
            if self.peek() != byte {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        self.tape.entries.push(Entry { kind, start: 0, size: 0 });
        Ok(())
    }

    fn number(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        self.at += usize::from(self.peek() == b'-');
        match self.peek() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.digits()?;
        }
        let entry = Entry { kind: EntryKind::Number, start: start as u32, size: (self.at - start) as u32 };
        self.tape.entries.push(entry);
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }

    /// A string, from its opening quote to behind its closing one.
    fn string(&mut self) -> Result<(), NotJson> {
        let start = self.at + 1;
        self.at = end_of_plain(self.input, start);
        match self.peek() {
            b'"' => {
                let size = (self.at - start) as u32;
                self.at += 1;
                self.tape.entries.push(Entry { kind: EntryKind::String, start: start as u32, size });
                Ok(())
            }
            b'\\' => self.escaped(start),
            _ => Err(self.unexpected()),
        }
    }

    /// The rest of a string from its first escape on; the string without escapes goes behind the document.
    fn escaped(&mut self, mut plain: usize) -> Result<(), NotJson> {
        let start = self.tape.text.len();
        loop {
            self.tape.text.push_str(self.text.get(plain..self.at).unwrap_or_default());
            match self.peek() {
                b'\\' => self.escape()?,
                b'"' => break,
                _ => return Err(self.unexpected()),
            }
            plain = self.at;
            self.at = end_of_plain(self.input, plain);
        }
        self.at += 1;
        let size = (self.tape.text.len() - start) as u32;
        self.tape.entries.push(Entry { kind: EntryKind::String, start: start as u32, size });
        Ok(())
    }

    fn escape(&mut self) -> Result<(), NotJson> {
        self.at += 1;
        let character = match self.peek() {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ if self.at < self.input.len() => return Err(self.fault(Fault::Escape)),
            _ => return Err(self.fault(Fault::Incomplete)),
        };
        self.at += 1;
        self.tape.text.push(character);
        Ok(())
    }

    /// `\uXXXX`, or two of them for a character beyond the first 65,536. At the `u`.
    fn unicode_escape(&mut self) -> Result<(), NotJson> {
        let first = self.hex()?;
        let is_pair = (0xD800..0xDC00).contains(&first) && self.input.get(self.at..self.at + 2) == Some(b"\\u");
        let code_point = if is_pair {
            self.at += 1;
            let second = self.hex()?;
            // A second half that is none makes a number that is no character.
            0x10000 + ((first - 0xD800) << 10) + second.checked_sub(0xDC00).unwrap_or(u32::MAX >> 1)
        } else {
            first
        };
        let character = char::from_u32(code_point).filter(|_| !is_pair || code_point < 0x11_0000);
        self.tape.text.push(character.ok_or_else(|| self.fault(Fault::Escape))?);
        Ok(())
    }

    /// The four digits behind a `u`.
    fn hex(&mut self) -> Result<u32, NotJson> {
        self.at += 1;
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()).to_digit(16).ok_or_else(|| match self.at < self.input.len() {
                true => self.fault(Fault::Escape),
                false => self.fault(Fault::Incomplete),
            })?;
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }
}

/// Members up to which a filter of their keys is worth more than looking at them all.
const SEEN_MAX: u32 = 64;

/// A filter over the keys of one object: says for sure that all differ, or that some may not.
#[derive(Default)]
struct Seen {
    bits: [u64; 4],
    maybe_repeated: bool,
}

impl Seen {
    fn note(&mut self, key: &[u8]) {
        let word = |chunk: &[u8; 4]| u64::from(u32::from_le_bytes(*chunk));
        let mixed = match (key.first_chunk(), key.last_chunk(), key) {
            (Some(first), Some(last), _) => word(first) << 32 | word(last),
            // Three bytes at most: the first, the middle and the last are all.
            (_, _, [first, .., last]) => word(&[*first, key[key.len() / 2], *last, 0]),
            (_, _, [only]) => word(&[*only, 0, 0, 0]),
            _ => 0,
        };
        let hash = (mixed ^ (key.len() as u64) << 24).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (word, bit) = ((hash >> 62) as usize, 1 << (hash >> 56 & 63));
        self.maybe_repeated |= self.bits[word] & bit != 0;
        self.bits[word] |= bit;
    }
}

impl Tape {
    /// Finds the keys that came more than once among the members that fill the tape from `first` on, gives each its
    /// last value, and says how many members that leaves out. Sorting bounds the time whatever the keys are.
    fn join_repeated(&mut self, first: usize) -> u32 {
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        let mut at = first;
        while let Some(value) = self.entries.get(at + 1) {
            keys.push(at as u32);
            at += 1 + value.span();
        }
        let text = |tape: &Self, key: u32| tape.entries[key as usize];
        keys.sort_unstable_by(|&a, &b| self.text_of(text(self, a)).cmp(self.text_of(text(self, b))).then(a.cmp(&b)));
        let mut shadowed = 0;
        let mut rest = &keys[..];
        while let [key, others @ ..] = rest {
            let same = |other: &&u32| self.text_of(text(self, **other)) == self.text_of(text(self, *key));
            let repeats = others.iter().take_while(same).count();
            let (repeated, next) = others.split_at(repeats);
            if let Some(last) = repeated.last() {
                self.shadow(*key as usize, repeated, last + 1);
                shadowed += repeats as u32;
            }
            rest = next;
        }
        self.keys = keys;
        shadowed
    }

    /// Gives the value at `value` to the key at `key`, and hides the keys that repeated it.
    fn shadow(&mut self, key: usize, repeated: &[u32], value: u32) {
        let size = self.entries[key + 1].span() as u32;
        self.entries[key + 1] = Entry { kind: EntryKind::Moved, start: value, size };
        for &other in repeated {
            self.entries[other as usize].kind = EntryKind::Shadowed;
        }
    }
}
