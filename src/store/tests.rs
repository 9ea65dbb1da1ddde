use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use ringgate_core::base::WallTime;

use super::backup::{CopyError, Replace, backup, restore};
use super::*;

const SCOPE: &str = "000000000000/us-east-1";

/// A folder of one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ringgate-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.0, Retention { days: u32::MAX, ..Retention::default() })
    }

    /// Does something to the database behind the store's back.
    fn meddle(&self, act: impl FnOnce(&Connection)) {
        act(&Connection::open(self.0.join("ringgate.db")).expect("it is there"));
    }

    /// Every file and what is in it.
    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(&self.0).expect("a folder").flatten().map(|entry| entry.path());
        let mut all: Vec<_> = entries.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect();
        all.sort();
        all
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn put(key: &str, body: &str) -> Change {
    Change::Put(Record { scope: SCOPE.into(), kind: "resource".into(), key: key.into(), body: body.into() })
}

fn delete(key: &str) -> Change {
    Change::Delete { scope: SCOPE.into(), kind: "resource".into(), key: key.into() }
}

fn entry(number: u64) -> AuditEntry {
    AuditEntry {
        at: WallTime::from_millis(number),
        id: format!("id-{number}"),
        scope: SCOPE.into(),
        access_key: number.is_multiple_of(2).then(|| "AKIAEVEN".to_owned()),
        key_is_verified: true,
        source_ip: "127.0.0.1".into(),
        user_agent: "aws-cli/2".into(),
        operation: if number.is_multiple_of(3) { "CreateRestApi" } else { "PutMethod" }.into(),
        resource: format!("/restapis/{}/stages/prod", number % 5),
        request: "{}".into(),
        outcome: match number % 7 {
            0 => Outcome::Failed { code: "NotFoundException".into(), message: "Invalid stage".into() },
            _ => Outcome::Succeeded,
        },
        changed: "{}".into(),
    }
}

fn records(store: &Store) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let loaded = store.load(&mut |record| all.push((record.key, String::from_utf8(record.body).expect("text"))));
    loaded.expect("a whole database");
    all
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, body)| ((*key).to_owned(), (*body).to_owned())).collect()
}

fn numbers(page: &AuditPage) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.at.as_millis()).collect()
}

#[test]
fn a_commit_that_fails_takes_with_it_what_builds_on_it_and_nothing_else() {
    let folder = Folder::new();
    let store = folder.open().expect("a new one");
    folder.meddle(|connection| {
        let trigger =
            "CREATE TRIGGER t BEFORE INSERT ON record WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'bad'); END";
        connection.execute_batch(trigger).expect("it is a table");
    });
    let commits = [
        (Some(Line(1)), "first"),
        (Some(Line(1)), "bad"),
        (Some(Line(1)), "behind"),
        (None, "beside"),
        (Some(Line(2)), "again"),
        (Some(Line(1)), "late"),
    ];
    // All wait at once, so that some share a group.
    let answers: Vec<_> = commits
        .map(|(line, key)| match line {
            Some(line) => store.commit_in(line, vec![put(key, "{}")], None).expect("room"),
            None => store.commit(vec![put(key, "{}")], None),
        })
        .into_iter()
        .map(Pending::wait)
        .collect();
    let is_orphan = |answer: &Result<Revision, StoreError>| matches!(answer, Err(StoreError::Orphaned(_)));
    assert_eq!(answers.iter().map(is_orphan).collect::<Vec<_>>(), [false, false, true, false, false, true]);
    let keys: Vec<_> = records(&store).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["first", "beside", "again"]);
    let too_large = vec![put("large", &"x".repeat(RECORD_BYTES_MAX))];
    assert!(matches!(store.commit_in(Line(2), too_large, None), Err(StoreError::TooLarge { .. })));
    assert!(store.commit_in(Line(2), vec![put("on", "{}")], None).expect("room").wait().is_ok(), "the line goes on");
}

#[test]
fn what_was_committed_is_there_after_opening_again_in_the_order_of_its_coming() {
    let folder = Folder::new();
    let store = folder.open().expect("a new folder");
    assert_eq!(store.commit(vec![put("b", "1"), put("a", "2")], Some(entry(1))).wait(), Ok(Revision(1)));
    assert_eq!(store.commit(vec![put("c", "3"), delete("a"), delete("none")], None).wait(), Ok(Revision(2)));
    assert_eq!(store.commit(vec![put("b", "4"), put("a", "5")], None).wait(), Ok(Revision(3)));
    let expected = pairs(&[("b", "4"), ("c", "3"), ("a", "5")]);
    assert_eq!(records(&store), expected);
    drop(store);
    let store = folder.open().expect("the same folder");
    assert_eq!(records(&store), expected);
    assert_eq!(store.audit(AuditQuery::default()).wait().expect("a trail").entries, [entry(1)]);
    assert_eq!(store.commit(Vec::new(), Some(entry(2))).wait(), Ok(Revision(4)));
}

#[test]
fn what_nobody_waits_for_is_done_before_the_store_ends() {
    let folder = Folder::new();
    let store = folder.open().expect("a new folder");
    for number in 0..500 {
        drop(store.commit(vec![put(&number.to_string(), "x")], None));
    }
    drop(store);
    assert_eq!(records(&folder.open().expect("free again")).len(), 500);
}

#[test]
fn many_callers_each_get_a_revision_of_their_own() {
    let store = Store::in_memory(Retention::default()).expect("memory");
    let mut revisions: Vec<Revision> = thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let store = store.clone();
                let commit = move |number| store.commit(vec![put(&format!("{caller}-{number}"), "x")], None).wait();
                scope.spawn(move || (0..50).map(commit).collect::<Result<Vec<_>, _>>().expect("room"))
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().expect("no panic")).collect()
    });
    revisions.sort();
    assert_eq!(revisions, (1..=400).map(Revision).collect::<Vec<_>>());
    assert_eq!(records(&store).len(), 400);
}

#[test]
fn a_record_that_is_too_large_is_refused_and_nothing_of_its_commit_is_there() {
    let store = Store::in_memory(Retention::default()).expect("memory");
    let large = put("large", &"x".repeat(RECORD_BYTES_MAX));
    let refused = store.commit(vec![put("small", "x"), large], None).wait();
    assert!(matches!(refused, Err(StoreError::TooLarge { bytes }) if bytes > RECORD_BYTES_MAX), "{refused:?}");
    assert_eq!(records(&store), []);
    assert_eq!(store.commit(vec![put("small", "x")], None).wait(), Ok(Revision(1)));
}

#[test]
fn the_folder_is_for_its_owner_and_for_one_process() {
    let folder = Folder::new();
    let store = folder.open().expect("a new folder");
    store.commit(vec![put("a", "1")], None).wait().expect("room");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    for (path, _) in folder.contents() {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let second = folder.open().err().expect("one at a time");
    assert_eq!(second, StoreError::InUse { pid: Some(std::process::id()) });
    drop(store);
    fs::set_permissions(folder.0.join("ringgate.db"), fs::Permissions::from_mode(0o644)).expect("ours");
    let _store = folder.open().expect("free again");
    assert_eq!(mode(&folder.0.join("ringgate.db")), 0o600);
}

#[test]
fn a_database_of_a_later_version_is_not_touched() {
    let folder = Folder::new();
    drop(folder.open().expect("a new folder"));
    folder.meddle(|connection| connection.pragma_update(None, "user_version", 99).expect("writable"));
    let database = || fs::read(folder.0.join("ringgate.db")).expect("there");
    let before = database();
    let refused = folder.open().err().expect("too new");
    assert_eq!(refused, StoreError::NewerVersion { found: 99, known: schema::VERSION });
    assert!(database() == before);
}

#[test]
fn files_that_are_not_ours_are_refused() {
    let folder = Folder::new();
    fs::create_dir(&folder.0).expect("a folder");
    folder.meddle(|connection| connection.execute_batch("CREATE TABLE theirs (x)").expect("writable"));
    assert_eq!(folder.open().err(), Some(StoreError::Foreign));
    fs::write(folder.0.join("ringgate.db"), "a text of more than a hundred bytes ".repeat(40)).expect("writable");
    assert_eq!(folder.open().err(), Some(StoreError::Foreign));
}

#[test]
fn a_record_that_reads_otherwise_than_it_was_written_is_named() {
    let folder = Folder::new();
    let store = folder.open().expect("a new folder");
    store.commit(vec![put("first", "{}"), put("second", "{}")], None).wait().expect("room");
    drop(store);
    folder.meddle(|connection| {
        connection.execute("UPDATE record SET body = x'7b7c' WHERE key = 'second'", []).expect("writable");
    });
    let store = folder.open().expect("its structure is whole");
    let refused = store.load(&mut drop).expect_err("damaged").to_string();
    assert!(refused.contains("resource second of 000000000000/us-east-1"), "{refused}");
}

#[test]
fn the_trail_is_read_from_its_end_in_pages_and_filtered() {
    let store = Store::in_memory(Retention { days: u32::MAX, entries: 1_000 }).expect("memory");
    for number in 1..=100 {
        drop(store.commit(Vec::new(), Some(entry(number))));
    }
    let ask = |query: AuditQuery| store.audit(query).wait().expect("a trail");
    let whole = ask(AuditQuery::default());
    assert_eq!((numbers(&whole), whole.next), ((1..=100).rev().collect(), None));
    assert_eq!(whole.entries[99], entry(1));
    let rows: [(AuditQuery, &dyn Fn(u64) -> bool); 8] = [
        (AuditQuery { operation: Some("CreateRestApi".into()), ..Default::default() }, &|n| n.is_multiple_of(3)),
        (AuditQuery { access_key: Some("AKIAEVEN".into()), ..Default::default() }, &|n| n.is_multiple_of(2)),
        (AuditQuery { resource: Some("/restapis/2".into()), ..Default::default() }, &|n| n % 5 == 2),
        (AuditQuery { resource: Some("/restapis/2/stages/pro".into()), ..Default::default() }, &|_| false),
        (AuditQuery { scope: Some("111111111111/us-east-1".into()), ..Default::default() }, &|_| false),
        (AuditQuery { scope: Some("000000000000".into()), ..Default::default() }, &|_| true),
        (AuditQuery { id: Some("id-17".into()), ..Default::default() }, &|n| n == 17),
        (
            AuditQuery {
                since: Some(WallTime::from_millis(20)),
                until: Some(WallTime::from_millis(30)),
                ..Default::default()
            },
            &|n| (20..30).contains(&n),
        ),
    ];
    for (query, wanted) in rows {
        let expected: Vec<u64> = (1..=100).rev().filter(|number| wanted(*number)).collect();
        assert_eq!(numbers(&ask(query.clone())), expected, "{query:?}");
        let (mut pages, mut found) = (AuditQuery { limit: 7, ..query }, Vec::new());
        loop {
            let page = ask(pages.clone());
            assert!(page.entries.len() <= 7);
            found.extend(numbers(&page));
            pages.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn the_trail_keeps_the_newest_entries_and_no_old_ones() {
    let mut database = Database::on(Connection::open_in_memory().expect("memory")).expect("a new one");
    let day = |days: u64| WallTime::from_millis(days * 24 * 60 * 60 * 1000);
    for days in 0..100 {
        let entry = AuditEntry { at: day(days), ..entry(days) };
        database.write(&[&Write { changes: Vec::new(), audit: Some(entry) }]).expect("memory");
    }
    let mut left = |retention, now, batch| {
        while database.trim(retention, now, batch).expect("memory").is_continue() {}
        database.audit(&AuditQuery::default()).expect("a trail").entries.len()
    };
    assert_eq!(left(Retention { days: 90, entries: 1_000 }, day(95), 3), 95);
    assert_eq!(left(Retention { days: 90, entries: 40 }, day(95), 1_000), 40);
    assert_eq!(left(Retention { days: 90, entries: 40 }, day(1_000), 7), 0);
}

#[test]
fn entries_beyond_the_retention_go_by_themselves() {
    let store = Store::in_memory(Retention { days: u32::MAX, entries: 100 }).expect("memory");
    for number in 0..5_000 {
        store.commit(Vec::new(), Some(entry(number))).wait().expect("memory");
    }
    let left = store.audit(AuditQuery::default()).wait().expect("a trail").entries.len();
    assert!((100..=1_100).contains(&left), "{left}");
}

/// A store with the records `0` to `last`, one commit each.
fn numbered(folder: &Folder, last: u32) -> Store {
    let store = folder.open().expect("a new folder");
    (0..=last).for_each(|number| drop(store.commit(vec![put(&number.to_string(), "{}")], Some(entry(number.into())))));
    store.commit(Vec::new(), None).wait().expect("room");
    store
}

#[test]
fn a_backup_is_one_state_of_a_store_that_goes_on() {
    let (folder, safe) = (Folder::new(), Folder::new());
    fs::create_dir(&safe.0).expect("a folder");
    let store = numbered(&folder, 9);
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let backups = thread::scope(|scope| {
        scope.spawn(|| {
            for number in 10.. {
                store.commit(vec![put(&number.to_string(), "{}")], None).wait().expect("room");
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let backups = (0..10).map(|number| backup(&folder.0, &safe.0.join(number.to_string()))).collect::<Vec<_>>();
        is_done.store(true, Ordering::Relaxed);
        backups
    });
    for (number, copied) in backups.into_iter().enumerate() {
        let copied = copied.expect("a whole database");
        let file = safe.0.join(number.to_string());
        let metadata = fs::metadata(&file).expect("made");
        assert_eq!((metadata.permissions().mode() & 0o777, metadata.len()), (0o600, copied.bytes));
        let other = Folder::new();
        assert_eq!(restore(&other.0, &file, Replace::Nothing), Ok(copied));
        let restored = other.open().expect("a database");
        let keys: Vec<_> = records(&restored).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, (0..copied.records).map(|number| number.to_string()).collect::<Vec<_>>());
        // One revision is the empty commit before the backups.
        assert_eq!(copied.revision.0, copied.records as u64 + 1);
        assert_eq!(restored.audit(AuditQuery::default()).wait().expect("a trail").entries.len(), 10);
    }
    let left: Vec<_> = safe.contents().into_iter().map(|(path, _)| path).collect();
    assert_eq!(left.len(), 10, "{left:?}");
}

#[test]
fn a_backup_overwrites_nothing() {
    let folder = Folder::new();
    let _store = numbered(&folder, 1);
    let file = folder.0.join("backup");
    fs::write(&file, "precious").expect("room");
    assert_eq!(backup(&folder.0, &file), Err(CopyError::Exists(file.clone())));
    assert_eq!(fs::read(&file).expect("still there"), b"precious");
    let nowhere = folder.0.join("nowhere");
    assert_eq!(backup(&nowhere, &file), Err(CopyError::Missing(nowhere.join("ringgate.db"))));
}

#[test]
fn a_restore_replaces_what_is_there_only_when_told_to_and_never_what_is_in_use() {
    let (old, new, safe) = (Folder::new(), Folder::new(), Folder::new());
    let store = numbered(&new, 3);
    fs::create_dir(&safe.0).expect("a folder");
    let file = safe.0.join("backup");
    backup(&new.0, &file).expect("a whole database");
    drop(store);
    let store = numbered(&old, 50);
    assert_eq!(restore(&old.0, &file, Replace::Nothing), Err(CopyError::NotEmpty(old.0.clone())));
    let in_use = StoreError::InUse { pid: Some(std::process::id()) };
    assert_eq!(restore(&old.0, &file, Replace::Everything), Err(CopyError::Failed(old.0.clone(), in_use)));
    // The folder of a process that was killed: its log holds commits that the database has not.
    let killed = Folder::new();
    fs::create_dir(&killed.0).expect("a folder");
    for (path, bytes) in old.contents() {
        fs::write(killed.0.join(path.file_name().expect("a file")), bytes).expect("room");
    }
    assert!(fs::metadata(killed.0.join("ringgate.db-wal")).expect("a log").len() > 0);
    drop(store);
    for folder in [&old, &killed] {
        restore(&folder.0, &file, Replace::Everything).expect("told to");
        let store = folder.open().expect("a database");
        assert_eq!(records(&store).len(), 4);
    }
}

#[test]
fn what_is_no_whole_backup_is_refused_and_the_database_stays() {
    let (folder, safe) = (Folder::new(), Folder::new());
    drop(numbered(&folder, 5));
    fs::create_dir(&safe.0).expect("a folder");
    let file = |name: &str| safe.0.join(name);
    let (good, newer, torn, changed) = (file("good"), file("newer"), file("torn"), file("changed"));
    let (other, live) = (file("other"), file("live"));
    backup(&folder.0, &good).expect("a whole database");
    for path in [&newer, &changed, &live] {
        fs::copy(&good, path).expect("room");
    }
    let alter = |path, sql| Connection::open(path).and_then(|connection| connection.execute_batch(sql)).expect("ours");
    alter(&newer, "PRAGMA user_version = 7");
    alter(&changed, "UPDATE record SET body = x'00' WHERE key = '3'");
    let bytes = fs::read(&good).expect("there");
    fs::write(&torn, &bytes[..bytes.len() - 4096]).expect("room");
    fs::write(&other, "{}").expect("room");
    fs::write(file("live-wal"), "frames").expect("room");
    let rows = [
        (&newer, "later version"),
        (&torn, "damaged"),
        (&changed, "resource 3 of"),
        (&other, "not a database of Ringgate"),
        (&live, "not a backup"),
        (&file("none"), "no such file"),
    ];
    let before = folder.contents();
    for (path, says) in rows {
        let refused = restore(&folder.0, path, Replace::Everything).expect_err(says).to_string();
        assert!(refused.contains(says) && refused.contains(path.to_str().expect("plain")), "{refused}");
        assert!(folder.contents() == before, "{says}");
    }
}

#[test]
fn the_trail_of_a_folder_is_read_beside_its_owner_and_after_it() {
    let (folder, killed) = (Folder::new(), Folder::new());
    let store = numbered(&folder, 4);
    let read = |folder: &Folder| read_trail(&folder.0, &AuditQuery::default()).map(|page| numbers(&page));
    assert_eq!(read(&folder), Ok(vec![4, 3, 2, 1, 0]));
    fs::create_dir(&killed.0).expect("a folder");
    for (path, bytes) in folder.contents().into_iter().filter(|(path, _)| !path.ends_with("ringgate.db-shm")) {
        fs::write(killed.0.join(path.file_name().expect("a file")), bytes).expect("room");
    }
    drop(store);
    for left in [&folder, &killed] {
        assert_eq!(read(left), Ok(vec![4, 3, 2, 1, 0]));
    }
    assert!(matches!(read(&Folder::new()), Err(StoreError::Io(_))));
}

#[test]
fn a_damaged_page_is_told_and_never_read_as_if_it_were_whole() {
    const PAGE: usize = 4096;
    let folder = Folder::new();
    let store = folder.open().expect("a new folder");
    for number in 0..60 {
        drop(store.commit(vec![put(&number.to_string(), &"x".repeat(number * 97))], Some(entry(1))));
    }
    let expected = records(&store);
    drop(store);
    let path = folder.0.join("ringgate.db");
    let whole = fs::read(&path).expect("there");
    let mut told = 0;
    for page in 0..whole.len() / PAGE {
        for damage in [0..PAGE, PAGE - 64..PAGE, 0..8, 2000..2001] {
            let mut damaged = whole.clone();
            damaged[page * PAGE..][damage].iter_mut().for_each(|byte| *byte = !*byte);
            fs::write(&path, &damaged).expect("ours");
            let mut found = Vec::new();
            let read = folder.open().and_then(|store| {
                store.load(&mut |record| found.push((record.key, String::from_utf8_lossy(&record.body).into_owned())))
            });
            match read {
                // The page holds part of the trail, or of an index, or nothing.
                Ok(()) => assert!(found == expected, "page {page}"),
                Err(error) => {
                    let words = error.to_string();
                    let is_clear = words.starts_with("the database is damaged: ") || error == StoreError::Foreign;
                    assert!(is_clear, "page {page}: {error:?}");
                    told += 1;
                }
            }
        }
    }
    assert!(told > whole.len() / PAGE, "{told}");
}

#[test]
fn a_database_that_may_not_be_written_is_refused_as_such() {
    let folder = Folder::new();
    drop(numbered(&folder, 3));
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(folder.0.join("ringgate.db"), flags).expect("readable");
    assert_eq!(Database::on(connection).err(), Some(StoreError::ReadOnly));
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    assert_eq!(StoreError::from(denied), StoreError::ReadOnly);
}
