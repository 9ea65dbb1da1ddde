//! Publishing from a seed: stages come, change and go, shards adopt late, skip versions and hold on to old ones. Whatever
//! the order, a slot means one thing for as long as anybody can look at it, and in the end nothing is left over.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ringgate::control::publisher::{Change, Options, Publisher};
use ringgate::control::served::{CanarySpec, DeploymentSpec, Served, StageSpec};
use ringgate_core::base::Place;
use ringgate_core::compile::UpstreamChange;
use ringgate_core::mapping::ContextVariable;
use ringgate_core::model::rest::{
    Authorization, Declared, Integration, IntegrationKind, IntegrationResponse, Method, MethodName, Resource, RestApi,
};
use ringgate_core::plan::{IntegrationPlan, Limits, Snapshot, UpstreamSlot};
use ringgate_core::record::AccessLogProgram;

use crate::support::Numbers;

fn options() -> Options {
    Options {
        rewrites: Vec::new(),
        backend: None,
        ignores_authorization: false,
        records_bodies: false,
        overrides_methods: true,
        access_log: AccessLogProgram::default_json(ContextVariable::scan),
        limits: Limits { request_body_bytes_max: 1_000, response_body_bytes_max: 1_000, ..Limits::AWS },
    }
}

/// An API whose routes are called what their origins are: `/o3` goes to host `o3`.
fn api(origins: &[usize]) -> RestApi {
    let resource = |origin: &usize| {
        let integration = Integration {
            uri: Some(Declared { value: format!("http://o{origin}/"), place: Place::NOWHERE }),
            ..Integration::new(IntegrationKind::HttpProxy)
        };
        let method = get(integration);
        Resource { path: format!("/o{origin}"), methods: vec![method], place: Place::NOWHERE }
    };
    RestApi { resources: origins.iter().map(resource).collect(), ..RestApi::default() }
}

fn get(integration: Integration) -> Method {
    Method {
        name: MethodName::Get,
        operation_name: None,
        authorization: Authorization::None,
        api_key_required: false,
        request_validator: None,
        request_parameters: Vec::new(),
        request_models: Vec::new(),
        responses: Vec::new(),
        integration: Some(integration),
        place: Place::NOWHERE,
    }
}

fn deployment(numbers: &mut Numbers) -> DeploymentSpec {
    let first = numbers.below(12);
    let origins: Vec<_> = (first..first + numbers.below(5)).collect();
    DeploymentSpec {
        deployment_id: format!("d{}", numbers.below(1_000_000)),
        api: Arc::new(api(&origins)),
        variables: Arc::default(),
    }
}

fn stage(api: usize, stage: usize, numbers: &mut Numbers) -> StageSpec {
    let canary = CanarySpec { percent: 10.0, deployment: deployment(numbers) };
    StageSpec {
        account_id: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        api_id: format!("api{api}"),
        stage_name: format!("s{stage}"),
        deployment: deployment(numbers),
        canary: (numbers.below(3) == 0).then_some(canary),
        access_log_format: None,
        is_default_endpoint_disabled: false,
    }
}

/// A shard as the publisher cannot see it.
#[derive(Default)]
struct Shard {
    mailbox: Option<Arc<Snapshot>>,
    view: Option<Arc<Snapshot>>,
    exchanges: Vec<Arc<Snapshot>>,
    /// Generation of what has each slot's pool.
    pools: HashMap<UpstreamSlot, u64>,
    /// Who has counted under a slot since it was cleared.
    stages: HashMap<u32, String>,
    routes: HashMap<u32, String>,
}

impl Shard {
    fn adopt(&mut self) {
        let Some(snapshot) = self.mailbox.take() else { return };
        for (slot, upstream) in (0..).zip(&snapshot.upstreams) {
            let Some(upstream) = upstream else { continue };
            let generation = self.pools.entry(UpstreamSlot(slot)).or_default();
            *generation = upstream.generation.max(*generation);
        }
        self.view = Some(snapshot);
    }

    /// Ends one exchange: what it sees is what its own version meant.
    fn end(&mut self, numbers: &mut Numbers) -> Result<(), String> {
        let snapshot = self.exchanges.swap_remove(numbers.below(self.exchanges.len()));
        for plan in &snapshot.stages {
            let name = format!("{}/{}/{}", plan.api_id, plan.name, plan.is_canary);
            counted(&mut self.stages, plan.slot.0, &name)?;
            for route in &plan.routes {
                let IntegrationPlan::Http(http) = &route.integration else { return Err(format!("{route:?}")) };
                let upstream = snapshot.upstreams[http.upstream.0 as usize].as_ref().ok_or("the slot is empty")?;
                let host = route.resource_path.trim_start_matches('/');
                if *upstream.plan.host != *host {
                    return Err(format!("{} leads to {}", route.resource_path, upstream.plan.host));
                }
                if self.pools.get(&http.upstream) != Some(&upstream.generation) {
                    return Err(format!("the pool of {host} is another origin's in version {}", snapshot.version));
                }
                counted(&mut self.routes, route.slot.0, &format!("{name} {}", route.resource_path))?;
            }
        }
        Ok(())
    }
}

fn counted(under: &mut HashMap<u32, String>, slot: u32, name: &str) -> Result<(), String> {
    let known = under.entry(slot).or_insert_with(|| name.to_owned());
    if known == name { Ok(()) } else { Err(format!("{name} counts where {known} has counted")) }
}

struct World {
    publisher: Publisher,
    shards: Vec<Shard>,
    wanted: BTreeMap<(usize, usize), StageSpec>,
    /// Origins that are being looked up.
    resolving: HashMap<UpstreamSlot, u64>,
    numbers: Numbers,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let shards = (0..=numbers.below(4)).map(|_| Shard::default()).collect();
        let publisher = Publisher::new(options());
        Self { publisher, shards, wanted: BTreeMap::new(), resolving: HashMap::new(), numbers }
    }

    fn publish(&mut self) {
        for _ in 0..self.numbers.below(3) {
            let at = (self.numbers.below(3), self.numbers.below(2));
            match self.numbers.below(4) {
                0 => drop(self.wanted.remove(&at)),
                // The deployment stays: nothing of it is compiled again.
                1 => {
                    if let Some(stage) = self.wanted.get_mut(&at) {
                        stage.canary = None;
                    }
                }
                _ => drop(self.wanted.insert(at, stage(at.0, at.1, &mut self.numbers))),
            }
        }
        let stages = self.wanted.values().cloned().collect();
        let composed = self.publisher.compose(Change::Served(Served { stages, ..Served::default() }));
        self.account();
        for shard in &mut self.shards {
            shard.mailbox = Some(composed.snapshot.clone());
        }
        drop(composed);
        self.publisher.collect();
        self.account();
    }

    /// What the gateway does beside handing over snapshots.
    fn account(&mut self) {
        let freed = self.publisher.freed();
        for shard in &mut self.shards {
            freed.stages.iter().for_each(|slot| drop(shard.stages.remove(&slot.0)));
            freed.routes.iter().for_each(|slot| drop(shard.routes.remove(&slot.0)));
        }
        for change in self.publisher.upstream_changes() {
            match change {
                UpstreamChange::Taken(slot, upstream) => {
                    let before = self.resolving.insert(slot, upstream.generation);
                    assert_eq!(before, None, "a slot is taken twice");
                }
                UpstreamChange::Freed(slot) => assert!(self.resolving.remove(&slot).is_some(), "a free slot is freed"),
            }
        }
    }

    fn act(&mut self) -> Result<(), String> {
        let at = self.numbers.below(self.shards.len());
        match self.numbers.below(12) {
            0 | 1 => self.publish(),
            2..=4 => self.shards[at].adopt(),
            5 => {
                self.publisher.collect();
                self.account();
            }
            6..=8 => {
                let shard = &mut self.shards[at];
                shard.exchanges.extend(shard.view.clone());
            }
            _ if self.shards[at].exchanges.is_empty() => {}
            _ => self.shards[at].end(&mut self.numbers)?,
        }
        Ok(())
    }

    /// All shards take what is in their mailboxes and end what they are at.
    fn settle(&mut self) -> Result<(), String> {
        for shard in &mut self.shards {
            shard.adopt();
            while !shard.exchanges.is_empty() {
                shard.end(&mut self.numbers)?;
            }
        }
        self.publisher.collect();
        self.account();
        let canaries = self.wanted.values().filter(|stage| stage.canary.is_some()).count();
        let deployments = || {
            let canary = |stage: &StageSpec| stage.canary.as_ref().map(|canary| canary.deployment.api.clone());
            self.wanted.values().flat_map(move |stage| [Some(stage.deployment.api.clone()), canary(stage)]).flatten()
        };
        let routes = deployments().map(|api| api.resources.len()).sum();
        let mut origins: Vec<_> = deployments()
            .flat_map(|api| api.resources.iter().map(|one| one.path.clone()).collect::<Vec<_>>())
            .collect();
        origins.sort();
        origins.dedup();
        let wanted = (self.wanted.len() + canaries, routes, origins.len());
        let in_use = self.publisher.slots().in_use();
        if in_use != wanted || self.resolving.len() != origins.len() || self.publisher.catalog(0).versions_alive > 1 {
            return Err(format!(
                "in use {in_use:?}, wanted {wanted:?}, looked up {}, versions alive {}",
                self.resolving.len(),
                self.publisher.catalog(0).versions_alive
            ));
        }
        Ok(())
    }
}

#[test]
fn a_slot_means_one_thing_for_as_long_as_anybody_looks_at_it() {
    let seeds = std::env::var("PUBLISH_SIM_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    for seed in 1..=seeds {
        let mut world = World::new(seed);
        for step in 0..400 {
            world.act().unwrap_or_else(|broken| panic!("seed={seed} step={step}: {broken}"));
        }
        world.settle().unwrap_or_else(|broken| panic!("seed={seed} settling: {broken}"));
    }
}

#[test]
fn ten_thousand_publications_leave_nothing_behind() {
    let mut world = World::new(7);
    world.publish();
    for round in 0..10_000 {
        world.publish();
        let at = world.numbers.below(world.shards.len());
        world.shards[at].adopt();
        if round % 50 == 0 {
            world.settle().unwrap_or_else(|broken| panic!("round={round}: {broken}"));
        }
    }
    world.settle().unwrap();
    // Twelve stages and canaries of at most four routes each, and sixteen origins: a few of each may be leaving at once.
    let counts = world.publisher.slots().counts();
    assert!(
        counts.stages <= 24 && counts.routes <= 24 * 16 && world.publisher.slots().upstreams().len() <= 16,
        "{counts:?}"
    );
}

/// A stage whose API has this many routes, some of them with a variable, to a few origins. Every tenth is an `HTTP`
/// integration with the responses that consoles and generators give one.
fn large(routes: usize, edition: usize) -> StageSpec {
    let resource = |index: usize| {
        let host = if index == 0 { edition } else { index % 8 };
        let is_proxy = !index.is_multiple_of(10);
        let integration = Integration {
            uri: Some(Declared { value: format!("http://o{host}.example/items/{index}"), place: Place::NOWHERE }),
            http_method: Some("GET".to_owned()),
            responses: if is_proxy {
                Vec::new()
            } else {
                [None, Some("4\\d{2}"), Some("5\\d{2}")].map(response).into()
            },
            ..Integration::new(if is_proxy { IntegrationKind::HttpProxy } else { IntegrationKind::Http })
        };
        let path = if index.is_multiple_of(3) { format!("/r{index}/{{id}}") } else { format!("/r{index}") };
        Resource { path, methods: vec![get(integration)], place: Place::NOWHERE }
    };
    let api = RestApi { resources: (0..routes).map(resource).collect(), ..RestApi::default() };
    let deployment =
        DeploymentSpec { deployment_id: format!("e{edition}"), api: Arc::new(api), variables: Arc::default() };
    let mut stage = stage(0, 0, &mut Numbers::new(1));
    (stage.deployment, stage.canary) = (deployment, None);
    stage
}

fn response(pattern: Option<&str>) -> IntegrationResponse {
    IntegrationResponse {
        status_code: pattern.map_or("200".to_owned(), |pattern| format!("{}00", &pattern[..1])),
        selection_pattern: pattern.map(str::to_owned),
        response_parameters: Vec::new(),
        response_templates: Vec::new(),
        content_handling: None,
        place: Place::NOWHERE,
    }
}

/// What this thread has worked: other work of the machine does not count.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The bounds are those of the optimised program, which also runs the large one; a debug build gets thirty times as much.
#[test]
fn a_change_is_composed_soon_whether_of_a_large_api_or_beside_one() {
    let slack = if cfg!(debug_assertions) { 30 } else { 1 };
    let rows = [(1_000, 20), (100_000, 250)];
    for (routes, millis) in rows.into_iter().take(if cfg!(debug_assertions) { 1 } else { 2 }) {
        let mut publisher = Publisher::new(options());
        let small = stage(1, 0, &mut Numbers::new(2));
        let (mut times, mut freeing) = (Vec::new(), Vec::new());
        for large in [large(routes, 100), large(routes, 101), large(routes, 102)] {
            for stages in [vec![large.clone()], vec![large.clone(), small.clone()]] {
                let started = worked();
                publisher.compose(Change::Served(Served { stages, ..Served::default() }));
                times.push(worked() - started);
                let started = worked();
                publisher.collect();
                freeing.push(worked() - started);
            }
        }
        println!("{routes} routes: the whole API, then a small one beside it, three times: {times:?}");
        println!("{routes} routes: freeing what was before, once it is not served any longer: {freeing:?}");
        // A host that takes the processor away is counted as our work: what came through undisturbed speaks.
        let quickest = |from: usize| *times.iter().skip(from).step_by(2).min().expect("there are some");
        assert!(quickest(0) < Duration::from_millis(millis * slack), "{routes}: {times:?}");
        assert!(quickest(1) < Duration::from_millis(20 * slack), "{routes}: {times:?}");
        assert!(freeing.iter().skip(2).min() < Some(&Duration::from_millis(millis * slack)), "{routes}: {freeing:?}");
        publisher.compose(Change::Served(Served::default()));
        publisher.collect();
        assert_eq!(publisher.slots().in_use(), (0, 0, 0));
    }
}

#[test]
fn what_has_not_changed_is_not_compiled_again_and_what_is_older_changes_nothing() {
    let mut numbers = Numbers::new(1);
    let mut publisher = Publisher::new(options());
    let mut stages = vec![stage(0, 0, &mut numbers), stage(1, 0, &mut numbers)];
    stages.iter_mut().for_each(|stage| stage.canary = None);
    let first = publisher.compose(Change::Served(Served { revision: 5, stages: stages.clone(), domains: Vec::new() }));
    assert_eq!(first.compiled.len(), 2);
    stages[1].deployment = deployment(&mut numbers);
    let canary = CanarySpec { percent: 50.0, deployment: deployment(&mut numbers) };
    stages[0].canary = Some(canary);
    let second = publisher.compose(Change::Served(Served { revision: 6, stages: stages.clone(), domains: Vec::new() }));
    let compiled: Vec<_> = second.compiled.iter().map(|stage| (&*stage.api_id, stage.is_canary)).collect();
    assert_eq!(compiled, [("api0", true), ("api1", false)]);
    assert!(Arc::ptr_eq(&first.snapshot.stages[0], &second.snapshot.stages[0]));
    // The share of a canary is none of what is compiled.
    stages[0].canary.as_mut().expect("it has one").percent = 100.0;
    let third = publisher.compose(Change::Served(Served { revision: 7, stages: stages.clone(), domains: Vec::new() }));
    assert!(third.compiled.is_empty());
    assert_eq!(third.snapshot.canaries[0].expect("it has one").share, u64::MAX);
    let older = publisher.compose(Change::Served(Served { revision: 6, ..Served::default() }));
    assert_eq!((older.compiled.len(), older.snapshot.stages.len()), (0, 3));
}

#[test]
fn what_a_test_is_served_by_is_nobody_elses_and_gone_with_it() {
    let mut numbers = Numbers::new(3);
    let mut publisher = Publisher::new(options());
    let stages = vec![stage(0, 0, &mut numbers)];
    let served = publisher.compose(Change::Served(Served { revision: 1, stages, domains: Vec::new() }));
    let before = publisher.slots().in_use();
    let mut tested = stage(1, 0, &mut numbers);
    tested.deployment.api = Arc::new(api(&[100]));
    let test = publisher.compose_test(&tested);
    assert_ne!(publisher.slots().in_use(), before);
    let later = publisher.compose(Change::Served(Served { revision: 1, ..Served::default() }));
    assert_eq!((served.snapshot.stages.len(), test.stages.len(), later.snapshot.stages.len()), (1, 1, 0));
    publisher.collect();
    assert!(publisher.slots().in_use().0 > 0, "a test holds its slots");
    drop((served, test));
    publisher.collect();
    assert_eq!(publisher.slots().in_use(), (0, 0, 0));
}
