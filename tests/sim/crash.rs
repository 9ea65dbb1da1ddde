//! The store of a process that is killed in the middle of writing.
//!
//! The process is this test binary once more, with [`FOLDER`] set: then [`writer`] writes until it is killed, and says
//! what was acknowledged. All rounds share one folder, so a database is recovered many times over.
//!
//! `STORE_CRASH_ROUNDS=1000` kills a thousand times instead of fifty.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use ringgate::store::{AuditEntry, AuditQuery, Change, Outcome, Record, Retention, Store};
use ringgate_core::base::WallTime;

use crate::support::Numbers;

const FOLDER: &str = "RINGGATE_CRASH_FOLDER";
const ROUNDS_DEFAULT: u64 = 50;
/// Threads of the process that write, so that commits share flushes.
const WRITERS: usize = 4;
/// How many of its newest commits a writer keeps.
const KEPT: u64 = 20;
const SCOPE: &str = "1/r";

/// The numbers of the commits that are there, by writer.
type Found = BTreeMap<usize, Vec<u64>>;

#[test]
fn what_a_killed_process_acknowledged_is_there_and_whole() {
    let rounds = std::env::var("STORE_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok());
    let folder = std::env::temp_dir().join(format!("ringgate-crash-{}", std::process::id()));
    let mut numbers = Numbers::new(u64::from(std::process::id()));
    let mut before = [None; WRITERS];
    let (mut acknowledged, mut in_flight) = (0, 0);
    for round in 0..rounds.unwrap_or(ROUNDS_DEFAULT) {
        let delay = Duration::from_micros(numbers.below(60_000) as u64);
        let told = killed_after(&folder, delay, numbers.below(4) > 0);
        let found = whole(&folder);
        for (writer, before) in before.iter_mut().enumerate() {
            let newest = found.get(&writer).and_then(|numbers| numbers.last()).copied();
            let promised = told[writer].or(*before);
            assert!(newest >= promised, "round {round}, writer {writer}: acknowledged {promised:?}, found {newest:?}");
            // One commit of each writer is under way at a time.
            let most = promised.map_or(0, |number| number + 1);
            assert!(newest <= Some(most), "round {round}, writer {writer}: told {promised:?}, found {newest:?}");
            acknowledged += promised.unwrap_or(0) - before.unwrap_or(0);
            in_flight += u64::from(newest > promised);
            *before = newest;
        }
    }
    println!("{acknowledged} commits acknowledged, {in_flight} more were whole when the process died");
    assert!(acknowledged > 0);
    let _ = std::fs::remove_dir_all(&folder);
}

/// The newest commit of each writer that a process acknowledged before it was killed, `delay` after it was started or
/// after its first word.
fn killed_after(folder: &Path, delay: Duration, waits_for_a_word: bool) -> [Option<u64>; WRITERS] {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "crash::writer", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut told = [None; WRITERS];
    let mut hear = |line: &str| {
        // A line that was cut off by the end has no full stop.
        let numbers = line.strip_prefix("stored ").and_then(|rest| rest.strip_suffix('.')?.split_once(' '));
        let Some((writer, number)) = numbers.and_then(|(w, n)| Some((w.parse::<usize>().ok()?, n.parse().ok()?)))
        else {
            return false;
        };
        told[writer] = Some(number);
        true
    };
    while waits_for_a_word && !hear(&lines.next().expect("it writes").expect("text")) {}
    thread::sleep(delay);
    child.kill().expect("ours");
    child.wait().expect("ours");
    lines.map_while(Result::ok).for_each(|line| {
        hear(&line);
    });
    told
}

/// Opens the folder and looks whether each commit in it is whole.
fn whole(folder: &Path) -> Found {
    let store = Store::open(folder, Retention { days: u32::MAX, entries: 1_000 }).expect("a database");
    let mut parts: BTreeMap<(usize, u64), Vec<String>> = BTreeMap::new();
    let loaded = store.load(&mut |record| {
        let (writer, number) = record.key.split_once('-').expect("a key of ours");
        let (writer, number) = (writer.parse().expect("a number"), number.parse().expect("a number"));
        assert_eq!(record.body, body(&record.kind, writer, number), "{}", record.key);
        parts.entry((writer, number)).or_default().push(record.kind);
    });
    loaded.expect("a whole database");
    let trail = store.audit(AuditQuery::default()).wait().expect("a trail");
    let mut found = Found::new();
    for ((writer, number), mut kinds) in parts {
        kinds.sort();
        assert_eq!(kinds, ["first", "second"], "{writer}-{number} is torn");
        let entries = trail.entries.iter().filter(|entry| entry.id == format!("{writer}-{number}")).count();
        assert_eq!(entries, 1, "{writer}-{number} left no trail");
        found.entry(writer).or_default().push(number);
    }
    for (writer, numbers) in &found {
        let newest = numbers.last().expect("not empty");
        let expected: Vec<_> = (newest.saturating_sub(KEPT - 1)..=*newest).collect();
        assert_eq!(*numbers, expected, "writer {writer}");
    }
    found
}

/// Large enough for several pages now and then.
fn body(kind: &str, writer: usize, number: u64) -> Vec<u8> {
    let length = if number.is_multiple_of(7) { 50_000 } else { 300 };
    format!("{kind} {writer} {number} ").into_bytes().into_iter().cycle().take(length).collect()
}

#[test]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    // The test harness has begun a line with our name.
    println!();
    let store = Store::open(&folder, Retention { days: u32::MAX, entries: 1_000 }).expect("the folder is free");
    let mut next = [0; WRITERS];
    let loaded = store.load(&mut |record| {
        let (writer, number) = record.key.split_once('-').expect("a key of ours");
        let next = &mut next[writer.parse::<usize>().expect("a number")];
        *next = (*next).max(number.parse::<u64>().expect("a number") + 1);
    });
    loaded.expect("a whole database");
    thread::scope(|scope| {
        for (writer, first) in next.into_iter().enumerate() {
            let store = &store;
            scope.spawn(move || {
                for number in first.. {
                    write(store, writer, number);
                }
            });
        }
    });
}

fn write(store: &Store, writer: usize, number: u64) {
    let mut changes = Vec::new();
    for kind in ["first", "second"] {
        let (scope, key) = (SCOPE.to_owned(), format!("{writer}-{number}"));
        changes.push(Change::Put(Record { scope, kind: kind.to_owned(), key, body: body(kind, writer, number) }));
        if let Some(old) = number.checked_sub(KEPT) {
            let (scope, key) = (SCOPE.to_owned(), format!("{writer}-{old}"));
            changes.push(Change::Delete { scope, kind: kind.to_owned(), key });
        }
    }
    store.commit(changes, Some(entry(format!("{writer}-{number}")))).wait().expect("room");
    // One write, so that a line is whole or cut off at its end.
    let line = format!("stored {writer} {number}.\n");
    std::io::stdout().lock().write_all(line.as_bytes()).expect("a listener");
}

fn entry(id: String) -> AuditEntry {
    AuditEntry {
        at: WallTime::from_millis(1),
        id,
        scope: SCOPE.to_owned(),
        access_key: None,
        key_is_verified: true,
        source_ip: "127.0.0.1".to_owned(),
        user_agent: String::new(),
        operation: "Put".to_owned(),
        resource: "/".to_owned(),
        request: "{}".to_owned(),
        outcome: Outcome::Succeeded,
        changed: "[]".to_owned(),
    }
}
