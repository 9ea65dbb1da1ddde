//! Documents in: `ImportRestApi`, `PutRestApi`.

use std::sync::Arc;

use ringgate_core::import::{self, ApiKind, BasePath, Imported, Options};
use ringgate_core::model::rest::{EndpointType, RestApi as Model};
use serde_json::json;

use super::deployments::check_complete;
use super::request::new_id;
use super::rest_apis::{Tags, check_endpoints, check_room, check_security, shown};
use super::{Operation, Request, write};
use crate::admin::state::adopt::to_definition;
use crate::admin::state::convert::to_model;
use crate::admin::state::{Api, Definition, Tenant};
use crate::admin::wire::EpochSeconds;
use crate::admin::wire::error::Error;
use crate::admin::wire::parts::DocumentationVersion;
use crate::admin::wire::policy::{self, Subject};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::rest_api::{EndpointConfiguration, RestApi};

pub(super) const OPERATIONS: &[Operation] = &[
    write("ImportRestApi", "POST", "/restapis?mode=import", import_api),
    write("PutRestApi", "PUT", "/restapis/{restapi_id}", put_api),
];

/// What an import may do with what is there.
pub(super) const PUT_MODES: [&str; 2] = ["merge", "overwrite"];

pub(super) fn options(request: &Request<'_>) -> Result<Options, Error> {
    let base_path = match request.query("basepath") {
        None | Some("ignore") => BasePath::Ignore,
        Some("prepend") => BasePath::Prepend,
        Some("split") => BasePath::Split,
        Some(other) => {
            return Err(Error::bad_request(format!(
                "Invalid value for basepath: {other}. Must be one of: ignore, prepend, split"
            )));
        }
    };
    let types =
        request.query("endpointConfigurationTypes").unwrap_or_default().split(',').filter(|kind| !kind.is_empty());
    let kind = |kind: &str| {
        let wrong = || Error::bad_request("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE");
        EndpointType::parse(kind).ok_or_else(wrong)
    };
    Ok(Options {
        kind: ApiKind::Rest,
        base_path,
        relaxed_limits: request.limits_are_relaxed(),
        fail_on_warnings: request.query_flag("failonwarnings"),
        ignore_documentation: request.query("ignore") == Some("documentation"),
        endpoint_types: types.map(kind).collect::<Result<_, _>>()?,
        account: request.caller.account.clone(),
        partition: "aws".to_owned(),
        region: request.caller.region.clone(),
    })
}

/// The document in a body, if AWS has nothing against it.
fn read_document(body: &[u8], options: &Options) -> Result<(Model, Imported), Error> {
    let text = std::str::from_utf8(body).map_err(|_| Error::bad_request(import::INVALID_INPUT))?;
    let mut imported = import::import(text, options);
    let refusal = match options.fail_on_warnings {
        true => imported.answer.strict_refusal(),
        false => imported.answer.refusal(),
    };
    if let Some(message) = refusal {
        return Err(Error::bad_request(message));
    }
    let model = imported.api.take().ok_or_else(|| Error::bad_request(import::INVALID_INPUT))?;
    Ok((model, imported))
}

fn import_api(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let options = options(request)?;
    let (model, imported) = read_document(request.body, &options)?;
    let definition = made_of(&model, new_id(10), request.now(), &options)?;
    let mut api = Api { definition, ..Api::default() };
    check_endpoints(&api.definition.rest_api.endpoint_configuration)?;
    check_room(tenant, &api.definition.rest_api, request)?;
    document(&mut api, &model, request.now());
    let reply = shown(&api.definition.rest_api, Tags::IfAny);
    tenant.apis.insert(api.definition.rest_api.id.clone(), Arc::new(api));
    Ok(Reply::created(&warned(reply, &imported)))
}

/// A new API.
fn made_of(model: &Model, id: String, now: EpochSeconds, options: &Options) -> Result<Definition, Error> {
    let rest_api = RestApi {
        id,
        created_date: now,
        endpoint_configuration: EndpointConfiguration {
            types: vec!["EDGE".to_owned()],
            ip_address_type: Some("ipv4".to_owned()),
            ..EndpointConfiguration::default()
        },
        ..RestApi::default()
    };
    let blank = Definition { rest_api: Arc::new(rest_api), ..Definition::default() };
    settled(to_definition(model, &blank), options)
}

/// What a document would make of an API, which is another's overwriting or a new one.
///
/// # Errors
/// Those of the import, or of a deployment.
pub fn planned(body: &[u8], before: Option<&Definition>, options: &Options) -> Result<Definition, Error> {
    let (model, imported) = read_document(body, options)?;
    let definition = match before {
        None => made_of(&model, String::new(), 0, options)?,
        Some(before) => {
            let model = import::overwrite(&to_model(before), model, imported.stated);
            settled(to_definition(&model, before), options)?
        }
    };
    check_complete(&definition)?;
    Ok(definition)
}

/// What AWS makes of what a document says of the API itself.
fn settled(mut definition: Definition, options: &Options) -> Result<Definition, Error> {
    let api = Arc::make_mut(&mut definition.rest_api);
    let endpoints = &mut api.endpoint_configuration;
    // A private API is reached over both kinds of address.
    if endpoints.types.iter().any(|kind| kind == "PRIVATE") {
        endpoints.ip_address_type = Some("dualstack".to_owned());
    }
    check_security(api.security_policy.as_deref(), api.endpoint_access_mode.as_deref())?;
    if let Some(policy) = &api.policy {
        let subject = Subject { region: &options.region, account: &options.account, api: &api.id };
        api.policy = Some(policy::settled(policy, subject)?);
    }
    Ok(definition)
}

fn warned(mut shown: serde_json::Value, imported: &Imported) -> serde_json::Value {
    let warnings = imported.answer.warnings();
    if !warnings.is_empty() {
        shown["warnings"] = json!(warnings);
    }
    shown
}

/// A document that names its documentation's version makes that version.
fn document(api: &mut Api, model: &Model, now: EpochSeconds) {
    if let Some(version) = &model.documentation.version {
        let parts = api.definition.documentation_parts.values().map(|part| (**part).clone()).collect();
        let made = DocumentationVersion { version: version.clone(), created_date: now, description: None, parts };
        api.documentation_versions.insert(version.clone(), Arc::new(made));
    }
}

fn put_api(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    request.check_query("mode", &PUT_MODES)?;
    let is_overwriting = request.query("mode") == Some("overwrite");
    let options = options(request)?;
    let (model, imported) = read_document(request.body, &options)?;
    let api = request.api_mut(tenant)?;
    let existing = to_model(&api.definition);
    let version = model.documentation.clone();
    let model = if is_overwriting {
        import::overwrite(&existing, model, imported.stated)
    } else {
        let merged = import::merge(&existing, model, imported.stated, &options);
        merged.map_err(|answer| Error::bad_request(answer.refusal().unwrap_or_default()))?
    };
    api.definition = settled(to_definition(&model, &api.definition), &options)?;
    document(api, &Model { documentation: version, ..Model::default() }, request.now());
    Ok(Reply::ok(&warned(shown(&api.definition.rest_api, Tags::Always), &imported)))
}
