//! `ringgate serve`, killed in the middle of management calls: what was answered with success is there when it comes
//! back, what is there was asked for, and what is served was deployed.
//!
//! `SERVE_CRASH_ROUNDS=1000` kills a thousand times instead of fifty.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ringgate::cli::client::{Request, Response, call};
use ringgate_core::proto::http::Method;
use serde_json::{Value, json};

use crate::harness::{Folder, Printed, between, eventually};

const ROUNDS_DEFAULT: u32 = 50;
const CLIENTS: usize = 2;
/// With more APIs than this the round ends by deleting them, so that a thousand rounds take no longer each than fifty.
const KEPT_MAX: usize = 100;

pub struct Serving {
    child: Child,
    pub admin: SocketAddr,
    pub data: SocketAddr,
}

/// What callers know.
#[derive(Default)]
struct Known {
    /// Names of APIs whose creation was answered with success.
    created: BTreeSet<String>,
    /// Names of APIs whose creation was not answered.
    unanswered: BTreeSet<String>,
    /// The deployment that was answered last, and the one that was not.
    deployed: u32,
    deploying: u32,
}

#[test]
fn every_answered_call_survives_and_everything_served_was_deployed() {
    let rounds = std::env::var("SERVE_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS_DEFAULT);
    let folder = Folder::new();
    let data = folder.file("data");
    let (mut known, mut survived) = (Known::default(), 0);
    let mut serving = Serving::without_limits(&data);
    let method = serving.deployable();
    known.created.insert("deployed".to_owned());
    for round in 0..rounds {
        // Long enough for some calls on a machine that is busy, and never the same.
        let pause = Duration::from_millis(20 + u64::from(round) * 37 % 100);
        serving.call_until_killed(round, &method, pause, &mut known);
        serving = Serving::without_limits(&data);
        let names = serving.names();
        let lost: Vec<_> = known.created.difference(&names).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
        let strange: Vec<_> =
            names.difference(&known.created).filter(|name| !known.unanswered.contains(*name)).collect();
        assert!(strange.is_empty(), "round {round}: nobody asked for {strange:?}");
        survived += names.len() - 1;
        known.created.extend(names);
        if known.created.len() > KEPT_MAX {
            serving.delete_all_but("deployed");
            known.created = BTreeSet::from(["deployed".to_owned()]);
        }
        known.deployed = serving.served(&method, known.deployed..=known.deploying, round);
    }
    serving.kill();
    println!("{rounds} kills: {survived} times an API survived one, and {} deployments were served", known.deployed);
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Serving {
    /// Serves what is kept in this folder.
    pub fn start(data: &Path) -> Self {
        Self::with(data, "aws")
    }

    /// The same, without AWS's limit to the number of APIs, which is 120.
    pub fn without_limits(data: &Path) -> Self {
        Self::with(data, "relaxed")
    }

    fn with(data: &Path, limits: &str) -> Self {
        let flags = ["--admin=127.0.0.1:0", "--listen=127.0.0.1:0", "--log=off", "--shards=1"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_ringgate"))
            .arg("serve")
            .arg("--data")
            .arg(data)
            .arg(format!("--limits={limits}"))
            .args(flags)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the built program");
        let said = Printed::default();
        said.follow(child.stderr.take().expect("piped"));
        let port = |what: &str| {
            eventually("the banner", || {
                let ended = child.try_wait().expect("ours");
                assert!(ended.is_none(), "{}", said.text());
                between(&said.text(), what, "/")?.trim_end_matches('/').parse::<u16>().ok()
            })
        };
        let mut port = port;
        let (data, admin) = (port("serving http://127.0.0.1:"), port("admin http://127.0.0.1:"));
        Self { child, admin: ([127, 0, 0, 1], admin).into(), data: ([127, 0, 0, 1], data).into() }
    }

    /// An API named `deployed` with a method that answers what it was deployed with. Gives the paths of the API and of
    /// the method.
    pub fn deployable(&self) -> (String, String) {
        let api = asked(self.admin, Method::Post, "/restapis", &json!({"name": "deployed"})).expect("it runs").1;
        let api_path = format!("/restapis/{}", api["id"].as_str().expect("an id"));
        let method = format!("{api_path}/resources/{}/methods/GET", api["rootResourceId"].as_str().expect("an id"));
        let mock = json!({"type": "MOCK", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
        let calls = [
            (String::new(), json!({"authorizationType": "NONE"})),
            ("/responses/200".to_owned(), json!({})),
            ("/integration".to_owned(), mock),
        ];
        for (path, body) in calls {
            let (status, answer) = asked(self.admin, Method::Put, &format!("{method}{path}"), &body).expect("it runs");
            assert_eq!(status, 201, "{path}: {answer}");
        }
        deploy(self.admin, &(api_path.clone(), method.clone()), 0).expect("it runs");
        (api_path, method)
    }

    /// Callers create and deploy until the process, killed after `pause`, answers no more.
    fn call_until_killed(mut self, round: u32, method: &(String, String), pause: Duration, known: &mut Known) {
        let admin = self.admin;
        let first = known.deployed + 1;
        let (created, deployed) = thread::scope(|scope| {
            let creating: Vec<_> =
                (0..CLIENTS).map(|client| scope.spawn(move || create_until_killed(admin, round, client))).collect();
            let deploying = scope.spawn(move || (first..).find(|number| deploy(admin, method, *number).is_none()));
            thread::sleep(pause);
            self.kill();
            let created: Vec<_> = creating.into_iter().map(|client| client.join().expect("no panic")).collect();
            (created, deploying.join().expect("no panic").expect("it was killed"))
        });
        for (names, unanswered) in created {
            known.created.extend(names);
            known.unanswered.insert(unanswered);
        }
        (known.deployed, known.deploying) = (deployed - 1, deployed);
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("ours");
        self.child.wait().expect("ours");
    }

    /// Names of all APIs.
    pub fn names(&self) -> BTreeSet<String> {
        self.apis().into_iter().map(|(name, _)| name).collect()
    }

    /// Names and ids of all APIs.
    fn apis(&self) -> Vec<(String, String)> {
        let (mut apis, mut position) = (Vec::new(), String::new());
        loop {
            let path = format!("/restapis?limit=500{position}");
            let (status, page) = asked(self.admin, Method::Get, &path, &Value::Null).expect("it runs");
            assert_eq!(status, 200, "{page}");
            let items = page["item"].as_array().or(page["items"].as_array()).cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            apis.extend(items.iter().map(|api| (text(&api["name"]), text(&api["id"]))));
            match page["position"].as_str() {
                Some(next) => position = format!("&position={next}"),
                None => return apis,
            }
        }
    }

    fn delete_all_but(&self, kept: &str) {
        for (name, id) in self.apis() {
            if name != kept {
                let path = format!("/restapis/{id}");
                let (status, answer) = asked(self.admin, Method::Delete, &path, &Value::Null).expect("it runs");
                assert_eq!(status, 202, "{answer}");
            }
        }
    }

    /// What the data plane serves, which is one of `possible`.
    pub fn served(&self, method: &(String, String), possible: std::ops::RangeInclusive<u32>, round: u32) -> u32 {
        let target = format!("{}/prod/_user_request_/", method.0);
        let response = call(self.data, &Request { target: &target, ..Request::default() }).expect("it serves");
        let served = response.text().trim().parse().unwrap_or_else(|_| panic!("{}", response.text()));
        assert!(possible.contains(&served), "round {round}: serves {served}, deployed {possible:?}");
        served
    }
}

/// Names of the APIs that were created, and of the one whose creation was not answered.
fn create_until_killed(admin: SocketAddr, round: u32, client: usize) -> (Vec<String>, String) {
    let mut names = Vec::new();
    for number in 0.. {
        let name = format!("api-{round}-{client}-{number}");
        match asked(admin, Method::Post, "/restapis", &json!({ "name": name })) {
            Some((201, _)) => names.push(name),
            Some((status, answer)) => panic!("{status}: {answer}"),
            None => return (names, name),
        }
    }
    unreachable!("a loop without end")
}

/// Deploys a version that answers `number`; `None`: it was not answered.
fn deploy(admin: SocketAddr, (api, method): &(String, String), number: u32) -> Option<()> {
    let template = json!({"responseTemplates": {"application/json": number.to_string()}});
    let calls = [
        (Method::Put, format!("{method}/integration/responses/200"), template),
        (Method::Post, format!("{api}/deployments"), json!({"stageName": "prod"})),
    ];
    for (verb, path, body) in calls {
        let (status, answer) = asked(admin, verb, &path, &body)?;
        assert_eq!(status, 201, "{path}: {answer}");
    }
    Some(())
}

/// Status and body of the answer, if there is a whole one.
pub fn asked(admin: SocketAddr, method: Method, target: &str, body: &Value) -> Option<(u16, Value)> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let fields = [("Content-Type", "application/json"), ("Accept", "application/json")];
    let Response { status, body, .. } = call(admin, &Request { method, target, fields: &fields, body: &body }).ok()?;
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}
