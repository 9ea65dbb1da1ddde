//! The rules as data, and the checks that apply them to one source file.

use super::scan;

/// Modules of `core` and what each may import besides `base` and itself.
const CORE: &[(&str, &[&str])] = &[
    ("base", &[]),
    // Machines that know no API: they stay general.
    ("record", &[]),
    ("proto", &[]),
    ("json", &[]),
    ("vtl", &[]),
    ("jose", &[]),
    ("quota", &[]),
    // Records made readable: it sees wire messages and nothing of an API.
    ("explain", &["record", "proto"]),
    ("schema", &["json"]),
    ("cache", &["proto"]),
    ("aws", &["proto", "json", "jose"]),
    ("mapping", &["proto", "json", "vtl", "aws"]),
    ("model", &["aws"]),
    // What turns documents into the model sees no plan: there is one door between the two, `compile`.
    ("import", &["model", "aws", "json"]),
    ("plan", PLAN),
    ("compile", &["model", "plan", "proto", "json", "vtl", "schema", "jose", "aws", "mapping", "quota", "record"]),
    ("auth", &["plan", "aws", "jose", "proto"]),
    // The request path cannot see anything mutable or unfinished.
    ("exchange", &["plan", "auth", "mapping", "quota", "cache", "schema", "json", "vtl", "aws", "proto", "record"]),
];

const PLAN: &[&str] = &["proto", "json", "vtl", "schema", "jose", "aws", "mapping", "quota", "record"];

/// Modules of the acting half; `core::x` is a module of `core`.
const ACTING: &[(&str, &[&str])] = &[
    ("net", &["core::proto"]),
    ("telemetry", &["net", "core::record"]),
    (
        "shard",
        &[
            "net",
            "core::exchange",
            "core::plan",
            "core::auth",
            "core::quota",
            "core::cache",
            "core::aws",
            "core::proto",
            "core::record",
        ],
    ),
    ("store", &["core::model"]),
    ("function", &["net", "core::proto", "core::aws"]),
    (
        "control",
        &[
            "shard",
            "store",
            "net",
            "telemetry",
            "core::compile",
            "core::plan",
            "core::quota",
            "core::model",
            "core::jose",
            // For the page of metrics: labels of refusals, histograms, the log's variables.
            "core::proto",
            "core::explain",
            "core::record",
            "core::mapping",
        ],
    ),
    // Reaches shards through `control` alone: one door.
    // `record` for identifiers alone.
    (
        "admin",
        &[
            "control",
            "store",
            "core::model",
            "core::import",
            "core::aws",
            "core::proto",
            "core::record",
            "core::explain",
        ],
    ),
    // What the operator wrote; a log target and a network are what flags and their users both name.
    ("config", &["telemetry", "net", "store", "core::record"]),
];

/// These wire everything, so they may import everything, and nothing imports them.
const WIRING: &[&str] = &["main", "cli", "lib"];

/// Crates that only some modules may name, and why.
const CRATES: &[(&str, &[&str], &str)] = &[
    ("monoio", &["net"], "the runtime can be replaced"),
    ("io_uring", &["net"], "the runtime can be replaced"),
    ("libc", &["net"], "raw calls stay beside the one audited file"),
    ("tokio", &["admin", "control", "telemetry", "main"], "no tokio on a shard"),
];

/// Files that may contain `unsafe`, and why.
const UNSAFE: &[(&str, &str)] = &[
    ("src/net/ring.rs", "lends buffers to the kernel"),
    ("src/net/memory.rs", "the allocator's own interface is C"),
    ("tests/allocations.rs", "an allocator that counts is unsafe to implement"),
    ("tests/sim/vfs.rs", "SQLite knows file systems as tables of C functions"),
];

/// What `plan` must not contain, so that sharing it is safe because nothing changes.
const MUTABLE: &[&str] =
    &["Cell", "RefCell", "OnceCell", "LazyCell", "UnsafeCell", "Mutex", "RwLock", "OnceLock", "Rc"];

/// What of `shard` the threads that decide may see: how it is started, what it is told, what it says and counts. Never
/// what it owns.
const DOORS: &[&str] = &["inbox", "start", "settings", "counters"];

/// Ways to talk to another thread, which `shard` may name only in its inbox: the conversation is on one page.
const CHANNELS: &[&str] = &["mpsc", "crossbeam_channel", "crossbeam_queue", "ArrayQueue", "SegQueue"];

pub const FILE_LINES_MAX: usize = 700;
pub const FUNCTION_LINES_MAX: usize = 70;

/// Files and functions (`file.rs` or `file.rs name`) that may be longer, and why.
const LONG: &[(&str, &str)] = &[];

/// Where a file stands in the module tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// `core`, `ringgate` or `loadtest`.
    pub package: &'static str,
    /// Names from the package's root; empty for the root itself.
    pub path: Vec<String>,
    /// A file of tests, which may reach further: what it imports is not on the request path.
    pub is_test: bool,
}

impl Module {
    /// The module of a source file, or `None` for files outside the three packages' sources.
    pub fn of(file: &str) -> Option<Self> {
        let (package, rest) = match file {
            _ if file.starts_with("src/core/") => ("core", &file["src/core/".len()..]),
            _ if file.starts_with("src/") => ("ringgate", &file["src/".len()..]),
            _ if file.starts_with("loadtest/src/") => ("loadtest", &file["loadtest/src/".len()..]),
            _ => return None,
        };
        let mut path: Vec<String> = rest.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
        path.pop_if(|last| last == "mod" || last == "lib");
        let is_test = path.iter().any(|name| name == "tests");
        Some(Self { package, path, is_test })
    }

    /// The name under which the tables know this module.
    fn top(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }

    /// What a path written here means: a package and names from its root. `None` when it names something else.
    fn resolve(&self, path: &scan::NamedPath) -> Option<(&'static str, Vec<String>)> {
        let mut here: Vec<String> = self.path.iter().chain(&path.inline).cloned().collect();
        let mut rest = &path.segments[..];
        match rest[0].as_str() {
            "crate" => return Some((self.package, rest[1..].to_vec())),
            "ringgate_core" => return Some(("core", rest[1..].to_vec())),
            "ringgate" => return Some(("ringgate", rest[1..].to_vec())),
            "super" | "self" => {}
            _ => return None,
        }
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "super" => drop(here.pop()),
                "self" => {}
                _ => break,
            }
            rest = others;
        }
        here.extend_from_slice(rest);
        Some((self.package, here))
    }
}

/// Everything wrong with one file.
pub fn check(file: &str, source: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    unsafe_code(file, source, &mut wrong);
    unfinished(file, source, &mut wrong);
    length(file, source, &mut wrong);
    if let Some(module) = Module::of(file) {
        for path in scan::paths(source) {
            let mut refuse = |what: String| wrong.push(format!("{file}:{}: {what}", path.line));
            foreign_crates(&module, &path, &mut refuse);
            // Tests may reach further than what they test.
            if !module.is_test && !path.is_test() {
                imports(&module, &path, &mut refuse);
                contents(&module, &path, &mut refuse);
            }
        }
    }
    wrong
}

fn imports(module: &Module, path: &scan::NamedPath, refuse: &mut impl FnMut(String)) {
    let Some((package, target)) = module.resolve(path) else { return };
    let Some(target_top) = target.first() else { return };
    if (package, target_top.as_str()) == (module.package, module.top()) {
        return;
    }
    let here = module.top();
    match (module.package, package) {
        // Code reached through `super` from a root's child is named from the root, like everything else.
        ("core", "core") => {
            let table = if here == "lib" { return } else { CORE };
            // Names re-exported by a root are not modules and not judged.
            let is_module = CORE.iter().any(|(name, _)| name == target_top);
            if is_module && target_top != "base" && !allows(table, here, target_top) {
                refuse(format!("core::{here} must not import core::{target_top}"));
            }
        }
        ("core", _) => refuse(format!("core imports {package}: nothing below the line sees above it")),
        ("loadtest", "loadtest") => {}
        ("loadtest", _) => refuse("loadtest must not import the gateway that it measures".to_owned()),
        _ if WIRING.contains(&here) => {}
        (_, "core") => {
            if target_top != "base" && !allows(ACTING, here, &format!("core::{target_top}")) {
                refuse(format!("{here} must not import core::{target_top}"));
            }
        }
        _ => acting_imports(here, &target, refuse),
    }
}

fn acting_imports(here: &str, target: &[String], refuse: &mut impl FnMut(String)) {
    let is_module = ACTING.iter().any(|(name, _)| *name == target[0]) || WIRING.contains(&target[0].as_str());
    if is_module && !allows(ACTING, here, &target[0]) {
        refuse(format!("{here} must not import {}", target[0]));
    }
    let is_door = target.get(1).is_some_and(|second| DOORS.contains(&second.as_str()));
    if here == "control" && target[0] == "shard" && !is_door {
        refuse("control may import only the doors of shard".to_owned());
    }
}

fn allows(table: &[(&str, &[&str])], here: &str, target: &str) -> bool {
    table.iter().any(|(name, may)| *name == here && may.contains(&target))
}

fn foreign_crates(module: &Module, path: &scan::NamedPath, refuse: &mut impl FnMut(String)) {
    // The harness has a runtime and a floor of its own.
    if module.package == "loadtest" || path.segments.len() < 2 {
        return;
    }
    let here = if module.package == "core" { "core" } else { module.top() };
    let first = path.segments[0].as_str();
    for (name, may, why) in CRATES {
        if first == *name && !may.contains(&here) {
            refuse(format!("only {} may name {name}: {why}", may.join(", ")));
        }
    }
    let is_server_side = path.segments[1] == "server" || path.segments[1].starts_with("Server");
    if first == "rustls" && is_server_side && here != "net" {
        refuse("only net may name rustls' server side".to_owned());
    }
}

fn contents(module: &Module, path: &scan::NamedPath, refuse: &mut impl FnMut(String)) {
    let names = |list: &[&str]| path.segments.iter().any(|segment| list.contains(&segment.as_str()));
    let is_plan = module.package == "core" && module.top() == "plan";
    let is_atomic = path.segments.iter().any(|segment| segment.starts_with("Atomic"));
    if is_plan && (names(MUTABLE) || is_atomic) {
        refuse(format!("plan must not contain {}: what shards share never changes", path.segments.join("::")));
    }
    let is_inbox = module.path.get(1).is_some_and(|second| second == "inbox");
    if module.package == "ringgate" && module.top() == "shard" && !is_inbox && names(CHANNELS) {
        refuse("messages between threads are declared only in shard::inbox".to_owned());
    }
}

fn unsafe_code(file: &str, source: &str, wrong: &mut Vec<String>) {
    if UNSAFE.iter().any(|(allowed, _)| *allowed == file) {
        return;
    }
    let tokens = scan::tokens(source);
    let found = tokens.iter().filter(|token| token.text == "unsafe");
    wrong.extend(found.map(|token| format!("{file}:{}: unsafe outside the files that may have it", token.line)));
}

fn unfinished(file: &str, source: &str, wrong: &mut Vec<String>) {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let is_marked = |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(|word| marks.contains(&word));
    let marked = source.lines().enumerate().filter(|(_, line)| is_marked(line));
    wrong.extend(marked.map(|(index, _)| format!("{file}:{}: unfinished work belongs in an issue", index + 1)));
}

fn length(file: &str, source: &str, wrong: &mut Vec<String>) {
    let is_allowed = |what: &str| LONG.iter().any(|(allowed, _)| *allowed == what);
    let lines = source.lines().count();
    if lines > FILE_LINES_MAX && !is_allowed(file) {
        wrong.push(format!("{file}: {lines} lines; from {FILE_LINES_MAX} on a file covers two subjects"));
    }
    // Tables of cases are long and have no control flow.
    if !file.starts_with("src/") && !file.starts_with("loadtest/") || file.ends_with("/tests.rs") {
        return;
    }
    for function in scan::functions(source) {
        if function.lines > FUNCTION_LINES_MAX && !is_allowed(&format!("{file} {}", function.name)) {
            let (name, lines) = (&function.name, function.lines);
            wrong.push(format!("{file}:{}: `{name}` has {lines} lines, more than {FUNCTION_LINES_MAX}", function.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_offence_and_lets_the_neighbour_pass() {
        let cases = [
            // file, what offends, what passes, words of the finding
            (
                "src/core/exchange/mod.rs",
                "use crate::model::rest::Api;",
                "use crate::plan::Route;",
                "must not import core::model",
            ),
            (
                "src/core/exchange/a.rs",
                "use crate::{base::Place, compile};",
                "use crate::base::Place;",
                "core::compile",
            ),
            (
                "src/core/proto/h1/head.rs",
                "use super::super::super::aws::x;",
                "use super::super::http::x;",
                "core::aws",
            ),
            ("src/core/import/mod.rs", "use crate::plan::x;", "use crate::model::x;", "core::plan"),
            ("src/core/plan/mod.rs", "use std::cell::RefCell;", "use std::sync::Arc;", "plan must not contain"),
            ("src/core/plan/x.rs", "x: std::sync::atomic::AtomicU64", "x: u64", "plan must not contain"),
            ("src/core/plan/x.rs", "x: Rc<str>", "x: Box<str>", "plan must not contain Rc"),
            ("src/core/json/mod.rs", "use ringgate::net::x;", "use crate::base::x;", "core imports ringgate"),
            ("src/core/json/mod.rs", "use tokio::net::x;", "use bytes::Bytes;", "may name tokio"),
            (
                "src/shard/mod.rs",
                "use ringgate_core::model::x;",
                "use ringgate_core::plan::x;",
                "shard must not import core::model",
            ),
            ("src/shard/mod.rs", "use crate::control::x;", "use crate::net::x;", "shard must not import control"),
            (
                "src/shard/tick.rs",
                "use crossbeam_queue::ArrayQueue;",
                "use super::inbox::Inbox;",
                "only in shard::inbox",
            ),
            ("src/shard/mod.rs", "use monoio::net::x;", "use crate::net::x;", "only net may name monoio"),
            ("src/admin/mod.rs", "use crate::shard::x;", "use crate::control::x;", "admin must not import shard"),
            ("src/admin/mod.rs", "use ringgate_core::plan::x;", "use ringgate_core::model::x;", "core::plan"),
            ("src/store/mod.rs", "use crate::shard::x;", "use ringgate_core::model::x;", "store must not import shard"),
            ("src/control/mod.rs", "use crate::shard::Shard;", "use crate::shard::inbox::x;", "only the doors"),
            ("src/net/mod.rs", "use crate::shard::x;", "use monoio::net::x;", "net must not import shard"),
            ("src/net/mod.rs", "use crate::config::x;", "use ringgate_core::proto::x;", "net must not import config"),
            ("src/cli/dev.rs", "use libc::x;", "use crate::control::x;", "only net may name libc"),
            ("src/cli/dev.rs", "use tokio::x;", "use crate::admin::x;", "may name tokio"),
            ("src/control/acme.rs", "use rustls::ServerConfig;", "use rustls::ClientConfig;", "rustls' server side"),
            ("src/net/stream.rs", "unsafe {}", "safe {}", "unsafe outside"),
            ("tests/gateway/main.rs", "unsafe {}", "// unsafe {}", "unsafe outside"),
            ("loadtest/src/main.rs", "use ringgate_core::x;", "use libc::x;", "must not import the gateway"),
            ("src/main.rs", concat!("// TO", "DO: later"), "// TODOS are fine", "unfinished"),
        ];
        for (file, bad, good, words) in cases {
            let found = check(file, bad);
            assert!(found.len() == 1 && found[0].contains(words), "{file}: {bad}: {found:?}");
            assert_eq!(check(file, good), Vec::<String>::new(), "{file}: {good}");
        }
    }

    #[test]
    fn tests_may_reach_further_but_not_be_unsafe() {
        assert_eq!(check("src/core/exchange/mod.rs", "mod tests { use crate::compile::x; }"), Vec::<String>::new());
        assert_eq!(check("src/core/exchange/tests.rs", "use crate::compile::x;"), Vec::<String>::new());
        assert_eq!(check("src/core/exchange/tests.rs", "unsafe {}").len(), 1);
    }

    #[test]
    fn the_ring_may_be_unsafe() {
        assert_eq!(check("src/net/ring.rs", "unsafe {}"), Vec::<String>::new());
    }

    #[test]
    fn long_files_and_functions_are_found() {
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "x;\n".repeat(lines - 2));
        assert_eq!(check("src/a.rs", &function(FUNCTION_LINES_MAX)), Vec::<String>::new());
        assert_eq!(check("src/a.rs", &function(FUNCTION_LINES_MAX + 1)).len(), 1);
        assert_eq!(check("src/a.rs", &"\n".repeat(FILE_LINES_MAX + 1)).len(), 1);
    }

    #[test]
    fn the_table_is_acyclic_and_names_only_modules() {
        // In the order of the table, each module imports only earlier ones.
        for (index, (name, may)) in CORE.iter().enumerate() {
            for target in *may {
                assert!(CORE[..index].iter().any(|(earlier, _)| earlier == target), "core::{name} imports {target}");
            }
        }
        for (name, may) in ACTING {
            for target in *may {
                let is_core = target.strip_prefix("core::").is_some_and(|t| CORE.iter().any(|(name, _)| *name == t));
                assert!(is_core || ACTING.iter().any(|(other, _)| other == target), "{name} imports {target}");
            }
        }
    }
}
