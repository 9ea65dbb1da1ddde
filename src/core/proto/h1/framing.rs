//! How long a body is, and whether the connection outlives the message: what RFC 9112 §6.3 and §9.3 derive from fields.
//!
//! These are the rules that request smuggling lives on, so each doubtful case is refused instead of resolved.

use super::class::{elements, is_token, trim};
use super::refusal::Refusal;
use crate::proto::http::{KnownField, Version};

/// Most options of all Connection fields of one message.
pub const CONNECTION_OPTIONS_MAX: usize = 32;

/// Where the body of a message ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// There is no body: the next message starts right after the head.
    #[default]
    None,
    /// After this many bytes.
    Length(u64),
    /// Where the chunked coding says.
    Chunked,
    /// Where the connection ends. Responses only.
    UntilClose,
}

/// What the fields of one head said about framing and persistence, as far as they were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FramingFields {
    pub(super) length: Option<u64>,
    is_chunked: bool,
    says_close: bool,
    says_keep_alive: bool,
    /// Whether a Connection field lists anything but the two above, so perhaps the name of a field.
    pub(super) names_fields: bool,
    connection_options: usize,
}

impl FramingFields {
    /// Takes one field into account. Fields that say nothing about framing are passed over.
    #[inline]
    pub(super) fn note(&mut self, known: KnownField, value: &[u8]) -> Result<(), Refusal> {
        match known {
            KnownField::ContentLength => self.note_length(value),
            KnownField::TransferEncoding => self.note_coding(value),
            KnownField::Connection => self.note_connection(value),
            _ => Ok(()),
        }
    }

    // RFC 9110 §8.6 lets a recipient accept repeated equal lengths. Whoever sends them is confused or probing, and the
    // next server may take the first, the last or none.
    fn note_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.length.is_some() || value.contains(&b',') {
            return Err(Refusal::DuplicateContentLength);
        }
        self.length = Some(length(value)?);
        Ok(())
    }

    // Only `chunked` is implemented. Other codings before it could be passed on undecoded, but an origin that does not
    // know them would see another body than we do.
    fn note_coding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.is_chunked {
            return Err(Refusal::DuplicateTransferEncoding);
        }
        if !is_chunked(value) {
            return Err(coding_fault(value));
        }
        self.is_chunked = true;
        Ok(())
    }

    fn note_connection(&mut self, value: &[u8]) -> Result<(), Refusal> {
        // What most clients send, as most of them spell it: no list to take apart.
        match value {
            b"keep-alive" => self.says_keep_alive = true,
            b"close" => self.says_close = true,
            _ => return self.note_connection_options(value),
        }
        Ok(())
    }

    fn note_connection_options(&mut self, value: &[u8]) -> Result<(), Refusal> {
        for option in elements(value) {
            let (is_close, is_keep_alive) =
                (option.eq_ignore_ascii_case(b"close"), option.eq_ignore_ascii_case(b"keep-alive"));
            self.says_close |= is_close;
            self.says_keep_alive |= is_keep_alive;
            self.names_fields |= !is_close && !is_keep_alive;
            self.connection_options += 1;
        }
        // Each field is held against each option when a message is passed on.
        if self.connection_options > CONNECTION_OPTIONS_MAX {
            return Err(Refusal::TooManyConnectionOptions);
        }
        Ok(())
    }

    /// The framing that the fields ask for, if they ask for any.
    #[inline]
    pub(super) fn framing(&self, version: Version) -> Result<Option<Framing>, Refusal> {
        match (self.is_chunked, self.length) {
            (true, Some(_)) => Err(Refusal::ContentLengthWithTransferEncoding),
            (true, None) if version == Version::Http10 => Err(Refusal::TransferEncodingInHttp10),
            (true, None) => Ok(Some(Framing::Chunked)),
            (false, Some(length)) => Ok(Some(Framing::Length(length))),
            (false, None) => Ok(None),
        }
    }

    /// Whether the sender keeps the connection open (RFC 9112 §9.3). `close` beats `keep-alive`.
    #[inline]
    pub(super) const fn keeps_alive(&self, version: Version) -> bool {
        match version {
            Version::Http11 => !self.says_close,
            Version::Http10 => self.says_keep_alive && !self.says_close,
        }
    }
}

/// `1*DIGIT` that fits 64 bits. Leading zeros are digits.
fn length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() {
        return Err(Refusal::BadContentLength);
    }
    let mut length: u64 = 0;
    for byte in value {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0')).ok_or(Refusal::BadContentLength)?;
        length = length.checked_mul(10).and_then(|it| it.checked_add(digit)).ok_or(Refusal::BadContentLength)?;
    }
    Ok(length)
}

/// What is wrong with a Transfer-Encoding that is not exactly `chunked`. Another coding before a final `chunked` is one
/// that we do not have; anything else leaves the end of the body open or is no list at all.
fn coding_fault(value: &[u8]) -> Refusal {
    let mut codings = value.rsplit(|&byte| byte == b',').map(trim);
    let ends_chunked = codings.next().is_some_and(is_chunked);
    let mut before = codings.peekable();
    let is_known_shape =
        ends_chunked && before.peek().is_some() && before.all(|coding| is_token(coding) && !is_chunked(coding));
    if is_known_shape { Refusal::UnknownTransferEncoding } else { Refusal::BadTransferEncoding }
}

fn is_chunked(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"chunked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(fields: &[(KnownField, &str)], version: Version) -> Result<(Option<Framing>, bool), Refusal> {
        let mut noted = FramingFields::default();
        for (known, value) in fields {
            noted.note(*known, value.as_bytes())?;
        }
        Ok((noted.framing(version)?, noted.keeps_alive(version)))
    }

    #[test]
    fn framing_by_one_unambiguous_field() {
        use KnownField::{ContentLength, TransferEncoding};
        let framing = |fields: &[(KnownField, &str)]| noted(fields, Version::Http11).map(|it| it.0);
        assert_eq!(framing(&[]), Ok(None));
        assert_eq!(framing(&[(ContentLength, "005")]), Ok(Some(Framing::Length(5))));
        assert_eq!(framing(&[(ContentLength, "18446744073709551615")]), Ok(Some(Framing::Length(u64::MAX))));
        assert_eq!(framing(&[(TransferEncoding, "Chunked")]), Ok(Some(Framing::Chunked)));
    }

    #[test]
    fn every_ambiguous_framing_is_refused_by_name() {
        use KnownField::{ContentLength as Length, TransferEncoding as Coding};
        let cases: &[(&[(KnownField, &str)], Refusal)] = &[
            (&[(Length, "")], Refusal::BadContentLength),
            (&[(Length, "+5")], Refusal::BadContentLength),
            (&[(Length, "-5")], Refusal::BadContentLength),
            (&[(Length, "5 5")], Refusal::BadContentLength),
            (&[(Length, "0x5")], Refusal::BadContentLength),
            (&[(Length, "18446744073709551616")], Refusal::BadContentLength),
            (&[(Length, "5,5")], Refusal::DuplicateContentLength),
            (&[(Length, "5"), (Length, "5")], Refusal::DuplicateContentLength),
            (&[(Length, "5"), (Coding, "chunked")], Refusal::ContentLengthWithTransferEncoding),
            (&[(Coding, "chunked"), (Length, "5")], Refusal::ContentLengthWithTransferEncoding),
            (&[(Coding, "chunked"), (Coding, "identity")], Refusal::DuplicateTransferEncoding),
            (&[(Coding, "identity")], Refusal::BadTransferEncoding),
            (&[(Coding, "chunked, gzip")], Refusal::BadTransferEncoding),
            (&[(Coding, "chunked;a=b")], Refusal::BadTransferEncoding),
            (&[(Coding, "")], Refusal::BadTransferEncoding),
            (&[(Coding, "gzip, chunked")], Refusal::UnknownTransferEncoding),
            (&[(Coding, ", chunked")], Refusal::BadTransferEncoding),
            (&[(Coding, "chunked, chunked")], Refusal::BadTransferEncoding),
            (&[(Coding, "gzip;q=1, chunked")], Refusal::BadTransferEncoding),
        ];
        for (fields, refusal) in cases {
            assert_eq!(noted(fields, Version::Http11), Err(*refusal), "{fields:?}");
        }
        let options = "x,".repeat(CONNECTION_OPTIONS_MAX + 1);
        let many = noted(&[(KnownField::Connection, &options)], Version::Http11);
        assert_eq!(many, Err(Refusal::TooManyConnectionOptions));
        assert_eq!(noted(&[(Coding, "chunked")], Version::Http10), Err(Refusal::TransferEncodingInHttp10));
    }

    #[test]
    fn connections_persist_as_the_version_has_it() {
        let keeps = |value, version| noted(&[(KnownField::Connection, value)], version).map(|it| it.1);
        assert_eq!(keeps("upgrade", Version::Http11), Ok(true));
        assert_eq!(keeps("Close", Version::Http11), Ok(false));
        assert_eq!(keeps("keep-alive, close", Version::Http11), Ok(false));
        assert_eq!(keeps("foo", Version::Http10), Ok(false));
        assert_eq!(keeps("foo,\tKeep-Alive", Version::Http10), Ok(true));
        assert_eq!(keeps("keep-alive, close", Version::Http10), Ok(false));
    }
}
