//! Ranges of a head. They borrow nothing, so a parsed head does not pin the buffer it was parsed from.

use std::ops::Range;

/// A range of the buffer that a head was parsed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

impl Span {
    /// From `start` up to, not including, `end`. Heads are far shorter than 4 GiB: the limits see to that.
    #[inline]
    pub(super) const fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= u32::MAX as usize);
        Self { start: start as u32, len: (end - start) as u32 }
    }

    /// The bytes meant, out of the buffer that was parsed. Empty if `bytes` is not that buffer and too short.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }

    /// As offsets.
    #[inline]
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }

    /// Offset of the byte after the last one.
    #[inline]
    pub const fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    /// Whether it covers nothing.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }
}
