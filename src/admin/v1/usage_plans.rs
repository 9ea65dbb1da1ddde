//! `UsagePlan` and its keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::api_keys::{name_begins, newest_first, place, with_tags};
use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::wire::account::{ApiKey, ApiStage, QuotaSettings, ThrottleSettings, UsagePlan, UsagePlanKey};
use crate::admin::wire::error::Error;
use crate::admin::wire::input::Input;
use crate::admin::wire::patch::{Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::{EpochSeconds, tags};

const PLAN: &str = "/usageplans/{usageplanId}";
const KEYS: &str = "/usageplans/{usageplanId}/keys";
const KEY: &str = "/usageplans/{usageplanId}/keys/{keyId}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetUsagePlans", "GET", "/usageplans", list),
    write("CreateUsagePlan", "POST", "/usageplans", create),
    read("GetUsagePlan", "GET", PLAN, get),
    write("UpdateUsagePlan", "PATCH", PLAN, update),
    write("DeleteUsagePlan", "DELETE", PLAN, delete),
    read("GetUsagePlanKeys", "GET", KEYS, list_keys),
    write("CreateUsagePlanKey", "POST", KEYS, create_key),
    read("GetUsagePlanKey", "GET", KEY, get_key),
    write("DeleteUsagePlanKey", "DELETE", KEY, delete_key),
];

const PLANS: Quota = Quota::of_account(300, "usage plans");
const PLANS_OF_KEY: Quota = Quota { most: 10, noun: "usage plans", owner: "API key" };
/// Rates of methods that a plan may have for a stage.
const METHOD_THROTTLES_MAX: usize = 20;
const PERIODS: [&str; 3] = ["DAY", "WEEK", "MONTH"];

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let key = request.query("keyId");
    let has_key = |id: &str| key.is_none_or(|key| tenant.usage_plan_keys.contains_key(&format!("{id}/{key}")));
    let plans = tenant.usage_plans.iter().filter(|(id, _)| has_key(id));
    request.page(plans.map(|(id, plan)| (id.clone(), plan.clone())))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let plan = request.read(|input| read_plan(&input))?;
    if plan.name.is_empty() {
        return Err(Error::bad_request("Usage Plan name cannot be empty"));
    }
    for stage in &plan.api_stages {
        if stage.api_id.is_empty() || stage.stage.is_empty() {
            // AWS forgets to fill its message in (reported).
            return Err(Error::bad_request("Invalid API Stage {api: %s, stage: %s} specified for usageplan %s"));
        }
        check_stage(tenant, stage, request)?;
    }
    check(&plan)?;
    tags::check(&plan.tags)?;
    request.check_count(tenant.usage_plans.len(), PLANS)?;
    let reply = Reply::created(&plan);
    tenant.usage_plans.insert(plan.id.clone(), Arc::new(plan));
    Ok(reply)
}

fn read_plan(input: &Input<'_>) -> Result<UsagePlan, Error> {
    Ok(UsagePlan {
        id: new_id(6),
        name: input.required_string("name")?,
        description: input.string("description")?.filter(|text| !text.is_empty()),
        api_stages: input.objects("apiStages", read_stage)?.unwrap_or_default(),
        throttle: input.object("throttle", read_throttle)?,
        quota: input.object("quota", |quota| {
            Ok(QuotaSettings {
                limit: quota.integer("limit")?.unwrap_or_default(),
                offset: quota.integer("offset")?.unwrap_or_default(),
                period: quota.one_of("period", &PERIODS)?,
            })
        })?,
        product_code: None,
        tags: input.texts("tags")?.unwrap_or_default(),
    })
}

fn read_stage(stage: Input<'_>) -> Result<ApiStage, Error> {
    Ok(ApiStage {
        api_id: stage.string("apiId")?.unwrap_or_default(),
        stage: stage.string("stage")?.unwrap_or_default(),
        throttle: stage.objects_by_name("throttle", read_throttle)?.unwrap_or_default(),
    })
}

fn read_throttle(throttle: Input<'_>) -> Result<ThrottleSettings, Error> {
    Ok(ThrottleSettings {
        burst_limit: throttle.integer("burstLimit")?.unwrap_or_default(),
        rate_limit: throttle.number("rateLimit")?.unwrap_or_default(),
    })
}

fn check_stage(tenant: &Tenant, stage: &ApiStage, request: &Request<'_>) -> Result<(), Error> {
    let api = tenant.apis.get(&stage.api_id).ok_or_else(|| request.unknown_api(&stage.api_id))?;
    if api.stages.contains_key(&stage.stage) {
        return Ok(());
    }
    Err(Error::not_found(format!("API Stage not found: {}:{}", stage.api_id, stage.stage)))
}

fn check(plan: &UsagePlan) -> Result<(), Error> {
    if plan.api_stages.iter().any(|stage| stage.throttle.len() > METHOD_THROTTLES_MAX) {
        let message = format!("A stage of a usage plan can have at most {METHOD_THROTTLES_MAX} method throttles");
        return Err(Error::bad_request(message));
    }
    check_quota(plan.quota.as_ref())
}

/// One key reaches a stage through one plan only (dg/api-gateway-api-usage-plans).
fn check_keys(tenant: &Tenant, plan: &UsagePlan) -> Result<(), Error> {
    let keys = tenant.usage_plan_keys.iter().filter_map(|(place, key)| {
        let (of, _) = place.split_once('/')?;
        (of == plan.id).then_some(key)
    });
    keys.into_iter().try_for_each(|key| check_reach(tenant, plan, &key.id))
}

fn check_reach(tenant: &Tenant, plan: &UsagePlan, key: &str) -> Result<(), Error> {
    let has_key = |other: &&Arc<UsagePlan>| tenant.usage_plan_keys.contains_key(&format!("{}/{key}", other.id));
    let others = tenant.usage_plans.values().filter(|other| other.id != plan.id).filter(has_key);
    let stages: Vec<_> = others.flat_map(|other| &other.api_stages).collect();
    let is_shared = |own: &&ApiStage| stages.iter().any(|one| one.api_id == own.api_id && one.stage == own.stage);
    match plan.api_stages.iter().find(is_shared) {
        None => Ok(()),
        Some(ApiStage { api_id, stage, .. }) => Err(Error::conflict(format!(
            "Usage Plan {} cannot be added because API Key {key} cannot reference multiple Usage Plans with the same API \
             stage: {api_id}:{stage}",
            plan.id
        ))),
    }
}

fn check_quota(quota: Option<&QuotaSettings>) -> Result<(), Error> {
    let Some(quota) = quota else { return Ok(()) };
    let last_day = match quota.period.as_deref() {
        None => return Err(Error::bad_request("Usage Plan quota must have a period: DAY, WEEK or MONTH")),
        Some("DAY") => 0,
        Some("WEEK") => 6,
        Some(_) => 27,
    };
    if quota.limit < 0 {
        return Err(Error::bad_request("Usage Plan quota limit must not be negative"));
    }
    if !(0..=last_day).contains(&quota.offset) {
        return Err(Error::bad_request(format!("Usage Plan quota offset must be between 0 and {last_day}")));
    }
    Ok(())
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid Usage Plan ID specified")
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let plan = tenant.usage_plans.get(request.label("usageplanId")).ok_or_else(unknown)?;
    Ok(Reply::ok(&with_tags(json!(plan))))
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let id = request.label("usageplanId");
    let mut plan = (**tenant.usage_plans.get(id).ok_or_else(unknown)?).clone();
    for operation in &operations {
        change(&mut plan, (tenant, request), operation)?;
    }
    check(&plan)?;
    check_keys(tenant, &plan)?;
    let reply = Reply::ok(&with_tags(json!(plan)));
    tenant.usage_plans.insert(id.to_owned(), Arc::new(plan));
    Ok(reply)
}

fn change(plan: &mut UsagePlan, at: (&Tenant, &Request<'_>), operation: &PatchOperation) -> Result<(), Error> {
    let segments = operation.segments();
    match (operation.op, segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        (Op::Add | Op::Remove, ["apiStages"]) => change_stages(plan, at, operation),
        (_, ["apiStages", stage, "throttle", rest @ ..]) => change_stage_throttle(plan, (stage, rest), operation),
        (Op::Replace, ["name"]) if operation.text().is_empty() => {
            Err(Error::bad_request("Usage Plan name cannot be empty"))
        }
        (Op::Replace, ["name"]) => {
            operation.text().clone_into(&mut plan.name);
            Ok(())
        }
        (Op::Replace, ["description"]) => {
            plan.description = operation.optional();
            Ok(())
        }
        (Op::Add | Op::Replace, ["productCode"]) => {
            plan.product_code = operation.optional();
            Ok(())
        }
        (Op::Remove, ["productCode"]) => {
            plan.product_code = None;
            Ok(())
        }
        (Op::Remove, ["throttle"]) => {
            plan.throttle = None;
            Ok(())
        }
        (Op::Remove, ["quota"]) => {
            plan.quota = None;
            Ok(())
        }
        (Op::Add | Op::Replace, ["throttle", member]) => {
            set_throttle(plan.throttle.get_or_insert_default(), member, operation)
        }
        (Op::Add | Op::Replace, ["quota", member]) => set_quota(plan.quota.get_or_insert_default(), member, operation),
        _ => Err(invalid(operation)),
    }
}

fn invalid(operation: &PatchOperation) -> Error {
    // AWS's list, its spelling included (reported); of the other operations' lists nothing is known.
    const REMOVABLE: &str = "Must be one of: [/apiStages, /quota, /throttle, /productCode, \
        /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, /apiStages/<apidId:stageName>/throttle]";
    let (path, op) = (operation.path(), operation.op.as_str());
    let hint = if operation.op == Op::Remove { REMOVABLE } else { "Please choose supported operations" };
    Error::bad_request(format!("Invalid patch path  '{path}' specified for op '{op}'. {hint}"))
}

/// A number, if the value is one.
fn number<T>(operation: &PatchOperation, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::bad_request(format!("Invalid value for {}: {}", operation.path(), operation.text())))
}

fn whole(operation: &PatchOperation) -> Result<i64, Error> {
    number(operation, operation.text().parse().ok())
}

fn set_throttle(throttle: &mut ThrottleSettings, member: &str, operation: &PatchOperation) -> Result<(), Error> {
    match member {
        "burstLimit" => throttle.burst_limit = whole(operation)?,
        "rateLimit" => throttle.rate_limit = number(operation, operation.fraction())?,
        _ => return Err(invalid(operation)),
    }
    Ok(())
}

fn set_quota(quota: &mut QuotaSettings, member: &str, operation: &PatchOperation) -> Result<(), Error> {
    match member {
        "limit" => quota.limit = whole(operation)?,
        "offset" => quota.offset = whole(operation)?,
        "period" if PERIODS.contains(&operation.text()) => {
            quota.period = operation.optional();
        }
        _ => return Err(invalid(operation)),
    }
    Ok(())
}

/// `{api}:{stage}`
fn stage_of(text: &str) -> Result<(&str, &str), Error> {
    text.split_once(':').ok_or_else(|| Error::bad_request("Invalid API Stage specified"))
}

fn change_stages(
    plan: &mut UsagePlan,
    (tenant, request): (&Tenant, &Request<'_>),
    operation: &PatchOperation,
) -> Result<(), Error> {
    let (api, stage) = stage_of(operation.text())?;
    let at = plan.api_stages.iter().position(|known| known.api_id == api && known.stage == stage);
    if operation.op == Op::Add {
        let new = ApiStage { api_id: api.to_owned(), stage: stage.to_owned(), ..ApiStage::default() };
        check_stage(tenant, &new, request)?;
        if at.is_none() {
            plan.api_stages.push(new);
        }
        return Ok(());
    }
    let missing = || {
        Error::not_found(format!(
            "Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {}",
            plan.id
        ))
    };
    plan.api_stages.remove(at.ok_or_else(missing)?);
    Ok(())
}

/// `/apiStages/{api:stage}/throttle[/{path}/{verb}[/{member}]]`
fn change_stage_throttle(
    plan: &mut UsagePlan,
    (stage, path): (&str, &[&str]),
    operation: &PatchOperation,
) -> Result<(), Error> {
    let (api, name) = stage_of(stage)?;
    let found = plan.api_stages.iter_mut().find(|known| known.api_id == api && known.stage == name);
    let stage = found.ok_or_else(|| Error::bad_request("Invalid API Stage specified"))?;
    match (operation.op, path) {
        (Op::Add | Op::Replace, [resource, verb, member]) => {
            let throttle = stage.throttle.entry(format!("{resource}/{verb}")).or_default();
            set_throttle(throttle, member, operation)
        }
        (Op::Add | Op::Replace, []) => {
            stage.throttle = throttles(operation.text())?;
            Ok(())
        }
        (Op::Remove, []) => {
            stage.throttle.clear();
            Ok(())
        }
        (Op::Remove, [resource, verb]) => {
            stage.throttle.remove(&format!("{resource}/{verb}"));
            Ok(())
        }
        _ => Err(invalid(operation)),
    }
}

/// Rates by method, as a JSON text.
fn throttles(text: &str) -> Result<BTreeMap<String, ThrottleSettings>, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::bad_request(format!("Invalid throttle settings specified: {error}")))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("usageplanId");
    let plan = tenant.usage_plans.get(id).ok_or_else(unknown)?;
    let is_there =
        |stage: &ApiStage| tenant.apis.get(&stage.api_id).is_some_and(|api| api.stages.contains_key(&stage.stage));
    if let Some(ApiStage { api_id, stage, .. }) = plan.api_stages.iter().find(|stage| is_there(stage)) {
        return Err(Error::bad_request(format!(
            "Cannot delete Usage Plan {id} because there are API Stages associated with it, including {api_id}:{stage}"
        )));
    }
    tenant.usage_plans.remove(id);
    let prefix = format!("{id}/");
    part(tenant, |place, _| place.starts_with(&prefix));
    Ok(Reply::accepted())
}

/// Gives a plan a key that is there. One that the plan has already stays as it is.
pub(super) fn join(tenant: &mut Tenant, plan: &str, key: &str, now: EpochSeconds) {
    let entry = || Arc::new(UsagePlanKey { id: key.to_owned(), kind: "API_KEY".to_owned(), joined: now });
    tenant.usage_plan_keys.entry(format!("{plan}/{key}")).or_insert_with(entry);
}

/// Takes keys from plans, and forgets what they have used. `is_meant` is told `{plan}/{key}` and the key.
pub(super) fn part(tenant: &mut Tenant, is_meant: impl Fn(&str, &str) -> bool) {
    let usages = &mut tenant.usages;
    tenant.usage_plan_keys.retain(|place, key| {
        let stays = !is_meant(place, &key.id);
        if !stays {
            usages.remove(place);
        }
        stays
    });
}

fn shown_key(key: &ApiKey) -> Value {
    let mut shown = json!({ "id": key.id, "type": "API_KEY", "value": key.value });
    if let Some(name) = &key.name {
        shown["name"] = json!(name);
    }
    shown
}

/// Of a plan that is not there it lists nothing (R).
fn list_keys(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let plan = request.label("usageplanId");
    let name = request.query("name").unwrap_or_default();
    let is_wanted = |key: &&Arc<ApiKey>| {
        name_begins(key, name) && tenant.usage_plan_keys.contains_key(&format!("{plan}/{}", key.id))
    };
    let keys = newest_first(&tenant.api_keys).into_iter().filter(is_wanted);
    request.page(keys.map(|key| (place(key), shown_key(key))))
}

fn create_key(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (key, kind) = request.read(|input| Ok((input.required_string("keyId")?, input.required_string("keyType")?)))?;
    let plan = request.label("usageplanId");
    let known = tenant.usage_plans.get(plan).ok_or_else(unknown)?;
    if kind != "API_KEY" {
        return Err(Error::bad_request("Invalid key type specified. Must be API_KEY"));
    }
    let reply = Reply::created(&shown_key(tenant.api_keys.get(&key).ok_or_else(unknown_key)?));
    if tenant.usage_plan_keys.contains_key(&format!("{plan}/{key}")) {
        return Err(Error::conflict(format!("Usage Plan {plan} already has the key {key}")));
    }
    check_reach(tenant, known, &key)?;
    let plans = tenant.usage_plans.keys().filter(|id| tenant.usage_plan_keys.contains_key(&format!("{id}/{key}")));
    request.check_count(plans.count(), PLANS_OF_KEY)?;
    join(tenant, plan, &key, request.now());
    Ok(reply)
}

fn unknown_key() -> Error {
    Error::not_found("Invalid API Key identifier specified")
}

fn key<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t ApiKey, Error> {
    let (plan, id) = (request.label("usageplanId"), request.label("keyId"));
    if !tenant.usage_plans.contains_key(plan) {
        return Err(unknown());
    }
    let is_in_plan = tenant.usage_plan_keys.contains_key(&format!("{plan}/{id}"));
    tenant.api_keys.get(id).filter(|_| is_in_plan).map(AsRef::as_ref).ok_or_else(unknown_key)
}

fn get_key(tenant: &Tenant, request: &Request<'_>) -> Answer {
    Ok(Reply::ok(&shown_key(key(tenant, request)?)))
}

fn delete_key(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    key(tenant, request)?;
    let name = format!("{}/{}", request.label("usageplanId"), request.label("keyId"));
    part(tenant, |place, _| place == name);
    Ok(Reply::accepted())
}
