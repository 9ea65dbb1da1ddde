//! Decision records made readable: for people ([`story()`]), for programs ([`json()`]), and as the execution log that
//! users of CloudWatch know ([`execution_log`]).
//!
//! Records hold requests as they came. [`Decision::read`] is the one way from there to anything that is shown, and it
//! masks: nothing after it has seen a secret.

mod advice;
mod json;
mod log;
mod mask;
mod message;
mod story;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use crate::record::decision::{BODY_BYTES_MAX, Chunk, Summary, Tag, read};

pub use json::json;
pub use log::{Detail, Level, Shape, execution_log};
pub use mask::Redaction;
pub use message::{Body, Message};
pub use story::story;

use mask::{Secrets, masked, members, percent_decoded};

/// One request and what was decided about it, fit to be shown.
#[derive(Debug)]
pub struct Decision {
    /// Numbers and ids.
    pub summary: Summary,
    /// Names, reasons, verdicts: what is one text.
    texts: Vec<(Tag, String)>,
    /// The client's request.
    pub request: Message,
    /// The client's body.
    pub request_body: Option<Body>,
    /// Path variables with their values.
    pub path_variables: Vec<(String, String)>,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// What the request template of a MOCK made, where no status can be read of it.
    pub rendered: Option<Body>,
    /// The request to the back end; `None`: it was not called.
    pub call: Option<Message>,
    /// What was sent behind it.
    pub call_body: Option<Body>,
    /// Where it went.
    pub address: Option<SocketAddr>,
    /// The back end's answer.
    pub answer: Option<Message>,
    /// What came behind it.
    pub answer_body: Option<Body>,
    /// What the client was told.
    pub response: Message,
    /// What was sent behind it, where it was made here.
    pub response_body: Option<Body>,
    /// The path that a test was given, which may be one that does not lead to what is tested.
    tested_path: Option<String>,
}

/// What a test was given and what came of it, as far as records do not have it: bodies that only pass, and which part
/// of the request is not the tester's own.
#[derive(Clone, Copy, Debug)]
pub struct Tested<'t> {
    /// Path without query.
    pub path: &'t str,
    /// Header fields.
    pub fields: &'t [(String, String)],
    /// Body of the request.
    pub request_body: &'t [u8],
    /// Body of the response.
    pub response_body: &'t [u8],
}

impl Decision {
    /// Reads a record. `None` for bytes that are none.
    pub fn read(record: &[u8], redaction: &Redaction) -> Option<Self> {
        let (summary, chunks) = read(record)?;
        let raw = Raw { chunks: chunks.collect(), offset: summary.offset.into() };
        let secrets = raw.secrets(redaction);
        Some(Self::show(summary, &raw, &Shown { redaction, secrets: &secrets }))
    }

    /// Reads the record of a test. `None` for bytes that are none.
    pub fn read_tested(record: &[u8], tested: &Tested<'_>, redaction: &Redaction) -> Option<Self> {
        let (summary, chunks) = read(record)?;
        let mut raw = Raw { chunks: chunks.collect(), offset: summary.offset.into() };
        raw.complete(tested);
        let secrets = raw.secrets(redaction);
        let shown = Shown { redaction, secrets: &secrets };
        let mut decision = Self::show(summary, &raw, &shown);
        let is_own = |name: &str| tested.fields.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        decision.request.fields.retain(|(name, _)| is_own(name));
        decision.tested_path = Some(shown.text(tested.path));
        Some(decision)
    }

    fn show(summary: Summary, raw: &Raw<'_>, shown: &Shown<'_>) -> Self {
        let message = |tag| raw.one(tag).map(|chunk| Message::read(chunk, shown));
        let body = |tag| raw.one(tag).map(|chunk| Body::read(chunk, shown));
        let path_variables = raw.path_variables();
        Self {
            summary,
            texts: raw.texts(shown),
            request: message(Tag::RequestHead).unwrap_or_default(),
            request_body: body(Tag::RequestBody),
            path_variables: path_variables.into_iter().map(|(name, value)| shown.pair(&name, &value)).collect(),
            query: raw.query().iter().map(|(name, value)| shown.pair(name, value)).collect(),
            rendered: body(Tag::Rendered),
            call: message(Tag::CallHead),
            call_body: body(Tag::CallBody),
            address: raw.one(Tag::Address).and_then(|chunk| read_address(chunk.bytes)),
            answer: message(Tag::AnswerHead),
            answer_body: body(Tag::AnswerBody),
            response: message(Tag::ResponseHead).unwrap_or_default(),
            response_body: body(Tag::ResponseBody),
            tested_path: None,
        }
    }

    /// The text of a chunk, empty if there is none.
    fn text(&self, tag: Tag) -> &str {
        self.texts(tag).next().unwrap_or_default()
    }

    fn texts(&self, tag: Tag) -> impl Iterator<Item = &str> {
        self.texts.iter().filter(move |(known, _)| *known == tag).map(|(_, text)| text.as_str())
    }

    /// `$context.httpMethod`.
    pub fn method(&self) -> &str {
        match self.text(Tag::AskedMethod) {
            "" => self.request.method(),
            asked => asked,
        }
    }

    /// `$context.requestId`.
    pub fn request_id(&self) -> &str {
        std::str::from_utf8(&self.summary.request_id.0).unwrap_or_default()
    }

    fn extended_request_id(&self) -> &str {
        std::str::from_utf8(&self.summary.extended_request_id.0).unwrap_or_default()
    }

    /// Account of the API; empty where no API was found.
    pub fn account(&self) -> &str {
        self.text(Tag::Account)
    }

    /// Id of the API; empty where none was found.
    pub fn api_id(&self) -> &str {
        self.text(Tag::ApiId)
    }

    /// Whether the gateway answered it with a gateway response of its own.
    pub fn is_rejected(&self) -> bool {
        !self.text(Tag::ErrorType).is_empty()
    }

    /// When the response had ended, in milliseconds since 1970: what records of several shards are sorted by.
    pub fn ended_at_millis(&self) -> u64 {
        self.summary.wall_millis.saturating_add(self.summary.ended_nanos / 1_000_000)
    }

    /// The path of the request without what led to the stage.
    fn resource_path_given(&self) -> String {
        if let Some(path) = &self.tested_path {
            return path.clone();
        }
        let path = origin_form(self.request.target().split('?').next().unwrap_or_default());
        let given = path.get(self.summary.offset.into()..).unwrap_or_default();
        if given.is_empty() { "/".to_owned() } else { given.to_owned() }
    }

    /// Where the back end's request went, as a URL.
    fn endpoint(&self) -> Option<String> {
        let call = self.call.as_ref()?;
        let scheme = if self.summary.is_tls { "https" } else { "http" };
        Some(format!("{scheme}://{}{}", call.field("host").unwrap_or_default(), call.target()))
    }

    /// Headers of the response beyond those that every response of ours carries.
    fn own_response_fields(&self) -> impl Iterator<Item = &(String, String)> {
        const EVERYWHERE: [&str; 6] =
            ["date", "connection", "content-length", "transfer-encoding", "x-amzn-requestid", "x-amz-apigw-id"];
        self.response.fields.iter().filter(|(name, _)| !EVERYWHERE.contains(&name.to_ascii_lowercase().as_str()))
    }
}

/// What may be shown.
struct Shown<'s> {
    redaction: &'s Redaction,
    secrets: &'s Secrets,
}

impl Shown<'_> {
    fn value(&self, name: &str, value: &str) -> String {
        if self.redaction.is_secret(name) { masked(value) } else { self.text(value) }
    }

    fn pair(&self, name: &str, value: &str) -> (String, String) {
        (self.text(name), self.value(name, value))
    }

    fn text(&self, text: &str) -> String {
        self.secrets.mask(text).into_owned()
    }

    /// A target with its query.
    fn target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else { return self.text(target) };
        let pair = |pair: &str| match pair.split_once('=') {
            Some((name, value)) if self.redaction.is_secret(&percent_decoded(name)) => {
                format!("{name}={}", masked(value))
            }
            _ => self.text(pair),
        };
        let query: Vec<_> = query.split('&').map(pair).collect();
        format!("{}?{}", self.text(path), query.join("&"))
    }

    /// A body, also by the names of its members.
    fn body(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        members(text, |name, range| {
            if self.redaction.is_secret(name) {
                out.push_str(&text[copied..range.start]);
                out.push_str(&masked(&text[range.clone()]));
                copied = range.end;
            }
        });
        out.push_str(&text[copied..]);
        self.text(&out)
    }
}

/// A record's chunks as they are: nothing of this is shown.
struct Raw<'r> {
    chunks: Vec<Chunk<'r>>,
    /// Where the resource path begins in the path.
    offset: usize,
}

impl<'r> Raw<'r> {
    /// Adds the bodies that passed.
    fn complete(&mut self, tested: &Tested<'r>) {
        let chunk = |tag, body: &'r [u8]| {
            let bytes = body.get(..BODY_BYTES_MAX).unwrap_or(body);
            Chunk { tag, is_cut: bytes.len() < body.len(), bytes }
        };
        if self.one(Tag::RequestBody).is_none() {
            self.chunks.push(chunk(Tag::RequestBody, tested.request_body));
        }
        let has_passed = [Tag::AnswerBody, Tag::ResponseBody].into_iter().all(|tag| self.one(tag).is_none());
        if has_passed && self.one(Tag::AnswerHead).is_some() {
            self.chunks.push(chunk(Tag::AnswerBody, tested.response_body));
        }
    }

    fn one(&self, tag: Tag) -> Option<Chunk<'r>> {
        self.chunks.iter().find(|chunk| chunk.tag == tag).copied()
    }

    fn all(&self, tag: Tag) -> impl Iterator<Item = String> {
        let found = self.chunks.iter().filter(move |chunk| chunk.tag == tag);
        found.map(|chunk| String::from_utf8_lossy(chunk.bytes).into_owned())
    }

    fn target(&self) -> String {
        let head = self.all(Tag::RequestHead).next().unwrap_or_default();
        head.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    fn query(&self) -> Vec<(String, String)> {
        let target = self.target();
        let pairs = target.split_once('?').map_or("", |(_, query)| query).split('&').filter(|pair| !pair.is_empty());
        let decoded = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decoded(name), percent_decoded(value))
        };
        pairs.map(decoded).collect()
    }

    fn path_variables(&self) -> Vec<(String, String)> {
        let target = self.target();
        let path = origin_form(target.split('?').next().unwrap_or_default());
        let spans = self.one(Tag::Captures).map_or(&[][..], |chunk| chunk.bytes.as_chunks::<4>().0);
        let value = |&[a, b, c, d]: &[u8; 4]| {
            let at = |low, high| self.offset + usize::from(u16::from_le_bytes([low, high]));
            path.get(at(a, b)..at(c, d)).unwrap_or_default().to_owned()
        };
        self.all(Tag::PathVariable).zip(spans.iter().map(value)).collect()
    }

    fn texts(&self, shown: &Shown<'_>) -> Vec<(Tag, String)> {
        let is_text = |chunk: &&Chunk<'_>| {
            use Tag::{
                AnswerBody, AnswerHead, CallBody, CallHead, Rendered, RequestBody, RequestHead, ResponseBody,
                ResponseHead,
            };
            let heads = [RequestHead, CallHead, AnswerHead, ResponseHead];
            let bodies = [RequestBody, Rendered, CallBody, AnswerBody, ResponseBody];
            !heads.contains(&chunk.tag)
                && !bodies.contains(&chunk.tag)
                && !matches!(chunk.tag, Tag::Captures | Tag::Address)
        };
        let text = |chunk: &Chunk<'_>| {
            let text = String::from_utf8_lossy(chunk.bytes);
            let text = match text.split_once('=') {
                Some((name, value)) if chunk.tag == Tag::StageVariable => {
                    format!("{name}={}", shown.value(name, value))
                }
                _ => shown.text(&text),
            };
            (chunk.tag, text)
        };
        self.chunks.iter().filter(is_text).map(text).collect()
    }

    /// Everything that stands under a secret's name anywhere.
    fn secrets(&self, redaction: &Redaction) -> Secrets {
        let mut secrets = Secrets::default();
        let mut learn = |name: &str, value: &str| {
            if redaction.is_secret(name) {
                secrets.learn(value);
            }
        };
        for tag in [Tag::RequestHead, Tag::AnswerHead, Tag::CallHead, Tag::ResponseHead] {
            let head = self.all(tag).next().unwrap_or_default();
            message::fields(&head).for_each(|(name, value)| learn(name, value));
        }
        for tag in [Tag::RequestBody, Tag::Rendered, Tag::AnswerBody, Tag::CallBody, Tag::ResponseBody] {
            let body = self.all(tag).next().unwrap_or_default();
            members(&body, |name, range| learn(name, &body[range]));
        }
        self.query().iter().chain(&self.path_variables()).for_each(|(name, value)| learn(name, value));
        for variable in self.all(Tag::StageVariable) {
            let (name, value) = variable.split_once('=').unwrap_or_default();
            learn(name, value);
        }
        secrets
    }
}

/// The path of a target, also of one in absolute form (RFC 9112 section 3.2.2).
fn origin_form(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://").filter(|_| !target.starts_with('/')) else { return target };
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
}

fn read_address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let ip: IpAddr = match ip.len() {
        4 => <[u8; 4]>::try_from(ip).ok()?.into(),
        _ => <[u8; 16]>::try_from(ip).ok()?.into(),
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}
