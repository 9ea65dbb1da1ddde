//! Content codings (RFC 9110 section 8.4): `gzip` and `deflate`, which codings a client takes, and the two directions.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// A coding of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, which HTTP calls `deflate`.
    Deflate,
}

/// What a `Content-Encoding` field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// Not at all, or `identity`.
    Plain,
    /// Once, in a coding that is known.
    In(Coding),
    /// In another coding, or several times over.
    Unknown,
}

impl Encoded {
    /// Reads the value of a `Content-Encoding` field.
    pub fn parse(value: &[u8]) -> Self {
        let value = value.trim_ascii();
        if value.is_empty() || value.eq_ignore_ascii_case(b"identity") {
            return Self::Plain;
        }
        Coding::parse(value).map_or(Self::Unknown, Self::In)
    }
}

/// A weight in thousandths (RFC 9110 section 12.4.2).
type Weight = u16;
const WEIGHT_MAX: Weight = 1_000;

impl Coding {
    /// How many there are.
    pub const COUNT: usize = 2;

    /// Its name in `Content-Encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            return Some(Self::Gzip);
        }
        name.eq_ignore_ascii_case(b"deflate").then_some(Self::Deflate)
    }

    /// The coding to answer in, by the values of the `Accept-Encoding` fields: the supported one of the highest weight,
    /// `gzip` where two weigh the same. `None`: plain, which a client also gets that says nothing.
    pub fn accepted<'v>(values: impl Iterator<Item = &'v [u8]>) -> Option<Self> {
        let (mut gzip, mut deflate, mut plain, mut any) = (None, None, None, None);
        for member in values.flat_map(|value| value.split(|&byte| byte == b',')) {
            let (name, weight) = weighted(member);
            match Self::parse(name) {
                Some(Self::Gzip) => gzip = Some(weight),
                Some(Self::Deflate) => deflate = Some(weight),
                None if name == b"*" => any = Some(weight),
                None if name.eq_ignore_ascii_case(b"identity") => plain = Some(weight),
                None => {}
            }
        }
        let [gzip, deflate] = [gzip, deflate].map(|weight| weight.or(any).unwrap_or(0));
        let (best, weight) = if deflate > gzip { (Self::Deflate, deflate) } else { (Self::Gzip, gzip) };
        (weight > 0 && weight >= plain.unwrap_or(0)).then_some(best)
    }
}

/// The name and the weight of one member of an `Accept-Encoding` list. A weight that cannot be read is the highest.
fn weighted(member: &[u8]) -> (&[u8], Weight) {
    let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q=")));
    (name, weight.and_then(thousandths).unwrap_or(WEIGHT_MAX))
}

/// `0.5` is 500.
fn thousandths(text: &[u8]) -> Option<Weight> {
    let (whole, fraction) = match text {
        [whole @ b'0'..=b'1'] => (whole, &[][..]),
        [whole @ b'0'..=b'1', b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let mut weight = Weight::from(whole - b'0');
    for place in 0..3 {
        let digit = fraction.get(place).copied().unwrap_or(b'0');
        weight = weight * 10 + Weight::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(weight.min(WEIGHT_MAX))
}

/// What is to become of input that the encoder still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// More is to come: it may wait.
    Later,
    /// More may come, nobody knows when: the reader gets all there is.
    Now,
    /// It was the last.
    End,
}

/// Encodes content piece by piece. It holds some 300 KiB, so it is lent and reused.
#[derive(Debug)]
pub struct Encoder {
    coding: Coding,
    stream: Compress,
}

impl Encoder {
    /// Memory of one, in bytes, as it is accounted for.
    pub const BYTES: usize = 320 * 1024;
    /// Between the fastest and the usual: an answer of JSON shrinks to a fifth either way.
    const LEVEL: u32 = 4;
    const WINDOW_BITS: u8 = 15;

    /// An encoder for one coding.
    pub fn new(coding: Coding) -> Self {
        let level = Compression::new(Self::LEVEL);
        let stream = match coding {
            Coding::Gzip => Compress::new_gzip(level, Self::WINDOW_BITS),
            Coding::Deflate => Compress::new(level, true),
        };
        Self { coding, stream }
    }

    /// Its coding.
    pub const fn coding(&self) -> Coding {
        self.coding
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.stream.reset();
    }

    /// Encodes `input` and appends to `out` what has become of it.
    pub fn encode(&mut self, mut input: &[u8], flush: Flush, out: &mut Vec<u8>) {
        const ROOM: usize = 4_096;
        let flush = match flush {
            Flush::Later => FlushCompress::None,
            Flush::Now => FlushCompress::Sync,
            Flush::End => FlushCompress::Finish,
        };
        loop {
            out.reserve(ROOM.max(input.len() / 4));
            let before = self.stream.total_in();
            let status = self.stream.compress_vec(input, out, flush);
            let used = usize::try_from(self.stream.total_in() - before).unwrap_or(input.len());
            input = input.get(used..).unwrap_or_default();
            let is_full = out.len() == out.capacity();
            let is_over = match status {
                Ok(Status::StreamEnd) | Err(_) => true,
                Ok(Status::Ok | Status::BufError) => input.is_empty() && !is_full && flush != FlushCompress::Finish,
            };
            if is_over {
                return;
            }
        }
    }
}

/// Why encoded content could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeFailure {
    /// It is not what its coding says, or it ends early.
    Corrupt,
    /// It becomes more than was allowed.
    TooLarge,
}

/// Appends the plain form of `input` to `out`: at most `bytes_max` bytes, however small the input was.
///
/// # Errors
/// [`DecodeFailure`]; `out` then holds a part.
pub fn decode(coding: Coding, mut input: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Result<(), DecodeFailure> {
    const ROOM: usize = 16 * 1024;
    let start = out.len();
    let mut stream = decoder(coding);
    loop {
        let before = (out.len(), input.len());
        if out.len() == out.capacity() {
            // Room doubles, but one byte more than is allowed tells what is too large from what just fits.
            let left = bytes_max + 1 - (out.len() - start);
            out.reserve_exact(ROOM.max(out.len()).max(input.len()).min(left));
        }
        let read = stream.total_in();
        let status = stream.decompress_vec(input, out, FlushDecompress::None).map_err(|_| DecodeFailure::Corrupt)?;
        let used = usize::try_from(stream.total_in() - read).unwrap_or(input.len());
        input = input.get(used..).unwrap_or_default();
        if out.len() - start > bytes_max {
            return Err(DecodeFailure::TooLarge);
        }
        match status {
            Status::StreamEnd if input.is_empty() => return Ok(()),
            // RFC 1952 section 2.2: members may follow each other.
            Status::StreamEnd if coding == Coding::Gzip => stream = decoder(coding),
            Status::StreamEnd => return Err(DecodeFailure::Corrupt),
            Status::Ok | Status::BufError if before == (out.len(), input.len()) => return Err(DecodeFailure::Corrupt),
            Status::Ok | Status::BufError => {}
        }
    }
}

fn decoder(coding: Coding) -> Decompress {
    match coding {
        Coding::Gzip => Decompress::new_gzip(Encoder::WINDOW_BITS),
        Coding::Deflate => Decompress::new(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODINGS: [Coding; Coding::COUNT] = [Coding::Gzip, Coding::Deflate];

    #[test]
    fn the_heaviest_supported_coding_is_taken() {
        use Coding::{Deflate, Gzip};
        let cases = [
            ("gzip, deflate, br", Some(Gzip)),
            ("deflate", Some(Deflate)),
            ("deflate, gzip", Some(Gzip)),
            ("deflate;q=0.9, gzip;q=0.5", Some(Deflate)),
            ("X-GZIP; q=0.001", Some(Gzip)),
            ("br", None),
            ("", None),
            ("*", Some(Gzip)),
            ("gzip;q=0, *", Some(Deflate)),
            ("*;q=0, deflate", Some(Deflate)),
            ("gzip;q=0", None),
            ("identity", None),
            ("identity;q=0.5, gzip;q=0.4", None),
            ("identity, gzip", Some(Gzip)),
            ("gzip;q=nonsense", Some(Gzip)),
        ];
        for (value, expected) in cases {
            assert_eq!(Coding::accepted(std::iter::once(value.as_bytes())), expected, "{value}");
        }
        assert_eq!(Coding::accepted([&b"br"[..], b"deflate"].into_iter()), Some(Deflate));
        assert_eq!(Coding::accepted(std::iter::empty()), None);
    }

    #[test]
    fn content_that_is_encoded_once_is_told_from_what_is_not_known() {
        let cases = [
            ("", Encoded::Plain),
            ("Identity", Encoded::Plain),
            ("gzip", Encoded::In(Coding::Gzip)),
            (" Deflate ", Encoded::In(Coding::Deflate)),
            ("br", Encoded::Unknown),
            ("gzip, gzip", Encoded::Unknown),
        ];
        for (value, expected) in cases {
            assert_eq!(Encoded::parse(value.as_bytes()), expected, "{value}");
        }
    }

    fn encoded(coding: Coding, pieces: &[&[u8]], flush: Flush) -> Vec<u8> {
        let (mut encoder, mut out) = (Encoder::new(coding), Vec::new());
        encoder.encode(b"left over from another", Flush::Later, &mut out);
        encoder.reset();
        out.clear();
        for piece in pieces {
            encoder.encode(piece, flush, &mut out);
        }
        encoder.encode(b"", Flush::End, &mut out);
        out
    }

    #[test]
    fn what_was_encoded_in_pieces_is_read_back() {
        let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for coding in CODINGS {
            for flush in [Flush::Later, Flush::Now] {
                for pieces in [vec![], vec![&b"hi"[..]], vec![&noise[..70_000], &noise[70_000..]]] {
                    let whole = pieces.concat();
                    let small = encoded(coding, &pieces, flush);
                    let mut out = b"kept".to_vec();
                    assert_eq!(decode(coding, &small, whole.len(), &mut out), Ok(()), "{coding:?}");
                    assert!(out[4..] == whole, "{coding:?}");
                }
            }
        }
    }

    #[test]
    fn a_piece_that_is_flushed_can_be_read_at_once() {
        let (mut encoder, mut out) = (Encoder::new(Coding::Gzip), Vec::new());
        encoder.encode(b"event: 1\n\n", Flush::Now, &mut out);
        let mut read = Vec::with_capacity(100);
        decoder(Coding::Gzip).decompress_vec(&out, &mut read, FlushDecompress::None).expect("sound");
        assert_eq!(read, b"event: 1\n\n");
    }

    #[test]
    fn what_is_broken_or_grows_too_much_is_refused() {
        for coding in CODINGS {
            let bomb = encoded(coding, &[&vec![0; 1_000_000]], Flush::Later);
            assert!(bomb.len() < 10_000);
            let mut out = Vec::new();
            assert_eq!(decode(coding, &bomb, 50_000, &mut out), Err(DecodeFailure::TooLarge));
            assert!(out.capacity() < 200_000, "no more is made than is allowed: {}", out.capacity());
            let whole = encoded(coding, &[b"hello hello hello"], Flush::Later);
            for cut in 0..whole.len() {
                assert_eq!(decode(coding, &whole[..cut], 100, &mut Vec::new()), Err(DecodeFailure::Corrupt), "{cut}");
            }
            assert_eq!(decode(coding, b"plain text", 100, &mut Vec::new()), Err(DecodeFailure::Corrupt));
        }
        let gzip = encoded(Coding::Gzip, &[b"ab"], Flush::Later);
        let mut out = Vec::new();
        assert_eq!(decode(Coding::Gzip, &[gzip.clone(), gzip].concat(), 4, &mut out), Ok(()));
        assert_eq!(out, b"abab");
        let deflate = [&encoded(Coding::Deflate, &[b"ab"], Flush::Later)[..], b"x"].concat();
        assert_eq!(decode(Coding::Deflate, &deflate, 9, &mut Vec::new()), Err(DecodeFailure::Corrupt));
    }
}
