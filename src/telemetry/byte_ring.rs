//! A bounded queue of byte records between one writing thread and one reading thread, without locks.
//!
//! It owns its memory for life: a full ring refuses a record instead of growing. Records lie in words of eight
//! bytes (a length, then the bytes), because a word can be an atomic and atomics let two threads share memory
//! without `unsafe`. The words are stored relaxed and published by one release store of the write position, so a
//! record costs an ordinary copy and one ordered store; on x86-64 both are plain moves.
//!
//! That there is one writer and one reader is kept by the types: [`channel`] makes one [`Writer`] and one
//! [`Reader`], neither can be cloned, and both work through `&mut self`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;

const WORD: usize = size_of::<u64>();

/// Positions count words since the beginning and wrap around at `usize::MAX`; the mask finds the place.
struct Ring {
    words: Box<[AtomicU64]>,
    mask: usize,
    /// Stored by the writer only.
    written: CachePadded<AtomicUsize>,
    /// Stored by the reader only.
    read: CachePadded<AtomicUsize>,
}

/// The end that appends.
pub struct Writer {
    ring: Arc<Ring>,
    written: usize,
    /// The reader's position as last seen: the shared one is read only when this says that there is no room.
    read_seen: usize,
}

/// The end that takes away.
pub struct Reader {
    ring: Arc<Ring>,
    read: usize,
}

/// There was no room: the record was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// A ring of at least `bytes` bytes (rounded up to a power of two, 64 at least).
pub fn channel(bytes: usize) -> (Writer, Reader) {
    let words = bytes.div_ceil(WORD).max(8).next_power_of_two();
    let ring = Arc::new(Ring {
        words: (0..words).map(|_| AtomicU64::new(0)).collect(),
        mask: words - 1,
        written: CachePadded::new(AtomicUsize::new(0)),
        read: CachePadded::new(AtomicUsize::new(0)),
    });
    (Writer { ring: Arc::clone(&ring), written: 0, read_seen: 0 }, Reader { ring, read: 0 })
}

impl Writer {
    /// Appends one record whole, or not at all.
    pub fn push(&mut self, record: &[u8]) -> Result<(), Full> {
        let needed = 1 + record.len().div_ceil(WORD);
        if !self.has_room(needed) {
            return Err(Full);
        }
        let ring = &*self.ring;
        let store = |position: usize, word: u64| ring.words[position & ring.mask].store(word, Ordering::Relaxed);
        store(self.written, record.len() as u64);
        let mut position = self.written.wrapping_add(1);
        let (whole, rest) = record.as_chunks::<WORD>();
        for chunk in whole {
            store(position, u64::from_le_bytes(*chunk));
            position = position.wrapping_add(1);
        }
        if !rest.is_empty() {
            let mut last = [0; WORD];
            last[..rest.len()].copy_from_slice(rest);
            store(position, u64::from_le_bytes(last));
        }
        self.written = self.written.wrapping_add(needed);
        // Pairs with the acquire load in `drain`: whoever sees the position sees the words before it.
        ring.written.store(self.written, Ordering::Release);
        Ok(())
    }

    fn has_room(&mut self, needed: usize) -> bool {
        let capacity = self.ring.words.len();
        if needed <= capacity - self.written.wrapping_sub(self.read_seen) {
            return true;
        }
        // Pairs with the release store in `drain`: the reader has finished with what it gives back.
        self.read_seen = self.ring.read.load(Ordering::Acquire);
        needed <= capacity - self.written.wrapping_sub(self.read_seen)
    }

    /// Whether more than half of the ring waits to be read, as far as this end knows.
    pub fn is_half_full(&mut self) -> bool {
        let half = self.ring.words.len() / 2;
        if self.written.wrapping_sub(self.read_seen) <= half {
            return false;
        }
        self.read_seen = self.ring.read.load(Ordering::Acquire);
        self.written.wrapping_sub(self.read_seen) > half
    }
}

impl Reader {
    /// Appends waiting records to `into`, oldest first, until `into` holds `bytes_max` bytes or nothing waits.
    /// Returns how many records were taken.
    pub fn drain(&mut self, into: &mut Vec<u8>, bytes_max: usize) -> u64 {
        let ring = &*self.ring;
        let written = ring.written.load(Ordering::Acquire);
        let load = |position: usize| ring.words[position & ring.mask].load(Ordering::Relaxed);
        let mut records = 0;
        while self.read != written && into.len() < bytes_max {
            let length = load(self.read) as usize;
            let words = length.div_ceil(WORD);
            let start = into.len();
            into.resize(start + words * WORD, 0);
            let (places, _) = into[start..].as_chunks_mut::<WORD>();
            for (word, place) in places.iter_mut().enumerate() {
                *place = load(self.read.wrapping_add(1 + word)).to_le_bytes();
            }
            into.truncate(start + length);
            self.read = self.read.wrapping_add(1 + words);
            records += 1;
        }
        ring.read.store(self.read, Ordering::Release);
        records
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.ring.written.load(Ordering::Acquire) == self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(reader: &mut Reader) -> (u64, Vec<u8>) {
        let mut bytes = Vec::new();
        let records = reader.drain(&mut bytes, usize::MAX);
        (records, bytes)
    }

    #[test]
    fn records_of_every_length_come_out_as_they_went_in_also_around_the_end() {
        let (mut writer, mut reader) = channel(256);
        let mut length = 0;
        for _ in 0..1_000 {
            let record: Vec<u8> = (0..length).map(|i| (i * 7 + length) as u8).collect();
            writer.push(&record).unwrap();
            assert_eq!(drained(&mut reader), (1, record));
            length = (length + 13) % 200;
        }
        assert!(reader.is_empty());
    }

    #[test]
    fn a_full_ring_refuses_a_whole_record_and_takes_it_once_there_is_room() {
        let (mut writer, mut reader) = channel(64);
        // Two words each: a length and eight bytes.
        for _ in 0..4 {
            writer.push(b"12345678").unwrap();
        }
        assert_eq!(writer.push(b""), Err(Full));
        assert_eq!(drained(&mut reader).0, 4);
        assert_eq!(writer.push(&[0; 57]), Err(Full), "longer than the ring can ever hold");
        writer.push(&[1; 56]).unwrap();
        assert_eq!(drained(&mut reader), (1, vec![1; 56]));
    }

    #[test]
    fn half_full_is_seen_and_forgotten() {
        let (mut writer, mut reader) = channel(64);
        writer.push(&[0; 24]).unwrap();
        assert!(!writer.is_half_full());
        writer.push(b"").unwrap();
        assert!(writer.is_half_full());
        drained(&mut reader);
        assert!(!writer.is_half_full());
    }

    #[test]
    fn a_drain_stops_at_its_bound_between_two_records() {
        let (mut writer, mut reader) = channel(1024);
        for _ in 0..10 {
            writer.push(b"abc").unwrap();
        }
        let mut bytes = Vec::new();
        assert_eq!(reader.drain(&mut bytes, 4), 2);
        assert_eq!(bytes, b"abcabc");
        assert_eq!(drained(&mut reader).0, 8);
    }

    #[test]
    fn positions_wrap_around_without_harm() {
        let (mut writer, mut reader) = channel(64);
        let start = usize::MAX - 3;
        (writer.written, writer.read_seen, reader.read) = (start, start, start);
        reader.ring.written.store(start, Ordering::Relaxed);
        reader.ring.read.store(start, Ordering::Relaxed);
        for turn in 0..20_u8 {
            writer.push(&[turn; 20]).unwrap();
            assert_eq!(drained(&mut reader), (1, vec![turn; 20]));
        }
    }

    #[test]
    fn two_threads_never_see_a_torn_record() {
        let (mut writer, mut reader) = channel(4096);
        let sender = std::thread::spawn(move || {
            let mut sent = 0_u32;
            while sent < 100_000 {
                let record = vec![sent as u8; 1 + sent as usize % 61];
                match writer.push(&record) {
                    Ok(()) => sent += 1,
                    Err(Full) => std::thread::yield_now(),
                }
            }
        });
        let mut bytes = Vec::new();
        let mut seen = 0_u32;
        while seen < 100_000 {
            bytes.clear();
            if reader.drain(&mut bytes, 1) == 0 {
                std::thread::yield_now();
                continue;
            }
            assert_eq!(bytes, vec![seen as u8; 1 + seen as usize % 61], "record {seen}");
            seen += 1;
        }
        sender.join().unwrap();
    }
}
