//! State as records, and back: one record a thing, so that a call writes what it changed and little else.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::drift::share;
use super::{Api, Collection, Scope, State, Tenant};
use crate::admin::wire::account::Account;
use crate::store::{Change, Record};

/// What makes `new` of `old`, as changes of records.
pub fn changes(old: &State, new: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    let empty = Tenant::default();
    for (scope, tenant) in &new.tenants {
        let before = old.tenants.get(scope);
        if before.is_some_and(|before| Arc::ptr_eq(before, tenant)) {
            continue;
        }
        let mut out = Changes { scope: scope.to_string(), changes: &mut changes };
        out.tenant(before.map_or(&empty, |before| before), tenant);
    }
    changes
}

struct Changes<'c> {
    scope: String,
    changes: &'c mut Vec<Change>,
}

impl Changes<'_> {
    fn tenant(&mut self, old: &Tenant, new: &Tenant) {
        if old.account != new.account {
            self.put("account", String::new(), &new.account);
        }
        self.collection("apikey", "", &old.api_keys, &new.api_keys);
        self.collection("usageplan", "", &old.usage_plans, &new.usage_plans);
        self.collection("usageplankey", "", &old.usage_plan_keys, &new.usage_plan_keys);
        self.collection("usage", "", &old.usages, &new.usages);
        self.collection("domainname", "", &old.domain_names, &new.domain_names);
        self.collection("basepathmapping", "", &old.base_path_mappings, &new.base_path_mappings);
        self.collection("accessassociation", "", &old.access_associations, &new.access_associations);
        self.collection("vpclink", "", &old.vpc_links, &new.vpc_links);
        self.collection("clientcertificate", "", &old.client_certificates, &new.client_certificates);
        let empty = Arc::new(Api::default());
        for (id, api) in &new.apis {
            let before = old.apis.get(id).unwrap_or(&empty);
            if !Arc::ptr_eq(before, api) {
                self.api(id, before, api);
            }
        }
        for (id, api) in &old.apis {
            if !new.apis.contains_key(id) {
                self.api(id, api, &empty);
                self.delete("restapi", id.clone());
            }
        }
    }

    fn api(&mut self, id: &str, old: &Api, new: &Api) {
        let (before, after) = (&old.definition, &new.definition);
        if !Arc::ptr_eq(&before.rest_api, &after.rest_api) && !after.rest_api.id.is_empty() {
            self.put("restapi", id.to_owned(), &after.rest_api);
        }
        let prefix = &format!("{id}/");
        self.collection("resource", prefix, &before.resources, &after.resources);
        self.collection("model", prefix, &before.models, &after.models);
        self.collection("requestvalidator", prefix, &before.request_validators, &after.request_validators);
        self.collection("authorizer", prefix, &before.authorizers, &after.authorizers);
        self.collection("gatewayresponse", prefix, &before.gateway_responses, &after.gateway_responses);
        self.collection("documentationpart", prefix, &before.documentation_parts, &after.documentation_parts);
        self.collection("documentationversion", prefix, &old.documentation_versions, &new.documentation_versions);
        self.collection("deployment", prefix, &old.deployments, &new.deployments);
        self.collection("stage", prefix, &old.stages, &new.stages);
    }

    fn collection<T: Serialize>(&mut self, kind: &str, prefix: &str, old: &Collection<T>, new: &Collection<T>) {
        for (id, thing) in new {
            if !old.get(id).is_some_and(|before| Arc::ptr_eq(before, thing)) {
                self.put(kind, format!("{prefix}{id}"), thing);
            }
        }
        for id in old.keys().filter(|id| !new.contains_key(*id)) {
            self.delete(kind, format!("{prefix}{id}"));
        }
    }

    fn put(&mut self, kind: &str, key: String, thing: &impl Serialize) {
        // Structures of texts, numbers, lists and maps with text keys: writing them cannot fail.
        let body = serde_json::to_vec(thing).unwrap_or_default();
        let record = Record { scope: self.scope.clone(), kind: kind.to_owned(), key, body };
        // A record that cannot be read keeps the next start from everything that is stored.
        debug_assert_eq!(Loading::default().take(&record), Ok(()));
        self.changes.push(Change::Put(record));
    }

    fn delete(&mut self, kind: &str, key: String) {
        self.changes.push(Change::Delete { scope: self.scope.clone(), kind: kind.to_owned(), key });
    }
}

/// A record that cannot be read, which is not to be guessed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which.
    pub record: String,
    /// Why.
    pub why: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "record {} cannot be read: {}", self.record, self.why)
    }
}

/// Builds a state from its records, in whatever order they come.
#[derive(Debug, Default)]
pub struct Loading {
    tenants: BTreeMap<Scope, Tenant>,
}

impl Loading {
    /// Takes in a record.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn take(&mut self, record: &Record) -> Result<(), Unreadable> {
        self.place(record)
            .map_err(|why| Unreadable { record: format!("{} {} {}", record.scope, record.kind, record.key), why })
    }

    fn place(&mut self, record: &Record) -> Result<(), String> {
        let scope: Scope = record.scope.parse()?;
        let tenant = self.tenants.entry(scope).or_default();
        let key = &record.key;
        match record.kind.as_str() {
            "account" => tenant.account = Arc::new(parse::<Account>(record)?),
            "apikey" => insert(&mut tenant.api_keys, key, record)?,
            "usageplan" => insert(&mut tenant.usage_plans, key, record)?,
            "usageplankey" => insert(&mut tenant.usage_plan_keys, key, record)?,
            "usage" => insert(&mut tenant.usages, key, record)?,
            "domainname" => insert(&mut tenant.domain_names, key, record)?,
            "basepathmapping" => insert(&mut tenant.base_path_mappings, key, record)?,
            "accessassociation" => insert(&mut tenant.access_associations, key, record)?,
            "vpclink" => insert(&mut tenant.vpc_links, key, record)?,
            "clientcertificate" => insert(&mut tenant.client_certificates, key, record)?,
            kind => {
                let (id, key) = key.split_once('/').unwrap_or((key, ""));
                let api = tenant.apis.entry(id.to_owned()).or_default();
                place_of_api(Arc::make_mut(api), kind, key, record)?;
            }
        }
        Ok(())
    }

    /// The state.
    pub fn finish(mut self) -> State {
        for api in self.tenants.values_mut().flat_map(|tenant| tenant.apis.values_mut()) {
            share(Arc::make_mut(api));
        }
        State { tenants: self.tenants.into_iter().map(|(scope, tenant)| (scope, Arc::new(tenant))).collect() }
    }
}

fn place_of_api(api: &mut Api, kind: &str, key: &str, record: &Record) -> Result<(), String> {
    let definition = &mut api.definition;
    match kind {
        "restapi" => definition.rest_api = Arc::new(parse(record)?),
        "resource" => insert(&mut definition.resources, key, record)?,
        "model" => insert(&mut definition.models, key, record)?,
        "requestvalidator" => insert(&mut definition.request_validators, key, record)?,
        "authorizer" => insert(&mut definition.authorizers, key, record)?,
        "gatewayresponse" => insert(&mut definition.gateway_responses, key, record)?,
        "documentationpart" => insert(&mut definition.documentation_parts, key, record)?,
        "documentationversion" => insert(&mut api.documentation_versions, key, record)?,
        "deployment" => insert(&mut api.deployments, key, record)?,
        "stage" => insert(&mut api.stages, key, record)?,
        _ => return Err("its kind is unknown to this version".to_owned()),
    }
    Ok(())
}

fn insert<T: DeserializeOwned>(collection: &mut Collection<T>, key: &str, record: &Record) -> Result<(), String> {
    collection.insert(key.to_owned(), Arc::new(parse(record)?));
    Ok(())
}

fn parse<T: DeserializeOwned>(record: &Record) -> Result<T, String> {
    serde_json::from_slice(&record.body).map_err(|error| error.to_string())
}
