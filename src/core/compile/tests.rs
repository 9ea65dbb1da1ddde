//! Definitions through `stage`: what each finding says and where, and what a route then answers.

use super::*;
use crate::base::Severity;
use crate::exchange::CallFailure;
use crate::exchange::tests::world::{Session, Setting, Table, World, api};
use crate::model::rest::{
    Authorization, Declared, Integration, IntegrationKind, IntegrationResponse, MethodName, ParameterMapping, RestApi,
};
use crate::plan::{IntegrationPlan, RoutePlan};
use crate::proto::h1::{HeadLimits, Progress, RequestHead, parse_request};

/// A document whose `GET /pets/{id}` has these members, and this at the top level.
fn document(members: &str, top: &str) -> String {
    format!(
        "paths: {{'/pets/{{id}}': {{get: {{parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}], \
         responses: {{'200': {{description: ok}}}}, {members}}}}}}}\n{top}"
    )
}

fn integration(members: &str) -> String {
    document(&format!("x-amazon-apigateway-integration: {{{members}}}"), "")
}

fn proxy(members: &str) -> String {
    integration(&format!("type: http_proxy, httpMethod: GET, uri: 'http://origin.example:8080/x'{members}"))
}

fn http(members: &str) -> String {
    integration(&format!("type: http, httpMethod: GET, uri: 'http://origin.example/x', {members}"))
}

fn route(world: &World) -> &RoutePlan {
    &world.snapshot.stages[0].routes[0]
}

fn status(world: &World) -> u16 {
    let answer: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    world.ask(b"GET /pets/7 HTTP/1.1\r\nHost: a\r\n\r\n", Ok(answer)).facts.status
}

/// The one finding of that rule, which stands in the file.
fn found<'w>(world: &'w World, rule: &str) -> &'w Diagnostic {
    let mut found = world.findings.iter().filter(|finding| finding.rule == rule);
    let first = found.next().unwrap_or_else(|| panic!("{rule}: {:#?}", world.findings));
    assert!(found.next().is_none(), "{rule} twice: {:#?}", world.findings);
    first
}

const AUTHORIZERS: &str = "components: {securitySchemes: {\
    cognito: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: cognito_user_pools, \
    x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: ['arn:aws:cognito-idp:us-east-1:123456789012:userpool/p']}}, \
    lambda: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: custom, \
    x-amazon-apigateway-authorizer: {type: token, authorizerUri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations'}}, \
    key: {type: apiKey, name: x-api-key, in: header}, \
    iam: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}}}";

const INTEGRATED: &str =
    "x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://o.example'}";

/// A field that protects something and is not obeyed closes its route; `--ignore-authorization` is the way round.
fn closes(members: &str, top: &str, rule: &str, words: &str) {
    let text = document(&format!("{INTEGRATED}, {members}"), top);
    let world = World::of(&text);
    assert_eq!(status(&world), 500, "{text}");
    let finding = found(&world, rule);
    assert!(finding.message.contains(words) && finding.message.ends_with(": the route answers 500"), "{finding:?}");
    assert!(finding.place.line > 0 && finding.pointer == "/paths/~1pets~1{id}/get", "{finding:?}");
    assert!(finding.fix.contains("--ignore-authorization"));
    let told = world.ask(b"GET /pets/7 HTTP/1.1\r\nHost: a\r\n\r\n", Err(CallFailure::Refused));
    assert!(told.facts.reason.is_some_and(|reason| reason.contains(words)), "the operator is told why");
    let setting = Setting { ignores_authorization: true, ..Setting::default() };
    assert_eq!(status(&World::with(&text, &setting)), 200, "{text}");
}

#[test]
fn a_lambda_authorizer_closes_its_route() {
    closes("security: [{lambda: []}]", AUTHORIZERS, "authorization-unsupported", "the Lambda authorizer `lambda`");
}

#[test]
fn a_cognito_authorizer_closes_its_route() {
    closes("security: [{cognito: []}]", AUTHORIZERS, "authorization-unsupported", "the Cognito authorizer `cognito`");
}

#[test]
fn iam_closes_its_route() {
    closes("security: [{iam: []}]", AUTHORIZERS, "authorization-unsupported", "IAM authorization");
    closes("x-amazon-apigateway-auth: {type: AWS_IAM}", "", "authorization-unsupported", "IAM authorization");
}

#[test]
fn an_api_key_closes_its_route() {
    closes("security: [{key: []}]", AUTHORIZERS, "api-key-unsupported", "API keys");
}

#[test]
fn a_resource_policy_closes_every_route() {
    closes("operationId: x", "x-amazon-apigateway-policy: {Statement: []}", "policy-unsupported", "resource policies");
}

const VALIDATORS: &str = "x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, \
                          validateRequestParameters: true}, none: {validateRequestBody: false, validateRequestParameters: false}}";

#[test]
fn a_validator_costs_its_route_nothing_if_it_checks_nothing() {
    for (validator, checks) in [("all", true), ("none", false)] {
        let members = format!("{INTEGRATED}, x-amazon-apigateway-request-validator: {validator}");
        let world = World::of(&document(&members, VALIDATORS));
        assert_eq!((route(&world).validate.is_some(), status(&world)), (checks, 200));
    }
}

#[test]
fn a_validator_that_nobody_declared_closes_its_route() {
    let mut api = api(&document(INTEGRATED, ""));
    let method = methods(&mut api).next().expect("one method");
    method.request_validator = Some(Declared { value: "gone".to_owned(), place: method.place });
    assert_eq!(status(&World::serving(&api, &Setting::default())), 500);
    let setting = Setting { ignores_authorization: true, ..Setting::default() };
    assert_eq!(status(&World::serving(&api, &setting)), 200);
}

/// A body whose model has this schema, behind a validator.
fn modelled(schema: &str) -> String {
    let members = format!(
        "{INTEGRATED}, x-amazon-apigateway-request-validator: all, \
         requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}"
    );
    document(&members, VALIDATORS)
}

#[test]
fn a_model_that_cannot_be_checked_closes_its_route() {
    let rows = [
        ("{type: text}", "\"type\" must name primitive types"),
        ("{pattern: '('}", "the pattern \"(\" is wrong"),
        ("{properties: {a: {$ref: '#/info'}}}", "leads nowhere"),
        ("{allOf: [{$ref: '#'}]}", "in a circle"),
    ];
    for (schema, words) in rows {
        let world = World::of(&modelled(schema));
        assert_eq!(status(&world), 500, "{schema}");
        let finding = found(&world, "validator-unusable");
        assert!(finding.message.contains(words) && finding.place.line > 0, "{finding:?}");
    }
}

#[test]
fn what_a_model_does_not_check_or_checks_slowly_is_said() {
    let world = World::of(&modelled("{properties: {a: {const: 1}, b: {pattern: '^(?!x)'}}}"));
    let finding = found(&world, "model-keyword");
    assert!(finding.message.contains("\"const\" is no keyword of draft 4") && finding.place.line > 0, "{finding:?}");
    assert!(found(&world, "model-pattern").message.contains("goes back and tries again"));
}

#[test]
fn models_are_found_by_address_and_by_every_spelling_of_a_reference() {
    let top = format!(
        "{VALIDATORS}\ncomponents: {{schemas: {{Id: {{type: integer, definitions: {{Own: {{type: string}}}}}}, \
         Local: {{properties: {{a: {{$ref: '#/definitions/Id'}}}}, definitions: {{Id: {{type: string}}}}}}}}}}"
    );
    let rows = [
        ("{$ref: '#/components/schemas/Id'}", "1", "'1'"),
        ("{$ref: '#/definitions/Id'}", "1", "'1'"),
        ("{$ref: 'https://apigateway.amazonaws.com/restapis/other00000/models/Id'}", "1", "'1'"),
        ("{$ref: '#/components/schemas/Id/definitions/Own'}", "\"x\"", "1"),
        ("{$ref: 'https://apigateway.amazonaws.com/restapis/x/models/Empty'}", "{}", "[]"),
        // What a model defines itself comes before models of that name.
        ("{$ref: '#/components/schemas/Local'}", "{\"a\":\"x\"}", "{\"a\":1}"),
    ];
    for (schema, valid, invalid) in rows {
        let members = format!(
            "{INTEGRATED}, x-amazon-apigateway-request-validator: all, \
             requestBody: {{content: {{application/json: {{schema: {{properties: {{v: {schema}}}}}}}}}}}"
        );
        let world = World::of(&document(&members, &top));
        for (value, expected) in [(valid, 200), (invalid, 400)] {
            let body = format!("{{\"v\":{value}}}");
            let request = format!("GET /pets/7 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let answer: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            assert_eq!(world.ask(request.as_bytes(), Ok(answer)).facts.status, expected, "{schema} {body}");
        }
    }
}

#[test]
fn a_private_api_is_served_with_a_warning() {
    let mut api = api(&document(INTEGRATED, ""));
    api.vpc_endpoint_ids = vec!["vpce-1".to_owned()];
    let world = World::serving(&api, &Setting::default());
    assert_eq!(status(&world), 200);
    assert!(found(&world, "private-unsupported").message.contains("whoever reaches the listener"));
}

fn methods(api: &mut RestApi) -> impl Iterator<Item = &mut crate::model::rest::Method> {
    api.resources.iter_mut().flat_map(|resource| &mut resource.methods)
}

/// Whether a route answers 500 or is served all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Closed,
    Served,
}
use Route::{Closed, Served};

/// A definition, the rule and words of what is found in it, and what becomes of its route.
type Case = (String, &'static str, &'static str, Route);

const AWS: &str = "uri: 'arn:aws:apigateway:us-east-1:sqs:path/1/q', httpMethod: POST, credentials: 'arn:aws:iam::123456789012:role/r'";
const LAMBDA: &str =
    "uri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations', httpMethod: POST";
const DEFAULT: &str = "responses: {default: {statusCode: '200'}}";

fn assert_named_with_its_place(cases: &[Case]) {
    for (text, rule, words, expected) in cases {
        let world = World::of(text);
        let finding = found(&world, rule);
        assert!(finding.message.contains(words), "{rule}: {}", finding.message);
        assert!(finding.place.line > 0, "{finding:?}");
        assert_eq!(finding.pointer, "/paths/~1pets~1{id}/get");
        assert_ne!(finding.severity, Severity::Error);
        let route = if status(&world) == 500 { Closed } else { Served };
        assert_eq!(route, *expected, "{text}");
    }
}

#[test]
fn integrations_that_are_not_served_are_named_with_their_place() {
    assert_named_with_its_place(&[
        (
            integration(&format!("type: aws, {AWS}, {DEFAULT}")),
            "integration-unserved",
            "AWS integrations are not supported yet",
            Closed,
        ),
        (
            integration(&format!("type: aws_proxy, {LAMBDA}")),
            "integration-unserved",
            "AWS_PROXY integrations are not supported yet",
            Closed,
        ),
        (
            proxy(", connectionType: VPC_LINK, connectionId: abc"),
            "integration-unserved",
            "VPC links are not supported yet",
            Closed,
        ),
        (
            proxy(", timeoutInMillis: 29001"),
            "timeout-range",
            "timeoutInMillis 29001 is outside 50 to 29000: 29000 is used",
            Served,
        ),
        (proxy(", timeoutInMillis: 49"), "timeout-range", "50 is used", Served),
        (proxy("").replace(":8080", ":81"), "uri-port", "port 81 works here", Served),
        (
            http("responses: {default: {statusCode: '200'}, '(4': {statusCode: '201'}}"),
            "selection-pattern",
            "is not valid and never matches",
            Served,
        ),
        (
            http("responses: {default: {statusCode: '101'}}"),
            "integration-unserved",
            "a response with status 101 would never end",
            Closed,
        ),
        (document("operationId: x", ""), "integration-missing", "No integration defined for method", Closed),
        (
            proxy("").replace("origin.example:8080", "${stageVariables.none}"),
            "integration-unserved",
            "Invalid endpoint address",
            Closed,
        ),
        (
            proxy(", cacheKeyParameters: [method.request.path.id]"),
            "cache-unsupported",
            "responses are not cached yet",
            Served,
        ),
        (proxy(", responseTransferMode: STREAM"), "stream-unsupported", "STREAM", Served),
        (proxy(", credentials: 'arn:aws:iam::123456789012:role/r'"), "credentials-unused", "no effect", Served),
    ]);
}

#[test]
fn templates_that_do_not_work_are_named_with_their_place() {
    let with = |members: &str| http(&format!("{DEFAULT}, {members}"));
    assert_named_with_its_place(&[
        (
            integration(&format!("type: aws, {AWS}, requestTemplates: {{application/json: '#end'}}, {DEFAULT}")),
            "template-broken",
            "the template does not compile: 1:1",
            Closed,
        ),
        (
            with("requestTemplates: {application/json: '$util.nope()'}"),
            "template-name",
            "at 1:1 of the template $util.nope() does not exist",
            Served,
        ),
        (
            with("requestTemplates: {application/json: \"{\\n$input.body.replaceAll('(?=x)', 'y')}\"}"),
            "template-pattern",
            "at 2:13 of the template the pattern `(?=x)` goes back and tries again",
            Served,
        ),
        (
            with("requestTemplates: {application/json: \"{\\n  #set($a = )}\"}"),
            "template-broken",
            "the template does not compile: 2:",
            Closed,
        ),
        (
            http("responses: {default: {statusCode: '200', responseTemplates: {text/xml: '<a>#if(1)'}}}"),
            "template-broken",
            "(text/xml); requests answer 500",
            Closed,
        ),
        (
            integration(&format!("type: mock, requestTemplates: {{application/json: '{{}}'}}, {DEFAULT}")),
            "mock-status",
            "has no integer statusCode",
            Closed,
        ),
        (
            integration(&format!("type: mock, requestTemplates: {{application/json: '#end'}}, {DEFAULT}")),
            "template-broken",
            "the template does not compile: 1:1",
            Closed,
        ),
    ]);
}

#[test]
fn mappings_that_do_not_work_are_named_with_their_place() {
    let header = |name: &str| proxy(&format!(", requestParameters: {{integration.request.header.{name}: \"'x'\"}}"));
    assert_named_with_its_place(&[
        (
            proxy("")
                .replace("origin.example", "{h}")
                .replace("uri", "requestParameters: {integration.request.path.h: method.request.path.id}, uri"),
            "integration-unserved",
            "a URI whose host comes from the request",
            Closed,
        ),
        (
            proxy(", requestParameters: {integration.request.header.X: 'method.request.body.a['}"),
            "integration-unserved",
            "Invalid mapping expression specified: method.request.body.a[",
            Closed,
        ),
        (header("Content-Length"), "integration-unserved", "the header Content-Length must not be mapped", Closed),
        (header("transfer-encoding"), "integration-unserved", "must not be mapped", Closed),
        (header("X-Amzn-Trace-Id"), "integration-unserved", "must not be mapped", Closed),
        (header("X-Amzn-Apigateway-Api-Id"), "integration-unserved", "must not be mapped", Closed),
        (header("Connection"), "mapping-dropped", "a mapped Connection header is dropped", Served),
        (header("Expect"), "mapping-dropped", "a mapped Expect header is dropped", Served),
        (header("Via"), "mapping-dropped", "a mapped Via header is dropped", Served),
        (header("TE"), "mapping-dropped", "a mapped TE header is dropped", Served),
        (header("Proxy-Authenticate"), "mapping-dropped", "is dropped", Served),
        (
            proxy(
                ", requestParameters: {integration.request.header.X-A: \"'1'\", integration.request.header.x-a: \"'2'\"}",
            ),
            "mapping-repeated",
            "x-a is mapped twice",
            Served,
        ),
        (
            proxy(", requestParameters: {integration.request.header.X: nonsense}"),
            "integration-unserved",
            "Invalid mapping expression specified: nonsense",
            Closed,
        ),
        (
            proxy(", requestParameters: {integration.request.header.X: method.request.path.other}"),
            "mapping-missing",
            "`method.request.path.other` names no variable of this path",
            Served,
        ),
        (
            proxy("").replace("/x'", "/{other}'"),
            "integration-unserved",
            "No mapping to integration.request.path.other",
            Closed,
        ),
    ]);
}

#[test]
fn a_longer_timeout_counts_where_limits_are_relaxed() {
    let setting = Setting { timeout_ms_max: 300_000, ..Setting::default() };
    for (declared, used, findings) in [(60_000, 60, 0), (300_001, 300, 1)] {
        let world = World::with(&proxy(&format!(", timeoutInMillis: {declared}")), &setting);
        let IntegrationPlan::Http(plan) = &route(&world).integration else { panic!("an HTTP proxy") };
        assert_eq!((plan.timeout.as_secs(), world.findings.len()), (used, findings), "{:?}", world.findings);
    }
}

#[test]
fn what_the_api_declares_and_is_not_obeyed_is_named() {
    let cases = [
        ("x-amazon-apigateway-security-policy: SecurityPolicy_TLS13_1_3_2025_09", "endpoint-unsupported"),
        ("x-amazon-apigateway-endpoint-access-mode: STRICT", "endpoint-unsupported"),
        ("x-amazon-apigateway-endpoint-configuration: {vpcEndpointIds: [vpce-1]}", "private-unsupported"),
        (
            "x-amazon-apigateway-gateway-responses: {DEFAULT_4XX: {responseTemplates: {text/plain: $context.nope}}}",
            "context-unknown",
        ),
    ];
    for (top, rule) in cases {
        let world = World::of(&document(INTEGRATED, top));
        assert!(found(&world, rule).place.line > 0, "{top}");
        assert_eq!(world.findings.iter().filter(|finding| finding.rule == rule).count(), 1, "{top}");
        assert_eq!(status(&world), 200, "{top}");
    }
}

#[test]
fn a_definition_without_faults_has_no_findings() {
    let texts = [
        proxy(""),
        http(
            "responses: {default: {statusCode: '200'}}, requestTemplates: {application/json: '{\"a\": \"$context.stage\"}'}",
        ),
        integration(
            "type: mock, requestTemplates: {application/json: '{\"statusCode\": 200}'}, responses: {default: {statusCode: '200'}}",
        ),
    ];
    for text in texts {
        let world = World::of(&text);
        assert!(world.findings.is_empty(), "{text}\n{:#?}", world.findings);
        assert_eq!(status(&world), 200);
    }
}

#[test]
fn a_backend_serves_what_has_no_integration() {
    let setting = Setting { backend: Some("http://127.0.0.1:3000/api/"), ..Setting::default() };
    let world = World::with(&document("operationId: x", ""), &setting);
    assert!(world.findings.is_empty());
    let IntegrationPlan::Http(plan) = &route(&world).integration else { panic!("an HTTP proxy") };
    assert_eq!((plan.is_proxy, plan.uri.to_string().as_str()), (true, "http://127.0.0.1:3000/api/pets/{…}"));
    let greedy = "paths: {'/{proxy+}': {x-amazon-apigateway-any-method: {parameters: [{name: proxy, in: path, required: true, schema: {type: string}}], responses: {}}}}";
    let world = World::with(greedy, &setting);
    let IntegrationPlan::Http(plan) = &route(&world).integration else { panic!("an HTTP proxy") };
    assert_eq!(plan.uri.to_string(), "http://127.0.0.1:3000/api/{…}");
}

#[test]
fn rewrites_count_ports_as_they_are_meant() {
    let rewrite = |scheme, host: &str, port| OriginRewrite {
        scheme,
        host: host.to_owned(),
        port,
        to: "http://127.0.0.1:9000".to_owned(),
    };
    let cases = [
        ("https://a.example/x", rewrite(Scheme::Https, "a.example", 443), true),
        ("https://a.example:443/x", rewrite(Scheme::Https, "a.example", 443), true),
        ("https://A.example:/x", rewrite(Scheme::Https, "a.example", 443), true),
        ("http://a.example:8080/x", rewrite(Scheme::Http, "a.example", 8080), true),
        ("http://${stageVariables.host}/x", rewrite(Scheme::Http, "v.example", 80), true),
        ("http://[::1]:8080/x", rewrite(Scheme::Http, "[::1]", 8080), true),
        ("http://a.example/x", rewrite(Scheme::Https, "a.example", 443), false),
        ("https://a.example:8443/x", rewrite(Scheme::Https, "a.example", 443), false),
        ("https://b.a.example/x", rewrite(Scheme::Https, "a.example", 443), false),
    ];
    for (uri, rewrite, is_replaced) in cases {
        let setting = Setting { rewrites: vec![rewrite], variables: &[("host", "v.example")], ..Setting::default() };
        let world = World::with(&proxy("").replace("http://origin.example:8080/x", uri), &setting);
        let IntegrationPlan::Http(plan) = &route(&world).integration else { panic!("{uri}: {:?}", route(&world)) };
        let upstream = world.snapshot.upstreams[plan.upstream.0 as usize].as_ref().expect("an origin");
        assert_eq!(upstream.plan.port == 9000, is_replaced, "{uri}");
        assert_eq!(plan.static_path.as_deref(), Some(&b"/x"[..]));
    }
}

#[test]
fn a_stage_variable_that_is_missing_answers_500_only_where_it_names_the_host() {
    let hosts = ["${stageVariables.none}", "${stageVariables.none}:8080", "a..${stageVariables.none} b"];
    for host in hosts {
        let world = World::of(&proxy("").replace("origin.example:8080", host));
        assert!(matches!(route(&world).integration, IntegrationPlan::BadEndpoint(_)), "{host}");
        assert_eq!(status(&world), 500);
    }
    let world = World::of(&proxy("").replace("/x", "/${stageVariables.none}"));
    assert_eq!(status(&world), 200);
}

#[test]
fn origins_share_a_slot_and_keep_it() {
    let text = "paths: {/a: {get: {INTEGRATED}}, /b: {get: {INTEGRATED}}, /c: {get: {OTHER}}}"
        .replace("INTEGRATED", &format!("responses: {{}}, {INTEGRATED}"))
        .replace("OTHER", &format!("responses: {{}}, {}", INTEGRATED.replace("o.example", "p.example")));
    let world = World::of(&text);
    let upstreams: Vec<_> = world.snapshot.stages[0]
        .routes
        .iter()
        .map(|route| match &route.integration {
            IntegrationPlan::Http(plan) => plan.upstream.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((upstreams, world.snapshot.upstreams.len()), (vec![0, 0, 1], 2));
}

/// Whatever the model says, compiling ends, and a route that is listed answers something.
#[test]
fn models_that_no_document_would_give_compile_to_routes_that_answer() {
    let texts = [
        "",
        "{",
        "}",
        "$",
        "${stageVariables.",
        "{id}",
        "\r\nX: y",
        "\u{0}",
        "ä",
        "%",
        "http://",
        "http://[",
        "//",
        "9999999",
        "'",
        "''",
        "(?",
        "\\",
    ];
    for kind in [
        IntegrationKind::Http,
        IntegrationKind::HttpProxy,
        IntegrationKind::Mock,
        IntegrationKind::Aws,
        IntegrationKind::AwsProxy,
    ] {
        for text in texts {
            for place in 0..12 {
                let mut api = api(&document("operationId: x", ""));
                let method = methods(&mut api).next().expect("one method");
                method.integration = Some(broken(kind, text, place));
                if place == 10 {
                    method.name = MethodName::Any;
                    method.authorization = Authorization::Custom { authorizer: text.to_owned() };
                }
                let world = World::serving(&api, &Setting::default());
                assert!(matches!(status(&world), 200 | 403 | 415 | 500), "{kind:?} {text:?} {place}");
                assert!(sends_requests(&world), "{kind:?} {text:?} {place}");
            }
        }
    }
}

/// Whether what reaches an origin, if anything does, is a whole request and nothing more.
fn sends_requests(world: &World) -> bool {
    let mut effects = Table::default();
    world.ask_with(b"GET /pets/7 HTTP/1.1\r\nHost: a\r\n\r\n", &mut Session::default(), &mut effects);
    let mut head = RequestHead::new();
    let parsed = parse_request(&effects.sent, &HeadLimits::for_origin(), &mut head);
    effects.calls == 0 || parsed == Ok(Progress::Complete(effects.sent.len()))
}

/// An integration with `text` in one of its places.
fn broken(kind: IntegrationKind, text: &str, place: usize) -> Integration {
    let written = |value: &str| Declared { value: value.to_owned(), ..Declared::default() };
    let mapping =
        |target: String, source: &str| ParameterMapping { target, source: source.to_owned(), place: Place::NOWHERE };
    let header = format!("integration.request.header.{text}");
    let mut made = Integration { uri: Some(written("http://origin.example/x")), ..Integration::new(kind) };
    let mut response = IntegrationResponse { status_code: "200".to_owned(), ..IntegrationResponse::default() };
    match place {
        0 => made.uri = Some(written(text)),
        1 => made.uri = Some(written(&format!("http://a.example/{text}"))),
        2 => made.uri = Some(written(&format!("http://{text}/"))),
        3 => made.http_method = Some(text.to_owned()),
        4 => made.request_parameters.push(mapping(header, "'x'")),
        5 => made.request_parameters.push(mapping("integration.request.querystring.q".to_owned(), text)),
        6 => made.request_templates.push((text.to_owned(), written(text))),
        7 => response.status_code = text.to_owned(),
        8 => response.selection_pattern = Some(text.to_owned()),
        9 => response.response_parameters.push(mapping("method.response.header.X".to_owned(), text)),
        11 => response.response_templates.push((text.to_owned(), written(text))),
        _ => {}
    }
    made.responses.push(response);
    made
}
