//! Reads everything one side of a connection sends, the way a driver of the machines does, and writes it again.

use ringgate_core::proto::h1::{
    BodyDecoder, Framing, HeadLimits, Progress, Refusal, RequestHead, ResponseHead, Span, encode_chunk_header,
    parse_request, parse_response, write,
};
use ringgate_core::proto::http::{KnownField, Method, Status};

/// A message as it was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Method and target, or status and reason.
    pub start: (Vec<u8>, Vec<u8>),
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    pub trailers: Vec<u8>,
    pub framing: Framing,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Between two messages; the connection could go on.
    Open,
    /// The last message said that it is the last one.
    Closed,
    /// Inside a message.
    Cut(Refusal),
    /// At a message that is not read.
    Refused(Refusal),
}

/// What was understood of a whole connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub messages: Vec<Message>,
    pub end: End,
    /// Where the message starts at which reading ended.
    pub stopped_at: usize,
}

/// Reads requests from `bytes`, which arrive in pieces that end at `cuts`.
pub fn read_requests(bytes: &[u8], cuts: &[usize]) -> Reading {
    read(RequestSide { limits: HeadLimits::default(), head: RequestHead::new() }, bytes, cuts)
}

/// Reads responses to requests of `method`.
pub fn read_responses(bytes: &[u8], method: Method, cuts: &[usize]) -> Reading {
    read(ResponseSide { limits: HeadLimits::for_origin(), method, head: ResponseHead::new() }, bytes, cuts)
}

/// The part of reading in which requests and responses differ.
trait Side {
    fn parse(&mut self, bytes: &[u8]) -> Result<Progress, Refusal>;
    fn message(&self, bytes: &[u8]) -> Message;
    fn keeps_alive(&self) -> bool;
    fn end(&self) -> Result<(), Refusal>;
}

struct RequestSide {
    limits: HeadLimits,
    head: RequestHead,
}

impl Side for RequestSide {
    fn parse(&mut self, bytes: &[u8]) -> Result<Progress, Refusal> {
        parse_request(bytes, &self.limits, &mut self.head)
    }

    fn message(&self, bytes: &[u8]) -> Message {
        let head = &self.head;
        let start = (head.method_text.of(bytes).to_vec(), head.target.of(bytes).to_vec());
        Message { start, fields: fields(head.fields.iter(), bytes), framing: head.framing, ..Message::default() }
    }

    fn keeps_alive(&self) -> bool {
        self.head.keep_alive
    }

    fn end(&self) -> Result<(), Refusal> {
        self.head.handle_end()
    }
}

struct ResponseSide {
    limits: HeadLimits,
    method: Method,
    head: ResponseHead,
}

impl Side for ResponseSide {
    fn parse(&mut self, bytes: &[u8]) -> Result<Progress, Refusal> {
        parse_response(bytes, &self.limits, self.method, &mut self.head)
    }

    fn message(&self, bytes: &[u8]) -> Message {
        let head = &self.head;
        let start = (head.status.to_string().into_bytes(), head.reason.of(bytes).to_vec());
        Message { start, fields: fields(head.fields.iter(), bytes), framing: head.framing, ..Message::default() }
    }

    fn keeps_alive(&self) -> bool {
        self.head.keep_alive
    }

    fn end(&self) -> Result<(), Refusal> {
        self.head.handle_end()
    }
}

fn fields<'a>(
    list: impl Iterator<Item = &'a ringgate_core::proto::h1::Field>,
    bytes: &[u8],
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let text = |span: Span| span.of(bytes).to_vec();
    list.map(|field| (text(field.name), text(field.value))).collect()
}

/// A connection that is being read.
struct Connection<S> {
    side: S,
    messages: Vec<Message>,
    at: usize,
    body: Option<(Message, BodyDecoder)>,
    is_closed: bool,
}

fn read<S: Side>(side: S, bytes: &[u8], cuts: &[usize]) -> Reading {
    let mut connection = Connection { side, messages: Vec::new(), at: 0, body: None, is_closed: false };
    for end in cuts.iter().copied().chain([bytes.len()]) {
        if let Err(refusal) = connection.take(&bytes[..end]) {
            return connection.reading(End::Refused(refusal));
        }
    }
    let end = match connection.end() {
        Err(refusal) => End::Cut(refusal),
        Ok(()) if connection.is_closed => End::Closed,
        Ok(()) => End::Open,
    };
    connection.reading(end)
}

impl<S: Side> Connection<S> {
    /// Reads as far as the bytes that have arrived allow.
    fn take(&mut self, arrived: &[u8]) -> Result<(), Refusal> {
        while !self.is_closed && (self.begin_message(arrived)? && self.continue_body(arrived)?) {}
        Ok(())
    }

    /// Whether a head is complete, so that a body is being read.
    fn begin_message(&mut self, arrived: &[u8]) -> Result<bool, Refusal> {
        if self.body.is_some() {
            return Ok(true);
        }
        let rest = &arrived[self.at..];
        let Progress::Complete(len) = self.side.parse(rest)? else { return Ok(false) };
        let message = self.side.message(rest);
        let decoder = BodyDecoder::new(message.framing);
        self.body = Some((message, decoder));
        self.at += len;
        Ok(true)
    }

    /// Whether the body is complete, so that another message may begin.
    fn continue_body(&mut self, arrived: &[u8]) -> Result<bool, Refusal> {
        let Some((message, decoder)) = &mut self.body else { return Ok(true) };
        loop {
            let rest = &arrived[self.at..];
            let step = decoder.decode(rest)?;
            message.body.extend_from_slice(&rest[step.data]);
            self.at += step.consumed;
            if step.ended {
                self.finish_message();
                return Ok(true);
            }
            if self.at == arrived.len() {
                return Ok(false);
            }
        }
    }

    fn finish_message(&mut self) {
        let Some((mut message, decoder)) = self.body.take() else { return };
        message.trailers = decoder.chunked().map(|it| it.trailers().to_vec()).unwrap_or_default();
        self.messages.push(message);
        self.is_closed = !self.side.keeps_alive();
    }

    /// The other side has sent all it will.
    fn end(&mut self) -> Result<(), Refusal> {
        match &mut self.body {
            Some((_, decoder)) => {
                decoder.handle_end()?;
                self.finish_message();
                Ok(())
            }
            None if self.is_closed => Ok(()),
            None => self.side.end(),
        }
    }

    fn reading(self, end: End) -> Reading {
        Reading { messages: self.messages, end, stopped_at: self.at }
    }
}

/// Writes requests as a gateway would: the fields as they came, framing of its own.
pub fn write_requests(messages: &[Message]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        write::write_request_line(&message.start.0, &message.start.1, &mut out).expect("what was read can be written");
        let has_host = message.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"Host"));
        if !has_host {
            write::write_field(b"Host", b"added.example", &mut out).expect("plain");
        }
        write_rest(message, &mut out);
    }
    out
}

/// Writes responses likewise.
pub fn write_responses(messages: &[Message]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        let code = std::str::from_utf8(&message.start.0).ok().and_then(|text| text.parse().ok()).and_then(Status::new);
        write::write_status_line_with(code.expect("three digits"), &message.start.1, &mut out).expect("printable");
        write_rest(message, &mut out);
    }
    out
}

fn write_rest(message: &Message, out: &mut Vec<u8>) {
    for (name, value) in essential(&message.fields) {
        write::write_field(&name, &value, out).expect("what was read can be written");
    }
    match message.framing {
        Framing::None => write::end_head(out),
        Framing::Length(_) | Framing::UntilClose => {
            write::write_length(message.body.len() as u64, out);
            write::end_head(out);
            out.extend_from_slice(&message.body);
        }
        Framing::Chunked => {
            write::write_chunked(out);
            write::end_head(out);
            write_chunks(message, out);
        }
    }
}

fn write_chunks(message: &Message, out: &mut Vec<u8>) {
    for chunk in message.body.chunks(7) {
        encode_chunk_header(chunk.len(), out);
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    encode_chunk_header(0, out);
    out.extend_from_slice(&message.trailers);
    out.extend_from_slice(b"\r\n");
}

/// The fields that a forwarder passes on unseen: all but those of framing, of the connection and of waiting.
pub fn essential(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let is_own = |name: &[u8]| {
        matches!(
            KnownField::from_name(name),
            KnownField::ContentLength | KnownField::TransferEncoding | KnownField::Connection | KnownField::Expect
        )
    };
    fields.iter().filter(|(name, _)| !is_own(name)).cloned().collect()
}
