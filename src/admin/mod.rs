//! The admin listener: the management API of AWS, health and metrics. Never on the same socket as the data plane.

mod access;
pub mod audit;
pub mod changes;
mod counts;
mod credentials;
pub mod explain;
mod hal;
mod service;
pub mod state;
pub mod v1;
pub mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use serde_json::json;

use access::identify;
pub use access::{Access, Caller};
use service::Called;
pub use service::{LoadError, Management};
use wire::error::Error;
use wire::reply::{self, Reply};

use crate::control::gateway::Gateway;
use crate::control::metrics::{self, CONTENT_TYPE};

/// Largest body of a management call: a definition of `PutRestApi` may have 6 MB (control-plane §6).
const BODY_BYTES_MAX: usize = 8 << 20;
const JSON: &str = "application/json";

/// Names under which a listener may be called.
#[derive(Clone, Debug)]
pub struct Names(Arc<[String]>);

impl Names {
    /// The names of a listener at `address`, if that is known, and `more`.
    pub fn new(address: Option<SocketAddr>, more: &[String]) -> Self {
        let mut names = more.to_vec();
        let Some(ip) = address.map(|address| address.ip()) else { return Self(names.into()) };
        names.push(if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
        if ip.is_loopback() || ip.is_unspecified() {
            names.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Self(names.into())
    }

    /// Whether `authority`, a host with or without a port, is one of them.
    fn contains(&self, authority: &str) -> bool {
        let host = match authority.rfind(':') {
            Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
            _ => authority,
        };
        self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// The routes of the admin listener. `/healthz` and `/metrics` are among them unless they have a listener of their own.
/// `access` says who may call the others.
pub fn router(
    gateway: Arc<Gateway>,
    management: Arc<Management>,
    names: Names,
    access: Access,
    has_metrics: bool,
) -> Router {
    let metered = management.clone();
    let guard = (access, management.clone());
    let managing = audit::router(management.store().clone())
        .merge(explain::router(gateway.clone(), management.clone()))
        .merge(changes::router(gateway.clone(), management.clone()))
        .merge(Router::new().fallback(manage).with_state(management))
        .layer(middleware::from_fn_with_state(guard, identify));
    let router = if has_metrics { observing(gateway, metered) } else { Router::new() };
    router.merge(managing).layer(middleware::from_fn_with_state(names, check_names))
}

/// `/healthz` and `/metrics`, which need neither credentials nor names.
pub fn observing(gateway: Arc<Gateway>, management: Arc<Management>) -> Router {
    let scraped = (gateway, management);
    Router::new().route("/healthz", get(async || "ok\n")).route("/metrics", get(scrape)).with_state(scraped)
}

async fn scrape(State((gateway, management)): State<(Arc<Gateway>, Arc<Management>)>) -> Response {
    let page = metrics::page(&gateway) + &management.counts();
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response()
}

/// A page in a browser must not be able to call us under a name of its own (DNS rebinding).
async fn check_names(State(names): State<Names>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let is_open = matches!(request.uri().path(), "/healthz" | "/metrics");
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let host_is_ours = host.is_some_and(|host| names.contains(host));
    let origin_is_ours = match origin.map(|origin| origin.split_once("://")) {
        None => !headers.contains_key(header::ORIGIN),
        Some(Some((_, authority))) => names.contains(authority),
        Some(None) => false,
    };
    if is_open || (host_is_ours && origin_is_ours) {
        return next.run(request).await;
    }
    let body = "{\"message\":\"Host or Origin is not a name of this listener; --admin-name adds one\"}\n";
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A call of the management API.
async fn manage(State(management): State<Arc<Management>>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let Some(caller) = head.extensions.remove::<Caller>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let body = body::to_bytes(body, BODY_BYTES_MAX).await;
    if let (true, Ok(body)) = (audit::is_lookup(&head.headers), &body) {
        return audit::lookup(management.store(), &caller, body).await;
    }
    let called = match body {
        // A client that goes away must not stop a change between the store and the state.
        Ok(body) => tokio::spawn(async move { (management.call(&head, &caller, &body).await, head) }).await,
        Err(_) => return refused(&Error::too_large()),
    };
    let Ok((Called { id, answer, notice }, head)) = called else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let response = match answer {
        Ok(reply) => succeeded(reply, &head),
        Err(error) => refused(&error),
    };
    with_fields(response, [("x-amzn-requestid", Some(id)), ("x-ringgate-notice", notice)])
}

fn with_fields<const N: usize>(mut response: Response, fields: [(&'static str, Option<String>); N]) -> Response {
    for (name, value) in fields {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn succeeded(reply: Reply, head: &Parts) -> Response {
    let accept = head.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match reply.body {
        reply::Body::Empty => status.into_response(),
        reply::Body::Json(value) if hal::is_wanted(accept) => {
            let document = hal::document(head.uri.path(), value);
            (status, [(header::CONTENT_TYPE, hal::HAL)], document.to_string()).into_response()
        }
        reply::Body::Json(value) => (status, [(header::CONTENT_TYPE, JSON)], value.to_string()).into_response(),
        reply::Body::Document { content_type, disposition, text } => {
            let headers = [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
            (status, headers, text).into_response()
        }
    }
}

/// `{"message": …}`, with the exception's name in a header.
fn refused(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, JSON), (HeaderName::from_static("x-amzn-errortype"), error.kind)];
    let response = (status, headers, json!({ "message": error.message }).to_string()).into_response();
    with_fields(response, [("retry-after", error.retry_after_seconds().map(|seconds| seconds.to_string()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_called_by_its_own_names_only() {
        let names = Names::new("127.0.0.1:8081".parse().ok(), &["gateway.test".to_owned()]);
        for ours in ["127.0.0.1:8081", "localhost", "LOCALHOST:8081", "[::1]:8081", "gateway.test"] {
            assert!(names.contains(ours), "{ours}");
        }
        for other in ["evil.test", "evil.test:8081", "localhost.evil.test", ""] {
            assert!(!names.contains(other), "{other}");
        }
    }
}
