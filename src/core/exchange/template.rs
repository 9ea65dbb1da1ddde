//! Running a mapping template over an exchange.

use std::borrow::Cow;

use crate::mapping::template::{OverrideTarget, Overrides, Template};
use crate::plan::headers::{FORBIDDEN_MAPPINGS, NEVER_MAPPED};
use crate::proto::http::KnownField;

use super::effects::Effects;
use super::values::Side;
use super::{Exchange, Rejection, Step};

/// Runs a template; its text is `scratch.body` afterwards, and what it has set `scratch.overrides`.
pub(super) fn run<E: Effects>(x: &mut Exchange<'_>, template: &Template, side: Side, effects: &E) -> Step {
    if template.reads_body() {
        match side {
            Side::Request if x.has_request_body => make_text(&mut x.scratch.request_body),
            Side::Answer if x.has_answer_body => make_text(&mut x.scratch.answer_body),
            Side::Request | Side::Answer | Side::Mock => {}
        }
    }
    let (mut body, mut overrides) = (std::mem::take(&mut x.scratch.body), std::mem::take(&mut x.scratch.overrides));
    body.clear();
    let answer = (side == Side::Answer).then(|| effects.answer());
    let values = x.values_on(side, answer);
    let run = effects.with_renderer(|renderer| renderer.render(template, &values, &mut overrides, &mut body));
    (x.scratch.body, x.scratch.overrides) = (body, overrides);
    run.map_err(|failure| {
        let what = if side == Side::Request { "request" } else { "response" };
        Rejection::configuration(&format!("Unable to transform {what}: the template stopped at {failure}"))
    })
}

/// To a template a body is text: what is no UTF-8 becomes U+FFFD (rest-integrations §4).
fn make_text(body: &mut Vec<u8>) {
    if let Cow::Owned(text) = String::from_utf8_lossy(body) {
        *body = text.into_bytes();
    }
}

/// The value of an override; several are joined with commas (rest-mapping-templates §10).
pub(super) fn joined(values: &[Box<str>], out: &mut Vec<u8>) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value.as_bytes());
    }
}

/// Whether a template set a header of the request to the back end.
pub(super) fn sets_request_header(overrides: &Overrides, name: &[u8]) -> bool {
    overrides.of(OverrideTarget::RequestHeader).any(|set| set.name.as_bytes().eq_ignore_ascii_case(name))
}

/// What a template may do to a header of the request to the back end: as a mapping may (rest-routing-and-stages §9.2).
pub(super) fn check_request_header(name: &str) -> Result<bool, Rejection> {
    let known = KnownField::from_name(name.as_bytes());
    if FORBIDDEN_MAPPINGS.contains(known) {
        return Err(Rejection::configuration(&format!("the header {name} must not be overridden")));
    }
    Ok(!NEVER_MAPPED.contains(known))
}
