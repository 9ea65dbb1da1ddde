//! Settings of an account, and the kinds of SDKs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::wire::account::Account;
use crate::admin::wire::error::Error;
use crate::admin::wire::patch::{self, Op};
use crate::admin::wire::reply::{Answer, Reply};

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetAccount", "GET", "/account", get_account),
    write("UpdateAccount", "PATCH", "/account", update_account),
    read("GetSdkTypes", "GET", "/sdktypes", list_sdk_types),
    read("GetSdkType", "GET", "/sdktypes/{sdktype_id}", get_sdk_type),
];

fn shown_account(account: &Account) -> Value {
    let mut shown = json!({
        // AWS's numbers; ours are off unless they are set.
        "throttleSettings": { "burstLimit": 5000, "rateLimit": 10000.0 },
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    });
    if let Some(role) = &account.cloudwatch_role_arn {
        shown["cloudwatchRoleArn"] = json!(role);
    }
    shown
}

fn get_account(tenant: &Tenant, _: &Request<'_>) -> Answer {
    Ok(Reply::ok(&shown_account(&tenant.account)))
}

fn update_account(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let account = Arc::make_mut(&mut tenant.account);
    for operation in &request.patch()? {
        match (operation.op, operation.path()) {
            (Op::Replace, "/cloudwatchRoleArn") => {
                let role = operation.optional();
                if role.as_ref().is_some_and(|role| !role.starts_with("arn:")) {
                    return Err(Error::bad_request("The role ARN is not well formed"));
                }
                account.cloudwatch_role_arn = role;
            }
            (Op::Add, "/features") if operation.text() == "UsagePlans" => {}
            (Op::Remove, "/features") => {
                return Err(Error::bad_request("Usage Plans cannot be disabled once enabled"));
            }
            _ => return Err(patch::invalid_path(operation, &["/cloudwatchRoleArn"])),
        }
    }
    Ok(Reply::ok(&shown_account(account)))
}

/// Id, name and what it is.
const SDK_TYPES: [(&str, &str, &str); 5] = [
    ("android", "Android", "Android SDK"),
    ("java", "Java", "Java SDK"),
    ("javascript", "JavaScript", "JavaScript SDK"),
    ("objectivec", "iOS (Objective-C)", "iOS SDK in Objective-C"),
    ("ruby", "Ruby", "Ruby SDK"),
];

fn sdk_type((id, name, description): (&str, &str, &str)) -> Value {
    json!({ "id": id, "friendlyName": name, "description": description })
}

fn list_sdk_types(_: &Tenant, request: &Request<'_>) -> Answer {
    request.page(SDK_TYPES.map(|kind| (kind.0.to_owned(), sdk_type(kind))))
}

fn get_sdk_type(_: &Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("sdktype_id");
    let found = SDK_TYPES.into_iter().find(|kind| kind.0 == id);
    let found = found.ok_or_else(|| Error::not_found(format!("Invalid SDK type specified: {id}")))?;
    Ok(Reply::ok(&sdk_type(found)))
}
