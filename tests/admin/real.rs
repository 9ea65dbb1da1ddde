//! The management API held against what its clients do and may do wrong, by scripts that use the clients themselves.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::crash::Serving;
use super::harness::{Folder, run};
use super::tool;

/// Runs a script beside this file to its end; gives what it printed.
fn script<const N: usize>(name: &str, arguments: [&OsStr; N]) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/admin").join(name);
    // Scripts share modules; what Python makes of those would lie between the sources.
    let mut python = Command::new(tool("python"));
    let output = python.arg("-B").arg(path).args(arguments).output().expect("python");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{printed}");
    printed
}

fn conformance() -> Option<PathBuf> {
    let folder = std::env::var_os("RINGGATE_CONFORMANCE").map(PathBuf::from);
    if folder.is_none() {
        println!("no data: RINGGATE_CONFORMANCE is not set");
    }
    folder
}

fn serving(folder: &Folder) -> (Serving, String, String) {
    let serving = Serving::start(&folder.file("data"));
    let (admin, data) = (format!("http://{}", serving.admin), format!("http://{}", serving.data));
    (serving, admin, data)
}

#[test]
fn documented_commands_run_and_answer_as_documented() {
    let Some(conformance) = conformance() else { return };
    let folder = Folder::new();
    let (_serving, admin, _) = serving(&folder);
    script("documented.py", [admin.as_ref(), conformance.join("aws-cli/examples.json").as_ref()]);
}

#[test]
fn every_promised_operation_is_done_with_all_that_it_takes() {
    let Some(conformance) = conformance() else { return };
    let folder = Folder::new();
    let (_serving, admin, _) = serving(&folder);
    script("operations.py", [admin.as_ref(), conformance.join("operations.json").as_ref()]);
}

#[test]
fn what_aws_refuses_is_refused_in_its_words() {
    let folder = Folder::new();
    let (_serving, admin, _) = serving(&folder);
    script("rules.py", [admin.as_ref()]);
}

#[test]
fn clients_page_query_and_write_at_once() {
    let folder = Folder::new();
    let (_serving, admin, data) = serving(&folder);
    script("clients.py", [admin.as_ref(), data.as_ref()]);
}

#[test]
fn what_protects_and_is_not_obeyed_fails_closed() {
    let folder = Folder::new();
    let (_serving, admin, data) = serving(&folder);
    script("closed.py", [admin.as_ref(), data.as_ref()]);
}

/// A failure prints the seed; `ADMIN_MUTATION_SEED` plays another.
#[test]
fn wrong_requests_are_told_so_and_a_restart_changes_no_answer() {
    let Some(conformance) = conformance() else { return };
    let seed = std::env::var_os("ADMIN_MUTATION_SEED").unwrap_or("1".into());
    let folder = Folder::new();
    let (everything, cases) = (folder.file("everything.json"), conformance.join("cases/recorded"));
    let (mut before, admin, _) = serving(&folder);
    script("mutations.py", [admin.as_ref(), "play".as_ref(), everything.as_ref(), cases.as_ref(), &seed]);
    before.kill();
    let (_after, admin, _) = serving(&folder);
    script("mutations.py", [admin.as_ref(), "check".as_ref(), everything.as_ref()]);
}

#[test]
fn what_remains_to_a_key_survives_a_restart_and_a_restore() {
    let folder = Folder::new();
    let (told, copy, restored) = (folder.file("usage.json"), folder.file("copy"), folder.file("restored"));
    let (mut before, admin, _) = serving(&folder);
    script("usage.py", [admin.as_ref(), "change".as_ref(), told.as_ref()]);
    let copied = |command, data: &Path| {
        let ran = run(&[command, "--data", &data.display().to_string(), &copy.display().to_string()]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    };
    copied("backup", &folder.file("data"));
    before.kill();
    let (_after, admin, _) = serving(&folder);
    script("usage.py", [admin.as_ref(), "check".as_ref(), told.as_ref()]);
    copied("restore", &restored);
    let elsewhere = Serving::start(&restored);
    script("usage.py", [format!("http://{}", elsewhere.admin).as_ref(), "check".as_ref(), told.as_ref()]);
}
