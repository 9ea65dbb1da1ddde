//! Whole documents through `import`.

use super::*;
use crate::model::rest::{
    Authorization, AuthorizerKind, ConnectionType, ContentHandling, IntegrationKind, Method, MethodName,
    ParameterLocation, PassthroughBehavior,
};

const LAMBDA: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";

fn rest(text: &str) -> Imported {
    import(text, &Options { kind: ApiKind::Rest, ..Options::default() })
}

/// The API of an OpenAPI 3 document with this body.
fn api(text: &str) -> RestApi {
    let document = format!("openapi: 3.0.1\ninfo: {{title: t, version: 1.0}}\n{text}\n");
    let imported = rest(&document);
    imported.api.unwrap_or_else(|| panic!("{document}\n{:?}", imported.diagnostics))
}

/// Rule, severity and pointer of each finding about an OpenAPI 3 document with this body.
fn findings(text: &str) -> Vec<(&'static str, Severity, String)> {
    let imported = rest(&format!("openapi: 3.0.1\ninfo: {{title: t, version: 1.0}}\n{text}\n"));
    for finding in &imported.diagnostics {
        assert!(finding.place.line > 0, "{finding:?}");
    }
    // Most of these documents are about something else than paths.
    let findings = imported.diagnostics.into_iter().filter(|finding| finding.rule != "no-paths");
    findings.map(|d| (d.rule, d.severity, d.pointer)).collect()
}

fn method(api: &RestApi, path: &str, name: MethodName) -> Method {
    let resource = api.resources.iter().find(|resource| resource.path == path);
    let method = resource.and_then(|resource| resource.methods.iter().find(|method| method.name == name));
    method.unwrap_or_else(|| panic!("{name} {path}")).clone()
}

/// The rules that refuse a document with this body.
fn refusals(text: &str) -> Vec<&'static str> {
    let imported = rest(&format!("openapi: 3.0.1\ninfo: {{title: t, version: 1.0}}\n{text}\n"));
    assert!(imported.api.is_none(), "{text}");
    let errors = imported.diagnostics.into_iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.rule).collect()
}

#[test]
fn info_and_the_simple_extensions_are_stored() {
    let api = api("
servers: [{url: 'https://x/{basePath}', variables: {basePath: {default: /v1}}, x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true, vpcEndpointIds: [vpce-1]}}]
x-amazon-apigateway-api-key-source: authorizer
x-amazon-apigateway-binary-media-types: [image/png, '*/*']
x-amazon-apigateway-minimum-compression-size: 1024
x-amazon-apigateway-policy: {Statement: []}
x-amazon-apigateway-security-policy: SecurityPolicy_TLS13
x-amazon-apigateway-endpoint-access-mode: STRICT
x-amazon-apigateway-documentation: {version: 1.2, documentationParts: [{location: {type: API}, properties: {x: y}}]}");
    assert_eq!((api.name.as_str(), api.version.as_deref()), ("t", Some("1.0")));
    assert_eq!(api.base_path.as_deref(), Some("/v1"));
    assert!(api.disable_execute_api_endpoint);
    assert_eq!(api.vpc_endpoint_ids, ["vpce-1"]);
    assert_eq!(api.api_key_source, crate::model::rest::ApiKeySource::Authorizer);
    assert_eq!(api.binary_media_types, ["image/png", "*/*"]);
    assert_eq!(api.minimum_compression_size, Some(1024));
    assert_eq!(api.policy.map(|policy| policy.value.to_string()).as_deref(), Some(r#"{"Statement":[]}"#));
    assert_eq!(api.security_policy.as_deref(), Some("SecurityPolicy_TLS13"));
    assert_eq!(api.endpoint_access_mode.as_deref(), Some("STRICT"));
    assert_eq!((api.documentation.version.as_deref(), api.documentation.parts.len()), (Some("1.2"), 1));
}

#[test]
fn the_base_path_is_ignored_prepended_or_split() {
    let text = "{\"swagger\": \"2.0\", \"info\": {\"title\": \"t\"}, \"basePath\": \"/a/b/c\", \"paths\": {\"/e\": {}, \"/f\": {}}}";
    let cases = [
        (BasePath::Ignore, vec!["/", "/e", "/f"]),
        (BasePath::Prepend, vec!["/", "/a", "/a/b", "/a/b/c", "/a/b/c/e", "/a/b/c/f"]),
        (BasePath::Split, vec!["/", "/b", "/b/c", "/b/c/e", "/b/c/f"]),
    ];
    for (base_path, expected) in cases {
        let imported = import(text, &Options { base_path, ..Options::default() });
        let paths: Vec<_> = imported.api.unwrap().resources.into_iter().map(|resource| resource.path).collect();
        assert_eq!(paths, expected);
    }
}

#[test]
fn parameters_come_from_the_path_its_item_and_the_operation() {
    let api = api("
paths:
  /a/{id}/{rest+}:
    parameters: [{name: q, in: query}, {name: h, in: header, required: true}]
    get:
      parameters: [{name: q, in: query, required: true}, {$ref: '#/components/parameters/P'}, {name: id, in: path}]
components: {parameters: {P: {name: p, in: query}}}");
    let get = method(&api, "/a/{id}/{rest+}", MethodName::Get);
    let parameters: Vec<_> = get.request_parameters.iter().map(|p| (p.location, p.name.as_str(), p.required)).collect();
    use ParameterLocation::{Header, Path, QueryString};
    let expected = [
        (Path, "id", true),
        (Path, "rest", true),
        (QueryString, "q", true),
        (Header, "h", true),
        (QueryString, "p", false),
    ];
    assert_eq!(parameters, expected);
}

#[test]
fn bodies_and_responses_have_models_and_schemas_in_place_get_names() {
    let api = api("
paths:
  /a:
    post:
      operationId: create
      requestBody: {$ref: '#/components/requestBodies/B'}
      responses:
        200: {headers: {X: {schema: {type: string}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
        404: {$ref: '#/components/responses/R'}
        405: {$ref: '#/components/responses/R'}
        default: {description: else}
components:
  schemas: {Pet: {type: object, description: d, properties: {next: {$ref: '#/components/schemas/Pet'}}}}
  requestBodies: {B: {content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}}
  responses: {R: {content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}");
    let post = method(&api, "/a", MethodName::Post);
    assert_eq!(post.operation_name.as_deref(), Some("create"));
    let [(media_type, name)] = post.request_models.as_slice() else { panic!("{post:?}") };
    assert_eq!(media_type, "application/json");
    assert!(name.starts_with("MODEL") && name.len() == 11, "{name}");
    let statuses: Vec<_> = post.responses.iter().map(|response| response.status_code.as_str()).collect();
    assert_eq!(statuses, ["200", "404", "405"]);
    assert_eq!(post.responses[0].headers, ["X"]);
    assert_eq!(post.responses[0].models, [("application/json".to_owned(), "Pet".to_owned())]);
    assert_eq!(post.responses[1].models, post.responses[2].models, "a shared schema is one model");
    assert_eq!(api.models.len(), 3);
    assert_eq!(api.models[0].schema["properties"]["next"]["$ref"], "#/components/schemas/Pet");
    assert_eq!(api.models[0].description.as_deref(), Some("d"));
}

#[test]
fn swagger_bodies_and_responses_use_consumes_and_produces() {
    let text = "
swagger: 2.0
info: {title: t}
consumes: [application/xml]
paths:
  /a:
    post:
      produces: [text/plain, text/html]
      parameters: [{in: body, name: b, schema: {$ref: '#/definitions/M'}}]
      responses: {200: {schema: {$ref: '#/definitions/M'}, headers: {X: {type: string}}}}
definitions: {M: {type: object}}";
    let api = rest(text).api.unwrap();
    let post = method(&api, "/a", MethodName::Post);
    assert_eq!(post.request_models, [("application/xml".to_owned(), "M".to_owned())]);
    let types: Vec<_> = post.responses[0].models.iter().map(|(media_type, _)| media_type.as_str()).collect();
    assert_eq!(types, ["text/plain", "text/html"]);
}

const SCHEMES: &str = "
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-API-Key}
    iam: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: awsSigv4}
    token: {type: apiKey, in: header, name: Auth, x-amazon-apigateway-authtype: oauth2, x-amazon-apigateway-authorizer: {type: TOKEN, authorizerUri: u, authorizerResultTtlInSeconds: 60}}
    pool: {type: apiKey, in: header, name: Auth, x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: [arn]}}
    unused: {type: apiKey, in: header, name: Unused, x-amazon-apigateway-authorizer: {type: request, identitySource: context.httpMethod}}
    basic: {type: http, scheme: basic}
";

#[test]
fn security_schemes_become_authorizers_iam_and_keys() {
    let cases = [
        ("", Authorization::None, false),
        ("security: [{key: []}]", Authorization::None, true),
        ("security: [{iam: []}]", Authorization::Iam, false),
        ("security: [{token: []}, {key: []}]", Authorization::Custom { authorizer: "token".into() }, true),
        ("security: [{token: [], key: []}]", Authorization::Custom { authorizer: "token".into() }, true),
        ("security: [{token: []}, {iam: []}]", Authorization::Custom { authorizer: "token".into() }, false),
        (
            "security: [{pool: [a, b]}]",
            Authorization::Cognito { authorizer: "pool".into(), scopes: vec!["a".into(), "b".into()] },
            false,
        ),
        ("security: [{basic: []}]", Authorization::None, false),
        ("security: [{NONE: []}, {api_key: []}]", Authorization::None, true),
        ("security: [{missing: []}]", Authorization::Custom { authorizer: "missing".into() }, false),
        ("security: {token: []}", Authorization::Custom { authorizer: "token".into() }, false),
        ("security: [token]", Authorization::Custom { authorizer: "token".into() }, false),
        ("security: [{token: []}]\n      x-amazon-apigateway-auth: {type: none}", Authorization::None, false),
        ("x-amazon-apigateway-auth: {type: AWS_IAM}", Authorization::Iam, false),
    ];
    for (security, authorization, key) in cases {
        let api = api(&format!("{SCHEMES}\npaths:\n  /a:\n    get:\n      operationId: x\n      {security}"));
        let get = method(&api, "/a", MethodName::Get);
        assert_eq!((get.authorization, get.api_key_required), (authorization, key), "{security}");
    }
}

#[test]
fn authorizers_exist_even_if_nobody_names_them() {
    let api = api(&format!("{SCHEMES}\npaths: {{}}"));
    let found: Vec<_> =
        api.authorizers.iter().map(|a| (a.name.as_str(), a.kind, a.identity_source.as_deref())).collect();
    let expected = [
        ("token", AuthorizerKind::Token, Some("method.request.header.Auth")),
        ("pool", AuthorizerKind::CognitoUserPools, Some("method.request.header.Auth")),
        ("unused", AuthorizerKind::Request, Some("context.httpMethod")),
    ];
    assert_eq!(found, expected);
    assert_eq!(api.authorizers[0].result_ttl_in_seconds, Some(60));
    assert_eq!(api.authorizers[0].auth_type.as_deref(), Some("oauth2"));
    assert_eq!(api.authorizers[2].result_ttl_in_seconds, None);
}

#[test]
fn root_security_protects_operations_without_their_own() {
    let api = api(&format!("{SCHEMES}\nsecurity: [{{iam: []}}]\npaths: {{/a: {{get: {{}}, put: {{security: []}}}}}}"));
    assert_eq!(method(&api, "/a", MethodName::Get).authorization, Authorization::Iam);
    assert_eq!(method(&api, "/a", MethodName::Put).authorization, Authorization::None);
}

#[test]
fn every_member_of_an_integration_is_stored() {
    let api = api(&format!(
        "
paths:
  /a/{{id}}:
    x-amazon-apigateway-any-method:
      parameters: [{{name: q, in: query}}]
      responses: {{200: {{headers: {{H: {{}}}}}}, 400: {{}}}}
      x-amazon-apigateway-integration:
        type: AWS
        uri: {LAMBDA}
        httpMethod: post
        credentials: arn:role
        connectionType: vpc_link
        connectionId: ${{stageVariables.link}}
        integrationTarget: arn:lb
        passthroughBehavior: when_no_templates
        contentHandling: CONVERT_TO_BINARY
        cacheNamespace: ns
        cacheKeyParameters: [method.request.querystring.q]
        timeoutInMillis: 5000
        responseTransferMode: stream
        tlsConfig: {{insecureSkipVerification: true}}
        requestParameters: {{integration.request.path.id: method.request.path.id}}
        requestTemplates:
          application/json: |
            {{\"a\": 1}}
        responses:
          default: {{statusCode: 200, responseParameters: {{method.response.header.H: \"'x'\"}}}}
          '4\\d\\d': {{statusCode: '400', responseTemplates: {{a/b: t}}, contentHandling: CONVERT_TO_TEXT}}"
    ));
    let any = method(&api, "/a/{id}", MethodName::Any);
    let integration = any.integration.unwrap();
    assert_eq!((integration.kind, integration.http_method.as_deref()), (IntegrationKind::Aws, Some("POST")));
    assert_eq!(integration.uri.as_ref().map(|uri| (uri.value.as_str(), uri.place.line)), Some((LAMBDA, 11)));
    assert_eq!(integration.credentials.as_deref(), Some("arn:role"));
    assert_eq!(integration.connection_type, ConnectionType::VpcLink);
    assert_eq!(integration.connection_id.as_deref(), Some("${stageVariables.link}"));
    assert_eq!(integration.integration_target.as_deref(), Some("arn:lb"));
    assert_eq!(integration.passthrough_behavior, PassthroughBehavior::WhenNoTemplates);
    assert_eq!(integration.content_handling, Some(ContentHandling::ConvertToBinary));
    assert_eq!(integration.cache_namespace.as_deref(), Some("ns"));
    assert_eq!(integration.cache_key_parameters, ["method.request.querystring.q"]);
    assert_eq!(integration.timeout_in_millis, Some(5000));
    assert!(integration.stream && integration.insecure_skip_verification);
    assert_eq!(integration.request_parameters[0].target, "integration.request.path.id");
    assert_eq!(integration.request_templates[0].1.value, "{\"a\": 1}\n");
    let patterns: Vec<_> =
        integration.responses.iter().map(|r| (r.selection_pattern.as_deref(), r.status_code.as_str())).collect();
    assert_eq!(patterns, [(None, "200"), (Some("4\\d\\d"), "400")]);
    assert_eq!(integration.responses[0].response_parameters[0].source, "'x'");
    assert_eq!(integration.responses[1].content_handling, Some(ContentHandling::ConvertToText));
}

#[test]
fn validators_and_gateway_responses_are_stored() {
    let api = api("
x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: 'true'}, body: {validateRequestBody: true}}
x-amazon-apigateway-request-validator: all
x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: 420, responseParameters: {gatewayresponse.header.A: \"'b'\"}, responseTemplates: {a/b: x}}}
paths: {/a: {get: {}, put: {x-amazon-apigateway-request-validator: body}}}");
    let flags: Vec<_> =
        api.request_validators.iter().map(|v| (v.validate_request_body, v.validate_request_parameters)).collect();
    assert_eq!(flags, [(true, true), (true, false)]);
    assert_eq!(method(&api, "/a", MethodName::Get).request_validator.unwrap().value, "all");
    assert_eq!(method(&api, "/a", MethodName::Put).request_validator.unwrap().value, "body");
    let response = &api.gateway_responses[0];
    assert_eq!((response.response_type.as_str(), response.status_code.as_deref()), ("THROTTLED", Some("420")));
    assert_eq!(response.response_templates, [("a/b".to_owned(), "x".to_owned())]);
}

#[test]
fn what_cannot_be_imported_is_refused_by_rule() {
    let integration = |inner: &str| format!("paths: {{/a: {{get: {{x-amazon-apigateway-integration: {inner}}}}}}}");
    let cases = [
        ("paths: []".to_owned(), "wrong-type"),
        ("paths: {/a: 1}".to_owned(), "wrong-type"),
        ("paths: {/a: {get: []}}".to_owned(), "wrong-type"),
        ("paths: {/a: {get: {parameters: {}}}}".to_owned(), "wrong-type"),
        ("x-amazon-apigateway-policy: '{}'".to_owned(), "wrong-type"),
        ("x-amazon-apigateway-request-validators: {v: true}".to_owned(), "wrong-type"),
        ("components: {securitySchemes: {a: b}}".to_owned(), "wrong-type"),
        ("x-amazon-apigateway-api-key-source: COOKIE".to_owned(), "invalid-value"),
        ("x-amazon-apigateway-minimum-compression-size: 10485761".to_owned(), "invalid-value"),
        ("x-amazon-apigateway-gateway-responses: {NOPE: {}}".to_owned(), "invalid-value"),
        ("x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: 600}}".to_owned(), "invalid-value"),
        ("paths: {/a: {get: {x-amazon-apigateway-request-validator: v}}}".to_owned(), "undeclared-validator"),
        ("paths: {/a: {get: {}}, /a/: {get: {}}}".to_owned(), "repeated-method"),
        ("paths: {'/{a}': {get: {parameters: [{name: a, in: query}]}}}".to_owned(), "parameter-name"),
        ("paths: {'/a{b}': {}}".to_owned(), "path-segment"),
        ("paths: {/a: {$ref: other.yaml}}".to_owned(), "reference"),
        ("paths: {/a: {$ref: '#/paths/~1b'}, /b: {$ref: '#/paths/~1a'}}".to_owned(), "reference-loop"),
        ("paths: {/a: {get: {parameters: [{$ref: '#/components/parameters/none'}]}}}".to_owned(), "reference"),
        ("components: {schemas: {A: {properties: {b: {$ref: 'x.json#/B'}}}}}".to_owned(), "reference"),
        ("components: {schemas: {A: {items: {$ref: '#/components/schemas/B'}}}}".to_owned(), "reference"),
        ("paths: {/a: {get: !Ref x}}".to_owned(), "unresolved-intrinsic"),
        (integration("{type: https}"), "invalid-value"),
        (integration("{uri: 'http://x'}"), "invalid-value"),
        (integration("{type: http, httpMethod: GET, uri: 'ftp://x'}"), "integration-uri"),
        (integration("{type: http, uri: 'http://x'}"), "integration-method"),
        (integration("{type: mock, responses: {default: {statusCode: 20}}}"), "invalid-value"),
        (integration("{type: mock, passthroughBehavior: sometimes}"), "invalid-value"),
        (
            "components: {securitySchemes: {a: {type: apiKey, x-amazon-apigateway-authorizer: {type: jwt}}}}"
                .to_owned(),
            "invalid-value",
        ),
    ];
    for (text, rule) in cases {
        assert_eq!(refusals(&text).first(), Some(&rule), "{text}");
    }
}

#[test]
fn texts_that_are_no_definitions_are_refused_with_a_place() {
    for text in ["", "{", "[]", "5", "a: b", "{\"swagger\": \"1.2\"}", "\u{0}", "openapi: 3.0.1\n---\nx: y"] {
        for kind in [ApiKind::Undecided, ApiKind::Rest, ApiKind::Http] {
            let imported = import(text, &Options { kind, ..Options::default() });
            assert!(imported.api.is_none(), "{text:?}");
            assert!(imported.diagnostics.iter().any(|d| d.severity == Severity::Error && d.place.line > 0), "{text:?}");
        }
    }
}

#[test]
fn http_apis_are_refused_with_the_member_that_made_them_one() {
    let text = "openapi: 3.0.1\ninfo: {title: t}\nx-amazon-apigateway-cors: {}\npaths: {}";
    let refused = import(text, &Options::default());
    assert!(refused.api.is_none());
    let finding = &refused.diagnostics[0];
    assert_eq!(
        (finding.rule, finding.pointer.as_str(), finding.place.line),
        ("http-api", "/x-amazon-apigateway-cors", 3)
    );
    assert!(finding.message.contains("until HTTP APIs are supported"));
    let forced = rest(text);
    assert!(forced.api.is_some());
    assert!(forced.diagnostics.iter().any(|d| d.rule == "unsupported-field"), "{:?}", forced.diagnostics);
    let plain = "openapi: 3.0.1\ninfo: {title: t}\npaths: {}";
    let declared = import(plain, &Options { kind: ApiKind::Http, ..Options::default() });
    assert_eq!((declared.diagnostics[0].rule, declared.diagnostics[0].place.line), ("http-api", 1));
}

#[test]
fn nothing_is_ignored_in_silence() {
    let cases = [
        ("x-logo: {}", "ignored-field", Severity::Note, "/x-logo"),
        ("x-amazon-apigateway-polcy: {}", "unsupported-field", Severity::Warning, "/x-amazon-apigateway-polcy"),
        ("securty: []", "unsupported-field", Severity::Warning, "/securty"),
        ("webhooks: {}", "ignored-field", Severity::Note, "/webhooks"),
        ("paths: {/a: {trace: {}}}", "unsupported-field", Severity::Warning, "/paths/~1a/trace"),
        ("paths: {/a: {get: {deprecated: true}}}", "ignored-field", Severity::Note, "/paths/~1a/get/deprecated"),
        ("paths: {/a: {get: {callbacks: {}}}}", "ignored-field", Severity::Note, "/paths/~1a/get/callbacks"),
        (
            "paths: {/a: {get: {parameters: [{name: c, in: cookie}]}}}",
            "unsupported-field",
            Severity::Warning,
            "/paths/~1a/get/parameters/0/in",
        ),
        ("paths: {/a: {get: {responses: {4XX: {}}}}}", "ignored-field", Severity::Note, "/paths/~1a/get/responses/4XX"),
        (
            "paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, response: {}}}}}",
            "unsupported-field",
            Severity::Warning,
            "/paths/~1a/get/x-amazon-apigateway-integration/response",
        ),
        (
            "components: {schemas: {A: {properties: {default: {default: 1}}}}}",
            "ignored-field",
            Severity::Note,
            "/components/schemas/A/properties/default/default",
        ),
        ("components: {schemas: {A_b: {}}}", "model-name", Severity::Warning, "/components/schemas/A_b"),
        (
            "components: {securitySchemes: {o: {type: oauth2}}}",
            "security-scheme",
            Severity::Warning,
            "/components/securitySchemes/o",
        ),
        ("security: [{o: []}]\npaths: {/a: {get: {}}}", "security-scheme", Severity::Error, "/security/0/o"),
        ("definitions: {A: {}}", "unsupported-field", Severity::Warning, "/definitions"),
        ("servers: [5]", "wrong-type", Severity::Warning, "/servers/0"),
        (
            "paths: {/a: {get: {responses: {200: {schema: {}}}}}}",
            "unsupported-field",
            Severity::Warning,
            "/paths/~1a/get/responses/200/schema",
        ),
        (
            "components: {securitySchemes: {t: {type: apiKey, in: header, name: A, x-amazon-apigateway-authorizer: {type: token, identitySource: x}}}}",
            "ignored-field",
            Severity::Note,
            "/components/securitySchemes/t/x-amazon-apigateway-authorizer/identitySource",
        ),
        ("tags: [{name: x}]", "ignored-field", Severity::Note, "/tags/0/name"),
    ];
    for (text, rule, severity, pointer) in cases {
        assert_eq!(findings(text), [(rule, severity, pointer.to_owned())], "{text}");
    }
    assert!(findings("paths: {/a: {get: {parameters: null, responses: {200: null}}}}").is_empty());
}

#[test]
fn a_document_without_paths_is_warned_about() {
    for text in ["paths: {}", "paths: null", ""] {
        let imported = rest(&format!("openapi: 3.0.1\ninfo: {{title: t}}\n{text}"));
        let found: Vec<_> =
            imported.diagnostics.iter().map(|d| (d.rule, d.place.line > 0, d.pointer.as_str())).collect();
        assert_eq!(found, [("no-paths", true, "/paths")], "{text}");
        assert_eq!(imported.answer.strict_refusal(), None);
    }
}

#[test]
fn repeated_members_without_effect_are_one_finding() {
    let paths: String = (0..50).map(|n| format!("  /p{n}: {{get: {{deprecated: true}}}}\n")).collect();
    let imported = rest(&format!("openapi: 3.0.1\ninfo: {{title: t}}\npaths:\n{paths}"));
    assert_eq!(imported.diagnostics.len(), 1);
    assert_eq!(imported.diagnostics[0].message, "`deprecated` (50 times, first here) has no effect");
}

#[test]
fn a_mapping_of_the_wrong_type_is_skipped_in_the_words_of_aws() {
    let text = "openapi: 3.0.1\ninfo: {title: t}\npaths: {/y: {get: {x-amazon-apigateway-integration: {type: mock, requestParameters: {integration.request.header.x: true}}}}}";
    let imported = rest(text);
    let expected = "Invalid format for 'requestParameters'. Expected type string for property 'integration.request.header.x' of resource '/y' and method 'GET' but got 'true'";
    assert_eq!(imported.diagnostics[0].message, expected);
    assert!(imported.api.is_some());
    let strict = import(text, &Options { fail_on_warnings: true, ..Options::default() });
    assert!(strict.api.is_none());
    assert!(strict.diagnostics.iter().any(|finding| finding.rule == "fail-on-warnings"));
}

#[test]
fn parts_of_a_method_that_disagree_are_warned_about() {
    let text = "
paths:
  /a:
    get:
      parameters: [{name: p, in: path}]
      responses: {200: {}}
      x-amazon-apigateway-integration:
        type: mock
        requestParameters: {integration.request.header.x: method.request.querystring.q}
        responses:
          default: {statusCode: 200, responseParameters: {method.response.header.H: \"'x'\"}}
          a: {statusCode: 404}
          b: {statusCode: 200}";
    let rules: Vec<_> = findings(text).into_iter().map(|(rule, ..)| rule).collect();
    let expected =
        ["path-parameter", "undeclared-parameter", "undeclared-header", "undeclared-status", "repeated-status"];
    assert_eq!(rules, expected);
}

#[test]
fn references_cannot_multiply_a_document() {
    let headers: String = (0..2000).map(|n| format!("H{n}: {{}}, ")).collect();
    let statuses: String = (100..600).map(|n| format!("{n}: {{$ref: '#/components/responses/R'}}, ")).collect();
    let paths: String = (0..200).map(|n| format!("  /p{n}: {{$ref: '#/components/pathItems/P'}}\n")).collect();
    let text = format!(
        "paths:\n{paths}\ncomponents: {{pathItems: {{P: {{get: {{responses: {{{statuses}}}}}}}}}, responses: {{R: {{headers: {{{headers}}}}}}}}}"
    );
    assert!(refusals(&text).contains(&"reference"));
}

#[test]
fn a_document_of_nothing_but_faults_is_answered_briefly() {
    let name = "x".repeat(100_000);
    let wrong: String = (0..20_000).map(|n| format!("a{n}: true, ")).collect();
    let unknown: String = (0..20_000).map(|n| format!("u{n}: true, ")).collect();
    let text = format!(
        "paths: {{/{name}: {{get: {{{unknown} x-amazon-apigateway-integration: {{type: mock, requestParameters: {{{wrong}}}}}}}}}}}"
    );
    let imported = rest(&format!("openapi: 3.0.1\ninfo: {{title: t}}\n{text}"));
    assert!(imported.diagnostics.len() < 5000);
    assert!(imported.diagnostics.iter().all(|d| d.message.len() < 5000 && d.pointer.len() < 5000));
    assert!(imported.diagnostics.iter().any(|d| d.rule == "more-findings"));
}

#[test]
fn a_refusal_lists_what_aws_would_list() {
    let text = "
openapi: 3.0.1
info: {title: t}
paths:
  /a/{x}: {get: {x-amazon-apigateway-integration: {type: aws, httpMethod: POST, uri: 'arn:aws:lambda:r:1:function:f'}}}
  /a/{y}: {}
  /a b: {}
  /b: {get: {x-amazon-apigateway-request-validator: none, parameters: [{name: n, in: query}, {name: n, in: header}]}}
components:
  schemas: {A_b: {}}
  securitySchemes: {o: {type: oauth2}}";
    let answer = rest(text).answer;
    let expected = "Errors found during import:
\tUnable to put integration on 'GET' for resource at path '/a/{x}': Invalid ARN specified in the request
\tUnable to create resource at path '/a/{y}': A sibling ({x}) of this resource already has a variable path part -- only one is allowed
\tUnable to create resource at path '/a b': Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.
\tUnable to put method 'GET' on resource at path '/b': Invalid Request Validator identifier specified
\tUnable to put method 'GET' on resource at path '/b': Parameter names must be unique across querystring, header and path
Additionally, these warnings were found:
\tUnable to create model for 'A_b': Model name must be alphanumeric: A_b
\tUnsupported security definition type 'oauth2' for 'o'. Ignoring.";
    assert_eq!(answer.refusal().as_deref(), Some(expected));
}

#[test]
fn warnings_are_those_of_aws_and_refuse_only_where_they_are_to() {
    let warned = "openapi: 3.0.1
info: {title: t}
servers: [{url: /}, {url: /b}]
x-logo: {}
components: {securitySchemes: {k: {type: apiKey, in: header, name: other}}}
paths:
  /a:
    get:
      parameters: [{in: query}]
      responses: {200: {}}
      x-amazon-apigateway-integration:
        type: mock
        requestParameters: {integration.request.header.x: method.request.querystring.q}
        responses: {default: {statusCode: 200, responseParameters: {method.response.header.H: \"'x'\"}}}";
    let expected = [
        "More than one server provided. Ignoring all but the first for defining endpoint configuration",
        "Parse issue: attribute paths.'/a'(get).parameters.0.name is missing",
        "Unable to put integration on 'GET' for resource at path '/a': Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.request.querystring.q]",
        "Unable to put integration response on 'GET' for resource at path '/a': Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.response.header.H]",
    ];
    let imported = rest(warned);
    assert_eq!(imported.answer.warnings(), expected);
    assert_eq!((imported.api.is_some(), imported.answer.refusal()), (true, None));
    let message = format!("Warnings found during import:\n\t{}", expected.join("\n\t"));
    assert_eq!(imported.answer.strict_refusal(), Some(message));
    for text in ["{", "swagger: 1.2", "openapi: 3.0.1\npaths: []", "openapi: 3.0.1\ninfo: []\npaths: {/a b: {}}"] {
        assert_eq!(rest(text).answer.refusal().as_deref(), Some(INVALID_INPUT), "{text}");
    }
}
