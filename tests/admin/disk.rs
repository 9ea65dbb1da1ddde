//! `ringgate serve` on real file systems that refuse: full, read-only, a file that is. Making those takes root; whoever
//! is not is told so in a line. What takes none: a folder in use, and a database of a later version.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use ringgate::cli::client::{Request, call};
use ringgate_core::proto::http::Method;
use serde_json::json;

use crate::crash::{Serving, asked};
use crate::harness::{Folder, eventually};

const FULL_BYTES: usize = 3 << 20;
const FILLER_BYTES: usize = 1 << 20;
const CLIENTS: usize = 4;
/// Refusals after which a client believes that the disk is full.
const REFUSALS: usize = 3;

/// A file system in memory, gone with this.
struct Mounted {
    path: PathBuf,
    // Removed after the file system is gone.
    _folder: Folder,
}

impl Mounted {
    /// `None`, with a line that says so, when this process may not mount.
    fn new(bytes: usize) -> Option<Self> {
        let folder = Folder::new();
        let path = folder.file("mounted");
        std::fs::create_dir(&path).expect("a folder");
        let size = format!("size={bytes},mode=700");
        if mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], &path) {
            return Some(Self { path, _folder: folder });
        }
        println!("not run: mounting a file system takes root");
        None
    }

    fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.path), "nobody writes there");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn mount(flags: &[&str], path: &Path) -> bool {
    let status = Command::new("mount").args(flags).arg(path).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_refuses_changes_in_words_and_loses_none_that_was_answered() {
    let Some(disk) = Mounted::new(FULL_BYTES) else { return };
    let filler = disk.path.join("filler");
    std::fs::write(&filler, vec![0; FILLER_BYTES]).expect("room");
    let data = disk.path.join("data");
    let serving = Serving::without_limits(&data);
    let (method, admin) = (serving.deployable(), serving.admin);
    let clients: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || fill(admin, client))).collect();
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    });
    let mut created: BTreeSet<String> = clients.into_iter().flatten().collect();
    created.insert("deployed".to_owned());
    assert!(created.len() > CLIENTS, "there was room for some");
    assert_eq!(serving.names(), created, "what was refused is not there, what was answered is");
    assert_eq!(serving.served(&method, 0..=0, 0), 0, "serving goes on");
    let metrics = call(admin, &Request { target: "/metrics", ..Request::default() }).expect("it runs").text();
    let refused = "operation=\"CreateRestApi\",outcome=\"ServiceUnavailableException\"} ";
    assert!(metrics.contains(refused), "{metrics}");

    std::fs::remove_file(&filler).expect("ours");
    eventually("a change, for there is room again", || {
        let (status, _) = asked(admin, Method::Post, "/restapis", &json!({"name": "later"})).expect("it runs");
        (status == 201).then_some(())
    });
    created.insert("later".to_owned());
    drop(serving);
    let serving = Serving::without_limits(&data);
    assert_eq!(serving.names(), created);
    serving.served(&method, 0..=0, 0);
}

/// Creates until the disk is full. Gives the names that were answered with success.
fn fill(admin: SocketAddr, client: usize) -> Vec<String> {
    let (mut names, mut refusals) = (Vec::new(), 0);
    for number in 0.. {
        let name = format!("api-{client}-{number}");
        let body = json!({"name": name, "description": "d".repeat(1_000)});
        match asked(admin, Method::Post, "/restapis", &body).expect("it runs") {
            (201, _) => names.push(name),
            (status, answer) => {
                let message = answer["message"].as_str().unwrap_or_default();
                assert!(status == 503 && message.contains("the disk is full"), "{status}: {answer}");
                refusals += 1;
            }
        }
        if refusals == REFUSALS {
            break;
        }
    }
    names
}

#[test]
fn what_may_not_be_written_is_not_served_from_and_stays_as_it_is() {
    let Some(disk) = Mounted::new(4 * FULL_BYTES) else { return };
    let data = disk.path.join("data");
    drop(Serving::start(&data));
    let database = data.join("ringgate.db");
    let before = std::fs::read(&database).expect("there");
    // The file alone first: mounted over itself, for root may write what nobody may.
    assert!(mount(&["--bind", &database.to_string_lossy()], &database));
    assert!(mount(&["-o", "remount,bind,ro"], &database));
    assert_eq!(refused(&data), "the database may not be written by this process");
    assert!(Command::new("umount").arg(&database).status().is_ok_and(|status| status.success()));
    disk.make_read_only();
    assert_eq!(refused(&data), "the database may not be written by this process");
    assert!(std::fs::read(&database).expect("there") == before);
}

#[test]
fn a_folder_in_use_and_a_database_of_a_later_version_are_refused_and_stay_as_they_are() {
    let folder = Folder::new();
    let data = folder.file("data");
    let serving = Serving::start(&data);
    let method = serving.deployable();
    assert_eq!(refused(&data), format!("in use by another process ({})", serving.pid()));
    serving.served(&method, 0..=0, 0);
    drop(serving);
    let database = data.join("ringgate.db");
    let connection = rusqlite::Connection::open(&database).expect("it is there");
    connection.pragma_update(None, "user_version", 99).expect("writable");
    connection.close().expect("nothing waits");
    let before = std::fs::read(&database).expect("there");
    let why = refused(&data);
    assert!(why.starts_with("written by a later version of Ringgate: its tables are of version 99"), "{why}");
    assert!(std::fs::read(&database).expect("there") == before);
}

/// Why `ringgate serve` does not begin with this folder, which is said in a line that names it.
fn refused(data: &Path) -> String {
    let said = Command::new(env!("CARGO_BIN_EXE_ringgate"))
        .args(["serve", "--admin=127.0.0.1:0", "--listen=127.0.0.1:0", "--log=off", "--shards=1", "--data"])
        .arg(data)
        .output()
        .expect("the built program");
    let (text, folder) = (String::from_utf8_lossy(&said.stderr).into_owned(), format!("--data {}: ", data.display()));
    assert_eq!(said.status.code(), Some(2), "{text}");
    let (_, why) = text.split_once(&folder).unwrap_or_else(|| panic!("it does not name the folder: {text}"));
    why.trim_end().to_owned()
}
