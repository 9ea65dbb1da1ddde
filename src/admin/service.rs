//! The management API as a service: finds the operation, runs it, stores what it changed, has it served, answers.
//!
//! Reading calls look at the state of the moment and wait for nobody. Writing calls follow one another: each works on a
//! copy of what the one before it made, whether or not that is on the device yet, so that calls of many clients share a
//! flush. What a call made becomes the state when the store has it. If the store fails, what builds on the failed change
//! fails with it ([`Line`]), and the calls that follow work on what is stored. A call is answered when what it changed is
//! on the device and, if it changes what is served, when every shard serves it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::http::request::Parts as Head;
use ringgate_core::base::WallTime;
use ringgate_core::record::ids;
use serde_json::{Value, json};

use super::access::Caller;
use super::counts::{Counts, UNKNOWN};
use super::state::drift::undeployed;
use super::state::records::{self, Loading, Unreadable};
use super::state::{Api, Scope, State, Tenant, serving};
use super::v1::request::Parts;
use super::v1::{self, Request, Run, domains};
use super::wire::error::Error;
use super::wire::reply::{Answer, Reply};
use crate::control::gateway::Gateway;
use crate::control::served::Served;
use crate::control::test_invoke::Trial;
use crate::store::{AuditEntry, Change, Line, Outcome, Pending, Revision, Store, StoreError};

/// Largest body that the audit trail keeps whole.
const AUDIT_BODY_BYTES_MAX: usize = 16 << 10;
/// Bytes that make a request id.
const SEED_BYTES: usize = 16;

/// The management API.
pub struct Management {
    /// What is stored.
    kept: RwLock<Kept>,
    /// What is stored, or on its way there.
    tip: Mutex<Tip>,
    /// What serves it; not there before the shards run.
    gateway: OnceLock<Arc<Gateway>>,
    counts: Counts,
    store: Store,
    relaxed: bool,
}

/// A state, and how many there were before it.
#[derive(Clone)]
struct Kept {
    state: Arc<State>,
    revision: u64,
}

/// What the next call that writes works on.
struct Tip {
    newest: Kept,
    /// What is on its way to the store.
    line: Line,
}

/// What a call that writes has made, on its way to the store.
struct Step {
    before: Arc<State>,
    next: Kept,
    line: Line,
    answer: Answer,
    stored: Pending<Revision>,
}

/// What became of a call.
pub struct Called {
    /// Its request id.
    pub id: String,
    /// Its answer.
    pub answer: Answer,
    /// What else its caller should know.
    pub notice: Option<String>,
}

/// Why the management API cannot begin.
#[derive(Clone, Debug)]
pub enum LoadError {
    /// The store cannot be read.
    Store(StoreError),
    /// A record in it cannot.
    Record(Unreadable),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Record(error) => error.fmt(f),
        }
    }
}

impl Management {
    /// Takes over what `store` has.
    ///
    /// # Errors
    /// It cannot be read, all of it.
    pub fn load(store: Store, relaxed: bool) -> Result<Self, LoadError> {
        let mut loading = Loading::default();
        let mut unreadable = None;
        let read = store.load(&mut |record| {
            if let Err(error) = loading.take(&record) {
                unreadable.get_or_insert(error);
            }
        });
        read.map_err(LoadError::Store)?;
        if let Some(error) = unreadable {
            return Err(LoadError::Record(error));
        }
        let kept = Kept { state: Arc::new(loading.finish()), revision: 0 };
        Ok(Self {
            tip: Mutex::new(Tip { newest: kept.clone(), line: Line::default() }),
            kept: RwLock::new(kept),
            gateway: OnceLock::new(),
            counts: Counts::default(),
            store,
            relaxed,
        })
    }

    /// What is to be served now.
    pub fn served(&self) -> Served {
        let Kept { state, revision } = self.kept();
        serving::served(&state, revision)
    }

    /// Has every later change served by `gateway`, which serves what is there already.
    pub fn serve_on(&self, gateway: Arc<Gateway>) {
        tell_of_closed(&State::default(), &self.state());
        let _ = self.gateway.set(gateway);
    }

    /// What is there now.
    pub fn state(&self) -> Arc<State> {
        self.kept().state
    }

    fn kept(&self) -> Kept {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tip(&self) -> MutexGuard<'_, Tip> {
        self.tip.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether counts and sizes beyond AWS's are taken.
    pub fn limits_are_relaxed(&self) -> bool {
        self.relaxed
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Calls so far, in Prometheus' text format.
    pub fn counts(&self) -> String {
        self.counts.page()
    }

    /// Answers a call. Whoever drops this half-way leaves the state behind the store: run it as a task of its own.
    pub async fn call(&self, head: &Head, caller: &Caller, body: &Bytes) -> Called {
        let id = request_id();
        let query = head.uri.query().unwrap_or_default();
        let found = v1::find(head.method.as_str(), head.uri.path(), query);
        let name = found.as_ref().map_or(UNKNOWN, |(operation, _)| operation.name);
        let scope = Scope { account: caller.account.as_str().into(), region: caller.region.as_str().into() };
        let api = found.as_ref().and_then(|(_, labels)| labels.iter().find(|(label, _)| *label == "restapi_id"));
        let api = api.map(|(_, id)| id.clone());
        let answer = match found {
            None => Err(Error::unknown_operation()),
            Some(found) => {
                let run = found.0.run;
                let parts = Parts { query, headers: &head.headers, body, relaxed: self.relaxed };
                let request = Request::new(found, parts, caller, now());
                match run {
                    Run::Read(run) => self.read(&scope, run, &request),
                    Run::Test(run) => {
                        let trial = self.read(&scope, run, &request);
                        drop(request);
                        self.test(trial).await
                    }
                    Run::Write(run) => {
                        let trail = trail(&id, &scope, &request, head);
                        self.write(&scope, run, request, trail).await
                    }
                }
            }
        };
        self.counts.add(name, answer.as_ref().map_or_else(|error| error.kind, |_| "OK"));
        let notice = api.and_then(|id| self.notice(&scope, &id));
        Called { id, answer, notice }
    }

    /// Counts a call that was refused before anybody looked at what it asks for. Gives its request id.
    pub fn refuse(&self, head: &Head, error: &Error) -> String {
        let found = v1::find(head.method.as_str(), head.uri.path(), head.uri.query().unwrap_or_default());
        self.counts.add(found.map_or(UNKNOWN, |(operation, _)| operation.name), error.kind);
        request_id()
    }

    fn read<T>(&self, scope: &Scope, run: fn(&Tenant, &Request<'_>) -> T, request: &Request<'_>) -> T {
        let state = self.state();
        match state.tenants.get(scope) {
            Some(tenant) => run(tenant, request),
            None => run(&Tenant::default(), request),
        }
    }

    async fn test(&self, trial: Result<Trial, Error>) -> Answer {
        let gateway = self.gateway.get().ok_or_else(|| Error::unavailable("Nothing is being served yet"))?;
        v1::test_answer(gateway.test_invoke(trial?).await)
    }

    async fn write(
        &self,
        scope: &Scope,
        run: fn(&mut Tenant, &Request<'_>) -> Answer,
        request: Request<'_>,
        trail: AuditEntry,
    ) -> Answer {
        let Step { before, next, line, answer, stored } = self.step(scope, run, request, trail)?;
        if let Err(error) = stored.await {
            self.fall_back(line, before, &error);
            // A refusal stands whether or not the trail can take it, but for one that was given for what is not stored.
            return match answer {
                Err(refusal) if !matches!(error, StoreError::Orphaned(_)) => Err(refusal),
                _ => Err(unstored(error)),
            };
        }
        self.keep(&next);
        tell_of_drift(&before, &next.state);
        tell_of_closed(&before, &next.state);
        self.publish(serving::differs(&before, &next.state)).await;
        answer
    }

    /// Runs the call on what the one before it made, and hands over to the store what it has changed. Of a call that is
    /// refused this is nothing but its trail.
    fn step(
        &self,
        scope: &Scope,
        run: fn(&mut Tenant, &Request<'_>) -> Answer,
        request: Request<'_>,
        mut trail: AuditEntry,
    ) -> Result<Step, Error> {
        let mut tip = self.tip();
        let before = tip.newest.state.clone();
        let (state, answer) = match attempt(&before, scope, run, &request) {
            Ok((next, reply)) => (Arc::new(next), Ok(reply)),
            Err(error) => {
                trail.outcome = Outcome::Failed { code: error.kind.to_owned(), message: error.message.clone() };
                (before.clone(), Err(error))
            }
        };
        let changes = records::changes(&before, &state);
        trail.changed = summary(&changes).to_string();
        let next = Kept { state, revision: tip.newest.revision + 1 };
        match self.store.commit_in(tip.line, changes, Some(trail)) {
            Ok(stored) => {
                tip.newest = next.clone();
                Ok(Step { before, next, line: tip.line, answer, stored })
            }
            Err(error) => Err(answer.err().unwrap_or_else(|| unstored(error))),
        }
    }

    /// Makes `next` the state, unless what was built on it is already.
    fn keep(&self, next: &Kept) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if next.revision > kept.revision {
            *kept = next.clone();
        }
    }

    /// Has the calls that follow work on `before`, on which the change was built that the store could not take.
    fn fall_back(&self, line: Line, before: Arc<State>, error: &StoreError) {
        let mut tip = self.tip();
        // An orphan does not know what is stored; the change that it builds on does, and is on its way here.
        if tip.line == line && !matches!(error, StoreError::Orphaned(_)) {
            tip.newest.state = before;
            tip.line = Line(line.0 + 1);
        }
    }

    /// What whoever works on an API should know: that stages do not serve it as it is now.
    pub(super) fn notice(&self, scope: &Scope, api: &str) -> Option<String> {
        let state = self.state();
        let api = state.tenants.get(scope)?.apis.get(api)?;
        let behind = undeployed(api);
        let id = &api.definition.rest_api.id;
        (!behind.is_empty()).then(|| {
            format!("API {id} has changed; stage {} does not serve it until it is deployed", behind.join(", "))
        })
    }

    /// Has the state of this moment served, and waits until it is.
    async fn publish(&self, is_served_anew: bool) {
        if let Some(gateway) = self.gateway.get().filter(|_| is_served_anew) {
            gateway.serve(self.served()).await;
        }
    }
}

/// Says once of an API that it is no longer what is served.
fn tell_of_drift(before: &State, next: &State) {
    for (scope, tenant) in &next.tenants {
        let old = before.tenants.get(scope);
        if old.is_some_and(|old| Arc::ptr_eq(old, tenant)) {
            continue;
        }
        for (id, api) in &tenant.apis {
            let old = old.and_then(|old| old.apis.get(id));
            let was_behind = |old: &Arc<Api>| Arc::ptr_eq(old, api) || !undeployed(old).is_empty();
            if !old.is_some_and(was_behind) && !undeployed(api).is_empty() {
                let name = &api.definition.rest_api.name;
                eprintln!("ringgate: API {id} ({name}) has changed; its stages serve it as it was deployed");
            }
        }
    }
}

/// Says of a domain name that is new or has changed why it refuses all requests, if it does.
fn tell_of_closed(before: &State, next: &State) {
    for (scope, tenant) in &next.tenants {
        let old = before.tenants.get(scope);
        for (name, domain) in &tenant.domain_names {
            let known = old.and_then(|old| old.domain_names.get(name));
            let told = known.and_then(|known| serving::closed_by(known));
            if let Some(what) = serving::closed_by(domain).filter(|what| told != Some(what)) {
                eprintln!("ringgate: domain {name} refuses all requests: {what} is not supported yet");
            }
        }
    }
}

/// What `run` makes of a copy of the state.
fn attempt(
    state: &State,
    scope: &Scope,
    run: fn(&mut Tenant, &Request<'_>) -> Answer,
    request: &Request<'_>,
) -> Result<(State, Reply), Error> {
    let mut next = state.clone();
    let tenant = next.tenants.entry(scope.clone()).or_default();
    let reply = run(Arc::make_mut(tenant), request)?;
    check_ids(&next, scope)?;
    check_domains(state, &next, scope)?;
    Ok((next, reply))
}

/// Hosts name an API by its id alone, so no two may share one, whoever owns them.
fn check_ids(state: &State, scope: &Scope) -> Result<(), Error> {
    let Some(own) = state.tenants.get(scope) else { return Ok(()) };
    let others = || state.tenants.iter().filter(|(other, _)| *other != scope).map(|(_, tenant)| tenant);
    let is_taken = |id: &&String| others().any(|tenant| tenant.apis.contains_key(*id));
    match own.apis.keys().find(is_taken) {
        None => Ok(()),
        Some(id) => Err(Error::conflict(format!("An API with the identifier {id} already exists"))),
    }
}

/// A request names a domain and nobody who owns it: whoever has it first keeps it.
fn check_domains(before: &State, next: &State, scope: &Scope) -> Result<(), Error> {
    let Some(own) = next.tenants.get(scope) else { return Ok(()) };
    let known = before.tenants.get(scope);
    let is_new = |name: &&String| known.is_none_or(|known| !known.domain_names.contains_key(*name));
    let others = || next.tenants.iter().filter(|(other, _)| *other != scope);
    let mut new = own.domain_names.keys().filter(is_new);
    let is_taken = new.any(|name| others().any(|(_, tenant)| tenant.domain_names.contains_key(name)));
    if is_taken { Err(domains::taken()) } else { Ok(()) }
}

fn unstored(error: StoreError) -> Error {
    match error {
        StoreError::TooLarge { .. } => Error::too_large(),
        error => Error::unavailable(format!("The change could not be stored, and nothing was changed: {error}")),
    }
}

fn trail(id: &str, scope: &Scope, request: &Request<'_>, head: &Head) -> AuditEntry {
    AuditEntry {
        at: request.now,
        id: id.to_owned(),
        scope: scope.to_string(),
        access_key: request.caller.access_key.clone(),
        key_is_verified: request.caller.key_is_verified,
        source_ip: request.caller.source_ip.to_string(),
        user_agent: request.caller.user_agent.clone(),
        operation: request.operation().to_owned(),
        resource: head.uri.path().to_owned(),
        request: asked(request).to_string(),
        outcome: Outcome::Succeeded,
        changed: "[]".to_owned(),
    }
}

/// What was asked, without secrets: values of API keys and private keys are not written down, nor documents that are too
/// long.
fn asked(request: &Request<'_>) -> Value {
    let mut asked = serde_json::Map::new();
    for (name, value) in request.query_pairs() {
        asked.insert(name.clone(), value.as_str().into());
    }
    match request.members() {
        Ok(_) if request.body.len() > AUDIT_BODY_BYTES_MAX => {
            asked.insert("bodyBytes".to_owned(), request.body.len().into());
        }
        Ok(members) => asked.extend(members),
        Err(_) => {
            asked.insert("bodyBytes".to_owned(), request.body.len().into());
        }
    }
    let secrets = [("CreateApiKey", "value"), ("CreateDomainName", "certificatePrivateKey")];
    for (_, name) in secrets.into_iter().filter(|(operation, _)| *operation == request.operation()) {
        if let Some(value) = asked.get_mut(name) {
            *value = "***".into();
        }
    }
    Value::Object(asked)
}

fn summary(changes: &[Change]) -> Value {
    const NAMED_MAX: usize = 100;
    let name = |change: &Change| match change {
        Change::Put(record) => json!({ "put": format!("{} {}", record.kind, record.key) }),
        Change::Delete { kind, key, .. } => json!({ "delete": format!("{kind} {key}") }),
    };
    let mut named: Vec<_> = changes.iter().take(NAMED_MAX).map(name).collect();
    if changes.len() > NAMED_MAX {
        named.push(json!({ "more": changes.len() - NAMED_MAX }));
    }
    named.into()
}

fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime::from_millis(since.as_millis().try_into().unwrap_or(u64::MAX))
}

fn request_id() -> String {
    let mut seed = [0; SEED_BYTES];
    // An id that repeats would confuse, not endanger.
    let _ = getrandom::fill(&mut seed);
    String::from_utf8_lossy(&ids::request_id(seed)).into_owned()
}
