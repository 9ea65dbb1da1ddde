//! Everything an exchange may ask of the world. `shard::effects` gives it on the ring; tests give it from a table.

use std::time::Duration;

use crate::base::Instant;
use crate::mapping::template::Renderer;
use crate::plan::UpstreamSlot;
use crate::proto::h1::ResponseHead;
use crate::proto::http::coding::{Coding, Encoder};

/// What an exchange may ask.
pub trait Effects {
    /// The monotonic clock, now.
    fn now(&self) -> Instant;

    /// A random number, each as likely as any other.
    fn draw(&mut self) -> u64;

    /// Sends `call` and waits for the head of the answer, which [`Effects::answer`] then gives.
    fn call(&mut self, call: Call<'_>) -> impl Future<Output = Result<(), CallFailure>>;

    /// When the last call had sent the client's body to its end, or was answered before, if the body was still coming.
    fn uploaded(&self) -> Option<Instant>;

    /// The answer of the last call that succeeded.
    fn answer(&self) -> Answer<'_>;

    /// Whether the connection can serve another request: the client's body has been read to its end, and nobody has
    /// told us to stop meanwhile.
    fn can_serve_again(&self) -> bool;

    /// Appends the client's whole body to `into`.
    fn read_body(&mut self, into: &mut Vec<u8>) -> impl Future<Output = Result<(), BodyFailure>>;

    /// Appends the whole body of the answer to `into`. It has the time that is left of the call's.
    fn read_answer(&mut self, into: &mut Vec<u8>) -> impl Future<Output = Result<(), CallFailure>>;

    /// Gives what runs templates to `run`.
    fn with_renderer<R>(&self, run: impl FnOnce(&mut Renderer) -> R) -> R;

    /// Lends an encoder that has been reset; `None`: there is no memory for one, and nothing is encoded.
    fn lend_encoder(&mut self, coding: Coding) -> Option<Box<Encoder>>;

    /// Takes a lent encoder back.
    fn take_back_encoder(&mut self, encoder: Box<Encoder>);
}

/// A request to an origin.
#[derive(Debug)]
pub struct Call<'c> {
    /// Which origin.
    pub upstream: UpstreamSlot,
    /// The head and, for [`CallBody::Own`], the body behind it. Lent to the driver, which may append to it.
    pub request: &'c mut Vec<u8>,
    /// What follows the head.
    pub body: CallBody,
    /// A second attempt on a fresh connection cannot do harm (RFC 9110 section 9.2.2).
    pub is_idempotent: bool,
    /// The answer to `HEAD` has no body.
    pub is_head: bool,
    /// From here, or from the end of a body that is still coming, to the head of the answer.
    pub timeout: Duration,
}

/// The body of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallBody {
    /// Already behind the head in [`Call::request`], or empty.
    Own,
    /// The client's, passed on as it comes.
    Clients,
}

/// The head of an origin's answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The parsed head.
    pub head: &'a ResponseHead,
    /// The bytes its spans point into.
    pub bytes: &'a [u8],
    /// Length of the body in bytes where it is known; 0 where there is none.
    pub length: Option<u64>,
}

/// Why there is no answer (rest-integrations §8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// The connection was refused, or no address could be reached.
    Refused,
    /// The name could not be resolved.
    NameNotFound,
    /// The origin is at an address that is not to be called: link-local metadata, our own admin listener.
    AddressNotAllowed,
    /// Reset, closed before an answer, TLS failure.
    Network,
    /// The answer breaks HTTP.
    Protocol,
    /// No answer in time.
    Timeout,
    /// The origin has as many connections as it may have.
    TooManyConnections,
    /// The process has no descriptor left to connect with.
    OutOfDescriptors,
    /// No memory for another exchange.
    OutOfMemory,
    /// The answer is larger than a response may be.
    TooLarge,
    /// The client's body ended early or broke its framing: nobody is left to answer, or 400.
    Body(BodyFailure),
}

/// Why the client's body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFailure {
    /// The client went away.
    Gone,
    /// It did not come in time.
    Timeout,
    /// Its framing is broken.
    Malformed,
    /// More than a request may carry: 413.
    TooLarge,
    /// No memory to hold it.
    OutOfMemory,
}
