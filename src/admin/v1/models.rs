//! `Model` and `RequestValidator`.

use std::sync::Arc;

use ringgate_core::import::flatten;
use serde_json::{Value, json};

use super::request::new_id;
use super::{Operation, Request, read, write};
use crate::admin::state::convert::to_model;
use crate::admin::state::{Collection, Definition, Tenant};
use crate::admin::wire::Texts;
use crate::admin::wire::error::Error;
use crate::admin::wire::parts::{Model, RequestValidator};
use crate::admin::wire::patch::{self, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::resource::Method;

const MODELS: &str = "/restapis/{restapi_id}/models";
const MODEL: &str = "/restapis/{restapi_id}/models/{model_name}";
const VALIDATORS: &str = "/restapis/{restapi_id}/requestvalidators";
const VALIDATOR: &str = "/restapis/{restapi_id}/requestvalidators/{requestvalidator_id}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetModels", "GET", MODELS, list_models),
    write("CreateModel", "POST", MODELS, create_model),
    read("GetModel", "GET", MODEL, get_model),
    write("UpdateModel", "PATCH", MODEL, update_model),
    write("DeleteModel", "DELETE", MODEL, delete_model),
    read("GetModelTemplate", "GET", "/restapis/{restapi_id}/models/{model_name}/default_template", get_template),
    read("GetRequestValidators", "GET", VALIDATORS, list_validators),
    write("CreateRequestValidator", "POST", VALIDATORS, create_validator),
    read("GetRequestValidator", "GET", VALIDATOR, get_validator),
    write("UpdateRequestValidator", "PATCH", VALIDATOR, update_validator),
    write("DeleteRequestValidator", "DELETE", VALIDATOR, delete_validator),
];

const MODEL_PATHS: [&str; 2] = ["/description", "/schema"];
const VALIDATOR_PATHS: [&str; 3] = ["/name", "/validateRequestParameters", "/validateRequestBody"];
/// Bytes of an API's schemas together (AWS's quota, which cannot be raised).
const SCHEMA_BYTES_MAX: usize = 400 << 10;

fn list_models(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let models = request.api(tenant)?.definition.models.iter();
    request.page(models.map(|(name, model)| (name.clone(), model.clone())))
}

fn create_model(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let model = request.read(|input| {
        Ok(Model {
            id: new_id(6),
            name: input.required_string("name")?,
            description: input.string("description")?.filter(|text| !text.is_empty()),
            schema: input.string("schema")?,
            content_type: input.required_string("contentType")?,
        })
    })?;
    let relaxed = request.limits_are_relaxed();
    let models = &mut request.api_mut(tenant)?.definition.models;
    if model.name.is_empty() {
        return Err(Error::bad_request("Model name must be non-empty"));
    }
    if !model.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::bad_request(format!("Model name must be alphanumeric: {}", model.name)));
    }
    if models.contains_key(&model.name) {
        return Err(Error::conflict("Model name already exists for this REST API"));
    }
    check_schema(model.schema.as_deref().unwrap_or_default(), &model.content_type)?;
    check_size(models, &model, relaxed)?;
    let reply = Reply::created(&model);
    models.insert(model.name.clone(), Arc::new(model));
    Ok(reply)
}

/// A schema of JSON is a JSON object.
fn check_schema(schema: &str, content_type: &str) -> Result<(), Error> {
    if schema.trim().is_empty() {
        return Err(Error::bad_request("Model schema must have at least 1 property or array items defined"));
    }
    if content_type != "application/json" {
        return Ok(());
    }
    let wrong = match serde_json::from_str::<Value>(schema) {
        Ok(Value::Object(_)) => return Ok(()),
        Ok(_) => "Model schema must be a JSON object".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Error::bad_request(format!(
        "Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified. {wrong}]"
    )))
}

/// What the other models and this one come to.
fn check_size(models: &Collection<Model>, model: &Model, relaxed: bool) -> Result<(), Error> {
    let bytes = |model: &Model| model.schema.as_ref().map_or(0, String::len);
    let others = models.values().filter(|other| other.name != model.name).map(|other| bytes(other));
    if others.sum::<usize>() + bytes(model) > SCHEMA_BYTES_MAX && !relaxed {
        return Err(Error::limit_exceeded("Models of this API exceed maximum size of 400 KB"));
    }
    Ok(())
}

fn unknown_model(request: &Request<'_>) -> Error {
    Error::not_found(format!("Invalid model name specified: {}", request.label("model_name")))
}

fn model<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t Arc<Model>, Error> {
    let api = tenant.apis.get(request.label("restapi_id")).ok_or_else(|| unknown_model(request))?;
    api.definition.models.get(request.label("model_name")).ok_or_else(|| unknown_model(request))
}

fn get_model(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let model = model(tenant, request)?;
    if !request.query_flag("flatten") {
        return Ok(Reply::ok(model));
    }
    let models = to_model(&request.api(tenant)?.definition).models;
    let flat = flatten(&models, &model.name).map(|schema| schema.to_string());
    Ok(Reply::ok(&Model { schema: flat, ..(**model).clone() }))
}

fn get_template(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let model = model(tenant, request)?;
    let schema: Value = model.schema.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut template = "#set($inputRoot = $input.path('$'))\n".to_owned();
    write_template(&schema, "$inputRoot", 0, &mut template);
    Ok(Reply::ok(&json!({ "value": template })))
}

/// A template that copies what the schema describes, member by member.
fn write_template(schema: &Value, path: &str, depth: usize, out: &mut String) {
    use std::fmt::Write as _;
    const DEPTH_MAX: usize = 32;
    let indent = "  ".repeat(depth);
    let properties = schema.get("properties").and_then(Value::as_object);
    match (schema.get("type").and_then(Value::as_str), properties) {
        _ if depth > DEPTH_MAX => out.push_str("null"),
        (_, Some(properties)) => {
            out.push_str("{\n");
            for (index, (name, member)) in properties.iter().enumerate() {
                let _ = write!(out, "{indent}  \"{name}\" : ");
                write_template(member, &format!("{path}.{name}"), depth + 1, out);
                out.push_str(if index + 1 < properties.len() { ",\n" } else { "\n" });
            }
            let _ = write!(out, "{indent}}}");
        }
        (Some("array"), _) => {
            let item = format!("$elem{}", if depth == 0 { String::new() } else { depth.to_string() });
            let _ = write!(out, "[\n#foreach({item} in {path})\n{indent}  ");
            write_template(schema.get("items").unwrap_or(&Value::Null), &item, depth + 1, out);
            let _ = write!(out, "#if($foreach.hasNext),#end\n#end\n{indent}]");
        }
        (Some("string"), _) => {
            let _ = write!(out, "\"{path}\"");
        }
        (Some("integer" | "number" | "boolean"), _) => out.push_str(path),
        _ => {
            let _ = write!(out, "\"{path}\"");
        }
    }
}

fn update_model(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let mut changed = (**model(tenant, request)?).clone();
    for operation in &operations {
        patch::replaces(operation, &MODEL_PATHS)?;
        match operation.path() {
            "/description" => changed.description = operation.optional(),
            _ => {
                check_schema(operation.text(), &changed.content_type)?;
                changed.schema = operation.value.clone();
            }
        }
    }
    let reply = Reply::ok(&changed);
    let models = &mut request.api_mut(tenant)?.definition.models;
    check_size(models, &changed, request.limits_are_relaxed())?;
    models.insert(changed.name.clone(), Arc::new(changed));
    Ok(reply)
}

fn delete_model(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let name = &model(tenant, request)?.name.clone();
    let definition = &mut request.api_mut(tenant)?.definition;
    let is_model = |models: &Option<Texts>| models.iter().flatten().any(|(_, used)| used == name);
    let is_answer = |method: &Method| method.method_responses.values().any(|one| is_model(&one.response_models));
    let request = user(definition, |method| is_model(&method.request_models)).map(|place| ("request", place));
    let answer = || user(definition, is_answer).map(|place| ("response", place));
    if let Some((part, place)) = request.or_else(answer) {
        let message = format!("Cannot delete model '{name}', is referenced in method {part}: {place}");
        return Err(Error::conflict(message));
    }
    definition.models.remove(name);
    Ok(Reply::accepted())
}

/// Path and verb of a method that is what `is_user` says. Of several, the one with the longest path is named (R).
fn user(definition: &Definition, is_user: impl Fn(&Method) -> bool) -> Option<String> {
    let users = definition.methods().filter(|(.., method)| is_user(method));
    users
        .max_by_key(|(resource, ..)| resource.path.len())
        .map(|(resource, verb, _)| format!("{}/{verb}", resource.path))
}

fn list_validators(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let validators = request.api(tenant)?.definition.request_validators.iter();
    request.page(validators.map(|(id, validator)| (id.clone(), validator.clone())))
}

fn create_validator(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let validator = request.read(|input| {
        Ok(RequestValidator {
            id: new_id(6),
            name: input.string("name")?,
            validate_request_body: input.boolean("validateRequestBody")?.unwrap_or_default(),
            validate_request_parameters: input.boolean("validateRequestParameters")?.unwrap_or_default(),
        })
    })?;
    let api = tenant.api_mut(request.label("restapi_id"));
    // 400 here, where others say 404 (R).
    let api = api.ok_or_else(|| Error::bad_request("Invalid REST API identifier specified"))?;
    check_name(&validator, &api.definition)?;
    let reply = Reply::created(&validator);
    api.definition.request_validators.insert(validator.id.clone(), Arc::new(validator));
    Ok(reply)
}

fn check_name(validator: &RequestValidator, definition: &Definition) -> Result<(), Error> {
    let Some(name) = &validator.name else { return Ok(()) };
    if name.is_empty() {
        return Err(blank_name());
    }
    let mut others = definition.request_validators.values().filter(|other| other.id != validator.id);
    if others.any(|other| other.name.as_ref() == Some(name)) {
        let message =
            format!("Request Validator name must be unique. Request Validator {name} already exists in this RestApi.");
        return Err(Error::bad_request(message));
    }
    Ok(())
}

fn blank_name() -> Error {
    Error::bad_request("Request Validator name cannot be blank")
}

fn validator<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t Arc<RequestValidator>, Error> {
    let api = tenant.apis.get(request.label("restapi_id"));
    let found = api.and_then(|api| api.definition.request_validators.get(request.label("requestvalidator_id")));
    found.ok_or_else(|| Error::not_found("Invalid Request Validator identifier specified"))
}

fn get_validator(tenant: &Tenant, request: &Request<'_>) -> Answer {
    Ok(Reply::ok(validator(tenant, request)?))
}

fn update_validator(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let mut changed = (**validator(tenant, request)?).clone();
    for operation in &operations {
        change_validator(&mut changed, operation)?;
    }
    let reply = Reply::ok(&changed);
    let definition = &mut request.api_mut(tenant)?.definition;
    check_name(&changed, definition)?;
    definition.request_validators.insert(changed.id.clone(), Arc::new(changed));
    Ok(reply)
}

fn change_validator(validator: &mut RequestValidator, operation: &PatchOperation) -> Result<(), Error> {
    patch::replaces(operation, &VALIDATOR_PATHS)?;
    match operation.path() {
        "/name" => validator.name = Some(operation.optional().ok_or_else(blank_name)?),
        "/validateRequestParameters" => validator.validate_request_parameters = operation.flag(),
        _ => validator.validate_request_body = operation.flag(),
    }
    Ok(())
}

fn delete_validator(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let id = validator(tenant, request)?.id.clone();
    let definition = &mut request.api_mut(tenant)?.definition;
    if let Some(place) = user(definition, |method| method.request_validator_id.as_ref() == Some(&id)) {
        let message = format!("Cannot delete request validator '{id}', is referenced in method request: {place}");
        return Err(Error::conflict(message));
    }
    definition.request_validators.remove(&id);
    Ok(Reply::accepted())
}
