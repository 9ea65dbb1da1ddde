//! `ApiKey`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::state::{Collection, Tenant};
use crate::admin::wire::account::ApiKey;
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::patch::{self, Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::tags::check as check_tags;

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetApiKeys", "GET", "/apikeys", list),
    write("ImportApiKeys", "POST", "/apikeys?mode=import", import),
    write("CreateApiKey", "POST", "/apikeys", create),
    read("GetApiKey", "GET", "/apikeys/{api_Key}", get),
    write("UpdateApiKey", "PATCH", "/apikeys/{api_Key}", update),
    write("DeleteApiKey", "DELETE", "/apikeys/{api_Key}", delete),
];

const PATHS: [&str; 4] = ["/description", "/enabled", "/name", "/customerId"];
const KEYS: Quota = Quota::of_account(10_000, "API keys");
const NAME_CHARACTERS_MAX: usize = 1_024;
const DESCRIPTION_CHARACTERS_MAX: usize = 1_024;
const VALUE_CHARACTERS_MIN: usize = 20;
const VALUE_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS: usize = 40;

/// A key as it is answered, with its value or without.
pub(super) fn shown(key: &ApiKey, has_value: bool) -> Value {
    let mut shown = json!(key);
    if let Some(members) = shown.as_object_mut() {
        members.remove("ordinal");
        if !has_value {
            members.remove("value");
        }
    }
    shown
}

/// Where a key stands in a list that has the newest first.
pub(super) fn place(key: &ApiKey) -> String {
    format!("{:016x}", !key.ordinal)
}

/// Keys, newest first.
pub(super) fn newest_first(keys: &Collection<ApiKey>) -> Vec<&Arc<ApiKey>> {
    let mut keys: Vec<_> = keys.values().collect();
    keys.sort_by_key(|key| Reverse(key.ordinal));
    keys
}

pub(super) fn name_begins(key: &ApiKey, prefix: &str) -> bool {
    key.name.as_deref().unwrap_or_default().starts_with(prefix)
}

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let (name, customer) = (request.query("name").unwrap_or_default(), request.query("customerId"));
    let has_value = request.query_flag("includeValues");
    let is_wanted = |key: &&Arc<ApiKey>| {
        name_begins(key, name) && customer.is_none_or(|customer| key.customer_id.as_deref() == Some(customer))
    };
    let keys = newest_first(&tenant.api_keys).into_iter().filter(is_wanted);
    request.page(keys.map(|key| (place(key), shown(key, has_value))))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let key = request.read(|input| read_key(&input, request))?;
    check_tags(&key.tags)?;
    request.check_count(tenant.api_keys.len(), KEYS)?;
    let key = admit(tenant, key)?;
    Ok(Reply::created(&shown(key, true)))
}

fn read_key(input: &Input<'_>, request: &Request<'_>) -> Result<ApiKey, Error> {
    let stage_keys = input.objects("stageKeys", |stage| {
        Ok(format!("{}/{}", stage.required_string("restApiId")?, stage.required_string("stageName")?))
    })?;
    // `generateDistinctId` is so at any rate.
    input.boolean("generateDistinctId")?;
    Ok(ApiKey {
        id: new_id(10),
        value: input.string("value")?.filter(|value| !value.is_empty()),
        name: input.string("name")?.filter(|name| !name.is_empty()),
        customer_id: input.string("customerId")?,
        description: input.string("description")?.filter(|text| !text.is_empty()),
        enabled: input.boolean("enabled")?.unwrap_or_default(),
        created_date: request.now(),
        last_updated_date: request.now(),
        stage_keys: stage_keys.unwrap_or_default(),
        tags: input.texts("tags")?.unwrap_or_default(),
        ordinal: 0,
    })
}

/// Takes a new key in, if nothing is against it.
fn admit(tenant: &mut Tenant, mut key: ApiKey) -> Result<&ApiKey, Error> {
    check(&key)?;
    let value = key.value.get_or_insert_with(|| new_id(VALUE_CHARACTERS)).clone();
    let length = value.chars().count();
    if length < VALUE_CHARACTERS_MIN {
        return Err(Error::bad_request("API Key value should be at least 20 characters"));
    }
    if length > VALUE_CHARACTERS_MAX {
        return Err(Error::bad_request("API Key value exceeds maximum size of 128 characters"));
    }
    if tenant.api_keys.values().any(|other| other.value.as_deref() == Some(&value)) {
        return Err(Error::conflict("API Key already exists"));
    }
    check_stages(tenant, &key)?;
    key.ordinal = tenant.api_keys.values().map(|key| key.ordinal).max().unwrap_or_default() + 1;
    let id = key.id.clone();
    Ok(tenant.api_keys.entry(id).or_insert_with(|| Arc::new(key)))
}

/// Stages, from before there were plans, are `{api}/{stage}`.
fn check_stages(tenant: &Tenant, key: &ApiKey) -> Result<(), Error> {
    let is_there = |stage: &String| {
        let (api, stage) = stage.split_once('/').unwrap_or_default();
        tenant.apis.get(api).is_some_and(|api| api.stages.contains_key(stage))
    };
    let all = key.stage_keys.iter().all(is_there);
    if all { Ok(()) } else { Err(Error::bad_request("Invalid stage identifier specified")) }
}

fn check(key: &ApiKey) -> Result<(), Error> {
    let is_longer = |text: &Option<String>, most| text.as_ref().is_some_and(|text| text.chars().count() > most);
    if is_longer(&key.name, NAME_CHARACTERS_MAX) {
        return Err(Error::bad_request("Invalid API Key name, can be at most 1024 characters."));
    }
    if is_longer(&key.description, DESCRIPTION_CHARACTERS_MAX) {
        return Err(Error::bad_request("Invalid API Key description specified."));
    }
    Ok(())
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid API Key identifier specified")
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let key = tenant.api_keys.get(request.label("api_Key")).ok_or_else(unknown)?;
    Ok(Reply::ok(&with_tags(shown(key, request.query_flag("includeValue")))))
}

/// One thing alone shows its tags even if it has none (R).
pub(super) fn with_tags(mut shown: Value) -> Value {
    if let Some(members) = shown.as_object_mut() {
        members.entry("tags").or_insert_with(|| json!({}));
    }
    shown
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let mut key = (**tenant.api_keys.get(request.label("api_Key")).ok_or_else(unknown)?).clone();
    for operation in &operations {
        change(&mut key, operation)?;
    }
    check(&key)?;
    // Stages that have gone since they were named do not matter.
    if operations.iter().any(|operation| operation.op == Op::Add) {
        check_stages(tenant, &key)?;
    }
    key.last_updated_date = request.now();
    let reply = Reply::ok(&with_tags(shown(&key, false)));
    tenant.api_keys.insert(key.id.clone(), Arc::new(key));
    Ok(reply)
}

fn change(key: &mut ApiKey, operation: &PatchOperation) -> Result<(), Error> {
    match (operation.op, operation.path()) {
        (Op::Add, "/stages") => key.stage_keys.push(operation.text().to_owned()),
        (Op::Remove, "/stages") => key.stage_keys.retain(|stage| stage != operation.text()),
        _ => return replace_member(key, operation),
    }
    Ok(())
}

fn replace_member(key: &mut ApiKey, operation: &PatchOperation) -> Result<(), Error> {
    patch::replaces(operation, &PATHS)?;
    match operation.path() {
        "/description" => key.description = operation.optional(),
        // What is no flag is false (R).
        "/enabled" => key.enabled = operation.flag(),
        "/name" => key.name = operation.optional(),
        _ => key.customer_id = operation.optional(),
    }
    Ok(())
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("api_Key");
    tenant.api_keys.remove(id).ok_or_else(unknown)?;
    super::usage_plans::part(tenant, |_, key| key == id);
    Ok(Reply::accepted())
}

/// A comma-separated file (dg/api-key-file-format): `name`, `key`, `description`, `enabled`, `usageplanIds`.
fn import(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    request.check_query("format", &["csv"])?;
    let text = std::str::from_utf8(request.body).map_err(|_| Error::bad_request("The file is not UTF-8"))?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = lines.next().ok_or_else(|| Error::bad_request("Could not parse CSV: it has no header"))?;
    let columns: HashMap<_, _> =
        cells(header).into_iter().enumerate().map(|(at, name)| (name.to_ascii_lowercase(), at)).collect();
    if !columns.contains_key("name") || !columns.contains_key("key") {
        return Err(Error::bad_request("Could not parse CSV: the columns Name and key are required"));
    }
    let (mut ids, mut warnings) = (Vec::new(), Vec::new());
    for (number, line) in lines.enumerate() {
        let cells = cells(line);
        let cell = |name: &str| columns.get(name).and_then(|&at| cells.get(at)).map_or("", String::as_str);
        match import_row(tenant, request, &cell) {
            Ok(id) => ids.push(id),
            Err(error) => warnings.push(format!("Line {}: {}", number + 2, error.message)),
        }
    }
    if !warnings.is_empty() && request.query_flag("failonwarnings") {
        return Err(Error::bad_request(warnings.join("; ")));
    }
    Ok(Reply::created(&json!({ "ids": ids, "warnings": warnings })))
}

fn import_row<'c>(
    tenant: &mut Tenant,
    request: &Request<'_>,
    cell: &impl Fn(&str) -> &'c str,
) -> Result<String, Error> {
    let text = |name| Some(cell(name).to_owned()).filter(|text| !text.is_empty());
    let key = ApiKey {
        id: new_id(10),
        value: text("key"),
        name: text("name"),
        description: text("description"),
        enabled: !cell("enabled").eq_ignore_ascii_case("false"),
        created_date: request.now(),
        last_updated_date: request.now(),
        ..ApiKey::default()
    };
    let plans: Vec<_> = cell("usageplanids").split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if let Some(unknown) = plans.iter().find(|id| !tenant.usage_plans.contains_key(**id)) {
        return Err(Error::not_found(format!("Invalid Usage Plan ID specified: {unknown}")));
    }
    let id = match known(tenant, &key) {
        Some(id) => replace(tenant, &id, key)?,
        None => {
            request.check_count(tenant.api_keys.len(), KEYS)?;
            admit(tenant, key)?.id.clone()
        }
    };
    for plan in plans {
        super::usage_plans::join(tenant, plan, &id, request.now());
    }
    Ok(id)
}

/// The key that has the same value already.
fn known(tenant: &Tenant, key: &ApiKey) -> Option<String> {
    let same = tenant.api_keys.values().find(|known| known.value == key.value && key.value.is_some())?;
    Some(same.id.clone())
}

/// What a file says of a key that is there takes the place of what was said before.
fn replace(tenant: &mut Tenant, id: &str, new: ApiKey) -> Result<String, Error> {
    check(&new)?;
    let key = Arc::make_mut(tenant.api_keys.get_mut(id).ok_or_else(unknown)?);
    let ApiKey { name, description, enabled, last_updated_date, .. } = new;
    *key = ApiKey { name, description, enabled, last_updated_date, ..key.clone() };
    Ok(id.to_owned())
}

/// Cells of a line; one in quotes may hold commas, and quotes doubled (RFC 4180).
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            other => cell.push(other),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

#[cfg(test)]
mod tests {
    use super::cells;

    #[test]
    fn cells_may_be_quoted() {
        assert_eq!(cells("a, \"b,\"\"c\"\"\" ,,true"), ["a", "b,\"c\"", "", "true"]);
    }
}
