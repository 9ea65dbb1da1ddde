//! Being built.

pub mod trie;
