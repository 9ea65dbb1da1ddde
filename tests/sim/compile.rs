//! Definitions of real users through the compiler: every method is in the route table, nothing panics, soon.

use std::time::{Duration, Instant};

use ringgate_core::import::{ApiKind, Imported, Options, import};
use ringgate_core::model::rest::{Authorization, Declared, Integration, IntegrationKind, MethodName, RestApi};
use ringgate_core::plan::trie::{Captures, MethodKey};
use serde_json::Value;

use crate::support::{Numbers, suite};
use crate::world::{Session, Setting, Table, World};

/// File, text and model of every REST document that loads.
fn documents() -> Option<Vec<(String, usize, RestApi)>> {
    let folder = suite("openapi")?;
    let index = std::fs::read_to_string(folder.join("index.json")).expect("the index can be read");
    let index: Vec<Value> = serde_json::from_str(&index).expect("the index is a list");
    let options = Options { kind: ApiKind::Rest, relaxed_limits: true, ..Options::default() };
    let rest = index.iter().filter(|row| row["import"] != "apigatewayv2 import-api");
    let loaded = rest.filter_map(|row| {
        let file = row["file"].as_str().expect("a row names its file").to_owned();
        let text = std::fs::read_to_string(folder.join("documents").join(&file)).expect("the document can be read");
        let Imported { api, .. } = import(&text, &options);
        api.map(|api| (file, text.len(), api))
    });
    Some(loaded.collect())
}

/// A path that only this resource matches: variables are filled with what no static sibling is called.
fn filled(path: &str) -> String {
    let segment = |segment: &str| match segment.strip_prefix('{') {
        Some(variable) if variable.ends_with("+}") => "zz/z".to_owned(),
        Some(_) => "zz".to_owned(),
        None => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

const METHODS: [(MethodName, MethodKey); 7] = [
    (MethodName::Get, MethodKey::Get),
    (MethodName::Put, MethodKey::Put),
    (MethodName::Post, MethodKey::Post),
    (MethodName::Delete, MethodKey::Delete),
    (MethodName::Patch, MethodKey::Patch),
    (MethodName::Options, MethodKey::Options),
    (MethodName::Head, MethodKey::Head),
];

fn check_routes(file: &str, api: &RestApi, world: &World) -> usize {
    let stage = &world.snapshot.stages[0];
    let mut captures = Captures::new();
    let mut count = 0;
    for resource in &api.resources {
        for method in &resource.methods {
            let path = filled(&resource.path);
            let owned = |name: MethodName| resource.methods.iter().any(|method| method.name == name);
            let mut keys = METHODS
                .iter()
                .filter(|(name, _)| *name == method.name || (method.name == MethodName::Any && !owned(*name)));
            let Some((_, key)) = keys.next() else { continue };
            let found = stage.trie.find(path.as_bytes(), Some(*key), &mut captures);
            let route = &stage.routes[found.unwrap_or_else(|| panic!("{file}: {} {path}", method.name)).0 as usize];
            assert_eq!((&*route.resource_path, route.method), (resource.path.as_str(), method.name.as_str()), "{file}");
            count += 1;
        }
    }
    assert_eq!(
        stage.routes.len(),
        api.resources.iter().map(|resource| resource.methods.len()).sum::<usize>(),
        "{file}"
    );
    count
}

#[test]
fn every_method_of_every_document_is_in_the_route_table() {
    let Some(documents) = documents() else { return };
    let mut routes = 0;
    for (file, _, api) in &documents {
        for setting in [
            Setting::default(),
            Setting { ignores_authorization: true, backend: Some("http://b.example"), ..Setting::default() },
        ] {
            let world = World::serving(api, &setting);
            routes += check_routes(file, api, &world);
            for finding in &world.findings {
                assert!(!finding.message.is_empty() && !finding.rule.is_empty(), "{file}: {finding:?}");
            }
        }
    }
    println!("{} documents, {routes} routes found, with and without authorization", documents.len());
}

/// Milliseconds in release; the bound leaves room for debug builds on a busy machine.
#[test]
fn the_largest_document_compiles_soon() {
    let Some(documents) = documents() else { return };
    let (file, bytes, api) = documents.iter().max_by_key(|(_, bytes, _)| *bytes).expect("there are documents");
    let most = documents.iter().max_by_key(|(_, _, api)| api.resources.len()).expect("there are documents");
    for (file, bytes, api) in [(file, bytes, api), (&most.0, &most.1, &most.2)] {
        let started = Instant::now();
        let world = World::serving(api, &Setting { backend: Some("http://b.example"), ..Setting::default() });
        let took = started.elapsed();
        println!("{file}: {bytes} bytes, {} routes: {took:?}", world.snapshot.stages[0].routes.len());
        assert!(took < Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 100 }), "{file} took {took:?}");
    }
}

/// Edits of real models, each from a seed: compiling ends, a request gets an answer.
#[test]
fn edited_models_compile_and_answer() {
    let Some(documents) = documents() else { return };
    let small: Vec<_> = documents.iter().filter(|(_, bytes, _)| *bytes < 60_000).collect();
    let rounds = std::env::var("COMPILE_SIM_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    for seed in 0..rounds {
        let mut numbers = Numbers::new(seed + 1);
        let mut api = small[numbers.below(small.len())].2.clone();
        for _ in 0..=numbers.below(6) {
            edit(&mut api, &mut numbers);
        }
        let ignores_authorization = numbers.below(2) == 0;
        let world = World::serving(&api, &Setting { ignores_authorization, ..Setting::default() });
        let resource = &api.resources[numbers.below(api.resources.len())];
        let path = filled(&resource.path).replace(|c: char| !c.is_ascii_graphic(), "x");
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let request = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}");
        let mut effects = Table { answer: Ok(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), ..Table::default() };
        let told = world.ask_with(request.as_bytes(), &mut Session::default(), &mut effects);
        assert!(told.facts.status >= 200, "seed={seed}");
    }
}

const TEXTS: [&str; 14] = [
    "",
    "{",
    "$",
    "${stageVariables.x}",
    "{id}",
    "\r\nX: y",
    "\u{0}",
    "http://",
    "http://a/{b}",
    "'",
    "(?=",
    "#set",
    "99",
    "method.request.body",
];

fn edit(api: &mut RestApi, numbers: &mut Numbers) {
    let text = TEXTS[numbers.below(TEXTS.len())].to_owned();
    let at = numbers.below(api.resources.len());
    let resource = &mut api.resources[at];
    if numbers.below(12) == 0 {
        resource.path = format!("{}/{text}", resource.path.trim_end_matches('/'));
        return;
    }
    if resource.methods.is_empty() {
        return;
    }
    let at = numbers.below(resource.methods.len());
    let method = &mut resource.methods[at];
    match numbers.below(5) {
        0 => method.authorization = Authorization::None,
        1 => method.request_validator = Some(Declared { value: text, place: method.place }),
        2 => method.integration = None,
        3 => method.name = MethodName::ALL[numbers.below(8)],
        _ => edit_integration(method.integration.get_or_insert(Integration::new(IntegrationKind::Http)), text, numbers),
    }
}

fn edit_integration(integration: &mut Integration, text: String, numbers: &mut Numbers) {
    let kinds = [IntegrationKind::Http, IntegrationKind::HttpProxy, IntegrationKind::Mock];
    match numbers.below(8) {
        0 | 1 => integration.kind = kinds[numbers.below(3)],
        2 => integration.uri = Some(Declared { value: text, place: integration.place }),
        3 => integration.http_method = Some(text),
        4 => integration.request_templates.push((text.clone(), Declared { value: text, place: integration.place })),
        5 => integration.responses.iter_mut().for_each(|response| response.selection_pattern = Some(text.clone())),
        6 => integration.responses.iter_mut().for_each(|response| response.status_code = text.clone()),
        _ => integration.request_parameters.iter_mut().for_each(|mapping| mapping.source = text.clone()),
    }
}
