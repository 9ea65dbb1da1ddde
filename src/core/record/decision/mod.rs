//! What a shard remembers of every request: which decisions were made, from what and with what result.
//!
//! A record is a [`Summary`] of fixed size and then chunks: a tag, a length, bytes as they were on the wire. Nothing is
//! formatted, masked or allocated while a request is served; the bytes are copied once, into a [`Decisions`] that a
//! shard owns, and made readable only when somebody asks (`core::explain`). What an exchange will no longer have at its
//! end it notes in a [`Trail`] on its way. What is the same for every request of a route is encoded when it is compiled
//! ([`describe`]).
//!
//! Records are bytes of one process and are never stored: their layout has no version.

mod ring;
mod summary;

use std::time::Duration;

use smallvec::SmallVec;

pub use ring::{Decisions, MEMORY_BYTES_MIN, Records, Wanted};
pub use summary::{Ended, Id, SUMMARY_BYTES, Step, Summary};

/// Most bytes of one body in a record.
pub const BODY_BYTES_MAX: usize = 4_096;
/// Most bytes of a head; a client's whole head fits.
pub const HEAD_BYTES_MAX: usize = 20_992;
/// Most bytes of a reason, a verdict, a name, a value.
pub const TEXT_BYTES_MAX: usize = 1_024;
/// Most bytes of what is known of a route before any request.
pub const DESCRIPTION_BYTES_MAX: usize = 4_096;
/// Most bytes noted on the way.
pub const TRAIL_BYTES_MAX: usize = 40_960;
/// Length of what stands before a chunk's bytes: tag, whether it was cut, length.
const CHUNK_HEADER_BYTES: usize = 4;

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $cap:expr,)*) => {
        /// What a chunk holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Tag { $($(#[$doc])* $name,)* }

        impl Tag {
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// Most bytes of such a chunk; the rest is cut off.
            pub const fn bytes_max(self) -> usize {
                match self { $(Self::$name => $cap,)* }
            }
        }
    };
}

tags! {
    /// `$context.accountId`.
    Account = TEXT_BYTES_MAX,
    /// `$context.apiId`.
    ApiId = TEXT_BYTES_MAX,
    /// `$context.stage`.
    Stage = TEXT_BYTES_MAX,
    /// `$context.deploymentId`.
    Deployment = TEXT_BYTES_MAX,
    /// `$context.resourcePath`.
    Resource = TEXT_BYTES_MAX,
    /// `$context.resourceId`.
    ResourceId = TEXT_BYTES_MAX,
    /// The method as declared, `ANY` included.
    Method = TEXT_BYTES_MAX,
    /// A path variable of the resource; in the order of the path, one chunk each.
    PathVariable = TEXT_BYTES_MAX,
    /// A parameter mapping: target, `=`, source.
    Mapping = TEXT_BYTES_MAX,
    /// A stage variable that the integration reads: name, `=`, value.
    StageVariable = TEXT_BYTES_MAX,
    /// What the definition says about who may call the method: `AWS_IAM`, `resource policy`.
    Protection = TEXT_BYTES_MAX,
    /// What it says about how much a caller may do: `API key`.
    Metering = TEXT_BYTES_MAX,
    /// Name of the request validator.
    Validator = TEXT_BYTES_MAX,
    /// Type of the integration: `HTTP_PROXY`.
    Integration = TEXT_BYTES_MAX,
    /// The integration's URI as declared.
    Uri = TEXT_BYTES_MAX,
    /// Address of the client.
    Client = TEXT_BYTES_MAX,
    /// `$context.httpMethod`, where the client named another than it sent.
    AskedMethod = TEXT_BYTES_MAX,
    /// Head of the client's request, as it came.
    RequestHead = HEAD_BYTES_MAX,
    /// The client's body, or the part of it that was here.
    RequestBody = BODY_BYTES_MAX,
    /// Where the path variables' values stand in the path, from the resource path on: pairs of start and end, two bytes
    /// each, little-endian.
    Captures = TEXT_BYTES_MAX,
    /// What an authorizer said.
    Authorizer = TEXT_BYTES_MAX,
    /// What API key, usage plan and throttles said.
    Admission = TEXT_BYTES_MAX,
    /// What the request validator said.
    Validation = TEXT_BYTES_MAX,
    /// What the response cache said.
    Cache = TEXT_BYTES_MAX,
    /// What the request template of a MOCK made, where no status can be read of it.
    Rendered = BODY_BYTES_MAX,
    /// Head of the request to the back end, as it was sent.
    CallHead = HEAD_BYTES_MAX,
    /// Body of it, or the part of it that was here.
    CallBody = BODY_BYTES_MAX,
    /// Address of the back end, 4 or 16 bytes, and its port, two bytes, in network order.
    Address = TEXT_BYTES_MAX,
    /// The call that failed, in a word.
    Failure = TEXT_BYTES_MAX,
    /// Head of the back end's answer, as it came.
    AnswerHead = HEAD_BYTES_MAX,
    /// Body of it, or the part of it that was here.
    AnswerBody = BODY_BYTES_MAX,
    /// Head of the response, as it was sent.
    ResponseHead = HEAD_BYTES_MAX,
    /// Body of it, where it was made here.
    ResponseBody = BODY_BYTES_MAX,
    /// Type of the gateway response: `INTEGRATION_TIMEOUT`.
    ErrorType = TEXT_BYTES_MAX,
    /// What the client was told.
    ErrorMessage = TEXT_BYTES_MAX,
    /// Why, for the operator.
    Reason = TEXT_BYTES_MAX,
}

impl Tag {
    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// The beginning of `bytes` that such a chunk holds, and what is written before it.
    fn fit(self, bytes: &[u8]) -> ([u8; CHUNK_HEADER_BYTES], &[u8]) {
        let kept = &bytes[..bytes.len().min(self.bytes_max())];
        // Every bound is below 64 KiB.
        let [low, high] = (kept.len() as u16).to_le_bytes();
        ([self as u8, u8::from(kept.len() < bytes.len()), low, high], kept)
    }
}

const _: () = assert!(HEAD_BYTES_MAX <= u16::MAX as usize, "a chunk's length has two bytes");
const _: () = assert!(Tag::ALL.len() <= u8::MAX as usize, "a chunk's tag has one byte");

/// Appends a chunk.
fn append(tag: Tag, bytes: &[u8], out: &mut Vec<u8>) {
    let (header, kept) = tag.fit(bytes);
    out.extend_from_slice(&header);
    out.extend_from_slice(kept);
}

/// Encodes what is the same for every request: chunks, as far as they fit [`DESCRIPTION_BYTES_MAX`].
pub fn describe<'d>(chunks: impl IntoIterator<Item = (Tag, &'d str)>) -> Box<[u8]> {
    // A route's names and its origin: most descriptions are no longer.
    let mut out = Vec::with_capacity(256);
    for (tag, text) in chunks {
        if out.len() + CHUNK_HEADER_BYTES + text.len().min(tag.bytes_max()) <= DESCRIPTION_BYTES_MAX {
            append(tag, text.as_bytes(), &mut out);
        }
    }
    out.into()
}

/// What an exchange notes on its way, because it is gone or overwritten when the record is made.
#[derive(Debug, Default)]
pub struct Trail {
    step: Step,
    /// Bytes of the call that were made here (its head, and perhaps its body), and when it began.
    called: Option<(usize, Duration)>,
    chunks: Vec<u8>,
}

impl Trail {
    /// Forgets the exchange before.
    pub fn clear(&mut self) {
        self.step = Step::default();
        self.called = None;
        self.chunks.clear();
    }

    /// Says which step is being taken now. One that ends the exchange is the last to be named.
    pub fn reach(&mut self, step: Step) {
        self.step = step;
    }

    /// Says that the back end is being called, `after` the head was complete, with a request of which the first `len`
    /// bytes were made here.
    pub fn call(&mut self, len: usize, after: Duration) {
        self.step = Step::Call;
        self.called = Some((len, after));
    }

    /// Says when the request to the back end was complete, if that was later.
    pub fn sent(&mut self, after: Duration) {
        if let Some((_, called)) = &mut self.called {
            *called = after;
        }
    }

    /// From the client's head to the call.
    pub fn called_after(&self) -> Duration {
        self.called.map_or(Duration::ZERO, |(_, after)| after)
    }

    /// How many bytes of the call were made here; `None`: there was no call.
    pub fn called_with(&self) -> Option<usize> {
        self.called.map(|(len, _)| len)
    }

    /// The step named last.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Notes `bytes`. What does not fit [`TRAIL_BYTES_MAX`] is left out.
    pub fn note(&mut self, tag: Tag, bytes: &[u8]) {
        if self.chunks.len() + CHUNK_HEADER_BYTES + bytes.len().min(tag.bytes_max()) <= TRAIL_BYTES_MAX {
            append(tag, bytes, &mut self.chunks);
        }
    }

    /// What was noted, encoded.
    pub fn chunks(&self) -> &[u8] {
        &self.chunks
    }
}

/// Pieces of an entry that need no memory of their own; the usual number of them.
const PIECES: usize = 24;

/// One record about to be written: where its bytes are.
pub struct Entry<'e> {
    summary: Summary,
    pieces: SmallVec<[Piece<'e>; PIECES]>,
    len: usize,
}

/// Chunks that are encoded already have no header of their own.
struct Piece<'e> {
    header: Option<[u8; CHUNK_HEADER_BYTES]>,
    bytes: &'e [u8],
}

impl<'e> Entry<'e> {
    /// A record without chunks.
    pub fn new(summary: Summary) -> Self {
        Self { summary, pieces: SmallVec::new(), len: SUMMARY_BYTES }
    }

    /// Adds a chunk, cut to what its tag may have; nothing for empty `bytes`.
    pub fn add(&mut self, tag: Tag, bytes: &'e [u8]) {
        if !bytes.is_empty() {
            let (header, bytes) = tag.fit(bytes);
            self.len += CHUNK_HEADER_BYTES + bytes.len();
            self.pieces.push(Piece { header: Some(header), bytes });
        }
    }

    /// Adds chunks encoded before.
    pub fn add_encoded(&mut self, chunks: &'e [u8]) {
        if !chunks.is_empty() {
            self.len += chunks.len();
            self.pieces.push(Piece { header: None, bytes: chunks });
        }
    }

    /// Writes the record into exactly as many bytes as it has.
    fn write(&self, mut out: &mut [u8]) {
        let mut put = |bytes: &[u8]| {
            // The place was made for `self.len` bytes, which is the sum of all that is put.
            if let Some((place, rest)) = std::mem::take(&mut out).split_at_mut_checked(bytes.len()) {
                place.copy_from_slice(bytes);
                out = rest;
            }
        };
        put(&self.summary.to_bytes());
        for piece in &self.pieces {
            if let Some(header) = &piece.header {
                put(header);
            }
            put(piece.bytes);
        }
    }
}

/// A chunk as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'r> {
    /// What it holds.
    pub tag: Tag,
    /// Whether it was longer.
    pub is_cut: bool,
    /// The bytes.
    pub bytes: &'r [u8],
}

/// Reads a record: what is the same in all of them, and the chunks. `None` for bytes that are no record.
pub fn read(record: &[u8]) -> Option<(Summary, impl Iterator<Item = Chunk<'_>>)> {
    let (summary, chunks) = record.split_first_chunk::<SUMMARY_BYTES>()?;
    Some((Summary::from_bytes(summary), Chunks(chunks)))
}

struct Chunks<'r>(&'r [u8]);

impl<'r> Iterator for Chunks<'r> {
    type Item = Chunk<'r>;

    fn next(&mut self) -> Option<Chunk<'r>> {
        let (&[tag, cut, low, high], rest) = self.0.split_first_chunk::<CHUNK_HEADER_BYTES>()?;
        let (bytes, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([low, high])))?;
        self.0 = rest;
        Some(Chunk { tag: Tag::from_byte(tag)?, is_cut: cut != 0, bytes })
    }
}

#[cfg(test)]
mod tests;
