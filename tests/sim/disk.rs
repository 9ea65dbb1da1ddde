//! A disk that fails: writes that are not synced may be lost, torn or kept, and any operation may go wrong.
//!
//! It is as bad as Linux allows. After a sync that failed, what was to be synced may never reach the device although it
//! goes on being read, and the next sync says that all is well. A file that was made or removed is so for good only once
//! its folder was synced. A write is torn at sectors.

use std::collections::BTreeMap;

use crate::support::Numbers;

/// What a device writes whole or not at all.
const SECTOR: usize = 512;
/// The size of a region of shared memory.
const REGION: usize = 32 << 10;

/// Number of a file, whatever its name.
pub type Inode = u64;

/// Why an operation did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The device says so, or the power is off.
    Device,
    /// No room.
    Full,
    /// No such file.
    Missing,
}

/// What goes wrong, and how often, in a thousand operations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Reads that fail.
    pub reads: usize,
    /// Writes that fail, after part of them was done.
    pub writes: usize,
    /// Syncs that fail.
    pub syncs: usize,
    /// Bytes left on the device.
    pub room: Option<usize>,
    /// The power goes off at this operation that changes something.
    pub power_fails_at: Option<usize>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct File {
    /// As it is read.
    seen: Vec<u8>,
    /// As it would be after a loss of power at the worst moment.
    durable: Vec<u8>,
    /// What the next sync makes durable.
    pending: Vec<Change>,
    /// Shared memory beside it. Lives as long as the machine does.
    shared: Vec<Box<[u8; REGION]>>,
}

/// The disk and the machine that it is in.
pub struct Disk {
    files: BTreeMap<Inode, File>,
    names: BTreeMap<String, Inode>,
    durable_names: BTreeMap<String, Inode>,
    next: Inode,
    numbers: Numbers,
    faults: Faults,
    is_off: bool,
    /// Faults so far.
    pub fired: usize,
}

impl Disk {
    /// An empty disk.
    pub fn new(seed: u64) -> Self {
        Self {
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            next: 1,
            numbers: Numbers::new(seed),
            faults: Faults::default(),
            is_off: false,
            fired: 0,
        }
    }

    /// From now on, these go wrong.
    pub fn set(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// Nothing succeeds any more: the process is dead, but its files are as it left them.
    pub fn stop(&mut self) {
        self.is_off = true;
    }

    /// A new process sees what the dead one wrote.
    pub fn start(&mut self) {
        self.is_off = false;
        self.faults = Faults::default();
    }

    /// The machine comes back with what its device has kept.
    pub fn start_after_power_loss(&mut self) {
        self.start();
        self.lose_names();
        let whole = self.numbers.below(3);
        let numbers = &mut self.numbers;
        for file in self.files.values_mut() {
            for change in std::mem::take(&mut file.pending) {
                match whole {
                    0 => {}
                    1 => change.apply(&mut file.durable),
                    _ => change.tear(&mut file.durable, numbers),
                }
            }
            file.seen.clone_from(&file.durable);
        }
    }

    fn lose_names(&mut self) {
        let mut all: Vec<String> = self.names.keys().chain(self.durable_names.keys()).cloned().collect();
        all.sort();
        all.dedup();
        for name in all {
            let source = if self.numbers.below(2) == 0 { &self.names } else { &self.durable_names };
            match source.get(&name).copied() {
                Some(inode) => self.durable_names.insert(name, inode),
                None => self.durable_names.remove(&name),
            };
        }
        self.names.clone_from(&self.durable_names);
    }

    /// Opens a file, and makes it if it is `new`.
    pub fn open(&mut self, name: &str, new: bool) -> Result<Inode, Failure> {
        match self.names.get(name) {
            _ if self.is_off => Err(Failure::Device),
            Some(inode) => Ok(*inode),
            None if !new => Err(Failure::Missing),
            None => {
                self.changing(self.faults.writes)?;
                let inode = self.next;
                self.next += 1;
                self.files.insert(inode, File::default());
                self.names.insert(name.to_owned(), inode);
                Ok(inode)
            }
        }
    }

    /// Makes every name durable.
    pub fn sync_folder(&mut self) {
        self.durable_names.clone_from(&self.names);
    }

    pub fn exists(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    pub fn delete(&mut self, name: &str) -> Result<(), Failure> {
        self.changing(self.faults.writes)?;
        self.names.remove(name).map(drop).ok_or(Failure::Missing)
    }

    pub fn len(&self, inode: Inode) -> usize {
        self.files.get(&inode).map_or(0, |file| file.seen.len())
    }

    /// How many bytes were read; fewer than asked for at the end of the file.
    pub fn read(&mut self, inode: Inode, at: usize, into: &mut [u8]) -> Result<usize, Failure> {
        if self.is_off || self.happens(self.faults.reads) {
            return Err(Failure::Device);
        }
        let seen = self.files.get(&inode).and_then(|file| file.seen.get(at..)).unwrap_or_default();
        let len = seen.len().min(into.len());
        into[..len].copy_from_slice(&seen[..len]);
        Ok(len)
    }

    pub fn write(&mut self, inode: Inode, at: usize, bytes: &[u8]) -> Result<(), Failure> {
        let grows = (at + bytes.len()).saturating_sub(self.len(inode));
        let (bytes, failure) = match self.changing(self.faults.writes) {
            Err(failure) => (&bytes[..self.numbers.below(bytes.len() + 1)], Some(failure)),
            Ok(()) => match self.faults.room {
                Some(room) if grows > room => {
                    self.fired += 1;
                    (&bytes[..bytes.len() - grows.min(bytes.len())], Some(Failure::Full))
                }
                _ => (bytes, None),
            },
        };
        if let Some(room) = &mut self.faults.room {
            *room = room.saturating_sub(grows);
        }
        self.change(inode, Change::Write { at, bytes: bytes.to_owned() });
        failure.map_or(Ok(()), Err)
    }

    pub fn truncate(&mut self, inode: Inode, len: usize) -> Result<(), Failure> {
        self.changing(self.faults.writes)?;
        self.change(inode, Change::Truncate(len));
        Ok(())
    }

    fn change(&mut self, inode: Inode, change: Change) {
        let Some(file) = self.files.get_mut(&inode) else { return };
        change.apply(&mut file.seen);
        file.pending.push(change);
    }

    pub fn sync(&mut self, inode: Inode) -> Result<(), Failure> {
        let synced = self.changing(self.faults.syncs);
        let (is_off, numbers) = (self.is_off, &mut self.numbers);
        let Some(file) = self.files.get_mut(&inode) else { return synced };
        match synced {
            Ok(()) => {
                file.pending.drain(..).for_each(|change| change.apply(&mut file.durable));
                // As SQLite's own code for Unix does after the first sync of a file that it made.
                let is_new = !self.durable_names.values().any(|known| *known == inode);
                if is_new {
                    self.sync_folder();
                }
            }
            // The device was not asked: what was to be written still is.
            Err(_) if is_off => {}
            Err(_) => file.pending.retain(|_| numbers.below(2) == 0),
        }
        synced
    }

    /// Memory that every process sees which has the file open.
    pub fn shared(&mut self, inode: Inode, region: usize, makes: bool) -> Result<Option<*mut u8>, Failure> {
        let is_there = self.files.get(&inode).is_some_and(|file| region < file.shared.len());
        if !is_there && makes {
            self.changing(self.faults.writes)?;
        }
        let Some(file) = self.files.get_mut(&inode) else { return Err(Failure::Missing) };
        while makes && file.shared.len() <= region {
            file.shared.push(Box::new([0; REGION]));
        }
        Ok(file.shared.get_mut(region).map(|memory| memory.as_mut_ptr()))
    }

    pub fn forget_shared(&mut self, inode: Inode) {
        if let Some(file) = self.files.get_mut(&inode) {
            file.shared.clear();
        }
    }

    /// Whether an operation that changes something succeeds.
    fn changing(&mut self, rate: usize) -> Result<(), Failure> {
        if let Some(left) = &mut self.faults.power_fails_at {
            self.is_off |= *left == 0;
            *left = left.saturating_sub(1);
        }
        if self.is_off || self.happens(rate) { Err(Failure::Device) } else { Ok(()) }
    }

    fn happens(&mut self, rate: usize) -> bool {
        let happens = rate > 0 && self.numbers.below(1_000) < rate;
        self.fired += usize::from(happens);
        happens
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Truncate(len) => to.resize(*len, 0),
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if !bytes.is_empty() && to.len() < end {
                    to.resize(end, 0);
                }
                if !bytes.is_empty() {
                    to[*at..end].copy_from_slice(bytes);
                }
            }
        }
    }

    /// Some sectors of it.
    fn tear(&self, to: &mut Vec<u8>, numbers: &mut Numbers) {
        let Self::Write { at, bytes } = self else {
            return if numbers.below(2) == 0 {
                self.apply(to)
            };
        };
        let (mut at, mut left) = (*at, &bytes[..]);
        while !left.is_empty() {
            let (sector, rest) = left.split_at((SECTOR - at % SECTOR).min(left.len()));
            if numbers.below(2) == 0 {
                Self::Write { at, bytes: sector.to_owned() }.apply(to);
            }
            (at, left) = (at + sector.len(), rest);
        }
    }
}
