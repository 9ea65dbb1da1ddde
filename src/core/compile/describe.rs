//! What decision records say of a stage and of a route before any request: encoded here, copied there.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::rest::{Authorization, Integration, Method, RestApi};
use crate::plan::trie::variables;
use crate::record::decision::{Tag, describe};

use super::StageInput;

/// Names of API, stage and deployment.
pub(super) fn stage(input: &StageInput<'_>) -> Box<[u8]> {
    describe([
        (Tag::Account, input.account_id),
        (Tag::ApiId, input.api_id),
        (Tag::Stage, input.stage_name),
        (Tag::Deployment, input.deployment_id),
    ])
}

/// A method of a resource: its names, what protects it, what answers it.
pub(super) fn route(
    api: &RestApi,
    (path, resource_id): (&str, &str),
    method: &Method,
    integration: Option<&Integration>,
    input: &StageInput<'_>,
) -> Box<[u8]> {
    let mut texts: Vec<(Tag, Cow<'_, str>)> = Vec::with_capacity(16);
    texts.push((Tag::Resource, path.into()));
    texts.push((Tag::ResourceId, resource_id.into()));
    texts.push((Tag::Method, method.name.as_str().into()));
    texts.extend(variables(path).map(|variable| (Tag::PathVariable, variable.name.into())));
    texts.extend(demands(api, method, input).map(|(tag, text)| (tag, text.into())));
    if let Some(integration) = integration {
        texts.push((Tag::Integration, integration.kind.as_str().into()));
        texts.extend(integration.uri.iter().map(|uri| (Tag::Uri, uri.value.as_str().into())));
        texts.extend(variables_read(integration, input.variables).map(|text| (Tag::StageVariable, text.into())));
        let responses = integration.responses.iter().flat_map(|response| &response.response_parameters);
        let mappings = integration.request_parameters.iter().chain(responses);
        texts.extend(mappings.map(|mapping| (Tag::Mapping, format!("{}={}", mapping.target, mapping.source).into())));
    }
    describe(texts.iter().map(|(tag, text)| (*tag, &**text)))
}

/// What the definition demands of a caller, in its own words.
fn demands(api: &RestApi, method: &Method, input: &StageInput<'_>) -> impl Iterator<Item = (Tag, String)> {
    let authorization = match &method.authorization {
        Authorization::None => None,
        Authorization::Iam => Some("AWS_IAM".to_owned()),
        Authorization::Custom { authorizer } => Some(format!("Lambda authorizer {authorizer}")),
        Authorization::Cognito { authorizer, .. } => Some(format!("Cognito authorizer {authorizer}")),
    };
    let policy = api.policy.is_some().then(|| "resource policy".to_owned());
    let key = method.api_key_required.then(|| "API key".to_owned());
    let validator = method.request_validator.as_ref().map(|validator| (Tag::Validator, validator.value.clone()));
    let ignored = move |demand: String| match input.ignores_authorization {
        true => format!("{demand} (ignored by --ignore-authorization)"),
        false => demand,
    };
    let protection =
        [authorization, policy].into_iter().flatten().map(move |demand| (Tag::Protection, ignored(demand)));
    protection.chain(key.map(|demand| (Tag::Metering, ignored(demand)))).chain(validator)
}

/// Stage variables that the integration names anywhere, with the values that they have.
fn variables_read<'i>(
    integration: &'i Integration,
    variables: &'i BTreeMap<String, String>,
) -> impl Iterator<Item = String> + 'i {
    let uri = integration.uri.iter().map(|uri| &uri.value);
    let parameters = integration.request_parameters.iter().map(|mapping| &mapping.source);
    let templates = integration.request_templates.iter().map(|(_, template)| &template.value);
    let responses = integration.responses.iter().flat_map(|response| {
        let parameters = response.response_parameters.iter().map(|mapping| &mapping.source);
        parameters.chain(response.response_templates.iter().map(|(_, template)| &template.value))
    });
    let texts: Vec<_> = uri
        .chain(parameters)
        .chain(templates)
        .chain(responses)
        .filter(|text| text.contains("stageVariables"))
        .collect();
    let is_read = move |name: &str| texts.iter().any(|text| text.contains(name));
    variables.iter().filter(move |(name, _)| is_read(name)).map(|(name, value)| format!("{name}={value}"))
}
