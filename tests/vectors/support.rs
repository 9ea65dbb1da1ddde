//! Where the data is.

use std::path::PathBuf;

/// The folder `suite` of the conformance data: under `RINGGATE_CONFORMANCE`, else beside the repository. If there is
/// none, says so and gives nothing; a test then passes without having tested.
pub fn suite(suite: &str) -> Option<PathBuf> {
    let root = std::env::var_os("RINGGATE_CONFORMANCE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"), PathBuf::from);
    let folder = root.join(suite);
    if !folder.is_dir() {
        println!("no data for the suite `{suite}`: {} is not a folder", folder.display());
        return None;
    }
    Some(folder)
}

/// A small generator of numbers that look random and come from a seed (xorshift64*).
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}
