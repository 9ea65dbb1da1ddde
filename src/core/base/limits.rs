//! Every limit of the request path and of definitions, with its unit in its name.
//!
//! AWS's numbers are those of <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>;
//! the reference for each is beside it.

/// Longest request line in bytes, method to version (AWS: Regional APIs, 10,240). Longer: 414.
pub const REQUEST_LINE_BYTES_MAX: usize = 10_240;
/// Most bytes of header names, values and line ends together (AWS: 10,240). More: 431.
pub const HEADER_BYTES_MAX: usize = 10_240;
/// Most header fields of one message. AWS bounds only their bytes; the table of fields must be bounded too.
pub const HEADER_FIELDS_MAX: usize = 512;
/// The buffer a request head is read into: a whole head always fits.
pub const HEAD_BUFFER_BYTES: usize = 24_576;
/// Longest head an origin may send, status line and fields together.
pub const ORIGIN_HEAD_BYTES_MAX: usize = 65_536;
/// Largest request or response body in bytes (AWS: 10 MB, not raisable).
pub const PAYLOAD_BYTES_MAX: u64 = 10_485_760;
/// Shortest integration timeout in milliseconds.
pub const INTEGRATION_TIMEOUT_MS_MIN: u64 = 50;
/// Default and longest integration timeout in milliseconds of a REST API.
pub const INTEGRATION_TIMEOUT_MS_MAX: u64 = 29_000;
/// Longest integration timeout in milliseconds under `--limits relaxed`: what AWS allows a regional API whose quota was
/// raised.
pub const INTEGRATION_TIMEOUT_MS_RELAXED_MAX: u64 = 300_000;
/// Least bytes a second of a request body, over the time that is spent waiting for it beyond the body timeout. Slower:
/// 408. AWS's number is not known.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 500;
/// Idle time in seconds after which a client connection is closed.
pub const IDLE_TIMEOUT_S: u64 = 310;
/// Largest definition file in bytes (AWS: 6 MB).
pub const DEFINITION_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Largest definition file in bytes under `--limits relaxed`.
pub const DEFINITION_BYTES_RELAXED_MAX: usize = 256 * 1024 * 1024;
/// Most nodes of a definition document under `--limits relaxed`.
pub const DEFINITION_NODES_RELAXED_MAX: usize = 20_000_000;
/// Deepest nesting of a definition document.
pub const DEFINITION_DEPTH_MAX: usize = 128;
/// Most nodes of a definition document after YAML aliases are expanded.
pub const DEFINITION_NODES_MAX: usize = 2_000_000;
/// Resources of one API (AWS: 300).
pub const RESOURCES_MAX: usize = 300;
/// Resources of one API under `--limits relaxed`.
pub const RESOURCES_RELAXED_MAX: usize = 1_000_000;

const _: () =
    assert!(HEAD_BUFFER_BYTES > REQUEST_LINE_BYTES_MAX + HEADER_BYTES_MAX, "a whole head must fit one buffer");
