//! Which headers pass, which are dropped and which come back under another name.
//!
//! The recorded behaviour (rest-routing-and-stages §9.2) is obeyed where it exists, the documented table (§9.1,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>) where it does not, and
//! RFC 9110 section 7.6.1 for fields that belong to one connection only.

use crate::proto::http::{FieldSet, KnownField as K};

/// §9.2 step A: never visible once a request has arrived, plus what belongs to the client's connection.
pub const DROPPED_ON_ARRIVAL: FieldSet = FieldSet::of(&[
    K::Connection,
    K::ContentLength,
    K::ContentMd5,
    K::Expect,
    K::MaxForwards,
    K::ProxyAuthenticate,
    K::Server,
    K::Te,
    K::TransferEncoding,
    K::Trailer,
    K::Upgrade,
    K::WwwAuthenticate,
    K::KeepAlive,
    K::ProxyConnection,
    K::ProxyAuthorization,
    K::Http2Settings,
]);

/// §9.2 step B for `HTTP_PROXY`: dropped on the way to the integration, or written anew by us. `X-HTTP-Method-Override`
/// has done its work (§2.1); a mapping passes it on.
pub const DROPPED_TO_PROXY: FieldSet = DROPPED_ON_ARRIVAL
    .with(K::Host)
    .with(K::ContentEncoding)
    .with(K::Via)
    .with(K::XForwardedFor)
    .with(K::XForwardedPort)
    .with(K::XForwardedProto)
    .with(K::XAmznTraceId)
    .with(K::XAmznApigatewayApiId)
    .with(K::XHttpMethodOverride);

/// §9.2: dropped even when mapped (compile leaves such a mapping out), towards `HTTP` and `HTTP_PROXY`.
pub const NEVER_MAPPED: FieldSet = FieldSet::of(&[K::Expect, K::ProxyAuthenticate, K::Te, K::Connection, K::Via]);

/// §9.2 step C: with a mapping to one of these the route answers 500.
pub const FORBIDDEN_MAPPINGS: FieldSet =
    FieldSet::of(&[K::ContentLength, K::TransferEncoding, K::XAmznTraceId, K::XAmznApigatewayApiId]);

/// §9.2 step D for every type: remapped to `x-amzn-Remapped-<Name>`.
pub const REMAPPED: FieldSet = FieldSet::of(&[K::Connection, K::ContentLength, K::Date, K::Server]);

/// §9.2 step D for `HTTP_PROXY`: remapped as well.
pub const REMAPPED_FROM_PROXY: FieldSet = REMAPPED.with(K::XAmznRequestId);

/// Dropped from the answer of an `HTTP_PROXY`. `Content-Encoding` is not among them although LocalStack drops it: the
/// documented table passes it, and a compressed body without it could not be read.
pub const DROPPED_FROM_PROXY: FieldSet = FieldSet::of(&[
    K::TransferEncoding,
    K::Via,
    K::KeepAlive,
    K::ProxyConnection,
    K::Trailer,
    K::Upgrade,
    K::XAmzApigwId,
]);

/// §9.2 step D for mapped headers of `HTTP` (and `AWS`): remapped as well.
pub const REMAPPED_FROM_MAPPING: FieldSet = REMAPPED_FROM_PROXY
    .with(K::Authorization)
    .with(K::ContentMd5)
    .with(K::Expect)
    .with(K::Host)
    .with(K::MaxForwards)
    .with(K::ProxyAuthenticate)
    .with(K::Trailer)
    .with(K::Upgrade)
    .with(K::UserAgent)
    .with(K::WwwAuthenticate);

/// Headers of a response that no mapping and no template can set: they frame it, or are ours.
pub const NEVER_ANSWERED: FieldSet = FieldSet::of(&[K::TransferEncoding, K::XAmzApigwId]);

/// Prefix of a remapped header.
pub const REMAPPED_PREFIX: &[u8] = b"x-amzn-Remapped-";
