//! Whole documents: what an API looks like in both dialects, and with fewer extensions.

use serde_json::{Value, json};

use super::*;
use crate::import::{ApiKind, Options, import};

/// An API with one of everything that an export can say.
const DOCUMENT: &str = r##"
openapi: 3.0.1
info: {title: t, description: d, version: v}
servers: [{url: /, x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true, vpcEndpointIds: [vpce-1]}}]
x-amazon-apigateway-api-key-source: AUTHORIZER
x-amazon-apigateway-binary-media-types: [image/png]
x-amazon-apigateway-minimum-compression-size: 1
x-amazon-apigateway-policy: {Statement: []}
x-amazon-apigateway-gateway-responses:
  THROTTLED: {statusCode: "420", responseParameters: {gatewayresponse.header.X: "'x'"}, responseTemplates: {text/plain: no}}
x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: false}}
paths:
  /a/{id}:
    post:
      operationId: o
      parameters: [{name: q, in: query}, {name: h, in: header, required: true}]
      security: [{pool: [s]}, {api_key: []}]
      x-amazon-apigateway-request-validator: all
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/In'}}}}
      responses: {201: {headers: {H: {}}, content: {application/json: {schema: {$ref: '#/components/schemas/Out'}}}}, 404: {}}
      x-amazon-apigateway-integration:
        type: HTTP
        httpMethod: POST
        uri: http://{h}
        connectionType: VPC_LINK
        connectionId: link
        credentials: role
        timeoutInMillis: 5000
        cacheNamespace: n
        cacheKeyParameters: [method.request.path.id]
        passthroughBehavior: NEVER
        contentHandling: CONVERT_TO_TEXT
        tlsConfig: {insecureSkipVerification: true}
        requestParameters: {integration.request.path.h: method.request.path.id}
        requestTemplates: {text/xml: x}
        responses:
          4\d\d: {statusCode: 404, responseTemplates: {text/html: h}, contentHandling: CONVERT_TO_BINARY}
          default: {statusCode: 201, responseParameters: {method.response.header.H: "'x'"}}
    x-amazon-apigateway-any-method: {security: [{sig: []}]}
  /b: {get: {security: [{lambda: []}]}}
  /c: {}
components:
  schemas:
    In: {type: object, properties: {part: {$ref: '#/components/schemas/Part'}}}
    Out: {type: object}
    Part: {type: object}
    Unused: {type: object}
  securitySchemes:
    sig: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}
    api_key: {type: apiKey, name: x-api-key, in: header}
    pool: {type: apiKey, name: T, in: header, x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: [arn]}}
    lambda: {type: apiKey, name: Unused, in: header, x-amazon-apigateway-authtype: custom, x-amazon-apigateway-authorizer: {type: request, authorizerUri: u, authorizerCredentials: c, authorizerResultTtlInSeconds: 0, identitySource: 'method.request.header.A, stageVariables.B'}}
"##;

fn api() -> RestApi {
    let imported = import(DOCUMENT, &Options { kind: ApiKind::Rest, ..Options::default() });
    imported.api.unwrap_or_else(|| panic!("{:?}", imported.diagnostics))
}

fn options(extensions: &str) -> ExportOptions<'static> {
    let extensions = Extensions::parse(extensions).unwrap();
    ExportOptions { host: "h", stage: "s", created_date: "date", extensions, documentation: None }
}

fn at<'v>(document: &'v Value, pointer: &str) -> &'v Value {
    document.pointer(pointer).unwrap_or_else(|| panic!("{pointer}: {document:#}"))
}

#[test]
fn a_swagger_operation_has_its_content_types_and_a_body_parameter() {
    let document = swagger(&api(), &options("")).unwrap();
    let expected = json!({
        "operationId": "o",
        "consumes": ["application/json", "text/xml"],
        "produces": ["application/json", "text/html"],
        "parameters": [
            {"name": "id", "in": "path", "required": true, "type": "string"},
            {"name": "q", "in": "query", "required": false, "type": "string"},
            {"name": "h", "in": "header", "required": true, "type": "string"},
            {"in": "body", "name": "In", "required": true, "schema": {"$ref": "#/definitions/In"}}
        ],
        "responses": {
            "201": {
                "description": "201 response",
                "schema": {"$ref": "#/definitions/Out"},
                "headers": {"H": {"type": "string"}}
            },
            "404": {"description": "404 response"}
        },
        "security": [{"pool": ["s"]}, {"api_key": []}]
    });
    assert_eq!(at(&document, "/paths/~1a~1{id}/post"), &expected);
    assert_eq!(at(&document, "/definitions/In/properties/part/$ref"), "#/definitions/Part");
    let names: Vec<_> = at(&document, "/definitions").as_object().unwrap().keys().collect();
    assert_eq!(names, ["In", "Out", "Part"]);
}

#[test]
fn an_integration_says_what_is_not_the_default() {
    let document = oas30(&api(), &options("integrations")).unwrap();
    let expected = json!({
        "type": "http",
        "connectionId": "link",
        "credentials": "role",
        "httpMethod": "POST",
        "uri": "http://{h}",
        "responses": {
            "4\\d\\d": {
                "statusCode": "404",
                "responseTemplates": {"text/html": "h"},
                "contentHandling": "CONVERT_TO_BINARY"
            },
            "default": {"statusCode": "201", "responseParameters": {"method.response.header.H": "'x'"}}
        },
        "requestParameters": {"integration.request.path.h": "method.request.path.id"},
        "requestTemplates": {"text/xml": "x"},
        "passthroughBehavior": "never",
        "connectionType": "VPC_LINK",
        "timeoutInMillis": 5000,
        "cacheNamespace": "n",
        "cacheKeyParameters": ["method.request.path.id"],
        "contentHandling": "CONVERT_TO_TEXT",
        "tlsConfig": {"insecureSkipVerification": true}
    });
    let written = at(&document, "/paths/~1a~1{id}/post/x-amazon-apigateway-integration");
    assert_eq!(format!("{written:#}"), format!("{expected:#}"));
    assert_eq!(document.pointer("/paths/~1a~1{id}/post/x-amazon-apigateway-request-validator"), None);
    assert_eq!(at(&document, "/paths/~1c"), &json!({}));
}

#[test]
fn schemes_hold_authorizers_only_where_they_are_asked_for() {
    let plain = oas30(&api(), &options("")).unwrap();
    let extended = oas30(&api(), &options("authorizers")).unwrap();
    let schemes = "/components/securitySchemes";
    let key = |name: &str| json!({"type": "apiKey", "name": name, "in": "header"});
    let expected =
        json!({"pool": key("T"), "lambda": key("Unused"), "api_key": key("x-api-key"), "sigv4": key("Authorization")});
    assert_eq!(at(&plain, schemes), &expected);
    let lambda = json!({
        "identitySource": "method.request.header.A, stageVariables.B",
        "authorizerUri": "u",
        "authorizerCredentials": "c",
        "authorizerResultTtlInSeconds": 0,
        "type": "request"
    });
    assert_eq!(at(&extended, &format!("{schemes}/lambda/x-amazon-apigateway-authorizer")), &lambda);
    assert_eq!(at(&extended, &format!("{schemes}/pool/x-amazon-apigateway-authtype")), "cognito_user_pools");
    assert_eq!(at(&extended, &format!("{schemes}/sigv4/x-amazon-apigateway-authtype")), "awsSigv4");
    assert_eq!(at(&extended, "/paths/~1a~1{id}/x-amazon-apigateway-any-method/security"), &json!([{"sigv4": []}]));
}

#[test]
fn the_settings_of_the_api_are_extensions_at_the_top() {
    let document = swagger(&api(), &options("apigateway")).unwrap();
    let extensions: Map<_, _> =
        document.as_object().unwrap().clone().into_iter().filter(|(k, _)| k.starts_with("x-")).collect();
    let expected = json!({
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": true, "vpcEndpointIds": ["vpce-1"]},
        "x-amazon-apigateway-gateway-responses": {"THROTTLED": {
            "statusCode": 420,
            "responseParameters": {"gatewayresponse.header.X": "'x'"},
            "responseTemplates": {"text/plain": "no"}
        }},
        "x-amazon-apigateway-minimum-compression-size": 1,
        "x-amazon-apigateway-policy": {"Statement": []},
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestParameters": false, "validateRequestBody": true}}
    });
    assert_eq!(Value::Object(extensions), expected);
    let document = oas30(&api(), &options("apigateway")).unwrap();
    let endpoint = "/servers/0/x-amazon-apigateway-endpoint-configuration/disableExecuteApiEndpoint";
    assert_eq!(at(&document, endpoint), true);
}

#[test]
fn an_export_imports_to_the_same_api_in_either_dialect() {
    for kind in [ExportType::Swagger, ExportType::Oas30] {
        let first = export(&api(), kind, &options("apigateway")).unwrap();
        for text in [first.to_string(), to_yaml(&first)] {
            let again = import(&text, &Options { fail_on_warnings: true, ..Options::default() });
            let again = again.api.unwrap_or_else(|| panic!("{:?}", again.diagnostics));
            assert_eq!(format!("{:#}", export(&again, kind, &options("apigateway")).unwrap()), format!("{first:#}"));
        }
    }
}

#[test]
fn what_swagger_cannot_say_is_refused_and_names_without_meaning_too() {
    let text =
        "openapi: 3.0.1\ninfo: {title: t}\npaths: {/a: {post: {requestBody: {content: {text/xml: {schema: {}}}}}}}";
    let api = import(text, &Options::default()).api.unwrap();
    assert_eq!(swagger(&api, &options("")).unwrap_err(), "Only found non-JSON body models for POST /a");
    assert!(oas30(&api, &options("")).is_ok());
    assert_eq!(Extensions::parse("integrations, postman"), Extensions::parse("integrations"));
    assert_eq!(Extensions::parse("integrations,nope"), Err("nope".to_owned()));
}

#[test]
fn documentation_is_written_where_it_belongs_and_as_parts() {
    let text = "
openapi: 3.0.1
info: {title: t, contact: {name: c}}
tags: [{name: x}]
paths:
  /a/{id}:
    summary: resource
    parameters: [{name: id, in: path, required: true, description: of all}]
    get: {summary: method, responses: {200: {description: fine, headers: {H: {description: header}}}}}
    delete: {parameters: [{name: id, in: path, required: true, description: of one}]}";
    let mut api = import(text, &Options::default()).api.unwrap();
    let parts = std::mem::take(&mut api.documentation.parts);
    let version = DocumentationVersion { version: "1".to_owned(), created_date: "then".to_owned(), parts };
    let plain = oas30(&api, &ExportOptions { documentation: Some(&version), ..options("") }).unwrap();
    let cases = [
        ("/info/contact/name", "c"),
        ("/tags/0/name", "x"),
        ("/paths/~1a~1{id}/summary", "resource"),
        ("/paths/~1a~1{id}/get/summary", "method"),
        ("/paths/~1a~1{id}/get/parameters/0/description", "of all"),
        ("/paths/~1a~1{id}/delete/parameters/0/description", "of one"),
        ("/paths/~1a~1{id}/get/responses/200/description", "fine"),
        ("/paths/~1a~1{id}/get/responses/200/headers/H/description", "header"),
    ];
    for (pointer, expected) in cases {
        assert_eq!(at(&plain, pointer), expected, "{pointer}");
    }
    assert_eq!(plain.get("x-amazon-apigateway-documentation"), None);
    let full = oas30(&api, &ExportOptions { documentation: Some(&version), ..options("documentation") }).unwrap();
    let documentation = at(&full, "/x-amazon-apigateway-documentation");
    assert_eq!((at(documentation, "/version"), at(documentation, "/createdDate")), (&json!("1"), &json!("then")));
    let part = json!({"location": {"type": "PATH_PARAMETER", "path": "/a/{id}", "method": "*", "name": "id"}, "properties": {"description": "of all"}});
    assert!(at(documentation, "/documentationParts").as_array().unwrap().contains(&part));
    let first = json!({"location": {"type": "API"}, "properties": {"info": {"contact": {"name": "c"}}, "tags": [{"name": "x"}]}});
    assert_eq!(at(documentation, "/documentationParts/0"), &first);
    assert_eq!(oas30(&api, &options("documentation")).unwrap().get("x-amazon-apigateway-documentation"), None);
}

#[test]
fn what_is_documented_for_all_is_written_at_each_and_read_back_as_one_part() {
    let text = "
openapi: 3.0.1
info: {title: t}
x-amazon-apigateway-documentation:
  version: 1
  documentationParts: [{location: {type: RESPONSE, statusCode: '200'}, properties: {description: shared, note: kept}}]
paths:
  /a: {get: {responses: {200: {description: 200 response}, 404: {description: none}}}}
  /b: {get: {responses: {200: {description: own}}}}";
    let version = |api: &RestApi| {
        let parts = api.documentation.parts.clone();
        DocumentationVersion { version: "1".to_owned(), created_date: String::new(), parts }
    };
    let api = import(text, &Options::default()).api.unwrap();
    let documentation = version(&api);
    let options = |documentation| ExportOptions { documentation: Some(documentation), ..options("apigateway") };
    let first = oas30(&api, &options(&documentation)).unwrap();
    assert_eq!(at(&first, "/paths/~1a/get/responses/200/description"), "shared");
    assert_eq!(at(&first, "/paths/~1b/get/responses/200/description"), "own");
    let again = import(&first.to_string(), &Options::default()).api.unwrap();
    assert_eq!(again.documentation.parts.len(), 3);
    assert_eq!(format!("{:#}", oas30(&again, &options(&version(&again))).unwrap()), format!("{first:#}"));
}
