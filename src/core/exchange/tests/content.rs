//! Binary bodies, compression and bodies in mappings (rest-integrations §2, §4; rest-routing-and-stages §11).

use super::*;
use crate::proto::http::Method;
use crate::proto::http::coding::{Coding, Encoder, Flush, decode};

const HTTP: &str = "type: http, httpMethod: ANY, uri: 'http://origin.example/b'";
const PROXY: &str = "type: http_proxy, httpMethod: ANY, uri: 'http://origin.example/b'";
const DEFAULT: &str = "responses: {default: {statusCode: '200'}}";

fn any(members: &str, top: &str) -> World {
    World::of(&format!("{}\n{top}", operation("x-amazon-apigateway-any-method", "/pets", members)))
}

const BINARY: &str = "x-amazon-apigateway-binary-media-types: [image/png]";
const ALL_BINARY: &str = "x-amazon-apigateway-binary-media-types: ['*/*']";

/// The body that the origin got, or the status that the client got instead.
fn body_sent(world: &World, content_type: &str, body: &str) -> Result<String, u16> {
    let request = request("POST /pets", &format!("Content-Type: {content_type}\n"), body);
    let (sent, told) = exchange(world, &request, OK);
    if sent.is_empty() {
        return Err(told.facts.status);
    }
    let (head, own) = sent.split_once("\n\n").expect("a head");
    assert!(
        head.contains(&format!("Content-Length: {}", if own.is_empty() { body.len() } else { own.len() })),
        "{head}"
    );
    // A body that is passed on comes from the driver.
    Ok(if own.is_empty() { body.to_owned() } else { own.to_owned() })
}

#[test]
fn request_bodies_are_converted_as_their_class_and_the_integration_say() {
    let cases = [
        ("text/plain", "", "aGk=", Ok("aGk=")),
        ("text/plain", "contentHandling: CONVERT_TO_TEXT", "aGk=", Ok("aGk=")),
        ("text/plain", "contentHandling: CONVERT_TO_BINARY", "aGk=", Ok("hi")),
        ("text/plain", "contentHandling: CONVERT_TO_BINARY", "no base64!", Err(500)),
        ("image/png", "", "hi", Ok("hi")),
        ("image/png", "contentHandling: CONVERT_TO_BINARY", "hi", Ok("hi")),
        ("image/png; q=1", "contentHandling: CONVERT_TO_TEXT", "hi", Ok("aGk=")),
    ];
    for kind in [HTTP, PROXY] {
        for (content_type, handling, body, expected) in cases {
            let comma = if handling.is_empty() { "" } else { ", " };
            let world = any(&format!("{kind}, {DEFAULT}{comma}{handling}"), BINARY);
            let expected = expected.map(str::to_owned);
            assert_eq!(body_sent(&world, content_type, body), expected, "{content_type} {handling}");
        }
    }
}

/// rest-integrations §4: a text body has no bytes that are not UTF-8.
#[test]
fn a_template_sees_text_with_replacement_characters() {
    let asked = |body: &[u8]| {
        let mut asked = wire(&format!("POST /pets HTTP/1.1\nHost: a\nContent-Length: {}\n\n", body.len()));
        asked.extend_from_slice(body);
        asked
    };
    let request_template = format!("{HTTP}, {DEFAULT}, requestTemplates: {{application/json: '<$input.body>'}}");
    for (body, expected) in [(&b"a\xffb"[..], "<a\u{fffd}b>"), (b"\xc3\xa9", "<\u{e9}>")] {
        let (sent, _) = exchange(&any(&request_template, ""), &asked(body), OK);
        assert!(sent.ends_with(expected), "{sent}");
    }
    let path_of_body = format!("{HTTP}, {DEFAULT}, requestTemplates: {{application/json: '<$input.path(\"$.a\")>'}}");
    let (sent, _) = exchange(&any(&path_of_body, ""), &asked(b"{\"a\":\"\xff\"}"), OK);
    assert!(sent.ends_with("<\u{fffd}>"), "{sent}");
}

/// rest-integrations §4: the trap of CORS with `*/*`.
#[test]
fn a_template_cannot_be_applied_to_bytes() {
    let mock = "type: mock, requestTemplates: {application/json: '{\"statusCode\": 200}'}";
    let to_text = "contentHandling: CONVERT_TO_TEXT";
    let cases = [
        (format!("{mock}, {DEFAULT}"), 500),
        (format!("{mock}, {to_text}, {DEFAULT}"), 200),
        (
            format!("{mock}, {to_text}, responses: {{default: {{statusCode: '200', responseTemplates: {{a/b: x}}}}}}"),
            500,
        ),
        (
            format!(
                "{mock}, {to_text}, responses: {{default: {{statusCode: '200', {to_text}, responseTemplates: {{a/b: x}}}}}}"
            ),
            200,
        ),
        (format!("{HTTP}, requestTemplates: {{application/json: '{{}}'}}, {DEFAULT}"), 500),
        (format!("{HTTP}, requestTemplates: {{application/json: '{{}}'}}, {to_text}, {DEFAULT}"), 200),
    ];
    for (members, expected) in cases {
        let (_, told) = exchange(&any(&members, ALL_BINARY), &request("OPTIONS /pets", "Accept: */*\n", ""), OK);
        assert_eq!(told.facts.status, expected, "{members}: {:?}", told.facts.reason);
    }
}

#[test]
fn answers_are_converted_as_payload_accept_and_response_say() {
    let (raw, base64) = ("hi", "aGk=");
    // Payload, accepted, contentHandling, what the origin sends, what the client gets.
    let cases = [
        ("text/plain", "text/plain", "", base64, Some(base64)),
        ("text/plain", "text/plain", "BINARY", base64, Some(raw)),
        ("text/plain", "image/png", "", base64, Some(raw)),
        ("text/plain", "image/png", "", "no base64!", None),
        ("text/plain", "image/png", "TEXT", base64, Some(base64)),
        ("image/png", "text/plain", "", raw, Some(base64)),
        ("image/png", "text/plain", "BINARY", raw, Some(raw)),
        ("image/png", "image/png,*/*", "", raw, Some(raw)),
        ("image/png", "*/*,image/png", "", raw, Some(base64)),
        ("image/png", "image/png", "TEXT", raw, Some(base64)),
    ];
    for (payload, accept, handling, answer, expected) in cases {
        let handled = format!("{{default: {{statusCode: '200', contentHandling: CONVERT_TO_{handling}}}}}");
        let responses = if handling.is_empty() { DEFAULT.to_owned() } else { format!("responses: {handled}") };
        let mut kinds = vec![format!("{HTTP}, {responses}")];
        kinds.extend(handling.is_empty().then(|| PROXY.to_owned()));
        for members in kinds {
            for framing in [
                format!("Content-Length: {}\n\n{answer}", answer.len()),
                format!("Transfer-Encoding: chunked\n\n{:x}\n{answer}\n0\n\n", answer.len()),
            ] {
                let message = format!("HTTP/1.1 200 OK\nContent-Type: {payload}\n{framing}");
                let request = request("GET /pets", &format!("Accept: {accept}\n"), "");
                let (_, told) = exchange(&any(&members, BINARY), &request, &message);
                let (_, content) = told.parsed(Method::Get);
                match expected {
                    Some(expected) => assert_eq!(text(&content), expected, "{payload} {accept} {handling}"),
                    None => assert_eq!(told.facts.status, 500),
                }
            }
        }
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new(Coding::Gzip).encode(text.as_bytes(), Flush::End, &mut out);
    out
}

#[test]
fn compressed_requests_are_read_where_compression_is_on() {
    let compressed = gzip("the body");
    let mut asked = wire(&format!(
        "POST /pets HTTP/1.1\nHost: a\nContent-Encoding: gzip\nContent-Length: {}\n\n",
        compressed.len()
    ));
    asked.extend_from_slice(&compressed);
    let on = "x-amazon-apigateway-minimum-compression-size: 0";
    for kind in [HTTP, PROXY] {
        let (sent, told) = exchange(&any(&format!("{kind}, {DEFAULT}"), on), &asked, OK);
        assert!(sent.ends_with("Content-Length: 8\n\nthe body"), "{sent} {:?}", told.facts.reason);
        assert!(!sent.contains("Content-Encoding"), "{sent}");
        let (sent, _) = exchange(&any(&format!("{kind}, {DEFAULT}"), ""), &asked, OK);
        assert!(sent.ends_with(&format!("Content-Length: {}\n\n", compressed.len())), "it passes as it is: {sent}");
    }
    let world = any(&format!("{PROXY}, {DEFAULT}"), on);
    for (coding, body, status) in
        [("br", "x", 415), ("gzip", "x", 415), ("gzip, gzip", "x", 415), ("identity", "x", 200)]
    {
        let (_, told) = exchange(&world, &request("POST /pets", &format!("Content-Encoding: {coding}\n"), body), OK);
        assert_eq!(told.facts.status, status, "{coding}");
    }
    let bomb = gzip(&"0".repeat(2_000));
    let mut asked =
        wire(&format!("POST /pets HTTP/1.1\nHost: a\nContent-Encoding: gzip\nContent-Length: {}\n\n", bomb.len()));
    asked.extend_from_slice(&bomb);
    assert_eq!(exchange(&world, &asked, OK).1.facts.status, 413, "more than a request may have");
}

#[test]
fn responses_are_compressed_from_the_minimum_on_for_those_who_take_it() {
    let top = "x-amazon-apigateway-minimum-compression-size: 10";
    let own =
        format!("{HTTP}, responses: {{default: {{statusCode: '200', responseTemplates: {{a/b: '0123456789'}}}}}}");
    let mock = "type: mock, requestTemplates: {application/json: '{\"statusCode\": 200}'}, \
                responses: {default: {statusCode: '200', responseTemplates: {a/b: '0123456789'}}}";
    let long = "HTTP/1.1 200 OK\nContent-Length: 10\n\n0123456789";
    let chunked = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\na\n0123456789\n0\n\n";
    let coded = "HTTP/1.1 200 OK\nContent-Encoding: br\nContent-Length: 10\n\n0123456789";
    let cases = [
        (PROXY, "gzip", long, Some(Coding::Gzip)),
        (PROXY, "deflate", chunked, Some(Coding::Deflate)),
        (PROXY, "br", long, None),
        (PROXY, "gzip", OK, None),
        (PROXY, "gzip", coded, None),
        (&format!("{HTTP}, {DEFAULT}"), "gzip", long, Some(Coding::Gzip)),
        (&own, "gzip", OK, Some(Coding::Gzip)),
        (mock, "deflate", OK, Some(Coding::Deflate)),
        (mock, "identity", OK, None),
    ];
    for (members, accept, answer, coding) in cases {
        let (_, told) =
            exchange(&any(members, top), &request("GET /pets", &format!("Accept-Encoding: {accept}\n"), ""), answer);
        let (head, content) = told.parsed(Method::Get);
        let named = head.fields.value(crate::proto::http::KnownField::ContentEncoding, &told.wire);
        match coding {
            None => assert!(named != Some(b"gzip") && content.len() <= 10, "{members} {accept}"),
            Some(coding) => {
                assert_eq!(named, Some(coding.as_str().as_bytes()), "{members} {accept}");
                let mut plain = Vec::new();
                assert_eq!(decode(coding, &content, 100, &mut plain), Ok(()));
                assert_eq!(plain, b"0123456789");
            }
        }
    }
    let head = request("HEAD /pets", "Accept-Encoding: gzip\n", "");
    let told = received(&any(PROXY, top), &head, "HTTP/1.1 200 OK\nContent-Length: 10\n\n");
    assert!(told.contains("Content-Length: 10\n") && !told.contains("Content-Encoding"), "{told}");
}

#[test]
fn whole_bodies_are_mapped_and_an_empty_one_is_an_empty_object() {
    let members = format!(
        "{HTTP}, requestParameters: {{integration.request.header.X-Body: method.request.body}}, responses: {{default: \
         {{statusCode: '200', responseParameters: {{method.response.header.X-Back: integration.response.body}}}}}}"
    );
    let world = any(&members, "");
    for (body, mapped) in [("hello", "hello"), ("", "{}")] {
        let (sent, told) = exchange(&world, &request("POST /pets", "", body), OK);
        assert!(sent.contains(&format!("X-Body: {mapped}\n")), "{sent}");
        assert!(text(&told.wire).contains("X-Back: hi\n") && told.wire.ends_with(b"\r\n\r\nhi"));
    }
    let (_, told) = exchange(&world, &request("POST /pets", "", ""), "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
    assert!(text(&told.wire).contains("X-Back: {}\n"));
}

#[test]
fn parts_of_bodies_are_mapped_by_path() {
    let request_mapping = |name: &str| {
        format!(
            "integration.request.header.X-{name}: method.request.body.{name}, \
                 integration.request.querystring.{name}: method.request.body.{name}"
        )
    };
    let members = format!(
        "{HTTP}, requestParameters: {{{}, {}, {}, {}}}, responses: {{default: {{statusCode: '200', responseParameters: \
         {{method.response.header.X-First: 'integration.response.body[0].a'}}}}}}",
        request_mapping("text"),
        request_mapping("list"),
        request_mapping("null"),
        request_mapping("missing"),
    );
    let world = any(&members, "");
    let ask = |body: &str, answer: &str| {
        let answer = format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n{answer}", answer.len());
        let (sent, told) = exchange(&world, &request("POST /pets", "", body), &answer);
        (sent, text(&told.wire))
    };
    let (sent, told) = ask(r#"{"text": "a b", "list": [1, {"b" : 2}], "null": null}"#, r#"[{"a": true}]"#);
    assert!(sent.starts_with("POST /b?text=a%20b&list=%5B1%2C%7B%22b%22%3A2%7D%5D HTTP/1.1\n"), "{sent}");
    assert!(sent.contains("\nX-text: a b\nX-list: [1,{\"b\":2}]\n"), "{sent}");
    assert!(told.contains("\nX-First: true\n"), "{told}");
    for body in ["", "plain text", "{}"] {
        let (sent, told) = ask(body, "plain");
        assert!(!sent.contains("X-text") && !told.contains("X-First") && told.starts_with("HTTP/1.1 200"), "{sent}");
    }
    let (sent, told) = ask("\n{wrongjson", "");
    let message = r#"{"message":"Invalid JSON in request body"}"#;
    assert_eq!((sent.as_str(), told), ("", refused("400 Bad Request", "BadRequestException", message)));
    assert!(ask("{}", "[1").1.starts_with("HTTP/1.1 500"));
}

#[test]
fn a_response_that_the_method_does_not_declare_is_a_fault_of_the_definition() {
    let world = any(&format!("{HTTP}, responses: {{default: {{statusCode: '299'}}}}"), "");
    let (_, told) = exchange(&world, &get("/pets"), OK);
    let expected =
        refused("500 Internal Server Error", "InternalServerErrorException", r#"{"message": "Internal server error"}"#);
    assert_eq!(text(&told.wire), expected);
    assert_eq!(told.facts.reason.as_deref(), Some("Output mapping refers to an invalid method response: 299"));
}

#[test]
fn a_template_that_passes_an_empty_body_makes_an_empty_object() {
    let passing = "application/json: $input.body";
    let world = any(
        &format!(
            "{HTTP}, requestTemplates: {{{passing}}}, responses: {{default: {{statusCode: '200', responseTemplates: \
             {{{passing}}}}}}}"
        ),
        "",
    );
    let (sent, told) = exchange(&world, &request("POST /pets", "", ""), "HTTP/1.1 200 OK\nContent-Length: 0\n\n");
    assert!(sent.ends_with("Content-Length: 2\n\n{}"), "{sent}");
    assert!(told.wire.ends_with(b"\r\n\r\n{}"));
}
