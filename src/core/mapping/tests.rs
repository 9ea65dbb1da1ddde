//! Definitions are input: no text may make a parser panic, whatever it is cut from.

use super::expression::tests::{Request, Route};
use super::expression::{Side, Target};
use super::substitution::Substitution;
use super::uri::{Authority, Literals, Scheme, UriTemplate};
use super::*;
use crate::aws::arn::IntegrationArn;

/// Pieces of all the small languages, and what breaks naive readers of them.
const PIECES: [&str; 32] = [
    "$",
    "{",
    "}",
    "${",
    "'",
    ".",
    "/",
    "//",
    "?",
    "#",
    ":",
    "[",
    "]",
    "%",
    "%4",
    "ü",
    "\u{10FFFF}",
    "\r\n",
    "",
    "context.",
    "stageVariables.",
    "host",
    "method.request.",
    "path.id",
    "querystring.q",
    "body",
    "http://",
    "https:",
    "arn:aws:apigateway:",
    "lambda:path/",
    "authorizer.claims.",
    "65536",
];

fn text(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize
    };
    (0..draw() % 12).map(|_| PIECES[draw() % PIECES.len()]).collect()
}

fn uri(text: &str) {
    let fills = [("host", Expression::Query("q".into())), ("id", Expression::Path(1))];
    let Ok(template) = UriTemplate::compile(&format!("http://{text}"), &fills, Literals::Folded, &Route) else {
        return;
    };
    let mut out = Vec::new();
    let _ = template.write_path(&Request, &mut out);
    assert!(out.starts_with(b"/"), "{text:?}");
    let _ = template.write_query(&Request, &mut out);
    assert!(out.iter().all(u8::is_ascii_graphic), "{text:?} became {:?}", String::from_utf8_lossy(&out));
}

#[test]
fn no_text_makes_a_parser_panic_and_no_uri_can_break_a_request_line() {
    for seed in 0..50_000 {
        let text = text(seed);
        for side in [Side::Request, Side::Response, Side::GatewayResponse] {
            let _ = Expression::parse(&text, side, &Route);
            let _ = Target::parse(&text, side);
        }
        let _ = ContextVariable::scan(&text);
        let _ = Authority::parse(&text, Scheme::Http);
        let _ = IntegrationArn::parse(&text).map(|arn| arn.function());
        Substitution::compile(&text, &Route).0.write(&Request, &mut Vec::new());
        uri(&text);
        assert!(query::pairs(text.as_bytes()).count() <= text.len());
        let mut out = Vec::new();
        query::decode(text.as_bytes(), &mut out);
        assert!(out.len() <= text.len());
    }
}
