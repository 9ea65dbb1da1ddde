//! One request through a definition that is not deployed, on a shard, by its ordinary code and to nobody else's notice.
//!
//! The definition is compiled into a version of its own, which one shard gets together with one end of a pair of
//! sockets; the request goes in at the other end, and the response comes out there. No listener leads to it.

use std::io::{self, Write};
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;
use std::time::Duration;

use ringgate_core::base::limits::{HEADER_BYTES_MAX, REQUEST_LINE_BYTES_MAX};
use ringgate_core::explain::{Decision, Tested};
use ringgate_core::plan::Snapshot;
use ringgate_core::proto::h1::{BodyDecoder, HeadLimits, Progress, ResponseHead, parse_response};
use ringgate_core::proto::http::Method;
use ringgate_core::record::decision::Records;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use super::gateway::Gateway;
use super::served::StageSpec;
use crate::shard::inbox::{Reply, TestInvocation, ToShard};

/// Tests at a time; further ones wait.
pub const TESTS_MAX: usize = 16;
/// The longest integration takes 29 s; the rest is for everything around it.
const PATIENCE: Duration = Duration::from_secs(35);
/// The domain that tests are called at, as on AWS.
pub const HOST: &str = "testPrefix.testDomainName";
/// Longest head, in bytes: any socket's buffer holds it, and no shard takes a longer one.
pub const HEAD_BYTES_MAX: usize = REQUEST_LINE_BYTES_MAX + HEADER_BYTES_MAX;
/// Largest response with its head, in bytes: the largest payload, and room for its head and framing.
const RESPONSE_BYTES_MAX: u64 = 11 << 20;

/// What is to be tested.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The definition, and what it is served as.
    pub stage: StageSpec,
    /// Head of a request to [`HOST`] with the empty line, in HTTP/1.1.
    pub head: Vec<u8>,
    /// Body of the request.
    pub body: Vec<u8>,
    /// Whether the method is HEAD.
    pub is_head: bool,
    /// The path that was asked for, without query.
    pub path: String,
    /// Header fields that were asked for.
    pub fields: Vec<(String, String)>,
}

/// What came of a test.
#[derive(Debug)]
pub struct Outcome {
    /// How the request was decided, masked.
    pub decision: Decision,
    /// Header fields of the response, in their order.
    pub fields: Vec<(String, String)>,
    /// Body of the response.
    pub body: Vec<u8>,
}

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestFailure {
    /// It did not end in time.
    Late,
    /// It was refused with this status before it reached the API.
    Refused(u16),
    /// The response is larger than a test can show.
    TooLarge,
    /// No shard took it, or the connection broke.
    Broken,
}

impl Gateway {
    /// Runs a test.
    ///
    /// # Errors
    /// [`TestFailure`].
    pub async fn test_invoke(&self, trial: Trial) -> Result<Outcome, TestFailure> {
        tokio::time::timeout(PATIENCE, self.run_test(trial)).await.unwrap_or(Err(TestFailure::Late))
    }

    async fn run_test(&self, trial: Trial) -> Result<Outcome, TestFailure> {
        let _room = self.tests.acquire().await.map_err(|_| TestFailure::Broken)?;
        let composed = self.compose_test(trial.stage.clone()).await;
        let snapshot = composed.ok_or(TestFailure::Broken)?;
        let (stream, records) = self.hand_over(snapshot, &trial.head).map_err(|_| TestFailure::Broken)?;
        let response = exchange(stream, &trial.body).await?;
        let Response { status, fields, body } = read_response(&response, trial.is_head).ok_or(TestFailure::Broken)?;
        let records = records.await.unwrap_or_default();
        let tested =
            Tested { path: &trial.path, fields: &trial.fields, request_body: &trial.body, response_body: &body };
        let decision = records.first().and_then(|record| Decision::read_tested(record, &tested, &self.redaction));
        Ok(Outcome { decision: decision.ok_or(TestFailure::Refused(status))?, fields, body })
    }

    /// Gives the first shard that has room a connection with `head` in it.
    fn hand_over(&self, snapshot: Arc<Snapshot>, head: &[u8]) -> io::Result<(UnixStream, oneshot::Receiver<Records>)> {
        let (mut ours, theirs) = StdStream::pair()?;
        ours.set_nonblocking(true)?;
        ours.write_all(head)?;
        let ours = UnixStream::from_std(ours)?;
        let (done, records) = oneshot::channel();
        let reply = Reply::new(move |records| drop(done.send(records)));
        let mut message = ToShard::TestInvoke(TestInvocation { snapshot, stream: theirs, reply });
        for inbox in &*self.inboxes {
            match inbox.send(message) {
                Ok(()) => return Ok((ours, records)),
                Err(unsent) => message = unsent,
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// Sends `body` while the response is read to its end.
async fn exchange(stream: UnixStream, body: &[u8]) -> Result<Vec<u8>, TestFailure> {
    let (reader, mut writer) = stream.into_split();
    let mut response = Vec::new();
    let send = async {
        // A shard that does not want all of it has answered already.
        let _ = writer.write_all(body).await;
    };
    let mut limited = reader.take(RESPONSE_BYTES_MAX + 1);
    let (received, ()) = tokio::join!(limited.read_to_end(&mut response), send);
    match received {
        _ if response.len() as u64 > RESPONSE_BYTES_MAX => Err(TestFailure::TooLarge),
        Ok(_) => Ok(response),
        Err(_) => Err(TestFailure::Broken),
    }
}

/// A whole response.
struct Response {
    status: u16,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Reads a response. `None`: it is not whole.
fn read_response(response: &[u8], is_head: bool) -> Option<Response> {
    let method = if is_head { Method::Head } else { Method::Get };
    let mut head = ResponseHead::default();
    let Ok(Progress::Complete(length)) = parse_response(response, &HeadLimits::for_origin(), method, &mut head) else {
        return None;
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let pair =
        |field: &ringgate_core::proto::h1::Field| (text(field.name.of(response)), text(field.value.of(response)));
    let fields = head.fields.iter().map(pair).collect();
    let mut decoder = BodyDecoder::new(head.framing);
    let (mut rest, mut body) = (&response[length..], Vec::new());
    while !decoder.is_done() && !rest.is_empty() {
        let step = decoder.decode(rest).ok()?;
        body.extend_from_slice(&rest[step.data]);
        rest = &rest[step.consumed..];
    }
    decoder.handle_end().ok()?;
    Some(Response { status: head.status.code(), fields, body })
}
