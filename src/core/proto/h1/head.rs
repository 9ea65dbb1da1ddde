//! What request and response heads have in common: limits, field lines, and reading a head that arrives in pieces.
//!
//! A head is parsed line by line, once. The cursor remembers the first line that is not complete yet and how far that
//! line was searched for its end, so that a sender who drips single bytes costs linear time and not quadratic.

use memchr::memchr;

use super::class::{token_end, value_end};
use super::fields::{Field, Fields};
use super::refusal::Refusal;
use super::span::Span;
use crate::base::limits;
use crate::proto::http::KnownField;

/// Empty lines skipped before a start line (RFC 9112 §2.2 asks for at least one).
pub const EMPTY_LINES_MAX: usize = 4;

/// How large a head may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Longest request or status line in bytes, its line end not counted.
    pub start_line_bytes_max: usize,
    /// Most bytes of all field lines together, line ends counted, without the empty line that ends the head.
    pub header_bytes_max: usize,
    /// Most field lines.
    pub fields_max: usize,
}

impl Default for HeadLimits {
    /// For requests of clients.
    fn default() -> Self {
        Self {
            start_line_bytes_max: limits::REQUEST_LINE_BYTES_MAX,
            header_bytes_max: limits::HEADER_BYTES_MAX,
            fields_max: limits::HEADER_FIELDS_MAX,
        }
    }
}

/// Longest status line of an origin in bytes.
const STATUS_LINE_BYTES_MAX: usize = 4_096;
/// Line ends that are in neither of the two limits: before and after the start line, and the last empty line.
const LINE_ENDS_BYTES_MAX: usize = 2 * (EMPTY_LINES_MAX + 2);

const _: () = assert!(
    limits::REQUEST_LINE_BYTES_MAX + limits::HEADER_BYTES_MAX + LINE_ENDS_BYTES_MAX <= limits::HEAD_BUFFER_BYTES,
    "a request head of any allowed size fits its buffer"
);

impl HeadLimits {
    /// For responses of origins: a whole head is at most `ORIGIN_HEAD_BYTES_MAX` long.
    pub const fn for_origin() -> Self {
        Self {
            start_line_bytes_max: STATUS_LINE_BYTES_MAX,
            header_bytes_max: limits::ORIGIN_HEAD_BYTES_MAX - STATUS_LINE_BYTES_MAX - LINE_ENDS_BYTES_MAX,
            fields_max: limits::HEADER_FIELDS_MAX,
        }
    }
}

/// How far a head has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It goes on: read more and call again with all bytes from the same first byte on.
    Partial,
    /// It is whole, and this many bytes long (skipped empty lines included). The body follows.
    Complete(usize),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Start,
    Fields,
    Complete,
}

/// Where reading a head stands between two calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    phase: Phase,
    /// Start of the first line that was not complete.
    next: usize,
    /// Everything before has been searched for the end of that line in vain.
    searched: usize,
    /// Where the field lines begin.
    fields_start: usize,
}

impl Cursor {
    pub(super) fn is_complete(&self) -> bool {
        self.phase == Phase::Complete
    }

    pub(super) fn is_at_start(&self) -> bool {
        self.phase == Phase::Start
    }

    /// Whether anything but empty lines has arrived.
    pub(super) fn has_begun(&self) -> bool {
        self.phase != Phase::Start || self.searched > self.next
    }

    /// Whether parsing can get further than last time: either nothing was searched, or a line end has arrived since.
    #[inline]
    pub(super) fn can_advance(&self, bytes: &[u8]) -> bool {
        self.searched <= self.next || memchr(b'\n', bytes.get(self.searched..).unwrap_or_default()).is_some()
    }

    /// Skips empty lines before the start line. `None` if the next line has not begun.
    #[inline]
    pub(super) fn skip_empty_lines(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        loop {
            match bytes.get(self.next..).unwrap_or_default() {
                [b'\r', b'\n', ..] if self.next >= 2 * EMPTY_LINES_MAX => return Err(Refusal::EmptyHead),
                [b'\r', b'\n', ..] => self.next += 2,
                [] | [b'\r'] => return Ok(None),
                [b'\r', ..] => return Err(Refusal::BareCr),
                [b'\n', ..] => return Err(Refusal::BareLf),
                _ => return Ok(Some(self.next)),
            }
        }
    }

    /// The start line ended right before `fields_start`.
    #[inline]
    pub(super) fn pass_start_line(&mut self, fields_start: usize, limits: &HeadLimits) -> Result<(), Refusal> {
        const LINE_END: usize = 2;
        if fields_start - self.next - LINE_END > limits.start_line_bytes_max {
            return Err(Refusal::LineTooLong);
        }
        self.phase = Phase::Fields;
        self.next = fields_start;
        self.fields_start = fields_start;
        Ok(())
    }

    /// Notes that the line at `next` is not complete in `bytes`, and refuses what no continuation can repair.
    #[cold]
    pub(super) fn wait(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Progress, Refusal> {
        debug_assert!(!bytes.get(self.next..).unwrap_or_default().contains(&b'\n'), "a whole line is never waited for");
        self.refuse_bare_cr(bytes)?;
        self.refuse_long(bytes.len(), limits)?;
        self.searched = bytes.len();
        Ok(Progress::Partial)
    }

    // Waiting for the end of a line that holds a bare CR would keep the connection until the deadline.
    fn refuse_bare_cr(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let from = self.searched.saturating_sub(1).max(self.next);
        let tail = bytes.get(from..).unwrap_or_default();
        let is_bare = memchr(b'\r', tail).is_some_and(|at| at + 1 < tail.len());
        if is_bare { Err(Refusal::BareCr) } else { Ok(()) }
    }

    // One byte of grace: it may be the CR of the line end, which the limits do not count.
    fn refuse_long(&self, end: usize, limits: &HeadLimits) -> Result<(), Refusal> {
        match self.phase {
            Phase::Start if end.saturating_sub(self.next) > limits.start_line_bytes_max + 1 => {
                Err(Refusal::LineTooLong)
            }
            Phase::Fields if end.saturating_sub(self.fields_start) > limits.header_bytes_max + 1 => {
                Err(Refusal::HeadersTooLarge)
            }
            _ => Ok(()),
        }
    }

    /// Reads field lines up to the empty one, handing each to `note`.
    #[inline]
    pub(super) fn read_fields(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
        fields: &mut Fields,
        mut note: impl FnMut(&Field) -> Result<(), Refusal>,
    ) -> Result<Progress, Refusal> {
        loop {
            match field_line(bytes, self.next)? {
                Line::Field(field, end) => {
                    if end - self.fields_start > limits.header_bytes_max {
                        return Err(Refusal::HeadersTooLarge);
                    }
                    if fields.len() >= limits.fields_max {
                        return Err(Refusal::TooManyFields);
                    }
                    note(&field)?;
                    fields.push(field);
                    self.next = end;
                }
                Line::Empty(end) => {
                    self.phase = Phase::Complete;
                    self.next = end;
                    return Ok(Progress::Complete(end));
                }
                Line::Partial => return self.wait(bytes, limits),
            }
        }
    }
}

/// What starts at an offset where a field line may start. The number is the offset after its line end.
pub(super) enum Line {
    Partial,
    Empty(usize),
    Field(Field, usize),
}

/// Reads one field line (RFC 9112 §5): a token, a colon, a value, CRLF, and no white space but around the value.
#[inline]
pub(super) fn field_line(bytes: &[u8], at: usize) -> Result<Line, Refusal> {
    let name_end = token_end(bytes, at);
    match bytes.get(name_end) {
        Some(b':') if name_end > at => field_value(bytes, Span::new(at, name_end)),
        Some(b'\r') if name_end == at => empty_line(bytes, at),
        Some(_) => Err(name_fault(bytes, at, name_end)),
        None => Ok(Line::Partial),
    }
}

#[inline]
fn field_value(bytes: &[u8], name: Span) -> Result<Line, Refusal> {
    let mut start = name.end() + 1;
    while matches!(bytes.get(start), Some(b' ' | b'\t')) {
        start += 1;
    }
    let stop = value_end(bytes, start);
    match bytes.get(stop..).unwrap_or_default() {
        [b'\r', b'\n', ..] => {
            let value = Span::new(start, without_trailing_space(bytes, start, stop));
            Ok(Line::Field(Field { name, value, known: KnownField::from_name(name.of(bytes)) }, stop + 2))
        }
        [] | [b'\r'] => Ok(Line::Partial),
        rest => Err(control_fault(rest, Refusal::BadFieldValue)),
    }
}

#[inline]
fn without_trailing_space(bytes: &[u8], start: usize, mut end: usize) -> usize {
    while end > start && matches!(bytes.get(end - 1), Some(b' ' | b'\t')) {
        end -= 1;
    }
    end
}

fn empty_line(bytes: &[u8], at: usize) -> Result<Line, Refusal> {
    match bytes.get(at + 1) {
        Some(b'\n') => Ok(Line::Empty(at + 2)),
        Some(_) => Err(Refusal::BareCr),
        None => Ok(Line::Partial),
    }
}

/// What is wrong with a field name that stopped at `stop`, where no colon is.
#[cold]
fn name_fault(bytes: &[u8], at: usize, stop: usize) -> Refusal {
    match bytes.get(stop..).unwrap_or_default() {
        [b' ' | b'\t', ..] if stop == at => Refusal::ObsFold,
        [b' ' | b'\t', rest @ ..] => {
            let after = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
            if after == Some(&b':') { Refusal::SpaceBeforeColon } else { Refusal::BadFieldName }
        }
        [b'\r', b'\n', ..] | [b'\r'] => Refusal::BadFieldName,
        rest => control_fault(rest, Refusal::BadFieldName),
    }
}

/// Names the control character that `rest` starts with, if it is one with a name, else `otherwise`.
#[cold]
pub(super) fn control_fault(rest: &[u8], otherwise: Refusal) -> Refusal {
    match rest {
        [b'\n', ..] => Refusal::BareLf,
        [b'\r', ..] => Refusal::BareCr,
        [0, ..] => Refusal::Nul,
        _ => otherwise,
    }
}
