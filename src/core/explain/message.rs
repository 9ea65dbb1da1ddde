//! Heads and bodies as they are shown.

use crate::record::decision::Chunk;

use super::Shown;

/// The head of a message.
#[derive(Debug, Default)]
pub struct Message {
    /// Request or status line.
    pub start_line: String,
    /// Header fields, as spelled, in their order.
    pub fields: Vec<(String, String)>,
    /// Whether it was longer.
    pub is_cut: bool,
}

/// The beginning of a body.
#[derive(Debug)]
pub struct Body {
    /// Its text; empty where it is none.
    pub text: String,
    /// Bytes kept.
    pub kept: usize,
    /// It is no UTF-8, so nothing of it is shown.
    pub is_binary: bool,
    /// Whether it was longer.
    pub is_cut: bool,
}

impl Message {
    pub(super) fn read(chunk: Chunk<'_>, shown: &Shown<'_>) -> Self {
        let text = String::from_utf8_lossy(chunk.bytes);
        let line = text.lines().next().unwrap_or_default();
        let start_line = match line.split_once(' ').map(|(first, rest)| (first, rest.rsplit_once(' '))) {
            Some((method, Some((target, version)))) if !method.starts_with("HTTP/") => {
                format!("{method} {} {version}", shown.target(target))
            }
            _ => shown.text(line),
        };
        let fields = fields(&text).map(|(name, value)| shown.pair(name, value)).collect();
        Self { start_line, fields, is_cut: chunk.is_cut }
    }

    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first word of the start line: a request's method.
    pub fn method(&self) -> &str {
        self.start_line.split(' ').next().unwrap_or_default()
    }

    /// The second word of the start line: a request's target.
    pub fn target(&self) -> &str {
        self.start_line.split(' ').nth(1).unwrap_or_default()
    }
}

/// Names and values of a head. Heads were parsed strictly before they were kept, or written here: each line is a field.
pub(super) fn fields(head: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = head.split("\r\n").skip(1);
    lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
}

impl Body {
    pub(super) fn read(chunk: Chunk<'_>, shown: &Shown<'_>) -> Self {
        let kept = chunk.bytes.len();
        let (text, is_binary) = match std::str::from_utf8(chunk.bytes) {
            Ok(text) => (text, false),
            // A text that is cut may end within a character.
            Err(error) if error.error_len().is_none() => {
                (std::str::from_utf8(&chunk.bytes[..error.valid_up_to()]).unwrap_or_default(), false)
            }
            Err(_) => ("", true),
        };
        Self { text: shown.body(text), kept, is_binary, is_cut: chunk.is_cut }
    }

    /// In one line of a log.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self { is_binary: true, kept, .. } => format!("<Binary Data: {kept} bytes>"),
            Self { is_cut: true, text, .. } => format!("{text} [TRUNCATED]"),
            Self { text, .. } => text.clone(),
        }
    }
}
