//! Randomness for identifiers. Not for secrets.

use std::cell::Cell;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), seeded by the system.
pub struct Random(Cell<u64>);

impl Random {
    /// Starts at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// Seeded by the operating system; by the address of a local where that fails, which is enough to tell shards apart.
    pub fn from_system() -> Self {
        Self::new(getrandom::u64().unwrap_or_else(|_| std::ptr::from_ref(&0_u8).addr() as u64))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next `N` bytes; `N` is a multiple of 8.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        bytes
    }
}
