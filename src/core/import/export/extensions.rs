//! The extensions at the top level, which only `extensions=apigateway` asks for.

use serde_json::{Map, Value, json};

use crate::model::rest::{ApiKeySource, GatewayResponse};

use super::integration::mappings;
use super::{Export, ExportType, insert, insert_full};

impl Export<'_> {
    pub(super) fn add_extensions(&self, into: &mut Map<String, Value>) {
        let api = self.api;
        let by_authorizer = api.api_key_source == ApiKeySource::Authorizer;
        insert(into, "x-amazon-apigateway-api-key-source", by_authorizer.then(|| json!("AUTHORIZER")));
        let types = &api.binary_media_types;
        insert(into, "x-amazon-apigateway-binary-media-types", (!types.is_empty()).then(|| json!(types)));
        if self.export_type == ExportType::Swagger {
            self.add_endpoint_configuration(into);
        }
        let responses = api.gateway_responses.iter().map(gateway_response).collect();
        insert_full(into, "x-amazon-apigateway-gateway-responses", responses);
        let size = api.minimum_compression_size.map(Value::from);
        insert(into, "x-amazon-apigateway-minimum-compression-size", size);
        let security = api.security_policy.as_ref().map(|policy| json!(policy));
        insert(into, "x-amazon-apigateway-security-policy", security);
        insert(into, "x-amazon-apigateway-policy", api.policy.as_ref().map(|policy| policy.value.clone()));
        let mode = api.endpoint_access_mode.as_ref().map(|mode| json!(mode));
        insert(into, "x-amazon-apigateway-endpoint-access-mode", mode);
        insert_full(into, "x-amazon-apigateway-request-validators", self.validators());
    }

    fn validators(&self) -> Map<String, Value> {
        let validators = self.api.request_validators.iter();
        let checks = validators.map(|validator| {
            let checks = json!({
                "validateRequestParameters": validator.validate_request_parameters,
                "validateRequestBody": validator.validate_request_body,
            });
            (validator.name.clone(), checks)
        });
        checks.collect()
    }

    /// In Swagger 2.0 at the top level, in OpenAPI 3 in the server.
    pub(super) fn add_endpoint_configuration(&self, into: &mut Map<String, Value>) {
        let mut configuration = Map::new();
        let is_disabled = self.api.disable_execute_api_endpoint;
        insert(&mut configuration, "disableExecuteApiEndpoint", is_disabled.then(|| json!(true)));
        let endpoints = &self.api.vpc_endpoint_ids;
        insert(&mut configuration, "vpcEndpointIds", (!endpoints.is_empty()).then(|| json!(endpoints)));
        // IPv4 is what every API has unless it says otherwise.
        let address = self.api.ip_address_type.as_ref().filter(|kind| *kind != "ipv4");
        insert(&mut configuration, "ipAddressType", address.map(|kind| json!(kind)));
        insert_full(into, "x-amazon-apigateway-endpoint-configuration", configuration);
    }
}

fn gateway_response(response: &GatewayResponse) -> (String, Value) {
    let mut written = Map::new();
    let status = response.status_code.as_ref().map(|status| status.parse::<u16>().map_or(json!(status), Value::from));
    insert(&mut written, "statusCode", status);
    insert_full(&mut written, "responseParameters", mappings(&response.response_parameters));
    let templates = response.response_templates.iter();
    let templates = templates.map(|(media_type, template)| (media_type.clone(), json!(template)));
    insert_full(&mut written, "responseTemplates", templates.collect());
    (response.response_type.clone(), Value::Object(written))
}
