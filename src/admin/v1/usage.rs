//! `Usage`: what keys have used of their plan's quota, day by day, and how much is left to them.

use std::sync::Arc;

use ringgate_core::base::calendar;
use serde_json::{Map, Value, json};

use super::api_keys::{newest_first, place};
use super::usage_plans::unknown as unknown_plan;
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::state::usage::{Day, Quota, Usage};
use crate::admin::wire::EpochSeconds;
use crate::admin::wire::account::{ApiKey, UsagePlan, UsagePlanKey};
use crate::admin::wire::error::Error;
use crate::admin::wire::patch::{Op, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetUsage", "GET", "/usageplans/{usageplanId}/usage", get),
    write("UpdateUsage", "PATCH", "/usageplans/{usageplanId}/keys/{keyId}/usage", update),
];

const PATH: &str = "/remaining";
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// Days that one call may ask for: a year, as long as it may be.
const DAYS_MAX: Day = 366;

/// A key of a plan.
struct Member<'t> {
    plan: &'t UsagePlan,
    key: &'t UsagePlanKey,
    usage: Option<&'t Arc<Usage>>,
}

impl<'t> Member<'t> {
    fn of(tenant: &'t Tenant, plan: &'t UsagePlan, key: &str) -> Option<Self> {
        let place = format!("{}/{key}", plan.id);
        let usage = tenant.usages.get(&place);
        Some(Self { plan, key: tenant.usage_plan_keys.get(&place)?, usage })
    }

    /// A pair for each day: what was used, and what was left at its end. Days before the key came and days to come count
    /// too: nothing was used on them.
    fn pairs(&self, days: impl Iterator<Item = Day>) -> Option<Vec<[u64; 2]>> {
        let quota = quota(self.plan)?;
        let joined = day_of(self.key.joined);
        let nothing = Usage::default();
        let usage = self.usage.map_or(&nothing, |usage| usage);
        Some(days.map(|day| [usage.used_on(day), usage.remaining(&quota, joined, day)]).collect())
    }
}

fn quota(plan: &UsagePlan) -> Option<Quota> {
    plan.quota.as_ref().and_then(Quota::of)
}

fn day_of(seconds: EpochSeconds) -> Day {
    (seconds / DAY_SECONDS).try_into().unwrap_or_default()
}

/// AWS's words for a key that the plan has not (reported of `GetUsage`).
fn unknown_key() -> Error {
    Error::not_found("Invalid Key identifier specified")
}

fn plan<'t>(tenant: &'t Tenant, request: &Request<'_>) -> Result<&'t UsagePlan, Error> {
    tenant.usage_plans.get(request.label("usageplanId")).map(AsRef::as_ref).ok_or_else(unknown_plan)
}

/// A day of the query, as it was written and as a number.
fn day<'r>(request: &'r Request<'_>, name: &str) -> Result<(&'r str, Day), Error> {
    let text = request.query(name).unwrap_or_default();
    let wrong = || Error::bad_request(format!("Invalid {name} specified. It must be of the form YYYY-MM-DD"));
    let at = calendar::from_rfc3339(text).filter(|_| text.len() == "YYYY-MM-DD".len()).ok_or_else(wrong)?;
    Ok((text, at.as_secs() / DAY_SECONDS.unsigned_abs()))
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let plan = plan(tenant, request)?;
    let ((start, first), (end, last)) = (day(request, "startDate")?, day(request, "endDate")?);
    if first > last {
        return Err(Error::bad_request("Invalid date range specified: endDate is before startDate"));
    }
    if last - first >= DAYS_MAX {
        return Err(Error::bad_request(format!("Invalid date range specified: it has more than {DAYS_MAX} days")));
    }
    let wanted = request.query("keyId");
    if wanted.is_some_and(|key| Member::of(tenant, plan, key).is_none()) {
        return Err(unknown_key());
    }
    let is_wanted = |key: &&Arc<ApiKey>| wanted.is_none_or(|wanted| wanted == key.id);
    let keys = newest_first(&tenant.api_keys).into_iter().filter(is_wanted);
    let members = keys.filter_map(|key| Some((place(key), Member::of(tenant, plan, &key.id)?)));
    let (page, position) = request.cut(members)?;
    // Without a quota there is nothing to count against, and nothing is counted.
    let values = page.iter().filter_map(|one| Some((one.key.id.clone(), json!(one.pairs(first..=last)?)))).collect();
    let mut reply = shown(&plan.id, (start, end), values);
    if let Some(position) = position {
        reply["position"] = position.into();
    }
    Ok(Reply::ok(&reply))
}

fn shown(plan: &str, (start, end): (&str, &str), values: Map<String, Value>) -> Value {
    json!({ "usagePlanId": plan, "startDate": start, "endDate": end, "values": values })
}

/// Says what remains to a key of the period that is running. Answers with this day.
fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let plan = plan(tenant, request)?;
    let member = Member::of(tenant, plan, request.label("keyId")).ok_or_else(unknown_key)?;
    let remaining = operations.iter().map(remaining).collect::<Result<Vec<_>, _>>()?;
    let quota = quota(plan).ok_or_else(|| Error::bad_request(format!("Usage Plan {} has no quota", plan.id)))?;
    let mut usage = member.usage.map_or_else(Usage::default, |usage| (**usage).clone());
    let today = day_of(request.now());
    for remaining in remaining {
        usage.set_remaining(&quota, today, remaining);
    }
    let usage = Arc::new(usage);
    let member = Member { usage: Some(&usage), ..member };
    let values = member.pairs(today..=today).map(|pairs| (member.key.id.clone(), json!(pairs)));
    let date = calendar::rfc3339(request.now);
    let date = date.split_once('T').map_or("", |(date, _)| date);
    let reply = Reply::ok(&shown(&plan.id, (date, date), values.into_iter().collect()));
    let place = format!("{}/{}", plan.id, member.key.id);
    if !operations.is_empty() {
        tenant.usages.insert(place, usage);
    }
    Ok(reply)
}

fn remaining(operation: &PatchOperation) -> Result<u64, Error> {
    let (path, op) = (operation.path(), operation.op);
    if op != Op::Replace || path != PATH {
        // Of an operation that no path takes AWS lists none (reported).
        let paths = if op == Op::Replace { PATH } else { "" };
        return Err(Error::bad_request(format!(
            "Invalid patch path  '{path}' specified for op '{}'. Must be one of: [{paths}]",
            op.as_str()
        )));
    }
    let number = operation.text().parse::<i32>().ok().and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| Error::bad_request(format!("Invalid value for {PATH}: {}", operation.text())))
}
