//! `PutRestApi`: what becomes of an API that exists when a document is put onto it
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-update.html>).

use std::collections::HashMap;
use std::hash::Hash;

use crate::json::{Node, Pointer};
use crate::model::documentation::DocumentationPart;
use crate::model::rest::{Resource, RestApi};

use super::Options;
use super::answer::Answer;
use super::findings::Findings;
use super::tree::Tree;
use super::values::present;

/// Which settings a document names. Merging leaves alone what it does not name, and for these a model cannot tell
/// "not named" from "named, and the default".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// `x-amazon-apigateway-api-key-source`
    pub api_key_source: bool,
    /// `disableExecuteApiEndpoint` of an endpoint configuration.
    pub disable_execute_api_endpoint: bool,
}

/// What the document at `root` names.
pub(super) fn stated(root: &Node) -> Stated {
    let disables = |owner: &Node| {
        let configuration = present(owner, "x-amazon-apigateway-endpoint-configuration");
        configuration.is_some_and(|node| present(node, "disableExecuteApiEndpoint").is_some())
    };
    let servers = present(root, "servers").map(Node::elements).unwrap_or_default();
    Stated {
        api_key_source: present(root, "x-amazon-apigateway-api-key-source").is_some(),
        disable_execute_api_endpoint: disables(root) || servers.iter().any(disables),
    }
}

/// `mode=overwrite`: the document's API takes the place of `existing`. Its endpoint configuration stays where the
/// document has none; stages, variables and tags are no part of either.
pub fn overwrite(existing: &RestApi, imported: RestApi, stated: Stated) -> RestApi {
    let mut api = imported;
    if !stated.disable_execute_api_endpoint {
        api.disable_execute_api_endpoint = existing.disable_execute_api_endpoint;
    }
    keep_list(&mut api.endpoint_types, &existing.endpoint_types);
    keep_list(&mut api.vpc_endpoint_ids, &existing.vpc_endpoint_ids);
    keep(&mut api.ip_address_type, &existing.ip_address_type);
    keep(&mut api.security_policy, &existing.security_policy);
    keep(&mut api.endpoint_access_mode, &existing.endpoint_access_mode);
    api
}

/// `mode=merge`: what the document defines is replaced, what it does not stays. Methods are replaced whole, lists of
/// media types are joined.
///
/// # Errors
/// The two together may have what neither has: siblings that are both variables, a child below a greedy variable, too
/// many resources. The answer then lists AWS's errors.
pub fn merge(existing: &RestApi, imported: RestApi, stated: Stated, options: &Options) -> Result<RestApi, Answer> {
    let mut api = overwrite(existing, imported, stated);
    keep_settings(existing, &mut api, stated);
    api.resources = joined_resources(&existing.resources, std::mem::take(&mut api.resources), options)?;
    joined(&existing.binary_media_types, &mut api.binary_media_types, Clone::clone);
    joined(&existing.models, &mut api.models, |model| model.name.clone());
    joined(&existing.request_validators, &mut api.request_validators, |validator| validator.name.clone());
    joined(&existing.authorizers, &mut api.authorizers, |authorizer| authorizer.name.clone());
    joined(&existing.gateway_responses, &mut api.gateway_responses, |response| response.response_type.clone());
    merge_parts(&existing.documentation.parts, &mut api.documentation.parts);
    Ok(api)
}

/// `mode=merge` of documentation parts: one part for each location, the new one if both have it. Parts that stay keep
/// their order, new ones follow.
pub fn merge_parts(existing: &[DocumentationPart], imported: &mut Vec<DocumentationPart>) {
    joined(existing, imported, |part| part.location.clone());
}

fn keep_settings(existing: &RestApi, api: &mut RestApi, stated: Stated) {
    if api.name.is_empty() {
        api.name.clone_from(&existing.name);
    }
    keep(&mut api.description, &existing.description);
    keep(&mut api.version, &existing.version);
    keep(&mut api.minimum_compression_size, &existing.minimum_compression_size);
    keep(&mut api.policy, &existing.policy);
    keep(&mut api.base_path, &existing.base_path);
    if !stated.api_key_source {
        api.api_key_source = existing.api_key_source;
    }
}

fn keep<T: Clone>(value: &mut Option<T>, existing: &Option<T>) {
    if value.is_none() {
        value.clone_from(existing);
    }
}

fn keep_list<T: Clone>(list: &mut Vec<T>, existing: &[T]) {
    if list.is_empty() {
        existing.clone_into(list);
    }
}

/// One item of each key, the new one if both lists have it: existing ones in their order, then what is new.
fn joined<T: Clone, K: Hash + Eq>(existing: &[T], list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let new = std::mem::replace(list, existing.to_vec());
    let mut indices: HashMap<K, usize> = existing.iter().enumerate().map(|(index, item)| (key(item), index)).collect();
    for item in new {
        let index = *indices.entry(key(&item)).or_insert(list.len());
        match list.get_mut(index) {
            Some(known) => *known = item,
            None => list.push(item),
        }
    }
}

/// The resources of both. The rules for siblings hold across them, so the tree is made anew.
fn joined_resources(existing: &[Resource], new: Vec<Resource>, options: &Options) -> Result<Vec<Resource>, Answer> {
    let mut tree = Tree::new(options.relaxed_limits);
    let mut findings = Findings::default();
    for resource in existing.iter().cloned().chain(new) {
        let index = tree.resource(&resource.path, resource.place, &Pointer::ROOT, &mut findings);
        if let Some(target) = index.and_then(|index| tree.get_mut(index)) {
            target.place = resource.place;
            let mut methods = resource.methods;
            joined(&target.methods, &mut methods, |method| method.name);
            target.methods = methods;
        }
    }
    match findings.is_refused() {
        true => Err(findings.take_answer()),
        false => Ok(tree.into_resources()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ApiKind, import};

    fn read(text: &str) -> (RestApi, Stated) {
        let imported = import(text, &Options { kind: ApiKind::Rest, ..Options::default() });
        (imported.api.unwrap_or_else(|| panic!("{text}: {:?}", imported.diagnostics)), imported.stated)
    }

    fn paths(api: &RestApi) -> Vec<String> {
        let methods = |resource: &Resource| resource.methods.iter().map(|m| format!(" {}", m.name)).collect::<String>();
        api.resources.iter().map(|resource| format!("{}{}", resource.path, methods(resource))).collect()
    }

    const EXISTING: &str = "
openapi: 3.0.1
info: {title: old, description: d, version: 1}
servers: [{url: /, x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true, vpcEndpointIds: [v]}}]
x-amazon-apigateway-api-key-source: AUTHORIZER
x-amazon-apigateway-binary-media-types: [image/heif, image/png]
x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: 420}, UNAUTHORIZED: {statusCode: 403}}
x-amazon-apigateway-documentation: {documentationParts: [{location: {type: API}, properties: {a: 1}}, {location: {type: MODEL, name: A}, properties: {}}]}
paths:
  /a/b: {get: {operationId: old}, post: {operationId: old}}
  /c/{id}: {get: {}}
components: {schemas: {A: {type: object}, B: {type: object}}}";

    const NEW: &str = "
openapi: 3.0.1
info: {title: new}
x-amazon-apigateway-binary-media-types: [image/png, image/jpg]
x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: 429}}
x-amazon-apigateway-documentation: {documentationParts: [{location: {type: API}, properties: {a: 2}}]}
paths:
  /a: {put: {}}
  /a/b: {get: {operationId: new}}
components: {schemas: {A: {type: array}, C: {}}}";

    #[test]
    fn merging_replaces_what_the_document_defines_and_leaves_the_rest() {
        let ((existing, _), (imported, stated)) = (read(EXISTING), read(NEW));
        let api = merge(&existing, imported, stated, &Options::default()).unwrap();
        assert_eq!(
            (api.name.as_str(), api.description.as_deref(), api.version.as_deref()),
            ("new", Some("d"), Some("1"))
        );
        assert_eq!(paths(&api), ["/", "/a PUT", "/a/b GET POST", "/c", "/c/{id} GET"]);
        let operations: Vec<_> = api.resources[2].methods.iter().map(|m| m.operation_name.as_deref()).collect();
        assert_eq!(operations, [Some("new"), Some("old")]);
        assert_eq!(api.binary_media_types, ["image/heif", "image/png", "image/jpg"]);
        let models: Vec<_> = api.models.iter().map(|m| format!("{} {}", m.name, m.schema["type"])).collect();
        assert_eq!(models, [r#"A "array""#, r#"B "object""#, "C null"]);
        let statuses: Vec<_> = api.gateway_responses.iter().map(|r| r.status_code.as_deref()).collect();
        assert_eq!(statuses, [Some("429"), Some("403")]);
        assert_eq!(api.api_key_source, existing.api_key_source);
        assert!(api.disable_execute_api_endpoint);
        let parts: Vec<_> = api.documentation.parts.iter().map(|part| part.properties.to_string()).collect();
        assert_eq!(parts, [r#"{"a":2}"#, "{}"]);
    }

    #[test]
    fn overwriting_keeps_only_the_endpoint_configuration() {
        let ((existing, _), (imported, stated)) = (read(EXISTING), read(NEW));
        let api = overwrite(&existing, imported, stated);
        assert_eq!(paths(&api), ["/", "/a PUT", "/a/b GET"]);
        assert_eq!((api.description, api.binary_media_types.len(), api.models.len()), (None, 2, 2));
        assert_eq!(api.api_key_source, crate::model::rest::ApiKeySource::Header);
        assert!(api.disable_execute_api_endpoint);
        assert_eq!(api.vpc_endpoint_ids, ["v"]);
        let stated = Stated { disable_execute_api_endpoint: true, ..stated };
        assert!(!overwrite(&existing, read(NEW).0, stated).disable_execute_api_endpoint);
    }

    #[test]
    fn two_documents_that_do_not_fit_together_are_refused_in_the_words_of_aws() {
        let existing = read(EXISTING).0;
        let (imported, stated) = read("openapi: 3.0.1\ninfo: {title: t}\npaths: {'/c/{key}': {get: {}}}");
        let answer = merge(&existing, imported, stated, &Options::default()).unwrap_err();
        let expected = "Errors found during import:\n\tUnable to create resource at path '/c/{key}': A sibling ({id}) of this resource already has a variable path part -- only one is allowed";
        assert_eq!(answer.refusal().as_deref(), Some(expected));
    }
}
