//! The fixed part of a record: numbers and ids.

use crate::record::ids::{EXTENDED_REQUEST_ID_BYTES, REQUEST_ID_BYTES};

/// What an exchange does, in the order of rest-routing-and-stages §12. A request that ends early ends in one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Step {
    /// Finding API and stage by host and path.
    #[default]
    Find,
    /// Finding the method by path and verb.
    Route,
    /// Resource policy and authorizer.
    Authorize,
    /// API key, usage plan, throttles.
    Admit,
    /// Size, parameters and body.
    Validate,
    /// Asking the response cache.
    Lookup,
    /// Making the request to the back end.
    MapRequest,
    /// Calling it.
    Call,
    /// Making the response.
    MapResponse,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 9] = [
        Self::Find,
        Self::Route,
        Self::Authorize,
        Self::Admit,
        Self::Validate,
        Self::Lookup,
        Self::MapRequest,
        Self::Call,
        Self::MapResponse,
    ];
}

/// How the delivery of a response ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Ended {
    /// Everything was sent.
    #[default]
    Complete,
    /// The client went away or was too slow.
    ClientGone,
    /// The origin broke off, or broke its framing: the client must not take the response for whole.
    OriginBroke,
    /// The body is larger than a response may be.
    TooLarge,
}

impl Ended {
    const ALL: [Self; 4] = [Self::Complete, Self::ClientGone, Self::OriginBroke, Self::TooLarge];
}

/// Numbers and ids of a request. Times are nanoseconds from the moment its head was complete; 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// `$context.requestId`.
    pub request_id: Id<REQUEST_ID_BYTES>,
    /// `$context.extendedRequestId`.
    pub extended_request_id: Id<EXTENDED_REQUEST_ID_BYTES>,
    /// Counts the records of a shard; set as the record is written.
    pub sequence: u64,
    /// Milliseconds since 1970-01-01 when the head was complete.
    pub wall_millis: u64,
    /// Version of the snapshot that served it.
    pub version: u64,
    /// End of the response.
    pub ended_nanos: u64,
    /// The back end was called: later than the head where the client's body had to be waited for.
    pub called_nanos: u64,
    /// A fresh connection to the back end was ready.
    pub connected_nanos: u64,
    /// The head of the back end's answer was complete, or the call had failed.
    pub answered_nanos: u64,
    /// Bytes of the client's body that were read.
    pub request_length: u64,
    /// Bytes of the response's body.
    pub response_length: u64,
    /// Status sent.
    pub status: u16,
    /// Status of the back end.
    pub integration_status: u16,
    /// Where the resource path begins in the path.
    pub offset: u16,
    /// Where the base path of a custom domain ends in the path; 0: it came through no custom domain.
    pub base_path_end: u16,
    /// Attempts to call the back end.
    pub attempts: u8,
    /// Addresses of the back end that were known when a call had failed, and how many of those were set aside.
    pub addresses: [u8; 2],
    /// The step in which it ended.
    pub step: Step,
    /// How the delivery ended.
    pub ended: Ended,
    /// The connection to the back end had served before.
    pub is_reused: bool,
    /// The back end is called over TLS.
    pub is_tls: bool,
    /// A canary's deployment served it.
    pub is_canary: bool,
    /// The client sent a request id that is none.
    pub has_invalid_request_id: bool,
}

/// Text of fixed length that is all zeros where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Id<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

const NUMBERS: usize = 11;
/// Length of a summary as bytes.
pub const SUMMARY_BYTES: usize = REQUEST_ID_BYTES + EXTENDED_REQUEST_ID_BYTES + 8 * NUMBERS;

/// Where the status stands, two bytes.
pub(super) const STATUS_AT: usize = REQUEST_ID_BYTES + EXTENDED_REQUEST_ID_BYTES + 8 * 8;

impl Summary {
    pub(super) fn to_bytes(self) -> [u8; SUMMARY_BYTES] {
        let mut out = [0; SUMMARY_BYTES];
        out[..REQUEST_ID_BYTES].copy_from_slice(&self.request_id.0);
        out[REQUEST_ID_BYTES..][..EXTENDED_REQUEST_ID_BYTES].copy_from_slice(&self.extended_request_id.0);
        let [s0, s1] = self.status.to_le_bytes();
        let [i0, i1] = self.integration_status.to_le_bytes();
        let [o0, o1] = self.offset.to_le_bytes();
        let [b0, b1] = self.base_path_end.to_le_bytes();
        let flags = [self.is_reused, self.has_invalid_request_id, self.is_tls, self.is_canary];
        let flags = flags.iter().enumerate().fold(0, |all, (at, flag)| all | u8::from(*flag) << at);
        let numbers = [
            self.sequence,
            self.wall_millis,
            self.version,
            self.ended_nanos,
            self.connected_nanos,
            self.answered_nanos,
            self.request_length,
            self.response_length,
            u64::from_le_bytes([s0, s1, i0, i1, o0, o1, self.attempts, flags]),
            u64::from_le_bytes([self.addresses[0], self.addresses[1], self.step as u8, self.ended as u8, b0, b1, 0, 0]),
            self.called_nanos,
        ];
        let places = out[REQUEST_ID_BYTES + EXTENDED_REQUEST_ID_BYTES..].as_chunks_mut().0;
        for (place, number) in places.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        out
    }

    pub(super) fn from_bytes(bytes: &[u8; SUMMARY_BYTES]) -> Self {
        let (request_id, rest) = bytes.split_first_chunk().expect("as long as its parts together");
        let (extended_request_id, rest) = rest.split_first_chunk().expect("as long as its parts together");
        let places: &[[u8; 8]] = rest.as_chunks().0;
        let number = |at: usize| places.get(at).map_or(0, |place| u64::from_le_bytes(*place));
        let [s0, s1, i0, i1, o0, o1, attempts, flags] = number(8).to_le_bytes();
        let [known, aside, step, ended, b0, b1, ..] = number(9).to_le_bytes();
        Self {
            request_id: Id(*request_id),
            extended_request_id: Id(*extended_request_id),
            sequence: number(0),
            wall_millis: number(1),
            version: number(2),
            ended_nanos: number(3),
            called_nanos: number(10),
            connected_nanos: number(4),
            answered_nanos: number(5),
            request_length: number(6),
            response_length: number(7),
            status: u16::from_le_bytes([s0, s1]),
            integration_status: u16::from_le_bytes([i0, i1]),
            offset: u16::from_le_bytes([o0, o1]),
            attempts,
            addresses: [known, aside],
            step: Step::ALL.get(usize::from(step)).copied().unwrap_or_default(),
            ended: Ended::ALL.get(usize::from(ended)).copied().unwrap_or_default(),
            is_reused: flags & 1 != 0,
            has_invalid_request_id: flags & 2 != 0,
            is_tls: flags & 4 != 0,
            is_canary: flags & 8 != 0,
            base_path_end: u16::from_le_bytes([b0, b1]),
        }
    }
}
