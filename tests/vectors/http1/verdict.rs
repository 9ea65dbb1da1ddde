//! Whether what a reader made of a row is what the row allows. Knows neither the machines nor sockets, so that the
//! rows can be held against either.

use std::fmt;

use serde_json::Value;

/// What came of sending a row's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The messages that were read in full.
    pub served: Vec<Served>,
    /// The status that refused what came after them, or that answered its being cut short.
    pub refused: Option<u16>,
    /// Whether the connection ended with the last message by its own word.
    pub is_closed: bool,
}

/// One message that was read in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Whether it ends only with the connection.
    pub is_open_ended: bool,
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for message in &self.served {
            let start = |part: &[u8]| part[..part.len().min(80)].escape_ascii().to_string();
            write!(f, "[{} {}, body {}] ", start(&message.method), start(&message.target), start(&message.body))?;
        }
        write!(f, "then {:?}, closed: {}", self.refused, self.is_closed)
    }
}

/// The ruling on one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// As the row says.
    Held,
    /// Not as the row's reader did, for a reason that is named.
    Excused(&'static str),
    /// The row is about a relaxed mode.
    Skipped,
    /// Not as the row says.
    Broken(String),
}

fn held_if(holds: bool, otherwise: impl FnOnce() -> String) -> Ruling {
    if holds { Ruling::Held } else { Ruling::Broken(otherwise()) }
}

/// The bytes of a latin-1 text.
pub fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|it| u8::try_from(u32::from(it)).expect("the suites write a byte as a character")).collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// Rows with `verdict`, `status`, `body`, `requests`.
pub fn strictness(row: &Value, seen: &Observed) -> Ruling {
    let (rejected, accepted) = (is_rejected(row, seen), is_accepted(row, seen));
    let holds = match text(row, "verdict") {
        "accept" => accepted,
        "reject" => rejected,
        "reject-or-accept" => rejected || accepted,
        // Chunked framing wins, the length is dropped, the connection closes.
        "guarded" => rejected || (accepted && seen.served.len() == 1 && seen.is_closed),
        other => return Ruling::Broken(format!("unknown verdict {other:?}")),
    };
    held_if(holds, || format!("{} expected, seen {seen}", text(row, "verdict")))
}

fn is_rejected(row: &Value, seen: &Observed) -> bool {
    let allowed: Vec<u64> = row["status"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let may_be = |status: u16| status == 400 || allowed.contains(&u64::from(status));
    seen.served.is_empty() && seen.refused.is_some_and(may_be)
}

/// A row without `requests` is about its first message; more may follow it.
fn is_accepted(row: &Value, seen: &Observed) -> bool {
    let served = seen.served.len() as u64;
    let has_count = row["requests"].as_u64().map_or(served > 0, |requests| served == requests);
    let body = row["body"].as_str().map(latin1);
    let has_body = body.is_none_or(|body| seen.served.first().is_some_and(|first| first.body == body));
    has_count && has_body
}

/// A fault that is none of the message: data after `Connection: close`, and the pause at CONNECT or Upgrade.
const PAUSES: [u64; 2] = [5, 22];

/// Whether a row is about a mode that we do not have.
pub fn is_lenient(row: &Value) -> bool {
    row["meta"]["type"].as_str().is_some_and(|kind| kind.contains("lenient"))
}

/// Rows with `messages` and `error` of a strict parser. `excuse` is what a gateway may refuse and that parser reads.
pub fn strict_parser(row: &Value, seen: &Observed, excuse: Option<&'static str>) -> Ruling {
    if is_lenient(row) {
        return Ruling::Skipped;
    }
    let whole = seen.served.iter().filter(|message| !message.is_open_ended).count() as u64;
    let messages = row["messages"].as_u64().unwrap_or_default();
    let is_fault = row["error"]["code"].as_u64().is_some_and(|code| !PAUSES.contains(&code));
    match excuse {
        _ if is_fault => held_if(seen.refused.is_some() && whole <= messages, || format!("a fault was read: {seen}")),
        Some(excuse) if seen.refused.is_some() && whole < messages => Ruling::Excused(excuse),
        _ => held_if(whole == messages, || format!("{messages} messages expected, seen {seen}")),
    }
}

/// Why a gateway may refuse a request that a mere parser reads, from its bytes.
pub fn request_excuse(bytes: &[u8]) -> Option<&'static str> {
    let line = start_line(bytes);
    let version = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    if line.starts_with(b"CONNECT ") {
        Some("CONNECT: this is no forward proxy")
    } else if !version.starts_with(b"HTTP/") {
        Some("another protocol than HTTP")
    } else if !line.is_ascii() {
        Some("a target with bytes beyond ASCII, which no URI has (RFC 3986)")
    } else {
        coding_excuse(bytes, version)
    }
}

/// Why a gateway may refuse an origin's message that a mere parser reads.
pub fn response_excuse(bytes: &[u8]) -> Option<&'static str> {
    let line = start_line(bytes);
    if line.starts_with(b"HTTP/") { coding_excuse(bytes, line) } else { Some("another protocol than HTTP") }
}

fn coding_excuse(bytes: &[u8], version: &[u8]) -> Option<&'static str> {
    let head = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let mut codings = head.lines().filter_map(|line| line.strip_prefix("transfer-encoding:")).map(str::trim).peekable();
    if codings.peek().is_some() && version.starts_with(b"HTTP/1.0") {
        return Some("Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)");
    }
    let has_other = codings.any(|coding| coding != "chunked");
    has_other.then_some("a transfer coding that is not implemented (RFC 9112 6.1)")
}

fn start_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end).find(|line| !line.is_empty()).unwrap_or_default()
}

/// Rows with another server's `verdict` and the `requests` it read. We may refuse what it accepts.
pub fn server(row: &Value, seen: &Observed) -> Ruling {
    match text(row, "verdict") {
        "reject" if text(row, "fault").starts_with("Limit") && seen.refused.is_none() => {
            Ruling::Excused("read, not refused: a limit that the server set for itself")
        }
        "reject" => held_if(seen.refused.is_some(), || format!("reject expected, seen {seen}")),
        "incomplete" => held_if(seen.served.is_empty(), || format!("nothing whole expected, seen {seen}")),
        "accept" => same_requests(row, seen),
        other => Ruling::Broken(format!("unknown verdict {other:?}")),
    }
}

fn same_requests(row: &Value, seen: &Observed) -> Ruling {
    let expected: Vec<&Value> = row["requests"].as_array().into_iter().flatten().collect();
    let agrees = seen.served.iter().zip(&expected).all(|(served, expected)| is_same_request(served, expected));
    if !agrees || seen.served.len() > expected.len() {
        return Ruling::Broken(format!("read otherwise: {seen}"));
    }
    match seen.refused {
        _ if seen.served.len() == expected.len() => Ruling::Held,
        Some(_) => Ruling::Excused("a gateway may refuse what a server accepts"),
        None => Ruling::Broken(format!("neither read nor refused: {seen}")),
    }
}

/// That server writes names in capitals and leaves out some fields, so each of its fields has to be among ours.
fn is_same_request(served: &Served, expected: &Value) -> bool {
    let target = latin1(text(expected, "target"));
    let without_fragment = target.split(|&byte| byte == b'#').next().unwrap_or_default();
    let fields = expected["headers"].as_array().into_iter().flatten();
    served.method == latin1(text(expected, "method"))
        && served.target == without_fragment
        && served.body == latin1(text(expected, "body"))
        && fields.into_iter().all(|field| has_field(served, field))
}

fn has_field(served: &Served, expected: &Value) -> bool {
    let part = |index: usize| latin1(expected[index].as_str().unwrap_or_default());
    served.fields.iter().any(|(name, value)| name.eq_ignore_ascii_case(&part(0)) && *value == part(1))
}
