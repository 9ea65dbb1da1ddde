//! What has been read from a client and not been used yet.

/// The unread part of a fixed buffer.
pub struct Inbuf {
    /// The whole buffer.
    pub bytes: Vec<u8>,
    /// Where the unread part begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Inbuf {
    /// Nothing read yet.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0, end: 0 }
    }

    /// The unread part.
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Whether nothing is unread.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Makes room at the end by moving the unread part to the front. `false`: the buffer is full.
    pub fn make_room(&mut self) -> bool {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.bytes.len() && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.end < self.bytes.len()
    }

    /// Passes over the first `count` unread bytes.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Replaces what is unread by `bytes`, which must fit.
    pub fn refill(&mut self, bytes: &[u8]) {
        let count = bytes.len().min(self.bytes.len());
        self.bytes[..count].copy_from_slice(&bytes[..count]);
        (self.start, self.end) = (0, count);
    }
}
