//! The language at its own seam.
