//! Where records are kept: memory that was taken once, in which the oldest record makes room for the newest.

use super::summary::STATUS_AT;
use super::{DESCRIPTION_BYTES_MAX, HEAD_BYTES_MAX, TRAIL_BYTES_MAX};
use super::{Entry, SUMMARY_BYTES};
use crate::record::ids::REQUEST_ID_BYTES;

/// Length of what stands before a record: its own length.
const LENGTH_BYTES: usize = 4;

/// Least memory of a [`Decisions`] that remembers anything, in bytes.
pub const MEMORY_BYTES_MIN: usize = 1 << 20;

/// A record is never longer than this: what is longer is left out and counted.
const RECORD_BYTES_MAX: usize = MEMORY_BYTES_MIN / 4 - LENGTH_BYTES;
const _: () = assert!(
    SUMMARY_BYTES + 3 * HEAD_BYTES_MAX + TRAIL_BYTES_MAX + 2 * DESCRIPTION_BYTES_MAX + (32 << 10) <= RECORD_BYTES_MAX,
    "every record fits the smallest ring"
);

/// Copies of records.
pub type Records = Vec<Box<[u8]>>;

/// What one shard remembers of its requests.
///
/// Failures have memory of their own, so that traffic that goes well does not wash them away: a quarter is for status
/// 5xx, a quarter for 4xx, a half for all others.
#[derive(Debug, Default)]
pub struct Decisions {
    server_errors: Ring,
    client_errors: Ring,
    others: Ring,
    sequence: u64,
}

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those of this request, newest first: a client may use an id twice.
    Id([u8; 36]),
    /// Those with this extended id.
    ExtendedId([u8; 16]),
    /// The newest of all.
    Last(usize),
    /// The newest whose status has this hundreds digit.
    Class(u8, usize),
    /// The newest with exactly this status.
    Status(u16, usize),
}

impl Decisions {
    /// A memory of `bytes` bytes, all of it taken now; of none if that is less than [`MEMORY_BYTES_MIN`].
    pub fn new(bytes: usize) -> Self {
        let bytes = if bytes < MEMORY_BYTES_MIN { 0 } else { bytes };
        Self {
            server_errors: Ring::new(bytes / 4),
            client_errors: Ring::new(bytes / 4),
            others: Ring::new(bytes / 2),
            sequence: 0,
        }
    }

    /// Whether anything is remembered at all.
    pub fn is_on(&self) -> bool {
        !self.others.bytes.is_empty()
    }

    /// Bytes taken.
    pub fn memory_bytes(&self) -> usize {
        [&self.server_errors, &self.client_errors, &self.others].into_iter().map(|ring| ring.bytes.len()).sum()
    }

    /// Keeps a record; the oldest of its kind go.
    pub fn push(&mut self, mut entry: Entry<'_>) {
        self.sequence += 1;
        entry.summary.sequence = self.sequence;
        let ring = match entry.summary.status / 100 {
            5 => &mut self.server_errors,
            4 => &mut self.client_errors,
            _ => &mut self.others,
        };
        if let Some(place) = ring.make_room(entry.len) {
            entry.write(place);
        }
    }

    /// Copies of the records that are wanted, newest first.
    pub fn find(&self, wanted: Wanted) -> Records {
        let (count_max, rings): (usize, &[&Ring]) = match wanted {
            Wanted::Id(_) | Wanted::ExtendedId(_) | Wanted::Last(_) => {
                let count = if let Wanted::Last(count) = wanted { count } else { usize::MAX };
                (count, &[&self.server_errors, &self.client_errors, &self.others])
            }
            Wanted::Class(class, count) => (count, &[self.ring_of(class)]),
            Wanted::Status(status, count) => (count, &[self.ring_of((status / 100) as u8)]),
        };
        let mut found: Vec<&[u8]> =
            rings.iter().flat_map(|ring| ring.records()).filter(|r| is_wanted(r, wanted)).collect();
        found.sort_by_key(|record| std::cmp::Reverse(sequence_of(record)));
        found.truncate(count_max);
        found.into_iter().map(Box::from).collect()
    }

    fn ring_of(&self, class: u8) -> &Ring {
        match class {
            5 => &self.server_errors,
            4 => &self.client_errors,
            _ => &self.others,
        }
    }
}

fn is_wanted(record: &[u8], wanted: Wanted) -> bool {
    match wanted {
        Wanted::Id(id) => record.starts_with(&id),
        Wanted::ExtendedId(id) => record.get(REQUEST_ID_BYTES..).is_some_and(|rest| rest.starts_with(&id)),
        Wanted::Last(_) => true,
        Wanted::Class(class, _) => status_of(record) / 100 == u16::from(class),
        Wanted::Status(status, _) => status_of(record) == status,
    }
}

fn status_of(record: &[u8]) -> u16 {
    record.get(STATUS_AT..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn sequence_of(record: &[u8]) -> u64 {
    super::read(record).map_or(0, |(summary, _)| summary.sequence)
}

/// Records one after the other, each whole: what does not fit before the end begins again at the start.
///
/// The records are those from `oldest` to `next`, or, once the writing has begun again at the start, those from `oldest`
/// to `end` and then those from 0 to `next`.
#[derive(Debug, Default)]
struct Ring {
    bytes: Box<[u8]>,
    next: usize,
    oldest: usize,
    end: Option<usize>,
}

impl Ring {
    fn new(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes].into(), next: 0, oldest: 0, end: None }
    }

    /// The place for a record of `len` bytes; `None` for one that is too long.
    fn make_room(&mut self, len: usize) -> Option<&mut [u8]> {
        let needed = LENGTH_BYTES + len;
        if len > RECORD_BYTES_MAX || needed > self.bytes.len() {
            return None;
        }
        while let Some(has_room) = self.step_towards(needed) {
            if has_room {
                break;
            }
        }
        let start = self.next + LENGTH_BYTES;
        self.bytes[self.next..start].copy_from_slice(&(len as u32).to_le_bytes());
        self.next += needed;
        self.bytes.get_mut(start..start + len)
    }

    /// One of: there is room at `next`; the oldest record goes; writing begins again at the start.
    fn step_towards(&mut self, needed: usize) -> Option<bool> {
        match self.end {
            None if self.next + needed <= self.bytes.len() => Some(true),
            None => {
                self.end = Some(self.next);
                self.next = 0;
                self.forget_end();
                Some(false)
            }
            Some(_) if self.next + needed <= self.oldest => Some(true),
            Some(_) => {
                self.oldest += LENGTH_BYTES + self.length_at(self.oldest)?;
                self.forget_end();
                Some(false)
            }
        }
    }

    /// When the last record before the end is gone, the oldest is the first one.
    fn forget_end(&mut self) {
        if self.end.is_some_and(|end| self.oldest >= end) {
            self.oldest = 0;
            self.end = None;
        }
    }

    fn length_at(&self, at: usize) -> Option<usize> {
        let bytes: &[u8; LENGTH_BYTES] = self.bytes.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    }

    /// Oldest first.
    fn records(&self) -> impl Iterator<Item = &[u8]> {
        let (first, second) = match self.end {
            None => (self.oldest..self.next, 0..0),
            Some(end) => (self.oldest..end, 0..self.next),
        };
        self.records_in(first).chain(self.records_in(second))
    }

    fn records_in(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = &[u8]> {
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let start = at + LENGTH_BYTES;
            at = start + self.length_at(at)?;
            self.bytes.get(start..at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::decision::{Summary, Tag, read};

    /// A record with this status and a body of `len` bytes that tell its number.
    fn push(decisions: &mut Decisions, status: u16, number: u8, len: usize) {
        let body = vec![number; len];
        let mut entry = Entry::new(Summary { status, ..Summary::default() });
        entry.add(Tag::RequestHead, &body);
        decisions.push(entry);
    }

    fn numbers(decisions: &Decisions, wanted: Wanted) -> Vec<u8> {
        let found = decisions.find(wanted);
        let number = |record: &[u8]| {
            let (_, mut chunks) = read(record).expect("a record");
            let bytes = chunks.next().expect("a chunk").bytes;
            assert!(bytes.iter().all(|byte| *byte == bytes[0]), "a record is whole or gone");
            bytes[0]
        };
        found.iter().map(|record| number(record)).collect()
    }

    #[test]
    fn the_oldest_make_room_for_the_newest_whatever_their_length() {
        let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
        let mut length = 1;
        for number in 0..1_500_u32 {
            length = (length * 31 + 17) % 20_000 + 1;
            push(&mut decisions, 200, number as u8, length);
            let found = numbers(&decisions, Wanted::Last(usize::MAX));
            let expected: Vec<u8> = (0..found.len()).map(|back| (number as usize - back) as u8).collect();
            assert_eq!(found, expected, "the newest without a gap, after record {number}");
            assert!(found.len() >= 22.min(number as usize + 1), "at least as many as fit at their longest");
        }
    }

    #[test]
    fn memory_is_taken_once_and_never_grows() {
        let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
        assert_eq!(decisions.memory_bytes(), MEMORY_BYTES_MIN);
        for number in 0..200 {
            push(&mut decisions, 500, number, HEAD_BYTES_MAX);
        }
        assert_eq!(decisions.memory_bytes(), MEMORY_BYTES_MIN);
        let held: usize = decisions.find(Wanted::Last(usize::MAX)).iter().map(|record| record.len()).sum();
        assert!(held <= MEMORY_BYTES_MIN / 4, "{held}");
    }

    #[test]
    fn what_goes_well_does_not_wash_failures_away() {
        let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
        push(&mut decisions, 504, 1, 100);
        push(&mut decisions, 403, 2, 100);
        for _ in 0..10_000 {
            push(&mut decisions, 200, 3, 1_000);
        }
        assert_eq!(numbers(&decisions, Wanted::Class(5, 9)), [1]);
        assert_eq!(numbers(&decisions, Wanted::Status(403, 9)), [2]);
        assert!(numbers(&decisions, Wanted::Status(404, 9)).is_empty());
        assert_eq!(numbers(&decisions, Wanted::Class(2, 3)), [3, 3, 3]);
    }

    #[test]
    fn a_record_is_found_by_its_id() {
        let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
        for (number, status) in [(1, 200), (2, 503), (3, 404), (2, 200)] {
            let request_id = crate::record::decision::summary::Id([number; 36]);
            decisions.push(Entry::new(Summary { status, request_id, ..Summary::default() }));
        }
        let statuses = |id: u8| {
            let found = decisions.find(Wanted::Id([id; 36]));
            found.iter().map(|record| read(record).expect("a record").0.status).collect::<Vec<_>>()
        };
        assert_eq!((statuses(3), statuses(2), statuses(9)), (vec![404], vec![200, 503], vec![]));
    }

    #[test]
    fn without_memory_nothing_is_kept() {
        let mut decisions = Decisions::new(0);
        push(&mut decisions, 200, 1, 10);
        assert!(!decisions.is_on() && decisions.find(Wanted::Last(9)).is_empty());
    }

    #[test]
    fn a_record_longer_than_any_may_be_is_left_out() {
        let mut decisions = Decisions::new(4 * MEMORY_BYTES_MIN);
        push(&mut decisions, 200, 1, 10);
        let chunks = vec![0; RECORD_BYTES_MAX];
        let mut entry = Entry::new(Summary { status: 200, ..Summary::default() });
        entry.add_encoded(&chunks);
        decisions.push(entry);
        assert_eq!(numbers(&decisions, Wanted::Last(9)), [1]);
    }
}
