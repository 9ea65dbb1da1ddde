//! The store on a disk that fails: whatever happens, what was acknowledged is there, and nothing else.
//!
//! `STORE_SIM_SEEDS=N` runs the first N seeds, `STORE_SIM_SEED=N` one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ringgate::store::database::{Database, Write};
use ringgate::store::{AuditEntry, AuditQuery, Change, Outcome, Record, Retention, Revision, StoreError};
use ringgate_core::base::WallTime;
use rusqlite::{Connection, OpenFlags};

use crate::disk::{Disk, Faults};
use crate::support::Numbers;
use crate::vfs::{Mounted, mount};

const SEEDS_DEFAULT: u64 = 150;
const STEPS: usize = 60;
const FILE: &str = "/ringgate.db";
const KEYS: usize = 30;
const RETENTION: Retention = Retention { days: u32::MAX, entries: 20 };
const TRIM_BATCH: u32 = 5;

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Holdings {
    records: BTreeMap<String, Vec<u8>>,
    /// Ids of the trail's entries, oldest first.
    trail: Vec<String>,
    revision: u64,
}

struct World {
    mounted: Mounted,
    database: Option<Database>,
    /// What was acknowledged.
    acknowledged: Holdings,
    /// What else may be found after a crash: what was under way, and what failed so that not even its traces could be
    /// removed. All of it or nothing of it.
    possible: Vec<Holdings>,
    numbers: Numbers,
    next_entry: u64,
    seen: BTreeMap<&'static str, usize>,
}

#[test]
fn every_acknowledged_change_survives_and_no_other_is_found() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("STORE_SIM_SEED");
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 0..number("STORE_SIM_SEEDS").unwrap_or(SEEDS_DEFAULT),
    };
    let mounted = mount(Disk::new(0));
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in seeds {
        match catch_unwind(AssertUnwindSafe(|| run(mounted, seed))) {
            Ok(more) => more.into_iter().for_each(|(what, count)| *seen.entry(what).or_default() += count),
            Err(panic) => {
                eprintln!("again with STORE_SIM_SEED={seed}");
                resume_unwind(panic);
            }
        }
    }
    println!("{seen:?}");
    for wanted in ["written", "disk full", "device failed", "power failed", "killed", "closed", "not opened"] {
        assert!(one.is_some() || seen.contains_key(wanted), "no `{wanted}` in {seen:?}");
    }
}

fn run(mounted: Mounted, seed: u64) -> BTreeMap<&'static str, usize> {
    *mounted.disk() = new_disk(seed);
    let mut world = World {
        mounted,
        database: None,
        acknowledged: Holdings::default(),
        possible: Vec::new(),
        numbers: Numbers::new(seed + 1),
        next_entry: 0,
        seen: BTreeMap::new(),
    };
    for _ in 0..STEPS {
        world.step();
    }
    world.power_loss();
    world.write();
    world.power_loss();
    world.check();
    world.seen
}

/// The store makes its file, and its name durable, before SQLite opens it.
fn new_disk(seed: u64) -> Disk {
    let mut disk = Disk::new(seed);
    disk.open(FILE, true).expect("nothing fails yet");
    disk.sync_folder();
    disk
}

impl World {
    fn step(&mut self) {
        let faults = self.faults();
        self.mounted.disk().set(faults);
        match self.numbers.below(20) {
            0 => self.kill(),
            1 => self.power_loss(),
            2 => self.close(),
            3 | 4 => self.trim(),
            _ => self.write(),
        }
        if self.mounted.disk().is_off() {
            self.count("power failed");
            self.power_loss();
        }
        self.mounted.disk().set(Faults::default());
        self.check();
    }

    fn faults(&mut self) -> Faults {
        let numbers = &mut self.numbers;
        let mut faults = Faults::default();
        match numbers.below(10) {
            0 | 1 => faults.power_fails_at = Some(numbers.below(40)),
            2 => faults.writes = 1 + numbers.below(200),
            3 => faults.syncs = 1 + numbers.below(900),
            4 => faults.room = Some(numbers.below(20_000)),
            5 => faults = Faults { reads: 20, writes: 20, syncs: 100, ..faults },
            _ => {}
        }
        faults
    }

    fn count(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// The database, opened if it is not; `None` when the disk does not let us.
    fn opened(&mut self) -> Option<&mut Database> {
        if self.database.is_none() {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let opened = Connection::open_with_flags_and_vfs(FILE, flags, self.mounted.name);
            match opened.map_err(StoreError::from).and_then(Database::on) {
                Ok(database) => self.database = Some(database),
                Err(error) => {
                    assert_is_of_the_disk(&error);
                    self.count("not opened");
                }
            }
        }
        self.database.as_mut()
    }

    fn write(&mut self) {
        let (mut group, mut next) = (Vec::new(), self.acknowledged.clone());
        for _ in 0..1 + self.numbers.below(3) {
            group.push(self.one_write(&mut next));
        }
        let group: Vec<&Write> = group.iter().collect();
        let fired = self.mounted.disk().fired;
        let Some(database) = self.opened() else { return };
        let first = Revision(database.revision().0 + 1);
        match database.write(&group) {
            Ok(revision) => {
                assert_eq!(revision, first);
                self.acknowledge(next);
                self.count("written");
            }
            Err(error) => self.failed(&error, next, fired),
        }
    }

    fn one_write(&mut self, next: &mut Holdings) -> Write {
        let mut write = Write::default();
        for _ in 0..self.numbers.below(4) {
            let (scope, kind, key) = ("1/r".to_owned(), "thing".to_owned(), self.numbers.below(KEYS).to_string());
            if self.numbers.below(4) == 0 {
                next.records.remove(&key);
                write.changes.push(Change::Delete { scope, kind, key });
            } else {
                let body = vec![b'x'; self.numbers.below(6) * self.numbers.below(2_000)];
                next.records.insert(key.clone(), body.clone());
                write.changes.push(Change::Put(Record { scope, kind, key, body }));
            }
        }
        if self.numbers.below(2) == 0 {
            self.next_entry += 1;
            let id = self.next_entry.to_string();
            next.trail.push(id.clone());
            write.audit = Some(entry(id));
        }
        next.revision += 1;
        write
    }

    fn trim(&mut self) {
        let mut next = self.acknowledged.clone();
        let excess = next.trail.len().saturating_sub(RETENTION.entries as usize).min(TRIM_BATCH as usize);
        next.trail.drain(..excess);
        let fired = self.mounted.disk().fired;
        let Some(database) = self.opened() else { return };
        match database.trim(RETENTION, WallTime::from_millis(0), TRIM_BATCH) {
            Ok(flow) => {
                assert_eq!(flow.is_continue(), excess == TRIM_BATCH as usize);
                // Removing nothing writes nothing, and so takes no trace's place.
                if excess > 0 {
                    self.acknowledge(next);
                }
            }
            Err(error) => self.failed(&error, next, fired),
        }
    }

    fn acknowledge(&mut self, next: Holdings) {
        self.acknowledged = next;
        self.possible.clear();
    }

    fn failed(&mut self, error: &StoreError, next: Holdings, fired: usize) {
        assert_is_of_the_disk(error);
        self.count(if *error == StoreError::DiskFull { "disk full" } else { "device failed" });
        let disk = self.mounted.disk();
        // One fault, and the traces are gone: they must not come back. More, or the power, and they may.
        if disk.is_off() || disk.fired > fired + 1 {
            self.possible.push(next);
        }
    }

    /// The process dies; its files are as it left them.
    fn kill(&mut self) {
        self.count("killed");
        self.mounted.disk().stop();
        self.database = None;
        self.mounted.disk().start();
        self.find();
    }

    fn power_loss(&mut self) {
        self.mounted.disk().stop();
        self.database = None;
        self.mounted.disk().start_after_power_loss();
        self.find();
    }

    fn close(&mut self) {
        self.count("closed");
        self.database = None;
        if !self.mounted.disk().is_off() {
            self.mounted.disk().set(Faults::default());
            self.find();
        }
    }

    /// Looks what is there now. From then on, that is what was acknowledged: somebody may have seen it.
    fn find(&mut self) {
        let found = self.holdings().expect("nothing fails");
        assert!(
            found == self.acknowledged || self.possible.contains(&found),
            "found {}\nacknowledged {}\n{} possible",
            brief(&found),
            brief(&self.acknowledged),
            self.possible.len()
        );
        self.acknowledge(found);
    }

    /// Nothing that failed is in force.
    fn check(&mut self) {
        let found = self.holdings().expect("nothing fails");
        assert!(found == self.acknowledged, "{}\n{}", brief(&found), brief(&self.acknowledged));
    }

    fn holdings(&mut self) -> Result<Holdings, StoreError> {
        let Some(database) = self.opened() else { return Err(StoreError::Stopped) };
        let mut records = BTreeMap::new();
        database.load(&mut |record| {
            records.insert(record.key, record.body);
            ControlFlow::Continue(())
        })?;
        let page = database.audit(&AuditQuery::default())?;
        let trail = page.entries.into_iter().rev().map(|entry| entry.id).collect();
        Ok(Holdings { records, trail, revision: database.revision().0 })
    }
}

/// A failing disk looks like one, not like damage and not like a fault of ours.
fn assert_is_of_the_disk(error: &StoreError) {
    assert!(matches!(error, StoreError::DiskFull | StoreError::Io(_) | StoreError::Stopped), "{error:?}");
}

fn brief(holdings: &Holdings) -> String {
    let records: Vec<_> = holdings.records.iter().map(|(key, body)| format!("{key}:{}", body.len())).collect();
    format!("revision {}, trail {:?}, {}", holdings.revision, holdings.trail, records.join(" "))
}

fn entry(id: String) -> AuditEntry {
    AuditEntry {
        at: WallTime::from_millis(1),
        id,
        scope: "1/r".into(),
        access_key: None,
        key_is_verified: true,
        source_ip: "127.0.0.1".into(),
        user_agent: "sim".into(),
        operation: "PutThing".into(),
        resource: "/thing".into(),
        request: "{}".into(),
        outcome: Outcome::Succeeded,
        changed: "[]".into(),
    }
}
