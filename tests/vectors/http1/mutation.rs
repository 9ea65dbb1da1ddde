//! Seeded edits of messages, and what has to hold for whatever comes out.

use ringgate_core::proto::http::Method;

use super::wire::{End, Message, Reading, essential, read_requests, read_responses, write_requests, write_responses};

/// A generator with a state of 64 bits (splitmix64): enough to wander, and a failure is its seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `bound`; zero when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }
}

/// What parsers stumble over.
const TRIPWIRES: [&[u8]; 26] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b"\0",
    b",",
    b";",
    b"\"",
    b"0",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b"#",
    b"?",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: b.example\r\n",
    b"Connection: close\r\n",
    b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"HTTP/1.0",
    b"\r\n ",
];

/// Edits `bytes` in one to four places; `other` is another message to take pieces from.
pub fn mutated(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let most = random.below(4);
    for _ in 0..=random.below(most + 1) {
        mutate(&mut bytes, other, random);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let until = (at + random.below(12)).min(bytes.len());
    match random.below(7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
        2 => drop(bytes.drain(at..until)),
        3 => {
            let piece = bytes[at..until].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => {
            let from = random.below(other.len());
            let piece = &other[from..(from + random.below(80)).min(other.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        5 => bytes.truncate(at),
        _ => {
            let piece = TRIPWIRES[random.below(TRIPWIRES.len())];
            bytes.splice(at..until.min(at + random.below(3)), piece.iter().copied());
        }
    }
}

/// Whatever `bytes` are: how they arrive changes nothing, and what was read as requests is read as the same requests by
/// whoever gets them from us. Gives the number of messages read.
pub fn check_requests(bytes: &[u8], random: &mut Random) -> Result<usize, String> {
    let whole = read_requests(bytes, &[]);
    is_same_reading(&whole, &read_requests(bytes, &cuts(bytes.len(), random)))?;
    let again = read_requests(&write_requests(&whole.messages), &[]);
    is_same_list(&whole.messages, &again)?;
    Ok(whole.messages.len())
}

/// The same for responses.
pub fn check_responses(bytes: &[u8], random: &mut Random) -> Result<usize, String> {
    let whole = read_responses(bytes, Method::Get, &[]);
    is_same_reading(&whole, &read_responses(bytes, Method::Get, &cuts(bytes.len(), random)))?;
    let again = read_responses(&write_responses(&whole.messages), Method::Get, &[]);
    is_same_list(&whole.messages, &again)?;
    Ok(whole.messages.len())
}

/// Every byte alone, or a few places.
fn cuts(len: usize, random: &mut Random) -> Vec<usize> {
    if len < 512 && random.below(4) == 0 {
        return (0..len).collect();
    }
    let mut cuts: Vec<_> = (0..random.below(6)).map(|_| random.below(len + 1)).collect();
    cuts.sort_unstable();
    cuts
}

/// When a faulty line is refused, and why, may depend on the pieces: some faults are seen at once and some when the line
/// ends. What was read before it, and that nothing is read from it on, may not.
pub fn is_same_reading(whole: &Reading, pieces: &Reading) -> Result<(), String> {
    let is_fault = |end: End| matches!(end, End::Refused(_) | End::Cut(_));
    let is_same_end = whole.end == pieces.end || (is_fault(whole.end) && is_fault(pieces.end));
    let is_same = is_same_end && whole.messages == pieces.messages;
    if is_same { Ok(()) } else { Err(format!("whole: {whole:?}\nin pieces: {pieces:?}")) }
}

fn is_same_list(messages: &[Message], again: &Reading) -> Result<(), String> {
    let is_same = messages.len() == again.messages.len()
        && messages.iter().zip(&again.messages).all(|(one, other)| is_same_message(one, other));
    if is_same { Ok(()) } else { Err(format!("read: {messages:?}\nread again: {again:?}")) }
}

fn is_same_message(one: &Message, other: &Message) -> bool {
    let fields = essential(&one.fields);
    // A Host may have been added in front, where HTTP/1.0 needs none.
    let other_fields = essential(&other.fields);
    (&one.start, &one.body, &one.trailers) == (&other.start, &other.body, &other.trailers)
        && other_fields.ends_with(&fields)
        && other_fields.len() - fields.len() <= 1
}
