//! Why a message is not read: one variant for each reason, so that each can be counted.

use std::fmt;

/// Declares the enum with its statuses and labels from one table.
macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident: $status:literal, $label:literal;)*) => {
        /// A message that breaks the protocol, or that another server could read differently.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Refusal {
            $($(#[$doc])* $variant,)*
        }

        impl Refusal {
            /// Every reason, in the order of its index.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The status that answers a request so refused. (An origin's message is answered as a broken protocol.)
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }

            /// A stable name for metrics and logs.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                }
            }
        }
    };
}

refusals! {
    /// A line that ends in LF alone.
    BareLf: 400, "bare_lf";
    /// A CR that no LF follows.
    BareCr: 400, "bare_cr";
    /// A NUL byte in a head or a trailer.
    Nul: 400, "nul";
    /// A field line that starts with white space, so continues the one before (RFC 9112 §5.2), or the start line (§2.2).
    ObsFold: 400, "obs_fold";
    /// White space between a field name and its colon (RFC 9112 §5.1).
    SpaceBeforeColon: 400, "space_before_colon";
    /// A field name that is empty or no token, or a field line without a colon.
    BadFieldName: 400, "bad_field_name";
    /// A field value with a control character.
    BadFieldValue: 400, "bad_field_value";
    /// More empty lines before the start line than are skipped.
    EmptyHead: 400, "empty_head";
    /// The method is no token, or is a known method in another case.
    BadMethod: 400, "bad_method";
    /// A method that nobody registered (RFC 9110 §9.1).
    UnknownMethod: 501, "unknown_method";
    /// CONNECT: this is no forward proxy.
    Connect: 501, "connect";
    /// The request target is in none of the forms that its method allows.
    BadTarget: 400, "bad_target";
    /// The start line does not say `HTTP/` and a version of the right shape.
    BadVersion: 400, "bad_version";
    /// A well-formed version other than 1.0 and 1.1.
    UnsupportedVersion: 505, "unsupported_version";
    /// The status line's code is not three digits from 100 on, or is followed by something else than its reason.
    BadStatus: 400, "bad_status";
    /// HTTP/1.1 without a Host field.
    MissingHost: 400, "missing_host";
    /// More than one Host field.
    DuplicateHost: 400, "duplicate_host";
    /// A Host field that is no host and port.
    BadHost: 400, "bad_host";
    /// A Content-Length that is not digits only, or too large to count.
    BadContentLength: 400, "bad_content_length";
    /// More than one Content-Length, be they equal, or a list of them.
    DuplicateContentLength: 400, "duplicate_content_length";
    /// Content-Length beside Transfer-Encoding (RFC 9112 §6.1).
    ContentLengthWithTransferEncoding: 400, "content_length_with_transfer_encoding";
    /// More than one Transfer-Encoding field.
    DuplicateTransferEncoding: 400, "duplicate_transfer_encoding";
    /// A Transfer-Encoding that is malformed, or does not end in `chunked`, so that nobody can say where the body ends
    /// (RFC 9112 §6.3).
    BadTransferEncoding: 400, "bad_transfer_encoding";
    /// A Transfer-Encoding that applies a coding before `chunked`, which is not implemented (RFC 9112 §6.1).
    UnknownTransferEncoding: 501, "unknown_transfer_encoding";
    /// Transfer-Encoding in HTTP/1.0, where framing by it must be taken as faulty (RFC 9112 §6.1).
    TransferEncodingInHttp10: 400, "transfer_encoding_in_http10";
    /// Connection fields with more options than any message needs.
    TooManyConnectionOptions: 400, "too_many_connection_options";
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1).
    UnknownExpectation: 417, "unknown_expectation";
    /// The start line is too long.
    LineTooLong: 414, "line_too_long";
    /// The field lines together are too long.
    HeadersTooLarge: 431, "headers_too_large";
    /// There are too many fields.
    TooManyFields: 431, "too_many_fields";
    /// A chunk size that is empty, not hexadecimal, too long, or followed by something else than an extension.
    BadChunkSize: 400, "bad_chunk_size";
    /// A chunk extension that does not follow the grammar.
    BadChunkExtension: 400, "bad_chunk_extension";
    /// Chunk extensions beyond what anybody sends for a purpose.
    ChunkExtensionTooLong: 400, "chunk_extension_too_long";
    /// Chunk data that is not followed by CRLF: its length and its size differ.
    BadChunkEnd: 400, "bad_chunk_end";
    /// A trailer field that would change framing, routing or authentication (RFC 9110 §6.5.1).
    TrailerForbidden: 400, "trailer_forbidden";
    /// The trailer section is too long.
    TrailersTooLarge: 431, "trailers_too_large";
    /// The input ended inside a head.
    TruncatedHead: 400, "truncated_head";
    /// The input ended inside a body.
    TruncatedBody: 400, "truncated_body";
}

impl Refusal {
    /// A dense index into an array of `Refusal::ALL.len()` counters.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn labels_are_distinct_and_indices_dense() {
        let labels: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.label()).collect();
        assert_eq!(labels.len(), Refusal::ALL.len());
        for (index, refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(refusal.index(), index);
            assert!((400..600).contains(&refusal.status()));
            assert!(
                refusal.label().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            );
        }
    }
}
