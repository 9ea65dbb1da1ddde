//! Style that a machine can check: who imports whom, where `unsafe` may stand, files that nobody names, what lies at
//! the top, how long things have become. The rules are data in `tidy/rules.rs`, each with its reason.

#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/scan.rs"]
mod scan;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that may lie at the top, besides files and folders whose names begin with a dot.
const TOP: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "benches",
    "loadtest",
    "perf",
    "src",
    "tests",
    "tuning",
];

/// Crates that `core` must not depend on, whatever its code says.
const ACTING_CRATES: &[&str] = &["monoio", "rustls", "rusqlite", "tokio", "libc", "rustix", "socket2"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files of the project, from its root: those under version control or about to be, and without it all but `target`.
fn files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(root()).output();
    match listed {
        Ok(listed) if listed.status.success() && !listed.stdout.is_empty() => {
            let text = String::from_utf8(listed.stdout).expect("file names are UTF-8");
            text.lines().filter(|file| root().join(file).is_file()).map(str::to_owned).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(root(), &mut found);
            found
        }
    }
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != ".git" && name != ".venv" {
            walk(&path, found);
        } else if path.is_file() {
            let relative = path.strip_prefix(root()).expect("below the root");
            found.push(relative.to_str().expect("file names are UTF-8").to_owned());
        }
    }
}

fn rust_files() -> Vec<String> {
    files().into_iter().filter(|file| file.ends_with(".rs")).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_source_file_keeps_the_rules() {
    let wrong: Vec<_> = rust_files().iter().flat_map(|file| rules::check(file, &read(file))).collect();
    assert_none(&wrong);
}

#[test]
fn only_known_things_lie_at_the_top() {
    let unknown = unknown_at_the_top(&files());
    assert_none(&unknown);
}

fn unknown_at_the_top(files: &[String]) -> Vec<String> {
    let tops: BTreeSet<&str> = files.iter().map(|file| file.split('/').next().unwrap_or(file)).collect();
    let is_unknown = |top: &&str| !top.starts_with('.') && !TOP.contains(top);
    tops.into_iter().filter(is_unknown).map(|top| format!("{top}: not in the tree of the architecture")).collect()
}

#[test]
fn something_unknown_at_the_top_is_found() {
    let files = ["notes.txt", "src/lib.rs", ".ci/run", "misc/a"].map(str::to_owned);
    assert_eq!(unknown_at_the_top(&files).len(), 2);
}

#[test]
fn every_source_file_is_named_by_another() {
    let dead = dead_files(&rust_files(), &roots(), read);
    assert_none(&dead);
}

/// Files that the compiler starts from.
fn roots() -> Vec<String> {
    let is_root = |file: &String| {
        let is_test = match file.strip_prefix("tests/") {
            Some(rest) => !rest.contains('/') || (rest.ends_with("/main.rs") && rest.matches('/').count() == 1),
            None => file.starts_with("benches/") && file.matches('/').count() == 1,
        };
        let named = ["src/lib.rs", "src/main.rs", "src/core/lib.rs", "loadtest/src/main.rs", "loadtest/src/lib.rs"];
        is_test || named.contains(&file.as_str())
    };
    let mut roots: Vec<_> = rust_files().into_iter().filter(is_root).collect();
    for (manifest, folder) in
        [("tests/fuzz/Cargo.toml", "tests/fuzz"), ("Cargo.toml", "."), ("src/core/Cargo.toml", "src/core")]
    {
        let Ok(text) = fs::read_to_string(root().join(manifest)) else { continue };
        let paths = text.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
        roots.extend(paths.map(|path| normal(&Path::new(folder).join(path))));
    }
    roots
}

fn dead_files(files: &[String], roots: &[String], read: impl Fn(&str) -> String) -> Vec<String> {
    let known: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    let mut alive: BTreeSet<String> = BTreeSet::new();
    let mut waiting: Vec<String> = roots.iter().filter(|root| known.contains(root.as_str())).cloned().collect();
    while let Some(file) = waiting.pop() {
        for declaration in scan::declarations(&read(&file)) {
            let places = places(&file, &declaration, roots.contains(&file));
            waiting.extend(places.into_iter().filter(|place| known.contains(place.as_str()) && !alive.contains(place)));
        }
        alive.insert(file);
    }
    let is_dead = |file: &&String| !alive.contains(file.as_str());
    files.iter().filter(is_dead).map(|file| format!("{file}: no `mod` names this file")).collect()
}

/// Where a declared module may lie.
fn places(file: &str, declaration: &scan::Declaration, is_root: bool) -> Vec<String> {
    let file = Path::new(file);
    let folder = file.parent().unwrap_or(Path::new(""));
    if let Some(path) = &declaration.path {
        return vec![normal(&folder.join(path))];
    }
    let owns_folder = is_root || file.file_name().is_some_and(|name| name == "mod.rs");
    let below: PathBuf = if owns_folder { folder.to_owned() } else { file.with_extension("") };
    let name = &declaration.name;
    vec![normal(&below.join(format!("{name}.rs"))), normal(&below.join(name).join("mod.rs"))]
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().expect("file names are UTF-8").split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_file_that_nobody_names_is_found() {
    let sources = [
        ("src/lib.rs", "mod a; #[cfg(test)]\n#[path = \"../x/y.rs\"]\nmod y;"),
        ("src/a.rs", "mod b;"),
        ("src/a/b.rs", ""),
        ("src/a/c.rs", ""),
        ("x/y.rs", "mod z;"),
        ("x/y/z/mod.rs", ""),
    ];
    let files = sources.map(|(file, _)| file.to_owned());
    let read = |file: &str| sources.iter().find(|(name, _)| *name == file).unwrap().1.to_owned();
    assert_eq!(dead_files(&files, &["src/lib.rs".to_owned()], read), ["src/a/c.rs: no `mod` names this file"]);
}

#[test]
fn core_depends_on_nothing_that_acts() {
    assert_none(&acting_dependencies(&read("src/core/Cargo.toml")));
}

fn acting_dependencies(manifest: &str) -> Vec<String> {
    let names = manifest.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    let acting = names.filter(|name| ACTING_CRATES.contains(name));
    acting.map(|name| format!("src/core/Cargo.toml: {name} acts, and core only thinks")).collect()
}

#[test]
fn an_acting_dependency_of_core_is_found() {
    assert_eq!(
        acting_dependencies("[dependencies]\nitoa.workspace = true\ntokio = \"1\"\nlibc.workspace = true\n").len(),
        2
    );
}
