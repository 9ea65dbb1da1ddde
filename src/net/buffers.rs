//! The buffers of one shard: fixed pieces of memory, lent for one use and taken back, the hottest first.

use std::cell::Cell;
use std::rc::Rc;

use ringgate_core::base::limits::HEAD_BUFFER_BYTES;

use super::shelf::Shelf;

/// Bytes kept free before what is read from an origin, so that the client's response head can be written right before
/// the body and both leave in one write without a copy.
pub const HEADROOM_BYTES: usize = 4_096;
/// Bytes kept free behind what is read from an origin, for the end of a chunk.
pub const TAILROOM_BYTES: usize = 16;
/// A buffer for bodies: large enough that 64 KiB and its head are read at once.
pub const BODY_BUFFER_BYTES: usize = 128 * 1024;

/// The two sizes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// For a request head.
    Head,
    /// For bodies and for an origin's answer.
    Body,
}

impl Size {
    /// Length of such a buffer.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Head => HEAD_BUFFER_BYTES,
            Self::Body => BODY_BUFFER_BYTES,
        }
    }
}

/// Memory of this size was asked for above the cap. The request is shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// Free buffers kept for the next use; what comes back above this is given to the allocator.
const FREE_BYTES_KEPT_MAX: usize = 4 * 1024 * 1024;

/// The pool of one shard.
pub struct Buffers {
    head: Shelf<Vec<u8>>,
    body: Shelf<Vec<u8>>,
    lent_bytes: Cell<usize>,
    lent_heads: Cell<usize>,
    free_bytes: Cell<usize>,
    lent_bytes_max: usize,
}

impl Buffers {
    /// A pool that lends at most `lent_bytes_max` bytes at a time.
    pub fn new(lent_bytes_max: usize) -> Rc<Self> {
        Rc::new(Self {
            head: Shelf::default(),
            body: Shelf::default(),
            lent_bytes: Cell::new(0),
            lent_heads: Cell::new(0),
            free_bytes: Cell::new(0),
            lent_bytes_max,
        })
    }

    /// Lends a buffer whose whole length is initialised, with any content.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the cap would be passed.
    pub fn lend(&self, size: Size) -> Result<Vec<u8>, OutOfMemory> {
        let lent = self.lent_bytes.get() + size.bytes();
        if lent > self.lent_bytes_max {
            return Err(OutOfMemory);
        }
        self.lent_bytes.set(lent);
        self.lent_heads.set(self.lent_heads.get() + usize::from(size == Size::Head));
        match self.free(size).take() {
            Some(buffer) => {
                self.free_bytes.set(self.free_bytes.get() - size.bytes());
                Ok(buffer)
            }
            None => Ok(vec![0; size.bytes()]),
        }
    }

    /// Takes a lent buffer back.
    pub fn take_back(&self, size: Size, buffer: Vec<u8>) {
        debug_assert_eq!(buffer.len(), size.bytes(), "a buffer comes back as it was lent");
        self.lent_bytes.set(self.lent_bytes.get() - size.bytes());
        self.lent_heads.set(self.lent_heads.get() - usize::from(size == Size::Head));
        let free = self.free_bytes.get() + size.bytes();
        if free <= FREE_BYTES_KEPT_MAX {
            self.free_bytes.set(free);
            self.free(size).put(buffer);
        }
    }

    /// Gives the allocator what was not lent since the last call; says how many bytes.
    pub fn trim(&self) -> usize {
        let trimmed = [Size::Head, Size::Body].map(|size| self.free(size).trim() * size.bytes()).iter().sum();
        self.free_bytes.set(self.free_bytes.get() - trimmed);
        trimmed
    }

    /// Memory beside the buffers that counts towards the cap as well; none yet.
    pub const fn claim(&self) -> Claim<'_> {
        Claim { buffers: self, bytes: 0 }
    }

    /// Bytes lent now.
    pub fn lent_bytes(&self) -> usize {
        self.lent_bytes.get()
    }

    /// Small buffers lent now.
    pub fn lent_heads(&self) -> usize {
        self.lent_heads.get()
    }

    fn free(&self, size: Size) -> &Shelf<Vec<u8>> {
        match size {
            Size::Head => &self.head,
            Size::Body => &self.body,
        }
    }
}

/// Memory that grows as it is needed, such as a body that is gathered: it counts as lent until this is dropped.
pub struct Claim<'b> {
    buffers: &'b Buffers,
    bytes: usize,
}

impl Claim<'_> {
    /// Claims more.
    ///
    /// # Errors
    /// [`OutOfMemory`] when the cap would be passed; what was claimed before stays so.
    pub fn grow(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        let lent = self.buffers.lent_bytes.get() + bytes;
        if lent > self.buffers.lent_bytes_max {
            return Err(OutOfMemory);
        }
        self.buffers.lent_bytes.set(lent);
        self.bytes += bytes;
        Ok(())
    }

    /// Gives a part back.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.buffers.lent_bytes.set(self.buffers.lent_bytes.get() - bytes);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}
