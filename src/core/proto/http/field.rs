//! Names of header fields (RFC 9110 §5.1): those that the gateway treats specially have a number, so that asking for
//! one is a bit test and not a comparison of strings.

/// Declares the enum, its list and its spellings from one table.
macro_rules! known_fields {
    ($($variant:ident = $name:literal,)*) => {
        /// A field name that some part of the gateway obeys, sets, drops or renames; everything else is `Other`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum KnownField {
            /// A name in no list.
            #[default]
            Other,
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        /// Every known field, in the order of its number; `Other` first.
        const ALL: &[KnownField] = &[KnownField::Other, $(KnownField::$variant,)*];
        /// The usual spelling of each, by number.
        const NAMES: &[&str] = &["", $($name,)*];
    };
}

known_fields! {
    Host = "Host",
    ContentLength = "Content-Length",
    TransferEncoding = "Transfer-Encoding",
    Connection = "Connection",
    KeepAlive = "Keep-Alive",
    ProxyConnection = "Proxy-Connection",
    Expect = "Expect",
    Te = "TE",
    Trailer = "Trailer",
    Upgrade = "Upgrade",
    Http2Settings = "HTTP2-Settings",
    ContentType = "Content-Type",
    ContentEncoding = "Content-Encoding",
    ContentMd5 = "Content-MD5",
    ContentRange = "Content-Range",
    ContentLocation = "Content-Location",
    Accept = "Accept",
    AcceptCharset = "Accept-Charset",
    AcceptEncoding = "Accept-Encoding",
    Authorization = "Authorization",
    Cookie = "Cookie",
    SetCookie = "Set-Cookie",
    Date = "Date",
    Server = "Server",
    Via = "Via",
    UserAgent = "User-Agent",
    MaxForwards = "Max-Forwards",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthorization = "Proxy-Authorization",
    WwwAuthenticate = "WWW-Authenticate",
    XForwardedFor = "X-Forwarded-For",
    XForwardedHost = "X-Forwarded-Host",
    XForwardedProto = "X-Forwarded-Proto",
    XForwardedPort = "X-Forwarded-Port",
    Forwarded = "Forwarded",
    XAmznRequestId = "x-amzn-RequestId",
    XAmznTraceId = "X-Amzn-Trace-Id",
    XAmznApigatewayApiId = "x-amzn-apigateway-api-id",
    XAmzApigwId = "x-amz-apigw-id",
    XApigwApiId = "x-apigw-api-id",
    XAmznErrorType = "x-amzn-ErrorType",
    XAmzDate = "X-Amz-Date",
    XAmzSecurityToken = "X-Amz-Security-Token",
    XApiKey = "x-api-key",
    XHttpMethodOverride = "X-HTTP-Method-Override",
    Origin = "Origin",
    AccessControlRequestMethod = "Access-Control-Request-Method",
    AccessControlRequestHeaders = "Access-Control-Request-Headers",
    Range = "Range",
    IfMatch = "If-Match",
    IfNoneMatch = "If-None-Match",
    IfModifiedSince = "If-Modified-Since",
    IfUnmodifiedSince = "If-Unmodified-Since",
    IfRange = "If-Range",
    CacheControl = "Cache-Control",
    Expires = "Expires",
    Vary = "Vary",
    Location = "Location",
    Warning = "Warning",
    Age = "Age",
    Pragma = "Pragma",
    Referer = "Referer",
}

const _: () = assert!(ALL.len() <= 64, "a FieldSet is one u64");

impl KnownField {
    /// Every known field, `Other` first.
    pub const ALL: &'static [Self] = ALL;

    /// The usual spelling; empty for `Other`.
    pub const fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// The field that `name` means, whatever its case. One probe of a table without collisions, then one comparison.
    #[inline]
    pub fn from_name(name: &[u8]) -> Self {
        let Some(slot) = slot(name) else { return Self::Other };
        let candidate = SLOTS[slot];
        if is_spelling(name, NAMES[candidate as usize].as_bytes()) { candidate } else { Self::Other }
    }
}

/// The bit that letters have in each byte. One place to the right is the bit that tells the cases apart.
const LETTERS: u64 = 0x4040_4040_4040_4040;

/// Whether `name` is `known` in any case, eight bytes at a time. Exact because known names hold only letters, digits
/// and hyphens, of which the letters alone have the bit 0x40: where it is set, the bit 0x20 may differ.
#[inline]
fn is_spelling(name: &[u8], known: &[u8]) -> bool {
    let differs = |name: u64, known: u64| (name ^ known) & !((known & LETTERS) >> 1) != 0;
    let (mut rest, mut known_rest) = (name, known);
    if name.len() != known.len() {
        return false;
    }
    while let (Some((word, after)), Some((known_word, known_after))) =
        (rest.split_first_chunk::<8>(), known_rest.split_first_chunk::<8>())
    {
        if differs(u64::from_le_bytes(*word), u64::from_le_bytes(*known_word)) {
            return false;
        }
        (rest, known_rest) = (after, known_after);
    }
    rest.iter().zip(known_rest).all(|(&byte, &known)| !differs(u64::from(byte), u64::from(known)))
}

const SLOT_COUNT: usize = 256;

/// Makes `slot` free of collisions over `NAMES`, which is checked below while compiling. Found by trial.
const SLOT_MULTIPLIER: u32 = 0x861f_bb6d;

/// Where a name stands in `SLOTS`: a hash of its length and of four of its bytes, folded to lower case.
#[inline]
const fn slot(name: &[u8]) -> Option<usize> {
    let len = name.len();
    if len < 2 {
        return None;
    }
    let inner = name[len - 2] ^ name[len / 2];
    let ends = (name[0] | 0x20) as u32 | ((name[len - 1] | 0x20) as u32) << 8 | ((inner | 0x20) as u32) << 16;
    let key = (len as u32 & 0xff) | ends << 8;
    Some((key.wrapping_mul(SLOT_MULTIPLIER) >> 24) as usize)
}

const SLOTS: [KnownField; SLOT_COUNT] = {
    let mut slots = [KnownField::Other; SLOT_COUNT];
    let mut number = 1;
    while number < ALL.len() {
        let Some(slot) = slot(NAMES[number].as_bytes()) else { panic!("a known name is at least two bytes long") };
        assert!(matches!(slots[slot], KnownField::Other), "two known names share a slot: try another multiplier");
        slots[slot] = ALL[number];
        number += 1;
    }
    slots
};

/// A set of known fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSet(u64);

impl FieldSet {
    /// No field.
    pub const EMPTY: Self = Self(0);

    /// The set of `fields`.
    pub const fn of(fields: &[KnownField]) -> Self {
        let mut set = Self::EMPTY;
        let mut next = 0;
        while next < fields.len() {
            set = set.with(fields[next]);
            next += 1;
        }
        set
    }

    /// This set and `field`.
    #[must_use]
    pub const fn with(self, field: KnownField) -> Self {
        Self(self.0 | 1 << field as u8)
    }

    /// This set without `field`.
    #[must_use]
    pub const fn without(self, field: KnownField) -> Self {
        Self(self.0 & !(1 << field as u8))
    }

    /// Whether `field` is in it.
    #[inline]
    pub const fn contains(self, field: KnownField) -> bool {
        self.0 & 1 << field as u8 != 0
    }

    /// Whether both sets have a field in common.
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The fields of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it has no field.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_recognised_in_any_case() {
        for &field in &KnownField::ALL[1..] {
            assert_eq!(KnownField::from_name(field.name().as_bytes()), field);
            assert_eq!(KnownField::from_name(field.name().to_ascii_uppercase().as_bytes()), field);
            assert_eq!(KnownField::from_name(field.name().to_ascii_lowercase().as_bytes()), field);
        }
    }

    #[test]
    fn names_that_resemble_a_known_one_are_other() {
        for name in [
            "",
            "T",
            "Hos",
            "Hosts",
            "H0st",
            "Content_Length",
            "Transfer-Encodinh",
            "X-Custom",
            "\u{212a}eep-Alive",
            "Keep\rAlive",
            "http\u{12}-settings",
        ] {
            assert_eq!(KnownField::from_name(name.as_bytes()), KnownField::Other, "{name}");
        }
        let long = vec![b'a'; 70_000];
        assert_eq!(KnownField::from_name(&long), KnownField::Other);
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        let set = FieldSet::of(&[KnownField::Host, KnownField::Referer, KnownField::Other]);
        assert!(set.contains(KnownField::Host) && set.contains(KnownField::Referer) && set.contains(KnownField::Other));
        assert!(!set.contains(KnownField::Te));
        assert!(set.intersects(FieldSet::EMPTY.with(KnownField::Host)));
        assert!(!set.without(KnownField::Host).contains(KnownField::Host));
    }
}
