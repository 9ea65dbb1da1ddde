//! Mapping templates in the life of a request (rest-mapping-templates; rest-integrations §9).

use super::*;

/// A document whose `ANY /pets/{id}` has this integration.
fn any(kind: &str, request: &str, response: &str) -> World {
    let kind = match kind {
        "mock" => "type: mock".to_owned(),
        path => format!("type: http, httpMethod: ANY, uri: 'http://origin.example/{path}'"),
    };
    let template = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let requests =
        if request.is_empty() { String::new() } else { format!("application/json: \"{}\"", template(request)) };
    let responses =
        if response.is_empty() { String::new() } else { format!("application/json: \"{}\"", template(response)) };
    let members = format!(
        "{kind}, requestTemplates: {{{requests}}}, requestParameters: {{integration.request.header.X-Mapped: \
         method.request.querystring.q, integration.request.querystring.m: method.request.querystring.q}}, responses: \
         {{default: {{statusCode: '200', responseParameters: {{method.response.header.X-Fixed: \"'fixed'\"}}, \
         responseTemplates: {{{responses}}}}}}}"
    );
    World::of(&operation("x-amazon-apigateway-any-method", "/pets/{id}", &members))
}

fn post(target: &str, body: &str) -> Vec<u8> {
    request(&format!("POST {target}"), "X-Given: yes\n", body)
}

fn body(message: &str) -> &str {
    message.split_once("\n\n").map_or("", |(_, body)| body)
}

fn json_answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n{body}", body.len())
}

#[test]
fn a_request_template_reads_the_whole_request() {
    let template = "{\"name\": $input.json('$.name'), \"id\": \"$input.params('id')\", \"q\": \"$input.params('q')\", \
                    \"h\": \"$input.params().header.get('X-Given')\", \"host\": \"$input.params('Connection')\", \
                    \"stage\": \"$context.stage\", \"all\": $input.body}";
    let expected = "{\"name\": \"a b\", \"id\": \"7\", \"q\": \"x y\", \"h\": \"yes\", \"host\": \"\", \"stage\": \"dev\", \
                    \"all\": {\"name\" : \"a b\"}}";
    let sent = sent(&any("b", template, ""), &post("/pets/7?q=x%20y", "{\"name\" : \"a b\"}"));
    assert_eq!(body(&sent), expected);
    assert!(sent.contains(&format!("Content-Length: {}\n", expected.len())));
}

#[test]
fn an_empty_body_is_an_empty_object_to_templates() {
    let template = "[$input.body, $input.json('$'), $input.json('$.a'), \"$input.path('$.a')\"]";
    let world = any("b", template, template);
    let (sent, told) = exchange(&world, &post("/pets/7", ""), &json_answer(""));
    assert_eq!(body(&sent), "[{}, {}, \"\", \"\"]");
    assert_eq!(body(&text(&told.wire)), "[{}, {}, \"\", \"\"]");
}

#[test]
fn a_response_template_reads_the_answer_and_the_request() {
    let template = "#set($root = $input.path('$'))\n{#foreach($item in $root.items)\"$item.id\": $item.price\
                    #if($foreach.hasNext), #end#end, \"from\": \"$input.params('id')\"}";
    let answer = json_answer(r#"{"items": [{"id": "a", "price": 1.50}, {"id": "b", "price": 2}]}"#);
    let (_, told) = exchange(&any("b", "", template), &post("/pets/7", "client"), &answer);
    assert_eq!(body(&text(&told.wire)), r#"{"a": 1.50, "b": 2, "from": "7"}"#);
    assert_eq!(told.facts.response_length, 32);
}

#[test]
fn overrides_replace_and_add_what_mappings_set() {
    let template = "#set($context.requestOverride.header.X-Mapped = \"over $input.params('q')\")\
                    #set($context.requestOverride.header.x-list = [\"a\", \"b\"])\
                    #set($context.requestOverride.header.Content-Type = 'text/plain')\
                    #set($context.requestOverride.querystring.m = \"new&\")\
                    #set($context.requestOverride.querystring.more = 'more')\
                    #set($context.requestOverride.path.part = 'a b')x";
    let sent = sent(&any("{part}", template, ""), &post("/pets/7?q=q", "{}"));
    assert!(sent.starts_with("POST /a%20b?m=new%26&more=more HTTP/1.1\n"), "{sent}");
    for line in ["X-Mapped: over q", "x-list: a,b", "Content-Type: text/plain"] {
        assert!(sent.contains(&format!("\n{line}\n")), "{line}: {sent}");
    }
    assert_eq!(sent.matches("X-Mapped").count() + sent.matches("Content-Type").count(), 2, "{sent}");
    assert_eq!(body(&sent), "x");
}

#[test]
fn an_override_of_the_path_wins_over_whatever_is_mapped_there() {
    let template = "#if($input.params('q') == 'y')#set($context.requestOverride.path.part = 'over')#end";
    let members = format!(
        "type: http, httpMethod: GET, uri: 'http://origin.example/{{part}}/{{other}}?p={{part}}', requestTemplates: \
         {{application/json: \"{template}\"}}, requestParameters: {{integration.request.path.part: \"'fixed'\", \
         integration.request.path.other: method.request.querystring.q}}, responses: {{default: {{statusCode: '200'}}}}"
    );
    let world = World::of(&operation("get", "/pets", &members));
    for (query, target) in [("q=y", "/over/y?p=over"), ("q=n", "/fixed/n?p=fixed")] {
        let sent = sent(&world, &get(&format!("/pets?{query}")));
        assert!(sent.starts_with(&format!("GET {target} HTTP/1.1\n")), "{sent}");
    }
}

#[test]
fn an_override_works_where_no_body_is_sent() {
    let template = "#set($context.requestOverride.querystring.m = 'new')x";
    let sent = sent(&any("b", template, ""), &get("/pets/7?q=q"));
    assert!(sent.starts_with("GET /b?m=new HTTP/1.1\n") && sent.ends_with("\n\n"), "{sent}");
}

#[test]
fn an_overridden_response_has_its_status_and_headers() {
    let template = "#set($context.responseOverride.status = 202)\
                    #set($context.responseOverride.header.X-Fixed = 'changed')\
                    #set($context.responseOverride.header.Date = 'theirs')\
                    #set($context.responseOverride.header.Content-Type = 'text/plain')done";
    let (_, told) = exchange(&any("b", "", template), &post("/pets/7", ""), &json_answer("{}"));
    let wire = text(&told.wire);
    assert!(wire.starts_with("HTTP/1.1 202 Accepted\n") && wire.ends_with("\n\ndone"), "{wire}");
    for line in ["X-Fixed: changed", "x-amzn-Remapped-Date: theirs", "Content-Type: text/plain", "Content-Length: 4"] {
        assert!(wire.contains(&format!("\n{line}\n")), "{line}: {wire}");
    }
    assert!(!wire.contains("fixed") && wire.matches("Content-Type").count() == 1, "{wire}");
}

#[test]
fn an_override_that_is_no_status_changes_nothing() {
    for status in ["'nonsense'", "99", "600", "100", "''"] {
        let template = format!("#set($context.responseOverride.status = {status})done");
        let (_, told) = exchange(&any("b", "", &template), &post("/pets/7", ""), &json_answer("{}"));
        assert_eq!(told.facts.status, 200, "{status}");
    }
}

/// R `test_integration_mock_with_request_overrides_in_response_template`, `test_integration_mock_with_vtl_map_assignation`.
#[test]
fn what_a_request_template_set_is_there_in_the_response_template() {
    let request = "#set($context.requestOverride.path.body = $input.params('id'))\
                   #set($context.responseOverride.custom = 'kept')\
                   #set($context.responseOverride.status = 404)\
                   #set($context.responseOverride.header.foo = 'bar'){\"statusCode\": 200}";
    let response = "$context.requestOverride.path.body, $context.responseOverride.custom, $input.body";
    let (_, told) = exchange(&any("mock", request, response), &get("/pets/7"), OK);
    let wire = text(&told.wire);
    assert!(wire.starts_with("HTTP/1.1 404 Not Found\n") && wire.contains("\nfoo: bar\n"), "{wire}");
    assert_eq!(body(&wire), "7, kept, {}");
    let (_, told) = exchange(&any("mock", "{\"statusCode\": 200}", response), &get("/pets/7"), OK);
    assert_eq!(body(&text(&told.wire)), ", , {}", "nothing stays from one request to the next");
}

#[test]
fn a_mock_chooses_by_the_status_that_its_template_makes_of_the_body() {
    let template = "{\"statusCode\": #if($input.path('$.fail') == true)404#{else}200#end}";
    let members = format!(
        "type: mock, requestTemplates: {{application/json: '{}'}}, responses: {{default: {{statusCode: '200'}}, '404': \
         {{statusCode: '404'}}}}",
        template.replace('\'', "''")
    );
    let world = World::of(&operation("post", "/pets", &members));
    for (body, status) in [("{\"fail\": true}", 404), ("{}", 200), ("", 200), ("no json", 200)] {
        let (_, told) = exchange(&world, &request("POST /pets", "", body), OK);
        assert_eq!(told.facts.status, status, "{body}: {:?}", told.facts.reason);
    }
}

#[test]
fn a_template_that_fails_answers_500_and_says_where() {
    let endless = "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end";
    let (sent, told) = exchange(&any("b", endless, ""), &post("/pets/7", "{}"), OK);
    let expected =
        refused("500 Internal Server Error", "InternalServerErrorException", r#"{"message": "Internal server error"}"#);
    assert_eq!((sent.as_str(), text(&told.wire)), ("", expected));
    let reason = told.facts.reason.expect("a reason");
    assert!(reason.starts_with("Unable to transform request: the template stopped at 1:"), "{reason}");
    let (_, told) = exchange(&any("b", "", endless), &post("/pets/7", "{}"), OK);
    assert!(told.facts.reason.is_some_and(|reason| reason.starts_with("Unable to transform response")));
}

#[test]
fn what_a_template_sets_cannot_break_a_message() {
    let cases = [
        ("#set($context.requestOverride.header.X = \"a\r\nY: 1\")", ""),
        ("#set($context.requestOverride.header['X: 1'] = 'a')", ""),
        ("#set($context.requestOverride.header.Content-Length = '1')", ""),
        ("#set($context.requestOverride.header.transfer-encoding = 'chunked')", ""),
        ("#set($context.requestOverride.header.Host = 'a b')", ""),
        ("", "#set($context.responseOverride.header.X = \"a\nY: 1\")"),
        ("", "#set($context.responseOverride.header['X Y'] = 'a')"),
    ];
    for (request, response) in cases {
        let (sent, told) = exchange(&any("b", &request.replace('\r', ""), response), &post("/pets/7", "{}"), OK);
        assert_eq!(told.facts.status, 500, "{request}{response}: {sent}");
    }
    let (sent, told) = exchange(
        &any(
            "b",
            "#set($context.requestOverride.header.Connection = 'x')a",
            "#set($context.responseOverride.header.Transfer-Encoding = 'x')a",
        ),
        &post("/pets/7", "{}"),
        OK,
    );
    assert!(!sent.contains("Connection") && !text(&told.wire).contains("Transfer-Encoding"), "both are dropped");
}
